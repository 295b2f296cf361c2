/* Coefficients of the wavelet codec: quantiser and context model, one resolution of one plane a call.
 *
 * Subbands come coarse to fine, all planes of a resolution before the next, so that any prefix of the one
 * range-coded stream is a coarser picture. Inside a band, rows top to bottom.
 *
 * A magnitude m is coded as decisions: m > 0, m > 1, m > 3, m > 7 ... (its class: the number of its bits), then
 * the bits under the leading one, then the sign. Expected magnitude E = sum w |neighbour| / 64, over what the
 * decoder knows: causal neighbours, the parent and its neighbours (the same place one level coarser), bands of
 * this level already done and their neighbours, the guide planes. The weights are a regression over
 * photographs. E in half octaves is the strongest context (Wu, "High-order context modeling and embedded
 * conditional entropy coding of wavelet coefficients", 1997: ECECOW); mixing adds two finer views of it. */
#include "wavelet_geometry.h"
#include "wavelet_model.h"

enum { PAD = 2, SATURATE = 65535, MAX_CLASS = 25 };

/* What the first coefficient of a segment, and any other, is taken to cost before it is coded, in bits. */
#define FIRST_COST 5.5f
#define FURTHER_COST 3.5f

/* Weights of |neighbour| in the expectation, in 1/128: a regression (non-negative least squares, weighted by the
 * inverse of the expectation) over coefficients of photographs at three steps. nn2: NNW and NNE; n2: NWW and NEE;
 * cross: the four neighbours of the place. */
typedef struct {
    int32_t w, ww, n, nn, nw, ne, nn2, n2;
    int32_t parent, parent_cross;
    int32_t sibling[2], sibling_cross[2];
    int32_t guide[2];
} weights;

/* Luma (and alpha), first and second chroma; LL, HL, LH, HH. */
static const weights WEIGHTS[3][4] = {
    {{32, 6, 32, 6, 12, 12, 0, 0, 0, 0, {0, 0}, {0, 0}, {0, 0}},
     {27, 8, 28, 10, 7, 11, 3, 3, 7, 1, {0, 0}, {0, 0}, {0, 0}},
     {34, 12, 20, 2, 4, 9, 0, 4, 6, 1, {7, 0}, {3, 0}, {0, 0}},
     {19, 6, 18, 4, 9, 11, 2, 4, 3, 0, {7, 7}, {2, 1}, {0, 0}}},
    {{32, 6, 32, 6, 12, 12, 0, 0, 0, 0, {0, 0}, {0, 0}, {0, 0}},
     {25, 7, 25, 9, 6, 11, 2, 4, 3, 0, {0, 0}, {0, 0}, {5, 0}},
     {38, 14, 16, 3, 1, 8, 1, 3, 3, 0, {4, 0}, {2, 0}, {5, 0}},
     {21, 8, 15, 5, 8, 11, 2, 5, 1, 0, {5, 4}, {1, 1}, {3, 0}}},
    {{32, 6, 32, 6, 12, 12, 0, 0, 0, 0, {0, 0}, {0, 0}, {0, 0}},
     {20, 4, 20, 5, 5, 6, 2, 3, 2, 0, {0, 0}, {0, 0}, {1, 20}},
     {36, 9, 13, 1, 2, 7, 0, 3, 2, 0, {3, 0}, {0, 0}, {1, 22}},
     {18, 6, 11, 2, 5, 8, 1, 4, 1, 0, {4, 3}, {1, 0}, {1, 17}}}};

/* Row buffers, each width + 2 PAD long. */
enum { ROW_NOW, ROW_N, ROW_NN, ROW_NEAR, ROW_FAR, ROW_SHAPE, ROW_PARENT, ROWS };

typedef struct {
    wavelet_state *s;
    const weights *w;
    wavelet_set *set;
    int low; /* LL, whose coefficients are coded as differences */
    band own, parent, sibling[2], guide[2];
    int32_t *row[ROWS];
} coder;

