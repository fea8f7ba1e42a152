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
 * TABLE__haul_HASH; its hash is shown as RUN here. Only InnoDB is written to:
 * other engines have no transactions, and with them no units.
 */
#include "database/mysql/sink.h"

#include "base/settings.h"

static enum haul_code has_rows(struct mysql_sink *sink, bool *rows, struct haul_error *err)
{
    struct sql sql = {.dialect = &my_dialect};
    int64_t there = 0;
    sql_add(&sql, "SELECT EXISTS (SELECT 1 FROM ");
    sql_table(&sql, sink->schema_name, sink->target);
    sql_add(&sql, ")");
    const char *text = sql_text(&sql, err);
    enum haul_code code = text ? my_ask_number(&sink->connection, text, &there, err) : err->code;
    *rows = there != 0;
    sql_release(&sql);
    return code;
}

/* ---- what is there ---- */

/* Names target, schema_name and title; reads the table when it is there. */
static enum haul_code find_target(struct mysql_sink *sink, const struct sink_request *request, bool *exists,
                                  struct haul_error *err)
{
    struct table_name name = {.name = request->source->table};
    *exists = false;
    if (!request->table && (!name.name || !*name.name))
        return error_set(err, HAUL_USAGE, "%s: say which table to write with --table NAME",
                         sink->server.name);
    if (request->table && table_name_parse(&my_dialect, request->table, &sink->arena, &name, err))
        return err->code;
    name.schema = name.schema ? name.schema : sink->server.database;
    if (!name.schema)
        return error_set(err, HAUL_USAGE,
                         "%s: which database? mysql://user@host/database, or --table db.table",
                         sink->server.name);
    if (my_table_find(&sink->connection, &name, &sink->table, exists, err))
        return err->code;
    sink->target = arena_text(&sink->arena, *exists ? sink->table.name : name.name);
    sink->schema_name = arena_text(&sink->arena, *exists ? sink->table.schema : name.schema);
    sink->title = arena_printf(&sink->arena, "%s.%s", sink->schema_name, sink->target);
    return sink->target && sink->schema_name && sink->title ? HAUL_OK : error_nomem(err, "a table's name");
}

/* A table that an unfinished run made is treated as absent. */
static enum haul_code find_owner(struct mysql_sink *sink, bool *exists, bool *ours, struct haul_error *err)
{
    struct ledger_run owner = {0};
    const struct ledger_search search = {.target = sink->title, .arena = &sink->arena};
    if (my_ledger_find(&sink->ledger, &sink->connection, &search, &owner, ours, err))
        return err->code;
    if (!*exists || !*ours || !owner.made || strcmp(owner.work, sink->table.name) != 0)
        return HAUL_OK;
    my_table_release(&sink->table);
    *exists = false;
    return HAUL_OK;
}

static enum haul_code check_absent(struct mysql_sink *sink, struct haul_error *err)
{
    if (sink->mode != SINK_APPEND && sink->mode != SINK_TRUNCATE)
        return HAUL_OK;
    my_table_unknown(&sink->connection, sink->title, err);
    strncat(err->message, "; --mode create makes it", sizeof err->message - strlen(err->message) - 1);
    return err->code;
}

/* Refuses what the mode forbids; *make says that a new table is to be made.
 * *held is HAUL_EXISTS when rows are there that create must not touch. */
static enum haul_code check_mode(struct mysql_sink *sink, bool exists, bool ours, bool *make,
                                 struct haul_error *err)
{
    bool rows = false;
    *make = !exists;
    if (sink->mode == SINK_MERGE)
        return error_set(err, HAUL_UNSUPPORTED,
                         "--mode merge is not built for MySQL yet; use create, append, truncate or replace");
    if (!exists)
        return check_absent(sink, err);
    if (sink->table.is_view)
        return error_set(err, HAUL_UNSUPPORTED, "%s: %s is a view; haul writes to tables only",
                         sink->server.name, sink->title);
    if (sink->mode != SINK_REPLACE && strcmp(sink->table.engine, "InnoDB") != 0)
        return error_set(err, HAUL_UNSUPPORTED,
                         "%s: %s is kept by %s, which has no transactions; ALTER TABLE ... ENGINE=InnoDB, or "
                         "--mode replace",
                         sink->server.name, sink->title, sink->table.engine);
    if (sink->mode == SINK_CREATE && has_rows(sink, &rows, err))
        return err->code;
    if (sink->mode == SINK_CREATE && rows && !ours)
        return error_set(err, HAUL_EXISTS,
                         "%s: table %s is there and has rows; choose --mode append, truncate or replace",
                         sink->server.name, sink->title);
    *make = sink->mode == SINK_REPLACE;
    sink->staged = sink->mode == SINK_REPLACE || sink->mode == SINK_TRUNCATE;
    return *make ? my_check_dependents(sink, err) : HAUL_OK;
}

