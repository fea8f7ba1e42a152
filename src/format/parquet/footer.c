/*
 * footer.c: the tables of the footer's structs, for thrift.c, and the names of
 * their enums. Field ids and requiredness as parquet.thrift has them;
 * specification section 3. Fields that haul neither uses nor carries over when
 * it combines files are left out of the tables and so skipped.
 */
#include "format/parquet/footer.h"

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
#define NEED_OF(id, type, member, kind, sub)                                                                 \
    {                                                                                                        \
        id, #member, THRIFT_##kind, true, offsetof(struct type, member), &(sub)                              \
    }
#define BARE(id, name)                                                                                       \
    {                                                                                                        \
        id, name, THRIFT_EMPTY, false, 0, NULL                                                               \
    }
#define TABLE(variable, words, type, rows)                                                                   \
    variable = {words, sizeof(struct type), rows, (int)(sizeof(rows) / sizeof((rows)[0]))}

/* ---- logical types ---- */
static const struct thrift_row decimal_rows[] = {
    NEED(1, logical_decimal, scale, I32),
    NEED(2, logical_decimal, precision, I32),
};
static const struct thrift_table TABLE(decimal_table, "DecimalType", logical_decimal, decimal_rows);

static const struct thrift_row unit_rows[] = {BARE(1, "MILLIS"), BARE(2, "MICROS"), BARE(3, "NANOS")};
static const struct thrift_table TABLE(unit_table, "TimeUnit", logical_unit, unit_rows);

static const struct thrift_row time_rows[] = {
    NEED(1, logical_time, utc, BOOL),
    NEED_OF(2, logical_time, unit, STRUCT, unit_table),
};
static const struct thrift_table TABLE(time_table, "TimeType", logical_time, time_rows);

static const struct thrift_row integer_rows[] = {
    NEED(1, logical_integer, bits, I8),
    NEED(2, logical_integer, is_signed, BOOL),
};
static const struct thrift_table TABLE(integer_table, "IntType", logical_integer, integer_rows);

static const struct thrift_row variant_rows[] = {ROW(VARIANT_VERSION, logical_variant, version, I8)};
static const struct thrift_table TABLE(variant_table, "VariantType", logical_variant, variant_rows);

static const struct thrift_row geography_rows[] = {
    ROW(GEOGRAPHY_CRS, logical_geography, crs, BYTES),
    ROW(GEOGRAPHY_ALGORITHM, logical_geography, algorithm, I32),
};
static const struct thrift_table TABLE(geography_table, "GeographyType", logical_geography, geography_rows);

static const struct thrift_row logical_rows[] = {
    BARE(LOGICAL_STRING, "STRING"),
    BARE(LOGICAL_MAP, "MAP"),
    BARE(LOGICAL_LIST, "LIST"),
    BARE(LOGICAL_ENUM, "ENUM"),
    ROW_OF(LOGICAL_DECIMAL, logical_type, decimal, STRUCT, decimal_table),
    BARE(LOGICAL_DATE, "DATE"),
    ROW_OF(LOGICAL_TIME, logical_type, time, STRUCT, time_table),
    ROW_OF(LOGICAL_TIMESTAMP, logical_type, timestamp, STRUCT, time_table),
    ROW_OF(LOGICAL_INTEGER, logical_type, integer, STRUCT, integer_table),
    BARE(LOGICAL_UNKNOWN, "UNKNOWN"),
    BARE(LOGICAL_JSON, "JSON"),
    BARE(LOGICAL_BSON, "BSON"),
    BARE(LOGICAL_UUID, "UUID"),
    BARE(LOGICAL_FLOAT16, "FLOAT16"),
    ROW_OF(LOGICAL_VARIANT, logical_type, variant, STRUCT, variant_table),
    ROW_OF(LOGICAL_GEOMETRY, logical_type, geometry, STRUCT, geography_table),
    ROW_OF(LOGICAL_GEOGRAPHY, logical_type, geography, STRUCT, geography_table),
    BARE(LOGICAL_FILE, "FILE"),
};
static const struct thrift_table TABLE(logical_table, "LogicalType", logical_type, logical_rows);

