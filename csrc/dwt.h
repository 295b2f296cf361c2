/* Lifting steps of dwt.c (internal). */
#ifndef RS_DWT_H
#define RS_DWT_H

#include <string.h>

#include "cpu.h"
#include "rangecoder.h"

/* Samples are moved as 32-bit words whatever they are; may_alias tells the compiler that floats hide there. */
#if defined(__GNUC__)
typedef uint32_t __attribute__((may_alias)) dwt_word;
#else
typedef uint32_t dwt_word;
#endif

enum { STRIP = 64 };
enum { PREDICT_53, UPDATE_53, LIFT_97 };

typedef struct {
    int kind, odd; /* odd: the step changes the odd (high-pass) samples */
    float factor;
} dwt_lift;

typedef struct {
    int count;
    dwt_lift step[4];
    float low, high; /* final scaling; 0 means none */
} dwt_wavelet;

RS_INLINE int32_t wrap_add(int32_t a, int32_t b) { return (int32_t)((uint32_t)a + (uint32_t)b); }
RS_INLINE int32_t wrap_sub(int32_t a, int32_t b) { return (int32_t)((uint32_t)a - (uint32_t)b); }

int64_t dwt_transform_plain(const dwt_wavelet *w, int inverse, dwt_word *plane, size_t width, size_t height, int levels,
                            dwt_word *scratch);
#ifdef RS_X86_VECTORS
int64_t dwt_transform_avx2(const dwt_wavelet *w, int inverse, dwt_word *plane, size_t width, size_t height, int levels,
                           dwt_word *scratch);
#endif

#endif
