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
#include "dwt.h"

#define DWT_TARGET
#define DWT_NAME(name) dwt_##name##_plain
#include "dwt_kernel.h"

static const dwt_wavelet W53 = {2, {{PREDICT_53, 1, 0}, {UPDATE_53, 0, 0}}, 0.0f, 0.0f};
static const dwt_wavelet W97 = {4,
                            {{LIFT_97, 1, -1.586134342059924f},
                             {LIFT_97, 0, -0.052980118572961f},
                             {LIFT_97, 1, 0.882911075530934f},
                             {LIFT_97, 0, 0.443506852043971f}},
                            1.149604398860241f,
                            0.869864451624781f};

int64_t rs_dwt_scratch(size_t width, size_t height)
{
    if (width > RS_DWT_MAX_SIDE || height > RS_DWT_MAX_SIDE) return RS_ERR_ARGUMENT;
    return (int64_t)(height * STRIP > width ? height * STRIP : width);
}

static int64_t transform(const dwt_wavelet *w, int inverse, dwt_word *plane, size_t width, size_t height, int levels,
                         dwt_word *scratch)
{
#ifdef RS_X86_VECTORS
    if (rs_cpu_used & RS_CPU_AVX2) return dwt_transform_avx2(w, inverse, plane, width, height, levels, scratch);
#endif
    return dwt_transform_plain(w, inverse, plane, width, height, levels, scratch);
}

int64_t rs_dwt53_forward(int32_t *plane, size_t width, size_t height, int levels, int32_t *scratch)
{
    return transform(&W53, 0, (dwt_word *)plane, width, height, levels, (dwt_word *)scratch);
}

int64_t rs_dwt53_inverse(int32_t *plane, size_t width, size_t height, int levels, int32_t *scratch)
{
    return transform(&W53, 1, (dwt_word *)plane, width, height, levels, (dwt_word *)scratch);
}

int64_t rs_dwt97_forward(float *plane, size_t width, size_t height, int levels, float *scratch)
{
    return transform(&W97, 0, (dwt_word *)(void *)plane, width, height, levels, (dwt_word *)(void *)scratch);
}

int64_t rs_dwt97_inverse(float *plane, size_t width, size_t height, int levels, float *scratch)
{
    return transform(&W97, 1, (dwt_word *)(void *)plane, width, height, levels, (dwt_word *)(void *)scratch);
}
