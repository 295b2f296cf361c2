/* Coding under mixtures of logistic densities, and mixtures from a head's sums. Input: number of symbols (u16), flags
 * (mixture_model.h), length of the pattern of densities that repeats, size of the first portion, what is spoilt (u8
 * each); of the pattern, for each density, the last first, its row (u8) and, but for the first, its shift (i16) and its
 * part of the weight that is left (u8); stream. All bytes, over and over, are tables, units, sums, values to encode too. */
#include "mixture_model.h"

#include <math.h>

enum { MOST = 200, POSITIONS = 3, MARK = 12345 };

static int64_t read_in_portions(const rs_latent_mixing *m, size_t count, size_t first, const uint8_t *stream,
                                size_t size, int32_t *values)
{
    uint64_t reader[2];
    rs_latent_mixing at = *m;
    int64_t code = rs_latent_read_start(stream, size, reader);
    for (size_t done = 0, n = first; code >= 0 && done < count; done += n, n = count - first) {
        code = rs_latent_read_mixed(stream, size, n, &at, reader, values + done);
        fuzz_require(code < 0 || code == (int64_t)n);
        at.rows += n * (size_t)m->mixtures;
        at.shifts += n * (size_t)(m->mixtures - 1);
        at.weights += n * (size_t)m->mixtures;
    }
    return code < 0 ? code : rs_latent_read_end(size, reader);
}

static int64_t write_whole(const rs_latent_mixing *m, const int32_t *values, size_t count, uint32_t mark, size_t room,
                           uint8_t **coded)
{
    uint64_t writer[2];
    *coded = fuzz_room(room, 0xEE);
    int64_t code = rs_latent_write_start(room, mark, writer);
    if (code >= 0) code = rs_latent_write_mixed(values, count, m, *coded, room, writer);
    return code < 0 ? code : rs_latent_write_end(*coded, room, writer);
}

/* A stream is as long as its symbols cost, and its ends: the coder starts from 31 to 32 bits, and ends in 31 to 63 of 64. */
static void require_costs(const rs_latent_mixing *m, const int32_t *values, size_t count, int64_t size)
{
    float *bits = fuzz_room(4 * count, 0xEE);
    double sum = 0;
    fuzz_require(rs_latent_mixed_costs(values, count, m, bits) == 0);
    for (size_t i = 0; i < count; i++) {
        fuzz_require(isfinite(bits[i]) && bits[i] >= 0);
        sum += (double)bits[i];
    }
    fuzz_require((double)(8 * size) - sum > 31.5 && (double)(8 * size) - sum < 65.5);
}

/* Encodes values, which must come back, and refuses to in too little room. Returns the size of the stream. */
static int64_t round_trip(const rs_latent_mixing *m, const int32_t *values, size_t count, uint32_t mark,
                          uint8_t **coded)
{
    uint8_t *less;
    size_t bound = (size_t)rs_latent_bound(count);
    fuzz_require(write_whole(m, values, count, mark, bound - 1, &less) == RS_ERR_SPACE);
    int64_t size = write_whole(m, values, count, mark, bound, coded);
    fuzz_require(size >= 0 && size <= (int64_t)bound);
    int32_t *again = fuzz_room(4 * count, 0xEE);
    const uint8_t *stream = fuzz_copy(*coded, (size_t)size);
    fuzz_require(read_in_portions(m, count, count, stream, (size_t)size, again) == (int64_t)mark);
    fuzz_require(!memcmp(values, again, 4 * count));
    require_costs(m, values, count, size);
    fuzz_tell(stream, (size_t)size);
    return size;
}

/* Any values that a stream can hold come back; other ones are refused. */
static void encode_any(const rs_latent_mixing *m, size_t count, fuzz_numbers *from)
{
    int32_t *values = fuzz_room(4 * count, 0);
    int wide = 0;
    uint8_t *coded;
    for (size_t i = 0; i < count; i++) {
        values[i] = fuzz_number(from) / (1 << i % 16);
        wide |= values[i] < -RS_LATENT_MAX;
    }
    if (!wide) round_trip(m, values, count, MARK, &coded);
    else fuzz_require(write_whole(m, values, count, MARK, (size_t)rs_latent_bound(count), &coded) == RS_ERR_RANGE);
}

typedef struct {
    size_t count;
    int32_t *means;
    uint8_t *rows;
    int16_t *shifts;
    uint16_t *weights;
    int64_t code;
} predicted;

