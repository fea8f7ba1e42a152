/*
 * dialect.c: how PostgreSQL writes names and values.
 *
 * A name stands in double quotes, those inside doubled; always, also when it
 * need not. A value stands in E'' quotes, where backslash and quote are escaped
 * whatever standard_conforming_strings says. Text that is not UTF-8 is refused
 * first, because a broken character could swallow the quote after it
 * (CVE-2025-1094).
 */
#include "database/postgres/dialect.h"

#include "base/unicode.h"
#include <stdarg.h>
#include <stdio.h>

void pg_sql_release(struct pg_sql *sql)
{
    buffer_release(&sql->text);
    *sql = (struct pg_sql){0};
}

void pg_sql_clear(struct pg_sql *sql)
{
    buffer_clear(&sql->text);
    sql->failed = false;
}

static void put(struct pg_sql *sql, const char *text, size_t length)
{
    if (!sql->failed && buffer_append(&sql->text, text, length, &sql->err))
        sql->failed = true;
}

void pg_sql_add(struct pg_sql *sql, const char *format, ...)
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

static void check_utf8(struct pg_sql *sql, const char *text)
{
    if (sql->failed || unicode_is_valid((const uint8_t *)text, strlen(text)))
        return;
    error_set(&sql->err, HAUL_DATA, "\"%s\" is not UTF-8", text);
    sql->failed = true;
}

void pg_sql_name(struct pg_sql *sql, const char *name)
{
    check_utf8(sql, name);
    if (!sql->failed && (!*name || strlen(name) > PG_NAME_BYTES)) {
        error_set(&sql->err, HAUL_UNSUPPORTED,
                  "the name \"%s\" has %zu bytes; PostgreSQL's names have 1 to %d", name, strlen(name),
                  PG_NAME_BYTES);
        sql->failed = true;
    }
    put(sql, "\"", 1);
    for (const char *at = name; *at; at++)
        put(sql, *at == '"' ? "\"\"" : at, *at == '"' ? 2 : 1);
    put(sql, "\"", 1);
}

void pg_sql_table(struct pg_sql *sql, const char *schema, const char *name)
{
    if (schema) {
        pg_sql_name(sql, schema);
        put(sql, ".", 1);
    }
    pg_sql_name(sql, name);
}

void pg_sql_literal(struct pg_sql *sql, const char *value)
{
    check_utf8(sql, value);
    put(sql, " E'", 3);
    for (const char *at = value; *at; at++) {
        bool special = *at == '\'' || *at == '\\';
        if (special)
            put(sql, "\\", 1);
        put(sql, at, 1);
    }
    put(sql, "'", 1);
}

const char *pg_sql_text(struct pg_sql *sql, struct haul_error *err)
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

/* One part; *at goes behind it. NULL: no memory or a quote without end. */
static const char *take_part(const char **at, struct arena *arena, bool *folded)
{
    char close = **at == '"' ? '"' : **at == '[' ? ']' : 0;
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

enum haul_code pg_name_parse(const char *text, struct arena *arena, struct pg_name *name,
                             struct haul_error *err)
{
    const char *at = text;
    *name = (struct pg_name){0};
    name->name = take_part(&at, arena, &name->folded);
    if (name->name && *at == '.') {
        at++;
        name->schema = name->name;
        name->name = take_part(&at, arena, &name->folded);
    }
    if (!name->name || *at || !*name->name || (name->schema && !*name->schema))
        return error_set(err, HAUL_USAGE,
                         "\"%s\" is no table's name; write orders, public.orders or \"Order Details\"", text);
    return HAUL_OK;
}
