/*
 * negotiate.c: what would be done to the target, before anything is.
 *
 *   mode      table absent        table empty         table with rows
 *   create    make it             match its columns   refused
 *   append    refused             match               match
 *   truncate  refused             staging, swap rows  staging, swap rows
 *   replace   make it             staging, swap       staging, swap
 *
 * A table that an unfinished run made counts as absent: the run goes on with it
 * or removes it (prepare decides by the run's name). A staging table is called
 * TABLE__haul_RUN; the run's name is not known here yet and shown as RUN.
 */
#include "database/sqlite/sink.h"

#include <string.h>
#include <strings.h>

/* FNV-1a: tells one CREATE statement from another. */
static uint64_t hash_text(const char *text)
{
    uint64_t hash = 0xcbf29ce484222325u;
    for (; *text; text++)
        hash = (hash ^ (uint8_t)*text) * 0x100000001b3u;
    return hash;
}

/* ---- what is there ---- */

/* Finds the table; one that an unfinished run made is treated as absent. */
static enum haul_code find_table(struct sqlite_sink *sink, bool *exists, bool *ours, struct haul_error *err)
{
    struct ledger_run owner = {0};
    *exists = *ours = false;
    if (!sink->connection.db)
        return HAUL_OK;
    if (sqlite_table_read(&sink->connection, sink->target, &sink->table, exists, err) ||
        sqlite_ledger_owner(&sink->ledger, *exists ? sink->table.name : sink->target, &sink->arena, &owner,
                            ours, err))
        return err->code;
    if (*exists && *ours && owner.made && !strcasecmp(owner.work, sink->table.name)) {
        sqlite_table_release(&sink->table);
        *exists = false;
    }
    return HAUL_OK;
}

static enum haul_code check_kind(const struct sqlite_sink *sink, struct haul_error *err)
{
    if (!strcmp(sink->table.kind, "table"))
        return HAUL_OK;
    return error_set(err, HAUL_UNSUPPORTED, "%s: \"%s\" is a %s%s; haul writes to tables only", sink->path,
                     sink->table.name, sink->table.kind, strcmp(sink->table.kind, "view") ? " table" : "");
}

static enum haul_code tell_absent(struct sqlite_sink *sink, struct haul_error *err)
{
    if (sink->connection.db)
        sqlite_table_unknown(&sink->connection, sink->target, err);
    else
        error_set(err, HAUL_NOT_FOUND, "%s: there is no such database", sink->path);
    return error_prefix(err, "--mode %s wants a table that is there (--mode create makes it)",
                        sink->mode == SINK_APPEND ? "append" : "truncate");
}

/* Refuses what the mode forbids; *make says that a new table is to be made. With
 * HAUL_EXISTS too: the transfer wants to know the terms before it believes that. */
static enum haul_code check_mode(struct sqlite_sink *sink, bool exists, bool ours, bool *make,
                                 struct haul_error *err)
{
    int64_t rows = 0;
    *make = !exists;
    if (sink->mode == SINK_MERGE)
        return error_set(err, HAUL_UNSUPPORTED,
                         "--mode merge is not built for SQLite yet; use create, append, "
                         "truncate or replace");
    if (!exists && (sink->mode == SINK_APPEND || sink->mode == SINK_TRUNCATE))
        return tell_absent(sink, err);
    if (!exists)
        return HAUL_OK;
    if (check_kind(sink, err) ||
        sqlite_table_number(&sink->connection, "SELECT 1 FROM ", sink->table.name, &rows, err))
        return err->code;
    *make = sink->mode == SINK_REPLACE || (sink->mode == SINK_CREATE && rows && !ours);
    if (sink->mode == SINK_CREATE && rows && !ours)
        return error_set(err, HAUL_EXISTS,
                         "%s: table \"%s\" is there and has rows; choose --mode append, truncate or "
                         "replace",
                         sink->path, sink->table.name);
    sink->staged = sink->mode == SINK_REPLACE || sink->mode == SINK_TRUNCATE;
    return sink->staged ? sqlite_check_dependents(sink, err) : HAUL_OK;
}

/* ---- the terms ---- */

/* "INSERT INTO work ("a", "b") VALUES (?1, ?2)" as it will be prepared. */
static void show_insert(const struct sqlite_sink *sink, const char *work, struct sql *sql)
{
    sql_add(sql, "INSERT OR ABORT INTO %s (", work);
    for (int i = 0; i < sink->schema.count; i++) {
        sql_add(sql, i ? ", " : "");
        sql_name(sql, sink->columns[i].name);
    }
    sql_add(sql, ") VALUES (?1%s);\n", sink->schema.count > 1 ? ", ..." : "");
}

