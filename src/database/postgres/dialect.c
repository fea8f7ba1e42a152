/*
 * dialect.c: how PostgreSQL writes names and values.
 *
 * A value stands in E'' quotes, where backslash and quote are escaped whatever
 * standard_conforming_strings says; the space before keeps E apart from a word.
 */
#include "database/postgres/dialect.h"

const struct dialect pg_dialect = {
    .engine = "PostgreSQL",
    .open = '"',
    .close = '"',
    .literal = " E'",
    .backslash = true,
    .name_bytes_max = 63,
    .parts_max = 2,
    .example = "orders, public.orders or \"Order Details\"",
    .nullable = "",
    .table_tail = "",
};
