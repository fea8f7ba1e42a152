/*
 * import.h: the plan of an import: for each foreign field, the field of ours it
 * becomes and how its arrays are turned. import.c makes plans from schemas,
 * import_array.c and import_value.c follow them.
 */
#ifndef HAUL_BATCH_IMPORT_H
#define HAUL_BATCH_IMPORT_H

#include "batch/builder.h"
#include "batch/stream.h"

/* How a foreign array lies in memory. */
enum import_layout {
    IMPORT_NULL,
    IMPORT_BITS,
    IMPORT_FIXED, /* as ours */
    IMPORT_BYTES, /* offsets of `width` bytes: 4 as ours, 8 */
    IMPORT_BYTES_VIEW,
    IMPORT_DECIMAL, /* `width` bytes, scale `scale`; ours or another, or text */
    IMPORT_DATE64,
    IMPORT_INTERVAL_MONTHS,
    IMPORT_INTERVAL_DAYS,
    IMPORT_INTERVAL_NANOS,
    IMPORT_LIST,       /* offsets of `width` bytes; maps too */
    IMPORT_LIST_VIEW,  /* offsets and sizes of `width` bytes */
    IMPORT_LIST_FIXED, /* `width` items each */
    IMPORT_STRUCT,
    IMPORT_RUN_END,    /* children: run ends, values */
    IMPORT_DICTIONARY, /* indices; child: values */
    IMPORT_LAYOUT_COUNT
};

struct import_node {
    struct field *field; /* ours */
    enum import_layout layout;
    int width;
    int scale;                    /* DECIMAL: the foreign scale, may be negative */
    bool is_unsigned;             /* DICTIONARY: the indices */
    struct import_node *children; /* DICTIONARY, RUN_END, lists: one, the values */
    int child_count;
    struct import_node *index; /* RUN_END: run ends */
};

struct import {
    struct schema schema;
    struct import_node *columns;
    struct arena arena;
};

/* Fills layout, width, field type of `node` from a format string; false when unknown. */
bool import_parse_format(const char *format, struct import_node *node, struct arena *arena);

/* Appends rows [start, start + count) of `array` (places that do not count its
 * offset) to `builder`. Checks all it reads against what can be checked. */
enum haul_code import_rows(const struct import_node *node, const struct ArrowArray *array, int64_t start,
                           int64_t count, struct builder *builder, struct haul_error *err);

/* The same for rows that are all valid; `start` counts the offset. One per layout. */
typedef enum haul_code (*import_fn)(const struct import_node *node, const struct ArrowArray *array,
                                    int64_t start, int64_t count, struct builder *builder,
                                    struct haul_error *err);
enum haul_code import_null(const struct import_node *node, const struct ArrowArray *array, int64_t start,
                           int64_t count, struct builder *builder, struct haul_error *err);
enum haul_code import_bits(const struct import_node *node, const struct ArrowArray *array, int64_t start,
                           int64_t count, struct builder *builder, struct haul_error *err);
enum haul_code import_fixed(const struct import_node *node, const struct ArrowArray *array, int64_t start,
                            int64_t count, struct builder *builder, struct haul_error *err);
enum haul_code import_bytes(const struct import_node *node, const struct ArrowArray *array, int64_t start,
                            int64_t count, struct builder *builder, struct haul_error *err);
enum haul_code import_bytes_view(const struct import_node *node, const struct ArrowArray *array,
                                 int64_t start, int64_t count, struct builder *builder,
                                 struct haul_error *err);
enum haul_code import_decimal(const struct import_node *node, const struct ArrowArray *array, int64_t start,
                              int64_t count, struct builder *builder, struct haul_error *err);
enum haul_code import_date64(const struct import_node *node, const struct ArrowArray *array, int64_t start,
                             int64_t count, struct builder *builder, struct haul_error *err);
enum haul_code import_interval(const struct import_node *node, const struct ArrowArray *array, int64_t start,
                               int64_t count, struct builder *builder, struct haul_error *err);

/* HAUL_DATA about this column. */
enum haul_code import_malformed(const struct import_node *node, const char *what, struct haul_error *err);

/* Values of a type that has more bit patterns than values (time, decimal). */
enum haul_code import_check_values(const struct import_node *node, const uint8_t *values, int64_t count,
                                   const uint8_t *validity, struct haul_error *err);

/* Can the array be used as it lies there? Looks at every offset and text of it. */
bool import_fits(const struct import_node *node, const struct ArrowArray *array, int64_t length);

#endif
