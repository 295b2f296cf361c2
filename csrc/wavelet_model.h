/* The statistical model of the wavelet codec (internal): binary decisions, each predicted by three adaptive
 * probabilities under different contexts, mixed in the logistic domain.
 *
 * logistic.h has the mixing. */
#ifndef RS_WAVELET_MODEL_H
#define RS_WAVELET_MODEL_H

#include <math.h>

#include "logistic.h"
#include "rangecoder.h"

/* Decisions: KIND_CLASS + k, "magnitude >= 2^k", k capped; the bit under the leading one, for 2 and 3 and for more;
 * "magnitude > 0" while a segment said not to be empty has shown nothing yet. */
enum { KIND_CLASS = 0, KIND_CLASS_MAX = 7, KIND_BIT_OF_TWO = 8, KIND_BIT_OF_MORE = 9, KIND_PENDING = 10, KINDS = 11 };

enum {
    SETS = 32,     /* finest level and the others, 4 planes, 4 orientations */
    UNIT = 128,    /* scale of an expected magnitude */
    ENERGIES = 60, /* context 1: expected magnitude from everything, in half octaves */
    NEARS = 14,    /* context 2: expectation from this band, in octaves, ... */
    FARS = 14,     /* ... and from other bands, apart */
    PATTERNS = 243, /* context 3: five neighbours, each 0, 1 or more */
    SELECTORS = 14, /* weight sets, by coarse energy */
    SIGNS = 81,    /* signs of two neighbours and two guides */
    MANTISSA = 24, /* bits below those that are mixed, by place */
    SEGMENT = 16,  /* coefficients under one "any?" flag */
    MIX_RATE = 16,
    MODEL_LIMIT = 127
};

/* What is learnt of one kind of band. */
typedef struct {
    rc_adaptive energy[KINDS][ENERGIES], split[KINDS][NEARS * FARS], pattern[KINDS][PATTERNS];
    int32_t weight[KINDS][SELECTORS][3];
    rc_adaptive sign[SIGNS], mantissa[MANTISSA];
    rc_adaptive segment; /* any coefficient in a segment where none is expected */
    rc_adaptive empty;   /* no coefficient in the whole band */
} wavelet_set;

typedef struct {
    union {
        rc_encoder encoder;
        rc_decoder decoder;
    } rc;
    size_t width;
    const int32_t *told; /* coefficients whose bits go ... */
    float *bits;         /* here; NULL: nowhere */
    uint64_t spent;      /* since the last time, in 1/65536 bit */
    uint32_t started;    /* sets that a band has used: a bit each */
    uint16_t rate[MODEL_LIMIT + 1];
    int16_t stretch[LOGISTIC_STEPS];
    uint16_t squash[LOGISTIC_VALUES];
    uint16_t cost[4097]; /* 1/256 bit of a decision of probability i / 4096 */
    wavelet_set fresh;   /* which knows nothing yet */
    wavelet_set set[SETS];
    int32_t rows[]; /* row buffers: see wavelet_bands.c */
} wavelet_state;

/* A prediction in flight: the probabilities that made it, their logits, the weights, the result. */
typedef struct {
    rc_adaptive *input[3];
    int32_t logit[3];
    int32_t *weight;
    uint32_t p;
} prediction;

RS_INLINE int log2_floor(uint32_t v)
{
#if defined(__GNUC__)
    return 31 - __builtin_clz(v);
#else
    int log = 0;
    while (v >>= 1) log++;
    return log;
#endif
}

/* Half octaves of an energy: 0 for 0, 1 for 1, 3 for 2, 4 for 3, 5 for 4 ... */
RS_INLINE int half_octave(int32_t energy)
{
    if (energy <= 0) return 0;
    int log = log2_floor((uint32_t)energy);
    return 1 + 2 * log + (log ? (energy >> (log - 1)) & 1 : 0);
}

void wavelet_model_start(wavelet_state *s, size_t width);

/* The set of this number, which starts when it is first asked for: small pictures have few bands. */
wavelet_set *wavelet_model_set(wavelet_state *s, int number);

RS_INLINE uint32_t mix(const wavelet_state *s, prediction *m)
{
    int64_t dot = 0;
    for (int i = 0; i < 3; i++) {
        m->logit[i] = s->stretch[rc_adaptive_p16(*m->input[i]) >> 4];
        dot += (int64_t)m->weight[i] * m->logit[i];
    }
    int32_t logit = (int32_t)(dot >> 16);
    return m->p = s->squash[logistic_clamp(logit) + LOGIT_MAX];
}

RS_INLINE void learn(const wavelet_state *s, prediction *m, int bit)
{
    int32_t error = ((bit << 16) - (int32_t)m->p) * MIX_RATE >> 4;
    for (int i = 0; i < 3; i++) {
        m->weight[i] += (m->logit[i] * error + 0x8000) >> 16;
        rc_adaptive_update(m->input[i], bit, s->rate, MODEL_LIMIT);
    }
}

/* Cost in 1/256 bit of a decision under P(1) = p / 65536. */
RS_INLINE uint32_t cost_of(const wavelet_state *s, uint32_t p, int bit)
{
    return s->cost[(bit ? p : 65536 - p) >> 4];
}

/* Adds up what a decision cost, where somebody wants to know. */
RS_INLINE int tell(wavelet_state *s, uint32_t p, int bit)
{
    if (RS_UNLIKELY(s->bits != NULL)) s->spent += (uint64_t)(65536.0f * (16.0f - log2f((float)(bit ? p : 65536 - p))));
    return bit;
}

/* Lays what was spent since the last time on `count` coefficients from `at` on, evenly. */
RS_INLINE void lay(wavelet_state *s, const int32_t *at, size_t count)
{
    if (!RS_UNLIKELY(s->bits != NULL)) return;
    for (size_t i = 0; i < count; i++) s->bits[at + i - s->told] += (float)s->spent / (65536.0f * (float)count);
    s->spent = 0;
}

/* Codes one decision; `decoding` is a constant where this is inlined. */
RS_INLINE int code_mixed(wavelet_state *s, prediction *m, int bit, const int decoding)
{
    mix(s, m);
    if (decoding)
        bit = tell(s, m->p, rc_decode(&s->rc.decoder, m->p));
    else
        rc_encode(&s->rc.encoder, m->p, bit);
    learn(s, m, bit);
    return bit;
}

RS_INLINE int code_plain(wavelet_state *s, rc_adaptive *model, int bit, const int decoding)
{
    if (decoding)
        bit = tell(s, rc_adaptive_p16(*model), rc_decode(&s->rc.decoder, rc_adaptive_p16(*model)));
    else
        rc_encode(&s->rc.encoder, rc_adaptive_p16(*model), bit);
    rc_adaptive_update(model, bit, s->rate, MODEL_LIMIT);
    return bit;
}

#endif
