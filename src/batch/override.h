/* override.h: --schema name:type,...: the user's word about single columns. */
#ifndef HAUL_BATCH_OVERRIDE_H
#define HAUL_BATCH_OVERRIDE_H

#include "batch/type.h"

/* Gives the named fields of `schema` the types that `text` says; their sql_type
 * stays. Sets forced[i] for each, unless `forced` is NULL. A name may stand in
 * double quotes. HAUL_NOT_FOUND names the columns that are near. */
enum haul_code schema_override(const char *text, struct schema *schema, bool *forced, struct haul_error *err);

#endif
