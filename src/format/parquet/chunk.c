/*
 * chunk.c: column chunks and their notes. Bounds of pages are cut when they are
 * noted, so that a page costs the index at most two times 64 bytes.
 */
#include "format/parquet/chunk.h"

void chunk_init(struct chunk *chunk, struct memory *memory)
{
    memset(chunk, 0, sizeof *chunk);
    page_store_init(&chunk->dictionary, memory);
    page_store_init(&chunk->bloom, memory);
    page_store_init(&chunk->pages, memory);
    buffer_init(&chunk->notes, memory);
    buffer_init(&chunk->note_bounds, memory);
}

void chunk_release(struct chunk *chunk)
{
    page_store_release(&chunk->dictionary);
    page_store_release(&chunk->bloom);
    page_store_release(&chunk->pages);
    buffer_release(&chunk->notes);
    buffer_release(&chunk->note_bounds);
}

enum haul_code chunk_note(struct chunk *chunk, const struct page_note *note, const struct bounds *bounds,
                          enum order order, struct haul_error *err)
{
    struct page_note own = *note;
    own.place = chunk->note_bounds.length;
    own.any = bounds->any;
    enum haul_code code = HAUL_OK;
    if (bounds->any) {
        struct bound min = bounds->min, max = bounds->max;
        bool exact;
        bound_cut_min(&min, order, &exact);
        own.bounded = bound_cut_max(&max, order, &exact);
        own.min_length = min.length;
        own.max_length = max.length;
        code = buffer_append(&chunk->note_bounds, min.bytes, min.length, err);
        if (!code)
            code = buffer_append(&chunk->note_bounds, max.bytes, max.length, err);
    }
    own.nan_count = bounds->nan_count;
    chunk->null_count += own.null_count;
    bounds_merge(&chunk->bounds, bounds, order);
    return code ? code : buffer_append(&chunk->notes, &own, sizeof own, err);
}
