/* override.h: --schema name:type,...: the user's word on the types of columns. */
#ifndef HAUL_DATABASE_MYSQL_OVERRIDE_H
#define HAUL_DATABASE_MYSQL_OVERRIDE_H

#include "batch/type.h"

/* Changes the fields named in `text`; their sql_type stays. */
enum haul_code my_override(const char *text, struct schema *schema, struct haul_error *err);

#endif
