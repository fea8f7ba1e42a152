/*
 * negotiate.c: what would be done to the target, before anything is.
 *
 *   mode      table absent        table empty         table with rows
 *   create    make it             match its columns   refused
 *   append    refused             match               match
 *   truncate  refused             staging, move rows  staging, move rows
 *   replace   make it             staging, swap       staging, swap
 *
 * A table that an unfinished run made counts as absent: the run goes on with it
 * or removes it (prepare decides by the run's name). A staging table is called
 * TABLE__haul_HASH; its hash is shown as RUN here.
 *
 * An unlogged table is emptied by a crash of the server, while the ledger stays:
 * such a target is not resumable, and is said so.
 */
#include "database/postgres/sink.h"

#include "base/settings.h"
#include <string.h>

enum haul_code pg_run_on(struct postgres_sink *sink, const struct on_table *statement, struct haul_error *err)
{
    struct sql sql = {.dialect = &pg_dialect};
    sql_add(&sql, "%s ", statement->before);
    sql_table(&sql, sink->schema_name, statement->name);
    sql_add(&sql, " %s", statement->after);
    const char *text = sql_text(&sql, err);
    enum haul_code code = text ? pg_run(&sink->connection, text, err) : err->code;
    sql_release(&sql);
    return code;
}

static enum haul_code has_rows(struct postgres_sink *sink, bool *rows, struct haul_error *err)
{
    struct sql sql = {.dialect = &pg_dialect};
    PGresult *result = NULL;
    sql_add(&sql, "SELECT EXISTS (SELECT 1 FROM ");
    sql_table(&sql, sink->schema_name, sink->target);
    sql_add(&sql, ")");
    const char *text = sql_text(&sql, err);
    enum haul_code code = text ? pg_ask(&sink->connection, text, NULL, &result, err) : err->code;
    *rows = !code && pg_true(result, 0, 0);
    PQclear(result);
    sql_release(&sql);
    return code;
}

/* ---- what is there ---- */

/* Where a table without a schema would be made. */
static enum haul_code default_schema(struct postgres_sink *sink, struct haul_error *err)
{
    PGresult *result = NULL;
    if (pg_ask(&sink->connection, "SELECT pg_catalog.current_schema()", NULL, &result, err))
        return err->code;
    sink->schema_name = PQgetisnull(result, 0, 0) ? NULL : arena_text(&sink->arena, pg_text(result, 0, 0));
    bool none = PQgetisnull(result, 0, 0);
    PQclear(result);
    if (none)
        return error_set(err, HAUL_NOT_FOUND,
                         "%s: the session's search_path has no schema; write --table schema.name",
                         sink->server.name);
    return sink->schema_name ? HAUL_OK : error_nomem(err, "a table's name");
}

/* Names target, schema_name and title; reads the table when it is there. */
static enum haul_code find_target(struct postgres_sink *sink, const struct sink_request *request,
                                  bool *exists, struct haul_error *err)
{
    struct table_name name = {.name = request->source->table};
    struct sql quoted = {.dialect = &pg_dialect};
    *exists = false;
    if (!request->table && (!name.name || !*name.name))
        return error_set(err, HAUL_USAGE, "%s: say which table to write with --table NAME",
                         sink->server.name);
    if (request->table && table_name_parse(&pg_dialect, request->table, &sink->arena, &name, err))
        return err->code;
    const char *wanted = request->table;
    if (!wanted) {
        sql_name(&quoted, name.name);
        wanted = sql_text(&quoted, err);
    }
    enum haul_code code =
        wanted ? pg_table_read(&sink->connection, wanted, &sink->table, exists, err) : err->code;
    sql_release(&quoted);
    if (code)
        return code;
    sink->target = *exists ? sink->table.name : arena_text(&sink->arena, name.name);
    sink->schema_name = *exists ? sink->table.schema : arena_text(&sink->arena, name.schema);
    if (!*exists && !name.schema && default_schema(sink, err))
        return err->code;
    sink->title = arena_printf(&sink->arena, "%s.%s", sink->schema_name, sink->target);
    return sink->target && sink->schema_name && sink->title ? HAUL_OK : error_nomem(err, "a table's name");
}

