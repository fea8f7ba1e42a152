/*
 * negotiate.c: what would be done to the target, before anything is
 * (table_sink.h has the table of modes).
 *
 * A table that an unfinished run made counts as absent: the run goes on with it
 * or removes it; prepare decides by the run's name. When `create` finds rows it
 * must not touch, the terms are those of a new table: the transfer wants to know
 * them before it believes that, for what is there may be its own finished run.
 */
#include "base/settings.h"
#include "database/definition.h"
#include "database/table_sink.h"
#include <string.h>

/* ---- what is there ---- */

static enum haul_code open_ledger(struct table_sink *sink, struct haul_error *err)
{
    const struct settings *settings = sink->context.settings;
    const char *option = settings ? settings_text(settings, "ledger") : NULL;
    if (ledger_init(&sink->ledger, sink->engine, option, sink->schema_name, err))
        return err->code;
    return sink->ledger.runs && sink->ops->allow_ledger ? sink->ops->allow_ledger(sink, err) : HAUL_OK;
}

static enum haul_code find_owner(struct table_sink *sink, bool *ours, struct haul_error *err)
{
    struct ledger_run owner = {0};
    const struct ledger_search search = {.target = sink->ledger_name, .arena = &sink->arena};
    *ours = false;
    if (!sink->connection)
        return HAUL_OK;
    if (ledger_find(&sink->ledger, sink->connection, &search, &owner, ours, err))
        return err->code;
    if (*ours && owner.made && strcmp(owner.work, sink->target) == 0)
        sink->exists = false;
    return HAUL_OK;
}

static enum haul_code has_rows(struct table_sink *sink, bool *rows, struct haul_error *err)
{
    struct sql sql = {.dialect = sink->engine->dialect};
    int64_t there = 0;
    sql_add(&sql, "SELECT CASE WHEN EXISTS (SELECT 1 FROM ");
    sql_table(&sql, sink->schema_name, sink->target);
    sql_add(&sql, ") THEN 1 ELSE 0 END");
    enum haul_code code = engine_ask_number(sink->engine, sink->connection, &sql, &there, err);
    *rows = there != 0;
    return code;
}

/* ---- the mode ---- */

static enum haul_code check_absent(struct table_sink *sink, struct haul_error *err)
{
    if (sink->mode == SINK_CREATE || sink->mode == SINK_REPLACE)
        return HAUL_OK;
    sink->ops->unknown(sink, err);
    strncat(err->message, "; --mode create makes it", sizeof err->message - strlen(err->message) - 1);
    return err->code;
}

/* Refuses what the mode forbids; *make: a new table is to be made. */
static enum haul_code check_mode(struct table_sink *sink, bool ours, bool *make, struct haul_error *err)
{
    bool rows = false;
    *make = !sink->exists;
    if (sink->mode == SINK_MERGE && !sink->ops->list_unique)
        return error_set(err, HAUL_UNSUPPORTED,
                         "--mode merge is not built for %s yet; use create, append, truncate or replace",
                         sink->engine->dialect->engine);
    if (!sink->exists)
        return check_absent(sink, err);
    sink->staged = sink->mode != SINK_CREATE && sink->mode != SINK_APPEND;
    if (sink->ops->check(sink, err) || (sink->mode == SINK_CREATE && has_rows(sink, &rows, err)))
        return err->code;
    *make = sink->mode == SINK_REPLACE || (rows && !ours);
    if (rows && !ours)
        return error_set(
            err, HAUL_EXISTS,
            "%s: table %s is there and has rows; choose --mode append, merge, truncate or replace",
            sink->place, sink->title);
    return HAUL_OK;
}

/* ---- columns ---- */

static enum haul_code match_columns(struct table_sink *sink, const struct schema *source,
                                    struct haul_error *err)
{
    int *places;
    if (columns_pair(sink->columns, source, sink->title, &sink->arena, &places, err) ||
        schema_init(&sink->schema, source->count, err))
        return err->code;
    for (int i = 0; i < source->count; i++)
        if (sink->ops->match(sink, i, &source->fields[i], places[i], err))
            return err->code;
    return HAUL_OK;
}

static enum haul_code settle_columns(struct table_sink *sink, const struct source_info *source, bool make,
                                     struct haul_error *err)
{
    const struct definer definer = {sink->engine->dialect, sink->ops->define, sink, &sink->schema,
                                    &sink->arena};
    if (sink->ops->begin_columns(sink, source->schema.count, err))
        return err->code;
    if (make)
        sink->definition = table_define(&definer, source, err);
    if (make ? !sink->definition : match_columns(sink, &source->schema, err))
        return error_prefix(err, "%s", sink->place);
    return HAUL_OK;
}

void table_sink_add_columns(const struct table_sink *sink, struct sql *sql)
{
    for (int i = 0; i < sink->schema.count; i++) {
        sql_add(sql, i ? ", " : "");
        sql_name(sql, sink->schema.fields[i].name);
    }
}

/* ---- the terms ---- */

/* The run's name is not known yet: it is shown as RUN. */
void table_sink_show_name(const struct table_sink *sink, bool work, struct sql *sql)
{
    char close[2] = {sink->engine->dialect->close, 0};
    sql_table(sql, sink->schema_name, sink->target);
    if (work && sink->staged && !sql->failed) {
        sql->text.length--;
        sql_add(sql, "__haul_RUN%s", close);
    }
}

