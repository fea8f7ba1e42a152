/*
 * dialect.c: how SQLite writes names and values.
 *
 * In double quotes a name that is no column would become a string in older
 * dialects; every name used here was read from the catalog first.
 */
#include "database/sqlite/dialect.h"

const struct dialect sqlite_dialect = {
    .engine = "SQLite",
    .open = '"',
    .close = '"',
    .literal = "'",
    .parts_max = 1,
    .example = "orders or \"Order Details\"",
    .case_blind = true,
    .columns_max = 2000, /* SQLITE_MAX_COLUMN, unless SQLite was built otherwise */
    .nullable = "",
    .table_tail = "",
};
