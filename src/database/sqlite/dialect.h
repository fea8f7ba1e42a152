/*
 * dialect.h: SQL text in SQLite's dialect.
 *
 * A struct sql grows piece by piece; the first failure sticks and is told by
 * sql_text, so that callers need not look at each piece. Names become SQL by
 * sql_name alone; values never do: they are bound.
 */
#ifndef HAUL_DATABASE_SQLITE_DIALECT_H
#define HAUL_DATABASE_SQLITE_DIALECT_H

#include "base/buffer.h"

struct sql {
    struct buffer text;
    bool failed;
    struct haul_error err;
};

void sql_release(struct sql *sql);
void sql_clear(struct sql *sql);
void sql_add(struct sql *sql, const char *format, ...) __attribute__((format(printf, 2, 3)));
void sql_name(struct sql *sql, const char *name); /* quoted; a name that is not UTF-8 is an error */

/* The text, NUL-terminated, valid until the next piece; NULL with *err set. */
const char *sql_text(struct sql *sql, struct haul_error *err);

#endif
