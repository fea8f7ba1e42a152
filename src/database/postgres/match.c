/*
 * match.c: the source's columns to those of a table that is there.
 *
 * By name, exactly, then without regard to case when only one fits so. All that
 * does not fit is found before anything is written and told in one sentence.
 * A column takes the type PostgreSQL's means; a numeric without precision takes
 * the source's own number.
 */
#include "database/postgres/sink.h"

#define NUMERIC_OID  1700
#define INTERVAL_OID 1186

/* Types that can hold what the source has though their own meaning is text. */
static void keep_source_type(const struct field *stored, const struct pg_type *type, struct field *field,
                             enum wire *wire)
{
    bool whole = stored->type >= TYPE_INT8 && stored->type <= TYPE_UINT64;
    if (type->oid == NUMERIC_OID && *wire == WIRE_CAST && (whole || stored->type == TYPE_DECIMAL)) {
        field->type = TYPE_DECIMAL;
        field->precision = whole ? 20 : stored->precision;
        field->scale = whole ? 0 : stored->scale;
        *wire = WIRE_NUMERIC;
    }
    if (*wire == WIRE_ARRAY && stored->type == TYPE_UTF8) { /* an array's literal, as we read some */
        *field = (struct field){.type = TYPE_UTF8};
        *wire = WIRE_CAST;
    }
    if (type->oid == INTERVAL_OID && stored->type == TYPE_DURATION) {
        field->type = TYPE_DURATION;
        field->unit = TIME_MICRO;
        *wire = WIRE_INTERVAL;
    }
}

enum haul_code pg_match_column(struct table_sink *base, int place, const struct field *from, int at,
                               struct haul_error *err)
{
    struct postgres_sink *sink = (struct postgres_sink *)base;
    const struct column *column = &sink->table.columns.list[at];
    const struct pg_type *type = &sink->table.types[at];
    struct arena *arena = &base->schema.arena;
    struct field *field = &base->schema.fields[place], stored = {0};
    enum wire wire = WIRE_TEXT;
    if (pg_stored_field(from, arena, &stored, err) || pg_type_read(type, arena, field, &wire, err))
        return err->code;
    keep_source_type(&stored, type, field, &wire);
    field->name = arena_text(arena, column->name);
    field->nullable = !column->not_null;
    if (!field->name)
        return error_nomem(err, "columns");
    pg_column_set(sink, place, type, wire);
    return HAUL_OK;
}
