/*
 * adopt.c: row groups moved from one file to another without being decoded.
 *
 * The bytes of the column chunks are copied by the kernel, chunks that lie side
 * by side in one go; Bloom filters follow their row group. What points into the
 * file is rewritten: page, dictionary and filter offsets in the metadata, page
 * offsets in the offset indexes. Column indexes have no offsets and stay byte
 * for byte, unless their writer is known to be wrong (distrust.c). Checksums of
 * pages stay theirs.
 *
 * The footer of the source is not trusted: every range must lie in the file, and
 * all chunks of a file together are no larger than it, so that a small file
 * cannot ask for a large copy.
 */
#include "format/parquet/adopt.h"
#include "format/parquet/distrust.h"
#include "format/parquet/match.h"
#include <stdlib.h>

#define COPY_STEP          ((int64_t)64 << 20) /* between looks at the cancel signal */
#define INDEX_BYTES_MAX    ((int64_t)256 << 20)
#define BLOOM_HEADER_BYTES 128
#define BLOOM_BYTES_MAX    ((int64_t)128 << 20)

/* ---- chunks ---- */

static int64_t chunk_start(const struct column_metadata *meta)
{
    bool dictionary = thrift_has(meta, COLUMN_META_DICTIONARY_PAGE_OFFSET) &&
                      meta->dictionary_page_offset > 0 &&
                      meta->dictionary_page_offset < meta->data_page_offset;
    return dictionary ? meta->dictionary_page_offset : meta->data_page_offset;
}

static enum haul_code range_check(const struct parquet_input *input, int64_t offset, int64_t length,
                                  const char *what, struct haul_error *err)
{
    int64_t end = 0;
    if (offset >= (int64_t)PARQUET_MAGIC_BYTES && length >= 0 &&
        !__builtin_add_overflow(offset, length, &end) && end <= input->data_end)
        return HAUL_OK;
    return error_set(err, HAUL_DATA, "%s: %lld bytes at offset %lld do not lie within the file", what,
                     (long long)length, (long long)offset);
}

static enum haul_code chunk_check(const struct parquet_input *input, const struct row_group *group, int leaf,
                                  struct haul_error *err)
{
    const struct column_chunk *chunk = &group->columns.items[leaf];
    const struct column_metadata *meta = chunk->meta;
    const struct node *node = input->tree.leaves[leaf];
    if (thrift_has(chunk, CHUNK_CRYPTO) || thrift_has(chunk, CHUNK_ENCRYPTED_META))
        return error_set(err, HAUL_UNSUPPORTED, "it is encrypted; haul cannot combine encrypted Parquet");
    if (thrift_has(chunk, CHUNK_FILE_PATH) && chunk->file_path.length > 0)
        return error_set(err, HAUL_UNSUPPORTED, "its data is in another file, which haul does not follow");
    if (!meta)
        return error_set(err, HAUL_DATA, "it has no metadata");
    if (meta->type != (int32_t)node->physical)
        return error_set(err, HAUL_DATA, "its pages hold %s where the schema says %s",
                         parquet_type_name(meta->type), parquet_type_name((int32_t)node->physical));
    if (meta->num_values < 0 || (node->rep == 0 && meta->num_values != group->num_rows))
        return error_set(err, HAUL_DATA, "it has %lld values in a row group of %lld rows",
                         (long long)meta->num_values, (long long)group->num_rows);
    return range_check(input, chunk_start(meta), meta->total_compressed_size, "its pages", err);
}

static enum haul_code group_check(const struct parquet_input *input, size_t index, int64_t *bytes,
                                  struct haul_error *err)
{
    char path[256];
    const struct row_group *group = &input->meta.row_groups.items[index];
    for (int i = 0; i < input->tree.leaf_count; i++) {
        if (chunk_check(input, group, i, err)) {
            schema_path_print(&input->tree, i, path, sizeof path);
            return error_prefix(err, "row group %zu, column \"%s\"", index, path);
        }
        *bytes += group->columns.items[i].meta->total_compressed_size; /* each at most the file's size */
        if (*bytes > input->data_end)
            return error_set(err, HAUL_DATA, "row group %zu: its column chunks lie upon each other", index);
    }
    return HAUL_OK;
}

/* ---- the piece ---- */

