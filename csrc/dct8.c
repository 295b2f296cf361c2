/* The 8×8 DCT of JPEG (T.81 A.3.3), both ways, in integers: the same result on every machine.
 *
 * Both use the factorisation of Loeffler, Ligtenberg & Moschytz, "Practical fast 1-D DCT algorithms
 * with 11 multiplications" (ICASSP 1989), with constants in 13 fractional bits. One pass scales by
 * sqrt(8); two make the factor 8 that the last shift takes out.
 *
 * The inverse reproduces the arithmetic of libjpeg's "accurate integer" method step by step, because
 * that is what nearly every decoder in use computes: our pixels are then theirs.
 *
 * No overflow: with inputs of 16 bits each output of a pass is a sum of eight inputs with factors
 * whose magnitudes add up to less than 7.5, so 7.5 · 2^15 · 2^13 < 2^31, and so are all partial sums. */
#include "cpu.h"
#include "jpeg.h"

#include <string.h>
#ifdef RS_X86_VECTORS
#include <emmintrin.h>
#endif

enum { BITS = 13 };

/* round(x * 2^13) of the factors in the paper's rotations. */
#define C_0_298631336 2446
#define C_0_390180644 3196
#define C_0_541196100 4433
#define C_0_765366865 6270
#define C_0_899976223 7373
#define C_1_175875602 9633
#define C_1_501321110 12299
#define C_1_847759065 15137
#define C_1_961570560 16069
#define C_2_053119869 16819
#define C_2_562915447 20995
#define C_3_072711026 25172

static inline int32_t shifted(int32_t x, int n) { return (x + (1 << (n - 1))) >> n; }

static inline int32_t clamp16(int32_t x) { return x < -32768 ? -32768 : x > 32767 ? 32767 : x; }

static inline uint8_t sample(int32_t x)
{
    x += 128;
    return (uint8_t)(x < 0 ? 0 : x > 255 ? 255 : x);
}

/* Rows and columns change places. */
static inline void transpose(int16_t block[64])
{
#ifdef RS_X86_VECTORS
    __m128i row[8], pair[8], four[8];
    for (int i = 0; i < 8; i++) row[i] = _mm_loadu_si128((const __m128i *)(block + 8 * i));
    for (int i = 0; i < 4; i++) {
        pair[i] = _mm_unpacklo_epi16(row[i], row[i + 4]);
        pair[i + 4] = _mm_unpackhi_epi16(row[i], row[i + 4]);
    }
    for (int i = 0; i < 2; i++)
        for (int half = 0; half < 8; half += 4) {
            four[half + i] = _mm_unpacklo_epi16(pair[half + i], pair[half + i + 2]);
            four[half + i + 2] = _mm_unpackhi_epi16(pair[half + i], pair[half + i + 2]);
        }
    for (int i = 0; i < 8; i += 2) {
        _mm_storeu_si128((__m128i *)(block + 8 * i), _mm_unpacklo_epi16(four[i], four[i + 1]));
        _mm_storeu_si128((__m128i *)(block + 8 * i + 8), _mm_unpackhi_epi16(four[i], four[i + 1]));
    }
#else
    for (int y = 0; y < 8; y++)
        for (int x = 0; x < y; x++) {
            int16_t value = block[8 * y + x];
            block[8 * y + x] = block[8 * x + y];
            block[8 * x + y] = value;
        }
#endif
}

/* --- Inverse ------------------------------------------------------------------------------------ */

/* One inverse pass down all 8 columns at once; results lose `shift` of their 13 fractional bits. */
RS_BODY void inverse_body(const int16_t *restrict in, int shift, int32_t *restrict out)
{
    for (int x = 0; x < 8; x++) {
        int32_t z2 = in[16 + x], z3 = in[48 + x];
        int32_t z1 = (z2 + z3) * C_0_541196100;
        int32_t even2 = z1 - z3 * C_1_847759065, even3 = z1 + z2 * C_0_765366865;
        int32_t even0 = (in[x] + in[32 + x]) * (1 << BITS), even1 = (in[x] - in[32 + x]) * (1 << BITS);
        int32_t a0 = even0 + even3, a3 = even0 - even3, a1 = even1 + even2, a2 = even1 - even2;

        int32_t t0 = in[56 + x], t1 = in[40 + x], t2 = in[24 + x], t3 = in[8 + x];
        int32_t z4 = t1 + t3;
        z3 = t0 + t2;
        int32_t z5 = (z3 + z4) * C_1_175875602;
        z1 = (t0 + t3) * -C_0_899976223;
        z2 = (t1 + t2) * -C_2_562915447;
        z3 = z5 - z3 * C_1_961570560;
        z4 = z5 - z4 * C_0_390180644;
        t0 = t0 * C_0_298631336 + (z1 + z3);
        t1 = t1 * C_2_053119869 + (z2 + z4);
        t2 = t2 * C_3_072711026 + (z2 + z3);
        t3 = t3 * C_1_501321110 + (z1 + z4);

        out[x] = shifted(a0 + t3, shift), out[56 + x] = shifted(a0 - t3, shift);
        out[8 + x] = shifted(a1 + t2, shift), out[48 + x] = shifted(a1 - t2, shift);
        out[16 + x] = shifted(a2 + t1, shift), out[40 + x] = shifted(a2 - t1, shift);
        out[24 + x] = shifted(a3 + t0, shift), out[32 + x] = shifted(a3 - t0, shift);
    }
}

