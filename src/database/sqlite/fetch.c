/*
 * fetch.c: values of SQLite become values of ours, exactly or not at all.
 *
 * SQLite has five storage classes and any column may hold all of them. What is
 * exact, per class:
 *  - an integer or a whole real in an integer column, within its range;
 *  - an integer in a float column when the double converts back;
 *  - a real in a decimal column when its shortest decimal text, which by
 *    definition converts back to the same double, has no more digits than the
 *    type;
 *  - text in a date or time column when the printed value has the same digits:
 *    the space may be a T, zeros may follow the fraction, the zone is Z or none;
 *  - numbers as text only when the user named the type, and not infinities,
 *    which are spelled like words.
 * Text must be UTF-8 (SQLite does not look); NULs inside are kept. A UTF-16
 * database is looked at before SQLite converts, for it turns lone surrogates
 * into other characters without a word.
 */
#include "database/sqlite/fetch.h"

#include "base/unicode.h"
#include <math.h>

#define UUID_TEXT_BYTES 36

struct text {
    const char *data;
    size_t length;
};

const char *sqlite_class_name(int class)
{
    static const char *const names[] = {[SQLITE_INTEGER] = "an integer",
                                        [SQLITE_FLOAT] = "a real",
                                        [SQLITE_TEXT] = "a text",
                                        [SQLITE_BLOB] = "a blob",
                                        [SQLITE_NULL] = "NULL"};
    return names[class];
}

static enum haul_code misfits(const char **misfit, const char *reason)
{
    *misfit = reason;
    return HAUL_OK;
}

/* ---- text ---- */

static bool has_lone_surrogate(const uint16_t *units, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if ((units[i] & 0xf800) != 0xd800)
            continue;
        if (units[i] >= 0xdc00 || i + 1 == count || (units[i + 1] & 0xfc00) != 0xdc00)
            return true;
        i++;
    }
    return false;
}

static enum haul_code get_text(const struct fetch *fetch, sqlite3_stmt *statement, struct text *text,
                               const char **misfit, struct haul_error *err)
{
    if (fetch->wide) {
        const uint16_t *units = sqlite3_column_text16(statement, fetch->place);
        size_t count = (size_t)sqlite3_column_bytes16(statement, fetch->place) / 2;
        if (units && has_lone_surrogate(units, count))
            return misfits(misfit, "the text is not valid UTF-16");
    }
    text->data = (const char *)sqlite3_column_text(statement, fetch->place);
    text->length = (size_t)sqlite3_column_bytes(statement, fetch->place);
    if (!text->data)
        return error_nomem(err, "a value");
    if (!unicode_is_valid((const uint8_t *)text->data, text->length))
        return misfits(misfit, "the text is not valid UTF-8");
    return HAUL_OK;
}

static enum haul_code append_number_text(const struct fetch *fetch, sqlite3_stmt *statement, int class,
                                         const char **misfit, struct haul_error *err)
{
    char text[NUMBER_TEXT_BYTES];
    if (class == SQLITE_INTEGER)
        return builder_append_bytes(
            fetch->builder, text, number_print_i64(sqlite3_column_int64(statement, fetch->place), text), err);
    double value = sqlite3_column_double(statement, fetch->place);
    if (!isfinite(value))
        return misfits(misfit, "an infinity has no unambiguous text");
    return builder_append_bytes(fetch->builder, text, number_print_f64(value, text), err);
}

static enum haul_code append_utf8(const struct fetch *fetch, sqlite3_stmt *statement, int class,
                                  const char **misfit, struct haul_error *err)
{
    if (class == SQLITE_TEXT) {
        struct text text = {0};
        enum haul_code code = get_text(fetch, statement, &text, misfit, err);
        if (code || *misfit)
            return code;
        return builder_append_bytes(fetch->builder, text.data, text.length, err);
    }
    bool is_json = fetch->builder->field->extension; /* a number is JSON too */
    if (class == SQLITE_BLOB || !(fetch->forced || is_json))
        return misfits(misfit, "it is not text");
    return append_number_text(fetch, statement, class, misfit, err);
}

/* ---- bytes ---- */

