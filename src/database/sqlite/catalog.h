/*
 * catalog.h: what tables a database has, and what one table is like, as
 * SQLite's own catalog tells.
 */
#ifndef HAUL_DATABASE_SQLITE_CATALOG_H
#define HAUL_DATABASE_SQLITE_CATALOG_H

#include "database/column.h"
#include "database/sqlite/connect.h"

struct table {
    const char *name; /* as the catalog spells it */
    const char *kind; /* "table", "view", "virtual", "shadow" */
    const char *sql;  /* its CREATE statement */
    int64_t root_page;
    bool without_rowid, strict;
    const char *rowid; /* a name of the rowid no column hides; NULL: there is none */
    struct columns columns;
    struct arena arena; /* owns the texts */
};
void sqlite_table_release(struct table *table);

/* `name` as users write it: orders, main.orders, "order details", [order details].
 * Without regard to case, as SQLite does. Absent: *found false, table empty. */
enum haul_code sqlite_table_read(struct connection *connection, const char *name, struct table *table,
                                 bool *found, struct haul_error *err);

/* HAUL_NOT_FOUND with the names that are near. */
enum haul_code sqlite_table_unknown(struct connection *connection, const char *name, struct haul_error *err);

/* "main.orders" and "\"orders\"" as the name they mean; in `arena`, NULL: no memory. */
const char *sqlite_table_plain(const char *name, struct arena *arena);

/* The number that `select` followed by the table's name gives ("SELECT count(*)
 * FROM "); 0 when it gives no row. */
enum haul_code sqlite_table_number(struct connection *connection, const char *select, const char *name,
                                   int64_t *value, struct haul_error *err);

/* Calls `each` for every table and view that is not SQLite's own. */
enum haul_code sqlite_catalog_list(struct connection *connection, haul_table_fn each, void *user,
                                   struct haul_error *err);

#endif
