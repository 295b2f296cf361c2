/* The fast coefficient coder of the wavelet codec (internal): state and model; wavelet_nibble.c has the description. */
#ifndef RS_WAVELET_NIBBLE_H
#define RS_WAVELET_NIBBLE_H

#include <math.h>
#include <string.h>

#include "cpu.h"
#include "logistic.h"
#include "rangecoder.h"
#include "wavelet_geometry.h"

enum {
    NB_SYMBOLS = 16, /* of one adaptive model */
    NB_BITS = 15,    /* of a probability */
    NB_WHOLE = 1 << NB_BITS,
    NB_LANES = 4,
    NB_COUNTS = 64, /* symbols that a model counts */
    NB_BLOCK = 8,          /* side of a block that may be empty */
    NB_CHUNK = 1 << 18,    /* symbols after which, at the next row, states start afresh */
    NB_UNIT = 64,          /* scale of an expected magnitude */
    NB_MOST = 1023,        /* magnitudes are taken as no larger than that in expectations */
    NB_PAD = 16,           /* zeros at both ends of a row buffer */
    NB_ESCAPE = 15,        /* the symbol of classes beyond the table */
    NB_ESCAPED = 135,      /* least value that it stands for */
    NB_LONG = 24,          /* most bits of an escaped value */
    NB_LARGE = 11, /* level of expectation from which models learn more slowly */
    NB_LONE = 26,  /* level of expectation of the first coefficient */
    NB_WIDE = 20           /* level of expectation from which low bits are sent as they are */
};

/* Models. By expectation in half octaves; by the part from this band against that from others, in octaves, or, of wide
 * values, by expectation again, for even and odd columns apart. */
enum {
    NB_LEVELS = 34,
    NB_NEARS = 11,
    NB_FARS = 9,
    NB_SPLITS = NB_NEARS * NB_FARS + NB_LEVELS - NB_WIDE,
    NB_SET = NB_LEVELS + 2 * NB_SPLITS,
    NB_SETS = 4 * 3 * 3, /* planes; HL, LH, HH; level 1, 2, others */
    NB_LOW = NB_SETS * NB_SET, /* LL: by plane, two views of the same expectation */
    NB_FLAG = NB_LOW + 4 * 2 * NB_LEVELS, /* block is not empty: by the flags around, by those elsewhere */
    NB_FLAG_NEAR = 64,
    NB_FLAG_FAR = 128,
    NB_FLAGS = NB_FLAG_NEAR + NB_FLAG_FAR,
    NB_EMPTY = NB_FLAG + 4 * 2 * NB_FLAGS, /* band is empty: by plane and orientation, two models alike */
    NB_FRESH = NB_EMPTY + 2 * 16, /* what a set and flags start from */
    NB_FRESH_FLAGS = NB_FRESH + NB_SET,
    NB_ROWS = NB_FRESH_FLAGS + NB_FLAGS
};

/* Rows of magnitudes and of contexts, even and odd columns apart. */
enum { NB_BUFFERS = 3 * 2 + 2 + 3 };

typedef struct {
    int16_t cdf[NB_ROWS][NB_SYMBOLS];
    uint8_t count[NB_ROWS];
    uint64_t started; /* models that a band has used: a bit for each set, of flags or of a plane's LL */
    uint64_t x[NB_LANES];
    const uint8_t *in;
    uint8_t *out;
    size_t size, position; /* of in, or capacity of out; bytes read or written so far */
    uint32_t symbols;      /* of this chunk, of those that count */
    int bad;               /* whether something was read that no encoder writes */
    uint64_t spent;        /* bits so far, in 1/65536: of symbols that are written or told; */
    uint64_t idle;         /* and in 1/256, of states, besides what they say of symbols */
    const int32_t *told;   /* coefficients whose bits go ... */
    float *bits;           /* here; NULL: nowhere */
    int mask;              /* lane of a symbol: its number & mask */
    size_t width, height, records, record_capacity;
    uint64_t *record; /* of the encoder */
    uint8_t *map[2][4][3]; /* activity of blocks: by parity of the level, plane, orientation */
    size_t map_stride;
    uint32_t *list;   /* blocks of a row of blocks that are not empty */
    uint16_t *buffer[NB_BUFFERS];
    uint16_t cost[NB_WHOLE / 8 + 1]; /* 1/256 bit */
} nibble_state;

/* One row of blocks as the coder sees it. */
typedef struct {
    nibble_state *s;
    int32_t *row; /* coefficients of the band's row */
    size_t width;
    const uint32_t *list;
    size_t blocks;
    const uint16_t *a, *b, *wide; /* contexts of the columns of this parity */
    uint16_t *now;                /* their magnitudes */
    int parity;
} nibble_half;

/* Neighbours in the expectation; columns of even parity know nothing of their own row, odd ones both sides. */
enum { NB_W, NB_E, NB_N, NB_NN, NB_NW, NB_NE, NB_NN2, NB_N2, NB_PARENT, NB_SIBLING, NB_SIBLING2, NB_GUIDE, NB_GUIDE2, NB_WEIGHTS };

/* A band and what it looks at. */
typedef struct {
    nibble_state *s;
    int plane, orientation, set;
    const uint16_t (*weight)[NB_WEIGHTS]; /* of even and odd columns */
    band own, parent, sibling[2], guide[2];
    uint8_t *map;
    const uint8_t *map_parent, *map_sibling[2], *map_guide[2]; /* NULL: none */
    /* of the encoder */
    const float *coefficients;
    float inverse, lambda;
} nibble_band;

