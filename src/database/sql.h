/*
 * sql.h: SQL text in one database's dialect, and names of tables as users write them.
 *
 * A struct sql grows piece by piece; the first failure sticks and is told by
 * sql_text, so that callers need not look at each piece. Names become SQL by
 * sql_name and sql_table alone, values by sql_literal alone, or they are bound.
 *
 *     struct sql sql = {.dialect = &pg_dialect};
 *     sql_add(&sql, "SELECT count(*) FROM ");
 *     sql_table(&sql, schema, name);
 *     const char *text = sql_text(&sql, err);
 */
#ifndef HAUL_DATABASE_SQL_H
#define HAUL_DATABASE_SQL_H

#include "base/arena.h"
#include "base/buffer.h"

/* How a database writes names and values; one constant in each wing. */
struct dialect {
    const char *engine;  /* "PostgreSQL", for messages */
    char open, close;    /* stand around a name; a `close` inside is doubled */
    const char *literal; /* opens a text: "'", " E'", "N'" */
    bool backslash;      /* quote and backslash in a text are escaped; else its quotes are doubled */
    int name_bytes_max;  /* of one name; 0 no limit */
    int name_characters_max;
    int parts_max;       /* of a table's name: 2 schema.name, 3 database.schema.name */
    const char *example; /* of tables' names, for messages */

    /* CREATE TABLE */
    bool case_blind;        /* names of columns that differ by case are one */
    int columns_max;        /* 0 no limit of ours */
    const char *nullable;   /* " NULL", or "" */
    const char *table_tail; /* " ENGINE=InnoDB", or "" */
};

struct sql {
    const struct dialect *dialect;
    struct buffer text;
    bool failed;
    struct haul_error err;
};

void sql_release(struct sql *sql); /* it may be used anew */
void sql_clear(struct sql *sql);
void sql_add(struct sql *sql, const char *format, ...) __attribute__((format(printf, 2, 3)));
void sql_name(struct sql *sql, const char *name); /* quoted; refused when not UTF-8 or too long */
void sql_table(struct sql *sql, const char *schema, const char *name); /* schema NULL: none */
void sql_literal(struct sql *sql, const char *value);                  /* NULL: the word NULL */

/* The text, NUL-terminated, valid until the next piece; NULL with *err set. */
const char *sql_text(struct sql *sql, struct haul_error *err);

/* The same, kept in `arena`; the text is released. NULL with *err set. */
const char *sql_keep(struct sql *sql, struct arena *arena, struct haul_error *err);

/* A table as users write it: orders, public.orders, "Order Details", [dbo].[x.y].
 * Quoted parts are taken as they are; `folded` says that a part was not quoted,
 * so that lower case may be meant. */
struct table_name {
    const char *database, *schema, *name; /* the first two NULL when not given */
    bool folded;
};
enum haul_code table_name_parse(const struct dialect *dialect, const char *text, struct arena *arena,
                                struct table_name *name, struct haul_error *err);

#endif
