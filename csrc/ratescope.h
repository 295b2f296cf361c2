/* Ratescope's C library: entropy coders, transforms and the streams made from them.
 *
 * Rules that hold for every call:
 *  - the return value is int64_t: >= 0 is a size or count, < 0 one of enum rs_error;
 *  - nothing is allocated, printed or kept: the caller owns every buffer, asks rs_*_bound() for
 *    sizes, and passes scratch memory in;
 *  - input data is checked, never asserted on: decoders bound every read and write;
 *  - pointers must be valid and sizes true: that is the caller's side (engine/native.py).
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

/* --- Checksums ------------------------------------------------------------------------------ */

/* CRC-32C (Castagnoli, reflected 0x82F63B78) of data; crc continues an earlier call, 0 starts. */
int64_t rs_crc32c(const uint8_t *data, size_t size, uint32_t crc);

/* --- Static entropy coders: rANS and Huffman ------------------------------------------------- */

/* --- JPEG ------------------------------------------------------------------------------------ */

/* --- Wavelet codec: range coder, lifting, context-coded subbands ----------------------------- */

/* CFFI-END */

#ifdef __cplusplus
}
#endif
#endif
