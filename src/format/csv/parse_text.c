/*
 * parse_text.c: strings. Their bytes are copied once, from the block to the
 * column: short ones by two 16-byte moves without asking how short (both sides
 * have padding), quoted ones without their quotes, and only those with doubled
 * quotes or escapes through a buffer.
 *
 * A column grows by exactly what the slice holds, so that thousands of columns
 * do not each ask for room for the whole block.
 */
#include "format/csv/parse.h"

#include "base/unicode.h"
#include <string.h>

#define SHORT_BYTES 32

struct target {
    uint8_t *data;
    size_t length;
};

static inline void put(struct target *target, const uint8_t *text, size_t length)
{
    uint8_t *to = target->data + target->length;
    memcpy(to, text, SHORT_BYTES);
    if (length > SHORT_BYTES)
        memcpy(to + SHORT_BYTES, text + SHORT_BYTES, length - SHORT_BYTES);
    target->length += length;
}

/* Fields with quotes or escapes, and everything when the NULL text is not empty. */
static unsigned put_slow(struct csv_parser *parser, const struct csv_slice *slice, const uint8_t *field,
                         size_t length, struct target *target)
{
    const struct csv_dialect *dialect = parser->dialect;
    const uint8_t *text;
    uint8_t *to = target->data + target->length;
    size_t text_length;
    if (length == dialect->null_length && (!length || memcmp(field, dialect->null_text, length) == 0))
        return CSV_FIELD_NULL;
    unsigned flags = 0;
    if (csv_text_in_place(dialect, field, length, &text, &text_length))
        memcpy(to, text, text_length);
    else
        flags = csv_unquote(dialect, field, length, to, &text_length);
    if (!flags && !slice->utf8 && !unicode_is_valid(to, text_length))
        flags = CSV_FIELD_NOT_UTF8;
    if (!flags)
        target->length += text_length;
    return flags;
}

static unsigned parse_slow(struct csv_parser *parser, const struct csv_slice *slice, struct target *target,
                           int32_t *offsets, uint8_t *flags)
{
    unsigned all = 0;
    for (size_t r = 0; r < slice->rows; r++) {
        size_t length;
        const uint8_t *field = csv_slice_field(slice, r, &length);
        all |= flags[r] = (uint8_t)put_slow(parser, slice, field, length, target);
        offsets[r + 1] = (int32_t)target->length;
    }
    return all;
}

/* The common dialect: no escape character, NULL is empty, valid UTF-8. */
static unsigned parse_fast(struct csv_parser *parser, const struct csv_slice *slice, struct target *target,
                           int32_t *offsets, uint8_t *flags)
{
    const int quote = parser->dialect->quote;
    struct target out = *target;
    unsigned all = 0;
    for (size_t r = 0; r < slice->rows; r++) {
        size_t length;
        unsigned flag = 0;
        const uint8_t *field = csv_slice_field(slice, r, &length);
        if (length == 0)
            flag = CSV_FIELD_NULL;
        else if (field[0] != quote)
            put(&out, field, length);
        else if (length >= 2 && memchr(field + 1, quote, length - 1) == field + length - 1)
            put(&out, field + 1, length - 2);
        else
            flag = put_slow(parser, slice, field, length, &out);
        all |= flag;
        flags[r] = (uint8_t)flag;
        offsets[r + 1] = (int32_t)out.length;
    }
    *target = out;
    return all;
}

static size_t slice_bytes(const struct csv_slice *slice)
{
    size_t bytes = 0;
    for (size_t r = 0; r < slice->rows; r++)
        bytes += slice->ends[r * slice->stride] - slice->starts[r * slice->start_stride];
    return bytes - slice->rows * slice->start_add;
}

enum haul_code csv_parse_text(struct csv_parser *parser, const struct csv_slice *slice,
                              struct builder *column, uint8_t *flags, unsigned *all, struct haul_error *err)
{
    int32_t *offsets = (int32_t *)(void *)column->offsets.data + column->length;
    size_t bytes = slice_bytes(slice);
    if (bytes + SHORT_BYTES > (size_t)INT32_MAX - (size_t)offsets[0])
        return error_set(err, HAUL_LIMIT, "column \"%s\": more than 2 GiB of text in one batch",
                         parser->field->name);
    column->data.length = (size_t)offsets[0];
    if (buffer_reserve(&column->data, bytes + SHORT_BYTES, err))
        return err->code;
    struct target target = {column->data.data, column->data.length};
    bool common = parser->dialect->escape < 0 && parser->dialect->null_length == 0 && slice->utf8;
    *all = common ? parse_fast(parser, slice, &target, offsets, flags)
                  : parse_slow(parser, slice, &target, offsets, flags);
    column->data.length = target.length;
    return parser->failed;
}
