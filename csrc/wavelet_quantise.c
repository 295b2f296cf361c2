/* Subband weights, dequantiser and centroids of the wavelet codec. */
#include "wavelet_samples.h"

enum { NORMS = 10, CLASSES = 3 };

/* L2 norms of the 9/7 synthesis basis (low-pass gain sqrt 2) at levels 1, 2, ...: measured from the response to
 * one unit coefficient, to which they converge; deeper levels take the last. */
static const float NORM[4][NORMS] = {
    {0.98295347f, 1.03060195f, 1.05209216f, 1.05847221f, 1.06015266f, 1.06057931f, 1.06068629f, 1.06071295f,
     1.06071948f, 1.06072097f},
    {1.01128633f, 0.99840583f, 1.04584114f, 1.06676352f, 1.07291921f, 1.07453631f, 1.07494639f, 1.07504922f,
     1.07507482f, 1.07508108f},
    {1.01128633f, 0.99840583f, 1.04584114f, 1.06676352f, 1.07291921f, 1.07453631f, 1.07494639f, 1.07504922f,
     1.07507482f, 1.07508108f},
    {1.04043586f, 0.96721553f, 1.03962726f, 1.07511977f, 1.08583950f, 1.08867698f, 1.08939820f, 1.08957925f,
     1.08962444f, 1.08963560f}};

float rs_wavelet_weight(int level, int orientation)
{
    if (level < 1 || orientation < 0 || orientation > 3) return 1.0f;
    return 1.0f / NORM[orientation][level < NORMS ? level - 1 : NORMS - 1];
}

/* The part of one row that lies in one subband. */
typedef struct {
    size_t offset, width;
    float weight;
} segment;

/* Segments of row y, left to right; at most RS_DWT_MAX_LEVELS + 2. The row crosses LL or an LH at the left,
 * then for each finer level that it also belongs to ... it lies above the middle of those: their HL; the one
 * whose lower half holds it gives LH and HH. */
static int segments_of(size_t width, size_t height, int levels, size_t y, segment *out)
{
    int count = 0, level = levels;
    while (level > 0 && y >= (height + (((size_t)1 << level) - 1)) >> level) level--;
    /* now y lies in the corner of `level`, and not in that of level + 1 */
    size_t from = 0;
    if (level == levels) {
        size_t corner = (width + (((size_t)1 << level) - 1)) >> level;
        out[count++] = (segment){y * width, corner, rs_wavelet_weight(levels, 0)};
        from = corner;
    } else {
        size_t inner = (width + (((size_t)1 << (level + 1)) - 1)) >> (level + 1);
        size_t corner = (width + (((size_t)1 << level) - 1)) >> level;
        out[count++] = (segment){y * width, inner, rs_wavelet_weight(level + 1, 2)};
        out[count++] = (segment){y * width + inner, corner - inner, rs_wavelet_weight(level + 1, 3)};
        from = corner;
    }
    for (; level > 0; level--) {
        size_t corner = (width + (((size_t)1 << (level - 1)) - 1)) >> (level - 1);
        out[count++] = (segment){y * width + from, corner - from, rs_wavelet_weight(level, 1)};
        from = corner;
    }
    return count;
}

static int valid(size_t width, size_t height, int levels)
{
    return width >= 1 && height >= 1 && width <= RS_DWT_MAX_SIDE && height <= RS_DWT_MAX_SIDE && levels >= 0 &&
           levels <= RS_DWT_MAX_LEVELS;
}

static void dequantise(const int32_t *q, size_t count, const float *centre, float unit, rs_float *out)
{
#ifdef RS_X86_VECTORS
    if (rs_cpu_used & RS_CPU_AVX2) {
        samples_dequantise_avx2(q, count, centre, unit, out);
        return;
    }
#endif
    samples_dequantise_plain(q, count, centre, unit, out);
}

int64_t rs_wavelet_dequantise(const int32_t *q, size_t width, size_t height, int levels, float step,
                              const float *centre, float *coefficients)
{
    segment part[RS_DWT_MAX_LEVELS + 2];
    if (!valid(width, height, levels)) return RS_ERR_ARGUMENT;
    for (size_t y = 0; y < height; y++) {
        int count = segments_of(width, height, levels, y, part);
        for (int k = 0; k < count; k++)
            dequantise(q + part[k].offset, part[k].width, centre, step * part[k].weight, (rs_float *)coefficients + part[k].offset);
    }
    return (int64_t)(width * height);
}

int64_t rs_wavelet_centres(const int32_t *q, const float *coefficients, size_t width, size_t height, int levels,
                           float step, double *count, double *excess)
{
    segment part[RS_DWT_MAX_LEVELS + 2];
    if (!valid(width, height, levels)) return RS_ERR_ARGUMENT;
    for (int i = 0; i < CLASSES; i++) count[i] = excess[i] = 0.0;
    for (size_t y = 0; y < height; y++) {
        int parts = segments_of(width, height, levels, y, part);
        for (int k = 0; k < parts; k++) {
            const int32_t *at = q + part[k].offset;
            const float *value = coefficients + part[k].offset;
            float inverse = 1.0f / (step * part[k].weight);
            for (size_t x = 0; x < part[k].width; x++) {
                if (at[x] == 0) continue;
                int32_t m = at[x] < 0 ? -at[x] : at[x];
                double scaled = (double)((at[x] < 0 ? -value[x] : value[x]) * inverse);
                int group = m < CLASSES ? m - 1 : CLASSES - 1;
                count[group] += 1.0;
                excess[group] += scaled - (double)m;
            }
        }
    }
    return (int64_t)(width * height);
}
