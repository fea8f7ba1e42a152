/*
 * parse.c: what is the same for columns of every type: which function reads
 * them, the slow way of a single value, and flags turned into validity bits.
 *
 * Types without a fast way (binary, durations, float16, ...) are appended one by
 * one with builder_append_text, whose text forms are those of docs/canonical.md.
 */
#include "format/csv/parse.h"

#include <string.h>

/* A NULL text that the fast way would take for a value ("0", "-", "1900-01-01"). */
static bool null_looks_like_value(const struct csv_dialect *dialect)
{
    return dialect->null_length > 0 && strchr("0123456789+-.tf", dialect->null_text[0]);
}

static unsigned parse_each_slow(struct csv_parser *parser, const struct csv_slice *slice, uint8_t *values,
                                uint8_t *flags)
{
    size_t width = parser->field->type == TYPE_BOOL ? 1 : (size_t)field_width(parser->field);
    unsigned all = 0;
    for (size_t r = 0; r < slice->rows; r++) {
        size_t length;
        const uint8_t *field = csv_slice_field(slice, r, &length);
        all |= flags[r] = (uint8_t)csv_parse_slow(parser, field, length, values + r * width);
    }
    return all;
}

static csv_parse_fn choose(const struct csv_parser *parser)
{
    const struct field *field = parser->field;
    csv_parse_fn fast = csv_parse_choose_number(field);
    if (!fast)
        fast = csv_parse_choose_time(field);
    bool slow = parser->form != CSV_FORM_NONE || null_looks_like_value(parser->dialect);
    return fast && slow ? parse_each_slow : fast;
}

enum haul_code csv_parser_init(struct csv_parser *parser, const struct field *field, bool strict,
                               const struct csv_dialect *dialect, struct memory *memory,
                               struct haul_error *err)
{
    memset(parser, 0, sizeof *parser);
    parser->field = field;
    parser->dialect = dialect;
    parser->strict = strict;
    parser->form = csv_form_of(&dialect->forms, field);
    parser->parse = choose(parser);
    buffer_init(&parser->unquoted, memory);
    buffer_init(&parser->wide, memory);
    buffer_init(&parser->printed, memory);
    return builder_init(&parser->one, field, memory, err);
}

void csv_parser_release(struct csv_parser *parser)
{
    if (!parser->field)
        return;
    buffer_release(&parser->unquoted);
    buffer_release(&parser->wide);
    buffer_release(&parser->printed);
    builder_release(&parser->one);
    memset(parser, 0, sizeof *parser);
}

/* ---- a field's text ---- */

static unsigned failed(struct csv_parser *parser, enum haul_code code)
{
    parser->failed = code;
    return CSV_FIELD_NOT_A_VALUE;
}

/* Escapes resolved, quoted or not. What follows the closing quote is an error. */
static unsigned unescape(const struct csv_dialect *dialect, const uint8_t *field, size_t length, uint8_t *out,
                         size_t *out_length)
{
    bool quoted = length && field[0] == dialect->quote;
    size_t at = 0;
    unsigned flags = quoted ? CSV_FIELD_BAD_QUOTES : 0;
    for (size_t i = quoted; i < length; i++) {
        if (field[i] == dialect->escape && i + 1 < length) {
            out[at++] = field[++i];
        } else if (quoted && field[i] == dialect->quote) {
            flags = i + 1 == length ? 0 : CSV_FIELD_BAD_QUOTES;
            break;
        } else {
            out[at++] = field[i];
        }
    }
    *out_length = at;
    return flags;
}

/* Doubled quotes made single. */
static unsigned undouble(int quote, const uint8_t *field, size_t length, uint8_t *out, size_t *out_length)
{
    const uint8_t *at = field + 1, *end = field + length;
    *out_length = 0;
    while (at < end) {
        const uint8_t *found = memchr(at, quote, (size_t)(end - at));
        if (!found)
            break;
        memcpy(out + *out_length, at, (size_t)(found - at));
        *out_length += (size_t)(found - at);
        if (found + 1 == end)
            return 0;
        if (found[1] != *found)
            break;
        out[(*out_length)++] = *found;
        at = found + 2;
    }
    return CSV_FIELD_BAD_QUOTES;
}

bool csv_text_in_place(const struct csv_dialect *dialect, const uint8_t *field, size_t length,
                       const uint8_t **text, size_t *text_length)
{
    bool quoted = length && field[0] == dialect->quote;
    *text = field + quoted;
    *text_length = quoted ? length - 2 : length;
    if (dialect->escape >= 0 && memchr(field, dialect->escape, length))
        return false;
    return !quoted || (length >= 2 && memchr(field + 1, dialect->quote, length - 1) == field + length - 1);
}

unsigned csv_unquote(const struct csv_dialect *dialect, const uint8_t *field, size_t length, uint8_t *out,
                     size_t *out_length)
{
    return dialect->escape < 0 ? undouble(dialect->quote, field, length, out, out_length)
                               : unescape(dialect, field, length, out, out_length);
}

unsigned csv_field_text(struct csv_parser *parser, const uint8_t *field, size_t length, const uint8_t **text,
                        size_t *text_length)
{
    if (csv_text_in_place(parser->dialect, field, length, text, text_length))
        return 0;
    buffer_clear(&parser->unquoted);
    if (buffer_reserve(&parser->unquoted, length, parser->err))
        return failed(parser, parser->err->code);
    *text = parser->unquoted.data;
    return csv_unquote(parser->dialect, field, length, parser->unquoted.data, text_length);
}

static bool is_null(const struct csv_parser *parser, const uint8_t *field, size_t length)
{
    const struct csv_dialect *dialect = parser->dialect;
    return length == dialect->null_length && memcmp(field, dialect->null_text, length) == 0;
}

