/* The wavelet codec's decoder with either coder of coefficients, from these to samples, as engine/codecs/wavelet.py
 * strings it together, on plain and on vector instructions. Input: width and height less one, planes (bit 0 colour, bit 1
 * alpha, bit 2 lossless, bit 3 two bytes a sample), levels of the transform, exponent of the step (u8 each); stream. */
#include "fuzz.h"

enum { ALPHA = 3, MOST_LEVELS = 12, PLAIN = 0, VECTORS = -1 };

typedef int64_t (*level_decoder)(void *, int, int32_t *, const int32_t *, const int32_t *, size_t, size_t, int, int);
typedef int64_t (*level_encoder)(void *, int, const float *, float, float, int, int32_t *, const int32_t *, const int32_t *,
                                 size_t, size_t, int, int);

typedef struct {
    size_t most_side;
    level_decoder decode;
    level_encoder encode;
    int64_t (*decode_finish)(void *), (*encode_finish)(void *), (*bound)(size_t);
} coder;

static const coder MIXING = {48, rs_wavelet_decode_level, rs_wavelet_encode_level, rs_wavelet_decode_finish,
                             rs_wavelet_encode_finish, rs_wavelet_bound};
/* Sides for more than one chunk of symbols. */
static const coder NIBBLE = {256, rs_nibble_decode_level, rs_nibble_encode_level, rs_nibble_decode_finish,
                             rs_nibble_encode_finish, rs_nibble_bound};

typedef struct {
    const coder *coder;
    size_t width, height, count, planes;
    int colour, alpha, lossless, bytes, levels;
    float step;
    int number[4];
    int32_t *q[4];
} picture;

static picture read_header(const coder *coder, fuzz_input *in)
{
    picture p = {.coder = coder};
    p.width = 1 + fuzz_byte(in) % coder->most_side;
    p.height = 1 + fuzz_byte(in) % coder->most_side;
    unsigned flags = fuzz_byte(in);
    p.count = p.width * p.height;
    p.colour = flags & 1;
    p.alpha = flags >> 1 & 1;
    p.lossless = flags >> 2 & 1;
    p.bytes = flags >> 3 & 1 ? 2 : 1;
    p.levels = (int)(fuzz_byte(in) % (MOST_LEVELS + 1));
    p.step = 1.0f;
    for (unsigned i = fuzz_byte(in) % 32; i > 0; i--) p.step *= i & 1 ? 2.0f : 1.5f;
    for (int i = 0; i < (p.colour ? 3 : 1); i++) p.number[p.planes++] = i;
    if (p.alpha) p.number[p.planes++] = ALPHA;
    return p;
}

/* The colour planes before chroma plane i, which tell of it. */
static const int32_t *guide(const picture *p, size_t i, int which)
{
    int number = p->number[i];
    return (number == 1 || number == 2) && which < number ? p->q[which] : NULL;
}

static void make_planes(picture *p, uint8_t fill)
{
    for (size_t i = 0; i < p->planes; i++) p->q[i] = fuzz_room(4 * p->count, fill);
}

static void *make_state(const picture *p, int encoder)
{
    int64_t bytes =
        p->coder == &NIBBLE ? rs_nibble_state(p->width, p->height, encoder) : rs_wavelet_state(p->width);
    fuzz_require(bytes > 0);
    return fuzz_state((size_t)bytes);
}

/* What a level's details cover when a stream ends there: all of the plane up to it. */
static void check_cut(const picture *p, const picture *other, size_t i, int level)
{
    int shift = level > p->levels ? p->levels : level - 1;
    size_t round = ((size_t)1 << shift) - 1, width = (p->width + round) >> shift, height = (p->height + round) >> shift;
    for (size_t y = 0; y < height; y++)
        fuzz_require(!memcmp(p->q[i] + y * p->width, other->q[i] + y * p->width, 4 * width));
}

