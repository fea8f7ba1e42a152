/*
 * number.c: whole numbers and their text.
 *
 * Eight digits are read at a time: three multiplications inside one word turn
 * them into their value (pairs, then fours, then eight). Printing goes the
 * other way two digits at a time from a table of the hundred pairs. 128-bit
 * decimals are in decimal.c, floating point in float_parse.c and float_print.c.
 */
#include "base/number.h"
#include "base/digits.h"
#include <string.h>

const char number_pairs[201] =
    "00010203040506070809101112131415161718192021222324252627282930313233343536373839"
    "40414243444546474849505152535455565758596061626364656667686970717273747576777879"
    "8081828384858687888990919293949596979899";

bool number_parse_u64(const char *text, size_t length, uint64_t *value)
{
    size_t at = length > 0 && text[0] == '+';
    if (at == length)
        return false;
    while (length - at > 19 && text[at] == '0')
        at++;
    size_t first = at;
    uint64_t sum = 0;
    while (length - at >= 8 && at - first < 16) {
        uint64_t word = digits_load(text + at);
        if (!digits_are_eight(word))
            break;
        sum = sum * 100000000 + digits_value(word);
        at += 8;
    }
    for (; at < length; at++) {
        unsigned digit = (unsigned)(unsigned char)text[at] - '0';
        if (digit > 9)
            return false;
        if (at - first >= 19 && (__builtin_mul_overflow(sum, (uint64_t)10, &sum) ||
                                 __builtin_add_overflow(sum, (uint64_t)digit, &sum)))
            return false;
        if (at - first < 19)
            sum = sum * 10 + digit;
    }
    *value = sum;
    return true;
}

bool number_parse_i64(const char *text, size_t length, int64_t *value)
{
    bool negative = length > 0 && text[0] == '-';
    uint64_t size;
    if (negative && length > 1 && text[1] == '+')
        return false;
    if (!number_parse_u64(text + negative, length - negative, &size))
        return false;
    if (size > (uint64_t)INT64_MAX + negative)
        return false;
    *value = (int64_t)(negative ? 0 - size : size);
    return true;
}

/* 10^n, but 0 for n = 0: zero has a digit too. */
/* clang-format off */
static const uint64_t digit_steps[20] = {
    0, 10, 100, 1000, 10000, 100000, 1000000, 10000000, 100000000, 1000000000, 10000000000, 100000000000,
    1000000000000, 10000000000000, 100000000000000, 1000000000000000, 10000000000000000, 100000000000000000,
    1000000000000000000, 10000000000000000000u};
/* clang-format on */

/* The number of bits gives the number of digits or one less (1233 / 4096 is log10(2)). */
static inline size_t digit_count(uint64_t value)
{
    unsigned less = (64 - (unsigned)__builtin_clzll(value | 1)) * 1233 >> 12;
    return less + (value >= digit_steps[less]);
}

size_t number_print_u64(uint64_t value, char *out)
{
    size_t count = digit_count(value), at = count;
    while (value >= 100) {
        uint64_t rest = value / 100;
        at -= 2;
        memcpy(out + at, number_pairs + 2 * (value - rest * 100), 2);
        value = rest;
    }
    if (at == 2)
        memcpy(out, number_pairs + 2 * value, 2);
    else
        out[0] = (char)('0' + value);
    return count;
}

size_t number_print_i64(int64_t value, char *out)
{
    bool negative = value < 0;
    out[0] = '-';
    uint64_t size = (uint64_t)value;
    return negative + number_print_u64(negative ? 0 - size : size, out + negative);
}