/* ---- the slow way ---- */

/* Does the last value of `column` print as the text it came from? */
static bool prints_back(struct csv_parser *parser, const struct builder *column, const uint8_t *text,
                        size_t length)
{
    struct view view = {.field = parser->field,
                        .length = column->length,
                        .values = column->values.data,
                        .offsets = (const int32_t *)(const void *)column->offsets.data,
                        .data = column->data.data};
    buffer_clear(&parser->printed);
    if (view_print(&view, column->length - 1, &parser->printed, parser->err)) {
        parser->failed = parser->err->code;
        return false;
    }
    return parser->printed.length == length && memcmp(parser->printed.data, text, length) == 0;
}

/* Appends the field to `column` when it is a value; otherwise only says why not. */
static unsigned append_slow(struct csv_parser *parser, const uint8_t *field, size_t length,
                            struct builder *column)
{
    const uint8_t *text;
    size_t text_length;
    struct haul_error err = {0};
    if (is_null(parser, field, length))
        return CSV_FIELD_NULL;
    unsigned flags = csv_field_text(parser, field, length, &text, &text_length);
    if (flags)
        return flags;
    if (text_length == 0 && parser->field->type != TYPE_BINARY)
        return CSV_FIELD_NULL;
    char canonical[CSV_FORM_BYTES];
    if (parser->form != CSV_FORM_NONE) {
        text_length =
            csv_form_read(&parser->dialect->forms, parser->form, (const char *)text, text_length, canonical);
        text = (const uint8_t *)canonical;
    }
    if (parser->form != CSV_FORM_NONE && text_length == 0)
        return CSV_FIELD_NOT_A_VALUE;
    enum haul_code code = builder_append_text(column, (const char *)text, text_length, &err);
    if (code == HAUL_VALUE)
        return CSV_FIELD_NOT_A_VALUE;
    if (code) {
        *parser->err = err;
        return failed(parser, code);
    }
    if (parser->strict && !prints_back(parser, column, text, text_length))
        return CSV_FIELD_NOT_A_VALUE;
    return 0;
}

unsigned csv_parse_slow(struct csv_parser *parser, const uint8_t *field, size_t length, uint8_t *value)
{
    struct builder *one = &parser->one;
    size_t width = parser->field->type == TYPE_BOOL ? 1 : (size_t)field_width(parser->field);
    one->length = one->null_count = 0;
    unsigned flags = append_slow(parser, field, length, one);
    if (flags)
        memset(value, 0, width);
    else
        memcpy(value, one->values.data, width);
    return flags;
}

/* ---- flags into columns ---- */

static void set_valid(uint8_t *bits, int64_t from, const uint8_t *flags, size_t rows)
{
    for (size_t r = 0; r < rows; r++) {
        int64_t i = from + (int64_t)r;
        if (flags[r])
            bit_clear(bits, i);
        else
            bit_set(bits, i);
    }
}

/* The slice's rows become part of the column; flagged ones are NULL. */
static enum haul_code close_rows(struct builder *column, const struct csv_slice *slice, const uint8_t *flags,
                                 unsigned all, struct haul_error *err)
{
    if (all && builder_add_validity(column, err))
        return err->code;
    if (column->validity.length)
        set_valid(column->validity.data, column->length, flags, slice->rows);
    for (size_t r = 0; all && r < slice->rows; r++)
        column->null_count += flags[r] != 0;
    column->length += (int64_t)slice->rows;
    return HAUL_OK;
}

/* Types without a function: one by one, the slow way, into the column itself. */
static enum haul_code parse_general(struct csv_parser *parser, const struct csv_slice *slice,
                                    struct builder *column, uint8_t *flags, unsigned *all,
                                    struct haul_error *err)
{
    for (size_t r = 0; r < slice->rows; r++) {
        size_t length;
        int64_t before = column->length;
        const uint8_t *field = csv_slice_field(slice, r, &length);
        *all |= flags[r] = (uint8_t)append_slow(parser, field, length, column);
        if (parser->failed)
            return parser->failed;
        if (column->length == before && builder_append_null(column, err))
            return err->code;
    }
    return HAUL_OK;
}

static enum haul_code parse_bool(struct csv_parser *parser, const struct csv_slice *slice,
                                 struct builder *column, uint8_t *flags, unsigned *all,
                                 struct haul_error *err)
{
    if (buffer_resize(&parser->wide, slice->rows, err))
        return err->code;
    *all = parser->parse(parser, slice, parser->wide.data, flags);
    for (size_t r = 0; r < slice->rows; r++) {
        int64_t i = column->length + (int64_t)r;
        if (parser->wide.data[r])
            bit_set(column->values.data, i);
        else
            bit_clear(column->values.data, i);
    }
    return HAUL_OK;
}

enum haul_code csv_parse_column(struct csv_parser *parser, const struct csv_slice *slice,
                                struct builder *column, uint8_t *flags, unsigned *all, struct haul_error *err)
{
    parser->err = err;
    parser->failed = HAUL_OK;
    *all = 0;
    if (builder_reserve(column, (int64_t)slice->rows, 0, err))
        return err->code;
    if (parser->field->type == TYPE_UTF8)
        return csv_parse_text(parser, slice, column, flags, all, err)
                   ? err->code
                   : close_rows(column, slice, flags, *all, err);
    if (!parser->parse)
        return parse_general(parser, slice, column, flags, all, err);
    if (parser->field->type == TYPE_BOOL) {
        if (parse_bool(parser, slice, column, flags, all, err))
            return err->code;
    } else {
        size_t width = (size_t)field_width(parser->field);
        *all = parser->parse(parser, slice, column->values.data + (size_t)column->length * width, flags);
    }
    return parser->failed ? parser->failed : close_rows(column, slice, flags, *all, err);
}
