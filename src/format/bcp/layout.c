/*
 * layout.c: opening a format file of either kind, what both must keep to, and the
 * escapes of terminators.
 */
#include "format/bcp/layout.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

void bcp_layout_release(struct bcp_layout *layout)
{
    arena_release(&layout->arena);
    memset(layout, 0, sizeof *layout);
}

enum haul_code bcp_layout_init(struct bcp_layout *layout, int count, struct haul_error *err)
{
    if (count < 1 || count > BCP_FIELDS_MAX)
        return error_set(err, HAUL_DATA, "%d fields; there may be 1 to %d", count, BCP_FIELDS_MAX);
    layout->fields = arena_alloc_array(&layout->arena, (size_t)count, sizeof *layout->fields);
    if (!layout->fields)
        return error_nomem(err, "the fields of a format file");
    layout->count = count;
    return HAUL_OK;
}

/* ---- opening ---- */

static bool looks_like_xml(const uint8_t *text, size_t length)
{
    size_t at = length >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
    if (length >= 2 && ((text[0] == 0xff && text[1] == 0xfe) || (text[0] == 0xfe && text[1] == 0xff)))
        return true;
    while (at < length && isspace(text[at]))
        at++;
    return at < length && text[at] == '<';
}

enum haul_code bcp_layout_parse(const uint8_t *text, size_t length, struct bcp_layout *layout,
                                struct haul_error *err)
{
    layout->xml = looks_like_xml(text, length);
    if (layout->xml ? bcp_xml_parse((const char *)text, length, layout, err)
                    : bcp_classic_parse((const char *)text, length, layout, err))
        return err->code;
    return bcp_layout_check(layout, err);
}

static enum haul_code read_whole(struct input_file *file, struct buffer *text, struct haul_error *err)
{
    size_t got = 1;
    while (got) {
        if (text->length > BCP_FILE_BYTES_MAX)
            return error_set(err, HAUL_DATA, "longer than %u bytes: this is no format file",
                             BCP_FILE_BYTES_MAX);
        if (buffer_reserve(text, 65536, err) ||
            file->ops->read_at(file, (int64_t)text->length, text->data + text->length, 65536, &got, err))
            return err->code;
        text->length += got;
    }
    return HAUL_OK;
}

enum haul_code bcp_layout_open(const char *name, const struct context *context, struct bcp_layout *layout,
                               struct haul_error *err)
{
    struct input_file *file = NULL;
    struct buffer text;
    memset(layout, 0, sizeof *layout);
    if (store_for(name)->open(name, context, &file, err))
        return err->code;
    buffer_init(&text, NULL);
    enum haul_code code = read_whole(file, &text, err);
    if (!code)
        code = bcp_layout_parse(text.data, text.length, layout, err);
    buffer_release(&text);
    file->ops->close(file);
    if (!code)
        return HAUL_OK;
    bcp_layout_release(layout);
    return error_prefix(err, "format file %s", name);
}

/* ---- checks ---- */

static bool is_prefix(int prefix)
{
    return prefix == 0 || prefix == 1 || prefix == 2 || prefix == 4 || prefix == 8;
}

static enum haul_code check_field(const struct bcp_field *field, int number, struct haul_error *err)
{
    const struct bcp_host_info *host = &bcp_hosts[field->host];
    if (!is_prefix(field->prefix))
        return error_set(err, HAUL_DATA, "field %d: a prefix has 0, 1, 2, 4 or 8 bytes, not %d", number,
                         field->prefix);
    if (field->length > BCP_LENGTH_MAX)
        return error_set(err, HAUL_DATA, "field %d: a length of %u bytes", number, field->length);
    if (host->bytes && field->prefix == 0 && field->length && field->length != host->bytes)
        return error_set(err, HAUL_DATA, "field %d: %s has %u bytes, the format file says %u", number,
                         host->name, host->bytes, field->length);
    if (!host->bytes && field->prefix == 0 && field->length == 0 && field->end_length == 0)
        return error_set(err, HAUL_DATA,
                         "field %d: nothing says where it ends: it has no prefix, length or terminator",
                         number);
    if (field->host == HOST_NCHAR && field->prefix == 0 && field->end_length == 0 && field->length % 2)
        return error_set(err, HAUL_DATA, "field %d: %u bytes are not whole UTF-16 units", number,
                         field->length);
    if (field->host == HOST_NCHAR && field->end_length % 2)
        return error_set(err, HAUL_DATA,
                         "field %d: the terminator of a SQLNCHAR field is UTF-16 too, such as \"\\t\\0\"",
                         number);
    return HAUL_OK;
}

