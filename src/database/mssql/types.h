/* types.h: SQL Server's types and the types of ours they mean. */
#ifndef HAUL_DATABASE_MSSQL_TYPES_H
#define HAUL_DATABASE_MSSQL_TYPES_H

#include "batch/type.h"
#include "database/mssql/column.h"

/* Sets all of `field` but its name; texts in `arena`. `unit` is that of
 * datetime2 and its like: TIME_MICRO, or TIME_NANO when it was asked for. */
enum haul_code ms_type_field(const struct ms_column *column, enum time_unit unit, struct arena *arena,
                             struct field *field, struct haul_error *err);

static inline bool ms_type_is_wide(const struct ms_type *type)
{
    return type->code == MS_NCHAR || type->code == MS_NVARCHAR || type->code == MS_NTEXT ||
           type->code == MS_XML;
}

static inline bool ms_type_is_narrow(const struct ms_type *type)
{
    return type->code == MS_BIGCHAR || type->code == MS_BIGVARCHAR || type->code == MS_TEXT;
}

#endif
