/* Binary range coder: the arithmetic, apart from any model (internal header).
 *
 * An interval [low, low + range) of 32-bit integers stands for the message so far. A binary decision
 * whose probability of being 1 is p / 65536 splits it at bound = (range >> 16) * p: a 1 keeps the lower
 * part, a 0 the upper. When range falls below 2^24 the top byte of low is settled but for a carry, and
 * interval and output move on by one byte. So range >= 2^24 before every split, the split is never
 * empty for 1 <= p <= 65535, and truncating range to a multiple of 65536 costs 0.0003 bit on average.
 *
 * Carry: low + bound can pass 2^32. The output lies whole in memory, so the 1 is added to the bytes
 * already written, walking back over 0xFF. (It cannot run off the front: the message is below 1.)
 *
 * End: any number in [low, low + range) will do, and the decoder reads zeros behind the end. As range is at least
 * 2^24, a multiple of 2^24 lies inside: one byte more ends the stream. The decoder
 * looks four bytes ahead, so in a whole stream it reads at most RC_LOOKAHEAD bytes past the end: more
 * is a truncated stream, bytes left over a corrupt one.
 *
 * Sources: G. N. N. Martin, "Range encoding", 1979; I. Pavlov, LZMA SDK (the 32-bit binary form).
 */
#ifndef RS_RANGECODER_H
#define RS_RANGECODER_H

#include "ratescope.h"

#if defined(__GNUC__)
#define RS_INLINE static inline __attribute__((always_inline))
#define RS_UNLIKELY(x) __builtin_expect(!!(x), 0)
#else
#define RS_INLINE static __forceinline
#define RS_UNLIKELY(x) (x)
#endif

enum { RC_LOOKAHEAD = 3, RC_PROBABILITY_BITS = 16 };
#define RC_TOP (1u << 24)

typedef struct {
    uint8_t *out;
    size_t capacity, size; /* size may pass capacity: nothing is written there, and finishing says so */
    uint32_t low, range;
} rc_encoder;

typedef struct {
    const uint8_t *in;
    size_t size, position; /* position may pass size: zeros are read there, and checks say so */
    uint32_t code, range;
} rc_decoder;

RS_INLINE void rc_encoder_start(rc_encoder *rc, uint8_t *out, size_t capacity)
{
    *rc = (rc_encoder){out, capacity, 0, 0, 0xFFFFFFFFu};
}

static inline void rc_carry(rc_encoder *rc)
{
    size_t at = rc->size < rc->capacity ? rc->size : rc->capacity;
    while (at > 0 && ++rc->out[--at] == 0) {
    }
}

RS_INLINE void rc_put(rc_encoder *rc)
{
    if (rc->size < rc->capacity) rc->out[rc->size] = (uint8_t)(rc->low >> 24);
    rc->size++;
    rc->low <<= 8;
}

/* Codes `bit`, whose probability of being 1 is p / 65536 with 1 <= p <= 65535. */
RS_INLINE void rc_encode(rc_encoder *rc, uint32_t p, int bit)
{
    uint32_t bound = (rc->range >> RC_PROBABILITY_BITS) * p;
    if (bit) {
        rc->range = bound;
    } else {
        rc->low += bound;
        rc->range -= bound;
        if (RS_UNLIKELY(rc->low < bound)) rc_carry(rc);
    }
    while (rc->range < RC_TOP) {
        rc_put(rc);
        rc->range <<= 8;
    }
}

/* Writes the shortest ending; the size of the stream, or RS_ERR_SPACE if it did not fit. */
static inline int64_t rc_encoder_finish(rc_encoder *rc)
{
    uint32_t value = (rc->low + (RC_TOP - 1)) & ~(RC_TOP - 1);
    if (value < rc->low) rc_carry(rc);
    rc->low = value;
    rc_put(rc);
    return rc->size <= rc->capacity ? (int64_t)rc->size : RS_ERR_SPACE;
}

RS_INLINE void rc_get(rc_decoder *rc)
{
    uint32_t byte = rc->position < rc->size ? rc->in[rc->position] : 0;
    rc->position++;
    rc->code = (rc->code << 8) | byte;
}

RS_INLINE void rc_decoder_start(rc_decoder *rc, const uint8_t *in, size_t size)
{
    *rc = (rc_decoder){in, size, 0, 0, 0xFFFFFFFFu};
    for (int i = 0; i < 4; i++) rc_get(rc);
}

RS_INLINE int rc_decode(rc_decoder *rc, uint32_t p)
{
    uint32_t bound = (rc->range >> RC_PROBABILITY_BITS) * p;
    int bit = rc->code < bound;
    if (bit) {
        rc->range = bound;
    } else {
        rc->code -= bound;
        rc->range -= bound;
    }
    while (rc->range < RC_TOP) {
        rc_get(rc);
        rc->range <<= 8;
    }
    return bit;
}

/* Whether more was read than a whole stream holds: asked now and then while decoding. */
RS_INLINE int rc_decoder_truncated(const rc_decoder *rc)
{
    return rc->position > rc->size + RC_LOOKAHEAD;
}

/* 0 if the stream was used up exactly, else what is wrong with it. */
static inline int64_t rc_decoder_finish(const rc_decoder *rc)
{
    if (rc_decoder_truncated(rc)) return RS_ERR_TRUNCATED;
    return rc->position < rc->size ? RS_ERR_CORRUPT : 0;
}

/* --- An adaptive probability --------------------------------------------------------------------
 * 22 bits of P(1) above a 10-bit count of what was seen. The n-th observation moves the estimate by
 * 1 / (n + 1.5), the Krichevsky-Trofimov-like mean of all so far, until n reaches a limit, from where
 * it forgets exponentially: quick to learn, steady later. (Mahoney, "Adaptive weighing of context
 * models", 2005; the StateMap of lpaq1.) */
typedef uint32_t rc_adaptive;

enum { RC_COUNT_MASK = 1023 };

RS_INLINE rc_adaptive rc_adaptive_start(uint32_t p16, uint32_t count)
{
    return (p16 << 16) | count;
}

/* P(1) in 16 bits, kept off 0 and 65536. */
RS_INLINE uint32_t rc_adaptive_p16(rc_adaptive a)
{
    uint32_t p = a >> 16;
    return p < 32 ? 32 : (p > 65504 ? 65504 : p);
}

/* `rate[n]` is 65536 / (n + 1.5), made by rc_rates. */
RS_INLINE void rc_adaptive_update(rc_adaptive *a, int bit, const uint16_t *rate, uint32_t limit)
{
    uint32_t count = *a & RC_COUNT_MASK, p = *a >> 10;
    int32_t gap = (int32_t)((bit ? 0x3FFFFFu : 0u) - p) >> 3;
    int32_t moved = (int32_t)p + (int32_t)(((int64_t)gap * rate[count]) >> 13);
    *a = ((uint32_t)moved << 10) | (count < limit ? count + 1 : limit);
}

static inline void rc_rates(uint16_t *rate, uint32_t limit)
{
    for (uint32_t n = 0; n <= limit; n++) rate[n] = (uint16_t)(65536u * 2 / (2 * n + 3));
}

#endif