static enum haul_code append_binary(const struct fetch *fetch, sqlite3_stmt *statement, int class,
                                    const char **misfit, struct haul_error *err)
{
    if (class != SQLITE_BLOB && !(fetch->forced && class == SQLITE_TEXT))
        return misfits(misfit, "it is not a blob");
    const void *data = sqlite3_column_blob(statement, fetch->place);
    size_t length = (size_t)sqlite3_column_bytes(statement, fetch->place);
    if (!data && length)
        return error_nomem(err, "a value");
    if (fetch->builder->field->type == TYPE_FIXED_BINARY && length != (size_t)fetch->builder->field->width)
        return misfits(misfit, "it has another number of bytes");
    return builder_append_bytes(fetch->builder, data, length, err);
}

static int hex_digit(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Lower case only, as it is printed. */
static bool parse_uuid(struct text text, uint8_t out[16])
{
    if (text.length != UUID_TEXT_BYTES)
        return false;
    for (size_t i = 0, byte = 0; i < UUID_TEXT_BYTES; i += 2, byte++) {
        if (i == 8 || i == 13 || i == 18 || i == 23)
            if (text.data[i++] != '-')
                return false;
        int high = hex_digit(text.data[i]), low = hex_digit(text.data[i + 1]);
        if (high < 0 || low < 0)
            return false;
        out[byte] = (uint8_t)(high << 4 | low);
    }
    return true;
}

static enum haul_code append_uuid(const struct fetch *fetch, sqlite3_stmt *statement, int class,
                                  const char **misfit, struct haul_error *err)
{
    if (class == SQLITE_BLOB)
        return append_binary(fetch, statement, class, misfit, err);
    struct text text = {0};
    uint8_t bytes[16];
    if (class != SQLITE_TEXT)
        return misfits(misfit, "it is not a UUID");
    enum haul_code code = get_text(fetch, statement, &text, misfit, err);
    if (code || *misfit)
        return code;
    if (!parse_uuid(text, bytes))
        return misfits(misfit, "it is not a UUID in its lower case form");
    return builder_append_bytes(fetch->builder, bytes, sizeof bytes, err);
}

/* ---- numbers ---- */

static bool in_range(enum type_id type, int64_t value)
{
    static const int64_t low[TYPE_COUNT] = {[TYPE_INT8] = INT8_MIN,
                                            [TYPE_INT16] = INT16_MIN,
                                            [TYPE_INT32] = INT32_MIN,
                                            [TYPE_INT64] = INT64_MIN,
                                            [TYPE_DURATION] = INT64_MIN};
    static const int64_t high[TYPE_COUNT] = {
        [TYPE_INT8] = INT8_MAX,     [TYPE_INT16] = INT16_MAX,  [TYPE_INT32] = INT32_MAX,
        [TYPE_INT64] = INT64_MAX,   [TYPE_UINT8] = UINT8_MAX,  [TYPE_UINT16] = UINT16_MAX,
        [TYPE_UINT32] = UINT32_MAX, [TYPE_UINT64] = INT64_MAX, [TYPE_DURATION] = INT64_MAX};
    return value >= low[type] && value <= high[type];
}

static enum haul_code append_ranged(const struct fetch *fetch, int64_t value, const char **misfit,
                                    struct haul_error *err)
{
    if (!in_range(fetch->builder->field->type, value))
        return misfits(misfit, "it is out of range");
    return builder_append_i64(fetch->builder, value, err);
}

/* Digits that print back the same. */
static enum haul_code append_integer_text(const struct fetch *fetch, sqlite3_stmt *statement,
                                          const char **misfit, struct haul_error *err)
{
    struct text text = {0};
    char again[NUMBER_TEXT_BYTES];
    enum haul_code code = get_text(fetch, statement, &text, misfit, err);
    if (code || *misfit)
        return code;
    uint64_t large;
    if (fetch->builder->field->type == TYPE_UINT64 && number_parse_u64(text.data, text.length, &large) &&
        number_print_u64(large, again) == text.length && !memcmp(again, text.data, text.length))
        return builder_append_i64(fetch->builder, (int64_t)large, err);
    int64_t value;
    if (!number_parse_i64(text.data, text.length, &value) || number_print_i64(value, again) != text.length ||
        memcmp(again, text.data, text.length))
        return misfits(misfit, "it is text, not a whole number");
    return append_ranged(fetch, value, misfit, err);
}

static enum haul_code append_integer(const struct fetch *fetch, sqlite3_stmt *statement, int class,
                                     const char **misfit, struct haul_error *err)
{
    if (class == SQLITE_INTEGER)
        return append_ranged(fetch, sqlite3_column_int64(statement, fetch->place), misfit, err);
    if (class == SQLITE_TEXT && (fetch->forced || fetch->builder->field->type == TYPE_UINT64))
        return append_integer_text(fetch, statement, misfit, err);
    double value = class == SQLITE_FLOAT ? sqlite3_column_double(statement, fetch->place) : NAN;
    bool whole =
        value >= -0x1p63 && value < 0x1p63 && value == trunc(value) && !(value == 0 && signbit(value));
    if (!whole)
        return misfits(misfit, "it is not a whole number");
    return append_ranged(fetch, (int64_t)value, misfit, err);
}

/* The hot case has nothing to look at. */
static enum haul_code append_int64(const struct fetch *fetch, sqlite3_stmt *statement, int class,
                                   const char **misfit, struct haul_error *err)
{
    if (class == SQLITE_INTEGER)
        return builder_append_i64(fetch->builder, sqlite3_column_int64(statement, fetch->place), err);
    return append_integer(fetch, statement, class, misfit, err);
}

static enum haul_code append_bool(const struct fetch *fetch, sqlite3_stmt *statement, int class,
                                  const char **misfit, struct haul_error *err)
{
    int64_t value = class == SQLITE_INTEGER ? sqlite3_column_int64(statement, fetch->place) : -1;
    if (value != 0 && value != 1)
        return misfits(misfit, "it is neither 0 nor 1");
    return builder_append_bool(fetch->builder, value, err);
}

static bool double_of_integer(int64_t value, double *out)
{
    *out = (double)value;
    return *out < 0x1p63 && (int64_t)*out == value;
}

/* Text that prints back the same, when the user named the type. */
static enum haul_code double_of_text(const struct fetch *fetch, sqlite3_stmt *statement, double *out,
                                     const char **misfit, struct haul_error *err)
{
    struct text text = {0};
    char again[NUMBER_TEXT_BYTES];
    enum haul_code code = get_text(fetch, statement, &text, misfit, err);
    if (code || *misfit)
        return code;
    if (!number_parse_f64(text.data, text.length, out) || number_print_f64(*out, again) != text.length ||
        memcmp(again, text.data, text.length))
        return misfits(misfit, "it is text, not a number in its shortest form");
    return HAUL_OK;
}

static enum haul_code append_float(const struct fetch *fetch, sqlite3_stmt *statement, int class,
                                   const char **misfit, struct haul_error *err)
{
    double value = 0;
    if (class == SQLITE_FLOAT)
        value = sqlite3_column_double(statement, fetch->place);
    else if (class == SQLITE_TEXT && fetch->forced) {
        enum haul_code code = double_of_text(fetch, statement, &value, misfit, err);
        if (code || *misfit)
            return code;
    } else if (class != SQLITE_INTEGER)
        return misfits(misfit, "it is not a number");
    else if (!double_of_integer(sqlite3_column_int64(statement, fetch->place), &value))
        return misfits(misfit, "the integer has no exact double");
    if (fetch->builder->field->type == TYPE_FLOAT32 && !isnan(value) && (double)(float)value != value)
        return misfits(misfit, "it has more digits than a float32");
    return builder_append_f64(fetch->builder, value, err);
}

static enum haul_code append_decimal(const struct fetch *fetch, sqlite3_stmt *statement, int class,
                                     const char **misfit, struct haul_error *err)
{
    char number[NUMBER_TEXT_BYTES];
    struct text text = {.data = number};
    if (class == SQLITE_INTEGER)
        text.length = number_print_i64(sqlite3_column_int64(statement, fetch->place), number);
    else if (class == SQLITE_FLOAT)
        text.length = number_print_f64(sqlite3_column_double(statement, fetch->place), number);
    else if (class == SQLITE_BLOB)
        return misfits(misfit, "it is not a number");
    else {
        enum haul_code code = get_text(fetch, statement, &text, misfit, err);
        if (code || *misfit)
            return code;
    }
    const struct field *field = fetch->builder->field;
    int128_t value;
    if (!number_parse_decimal(text.data, text.length, field->precision, field->scale, &value))
        return misfits(misfit, "it is no number of so many digits");
    return builder_append_decimal(fetch->builder, value, err);
}

/* ---- dates and times ---- */

/* The length without the zeros that end a fraction, and without its empty rest. */
static size_t without_zeros(const char *text, size_t length)
{
    if (!memchr(text, '.', length))
        return length;
    while (text[length - 1] == '0')
        length--;
    return text[length - 1] == '.' ? length - 1 : length;
}

/* Is `text` what was printed, but for zeros that end the fraction, and a T? */
static bool same_digits(struct text text, const char *printed, size_t length)
{
    length = without_zeros(printed, length);
    if (without_zeros(text.data, text.length) != length)
        return false;
    for (size_t i = 0; i < length; i++)
        if (text.data[i] != printed[i] && !(printed[i] == ' ' && text.data[i] == 'T'))
            return false;
    return true;
}

/* Takes off the Z that an instant must have and a wall clock time must not. */
static bool take_zone(struct text *text, bool zoned)
{
    bool has = text->length && text->data[text->length - 1] == 'Z';
    text->length -= has;
    return has == zoned;
}

static bool parse_moment(const struct field *field, struct text text, int64_t *value)
{
    char printed[CALENDAR_TEXT_BYTES];
    size_t length = 0;
    if (field->type == TYPE_DATE) {
        if (!calendar_parse_date(text.data, text.length, value))
            return false;
        length = calendar_print_date(*value, printed);
    } else if (field->type == TYPE_TIME) {
        if (!calendar_parse_time(text.data, text.length, field->unit, value))
            return false;
        length = calendar_print_time(*value, field->unit, true, printed);
    } else {
        if (!take_zone(&text, field->timezone) ||
            !calendar_parse_moment(text.data, text.length, field->unit, value, NULL))
            return false;
        length = calendar_print_timestamp(*value, field->unit, false, true, printed);
    }
    return same_digits(text, printed, length);
}

static enum haul_code append_moment(const struct fetch *fetch, sqlite3_stmt *statement, int class,
                                    const char **misfit, struct haul_error *err)
{
    struct text text = {0};
    int64_t value;
    if (class != SQLITE_TEXT)
        return misfits(misfit, "it is not text in ISO form");
    enum haul_code code = get_text(fetch, statement, &text, misfit, err);
    if (code || *misfit)
        return code;
    if (!parse_moment(fetch->builder->field, text, &value))
        return misfits(misfit, "the text would not print back the same");
    return builder_append_i64(fetch->builder, value, err);
}

enum haul_code sqlite_fetch_choose(struct fetch *fetch, const struct field *field, struct haul_error *err)
{
    static const fetch_fn by_type[TYPE_COUNT] = {
        [TYPE_BOOL] = append_bool,          [TYPE_INT8] = append_integer,   [TYPE_INT16] = append_integer,
        [TYPE_INT32] = append_integer,      [TYPE_INT64] = append_int64,    [TYPE_UINT8] = append_integer,
        [TYPE_UINT16] = append_integer,     [TYPE_UINT32] = append_integer, [TYPE_UINT64] = append_integer,
        [TYPE_FLOAT32] = append_float,      [TYPE_FLOAT64] = append_float,  [TYPE_DECIMAL] = append_decimal,
        [TYPE_DATE] = append_moment,        [TYPE_TIME] = append_moment,    [TYPE_TIMESTAMP] = append_moment,
        [TYPE_DURATION] = append_integer,   [TYPE_UTF8] = append_utf8,      [TYPE_BINARY] = append_binary,
        [TYPE_FIXED_BINARY] = append_binary};
    fetch->append = field->type == TYPE_FIXED_BINARY && field->extension ? append_uuid : by_type[field->type];
    if (fetch->append)
        return HAUL_OK;
    char type[96];
    field_print_type(field, type, sizeof type);
    return error_set(err, HAUL_UNSUPPORTED, "column \"%s\": no value of SQLite can be read as %s",
                     field->name, type);
}
