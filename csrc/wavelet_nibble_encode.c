/* What only the encoder of wavelet_nibble.c does: decide what to code, and note it. */
#include "wavelet_nibble.h"

/* What coefficients of a block in quiet surroundings are taken to cost before they are coded, in bits. */
#define ONE_COST 5.0f
#define QUIET_COST 6.0f

RS_INLINE uint32_t mean(const nibble_state *s, uint32_t a, uint32_t b, uint32_t symbol)
{
    return symbol == NB_SYMBOLS ? NB_WHOLE : (uint32_t)(s->cdf[a][symbol] + s->cdf[b][symbol] + 1) >> 1;
}

/* In 1/256 bit. */
RS_INLINE uint32_t symbol_cost(const nibble_state *s, uint32_t a, uint32_t b, uint32_t symbol)
{
    return s->cost[(mean(s, a, b, symbol + 1) - mean(s, a, b, symbol)) >> 3];
}

void nibble_encode_symbol(nibble_state *s, size_t lane, uint32_t a, uint32_t b, uint32_t symbol, uint32_t n,
                          uint32_t bits)
{
    uint32_t first = mean(s, a, b, symbol), frequency = mean(s, a, b, symbol + 1) - first;
    s->spent += 256 * (uint64_t)s->cost[frequency >> 3] + 65536 * (uint64_t)n;
    nibble_note(s, lane, first, frequency, n, bits);
    nibble_learn(s, a, b, symbol);
}

static void encode_bits(nibble_state *s, size_t lane, uint32_t n, uint32_t bits)
{
    s->spent += 65536 * (uint64_t)n;
    nibble_note(s, lane, 0, 0, n, bits);
}

static uint32_t class_of(uint64_t m)
{
    uint32_t symbol = m < 9 ? (uint32_t)m : 9;
    while (symbol < NB_ESCAPE && symbol >= 9 && m >= (uint64_t)NB_BASE[symbol] + (1u << NB_EXTRA[symbol])) symbol++;
    return symbol;
}

void nibble_encode_value(nibble_state *s, size_t lane, uint32_t a, uint32_t b, uint32_t wide, int32_t q)
{
    uint64_t m = (uint64_t)(q < 0 ? -(int64_t)q : q), folded = q > 0 ? 2 * m - 1 : 2 * m;
    uint32_t sign = q < 0, low = (uint32_t)folded & ((2u << wide) - 1);
    if (wide) m = folded >> (wide + 1);
    uint32_t symbol = class_of(m), extra = (uint32_t)(m - NB_BASE[symbol]), length = 0;
    if (symbol < NB_ESCAPE) {
        if (wide)
            nibble_encode_symbol(s, lane, a, b, symbol, NB_EXTRA[symbol] + wide + 1, extra << (wide + 1) | low);
        else
            nibble_encode_symbol(s, lane, a, b, symbol, NB_TAIL[symbol], symbol ? extra << 1 | sign : 0);
        return;
    }
    while (extra >> length) length++;
    if (wide)
        nibble_encode_symbol(s, lane, a, b, symbol, NB_EXTRA[symbol], length);
    else
        nibble_encode_symbol(s, lane, a, b, symbol, NB_TAIL[symbol], length << 1 | sign);
    encode_bits(s, lane, length, extra);
    if (wide) encode_bits(s, lane, wide + 1, low);
}

/* The magnitude for value >= 0 (in steps) with least squared error + lambda bits, by the models as they stand. */
static int32_t decide(const nibble_band *n, uint32_t a, uint32_t b, uint32_t wide, float value)
{
    int32_t most = nearest(value), best = most;
    if (wide || most == 0 || most >= NB_BASE[9] || n->lambda <= 0.0f) return most;
    float least = 0.0f;
    for (int32_t m = most; m >= 0 && m >= most - 2; m--) {
        float gap = value - (float)m, bits = (float)(symbol_cost(n->s, a, b, (uint32_t)m) + (m ? 256u : 0u));
        float total = gap * gap + n->lambda * (1.0f / 256.0f) * bits;
        if (m == most || total < least) {
            least = total;
            best = m;
        }
    }
    return best;
}

int64_t nibble_encode_half(const nibble_band *n, const nibble_half *h, const float *given)
{
    size_t half = (h->width + 1 - (size_t)h->parity) / 2;
    for (size_t k = 0; k < h->blocks; k++)
        for (size_t i = (size_t)h->list[k] * (NB_BLOCK / 2), j = 0; j < NB_BLOCK / 2 && i < half; i++, j++) {
            int32_t *q = &h->row[2 * i + (size_t)h->parity];
            if (given != NULL) {
                float value = given[2 * i + (size_t)h->parity] * n->inverse;
                int32_t m = decide(n, h->a[i], h->b[i], h->wide[i], value < 0.0f ? -value : value);
                *q = value < 0.0f ? -m : m;
            }
            if (!in_range(*q)) return RS_ERR_RANGE;
            nibble_encode_value(h->s, j, h->a[i], h->b[i], h->wide[i], *q);
            h->now[i] = nibble_magnitude(*q);
        }
    return 0;
}

/* Whether the block at (x, y) is worth coding. A value just above 1/2 saves value^2 - (value - 1)^2, a large one
 * nearly all of its square. */
int nibble_worthwhile(const nibble_band *n, const int32_t *q, size_t x, size_t y)
{
    size_t right = x + NB_BLOCK < n->own.width ? x + NB_BLOCK : n->own.width;
    size_t bottom = y + NB_BLOCK < n->own.height ? y + NB_BLOCK : n->own.height;
    float saved = 0.0f;
    int any = 0;
    for (size_t row = y; row < bottom; row++)
        for (size_t at = x; at < right; at++) {
            if (n->coefficients == NULL) {
                any |= q[row * n->own.stride + at] != 0;
                continue;
            }
            float value = n->coefficients[row * n->own.stride + at] * n->inverse;
            value = value < 0.0f ? -value : value;
            if (!(value >= 0.5f)) continue;
            any = 1;
            float gain = (value > 1.5f ? value * value : 2.0f * value - 1.0f) - n->lambda * ONE_COST;
            if (gain > 0.0f) saved += gain;
        }
    return n->coefficients != NULL && n->lambda > 0.0f ? saved > n->lambda * QUIET_COST : any;
}
