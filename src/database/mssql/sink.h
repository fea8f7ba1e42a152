/*
 * sink.h: what the files of the SQL Server sink share.
 *
 * sink.c finds the target and opens sessions, columns.c fits columns to it,
 * prepare.c makes the run's table and tries how it may be loaded, write.c loads
 * (place.c where rows may be refused), replace.c puts rows or a table in the
 * target's place. What all databases share is in database/table_sink.h.
 */
#ifndef HAUL_DATABASE_MSSQL_SINK_H
#define HAUL_DATABASE_MSSQL_SINK_H

#include "database/mssql/bulk.h"
#include "database/mssql/policy.h"
#include "database/table_sink.h"

extern const struct engine ms_engine;

struct mssql_sink {
    struct table_sink base;
    struct server server;
    struct session control;
    struct session holder; /* of the run's lock, where the server has no application locks */
    struct target target;
    const struct source_info *source; /* while negotiating */
    struct policy policy;
    struct bulk_column *columns; /* of base.schema; as `work` has them once it is described */
    bool described;              /* columns and bulk_sql are those of `work` */
    const char *bulk_sql;
    unsigned unanswered; /* dependents the server does not tell */
};

/* A name of the target's schema as SQL: the statement's "[dbo].[t]". */
struct table_name ms_sink_name(const struct mssql_sink *sink, const char *name);

/* columns.c: operations of struct table_sink_ops. */
enum haul_code ms_begin_columns(struct table_sink *base, int count, struct haul_error *err);
const char *ms_define_column(void *sink, int place, const struct field *from, bool key,
                             struct haul_error *err);
enum haul_code ms_match_column(struct table_sink *base, int place, const struct field *from, int at,
                               struct haul_error *err);

/* prepare.c */
enum haul_code ms_allow_ledger(struct table_sink *base, struct haul_error *err);
enum haul_code ms_ready(struct table_sink *base, struct haul_error *err);
enum haul_code ms_make(struct table_sink *base, struct haul_error *err);
enum haul_code ms_make_staging(struct table_sink *base, const struct staging *staging,
                               struct haul_error *err);

/* Describes `work` and settles the statement, once; by any worker. */
enum haul_code ms_describe_work(struct mssql_sink *sink, struct haul_error *err);

/* replace.c */
enum haul_code ms_check_dependents(struct mssql_sink *sink, struct haul_error *err);
enum haul_code ms_empty(struct table_sink *base, struct haul_error *err);
enum haul_code ms_filling(struct table_sink *base, struct haul_error *err);
enum haul_code ms_filled(struct table_sink *base, struct haul_error *err);
enum haul_code ms_swap(struct table_sink *base, struct haul_error *err);

/* write.c */
enum haul_code ms_writer_open(struct table_sink *base, const struct context *context, void *session,
                              struct writer **writer, struct haul_error *err);

#endif
