/*
 * catalog.h: what tables a server has, and what one table is like, as
 * information_schema tells the user we are.
 */
#ifndef HAUL_DATABASE_MYSQL_CATALOG_H
#define HAUL_DATABASE_MYSQL_CATALOG_H

#include "database/column.h"
#include "database/mysql/connect.h"
#include "database/mysql/dialect.h"
#include "database/mysql/types.h"

struct table {
    const char *schema, *name; /* as the catalog spells them; name NULL: empty */
    bool is_view;
    const char *engine;  /* "InnoDB"; "" for a view */
    const char *created; /* time as text: another one means another table */
    const char *comment;
    int64_t rows;  /* estimate; -1 unknown */
    int64_t bytes; /* of the rows; -1 unknown */
    struct columns columns;
    struct arena arena; /* owns the texts */
};
void my_table_release(struct table *table);

/* `name` as users write it; without a database the session's. Absent: *found false, table empty. */
enum haul_code my_table_read(struct connection *connection, const char *name, struct table *table,
                             bool *found, struct haul_error *err);
enum haul_code my_table_find(struct connection *connection, const struct table_name *name,
                             struct table *table, bool *found, struct haul_error *err);

/* HAUL_NOT_FOUND with the names that are near. */
enum haul_code my_table_unknown(struct connection *connection, const char *name, struct haul_error *err);

/* Calls `each` for every table that is not the system's own. */
enum haul_code my_catalog_list(struct connection *connection, haul_table_fn each, void *user,
                               struct haul_error *err);

/* The columns a SELECT has, by running it with no rows. */
enum haul_code my_query_columns(struct connection *connection, const char *sql, struct table *table,
                                struct haul_error *err);

#endif
