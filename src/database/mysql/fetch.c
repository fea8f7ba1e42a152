/*
 * fetch.c: one function per form and width.
 *
 * The text protocol: the library's part costs the same for both (docs/mysql.md),
 * and here a value of any length lies in the row, with no bound buffer to grow.
 *
 * Dates: MySQL may hold '0000-00-00' and dates with a zero month or day. They
 * mean nothing elsewhere and are refused. TIME goes from -838:59:59 to 838:59:59;
 * as a time of day only what is within a day fits.
 */
#include "database/mysql/fetch.h"

#include "batch/text.h"
#include <string.h>

#define DAY_US    86400000000LL
#define SECOND_US 1000000LL

static void close_row(struct builder *builder)
{
    if (builder->validity.length)
        bit_set(builder->validity.data, builder->length);
    builder->length++;
}

#define PUT(type, value)                                                                                     \
    ((type *)(void *)fetch->builder->values.data)[fetch->builder->length] = (type)(value);                   \
    close_row(fetch->builder);                                                                               \
    return HAUL_OK

static enum haul_code misfit(struct fetch *fetch, const char *why)
{
    fetch->misfit = why;
    return HAUL_OK;
}

/* ---- numbers ---- */

#define WHOLE(name, type, low, high)                                                                         \
    static enum haul_code name(struct fetch *fetch, const char *text, size_t length, struct haul_error *err) \
    {                                                                                                        \
        int64_t value;                                                                                       \
        (void)err;                                                                                           \
        if (!number_parse_i64(text, length, &value) || value < (low) || value > (high))                      \
            return misfit(fetch, "the server's number is not one of this type");                             \
        PUT(type, value);                                                                                    \
    }
WHOLE(fetch_i8, int8_t, INT8_MIN, INT8_MAX)
WHOLE(fetch_i16, int16_t, INT16_MIN, INT16_MAX)
WHOLE(fetch_i32, int32_t, INT32_MIN, INT32_MAX)
WHOLE(fetch_i64, int64_t, INT64_MIN, INT64_MAX)
WHOLE(fetch_u8, uint8_t, 0, UINT8_MAX)
WHOLE(fetch_u16, uint16_t, 0, UINT16_MAX)
WHOLE(fetch_u32, uint32_t, 0, UINT32_MAX)

static enum haul_code fetch_u64(struct fetch *fetch, const char *text, size_t length, struct haul_error *err)
{
    uint64_t value;
    (void)err;
    if (!number_parse_u64(text, length, &value))
        return misfit(fetch, "the server's number is not one of this type");
    PUT(uint64_t, value);
}

static enum haul_code fetch_f32(struct fetch *fetch, const char *text, size_t length, struct haul_error *err)
{
    double value;
    (void)err;
    if (!number_parse_f64(text, length, &value))
        return misfit(fetch, "the server's number is none");
    PUT(float, value);
}

static enum haul_code fetch_f64(struct fetch *fetch, const char *text, size_t length, struct haul_error *err)
{
    double value;
    (void)err;
    if (!number_parse_f64(text, length, &value))
        return misfit(fetch, "the server's number is none");
    PUT(double, value);
}

static enum haul_code fetch_decimal(struct fetch *fetch, const char *text, size_t length,
                                    struct haul_error *err)
{
    const struct field *field = fetch->builder->field;
    int128_t value;
    (void)err;
    if (!number_parse_decimal(text, length, field->precision, field->scale, &value))
        return misfit(fetch, "the server's number has more digits than its type");
    memcpy(fetch->builder->values.data + (size_t)fetch->builder->length * sizeof value, &value, sizeof value);
    close_row(fetch->builder);
    return HAUL_OK;
}

static uint64_t bits_value(const char *text, size_t length)
{
    uint64_t value = 0;
    for (size_t i = 0; i < length; i++)
        value = value << 8 | (uint8_t)text[i];
    return value;
}

static enum haul_code fetch_bits(struct fetch *fetch, const char *text, size_t length, struct haul_error *err)
{
    (void)err;
    if (length > 8)
        return misfit(fetch, "more than 64 bits");
    PUT(uint64_t, bits_value(text, length));
}

