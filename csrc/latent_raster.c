/* A slice of a latent whose context is what comes before in raster order: twelve positions of a window of 5x5.
 *
 * Positions (y, x) of equal x + 3y do not know each other: such a front is worked at side by side, and the stream holds
 * one front after another, each from its top down. For every position: the convolution over what is before it, a
 * hidden layer of that and the context that is there already, the head, its means and scales, the symbols, and their
 * features, which those after it will see. */
#include "latent_coder.h"
#include "latent_conv.h"

#include <math.h>
#include <string.h>

enum { STEP_BITS = 8, LARGEST_STEP = 1 << 20, WIDEST_ROW = 1 << 16 };
enum { LANES = RS_LATENT_LANES, POSITIONS = RS_LATENT_POSITIONS, SLOPE = 3, WIDEST = 1 << 11, MEAN_STEPS = 16 };

/* Where symbols come from: coefficients while encoding (reader NULL), a stream while decoding. */
typedef struct {
    const float *steps;
    const rans_model *model;
    const uint8_t *data;
    size_t size;
    uint64_t *reader;
} symbol_source;

/* Activations and sums of up to POSITIONS positions. */
typedef struct {
    int16_t hidden[POSITIONS * WIDEST];
    int32_t sums[POSITIONS * 2 * WIDEST];
    int64_t y[POSITIONS], x[POSITIONS];
    int count;
} batch;

static void add_up(const rs_latent_weights *w, const int16_t *const *at, const int64_t *taps, int32_t *sums)
{
    int32_t tile[POSITIONS * LANES];
    const int16_t *packed = w->packed;
    rs_latent_sums_function *chosen = rs_latent_sums_chosen();
    for (int block = 0; block < rs_latent_blocks(w->outputs); block++) {
        int first = block * LANES, lanes = w->outputs - first < LANES ? w->outputs - first : LANES;
        chosen(at, taps, w->taps, w->inputs / 2, packed, tile);
        packed += (int64_t)LANES * w->inputs * w->taps;
        for (int p = 0; p < POSITIONS; p++)
            for (int o = 0; o < lanes; o++)
                sums[p * w->outputs + first + o] = tile[p * LANES + o] + w->biases[first + o];
    }
}

static void settle(const rs_latent_weights *w, const int32_t *sums, int16_t *out)
{
    for (int o = 0; o < w->outputs; o++)
        out[o] = rs_latent_settle(sums[o], w->shifts[o], 1 << RS_LATENT_FACTOR_BITS, 1, 0);
}

/* Sums of the head for the positions of a batch. */
static void run_networks(const rs_latent_raster *r, batch *b)
{
    int64_t taps[RS_LATENT_TAPS], pixel = r->hidden.inputs;
    const int16_t *at[POSITIONS];
    int16_t *joined[POSITIONS];
    for (int p = 0; p < POSITIONS; p++) {
        int q = p < b->count ? p : b->count - 1;
        at[p] = r->own + b->y[q] * r->own_row + b->x[q] * r->own_pixel;
        joined[p] = r->joined + (b->y[q] * r->columns + b->x[q]) * pixel;
    }
    rs_latent_tap_offsets(r->before.taps, r->own_row, r->own_pixel, taps);
    add_up(&r->before, at, taps, b->sums);
    for (int p = 0; p < b->count; p++)
        settle(&r->before, b->sums + p * r->before.outputs, joined[p] + pixel - r->before.outputs);
    taps[0] = 0;
    for (int p = 0; p < POSITIONS; p++) at[p] = joined[p];
    add_up(&r->hidden, at, taps, b->sums);
    for (int p = 0; p < POSITIONS; p++) {
        settle(&r->hidden, b->sums + p * r->hidden.outputs, b->hidden + p * WIDEST);
        at[p] = b->hidden + p * WIDEST;
    }
    add_up(&r->head, at, taps, b->sums);
}

static int32_t rounded(float exact)
{
    if (!(exact > -RS_LATENT_MAX)) return -RS_LATENT_MAX;
    return exact > RS_LATENT_MAX ? RS_LATENT_MAX : (int32_t)rintf(exact);
}

static int64_t take_symbols(const rs_latent_raster *r, const symbol_source *from, int64_t place, const int32_t *means,
                            const uint16_t *index, int32_t *residuals)
{
    float finer = r->steps ? (float)(MEAN_STEPS << STEP_BITS) / (float)r->steps[place] : 1.0f;
    for (int c = 0; c < r->channels; c++) {
        if (!from->reader) {
            residuals[c] = rounded((from->steps[place * r->channels + c] - (float)means[c] / MEAN_STEPS) * finer);
            continue;
        }
        if (index[c] >= from->model->tables) return RS_ERR_ARGUMENT;
        int64_t code = latent_read_one(from->model, from->data, from->size, index[c], from->reader, &residuals[c]);
        if (code < 0) return code;
        /* Tables come with the weights and may hold any values: what counts beyond these could leave 32 bits. */
        if (residuals[c] < -RS_LATENT_MAX || residuals[c] > RS_LATENT_MAX) return RS_ERR_CORRUPT;
    }
    return 0;
}

static void widen(const rs_latent_raster *r, int32_t by, uint16_t *index)
{
    for (int c = 0; c < r->channels; c++) {
        int32_t row = index[c] + by;
        index[c] = (uint16_t)(row < 0 ? 0 : row < r->table_rows ? row : r->table_rows - 1);
    }
}

