/* Models of the wavelet codec's fast coefficient coder: where they start and how they learn. */
#include "wavelet_nibble.h"

/* Entries up to the symbol's move down towards 0, 1, 2 ..., those above up towards 2^15 - 15 + ...: never together. */
#define ROW(s)                                                                                                         \
    {T(s, 0), T(s, 1), T(s, 2),  T(s, 3),  T(s, 4),  T(s, 5),  T(s, 6),  T(s, 7),                                       \
     T(s, 8), T(s, 9), T(s, 10), T(s, 11), T(s, 12), T(s, 13), T(s, 14), T(s, 15)}
#define T(s, i) ((i) <= (s) ? (i) : NB_WHOLE - NB_SYMBOLS + (i))
const int16_t nibble_target[NB_SYMBOLS][NB_SYMBOLS] = {ROW(0), ROW(1), ROW(2), ROW(3), ROW(4), ROW(5), ROW(6), ROW(7), ROW(8),
                                                       ROW(9), ROW(10), ROW(11), ROW(12), ROW(13), ROW(14), ROW(15)};
#undef T
#undef ROW

/* How far a model moves at its n-th symbol: by 2^-rate; quick to learn, steady later. In the second half: of models of
 * large magnitudes, which have more to tell apart. */
#define R8(r) r, r, r, r, r, r, r, r
const uint8_t nibble_rate[2 * NB_COUNTS] = {
    3, 3, R8(4), R8(4), R8(4), 5,     5, 5, 5, 5, 5, R8(5), R8(5), R8(5), R8(5), /**/
    4, 4, R8(4), R8(5), R8(5), 6,     6, 6, 6, 6, 6, R8(6), R8(6), R8(6), R8(6)};
#undef R8

#include "wavelet_nibble_prior.h"

void nibble_learn(nibble_state *s, uint32_t a, uint32_t b, uint32_t symbol)
{
    uint32_t rows[2] = {a, b};
    for (int k = 0; k < 2; k++) {
        int16_t *cdf = s->cdf[rows[k]];
        int rate = nibble_rate[s->count[rows[k]]];
        for (int i = 0; i < NB_SYMBOLS; i++) cdf[i] = (int16_t)(cdf[i] + ((nibble_target[symbol][i] - cdf[i]) >> rate));
        s->count[rows[k]] = nibble_counted(s->count[rows[k]]);
    }
}

/* Cumulative probabilities from weights that sum to no more than NB_WHOLE - NB_SYMBOLS, the first taking the rest. */
static void start_row(int16_t *cdf, const uint16_t *weight)
{
    int32_t at = NB_WHOLE;
    for (int i = NB_SYMBOLS - 1; i > 0; i--) {
        at -= weight[i] + 1;
        cdf[i] = (int16_t)at;
    }
    cdf[0] = 0;
}

static void start_level(nibble_state *s, uint32_t row, uint32_t level)
{
    start_row(s->cdf[row], NB_PRIOR[level]);
    s->count[row] = level < NB_LARGE ? 0 : NB_COUNTS;
}

static void start_flag(int16_t *cdf, uint32_t chance)
{
    uint16_t weight[NB_SYMBOLS] = {0};
    weight[1] = (uint16_t)chance;
    start_row(cdf, weight);
}

/* The level of the sum of two expectations given in octaves. */
static uint32_t level_of(uint32_t near, uint32_t far)
{
    uint32_t level = nibble_level((near ? 3u << near >> 1 : 1) + (far ? 3u << far >> 1 : 1) - 1);
    return level < NB_LEVELS ? level : NB_LEVELS - 1;
}

static void start_set(nibble_state *s, uint32_t first)
{
    for (uint32_t level = 0; level < NB_LEVELS; level++) start_level(s, first + level, level);
    for (uint32_t parity = 0; parity < 2; parity++) {
        uint32_t row = first + NB_LEVELS + parity * NB_SPLITS;
        for (uint32_t near = 0; near < NB_NEARS; near++)
            for (uint32_t far = 0; far < NB_FARS; far++) {
                uint32_t level = level_of(near, far);
                start_level(s, row + near * NB_FARS + far, level < NB_WIDE ? level : NB_WIDE - 1);
            }
        for (uint32_t level = NB_WIDE; level < NB_LEVELS; level++)
            start_level(s, row + NB_NEARS * NB_FARS + level - NB_WIDE, level);
    }
}

/* -log2(i / 4096) in 1/256, from squarings. */
static void make_cost(uint16_t *cost)
{
    cost[0] = 13 * 256;
    for (uint32_t i = 1; i <= NB_WHOLE / 8; i++) {
        uint32_t log = 0, x = i, fraction = 0;
        for (; x < NB_WHOLE / 8; x <<= 1) log++;
        uint64_t mantissa = (uint64_t)x << 19; /* 1 <= mantissa / 2^31 < 2 */
        for (int bit = 0; bit < 8; bit++) {
            mantissa = (mantissa * mantissa) >> 31;
            fraction = fraction << 1 | (uint32_t)(mantissa >> 32);
            mantissa >>= mantissa >> 32;
        }
        cost[i] = (uint16_t)(log * 256 - fraction);
    }
}

void nibble_start_models(nibble_state *s)
{
    for (uint32_t set = 0; set < NB_SETS; set++) {
        if (set == 0) {
            start_set(s, 0);
        } else {
            memcpy(s->cdf[set * NB_SET], s->cdf[0], NB_SET * sizeof *s->cdf);
            memcpy(s->count + set * NB_SET, s->count, NB_SET);
        }
    }
    for (uint32_t plane = 0; plane < 4; plane++)
        for (uint32_t view = 0; view < 2; view++)
            for (uint32_t level = 0; level < NB_LEVELS; level++)
                start_level(s, NB_LOW + (plane * 2 + view) * NB_LEVELS + level, level);
    for (uint32_t kind = 0; kind < 8; kind++) {
        uint32_t first = NB_FLAG + kind * NB_FLAGS;
        for (uint32_t i = 0; i < NB_FLAG_NEAR; i++) start_flag(s->cdf[first + i], 128u * NB_NEAR_PRIOR[i]);
        for (uint32_t i = 0; i < NB_FLAG_FAR; i++)
            start_flag(s->cdf[first + NB_FLAG_NEAR + i], 128u * NB_FAR_PRIOR[i]);
    }
    for (uint32_t i = NB_EMPTY; i < NB_ROWS; i++) start_flag(s->cdf[i], NB_WHOLE / 16);
    make_cost(s->cost);
}
