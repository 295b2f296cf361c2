/* Encoders with no more room than their bounds promise, on any data. Input: what to encode (u8: below), how the
 * rest becomes data (u8: a pattern), size (u16), seed or data. The seeds of this target are the worst cases that we
 * know: what cannot be compressed, what fills tables, what is at the ends of its range. */
#include "fuzz.h"

enum { BYTES_RANS, BYTES_HUFFMAN, BITS, LEVELS, COEFFICIENTS, PIXELS, KINDS };
enum { GIVEN, NOISE, EXTREMES, ALTERNATING, RISING, SKEWED, PATTERNS };

typedef struct {
    int pattern;
    uint32_t seed;
    const uint8_t *given;
    size_t size;
} source;

static uint32_t noise(uint32_t *seed) /* xorshift: Marsaglia 2003 */
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 17;
    return *seed ^= *seed << 5;
}

/* Value i in least...most. */
static int32_t value_of(source *s, size_t i, int32_t least, int32_t most)
{
    uint32_t span = (uint32_t)(most - least) + 1, random = noise(&s->seed);
    switch (s->pattern) {
    case GIVEN: return least + (int32_t)((i < s->size ? s->given[i] : 0) * (uint64_t)(span - 1) / 255);
    case EXTREMES: return random & 1 ? most : least;
    case ALTERNATING: return i & 1 ? most : least;
    case RISING: return least + (int32_t)(i % span);
    case SKEWED: return (i + 1) & i ? least : least + (int32_t)(random % span); /* rare symbols at powers of two */
    default: return least + (int32_t)(random % span);
    }
}

static void check_bytes(source *s, size_t count, int64_t (*bound_of)(size_t),
                        int64_t (*encode)(const uint8_t *, size_t, uint8_t *, size_t),
                        int64_t (*decode)(const uint8_t *, size_t, uint8_t *, size_t))
{
    uint8_t *symbols = fuzz_room(count, 0), *again = fuzz_room(count, 0xEE);
    for (size_t i = 0; i < count; i++) symbols[i] = (uint8_t)value_of(s, i, 0, 255);
    int64_t bound = bound_of(count);
    uint8_t *coded = fuzz_room((size_t)bound, 0xEE);
    int64_t size = encode(symbols, count, coded, (size_t)bound);
    fuzz_require(size >= 0 && size <= bound);
    fuzz_require(decode(fuzz_copy(coded, (size_t)size), (size_t)size, again, count) == (int64_t)count);
    fuzz_require(!memcmp(symbols, again, count));
}

/* Bits that always are what the model thinks least likely. */
static void check_bits(source *s, size_t count)
{
    enum { CONTEXTS = 3 };
    uint8_t *bits = fuzz_room(count, 0), *again = fuzz_room(count, 0xEE);
    uint16_t *context = fuzz_room(2 * count, 0);
    uint32_t *models = fuzz_room(4 * CONTEXTS, 0);
    for (size_t i = 0; i < count; i++) {
        bits[i] = (uint8_t)value_of(s, i, 0, 1);
        context[i] = (uint16_t)(i % CONTEXTS);
    }
    int64_t bound = rs_binary_bound(count);
    uint8_t *coded = fuzz_room((size_t)bound, 0xEE);
    int64_t size = rs_binary_encode(bits, context, count, models, CONTEXTS, coded, (size_t)bound);
    fuzz_require(size >= 0 && size <= bound);
    fuzz_require(!rs_binary_decode(fuzz_copy(coded, (size_t)size), (size_t)size, context, count, models, CONTEXTS, again));
    fuzz_require(!memcmp(bits, again, count));
}

typedef struct {
    int32_t width, height, components, h, v;
    int64_t blocks;
} frame;

