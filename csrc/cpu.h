/* What rs_set_cpu chose, for the files that hold several variants of a function. */
#ifndef RATESCOPE_CPU_H
#define RATESCOPE_CPU_H

#include "ratescope.h"

#if (defined(__GNUC__) || defined(__clang__)) && defined(__x86_64__)
#define RS_X86_VECTORS 1
#endif

extern int rs_cpu_used; /* of enum rs_cpu_flags */

/* Loops that a compiler can turn into vector instructions are written once, as RS_BODY void name_body(...), and compiled
 * twice by RS_VARIANTS(name, (parameters), (arguments)): as they are, and with AVX2. name(...) is the one to call. */
#ifdef RS_X86_VECTORS
#define RS_BODY static inline __attribute__((always_inline))
#define RS_VARIANTS(name, parameters, arguments)                                                             \
    __attribute__((target("avx2"))) static void name##_avx2 parameters { name##_body arguments; }            \
    __attribute__((noinline)) static void name##_plain parameters { name##_body arguments; }                 \
    static inline void name parameters                                                                       \
    {                                                                                                        \
        if (rs_cpu_used & RS_CPU_AVX2) name##_avx2 arguments;                                                \
        else name##_plain arguments;                                                                         \
    }
#else
#define RS_BODY static inline
#define RS_VARIANTS(name, parameters, arguments) \
    static inline void name parameters { name##_body arguments; }
#endif

#endif
