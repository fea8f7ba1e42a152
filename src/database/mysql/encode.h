/*
 * encode.h: values of a column as LOAD DATA's text, by a function chosen once
 * per column.
 *
 * An encoder appends the value in row `at` of its view. When the value cannot be
 * one of the target's, `misfit` says why (what was appended is then taken back).
 */
#ifndef HAUL_DATABASE_MYSQL_ENCODE_H
#define HAUL_DATABASE_MYSQL_ENCODE_H

#include "batch/view.h"
#include "database/mysql/sink.h"

struct encoder;
typedef enum haul_code (*encode_fn)(struct encoder *encoder, int64_t at, struct buffer *out,
                                    struct haul_error *err);

struct encoder {
    encode_fn encode;
    const struct sink_column *column;
    struct view view;   /* of the batch's column */
    struct view values; /* the same, or its dictionary's */
    int64_t coarse_us;  /* times: what the target does not keep; 1: nothing */
    const char *misfit;
};

enum haul_code my_encoder_choose(struct encoder *encoder, const struct sink_column *column,
                                 const struct field *field, struct haul_error *err);

/* Points the encoder at a batch's column. */
enum haul_code my_encoder_view(struct encoder *encoder, const struct field *field,
                               const struct ArrowArray *array, struct haul_error *err);

/* How many of the batch's values are -0.0: MariaDB stores them without their sign. */
int64_t my_encoder_unsigned_zeros(const struct encoder *encoder);

/* The row of `values` that row `i` of the column is. */
static inline int64_t my_encoder_at(const struct encoder *encoder, int64_t i)
{
    return encoder->view.indices ? encoder->view.indices[i] : i;
}

#endif
