/*
 * float_parse.c: text to the nearest floating point number, ties to even.
 *
 * The text becomes significand x 10^exponent, the significand its first 19
 * digits. Then the cheapest way that is provably right:
 *
 * 1. Clinger: significand and power of ten are both exact in the type: one
 *    multiplication or division, rounded once by the hardware.
 * 2. Eisel and Lemire: the significand times the first 64, or 128, bits of the
 *    power of ten. What was cut off the power makes the product too small by
 *    less than the significand; when that cannot reach the bits that decide the
 *    rounding, the product's high bits are the answer. A text of more than 19
 *    digits lies between its significand and the next: both must agree.
 * 3. All others (ties and near ties, subnormals, overflow: about one in a
 *    thousand million of random texts) go to the C library's strtod, in its "C"
 *    locale and on digits we wrote ourselves. Digits that cannot matter (a
 *    double's midpoints have at most 767) are cut there, with a last 1 when
 *    anything but zeros was cut, which keeps the side of every tie.
 */
#include "base/digits.h"
#include "base/float_powers.h"
#include "base/number.h"
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define DIGITS_KEPT  800
#define EXPONENT_MAX 100000000
#define WORD_DIGITS  19 /* always fit into 64 bits */

struct parsed {
    const char *digits, *digits_end; /* with at most one point inside */
    uint64_t significand;
    int64_t exponent;      /* of ten, for that significand */
    int64_t exponent_read; /* the text's own */
    bool cut;              /* there were more digits */
    bool negative;
};

/* An IEEE type. */
struct float_kind {
    int fraction_bits;
    int bias;
    int exponent_max; /* of infinity */
};

static const struct float_kind kind_f64 = {52, 1023, 0x7ff};
static const struct float_kind kind_f32 = {23, 127, 0xff};

