#include "wavelet_model.h"

/* How many observations a prior counts for. */
enum { TRUST_ENERGY = 10, TRUST_SPLIT = 6, TRUST_PATTERN = 4 };

/* Where the probabilities start: st(p) in 1/16 for every kind of decision, by half octaves of expected magnitude;
 * averages over photographs at five steps, the same for all planes and bands. A small picture ends before it
 * could learn them. */
enum { PRIOR_LEVELS = 40, PRIOR_UNIT = LOGIT_ONE / 16 };

static const int8_t PRIOR[KINDS][PRIOR_LEVELS] = {
    {-120, -120, -120, -120, -120, -120, -93, -90, -63, -51, -34, -21, -11, -1, 8, 15, 23, 29, 35, 41, 46, 52, 56,
     62, 64, 68, 66, 66, 64, 65, 66, 64, 68, 68, 68, 68, 68, 68, 68, 68},
    {-40, -51, -54, -58, -61, -64, -60, -64, -61, -58, -55, -48, -40, -29, -15, -4, 6, 14, 22, 29, 35, 43, 47, 54,
     59, 63, 61, 62, 64, 65, 66, 64, 68, 68, 68, 68, 68, 68, 68, 68},
    {-27, -44, -38, -33, -30, -33, -37, -39, -41, -49, -49, -53, -52, -47, -41, -30, -17, -5, 5, 14, 22, 29, 35, 45,
     48, 56, 60, 63, 63, 65, 66, 64, 68, 68, 68, 68, 68, 68, 68, 68},
    {-39, -39, -39, -39, -39, -39, -39, -39, -39, -39, -39, -43, -44, -52, -56, -54, -44, -33, -19, -6, 5, 15, 25,
     32, 39, 47, 54, 60, 63, 63, 65, 64, 68, 68, 68, 68, 68, 68, 68, 68},
    {-34, -34, -34, -34, -34, -34, -34, -34, -34, -34, -34, -34, -34, -34, -32, -46, -50, -52, -44, -32, -18, -7, 7,
     19, 29, 39, 50, 55, 58, 64, 65, 62, 68, 68, 68, 68, 68, 68, 68, 68},
    {-32, -32, -32, -32, -32, -32, -32, -32, -32, -32, -32, -32, -32, -32, -32, -32, -32, -32, -40, -44, -39, -29,
     -18, -7, 10, 25, 41, 50, 58, 59, 64, 64, 68, 68, 68, 68, 68, 68, 68, 68},
    {-24, -24, -24, -24, -24, -24, -24, -24, -24, -24, -24, -24, -24, -24, -24, -24, -24, -24, -24, -24, -29, -36,
     -35, -30, -20, -11, 18, 37, 52, 60, 63, 56, 68, 68, 68, 68, 68, 68, 68, 68},
    {-24, -24, -24, -24, -24, -24, -24, -24, -24, -24, -24, -24, -24, -24, -24, -24, -24, -24, -24, -24, -24, -24,
     -24, -31, -36, -32, -30, -18, -2, 3, 9, 13, 16, 19, 20, 20, 20, 20, 20, 20},
    {-34, -31, -30, -29, -28, -28, -27, -33, -35, -31, -31, -34, -33, -29, -24, -17, -9, -5, -3, -2, -1, -1, -1, 0,
     -2, -2, -2, -2, -2, -2, -2, -2, -2, -2, -2, -2, -2, -2, -2, -2},
    {-26, -26, -26, -26, -26, -26, -26, -26, -26, -26, -26, -31, -32, -35, -35, -30, -26, -19, -12, -10, -8, -7, -7,
     -7, -7, -6, -12, -8, -16, -9, -17, -4, -28, -28, -28, -28, -28, -28, -28, -28},
    {-36, -36, -36, -36, -36, -36, -36, -36, -36, -36, -36, -36, -36, -36, -36, -36, -36, -36, -36, -36, -36, -36,
     -36, -36, -36, -36, -36, -36, -36, -36, -36, -36, -36, -36, -36, -36, -36, -36, -36, -36},
};

static rc_adaptive prior(const wavelet_state *s, int kind, int32_t energy, uint32_t count)
{
    int level = half_octave(energy);
    int32_t logit = PRIOR[kind][level < PRIOR_LEVELS ? level : PRIOR_LEVELS - 1] * PRIOR_UNIT;
    return rc_adaptive_start(s->squash[logit + LOGIT_MAX], count);
}

/* Every context starts from the prior of the magnitude that it stands for. */
static void start_contexts(const wavelet_state *s, wavelet_set *set)
{
    for (int kind = 0; kind < KINDS; kind++) {
        for (int level = 0; level < ENERGIES; level++) {
            /* the inverse of half_octave, which never gives 2 */
            int32_t energy = level < 3 ? level : (2 + (level - 1) % 2) << ((level - 1) / 2 - 1);
            set->energy[kind][level] = prior(s, kind, energy, TRUST_ENERGY);
        }
        for (int near = 0; near < NEARS; near++)
            for (int far = 0; far < FARS; far++) {
                int32_t energy = (near ? 3 << near : 1) + (far ? 3 << far >> 1 : 1);
                set->split[kind][near * FARS + far] = prior(s, kind, energy, TRUST_SPLIT);
            }
        for (int shape = 0; shape < PATTERNS; shape++) {
            static const int32_t size[3] = {0, 10, 28}, beyond[3] = {4, 40, 200};
            int n = shape / 81, nw = shape / 27 % 3, ne = shape / 9 % 3, far = shape / 3 % 3, w = shape % 3;
            int32_t energy = (3 * size[n] + size[nw] + size[ne] + 3 * size[w]) * UNIT * 12 / 1000 + beyond[far];
            set->pattern[kind][shape] = prior(s, kind, energy, TRUST_PATTERN);
        }
    }
    for (int left = 1; left <= SEGMENT; left++) /* none of the coefficients before, so one of those left, alike */
        for (int i = 0; i < 3; i++)
            set->pattern[KIND_PENDING][left * 3 + i] = rc_adaptive_start(65535u / (uint32_t)(left + 1), TRUST_PATTERN);
}

static void start_set(const wavelet_state *s, wavelet_set *set)
{
    const rc_adaptive even = rc_adaptive_start(1u << 15, 0);
    start_contexts(s, set);
    for (int i = 0; i < KINDS * SELECTORS; i++)
        for (int k = 0; k < 3; k++) set->weight[i / SELECTORS][i % SELECTORS][k] = 65536 * 1 / 3;
    for (int i = 0; i < SIGNS; i++) set->sign[i] = even;
    for (int i = 0; i < MANTISSA; i++) set->mantissa[i] = even;
    set->segment = rc_adaptive_start(1u << 11, 3);
    set->empty = rc_adaptive_start(1u << 12, 2);
}

void wavelet_model_start(wavelet_state *s, size_t width)
{
    s->width = width;
    s->bits = NULL;
    s->spent = 0;
    s->started = 0;
    rc_rates(s->rate, MODEL_LIMIT);
    logistic_tables(s->squash, s->stretch);
    logistic_costs(s->cost);
    start_set(s, &s->fresh);
}

wavelet_set *wavelet_model_set(wavelet_state *s, int number)
{
    wavelet_set *set = &s->set[number];
    if (!(s->started >> number & 1)) *set = s->fresh;
    s->started |= 1u << number;
    return set;
}
