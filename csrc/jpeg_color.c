/* RGB <-> YCbCr (JFIF: BT.601 matrix, full range) and the chroma grids.
 *
 * Encoder side: samples are int16 with 4 fractional bits around 0, so that nothing is rounded to 8 bits
 * before the transform. Decoder side: libjpeg's arithmetic, to the last bit. */
#include "cpu.h"
#include "jpeg.h"

#include <string.h>

static inline int32_t clamp(int32_t x, int32_t lo, int32_t hi) { return x < lo ? lo : x > hi ? hi : x; }

/* --- Encoder ------------------------------------------------------------------------------------ */

RS_BODY void to_ycc_body(const uint8_t *restrict pixels, size_t count, int16_t *restrict luma, int16_t *restrict cb,
                         int16_t *restrict cr)
{
    for (size_t i = 0; i < count; i++) { /* factors of 16 * 2^16, rows adding up exactly */
        int32_t r = pixels[3 * i], g = pixels[3 * i + 1], b = pixels[3 * i + 2], half = 1 << 15;
        luma[i] = (int16_t)(((313524 * r + 615514 * g + 119538 * b + half) >> 16) - 2048);
        cb[i] = (int16_t)((-176933 * r - 347355 * g + 524288 * b + half) >> 16);
        cr[i] = (int16_t)((524288 * r - 439026 * g - 85262 * b + half) >> 16);
    }
}
RS_VARIANTS(to_ycc, (const uint8_t *pixels, size_t count, int16_t *luma, int16_t *cb, int16_t *cr),
            (pixels, count, luma, cb, cr))

