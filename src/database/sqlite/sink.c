/*
 * sink.c: SQLite as a sink of batches.
 *
 * Order of calls: open, negotiate, recall, prepare, then units one at a time
 * (writers_max 1: SQLite has one writer), finish, close. A unit is a transaction:
 *
 *     BEGIN IMMEDIATE; INSERT its ledger row; INSERT rows...; UPDATE the ledger row; COMMIT
 *
 * so that claim and data become visible in one step (docs/unit.md). A process
 * that dies leaves a journal that SQLite rolls back by itself; there are no
 * zombies, because a dead process sends nothing.
 *
 * synchronous=EXTRA also syncs the folder after the journal is removed: without
 * that a power cut could bring the journal back and undo a committed unit, ledger
 * row and all. Foreign keys are enforced. The page cache takes a quarter of the
 * memory share, at most CACHE_BYTES_MAX, beside the budget.
 *
 * The connection is opened by the first call that needs it and the file is made
 * by prepare, never by negotiate or recall.
 */
#include "database/sqlite/sqlite.h"

#include "base/settings.h"
#include "database/sqlite/sink.h"
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CACHE_BYTES_MIN ((size_t)2 << 20)
#define CACHE_BYTES_MAX ((size_t)16 << 20)

/* ---- the connection ---- */

static enum haul_code pin_session(struct sqlite_sink *sink, struct haul_error *err)
{
    size_t share = memory_limit(sink->context.memory), cache = CACHE_BYTES_MAX;
    char pragmas[256];
    if (share && share / 4 < cache)
        cache = share / 4 > CACHE_BYTES_MIN ? share / 4 : CACHE_BYTES_MIN;
    snprintf(pragmas, sizeof pragmas,
             "PRAGMA synchronous=EXTRA; PRAGMA foreign_keys=ON;"
             "PRAGMA legacy_alter_table=ON; PRAGMA cache_size=-%zu",
             cache / 1024);
    return sqlite_run(&sink->connection, pragmas, err);
}

enum haul_code sqlite_sink_connect(struct sqlite_sink *sink, enum connect_mode mode, struct haul_error *err)
{
    struct file_identity file;
    struct haul_error absent = {0};
    if (sink->connection.db)
        return HAUL_OK;
    if (mode != CONNECT_CREATE && path_identify(sink->path, &file, &absent) == HAUL_NOT_FOUND)
        return HAUL_OK;
    if (sqlite_connect(&sink->connection, sink->path, mode, &sink->context, err))
        return err->code;
    if (pin_session(sink, err))
        sqlite_disconnect(&sink->connection);
    return sink->connection.db ? HAUL_OK : err->code;
}

/* ---- recall ---- */

static enum haul_code sink_recall(struct sink *base, const char *name, struct run_record *record, bool *found,
                                  struct haul_error *err)
{
    struct sqlite_sink *sink = (struct sqlite_sink *)base;
    *found = false;
    if (!sink->lock.path && sqlite_lock_take(&sink->lock, sink->path, name, err))
        return err->code;
    if (sqlite_sink_connect(sink, CONNECT_WRITE, err) || !sink->connection.db)
        return sink->connection.db ? err->code : HAUL_OK;
    return sqlite_ledger_recall(&sink->ledger, name, record, found, err);
}

/* ---- prepare ---- */

/* Goes on with what the run left. */
static enum haul_code continue_run(struct sqlite_sink *sink, const struct ledger_run *known,
                                   const struct run_record *run, struct haul_error *err)
{
    struct table table = {0};
    bool there;
    if (strcmp(known->fingerprint, run->fingerprint ? run->fingerprint : "") ||
        strcmp(known->work, sink->work))
        return error_set(err, HAUL_CHANGED,
                         "%s: an unfinished run %s is about something else; --restart discards it",
                         sink->path, sink->run);
    sink->made = known->made;
    if (sqlite_table_read(&sink->connection, sink->work, &table, &there, err))
        return err->code;
    sqlite_table_release(&table);
    if (!there)
        return error_set(err, HAUL_CHANGED,
                         "%s: table \"%s\" of the unfinished run %s was dropped; --restart begins "
                         "anew",
                         sink->path, sink->work, sink->run);
    return sqlite_check_rows(sink, sink->work, sink->made, err);
}

/* Nobody else may be at work on a table that is to be ours alone. */
static enum haul_code check_owner(struct sqlite_sink *sink, struct haul_error *err)
{
    struct ledger_run owner = {0};
    bool owned;
    if (sqlite_ledger_owner(&sink->ledger, sink->target, &sink->arena, &owner, &owned, err))
        return err->code;
    if (!owned || !strcmp(owner.name, sink->run) ||
        (sink->mode != SINK_CREATE && !(owner.made && !sink->staged)))
        return HAUL_OK;
    return error_set(err, HAUL_EXISTS,
                     "%s: table \"%s\" belongs to the unfinished run %s; run that again to the end, "
                     "or discard it with --restart --run %s",
                     sink->path, sink->target, owner.name, owner.name);
}

static enum haul_code begin_run(struct sqlite_sink *sink, const struct run_record *run,
                                struct haul_error *err)
{
    sink->made = sink->definition != NULL;
    if (check_owner(sink, err))
        return err->code;
    if (sink->staged && !sink->ledger.runs &&
        sqlite_run_on(sink, "DROP TABLE IF EXISTS", sink->work, "", err))
        return err->code;
    if (sink->made && sqlite_run_on(sink, "CREATE TABLE", sink->work, sink->definition, err))
        return error_prefix(err, "making table \"%s\"", sink->work);
    struct ledger_run entry = {.name = sink->run,
                               .target = sink->target,
                               .work = sink->work,
                               .made = sink->made,
                               .fingerprint = run->fingerprint ? run->fingerprint : ""};
    return sqlite_ledger_begin(&sink->ledger, &entry, run->plan, err);
}

