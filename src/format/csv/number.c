/*
 * number.c: the line each row of a batch stands on, so that a row which the target
 * refuses is still named by its line.
 *
 * Mostly each record of a block is one line: then lines follow one another, and
 * a batch needs its first line only. A block with line ends inside quotes is
 * counted record by record; from the first row that breaks the sequence the
 * batch gets a number for each row.
 */
#include "format/csv/reader.h"

#include <assert.h>
#include <string.h>

/* Is each record of the block one line? The last one may lack its line end. */
static bool one_line_each(const struct csv_block *block)
{
    uint64_t records = block->rows + block->misfit_count + block->blanks;
    return !block->comments && (block->lines == records || block->lines + 1 == records);
}

/* From now on each row has its own number. */
static enum haul_code spell_out(struct csv_numbers *numbers, struct haul_error *err)
{
    if (numbers->each.length || numbers->count == 0)
        return HAUL_OK;
    if (buffer_reserve(&numbers->each, (size_t)numbers->count * sizeof(int64_t), err))
        return err->code;
    for (int64_t i = 0; i < numbers->count; i++) {
        int64_t line = numbers->first + i;
        buffer_put(&numbers->each, &line, sizeof line);
    }
    return HAUL_OK;
}

enum haul_code csv_number_run(struct csv_numbers *numbers, uint64_t line, uint64_t count,
                              struct haul_error *err)
{
    const int64_t first = (int64_t)line;
    if (numbers->count == 0)
        numbers->first = first;
    if (numbers->each.length == 0 && first == numbers->first + numbers->count) {
        numbers->count += (int64_t)count;
        return HAUL_OK;
    }
    if (spell_out(numbers, err) || buffer_reserve(&numbers->each, count * sizeof first, err))
        return err->code;
    for (int64_t i = 0; i < (int64_t)count; i++) {
        int64_t each = first + i;
        buffer_put(&numbers->each, &each, sizeof each);
    }
    numbers->count += (int64_t)count;
    return HAUL_OK;
}

/* The record that begins at `start` of the block; starts do not run backwards. */
static enum haul_code number_record(struct csv_reader *reader, size_t start, struct haul_error *err)
{
    struct csv_numbers *numbers = &reader->numbers;
    numbers->line += csv_scan_count_lines(reader->block.data + numbers->at, start - numbers->at);
    numbers->at = start;
    return csv_number_run(numbers, numbers->line, 1, err);
}

enum haul_code csv_number_range(struct csv_reader *reader, const struct csv_range *range,
                                struct haul_error *err)
{
    const struct csv_block *block = &reader->block;
    uint64_t count = range->row_end - range->row + range->misfit_end - range->misfit;
    if (one_line_each(block))
        return csv_number_run(&reader->numbers, reader->numbers.block_line + range->row + range->misfit,
                              count, err);
    size_t row = range->row;
    for (size_t i = range->misfit; i <= range->misfit_end; i++) {
        size_t until = i < range->misfit_end ? block->misfits[i].rows_before : range->row_end;
        for (; row < until; row++)
            if (number_record(reader, block->starts[row], err))
                return err->code;
        if (i < range->misfit_end && number_record(reader, block->misfits[i].start, err))
            return err->code;
    }
    return HAUL_OK;
}

void csv_number_block(struct csv_reader *reader)
{
    reader->numbers.block_line = reader->numbers.line = reader->line;
    reader->numbers.at = 0;
}

enum haul_code csv_number_give(struct csv_numbers *numbers, struct batch *batch, struct haul_error *err)
{
    assert(numbers->count == batch->rows_offered);
    batch->number_word = "line";
    batch->number_first = numbers->first;
    size_t bytes = numbers->each.length;
    if (bytes) {
        batch->numbers = memory_alloc(NULL, bytes);
        if (!batch->numbers)
            return error_nomem(err, "line numbers");
        memcpy(batch->numbers, numbers->each.data, bytes);
    }
    return HAUL_OK;
}

void csv_number_clear(struct csv_numbers *numbers)
{
    buffer_clear(&numbers->each);
    numbers->count = 0;
}
