/*
 * number.h: numbers and their text, exactly both ways. No locale. Parsers take
 * the whole text or fail; printers give the shortest text that reads back to
 * the same value. Decimals are 128-bit two's complement integers with a scale.
 */
#ifndef HAUL_BASE_NUMBER_H
#define HAUL_BASE_NUMBER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

__extension__ typedef __int128 int128_t;
__extension__ typedef unsigned __int128 uint128_t;

#define DECIMAL_PRECISION_MAX 38
#define NUMBER_TEXT_BYTES 64 /* enough for every printer below */

bool number_parse_i64(const char *text, size_t length, int64_t *value); /* optional sign, digits, no overflow */
bool number_parse_u64(const char *text, size_t length, uint64_t *value);
bool number_parse_f64(const char *text, size_t length, double *value); /* correctly rounded; nan, inf, -inf, infinity in any case */
bool number_parse_f32(const char *text, size_t length, float *value);

/* [+-]digits[.digits][e[+-]digits] to value x 10^-scale; false when malformed,
 * when digits other than zeros would be cut, or when it needs more than `precision` digits. */
bool number_parse_decimal(const char *text, size_t length, int precision, int scale, int128_t *value);

/* Return the length written, without a NUL. `out` has NUMBER_TEXT_BYTES. */
size_t number_print_i64(int64_t value, char *out);
size_t number_print_u64(uint64_t value, char *out);
size_t number_print_f64(double value, char *out); /* "1.5", "1e300", "nan", "inf", "-inf", "-0.0" */
size_t number_print_f32(float value, char *out);
size_t number_print_decimal(int128_t value, int scale, char *out); /* always `scale` decimals */

/* 10^n for 0 <= n <= 38. */
int128_t number_power10(int n);

/* Is |value| < 10^precision? */
bool number_decimal_fits(int128_t value, int precision);

/* value x 10^(to-from); false when digits would be lost or it overflows. */
bool number_decimal_rescale(int128_t value, int from, int to, int128_t *out);

#endif
