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
#include "database/request.h"
#include <string.h>

#define SLICES_SINCE 140000 /* TID range scans */

/* ---- columns ---- */

/* Ranges of blocks where they serve. A foreign table's rows are not of our snapshot: it
 * is cut only for who asks. */
static enum haul_code choose_split(struct postgres_source *source, struct haul_error *err)
{
    const struct settings *settings = source->context.settings;
    const char *wish = settings ? settings_text(settings, "split") : NULL;
    bool by_key = wish && strcmp(wish, "key") == 0, none = wish && strcmp(wish, "none") == 0;
    bool table = source->table.kind != TABLE_VIEW, ours = table && source->table.sliceable;
    if (wish && !by_key && !none && strcmp(wish, "auto") != 0)
        return error_set(err, HAUL_USAGE, "--split %s is not for PostgreSQL; it knows auto, key and none",
                         wish);
    source->sliced = source->sliced && !by_key && !none;
    if (none || !table || source->sliced || (!by_key && !ours))
        return HAUL_OK;
    if (pg_key_find(source, err))
        return err->code;
    if (by_key && !source->key)
        return error_set(
            err, HAUL_UNSUPPORTED, "--split key: there are no statistics to cut %s by; ANALYZE it%s",
            source->table.name, settings_given(settings, "key") ? ", or name another --key" : "");
    return HAUL_OK;
}

static enum haul_code find_table(struct postgres_source *source, struct haul_error *err)
{
    const char *name = source->request.table;
    bool found;
    if (!name)
        return request_no_table(source->server.name, err);
    if (pg_table_read(&source->connection, name, &source->table, &found, err))
        return err->code;
    if (!found)
        return pg_table_unknown(&source->connection, name, err);
    source->sliced = (source->table.kind == TABLE_PLAIN || source->table.kind == TABLE_MATERIALISED ||
                      source->table.kind == TABLE_PARTITIONED) &&
                     source->table.sliceable && PQserverVersion(source->connection.pg) >= SLICES_SINCE;
    return choose_split(source, err);
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

static enum haul_code read_columns(struct postgres_source *source, const int *places, int count,
                                   struct haul_error *err)
{
    source->columns = arena_alloc_array(&source->arena, (size_t)count + 1, sizeof *source->columns);
    if (!source->columns)
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
        if (pg_type_read(&source->table.types[places[i]], &source->schema.arena, field,
                         &source->columns[i].wire, err))
            return err->code;
        source->columns[i].array = source->table.types[places[i]].oid;
    }
    return HAUL_OK;
}

/* ---- --schema ---- */

static enum haul_code force(void *object, int place, const struct field *was, struct haul_error *err)
{
    struct postgres_source *source = object;
    struct field *field = &source->schema.fields[place];
    bool numeric = strncmp(field->sql_type, "postgres:numeric", 16) == 0 && !strchr(field->sql_type, '[');
    if (field->type == TYPE_UTF8)
        source->columns[place].wire = WIRE_CAST;
    else if (field->type == TYPE_DECIMAL && numeric)
        source->columns[place].wire = WIRE_NUMERIC;
    else
        return schema_refuse_type(was, field, err);
    return HAUL_OK;
}

static enum haul_code apply_request(struct postgres_source *source, struct haul_error *err)
{
    const struct forcing forcing = {source->request.schema, force, source};
    return schema_force(&forcing, &source->schema, err);
}

/* ---- the answer ---- */

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
    if (schema_copy(&source->schema, &info->schema, err) || columns_set_key(&table->columns, info, err) ||
        fill_identity(source, info, err))
        return err->code;
    info->table = arena_text(&info->arena, table->name ? table->name : "query");
    info->table_schema = arena_text(&info->arena, table->schema);
    if (!info->table || (table->schema && !info->table_schema))
        return error_nomem(err, "a description");
    info->rows = source->request.where ? -1 : table->rows;
    info->bytes = source->request.where ? -1 : table->bytes;
    info->order_fixed = false;
    info->replayable = info->fleeting = info->remote = true;
    bool cut = source->sliced || (source->key && source->bound_count > 2);
    info->splits_max = cut ? 0 : 1;
    info->scanned = source->sliced;
    info->consistency = "snapshot";
    if (source->key && !table->sliceable) {
        info->consistency = "none";
        info->consistency_note =
            "each reader sees a foreign table as of its own moment; without --split key it is "
            "read in one part";
    }
    return HAUL_OK;
}

enum haul_code pg_source_describe(struct source *base, struct source_info *info, struct haul_error *err)
{
    struct postgres_source *source = (struct postgres_source *)base;
    int *places, count = 0;
    pg_table_release(&source->table);
    schema_release(&source->schema);
    source->sliced = false;
    source->key = NULL;
    source->bound_count = 0;
    if (pg_snapshot_take(source, err) || (source->query ? find_query(source, err) : find_table(source, err)))
        return err->code;
    if (source->table.columns.count == 0)
        return error_set(err, HAUL_UNSUPPORTED, "%s: \"%s\" has no columns", source->server.name,
                         source->table.name ? source->table.name : "query");
    if (columns_choose(&source->table.columns, &source->request, &source->arena, &places, &count, err))
        return error_prefix(err, "%s", source->server.name);
    if (read_columns(source, places, count, err) || apply_request(source, err))
        return err->code;
    return fill_info(source, info, err);
}
