/* RGB <-> YCbCr (JFIF: BT.601 matrix, full range) and the chroma grids.
 *
 * Encoder side: samples are int16 with 4 fractional bits around 0, so that nothing is rounded to 8 bits
 * before the transform. Decoder side: libjpeg's arithmetic, to the last bit. */
#include "jpeg.h"

#include <string.h>

static inline int32_t clamp(int32_t x, int32_t lo, int32_t hi) { return x < lo ? lo : x > hi ? hi : x; }

/* --- Encoder ------------------------------------------------------------------------------------ */

int64_t rs_jpeg_planes(const uint8_t *pixels, size_t count, int32_t channels, int16_t *planes)
{
    if (channels != 1 && channels != 3) return RS_ERR_ARGUMENT;
    if (channels == 1) {
        for (size_t i = 0; i < count; i++) planes[i] = (int16_t)(16 * pixels[i] - 2048);
        return (int64_t)count;
    }
    int16_t *luma = planes, *cb = planes + count, *cr = planes + 2 * count;
    for (size_t i = 0; i < count; i++, pixels += 3) { /* factors of 16 * 2^16, rows adding up exactly */
        int32_t r = pixels[0], g = pixels[1], b = pixels[2], half = 1 << 15;
        luma[i] = (int16_t)(((313524 * r + 615514 * g + 119538 * b + half) >> 16) - 2048);
        cb[i] = (int16_t)((-176933 * r - 347355 * g + 524288 * b + half) >> 16);
        cr[i] = (int16_t)((524288 * r - 439026 * g - 85262 * b + half) >> 16);
    }
    return (int64_t)count;
}

/* Halving chroma so that the decoder's interpolation comes closest to the original.
 *
 * Decoders rebuild samples 2i and 2i+1 as (3 c[i] + c[i-1]) / 4 and (3 c[i] + c[i+1]) / 4, edge values
 * repeated. With U for that matrix the best c in the least-squares sense solves (U'U) c = U'x. With
 * s[i] = x[2i-1] + 3 x[2i] + 3 x[2i+1] + x[2i+2] this is 3 c[i-1] + 10 c[i] + 3 c[i+1] = 2 s[i], and
 * 13 c[0] + 3 c[1] = 2 s[0] at either end: tridiagonal, solved by elimination (pivots d[0] = 13,
 * d[i] = 10 - 9 / d[i-1], which tend to 9). Interpolation in 2-D is separable, and so is its
 * pseudo-inverse. Lines shorter than three results are averaged: libjpeg repeats samples there.
 *
 * The line is n groups of `width` floats, `step` apart (1 and 1 across; a row and a row down), and is
 * solved in place. Group i is written once groups below 2i-1 are no longer read. */
enum { PIVOTS = 16 }; /* 9 to float precision from there on */

static void halve(float *x, size_t n, size_t width, size_t step)
{
    size_t half = (n + 1) / 2;
    float factor[PIVOTS];
    double pivot = 13.0;
    for (int i = 0; i < PIVOTS; i++, pivot = 10.0 - 9.0 / pivot) factor[i] = (float)(1.0 / pivot);
    for (size_t i = 0; i < half; i++) {
        size_t next = 2 * i + 1 < n ? 2 * i + 1 : n - 1, beyond = 2 * i + 2 < n ? 2 * i + 2 : n - 1;
        const float *a = x + (i ? 2 * i - 1 : 0) * step, *b = x + 2 * i * step;
        const float *c = x + next * step, *d = x + beyond * step;
        float *y = x + i * step, scale = factor[i < PIVOTS ? i : PIVOTS - 1];
        if (half < 3) {
            for (size_t k = 0; k < width; k++) y[k] = (b[k] + c[k]) * 0.5f;
        } else if (!i) {
            for (size_t k = 0; k < width; k++) y[k] = 2.0f * (a[k] + 3.0f * (b[k] + c[k]) + d[k]) * scale;
        } else {
            const float *last = y - step;
            if (i + 1 == half) scale = 1.0f / (3.0f + 1.0f / scale); /* the end's 13 instead of 10 */
            for (size_t k = 0; k < width; k++)
                y[k] = (2.0f * (a[k] + 3.0f * (b[k] + c[k]) + d[k]) - 3.0f * last[k]) * scale;
        }
    }
    for (size_t i = half; half >= 3 && i-- > 1;) {
        float scale = 3.0f * factor[i - 1 < PIVOTS ? i - 1 : PIVOTS - 1], *y = x + (i - 1) * step;
        for (size_t k = 0; k < width; k++) y[k] -= scale * y[k + step];
    }
}

static inline int16_t to_sample(float x)
{
    return (int16_t)clamp((int32_t)(x + 8192.5f) - 8192, -2048, 2047); /* to nearest: the sum is positive */
}

/* Rows are halved eight at a time, side by side, as the solution along one row cannot be vectorised. */
enum { ABREAST = 8 };

static void halve_rows(float *rows, size_t width, size_t count, float *side_by_side, int16_t *out)
{
    size_t half = (width + 1) / 2;
    for (size_t x = 0; x < width; x++)
        for (size_t r = 0; r < ABREAST; r++) side_by_side[ABREAST * x + r] = r < count ? rows[r * width + x] : 0.0f;
    halve(side_by_side, width, ABREAST, ABREAST);
    for (size_t r = 0; r < count; r++)
        for (size_t x = 0; x < half; x++) out[r * half + x] = to_sample(side_by_side[ABREAST * x + r]);
}

