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

static void copy_rows(nibble_state *s, uint32_t to, uint32_t from, uint32_t rows)
{
    memcpy(s->cdf[to], s->cdf[from], rows * sizeof *s->cdf);
    memcpy(s->count + to, s->count + from, rows);
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
                copy_rows(s, row + near * NB_FARS + far, first + (level < NB_WIDE ? level : NB_WIDE - 1), 1);
            }
        copy_rows(s, row + NB_NEARS * NB_FARS, first + NB_WIDE, NB_LEVELS - NB_WIDE);
    }
}

void nibble_start_models(nibble_state *s)
{
    memset(s->count + NB_EMPTY, 0, NB_ROWS - NB_EMPTY);
    start_set(s, NB_FRESH);
    for (uint32_t i = 0; i < NB_FLAG_NEAR; i++) start_flag(s->cdf[NB_FRESH_FLAGS + i], 128u * NB_NEAR_PRIOR[i]);
    for (uint32_t i = 0; i < NB_FLAG_FAR; i++)
        start_flag(s->cdf[NB_FRESH_FLAGS + NB_FLAG_NEAR + i], 128u * NB_FAR_PRIOR[i]);
    for (uint32_t i = NB_EMPTY; i < NB_FRESH; i++) start_flag(s->cdf[i], NB_WHOLE / 16);
    logistic_costs(s->cost);
}

/* Whether the thing of this number is used for the first time. */
static int is_first(nibble_state *s, uint32_t number)
{
    uint64_t before = s->started;
    s->started |= 1ull << number;
    return before != s->started;
}

void nibble_start_band(nibble_state *s, int plane, int orientation, int set)
{
    enum { FLAGS = NB_SETS, LOW = FLAGS + 4 * 2 };
    uint32_t low = NB_LOW + (uint32_t)plane * 2 * NB_LEVELS, flags = nibble_flags(plane, set);
    if (orientation == 0) {
        if (!is_first(s, LOW + (uint32_t)plane)) return;
        copy_rows(s, low, NB_FRESH, NB_LEVELS);
        copy_rows(s, low + NB_LEVELS, NB_FRESH, NB_LEVELS);
        return;
    }
    if (is_first(s, (uint32_t)set)) copy_rows(s, (uint32_t)set * NB_SET, NB_FRESH, NB_SET);
    if (is_first(s, FLAGS + (flags - NB_FLAG) / NB_FLAGS)) copy_rows(s, flags, NB_FRESH_FLAGS, NB_FLAGS);
}
