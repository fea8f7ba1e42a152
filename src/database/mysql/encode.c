/*
 * encode.c: one function per form and width.
 *
 * In the text backslash, tab, line feed and NUL are escaped; NULL is \N (the
 * writer puts it). A float is written as the double it is, so that the server
 * reads it back exactly. What MySQL would alter without a word is a misfit: a
 * fraction of a second beyond the column's digits is rounded, spaces at the end
 * of a char(n) go. NaN and infinity have no text there.
 */
#include "database/mysql/encode.h"

#include "base/number.h"
#include "batch/text.h"
#include <math.h>
#include <stdio.h>

#define SECOND_US 1000000LL
#define DAY_US    86400000000LL
#define YEAR_MAX  9999
#define TIME_MAX  (839 * 3600 * SECOND_US)

static enum haul_code misfit(struct encoder *encoder, const char *why)
{
    encoder->misfit = why;
    return HAUL_OK;
}

static enum haul_code put(struct buffer *out, const char *text, size_t length, struct haul_error *err)
{
    if (out->capacity < out->length + length + BUFFER_PADDING && buffer_reserve(out, length, err))
        return err->code;
    buffer_put(out, text, length);
    return HAUL_OK;
}

/* ---- numbers ---- */

#define WHOLE(name, type, print)                                                                             \
    static enum haul_code name(struct encoder *encoder, int64_t at, struct buffer *out,                      \
                               struct haul_error *err)                                                       \
    {                                                                                                        \
        char text[NUMBER_TEXT_BYTES];                                                                        \
        return put(out, text, print(((const type *)(const void *)encoder->values.values)[at], text), err);   \
    }
WHOLE(encode_i8, int8_t, number_print_i64)
WHOLE(encode_i16, int16_t, number_print_i64)
WHOLE(encode_i32, int32_t, number_print_i64)
WHOLE(encode_i64, int64_t, number_print_i64)
WHOLE(encode_u8, uint8_t, number_print_u64)
WHOLE(encode_u16, uint16_t, number_print_u64)
WHOLE(encode_u32, uint32_t, number_print_u64)
WHOLE(encode_u64, uint64_t, number_print_u64)

static enum haul_code encode_year(struct encoder *encoder, int64_t at, struct buffer *out,
                                  struct haul_error *err)
{
    char text[16];
    int value = ((const int16_t *)(const void *)encoder->values.values)[at];
    int length = snprintf(text, sizeof text, "%04d", value);
    return put(out, text, (size_t)length, err);
}

static enum haul_code put_double(struct encoder *encoder, double value, struct buffer *out,
                                 struct haul_error *err)
{
    char text[NUMBER_TEXT_BYTES];
    if (!isfinite(value))
        return misfit(encoder, "MySQL has no NaN and no infinity");
    return put(out, text, number_print_f64(value, text), err);
}

static enum haul_code encode_f32(struct encoder *encoder, int64_t at, struct buffer *out,
                                 struct haul_error *err)
{
    return put_double(encoder, (double)((const float *)(const void *)encoder->values.values)[at], out, err);
}

static enum haul_code encode_f64(struct encoder *encoder, int64_t at, struct buffer *out,
                                 struct haul_error *err)
{
    return put_double(encoder, ((const double *)(const void *)encoder->values.values)[at], out, err);
}

static enum haul_code encode_decimal(struct encoder *encoder, int64_t at, struct buffer *out,
                                     struct haul_error *err)
{
    char text[NUMBER_TEXT_BYTES];
    int128_t value;
    memcpy(&value, encoder->values.values + (size_t)at * sizeof value, sizeof value);
    return put(out, text, number_print_decimal(value, encoder->values.field->scale, text), err);
}

static enum haul_code encode_bool(struct encoder *encoder, int64_t at, struct buffer *out,
                                  struct haul_error *err)
{
    return put(out, bit_get(encoder->values.values, at) ? "1" : "0", 1, err);
}

/* ---- moments ---- */

static bool year_fits(int64_t days)
{
    int64_t year;
    int month, day;
    calendar_civil(days, &year, &month, &day);
    return year >= 1 && year <= YEAR_MAX;
}

