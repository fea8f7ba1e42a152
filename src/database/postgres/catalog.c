/*
 * catalog.c: reads the catalog by parametrised queries, names never pasted.
 *
 * A table is found as it is written, then in lower case when a part was not
 * quoted; without a schema, by the session's search_path. Row counts are the
 * server's estimates (reltuples), scaled to the table's size now; a partitioned
 * table's are the sums over its partitions.
 *
 * Types of domains are those of their base types, as the server sends them.
 */
#include "database/postgres/catalog.h"

#include "base/settings.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAMES_MAX 4096

/* Blocks and rows of one relation and of all that inherit from it. */
#define TREE_SQL                                                                                             \
    "WITH RECURSIVE tree(oid) AS (SELECT $1::pg_catalog.oid UNION"                                           \
    " SELECT i.inhrelid FROM pg_catalog.pg_inherits AS i JOIN tree ON i.inhparent = tree.oid),"              \
    " part AS (SELECT c.relkind, c.reltuples::float8 AS tuples, c.relpages::float8 AS pages,"                \
    " CASE WHEN c.relkind IN ('r', 'm') THEN pg_catalog.pg_relation_size(c.oid)"                             \
    " / pg_catalog.current_setting('block_size')::int8 ELSE 0 END AS blocks"                                 \
    " FROM tree JOIN pg_catalog.pg_class AS c ON c.oid = tree.oid)"                                          \
    " SELECT pg_catalog.round(sum(CASE WHEN relkind = 'f' AND tuples > 0 THEN tuples"                        \
    " WHEN relkind NOT IN ('r', 'm') OR blocks = 0 THEN 0"                                                   \
    " WHEN tuples < 0 OR pages = 0 THEN NULL ELSE tuples / pages * blocks END)::numeric),"                   \
    " bool_or(relkind IN ('r', 'm') AND blocks > 0 AND (tuples < 0 OR pages = 0)),"                          \
    " sum(blocks)::int8 * pg_catalog.current_setting('block_size')::int8, max(blocks),"                      \
    " bool_and(relkind IN ('r', 'm', 'p')) FROM part"

static const char table_sql[] =
    "SELECT c.oid, n.nspname, c.relname, c.relkind, c.relpersistence, c.relfilenode,"
    " EXISTS (SELECT 1 FROM pg_catalog.pg_constraint AS k WHERE k.confrelid = c.oid AND k.contype = 'f')"
    " FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace"
    " WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND c.relname = $1"
    " AND CASE WHEN $2::text IS NULL THEN pg_catalog.pg_table_is_visible(c.oid) ELSE n.nspname = $2 END";

static const char columns_sql[] =
    "SELECT a.attname, a.atttypid, a.atttypmod, a.attndims, a.attnotnull, a.atthasdef OR a.attidentity <> '',"
    " pg_catalog.to_jsonb(a)->>'attgenerated' = 's',"
    " coalesce((SELECT pg_catalog.array_position(i.indkey::int2[], a.attnum) + 1"
    "  FROM pg_catalog.pg_index AS i WHERE i.indrelid = a.attrelid AND i.indisprimary), 0)"
    " FROM pg_catalog.pg_attribute AS a WHERE a.attrelid = $1::pg_catalog.oid AND a.attnum > 0"
    " AND NOT a.attisdropped ORDER BY a.attnum";

/* From type and modifier to the base type's; a domain's own modifier counts when it has one. */
static const char type_sql[] =
    "WITH RECURSIVE base(oid, modifier, depth) AS (SELECT $1::pg_catalog.oid, $2::int4, 0 UNION ALL"
    " SELECT t.typbasetype, CASE WHEN t.typtypmod >= 0 THEN t.typtypmod ELSE base.modifier END, depth + 1"
    " FROM base JOIN pg_catalog.pg_type AS t ON t.oid = base.oid AND t.typtype = 'd' WHERE depth < 64)"
    " SELECT base.oid, base.modifier, t.typtype = 'e', pg_catalog.format_type(base.oid, base.modifier)"
    " FROM base JOIN pg_catalog.pg_type AS t ON t.oid = base.oid ORDER BY depth DESC LIMIT 1";

