/*
 * table_sink.h: a table of a database as a sink: what is the same for all.
 *
 * A wing's sink begins with a struct table_sink, fills it by table_sink_init, and
 * gives a const struct table_sink_ops with what is different in its database.
 * The order of calls is that of batch/sink.h:
 *
 *     negotiate.c   what would be done: find, check, define or match, show
 *     table_sink.c  recall, prepare (make or continue), units, sessions
 *     publish.c     finish: swap or move, all in one transaction
 *     remove.c      taking back what an unfinished run made
 *
 *   mode      table absent        table empty         table with rows
 *   create    make it             match its columns   refused
 *   append    refused             match               match
 *   truncate  refused             staging, move rows  staging, move rows
 *   replace   make it             staging, swap       staging, swap
 *   merge     refused             staging, merge      staging, merge
 *
 * A unit is a transaction of one session: claim (the ledger's row), load, settle
 * (the ledger's row again), COMMIT; so claim and data become visible in one step.
 * When the answer to COMMIT is lost the unit is opened again: its claim waits for
 * the old transaction if that still lives, and then says done or mine. It is
 * never decided by reading.
 *
 * Where DDL commits (MySQL) the run's row goes into the ledger before its table
 * is made; the table bears the run's mark, by which a run that died between the
 * two knows it again.
 */
#ifndef HAUL_DATABASE_TABLE_SINK_H
#define HAUL_DATABASE_TABLE_SINK_H

#include "database/column.h"
#include "database/ledger.h"
#include <pthread.h>

/* Sessions of workers, at work or waiting for the next unit. */
#define SESSIONS_MAX 256

#define RUN_MARK_BYTES 96

struct table_sink {
    struct sink base;
    const struct table_sink_ops *ops;
    const struct engine *engine;
    struct context context;
    const char *place; /* server or file, for messages: never a secret */
    void *connection;  /* looks things up, holds the run's lock, publishes; NULL: no database yet */
    struct ledger ledger;
    struct arena arena; /* names, statements, receipts handed out */
    bool uuid_text;     /* --uuid text */
    int writers_max;    /* 0 no limit */
    int64_t unit_rows;  /* wish; 0 none */

    /* negotiate */
    enum sink_mode mode;
    const char *const *key; /* merge: of the target, as it spells them */
    int key_count;
    bool staged;            /* units go into a staging table of the run */
    const char *definition; /* what follows CREATE TABLE name; NULL: no table is made */
    struct schema schema;   /* as in the terms */

    /* find fills these, in the arena; a table that an unfinished run of ours made does not exist */
    bool exists;
    const char *schema_name, *target; /* schema_name NULL: there are no schemas */
    const char *title;                /* "schema.table", for messages */
    const char *ledger_name;          /* the same as the ledger has it */
    const char *identity;             /* of the table */
    const char *doubt;                /* why nothing in it lasts; NULL */
    const struct columns *columns;    /* those the table has */

    /* prepare */
    char run[64];
    bool locked;      /* the connection holds the run's lock */
    const char *work; /* the table units go into, in schema_name */
    bool made;        /* the run makes it */
    size_t unsettled; /* what recall found of claims without a receipt, and the first of them */
    struct unit unsettled_unit;
    bool in_doubt; /* such a claim ended the run: its ledger stays */

    pthread_mutex_t mutex; /* guards sessions and, while workers run, the arena */
    void *sessions[SESSIONS_MAX];
    bool taken[SESSIONS_MAX];
    int session_count;
};

/* A table beside the target (staging.c). */
struct staging {
    struct table_name name, model;
    bool columnstore; /* with a clustered columnstore index, where there is such */
};

/* What a database does in its own way. NULL where it says so. */
struct table_sink_ops {
    /* Makes sure sink->connection is there, with the run's lock when it had it.
     * Without `create` a database that is not there stays away, and NULL. */
    enum haul_code (*control)(struct table_sink *sink, bool create, struct haul_error *err);
    enum haul_code (*lock)(struct table_sink *sink, const char *run, struct haul_error *err); /* HAUL_BUSY */

    /* ---- negotiate ---- */

    /* Looks the target up and fills what the struct says. */
    enum haul_code (*find)(struct table_sink *sink, const struct sink_request *request,
                           struct haul_error *err);
    /* HAUL_NOT_FOUND with the names that are near. */
    enum haul_code (*unknown)(struct table_sink *sink, struct haul_error *err);
    /* --ledger none aside: may the ledger be kept? Else its `why`, and no names. NULL: always. */
    enum haul_code (*allow_ledger)(struct table_sink *sink, struct haul_error *err);
    /* Can the table that is there be written to in this mode, and what would be lost? */
    enum haul_code (*check)(struct table_sink *sink, struct haul_error *err);
    /* A definer's column (definition.h). */
    const char *(*define)(void *sink, int place, const struct field *from, bool key, struct haul_error *err);
    /* Sets schema.fields[place] to what goes into the table's column `at`. */
    enum haul_code (*match)(struct table_sink *sink, int place, const struct field *from, int at,
                            struct haul_error *err);
    /* merge: writes "SELECT index, column ..." of all its unique indexes that hold every
     * row, ordered by index. NULL: it cannot be merged into. */
    void (*list_unique)(const struct table_sink *sink, struct sql *sql);
    /* Room for `count` columns of define and match. */
    enum haul_code (*begin_columns)(struct table_sink *sink, int count, struct haul_error *err);
    /* The statements as --dry-run shows them. */
    void (*show)(const struct table_sink *sink, struct sql *sql);

    /* ---- prepare: `work` is known ---- */

