/*
 * definition.c: the columns of a table that will be made, the COPY statement
 * into it, and the names of staging tables.
 *
 * Each column gets a type from the type table, NOT NULL where the source says
 * so, and the table the source's primary key when all of it is there.
 */
#include "database/postgres/sink.h"

#include <string.h>

void pg_column_set(struct postgres_sink *sink, int place, const struct pg_type *type, enum wire wire)
{
    struct sink_column *column = &sink->columns[place];
    const struct field *field = &sink->base.schema.fields[place];
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

const char *pg_define_column(void *object, int place, const struct field *from, bool key,
                             struct haul_error *err)
{
    struct postgres_sink *sink = object;
    (void)key;
    struct arena *arena = &sink->base.schema.arena;
    struct field *field = &sink->base.schema.fields[place], meant = {0};
    enum wire wire = WIRE_TEXT;
    if (pg_stored_field(from, arena, field, err))
        return NULL;
    if (sink->base.uuid_text && field->type == TYPE_FIXED_BINARY) {
        field->type = TYPE_UTF8;
        field->extension = field->sql_type = NULL;
    }
    const char *declared = pg_type_write(field, &sink->base.arena);
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

enum haul_code pg_begin_columns(struct table_sink *base, int count, struct haul_error *err)
{
    struct postgres_sink *sink = (struct postgres_sink *)base;
    sink->text_format = false;
    sink->columns = arena_alloc_array(&base->arena, (size_t)count + 1, sizeof *sink->columns);
    return sink->columns ? HAUL_OK : error_nomem(err, "columns");
}

const char *pg_copy_statement(struct postgres_sink *sink, struct haul_error *err)
{
    struct sql sql = {.dialect = &pg_dialect};
    sql_add(&sql, "COPY ");
    sql_table(&sql, sink->base.schema_name, sink->base.work);
    sql_add(&sql, " (");
    table_sink_add_columns(&sink->base, &sql);
    sql_add(&sql, ") FROM STDIN (FORMAT %s)", sink->text_format ? "text" : "binary");
    return sql_keep(&sql, &sink->base.arena, err);
}

static void alter_column(const struct table_sink *base, const char *before, const char *name,
                         const char *after, struct sql *sql)
{
    sql_add(sql, " ALTER TABLE ");
    sql_table(sql, base->schema_name, base->work);
    sql_add(sql, " %s ", before);
    sql_name(sql, name);
    sql_add(sql, " %s;", after);
}

/* Constraints and indexes of the target, so that a row it would refuse is refused
 * one by one; columns that are not written go, the target fills them. For a merge
 * keys may stand twice or be NULL here: that is looked at as a whole. */
void pg_staging_like(const struct postgres_sink *sink, struct sql *sql)
{
    const struct table_sink *base = &sink->base;
    sql_add(sql, "CREATE TABLE ");
    sql_table(sql, base->schema_name, base->work);
    sql_add(sql, " (LIKE ");
    sql_table(sql, base->schema_name, base->target);
    sql_add(sql, " INCLUDING CONSTRAINTS INCLUDING STORAGE%s);",
            base->mode == SINK_MERGE ? "" : " INCLUDING INDEXES");
    for (int i = 0; i < sink->table.columns.count; i++)
        if (schema_find(&base->schema, sink->table.columns.list[i].name) < 0)
            alter_column(base, "DROP COLUMN", sink->table.columns.list[i].name, "CASCADE", sql);
    for (int i = 0; base->mode == SINK_MERGE && i < base->key_count; i++)
        alter_column(base, "ALTER COLUMN", base->key[i], "DROP NOT NULL", sql);
}
