/*
 * postgres.h: the PostgreSQL wing's two doors. `uri` is what the user wrote,
 * whole: postgresql://user@host:port/database?parameter=value, or postgres://.
 * What it leaves out comes from libpq's own places: PGHOST, PGPASSWORD, .pgpass,
 * service files.
 */
#ifndef HAUL_DATABASE_POSTGRES_POSTGRES_H
#define HAUL_DATABASE_POSTGRES_POSTGRES_H

#include "batch/sink.h"
#include "batch/source.h"

enum haul_code postgres_source_open(const char *uri, const struct context *context,
                                    const struct source_request *request, struct source **source,
                                    struct haul_error *err);
enum haul_code postgres_sink_open(const char *uri, const struct context *context, struct sink **sink,
                                  struct haul_error *err);

#endif
