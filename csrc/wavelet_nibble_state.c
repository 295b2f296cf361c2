/* The stream of the wavelet codec's fast coefficient coder: its memory, chunks, states; wavelet_nibble.c has the description. */
#include "wavelet_nibble.h"

enum { FEW_SYMBOLS = 1 << 12, ROUND = 64, RECORDS = 3, SLACK = 1 << 10 };

static const uint64_t LOW = 1ull << 32;

static size_t aligned(size_t bytes) { return (bytes + ROUND - 1) & ~(size_t)(ROUND - 1); }
static size_t map_stride_of(size_t width) { return width / (2 * NB_BLOCK) + 3; }
static size_t map_size_of(size_t width, size_t height) { return map_stride_of(width) * (height / (2 * NB_BLOCK) + 3); }
static size_t buffer_size_of(size_t width) { return aligned((width + 2 * NB_PAD + NB_BLOCK) * sizeof(uint16_t)); }
/* Records of a chunk: up to RECORDS a symbol that counts. A chunk ends before a row, so a row, flags of a row of blocks
 * and SLACK for flags of empty bands may come on top. */
static size_t records_of(size_t width) { return RECORDS * (NB_CHUNK + width + width / NB_BLOCK + SLACK); }

nibble_state *nibble_at(void *memory) { return (nibble_state *)aligned((size_t)memory); }

int64_t rs_nibble_state(size_t width, size_t height, int encoder)
{
    if (width > RS_DWT_MAX_SIDE || height > RS_DWT_MAX_SIDE) return RS_ERR_ARGUMENT;
    size_t total = ROUND + aligned(sizeof(nibble_state)) + NB_BUFFERS * buffer_size_of(width);
    total += aligned(map_stride_of(width) * sizeof(uint32_t)) + 24 * aligned(map_size_of(width, height));
    return (int64_t)(total + (encoder ? records_of(width) * sizeof(uint64_t) : 0));
}

int64_t rs_nibble_bound(size_t count)
{
    /* a symbol of 15 bits, raw bits of at most 5 + 24 + 9; block flags; states of each chunk */
    return count > (size_t)1 << 48 ? RS_ERR_ARGUMENT : (int64_t)(count * 8 + 4096);
}

static void start(nibble_state *s, size_t width, size_t height, int encoder)
{
    uint8_t *at = (uint8_t *)s + aligned(sizeof *s);
    memset(&s->started, 0, sizeof *s - offsetof(nibble_state, started));
    s->width = width;
    s->height = height;
    s->mask = NB_LANES - 1;
    for (int i = 0; i < NB_BUFFERS; i++, at += buffer_size_of(width)) s->buffer[i] = (uint16_t *)(void *)at + NB_PAD;
    s->list = (uint32_t *)(void *)at;
    at += aligned(map_stride_of(width) * sizeof(uint32_t));
    s->map_stride = map_stride_of(width);
    for (int i = 0; i < 24; i++, at += aligned(map_size_of(width, height))) {
        s->map[i / 12][i / 3 % 4][i % 3] = at;
        memset(at, 0, map_size_of(width, height));
    }
    if (encoder) {
        s->record = (uint64_t *)(void *)at;
        s->record_capacity = records_of(width);
    }
    nibble_start_models(s);
}

/* --- Writing ------------------------------------------------------------------------------------- */

/* Notes a symbol's interval and the n <= 24 raw bits behind it; a frequency of 0 is of raw bits alone. */
void nibble_note(nibble_state *s, size_t lane, uint32_t start, uint32_t frequency, uint32_t n, uint32_t bits)
{
    s->record[s->records++] = (uint64_t)start | (uint64_t)frequency << 15 | (uint64_t)n << 31 | (uint64_t)lane << 36 |
                              (uint64_t)bits << 38;
}

static uint64_t *pushed(uint64_t *x, uint64_t record, uint32_t **words)
{
    uint64_t first = record & 0x7FFF, f = record >> 15 & 0xFFFF, n = record >> 31 & 31, bits = record >> 38;
    /* what the decoder makes of a state is x / f whole intervals, times 2^(15 + n): below 2^64 if x < f 2^(49 - n) */
    uint64_t limit = f ? f << (64 - NB_BITS - n) : (n ? 1ull << (64 - n) : 0);
    if (limit && *x >= limit) {
        *--*words = (uint32_t)*x;
        *x >>= 32;
    }
    *x = *x << n | bits;
    if (f) *x = (*x / f << NB_BITS) + *x % f + first;
    return x;
}

