/* Ratescope's C library: entropy coders, transforms and the streams made from them.
 *
 * Rules that hold for every call:
 *  - the return value is int64_t: >= 0 is a size or count, < 0 one of enum rs_error;
 *  - nothing is allocated, printed or kept: the caller owns every buffer, asks rs_*_bound() for
 *    sizes, and passes scratch memory in;
 *  - input data is checked, never asserted on: decoders bound every read and write;
 *  - pointers must be valid and sizes true: that is the caller's side (engine/native).
 *
 * Lines between CFFI-BEGIN and CFFI-END are read by build.py: plain declarations only.
 */
#ifndef RATESCOPE_H
#define RATESCOPE_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* CFFI-BEGIN */

/* Errors. The values are pinned for ever; new ones go at the end. */
enum rs_error {
    RS_ERR_ARGUMENT = -1,  /* a parameter is outside its documented range */
    RS_ERR_SPACE = -2,     /* the output buffer is too small */
    RS_ERR_TRUNCATED = -3, /* the input ends before the stream does */
    RS_ERR_CORRUPT = -4,   /* the input contradicts itself or a checksum */
    RS_ERR_RANGE = -5,     /* a value cannot be represented */
    RS_ERR_UNSUPPORTED = -6 /* a valid stream using a feature that is not implemented */
};

/* Name of an error ("RS_ERR_SPACE"), "RS_OK" for >= 0, "RS_ERR_UNKNOWN" otherwise. */
const char *rs_error_name(int64_t code);

/* --- Processors ----------------------------------------------------------------------------- */

/* Vector instructions that some functions have a variant for: AVX2; AVX-512 with VNNI. */
enum rs_cpu_flags { RS_CPU_AVX2 = 1, RS_CPU_VNNI = 2 };

/* What this machine has of them; and which the library may use from now on, in all threads: the one thing that
 * it remembers. None at first. The result: those in use. Results of every function are the same with any. */
int64_t rs_cpu(void);
int64_t rs_set_cpu(int32_t mask);

/* --- Checksums ------------------------------------------------------------------------------ */

/* CRC-32C (Castagnoli, reflected 0x82F63B78) of data; crc continues an earlier call, 0 starts. */
int64_t rs_crc32c(const uint8_t *data, size_t size, uint32_t crc);

/* --- Static entropy coders: rANS and Huffman ------------------------------------------------- */

enum rs_limits {
    RS_MAX_SYMBOLS = 0x40000000 /* symbols in one call of an entropy coder */
};

/* Lengths of the optimal prefix code of at most `limit` (1...16) bits for up to 288 frequencies; 0 for
 * a frequency of 0, 1 for a symbol that is alone. Returns how many symbols are used. */
int64_t rs_huffman_lengths(const uint32_t *freq, size_t symbols, int32_t limit, uint8_t *lengths);

/* Bytes, coded with one Huffman table of at most 12 bits a symbol that travels along. `count`, the
 * number of symbols, does not: the caller keeps it. Decoding must use up the input exactly. */
int64_t rs_huffman_bound(size_t size);
int64_t rs_huffman_encode(const uint8_t *data, size_t size, uint8_t *dst, size_t capacity);
int64_t rs_huffman_decode(const uint8_t *data, size_t size, uint8_t *out, size_t count);

/* Bytes under one static order-0 model of 12 bits that travels along (rANS). `count` is the caller's, as
 * above. Damage is found with near certainty: decoding must end at the encoder's first state. */
int64_t rs_rans_bound(size_t size);
int64_t rs_rans_encode(const uint8_t *data, size_t size, uint8_t *dst, size_t capacity);
int64_t rs_rans_decode(const uint8_t *data, size_t size, uint8_t *out, size_t count);

/* Integers, each under the table that index[i] names (rANS). Table t is cdfs[rows[t]] up to
 * cdfs[rows[t+1]]: the starts, out of 2^16, of the values offsets[t], offsets[t]+1, ... and, last, of
 * an escape that stands for any other value. Rows fill cdfs (`entries` long), start at 0 and rise.
 * Tables and indices are the model's side: RS_ERR_ARGUMENT if they are not as described. */
int64_t rs_ranx_bound(size_t count);
int64_t rs_ranx_encode(const int32_t *values, const uint16_t *index, size_t count, const uint16_t *cdfs, size_t entries,
                       const uint32_t *rows, const int32_t *offsets, uint32_t tables, uint8_t *dst, size_t capacity);
