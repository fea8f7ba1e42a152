/*
 * decimal.c: decimals of up to 38 digits in 128 bits, and their text.
 *
 * A decimal is a whole number and a scale that the column knows. Short texts
 * are read eight digits at a time, as whole numbers are; all others digit by
 * digit into the whole number; the exponent and the digits after the
 * point say by which power of ten it then differs from the column's scale.
 * Zeros at the end are held back and only count when another digit follows, so
 * that "1.5000000000000000000000000000000000000000" is as good as "1.5".
 * Digits that would be cut make the text not fit: exactly, or not at all.
 */
#include "base/digits.h"
#include "base/number.h"
#include <string.h>

#define EXPONENT_MAX 1000000000 /* enough to say "far too large" or "far too small" */
#define WORD_DIGITS  18         /* always fit into 63 bits */
#define TEN19        10000000000000000000u

static const uint64_t small_powers[] = {1u,
                                        10u,
                                        100u,
                                        1000u,
                                        10000u,
                                        100000u,
                                        1000000u,
                                        10000000u,
                                        100000000u,
                                        1000000000u,
                                        10000000000u,
                                        100000000000u,
                                        1000000000000u,
                                        10000000000000u,
                                        100000000000000u,
                                        1000000000000000u,
                                        10000000000000000u,
                                        100000000000000000u,
                                        1000000000000000000u,
                                        TEN19};

int128_t number_power10(int n)
{
    if (n < 20)
        return (int128_t)small_powers[n];
    return (int128_t)small_powers[n - 19] * TEN19;
}

bool number_decimal_fits(int128_t value, int precision)
{
    int128_t limit = number_power10(precision);
    return value < limit && value > -limit;
}

bool number_decimal_rescale(int128_t value, int from, int to, int128_t *out)
{
    int by = to - from;
    if (value == 0 || by == 0) {
        *out = value;
        return true;
    }
    if (by > DECIMAL_PRECISION_MAX || by < -DECIMAL_PRECISION_MAX)
        return false;
    if (by > 0)
        return !__builtin_mul_overflow(value, number_power10(by), out);
    int128_t power = number_power10(-by);
    *out = value / power;
    return *out * power == value;
}

/* The text taken apart: significand x 10^exponent. */
struct parts {
    uint128_t significand; /* at most 38 digits, no zeros at the end (unless zero) */
    int digits;
    int64_t zeros; /* held back */
    int64_t exponent;
};

/* One digit more; false when there are more than 38 that count. */
static bool parts_add(struct parts *parts, unsigned digit)
{
    if (digit == 0) {
        parts->zeros += parts->significand != 0;
        return true;
    }
    if (parts->digits + (parts->digits ? parts->zeros : 0) >= DECIMAL_PRECISION_MAX)
        return false;
    for (; parts->zeros > 0; parts->zeros--) {
        parts->significand *= 10;
        parts->digits++;
    }
    parts->significand = parts->significand * 10 + digit;
    parts->digits++;
    return true;
}

static bool parse_exponent(const char *at, const char *end, int64_t *exponent)
{
    bool negative = at < end && *at == '-';
    at += at < end && (*at == '-' || *at == '+');
    if (at == end)
        return false;
    int64_t value = 0;
    for (; at < end; at++) {
        unsigned digit = (unsigned)(unsigned char)*at - '0';
        if (digit > 9)
            return false;
        if (value < EXPONENT_MAX)
            value = value * 10 + digit;
    }
    *exponent = negative ? -value : value;
    return true;
}

static bool parse_parts(const char *at, const char *end, struct parts *parts)
{
    bool any = false, point = false;
    int64_t after_point = 0;
    for (; at < end && *at != 'e' && *at != 'E'; at++) {
        unsigned digit = (unsigned)(unsigned char)*at - '0';
        if (*at == '.' && !point) {
            point = true;
            continue;
        }
        if (digit > 9 || !parts_add(parts, digit))
            return false;
        any = true;
        after_point += point;
    }
    if (!any)
        return false;
    int64_t exponent = 0;
    if (at < end && !parse_exponent(at + 1, end, &exponent))
        return false;
    parts->exponent = exponent - after_point + parts->zeros;
    return true;
}

/* The common form: no exponent, at most 18 digits, none beyond the scale. False: not that form. */
static bool parse_short(const char *text, const char *end, int precision, int scale, int128_t *value)
{
    uint64_t sum = 0;
    if (end - text > WORD_DIGITS + 1 || scale > WORD_DIGITS)
        return false;
    const char *at = digits_run(text, end, &sum);
    ptrdiff_t count = at - text, after_point = 0;
    if (at < end && *at == '.') {
        const char *fraction = at + 1;
        at = digits_run(fraction, end, &sum);
        after_point = at - fraction;
        count += after_point;
    }
    if (at != end || count == 0 || count > WORD_DIGITS || after_point > scale)
        return false;
    int128_t whole = (int128_t)sum * (int64_t)small_powers[scale - after_point];
    if (!number_decimal_fits(whole, precision))
        return false;
    *value = whole;
    return true;
}

bool number_parse_decimal(const char *text, size_t length, int precision, int scale, int128_t *value)
{
    const char *end = text + length;
    bool negative = length > 0 && *text == '-';
    text += length > 0 && (*text == '-' || *text == '+');
    int128_t whole;
    if (parse_short(text, end, precision, scale, &whole)) {
        *value = negative ? -whole : whole;
        return true;
    }
    struct parts parts = {0};
    if (!parse_parts(text, end, &parts))
        return false;
    if (parts.significand == 0) {
        *value = 0;
        return true;
    }
    int64_t shift = parts.exponent + scale;
    if (shift < 0 || parts.digits + shift > precision)
        return false;
    int128_t size = (int128_t)parts.significand * number_power10((int)shift);
    *value = negative ? -size : size;
    return true;
}

/* Returns the number of digits, at least `least`, zeros in front. */
static size_t print_digits(uint128_t value, size_t least, char *out)
{
    char digits[40];
    size_t at = sizeof digits;
    uint128_t high = value;
    while (high > UINT64_MAX) { /* nineteen digits at a time, so that the rest is 64-bit work */
        uint64_t low = (uint64_t)(high % TEN19);
        high /= TEN19;
        for (int i = 0; i < 19; i++, low /= 10)
            digits[--at] = (char)('0' + low % 10);
    }
    char first[20];
    size_t count = number_print_u64((uint64_t)high, first);
    at -= count;
    memcpy(digits + at, first, count);
    while (sizeof digits - at < least)
        digits[--at] = '0';
    memcpy(out, digits + at, sizeof digits - at);
    return sizeof digits - at;
}

size_t number_print_decimal(int128_t value, int scale, char *out)
{
    char *start = out;
    uint128_t size = (uint128_t)value;
    if (value < 0) {
        *out++ = '-';
        size = 0 - size;
    }
    size_t count = print_digits(size, (size_t)scale + 1, out);
    if (scale > 0) {
        memmove(out + count - scale + 1, out + count - scale, (size_t)scale);
        out[count - (size_t)scale] = '.';
        count++;
    }
    return (size_t)(out - start) + count;
}
