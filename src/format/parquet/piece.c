/*
 * piece.c: row groups.
 *
 * Columns are encoded page by page as batches arrive; of a row group never more
 * than its finished pages and one page of each column are in memory. When the
 * worker's share of memory runs short the finished pages move to the spill file;
 * that changes where bytes wait, never which bytes they are.
 *
 * A row group ends at the row that fills it, by rows or by bytes. The buffers of
 * all columns together are bounded: with many columns each gets smaller pages
 * and a smaller dictionary.
 */
#include "format/parquet/piece.h"
#include "format/parquet/row_bytes.h"
#include <assert.h>

#define PAGE_ROWS            20000
#define PAGE_BYTES_MAX       ((size_t)1 << 20)
#define PAGE_BYTES_ALL       ((size_t)8 << 20) /* of the pages being filled */
#define DICTIONARY_BYTES_MAX ((size_t)1 << 20)
#define DICTIONARY_BYTES_ALL ((size_t)16 << 20)
#define COLUMN_BYTES_MIN     ((size_t)4 << 10)
#define RELIEF_STEP          16 /* of the share */

static struct parquet_piece *piece_of(struct piece *piece)
{
    return (struct parquet_piece *)piece;
}

static size_t share_of(size_t all, size_t max, int columns)
{
    size_t share = all / (size_t)(columns > 0 ? columns : 1);
    share = share < max ? share : max;
    return share > COLUMN_BYTES_MIN ? share : COLUMN_BYTES_MIN;
}

/* ---- row groups ---- */

static enum haul_code groups_reserve(struct parquet_piece *piece, struct haul_error *err)
{
    if (piece->group_count < piece->group_room)
        return HAUL_OK;
    size_t room = piece->group_room ? 2 * piece->group_room : 4, size = sizeof *piece->groups;
    struct group *groups =
        memory_realloc(piece->context.memory, piece->groups, piece->group_room * size, room * size);
    if (!groups)
        return memory_error(piece->context.memory, room * size, "row groups", err);
    piece->groups = groups;
    piece->group_room = room;
    return HAUL_OK;
}

static void group_release(struct parquet_piece *piece, struct group *group)
{
    size_t count = (size_t)piece->plan->tree->leaf_count;
    for (size_t i = 0; i < count; i++)
        chunk_release(&group->chunks[i]);
    memory_free(piece->context.memory, group->chunks, count * sizeof *group->chunks);
}

static enum haul_code group_end(struct parquet_piece *piece, struct haul_error *err)
{
    size_t count = (size_t)piece->plan->tree->leaf_count;
    if (piece->rows == 0)
        return HAUL_OK;
    enum haul_code code = groups_reserve(piece, err);
    if (code)
        return code;
    struct group group = {.rows = piece->rows};
    group.chunks = memory_alloc(piece->context.memory, count * sizeof *group.chunks);
    if (!group.chunks)
        return memory_error(piece->context.memory, count * sizeof *group.chunks, "a row group", err);
    memset(group.chunks, 0, count * sizeof *group.chunks);
    for (size_t i = 0; !code && i < count; i++)
        code = column_writer_finish(&piece->columns[i], &group.chunks[i], err);
    if (code) {
        group_release(piece, &group);
        return code;
    }
    piece->groups[piece->group_count++] = group;
    piece->rows = 0;
    piece->bytes = 0;
    return HAUL_OK;
}

/* ---- rows ---- */

/* Called by the shredder for each leaf. */
static enum haul_code give_leaf(void *user, const struct node *leaf, const struct feed *feed,
                                struct haul_error *err)
{
    struct parquet_piece *piece = user;
    return column_writer_add(&piece->columns[leaf->first_leaf], feed, err);
}

static enum haul_code piece_spill(struct piece *base, struct haul_error *err)
{
    struct parquet_piece *piece = piece_of(base);
    int count = piece->plan->tree->leaf_count;
    enum haul_code code = HAUL_OK;
    for (size_t g = 0; !code && g < piece->group_count; g++)
        for (int i = 0; !code && i < count; i++) {
            struct chunk *chunk = &piece->groups[g].chunks[i];
            code = page_store_spill(&chunk->dictionary, &piece->spill, err);
            if (!code)
                code = page_store_spill(&chunk->pages, &piece->spill, err);
            if (!code)
                code = page_store_spill(&chunk->bloom, &piece->spill, err);
        }
    for (int i = 0; !code && i < count; i++)
        code = page_store_spill(&piece->columns[i].chunk.pages, &piece->spill, err);
    return code;
}

/* Three quarters of the share are in use: the rest is for what one more batch brings. */
static bool memory_is_short(const struct parquet_piece *piece)
{
    size_t limit = memory_limit(piece->context.memory);
    return limit > 0 &&
           (memory_used(piece->context.memory) > limit / 4 * 3 || memory_borrowed(piece->context.memory));
}

/* What is not finished yet holds more than a quarter of the share. */
static bool columns_are_large(const struct parquet_piece *piece)
{
    size_t bytes = 0;
    for (int i = 0; i < piece->plan->tree->leaf_count; i++)
        bytes += column_writer_memory(&piece->columns[i]);
    return bytes > memory_limit(piece->context.memory) / 4;
}

/* Asked after each column. Finished pages go to the spill file; when that is not
 * enough (thousands of columns, many large dictionaries) the pages being filled
 * and the dictionaries, too. Not tried again before use has grown a little:
 * what is left may be the batch itself. */
