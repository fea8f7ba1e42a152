/*
 * inspection.h: what `haul inspect` shows of one file, as plain facts. The
 * format fills it; src/report.c turns it into JSON; the program draws it.
 */
#ifndef HAUL_BATCH_INSPECTION_H
#define HAUL_BATCH_INSPECTION_H

#include "batch/type.h"

struct inspected_column { /* summed over row groups */
    const char *name;     /* dotted path of a leaf */
    char type[96];        /* of the Arrow field */
    const char *physical; /* "INT32", NULL when the format has none */
    const char *codec;    /* "zstd", "mixed" */
    const char *encodings; /* "RLE_DICTIONARY, PLAIN" */
    int64_t bytes_stored, bytes_plain;
    int64_t values, nulls; /* nulls -1 unknown */
    int64_t pages, dictionary_pages; /* -1 unknown */
    const char *min, *max; /* as text, NULL unknown */
};

struct inspected_group {
    int64_t rows, bytes_stored, bytes_plain, offset;
};

struct inspected_fact { /* "created_by", "delimiter", ... */
    const char *name, *value;
};

struct inspection {
    const char *name; /* of the file; file_source sets it */
    const char *format;
    int64_t rows, bytes;
    struct inspected_column *columns;
    int column_count;
    struct inspected_group *groups;
    int64_t group_count;
    struct inspected_fact *facts;
    int fact_count;
    struct arena arena;
};
void inspection_release(struct inspection *inspection);

#endif
