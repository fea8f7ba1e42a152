/*
 * classic.c: format files of the classic kind, read and written.
 *
 *     14.0                         the version
 *     2                            the number of fields
 *     1  SQLCHAR  0  12  "\t"    1  EmpAge  ""
 *     2  SQLCHAR  0  41  "\r\n"  3  EmpSalary  ""
 *
 * A line is: host field order, host type, prefix, length, terminator, server column
 * (0: skipped), its name, its collation (not before version 8.0). A name may hold
 * blanks: it is what stands between the column's number and the collation. A
 * collation that an editor wrapped onto a line of its own is taken from there.
 */
#include "format/bcp/layout.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct lines {
    const char *at, *end;
    int number;
};

struct token {
    const char *text;
    size_t length;
};

/* The next line that is not blank, without its end; false at the end. */
static bool next_line(struct lines *lines, struct token *line)
{
    while (lines->at < lines->end) {
        const char *stop = memchr(lines->at, '\n', (size_t)(lines->end - lines->at));
        const char *next = stop ? stop + 1 : lines->end;
        *line = (struct token){lines->at, (size_t)((stop ? stop : lines->end) - lines->at)};
        lines->at = next;
        lines->number++;
        while (line->length && isspace((unsigned char)line->text[line->length - 1]))
            line->length--;
        while (line->length && isspace((unsigned char)line->text[0])) {
            line->text++;
            line->length--;
        }
        if (line->length)
            return true;
    }
    return false;
}

/* Takes the first token off the line; length 0 when there is none. */
static struct token take_token(struct token *line)
{
    struct token token = {line->text, 0};
    while (token.length < line->length && !isspace((unsigned char)line->text[token.length]))
        token.length++;
    size_t used = token.length;
    while (used < line->length && isspace((unsigned char)line->text[used]))
        used++;
    line->text += used;
    line->length -= used;
    return token;
}

/* A terminator in quotes, which may hold blanks and \" . */
static bool take_quoted(struct token *line, struct token *inside)
{
    if (line->length < 2 || line->text[0] != '"')
        return false;
    size_t i = 1;
    while (i < line->length && line->text[i] != '"')
        i += line->text[i] == '\\' && i + 1 < line->length ? 2 : 1;
    if (i >= line->length)
        return false;
    *inside = (struct token){line->text + 1, i - 1};
    line->text += i + 1;
    line->length -= i + 1;
    while (line->length && isspace((unsigned char)line->text[0])) {
        line->text++;
        line->length--;
    }
    return true;
}

static bool token_number(struct token token, long max, long *value)
{
    char text[16];
    char *end;
    if (token.length == 0 || token.length >= sizeof text)
        return false;
    memcpy(text, token.text, token.length);
    text[token.length] = 0;
    *value = strtol(text, &end, 10);
    return *end == 0 && *value >= 0 && *value <= max && isdigit((unsigned char)text[0]);
}

static enum haul_code bad_line(const struct lines *lines, int field, const char *what, struct token token,
                               struct haul_error *err)
{
    return error_set(err, HAUL_DATA, "line %d, field %d: %s: \"%.*s\"", lines->number, field, what,
                     (int)(token.length < 80 ? token.length : 80), token.text);
}

static bool only_token(struct token line)
{
    struct token rest = line;
    (void)take_token(&rest);
    return rest.length == 0;
}

