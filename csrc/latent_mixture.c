/* Coding under mixtures of logistic densities (latent_mixture.h), in the streams of latent_coder.c; and the mixtures
 * themselves from a head's sums. */
#include "latent_mixture.h"

#include "latent_coder.h"

#include <math.h>

enum { MOST_MIXTURES = 4, MAX_CHANNELS = 1 << 13, OCTAVE_PARTS = 32, ROW_BITS = 24, GRID_BITS = 6, SHIFT_MAX = 32767 };

static const int64_t MANTISSA_MAX = 1 << 30;

int rs_latent_valid_mixing(const rs_latent_mixing *m)
{
    if (m->mixtures < 1 || m->mixtures > MOST_MIXTURES || m->row_count < 1 || m->row_count > 256) return 0;
    if (m->logistic_count < 2 || m->logistic_count > 1 << 16) return 0;
    for (int32_t i = 0; i < m->logistic_count; i++)
        if (m->logistic[i] < (i ? m->logistic[i - 1] : 1 << 29) || m->logistic[i] > 1 << MIXTURE_VALUE_BITS) return 0;
    for (int32_t row = 0; row < m->row_count; row++)
        if (m->inverse[row] < 1 || m->inverse[row] > MANTISSA_MAX || m->reach[row] < 1 || m->reach[row] > 1 << 20)
            return 0;
    return 1;
}

int64_t rs_latent_write_mixed(const int32_t *values, size_t count, const rs_latent_mixing *m, uint8_t *dst,
                              size_t capacity, uint64_t *writer)
{
    if (count > RS_MAX_SYMBOLS || !rs_latent_valid_mixing(m)) return RS_ERR_ARGUMENT;
    if (writer[1] > capacity || (int64_t)writer[1] < rs_latent_bound(count)) return RS_ERR_SPACE;
    for (size_t i = count; i-- > 0;) {
        mixture_of d;
        if (!mixture_at(m, i, &d)) return RS_ERR_ARGUMENT;
        if (values[i] < -RS_LATENT_MAX || values[i] > RS_LATENT_MAX) return RS_ERR_RANGE;
        int64_t s = mixture_number(&d, values[i]);
        uint32_t start = mixture_start(m, &d, s);
        if (mixture_is_escape(&d, s)) latent_push_escaped(dst, writer, values[i]);
        latent_push(dst, writer, start, mixture_stop(m, &d, s) - start, CDF_BITS);
    }
    return 0;
}

int64_t rs_latent_read_mixed(const uint8_t *data, size_t size, size_t count, const rs_latent_mixing *m,
                             uint64_t *reader, int32_t *values)
{
    if (count > RS_MAX_SYMBOLS || !rs_latent_valid_mixing(m) || reader[1] > size) return RS_ERR_ARGUMENT;
    for (size_t i = 0; i < count; i++) {
        mixture_of d;
        if (!mixture_at(m, i, &d)) return RS_ERR_ARGUMENT;
        uint32_t slot = (uint32_t)reader[0] & ((1u << CDF_BITS) - 1);
        int64_t low = 0, high = 2 * (int64_t)d.reach + 2; /* the number is in low...high - 1 */
        while (high - low > 1) {
            int64_t middle = (low + high) / 2;
            if (mixture_start(m, &d, middle) <= slot) low = middle;
            else high = middle;
        }
        uint32_t start = mixture_start(m, &d, low);
        int64_t code = latent_pop(data, size, reader, mixture_stop(m, &d, low) - start, slot - start, CDF_BITS);
        if (code < 0) return code;
        values[i] = (int32_t)(low - d.reach);
        if (!mixture_is_escape(&d, low)) continue;
        code = latent_pop_escaped(data, size, reader, &values[i]);
        if (code < 0) return code;
        if (!mixture_is_escape(&d, mixture_number(&d, values[i]))) return RS_ERR_CORRUPT;
    }
    return (int64_t)count;
}

int64_t rs_latent_mixed_costs(const int32_t *values, size_t count, const rs_latent_mixing *m, float *bits)
{
    if (count > RS_MAX_SYMBOLS || !rs_latent_valid_mixing(m)) return RS_ERR_ARGUMENT;
    for (size_t i = 0; i < count; i++) {
        mixture_of d;
        if (!mixture_at(m, i, &d)) return RS_ERR_ARGUMENT;
        int64_t s = mixture_number(&d, values[i]);
        bits[i] = 16 - log2f((float)(mixture_stop(m, &d, s) - mixture_start(m, &d, s)));
        if (mixture_is_escape(&d, s)) bits[i] += LATENT_LENGTH_BITS + (float)latent_escaped_length(values[i]);
    }
    return 0;
}

