/*
 * tables.h: several tables of one database as one source, a part each: the
 * staging tables of an import on their way into its target.
 */
#ifndef HAUL_TABLES_H
#define HAUL_TABLES_H

#include "batch/source.h"

/* `names` one a line; columns are matched by name, in the order of the first table's. `uri` and
 * what the context points to must outlive the source. */
enum haul_code tables_source_open(const char *uri, const char *names, const struct context *context,
                                  struct source **source, struct haul_error *err);

#endif
