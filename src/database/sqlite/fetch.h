/*
 * fetch.h: one column of a result row into a builder.
 *
 * How depends on the field's type and is chosen once per column. A value that
 * the type does not hold exactly is a *misfit*: nothing is appended and the
 * reason, a constant, is told. NULL is the caller's to handle.
 */
#ifndef HAUL_DATABASE_SQLITE_FETCH_H
#define HAUL_DATABASE_SQLITE_FETCH_H

#include "batch/builder.h"
#include <sqlite3.h>

struct fetch;

/* `class` is sqlite3_column_type's answer, never SQLITE_NULL. */
typedef enum haul_code (*fetch_fn)(const struct fetch *fetch, sqlite3_stmt *statement, int class,
                                   const char **misfit, struct haul_error *err);

struct fetch {
    fetch_fn append;
    struct builder *builder; /* of the field */
    int place;               /* the column of the statement */
    bool forced;             /* the user named the type: text and numbers may stand for each other
                                where that is unambiguous */
    bool wide;               /* the database is in UTF-16 */
};

/* Sets `append`; HAUL_UNSUPPORTED when no value of SQLite can be such a type. */
enum haul_code sqlite_fetch_choose(struct fetch *fetch, const struct field *field, struct haul_error *err);

/* "an integer", "a text", ...: a value of this class in words. */
const char *sqlite_class_name(int class);

#endif
