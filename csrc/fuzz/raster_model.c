/* Networks, units and tables of the target `raster`, sound and spoilt. */
#include "raster_model.h"

enum { TABLES = 6, FEATURES = 5, BORDER = 2, CAUSAL = 12 };

static rs_latent_weights read_weights(fuzz_numbers *from, int32_t outputs, int32_t inputs, int32_t taps)
{
    int32_t *biases = fuzz_room(4 * (size_t)outputs, 0);
    uint8_t *shifts = fuzz_room((size_t)outputs, 0);
    for (int32_t o = 0; o < outputs; o++) {
        biases[o] = fuzz_number(from) * 4096;
        shifts[o] = (uint8_t)((fuzz_number(from) & 255) % (RS_LATENT_SHIFT + 1));
    }
    return (rs_latent_weights){fuzz_packed(from, outputs, inputs, taps), biases, shifts, outputs, inputs, taps};
}

static void read_networks(fuzz_input *in, rs_latent_raster *r, fuzz_numbers *from)
{
    int32_t own = 1 + (int32_t)(fuzz_byte(in) % 18), known = 1 + (int32_t)(fuzz_byte(in) % 4);
    int32_t width = 2 + 2 * (int32_t)(fuzz_byte(in) % 10), joined = (own + known + 1) / 2 * 2;
    r->before = read_weights(from, own, 2 * r->channels, CAUSAL);
    r->hidden = read_weights(from, width, joined, 1);
    r->head = read_weights(from, 2 * r->channels, width, 1);
    size_t count = (size_t)(r->rows * r->columns * joined);
    r->joined = fuzz_room(2 * count, 0);
    for (size_t i = 0; i < count; i++) r->joined[i] = fuzz_activation(from);
}

/* Features with as much of the border as kernels of what comes before can reach: none below, nor behind the last row. */
static void make_features(raster_model *x, int32_t beside)
{
    rs_latent_raster *r = &x->r;
    r->own_pixel = 2 * r->channels + beside;
    r->own_row = r->own_pixel * (r->columns + 2 * BORDER);
    x->whole_count = (size_t)(r->own_row * (r->rows + BORDER) - BORDER * r->own_pixel - beside);
    x->whole = fuzz_room(2 * x->whole_count, 0);
    r->own = x->whole + BORDER * (r->own_row + r->own_pixel);
}

static void read_units(rs_latent_raster *r, fuzz_numbers *from)
{
    static const int64_t thresholds[FEATURES] = {3, 1 << 10, 1 << 20, (int64_t)1 << 40, (int64_t)1 << 58};
    size_t channels = (size_t)r->channels;
    int32_t *mantissas = fuzz_room(4 * channels, 0), *feature_mantissas = fuzz_room(4 * channels, 0);
    uint8_t *mean_shifts = fuzz_room(channels, 0);
    int8_t *feature_shifts = fuzz_room(channels, 0);
    int64_t *offsets = fuzz_room(8 * channels, 0);
    for (size_t c = 0; c < channels; c++) {
        mantissas[c] = (1 << 30) - (fuzz_number(from) & 0x7FFF) * 16384;
        mean_shifts[c] = (uint8_t)(1 + (fuzz_number(from) & 255) % 62);
        offsets[c] = (int64_t)fuzz_number(from) * (1 << 14);
        feature_mantissas[c] = (1 << 30) - (fuzz_number(from) & 0x7FFF) * 32768;
        feature_shifts[c] = (int8_t)((fuzz_number(from) & 255) % 61 - 10);
    }
    r->mantissas = mantissas, r->mean_shifts = mean_shifts, r->offsets = offsets;
    r->feature_mantissas = feature_mantissas, r->feature_shifts = feature_shifts;
    r->thresholds = thresholds, r->threshold_count = FEATURES;
    r->rows_per_nat = 121022032, r->table_rows = TABLES;
}

static void read_steps(rs_latent_raster *r, fuzz_numbers *from)
{
    size_t positions = (size_t)(r->rows * r->columns);
    int32_t *steps = fuzz_room(4 * positions, 0), *wider = fuzz_room(4 * positions, 0);
    for (size_t p = 0; p < positions; p++) {
        steps[p] = 1 + (fuzz_number(from) & 0x7FFF) * 32; /* up to nearly 2^20 */
        wider[p] = fuzz_number(from) / 4096;
    }
    r->steps = steps, r->wider = wider;
}

