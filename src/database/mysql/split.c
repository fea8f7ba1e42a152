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
 *
 * A value of a composite key's first column that has the rows of several parts is
 * cut by the second column, in the same way as other keys.
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
    source->deep = false;
}

/* ---- one value, by the second column ---- */

static enum haul_code next_deep(struct mysql_source *source, struct range *range, struct haul_error *err);

/* `whole` has all rows with that value in the first column: it is cut, and is its first piece then. */
static enum haul_code begin_deep(struct mysql_source *source, const struct value *value, struct range *whole,
                                 struct haul_error *err)
{
    source->deep = true;
    source->deep_rest = *whole;
    source->deep_value = *value;
    return next_deep(source, whole, err);
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
    struct range range = {{.given = true, .first.number = span->low},
                          {.given = true, .first.number = span->high}};
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
    *range = (struct range){{.given = low != walk->min, .first.number = low},
                            {.given = high != walk->max, .first.number = high}};
    source->split_done = walk->depth == 0;
    if (low != high || *rows <= source->part_rows + source->part_rows / 2 || !source->second)
        return HAUL_OK;
    struct value value = {.number = low};
    return begin_deep(source, &value, range, err);
}

/* ---- other keys ---- */

/* The value of `column` that the first row behind `where` has. */
struct look {
    const char *column;
    enum access access;
    const char *where; /* "" none */
    int64_t offset;
};

static enum haul_code ask_value(struct mysql_source *source, const struct look *look, struct value *value,
                                bool *found, struct haul_error *err)
{
    bool text = look->access == ACCESS_TEXT, number = look->access == ACCESS_INTEGER;
    struct sql sql = {.dialect = &my_dialect};
    MYSQL_RES *result = NULL;
    sql_add(&sql, number ? "SELECT " : text ? "SELECT LOWER(HEX(CONVERT(" : "SELECT LOWER(HEX((");
    sql_name(&sql, look->column);
    sql_add(&sql, number ? " FROM " : text ? " USING utf8mb4))) FROM " : "))) FROM ");
    sql_table(&sql, source->table.schema, source->table.name);
    sql_add(&sql, "%s%s ORDER BY ", *look->where ? " WHERE " : "", look->where);
    sql_name(&sql, look->column);
    sql_add(&sql, " LIMIT 1 OFFSET %lld", (long long)look->offset);
    const char *ask = sql_text(&sql, err);
    enum haul_code code = ask ? my_ask(&source->connection, ask, &result, err) : err->code;
    MYSQL_ROW row = code ? NULL : mysql_fetch_row(result);
    *value = (struct value){0};
    *found = row && row[0] && strlen(row[0]) < sizeof value->hex;
    if (*found && number)
        *found = number_parse_decimal(row[0], strlen(row[0]), DECIMAL_PRECISION_MAX, 0, &value->number);
    else if (*found)
        snprintf(value->hex, sizeof value->hex, "%s", row[0]);
    mysql_free_result(result);
    sql_release(&sql);
    return code;
}

/* `column` of the row so many behind the bound's beginning, or of the first whose key is greater. */
static enum haul_code ask_boundary(struct mysql_source *source, const struct range *from, bool next,
                                   struct bound *bound, struct haul_error *err)
{
    struct sql where = {.dialect = &my_dialect};
    my_select_range(source, from, &where);
    if (next)
        sql_add(&where, " AND NOT ");
    if (next)
        my_select_equal(source, &from->low.first, &where);
    const char *text = sql_text(&where, err);
    const struct look look = {source->key, source->access, text, next ? 0 : source->part_rows};
    *bound = (struct bound){0};
    enum haul_code code = text ? ask_value(source, &look, &bound->first, &bound->given, err) : err->code;
    sql_release(&where);
    return code;
}

static enum haul_code next_texts(struct mysql_source *source, struct range *range, struct haul_error *err)
{
    struct range from = {.low = source->next.low};
    if (ask_boundary(source, &from, false, &range->high, err))
        return err->code;
    range->low = source->next.low;
    bool heavy =
        range->high.given && range->low.given && strcmp(range->high.first.hex, range->low.first.hex) == 0;
    if (heavy && ask_boundary(source, &from, true, &range->high, err)) /* many rows of one value */
        return err->code;
    source->next.low = range->high;
    source->split_done = !range->high.given;
    return heavy && source->second ? begin_deep(source, &range->low.first, range, err) : HAUL_OK;
}

/* Up to the second column's value part_rows further; a value that has more rows than that ends the cutting.
 */
static enum haul_code next_deep(struct mysql_source *source, struct range *range, struct haul_error *err)
{
    const struct bound *low = &source->deep_rest.low;
    struct sql where = {.dialect = &my_dialect};
    struct bound cut = {.deep = true, .first = source->deep_value};
    my_select_equal(source, &source->deep_value, &where);
    if (low->given && low->deep)
        my_select_second(source, &low->second, &where);
    const char *text = sql_text(&where, err);
    const struct look look = {source->second, source->second_access, text, source->part_rows};
    enum haul_code code = text ? ask_value(source, &look, &cut.second, &cut.given, err) : err->code;
    sql_release(&where);
    bool stuck =
        low->deep && low->second.number == cut.second.number && strcmp(low->second.hex, cut.second.hex) == 0;
    *range = source->deep_rest;
    source->deep = !code && cut.given && !stuck;
    if (source->deep)
        range->high = source->deep_rest.low = cut;
    return code;
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
    if (source->deep)
        return next_deep(source, range, err);
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
    *more = !source->split_done || source->deep;
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
