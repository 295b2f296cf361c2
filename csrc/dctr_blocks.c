/* `dct-rans`: the levels of JPEG (jpeg_quant.c) without Huffman codes, under adaptive contexts.
 *
 * The order inside a block, and predicting its edges from the blocks beside it, follow Horn et al., "The design,
 * implementation, and deployment of a system to transparently compress hundreds of petabytes of image files for a
 * file-storage service", NSDI 2017 (Lepton): first how many of the 7×7 inner coefficients (both frequencies above 0) are
 * not zero, then these in zig-zag order until that many are found; then the same for the upper edge (horizontal
 * frequencies alone) and for the left edge; last the DC, when all else of the block is known.
 *
 * Edges. A block's samples are sums of cosines that have a level tangent at the block's border: there, a column's
 * frequencies just add up, with alternating signs at its lower end. If the picture runs on smoothly from the block
 * above, A, into this one, X, then at horizontal frequency u, with c = sqrt 2 for v > 0 and 1 for v = 0,
 *
 *     sum over v of (-1)^v c A[u,v]  =  sum over v of c X[u,v],
 *
 * which gives X[u,0] (the DC too, u = 0) from what is known. From the left it is the same with u and v exchanged. */
#include "dctr_model.h"

enum {
    AC_BITS = 10,    /* levels are within +-1023 */
    DC_BITS = 11,    /* and so is the prediction of a DC */
    LEVEL_MAX = 1023,
    ROOT_2 = 1448,   /* in 1/1024 */
    COUNT_BITS = 6,  /* of 0...49 */
    EDGE_BITS = 3,   /* of 0...7 */
    INNER = 49,
    EDGE = 7
};

/* One component, its neighbours' place and what else is known. */
typedef struct {
    dctr_state *s;
    const rsi_frame *frame;
    int16_t *levels;
    const uint8_t *table;
    int component, chroma; /* chroma: plane kind, 0 or 1 */
    const float *bits;     /* where costs are wanted: those of a decision, see rs_dctr_costs; else NULL */
    float *costs;
} coder;

/* A block with what surrounds it; blocks that do not exist are all zero. */
typedef struct {
    int16_t *own;
    const int16_t *left, *above, *above_left, *other; /* other: of the first chroma component, for the second */
    int has_left, has_above;
    int right;         /* whether a block above right exists; it lies 64 values behind `above` */
    int n_left, n_above, n_above_left, n_above_right, mean; /* counts of nonzero coefficients; four times their mean */
    int luma, beside;  /* of the luma blocks at this place, of another component */
    int inner;         /* nonzero coefficients inside: counts as they become known */
    int edge[2];
} block;

static const int16_t NOTHING[64];

/* Raster order -> zig-zag position. */
static const uint8_t PLACE[64] = {
    0,  1,  5,  6,  14, 15, 27, 28, 2,  4,  7,  13, 16, 26, 29, 42, 3,  8,  12, 17, 25, 30, 41, 43, 9,  11, 18, 24,
    31, 40, 44, 53, 10, 19, 23, 32, 39, 45, 52, 54, 20, 22, 33, 38, 46, 51, 55, 60, 21, 34, 37, 47, 50, 56, 59, 61,
    35, 36, 48, 49, 57, 58, 62, 63,
};

RS_INLINE int size_of(int level) { return level < 0 ? -level : level; }
RS_INLINE int sign_of(int level) { return (level > 0) - (level < 0) + 1; } /* 0, 1, 2 */
RS_INLINE int at_most(int value, int most) { return value < most ? value : most; }
RS_INLINE int level_at(const int16_t *levels, int u, int v) { return levels[PLACE[8 * v + u]]; }

/* Half octaves: 0 for 0, 1 for 1, 3 for 2, 4 for 3, 5 for 4 ..., at most `most`. */
RS_INLINE int halves(int value, int most)
{
    if (value <= 0) return 0;
    int log = rsi_bits((unsigned)value) - 1;
    return at_most(1 + 2 * log + (log ? value >> (log - 1) & 1 : 0), most);
}

RS_INLINE int octaves(int value, int most) { return at_most(rsi_bits((unsigned)value), most); }

/* --- What is known around a block --------------------------------------------------------------------- */

