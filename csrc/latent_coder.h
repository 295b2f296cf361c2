/* One symbol of latent_coder.c's streams. */
#ifndef RATESCOPE_LATENT_CODER_H
#define RATESCOPE_LATENT_CODER_H

#include "rans_tables.h"

enum { LATENT_LENGTH_BITS = 4, LATENT_WORD_BYTES = 4 };

#define LATENT_LOW (1ull << 31)

/* Takes in a symbol of `frequency` slots from `start` on, out of 2^bits. writer: state, and where the last word is. */
static inline void latent_push(uint8_t *dst, uint64_t *writer, uint32_t start, uint32_t frequency, int bits)
{
    uint64_t x = writer[0], f = frequency;
    if (x >= f << (63 - bits)) { /* the state would leave [2^31, 2^63) */
        writer[1] -= LATENT_WORD_BYTES;
        rans_put_word(dst + writer[1], x, LATENT_WORD_BYTES);
        x >>= 32;
    }
    writer[0] = (x / f << bits) + x % f + start;
}

/* Bits below the leading one of an escaped value's code. */
static inline int latent_escaped_length(int32_t value)
{
    int bits = -1;
    for (uint32_t code = rans_zigzag(value) + 1; code; code >>= 1) bits++;
    return bits;
}

static inline void latent_push_escaped(uint8_t *dst, uint64_t *writer, int32_t value)
{
    uint32_t code = rans_zigzag(value) + 1;
    int n = latent_escaped_length(value);
    if (n) latent_push(dst, writer, code & ((1u << n) - 1), 1, n);
    latent_push(dst, writer, (uint32_t)n, 1, LATENT_LENGTH_BITS);
}

/* Gives a symbol's slots back; its place among them is `inside`. */
static inline int64_t latent_pop(const uint8_t *data, size_t size, uint64_t *reader, uint32_t frequency,
                                 uint32_t inside, int bits)
{
    uint64_t x = frequency * (reader[0] >> bits) + inside;
    if (x < LATENT_LOW) {
        if (size - reader[1] < LATENT_WORD_BYTES) return RS_ERR_TRUNCATED;
        x = x << 32 | rans_get_word(data + reader[1], LATENT_WORD_BYTES);
        reader[1] += LATENT_WORD_BYTES;
    }
    reader[0] = x;
    return 0;
}

/* `bits` of equal chances each. */
static inline int64_t latent_pop_bits(const uint8_t *data, size_t size, uint64_t *reader, int bits)
{
    uint32_t value = (uint32_t)reader[0] & ((1u << bits) - 1);
    int64_t code = latent_pop(data, size, reader, 1, 0, bits);
    return code < 0 ? code : (int64_t)value;
}

static inline int64_t latent_pop_escaped(const uint8_t *data, size_t size, uint64_t *reader, int32_t *value)
{
    int64_t n = latent_pop_bits(data, size, reader, LATENT_LENGTH_BITS);
    if (n < 0) return n;
    int64_t low = n ? latent_pop_bits(data, size, reader, (int)n) : 0;
    if (low < 0) return low;
    int64_t code = ((int64_t)1 << n) + low - 1; /* zigzag */
    *value = (int32_t)(code & 1 ? -(code + 1) / 2 : code / 2);
    return 0;
}

/* The next symbol, under a table that is there, of a model that was checked. */
static inline int64_t latent_read_one(const rans_model *m, const uint8_t *data, size_t size, uint32_t table,
                                      uint64_t *reader, int32_t *value)
{
    uint32_t slot = (uint32_t)reader[0] & ((1u << CDF_BITS) - 1), length = m->rows[table + 1] - m->rows[table];
    const uint16_t *row = m->cdfs + m->rows[table];
    uint32_t symbol = rans_find(row, length, slot);
    uint32_t stop = symbol + 1 < length ? row[symbol + 1] : 1u << CDF_BITS;
    int64_t code = latent_pop(data, size, reader, stop - row[symbol], slot - row[symbol], CDF_BITS);
    if (code < 0) return code;
    if (symbol + 1 < length) {
        *value = (int32_t)((int64_t)m->offsets[table] + symbol);
        return 0;
    }
    code = latent_pop_escaped(data, size, reader, value);
    if (code < 0) return code;
    return rans_is_escape(m, table, rans_symbol_of(m, table, *value)) ? 0 : RS_ERR_CORRUPT;
}

#endif
