/* request.h: what the user asked of a database as a source, and how --schema changes what is read. */
#ifndef HAUL_DATABASE_REQUEST_H
#define HAUL_DATABASE_REQUEST_H

#include "batch/source.h"

/* A copy in `arena`: the texts of the other may go. *bare, unless NULL, is the
 * query as it goes into parentheses, without the semicolon at its end. */
enum haul_code request_copy(const struct source_request *request, struct arena *arena,
                            struct source_request *copy, const char **bare, struct haul_error *err);

/* HAUL_USAGE: neither --table nor --query was given for the database `place`. */
enum haul_code request_no_table(const char *place, struct haul_error *err);

/* Applies --schema; `force` is called for each column that changed by it, to read it so or refuse
 * (schema_refuse_type). */
struct forcing {
    const char *text; /* NULL: nothing to do */
    enum haul_code (*force)(void *source, int place, const struct field *was, struct haul_error *err);
    void *source;
};
enum haul_code schema_force(const struct forcing *forcing, struct schema *schema, struct haul_error *err);

enum haul_code schema_refuse_type(const struct field *was, const struct field *field, struct haul_error *err);

#endif