/* `like`: how a staging table is made from the target, around its name. */
void table_sink_show_make(const struct table_sink *sink, const char *like, struct sql *sql)
{
    if (!sink->definition && !sink->staged)
        return;
    sql_add(sql, "CREATE TABLE ");
    table_sink_show_name(sink, true, sql);
    if (sink->definition) {
        sql_add(sql, " %s;\n", sink->definition);
        return;
    }
    sql_add(sql, "%s", like);
    table_sink_show_name(sink, false, sql);
    sql_add(sql, strchr(like, '(') ? ");\n" : ";\n");
}

static void show_merge(const struct table_sink *sink, struct sql *sql)
{
    sql_add(sql, "UPDATE ");
    table_sink_show_name(sink, false, sql);
    sql_add(sql, " SET ... FROM ");
    table_sink_show_name(sink, true, sql);
    sql_add(sql, " WHERE the same (");
    for (int i = 0; i < sink->key_count; i++) {
        sql_add(sql, i ? ", " : "");
        sql_name(sql, sink->key[i]);
    }
    sql_add(sql, ");\nINSERT INTO ");
    table_sink_show_name(sink, false, sql);
    sql_add(sql, " SELECT the others FROM ");
    table_sink_show_name(sink, true, sql);
    sql_add(sql, ";\n");
}

void table_sink_show_finish(const struct table_sink *sink, const char *empty, struct sql *sql)
{
    bool replace = sink->mode == SINK_REPLACE;
    if (sink->staged && sink->mode == SINK_MERGE)
        show_merge(sink, sql);
    if (!sink->staged || sink->mode == SINK_MERGE)
        return;
    sql_add(sql, "%s", replace ? "DROP TABLE " : empty);
    table_sink_show_name(sink, false, sql);
    sql_add(sql, replace ? ";\nALTER TABLE " : ";\nINSERT INTO ");
    table_sink_show_name(sink, replace, sql);
    sql_add(sql, replace ? " RENAME TO " : " SELECT ... FROM ");
    if (replace)
        sql_name(sql, sink->target);
    else
        table_sink_show_name(sink, true, sql);
    sql_add(sql, ";\n");
}

static void set_resumable(const struct table_sink *sink, const struct source_info *source,
                          struct sink_terms *terms)
{
    terms->resumable = RESUME_REPLAY;
    if (!source->replayable)
        terms->resume_note = "the source can be read only once";
    else if (!sink->ledger.runs)
        terms->resume_note = sink->ledger.why;
    else if (sink->exists && sink->doubt && !sink->staged)
        terms->resume_note = sink->doubt;
    if (terms->resume_note)
        terms->resumable = RESUME_NONE;
}

static enum haul_code fill_terms(struct table_sink *sink, const struct source_info *source,
                                 struct sink_terms *terms, struct haul_error *err)
{
    struct sql sql = {.dialect = sink->engine->dialect};
    if (schema_copy(&sink->schema, &terms->schema, err))
        return err->code;
    sink->ops->show(sink, &sql);
    terms->sql = sql_keep(&sql, &terms->arena, err);
    if (!terms->sql)
        return err->code;
    terms->target = arena_text(&terms->arena, sink->ledger_name);
    terms->identity = arena_text(&terms->arena, sink->exists ? sink->identity : "");
    if (!terms->target || !terms->identity)
        return error_nomem(err, "the terms");
    set_resumable(sink, source, terms);
    terms->absent = !sink->exists;
    terms->writers_max = sink->writers_max;
    terms->remote = sink->ops->connect != NULL;
    terms->unit_rows = sink->unit_rows;
    terms->part_rows = terms->part_bytes =
        -1; /* a part without an order is a unit all the same (docs/unit.md) */
    return HAUL_OK;
}

enum haul_code table_sink_negotiate(struct sink *base, const struct sink_request *request,
                                    struct sink_terms *terms, struct haul_error *err)
{
    struct table_sink *sink = (struct table_sink *)base;
    struct haul_error held = {0};
    bool ours, make;
    sink->mode = request->mode;
    sink->exists = sink->staged = false;
    sink->definition = sink->doubt = NULL;
    sink->key_count = 0;
    schema_release(&sink->schema);
    if (sink->ops->control(sink, false, err) || sink->ops->find(sink, request, err) ||
        open_ledger(sink, err) || find_owner(sink, &ours, err))
        return err->code;
    if (check_mode(sink, ours, &make, &held) && held.code != HAUL_EXISTS) {
        *err = held;
        return err->code;
    }
    if (settle_columns(sink, request->source, make, err) ||
        (sink->mode == SINK_MERGE && table_sink_choose_key(sink, request, err)) ||
        fill_terms(sink, request->source, terms, err))
        return err->code;
    if (held.code)
        *err = held;
    return held.code;
}

enum haul_code table_sink_makes(struct sink *base, const struct sink_request *request, struct arena *arena,
                                const char *const **names, int *count, struct haul_error *err)
{
    struct table_sink *sink = (struct table_sink *)base;
    const struct source_info unknown = {.table = ""};
    struct sink_request asked = *request;
    asked.source = &unknown;
    *count = 0;
    if (request->mode == SINK_REPLACE)
        return HAUL_OK;
    sink->mode = request->mode;
    sink->exists = sink->staged = false;
    if (sink->ops->control(sink, false, err) || sink->ops->find(sink, &asked, err))
        return err->code;
    int most = sink->exists && sink->columns ? sink->columns->count : 0;
    const char **made = arena_alloc_array(arena, (size_t)most + 1, sizeof *made);
    for (int i = 0; made && i < most; i++) {
        const struct column *column = &sink->columns->list[i];
        if (column->generated && !(made[*count] = arena_text(arena, column->name)))
            return error_nomem(err, "columns");
        *count += column->generated;
    }
    *names = made;
    return made ? HAUL_OK : error_nomem(err, "columns");
}
