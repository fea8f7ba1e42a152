/*
 * catalog.c: sys.objects and its neighbours; INFORMATION_SCHEMA where they are
 * missing.
 *
 * Row counts come from the partition statistics, which need VIEW DATABASE STATE,
 * then from sys.partitions, then from COUNT_BIG: each is asked when the one
 * before it is refused or says nothing. A count of 0 from statistics is not
 * believed: they may not have been made yet.
 */
#include "database/mssql/catalog.h"

#include "base/settings.h"
#include "database/mssql/answer.h"
#include <stdlib.h>
#include <strings.h>

void ms_table_release(struct ms_table *table)
{
    arena_release(&table->arena);
    *table = (struct ms_table){0};
}

/* A question that may be refused: *answer is empty then. Lost connections are errors. */
static enum haul_code ask_softly(struct session *session, const char *sql, struct ms_answer *answer,
                                 struct haul_error *err)
{
    struct haul_error refused = {0};
    if (!ms_ask(session, sql, answer, &refused))
        return HAUL_OK;
    *answer = (struct ms_answer){0};
    if (ms_is_alive(session) && refused.code != HAUL_CANCELLED)
        return HAUL_OK;
    *err = refused;
    return err->code;
}

static enum haul_code ask(struct session *session, struct sql *sql, struct ms_answer *answer,
                          struct haul_error *err)
{
    const char *text = sql_text(sql, err);
    enum haul_code code = text ? ask_softly(session, text, answer, err) : err->code;
    sql_release(sql);
    return code;
}

/* ---- all tables ---- */

static const char all_tables[] =
    "SELECT s.name, o.name, o.type,"
    " (SELECT SUM(p.rows) FROM sys.partitions AS p WHERE p.object_id = o.object_id AND p.index_id IN (0, 1))"
    " FROM sys.objects AS o JOIN sys.schemas AS s ON s.schema_id = o.schema_id"
    " WHERE RTRIM(o.type) IN ('U', 'V') AND o.is_ms_shipped = 0 ORDER BY s.name, o.name";

static const char all_tables_plainly[] =
    "SELECT TABLE_SCHEMA, TABLE_NAME, CASE TABLE_TYPE WHEN 'VIEW' THEN 'V' ELSE 'U' END, NULL"
    " FROM INFORMATION_SCHEMA.TABLES ORDER BY TABLE_SCHEMA, TABLE_NAME";

static enum haul_code list(struct session *session, struct ms_answer *answer, struct haul_error *err)
{
    if (ask_softly(session, all_tables, answer, err))
        return err->code;
    return answer->rows ? HAUL_OK : ms_ask(session, all_tables_plainly, answer, err);
}

enum haul_code ms_catalog_list(struct session *session, haul_table_fn each, void *user,
                               struct haul_error *err)
{
    struct ms_answer answer;
    if (list(session, &answer, err))
        return err->code;
    for (int64_t i = 0; i < answer.rows; i++) {
        bool view = ms_answer_text(&answer, i, 2)[0] == 'V';
        int64_t rows = view ? -1 : ms_answer_number(&answer, i, 3);
        struct haul_table table = {.schema = ms_answer_text(&answer, i, 0),
                                   .name = ms_answer_text(&answer, i, 1),
                                   .kind = view ? "view" : "table",
                                   .rows = rows > 0 ? rows : -1,
                                   .bytes = -1};
        each(user, &table);
    }
    ms_answer_release(&answer);
    return HAUL_OK;
}

/* ---- one table ---- */

#define NAMES_MAX 4096

static enum haul_code unknown(struct session *session, const char *name, struct haul_error *err)
{
    struct ms_answer answer;
    const char **names = NULL;
    char near[200] = "";
    if (list(session, &answer, err))
        return err->code;
    size_t count = answer.rows < NAMES_MAX ? (size_t)answer.rows : NAMES_MAX;
    names = arena_alloc_array(&answer.arena, count + 1, sizeof *names);
    for (size_t i = 0; names && i < count; i++)
        names[i] = ms_answer_text(&answer, (int64_t)i, 1);
    if (names)
        settings_near(name, names, count, near, sizeof near);
    ms_answer_release(&answer);
    return error_set(
        err, HAUL_NOT_FOUND,
        "%s: there is no table or view \"%s\" that the user may see%s%s; \"haul list\" shows them",
        session->server->name, name, near[0] ? "; near are " : "", near);
}

/* Where the table's own database is: "[db]." before sys. */
static void add_sys(struct sql *sql, const struct ms_table *table)
{
    if (table->name.database) {
        sql_name(sql, table->name.database);
        sql_add(sql, ".");
    }
    sql_add(sql, "sys.");
}

