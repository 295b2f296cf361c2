/* Subbands in the nested order of dwt.c, and what both coefficient coders do with single values (internal). */
#ifndef RS_WAVELET_GEOMETRY_H
#define RS_WAVELET_GEOMETRY_H

#include "rangecoder.h"

/* A subband inside its plane. */
typedef struct {
    const int32_t *q;
    size_t stride, width, height;
} band;

static inline band band_of(const int32_t *q, size_t width, size_t height, int level, int orientation)
{
    size_t grain = level ? ((size_t)1 << (level - 1)) - 1 : 0;
    size_t wide = (width + grain) >> (level - 1), high = (height + grain) >> (level - 1);
    size_t low_wide = (wide + 1) / 2, low_high = (high + 1) / 2;
    band b = {q, width, low_wide, low_high};
    if (orientation & 1) {
        b.q += low_wide;
        b.width = wide / 2;
    }
    if (orientation & 2) {
        b.q += low_high * width;
        b.height = high / 2;
    }
    return b;
}

static inline band no_band(void) { return (band){NULL, 0, 0, 0}; }

RS_INLINE int in_range(int32_t q)
{
    return q >= -RS_WAVELET_MAX_MAGNITUDE && q <= RS_WAVELET_MAX_MAGNITUDE;
}

/* The nearest integer within range; NaN becomes the upper end. */
RS_INLINE int32_t nearest(float value)
{
    const float most = (float)RS_WAVELET_MAX_MAGNITUDE;
    if (!(value < most)) return RS_WAVELET_MAX_MAGNITUDE;
    if (value <= -most) return -RS_WAVELET_MAX_MAGNITUDE;
    return value < 0.0f ? -(int32_t)(0.5f - value) : (int32_t)(value + 0.5f);
}

/* What W, N and NW say of a coefficient of LL, where values and not just magnitudes go on: the median of W, N and
 * W + N - NW (Weinberger, Seroussi, Sapiro, "LOCO-I", 1996). */
static inline int32_t predict_low(const int32_t *at, size_t stride, size_t x, size_t y)
{
    if (y == 0) return x > 0 ? at[-1] : 0;
    const int32_t *above = at - stride;
    if (x == 0) return above[0];
    int32_t w = at[-1], n = above[0], nw = above[-1];
    int32_t least = w < n ? w : n, most = w < n ? n : w;
    return nw >= most ? least : (nw <= least ? most : w + n - nw);
}

static inline int is_empty(const band *b)
{
    for (size_t y = 0; y < b->height; y++)
        for (size_t x = 0; x < b->width; x++)
            if (b->q[y * b->stride + x] != 0) return 0;
    return 1;
}

static inline void clear_band(const band *b, int32_t *q)
{
    for (size_t y = 0; y < b->height; y++)
        for (size_t x = 0; x < b->width; x++) q[y * b->stride + x] = 0;
}

#endif
