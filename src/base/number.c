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

size_t number_print_u64(uint64_t value, char *out)
{
    char digits[20];
    size_t at = sizeof digits;
    while (value >= 100) {
        uint64_t rest = value / 100;
        at -= 2;
        memcpy(digits + at, number_pairs + 2 * (value - rest * 100), 2);
        value = rest;
    }
    if (value >= 10) {
        at -= 2;
        memcpy(digits + at, number_pairs + 2 * value, 2);
    } else {
        digits[--at] = (char)('0' + value);
    }
    memcpy(out, digits + at, sizeof digits - at);
    return sizeof digits - at;
}

size_t number_print_i64(int64_t value, char *out)
{
    bool negative = value < 0;
    out[0] = '-';
    uint64_t size = (uint64_t)value;
    return negative + number_print_u64(negative ? 0 - size : size, out + negative);
}
