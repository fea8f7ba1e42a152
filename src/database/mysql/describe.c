/*
 * describe.c: what is read, as which types, and by which parts.
 *
 * A table or view is looked up in information_schema; a query is run with LIMIT
 * 0. --schema may force a column to text (its exact text is read), and a TIME to
 * duration[us], which goes beyond a day; other casts are the transfer's.
 *
 * The identity changes with each process, because it names the snapshot: another
 * process has another. Only --static-source can say otherwise.
 */
#include "database/mysql/source.h"

#include "base/clock.h"
#include "database/request.h"
#include <string.h>

/* ---- where rows come from ---- */

/* How a column's values can be cut into ranges; ACCESS_ORDER: not. */
static enum access access_of(const char *declared, struct arena *scratch)
{
    struct haul_error unused = {0};
    struct field field = {0};
    enum form form = FORM_FLOAT;
    bool listed = strncmp(declared, "enum", 4) == 0 || strncmp(declared, "set", 3) == 0;
    if (my_type_read(declared, scratch, &field, &form, &unused))
        return ACCESS_ORDER;
    if (form == FORM_INT || form == FORM_UINT)
        return ACCESS_INTEGER;
    if (form == FORM_BYTES)
        return ACCESS_BYTES;
    bool text = !listed && (form == FORM_TEXT || form == FORM_DATE || form == FORM_MOMENT);
    return text ? ACCESS_TEXT : ACCESS_ORDER;
}

static void choose_access(struct mysql_source *source)
{
    const struct columns *columns = &source->table.columns;
    struct arena scratch = {0};
    source->access = columns->key_count ? ACCESS_ORDER : ACCESS_PLAIN;
    source->second = NULL;
    for (int i = 0; i < columns->count; i++) {
        const struct column *column = &columns->list[i];
        enum access access =
            column->key == 1 || column->key == 2 ? access_of(column->declared, &scratch) : ACCESS_ORDER;
        if (column->key == 1) {
            source->key = column->name;
            source->access = access;
        } else if (column->key == 2 && access != ACCESS_ORDER) {
            source->second = column->name;
            source->second_access = access;
        }
    }
    arena_release(&scratch);
}

static enum haul_code find_table(struct mysql_source *source, struct haul_error *err)
{
    const char *name = source->request.table;
    bool found;
    if (!name)
        return request_no_table(source->server.name, err);
    if (my_table_read(&source->connection, name, &source->table, &found, err))
        return err->code;
    if (!found)
        return my_table_unknown(&source->connection, name, err);
    choose_access(source);
    return my_snapshot_probe(source, err);
}

static enum haul_code find_query(struct mysql_source *source, struct haul_error *err)
{
    struct sql sql = {.dialect = &my_dialect};
    enum haul_code code = my_select_described(source, &sql, err);
    source->access = ACCESS_PLAIN;
    if (!code)
        code = my_query_columns(&source->connection, sql_text(&sql, err), &source->table, err);
    sql_release(&sql);
    return code ? error_prefix(err, "--query") : HAUL_OK;
}

/* ---- columns ---- */

static enum haul_code read_columns(struct mysql_source *source, const int *places, int count,
                                   struct haul_error *err)
{
    source->forms = arena_alloc_array(&source->arena, (size_t)count + 1, sizeof *source->forms);
    if (!source->forms)
        return error_nomem(err, "columns");
    if (schema_init(&source->schema, count, err))
        return err->code;
    for (int i = 0; i < count; i++) {
        const struct column *column = &source->table.columns.list[places[i]];
        struct field *field = &source->schema.fields[i];
        field->name = arena_text(&source->schema.arena, column->name);
        field->nullable = !column->not_null;
        if (!field->name)
            return error_nomem(err, "columns");
        if (my_type_read(column->declared, &source->schema.arena, field, &source->forms[i], err))
            return err->code;
    }
    return HAUL_OK;
}

/* ---- --schema ---- */

static enum haul_code force(void *object, int place, const struct field *was, struct haul_error *err)
{
    struct mysql_source *source = object;
    struct field *field = &source->schema.fields[place];
    enum form *form = &source->forms[place];
    bool bytes = *form == FORM_BYTES || *form == FORM_GEOMETRY || *form == FORM_BITS || *form == FORM_BOOL;
    if (field->type == TYPE_UTF8 && !bytes) {
        *form = FORM_TEXT;
        return HAUL_OK;
    }
    if (*form == FORM_TIME && field->type == TYPE_DURATION && field->unit == TIME_MICRO)
        return HAUL_OK;
    return schema_refuse_type(was, field, err);
}

static enum haul_code apply_request(struct mysql_source *source, struct haul_error *err)
{
    const struct forcing forcing = {source->request.schema, force, source};
    return schema_force(&forcing, &source->schema, err);
}

/* ---- the answer ---- */

static enum haul_code fill_info(struct mysql_source *source, struct source_info *info, struct haul_error *err)
{
    const struct table *table = &source->table;
    bool innodb = source->query || table->is_view || strcmp(table->engine, "InnoDB") == 0;
    bool split = source->access >= ACCESS_INTEGER;
    if (schema_copy(&source->schema, &info->schema, err) || columns_set_key(&table->columns, info, err))
        return err->code;
    info->table = arena_text(&info->arena, table->name ? table->name : "query");
    info->table_schema = arena_text(&info->arena, table->schema);
    info->identity = arena_printf(&info->arena, "table %s created %s snapshot %lld.%lu",
                                  table->name ? table->name : "-", table->created ? table->created : "-",
                                  (long long)clock_wall_us(), mysql_thread_id(source->connection.my));
    if (!info->table || (table->schema && !info->table_schema) || !info->identity)
        return error_nomem(err, "a description");
    info->rows = source->request.where ? -1 : table->rows;
    info->bytes = source->request.where ? -1 : table->bytes;
    info->order_fixed = source->access != ACCESS_PLAIN;
    info->replayable = info->fleeting = info->remote = true;
    info->splits_max = split ? 0 : 1;
    info->consistency = innodb && (source->lockable || !split) ? "snapshot" : "none";
    return HAUL_OK;
}

enum haul_code my_source_describe(struct source *base, struct source_info *info, struct haul_error *err)
{
    struct mysql_source *source = (struct mysql_source *)base;
    int *places, count = 0;
    my_table_release(&source->table);
    schema_release(&source->schema);
    my_split_release(source);
    if (source->query ? find_query(source, err) : find_table(source, err))
        return err->code;
    if (columns_choose(&source->table.columns, &source->request, &source->arena, &places, &count, err))
        return error_prefix(err, "%s", source->server.name);
    if (read_columns(source, places, count, err) || apply_request(source, err))
        return err->code;
    return fill_info(source, info, err);
}