static enum haul_code fetch_bool(struct fetch *fetch, const char *text, size_t length, struct haul_error *err)
{
    return builder_append_bool(fetch->builder, bits_value(text, length) != 0, err);
}

/* ---- moments ---- */

static bool two_digits(const char *text, int *value)
{
    unsigned high = (unsigned)(uint8_t)text[0] - '0', low = (unsigned)(uint8_t)text[1] - '0';
    *value = (int)(high * 10 + low);
    return high <= 9 && low <= 9;
}

/* "2024-02-29", ten characters; why not in *why. */
static bool read_date(const char *text, int64_t *days, const char **why)
{
    int century, year, month, day;
    *why = "the server's date is none";
    if (!two_digits(text, &century) || !two_digits(text + 2, &year) || text[4] != '-' ||
        !two_digits(text + 5, &month) || text[7] != '-' || !two_digits(text + 8, &day))
        return false;
    year += century * 100;
    if (!month || !day) {
        *why = "a zero date, or one with a zero month or day, is no date";
        return false;
    }
    if (!calendar_valid(year, month, day)) {
        *why = "a date that is not in the calendar";
        return false;
    }
    *days = calendar_days(year, month, day);
    return true;
}

/* ":MM:SS[.ffffff]" behind the hours, in microseconds. */
static bool read_minutes(const char *text, size_t length, int64_t *us)
{
    int minute, second;
    int64_t fraction = 0, weight = SECOND_US;
    if (length < 6 || text[0] != ':' || text[3] != ':' || !two_digits(text + 1, &minute) ||
        !two_digits(text + 4, &second) || (length > 6 && text[6] != '.') || length > 13)
        return false;
    for (size_t i = 7; i < length; i++) {
        unsigned digit = (unsigned)(uint8_t)text[i] - '0';
        if (digit > 9)
            return false;
        weight /= 10;
        fraction += digit * weight;
    }
    *us = (minute * 60 + second) * SECOND_US + fraction;
    return minute < 60 && second < 60;
}

static enum haul_code fetch_date(struct fetch *fetch, const char *text, size_t length, struct haul_error *err)
{
    int64_t days;
    const char *why = "the server's date is none";
    (void)err;
    if (length != 10 || !read_date(text, &days, &why))
        return misfit(fetch, why);
    PUT(int32_t, days);
}

static enum haul_code fetch_moment(struct fetch *fetch, const char *text, size_t length,
                                   struct haul_error *err)
{
    int64_t days, us;
    int hour;
    const char *why = "the server's date is none";
    (void)err;
    if (length < 19 || !read_date(text, &days, &why))
        return misfit(fetch, why);
    if (text[10] != ' ' || !two_digits(text + 11, &hour) || hour > 23 ||
        !read_minutes(text + 13, length - 13, &us))
        return misfit(fetch, "the server's time is none");
    PUT(int64_t, days * DAY_US + hour * 3600 * SECOND_US + us);
}

static bool read_time(const char *text, size_t length, int64_t *us)
{
    bool negative = length && *text == '-';
    int64_t hours = 0;
    size_t at = negative, digits = at;
    for (; at < length && (unsigned)(uint8_t)text[at] - '0' <= 9 && at < 5; at++)
        hours = hours * 10 + text[at] - '0';
    if (at == digits || !read_minutes(text + at, length - at, us))
        return false;
    *us += hours * 3600 * SECOND_US;
    *us = negative ? -*us : *us;
    return true;
}

static enum haul_code fetch_time(struct fetch *fetch, const char *text, size_t length, struct haul_error *err)
{
    int64_t us;
    (void)err;
    if (!read_time(text, length, &us))
        return misfit(fetch, "the server's time is none");
    if (us < 0 || us >= DAY_US)
        return misfit(fetch, "a time beyond a day is no time of day; read it as --schema NAME:duration[us]");
    PUT(int64_t, us);
}

static enum haul_code fetch_duration(struct fetch *fetch, const char *text, size_t length,
                                     struct haul_error *err)
{
    int64_t us;
    (void)err;
    if (!read_time(text, length, &us))
        return misfit(fetch, "the server's time is none");
    PUT(int64_t, us);
}

/* ---- bytes ---- */