static int luma_count(const coder *c, int x, int y)
{
    const rsi_component *luma = &c->frame->c[0];
    int h = luma->h, v = luma->v, sum = 0;
    for (int j = 0; j < v; j++)
        for (int i = 0; i < h; i++)
            if (x * h + i < luma->bw && y * v + j < luma->bh)
                sum += c->s->nonzero[(size_t)(y * v + j) * (size_t)luma->pw + (size_t)(x * h + i)];
    return sum * 4 / (h * v);
}

static block look_around(const coder *c, int x, int y)
{
    const rsi_component *own = &c->frame->c[c->component];
    size_t pitch = (size_t)own->pw, at = own->first + (size_t)y * pitch + (size_t)x;
    const uint8_t *n = c->s->nonzero + at;
    block b = {.own = c->levels + 64 * at, .has_left = x > 0, .has_above = y > 0, .other = NOTHING};
    b.right = b.has_above && x + 1 < own->bw;
    b.left = b.has_left ? b.own - 64 : NOTHING;
    b.above = b.has_above ? b.own - 64 * pitch : NOTHING;
    b.above_left = b.has_left && b.has_above ? b.above - 64 : NOTHING;
    b.n_left = b.has_left ? *(n - 1) : 0;
    b.n_above = b.has_above ? *(n - pitch) : 0;
    b.n_above_right = b.right ? *(n - pitch + 1) : b.n_above;
    b.n_above_left = b.has_left && b.has_above ? *(n - pitch - 1) : b.n_above;
    if (!b.has_left) b.n_left = b.n_above;
    if (!b.has_above) b.n_above = b.n_left;
    b.mean = b.has_above ? (2 * b.n_left + 2 * b.n_above + b.n_above_right + b.n_above_left + 1) * 2 / 3 : 4 * b.n_left;
    if (c->component) b.luma = luma_count(c, x, y);
    b.beside = at_most(b.luma / 4, 63);
    if (c->component == 2) {
        size_t first = c->frame->c[1].first + (at - own->first);
        b.other = c->levels + 64 * first;
        b.beside = c->s->nonzero[first];
    }
    return b;
}

/* Magnitudes at position k in the blocks around, in 1/32. */
static int around(const block *b, int k)
{
    int left = size_of(b->left[k]), above = size_of(b->above[k]);
    if (b->has_left && b->has_above) return 13 * (left + above) + 6 * size_of(b->above_left[k]);
    return 32 * (left + above);
}

/* What position k is in another component: 0...7. */
static int elsewhere(const coder *c, const block *b, int k)
{
    if (c->component == 2) return 1 + at_most(size_of(b->other[k]), 3);
    return c->component ? octaves(b->luma, 6) : 0;
}

/* --- Inner coefficients ------------------------------------------------------------------------------- */

RS_INLINE int code_inner_count(coder *c, const block *b, int count, const int decoding)
{
    int node = 1, chroma = c->chroma;
    dctr_contexts k = {.inputs = 4};
    for (int bit = COUNT_BITS - 1; bit >= 0; bit--) {
        int plane = chroma * 64 + node;
        k.at[0] = (uint32_t)(COUNT_0 + plane * 24 + halves(b->mean, 23));
        k.at[1] = (uint32_t)(COUNT_1 + (plane * 12 + halves(b->n_left, 11)) * 12 + halves(b->n_above, 11));
        k.at[2] = (uint32_t)(COUNT_2 + ((c->component * 64 + node) * 12 + halves(b->beside, 11)) * 12 +
                             halves(b->mean, 23) / 2);
        k.at[3] = (uint32_t)(COUNT_3 + (plane * 8 + octaves(b->n_above_right, 7)) * 8 +
                             octaves(b->n_left + b->n_above, 7));
        k.weights[0] = (uint32_t)(W_COUNT + plane);
        k.weights[1] = (uint32_t)(W_COUNT_MEAN + chroma * 16 + halves(b->mean, 15));
        node = node * 2 | dctr_code(c->s, &k, 0, count >> bit & 1, decoding);
    }
    return node - (1 << COUNT_BITS);
}

/* What of the block itself, coded before, tells of (u, v). */
static int within(const int16_t *own, int u, int v, int k)
{
    int sum = 0;
    if (u > 1 && PLACE[8 * v + u - 1] < k) sum += 2 * size_of(level_at(own, u - 1, v));
    if (v > 1 && PLACE[8 * (v - 1) + u] < k) sum += 2 * size_of(level_at(own, u, v - 1));
    if (u > 1 && v > 1) sum += size_of(level_at(own, u - 1, v - 1));
    if (u > 1 && v < 7 && PLACE[8 * (v + 1) + u - 1] < k) sum += size_of(level_at(own, u - 1, v + 1));
    if (v > 1 && u < 7 && PLACE[8 * (v - 1) + u + 1] < k) sum += size_of(level_at(own, u + 1, v - 1));
    if (u > 2) sum += size_of(level_at(own, u - 2, v));
    if (v > 2) sum += size_of(level_at(own, u, v - 2));
    return sum;
}

