/*
 * parse_number.c: the fast way of integers, decimals, floats and booleans.
 *
 * Each `fast_` function takes the canonical text of a value (as it would be
 * printed) and nothing else; false sends the field the slow way, which knows
 * signs, zeros in front, exponents, quotes, NULL and nonsense.
 *
 * Floats: a decimal of at most 15 digits that is divided by a power of ten up to
 * 10^22 is one correctly rounded division of two exact numbers (Clinger 1990).
 * Its shortest text is that decimal itself, so a strict column needs no printing.
 */
#include "format/csv/digits.h"
#include "format/csv/parse.h"

#define FRACTION_DIGITS_FAST 7 /* decimals with more have the slow way */

/* Up to 16 digits without a zero in front. */
static inline bool fast_unsigned(const uint8_t *text, size_t length, uint64_t *value)
{
    if (length - 1 > 15 || (text[0] == '0' && length > 1))
        return false;
    if (length <= 8) {
        uint64_t word = digits_word(text, length);
        *value = digits_sum(word);
        return digits_wrong(word) == 0;
    }
    uint64_t high = digits_word(text, length - 8), low = digits_word(text + length - 8, 8);
    *value = digits_sum(high) * 100000000u + digits_sum(low);
    return (digits_wrong(high) | digits_wrong(low)) == 0;
}

static inline bool fast_integer(const uint8_t *text, size_t length, int64_t *value)
{
    uint64_t size;
    bool negative = length && text[0] == '-';
    if (!fast_unsigned(text + negative, length - negative, &size) || (negative && size == 0))
        return false;
    *value = negative ? -(int64_t)size : (int64_t)size;
    return true;
}

static unsigned parse_i64(struct csv_parser *parser, const struct csv_slice *slice, uint8_t *values,
                          uint8_t *flags)
{
    int64_t *out = (int64_t *)(void *)values;
    unsigned all = 0;
    for (size_t r = 0; r < slice->rows; r++) {
        size_t length;
        const uint8_t *field = csv_slice_field(slice, r, &length);
        flags[r] = 0;
        if (!fast_integer(field, length, &out[r]))
            all |= flags[r] = (uint8_t)csv_parse_slow(parser, field, length, values + r * 8);
    }
    return all;
}

/* The narrow and the unsigned ones: range first, then the low bytes. */
static unsigned parse_narrow(struct csv_parser *parser, const struct csv_slice *slice, uint8_t *values,
                             uint8_t *flags)
{
    const size_t width = (size_t)field_width(parser->field);
    const bool is_unsigned = parser->field->type >= TYPE_UINT8 && parser->field->type <= TYPE_UINT64;
    const int bits = (int)width * 8 - !is_unsigned;
    const int64_t max = bits >= 63 ? INT64_MAX : ((int64_t)1 << bits) - 1;
    const int64_t min = is_unsigned ? 0 : -max - 1;
    unsigned all = 0;
    for (size_t r = 0; r < slice->rows; r++) {
        size_t length;
        int64_t value;
        const uint8_t *field = csv_slice_field(slice, r, &length);
        flags[r] = 0;
        if (fast_integer(field, length, &value) && value >= min && value <= max)
            memcpy(values + r * width, &value, width);
        else
            all |= flags[r] = (uint8_t)csv_parse_slow(parser, field, length, values + r * width);
    }
    return all;
}

/* ---- decimals ---- */

/* What a column's scale means for a word whose last digit is the top byte. */
struct point {
    size_t scale, precision;
    unsigned shift; /* of the byte where the point stands */
    uint64_t below; /* the bytes before the point */
    uint64_t above; /* the bytes behind it */
};

static struct point point_of(const struct field *field)
{
    struct point point = {.scale = (size_t)field->scale, .precision = (size_t)field->precision};
    point.shift = 8 * (7 - (unsigned)field->scale);
    point.below = ((uint64_t)1 << point.shift) - 1;
    point.above = ~(point.below << 8 | 0xff);
    return point;
}

/* Digits, a point, `scale` (1..7) digits; at most 16 bytes in all. */
static inline bool fast_decimal(const struct point *point, const uint8_t *text, size_t length, int64_t *value)
{
    bool negative = length && text[0] == '-';
    text += negative;
    length -= negative;
    if (length - point->scale - 2 > 14 - point->scale || length - 1 > point->precision)
        return false;
    if (text[0] == '0' && length != point->scale + 2)
        return false;
    uint64_t word = length <= 8 ? digits_word(text, length) : digits_word(text + length - 8, 8);
    uint64_t wrong = (word >> point->shift & 0xff) ^ ('.' ^ '0');
    word = (word & point->above) | (word & point->below) << 8;
    wrong |= digits_wrong(word);
    uint64_t size = digits_sum(word);
    if (length > 8) {
        uint64_t high = digits_word(text, length - 8);
        wrong |= digits_wrong(high);
        size += digits_sum(high) * 10000000u;
    }
    *value = negative ? -(int64_t)size : (int64_t)size;
    return wrong == 0 && !(negative && size == 0);
}

