/* rANS with a table a symbol, at once and in portions. Input: number of values (u16), length of the pattern of table numbers that repeats
 * over them (u8), tables (u8), entries (u8); then pattern (u8 each), rows (u8), offsets (i32), cdfs (u16); stream. */
#include "fuzz.h"

enum { MOST = 6000 };

typedef struct {
    uint16_t *index, *cdfs;
    uint32_t *rows, tables;
    int32_t *offsets;
    size_t count, entries;
} model;

static model read_model(fuzz_input *in)
{
    model m = {.count = fuzz_word(in) % MOST};
    unsigned repeat = 1 + fuzz_byte(in);
    m.tables = fuzz_byte(in);
    m.entries = fuzz_byte(in);
    m.index = fuzz_room(2 * m.count, 0);
    m.rows = fuzz_room(4 * (m.tables + 1), 0);
    m.offsets = fuzz_room(4 * m.tables, 0);
    m.cdfs = fuzz_room(2 * m.entries, 0);
    for (size_t i = 0; i < m.count; i++) m.index[i] = (uint16_t)(i < repeat ? fuzz_byte(in) : m.index[i - repeat]);
    for (size_t i = 0; i <= m.tables; i++) m.rows[i] = fuzz_byte(in);
    for (size_t i = 0; i < m.tables; i++) {
        unsigned low = fuzz_word(in);
        m.offsets[i] = (int32_t)(low | fuzz_word(in) << 16);
    }
    for (size_t i = 0; i < m.entries; i++) m.cdfs[i] = (uint16_t)fuzz_word(in);
    return m;
}

static int64_t decode(const model *m, const uint8_t *stream, size_t size, int32_t *values)
{
    return rs_ranx_decode(stream, size, m->index, m->count, m->cdfs, m->entries, m->rows, m->offsets, m->tables,
                          values);
}

static void round_trip(const model *m, const int32_t *values)
{
    int64_t bound = rs_ranx_bound(m->count);
    fuzz_require(bound >= 0);
    uint8_t *coded = fuzz_room((size_t)bound, 0xEE);
    int64_t size = rs_ranx_encode(values, m->index, m->count, m->cdfs, m->entries, m->rows, m->offsets, m->tables,
                                  coded, (size_t)bound);
    fuzz_require(size >= 0 && size <= bound);
    int32_t *again = fuzz_room(4 * m->count, 0xEE);
    fuzz_require(decode(m, fuzz_copy(coded, (size_t)size), (size_t)size, again) == (int64_t)m->count);
    fuzz_require(!memcmp(values, again, 4 * m->count));
}

int64_t fuzz_ranx(const uint8_t *data, size_t size)
{
    fuzz_input in = {data, size};
    model m = read_model(&in);
    const uint8_t *stream = fuzz_rest(&in);
    int32_t *once = fuzz_room(4 * m.count, 0x00), *twice = fuzz_room(4 * m.count, 0xFF);
    int64_t result = decode(&m, stream, in.left, once);
    fuzz_require(result == decode(&m, stream, in.left, twice));
    fuzz_require(result < 0 || result == (int64_t)m.count);
    if (result >= 0) {
        fuzz_require(!memcmp(once, twice, 4 * m.count));
        fuzz_tell(once, 4 * m.count);
        round_trip(&m, once);
    }
    /* Any values go through, so these, made from the stream, tell of the encoder's checks of the model. */
    for (size_t i = 0; i < m.count; i++) once[i] = (int32_t)(0x01010101u * (i < in.left ? stream[i] : 0)) >> i % 4;
    int64_t bound = rs_ranx_bound(m.count);
    uint8_t *coded = fuzz_room((size_t)bound, 0xEE);
    int64_t coded_size = rs_ranx_encode(once, m.index, m.count, m.cdfs, m.entries, m.rows, m.offsets, m.tables, coded,
                                        (size_t)bound);
    if (coded_size < 0) fuzz_require(coded_size == RS_ERR_ARGUMENT && (result < 0 || !m.count));
    else round_trip(&m, once);
    return result;
}

static int64_t read_in_portions(const model *m, size_t first, const uint8_t *stream, size_t size, int32_t *values)
{
    uint64_t reader[2];
    int64_t code = rs_latent_read_start(stream, size, reader);
    for (size_t at = 0, n = first; code >= 0 && at < m->count; at += n, n = m->count - first)
        code = rs_latent_read(stream, size, m->index + at, n, m->cdfs, m->entries, m->rows, m->offsets, m->tables,
                              reader, values + at);
    return code < 0 ? code : rs_latent_read_end(size, reader);
}

static int64_t write_whole(const model *m, const int32_t *values, uint32_t mark, uint8_t *coded, size_t capacity)
{
    uint64_t writer[2];
    int64_t code = rs_latent_write_start(capacity, mark, writer);
    if (code >= 0)
        code = rs_latent_write(values, m->index, m->count, m->cdfs, m->entries, m->rows, m->offsets, m->tables, coded,
                               capacity, writer);
    return code < 0 ? code : rs_latent_write_end(coded, capacity, writer);
}

/* As above, and behind the model the size of the first portion (u16). */
int64_t fuzz_latent(const uint8_t *data, size_t size)
{
    fuzz_input in = {data, size};
    model m = read_model(&in);
    size_t first = m.count ? 1 + fuzz_word(&in) % m.count : 0;
    const uint8_t *stream = fuzz_rest(&in);
    int32_t *once = fuzz_room(4 * m.count, 0x00), *twice = fuzz_room(4 * m.count, 0xFF);
    int64_t result = read_in_portions(&m, first, stream, in.left, once);
    fuzz_require(result == read_in_portions(&m, m.count, stream, in.left, twice));
    if (result < 0) return result;
    fuzz_require(result <= INT32_MAX && !memcmp(once, twice, 4 * m.count));
    fuzz_tell(once, 4 * m.count);
    int64_t bound = rs_latent_bound(m.count);
    uint8_t *coded = fuzz_room((size_t)bound, 0xEE);
    int64_t coded_size = write_whole(&m, once, (uint32_t)result, coded, (size_t)bound);
    int wide = 0; /* tables may hold values that no stream of ours may */
    for (size_t i = 0; i < m.count; i++) wide |= once[i] < -RS_LATENT_MAX || once[i] > RS_LATENT_MAX;
    if (!m.count && coded_size < 0) return result; /* nobody looked at the model yet */
    fuzz_require(wide ? coded_size == RS_ERR_RANGE : coded_size >= 0);
    if (!wide) {
        fuzz_require(read_in_portions(&m, m.count, fuzz_copy(coded, (size_t)coded_size), (size_t)coded_size, twice)
                     == result);
        fuzz_require(!memcmp(once, twice, 4 * m.count));
    }
    return result;
}
