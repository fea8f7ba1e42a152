/*
 * split.c: a data file in parts, one for each of --parallel's connections.
 *
 * A terminator may stand in the text of a field before, so only who reads from the
 * start knows where a row begins: the file is framed once for its cuts, which is a
 * small part of reading it. Without --parallel there is one part, because a batch
 * does not go beyond its part, and bcp's batches go on from the first row to the last.
 */
#include "format/bcp/input.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define SPANS     65536
#define ROWS      1024
#define PARTS_MAX 64

struct cutter {
    struct bcp_input *input;
    struct file_bytes bytes;
    struct window window;
    struct buffer spans;
    struct bcp_place at;
    bool begun;
};

/* Frames a block. *end: there are no more rows that are whole; what stops them is for the reader to say. */
static enum haul_code next_block(struct cutter *cutter, bool *end, struct haul_error *err)
{
    struct window *window = &cutter->window;
    const struct bcp_frame *frame = &cutter->input->frame;
    const size_t fields = (size_t)frame->count;
    for (size_t want = cutter->input->window_bytes; want; want = window_grow(want, window->bytes_max)) {
        const size_t least = cutter->begun || want > BCP_MARK_BYTES ? want : BCP_MARK_BYTES;
        size_t mark = 0;
        if (context_check(&cutter->input->context, err) ||
            window_fill(window, (size_t)(cutter->at.byte - window->at), least, err))
            return err->code;
        if (!cutter->begun)
            mark = bcp_mark_bytes(cutter->input, window->bytes.data, window->bytes.length);
        struct bcp_run run = {.data = window->bytes.data + mark,
                              .length = window->bytes.length - mark,
                              .final = window->final,
                              .spans = (struct bcp_span *)(void *)cutter->spans.data,
                              .rows_max = SPANS / fields < ROWS ? SPANS / fields : ROWS};
        bcp_frame_run(frame, &run);
        cutter->begun = cutter->begun || run.rows;
        cutter->at.byte += run.rows ? (int64_t)(mark + run.bytes) : 0;
        cutter->at.row += (int64_t)run.rows;
        *end = !run.rows && (window->final || run.state == FRAMED_BAD);
        if (run.rows || *end)
            return HAUL_OK;
    }
    *end = true;
    return HAUL_OK;
}

static enum haul_code find_cuts(struct cutter *cutter, int64_t part_bytes, struct haul_error *err)
{
    struct bcp_input *input = cutter->input;
    bool end = false;
    while (!end && input->cut_count < PARTS_MAX) {
        if (next_block(cutter, &end, err))
            return err->code;
        const bool last = cutter->at.byte >= input->file->size;
        if (!end && !last && cutter->at.byte - input->cuts[input->cut_count - 1].byte >= part_bytes)
            input->cuts[input->cut_count++] = cutter->at;
    }
    return HAUL_OK;
}

/* Where each part begins. */
static enum haul_code make_cuts(struct bcp_input *input, struct haul_error *err)
{
    struct cutter cutter = {.input = input, .bytes = {.file = input->file}};
    const int64_t size = input->file->size, aim = size / input->options.parallel + 1;
    input->cuts = arena_alloc_array(&input->arena, PARTS_MAX, sizeof *input->cuts);
    if (!input->cuts)
        return error_nomem(err, "the parts of a file");
    input->cuts[0] = (struct bcp_place){0};
    input->cut_count = 1;
    if (!bcp_can_split(input))
        return HAUL_OK;
    buffer_init(&cutter.bytes.head, NULL);
    buffer_init(&cutter.spans, input->context.memory);
    window_init(&cutter.window, &cutter.bytes, 0, -1, input->context.memory);
    enum haul_code code = buffer_reserve(&cutter.spans, SPANS * sizeof(struct bcp_span), err);
    if (!code)
        code = find_cuts(&cutter, aim > input->part_bytes ? aim : input->part_bytes, err);
    window_release(&cutter.window);
    buffer_release(&cutter.spans);
    return code;
}

bool bcp_can_split(const struct bcp_input *input)
{
    return input->options.parallel > 1 && input->packing == PACKING_NONE && input->file->size >= 0;
}

enum haul_code bcp_input_split(struct format_input *base, const struct split_request *request,
                               struct arena *arena, struct part *part, bool *more, struct haul_error *err)
{
    struct bcp_input *input = (struct bcp_input *)(void *)base;
    (void)request;
    if (!input->cuts && make_cuts(input, err))
        return err->code;
    *more = input->cut_next < input->cut_count;
    if (!*more)
        return HAUL_OK;
    const struct bcp_place from = input->cuts[input->cut_next++];
    const int64_t to =
        input->cut_next < input->cut_count ? input->cuts[input->cut_next].byte : input->file->size;
    part->rows = -1;
    part->bytes = to < 0 ? to : to - from.byte;
    part->spec = input->cut_count == 1 ? arena_text(arena, "all")
                                       : arena_printf(arena, "bytes %" PRId64 "-%" PRId64 " row %" PRId64,
                                                      from.byte, to, from.row);
    return part->spec ? HAUL_OK : error_nomem(err, "a part");
}

enum haul_code bcp_part_read(const struct bcp_input *input, const char *spec, struct bcp_place *from,
                             int64_t *to, struct haul_error *err)
{
    int length = 0;
    *from = (struct bcp_place){0};
    *to = -1;
    if (strcmp(spec, "all") == 0)
        return HAUL_OK;
    if (sscanf(spec, "bytes %" SCNd64 "-%" SCNd64 " row %" SCNd64 "%n", &from->byte, to, &from->row,
               &length) != 3 ||
        spec[length] || from->byte < 0 || *to < from->byte || *to > input->file->size || from->row < 0)
        return error_set(err, HAUL_INTEGRITY, "a plan's part \"%.60s\" is not one of this file", spec);
    return HAUL_OK;
}
