/*
 * statistics.h: least and greatest value, NULLs and NaNs, of a page and of a
 * column chunk. Specification: sections 8 and 9.
 *
 * Bounds are kept in plain form, of strings only the first BOUND_BYTES: two
 * values that agree so far give the same bound once it is cut to
 * STATISTICS_BYTES_MAX. All-zero bounds are those of no values.
 */
#ifndef HAUL_FORMAT_PARQUET_STATISTICS_H
#define HAUL_FORMAT_PARQUET_STATISTICS_H

#include "format/parquet/encode_plain.h"
#include "format/parquet/schema.h"

#define STATISTICS_BYTES_MAX 64u
#define BOUND_BYTES          (STATISTICS_BYTES_MAX + 1u)

/* By what values are compared; it follows from the leaf's type. */
enum order {
    ORDER_NONE,
    ORDER_BOOL,
    ORDER_I32,
    ORDER_U32,
    ORDER_I64,
    ORDER_U64,
    ORDER_F16,
    ORDER_F32,
    ORDER_F64,
    ORDER_BYTES,  /* unsigned, bytewise */
    ORDER_TEXT,   /* the same; cut between characters */
    ORDER_DECIMAL /* big-endian two's complement */
};

enum order statistics_order(const struct node *leaf);
bool order_is_float(enum order order);

struct bound {
    uint8_t length;
    uint8_t bytes[BOUND_BYTES];
};

struct bounds {
    bool any; /* a value that is not NaN was seen */
    struct bound min, max;
    int64_t nan_count;
};

/* `count` values of `width` bytes (booleans: one byte). */
void bounds_add_fixed(struct bounds *bounds, enum order order, const uint8_t *values, size_t count,
                      size_t width);
void bounds_add_strings(struct bounds *bounds, const struct strings *strings, size_t first, size_t count);
void bounds_merge(struct bounds *bounds, const struct bounds *more, enum order order);

/* < 0, 0, > 0 */
int bound_compare(enum order order, const struct bound *a, const struct bound *b);

/* Cut to STATISTICS_BYTES_MAX bytes; *exact says whether nothing was cut. False:
 * a greatest value that has no shorter upper bound (all bytes 0xFF). */
void bound_cut_min(struct bound *bound, enum order order, bool *exact);
bool bound_cut_max(struct bound *bound, enum order order, bool *exact);

#endif
