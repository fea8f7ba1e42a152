/*
 * levels.h: the definition or repetition levels of one page.
 * Specification: sections 4.1, 4.2 and 6.
 */
#ifndef HAUL_FORMAT_PARQUET_LEVELS_H
#define HAUL_FORMAT_PARQUET_LEVELS_H

#include "format/parquet/decode_hybrid.h"
#include "format/parquet/page_reader.h"

struct levels {
    unsigned max; /* 0: there are none, all levels are 0 */
    bool legacy;  /* BIT_PACKED: most significant bit first */
    struct hybrid hybrid;
    struct slice packed;
    size_t place;
};

/* Opens both kinds for a data page and moves page->body on to the values. */
enum haul_code levels_open(struct page *page, unsigned max_repetition, unsigned max_definition,
                           struct levels *repetition, struct levels *definition, struct haul_error *err);

/* The next `count` levels. HAUL_DATA when there are fewer, or one beyond max. */
enum haul_code levels_read(struct levels *levels, uint8_t *out, size_t count, struct haul_error *err);

/* The same for max 1, as bits from bit `first` on; *ones gets how many are 1. */
enum haul_code levels_read_bits(struct levels *levels, uint8_t *bits, int64_t first, size_t count,
                                int64_t *ones, struct haul_error *err);

#endif
