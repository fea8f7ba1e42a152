/*
 * page_header.c: the table of the page header and the checks every page must
 * pass before its sizes are used.
 */
#include "format/parquet/page_header.h"

#define ROW(id, type, member, kind)                                                                          \
    {                                                                                                        \
        id, #member, THRIFT_##kind, false, offsetof(struct type, member), NULL                               \
    }
#define NEED(id, type, member, kind)                                                                         \
    {                                                                                                        \
        id, #member, THRIFT_##kind, true, offsetof(struct type, member), NULL                                \
    }
#define ROW_OF(id, type, member, kind, sub)                                                                  \
    {                                                                                                        \
        id, #member, THRIFT_##kind, false, offsetof(struct type, member), &(sub)                             \
    }
#define TABLE(variable, words, type, rows)                                                                   \
    variable = {words, sizeof(struct type), rows, (int)(sizeof(rows) / sizeof((rows)[0]))}

static const struct thrift_row data_rows[] = {
    NEED(1, data_page_header, num_values, I32),
    NEED(2, data_page_header, encoding, I32),
    NEED(3, data_page_header, definition_level_encoding, I32),
    NEED(4, data_page_header, repetition_level_encoding, I32),
    ROW_OF(DATA_PAGE_STATISTICS, data_page_header, statistics, STRUCT, thrift_statistics),
};
static const struct thrift_table TABLE(data_table, "DataPageHeader", data_page_header, data_rows);

static const struct thrift_row dictionary_rows[] = {
    NEED(1, dictionary_page_header, num_values, I32),
    NEED(2, dictionary_page_header, encoding, I32),
    ROW(DICTIONARY_PAGE_SORTED, dictionary_page_header, is_sorted, BOOL),
};
static const struct thrift_table TABLE(dictionary_table, "DictionaryPageHeader", dictionary_page_header,
                                       dictionary_rows);

static const struct thrift_row data_v2_rows[] = {
    NEED(1, data_page_header_v2, num_values, I32),
    NEED(2, data_page_header_v2, num_nulls, I32),
    NEED(3, data_page_header_v2, num_rows, I32),
    NEED(4, data_page_header_v2, encoding, I32),
    NEED(5, data_page_header_v2, definition_bytes, I32),
    NEED(6, data_page_header_v2, repetition_bytes, I32),
    ROW(DATA_PAGE_V2_COMPRESSED, data_page_header_v2, is_compressed, BOOL),
    ROW_OF(DATA_PAGE_V2_STATISTICS, data_page_header_v2, statistics, STRUCT, thrift_statistics),
};
static const struct thrift_table TABLE(data_v2_table, "DataPageHeaderV2", data_page_header_v2, data_v2_rows);

static const struct thrift_row page_rows[] = {
    NEED(1, page_header, type, I32),
    NEED(2, page_header, uncompressed_size, I32),
    NEED(3, page_header, compressed_size, I32),
    ROW(PAGE_HEADER_CRC, page_header, crc, I32),
    ROW_OF(PAGE_HEADER_DATA, page_header, data, STRUCT, data_table),
    ROW_OF(PAGE_HEADER_DICTIONARY, page_header, dictionary, STRUCT, dictionary_table),
    ROW_OF(PAGE_HEADER_DATA_V2, page_header, data_v2, STRUCT, data_v2_table),
};
const struct thrift_table TABLE(thrift_page_header, "page header", page_header, page_rows);

static const char *v2_problem(const struct page_header *h)
{
    const struct data_page_header_v2 *v2 = h->data_v2;
    if (!v2)
        return "a data page without its header";
    if (v2->num_values < 0 || v2->num_nulls < 0 || v2->num_rows < 0)
        return "a negative count";
    if (v2->num_nulls > v2->num_values || v2->num_rows > v2->num_values)
        return "more nulls or rows than values";
    if (v2->definition_bytes < 0 || v2->repetition_bytes < 0)
        return "negative level bytes";
    int64_t levels = (int64_t)v2->definition_bytes + v2->repetition_bytes;
    if (levels > h->compressed_size || levels > h->uncompressed_size)
        return "more level bytes than the page has";
    return NULL;
}

static const char *header_problem(const struct page_header *h)
{
    if (h->uncompressed_size < 0 || h->compressed_size < 0)
        return "a negative size";
    switch (h->type) {
    case PAGE_DATA:
        if (!h->data)
            return "a data page without its header";
        return h->data->num_values < 0 ? "a negative count" : NULL;
    case PAGE_DICTIONARY:
        if (!h->dictionary)
            return "a dictionary page without its header";
        return h->dictionary->num_values < 0 ? "a negative count" : NULL;
    case PAGE_DATA_V2:
        return v2_problem(h);
    default:
        return NULL;
    }
}

enum haul_code page_header_parse(struct slice data, struct page_header *header, struct arena *arena,
                                 size_t *used, struct haul_error *err)
{
    enum haul_code code = thrift_parse(&thrift_page_header, data, header, arena, used, err);
    if (code)
        return code;
    const char *problem = header_problem(header);
    return problem ? error_set(err, HAUL_DATA, "the page header says %s", problem) : HAUL_OK;
}

enum haul_code page_header_write(const struct page_header *header, struct buffer *out, struct haul_error *err)
{
    return thrift_write(&thrift_page_header, header, out, err);
}