int64_t rs_wavelet_state(size_t width)
{
    if (width > RS_DWT_MAX_SIDE) return RS_ERR_ARGUMENT;
    return (int64_t)(sizeof(wavelet_state) + ROWS * (width + 2 * PAD) * sizeof(int32_t));
}

int64_t rs_wavelet_bound(size_t count)
{
    return count > (size_t)1 << 48 ? RS_ERR_ARGUMENT : (int64_t)(count * 8 + 4096);
}

int64_t rs_wavelet_encode_start(void *state, size_t width, uint8_t *out, size_t capacity)
{
    wavelet_state *s = state;
    wavelet_model_start(s, width);
    rc_encoder_start(&s->rc.encoder, out, capacity);
    return 0;
}

int64_t rs_wavelet_decode_start(void *state, size_t width, const uint8_t *in, size_t size)
{
    wavelet_state *s = state;
    wavelet_model_start(s, width);
    rc_decoder_start(&s->rc.decoder, in, size);
    return 0;
}

int64_t rs_wavelet_encode_finish(void *state) { return rc_encoder_finish(&((wavelet_state *)state)->rc.encoder); }
int64_t rs_wavelet_decode_finish(void *state) { return rc_decoder_finish(&((wavelet_state *)state)->rc.decoder); }

RS_INLINE int32_t magnitude(int32_t q)
{
    int32_t m = q < 0 ? -q : q;
    return m < SATURATE ? m : SATURATE;
}

/* out[x] += centre |q| + cross (sum of the four |neighbours| inside the band), along row y. */
static void add_cross(int32_t *out, const band *b, size_t y, int32_t centre, int32_t cross)
{
    if (b->q == NULL || y >= b->height || b->width == 0) return;
    const int32_t *now = b->q + y * b->stride;
    const int32_t *up = y > 0 ? now - b->stride : now, *down = y + 1 < b->height ? now + b->stride : now;
    size_t last = b->width - 1;
    for (size_t x = 0; x <= last; x++)
        out[x] += centre * magnitude(now[x]) + cross * (magnitude(up[x]) + magnitude(down[x]));
    for (size_t x = 1; x <= last; x++) out[x] += cross * magnitude(now[x - 1]);
    for (size_t x = 0; x < last; x++) out[x] += cross * magnitude(now[x + 1]);
}

/* Everything about row y that is known before its first coefficient. */
static void prepare_row(coder *c, size_t y)
{
    const weights *w = c->w;
    ptrdiff_t width = (ptrdiff_t)c->own.width;
    int32_t *near = c->row[ROW_NEAR], *far = c->row[ROW_FAR], *shape = c->row[ROW_SHAPE], *up = c->row[ROW_PARENT];
    const int32_t *n = c->row[ROW_N], *nn = c->row[ROW_NN];
    for (ptrdiff_t x = 0; x < width; x++) far[x] = 0;
    for (int i = 0; i < 2; i++) {
        add_cross(far, &c->sibling[i], y, w->sibling[i], w->sibling_cross[i]);
        add_cross(far, &c->guide[i], y, w->guide[i], 0);
    }
    if (c->parent.q != NULL) {
        if ((y & 1) == 0) {
            for (ptrdiff_t x = 0; x <= width / 2; x++) up[x] = 0;
            add_cross(up, &c->parent, y / 2, w->parent, w->parent_cross);
        }
        for (ptrdiff_t x = 0; x < width; x++) far[x] += up[x / 2];
    }
    for (ptrdiff_t x = 0; x < width; x++) {
        near[x] = w->n * n[x] + w->nn * nn[x] + w->nw * n[x - 1] + w->ne * n[x + 1] +
                  w->nn2 * (nn[x - 1] + nn[x + 1]) + w->n2 * (n[x - 2] + n[x + 2]);
        int32_t a = n[x] < 2 ? n[x] : 2, b = n[x - 1] < 2 ? n[x - 1] : 2, d = n[x + 1] < 2 ? n[x + 1] : 2;
        int32_t e = far[x] < UNIT / 8 ? 0 : (far[x] < UNIT / 2 ? 1 : 2);
        shape[x] = ((a * 3 + b) * 3 + d) * 3 + e;
    }
}

