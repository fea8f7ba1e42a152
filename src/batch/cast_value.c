/*
 * cast_value.c: the columns of the cast table, one function per kind of pair.
 *
 * Exact or said: a number is converted, converted back and compared. What cannot
 * be held is rejected with its row (cast_reject); what is held but is no longer
 * the same is counted in column->losses under the name cast_loss_of gives.
 */
#include "batch/cast_column.h"

#include "base/unicode.h"
#include "batch/float16.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

static const char *const beyond_unit[] = {"digits beyond seconds", "digits beyond milliseconds",
                                          "digits beyond microseconds", NULL};

static bool is_float(const struct field *field)
{
    return field->type >= TYPE_FLOAT16 && field->type <= TYPE_FLOAT64;
}

static bool is_integer(const struct field *field)
{
    return field->type >= TYPE_INT8 && field->type <= TYPE_UINT64;
}

static int float_digits(const struct field *field)
{
    return field->type == TYPE_FLOAT64 ? 53 : field->type == TYPE_FLOAT32 ? 24 : 11;
}

static int integer_digits(const struct field *field)
{
    int bits = field_width(field) * 8;
    return field->type >= TYPE_UINT8 ? bits : bits - 1;
}

static const char *float_loss(const struct field *from, const struct field *to)
{
    if (is_integer(from))
        return integer_digits(from) > float_digits(to) ? "float precision" : NULL;
    if (is_float(from))
        return float_digits(from) > float_digits(to) ? "float precision" : NULL;
    return from->type == TYPE_DECIMAL ? "float precision" : NULL;
}

const char *cast_loss_of(const struct field *from, const struct field *to)
{
    if (is_float(to))
        return float_loss(from, to);
    if (from->type == TYPE_UTF8 && to->type == TYPE_TIMESTAMP && to->timezone)
        return "offset";
    if (from->type == TYPE_DATE && to->type == TYPE_TIMESTAMP && to->timezone)
        return "taken as UTC";
    bool units = from->type == to->type &&
                 (from->type == TYPE_TIME || from->type == TYPE_TIMESTAMP || from->type == TYPE_DURATION);
    if (!units)
        return NULL;
    if (from->type == TYPE_TIMESTAMP && !from->timezone != !to->timezone)
        return from->timezone ? "time zone" : "taken as UTC";
    return from->unit > to->unit ? beyond_unit[to->unit] : NULL;
}

static const uint8_t *value_at(const struct cast_column *column, int64_t i)
{
    return column->values.values + (size_t)cast_index(column, i) * (size_t)field_width(column->from);
}

static int128_t integer_at(const struct cast_column *column, int64_t i)
{
    if (column->from->type == TYPE_BOOL)
        return bit_get(column->values.values, cast_index(column, i));
    uint64_t bits = 0;
    int width = field_width(column->from);
    memcpy(&bits, value_at(column, i), (size_t)width);
    if (is_integer(column->from) && column->from->type >= TYPE_UINT8)
        return bits;
    int shift = 64 - width * 8;
    return (int64_t)(bits << shift) >> shift;
}

static double float_at(const struct cast_column *column, int64_t i)
{
    double value;
    float narrow;
    uint16_t half;
    switch (column->from->type) {
    case TYPE_FLOAT64:
        memcpy(&value, value_at(column, i), sizeof value);
        return value;
    case TYPE_FLOAT32:
        memcpy(&narrow, value_at(column, i), sizeof narrow);
        return (double)narrow;
    default:
        memcpy(&half, value_at(column, i), sizeof half);
        return float16_to(half);
    }
}

/* What is left of `value` in the target's width. */
static double rounded(const struct field *to, double value)
{
    if (to->type == TYPE_FLOAT32)
        return (double)(float)value;
    return to->type == TYPE_FLOAT16 ? float16_to(float16_from(value)) : value;
}

static enum haul_code reject_range(struct cast_column *column, int64_t i)
{
    char reason[160], type[96];
    field_print_type(column->to, type, sizeof type);
    snprintf(reason, sizeof reason, "does not fit exactly into %s", type);
    return cast_reject(column, i, reason);
}

enum haul_code cast_nulls(struct cast_column *column)
{
    enum haul_code code = HAUL_OK;
    for (int64_t i = 0; !code && i < column->view.length; i++)
        code = builder_append_null(&column->builder, column->err);
    return code;
}

/* The range of an integer type or bool. */
static void integer_range(const struct field *field, int128_t *low, int128_t *high)
{
    *low = 0;
    *high = 1;
    if (field->type == TYPE_BOOL)
        return;
    *high = ((int128_t)1 << integer_digits(field)) - 1;
    if (field->type < TYPE_UINT8)
        *low = -*high - 1;
}

static enum haul_code append_whole(struct cast_column *column, int128_t value)
{
    if (column->to->type == TYPE_BOOL)
        return builder_append_bool(&column->builder, value != 0, column->err);
    return builder_append_i64(&column->builder, (int64_t)value, column->err);
}