/* From any sums; room for what is predicted by a model that is sound. */
static predicted predict(const mixture_model *sound, const mixture_model *x, fuzz_numbers *from)
{
    size_t k = (size_t)sound->m.mixtures, count = POSITIONS * (size_t)sound->u.channels;
    size_t each = 3 * k - 2 + (size_t)sound->u.means;
    int32_t *sums = fuzz_room(4 * count * each, 0);
    for (size_t i = 0; i < count * each; i++) sums[i] = (int32_t)((uint32_t)fuzz_number(from) * 2654435769u);
    predicted p = {count, fuzz_room(4 * count, 0xEE), fuzz_room(count * k, 0xEE), fuzz_room(2 * count * (k - 1), 0xEE),
                   fuzz_room(2 * count * k, 0xEE), 0};
    p.code = rs_latent_predict_mixed(sums, POSITIONS, &x->u, &x->m, p.means, p.rows, p.shifts, p.weights);
    return p;
}

/* What is predicted are densities, under which can be coded. */
static void use_predicted(const mixture_model *x, fuzz_numbers *from)
{
    predicted p = predict(x, x, from);
    rs_latent_mixing m = x->m;
    size_t k = (size_t)m.mixtures;
    fuzz_require(p.code == 0);
    for (size_t i = 0; i < p.count; i++) {
        uint32_t whole = 0;
        for (size_t j = 0; j < k; j++) {
            fuzz_require(p.rows[i * k + j] < m.row_count);
            whole += p.weights[i * k + j];
        }
        fuzz_require(whole == 1 << 15);
        fuzz_require(x->u.means ? p.means[i] >= -(1 << 19) && p.means[i] <= 1 << 19 : !p.means[i]);
    }
    fuzz_tell(p.means, 4 * p.count);
    fuzz_tell(p.weights, 2 * p.count * k);
    m.rows = p.rows, m.shifts = p.shifts, m.weights = p.weights;
    encode_any(&m, p.count, from);
}

static int64_t refuse(const mixture_model *sound, unsigned what, const uint8_t *stream, size_t size, fuzz_numbers *from)
{
    mixture_model x = *sound;
    mixture_spoil(&x, what);
    if (what >= SPOILT_TABLES) fuzz_require(predict(sound, &x, from).code == RS_ERR_ARGUMENT);
    if (what >= SPOILT_UNITS) return RS_ERR_ARGUMENT;
    int32_t *values = fuzz_room(4 * x.count, 0);
    float *bits = fuzz_room(4 * x.count, 0);
    uint8_t *coded;
    uint64_t reader[2] = {(uint64_t)1 << 31, 0};
    fuzz_require(write_whole(&x.m, values, x.count, 0, (size_t)rs_latent_bound(x.count), &coded) == RS_ERR_ARGUMENT);
    fuzz_require(rs_latent_mixed_costs(values, x.count, &x.m, bits) == RS_ERR_ARGUMENT);
    int64_t code = rs_latent_read_mixed(stream, size, x.count, &x.m, reader, values);
    /* The stream may end before the last symbol. */
    fuzz_require(what < SPOILT_TABLES ? code < 0 : code == RS_ERR_ARGUMENT);
    return code;
}

int64_t fuzz_mixture(const uint8_t *data, size_t size)
{
    fuzz_input in = {data, size};
    fuzz_numbers from = {in, data, size};
    size_t count = fuzz_word(&in) % MOST;
    unsigned flags = fuzz_byte(&in), repeat = 1 + fuzz_byte(&in), first = fuzz_byte(&in), spoilt = fuzz_byte(&in);
    mixture_model x = mixture_read(&in, count, repeat, flags, &from);
    const uint8_t *stream = fuzz_rest(&in);
    if (count && spoilt && spoilt < SPOILT_KINDS) return refuse(&x, spoilt, stream, in.left, &from);
    int32_t *once = fuzz_room(4 * count, 0x00), *twice = fuzz_room(4 * count, 0xFF);
    int64_t result = read_in_portions(&x.m, count, count, stream, in.left, once);
    fuzz_require(result == read_in_portions(&x.m, count, count ? 1 + first % count : 0, stream, in.left, twice));
    if (result >= 0) {
        uint8_t *coded;
        fuzz_require(result <= INT32_MAX && !memcmp(once, twice, 4 * count));
        fuzz_tell(once, 4 * count);
        /* A stream is the only one of its values: what ours could not have written is refused. */
        fuzz_require(round_trip(&x.m, once, count, (uint32_t)result, &coded) == (int64_t)in.left);
        fuzz_require(!memcmp(coded, stream, in.left));
    }
    encode_any(&x.m, count, &from);
    use_predicted(&x, &from);
    return result;
}
