/*
 * fetch.h: values of the text protocol into a column, by a function chosen once
 * per column.
 *
 * A fetch writes at the builder's next row, for which there is room (the reader
 * reserves rows; room for bytes a fetch makes itself), and closes the row. When
 * the column cannot hold the value, nothing is appended and `misfit` says why.
 */
#ifndef HAUL_DATABASE_MYSQL_FETCH_H
#define HAUL_DATABASE_MYSQL_FETCH_H

#include "batch/builder.h"
#include "database/mysql/types.h"

struct fetch;
typedef enum haul_code (*fetch_fn)(struct fetch *fetch, const char *text, size_t length,
                                   struct haul_error *err);

struct fetch {
    fetch_fn append;
    struct builder *builder;
    const char *misfit;
};

/* HAUL_INTERNAL when form and type do not go together. */
enum haul_code my_fetch_choose(struct fetch *fetch, enum form form, struct builder *builder,
                               struct haul_error *err);

#endif
