/*
 * dialect.c: how MySQL writes names and values.
 *
 * A value has backslash escapes: session.c keeps NO_BACKSLASH_ESCAPES out of
 * sql_mode. The connection speaks utf8mb4, in which no byte of a character looks
 * like a quote.
 */
#include "database/mysql/dialect.h"

const struct dialect my_dialect = {
    .engine = "MySQL",
    .open = '`',
    .close = '`',
    .literal = "'",
    .backslash = true,
    .name_characters_max = 64,
    .parts_max = 2,
    .example = "orders, shop.orders or \"Order Details\"",
    .case_blind = true,
    .nullable = " NULL",
    .table_tail = " ENGINE=InnoDB CHARACTER SET utf8mb4 COLLATE utf8mb4_bin",
};
