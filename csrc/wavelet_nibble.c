/* The wavelet codec's fast coefficient coder: one symbol of 16 values a coefficient, four states side by side.
 *
 * Order: subbands coarse to fine, all planes of a resolution before the next. In a band, rows of blocks of 8 x 8: first
 * a symbol for each block that says whether it holds anything; then, row by row, the coefficients of those that do: in
 * even columns, then in odd ones.
 *
 * Why even and odd columns apart: then what is expected of a coefficient depends on no other of its own pass, so whole
 * passes of contexts are made by vector instructions beforehand, and the decoder never waits for a symbol to know the
 * next one's model. It costs no rate: even columns lack the neighbour to the left, odd ones have those on both sides.
 *
 * A coefficient is a symbol, its class, and raw bits: the place in the class and the sign. Where much is expected,
 * values go through the map 0, 1, -1, 2, -2 ... first and their low bits are raw, too.
 *
 * A symbol's probabilities are the mean of two adaptive models, cumulative ones of 16 bits: the model of the whole
 * expectation in half octaves, and that of its part from this band against its part from others. Learning moves all 16
 * entries towards the step at the symbol (F. Giesen, "Adaptive models for multi-symbol alphabets", 2015; AV1's
 * entropy coder): entries stay apart by at least 1, so every symbol keeps a chance.
 *
 * rANS (rans.c has the derivation): states in [2^32, 2^64), words of 32 bits. One look at the state a coefficient:
 * a symbol takes at most 15 bits, raw bits behind it at most 17. An adaptive model runs forwards and rANS backwards, so
 * the encoder notes what it codes, and at the first row behind NB_CHUNK symbols writes them: the states, then the words;
 * the decoder must find all states at 2^32 there. Short streams have one state instead of four, each costs 8 bytes. The
 * stream begins with a byte, the number of states less one.
 *
 * Expectation: sum w |neighbour| / 64 over the two rows above, in odd columns both sides, the parent, bands of this level
 * already done, the planes before. Weights: a regression over photographs (non-negative least squares). */
#include "wavelet_nibble.h"

#include "wavelet_geometry.h"

#define NB_TARGET
#define NB_VECTORS 0
#define NB_TELLS 1
#define NB_NAME(name) nibble_##name##_telling
#include "wavelet_nibble_kernel.h"

/* Luma (and alpha), first and second chroma; HL, LH, HH; even and odd columns. */
static const uint16_t WEIGHTS[3][3][2][NB_WEIGHTS] = {
    {{{0, 0, 18, 5, 7, 7, 3, 1, 7, 0, 0, 0, 0}, {15, 13, 13, 5, 5, 4, 0, 0, 3, 0, 0, 0, 0}},
     {{0, 0, 16, 2, 7, 7, 0, 4, 7, 4, 0, 0, 0}, {13, 13, 12, 3, 5, 5, 0, 0, 3, 3, 0, 0, 0}},
     {{0, 0, 14, 2, 6, 5, 2, 1, 3, 4, 7, 0, 0}, {10, 10, 10, 2, 4, 4, 0, 0, 3, 3, 6, 0, 0}}},
    {{{0, 0, 17, 6, 4, 4, 2, 3, 3, 0, 0, 3, 0}, {13, 11, 10, 5, 2, 3, 0, 0, 3, 0, 0, 3, 0}},
     {{0, 0, 10, 2, 6, 6, 2, 3, 4, 3, 0, 3, 0}, {13, 13, 10, 2, 3, 3, 0, 0, 3, 3, 0, 3, 0}},
     {{0, 0, 9, 2, 4, 4, 1, 2, 2, 5, 4, 3, 0}, {11, 11, 9, 2, 3, 3, 0, 0, 2, 3, 5, 3, 0}}},
    {{{0, 0, 9, 4, 3, 3, 1, 2, 3, 0, 0, 1, 8}, {10, 9, 7, 2, 3, 3, 0, 0, 3, 0, 0, 1, 6}},
     {{0, 0, 7, 3, 3, 3, 1, 2, 4, 3, 0, 1, 7}, {7, 7, 6, 2, 3, 2, 0, 0, 2, 3, 0, 1, 6}},
     {{0, 0, 4, 2, 2, 2, 1, 2, 2, 3, 4, 1, 8}, {6, 6, 4, 2, 2, 2, 0, 0, 2, 3, 4, 1, 6}}}};

