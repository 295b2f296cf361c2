/* Loops of wavelet_nibble.c where a decoder spends its time, in plain C, for AVX2, and in C that tells what everything cost:
 * NB_NAME names the variant, NB_TARGET is its attribute, NB_VECTORS tells whether intrinsics may be used, NB_TELLS whether
 * costs are added up. All make the same of the same input. */

/* The symbol in whose interval `slot` lies, by the mean of two models: its start and frequency, and both models learn. */
NB_TARGET RS_INLINE uint32_t NB_NAME(symbol)(nibble_state *s, uint32_t a, uint32_t b, uint32_t slot, uint32_t *start,
                                             uint32_t *frequency)
{
    int16_t mixed[NB_SYMBOLS + 1], *ma = s->cdf[a], *mb = s->cdf[b];
    uint32_t symbol;
#if NB_VECTORS
    __m256i va = _mm256_loadu_si256((const __m256i *)ma), vb = _mm256_loadu_si256((const __m256i *)mb);
    __m256i mean = _mm256_avg_epu16(va, vb), above = _mm256_cmpgt_epi16(mean, _mm256_set1_epi16((short)slot));
    symbol = (uint32_t)_tzcnt_u64((uint64_t)(uint32_t)_mm256_movemask_epi8(above) | 1ull << 32) / 2 - 1;
    _mm256_storeu_si256((__m256i *)mixed, mean);
#else
    symbol = 0;
    for (int i = 0; i < NB_SYMBOLS; i++) mixed[i] = (int16_t)((ma[i] + mb[i] + 1) >> 1);
    for (int i = 1; i < NB_SYMBOLS; i++) symbol += (uint32_t)mixed[i] <= slot;
#endif
    mixed[NB_SYMBOLS] = -NB_WHOLE; /* 2^15, seen as unsigned */
    *start = (uint16_t)mixed[symbol];
    *frequency = (uint32_t)(uint16_t)mixed[symbol + 1] - *start;
#if NB_TELLS
    s->spent += (uint64_t)(65536.0f * (NB_BITS - log2f((float)*frequency)));
#endif
    uint32_t na = s->count[a], nb = s->count[b];
    s->count[a] = nibble_counted(na);
    s->count[b] = nibble_counted(nb);
#if NB_VECTORS
    __m256i target = _mm256_loadu_si256((const __m256i *)nibble_target[symbol]);
    __m256i ra = _mm256_sra_epi16(_mm256_sub_epi16(target, va), _mm_cvtsi32_si128(nibble_rate[na]));
    _mm256_storeu_si256((__m256i *)ma, _mm256_add_epi16(va, ra));
    __m256i rb = _mm256_sra_epi16(_mm256_sub_epi16(target, vb), _mm_cvtsi32_si128(nibble_rate[nb]));
    _mm256_storeu_si256((__m256i *)mb, _mm256_add_epi16(vb, rb));
#else
    const int16_t *target = nibble_target[symbol];
    int ra = nibble_rate[na], rb = nibble_rate[nb];
    for (int i = 0; i < NB_SYMBOLS; i++) ma[i] = (int16_t)(ma[i] + ((target[i] - ma[i]) >> ra));
    for (int i = 0; i < NB_SYMBOLS; i++) mb[i] = (int16_t)(mb[i] + ((target[i] - mb[i]) >> rb));
#endif
    return symbol;
}

/* Reads a word where the state has run low; zeros behind the end, which the caller notices row by row. */
NB_TARGET RS_INLINE uint64_t NB_NAME(refilled)(nibble_state *s, uint64_t x)
{
    if (RS_UNLIKELY(x >> 32 == 0)) x = x << 32 | nibble_word(s);
    return x;
}

NB_TARGET RS_INLINE uint32_t NB_NAME(take)(nibble_state *s, uint64_t *x, uint32_t a, uint32_t b)
{
    uint32_t start, frequency, slot = (uint32_t)*x & (NB_WHOLE - 1);
    uint32_t symbol = NB_NAME(symbol)(s, a, b, slot, &start, &frequency);
    *x = frequency * (*x >> NB_BITS) + slot - start;
    return symbol;
}

