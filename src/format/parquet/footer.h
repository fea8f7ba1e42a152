/*
 * footer.h: the metadata of a Parquet file as C structs: everything the footer
 * holds, and the page indexes that stand before it. Names and field ids are
 * those of parquet.thrift; an enum beside each struct names the ids for
 * thrift_has and thrift_set. Specification: sections 3 and 9.
 */
#ifndef HAUL_FORMAT_PARQUET_FOOTER_H
#define HAUL_FORMAT_PARQUET_FOOTER_H

#include "format/parquet/thrift.h"

enum parquet_type {
    PARQUET_BOOLEAN,
    PARQUET_INT32,
    PARQUET_INT64,
    PARQUET_INT96,
    PARQUET_FLOAT,
    PARQUET_DOUBLE,
    PARQUET_BYTE_ARRAY,
    PARQUET_FIXED,
    PARQUET_TYPE_COUNT
};

enum parquet_repetition { PARQUET_REQUIRED, PARQUET_OPTIONAL, PARQUET_REPEATED };

enum parquet_encoding {
    ENCODING_PLAIN = 0,
    ENCODING_PLAIN_DICTIONARY = 2,
    ENCODING_RLE = 3,
    ENCODING_BIT_PACKED = 4,
    ENCODING_DELTA_BINARY_PACKED = 5,
    ENCODING_DELTA_LENGTH_BYTE_ARRAY = 6,
    ENCODING_DELTA_BYTE_ARRAY = 7,
    ENCODING_RLE_DICTIONARY = 8,
    ENCODING_BYTE_STREAM_SPLIT = 9,
    ENCODING_COUNT
};

enum parquet_codec {
    PARQUET_UNCOMPRESSED,
    PARQUET_SNAPPY,
    PARQUET_GZIP,
    PARQUET_LZO,
    PARQUET_BROTLI,
    PARQUET_LZ4,
    PARQUET_ZSTD,
    PARQUET_LZ4_RAW
};

enum parquet_page_type { PAGE_DATA, PAGE_INDEX, PAGE_DICTIONARY, PAGE_DATA_V2 };
enum parquet_boundary_order { BOUNDARY_UNORDERED, BOUNDARY_ASCENDING, BOUNDARY_DESCENDING };

enum parquet_converted {
    CONVERTED_UTF8,
    CONVERTED_MAP,
    CONVERTED_MAP_KEY_VALUE,
    CONVERTED_LIST,
    CONVERTED_ENUM,
    CONVERTED_DECIMAL,
    CONVERTED_DATE,
    CONVERTED_TIME_MILLIS,
    CONVERTED_TIME_MICROS,
    CONVERTED_TIMESTAMP_MILLIS,
    CONVERTED_TIMESTAMP_MICROS,
    CONVERTED_UINT_8,
    CONVERTED_UINT_16,
    CONVERTED_UINT_32,
    CONVERTED_UINT_64,
    CONVERTED_INT_8,
    CONVERTED_INT_16,
    CONVERTED_INT_32,
    CONVERTED_INT_64,
    CONVERTED_JSON,
    CONVERTED_BSON,
    CONVERTED_INTERVAL
};

/* ---- logical types ---- */
/* LogicalType: thrift_has(logical, LOGICAL_...) says which one; none: unknown. */
enum parquet_logical {
    LOGICAL_STRING = 1,
    LOGICAL_MAP = 2,
    LOGICAL_LIST = 3,
    LOGICAL_ENUM = 4,
    LOGICAL_DECIMAL = 5,
    LOGICAL_DATE = 6,
    LOGICAL_TIME = 7,
    LOGICAL_TIMESTAMP = 8,
    LOGICAL_INTEGER = 10,
    LOGICAL_UNKNOWN = 11,
    LOGICAL_JSON = 12,
    LOGICAL_BSON = 13,
    LOGICAL_UUID = 14,
    LOGICAL_FLOAT16 = 15,
    LOGICAL_VARIANT = 16,
    LOGICAL_GEOMETRY = 17,
    LOGICAL_GEOGRAPHY = 18,
    LOGICAL_FILE = 19
};

