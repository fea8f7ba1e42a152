/*
 * feed.c: one part's rows, read, cast and hashed.
 *
 * Batches are cut at unit boundaries here, before they are read, so that a unit
 * never holds half a batch and its name depends on source rows alone. Each item
 * carries its own rejects and losses: it may be read ahead of its unit, or kept
 * for a second try. A failure of the reader is the source's; a cast that fails
 * is nobody's side.
 */
#include "transfer/feed.h"
#include "base/memory.h"

void item_release(struct item *item)
{
    batch_release(&item->batch);
    collector_release(&item->found);
    *item = (struct item){0};
}

enum haul_code feed_init(struct feed *feed, const struct feed_terms *terms, const struct context *context,
                         int seat, struct haul_error *err)
{
    *feed = (struct feed){.terms = terms, .context = *context, .seat = seat, .rows_left = INT64_MAX};
    feed->limit = context->collector ? context->collector->limit : NULL;
    feed->collector.limit = feed->limit;
    feed->context.collector = &feed->collector;
    if (cast_open(terms->from, terms->to, &feed->cast, err))
        return err->code;
    return hasher_init(&feed->hasher, terms->to, false, context->memory, err);
}

static void reader_close(struct feed *feed)
{
    if (feed->reader)
        feed->reader->ops->close(feed->reader);
    feed->reader = NULL;
}

void feed_release(struct feed *feed)
{
    reader_close(feed);
    if (feed->cast)
        cast_close(feed->cast);
    hasher_release(&feed->hasher);
    collector_release(&feed->collector);
    *feed = (struct feed){0};
}

static enum haul_code source_failed(struct haul_error *err)
{
    if (err->side == HAUL_SIDE_NONE)
        err->side = HAUL_SIDE_SOURCE;
    return err->code;
}

enum haul_code feed_seek(struct feed *feed, const struct part *part, int64_t row, struct haul_error *err)
{
    if (feed->reader && feed->part == part && feed->row == row)
        return HAUL_OK;
    reader_close(feed);
    feed->part = part;
    feed->row = row;
    collector_reset(&feed->collector);
    const struct feed_terms *terms = feed->terms;
    if (terms->source->ops->open(terms->source, &feed->context, part, row, &feed->reader, err))
        return source_failed(err);
    return HAUL_OK;
}

/* How many rows the next batch may have. */
static int64_t rows_wanted(const struct feed *feed)
{
    int64_t unit_rows = feed->terms->plan->unit_rows;
    int64_t wanted = unit_rows - feed->row % unit_rows;
    wanted = wanted < BATCH_ROWS ? wanted : BATCH_ROWS;
    return wanted < feed->rows_left ? wanted : feed->rows_left;
}

/* Source bytes, as the plan knows them for this part; else the batch's own. */
static void bytes_count(const struct feed *feed, const struct batch *batch, int64_t offered)
{
    const struct part *part = feed->part;
    int64_t bytes;
    if (part->rows > 0 && part->bytes >= 0)
        bytes = (int64_t)((double)part->bytes * (double)offered / (double)part->rows);
    else
        bytes = batch_bytes(batch);
    atomic_fetch_add_explicit(&feed->terms->progress->bytes_read, bytes, memory_order_relaxed);
}

static enum haul_code batch_read(struct feed *feed, struct batch *batch, bool *end, struct haul_error *err)
{
    progress_sit(feed->terms->progress, feed->seat, ACTIVITY_SOURCE);
    enum haul_code code = feed->reader->ops->next(feed->reader, rows_wanted(feed), batch, end, err);
    progress_sit(feed->terms->progress, feed->seat, ACTIVITY_ENCODE);
    return code ? source_failed(err) : HAUL_OK;
}

/* The rejects are told by their place in the part. */
static enum haul_code item_make(struct feed *feed, struct item *item, struct haul_error *err)
{
    struct batch *batch = &item->batch;
    item->offered = batch->array.length + batch->dropped_count;
    bytes_count(feed, batch, item->offered);
    if (cast_apply(feed->cast, &feed->context, batch, err))
        return err->code;
    if (hash_batch(&feed->hasher, batch, &item->sum, err))
        return err->code;
    item->found = feed->collector;
    feed->collector = (struct collector){.limit = feed->limit};
    feed->row += item->offered;
    if (feed->rows_left != INT64_MAX)
        feed->rows_left -= item->offered;
    return HAUL_OK;
}

static enum haul_code item_read(struct feed *feed, struct item *item, bool *end, struct haul_error *err)
{
    for (;;) {
        if (context_check(&feed->context, err))
            return err->code;
        *end = feed->rows_left <= 0;
        if (*end)
            return HAUL_OK;
        if (batch_read(feed, &item->batch, end, err))
            return err->code;
        if (*end)
            return HAUL_OK;
        if (item->batch.array.length + item->batch.dropped_count > 0)
            return item_make(feed, item, err);
        batch_release(&item->batch);
    }
}

enum haul_code feed_next(struct feed *feed, struct item *item, bool *end, struct haul_error *err)
{
    *item = (struct item){0};
    *end = false;
    if (item_read(feed, item, end, err)) {
        item_release(item);
        reader_close(feed); /* where it stands is not known any more */
        return err->code;
    }
    return HAUL_OK;
}
