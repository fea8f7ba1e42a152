/*
 * print.c: view_print, one value as text (docs/canonical.md, "Text").
 *
 * A scalar prints bare; inside a list, struct or map it prints as JSON: numbers
 * and booleans bare, everything else quoted, NaN and infinities quoted as well
 * because JSON has no such numbers. Nesting is limited by TYPE_DEPTH_MAX, which
 * every field keeps; the text itself by the budget behind `out`.
 */
#include "base/number.h"
#include "batch/float16.h"
#include "batch/text.h"
#include "batch/view.h"
#include <math.h>
#include <string.h>

#define SCALAR_TEXT_BYTES (NUMBER_TEXT_BYTES > CALENDAR_TEXT_BYTES ? NUMBER_TEXT_BYTES : CALENDAR_TEXT_BYTES)

static const char hex_digits[] = "0123456789abcdef";

static const uint8_t *value_at(const struct view *view, int64_t i)
{
    return view->values + (size_t)i * (size_t)field_width(view->field);
}

static int64_t integer_at(const struct view *view, int64_t i)
{
    const uint8_t *at = value_at(view, i);
    bool is_unsigned = view->field->type >= TYPE_UINT8 && view->field->type <= TYPE_UINT64;
    uint64_t bits = 0;
    int width = field_width(view->field);
    memcpy(&bits, at, (size_t)width);
    if (is_unsigned || width == 8)
        return (int64_t)bits;
    int shift = 64 - width * 8;
    return (int64_t)(bits << shift) >> shift;
}

static double float_at(const struct view *view, int64_t i)
{
    const uint8_t *at = value_at(view, i);
    if (view->field->type == TYPE_FLOAT64) {
        double value;
        memcpy(&value, at, sizeof value);
        return value;
    }
    if (view->field->type == TYPE_FLOAT32) {
        float value;
        memcpy(&value, at, sizeof value);
        return (double)value;
    }
    uint16_t half;
    memcpy(&half, at, sizeof half);
    return float16_to(half);
}

static size_t print_float(const struct view *view, int64_t i, char *out)
{
    double value = float_at(view, i);
    return view->field->type == TYPE_FLOAT64 ? number_print_f64(value, out)
                                             : number_print_f32((float)value, out);
}

/* Types whose text is short; 0 for the others. */
static size_t print_scalar(const struct view *view, int64_t i, char *out)
{
    const struct field *field = view->field;
    int128_t decimal;
    switch (field->type) {
    case TYPE_BOOL:
        memcpy(out, bit_get(view->values, i) ? "true " : "false", 5);
        return bit_get(view->values, i) ? 4 : 5;
    case TYPE_UINT64:
        return number_print_u64((uint64_t)integer_at(view, i), out);
    case TYPE_FLOAT16:
    case TYPE_FLOAT32:
    case TYPE_FLOAT64:
        return print_float(view, i, out);
    case TYPE_DECIMAL:
        memcpy(&decimal, value_at(view, i), sizeof decimal);
        return number_print_decimal(decimal, field->scale, out);
    case TYPE_DATE:
        return calendar_print_date(integer_at(view, i), out);
    case TYPE_TIME:
        return calendar_print_time(integer_at(view, i), field->unit, true, out);
    case TYPE_TIMESTAMP:
        return calendar_print_timestamp(integer_at(view, i), field->unit, field->timezone != NULL, true, out);
    case TYPE_DURATION:
        return duration_print(integer_at(view, i), field->unit, out);
    default:
        return number_print_i64(integer_at(view, i), out);
    }
}

static enum haul_code print_hex(const uint8_t *data, size_t length, struct buffer *out,
                                struct haul_error *err)
{
    if (buffer_reserve(out, length * 2, err))
        return err->code;
    uint8_t *at = out->data + out->length;
    for (size_t i = 0; i < length; i++) {
        *at++ = (uint8_t)hex_digits[data[i] >> 4];
        *at++ = (uint8_t)hex_digits[data[i] & 15];
    }
    out->length += length * 2;
    return HAUL_OK;
}

static enum haul_code print_fixed(const struct view *view, int64_t i, struct buffer *out,
                                  struct haul_error *err)
{
    if (!field_is_uuid(view->field))
        return print_hex(value_at(view, i), (size_t)view->field->width, out, err);
    char text[UUID_TEXT_BYTES];
    uuid_print(value_at(view, i), text);
    return buffer_append(out, text, sizeof text, err);
}

/* ---- JSON ---- */

static enum haul_code put_text(struct buffer *out, const char *text, struct haul_error *err)
{
    return buffer_append(out, text, strlen(text), err);
}

static enum haul_code put_escaped(struct buffer *out, uint8_t c, struct haul_error *err)
{
    static const char letters[] = "btn\0fr"; /* from \x08 on */
    if (c == '"' || c == '\\')
        return buffer_printf(out, err, "\\%c", c);
    if (c >= 8 && c <= 13 && c != 11)
        return buffer_printf(out, err, "\\%c", letters[c - 8]);
    return buffer_printf(out, err, "\\u%04x", c);
}

