/*
 * catalog.h: what tables a database has, and what one table is like, as
 * PostgreSQL's own catalog tells the user we are.
 */
#ifndef HAUL_DATABASE_POSTGRES_CATALOG_H
#define HAUL_DATABASE_POSTGRES_CATALOG_H

#include "database/column.h"
#include "database/postgres/connect.h"
#include "database/postgres/dialect.h"
#include "database/postgres/types.h"

/* relkind of pg_class */
enum table_kind {
    TABLE_PLAIN = 'r',
    TABLE_PARTITIONED = 'p',
    TABLE_VIEW = 'v',
    TABLE_MATERIALISED = 'm',
    TABLE_FOREIGN = 'f'
};

struct table {
    const char *schema, *name; /* as the catalog spells them; name NULL: empty */
    char kind;                 /* one of enum table_kind */
    bool unlogged, temporary;
    bool referenced;       /* foreign keys of others point here */
    const char *oid;       /* as text: it is compared and sent back only */
    const char *file_node; /* changes when the table is rewritten */
    int64_t rows;          /* estimate, partitions included; -1 unknown */
    int64_t bytes;         /* of the rows, partitions included */
    int64_t blocks;        /* of the largest of table and partitions */
    bool sliceable;        /* rows can be named by ctid: no foreign table is in it */
    struct columns columns;
    struct pg_type *types; /* of the columns */
    struct arena arena;    /* owns the texts */
};
void pg_table_release(struct table *table);

/* `name` as users write it. Absent: *found false, table empty. */
enum haul_code pg_table_read(struct connection *connection, const char *name, struct table *table,
                             bool *found, struct haul_error *err);

/* HAUL_NOT_FOUND with the names that are near. */
enum haul_code pg_table_unknown(struct connection *connection, const char *name, struct haul_error *err);

/* "table", "view", "partitioned table", ... */
const char *pg_kind_name(char kind);

/* Calls `each` for every table that is not the system's own. */
enum haul_code pg_catalog_list(struct connection *connection, haul_table_fn each, void *user,
                               struct haul_error *err);

/* The columns of a query (a --query, already alone and read-only), without running it. */
enum haul_code pg_query_columns(struct connection *connection, const char *sql, struct table *table,
                                struct haul_error *err);

#endif