/* Tells which plane and level were the last; and what coefficients cost, where there is room for it. */
static int64_t decode(const picture *p, const uint8_t *stream, size_t size, float *const *bits, size_t *last, int *last_level)
{
    void *state = make_state(p, 0);
    int64_t result = p->coder == &NIBBLE ? rs_nibble_decode_start(state, p->width, p->height, stream, size)
                                         : rs_wavelet_decode_start(state, p->width, stream, size);
    *last_level = 0;
    for (int level = p->levels + 1; level > 0; level--)
        for (size_t i = 0; i < p->planes && result >= 0; i++) {
            if (bits) (p->coder == &NIBBLE ? rs_nibble_tell : rs_wavelet_tell)(state, bits[i]);
            result = p->coder->decode(state, p->number[i], p->q[i], guide(p, i, 0), guide(p, i, 1), p->width, p->height,
                                      p->levels, level);
            *last = i;
            *last_level = level;
        }
    return result < 0 ? result : p->coder->decode_finish(state);
}

static int64_t encode(const picture *p, float *const *coefficients, uint8_t *coded, size_t capacity)
{
    void *state = make_state(p, 1);
    int64_t result = p->coder == &NIBBLE ? rs_nibble_encode_start(state, p->width, p->height, coded, capacity)
                                         : rs_wavelet_encode_start(state, p->width, coded, capacity);
    for (int level = p->levels + 1; level > 0; level--)
        for (size_t i = 0; i < p->planes && result >= 0; i++) {
            float *from = coefficients && p->number[i] != ALPHA ? coefficients[i] : NULL;
            result = p->coder->encode(state, p->number[i], from, p->step, 0.1f, 0, p->q[i], guide(p, i, 0),
                                      guide(p, i, 1), p->width, p->height, p->levels, level);
        }
    return result < 0 ? result : p->coder->encode_finish(state);
}

/* What is encoded with no more room than promised decodes to the same; with less it is refused. */
static void round_trip(const picture *p, float *const *coefficients)
{
    int64_t bound = p->coder->bound(p->planes * p->count);
    fuzz_require(bound > 0);
    uint8_t *coded = fuzz_room((size_t)bound, 0xEE);
    int64_t size = encode(p, coefficients, coded, (size_t)bound);
    if (size == RS_ERR_RANGE && coefficients) return; /* values at the end of the range, rounded to floats in between */
    fuzz_require(size >= 0 && size <= bound);
    picture again = *p;
    size_t last;
    int level;
    make_planes(&again, 0x77);
    fuzz_require(!decode(&again, fuzz_copy(coded, (size_t)size), (size_t)size, NULL, &last, &level));
    for (size_t i = 0; i < p->planes; i++) fuzz_require(!memcmp(p->q[i], again.q[i], 4 * p->count));
    size_t less = (size_t)size / 2;
    if (less < (size_t)size) fuzz_require(encode(p, NULL, fuzz_room(less, 0), less) == RS_ERR_SPACE);
}