static const char list_sql[] =
    "SELECT n.nspname, c.relname, c.relkind, CASE WHEN c.relkind IN ('r', 'm', 'p', 'f') THEN"
    " pg_catalog.round(c.reltuples::numeric) ELSE -1 END,"
    " CASE WHEN c.relkind IN ('r', 'm') THEN pg_catalog.pg_total_relation_size(c.oid)"
    " WHEN c.relkind = 'p' THEN (SELECT coalesce(sum(pg_catalog.pg_total_relation_size(i.inhrelid)), 0)"
    "  FROM pg_catalog.pg_inherits AS i WHERE i.inhparent = c.oid) ELSE -1 END"
    " FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace"
    " WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND n.nspname NOT IN ('pg_catalog', 'information_schema')"
    " AND n.nspname NOT LIKE 'pg\\_toast%' AND n.nspname NOT LIKE 'pg\\_temp%'"
    " AND NOT c.relispartition ORDER BY 1, 2";

static const char near_sql[] =
    "SELECT CASE WHEN pg_catalog.pg_table_is_visible(c.oid) THEN '' ELSE n.nspname || '.' END || c.relname"
    " FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace"
    " WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND n.nspname NOT IN ('pg_catalog', 'information_schema')"
    " AND n.nspname NOT LIKE 'pg\\_toast%' AND n.nspname NOT LIKE 'pg\\_temp%' ORDER BY 1 LIMIT 4096";

void pg_table_release(struct table *table)
{
    arena_release(&table->arena);
    *table = (struct table){0};
}

const char *pg_kind_name(char kind)
{
    switch (kind) {
    case TABLE_PARTITIONED:
        return "partitioned table";
    case TABLE_VIEW:
        return "view";
    case TABLE_MATERIALISED:
        return "materialised view";
    case TABLE_FOREIGN:
        return "foreign table";
    default:
        return "table";
    }
}

/* ---- types ---- */

static enum haul_code read_type(struct connection *connection, struct arena *arena, struct pg_type *type,
                                struct haul_error *err)
{
    char oid[16], modifier[16];
    const char *const texts[] = {oid, modifier};
    PGresult *result = NULL;
    snprintf(oid, sizeof oid, "%u", type->oid);
    snprintf(modifier, sizeof modifier, "%d", type->modifier);
    if (pg_ask(connection, type_sql, &(struct pg_values){2, texts}, &result, err))
        return err->code;
    type->text = "unknown";
    if (PQntuples(result) == 1) {
        type->oid = (Oid)strtoul(pg_text(result, 0, 0), NULL, 10);
        type->modifier = (int)pg_number(result, 0, 1);
        type->is_enum = pg_true(result, 0, 2);
        type->text = arena_text(arena, pg_text(result, 0, 3));
    }
    PQclear(result);
    return type->text ? HAUL_OK : error_nomem(err, "a type");
}

/* Columns mostly repeat few types: each is asked for once. */
static enum haul_code read_types(struct connection *connection, struct table *table, const int *raw,
                                 struct haul_error *err)
{
    for (int i = 0; i < table->columns.count; i++) {
        struct pg_type *type = &table->types[i];
        int same = 0;
        while (same < i && (raw[same * 2] != raw[i * 2] || raw[same * 2 + 1] != raw[i * 2 + 1]))
            same++;
        int dimensions = type->dimensions;
        if (same < i)
            *type = table->types[same];
        else if (read_type(connection, &table->arena, type, err))
            return err->code;
        type->dimensions = dimensions;
    }
    return HAUL_OK;
}

static enum haul_code types_of(struct connection *connection, struct table *table, struct haul_error *err)
{
    int *raw = arena_alloc_array(&table->arena, (size_t)table->columns.count + 1, 2 * sizeof *raw);
    if (!raw)
        return error_nomem(err, "a table's columns");
    for (int i = 0; i < table->columns.count; i++) {
        raw[i * 2] = (int)table->types[i].oid;
        raw[i * 2 + 1] = table->types[i].modifier;
    }
    return read_types(connection, table, raw, err);
}

/* ---- one table ---- */

