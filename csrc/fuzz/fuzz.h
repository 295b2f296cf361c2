/* What the fuzz targets share. A target is a function of any bytes that never crashes, reads and writes only
 * what it was given, and keeps the promises that fuzz_require() names. To add one: a file target_NAME.c that
 * defines fuzz_NAME(), a line in FUZZ_TARGETS below, seeds in seeds.py. */
#ifndef RS_FUZZ_H
#define RS_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "../ratescope.h"

/* X(name, cuts, changes): a replay also tries each input cut to every one of its first and last `cuts` sizes, and
 * about so many times short inputs that are accepted with one byte changed. */
#define FUZZ_TARGETS(X) \
    X(rans, 60, 20000) X(huffman, 60, 20000) X(ranx, 40, 2500) X(binary, 40, 5000) \
    X(jpeg, 60, 15000) X(wavelet, 6, 800) X(nibble, 6, 1500) X(dctr, 10, 800) X(encoders, 0, 0) X(latent, 40, 2500) \
    X(networks, 0, 0) X(mixture, 20, 3000) X(raster, 6, 800)

/* The result: what the decoder returned. */
#define FUZZ_DECLARE(name, cuts, changes) int64_t fuzz_##name(const uint8_t *data, size_t size);
FUZZ_TARGETS(FUZZ_DECLARE)

/* Adds what was decoded to the digest that a replay prints. */
void fuzz_tell(const void *data, size_t bytes);

/* Aborts, naming the broken promise. */
#define fuzz_require(promise) fuzz_promise(promise, #promise, __FILE__, __LINE__)
void fuzz_promise(int kept, const char *promise, const char *file, int line);

/* Memory of exactly this size on the heap, so that a sanitizer sees the first byte too far, filled with one
 * value. It lives until the target returns. */
void *fuzz_room(size_t bytes, uint8_t fill);
void *fuzz_copy(const void *data, size_t bytes);

/* The same for the state of a coder, with anything in it. It lives until the next call: all coders use the same memory, which stays in the
 * caches, and find in it what the last one left. */
void *fuzz_state(size_t bytes);

/* Takes numbers off the front of the input; zeros when it is used up. */
typedef struct {
    const uint8_t *at;
    size_t left;
} fuzz_input;

unsigned fuzz_byte(fuzz_input *in);
unsigned fuzz_word(fuzz_input *in); /* two bytes, low first */

/* What is left, as a copy of exactly that size. */
const uint8_t *fuzz_rest(const fuzz_input *in);

/* Numbers from the front of `in`, then over and over all of data: models take more of them than an input has. */
typedef struct {
    fuzz_input in;
    const uint8_t *data;
    size_t size;
} fuzz_numbers;

int fuzz_number(fuzz_numbers *from);         /* two bytes, signed */
int16_t fuzz_activation(fuzz_numbers *from); /* of the integer networks */

/* Any weights of a convolution, packed, in a room of exactly their size. */
int16_t *fuzz_packed(fuzz_numbers *from, int32_t outputs, int32_t inputs, int32_t taps);

#endif
