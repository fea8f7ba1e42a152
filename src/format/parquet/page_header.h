/*
 * page_header.h: what stands before the bytes of each page. Specification:
 * sections 3 and 4.
 */
#ifndef HAUL_FORMAT_PARQUET_PAGE_HEADER_H
#define HAUL_FORMAT_PARQUET_PAGE_HEADER_H

#include "format/parquet/footer.h"

enum { DATA_PAGE_STATISTICS = 5 };
struct data_page_header { /* required: all but statistics */
    uint32_t has;
    int32_t num_values, encoding, definition_level_encoding, repetition_level_encoding;
    struct statistics *statistics;
};

enum { DICTIONARY_PAGE_SORTED = 3 };
struct dictionary_page_header { /* required: num_values, encoding */
    uint32_t has;
    int32_t num_values, encoding;
    bool is_sorted;
};

enum { DATA_PAGE_V2_COMPRESSED = 7, DATA_PAGE_V2_STATISTICS = 8 };
struct data_page_header_v2 { /* required: all but is_compressed (absent: true) and statistics */
    uint32_t has;
    int32_t num_values, num_nulls, num_rows, encoding, definition_bytes, repetition_bytes;
    bool is_compressed;
    struct statistics *statistics;
};

enum { PAGE_HEADER_CRC = 4, PAGE_HEADER_DATA = 5, PAGE_HEADER_DICTIONARY = 7, PAGE_HEADER_DATA_V2 = 8 };
struct page_header { /* required: type and both sizes */
    uint32_t has;
    int32_t type, uncompressed_size, compressed_size;
    int32_t crc; /* the bits of the u32 */
    struct data_page_header *data;
    struct dictionary_page_header *dictionary;
    struct data_page_header_v2 *data_v2;
};

extern const struct thrift_table thrift_page_header;

#define PAGE_HEADER_BYTES_MAX ((size_t)16 << 20) /* statistics may be long */

/* Parses and checks: sizes and counts not negative, the header of its own type
 * there, v2 level bytes within the page. *used as in thrift_parse. */
enum haul_code page_header_parse(struct slice data, struct page_header *header, struct arena *arena,
                                 size_t *used, struct haul_error *err);

enum haul_code page_header_write(const struct page_header *header, struct buffer *out,
                                 struct haul_error *err);

#endif
