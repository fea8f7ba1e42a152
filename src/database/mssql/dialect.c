/*
 * dialect.c: how SQL Server writes names and values.
 *
 * A value stands in N'' with quotes doubled, which is all the quoting T-SQL has:
 * there is no escape character.
 */
#include "database/mssql/dialect.h"

const struct dialect ms_dialect = {
    .engine = "SQL Server",
    .open = '[',
    .close = ']',
    .literal = "N'",
    .name_characters_max = 128,
    .parts_max = 3,
    .example = "table, schema.table or [schema].[table]",
    .case_blind = true,
    .columns_max = 1024,
    .nullable = " NULL",
    .table_tail = "",
};

void ms_sql_table(struct sql *sql, const struct table_name *name)
{
    if (name->database) {
        sql_name(sql, name->database);
        sql_add(sql, name->schema ? "." : "..");
    }
    sql_table(sql, name->schema, name->name);
}
