/* Which vector instructions the library uses. The only state it keeps: results are the same with any. */
#include "cpu.h"

#include "ratescope.h"

int rs_cpu_used = 0;

int64_t rs_cpu(void)
{
    int64_t found = 0;
#ifdef RS_X86_VECTORS
    __builtin_cpu_init(); /* looks at what the operating system saves, too */
    if (__builtin_cpu_supports("avx2")) found |= RS_CPU_AVX2;
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vnni"))
        found |= RS_CPU_VNNI;
#endif
    return found;
}

int64_t rs_set_cpu(int32_t mask)
{
    rs_cpu_used = (int)(rs_cpu() & mask);
    return rs_cpu_used;
}
