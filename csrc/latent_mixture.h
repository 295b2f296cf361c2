/* Densities that are mixtures of logistic ones, as cumulative frequencies that are computed for every symbol.
 *
 * Symbols run from -reach to reach, where the reach is that of the widest density from the farthest; the escape is behind
 * them. Every symbol has one slot of the 2^16, and its share of the others. Logistic functions come from a table in
 * steps of 1/64 up to 24, in 2^-30, between which is interpolated: all in integers. */
#ifndef RATESCOPE_LATENT_MIXTURE_H
#define RATESCOPE_LATENT_MIXTURE_H

#include "ratescope.h"

enum {
    MIXTURE_STEPS = 16,       /* shifts are in 1/16 of a quantisation step */
    MIXTURE_PART_BITS = 8,    /* between two entries of the logistic table */
    MIXTURE_INVERSE_BITS = 12, /* of inverse scales */
    MIXTURE_VALUE_BITS = 30,
    MIXTURE_WEIGHT_BITS = 15,
    MIXTURE_MOST_REACH = 1023,
    MIXTURE_SLOTS = 1 << 16
};

/* What a symbol's densities are. */
typedef struct {
    const uint8_t *rows;
    const int16_t *shifts;
    const uint16_t *weights;
    int32_t reach;
    uint64_t below; /* of the distribution, what is below the first symbol */
} mixture_of;

/* 2^30 times the logistic function at `distance` 1/16 steps from the middle of a density. */
static inline uint64_t mixture_logistic(const rs_latent_mixing *m, int32_t row, int64_t distance)
{
    int64_t size = distance < 0 ? -distance : distance;
    int64_t t = (size * m->inverse[row] + (1 << (MIXTURE_INVERSE_BITS - 1))) >> MIXTURE_INVERSE_BITS;
    int64_t i = t >> MIXTURE_PART_BITS, part = t & ((1 << MIXTURE_PART_BITS) - 1);
    int64_t value = m->logistic[m->logistic_count - 1];
    if (i < m->logistic_count - 1)
        value = m->logistic[i] + ((((int64_t)m->logistic[i + 1] - m->logistic[i]) * part) >> MIXTURE_PART_BITS);
    return (uint64_t)(distance < 0 ? (1ll << MIXTURE_VALUE_BITS) - value : value);
}

/* 2^30 times the distribution at the lower edge of symbol x. */
static inline uint64_t mixture_below(const rs_latent_mixing *m, const mixture_of *d, int64_t x)
{
    uint64_t sum = 0;
    int64_t edge = MIXTURE_STEPS * x - MIXTURE_STEPS / 2;
    for (int32_t k = 0; k < m->mixtures; k++)
        sum += d->weights[k] * mixture_logistic(m, d->rows[k], edge - (k ? d->shifts[k - 1] : 0));
    return sum >> MIXTURE_WEIGHT_BITS;
}

/* The first slot of number s, which stands for symbol s - reach; of s = 2 * reach + 1, the escape's. */
static inline uint32_t mixture_start(const rs_latent_mixing *m, const mixture_of *d, int64_t s)
{
    uint64_t share = mixture_below(m, d, s - d->reach) - d->below;
    return (uint32_t)(s + (int64_t)((share * (uint64_t)(MIXTURE_SLOTS - (2 * d->reach + 2))) >> MIXTURE_VALUE_BITS));
}

/* The densities of symbol i; 0 if they are not valid. */
static inline int mixture_at(const rs_latent_mixing *m, size_t i, mixture_of *d)
{
    uint32_t whole = 0;
    d->rows = m->rows + i * m->mixtures;
    d->shifts = m->shifts + i * (m->mixtures - 1);
    d->weights = m->weights + i * m->mixtures;
    d->reach = 0;
    for (int32_t k = 0; k < m->mixtures; k++) {
        if (d->rows[k] >= m->row_count) return 0;
        int32_t away = k ? d->shifts[k - 1] : 0, reach = m->reach[d->rows[k]];
        reach += ((away < 0 ? -away : away) + MIXTURE_STEPS - 1) / MIXTURE_STEPS;
        if (reach > d->reach && (d->weights[k] || !k)) d->reach = reach;
        whole += d->weights[k];
    }
    if (d->reach > MIXTURE_MOST_REACH) d->reach = MIXTURE_MOST_REACH;
    if (whole != 1u << MIXTURE_WEIGHT_BITS) return 0;
    d->below = mixture_below(m, d, -(int64_t)d->reach);
    return 1;
}

/* The number of a value: that of the escape if it is beyond the reach. */
static inline int64_t mixture_number(const mixture_of *d, int32_t value)
{
    return value < -d->reach || value > d->reach ? 2 * (int64_t)d->reach + 1 : (int64_t)value + d->reach;
}

static inline int mixture_is_escape(const mixture_of *d, int64_t s) { return s == 2 * (int64_t)d->reach + 1; }

/* Where the slots of number s end. */
static inline uint32_t mixture_stop(const rs_latent_mixing *m, const mixture_of *d, int64_t s)
{
    return mixture_is_escape(d, s) ? MIXTURE_SLOTS : mixture_start(m, d, s + 1);
}

/* Tables are what they should be: everything that an index can reach is there and rises. */
int rs_latent_valid_mixing(const rs_latent_mixing *m);

#endif
