/*
 * view.h: one column of a batch as plain pointers, for leaf loops.
 *
 * A reader that was told its taker understands it may give a column as a
 * *dictionary*: `indices` into `dictionary`, a view of the distinct values. The
 * field's type is the type of the values either way. Its values hold no NULL;
 * a NULL row has no index that counts. array_add_dictionary (array.h) makes one.
 *
 * Pointers are aligned to the value's width; nothing may be read past the last
 * value. A pointer of a column without rows may be NULL, offsets and data never.
 */
#ifndef HAUL_BATCH_VIEW_H
#define HAUL_BATCH_VIEW_H

#include "batch/batch.h"

struct view {
    const struct field *field;
    int64_t length;
    int64_t null_count;
    const uint8_t *validity; /* bits; NULL: no nulls (or TYPE_NULL: nothing else) */
    const uint8_t *values;   /* LAYOUT_FIXED: width bytes each; LAYOUT_BITS: bits */
    const int32_t *offsets;  /* LAYOUT_BYTES, LAYOUT_LIST: length + 1 */
    const uint8_t *data;     /* LAYOUT_BYTES */
    const int32_t *indices;  /* a dictionary: then values, offsets, data are NULL */
    const struct ArrowArray *array;
};

/* Checks the shape (buffer count, null pointers, child counts) too: HAUL_DATA. */
enum haul_code view_init(struct view *view, const struct field *field, const struct ArrowArray *array,
                         struct haul_error *err);

/* The view of child `i` (list item, struct member, map entries). */
enum haul_code view_child(const struct view *view, int i, struct view *child, struct haul_error *err);

/* The view of a dictionary's values. */
enum haul_code view_dictionary(const struct view *view, struct view *values, struct haul_error *err);

static inline bool view_is_null(const struct view *view, int64_t i)
{
    return view->validity ? !bit_get(view->validity, i) : view->null_count != 0; /* the second: TYPE_NULL */
}

/* One value as text, the form CSV has (docs/canonical.md); nested values as
 * JSON. For messages, rejects and writers of text. NULL appends nothing. */
enum haul_code view_print(const struct view *view, int64_t i, struct buffer *out, struct haul_error *err);

#endif
