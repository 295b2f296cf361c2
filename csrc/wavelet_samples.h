/* From coefficients to samples (internal): what the loops of wavelet_samples_kernel.h share. */
#ifndef RS_WAVELET_SAMPLES_H
#define RS_WAVELET_SAMPLES_H

#include <string.h>

#include "cpu.h"
#include "rangecoder.h"

/* Floats may be written where integers were: coefficients take the place of what they are made from. */
#if defined(__GNUC__)
typedef float __attribute__((may_alias)) rs_float;
#else
typedef float rs_float;
#endif

/* Three planes on their way to interleaved pixels: floats along axes (3 x 3), or, without, integers by YCoCg-R. */
typedef struct {
    const void *plane[3];
    const float *axes;
    int32_t offset, peak;
    int channels, bytes;
    void *pixels;
} samples_colours;

/* Differences of integers from damaged streams may pass 2^31: they wrap. */
RS_INLINE int32_t samples_add(int32_t a, int32_t b) { return (int32_t)((uint32_t)a + (uint32_t)b); }
RS_INLINE int32_t samples_sub(int32_t a, int32_t b) { return (int32_t)((uint32_t)a - (uint32_t)b); }

/* Half up by truncation of a value made positive: needs no floor(), and vectorises everywhere.
 * Comparisons are written so that NaN fails them and ends at the lower bound. */
RS_INLINE int32_t samples_rounded(float value)
{
    value = value > -16777216.0f ? value : -16777216.0f;
    value = value < 16777216.0f ? value : 16777216.0f;
    int32_t whole = (int32_t)value;
    float rest = value - (float)whole;
    return whole + (rest >= 0.5f) - (rest < -0.5f);
}

void samples_dequantise_plain(const int32_t *q, size_t count, const float *centre, float unit, rs_float *out);
void samples_to_pixels_plain(const samples_colours *c, size_t from, size_t to);
#ifdef RS_X86_VECTORS
void samples_dequantise_avx2(const int32_t *q, size_t count, const float *centre, float unit, rs_float *out);
void samples_to_pixels_avx2(const samples_colours *c, size_t from, size_t to);
#endif

#endif
