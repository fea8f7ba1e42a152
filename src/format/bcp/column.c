/*
 * column.c: strings and bytes into columns, code pages and UTF-16 into UTF-8, and
 * flags into validity bits.
 */
#include "format/bcp/column.h"

#include "base/unicode.h"
#include "base/utf16.h"
#include <string.h>

const char *const bcp_faults[FAULT_COUNT] = {
    [FAULT_TRUNCATED] = "String data, right truncation: longer than the format file or the column says",
    [FAULT_CAST] = "Invalid character value for cast specification",
    [FAULT_RANGE] = "Numeric value out of range",
    [FAULT_DATE_FORMAT] = "Invalid date format",
    [FAULT_DATE_OVERFLOW] = "Datetime field overflow",
    [FAULT_ODD] = "Invalid character value: UTF-16 text of an odd number of bytes, or half a surrogate pair",
    [FAULT_PAGE] = "Invalid character value: bytes that the code page gives no meaning (--code-page)",
    [FAULT_SIZE] = "Invalid length: its type has another one",
    [FAULT_NATIVE] = "Invalid value: outside of what its type can hold",
};

enum haul_code bcp_decoder_init(struct bcp_decoder *decoder, const struct bcp_field *stored,
                                const struct field *field, const struct bcp_options *options,
                                struct memory *memory, struct haul_error *err)
{
    memset(decoder, 0, sizeof *decoder);
    decoder->stored = stored;
    decoder->field = field;
    decoder->type = bcp_type_of(field);
    decoder->fixed = !stored->prefix && !stored->end_length;
    buffer_init(&decoder->text, memory);
    buffer_init(&decoder->chunks, memory);
    buffer_init(&decoder->bits, memory);
    if (field->type == TYPE_TIME || field->type == TYPE_TIMESTAMP)
        decoder->per_second = calendar_units_per_second(field->unit);
    decoder->width = field->type == TYPE_BOOL                         ? 1
                     : type_table[field->type].layout == LAYOUT_FIXED ? (size_t)field_width(field)
                                                                      : 0;
    if (field->type == TYPE_STRUCT) {
        decoder->exact = true;
        decoder->width = sizeof(struct bcp_exact);
        decoder->per_second = 1000000;
    }
    if (stored->host == HOST_VARIANT)
        return error_set(err, HAUL_UNSUPPORTED,
                         "column \"%s\": sql_variant in native form is not read; export it as text (-c)",
                         field->name);
    if (stored->host == HOST_CHAR) {
        int page = bcp_field_page(options, stored);
        decoder->utf8 = page == CODEPAGE_UTF8;
        if (codepage_open(&decoder->page, page, err))
            return error_prefix(err, "column \"%s\"", field->name);
    }
    if (bcp_host_is_text(stored->host)) {
        /* A length is meant in bytes of a code page; UTF-8 may need three for one. */
        decoder->length_max = decoder->fixed || !stored->length || stored->prefix ? 0
                              : decoder->utf8                                     ? stored->length * 3
                                                                                  : stored->length;
        if (bcp_sql_is_text(decoder->type.sql) && bcp_sqls[decoder->type.sql].args == ARGS_LENGTH)
            decoder->chars_max = decoder->type.length;
        decoder->parse = bcp_parse_choose(decoder);
        decoder->hex = field->type == TYPE_BINARY;
        decoder->decode = decoder->parse ? bcp_parse_slice : NULL;
        if (!decoder->parse && field->type != TYPE_UTF8 && field->type != TYPE_BINARY)
            return error_set(err, HAUL_UNSUPPORTED, "column \"%s\": text is not read as %s here", field->name,
                             type_table[field->type].name);
    } else {
        decoder->decode = bcp_decode_choose(decoder);
    }
    return HAUL_OK;
}

void bcp_decoder_release(struct bcp_decoder *decoder)
{
    codepage_release(&decoder->page);
    buffer_release(&decoder->text);
    buffer_release(&decoder->chunks);
    buffer_release(&decoder->bits);
}

/* ---- one field ---- */

