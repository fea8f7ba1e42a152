/*
 * select.c: the statements that read, and the ranges that cut them into parts.
 *
 * A part's spec is "rowid A..B" (or "key A..B"), both ends within. A key of a
 * WITHOUT ROWID table has INTEGER affinity, but unless the table is STRICT it
 * may still hold 1.5 or 'x'. So key ranges are half open, A <= key < B + 1, and
 * the outermost have no outer bound: every value falls into exactly one.
 * "all" is a part that is the whole.
 *
 * The condition is the user's own SQL; a line break before the closing
 * parenthesis keeps a comment at its end from swallowing that.
 */
#include "database/sqlite/source.h"

#include <stdio.h>

static void select_key(const struct sqlite_source *source, struct sql *sql)
{
    if (source->access == ACCESS_ROWID) {
        sql_add(sql, "%s", source->table.rowid);
        return;
    }
    bool first = true;
    for (int place = 1; place <= source->table.columns.key_count; place++)
        for (int i = 0; i < source->table.columns.count; i++)
            if (source->table.columns.list[i].key == place) {
                sql_add(sql, first ? "" : ", ");
                sql_name(sql, source->table.columns.list[i].name);
                first = false;
            }
}

/* Does the range leave nothing out? */
static bool is_whole(const struct sqlite_source *source, const struct range *range)
{
    return source->access == ACCESS_PLAIN || source->access == ACCESS_ORDER ||
           (source->access == ACCESS_KEY && range->low == INT64_MIN && range->high == INT64_MAX);
}

static void add_range(const struct sqlite_source *source, const struct range *range, struct sql *sql)
{
    bool by_key = source->access == ACCESS_KEY;
    if (!by_key || range->low != INT64_MIN) {
        select_key(source, sql);
        sql_add(sql, " >= ?1");
    }
    if (by_key && range->high == INT64_MAX)
        return;
    sql_add(sql, by_key && range->low == INT64_MIN ? "" : " AND ");
    select_key(source, sql);
    sql_add(sql, by_key ? " < ?2" : " <= ?2");
}

static void add_conditions(const struct sqlite_source *source, const struct range *range, struct sql *sql)
{
    bool whole = !range || is_whole(source, range);
    const char *where = source->request.where;
    if (whole && !where)
        return;
    sql_add(sql, " WHERE ");
    if (!whole)
        add_range(source, range, sql);
    if (where)
        sql_add(sql, "%s(%s\n)", whole ? "" : " AND ", where);
}

static void add_columns(const struct sqlite_source *source, struct sql *sql)
{
    for (int i = 0; i < source->schema.count; i++) {
        sql_add(sql, i ? ", " : "");
        sql_name(sql, source->schema.fields[i].name);
    }
    if (source->table.rowid)
        sql_add(sql, ", %s", source->table.rowid);
}

enum haul_code sqlite_select(const struct sqlite_source *source, const struct range *range, struct sql *sql,
                             struct haul_error *err)
{
    const struct source_request *request = &source->request;
    sql_clear(sql);
    if (request->query) {
        sql_add(sql, request->where ? "SELECT * FROM (%s\n)" : "%s", request->query);
        add_conditions(source, NULL, sql);
    } else {
        sql_add(sql, "SELECT ");
        add_columns(source, sql);
        sql_add(sql, " FROM ");
        sql_name(sql, source->table.name);
        add_conditions(source, range, sql);
        if (source->access != ACCESS_PLAIN) {
            sql_add(sql, " ORDER BY ");
            select_key(source, sql);
        }
    }
    return sql_text(sql, err) ? HAUL_OK : err->code;
}

const char *sqlite_select_range(const struct sqlite_source *source, bool count, const struct range *range,
                                struct sql *sql, struct haul_error *err)
{
    sql_clear(sql);
    sql_add(sql, "SELECT ");
    if (count)
        sql_add(sql, "count(*)");
    else
        select_key(source, sql);
    sql_add(sql, " FROM ");
    sql_name(sql, source->table.name);
    bool whole = is_whole(source, range);
    sql_add(sql, whole ? "" : " WHERE ");
    if (!whole)
        add_range(source, range, sql);
    if (!count) {
        sql_add(sql, " ORDER BY ");
        select_key(source, sql);
        sql_add(sql, " LIMIT 1 OFFSET ?3");
    }
    return sql_text(sql, err);
}

enum haul_code sqlite_range_parse(const struct sqlite_source *source, const char *spec, struct range *range,
                                  struct haul_error *err)
{
    bool ranged = source->access == ACCESS_ROWID || source->access == ACCESS_KEY;
    const char *word = source->access == ACCESS_ROWID ? "rowid " : "key ";
    long long low = INT64_MIN, high = INT64_MAX;
    int end = 0;
    bool good = !ranged && !strcmp(spec, "all");
    if (ranged && !strncmp(spec, word, strlen(word))) {
        const char *numbers = spec + strlen(word);
        good = sscanf(numbers, "%lld..%lld%n", &low, &high, &end) == 2 && !numbers[end];
    }
    if (!good)
        return error_set(err, HAUL_CHANGED, "the plan's part \"%s\" is none of %s; the table is another now",
                         spec, source->path);
    *range = (struct range){low, high};
    return HAUL_OK;
}

void sqlite_range_bind(const struct sqlite_source *source, const struct range *range, sqlite3_stmt *statement)
{
    bool open_end = source->access == ACCESS_KEY && range->high != INT64_MAX;
    sqlite3_bind_int64(statement, 1, range->low);
    sqlite3_bind_int64(statement, 2, range->high + open_end);
}