/* Inverse transforms, colour, samples: the pixels. Fills in the coefficients of lossy planes. */
static const void *reconstruct(const picture *p, float *coefficients[4])
{
    static const float CENTRE[3] = {-0.1f, 0.0f, 0.2f}, AXES[9] = {0.6f, 0.8f, 0, -0.8f, 0.6f, 0, 0, 0, 1};
    int64_t scratch_words = rs_dwt_scratch(p->width, p->height);
    void *scratch = fuzz_room(4 * (size_t)scratch_words, 0x44);
    int channels = (int)p->planes, bits = 8 * p->bytes;
    int32_t *whole[4];
    float *values[4];
    for (size_t i = 0; i < p->planes; i++) {
        whole[i] = fuzz_copy(p->q[i], 4 * p->count);
        if (p->lossless || p->number[i] == ALPHA) {
            fuzz_require(rs_dwt53_inverse(whole[i], p->width, p->height, p->levels, scratch) == p->levels);
            continue;
        }
        int32_t *q = fuzz_copy(p->q[i], 4 * p->count);
        coefficients[i] = (float *)q;
        rs_wavelet_dequantise(q, p->width, p->height, p->levels, p->step, CENTRE, coefficients[i]);
        values[i] = fuzz_copy(coefficients[i], 4 * p->count);
        fuzz_require(rs_dwt97_inverse(values[i], p->width, p->height, p->levels, scratch) == p->levels);
        rs_plane_round(values[i], p->count, whole[i]);
    }
    void *pixels = fuzz_room(p->count * p->planes * (size_t)p->bytes, 0);
    int32_t offset = 1 << (bits - 1);
    int64_t count = (int64_t)p->count;
    if (p->colour && p->lossless)
        fuzz_require(rs_ycocg_store(whole[0], whole[1], whole[2], p->count, offset, bits, channels, pixels, p->bytes) == count);
    if (p->colour && !p->lossless)
        fuzz_require(rs_rotate_store(values[0], values[1], values[2], p->count, AXES, offset, bits, channels, pixels,
                                     p->bytes) == count);
    for (int i = p->colour ? 3 : 0; i < channels; i++)
        fuzz_require(rs_plane_store(whole[i], p->count, channels, i, offset, bits, pixels, p->bytes) == count);
    return pixels;
}

/* Decoding the same while telling what everything costs. */
static void check_costs(const picture *p, const uint8_t *stream, size_t size)
{
    picture again = *p;
    float *bits[4];
    size_t last;
    int level;
    make_planes(&again, 0x99);
    for (size_t i = 0; i < p->planes; i++) bits[i] = fuzz_room(4 * p->count, 0);
    fuzz_require(!decode(&again, stream, size, bits, &last, &level));
    for (size_t i = 0; i < p->planes; i++) {
        fuzz_require(!memcmp(p->q[i], again.q[i], 4 * p->count));
        for (size_t k = 0; k < p->count; k++) fuzz_require(bits[i][k] >= 0.0f && bits[i][k] < 1e9f);
    }
}

/* The second time other instructions are used and other values lie where results go. */
static int64_t decode_twice(const coder *coder, const uint8_t *data, size_t size, picture *p)
{
    fuzz_input in = {data, size};
    *p = read_header(coder, &in);
    picture other = *p;
    const uint8_t *stream = fuzz_rest(&in);
    size_t last = 0;
    int level;
    rs_set_cpu(PLAIN);
    make_planes(p, 0x00);
    int64_t result = decode(p, stream, in.left, NULL, &last, &level);
    if (result < 0 && coder == &MIXING) return result; /* at once: starting a model is slow */
    rs_set_cpu(VECTORS);
    make_planes(&other, 0xFF);
    fuzz_require(result == decode(&other, stream, in.left, NULL, &last, &level));
    if (result == RS_ERR_TRUNCATED && level) check_cut(p, &other, last, level);
    for (size_t i = 0; i < p->planes && result >= 0; i++) {
        fuzz_require(!memcmp(p->q[i], other.q[i], 4 * p->count));
        fuzz_tell(p->q[i], 4 * p->count);
    }
    if (result >= 0) check_costs(p, stream, in.left);
    return result;
}

static int64_t run(const coder *coder, const uint8_t *data, size_t size)
{
    picture p;
    float *coefficients[4];
    int64_t result = decode_twice(coder, data, size, &p);
    if (result < 0) return result;
    const void *vectors = reconstruct(&p, coefficients);
    rs_set_cpu(PLAIN);
    const void *plain = reconstruct(&p, coefficients);
    fuzz_require(!memcmp(plain, vectors, p.count * p.planes * (size_t)p.bytes));
    rs_set_cpu(VECTORS);
    round_trip(&p, NULL);
    if (!p.lossless) round_trip(&p, coefficients); /* quantised anew, with an eye on the rate */
    return result;
}

int64_t fuzz_wavelet(const uint8_t *data, size_t size) { return run(&MIXING, data, size); }
int64_t fuzz_nibble(const uint8_t *data, size_t size) { return run(&NIBBLE, data, size); }
