/* dwt.c's loops for AVX2. */
#include "dwt.h"

#ifdef RS_X86_VECTORS
#define DWT_TARGET __attribute__((target("avx2")))
#define DWT_NAME(name) dwt_##name##_avx2
#include "dwt_kernel.h"
#endif
