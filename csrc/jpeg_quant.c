/* From transform coefficients to the integers that are coded. */
#include "cpu.h"
#include "jpeg.h"

#include <math.h>
#include <string.h>

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

RS_BODY void levels_of_body(const int16_t *restrict coefs, const float *restrict inverse, const float *restrict rounding,
                           int16_t *restrict levels, size_t blocks)
{
    for (size_t b = 0; b < blocks; b++, coefs += 64, levels += 64)
        for (int k = 0; k < 64; k++) {
            int size = coefs[k] < 0 ? -coefs[k] : coefs[k];
            int level = (int)((float)size * inverse[k] + rounding[k]);
            levels[k] = (int16_t)clamp(coefs[k] < 0 ? -level : level, -1023, 1023);
        }
}
RS_VARIANTS(levels_of,
            (const int16_t *coefs, const float *inverse, const float *rounding, int16_t *levels, size_t blocks),
            (coefs, inverse, rounding, levels, blocks))

int64_t rs_jpeg_quantise(const int16_t *coefs, int32_t grid_x, int32_t grid_y, int32_t used_x, int32_t used_y,
                         const uint8_t *table, const float *rounding, int16_t *levels)
{
    float inverse[64];
    if (used_x < 1 || used_y < 1 || used_x > grid_x || used_y > grid_y) return RS_ERR_ARGUMENT;
    for (int k = 0; k < 64; k++) {
        if (!table[k] || !(rounding[k] >= 0.0f && rounding[k] <= 0.5f)) return RS_ERR_ARGUMENT;
        inverse[k] = 1.0f / (16.0f * table[k]);
    }
    for (int32_t y = 0; y < used_y; y++) {
        size_t at = 64 * (size_t)y * (size_t)grid_x;
        levels_of(coefs + at, inverse, rounding, levels + at, (size_t)used_x);
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

enum { SAMPLE = 8 * 16, /* what one code value is as a DC coefficient */ AT_ONCE = 128, DC_SIZES = 12 };

/* Levels of up to AT_ONCE values, the size in bits of each one's difference from the one before, and the sum of squared
 * errors. A size is the exponent of the difference as a float. */
RS_BODY void dc_levels_body(const int16_t *restrict dc, const uint8_t *restrict flat, int count, int step,
                            int32_t *restrict last, uint8_t *restrict sizes, int64_t *error)
{
    int32_t levels[AT_ONCE + 1], sum = 0;
    float inverse = 1.0f / (16.0f * (float)step);
    levels[0] = *last;
    for (int i = 0; i < count; i++) {
        float exact = (float)dc[i] * inverse;
        int32_t level = (int32_t)(exact + (exact < 0.0f ? -0.5f : 0.5f));
        int32_t shown = clamp(16 * step * level, -128 * SAMPLE, 127 * SAMPLE);
        int32_t whole = (shown + SAMPLE / 2) & -SAMPLE, miss = dc[i] - (flat[i] ? whole : shown);
        levels[i + 1] = level;
        sum += miss * miss; /* at most 128 times (8 * 255 + 64) squared */
    }
    for (int i = 0; i < count; i++) {
        float difference = (float)(levels[i + 1] - levels[i]);
        uint32_t bits;
        memcpy(&bits, &difference, sizeof bits);
        int exponent = (int)(bits >> 23 & 255) - 126;
        sizes[i] = (uint8_t)clamp(exponent, 0, DC_SIZES - 1);
    }
    *last = levels[count];
    *error += sum;
}
RS_VARIANTS(dc_levels,
            (const int16_t *dc, const uint8_t *flat, int count, int step, int32_t *last, uint8_t *sizes, int64_t *error),
            (dc, flat, count, step, last, sizes, error))

/* Adds to counts and to the error until that reaches `enough`. */
static int64_t dc_cost(const int16_t *dc, const uint8_t *flat, size_t count, int32_t step, uint32_t *counts,
                       double enough)
{
    uint8_t sizes[AT_ONCE];
    uint32_t more[DC_SIZES] = {0}; /* by turns, as an addition waits for the one before to the same place */
    int32_t last = 0;
    int64_t error = 0;
    for (size_t at = 0; at < count && (double)error < enough; at += AT_ONCE) {
        int n = count - at < AT_ONCE ? (int)(count - at) : AT_ONCE;
        dc_levels(dc + at, flat + at, n, step, &last, sizes, &error);
        for (int i = 0; i + 1 < n; i += 2) counts[sizes[i]]++, more[sizes[i + 1]]++;
        if (n & 1) counts[sizes[n - 1]]++;
    }
    for (int size = 0; size < DC_SIZES; size++) counts[size] += more[size];
    return error;
}

int64_t rs_jpeg_dc_cost(const int16_t *dc, const uint8_t *flat, size_t count, int32_t step, uint32_t *counts)
{
    if (step < 1 || step > 255) return RS_ERR_ARGUMENT;
    return dc_cost(dc, flat, count, step, counts, HUGE_VAL);
}

int64_t rs_jpeg_dc_step(const int16_t *dc, const uint8_t *flat, const size_t *sizes, int32_t planes, double trade)
{
    double best = HUGE_VAL;
    int chosen = 1, last = 0;
    if (planes < 1 || planes > 4 || !(trade >= 0.0)) return RS_ERR_ARGUMENT;
    for (double exact = 1.0; last < 255; exact *= 1.17) {
        int step = exact > 255.0 ? 255 : (int)(exact + 0.5);
        if (step == last) continue;
        last = step;
        uint32_t counts[DC_SIZES] = {0};
        uint8_t lengths[DC_SIZES];
        int64_t error = 0, bits = 0;
        size_t first = 0;
        for (int i = 0; i < planes; first += sizes[i++])
            error += dc_cost(dc + first, flat + first, sizes[i], step, counts, best - (double)error);
        rs_huffman_lengths(counts, DC_SIZES, 16, lengths);
        for (int size = 0; size < DC_SIZES; size++) bits += (int64_t)counts[size] * (lengths[size] + size);
        double cost = (double)error + trade * (double)bits;
        if (cost < best) best = cost, chosen = step;
    }
    return chosen;
}
