/*
 * source.h: what the files of the SQL Server source share: describe.c finds out
 * what is read and as which types, split.c cuts it into parts, select.c writes
 * the statements, readers.c keeps the sessions of the readers and what makes
 * them see one state, read.c reads.
 */
#ifndef HAUL_DATABASE_MSSQL_SOURCE_H
#define HAUL_DATABASE_MSSQL_SOURCE_H

#include "batch/source.h"
#include "database/mssql/catalog.h"
#include "database/mssql/parameter.h"
#include "database/mssql/part.h"
#include "database/mssql/session.h"
#include "database/mssql/types.h"
#include <pthread.h>

#define MS_IDLE_MAX 64

/* --split */
enum ms_split { SPLIT_AUTO, SPLIT_KEY, SPLIT_PARTITION, SPLIT_CHECKSUM, SPLIT_NONE };

/* --consistent: how all rows are those of one moment. */
enum ms_consistent {
    CONSISTENT_NO,
    CONSISTENT_SESSION, /* one transaction with SNAPSHOT isolation, one reader */
    CONSISTENT_DATABASE /* a database snapshot, made for the run */
};

struct mssql_source {
    struct source base;
    struct context context;
    struct server server;
    struct session session; /* looks things up */
    struct arena arena;     /* request, query */
    struct source_request request;
    const char *query; /* --query without its last semicolon */
    enum ms_moments moments;
    struct ms_parameters parameters;
    enum ms_split split_wish;
    const char **key_wish; /* --key */
    int key_wish_count;
    bool consistent_wish, dry;
    int workers_wish; /* 0: not said */

    /* describe */
    struct ms_table table; /* name NULL: it is a query */
    struct schema schema;
    enum ms_split split; /* NONE: one part */
    struct ms_cut cut;
    bool ordered; /* rows come by the key, which is unique */
    bool running; /* the statement is under way in `session`, which stands behind its columns */
    enum ms_consistent consistent;
    char snapshot[160]; /* the database snapshot's name */
    bool snapshot_made;
    bool transaction_begun; /* CONSISTENT_SESSION: in `session`, which must not be another one since */

    /* split */
    bool split_begun, split_told;
    struct ms_answer bounds;
    int64_t part_index, part_count;

    pthread_mutex_t mutex; /* guards what follows */
    struct session *idle[MS_IDLE_MAX];
    int idle_count;
    bool session_taken;
};

/* The statement that gives a part's rows, from its row `skip` on when the source is
 * ordered; `none` asks for its columns alone. */
struct ms_wanted {
    const struct ms_part *part;
    int64_t skip;
    bool none;
};
enum haul_code ms_select(const struct mssql_source *source, const struct ms_wanted *wanted, struct sql *sql,
                         struct haul_error *err);

/* FROM ...: the table, the function with its parameters, or the query. */
void ms_sql_from(const struct mssql_source *source, struct sql *sql);

enum haul_code ms_source_ping(struct source *base, struct ping *ping, struct haul_error *err);
enum haul_code ms_source_describe(struct source *base, struct source_info *info, struct haul_error *err);

/* What the table can be cut by, after it was looked up: sets split, cut and ordered. */
enum haul_code ms_split_choose(struct mssql_source *source, struct haul_error *err);
enum haul_code ms_source_split(struct source *base, const struct split_request *request, struct arena *arena,
                               struct part *part, bool *more, struct haul_error *err);
void ms_split_release(struct mssql_source *source);

/* Is there a way to keep --consistent? Sets `consistent`; what cannot be kept is an error. */
enum haul_code ms_consistent_choose(struct mssql_source *source, struct haul_error *err);
enum haul_code ms_source_begin(struct source *base, int workers, struct haul_error *err);
void ms_source_end(struct source *base);

/* A session for one reader, and back. */
enum haul_code ms_session_take(struct mssql_source *source, const struct context *context,
                               struct session **session, struct haul_error *err);
void ms_session_return(struct mssql_source *source, struct session *session);
void ms_sessions_release(struct mssql_source *source);

enum haul_code ms_source_read(struct source *base, const struct context *context, const struct part *part,
                              int64_t first_row, struct reader **reader, struct haul_error *err);

#endif