bool bcp_span_bytes(struct bcp_decoder *decoder, const uint8_t *data, struct bcp_span span,
                    const uint8_t **bytes, size_t *length)
{
    const uint8_t *at = data + span.at;
    uint32_t size;
    *bytes = at;
    *length = span.length;
    if (span.length != SPAN_CHUNKED)
        return true;
    buffer_clear(&decoder->chunks);
    for (memcpy(&size, at, 4); size; memcpy(&size, at, 4)) {
        if (buffer_append(&decoder->chunks, at + 4, size, decoder->err)) {
            decoder->failed = decoder->err->code;
            return false;
        }
        at += (size_t)size + 4;
    }
    if (buffer_reserve(&decoder->chunks, 1, decoder->err)) {
        decoder->failed = decoder->err->code;
        return false;
    }
    *bytes = decoder->chunks.data;
    *length = decoder->chunks.length;
    return true;
}

static enum bcp_fault failed(struct bcp_decoder *decoder)
{
    decoder->failed = decoder->err->code;
    return FAULT_CAST;
}

/* Turns a field's bytes into UTF-8 at the end of `out`. */
static enum bcp_fault append_utf8(struct bcp_decoder *decoder, const uint8_t *bytes, size_t length,
                                  struct buffer *out)
{
    size_t written;
    if (decoder->stored->host == HOST_NCHAR) {
        if (length % 2)
            return FAULT_ODD;
        if (buffer_reserve(out, UTF16_GROWTH(length / 2) + 16, decoder->err))
            return failed(decoder);
        if (utf16_to_utf8(bytes, length / 2, out->data + out->length, &written) != length / 2)
            return FAULT_ODD;
    } else {
        if (buffer_reserve(out, decoder->utf8 ? length : CODEPAGE_GROWTH(length) + 16, decoder->err))
            return failed(decoder);
        if (codepage_to_utf8(&decoder->page, bytes, length, out->data + out->length, &written) != length)
            return FAULT_PAGE;
    }
    out->length += written;
    return FAULT_NONE;
}

/* A field without a byte is NULL, one NUL is the empty text; where a prefix or the
 * width says the length, a text is what it is. */
static inline bool field_is_null(const struct bcp_decoder *decoder, size_t length)
{
    return length == 0 && !decoder->stored->prefix && !decoder->fixed;
}

static inline bool field_is_empty(const struct bcp_decoder *decoder, const uint8_t *bytes, size_t length)
{
    const size_t unit = decoder->stored->host == HOST_NCHAR ? 2 : 1;
    return bcp_host_is_text(decoder->stored->host) && length == unit && bytes[0] == 0 &&
           bytes[unit - 1] == 0 && !decoder->stored->prefix && !decoder->fixed;
}

/* Longer than the column: in units of UTF-16 where it is Unicode, else in characters. Of
 * code pages with characters of one and two bytes only the target knows. */
static bool column_is_short(const struct bcp_decoder *decoder, const uint8_t *bytes, size_t length)
{
    const bool wide = decoder->type.sql == SQL_NCHAR || decoder->type.sql == SQL_NVARCHAR;
    size_t chars = 0;
    if (length <= decoder->chars_max || (decoder->stored->host != HOST_NCHAR && !decoder->utf8))
        return false;
    if (decoder->stored->host == HOST_NCHAR)
        return length / 2 > decoder->chars_max;
    for (size_t i = 0; i < length; i++)
        chars += (size_t)((bytes[i] & 0xc0) != 0x80) + (size_t)(wide && bytes[i] >= 0xf0);
    return chars > decoder->chars_max;
}

static enum bcp_fault check_span(struct bcp_decoder *decoder, const uint8_t *data, struct bcp_span span,
                                 const uint8_t **bytes, size_t *length)
{
    if (span.length == SPAN_NULL)
        return FAULT_NULL;
    if (!bcp_span_bytes(decoder, data, span, bytes, length))
        return FAULT_CAST;
    if (field_is_null(decoder, *length))
        return FAULT_NULL;
    if (decoder->length_max && *length > decoder->length_max)
        return FAULT_TRUNCATED;
    if (decoder->chars_max && column_is_short(decoder, *bytes, *length))
        return FAULT_TRUNCATED;
    if (field_is_empty(decoder, *bytes, *length))
        *length = 0;
    return FAULT_NONE;
}