/* Collation and name: the last token of the line and what is before it. */
static enum haul_code take_names(struct lines *lines, struct token line, bool collated,
                                 struct bcp_field *field, struct arena *arena, struct haul_error *err)
{
    struct token collation = {"", 0}, name = line, next;
    struct lines ahead = *lines;
    if (collated && only_token(line)) {
        if (next_line(&ahead, &next) && only_token(next) && !isdigit((unsigned char)next.text[0])) {
            collation = next;
            *lines = ahead;
        }
    } else if (collated) {
        size_t at = line.length;
        while (at && !isspace((unsigned char)line.text[at - 1]))
            at--;
        collation = (struct token){line.text + at, line.length - at};
        name.length = at;
        while (name.length && isspace((unsigned char)name.text[name.length - 1]))
            name.length--;
    }
    if (name.length >= 2 && name.text[0] == '"' && name.text[name.length - 1] == '"')
        name = (struct token){name.text + 1, name.length - 2};
    if (collation.length == 2 && memcmp(collation.text, "\"\"", 2) == 0)
        collation.length = 0;
    field->name = arena_text_n(arena, name.text, name.length);
    field->collation = arena_text_n(arena, collation.text, collation.length);
    return field->name && field->collation ? HAUL_OK : error_nomem(err, "a format file");
}

static enum haul_code take_end(struct token text, struct bcp_field *field, struct arena *arena,
                               struct haul_error *err)
{
    uint8_t end[BCP_END_BYTES_MAX];
    if (!bcp_end_parse(text.text, text.length, end, &field->end_length))
        return error_set(err, HAUL_DATA, "a terminator has at most %d bytes", BCP_END_BYTES_MAX);
    char *copy = arena_text_n(arena, (const char *)end, field->end_length);
    field->end = (const uint8_t *)copy;
    return copy ? HAUL_OK : error_nomem(err, "a format file");
}

static enum haul_code parse_field(struct lines *lines, struct token line, int number, bool collated,
                                  struct bcp_layout *layout, struct haul_error *err)
{
    struct bcp_field *field = &layout->fields[number - 1];
    struct token token = take_token(&line), end;
    long value, prefix, length, column;
    if (!token_number(token, BCP_FIELDS_MAX, &value) || value != number)
        return bad_line(lines, number, "the host field order should be this number", token, err);
    token = take_token(&line);
    field->host = bcp_host_find(token.text, token.length);
    if (field->host == HOST_COUNT)
        return bad_line(lines, number, "no host data type", token, err);
    token = take_token(&line);
    if (!token_number(token, 8, &prefix))
        return bad_line(lines, number, "no prefix length", token, err);
    token = take_token(&line);
    if (!token_number(token, BCP_LENGTH_MAX, &length))
        return bad_line(lines, number, "no host data length", token, err);
    if (!take_quoted(&line, &end))
        return bad_line(lines, number, "no terminator in quotes", line, err);
    token = take_token(&line);
    if (!token_number(token, BCP_FIELDS_MAX, &column))
        return bad_line(lines, number, "no server column", token, err);
    if (!line.length)
        return bad_line(lines, number, "no server column name", line, err);
    field->prefix = (int)prefix;
    field->length = (uint32_t)length;
    field->column = (int)column;
    field->id = arena_printf(&layout->arena, "%d", number);
    if (!field->id)
        return error_nomem(err, "a format file");
    if (take_end(end, field, &layout->arena, err))
        return error_prefix(err, "line %d, field %d", lines->number, number);
    return take_names(lines, line, collated, field, &layout->arena, err);
}

static enum haul_code parse_version(struct token line, struct bcp_layout *layout, bool *collated,
                                    struct haul_error *err)
{
    char text[16] = "";
    char *end;
    if (line.length < sizeof text)
        memcpy(text, line.text, line.length);
    double version = strtod(text, &end);
    if (!text[0] || *end || !isdigit((unsigned char)text[0]) || version < 4 || version >= 100)
        return error_set(err, HAUL_DATA,
                         "line 1: a format file begins with its version, such as 14.0, not \"%.*s\"",
                         (int)(line.length < 40 ? line.length : 40), line.text);
    *collated = version >= 8;
    layout->version = arena_text(&layout->arena, text);
    return layout->version ? HAUL_OK : error_nomem(err, "a format file");
}

