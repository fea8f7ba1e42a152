/*
 * sniff.h: looking at samples: which delimiter, how many columns, which types,
 * is the first record a header. shape.c makes the shape of the answers.
 */
#ifndef HAUL_FORMAT_CSV_SNIFF_H
#define HAUL_FORMAT_CSV_SNIFF_H

#include "format/csv/block.h"
#include "format/csv/guess.h"
#include "format/csv/parse.h"
#include "format/csv/shape.h"

#define CSV_SAMPLE_BYTES      ((size_t)4 << 20)
#define CSV_SAMPLE_MORE_BYTES ((size_t)256 << 10) /* from the middle and the end of a large file */
#define CSV_SAMPLE_RECORDS    20000
#define CSV_COLUMNS_MAX       100000

struct csv_sniffer {
    const struct context *context;
    const struct file_bytes *bytes;
    struct csv_dialect dialect;
    struct csv_scan scan;
    struct csv_text sample; /* from the first record on (behind BOM and leading blank lines) */
    struct csv_block block;
    struct buffer trimmed;
    struct csv_parser parser; /* takes quotes off */
    struct csv_guess *guesses;
    size_t columns;
    int64_t records; /* looked at */
    bool float_pass;
};

enum haul_code csv_sniffer_init(struct csv_sniffer *sniffer, const struct context *context,
                                const struct file_bytes *bytes, const struct csv_dialect *dialect,
                                struct haul_error *err);
void csv_sniffer_release(struct csv_sniffer *sniffer);

/* The delimiter that cuts the sample most evenly; the comma when none does. */
enum haul_code csv_sniff_delimiter(struct csv_sniffer *sniffer, const struct csv_text *text,
                                   struct haul_error *err);

/* Where the first record that is not blank starts, its fields and its end with
 * the line end. *fields 0: there is no complete one. */
enum haul_code csv_sniff_first(struct csv_sniffer *sniffer, const struct csv_text *text, size_t *start,
                               size_t *end, size_t *fields, struct haul_error *err);

/* Guesses the types of `columns` from the sample (without its first record when
 * `skip_first`) and, when the file is large, from its middle and end. Guesses
 * live in `arena`. */
enum haul_code csv_sniff_types(struct csv_sniffer *sniffer, size_t columns, bool skip_first,
                               struct arena *arena, struct haul_error *err);

/* Does the first record look like names above these columns? */
enum haul_code csv_sniff_header(struct csv_sniffer *sniffer, bool *header, struct haul_error *err);

/* The texts of the first record's fields, NUL-terminated, in `arena`. HAUL_DATA
 * when they are malformed. */
enum haul_code csv_sniff_texts(struct csv_sniffer *sniffer, struct arena *arena, const char ***texts,
                               struct haul_error *err);

#endif
