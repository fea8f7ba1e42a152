/*
 * sql.c: names and values as SQL.
 *
 * A name is quoted always, also when it need not be: a rule without cases has no
 * holes. Text that is not UTF-8 is refused, because a broken character could
 * swallow the quote after it (CVE-2025-1094). A name that is too long is refused
 * rather than cut by the server to one that means another table.
 */
#include "database/sql.h"

#include "base/unicode.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void sql_release(struct sql *sql)
{
    buffer_release(&sql->text);
    *sql = (struct sql){.dialect = sql->dialect};
}

void sql_clear(struct sql *sql)
{
    buffer_clear(&sql->text);
    sql->failed = false;
}

static void put(struct sql *sql, const char *text, size_t length)
{
    if (!sql->failed && buffer_append(&sql->text, text, length, &sql->err))
        sql->failed = true;
}

void sql_add(struct sql *sql, const char *format, ...)
{
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int length = vsnprintf(NULL, 0, format, args);
    if (!sql->failed && (length < 0 || buffer_reserve(&sql->text, (size_t)length + 1, &sql->err)))
        sql->failed = true;
    if (!sql->failed) {
        vsnprintf((char *)sql->text.data + sql->text.length, (size_t)length + 1, format, again);
        sql->text.length += (size_t)length;
    }
    va_end(again);
    va_end(args);
}

static void check_utf8(struct sql *sql, const char *text)
{
    if (sql->failed || unicode_is_valid((const uint8_t *)text, strlen(text)))
        return;
    error_set(&sql->err, HAUL_DATA, "\"%s\" is not UTF-8", text);
    sql->failed = true;
}

static int count_characters(const char *text)
{
    int count = 0;
    for (; *text; text++)
        count += (*text & 0xc0) != 0x80;
    return count;
}

static void check_length(struct sql *sql, const char *name)
{
    const struct dialect *dialect = sql->dialect;
    int most = dialect->name_bytes_max ? dialect->name_bytes_max : dialect->name_characters_max;
    if (sql->failed || !most)
        return;
    size_t bytes = strlen(name);
    int length = dialect->name_bytes_max && bytes <= INT32_MAX ? (int)bytes : count_characters(name);
    if (length > 0 && length <= most)
        return;
    error_set(&sql->err, HAUL_UNSUPPORTED, "the name \"%s\" has %d %s; %s's names have 1 to %d", name, length,
              dialect->name_bytes_max ? "bytes" : "characters", dialect->engine, most);
    sql->failed = true;
}

static void put_doubled(struct sql *sql, const char *text, char special)
{
    for (const char *at = text; *at; at++) {
        put(sql, at, 1);
        if (*at == special)
            put(sql, at, 1);
    }
}

void sql_name(struct sql *sql, const char *name)
{
    check_utf8(sql, name);
    check_length(sql, name);
    put(sql, &sql->dialect->open, 1);
    put_doubled(sql, name, sql->dialect->close);
    put(sql, &sql->dialect->close, 1);
}

void sql_table(struct sql *sql, const char *schema, const char *name)
{
    if (schema) {
        sql_name(sql, schema);
        put(sql, ".", 1);
    }
    sql_name(sql, name);
}

void sql_literal(struct sql *sql, const char *value)
{
    if (!value) {
        put(sql, "NULL", 4);
        return;
    }
    check_utf8(sql, value);
    put(sql, sql->dialect->literal, strlen(sql->dialect->literal));
    if (!sql->dialect->backslash)
        put_doubled(sql, value, '\'');
    for (const char *at = value; sql->dialect->backslash && *at; at++) {
        if (*at == '\'' || *at == '\\')
            put(sql, "\\", 1);
        put(sql, at, 1);
    }
    put(sql, "'", 1);
}

const char *sql_text(struct sql *sql, struct haul_error *err)
{
    put(sql, "", 1);
    if (sql->failed) {
        *err = sql->err;
        return NULL;
    }
    sql->text.length--;
    return (const char *)sql->text.data;
}

const char *sql_keep(struct sql *sql, struct arena *arena, struct haul_error *err)
{
    const char *text = sql_text(sql, err), *kept = text ? arena_text(arena, text) : NULL;
    if (text && !kept)
        error_nomem(err, "a statement");
    sql_release(sql);
    return kept;
}

/* ---- names as users write them ---- */

static char closing(const struct dialect *dialect, char open)
{
    return open == '"' ? '"' : open == '[' ? ']' : open == dialect->open ? dialect->close : 0;
}

/* One part; *at goes behind it. NULL: no memory or a quote without end. */
static const char *take_part(const struct dialect *dialect, const char **at, struct arena *arena,
                             bool *folded)
{
    char close = closing(dialect, **at);
    size_t length = 0;
    char *part = arena_text(arena, *at);
    if (!part)
        return NULL;
    if (!close) {
        length = strcspn(*at, ".");
        *folded = true;
        *at += length;
        part[length] = 0;
        return part;
    }
    const char *from = *at + 1;
    for (; *from && (*from != close || from[1] == close); from++) {
        from += *from == close;
        part[length++] = *from;
    }
    part[length] = 0;
    *at = *from ? from + 1 : from;
    return *from ? part : NULL;
}

/* With three parts the middle one may be left empty: db..orders. */
enum haul_code table_name_parse(const struct dialect *dialect, const char *text, struct arena *arena,
                                struct table_name *name, struct haul_error *err)
{
    const char *at = text, *part = NULL;
    bool open = false;
    *name = (struct table_name){0};
    for (int count = 0; count < dialect->parts_max && (count == 0 || *at == '.'); count++) {
        at += count > 0;
        part = take_part(dialect, &at, arena, &name->folded);
        if (!part)
            break;
        open |= count > 0 && !*name->name;
        name->database = name->schema;
        name->schema = name->name;
        name->name = part;
    }
    if (!part || *at || !*part || (open && dialect->parts_max < 3))
        return error_set(err, HAUL_USAGE, "\"%s\" is no table's name; write %s", text, dialect->example);
    if (name->schema && !*name->schema)
        name->schema = NULL;
    if (name->database && !*name->database)
        name->database = NULL;
    return HAUL_OK;
}
