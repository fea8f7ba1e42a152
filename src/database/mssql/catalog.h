/*
 * catalog.h: what tables a database has, and what one table is like, asked in
 * ways that have a fallback: not every server has every view.
 */
#ifndef HAUL_DATABASE_MSSQL_CATALOG_H
#define HAUL_DATABASE_MSSQL_CATALOG_H

#include "database/mssql/dialect.h"
#include "database/mssql/session.h"

struct ms_table {
    struct table_name name; /* name NULL: empty */
    const char *object_id;  /* as text, "" unknown */
    bool is_view;
    int64_t rows, bytes; /* -1 unknown */
    const char **key;    /* columns of the primary key */
    int key_count;
    struct arena arena; /* owns the texts */
};
void ms_table_release(struct ms_table *table);

/* `name` as users write it. Absent: HAUL_NOT_FOUND with the names that are near. */
enum haul_code ms_table_read(struct session *session, const char *name, struct ms_table *table,
                             struct haul_error *err);

enum haul_code ms_catalog_list(struct session *session, haul_table_fn each, void *user,
                               struct haul_error *err);

#endif
