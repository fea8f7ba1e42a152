/*
 * select.c: the statements that read, and the ranges that cut a table.
 *
 * A part's spec is "ctid A..B": the rows in blocks A to B - 1; the last part has
 * no B, so that rows behind the table's size at planning time are in it. The
 * same range is asked of each partition: together the parts cover every row of
 * all of them once. PostgreSQL 14 and newer reads such a range without looking
 * at the rest.
 *
 * Query and condition are the user's own SQL; a line break before the closing
 * parenthesis keeps a comment at their end from swallowing it.
 */
#include "database/postgres/source.h"

#include <stdio.h>
#include <string.h>

static void add_columns(const struct postgres_source *source, struct sql *sql)
{
    for (int i = 0; i < source->schema.count; i++) {
        sql_add(sql, i ? ", " : "");
        sql_name(sql, source->schema.fields[i].name);
        if (source->columns[i].wire == WIRE_CAST)
            sql_add(sql, "::pg_catalog.text");
    }
}

static void add_range(const struct range *range, struct sql *sql)
{
    sql_add(sql, "ctid >= '(%lld,0)'", (long long)range->low);
    if (range->high >= 0)
        sql_add(sql, " AND ctid < '(%lld,0)'", (long long)range->high);
}

static void add_from(const struct postgres_source *source, struct sql *sql)
{
    if (source->query)
        sql_add(sql, " FROM (%s\n) AS haul_query", source->query);
    else {
        sql_add(sql, " FROM ");
        sql_table(sql, source->table.schema, source->table.name);
    }
}

static void add_conditions(const struct postgres_source *source, const struct range *range, struct sql *sql)
{
    bool keyed = range && range->keyed, ranged = keyed || (range && (range->low > 0 || range->high >= 0));
    const char *where = source->request.where;
    if (!ranged && !where)
        return;
    sql_add(sql, " WHERE ");
    if (keyed)
        pg_key_add(range, sql);
    else if (ranged)
        add_range(range, sql);
    if (where)
        sql_add(sql, "%s(%s\n)", ranged ? " AND " : "", where);
}

enum haul_code pg_select_copy(const struct postgres_source *source, const struct range *range,
                              struct sql *sql, struct haul_error *err)
{
    sql_clear(sql);
    sql_add(sql, "COPY (SELECT ");
    add_columns(source, sql);
    add_from(source, sql);
    add_conditions(source, range, sql);
    sql_add(sql, ") TO STDOUT (FORMAT binary)");
    return sql_text(sql, err) ? HAUL_OK : err->code;
}

enum haul_code pg_select_described(const struct postgres_source *source, struct sql *sql,
                                   struct haul_error *err)
{
    sql_clear(sql);
    sql_add(sql, "SELECT *");
    add_from(source, sql);
    add_conditions(source, NULL, sql);
    return sql_text(sql, err) ? HAUL_OK : err->code;
}

enum haul_code pg_range_parse(const struct postgres_source *source, const char *spec, struct range *range,
                              struct haul_error *err)
{
    long long low = 0, high = -1;
    int end = 0;
    bool whole = strcmp(spec, "all") == 0;
    bool good = whole;
    if (pg_key_parse(source, spec, range))
        return HAUL_OK;
    if (!whole && sscanf(spec, "ctid %lld..%n", &low, &end) == 1 && end) {
        int more = 0;
        good = !spec[end] || (sscanf(spec + end, "%lld%n", &high, &more) == 1 && !spec[end + more]);
        good = good && source->sliced && low >= 0 && high >= -1;
    }
    if (!good)
        return error_set(err, HAUL_CHANGED, "the plan's part \"%s\" is none of %s; the table is another now",
                         spec, source->server.name);
    *range = (struct range){.low = low, .high = high};
    return HAUL_OK;
}
