/* Planes of the wavelet codec: samples in and out, colour transforms. */
#include "wavelet_samples.h"

#define SAMPLES_TARGET
#define SAMPLES_VECTORS 0
#define SAMPLES_NAME(name) samples_##name##_plain
#include "wavelet_samples_kernel.h"

int64_t rs_plane_load(const void *pixels, int bytes, size_t count, int channels, int channel, int32_t offset,
                      int32_t *plane)
{
    if ((bytes != 1 && bytes != 2) || channels < 1 || channel < 0 || channel >= channels) return RS_ERR_ARGUMENT;
    const uint8_t *p8 = pixels;
    const uint16_t *p16 = pixels;
    size_t step = (size_t)channels;
    if (bytes == 1)
        for (size_t i = 0; i < count; i++) plane[i] = p8[i * step + (size_t)channel] - offset;
    else
        for (size_t i = 0; i < count; i++) plane[i] = p16[i * step + (size_t)channel] - offset;
    return (int64_t)count;
}

RS_INLINE int32_t clamped(int32_t value, int32_t offset, int32_t peak)
{
    int64_t v = (int64_t)value + offset;
    return v < 0 ? 0 : (v > peak ? peak : (int32_t)v);
}

int64_t rs_plane_store(const int32_t *plane, size_t count, int channels, int channel, int32_t offset, int bits,
                       void *pixels, int bytes)
{
    if ((bytes != 1 && bytes != 2) || channels < 1 || channel < 0 || channel >= channels) return RS_ERR_ARGUMENT;
    if (bits < 1 || bits > 8 * bytes) return RS_ERR_ARGUMENT;
    uint8_t *p8 = pixels;
    uint16_t *p16 = pixels;
    size_t step = (size_t)channels;
    int32_t peak = (int32_t)(1 << bits) - 1;
    if (bytes == 1)
        for (size_t i = 0; i < count; i++) p8[i * step + (size_t)channel] = (uint8_t)clamped(plane[i], offset, peak);
    else
        for (size_t i = 0; i < count; i++) p16[i * step + (size_t)channel] = (uint16_t)clamped(plane[i], offset, peak);
    return (int64_t)count;
}

int64_t rs_ycocg_forward(int32_t *r_y, int32_t *g_co, int32_t *b_cg, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        int32_t r = r_y[i], g = g_co[i], b = b_cg[i];
        int32_t co = samples_sub(r, b), t = samples_add(b, co >> 1), cg = samples_sub(g, t);
        r_y[i] = samples_add(t, cg >> 1);
        g_co[i] = co;
        b_cg[i] = cg;
    }
    return (int64_t)count;
}

static void add_products(const int32_t *r, const int32_t *g, const int32_t *b, size_t count, size_t ahead,
                         int64_t *sums)
{
    int64_t rr = 0, rg = 0, rb = 0, gg = 0, gb = 0, bb = 0;
    for (size_t i = 0; i < count; i++) {
        int64_t dr = r[i + ahead] - r[i], dg = g[i + ahead] - g[i], db = b[i + ahead] - b[i];
        rr += dr * dr;
        rg += dr * dg;
        rb += dr * db;
        gg += dg * dg;
        gb += dg * db;
        bb += db * db;
    }
    sums[0] += rr;
    sums[1] += rg;
    sums[2] += rb;
    sums[3] += gg;
    sums[4] += gb;
    sums[5] += bb;
}

int64_t rs_gradient_products(const int32_t *r, const int32_t *g, const int32_t *b, size_t width, size_t height,
                             int64_t *sums)
{
    for (int i = 0; i < 6; i++) sums[i] = 0;
    for (size_t y = 0; y < height; y++) {
        size_t at = y * width;
        if (width > 1) add_products(r + at, g + at, b + at, width - 1, 1, sums);
        if (y + 1 < height) add_products(r + at, g + at, b + at, width, width, sums);
    }
    return 6;
}

int64_t rs_rotate_forward(const int32_t *r, const int32_t *g, const int32_t *b, size_t count, const float *axes,
                          float *first, float *second, float *third)
{
    const float *u = axes, *v = axes + 3, *w = axes + 6;
    for (size_t i = 0; i < count; i++) {
        float fr = (float)r[i], fg = (float)g[i], fb = (float)b[i];
        first[i] = u[0] * fr + u[1] * fg + u[2] * fb;
        second[i] = v[0] * fr + v[1] * fg + v[2] * fb;
        third[i] = w[0] * fr + w[1] * fg + w[2] * fb;
    }
    return (int64_t)count;
}

static void to_pixels(const samples_colours *c, size_t from, size_t to)
{
#ifdef RS_X86_VECTORS
    if (rs_cpu_used & RS_CPU_AVX2) {
        samples_to_pixels_avx2(c, from, to);
        return;
    }
#endif
    samples_to_pixels_plain(c, from, to);
}

static int valid_samples(int bytes, int bits, int channels)
{
    return (bytes == 1 || bytes == 2) && bits >= 1 && bits <= 8 * bytes && channels >= 3;
}

int64_t rs_rotate_store(const float *first, const float *second, const float *third, size_t count, const float *axes,
                        int32_t offset, int bits, int channels, void *pixels, int bytes)
{
    samples_colours c = {{first, second, third}, axes, offset, (1 << bits) - 1, channels, bytes, pixels};
    if (!valid_samples(bytes, bits, channels)) return RS_ERR_ARGUMENT;
    to_pixels(&c, 0, count);
    return (int64_t)count;
}

int64_t rs_ycocg_store(const int32_t *y, const int32_t *co, const int32_t *cg, size_t count, int32_t offset, int bits,
                       int channels, void *pixels, int bytes)
{
    samples_colours c = {{y, co, cg}, NULL, offset, (1 << bits) - 1, channels, bytes, pixels};
    if (!valid_samples(bytes, bits, channels)) return RS_ERR_ARGUMENT;
    to_pixels(&c, 0, count);
    return (int64_t)count;
}

int64_t rs_plane_round(const float *plane, size_t count, int32_t *out)
{
    for (size_t i = 0; i < count; i++) out[i] = samples_rounded(plane[i]);
    return (int64_t)count;
}