static inline void put_decimal(uint8_t *at, int64_t value)
{
    int64_t words[2] = {value, value >> 63};
    memcpy(at, words, sizeof words);
}

static unsigned parse_decimal(struct csv_parser *parser, const struct csv_slice *slice, uint8_t *values,
                              uint8_t *flags)
{
    const struct point point = point_of(parser->field);
    unsigned all = 0;
    for (size_t r = 0; r < slice->rows; r++) {
        size_t length;
        int64_t value;
        const uint8_t *field = csv_slice_field(slice, r, &length);
        flags[r] = 0;
        if (fast_decimal(&point, field, length, &value))
            put_decimal(values + r * 16, value);
        else
            all |= flags[r] = (uint8_t)csv_parse_slow(parser, field, length, values + r * 16);
    }
    return all;
}

/* Scale 0: integers in 16 bytes. */
static unsigned parse_whole(struct csv_parser *parser, const struct csv_slice *slice, uint8_t *values,
                            uint8_t *flags)
{
    const size_t precision = (size_t)parser->field->precision;
    unsigned all = 0;
    for (size_t r = 0; r < slice->rows; r++) {
        size_t length;
        int64_t value;
        const uint8_t *field = csv_slice_field(slice, r, &length);
        flags[r] = 0;
        if (length <= precision && fast_integer(field, length, &value))
            put_decimal(values + r * 16, value);
        else
            all |= flags[r] = (uint8_t)csv_parse_slow(parser, field, length, values + r * 16);
    }
    return all;
}

/* ---- floats ---- */

static const double powers[16] = {1e0, 1e1, 1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                  1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15};

/* "12.5", "-0.25", "3.0": a point with digits on both sides, no zeros to spare, at
 * most 15 digits, and not so small that it prints with an exponent. */
static inline bool fast_double(const uint8_t *text, size_t length, double *value)
{
    bool negative = length && text[0] == '-';
    text += negative;
    length -= negative;
    const uint8_t *point = length - 3 <= 13 ? memchr(text, '.', length) : NULL;
    size_t whole = point ? (size_t)(point - text) : 0, fraction = length - whole - 1;
    if (!point || whole == 0 || whole > 8 || fraction == 0 || fraction > 8)
        return false;
    if ((text[0] == '0' && (whole > 1 || (fraction > 3 && !memcmp(point + 1, "000", 3)))) ||
        (text[length - 1] == '0' && fraction > 1))
        return false;
    uint64_t high = digits_word(text, whole), low = digits_word(point + 1, fraction);
    uint64_t digits = digits_sum(high) * (uint64_t)powers[fraction] + digits_sum(low);
    if ((digits_wrong(high) | digits_wrong(low)) != 0 || digits == 0)
        return false;
    double size = (double)digits / powers[fraction];
    *value = negative ? -size : size;
    return true;
}

static unsigned parse_f64(struct csv_parser *parser, const struct csv_slice *slice, uint8_t *values,
                          uint8_t *flags)
{
    double *out = (double *)(void *)values;
    unsigned all = 0;
    for (size_t r = 0; r < slice->rows; r++) {
        size_t length;
        const uint8_t *field = csv_slice_field(slice, r, &length);
        flags[r] = 0;
        if (!fast_double(field, length, &out[r]))
            all |= flags[r] = (uint8_t)csv_parse_slow(parser, field, length, values + r * 8);
    }
    return all;
}

/* ---- booleans ---- */

static unsigned parse_bool(struct csv_parser *parser, const struct csv_slice *slice, uint8_t *values,
                           uint8_t *flags)
{
    unsigned all = 0;
    for (size_t r = 0; r < slice->rows; r++) {
        size_t length;
        const uint8_t *field = csv_slice_field(slice, r, &length);
        bool yes = length == 4 && !memcmp(field, "true", 4);
        flags[r] = 0;
        values[r] = yes;
        if (!yes && !(length == 5 && !memcmp(field, "false", 5)))
            all |= flags[r] = (uint8_t)csv_parse_slow(parser, field, length, values + r);
    }
    return all;
}

csv_parse_fn csv_parse_choose_number(const struct field *field)
{
    switch (field->type) {
    case TYPE_BOOL:
        return parse_bool;
    case TYPE_INT64:
        return parse_i64;
    case TYPE_INT8:
    case TYPE_INT16:
    case TYPE_INT32:
    case TYPE_UINT8:
    case TYPE_UINT16:
    case TYPE_UINT32:
    case TYPE_UINT64:
        return parse_narrow;
    case TYPE_FLOAT64:
        return parse_f64;
    case TYPE_DECIMAL:
        if (field->scale == 0)
            return parse_whole;
        return field->scale <= FRACTION_DIGITS_FAST ? parse_decimal : NULL;
    default:
        return NULL;
    }
}
