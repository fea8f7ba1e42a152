/*
 * sink.h: what the files of the PostgreSQL sink share.
 *
 * negotiate.c decides what would be done, definition.c makes new columns, match.c
 * fits rows to columns that are there; sink.c prepares and claims, write.c
 * copies in, publish.c finishes, remove.c takes back.
 */
#ifndef HAUL_DATABASE_POSTGRES_SINK_H
#define HAUL_DATABASE_POSTGRES_SINK_H

#include "batch/sink.h"
#include "database/postgres/catalog.h"
#include "database/postgres/ledger.h"
#include <pthread.h>

/* Open and idle sessions of workers that wait for the next unit. */
#define SESSIONS_MAX 256

/* A column that is written. */
struct sink_column {
    const char *name; /* in the target */
    enum wire wire;
    enum wire item;
    Oid item_oid;
};

struct postgres_sink {
    struct sink base;
    struct context context;
    struct server server;
    struct connection connection; /* looks things up, holds the run's lock, publishes */
    struct ledger ledger;
    struct arena arena; /* names, statements, receipts handed out */
    bool uuid_text;     /* --uuid text */

    /* negotiate */
    enum sink_mode mode;
    struct table table; /* the target as it is; empty when absent, or an unfinished run of ours made it */
    bool staged;        /* units go into a staging table of the run */
    const char *schema_name, *target;
    const char *title;    /* "schema.table" */
    struct schema schema; /* as in the terms */
    struct sink_column *columns;
    const char *definition; /* what follows CREATE TABLE name; NULL: no table is made */
    bool text_format;       /* a column has no binary form we can write */

    /* prepare */
    char run[64];
    bool locked;          /* the connection holds the run's lock */
    const char *work;     /* the table units go into, in schema_name */
    bool made;            /* the run creates it */
    const char *copy_sql; /* COPY work (columns) FROM STDIN (...) */

    pthread_mutex_t mutex; /* guards sessions and, while workers run, arena */
    struct connection sessions[SESSIONS_MAX];
    int session_count;
    int live[SESSIONS_MAX]; /* server process ids of our sessions, in use or not */
    int live_count;
};

enum haul_code pg_sink_negotiate(struct sink *base, const struct sink_request *request,
                                 struct sink_terms *terms, struct haul_error *err);

/* Makes sure the sink's own connection is there, with the run's lock when it had it. */
enum haul_code pg_sink_control(struct postgres_sink *sink, struct haul_error *err);

/* Fills sink->schema, columns and definition for a table that will be made. */
enum haul_code pg_define(struct postgres_sink *sink, const struct source_info *source,
                         struct haul_error *err);

/* The same from the columns of sink->table; all that does not fit is listed in one error. */
enum haul_code pg_match(struct postgres_sink *sink, const struct schema *source, struct haul_error *err);

/* Sets how a column of `type` is written. */
void pg_column_set(struct postgres_sink *sink, int place, const struct pg_type *type, enum wire wire);

/* "COPY work (columns) FROM STDIN (FORMAT ...)" in the sink's arena; NULL: err. */
const char *pg_copy_statement(struct postgres_sink *sink, const char *work, struct haul_error *err);

/* What would be lost if the target were replaced: HAUL_UNSUPPORTED listing it. */
enum haul_code pg_check_dependents(struct postgres_sink *sink, struct haul_error *err);

/* The statements that make the staging table of a truncate run. */
enum haul_code pg_staging_like(struct postgres_sink *sink, struct sql *sql, struct haul_error *err);

enum haul_code pg_sink_finish(struct sink *base, const struct run_record *run, const char *manifest,
                              struct haul_error *err);
enum haul_code pg_sink_remove(struct sink *base, const struct run_record *run, struct haul_error *err);

/* HAUL_CHANGED unless `work` holds the rows the ledger says. */
enum haul_code pg_check_rows(struct postgres_sink *sink, const char *work, struct haul_error *err);
enum haul_code pg_count_rows(struct postgres_sink *sink, const char *table, int64_t *rows,
                             struct haul_error *err);

/* A writer for a unit whose transaction is open and claimed; takes the session on success. */
enum haul_code pg_writer_open(struct postgres_sink *sink, const struct context *context,
                              struct connection *session, struct writer **writer, struct haul_error *err);

/* A worker's session out of and into the pool. */
enum haul_code pg_session_take(struct postgres_sink *sink, const struct context *context,
                               struct connection *session, struct haul_error *err);
void pg_session_return(struct postgres_sink *sink, struct connection *session);

/* Runs "BEFORE schema.name AFTER". */
struct on_table {
    const char *before, *name, *after;
};
enum haul_code pg_run_on(struct postgres_sink *sink, const struct on_table *statement,
                         struct haul_error *err);

#endif
