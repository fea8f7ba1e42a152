/*
 * encode.h: columns of a batch as the bytes of bulk-loaded rows, by a function
 * chosen once per column.
 *
 * An encoder writes one value, length and NULL included, at `out` and returns
 * where it ends. The caller has made room for ms_encoder_room bytes and
 * ENCODE_SLACK behind the row: encoders write whole words. A value that the
 * column cannot take is a misfit: state->misfit is set and the row is not sent.
 *
 * A large value of a (max) column is not copied: its beginning is written and a
 * piece noted; the caller sends the row up to there, then ms_piece_send, then the
 * rest. It was checked before, so that nothing fails half-way.
 *
 * What is lost (a digit that the type does not have) is counted in `lost`.
 */
#ifndef HAUL_DATABASE_MSSQL_ENCODE_H
#define HAUL_DATABASE_MSSQL_ENCODE_H

#include "batch/view.h"
#include "database/mssql/decode.h"

#define ENCODE_SLACK       32
#define ENCODE_FIXED_BYTES 18 /* a decimal or an identifier with its length */
#define ENCODE_CACHE_MAX   ((size_t)4 << 20)
#define ENCODE_INLINE_MAX  8000 /* bytes; a larger value of a (max) column is a piece */

struct encoder;

struct piece {
    const uint8_t *place; /* in the row: it belongs in front of this byte */
    struct encoder *encoder;
    int64_t at;
};

struct encode_state {
    const char *misfit; /* of the row at hand; NULL none */
    int misfit_column;
    struct piece *pieces; /* room for one of each column */
    int piece_count;
    struct buffer scratch; /* of pieces that are turned into another encoding */
};

typedef uint8_t *(*encode_fn)(struct encoder *encoder, int64_t row, uint8_t *out);

struct encoder {
    encode_fn encode; /* row -> bytes, NULL included */
    struct encode_state *state;
    int column;

    /* of the batch */
    const uint8_t *validity, *values, *data;
    const int32_t *offsets, *indices;
    const int16_t *minutes, *rest; /* of a struct of --timestamps exact: offset, nanoseconds; NULL none */
    size_t room;                   /* bytes that a row may need at most */
    bool pieces;                   /* a value may be one */
    int64_t lost;

    /* of the type */
    encode_fn direct; /* `encode` without a dictionary, */
    encode_fn value;  /* of a value that is not NULL, by its place */
    enum ms_frame frame;
    bool nullable;
    uint32_t bytes;           /* of a value: exactly, or at most; MS_MAX: chunks */
    uint32_t growth;          /* bytes that one byte of text may become */
    int width;                /* of a FIXED_BINARY field */
    int64_t day;              /* in the field's unit of time */
    int64_t multiply, divide; /* from that unit to the wire's */
    unsigned time_bytes;
    uint128_t decimal_limit;
    struct codepage *page; /* narrow text */
    const char *loss;      /* what may be lost; NULL nothing */

    /* a dictionary's values, each encoded once a batch */
    struct buffer cache;
    uint32_t *cached; /* place of value i; that of i + 1 ends it; nothing between: not cached */
    size_t cached_room;
};

/* `field` is what ms_bulk_field says of the column. `state` and `pages` outlive it. */
enum haul_code ms_encoder_init(struct encoder *encoder, const struct ms_column *column,
                               const struct field *field, struct decode_pages *pages, struct haul_error *err);
void ms_encoder_release(struct encoder *encoder);

/* Points the encoder at a column of a batch. */
enum haul_code ms_encoder_view(struct encoder *encoder, const struct field *field,
                               const struct ArrowArray *array, struct haul_error *err);

/* Sends what was left out of the row: chunks, and the end of the value. */
enum haul_code ms_piece_send(const struct piece *piece, struct wire *wire, struct haul_error *err);

/* ---- for the encoders ---- */

static inline bool ms_encode_is_null(const struct encoder *encoder, int64_t row)
{
    return encoder->validity && !bit_get(encoder->validity, row);
}

uint8_t *ms_encode_misfit(struct encoder *encoder, const char *why, uint8_t *out);
uint8_t *ms_encode_null(struct encoder *encoder, uint8_t *out);

/* Of a leaf for values the function for rows. */
#define ENCODER(name)                                                                                        \
    static uint8_t *name##_row(struct encoder *e, int64_t row, uint8_t *out)                                 \
    {                                                                                                        \
        return ms_encode_is_null(e, row) ? ms_encode_null(e, out) : name(e, row, out);                       \
    }

/* encode_text.c: text and binaries. Leaves encoder->value NULL when there is no way. */
void ms_encoder_text(struct encoder *encoder, const struct ms_type *type, const struct field *field);

#endif
