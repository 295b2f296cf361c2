/* Where the model of `dct-rans` starts. */
#include <string.h>

#include "dctr_model.h"

/* Repeats the first `size` bytes until `total` are filled, from a stretch that stays in the nearest cache. */
static void repeat(void *first, size_t size, size_t total)
{
    enum { STRETCH = 1 << 14 };
    size_t done = size;
    while (done < total) {
        size_t next = done < STRETCH ? done : STRETCH / size * size;
        next = next < total - done ? next : total - done;
        memcpy((char *)first + done, first, next);
        done += next;
    }
}

static void start_models(dctr_state *s, int from, int to)
{
    s->model[from] = rc_adaptive_start(1u << 15, 0);
    repeat(s->model + from, sizeof *s->model, (size_t)(to - from) * sizeof *s->model);
}

void dctr_start_contexts(dctr_state *s, int use)
{
    static const struct {
        int from, parts; /* of equal size: luma and chroma, or one for each component */
    } USES[] = {
        {TABLE_VALUE, 1}, {COUNT_0, 2}, {COUNT_1, 2}, {COUNT_2, 3}, {COUNT_3, 2},
        {INNER_0, 2}, {INNER_1, 2}, {INNER_2, 2}, {INNER_3, 2}, {INNER_4, 3},
        {INNER_5, 2}, {INNER_6, 2}, {INNER_SIGN_0, 2}, {INNER_SIGN_1, 1}, {EDGE_COUNT_0, 2},
        {EDGE_COUNT_1, 2}, {EDGE_COUNT_2, 3}, {EDGE_COUNT_3, 2}, {EDGE_0, 2}, {EDGE_1, 2},
        {EDGE_2, 2}, {EDGE_3, 2}, {EDGE_4, 3}, {EDGE_5, 2}, {EDGE_6, 2},
        {EDGE_SIGN_0, 2}, {EDGE_SIGN_1, 2}, {EDGE_SIGN_2, 2}, {EDGE_SIGN_3, 1}, {DC_0, 2},
        {DC_1, 2}, {DC_2, 2}, {DC_3, 2}, {DC_4, 2}, {DC_SIGN_0, 1},
        {MODELS, 0}};
    for (int i = 0; USES[i].parts > 0; i++) {
        int from = USES[i].from, to = USES[i + 1].from, luma = from + (to - from) / USES[i].parts;
        if (USES[i].parts == 1 && use == DCTR_SHARED) start_models(s, from, to);
        if (USES[i].parts > 1 && use == DCTR_LUMA) start_models(s, from, luma);
        if (USES[i].parts > 1 && use == DCTR_CHROMA) start_models(s, luma, to);
    }
}

/* At first all inputs of a decision count alike, and together somewhat more than their mean. */
static void start_weights(dctr_state *s)
{
    static const struct {
        int end, inputs;
    } RUNS[] = {{W_COUNT, 1}, {W_INNER, 4}, {W_INNER_SIGN, 7}, {W_EDGE_COUNT, 2},
                {W_EDGE, 4}, {W_EDGE_SIGN, 7}, {W_DC, 4}, {W_DC_SIGN, 5}, {WEIGHT_SETS, 2}};
    size_t from = 0, set = sizeof *s->weight;
    for (size_t run = 0; run < sizeof RUNS / sizeof *RUNS; run++) {
        size_t to = (size_t)RUNS[run].end;
        for (int i = 0; i < DCTR_INPUTS; i++) s->weight[from][i] = DCTR_WEIGHT_SUM / RUNS[run].inputs;
        repeat(s->weight[from], set, (to - from) * set);
        from = to;
    }
}

void dctr_start(dctr_state *s, size_t blocks)
{
    rc_rates(s->rate, DCTR_LIMIT);
    logistic_tables(s->squash, s->stretch);
    dctr_start_contexts(s, DCTR_SHARED);
    start_weights(s);
    memset(s->nonzero, 0, blocks);
}