static enum haul_code make_columns(struct table *table, int count, struct haul_error *err)
{
    size_t room = (size_t)count + 1;
    table->columns.list = arena_alloc_array(&table->arena, room, sizeof *table->columns.list);
    table->types = arena_alloc_array(&table->arena, room, sizeof *table->types);
    table->columns.count = count;
    return table->columns.list && table->types ? HAUL_OK : error_nomem(err, "a table's columns");
}

static enum haul_code fill_column(struct table *table, const PGresult *result, int i, struct haul_error *err)
{
    struct column *column = &table->columns.list[i];
    *column = (struct column){.name = arena_text(&table->arena, pg_text(result, i, 0)),
                              .declared = "",
                              .not_null = pg_true(result, i, 4),
                              .has_default = pg_true(result, i, 5),
                              .generated = pg_true(result, i, 6),
                              .key = (int)pg_number(result, i, 7)};
    table->types[i] = (struct pg_type){.oid = (Oid)strtoul(pg_text(result, i, 1), NULL, 10),
                                       .modifier = (int)pg_number(result, i, 2),
                                       .dimensions = (int)pg_number(result, i, 3)};
    table->columns.key_count += column->key > 0;
    return column->name ? HAUL_OK : error_nomem(err, "a table's columns");
}

static enum haul_code read_columns(struct connection *connection, struct table *table, struct haul_error *err)
{
    PGresult *result = NULL;
    if (pg_ask(connection, columns_sql, &(struct pg_values){1, &table->oid}, &result, err))
        return err->code;
    enum haul_code code = make_columns(table, PQntuples(result), err);
    for (int i = 0; i < table->columns.count && !code; i++)
        code = fill_column(table, result, i, err);
    PQclear(result);
    return code ? code : types_of(connection, table, err);
}

static enum haul_code read_size(struct connection *connection, struct table *table, struct haul_error *err)
{
    PGresult *result = NULL;
    table->rows = table->bytes = -1;
    if (table->kind == TABLE_VIEW)
        return HAUL_OK;
    if (pg_ask(connection, TREE_SQL, &(struct pg_values){1, &table->oid}, &result, err))
        return err->code;
    if (!pg_true(result, 0, 1))
        table->rows = pg_number(result, 0, 0);
    table->bytes = pg_number(result, 0, 2);
    table->blocks = pg_number(result, 0, 3);
    table->sliceable = pg_true(result, 0, 4);
    PQclear(result);
    if (table->kind == TABLE_FOREIGN) { /* what ANALYZE saw of it; its bytes are elsewhere */
        table->rows = table->rows > 0 ? table->rows : -1;
        table->bytes = -1;
    }
    return HAUL_OK;
}

static enum haul_code fill_head(struct table *table, const PGresult *result, struct haul_error *err)
{
    table->oid = arena_text(&table->arena, pg_text(result, 0, 0));
    table->schema = arena_text(&table->arena, pg_text(result, 0, 1));
    table->name = arena_text(&table->arena, pg_text(result, 0, 2));
    table->kind = pg_text(result, 0, 3)[0];
    table->unlogged = pg_text(result, 0, 4)[0] == 'u';
    table->temporary = pg_text(result, 0, 4)[0] == 't';
    table->file_node = arena_text(&table->arena, pg_text(result, 0, 5));
    table->referenced = pg_true(result, 0, 6);
    bool complete = table->oid && table->schema && table->name && table->file_node;
    return complete ? HAUL_OK : error_nomem(err, "a table's description");
}

static enum haul_code read_exact(struct connection *connection, const struct table_name *name,
                                 struct table *table, bool *found, struct haul_error *err)
{
    const char *const texts[] = {name->name, name->schema};
    PGresult *result = NULL;
    if (pg_ask(connection, table_sql, &(struct pg_values){2, texts}, &result, err))
        return err->code;
    *found = PQntuples(result) > 0;
    enum haul_code code = *found ? fill_head(table, result, err) : HAUL_OK;
    PQclear(result);
    if (code || !*found)
        return code;
    return read_columns(connection, table, err) ? err->code : read_size(connection, table, err);
}

static const char *lower(const char *text, struct arena *arena)
{
    char *copy = arena_text(arena, text);
    for (char *at = copy; at && *at; at++)
        if (*at >= 'A' && *at <= 'Z')
            *at = (char)(*at + ('a' - 'A'));
    return copy;
}

