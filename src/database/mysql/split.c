/*
 * split.c: cuts a table into ranges of its primary key's first column.
 *
 * Integers: the range from min to max is halved until the optimizer's estimate
 * of a half (EXPLAIN; an index dive, no scan) is what a part should have; small
 * neighbours are put together again. Gaps and crowds in the numbers cost a few
 * more dives, not a bad split.
 *
 * Other keys: from a boundary the key `part_rows` further is asked for by OFFSET.
 * That walks the index once, and is right for any type that can be compared.
 * Values of a key longer than BOUND_BYTES / 2 bytes, and enums, sets, bits and
 * floats, are not cut at: one part.
 */
#include "database/mysql/source.h"

#include <stdio.h>
#include <stdlib.h>

#define HALVES_MAX    130 /* 64 levels, two ends each */
#define PART_ROWS_MIN 1000

struct span {
    int128_t low, high;
};

struct split_walk {
    struct span stack[HALVES_MAX];
    int depth;
    int128_t min, max;
};

void my_split_release(struct mysql_source *source)
{
    free(source->walk);
    source->walk = NULL;
    source->split_begun = source->split_done = false;
    source->part_index = 0;
    source->next = (struct range){0};
}

/* ---- integers ---- */

static enum haul_code ask_bounds(struct mysql_source *source, struct split_walk *walk, bool *any,
                                 struct haul_error *err)
{
    struct sql sql = {.dialect = &my_dialect};
    MYSQL_RES *result = NULL;
    sql_add(&sql, "SELECT MIN(");
    sql_name(&sql, source->key);
    sql_add(&sql, "), MAX(");
    sql_name(&sql, source->key);
    sql_add(&sql, ") FROM ");
    sql_table(&sql, source->table.schema, source->table.name);
    const char *text = sql_text(&sql, err);
    enum haul_code code = text ? my_ask(&source->connection, text, &result, err) : err->code;
    MYSQL_ROW row = code ? NULL : mysql_fetch_row(result);
    *any = row && row[0] && row[1] &&
           number_parse_decimal(row[0], strlen(row[0]), DECIMAL_PRECISION_MAX, 0, &walk->min) &&
           number_parse_decimal(row[1], strlen(row[1]), DECIMAL_PRECISION_MAX, 0, &walk->max);
    mysql_free_result(result);
    sql_release(&sql);
    return code;
}

/* The column called "rows" of an EXPLAIN, whichever it is. */
static int64_t explained_rows(MYSQL_RES *result)
{
    MYSQL_ROW row = result ? mysql_fetch_row(result) : NULL;
    for (unsigned i = 0; row && i < mysql_num_fields(result); i++)
        if (strcmp(mysql_fetch_field_direct(result, i)->name, "rows") == 0)
            return my_number(row, (int)i);
    return 0;
}

static enum haul_code estimate(struct mysql_source *source, const struct span *span, int64_t *rows,
                               struct haul_error *err)
{
    struct range range = {{.given = true, .number = span->low}, {.given = true, .number = span->high}};
    struct sql sql = {.dialect = &my_dialect};
    MYSQL_RES *result = NULL;
    sql_add(&sql, "EXPLAIN SELECT ");
    sql_name(&sql, source->key);
    sql_add(&sql, " FROM ");
    sql_table(&sql, source->table.schema, source->table.name);
    sql_add(&sql, " FORCE INDEX (PRIMARY) WHERE ");
    my_select_range(source, &range, &sql);
    const char *text = sql_text(&sql, err);
    enum haul_code code = text ? my_ask(&source->connection, text, &result, err) : err->code;
    *rows = code ? 0 : explained_rows(result);
    mysql_free_result(result);
    sql_release(&sql);
    return code;
}

/* The next span of at most about part_rows rows. */
static enum haul_code next_span(struct mysql_source *source, struct span *span, int64_t *rows,
                                struct haul_error *err)
{
    struct split_walk *walk = source->walk;
    for (;;) {
        *span = walk->stack[--walk->depth];
        if (estimate(source, span, rows, err))
            return err->code;
        if (*rows <= source->part_rows || span->low == span->high || walk->depth + 2 > HALVES_MAX)
            return HAUL_OK;
        int128_t middle = span->low + (span->high - span->low) / 2;
        walk->stack[walk->depth++] = (struct span){middle + 1, span->high};
        walk->stack[walk->depth++] = (struct span){span->low, middle};
    }
}

static enum haul_code next_integers(struct mysql_source *source, struct range *range, int64_t *rows,
                                    struct haul_error *err)
{
    struct split_walk *walk = source->walk;
    struct span span;
    if (next_span(source, &span, rows, err))
        return err->code;
    int128_t low = span.low, high = span.high;
    while (walk->depth && *rows < source->part_rows) {
        int64_t more = 0;
        if (next_span(source, &span, &more, err))
            return err->code;
        if (*rows + more > source->part_rows + source->part_rows / 4) {
            walk->stack[walk->depth++] = span;
            break;
        }
        *rows += more;
        high = span.high;
    }
    *range = (struct range){{.given = low != walk->min, .number = low},
                            {.given = high != walk->max, .number = high}};
    source->split_done = walk->depth == 0;
    return HAUL_OK;
}