int64_t rs_jpeg_halve(const int16_t *plane, int32_t width, int32_t height, int32_t h, int32_t v, float *scratch,
                      int16_t *out)
{
    if (width < 1 || height < 1 || h < 1 || h > 2 || v < 1 || v > 2) return RS_ERR_ARGUMENT;
    size_t w = (size_t)width, rows = (size_t)height, out_w = (w + (size_t)h - 1) / (size_t)h;
    for (size_t i = 0; i < w * rows; i++) scratch[i] = plane[i];
    if (v == 2) halve(scratch, rows, w, w);
    size_t out_rows = (rows + (size_t)v - 1) / (size_t)v;
    for (size_t i = 0; h == 1 && i < w * out_rows; i++) out[i] = to_sample(scratch[i]);
    for (size_t y = 0; h == 2 && y < out_rows; y += ABREAST) {
        size_t count = out_rows - y < ABREAST ? out_rows - y : ABREAST;
        halve_rows(scratch + y * w, w, count, scratch + w * rows, out + y * out_w);
    }
    return (int64_t)(out_w * out_rows);
}

/* --- Decoder ------------------------------------------------------------------------------------ */

/* libjpeg's "fancy" triangle filters (jdsample.c): a new sample is 3/4 the nearer and 1/4 the further
 * old one; the rounding offsets alternate so that there is no drift. */
static void across(const uint8_t *in, size_t n, uint8_t *out)
{
    out[0] = in[0];
    out[1] = (uint8_t)((3 * in[0] + in[1] + 2) >> 2);
    for (size_t i = 1; i + 1 < n; i++) {
        out[2 * i] = (uint8_t)((3 * in[i] + in[i - 1] + 1) >> 2);
        out[2 * i + 1] = (uint8_t)((3 * in[i] + in[i + 1] + 2) >> 2);
    }
    out[2 * n - 2] = (uint8_t)((3 * in[n - 1] + in[n - 2] + 1) >> 2);
    out[2 * n - 1] = in[n - 1];
}

static void down(const uint8_t *near, const uint8_t *far, size_t n, int lower, uint8_t *out)
{
    for (size_t i = 0; i < n; i++) out[i] = (uint8_t)((3 * near[i] + far[i] + (lower ? 2 : 1)) >> 2);
}

static void both(const uint8_t *near, const uint8_t *far, size_t n, uint8_t *out)
{
    int last, this = 3 * near[0] + far[0], next = 3 * near[1] + far[1];
    out[0] = (uint8_t)((4 * this + 8) >> 4);
    out[1] = (uint8_t)((3 * this + next + 7) >> 4);
    for (size_t i = 1; i < n; i++) {
        last = this;
        this = next;
        next = i + 1 < n ? 3 * near[i + 1] + far[i + 1] : this;
        out[2 * i] = (uint8_t)((3 * this + last + 8) >> 4);
        out[2 * i + 1] = (uint8_t)((i + 1 < n ? 3 * this + next + 7 : 4 * this + 7) >> 4);
    }
}

/* Row y of the picture from component c, whose plane has whole blocks. libjpeg interpolates by 2 where
 * the component is more than two samples wide (any width for rows alone), and repeats otherwise. */
static void upsampled_row(const rsi_frame *f, const rsi_component *c, const uint8_t *plane, int y, uint8_t *out)
{
    int sx = f->hmax / c->h, sy = f->vmax / c->v, row = y / sy;
    size_t stride = 8 * (size_t)c->pw, n = (size_t)c->width;
    const uint8_t *near = plane + (size_t)row * stride;
    int other = y & 1 ? row + 1 : row - 1;
    const uint8_t *far = plane + (size_t)clamp(other, 0, c->height - 1) * stride;
    if (sx == 1 && sy == 1) memcpy(out, near, n);
    else if (sx == 2 && sy == 1 && n > 2) across(near, n, out);
    else if (sx == 2 && sy == 2 && n > 2) both(near, far, n, out);
    else if (sx == 1 && sy == 2) down(near, far, n, y & 1, out);
    else
        for (int x = 0; x < f->width; x++) out[x] = near[x / sx];
}

static inline uint8_t byte(int32_t x) { return (uint8_t)clamp(x, 0, 255); }

/* YCbCr -> RGB with libjpeg's 16-bit constants and roundings (jdcolor.c). */
static void ycc_row(const uint8_t *luma, const uint8_t *cb, const uint8_t *cr, int n, uint8_t *out)
{
    for (int x = 0; x < n; x++, out += 3) {
        int32_t y = luma[x], b = cb[x] - 128, r = cr[x] - 128, half = 1 << 15;
        out[0] = byte(y + ((91881 * r + half) >> 16));
        out[1] = byte(y + ((-22554 * b - 46802 * r + half) >> 16));
        out[2] = byte(y + ((116130 * b + half) >> 16));
    }
}

size_t rsi_line_bytes(const rsi_frame *f) { return (size_t)f->width + 8; } /* interpolation writes one more */

void rsi_render_row(const rsi_frame *f, uint8_t *const planes[3], int y, int ycc, uint8_t *lines, uint8_t *out)
{
    size_t line = rsi_line_bytes(f);
    for (int i = 0; i < f->count; i++) upsampled_row(f, &f->c[i], planes[i], y, lines + (size_t)i * line);
    if (f->count == 1) memcpy(out, lines, (size_t)f->width);
    else if (ycc) ycc_row(lines, lines + line, lines + 2 * line, f->width, out);
    else
        for (int x = 0; x < f->width; x++)
            for (int i = 0; i < 3; i++) out[3 * x + i] = lines[(size_t)i * line + (size_t)x];
}