RS_INLINE int octave(int32_t energy, int most)
{
    int level = energy <= 0 ? 0 : 1 + log2_floor((uint32_t)energy);
    return level < most ? level : most - 1;
}

/* The three contexts of a coefficient. */
typedef struct {
    int energy, split, pattern, selector, zero_kind;
} contexts;

/* pending: how many coefficients of a segment said not to be empty are still to come, none seen yet; else 0. */
RS_INLINE contexts contexts_at(const coder *c, size_t x, int pending)
{
    const int32_t *now = c->row[ROW_NOW];
    int32_t w = now[(ptrdiff_t)x - 1], ww = now[(ptrdiff_t)x - 2];
    int32_t near = c->row[ROW_NEAR][x] + c->w->w * w + c->w->ww * ww, far = c->row[ROW_FAR][x];
    contexts k;
    k.energy = half_octave(near + far);
    k.split = octave(near >> 2, NEARS) * FARS + octave(far >> 1, FARS);
    k.pattern = pending ? pending * 3 + (near + far > UNIT / 8) + (near + far > UNIT / 3) : c->row[ROW_SHAPE][x] * 3 + (w < 2 ? w : 2);
    k.zero_kind = pending ? KIND_PENDING : KIND_CLASS;
    k.selector = k.energy < 4 * SELECTORS ? k.energy / 4 : SELECTORS - 1;
    return k;
}

RS_INLINE void look_up(const coder *c, const contexts *k, int kind, prediction *m)
{
    m->input[0] = &c->set->energy[kind][k->energy];
    m->input[1] = &c->set->split[kind][k->split];
    m->input[2] = &c->set->pattern[kind][k->pattern];
    m->weight = c->set->weight[kind][k->selector];
}

/* Sign under the signs of W, N and the guides. */
RS_INLINE int code_sign(coder *c, const int32_t *at, size_t x, size_t y, int negative, const int decoding)
{
    int32_t w = x > 0 ? at[-1] : 0, n = y > 0 ? at[-(ptrdiff_t)c->own.stride] : 0, g[2] = {0, 0};
    for (int i = 0; i < 2; i++)
        if (c->guide[i].q != NULL) g[i] = c->guide[i].q[y * c->guide[i].stride + x];
    int context = (w > 0) - (w < 0) + 1;
    context = context * 3 + (n > 0) - (n < 0) + 1;
    context = context * 3 + (g[0] > 0) - (g[0] < 0) + 1;
    context = context * 3 + (g[1] > 0) - (g[1] < 0) + 1;
    return code_plain(c->s, &c->set->sign[context], negative, decoding);
}

/* One magnitude under its contexts; for decoding the result, -1 if it passes 25 bits. */
RS_INLINE int32_t code_magnitude(coder *c, const contexts *k, int32_t m, const int decoding)
{
    prediction mixed;
    int bits = 0; /* of m: its class */
    for (;;) {
        look_up(c, k, bits == 0 ? k->zero_kind : (bits < KIND_CLASS_MAX ? bits : KIND_CLASS_MAX), &mixed);
        int more = decoding ? 0 : (m >> bits) != 0;
        if (!code_mixed(c->s, &mixed, more, decoding)) break;
        if (++bits > MAX_CLASS) return -1;
    }
    if (bits < 2) return bits;
    int32_t value = 1;
    for (int below = bits - 2; below >= 0; below--) {
        int bit = decoding ? 0 : (m >> below) & 1;
        if (below == bits - 2) {
            look_up(c, k, bits == 2 ? KIND_BIT_OF_TWO : KIND_BIT_OF_MORE, &mixed);
            bit = code_mixed(c->s, &mixed, bit, decoding);
        } else {
            bit = code_plain(c->s, &c->set->mantissa[below], bit, decoding);
        }
        value = value << 1 | bit;
    }
    return value;
}