NB_TARGET RS_INLINE uint32_t NB_NAME(bits)(nibble_state *s, uint64_t *x, uint32_t n)
{
    uint32_t bits = (uint32_t)(*x & ((1ull << n) - 1));
#if NB_TELLS
    s->spent += 65536 * (uint64_t)n;
#endif
    *x = NB_NAME(refilled)(s, *x >> n);
    return bits;
}

/* Any value: wide ones, and escapes. */
NB_TARGET static int32_t NB_NAME(value)(nibble_state *s, uint64_t *x, uint32_t a, uint32_t b, uint32_t wide)
{
    uint32_t symbol = NB_NAME(take)(s, x, a, b), sign = 0, low = 0;
    uint32_t tail = NB_NAME(bits)(s, x, wide ? NB_EXTRA[symbol] + (symbol == NB_ESCAPE ? 0 : wide + 1) : NB_TAIL[symbol]);
    uint64_t m = NB_BASE[symbol];
    if (symbol == NB_ESCAPE) {
        uint32_t length = wide ? tail : tail >> 1;
        sign = tail & 1;
        m += NB_NAME(bits)(s, x, length < NB_LONG ? length : NB_LONG);
        if (wide) low = NB_NAME(bits)(s, x, wide + 1);
    } else if (wide) {
        m += tail >> (wide + 1);
        low = tail & ((2u << wide) - 1);
    } else {
        m += tail >> 1;
        sign = tail & 1;
    }
    if (wide) { /* 0, 1, -1, 2, -2 ... */
        uint64_t folded = m << (wide + 1) | low;
        m = (folded + 1) >> 1;
        sign = !(folded & 1);
    }
    if (m > RS_WAVELET_MAX_MAGNITUDE) {
        s->bad = 1;
        m = 0;
    }
    return sign ? -(int32_t)m : (int32_t)m;
}

NB_TARGET RS_INLINE void NB_NAME(put)(const nibble_half *h, size_t i, int32_t q)
{
    int32_t *at = &h->row[2 * i + (size_t)h->parity];
    *at = q;
    h->now[i] = nibble_magnitude(q);
#if NB_TELLS
    nibble_tell(h->s, at);
#endif
}

/* The coefficients of one parity in the blocks of a row that are not empty. */
NB_TARGET void NB_NAME(decode_half)(const nibble_half *h)
{
    nibble_state *s = h->s;
    size_t half = (h->width + 1 - (size_t)h->parity) / 2;
    uint64_t x[NB_LANES];
    memcpy(x, s->x, sizeof x);
    for (size_t k = 0; k < h->blocks; k++) {
        size_t i = (size_t)h->list[k] * (NB_BLOCK / 2);
        uint64_t wide = 0;
        memcpy(&wide, h->wide + i, sizeof wide);
        if (RS_UNLIKELY(wide != 0 || i + NB_BLOCK / 2 > half || s->mask == 0)) {
            for (size_t j = 0; j < NB_BLOCK / 2 && i + j < half; j++)
                NB_NAME(put)(h, i + j, NB_NAME(value)(s, &x[j & (size_t)s->mask], h->a[i + j], h->b[i + j], h->wide[i + j]));
            continue;
        }
#pragma GCC unroll 4
        for (size_t j = 0; j < NB_LANES; j++) {
            uint32_t symbol = NB_NAME(take)(s, &x[j], h->a[i + j], h->b[i + j]);
            uint32_t tail = NB_NAME(bits)(s, &x[j], NB_TAIL[symbol]);
            int32_t m = NB_BASE[symbol] + (int32_t)(tail >> 1), sign = (int32_t)(tail & 1);
            if (RS_UNLIKELY(symbol == NB_ESCAPE)) {
                uint32_t length = tail >> 1;
                m = NB_ESCAPED + (int32_t)NB_NAME(bits)(s, &x[j], length < NB_LONG ? length : NB_LONG);
                if (m > RS_WAVELET_MAX_MAGNITUDE) {
                    s->bad = 1;
                    m = 0;
                }
            }
            NB_NAME(put)(h, i + j, (m ^ -sign) + sign);
        }
    }
    memcpy(s->x, x, sizeof x);
}

