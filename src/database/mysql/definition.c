/*
 * definition.c: the columns of a table that will be made, the LOAD DATA statement
 * into it, and the names of staging tables.
 *
 * Each column gets a type from the type table, NOT NULL where the source says
 * so, and the table the source's primary key when all of it is there. Bytes pass
 * LOAD DATA as hex, because it reads its file as text of one character set; bits
 * as numbers.
 */
#include "database/mysql/sink.h"

#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#define STAGING_KEPT_CHARACTERS 39

void my_column_set(struct mysql_sink *sink, int place, const char *declared, enum form form)
{
    const struct field *field = &sink->schema.fields[place];
    const char *number = strchr(declared, '(');
    sink->columns[place] = (struct sink_column){.name = field->name,
                                                .form = form,
                                                .year = strncmp(declared, "year", 4) == 0,
                                                .trimmed = strncmp(declared, "char(", 5) == 0,
                                                .digits = number ? atoi(number + 1) : 0};
}

static bool is_key(const struct source_info *source, const char *name)
{
    for (int i = 0; i < source->key_count; i++)
        if (strcmp(source->key[i], name) == 0)
            return true;
    return false;
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

static enum haul_code add_column(struct mysql_sink *sink, int place, const struct source_info *source,
                                 struct sql *sql, struct haul_error *err)
{
    struct arena *arena = &sink->schema.arena;
    struct field *field = &sink->schema.fields[place], meant = {0};
    enum form form = FORM_TEXT;
    if (my_stored_field(&source->schema.fields[place], arena, field, err))
        return err->code;
    if (sink->uuid_text && field->extension && strcmp(field->extension, "arrow.uuid") == 0) {
        field->type = TYPE_UTF8;
        field->extension = field->sql_type = NULL;
        field->width = 0;
    }
    const char *declared = my_type_write(field, is_key(source, field->name), &sink->arena);
    if (!declared)
        return error_nomem(err, "a table's definition");
    const char *bare = arena_text_n(&sink->arena, declared, strcspn(declared, " "));
    bool is_unsigned = strstr(declared, " unsigned") != NULL;
    if (!bare || my_type_read(is_unsigned ? declared : bare, arena, &meant, &form, err))
        return bare ? err->code : error_nomem(err, "a table's definition");
    my_column_set(sink, place, declared, form);
    sql_add(sql, place ? ", " : "(");
    sql_name(sql, field->name);
    sql_add(sql, " %s %s", declared, field->nullable ? "NULL" : "NOT NULL");
    return HAUL_OK;
}

static enum haul_code check_names(const struct schema *schema, struct haul_error *err)
{
    for (int i = 0; i < schema->count; i++)
        for (int j = 0; j < i; j++)
            if (strcasecmp(schema->fields[i].name, schema->fields[j].name) == 0)
                return error_set(err, HAUL_UNSUPPORTED,
                                 "columns \"%s\" and \"%s\" are one to MySQL; leave one out with --columns",
                                 schema->fields[j].name, schema->fields[i].name);
    return HAUL_OK;
}

enum haul_code my_define(struct mysql_sink *sink, const struct source_info *source, struct haul_error *err)
{
    int count = source->schema.count;
    struct sql sql = {.dialect = &my_dialect};
    sink->columns = arena_alloc_array(&sink->arena, (size_t)count + 1, sizeof *sink->columns);
    if (!sink->columns)
        return error_nomem(err, "a table's definition");
    if (!count)
        return error_set(err, HAUL_UNSUPPORTED, "the source has no columns");
    if (check_names(&source->schema, err) || schema_init(&sink->schema, count, err))
        return err->code;
    enum haul_code code = HAUL_OK;
    for (int i = 0; i < count && !code; i++)
        code = add_column(sink, i, source, &sql, err);
    add_key(&sql, source);
    sql_add(&sql, ") ENGINE=InnoDB CHARACTER SET utf8mb4 COLLATE utf8mb4_bin");
    const char *text = code ? NULL : sql_text(&sql, err);
    sink->definition = text ? arena_text(&sink->arena, text) : NULL;
    if (!code && !sink->definition)
        code = text ? error_nomem(err, "a table's definition") : err->code;
    sql_release(&sql);
    return code;
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

const char *my_load_statement(struct mysql_sink *sink, const char *work, struct haul_error *err)
{
    struct sql sql = {.dialect = &my_dialect};
    bool set = false;
    sql_add(&sql, "LOAD DATA LOCAL INFILE 'haul' INTO TABLE ");
    sql_table(&sql, sink->schema_name, work);
    sql_add(&sql, " CHARACTER SET utf8mb4 FIELDS TERMINATED BY '\\t' ENCLOSED BY '' ESCAPED BY '\\\\'"
                  " LINES TERMINATED BY '\\n' (");
    for (int i = 0; i < sink->schema.count; i++) {
        sql_add(&sql, i ? ", " : "");
        if (is_computed(&sink->columns[i]))
            sql_add(&sql, "@haul_%d", i);
        else
            sql_name(&sql, sink->columns[i].name);
    }
    sql_add(&sql, ")");
    for (int i = 0; i < sink->schema.count; i++) {
        if (!is_computed(&sink->columns[i]))
            continue;
        sql_add(&sql, set ? ", " : " SET ");
        sql_name(&sql, sink->columns[i].name);
        sql_add(&sql, is_hex(&sink->columns[i]) ? " = UNHEX(@haul_%d)" : " = CAST(@haul_%d AS UNSIGNED)", i);
        set = true;
    }
    const char *text = sql_text(&sql, err), *kept = text ? arena_text(&sink->arena, text) : NULL;
    if (text && !kept)
        error_nomem(err, "a statement");
    sql_release(&sql);
    return kept;
}

/* ---- names ---- */

/* FNV-1a */
static uint64_t hash_text(uint64_t hash, const char *text)
{
    for (; *text; text++)
        hash = (hash ^ (uint8_t)*text) * 0x100000001b3u;
    return (hash ^ 0xff) * 0x100000001b3u;
}

const char *my_staging_name(const char *target, const char *run, struct arena *arena)
{
    uint64_t hash = hash_text(hash_text(0xcbf29ce484222325u, target), run);
    size_t kept = 0, characters = 0;
    for (; target[kept]; kept++) {
        characters += (target[kept] & 0xc0) != 0x80;
        if (characters > STAGING_KEPT_CHARACTERS)
            break;
    }
    return arena_printf(arena, "%.*s__haul_%016llx", (int)kept, target, (unsigned long long)hash);
}

void my_run_tag(const char *run, char out[RUN_TAG_BYTES])
{
    snprintf(out, RUN_TAG_BYTES, "haul run %s", run);
}