int64_t rs_ranx_decode(const uint8_t *data, size_t size, const uint16_t *index, size_t count, const uint16_t *cdfs,
                       size_t entries, const uint32_t *rows, const int32_t *offsets, uint32_t tables, int32_t *values);

/* --- JPEG ------------------------------------------------------------------------------------ *
 *
 * An encoder in stages, so that a stage can be exchanged (ITU-T T.81, JFIF 1.02):
 * pixels -> planes -> halved chroma -> coefficients -> levels -> file. Samples are int16 with 4
 * fractional bits around 0; coefficients are those of T.81 times 16; coefficients and levels are
 * arrays of 64-value blocks in zig-zag order, raster order inside a component, components in turn.
 * Components are padded to whole MCUs: rs_jpeg_blocks() gives the grids. */

/* Blocks of the array for a picture whose luma is sampled h×v (1...4) times as densely as chroma;
 * grid receives their numbers across and down, a pair a component. */
int64_t rs_jpeg_blocks(int32_t width, int32_t height, int32_t components, int32_t h, int32_t v, int32_t *grid);

/* Interleaved 8-bit grey or RGB to planes of `count` samples: luma alone, or Y, Cb, Cr. */
int64_t rs_jpeg_planes(const uint8_t *pixels, size_t count, int32_t channels, int16_t *planes);

/* A plane at 1/h by 1/v (1 or 2) of its sides, rounded up: the one from which decoders interpolate the
 * closest (least squares) plane. scratch: width*height + 8*width floats. */
int64_t rs_jpeg_halve(const int16_t *plane, int32_t width, int32_t height, int32_t h, int32_t v, float *scratch,
                      int16_t *out);

/* Coefficients of a plane; edge samples are repeated to fill the blocks. Samples within -2048...2047. */
int64_t rs_dct8_forward(const int16_t *plane, int32_t width, int32_t height, int16_t *coefs, int32_t blocks_x,
                        int32_t blocks_y);

/* Levels of one component: |coefficient| / table + rounding (0...0.5), rounded down, per zig-zag
 * position. Blocks outside used_x × used_y, which hold no sample, get what is cheapest to code. */
int64_t rs_jpeg_quantise(const int16_t *coefs, int32_t grid_x, int32_t grid_y, int32_t used_x, int32_t used_y,
                         const uint8_t *table, const float *rounding, int16_t *levels);

/* Rate-distortion optimised levels: replaces levels 1...63 of each block by those of least distortion
 * + lambda * bits, with distortion in squares of the table's steps and bits[s] (0...64) the length of
 * Huffman symbol s (run << 4 | size, 0xF0, 0x00) of a sequential scan. Level 0 is kept. weights: what the
 * distortion of each of the grid_x * grid_y blocks counts (2^-20 ... 2^20), or NULL: 1. */
int64_t rs_jpeg_trellis(const int16_t *coefs, int32_t grid_x, int32_t grid_y, int32_t used_x, int32_t used_y,
                        const uint8_t *table, const float *bits, float lambda, const float *weights,
                        int16_t *levels);

/* How often each AC symbol occurs in a sequential scan of a component. counts: 256. */
int64_t rs_jpeg_count(const int16_t *levels, int32_t grid_x, int32_t grid_y, int32_t used_x, int32_t used_y,
                      uint32_t *counts);

/* The DC coefficients of the blocks in use, in raster order, and whether a block is flat: its other coefficients
 * are below 2 (32 as they are scaled), so they hardly show. The result: how many. */
int64_t rs_jpeg_dc_gather(const int16_t *coefs, int32_t grid_x, int32_t grid_y, int32_t used_x, int32_t used_y,
                          int16_t *dc, uint8_t *flat);

/* What these would cost with one step: counts[12] adds up how often each size of a difference between neighbours
 * is coded (F.1.2.1). The result: the sum of squared errors of what a decoder shows: samples within their range,
 * and those of a flat block whole numbers. */
int64_t rs_jpeg_dc_cost(const int16_t *dc, const uint8_t *flat, size_t count, int32_t step, uint32_t *counts);

