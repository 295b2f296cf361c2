/* Entropy-coded segments of one scan, decoded into the coefficient array (T.81 F.2.2, G.2). */
#include "jpeg.h"

#include <string.h>

enum {
    FAST = 9,
    WHOLE_LOW = 6 /* values from `whole` have at most 8 bits: shifted by this they still fit */
};

static int32_t value_of(unsigned bits, int n) /* F.12 */
{
    return (int32_t)bits < 1 << (n - 1) ? (int32_t)bits - (1 << n) + 1 : (int32_t)bits;
}

/* Where the next bits hold an AC symbol and all of its value, one look tells both. */
static void define_whole(rsi_table *t)
{
    for (int next = 0; next < 1 << FAST; next++) {
        int length = t->fast[next] >> 8, run = t->fast[next] >> 4 & 15, n = t->fast[next] & 15;
        if (!length || !n || length + n > FAST) continue;
        unsigned bits = (unsigned)next >> (FAST - length - n) & ((1u << n) - 1);
        t->whole[next] = value_of(bits, n) * (1 << 16) + (run << 8 | (length + n));
    }
}

int64_t rsi_table_define(rsi_table *t, const uint8_t counts[16], const uint8_t *symbols, int total)
{
    int32_t code = 0;
    int index = 0;
    memset(t, 0, sizeof *t);
    memcpy(t->symbols, symbols, (size_t)total);
    for (int n = 1; n <= 16; n++, code <<= 1) {
        t->offset[n] = index - code;
        for (int i = 0; i < counts[n - 1]; i++, index++, code++) {
            /* The code of all ones is reserved (C.2), so codes stay below 2^n - 1. */
            if (code + 1 >= 1 << n) return RS_ERR_CORRUPT;
            for (int j = 0; n <= FAST && j < 1 << (FAST - n); j++)
                t->fast[(code << (FAST - n)) + j] = (uint16_t)(n << 8 | symbols[index]);
        }
        t->limit[n] = code << (16 - n);
    }
    t->limit[17] = INT32_MAX;
    t->count = total;
    define_whole(t);
    t->defined = 1;
    return 0;
}

/* --- Bits --------------------------------------------------------------------------------------- */

typedef struct {
    const uint8_t *at, *end;
    uint64_t bits; /* the low `held` bits are next, highest first */
    int held;
    int invented; /* zero bits fed past the end of the segment */
} bit_reader;

/* Byte by byte, as there are markers, stuffed zeros or the end near. */
static void refill_slowly(bit_reader *b)
{
    while (b->held <= 48) {
        unsigned byte = 0;
        if (b->at < b->end && *b->at != 0xFF) byte = *b->at++;
        else if (b->end - b->at >= 2 && !b->at[1]) byte = 0xFF, b->at += 2;
        else b->invented += 8;
        b->bits = b->bits << 8 | byte;
        b->held += 8;
    }
}

/* Makes at least 32 bits available, a code of 16 and up to 16 more, where there are fewer. */
static inline void refill(bit_reader *b)
{
    if (b->end - b->at >= 4) {
        uint32_t four = (uint32_t)b->at[0] << 24 | (uint32_t)b->at[1] << 16 | (uint32_t)b->at[2] << 8 | b->at[3];
        if (!((~four - 0x01010101u) & four & 0x80808080u)) { /* none is 0xFF: see word_of_bits_out */
            b->bits = b->bits << 32 | four;
            b->held += 32;
            b->at += 4;
            return;
        }
    }
    refill_slowly(b);
}

static inline int overrun(const bit_reader *b) { return b->invented > b->held; }

static inline unsigned take(bit_reader *b, int n)
{
    b->held -= n;
    return (unsigned)(b->bits >> b->held) & ((1u << n) - 1);
}

static inline int take_one(bit_reader *b)
{
    if (b->held < 1) refill(b);
    return (int)take(b, 1);
}

/* The next symbol, or -1; leaves at least 16 bits for what follows it. */
static inline int symbol(bit_reader *b, const rsi_table *t)
{
    if (b->held < 32) refill(b);
    int32_t next = (int32_t)(b->bits >> (b->held - 16)) & 0xFFFF;
    unsigned entry = t->fast[next >> (16 - FAST)];
    if (entry) {
        b->held -= (int)(entry >> 8);
        return (int)(entry & 255);
    }
    int n = FAST + 1;
    while (next >= t->limit[n]) n++;
    if (n > 16) return -1;
    int index = (next >> (16 - n)) + t->offset[n];
    if (index < 0 || index >= t->count) return -1;
    b->held -= n;
    return t->symbols[index];
}

/* A value from its n extra bits. */
static inline int extended(bit_reader *b, int n) { return n ? value_of(take(b, n), n) : 0; }

/* The entry of `whole` for what comes next; leaves at least 32 bits. */
static inline int32_t peek_whole(bit_reader *b, const rsi_table *t)
{
    if (b->held < 32) refill(b);
    return t->whole[b->bits >> (b->held - FAST) & ((1 << FAST) - 1)];
}

