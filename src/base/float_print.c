/*
 * float_print.c: the shortest text that reads back to the same number, and of
 * those the nearest to it.
 *
 * Schubfach (R. Giulietti, "The Schubfach way to render doubles"). Every real
 * number between the midpoints to a float's two neighbours reads back to it.
 * k is chosen so that this interval is at least as wide as 10^k and narrower
 * than 10^(k+1): it then holds a multiple of 10^k, and at most one of 10^(k+1),
 * which is shorter and wins. The three numbers needed, the float and its two
 * midpoints divided by 10^k, are made with one 128-bit power of ten each, cut
 * to integers "rounded to odd": the last bit tells that something was cut, and
 * that is all the comparisons ask. Midpoints themselves count only when the
 * float is even, because reading breaks ties to even.
 *
 * Singles use the same path: a single is a number c x 2^q like any other.
 *
 * Prices and measures need none of this. A double that is n / 10000, correctly
 * rounded, for an n below 10^15 reads back from the digits of n; and as no two
 * numbers of 15 digits are the same double, no shorter text does.
 */
#include "base/digits.h"
#include "base/float_powers.h"
#include "base/number.h"
#include <math.h>
#include <string.h>

#define DIGITS_MAX    20
#define POINT_LEAST   (-3) /* smaller: 1e-5 */
#define POINT_LARGEST 16   /* larger: 1e16 */

/* significand x 2^exponent; `narrow`: the gap below is half the gap above. */
struct binary {
    uint64_t significand;
    int exponent;
    bool narrow;
};

/* digits x 10^exponent */
struct decimal {
    uint64_t digits;
    int exponent;
};

static uint64_t multiply_to_odd(uint128_t power, uint64_t factor)
{
    uint128_t low = (uint128_t)(uint64_t)power * factor;
    uint128_t high = (uint128_t)(uint64_t)(power >> 64) * factor + (uint64_t)(low >> 64);
    return (uint64_t)(high >> 64) | ((uint64_t)high > 1);
}

static struct decimal shortest(struct binary value)
{
    /* floor(log10(2^e)), or of 3/4 of it */
    int k = (value.exponent * 1262611 - (value.narrow ? 524031 : 0)) >> 22;
    const uint64_t *row = float_powers[-k - FLOAT_POWER_FIRST];
    uint128_t power = ((uint128_t)row[0] << 64 | row[1]) + 1;
    int shift = value.exponent + float_power_exponent(-k) + 1;

    uint64_t four = 4 * value.significand, outside = value.significand & 1;
    uint64_t middle = multiply_to_odd(power, four << shift);
    uint64_t lower = multiply_to_odd(power, (four - 2 + value.narrow) << shift) + outside;
    uint64_t upper = multiply_to_odd(power, (four + 2) << shift) - outside;

    uint64_t units = middle / 4, tens = units / 10;
    if (units >= 10) {
        bool below = lower <= 40 * tens, above = 40 * tens + 40 <= upper;
        if (below != above)
            return (struct decimal){tens + above, k + 1};
    }
    bool below = lower <= 4 * units, above = 4 * units + 4 <= upper;
    if (below != above)
        return (struct decimal){units + above, k};
    uint64_t half = 4 * units + 2;
    bool up = middle > half || (middle == half && (units & 1));
    return (struct decimal){units + up, k};
}

/* value = 0.d1d2d3... x 10^point */
static size_t print_digits(const char *digits, int count, int point, char *out)
{
    char *at = out;
    if (point < POINT_LEAST || point > POINT_LARGEST) { /* 1.5e300 */
        *at++ = digits[0];
        if (count > 1) {
            *at++ = '.';
            memcpy(at, digits + 1, (size_t)count - 1);
            at += count - 1;
        }
        *at++ = 'e';
        return (size_t)(at - out) + number_print_i64(point - 1, at);
    }
    if (point <= 0) { /* 0.0015 */
        memcpy(at, "0.000", 5);
        at += 2 - point;
        memcpy(at, digits, (size_t)count);
        return (size_t)(at - out) + (size_t)count;
    }
    int whole = count < point ? count : point; /* 150.0, 1.5 */
    memcpy(at, digits, (size_t)whole);
    memset(at + whole, '0', (size_t)(point - whole));
    at += point;
    *at++ = '.';
    if (count <= point) {
        *at++ = '0';
        return (size_t)(at - out);
    }
    memcpy(at, digits + point, (size_t)(count - point));
    return (size_t)(at - out) + (size_t)(count - point);
}

static size_t print_value(bool negative, struct binary value, char *out)
{
    char digits[DIGITS_MAX];
    out[0] = '-';
    out += negative;
    if (value.significand == 0) {
        memcpy(out, "0.0", 3);
        return 3u + negative;
    }
    struct decimal decimal = shortest(value);
    int count = (int)number_print_u64(decimal.digits, digits), point = count + decimal.exponent;
    while (count > 1 && digits[count - 1] == '0')
        count--;
    return negative + print_digits(digits, count, point, out);
}

static size_t print_special(double value, char *out)
{
    const char *text = isnan(value) ? "nan" : value < 0 ? "-inf" : "inf";
    size_t length = strlen(text);
    memcpy(out, text, length);
    return length;
}

/* From the fields of an IEEE number with `bits` fraction bits. */
static struct binary binary_of(uint64_t fraction, int exponent, int bits, int bias)
{
    if (exponent == 0)
        return (struct binary){fraction, 1 - bias - bits, false};
    return (struct binary){fraction | (uint64_t)1 << bits, exponent - bias - bits,
                           fraction == 0 && exponent > 1};
}

/* A number of at most four decimals; 0 when it is not one. */
static inline size_t print_few_decimals(double value, char *out)
{
    double size = fabs(value);
    if (!(size < 1e11))
        return 0;
    uint64_t units = (uint64_t)(size * 1e4 + 0.5);
    if ((double)units / 1e4 != size)
        return 0;
    uint64_t whole = units / 10000, decimals = units - whole * 10000;
    out[0] = '-';
    char *at = out + (signbit(value) != 0);
    at += number_print_u64(whole, at);
    *at++ = '.';
    memcpy(at, number_pairs + 2 * (decimals / 100), 2);
    memcpy(at + 2, number_pairs + 2 * (decimals % 100), 2);
    at += decimals % 100 ? 4 : 2;
    at -= at[-1] == '0' && at[-2] != '.';
    return (size_t)(at - out);
}

size_t number_print_f64(double value, char *out)
{
    size_t length = print_few_decimals(value, out);
    if (length)
        return length;
    if (!isfinite(value))
        return print_special(value, out);
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    uint64_t fraction = bits & (((uint64_t)1 << 52) - 1);
    return print_value(bits >> 63, binary_of(fraction, (int)(bits >> 52 & 0x7ff), 52, 1023), out);
}

size_t number_print_f32(float value, char *out)
{
    if (!isfinite(value))
        return print_special((double)value, out);
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    uint32_t fraction = bits & (((uint32_t)1 << 23) - 1);
    return print_value(bits >> 31, binary_of(fraction, (int)(bits >> 23 & 0xff), 23, 127), out);
}
