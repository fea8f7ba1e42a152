/*
 * sink.c: MySQL and MariaDB as a sink of batches: the target found, the run's
 * table made, sessions opened (database/table_sink.h has what all databases share).
 *
 * DDL commits whatever is open, so the run's row goes into the ledger first and
 * its table is made after; the table bears the run's mark as its comment. A table
 * of somebody else is known by the second it was made. Only InnoDB is written to:
 * other engines have no transactions, and with them no units.
 *
 * The run's lock is GET_LOCK on a hash of database and name, held by the sink's
 * own connection; it dies with that.
 */
#include "database/mysql/mysql_wing.h"

#include "base/clock.h"
#include "database/mysql/sink.h"
#include <stdio.h>
#include <stdlib.h>

#define SECOND_WAIT_MS 50
#define SECOND_TRIES   40

/* ---- the control connection ---- */

/* FNV-1a */
static uint64_t lock_key(const char *schema, const char *run)
{
    uint64_t hash = 0xcbf29ce484222325u;
    for (; *schema; schema++)
        hash = (hash ^ (uint8_t)*schema) * 0x100000001b3u;
    hash = (hash ^ 0xff) * 0x100000001b3u;
    for (; *run; run++)
        hash = (hash ^ (uint8_t)*run) * 0x100000001b3u;
    return hash;
}

static enum haul_code take_lock(struct table_sink *base, const char *run, struct haul_error *err)
{
    char text[96];
    int64_t taken = 0;
    snprintf(text, sizeof text, "SELECT GET_LOCK('haul_%016llx', 0)",
             (unsigned long long)lock_key(base->schema_name ? base->schema_name : "", run));
    if (my_ask_number(base->connection, text, &taken, err))
        return err->code;
    base->locked = taken == 1;
    if (base->locked)
        return HAUL_OK;
    return error_set(err, HAUL_BUSY, "%s: run %s is being done by another process", base->place, run);
}

static enum haul_code control(struct table_sink *base, bool create, struct haul_error *err)
{
    struct mysql_sink *sink = (struct mysql_sink *)base;
    (void)create;
    base->connection = &sink->control;
    if (my_is_alive(&sink->control))
        return HAUL_OK;
    my_disconnect(&sink->control);
    if (my_connect_first(&sink->control, &sink->server, SESSION_TARGET, &base->context, err) ||
        my_run(&sink->control, "SET SESSION wait_timeout = 86400", err))
        return err->code;
    return base->locked ? take_lock(base, base->run, err) : HAUL_OK;
}

/* ---- what is there ---- */

/* A table is known by the second it was made. That second must be over before it is looked at, or
 * another of the same name could bear it too. One that comes from the future is not waited for. */
static enum haul_code await_its_second(struct mysql_sink *sink, struct haul_error *err)
{
    int64_t over = 0;
    for (int i = 0; i < SECOND_TRIES && !over; i++) {
        struct sql sql = {.dialect = &my_dialect};
        sql_add(&sql, "SELECT UTC_TIMESTAMP() > ");
        sql_literal(&sql, sink->table.created);
        if (context_check(&sink->base.context, err) ||
            engine_ask_number(&my_engine, &sink->control, &sql, &over, err))
            return err->code;
        if (!over)
            clock_sleep_ms(SECOND_WAIT_MS, sink->base.context.cancel);
    }
    return HAUL_OK;
}

static enum haul_code find(struct table_sink *base, const struct sink_request *request,
                           struct haul_error *err)
{
    struct mysql_sink *sink = (struct mysql_sink *)base;
    struct table_name name = {.name = request->source->table};
    my_table_release(&sink->table);
    if (!request->table && (!name.name || !*name.name))
        return error_set(err, HAUL_USAGE, "%s: say which table to write with --table NAME", base->place);
    if (request->table && table_name_parse(&my_dialect, request->table, &base->arena, &name, err))
        return err->code;
    name.schema = name.schema ? name.schema : sink->server.database;
    if (!name.schema)
        return error_set(err, HAUL_USAGE,
                         "%s: which database? mysql://user@host/database, or --table db.table", base->place);
    if (my_table_find(&sink->control, &name, &sink->table, &base->exists, err) ||
        (base->exists && !request->dry && await_its_second(sink, err)))
        return err->code;
    base->target = arena_text(&base->arena, base->exists ? sink->table.name : name.name);
    base->schema_name = arena_text(&base->arena, base->exists ? sink->table.schema : name.schema);
    base->title = arena_printf(&base->arena, "%s.%s", base->schema_name, base->target);
    base->identity = arena_printf(&base->arena, "table created %s", base->exists ? sink->table.created : "");
    base->ledger_name = base->title;
    base->columns = &sink->table.columns;
    bool complete = base->target && base->schema_name && base->title && base->identity;
    return complete ? HAUL_OK : error_nomem(err, "a table's name");
}