/* Symbols in 1/16 of a step, rounded, halves up, added to the means. */
static void add_residuals(const rs_latent_raster *r, int32_t step, const int32_t *residuals, int32_t *values)
{
    for (int c = 0; c < r->channels; c++) {
        int64_t exact = (int64_t)residuals[c] * step + (1 << (STEP_BITS - 1));
        values[c] += (int32_t)(exact >= 0 ? exact >> STEP_BITS : ~(~exact >> STEP_BITS));
    }
}

/* values, index, residuals: of the positions of the batch, one after another. */
static int64_t run_batch(const rs_latent_raster *r, const symbol_source *from, batch *b, int32_t *values,
                         uint16_t *index, int32_t *residuals)
{
    run_networks(r, b);
    for (int p = 0; p < b->count; p++) {
        int64_t place = b->y[p] * r->columns + b->x[p];
        int64_t code = rs_latent_predict(b->sums + p * r->head.outputs, 1, r->channels, r->head.shifts, r->mantissas,
                                         r->mean_shifts, r->rows_per_nat, r->offsets, r->table_rows, values, index);
        if (code < 0) return code;
        if (r->steps) widen(r, r->wider[place], index);
        code = take_symbols(r, from, place, values, index, residuals);
        if (code < 0) return code;
        add_residuals(r, r->steps ? r->steps[place] : MEAN_STEPS << STEP_BITS, residuals, values);
        code = rs_latent_features(values, 1, 1, r->channels, 1, 0, r->feature_mantissas, r->feature_shifts,
                                  r->thresholds, r->threshold_count, r->own_row, r->own_pixel,
                                  r->own + b->y[p] * r->own_row + b->x[p] * r->own_pixel);
        if (code < 0) return code;
        values += r->channels;
        index += r->channels;
        residuals += r->channels;
    }
    return 0;
}

static int valid_weights(const rs_latent_weights *w, int32_t outputs, int32_t inputs, int32_t taps)
{
    if (w->outputs != outputs || w->inputs != inputs || w->taps != taps || rs_latent_packed(outputs, inputs, taps) < 0)
        return 0;
    for (int o = 0; o < outputs; o++)
        if (w->shifts[o] > RS_LATENT_SHIFT) return 0;
    return 1;
}

static int valid_steps(const rs_latent_raster *r)
{
    int64_t count = (int64_t)r->rows * r->columns;
    if (!r->steps != !r->wider) return 0;
    for (int64_t i = 0; r->steps && i < count; i++)
        if (r->steps[i] < 1 || r->steps[i] > LARGEST_STEP || r->wider[i] < -WIDEST_ROW || r->wider[i] > WIDEST_ROW)
            return 0;
    return 1;
}

static int valid(const rs_latent_raster *r)
{
    int32_t side = 1 << 20, width = r->hidden.outputs, joined = r->hidden.inputs;
    return r->rows >= 1 && r->rows <= side && r->columns >= 1 && r->columns <= side && r->channels >= 1
           && r->channels <= WIDEST && width >= 1 && width <= WIDEST && joined >= 2 && joined <= WIDEST
           && r->before.outputs < joined && valid_weights(&r->before, r->before.outputs, 2 * r->channels, 12)
           && valid_weights(&r->hidden, width, joined, 1) && valid_weights(&r->head, 2 * r->channels, width, 1) && valid_steps(r);
}

/* Fronts first...last - 1. Returns how many positions they have. */
static int64_t run(const rs_latent_raster *r, const symbol_source *from, int64_t first, int64_t last, int32_t *values,
                   uint16_t *index, int32_t *residuals)
{
    batch b;
    int64_t done = 0;
    if (!valid(r)) return RS_ERR_ARGUMENT;
    for (int64_t front = first; front < last; front++) {
        int64_t top = front - (r->columns - 1), y = top > 0 ? (top + SLOPE - 1) / SLOPE : 0;
        while (y < r->rows && front - SLOPE * y >= 0) {
            for (b.count = 0; b.count < POSITIONS && y < r->rows && front - SLOPE * y >= 0; b.count++, y++) {
                b.y[b.count] = y;
                b.x[b.count] = front - SLOPE * y;
            }
            int64_t at = done * r->channels, code = run_batch(r, from, &b, values + at, index + at, residuals + at);
            if (code < 0) return code;
            done += b.count;
        }
    }
    return done;
}

int64_t rs_latent_raster_encode(const rs_latent_raster *r, const float *steps, int64_t first, int64_t last,
                                int32_t *values, uint16_t *index, int32_t *residuals)
{
    symbol_source from = {steps, NULL, NULL, 0, NULL};
    return run(r, &from, first, last, values, index, residuals);
}

int64_t rs_latent_raster_decode(const rs_latent_raster *r, const uint8_t *data, size_t size, const uint16_t *cdfs,
                                size_t entries, const uint32_t *rows, const int32_t *offsets, uint32_t tables,
                                uint64_t *reader, int64_t first, int64_t last, int32_t *values, uint16_t *index,
                                int32_t *residuals)
{
    rans_model model = {cdfs, rows, offsets, tables};
    symbol_source from = {NULL, &model, data, size, reader};
    if (rans_check_model(&model, entries) < 0 || reader[1] > size) return RS_ERR_ARGUMENT;
    return run(r, &from, first, last, values, index, residuals);
}
