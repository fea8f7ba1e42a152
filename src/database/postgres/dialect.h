/*
 * dialect.h: SQL text in PostgreSQL's dialect.
 *
 * A struct pg_sql grows piece by piece; the first failure sticks and is told by
 * pg_sql_text. Names become SQL by pg_sql_name and pg_sql_table alone; values
 * are parameters, or pg_sql_literal where a statement (COPY, DDL) takes none.
 */
#ifndef HAUL_DATABASE_POSTGRES_DIALECT_H
#define HAUL_DATABASE_POSTGRES_DIALECT_H

#include "base/arena.h"
#include "base/buffer.h"

#define PG_NAME_BYTES 63 /* the server cuts longer names; haul refuses them */

struct pg_sql {
    struct buffer text;
    bool failed;
    struct haul_error err;
};

void pg_sql_release(struct pg_sql *sql);
void pg_sql_clear(struct pg_sql *sql);
void pg_sql_add(struct pg_sql *sql, const char *format, ...) __attribute__((format(printf, 2, 3)));
void pg_sql_name(struct pg_sql *sql, const char *name); /* quoted; refused when not UTF-8 or too long */
void pg_sql_table(struct pg_sql *sql, const char *schema, const char *name);
void pg_sql_literal(struct pg_sql *sql, const char *value);

/* The text, NUL-terminated, valid until the next piece; NULL with *err set. */
const char *pg_sql_text(struct pg_sql *sql, struct haul_error *err);

/* A table as users write it: orders, public.orders, "Order Details", [dbo].[x.y].
 * *schema NULL when none was given. Quoted parts are taken as they are;
 * `folded` says that a part was not quoted, so that lower case may be meant. */
struct pg_name {
    const char *schema, *name;
    bool folded;
};
enum haul_code pg_name_parse(const char *text, struct arena *arena, struct pg_name *name,
                             struct haul_error *err);

#endif
