/* The statistical model of `dct-rans` (internal): binary decisions, each predicted by up to seven adaptive
 * probabilities under different contexts, mixed in the logistic domain (logistic.h) by two sets of weights, whose
 * results are averaged. dctr_blocks.c says which contexts; all of them lie in one array. */
#ifndef RS_DCTR_MODEL_H
#define RS_DCTR_MODEL_H

#include "jpeg.h"
#include "logistic.h"
#include "rans_binary.h"

/* Decisions about a magnitude: "at least 2^k" for k = 0...7 (higher ones share the last), then the bit under the
 * leading one, for 2 and 3 and for more. Lower bits have even chances. */
enum { KIND_LAST_CLASS = 7, KIND_BIT_OF_TWO = 8, KIND_BIT_OF_MORE = 9, KINDS = 10 };

/* Contexts: a run of numbers for each use, as large as its factors say. Magnitudes take KINDS models each. */
enum {
    TABLE_VALUE = 0,                                  /* table */
    TABLE_SIGN = TABLE_VALUE + 2 * KINDS,             /* table */
    COUNT_0 = TABLE_SIGN + 2,                         /* plane kind, node, mean of the neighbours' counts */
    COUNT_1 = COUNT_0 + 2 * 64 * 24,                  /* ..., left, above */
    COUNT_2 = COUNT_1 + 2 * 64 * 12 * 12,             /* component, node, count in another component, mean */
    COUNT_3 = COUNT_2 + 3 * 64 * 12 * 12,             /* plane kind, node, above right, left + above */
    INNER_0 = COUNT_3 + 2 * 64 * 8 * 8,               /* plane kind, position, neighbours at this position */
    INNER_1 = INNER_0 + 2 * 64 * 24 * KINDS,          /* ..., how many are left */
    INNER_2 = INNER_1 + 2 * 64 * 12 * 2 * KINDS,      /* plane kind, this block, neighbours, how many are left */
    INNER_3 = INNER_2 + 2 * 12 * 14 * 12 * KINDS,     /* ..., position, left, above, the two before */
    INNER_4 = INNER_3 + 2 * 64 * 5 * 5 * 3 * KINDS,   /* component, position, another component, neighbours */
    INNER_5 = INNER_4 + 3 * 64 * 8 * 8 * KINDS,       /* plane kind, position, this block, how many are left */
    INNER_6 = INNER_5 + 2 * 64 * 12 * 4 * KINDS,      /* ..., neighbours with the one above right, places left */
    INNER_SIGN_0 = INNER_6 + 2 * 13 * 50 * 12 * KINDS, /* plane kind, position, signs of left and above */
    INNER_SIGN_1 = INNER_SIGN_0 + 2 * 64 * 9,         /* position, sign in the first chroma component */
    EDGE_COUNT_0 = INNER_SIGN_1 + 65 * 9,             /* edge, node, counts above and left */
    EDGE_COUNT_1 = EDGE_COUNT_0 + 4 * 8 * 8 * 8,      /* edge, node, inner count, count of the other edge */
    EDGE_COUNT_2 = EDGE_COUNT_1 + 4 * 8 * 16 * 8,     /* component's edge, node, luma, above + left */
    EDGE_COUNT_3 = EDGE_COUNT_2 + 6 * 8 * 8 * 8,      /* edge, node, count in another component, inner count */
    EDGE_0 = EDGE_COUNT_3 + 4 * 8 * 8 * 8,            /* place, size of the prediction, how many are left */
    EDGE_1 = EDGE_0 + 32 * 20 * 8 * KINDS,            /* place, neighbours */
    EDGE_2 = EDGE_1 + 32 * 24 * KINDS,                /* place, those before, those inside, how many are left */
    EDGE_3 = EDGE_2 + 32 * 8 * 8 * 8 * KINDS,         /* place, left, above, prediction */
    EDGE_4 = EDGE_3 + 32 * 5 * 5 * 8 * KINDS,         /* component's place, another component, prediction */
    EDGE_5 = EDGE_4 + 48 * 8 * 20 * KINDS,            /* place, inner count, how many are left */
    EDGE_6 = EDGE_5 + 32 * 16 * 8 * KINDS,            /* place, prediction, this block */
    EDGE_SIGN_0 = EDGE_6 + 32 * 20 * 8 * KINDS,       /* place, prediction */
    EDGE_SIGN_1 = EDGE_SIGN_0 + 32 * 20 * 2,          /* place, signs of left and above, prediction */
    EDGE_SIGN_2 = EDGE_SIGN_1 + 32 * 9 * 3,           /* place, sign in the first chroma component, prediction */
    EDGE_SIGN_3 = EDGE_SIGN_2 + 32 * 3 * 3,           /* prediction, magnitude */
    DC_0 = EDGE_SIGN_3 + 20 * 2 * 8,                  /* plane kind, disagreement of the predictions */
    DC_1 = DC_0 + 2 * 20 * KINDS,                     /* ..., nonzero coefficients of the block */
    DC_2 = DC_1 + 2 * 20 * 16 * KINDS,                /* plane kind, how much the DC changed before */
    DC_3 = DC_2 + 2 * 24 * KINDS,                     /* ..., disagreement */
    DC_4 = DC_3 + 2 * 24 * 20 * KINDS,                /* plane kind, coefficients, what another component did */
    DC_SIGN_0 = DC_4 + 2 * 16 * 16 * KINDS,           /* where the prediction lies between two levels */
    DC_SIGN_1 = DC_SIGN_0 + 8,                        /* ..., which prediction is larger */
    MODELS = DC_SIGN_1 + 3 * 8
};

