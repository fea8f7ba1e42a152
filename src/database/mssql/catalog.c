/*
 * catalog.c: sys.objects and its neighbours; INFORMATION_SCHEMA where they are
 * missing.
 *
 * A number of 0 rows from statistics is not believed: they may not have been
 * made yet. A list then looks whether there is a first row.
 */
#include "database/mssql/catalog.h"

#include "base/settings.h"
#include <stdlib.h>

#define NAMES_MAX 4096
#define LOOKS_MAX 500 /* tables of a list that are looked into */

void ms_table_release(struct ms_table *table)
{
    arena_release(&table->arena);
    *table = (struct ms_table){0};
}

enum haul_code ms_ask_softly(struct session *session, struct sql *sql, struct ms_answer *answer,
                             struct haul_error *err)
{
    struct haul_error refused = {0};
    const char *text = sql_text(sql, err);
    enum haul_code code = text ? ms_ask(session, text, answer, &refused) : err->code;
    sql_release(sql);
    if (!text || !code)
        return code;
    *answer = (struct ms_answer){0};
    if (ms_is_alive(session) && refused.code != HAUL_CANCELLED)
        return HAUL_OK;
    *err = refused;
    return err->code;
}

void ms_sql_sys(struct sql *sql, const struct ms_table *table)
{
    if (table->name.database) {
        sql_name(sql, table->name.database);
        sql_add(sql, ".");
    }
    sql_add(sql, "sys.");
}

/* ---- all tables ---- */

#define FROM  " FROM sys.objects AS o JOIN sys.schemas AS s ON s.schema_id = o.schema_id"
#define SHOWN " WHERE RTRIM(o.type) IN ('U', 'V') AND o.is_ms_shipped = 0 ORDER BY s.name, o.name"

/* Each is asked when the one before it is refused or shows nothing. */
static const char *const lists[] = {
    "SELECT s.name, o.name, o.type, p.n, p.size" FROM
    " LEFT JOIN (SELECT object_id, SUM(row_count) AS n, SUM(used_page_count) * 8192 AS size FROM"
    " sys.dm_db_partition_stats WHERE index_id IN (0, 1) GROUP BY object_id) AS p ON p.object_id = "
    "o.object_id" SHOWN,
    "SELECT s.name, o.name, o.type, p.n, NULL AS size" FROM
    " LEFT JOIN (SELECT object_id, SUM(rows) AS n FROM sys.partitions WHERE index_id IN (0, 1)"
    " GROUP BY object_id) AS p ON p.object_id = o.object_id" SHOWN,
    "SELECT s.name, o.name, o.type, NULL AS n, NULL AS size" FROM SHOWN,
    "SELECT TABLE_SCHEMA, TABLE_NAME, CASE TABLE_TYPE WHEN 'VIEW' THEN 'V' ELSE 'U' END AS kind, NULL AS n,"
    " NULL AS size FROM INFORMATION_SCHEMA.TABLES ORDER BY TABLE_SCHEMA, TABLE_NAME",
};
#define LIST_COUNT (sizeof lists / sizeof *lists)

static enum haul_code list(struct session *session, struct ms_answer *answer, struct haul_error *err)
{
    *answer = (struct ms_answer){0};
    for (size_t i = 0; i < LIST_COUNT && !answer->rows; i++) {
        struct sql sql = {.dialect = &ms_dialect};
        ms_answer_release(answer);
        sql_add(&sql, "%s", lists[i]);
        if (ms_ask_softly(session, &sql, answer, err))
            return err->code;
    }
    return HAUL_OK;
}

static enum haul_code is_empty(struct session *session, const struct haul_table *table, bool *empty,
                               struct haul_error *err)
{
    struct ms_answer answer;
    struct sql sql = {.dialect = &ms_dialect};
    sql_add(&sql, "SELECT TOP (1) 1 AS n FROM ");
    sql_table(&sql, table->schema, table->name);
    if (ms_ask_softly(session, &sql, &answer, err))
        return err->code;
    *empty = answer.columns == 1 && answer.rows == 0;
    ms_answer_release(&answer);
    return HAUL_OK;
}

enum haul_code ms_catalog_list(struct session *session, haul_table_fn each, void *user,
                               struct haul_error *err)
{
    struct ms_answer answer;
    enum haul_code code = list(session, &answer, err);
    int looks = 0;
    for (int64_t i = 0; !code && i < answer.rows; i++) {
        bool view = ms_answer_text(&answer, i, 2)[0] == 'V', empty = false;
        int64_t rows = view ? -1 : ms_answer_number(&answer, i, 3);
        struct haul_table table = {.schema = ms_answer_text(&answer, i, 0),
                                   .name = ms_answer_text(&answer, i, 1),
                                   .kind = view ? "view" : "table"};
        if (!view && rows <= 0 && looks++ < LOOKS_MAX)
            code = is_empty(session, &table, &empty, err);
        table.rows = rows > 0 ? rows : empty ? 0 : -1;
        table.rows_exact = empty;
        table.bytes = rows > 0 ? ms_answer_number(&answer, i, 4) : -1;
        if (!code)
            each(user, &table);
    }
    ms_answer_release(&answer);
    return code;
}