RS_INLINE int code_inner_sign(coder *c, const block *b, int k, int negative, const int decoding)
{
    int signs = sign_of(b->left[k]) * 3 + sign_of(b->above[k]);
    dctr_contexts x = {.inputs = 2, .weights = {W_INNER_SIGN, W_INNER_SIGN}};
    x.at[0] = (uint32_t)(INNER_SIGN_0 + (c->chroma * 64 + k) * 9 + signs);
    x.at[1] = (uint32_t)(INNER_SIGN_1 + (c->component == 2 ? 9 * k + sign_of(b->other[k]) : 9 * 64 + signs));
    return dctr_code(c->s, &x, 0, negative, decoding);
}

/* left: nonzero coefficients still to come; places: where they may be; before: magnitudes of the last ones. */
static dctr_contexts inner_contexts(const coder *c, const block *b, int k, int left, int places, int before)
{
    int u = rsi_zigzag[k] & 7, v = rsi_zigzag[k] >> 3, few = halves(left, 11), place = c->chroma * 64 + k;
    int near = around(b, k), inside = within(b->own, u, v, k);
    int near_right = near + (b->right ? 6 * size_of(b->above[64 + k]) : 0);
    dctr_contexts x = {.inputs = 7};
    x.at[0] = (uint32_t)(INNER_0 + (place * 24 + halves(near, 23)) * KINDS);
    x.at[1] = (uint32_t)(INNER_1 + ((place * 12 + few) * 2 + (left >= places / 2)) * KINDS);
    x.at[2] = (uint32_t)(INNER_2 + (((c->chroma * 12 + halves(inside, 11)) * 14 + halves(near, 13)) * 12 + few) * KINDS);
    x.at[3] = (uint32_t)(INNER_3 + (((place * 5 + at_most(size_of(b->left[k]), 4)) * 5 +
                                     at_most(size_of(b->above[k]), 4)) * 3 + at_most(before, 2)) * KINDS);
    x.at[4] = (uint32_t)(INNER_4 + (((c->component * 64 + k) * 8 + elsewhere(c, b, k)) * 8 + halves(near, 15) / 2) *
                                       KINDS);
    x.at[5] = (uint32_t)(INNER_5 + ((place * 12 + halves(inside, 11)) * 4 + octaves(left, 3)) * KINDS);
    x.at[6] = (uint32_t)(INNER_6 + (((c->chroma * 13 + halves(near_right, 12)) * 50 + places) * 12 + few) * KINDS);
    x.weights[0] = (uint32_t)(W_INNER + place * KINDS);
    x.weights[1] = (uint32_t)(W_INNER_LEFT + ((c->chroma * 12 + few) * 4 + halves(inside, 7) / 2) * KINDS);
    return x;
}

RS_INLINE int64_t code_inner(coder *c, block *b, const int decoding)
{
    int count = 0, places = INNER, before = 0;
    for (int k = 1; k < 64 && !decoding; k++) count += (rsi_zigzag[k] & 7) && rsi_zigzag[k] >> 3 && b->own[k];
    b->inner = count = code_inner_count(c, b, count, decoding);
    if (count > INNER) return RS_ERR_CORRUPT;
    for (int k = 1; count > 0; k++) {
        if (!(rsi_zigzag[k] & 7) || !(rsi_zigzag[k] >> 3)) continue;
        dctr_contexts x = inner_contexts(c, b, k, count, places, before);
        int m = dctr_magnitude(c->s, &x, size_of(b->own[k]), count == places, AC_BITS, decoding);
        if (m < 0) return RS_ERR_CORRUPT;
        if (m) {
            count--;
            int negative = code_inner_sign(c, b, k, b->own[k] < 0, decoding);
            if (decoding) b->own[k] = (int16_t)(negative ? -m : m);
        }
        before = at_most(m, 2) + (before >> 1);
        places--;
    }
    return 0;
}

/* --- Edges ---------------------------------------------------------------------------------------------- */