/* Cost in 1/256 bit of magnitude m < 4, sign included. */
static uint32_t magnitude_cost(const coder *c, const contexts *k, int32_t m)
{
    prediction mixed;
    uint32_t cost = m > 0 ? 256 : 0;
    for (int bits = 0; bits < 3; bits++) {
        look_up(c, k, bits == 0 ? k->zero_kind : bits, &mixed);
        int more = (m >> bits) != 0;
        cost += cost_of(c->s, mix(c->s, &mixed), more);
        if (!more) break;
    }
    if (m > 1) {
        look_up(c, k, KIND_BIT_OF_TWO, &mixed);
        cost += cost_of(c->s, mix(c->s, &mixed), m & 1);
    }
    return cost;
}

/* The magnitude for value >= 0 (in steps) with least squared error + lambda bits, by the model as it stands. */
static int32_t decide(const coder *c, const contexts *k, float value, float lambda)
{
    int32_t most = nearest(value), best = most;
    if (most == 0 || most > 3 || lambda <= 0.0f) return most;
    float least = 0.0f;
    for (int32_t m = most; m >= 0 && m >= most - 2; m--) {
        float gap = value - (float)m;
        float total = gap * gap + lambda * (1.0f / 256.0f) * (float)magnitude_cost(c, k, m);
        if (m == most || total < least) {
            least = total;
            best = m;
        }
    }
    return best;
}

/* Codes row y of LL: differences from the prediction, quantised to the nearest. */
RS_INLINE int64_t code_low_row(coder *c, int32_t *row, const float *coefficients, size_t y, float inverse,
                               const int decoding)
{
    for (size_t x = 0; x < c->own.width; x++) {
        contexts k = contexts_at(c, x, 0);
        int32_t predicted = predict_low(row + x, c->own.stride, x, y), difference = 0;
        if (!decoding) {
            if (coefficients != NULL) row[x] = nearest(coefficients[x] * inverse);
            if (!in_range(row[x])) return RS_ERR_RANGE;
            difference = row[x] - predicted;
        }
        int32_t m = code_magnitude(c, &k, difference < 0 ? -difference : difference, decoding);
        if (m < 0) return decoding ? RS_ERR_CORRUPT : RS_ERR_RANGE;
        if (m != 0) {
            int negative = code_plain(c->s, c->set->sign, difference < 0, decoding);
            if (decoding) difference = negative ? -m : m;
        }
        row[x] = predicted + difference;
        if (decoding) lay(c->s, row + x, 1);
        if (!in_range(row[x])) return decoding ? RS_ERR_CORRUPT : RS_ERR_RANGE;
        c->row[ROW_NOW][x] = m < SATURATE ? m : SATURATE;
    }
    return 0;
}

/* Whether coefficients x ... end - 1, of which nothing is expected, are worth coding: estimated, since the model
 * can be asked only in order. A value just above 1/2 saves value^2 - (value - 1)^2, a large one nearly all. */
static int worthwhile(const coder *c, const rc_adaptive *flag, const float *coefficients, size_t x, size_t end,
                      float inverse, float lambda)
{
    uint32_t p = rc_adaptive_p16(*flag);
    float flag_cost = ((float)cost_of(c->s, p, 1) - (float)cost_of(c->s, p, 0)) * (1.0f / 256.0f), saved = 0.0f;
    int any = 0;
    for (; x < end; x++) {
        float value = coefficients[x] * inverse;
        value = value < 0.0f ? -value : value;
        if (!(value >= 0.5f)) continue;
        any = 1;
        float gain = (value > 1.5f ? value * value : 2.0f * value - 1.0f) - lambda * FURTHER_COST;
        if (gain > 0.0f) saved += gain;
    }
    return lambda > 0.0f ? saved > lambda * (flag_cost + FIRST_COST) : any;
}

/* Codes coefficients x ... end - 1 of row y. Where all that is known around is zero, one flag first
 * says whether there is any: most of a picture at a low rate is coded in such strides. */
