/*
 * scan.h: where fields and records end.
 *
 * The first of two stages: a run over bytes, 64 at a time, that writes down the
 * place of each separator outside of quotes. Stage two (parse.h) never looks for
 * a separator again. Nothing here knows of columns, types or files.
 *
 * The rules, byte for byte (RFC 4180 where it speaks):
 *   - a quote opens a field only as the field's first byte; elsewhere in an
 *     unquoted field it is text;
 *   - in a quoted field a doubled quote is text; after the closing quote comes a
 *     separator (anything else makes the field malformed: it goes on unquoted up
 *     to the next separator, and parse.c refuses it);
 *   - with an escape character, the byte after it is text, quoted or not, and
 *     quotes are not doubled;
 *   - CR, LF and CRLF outside of quotes end a record.
 *
 * A run for fields begins at the start of a record and keeps no state from one
 * call to the next: the caller keeps the bytes of the record that was not
 * complete and runs over them again with more. So a cut can fall anywhere and
 * change nothing. A run for records alone can go on where the last one stopped
 * (`state`), so that a record may be longer than memory.
 */
#ifndef HAUL_FORMAT_CSV_SCAN_H
#define HAUL_FORMAT_CSV_SCAN_H

#include "base/context.h"
#include "format/csv/dialect.h"
#include "format/window.h"

#define CSV_SCAN_LENGTH_MAX WINDOW_RECORD_MAX /* bytes of one run */
#define CSV_SCAN_SLACK      96u               /* entries of room that a run needs to go on */

enum csv_place { CSV_AT_START, CSV_IN_PLAIN, CSV_IN_QUOTES, CSV_AFTER_QUOTES, CSV_IN_COMMENT };

struct csv_scan_state {
    enum csv_place place;
    bool after_cr; /* the byte before was a CR that ended a record */
    bool line_cr;  /* the byte before was a CR, wherever */
    bool escaped;  /* the next byte is text */
    bool within;   /* the record has begun */
    unsigned skip; /* bytes of a delimiter still to pass */
};

struct csv_marks {
    /* Each field's end: the place of the delimiter, CR or LF behind it. Room
     * for `capacity` entries; NULL when only records are wanted. */
    uint32_t *ends;
    size_t end_count;
    /* Per record the number of fields up to and with its last one (`ends` given),
     * or the place of its line end (`ends` NULL). Room for `capacity`. */
    uint32_t *records;
    size_t record_count;
    size_t capacity;
    struct csv_scan_state *state; /* records only: where the last run stopped; NULL: at a record's start */

    size_t reached;         /* bytes looked at */
    bool full;              /* it stopped early, for want of capacity */
    size_t complete;        /* bytes of complete records, line ends included */
    size_t fields_complete; /* entries of `ends` that belong to complete records */
    uint64_t lines;         /* line ends (in quotes too) within `complete`; with `state`, in all of it */
    bool quoted;            /* it stopped inside quotes, */
    size_t quote_at;        /* that opened here */
    bool ascii;             /* no byte of 0x80 or above in what was looked at */
};

/* What a loop runs over. Bytes from `limit` to `length` are seen but not judged. */
struct csv_span {
    const uint8_t *data;
    size_t length, limit;
};

struct csv_scan;
typedef void (*csv_scan_fn)(const struct csv_scan *scan, const struct csv_span *span,
                            struct csv_marks *marks);

struct csv_scan {
    uint8_t delimiter[CSV_DELIMITER_BYTES_MAX];
    size_t delimiter_length;
    int quote, escape;   /* CSV_NONE: there is none */
    int comment;         /* as its first byte it makes a record a comment: one field, up to the line's end */
    csv_scan_fn fields;  /* ends and records */
    csv_scan_fn records; /* records only */
};

void csv_scan_init(struct csv_scan *scan, const struct csv_dialect *dialect, const struct cpu_features *cpu);

/* How many of the last bytes are seen but not judged, because they may be half of something. */
size_t csv_scan_ahead(const struct csv_scan *scan);

/* Looks at data[0, length). `final`: nothing follows, so what stands after the
 * last line end is a record too. Else the last bytes (csv_scan_ahead), which may be half
 * of a delimiter or of CRLF, are left alone. Sets everything of `marks` but `ends`,
 * `records` and `capacity`. */
void csv_scan_run(const struct csv_scan *scan, const uint8_t *data, size_t length, bool final,
                  struct csv_marks *marks);

/* Physical line ends in data[0, length): LF, CR, CRLF as one. */
uint64_t csv_scan_count_lines(const uint8_t *data, size_t length);

/* The loops: portable, and for x86-64 with AVX2 and PCLMUL (scan_avx2.c). They
 * set `reached`, the counts, `lines` (of all they saw), `quoted` and `ascii`. */
void csv_scan_fields_plain(const struct csv_scan *scan, const struct csv_span *span, struct csv_marks *marks);
void csv_scan_records_plain(const struct csv_scan *scan, const struct csv_span *span,
                            struct csv_marks *marks);
void csv_scan_fields_avx2(const struct csv_scan *scan, const struct csv_span *span, struct csv_marks *marks);
void csv_scan_records_avx2(const struct csv_scan *scan, const struct csv_span *span, struct csv_marks *marks);

/* scan_choice_x86.c or scan_choice_any.c, by the machine built for. */
void csv_scan_choose(struct csv_scan *scan, const struct cpu_features *cpu);

#endif
