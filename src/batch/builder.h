/*
 * builder.h: makes one column of a batch.
 *
 * Two ways to use it. By value: builder_append_*, for readers that have rows.
 * In bulk: builder_reserve, then write to values/offsets/data/validity directly
 * and set length and null_count, for readers that decode columns.
 * `validity` stays empty until the first null; builder_add_validity makes it.
 * Its bits from row `length` on are 0 (null) after builder_reserve, until written.
 * offsets holds length + 1 int32 from the start. What counts are the builder's
 * `length` and offsets[length]; the buffers' own lengths follow from them.
 * A finished builder is empty and can be used again. Finished arrays may
 * outlive the builder, but not the budget they were charged to.
 */
#ifndef HAUL_BATCH_BUILDER_H
#define HAUL_BATCH_BUILDER_H

#include "base/number.h"
#include "batch/view.h"

struct builder {
    const struct field *field;
    struct memory *memory;
    int64_t length, null_count;
    int64_t room;           /* rows there is room for; kept by builder_reserve */
    size_t width;           /* bytes of a value in `values`, 0 when that is not its layout */
    bool indexed;           /* builder_begin_indices was called */
    struct buffer validity; /* bits; length 0: no nulls so far */
    struct buffer values;   /* fixed width values, or bits */
    struct buffer offsets;  /* int32 */
    struct buffer data;     /* bytes of strings and binaries */
    struct builder *children;
};

enum haul_code builder_init(struct builder *builder, const struct field *field, struct memory *memory,
                            struct haul_error *err);
void builder_release(struct builder *builder);

/* Room for `rows` more rows (offsets, values, and validity when it exists) and
 * `bytes` more bytes of data. */
enum haul_code builder_reserve(struct builder *builder, int64_t rows, size_t bytes, struct haul_error *err);

/* Makes the validity bitmap, all rows so far valid; room as reserved. */
enum haul_code builder_add_validity(struct builder *builder, struct haul_error *err);

enum haul_code builder_append_null(struct builder *builder, struct haul_error *err);
enum haul_code builder_append_bool(struct builder *builder, bool value, struct haul_error *err);
enum haul_code
builder_append_i64(struct builder *builder, int64_t value,
                   struct haul_error *err); /* every integer, date, time, timestamp; must be in range */
enum haul_code builder_append_f64(struct builder *builder, double value,
                                  struct haul_error *err); /* FLOAT32, FLOAT64 */
enum haul_code builder_append_decimal(struct builder *builder, int128_t value, struct haul_error *err);
enum haul_code builder_append_bytes(struct builder *builder, const void *data, size_t length,
                                    struct haul_error *err); /* UTF8, BINARY, FIXED_BINARY */
enum haul_code builder_append_list(
    struct builder *builder,
    struct haul_error *err); /* closes a list row: its items are those appended to children[0] since */
enum haul_code builder_append_struct(struct builder *builder,
                                     struct haul_error *err); /* children were appended before */

/* The text form of any type (what view_print prints) into the column. HAUL_VALUE
 * with a reason when it is not exactly such a value; nothing appended then. */
enum haul_code builder_append_text(struct builder *builder, const char *text, size_t length,
                                   struct haul_error *err);

/* For readers that decode columns: until it is finished the column of an empty
 * builder is int32 indices, written to `values`, into a dictionary that the one
 * who finishes it adds (array_add_dictionary). */
void builder_begin_indices(struct builder *builder);

/* Moves what was built into `array`. */
enum haul_code builder_finish(struct builder *builder, struct ArrowArray *array, struct haul_error *err);

/* A whole batch: a builder per field. */
struct batch_builder {
    const struct schema *schema;
    struct builder *columns;
};
enum haul_code batch_builder_init(struct batch_builder *builder, const struct schema *schema,
                                  struct memory *memory, struct haul_error *err);
void batch_builder_release(struct batch_builder *builder);
/* All columns must have the same length. part, first_row and rows_offered are the caller's to set after. */
enum haul_code batch_builder_finish(struct batch_builder *builder, struct batch *batch,
                                    struct haul_error *err);

#endif
