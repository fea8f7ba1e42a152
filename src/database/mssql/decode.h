/*
 * decode.h: values of the wire into a column, by a function chosen once per
 * column.
 *
 * A decoder is given the window [at, end) and the row, and returns where the next
 * value begins. When the value is not whole in the window it does nothing,
 * returns NULL and says in state->wants how many bytes from `at` it needs: the
 * reader then copies that many and calls again. What is malformed or fails
 * returns NULL with state->err set. A value that the column cannot hold is a
 * misfit: its row is written as NULL and dropped later.
 *
 * Types without a length at the front (chunks, text pointers) have `stream`
 * instead, which reads from the wire itself.
 *
 * Windows have WINDOW_PADDING readable bytes behind their end.
 */
#ifndef HAUL_DATABASE_MSSQL_DECODE_H
#define HAUL_DATABASE_MSSQL_DECODE_H

#include "base/codepage.h"
#include "batch/batch.h"
#include "batch/builder.h"
#include "database/mssql/column.h"

#define WINDOW_PADDING 16

struct decode_state {
    struct haul_error *err; /* of the call under way */
    size_t wants;
    int64_t first_row; /* of the batch, in the part; for messages */
    int misfit_column; /* -1: none in this row */
    const char *misfit;
};

struct decoder;
typedef const uint8_t *(*decode_fn)(struct decoder *decoder, const uint8_t *at, const uint8_t *end,
                                    int64_t row);
typedef enum haul_code (*stream_fn)(struct decoder *decoder, struct wire *wire, int64_t row,
                                    struct haul_error *err);

#define EXACT_SMALL 3 /* children of a struct beside the first, and an end */

struct decoder {
    decode_fn decode; /* NULL: stream */
    stream_fn stream;
    struct decode_state *state;
    const char *name; /* of the column */
    int column;
    bool nullable;
    bool exact; /* the column is a struct: decode_exact.c */
    bool zoned; /* datetimeoffset */

    /* of the batch */
    uint8_t *values, *validity, *data;
    int32_t *offsets;
    size_t data_used, data_room;
    int64_t nulls, lost, lost_offsets; /* values that lost their 100 ns digit; their offset, or base type */
    int16_t *small[EXACT_SMALL];

    /* of the type */
    uint32_t bytes;       /* of a value: exactly, or at most */
    uint64_t mask, limit; /* of a time of day; limit: also of a decimal that has no more than 18 digits */
    int64_t multiply, divide;
    unsigned time_bytes;
    uint128_t decimal_limit;
    struct codepage *page;
    struct buffer *scratch;
    size_t value_max; /* a larger one is refused before it is buffered */
    bool json_or_xml;
    struct builder *builder;
    struct builder *outer; /* exact: of the struct */
};

/* What all columns of a reader share: code pages, made when first seen. */
#define PAGES_MAX 32
struct decode_pages {
    struct codepage *pages[PAGES_MAX];
    int count;
};
enum haul_code ms_page(struct decode_pages *pages, int number, struct codepage **page,
                       struct haul_error *err);
void ms_pages_release(struct decode_pages *pages);

/* Chooses. `state`, `pages` and `scratch` are the reader's. */
enum haul_code ms_decoder_init(struct decoder *decoder, const struct ms_column *column,
                               const struct field *field, struct decode_pages *pages, struct haul_error *err);

/* Room for `rows`, and the pointers into it; then rows 0, 1, ...; then the end. */
enum haul_code ms_decoder_begin(struct decoder *decoder, struct builder *builder, int64_t rows,
                                struct haul_error *err);
void ms_decoder_end(struct decoder *decoder, int64_t rows);

/* Writes NULL. */
void ms_decode_null(struct decoder *decoder, int64_t row);

/* ---- for the decoders ---- */

const uint8_t *ms_decode_malformed(struct decoder *decoder, const char *what);
const uint8_t *ms_decode_null_value(struct decoder *decoder, const uint8_t *next, int64_t row);
void ms_decode_misfit(struct decoder *decoder, int64_t row, const char *why);

/* Room for `more` bytes of text behind data_used; state->err is set when false. */
bool ms_decode_grow(struct decoder *decoder, size_t more);

static inline bool ms_decode_room(struct decoder *decoder, size_t more)
{
    /* More than asked for, so that even an empty text has a buffer to point into. */
    return __builtin_expect(decoder->data_room - decoder->data_used > more, 1) ||
           ms_decode_grow(decoder, more + 1);
}

static inline const uint8_t *ms_decode_wants(struct decoder *decoder, size_t bytes)
{
    decoder->state->wants = bytes;
    return NULL;
}

/* Closes a row of text whose bytes stand up to data_used. */
static inline void ms_decode_close(struct decoder *decoder, int64_t row)
{
    decoder->offsets[row + 1] = (int32_t)decoder->data_used;
}

/* decode_text.c */
const uint8_t *ms_decode_wide(struct decoder *decoder, const uint8_t *at, const uint8_t *end, int64_t row);
const uint8_t *ms_decode_narrow(struct decoder *decoder, const uint8_t *at, const uint8_t *end, int64_t row);
const uint8_t *ms_decode_bytes(struct decoder *decoder, const uint8_t *at, const uint8_t *end, int64_t row);
const uint8_t *ms_decode_binary(struct decoder *decoder, const uint8_t *at, const uint8_t *end, int64_t row);

/* Appends to data; false: misfit (its reason) or state->err. */
bool ms_append_wide(struct decoder *decoder, const uint8_t *in, size_t size, const char **why);
bool ms_append_narrow(struct decoder *decoder, const uint8_t *in, size_t size, const char **why);

/* decode_stream.c */
stream_fn ms_stream_choose(const struct ms_type *type);

/* decode_exact.c */
enum haul_code ms_exact_begin(struct decoder *decoder, struct builder *outer, int64_t rows,
                              struct haul_error *err);
void ms_exact_end(struct decoder *decoder, int64_t rows);
void ms_exact_null(struct decoder *decoder, int64_t row);
bool ms_exact_put_type(struct decoder *decoder, const char *type); /* of a variant; false: state->err */
const uint8_t *ms_decode_exact_moment(struct decoder *decoder, const uint8_t *at, const uint8_t *end,
                                      int64_t row);

/* decode_variant.c */
const uint8_t *ms_decode_variant(struct decoder *decoder, const uint8_t *at, const uint8_t *end, int64_t row);

#endif