/* Sets of weights: two runs for each use. */
enum {
    W_TABLE = 0,
    W_COUNT = W_TABLE + KINDS,               /* plane kind, node */
    W_COUNT_MEAN = W_COUNT + 2 * 64,         /* plane kind, mean */
    W_INNER = W_COUNT_MEAN + 2 * 16,         /* plane kind, position */
    W_INNER_LEFT = W_INNER + 2 * 64 * KINDS, /* plane kind, how many are left, this block */
    W_INNER_SIGN = W_INNER_LEFT + 2 * 12 * 4 * KINDS,
    W_EDGE_COUNT = W_INNER_SIGN + 1,              /* edge, node */
    W_EDGE_COUNT_INNER = W_EDGE_COUNT + 4 * 8,    /* inner count */
    W_EDGE = W_EDGE_COUNT_INNER + 16,             /* place */
    W_EDGE_PREDICTION = W_EDGE + 32 * KINDS,      /* edge, prediction */
    W_EDGE_SIGN = W_EDGE_PREDICTION + 4 * 20 * KINDS, /* place */
    W_EDGE_SIGN_SIZE = W_EDGE_SIGN + 32,              /* prediction */
    W_DC = W_EDGE_SIGN_SIZE + 20,                     /* plane kind */
    W_DC_GAP = W_DC + 2 * KINDS,                      /* disagreement */
    W_DC_SIGN = W_DC_GAP + 20 * KINDS,
    WEIGHT_SETS = W_DC_SIGN + 1
};

enum { DCTR_INPUTS = 7, DCTR_LIMIT = 255, DCTR_RATE = 5, DCTR_WEIGHT_MAX = 1 << 20, DCTR_WEIGHT_SUM = 85000 };

/* Where the probabilities of a decision are, and the two sets that weigh them; a kind is added to each. */
typedef struct {
    int inputs;
    uint32_t at[DCTR_INPUTS], weights[2];
} dctr_contexts;

typedef struct {
    union {
        rb_writer writer;
        rb_reader reader;
    } rans;
    uint16_t rate[DCTR_LIMIT + 1], squash[LOGISTIC_VALUES];
    int16_t stretch[LOGISTIC_STEPS];
    rc_adaptive model[MODELS];
    int32_t weight[WEIGHT_SETS][DCTR_INPUTS];
    uint8_t nonzero[]; /* a block: how many coefficients are not 0, without the DC */
} dctr_state;

