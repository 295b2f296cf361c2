/* From coefficients to samples for AVX2. */
#include "wavelet_samples.h"

#ifdef RS_X86_VECTORS
#include <immintrin.h>

#define SAMPLES_TARGET __attribute__((target("avx2")))
#define SAMPLES_VECTORS 1
#define SAMPLES_NAME(name) samples_##name##_avx2
#include "wavelet_samples_kernel.h"
#endif
