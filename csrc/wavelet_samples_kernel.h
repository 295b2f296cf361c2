/* The loops from coefficients to samples, once in plain C and once for AVX2: SAMPLES_NAME names the variant, SAMPLES_TARGET is
 * its attribute, SAMPLES_VECTORS tells whether intrinsics may be used. A sample is made by the same operations in both. */

/* sign * (|q| + centre of its class) * unit; `out` may be where `q` is. */
SAMPLES_TARGET void SAMPLES_NAME(dequantise)(const int32_t *q, size_t count, const float *centre, float unit, rs_float *out)
{
    float one = centre[0], two = centre[1], more = centre[2];
    for (size_t i = 0; i < count; i++) {
        int32_t from = q[i], m = from < 0 ? -from : from;
        float shift = m == 2 ? two : more;
        shift = m == 1 ? one : shift;
        shift = m == 0 ? 0.0f : shift;
        float value = ((float)m + shift) * unit;
        out[i] = from < 0 ? -value : value;
    }
}

enum { SAMPLES_NAME(STRETCH) = 128 };

/* R, G, B of `n` pixels from `at` on, less the offset. */
SAMPLES_TARGET static void SAMPLES_NAME(rotated)(const samples_colours *c, size_t at, size_t n, int32_t (*rgb)[SAMPLES_NAME(STRETCH)])
{
    const float *first = (const float *)c->plane[0] + at, *second = (const float *)c->plane[1] + at;
    const float *third = (const float *)c->plane[2] + at;
    for (int k = 0; k < 3; k++) {
        float u = c->axes[k], v = c->axes[3 + k], w = c->axes[6 + k];
        int32_t *out = rgb[k];
        for (size_t i = 0; i < n; i++) out[i] = samples_rounded(u * first[i] + v * second[i] + w * third[i]);
    }
}

SAMPLES_TARGET static void SAMPLES_NAME(reversed)(const samples_colours *c, size_t at, size_t n, int32_t (*rgb)[SAMPLES_NAME(STRETCH)])
{
    const int32_t *luma = (const int32_t *)c->plane[0] + at, *orange = (const int32_t *)c->plane[1] + at;
    const int32_t *green = (const int32_t *)c->plane[2] + at;
    for (size_t i = 0; i < n; i++) {
        int32_t t = samples_sub(luma[i], green[i] >> 1), b = samples_sub(t, orange[i] >> 1);
        rgb[0][i] = samples_add(b, orange[i]);
        rgb[1][i] = samples_add(green[i], t);
        rgb[2][i] = b;
    }
}

#if SAMPLES_VECTORS
/* 16 pixels of three 8-bit channels from their planes. */
SAMPLES_TARGET static void SAMPLES_NAME(interleave)(const uint8_t *r, const uint8_t *g, const uint8_t *b, uint8_t *out)
{
    static const int8_t place[3][3][16] = {
        {{0, -1, -1, 1, -1, -1, 2, -1, -1, 3, -1, -1, 4, -1, -1, 5},
         {-1, 0, -1, -1, 1, -1, -1, 2, -1, -1, 3, -1, -1, 4, -1, -1},
         {-1, -1, 0, -1, -1, 1, -1, -1, 2, -1, -1, 3, -1, -1, 4, -1}},
        {{-1, -1, 6, -1, -1, 7, -1, -1, 8, -1, -1, 9, -1, -1, 10, -1},
         {5, -1, -1, 6, -1, -1, 7, -1, -1, 8, -1, -1, 9, -1, -1, 10},
         {-1, 5, -1, -1, 6, -1, -1, 7, -1, -1, 8, -1, -1, 9, -1, -1}},
        {{-1, 11, -1, -1, 12, -1, -1, 13, -1, -1, 14, -1, -1, 15, -1, -1},
         {-1, -1, 11, -1, -1, 12, -1, -1, 13, -1, -1, 14, -1, -1, 15, -1},
         {10, -1, -1, 11, -1, -1, 12, -1, -1, 13, -1, -1, 14, -1, -1, 15}}};
    const uint8_t *from[3] = {r, g, b};
    for (int part = 0; part < 3; part++) {
        __m128i sum = _mm_setzero_si128();
        for (int k = 0; k < 3; k++) {
            __m128i samples = _mm_loadu_si128((const __m128i *)from[k]);
            sum = _mm_or_si128(sum, _mm_shuffle_epi8(samples, _mm_loadu_si128((const __m128i *)place[part][k])));
        }
        _mm_storeu_si128((__m128i *)(out + 16 * part), sum);
    }
}
#endif

SAMPLES_TARGET static void SAMPLES_NAME(put8)(const samples_colours *c, size_t at, size_t n, int32_t (*rgb)[SAMPLES_NAME(STRETCH)])
{
    uint8_t planes[3][SAMPLES_NAME(STRETCH)], *out = (uint8_t *)c->pixels + at * (size_t)c->channels;
    size_t i = 0;
    for (int k = 0; k < 3; k++) {
        const int32_t *from = rgb[k];
        uint8_t *to = planes[k];
        for (size_t j = 0; j < n; j++) {
            int32_t v = from[j] < 0 ? 0 : from[j];
            to[j] = (uint8_t)(v < c->peak ? v : c->peak);
        }
    }
#if SAMPLES_VECTORS
    for (; c->channels == 3 && i + 16 <= n; i += 16) SAMPLES_NAME(interleave)(planes[0] + i, planes[1] + i, planes[2] + i, out + 3 * i);
#endif
    for (; i < n; i++)
        for (int k = 0; k < 3; k++) out[i * (size_t)c->channels + (size_t)k] = planes[k][i];
}

SAMPLES_TARGET static void SAMPLES_NAME(put16)(const samples_colours *c, size_t at, size_t n, int32_t (*rgb)[SAMPLES_NAME(STRETCH)])
{
    uint16_t *out = (uint16_t *)c->pixels + at * (size_t)c->channels;
    for (int k = 0; k < 3; k++)
        for (size_t i = 0; i < n; i++) {
            int32_t v = rgb[k][i] < 0 ? 0 : rgb[k][i];
            out[i * (size_t)c->channels + (size_t)k] = (uint16_t)(v < c->peak ? v : c->peak);
        }
}

SAMPLES_TARGET void SAMPLES_NAME(to_pixels)(const samples_colours *c, size_t from, size_t to)
{
    int32_t rgb[3][SAMPLES_NAME(STRETCH)];
    for (size_t at = from; at < to; at += SAMPLES_NAME(STRETCH)) {
        size_t n = to - at < SAMPLES_NAME(STRETCH) ? to - at : SAMPLES_NAME(STRETCH);
        if (c->axes != NULL)
            SAMPLES_NAME(rotated)(c, at, n, rgb);
        else
            SAMPLES_NAME(reversed)(c, at, n, rgb);
        for (int k = 0; k < 3; k++)
            for (size_t i = 0; i < n; i++) rgb[k][i] = samples_placed(rgb[k][i], c->offset);
        if (c->bytes == 1)
            SAMPLES_NAME(put8)(c, at, n, rgb);
        else
            SAMPLES_NAME(put16)(c, at, n, rgb);
    }
}