/* The step, out of those about 1.17 times apart from 1 to 255, of least squared error + trade * bits, for the DC
 * coefficients of up to 4 planes, one behind the other, whose numbers are `sizes`. */
int64_t rs_jpeg_dc_step(const int16_t *dc, const uint8_t *flat, const size_t *sizes, int32_t planes, double trade);

/* How rs_jpeg_write sends the levels: one scan, several, or whichever is smaller. */
enum rs_jpeg_mode { RS_JPEG_SEQUENTIAL = 0, RS_JPEG_PROGRESSIVE = 1, RS_JPEG_SMALLER = 2 };

/* A JFIF file of `levels` (-1023...1023). tables: 64 quantisation steps a kind (luma, chroma), zig-zag.
 * extra: whole marker segments to copy in behind the JFIF one. scratch: rs_jpeg_write_scratch() bytes.
 * stats receives: bytes of headers before the first scan, scans, whether progressive. */
int64_t rs_jpeg_write_scratch(int64_t blocks);
int64_t rs_jpeg_write_bound(int64_t blocks, size_t extra);
int64_t rs_jpeg_write(const int16_t *levels, int32_t width, int32_t height, int32_t components, int32_t h, int32_t v,
                      const uint8_t *tables, int32_t mode, const uint8_t *extra, size_t extra_size, uint64_t *scratch,
                      size_t scratch_size, uint8_t *dst, size_t capacity, int64_t *stats);

/* What is known of a file, as indices of the info array. */
enum rs_jpeg_info {
    RS_JPEG_WIDTH = 0,
    RS_JPEG_HEIGHT = 1,
    RS_JPEG_COMPONENTS = 2,
    RS_JPEG_PRECISION = 3,
    RS_JPEG_PROCESS = 4,  /* the SOF marker: 0xC0 baseline, 0xC1 extended, 0xC2 progressive, ... */
    RS_JPEG_YCC = 5,      /* 1: YCbCr, 0: grey or RGB */
    RS_JPEG_SCANS = 6,    /* known after rs_jpeg_read */
    RS_JPEG_SAMPLING = 8, /* h and v of each component */
    RS_JPEG_FIELDS = 16
};

/* Reads the headers up to the first scan; returns the number of blocks that rs_jpeg_read fills. After
 * RS_ERR_UNSUPPORTED, info tells why (all 0: no frame header was met). Claims that the size of the data
 * cannot pay for are refused here, before the caller allocates. */
int64_t rs_jpeg_probe(const uint8_t *data, size_t size, int32_t *info);

/* Decodes every scan of a baseline, extended or progressive Huffman file into levels (64 a block) and the
 * quantisation tables that belong to each component (64 each, zig-zag, room for 4). Returns the length
 * of the stream, which may be followed by other data. */
int64_t rs_jpeg_read(const uint8_t *data, size_t size, int16_t *levels, size_t blocks, uint16_t *tables, int32_t *info);

/* Bits that each block costs in the scans, byte stuffing included, the code of an end-of-band run in equal parts; the
 * bits that fill up a segment and its restart marker count to the block before. levels is scratch, arguments and the
 * result are otherwise those of rs_jpeg_read. */
int64_t rs_jpeg_costs(const uint8_t *data, size_t size, int16_t *levels, size_t blocks, float *costs);

/* Pixels (interleaved, width×height×components) from levels, as libjpeg's accurate integer inverse DCT
 * and triangle ("fancy") chroma filter compute them. scratch: rs_jpeg_render_scratch() bytes,
 * aligned to 2. */
int64_t rs_jpeg_render_scratch(const int32_t *info);
int64_t rs_jpeg_render(const int16_t *levels, const uint16_t *tables, const int32_t *info, uint8_t *scratch,
                       size_t scratch_size, uint8_t *pixels);

/* --- JPEG levels under adaptive contexts: dct-rans (dctr_blocks.c has the model) ------------------------------ *
 *
 * Components, sampling and levels as for rs_jpeg_write, in the blocks that hold samples: the others, which only fill up
 * the last MCUs, are not coded and decode to zeros. tables: 64 steps a kind (luma, chroma), not 0; they are part of the
 * stream. state: rs_dctr_state() bytes of scratch, aligned to 8. */
