/*
 * select.c: the statements that read, and the ranges that cut a table.
 *
 * Ranges of one key are complementary comparisons with the same literals, so
 * that each row falls into exactly one, whatever the column's type and collation
 * make of the comparison. The outermost are open: rows that came after planning
 * are in them.
 *
 * Query and condition are the user's own SQL; a line break before the closing
 * parenthesis keeps a comment at their end from swallowing it.
 */
#include "database/mysql/source.h"

#include <stdio.h>
#include <string.h>

static void add_columns(const struct mysql_source *source, struct sql *sql)
{
    for (int i = 0; i < source->schema.count; i++) {
        sql_add(sql, i ? ", " : "");
        sql_name(sql, source->schema.fields[i].name);
        if (source->forms[i] == FORM_FLOAT) /* keeps the sign of zero, which + 0 would not */
            sql_add(sql, " * 1e0");
    }
}

static void add_compare(const char *column, const char *compare, enum access access,
                        const struct value *value, struct sql *sql)
{
    char text[NUMBER_TEXT_BYTES + 1];
    sql_name(sql, column);
    sql_add(sql, " %s ", compare);
    if (access == ACCESS_INTEGER) {
        text[number_print_decimal(value->number, 0, text)] = 0;
        sql_add(sql, "%s", text);
    } else {
        sql_add(sql, access == ACCESS_TEXT ? "_utf8mb4 X'%s'" : "X'%s'", value->hex);
    }
}

/* On which side of a bound a row is: `beyond` ">" or "<" in the first column, `here` in the second. */
static void add_deep(const struct mysql_source *source, const struct bound *bound, const char *beyond,
                     const char *here, struct sql *sql)
{
    sql_add(sql, "(");
    add_compare(source->key, beyond, source->access, &bound->first, sql);
    sql_add(sql, " OR (");
    add_compare(source->key, "=", source->access, &bound->first, sql);
    sql_add(sql, " AND ");
    add_compare(source->second, here, source->second_access, &bound->second, sql);
    sql_add(sql, "))");
}

static bool same_value(const struct mysql_source *source, const struct value *a, const struct value *b)
{
    return source->access == ACCESS_INTEGER ? a->number == b->number : strcmp(a->hex, b->hex) == 0;
}

void my_select_range(const struct mysql_source *source, const struct range *range, struct sql *sql)
{
    const struct bound *low = &range->low, *high = &range->high;
    if (low->given && high->given && low->deep && high->deep &&
        same_value(source, &low->first, &high->first)) {
        add_compare(source->key, "=", source->access, &low->first, sql);
        sql_add(sql, " AND ");
        add_compare(source->second, ">=", source->second_access, &low->second, sql);
        sql_add(sql, " AND ");
        add_compare(source->second, "<", source->second_access, &high->second, sql);
        return;
    }
    if (low->given && low->deep)
        add_deep(source, low, ">", ">=", sql);
    else if (low->given)
        add_compare(source->key, ">=", source->access, &low->first, sql);
    sql_add(sql, low->given && high->given ? " AND " : "");
    if (high->given && high->deep)
        add_deep(source, high, "<", "<", sql);
    else if (high->given)
        add_compare(source->key, source->access == ACCESS_INTEGER ? "<=" : "<", source->access, &high->first,
                    sql);
}

/* "(key = value)" */
void my_select_equal(const struct mysql_source *source, const struct value *value, struct sql *sql)
{
    sql_add(sql, "(");
    add_compare(source->key, "=", source->access, value, sql);
    sql_add(sql, ")");
}

/* " AND second >= from" */
void my_select_second(const struct mysql_source *source, const struct value *from, struct sql *sql)
{
    sql_add(sql, " AND ");
    add_compare(source->second, ">=", source->second_access, from, sql);
}

static void add_from(const struct mysql_source *source, struct sql *sql)
{
    if (source->query) {
        sql_add(sql, " FROM (%s\n) AS haul_query", source->query);
    } else {
        sql_add(sql, " FROM ");
        sql_table(sql, source->table.schema, source->table.name);
    }
}

static void add_conditions(const struct mysql_source *source, const struct range *range, struct sql *sql)
{
    bool ranged = range && (range->low.given || range->high.given);
    const char *where = source->request.where;
    if (!ranged && !where)
        return;
    sql_add(sql, " WHERE ");
    if (ranged)
        my_select_range(source, range, sql);
    if (where)
        sql_add(sql, "%s(%s\n)", ranged ? " AND " : "", where);
}

