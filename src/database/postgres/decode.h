/*
 * decode.h: values of a binary COPY into a column, by a function chosen once per
 * column.
 *
 * A decoder writes at the builder's next row, for which there is room (the
 * reader reserves rows; room for bytes of text the decoder makes itself), and
 * closes the row. When the value is well formed but the column cannot hold it,
 * nothing is appended and `misfit` says why. Bytes that are not what the type's
 * binary form must be are HAUL_DATA.
 */
#ifndef HAUL_DATABASE_POSTGRES_DECODE_H
#define HAUL_DATABASE_POSTGRES_DECODE_H

#include "batch/builder.h"
#include "database/postgres/source.h"

struct decoder;
typedef enum haul_code (*decode_fn)(struct decoder *decoder, const uint8_t *data, uint32_t length,
                                    struct haul_error *err);

struct decoder {
    decode_fn decode;
    struct builder *builder;
    const char *misfit;
    uint128_t limit; /* NUMERIC: 10^precision */
    int scale;
    Oid item_oid;         /* ARRAY: of its elements */
    struct decoder *item; /* owned */
};

enum haul_code pg_decoder_init(struct decoder *decoder, const struct source_column *column,
                               struct builder *builder, struct haul_error *err);
void pg_decoder_release(struct decoder *decoder);

/* decode_numeric.c, decode_array.c */
enum haul_code pg_decode_numeric(struct decoder *decoder, const uint8_t *data, uint32_t length,
                                 struct haul_error *err);
enum haul_code pg_decode_array(struct decoder *decoder, const uint8_t *data, uint32_t length,
                               struct haul_error *err);

/* HAUL_DATA: "column "x": 3 bytes are no value of its type". */
enum haul_code pg_decode_malformed(const struct decoder *decoder, uint32_t length, struct haul_error *err);

/* Marks the row that was just written as there. */
static inline void pg_decode_close(struct builder *builder)
{
    if (builder->validity.length)
        bit_set(builder->validity.data, builder->length);
    builder->length++;
}

#endif