/* ---- schema ---- */
static const struct thrift_row element_rows[] = {
    ROW(ELEMENT_TYPE, schema_element, type, I32),
    ROW(ELEMENT_TYPE_LENGTH, schema_element, type_length, I32),
    ROW(ELEMENT_REPETITION, schema_element, repetition, I32),
    NEED(ELEMENT_NAME, schema_element, name, BYTES),
    ROW(ELEMENT_NUM_CHILDREN, schema_element, num_children, I32),
    ROW(ELEMENT_CONVERTED, schema_element, converted, I32),
    ROW(ELEMENT_SCALE, schema_element, scale, I32),
    ROW(ELEMENT_PRECISION, schema_element, precision, I32),
    ROW(ELEMENT_FIELD_ID, schema_element, field_id, I32),
    ROW_OF(ELEMENT_LOGICAL, schema_element, logical, STRUCT, logical_table),
};
static const struct thrift_table TABLE(element_table, "SchemaElement", schema_element, element_rows);

/* ---- columns ---- */
static const struct thrift_row statistics_rows[] = {
    ROW(STATISTICS_MAX_OLD, statistics, max_old, BYTES),
    ROW(STATISTICS_MIN_OLD, statistics, min_old, BYTES),
    ROW(STATISTICS_NULL_COUNT, statistics, null_count, I64),
    ROW(STATISTICS_DISTINCT_COUNT, statistics, distinct_count, I64),
    ROW(STATISTICS_MAX, statistics, max, BYTES),
    ROW(STATISTICS_MIN, statistics, min, BYTES),
    ROW(STATISTICS_MAX_EXACT, statistics, max_exact, BOOL),
    ROW(STATISTICS_MIN_EXACT, statistics, min_exact, BOOL),
    ROW(STATISTICS_NAN_COUNT, statistics, nan_count, I64),
};
const struct thrift_table TABLE(thrift_statistics, "Statistics", statistics, statistics_rows);

static const struct thrift_row size_statistics_rows[] = {
    ROW(SIZE_STATISTICS_BYTES, size_statistics, unencoded_byte_array_data_bytes, I64),
    ROW(SIZE_STATISTICS_REPETITION, size_statistics, repetition_level_histogram, LIST_I64),
    ROW(SIZE_STATISTICS_DEFINITION, size_statistics, definition_level_histogram, LIST_I64),
};
static const struct thrift_table TABLE(size_statistics_table, "SizeStatistics", size_statistics,
                                       size_statistics_rows);

static const struct thrift_row box_rows[] = {
    NEED(1, bounding_box, x_min, DOUBLE),
    NEED(2, bounding_box, x_max, DOUBLE),
    NEED(3, bounding_box, y_min, DOUBLE),
    NEED(4, bounding_box, y_max, DOUBLE),
    ROW(BOX_Z_MIN, bounding_box, z_min, DOUBLE),
    ROW(BOX_Z_MAX, bounding_box, z_max, DOUBLE),
    ROW(BOX_M_MIN, bounding_box, m_min, DOUBLE),
    ROW(BOX_M_MAX, bounding_box, m_max, DOUBLE),
};
static const struct thrift_table TABLE(box_table, "BoundingBox", bounding_box, box_rows);

static const struct thrift_row geospatial_rows[] = {
    ROW_OF(GEOSPATIAL_BOX, geospatial_statistics, box, STRUCT, box_table),
    ROW(GEOSPATIAL_TYPES, geospatial_statistics, types, LIST_I32),
};
static const struct thrift_table TABLE(geospatial_table, "GeospatialStatistics", geospatial_statistics,
                                       geospatial_rows);

static const struct thrift_row key_value_rows[] = {
    NEED(1, key_value, key, BYTES),
    ROW(KEY_VALUE_VALUE, key_value, value, BYTES),
};
static const struct thrift_table TABLE(key_value_table, "KeyValue", key_value, key_value_rows);

static const struct thrift_row encoding_stats_rows[] = {
    NEED(1, page_encoding_stats, page_type, I32),
    NEED(2, page_encoding_stats, encoding, I32),
    NEED(3, page_encoding_stats, count, I32),
};
static const struct thrift_table TABLE(encoding_stats_table, "PageEncodingStats", page_encoding_stats,
                                       encoding_stats_rows);