/* Coefficient i along edge 0 (u = i, v = 0) or 1 (u = 0, v = i), j steps into the block: its zig-zag position. */
RS_INLINE int edge_place(int edge, int i, int j) { return PLACE[edge ? 8 * i + j : 8 * j + i]; }

static int edge_count(const int16_t *levels, int edge)
{
    int count = 0;
    for (int i = 1; i < 8; i++) count += levels[edge_place(edge, i, 0)] != 0;
    return count;
}

/* Coefficient i of edge 0 from the block above, of edge 1 from the block to the left, times its step. The DC is
 * coefficient 0 of both. */
static int64_t continued(const coder *c, const block *b, int edge, int i)
{
    const int16_t *from = edge ? b->left : b->above;
    int64_t sum = 0;
    if (!(edge ? b->has_left : b->has_above)) return 0;
    for (int j = 1; j < 8; j++) {
        int k = edge_place(edge, i, j);
        sum += ((j & 1 ? -from[k] : from[k]) - b->own[k]) * (int64_t)c->table[k];
    }
    int k = edge_place(edge, i, 0);
    return from[k] * (int64_t)c->table[k] + sum * ROOT_2 / 1024;
}

RS_INLINE int code_edge_count(coder *c, const block *b, int edge, int count, const int decoding)
{
    int node = 1, plane = c->chroma * 2 + edge, above = edge_count(b->above, edge), left = edge_count(b->left, edge);
    int other = c->component == 2 ? edge_count(b->other, edge) : 0, done = edge ? b->edge[0] : 0;
    dctr_contexts x = {.inputs = 4};
    for (int bit = EDGE_BITS - 1; bit >= 0; bit--) {
        int at = plane * 8 + node;
        x.at[0] = (uint32_t)(EDGE_COUNT_0 + (at * 8 + above) * 8 + left);
        x.at[1] = (uint32_t)(EDGE_COUNT_1 + (at * 16 + halves(b->inner, 15)) * 8 + done);
        x.at[2] = (uint32_t)(EDGE_COUNT_2 + (((c->component * 2 + edge) * 8 + node) * 8 + octaves(b->luma, 7)) * 8 +
                             (above + left + 1) / 2);
        x.at[3] = (uint32_t)(EDGE_COUNT_3 + (at * 8 + other) * 8 + octaves(b->inner, 7));
        x.weights[0] = (uint32_t)(W_EDGE_COUNT + at);
        x.weights[1] = (uint32_t)(W_EDGE_COUNT_INNER + halves(b->inner, 15));
        node = node * 2 | dctr_code(c->s, &x, 0, count >> bit & 1, decoding);
    }
    return node - (1 << EDGE_BITS);
}

typedef struct {
    int sure, positive; /* four times the predicted magnitude, in half octaves */
} prediction;

static dctr_contexts edge_contexts(const coder *c, const block *b, int edge, int i, int left, prediction p)
{
    int k = edge_place(edge, i, 0), place = (c->chroma * 2 + edge) * 8 + i;
    int last = i > 1 ? size_of(b->own[edge_place(edge, i - 1, 0)]) : 0;
    int before = 2 * last + (i > 2 ? size_of(b->own[edge_place(edge, i - 2, 0)]) : 0);
    int inside = 2 * size_of(b->own[edge_place(edge, i, 1)]) + size_of(b->own[edge_place(edge, i, 2)]);
    dctr_contexts x = {.inputs = 7};
    x.at[0] = (uint32_t)(EDGE_0 + ((place * 20 + p.sure) * 8 + left) * KINDS);
    x.at[1] = (uint32_t)(EDGE_1 + (place * 24 + halves(around(b, k), 23)) * KINDS);
    x.at[2] = (uint32_t)(EDGE_2 + (((place * 8 + halves(before, 7)) * 8 + halves(inside, 7)) * 8 + left) * KINDS);
    x.at[3] = (uint32_t)(EDGE_3 + (((place * 5 + at_most(size_of(b->left[k]), 4)) * 5 +
                                    at_most(size_of(b->above[k]), 4)) * 8 + at_most(p.sure, 15) / 2) * KINDS);
    x.at[4] = (uint32_t)(EDGE_4 + ((((c->component * 2 + edge) * 8 + i) * 8 + elsewhere(c, b, k)) * 20 + p.sure) *
                                      KINDS);
    x.at[5] = (uint32_t)(EDGE_5 + ((place * 16 + halves(b->inner, 15)) * 8 + left) * KINDS);
    x.at[6] = (uint32_t)(EDGE_6 + ((place * 20 + p.sure) * 8 + halves(inside + last, 7)) * KINDS);
    x.weights[0] = (uint32_t)(W_EDGE + place * KINDS);
    x.weights[1] = (uint32_t)(W_EDGE_PREDICTION + ((c->chroma * 2 + edge) * 20 + p.sure) * KINDS);
    return x;
}

