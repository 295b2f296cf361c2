/* rANS of binary decisions under adaptive probabilities (internal header). The derivation is in rans.c.
 *
 * A decision whose probability of being 1 is p / 65536 owns the slots 0...p-1 of M = 2^16 as a 1, the others as a 0.
 * States have 48 bits, within [2^32, 2^48), and move words of 16 bits.
 *
 * rANS is last in, first out, but an adaptive model runs forwards only. So the encoder notes each decision with its
 * probability, and when RB_CHUNK are noted, or at the end, takes them in backwards. p is even: the low bit of a note is
 * the decision. A decoder counts, so it knows where a chunk ends: there the state must be what the encoder started
 * with. Stream: for each chunk its state (6 bytes) and its words, both low byte first. */
#ifndef RS_RANS_BINARY_H
#define RS_RANS_BINARY_H

#include <string.h>

#include "rangecoder.h"

enum { RB_CHUNK = 1 << 18, RB_STATE_BYTES = 6, RB_LEAST = 16 /* p and 65536 - p are never below */ };

#define RB_LOW ((uint64_t)1 << 32)

typedef struct {
    uint8_t *out;
    size_t capacity, size;
    int full; /* something did not fit */
    uint32_t noted;
    uint16_t notes[RB_CHUNK];
} rb_writer;

typedef struct {
    const uint8_t *at, *end;
    uint64_t state;
    uint32_t left; /* decisions of this chunk */
    int64_t fault; /* the first one; from then on zeros are read */
} rb_reader;

static inline void rb_writer_start(rb_writer *w, uint8_t *out, size_t capacity)
{
    w->out = out;
    w->capacity = capacity;
    w->size = 0;
    w->full = 0;
    w->noted = 0;
}

static inline void rb_flush(rb_writer *w)
{
    uint8_t *start = w->out + w->size, *end = w->out + w->capacity, *at = end;
    uint64_t x = RB_LOW;
    while (w->noted > 0 && !w->full) {
        uint32_t note = w->notes[--w->noted], p = note & ~1u, bit = note & 1;
        uint64_t f = bit ? p : 65536 - p;
        if (x >= f << 32) { /* f * 2^48 / 2^16: the state would leave [2^32, 2^48) */
            if (at - start < RB_STATE_BYTES + 2) w->full = 1;
            else {
                *--at = (uint8_t)(x >> 8);
                *--at = (uint8_t)x;
            }
            x >>= 16;
        }
        x = (x / f << 16) + x % f + (bit ? 0 : p);
    }
    if (w->full || at - start < RB_STATE_BYTES) {
        w->full = 1;
        w->noted = 0;
        return;
    }
    for (int b = 0; b < RB_STATE_BYTES; b++) start[b] = (uint8_t)(x >> 8 * b);
    memmove(start + RB_STATE_BYTES, at, (size_t)(end - at));
    w->size += RB_STATE_BYTES + (size_t)(end - at);
}

/* p: even, RB_LEAST...65536 - RB_LEAST. */
RS_INLINE void rb_put(rb_writer *w, uint32_t p, int bit)
{
    w->notes[w->noted++] = (uint16_t)(p | (uint32_t)bit);
    if (RS_UNLIKELY(w->noted == RB_CHUNK)) rb_flush(w);
}

/* Size of the stream, or RS_ERR_SPACE. */
static inline int64_t rb_writer_finish(rb_writer *w)
{
    if (w->noted) rb_flush(w);
    return w->full ? RS_ERR_SPACE : (int64_t)w->size;
}

static inline void rb_reader_start(rb_reader *r, const uint8_t *in, size_t size)
{
    *r = (rb_reader){in, in + size, RB_LOW, 0, 0};
}

static inline void rb_fail(rb_reader *r, int64_t fault)
{
    if (!r->fault) r->fault = fault;
    r->state = RB_LOW;
}

static inline void rb_open_chunk(rb_reader *r)
{
    r->left = RB_CHUNK;
    if (r->state != RB_LOW) rb_fail(r, RS_ERR_CORRUPT);
    if (r->end - r->at < RB_STATE_BYTES) {
        rb_fail(r, RS_ERR_TRUNCATED);
        return;
    }
    r->state = 0;
    for (int b = RB_STATE_BYTES; b-- > 0;) r->state = r->state << 8 | r->at[b];
    r->at += RB_STATE_BYTES;
    if (r->state < RB_LOW) rb_fail(r, RS_ERR_CORRUPT);
}

RS_INLINE int rb_get(rb_reader *r, uint32_t p)
{
    if (RS_UNLIKELY(!r->left)) rb_open_chunk(r);
    r->left--;
    uint32_t slot = (uint32_t)r->state & 65535;
    int bit = slot < p;
    uint64_t x = (r->state >> 16) * (bit ? p : 65536 - p) + (bit ? slot : slot - p);
    if (x < RB_LOW) {
        if (RS_UNLIKELY(r->end - r->at < 2)) {
            rb_fail(r, RS_ERR_TRUNCATED);
            return bit;
        }
        x = x << 16 | r->at[0] | (uint32_t)r->at[1] << 8;
        r->at += 2;
    }
    r->state = x;
    return bit;
}

/* 0 if the stream was used up exactly, else what is wrong with it. */
static inline int64_t rb_reader_finish(const rb_reader *r)
{
    if (r->fault) return r->fault;
    return r->state == RB_LOW && r->at == r->end ? 0 : RS_ERR_CORRUPT;
}

#endif
