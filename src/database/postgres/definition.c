/*
 * definition.c: the columns of a table that will be made, the COPY statement
 * into it, and the names of staging tables.
 *
 * Each column gets a type from the type table, NOT NULL where the source says
 * so, and the table the source's primary key when all of it is there. A staging
 * table's name must fit in 63 bytes whatever the table's and the run's are: it
 * is the beginning of the first and a hash of both.
 */
#include "database/postgres/sink.h"

#include "base/unicode.h"
#include <string.h>

#define STAGING_KEPT_BYTES 38

void pg_column_set(struct postgres_sink *sink, int place, const struct pg_type *type, enum wire wire)
{
    struct sink_column *column = &sink->columns[place];
    const struct field *field = &sink->schema.fields[place];
    *column = (struct sink_column){.name = field->name, .wire = wire};
    if (field->type == TYPE_DURATION)
        column->wire = WIRE_INTERVAL;
    if (wire == WIRE_ARRAY) {
        column->item = pg_element_wire(type->oid);
        column->item_oid = pg_element_oid(type->oid);
    }
    if (column->wire == WIRE_CAST)
        sink->text_format = true;
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

static enum haul_code add_column(struct postgres_sink *sink, int place, const struct field *from,
                                 struct sql *sql, struct haul_error *err)
{
    struct arena *arena = &sink->schema.arena;
    struct field *field = &sink->schema.fields[place], meant = {0};
    enum wire wire = WIRE_TEXT;
    if (pg_stored_field(from, arena, field, err))
        return err->code;
    if (sink->uuid_text && field->type == TYPE_FIXED_BINARY) {
        field->type = TYPE_UTF8;
        field->extension = field->sql_type = NULL;
    }
    const char *declared = pg_type_write(field, &sink->arena);
    if (!declared)
        return error_nomem(err, "a table's definition");
    struct pg_type type = pg_type_of_name(declared);
    if (pg_type_read(&type, arena, &meant, &wire, err))
        return err->code;
    pg_column_set(sink, place, &type, wire);
    sql_add(sql, place ? ", " : "(");
    sql_name(sql, field->name);
    sql_add(sql, " %s%s", declared, field->nullable ? "" : " NOT NULL");
    return HAUL_OK;
}

static enum haul_code check_names(const struct schema *schema, struct haul_error *err)
{
    for (int i = 0; i < schema->count; i++)
        for (int j = 0; j < i; j++)
            if (strcmp(schema->fields[i].name, schema->fields[j].name) == 0)
                return error_set(err, HAUL_UNSUPPORTED,
                                 "two columns are called \"%s\"; leave one out with --columns",
                                 schema->fields[i].name);
    return HAUL_OK;
}

enum haul_code pg_define(struct postgres_sink *sink, const struct source_info *source, struct haul_error *err)
{
    int count = source->schema.count;
    struct sql sql = {.dialect = &pg_dialect};
    sink->columns = arena_alloc_array(&sink->arena, (size_t)count + 1, sizeof *sink->columns);
    if (!sink->columns)
        return error_nomem(err, "a table's definition");
    if (!count)
        return error_set(err, HAUL_UNSUPPORTED, "the source has no columns");
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

const char *pg_copy_statement(struct postgres_sink *sink, const char *work, struct haul_error *err)
{
    struct sql sql = {.dialect = &pg_dialect};
    sql_add(&sql, "COPY ");
    sql_table(&sql, sink->schema_name, work);
    for (int i = 0; i < sink->schema.count; i++) {
        sql_add(&sql, i ? ", " : " (");
        sql_name(&sql, sink->columns[i].name);
    }
    sql_add(&sql, ") FROM STDIN (FORMAT %s)", sink->text_format ? "text" : "binary");
    const char *text = sql_text(&sql, err), *kept = text ? arena_text(&sink->arena, text) : NULL;
    if (text && !kept)
        error_nomem(err, "a statement");
    sql_release(&sql);
    return kept;
}

/* FNV-1a */
static uint64_t hash_text(uint64_t hash, const char *text)
{
    for (; *text; text++)
        hash = (hash ^ (uint8_t)*text) * 0x100000001b3u;
    return (hash ^ 0xff) * 0x100000001b3u;
}

const char *pg_staging_name(const char *target, const char *run, struct arena *arena)
{
    uint64_t hash = hash_text(hash_text(0xcbf29ce484222325u, target), run);
    size_t kept = unicode_cut((const uint8_t *)target, strlen(target), STAGING_KEPT_BYTES);
    return arena_printf(arena, "%.*s__haul_%016llx", (int)kept, target, (unsigned long long)hash);
}

/* Constraints, indexes and defaults of the target, so that a row it would refuse
 * is refused one by one; columns that are not written go, the target fills them. */
enum haul_code pg_staging_like(struct postgres_sink *sink, struct sql *sql, struct haul_error *err)
{
    sql_add(sql, "CREATE TABLE ");
    sql_table(sql, sink->schema_name, sink->work);
    sql_add(sql, " (LIKE ");
    sql_table(sql, sink->schema_name, sink->target);
    sql_add(sql, " INCLUDING CONSTRAINTS INCLUDING INDEXES INCLUDING STORAGE);");
    for (int i = 0; i < sink->table.column_count; i++) {
        int place = 0;
        while (place < sink->schema.count &&
               strcmp(sink->columns[place].name, sink->table.columns[i].name) != 0)
            place++;
        if (place < sink->schema.count)
            continue;
        sql_add(sql, " ALTER TABLE ");
        sql_table(sql, sink->schema_name, sink->work);
        sql_add(sql, " DROP COLUMN ");
        sql_name(sql, sink->table.columns[i].name);
        sql_add(sql, " CASCADE;");
    }
    return sql_text(sql, err) ? HAUL_OK : err->code;
}
