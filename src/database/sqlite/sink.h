/*
 * sink.h: what the files of the SQLite sink share.
 *
 * negotiate.c decides what would be done, definition.c makes new columns, match.c
 * fits rows to columns that are there; sink.c prepares and claims, write.c
 * inserts, publish.c finishes and removes.
 */
#ifndef HAUL_DATABASE_SQLITE_SINK_H
#define HAUL_DATABASE_SQLITE_SINK_H

#include "batch/sink.h"
#include "database/sqlite/catalog.h"
#include "database/sqlite/dialect.h"
#include "database/sqlite/ledger.h"
#include "database/sqlite/lock.h"
#include "database/sqlite/types.h"

/* A column that is written. */
struct sink_column {
    const char *name;       /* in the target */
    enum affinity affinity; /* what SQLite would do to a value */
};

struct sqlite_sink {
    struct sink base;
    struct context context;
    struct connection connection; /* closed while there is no file */
    struct ledger ledger;
    struct run_lock lock;
    struct arena arena; /* path, names, statements, receipts handed out */
    const char *path;
    bool uuid_text; /* --uuid text */

    /* negotiate */
    enum sink_mode mode;
    struct table table; /* the target as it is; empty when absent, or an unfinished run of ours made it */
    bool staged;        /* units go into a staging table of the run */
    const char *target;
    struct schema schema; /* as in the terms */
    struct sink_column *columns;
    const char *definition; /* what follows CREATE TABLE "name"; NULL: no table is made */

    /* prepare */
    char run[64];
    const char *work; /* the table units go into */
    bool made;        /* the run creates it */
    bool writing;     /* a writer is open */
    sqlite3_stmt *insert;
};

enum haul_code sqlite_sink_negotiate(struct sink *base, const struct sink_request *request,
                                     struct sink_terms *terms, struct haul_error *err);

/* Opens the connection when it is closed; mode CONNECT_CREATE makes the file. */
enum haul_code sqlite_sink_connect(struct sqlite_sink *sink, enum connect_mode mode, struct haul_error *err);

/* Fills sink->schema, columns and definition for a table that will be made. */
enum haul_code sqlite_define(struct sqlite_sink *sink, const struct source_info *source,
                             struct haul_error *err);

/* The same from the columns of sink->table; all that does not fit is listed in one error. */
enum haul_code sqlite_match(struct sqlite_sink *sink, const struct schema *source, struct haul_error *err);

/* The field SQLite can store for one of the source's, in `arena`. */
enum haul_code sqlite_stored_field(const struct field *from, struct arena *arena, struct field *to,
                                   struct haul_error *err);

/* CREATE TABLE's tail of an existing table, so that its staging table has all its constraints. */
const char *sqlite_definition_of(const struct table *table);

/* HAUL_UNSUPPORTED, listing what hangs on the target that replacing or emptying it would harm. */
enum haul_code sqlite_check_dependents(struct sqlite_sink *sink, struct haul_error *err);

enum haul_code sqlite_sink_finish(struct sink *base, const struct run_record *run, const char *manifest,
                                  struct haul_error *err);
enum haul_code sqlite_sink_remove(struct sink *base, const struct run_record *run, struct haul_error *err);

/* HAUL_CHANGED unless `work` holds the rows the ledger says. */
enum haul_code sqlite_check_rows(struct sqlite_sink *sink, const char *work, bool all_ours,
                                 struct haul_error *err);

/* A writer for a unit whose transaction is open and claimed. */
enum haul_code sqlite_writer_open(struct sqlite_sink *sink, const struct context *context,
                                  struct writer **writer, struct haul_error *err);

/* Runs "BEFORE "name" AFTER". */
enum haul_code sqlite_run_on(struct sqlite_sink *sink, const char *before, const char *name,
                             const char *after, struct haul_error *err);

#endif