enum haul_code cast_integer(struct cast_column *column)
{
    int128_t low, high;
    integer_range(column->to, &low, &high);
    enum haul_code code = HAUL_OK;
    for (int64_t i = 0; !code && i < column->view.length; i++) {
        if (cast_skip(column, i)) {
            code = builder_append_null(&column->builder, column->err);
            continue;
        }
        int128_t value = integer_at(column, i);
        code = value < low || value > high ? reject_range(column, i) : append_whole(column, value);
    }
    return code;
}

static enum haul_code to_decimal(struct cast_column *column, int64_t i, int128_t value, int scale)
{
    int128_t scaled;
    if (!number_decimal_rescale(value, scale, column->to->scale, &scaled) ||
        !number_decimal_fits(scaled, column->to->precision))
        return reject_range(column, i);
    return builder_append_decimal(&column->builder, scaled, column->err);
}

static int128_t decimal_at(const struct cast_column *column, int64_t i)
{
    int128_t value;
    memcpy(&value, value_at(column, i), sizeof value);
    return value;
}

enum haul_code cast_integer_decimal(struct cast_column *column)
{
    enum haul_code code = HAUL_OK;
    for (int64_t i = 0; !code && i < column->view.length; i++)
        code = cast_skip(column, i) ? builder_append_null(&column->builder, column->err)
                                    : to_decimal(column, i, integer_at(column, i), 0);
    return code;
}

enum haul_code cast_decimal(struct cast_column *column)
{
    enum haul_code code = HAUL_OK;
    for (int64_t i = 0; !code && i < column->view.length; i++)
        code = cast_skip(column, i) ? builder_append_null(&column->builder, column->err)
                                    : to_decimal(column, i, decimal_at(column, i), column->from->scale);
    return code;
}

enum haul_code cast_decimal_integer(struct cast_column *column)
{
    int128_t low, high;
    integer_range(column->to, &low, &high);
    enum haul_code code = HAUL_OK;
    for (int64_t i = 0; !code && i < column->view.length; i++) {
        int128_t value;
        if (cast_skip(column, i))
            code = builder_append_null(&column->builder, column->err);
        else if (!number_decimal_rescale(decimal_at(column, i), column->from->scale, 0, &value) ||
                 value < low || value > high)
            code = reject_range(column, i);
        else
            code = append_whole(column, value);
    }
    return code;
}

/* A value beyond the largest float is a reject, one that was rounded is counted. */
static enum haul_code append_float(struct cast_column *column, int64_t i, double value, bool exact)
{
    double kept = rounded(column->to, value);
    if (isinf(kept) && !isinf(value))
        return reject_range(column, i);
    column->losses += !exact || (kept != value && !isnan(value));
    return builder_append_f64(&column->builder, value, column->err);
}

static bool double_is_integer(double value, int128_t integer)
{
    return (int128_t)value == integer; /* |integer| < 2^64: in range */
}

enum haul_code cast_integer_float(struct cast_column *column)
{
    enum haul_code code = HAUL_OK;
    for (int64_t i = 0; !code && i < column->view.length; i++) {
        if (cast_skip(column, i)) {
            code = builder_append_null(&column->builder, column->err);
            continue;
        }
        int128_t integer = integer_at(column, i);
        double value = (double)integer;
        code = append_float(column, i, value, double_is_integer(value, integer));
    }
    return code;
}

enum haul_code cast_float(struct cast_column *column)
{
    enum haul_code code = HAUL_OK;
    for (int64_t i = 0; !code && i < column->view.length; i++)
        code = cast_skip(column, i) ? builder_append_null(&column->builder, column->err)
                                    : append_float(column, i, float_at(column, i), true);
    return code;
}

enum haul_code cast_float_integer(struct cast_column *column)
{
    int128_t low, high;
    integer_range(column->to, &low, &high);
    enum haul_code code = HAUL_OK;
    for (int64_t i = 0; !code && i < column->view.length; i++) {
        if (cast_skip(column, i)) {
            code = builder_append_null(&column->builder, column->err);
            continue;
        }
        double value = float_at(column, i);
        bool whole = fabs(value) < 0x1p65 && trunc(value) == value && !(value == 0 && signbit(value));
        int128_t integer = whole ? (int128_t)value : 0;
        code = !whole || integer < low || integer > high ? reject_range(column, i)
                                                         : append_whole(column, integer);
    }
    return code;
}

/* The nearest double; exact when its shortest text is the decimal again. */
static bool decimal_to_double(int128_t decimal, int scale, double *value)
{
    char text[NUMBER_TEXT_BYTES];
    size_t length = number_print_decimal(decimal, scale, text);
    if (!number_parse_f64(text, length, value))
        return false;
    int128_t back;
    length = number_print_f64(*value, text);
    return number_parse_decimal(text, length, DECIMAL_PRECISION_MAX, scale, &back) && back == decimal;
}

