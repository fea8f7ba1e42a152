/*
 * bind.c: values of ours become values of SQLite, exactly or not at all.
 *
 * What SQLite would change without a word, and what is done about it:
 *  - NaN is stored as NULL, and -0.0 in a REAL or NUMERIC column as 0.0: a
 *    counted loss, with --strict an error;
 *  - text that looks like a number becomes one in a NUMERIC column: a misfit;
 *  - a decimal in a NUMERIC column becomes a double: bound as an integer or as
 *    a double of at most 15 digits, else a misfit;
 *  - uint64 beyond int64 in a NUMERIC column becomes a double: a misfit.
 * Types without a class of their own (dates, times, decimals, uint64) are bound as
 * their text, the one view_print gives.
 */
#include "database/sqlite/bind.h"

#include "base/number.h"
#include <math.h>

#define DOUBLE_DIGITS 15

static enum haul_code bound(int rc, struct haul_error *err)
{
    if (rc == SQLITE_OK)
        return HAUL_OK;
    if (rc == SQLITE_TOOBIG)
        return error_set(err, HAUL_LIMIT, "a value is larger than SQLite allows (1,000,000,000 bytes)");
    return rc == SQLITE_NOMEM ? error_nomem(err, "a value")
                              : error_set(err, HAUL_INTERNAL, "binding failed: %s", sqlite3_errstr(rc));
}

static enum haul_code misfits(const char **misfit, const char *reason)
{
    *misfit = reason;
    return HAUL_OK;
}

static bool makes_numbers(const struct bind *bind)
{
    return bind->affinity != AFFINITY_TEXT && bind->affinity != AFFINITY_BLOB;
}

/* ---- integers ---- */

#define BIND_INTEGER(name, type)                                                                             \
    static enum haul_code name(struct bind *bind, sqlite3_stmt *statement, int64_t i, const char **misfit,   \
                               struct haul_error *err)                                                       \
    {                                                                                                        \
        (void)misfit;                                                                                        \
        type value;                                                                                          \
        memcpy(&value, bind->values.values + (size_t)i * sizeof value, sizeof value);                        \
        return bound(sqlite3_bind_int64(statement, bind->place, value), err);                                \
    }

BIND_INTEGER(bind_i8, int8_t)
BIND_INTEGER(bind_i16, int16_t)
BIND_INTEGER(bind_i32, int32_t)
BIND_INTEGER(bind_i64, int64_t)
BIND_INTEGER(bind_u8, uint8_t)
BIND_INTEGER(bind_u16, uint16_t)
BIND_INTEGER(bind_u32, uint32_t)

static enum haul_code bind_bool(struct bind *bind, sqlite3_stmt *statement, int64_t i, const char **misfit,
                                struct haul_error *err)
{
    (void)misfit;
    return bound(sqlite3_bind_int(statement, bind->place, bit_get(bind->values.values, i)), err);
}

/* ---- text ---- */

static enum haul_code bind_printed(struct bind *bind, sqlite3_stmt *statement, int64_t i, const char **misfit,
                                   struct haul_error *err)
{
    (void)misfit;
    buffer_clear(&bind->text);
    if (view_print(&bind->values, i, &bind->text, err))
        return err->code;
    return bound(sqlite3_bind_text64(statement, bind->place, (const char *)bind->text.data, bind->text.length,
                                     SQLITE_STATIC, SQLITE_UTF8),
                 err);
}

static enum haul_code bind_u64(struct bind *bind, sqlite3_stmt *statement, int64_t i, const char **misfit,
                               struct haul_error *err)
{
    if (!makes_numbers(bind))
        return bind_printed(bind, statement, i, misfit, err);
    uint64_t value;
    memcpy(&value, bind->values.values + (size_t)i * sizeof value, sizeof value);
    if (value > INT64_MAX)
        return misfits(misfit, "it is larger than SQLite's integers");
    return bound(sqlite3_bind_int64(statement, bind->place, (int64_t)value), err);
}

static const uint8_t *bytes_at(const struct bind *bind, int64_t i, size_t *length)
{
    static const uint8_t nothing[1] = {0}; /* a null pointer would bind NULL */
    int32_t from = bind->values.offsets[i];
    *length = (size_t)(bind->values.offsets[i + 1] - from);
    return *length ? bind->values.data + from : nothing;
}