static enum haul_code fetch_bytes(struct fetch *fetch, const char *text, size_t length,
                                  struct haul_error *err)
{
    struct builder *builder = fetch->builder;
    struct buffer *data = &builder->data;
    int32_t *offsets = (int32_t *)(void *)builder->offsets.data;
    size_t end = (size_t)offsets[builder->length];
    if (length > INT32_MAX - end)
        return builder_append_bytes(builder, text, length, err); /* says what is wrong */
    if (data->capacity < end + length + BUFFER_PADDING && builder_reserve(builder, 1, length, err))
        return err->code;
    memcpy(data->data + end, text, length);
    offsets = (int32_t *)(void *)builder->offsets.data;
    offsets[builder->length + 1] = (int32_t)(end + length);
    close_row(builder);
    return HAUL_OK;
}

static enum haul_code fetch_fixed(struct fetch *fetch, const char *text, size_t length,
                                  struct haul_error *err)
{
    if (length != (size_t)fetch->builder->field->width)
        return misfit(fetch, "its length is not that of its type");
    return builder_append_bytes(fetch->builder, text, length, err);
}

static enum haul_code fetch_uuid(struct fetch *fetch, const char *text, size_t length, struct haul_error *err)
{
    uint8_t bytes[16];
    if (!uuid_parse(text, length, bytes))
        return misfit(fetch, "no UUID");
    return builder_append_bytes(fetch->builder, bytes, sizeof bytes, err);
}

static enum haul_code fetch_geometry(struct fetch *fetch, const char *text, size_t length,
                                     struct haul_error *err)
{
    static const char plain[4];
    if (length < 4)
        return misfit(fetch, "no geometry");
    if (memcmp(text, plain, 4) != 0)
        return misfit(fetch,
                      "a geometry with an SRID, which WKB cannot say; use ST_AsText or ST_SRID in a --query");
    return fetch_bytes(fetch, text + 4, length - 4, err);
}

/* ---- choosing ---- */

static fetch_fn whole_fetch(enum type_id type)
{
    static const fetch_fn by_type[TYPE_COUNT] = {
        [TYPE_INT8] = fetch_i8,    [TYPE_INT16] = fetch_i16,  [TYPE_INT32] = fetch_i32,
        [TYPE_INT64] = fetch_i64,  [TYPE_UINT8] = fetch_u8,   [TYPE_UINT16] = fetch_u16,
        [TYPE_UINT32] = fetch_u32, [TYPE_UINT64] = fetch_u64,
    };
    return by_type[type];
}

enum haul_code my_fetch_choose(struct fetch *fetch, enum form form, struct builder *builder,
                               struct haul_error *err)
{
    static const struct {
        enum form form;
        enum type_id type;
        fetch_fn append;
    } table[] = {{FORM_FLOAT, TYPE_FLOAT32, fetch_f32},        {FORM_DOUBLE, TYPE_FLOAT64, fetch_f64},
                 {FORM_DECIMAL, TYPE_DECIMAL, fetch_decimal},  {FORM_BOOL, TYPE_BOOL, fetch_bool},
                 {FORM_BITS, TYPE_UINT64, fetch_bits},         {FORM_DATE, TYPE_DATE, fetch_date},
                 {FORM_TIME, TYPE_TIME, fetch_time},           {FORM_TIME, TYPE_DURATION, fetch_duration},
                 {FORM_MOMENT, TYPE_TIMESTAMP, fetch_moment},  {FORM_TEXT, TYPE_UTF8, fetch_bytes},
                 {FORM_BYTES, TYPE_BINARY, fetch_bytes},       {FORM_BYTES, TYPE_FIXED_BINARY, fetch_fixed},
                 {FORM_GEOMETRY, TYPE_BINARY, fetch_geometry}, {FORM_UUID, TYPE_FIXED_BINARY, fetch_uuid}};
    *fetch = (struct fetch){.builder = builder};
    if (form == FORM_INT || form == FORM_UINT)
        fetch->append = whole_fetch(builder->field->type);
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if (table[i].form == form && table[i].type == builder->field->type)
            fetch->append = table[i].append;
    return fetch->append
               ? HAUL_OK
               : error_set(err, HAUL_INTERNAL, "column \"%s\": no way to read it", builder->field->name);
}
