/* Planes of the wavelet codec: samples in and out, colour transforms. */
#include "rangecoder.h"

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

/* Differences of integers from damaged streams may pass 2^31: they wrap. */
RS_INLINE int32_t add(int32_t a, int32_t b) { return (int32_t)((uint32_t)a + (uint32_t)b); }
RS_INLINE int32_t sub(int32_t a, int32_t b) { return (int32_t)((uint32_t)a - (uint32_t)b); }

int64_t rs_ycocg_forward(int32_t *r_y, int32_t *g_co, int32_t *b_cg, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        int32_t r = r_y[i], g = g_co[i], b = b_cg[i];
        int32_t co = sub(r, b), t = add(b, co >> 1), cg = sub(g, t);
        r_y[i] = add(t, cg >> 1);
        g_co[i] = co;
        b_cg[i] = cg;
    }
    return (int64_t)count;
}

int64_t rs_ycocg_inverse(int32_t *y_r, int32_t *co_g, int32_t *cg_b, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        int32_t y = y_r[i], co = co_g[i], cg = cg_b[i];
        int32_t t = sub(y, cg >> 1), g = add(cg, t), b = sub(t, co >> 1);
        y_r[i] = add(b, co);
        co_g[i] = g;
        cg_b[i] = b;
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

/* Half up by truncation of a value made positive: needs no floor(), and vectorises everywhere.
 * Comparisons are written so that NaN fails them and ends at the lower bound. */
RS_INLINE int32_t rounded(float value)
{
    value = value > -16777216.0f ? value : -16777216.0f;
    value = value < 16777216.0f ? value : 16777216.0f;
    int32_t whole = (int32_t)value;
    float rest = value - (float)whole;
    return whole + (rest >= 0.5f) - (rest < -0.5f);
}

int64_t rs_rotate_inverse(const float *first, const float *second, const float *third, size_t count,
                          const float *axes, int32_t *r, int32_t *g, int32_t *b)
{
    const float *u = axes, *v = axes + 3, *w = axes + 6;
    for (size_t i = 0; i < count; i++) {
        float f = first[i], s = second[i], t = third[i];
        r[i] = rounded(u[0] * f + v[0] * s + w[0] * t);
        g[i] = rounded(u[1] * f + v[1] * s + w[1] * t);
        b[i] = rounded(u[2] * f + v[2] * s + w[2] * t);
    }
    return (int64_t)count;
}

int64_t rs_plane_round(const float *plane, size_t count, int32_t *out)
{
    for (size_t i = 0; i < count; i++) out[i] = rounded(plane[i]);
    return (int64_t)count;
}