int64_t rs_dctr_state(int64_t blocks);
int64_t rs_dctr_bound(int64_t blocks);
int64_t rs_dctr_encode(const int16_t *levels, int32_t width, int32_t height, int32_t components, int32_t h, int32_t v,
                       const uint8_t *tables, void *state, size_t state_size, uint8_t *dst, size_t capacity);

/* The inverse: the levels of all blocks, and the tables (64 for one component, else 128); 0. */
int64_t rs_dctr_decode(const uint8_t *data, size_t size, int32_t width, int32_t height, int32_t components, int32_t h,
                       int32_t v, void *state, size_t state_size, int16_t *levels, uint8_t *tables);

/* Bits that each block costs, 0 where it is not coded; the result: those of the tables. bits: 2^15 floats, what a decision
 * costs whose probability is i / 2^15. Other arguments as for rs_dctr_encode. */
int64_t rs_dctr_costs(const int16_t *levels, int32_t width, int32_t height, int32_t components, int32_t h, int32_t v,
                      const uint8_t *tables, void *state, size_t state_size, const float *bits, float *costs);

/* --- Wavelet codec: range coder, lifting, context-coded subbands ----------------------------- */
/* --- Adaptive binary range coder (rangecoder.h has the derivation) ---------------------------------- */

/* Room that `count` coded bits may need. */
int64_t rs_binary_bound(size_t count);

/* Codes bits[i] (0 or 1) under the adaptive probability number context[i] < contexts; every probability
 * starts at 1/2 and follows the Krichevsky-Trofimov mean. models: scratch of `contexts` words. Size of the stream. */
int64_t rs_binary_encode(const uint8_t *bits, const uint16_t *context, size_t count, uint32_t *models,
                         size_t contexts, uint8_t *out, size_t capacity);

/* The inverse: bits[count] from the whole stream; RS_ERR_TRUNCATED, RS_ERR_CORRUPT when it does not end there. */
int64_t rs_binary_decode(const uint8_t *in, size_t size, const uint16_t *context, size_t count, uint32_t *models,
                         size_t contexts, uint8_t *bits);

/* --- Wavelet transforms (dwt.c has the derivation) ---------------------------------------------------- */

#define RS_DWT_MAX_SIDE 1073741824
#define RS_DWT_MAX_LEVELS 30

/* 32-bit words of scratch that a transform of this size needs. */
int64_t rs_dwt_scratch(size_t width, size_t height);

/* In place on a height x width plane without row padding, nested order, any size from 1 x 1; the result
 * is `levels`. 5/3 is reversible on integers of up to 27 bits; 9/7 has low-pass gain sqrt 2. */
int64_t rs_dwt53_forward(int32_t *plane, size_t width, size_t height, int levels, int32_t *scratch);
int64_t rs_dwt53_inverse(int32_t *plane, size_t width, size_t height, int levels, int32_t *scratch);
int64_t rs_dwt97_forward(float *plane, size_t width, size_t height, int levels, float *scratch);
int64_t rs_dwt97_inverse(float *plane, size_t width, size_t height, int levels, float *scratch);

/* --- The wavelet codec's planes (wavelet_planes.c) ---------------------------------------------------- */

/* One channel of interleaved samples (1 or 2 bytes each) to and from integers, less `offset`; stores clamp
 * to 0 ... 2^bits - 1. count: pixels. */
int64_t rs_plane_load(const void *pixels, int bytes, size_t count, int channels, int channel, int32_t offset,
                      int32_t *plane);
int64_t rs_plane_store(const int32_t *plane, size_t count, int channels, int channel, int32_t offset, int bits,
                       void *pixels, int bytes);

/* Reversible R, G, B -> Y, Co, Cg in place (Malvar and Sullivan 2003: YCoCg-R); and back, into the first three of the
 * channels of interleaved samples, as rs_plane_store stores. */
int64_t rs_ycocg_forward(int32_t *r_y, int32_t *g_co, int32_t *b_cg, size_t count);
int64_t rs_ycocg_store(const int32_t *y, const int32_t *co, const int32_t *cg, size_t count, int32_t offset, int bits,
                       int channels, void *pixels, int bytes);

/* Sums over all horizontal and vertical neighbours of the products of differences: RR, RG, RB, GG, GB, BB.
 * Samples of at most 17 bits. */
int64_t rs_gradient_products(const int32_t *r, const int32_t *g, const int32_t *b, size_t width, size_t height,
                             int64_t *sums);

