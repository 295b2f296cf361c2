/* The loops from coefficients to samples, once in plain C and once for AVX2: SAMPLES_NAME names the variant, SAMPLES_TARGET is
 * its attribute, SAMPLES_VECTORS tells whether intrinsics may be used. A sample is made by the same operations in both. */

/* sign * (|q| + centre of its class) * unit; `out` may be where `q` is. */
SAMPLES_TARGET void SAMPLES_NAME(dequantise)(const int32_t *q, size_t count, const float *centre, float unit, rs_float *out)
{
    float one = centre[0], two = centre[1], more = centre[2];
    size_t i = 0;
#if SAMPLES_VECTORS
    const __m256 shifts = _mm256_setr_ps(0.0f, one, two, more, more, more, more, more), units = _mm256_set1_ps(unit);
    for (; i + 8 <= count; i += 8) {
        __m256i from = _mm256_loadu_si256((const __m256i *)(q + i)), m = _mm256_abs_epi32(from);
        __m256 shift = _mm256_permutevar8x32_ps(shifts, _mm256_min_epi32(m, _mm256_set1_epi32(3)));
        __m256 value = _mm256_mul_ps(_mm256_add_ps(_mm256_cvtepi32_ps(m), shift), units);
        __m256i sign = _mm256_and_si256(from, _mm256_set1_epi32(INT32_MIN));
        _mm256_storeu_ps((float *)out + i, _mm256_xor_ps(value, _mm256_castsi256_ps(sign)));
    }
#endif
    for (; i < count; i++) {
        int32_t from = q[i], m = from < 0 ? -from : from;
        float shift = m == 2 ? two : more;
        shift = m == 1 ? one : shift;
        shift = m == 0 ? 0.0f : shift;
        float value = ((float)m + shift) * unit;
        out[i] = from < 0 ? -value : value;
    }
}

enum { SAMPLES_NAME(STRETCH) = 128 };

#if SAMPLES_VECTORS
/* samples_rounded of eight: its comparisons, NaN included, are those of the instructions. */
SAMPLES_TARGET RS_INLINE __m256i SAMPLES_NAME(rounded)(__m256 value)
{
    value = _mm256_max_ps(value, _mm256_set1_ps(-16777216.0f));
    value = _mm256_min_ps(value, _mm256_set1_ps(16777216.0f));
    __m256i whole = _mm256_cvttps_epi32(value);
    __m256 rest = _mm256_sub_ps(value, _mm256_cvtepi32_ps(whole));
    __m256 up = _mm256_cmp_ps(rest, _mm256_set1_ps(0.5f), _CMP_GE_OQ);
    __m256 down = _mm256_cmp_ps(rest, _mm256_set1_ps(-0.5f), _CMP_LT_OQ);
    return _mm256_add_epi32(_mm256_sub_epi32(whole, _mm256_castps_si256(up)), _mm256_castps_si256(down));
}
#endif

/* R, G, B of `n` pixels from `at` on, less the offset. */
SAMPLES_TARGET static void SAMPLES_NAME(rotated)(const samples_colours *c, size_t at, size_t n, int32_t (*rgb)[SAMPLES_NAME(STRETCH)])
{
    const float *first = (const float *)c->plane[0] + at, *second = (const float *)c->plane[1] + at;
    const float *third = (const float *)c->plane[2] + at;
    for (int k = 0; k < 3; k++) {
        float u = c->axes[k], v = c->axes[3 + k], w = c->axes[6 + k];
        int32_t *out = rgb[k];
        size_t i = 0;
#if SAMPLES_VECTORS
        for (; i + 8 <= n; i += 8) {
            __m256 sum = _mm256_mul_ps(_mm256_set1_ps(u), _mm256_loadu_ps(first + i));
            sum = _mm256_add_ps(sum, _mm256_mul_ps(_mm256_set1_ps(v), _mm256_loadu_ps(second + i)));
            sum = _mm256_add_ps(sum, _mm256_mul_ps(_mm256_set1_ps(w), _mm256_loadu_ps(third + i)));
            _mm256_storeu_si256((__m256i *)(out + i), SAMPLES_NAME(rounded)(sum));
        }
#endif
        for (; i < n; i++) out[i] = samples_rounded(u * first[i] + v * second[i] + w * third[i]);
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

/* To samples: plus the offset, within their range. */
SAMPLES_TARGET static void SAMPLES_NAME(place)(const samples_colours *c, size_t n, int32_t (*rgb)[SAMPLES_NAME(STRETCH)])
{
    const int32_t offset = c->offset, least = -offset, most = c->peak - offset;
    for (int k = 0; k < 3; k++) {
        int32_t *at = rgb[k];
        for (size_t i = 0; i < n; i++) {
            int32_t v = at[i] < least ? least : at[i];
            at[i] = (v < most ? v : most) + offset;
        }
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
        for (size_t j = 0; j < n; j++) to[j] = (uint8_t)from[j];
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
        for (size_t i = 0; i < n; i++) out[i * (size_t)c->channels + (size_t)k] = (uint16_t)rgb[k][i];
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
        SAMPLES_NAME(place)(c, n, rgb);
        if (c->bytes == 1)
            SAMPLES_NAME(put8)(c, at, n, rgb);
        else
            SAMPLES_NAME(put16)(c, at, n, rgb);
    }
}
