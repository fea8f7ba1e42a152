/*
 * part.c: ranges of keys as conditions.
 *
 * A bound need not be a value that is in the table: whatever it is, every row is
 * either before it or not. So nothing is lost when a value is written with fewer
 * digits than it has; it must only be written the same way on both sides.
 *
 * NULL sorts before everything, but compares with nothing: each comparison says
 * what it means for NULL. Keys of several columns compare as words do, by the
 * first column that differs; a plain condition on the first column stands beside
 * that, so that the server can seek.
 */
#include "database/mssql/part.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* ---- as text ---- */

static bool print_bound(const struct ms_bound *bound, int columns, struct buffer *out, struct haul_error *err)
{
    static const char digits[] = "0123456789abcdef";
    bool good = true;
    if (!bound->given)
        return !buffer_append(out, "*", 1, err);
    for (int i = 0; good && i < columns; i++) {
        const char *value = bound->values[i];
        good =
            !buffer_append(out, i ? "," : "", i > 0, err) && !buffer_append(out, value ? "x" : "n", 1, err);
        for (; good && value && *value; value++) {
            const char pair[] = {digits[(uint8_t)*value >> 4], digits[*value & 15]};
            good = !buffer_append(out, pair, 2, err);
        }
    }
    return good;
}

const char *ms_part_print(const struct ms_part *part, int columns, struct arena *arena)
{
    struct buffer text = {0};
    struct haul_error ignored;
    const char *kept = NULL;
    switch (part->kind) {
    case PART_ALL:
        return arena_text(arena, "all");
    case PART_PARTITION:
        return arena_printf(arena, "partition %d", part->number);
    case PART_CHECKSUM:
        return arena_printf(arena, "checksum %d/%d", part->number, part->of);
    case PART_KEY:
        break;
    }
    if (!buffer_append(&text, "key ", 4, &ignored) && print_bound(&part->low, columns, &text, &ignored) &&
        !buffer_append(&text, " ", 1, &ignored) && print_bound(&part->high, columns, &text, &ignored))
        kept = arena_text_n(arena, (const char *)text.data, text.length);
    buffer_release(&text);
    return kept;
}

