/*
 * match.c: the source's columns to those of a table that is there.
 *
 * By name, without regard to case. All that does not fit is found before
 * anything is written and told in one sentence. A column takes the type its
 * declared type means; where that says nothing (NUMERIC, none) it takes the
 * source's own type, and bind.c watches what the affinity would do to a value.
 */
#include "database/sqlite/sink.h"

#include <strings.h>

static enum haul_code match_column(struct sqlite_sink *sink, int place, const struct field *from, int at,
                                   struct haul_error *err)
{
    const struct column *column = &sink->table.columns.list[at];
    struct field *field = &sink->schema.fields[place];
    if (sqlite_stored_field(from, &sink->schema.arena, field, err))
        return err->code;
    struct field declared = {0};
    if (sqlite_type_read(column->declared, &declared) != TYPE_OPEN) {
        declared.sql_type = field->sql_type;
        *field = declared;
    }
    field->name = arena_text(&sink->schema.arena, column->name);
    field->nullable = !column->not_null;
    sink->columns[place] =
        (struct sink_column){.name = field->name, .affinity = sqlite_affinity(column->declared)};
    if (sink->table.strict && !strcasecmp(column->declared, "ANY"))
        sink->columns[place].affinity = AFFINITY_BLOB; /* STRICT's ANY converts nothing */
    return field->name ? HAUL_OK : error_nomem(err, "columns");
}

enum haul_code sqlite_match(struct sqlite_sink *sink, const struct schema *source, struct haul_error *err)
{
    const char *quoted = arena_printf(&sink->arena, "\"%s\"", sink->table.name);
    int *places;
    if (!quoted)
        return error_nomem(err, "columns");
    if (columns_pair(&sink->table.columns, source, quoted, &sink->arena, &places, err))
        return err->code;
    sink->columns = arena_alloc_array(&sink->arena, (size_t)source->count + 1, sizeof *sink->columns);
    if (!sink->columns)
        return error_nomem(err, "columns");
    if (schema_init(&sink->schema, source->count, err))
        return err->code;
    for (int i = 0; i < source->count; i++)
        if (match_column(sink, i, &source->fields[i], places[i], err))
            return err->code;
    return HAUL_OK;
}