static enum haul_code piece_write(struct piece *base, const struct batch *batch, struct haul_error *err)
{
    (void)base;
    (void)batch;
    return error_set(err, HAUL_INTERNAL, "a batch was written to row groups that are taken as they are");
}

static enum haul_code piece_ready(struct piece *base, struct haul_error *err)
{
    (void)base;
    (void)err;
    return HAUL_OK;
}

static void piece_close(struct piece *base)
{
    free(base);
}

static const struct piece_ops ops = {
    .write = piece_write, .seal = piece_ready, .spill = piece_ready, .close = piece_close};

const struct adopted_piece *adopted_piece_of(const struct piece *piece)
{
    return piece->ops == &ops ? (const struct adopted_piece *)piece : NULL;
}

enum haul_code adopted_piece_open(struct format_input *base, const char *spec, struct piece **out,
                                  struct haul_error *err)
{
    struct parquet_input *input = (struct parquet_input *)(void *)base;
    struct group_range range = {0};
    int64_t bytes = 0, rows = 0;
    size_t groups = 0;
    enum haul_code code = parquet_range(input, spec, &range, err);
    if (!code)
        code = parquet_adoptable(input, err);
    for (size_t g = range.first; !code && g <= range.last; g++) {
        int64_t its_rows = input->meta.row_groups.items[g].num_rows;
        if (its_rows == 0) /* some writers put one without pages into an empty file */
            continue;
        code = group_check(input, g, &bytes, err);
        rows += its_rows; /* their sum was checked with the footer */
        groups++;
    }
    if (code)
        return code;
    struct adopted_piece *piece = calloc(1, sizeof *piece);
    if (!piece)
        return error_nomem(err, "row groups");
    *piece = (struct adopted_piece){
        .base = {.ops = &ops, .rows = rows}, .input = input, .range = range, .group_count = groups};
    *out = &piece->base;
    return HAUL_OK;
}

/* ---- moving ---- */

struct move { /* one row group on its way */
    const struct parquet_input *input;
    const struct context *context;
    struct output_file *file;
    struct distrust distrust;
    struct row_group group; /* as it will be */
    int64_t *shifts;        /* per leaf: new place less old place */
    struct arena arena;
};

static enum haul_code bytes_copy(struct move *move, int64_t offset, int64_t length, struct haul_error *err)
{
    enum haul_code code = HAUL_OK;
    while (length > 0 && !code) {
        int64_t step = length < COPY_STEP ? length : COPY_STEP;
        code = context_check(move->context, err);
        if (!code)
            code = move->file->ops->copy_from(move->file, move->input->file, offset, step, err);
        offset += step;
        length -= step;
    }
    return code;
}

static enum haul_code chunks_copy(struct move *move, const struct row_group *from, struct haul_error *err)
{
    int64_t begin = 0, end = 0, place = move->file->offset;
    enum haul_code code = HAUL_OK;
    for (size_t i = 0; !code && i < from->columns.count; i++) {
        const struct column_metadata *meta = from->columns.items[i].meta;
        int64_t start = chunk_start(meta);
        move->shifts[i] = place - start;
        place += meta->total_compressed_size;
        if (start != end) {
            code = bytes_copy(move, begin, end - begin, err);
            begin = start;
        }
        end = start + meta->total_compressed_size;
    }
    return code ? code : bytes_copy(move, begin, end - begin, err);
}

static void meta_shift(struct column_metadata *meta, int64_t shift)
{
    if (chunk_start(meta) == meta->data_page_offset)
        meta->has &= ~(1u << COLUMN_META_DICTIONARY_PAGE_OFFSET); /* some writers put nonsense there */
    meta->data_page_offset += shift;
    meta->dictionary_page_offset += shift;
    meta->has &= ~(1u << COLUMN_META_INDEX_PAGE_OFFSET); /* nobody writes index pages */
}

