/* Scans as tokens: run-length coding of quantised coefficients, before Huffman tables exist.
 * Sequential scans are T.81 F.1.2, progressive ones G.1.2. */
#include "cpu.h"
#include "jpeg.h"

#include <stdlib.h>
#include <string.h>
#ifdef RS_X86_VECTORS
#include <immintrin.h>
#endif

enum { EOB_RUN_MAX = 0x7FFF, CORRECTIONS = 1024 };

static inline void put(rsi_tokens *t, int table, int symbol, int bits, unsigned value)
{
    t->freq[table][symbol]++;
    t->raw += (unsigned)bits;
    if (t->tokens)
        t->tokens[t->count++] = (uint32_t)symbol | (uint32_t)bits << RSI_TOKEN_COUNT_SHIFT |
                                value << RSI_TOKEN_BITS_SHIFT | (uint32_t)table << RSI_TOKEN_TABLE_SHIFT;
}

static inline void put_raw(rsi_tokens *t, int bits, unsigned value)
{
    t->raw += (unsigned)bits;
    if (t->tokens)
        t->tokens[t->count++] = RSI_TOKEN_RAW | (uint32_t)bits << RSI_TOKEN_COUNT_SHIFT | value << RSI_TOKEN_BITS_SHIFT;
}

static void begin(rsi_tokens *t)
{
    t->count = 0;
    t->raw = 0;
    memset(t->freq, 0, sizeof t->freq);
}

/* The extra bits of a value: itself if positive, value - 1 in n bits if negative (F.1.2.1). */
static inline unsigned extra(int value, int n) { return (unsigned)(value < 0 ? value - 1 : value) & ((1u << n) - 1); }

/* masks[i]: bit k set where the magnitude of level k is not below 1 << i. Whether one is above 1023. */
static int masks_plain(const int16_t *block, uint64_t masks[RSI_LEVELS])
{
    int largest = 0;
    memset(masks, 0, RSI_LEVELS * sizeof *masks);
    for (int k = 0; k < 64; k++) {
        int size = abs(block[k]);
        if (size > largest) largest = size;
        for (int level = 0; level < RSI_LEVELS; level++) masks[level] |= (uint64_t)(size >= 1 << level) << k;
    }
    return largest > 1023;
}

#ifdef RS_X86_VECTORS
__attribute__((target("avx2"))) static int masks_avx2(const int16_t *block, uint64_t masks[RSI_LEVELS])
{
    __m256i largest = _mm256_setzero_si256();
    memset(masks, 0, RSI_LEVELS * sizeof *masks);
    for (int k = 0; k < 64; k += 32) {
        __m256i a = _mm256_abs_epi16(_mm256_loadu_si256((const __m256i *)(block + k)));
        __m256i b = _mm256_abs_epi16(_mm256_loadu_si256((const __m256i *)(block + k + 16)));
        largest = _mm256_max_epu16(largest, _mm256_max_epu16(a, b)); /* unsigned: |-32768| stays what it is */
        /* Packing takes lanes by turns, which the permutation undoes; 255 is enough to tell the sizes apart. */
        __m256i sizes = _mm256_permute4x64_epi64(
            _mm256_packus_epi16(_mm256_min_epu16(a, _mm256_set1_epi16(255)), _mm256_min_epu16(b, _mm256_set1_epi16(255))),
            0xD8);
        for (int level = 0; level < RSI_LEVELS; level++) {
            __m256i least = _mm256_set1_epi8((char)(1 << level));
            __m256i reached = _mm256_cmpeq_epi8(_mm256_max_epu8(sizes, least), sizes);
            masks[level] |= (uint64_t)(uint32_t)_mm256_movemask_epi8(reached) << k;
        }
    }
    __m256i beyond = _mm256_subs_epu16(largest, _mm256_set1_epi16(1023));
    return !_mm256_testz_si256(beyond, beyond);
}
#endif

