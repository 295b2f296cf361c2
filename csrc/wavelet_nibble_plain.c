/* wavelet_nibble.c's inner loops in plain C. */
#include "wavelet_nibble.h"

#define NB_TARGET
#define NB_VECTORS 0
#define NB_TELLS 0
#define NB_NAME(name) nibble_##name##_plain
#include "wavelet_nibble_kernel.h"
