/*
 * parse.c: builder_append_text, the text form of a value into a column
 * (docs/canonical.md, "Text"). The reverse of view_print.
 *
 * A text is taken only when it says exactly one value of the type: no blanks
 * around it, no digits cut, no value out of range. Otherwise HAUL_VALUE with a
 * reason that fits after the value ("is not an int32") and nothing appended.
 * Nested values are printed but not read back.
 */
#include "base/unicode.h"
#include "batch/builder.h"
#include "batch/float16.h"
#include "batch/text.h"
#include <math.h>
#include <string.h>
#include <strings.h>

static enum haul_code refuse(const struct builder *builder, const char *hint, struct haul_error *err)
{
    char type[96];
    field_print_type(builder->field, type, sizeof type);
    return error_set(err, HAUL_VALUE, "is not a value of type %s%s", type, hint);
}

static enum haul_code parse_bool(struct builder *builder, const char *text, size_t length,
                                 struct haul_error *err)
{
    static const struct {
        const char *word;
        bool value;
    } words[] = {{"true", true}, {"false", false}, {"t", true}, {"f", false}, {"1", true}, {"0", false}};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strlen(words[i].word) == length && !strncasecmp(words[i].word, text, length))
            return builder_append_bool(builder, words[i].value, err);
    return refuse(builder, " (true or false)", err);
}

static enum haul_code parse_integer(struct builder *builder, const char *text, size_t length,
                                    struct haul_error *err)
{
    bool is_unsigned = builder->field->type >= TYPE_UINT8;
    int bits = field_width(builder->field) * 8;
    if (is_unsigned) {
        uint64_t value;
        uint64_t max = bits == 64 ? UINT64_MAX : ((uint64_t)1 << bits) - 1;
        if (!number_parse_u64(text, length, &value) || value > max)
            return refuse(builder, "", err);
        return builder_append_i64(builder, (int64_t)value, err);
    }
    int64_t value, max = (int64_t)(((uint64_t)1 << (bits - 1)) - 1);
    if (!number_parse_i64(text, length, &value) || value > max || value < -max - 1)
        return refuse(builder, "", err);
    return builder_append_i64(builder, value, err);
}

static enum haul_code parse_float(struct builder *builder, const char *text, size_t length,
                                  struct haul_error *err)
{
    double value;
    float narrow;
    if (builder->field->type == TYPE_FLOAT32) { /* rounded once, from the text itself */
        if (!number_parse_f32(text, length, &narrow))
            return refuse(builder, "", err);
        value = (double)narrow;
    } else if (!number_parse_f64(text, length, &value)) {
        return refuse(builder, "", err);
    }
    bool named = false; /* "inf" was written, not reached by rounding */
    for (size_t i = 0; i < length; i++)
        named = named || text[i] == 'i' || text[i] == 'I';
    bool infinite = isinf(value) || (builder->field->type == TYPE_FLOAT16 && fabs(value) >= 65520);
    if (infinite && !named)
        return refuse(builder, ": out of its range", err);
    return builder_append_f64(builder, value, err);
}

static enum haul_code parse_decimal(struct builder *builder, const char *text, size_t length,
                                    struct haul_error *err)
{
    int128_t value;
    if (!number_parse_decimal(text, length, builder->field->precision, builder->field->scale, &value))
        return refuse(builder, "", err);
    return builder_append_decimal(builder, value, err);
}

static enum haul_code parse_timestamp(struct builder *builder, const char *text, size_t length,
                                      struct haul_error *err)
{
    const struct field *field = builder->field;
    int64_t value;
    struct calendar_zone zone = {0};
    if (!calendar_parse_moment(text, length, field->unit, &value, field->timezone ? &zone : NULL))
        return refuse(builder, " (YYYY-MM-DD HH:MM:SS[.f])", err);
    if (field->timezone && !zone.given && strcmp(field->timezone, "UTC"))
        return refuse(builder, ": it names no zone (Z or +hh:mm)", err);
    return builder_append_i64(builder, value, err);
}

static enum haul_code parse_moment(struct builder *builder, const char *text, size_t length,
                                   struct haul_error *err)
{
    const struct field *field = builder->field;
    int64_t value;
    if (field->type == TYPE_DATE) {
        if (!calendar_parse_date(text, length, &value) || value < INT32_MIN || value > INT32_MAX)
            return refuse(builder, " (YYYY-MM-DD)", err);
    } else if (field->type == TYPE_TIME) {
        if (!calendar_parse_time(text, length, field->unit, &value))
            return refuse(builder, " (HH:MM:SS[.f])", err);
    } else if (!duration_parse(text, length, field->unit, &value)) {
        return refuse(builder, " (PT1.5S)", err);
    }
    return builder_append_i64(builder, value, err);
}

static enum haul_code parse_hex(struct builder *builder, const char *text, size_t length,
                                struct haul_error *err)
{
    if (length % 2)
        return refuse(builder, " (pairs of hex digits)", err);
    struct buffer bytes;
    buffer_init(&bytes, builder->memory);
    if (buffer_reserve(&bytes, length / 2, err))
        return err->code;
    for (size_t i = 0; i < length; i += 2) {
        int high = hex_value(text[i]), low = hex_value(text[i + 1]);
        if (high < 0 || low < 0) {
            buffer_release(&bytes);
            return refuse(builder, " (pairs of hex digits)", err);
        }
        bytes.data[bytes.length++] = (uint8_t)(high << 4 | low);
    }
    enum haul_code code = builder_append_bytes(builder, bytes.data, bytes.length, err);
    buffer_release(&bytes);
    return code;
}

static enum haul_code parse_bytes(struct builder *builder, const char *text, size_t length,
                                  struct haul_error *err)
{
    if (builder->field->type == TYPE_UTF8) {
        if (!unicode_is_valid((const uint8_t *)text, length))
            return refuse(builder, ": it is not valid UTF-8", err);
        return builder_append_bytes(builder, text, length, err);
    }
    uint8_t uuid[16];
    if (!field_is_uuid(builder->field))
        return parse_hex(builder, text, length, err);
    if (!uuid_parse(text, length, uuid))
        return refuse(builder, " (8-4-4-4-12 hex digits)", err);
    return builder_append_bytes(builder, uuid, sizeof uuid, err);
}

enum haul_code builder_append_text(struct builder *builder, const char *text, size_t length,
                                   struct haul_error *err)
{
    switch (builder->field->type) {
    case TYPE_BOOL:
        return parse_bool(builder, text, length, err);
    case TYPE_FLOAT16:
    case TYPE_FLOAT32:
    case TYPE_FLOAT64:
        return parse_float(builder, text, length, err);
    case TYPE_DECIMAL:
        return parse_decimal(builder, text, length, err);
    case TYPE_DATE:
    case TYPE_TIME:
    case TYPE_DURATION:
        return parse_moment(builder, text, length, err);
    case TYPE_TIMESTAMP:
        return parse_timestamp(builder, text, length, err);
    case TYPE_UTF8:
    case TYPE_BINARY:
    case TYPE_FIXED_BINARY:
        return parse_bytes(builder, text, length, err);
    case TYPE_NULL:
        return refuse(builder, ", which holds no values", err);
    case TYPE_LIST:
    case TYPE_STRUCT:
    case TYPE_MAP:
        return refuse(builder, ": nested values are not read from text", err);
    default:
        return parse_integer(builder, text, length, err);
    }
}