int rsi_tokens_prepare(rsi_tokens *t)
{
    int beyond = 0;
    int (*masks_of)(const int16_t *, uint64_t *) = masks_plain;
#ifdef RS_X86_VECTORS
    if (rs_cpu_used & RS_CPU_AVX2) masks_of = masks_avx2;
#endif
    for (size_t b = 0; b < t->frame->blocks; b++) beyond |= masks_of(t->coefs + 64 * b, t->masks + RSI_LEVELS * b);
    return !beyond;
}

/* Every block of a component's own grid: b is its index in the coefficient array. */
#define FOR_BLOCKS(component, b)                                                                             \
    for (int by_ = 0; by_ < (component)->bh; by_++)                                                          \
        for (size_t b = (component)->first + (size_t)by_ * (size_t)(component)->pw,                          \
                    end_ = b + (size_t)(component)->bw;                                                      \
             b < end_; b++)

/* The blocks of an interleaved scan, MCU by MCU. */
#define FOR_MCU_BLOCKS(frame, i, b)                                                                          \
    for (int my_ = 0; my_ < (frame)->mcus_y; my_++)                                                          \
        for (int mx_ = 0; mx_ < (frame)->mcus_x; mx_++)                                                      \
            for (int i = 0; i < (frame)->count; i++)                                                         \
                for (int v_ = 0; v_ < (frame)->c[i].v; v_++)                                                 \
                    for (size_t b = (frame)->c[i].first +                                                    \
                                    (size_t)(my_ * (frame)->c[i].v + v_) * (size_t)(frame)->c[i].pw +        \
                                    (size_t)(mx_ * (frame)->c[i].h),                                         \
                                end_ = b + (size_t)(frame)->c[i].h;                                          \
                         b < end_; b++)

static inline void put_dc(rsi_tokens *t, int table, int value, int *last)
{
    int diff = value - *last, n = rsi_bits((unsigned)abs(diff));
    *last = value;
    put(t, table, n, n, extra(diff, n));
}

static inline void put_ac(rsi_tokens *t, int table, int run, int value, int n)
{
    for (; run > 15; run -= 16) put(t, table, 0xF0, 0, 0);
    put(t, table, run << 4 | n, n, extra(value, n));
}

static void sequential_block(rsi_tokens *t, size_t b, int slot, int *last)
{
    const int16_t *block = t->coefs + 64 * b;
    put_dc(t, slot, block[0], last);
    int k = 1;
    for (uint64_t left = t->masks[RSI_LEVELS * b] & ~1ull; left; left &= left - 1) {
        int at = rsi_lowest(left);
        put_ac(t, 2 + slot, at - k, block[at], rsi_bits((unsigned)abs(block[at])));
        k = at + 1;
    }
    if (k < 64) put(t, 2 + slot, 0x00, 0, 0);
}

void rsi_tokens_sequential(rsi_tokens *t)
{
    const rsi_frame *f = t->frame;
    int last[4] = {0};
    begin(t);
    if (f->count == 1) {
        FOR_BLOCKS(&f->c[0], b) sequential_block(t, b, 0, &last[0]);
        return;
    }
    FOR_MCU_BLOCKS(f, i, b) sequential_block(t, b, i > 0, &last[i]);
}

static void dc_block(rsi_tokens *t, size_t b, int slot, const rsi_scan *s, int *last)
{
    int value = t->coefs[64 * b];
    if (s->high) put_raw(t, 1, (unsigned)(value >> s->low) & 1);
    else put_dc(t, slot, value >> s->low, last); /* arithmetic shift: G.1.2.1 */
}

static void dc_scan(rsi_tokens *t, const rsi_scan *s)
{
    const rsi_frame *f = t->frame;
    int last[4] = {0};
    if (f->count == 1) {
        FOR_BLOCKS(&f->c[0], b) dc_block(t, b, 0, s, &last[0]);
        return;
    }
    FOR_MCU_BLOCKS(f, i, b) dc_block(t, b, i > 0, s, &last[i]);
}

/* Blocks whose band is all zero from some point on are counted, and written as one symbol; in
 * refinement scans the correction bits of those blocks wait with them (G.1.2.2, G.1.2.3). */
