/* The wavelet codec's decoder, from coefficients to samples, as engine/codecs/wavelet.py strings it together. Input:
 * width and height less one, planes (bit 0 colour, bit 1 alpha, bit 2 lossless, bit 3 two bytes a sample), levels
 * of the transform, exponent of the step (u8 each); stream. */
#include "fuzz.h"

enum { ALPHA = 3, MOST_SIDE = 48, MOST_LEVELS = 12 };

typedef struct {
    size_t width, height, count, planes;
    int colour, alpha, lossless, bytes, levels;
    float step;
    int number[4];
    int32_t *q[4];
} picture;

static picture read_header(fuzz_input *in)
{
    picture p = {.width = 1 + fuzz_byte(in) % MOST_SIDE, .height = 1 + fuzz_byte(in) % MOST_SIDE};
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

static void *make_state(const picture *p)
{
    int64_t bytes = rs_wavelet_state(p->width);
    fuzz_require(bytes > 0);
    return fuzz_scratch((size_t)bytes);
}

static int64_t decode(const picture *p, const uint8_t *stream, size_t size)
{
    void *state = make_state(p);
    int64_t result = rs_wavelet_decode_start(state, p->width, stream, size);
    for (int level = p->levels + 1; level > 0; level--)
        for (size_t i = 0; i < p->planes; i++) {
            if (result >= 0)
                result = rs_wavelet_decode_level(state, p->number[i], p->q[i], guide(p, i, 0), guide(p, i, 1), p->width,
                                                 p->height, p->levels, level);
        }
    return result < 0 ? result : rs_wavelet_decode_finish(state);
}

static int64_t encode(const picture *p, float *const *coefficients, uint8_t *coded, size_t capacity)
{
    void *state = make_state(p);
    int64_t result = rs_wavelet_encode_start(state, p->width, coded, capacity);
    for (int level = p->levels + 1; level > 0; level--)
        for (size_t i = 0; i < p->planes; i++) {
            float *from = coefficients && p->number[i] != ALPHA ? coefficients[i] : NULL;
            if (result >= 0)
                result = rs_wavelet_encode_level(state, p->number[i], from, p->step, 0.1f, 0, p->q[i], guide(p, i, 0),
                                                 guide(p, i, 1), p->width, p->height, p->levels, level);
        }
    return result < 0 ? result : rs_wavelet_encode_finish(state);
}

/* What is encoded with no more room than promised decodes to the same; with less it is refused. */
static void round_trip(const picture *p, float *const *coefficients)
{
    int64_t bound = rs_wavelet_bound(p->planes * p->count);
    fuzz_require(bound > 0);
    uint8_t *coded = fuzz_room((size_t)bound, 0xEE);
    int64_t size = encode(p, coefficients, coded, (size_t)bound);
    fuzz_require(size >= 0 && size <= bound);
    picture again = *p;
    make_planes(&again, 0x77);
    fuzz_require(!decode(&again, fuzz_copy(coded, (size_t)size), (size_t)size));
    for (size_t i = 0; i < p->planes; i++) fuzz_require(!memcmp(p->q[i], again.q[i], 4 * p->count));
    size_t less = (size_t)size / 2;
    if (less < (size_t)size) fuzz_require(encode(p, NULL, fuzz_room(less, 0), less) == RS_ERR_SPACE);
}

/* Inverse transforms, colour, samples. Fills in the coefficients of lossy planes. */
static void reconstruct(const picture *p, float *coefficients[4])
{
    static const float CENTRE[3] = {-0.1f, 0.0f, 0.2f}, AXES[9] = {0.6f, 0.8f, 0, -0.8f, 0.6f, 0, 0, 0, 1};
    int64_t scratch_words = rs_dwt_scratch(p->width, p->height);
    void *scratch = fuzz_room(4 * (size_t)scratch_words, 0x44);
    int channels = (int)p->planes, bits = 8 * p->bytes;
    int32_t *whole[4];
    float *values[4];
    for (size_t i = 0; i < p->planes; i++) {
        whole[i] = fuzz_copy(p->q[i], 4 * p->count);
        coefficients[i] = fuzz_room(4 * p->count, 0xFF);
        if (p->lossless || p->number[i] == ALPHA) {
            fuzz_require(rs_dwt53_inverse(whole[i], p->width, p->height, p->levels, scratch) == p->levels);
            continue;
        }
        rs_wavelet_dequantise(p->q[i], p->width, p->height, p->levels, p->step, CENTRE, coefficients[i]);
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
}

int64_t fuzz_wavelet(const uint8_t *data, size_t size)
{
    fuzz_input in = {data, size};
    picture p = read_header(&in), other = p;
    const uint8_t *stream = fuzz_rest(&in);
    make_planes(&p, 0x00);
    int64_t result = decode(&p, stream, in.left);
    if (result < 0) return result; /* at once: starting a model is slow */
    make_planes(&other, 0xFF);
    fuzz_require(!decode(&other, stream, in.left));
    for (size_t i = 0; i < p.planes; i++) {
        fuzz_require(!memcmp(p.q[i], other.q[i], 4 * p.count));
        fuzz_tell(p.q[i], 4 * p.count);
    }
    float *coefficients[4];
    reconstruct(&p, coefficients);
    round_trip(&p, NULL);
    if (!p.lossless) round_trip(&p, coefficients); /* quantised anew, with an eye on the rate */
    return result;
}