    enum haul_code (*ready)(struct table_sink *sink, struct haul_error *err); /* NULL: nothing to do */
    enum haul_code (*make)(struct table_sink *sink,
                           struct haul_error *err); /* `work`, from definition or target */
    /* Says that a table is the same still: "" none there. Where DDL commits: the mark of a run that made it.
     */
    enum haul_code (*work_id)(struct table_sink *sink, const char *name, const char **id,
                              struct haul_error *err);

    /* ---- units ---- */

    /* A session for a worker. NULL: sink->connection is used, by one writer at a time. */
    enum haul_code (*connect)(struct table_sink *sink, const struct context *context, void **session,
                              struct haul_error *err);
    void (*disconnect)(void *session);
    /* A writer for a unit that is claimed; it gives the session back (table_sink_return) when it ends. */
    enum haul_code (*open)(struct table_sink *sink, const struct context *context, void *session,
                           struct writer **writer, struct haul_error *err);
    /* Ends the session that holds a claim of our run: its client is gone. What it
     * meets is no error. NULL: there is no such thing. */
    void (*evict)(struct table_sink *sink, void *session, const struct unit *unit);

    /* ---- finish and remove ---- */

    enum haul_code (*empty)(struct table_sink *sink,
                            struct haul_error *err); /* the target, before rows move in */
    /* Rows are about to move into the target, by truncate or merge; they did. NULL: nothing to do. */
    enum haul_code (*filling)(struct table_sink *sink, struct haul_error *err);
    enum haul_code (*filled)(struct table_sink *sink, struct haul_error *err);
    enum haul_code (*swap)(struct table_sink *sink,
                           struct haul_error *err); /* `work` takes the target's place */
    /* May be done again and again behind the commit. NULL: nothing to do. */
    enum haul_code (*tidy)(struct table_sink *sink, struct haul_error *err);
    /* Rows of the run out of a table of somebody else. NULL: they cannot be told from others. */
    enum haul_code (*take_back)(struct table_sink *sink, const struct ledger_run *known,
                                struct haul_error *err);

    /* An empty table with the columns of another, unless it is there. NULL: no staging tables. */
    enum haul_code (*like)(struct table_sink *sink, const struct staging *staging, struct haul_error *err);

    void (*close)(struct table_sink *sink); /* the wing's own, then free */
};

/* With the operations of struct sink_ops; those of staging tables where own->like is. */
void table_sink_init(struct table_sink *sink, const struct table_sink_ops *own, const struct engine *engine,
                     const struct context *context);
void table_sink_close(struct sink *base);

/* ---- between the shared files: operations of struct sink_ops ---- */

enum haul_code table_sink_negotiate(struct sink *base, const struct sink_request *request,
                                    struct sink_terms *terms, struct haul_error *err);
enum haul_code table_sink_makes(struct sink *base, const struct sink_request *request, struct arena *arena,
                                const char *const **names, int *count, struct haul_error *err);
enum haul_code table_sink_finish(struct sink *base, const struct run_record *run, const char *manifest,
                                 struct haul_error *err);
enum haul_code table_sink_remove(struct sink *base, const struct run_record *run, struct haul_error *err);
enum haul_code table_sink_make_like(struct sink *base, const char *name, const char *model, bool columnstore,
                                    struct haul_error *err);
enum haul_code table_sink_drop(struct sink *base, const char *name, struct haul_error *err);

/* ---- for the wings ---- */

/* CREATE TABLE IF NOT EXISTS name BEFORE model AFTER. */
enum haul_code table_sink_like(struct table_sink *sink, const struct staging *staging, const char *before,
                               const char *after, struct haul_error *err);

/* Runs "BEFORE schema.name AFTER". */
enum haul_code table_sink_run_on(struct table_sink *sink, const char *before, const char *name,
                                 const char *after, struct haul_error *err);

/* Text of the arena, HAUL_NOMEM when that is NULL. */
const char *table_sink_text(struct table_sink *sink, const char *text, struct haul_error *err);

/* Names of the columns that are written, with commas. */
void table_sink_add_columns(const struct table_sink *sink, struct sql *sql);

/* For show: the target's name, or what its staging table's name will look like; both lines of a finish. */
void table_sink_show_name(const struct table_sink *sink, bool work, struct sql *sql);
void table_sink_show_make(const struct table_sink *sink, const char *like, struct sql *sql);
void table_sink_show_finish(const struct table_sink *sink, const char *empty, struct sql *sql);

/* A writer's session goes back, rolled back. */
void table_sink_return(struct table_sink *sink, void *session);

/* Inside the unit's transaction, before COMMIT: `rows` went in. */
enum haul_code table_sink_settle(struct table_sink *sink, void *session, int64_t rows,
                                 const struct receipt *receipt, struct haul_error *err);

/* After a COMMIT whose answer is lost: without a ledger nobody can know. */
void table_sink_commit_lost(const struct table_sink *sink, int64_t rows, struct haul_error *err);

/* The mark a table of the run bears where DDL commits. */
void table_sink_mark(const struct table_sink *sink, char mark[RUN_MARK_BYTES]);

/* merge.c: the key, after the columns are matched; the merge itself, inside the transaction. */
enum haul_code table_sink_choose_key(struct table_sink *sink, const struct sink_request *request,
                                     struct haul_error *err);
enum haul_code table_sink_merge(struct table_sink *sink, struct haul_error *err);
bool table_sink_is_key(const struct table_sink *sink, const char *column);

/* HAUL_CHANGED unless `table` holds the rows the ledger says. */
enum haul_code table_sink_check_rows(struct table_sink *sink, const char *table, struct haul_error *err);

#endif