static enum haul_code unknown(struct table_sink *base, struct haul_error *err)
{
    return my_table_unknown(base->connection, base->title, err);
}

static enum haul_code check(struct table_sink *base, struct haul_error *err)
{
    const struct mysql_sink *sink = (const struct mysql_sink *)base;
    if (sink->table.is_view)
        return error_set(err, HAUL_UNSUPPORTED, "%s: %s is a view; haul writes to tables only", base->place,
                         base->title);
    if (base->mode != SINK_REPLACE && strcmp(sink->table.engine, "InnoDB") != 0)
        return error_set(err, HAUL_UNSUPPORTED,
                         "%s: %s is kept by %s, which has no transactions; ALTER TABLE ... ENGINE=InnoDB, or "
                         "--mode replace",
                         base->place, base->title, sink->table.engine);
    return base->mode == SINK_REPLACE ? my_check_dependents(base, err) : HAUL_OK;
}

static void list_unique(const struct table_sink *base, struct sql *sql)
{
    sql_add(sql, "SELECT INDEX_NAME, COLUMN_NAME FROM information_schema.STATISTICS WHERE NON_UNIQUE = 0"
                 " AND TABLE_SCHEMA = ");
    sql_literal(sql, base->schema_name);
    sql_add(sql, " AND TABLE_NAME = ");
    sql_literal(sql, base->target);
    sql_add(sql, " ORDER BY INDEX_NAME");
}

static void show_swap(const struct table_sink *base, struct sql *sql)
{
    sql_add(sql, "RENAME TABLE ");
    table_sink_show_name(base, false, sql);
    sql_add(sql, " TO ..., ");
    table_sink_show_name(base, true, sql);
    sql_add(sql, " TO ");
    table_sink_show_name(base, false, sql);
    sql_add(sql, ";\n");
}

static void show(const struct table_sink *base, struct sql *sql)
{
    table_sink_show_make(base, " LIKE ", sql);
    sql_add(sql, "LOAD DATA LOCAL INFILE 'haul' INTO TABLE ");
    table_sink_show_name(base, true, sql);
    sql_add(sql, " (");
    table_sink_add_columns(base, sql);
    sql_add(sql, ");\n");
    if (base->staged && base->mode == SINK_REPLACE)
        show_swap(base, sql);
    else
        table_sink_show_finish(base, "DELETE FROM ", sql);
}

/* ---- prepare ---- */

static enum haul_code ready(struct table_sink *base, struct haul_error *err)
{
    struct mysql_sink *sink = (struct mysql_sink *)base;
    sink->load_sql = my_load_statement(sink, err);
    return sink->load_sql ? HAUL_OK : err->code;
}

static void add_mark(const struct table_sink *base, struct sql *sql)
{
    char mark[RUN_MARK_BYTES];
    table_sink_mark(base, mark);
    sql_add(sql, " COMMENT=");
    sql_literal(sql, mark);
}

/* For a merge: the columns that are written and no index. Those of the key come
 * from the far side of an outer join, which makes them nullable and nothing else. */
static enum haul_code make_for_merge(struct table_sink *base, struct haul_error *err)
{
    struct sql sql = {.dialect = &my_dialect};
    sql_add(&sql, "CREATE TABLE ");
    sql_table(&sql, base->schema_name, base->work);
    sql_add(&sql, " ENGINE=InnoDB");
    add_mark(base, &sql);
    for (int i = 0; i < base->schema.count; i++) {
        const char *name = base->schema.fields[i].name;
        sql_add(&sql, "%s%s.", i ? ", " : " SELECT ",
                table_sink_is_key(base, name) ? "haul_key" : "haul_rest");
        sql_name(&sql, name);
    }
    sql_add(&sql, " FROM (SELECT 1 AS one) AS haul_one LEFT JOIN ");
    sql_table(&sql, base->schema_name, base->target);
    sql_add(&sql, " AS haul_key ON FALSE JOIN ");
    sql_table(&sql, base->schema_name, base->target);
    sql_add(&sql, " AS haul_rest LIMIT 0");
    return engine_run(&my_engine, base->connection, &sql, NULL, err);
}

