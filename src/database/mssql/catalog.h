/*
 * catalog.h: what tables a database has, and what one table is like, asked in
 * ways that have a fallback: not every server has every view, not every user may
 * see it.
 */
#ifndef HAUL_DATABASE_MSSQL_CATALOG_H
#define HAUL_DATABASE_MSSQL_CATALOG_H

#include "database/mssql/answer.h"
#include "database/mssql/dialect.h"
#include "database/mssql/session.h"

struct ms_key {
    const char **names;
    int count;
};

struct ms_table {
    struct table_name name; /* name NULL: empty */
    const char *object_id;  /* as text, "" unknown */
    char kind;              /* 'U' table, 'V' view, 'F' function with rows, 'S' synonym, temporary, unknown */
    int64_t rows, bytes;    /* -1 unknown */
    bool rows_exact;        /* counted, not estimated */

    struct ms_key primary;
    struct ms_key order;                               /* the clustered index: ranges of it are cheap */
    bool order_unique;                                 /* no two rows have the same values there */
    const char *partition_function, *partition_column; /* NULL: it is not partitioned */
    int partitions;
    struct arena arena; /* owns the texts */
};
void ms_table_release(struct ms_table *table);

/* `name` as users write it. Absent: HAUL_NOT_FOUND with the names that are near. */
enum haul_code ms_table_read(struct session *session, const char *name, struct ms_table *table,
                             struct haul_error *err);

/* The first half of it: is there such a table? Its row count and key are not asked for. */
enum haul_code ms_table_find(struct session *session, const char *name, struct ms_table *table, bool *found,
                             struct haul_error *err);

/* HAUL_NOT_FOUND with the names that are near. */
enum haul_code ms_table_unknown(struct session *session, const char *name, struct haul_error *err);

enum haul_code ms_catalog_list(struct session *session, haul_table_fn each, void *user,
                               struct haul_error *err);

/* ---- for the catalog's own files ---- */

/* A question that may be refused: *answer is empty then. Lost connections are errors. */
enum haul_code ms_ask_softly(struct session *session, struct sql *sql, struct ms_answer *answer,
                             struct haul_error *err);

/* "[db].sys." of the table's database, or "sys.". */
void ms_sql_sys(struct sql *sql, const struct ms_table *table);

/* catalog_count.c, catalog_index.c: fill rows and bytes, keys and partitions. */
enum haul_code ms_table_count(struct session *session, struct ms_table *table, struct haul_error *err);
enum haul_code ms_table_keys(struct session *session, struct ms_table *table, struct haul_error *err);

#endif