/* block: dequantised, in rows. */
RS_BODY void samples_body(int16_t *restrict block, uint8_t *restrict out, size_t stride)
{
    int32_t wide[64];
    inverse_body(block, BITS - 2, wide); /* two fractional bits are kept for the second pass */
    for (int i = 0; i < 64; i++) block[i] = (int16_t)clamp16(wide[i]);
    transpose(block);
    inverse_body(block, BITS + 2 + 3, wide);
    for (int i = 0; i < 64; i++) block[i] = (int16_t)clamp16(wide[i]);
    transpose(block);
    for (int y = 0; y < 8; y++, out += stride)
        for (int x = 0; x < 8; x++) out[x] = sample(block[8 * y + x]);
}
RS_VARIANTS(samples, (int16_t *block, uint8_t *out, size_t stride), (block, out, stride))

static inline int16_t dequantised(int16_t level, uint16_t step)
{
    int64_t value = (int64_t)level * step;
    return (int16_t)(value < -32768 ? -32768 : value > 32767 ? 32767 : value);
}

void rsi_idct8(const int16_t *coefs, const uint16_t *table, uint8_t *out, size_t stride)
{
    int16_t block[64] = {0};
    uint64_t busy = 0;
    for (int k = 0; k < 64; k += 4) {
        uint64_t four;
        memcpy(&four, coefs + k, sizeof four);
        if (!four) continue;
        for (int i = k; i < k + 4; i++) block[rsi_zigzag[i]] = dequantised(coefs[i], table[i]);
        busy |= k ? four : (uint64_t)(coefs[1] || coefs[2] || coefs[3]);
    }
    if (busy) {
        samples(block, out, stride);
        return;
    }
    /* One value for all, as by the long way. */
    uint8_t value = sample(shifted(clamp16(block[0] * 4), 2 + 3));
    for (int y = 0; y < 8; y++) memset(out + (size_t)y * stride, value, 8);
}

/* --- Forward ------------------------------------------------------------------------------------ */

/* One forward pass down all 8 columns at once, in place. */
RS_BODY void forward_body(int32_t *restrict v)
{
    for (int x = 0; x < 8; x++) {
        int32_t s0 = v[x] + v[56 + x], d0 = v[x] - v[56 + x];
        int32_t s1 = v[8 + x] + v[48 + x], d1 = v[8 + x] - v[48 + x];
        int32_t s2 = v[16 + x] + v[40 + x], d2 = v[16 + x] - v[40 + x];
        int32_t s3 = v[24 + x] + v[32 + x], d3 = v[24 + x] - v[32 + x];

        int32_t e0 = s0 + s3, e3 = s0 - s3, e1 = s1 + s2, e2 = s1 - s2;
        v[x] = e0 + e1;
        v[32 + x] = e0 - e1;
        int32_t z1 = (e2 + e3) * C_0_541196100;
        v[16 + x] = shifted(z1 + e3 * C_0_765366865, BITS);
        v[48 + x] = shifted(z1 - e2 * C_1_847759065, BITS);

        int32_t z3 = d3 + d1, z4 = d2 + d0;
        int32_t z5 = (z3 + z4) * C_1_175875602;
        int32_t y1 = (d3 + d0) * -C_0_899976223, y2 = (d2 + d1) * -C_2_562915447;
        z3 = z5 - z3 * C_1_961570560;
        z4 = z5 - z4 * C_0_390180644;
        v[56 + x] = shifted(d3 * C_0_298631336 + y1 + z3, BITS);
        v[40 + x] = shifted(d2 * C_2_053119869 + y2 + z4, BITS);
        v[24 + x] = shifted(d1 * C_3_072711026 + y2 + z3, BITS);
        v[8 + x] = shifted(d0 * C_1_501321110 + y1 + z4, BITS);
    }
}

static inline int32_t clamp12(int32_t x) { return x < -2048 ? -2048 : x > 2047 ? 2047 : x; }

/* block: samples within -2048...2047, in rows; becomes coefficients in rows. A pass multiplies by at most 8, so that
 * 16 bits hold what is between the two. */
RS_BODY void coefficients_body(int16_t *restrict block)
{
    int32_t wide[64];
    transpose(block);
    for (int i = 0; i < 64; i++) wide[i] = clamp12(block[i]);
    forward_body(wide);
    for (int i = 0; i < 64; i++) block[i] = (int16_t)wide[i];
    transpose(block);
    for (int i = 0; i < 64; i++) wide[i] = block[i];
    forward_body(wide);
    for (int i = 0; i < 64; i++) block[i] = (int16_t)clamp16(shifted(wide[i], 3));
}
RS_VARIANTS(coefficients, (int16_t *block), (block))

int64_t rs_dct8_forward(const int16_t *plane, int32_t width, int32_t height, int16_t *coefs, int32_t blocks_x,
                        int32_t blocks_y)
{
    if (width < 1 || height < 1 || blocks_x < 1 || blocks_y < 1 || width > 8 * (int64_t)blocks_x ||
        height > 8 * (int64_t)blocks_y)
        return RS_ERR_ARGUMENT;
    for (int32_t by = 0; by < blocks_y; by++)
        for (int32_t bx = 0; bx < blocks_x; bx++, coefs += 64) {
            int16_t block[64];
            for (int y = 0; y < 8; y++) {
                int32_t row = 8 * by + y < height ? 8 * by + y : height - 1;
                const int16_t *line = plane + (size_t)row * (size_t)width;
                if (8 * bx + 8 <= width) memcpy(block + 8 * y, line + 8 * bx, 8 * sizeof *block);
                else
                    for (int x = 0; x < 8; x++) block[8 * y + x] = line[8 * bx + x < width ? 8 * bx + x : width - 1];
            }
            coefficients(block);
            for (int k = 0; k < 64; k++) coefs[k] = block[rsi_zigzag[k]];
        }
    return (int64_t)blocks_x * blocks_y;
}