/* --- Bands --------------------------------------------------------------------------------------- */

enum { EVEN_NOW, ODD_NOW, EVEN_N, ODD_N, EVEN_NN, ODD_NN, EVEN_FAR, ODD_FAR, CONTEXT_A, CONTEXT_B, WIDE };

static uint8_t *map_of(const nibble_state *s, int level, int plane, int orientation)
{
    return s->map[level & 1][plane][orientation - 1];
}

static nibble_band look_around(nibble_state *s, int plane, const int32_t *q, const int32_t *const guide[2],
                               size_t width, size_t height, int levels, int level, int orientation)
{
    nibble_band n = {.s = s, .plane = plane, .orientation = orientation};
    int own = orientation == 0 ? levels : level, kind = plane == 3 ? 0 : plane;
    n.own = own == 0 ? (band){q, width, width, height} : band_of(q, width, height, own, orientation);
    n.parent = n.sibling[0] = n.sibling[1] = n.guide[0] = n.guide[1] = no_band();
    n.set = orientation == 0 ? 0 : (plane * 3 + orientation - 1) * 3 + (level < 3 ? level - 1 : 2);
    nibble_start_band(s, plane, orientation, n.set);
    if (orientation == 0) return n;
    n.weight = WEIGHTS[kind][orientation - 1];
    n.map = map_of(s, level, plane, orientation);
    if (level < levels) {
        n.parent = band_of(q, width, height, level + 1, orientation);
        n.map_parent = map_of(s, level + 1, plane, orientation);
    }
    for (int i = 0; i < 2; i++) {
        if (orientation > i + 1) {
            n.sibling[i] = band_of(q, width, height, level, i + 1);
            n.map_sibling[i] = map_of(s, level, plane, i + 1);
        }
        if (guide[i] != NULL) {
            n.guide[i] = n.own;
            n.guide[i].q = guide[i] + (n.own.q - q);
            n.map_guide[i] = map_of(s, level, i, orientation);
        }
    }
    return n;
}

static void far_of(const nibble_far_view *v, size_t from, size_t to)
{
#ifdef RS_X86_VECTORS
    if (rs_cpu_used & RS_CPU_AVX2) {
        nibble_add_far_avx2(v, from, to);
        return;
    }
#endif
    nibble_add_far_plain(v, from, to);
}

/* Adds to what is expected from afar along row y of `b`, of columns between the pairs `from` and `to`. */
static void add_far(const nibble_band *n, const band *b, size_t y, int weight, size_t from, size_t to)
{
    if (b->q == NULL || y >= b->height) return;
    nibble_far_view v = {b->q + y * b->stride, n->s->buffer[EVEN_FAR], n->s->buffer[ODD_FAR], n->weight[0][weight],
                         n->weight[1][weight]};
    size_t evens = (b->width + 1) / 2, odds = b->width / 2;
    size_t both = to < odds ? to : odds;
    if (from < both) far_of(&v, from, both);
    if (evens > odds && odds >= from && odds < to) v.even[odds] = (uint16_t)(v.even[odds] + v.weight_even * nibble_magnitude(v.q[2 * odds]));
}

static void prepare_far(const nibble_band *n, size_t y, size_t from, size_t to)
{
    uint16_t *even = n->s->buffer[EVEN_FAR], *odd = n->s->buffer[ODD_FAR];
    const band *up = &n->parent;
    size_t known = up->q != NULL && y / 2 < up->height ? up->width : 0;
    const int32_t *row = known ? up->q + y / 2 * up->stride : NULL;
    uint16_t w_even = n->weight[0][NB_PARENT], w_odd = n->weight[1][NB_PARENT];
    size_t i = from;
    for (; i < to && i < known; i++) {
        uint16_t m = nibble_magnitude(row[i]);
        even[i] = (uint16_t)(w_even * m);
        odd[i] = (uint16_t)(w_odd * m);
    }
    for (; i < to; i++) even[i] = odd[i] = 0;
    for (int k = 0; k < 2; k++) {
        add_far(n, &n->sibling[k], y, NB_SIBLING + k, from, to);
        add_far(n, &n->guide[k], y, NB_GUIDE + k, from, to);
    }
}