struct logical_decimal { /* both required */
    uint32_t has;
    int32_t scale, precision;
};
enum { TIME_UNIT_MILLIS = 1, TIME_UNIT_MICROS = 2, TIME_UNIT_NANOS = 3 };
struct logical_unit { /* presence only */
    uint32_t has;
};
struct logical_time { /* of TIME and TIMESTAMP; both required */
    uint32_t has;
    bool utc;
    struct logical_unit *unit;
};
struct logical_integer { /* both required */
    uint32_t has;
    int8_t bits;
    bool is_signed;
};
enum { VARIANT_VERSION = 1 };
struct logical_variant {
    uint32_t has;
    int8_t version;
};
enum { GEOGRAPHY_CRS = 1, GEOGRAPHY_ALGORITHM = 2 };
struct logical_geography { /* of GEOMETRY, without the algorithm, and GEOGRAPHY */
    uint32_t has;
    struct slice crs;
    int32_t algorithm;
};
struct logical_type {
    uint32_t has;
    struct logical_decimal *decimal;
    struct logical_time *time, *timestamp;
    struct logical_integer *integer;
    struct logical_variant *variant;
    struct logical_geography *geometry, *geography;
};

/* ---- schema ---- */
enum {
    ELEMENT_TYPE = 1,
    ELEMENT_TYPE_LENGTH = 2,
    ELEMENT_REPETITION = 3,
    ELEMENT_NAME = 4,
    ELEMENT_NUM_CHILDREN = 5,
    ELEMENT_CONVERTED = 6,
    ELEMENT_SCALE = 7,
    ELEMENT_PRECISION = 8,
    ELEMENT_FIELD_ID = 9,
    ELEMENT_LOGICAL = 10
};
struct schema_element { /* required: name */
    uint32_t has;
    int32_t type, type_length, repetition, num_children, converted, scale, precision, field_id;
    struct slice name;
    struct logical_type *logical;
};

/* ---- columns ---- */
enum {
    STATISTICS_MAX_OLD = 1,
    STATISTICS_MIN_OLD = 2,
    STATISTICS_NULL_COUNT = 3,
    STATISTICS_DISTINCT_COUNT = 4,
    STATISTICS_MAX = 5,
    STATISTICS_MIN = 6,
    STATISTICS_MAX_EXACT = 7,
    STATISTICS_MIN_EXACT = 8,
    STATISTICS_NAN_COUNT = 9
};
struct statistics {
    uint32_t has;
    struct slice max_old, min_old, max, min;
    int64_t null_count, distinct_count, nan_count;
    bool max_exact, min_exact;
};

enum { SIZE_STATISTICS_BYTES = 1, SIZE_STATISTICS_REPETITION = 2, SIZE_STATISTICS_DEFINITION = 3 };
struct size_statistics {
    uint32_t has;
    int64_t unencoded_byte_array_data_bytes;
    THRIFT_LIST(int64_t) repetition_level_histogram;
    THRIFT_LIST(int64_t) definition_level_histogram;
};

enum { BOX_Z_MIN = 5, BOX_Z_MAX = 6, BOX_M_MIN = 7, BOX_M_MAX = 8 };
struct bounding_box { /* required: x and y */
    uint32_t has;
    double x_min, x_max, y_min, y_max, z_min, z_max, m_min, m_max;
};
enum { GEOSPATIAL_BOX = 1, GEOSPATIAL_TYPES = 2 };
struct geospatial_statistics {
    uint32_t has;
    struct bounding_box *box;
    THRIFT_LIST(int32_t) types;
};

struct key_value { /* required: key */
    uint32_t has;
    struct slice key, value;
};
enum { KEY_VALUE_VALUE = 2 };

struct page_encoding_stats { /* all required */
    uint32_t has;
    int32_t page_type, encoding, count;
};

enum {
    COLUMN_META_KEY_VALUES = 8,
    COLUMN_META_INDEX_PAGE_OFFSET = 10,
    COLUMN_META_DICTIONARY_PAGE_OFFSET = 11,
    COLUMN_META_STATISTICS = 12,
    COLUMN_META_ENCODING_STATS = 13,
    COLUMN_META_BLOOM_FILTER_OFFSET = 14,
    COLUMN_META_BLOOM_FILTER_LENGTH = 15,
    COLUMN_META_SIZE_STATISTICS = 16,
    COLUMN_META_GEOSPATIAL_STATISTICS = 17
};
struct column_metadata { /* required: type to total_compressed_size, data_page_offset */
    uint32_t has;
    int32_t type, codec, bloom_filter_length;
    THRIFT_LIST(int32_t) encodings;
    THRIFT_LIST(struct slice) path_in_schema;
    int64_t num_values, total_uncompressed_size, total_compressed_size;
    int64_t data_page_offset, index_page_offset, dictionary_page_offset, bloom_filter_offset;
    THRIFT_LIST(struct key_value) key_values;
    THRIFT_LIST(struct page_encoding_stats) encoding_stats;
    struct statistics *statistics;
    struct size_statistics *size_statistics;
    struct geospatial_statistics *geospatial_statistics;
};

