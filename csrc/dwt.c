/* Wavelet transforms by lifting, in place, in the nested (Mallat) order: after one level the top left
 * ceil(h/2) x ceil(w/2) corner holds LL, right of it HL (high-pass along x), below it LH, across it HH;
 * the next level goes on in the corner.
 *
 * Lifting (Sweldens, "The lifting scheme", 1996; Daubechies and Sweldens, "Factoring wavelet transforms
 * into lifting steps", 1998): split the signal into even samples s and odd samples d; each step adds to
 * one of the two a function of its two neighbours in the other:
 *     d[i] += step(s[i], s[i+1])      or      s[i] += step(d[i-1], d[i]).
 * Whatever the function, the same steps with the sign turned, in the opposite order, undo it. At the
 * borders whole-sample symmetric extension makes the missing neighbour the present one mirrored.
 *
 * 5/3, reversible on integers (Le Gall; Calderbank et al. 1998; ISO/IEC 15444-1 F.3.8.2):
 *     d -= (s + s') >> 1;  s += (d + d' + 2) >> 2.
 * 9/7 (Cohen, Daubechies, Feauveau; ISO/IEC 15444-1 F.3.8.1): four steps with ALPHA to DELTA, then s * K
 * and d / K with K = 1.2302 / sqrt 2 ... chosen so that the basis is as near to orthonormal as it comes:
 * low-pass gain sqrt 2. What is left of it is in the norms that the quantiser divides by.
 *
 * Same bits everywhere: the 9/7 runs on float32 and every sample is made by one fixed sequence of IEEE
 * multiplications and additions, never contracted (-ffp-contract=off), never reassociated: vectorising
 * works on separate samples. Integers wrap (damaged streams reach here): never undefined behaviour.
 *
 * Order of work: rows one at a time; columns in strips of STRIP, copied into scratch so that all lifting
 * steps find them in the cache. A step works on rows of n contiguous elements in both cases. */
#include <string.h>

#include "rangecoder.h"

/* Samples are moved as 32-bit words whatever they are; may_alias tells the compiler that floats hide there. */
#if defined(__GNUC__)
typedef uint32_t __attribute__((may_alias)) word;
#else
typedef uint32_t word;
#endif

enum { STRIP = 64 };
enum { PREDICT_53, UPDATE_53, LIFT_97 };

typedef struct {
    int kind, odd; /* odd: the step changes the odd (high-pass) samples */
    float factor;
} lift;

typedef struct {
    int count;
    lift step[4];
    float low, high; /* final scaling; 0 means none */
} wavelet;

static const wavelet W53 = {2, {{PREDICT_53, 1, 0}, {UPDATE_53, 0, 0}}, 0.0f, 0.0f};
static const wavelet W97 = {4,
                            {{LIFT_97, 1, -1.586134342059924f},
                             {LIFT_97, 0, -0.052980118572961f},
                             {LIFT_97, 1, 0.882911075530934f},
                             {LIFT_97, 0, 0.443506852043971f}},
                            1.149604398860241f,
                            0.869864451624781f};

RS_INLINE int32_t wrap_add(int32_t a, int32_t b) { return (int32_t)((uint32_t)a + (uint32_t)b); }
RS_INLINE int32_t wrap_sub(int32_t a, int32_t b) { return (int32_t)((uint32_t)a - (uint32_t)b); }

/* dst[i] gains (or, inverse, loses) the step's function of a[i] and b[i]. */
static void apply(const lift *step, int inverse, void *dst, const void *a, const void *b, size_t n)
{
    const int32_t *ia = a, *ib = b;
    const float *fa = a, *fb = b;
    int32_t *idst = dst;
    float *fdst = dst;
    float factor = inverse ? -step->factor : step->factor;
    if (step->kind == LIFT_97) {
        for (size_t i = 0; i < n; i++) fdst[i] += factor * (fa[i] + fb[i]);
    } else if ((step->kind == PREDICT_53) == !inverse) {
        if (inverse)
            for (size_t i = 0; i < n; i++) idst[i] = wrap_sub(idst[i], wrap_add(wrap_add(ia[i], ib[i]), 2) >> 2);
        else
            for (size_t i = 0; i < n; i++) idst[i] = wrap_sub(idst[i], wrap_add(ia[i], ib[i]) >> 1);
    } else {
        if (inverse)
            for (size_t i = 0; i < n; i++) idst[i] = wrap_add(idst[i], wrap_add(ia[i], ib[i]) >> 1);
        else
            for (size_t i = 0; i < n; i++) idst[i] = wrap_add(idst[i], wrap_add(wrap_add(ia[i], ib[i]), 2) >> 2);
    }
}

static void scale(float *dst, float factor, size_t n)
{
    for (size_t i = 0; i < n; i++) dst[i] *= factor;
}

/* Lifts a line of `length` >= 2 rows of n elements: the even rows at `line`, then the odd ones. */
static void lift_rows(const wavelet *w, int inverse, word *line, size_t length, size_t n)
{
    size_t lows = (length + 1) / 2, highs = length / 2;
    word *low = line, *high = line + lows * n;
    if (inverse && w->low != 0.0f) {
        scale((float *)low, 1.0f / w->low, lows * n);
        scale((float *)high, 1.0f / w->high, highs * n);
    }
    for (int k = 0; k < w->count; k++) {
        const lift *step = &w->step[inverse ? w->count - 1 - k : k];
        if (step->odd) {
            for (size_t i = 0; i < highs; i++)
                apply(step, inverse, high + i * n, low + i * n, low + (i + 1 < lows ? i + 1 : i) * n, n);
        } else {
            for (size_t i = 0; i < lows; i++)
                apply(step, inverse, low + i * n, high + (i > 0 ? i - 1 : 0) * n, high + (i < highs ? i : i - 1) * n, n);
        }
    }
    if (!inverse && w->low != 0.0f) {
        scale((float *)low, w->low, lows * n);
        scale((float *)high, w->high, highs * n);
    }
}

