/*
 * match.c: the source's columns to those of a table that is there.
 *
 * By name, without regard to case, as MySQL has it. All that does not fit is
 * found before anything is written and told in one sentence. A column takes the
 * type MySQL's means; a TIME takes a duration as far as it goes.
 */
#include "database/mysql/sink.h"

static enum haul_code match_column(struct mysql_sink *sink, int place, const struct field *from, int at,
                                   struct haul_error *err)
{
    const struct column *column = &sink->table.columns.list[at];
    struct arena *arena = &sink->schema.arena;
    struct field *field = &sink->schema.fields[place], stored = {0};
    enum form form = FORM_TEXT;
    if (my_stored_field(from, arena, &stored, err) ||
        my_type_read(column->declared, arena, field, &form, err))
        return err->code;
    if (form == FORM_TIME && from->type == TYPE_DURATION)
        field->type = TYPE_DURATION;
    field->name = arena_text(arena, column->name);
    field->nullable = !column->not_null;
    if (!field->name)
        return error_nomem(err, "columns");
    my_column_set(sink, place, column->declared, form);
    return HAUL_OK;
}

enum haul_code my_match(struct mysql_sink *sink, const struct schema *source, struct haul_error *err)
{
    int *places;
    if (columns_pair(&sink->table.columns, source, sink->title, &sink->arena, &places, err))
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
