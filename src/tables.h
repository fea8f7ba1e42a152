/*
 * tables.h: several tables of one database as one source, a part each: the
 * staging tables of an import on their way into its target.
 */
#ifndef HAUL_TABLES_H
#define HAUL_TABLES_H

#include "batch/source.h"

/* `names` one a line; columns are matched by name, in the order of the first table's. A table that is not
 * there is missed when its rows are wanted, and not before: a run that is found complete has dropped it.
 * Where all are gone the columns are those of `model`. `uri`, `model` and what the context points to must
 * outlive the source. */
struct tables_request {
    const char *uri, *names, *model;
    int64_t rows; /* that an import wrote into them, and that must come out; -1: not known */
};
enum haul_code tables_source_open(const struct tables_request *request, const struct context *context,
                                  struct source **source, struct haul_error *err);

#endif
