/* From transform coefficients to the integers that are coded. */
#include "jpeg.h"

static inline int clamp(int x, int lo, int hi) { return x < lo ? lo : x > hi ? hi : x; }

/* Blocks that only fill up the last MCUs cost least when they repeat the DC of the one before. */
static void fill_padding(int16_t *levels, int32_t grid_x, int32_t grid_y, int32_t used_x, int32_t used_y)
{
    for (int32_t y = 0; y < grid_y; y++)
        for (int32_t x = y < used_y ? used_x : 0; x < grid_x; x++) {
            int16_t *block = levels + 64 * ((size_t)y * (size_t)grid_x + (size_t)x);
            int16_t dc = x ? block[-64] : y ? block[-64 * grid_x] : 0;
            for (int k = 1; k < 64; k++) block[k] = 0;
            block[0] = dc;
        }
}

int64_t rs_jpeg_quantise(const int16_t *coefs, int32_t grid_x, int32_t grid_y, int32_t used_x, int32_t used_y,
                         const uint8_t *table, const float *rounding, int16_t *levels)
{
    float inverse[64];
    if (used_x < 1 || used_y < 1 || used_x > grid_x || used_y > grid_y) return RS_ERR_ARGUMENT;
    for (int k = 0; k < 64; k++) {
        if (!table[k] || !(rounding[k] >= 0.0f && rounding[k] <= 0.5f)) return RS_ERR_ARGUMENT;
        inverse[k] = 1.0f / (16.0f * table[k]);
    }
    for (int32_t y = 0; y < used_y; y++)
        for (int32_t x = 0; x < used_x; x++) {
            size_t at = 64 * ((size_t)y * (size_t)grid_x + (size_t)x);
            for (int k = 0; k < 64; k++) {
                int size = coefs[at + (size_t)k] < 0 ? -coefs[at + (size_t)k] : coefs[at + (size_t)k];
                int level = (int)((float)size * inverse[k] + rounding[k]);
                levels[at + (size_t)k] = (int16_t)clamp(coefs[at + (size_t)k] < 0 ? -level : level, -1023, 1023);
            }
        }
    fill_padding(levels, grid_x, grid_y, used_x, used_y);
    return (int64_t)grid_x * grid_y;
}

int64_t rs_jpeg_dc_gather(const int16_t *coefs, int32_t grid_x, int32_t grid_y, int32_t used_x, int32_t used_y,
                          int16_t *dc, uint8_t *flat)
{
    if (used_x < 1 || used_y < 1 || used_x > grid_x || used_y > grid_y) return RS_ERR_ARGUMENT;
    for (int32_t y = 0; y < used_y; y++)
        for (int32_t x = 0; x < used_x; x++) {
            const int16_t *block = coefs + 64 * ((size_t)y * (size_t)grid_x + (size_t)x);
            int loud = 0;
            for (int k = 1; k < 64; k++) loud |= block[k] >= 32 || block[k] <= -32;
            *dc++ = block[0];
            *flat++ = !loud;
        }
    return (int64_t)used_x * used_y;
}

enum { SAMPLE = 8 * 16, /* what one code value is as a DC coefficient */ AT_ONCE = 128 };

/* Levels of up to AT_ONCE values and the sum of their squared errors, in a form that compilers vectorise. */
static int32_t dc_levels(const int16_t *dc, const uint8_t *flat, int count, int step, int32_t *levels)
{
    float inverse = 1.0f / (16.0f * (float)step);
    int32_t error = 0;
    for (int i = 0; i < count; i++) {
        float exact = (float)dc[i] * inverse;
        levels[i] = (int32_t)(exact + (exact < 0.0f ? -0.5f : 0.5f));
        int32_t shown = clamp(16 * step * levels[i], -128 * SAMPLE, 127 * SAMPLE);
        int32_t whole = (shown + SAMPLE / 2) & -SAMPLE, miss = dc[i] - (flat[i] ? whole : shown);
        error += miss * miss; /* at most 128 times (8 * 255 + 64) squared */
    }
    return error;
}

int64_t rs_jpeg_dc_cost(const int16_t *dc, const uint8_t *flat, size_t count, int32_t step, uint32_t *counts)
{
    int32_t levels[AT_ONCE], last = 0;
    int64_t error = 0;
    if (step < 1 || step > 255) return RS_ERR_ARGUMENT;
    for (size_t at = 0; at < count; at += AT_ONCE) {
        int n = count - at < AT_ONCE ? (int)(count - at) : AT_ONCE;
        error += dc_levels(dc + at, flat + at, n, step, levels);
        for (int i = 0; i < n; last = levels[i++])
            counts[rsi_bits((unsigned)(levels[i] < last ? last - levels[i] : levels[i] - last))]++;
    }
    return error;
}
