/*
 * group_note.c: row groups and page indexes as Thrift structs.
 *
 * Offsets are absolute, so a record is made when its bytes are in the file. What
 * the structs point to lives in an arena that goes with each group.
 */
#include "format/parquet/group_note.h"
#include "format/parquet/page_writer.h"

static const struct page_note *notes_of(const struct chunk *chunk, size_t *count)
{
    *count = chunk->notes.length / sizeof(struct page_note);
    return (const struct page_note *)(const void *)chunk->notes.data;
}

static struct slice note_min(const struct chunk *chunk, const struct page_note *note)
{
    return (struct slice){chunk->note_bounds.data + note->place, note->min_length};
}

static struct slice note_max(const struct chunk *chunk, const struct page_note *note)
{
    return (struct slice){chunk->note_bounds.data + note->place + note->min_length, note->max_length};
}

/* ---- column metadata ---- */

static struct slice bound_slice(struct arena *arena, const struct bound *bound)
{
    uint8_t *copy = arena_alloc(arena, BOUND_BYTES);
    if (copy)
        memcpy(copy, bound->bytes, bound->length);
    return (struct slice){copy, bound->length};
}

static struct statistics *describe_statistics(const struct chunk *chunk, enum order order,
                                              struct arena *arena)
{
    struct statistics *s = arena_alloc(arena, sizeof *s);
    if (!s)
        return NULL;
    s->null_count = chunk->null_count;
    thrift_set(s, STATISTICS_NULL_COUNT);
    if (order_is_float(order)) {
        s->nan_count = chunk->bounds.nan_count;
        thrift_set(s, STATISTICS_NAN_COUNT);
    }
    if (!chunk->bounds.any || order == ORDER_NONE)
        return s;
    struct bound min = chunk->bounds.min, max = chunk->bounds.max;
    bound_cut_min(&min, order, &s->min_exact);
    s->min = bound_slice(arena, &min);
    s->has |= 1u << STATISTICS_MIN | 1u << STATISTICS_MIN_EXACT;
    if (bound_cut_max(&max, order, &s->max_exact)) {
        s->max = bound_slice(arena, &max);
        s->has |= 1u << STATISTICS_MAX | 1u << STATISTICS_MAX_EXACT;
    }
    return s->min.data && (s->max.data || !thrift_has(s, STATISTICS_MAX)) ? s : NULL;
}

static bool describe_path(const struct tree *tree, int leaf, struct column_metadata *meta,
                          struct arena *arena)
{
    struct slice path[SCHEMA_PATH_MAX];
    meta->path_in_schema.count = schema_path(tree, leaf, path);
    meta->path_in_schema.items = arena_alloc_array(arena, meta->path_in_schema.count, sizeof path[0]);
    if (meta->path_in_schema.items)
        memcpy(meta->path_in_schema.items, path, meta->path_in_schema.count * sizeof path[0]);
    return meta->path_in_schema.items != NULL;
}

/* Which encodings occur: of pages, of levels, of the dictionary. */
static bool describe_encodings(const struct chunk *chunk, const struct node *leaf,
                               struct column_metadata *meta, struct arena *arena)
{
    bool used[ENCODING_COUNT];
    for (int i = 0; i < ENCODING_COUNT; i++)
        used[i] = chunk->encoded[i] > 0;
    used[ENCODING_RLE] |= leaf->def > 0 || leaf->rep > 0;
    used[ENCODING_PLAIN] |= chunk->dictionary.length > 0;
    meta->encodings.items = arena_alloc_array(arena, ENCODING_COUNT, sizeof(int32_t));
    for (int i = 0; meta->encodings.items && i < ENCODING_COUNT; i++)
        if (used[i])
            meta->encodings.items[meta->encodings.count++] = i;
    return meta->encodings.items != NULL;
}

