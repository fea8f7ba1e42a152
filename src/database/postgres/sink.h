/*
 * sink.h: what the files of the PostgreSQL sink share (database/table_sink.h has
 * the rest of it).
 *
 * sink.c finds the target and makes the run's table, definition.c and match.c say
 * how columns are written, write.c copies in, replace.c puts the rows or the
 * table in their place.
 */
#ifndef HAUL_DATABASE_POSTGRES_SINK_H
#define HAUL_DATABASE_POSTGRES_SINK_H

#include "database/postgres/catalog.h"
#include "database/postgres/engine.h"
#include "database/table_sink.h"

/* A column that is written. */
struct sink_column {
    const char *name;
    enum wire wire;
    enum wire item;
    Oid item_oid;
};

struct postgres_sink {
    struct table_sink base;
    struct server server;
    struct connection control;
    struct table table; /* the target as it is */
    struct sink_column *columns;
    bool text_format;     /* a column has no binary form we can write */
    const char *copy_sql; /* COPY work (columns) FROM STDIN (...) */
};

/* table_sink_ops: definition.c, match.c */
enum haul_code pg_begin_columns(struct table_sink *base, int count, struct haul_error *err);
const char *pg_define_column(void *object, int place, const struct field *from, bool key,
                             struct haul_error *err);
enum haul_code pg_match_column(struct table_sink *base, int place, const struct field *from, int at,
                               struct haul_error *err);

/* Sets how a column of `type` is written. */
void pg_column_set(struct postgres_sink *sink, int place, const struct pg_type *type, enum wire wire);

/* "COPY work (columns) FROM STDIN (FORMAT ...)" in the sink's arena; NULL: err. */
const char *pg_copy_statement(struct postgres_sink *sink, struct haul_error *err);

/* The statements that make a staging table as the target is. */
void pg_staging_like(const struct postgres_sink *sink, struct sql *sql);

/* table_sink_ops: replace.c. What would be lost by replacing: HAUL_UNSUPPORTED listing it. */
enum haul_code pg_check_dependents(struct postgres_sink *sink, struct haul_error *err);
enum haul_code pg_empty(struct table_sink *base, struct haul_error *err);
enum haul_code pg_swap(struct table_sink *base, struct haul_error *err);

/* table_sink_ops: write.c */
enum haul_code pg_writer_open(struct table_sink *base, const struct context *context, void *session,
                              struct writer **writer, struct haul_error *err);

#endif