static frame make_frame(source *s, size_t count)
{
    frame f = {.width = 1 + (int32_t)(count % 33), .height = 1 + (int32_t)(count / 33 % 20)};
    int32_t grid[8];
    f.components = s->seed & 1 ? 3 : 1;
    f.h = f.components == 3 ? 1 + (int32_t)(s->seed >> 1 & 1) : 1;
    f.v = f.components == 3 ? 1 + (int32_t)(s->seed >> 2 & 1) : 1;
    f.blocks = rs_jpeg_blocks(f.width, f.height, f.components, f.h, f.v, grid);
    fuzz_require(f.blocks > 0);
    return f;
}

static void code_and_decode(const frame *f, const int16_t *levels, const uint8_t *tables)
{
    int64_t state_size = rs_dctr_state(f->blocks), bound = rs_dctr_bound(f->blocks);
    void *state = fuzz_state((size_t)state_size);
    uint8_t *coded = fuzz_room((size_t)bound, 0xEE), *read_tables = fuzz_room(f->components == 3 ? 128 : 64, 0xEE);
    int16_t *again = fuzz_room(128 * (size_t)f->blocks, 0xEE);
    int64_t size = rs_dctr_encode(levels, f->width, f->height, f->components, f->h, f->v, tables, state,
                                  (size_t)state_size, coded, (size_t)bound);
    fuzz_require(size > 0 && size <= bound);
    fuzz_require(!rs_dctr_decode(fuzz_copy(coded, (size_t)size), (size_t)size, f->width, f->height, f->components, f->h,
                                 f->v, state, (size_t)state_size, again, read_tables));
    fuzz_require(!memcmp(tables, read_tables, f->components == 3 ? 128 : 64));
    if (f->width % (8 * f->h) == 0 && f->height % (8 * f->v) == 0) /* no block but holds samples */
        fuzz_require(!memcmp(levels, again, 128 * (size_t)f->blocks));
}

static void write_and_read(const frame *f, const int16_t *levels, const uint8_t *tables)
{
    code_and_decode(f, levels, tables);
    static const uint8_t EXTRA[6] = {0xFF, 0xFE, 0, 4, 'h', 'i'};
    int64_t scratch_size = rs_jpeg_write_scratch(f->blocks), bound = rs_jpeg_write_bound(f->blocks, sizeof EXTRA), stats[3];
    for (int mode = RS_JPEG_SEQUENTIAL; mode <= RS_JPEG_SMALLER; mode++) {
        uint64_t *scratch = fuzz_room((size_t)scratch_size, 0xEE);
        uint8_t *file = fuzz_room((size_t)bound, 0xEE);
        int64_t size = rs_jpeg_write(levels, f->width, f->height, f->components, f->h, f->v, tables, mode, EXTRA,
                                     sizeof EXTRA, scratch, (size_t)scratch_size, file, (size_t)bound, stats);
        fuzz_require(size > 0 && size <= bound);
        int32_t info[RS_JPEG_FIELDS];
        int16_t *again = fuzz_room(128 * (size_t)f->blocks, 0xEE);
        uint16_t read_tables[256];
        fuzz_require(rs_jpeg_probe(file, (size_t)size, info) == f->blocks);
        fuzz_require(rs_jpeg_read(fuzz_copy(file, (size_t)size), (size_t)size, again, (size_t)f->blocks, read_tables,
                                  info) == size);
        if (mode == RS_JPEG_SEQUENTIAL && f->components == 3)
            fuzz_require(!memcmp(levels, again, 128 * (size_t)f->blocks));
    }
}

static void check_levels(source *s, size_t count)
{
    frame f = make_frame(s, count);
    int16_t *levels = fuzz_room(128 * (size_t)f.blocks, 0);
    uint8_t *tables = fuzz_room(128, 1);
    int32_t peak = count & 1 ? 1023 : 3; /* small ones make refinement scans worth while */
    for (size_t i = 0; i < 64 * (size_t)f.blocks; i++) levels[i] = (int16_t)value_of(s, i, -peak, peak);
    write_and_read(&f, levels, tables);
}

