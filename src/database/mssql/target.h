/* target.h: the table that is loaded into, as it is: what its columns take, and what decides how it is
 * loaded. */
#ifndef HAUL_DATABASE_MSSQL_TARGET_H
#define HAUL_DATABASE_MSSQL_TARGET_H

#include "database/column.h"
#include "database/mssql/catalog.h"

enum ms_storage { STORAGE_UNKNOWN, STORAGE_HEAP, STORAGE_CLUSTERED, STORAGE_COLUMNSTORE };

struct target {
    struct ms_table table;
    struct columns columns;
    struct ms_columns served; /* the same ones, as the wire describes them */
    enum ms_storage storage;
    int indexes;          /* beside the heap or the clustered index */
    const char **cluster; /* columns of the clustered index, in order; all ascending */
    int cluster_count;    /* 0: none, or one is descending */
    const char *recovery; /* "SIMPLE", "FULL", "BULK_LOGGED"; "" unknown */
    const char *triggers; /* "a, b": those that an insert would fire; "" none */
    const char **trigger_names;
    int trigger_count;
    bool identity;     /* a column is one */
    bool referenced;   /* foreign keys of others point at it */
    bool may_alter;    /* and so TRUNCATE it; false also when the server does not say */
    bool indexes_told; /* the server has sys.indexes */
    struct arena arena;
};
void target_release(struct target *target);

/* target->table was found. Views of the catalog that are missing leave things unknown. */
enum haul_code target_read(struct session *session, struct target *target, struct haul_error *err);

/* What a SELECT of nothing says of the table's columns. */
enum haul_code target_describe(struct session *session, const struct table_name *table,
                               struct ms_columns *columns, struct haul_error *err);

/* "" when the server does not say. `database` NULL: the session's. */
enum haul_code ms_recovery_model(struct session *session, const char *database, struct arena *arena,
                                 const char **model, struct haul_error *err);

/* Names of CHECK and FOREIGN KEY constraints that are no longer trusted, "a, b", in `arena`; "" none. */
enum haul_code target_untrusted(struct session *session, const struct ms_table *table, struct arena *arena,
                                const char **names, struct haul_error *err);

#endif
