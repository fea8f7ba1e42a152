/*
 * float_powers.h: powers of ten in 128 bits; used by float_parse.c and
 * float_print.c alone.
 */
#ifndef HAUL_BASE_FLOAT_POWERS_H
#define HAUL_BASE_FLOAT_POWERS_H

#include <stdint.h>

#define FLOAT_POWER_FIRST (-342)
#define FLOAT_POWER_LAST  324

/* [k - FLOAT_POWER_FIRST]: the first 128 bits of 10^k, high word first, cut. */
extern const uint64_t float_powers[FLOAT_POWER_LAST - FLOAT_POWER_FIRST + 1][2];

/* floor(log2(10^k)), for |k| < 1000 */
static inline int float_power_exponent(int k)
{
    return (k * 1741647) >> 19;
}

#endif
