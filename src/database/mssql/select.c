/*
 * select.c: the statement that reads.
 *
 * Query and condition are the user's own SQL; a line break before the closing
 * parenthesis keeps a comment at their end from swallowing it. A query that is
 * read whole is sent as it was written: in parentheses it could have no ORDER BY
 * and no WITH.
 */
#include "database/mssql/source.h"

enum haul_code ms_select(const struct mssql_source *source, bool none, struct sql *sql,
                         struct haul_error *err)
{
    const struct source_request *request = &source->request;
    if (source->query && !request->where && !request->columns) {
        sql_add(sql, "%s", source->query);
        return sql_text(sql, err) ? HAUL_OK : err->code;
    }
    sql_add(sql, none && !source->query ? "SELECT TOP (0) " : "SELECT ");
    for (int i = 0; request->columns && i < request->column_count; i++) {
        sql_add(sql, i ? ", " : "");
        sql_name(sql, request->columns[i]);
    }
    if (!request->columns)
        sql_add(sql, "*");
    sql_add(sql, " FROM ");
    if (source->query)
        sql_add(sql, "(%s\n) AS haul_query", source->query);
    else
        ms_sql_table(sql, &source->table.name);
    if (request->where)
        sql_add(sql, " WHERE (%s\n)", request->where);
    return sql_text(sql, err) ? HAUL_OK : err->code;
}
