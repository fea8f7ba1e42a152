/*
 * definition.c: the columns of a table that will be made, and the LOAD DATA statement
 * into it.
 *
 * Each column gets a type from the type table, NOT NULL where the source says
 * so, and the table the source's primary key when all of it is there. Bytes pass
 * LOAD DATA as hex, because it reads its file as text of one character set; bits
 * as numbers.
 */
#include "database/mysql/sink.h"

#include <stdlib.h>

void my_column_set(struct mysql_sink *sink, int place, const char *declared, enum form form)
{
    const struct field *field = &sink->base.schema.fields[place];
    const char *number = strchr(declared, '(');
    sink->columns[place] = (struct sink_column){.name = field->name,
                                                .form = form,
                                                .year = strncmp(declared, "year", 4) == 0,
                                                .trimmed = strncmp(declared, "char(", 5) == 0,
                                                .digits = number ? atoi(number + 1) : 0};
}

const char *my_define_column(void *object, int place, const struct field *from, bool key,
                             struct haul_error *err)
{
    struct mysql_sink *sink = object;
    struct arena *arena = &sink->base.schema.arena;
    struct field *field = &sink->base.schema.fields[place], meant = {0};
    enum form form = FORM_TEXT;
    if (my_stored_field(from, arena, field, err))
        return NULL;
    if (sink->base.uuid_text && field->extension && strcmp(field->extension, "arrow.uuid") == 0) {
        field->type = TYPE_UTF8;
        field->extension = field->sql_type = NULL;
        field->width = 0;
    }
    const char *declared = my_type_write(field, key, &sink->base.arena);
    if (!declared) {
        error_nomem(err, "a table's definition");
        return NULL;
    }
    const char *bare = arena_text_n(&sink->base.arena, declared, strcspn(declared, " "));
    bool is_unsigned = strstr(declared, " unsigned") != NULL;
    if (!bare)
        error_nomem(err, "a table's definition");
    if (!bare || my_type_read(is_unsigned ? declared : bare, arena, &meant, &form, err))
        return NULL;
    my_column_set(sink, place, declared, form);
    return declared;
}

enum haul_code my_begin_columns(struct table_sink *base, int count, struct haul_error *err)
{
    struct mysql_sink *sink = (struct mysql_sink *)base;
    sink->columns = arena_alloc_array(&base->arena, (size_t)count + 1, sizeof *sink->columns);
    return sink->columns ? HAUL_OK : error_nomem(err, "columns");
}

/* ---- LOAD DATA ---- */

static bool is_hex(const struct sink_column *column)
{
    return column->form == FORM_BYTES || column->form == FORM_GEOMETRY;
}

static bool is_computed(const struct sink_column *column)
{
    return is_hex(column) || column->form == FORM_BITS || column->form == FORM_BOOL;
}

const char *my_load_statement(struct mysql_sink *sink, struct haul_error *err)
{
    struct sql sql = {.dialect = &my_dialect};
    bool set = false;
    sql_add(&sql, "LOAD DATA LOCAL INFILE 'haul' INTO TABLE ");
    sql_table(&sql, sink->base.schema_name, sink->base.work);
    sql_add(&sql, " CHARACTER SET utf8mb4 FIELDS TERMINATED BY '\\t' ENCLOSED BY '' ESCAPED BY '\\\\'"
                  " LINES TERMINATED BY '\\n' (");
    for (int i = 0; i < sink->base.schema.count; i++) {
        sql_add(&sql, i ? ", " : "");
        if (is_computed(&sink->columns[i]))
            sql_add(&sql, "@haul_%d", i);
        else
            sql_name(&sql, sink->columns[i].name);
    }
    sql_add(&sql, ")");
    for (int i = 0; i < sink->base.schema.count; i++) {
        if (!is_computed(&sink->columns[i]))
            continue;
        sql_add(&sql, set ? ", " : " SET ");
        sql_name(&sql, sink->columns[i].name);
        sql_add(&sql, is_hex(&sink->columns[i]) ? " = UNHEX(@haul_%d)" : " = CAST(@haul_%d AS UNSIGNED)", i);
        set = true;
    }
    return sql_keep(&sql, &sink->base.arena, err);
}
