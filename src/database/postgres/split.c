/*
 * split.c: cuts a table into ranges of blocks.
 *
 * How many blocks hold the rows wished for follows from the estimates; a table
 * that was never analysed is taken to have ROWS_PER_BLOCK in each. Parts are of
 * equal size in blocks, which is what they cost to read. Where rows are of very
 * different sizes parts differ in rows; that harms nobody, the queue evens it out.
 */
#include "database/postgres/source.h"

#define ROWS_PER_BLOCK 60
#define BLOCK_BYTES    8192

static int64_t blocks_per_part(const struct postgres_source *source, const struct split_request *request)
{
    const struct table *table = &source->table;
    double blocks = (double)table->bytes / BLOCK_BYTES;
    double per_block = table->rows > 0 && blocks >= 1 ? (double)table->rows / blocks : ROWS_PER_BLOCK;
    double spread = table->blocks > 0 ? blocks / (double)table->blocks : 1; /* partitions side by side */
    double wish = request->part_rows > 0 ? (double)request->part_rows / per_block : blocks + 1;
    if (request->part_bytes > 0 && wish > (double)request->part_bytes / BLOCK_BYTES)
        wish = (double)request->part_bytes / BLOCK_BYTES;
    if (spread > 1)
        wish /= spread;
    return wish < 1 ? 1 : wish > (double)UINT32_MAX ? (int64_t)UINT32_MAX : (int64_t)wish;
}

static void begin_split(struct postgres_source *source, const struct split_request *request)
{
    if (!source->sliced || source->part_blocks)
        return;
    int64_t blocks = blocks_per_part(source, request);
    int64_t parts = (source->table.blocks + blocks - 1) / blocks;
    if (parts > 1)
        blocks = (source->table.blocks + parts - 1) / parts; /* no small rest at the end */
    source->part_blocks = blocks;
}

enum haul_code pg_source_split(struct source *base, const struct split_request *request, struct arena *arena,
                               struct part *part, bool *more, struct haul_error *err)
{
    struct postgres_source *source = (struct postgres_source *)base;
    begin_split(source, request);
    *more = !source->split_done;
    if (!*more) {
        source->split_done = false; /* a second walk may follow */
        source->part_index = 0;
        source->next_block = source->part_blocks = 0;
        return HAUL_OK;
    }
    if (source->key) {
        part->spec = (char *)(uintptr_t)pg_key_next(source, request, arena);
        part->index = source->part_index++;
        part->rows = part->bytes = -1;
        return part->spec ? HAUL_OK : error_nomem(err, "parts");
    }
    int64_t low = source->next_block, high = low + source->part_blocks;
    bool last = !source->sliced || high >= source->table.blocks;
    if (last && low == 0)
        part->spec = arena_text(arena, "all");
    else if (last)
        part->spec = arena_printf(arena, "ctid %lld..", (long long)low);
    else
        part->spec = arena_printf(arena, "ctid %lld..%lld", (long long)low, (long long)high);
    part->index = source->part_index++;
    part->rows = part->bytes = -1;
    source->next_block = high;
    source->split_done = last;
    return part->spec ? HAUL_OK : error_nomem(err, "parts");
}