/* Values of symbol s: base[s] ... base[s] + 2^extra[s] - 1. */
static const uint8_t NB_BASE[16] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 15, 23, 39, 71, NB_ESCAPED};
static const uint8_t NB_EXTRA[16] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 5};
/* Bits behind the symbol of a value that is not wide: extra and sign; of an escape sign and length. */
static const uint8_t NB_TAIL[16] = {0, 1, 1, 1, 1, 1, 1, 1, 1, 2, 3, 4, 5, 6, 7, 6};

extern const int16_t nibble_target[NB_SYMBOLS][NB_SYMBOLS];
extern const uint8_t nibble_rate[2 * NB_COUNTS];

/* Contexts of the columns of one parity, from `from` to `to` (in pairs of columns). */
typedef struct {
    const uint16_t *even_n, *odd_n, *even_nn, *odd_nn, *even, *far;
    uint16_t *a, *b, *wide;
    const uint16_t *weight; /* NB_W ... */
    uint16_t first_a, first_b;
} nibble_view;

/* The next word of the stream; zero behind the end. */
static inline uint32_t nibble_word(nibble_state *s)
{
    uint32_t word = 0;
    for (size_t i = 0; i < 4 && s->position + i < s->size; i++) word |= (uint32_t)s->in[s->position + i] << (8 * i);
    s->position += 4;
    return word;
}

/* Half octaves of v >= 1: 0 for 1, 2 for 2, 3 for 3, 4 for 4 ...: exponent and first bit of the fraction of a float. */
RS_INLINE uint32_t nibble_level(uint32_t v)
{
    float f = (float)(int32_t)v;
    uint32_t bits;
    memcpy(&bits, &f, sizeof bits);
    return (bits >> 22) - 254;
}

/* Two columns of a row of another band: what is added to what is expected from afar. */
typedef struct {
    const int32_t *q;
    uint16_t *even, *odd, weight_even, weight_odd;
} nibble_far_view;

RS_INLINE uint16_t nibble_magnitude(int32_t q)
{
    int32_t m = q < 0 ? -q : q;
    return (uint16_t)(m < NB_MOST ? m : NB_MOST);
}

RS_INLINE uint8_t nibble_counted(uint32_t count)
{
    return (uint8_t)(count + ((count & (NB_COUNTS - 1)) < NB_COUNTS - 1));
}

/* Lays what was spent since the last time on the coefficient at `at`. */
static inline void nibble_tell(nibble_state *s, const int32_t *at)
{
    if (s->bits != NULL) s->bits[at - s->told] += (float)s->spent * (1.0f / 65536.0f);
    s->spent = 0;
}

/* The first of the models of flags of blocks. */
static inline uint32_t nibble_flags(int plane, int set)
{
    return NB_FLAG + (uint32_t)(plane * 2 + (set % 3 != 0)) * NB_FLAGS;
}

/* Models: their start, and what one learns from a symbol. */
void nibble_start_models(nibble_state *s);

/* Starts those of a band when the first of its kind comes: small pictures have few bands. */
void nibble_start_band(nibble_state *s, int plane, int orientation, int set);
void nibble_learn(nibble_state *s, uint32_t a, uint32_t b, uint32_t symbol);

/* The state in the caller's memory. */
nibble_state *nibble_at(void *memory);

/* Notes a symbol's interval and the n <= 24 raw bits behind it; a frequency of 0 is of raw bits alone. */
void nibble_note(nibble_state *s, size_t lane, uint32_t start, uint32_t frequency, uint32_t n, uint32_t bits);

/* At the start of a row: a new chunk if this one is full. */
void nibble_turn_chunk_writing(nibble_state *s);
int64_t nibble_turn_chunk_reading(nibble_state *s);

/* Codes a symbol with the n raw bits behind it; a coefficient whose `wide` low bits are raw; those of one parity in a row,
 * quantised first where there are coefficients; and whether the block at (x, y) is worth coding. */
void nibble_encode_symbol(nibble_state *s, size_t lane, uint32_t a, uint32_t b, uint32_t symbol, uint32_t n, uint32_t bits);
void nibble_encode_value(nibble_state *s, size_t lane, uint32_t a, uint32_t b, uint32_t wide, int32_t q);
int64_t nibble_encode_half(const nibble_band *n, const nibble_half *h, const float *given);
int nibble_worthwhile(const nibble_band *n, const int32_t *q, size_t x, size_t y);

/* What is wrong with what was read so far, or 0. */
int64_t nibble_check(const nibble_state *s);

void nibble_decode_half_plain(const nibble_half *h);
void nibble_decode_half_telling(const nibble_half *h);
void nibble_contexts_plain(const nibble_view *v, int parity, size_t from, size_t to);
void nibble_add_far_plain(const nibble_far_view *v, size_t from, size_t to);
#ifdef RS_X86_VECTORS
void nibble_decode_half_avx2(const nibble_half *h);
void nibble_contexts_avx2(const nibble_view *v, int parity, size_t from, size_t to);
void nibble_add_far_avx2(const nibble_far_view *v, size_t from, size_t to);
#endif

#endif