static enum haul_code prepare_run(struct sqlite_sink *sink, const struct run_record *run,
                                  struct haul_error *err)
{
    struct ledger_run known = {0};
    bool found;
    if (sqlite_run(&sink->connection, "BEGIN IMMEDIATE", err))
        return err->code;
    enum haul_code code = sqlite_ledger_create(&sink->ledger, err);
    if (!code)
        code = sqlite_ledger_find(&sink->ledger, sink->run, &sink->arena, &known, &found, err);
    if (!code)
        code = found && !known.finished ? continue_run(sink, &known, run, err) : begin_run(sink, run, err);
    if (!code)
        code = sqlite_run(&sink->connection, "COMMIT", err);
    sqlite_rollback(&sink->connection);
    return code;
}

/* A file that was made for nothing goes again. */
static void drop_empty_file(struct sqlite_sink *sink)
{
    struct file_identity file;
    struct haul_error unused = {0};
    sqlite_disconnect(&sink->connection);
    if (!path_identify(sink->path, &file, &unused) && file.size == 0)
        path_remove(sink->path, &unused);
}

static enum haul_code sink_prepare(struct sink *base, const struct context *context,
                                   const struct run_record *run, struct haul_error *err)
{
    struct sqlite_sink *sink = (struct sqlite_sink *)base;
    bool absent = !sink->connection.db;
    sink->context = *context;
    snprintf(sink->run, sizeof sink->run, "%s", run->name);
    sink->work =
        sink->staged ? arena_printf(&sink->arena, "%s__haul_%s", sink->target, sink->run) : sink->target;
    if (!sink->work)
        return error_nomem(err, "a table's name");
    if (!sqlite_sink_connect(sink, CONNECT_CREATE, err) && !prepare_run(sink, run, err))
        return HAUL_OK;
    if (absent)
        drop_empty_file(sink);
    return err->code;
}

/* ---- units ---- */

static enum haul_code claim(struct sqlite_sink *sink, const struct context *context, const struct unit *unit,
                            struct writer **writer, enum unit_state *state, struct haul_error *err)
{
    bool mine;
    if (sqlite_ledger_claim(&sink->ledger, sink->run, unit, &mine, err))
        return err->code;
    *state = mine ? UNIT_MINE : UNIT_DONE;
    return mine ? sqlite_writer_open(sink, context, writer, err) : HAUL_OK;
}

static enum haul_code sink_open(struct sink *base, const struct context *context, const struct unit *unit,
                                struct writer **writer, enum unit_state *state, struct receipt *receipt,
                                struct haul_error *err)
{
    struct sqlite_sink *sink = (struct sqlite_sink *)base;
    assert(!sink->writing);
    if (sqlite_run(&sink->connection, "BEGIN IMMEDIATE", err)) {
        if (err->code != HAUL_BUSY)
            return err->code;
        *err = (struct haul_error){0};
        *state = UNIT_BUSY;
        return HAUL_OK;
    }
    enum haul_code code = claim(sink, context, unit, writer, state, err);
    if (!code && *state == UNIT_MINE)
        return HAUL_OK;
    sqlite_rollback(&sink->connection);
    if (code)
        return code;
    return sqlite_ledger_receipt(&sink->ledger, sink->run, unit, &sink->arena, receipt, err);
}

/* ---- life ---- */

static void sink_close(struct sink *base)
{
    struct sqlite_sink *sink = (struct sqlite_sink *)base;
    sqlite3_finalize(sink->insert);
    sqlite_ledger_release(&sink->ledger);
    sqlite_disconnect(&sink->connection);
    sqlite_lock_release(&sink->lock);
    sqlite_table_release(&sink->table);
    schema_release(&sink->schema);
    arena_release(&sink->arena);
    free(sink);
}

static const struct sink_ops sink_ops = {
    .name = "sqlite",
    .negotiate = sqlite_sink_negotiate,
    .recall = sink_recall,
    .prepare = sink_prepare,
    .open = sink_open,
    .finish = sqlite_sink_finish,
    .remove = sqlite_sink_remove,
    .close = sink_close,
};

enum haul_code sqlite_sink_open(const char *path, const struct context *context, struct sink **out,
                                struct haul_error *err)
{
    const struct settings *settings = context->settings;
    struct sqlite_sink *sink = calloc(1, sizeof *sink);
    if (!sink)
        return error_nomem(err, "a sink");
    sink->base.ops = &sink_ops;
    sink->context = *context;
    sink->lock.file.fd = -1;
    const char *uuid = settings ? settings_text(settings, "uuid") : NULL;
    sink->uuid_text = uuid && !strcmp(uuid, "text");
    sink->path = arena_text(&sink->arena, path);
    if (!sink->path)
        error_nomem(err, "a sink");
    if (!sink->path || sqlite_ledger_init(&sink->ledger, &sink->connection,
                                          settings ? settings_text(settings, "ledger") : NULL, err)) {
        sink_close(&sink->base);
        return err->code;
    }
    *out = &sink->base;
    return HAUL_OK;
}
