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
#include <strings.h>

#define COLUMNS_MAX 2000 /* SQLITE_MAX_COLUMN, unless SQLite was built otherwise */

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

/* SQLite's names differ by more than case. */
static enum haul_code check_names(const struct schema *schema, struct haul_error *err)
{
    for (int i = 0; i < schema->count; i++)
        for (int j = 0; j < i; j++)
            if (!strcasecmp(schema->fields[i].name, schema->fields[j].name))
                return error_set(err, HAUL_UNSUPPORTED,
                                 "columns \"%s\" and \"%s\" are one to SQLite; leave one out "
                                 "with --columns",
                                 schema->fields[j].name, schema->fields[i].name);
    return HAUL_OK;
}

static void add_key(struct sql *sql, const struct source_info *source)
{
    for (int i = 0; i < source->key_count; i++)
        if (schema_find(&source->schema, source->key[i]) < 0)
            return;
    for (int i = 0; i < source->key_count; i++) {
        sql_add(sql, i ? ", " : ", PRIMARY KEY (");
        sql_name(sql, source->key[i]);
    }
    sql_add(sql, source->key_count ? ")" : "");
}

static enum haul_code add_column(struct sqlite_sink *sink, int place, const struct field *from,
                                 struct sql *sql, struct haul_error *err)
{
    struct field *field = &sink->schema.fields[place];
    if (sqlite_stored_field(from, &sink->schema.arena, field, err))
        return err->code;
    const char *declared = sqlite_type_write(field, &sink->arena);
    if (!declared)
        return error_nomem(err, "a table's definition");
    sink->columns[place] = (struct sink_column){.name = field->name, .affinity = sqlite_affinity(declared)};
    sql_add(sql, place ? ", " : "(");
    sql_name(sql, field->name);
    sql_add(sql, " %s%s", declared, field->nullable ? "" : " NOT NULL");
    return HAUL_OK;
}

enum haul_code sqlite_define(struct sqlite_sink *sink, const struct source_info *source,
                             struct haul_error *err)
{
    int count = source->schema.count;
    struct sql sql = {.dialect = &sqlite_dialect};
    sink->columns = arena_alloc_array(&sink->arena, (size_t)count + 1, sizeof *sink->columns);
    if (!sink->columns)
        return error_nomem(err, "a table's definition");
    if (count > COLUMNS_MAX)
        return error_set(err, HAUL_UNSUPPORTED,
                         "the source has %d columns, a table of SQLite at most %d; choose with --columns",
                         count, COLUMNS_MAX);
    if (!count)
        return error_set(err, HAUL_UNSUPPORTED, "the source has no columns; SQLite has no such table");
    if (check_names(&source->schema, err) || schema_init(&sink->schema, count, err))
        return err->code;
    enum haul_code code = HAUL_OK;
    for (int i = 0; i < count && !code; i++)
        code = add_column(sink, i, &source->schema.fields[i], &sql, err);
    add_key(&sql, source);
    sql_add(&sql, ")");
    const char *text = code ? NULL : sql_text(&sql, err);
    sink->definition = text ? arena_text(&sink->arena, text) : NULL;
    if (!code && !sink->definition)
        code = text ? error_nomem(err, "a table's definition") : err->code;
    sql_release(&sql);
    return code;
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