static enum haul_code put_string(struct buffer *out, const uint8_t *text, size_t length,
                                 struct haul_error *err)
{
    if (put_text(out, "\"", err))
        return err->code;
    size_t from = 0;
    for (size_t i = 0; i < length; i++) {
        if (text[i] >= 0x20 && text[i] != '"' && text[i] != '\\')
            continue;
        if (buffer_append(out, text + from, i - from, err) || put_escaped(out, text[i], err))
            return err->code;
        from = i + 1;
    }
    if (length > from && buffer_append(out, text + from, length - from, err))
        return err->code;
    return put_text(out, "\"", err);
}

static enum haul_code print_json(const struct view *view, int64_t i, struct buffer *out,
                                 struct haul_error *err);

static enum haul_code json_list(const struct view *view, int64_t i, struct buffer *out,
                                struct haul_error *err)
{
    struct view items;
    if (view_child(view, 0, &items, err) || put_text(out, "[", err))
        return err->code;
    for (int64_t j = view->offsets[i]; j < view->offsets[i + 1]; j++)
        if ((j > view->offsets[i] && put_text(out, ",", err)) || print_json(&items, j, out, err))
            return err->code;
    return put_text(out, "]", err);
}

static enum haul_code json_struct(const struct view *view, int64_t i, struct buffer *out,
                                  struct haul_error *err)
{
    for (int c = 0; c < view->field->child_count; c++) {
        struct view member;
        const char *name = view->field->children[c].name;
        if (view_child(view, c, &member, err) || put_text(out, c ? "," : "{", err) ||
            put_string(out, (const uint8_t *)(name ? name : ""), name ? strlen(name) : 0, err) ||
            put_text(out, ":", err) || print_json(&member, i, out, err))
            return err->code;
    }
    return put_text(out, view->field->child_count ? "}" : "{}", err);
}

/* {"key":value} when keys are text, else [[key,value]]. */
static enum haul_code json_map(const struct view *view, int64_t i, struct buffer *out, struct haul_error *err)
{
    struct view entries, keys, values;
    if (view_child(view, 0, &entries, err) || view_child(&entries, 0, &keys, err) ||
        view_child(&entries, 1, &values, err))
        return err->code;
    bool object = keys.field->type == TYPE_UTF8;
    if (put_text(out, object ? "{" : "[", err))
        return err->code;
    for (int64_t j = view->offsets[i]; j < view->offsets[i + 1]; j++) {
        if (j > view->offsets[i] && put_text(out, ",", err))
            return err->code;
        if ((!object && put_text(out, "[", err)) || print_json(&keys, j, out, err) ||
            put_text(out, object ? ":" : ",", err) || print_json(&values, j, out, err) ||
            (!object && put_text(out, "]", err)))
            return err->code;
    }
    return put_text(out, object ? "}" : "]", err);
}

static enum haul_code json_scalar(const struct view *view, int64_t i, struct buffer *out,
                                  struct haul_error *err)
{
    enum type_id type = view->field->type;
    bool is_float = type >= TYPE_FLOAT16 && type <= TYPE_FLOAT64;
    bool bare = type <= TYPE_DECIMAL && (!is_float || isfinite(float_at(view, i)));
    if (bare)
        return view_print(view, i, out, err);
    if (put_text(out, "\"", err) || view_print(view, i, out, err))
        return err->code;
    return put_text(out, "\"", err);
}

static enum haul_code print_json(const struct view *view, int64_t i, struct buffer *out,
                                 struct haul_error *err)
{
    if (view_is_null(view, i))
        return put_text(out, "null", err);
    if (view->indices) {
        struct view values;
        return view_dictionary(view, &values, err) ? err->code
                                                   : print_json(&values, view->indices[i], out, err);
    }
    switch (view->field->type) {
    case TYPE_LIST:
        return json_list(view, i, out, err);
    case TYPE_STRUCT:
        return json_struct(view, i, out, err);
    case TYPE_MAP:
        return json_map(view, i, out, err);
    case TYPE_UTF8:
        return put_string(out, view->data + view->offsets[i],
                          (size_t)(view->offsets[i + 1] - view->offsets[i]), err);
    default:
        return json_scalar(view, i, out, err);
    }
}

enum haul_code view_print(const struct view *view, int64_t i, struct buffer *out, struct haul_error *err)
{
    if (view_is_null(view, i))
        return HAUL_OK;
    if (view->indices) {
        struct view values;
        return view_dictionary(view, &values, err) ? err->code
                                                   : view_print(&values, view->indices[i], out, err);
    }
    char text[SCALAR_TEXT_BYTES];
    switch (view->field->type) {
    case TYPE_UTF8:
        return buffer_append(out, view->data + view->offsets[i],
                             (size_t)(view->offsets[i + 1] - view->offsets[i]), err);
    case TYPE_BINARY:
        return print_hex(view->data + view->offsets[i], (size_t)(view->offsets[i + 1] - view->offsets[i]),
                         out, err);
    case TYPE_FIXED_BINARY:
        return print_fixed(view, i, out, err);
    case TYPE_LIST:
    case TYPE_STRUCT:
    case TYPE_MAP:
        return print_json(view, i, out, err);
    default:
        return buffer_append(out, text, print_scalar(view, i, text), err);
    }
}