RS_INLINE int64_t code_segment(coder *c, int32_t *row, const float *coefficients, size_t x, size_t end, size_t y,
                               float inverse, float lambda, const int decoding)
{
    int32_t *now = c->row[ROW_NOW], energy = now[(ptrdiff_t)x - 1] + now[(ptrdiff_t)x - 2];
    int pending = 0;
    for (size_t i = x; i < end; i++) energy += c->row[ROW_NEAR][i] + c->row[ROW_FAR][i];
    if (energy == 0) {
        rc_adaptive *flag = &c->set->segment;
        int any = 0;
        if (!decoding) {
            if (coefficients != NULL)
                any = worthwhile(c, flag, coefficients, x, end, inverse, lambda);
            else
                for (size_t i = x; i < end; i++) any |= row[i] != 0;
        }
        any = code_plain(c->s, flag, any, decoding);
        if (decoding) lay(c->s, row + x, end - x);
        pending = any;
        if (!any) {
            for (size_t i = x; i < end; i++) row[i] = now[i] = 0;
            return 0;
        }
    }
    for (; x < end; x++) {
        contexts k = contexts_at(c, x, pending ? (int)(end - x) : 0);
        int32_t m = 0;
        int negative = 0;
        if (!decoding) {
            if (coefficients != NULL) {
                float value = coefficients[x] * inverse;
                negative = value < 0.0f;
                m = decide(c, &k, negative ? -value : value, lambda);
                row[x] = negative ? -m : m;
            } else {
                if (!in_range(row[x])) return RS_ERR_RANGE;
                negative = row[x] < 0;
                m = negative ? -row[x] : row[x];
            }
        }
        m = code_magnitude(c, &k, m, decoding);
        if (m < 0 || !in_range(m)) return decoding ? RS_ERR_CORRUPT : RS_ERR_RANGE;
        if (m != 0) {
            negative = code_sign(c, row + x, x, y, negative, decoding);
            pending = 0;
        }
        if (decoding) {
            row[x] = negative ? -m : m;
            lay(c->s, row + x, 1);
        }
        now[x] = m < SATURATE ? m : SATURATE;
    }
    return 0;
}

/* Codes a whole band. coefficients: the encoder's, at the band's first, already to be scaled by `inverse`, or NULL. */
RS_INLINE int64_t code_band(coder *c, int32_t *q, const float *coefficients, float inverse, float lambda,
                            const int decoding)
{
    size_t width = c->own.width, stride = c->own.stride, padded = c->s->width + 2 * PAD;
    for (int i = 0; i < ROWS; i++) {
        c->row[i] = c->s->rows + (size_t)i * padded + PAD;
        for (size_t x = 0; x < padded; x++) c->s->rows[(size_t)i * padded + x] = 0;
    }
    for (size_t y = 0; y < c->own.height; y++) {
        int32_t *row = q + y * stride, *oldest = c->row[ROW_NN];
        c->row[ROW_NN] = c->row[ROW_N];
        c->row[ROW_N] = c->row[ROW_NOW];
        c->row[ROW_NOW] = oldest;
        prepare_row(c, y);
        const float *given = coefficients ? coefficients + y * stride : NULL;
        int64_t fault = c->low ? code_low_row(c, row, given, y, inverse, decoding) : 0;
        for (size_t x = 0; x < width && !c->low && fault == 0; x += SEGMENT) {
            size_t end = x + SEGMENT < width ? x + SEGMENT : width;
            fault = code_segment(c, row, given, x, end, y, inverse, lambda, decoding);
        }
        if (fault < 0) return fault;
        if (decoding && rc_decoder_truncated(&c->s->rc.decoder)) return RS_ERR_TRUNCATED;
    }
    return 0;
}

static int64_t encode_band(coder *c, int32_t *q, const float *coefficients, float inverse, float lambda)
{
    return code_band(c, q, coefficients, inverse, lambda, 0);
}

static int64_t decode_band(coder *c, int32_t *q) { return code_band(c, q, NULL, 0.0f, 0.0f, 1); }

