/* dialect.h: SQL text in SQL Server's dialect. */
#ifndef HAUL_DATABASE_MSSQL_DIALECT_H
#define HAUL_DATABASE_MSSQL_DIALECT_H

#include "database/sql.h"

extern const struct dialect ms_dialect;

/* With its database. */
void ms_sql_table(struct sql *sql, const struct table_name *name);

#endif