/* ---- the terms ---- */

static void show_table(const struct mysql_sink *sink, bool work, struct sql *sql)
{
    sql_table(sql, sink->schema_name, sink->target);
    if (work && sink->staged && !sql->failed) {
        sql->text.length--;
        sql_add(sql, "__haul_RUN`");
    }
}

static void show_finish(const struct mysql_sink *sink, struct sql *sql)
{
    bool replace = sink->mode == SINK_REPLACE;
    sql_add(sql, replace ? "RENAME TABLE " : "DELETE FROM ");
    show_table(sink, false, sql);
    sql_add(sql, replace ? " TO ..., " : ";\nINSERT INTO ");
    show_table(sink, replace, sql);
    sql_add(sql, replace ? " TO " : " SELECT ... FROM ");
    show_table(sink, !replace, sql);
    sql_add(sql, ";\n");
}

static const char *show_sql(struct mysql_sink *sink, struct arena *arena, struct haul_error *err)
{
    struct sql sql = {.dialect = &my_dialect};
    if (sink->definition) {
        sql_add(&sql, "CREATE TABLE ");
        show_table(sink, true, &sql);
        sql_add(&sql, " %s;\n", sink->definition);
    } else if (sink->staged) {
        sql_add(&sql, "CREATE TABLE ");
        show_table(sink, true, &sql);
        sql_add(&sql, " LIKE ");
        show_table(sink, false, &sql);
        sql_add(&sql, ";\n");
    }
    sql_add(&sql, "LOAD DATA LOCAL INFILE 'haul' INTO TABLE ");
    show_table(sink, true, &sql);
    for (int i = 0; i < sink->schema.count; i++) {
        sql_add(&sql, i ? ", " : " (");
        sql_name(&sql, sink->columns[i].name);
    }
    sql_add(&sql, ");\n");
    if (sink->staged)
        show_finish(sink, &sql);
    const char *text = sql_text(&sql, err), *kept = text ? arena_text(arena, text) : NULL;
    if (text && !kept)
        error_nomem(err, "the plan's SQL");
    sql_release(&sql);
    return kept;
}

static void set_resumable(const struct mysql_sink *sink, const struct source_info *source,
                          struct sink_terms *terms)
{
    terms->resumable = RESUME_REPLAY;
    if (!source->replayable)
        terms->resume_note = "the source can be read only once";
    else if (!sink->ledger.runs)
        terms->resume_note = sink->ledger.why;
    if (terms->resume_note)
        terms->resumable = RESUME_NONE;
}

static enum haul_code fill_terms(struct mysql_sink *sink, const struct source_info *source,
                                 struct sink_terms *terms, struct haul_error *err)
{
    if (schema_copy(&sink->schema, &terms->schema, err))
        return err->code;
    terms->sql = show_sql(sink, &terms->arena, err);
    if (!terms->sql)
        return err->code;
    terms->target = arena_text(&terms->arena, sink->title);
    terms->identity =
        sink->table.name ? arena_printf(&terms->arena, "table created %s", sink->table.created) : "";
    if (!terms->target || !terms->identity)
        return error_nomem(err, "the terms");
    set_resumable(sink, source, terms);
    terms->part_is_unit = false; /* a part without an order is one all the same (docs/unit.md) */
    terms->part_rows = terms->part_bytes = -1;
    return HAUL_OK;
}

enum haul_code my_sink_negotiate(struct sink *base, const struct sink_request *request,
                                 struct sink_terms *terms, struct haul_error *err)
{
    struct mysql_sink *sink = (struct mysql_sink *)base;
    const struct settings *settings = sink->context.settings;
    bool exists, ours = false, make;
    sink->mode = request->mode;
    sink->staged = false;
    sink->definition = NULL;
    my_table_release(&sink->table);
    schema_release(&sink->schema);
    if (my_sink_control(sink, err) || find_target(sink, request, &exists, err) ||
        my_ledger_init(&sink->ledger, settings ? settings_text(settings, "ledger") : NULL, sink->schema_name,
                       err) ||
        find_owner(sink, &exists, &ours, err))
        return err->code;
    struct haul_error held = {0};
    if (check_mode(sink, exists, ours, &make, &held) && held.code != HAUL_EXISTS) {
        *err = held;
        return err->code;
    }
    if (make ? my_define(sink, request->source, err) : my_match(sink, &request->source->schema, err))
        return error_prefix(err, "%s", sink->server.name);
    if (fill_terms(sink, request->source, terms, err))
        return err->code;
    if (held.code)
        *err = held;
    return held.code;
}
