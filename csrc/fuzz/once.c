/* Tables and models that are the same at every start, made once: fuzzing decodes small pictures, and would else spend
 * most of its time on them. The linker puts these functions in front of the library's (--wrap); a replay is built without
 * them. What decoding learns is copied from what was made, as the library would have made it. */
#ifndef REPLAY

#include "../logistic.h"
#include "../wavelet_model.h"
#include "../wavelet_nibble.h"
#include "fuzz.h"

void __real_logistic_tables(uint16_t *squash, int16_t *stretch);
void __wrap_logistic_tables(uint16_t *squash, int16_t *stretch);
void __wrap_logistic_tables(uint16_t *squash, int16_t *stretch)
{
    static uint16_t known_squash[LOGISTIC_VALUES];
    static int16_t known_stretch[LOGISTIC_STEPS];
    static int made;
    if (!made++) __real_logistic_tables(known_squash, known_stretch);
    memcpy(squash, known_squash, (2 * LOGIT_MAX + 1) * sizeof *squash);
    memcpy(stretch, known_stretch, sizeof known_stretch);
}

void __real_wavelet_model_start(wavelet_state *s, size_t width);
void __wrap_wavelet_model_start(wavelet_state *s, size_t width);
void __wrap_wavelet_model_start(wavelet_state *s, size_t width)
{
    static wavelet_state known;
    static int made;
    if (!made++) __real_wavelet_model_start(&known, 0);
    memcpy(&s->width, &known.width, offsetof(wavelet_state, set) - offsetof(wavelet_state, width));
    s->width = width;
}

void __real_nibble_start_models(nibble_state *s);
void __wrap_nibble_start_models(nibble_state *s);
void __wrap_nibble_start_models(nibble_state *s)
{
    static nibble_state known;
    static int made;
    if (!made++) __real_nibble_start_models(&known);
    memcpy(s->cdf[NB_EMPTY], known.cdf[NB_EMPTY], (NB_ROWS - NB_EMPTY) * sizeof *s->cdf);
    memcpy(s->count + NB_EMPTY, known.count + NB_EMPTY, NB_ROWS - NB_EMPTY);
    memcpy(s->cost, known.cost, sizeof s->cost);
}

#endif
