/* A coefficient array as a JFIF file: the plan of scans, Huffman tables made for each, markers. */
#include "jpeg.h"

#include <string.h>

enum { RESERVED = 1, MAX_SCANS = 32 };

/* --- What a scan costs -------------------------------------------------------------------------- */

typedef struct {
    uint8_t counts[16];   /* codes of each length */
    uint8_t symbols[256]; /* by length, then by value */
    uint8_t length[256];
    uint16_t code[256];
    int used;
} code_table;

/* The best code of at most 16 bits for these frequencies. T.81 forbids the code of all ones: one
 * more symbol of frequency 1, sorted before all others so that it is longest, stands in for it. */
static void make_table(const uint32_t freq[256], code_table *t)
{
    uint32_t with_reserved[256 + RESERVED] = {1};
    uint8_t lengths[256 + RESERVED];
    memcpy(with_reserved + RESERVED, freq, 256 * sizeof *freq);
    memset(t, 0, sizeof *t);
    if (rs_huffman_lengths(with_reserved, 256 + RESERVED, 16, lengths) < 2) return;
    for (int s = 0; s < 256; s++)
        if (lengths[s + RESERVED]) t->counts[lengths[s + RESERVED] - 1]++;
    int place[17] = {0};
    unsigned next[17] = {0}; /* code of each length */
    for (int n = 1; n <= 16; n++) {
        place[n] = t->used;
        t->used += t->counts[n - 1];
        if (n < 16) next[n + 1] = (next[n] + t->counts[n - 1]) << 1;
    }
    for (int s = 0; s < 256; s++) {
        int n = lengths[s + RESERVED];
        if (!n) continue;
        t->symbols[place[n]++] = (uint8_t)s;
        t->length[s] = (uint8_t)n;
        t->code[s] = (uint16_t)next[n]++;
    }
}

/* Bits of symbols and of their table. */
static uint64_t table_cost(const uint32_t freq[256])
{
    code_table table;
    make_table(freq, &table);
    uint64_t bits = table.used ? 8 * (uint64_t)(21 + table.used) : 0;
    for (int s = 0; s < 256; s++) bits += (uint64_t)freq[s] * table.length[s];
    return bits;
}

enum { SCAN_HEADER = 8 * 10 };

/* Bits of the scan that was counted, with its tables and headers. */
static uint64_t scan_cost(const rsi_tokens *t)
{
    uint64_t bits = t->raw + SCAN_HEADER;
    for (int i = 0; i < 4; i++) bits += table_cost(t->freq[i]);
    return bits;
}

static uint64_t band_cost(const rsi_counts *c) { return c->raw + SCAN_HEADER + table_cost(c->freq); }

/* --- The plan ----------------------------------------------------------------------------------- */

typedef struct {
    rsi_scan scans[MAX_SCANS];
    int count;
} plan;

static void add(plan *p, int component, int first, int last, int high, int low)
{
    p->scans[p->count++] = (rsi_scan){component, first, last, high, low};
}

static uint64_t cost_of(rsi_tokens *t, int component, int first, int last, int high, int low)
{
    rsi_scan scan = {component, first, last, high, low};
    rsi_tokens_progressive(t, &scan);
    return scan_cost(t);
}

static uint64_t split_cost(rsi_tokens *t, int component, int split, int low)
{
    if (!split) return cost_of(t, component, 1, 63, 0, low);
    return cost_of(t, component, 1, split, 0, low) + cost_of(t, component, split + 1, 63, 0, low);
}

/* The cheapest way to send one component's AC: where the band is split in two, and how many low bits
 * are left to refinement scans. The split is chosen at full precision, then levels are added while
 * they pay. */
static uint64_t plan_ac(rsi_tokens *t, int component, plan *p)
{
    rsi_counts counts[RSI_BANDS];
    rsi_count_bands(t, component, counts);
    int split = 0, level = 0;
    uint64_t best = band_cost(&counts[0]), refinements = 0;
    for (int i = 0; i < RSI_ENDS; i++) {
        uint64_t cost = band_cost(&counts[2 * i + 1]) + band_cost(&counts[2 * i + 2]);
        if (cost < best) best = cost, split = rsi_ends[i];
    }
    for (int low = 1; low < RSI_LEVELS; low++) {
        refinements += cost_of(t, component, 1, 63, low, low - 1);
        uint64_t cost = split_cost(t, component, split, low) + refinements;
        if (cost >= best) break;
        best = cost;
        level = low;
    }
    if (split) add(p, component, 1, split, 0, level);
    add(p, component, split ? split + 1 : 1, 63, 0, level);
    for (int low = level; low > 0; low--) add(p, component, 1, 63, low, low - 1);
    return best;
}