enum haul_code cast_decimal_float(struct cast_column *column)
{
    enum haul_code code = HAUL_OK;
    for (int64_t i = 0; !code && i < column->view.length; i++) {
        if (cast_skip(column, i)) {
            code = builder_append_null(&column->builder, column->err);
            continue;
        }
        double value = 0;
        bool exact = decimal_to_double(decimal_at(column, i), column->from->scale, &value);
        code = append_float(column, i, value, exact);
    }
    return code;
}

/* ---- time ---- */

enum haul_code cast_units(struct cast_column *column)
{
    int64_t from = calendar_units_per_second(column->from->unit),
            to = calendar_units_per_second(column->to->unit);
    int64_t times = to > from ? to / from : 1, by = from > to ? from / to : 1;
    bool zone_changes =
        column->from->type == TYPE_TIMESTAMP && !column->from->timezone != !column->to->timezone;
    enum haul_code code = HAUL_OK;
    for (int64_t i = 0; !code && i < column->view.length; i++) {
        if (cast_skip(column, i)) {
            code = builder_append_null(&column->builder, column->err);
            continue;
        }
        int64_t value = (int64_t)integer_at(column, i), scaled;
        if (__builtin_mul_overflow(value, times, &scaled)) {
            code = reject_range(column, i);
            continue;
        }
        int64_t rest = scaled % by;
        scaled = scaled / by - (rest < 0); /* towards the past, as a clock reads */
        column->losses += rest != 0 || zone_changes;
        code = builder_append_i64(&column->builder, scaled, column->err);
    }
    return code;
}

enum haul_code cast_date_timestamp(struct cast_column *column)
{
    int64_t day = calendar_units_per_second(column->to->unit) * 86400;
    enum haul_code code = HAUL_OK;
    for (int64_t i = 0; !code && i < column->view.length; i++) {
        int64_t value;
        if (cast_skip(column, i)) {
            code = builder_append_null(&column->builder, column->err);
        } else if (__builtin_mul_overflow((int64_t)integer_at(column, i), day, &value)) {
            code = reject_range(column, i);
        } else {
            column->losses += column->to->timezone != NULL;
            code = builder_append_i64(&column->builder, value, column->err);
        }
    }
    return code;
}

/* ---- text and bytes ---- */

enum haul_code cast_print(struct cast_column *column)
{
    enum haul_code code = HAUL_OK;
    for (int64_t i = 0; !code && i < column->view.length; i++) {
        if (cast_skip(column, i)) {
            code = builder_append_null(&column->builder, column->err);
            continue;
        }
        buffer_clear(column->scratch);
        code = view_print(&column->view, i, column->scratch, column->err);
        if (!code)
            code = builder_append_bytes(&column->builder, column->scratch->data, column->scratch->length,
                                        column->err);
    }
    return code;
}

/* The bytes of row `i`, whichever of the three layouts has them. */
static const uint8_t *bytes_at(const struct cast_column *column, int64_t i, size_t *length)
{
    if (column->from->type == TYPE_FIXED_BINARY) {
        *length = (size_t)column->from->width;
        return value_at(column, i);
    }
    int64_t at = cast_index(column, i);
    const int32_t *offsets = column->values.offsets;
    *length = (size_t)(offsets[at + 1] - offsets[at]);
    return column->values.data + offsets[at];
}

static bool is_offset_lost(const struct cast_column *column, const uint8_t *text, size_t length)
{
    int64_t value;
    struct calendar_zone zone = {0};
    return column->to->type == TYPE_TIMESTAMP && column->to->timezone && length && text[length - 1] != 'Z' &&
           calendar_parse_moment((const char *)text, length, column->to->unit, &value, &zone) &&
           zone.offset_minutes != 0;
}

enum haul_code cast_parse(struct cast_column *column)
{
    enum haul_code code = HAUL_OK;
    for (int64_t i = 0; !code && i < column->view.length; i++) {
        if (cast_skip(column, i)) {
            code = builder_append_null(&column->builder, column->err);
            continue;
        }
        size_t length;
        struct haul_error reason = {0};
        const uint8_t *text = bytes_at(column, i, &length);
        code = builder_append_text(&column->builder, (const char *)text, length, &reason);
        if (code == HAUL_VALUE)
            code = cast_reject(column, i, reason.message);
        else if (code)
            *column->err = reason;
        else
            column->losses += is_offset_lost(column, text, length);
    }
    return code;
}

enum haul_code cast_bytes(struct cast_column *column)
{
    size_t width = column->to->type == TYPE_FIXED_BINARY ? (size_t)column->to->width : 0;
    bool check_text = column->to->type == TYPE_UTF8;
    enum haul_code code = HAUL_OK;
    for (int64_t i = 0; !code && i < column->view.length; i++) {
        if (cast_skip(column, i)) {
            code = builder_append_null(&column->builder, column->err);
            continue;
        }
        size_t length;
        const uint8_t *bytes = bytes_at(column, i, &length);
        if (width && length != width)
            code = reject_range(column, i);
        else if (check_text && !unicode_is_valid(bytes, length))
            code = cast_reject(column, i, "is not valid UTF-8");
        else
            code = builder_append_bytes(&column->builder, bytes, length, column->err);
    }
    return code;
}