/* out[i] = sum over c of axes[3 i + c] * in[c], for three planes; and back by the transpose, rounded half up, stored. */
int64_t rs_rotate_forward(const int32_t *r, const int32_t *g, const int32_t *b, size_t count, const float *axes,
                          float *first, float *second, float *third);
int64_t rs_rotate_store(const float *first, const float *second, const float *third, size_t count, const float *axes,
                        int32_t offset, int bits, int channels, void *pixels, int bytes);

/* Nearest integers, half up, kept within +-2^24 (NaN becomes -2^24). */
int64_t rs_plane_round(const float *plane, size_t count, int32_t *rounded);

/* --- Filters for decoded light (light_filter.c) ---------------------------------------------------------- */

#define RS_LIGHT_PAIRS 6

/* What is to be added to every sample of a plane: by its class (below `count`) one of `count` sets of 2 *
 * RS_LIGHT_PAIRS weights, for the differences of each pair of neighbours clipped at `tight` and at `loose`. */
int64_t rs_light_correct(const float *plane, size_t width, size_t height, const uint8_t *classes, const float *weights,
                         size_t count, float tight, float loose, float *correction);

/* --- The wavelet codec's coefficients (wavelet_bands.c has the model) ----------------------------------- */

#define RS_WAVELET_MAX_MAGNITUDE 16777215

/* Step of a subband, relative to the step of the stream: orientation 0 LL, 1 HL, 2 LH, 3 HH; level from 1
 * (finest). The inverse norm of its synthesis basis, so that equal relative steps give least squared error. */
float rs_wavelet_weight(int level, int orientation);

/* Bytes of coder state, and of output that `count` coefficients may need. */
int64_t rs_wavelet_state(size_t width);
int64_t rs_wavelet_bound(size_t count);

/* Starts a stream in `state`; `out` and `in` must stay put until it is finished. */
int64_t rs_wavelet_encode_start(void *state, size_t width, uint8_t *out, size_t capacity);
int64_t rs_wavelet_decode_start(void *state, size_t width, const uint8_t *in, size_t size);

/* Codes one resolution of one plane: LL when level is levels + 1, else HL, LH, HH of that level.
 * plane: number 0 ... 3, selects the statistics. q: the plane's coefficients, height x width, coarser ones
 * already there. guide, guide2: planes already coded up to this resolution whose magnitudes tell of this one's, or NULL.
 * Encoding with coefficients != NULL quantises them first: coefficient / step, decided by rate + distortion at
 * lambda (in step^2 per bit; 0: nearest), into q. skip: leave the resolution's details out (all zero).
 * The result: bytes written or read so far. */
int64_t rs_wavelet_encode_level(void *state, int plane, const float *coefficients, float step, float lambda, int skip,
                                int32_t *q, const int32_t *guide, const int32_t *guide2, size_t width, size_t height, int levels,
                                int level);
int64_t rs_wavelet_decode_level(void *state, int plane, int32_t *q, const int32_t *guide, const int32_t *guide2, size_t width,
                                size_t height, int levels, int level);

/* Size of the stream; and 0 if it was used up exactly. */
int64_t rs_wavelet_encode_finish(void *state);
int64_t rs_wavelet_decode_finish(void *state);

/* The same by the fast coder (wavelet_nibble.c): the stream is another, the calls are alike. height: of the planes. encode_level:
 * bytes so far as estimated. After RS_ERR_TRUNCATED, q holds what could be decoded of the resolution, and zeros. */
int64_t rs_nibble_state(size_t width, size_t height, int encoder);
int64_t rs_nibble_bound(size_t count);
int64_t rs_nibble_encode_start(void *state, size_t width, size_t height, uint8_t *out, size_t capacity);
int64_t rs_nibble_decode_start(void *state, size_t width, size_t height, const uint8_t *in, size_t size);
int64_t rs_nibble_encode_level(void *state, int plane, const float *coefficients, float step, float lambda, int skip,
                               int32_t *q, const int32_t *guide, const int32_t *guide2, size_t width, size_t height, int levels,
                               int level);
int64_t rs_nibble_decode_level(void *state, int plane, int32_t *q, const int32_t *guide, const int32_t *guide2, size_t width,
                               size_t height, int levels, int level);
