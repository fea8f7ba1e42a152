/*
 * cast_column.h: one column of one batch on its way through a cast: what the
 * functions of the cast table (cast.c) are given. They append exactly one row
 * to `builder` for each row of `view`.
 */
#ifndef HAUL_BATCH_CAST_COLUMN_H
#define HAUL_BATCH_CAST_COLUMN_H

#include "base/context.h"
#include "batch/builder.h"

struct cast_column {
    const struct context *context;
    const struct batch *batch;
    const struct field *from, *to;
    struct view view;   /* rows: their NULLs */
    struct view values; /* the same, or the values of a dictionary */
    struct builder builder;
    uint8_t *drop;          /* a bit per row: rejected, by this column or one before */
    struct buffer *scratch; /* for text */
    int64_t losses;         /* values that lost what cast_loss_of says */
    struct haul_error *err;
};

typedef enum haul_code (*cast_fn)(struct cast_column *column);

/* Where row `i` has its value in `values`. */
static inline int64_t cast_index(const struct cast_column *column, int64_t i)
{
    return column->view.indices ? column->view.indices[i] : i;
}

/* A row that has nothing to convert: NULL, or given up before. */
static inline bool cast_skip(const struct cast_column *column, int64_t i)
{
    return view_is_null(&column->view, i) || bit_get(column->drop, i);
}

/* Gives row `i` up: to the collector, and a NULL in its place until it is dropped. */
enum haul_code cast_reject(struct cast_column *column, int64_t i, const char *reason);

/* What a value may lose from one field to the other; NULL nothing. */
const char *cast_loss_of(const struct field *from, const struct field *to);

enum haul_code cast_nulls(struct cast_column *column);
enum haul_code cast_integer(struct cast_column *column); /* integers, bool -> integers, bool */
enum haul_code cast_integer_decimal(struct cast_column *column);
enum haul_code cast_integer_float(struct cast_column *column);
enum haul_code cast_float_integer(struct cast_column *column);
enum haul_code cast_float(struct cast_column *column);
enum haul_code cast_decimal(struct cast_column *column);
enum haul_code cast_decimal_integer(struct cast_column *column);
enum haul_code cast_decimal_float(struct cast_column *column);
enum haul_code cast_units(struct cast_column *column); /* time, timestamp, duration, each to itself */
enum haul_code cast_date_timestamp(struct cast_column *column);
enum haul_code cast_print(struct cast_column *column); /* anything -> utf8 */
enum haul_code cast_parse(struct cast_column *column); /* utf8 -> any scalar */
enum haul_code cast_bytes(struct cast_column *column); /* utf8, binary, fixed binary -> the same */

#endif