static void add_order(const struct mysql_source *source, struct sql *sql)
{
    for (int place = 1; source->access != ACCESS_PLAIN && place <= source->table.columns.key_count; place++)
        for (int i = 0; i < source->table.columns.count; i++)
            if (source->table.columns.list[i].key == place) {
                sql_add(sql, place == 1 ? " ORDER BY " : ", ");
                sql_name(sql, source->table.columns.list[i].name);
            }
}

enum haul_code my_select(const struct mysql_source *source, const struct range *range, int64_t skip,
                         struct sql *sql, struct haul_error *err)
{
    sql_clear(sql);
    sql_add(sql, "SELECT ");
    add_columns(source, sql);
    add_from(source, sql);
    add_conditions(source, range, sql);
    add_order(source, sql);
    if (skip > 0)
        sql_add(sql, " LIMIT 18446744073709551615 OFFSET %lld", (long long)skip);
    return sql_text(sql, err) ? HAUL_OK : err->code;
}

enum haul_code my_select_described(const struct mysql_source *source, struct sql *sql, struct haul_error *err)
{
    sql_clear(sql);
    sql_add(sql, "SELECT *");
    add_from(source, sql);
    add_conditions(source, NULL, sql);
    sql_add(sql, " LIMIT 0");
    return sql_text(sql, err) ? HAUL_OK : err->code;
}

/* ---- specs ---- */

static bool parse_value(enum access access, const char *text, size_t length, struct value *value)
{
    if (access == ACCESS_INTEGER)
        return number_parse_decimal(text, length, DECIMAL_PRECISION_MAX, 0, &value->number);
    if (length >= sizeof value->hex || length % 2 || strspn(text, "0123456789abcdef") < length)
        return false;
    memcpy(value->hex, text, length);
    return true;
}

static bool parse_bound(const struct mysql_source *source, const char *text, size_t length,
                        struct bound *bound)
{
    const char *slash = memchr(text, '/', length);
    size_t first = slash ? (size_t)(slash - text) : length;
    *bound = (struct bound){.given = length > 0, .deep = slash != NULL};
    if (!length)
        return true;
    if (!parse_value(source->access, text, first, &bound->first))
        return false;
    return !slash || (source->second &&
                      parse_value(source->second_access, slash + 1, length - first - 1, &bound->second));
}

enum haul_code my_range_parse(const struct mysql_source *source, const char *spec, struct range *range,
                              struct haul_error *err)
{
    const char *word = source->access == ACCESS_INTEGER ? "key " : "hex ", *dots = strstr(spec, "..");
    bool ranged = source->access >= ACCESS_INTEGER;
    *range = (struct range){0};
    bool good = strcmp(spec, "all") == 0;
    if (!good && ranged && strncmp(spec, word, 4) == 0 && dots)
        good = parse_bound(source, spec + 4, (size_t)(dots - spec) - 4, &range->low) &&
               parse_bound(source, dots + 2, strlen(dots + 2), &range->high);
    if (good)
        return HAUL_OK;
    return error_set(err, HAUL_CHANGED, "the plan's part \"%s\" is none of %s; the table is another now",
                     spec, source->server.name);
}

static const char *print_value(enum access access, const struct value *value, char out[BOUND_BYTES])
{
    if (access != ACCESS_INTEGER)
        return value->hex;
    out[number_print_decimal(value->number, 0, out)] = 0;
    return out;
}

static const char *print_bound(const struct mysql_source *source, const struct bound *bound,
                               struct arena *arena)
{
    char first[BOUND_BYTES], second[BOUND_BYTES];
    if (!bound->given)
        return "";
    const char *one = print_value(source->access, &bound->first, first);
    if (!bound->deep)
        return arena_text(arena, one);
    return arena_printf(arena, "%s/%s", one, print_value(source->second_access, &bound->second, second));
}

const char *my_range_print(const struct mysql_source *source, const struct range *range, struct arena *arena)
{
    if (!range->low.given && !range->high.given)
        return arena_text(arena, "all");
    const char *low = print_bound(source, &range->low, arena),
               *high = print_bound(source, &range->high, arena);
    if (!low || !high)
        return NULL;
    return arena_printf(arena, "%s %s..%s", source->access == ACCESS_INTEGER ? "key" : "hex", low, high);
}
