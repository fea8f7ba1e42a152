/*
 * arrow_schema.h: the file's schema as Arrow's own, under the key
 * "ARROW:schema". Written only when some column has a type Parquet cannot say: a
 * duration, or a time zone other than UTC. Specification: section 12.
 */
#ifndef HAUL_FORMAT_PARQUET_ARROW_SCHEMA_H
#define HAUL_FORMAT_PARQUET_ARROW_SCHEMA_H

#include "batch/type.h"
#include "format/parquet/footer.h"

#define ARROW_SCHEMA_KEY "ARROW:schema"

bool arrow_schema_is_needed(const struct schema *schema);

/* Appends the value of the key: an encapsulated IPC message as base64. */
enum haul_code arrow_schema_print(const struct schema *schema, struct buffer *out, struct haul_error *err);

/* Takes durations and time zones from the key of a file, where it has one. */
void arrow_schema_apply(const struct file_metadata *file, struct schema *schema);

#endif
