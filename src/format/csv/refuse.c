/*
 * refuse.c: rows that cannot be taken: what is said about them, and that they do
 * not come into the batch.
 *
 * Columns are parsed one after another, so refused fields come up column by
 * column; they are put in row order, mixed with the misfits (whose field count is
 * wrong), before the collector hears of them: the first line that is wrong is the
 * first that is named. Lines are counted only from here, once over the block.
 */
#include "format/csv/reader.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define REASON_BYTES 300
#define PLACE_BYTES  32

uint64_t csv_reader_line(struct csv_reader *reader, size_t offset)
{
    reader->line += csv_scan_count_lines(reader->block.data + reader->line_at, offset - reader->line_at);
    reader->line_at = offset;
    return reader->line;
}

enum haul_code csv_refuse_fields(struct csv_reader *reader, const struct csv_range *range, uint32_t column,
                                 struct haul_error *err)
{
    const uint8_t *flags = reader->flags.data;
    for (size_t r = range->row; r < range->row_end; r++) {
        struct csv_failure failure = {(uint32_t)r, column, flags[r - range->row] & CSV_FIELD_REFUSED};
        if (failure.flags && buffer_append(&reader->failures, &failure, sizeof failure, err))
            return err->code;
    }
    return HAUL_OK;
}

static int by_row(const void *a, const void *b)
{
    const struct csv_failure *x = a, *y = b;
    if (x->row != y->row)
        return x->row < y->row ? -1 : 1;
    return (x->column > y->column) - (x->column < y->column);
}

static enum haul_code collect(struct csv_reader *reader, enum haul_code code, struct reject *reject,
                              uint64_t line, struct haul_error *err)
{
    char place[PLACE_BYTES];
    (void)snprintf(place, sizeof place, "line %llu", (unsigned long long)line);
    reject->part = reader->part;
    reject->place = place;
    return collector_reject(reader->context.collector, code, reject, err);
}

static enum haul_code drop_place(struct csv_reader *reader, int64_t place, struct haul_error *err)
{
    return buffer_append(&reader->dropped, &place, sizeof place, err);
}

static enum haul_code refuse_misfit(struct csv_reader *reader, const struct csv_misfit *misfit, int64_t place,
                                    struct haul_error *err)
{
    char reason[REASON_BYTES];
    const struct csv_shape *shape = &reader->input->shape;
    const bool blank = misfit->start == misfit->end;
    if (blank)
        (void)snprintf(reason, sizeof reason, "a blank line among rows of %d fields", shape->schema.count);
    else
        (void)snprintf(reason, sizeof reason, "%u field%s instead of %d", misfit->fields,
                       misfit->fields == 1 ? "" : "s", shape->schema.count);
    struct reject reject = {.row = place,
                            .reason = reason,
                            .value = blank ? NULL : (const char *)reader->block.data + misfit->start,
                            .value_length = misfit->end - misfit->start};
    if (collect(reader, HAUL_DATA, &reject, csv_reader_line(reader, misfit->start), err))
        return err->code;
    return drop_place(reader, place, err);
}

static void explain(const struct csv_reader *reader, const struct csv_failure *failure,
                    char reason[REASON_BYTES])
{
    const struct field *field = &reader->input->schema.fields[failure->column];
    char type[96], name[120];
    if (failure->flags & CSV_FIELD_BAD_QUOTES) {
        (void)snprintf(reason, REASON_BYTES, "text after the closing quote");
        return;
    }
    if (failure->flags & CSV_FIELD_NOT_UTF8) {
        (void)snprintf(reason, REASON_BYTES,
                       "not valid UTF-8; say its encoding, as with --charset windows-1252");
        return;
    }
    field_print_type(field, type, sizeof type);
    csv_schema_print_name(field->name, name, sizeof name);
    if (reader->parsers[failure->column].strict)
        (void)snprintf(reason, REASON_BYTES,
                       "not a %s as the rows that were sampled; read it with --schema %s:utf8", type, name);
    else
        (void)snprintf(reason, REASON_BYTES, "not a value of type %s", type);
}

static enum haul_code set_drop(struct csv_reader *reader, int64_t batch_row, struct haul_error *err)
{
    size_t bytes = (size_t)batch_row / 8 + 1;
    if (reader->drop.length < bytes && buffer_resize(&reader->drop, bytes, err))
        return err->code;
    bit_set(reader->drop.data, batch_row);
    return HAUL_OK;
}

static enum haul_code refuse_field(struct csv_reader *reader, const struct csv_failure *failure,
                                   int64_t place, struct haul_error *err)
{
    char reason[REASON_BYTES];
    const struct csv_input *input = reader->input;
    size_t columns = (size_t)input->shape.schema.count, column = (size_t)input->places[failure->column];
    const uint32_t *ends = reader->block.ends + failure->row * columns;
    size_t start =
        column ? ends[column - 1] + input->scan.delimiter_length : reader->block.starts[failure->row];
    explain(reader, failure, reason);
    struct reject reject = {.row = place,
                            .column = input->schema.fields[failure->column].name,
                            .reason = reason,
                            .value = (const char *)reader->block.data + start,
                            .value_length = ends[column] - start};
    enum haul_code code = failure->flags & CSV_FIELD_NOT_A_VALUE ? HAUL_VALUE : HAUL_DATA;
    return collect(reader, code, &reject, csv_reader_line(reader, reader->block.starts[failure->row]), err);
}

enum haul_code csv_refuse_range(struct csv_reader *reader, const struct csv_range *range, int64_t batch_row,
                                struct haul_error *err)
{
    struct csv_failure *failures = (struct csv_failure *)(void *)reader->failures.data;
    size_t count = reader->failures.length / sizeof *failures, m = range->misfit, f = 0;
    const struct csv_misfit *misfits = reader->block.misfits;
    int64_t base = reader->row - (int64_t)(range->row + range->misfit);
    if (count)
        qsort(failures, count, sizeof *failures, by_row);
    while (m < range->misfit_end || f < count) {
        if (f == count || (m < range->misfit_end && misfits[m].rows_before <= failures[f].row)) {
            if (refuse_misfit(reader, &misfits[m], base + misfits[m].rows_before + (int64_t)m, err))
                return err->code;
            m++;
            continue;
        }
        uint32_t row = failures[f].row;
        if (refuse_field(reader, &failures[f], base + row + (int64_t)m, err) ||
            set_drop(reader, batch_row + (int64_t)(row - range->row), err))
            return err->code;
        while (f < count && failures[f].row == row)
            f++;
    }
    buffer_clear(&reader->failures);
    return HAUL_OK;
}

enum haul_code csv_refuse_blanks(struct csv_reader *reader, uint64_t count, struct haul_error *err)
{
    char reason[REASON_BYTES];
    (void)snprintf(reason, sizeof reason, "a blank line among rows of %d fields",
                   reader->input->shape.schema.count);
    for (uint64_t i = 0; i < count; i++) {
        struct reject reject = {.row = reader->row, .reason = reason};
        if (collect(reader, HAUL_DATA, &reject, reader->due.line, err) ||
            drop_place(reader, reader->row, err))
            return err->code;
        reader->due.line++;
        reader->due.count--;
        reader->row++;
    }
    return HAUL_OK;
}
