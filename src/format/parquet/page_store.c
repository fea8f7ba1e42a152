/*
 * page_store.c: pages in memory or in the spill file.
 *
 * Memory grows by blocks, so that bytes that are there are not copied again to
 * make room for more. Extents that follow one another in the spill file are
 * joined, so that a chunk that was spilled alone comes back in one copy. After a
 * spill the memory is given back, because that is what the spill was for.
 */
#include "format/parquet/page_store.h"

#define BLOCK_BYTES ((size_t)256 << 10) /* a block is full from here on */
#define HUGE_BYTES  ((size_t)4 << 20)   /* a copy of so much would be dearer than room that is not used */

struct extent {
    int64_t offset, length;
};

void spill_close(struct spill *spill)
{
    if (spill->read)
        spill->read->ops->close(spill->read);
    if (spill->write)
        spill->write->ops->close(spill->write);
    spill->read = NULL;
    spill->write = NULL;
}

void page_store_init(struct page_store *store, struct memory *memory)
{
    memset(store, 0, sizeof *store);
    buffer_init(&store->extents, memory);
    buffer_init(&store->blocks, memory);
    buffer_init(&store->tail, memory);
}

static struct buffer *blocks_of(const struct page_store *store, size_t *count)
{
    *count = store->blocks.length / sizeof(struct buffer);
    return (struct buffer *)(void *)store->blocks.data;
}

static void blocks_release(struct page_store *store)
{
    size_t count;
    struct buffer *blocks = blocks_of(store, &count);
    for (size_t i = 0; i < count; i++)
        buffer_release(&blocks[i]);
    buffer_clear(&store->blocks);
    buffer_release(&store->tail);
}

void page_store_release(struct page_store *store)
{
    blocks_release(store);
    buffer_release(&store->blocks);
    buffer_release(&store->extents);
}

/* Makes a block of `buffer`, which is empty afterwards. */
static enum haul_code block_add(struct page_store *store, struct buffer *buffer, struct haul_error *err)
{
    enum haul_code code = buffer_append(&store->blocks, buffer, sizeof *buffer, err);
    if (!code)
        buffer_init(buffer, store->blocks.memory);
    return code;
}

enum haul_code page_store_append(struct page_store *store, const void *data, size_t length,
                                 struct haul_error *err)
{
    enum haul_code code = buffer_append(&store->tail, data, length, err);
    if (code)
        return code;
    store->length += (int64_t)length;
    return store->tail.length < BLOCK_BYTES ? HAUL_OK : block_add(store, &store->tail, err);
}

enum haul_code page_store_take(struct page_store *store, struct buffer *buffer, struct haul_error *err)
{
    size_t length = buffer->length;
    bool whole =
        length >= BLOCK_BYTES && (length >= HUGE_BYTES || length >= buffer->capacity - buffer->capacity / 8);
    enum haul_code code = HAUL_OK;
    if (!whole) {
        code = page_store_append(store, buffer->data, length, err);
        buffer_clear(buffer);
        return code;
    }
    if (store->tail.length > 0)
        code = block_add(store, &store->tail, err);
    if (!code)
        code = block_add(store, buffer, err);
    if (!code)
        store->length += (int64_t)length;
    return code;
}

static enum haul_code note_extent(struct page_store *store, int64_t offset, int64_t length,
                                  struct haul_error *err)
{
    struct extent *last = NULL;
    if (store->extents.length > 0)
        last = (struct extent *)(void *)(store->extents.data + store->extents.length) - 1;
    if (last && last->offset + last->length == offset) {
        last->length += length;
        return HAUL_OK;
    }
    struct extent extent = {offset, length};
    return buffer_append(&store->extents, &extent, sizeof extent, err);
}

/* Appends what is in memory. */
static enum haul_code write_memory(const struct page_store *store, struct output_file *file,
                                   struct haul_error *err)
{
    size_t count;
    const struct buffer *blocks = blocks_of(store, &count);
    enum haul_code code = HAUL_OK;
    for (size_t i = 0; !code && i < count; i++)
        code = file->ops->append(file, blocks[i].data, blocks[i].length, err);
    if (!code && store->tail.length > 0)
        code = file->ops->append(file, store->tail.data, store->tail.length, err);
    return code;
}

enum haul_code page_store_spill(struct page_store *store, struct spill *spill, struct haul_error *err)
{
    if (store->tail.length == 0 && store->blocks.length == 0)
        return HAUL_OK;
    enum haul_code code = HAUL_OK;
    if (!spill->write)
        code = store_spill_open(spill->folder, &spill->write, &spill->read, err);
    if (code)
        return code;
    int64_t offset = spill->write->offset;
    code = write_memory(store, spill->write, err);
    if (!code)
        code = note_extent(store, offset, spill->write->offset - offset, err);
    if (!code)
        blocks_release(store);
    return code;
}

enum haul_code page_store_write(const struct page_store *store, const struct spill *spill,
                                struct output_file *file, struct haul_error *err)
{
    const struct extent *extents = (const struct extent *)(const void *)store->extents.data;
    size_t count = store->extents.length / sizeof *extents;
    enum haul_code code = HAUL_OK;
    for (size_t i = 0; !code && i < count; i++)
        code = file->ops->copy_from(file, spill->read, extents[i].offset, extents[i].length, err);
    return code ? code : write_memory(store, file, err);
}
