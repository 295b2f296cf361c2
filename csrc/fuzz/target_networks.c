/* The integer networks, on all paths of the processor. Input (u8 each): kernel (1, 4 or 9 taps), step, phase, rows,
 * columns, pairs of inputs, outputs, flags; then numbers for everything else, over and over. */
#include "fuzz.h"

enum { PATHS = 3, FEATURES = 5 };

typedef struct {
    rs_latent_window window;
    int32_t outputs, leaky, adding;
    int16_t *values, *packed, *add;
    int32_t *biases, *factors;
    uint8_t *shifts;
    size_t count;
} layer;

static void fill_weights(layer *l, fuzz_numbers *from)
{
    rs_latent_window *w = &l->window;
    l->packed = fuzz_packed(from, l->outputs, w->inputs, w->taps);
    l->biases = fuzz_room(4 * (size_t)l->outputs, 0);
    l->factors = fuzz_room(4 * (size_t)l->outputs, 0);
    l->shifts = fuzz_room((size_t)l->outputs, 0);
    for (int32_t o = 0; o < l->outputs; o++) {
        l->biases[o] = fuzz_number(from) * 4096;
        l->factors[o] = fuzz_number(from);
        l->shifts[o] = (uint8_t)((fuzz_number(from) & 255) % 21);
    }
}

/* Activations amid a border of exactly one position, and a place for the result. */
static layer read_layer(fuzz_numbers *from)
{
    fuzz_input *in = &from->in;
    static const int32_t taps[] = {1, 4, 9};
    layer l = {0};
    rs_latent_window *w = &l.window;
    w->taps = taps[fuzz_byte(in) % 3];
    w->step = 1 + (int32_t)(fuzz_byte(in) & 1);
    w->phase = (int32_t)(fuzz_byte(in) & 1);
    w->rows = 1 + (int32_t)(fuzz_byte(in) % 6);
    w->columns = 1 + (int32_t)(fuzz_byte(in) % 14);
    w->inputs = 2 + 2 * (int32_t)(fuzz_byte(in) % 9);
    l.outputs = 1 + (int32_t)(fuzz_byte(in) % 40);
    unsigned flags = fuzz_byte(in);
    l.leaky = flags & 1;
    l.adding = flags >> 1 & 1;
    int32_t columns = w->columns * w->step, border = w->taps > 1;
    w->pixel = w->inputs;
    w->row = (int64_t)w->inputs * (columns + 2 * border);
    size_t all = (size_t)(w->row * (w->rows + 2 * border));
    int16_t *whole = fuzz_room(2 * all, 0);
    for (size_t i = 0; i < all; i++) whole[i] = fuzz_activation(from);
    l.values = whole + border * (w->row + w->pixel);
    fill_weights(&l, from);
    l.count = (size_t)(w->rows * w->columns * l.outputs);
    l.add = fuzz_room(2 * l.count, 0);
    for (size_t i = 0; i < l.count; i++) l.add[i] = fuzz_activation(from);
    return l;
}

static int64_t run(const layer *l, int32_t *sums, int16_t *out)
{
    const rs_latent_window *w = &l->window;
    int64_t code = rs_latent_sums(w, l->values, l->packed, l->biases, l->outputs, sums);
    fuzz_require(code == 0);
    return rs_latent_layer(w, l->values, l->packed, l->biases, l->shifts, l->factors, l->leaky, l->outputs,
                           l->adding ? l->add : NULL, (int64_t)w->columns * l->outputs, l->outputs, out);
}

/* Means and rows from any sums, whatever the units. */
static void predict(fuzz_numbers *from, int32_t *sums, size_t count, int32_t channels)
{
    int32_t *mantissas = fuzz_room(4 * (size_t)channels, 0);
    uint8_t *mean_shifts = fuzz_room((size_t)channels, 0), *shifts = fuzz_room(2 * (size_t)channels, 0);
    int64_t *offsets = fuzz_room(8 * (size_t)channels, 0);
    for (int32_t c = 0; c < channels; c++) {
        mantissas[c] = (1 << 29) + (fuzz_number(from) & 0x7FFF) * 16384;
        mean_shifts[c] = (uint8_t)(fuzz_number(from) & 63);
        shifts[c] = shifts[channels + c] = (uint8_t)((fuzz_number(from) & 255) % 20);
        offsets[c] = (int64_t)fuzz_number(from) * (1 << 21);
    }
    for (size_t i = 0; i < count; i++) sums[i] = (int32_t)((uint32_t)sums[i] * 40503u); /* up to all 32 bits */
    int64_t positions = (int64_t)(count / (2 * (size_t)channels));
    size_t made = (size_t)(positions * channels);
    int32_t *means = fuzz_room(4 * made, 0);
    uint16_t *index = fuzz_room(2 * made, 0);
    int64_t code = rs_latent_predict(sums, positions, channels, shifts, mantissas, mean_shifts, 121022032, offsets, 64,
                                     means, index);
    for (size_t i = 0; code >= 0 && i < made; i++) fuzz_require(index[i] < 64);
    fuzz_tell(means, 4 * made);
}

static void features(fuzz_numbers *from, const int32_t *values, int32_t rows, int32_t columns, int32_t channels)
{
    static const int64_t thresholds[FEATURES] = {3, 1 << 10, 1 << 20, (int64_t)1 << 40, (int64_t)1 << 58};
    int32_t *mantissas = fuzz_room(4 * (size_t)channels, 0);
    int8_t *shifts = fuzz_room((size_t)channels, 0);
    for (int32_t c = 0; c < channels; c++) {
        mantissas[c] = (1 << 29) + (fuzz_number(from) & 0x7FFF) * 16384;
        shifts[c] = (int8_t)(fuzz_number(from) % 60);
    }
    size_t made = (size_t)(rows * columns * 2 * 2 * channels);
    int16_t *out = fuzz_room(2 * made, 0);
    int64_t pixel = 2 * channels, row = 2 * columns * pixel;
    rs_latent_features(values, rows, columns, channels, 2, 1, mantissas, shifts, thresholds, FEATURES, row, pixel, out);
    for (size_t i = 0; i < made; i++) fuzz_require(out[i] <= FEATURES && out[i] >= -FEATURES);
    fuzz_tell(out, 2 * made);
}

int64_t fuzz_networks(const uint8_t *data, size_t size)
{
    if (size < 16) return 0;
    fuzz_numbers from = {{data, size}, data, size};
    layer l = read_layer(&from);
    int32_t *sums[PATHS];
    int16_t *out[PATHS];
    int64_t result = 0;
    for (int path = 0; path < PATHS; path++) {
        sums[path] = fuzz_room(4 * l.count, 0xEE);
        out[path] = fuzz_room(2 * l.count, 0xEE);
        rs_set_cpu(path);
        int64_t code = run(&l, sums[path], out[path]);
        fuzz_require(!path || code == result);
        result = code;
        fuzz_require(!memcmp(sums[0], sums[path], 4 * l.count) && !memcmp(out[0], out[path], 2 * l.count));
    }
    fuzz_tell(sums[0], 4 * l.count);
    if (result >= 0) fuzz_tell(out[0], 2 * l.count);
    features(&from, sums[0], l.window.rows, l.window.columns, l.outputs);
    if (l.outputs % 2 == 0) predict(&from, sums[1], l.count, l.outputs / 2);
    return result;
}