static void turn_rows(nibble_state *s)
{
    for (int i = 0; i < 2; i++) {
        uint16_t *oldest = s->buffer[EVEN_NN + i];
        s->buffer[EVEN_NN + i] = s->buffer[EVEN_N + i];
        s->buffer[EVEN_N + i] = s->buffer[EVEN_NOW + i];
        s->buffer[EVEN_NOW + i] = oldest;
    }
}

static void clear_rows(nibble_state *s, size_t width, int first, int count)
{
    size_t pairs = (width + 1) / 2 + NB_BLOCK;
    for (int i = first; i < first + count; i++) memset(s->buffer[i] - NB_PAD, 0, (pairs + NB_PAD) * sizeof(uint16_t));
}


/* --- Rows of blocks --------------------------------------------------------------------------------- */

/* Where the model of a block's flag lies, by the flags around and by those elsewhere. */
static uint32_t flag_models(const nibble_band *n, size_t column, size_t row, uint32_t *elsewhere)
{
    size_t stride = n->s->map_stride, at = (row + 1) * stride + column + 1;
    size_t above = (row / 2 + 1) * stride + column / 2 + 1;
    const uint8_t *m = n->map + at;
    const uint8_t *up = m - stride;
    uint32_t near = (m[-1] > 0) * 32u + up[0] * 8u + (up[-1] > 0) * 4u + up[1];
    uint32_t guide = n->map_guide[0] ? n->map_guide[0][at] : 0, second = n->map_guide[1] ? n->map_guide[1][at] : 0;
    uint32_t parent = n->map_parent ? n->map_parent[above] : 0, sibling = n->map_sibling[0] ? n->map_sibling[0][at] : 0;
    uint32_t other = n->map_sibling[1] ? n->map_sibling[1][at] > 0 : 0;
    uint32_t far = parent * 32 + sibling * 8 + (guide > second ? guide : second) * 2 + other;
    uint32_t first = nibble_flags(n->plane, n->set);
    *elsewhere = first + NB_FLAG_NEAR + far;
    return first + near;
}

/* How much a block holds, in four steps. */
static uint8_t activity(const nibble_band *n, size_t x, size_t y)
{
    size_t right = x + NB_BLOCK < n->own.width ? x + NB_BLOCK : n->own.width;
    size_t bottom = y + NB_BLOCK < n->own.height ? y + NB_BLOCK : n->own.height;
    unsigned count = 0;
    for (size_t row = y; row < bottom; row++)
        for (size_t at = x; at < right; at++) count += n->own.q[row * n->own.stride + at] != 0;
    return count == 0 ? 0 : (count <= 3 ? 1 : (count <= 12 ? 2 : 3));
}

/* Lays what was spent since the last time evenly on a block's coefficients. */
static void tell_block(const nibble_band *n, const int32_t *q, size_t x, size_t y)
{
    nibble_state *s = n->s;
    size_t right = x + NB_BLOCK < n->own.width ? x + NB_BLOCK : n->own.width;
    size_t bottom = y + NB_BLOCK < n->own.height ? y + NB_BLOCK : n->own.height;
    float each = (float)s->spent / (65536.0f * (float)((right - x) * (bottom - y)));
    s->spent = 0;
    if (s->bits == NULL) return;
    for (size_t row = y; row < bottom; row++)
        for (size_t at = x; at < right; at++) s->bits[q + row * n->own.stride + at - s->told] += each;
}

