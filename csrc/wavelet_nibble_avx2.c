/* wavelet_nibble.c's inner loops for AVX2. */
#include <string.h>

#include "wavelet_nibble.h"

#ifdef RS_X86_VECTORS
#include <immintrin.h>

#define NB_TARGET __attribute__((target("avx2,bmi")))
#define NB_VECTORS 1
#define NB_TELLS 0
#define NB_NAME(name) nibble_##name##_avx2
#include "wavelet_nibble_kernel.h"
#endif
