/* Distributions for rANS, as rows of a caller's array: shared by rans_indexed.c and latent_coder.c.
 *
 * A table is a row of n starts of n symbols, the first 0, rising, the end 2^16 not written. The last
 * symbol of a row is the escape, for values outside offset...offset + n - 2. */
#ifndef RATESCOPE_RANS_TABLES_H
#define RATESCOPE_RANS_TABLES_H

#include "ratescope.h"

enum { CDF_BITS = 16 };

typedef struct {
    const uint16_t *cdfs;
    const uint32_t *rows; /* tables + 1 positions in cdfs */
    const int32_t *offsets;
    uint32_t tables;
} rans_model;

/* Rows lie one behind the other, hold at least two symbols, start at 0 and rise: no frequency is 0. */
static inline int64_t rans_check_model(const rans_model *m, size_t entries)
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

/* Symbol of a value in its row, the last one if it is an escape. */
static inline uint32_t rans_symbol_of(const rans_model *m, uint32_t table, int32_t value)
{
    int64_t symbol = (int64_t)value - m->offsets[table], escape = (int64_t)m->rows[table + 1] - m->rows[table] - 1;
    return (uint32_t)(symbol < 0 || symbol > escape ? escape : symbol);
}

static inline int rans_is_escape(const rans_model *m, uint32_t table, uint32_t symbol)
{
    return m->rows[table] + symbol + 1 == m->rows[table + 1];
}

/* The symbol whose slots hold `slot`: the last start that is not above it. */
static inline uint32_t rans_find(const uint16_t *row, uint32_t n, uint32_t slot)
{
    uint32_t low = 0;
    while (n > 1) {
        uint32_t half = n / 2;
        if (row[low + half] <= slot) low += half;
        n -= half;
    }
    return low;
}

static inline uint32_t rans_zigzag(int32_t value)
{
    return (uint32_t)value << 1 ^ (value < 0 ? UINT32_MAX : 0);
}

static inline uint8_t *rans_put_word(uint8_t *at, uint64_t value, int bytes)
{
    for (int b = 0; b < bytes; b++) *at++ = (uint8_t)(value >> 8 * b);
    return at;
}

static inline uint64_t rans_get_word(const uint8_t *at, int bytes)
{
    uint64_t value = 0;
    for (int b = bytes; b-- > 0;) value = value << 8 | at[b];
    return value;
}

#endif
