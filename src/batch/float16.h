/*
 * float16.h: IEEE 754 half precision, to and from double, as bit patterns; the
 * compilers' _Float16 is not everywhere. To half rounds to nearest, ties to even.
 */
#ifndef HAUL_BATCH_FLOAT16_H
#define HAUL_BATCH_FLOAT16_H

#include <math.h>
#include <stdint.h>

static inline double float16_to(uint16_t half)
{
    int exponent = (half >> 10) & 31, fraction = half & 1023;
    double magnitude;
    if (exponent == 31)
        magnitude = fraction ? (double)NAN : (double)INFINITY;
    else if (exponent == 0)
        magnitude = ldexp(fraction, -24);
    else
        magnitude = ldexp(fraction + 1024, exponent - 25);
    return half & 0x8000 ? -magnitude : magnitude;
}

static inline uint16_t float16_from(double value)
{
    uint16_t sign = signbit(value) ? 0x8000 : 0;
    double magnitude = fabs(value);
    if (isnan(value))
        return sign | 0x7e00;
    if (magnitude >= 65520) /* rounds up to infinity */
        return sign | 0x7c00;
    if (magnitude < 0x1p-14) /* subnormal; 1024 becomes the smallest normal number */
        return (uint16_t)(sign | (uint16_t)nearbyint(magnitude * 0x1p24));
    int exponent;
    double fraction = frexp(magnitude, &exponent);        /* [0.5, 1) */
    unsigned bits = (unsigned)nearbyint(fraction * 2048); /* 1024..2048 */
    return (uint16_t)(sign | (((unsigned)(exponent + 14) << 10) + bits - 1024));
}

#endif