/* --- Blocks ------------------------------------------------------------------------------------- */

typedef struct {
    rsi_reader *r;
    bit_reader b;
    int last_dc[4];
    int eob_run;
    /* Where costs are wanted: */
    int64_t charged;          /* bits of the scan that are accounted for */
    size_t block;             /* the one that was decoded last */
    int run_bits, run_length; /* of an end-of-band run that begins in this block */
    float share;              /* what each block of the run pays */
} scan_state;

/* --- Costs -------------------------------------------------------------------------------------- */

/* Bits of the scan that are used up. Of the bytes read ahead, an 0xFF has a stuffed zero behind it. */
static int64_t position(const scan_state *s)
{
    const bit_reader *b = &s->b;
    int64_t bits = 8 * (int64_t)(b->at - s->r->at) + b->invented - b->held;
    for (int i = 0; i < b->held / 8; i++)
        if ((b->bits >> 8 * i & 255) == 255) bits -= 8;
    return bits;
}

/* Bits of the code of a symbol that the table has. */
static int code_length(const rsi_table *t, int symbol)
{
    int index = 0, n = 1;
    while (t->symbols[index] != symbol) index++;
    while (t->offset[n] + (t->limit[n] >> (16 - n)) <= index) n++;
    return n;
}

/* Charges what was read since the last call to the block decoded last. in_run: an end-of-band run covered it from
 * before. The code of a run stands for all of its blocks, so they pay for it in equal parts. */
static void charge(scan_state *s, int in_run)
{
    int64_t now = position(s);
    float *cost = s->r->costs + s->block;
    *cost += (float)(now - s->charged - s->run_bits);
    s->charged = now;
    if (s->run_bits) s->share = (float)s->run_bits / (float)s->run_length;
    if (s->run_bits || in_run) *cost += s->share;
    s->run_bits = 0;
}

static inline int read_dc(scan_state *s, int slot, int16_t *block)
{
    const rsi_reader *r = s->r;
    int n = symbol(&s->b, &r->dc[r->dc_table[slot]]);
    if (n < 0 || n > 11) return 0; /* differences of 8-bit pictures have at most 11 bits */
    int value = s->last_dc[slot] + extended(&s->b, n);
    if (value < -2048 || value > 2047) return 0;
    s->last_dc[slot] = value;
    block[0] = (int16_t)(value * (1 << r->low));
    return value * (1 << r->low) == block[0];
}

static int sequential_block(scan_state *s, int slot, int16_t *block)
{
    const rsi_table *ac = &s->r->ac[s->r->ac_table[slot]];
    if (!read_dc(s, slot, block)) return 0;
    for (int k = 1; k < 64; k++) {
        int32_t whole = peek_whole(&s->b, ac);
        if (whole) {
            k += whole >> 8 & 15;
            if (k > 63) return 0;
            s->b.held -= whole & 15;
            block[k] = (int16_t)(whole >> 16);
            continue;
        }
        int rs = symbol(&s->b, ac), n = rs & 15;
        if (rs < 0) return 0;
        if (!n && rs != 0xF0) return rs == 0;
        k += rs >> 4;
        if (k > 63 || n > 10) return 0;
        block[k] = (int16_t)extended(&s->b, n);
    }
    return 1;
}

static int dc_first_block(scan_state *s, int slot, int16_t *block) { return read_dc(s, slot, block); }

static int dc_refine_block(scan_state *s, int slot, int16_t *block)
{
    (void)slot;
    block[0] = (int16_t)(block[0] | take_one(&s->b) << s->r->low);
    return 1;
}

static int read_eob_run(scan_state *s, int slot, int n)
{
    int run = n ? (1 << n) + (int)take(&s->b, n) : 1;
    if (s->r->costs) {
        s->run_bits = code_length(&s->r->ac[s->r->ac_table[slot]], n << 4) + n;
        s->run_length = run;
    }
    return run;
}

static int ac_first_block(scan_state *s, int slot, int16_t *block)
{
    const rsi_reader *r = s->r;
    if (s->eob_run) {
        s->eob_run--;
        return 1;
    }
    const rsi_table *ac = &r->ac[r->ac_table[slot]];
    for (int k = r->first; k <= r->last; k++) {
        int32_t whole = r->low <= WHOLE_LOW ? peek_whole(&s->b, ac) : 0;
        if (whole) {
            k += whole >> 8 & 15;
            if (k > r->last) return 0;
            s->b.held -= whole & 15;
            block[k] = (int16_t)((whole >> 16) * (1 << r->low));
            continue;
        }
        int rs = symbol(&s->b, ac), run = rs >> 4, n = rs & 15;
        if (rs < 0) return 0;
        if (!n && run < 15) {
            s->eob_run = read_eob_run(s, slot, run) - 1;
            return 1;
        }
        k += run;
        if (k > r->last || n + r->low > 14) return 0;
        block[k] = (int16_t)(extended(&s->b, n) * (1 << r->low));
    }
    return 1;
}

