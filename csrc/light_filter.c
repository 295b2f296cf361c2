/* Correction of decoded light by filters of 12 weights, one set for each class of places (engine/codecs/light_filters.py).
 *
 * A pair of neighbours opposite each other, a and b, around x gives clip(a - x) + clip(b - x): far from zero where x
 * juts out of a smooth surround, near zero across an edge, since what is clipped at a few expected errors is small
 * against it. (After the adaptive loop filter of VVC: M. Karczewicz et al., "VVC in-loop filters", IEEE TCSVT 31,
 * 2021.) Every sum is taken in one order, in IEEE single precision: the result is the same on every machine. */
#include "ratescope.h"

static const struct {
    int dy, dx;
} PAIR[RS_LIGHT_PAIRS] = {{0, 1}, {1, 0}, {1, 1}, {1, -1}, {0, 2}, {2, 0}};

static float clipped(float value, float most)
{
    value = value < most ? value : most;
    return value > -most ? value : -most;
}

static size_t inside(int64_t place, size_t side)
{
    return place < 0 ? 0 : place >= (int64_t)side ? side - 1 : (size_t)place;
}

int64_t rs_light_correct(const float *plane, size_t width, size_t height, const uint8_t *classes, const float *weights,
                         size_t count, float tight, float loose, float *correction)
{
    if (width < 1 || height < 1 || width > RS_DWT_MAX_SIDE || height > RS_DWT_MAX_SIDE) return RS_ERR_ARGUMENT;
    for (size_t y = 0; y < height; y++)
        for (size_t x = 0; x < width; x++) {
            size_t at = y * width + x;
            if (classes[at] >= count) return RS_ERR_ARGUMENT;
            const float *weight = weights + (size_t)classes[at] * 2 * RS_LIGHT_PAIRS;
            float here = plane[at], sum = 0.0f;
            for (int k = 0; k < RS_LIGHT_PAIRS; k++) {
                size_t below = inside((int64_t)y + PAIR[k].dy, height), above = inside((int64_t)y - PAIR[k].dy, height);
                size_t right = inside((int64_t)x + PAIR[k].dx, width), left = inside((int64_t)x - PAIR[k].dx, width);
                float a = plane[below * width + right] - here, b = plane[above * width + left] - here;
                sum += weight[2 * k] * (clipped(a, tight) + clipped(b, tight));
                sum += weight[2 * k + 1] * (clipped(a, loose) + clipped(b, loose));
            }
            correction[at] = sum;
        }
    return (int64_t)(width * height);
}
