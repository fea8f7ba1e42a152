/*
 * definition.c: the columns of a table that will be made, and the text of an
 * existing table's definition.
 *
 * Each column gets a declared type from the type table, NOT NULL where the source
 * says so, and the table the source's primary key when all of it is there. A
 * single key of type INTEGER so becomes the rowid.
 */
#include "database/sqlite/sink.h"

#include <string.h>

enum haul_code sqlite_stored_field(const struct field *from, struct arena *arena, struct field *to,
                                   struct haul_error *err)
{
    if (field_copy(from, arena, to, err))
        return err->code;
    switch (from->type) {
    case TYPE_LIST:
    case TYPE_STRUCT:
    case TYPE_MAP: /* as JSON text */
        *to = (struct field){
            .name = to->name, .nullable = to->nullable, .type = TYPE_UTF8, .extension = "arrow.json"};
        return HAUL_OK;
    case TYPE_FLOAT16:
        to->type = TYPE_FLOAT32;
        return HAUL_OK;
    case TYPE_TIMESTAMP: /* the instant is kept, the zone's name is not */
        to->timezone = from->timezone ? "UTC" : NULL;
        return HAUL_OK;
    default:
        return HAUL_OK;
    }
}

const char *sqlite_define_column(void *object, int place, const struct field *from, bool key,
                                 struct haul_error *err)
{
    struct sqlite_sink *sink = object;
    (void)key;
    struct field *field = &sink->base.schema.fields[place];
    if (sqlite_stored_field(from, &sink->base.schema.arena, field, err))
        return NULL;
    const char *declared = sqlite_type_write(field, &sink->base.arena);
    if (!declared) {
        error_nomem(err, "a table's definition");
        return NULL;
    }
    sink->columns[place] = (struct sink_column){.name = field->name, .affinity = sqlite_affinity(declared)};
    return declared;
}

enum haul_code sqlite_begin_columns(struct table_sink *base, int count, struct haul_error *err)
{
    struct sqlite_sink *sink = (struct sqlite_sink *)base;
    sink->columns = arena_alloc_array(&base->arena, (size_t)count + 1, sizeof *sink->columns);
    return sink->columns ? HAUL_OK : error_nomem(err, "columns");
}

/* The end of a quoted or plain name. */
static const char *skip_name(const char *at)
{
    char close = *at == '[' ? ']' : strchr("\"'`", *at) ? *at : 0;
    if (!close)
        return at + strcspn(at, " \t\r\n(");
    for (at++; *at && (*at != close || (close != ']' && at[1] == close)); at++)
        at += *at == close;
    return *at ? at + 1 : at;
}

/* SQLite keeps the statement as it was written, but always with "CREATE TABLE "
 * and the bare name in front. */
const char *sqlite_definition_of(const struct table *table)
{
    static const char head[] = "CREATE TABLE ";
    if (strncmp(table->sql, head, sizeof head - 1))
        return NULL;
    return skip_name(table->sql + sizeof head - 1);
}