enum bcp_fault bcp_field_text(struct bcp_decoder *decoder, const uint8_t *data, struct bcp_span span,
                              const char **text, size_t *length)
{
    const uint8_t *bytes;
    enum bcp_fault fault = check_span(decoder, data, span, &bytes, length);
    if (fault && fault != FAULT_TRUNCATED)
        return fault;
    *text = (const char *)bytes;
    if (decoder->stored->host == HOST_CHAR && decoder->utf8)
        return unicode_is_valid(bytes, *length) ? fault : FAULT_PAGE;
    buffer_clear(&decoder->text);
    enum bcp_fault turned = append_utf8(decoder, bytes, *length, &decoder->text);
    *text = (const char *)decoder->text.data;
    *length = decoder->text.length;
    return turned ? turned : fault;
}

void bcp_parse_slice(struct bcp_decoder *decoder, const struct bcp_slice *slice, uint8_t *values,
                     uint8_t *flags)
{
    for (size_t r = 0; r < slice->rows && !decoder->failed; r++, values += decoder->width) {
        const char *text;
        size_t length;
        enum bcp_fault fault =
            bcp_field_text(decoder, slice->data, slice->spans[r * slice->stride], &text, &length);
        if (!fault)
            fault = decoder->parse(decoder, text, length, values);
        flags[r] = (uint8_t)fault;
        if (fault)
            memset(values, 0, decoder->width);
    }
}

/* ---- strings and bytes ---- */

static enum haul_code too_much(const struct bcp_decoder *decoder, struct haul_error *err)
{
    return error_set(err, HAUL_LIMIT, "column \"%s\": more than 2 GiB of text in one batch",
                     decoder->field->name);
}

/* Hex digits at the end of the column's data. */
static enum bcp_fault append_hex(struct bcp_decoder *decoder, const struct bcp_slice *slice,
                                 struct bcp_span span, struct buffer *data)
{
    const char *text;
    size_t length, written;
    enum bcp_fault fault = bcp_field_text(decoder, slice->data, span, &text, &length);
    if (fault)
        return fault;
    if (buffer_reserve(data, length / 2 + 1, decoder->err))
        return failed(decoder);
    fault = bcp_parse_hex(text, length, data->data + data->length, &written);
    data->length += written;
    return fault;
}

/* One value at the end of the column's data. */
static enum bcp_fault append_bytes(struct bcp_decoder *decoder, const struct bcp_slice *slice,
                                   struct bcp_span span, struct buffer *data)
{
    const uint8_t *bytes;
    size_t length;
    if (decoder->hex)
        return append_hex(decoder, slice, span, data);
    enum bcp_fault fault = check_span(decoder, slice->data, span, &bytes, &length);
    if (fault)
        return fault;
    if (bcp_host_is_text(decoder->stored->host) && !decoder->utf8)
        return append_utf8(decoder, bytes, length, data);
    if (decoder->utf8 && !unicode_is_valid(bytes, length))
        return FAULT_PAGE;
    return buffer_append(data, bytes, length, decoder->err) ? failed(decoder) : FAULT_NONE;
}

static enum haul_code decode_bytes(struct bcp_decoder *decoder, const struct bcp_slice *slice,
                                   struct builder *column, uint8_t *flags, struct haul_error *err)
{
    int32_t *offsets = (int32_t *)(void *)column->offsets.data + column->length;
    struct buffer *data = &column->data;
    data->length = (size_t)offsets[0];
    for (size_t r = 0; r < slice->rows; r++) {
        const size_t before = data->length;
        flags[r] = (uint8_t)append_bytes(decoder, slice, slice->spans[r * slice->stride], data);
        if (decoder->failed)
            return decoder->failed;
        if (flags[r])
            data->length = before;
        if (data->length > (size_t)INT32_MAX)
            return too_much(decoder, err);
        offsets[r + 1] = (int32_t)data->length;
    }
    return buffer_reserve(data, 1, err); /* even an empty text has a buffer to point into */
}