/* All stages of the JPEG encoder, with scratch memory of the sizes that the header names. */
static void check_pixels(source *s, size_t count)
{
    frame f = make_frame(s, count);
    size_t pixels = (size_t)f.width * (size_t)f.height, w = (size_t)f.width;
    int32_t grid[8];
    rs_jpeg_blocks(f.width, f.height, f.components, f.h, f.v, grid);
    uint8_t *rgb = fuzz_room(pixels * (size_t)f.components, 0), *tables = fuzz_room(128, 0);
    for (size_t i = 0; i < pixels * (size_t)f.components; i++) rgb[i] = (uint8_t)value_of(s, i, 0, 255);
    for (int k = 0; k < 128; k++) tables[k] = (uint8_t)(1 + noise(&s->seed) % (count & 1 ? 3 : 255));
    int16_t *planes = fuzz_room(2 * pixels * (size_t)f.components, 0), *levels = fuzz_room(128 * (size_t)f.blocks, 0);
    float *rounding = fuzz_room(4 * 64, 0), *bits = fuzz_room(4 * 256, 0);
    for (int i = 0; i < 256; i++) bits[i] = (float)(1 + noise(&s->seed) % 16);
    fuzz_require(rs_jpeg_planes(rgb, pixels, f.components, planes) == (int64_t)pixels);
    size_t first = 0;
    for (int i = 0; i < f.components; i++) {
        int32_t h = i ? f.h : 1, v = i ? f.v : 1, wide = (f.width + h - 1) / h, high = (f.height + v - 1) / v;
        int32_t across = grid[2 * i], down = grid[2 * i + 1], used_x = (wide + 7) / 8, used_y = (high + 7) / 8;
        int16_t *plane = fuzz_room(2 * (size_t)wide * (size_t)high, 0);
        float *scratch = fuzz_room(4 * (pixels + 8 * w), 0);
        rs_jpeg_halve(planes + (size_t)i * pixels, f.width, f.height, h, v, scratch, plane);
        size_t values = 64 * (size_t)across * (size_t)down;
        int16_t *coefs = fuzz_room(2 * values, 0x7F), *part = fuzz_room(2 * values, 0x7F);
        rs_dct8_forward(plane, wide, high, coefs, across, down);
        fuzz_require(rs_jpeg_quantise(coefs, across, down, used_x, used_y, tables + 64 * (i > 0), rounding, part) > 0);
        fuzz_require(rs_jpeg_trellis(coefs, across, down, used_x, used_y, tables + 64 * (i > 0), bits, 0.14f, NULL, part) > 0);
        uint32_t *counts = fuzz_room(4 * 256, 0), *sizes = fuzz_room(4 * 12, 0);
        rs_jpeg_count(part, across, down, used_x, used_y, counts);
        int16_t *dc = fuzz_room(2 * (size_t)used_x * (size_t)used_y, 0);
        uint8_t *flat = fuzz_room((size_t)used_x * (size_t)used_y, 0);
        int64_t gathered = rs_jpeg_dc_gather(coefs, across, down, used_x, used_y, dc, flat);
        rs_jpeg_dc_cost(dc, flat, (size_t)gathered, 1 + (int32_t)(noise(&s->seed) % 255), sizes);
        memcpy(levels + first, part, 2 * values);
        first += values;
    }
    write_and_read(&f, levels, tables);
}