static enum haul_code encode_date(struct encoder *encoder, int64_t at, struct buffer *out,
                                  struct haul_error *err)
{
    char text[CALENDAR_TEXT_BYTES];
    int32_t days = ((const int32_t *)(const void *)encoder->values.values)[at];
    if (!year_fits(days))
        return misfit(encoder, "MySQL's dates are of the years 1 to 9999");
    return put(out, text, calendar_print_date(days, text), err);
}

static enum haul_code encode_moment(struct encoder *encoder, int64_t at, struct buffer *out,
                                    struct haul_error *err)
{
    char text[CALENDAR_TEXT_BYTES];
    int64_t us = ((const int64_t *)(const void *)encoder->values.values)[at];
    int64_t days = us / DAY_US - (us % DAY_US < 0);
    if (!year_fits(days))
        return misfit(encoder, "MySQL's dates are of the years 1 to 9999");
    if (us % encoder->coarse_us)
        return misfit(encoder, "the column keeps fewer digits of a second's fraction");
    return put(out, text, calendar_print_timestamp(us, TIME_MICRO, false, true, text), err);
}

static enum haul_code encode_time(struct encoder *encoder, int64_t at, struct buffer *out,
                                  struct haul_error *err)
{
    char text[CALENDAR_TEXT_BYTES];
    int64_t us = ((const int64_t *)(const void *)encoder->values.values)[at];
    if (us <= -TIME_MAX || us >= TIME_MAX)
        return misfit(encoder, "MySQL's times end at 838:59:59");
    if (us % encoder->coarse_us)
        return misfit(encoder, "the column keeps fewer digits of a second's fraction");
    int64_t size = us < 0 ? -us : us, seconds = size / SECOND_US;
    int length = snprintf(text, sizeof text, "%s%02lld:%02lld:%02lld.%06lld", us < 0 ? "-" : "",
                          (long long)(seconds / 3600), (long long)(seconds / 60 % 60),
                          (long long)(seconds % 60), (long long)(size % SECOND_US));
    return put(out, text, (size_t)length, err);
}

/* ---- bytes ---- */

static char escaped(uint8_t c)
{
    switch (c) {
    case '\\':
        return '\\';
    case '\t':
        return 't';
    case '\n':
        return 'n';
    case 0:
        return '0';
    default:
        return 0;
    }
}

static const uint8_t *value_of(const struct encoder *encoder, int64_t at, size_t *length)
{
    const struct view *view = &encoder->values;
    *length = (size_t)(view->offsets[at + 1] - view->offsets[at]);
    return view->data + view->offsets[at];
}

static enum haul_code encode_text(struct encoder *encoder, int64_t at, struct buffer *out,
                                  struct haul_error *err)
{
    size_t length;
    const uint8_t *text = value_of(encoder, at, &length);
    if (encoder->column->trimmed && length && text[length - 1] == ' ')
        return misfit(encoder, "a char column drops the spaces at the end");
    if (out->capacity < out->length + 2 * length + BUFFER_PADDING && buffer_reserve(out, 2 * length, err))
        return err->code;
    uint8_t *to = out->data + out->length;
    for (size_t i = 0; i < length; i++) {
        char escape = text[i] > '\n' && text[i] != '\\' ? 0 : escaped(text[i]);
        if (escape)
            *to++ = '\\';
        *to++ = escape ? (uint8_t)escape : text[i];
    }
    out->length = (size_t)(to - out->data);
    return HAUL_OK;
}

static enum haul_code put_hex(const uint8_t *data, size_t length, struct buffer *out, struct haul_error *err)
{
    static const char digits[] = "0123456789ABCDEF";
    if (out->capacity < out->length + 2 * length + BUFFER_PADDING && buffer_reserve(out, 2 * length, err))
        return err->code;
    uint8_t *to = out->data + out->length;
    for (size_t i = 0; i < length; i++) {
        *to++ = (uint8_t)digits[data[i] >> 4];
        *to++ = (uint8_t)digits[data[i] & 15];
    }
    out->length = (size_t)(to - out->data);
    return HAUL_OK;
}

static enum haul_code encode_hex(struct encoder *encoder, int64_t at, struct buffer *out,
                                 struct haul_error *err)
{
    size_t length;
    const uint8_t *data = value_of(encoder, at, &length);
    return put_hex(data, length, out, err);
}