int64_t rs_jpeg_planes(const uint8_t *pixels, size_t count, int32_t channels, int16_t *planes)
{
    if (channels != 1 && channels != 3) return RS_ERR_ARGUMENT;
    if (channels == 1)
        for (size_t i = 0; i < count; i++) planes[i] = (int16_t)(16 * pixels[i] - 2048);
    else to_ycc(pixels, count, planes, planes + count, planes + 2 * count);
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

RS_BODY void halve(float *x, size_t n, size_t width, size_t step)
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

RS_BODY void halve_rows(float *rows, size_t width, size_t count, float *side_by_side, int16_t *out)
{
    size_t half = (width + 1) / 2;
    for (size_t x = 0; x < width; x++)
        for (size_t r = 0; r < ABREAST; r++) side_by_side[ABREAST * x + r] = r < count ? rows[r * width + x] : 0.0f;
    halve(side_by_side, width, ABREAST, ABREAST);
    for (size_t r = 0; r < count; r++)
        for (size_t x = 0; x < half; x++) out[r * half + x] = to_sample(side_by_side[ABREAST * x + r]);
}

RS_BODY void halve_plane_body(const int16_t *restrict plane, size_t w, size_t rows, int h, int v,
                              float *restrict scratch, int16_t *restrict out)
{
    size_t out_w = (w + (size_t)h - 1) / (size_t)h, out_rows = (rows + (size_t)v - 1) / (size_t)v;
    for (size_t i = 0; i < w * rows; i++) scratch[i] = plane[i];
    if (v == 2) halve(scratch, rows, w, w);
    for (size_t i = 0; h == 1 && i < w * out_rows; i++) out[i] = to_sample(scratch[i]);
    for (size_t y = 0; h == 2 && y < out_rows; y += ABREAST) {
        size_t count = out_rows - y < ABREAST ? out_rows - y : ABREAST;
        halve_rows(scratch + y * w, w, count, scratch + w * rows, out + y * out_w);
    }
}
RS_VARIANTS(halve_plane, (const int16_t *plane, size_t w, size_t rows, int h, int v, float *scratch, int16_t *out),
            (plane, w, rows, h, v, scratch, out))

int64_t rs_jpeg_halve(const int16_t *plane, int32_t width, int32_t height, int32_t h, int32_t v, float *scratch,
                      int16_t *out)
{
    if (width < 1 || height < 1 || h < 1 || h > 2 || v < 1 || v > 2) return RS_ERR_ARGUMENT;
    halve_plane(plane, (size_t)width, (size_t)height, h, v, scratch, out);
    return ((int64_t)width + h - 1) / h * (((int64_t)height + v - 1) / v);
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

/* Where edges would need a neighbour, the outer sample itself takes its place: (4 x + 8) >> 4 and (4 x + 7) >> 4. */
RS_BODY void both_body(const uint8_t *restrict near, const uint8_t *restrict far, size_t n, uint16_t *restrict sums,
                       uint8_t *restrict out)
{
    sums++; /* room for the neighbour of the first */
    for (size_t i = 0; i < n; i++) sums[i] = (uint16_t)(3 * near[i] + far[i]);
    sums[-1] = sums[0];
    sums[n] = sums[n - 1];
    for (size_t i = 0; i < n; i++) {
        out[2 * i] = (uint8_t)((3 * sums[i] + sums[(ptrdiff_t)i - 1] + 8) >> 4);
        out[2 * i + 1] = (uint8_t)((3 * sums[i] + sums[i + 1] + 7) >> 4);
    }
}
RS_VARIANTS(both, (const uint8_t *near, const uint8_t *far, size_t n, uint16_t *sums, uint8_t *out),
            (near, far, n, sums, out))

/* Row y of the picture from component c, whose plane has whole blocks. libjpeg interpolates by 2 where
 * the component is more than two samples wide (any width for rows alone), and repeats otherwise. The row is in `out`
 * or, where the component has all samples, in the plane. */
static const uint8_t *upsampled_row(const rsi_frame *f, const rsi_component *c, const uint8_t *plane, int y,
                                    uint16_t *sums, uint8_t *out)
{
    int sx = f->hmax / c->h, sy = f->vmax / c->v, row = y / sy;
    size_t stride = 8 * (size_t)c->pw, n = (size_t)c->width;
    const uint8_t *near = plane + (size_t)row * stride;
    int other = y & 1 ? row + 1 : row - 1;
    const uint8_t *far = plane + (size_t)clamp(other, 0, c->height - 1) * stride;
    if (sx == 1 && sy == 1) return near;
    if (sx == 2 && sy == 1 && n > 2) across(near, n, out);
    else if (sx == 2 && sy == 2 && n > 2) both(near, far, n, sums, out);
    else if (sx == 1 && sy == 2) down(near, far, n, y & 1, out);
    else
        for (int x = 0; x < f->width; x++) out[x] = near[x / sx];
    return out;
}

static inline uint8_t byte(int32_t x) { return (uint8_t)clamp(x, 0, 255); }

enum { PIXELS = 128 };

static inline void put_pixel(uint8_t *out, uint32_t rgb)
{
    out[0] = (uint8_t)rgb;
    out[1] = (uint8_t)(rgb >> 8);
    out[2] = (uint8_t)(rgb >> 16);
}

/* YCbCr -> RGB with libjpeg's 16-bit constants and roundings (jdcolor.c). A pixel is first made in one word, which
 * vectors can do, and then stored, where it may be with a byte more that the next pixel overwrites. */
RS_BODY void ycc_row_body(const uint8_t *restrict luma, const uint8_t *restrict cb, const uint8_t *restrict cr,
                          size_t n, uint8_t *restrict out)
{
    uint32_t rgb[PIXELS];
    for (size_t at = 0; at < n; at += PIXELS) {
        size_t count = n - at < PIXELS ? n - at : PIXELS;
        for (size_t x = 0; x < count; x++) {
            int32_t y = luma[at + x], b = cb[at + x] - 128, r = cr[at + x] - 128, half = 1 << 15;
            uint32_t red = byte(y + ((91881 * r + half) >> 16));
            uint32_t green = byte(y + ((-22554 * b - 46802 * r + half) >> 16));
            uint32_t blue = byte(y + ((116130 * b + half) >> 16));
            rgb[x] = red | green << 8 | blue << 16;
        }
        uint8_t *to = out + 3 * at;
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
        for (size_t x = 0; x + 1 < count; x++) memcpy(to + 3 * x, rgb + x, sizeof *rgb);
        put_pixel(to + 3 * (count - 1), rgb[count - 1]);
#else
        for (size_t x = 0; x < count; x++) put_pixel(to + 3 * x, rgb[x]);
#endif
    }
}
RS_VARIANTS(ycc_row, (const uint8_t *luma, const uint8_t *cb, const uint8_t *cr, size_t n, uint8_t *out),
            (luma, cb, cr, n, out))

/* Interpolation writes one sample more, and keeps sums of 16 bits of half a line and two more. */
size_t rsi_line_bytes(const rsi_frame *f) { return ((size_t)f->width + 9) & ~(size_t)1; }

void rsi_render_row(const rsi_frame *f, uint8_t *const planes[3], int y, int ycc, uint8_t *lines, uint8_t *out)
{
    size_t line = rsi_line_bytes(f);
    uint16_t *sums = (uint16_t *)(lines + 3 * line);
    const uint8_t *row[3];
    for (int i = 0; i < f->count; i++) row[i] = upsampled_row(f, &f->c[i], planes[i], y, sums, lines + (size_t)i * line);
    if (f->count == 1) memcpy(out, row[0], (size_t)f->width);
    else if (ycc) ycc_row(row[0], row[1], row[2], (size_t)f->width, out);
    else
        for (int x = 0; x < f->width; x++)
            for (int i = 0; i < 3; i++) out[3 * x + i] = row[i][x];
}