enum haul_code pg_table_read(struct connection *connection, const char *name, struct table *table,
                             bool *found, struct haul_error *err)
{
    struct table_name parsed;
    *table = (struct table){0};
    *found = false;
    enum haul_code code = table_name_parse(&pg_dialect, name, &table->arena, &parsed, err);
    if (!code)
        code = read_exact(connection, &parsed, table, found, err);
    if (!code && !*found && parsed.folded) {
        parsed.name = lower(parsed.name, &table->arena);
        parsed.schema = parsed.schema ? lower(parsed.schema, &table->arena) : NULL;
        code = parsed.name ? read_exact(connection, &parsed, table, found, err)
                           : error_nomem(err, "a table's name");
    }
    if (code || !*found)
        pg_table_release(table);
    return code;
}

/* ---- a query ---- */

static enum haul_code fill_described(struct table *table, const PGresult *result, struct haul_error *err)
{
    if (make_columns(table, PQnfields(result), err))
        return err->code;
    if (PQnparams(result))
        return error_set(err, HAUL_USAGE, "--query (or --where) has parameters; write the values into it");
    if (!table->columns.count)
        return error_set(err, HAUL_USAGE, "--query returns no columns; it must be a SELECT");
    for (int i = 0; i < table->columns.count; i++) {
        struct column *column = &table->columns.list[i];
        column->name = arena_text(&table->arena, PQfname(result, i));
        column->declared = "";
        table->types[i] = (struct pg_type){.oid = PQftype(result, i), .modifier = PQfmod(result, i)};
        if (!column->name)
            return error_nomem(err, "columns");
        for (int j = 0; j < i; j++)
            if (strcmp(table->columns.list[j].name, column->name) == 0)
                return error_set(err, HAUL_USAGE,
                                 "--query gives two columns the name \"%s\"; name them with AS",
                                 column->name);
    }
    return HAUL_OK;
}

enum haul_code pg_query_columns(struct connection *connection, const char *sql, struct table *table,
                                struct haul_error *err)
{
    PGresult *result = NULL;
    *table = (struct table){.rows = -1, .bytes = -1};
    if (pg_prepare_describe(connection, sql, &result, err))
        return err->code;
    enum haul_code code = fill_described(table, result, err);
    PQclear(result);
    if (!code)
        code = types_of(connection, table, err);
    if (code)
        pg_table_release(table);
    return code;
}

/* ---- all tables ---- */

enum haul_code pg_table_unknown(struct connection *connection, const char *name, struct haul_error *err)
{
    const char **names = calloc(NAMES_MAX, sizeof *names);
    char near[256] = "";
    PGresult *result = NULL;
    if (!names)
        return error_nomem(err, "table names");
    if (!pg_ask(connection, near_sql, NULL, &result, err)) {
        size_t count = (size_t)PQntuples(result);
        for (size_t i = 0; i < count && i < NAMES_MAX; i++)
            names[i] = pg_text(result, (int)i, 0);
        settings_near(name, names, count < NAMES_MAX ? count : NAMES_MAX, near, sizeof near);
        error_set(err, HAUL_NOT_FOUND, "%s: there is no table \"%s\"%s%s", connection->server->name, name,
                  !count    ? ": the database has none that you can see"
                  : near[0] ? "; near to it: "
                            : "; \"haul list\" shows those that are there",
                  near);
    }
    PQclear(result);
    free(names);
    return err->code;
}

enum haul_code pg_catalog_list(struct connection *connection, haul_table_fn each, void *user,
                               struct haul_error *err)
{
    PGresult *result = NULL;
    if (pg_ask(connection, list_sql, NULL, &result, err))
        return err->code;
    for (int i = 0; i < PQntuples(result); i++) {
        struct haul_table table = {.schema = pg_text(result, i, 0),
                                   .name = pg_text(result, i, 1),
                                   .kind = pg_kind_name(pg_text(result, i, 2)[0]),
                                   .rows = pg_number(result, i, 3),
                                   .bytes = pg_number(result, i, 4)};
        each(user, &table);
    }
    PQclear(result);
    return HAUL_OK;
}