/* Passes over coefficients from k on, correcting those already known, until `run` zeros have been
 * skipped; returns the position of the next zero after them, or last + 1. */
static int correct(scan_state *s, int16_t *block, int k, int run)
{
    const rsi_reader *r = s->r;
    int bit = 1 << r->low;
    for (; k <= r->last; k++) {
        if (!block[k]) {
            if (run-- == 0) break;
            continue;
        }
        if (take_one(&s->b) && !(block[k] & bit)) block[k] = (int16_t)(block[k] + (block[k] > 0 ? bit : -bit));
    }
    return k;
}

static int ac_refine_block(scan_state *s, int slot, int16_t *block)
{
    const rsi_reader *r = s->r;
    int k = r->first;
    while (k <= r->last && !s->eob_run) {
        int rs = symbol(&s->b, &r->ac[r->ac_table[slot]]), run = rs >> 4, value = 0;
        if (rs < 0 || (rs & 15) > 1) return 0;
        if (rs & 15) value = (take(&s->b, 1) ? 1 : -1) * (1 << r->low);
        else if (run < 15) {
            s->eob_run = read_eob_run(s, slot, run);
            break;
        }
        k = correct(s, block, k, run);
        if (value && k > r->last) return 0;
        if (value) block[k] = (int16_t)value;
        k++;
    }
    if (s->eob_run) {
        correct(s, block, k, 64);
        s->eob_run--;
    }
    return 1;
}

/* --- Segments and MCUs --------------------------------------------------------------------------- */

/* Whether the segment was used up, but for the bits that fill its last byte. */
static int64_t end_segment(bit_reader *b)
{
    if (overrun(b)) return b->end - b->at < 2 ? RS_ERR_TRUNCATED : RS_ERR_CORRUPT;
    if (b->held - b->invented >= 8) return RS_ERR_CORRUPT;
    b->held = b->invented = 0;
    b->bits = 0;
    if (b->end - b->at < 2) return RS_ERR_TRUNCATED;
    return b->at[0] == 0xFF && b->at[1] ? 0 : RS_ERR_CORRUPT;
}

static int64_t restart(scan_state *s, int number)
{
    int64_t result = end_segment(&s->b);
    if (result < 0) return result;
    while (s->b.end - s->b.at > 2 && s->b.at[1] == 0xFF) s->b.at++; /* fill bytes: B.1.1.2 */
    if (s->b.at[1] != 0xD0 + (number & 7) || s->eob_run) return RS_ERR_CORRUPT;
    s->b.at += 2;
    if (s->r->costs) charge(s, 0);
    memset(s->last_dc, 0, sizeof s->last_dc);
    return 0;
}

typedef int (*block_decoder)(scan_state *, int slot, int16_t *block);

static int mcu(scan_state *s, block_decoder decode, int mx, int my)
{
    rsi_reader *r = s->r;
    for (int i = 0; i < r->count; i++) {
        const rsi_component *c = &r->frame.c[r->index[i]];
        int single = r->count == 1, h = single ? 1 : c->h, v = single ? 1 : c->v;
        for (int y = 0; y < v; y++)
            for (int x = 0; x < h; x++) {
                size_t at = c->first + (size_t)(my * v + y) * (size_t)c->pw + (size_t)(mx * h + x);
                int in_run = s->eob_run > 0;
                if (!decode(s, i, r->coefs + 64 * at)) return 0;
                s->block = at;
                if (r->costs) charge(s, in_run);
            }
    }
    return !overrun(&s->b);
}

int64_t rsi_scan_decode(rsi_reader *r)
{
    scan_state s = {.r = r, .b = {.at = r->at, .end = r->end}};
    const rsi_component *c = &r->frame.c[r->index[0]];
    int across = r->count == 1 ? c->bw : r->frame.mcus_x, down = r->count == 1 ? c->bh : r->frame.mcus_y;
    int64_t done = 0;
    block_decoder decode = sequential_block;
    if (r->progressive && !r->first) decode = r->high ? dc_refine_block : dc_first_block;
    if (r->progressive && r->first) decode = r->high ? ac_refine_block : ac_first_block;
    for (int y = 0; y < down; y++)
        for (int x = 0; x < across; x++, done++) {
            if (r->restart && done && done % r->restart == 0) {
                int64_t result = restart(&s, (int)((done / r->restart - 1) & 7));
                if (result < 0) return result;
            }
            if (!mcu(&s, decode, x, y))
                return overrun(&s.b) && s.b.end - s.b.at < 2 ? RS_ERR_TRUNCATED : RS_ERR_CORRUPT;
        }
    if (s.eob_run) return RS_ERR_CORRUPT;
    int64_t result = end_segment(&s.b);
    if (r->costs) charge(&s, 0);
    r->at = s.b.at;
    return result;
}
