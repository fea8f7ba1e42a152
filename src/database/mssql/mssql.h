/*
 * mssql.h: the SQL Server wing's door. `uri` is what the user wrote, whole:
 * mssql://user@host:port/database?parameter=value (server.h has all of it).
 */
#ifndef HAUL_DATABASE_MSSQL_MSSQL_H
#define HAUL_DATABASE_MSSQL_MSSQL_H

#include "batch/sink.h"

bool mssql_accepts(const char *uri);

enum haul_code mssql_source_open(const char *uri, const struct context *context,
                                 const struct source_request *request, struct source **source,
                                 struct haul_error *err);

enum haul_code mssql_sink_open(const char *uri, const struct context *context, struct sink **sink,
                               struct haul_error *err);

#endif
