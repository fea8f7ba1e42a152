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

#include "database/definition.h"
#include <string.h>

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

static const char *define_column(void *object, int place, const struct field *from, bool key,
                                 struct haul_error *err)
{
    struct postgres_sink *sink = object;
    (void)key;
    struct arena *arena = &sink->schema.arena;
    struct field *field = &sink->schema.fields[place], meant = {0};
    enum wire wire = WIRE_TEXT;
    if (pg_stored_field(from, arena, field, err))
        return NULL;
    if (sink->uuid_text && field->type == TYPE_FIXED_BINARY) {
        field->type = TYPE_UTF8;
        field->extension = field->sql_type = NULL;
    }
    const char *declared = pg_type_write(field, &sink->arena);
    if (!declared) {
        error_nomem(err, "a table's definition");
        return NULL;
    }
    struct pg_type type = pg_type_of_name(declared);
    if (pg_type_read(&type, arena, &meant, &wire, err))
        return NULL;
    pg_column_set(sink, place, &type, wire);
    return declared;
}

enum haul_code pg_define(struct postgres_sink *sink, const struct source_info *source, struct haul_error *err)
{
    const struct definer definer = {&pg_dialect, define_column, sink, &sink->schema, &sink->arena};
    sink->columns = arena_alloc_array(&sink->arena, (size_t)source->schema.count + 1, sizeof *sink->columns);
    if (!sink->columns)
        return error_nomem(err, "a table's definition");
    sink->definition = table_define(&definer, source, err);
    return sink->definition ? HAUL_OK : err->code;
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

/* Constraints, indexes and defaults of the target, so that a row it would refuse
 * is refused one by one; columns that are not written go, the target fills them. */
enum haul_code pg_staging_like(struct postgres_sink *sink, struct sql *sql, struct haul_error *err)
{
    sql_add(sql, "CREATE TABLE ");
    sql_table(sql, sink->schema_name, sink->work);
    sql_add(sql, " (LIKE ");
    sql_table(sql, sink->schema_name, sink->target);
    sql_add(sql, " INCLUDING CONSTRAINTS INCLUDING INDEXES INCLUDING STORAGE);");
    for (int i = 0; i < sink->table.columns.count; i++) {
        int place = 0;
        while (place < sink->schema.count &&
               strcmp(sink->columns[place].name, sink->table.columns.list[i].name) != 0)
            place++;
        if (place < sink->schema.count)
            continue;
        sql_add(sql, " ALTER TABLE ");
        sql_table(sql, sink->schema_name, sink->work);
        sql_add(sql, " DROP COLUMN ");
        sql_name(sql, sink->table.columns.list[i].name);
        sql_add(sql, " CASCADE;");
    }
    return sql_text(sql, err) ? HAUL_OK : err->code;
}