static const struct thrift_row column_rows[] = {
    NEED(1, column_metadata, type, I32),
    NEED(2, column_metadata, encodings, LIST_I32),
    NEED(3, column_metadata, path_in_schema, LIST_BYTES),
    NEED(4, column_metadata, codec, I32),
    NEED(5, column_metadata, num_values, I64),
    NEED(6, column_metadata, total_uncompressed_size, I64),
    NEED(7, column_metadata, total_compressed_size, I64),
    ROW_OF(COLUMN_META_KEY_VALUES, column_metadata, key_values, LIST_STRUCT, key_value_table),
    NEED(9, column_metadata, data_page_offset, I64),
    ROW(COLUMN_META_INDEX_PAGE_OFFSET, column_metadata, index_page_offset, I64),
    ROW(COLUMN_META_DICTIONARY_PAGE_OFFSET, column_metadata, dictionary_page_offset, I64),
    ROW_OF(COLUMN_META_STATISTICS, column_metadata, statistics, STRUCT, thrift_statistics),
    ROW_OF(COLUMN_META_ENCODING_STATS, column_metadata, encoding_stats, LIST_STRUCT, encoding_stats_table),
    ROW(COLUMN_META_BLOOM_FILTER_OFFSET, column_metadata, bloom_filter_offset, I64),
    ROW(COLUMN_META_BLOOM_FILTER_LENGTH, column_metadata, bloom_filter_length, I32),
    ROW_OF(COLUMN_META_SIZE_STATISTICS, column_metadata, size_statistics, STRUCT, size_statistics_table),
    ROW_OF(COLUMN_META_GEOSPATIAL_STATISTICS, column_metadata, geospatial_statistics, STRUCT,
           geospatial_table),
};
static const struct thrift_table TABLE(column_table, "ColumnMetaData", column_metadata, column_rows);

static const struct thrift_row chunk_rows[] = {
    ROW(CHUNK_FILE_PATH, column_chunk, file_path, BYTES),
    NEED(2, column_chunk, file_offset, I64),
    ROW_OF(CHUNK_META_DATA, column_chunk, meta, STRUCT, column_table),
    ROW(CHUNK_OFFSET_INDEX_OFFSET, column_chunk, offset_index_offset, I64),
    ROW(CHUNK_OFFSET_INDEX_LENGTH, column_chunk, offset_index_length, I32),
    ROW(CHUNK_COLUMN_INDEX_OFFSET, column_chunk, column_index_offset, I64),
    ROW(CHUNK_COLUMN_INDEX_LENGTH, column_chunk, column_index_length, I32),
    BARE(CHUNK_CRYPTO, "crypto_metadata"),
    ROW(CHUNK_ENCRYPTED_META, column_chunk, encrypted_meta, BYTES),
};
static const struct thrift_table TABLE(chunk_table, "ColumnChunk", column_chunk, chunk_rows);

static const struct thrift_row sorting_rows[] = {
    NEED(1, sorting_column, column, I32),
    NEED(2, sorting_column, descending, BOOL),
    NEED(3, sorting_column, nulls_first, BOOL),
};
static const struct thrift_table TABLE(sorting_table, "SortingColumn", sorting_column, sorting_rows);

static const struct thrift_row row_group_rows[] = {
    NEED_OF(1, row_group, columns, LIST_STRUCT, chunk_table),
    NEED(2, row_group, total_byte_size, I64),
    NEED(3, row_group, num_rows, I64),
    ROW_OF(ROW_GROUP_SORTING, row_group, sorting, LIST_STRUCT, sorting_table),
    ROW(ROW_GROUP_FILE_OFFSET, row_group, file_offset, I64),
    ROW(ROW_GROUP_COMPRESSED_SIZE, row_group, total_compressed_size, I64),
    ROW(ROW_GROUP_ORDINAL, row_group, ordinal, I16),
};
const struct thrift_table TABLE(thrift_row_group, "RowGroup", row_group, row_group_rows);

/* ---- the file ---- */
static const struct thrift_row order_rows[] = {
    BARE(COLUMN_ORDER_TYPE, "TYPE_ORDER"),
    BARE(COLUMN_ORDER_IEEE754, "IEEE_754_TOTAL_ORDER"),
    BARE(COLUMN_ORDER_INT96, "INT96_TIMESTAMP_ORDER"),
};
static const struct thrift_table TABLE(order_table, "ColumnOrder", column_order, order_rows);

