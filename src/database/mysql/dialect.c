/*
 * dialect.c: how MySQL writes names and values.
 *
 * A name stands in backquotes, those inside doubled; always, also when it need
 * not. A value stands in single quotes with backslash escapes (session.c keeps
 * NO_BACKSLASH_ESCAPES out of sql_mode). The connection speaks utf8mb4, in which
 * no byte of a character looks like a quote; text that is not UTF-8 is refused.
 */
#include "database/mysql/dialect.h"

#include "base/unicode.h"
#include <stdarg.h>
#include <stdio.h>

void my_sql_release(struct my_sql *sql)
{
    buffer_release(&sql->text);
    *sql = (struct my_sql){0};
}

void my_sql_clear(struct my_sql *sql)
{
    buffer_clear(&sql->text);
    sql->failed = false;
}

static void put(struct my_sql *sql, const char *text, size_t length)
{
    if (!sql->failed && buffer_append(&sql->text, text, length, &sql->err))
        sql->failed = true;
}

void my_sql_add(struct my_sql *sql, const char *format, ...)
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

static void check_utf8(struct my_sql *sql, const char *text)
{
    if (sql->failed || unicode_is_valid((const uint8_t *)text, strlen(text)))
        return;
    error_set(&sql->err, HAUL_DATA, "\"%s\" is not UTF-8", text);
    sql->failed = true;
}

static size_t characters(const char *text)
{
    size_t count = 0;
    for (; *text; text++)
        count += (*text & 0xc0) != 0x80;
    return count;
}

void my_sql_name(struct my_sql *sql, const char *name)
{
    check_utf8(sql, name);
    if (!sql->failed && (!*name || characters(name) > MY_NAME_CHARACTERS)) {
        error_set(&sql->err, HAUL_UNSUPPORTED,
                  "the name \"%s\" has %zu characters; MySQL's names have 1 to %d", name, characters(name),
                  MY_NAME_CHARACTERS);
        sql->failed = true;
    }
    put(sql, "`", 1);
    for (const char *at = name; *at; at++)
        put(sql, *at == '`' ? "``" : at, *at == '`' ? 2 : 1);
    put(sql, "`", 1);
}

void my_sql_table(struct my_sql *sql, const char *schema, const char *name)
{
    if (schema) {
        my_sql_name(sql, schema);
        put(sql, ".", 1);
    }
    my_sql_name(sql, name);
}

void my_sql_literal(struct my_sql *sql, const char *value)
{
    if (!value) {
        put(sql, "NULL", 4);
        return;
    }
    check_utf8(sql, value);
    put(sql, "'", 1);
    for (const char *at = value; *at; at++) {
        if (*at == '\'' || *at == '\\')
            put(sql, "\\", 1);
        put(sql, at, 1);
    }
    put(sql, "'", 1);
}

const char *my_sql_text(struct my_sql *sql, struct haul_error *err)
{
    put(sql, "", 1);
    if (sql->failed) {
        *err = sql->err;
        return NULL;
    }
    sql->text.length--;
    return (const char *)sql->text.data;
}

/* ---- names as users write them ---- */

static char closing(char open)
{
    return open == '[' ? ']' : open == '"' || open == '`' ? open : 0;
}

/* One part; *at goes behind it. NULL: no memory or a quote without end. */
static const char *take_part(const char **at, struct arena *arena)
{
    char close = closing(**at);
    size_t length = 0;
    char *part = arena_text(arena, *at);
    if (!part)
        return NULL;
    if (!close) {
        length = strcspn(*at, ".");
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

enum haul_code my_name_parse(const char *text, struct arena *arena, struct my_name *name,
                             struct haul_error *err)
{
    const char *at = text;
    *name = (struct my_name){0};
    name->name = take_part(&at, arena);
    if (name->name && *at == '.') {
        at++;
        name->schema = name->name;
        name->name = take_part(&at, arena);
    }
    if (!name->name || *at || !*name->name || (name->schema && !*name->schema))
        return error_set(err, HAUL_USAGE,
                         "\"%s\" is no table's name; write orders, shop.orders or \"Order Details\"", text);
    return HAUL_OK;
}