/* Contexts start with the stream where all components share them; those of luma and of chroma when it begins: that is
 * most of the start, and grey pictures have no chroma. */
enum { DCTR_SHARED, DCTR_LUMA, DCTR_CHROMA };
void dctr_start(dctr_state *s, size_t blocks);
void dctr_start_contexts(dctr_state *s, int use);

RS_INLINE uint32_t dctr_probability(const dctr_state *s, int32_t logit)
{
    return s->squash[logit + LOGIT_MAX];
}

/* Codes one decision; `decoding` is a constant where this is inlined. The decision. */
RS_INLINE int dctr_code(dctr_state *s, const dctr_contexts *c, int kind, int bit, const int decoding)
{
    int32_t logit[DCTR_INPUTS], *weight[2], mixed[2];
    int64_t dot[2] = {0, 0};
    for (int j = 0; j < 2; j++) weight[j] = s->weight[c->weights[j] + (uint32_t)kind];
    for (int i = 0; i < c->inputs; i++) {
        logit[i] = s->stretch[rc_adaptive_p16(s->model[c->at[i] + (uint32_t)kind]) >> 4];
        dot[0] += (int64_t)weight[0][i] * logit[i];
        dot[1] += (int64_t)weight[1][i] * logit[i];
    }
    for (int j = 0; j < 2; j++) mixed[j] = logistic_clamp(dot[j] >> 16);
    uint32_t p = dctr_probability(s, (mixed[0] + mixed[1]) >> 1) & ~1u;
    p = p < RB_LEAST ? RB_LEAST : (p > 65536 - RB_LEAST ? 65536 - RB_LEAST : p);
    if (decoding) bit = rb_get(&s->rans.reader, p);
    else rb_put(&s->rans.writer, p, bit);
    for (int j = 0; j < 2; j++) {
        int32_t error = ((bit << 16) - (int32_t)dctr_probability(s, mixed[j])) * DCTR_RATE;
        for (int i = 0; i < c->inputs; i++) {
            int32_t moved = weight[j][i] + ((logit[i] * error + 0x8000) >> 16);
            moved = moved > DCTR_WEIGHT_MAX ? DCTR_WEIGHT_MAX : moved;
            weight[j][i] = moved < -DCTR_WEIGHT_MAX ? -DCTR_WEIGHT_MAX : moved;
        }
    }
    for (int i = 0; i < c->inputs; i++)
        rc_adaptive_update(&s->model[c->at[i] + (uint32_t)kind], bit, s->rate, DCTR_LIMIT);
    return bit;
}

/* Codes a decision of even chances. */
RS_INLINE int dctr_code_even(dctr_state *s, int bit, const int decoding)
{
    if (decoding) return rb_get(&s->rans.reader, 1u << 15);
    rb_put(&s->rans.writer, 1u << 15, bit);
    return bit;
}

/* A magnitude of `least` (0 or 1) to 2^classes - 1: the number of its bits, then those under the leading one.
 * Decoding, -1 if it has more. */
RS_INLINE int dctr_magnitude(dctr_state *s, const dctr_contexts *c, int m, int least, int classes, const int decoding)
{
    int bits = least, value = 1;
    for (;;) {
        int more = dctr_code(s, c, bits < KIND_LAST_CLASS ? bits : KIND_LAST_CLASS, m >> bits != 0, decoding);
        if (!more) break;
        if (++bits > classes) return -1;
    }
    if (bits < 2) return bits;
    for (int below = bits - 2; below >= 0; below--) {
        int bit = m >> below & 1;
        if (below < bits - 2) bit = dctr_code_even(s, bit, decoding);
        else bit = dctr_code(s, c, bits == 2 ? KIND_BIT_OF_TWO : KIND_BIT_OF_MORE, bit, decoding);
        value = value << 1 | bit;
    }
    return value;
}

#endif