static const struct thrift_row file_rows[] = {
    NEED(1, file_metadata, version, I32),
    NEED_OF(2, file_metadata, schema, LIST_STRUCT, element_table),
    NEED(3, file_metadata, num_rows, I64),
    NEED_OF(4, file_metadata, row_groups, LIST_STRUCT, thrift_row_group),
    ROW_OF(FILE_KEY_VALUES, file_metadata, key_values, LIST_STRUCT, key_value_table),
    ROW(FILE_CREATED_BY, file_metadata, created_by, BYTES),
    ROW_OF(FILE_COLUMN_ORDERS, file_metadata, column_orders, LIST_STRUCT, order_table),
    BARE(FILE_ENCRYPTION, "encryption_algorithm"),
};
const struct thrift_table TABLE(thrift_file_metadata, "footer", file_metadata, file_rows);

/* ---- page indexes ---- */
static const struct thrift_row location_rows[] = {
    NEED(1, page_location, offset, I64),
    NEED(2, page_location, compressed_page_size, I32),
    NEED(3, page_location, first_row_index, I64),
};
static const struct thrift_table TABLE(location_table, "PageLocation", page_location, location_rows);

static const struct thrift_row offset_index_rows[] = {
    NEED_OF(1, offset_index, page_locations, LIST_STRUCT, location_table),
    ROW(OFFSET_INDEX_BYTES, offset_index, unencoded_byte_array_data_bytes, LIST_I64),
};
const struct thrift_table TABLE(thrift_offset_index, "OffsetIndex", offset_index, offset_index_rows);

static const struct thrift_row column_index_rows[] = {
    NEED(1, column_index, null_pages, LIST_BOOL),
    NEED(2, column_index, min_values, LIST_BYTES),
    NEED(3, column_index, max_values, LIST_BYTES),
    NEED(4, column_index, boundary_order, I32),
    ROW(COLUMN_INDEX_NULL_COUNTS, column_index, null_counts, LIST_I64),
    ROW(COLUMN_INDEX_REPETITION, column_index, repetition_level_histograms, LIST_I64),
    ROW(COLUMN_INDEX_DEFINITION, column_index, definition_level_histograms, LIST_I64),
    ROW(COLUMN_INDEX_NAN_COUNTS, column_index, nan_counts, LIST_I64),
};
const struct thrift_table TABLE(thrift_column_index, "ColumnIndex", column_index, column_index_rows);

/* ---- Bloom filters ---- */
static const struct thrift_row bloom_rows[] = {NEED(1, bloom_header, bytes, I32)};
const struct thrift_table TABLE(thrift_bloom_header, "BloomFilterHeader", bloom_header, bloom_rows);

/* ---- names ---- */
static const char *name_at(const char *const *names, int count, int32_t i)
{
    return i >= 0 && i < count && names[i] ? names[i] : "?";
}

const char *parquet_type_name(int32_t type)
{
    static const char *const names[] = {"BOOLEAN", "INT32",  "INT64",      "INT96",
                                        "FLOAT",   "DOUBLE", "BYTE_ARRAY", "FIXED_LEN_BYTE_ARRAY"};
    return name_at(names, 8, type);
}

const char *parquet_encoding_name(int32_t encoding)
{
    static const char *const names[] = {"PLAIN",
                                        NULL,
                                        "PLAIN_DICTIONARY",
                                        "RLE",
                                        "BIT_PACKED",
                                        "DELTA_BINARY_PACKED",
                                        "DELTA_LENGTH_BYTE_ARRAY",
                                        "DELTA_BYTE_ARRAY",
                                        "RLE_DICTIONARY",
                                        "BYTE_STREAM_SPLIT",
                                        "ALP"};
    return name_at(names, 11, encoding);
}

const char *parquet_codec_name(int32_t codec)
{
    static const char *const names[] = {"UNCOMPRESSED", "SNAPPY", "GZIP", "LZO",
                                        "BROTLI",       "LZ4",    "ZSTD", "LZ4_RAW"};
    return name_at(names, 8, codec);
}
