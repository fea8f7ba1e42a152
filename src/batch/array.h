/*
 * array.h: Arrow arrays that own their buffers, and what else is done with an
 * array as a whole, whoever made it.
 *
 * A child that was moved out has release NULL in its old place; releasing the
 * parent leaves it alone. That holds for ours and, by the Arrow specification,
 * for foreign arrays too.
 */
#ifndef HAUL_BATCH_ARRAY_H
#define HAUL_BATCH_ARRAY_H

#include "batch/type.h"

#define ARRAY_BUFFERS_MAX 3

/* An array of `length` rows with no buffers yet and `child_count` empty
 * children to be filled. `buffer_count` <= ARRAY_BUFFERS_MAX. */
enum haul_code array_init(struct ArrowArray *array, int64_t length, int buffer_count, int child_count,
                          struct haul_error *err);

/* Moves `buffer` into place `i` of an array made by array_init. */
void array_set_buffer(struct ArrowArray *array, int i, struct buffer *buffer);

/* Turns an array of int32 indices (made by a builder or array_init) into a
 * dictionary array: moves `values` into it. Both are left alone on failure. */
enum haul_code array_add_dictionary(struct ArrowArray *indices, struct ArrowArray *values,
                                    struct haul_error *err);

/* Moves; `to` is overwritten. */
void array_move(struct ArrowArray *from, struct ArrowArray *to);

/* Releases when there is something; all-zero is fine. */
void array_release(struct ArrowArray *array);

/* Number of buffers the Arrow layout of `field` has. */
int array_buffer_count(const struct field *field);

/* Nulls, counted when the array does not say. */
int64_t array_null_count(const struct field *field, const struct ArrowArray *array);

/* Bytes of the buffers in use, children and dictionary included. */
int64_t array_bytes(const struct field *field, const struct ArrowArray *array);

/* A stretch of rows. */
struct run {
    int64_t start, count;
};

/* A copy of the rows in `runs` (ascending, none empty) of `from`, which has
 * offset 0. Dictionaries are not copied: array_take_dictionaries moves them
 * afterwards, when nothing can fail any more. */
struct run_list {
    const struct run *runs;
    int64_t count;
    int64_t rows; /* their sum */
};
enum haul_code array_take(const struct field *field, const struct ArrowArray *from,
                          const struct run_list *list, struct memory *memory, struct ArrowArray *to,
                          struct haul_error *err);
void array_take_dictionaries(struct ArrowArray *from, struct ArrowArray *to);

#endif
