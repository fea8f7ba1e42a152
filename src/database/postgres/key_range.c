/*
 * key_range.c: parts that are ranges of one column, where ranges of blocks do not
 * serve: servers before 14, foreign tables with --split key, whoever asks for it.
 *
 * The boundaries are the server's own histogram of the column (pg_stats): equal
 * shares of the rows, however skewed the values are. Of all columns the one with
 * most different values is taken, or the one that --key names. What the
 * statistics say is only where to cut: the parts are complementary comparisons
 * with the same literals, the last one has the NULLs too, so together they give
 * every row once however old the statistics are. Any type with an order will do.
 *
 * A part's spec is "key NAME LOW..HIGH", all three in hex: rows from LOW on, up
 * to HIGH without it; an end that is not there is open.
 */
#include "database/postgres/source.h"

#include "base/settings.h"
#include <stdio.h>
#include <string.h>

static const char histogram_sql[] =
    "SELECT s.attname, b.bound FROM (SELECT attname, histogram_bounds::text::text[] AS bounds"
    " FROM pg_catalog.pg_stats WHERE schemaname = $1 AND tablename = $2 AND inherited = $3::bool"
    " AND histogram_bounds IS NOT NULL AND ($4::text IS NULL OR attname = $4)"
    " ORDER BY CASE WHEN n_distinct < 0 THEN -n_distinct * $5::float8 ELSE n_distinct END DESC,"
    " null_frac, attname LIMIT 1) AS s, unnest(s.bounds) WITH ORDINALITY AS b(bound, place)"
    " WHERE octet_length(b.bound) < 500 ORDER BY b.place";

static enum haul_code fill_bounds(struct postgres_source *source, const PGresult *result,
                                  struct haul_error *err)
{
    int rows = PQntuples(result);
    const char **bounds = arena_alloc_array(&source->arena, (size_t)rows + 1, sizeof *bounds);
    if (!bounds)
        return error_nomem(err, "parts");
    source->key = rows ? arena_text(&source->arena, pg_text(result, 0, 0)) : NULL;
    for (int i = 0; i < rows; i++) {
        bounds[i] = arena_text(&source->arena, pg_text(result, i, 1));
        if (!bounds[i] || !source->key)
            return error_nomem(err, "parts");
    }
    source->bounds = bounds;
    source->bound_count = rows;
    return HAUL_OK;
}

enum haul_code pg_key_find(struct postgres_source *source, struct haul_error *err)
{
    const struct settings *settings = source->context.settings;
    const struct table *table = &source->table;
    char rows[32];
    PGresult *result = NULL;
    snprintf(rows, sizeof rows, "%lld", (long long)(table->rows > 0 ? table->rows : 1));
    const char *const texts[] = {table->schema, table->name, table->kind == TABLE_PARTITIONED ? "t" : "f",
                                 settings ? settings_text(settings, "key") : NULL, rows};
    enum haul_code code =
        pg_ask(&source->connection, histogram_sql, &(struct pg_values){5, texts}, &result, err);
    if (!code)
        code = fill_bounds(source, result, err);
    PQclear(result);
    return code;
}

/* ---- specs ---- */

static bool put_hex(char *out, size_t room, const char *text)
{
    size_t length = strlen(text);
    if (length * 2 >= room)
        return false;
    for (size_t i = 0; i < length; i++)
        snprintf(out + i * 2, 3, "%02x", (uint8_t)text[i]);
    out[length * 2] = 0;
    return true;
}

static bool take_hex(const char *text, size_t length, char *out, size_t room)
{
    unsigned byte;
    if (length % 2 || length / 2 >= room || strspn(text, "0123456789abcdef") < length)
        return false;
    for (size_t i = 0; i < length / 2; i++) {
        if (sscanf(text + i * 2, "%2x", &byte) != 1 || byte == 0)
            return false;
        out[i] = (char)byte;
    }
    out[length / 2] = 0;
    return true;
}

const char *pg_key_spec(const char *key, const char *low, const char *high, struct arena *arena)
{
    char name[2 * NAME_ROOM], from[2 * KEY_BOUND_BYTES] = "", to[2 * KEY_BOUND_BYTES] = "";
    if (!low && !high)
        return arena_text(arena, "all");
    if (!put_hex(name, sizeof name, key) || (low && !put_hex(from, sizeof from, low)) ||
        (high && !put_hex(to, sizeof to, high)))
        return NULL;
    return arena_printf(arena, "key %s %s%s..%s%s", name, low ? "x" : "", from, high ? "x" : "", to);
}

/* "x" stands before a bound that is there, because '' is one too. */
static bool parse_bound(const char *text, size_t length, bool *given, char out[KEY_BOUND_BYTES])
{
    *given = length > 0;
    return length == 0 || (*text == 'x' && take_hex(text + 1, length - 1, out, KEY_BOUND_BYTES));
}

bool pg_key_parse(const struct postgres_source *source, const char *spec, struct range *range)
{
    *range = (struct range){.high = -1, .keyed = true};
    if (strncmp(spec, "key ", 4) != 0)
        return false;
    const char *name = spec + 4, *space = strchr(name, ' '), *dots = space ? strstr(space, "..") : NULL;
    return dots && take_hex(name, (size_t)(space - name), range->column, sizeof range->column) &&
           columns_find(&source->table.columns, range->column) >= 0 &&
           parse_bound(space + 1, (size_t)(dots - space) - 1, &range->has_from, range->from) &&
           parse_bound(dots + 2, strlen(dots + 2), &range->has_to, range->to) &&
           (range->has_from || range->has_to);
}

void pg_key_add(const struct range *range, struct sql *sql)
{
    if (range->has_from) {
        sql_add(sql, range->has_to ? "" : "(");
        sql_name(sql, range->column);
        sql_add(sql, " >=");
        sql_literal(sql, range->from);
        sql_add(sql, range->has_to ? " AND " : " OR ");
    }
    sql_name(sql, range->column);
    sql_add(sql, range->has_to ? " <" : " IS NULL)");
    if (range->has_to)
        sql_literal(sql, range->to);
}

/* ---- splitting ---- */

static int count_parts(const struct postgres_source *source, const struct split_request *request)
{
    double rows = (double)source->table.rows, bytes = (double)source->table.bytes;
    double by_rows = request->part_rows > 0 && rows > 0 ? rows / (double)request->part_rows : 1;
    double by_bytes = request->part_bytes > 0 && bytes > 0 ? bytes / (double)request->part_bytes : 1;
    double wish = by_rows > by_bytes ? by_rows : by_bytes;
    int most = source->bound_count - 1;
    return most < 1 || wish <= 1 ? 1 : wish >= most ? most : (int)wish + 1;
}

/* The upper bound of part `index`: NULL for the last one. Equal boundaries are passed over. */
static const char *bound_behind(const struct postgres_source *source, int *share, const char *low)
{
    for (++*share; *share < source->share_count; ++*share) {
        int at = (int)((int64_t)*share * (source->bound_count - 1) / source->share_count);
        if (!low || strcmp(source->bounds[at], low) != 0)
            return source->bounds[at];
    }
    return NULL;
}

const char *pg_key_next(struct postgres_source *source, const struct split_request *request,
                        struct arena *arena)
{
    if (source->part_index == 0) {
        source->share = 0;
        source->share_count = count_parts(source, request);
        source->next_low = NULL;
    }
    const char *low = source->next_low, *high = bound_behind(source, &source->share, low);
    source->next_low = high;
    source->split_done = !high;
    return pg_key_spec(source->key, low, high, arena);
}
