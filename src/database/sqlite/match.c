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

enum haul_code sqlite_match_column(struct table_sink *base, int place, const struct field *from, int at,
                                   struct haul_error *err)
{
    struct sqlite_sink *sink = (struct sqlite_sink *)base;
    const struct column *column = &sink->table.columns.list[at];
    struct field *field = &base->schema.fields[place];
    if (sqlite_stored_field(from, &base->schema.arena, field, err))
        return err->code;
    struct field declared = {0};
    if (sqlite_type_read(column->declared, &declared) != TYPE_OPEN) {
        declared.sql_type = field->sql_type;
        *field = declared;
    }
    field->name = arena_text(&base->schema.arena, column->name);
    field->nullable = !column->not_null;
    sink->columns[place] =
        (struct sink_column){.name = field->name, .affinity = sqlite_affinity(column->declared)};
    if (sink->table.strict && !strcasecmp(column->declared, "ANY"))
        sink->columns[place].affinity = AFFINITY_BLOB; /* STRICT's ANY converts nothing */
    return field->name ? HAUL_OK : error_nomem(err, "columns");
}
