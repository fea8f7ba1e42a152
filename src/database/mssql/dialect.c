/*
 * dialect.c: how SQL Server writes names and values.
 *
 * A name stands in brackets, a closing one inside doubled; always. A value stands
 * in N'' with quotes doubled, which is all the quoting T-SQL has: there is no
 * escape character. Text that is not UTF-8 is refused when it is sent.
 */
#include "database/mssql/dialect.h"

#include <stdarg.h>
#include <stdio.h>

#define NAME_PARTS 3

void ms_sql_release(struct ms_sql *sql)
{
    buffer_release(&sql->text);
    *sql = (struct ms_sql){0};
}

static void put(struct ms_sql *sql, const char *text, size_t length)
{
    if (!sql->failed && buffer_append(&sql->text, text, length, &sql->err))
        sql->failed = true;
}

void ms_sql_add(struct ms_sql *sql, const char *format, ...)
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

static void put_doubled(struct ms_sql *sql, const char *text, char special)
{
    for (const char *at = text; *at; at++) {
        put(sql, at, 1);
        if (*at == special)
            put(sql, at, 1);
    }
}

void ms_sql_name(struct ms_sql *sql, const char *name)
{
    put(sql, "[", 1);
    put_doubled(sql, name, ']');
    put(sql, "]", 1);
}

void ms_sql_literal(struct ms_sql *sql, const char *value)
{
    put(sql, "N'", 2);
    put_doubled(sql, value, '\'');
    put(sql, "'", 1);
}

void ms_sql_table(struct ms_sql *sql, const struct ms_name *name)
{
    if (name->database) {
        ms_sql_name(sql, name->database);
        put(sql, ".", 1);
    }
    if (name->schema)
        ms_sql_name(sql, name->schema);
    if (name->schema || name->database)
        put(sql, ".", 1);
    ms_sql_name(sql, name->name);
}

const char *ms_sql_text(struct ms_sql *sql, struct haul_error *err)
{
    put(sql, "", 1);
    if (sql->failed) {
        *err = sql->err;
        return NULL;
    }
    sql->text.length--;
    return (const char *)sql->text.data;
}

/* One part; *at goes behind it. NULL: no memory, or a quote without end. */
static const char *take_part(const char **at, struct arena *arena)
{
    char close = **at == '"' ? '"' : **at == '[' ? ']' : 0;
    char *part = arena_text(arena, *at), *out = part;
    if (!part)
        return NULL;
    if (!close) {
        size_t length = strcspn(*at, ".");
        part[length] = '\0';
        *at += length;
        return part;
    }
    for (const char *from = *at + 1; *from; from++) {
        if (*from == close && from[1] != close) {
            *out = '\0';
            *at = from + 1;
            return part;
        }
        from += *from == close;
        *out++ = *from;
    }
    return NULL;
}

enum haul_code ms_name_parse(const char *text, struct arena *arena, struct ms_name *name,
                             struct haul_error *err)
{
    const char *parts[NAME_PARTS] = {0}, *at = text;
    int count = 0;
    bool good = *text;
    while (good && count < NAME_PARTS) {
        parts[count] = take_part(&at, arena);
        good = parts[count++];
        if (good && !*at)
            break;
        good = good && *at++ == '.' && count < NAME_PARTS;
    }
    if (!good || !*parts[count - 1])
        return error_set(err, HAUL_USAGE,
                         "\"%s\" names no table; write table, schema.table or [schema].[table]", text);
    *name = (struct ms_name){.name = parts[count - 1]};
    if (count > 1 && *parts[count - 2])
        name->schema = parts[count - 2];
    if (count > 2 && *parts[0])
        name->database = parts[0];
    return HAUL_OK;
}