static bool describe_pages(const struct chunk *chunk, int page_version, struct column_metadata *meta,
                           struct arena *arena)
{
    struct page_encoding_stats *stats = arena_alloc_array(arena, ENCODING_COUNT + 1, sizeof *stats);
    size_t count = 0;
    if (!stats)
        return false;
    if (chunk->dictionary.length > 0)
        stats[count++] = (struct page_encoding_stats){
            .page_type = PAGE_DICTIONARY, .encoding = ENCODING_PLAIN, .count = 1};
    for (int i = 0; i < ENCODING_COUNT; i++)
        if (chunk->encoded[i] > 0)
            stats[count++] =
                (struct page_encoding_stats){.page_type = page_version == 1 ? PAGE_DATA : PAGE_DATA_V2,
                                             .encoding = i,
                                             .count = chunk->encoded[i]};
    meta->encoding_stats.items = stats;
    meta->encoding_stats.count = count;
    thrift_set(meta, COLUMN_META_ENCODING_STATS);
    return true;
}

static struct column_metadata *describe_chunk(const struct group_place *at, const struct chunk *chunk,
                                              int leaf, int64_t offset, struct arena *arena)
{
    const struct node *node = at->tree->leaves[leaf];
    struct column_metadata *meta = arena_alloc(arena, sizeof *meta);
    if (!meta || !describe_path(at->tree, leaf, meta, arena) ||
        !describe_encodings(chunk, node, meta, arena) ||
        !describe_pages(chunk, at->page_version, meta, arena))
        return NULL;
    meta->type = (int32_t)node->physical;
    meta->codec = (int32_t)page_codec(at->codec);
    meta->num_values = chunk->values;
    meta->total_uncompressed_size = chunk->plain_bytes;
    meta->total_compressed_size = chunk_bytes(chunk);
    meta->data_page_offset = offset + chunk->dictionary.length;
    if (chunk->dictionary.length > 0) {
        meta->dictionary_page_offset = offset;
        thrift_set(meta, COLUMN_META_DICTIONARY_PAGE_OFFSET);
    }
    meta->statistics = describe_statistics(chunk, statistics_order(node), arena);
    thrift_set(meta, COLUMN_META_STATISTICS);
    return meta->statistics ? meta : NULL;
}

/* The first column whose values are in order: what a reader can rely on. */
static enum haul_code describe_order(const struct group *group, size_t count, struct arena *arena,
                                     struct row_group *out, struct haul_error *err)
{
    size_t i = 0;
    while (i < count && !group->chunks[i].sorted)
        i++;
    if (i == count)
        return HAUL_OK;
    out->sorting.items = arena_alloc_array(arena, 1, sizeof *out->sorting.items);
    if (!out->sorting.items)
        return error_nomem(err, "a row group's metadata");
    out->sorting.items[0] = (struct sorting_column){.column = (int32_t)i};
    out->sorting.count = 1;
    thrift_set(out, ROW_GROUP_SORTING);
    return HAUL_OK;
}

static enum haul_code describe_group(const struct group *group, const struct group_place *at,
                                     struct arena *arena, struct row_group *out, struct haul_error *err)
{
    size_t count = (size_t)at->tree->leaf_count;
    int64_t offset = at->offset;
    out->num_rows = group->rows;
    out->file_offset = offset;
    out->columns.count = count;
    out->columns.items = arena_alloc_array(arena, count + 1, sizeof *out->columns.items);
    for (size_t i = 0; out->columns.items && i < count; i++) {
        struct column_chunk *column = &out->columns.items[i];
        column->meta = describe_chunk(at, &group->chunks[i], (int)i, offset, arena);
        if (!column->meta)
            return error_nomem(err, "a row group's metadata");
        thrift_set(column, CHUNK_META_DATA);
        offset += chunk_bytes(&group->chunks[i]);
        out->total_byte_size += group->chunks[i].plain_bytes;
    }
    out->total_compressed_size = offset - at->offset;
    for (size_t i = 0; out->columns.items && i < count; i++) {
        struct column_metadata *meta = out->columns.items[i].meta;
        if (group->chunks[i].bloom.length == 0)
            continue;
        meta->bloom_filter_offset = offset;
        meta->bloom_filter_length = (int32_t)group->chunks[i].bloom.length;
        meta->has |= 1u << COLUMN_META_BLOOM_FILTER_OFFSET | 1u << COLUMN_META_BLOOM_FILTER_LENGTH;
        offset += group->chunks[i].bloom.length;
    }
    out->has = 1u << ROW_GROUP_FILE_OFFSET | 1u << ROW_GROUP_COMPRESSED_SIZE;
    return out->columns.items ? describe_order(group, count, arena, out, err)
                              : error_nomem(err, "a row group's metadata");
}