#if NB_VECTORS
/* nibble_level of 16 values of 16 bits; octaves: whole ones. */
NB_TARGET RS_INLINE __m256i NB_NAME(levels)(__m256i v, int octaves)
{
    const __m256i zero = _mm256_setzero_si256(), one = _mm256_set1_epi32(octaves ? 127 : 254);
    __m256i low = _mm256_castps_si256(_mm256_cvtepi32_ps(_mm256_unpacklo_epi16(v, zero)));
    __m256i high = _mm256_castps_si256(_mm256_cvtepi32_ps(_mm256_unpackhi_epi16(v, zero)));
    low = _mm256_sub_epi32(_mm256_srli_epi32(low, octaves ? 23 : 22), one);
    high = _mm256_sub_epi32(_mm256_srli_epi32(high, octaves ? 23 : 22), one);
    return _mm256_packus_epi32(low, high);
}

NB_TARGET RS_INLINE __m256i NB_NAME(times)(uint16_t weight, const uint16_t *m)
{
    return _mm256_mullo_epi16(_mm256_set1_epi16((short)weight), _mm256_loadu_si256((const __m256i *)m));
}

NB_TARGET RS_INLINE __m256i NB_NAME(sum)(__m256i a, __m256i b) { return _mm256_add_epi16(a, b); }

/* The same as below of 16 columns from `i` on. */
NB_TARGET RS_INLINE void NB_NAME(contexts16)(const nibble_view *v, int parity, size_t i)
{
    const uint16_t *w = v->weight, *n = (parity ? v->odd_n : v->even_n) + i, *nn = (parity ? v->odd_nn : v->even_nn) + i;
    const uint16_t *west = parity ? v->even_n + i : v->odd_n + i - 1;
    const __m256i one = _mm256_set1_epi16(1);
    __m256i near = NB_NAME(sum)(NB_NAME(times)(w[NB_N], n), NB_NAME(times)(w[NB_NN], nn));
    near = NB_NAME(sum)(near, NB_NAME(sum)(NB_NAME(times)(w[NB_NW], west), NB_NAME(times)(w[NB_NE], west + 1)));
    if (parity) {
        near = NB_NAME(sum)(near, NB_NAME(sum)(NB_NAME(times)(w[NB_W], v->even + i), NB_NAME(times)(w[NB_E], v->even + i + 1)));
    } else {
        const uint16_t *west2 = v->odd_nn + i - 1;
        near = NB_NAME(sum)(near, NB_NAME(sum)(NB_NAME(times)(w[NB_NN2], west2), NB_NAME(times)(w[NB_NN2], west2 + 1)));
        near = NB_NAME(sum)(near, NB_NAME(sum)(NB_NAME(times)(w[NB_N2], n - 1), NB_NAME(times)(w[NB_N2], n + 1)));
    }
    __m256i far = _mm256_loadu_si256((const __m256i *)(v->far + i));
    __m256i level = NB_NAME(levels)(NB_NAME(sum)(NB_NAME(sum)(near, far), one), 0);
    __m256i by_near = _mm256_min_epi16(NB_NAME(levels)(NB_NAME(sum)(near, one), 1), _mm256_set1_epi16(NB_NEARS - 1));
    __m256i by_far = _mm256_min_epi16(NB_NAME(levels)(NB_NAME(sum)(far, one), 1), _mm256_set1_epi16(NB_FARS - 1));
    __m256i split = NB_NAME(sum)(_mm256_mullo_epi16(by_near, _mm256_set1_epi16(NB_FARS)), by_far);
    __m256i beyond = _mm256_sub_epi16(level, _mm256_set1_epi16(NB_WIDE)), large = _mm256_cmpgt_epi16(beyond, _mm256_set1_epi16(-1));
    __m256i of_large = NB_NAME(sum)(beyond, _mm256_set1_epi16(NB_NEARS * NB_FARS));
    __m256i wide = _mm256_and_si256(large, NB_NAME(sum)(_mm256_srli_epi16(beyond, 1), one));
    split = _mm256_blendv_epi8(split, of_large, large);
    _mm256_storeu_si256((__m256i *)(v->a + i), NB_NAME(sum)(level, _mm256_set1_epi16((short)v->first_a)));
    _mm256_storeu_si256((__m256i *)(v->b + i), NB_NAME(sum)(split, _mm256_set1_epi16((short)v->first_b)));
    _mm256_storeu_si256((__m256i *)(v->wide + i), wide);
}
#endif

