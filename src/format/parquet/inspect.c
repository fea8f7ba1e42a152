/*
 * inspect.c: a file's footer as plain facts, for `haul inspect`. Only metadata
 * is read: the footer, and, for page counts that it does not give, the offset
 * index of each column chunk.
 */
#include "base/unicode.h"
#include "format/parquet/bound_text.h"
#include "format/parquet/page_header.h"
#include <stdio.h>

enum { PATH_BYTES = 1024, OFFSET_INDEX_BYTES_MAX = 64 << 20 };

/* Adds what a file claims; never beyond the end of int64. */
static void sum_add(int64_t *sum, int64_t more)
{
    if (more > 0 && __builtin_add_overflow(*sum, more, sum))
        *sum = INT64_MAX;
}

/* ---- one chunk after another ---- */

/* Data and dictionary pages of a chunk as its encoding statistics tell; false
 * when it has none. */
static bool pages_told(const struct column_metadata *meta, int64_t *pages, int64_t *dictionary_pages)
{
    if (!thrift_has(meta, COLUMN_META_ENCODING_STATS))
        return false;
    *pages = *dictionary_pages = 0;
    for (size_t i = 0; i < meta->encoding_stats.count; i++) {
        const struct page_encoding_stats *stats = &meta->encoding_stats.items[i];
        if (stats->page_type == PAGE_DICTIONARY)
            *dictionary_pages += stats->count;
        else
            *pages += stats->count;
    }
    return true;
}

/* The same from the offset index, which lists data pages only. */
static bool pages_indexed(const struct parquet_input *input, const struct column_chunk *chunk, int64_t *pages)
{
    struct haul_error ignored = {0};
    struct buffer bytes = {0};
    struct arena arena = {0};
    struct offset_index index = {0};
    int64_t length = chunk->offset_index_length, size = input->file->size;
    size_t used = 0;
    bool told = thrift_has(chunk, CHUNK_OFFSET_INDEX_OFFSET) &&
                thrift_has(chunk, CHUNK_OFFSET_INDEX_LENGTH) && length > 0 &&
                length <= OFFSET_INDEX_BYTES_MAX && chunk->offset_index_offset > 0 && length <= size &&
                chunk->offset_index_offset <= size - length;
    told = told && !buffer_resize(&bytes, (size_t)length, &ignored) &&
           !input_read_all(input->file, chunk->offset_index_offset, bytes.data, bytes.length, &ignored) &&
           !thrift_parse(&thrift_offset_index, (struct slice){bytes.data, bytes.length}, &index, &arena,
                         &used, &ignored);
    *pages = told ? (int64_t)index.page_locations.count : 0;
    buffer_release(&bytes);
    arena_release(&arena);
    return told;
}

static void pages_add(const struct parquet_input *input, const struct column_chunk *chunk,
                      struct inspected_column *column)
{
    int64_t pages = 0, dictionary_pages = 0;
    if (pages_told(chunk->meta, &pages, &dictionary_pages)) {
        column->pages = column->pages < 0 ? -1 : column->pages + pages;
        column->dictionary_pages =
            column->dictionary_pages < 0 ? -1 : column->dictionary_pages + dictionary_pages;
        return;
    }
    column->dictionary_pages = -1;
    column->pages = column->pages >= 0 && pages_indexed(input, chunk, &pages) ? column->pages + pages : -1;
}

static void nulls_add(const struct column_metadata *meta, struct inspected_column *column)
{
    const struct statistics *s = thrift_has(meta, COLUMN_META_STATISTICS) ? meta->statistics : NULL;
    bool told =
        s && thrift_has(s, STATISTICS_NULL_COUNT) && s->null_count >= 0 && s->null_count <= meta->num_values;
    if (told && column->nulls >= 0)
        sum_add(&column->nulls, s->null_count);
    else
        column->nulls = -1;
}

static const char *codec_text(int32_t codec)
{
    static const char *const names[] = {"none", "snappy", "gzip", "lzo", "brotli", "lz4", "zstd", "lz4_raw"};
    return codec >= 0 && codec < (int32_t)(sizeof names / sizeof names[0]) ? names[codec] : "unknown";
}

static void chunk_add(const struct parquet_input *input, const struct column_chunk *chunk,
                      uint32_t *encodings, struct inspected_column *column)
{
    const struct column_metadata *meta = chunk->meta;
    if (!meta) {
        column->nulls = column->pages = column->dictionary_pages = -1;
        return;
    }
    const char *codec = codec_text(meta->codec);
    column->codec = !column->codec || !strcmp(column->codec, codec) ? codec : "mixed";
    sum_add(&column->bytes_stored, meta->total_compressed_size);
    sum_add(&column->bytes_plain, meta->total_uncompressed_size);
    sum_add(&column->values, meta->num_values);
    nulls_add(meta, column);
    pages_add(input, chunk, column);
    for (size_t i = 0; i < meta->encodings.count; i++)
        if (meta->encodings.items[i] >= 0 && meta->encodings.items[i] < 32)
            *encodings |= 1u << meta->encodings.items[i];
}

/* ---- columns ---- */