/* From 2 to 22 symbols of equal chances in a table, of which the escape has less. */
static void make_tables(raster_model *x, int anywhere, fuzz_numbers *from)
{
    x->tables = TABLES;
    x->entries = TABLES * 2 + TABLES * (TABLES - 1) / 2 * 4;
    x->cdfs = fuzz_room(2 * x->entries, 0);
    x->rows = fuzz_room(4 * (TABLES + 1), 0);
    x->offsets = fuzz_room(4 * TABLES, 0);
    for (uint32_t t = 0; t < TABLES; t++) {
        uint32_t length = 2 + 4 * t, row = x->rows[t];
        x->rows[t + 1] = row + length;
        x->offsets[t] = anywhere ? (int32_t)((uint32_t)fuzz_number(from) << 16) : -2 * (int32_t)t;
        for (uint32_t i = 0; i < length; i++) x->cdfs[row + i] = (uint16_t)(65000 * i / (length - 1));
    }
}

raster_model raster_read(fuzz_input *in, unsigned flags, fuzz_numbers *from)
{
    raster_model x = {0};
    rs_latent_raster *r = &x.r;
    r->rows = 1 + (int32_t)(fuzz_byte(in) % 6);
    r->columns = 1 + (int32_t)(fuzz_byte(in) % 10);
    r->channels = 1 + (int32_t)(fuzz_byte(in) % 4);
    x.count = (size_t)(r->rows * r->columns * r->channels);
    x.fronts = r->columns + 3 * (r->rows - 1);
    read_networks(in, r, from);
    make_features(&x, flags & RASTER_BESIDE ? 4 : 0);
    read_units(r, from);
    if (flags & RASTER_STEPS) read_steps(r, from);
    make_tables(&x, (flags & RASTER_OFFSETS) != 0, from);
    return x;
}

void raster_soil(const raster_model *x, int16_t with)
{
    const rs_latent_raster *r = &x->r;
    for (int32_t p = 0; p < r->rows * r->columns; p++) {
        int16_t *own = r->own + p / r->columns * r->own_row + p % r->columns * r->own_pixel;
        for (int32_t i = 0; i < 2 * r->channels; i++) own[i] = with;
        int16_t *end = r->joined + (int64_t)(p + 1) * r->hidden.inputs;
        for (int32_t i = 1; i <= r->before.outputs; i++) end[-i] = with;
    }
}

void raster_spoil(raster_model *x, unsigned what)
{
    rs_latent_raster *r = &x->r;
    int32_t last = r->rows * r->columns - 1, channel = r->channels - 1;
    switch (what) {
    case SPOILT_RASTER: ((uint8_t *)r->before.shifts)[0] = RS_LATENT_SHIFT + 1; break;
    case SPOILT_RASTER + 1: ((uint8_t *)r->hidden.shifts)[r->hidden.outputs - 1] = RS_LATENT_SHIFT + 1; break;
    case SPOILT_RASTER + 2: ((uint8_t *)r->head.shifts)[0] = RS_LATENT_SHIFT + 1; break;
    case SPOILT_RASTER + 3: r->wider = NULL; break;
    case SPOILT_RASTER + 4: r->steps = NULL; break;
    case SPOILT_RASTER + 5: ((int32_t *)r->steps)[last] = 0; break;
    case SPOILT_RASTER + 6: ((int32_t *)r->steps)[0] = (1 << 20) + 1; break;
    case SPOILT_RASTER + 7: ((int32_t *)r->wider)[last] = -(1 << 16) - 1; break;
    case SPOILT_RASTER + 8: ((int32_t *)r->wider)[0] = (1 << 16) + 1; break;
    case SPOILT_RASTER + 9: r->rows = 0; break;
    case SPOILT_RASTER + 10: r->columns = (1 << 20) + 1; break;
    case SPOILT_RASTER + 11: r->channels = 0; break;
    case SPOILT_RASTER + 12: r->channels++; break;
    case SPOILT_RASTER + 13: r->before.taps = 9; break;
    case SPOILT_RASTER + 14: r->before.outputs = r->hidden.inputs; break;
    case SPOILT_RASTER + 15: r->hidden.inputs++; break;
    case SPOILT_RASTER + 16: r->head.outputs++; break;
    case SPOILT_RASTER + 17: r->table_rows = 0; break;
    case SPOILT_RASTER + 18: r->table_rows = (1 << 16) + 1; break;
    case SPOILT_RASTER + 19: r->rows_per_nat = -1; break;
    case SPOILT_RASTER + 20: ((int32_t *)r->mantissas)[channel] = -1; break;
    case SPOILT_RASTER + 21: ((uint8_t *)r->mean_shifts)[0] = 63; break;
    case SPOILT_RASTER + 22: ((int64_t *)r->offsets)[channel] = ((int64_t)1 << 36) + 1; break;
    case SPOILT_RASTER + 23: r->threshold_count = RS_LATENT_FEATURE_MAX + 1; break;
    case SPOILT_RASTER + 24: ((int8_t *)r->feature_shifts)[channel] = 51; break;
    case SPOILT_TABLES: x->rows[0] = 1; break;
    case SPOILT_TABLES + 1: x->cdfs[1] = 0; break;
    case SPOILT_TABLES + 2: x->entries--; break;
    }
}
