/*
 * match.c: the source's columns to those of a table that is there.
 *
 * By name, without regard to case, as MySQL has it. All that does not fit is
 * found before anything is written and told in one sentence. A column takes the
 * type MySQL's means; a TIME takes a duration as far as it goes.
 */
#include "database/mysql/sink.h"

enum haul_code my_match_column(struct table_sink *base, int place, const struct field *from, int at,
                               struct haul_error *err)
{
    struct mysql_sink *sink = (struct mysql_sink *)base;
    const struct column *column = &sink->table.columns.list[at];
    struct arena *arena = &base->schema.arena;
    struct field *field = &base->schema.fields[place], stored = {0};
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
