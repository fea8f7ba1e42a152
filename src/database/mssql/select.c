/*
 * select.c: the statement that reads.
 *
 * Query and condition are the user's own SQL; a line break before the closing
 * parenthesis keeps a comment at their end from swallowing it. A query that is
 * read whole is sent as it was written: in parentheses it could have no ORDER BY
 * and no WITH.
 */
#include "database/mssql/source.h"

void ms_sql_from(const struct mssql_source *source, struct sql *sql)
{
    struct table_name name = source->table.name;
    sql_add(sql, " FROM ");
    if (source->query) {
        sql_add(sql, "(%s\n) AS haul_query", source->query);
        return;
    }
    if (source->snapshot_made)
        name.database = source->snapshot;
    ms_sql_table(sql, &name);
    if (source->table.kind != 'F')
        return;
    for (int i = 0; i < source->parameters.count; i++)
        sql_add(sql, i ? ", @p%d" : "(@p%d", i + 1);
    sql_add(sql, source->parameters.count ? ")" : "()");
}

static void add_columns(const struct mssql_source *source, struct sql *sql)
{
    const struct source_request *request = &source->request;
    for (int i = 0; request->columns && i < request->column_count; i++) {
        sql_add(sql, i ? ", " : "");
        sql_name(sql, request->columns[i]);
    }
    if (!request->columns)
        sql_add(sql, "*");
}

static void add_order(const struct mssql_source *source, int64_t skip, struct sql *sql)
{
    for (int i = 0; i < source->cut.count; i++) {
        sql_add(sql, i ? ", " : " ORDER BY ");
        sql_name(sql, source->cut.names[i]);
    }
    if (skip)
        sql_add(sql, " OFFSET %lld ROWS", (long long)skip);
}

enum haul_code ms_select(const struct mssql_source *source, const struct ms_wanted *wanted, struct sql *sql,
                         struct haul_error *err)
{
    const struct source_request *request = &source->request;
    bool all = !wanted->part || wanted->part->kind == PART_ALL;
    if (source->query && all && !request->where && !request->columns && !wanted->none) {
        sql_add(sql, "%s", source->query);
        return sql_text(sql, err) ? HAUL_OK : err->code;
    }
    sql_add(sql, wanted->none ? "SELECT TOP (0) " : "SELECT ");
    add_columns(source, sql);
    ms_sql_from(source, sql);
    if (request->where)
        sql_add(sql, " WHERE (%s\n)", request->where);
    if (!all) {
        sql_add(sql, request->where ? " AND " : " WHERE ");
        ms_sql_part(sql, &source->cut, wanted->part);
    }
    if (source->ordered && !wanted->none)
        add_order(source, wanted->skip, sql);
    return sql_text(sql, err) ? HAUL_OK : err->code;
}
