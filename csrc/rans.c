/* Static range asymmetric numeral systems (Duda, "Asymmetric numeral systems", arXiv:1311.2540).
 *
 * A state x holds all that is still to be decoded. Symbols own f of M slots, from c on. Encoding s turns
 * x into the x' of which slot x' mod M belongs to s and which is M/f times as large; decoding undoes it:
 *
 *     encode: x' = (x / f) * M + c + x mod f          decode: s from x mod M, x = f * (x / M) + x mod M - c
 *
 * States are kept in [L, L * 2^16) by moving 16-bit words out before a symbol is encoded, and in after
 * it is decoded. What is encoded last is decoded first, so the encoder runs backwards, through the data
 * and through the output.
 *
 * Bytes (rs_rans_*): M = 2^12, L = 2^15. Symbol i belongs to state i mod N, with 32 states, or 4 where
 * the data is short; in each round the states take words in ascending order. The states do not depend
 * on one another: 32 of them, in this order, is what vector units decode (compare the Nx16 coder of
 * CRAM 3.1), from the very same bytes.
 *
 * Division by f is a multiplication (Granlund & Montgomery 1994; Giesen, ryg_rans). For s = ceil(log2 f)
 * and r = ceil(2^(31+s) / f) write r = (2^(31+s) + e) / f with 0 <= e < f <= 2^s. Then x r / 2^(31+s) =
 * x/f + (x/f) (e / 2^(31+s)), and the second term is below (1/f) (x / 2^31) <= 1/f for x < 2^31: never
 * enough to reach the next integer. x < 2^31 because L * 2^16 = 2^31; r < 2^32 as f > 2^(s-1). */
#include "ratescope.h"

#include <string.h>

enum {
    SCALE_BITS = 12,
    SCALE = 1 << SCALE_BITS,
    LOW = 1 << 15,
    MANY = 32, /* states for long data, FEW for short */
    FEW = 4,
    LONG = 1 << 14,
    TABLE_MAX = 1 + 2 * 256 + 2 * 256
};

static size_t states_for(size_t count) { return count < LONG ? FEW : MANY; }

/* --- Frequencies --------------------------------------------------------------------------------- */

/* Scales counts to frequencies of sum SCALE, none of a used symbol below 1. After rounding, the sum is
 * mended one slot at a time where that costs the fewest bits: taking a slot from f costs
 * count * log2(f / (f-1)), about count / f; giving one gains about as much. */
static void normalise(const uint64_t counts[256], uint64_t total, uint16_t freq[256])
{
    int sum = 0;
    for (int s = 0; s < 256; s++) {
        uint64_t scaled = (counts[s] * SCALE + total / 2) / total;
        freq[s] = (uint16_t)(counts[s] && !scaled ? 1 : scaled);
        sum += freq[s];
    }
    while (sum != SCALE) {
        int step = sum > SCALE ? -1 : 1, best = -1;
        double best_cost = 0;
        for (int s = 0; s < 256; s++) {
            if (!counts[s] || (step < 0 && freq[s] < 2)) continue;
            double cost = (double)counts[s] / (freq[s] - (step < 0 ? 0.5 : -0.5)) * -step;
            if (best < 0 || cost < best_cost) best = s, best_cost = cost;
        }
        freq[best] = (uint16_t)(freq[best] + step);
        sum += step;
    }
}

static uint8_t *put_number(uint8_t *at, unsigned value) /* 7 bits a byte, low first */
{
    for (; value > 127; value >>= 7) *at++ = (uint8_t)(value | 128);
    *at++ = (uint8_t)value;
    return at;
}

static const uint8_t *get_number(const uint8_t *at, const uint8_t *end, unsigned *value)
{
    *value = 0;
    for (int shift = 0; shift < 14; shift += 7) {
        if (at == end) return NULL;
        *value |= (unsigned)(*at & 127) << shift;
        if (!(*at++ & 128)) return at;
    }
    return NULL;
}

/* The table: runs of absent and present symbols in turn, each present run followed by its frequencies,
 * less one; ends with symbol 255 or when the frequencies add up to SCALE. */
static uint8_t *put_table(uint8_t *at, const uint16_t freq[256])
{
    int sum = 0;
    for (int s = 0; sum < SCALE;) {
        int absent = 0, present = 0;
        for (; !freq[s]; s++) absent++;
        while (s + present < 256 && freq[s + present]) present++;
        at = put_number(at, (unsigned)absent);
        at = put_number(at, (unsigned)present - 1);
        for (; present; present--, s++) {
            at = put_number(at, freq[s] - 1u);
            sum += freq[s];
        }
    }
    return at;
}

static int64_t get_table(const uint8_t *data, size_t size, uint16_t freq[256])
{
    const uint8_t *at = data, *end = data + size;
    unsigned sum = 0, symbol = 0;
    memset(freq, 0, 256 * sizeof *freq);
    while (sum < SCALE) {
        unsigned absent, present, value;
        if (!(at = get_number(at, end, &absent)) || !(at = get_number(at, end, &present))) return RS_ERR_TRUNCATED;
        symbol += absent;
        if (symbol + present + 1 > 256) return RS_ERR_CORRUPT;
        for (unsigned i = 0; i <= present; i++) {
            if (!(at = get_number(at, end, &value))) return RS_ERR_TRUNCATED;
            if (value >= SCALE - sum) return RS_ERR_CORRUPT;
            freq[symbol++] = (uint16_t)(value + 1);
            sum += value + 1;
        }
    }
    return at - data;
}

