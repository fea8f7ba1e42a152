/*
 * encode_text.c: values in COPY's text format, for tables with a column whose
 * type has no binary form we write (inet, interval, ranges, ...).
 *
 * A value is what view_print gives, with backslash, tab, line feed and carriage
 * return escaped; bytea in its hex form; a list as an array literal, each item
 * in double quotes.
 */
#include "database/postgres/encode.h"

#include "base/calendar.h"
#include "database/postgres/wire.h"

static enum haul_code append_escaped(const uint8_t *text, size_t length, struct buffer *out,
                                     struct haul_error *err)
{
    if (buffer_reserve(out, length * 2, err))
        return err->code;
    uint8_t *to = out->data + out->length;
    for (size_t i = 0; i < length; i++) {
        char escape = text[i] == '\\'   ? '\\'
                      : text[i] == '\t' ? 't'
                      : text[i] == '\n' ? 'n'
                      : text[i] == '\r' ? 'r'
                                        : 0;
        if (escape)
            *to++ = '\\';
        *to++ = escape ? (uint8_t)escape : text[i];
    }
    out->length = (size_t)(to - out->data);
    return HAUL_OK;
}

/* Years before 1 and after 9999 have no sign with PostgreSQL, the former a BC. */
static enum haul_code print_moment(const struct view *values, int64_t at, struct buffer *text,
                                   struct haul_error *err)
{
    char clock[CALENDAR_TEXT_BYTES] = "";
    int64_t days, micros, year;
    int month, day;
    if (values->field->type == TYPE_DATE) {
        int32_t value;
        memcpy(&value, values->values + at * 4, 4);
        days = value;
    } else {
        memcpy(&micros, values->values + at * 8, 8);
        days = micros / WIRE_DAY_MICROS - (micros % WIRE_DAY_MICROS < 0);
        clock[0] = ' ';
        calendar_print_time(micros - days * WIRE_DAY_MICROS, TIME_MICRO, false, clock + 1);
    }
    calendar_civil(days, &year, &month, &day);
    return buffer_printf(text, err, "%04lld-%02d-%02d%s%s%s", (long long)(year > 0 ? year : 1 - year), month,
                         day, clock, values->field->timezone ? "+00" : "", year > 0 ? "" : " BC");
}

/* bytea's hex form begins with \x. */
static enum haul_code print_value(const struct view *values, int64_t at, struct buffer *text,
                                  struct haul_error *err)
{
    if (values->field->type == TYPE_DATE || values->field->type == TYPE_TIMESTAMP)
        return print_moment(values, at, text, err);
    if (values->field->type == TYPE_BINARY && buffer_append(text, "\\x", 2, err))
        return err->code;
    return view_print(values, at, text, err);
}

/* An item in double quotes, those and backslashes inside escaped. */
static enum haul_code add_item(struct encoder *item, int64_t i, struct buffer *out, struct haul_error *err)
{
    buffer_clear(&item->text);
    if (view_is_null(&item->view, i))
        return buffer_append(out, "NULL", 4, err);
    if (print_value(&item->values, pg_encoder_at(item, i), &item->text, err) ||
        buffer_reserve(out, item->text.length * 2 + 2, err))
        return err->code;
    buffer_put(out, "\"", 1);
    for (size_t k = 0; k < item->text.length; k++) {
        uint8_t c = item->text.data[k];
        if (c == '"' || c == '\\')
            buffer_put(out, "\\", 1);
        buffer_put(out, &c, 1);
    }
    buffer_put(out, "\"", 1);
    return HAUL_OK;
}

static enum haul_code print_list(struct encoder *encoder, int64_t at, struct haul_error *err)
{
    int64_t first = encoder->values.offsets[at], end = encoder->values.offsets[at + 1];
    if (buffer_append(&encoder->text, "{", 1, err))
        return err->code;
    for (int64_t i = first; i < end; i++)
        if ((i > first && buffer_append(&encoder->text, ",", 1, err)) ||
            add_item(encoder->item, i, &encoder->text, err))
            return err->code;
    return buffer_append(&encoder->text, "}", 1, err);
}

enum haul_code pg_encode_text(struct encoder *encoder, int64_t i, struct buffer *out, struct haul_error *err)
{
    if (view_is_null(&encoder->view, i))
        return buffer_append(out, "\\N", 2, err);
    int64_t at = pg_encoder_at(encoder, i);
    buffer_clear(&encoder->text);
    if (encoder->item ? print_list(encoder, at, err) : print_value(&encoder->values, at, &encoder->text, err))
        return err->code;
    return append_escaped(encoder->text.data, encoder->text.length, out, err);
}