/* From now on decoding adds to bits[i] what the coefficient q[i] of the plane cost; NULL: no more. The result: what
 * states cost so far besides, in 1/256 bit. rs_wavelet_tell does the same for the other coder; its result is 0. */
int64_t rs_nibble_tell(void *state, float *bits);
int64_t rs_wavelet_tell(void *state, float *bits);
int64_t rs_nibble_encode_finish(void *state);
int64_t rs_nibble_decode_finish(void *state);

/* Coefficients of a plane from its integers: sign * (|q| + centre[min(|q|, 3) - 1]) * step * weight. They may take
 * the integers' place. */
int64_t rs_wavelet_dequantise(const int32_t *q, size_t width, size_t height, int levels, float step,
                              const float *centre, float *coefficients);

/* Sums over a plane of what the best centres are made from: per class min(|q|, 3) - 1 the count and the sum of
 * |coefficient| / step - |q|. */
int64_t rs_wavelet_centres(const int32_t *q, const float *coefficients, size_t width, size_t height, int levels,
                           float step, double *count, double *excess);

/* --- Learned codecs: the integer networks and the coder of the latent ----------------------------------- *
 *
 * latent_conv.c and latent_model.c have the arithmetic. Activations are int16 within -2048...2047, channels
 * innermost. A convolution counts its outputs in raster order over rows x columns. */

#define RS_LATENT_SHIFT 18 /* weights are whole multiples of a power of two, 2^0 down to 2^-18 */
#define RS_LATENT_FACTOR 16384 /* largest scale, in 1/256 */
#define RS_LATENT_FEATURE_MAX 2047
#define RS_LATENT_MAX 32767 /* largest symbol */

/* Where a convolution reads. row, pixel: values from one row or position of the input to the next. taps: 1; 4
 * (above, left, right, below); or 9 (3x3), which reach one position over the edge. step 2: outputs stand for every other
 * position only, those whose row + column leaves `phase`, counted from the first value. */
typedef struct rs_latent_window {
    int64_t row;
    int64_t pixel;
    int32_t inputs; /* channels, even */
    int32_t taps;
    int32_t step;
    int32_t phase;
    int32_t rows;
    int32_t columns;
} rs_latent_window;

/* int16 values of packed weights; packing of weights[output][input][tap]. */
int64_t rs_latent_packed(int32_t outputs, int32_t inputs, int32_t taps);
int64_t rs_latent_pack(const int8_t *weights, int32_t outputs, int32_t inputs, int32_t taps, int16_t *packed);

/* Sums of products and biases, outputs of a position side by side. They must fit in 32 bits: the caller's side. */
int64_t rs_latent_sums(const rs_latent_window *in, const int16_t *values, const int16_t *packed, const int32_t *biases,
                       int32_t outputs, int32_t *sums);

/* A layer: the sums in units of 2^-(shifts[o] + 6), an eighth of them where leaky and negative, times
 * factors[o] / 256, rounded to activations (halves up), plus `add` (like out, or NULL), clamped. row, pixel: of out. */
int64_t rs_latent_layer(const rs_latent_window *in, const int16_t *values, const int16_t *packed,
                        const int32_t *biases, const uint8_t *shifts, const int32_t *factors, int32_t leaky,
                        int32_t outputs, const int16_t *add, int64_t row, int64_t pixel, int16_t *out);

/* Features of coefficients values[position][channel]: how many of `count` rising thresholds are not above
 * |value| * mantissa / 2^shift, with the value's sign, in channels 0..., and without in those behind them.
 * step, phase, row, pixel: of out, as in rs_latent_window. */
int64_t rs_latent_features(const int32_t *values, int32_t rows, int32_t columns, int32_t channels, int32_t step,
                           int32_t phase, const int32_t *mantissas, const int8_t *shifts, const int64_t *thresholds,
                           int32_t count, int64_t row, int64_t pixel, int16_t *out);

/* From sums[position][2 * channels], first of means, then of log scales, both rounded halves up:
 * mean = sum * mantissa / 2^mean_shift; index = (sum * rows_per_nat / 2^(shift + 6) + offset) / 2^24 within
 * 0...rows - 1. */
int64_t rs_latent_predict(const int32_t *sums, int64_t positions, int32_t channels, const uint8_t *shifts,
                          const int32_t *mantissas, const uint8_t *mean_shifts, int32_t rows_per_nat,
                          const int64_t *offsets, int32_t rows, int32_t *means, uint16_t *index);

