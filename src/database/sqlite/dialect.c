/*
 * dialect.c: how SQLite writes names.
 *
 * A name stands in double quotes, those inside doubled. Always, also when it
 * need not: a rule without cases has no holes. Quoted so, a name that is no
 * column would become a string in older dialects; every name used here was read
 * from the catalog first.
 */
#include "database/sqlite/dialect.h"

#include "base/unicode.h"
#include <stdarg.h>
#include <stdio.h>

void sql_release(struct sql *sql)
{
    buffer_release(&sql->text);
    *sql = (struct sql){0};
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

void sql_name(struct sql *sql, const char *name)
{
    if (!sql->failed && !unicode_is_valid((const uint8_t *)name, strlen(name))) {
        error_set(&sql->err, HAUL_DATA, "the name \"%s\" is not UTF-8", name);
        sql->failed = true;
    }
    put(sql, "\"", 1);
    for (const char *at = name; *at; at++)
        put(sql, *at == '"' ? "\"\"" : at, *at == '"' ? 2 : 1);
    put(sql, "\"", 1);
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
