/*
 * part.h: a part of a table: which rows, as the text in a plan and as SQL.
 *
 *     all                        everything
 *     key LOW HIGH               from LOW on, up to but not including HIGH
 *     partition 7                $PARTITION.function(column) = 7
 *     checksum 3/8               those whose checksum leaves 3 when divided by 8
 *
 * A bound is "*" (open) or one value for each column of the key, with commas: "n"
 * for NULL, "x" and the hexadecimal digits of its text for others. What the
 * values mean is said by the types of the key, which are not part of the text:
 * a plan that was tampered with can only ask for other rows.
 */
#ifndef HAUL_DATABASE_MSSQL_PART_H
#define HAUL_DATABASE_MSSQL_PART_H

#include "base/arena.h"
#include "database/sql.h"

#define MS_KEY_COLUMNS_MAX 16
#define MS_CHECKSUMS_MAX   4096

enum ms_part_kind { PART_ALL, PART_KEY, PART_PARTITION, PART_CHECKSUM };

struct ms_bound {
    bool given;
    const char *values[MS_KEY_COLUMNS_MAX]; /* NULL for NULL */
};

struct ms_part {
    enum ms_part_kind kind;
    struct ms_bound low, high;
    int number, of;
};

/* What rows are cut by. */
struct ms_cut {
    const char *const *names;              /* of the key's columns */
    const char *types[MS_KEY_COLUMNS_MAX]; /* as SQL Server writes them; NULL unknown */
    int count;
    const char *partition_function, *partition_column;
};

const char *ms_part_print(const struct ms_part *part, int columns, struct arena *arena); /* NULL: no memory */
enum haul_code ms_part_parse(const char *text, int columns, struct arena *arena, struct ms_part *part,
                             struct haul_error *err);

/* The condition, in parentheses; nothing for PART_ALL. */
void ms_sql_part(struct sql *sql, const struct ms_cut *cut, const struct ms_part *part);

/* May ranges of such a column be read? Its values must be comparable, and write as text exactly enough to be
 * the same each time. */
bool ms_type_cuts(const char *type);

/* A value of a key as SQL; value NULL: the word NULL. */
void ms_sql_value(struct sql *sql, const char *type, const char *value);

#endif