/* Codes which blocks of a row of blocks hold anything, into the list; how many. */
static size_t code_flags(const nibble_band *n, const int32_t *q, size_t y, const int decoding)
{
    nibble_state *s = n->s;
    size_t count = 0, columns = (n->own.width + NB_BLOCK - 1) / NB_BLOCK, row = y / NB_BLOCK;
    uint8_t *map = n->map + (row + 1) * s->map_stride + 1;
    for (size_t column = 0; column < columns; column++) {
        uint32_t far, near = flag_models(n, column, row, &far), any;
        size_t lane = column % NB_LANES;
        if (decoding) {
            uint64_t *x = &s->x[lane & (size_t)s->mask];
            any = nibble_take_telling(s, x, near, far);
            *x = nibble_refilled_telling(s, *x);
            if (any > 1) s->bad = 1;
            tell_block(n, q, column * NB_BLOCK, y);
        } else {
            any = (uint32_t)nibble_worthwhile(n, q, column * NB_BLOCK, y);
            nibble_encode_symbol(s, lane, near, far, any, 0, 0);
        }
        map[column] = any > 0; /* for the flags to the right */
        if (any) s->list[count++] = (uint32_t)column;
    }
    s->symbols += (uint32_t)columns;
    return count;
}

static void contexts_of(const nibble_band *n, int parity, size_t from, size_t to)
{
    nibble_state *s = n->s;
    uint16_t *const *b = s->buffer;
    nibble_view v = {b[EVEN_N], b[ODD_N], b[EVEN_NN], b[ODD_NN], b[EVEN_NOW], b[EVEN_FAR + parity], b[CONTEXT_A], b[CONTEXT_B],
                     b[WIDE], n->weight[parity], (uint16_t)(n->set * NB_SET),
                     (uint16_t)(n->set * NB_SET + NB_LEVELS + parity * NB_SPLITS)};
#ifdef RS_X86_VECTORS
    if (rs_cpu_used & RS_CPU_AVX2) {
        nibble_contexts_avx2(&v, parity, from, to);
        return;
    }
#endif
    nibble_contexts_plain(&v, parity, from, to);
}

static void decode_half(const nibble_half *h)
{
    if (h->s->bits != NULL) {
        nibble_decode_half_telling(h);
        return;
    }
#ifdef RS_X86_VECTORS
    if (rs_cpu_used & RS_CPU_AVX2) {
        nibble_decode_half_avx2(h);
        return;
    }
#endif
    nibble_decode_half_plain(h);
}

/* Codes row y, in the blocks of the list. */
static int64_t code_row(const nibble_band *n, int32_t *q, size_t y, size_t blocks, const int decoding)
{
    nibble_state *s = n->s;
    int64_t fault = 0;
    size_t from = (size_t)s->list[0] * (NB_BLOCK / 2), to = ((size_t)s->list[blocks - 1] + 1) * (NB_BLOCK / 2);
    size_t pairs = (n->own.width + 1) / 2;
    if (to > pairs) to = pairs;
    turn_rows(s);
    clear_rows(s, n->own.width, EVEN_NOW, 2);
    prepare_far(n, y, from, to);
    nibble_half h = {s, q + y * n->own.stride, n->own.width, s->list, blocks, s->buffer[CONTEXT_A], s->buffer[CONTEXT_B],
                     s->buffer[WIDE], NULL, 0};
    for (h.parity = 0; h.parity < 2 && fault == 0; h.parity++) {
        h.now = s->buffer[EVEN_NOW + h.parity];
        contexts_of(n, h.parity, from, to);
        if (decoding)
            decode_half(&h);
        else
            fault = nibble_encode_half(n, &h, n->coefficients ? n->coefficients + y * n->own.stride : NULL);
    }
    s->symbols += (uint32_t)(blocks * NB_BLOCK);
    return decoding ? nibble_check(s) : fault;
}

static int64_t turn_chunk(nibble_state *s, const int decoding)
{
    if (decoding) return nibble_turn_chunk_reading(s);
    nibble_turn_chunk_writing(s);
    return 0;
}

