/* What a learned codec's entropy networks see and say, in integers: features of decoded coefficients, and
 * means and scales from a head's sums. Numbers that depend on the rate reach here as 30-bit mantissas and
 * shifts, which the caller derives by integer arithmetic alone (engine/learned/fixed.py). */
#include "ratescope.h"

enum { ROW_BITS = 24, GRID_BITS = 6, MEAN_MAX = 1 << 19, VALUE_MAX = 1 << 20, MAX_CHANNELS = 1 << 13 };

static const int64_t MANTISSA_MAX = 1 << 30;

/* v / 2^shift, rounded down. */
static int64_t shift_down(int64_t v, int shift) { return v >= 0 ? v >> shift : ~(~v >> shift); }

static int64_t clamp(int64_t v, int64_t low, int64_t high) { return v < low ? low : v > high ? high : v; }

/* How many thresholds are not above v. */
static int32_t find(const int64_t *thresholds, int32_t count, int64_t v)
{
    int32_t low = 0;
    while (count > 0) {
        int32_t half = count / 2;
        if (thresholds[low + half] <= v) {
            low += half + 1;
            count -= half + 1;
        } else {
            count = half;
        }
    }
    return low;
}

int64_t rs_latent_features(const int32_t *values, int32_t rows, int32_t columns, int32_t channels, int32_t step,
                           int32_t phase, const int32_t *mantissas, const int8_t *shifts, const int64_t *thresholds,
                           int32_t count, int64_t row, int64_t pixel, int16_t *out)
{
    if (rows < 0 || columns < 0 || channels < 1 || channels > MAX_CHANNELS || count < 0 || count > RS_LATENT_FEATURE_MAX)
        return RS_ERR_ARGUMENT;
    if ((step != 1 && step != 2) || phase < 0 || phase > 1) return RS_ERR_ARGUMENT;
    for (int32_t c = 0; c < channels; c++)
        if (mantissas[c] < 0 || mantissas[c] > MANTISSA_MAX || shifts[c] < -10 || shifts[c] > 50)
            return RS_ERR_ARGUMENT;
    for (int32_t y = 0; y < rows; y++)
        for (int32_t i = 0; i < columns; i++) {
            int32_t x = step == 2 ? 2 * i + ((phase + y) & 1) : i;
            int16_t *at = out + y * row + x * pixel;
            for (int32_t c = 0; c < channels; c++, values++) {
                int64_t v = clamp(*values, -VALUE_MAX, VALUE_MAX), size = v < 0 ? -v : v;
                int64_t scaled = shifts[c] < 0 ? size * mantissas[c] << -shifts[c] : size * mantissas[c] >> shifts[c];
                int16_t feature = (int16_t)find(thresholds, count, scaled);
                at[c] = v < 0 ? -feature : feature;
                at[channels + c] = feature;
            }
        }
    return 0;
}

int64_t rs_latent_predict(const int32_t *sums, int64_t positions, int32_t channels, const uint8_t *shifts,
                          const int32_t *mantissas, const uint8_t *mean_shifts, int32_t rows_per_nat,
                          const int64_t *offsets, int32_t rows, int32_t *means, uint16_t *index)
{
    if (positions < 0 || channels < 1 || channels > MAX_CHANNELS || rows < 1 || rows > 1 << 16) return RS_ERR_ARGUMENT;
    if (rows_per_nat < 0) return RS_ERR_ARGUMENT;
    for (int32_t c = 0; c < channels; c++) {
        if (mantissas[c] < 0 || mantissas[c] > MANTISSA_MAX || mean_shifts[c] < 1 || mean_shifts[c] > 62)
            return RS_ERR_ARGUMENT;
        if (shifts[channels + c] > RS_LATENT_SHIFT || offsets[c] < -((int64_t)1 << 36) || offsets[c] > (int64_t)1 << 36)
            return RS_ERR_ARGUMENT;
    }
    for (int64_t p = 0; p < positions; p++, sums += 2 * channels)
        for (int32_t c = 0; c < channels; c++) {
            int64_t mean = (int64_t)sums[c] * mantissas[c] + ((int64_t)1 << (mean_shifts[c] - 1));
            *means++ = (int32_t)clamp(shift_down(mean, mean_shifts[c]), -MEAN_MAX, MEAN_MAX);
            int unit = shifts[channels + c] + GRID_BITS, down = ROW_BITS + unit;
            int64_t row = (int64_t)sums[channels + c] * rows_per_nat + offsets[c] * ((int64_t)1 << unit);
            *index++ = (uint16_t)clamp(shift_down(row + ((int64_t)1 << (down - 1)), down), 0, rows - 1);
        }
    return 0;
}
