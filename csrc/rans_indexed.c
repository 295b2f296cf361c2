/* rANS with a table for every symbol, for codecs whose model predicts a distribution per coefficient.
 *
 * The derivation is in rans.c. Here M = 2^16, so states have 64 bits and move 32-bit words, in
 * [2^31, 2^63): with M this large, 32-bit states would be too coarse and cost some per cent. Symbol i
 * belongs to state i mod N; N is 1 for short data and 4 else, as each state costs 8 bytes.
 *
 * Values outside their table (rans_tables.h) are coded as its escape, and written in a list of their own
 * behind the words (zigzag, 7 bits a byte, in order), so that decoding a symbol always takes the same steps.
 *
 * Stream: length of the words in bytes (u32), states, words, escaped values. */
#include "rans_tables.h"

#include <string.h>

enum { FEW = 1, MANY = 4, LONG = 1 << 12, ESCAPE_BYTES = 5 };

static const uint64_t LOW = 1ull << 31;

static size_t states_for(size_t count) { return count < LONG ? FEW : MANY; }

static int32_t unzigzag(uint32_t value)
{
    uint32_t bits = value >> 1 ^ (value & 1 ? UINT32_MAX : 0);
    int32_t out;
    memcpy(&out, &bits, sizeof out);
    return out;
}

int64_t rs_ranx_bound(size_t count)
{
    /* At most 16 bits and an escaped value a symbol. */
    return count > RS_MAX_SYMBOLS ? RS_ERR_ARGUMENT : (int64_t)(count * (2 + ESCAPE_BYTES) + 12 * MANY + 16);
}

static uint8_t *put_escapes(const rans_model *m, const int32_t *values, const uint16_t *index, size_t count, uint8_t *at)
{
    for (size_t i = 0; i < count; i++) {
        if (!rans_is_escape(m, index[i], rans_symbol_of(m, index[i], values[i]))) continue;
        uint32_t left = rans_zigzag(values[i]);
        for (; left > 127; left >>= 7) *at++ = (uint8_t)(left | 128);
        *at++ = (uint8_t)left;
    }
    return at;
}

int64_t rs_ranx_encode(const int32_t *values, const uint16_t *index, size_t count, const uint16_t *cdfs, size_t entries,
                       const uint32_t *rows, const int32_t *offsets, uint32_t tables, uint8_t *dst, size_t capacity)
{
    rans_model m = {cdfs, rows, offsets, tables};
    uint64_t states[MANY];
    size_t n = states_for(count);
    if (!count) return 0;
    if (count > RS_MAX_SYMBOLS) return RS_ERR_ARGUMENT;
    if (rans_check_model(&m, entries) < 0) return RS_ERR_ARGUMENT;
    if ((int64_t)capacity < rs_ranx_bound(count)) return RS_ERR_SPACE;
    for (size_t i = 0; i < count; i++)
        if (index[i] >= tables) return RS_ERR_ARGUMENT;
    for (size_t i = 0; i < n; i++) states[i] = LOW;
    uint8_t *words = dst + capacity;
    for (size_t i = count; i-- > 0;) {
        uint32_t row = rows[index[i]], symbol = rans_symbol_of(&m, index[i], values[i]);
        uint32_t start = cdfs[row + symbol];
        uint32_t end = rans_is_escape(&m, index[i], symbol) ? 1u << CDF_BITS : cdfs[row + symbol + 1];
        uint64_t x = states[i % n], f = end - start;
        if (x >= f << (63 - CDF_BITS)) { /* f * 2^31 / 2^16 * 2^32: the state would leave [2^31, 2^63) */
            words -= 4;
            rans_put_word(words, x, 4);
            x >>= 32;
        }
        states[i % n] = (x / f << CDF_BITS) + x % f + start;
    }
    size_t size = (size_t)(dst + capacity - words);
    uint8_t *at = rans_put_word(dst, size, 4);
    for (size_t i = 0; i < n; i++) at = rans_put_word(at, states[i], 8);
    memmove(at, words, size);
    return put_escapes(&m, values, index, count, at + size) - dst;
}

static int64_t get_escape(const uint8_t **at, const uint8_t *end, int32_t *value)
{
    uint32_t bits = 0;
    for (int shift = 0; shift < 35; shift += 7) {
        if (*at == end) return RS_ERR_TRUNCATED;
        uint32_t byte = *(*at)++;
        if (shift == 28 && byte > 15) return RS_ERR_CORRUPT;
        bits |= (byte & 127) << shift;
        if (byte & 128) continue;
        *value = unzigzag(bits);
        return 0;
    }
    return RS_ERR_CORRUPT;
}

int64_t rs_ranx_decode(const uint8_t *data, size_t size, const uint16_t *index, size_t count, const uint16_t *cdfs,
                       size_t entries, const uint32_t *rows, const int32_t *offsets, uint32_t tables, int32_t *values)
{
    rans_model m = {cdfs, rows, offsets, tables};
    uint64_t states[MANY];
    size_t n = states_for(count);
    if (!count) return size ? RS_ERR_CORRUPT : 0;
    if (count > RS_MAX_SYMBOLS || rans_check_model(&m, entries) < 0) return RS_ERR_ARGUMENT;
    if (size < 4 + 8 * n) return RS_ERR_TRUNCATED;
    uint64_t bytes = rans_get_word(data, 4);
    const uint8_t *at = data + 4;
    for (size_t i = 0; i < n; i++, at += 8) {
        states[i] = rans_get_word(at, 8);
        if (states[i] < LOW || states[i] >= LOW << 32) return RS_ERR_CORRUPT;
    }
    if (bytes > size - 4 - 8 * n) return RS_ERR_TRUNCATED;
    const uint8_t *end = at + bytes, *escapes = end;
    for (size_t i = 0; i < count; i++) {
        uint32_t table = index[i];
        if (table >= tables) return RS_ERR_ARGUMENT;
        uint64_t x = states[i % n];
        uint32_t slot = (uint32_t)x & ((1u << CDF_BITS) - 1), length = rows[table + 1] - rows[table];
        const uint16_t *row = cdfs + rows[table];
        uint32_t symbol = rans_find(row, length, slot);
        uint32_t stop = symbol + 1 < length ? row[symbol + 1] : 1u << CDF_BITS;
        x = (stop - row[symbol]) * (x >> CDF_BITS) + slot - row[symbol];
        if (x < LOW) {
            if (end - at < 4) return RS_ERR_TRUNCATED;
            x = x << 32 | rans_get_word(at, 4);
            at += 4;
        }
        states[i % n] = x;
        if (symbol + 1 == length) {
            int64_t result = get_escape(&escapes, data + size, &values[i]);
            if (result < 0) return result;
            if (!rans_is_escape(&m, table, rans_symbol_of(&m, table, values[i]))) return RS_ERR_CORRUPT;
        } else {
            values[i] = (int32_t)((int64_t)offsets[table] + symbol);
        }
    }
    for (size_t i = 0; i < n; i++)
        if (states[i] != LOW) return RS_ERR_CORRUPT;
    return at == end && escapes == data + size ? (int64_t)count : RS_ERR_CORRUPT;
}
