/*
 * batch.c: batches move, lose rows, and end.
 *
 * Dropping rows copies those that stay (take.c) and then moves dictionaries
 * over; on failure the batch is as it was. Places are kept ascending in
 * `dropped`, so that a row's place in its part is found by counting how many
 * dropped rows stand before it.
 */
#include "batch/batch.h"

#include "batch/array.h"
#include <stdio.h>
#include <string.h>

void batch_release(struct batch *batch)
{
    array_release(&batch->array);
    memory_free(NULL, batch->dropped, (size_t)batch->dropped_count * sizeof *batch->dropped);
    memory_free(NULL, batch->numbers, (size_t)batch->rows_offered * sizeof *batch->numbers);
    memset(batch, 0, sizeof *batch);
}

void batch_move(struct batch *from, struct batch *to)
{
    *to = *from;
    memset(from, 0, sizeof *from);
}

int64_t bits_count(const uint8_t *bits, int64_t count)
{
    int64_t ones = 0, bytes = count / 8, i = 0;
    for (; i + 8 <= bytes; i += 8) {
        uint64_t word;
        memcpy(&word, bits + i, sizeof word);
        ones += __builtin_popcountll(word);
    }
    for (; i < bytes; i++)
        ones += __builtin_popcount(bits[i]);
    if (count % 8)
        ones += __builtin_popcount(bits[bytes] & ((1u << (count % 8)) - 1));
    return ones;
}

/* dropped[k] - k is the number of rows that stayed before dropped[k]; the row
 * with index i has passed every dropped row for which that number is <= i. */
int64_t batch_place(const struct batch *batch, int64_t index)
{
    int64_t low = 0, high = batch->dropped_count;
    while (low < high) {
        int64_t middle = (low + high) / 2;
        if (batch->dropped[middle] - batch->first_row - middle <= index)
            low = middle + 1;
        else
            high = middle;
    }
    return batch->first_row + index + low;
}

void batch_row_name(const struct batch *batch, int64_t index, char out[BATCH_ROW_NAME_BYTES])
{
    int64_t offered = batch_place(batch, index) - batch->first_row;
    int64_t number = batch->numbers ? batch->numbers[offered] : batch->number_first + offered;
    out[0] = 0;
    if (batch->number_word)
        (void)snprintf(out, BATCH_ROW_NAME_BYTES, "%s %lld", batch->number_word, (long long)number);
}

int64_t batch_bytes(const struct batch *batch)
{
    int64_t bytes = 0;
    for (int i = 0; batch->array.release && i < batch->schema->count; i++)
        bytes += array_bytes(&batch->schema->fields[i], batch->array.children[i]);
    return bytes;
}

/* The stretches of rows whose bit is not set. */
static enum haul_code kept_runs(const uint8_t *drop, int64_t rows, struct buffer *runs, struct run_list *list,
                                struct haul_error *err)
{
    int64_t i = 0;
    list->count = list->rows = 0;
    while (i < rows) {
        while (i < rows && bit_get(drop, i))
            i++;
        int64_t start = i;
        while (i < rows && !bit_get(drop, i))
            i++;
        struct run run = {start, i - start};
        if (run.count && buffer_append(runs, &run, sizeof run, err))
            return err->code;
        list->count += run.count > 0;
        list->rows += run.count;
    }
    list->runs = (const struct run *)(void *)runs->data;
    return HAUL_OK;
}

/* The old places and the new ones, both ascending, merged. */
static int64_t *merge_places(const struct batch *batch, const uint8_t *drop, int64_t count)
{
    int64_t *places = memory_alloc(NULL, (size_t)count * sizeof *places);
    if (!places)
        return NULL;
    int64_t at = 0, old = 0;
    for (int64_t i = 0; i < batch->array.length; i++) {
        if (!bit_get(drop, i))
            continue;
        int64_t place = batch_place(batch, i);
        while (old < batch->dropped_count && batch->dropped[old] < place)
            places[at++] = batch->dropped[old++];
        places[at++] = place;
    }
    while (old < batch->dropped_count)
        places[at++] = batch->dropped[old++];
    return places;
}

static enum haul_code take_columns(const struct batch *batch, const struct run_list *list,
                                   struct memory *memory, struct ArrowArray *out, struct haul_error *err)
{
    struct ArrowArray made = {0};
    if (array_init(&made, list->rows, 1, batch->schema->count, err))
        return err->code;
    for (int i = 0; i < batch->schema->count; i++)
        if (array_take(&batch->schema->fields[i], batch->array.children[i], list, memory, made.children[i],
                       err)) {
            array_release(&made);
            return err->code;
        }
    *out = made;
    return HAUL_OK;
}

enum haul_code batch_drop_rows(struct batch *batch, const uint8_t *drop, struct memory *memory,
                               struct haul_error *err)
{
    int64_t count = bits_count(drop, batch->array.length);
    if (!count)
        return HAUL_OK;
    struct buffer runs;
    struct run_list list;
    struct ArrowArray kept = {0};
    buffer_init(&runs, memory);
    enum haul_code code = kept_runs(drop, batch->array.length, &runs, &list, err);
    if (!code)
        code = take_columns(batch, &list, memory, &kept, err);
    buffer_release(&runs);
    if (code)
        return code;
    int64_t *places = merge_places(batch, drop, batch->dropped_count + count);
    if (!places) {
        array_release(&kept);
        return error_nomem(err, "the places of dropped rows");
    }
    array_take_dictionaries(&batch->array, &kept);
    array_release(&batch->array);
    batch->array = kept;
    memory_free(NULL, batch->dropped, (size_t)batch->dropped_count * sizeof *batch->dropped);
    batch->dropped = places;
    batch->dropped_count += count;
    return HAUL_OK;
}