/* ---- other keys ---- */

static enum haul_code ask_boundary(struct mysql_source *source, const char *tail, const struct range *from,
                                   struct bound *bound, struct haul_error *err)
{
    struct sql sql = {.dialect = &my_dialect};
    MYSQL_RES *result = NULL;
    *bound = (struct bound){0};
    sql_add(&sql, source->access == ACCESS_TEXT ? "SELECT LOWER(HEX(CONVERT(" : "SELECT LOWER(HEX((");
    sql_name(&sql, source->key);
    sql_add(&sql, source->access == ACCESS_TEXT ? " USING utf8mb4))) FROM " : "))) FROM ");
    sql_table(&sql, source->table.schema, source->table.name);
    sql_add(&sql, from->low.given ? " WHERE " : "");
    my_select_range(source, from, &sql);
    sql_add(&sql, " ORDER BY ");
    sql_name(&sql, source->key);
    sql_add(&sql, "%s", tail);
    const char *text = sql_text(&sql, err);
    enum haul_code code = text ? my_ask(&source->connection, text, &result, err) : err->code;
    MYSQL_ROW row = code ? NULL : mysql_fetch_row(result);
    if (row && row[0] && strlen(row[0]) < sizeof bound->hex) {
        bound->given = true;
        snprintf(bound->hex, sizeof bound->hex, "%s", row[0]);
    }
    mysql_free_result(result);
    sql_release(&sql);
    return code;
}

static enum haul_code next_texts(struct mysql_source *source, struct range *range, struct haul_error *err)
{
    char tail[64];
    struct range from = {.low = source->next.low};
    snprintf(tail, sizeof tail, " LIMIT 1 OFFSET %lld", (long long)source->part_rows);
    if (ask_boundary(source, tail, &from, &range->high, err))
        return err->code;
    range->low = source->next.low;
    /* Many rows of one value: no cut in them; the rest is one part. */
    if (range->high.given && range->low.given && strcmp(range->high.hex, range->low.hex) == 0)
        range->high.given = false;
    source->next.low = range->high;
    source->split_done = !range->high.given;
    return HAUL_OK;
}

/* ---- parts ---- */

static enum haul_code begin_split(struct mysql_source *source, const struct split_request *request,
                                  struct haul_error *err)
{
    const struct table *table = &source->table;
    bool any = false;
    my_split_release(source);
    source->split_begun = true;
    source->part_rows = request->part_rows > 0 ? request->part_rows : INT64_MAX;
    if (request->part_bytes > 0 && table->rows > 0 && table->bytes > table->rows) {
        int64_t rows = request->part_bytes / (table->bytes / table->rows);
        source->part_rows = rows < source->part_rows ? rows : source->part_rows;
    }
    if (source->part_rows < PART_ROWS_MIN && request->part_rows <= 0)
        source->part_rows = PART_ROWS_MIN;
    if (source->part_rows < 1)
        source->part_rows = 1;
    if (source->access != ACCESS_INTEGER || source->part_rows == INT64_MAX)
        return HAUL_OK;
    source->walk = calloc(1, sizeof *source->walk);
    if (!source->walk)
        return error_nomem(err, "parts");
    if (ask_bounds(source, source->walk, &any, err))
        return err->code;
    if (any)
        source->walk->stack[source->walk->depth++] = (struct span){source->walk->min, source->walk->max};
    return HAUL_OK;
}

static enum haul_code next_part(struct mysql_source *source, struct range *range, int64_t *rows,
                                struct haul_error *err)
{
    *range = (struct range){0};
    *rows = -1;
    if (source->walk && source->walk->depth)
        return next_integers(source, range, rows, err);
    bool texts = source->access == ACCESS_TEXT || source->access == ACCESS_BYTES;
    if (texts && source->part_rows != INT64_MAX)
        return next_texts(source, range, err);
    source->split_done = true;
    return HAUL_OK;
}

enum haul_code my_source_split(struct source *base, const struct split_request *request, struct arena *arena,
                               struct part *part, bool *more, struct haul_error *err)
{
    struct mysql_source *source = (struct mysql_source *)base;
    struct range range;
    if (!source->split_begun && begin_split(source, request, err))
        return err->code;
    *more = !source->split_done;
    if (!*more) {
        my_split_release(source); /* a second walk may follow */
        return HAUL_OK;
    }
    if (next_part(source, &range, &part->rows, err))
        return err->code;
    part->rows = -1; /* an estimate is no number of rows */
    part->bytes = -1;
    part->index = source->part_index++;
    part->spec = (char *)(uintptr_t)my_range_print(source, &range, arena);
    return part->spec ? HAUL_OK : error_nomem(err, "parts");
}
