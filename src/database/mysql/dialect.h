/*
 * dialect.h: SQL text in MySQL's dialect.
 *
 * A struct my_sql grows piece by piece; the first failure sticks and is told by
 * my_sql_text. Names become SQL by my_sql_name and my_sql_table alone, values by
 * my_sql_literal alone.
 */
#ifndef HAUL_DATABASE_MYSQL_DIALECT_H
#define HAUL_DATABASE_MYSQL_DIALECT_H

#include "base/arena.h"
#include "base/buffer.h"

#define MY_NAME_CHARACTERS 64

struct my_sql {
    struct buffer text;
    bool failed;
    struct haul_error err;
};

void my_sql_release(struct my_sql *sql);
void my_sql_clear(struct my_sql *sql);
void my_sql_add(struct my_sql *sql, const char *format, ...) __attribute__((format(printf, 2, 3)));
void my_sql_name(struct my_sql *sql, const char *name); /* quoted; refused when not UTF-8 or too long */
void my_sql_table(struct my_sql *sql, const char *schema, const char *name);
void my_sql_literal(struct my_sql *sql, const char *value); /* NULL: the word NULL */

/* The text, NUL-terminated, valid until the next piece; NULL with *err set. */
const char *my_sql_text(struct my_sql *sql, struct haul_error *err);

/* A table as users write it: orders, shop.orders, `Order Details`, "a.b", [shop].[x.y].
 * *schema NULL when none was given. */
struct my_name {
    const char *schema, *name;
};
enum haul_code my_name_parse(const char *text, struct arena *arena, struct my_name *name,
                             struct haul_error *err);

#endif
