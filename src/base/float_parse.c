/*
 * float_parse.c: text to the nearest floating point number, ties to even.
 *
 * The text becomes significand x 10^exponent first. When the significand fits
 * the type and the power of ten is exact in it, one multiplication or division
 * rounds once and is right (Clinger). Everything else goes to the C library's
 * strtod, in its "C" locale and on a text we wrote ourselves, so that neither
 * the process's locale nor its extensions (hexadecimal, spaces) reach us. A
 * text longer than the digits that can matter (767 for a double) is cut there,
 * with a last 1 if anything but zeros was cut: same side of every tie.
 */
#include "base/digits.h"
#include "base/number.h"
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define DIGITS_KEPT  800
#define EXPONENT_MAX 100000000

struct parsed {
    const char *digits, *digits_end; /* with at most one point inside */
    uint64_t significand;            /* the first 19 digits that count */
    int64_t exponent;                /* of ten, for that significand */
    bool cut;                        /* there were more digits */
    bool negative;
    int64_t exponent_read; /* the text's own */
};

static const double powers_f64[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                                    1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
static const float powers_f32[] = {1e0f, 1e1f, 1e2f, 1e3f, 1e4f, 1e5f, 1e6f, 1e7f, 1e8f, 1e9f, 1e10f};

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

/* Digits and point; leaves *at behind them. False without a digit. */
static bool parse_digits(const char **at, const char *end, struct parsed *parsed)
{
    bool any = false, point = false;
    int count = 0;
    const char *text = *at;
    parsed->digits = text;
    for (; text < end; text++) {
        unsigned digit = (unsigned)(unsigned char)*text - '0';
        if (digit > 9) {
            if (*text != '.' || point)
                break;
            point = true;
            continue;
        }
        any = true;
        if (count < 19) {
            parsed->significand = parsed->significand * 10 + digit;
            count += parsed->significand != 0;
            parsed->exponent -= point;
        } else {
            parsed->cut = true;
            parsed->exponent += !point;
        }
    }
    parsed->digits_end = text;
    *at = text;
    return any;
}

static bool parse_number(const char *text, size_t length, struct parsed *parsed)
{
    const char *at = text, *end = text + length;
    *parsed = (struct parsed){.negative = length > 0 && *at == '-'};
    at += length > 0 && (*at == '-' || *at == '+');
    if (!parse_digits(&at, end, parsed))
        return false;
    if (at == end)
        return true;
    if (*at != 'e' && *at != 'E')
        return false;
    if (!parse_exponent(at + 1, end, &parsed->exponent_read))
        return false;
    parsed->exponent += parsed->exponent_read;
    return true;
}

/* Writes the digits that can matter as "123e-5"; `out` has DIGITS_KEPT + 32. */
static void text_write(const struct parsed *parsed, char *out)
{
    int64_t exponent = parsed->exponent_read;
    size_t count = 0;
    bool point = false, sticky = false;
    for (const char *at = parsed->digits; at < parsed->digits_end; at++) {
        if (*at == '.') {
            point = true;
        } else if (count == 0 && *at == '0') {
            exponent -= point;
        } else if (count < DIGITS_KEPT) {
            out[count++] = *at;
            exponent -= point;
        } else {
            sticky = sticky || *at != '0';
            exponent += !point;
        }
    }
    if (sticky) {
        out[count++] = '1';
        exponent--;
    }
    (void)snprintf(out + count, 31, "e%lld", (long long)exponent);
}

/* nan, inf, infinity with a sign, in any case. */
static bool parse_name(const char *text, size_t length, double *value)
{
    bool negative = length > 0 && *text == '-';
    bool sign = length > 0 && (*text == '-' || *text == '+');
    text += sign;
    length -= sign;
    bool infinite = (length == 3 && strncasecmp(text, "inf", 3) == 0) ||
                    (length == 8 && strncasecmp(text, "infinity", 8) == 0);
    if (infinite) {
        *value = negative ? -(double)INFINITY : (double)INFINITY;
        return true;
    }
    if (length == 3 && strncasecmp(text, "nan", 3) == 0) {
        *value = (double)NAN;
        return true;
    }
    return false;
}

bool number_parse_f64(const char *text, size_t length, double *value)
{
    struct parsed parsed;
    if (!parse_number(text, length, &parsed))
        return parse_name(text, length, value);
    int64_t exponent = parsed.exponent;
    double size;
    if (parsed.significand == 0) {
        size = 0;
    } else if (!parsed.cut && parsed.significand <= (uint64_t)1 << 53 && exponent >= -22 && exponent <= 22) {
        size = (double)parsed.significand;
        size = exponent < 0 ? size / powers_f64[-exponent] : size * powers_f64[exponent];
    } else {
        char digits[DIGITS_KEPT + 32];
        text_write(&parsed, digits);
        locale_t c = newlocale(LC_ALL_MASK, "C", (locale_t)0);
        if (!c)
            return false;
        size = strtod_l(digits, NULL, c);
        freelocale(c);
    }
    *value = parsed.negative ? -size : size;
    return true;
}

bool number_parse_f32(const char *text, size_t length, float *value)
{
    struct parsed parsed;
    double special;
    if (!parse_number(text, length, &parsed)) {
        if (!parse_name(text, length, &special))
            return false;
        *value = (float)special;
        return true;
    }
    int64_t exponent = parsed.exponent;
    float size;
    if (parsed.significand == 0) {
        size = 0;
    } else if (!parsed.cut && parsed.significand <= (uint64_t)1 << 24 && exponent >= -10 && exponent <= 10) {
        size = (float)parsed.significand;
        size = exponent < 0 ? size / powers_f32[-exponent] : size * powers_f32[exponent];
    } else {
        char digits[DIGITS_KEPT + 32];
        text_write(&parsed, digits);
        locale_t c = newlocale(LC_ALL_MASK, "C", (locale_t)0);
        if (!c)
            return false;
        size = strtof_l(digits, NULL, c);
        freelocale(c);
    }
    *value = parsed.negative ? -size : size;
    return true;
}