RS_INLINE int code_edge_sign(coder *c, const block *b, int edge, int i, prediction p, int m, int negative,
                             const int decoding)
{
    int k = edge_place(edge, i, 0), place = (c->chroma * 2 + edge) * 8 + i, way = p.sure > 2 ? 1 + p.positive : 0;
    dctr_contexts x = {.inputs = 4, .weights = {(uint32_t)(W_EDGE_SIGN + place), (uint32_t)(W_EDGE_SIGN_SIZE + p.sure)}};
    x.at[0] = (uint32_t)(EDGE_SIGN_0 + (place * 20 + p.sure) * 2 + p.positive);
    x.at[1] = (uint32_t)(EDGE_SIGN_1 + (place * 9 + sign_of(b->left[k]) * 3 + sign_of(b->above[k])) * 3 + way);
    x.at[2] = (uint32_t)(EDGE_SIGN_2 + (place * 3 + sign_of(b->other[k])) * 3 + way);
    x.at[3] = (uint32_t)(EDGE_SIGN_3 + (p.sure * 2 + p.positive) * 8 + octaves(m, 7));
    return dctr_code(c->s, &x, 0, negative, decoding);
}

RS_INLINE int64_t code_edge(coder *c, block *b, int edge, const int decoding)
{
    int count = code_edge_count(c, b, edge, decoding ? 0 : edge_count(b->own, edge), decoding);
    b->edge[edge] = count;
    for (int i = 1; count > 0; i++) {
        int k = edge_place(edge, i, 0);
        int64_t expected = continued(c, b, edge, i);
        int quarters = (int)((expected < 0 ? -expected : expected) * 4 / c->table[k]);
        prediction p = {halves(quarters, 19), expected > 0};
        dctr_contexts x = edge_contexts(c, b, edge, i, count, p);
        int m = dctr_magnitude(c->s, &x, size_of(b->own[k]), count == 8 - i, AC_BITS, decoding);
        if (m < 0) return RS_ERR_CORRUPT;
        if (!m) continue;
        count--;
        int negative = code_edge_sign(c, b, edge, i, p, m, b->own[k] < 0, decoding);
        if (decoding) b->own[k] = (int16_t)(negative ? -m : m);
    }
    return 0;
}

/* --- The DC ---------------------------------------------------------------------------------------------- */

RS_INLINE int64_t code_dc(coder *c, const block *b, const int decoding)
{
    int step = c->table[0], active = b->inner + b->edge[0] + b->edge[1], chroma = c->chroma;
    int64_t above = continued(c, b, 0, 0), left = continued(c, b, 1, 0);
    int both = b->has_left && b->has_above;
    int64_t expected = both ? (above + left) / 2 : above + left, gap = both ? above - left : 0;
    int64_t limit = (int64_t)LEVEL_MAX * step;
    expected = expected > limit ? limit : (expected < -limit ? -limit : expected);
    int predicted = (int)((expected + (expected < 0 ? -step : step) / 2) / step);
    int apart = halves((int)((gap < 0 ? -gap : gap) * 4 / step), 19), changed = 8, beside = b->luma;
    if (both) {
        int a = size_of(b->above[0] - b->above_left[0]), l = size_of(b->left[0] - b->above_left[0]);
        changed = a > l ? a : l;
    }
    if (c->component == 2) beside = size_of(b->other[0] - (b->has_left ? *(b->other - 64) : 0));
    dctr_contexts x = {.inputs = 5};
    x.at[0] = (uint32_t)(DC_0 + (chroma * 20 + apart) * KINDS);
    x.at[1] = (uint32_t)(DC_1 + ((chroma * 20 + apart) * 16 + halves(active, 15)) * KINDS);
    x.at[2] = (uint32_t)(DC_2 + (chroma * 24 + halves(changed, 23)) * KINDS);
    x.at[3] = (uint32_t)(DC_3 + ((chroma * 24 + halves(changed, 23)) * 20 + apart) * KINDS);
    x.at[4] = (uint32_t)(DC_4 + ((chroma * 16 + halves(active, 15)) * 16 + halves(beside, 15)) * KINDS);
    x.weights[0] = (uint32_t)(W_DC + chroma * KINDS);
    x.weights[1] = (uint32_t)(W_DC_GAP + apart * KINDS);
    int difference = b->own[0] - predicted;
    int m = dctr_magnitude(c->s, &x, size_of(difference), 0, DC_BITS, decoding);
    if (m < 0) return RS_ERR_CORRUPT;
    if (m) {
        int eighths = (int)((expected - (int64_t)predicted * step) * 8 / step) + 4;
        int where = eighths < 0 ? 0 : at_most(eighths, 7), larger = (above > left) + 2 * (above < left);
        dctr_contexts sign = {.inputs = 2, .weights = {W_DC_SIGN, W_DC_SIGN}};
        sign.at[0] = (uint32_t)(DC_SIGN_0 + where);
        sign.at[1] = (uint32_t)(DC_SIGN_1 + larger * 8 + where);
        int negative = dctr_code(c->s, &sign, 0, difference < 0, decoding);
        difference = negative ? -m : m;
    }
    int level = decoding ? predicted + (m ? difference : 0) : b->own[0];
    if (level < -LEVEL_MAX || level > LEVEL_MAX) return RS_ERR_CORRUPT;
    if (decoding) b->own[0] = (int16_t)level;
    return 0;
}

