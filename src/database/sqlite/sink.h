/*
 * sink.h: what the files of the SQLite sink share (database/table_sink.h has the
 * rest of it).
 *
 * sink.c opens the file, finds the target and makes the run's table, definition.c
 * and match.c say how columns are written, write.c inserts, replace.c puts the
 * rows or the table in their place, remove.c takes rows back, dependents.c looks
 * at what hangs on a table.
 */
#ifndef HAUL_DATABASE_SQLITE_SINK_H
#define HAUL_DATABASE_SQLITE_SINK_H

#include "database/sqlite/catalog.h"
#include "database/sqlite/dialect.h"
#include "database/sqlite/lock.h"
#include "database/sqlite/types.h"
#include "database/table_sink.h"

extern const struct engine sqlite_engine;

/* A column that is written. */
struct sink_column {
    const char *name;       /* in the target */
    enum affinity affinity; /* what SQLite would do to a value */
};

struct sqlite_sink {
    struct table_sink base;
    struct connection control; /* closed while there is no file */
    struct run_lock lock;
    const char *path;
    struct table table; /* the target as it is */
    struct sink_column *columns;
    bool created; /* there was no file */
    bool writing; /* a writer is open */
    sqlite3_stmt *insert;
};

/* table_sink_ops: definition.c, match.c */
enum haul_code sqlite_begin_columns(struct table_sink *base, int count, struct haul_error *err);
const char *sqlite_define_column(void *object, int place, const struct field *from, bool key,
                                 struct haul_error *err);
enum haul_code sqlite_match_column(struct table_sink *base, int place, const struct field *from, int at,
                                   struct haul_error *err);

/* The field SQLite can store for one of the source's, in `arena`. */
enum haul_code sqlite_stored_field(const struct field *from, struct arena *arena, struct field *to,
                                   struct haul_error *err);

/* CREATE TABLE's tail of an existing table, so that its staging table has all its constraints. */
const char *sqlite_definition_of(const struct table *table);

/* HAUL_UNSUPPORTED, listing what hangs on the target that replacing or emptying it would harm. */
enum haul_code sqlite_check_dependents(struct sqlite_sink *sink, struct haul_error *err);

/* table_sink_ops: replace.c, remove.c, write.c */
enum haul_code sqlite_empty(struct table_sink *base, struct haul_error *err);
enum haul_code sqlite_swap(struct table_sink *base, struct haul_error *err);
enum haul_code sqlite_take_back(struct table_sink *base, const struct ledger_run *known,
                                struct haul_error *err);
enum haul_code sqlite_writer_open(struct table_sink *base, const struct context *context, void *session,
                                  struct writer **writer, struct haul_error *err);

#endif