/* The same along a row: neighbours are one element apart, so a whole step is one call but for the ends. */
static void lift_line(const wavelet *w, int inverse, word *line, size_t length)
{
    size_t lows = (length + 1) / 2, highs = length / 2, inner = lows - 1;
    word *low = line, *high = line + lows;
    if (inverse && w->low != 0.0f) {
        scale((float *)low, 1.0f / w->low, lows);
        scale((float *)high, 1.0f / w->high, highs);
    }
    for (int k = 0; k < w->count; k++) {
        const lift *step = &w->step[inverse ? w->count - 1 - k : k];
        if (step->odd) {
            apply(step, inverse, high, low, low + 1, inner);
            if (highs > inner) apply(step, inverse, high + inner, low + inner, low + inner, 1);
        } else {
            apply(step, inverse, low, high, high, 1);
            apply(step, inverse, low + 1, high, high + 1, highs - 1);
            if (lows > highs) apply(step, inverse, low + highs, high + highs - 1, high + highs - 1, 1);
        }
    }
    if (!inverse && w->low != 0.0f) {
        scale((float *)low, w->low, lows);
        scale((float *)high, w->high, highs);
    }
}

static void forward_row(const wavelet *w, word *row, size_t width, word *scratch)
{
    size_t lows = (width + 1) / 2, highs = width / 2;
    for (size_t i = 0; i < highs; i++) {
        scratch[i] = row[2 * i];
        scratch[lows + i] = row[2 * i + 1];
    }
    if (lows > highs) scratch[highs] = row[width - 1];
    lift_line(w, 0, scratch, width);
    memcpy(row, scratch, width * sizeof *row);
}

static void inverse_row(const wavelet *w, word *row, size_t width, word *scratch)
{
    size_t lows = (width + 1) / 2, highs = width / 2;
    memcpy(scratch, row, width * sizeof *row);
    lift_line(w, 1, scratch, width);
    for (size_t i = 0; i < highs; i++) {
        row[2 * i] = scratch[i];
        row[2 * i + 1] = scratch[lows + i];
    }
    if (lows > highs) row[width - 1] = scratch[highs];
}

static void columns(const wavelet *w, int inverse, word *plane, size_t stride, size_t width, size_t height,
                    word *scratch)
{
    size_t lows = (height + 1) / 2;
    for (size_t x = 0; x < width; x += STRIP) {
        size_t n = width - x < STRIP ? width - x : STRIP;
        for (size_t y = 0; y < height; y++) { /* split: even rows first */
            size_t to = inverse ? y : (y & 1 ? lows + y / 2 : y / 2);
            memcpy(scratch + to * n, plane + y * stride + x, n * sizeof *plane);
        }
        lift_rows(w, inverse, scratch, height, n);
        for (size_t y = 0; y < height; y++) {
            size_t from = inverse ? (y & 1 ? lows + y / 2 : y / 2) : y;
            memcpy(plane + y * stride + x, scratch + from * n, n * sizeof *plane);
        }
    }
}

int64_t rs_dwt_scratch(size_t width, size_t height)
{
    if (width > RS_DWT_MAX_SIDE || height > RS_DWT_MAX_SIDE) return RS_ERR_ARGUMENT;
    return (int64_t)(height * STRIP > width ? height * STRIP : width);
}

static int64_t transform(const wavelet *w, int inverse, word *plane, size_t width, size_t height, int levels,
                         word *scratch)
{
    if (width < 1 || height < 1 || width > RS_DWT_MAX_SIDE || height > RS_DWT_MAX_SIDE) return RS_ERR_ARGUMENT;
    if (levels < 0 || levels > RS_DWT_MAX_LEVELS) return RS_ERR_ARGUMENT;
    for (int k = 0; k < levels; k++) {
        int level = inverse ? levels - 1 - k : k;
        size_t grain = ((size_t)1 << level) - 1;
        size_t wide = (width + grain) >> level, high = (height + grain) >> level;
        if (inverse && high > 1) columns(w, 1, plane, width, wide, high, scratch);
        if (wide > 1)
            for (size_t y = 0; y < high; y++) {
                if (inverse)
                    inverse_row(w, plane + y * width, wide, scratch);
                else
                    forward_row(w, plane + y * width, wide, scratch);
            }
        if (!inverse && high > 1) columns(w, 0, plane, width, wide, high, scratch);
    }
    return levels;
}

int64_t rs_dwt53_forward(int32_t *plane, size_t width, size_t height, int levels, int32_t *scratch)
{
    return transform(&W53, 0, (word *)plane, width, height, levels, (word *)scratch);
}

int64_t rs_dwt53_inverse(int32_t *plane, size_t width, size_t height, int levels, int32_t *scratch)
{
    return transform(&W53, 1, (word *)plane, width, height, levels, (word *)scratch);
}

int64_t rs_dwt97_forward(float *plane, size_t width, size_t height, int levels, float *scratch)
{
    return transform(&W97, 0, (word *)(void *)plane, width, height, levels, (word *)(void *)scratch);
}

int64_t rs_dwt97_inverse(float *plane, size_t width, size_t height, int levels, float *scratch)
{
    return transform(&W97, 1, (word *)(void *)plane, width, height, levels, (word *)(void *)scratch);
}