/* ---- page indexes ---- */

static void load_bound(struct bound *bound, struct slice data)
{
    bound->length = (uint8_t)data.length;
    memcpy(bound->bytes, data.data, data.length);
}

static enum parquet_boundary_order boundary_order(const struct column_index *index, enum order order)
{
    bool ascending = true, descending = true;
    struct bound min = {0}, max = {0};
    bool any = false;
    for (size_t i = 0; i < index->min_values.count; i++) {
        struct bound next_min = {0}, next_max = {0};
        if (index->null_pages.items[i])
            continue;
        load_bound(&next_min, index->min_values.items[i]);
        load_bound(&next_max, index->max_values.items[i]);
        if (any) {
            int by_min = bound_compare(order, &min, &next_min),
                by_max = bound_compare(order, &max, &next_max);
            ascending &= by_min <= 0 && by_max <= 0;
            descending &= by_min >= 0 && by_max >= 0;
        }
        min = next_min;
        max = next_max;
        any = true;
    }
    return ascending ? BOUNDARY_ASCENDING : descending ? BOUNDARY_DESCENDING : BOUNDARY_UNORDERED;
}

/* A page of NaNs alone, or one whose greatest value has no short bound, cannot be said: no index then. */
static bool index_is_possible(const struct chunk *chunk, enum order order)
{
    size_t count;
    const struct page_note *notes = notes_of(chunk, &count);
    bool possible = order != ORDER_NONE && count > 0;
    for (size_t i = 0; possible && i < count; i++)
        possible = notes[i].any ? notes[i].bounded : notes[i].nan_count == 0;
    return possible;
}

static bool index_alloc(struct column_index *index, size_t count, struct arena *arena)
{
    index->null_pages.items = arena_alloc_array(arena, count, sizeof(bool));
    index->min_values.items = arena_alloc_array(arena, count, sizeof(struct slice));
    index->max_values.items = arena_alloc_array(arena, count, sizeof(struct slice));
    index->null_counts.items = arena_alloc_array(arena, count, sizeof(int64_t));
    index->nan_counts.items = arena_alloc_array(arena, count, sizeof(int64_t));
    index->null_pages.count = index->min_values.count = index->max_values.count = count;
    index->null_counts.count = index->nan_counts.count = count;
    return index->null_pages.items && index->min_values.items && index->max_values.items &&
           index->null_counts.items && index->nan_counts.items;
}

static enum haul_code write_column_index(const struct chunk *chunk, enum order order, struct arena *arena,
                                         struct buffer *out, struct haul_error *err)
{
    size_t count;
    const struct page_note *notes = notes_of(chunk, &count);
    struct column_index index = {0};
    if (!index_is_possible(chunk, order))
        return HAUL_OK;
    if (!index_alloc(&index, count, arena))
        return error_nomem(err, "a column index");
    for (size_t i = 0; i < count; i++) {
        index.null_pages.items[i] = !notes[i].any;
        index.null_counts.items[i] = notes[i].null_count;
        index.nan_counts.items[i] = notes[i].nan_count;
        if (notes[i].any) {
            index.min_values.items[i] = note_min(chunk, &notes[i]);
            index.max_values.items[i] = note_max(chunk, &notes[i]);
        }
    }
    index.boundary_order = (int32_t)boundary_order(&index, order);
    thrift_set(&index, COLUMN_INDEX_NULL_COUNTS);
    if (order_is_float(order))
        thrift_set(&index, COLUMN_INDEX_NAN_COUNTS);
    return thrift_write(&thrift_column_index, &index, out, err);
}

static enum haul_code write_offset_index(const struct chunk *chunk, int64_t offset, struct arena *arena,
                                         struct buffer *out, struct haul_error *err)
{
    size_t count;
    const struct page_note *notes = notes_of(chunk, &count);
    struct offset_index index = {0};
    index.page_locations.count = count;
    index.page_locations.items = arena_alloc_array(arena, count + 1, sizeof *index.page_locations.items);
    if (!index.page_locations.items)
        return error_nomem(err, "an offset index");
    for (size_t i = 0; i < count; i++) {
        struct page_location *location = &index.page_locations.items[i];
        location->offset = offset;
        location->compressed_page_size = (int32_t)notes[i].stored;
        location->first_row_index = notes[i].first_row;
        offset += notes[i].stored;
    }
    return thrift_write(&thrift_offset_index, &index, out, err);
}

