/*
 * float_print.c: the shortest text that reads back to the same number.
 */
#include "base/number.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static size_t print_special(double value, char *out)
{
    const char *text = isnan(value) ? "nan" : value < 0 ? "-inf" : "inf";
    size_t length = strlen(text);
    memcpy(out, text, length);
    return length;
}

/* value = 0.d1d2d3... x 10^point */
static size_t print_digits(const char *digits, int count, int point, bool negative, char *out)
{
    char *at = out;
    if (negative)
        *at++ = '-';
    if (point < -3 || point > 16) { /* 1.5e300 */
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
    for (int i = 0; i < point; i++) /* 150.0, 1.5 */
        *at++ = i < count ? digits[i] : '0';
    *at++ = '.';
    if (count <= point)
        *at++ = '0';
    for (int i = point; i < count; i++)
        *at++ = digits[i];
    return (size_t)(at - out);
}

/* "1.5000e+00" as digits and point, without the zeros at the end. */
static size_t print_scientific(const char *text, bool negative, char *out)
{
    char digits[24];
    int count = 0;
    const char *at = text;
    for (; *at && *at != 'e'; at++)
        if (*at >= '0' && *at <= '9' && count < 20)
            digits[count++] = *at;
    int exponent = atoi(at + 1);
    while (count > 1 && digits[count - 1] == '0')
        count--;
    return print_digits(digits, count, exponent + 1, negative, out);
}

size_t number_print_f64(double value, char *out)
{
    if (!isfinite(value))
        return print_special(value, out);
    char text[NUMBER_TEXT_BYTES];
    size_t length = 0;
    for (int digits = 1; digits <= 17; digits = digits < 15 ? 15 : digits + 1) {
        (void)snprintf(text, sizeof text, "%.*e", digits - 1, fabs(value));
        length = print_scientific(text, signbit(value), out);
        double back;
        if (number_parse_f64(out, length, &back) && back == value)
            break;
    }
    return length;
}

size_t number_print_f32(float value, char *out)
{
    if (!isfinite(value))
        return print_special((double)value, out);
    char text[NUMBER_TEXT_BYTES];
    size_t length = 0;
    for (int digits = 1; digits <= 9; digits++) {
        (void)snprintf(text, sizeof text, "%.*e", digits - 1, fabs((double)value));
        length = print_scientific(text, signbit(value), out);
        float back;
        if (number_parse_f32(out, length, &back) && back == value)
            break;
    }
    return length;
}
