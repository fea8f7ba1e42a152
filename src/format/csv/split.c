/*
 * split.c: parts by byte ranges that never cut a record.
 *
 * Only a run over all bytes before it tells whether a byte is inside quotes, so
 * the file is scanned once from its first row, for record ends alone (a fraction
 * of what parsing costs), by two threads (stretch.h); rows and lines are counted on the way. A part ends
 * behind a record that is not blank: blank lines belong to what follows them,
 * and those at the end of the file to nothing.
 */
#include "format/csv/stretch.h"

#include "format/csv/block.h"
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

struct csv_split {
    struct csv_stretch now;  /* its window and record ends */
    struct csv_ahead *ahead; /* who looks at the next; NULL: nobody */
    size_t next;             /* record of the window that comes next */
    int64_t start;           /* offset where it starts, maybe before the window */
    uint64_t start_line;     /* of the last part's end */
    size_t counted;          /* bytes of the window that `line` has counted */
    uint64_t line;           /* at `counted` */
    bool comment;            /* the record that `start` begins is one, when it begins before the window */
    bool after_cr;           /* the byte before the window was a CR */
    int64_t row;             /* rows in parts so far */
    int64_t from;            /* offset where the next part begins */
    bool any, done;
};

void csv_part_print(const struct csv_part *part, char out[CSV_PART_SPEC_BYTES])
{
    if (part->to < 0)
        (void)snprintf(out, CSV_PART_SPEC_BYTES, "all");
    else
        (void)snprintf(out, CSV_PART_SPEC_BYTES,
                       "bytes %" PRId64 "-%" PRId64 " line %" PRIu64 " row %" PRId64, part->from, part->to,
                       part->line, part->row);
}

enum haul_code csv_part_parse(const struct csv_input *input, const char *spec, struct csv_part *part,
                              struct haul_error *err)
{
    const struct csv_shape *shape = &input->shape;
    int64_t size = input->bytes.file->size;
    *part = (struct csv_part){shape->rows_at, -1, shape->rows_line, 0};
    if (!spec || strcmp(spec, "all") == 0)
        return HAUL_OK;
    int used = -1;
    if (sscanf(spec, "bytes %" SCNd64 "-%" SCNd64 " line %" SCNu64 " row %" SCNd64 "%n", &part->from,
               &part->to, &part->line, &part->row, &used) != 4 ||
        used < 0 || spec[used])
        return error_set(err, HAUL_DATA, "'%.100s' is no part of a CSV file", spec);
    if (part->from < shape->rows_at || part->to < part->from || part->to > size || part->row < 0)
        return error_set(err, HAUL_CHANGED,
                         "the part '%.100s' is not in this file of %lld bytes: it is another file", spec,
                         (long long)size);
    return HAUL_OK;
}

void csv_split_free(struct csv_split *split)
{
    if (!split)
        return;
    csv_ahead_free(split->ahead);
    csv_stretch_release(&split->now);
    memory_free(NULL, split, sizeof *split);
}

static enum haul_code split_new(struct csv_input *input, struct haul_error *err)
{
    struct csv_split *split = memory_alloc(NULL, sizeof *split);
    if (!split)
        return error_nomem(err, "a split");
    memset(split, 0, sizeof *split);
    input->split = split;
    split->from = input->shape.rows_at;
    split->start = split->from;
    split->line = input->shape.rows_line;
    return csv_stretch_init(&split->now, input, split->from, err);
}

/* The line of a byte of the window; offsets must not run backwards. */
static uint64_t line_of(struct csv_split *split, size_t offset)
{
    const uint8_t *data = split->now.window.bytes.data;
    if (offset <= split->counted)
        return split->line;
    bool half = split->counted == 0 && split->after_cr && data[0] == '\n';
    split->line += csv_scan_count_lines(data + split->counted, offset - split->counted) - half;
    split->counted = offset;
    return split->line;
}

static enum haul_code not_closed(struct csv_split *split, int64_t record, struct haul_error *err)
{
    return error_set(err, HAUL_DATA,
                     "line %llu or below: a quoted field is not closed before the end of the file, in the "
                     "record that begins at "
                     "byte %lld; --quote none reads quotes as text",
                     (unsigned long long)split->start_line, (long long)record);
}

/* The last record may have no line end. */
static enum haul_code close_file(struct csv_split *split, struct haul_error *err)
{
    struct csv_marks *marks = &split->now.marks;
    int64_t end = split->now.window.at + (int64_t)split->now.window.bytes.length, last = split->start;
    if (marks->record_count) {
        size_t stop = marks->records[marks->record_count - 1];
        last = split->now.window.at +
               (int64_t)csv_next_record(split->now.window.bytes.data, split->now.window.bytes.length, stop);
    }
    if (marks->quoted)
        return not_closed(split, last, err);
    if (last < end)
        marks->records[marks->record_count++] = (uint32_t)split->now.window.bytes.length;
    return HAUL_OK;
}