static void show_swap(const struct sqlite_sink *sink, const char *work, struct sql *sql)
{
    bool replace = sink->mode == SINK_REPLACE;
    sql_add(sql, replace ? "DROP TABLE " : "DELETE FROM ");
    sql_name(sql, sink->target);
    sql_add(sql, replace ? ";\nALTER TABLE %s RENAME TO " : ";\n-- all rows of %s go into ", work);
    sql_name(sql, sink->target);
    sql_add(sql, ";\n");
}

/* For --dry-run. */
static const char *show_sql(const struct sqlite_sink *sink, struct arena *arena, struct haul_error *err)
{
    struct sql sql = {.dialect = &sqlite_dialect}, work = sql;
    const char *plain = sink->staged ? arena_printf(arena, "%s__haul_RUN", sink->target) : sink->target;
    if (!plain) {
        error_nomem(err, "the plan's SQL");
        return NULL;
    }
    sql_name(&work, plain);
    const char *name = sql_text(&work, err), *text = NULL, *result = NULL;
    if (name) {
        if (sink->definition)
            sql_add(&sql, "CREATE TABLE %s %s;\n", name, sink->definition);
        show_insert(sink, name, &sql);
        if (sink->staged)
            show_swap(sink, name, &sql);
        text = sql_text(&sql, err);
    }
    if (text && !(result = arena_text(arena, text)))
        error_nomem(err, "the plan's SQL");
    sql_release(&sql);
    sql_release(&work);
    return result;
}

static void set_resumable(const struct sqlite_sink *sink, const struct source_info *source,
                          struct sink_terms *terms)
{
    terms->resumable = RESUME_REPLAY;
    if (!source->replayable) {
        terms->resumable = RESUME_NONE;
        terms->resume_note = "the source can be read only once";
    } else if (!sink->ledger.runs) {
        terms->resumable = RESUME_NONE;
        terms->resume_note = "--ledger none: what was committed is not remembered; rows arrive at least once";
    }
}

static enum haul_code fill_terms(struct sqlite_sink *sink, const struct source_info *source,
                                 struct sink_terms *terms, struct haul_error *err)
{
    if (schema_copy(&sink->schema, &terms->schema, err))
        return err->code;
    terms->sql = show_sql(sink, &terms->arena, err);
    if (!terms->sql)
        return err->code;
    terms->target = arena_text(&terms->arena, sink->target);
    terms->identity =
        sink->table.name ? arena_printf(&terms->arena, "table %lld %016llx", (long long)sink->table.root_page,
                                        (unsigned long long)hash_text(sink->table.sql))
                         : "";
    if (!terms->target || !terms->identity)
        return error_nomem(err, "the terms");
    set_resumable(sink, source, terms);
    terms->absent = !sink->table.name;
    terms->writers_max = 1;
    terms->part_rows = terms->part_bytes = -1;
    return HAUL_OK;
}

static enum haul_code set_target(struct sqlite_sink *sink, const struct sink_request *request,
                                 struct haul_error *err)
{
    const char *name = request->table ? request->table : request->source->table;
    if (!name || !*name)
        return error_set(err, HAUL_USAGE, "%s: say which table to write with --table NAME", sink->path);
    sink->target = sqlite_table_plain(name, &sink->arena);
    if (!sink->target)
        return error_nomem(err, "a table's name");
    if (!strncasecmp(sink->target, "sqlite_", 7))
        return error_set(err, HAUL_USAGE, "\"%s\": names that begin with sqlite_ are SQLite's own",
                         sink->target);
    return HAUL_OK;
}

/* The columns, the definition, the terms. */
static enum haul_code settle(struct sqlite_sink *sink, const struct source_info *source, bool make,
                             struct sink_terms *terms, struct haul_error *err)
{
    if (sink->table.name)
        sink->target = sink->table.name;
    if (make ? sqlite_define(sink, source, err) : sqlite_match(sink, &source->schema, err))
        return error_prefix(err, "%s", sink->path);
    if (sink->mode == SINK_TRUNCATE && !(sink->definition = sqlite_definition_of(&sink->table)))
        return error_set(err, HAUL_UNSUPPORTED,
                         "%s: the definition of \"%s\" is not understood; use --mode replace", sink->path,
                         sink->target);
    return fill_terms(sink, source, terms, err);
}

enum haul_code sqlite_sink_negotiate(struct sink *base, const struct sink_request *request,
                                     struct sink_terms *terms, struct haul_error *err)
{
    struct sqlite_sink *sink = (struct sqlite_sink *)base;
    bool exists, ours, make;
    sink->mode = request->mode;
    sink->staged = false;
    sink->definition = NULL;
    sqlite_table_release(&sink->table);
    schema_release(&sink->schema);
    if (set_target(sink, request, err) || sqlite_sink_connect(sink, CONNECT_WRITE, err) ||
        find_table(sink, &exists, &ours, err))
        return err->code;
    enum haul_code refused = check_mode(sink, exists, ours, &make, err);
    if (refused && refused != HAUL_EXISTS)
        return refused;
    return settle(sink, request->source, make, terms, err) ? err->code : refused;
}
