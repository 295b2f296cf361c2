/* Rate-distortion optimised quantisation of AC coefficients: of all ways to code a block, the one of
 * least distortion + lambda * bits.
 *
 * After Ramchandran & Vetterli, "Rate-distortion optimal fast thresholding with complete JPEG/MPEG
 * decoder compatibility" (IEEE Trans. Image Processing 3(5), 1994) and Crouse & Ramchandran, "Joint
 * thresholding and quantizer selection for transform image coding" (ibid. 6(2), 1997).
 *
 * A block is coded as pairs of a run of zeros and a level. The cost of a pair depends only on where the
 * level before it stands, so the best block that has its last level at k is the best block that has its
 * last level at some i < k, zeros between, and a level at k: dynamic programming over positions.
 *
 * Distortion is counted in squares of the quantisation step of each frequency: the table says how much
 * errors weigh (equal steps: plain squared error), and lambda has no unit. */
#include "jpeg.h"

#include <float.h>

enum { SIZES = 11, POSITIONS = 64 };

typedef struct {
    float pair[SIZES][POSITIONS]; /* lambda * bits of a level of a size after a run of zeros */
    float end, keep;
    float inverse[64];
    int half[64]; /* the smallest coefficient that rounds to 1 */
} rates;

static void prepare(rates *r, const uint8_t *table, const float *bits, float lambda)
{
    float dearest = r->end = lambda * bits[0x00];
    for (int size = 1; size < SIZES; size++)
        for (int run = 0; run < POSITIONS - 1; run++) {
            float cost = (float)(run >> 4) * bits[0xF0] + bits[(run & 15) << 4 | size] + (float)size;
            r->pair[size][run] = lambda * cost;
            if (r->pair[size][run] > dearest) dearest = r->pair[size][run];
        }
    r->keep = 0.25f + 2.0f * dearest;
    for (int k = 0; k < 64; k++) {
        r->inverse[k] = 1.0f / (16.0f * table[k]);
        r->half[k] = 8 * table[k];
    }
}

typedef struct {
    int at, level, previous;
    float cost; /* of all up to here, less the distortion of zeros up to here */
} node;

static void try_level(const rates *r, const node *nodes, int from, int n, node *candidate, int level, float distortion)
{
    const float *pair = r->pair[rsi_bits((unsigned)level)];
    for (int i = from; i < n; i++) {
        float cost = nodes[i].cost + pair[candidate->at - nodes[i].at - 1] + distortion;
        if (cost >= candidate->cost) continue;
        candidate->cost = cost;
        candidate->level = level;
        candidate->previous = i;
    }
}

/* Chooses levels 1..63 of a block: the value rounded to nearest, the one below it, the largest of each size of
 * fewer bits (where distortion counts for less than usual, so that levels may be far off), or zero. A value whose
 * weighted square is above `keep` is never zero: without it one pair goes and the next one (or the end) changes, which
 * saves at most the dearest two, while the distortion grows by its square, less the 1/4 of rounding it. */
static void choose(const rates *r, float weight, const int16_t *coefs, int16_t *levels)
{
    node nodes[POSITIONS];
    int n = 1, from = 0, last = 0;
    float keep = r->keep + 0.25f * (weight - 1.0f);
    nodes[0] = (node){0, 0, 0, 0.0f};
    for (int k = 1; k < 64; k++) {
        int size = coefs[k] < 0 ? -coefs[k] : coefs[k];
        levels[k] = 0;
        if (size < r->half[k]) continue;
        float exact = (float)size * r->inverse[k];
        int level = exact < 1023.0f ? (int)(exact + 0.5f) : 1023;
        node candidate = {k, 0, 0, FLT_MAX};
        for (int v = level; v > 0 && v >= level - 1; v--)
            try_level(r, nodes, from, n, &candidate, v, weight * ((exact - (float)v) * (exact - (float)v) - exact * exact));
        for (int v = (1 << (rsi_bits((unsigned)level) - 1)) - 1; weight < 1.0f && v > 0; v >>= 1)
            if (v < level - 1)
                try_level(r, nodes, from, n, &candidate, v, weight * ((exact - (float)v) * (exact - (float)v) - exact * exact));
        if (weight * exact * exact > keep) from = n;
        nodes[n++] = candidate;
    }
    float best = FLT_MAX;
    for (int i = from; i < n; i++) {
        float cost = nodes[i].cost + (nodes[i].at < 63 ? r->end : 0.0f);
        if (cost < best) best = cost, last = i;
    }
    for (; last; last = nodes[last].previous) {
        int k = nodes[last].at;
        levels[k] = (int16_t)(coefs[k] < 0 ? -nodes[last].level : nodes[last].level);
    }
}

int64_t rs_jpeg_trellis(const int16_t *coefs, int32_t grid_x, int32_t grid_y, int32_t used_x, int32_t used_y,
                        const uint8_t *table, const float *bits, float lambda, const float *weights, int16_t *levels)
{
    rates r;
    if (used_x < 1 || used_y < 1 || used_x > grid_x || used_y > grid_y || !(lambda >= 0.0f)) return RS_ERR_ARGUMENT;
    for (int k = 0; k < 64; k++)
        if (!table[k]) return RS_ERR_ARGUMENT;
    for (int s = 0; s < 256; s++)
        if (!(bits[s] >= 0.0f && bits[s] <= 64.0f)) return RS_ERR_ARGUMENT;
    prepare(&r, table, bits, lambda);
    for (int32_t y = 0; y < used_y; y++)
        for (int32_t x = 0; x < used_x; x++) {
            size_t block = (size_t)y * (size_t)grid_x + (size_t)x;
            float weight = weights ? weights[block] : 1.0f;
            if (!(weight >= 0x1p-20f && weight <= 0x1p20f)) return RS_ERR_ARGUMENT;
            choose(&r, weight, coefs + 64 * block, levels + 64 * block);
        }
    return (int64_t)grid_x * grid_y;
}

int64_t rs_jpeg_count(const int16_t *levels, int32_t grid_x, int32_t grid_y, int32_t used_x, int32_t used_y,
                      uint32_t *counts)
{
    if (used_x < 1 || used_y < 1 || used_x > grid_x || used_y > grid_y) return RS_ERR_ARGUMENT;
    for (int s = 0; s < 256; s++) counts[s] = 0;
    for (int32_t y = 0; y < used_y; y++)
        for (int32_t x = 0; x < used_x; x++) {
            const int16_t *block = levels + 64 * ((size_t)y * (size_t)grid_x + (size_t)x);
            int run = 0;
            for (int k = 1; k < 64; k++) {
                int size = rsi_bits((unsigned)(block[k] < 0 ? -block[k] : block[k]));
                if (!size) {
                    run++;
                    continue;
                }
                if (size >= SIZES) return RS_ERR_RANGE;
                counts[0xF0] += (uint32_t)run >> 4;
                counts[(run & 15) << 4 | size]++;
                run = 0;
            }
            counts[0x00] += run > 0;
        }
    return (int64_t)used_x * used_y;
}
