/*
 * sink.c: SQLite as a sink of batches: the file opened, the target found, the
 * run's table made (database/table_sink.h has what all databases share). It is
 * the model a new database is copied from.
 *
 * Units come one at a time (writers_max 1: SQLite has one writer), in the sink's
 * own connection. A process that dies leaves a journal that SQLite rolls back by
 * itself; there are no zombies, because a dead process sends nothing.
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

#include "database/sqlite/sink.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define CACHE_BYTES_MIN ((size_t)2 << 20)
#define CACHE_BYTES_MAX ((size_t)16 << 20)

/* ---- the connection ---- */

static enum haul_code pin_session(struct sqlite_sink *sink, struct haul_error *err)
{
    size_t share = memory_limit(sink->base.context.memory), cache = CACHE_BYTES_MAX;
    char pragmas[256];
    if (share && share / 4 < cache)
        cache = share / 4 > CACHE_BYTES_MIN ? share / 4 : CACHE_BYTES_MIN;
    snprintf(pragmas, sizeof pragmas,
             "PRAGMA synchronous=EXTRA; PRAGMA foreign_keys=ON;"
             "PRAGMA legacy_alter_table=ON; PRAGMA cache_size=-%zu",
             cache / 1024);
    return sqlite_run(&sink->control, pragmas, err);
}

static enum haul_code control(struct table_sink *base, bool create, struct haul_error *err)
{
    struct sqlite_sink *sink = (struct sqlite_sink *)base;
    struct file_identity file;
    struct haul_error absent = {0};
    if (base->connection)
        return HAUL_OK;
    bool there = path_identify(sink->path, &file, &absent) != HAUL_NOT_FOUND;
    if (!create && !there)
        return HAUL_OK;
    if (sqlite_connect(&sink->control, sink->path, create ? CONNECT_CREATE : CONNECT_WRITE, &base->context,
                       err))
        return err->code;
    sink->created |= !there;
    if (pin_session(sink, err)) {
        sqlite_disconnect(&sink->control);
        return err->code;
    }
    base->connection = &sink->control;
    return HAUL_OK;
}

static enum haul_code take_lock(struct table_sink *base, const char *run, struct haul_error *err)
{
    struct sqlite_sink *sink = (struct sqlite_sink *)base;
    if (sqlite_lock_take(&sink->lock, sink->path, run, err))
        return err->code;
    base->locked = true;
    return HAUL_OK;
}

/* ---- what is there ---- */

/* FNV-1a: tells one CREATE statement from another. */
static uint64_t hash_text(const char *text)
{
    uint64_t hash = 0xcbf29ce484222325u;
    for (; *text; text++)
        hash = (hash ^ (uint8_t)*text) * 0x100000001b3u;
    return hash;
}

static enum haul_code find(struct table_sink *base, const struct sink_request *request,
                           struct haul_error *err)
{
    struct sqlite_sink *sink = (struct sqlite_sink *)base;
    const char *name = request->table ? request->table : request->source->table;
    sqlite_table_release(&sink->table);
    if (!name || !*name)
        return error_set(err, HAUL_USAGE, "%s: say which table to write with --table NAME", base->place);
    base->target = sqlite_table_plain(name, &base->arena);
    if (!base->target)
        return error_nomem(err, "a table's name");
    if (!strncasecmp(base->target, "sqlite_", 7))
        return error_set(err, HAUL_USAGE, "\"%s\": names that begin with sqlite_ are SQLite's own",
                         base->target);
    if (base->connection && sqlite_table_read(&sink->control, base->target, &sink->table, &base->exists, err))
        return err->code;
    if (base->exists)
        base->target = arena_text(&base->arena, sink->table.name);
    base->ledger_name = base->target;
    base->title = arena_printf(&base->arena, "\"%s\"", base->target);
    base->identity = base->exists
                         ? arena_printf(&base->arena, "table %lld %016llx", (long long)sink->table.root_page,
                                        (unsigned long long)hash_text(sink->table.sql))
                         : "";
    base->columns = &sink->table.columns;
    return base->target && base->title && base->identity ? HAUL_OK : error_nomem(err, "a table's name");
}

static enum haul_code unknown(struct table_sink *base, struct haul_error *err)
{
    if (!base->connection)
        return error_set(err, HAUL_NOT_FOUND, "%s: there is no such database", base->place);
    return sqlite_table_unknown(base->connection, base->target, err);
}

static enum haul_code check(struct table_sink *base, struct haul_error *err)
{
    struct sqlite_sink *sink = (struct sqlite_sink *)base;
    const char *kind = sink->table.kind;
    if (strcmp(kind, "table"))
        return error_set(err, HAUL_UNSUPPORTED, "%s: %s is a %s%s; haul writes to tables only", base->place,
                         base->title, kind, strcmp(kind, "view") ? " table" : "");
    if (base->mode == SINK_TRUNCATE && !sqlite_definition_of(&sink->table))
        return error_set(err, HAUL_UNSUPPORTED,
                         "%s: the definition of %s is not understood; use --mode replace", base->place,
                         base->title);
    return base->staged && base->mode != SINK_MERGE ? sqlite_check_dependents(sink, err) : HAUL_OK;
}

/* Columns that are expressions have no name. */
static void list_unique(const struct table_sink *base, struct sql *sql)
{
    sql_add(sql, "SELECT l.name, x.name FROM pragma_index_list(");
    sql_literal(sql, base->target);
    sql_add(sql, ") AS l, pragma_index_xinfo(l.name) AS x WHERE l.\"unique\" AND NOT l.partial AND x.key"
                 " ORDER BY l.name");
}

