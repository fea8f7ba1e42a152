/*
 * parse.h: fields into columns, the second of two stages.
 *
 * A parser belongs to one column. Its function was chosen once, by type, and
 * goes over a *slice*: that column's fields of a block of rows. It writes values
 * side by side and one flag per row; what the flags mean for validity bits and
 * refused rows is settled afterwards, once per column, and only when some flag
 * is set.
 *
 * Two ways to read a value. *Fast*: the form that nearly every field has, by a
 * few operations on 8 bytes at a time. Whatever it does not know at a glance
 * (quotes, NULL, signs, blanks, other forms, nonsense) goes the *slow* way, one
 * value through builder_append_text, which decides. The fast way takes canonical
 * text only, so it needs to know nothing of strictness.
 *
 * A *strict* column is one whose type was sniffed: a value counts only when it
 * prints back unchanged ("007" is not an integer there).
 */
#ifndef HAUL_FORMAT_CSV_PARSE_H
#define HAUL_FORMAT_CSV_PARSE_H

#include "batch/builder.h"
#include "format/csv/dialect.h"

/* Flags of a row's field. */
enum {
    CSV_FIELD_NULL = 1,
    CSV_FIELD_NOT_A_VALUE = 2, /* of the column's type */
    CSV_FIELD_BAD_QUOTES = 4,  /* text after the closing quote */
    CSV_FIELD_NOT_UTF8 = 8,
    CSV_FIELD_REFUSED = CSV_FIELD_NOT_A_VALUE | CSV_FIELD_BAD_QUOTES | CSV_FIELD_NOT_UTF8
};

/* Field r is data[starts[r * start_stride] + start_add, ends[r * stride]). At
 * least BUFFER_PADDING bytes are readable behind the last. */
struct csv_slice {
    const uint8_t *data;
    const uint32_t *starts, *ends;
    size_t start_stride, start_add, stride;
    size_t rows;
    bool utf8; /* the whole block is known to be valid UTF-8 */
};

struct csv_parser;

/* Values (width bytes each; one byte each for bool) and flags; returns all flags or-ed. */
typedef unsigned (*csv_parse_fn)(struct csv_parser *parser, const struct csv_slice *slice, uint8_t *values,
                                 uint8_t *flags);

struct csv_parser {
    const struct field *field;
    const struct csv_dialect *dialect;
    bool strict;
    enum csv_form form;     /* not NONE: values are spelled in a form of their own */
    csv_parse_fn parse;     /* NULL: by csv_parse_text or one by one */
    struct buffer unquoted; /* a field's text without its quotes and escapes */
    struct buffer wide;     /* values before they are narrowed */
    struct buffer printed;  /* a value as text, for strict columns */
    struct builder one;     /* a value on its slow way */
    struct haul_error *err;
    enum haul_code failed; /* not the value's fault: memory */
};

enum haul_code csv_parser_init(struct csv_parser *parser, const struct field *field, bool strict,
                               const struct csv_dialect *dialect, struct memory *memory,
                               struct haul_error *err);
void csv_parser_release(struct csv_parser *parser);

/* Appends the slice to the column: refused fields as NULL. `flags` has a byte per
 * row and gets the flags; *all gets them or-ed. */
enum haul_code csv_parse_column(struct csv_parser *parser, const struct csv_slice *slice,
                                struct builder *column, uint8_t *flags, unsigned *all,
                                struct haul_error *err);

/* ---- between the parse_*.c files ---- */

/* The field's text where it stands in the block, quotes around it left out.
 * False: it holds doubled quotes or escapes, or is malformed. */
bool csv_text_in_place(const struct csv_dialect *dialect, const uint8_t *field, size_t length,
                       const uint8_t **text, size_t *text_length);

/* Writes the text of any field, `length` bytes at most. Returns flags. */
unsigned csv_unquote(const struct csv_dialect *dialect, const uint8_t *field, size_t length, uint8_t *out,
                     size_t *out_length);

/* The one or the other: the text lives in the block or in parser->unquoted until
 * the next call. Returns flags. */
unsigned csv_field_text(struct csv_parser *parser, const uint8_t *field, size_t length, const uint8_t **text,
                        size_t *text_length);

/* One field the slow way into `value`. Returns flags. */
unsigned csv_parse_slow(struct csv_parser *parser, const uint8_t *field, size_t length, uint8_t *value);

/* The function of a type with a fast way; NULL: it has none. */
csv_parse_fn csv_parse_choose_number(const struct field *field);
csv_parse_fn csv_parse_choose_time(const struct field *field);

/* Strings straight into the column. */
enum haul_code csv_parse_text(struct csv_parser *parser, const struct csv_slice *slice,
                              struct builder *column, uint8_t *flags, unsigned *all, struct haul_error *err);

/* Leaves out blanks and tabs around the slice's fields; where they end is in `room` then. */
enum haul_code csv_slice_trim(struct csv_slice *slice, struct buffer *room, struct haul_error *err);

static inline const uint8_t *csv_slice_field(const struct csv_slice *slice, size_t row, size_t *length)
{
    size_t start = slice->starts[row * slice->start_stride] + slice->start_add;
    *length = slice->ends[row * slice->stride] - start;
    return slice->data + start;
}

#endif