/* What a band looks at, given what is coded before it. */
static coder look_around(wavelet_state *s, int plane, const int32_t *q, const int32_t *const guide[2], size_t width,
                         size_t height, int levels, int level, int orientation)
{
    coder c = {.s = s, .w = &WEIGHTS[plane == 3 ? 0 : plane][orientation], .low = orientation == 0};
    c.set = wavelet_model_set(s, (level <= 1 ? 16 : 0) + plane * 4 + orientation);
    int own = orientation == 0 ? levels : level;
    c.own = orientation == 0 && levels == 0 ? (band){q, width, width, height} : band_of(q, width, height, own, orientation);
    c.parent = orientation != 0 && level < levels ? band_of(q, width, height, level + 1, orientation) : no_band();
    for (int i = 0; i < 2; i++) {
        c.sibling[i] = orientation > i + 1 ? band_of(q, width, height, level, i + 1) : no_band();
        /* siblings may be a row or column larger or smaller: look only where both are */
        if (c.sibling[i].q != NULL && c.sibling[i].width > c.own.width) c.sibling[i].width = c.own.width;
        c.guide[i] = no_band();
        if (guide[i] != NULL) {
            c.guide[i] = c.own;
            c.guide[i].q = guide[i] + (c.own.q - q);
        }
    }
    return c;
}

static int64_t valid(const wavelet_state *s, int plane, size_t width, size_t height, int levels, int level)
{
    if (plane < 0 || plane > 3 || levels < 0 || levels > RS_DWT_MAX_LEVELS || level < 1 || level > levels + 1)
        return RS_ERR_ARGUMENT;
    if (width < 1 || height < 1 || width > s->width || height > RS_DWT_MAX_SIDE) return RS_ERR_ARGUMENT;
    return 0;
}

int64_t rs_wavelet_encode_level(void *state, int plane, const float *coefficients, float step, float lambda, int skip,
                                int32_t *q, const int32_t *guide, const int32_t *guide2, size_t width, size_t height,
                                int levels, int level)
{
    wavelet_state *s = state;
    const int32_t *const guides[2] = {guide, guide2};
    int64_t fault = valid(s, plane, width, height, levels, level);
    if (fault < 0) return fault;
    int first = level > levels ? 0 : 1, last = level > levels ? 0 : 3;
    for (int orientation = first; orientation <= last; orientation++) {
        coder c = look_around(s, plane, q, guides, width, height, levels, level, orientation);
        size_t offset = (size_t)(c.own.q - q);
        float inverse = 1.0f / (step * rs_wavelet_weight(orientation ? level : levels, orientation));
        if (c.own.width == 0 || c.own.height == 0) continue;
        int empty = skip || (coefficients == NULL && is_empty(&c.own));
        code_plain(s, &c.set->empty, empty, 0);
        if (empty) {
            clear_band(&c.own, q + offset);
            continue;
        }
        fault = encode_band(&c, q + offset, coefficients ? coefficients + offset : NULL, inverse, lambda);
        if (fault < 0) return fault;
    }
    return (int64_t)s->rc.encoder.size;
}

int64_t rs_wavelet_decode_level(void *state, int plane, int32_t *q, const int32_t *guide, const int32_t *guide2,
                                size_t width, size_t height, int levels, int level)
{
    wavelet_state *s = state;
    const int32_t *const guides[2] = {guide, guide2};
    int64_t fault = valid(s, plane, width, height, levels, level);
    if (fault < 0) return fault;
    int first = level > levels ? 0 : 1, last = level > levels ? 0 : 3;
    s->told = q;
    for (int orientation = first; orientation <= last; orientation++) {
        coder c = look_around(s, plane, q, guides, width, height, levels, level, orientation);
        size_t offset = (size_t)(c.own.q - q);
        if (c.own.width == 0 || c.own.height == 0) continue;
        int empty = code_plain(s, &c.set->empty, 0, 1);
        lay(s, q + offset, 1);
        if (empty) {
            clear_band(&c.own, q + offset);
            continue;
        }
        fault = decode_band(&c, q + offset);
        if (fault < 0) return fault;
    }
    return (int64_t)s->rc.decoder.position;
}

int64_t rs_wavelet_tell(void *state, float *bits)
{
    ((wavelet_state *)state)->bits = bits;
    return 0;
}
