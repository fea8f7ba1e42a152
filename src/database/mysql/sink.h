/*
 * sink.h: what the files of the MySQL sink share.
 *
 * negotiate.c decides what would be done, definition.c makes new columns, match.c
 * fits rows to columns that are there; sink.c prepares and claims, write.c
 * loads (encode.c makes the text), publish.c finishes, remove.c takes back.
 */
#ifndef HAUL_DATABASE_MYSQL_SINK_H
#define HAUL_DATABASE_MYSQL_SINK_H

#include "batch/sink.h"
#include "database/mysql/catalog.h"
#include "database/mysql/ledger.h"
#include <pthread.h>

/* Open and idle sessions of workers that wait for the next unit. */
#define SESSIONS_MAX 256

/* A column that is written. */
struct sink_column {
    const char *name; /* in the target */
    enum form form;
    bool year;    /* two digits would mean another */
    bool trimmed; /* char(n): the server drops spaces at the end */
    int digits;   /* of a second's fraction it keeps */
};

struct mysql_sink {
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

    /* prepare */
    char run[64];
    bool locked;          /* the connection holds the run's lock */
    const char *work;     /* the table units go into, in schema_name */
    bool made;            /* the run creates it */
    const char *load_sql; /* LOAD DATA LOCAL ... INTO work (columns) */

    pthread_mutex_t mutex; /* guards sessions and, while workers run, arena */
    struct connection sessions[SESSIONS_MAX];
    int session_count;
};

enum haul_code my_sink_negotiate(struct sink *base, const struct sink_request *request,
                                 struct sink_terms *terms, struct haul_error *err);

/* Makes sure the sink's own connection is there, with the run's lock when it had it. */
enum haul_code my_sink_control(struct mysql_sink *sink, struct haul_error *err);

/* Fills sink->schema, columns and definition for a table that will be made. */
enum haul_code my_define(struct mysql_sink *sink, const struct source_info *source, struct haul_error *err);

/* The same from the columns of sink->table; all that does not fit is listed in one error. */
enum haul_code my_match(struct mysql_sink *sink, const struct schema *source, struct haul_error *err);

/* Sets how a column of that declared type is written. */
void my_column_set(struct mysql_sink *sink, int place, const char *declared, enum form form);

/* The LOAD DATA statement into `work`, in the sink's arena; NULL: err. */
const char *my_load_statement(struct mysql_sink *sink, const char *work, struct haul_error *err);

/* What would be lost if the target were replaced: HAUL_UNSUPPORTED listing it. */
enum haul_code my_check_dependents(struct mysql_sink *sink, struct haul_error *err);

/* The comment that a table of the run bears until it is finished. */
#define RUN_TAG_BYTES 96
void my_run_tag(const char *run, char out[RUN_TAG_BYTES]);

/* Is there a table of that name in the sink's database, and is it the run's? */
enum table_owner { TABLE_ABSENT, TABLE_OURS, TABLE_FOREIGN };
enum haul_code my_table_owner(struct mysql_sink *sink, const char *name, enum table_owner *owner,
                              struct haul_error *err);

enum haul_code my_sink_finish(struct sink *base, const struct run_record *run, const char *manifest,
                              struct haul_error *err);
enum haul_code my_sink_remove(struct sink *base, const struct run_record *run, struct haul_error *err);

/* Removes what a finished run may have left: its staging table, its tag. */
enum haul_code my_sink_tidy(struct mysql_sink *sink, struct haul_error *err);

/* HAUL_CHANGED unless `work` holds the rows the ledger says. */
enum haul_code my_check_rows(struct mysql_sink *sink, const char *work, struct haul_error *err);

/* A writer for a unit whose transaction is open and claimed; takes the session on success. */
enum haul_code my_writer_open(struct mysql_sink *sink, const struct context *context,
                              struct connection *session, struct writer **writer, struct haul_error *err);

/* A worker's session into the pool. */
void my_session_return(struct mysql_sink *sink, struct connection *session);

/* Runs "BEFORE schema.name AFTER". */
struct on_table {
    const char *before, *name, *after;
};
enum haul_code my_run_on(struct mysql_sink *sink, const struct on_table *statement, struct haul_error *err);

#endif