enum haul_code bcp_layout_check(struct bcp_layout *layout, struct haul_error *err)
{
    uint8_t seen[BCP_FIELDS_MAX + 1] = {0};
    layout->columns = 0;
    for (int i = 0; i < layout->count; i++) {
        const struct bcp_field *field = &layout->fields[i];
        if (check_field(field, i + 1, err))
            return err->code;
        if (field->column < 0 || field->column > BCP_FIELDS_MAX)
            return error_set(err, HAUL_DATA, "field %d: server column %d", i + 1, field->column);
        if (field->column && seen[field->column]++)
            return error_set(err, HAUL_DATA, "field %d: server column %d stands there twice", i + 1,
                             field->column);
        layout->columns += field->column != 0;
    }
    return layout->columns ? HAUL_OK
                           : error_set(err, HAUL_DATA, "every field is skipped: there is no server column");
}

/* ---- terminators ---- */

static int hex_digit(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : (c | 32) >= 'a' && (c | 32) <= 'f' ? (c | 32) - 'a' + 10 : -1;
}

static bool parse_hex(const char *text, size_t length, uint8_t *out, size_t *out_length)
{
    if (length % 2 || length == 0 || length / 2 > BCP_END_BYTES_MAX)
        return false;
    for (size_t i = 0; i < length; i += 2) {
        int high = hex_digit(text[i]), low = hex_digit(text[i + 1]);
        if (high < 0 || low < 0)
            return false;
        out[i / 2] = (uint8_t)(high * 16 + low);
    }
    *out_length = length / 2;
    return true;
}

bool bcp_end_parse(const char *text, size_t length, uint8_t out[BCP_END_BYTES_MAX], size_t *out_length)
{
    static const char letters[] = "tnr0\\\"", meant[] = "\t\n\r\0\\\"";
    if (length > 2 && text[0] == '0' && (text[1] | 32) == 'x')
        return parse_hex(text + 2, length - 2, out, out_length);
    size_t n = 0;
    for (size_t i = 0; i < length; i++) {
        if (n == BCP_END_BYTES_MAX)
            return false;
        const char *known = text[i] == '\\' && i + 1 < length ? memchr(letters, text[i + 1], 6) : NULL;
        out[n++] = (uint8_t)(known ? meant[known - letters] : text[i]);
        i += known != NULL;
    }
    *out_length = n;
    return true;
}

enum haul_code bcp_end_print(const uint8_t *end, size_t length, struct buffer *out, struct haul_error *err)
{
    static const char meant[] = "\t\n\r\0\\\"", letters[] = "tnr0\\\"";
    bool plain = !(length > 2 && end[0] == '0' && (end[1] | 32) == 'x'); /* no hex digits by accident */
    for (size_t i = 0; i < length; i++)
        plain = plain && (memchr(meant, end[i], 6) || (end[i] >= 0x20 && end[i] < 0x7f));
    if (!plain && buffer_append(out, "0x", 2, err))
        return err->code;
    for (size_t i = 0; i < length; i++) {
        const char *known = plain ? memchr(meant, end[i], 6) : NULL;
        enum haul_code code = known   ? buffer_printf(out, err, "\\%c", letters[known - meant])
                              : plain ? buffer_append(out, end + i, 1, err)
                                      : buffer_printf(out, err, "%02x", end[i]);
        if (code)
            return code;
    }
    return HAUL_OK;
}