static enum haul_code find(struct session *session, struct ms_table *table, bool *found,
                           struct haul_error *err)
{
    struct sql sql = {.dialect = &ms_dialect};
    struct ms_answer answer;
    sql_add(&sql, "SELECT s.name, o.name, o.type, o.object_id FROM ");
    add_sys(&sql, table);
    sql_add(&sql, "objects AS o JOIN ");
    add_sys(&sql, table);
    sql_add(&sql,
            "schemas AS s ON s.schema_id = o.schema_id WHERE RTRIM(o.type) IN ('U', 'V') AND o.name = ");
    sql_literal(&sql, table->name.name);
    sql_add(&sql, " AND s.name = ");
    if (table->name.schema)
        sql_literal(&sql, table->name.schema);
    else
        sql_add(&sql, "COALESCE(SCHEMA_NAME(), N'dbo')");
    if (ask(session, &sql, &answer, err))
        return err->code;
    *found = answer.rows > 0;
    if (*found) {
        table->name.schema = arena_text(&table->arena, ms_answer_text(&answer, 0, 0));
        table->name.name = arena_text(&table->arena, ms_answer_text(&answer, 0, 1));
        table->is_view = ms_answer_text(&answer, 0, 2)[0] == 'V';
        table->object_id = arena_text(&table->arena, ms_answer_text(&answer, 0, 3));
    }
    ms_answer_release(&answer);
    bool complete = !*found || (table->name.schema && table->name.name && table->object_id);
    return complete ? HAUL_OK : error_nomem(err, "a table");
}

/* Temporary tables, synonyms, and servers without sys.objects: does a SELECT find it? */
static enum haul_code find_by_select(struct session *session, struct ms_table *table, bool *found,
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
    if (*found || (ms_is_alive(session) && refused.code == HAUL_NOT_FOUND))
        return HAUL_OK;
    *err = refused;
    return err->code;
}

/* Cheap when the statistics were right: there are none. */
static enum haul_code count_all(struct session *session, struct ms_table *table, struct haul_error *err)
{
    struct ms_answer answer;
    struct sql sql = {.dialect = &ms_dialect};
    sql_add(&sql, "SELECT COUNT_BIG(*) AS n FROM ");
    ms_sql_table(&sql, &table->name);
    if (ask(session, &sql, &answer, err))
        return err->code;
    table->rows = ms_answer_number(&answer, 0, 0);
    ms_answer_release(&answer);
    return HAUL_OK;
}

static enum haul_code count_rows(struct session *session, struct ms_table *table, struct haul_error *err)
{
    struct ms_answer answer;
    struct sql sql = {.dialect = &ms_dialect};
    table->rows = table->bytes = -1;
    if (table->is_view)
        return HAUL_OK;
    if (!*table->object_id)
        return count_all(session, table, err);
    sql_add(&sql, "SELECT SUM(row_count), SUM(used_page_count) * 8192 FROM ");
    add_sys(&sql, table);
    sql_add(&sql, "dm_db_partition_stats WHERE index_id IN (0, 1) AND object_id = %s", table->object_id);
    if (ask(session, &sql, &answer, err))
        return err->code;
    if (ms_answer_number(&answer, 0, 0) > 0) {
        table->rows = ms_answer_number(&answer, 0, 0);
        table->bytes = ms_answer_number(&answer, 0, 1);
    }
    ms_answer_release(&answer);
    if (table->rows > 0)
        return HAUL_OK;
    sql_add(&sql, "SELECT SUM(rows) FROM ");
    add_sys(&sql, table);
    sql_add(&sql, "partitions WHERE index_id IN (0, 1) AND object_id = %s", table->object_id);
    if (ask(session, &sql, &answer, err))
        return err->code;
    if (ms_answer_number(&answer, 0, 0) > 0)
        table->rows = ms_answer_number(&answer, 0, 0);
    ms_answer_release(&answer);
    if (table->rows > 0)
        return HAUL_OK;
    return count_all(session, table, err);
}

static enum haul_code read_key(struct session *session, struct ms_table *table, struct haul_error *err)
{
    struct ms_answer answer;
    struct sql sql = {.dialect = &ms_dialect};
    if (table->is_view || !*table->object_id)
        return HAUL_OK;
    sql_add(&sql, "SELECT c.name FROM ");
    add_sys(&sql, table);
    sql_add(&sql, "indexes AS i JOIN ");
    add_sys(&sql, table);
    sql_add(&sql, "index_columns AS k ON k.object_id = i.object_id AND k.index_id = i.index_id JOIN ");
    add_sys(&sql, table);
    sql_add(&sql,
            "columns AS c ON c.object_id = k.object_id AND c.column_id = k.column_id"
            " WHERE i.is_primary_key = 1 AND i.object_id = %s ORDER BY k.key_ordinal",
            table->object_id);
    if (ask(session, &sql, &answer, err))
        return err->code;
    table->key = arena_alloc_array(&table->arena, (size_t)answer.rows + 1, sizeof *table->key);
    bool complete = table->key;
    for (int64_t i = 0; complete && i < answer.rows; i++)
        complete = (table->key[i] = arena_text(&table->arena, ms_answer_text(&answer, i, 0)));
    table->key_count = complete ? (int)answer.rows : 0;
    ms_answer_release(&answer);
    return complete ? HAUL_OK : error_nomem(err, "a key");
}

enum haul_code ms_table_read(struct session *session, const char *name, struct ms_table *table,
                             struct haul_error *err)
{
    bool found;
    table->object_id = "";
    if (table_name_parse(&ms_dialect, name, &table->arena, &table->name, err) ||
        find(session, table, &found, err))
        return err->code;
    if (!found && find_by_select(session, table, &found, err))
        return err->code;
    if (!found)
        return unknown(session, name, err);
    return count_rows(session, table, err) || read_key(session, table, err) ? err->code : HAUL_OK;
}
