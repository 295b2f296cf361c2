/* rANS with a table for every symbol, for codecs whose model predicts a distribution per coefficient.
 *
 * The derivation is in rans.c. Here M = 2^16, so states have 64 bits and move 32-bit words, in
 * [2^31, 2^63): with M this large, 32-bit states would be too coarse and cost some per cent. Symbol i
 * belongs to state i mod N; N is 1 for short data and 4 else, as each state costs 8 bytes.
 *
 * A table is a row of a caller's array: n starts of n symbols, the first 0, rising, the end 2^16 not
 * written. The last symbol of a row is the escape: values outside offset...offset + n - 2 are coded as
 * it, and written in a list of their own behind the words (zigzag, 7 bits a byte, in order), so that
 * decoding a symbol always takes the same steps.
 *
 * Stream: length of the words in bytes (u32), states, words, escaped values. */
#include "ratescope.h"

#include <string.h>

enum { CDF_BITS = 16, FEW = 1, MANY = 4, LONG = 1 << 12, ESCAPE_BYTES = 5 };

static const uint64_t LOW = 1ull << 31;

typedef struct {
    const uint16_t *cdfs;
    const uint32_t *rows; /* tables + 1 positions in cdfs */
    const int32_t *offsets;
    uint32_t tables;
} model;

static size_t states_for(size_t count) { return count < LONG ? FEW : MANY; }

/* Rows lie one behind the other, hold at least two symbols, start at 0 and rise: no frequency is 0. */
static int64_t check_model(const model *m, size_t entries)
{
    if (m->tables < 1 || m->tables > 1 << 16) return RS_ERR_ARGUMENT;
    if (m->rows[0] != 0 || m->rows[m->tables] != entries) return RS_ERR_ARGUMENT;
    for (uint32_t t = 0; t < m->tables; t++) {
        if (m->rows[t] >= m->rows[t + 1] || m->rows[t + 1] > entries) return RS_ERR_ARGUMENT;
        if (m->rows[t + 1] - m->rows[t] < 2 || m->rows[t + 1] - m->rows[t] > 1 << CDF_BITS) return RS_ERR_ARGUMENT;
        if (m->cdfs[m->rows[t]] != 0) return RS_ERR_ARGUMENT;
        for (uint32_t i = m->rows[t] + 1; i < m->rows[t + 1]; i++)
            if (m->cdfs[i] <= m->cdfs[i - 1]) return RS_ERR_ARGUMENT;
    }
    return 0;
}

static uint32_t zigzag(int32_t value) { return (uint32_t)value << 1 ^ (value < 0 ? UINT32_MAX : 0); }

static int32_t unzigzag(uint32_t value)
{
    uint32_t bits = value >> 1 ^ (value & 1 ? UINT32_MAX : 0);
    int32_t out;
    memcpy(&out, &bits, sizeof out);
    return out;
}

static uint8_t *put_word(uint8_t *at, uint64_t value, int bytes)
{
    for (int b = 0; b < bytes; b++) *at++ = (uint8_t)(value >> 8 * b);
    return at;
}

static uint64_t get_word(const uint8_t *at, int bytes)
{
    uint64_t value = 0;
    for (int b = bytes; b-- > 0;) value = value << 8 | at[b];
    return value;
}

int64_t rs_ranx_bound(size_t count)
{
    /* At most 16 bits and an escaped value a symbol. */
    return count > RS_MAX_SYMBOLS ? RS_ERR_ARGUMENT : (int64_t)(count * (2 + ESCAPE_BYTES) + 12 * MANY + 16);
}

/* Symbol of a value in its row, the last one if it is an escape. */
static uint32_t symbol_of(const model *m, uint32_t table, int32_t value)
{
    int64_t symbol = (int64_t)value - m->offsets[table], escape = (int64_t)m->rows[table + 1] - m->rows[table] - 1;
    return (uint32_t)(symbol < 0 || symbol > escape ? escape : symbol);
}

static int is_escape(const model *m, uint32_t table, uint32_t symbol)
{
    return m->rows[table] + symbol + 1 == m->rows[table + 1];
}

