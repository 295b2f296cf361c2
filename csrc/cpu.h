/* What rs_set_cpu chose, for the files that hold several variants of a function. */
#ifndef RATESCOPE_CPU_H
#define RATESCOPE_CPU_H

#if (defined(__GNUC__) || defined(__clang__)) && defined(__x86_64__)
#define RS_X86_VECTORS 1
#endif

extern int rs_cpu_used; /* of enum rs_cpu_flags */

#endif