/* A plane with no more room than the bound, and back; lossy: from the coefficients. */
static void code_plane(int fast, const float *coefficients, int32_t *q, size_t width, size_t height, int levels)
{
    size_t samples = width * height;
    int64_t bound = fast ? rs_nibble_bound(samples) : rs_wavelet_bound(samples), result = 0;
    void *state = fuzz_state((size_t)(fast ? rs_nibble_state(width, height, 1) : rs_wavelet_state(width)));
    uint8_t *coded = fuzz_room((size_t)bound, 0xEE);
    int32_t *again = fuzz_room(4 * samples, 0xEE);
    if (fast) rs_nibble_encode_start(state, width, height, coded, (size_t)bound);
    else rs_wavelet_encode_start(state, width, coded, (size_t)bound);
    for (int level = levels + 1; level > 0 && result >= 0; level--)
        result = (fast ? rs_nibble_encode_level : rs_wavelet_encode_level)(state, 0, coefficients, 1.0f, 0.1f, 0, q, NULL, NULL,
                                                                           width, height, levels, level);
    fuzz_require(result >= 0);
    int64_t size = fast ? rs_nibble_encode_finish(state) : rs_wavelet_encode_finish(state);
    fuzz_require(size > 0 && size <= bound);
    const uint8_t *stream = fuzz_copy(coded, (size_t)size);
    if (fast) rs_nibble_decode_start(state, width, height, stream, (size_t)size);
    else rs_wavelet_decode_start(state, width, stream, (size_t)size);
    for (int level = levels + 1; level > 0 && result >= 0; level--)
        result = (fast ? rs_nibble_decode_level : rs_wavelet_decode_level)(state, 0, again, NULL, NULL, width, height, levels,
                                                                           level);
    fuzz_require(result >= 0 && !(fast ? rs_nibble_decode_finish : rs_wavelet_decode_finish)(state));
    fuzz_require(!memcmp(again, q, 4 * samples));
}

/* Transforms there and back, and their coefficients coded at the bound. */
static void check_coefficients(source *s, size_t count)
{
    size_t width = 1 + count % 37, height = 1 + count / 37 % 20, samples;
    if (count >= 0xF000) {
        width = 1 + (count & 4095);
        height = 1 + count % 3;
    }
    samples = width * height;
    int levels = (int)(s->seed % 7);
    int32_t *q = fuzz_room(4 * samples, 0), *original = fuzz_room(4 * samples, 0);
    void *scratch = fuzz_room(4 * (size_t)rs_dwt_scratch(width, height), 0x44);
    int32_t peak = s->seed & 8 ? 1 << 16 : 300;
    for (size_t i = 0; i < samples; i++) original[i] = q[i] = value_of(s, i, -peak, peak - 1);
    float *values = fuzz_room(4 * samples, 0);
    for (size_t i = 0; i < samples; i++) values[i] = (float)q[i];
    fuzz_require(rs_dwt53_forward(q, width, height, levels, scratch) == levels);
    fuzz_require(rs_dwt97_forward(values, width, height, levels, scratch) == levels);
    for (int fast = 0; fast < 2; fast++) code_plane(fast, NULL, q, width, height, levels);
    int32_t *back = fuzz_copy(q, 4 * samples);
    fuzz_require(rs_dwt53_inverse(back, width, height, levels, scratch) == levels);
    fuzz_require(!memcmp(back, original, 4 * samples));
    for (int fast = 0; fast < 2; fast++) code_plane(fast, values, q, width, height, levels);
    double counts[3], excess[3];
    rs_wavelet_centres(q, values, width, height, levels, 1.0f, counts, excess);
}

int64_t fuzz_encoders(const uint8_t *data, size_t size)
{
    fuzz_input in = {data, size};
    unsigned kind = fuzz_byte(&in) % KINDS, pattern = fuzz_byte(&in) % PATTERNS;
    size_t count = fuzz_word(&in);
    source s = {(int)pattern, 0x9E3779B9u ^ (uint32_t)in.left, fuzz_rest(&in), in.left};
    for (size_t i = 0; i < in.left; i++) s.seed = s.seed * 31 + s.given[i];
    if (!s.seed) s.seed = 1;
    rs_set_cpu(s.seed & 16 ? -1 : 0);
    switch (kind) {
    case BYTES_RANS: check_bytes(&s, count, rs_rans_bound, rs_rans_encode, rs_rans_decode); break;
    case BYTES_HUFFMAN: check_bytes(&s, count, rs_huffman_bound, rs_huffman_encode, rs_huffman_decode); break;
    case BITS: check_bits(&s, count); break;
    case LEVELS: check_levels(&s, count); break;
    case COEFFICIENTS: check_coefficients(&s, count); break;
    default: check_pixels(&s, count); break;
    }
    return 0;
}