/* Contexts of coefficients, from `from` to `to`: sums and their logarithms, free of any order. (Vectors write up to
 * NB_PAD - 1 more, which nobody reads.) */
NB_TARGET void NB_NAME(contexts)(const nibble_view *v, int parity, size_t from, size_t to)
{
#if NB_VECTORS
    for (size_t i = from; i < to; i += NB_PAD) NB_NAME(contexts16)(v, parity, i);
#else
    const uint16_t *w = v->weight, *far = v->far, *even = v->even;
    const uint16_t *n = parity ? v->odd_n : v->even_n, *nn = parity ? v->odd_nn : v->even_nn;
    const uint16_t *other_n = parity ? v->even_n : v->odd_n, *other_nn = parity ? v->even_nn : v->odd_nn;
    const uint16_t *west_n = parity ? other_n : other_n - 1, *east_n = parity ? other_n + 1 : other_n;
    const uint16_t *west_nn = parity ? other_nn : other_nn - 1, *east_nn = parity ? other_nn + 1 : other_nn;
    uint16_t *a = v->a, *b = v->b, *wide = v->wide;
    for (size_t i = from; i < to; i++) {
        uint16_t near = (uint16_t)(w[NB_N] * n[i] + w[NB_NN] * nn[i] + w[NB_NW] * west_n[i] + w[NB_NE] * east_n[i]);
        if (parity)
            near = (uint16_t)(near + w[NB_W] * even[i] + w[NB_E] * even[i + 1]);
        else
            near = (uint16_t)(near + w[NB_NN2] * (west_nn[i] + east_nn[i]) + w[NB_N2] * (n[(ptrdiff_t)i - 1] + n[i + 1]));
        uint32_t level = nibble_level((uint32_t)near + far[i] + 1);
        uint32_t by_near = nibble_level(near + 1u) >> 1, by_far = nibble_level(far[i] + 1u) >> 1;
        by_near = by_near < NB_NEARS ? by_near : NB_NEARS - 1;
        by_far = by_far < NB_FARS ? by_far : NB_FARS - 1;
        uint32_t split = level < NB_WIDE ? by_near * NB_FARS + by_far : NB_NEARS * NB_FARS + level - NB_WIDE;
        a[i] = (uint16_t)(v->first_a + level);
        b[i] = (uint16_t)(v->first_b + split);
        wide[i] = (uint16_t)(level < NB_WIDE ? 0 : (level - NB_WIDE) / 2 + 1);
    }
#endif
}

NB_TARGET void NB_NAME(add_far)(const nibble_far_view *v, size_t from, size_t to)
{
    const int32_t *q = v->q;
    uint16_t *even = v->even, *odd = v->odd, weight_even = v->weight_even, weight_odd = v->weight_odd;
    for (size_t i = from; i < to; i++) {
        even[i] = (uint16_t)(even[i] + weight_even * nibble_magnitude(q[2 * i]));
        odd[i] = (uint16_t)(odd[i] + weight_odd * nibble_magnitude(q[2 * i + 1]));
    }
}