static enum haul_code bind_text(struct bind *bind, sqlite3_stmt *statement, int64_t i, const char **misfit,
                                struct haul_error *err)
{
    (void)misfit;
    size_t length;
    const uint8_t *data = bytes_at(bind, i, &length);
    return bound(
        sqlite3_bind_text64(statement, bind->place, (const char *)data, length, SQLITE_STATIC, SQLITE_UTF8),
        err);
}

/* Would SQLite take the text for a number? Blanks around are allowed there. More
 * is called a number here than there ("inf"), never less. */
static bool looks_numeric(const uint8_t *data, size_t length)
{
    double value;
    while (length && (data[0] == ' ' || (data[0] >= '\t' && data[0] <= '\r'))) {
        data++;
        length--;
    }
    while (length && (data[length - 1] == ' ' || (data[length - 1] >= '\t' && data[length - 1] <= '\r')))
        length--;
    return length && (strchr("+-.", data[0]) || (data[0] >= '0' && data[0] <= '9')) &&
           number_parse_f64((const char *)data, length, &value);
}

static enum haul_code bind_careful_text(struct bind *bind, sqlite3_stmt *statement, int64_t i,
                                        const char **misfit, struct haul_error *err)
{
    size_t length;
    const uint8_t *data = bytes_at(bind, i, &length);
    if (looks_numeric(data, length))
        return misfits(misfit, "the column would turn this text into a number; declare it TEXT");
    return bind_text(bind, statement, i, misfit, err);
}

/* ---- bytes ---- */

static enum haul_code bind_blob(struct bind *bind, sqlite3_stmt *statement, int64_t i, const char **misfit,
                                struct haul_error *err)
{
    (void)misfit;
    size_t length;
    const uint8_t *data = bytes_at(bind, i, &length);
    return bound(sqlite3_bind_blob64(statement, bind->place, data, length, SQLITE_STATIC), err);
}

static enum haul_code bind_fixed(struct bind *bind, sqlite3_stmt *statement, int64_t i, const char **misfit,
                                 struct haul_error *err)
{
    (void)misfit;
    size_t width = (size_t)bind->values.field->width;
    return bound(sqlite3_bind_blob64(statement, bind->place, bind->values.values + (size_t)i * width, width,
                                     SQLITE_STATIC),
                 err);
}

static enum haul_code bind_uuid_text(struct bind *bind, sqlite3_stmt *statement, int64_t i,
                                     const char **misfit, struct haul_error *err)
{
    static const char digits[] = "0123456789abcdef";
    const uint8_t *bytes = bind->values.values + (size_t)i * 16;
    char text[36], *out = text;
    (void)misfit;
    for (int byte = 0; byte < 16; byte++) {
        if (byte == 4 || byte == 6 || byte == 8 || byte == 10)
            *out++ = '-';
        *out++ = digits[bytes[byte] >> 4];
        *out++ = digits[bytes[byte] & 15];
    }
    return bound(
        sqlite3_bind_text64(statement, bind->place, text, sizeof text, SQLITE_TRANSIENT, SQLITE_UTF8), err);
}

/* ---- fractions ---- */

static enum haul_code bind_double(struct bind *bind, sqlite3_stmt *statement, double value,
                                  struct haul_error *err)
{
    const char *lost = isnan(value)                                          ? "NaN, stored as NULL"
                       : value == 0 && signbit(value) && makes_numbers(bind) ? "the sign of -0.0"
                                                                             : NULL;
    if (lost && collector_loss(bind->collector, bind->column, lost, 1, err))
        return err->code;
    return bound(sqlite3_bind_double(statement, bind->place, value), err);
}

static enum haul_code bind_f64(struct bind *bind, sqlite3_stmt *statement, int64_t i, const char **misfit,
                               struct haul_error *err)
{
    (void)misfit;
    double value;
    memcpy(&value, bind->values.values + (size_t)i * sizeof value, sizeof value);
    return bind_double(bind, statement, value, err);
}