static void put_bytes(nibble_state *s, uint64_t value, size_t count)
{
    for (size_t i = 0; i < count; i++, value >>= 8, s->position++)
        if (s->position < s->size) s->out[s->position] = (uint8_t)value;
}

/* Ends a chunk: codes what was noted, last to first, and writes states and words. */
static void write_chunk(nibble_state *s)
{
    uint64_t x[NB_LANES] = {LOW, LOW, LOW, LOW};
    uint32_t *end = (uint32_t *)(void *)(s->record + s->record_capacity), *words = end;
    for (size_t i = s->records; i-- > 0;) /* words take half the room of the records that they come from */
        pushed(&x[s->record[i] >> 36 & (uint64_t)s->mask], s->record[i], &words);
    for (int i = 0; i <= s->mask; i++) put_bytes(s, x[i], 8);
    for (; words < end; words++) put_bytes(s, *words, 4);
    s->records = 0;
    s->symbols = 0;
}

/* --- Reading ------------------------------------------------------------------------------------ */

/* Bits of a state that say nothing of symbols, in 1/256: it begins at x and must end at 2^32, so log2 x - 32 of its 64 do.
 * The logarithm is linear between powers of two: at most 0.09 bit off. */
static uint64_t idle_bits(uint64_t x)
{
    unsigned log = 63;
    while (log > 8 && !(x >> log)) log--;
    return 96 * 256 - (log * 256 + (x >> (log - 8) & 255));
}

static void read_states(nibble_state *s)
{
    for (int i = 0; i <= s->mask; i++) {
        uint64_t low = nibble_word(s);
        s->x[i] = low | (uint64_t)nibble_word(s) << 32;
        if (s->x[i] < LOW) s->bad = 1;
        s->idle += idle_bits(s->x[i]);
    }
    s->symbols = 0;
}

int64_t nibble_check(const nibble_state *s)
{
    if (s->position > s->size) return RS_ERR_TRUNCATED;
    return s->bad ? RS_ERR_CORRUPT : 0;
}

static int64_t check_end_of_chunk(const nibble_state *s)
{
    for (int i = 0; i <= s->mask; i++)
        if (s->x[i] != LOW) return s->position > s->size ? RS_ERR_TRUNCATED : RS_ERR_CORRUPT;
    return nibble_check(s);
}

void nibble_turn_chunk_writing(nibble_state *s)
{
    if (s->symbols >= NB_CHUNK) write_chunk(s);
}

int64_t nibble_turn_chunk_reading(nibble_state *s)
{
    if (s->symbols < NB_CHUNK) return 0;
    int64_t fault = check_end_of_chunk(s);
    read_states(s);
    return fault < 0 ? fault : nibble_check(s);
}

int64_t rs_nibble_encode_start(void *state, size_t width, size_t height, uint8_t *out, size_t capacity)
{
    nibble_state *s = nibble_at(state);
    start(s, width, height, 1);
    s->out = out;
    s->size = capacity;
    put_bytes(s, NB_LANES - 1, 1);
    return 0;
}

int64_t rs_nibble_encode_finish(void *state)
{
    nibble_state *s = nibble_at(state);
    if (s->position == 1 && s->records < FEW_SYMBOLS) {
        s->mask = 0;
        if (s->size > 0) s->out[0] = 0;
    }
    write_chunk(s);
    return s->position <= s->size ? (int64_t)s->position : RS_ERR_SPACE;
}

int64_t rs_nibble_decode_start(void *state, size_t width, size_t height, const uint8_t *in, size_t size)
{
    nibble_state *s = nibble_at(state);
    start(s, width, height, 0);
    if (size < 1) return RS_ERR_TRUNCATED;
    if (in[0] != 0 && in[0] != NB_LANES - 1) return RS_ERR_CORRUPT;
    s->in = in;
    s->size = size;
    s->position = 1;
    s->mask = in[0];
    read_states(s);
    return nibble_check(s);
}

int64_t rs_nibble_decode_finish(void *state)
{
    const nibble_state *s = nibble_at(state);
    int64_t fault = check_end_of_chunk(s);
    if (fault < 0) return fault;
    return s->position < s->size ? RS_ERR_CORRUPT : 0;
}