/* --- Streams ------------------------------------------------------------------------------------------------ */

/* What the decisions noted since the last call cost, in bits; they are dropped, and not coded. */
static float spent(rb_writer *w, const float *bits)
{
    float sum = 0;
    for (; w->noted > 0; w->noted--) {
        uint32_t note = w->notes[w->noted - 1], p = note & ~1u;
        sum += bits[(note & 1 ? p : 65536 - p) / 2];
    }
    return sum;
}

RS_INLINE int64_t code_component(coder *c, const int decoding)
{
    const rsi_component *own = &c->frame->c[c->component];
    if (c->component == c->chroma) dctr_start_contexts(c->s, c->chroma ? DCTR_CHROMA : DCTR_LUMA);
    for (int y = 0; y < own->bh; y++)
        for (int x = 0; x < own->bw; x++) {
            block b = look_around(c, x, y);
            size_t at = own->first + (size_t)y * (size_t)own->pw + (size_t)x;
            int64_t fault = code_inner(c, &b, decoding);
            for (int edge = 0; edge < 2 && fault >= 0; edge++) fault = code_edge(c, &b, edge, decoding);
            if (fault >= 0) fault = code_dc(c, &b, decoding);
            if (decoding && c->s->rans.reader.fault) return c->s->rans.reader.fault;
            if (fault < 0) return fault;
            c->s->nonzero[at] = (uint8_t)(b.inner + b.edge[0] + b.edge[1]);
            if (!decoding && c->costs) c->costs[at] = spent(&c->s->rans.writer, c->bits);
        }
    return 0;
}

/* Steps as differences, each from the one before, the first from 16. */
RS_INLINE int64_t code_table(dctr_state *s, int number, uint8_t *table, const int decoding)
{
    int last = 16;
    for (int k = 0; k < 64; k++) {
        int difference = table[k] - last, base = TABLE_VALUE + number * KINDS;
        dctr_contexts x = {.inputs = 1, .at = {(uint32_t)base}, .weights = {W_TABLE, W_TABLE}};
        int m = dctr_magnitude(s, &x, size_of(difference), 0, 8, decoding);
        x.at[0] = (uint32_t)(TABLE_SIGN + number);
        int negative = m > 0 && dctr_code(s, &x, 0, difference < 0, decoding);
        int step = decoding ? last + (negative ? -m : m) : table[k];
        if (m < 0 || step < 1 || step > 255) return RS_ERR_CORRUPT;
        if (decoding) table[k] = (uint8_t)step;
        last = step;
    }
    return 0;
}

RS_INLINE int64_t code_all(dctr_state *s, const rsi_frame *frame, int16_t *levels, uint8_t *tables, const int decoding)
{
    int64_t fault = 0;
    for (int i = 0; i < frame->count && i < 2 && fault >= 0; i++) fault = code_table(s, i, tables + 64 * i, decoding);
    if (decoding && s->rans.reader.fault) return s->rans.reader.fault;
    for (int i = 0; i < frame->count && fault >= 0; i++) {
        coder c = {s, frame, levels, tables + 64 * (i > 0), i, i > 0, NULL, NULL};
        fault = code_component(&c, decoding);
    }
    return fault;
}