static enum haul_code bind_f32(struct bind *bind, sqlite3_stmt *statement, int64_t i, const char **misfit,
                               struct haul_error *err)
{
    (void)misfit;
    float value;
    memcpy(&value, bind->values.values + (size_t)i * sizeof value, sizeof value);
    return bind_double(bind, statement, (double)value, err);
}

/* A decimal in a column that keeps numbers only. The quotient of two integers
 * below 2^53 and 10^22 is the nearest double, so its shortest text is the decimal. */
static enum haul_code bind_decimal(struct bind *bind, sqlite3_stmt *statement, int64_t i, const char **misfit,
                                   struct haul_error *err)
{
    int scale = bind->values.field->scale;
    int128_t value;
    memcpy(&value, bind->values.values + (size_t)i * sizeof value, sizeof value);
    for (; scale && value % 10 == 0; scale--)
        value /= 10;
    if (!scale && value >= INT64_MIN && value <= INT64_MAX)
        return bound(sqlite3_bind_int64(statement, bind->place, (int64_t)value), err);
    if (!number_decimal_fits(value, DOUBLE_DIGITS) || scale > 22)
        return misfits(misfit,
                       "it has more than 15 digits, which the column would round; declare it DECIMAL_TEXT");
    return bound(sqlite3_bind_double(statement, bind->place, (double)value / (double)number_power10(scale)),
                 err);
}

static enum haul_code bind_decimal_text(struct bind *bind, sqlite3_stmt *statement, int64_t i,
                                        const char **misfit, struct haul_error *err)
{
    return makes_numbers(bind) ? bind_decimal(bind, statement, i, misfit, err)
                               : bind_printed(bind, statement, i, misfit, err);
}

static enum haul_code bind_null(struct bind *bind, sqlite3_stmt *statement, int64_t i, const char **misfit,
                                struct haul_error *err)
{
    (void)i;
    (void)misfit;
    return bound(sqlite3_bind_null(statement, bind->place), err);
}

/* ---- choosing ---- */

enum haul_code sqlite_bind_choose(struct bind *bind, const struct field *field, bool uuid_text,
                                  struct haul_error *err)
{
    static const bind_fn by_type[TYPE_COUNT] = {[TYPE_NULL] = bind_null,
                                                [TYPE_BOOL] = bind_bool,
                                                [TYPE_INT8] = bind_i8,
                                                [TYPE_INT16] = bind_i16,
                                                [TYPE_INT32] = bind_i32,
                                                [TYPE_INT64] = bind_i64,
                                                [TYPE_UINT8] = bind_u8,
                                                [TYPE_UINT16] = bind_u16,
                                                [TYPE_UINT32] = bind_u32,
                                                [TYPE_UINT64] = bind_u64,
                                                [TYPE_FLOAT32] = bind_f32,
                                                [TYPE_FLOAT64] = bind_f64,
                                                [TYPE_DECIMAL] = bind_decimal_text,
                                                [TYPE_DATE] = bind_printed,
                                                [TYPE_TIME] = bind_printed,
                                                [TYPE_TIMESTAMP] = bind_printed,
                                                [TYPE_DURATION] = bind_i64,
                                                [TYPE_UTF8] = bind_text,
                                                [TYPE_BINARY] = bind_blob,
                                                [TYPE_FIXED_BINARY] = bind_fixed};
    bind->put = by_type[field->type];
    if (!bind->put)
        return error_set(err, HAUL_INTERNAL, "column \"%s\": SQLite has no place for %s", field->name,
                         type_table[field->type].name);
    if (field->type == TYPE_UTF8 && makes_numbers(bind))
        bind->put = bind_careful_text;
    if (field->type == TYPE_FIXED_BINARY && field->extension && field->width == 16 && uuid_text &&
        !strcmp(field->extension, "arrow.uuid"))
        bind->put = bind_uuid_text;
    return HAUL_OK;
}

enum haul_code sqlite_bind_view(struct bind *bind, const struct field *field, const struct ArrowArray *array,
                                struct haul_error *err)
{
    if (view_init(&bind->view, field, array, err))
        return err->code;
    bind->values = bind->view;
    return bind->view.indices ? view_dictionary(&bind->view, &bind->values, err) : HAUL_OK;
}
