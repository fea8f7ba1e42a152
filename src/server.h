/*
 * server.h: a server in words (--server, --database, --username, ...) as the URI
 * the registry knows, and a table in words as the name its engine reads.
 */
#ifndef HAUL_SERVER_H
#define HAUL_SERVER_H

#include "job.h"

/* Without the password (--password), which the side's login gets. */
enum haul_code server_uri(struct haul_job *job, const char **uri, struct haul_error *err);

/* --table with --schema, quoted where needed: "dbo"."Order Details". HAUL_USAGE without --table. */
enum haul_code server_table(struct haul_job *job, const char **table, struct haul_error *err);

/* The schema of --schema, or SQL Server's dbo; NULL when the engine's own preset counts. */
const char *server_schema(const struct haul_job *job);

/* Is the server SQL Server? */
bool server_is_mssql(const struct haul_job *job);

/* "schema_table" for names of files; NULL when the source knows better. In the job's arena. */
const char *server_stem(struct haul_job *job);

#endif