/* ---- records ---- */

/* Room for a length, to be filled when what follows is there. */
static enum haul_code length_begin(struct buffer *out, size_t *place, struct haul_error *err)
{
    uint32_t length = 0;
    *place = out->length;
    return buffer_append(out, &length, sizeof length, err);
}

static enum haul_code length_end(struct buffer *out, size_t place, struct haul_error *err)
{
    size_t bytes = out->length - place - sizeof(uint32_t);
    if (bytes > UINT32_MAX)
        return error_set(err, HAUL_LIMIT, "the metadata of a row group is larger than 4 GiB");
    uint32_t length = (uint32_t)bytes;
    memcpy(out->data + place, &length, sizeof length);
    return HAUL_OK;
}

static enum haul_code write_indexes(const struct chunk *chunk, enum order order, int64_t offset,
                                    struct arena *arena, struct buffer *out, struct haul_error *err)
{
    size_t place;
    enum haul_code code = length_begin(out, &place, err);
    if (!code)
        code = write_column_index(chunk, order, arena, out, err);
    if (!code)
        code = length_end(out, place, err);
    if (!code)
        code = length_begin(out, &place, err);
    if (!code)
        code = write_offset_index(chunk, offset, arena, out, err);
    return code ? code : length_end(out, place, err);
}

static enum haul_code write_record(const struct group *group, const struct group_place *at,
                                   struct arena *arena, struct buffer *out, struct haul_error *err)
{
    struct row_group row_group = {0};
    size_t place;
    enum haul_code code = describe_group(group, at, arena, &row_group, err);
    if (!code)
        code = length_begin(out, &place, err);
    if (!code)
        code = thrift_write(&thrift_row_group, &row_group, out, err);
    if (!code)
        code = length_end(out, place, err);
    for (int i = 0; !code && i < at->tree->leaf_count; i++) {
        int64_t pages = row_group.columns.items[i].meta->data_page_offset;
        code =
            write_indexes(&group->chunks[i], statistics_order(at->tree->leaves[i]), pages, arena, out, err);
    }
    return code;
}

enum haul_code group_note_write(const struct group *group, const struct group_place *at, struct buffer *out,
                                struct haul_error *err)
{
    struct arena arena = {0};
    enum haul_code code = write_record(group, at, &arena, out, err);
    arena_release(&arena);
    return code;
}

static bool take_slice(struct slice *data, struct slice *out)
{
    uint32_t length;
    if (data->length < sizeof length)
        return false;
    memcpy(&length, data->data, sizeof length);
    if (length > data->length - sizeof length)
        return false;
    *out = (struct slice){data->data + sizeof length, length};
    data->data += sizeof length + length;
    data->length -= sizeof length + length;
    return true;
}

static enum haul_code not_a_note(struct haul_error *err)
{
    return error_set(err, HAUL_DATA, "the receipt of a row group is damaged, or belongs to another file");
}

enum haul_code group_note_read(struct slice data, int leaf_count, struct arena *arena,
                               struct group_note *note, size_t *used, struct haul_error *err)
{
    struct slice rest = data, row_group;
    memset(note, 0, sizeof *note);
    if (!take_slice(&rest, &row_group))
        return not_a_note(err);
    size_t parsed = 0;
    enum haul_code code = thrift_parse(&thrift_row_group, row_group, &note->row_group, arena, &parsed, err);
    if (code)
        return error_prefix(err, "the receipt of a row group");
    if (parsed != row_group.length || note->row_group.columns.count != (size_t)leaf_count)
        return not_a_note(err);
    note->column_indexes = arena_alloc_array(arena, (size_t)leaf_count + 1, sizeof(struct slice));
    note->offset_indexes = arena_alloc_array(arena, (size_t)leaf_count + 1, sizeof(struct slice));
    if (!note->column_indexes || !note->offset_indexes)
        return error_nomem(err, "a row group's metadata");
    for (int i = 0; i < leaf_count; i++)
        if (!take_slice(&rest, &note->column_indexes[i]) || !take_slice(&rest, &note->offset_indexes[i]))
            return not_a_note(err);
    *used = data.length - rest.length;
    return HAUL_OK;
}
