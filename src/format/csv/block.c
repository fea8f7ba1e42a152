/*
 * block.c: marks into rows. The usual block has only rows: then arranging is one
 * look at each record. Misfits are squeezed out of the matrix in the same pass,
 * so a file of nothing but misfits costs no more.
 *
 * Room for marks begins small and doubles only while not even one record fits:
 * a block of separators alone is taken in several steps instead of needing four
 * times its size.
 */
#include "format/csv/block.h"

#include "base/unicode.h"
#include <string.h>

#define MARKS_FIRST ((size_t)64 << 10)

void csv_block_init(struct csv_block *block, struct memory *memory)
{
    memset(block, 0, sizeof *block);
    buffer_init(&block->end_buffer, memory);
    buffer_init(&block->record_buffer, memory);
    buffer_init(&block->start_buffer, memory);
    buffer_init(&block->misfit_buffer, memory);
}

void csv_block_release(struct csv_block *block)
{
    buffer_release(&block->end_buffer);
    buffer_release(&block->record_buffer);
    buffer_release(&block->start_buffer);
    buffer_release(&block->misfit_buffer);
    memset(block, 0, sizeof *block);
}

static enum haul_code make_room(struct csv_block *block, size_t capacity, struct haul_error *err)
{
    buffer_clear(&block->end_buffer);
    buffer_clear(&block->record_buffer);
    if (buffer_reserve(&block->end_buffer, capacity * sizeof(uint32_t), err) ||
        buffer_reserve(&block->record_buffer, capacity * sizeof(uint32_t), err))
        return err->code;
    block->capacity = capacity;
    return HAUL_OK;
}

static enum haul_code scan_marks(struct csv_block *block, const struct csv_scan *scan,
                                 const struct csv_text *text, struct csv_marks *marks, struct haul_error *err)
{
    for (size_t capacity = block->capacity ? block->capacity : MARKS_FIRST;; capacity *= 2) {
        if (capacity > block->capacity && make_room(block, capacity, err))
            return err->code;
        marks->ends = (uint32_t *)(void *)block->end_buffer.data;
        marks->records = (uint32_t *)(void *)block->record_buffer.data;
        marks->capacity = capacity;
        csv_scan_run(scan, text->data, text->length, text->final, marks);
        if (marks->record_count || !marks->full)
            return HAUL_OK;
    }
}

static enum haul_code add_misfit(struct csv_block *block, const struct csv_misfit *misfit,
                                 struct haul_error *err)
{
    if (buffer_append(&block->misfit_buffer, misfit, sizeof *misfit, err))
        return err->code;
    block->misfit_count++;
    return HAUL_OK;
}

/* In files with comments blank lines are left out like them, unless they are rows. */
static bool is_comment(const struct csv_block *block, size_t columns, size_t start, size_t end)
{
    return start < end ? block->data[start] == block->comment : columns != 1;
}

/* Rows to the front of `ends`, their starts noted, the others put aside. */
static enum haul_code arrange(struct csv_block *block, const struct csv_marks *marks, size_t columns,
                              size_t length, struct haul_error *err)
{
    uint32_t *starts = block->starts, *ends = marks->ends;
    size_t first = 0, start = 0, rows = 0;
    for (size_t i = 0; i < marks->record_count; i++) {
        size_t last = marks->records[i], fields = last - first, end = ends[last - 1];
        if (block->comment >= 0 && is_comment(block, columns, start, end)) {
            block->comments++;
        } else if (fields == columns) {
            if (rows * columns != first)
                memmove(ends + rows * columns, ends + first, columns * sizeof *ends);
            starts[rows++] = (uint32_t)start;
        } else {
            struct csv_misfit misfit = {(uint32_t)start, (uint32_t)end, (uint32_t)fields, (uint32_t)rows};
            if (add_misfit(block, &misfit, err))
                return err->code;
        }
        start = csv_next_record(block->data, length, end);
        first = last;
    }
    block->rows = rows;
    block->ends = ends;
    return HAUL_OK;
}

/* Blank misfits behind the last row are left out. */
static void trim_blanks(struct csv_block *block)
{
    while (block->misfit_count) {
        const struct csv_misfit *last = &block->misfits[block->misfit_count - 1];
        if (last->start != last->end || last->rows_before != block->rows)
            return;
        block->blank_start = last->start;
        block->blanks++;
        block->misfit_count--;
    }
}

/* A field of valid text is valid when every cut falls between characters: the
 * delimiter is whole characters itself. */
static bool cuts_characters(const struct csv_scan *scan)
{
    return !unicode_is_valid(scan->delimiter, scan->delimiter_length);
}

enum haul_code csv_block_scan(struct csv_block *block, const struct csv_scan *scan, size_t columns,
                              const struct csv_text *text, struct haul_error *err)
{
    struct csv_marks marks = {0};
    block->rows = block->misfit_count = block->blanks = block->comments = 0;
    block->comment = scan->comment;
    buffer_clear(&block->start_buffer);
    buffer_clear(&block->misfit_buffer);
    if (scan_marks(block, scan, text, &marks, err) ||
        buffer_reserve(&block->start_buffer, marks.record_count * sizeof(uint32_t), err))
        return err->code;
    block->data = text->data;
    block->bytes = marks.complete;
    block->lines = marks.lines;
    block->quoted = marks.quoted;
    block->quote_at = marks.quote_at;
    block->starts = (uint32_t *)(void *)block->start_buffer.data;
    if (arrange(block, &marks, columns, text->length, err))
        return err->code;
    block->misfits = (struct csv_misfit *)(void *)block->misfit_buffer.data;
    trim_blanks(block);
    block->utf8 = (marks.ascii || unicode_is_valid(block->data, block->bytes)) && !cuts_characters(scan);
    return HAUL_OK;
}