static uint64_t plan_progressive(rsi_tokens *t, plan *p)
{
    uint32_t *tokens = t->tokens;
    t->tokens = NULL; /* counts are enough */
    uint64_t whole = cost_of(t, -1, 0, 0, 0, 0);
    uint64_t halved = cost_of(t, -1, 0, 0, 0, 1) + cost_of(t, -1, 0, 0, 1, 0), bits;
    p->count = 0;
    add(p, -1, 0, 0, 0, halved < whole);
    bits = halved < whole ? halved : whole;
    for (int i = 0; i < t->frame->count; i++) bits += plan_ac(t, i, p);
    if (halved < whole) add(p, -1, 0, 0, 1, 0);
    t->tokens = tokens;
    return bits;
}

/* Bits of the scans that send the levels best, and their plan: none for a single sequential scan, whose tokens are made. */
static uint64_t choose(rsi_tokens *t, int mode, plan *p)
{
    uint64_t progressive = mode != RS_JPEG_SEQUENTIAL ? plan_progressive(t, p) : UINT64_MAX;
    if (mode == RS_JPEG_PROGRESSIVE) return progressive;
    rsi_tokens_sequential(t);
    uint64_t sequential = scan_cost(t);
    if (mode == RS_JPEG_SMALLER && progressive < sequential) return progressive;
    p->count = 0;
    return sequential;
}

/* --- Writing ------------------------------------------------------------------------------------ */

typedef struct {
    uint8_t *at, *end;
    int full;
    uint64_t bits; /* the low `held` bits are waiting */
    int held;
} writer;

static void byte_out(writer *w, unsigned value)
{
    if (w->at < w->end) *w->at++ = (uint8_t)value;
    else w->full = 1;
}

static void word_out(writer *w, unsigned value)
{
    byte_out(w, value >> 8 & 255);
    byte_out(w, value & 255);
}

static void marker_out(writer *w, int marker, int payload)
{
    word_out(w, 0xFF00u | (unsigned)marker);
    word_out(w, (unsigned)payload + 2);
}

/* Four bytes at once unless one is 0xFF, behind which a zero is stuffed (F.1.2.3). A byte of 0xFF is a zero of ~word, and
 * only where there is a zero does subtracting 1 from every byte set a highest bit that was clear. */
static void word_of_bits_out(writer *w, uint32_t word)
{
    if (w->end - w->at >= 4 && !((~word - 0x01010101u) & word & 0x80808080u)) {
        for (int i = 0; i < 4; i++) w->at[i] = (uint8_t)(word >> (24 - 8 * i));
        w->at += 4;
        return;
    }
    for (int shift = 24; shift >= 0; shift -= 8) {
        byte_out(w, word >> shift & 255);
        if ((word >> shift & 255) == 0xFF) byte_out(w, 0);
    }
}

/* n: at most 32. */
static inline void bits_out(writer *w, unsigned value, int n)
{
    w->bits = w->bits << n | value;
    w->held += n;
    if (w->held >= 32) word_of_bits_out(w, (uint32_t)(w->bits >> (w->held -= 32)));
}

/* The bits that wait, and ones up to the next byte. */
static void align_out(writer *w)
{
    if (w->held & 7) bits_out(w, (1u << (8 - (w->held & 7))) - 1, 8 - (w->held & 7));
    while (w->held) {
        unsigned byte = (unsigned)(w->bits >> (w->held -= 8)) & 255;
        byte_out(w, byte);
        if (byte == 0xFF) byte_out(w, 0);
    }
}

static void tables_out(writer *w, const uint8_t *tables, int count)
{
    for (int i = 0; i < count; i++) {
        marker_out(w, 0xDB, 65);
        byte_out(w, (unsigned)i);
        for (int k = 0; k < 64; k++) byte_out(w, tables[64 * i + k]);
    }
}

static void frame_out(writer *w, const rsi_frame *f, int progressive)
{
    marker_out(w, progressive ? 0xC2 : 0xC0, 6 + 3 * f->count);
    byte_out(w, 8);
    word_out(w, (unsigned)f->height);
    word_out(w, (unsigned)f->width);
    byte_out(w, (unsigned)f->count);
    for (int i = 0; i < f->count; i++) {
        byte_out(w, (unsigned)f->c[i].id);
        byte_out(w, (unsigned)(f->c[i].h << 4 | f->c[i].v));
        byte_out(w, (unsigned)f->c[i].table);
    }
}

static void scan_header_out(writer *w, const rsi_frame *f, const rsi_scan *s)
{
    int from = s->component < 0 ? 0 : s->component, to = s->component < 0 ? f->count : from + 1;
    marker_out(w, 0xDA, 4 + 2 * (to - from));
    byte_out(w, (unsigned)(to - from));
    for (int i = from; i < to; i++) {
        /* A table that the scan does not use is named as 0 (G.1.1.1.1 leaves it open). */
        unsigned slot = i > 0, dc = !s->first && !s->high ? slot << 4 : 0, ac = s->last ? slot : 0;
        byte_out(w, (unsigned)f->c[i].id);
        byte_out(w, dc | ac);
    }
    byte_out(w, (unsigned)s->first);
    byte_out(w, (unsigned)s->last);
    byte_out(w, (unsigned)(s->high << 4 | s->low));
}