/* v / 2^shift, halves up, within +-most. */
static int64_t rounded(int64_t v, int shift, int64_t most)
{
    v += (int64_t)1 << (shift - 1);
    v = v >= 0 ? v >> shift : ~(~v >> shift);
    return v < -most ? -most : v > most ? most : v;
}

/* Weights from logits in 1/32 octaves, of which the first is 0: 2^15 in all. */
static void weigh(const rs_latent_mixing *m, const int32_t *octaves, uint16_t *weights)
{
    int32_t best = 0;
    int64_t parts[MOST_MIXTURES], sum = 0, given = 0;
    for (int32_t k = 1; k < m->mixtures; k++)
        if (octaves[k] > octaves[best]) best = k;
    for (int32_t k = 0; k < m->mixtures; k++) {
        int32_t below = octaves[best] - octaves[k];
        parts[k] = below < m->power_count ? m->powers[below] : 0;
        sum += parts[k];
    }
    for (int32_t k = 0; k < m->mixtures; k++) {
        weights[k] = (uint16_t)((parts[k] << MIXTURE_WEIGHT_BITS) / sum);
        given += weights[k];
    }
    weights[best] = (uint16_t)(weights[best] + (1 << MIXTURE_WEIGHT_BITS) - given);
}

static int valid_units(const rs_latent_mixing *m, const rs_latent_units *u)
{
    int32_t outputs = (u->means ? 2 : 1) + 3 * (m->mixtures - 1);
    if (!rs_latent_valid_mixing(m) || m->power_count < 1 || m->powers[0] < 1) return 0;
    if (u->channels < 1 || u->channels > MAX_CHANNELS || u->rows_per_nat < 0 || u->octaves_per_nat < 0) return 0;
    for (int32_t o = 0; o < outputs * u->channels; o++)
        if (u->shifts[o] > RS_LATENT_SHIFT) return 0;
    for (int32_t c = 0; c < u->channels; c++) {
        if (u->mantissas[c] < 0 || u->mantissas[c] > MANTISSA_MAX || u->exponents[c] < 1 || u->exponents[c] > 43)
            return 0;
        if (u->offsets[c] < -((int64_t)1 << 36) || u->offsets[c] > (int64_t)1 << 36) return 0;
    }
    return 1;
}

/* A multiple of the spread, in 1/16 of a step. */
static int64_t in_steps(const rs_latent_units *u, int32_t c, int32_t sum, int shift, int64_t most)
{
    return rounded((int64_t)sum * u->mantissas[c], shift + u->exponents[c], most);
}

static uint8_t row_of(const rs_latent_mixing *m, const rs_latent_units *u, int32_t c, int32_t sum, int shift)
{
    int unit = shift + GRID_BITS;
    int64_t row = (int64_t)sum * u->rows_per_nat + u->offsets[c] * ((int64_t)1 << unit);
    row = rounded(row, ROW_BITS + unit, 1 << 20);
    return (uint8_t)(row < 0 ? 0 : row >= m->row_count ? m->row_count - 1 : row);
}

int64_t rs_latent_predict_mixed(const int32_t *sums, int64_t positions, const rs_latent_units *u,
                                const rs_latent_mixing *m, int32_t *means, uint8_t *rows, int16_t *shifts,
                                uint16_t *weights)
{
    if (positions < 0 || !valid_units(m, u)) return RS_ERR_ARGUMENT;
    int32_t channels = u->channels, first = u->means ? channels : 0, outputs = first + channels * (3 * m->mixtures - 2);
    for (int64_t p = 0; p < positions; p++, sums += outputs)
        for (int32_t c = 0; c < channels; c++) {
            int32_t octaves[MOST_MIXTURES] = {0}, at = first + c;
            *means++ = u->means ? (int32_t)in_steps(u, c, sums[c], u->shifts[c], 1 << 19) : 0;
            rows[0] = row_of(m, u, c, sums[at], u->shifts[at]);
            for (int32_t k = 1; k < m->mixtures; k++) {
                int32_t shift = first + channels * (3 * k - 2) + c, scale = shift + channels, share = scale + channels;
                shifts[k - 1] = (int16_t)in_steps(u, c, sums[shift], u->shifts[shift], SHIFT_MAX);
                rows[k] = row_of(m, u, c, sums[scale], u->shifts[scale]);
                int down = ROW_BITS + u->shifts[share] + GRID_BITS;
                octaves[k] = (int32_t)rounded((int64_t)sums[share] * u->octaves_per_nat, down, 1 << 20);
            }
            weigh(m, octaves, weights);
            rows += m->mixtures;
            shifts += m->mixtures - 1;
            weights += m->mixtures;
        }
    return 0;
}
