/*
 * xml_write.c: a layout as an XML format file, in the form that bcp gives it: one
 * blank per level, the attributes in bcp's order.
 */
#include "format/bcp/layout.h"

#include "base/utf16.h"
#include <string.h>

static enum haul_code put_escaped(struct buffer *out, const char *text, size_t length, struct haul_error *err)
{
    for (size_t i = 0; i < length; i++) {
        enum haul_code code = text[i] == '&'   ? buffer_append(out, "&amp;", 5, err)
                              : text[i] == '<' ? buffer_append(out, "&lt;", 4, err)
                              : text[i] == '>' ? buffer_append(out, "&gt;", 4, err)
                              : text[i] == '"' ? buffer_append(out, "&quot;", 6, err)
                              : (uint8_t)text[i] < 0x20
                                  ? buffer_printf(out, err, "&#x%X;", (unsigned)(uint8_t)text[i])
                                  : buffer_append(out, text + i, 1, err);
        if (code)
            return code;
    }
    return HAUL_OK;
}

static enum haul_code put_attribute(struct buffer *out, const char *name, const char *value, size_t length,
                                    struct haul_error *err)
{
    if (buffer_printf(out, err, " %s=\"", name) || put_escaped(out, value, length, err))
        return err->code;
    return buffer_append(out, "\"", 1, err);
}

/* The terminator as text: that of wide fields is not written in byte pairs. */
static enum haul_code put_end(const struct bcp_field *field, struct buffer *out, struct haul_error *err)
{
    uint8_t narrow[UTF16_GROWTH(BCP_END_BYTES_MAX)];
    struct buffer text;
    const uint8_t *end = field->end;
    size_t length = field->end_length;
    if (field->host == HOST_NCHAR) {
        size_t units = length / 2;
        if (length % 2 || utf16_to_utf8(end, units, narrow, &length) != units)
            return error_set(err, HAUL_UNSUPPORTED, "field %s: the terminator is no UTF-16 text", field->id);
        end = narrow;
    }
    buffer_init(&text, NULL);
    enum haul_code code = bcp_end_print(end, length, &text, err);
    /* \" is of classic files; here the quote is an entity */
    for (size_t i = 0; !code && i + 1 < text.length; i++)
        if (text.data[i] == '\\' && text.data[i + 1] == '"')
            memmove(text.data + i, text.data + i + 1, --text.length - i);
        else
            i += text.data[i] == '\\';
    if (!code)
        code = put_attribute(out, "TERMINATOR", (const char *)text.data, text.length, err);
    buffer_release(&text);
    return code;
}

static const char *field_type(const struct bcp_field *field)
{
    static const char *const names[3][3] = {{"NativeFixed", "NativePrefix", "NativeFixed"},
                                            {"CharFixed", "CharPrefix", "CharTerm"},
                                            {"NCharFixed", "NCharPrefix", "NCharTerm"}};
    int kind = field->host == HOST_CHAR ? 1 : field->host == HOST_NCHAR ? 2 : 0;
    return names[kind][field->prefix ? 1 : field->end_length ? 2 : 0];
}

static enum haul_code put_field(const struct bcp_field *field, struct buffer *out, struct haul_error *err)
{
    const uint32_t length = field->length ? field->length : bcp_hosts[field->host].bytes;
    const bool fixed = !field->prefix && (!field->end_length || !bcp_host_is_text(field->host));
    if (field->prefix && field->end_length)
        return error_set(err, HAUL_UNSUPPORTED,
                         "field %s: XML format files have no field with a prefix and a terminator; write a "
                         "classic one",
                         field->id);
    if (buffer_printf(out, err, "  <FIELD") || put_attribute(out, "ID", field->id, strlen(field->id), err) ||
        buffer_printf(out, err, " xsi:type=\"%s\"", field_type(field)))
        return err->code;
    enum haul_code code = HAUL_OK;
    if (fixed)
        code = buffer_printf(out, err, " LENGTH=\"%u\"", length);
    else if (field->prefix)
        code = buffer_printf(out, err, " PREFIX_LENGTH=\"%d\"", field->prefix);
    else
        code = put_end(field, out, err);
    bool sized = bcp_host_is_text(field->host) || field->host == HOST_BINARY || field->host == HOST_DECIMAL ||
                 field->host == HOST_NUMERIC;
    if (!code && !fixed && length && sized)
        code = buffer_printf(out, err, " MAX_LENGTH=\"%u\"", length);
    if (!code && field->collation[0])
        code = put_attribute(out, "COLLATION", field->collation, strlen(field->collation), err);
    return code ? code : buffer_append(out, "/>\n", 3, err);
}

static const char *column_type(const struct bcp_field *field)
{
    if (field->type.sql)
        return bcp_sqls[field->type.sql].xml;
    return field->host == HOST_CHAR    ? "SQLVARYCHAR"
           : field->host == HOST_NCHAR ? "SQLNVARCHAR"
                                       : bcp_hosts[field->host].name;
}

static enum haul_code put_column(const struct bcp_field *field, struct buffer *out, struct haul_error *err)
{
    const struct bcp_type *type = &field->type;
    if (buffer_printf(out, err, "  <COLUMN") ||
        put_attribute(out, "SOURCE", field->id, strlen(field->id), err) ||
        put_attribute(out, "NAME", field->name, strlen(field->name), err) ||
        buffer_printf(out, err, " xsi:type=\"%s\"", column_type(field)))
        return err->code;
    enum haul_code code = HAUL_OK;
    if (bcp_sqls[type->sql].args == ARGS_DECIMAL)
        code = buffer_printf(out, err, " PRECISION=\"%d\" SCALE=\"%d\"", type->precision, type->scale);
    else if (bcp_sqls[type->sql].args == ARGS_SCALE)
        code = buffer_printf(out, err, " SCALE=\"%d\"", type->scale);
    else if (type->sql == SQL_BINARY && type->length)
        code = buffer_printf(out, err, " LENGTH=\"%u\"", type->length);
    if (!code && field->not_null)
        code = buffer_printf(out, err, " NULLABLE=\"NO\"");
    return code ? code : buffer_append(out, "/>\n", 3, err);
}

static enum haul_code put_columns(const struct bcp_layout *layout, struct buffer *out, struct haul_error *err)
{
    for (int column = 1, left = layout->columns; left; column++)
        for (int i = 0; i < layout->count; i++)
            if (layout->fields[i].column == column) {
                left--;
                if (put_column(&layout->fields[i], out, err))
                    return err->code;
            }
    return HAUL_OK;
}

enum haul_code bcp_xml_print(const struct bcp_layout *layout, struct buffer *out, struct haul_error *err)
{
    if (buffer_printf(out, err,
                      "<?xml version=\"1.0\"?>\n"
                      "<BCPFORMAT xmlns=\"http://schemas.microsoft.com/sqlserver/2004/bulkload/format\" "
                      "xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\">\n"
                      " <RECORD>\n"))
        return err->code;
    for (int i = 0; i < layout->count; i++)
        if (put_field(&layout->fields[i], out, err))
            return err->code;
    if (buffer_printf(out, err, " </RECORD>\n <ROW>\n") || put_columns(layout, out, err))
        return err->code;
    return buffer_printf(out, err, " </ROW>\n</BCPFORMAT>\n");
}
