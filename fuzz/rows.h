/*
 * rows.h: for targets that read a whole file from memory: a file, an open input,
 * and its rows, printed or only hashed.
 */
#ifndef HAUL_FUZZ_ROWS_H
#define HAUL_FUZZ_ROWS_H

#include "fuzz.h"

#include "batch/hash.h"
#include "format/format.h"

struct rows {
    struct context context;
    struct collector collector;
    struct reject_limit limit;
    struct memory *memory;
    struct source_request source;
    struct input_file *file;
    struct format_input *input;
    struct source_info info;
    struct haul_error err;
};

/* Opens and describes; false: err says why. rows_close in both cases. */
static inline bool rows_open(struct rows *rows, const struct format *format, const struct buffer *bytes,
                             size_t budget)
{
    static const char name[] = "memory:input";
    const struct format_request request = {.context = &rows->context, .source = &rows->source};
    const struct settings *settings = rows->context.settings;
    context_init(&rows->context);
    rows->limit.max = -1;
    rows->collector.limit = &rows->limit;
    must(!memory_open(&rows->memory, budget, 1, &rows->err));
    rows->context.memory = rows->memory;
    rows->context.collector = &rows->collector;
    rows->context.settings = settings;
    must(!store_memory_put(name, bytes->data, bytes->length, &rows->err));
    must(!store_for(name)->open(name, &rows->context, &rows->file, &rows->err));
    if (format->open_input(&request, rows->file, &rows->input, &rows->err))
        return false;
    return rows->input->ops->describe(rows->input, &rows->info, &rows->err) == HAUL_OK;
}

static inline void rows_close(struct rows *rows)
{
    if (rows->input)
        rows->input->ops->close(rows->input);
    if (rows->file)
        rows->file->ops->close(rows->file);
    schema_release(&rows->info.schema);
    arena_release(&rows->info.arena);
    collector_release(&rows->collector);
    store_memory_clear();
    must(memory_used(rows->memory) == 0);
    memory_close(rows->memory);
}

typedef void (*rows_fn)(void *user, const struct batch *batch);

/* Reads a part; false: err says why. *offered grows by its rows. */
static inline bool rows_read(struct rows *rows, const struct part *part, int64_t rows_max, int64_t *offered,
                             rows_fn each, void *user)
{
    struct reader *reader = NULL;
    bool end = false;
    int64_t before = *offered, first = *offered;
    if (rows->input->ops->open(rows->input, &rows->context, part, 0, &reader, &rows->err))
        return false;
    while (!rows->err.code && !end) {
        struct batch batch = {0};
        (void)reader->ops->next(reader, rows_max, &batch, &end, &rows->err);
        if (!rows->err.code && !end) {
            must(batch.array.length + batch.dropped_count == batch.rows_offered);
            must(batch.rows_offered <= rows_max && batch.first_row == *offered - before);
            *offered += batch.rows_offered;
            each(user, &batch);
        }
        must(!end || !batch.array.release);
        batch_release(&batch);
    }
    reader->ops->close(reader);
    must(rows->err.code || part->rows < 0 || *offered - first == part->rows);
    return rows->err.code == HAUL_OK;
}

#endif