/* A table that an unfinished run made is treated as absent. */
static enum haul_code find_owner(struct postgres_sink *sink, bool *exists, bool *ours, struct haul_error *err)
{
    struct ledger_run owner = {0};
    const struct ledger_search search = {.target = sink->title, .arena = &sink->arena};
    if (pg_ledger_find(&sink->ledger, &sink->connection, &search, &owner, ours, err))
        return err->code;
    if (!*exists || !*ours || !owner.made || strcmp(owner.work, sink->table.name) != 0)
        return HAUL_OK;
    sink->target = arena_text(&sink->arena, sink->target);
    sink->schema_name = arena_text(&sink->arena, sink->schema_name);
    pg_table_release(&sink->table);
    *exists = false;
    return sink->target && sink->schema_name ? HAUL_OK : error_nomem(err, "a table's name");
}

static enum haul_code check_absent(struct postgres_sink *sink, struct haul_error *err)
{
    if (sink->mode != SINK_APPEND && sink->mode != SINK_TRUNCATE)
        return HAUL_OK;
    pg_table_unknown(&sink->connection, sink->title, err);
    strncat(err->message, "; --mode create makes it", sizeof err->message - strlen(err->message) - 1);
    return err->code;
}

/* Refuses what the mode forbids; *make says that a new table is to be made.
 * *held is HAUL_EXISTS when rows are there that create must not touch. */
static enum haul_code check_mode(struct postgres_sink *sink, bool exists, bool ours, bool *make,
                                 struct haul_error *err)
{
    bool rows = false;
    *make = !exists;
    if (sink->mode == SINK_MERGE)
        return error_set(
            err, HAUL_UNSUPPORTED,
            "--mode merge is not built for PostgreSQL yet; use create, append, truncate or replace");
    if (!exists)
        return check_absent(sink, err);
    if (sink->table.kind != TABLE_PLAIN && sink->table.kind != TABLE_PARTITIONED)
        return error_set(err, HAUL_UNSUPPORTED, "%s: %s is a %s; haul writes to tables only",
                         sink->server.name, sink->title, pg_kind_name(sink->table.kind));
    if (sink->mode == SINK_CREATE && has_rows(sink, &rows, err))
        return err->code;
    if (sink->mode == SINK_CREATE && rows && !ours)
        return error_set(err, HAUL_EXISTS,
                         "%s: table %s is there and has rows; choose --mode append, truncate or replace",
                         sink->server.name, sink->title);
    *make = sink->mode == SINK_REPLACE;
    sink->staged = sink->mode == SINK_REPLACE || sink->mode == SINK_TRUNCATE;
    return *make ? pg_check_dependents(sink, err) : HAUL_OK;
}

/* ---- the terms ---- */

static void show_table(const struct postgres_sink *sink, bool work, struct sql *sql)
{
    sql_table(sql, sink->schema_name, sink->target);
    if (work && sink->staged && !sql->failed) {
        sql->text.length--;
        sql_add(sql, "__haul_RUN\"");
    }
}

static void show_finish(const struct postgres_sink *sink, struct sql *sql)
{
    bool replace = sink->mode == SINK_REPLACE;
    sql_add(sql, replace ? "DROP TABLE " : "TRUNCATE ");
    show_table(sink, false, sql);
    sql_add(sql, replace ? ";\nALTER TABLE " : ";\nINSERT INTO ");
    show_table(sink, replace, sql);
    sql_add(sql, replace ? " RENAME TO " : " SELECT ... FROM ");
    if (replace)
        sql_name(sql, sink->target);
    else
        show_table(sink, true, sql);
    sql_add(sql, ";\n");
}