/* Is the record that `start` begins a comment? */
static bool begins_comment(const struct csv_input *input, const struct csv_split *split)
{
    int64_t at = split->start - split->now.window.at;
    if (input->scan.comment < 0)
        return false;
    if (at < 0)
        return split->comment;
    return at < (int64_t)split->now.window.bytes.length &&
           split->now.window.bytes.data[at] == input->scan.comment;
}

/* The records of the next window; done behind the last one. */
static enum haul_code scan_more(struct csv_input *input, struct haul_error *err)
{
    struct csv_split *split = input->split;
    struct window *window = &split->now.window;
    struct csv_marks *marks = &split->now.marks;
    size_t drop = marks->reached;
    if (window->final && drop == window->bytes.length) {
        split->done = true;
        return HAUL_OK;
    }
    split->line = split->counted ? line_of(split, drop) : split->line + marks->lines;
    split->counted = split->counted > drop ? split->counted - drop : 0;
    split->after_cr = split->now.state.line_cr;
    if (split->start < window->at + (int64_t)drop)
        split->comment = begins_comment(input, split);
    split->next = 0;
    if (context_check(&input->context, err))
        return err->code;
    bool there = window->at + (int64_t)drop == csv_ahead_from(split->ahead);
    if (!there || !csv_ahead_take(split->ahead, &split->now)) {
        csv_ahead_begin(split->ahead, &split->now);
        if (csv_stretch_scan(&split->now, input, csv_ahead_from(split->ahead), err))
            return err->code;
    }
    return window->final && !marks->full ? close_file(split, err) : HAUL_OK;
}

/* Takes records into the part until it is full. *rows and *end (of the last
 * record that is not blank) grow. */
static bool take_records(struct csv_input *input, const struct split_request *request, int64_t *rows,
                         int64_t *blanks, int64_t *end)
{
    struct csv_split *split = input->split;
    const struct window *window = &split->now.window;
    const bool blank_counts = input->shape.schema.count == 1;
    while (split->next < split->now.marks.record_count) {
        size_t stop = split->now.marks.records[split->next++];
        bool blank = window->at + (int64_t)stop == split->start && !blank_counts;
        bool comment = begins_comment(input, split) && window->at + (int64_t)stop > split->start;
        split->start = window->at + (int64_t)csv_next_record(window->bytes.data, window->bytes.length, stop);
        *blanks += blank && input->scan.comment < 0;
        if (blank || comment)
            continue;
        *rows += *blanks + 1;
        *blanks = 0;
        *end = split->start;
        if ((request->part_rows > 0 && *rows >= request->part_rows) ||
            (request->part_bytes > 0 && *end - split->from >= request->part_bytes))
            return true;
    }
    return false;
}

static enum haul_code print_part(const struct csv_part *spec, struct arena *arena, struct part *part,
                                 struct haul_error *err)
{
    char text[CSV_PART_SPEC_BYTES];
    csv_part_print(spec, text);
    part->spec = arena_text(arena, text);
    return part->spec ? HAUL_OK : error_nomem(err, "a part");
}

/* A stream is one part. */
static enum haul_code split_stream(struct csv_input *input, struct arena *arena, struct part *part,
                                   bool *more, struct haul_error *err)
{
    const struct csv_part all = {.to = -1};
    *more = !input->split;
    if (!*more)
        return HAUL_OK;
    part->rows = part->bytes = -1;
    return split_new(input, err) ? err->code : print_part(&all, arena, part, err);
}

static enum haul_code split_file(struct csv_input *input, const struct split_request *request,
                                 struct arena *arena, struct part *part, bool *more, struct haul_error *err)
{
    struct csv_split *split = input->split;
    int64_t rows = 0, blanks = 0, end = split->from;
    bool full = false;
    if (split->start > split->now.window.at)
        (void)line_of(split, (size_t)(split->start - split->now.window.at));
    const uint64_t line = split->start_line = split->line;
    while (!full && !split->done) {
        full = take_records(input, request, &rows, &blanks, &end);
        if (!full && scan_more(input, err))
            return err->code;
    }
    *more = rows > 0 || !split->any;
    if (!*more) {
        csv_ahead_free(split->ahead); /* what comes now is reading */
        split->ahead = NULL;
        csv_stretch_release(&split->now);
        return HAUL_OK;
    }
    const struct csv_part spec = {split->from, end, line, split->row};
    part->rows = rows;
    part->bytes = end - split->from;
    split->any = true;
    split->row += rows;
    split->from = end;
    return print_part(&spec, arena, part, err);
}

enum haul_code csv_input_split(struct format_input *base, const struct split_request *request,
                               struct arena *arena, struct part *part, bool *more, struct haul_error *err)
{
    struct csv_input *input = (struct csv_input *)(void *)base;
    if (input->bytes.file->size < 0)
        return split_stream(input, arena, part, more, err);
    if (!input->split) {
        if (split_new(input, err))
            return err->code;
        input->split->ahead = request->threads > 1 ? csv_ahead_new(input) : NULL;
    }
    return split_file(input, request, arena, part, more, err);
}