typedef struct {
    int table, run, waiting;
    uint8_t bits[CORRECTIONS];
} eob_run;

static void put_bits(rsi_tokens *t, const uint8_t *bits, int n)
{
    while (n > 0) {
        unsigned value = 0;
        int take = n < 16 ? n : 16;
        for (int i = 0; i < take; i++) value = value << 1 | bits[i];
        put_raw(t, take, value);
        bits += take;
        n -= take;
    }
}

static void flush_run(rsi_tokens *t, eob_run *e)
{
    if (e->run) {
        int n = rsi_bits((unsigned)e->run) - 1;
        put(t, e->table, n << 4, n, (unsigned)e->run & ((1u << n) - 1));
    }
    put_bits(t, e->bits, e->waiting);
    e->run = e->waiting = 0;
}

static inline void extend_run(rsi_tokens *t, eob_run *e)
{
    if (++e->run == EOB_RUN_MAX || e->waiting > CORRECTIONS - 64) flush_run(t, e);
}

static void ac_first(rsi_tokens *t, const rsi_scan *s, eob_run *e)
{
    const rsi_component *c = &t->frame->c[s->component];
    uint64_t band = (~0ull >> (63 - s->last)) & (~0ull << s->first);
    FOR_BLOCKS(c, b)
    {
        const int16_t *block = t->coefs + 64 * b;
        int k = s->first;
        for (uint64_t left = t->masks[RSI_LEVELS * b + (size_t)s->low] & band; left; left &= left - 1) {
            int at = rsi_lowest(left), size = abs(block[at]) >> s->low;
            if (e->run) flush_run(t, e);
            put_ac(t, e->table, at - k, block[at] < 0 ? -size : size, rsi_bits((unsigned)size));
            k = at + 1;
        }
        if (k <= s->last) extend_run(t, e);
    }
    flush_run(t, e);
}

/* One block of a refinement scan: coefficients that are already known get a correction bit, new ones
 * (of magnitude 1 at this level) a symbol; runs count the zeros between, not the known ones. */
static void refine_block(rsi_tokens *t, const rsi_scan *s, eob_run *e, size_t b)
{
    const int16_t *block = t->coefs + 64 * b;
    uint64_t band = (~0ull >> (63 - s->last)) & (~0ull << s->first);
    uint64_t known = t->masks[RSI_LEVELS * b + (size_t)s->high] & band;
    uint64_t left = t->masks[RSI_LEVELS * b + (size_t)s->low] & band, fresh = left & ~known;
    uint8_t bits[64];
    int run = 0, n = 0, k = s->first;
    for (; left; left &= left - 1) {
        int at = rsi_lowest(left);
        run += at - k;
        k = at + 1;
        for (; run > 15 && fresh; run -= 16) {
            flush_run(t, e);
            put(t, e->table, 0xF0, 0, 0);
            put_bits(t, bits, n);
            n = 0;
        }
        if (known >> at & 1) {
            bits[n++] = (uint8_t)(abs(block[at]) >> s->low & 1);
            continue;
        }
        flush_run(t, e);
        put(t, e->table, run << 4 | 1, 1, block[at] > 0);
        put_bits(t, bits, n);
        run = n = 0;
        fresh &= fresh - 1;
    }
    if (k > s->last && !run && !n) return;
    for (int i = 0; i < n; i++) e->bits[e->waiting++] = bits[i];
    extend_run(t, e);
}

static void ac_refine(rsi_tokens *t, const rsi_scan *s, eob_run *e)
{
    const rsi_component *c = &t->frame->c[s->component];
    FOR_BLOCKS(c, b) refine_block(t, s, e, b);
    flush_run(t, e);
}

void rsi_tokens_progressive(rsi_tokens *t, const rsi_scan *s)
{
    begin(t);
    if (!s->first) {
        dc_scan(t, s);
        return;
    }
    eob_run e = {.table = 2 + (s->component > 0), .run = 0, .waiting = 0};
    if (s->high) ac_refine(t, s, &e);
    else ac_first(t, s, &e);
}

