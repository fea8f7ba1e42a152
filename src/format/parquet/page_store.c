/*
 * page_store.c: pages in memory or in the spill file.
 *
 * Extents that follow one another in the file are joined, so that a chunk that
 * was spilled alone comes back in one copy. After a spill the memory is given
 * back, because that is what the spill was for.
 */
#include "format/parquet/page_store.h"

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
    buffer_init(&store->tail, memory);
    buffer_init(&store->extents, memory);
}

void page_store_release(struct page_store *store)
{
    buffer_release(&store->tail);
    buffer_release(&store->extents);
}

enum haul_code page_store_append(struct page_store *store, const void *data, size_t length,
                                 struct haul_error *err)
{
    enum haul_code code = buffer_append(&store->tail, data, length, err);
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

enum haul_code page_store_spill(struct page_store *store, struct spill *spill, struct haul_error *err)
{
    if (store->tail.length == 0)
        return HAUL_OK;
    enum haul_code code = HAUL_OK;
    if (!spill->write)
        code = store_spill_open(spill->folder, &spill->write, &spill->read, err);
    if (code)
        return code;
    int64_t offset = spill->write->offset;
    code = spill->write->ops->append(spill->write, store->tail.data, store->tail.length, err);
    if (!code)
        code = note_extent(store, offset, (int64_t)store->tail.length, err);
    if (code)
        return code;
    buffer_release(&store->tail);
    return HAUL_OK;
}

enum haul_code page_store_write(const struct page_store *store, const struct spill *spill,
                                struct output_file *file, struct haul_error *err)
{
    const struct extent *extents = (const struct extent *)(const void *)store->extents.data;
    size_t count = store->extents.length / sizeof *extents;
    for (size_t i = 0; i < count; i++) {
        enum haul_code code =
            file->ops->copy_from(file, spill->read, extents[i].offset, extents[i].length, err);
        if (code)
            return code;
    }
    return store->tail.length > 0 ? file->ops->append(file, store->tail.data, store->tail.length, err)
                                  : HAUL_OK;
}
