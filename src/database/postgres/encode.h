/*
 * encode.h: columns of a batch as rows of a COPY FROM STDIN, by a function
 * chosen once per column.
 *
 * In binary an encoder writes length and bytes of one value that is not NULL;
 * the caller has made room (pg_encoder_room). When the column cannot hold the
 * value `misfit` says why, and the row is to be taken back. In text format each
 * value is its text, escaped.
 */
#ifndef HAUL_DATABASE_POSTGRES_ENCODE_H
#define HAUL_DATABASE_POSTGRES_ENCODE_H

#include "batch/view.h"
#include "database/postgres/sink.h"

struct encoder;
typedef uint8_t *(*encode_fn)(struct encoder *encoder, int64_t at, uint8_t *out);

struct encoder {
    encode_fn encode;
    const struct sink_column *column;
    struct view view;   /* of the batch at hand: NULLs and indices */
    struct view values; /* the same, or the dictionary's values */
    const char *misfit;
    size_t width;         /* most bytes of a value, its length included; of an item for arrays */
    bool sized;           /* the bytes come from offsets, beside `width` */
    struct encoder *item; /* owned */
    struct buffer text;   /* scratch of the text format */
};

enum haul_code pg_encoder_init(struct encoder *encoder, const struct sink_column *column,
                               const struct field *field, struct memory *memory, struct haul_error *err);
void pg_encoder_release(struct encoder *encoder);

/* Points the encoder at a column of a batch. */
enum haul_code pg_encoder_view(struct encoder *encoder, const struct field *field,
                               const struct ArrowArray *array, struct haul_error *err);

/* Bytes that row `i` may need at most. */
size_t pg_encoder_room(const struct encoder *encoder, int64_t i);

static inline int64_t pg_encoder_at(const struct encoder *encoder, int64_t i)
{
    return encoder->view.indices ? encoder->view.indices[i] : i;
}

/* encode_numeric.c, encode_array.c */
uint8_t *pg_encode_numeric(struct encoder *encoder, int64_t at, uint8_t *out);
uint8_t *pg_encode_array(struct encoder *encoder, int64_t at, uint8_t *out);

#define PG_NUMERIC_WIDTH 36 /* length, head, at most 11 digits, rounded up */
#define PG_ARRAY_HEAD    24 /* length, three counts, length and lower bound */

/* encode_text.c: appends value `i`, NULL as \N, escaped. */
enum haul_code pg_encode_text(struct encoder *encoder, int64_t i, struct buffer *out, struct haul_error *err);

#endif