enum {
    CHUNK_FILE_PATH = 1,
    CHUNK_META_DATA = 3,
    CHUNK_OFFSET_INDEX_OFFSET = 4,
    CHUNK_OFFSET_INDEX_LENGTH = 5,
    CHUNK_COLUMN_INDEX_OFFSET = 6,
    CHUNK_COLUMN_INDEX_LENGTH = 7,
    CHUNK_CRYPTO = 8,
    CHUNK_ENCRYPTED_META = 9
};
struct column_chunk { /* required: file_offset (written 0) */
    uint32_t has;
    struct slice file_path, encrypted_meta;
    int64_t file_offset, offset_index_offset, column_index_offset;
    int32_t offset_index_length, column_index_length;
    struct column_metadata *meta;
};

struct sorting_column { /* all required */
    uint32_t has;
    int32_t column;
    bool descending, nulls_first;
};

enum {
    ROW_GROUP_SORTING = 4,
    ROW_GROUP_FILE_OFFSET = 5,
    ROW_GROUP_COMPRESSED_SIZE = 6,
    ROW_GROUP_ORDINAL = 7
};
struct row_group { /* required: columns, total_byte_size, num_rows */
    uint32_t has;
    THRIFT_LIST(struct column_chunk) columns;
    int64_t total_byte_size, num_rows, file_offset, total_compressed_size;
    THRIFT_LIST(struct sorting_column) sorting;
    int16_t ordinal;
};

/* ---- the file ---- */
enum { COLUMN_ORDER_TYPE = 1, COLUMN_ORDER_IEEE754 = 2, COLUMN_ORDER_INT96 = 3 };
struct column_order { /* presence only */
    uint32_t has;
};

enum {
    FILE_KEY_VALUES = 5,
    FILE_CREATED_BY = 6,
    FILE_COLUMN_ORDERS = 7,
    FILE_ENCRYPTION = 8,
    FILE_SIGNING_KEY = 9
};
struct file_metadata { /* required: version, schema, num_rows, row_groups */
    uint32_t has;
    int32_t version;
    THRIFT_LIST(struct schema_element) schema;
    int64_t num_rows;
    THRIFT_LIST(struct row_group) row_groups;
    THRIFT_LIST(struct key_value) key_values;
    struct slice created_by;
    THRIFT_LIST(struct column_order) column_orders;
};

/* ---- page indexes ---- */
struct page_location { /* all required */
    uint32_t has;
    int64_t offset;
    int32_t compressed_page_size;
    int64_t first_row_index;
};
enum { OFFSET_INDEX_BYTES = 2 };
struct offset_index { /* required: page_locations */
    uint32_t has;
    THRIFT_LIST(struct page_location) page_locations;
    THRIFT_LIST(int64_t) unencoded_byte_array_data_bytes;
};
enum {
    COLUMN_INDEX_NULL_COUNTS = 5,
    COLUMN_INDEX_REPETITION = 6,
    COLUMN_INDEX_DEFINITION = 7,
    COLUMN_INDEX_NAN_COUNTS = 8
};
struct column_index { /* required: null_pages, min_values, max_values, boundary_order */
    uint32_t has;
    THRIFT_LIST(bool) null_pages;
    THRIFT_LIST(struct slice) min_values;
    THRIFT_LIST(struct slice) max_values;
    int32_t boundary_order;
    THRIFT_LIST(int64_t) null_counts;
    THRIFT_LIST(int64_t) repetition_level_histograms;
    THRIFT_LIST(int64_t) definition_level_histograms;
    THRIFT_LIST(int64_t) nan_counts;
};

/* ---- Bloom filters ---- */
struct bloom_header { /* required: numBytes */
    uint32_t has;
    int32_t bytes;
};
extern const struct thrift_table thrift_bloom_header;

/* For thrift_parse and thrift_write. */
extern const struct thrift_table thrift_file_metadata;
extern const struct thrift_table thrift_row_group; /* alone: a receipt's note holds one */
extern const struct thrift_table thrift_offset_index;
extern const struct thrift_table thrift_column_index;
extern const struct thrift_table thrift_statistics;

/* "INT32", "RLE_DICTIONARY", "SNAPPY"; "?" for numbers nobody knows. */
const char *parquet_type_name(int32_t type);
const char *parquet_encoding_name(int32_t encoding);
const char *parquet_codec_name(int32_t codec);

/* The footer of a file whose tail is `tail`; what a reader needs to fetch it. */
#define PARQUET_MAGIC       "PAR1"
#define PARQUET_MAGIC_BYTES 4u
#define PARQUET_TAIL_BYTES  8u
#define FOOTER_BYTES_MAX    ((size_t)128 << 20) /* what we are ready to hold in memory */

#endif