static int hex_digit(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* One value; NULL: malformed, or no memory. */
static const char *parse_value(const char *from, size_t length, struct arena *arena)
{
    char *value = length % 2 ? NULL : arena_alloc(arena, length / 2 + 1);
    for (size_t i = 0; value && i < length; i += 2) {
        int high = hex_digit(from[i]), low = hex_digit(from[i + 1]);
        if (high < 0 || low < 0 || high + low == 0)
            return NULL;
        value[i / 2] = (char)(high << 4 | low);
    }
    return value;
}

/* [from, to): what print_bound gives. */
static bool parse_bound(const char *from, const char *to, int columns, struct arena *arena,
                        struct ms_bound *bound)
{
    bound->given = !(to - from == 1 && *from == '*');
    for (int i = 0; bound->given && i < columns; i++) {
        const char *end = memchr(from, ',', (size_t)(to - from));
        if (!end)
            end = to;
        bool null = end - from == 1 && *from == 'n';
        if (!null && (from == end || *from != 'x'))
            return false;
        bound->values[i] = null ? NULL : parse_value(from + 1, (size_t)(end - from) - 1, arena);
        if ((!null && !bound->values[i]) || (end == to) != (i == columns - 1))
            return false;
        from = end + (end < to);
    }
    return true;
}

static bool parse_range(const char *text, int columns, struct arena *arena, struct ms_part *part)
{
    const char *middle = strchr(text, ' ');
    part->kind = PART_KEY;
    return middle && columns > 0 && parse_bound(text, middle, columns, arena, &part->low) &&
           parse_bound(middle + 1, middle + strlen(middle), columns, arena, &part->high);
}

enum haul_code ms_part_parse(const char *text, int columns, struct arena *arena, struct ms_part *part,
                             struct haul_error *err)
{
    char rest;
    *part = (struct ms_part){0};
    bool good = strcmp(text, "all") == 0;
    if (sscanf(text, "partition %d%c", &part->number, &rest) == 1) {
        part->kind = PART_PARTITION;
        good = part->number > 0;
    } else if (sscanf(text, "checksum %d/%d%c", &part->number, &part->of, &rest) == 2) {
        part->kind = PART_CHECKSUM;
        good = part->number >= 0 && part->number < part->of && part->of <= MS_CHECKSUMS_MAX;
    } else if (strncmp(text, "key ", 4) == 0) {
        good = parse_range(text + 4, columns, arena, part);
    }
    return good ? HAUL_OK
                : error_set(err, HAUL_INTEGRITY, "the plan's part \"%.60s\" is none of this table", text);
}

/* ---- values ---- */

enum form { FORM_PLAIN, FORM_BIT, FORM_FLOAT, FORM_BYTES, FORM_OLD_TIME, FORM_MOMENT };

struct form_row {
    const char *type;
    enum form form;
};

/* Types whose ranges can be asked for. */
static const struct form_row forms[] = {
    {"bit", FORM_BIT},
    {"tinyint", FORM_PLAIN},
    {"smallint", FORM_PLAIN},
    {"int", FORM_PLAIN},
    {"bigint", FORM_PLAIN},
    {"decimal", FORM_PLAIN},
    {"numeric", FORM_PLAIN},
    {"money", FORM_PLAIN},
    {"smallmoney", FORM_PLAIN},
    {"real", FORM_FLOAT},
    {"float", FORM_FLOAT},
    {"date", FORM_PLAIN},
    {"time", FORM_MOMENT},
    {"datetime", FORM_OLD_TIME},
    {"smalldatetime", FORM_OLD_TIME},
    {"datetime2", FORM_MOMENT},
    {"datetimeoffset", FORM_MOMENT},
    {"char", FORM_PLAIN},
    {"varchar", FORM_PLAIN},
    {"nchar", FORM_PLAIN},
    {"nvarchar", FORM_PLAIN},
    {"binary", FORM_BYTES},
    {"varbinary", FORM_BYTES},
    {"rowversion", FORM_BYTES},
    {"hierarchyid", FORM_BYTES},
    {"uniqueidentifier", FORM_PLAIN},
};

static const struct form_row *find_form(const char *type)
{
    size_t length = strcspn(type, "(");
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++)
        if (strlen(forms[i].type) == length && strncasecmp(forms[i].type, type, length) == 0)
            return &forms[i];
    return NULL;
}

bool ms_type_cuts(const char *type)
{
    return type && find_form(type) && !strstr(type, "(max)");
}

/* A moment as the server takes it in any language: at most seven digits, +00:00 for Z. */
static void sql_moment(struct sql *sql, const char *value)
{
    char text[64];
    const char *dot = strchr(value, '.');
    size_t length = strlen(value);
    bool utc = length && value[length - 1] == 'Z';
    if (utc)
        length--;
    if (dot && length > (size_t)(dot - value) + 8)
        length = (size_t)(dot - value) + 8;
    snprintf(text, sizeof text, "%.*s%s", (int)(length < 50 ? length : 50), value, utc ? " +00:00" : "");
    sql_literal(sql, text);
}

void ms_sql_value(struct sql *sql, const char *type, const char *value)
{
    const struct form_row *row = find_form(type);
    enum form form = row ? row->form : FORM_PLAIN;
    if (!value) {
        sql_add(sql, "NULL");
        return;
    }
    sql_add(sql, form == FORM_OLD_TIME ? "CAST(CAST(" : "CAST(");
    if (form == FORM_BIT)
        sql_add(sql, "%d", value[0] == 't' || value[0] == '1');
    else if (form == FORM_FLOAT)
        sql_literal(sql, value);
    else if (form == FORM_BYTES && strspn(value, "0123456789abcdefABCDEF") == strlen(value))
        sql_add(sql, "0x%s", value);
    else if (form == FORM_MOMENT || form == FORM_OLD_TIME)
        sql_moment(sql, value);
    else
        sql_literal(sql, value);
    if (form == FORM_OLD_TIME)
        sql_add(sql, " AS datetime2(7))");
    sql_add(sql, " AS %s)", !strcasecmp(type, "rowversion") ? "binary(8)" : type);
}

