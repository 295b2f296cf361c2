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
#include "jpeg.h"

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

/* One inverse pass over 8 values `step` apart; results carry 13 fractional bits. */
static inline void inverse_1d(const int16_t *in, int step, int32_t out[8])
{
    int32_t z2 = in[2 * step], z3 = in[6 * step];
    int32_t z1 = (z2 + z3) * C_0_541196100;
    int32_t even2 = z1 - z3 * C_1_847759065, even3 = z1 + z2 * C_0_765366865;
    int32_t even0 = (in[0] + in[4 * step]) * (1 << BITS), even1 = (in[0] - in[4 * step]) * (1 << BITS);
    int32_t a0 = even0 + even3, a3 = even0 - even3, a1 = even1 + even2, a2 = even1 - even2;

    int32_t t0 = in[7 * step], t1 = in[5 * step], t2 = in[3 * step], t3 = in[step];
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

    out[0] = a0 + t3, out[7] = a0 - t3;
    out[1] = a1 + t2, out[6] = a1 - t2;
    out[2] = a2 + t1, out[5] = a2 - t1;
    out[3] = a3 + t0, out[4] = a3 - t0;
}

static inline uint8_t sample(int32_t x)
{
    x += 128;
    return (uint8_t)(x < 0 ? 0 : x > 255 ? 255 : x);
}

void rsi_idct8(const int16_t *coefs, const uint16_t *table, uint8_t *out, size_t stride)
{
    int16_t block[64] = {0};
    int32_t line[8];
    unsigned busy = 0; /* columns with more than their first value: the others are constant, as by the long way */
    for (int k = 0; k < 64; k++)
        if (coefs[k]) {
            int64_t value = (int64_t)coefs[k] * table[k];
            block[rsi_zigzag[k]] = (int16_t)(value < -32768 ? -32768 : value > 32767 ? 32767 : value);
            if (rsi_zigzag[k] > 7) busy |= 1u << (rsi_zigzag[k] & 7);
        }
    for (int x = 0; x < 8; x++) { /* columns; two fractional bits are kept for the second pass */
        if (!(busy >> x & 1)) {
            int16_t value = (int16_t)clamp16(block[x] * 4);
            for (int y = 0; y < 8; y++) block[8 * y + x] = value;
            continue;
        }
        inverse_1d(block + x, 8, line);
        for (int y = 0; y < 8; y++) block[8 * y + x] = (int16_t)clamp16(shifted(line[y], BITS - 2));
    }
    for (int y = 0; y < 8; y++, out += stride) {
        inverse_1d(block + 8 * y, 1, line);
        for (int x = 0; x < 8; x++) out[x] = sample(shifted(line[x], BITS + 2 + 3));
    }
}

/* One forward pass over 8 values `step` apart, in place. */
static inline void forward_1d(int32_t *v, int step)
{
    int32_t s0 = v[0] + v[7 * step], d0 = v[0] - v[7 * step];
    int32_t s1 = v[step] + v[6 * step], d1 = v[step] - v[6 * step];
    int32_t s2 = v[2 * step] + v[5 * step], d2 = v[2 * step] - v[5 * step];
    int32_t s3 = v[3 * step] + v[4 * step], d3 = v[3 * step] - v[4 * step];

    int32_t e0 = s0 + s3, e3 = s0 - s3, e1 = s1 + s2, e2 = s1 - s2;
    v[0] = e0 + e1;
    v[4 * step] = e0 - e1;
    int32_t z1 = (e2 + e3) * C_0_541196100;
    v[2 * step] = shifted(z1 + e3 * C_0_765366865, BITS);
    v[6 * step] = shifted(z1 - e2 * C_1_847759065, BITS);

    int32_t z3 = d3 + d1, z4 = d2 + d0;
    int32_t z5 = (z3 + z4) * C_1_175875602;
    int32_t y1 = (d3 + d0) * -C_0_899976223, y2 = (d2 + d1) * -C_2_562915447;
    z3 = z5 - z3 * C_1_961570560;
    z4 = z5 - z4 * C_0_390180644;
    v[7 * step] = shifted(d3 * C_0_298631336 + y1 + z3, BITS);
    v[5 * step] = shifted(d2 * C_2_053119869 + y2 + z4, BITS);
    v[3 * step] = shifted(d1 * C_3_072711026 + y2 + z3, BITS);
    v[step] = shifted(d0 * C_1_501321110 + y1 + z4, BITS);
}

static inline int32_t clamp12(int32_t x) { return x < -2048 ? -2048 : x > 2047 ? 2047 : x; }

int64_t rs_dct8_forward(const int16_t *plane, int32_t width, int32_t height, int16_t *coefs, int32_t blocks_x,
                        int32_t blocks_y)
{
    if (width < 1 || height < 1 || blocks_x < 1 || blocks_y < 1 || width > 8 * (int64_t)blocks_x ||
        height > 8 * (int64_t)blocks_y)
        return RS_ERR_ARGUMENT;
    for (int32_t by = 0; by < blocks_y; by++)
        for (int32_t bx = 0; bx < blocks_x; bx++, coefs += 64) {
            int32_t block[64];
            for (int y = 0; y < 8; y++) {
                int32_t row = 8 * by + y < height ? 8 * by + y : height - 1;
                const int16_t *line = plane + (size_t)row * (size_t)width;
                for (int x = 0; x < 8; x++)
                    block[8 * y + x] = clamp12(line[8 * bx + x < width ? 8 * bx + x : width - 1]);
            }
            for (int y = 0; y < 8; y++) forward_1d(block + 8 * y, 1);
            for (int x = 0; x < 8; x++) forward_1d(block + x, 8);
            for (int k = 0; k < 64; k++) coefs[k] = (int16_t)clamp16(shifted(block[rsi_zigzag[k]], 3));
        }
    return (int64_t)blocks_x * blocks_y;
}