int64_t rs_dctr_state(int64_t blocks)
{
    if (blocks < 1 || blocks > (int64_t)1 << 40) return RS_ERR_ARGUMENT;
    return (int64_t)offsetof(dctr_state, nonzero) + blocks;
}

int64_t rs_dctr_bound(int64_t blocks)
{
    return blocks < 1 || blocks > (int64_t)1 << 40 ? RS_ERR_ARGUMENT : 256 * blocks + 1024;
}

/* What encoding begins with; a fault. */
static int64_t start_encoding(dctr_state *s, size_t state_size, rsi_frame *f, const int16_t *levels,
                              const uint8_t *tables)
{
    if ((int64_t)state_size < rs_dctr_state((int64_t)f->blocks)) return RS_ERR_ARGUMENT;
    for (size_t i = 0; i < 64 * f->blocks; i++)
        if (levels[i] < -LEVEL_MAX || levels[i] > LEVEL_MAX) return RS_ERR_RANGE;
    for (int i = 0; i < (f->count > 1 ? 128 : 64); i++)
        if (!tables[i]) return RS_ERR_RANGE;
    dctr_start(s, f->blocks);
    return 0;
}

int64_t rs_dctr_encode(const int16_t *levels, int32_t width, int32_t height, int32_t components, int32_t h, int32_t v,
                       const uint8_t *tables, void *state, size_t state_size, uint8_t *dst, size_t capacity)
{
    rsi_frame f;
    dctr_state *s = state;
    int64_t fault = rsi_frame_make(&f, width, height, components, h, v);
    if (fault >= 0) fault = start_encoding(s, state_size, &f, levels, tables);
    if (fault < 0) return fault;
    rb_writer_start(&s->rans.writer, dst, capacity);
    /* Only decoding writes to levels and tables. */
    fault = code_all(s, &f, (int16_t *)(uintptr_t)levels, (uint8_t *)(uintptr_t)tables, 0);
    return fault < 0 ? fault : rb_writer_finish(&s->rans.writer);
}

int64_t rs_dctr_costs(const int16_t *levels, int32_t width, int32_t height, int32_t components, int32_t h, int32_t v,
                      const uint8_t *tables, void *state, size_t state_size, const float *bits, float *costs)
{
    rsi_frame f;
    dctr_state *s = state;
    int64_t fault = rsi_frame_make(&f, width, height, components, h, v);
    if (fault >= 0) fault = start_encoding(s, state_size, &f, levels, tables);
    if (fault < 0) return fault;
    rb_writer_start(&s->rans.writer, NULL, 0);
    memset(costs, 0, f.blocks * sizeof *costs);
    for (int i = 0; i < f.count && i < 2 && fault >= 0; i++)
        fault = code_table(s, i, (uint8_t *)(uintptr_t)tables + 64 * i, 0);
    float apart = spent(&s->rans.writer, bits);
    for (int i = 0; i < f.count && fault >= 0; i++) {
        coder c = {s, &f, (int16_t *)(uintptr_t)levels, tables + 64 * (i > 0), i, i > 0, bits, costs};
        fault = code_component(&c, 0);
    }
    return fault < 0 ? fault : (int64_t)(apart + 0.5f);
}

int64_t rs_dctr_decode(const uint8_t *data, size_t size, int32_t width, int32_t height, int32_t components, int32_t h,
                       int32_t v, void *state, size_t state_size, int16_t *levels, uint8_t *tables)
{
    rsi_frame f;
    dctr_state *s = state;
    int64_t blocks = rsi_frame_make(&f, width, height, components, h, v);
    if (blocks < 0) return blocks;
    if ((int64_t)state_size < rs_dctr_state(blocks)) return RS_ERR_ARGUMENT;
    dctr_start(s, f.blocks);
    memset(levels, 0, 128 * f.blocks);
    memset(tables, 0, components > 1 ? 128 : 64);
    rb_reader_start(&s->rans.reader, data, size);
    int64_t fault = code_all(s, &f, levels, tables, 1);
    return fault < 0 ? fault : rb_reader_finish(&s->rans.reader);
}