static const char *show_sql(struct postgres_sink *sink, struct arena *arena, struct haul_error *err)
{
    struct sql sql = {.dialect = &pg_dialect};
    if (sink->definition) {
        sql_add(&sql, "CREATE TABLE ");
        show_table(sink, true, &sql);
        sql_add(&sql, " %s;\n", sink->definition);
    } else if (sink->staged) {
        sql_add(&sql, "CREATE TABLE ");
        show_table(sink, true, &sql);
        sql_add(&sql, " (LIKE ");
        show_table(sink, false, &sql);
        sql_add(&sql, ");\n");
    }
    sql_add(&sql, "COPY ");
    show_table(sink, true, &sql);
    for (int i = 0; i < sink->schema.count; i++) {
        sql_add(&sql, i ? ", " : " (");
        sql_name(&sql, sink->columns[i].name);
    }
    sql_add(&sql, ") FROM STDIN (FORMAT %s);\n", sink->text_format ? "text" : "binary");
    if (sink->staged)
        show_finish(sink, &sql);
    const char *text = sql_text(&sql, err), *kept = text ? arena_text(arena, text) : NULL;
    if (text && !kept)
        error_nomem(err, "the plan's SQL");
    sql_release(&sql);
    return kept;
}

static void set_resumable(const struct postgres_sink *sink, const struct source_info *source,
                          struct sink_terms *terms)
{
    terms->resumable = RESUME_REPLAY;
    if (!source->replayable)
        terms->resume_note = "the source can be read only once";
    else if (!sink->ledger.runs)
        terms->resume_note = sink->ledger.why;
    else if (sink->table.unlogged && !sink->staged)
        terms->resume_note = "the target is unlogged: a crash of the server empties it";
    if (terms->resume_note)
        terms->resumable = RESUME_NONE;
}

static enum haul_code fill_terms(struct postgres_sink *sink, const struct source_info *source,
                                 struct sink_terms *terms, struct haul_error *err)
{
    if (schema_copy(&sink->schema, &terms->schema, err))
        return err->code;
    terms->sql = show_sql(sink, &terms->arena, err);
    if (!terms->sql)
        return err->code;
    terms->target = arena_text(&terms->arena, sink->title);
    terms->identity = sink->table.name ? arena_printf(&terms->arena, "table %s", sink->table.oid) : "";
    if (!terms->target || !terms->identity)
        return error_nomem(err, "the terms");
    set_resumable(sink, source, terms);
    terms->part_is_unit = false; /* a part without an order is one all the same (docs/unit.md) */
    terms->part_rows = terms->part_bytes = -1;
    return HAUL_OK;
}

enum haul_code pg_sink_negotiate(struct sink *base, const struct sink_request *request,
                                 struct sink_terms *terms, struct haul_error *err)
{
    struct postgres_sink *sink = (struct postgres_sink *)base;
    const struct settings *settings = sink->context.settings;
    bool exists, ours = false, make;
    sink->mode = request->mode;
    sink->staged = sink->text_format = false;
    sink->definition = NULL;
    pg_table_release(&sink->table);
    schema_release(&sink->schema);
    if (pg_sink_control(sink, err) || find_target(sink, request, &exists, err) ||
        pg_ledger_init(&sink->ledger, &sink->connection, settings ? settings_text(settings, "ledger") : NULL,
                       sink->schema_name, err) ||
        find_owner(sink, &exists, &ours, err))
        return err->code;
    struct haul_error held = {0};
    if (check_mode(sink, exists, ours, &make, &held) && held.code != HAUL_EXISTS) {
        *err = held;
        return err->code;
    }
    if (make ? pg_define(sink, request->source, err) : pg_match(sink, &request->source->schema, err))
        return error_prefix(err, "%s", sink->server.name);
    if (fill_terms(sink, request->source, terms, err))
        return err->code;
    if (held.code)
        *err = held;
    return held.code;
}