static const double powers_f64[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                                    1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
static const float powers_f32[] = {1e0f, 1e1f, 1e2f, 1e3f, 1e4f, 1e5f, 1e6f, 1e7f, 1e8f, 1e9f, 1e10f};

/* ---- Taking the text apart ---- */

static inline unsigned digit_of(char letter)
{
    return (unsigned)(unsigned char)letter - '0';
}

static bool parse_exponent(const char *at, const char *end, int64_t *exponent)
{
    bool negative = at < end && *at == '-';
    at += at < end && (*at == '-' || *at == '+');
    if (at == end)
        return false;
    int64_t value = 0;
    for (; at < end; at++) {
        unsigned digit = digit_of(*at);
        if (digit > 9)
            return false;
        if (value < EXPONENT_MAX)
            value = value * 10 + digit;
    }
    *exponent = negative ? -value : value;
    return true;
}

/* More digits than a word may hold: counts those from the first that is not zero. */
static void recount(struct parsed *parsed)
{
    int count = 0;
    bool point = false;
    parsed->significand = 0;
    parsed->exponent = 0;
    for (const char *at = parsed->digits; at < parsed->digits_end; at++) {
        if (*at == '.') {
            point = true;
        } else if (count < WORD_DIGITS) {
            parsed->significand = parsed->significand * 10 + digit_of(*at);
            count += parsed->significand != 0;
            parsed->exponent -= point;
        } else {
            parsed->cut = true;
            parsed->exponent += !point;
        }
    }
}

static bool parse_number(const char *text, size_t length, struct parsed *parsed)
{
    const char *at = text, *end = text + length;
    *parsed = (struct parsed){.negative = length > 0 && *at == '-'};
    at += length > 0 && (*at == '-' || *at == '+');
    parsed->digits = at;
    at = digits_run(at, end, &parsed->significand);
    ptrdiff_t count = at - parsed->digits;
    if (at < end && *at == '.') {
        const char *fraction = at + 1;
        at = digits_run(fraction, end, &parsed->significand);
        parsed->exponent = fraction - at;
        count += at - fraction;
    }
    parsed->digits_end = at;
    if (count == 0)
        return false;
    if (count > WORD_DIGITS)
        recount(parsed);
    if (at == end)
        return true;
    if ((*at != 'e' && *at != 'E') || !parse_exponent(at + 1, end, &parsed->exponent_read))
        return false;
    parsed->exponent += parsed->exponent_read;
    return true;
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
    if (length != 3 || strncasecmp(text, "nan", 3) != 0)
        return false;
    *value = (double)NAN;
    return true;
}

/* ---- 2. The product with a cut power of ten ---- */

/* The product of a normalised word and a power, its first 128 bits; false when
 * what was cut off the power could reach the bits above `mask`. */
static bool product(uint64_t word, const uint64_t power[2], uint64_t mask, uint128_t *result)
{
    *result = (uint128_t)word * power[0];
    if (((uint64_t)(*result >> 64) & mask) != mask || (uint64_t)*result <= UINT64_MAX - word)
        return true;
    uint128_t more = (uint128_t)word * power[1];
    *result += (uint64_t)(more >> 64);
    return ((uint64_t)(*result >> 64) & mask) != mask || (uint64_t)*result != UINT64_MAX ||
           (uint64_t)more <= UINT64_MAX - word;
}

/* The bits of the number nearest to significand x 10^exponent; false when this way cannot tell. */
static bool nearest(uint64_t significand, int64_t exponent, const struct float_kind *kind, uint64_t *bits)
{
    if (significand == 0 || exponent < FLOAT_POWER_FIRST || exponent > 308)
        return false;
    int lead = __builtin_clzll(significand), spare = 64 - kind->fraction_bits - 3;
    uint64_t mask = ((uint64_t)1 << spare) - 1;
    uint128_t whole;
    if (!product(significand << lead, float_powers[exponent - FLOAT_POWER_FIRST], mask, &whole))
        return false;
    uint64_t high = (uint64_t)(whole >> 64);
    int top = (int)(high >> 63);
    uint64_t fraction = high >> (top + spare); /* one bit more than the type has */
    if ((uint64_t)whole == 0 && (high & mask) == 0 && (fraction & 3) == 1)
        return false; /* a tie, or just above one */
    fraction = (fraction + (fraction & 1)) >> 1;
    int carry = (int)(fraction >> (kind->fraction_bits + 1));
    fraction >>= carry;
    int biased = float_power_exponent((int)exponent) + 63 - lead + top + carry + kind->bias;
    if (biased <= 0 || biased >= kind->exponent_max)
        return false;
    *bits = (uint64_t)biased << kind->fraction_bits | (fraction & (((uint64_t)1 << kind->fraction_bits) - 1));
    return true;
}

static bool nearest_parsed(const struct parsed *parsed, const struct float_kind *kind, uint64_t *bits)
{
    uint64_t next;
    if (!nearest(parsed->significand, parsed->exponent, kind, bits))
        return false;
    return !parsed->cut || (nearest(parsed->significand + 1, parsed->exponent, kind, &next) && next == *bits);
}

/* ---- 3. The C library ---- */

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

/* One of the two results is asked for. False: no locale to be had. */
static bool library_parse(const struct parsed *parsed, double *f64, float *f32)
{
    char digits[DIGITS_KEPT + 32];
    text_write(parsed, digits);
    locale_t c = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    if (!c)
        return false;
    if (f64)
        *f64 = strtod_l(digits, NULL, c);
    if (f32)
        *f32 = strtof_l(digits, NULL, c);
    freelocale(c);
    return true;
}

bool number_parse_f64(const char *text, size_t length, double *value)
{
    struct parsed parsed;
    if (!parse_number(text, length, &parsed))
        return parse_name(text, length, value);
    int64_t exponent = parsed.exponent;
    double size = 0;
    uint64_t bits;
    if (!parsed.cut && parsed.significand <= (uint64_t)1 << 53 && exponent >= -22 && exponent <= 22) {
        size = (double)parsed.significand;
        size = exponent < 0 ? size / powers_f64[-exponent] : size * powers_f64[exponent];
    } else if (nearest_parsed(&parsed, &kind_f64, &bits)) {
        memcpy(&size, &bits, sizeof size);
    } else if (parsed.significand != 0 && !library_parse(&parsed, &size, NULL)) {
        return false;
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
    float size = 0;
    uint64_t bits;
    if (!parsed.cut && parsed.significand <= (uint64_t)1 << 24 && exponent >= -10 && exponent <= 10) {
        size = (float)parsed.significand;
        size = exponent < 0 ? size / powers_f32[-exponent] : size * powers_f32[exponent];
    } else if (nearest_parsed(&parsed, &kind_f32, &bits)) {
        memcpy(&size, &(uint32_t){(uint32_t)bits}, sizeof size);
    } else if (parsed.significand != 0 && !library_parse(&parsed, NULL, &size)) {
        return false;
    }
    *value = parsed.negative ? -size : size;
    return true;
}