/* ---- conditions ---- */

static void sql_compare(struct sql *sql, const struct ms_cut *cut, int column, const char *op,
                        const char *value)
{
    sql_name(sql, cut->names[column]);
    sql_add(sql, " %s ", op);
    ms_sql_value(sql, cut->types[column], value);
}

static void sql_null(struct sql *sql, const struct ms_cut *cut, int column, bool is_null)
{
    sql_name(sql, cut->names[column]);
    sql_add(sql, is_null ? " IS NULL" : " IS NOT NULL");
}

static void sql_equal(struct sql *sql, const struct ms_cut *cut, int column, const char *value)
{
    if (value)
        sql_compare(sql, cut, column, "=", value);
    else
        sql_null(sql, cut, column, true);
}

/* Is the column behind the value? `same`: or at it. */
static void sql_behind(struct sql *sql, const struct ms_cut *cut, int column, const char *value, bool same)
{
    if (value)
        sql_compare(sql, cut, column, same ? ">=" : ">", value);
    else if (same)
        sql_add(sql, "1 = 1");
    else
        sql_null(sql, cut, column, false);
}

/* Is it before the value? NULL is before all others. */
static void sql_before(struct sql *sql, const struct ms_cut *cut, int column, const char *value, bool same)
{
    if (!value && !same) {
        sql_add(sql, "1 = 0");
        return;
    }
    sql_add(sql, "(");
    if (value) {
        sql_compare(sql, cut, column, same ? "<=" : "<", value);
        sql_add(sql, " OR ");
    }
    sql_null(sql, cut, column, true);
    sql_add(sql, ")");
}

typedef void (*side_fn)(struct sql *sql, const struct ms_cut *cut, int column, const char *value, bool same);

/* (a > x OR (a = x AND (b > y OR (b = y AND c >= z)))) and its mirror image. */
static void sql_words(struct sql *sql, const struct ms_cut *cut, const struct ms_bound *bound, side_fn side,
                      bool same)
{
    if (cut->count > 1) {
        side(sql, cut, 0, bound->values[0], true); /* so that it can seek */
        sql_add(sql, " AND ");
    }
    for (int i = 0; i < cut->count - 1; i++) {
        sql_add(sql, "(");
        side(sql, cut, i, bound->values[i], false);
        sql_add(sql, " OR (");
        sql_equal(sql, cut, i, bound->values[i]);
        sql_add(sql, " AND ");
    }
    side(sql, cut, cut->count - 1, bound->values[cut->count - 1], same);
    for (int i = 0; i < cut->count - 1; i++)
        sql_add(sql, "))");
}

static void sql_range(struct sql *sql, const struct ms_cut *cut, const struct ms_part *part)
{
    if (part->low.given)
        sql_words(sql, cut, &part->low, sql_behind, true);
    if (part->low.given && part->high.given)
        sql_add(sql, " AND ");
    if (part->high.given)
        sql_words(sql, cut, &part->high, sql_before, false);
    if (!part->low.given && !part->high.given)
        sql_add(sql, "1 = 1");
}

void ms_sql_part(struct sql *sql, const struct ms_cut *cut, const struct ms_part *part)
{
    if (part->kind == PART_ALL)
        return;
    sql_add(sql, "(");
    if (part->kind == PART_KEY)
        sql_range(sql, cut, part);
    if (part->kind == PART_PARTITION) {
        sql_add(sql, "$PARTITION.");
        sql_name(sql, cut->partition_function);
        sql_add(sql, "(");
        sql_name(sql, cut->partition_column);
        sql_add(sql, ") = %d", part->number);
    }
    if (part->kind == PART_CHECKSUM) {
        sql_add(sql, "ABS(CHECKSUM(");
        for (int i = 0; i < cut->count; i++) {
            sql_add(sql, i ? ", " : "");
            sql_name(sql, cut->names[i]);
        }
        sql_add(sql, ") %% %d) = %d", part->of, part->number);
    }
    sql_add(sql, ")");
}
