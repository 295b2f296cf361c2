/* Convolutions of the networks that feed a learned codec's entropy coder, in integers.
 *
 * Weights are 8-bit codes w, worth w * 2^e with an e for each output; activations are 12-bit codes a, worth
 * a / 64. So a sum of products S is worth S * 2^(e-6), which is the unit of the biases, too. A layer's result
 * is rectified (an eighth of what is negative), scaled by factor/256, and rounded to the grid of activations:
 *     clamp(floor(S * factor * 2^(e-8) * (S < 0 ? 1/8 : 1) + 1/2), -2048, 2047),
 * one rounding in all. Sums are exact in 32 bits: the exporter refuses weights that could exceed them, so the
 * order of additions, and with it the width of the vectors, makes no difference.
 *
 * Packed weights: blocks of LANES outputs; in a block, for each tap and each pair of inputs, LANES pairs of
 * 16-bit codes. That is what the multiply-add of neighbouring pairs (pmaddwd, vpdpwssd) takes with a pair of
 * activations repeated in all lanes. POSITIONS sums a lane are kept in registers. */
#include "latent_conv.h"

#include "cpu.h"

#include <string.h>

#ifdef RS_X86_VECTORS
#include <immintrin.h>
#endif

enum { LANES = RS_LATENT_LANES, POSITIONS = RS_LATENT_POSITIONS, MAX_TAPS = RS_LATENT_TAPS, MAX_SIDE = 1 << 20 };

static int32_t load_pair(const int16_t *at)
{
    int32_t pair;
    memcpy(&pair, at, sizeof pair);
    return pair;
}

/* sums[p * LANES + o]: over taps and inputs, products of the activations at at[p] and the block's weights. */
static void sums_scalar(const int16_t *const *at, const int64_t *taps, int count, int pairs, const int16_t *packed,
                        int32_t *sums)
{
    for (int p = 0; p < POSITIONS; p++) {
        int32_t lane[LANES] = {0};
        const int16_t *w = packed;
        for (int t = 0; t < count; t++) {
            const int16_t *a = at[p] + taps[t];
            for (int i = 0; i < pairs; i++, w += 2 * LANES)
                for (int o = 0; o < LANES; o++) lane[o] += w[2 * o] * a[2 * i] + w[2 * o + 1] * a[2 * i + 1];
        }
        memcpy(sums + p * LANES, lane, sizeof lane);
    }
}

#ifdef RS_X86_VECTORS
#define AVX2_STEP(p)                                                                                     \
    do {                                                                                                 \
        __m256i pair = _mm256_set1_epi32(load_pair(at[(p)] + where));                                    \
        low##p = _mm256_add_epi32(low##p, _mm256_madd_epi16(pair, w0));                                  \
        high##p = _mm256_add_epi32(high##p, _mm256_madd_epi16(pair, w1));                                \
    } while (0)
