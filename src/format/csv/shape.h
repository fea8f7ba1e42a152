/*
 * shape.h: what was decided about one file before its first row is read:
 * dialect, columns and where the rows begin. The same file and options give the
 * same shape in every process: samples are taken at fixed places and of fixed
 * sizes, whatever the memory and the number of workers.
 */
#ifndef HAUL_FORMAT_CSV_SHAPE_H
#define HAUL_FORMAT_CSV_SHAPE_H

#include "batch/source.h"
#include "format/csv/dialect.h"
#include "format/window.h"

struct csv_shape {
    struct csv_dialect dialect;
    struct schema schema; /* every column of the file */
    bool *strict;         /* per column: its type was sniffed (in schema.arena) */
    int *order;           /* --header match: the columns in the order of --schema; else NULL */
    int64_t rows_at;      /* offset of the first record behind the header */
    uint64_t rows_line;   /* and its line, from 1 */
    bool header;          /* the first record holds the names */
    bool delimiter_sniffed;
    int64_t sample_records; /* how many records the types were seen in */
    bool other_charset;     /* the sample is no UTF-8 */
};

/* Looks at the file. A stream's sample stays in bytes->head. */
enum haul_code csv_shape_find(struct csv_shape *shape, struct file_bytes *bytes,
                              const struct source_request *request, const struct context *context,
                              struct haul_error *err);
void csv_shape_release(struct csv_shape *shape);

/* The name as --schema takes it: quoted when it must be. Cut to fit. */
void csv_schema_print_name(const char *name, char *out, size_t out_bytes);

/* One "name:type" of --schema. */
struct csv_schema_entry {
    const char *name;
    struct field field; /* name and type */
};

/* "name:type,..."; names may be quoted ("a,b":utf8, quotes doubled). In `arena`. */
enum haul_code csv_schema_parse(const char *text, struct arena *arena, struct csv_schema_entry **entries,
                                int *count, struct haul_error *err);

#endif
