/*
 * source.h: what the files of the SQL Server source share: describe.c finds out
 * what is read and as which types, select.c writes the statement, read.c reads.
 */
#ifndef HAUL_DATABASE_MSSQL_SOURCE_H
#define HAUL_DATABASE_MSSQL_SOURCE_H

#include "batch/source.h"
#include "database/mssql/catalog.h"
#include "database/mssql/session.h"
#include "database/mssql/types.h"

struct mssql_source {
    struct source base;
    struct context context;
    struct server server;
    struct session session; /* looks things up */
    struct arena arena;     /* request, query */
    struct source_request request;
    const char *query; /* --query without its last semicolon */
    enum ms_moments moments;

    /* describe */
    struct ms_table table; /* name NULL: it is a query */
    struct schema schema;
};

/* The statement that gives the rows; `none` asks for its columns alone. */
enum haul_code ms_select(const struct mssql_source *source, bool none, struct sql *sql,
                         struct haul_error *err);

enum haul_code ms_source_describe(struct source *base, struct source_info *info, struct haul_error *err);
enum haul_code ms_source_read(struct source *base, const struct context *context, const struct part *part,
                              int64_t first_row, struct reader **reader, struct haul_error *err);

#endif