/* rANS with tables as for rs_ranx_encode; values within +-RS_LATENT_MAX. Encoding runs backwards: a writer (two words, to
 * be kept in between) takes symbols in portions, the last ones first: start, write..., end, which returns the size. A
 * reader takes symbols in portions, the first ones first, whose tables may depend on the symbols before: start, read...,
 * end. mark: 31 bits that travel along for nothing; the end of reading gives them back. */
int64_t rs_latent_bound(size_t count);
int64_t rs_latent_write_start(size_t capacity, uint32_t mark, uint64_t *writer);
int64_t rs_latent_write(const int32_t *values, const uint16_t *index, size_t count, const uint16_t *cdfs,
                        size_t entries, const uint32_t *rows, const int32_t *offsets, uint32_t tables, uint8_t *dst,
                        size_t capacity, uint64_t *writer);
int64_t rs_latent_write_end(uint8_t *dst, size_t capacity, const uint64_t *writer);
int64_t rs_latent_read_start(const uint8_t *data, size_t size, uint64_t *reader);
int64_t rs_latent_read(const uint8_t *data, size_t size, const uint16_t *index, size_t count, const uint16_t *cdfs,
                       size_t entries, const uint32_t *rows, const int32_t *offsets, uint32_t tables, uint64_t *reader,
                       int32_t *values);
int64_t rs_latent_read_end(size_t size, const uint64_t *reader);

/* Mixtures of logistic densities (latent_mixture.h), as many for every symbol: rows of a table of scales; shifts of all but
 * the first in 1/16; weights, 2^15 in all. inverse, reach: of each of row_count scales, 20480 * 2^12 steps over it, and how
 * far symbols reach. logistic: of 0, 1/64, ..., in 2^-30. powers: 2^(-n/32) in 2^-15, for weights from logits. */
typedef struct rs_latent_mixing {
    const uint8_t *rows;
    const int16_t *shifts;
    const uint16_t *weights;
    const int32_t *inverse;
    const int32_t *reach;
    const int32_t *logistic;
    const int32_t *powers;
    int32_t mixtures;
    int32_t row_count;
    int32_t logistic_count;
    int32_t power_count;
} rs_latent_mixing;

/* As rs_latent_write and rs_latent_read, under mixtures; costs: bits of each symbol. */
int64_t rs_latent_write_mixed(const int32_t *values, size_t count, const rs_latent_mixing *m, uint8_t *dst,
                              size_t capacity, uint64_t *writer);
int64_t rs_latent_read_mixed(const uint8_t *data, size_t size, size_t count, const rs_latent_mixing *m,
                             uint64_t *reader, int32_t *values);
int64_t rs_latent_mixed_costs(const int32_t *values, size_t count, const rs_latent_mixing *m, float *bits);

/* How a head's sums are measured: shifts of its convolution; of each channel the spread, mantissa / 2^exponent over a
 * sixteenth of a step, and where its scale is in the table; rows and 1/32 octaves for a nat, in 2^-24. */
typedef struct rs_latent_units {
    const uint8_t *shifts;
    const int32_t *mantissas;
    const uint8_t *exponents;
    const int64_t *offsets;
    int32_t rows_per_nat;
    int32_t octaves_per_nat;
    int32_t channels;
    int32_t means;
} rs_latent_units;

/* Means and mixtures from a head's sums: of all channels means (where there are any), scales, then shifts, scales and
 * logits of the second density, and so on. Only the tables of `m` are looked at. */
int64_t rs_latent_predict_mixed(const int32_t *sums, int64_t positions, const rs_latent_units *u,
                                const rs_latent_mixing *m, int32_t *means, uint8_t *rows, int16_t *shifts,
                                uint16_t *weights);

/* A convolution's weights: packed, in units of 2^-shifts[o]; biases in 2^-(shifts[o] + 6). */
typedef struct rs_latent_weights {
    const int16_t *packed;
    const int32_t *biases;
    const uint8_t *shifts;
    int32_t outputs;
    int32_t inputs;
    int32_t taps;
} rs_latent_weights;

/* A slice that is coded position by position (latent_raster.c). joined: rows * columns positions of hidden.inputs
 * activations, of which all but the last before.outputs are there. own: features of the slice, 2 * channels at each position,
 * zeros all around for two positions. The rest is as for rs_latent_predict and rs_latent_features. */