/* --- Counts of all ways to split the band --------------------------------------------------------- */

/* Ends of a first band that are tried. Zone i is what lies behind end i - 1, up to end i. */
const int rsi_ends[RSI_ENDS] = {2, 5, 8, 14};

static int zone_of(int k)
{
    int zone = 0;
    while (zone < RSI_ENDS && k > rsi_ends[zone]) zone++;
    return zone;
}

static inline void count_ac(uint32_t *freq, int run, int size)
{
    freq[0xF0] += (uint32_t)run >> 4;
    freq[(run & 15) << 4 | size]++;
}

static void count_run(rsi_counts *c, int *run)
{
    if (!*run) return;
    int n = rsi_bits((unsigned)*run) - 1;
    c->freq[n << 4]++;
    c->raw += (unsigned)n;
    *run = 0;
}

/* What the levels of one zone are coded with where the run before them begins in their band; and for each end what is so
 * counted of runs that cross it, and what takes its place where the band behind it begins anew. */
typedef struct {
    rsi_counts zone[RSI_ENDS + 1];
    uint32_t crossing[RSI_ENDS][256], anew[RSI_ENDS][256];
    uint8_t zone_of[64];
} zone_counts;

static void count_levels(zone_counts *z, const int16_t *block, uint64_t mask)
{
    int k = 1;
    for (; mask; mask &= mask - 1) {
        int at = rsi_lowest(mask), size = rsi_bits((unsigned)abs(block[at])), zone = z->zone_of[at];
        count_ac(z->zone[zone].freq, at - k, size);
        z->zone[zone].raw += (unsigned)size;
        for (int end = z->zone_of[k]; end < zone; end++) {
            count_ac(z->crossing[end], at - k, size);
            count_ac(z->anew[end], at - rsi_ends[end] - 1, size);
        }
        k = at + 1 < 64 ? at + 1 : 63;
    }
}

static void add(rsi_counts *to, const rsi_counts *from)
{
    for (int s = 0; s < 256; s++) to->freq[s] += from->freq[s];
    to->raw += from->raw;
}

void rsi_count_bands(const rsi_tokens *t, int component, rsi_counts counts[RSI_BANDS])
{
    const rsi_component *c = &t->frame->c[component];
    zone_counts z;
    uint64_t bands[RSI_BANDS] = {~1ull};
    int last[RSI_BANDS] = {63}, runs[RSI_BANDS] = {0};
    memset(&z, 0, sizeof z);
    memset(counts, 0, RSI_BANDS * sizeof *counts);
    for (int k = 0; k < 64; k++) z.zone_of[k] = (uint8_t)zone_of(k);
    for (int i = 0; i < RSI_ENDS; i++) {
        bands[2 * i + 1] = (2ull << rsi_ends[i]) - 2;
        bands[2 * i + 2] = ~0ull << (rsi_ends[i] + 1);
        last[2 * i + 1] = rsi_ends[i];
        last[2 * i + 2] = 63;
    }
    FOR_BLOCKS(c, b)
    {
        uint64_t mask = t->masks[RSI_LEVELS * b] & ~1ull;
        count_levels(&z, t->coefs + 64 * b, mask);
        for (int i = 0; i < RSI_BANDS; i++) {
            uint64_t own = mask & bands[i];
            if (own) count_run(&counts[i], &runs[i]);
            if (!(own >> last[i]) && ++runs[i] == EOB_RUN_MAX) count_run(&counts[i], &runs[i]);
        }
    }
    for (int i = 0; i < RSI_BANDS; i++) count_run(&counts[i], &runs[i]);
    for (int zone = 0; zone <= RSI_ENDS; zone++) {
        add(&counts[0], &z.zone[zone]);
        for (int i = 0; i < RSI_ENDS; i++) add(&counts[zone > i ? 2 * i + 2 : 2 * i + 1], &z.zone[zone]);
    }
    for (int i = 0; i < RSI_ENDS; i++)
        for (int s = 0; s < 256; s++) counts[2 * i + 2].freq[s] += z.anew[i][s] - z.crossing[i][s];
}
