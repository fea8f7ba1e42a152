/* request.c: the request of a source, copied and applied. */
#include "database/request.h"

#include "batch/override.h"
#include <string.h>

static const char *trim_query(const char *query, struct arena *arena)
{
    size_t length = strlen(query);
    while (length && strchr(" \t\r\n;", query[length - 1]))
        length--;
    return arena_text_n(arena, query, length);
}

enum haul_code request_copy(const struct source_request *request, struct arena *arena,
                            struct source_request *copy, const char **bare, struct haul_error *err)
{
    const char **columns = arena_alloc_array(arena, (size_t)request->column_count + 1, sizeof *columns);
    copy->table = arena_text(arena, request->table);
    copy->query = arena_text(arena, request->query);
    copy->where = arena_text(arena, request->where);
    copy->schema = arena_text(arena, request->schema);
    if (bare)
        *bare = request->query ? trim_query(request->query, arena) : NULL;
    bool complete = (!bare || !*bare == !request->query) && columns && !copy->table == !request->table &&
                    !copy->query == !request->query && !copy->where == !request->where &&
                    !copy->schema == !request->schema;
    for (int i = 0; complete && request->columns && i < request->column_count; i++)
        complete = (columns[i] = arena_text(arena, request->columns[i]));
    if (!complete)
        return error_nomem(err, "a source");
    copy->columns = request->columns ? columns : NULL;
    copy->column_count = request->column_count;
    return HAUL_OK;
}

enum haul_code request_no_table(const char *place, struct haul_error *err)
{
    return error_set(
        err, HAUL_USAGE,
        "%s: say which table to read with --table NAME (or --query SQL); \"haul list\" shows them", place);
}

/* ---- --schema ---- */

enum haul_code schema_refuse_type(const struct field *was, const struct field *field, struct haul_error *err)
{
    char from[96], to[96];
    field_print_type(was, from, sizeof from);
    field_print_type(field, to, sizeof to);
    return error_set(err, HAUL_UNSUPPORTED,
                     "--schema: column \"%s\" is %s and cannot be read as %s; cast it in a --query",
                     field->name, from, to);
}

enum haul_code schema_force(const struct forcing *forcing, struct schema *schema, struct haul_error *err)
{
    struct schema was = {0};
    if (!forcing->text)
        return HAUL_OK;
    enum haul_code code = schema_copy(schema, &was, err);
    if (!code)
        code = schema_override(forcing->text, schema, NULL, err);
    for (int i = 0; !code && i < was.count; i++)
        if (!field_equal(&schema->fields[i], &was.fields[i], false))
            code = forcing->force(forcing->source, i, &was.fields[i], err);
    schema_release(&was);
    return code;
}
