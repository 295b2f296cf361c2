/* Probabilities in the logistic domain (internal): st(p) = ln(p / (1 - p)) in 1/256, and back.
 *
 * Mixing: the mixed probability is squash(sum w_i st(p_i)); after the decision each weight moves by rate * error *
 * st(p_i), the gradient of the coding cost (Mahoney, "Adaptive weighing of context models for lossless data
 * compression", 2005; lpaq). Everything is in integers, tables included, so that encoder and decoder agree on every
 * machine. */
#ifndef RS_LOGISTIC_H
#define RS_LOGISTIC_H

#include <stdint.h>

enum {
    LOGIT_ONE = 256, /* scale of st() */
    LOGIT_MAX = 2815,
    LOGISTIC_STEPS = 4096, /* st() is known for every sixteenth of 65536 */
    LOGISTIC_VALUES = 2 * LOGIT_MAX + 2
};

/* squash[LOGIT_MAX + x] for -LOGIT_MAX ... LOGIT_MAX, in 1/65536; stretch[p / 16]. */
void logistic_tables(uint16_t *squash, int16_t *stretch);

/* cost[i]: -log2(i / 4096) in 1/256 for 0 < i <= 4096; 13 bits for 0. */
void logistic_costs(uint16_t *cost);

static inline int32_t logistic_clamp(int64_t logit)
{
    return logit > LOGIT_MAX ? LOGIT_MAX : (logit < -LOGIT_MAX ? -LOGIT_MAX : (int32_t)logit);
}

#endif
