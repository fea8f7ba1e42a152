/* dialect.h: SQL text in SQL Server's dialect. */
#ifndef HAUL_DATABASE_MSSQL_DIALECT_H
#define HAUL_DATABASE_MSSQL_DIALECT_H

#include "base/arena.h"
#include "base/buffer.h"

/* Grows piece by piece; the first failure sticks and is told by ms_sql_text. */
struct ms_sql {
    struct buffer text;
    bool failed;
    struct haul_error err;
};

void ms_sql_release(struct ms_sql *sql);
void ms_sql_add(struct ms_sql *sql, const char *format, ...) __attribute__((format(printf, 2, 3)));
void ms_sql_name(struct ms_sql *sql, const char *name);     /* [name], ']' doubled */
void ms_sql_literal(struct ms_sql *sql, const char *value); /* N'value', quotes doubled */

/* Valid until the next piece; NULL with *err set. */
const char *ms_sql_text(struct ms_sql *sql, struct haul_error *err);

/* A table as users write it: orders, dbo.orders, db.dbo.[x.y], "Order Details". */
struct ms_name {
    const char *database, *schema, *name; /* database and schema NULL when not given */
};
enum haul_code ms_name_parse(const char *text, struct arena *arena, struct ms_name *name,
                             struct haul_error *err);
void ms_sql_table(struct ms_sql *sql, const struct ms_name *name);

#endif
