/*
 * sqlite.h: the SQLite wing's two doors. `path` is the database file; the name
 * "sqlite:///rel.db" is a relative path, "sqlite:////abs.db" an absolute one.
 */
#ifndef HAUL_DATABASE_SQLITE_SQLITE_H
#define HAUL_DATABASE_SQLITE_SQLITE_H

#include "batch/sink.h"
#include "batch/source.h"

enum haul_code sqlite_source_open(const char *path, const struct context *context,
                                  const struct source_request *request, struct source **source,
                                  struct haul_error *err);
enum haul_code sqlite_sink_open(const char *path, const struct context *context, struct sink **sink,
                                struct haul_error *err);

#endif
