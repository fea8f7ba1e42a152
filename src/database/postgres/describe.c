/*
 * describe.c: what is read, as which types, and by which parts.
 *
 * A table or view is looked up in the catalog; a query is prepared and described
 * without being run. --schema may force a column to text (then its exact text
 * is read) or a numeric to decimal(p,s); a type that needs a cast it does not
 * have here is refused, the transfer's own casts are the way.
 *
 * The identity changes with each process, because it names the snapshot: rows
 * of a table have no fixed order, so another snapshot's parts are other rows.
 * Only --static-source can say otherwise.
 */
#include "database/postgres/source.h"

#include "base/settings.h"
#include "batch/override.h"
#include <string.h>

#define SLICES_SINCE 140000 /* TID range scans */

/* ---- columns ---- */

static enum haul_code find_table(struct postgres_source *source, struct haul_error *err)
{
    const char *name = source->request.table;
    bool found;
    if (!name)
        return error_set(
            err, HAUL_USAGE,
            "%s: say which table to read with --table NAME (or --query SQL); \"haul list\" shows "
            "them",
            source->server.name);
    if (pg_table_read(&source->connection, name, &source->table, &found, err))
        return err->code;
    if (!found)
        return pg_table_unknown(&source->connection, name, err);
    source->sliced = (source->table.kind == TABLE_PLAIN || source->table.kind == TABLE_MATERIALISED ||
                      source->table.kind == TABLE_PARTITIONED) &&
                     source->table.sliceable && PQserverVersion(source->connection.pg) >= SLICES_SINCE;
    return HAUL_OK;
}

/* A query is described as the user wrote it first, so that an error's place is
 * his, and so that nothing but one statement is taken. */
static enum haul_code find_query(struct postgres_source *source, struct haul_error *err)
{
    struct sql sql = {.dialect = &pg_dialect};
    PGresult *result = NULL;
    enum haul_code code = pg_prepare_describe(&source->connection, source->query, &result, err);
    PQclear(result);
    if (!code)
        code = pg_select_described(source, &sql, err);
    if (!code)
        code = pg_query_columns(&source->connection, sql_text(&sql, err), &source->table, err);
    sql_release(&sql);
    return code ? error_prefix(err, "--query") : HAUL_OK;
}

/* The columns asked for, as places in the table. */
static enum haul_code choose_columns(struct postgres_source *source, int *places, int *count,
                                     struct haul_error *err)
{
    struct schema all = {0}, chosen = {0};
    const struct source_request *request = &source->request;
    *count = request->columns ? request->column_count : source->table.column_count;
    for (int i = 0; !request->columns && i < *count; i++)
        places[i] = i;
    if (!request->columns)
        return HAUL_OK;
    enum haul_code code = schema_init(&all, source->table.column_count, err);
    for (int i = 0; !code && i < all.count; i++)
        all.fields[i] = (struct field){.name = source->table.columns[i].name, .type = TYPE_UTF8};
    if (!code && schema_select(&all, request->columns, *count, &chosen, places, err))
        code = error_prefix(err, "%s", source->server.name);
    schema_release(&chosen);
    schema_release(&all);
    return code;
}

static enum haul_code read_columns(struct postgres_source *source, const int *places, int count,
                                   struct haul_error *err)
{
    source->columns = arena_alloc_array(&source->arena, (size_t)count + 1, sizeof *source->columns);
    if (!source->columns)
        return error_nomem(err, "columns");
    if (schema_init(&source->schema, count, err))
        return err->code;
    for (int i = 0; i < count; i++) {
        const struct column *column = &source->table.columns[places[i]];
        struct field *field = &source->schema.fields[i];
        field->name = arena_text(&source->schema.arena, column->name);
        field->nullable = !column->not_null;
        if (!field->name)
            return error_nomem(err, "columns");
        if (pg_type_read(&column->type, &source->schema.arena, field, &source->columns[i].wire, err))
            return err->code;
        source->columns[i].array = column->type.oid;
    }
    return HAUL_OK;
}

/* ---- --schema ---- */

