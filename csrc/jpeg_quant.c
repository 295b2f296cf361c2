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
