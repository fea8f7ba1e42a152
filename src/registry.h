/*
 * registry.h: the lobby's list of rooms: which engine or format a name means.
 * Only haul.c and registry.c include this.
 */
#ifndef HAUL_REGISTRY_H
#define HAUL_REGISTRY_H

#include "batch/sink.h"
#include "batch/source.h"

/* Opens the source or sink a name means: "sqlite:///shop.db", "orders.csv",
 * "part-*.parquet", "out/", "-". --from and --to override suffix and magic. */
enum haul_code registry_open_source(const char *name, const struct context *context,
                                    const struct source_request *request, struct source **source,
                                    struct haul_error *err);
enum haul_code registry_open_sink(const char *name, const struct context *context, struct sink **sink,
                                  struct haul_error *err);

#endif