/* --- Bytes --------------------------------------------------------------------------------------- */

typedef struct {
    uint32_t reciprocal, shift, limit, start, rest; /* rest = M - f: x' = x + start + (x / f) * rest */
} encoder_symbol;

static void make_encoder(const uint16_t freq[256], encoder_symbol table[256])
{
    uint32_t start = 0;
    for (int s = 0; s < 256; s++) {
        uint32_t f = freq[s], shift = 0;
        if (!f) continue;
        while (1u << shift < f) shift++;
        table[s].reciprocal = (uint32_t)(((1ull << (31 + shift)) + f - 1) / f);
        table[s].shift = 31 + shift;
        table[s].limit = f << (31 - SCALE_BITS); /* the largest state that still fits after encoding, plus 1 */
        table[s].start = start;
        table[s].rest = SCALE - f;
        start += f;
    }
}

int64_t rs_rans_bound(size_t size)
{
    /* A symbol of frequency 1 takes 12 bits; states, table and an odd byte. */
    return size > RS_MAX_SYMBOLS ? RS_ERR_ARGUMENT : (int64_t)(size + size / 2 + 4 * MANY + TABLE_MAX + 16);
}

/* Writes backwards from the end of dst; returns where the words start. */
static uint8_t *encode_words(const uint8_t *data, size_t size, const encoder_symbol *table, uint32_t *states, size_t n,
                             uint8_t *at)
{
    size_t lane = size % n;
    for (size_t i = size; i-- > 0;) {
        const encoder_symbol *e = &table[data[i]];
        lane = lane ? lane - 1 : n - 1; /* i mod n */
        uint32_t x = states[lane];
        if (x >= e->limit) {
            *--at = (uint8_t)(x >> 8);
            *--at = (uint8_t)x;
            x >>= 16;
        }
        uint32_t quotient = (uint32_t)((uint64_t)x * e->reciprocal >> e->shift);
        states[lane] = x + e->start + quotient * e->rest;
    }
    return at;
}

int64_t rs_rans_encode(const uint8_t *data, size_t size, uint8_t *dst, size_t capacity)
{
    uint64_t counts[256] = {0};
    uint16_t freq[256];
    encoder_symbol table[256];
    uint32_t states[MANY];
    size_t n = states_for(size);
    if (!size) return 0;
    if (size > RS_MAX_SYMBOLS) return RS_ERR_ARGUMENT;
    if ((int64_t)capacity < rs_rans_bound(size)) return RS_ERR_SPACE;
    for (size_t i = 0; i < size; i++) counts[data[i]]++;
    normalise(counts, size, freq);
    make_encoder(freq, table);
    for (size_t i = 0; i < n; i++) states[i] = LOW;
    uint8_t *end = dst + capacity, *words = encode_words(data, size, table, states, n, end);
    uint8_t *at = put_table(dst, freq);
    for (size_t i = 0; i < n; i++)
        for (int b = 0; b < 32; b += 8) *at++ = (uint8_t)(states[i] >> b);
    memmove(at, words, (size_t)(end - words));
    return at - dst + (end - words);
}

/* By slot: symbol, frequency less one, slot less start, in 8 + 12 + 12 bits. */
static void make_decoder(const uint16_t freq[256], uint32_t slots[SCALE])
{
    uint32_t slot = 0;
    for (uint32_t s = 0; s < 256; s++)
        for (uint32_t i = 0; i < freq[s]; i++) slots[slot++] = s | (freq[s] - 1u) << 8 | i << 20;
}

int64_t rs_rans_decode(const uint8_t *data, size_t size, uint8_t *out, size_t count)
{
    uint16_t freq[256];
    uint32_t slots[SCALE], states[MANY];
    size_t n = states_for(count);
    if (count > RS_MAX_SYMBOLS) return RS_ERR_ARGUMENT;
    if (!count) return size ? RS_ERR_CORRUPT : 0;
    int64_t used = get_table(data, size, freq);
    if (used < 0) return used;
    const uint8_t *at = data + used, *end = data + size;
    if ((size_t)(end - at) < 4 * n) return RS_ERR_TRUNCATED;
    for (size_t i = 0; i < n; i++, at += 4) {
        states[i] = at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
        if (states[i] < LOW || states[i] >= (uint32_t)LOW << 16) return RS_ERR_CORRUPT;
    }
    make_decoder(freq, slots);
    for (size_t i = 0, lane = 0; i < count; i++, lane = lane + 1 < n ? lane + 1 : 0) {
        uint32_t x = states[lane], slot = slots[x & (SCALE - 1)];
        out[i] = (uint8_t)slot;
        x = ((slot >> 8 & (SCALE - 1)) + 1) * (x >> SCALE_BITS) + (slot >> 20);
        if (x < LOW) {
            if (end - at < 2) return RS_ERR_TRUNCATED;
            x = x << 16 | at[0] | (uint32_t)at[1] << 8;
            at += 2;
        }
        states[lane] = x;
    }
    /* The encoder began with every state at LOW: anything else is damage. */
    for (size_t i = 0; i < n; i++)
        if (states[i] != LOW) return RS_ERR_CORRUPT;
    return at == end ? (int64_t)count : RS_ERR_CORRUPT;
}