static enum haul_code meta_copy(struct move *move, const struct column_chunk *from, int leaf,
                                struct haul_error *err)
{
    struct column_chunk *to = &move->group.columns.items[leaf];
    *to = (struct column_chunk){.has = 1u << CHUNK_META_DATA};
    to->meta = arena_alloc(&move->arena, sizeof *to->meta);
    struct statistics *statistics = arena_alloc(&move->arena, sizeof *statistics);
    if (!to->meta || !statistics)
        return error_nomem(err, "a row group's metadata");
    *to->meta = *from->meta;
    meta_shift(to->meta, move->shifts[leaf]);
    if (from->meta->statistics) {
        *statistics = *from->meta->statistics;
        distrust_clean(&move->distrust, move->input->tree.leaves[leaf], leaf, statistics);
        to->meta->statistics = statistics;
    }
    return HAUL_OK;
}

/* Bytes of a Bloom filter with its header, which alone knows in older files. */
static enum haul_code bloom_length(const struct parquet_input *input, const struct column_metadata *meta,
                                   int64_t *length, struct haul_error *err)
{
    uint8_t head[BLOOM_HEADER_BYTES];
    struct bloom_header header = {0};
    struct arena arena = {0};
    size_t got = 0, used = 0;
    int64_t offset = meta->bloom_filter_offset;
    enum haul_code code = range_check(input, offset, 1, "its Bloom filter", err);
    if (!code)
        code = input->file->ops->read_at(input->file, offset, head, sizeof head, &got, err);
    if (!code)
        code = thrift_parse(&thrift_bloom_header, (struct slice){head, got}, &header, &arena, &used, err);
    arena_release(&arena);
    if (code)
        return code;
    *length = (int64_t)used + header.bytes;
    if (header.bytes <= 0 || header.bytes > BLOOM_BYTES_MAX)
        return error_set(err, HAUL_DATA, "its Bloom filter has %d bytes", header.bytes);
    return range_check(input, offset, *length, "its Bloom filter", err);
}

static enum haul_code bloom_copy(struct move *move, int leaf, struct haul_error *err)
{
    struct column_metadata *meta = move->group.columns.items[leaf].meta;
    int64_t length = 0, place = move->file->offset;
    if (!thrift_has(meta, COLUMN_META_BLOOM_FILTER_OFFSET))
        return HAUL_OK;
    enum haul_code code = bloom_length(move->input, meta, &length, err);
    if (!code)
        code = bytes_copy(move, meta->bloom_filter_offset, length, err);
    meta->bloom_filter_offset = place;
    meta->bloom_filter_length = (int32_t)length;
    thrift_set(meta, COLUMN_META_BLOOM_FILTER_LENGTH);
    return code;
}

static enum haul_code group_move(struct move *move, const struct row_group *from, struct haul_error *err)
{
    size_t count = from->columns.count;
    int64_t place = move->file->offset;
    move->group = *from;
    move->group.columns.items = arena_alloc_array(&move->arena, count + 1, sizeof *from->columns.items);
    move->shifts = arena_alloc_array(&move->arena, count + 1, sizeof *move->shifts);
    if (!move->group.columns.items || !move->shifts)
        return error_nomem(err, "a row group's metadata");
    enum haul_code code = chunks_copy(move, from, err);
    move->group.file_offset = place;
    move->group.total_compressed_size = move->file->offset - place;
    move->group.has |= 1u << ROW_GROUP_FILE_OFFSET | 1u << ROW_GROUP_COMPRESSED_SIZE;
    for (size_t i = 0; !code && i < count; i++)
        code = meta_copy(move, &from->columns.items[i], (int)i, err);
    for (size_t i = 0; !code && i < count; i++)
        code = bloom_copy(move, (int)i, err);
    return code;
}

/* ---- page indexes ---- */

static enum haul_code index_read(struct move *move, int64_t offset, int64_t length, struct slice *index,
                                 struct haul_error *err)
{
    enum haul_code code = range_check(move->input, offset, length, "its page index", err);
    if (!code && length > INDEX_BYTES_MAX)
        code = error_set(err, HAUL_LIMIT, "its page index has %lld bytes", (long long)length);
    uint8_t *bytes = code ? NULL : arena_alloc(&move->arena, (size_t)length + 1);
    if (code)
        return code;
    if (!bytes)
        return error_nomem(err, "a page index");
    *index = (struct slice){bytes, (size_t)length};
    return input_read_all(move->input->file, offset, bytes, (size_t)length, err);
}

