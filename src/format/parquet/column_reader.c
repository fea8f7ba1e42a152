/*
 * column_reader.c: pages of one chunk, and the rows of flat columns.
 *
 * A dictionary page is loaded when it comes; data pages before it, or a second
 * one, are errors. How many values a chunk has is told in the footer and in
 * each page; the pages must not hold more. What is left over at the end of a
 * chunk is noticed by the reader, which knows the row count.
 *
 * The validity of a flat column is its definition levels: with one level they
 * are bits already and are copied as such into the builder.
 */
#include "format/parquet/column_reader.h"

void column_reader_init(struct column_reader *column, const struct node *leaf, struct memory *memory)
{
    memset(column, 0, sizeof *column);
    column->leaf = leaf;
    column->convert = convert_for(leaf);
    values_init(&column->values, leaf->physical, leaf->type_length, memory);
    word_list_init(&column->words, memory);
}

void column_reader_release(struct column_reader *column)
{
    page_reader_close(&column->pages);
    values_release(&column->values);
    word_list_release(&column->words);
}

static enum haul_code chunk_check(const struct column_reader *column, const struct column_chunk *chunk,
                                  struct haul_error *err)
{
    if (thrift_has(chunk, CHUNK_CRYPTO) || thrift_has(chunk, CHUNK_ENCRYPTED_META))
        return error_set(err, HAUL_UNSUPPORTED, "it is encrypted; haul cannot read encrypted columns");
    if (thrift_has(chunk, CHUNK_FILE_PATH) && chunk->file_path.length)
        return error_set(err, HAUL_UNSUPPORTED, "its data stand in another file");
    if (!chunk->meta)
        return error_set(err, HAUL_DATA, "the footer does not describe it");
    if (chunk->meta->type != (int32_t)column->leaf->physical)
        return error_set(err, HAUL_DATA, "the footer calls it %s in the schema and %s in the row group",
                         parquet_type_name((int32_t)column->leaf->physical),
                         parquet_type_name(chunk->meta->type));
    if (chunk->meta->num_values < 0)
        return error_set(err, HAUL_DATA, "it has %lld values", (long long)chunk->meta->num_values);
    return HAUL_OK;
}

enum haul_code column_reader_start(struct column_reader *column, struct page_supply *supply,
                                   const struct column_chunk *chunk, struct haul_error *err)
{
    enum haul_code code = chunk_check(column, chunk, err);
    if (code)
        return code;
    column->words.loaded = false;
    column->words.count = 0;
    column->page_left = 0;
    column->chunk_left = chunk->meta->num_values;
    if (column->chunk_left == 0) /* some writers give an empty column no place */
        return HAUL_OK;
    return page_reader_open(&column->pages, supply, chunk->meta, err);
}

static enum haul_code page_begin(struct column_reader *column, struct page *page, struct haul_error *err)
{
    const struct node *leaf = column->leaf;
    if (page->type == PAGE_DICTIONARY)
        return word_list_load(column, page, err);
    if (page->value_count > column->chunk_left)
        return error_set(err, HAUL_DATA, "it has %d values where %lld are left in the column",
                         page->value_count, (long long)column->chunk_left);
    enum haul_code code = levels_open(page, (unsigned)leaf->rep, (unsigned)leaf->def, &column->repetition,
                                      &column->definition, err);
    if (!code)
        code = values_open(&column->values, page->encoding, page->body, (size_t)page->value_count, err);
    if (code)
        return code;
    if (column->values.encoding == ENCODING_RLE_DICTIONARY && !column->words.loaded && page->body.length)
        return error_set(err, HAUL_DATA, "it needs a dictionary, and the column has none");
    column->page_left = (size_t)page->value_count;
    column->page_offset = page->offset;
    column->chunk_left -= page->value_count;
    return HAUL_OK;
}

enum haul_code column_reader_page(struct column_reader *column, struct haul_error *err)
{
    while (column->page_left == 0) {
        struct page page = {0};
        if (column->chunk_left == 0)
            return error_set(err, HAUL_DATA, "it has fewer values than the row group has rows");
        enum haul_code code = page_reader_next(&column->pages, &page, err);
        if (code)
            return code;
        if (page_begin(column, &page, err))
            return error_prefix(err, "page at offset %lld", (long long)page.offset);
    }
    return HAUL_OK;
}

enum haul_code column_reader_place(const struct column_reader *column, struct haul_error *err)
{
    return error_prefix(err, "page at offset %lld", (long long)column->page_offset);
}

/* ---- flat columns ---- */

enum haul_code column_reader_within(struct column_reader *column, int64_t rows, size_t bytes_max,
                                    int64_t *within, struct haul_error *err)
{
    const bool fixed = column->leaf->physical != PARQUET_BYTE_ARRAY;
    *within = rows;
    if (fixed && column->may_index != DICTIONARIES_ALL)
        return HAUL_OK;
    enum haul_code code = column_reader_page(column, err);
    if (code || (fixed && !column_reader_indexes(column)))
        return code;
    size_t count = (size_t)rows < column->page_left ? (size_t)rows : column->page_left;
    bool indexed = column->values.encoding == ENCODING_RLE_DICTIONARY;
    if (!indexed)
        count = values_within(&column->values, count, bytes_max);
    else if (!column_reader_indexes(column) && column->words.longest &&
             count > bytes_max / column->words.longest)
        count = bytes_max / column->words.longest;
    *within = count ? (int64_t)count : 1;
    return HAUL_OK;
}

/* The page's definition levels become validity; *present gets how many are there. */
static enum haul_code validity_read(struct column_reader *column, struct builder *builder, size_t rows,
                                    size_t *present, struct haul_error *err)
{
    int64_t ones = 0;
    *present = rows;
    if (column->leaf->def == 0)
        return HAUL_OK;
    if (type_table[builder->field->type].layout == LAYOUT_NONE) { /* a null column keeps no bits */
        struct buffer *scratch = &column->pages.supply->scratch;
        enum haul_code code = buffer_resize(scratch, rows / 8 + 16, err);
        if (!code)
            code = levels_read_bits(&column->definition, scratch->data, 0, rows, &ones, err);
        *present = (size_t)ones;
        return code;
    }
    enum haul_code code =
        levels_read_bits(&column->definition, builder->validity.data, builder->length, rows, &ones, err);
    *present = (size_t)ones;
    return code;
}

static enum haul_code page_rows(struct column_reader *column, struct builder *builder, size_t rows,
                                struct haul_error *err)
{
    size_t present = 0;
    enum haul_code code = HAUL_OK;
    if (column->leaf->def && !builder->validity.length)
        code = builder_add_validity(builder, err);
    if (!code)
        code = builder_reserve(builder, (int64_t)rows, 0, err);
    if (!code)
        code = validity_read(column, builder, rows, &present, err);
    if (!code)
        code = column_reader_slots(column, builder, rows, present, err);
    if (code)
        return column_reader_place(column, err);
    column->page_left -= rows;
    return column->page_left ? HAUL_OK : page_reader_done(&column->pages, err);
}

enum haul_code column_reader_rows(struct column_reader *column, struct builder *builder, int64_t rows,
                                  struct haul_error *err)
{
    while (rows > 0) {
        enum haul_code code = column_reader_page(column, err);
        if (code)
            return code;
        size_t take = (size_t)rows < column->page_left ? (size_t)rows : column->page_left;
        code = page_rows(column, builder, take, err);
        if (code)
            return code;
        rows -= (int64_t)take;
    }
    return HAUL_OK;
}
