/* The statistical model of the wavelet codec (internal): binary decisions, each predicted by three adaptive
 * probabilities under different contexts, mixed in the logistic domain.
 *
 * Mixing: with st(p) = ln(p / (1 - p)), the mixed probability is squash(sum w_i st(p_i)); after the decision
 * each weight moves by rate * error * st(p_i), the gradient of the coding cost (Mahoney, "Adaptive weighing
 * of context models for lossless data compression", 2005; lpaq). Everything is in integers, tables included,
 * so that encoder and decoder agree on every machine. */
#ifndef RS_WAVELET_MODEL_H
#define RS_WAVELET_MODEL_H

#include "rangecoder.h"

enum {
    SETS = 16,       /* 4 planes x 4 orientations */
    KINDS = 10,      /* decisions: see wavelet_bands.c */
    ENERGIES = 56,   /* context A: expected magnitude from everything */
    NEARS = 14,      /* context B: expectation from this band ... */
    FARS = 14,       /* ... and from other bands, apart */
    PATTERNS = 243,  /* context C: five neighbours, each 0, 1 or more */
    SELECTORS = 14,  /* weight sets, by coarse energy */
    SIGNS = 81,
    BELOW = 24,      /* mantissa bits */
    LOGIT_ONE = 256, /* scale of st() */
    LOGIT_MAX = 2815
};

typedef struct {
    union {
        rc_encoder encoder;
        rc_decoder decoder;
    } rc;
    size_t width;
    uint16_t rate[1024];
    int16_t stretch[4096];
    uint16_t squash[2 * LOGIT_MAX + 2];
    uint16_t cost[4097]; /* 1/256 bit of a decision of probability i / 4096 */
    rc_adaptive energy[SETS * KINDS * ENERGIES];
    rc_adaptive split[SETS * KINDS * NEARS * FARS];
    rc_adaptive pattern[SETS * KINDS * PATTERNS];
    int32_t weight[SETS * KINDS * SELECTORS][3];
    rc_adaptive sign[SETS * SIGNS];
    rc_adaptive mantissa[SETS * BELOW];
    rc_adaptive empty[SETS];
    int32_t rows[]; /* row buffers: see wavelet_bands.c */
} wavelet_state;

/* A prediction in flight: the probabilities that made it, their logits, the weights, the result. */
typedef struct {
    rc_adaptive *input[3];
    int32_t logit[3];
    int32_t *weight;
    uint32_t p;
} prediction;

void wavelet_model_start(wavelet_state *s, size_t width);

RS_INLINE uint32_t mix(const wavelet_state *s, prediction *m)
{
    int64_t dot = 0;
    for (int i = 0; i < 3; i++) {
        m->logit[i] = s->stretch[rc_adaptive_p16(*m->input[i]) >> 4];
        dot += (int64_t)m->weight[i] * m->logit[i];
    }
    int32_t logit = (int32_t)(dot >> 16);
    logit = logit > LOGIT_MAX ? LOGIT_MAX : (logit < -LOGIT_MAX ? -LOGIT_MAX : logit);
    return m->p = s->squash[logit + LOGIT_MAX];
}

#ifndef MIX_RATE
#define MIX_RATE 6
#define MODEL_LIMIT 255
#endif

RS_INLINE void learn(const wavelet_state *s, prediction *m, int bit)
{
    int32_t error = ((bit << 16) - (int32_t)m->p) * MIX_RATE >> 4;
    for (int i = 0; i < 3; i++) {
        m->weight[i] += (m->logit[i] * error + 0x8000) >> 16;
        rc_adaptive_update(m->input[i], bit, s->rate, MODEL_LIMIT);
    }
}

/* Codes one decision; `decoding` is a constant where this is inlined. */
RS_INLINE int code_mixed(wavelet_state *s, prediction *m, int bit, const int decoding)
{
    mix(s, m);
    if (decoding)
        bit = rc_decode(&s->rc.decoder, m->p);
    else
        rc_encode(&s->rc.encoder, m->p, bit);
    learn(s, m, bit);
    return bit;
}

RS_INLINE int code_plain(wavelet_state *s, rc_adaptive *model, int bit, const int decoding)
{
    if (decoding)
        bit = rc_decode(&s->rc.decoder, rc_adaptive_p16(*model));
    else
        rc_encode(&s->rc.encoder, rc_adaptive_p16(*model), bit);
    rc_adaptive_update(model, bit, s->rate, MODEL_LIMIT);
    return bit;
}

/* Cost in 1/256 bit of a decision under P(1) = p / 65536. */
RS_INLINE uint32_t cost_of(const wavelet_state *s, uint32_t p, int bit)
{
    return s->cost[(bit ? p : 65536 - p) >> 4];
}

#endif