/* ---- one table ---- */

enum haul_code ms_table_unknown(struct session *session, const char *name, struct haul_error *err)
{
    struct ms_answer answer;
    const char **names = NULL;
    char near[200] = "";
    const char *dot = strrchr(name, '.');
    if (list(session, &answer, err))
        return err->code;
    size_t count = answer.rows < NAMES_MAX ? (size_t)answer.rows : NAMES_MAX;
    names = arena_alloc_array(&answer.arena, count + 1, sizeof *names);
    for (size_t i = 0; names && i < count; i++)
        names[i] = ms_answer_text(&answer, (int64_t)i, 1);
    if (names)
        settings_near(dot ? dot + 1 : name, names, count, near, sizeof near);
    ms_answer_release(&answer);
    return error_set(
        err, HAUL_NOT_FOUND,
        "%s: there is no table or view \"%s\" that the user may see%s%s; \"haul list\" shows them",
        session->server->name, name, near[0] ? "; near are " : "", near);
}

/* sys.objects.type: U; V; IF, TF, FT are functions; SN is a synonym. */
static char kind_of(const char *type)
{
    bool function = type[0] != 'U' && type[0] != 'V' && (type[1] == 'F' || type[1] == 'T');
    return type[0] == 'U' || type[0] == 'V' ? type[0] : function ? 'F' : 'S';
}

/* *told: the server has such a view, and it is no surprise when a SELECT finds nothing either. */
static enum haul_code find(struct session *session, struct ms_table *table, bool *found, bool *told,
                           struct haul_error *err)
{
    struct sql sql = {.dialect = &ms_dialect};
    struct ms_answer answer;
    sql_add(&sql, "SELECT s.name, o.name, o.type, o.object_id FROM ");
    ms_sql_sys(&sql, table);
    sql_add(&sql, "objects AS o JOIN ");
    ms_sql_sys(&sql, table);
    sql_add(&sql, "schemas AS s ON s.schema_id = o.schema_id"
                  " WHERE RTRIM(o.type) IN ('U', 'V', 'IF', 'TF', 'FT', 'SN') AND o.name = ");
    sql_literal(&sql, table->name.name);
    sql_add(&sql, " AND s.name = ");
    if (table->name.schema)
        sql_literal(&sql, table->name.schema);
    else
        sql_add(&sql, "COALESCE(SCHEMA_NAME(), N'dbo')");
    if (ms_ask_softly(session, &sql, &answer, err))
        return err->code;
    *found = answer.rows > 0;
    *told = answer.columns > 0;
    if (*found) {
        table->name.schema = arena_text(&table->arena, ms_answer_text(&answer, 0, 0));
        table->name.name = arena_text(&table->arena, ms_answer_text(&answer, 0, 1));
        table->kind = kind_of(ms_answer_text(&answer, 0, 2));
        table->object_id = arena_text(&table->arena, ms_answer_text(&answer, 0, 3));
    }
    ms_answer_release(&answer);
    bool complete = !*found || (table->name.schema && table->name.name && table->object_id);
    return complete ? HAUL_OK : error_nomem(err, "a table");
}

/* Temporary tables, other servers' tables, and servers without sys.objects: does a SELECT find it? Some
 * servers have a number of their own for a table that is not there; `told` says to take any that way. */
static enum haul_code find_by_select(struct session *session, struct ms_table *table, bool *found, bool told,
                                     struct haul_error *err)
{
    struct sql sql = {.dialect = &ms_dialect};
    struct haul_error refused = {0};
    sql_add(&sql, "SELECT TOP (0) * FROM ");
    ms_sql_table(&sql, &table->name);
    const char *text = sql_text(&sql, err);
    *found = text && ms_run(session, text, &refused) == HAUL_OK;
    sql_release(&sql);
    if (!text)
        return err->code;
    bool absent = refused.code == HAUL_NOT_FOUND || (told && refused.code == HAUL_IO && !refused.retryable);
    if (*found || (ms_is_alive(session) && absent))
        return HAUL_OK;
    *err = refused;
    return err->code;
}

enum haul_code ms_table_find(struct session *session, const char *name, struct ms_table *table, bool *found,
                             struct haul_error *err)
{
    bool told = false;
    table->object_id = "";
    table->kind = 'S';
    table->rows = table->bytes = -1;
    if (table_name_parse(&ms_dialect, name, &table->arena, &table->name, err) ||
        find(session, table, found, &told, err))
        return err->code;
    return *found ? HAUL_OK : find_by_select(session, table, found, told, err);
}

enum haul_code ms_table_read(struct session *session, const char *name, struct ms_table *table,
                             struct haul_error *err)
{
    bool found = false;
    if (ms_table_find(session, name, table, &found, err))
        return err->code;
    if (!found)
        return ms_table_unknown(session, name, err);
    if (table->kind == 'F')
        return HAUL_OK;
    return ms_table_count(session, table, err) || ms_table_keys(session, table, err) ? err->code : HAUL_OK;
}