/* Codes a whole band; rows that could not be decoded are zero. */
static int64_t code_band(const nibble_band *n, int32_t *q, const int decoding)
{
    nibble_state *s = n->s;
    size_t height = n->own.height, columns = (n->own.width + NB_BLOCK - 1) / NB_BLOCK;
    int64_t fault = 0;
    if (decoding || n->coefficients != NULL) clear_band(&n->own, q);
    clear_rows(s, n->own.width, EVEN_NOW, 6);
    for (size_t y = 0; y < height && fault == 0; y += NB_BLOCK) {
        size_t bottom = y + NB_BLOCK < height ? y + NB_BLOCK : height, row = y;
        fault = turn_chunk(s, decoding);
        if (fault < 0) break;
        size_t blocks = code_flags(n, q, y, decoding);
        if (decoding) fault = nibble_check(s);
        if (blocks == 0) clear_rows(s, n->own.width, EVEN_NOW, 6);
        if (blocks == 0 && fault == 0) continue;
        for (; row < bottom && fault == 0 && blocks > 0; row++) {
            if (row > y) fault = turn_chunk(s, decoding);
            if (fault == 0) fault = code_row(n, q, row, blocks, decoding);
        }
        if (decoding && fault < 0)
            for (size_t i = row - (row > y); i < height; i++) memset(q + i * n->own.stride, 0, n->own.width * sizeof *q);
        uint8_t *map = n->map + (y / NB_BLOCK + 1) * s->map_stride + 1;
        for (size_t k = 0; k < columns; k++)
            if (map[k]) map[k] = activity(n, k * NB_BLOCK, y);
    }
    return fault;
}

/* --- LL ------------------------------------------------------------------------------------------------ */

/* Codes row y: differences from the prediction, whose magnitudes around tell of this one's. */
static int64_t code_low_row(const nibble_band *n, int32_t *row, size_t y, const int decoding)
{
    nibble_state *s = n->s;
    uint16_t *now = s->buffer[EVEN_NOW];
    const uint16_t *up = s->buffer[EVEN_N], *far = s->buffer[EVEN_NN];
    const float *given = n->coefficients ? n->coefficients + y * n->own.stride : NULL;
    for (size_t x = 0; x < n->own.width; x++) {
        ptrdiff_t i = (ptrdiff_t)x;
        uint32_t near = 18u * now[i - 1] + 4u * now[i - 2] + 18u * up[i] + 8u * up[i - 1] + 12u * up[i + 1] + 4u * far[i];
        /* the first one is far from its prediction, which is 0, and says nothing of its neighbours */
        int lone = x == 0 && y == 0;
        uint32_t level = lone ? NB_LONE : nibble_level(near + 1), wide = level < NB_WIDE ? 0 : (level - NB_WIDE) / 2 + 1;
        uint32_t a = NB_LOW + (uint32_t)n->plane * 2 * NB_LEVELS + level;
        int32_t predicted = predict_low(row + x, n->own.stride, x, y), difference = 0;
        size_t lane = x % NB_LANES;
        if (decoding) {
            difference = nibble_value_telling(s, &s->x[lane & (size_t)s->mask], a, a + NB_LEVELS, wide);
            row[x] = predicted + difference;
            nibble_tell(s, row + x);
            if (!in_range(row[x])) return RS_ERR_CORRUPT;
        } else {
            if (given != NULL) row[x] = nearest(given[x] * n->inverse);
            if (!in_range(row[x])) return RS_ERR_RANGE;
            difference = row[x] - predicted;
            nibble_encode_value(s, lane, a, a + NB_LEVELS, wide, difference);
        }
        now[x] = lone ? 0 : nibble_magnitude(difference);
    }
    s->symbols += (uint32_t)n->own.width;
    return decoding ? nibble_check(s) : 0;
}

static int64_t code_low(const nibble_band *n, int32_t *q, const int decoding)
{
    nibble_state *s = n->s;
    int64_t fault = 0;
    for (int i = EVEN_NOW; i <= ODD_NN; i++) memset(s->buffer[i] - NB_PAD, 0, (n->own.width + 2 * NB_PAD) * sizeof(uint16_t));
    for (size_t y = 0; y < n->own.height && fault == 0; y++) {
        fault = turn_chunk(s, decoding);
        turn_rows(s);
        if (fault == 0) fault = code_low_row(n, q + y * n->own.stride, y, decoding);
        for (size_t i = y; decoding && fault < 0 && i < n->own.height; i++)
            memset(q + i * n->own.stride, 0, n->own.width * sizeof *q);
    }
    return fault;
}