/* Tables, header and data of the scan whose tokens are at hand. */
static void scan_out(writer *w, const rsi_tokens *t, const rsi_scan *s)
{
    code_table table[4];
    for (int i = 0; i < 4; i++) {
        make_table(t->freq[i], &table[i]);
        if (!table[i].used) continue;
        marker_out(w, 0xC4, 17 + table[i].used);
        byte_out(w, (unsigned)((i >> 1) << 4 | (i & 1)));
        for (int n = 0; n < 16; n++) byte_out(w, table[i].counts[n]);
        for (int n = 0; n < table[i].used; n++) byte_out(w, table[i].symbols[n]);
    }
    scan_header_out(w, t->frame, s);
    for (size_t i = 0; i < t->count && !w->full; i++) {
        uint32_t token = t->tokens[i];
        int extra = (int)(token >> RSI_TOKEN_COUNT_SHIFT & 31);
        unsigned value = token >> RSI_TOKEN_BITS_SHIFT & 0xFFFF;
        const code_table *c = &table[token >> RSI_TOKEN_TABLE_SHIFT & 3];
        if (token & RSI_TOKEN_RAW) bits_out(w, value, extra);
        else bits_out(w, (unsigned)c->code[token & 255] << extra | value, c->length[token & 255] + extra);
    }
    align_out(w);
}

/* --- Calls -------------------------------------------------------------------------------------- */

static size_t token_capacity(size_t blocks) { return RSI_TOKENS_PER_BLOCK * blocks + 256; }

int64_t rs_jpeg_write_scratch(int64_t blocks)
{
    if (blocks < 1 || blocks > (int64_t)1 << 40) return RS_ERR_ARGUMENT;
    size_t masks = (size_t)blocks * RSI_LEVELS * sizeof(uint64_t);
    return (int64_t)(token_capacity((size_t)blocks) * sizeof(uint32_t) + masks);
}

int64_t rs_jpeg_write_bound(int64_t blocks, size_t extra)
{
    /* At most 64 symbols of 16 bits with 11 more each a block, twice over for stuffed bytes; headers. */
    return blocks < 1 || blocks > (int64_t)1 << 40 ? RS_ERR_ARGUMENT : 432 * blocks + 16384 + (int64_t)extra;
}

static void start_out(writer *w, const rsi_frame *f, const uint8_t *tables, const uint8_t *extra, size_t extra_size)
{
    static const uint8_t JFIF[14] = {'J', 'F', 'I', 'F', 0, 1, 1, 0, 0, 1, 0, 1, 0, 0};
    word_out(w, 0xFFD8);
    marker_out(w, 0xE0, sizeof JFIF);
    for (size_t i = 0; i < sizeof JFIF; i++) byte_out(w, JFIF[i]);
    for (size_t i = 0; i < extra_size; i++) byte_out(w, extra[i]);
    tables_out(w, tables, f->count > 1 ? 2 : 1);
}

int64_t rs_jpeg_write(const int16_t *levels, int32_t width, int32_t height, int32_t components, int32_t h, int32_t v,
                      const uint8_t *tables, int32_t mode, const uint8_t *extra, size_t extra_size, uint64_t *scratch,
                      size_t scratch_size, uint8_t *dst, size_t capacity, int64_t *stats)
{
    rsi_frame f;
    int64_t blocks = rsi_frame_make(&f, width, height, components, h, v);
    if (blocks < 0) return blocks;
    if (mode < 0 || mode > 2 || (int64_t)scratch_size < rs_jpeg_write_scratch(blocks)) return RS_ERR_ARGUMENT;
    rsi_tokens t = {.frame = &f, .coefs = levels, .masks = scratch, .count = 0};
    if (!rsi_tokens_prepare(&t)) return RS_ERR_RANGE;

    static const rsi_scan SEQUENTIAL = {-1, 0, 63, 0, 0};
    plan p = {.count = 0};
    t.tokens = (uint32_t *)(scratch + RSI_LEVELS * f.blocks);
    choose(&t, mode, &p);
    int progressive = p.count > 0;
    writer w = {.at = dst, .end = dst + capacity, .full = 0, .bits = 0, .held = 0};
    start_out(&w, &f, tables, extra, extra_size);
    frame_out(&w, &f, progressive);
    stats[0] = w.at - dst;
    stats[1] = progressive ? p.count : 1;
    stats[2] = progressive;
    if (!progressive) scan_out(&w, &t, &SEQUENTIAL);
    for (int i = 0; progressive && i < p.count; i++) {
        rsi_tokens_progressive(&t, &p.scans[i]);
        scan_out(&w, &t, &p.scans[i]);
    }
    word_out(&w, 0xFFD9);
    return w.full ? RS_ERR_SPACE : w.at - dst;
}
