/*
 * column.h: the fields of a column into Arrow, the second of two stages.
 *
 * A decoder belongs to one column. Its function was chosen once, by host type and by
 * the column's type, and goes over a *slice*: that column's fields of the rows that
 * were framed. It writes values side by side and one flag per row; what the flags
 * mean for validity bits and refused rows is settled afterwards.
 */
#ifndef HAUL_FORMAT_BCP_COLUMN_H
#define HAUL_FORMAT_BCP_COLUMN_H

#include "base/codepage.h"
#include "batch/builder.h"
#include "format/bcp/frame.h"
#include "format/bcp/shape.h"

/* Flags of a row's field. The first words of each reason are bcp's. */
enum bcp_fault {
    FAULT_NONE,
    FAULT_NULL, /* no fault */
    FAULT_TRUNCATED,
    FAULT_CAST,
    FAULT_RANGE,
    FAULT_DATE_FORMAT,
    FAULT_DATE_OVERFLOW,
    FAULT_ODD,
    FAULT_PAGE,
    FAULT_SIZE,
    FAULT_NATIVE,
    FAULT_COUNT
};
extern const char *const bcp_faults[FAULT_COUNT];

struct bcp_slice {
    const uint8_t *data;
    const struct bcp_span *spans; /* row r's is spans[r * stride] */
    size_t stride, rows;
};

struct bcp_decoder;
/* A moment that becomes a struct (--timestamps exact). */
struct bcp_exact {
    int64_t micros;
    int16_t offset, nanos;
};

typedef void (*bcp_decode_fn)(struct bcp_decoder *decoder, const struct bcp_slice *slice, uint8_t *values,
                              uint8_t *flags);
typedef enum bcp_fault (*bcp_parse_fn)(struct bcp_decoder *decoder, const char *text, size_t length,
                                       uint8_t *value);

struct bcp_decoder {
    const struct bcp_field *stored;
    const struct field *field;
    struct bcp_type type;
    bcp_decode_fn decode; /* values of one width; NULL: strings and bytes */
    bcp_parse_fn parse;   /* one value of text */
    size_t width;         /* of a value; 1 for bits, which become bits later */
    uint32_t length_max;  /* of text, in bytes of the file; 0 none */
    uint32_t chars_max;   /* of text, as the column counts it; 0 none */
    int64_t per_second;   /* units of a time or timestamp */
    struct codepage page;
    bool utf8, fixed; /* text as it is; it ends by its length alone */
    bool hex;         /* bytes as text */
    bool exact;       /* values are struct bcp_exact */
    int64_t lost;     /* values that lost the digit of 100 ns, or an offset */
    int64_t lost_offsets;
    struct buffer text; /* a field as UTF-8, or its chunks put together */
    struct buffer chunks;
    struct buffer bits; /* bytes before they are bits, moments before they are structs */
    struct haul_error *err;
    enum haul_code failed; /* not the value's fault: memory */
};

enum haul_code bcp_decoder_init(struct bcp_decoder *decoder, const struct bcp_field *stored,
                                const struct field *field, const struct bcp_options *options,
                                struct memory *memory, struct haul_error *err);
void bcp_decoder_release(struct bcp_decoder *decoder);

/* Appends the slice to the column; refused fields as NULL. `flags` has a byte per
 * row; *faults: some are refused. */
enum haul_code bcp_decode_column(struct bcp_decoder *decoder, const struct bcp_slice *slice,
                                 struct builder *column, uint8_t *flags, bool *faults,
                                 struct haul_error *err);

/* The field's text as UTF-8, for messages too; FAULT_NONE or why not. One that is too
 * long (FAULT_TRUNCATED) is turned all the same. */
enum bcp_fault bcp_field_text(struct bcp_decoder *decoder, const uint8_t *data, struct bcp_span span,
                              const char **text, size_t *length);

/* ---- between the files ---- */

bcp_decode_fn bcp_decode_choose(const struct bcp_decoder *decoder); /* native.c */
/* A moment in units of 100 ns into a value; `offset` is in minutes. */
enum bcp_fault bcp_put_exact(uint8_t *value, int64_t days, int64_t units, int offset);

bcp_parse_fn bcp_parse_choose(const struct bcp_decoder *decoder); /* parse.c; NULL: strings and bytes */
enum bcp_fault bcp_parse_hex(const char *text, size_t length, uint8_t *out, size_t *written);
void bcp_parse_slice(struct bcp_decoder *decoder, const struct bcp_slice *slice, uint8_t *values,
                     uint8_t *flags);

/* A value's bytes, chunks put together. False: decoder->failed. */
bool bcp_span_bytes(struct bcp_decoder *decoder, const uint8_t *data, struct bcp_span span,
                    const uint8_t **bytes, size_t *length);

#endif