/* --- Resolutions -------------------------------------------------------------------------------------- */

static int64_t valid(const nibble_state *s, int plane, size_t width, size_t height, int levels, int level)
{
    if (plane < 0 || plane > 3 || levels < 0 || levels > RS_DWT_MAX_LEVELS || level < 1 || level > levels + 1)
        return RS_ERR_ARGUMENT;
    return width < 1 || height < 1 || width > s->width || height > s->height ? RS_ERR_ARGUMENT : 0;
}

/* Whether a band is empty, one symbol. */
static int code_empty(const nibble_band *n, int empty, const int decoding)
{
    nibble_state *s = n->s;
    uint32_t a = NB_EMPTY + 2 * (uint32_t)(n->plane * 4 + n->orientation);
    s->symbols++;
    if (!decoding) {
        nibble_encode_symbol(s, 0, a, a + 1, (uint32_t)empty, 0, 0);
        return empty;
    }
    uint32_t symbol = nibble_take_telling(s, &s->x[0], a, a + 1);
    s->x[0] = nibble_refilled_telling(s, s->x[0]);
    if (symbol > 1) s->bad = 1;
    return symbol == 1;
}

static int64_t code_one(nibble_band *n, int32_t *q, int empty, const int decoding)
{
    nibble_state *s = n->s;
    if (n->map != NULL) memset(n->map, 0, s->map_stride * ((n->own.height + NB_BLOCK - 1) / NB_BLOCK + 2));
    if (n->own.width == 0 || n->own.height == 0) return 0;
    empty = code_empty(n, empty, decoding);
    if (decoding) nibble_tell(s, q);
    if (empty) clear_band(&n->own, q);
    if (decoding && nibble_check(s) < 0) clear_band(&n->own, q);
    if (decoding && nibble_check(s) < 0) return nibble_check(s);
    if (empty) return 0;
    return n->orientation ? code_band(n, q, decoding) : code_low(n, q, decoding);
}

int64_t rs_nibble_encode_level(void *state, int plane, const float *coefficients, float step, float lambda, int skip,
                               int32_t *q, const int32_t *guide, const int32_t *guide2, size_t width, size_t height,
                               int levels, int level)
{
    nibble_state *s = nibble_at(state);
    const int32_t *const guides[2] = {guide, guide2};
    int64_t fault = valid(s, plane, width, height, levels, level);
    int first = level > levels ? 0 : 1, last = level > levels ? 0 : 3;
    for (int orientation = first; orientation <= last && fault == 0; orientation++) {
        nibble_band n = look_around(s, plane, q, guides, width, height, levels, level, orientation);
        size_t offset = (size_t)(n.own.q - q);
        n.coefficients = coefficients ? coefficients + offset : NULL;
        n.inverse = 1.0f / (step * rs_wavelet_weight(orientation ? level : levels, orientation));
        n.lambda = lambda;
        fault = code_one(&n, q + offset, skip || (coefficients == NULL && is_empty(&n.own)), 0);
    }
    return fault < 0 ? fault : (int64_t)(s->spent >> 19);
}

int64_t rs_nibble_decode_level(void *state, int plane, int32_t *q, const int32_t *guide, const int32_t *guide2,
                               size_t width, size_t height, int levels, int level)
{
    nibble_state *s = nibble_at(state);
    const int32_t *const guides[2] = {guide, guide2};
    int64_t fault = valid(s, plane, width, height, levels, level);
    if (fault < 0) return fault;
    int first = level > levels ? 0 : 1, last = level > levels ? 0 : 3;
    s->told = q;
    for (int orientation = first; orientation <= last; orientation++) {
        nibble_band n = look_around(s, plane, q, guides, width, height, levels, level, orientation);
        if (fault == 0) fault = code_one(&n, q + (n.own.q - q), 0, 1);
        else clear_band(&n.own, q + (n.own.q - q));
    }
    return fault < 0 ? fault : (int64_t)s->position;
}

int64_t rs_nibble_tell(void *state, float *bits)
{
    nibble_state *s = nibble_at(state);
    s->bits = bits;
    return (int64_t)s->idle;
}