/* The INSERT as it will be prepared. */
static void show(const struct table_sink *base, struct sql *sql)
{
    table_sink_show_make(base, " LIKE ", sql);
    sql_add(sql, "INSERT OR ABORT INTO ");
    table_sink_show_name(base, true, sql);
    sql_add(sql, " (");
    table_sink_add_columns(base, sql);
    sql_add(sql, ") VALUES (?1%s);\n", base->schema.count > 1 ? ", ..." : "");
    table_sink_show_finish(base, "DELETE FROM ", sql);
}

/* ---- prepare ---- */

static enum haul_code add_merge_column(struct sqlite_sink *sink, int place, struct sql *sql,
                                       struct haul_error *err)
{
    struct table_sink *base = &sink->base;
    const char *name = base->schema.fields[place].name, *collation = "BINARY";
    const struct column *column = &base->columns->list[columns_find(base->columns, name)];
    int rc = sqlite3_table_column_metadata(sink->control.db, "main", base->target, name, NULL, &collation,
                                           NULL, NULL, NULL);
    if (rc)
        return sqlite_fail(&sink->control, rc, err);
    sql_add(sql, place ? ", " : "(");
    sql_name(sql, name);
    sql_add(sql, " %s%s COLLATE ", column->declared,
            column->not_null && !table_sink_is_key(base, name) ? " NOT NULL" : "");
    sql_name(sql, collation);
    return HAUL_OK;
}

/* The columns that are written, compared as the target compares them, and no index. */
static enum haul_code make_for_merge(struct sqlite_sink *sink, struct haul_error *err)
{
    struct sql sql = {.dialect = &sqlite_dialect};
    enum haul_code code = HAUL_OK;
    for (int i = 0; !code && i < sink->base.schema.count; i++)
        code = add_merge_column(sink, i, &sql, err);
    sql_add(&sql, sink->table.strict ? ") STRICT" : ")");
    const char *text = code ? NULL : sql_text(&sql, err);
    if (text)
        code = table_sink_run_on(&sink->base, "CREATE TABLE", sink->base.work, text, err);
    else if (!code)
        code = err->code;
    sql_release(&sql);
    return code;
}

static enum haul_code make(struct table_sink *base, struct haul_error *err)
{
    struct sqlite_sink *sink = (struct sqlite_sink *)base;
    if (base->mode == SINK_MERGE)
        return make_for_merge(sink, err);
    const char *definition = base->definition ? base->definition : sqlite_definition_of(&sink->table);
    return table_sink_run_on(base, "CREATE TABLE", base->work, definition, err);
}

/* No number of SQLite's stays a table's own (VACUUM changes root pages): its rows are counted instead. */
static enum haul_code work_id(struct table_sink *base, const char *name, const char **id,
                              struct haul_error *err)
{
    struct table table = {0};
    bool there;
    if (sqlite_table_read(base->connection, name, &table, &there, err))
        return err->code;
    sqlite_table_release(&table);
    *id = there ? "there" : "";
    return HAUL_OK;
}

/* A statement of another run's table is of no use. */
static enum haul_code ready(struct table_sink *base, struct haul_error *err)
{
    struct sqlite_sink *sink = (struct sqlite_sink *)base;
    (void)err;
    sqlite3_finalize(sink->insert);
    sink->insert = NULL;
    return HAUL_OK;
}

/* ---- life ---- */

/* A file that was made for nothing goes again. */
static void remove_if_empty(const struct sqlite_sink *sink)
{
    struct file_identity file;
    struct haul_error unused = {0};
    if (sink->created && !path_identify(sink->path, &file, &unused) && file.size == 0)
        path_remove(sink->path, &unused);
}

static void release(struct table_sink *base)
{
    struct sqlite_sink *sink = (struct sqlite_sink *)base;
    sqlite3_finalize(sink->insert);
    sqlite_disconnect(&sink->control);
    remove_if_empty(sink);
    sqlite_lock_release(&sink->lock);
    sqlite_table_release(&sink->table);
    free(sink);
}

static const struct table_sink_ops own_ops = {
    .control = control,
    .lock = take_lock,
    .find = find,
    .unknown = unknown,
    .check = check,
    .list_unique = list_unique,
    .begin_columns = sqlite_begin_columns,
    .define = sqlite_define_column,
    .match = sqlite_match_column,
    .show = show,
    .ready = ready,
    .make = make,
    .work_id = work_id,
    .open = sqlite_writer_open,
    .empty = sqlite_empty,
    .swap = sqlite_swap,
    .take_back = sqlite_take_back,
    .close = release,
};

enum haul_code sqlite_sink_open(const char *path, const struct context *context, struct sink **out,
                                struct haul_error *err)
{
    struct sqlite_sink *sink = calloc(1, sizeof *sink);
    if (!sink)
        return error_nomem(err, "a sink");
    table_sink_init(&sink->base, &own_ops, &sqlite_engine, context);
    sink->base.writers_max = 1;
    sink->lock.file.fd = -1;
    sink->path = sink->base.place = arena_text(&sink->base.arena, path);
    if (!sink->path) {
        table_sink_close(&sink->base.base);
        return error_nomem(err, "a sink");
    }
    *out = &sink->base.base;
    return HAUL_OK;
}
