/* rANS for the latent of a learned codec: the tables of later symbols depend on earlier ones, so that a
 * reader has to stop and go on. One 64-bit state, moved by 32-bit words, M = 2^16 (rans_indexed.c).
 *
 * A value outside its table is its escape, then n in four bits, then the n bits of zigzag(value) + 1 below the
 * leading one: an Exp-Golomb code (J. Teuhola, "A compression method for clustered bit-vectors", 1978) of
 * symbols of equal chances. So the format itself bounds values, to +-RS_LATENT_MAX.
 *
 * Stream: state (8 bytes), words. Encoding runs backwards, so a reader meets everything in order. The state that
 * encoding begins with, which decoding must end in, is 2^31 plus a mark of 31 bits: a checksum that costs nothing. */
#include "latent_coder.h"

#include <string.h>

enum { LENGTH_BITS = LATENT_LENGTH_BITS, STATE_BYTES = 8, WORD_BYTES = LATENT_WORD_BYTES };

static const uint64_t LOW = LATENT_LOW;

int64_t rs_latent_bound(size_t count)
{
    /* 16 bits for the symbol, four and at most fifteen for an escaped value: under 40. */
    return count > RS_MAX_SYMBOLS ? RS_ERR_ARGUMENT : (int64_t)(count * 5 + STATE_BYTES + WORD_BYTES);
}

int64_t rs_latent_write_start(size_t capacity, uint32_t mark, uint64_t *writer)
{
    if (mark >= LOW) return RS_ERR_ARGUMENT;
    writer[0] = LOW + mark;
    writer[1] = capacity;
    return 0;
}

int64_t rs_latent_write(const int32_t *values, const uint16_t *index, size_t count, const uint16_t *cdfs,
                        size_t entries, const uint32_t *rows, const int32_t *offsets, uint32_t tables, uint8_t *dst,
                        size_t capacity, uint64_t *writer)
{
    rans_model m = {cdfs, rows, offsets, tables};
    if (count > RS_MAX_SYMBOLS || rans_check_model(&m, entries) < 0) return RS_ERR_ARGUMENT;
    if (writer[1] > capacity || (int64_t)writer[1] < rs_latent_bound(count)) return RS_ERR_SPACE;
    for (size_t i = 0; i < count; i++) {
        if (index[i] >= tables) return RS_ERR_ARGUMENT;
        if (values[i] < -RS_LATENT_MAX || values[i] > RS_LATENT_MAX) return RS_ERR_RANGE;
    }
    for (size_t i = count; i-- > 0;) {
        uint32_t row = rows[index[i]], symbol = rans_symbol_of(&m, index[i], values[i]);
        int escape = rans_is_escape(&m, index[i], symbol);
        uint32_t start = cdfs[row + symbol], end = escape ? 1u << CDF_BITS : cdfs[row + symbol + 1];
        if (escape) latent_push_escaped(dst, writer, values[i]);
        latent_push(dst, writer, start, end - start, CDF_BITS);
    }
    return 0;
}

int64_t rs_latent_write_end(uint8_t *dst, size_t capacity, const uint64_t *writer)
{
    if (writer[1] > capacity || writer[1] < STATE_BYTES) return RS_ERR_ARGUMENT;
    uint8_t *at = rans_put_word(dst, writer[0], STATE_BYTES);
    memmove(at, dst + writer[1], capacity - writer[1]);
    return (int64_t)(STATE_BYTES + capacity - writer[1]);
}

int64_t rs_latent_read_start(const uint8_t *data, size_t size, uint64_t *reader)
{
    if (size < STATE_BYTES) return RS_ERR_TRUNCATED;
    reader[0] = rans_get_word(data, STATE_BYTES);
    reader[1] = STATE_BYTES;
    return reader[0] < LOW || reader[0] >= LOW << 32 ? RS_ERR_CORRUPT : 0;
}

int64_t rs_latent_read(const uint8_t *data, size_t size, const uint16_t *index, size_t count, const uint16_t *cdfs,
                       size_t entries, const uint32_t *rows, const int32_t *offsets, uint32_t tables, uint64_t *reader,
                       int32_t *values)
{
    rans_model m = {cdfs, rows, offsets, tables};
    if (count > RS_MAX_SYMBOLS || rans_check_model(&m, entries) < 0) return RS_ERR_ARGUMENT;
    if (reader[1] > size) return RS_ERR_ARGUMENT;
    for (size_t i = 0; i < count; i++) {
        if (index[i] >= tables) return RS_ERR_ARGUMENT;
        int64_t code = latent_read_one(&m, data, size, index[i], reader, &values[i]);
        if (code < 0) return code;
    }
    return (int64_t)count;
}

int64_t rs_latent_read_end(size_t size, const uint64_t *reader)
{
    if (reader[1] != size || reader[0] < LOW || reader[0] >= 2 * LOW) return RS_ERR_CORRUPT;
    return (int64_t)(reader[0] - LOW);
}
