/* What the target `raster` reads from an input: networks, units and tables of a slice. */
#ifndef RS_FUZZ_RASTER_MODEL_H
#define RS_FUZZ_RASTER_MODEL_H

#include "fuzz.h"

/* Flags: steps for every position; features of other slices beside its own; tables of values anywhere. */
enum { RASTER_STEPS = 1, RASTER_BESIDE = 2, RASTER_OFFSETS = 4 };

/* What can be spoilt: from here on the slice, then tables. */
enum { SPOILT_RASTER = 1, SPOILT_TABLES = 26, SPOILT_KINDS = 29 };

typedef struct {
    rs_latent_raster r;
    uint16_t *cdfs;
    uint32_t *rows;
    int32_t *offsets;
    uint32_t tables;
    size_t entries;
    size_t count; /* of coefficients */
    int64_t fronts;
    int16_t *whole; /* features with the border around them */
    size_t whole_count;
} raster_model;

raster_model raster_read(fuzz_input *in, unsigned flags, fuzz_numbers *from);

/* Fills in what decoding has yet to find out: it must not matter what was there. */
void raster_soil(const raster_model *x, int16_t with);

/* Makes one thing of it invalid; it must have steps. */
void raster_spoil(raster_model *x, unsigned what);

#endif
