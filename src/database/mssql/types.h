/* types.h: SQL Server's types and the types of ours they mean. */
#ifndef HAUL_DATABASE_MSSQL_TYPES_H
#define HAUL_DATABASE_MSSQL_TYPES_H

#include "batch/type.h"
#include "database/mssql/column.h"

/* --timestamps: what datetime2 and its like become. EXACT: what no single column
 * holds is a struct (decode_exact.c). */
enum ms_moments { MOMENTS_MICRO, MOMENTS_NANO, MOMENTS_EXACT };

/* Sets all of `field` but its name; texts in `arena`. */
enum haul_code ms_type_field(const struct ms_column *column, enum ms_moments moments, struct arena *arena,
                             struct field *field, struct haul_error *err);

/* "decimal(9,2)", as SQL Server writes it; cut to fit. */
void ms_type_print(const struct ms_type *type, char *out, size_t size);

/* What stands in parentheses behind a type's name. */
enum ms_args { ARGS_NONE, ARGS_DECIMAL, ARGS_SCALE, ARGS_BYTES, ARGS_UNITS };

/* The type of that name in its nullable form, without its arguments; false: none. */
bool ms_type_by_name(const char *name, struct ms_type *type, enum ms_args *args);

/* ---- declare.c ---- */

/* "varchar(10)" as a nullable column would be described; false: no type of ours. */
bool ms_type_parse(const char *declared, struct ms_column *out);

/* The type a new column gets for `field`; `key`: it is in the primary key. In
 * `arena`, or constant; NULL: no memory. ms_type_parse understands it. */
const char *ms_type_declare(const struct field *field, bool key, struct arena *arena);

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