/* Fixed binaries from bytes of their width. */
static void decode_fixed(struct bcp_decoder *decoder, const struct bcp_slice *slice, uint8_t *values,
                         uint8_t *flags)
{
    for (size_t r = 0; r < slice->rows; r++, values += decoder->width) {
        const uint8_t *bytes;
        size_t length;
        enum bcp_fault fault =
            check_span(decoder, slice->data, slice->spans[r * slice->stride], &bytes, &length);
        if (!fault && length != decoder->width)
            fault = FAULT_SIZE;
        flags[r] = (uint8_t)fault;
        if (fault)
            memset(values, 0, decoder->width);
        else
            memcpy(values, bytes, length);
    }
}

/* ---- flags into columns ---- */

static enum haul_code close_rows(struct builder *column, const struct bcp_slice *slice, const uint8_t *flags,
                                 bool *faults, struct haul_error *err)
{
    unsigned any = 0;
    for (size_t r = 0; r < slice->rows; r++)
        any |= flags[r];
    *faults = any > FAULT_NULL;
    if (any && builder_add_validity(column, err))
        return err->code;
    for (size_t r = 0; column->validity.length && r < slice->rows; r++) {
        int64_t i = column->length + (int64_t)r;
        if (flags[r])
            bit_clear(column->validity.data, i);
        else
            bit_set(column->validity.data, i);
        column->null_count += flags[r] != 0;
    }
    column->length += (int64_t)slice->rows;
    return HAUL_OK;
}

static void close_bits(const struct bcp_decoder *decoder, struct builder *column, size_t rows)
{
    for (size_t r = 0; r < rows; r++) {
        int64_t i = column->length + (int64_t)r;
        if (decoder->bits.data[r])
            bit_set(column->values.data, i);
        else
            bit_clear(column->values.data, i);
    }
}

/* ---- structs ---- */

enum bcp_fault bcp_put_exact(uint8_t *value, int64_t days, int64_t units, int offset)
{
    const struct bcp_exact exact = {days * 86400000000 + units / 10, (int16_t)offset,
                                    (int16_t)(units % 10 * 100)};
    memcpy(value, &exact, sizeof exact);
    return FAULT_NONE;
}

static enum haul_code close_exact(const struct bcp_decoder *decoder, struct builder *column, size_t rows,
                                  struct haul_error *err)
{
    const struct bcp_exact *made = (const struct bcp_exact *)(const void *)decoder->bits.data;
    for (int c = 0; c < column->field->child_count; c++) {
        struct builder *child = &column->children[c];
        if (builder_reserve(child, (int64_t)rows, 0, err))
            return err->code;
        int64_t *micros = (int64_t *)(void *)child->values.data + child->length;
        int16_t *small = (int16_t *)(void *)child->values.data + child->length;
        const bool offset = c > 0 && strcmp(child->field->name, "offset_minutes") == 0;
        for (size_t r = 0; r < rows; r++) {
            if (c == 0)
                micros[r] = made[r].micros;
            else
                small[r] = offset ? made[r].offset : made[r].nanos;
        }
        child->length += (int64_t)rows;
    }
    return HAUL_OK;
}

enum haul_code bcp_decode_column(struct bcp_decoder *decoder, const struct bcp_slice *slice,
                                 struct builder *column, uint8_t *flags, bool *faults, struct haul_error *err)
{
    decoder->err = err;
    decoder->failed = HAUL_OK;
    if (builder_reserve(column, (int64_t)slice->rows, 0, err))
        return err->code;
    uint8_t *values =
        column->values.data ? column->values.data + (size_t)column->length * decoder->width : NULL;
    if (decoder->field->type == TYPE_BOOL || decoder->exact) {
        if (buffer_resize(&decoder->bits, slice->rows * decoder->width, err))
            return err->code;
        values = decoder->bits.data;
    }
    if (decoder->decode)
        decoder->decode(decoder, slice, values, flags);
    else if (decoder->width)
        decode_fixed(decoder, slice, values, flags);
    else if (decode_bytes(decoder, slice, column, flags, err))
        return err->code;
    if (decoder->failed)
        return decoder->failed;
    if (decoder->field->type == TYPE_BOOL)
        close_bits(decoder, column, slice->rows);
    if (decoder->exact && close_exact(decoder, column, slice->rows, err))
        return err->code;
    return close_rows(column, slice, flags, faults, err);
}