typedef struct rs_latent_raster {
    int32_t rows;
    int32_t columns;
    int32_t channels;
    rs_latent_weights before;
    rs_latent_weights hidden;
    rs_latent_weights head;
    int16_t *joined;
    int16_t *own;
    int64_t own_row;
    int64_t own_pixel;
    const int32_t *mantissas;
    const uint8_t *mean_shifts;
    const int64_t *offsets;
    int32_t rows_per_nat;
    int32_t table_rows;
    const int32_t *feature_mantissas;
    const int8_t *feature_shifts;
    const int64_t *thresholds;
    int32_t threshold_count;
    const int32_t *steps;       /* of each position, or NULL: what symbols count there, 1 ... 2^20 in 2^-8 of 1/16 step */
    const int32_t *wider;       /* and by how many table rows densities are wider, within +-2^16; NULL where steps is */
} rs_latent_raster;

/* Fronts first...last - 1 of columns + 3 * (rows - 1), on which x + 3y is the same, each from its top down. Writes for
 * each position `channels` coefficients in 1/16, rows of tables and symbols, from those in steps[position][channel], or
 * from a stream as rs_latent_read does. Returns the number of positions. */
int64_t rs_latent_raster_encode(const rs_latent_raster *r, const float *steps, int64_t first, int64_t last,
                                int32_t *values, uint16_t *index, int32_t *residuals);
int64_t rs_latent_raster_decode(const rs_latent_raster *r, const uint8_t *data, size_t size, const uint16_t *cdfs,
                                size_t entries, const uint32_t *rows, const int32_t *offsets, uint32_t tables,
                                uint64_t *reader, int64_t first, int64_t last, int32_t *values, uint16_t *index,
                                int32_t *residuals);

/* --- Lit preview ---------------------------------------------------------------------------- */

enum rs_lit_limits { RS_LIT_LEVELS = 16, RS_LIT_SIDE = 32768 };

/* RGB light at `count` places of a texture. texels: its levels one behind the other, texel_count in all, the largest
 * first; sizes: width and height of each. uv: 0...1 over the texture, beyond which its edge is repeated, or with `repeat`
 * the whole. lod: the level, between two of which colours are mixed (NULL: 0); texels in 256ths; cubic: of the cubic B-spline in level 0
 * instead. owner: a place that is negative in it (NULL: none) is black. Nonsense in uv and lod is 0. */
int64_t rs_lit_sample(const float *texels, size_t texel_count, const int32_t *sizes, int32_t level_count,
                      const float *uv, const float *lod, const int32_t *owner, size_t count, int32_t cubic,
                      int32_t repeat, float *rgb);

/* clip: x, y, z, w of each vertex in clip space, w the distance along the view (z is not looked at). triangles: three
 * vertices each, counter-clockwise from the front. two_sided: whether the back of a triangle is seen, too. */
typedef struct rs_lit_mesh {
    const float *clip;
    size_t vertex_count;
    const int32_t *triangles;
    const uint8_t *two_sided;
    size_t triangle_count;
} rs_lit_mesh;

/* The triangle that is seen in each of width * height pixels, -1 for none; depth: 1/w there, 0 for none. What is nearer
 * than w = `near` is not drawn. Returns how many pixels see a triangle. */
int64_t rs_lit_cover(const rs_lit_mesh *mesh, double near, int32_t width, int32_t height, float *depth, int32_t *owner);

/* Where in a map each pixel of rs_lit_cover's `owner` (for the same mesh) lies, and the level of detail there: the
 * logarithm to base 2 of the texels that a step of one pixel takes. vertex_uv: 2 of each vertex. texels: width and height
 * of the map. Zeros where there is no triangle. */
int64_t rs_lit_places(const rs_lit_mesh *mesh, const float *vertex_uv, const float *texels, int32_t width,
                      int32_t height, const int32_t *owner, float *uv, float *lod);

/* codes[k] = table[bits of the nearest half float of light[k] * albedo[k]] (albedo NULL: 1); table: 65536. */
int64_t rs_lit_develop(const float *light, const float *albedo, size_t count, const uint8_t *table, uint8_t *codes);

/* CFFI-END */

#ifdef __cplusplus
}
#endif
#endif