/* WKB behind an SRID of 0: the server's own form. */
static enum haul_code encode_geometry(struct encoder *encoder, int64_t at, struct buffer *out,
                                      struct haul_error *err)
{
    return put(out, "00000000", 8, err) ? err->code : encode_hex(encoder, at, out, err);
}

static enum haul_code encode_fixed(struct encoder *encoder, int64_t at, struct buffer *out,
                                   struct haul_error *err)
{
    size_t width = (size_t)encoder->values.field->width;
    return put_hex(encoder->values.values + (size_t)at * width, width, out, err);
}

static enum haul_code encode_uuid(struct encoder *encoder, int64_t at, struct buffer *out,
                                  struct haul_error *err)
{
    char text[UUID_TEXT_BYTES];
    uuid_print(encoder->values.values + at * 16, text);
    return put(out, text, sizeof text, err);
}

/* ---- choosing ---- */

static const struct {
    enum type_id type;
    int form; /* -1: any */
    encode_fn encode;
} choices[] = {
    {TYPE_INT8, -1, encode_i8},
    {TYPE_INT16, -1, encode_i16},
    {TYPE_INT32, -1, encode_i32},
    {TYPE_INT64, -1, encode_i64},
    {TYPE_UINT8, -1, encode_u8},
    {TYPE_UINT16, -1, encode_u16},
    {TYPE_UINT32, -1, encode_u32},
    {TYPE_UINT64, -1, encode_u64},
    {TYPE_FLOAT32, -1, encode_f32},
    {TYPE_FLOAT64, -1, encode_f64},
    {TYPE_DECIMAL, -1, encode_decimal},
    {TYPE_BOOL, -1, encode_bool},
    {TYPE_DATE, -1, encode_date},
    {TYPE_TIMESTAMP, -1, encode_moment},
    {TYPE_TIME, -1, encode_time},
    {TYPE_DURATION, -1, encode_time},
    {TYPE_UTF8, -1, encode_text},
    {TYPE_BINARY, FORM_BYTES, encode_hex},
    {TYPE_BINARY, FORM_GEOMETRY, encode_geometry},
    {TYPE_FIXED_BINARY, FORM_BYTES, encode_fixed},
    {TYPE_FIXED_BINARY, FORM_UUID, encode_uuid},
};

enum haul_code my_encoder_choose(struct encoder *encoder, const struct sink_column *column,
                                 const struct field *field, struct haul_error *err)
{
    *encoder = (struct encoder){.column = column, .coarse_us = 1};
    for (int digits = column->digits; digits < 6; digits++)
        encoder->coarse_us *= 10;
    for (size_t i = 0; i < sizeof choices / sizeof *choices && !encoder->encode; i++)
        if (choices[i].type == field->type && (choices[i].form < 0 || choices[i].form == (int)column->form))
            encoder->encode = choices[i].encode;
    if (column->year)
        encoder->encode = encode_year;
    return encoder->encode ? HAUL_OK
                           : error_set(err, HAUL_INTERNAL, "column \"%s\": no way to write it", field->name);
}

enum haul_code my_encoder_view(struct encoder *encoder, const struct field *field,
                               const struct ArrowArray *array, struct haul_error *err)
{
    if (view_init(&encoder->view, field, array, err))
        return err->code;
    encoder->values = encoder->view;
    return encoder->view.indices ? view_dictionary(&encoder->view, &encoder->values, err) : HAUL_OK;
}

int64_t my_encoder_unsigned_zeros(const struct encoder *encoder)
{
    int64_t count = 0;
    enum type_id type = encoder->values.field->type;
    if (type != TYPE_FLOAT32 && type != TYPE_FLOAT64)
        return 0;
    for (int64_t i = 0; i < encoder->view.length; i++) {
        int64_t at = my_encoder_at(encoder, i);
        const uint8_t *values = encoder->values.values;
        double value = type == TYPE_FLOAT32 ? (double)((const float *)(const void *)values)[at]
                                            : ((const double *)(const void *)values)[at];
        count += value == 0 && signbit(value) && !view_is_null(&encoder->view, i);
    }
    return count;
}