static enum haul_code offsets_shift(struct offset_index *index, const struct column_metadata *meta,
                                    int64_t shift, struct haul_error *err)
{
    int64_t begin = chunk_start(meta), end = begin + meta->total_compressed_size;
    for (size_t i = 0; i < index->page_locations.count; i++) {
        struct page_location *page = &index->page_locations.items[i];
        if (page->offset < begin || page->offset >= end || page->compressed_page_size < 0 ||
            page->compressed_page_size > end - page->offset)
            return error_set(err, HAUL_DATA,
                             "its page index names a page at offset %lld, outside of its pages",
                             (long long)page->offset);
        page->offset += shift;
    }
    return HAUL_OK;
}

static enum haul_code length_put(struct buffer *out, size_t length, struct haul_error *err)
{
    if (length > UINT32_MAX - 1)
        return error_set(err, HAUL_LIMIT, "the metadata of a row group is larger than 4 GiB");
    uint32_t bytes = (uint32_t)length;
    return buffer_append(out, &bytes, sizeof bytes, err);
}

static enum haul_code slice_put(struct buffer *out, struct slice slice, struct haul_error *err)
{
    enum haul_code code = length_put(out, slice.length, err);
    return code || slice.length == 0 ? code : buffer_append(out, slice.data, slice.length, err);
}

/* `in` as Thrift, its length before it. */
static enum haul_code struct_put(struct buffer *out, const struct thrift_table *table, const void *in,
                                 struct haul_error *err)
{
    struct buffer bytes = {0};
    enum haul_code code = thrift_write(table, in, &bytes, err);
    if (!code)
        code = slice_put(out, (struct slice){bytes.data, bytes.length}, err);
    buffer_release(&bytes);
    return code;
}

static enum haul_code column_index_put(struct move *move, const struct column_chunk *from, int leaf,
                                       struct buffer *record, struct haul_error *err)
{
    struct slice bytes = {0};
    bool carried = thrift_has(from, CHUNK_COLUMN_INDEX_OFFSET) &&
                   thrift_has(from, CHUNK_OFFSET_INDEX_OFFSET) && from->column_index_length > 0 &&
                   distrust_allows(&move->distrust, move->input->tree.leaves[leaf], leaf);
    if (carried && index_read(move, from->column_index_offset, from->column_index_length, &bytes, err))
        return err->code;
    return slice_put(record, bytes, err);
}

static enum haul_code offset_index_put(struct move *move, const struct column_chunk *from, int leaf,
                                       struct buffer *record, struct haul_error *err)
{
    struct slice bytes = {0};
    struct offset_index index = {0};
    size_t used = 0;
    if (!thrift_has(from, CHUNK_OFFSET_INDEX_OFFSET) || from->offset_index_length <= 0)
        return slice_put(record, bytes, err);
    enum haul_code code = index_read(move, from->offset_index_offset, from->offset_index_length, &bytes, err);
    if (!code)
        code = thrift_parse(&thrift_offset_index, bytes, &index, &move->arena, &used, err);
    if (!code)
        code = offsets_shift(&index, from->meta, move->shifts[leaf], err);
    return code ? code : struct_put(record, &thrift_offset_index, &index, err);
}

static enum haul_code record_put(struct move *move, const struct row_group *from, struct buffer *record,
                                 struct haul_error *err)
{
    enum haul_code code = struct_put(record, &thrift_row_group, &move->group, err);
    for (size_t i = 0; !code && i < from->columns.count; i++) {
        code = column_index_put(move, &from->columns.items[i], (int)i, record, err);
        if (!code)
            code = offset_index_put(move, &from->columns.items[i], (int)i, record, err);
    }
    return code;
}

enum haul_code adopted_group_append(const struct adopted_piece *piece, size_t group,
                                    const struct context *context, struct output_file *file,
                                    struct buffer *record, struct haul_error *err)
{
    const struct row_group *from = &piece->input->meta.row_groups.items[group];
    struct move move = {.input = piece->input,
                        .context = context,
                        .file = file,
                        .distrust = distrust_of(&piece->input->meta)};
    if (from->num_rows == 0)
        return HAUL_OK;
    enum haul_code code = group_move(&move, from, err);
    if (!code)
        code = record_put(&move, from, record, err);
    arena_release(&move.arena);
    return code ? error_prefix(err, "%s: row group %zu", piece->input->file->name, group) : HAUL_OK;
}
