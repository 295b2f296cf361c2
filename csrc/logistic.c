/* The logistic function, its inverse and what decisions cost as tables of integers, the same on every machine. */
#include "logistic.h"

/* squash(x) = 65536 / (1 + e^-x), x in 1/256. e^-x is made by repeated multiplication by e^(-1/256) =
 * 0.FF007FD5 5FFDDE38 (hexadecimal), in 48 bits: the error stays far below one unit of the table. */
static void make_squash(uint16_t *squash)
{
    const uint64_t ratio = 0xFF007FD5u, residue = 0x5FFDDE38u;
    uint64_t power = (uint64_t)1 << 48;
    for (int i = 0; i <= LOGIT_MAX; i++) {
        /* 65536 / (1 + power) for x >= 0; its complement for -x */
        uint64_t one = (uint64_t)1 << 48;
        uint32_t high = (uint32_t)((one << 15) / ((one + power) >> 1));
        if (high > 65535) high = 65535;
        squash[LOGIT_MAX + i] = (uint16_t)high;
        squash[LOGIT_MAX - i] = (uint16_t)(65536 - high);
        uint64_t above = power >> 16, below = power & 0xFFFF;
        power = (above * ratio >> 16) + (below * ratio >> 32) + (((power >> 32) * residue) >> 32);
    }
}

/* st(p) at the middle of each sixteenth of a 12-bit step: the inverse of squash by search. */
static void make_stretch(const uint16_t *squash, int16_t *stretch)
{
    int at = 0;
    for (uint32_t p = 0; p < LOGISTIC_STEPS; p++) {
        while (at < 2 * LOGIT_MAX && squash[at] < p * 16 + 8) at++;
        stretch[p] = (int16_t)(at - LOGIT_MAX);
    }
}

void logistic_tables(uint16_t *squash, int16_t *stretch)
{
    make_squash(squash);
    make_stretch(squash, stretch);
}

/* Whole part from the leading bit, then a bit for every squaring that passes 2. */
void logistic_costs(uint16_t *cost)
{
    cost[0] = 13 * 256;
    for (uint32_t i = 1; i <= 4096; i++) {
        uint32_t log = 0, x = i, fraction = 0;
        for (; x < 4096; x <<= 1) log++;
        uint64_t mantissa = (uint64_t)x << 19; /* 1 <= mantissa / 2^31 < 2 */
        for (int bit = 0; bit < 8; bit++) {
            mantissa = (mantissa * mantissa) >> 31;
            fraction = fraction << 1 | (uint32_t)(mantissa >> 32);
            mantissa >>= mantissa >> 32;
        }
        cost[i] = (uint16_t)(log * 256 - fraction);
    }
}
