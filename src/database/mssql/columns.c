/*
 * columns.c: what each of the source's columns becomes.
 *
 * The type that a column has in SQL Server says what the transfer casts to
 * (types.c, read the other way round); a new column gets its type from declare.c
 * first. Nanoseconds are asked for only where both sides have them.
 */
#include "database/mssql/sink.h"

#include "base/settings.h"
#include "database/mssql/types.h"

#define SCALE_MAX 7 /* 100 ns */

enum haul_code ms_begin_columns(struct table_sink *base, int count, struct haul_error *err)
{
    struct mssql_sink *sink = (struct mssql_sink *)base;
    const char *option = base->context.settings ? settings_text(base->context.settings, "hint") : NULL;
    bool into_target = base->exists && (base->mode == SINK_CREATE || base->mode == SINK_APPEND);
    struct target made = {.storage = STORAGE_HEAP, .recovery = sink->target.recovery};
    sink->columns = arena_alloc_array(&base->arena, (size_t)count + 1, sizeof *sink->columns);
    if (!sink->columns)
        return error_nomem(err, "columns");
    sink->described = false;
    bool like = base->exists && (base->mode == SINK_TRUNCATE || base->mode == SINK_MERGE);
    if (!into_target && !like && sink->source->key_count) {
        made.storage = STORAGE_CLUSTERED; /* by its primary key */
        made.cluster = (const char **)(uintptr_t)sink->source->key;
        made.cluster_count = sink->source->key_count;
    }
    if (policy_make(&sink->policy, into_target ? &sink->target : &made, sink->source, option, &base->arena,
                    err))
        return err->code;
    base->writers_max = sink->policy.writers_max;
    base->unit_rows = sink->policy.unit_rows;
    return HAUL_OK;
}

/* A struct that --timestamps exact made, and a type that may be read as such. */
static bool is_exact(const struct field *from, const struct ms_column *column)
{
    return from->type == TYPE_STRUCT &&
           (column->type.code == MS_DATETIME2 || column->type.code == MS_DATETIMEOFFSET);
}

/* The field a column of SQL Server's is written from. */
static enum haul_code set_field(struct mssql_sink *sink, int place, const struct ms_column *column,
                                const struct field *from, struct haul_error *err)
{
    struct arena *arena = &sink->base.schema.arena;
    struct field *field = &sink->base.schema.fields[place];
    bool fine = column->type.scale == SCALE_MAX && from->type == TYPE_TIMESTAMP && from->unit == TIME_NANO;
    struct field exact = {.name = from->name};
    if (is_exact(from, column) && ms_type_field(column, MOMENTS_EXACT, arena, &exact, err))
        return err->code;
    bool same = exact.type == TYPE_STRUCT && field_equal(&exact, from, true);
    enum ms_moments moments = same ? MOMENTS_EXACT : fine ? MOMENTS_NANO : MOMENTS_MICRO;
    if (ms_type_field(column, moments, arena, field, err) ||
        ms_bulk_column(column, &sink->base.arena, &sink->columns[place], err))
        return err->code;
    field->name = arena_text(arena, column->name);
    return field->name ? HAUL_OK : error_nomem(err, "columns");
}

enum haul_code ms_match_column(struct table_sink *base, int place, const struct field *from, int at,
                               struct haul_error *err)
{
    struct mssql_sink *sink = (struct mssql_sink *)base;
    return set_field(sink, place, &sink->target.served.columns[at], from, err);
}

const char *ms_define_column(void *object, int place, const struct field *from, bool key,
                             struct haul_error *err)
{
    struct mssql_sink *sink = object;
    struct field wanted = *from;
    struct ms_column column;
    if (sink->base.uuid_text && wanted.extension && strcmp(wanted.extension, "arrow.uuid") == 0) {
        wanted = (struct field){.name = from->name, .type = TYPE_UTF8, .nullable = from->nullable};
        wanted.sql_type = "text:varchar(18)"; /* nvarchar(36) */
    }
    const char *declared = ms_type_declare(&wanted, key, &sink->base.arena);
    if (!declared) {
        error_nomem(err, "a table's definition");
        return NULL;
    }
    if (!ms_type_parse(declared, &column)) {
        error_set(err, HAUL_UNSUPPORTED, "column \"%s\": no type for it: %s", from->name, declared);
        return NULL;
    }
    column.name = from->name;
    column.flags = from->nullable && !key ? MS_FLAG_NULLABLE : 0;
    if (set_field(sink, place, &column, from, err))
        return NULL;
    sink->columns[place].column.name = sink->base.schema.fields[place].name;
    return declared;
}