static enum haul_code relieve(struct parquet_piece *piece, struct haul_error *err)
{
    struct memory *memory = piece->context.memory;
    if (!memory_is_short(piece) ||
        memory_used(memory) < piece->relieved_at + memory_limit(memory) / RELIEF_STEP)
        return HAUL_OK;
    enum haul_code code = piece_spill(&piece->base, err);
    if (!code && memory_is_short(piece) && columns_are_large(piece)) {
        for (int i = 0; !code && i < piece->plan->tree->leaf_count; i++)
            code = column_writer_shrink(&piece->columns[i], err);
        if (!code)
            code = piece_spill(&piece->base, err);
    }
    piece->relieved_at = memory_used(memory);
    return code;
}

static enum haul_code write_rows(struct parquet_piece *piece, const struct batch *batch,
                                 const struct run *rows, struct haul_error *err)
{
    const struct schema *schema = piece->plan->schema;
    for (int i = 0; i < schema->count; i++) {
        struct view view;
        enum haul_code code = view_init(&view, &schema->fields[i], batch->array.children[i], err);
        if (!code)
            code = shred(&piece->shredder, &piece->plan->tree->columns[i], &view, rows, err);
        if (!code)
            code = relieve(piece, err);
        if (code)
            return code;
    }
    piece->rows += rows->count;
    piece->bytes += row_bytes(batch, rows);
    return HAUL_OK;
}

static enum haul_code check_batch(const struct parquet_piece *piece, const struct batch *batch,
                                  struct haul_error *err)
{
    int64_t columns = piece->plan->schema->count;
    if (piece->sealed || batch->array.n_children != columns || batch->schema->count != columns)
        return error_set(err, HAUL_INTERNAL, "a batch of %lld columns was written to a piece of %lld",
                         (long long)batch->array.n_children, (long long)columns);
    return context_check(&piece->context, err);
}

static enum haul_code piece_write(struct piece *base, const struct batch *batch, struct haul_error *err)
{
    struct parquet_piece *piece = piece_of(base);
    enum haul_code code = check_batch(piece, batch, err);
    int64_t at = 0, length = batch->array.length;
    while (!code && at < length) {
        struct run rows = {at, length - at};
        if (rows.count > piece->plan->group_rows - piece->rows)
            rows.count = piece->plan->group_rows - piece->rows;
        rows.count = row_bytes_fit(batch, &rows, piece->plan->group_bytes - piece->bytes);
        code = write_rows(piece, batch, &rows, err);
        at += rows.count;
        if (!code && (piece->rows >= piece->plan->group_rows || piece->bytes >= piece->plan->group_bytes))
            code = group_end(piece, err);
    }
    piece->relieved_at = 0;
    return code;
}

static enum haul_code piece_seal(struct piece *base, struct haul_error *err)
{
    struct parquet_piece *piece = piece_of(base);
    enum haul_code code = group_end(piece, err);
    if (!code)
        piece->sealed = true;
    return code;
}

/* ---- life ---- */

static void piece_close(struct piece *base)
{
    struct parquet_piece *piece = piece_of(base);
    struct memory *memory = piece->context.memory;
    size_t columns = (size_t)piece->plan->tree->leaf_count;
    for (size_t g = 0; g < piece->group_count; g++)
        group_release(piece, &piece->groups[g]);
    if (piece->groups)
        memory_free(memory, piece->groups, piece->group_room * sizeof *piece->groups);
    for (size_t i = 0; piece->columns && i < columns; i++)
        column_writer_release(&piece->columns[i]);
    if (piece->columns)
        memory_free(memory, piece->columns, columns * sizeof *piece->columns);
    shredder_release(&piece->shredder);
    page_writer_close(&piece->pages);
    spill_close(&piece->spill);
    memory_free(memory, piece, sizeof *piece);
}

static const struct piece_ops ops = {
    .write = piece_write,
    .seal = piece_seal,
    .spill = piece_spill,
    .close = piece_close,
};

static enum haul_code columns_open(struct parquet_piece *piece, struct haul_error *err)
{
    const struct tree *tree = piece->plan->tree;
    size_t size = (size_t)tree->leaf_count * sizeof *piece->columns;
    piece->columns = memory_alloc(piece->context.memory, size);
    if (!piece->columns)
        return memory_error(piece->context.memory, size, "the columns of a row group", err);
    for (int i = 0; i < tree->leaf_count; i++)
        column_writer_init(&piece->columns[i], tree->leaves[i], &piece->columns_plan, &piece->pages);
    return HAUL_OK;
}

enum haul_code parquet_piece_open(const struct write_plan *plan, const struct context *context,
                                  const char *spill_folder, struct piece **out, struct haul_error *err)
{
    struct parquet_piece *piece = memory_alloc(context->memory, sizeof *piece);
    if (!piece)
        return memory_error(context->memory, sizeof *piece, "a row group", err);
    memset(piece, 0, sizeof *piece);
    piece->base.ops = &ops;
    piece->context = *context;
    piece->plan = plan;
    piece->spill.folder = spill_folder;
    piece->columns_plan = (struct column_plan){
        .memory = context->memory,
        .wish = plan->wish,
        .bloom = plan->bloom,
        .page_rows = PAGE_ROWS,
        .page_bytes = share_of(PAGE_BYTES_ALL, PAGE_BYTES_MAX, plan->tree->leaf_count),
        .dictionary_bytes = share_of(DICTIONARY_BYTES_ALL, DICTIONARY_BYTES_MAX, plan->tree->leaf_count),
    };
    shredder_init(&piece->shredder, context->memory, give_leaf, piece);
    enum haul_code code = page_writer_open(&piece->pages, context, plan->codec, plan->codec_level, err);
    piece->pages.version = plan->page_version;
    if (!code)
        code = columns_open(piece, err);
    if (code)
        piece_close(&piece->base);
    else
        *out = &piece->base;
    return code;
}
