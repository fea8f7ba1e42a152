/*
 * dialect.h: how one CSV file spells its rows: delimiter, quote, escape, header
 * and the text of NULL.
 *
 * RFC 4180 is the preset (comma, double quote, quotes doubled); the rest follows
 * what is found in the world: delimiters of several bytes, another quote or
 * none, an escape character, another text for NULL. A delimiter of length 0
 * means "not said": sniff.c finds it.
 */
#ifndef HAUL_FORMAT_CSV_DIALECT_H
#define HAUL_FORMAT_CSV_DIALECT_H

#include "format/csv/forms.h"

#define CSV_DELIMITER_BYTES_MAX 8
#define CSV_NULL_BYTES_MAX      255
#define CSV_NONE                (-1)

/* MATCH: the names must be those of --schema, whose order counts. SKIP: the first
 * record is passed over. */
enum csv_header { CSV_HEADER_AUTO, CSV_HEADER_YES, CSV_HEADER_NO, CSV_HEADER_MATCH, CSV_HEADER_SKIP };

struct csv_dialect {
    uint8_t delimiter[CSV_DELIMITER_BYTES_MAX];
    size_t delimiter_length;
    int quote;          /* a byte, or CSV_NONE */
    int escape;         /* a byte; CSV_NONE: a quote is written doubled */
    int comment;        /* a byte that begins a line to leave out, or CSV_NONE */
    bool trim;          /* reading: blanks around fields are left out */
    int64_t skip_lines; /* reading: before the first record */
    enum csv_header header;
    char null_text[CSV_NULL_BYTES_MAX + 1]; /* unquoted; "" unless told */
    size_t null_length;
    struct csv_forms forms; /* reading: dates and numbers spelled otherwise */
};

/* Comma, ", doubled, header auto, NULL is empty. */
void csv_dialect_preset(struct csv_dialect *dialect);

/* The dialect the options ask for; delimiter_length 0 when --delimiter is not
 * given. `settings` may be NULL. HAUL_USAGE names the option that makes no sense. */
enum haul_code csv_dialect_init(struct csv_dialect *dialect, const struct settings *settings,
                                struct haul_error *err);

void csv_dialect_set_delimiter(struct csv_dialect *dialect, const char *bytes, size_t length);

/* Does a file's name say tabs (.tsv, .tab, also compressed)? NULL: no. */
bool csv_name_wants_tabs(const char *name);

/* The delimiter as a user would type it: "," or "\t" or "\x01". */
#define CSV_DELIMITER_TEXT_BYTES (CSV_DELIMITER_BYTES_MAX * 4 + 1)
void csv_dialect_print_delimiter(const struct csv_dialect *dialect, char out[CSV_DELIMITER_TEXT_BYTES]);

#endif
