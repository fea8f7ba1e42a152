/*
 * walk.c: parts are asked for one at a time and read in order; only one spec is
 * kept, so a source of any number of parts takes no memory.
 */
#include "batch/walk.h"

#define PART_ROWS 1048576
#define PART_BYTES ((int64_t)256 << 20)

enum haul_code walk_init(struct walk *walk, struct source *source, const struct context *context,
                         struct haul_error *err)
{
    *walk = (struct walk){.source = source, .context = context, .split = source->ops->split != NULL};
    if (source->ops->begin && source->ops->begin(source, 1, err))
        return err->code;
    walk->begun = true;
    return HAUL_OK;
}

void walk_release(struct walk *walk)
{
    if (walk->reader)
        walk->reader->ops->close(walk->reader);
    if (walk->begun && walk->source->ops->end)
        walk->source->ops->end(walk->source);
    arena_release(&walk->arena);
    *walk = (struct walk){0};
}

static enum haul_code next_part(struct walk *walk, bool *more, struct haul_error *err)
{
    static const struct split_request request = {.part_rows = PART_ROWS, .part_bytes = PART_BYTES};
    arena_release(&walk->arena);
    walk->part = (struct part){.index = walk->parts, .rows = -1, .bytes = -1};
    *more = walk->parts == 0;
    if (walk->split && walk->source->ops->split(walk->source, &request, &walk->arena, &walk->part, more, err))
        return err->code;
    if (!walk->split && !(walk->part.spec = arena_text(&walk->arena, "all")))
        return error_nomem(err, "a part");
    if (!*more)
        return HAUL_OK;
    walk->part.index = walk->parts++;
    return walk->source->ops->open(walk->source, walk->context, &walk->part, 0, &walk->reader, err);
}

enum haul_code walk_next(struct walk *walk, int64_t rows_max, struct batch *batch, bool *end, struct haul_error *err)
{
    *end = false;
    while (!walk->ended) {
        bool more = true, part_end = false;
        if (!walk->reader && next_part(walk, &more, err))
            return err->code;
        if (!more) {
            walk->ended = true;
            break;
        }
        if (walk->reader->ops->next(walk->reader, rows_max, batch, &part_end, err))
            return err->code;
        if (!part_end)
            return HAUL_OK;
        walk->reader->ops->close(walk->reader);
        walk->reader = NULL;
    }
    *end = true;
    return HAUL_OK;
}
