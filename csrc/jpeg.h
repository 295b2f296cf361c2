/* What the JPEG files share: the frame, the order of coefficients, and the calls between them.
 * Clause and figure numbers are those of ITU-T T.81 (ISO/IEC 10918-1). */
#ifndef RS_JPEG_H
#define RS_JPEG_H

#include "ratescope.h"

#define RS_JPEG_MAX_SIDE 65500 /* as libjpeg: room for rounding up to whole MCUs in 16 bits */

/* One component. Coefficients are kept for pw*ph blocks (whole MCUs), of which bw*bh hold samples;
 * scans of one component cover bw*bh blocks, interleaved scans all of them (A.2.2, A.2.3). */
typedef struct {
    int id, h, v, table;
    int width, height;
    int bw, bh, pw, ph;
    size_t first; /* index of its first block in the coefficient array */
} rsi_component;

typedef struct {
    int width, height, count, hmax, vmax, mcus_x, mcus_y;
    size_t blocks;
    rsi_component c[4];
} rsi_frame;

/* Zig-zag position -> row-major position (figure 5). */
extern const uint8_t rsi_zigzag[64];

/* Fills in what follows from sides, count and sampling factors; RS_ERR_ARGUMENT if they make no frame. */
int64_t rsi_frame_layout(rsi_frame *f);

/* The frame of our encoder: luma h×v, chroma 1×1, ids 1, 2, 3. */
int64_t rsi_frame_make(rsi_frame *f, int32_t width, int32_t height, int32_t components, int32_t h, int32_t v);

static inline int rsi_bits(unsigned value) /* bits of a magnitude: 0 -> 0, 1 -> 1, 2..3 -> 2, ... */
{
#if defined(__GNUC__)
    return 31 - __builtin_clz(2 * value + 1); /* no branch; values are far below 2^31 */
#else
    int n = 0;
    for (; value; value >>= 1) n++;
    return n;
#endif
}

static inline int rsi_lowest(uint64_t mask) /* position of the lowest set bit; mask != 0 */
{
#if defined(__GNUC__)
    return __builtin_ctzll(mask);
#else
    int n = 0;
    for (; !(mask & 1); mask >>= 1) n++;
    return n;
#endif
}

/* --- Tokens: what a scan is made of, before its Huffman tables are known (jpeg_tokens.c) --------- */

/* One token is a Huffman symbol followed by up to 16 raw bits, or raw bits alone. */
enum {
    RSI_TOKEN_COUNT_SHIFT = 8, /* bits 0..7 symbol, 8..12 number of raw bits, 13..28 the bits */
    RSI_TOKEN_BITS_SHIFT = 13,
    RSI_TOKEN_TABLE_SHIFT = 29, /* which of the scan's tables: 0, 1 DC, 2, 3 AC */
    RSI_TOKENS_PER_BLOCK = 72,  /* at most 64 symbols, 4 runs of zeros or end-of-band, correction bits */
    RSI_LEVELS = 3              /* successive approximation: Al of 0, 1 and 2 */
};
#define RSI_TOKEN_RAW 0x80000000u

typedef struct {
    int component; /* -1: all, interleaved */
    int first, last, high, low; /* Ss, Se, Ah, Al */
} rsi_scan;

typedef struct {
    const rsi_frame *frame;
    const int16_t *coefs;  /* zig-zag order, 64 a block */
    uint64_t *masks;       /* RSI_LEVELS a block: bit k set where |coefficient k| >> Al is not 0 */
    uint32_t *tokens;      /* room for RSI_TOKENS_PER_BLOCK a block, and one run's correction bits; NULL: only count */
    size_t count;
    uint32_t freq[4][256]; /* of a table's symbols */
    uint64_t raw;          /* bits that follow them */
} rsi_tokens;

/* Fills the masks; whether all levels are within -1023...1023. */
int rsi_tokens_prepare(rsi_tokens *t);
void rsi_tokens_sequential(rsi_tokens *t);
void rsi_tokens_progressive(rsi_tokens *t, const rsi_scan *scan);

/* What the AC scans of a component would hold at full precision: the whole band 1...63, then for each end the band up to
 * it and the band behind it. One pass over the levels for all of them. */
enum { RSI_ENDS = 4, RSI_BANDS = 1 + 2 * RSI_ENDS };
extern const int rsi_ends[RSI_ENDS];
typedef struct {
    uint32_t freq[256]; /* of the symbols */
    uint64_t raw;       /* bits that follow them */
} rsi_counts;
void rsi_count_bands(const rsi_tokens *t, int component, rsi_counts counts[RSI_BANDS]);

/* --- Entropy-coded segments, decoding (jpeg_scan.c) --------------------------------------------- */

typedef struct {
    int defined;
    uint16_t fast[512];   /* by the next 9 bits: length << 8 | symbol, 0 where the code is longer */
    int32_t whole[512];   /* the same of an AC symbol with its value: value << 16 | run << 8 | bits of both, 0 if longer */
    int32_t limit[18];    /* one past the last code of each length, left-aligned to 16 bits */
    int32_t offset[17];   /* index of the first symbol of a length, minus its code */
    uint8_t symbols[256];
    int count;
} rsi_table;

typedef struct {
    const uint8_t *at, *end;
    rsi_frame frame;
    int progressive;
    int restart;             /* MCUs between restarts, 0: none */
    rsi_table dc[4], ac[4];
    int count, index[4], dc_table[4], ac_table[4]; /* components of this scan */
    int first, last, high, low;
    int16_t *coefs;
    float *costs; /* bits of each block, added up over the scans, or NULL */
} rsi_reader;

int64_t rsi_table_define(rsi_table *t, const uint8_t counts[16], const uint8_t *symbols, int total);
int64_t rsi_scan_decode(rsi_reader *r);

/* --- Pixels (dct8.c, jpeg_color.c) ---------------------------------------------------------------- */

/* Dequantises (both in zig-zag order), transforms and clips one block into out. */
void rsi_idct8(const int16_t *levels, const uint16_t *table, uint8_t *out, size_t stride);

/* Row y of the picture from the components' planes; lines: 4 times rsi_line_bytes(), aligned to 2. */
size_t rsi_line_bytes(const rsi_frame *f);
void rsi_render_row(const rsi_frame *f, uint8_t *const planes[3], int y, int ycc, uint8_t *lines, uint8_t *out);

#endif