/* Dictionaries first: what matters of a column stands at the front. */
static const char *encodings_text(uint32_t encodings, struct arena *arena)
{
    static const int order[] = {ENCODING_RLE_DICTIONARY,
                                ENCODING_PLAIN_DICTIONARY,
                                ENCODING_DELTA_BINARY_PACKED,
                                ENCODING_DELTA_LENGTH_BYTE_ARRAY,
                                ENCODING_DELTA_BYTE_ARRAY,
                                ENCODING_BYTE_STREAM_SPLIT,
                                ENCODING_PLAIN,
                                ENCODING_RLE,
                                ENCODING_BIT_PACKED};
    const char *text = "";
    for (size_t i = 0; i < sizeof order / sizeof order[0] && text; i++)
        if (encodings >> order[i] & 1)
            text = arena_printf(arena, "%s%s%s", text, *text ? ", " : "", parquet_encoding_name(order[i]));
    return text;
}

static enum haul_code column_fill(const struct parquet_input *input, int leaf, struct inspection *out,
                                  struct haul_error *err)
{
    struct inspected_column *column = &out->columns[leaf];
    const struct node *node = input->tree.leaves[leaf];
    char path[PATH_BYTES];
    uint32_t encodings = 0;
    schema_path_print(&input->tree, leaf, path, sizeof path);
    column->name = arena_text(&out->arena, path);
    field_print_type(node->field, column->type, sizeof column->type);
    column->physical = parquet_type_name((int32_t)node->physical);
    for (size_t i = 0; i < input->meta.row_groups.count; i++)
        chunk_add(input, &input->meta.row_groups.items[i].columns.items[leaf], &encodings, column);
    column->encodings = encodings_text(encodings, &out->arena);
    if (!column->name || !column->encodings)
        return error_nomem(err, "the inspection");
    return bound_texts(input, leaf, &out->arena, &column->min, &column->max, err);
}

/* ---- row groups and facts ---- */

static int64_t group_offset(const struct row_group *group)
{
    int64_t offset = -1;
    for (size_t i = 0; i < group->columns.count; i++) {
        const struct column_metadata *meta = group->columns.items[i].meta;
        if (!meta)
            continue;
        int64_t start = meta->data_page_offset;
        if (thrift_has(meta, COLUMN_META_DICTIONARY_PAGE_OFFSET) && meta->dictionary_page_offset > 0 &&
            meta->dictionary_page_offset < start)
            start = meta->dictionary_page_offset;
        offset = offset < 0 || start < offset ? start : offset;
    }
    return offset;
}

static void group_fill(const struct row_group *group, struct inspected_group *out)
{
    out->rows = group->num_rows;
    out->bytes_plain = group->total_byte_size;
    out->offset = group_offset(group);
    for (size_t i = 0; i < group->columns.count; i++)
        if (group->columns.items[i].meta)
            sum_add(&out->bytes_stored, group->columns.items[i].meta->total_compressed_size);
}

/* Bytes of a footer as text; what is not UTF-8 is left out from there on. */
static const char *text_of(struct slice bytes, struct arena *arena)
{
    return arena_text_n(arena, (const char *)bytes.data, unicode_valid_prefix(bytes.data, bytes.length));
}

static enum haul_code facts_fill(const struct parquet_input *input, struct inspection *out,
                                 struct haul_error *err)
{
    const struct file_metadata *meta = &input->meta;
    out->facts = arena_alloc_array(&out->arena, meta->key_values.count + 2, sizeof *out->facts);
    if (!out->facts)
        return error_nomem(err, "the inspection");
    if (thrift_has(meta, FILE_CREATED_BY))
        out->facts[out->fact_count++] =
            (struct inspected_fact){"created_by", text_of(meta->created_by, &out->arena)};
    out->facts[out->fact_count++] =
        (struct inspected_fact){"version", arena_printf(&out->arena, "%d", meta->version)};
    for (size_t i = 0; i < meta->key_values.count; i++)
        out->facts[out->fact_count++] =
            (struct inspected_fact){"key", text_of(meta->key_values.items[i].key, &out->arena)};
    for (int i = 0; i < out->fact_count; i++)
        if (!out->facts[i].value)
            return error_nomem(err, "the inspection");
    return HAUL_OK;
}

enum haul_code parquet_inspect(struct format_input *base, struct inspection *out, struct haul_error *err)
{
    const struct parquet_input *input = (const struct parquet_input *)(void *)base;
    size_t groups = input->meta.row_groups.count;
    out->format = "parquet";
    out->rows = input->rows;
    out->bytes = input->file->size;
    out->columns = arena_alloc_array(&out->arena, (size_t)input->tree.leaf_count + 1, sizeof *out->columns);
    out->groups = arena_alloc_array(&out->arena, groups + 1, sizeof *out->groups);
    if (!out->columns || !out->groups)
        return error_nomem(err, "the inspection");
    out->column_count = input->tree.leaf_count;
    out->group_count = (int64_t)groups;
    for (size_t i = 0; i < groups; i++)
        group_fill(&input->meta.row_groups.items[i], &out->groups[i]);
    enum haul_code code = HAUL_OK;
    for (int i = 0; i < input->tree.leaf_count && !code; i++)
        code = column_fill(input, i, out, err);
    return code ? code : facts_fill(input, out, err);
}