#define AVX2_STORE(p)                                                                                    \
    do {                                                                                                 \
        _mm256_storeu_si256((__m256i *)(sums + (p) * LANES), low##p);                                    \
        _mm256_storeu_si256((__m256i *)(sums + (p) * LANES + 8), high##p);                               \
    } while (0)

/* Six positions: twelve of the sixteen registers hold sums. */
__attribute__((target("avx2"))) static void sums6_avx2(const int16_t *const *at, const int64_t *taps, int count,
                                                        int pairs, const int16_t *packed, int32_t *sums)
{
    __m256i low0 = _mm256_setzero_si256(), low1 = low0, low2 = low0, low3 = low0, low4 = low0, low5 = low0;
    __m256i high0 = low0, high1 = low0, high2 = low0, high3 = low0, high4 = low0, high5 = low0;
    for (int t = 0; t < count; t++)
        for (int i = 0; i < pairs; i++, packed += 2 * LANES) {
            int64_t where = taps[t] + 2 * i;
            __m256i w0 = _mm256_loadu_si256((const __m256i *)packed);
            __m256i w1 = _mm256_loadu_si256((const __m256i *)(packed + LANES));
            AVX2_STEP(0);
            AVX2_STEP(1);
            AVX2_STEP(2);
            AVX2_STEP(3);
            AVX2_STEP(4);
            AVX2_STEP(5);
        }
    AVX2_STORE(0);
    AVX2_STORE(1);
    AVX2_STORE(2);
    AVX2_STORE(3);
    AVX2_STORE(4);
    AVX2_STORE(5);
}

static void sums_avx2(const int16_t *const *at, const int64_t *taps, int count, int pairs, const int16_t *packed,
                      int32_t *sums)
{
    sums6_avx2(at, taps, count, pairs, packed, sums);
    sums6_avx2(at + 6, taps, count, pairs, packed, sums + 6 * LANES);
}

__attribute__((target("avx512f,avx512bw,avx512vnni"))) static void sums_vnni(const int16_t *const *at,
                                                                             const int64_t *taps, int count, int pairs,
                                                                             const int16_t *packed, int32_t *sums)
{
    __m512i lane[POSITIONS];
    for (int p = 0; p < POSITIONS; p++) lane[p] = _mm512_setzero_si512();
    for (int t = 0; t < count; t++)
        for (int i = 0; i < pairs; i++, packed += 2 * LANES) {
            int64_t where = taps[t] + 2 * i;
            __m512i w = _mm512_loadu_si512(packed);
#pragma GCC unroll 12
            for (int p = 0; p < POSITIONS; p++)
                lane[p] = _mm512_dpwssd_epi32(lane[p], w, _mm512_set1_epi32(load_pair(at[p] + where)));
        }
    for (int p = 0; p < POSITIONS; p++) _mm512_storeu_si512(sums + p * LANES, lane[p]);
}
#endif

rs_latent_sums_function *rs_latent_sums_chosen(void)
{
#ifdef RS_X86_VECTORS
    if (rs_cpu_used & RS_CPU_VNNI) return sums_vnni;
    if (rs_cpu_used & RS_CPU_AVX2) return sums_avx2;
#endif
    return sums_scalar;
}

static int blocks_of(int32_t outputs) { return rs_latent_blocks(outputs); }

static int valid_shape(int32_t outputs, int32_t inputs, int32_t taps)
{
    return outputs >= 1 && outputs <= RS_LATENT_CHANNELS && inputs >= 2 && inputs <= RS_LATENT_CHANNELS
           && inputs % 2 == 0 && (taps == 1 || taps == 4 || taps == 9 || taps == 12);
}

int64_t rs_latent_packed(int32_t outputs, int32_t inputs, int32_t taps)
{
    return valid_shape(outputs, inputs, taps) ? (int64_t)blocks_of(outputs) * LANES * inputs * taps : RS_ERR_ARGUMENT;
}

int64_t rs_latent_pack(const int8_t *weights, int32_t outputs, int32_t inputs, int32_t taps, int16_t *packed)
{
    if (!valid_shape(outputs, inputs, taps)) return RS_ERR_ARGUMENT;
    for (int block = 0; block < blocks_of(outputs); block++)
        for (int t = 0; t < taps; t++)
            for (int i = 0; i < inputs; i++)
                for (int lane = 0; lane < LANES; lane++) {
                    int o = block * LANES + lane;
                    int64_t group = ((int64_t)block * taps + t) * (inputs / 2) + i / 2;
                    packed[(group * LANES + lane) * 2 + i % 2] =
                        o < outputs ? weights[((int64_t)o * inputs + i) * taps + t] : 0;
                }
    return 0;
}

void rs_latent_tap_offsets(int32_t count, int64_t row, int64_t pixel, int64_t *taps)
{
    int64_t cross[4] = {-row, -pixel, pixel, row};
    if (count == 4) memcpy(taps, cross, sizeof cross);
    if (count == 1) taps[0] = 0;
    if (count == 9)
        for (int t = 0; t < 9; t++) taps[t] = (t / 3 - 1) * row + (t % 3 - 1) * pixel;
    if (count == 12)
        for (int t = 0; t < 12; t++) taps[t] = (t / 5 - 2) * row + (t % 5 - 2) * pixel;
}

static int valid_window(const rs_latent_window *in, int32_t outputs)
{
    return valid_shape(outputs, in->inputs, in->taps) && in->rows >= 0 && in->rows <= MAX_SIDE && in->columns >= 0
           && in->columns <= MAX_SIDE && (in->step == 1 || in->step == 2) && (in->phase == 0 || in->phase == 1);
}

/* Where the activations of an output lie: number n in raster order over rows x columns. */
static const int16_t *place(const rs_latent_window *in, const int16_t *values, int64_t n)
{
    int64_t y = n / in->columns, x = n % in->columns;
    if (in->step == 2) x = 2 * x + ((in->phase + y) & 1);
    return values + y * in->row + x * in->pixel;
}

/* The next up to POSITIONS outputs from n on; beyond the end, the last one again. Returns how many there are. */
static int gather(const rs_latent_window *in, const int16_t *values, int64_t n, int64_t count, const int16_t **at)
{
    int here = count - n < POSITIONS ? (int)(count - n) : POSITIONS;
    for (int p = 0; p < POSITIONS; p++) at[p] = place(in, values, n + (p < here ? p : here - 1));
    return here;
}

int64_t rs_latent_sums(const rs_latent_window *in, const int16_t *values, const int16_t *packed, const int32_t *biases,
                       int32_t outputs, int32_t *sums)
{
    int64_t taps[MAX_TAPS], count = (int64_t)in->rows * in->columns;
    int32_t tile[POSITIONS * LANES];
    const int16_t *at[POSITIONS];
    if (!valid_window(in, outputs)) return RS_ERR_ARGUMENT;
    rs_latent_tap_offsets(in->taps, in->row, in->pixel, taps);
    rs_latent_sums_function *add_up = rs_latent_sums_chosen();
    for (int block = 0; block < blocks_of(outputs); block++, packed += (int64_t)LANES * in->inputs * in->taps) {
        int first = block * LANES, lanes = outputs - first < LANES ? outputs - first : LANES;
        for (int64_t n = 0; n < count; n += POSITIONS) {
            int here = gather(in, values, n, count, at);
            add_up(at, taps, in->taps, in->inputs / 2, packed, tile);
            for (int p = 0; p < here; p++)
                for (int o = 0; o < lanes; o++)
                    sums[(n + p) * outputs + first + o] = tile[p * LANES + o] + biases[first + o];
        }
    }
    return 0;
}

int64_t rs_latent_layer(const rs_latent_window *in, const int16_t *values, const int16_t *packed,
                        const int32_t *biases, const uint8_t *shifts, const int32_t *factors, int32_t leaky,
                        int32_t outputs, const int16_t *add, int64_t row, int64_t pixel, int16_t *out)
{
    int64_t taps[MAX_TAPS], count = (int64_t)in->rows * in->columns;
    int32_t tile[POSITIONS * LANES];
    const int16_t *at[POSITIONS];
    if (!valid_window(in, outputs)) return RS_ERR_ARGUMENT;
    for (int o = 0; o < outputs; o++)
        if (shifts[o] > RS_LATENT_SHIFT || factors[o] < -RS_LATENT_FACTOR || factors[o] > RS_LATENT_FACTOR)
            return RS_ERR_ARGUMENT;
    rs_latent_tap_offsets(in->taps, in->row, in->pixel, taps);
    rs_latent_sums_function *add_up = rs_latent_sums_chosen();
    for (int block = 0; block < blocks_of(outputs); block++, packed += (int64_t)LANES * in->inputs * in->taps) {
        int first = block * LANES, lanes = outputs - first < LANES ? outputs - first : LANES;
        for (int64_t n = 0; n < count; n += POSITIONS) {
            int here = gather(in, values, n, count, at);
            add_up(at, taps, in->taps, in->inputs / 2, packed, tile);
            for (int p = 0; p < here; p++) {
                int64_t to = (n + p) / in->columns * row + (n + p) % in->columns * pixel + first;
                for (int o = 0; o < lanes; o++)
                    out[to + o] = rs_latent_settle((int64_t)tile[p * LANES + o] + biases[first + o], shifts[first + o],
                                                   factors[first + o], leaky, add ? add[to + o] : 0);
            }
        }
    }
    return 0;
}