static enum haul_code force(struct postgres_source *source, int place, const struct field *was,
                            struct haul_error *err)
{
    struct field *field = &source->schema.fields[place];
    char from[96], to[96];
    if (field_equal(field, was, false))
        return HAUL_OK;
    bool numeric = strncmp(field->sql_type, "postgres:numeric", 16) == 0 && !strchr(field->sql_type, '[');
    if (field->type == TYPE_UTF8)
        source->columns[place].wire = WIRE_CAST;
    else if (field->type == TYPE_DECIMAL && numeric)
        source->columns[place].wire = WIRE_NUMERIC;
    else {
        field_print_type(was, from, sizeof from);
        field_print_type(field, to, sizeof to);
        return error_set(err, HAUL_UNSUPPORTED,
                         "--schema: column \"%s\" is %s and cannot be read as %s; cast it in a --query",
                         field->name, from, to);
    }
    return HAUL_OK;
}

static enum haul_code apply_request(struct postgres_source *source, struct haul_error *err)
{
    struct schema was = {0};
    if (!source->request.schema)
        return HAUL_OK;
    enum haul_code code = schema_copy(&source->schema, &was, err);
    if (!code)
        code = schema_override(source->request.schema, &source->schema, NULL, err);
    for (int i = 0; !code && i < was.count; i++)
        code = force(source, i, &was.fields[i], err);
    schema_release(&was);
    return code;
}

/* ---- the answer ---- */

/* The names of the key, when all of it is read. */
static enum haul_code fill_key(const struct postgres_source *source, struct source_info *info,
                               struct haul_error *err)
{
    const struct table *table = &source->table;
    const char **names = arena_alloc_array(&info->arena, (size_t)table->key_count + 1, sizeof *names);
    if (!names)
        return error_nomem(err, "a key");
    for (int i = 0; i < table->column_count; i++) {
        int place = table->columns[i].key;
        if (place < 1 || place > table->key_count)
            continue;
        if (schema_find(&source->schema, table->columns[i].name) < 0)
            return HAUL_OK;
        names[place - 1] = arena_text(&info->arena, table->columns[i].name);
        if (!names[place - 1])
            return error_nomem(err, "a key");
    }
    info->key = table->key_count ? names : NULL;
    info->key_count = table->key_count;
    return HAUL_OK;
}

static enum haul_code fill_identity(struct postgres_source *source, struct source_info *info,
                                    struct haul_error *err)
{
    PGresult *result = NULL;
    if (pg_ask(&source->connection,
               "SELECT oid, pg_catalog.current_database() FROM pg_catalog.pg_database"
               " WHERE datname = pg_catalog.current_database()",
               NULL, &result, err))
        return err->code;
    info->identity = arena_printf(&info->arena, "database %s table %s file %s snapshot %s.%d",
                                  pg_text(result, 0, 0), source->table.oid ? source->table.oid : "-",
                                  source->table.file_node ? source->table.file_node : "-", source->snapshot,
                                  PQbackendPID(source->connection.pg));
    PQclear(result);
    return info->identity ? HAUL_OK : error_nomem(err, "a description");
}

static enum haul_code fill_info(struct postgres_source *source, struct source_info *info,
                                struct haul_error *err)
{
    const struct table *table = &source->table;
    if (schema_copy(&source->schema, &info->schema, err) || fill_key(source, info, err) ||
        fill_identity(source, info, err))
        return err->code;
    info->table = arena_text(&info->arena, table->name ? table->name : "query");
    info->table_schema = arena_text(&info->arena, table->schema);
    if (!info->table || (table->schema && !info->table_schema))
        return error_nomem(err, "a description");
    info->rows = source->request.where ? -1 : table->rows;
    info->bytes = source->request.where ? -1 : table->bytes;
    info->order_fixed = false;
    info->replayable = true;
    info->splits_max = source->sliced ? 0 : 1;
    info->consistency = "snapshot";
    return HAUL_OK;
}

enum haul_code pg_source_describe(struct source *base, struct source_info *info, struct haul_error *err)
{
    struct postgres_source *source = (struct postgres_source *)base;
    int count = 0;
    pg_table_release(&source->table);
    schema_release(&source->schema);
    source->sliced = false;
    if (pg_snapshot_take(source, err) || (source->query ? find_query(source, err) : find_table(source, err)))
        return err->code;
    if (source->table.column_count == 0)
        return error_set(err, HAUL_UNSUPPORTED, "%s: \"%s\" has no columns", source->server.name,
                         source->table.name ? source->table.name : "query");
    size_t room = (size_t)source->table.column_count + (size_t)source->request.column_count + 1;
    int *places = arena_alloc_array(&source->arena, room, sizeof *places);
    if (!places)
        return error_nomem(err, "columns");
    if (choose_columns(source, places, &count, err) || read_columns(source, places, count, err) ||
        apply_request(source, err))
        return err->code;
    return fill_info(source, info, err);
}