enum haul_code bcp_classic_parse(const char *text, size_t length, struct bcp_layout *layout,
                                 struct haul_error *err)
{
    size_t mark = length >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
    struct lines lines = {length ? text + mark : "", length ? text + length : "", 0};
    struct token line = {"", 0};
    bool collated = false;
    long count;
    if (length && memchr(text, 0, length))
        return error_set(err, HAUL_DATA, "holds NUL bytes: this is no format file");
    if (!next_line(&lines, &line))
        return error_set(err, HAUL_DATA, "is empty");
    if (parse_version(line, layout, &collated, err))
        return err->code;
    if (!next_line(&lines, &line) || !token_number(line, BCP_FIELDS_MAX, &count) || count == 0)
        return error_set(err, HAUL_DATA, "line %d: the number of fields (1 to %d) should stand here",
                         lines.number, BCP_FIELDS_MAX);
    if (bcp_layout_init(layout, (int)count, err))
        return err->code;
    for (int i = 1; i <= count; i++) {
        if (!next_line(&lines, &line))
            return error_set(err, HAUL_DATA, "line 2 says %ld fields, %d are there", count, i - 1);
        if (parse_field(&lines, line, i, collated, layout, err))
            return err->code;
    }
    if (next_line(&lines, &line))
        return error_set(err, HAUL_DATA, "line %d: more than the %ld fields that line 2 says", lines.number,
                         count);
    return HAUL_OK;
}

/* ---- writing ---- */

static enum haul_code quoted_ends(const struct bcp_layout *layout, struct buffer *ends, size_t *widest,
                                  struct haul_error *err)
{
    *widest = 0;
    for (int i = 0; i < layout->count; i++) {
        size_t start = ends->length;
        const struct bcp_field *field = &layout->fields[i];
        if (buffer_append(ends, "\"", 1, err) || bcp_end_print(field->end, field->end_length, ends, err) ||
            buffer_append(ends, "\"", 2, err)) /* and a NUL */
            return err->code;
        size_t length = ends->length - start - 1;
        *widest = length > *widest ? length : *widest;
    }
    return HAUL_OK;
}

struct columns {
    int number;    /* of the field */
    int end, name; /* widths */
    bool collated;
};

static enum haul_code print_field(const struct bcp_field *field, const char *end,
                                  const struct columns *columns, struct buffer *out, struct haul_error *err)
{
    const char *name = field->name[0] ? field->name : field->id; /* a name must not be blank */
    const bool blank = strpbrk(name, " \t") != NULL;
    if (buffer_printf(out, err, "%-8d%-20s%-8d%-8u%-*s%-6d", columns->number, bcp_hosts[field->host].name,
                      field->prefix, field->length, columns->end, end, field->column))
        return err->code;
    enum haul_code code =
        blank ? buffer_printf(out, err, "\"%s\"%*s", name, columns->name - (int)strlen(name) - 2, "")
              : buffer_printf(out, err, "%-*s", columns->name, name);
    if (!code && columns->collated)
        code = buffer_printf(out, err, "%s", field->collation[0] ? field->collation : "\"\"");
    return code ? code : buffer_append(out, "\n", 1, err);
}

enum haul_code bcp_classic_print(const struct bcp_layout *layout, struct buffer *out, struct haul_error *err)
{
    struct buffer ends;
    size_t widths[2] = {0, 0};
    buffer_init(&ends, NULL);
    enum haul_code code = buffer_printf(out, err, "%s\n%d\n", layout->version, layout->count);
    if (!code)
        code = quoted_ends(layout, &ends, &widths[0], err);
    for (int i = 0; i < layout->count; i++) {
        size_t length = strlen(layout->fields[i].name);
        widths[1] = length > widths[1] ? length : widths[1];
    }
    struct columns columns = {0, (int)widths[0] + 3, (int)widths[1] + 13, strtod(layout->version, NULL) >= 8};
    const char *end = (const char *)ends.data;
    for (int i = 0; !code && i < layout->count; i++) {
        columns.number = i + 1;
        code = print_field(&layout->fields[i], end, &columns, out, err);
        end += strlen(end) + 1;
    }
    buffer_release(&ends);
    return code;
}