static enum haul_code make(struct table_sink *base, struct haul_error *err)
{
    struct sql sql = {.dialect = &my_dialect};
    if (base->mode == SINK_MERGE)
        return make_for_merge(base, err);
    sql_add(&sql, "CREATE TABLE ");
    sql_table(&sql, base->schema_name, base->work);
    if (base->definition) {
        sql_add(&sql, " %s", base->definition);
        add_mark(base, &sql);
        return engine_run(&my_engine, base->connection, &sql, NULL, err);
    }
    sql_add(&sql, " LIKE ");
    sql_table(&sql, base->schema_name, base->target);
    if (engine_run(&my_engine, base->connection, &sql, NULL, err))
        return err->code;
    sql_add(&sql, "ALTER TABLE ");
    sql_table(&sql, base->schema_name, base->work);
    add_mark(base, &sql);
    return engine_run(&my_engine, base->connection, &sql, NULL, err);
}

enum haul_code my_work_id(struct table_sink *base, const char *name, const char **id, struct haul_error *err)
{
    const struct table_name full = {.schema = base->schema_name, .name = name};
    struct table table = {0};
    char mark[RUN_MARK_BYTES];
    bool found;
    if (my_table_find(base->connection, &full, &table, &found, err))
        return err->code;
    table_sink_mark(base, mark);
    bool ours = found && strcmp(table.comment, mark) == 0;
    *id = table_sink_text(base, ours ? mark : found ? table.created : "", err);
    my_table_release(&table);
    return *id ? HAUL_OK : err->code;
}

/* ---- sessions ---- */

static enum haul_code connect(struct table_sink *base, const struct context *context, void **out,
                              struct haul_error *err)
{
    struct mysql_sink *sink = (struct mysql_sink *)base;
    struct connection *session = calloc(1, sizeof *session);
    if (!session)
        return error_nomem(err, "a session");
    if (my_connect(session, &sink->server, SESSION_TARGET, context, err)) {
        my_disconnect(session);
        free(session);
        return err->code;
    }
    *out = session;
    return HAUL_OK;
}

static void disconnect(void *session)
{
    my_disconnect(session);
    free(session);
}

/* The claim's row is not committed: it can be seen by a dirty read alone. */
static enum haul_code end_holder(struct table_sink *base, void *session, const struct unit *unit,
                                 struct haul_error *err)
{
    struct sql sql = {.dialect = &my_dialect};
    char text[64];
    int64_t holder = 0;
    sql_add(&sql, "SELECT session FROM %s", base->ledger.units);
    ledger_add_unit(&sql, base->run, unit);
    sql_add(&sql, " AND session <> CONNECTION_ID()");
    const char *ask = sql_text(&sql, err);
    enum haul_code code =
        ask ? my_run(session, "SET TRANSACTION ISOLATION LEVEL READ UNCOMMITTED", err) : err->code;
    if (!code)
        code = my_ask_number(session, ask, &holder, err);
    sql_release(&sql);
    if (code || holder <= 0)
        return code;
    snprintf(text, sizeof text, "KILL %lld", (long long)holder);
    return my_run(session, text, err);
}

static void evict(struct table_sink *base, void *session, const struct unit *unit)
{
    struct haul_error unused = {0};
    if (base->locked && end_holder(base, session, unit, &unused))
        context_warn(&base->context, "ending the session that holds a unit: %s", unused.message);
}

/* ---- life ---- */

static void release(struct table_sink *base)
{
    struct mysql_sink *sink = (struct mysql_sink *)base;
    my_disconnect(&sink->control);
    my_server_release(&sink->server);
    my_table_release(&sink->table);
    free(sink);
}

static enum haul_code like(struct table_sink *base, const struct staging *staging, struct haul_error *err)
{
    return table_sink_like(base, staging, "LIKE ", "", err);
}

static const struct table_sink_ops own_ops = {
    .control = control,
    .lock = take_lock,
    .find = find,
    .unknown = unknown,
    .check = check,
    .list_unique = list_unique,
    .begin_columns = my_begin_columns,
    .define = my_define_column,
    .match = my_match_column,
    .show = show,
    .ready = ready,
    .make = make,
    .work_id = my_work_id,
    .connect = connect,
    .disconnect = disconnect,
    .open = my_writer_open,
    .evict = evict,
    .empty = my_empty,
    .swap = my_swap,
    .tidy = my_tidy,
    .like = like,
    .close = release,
};

enum haul_code mysql_sink_open(const char *uri, const struct context *context, struct sink **out,
                               struct haul_error *err)
{
    struct mysql_sink *sink = calloc(1, sizeof *sink);
    if (!sink)
        return error_nomem(err, "a sink");
    table_sink_init(&sink->base, &own_ops, &my_engine, context);
    enum haul_code code = my_server_parse(&sink->server, uri, context->login, err);
    sink->base.place = sink->server.name;
    if (!code)
        code = control(&sink->base, false, err);
    if (code) {
        table_sink_close(&sink->base.base);
        return code;
    }
    *out = &sink->base.base;
    return HAUL_OK;
}
