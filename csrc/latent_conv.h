/* What the integer convolutions of latent_conv.c and latent_raster.c share; the arithmetic is described in the former. */
#ifndef RATESCOPE_LATENT_CONV_H
#define RATESCOPE_LATENT_CONV_H

#include "ratescope.h"

enum {
    RS_LATENT_LANES = 16,
    RS_LATENT_POSITIONS = 12,
    RS_LATENT_TAPS = 12,
    RS_LATENT_CHANNELS = 1 << 13,
    RS_LATENT_FACTOR_BITS = 8,
    RS_LATENT_LEAK_BITS = 3,
    RS_LATENT_ACTIVATION_MAX = 2047
};

/* sums[p * LANES + o]: over taps and inputs, products of the activations at at[p], p < POSITIONS, and a block's weights. */
typedef void rs_latent_sums_function(const int16_t *const *at, const int64_t *taps, int count, int pairs,
                                     const int16_t *packed, int32_t *sums);

rs_latent_sums_function *rs_latent_sums_chosen(void);

/* Offsets of a kernel's taps in the input: the position itself; above, left, right, below; all of 3x3; or the twelve of
 * 5x5 that come before the middle. */
void rs_latent_tap_offsets(int32_t count, int64_t row, int64_t pixel, int64_t *taps);

static inline int rs_latent_blocks(int32_t outputs) { return (outputs + RS_LATENT_LANES - 1) / RS_LATENT_LANES; }

/* v / 2^shift, halves up: floor(v / 2^shift + 1/2), which a shift of a negative number need not be in C. */
static inline int64_t rs_latent_divide(int64_t v, int shift)
{
    if (!shift) return v;
    v += (int64_t)1 << (shift - 1);
    return v >= 0 ? v >> shift : ~(~v >> shift);
}

static inline int16_t rs_latent_settle(int64_t sum, int shift, int64_t factor, int leaky, int32_t add)
{
    if (leaky && sum < 0) shift += RS_LATENT_LEAK_BITS;
    int64_t value = rs_latent_divide(sum * factor, shift + RS_LATENT_FACTOR_BITS) + add;
    int64_t most = RS_LATENT_ACTIVATION_MAX;
    return (int16_t)(value > most ? most : value < -most - 1 ? -most - 1 : value);
}

#endif
