/* What the target `mixture` reads from an input: densities of symbols, tables, units of sums. */
#ifndef RS_FUZZ_MIXTURE_MODEL_H
#define RS_FUZZ_MIXTURE_MODEL_H

#include "fuzz.h"

/* Flags: the lowest two bits are densities less one; tables of any numbers; heads without means. */
enum { MIXTURE_TABLES = 4, MIXTURE_NO_MEANS = 8 };

/* What can be spoilt: from here on densities of the last symbol, tables, units. */
enum { SPOILT_DENSITIES = 1, SPOILT_TABLES = 3, SPOILT_UNITS = 16, SPOILT_KINDS = 29 };

typedef struct {
    rs_latent_mixing m;
    rs_latent_units u;
    size_t count; /* of symbols */
} mixture_model;

/* Of `count` symbols, whose densities repeat. */
mixture_model mixture_read(fuzz_input *in, size_t count, size_t repeat, unsigned flags, fuzz_numbers *from);

/* Makes one thing of it invalid; it must have symbols. */
void mixture_spoil(mixture_model *x, unsigned what);

#endif