static uint8_t *put_escapes(const model *m, const int32_t *values, const uint16_t *index, size_t count, uint8_t *at)
{
    for (size_t i = 0; i < count; i++) {
        if (!is_escape(m, index[i], symbol_of(m, index[i], values[i]))) continue;
        uint32_t left = zigzag(values[i]);
        for (; left > 127; left >>= 7) *at++ = (uint8_t)(left | 128);
        *at++ = (uint8_t)left;
    }
    return at;
}

int64_t rs_ranx_encode(const int32_t *values, const uint16_t *index, size_t count, const uint16_t *cdfs, size_t entries,
                       const uint32_t *rows, const int32_t *offsets, uint32_t tables, uint8_t *dst, size_t capacity)
{
    model m = {cdfs, rows, offsets, tables};
    uint64_t states[MANY];
    size_t n = states_for(count);
    if (!count) return 0;
    if (count > RS_MAX_SYMBOLS) return RS_ERR_ARGUMENT;
    if (check_model(&m, entries) < 0) return RS_ERR_ARGUMENT;
    if ((int64_t)capacity < rs_ranx_bound(count)) return RS_ERR_SPACE;
    for (size_t i = 0; i < count; i++)
        if (index[i] >= tables) return RS_ERR_ARGUMENT;
    for (size_t i = 0; i < n; i++) states[i] = LOW;
    uint8_t *words = dst + capacity;
    for (size_t i = count; i-- > 0;) {
        uint32_t row = rows[index[i]], symbol = symbol_of(&m, index[i], values[i]);
        uint32_t start = cdfs[row + symbol];
        uint32_t end = is_escape(&m, index[i], symbol) ? 1u << CDF_BITS : cdfs[row + symbol + 1];
        uint64_t x = states[i % n], f = end - start;
        if (x >= f << (63 - CDF_BITS)) { /* f * 2^31 / 2^16 * 2^32: the state would leave [2^31, 2^63) */
            words -= 4;
            put_word(words, x, 4);
            x >>= 32;
        }
        states[i % n] = (x / f << CDF_BITS) + x % f + start;
    }
    size_t size = (size_t)(dst + capacity - words);
    uint8_t *at = put_word(dst, size, 4);
    for (size_t i = 0; i < n; i++) at = put_word(at, states[i], 8);
    memmove(at, words, size);
    return put_escapes(&m, values, index, count, at + size) - dst;
}

/* The symbol whose slots hold `slot`: the last start that is not above it. */
static uint32_t find(const uint16_t *row, uint32_t n, uint32_t slot)
{
    uint32_t low = 0;
    while (n > 1) {
        uint32_t half = n / 2;
        if (row[low + half] <= slot) low += half;
        n -= half;
    }
    return low;
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
    model m = {cdfs, rows, offsets, tables};
    uint64_t states[MANY];
    size_t n = states_for(count);
    if (!count) return size ? RS_ERR_CORRUPT : 0;
    if (count > RS_MAX_SYMBOLS || check_model(&m, entries) < 0) return RS_ERR_ARGUMENT;
    if (size < 4 + 8 * n) return RS_ERR_TRUNCATED;
    uint64_t bytes = get_word(data, 4);
    const uint8_t *at = data + 4;
    for (size_t i = 0; i < n; i++, at += 8) {
        states[i] = get_word(at, 8);
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
        uint32_t symbol = find(row, length, slot);
        uint32_t stop = symbol + 1 < length ? row[symbol + 1] : 1u << CDF_BITS;
        x = (stop - row[symbol]) * (x >> CDF_BITS) + slot - row[symbol];
        if (x < LOW) {
            if (end - at < 4) return RS_ERR_TRUNCATED;
            x = x << 32 | get_word(at, 4);
            at += 4;
        }
        states[i % n] = x;
        if (symbol + 1 == length) {
            int64_t result = get_escape(&escapes, data + size, &values[i]);
            if (result < 0) return result;
            if (!is_escape(&m, table, symbol_of(&m, table, values[i]))) return RS_ERR_CORRUPT;
        } else {
            values[i] = (int32_t)((int64_t)offsets[table] + symbol);
        }
    }
    for (size_t i = 0; i < n; i++)
        if (states[i] != LOW) return RS_ERR_CORRUPT;
    return at == end && escapes == data + size ? (int64_t)count : RS_ERR_CORRUPT;
}
