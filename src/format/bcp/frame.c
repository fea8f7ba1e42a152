/*
 * frame.c: prefixes, fixed sizes and terminators.
 *
 * A row that is not complete in the window is begun again when there is more of it.
 * Lengths come from the file: each is compared with what is left of the window
 * before it is believed, and one that no file can hold is said to be wrong at once,
 * so a prefix that lies costs no memory.
 */
#include "format/bcp/frame.h"

#include <string.h>

#define VALUE_MAX (UINT32_MAX - 2)

enum haul_code bcp_frame_init(struct bcp_frame *frame, const struct bcp_layout *layout, struct arena *arena,
                              struct haul_error *err)
{
    frame->fields = arena_alloc_array(arena, (size_t)layout->count, sizeof *frame->fields);
    if (!frame->fields)
        return error_nomem(err, "the fields of a file");
    frame->count = layout->count;
    for (int i = 0; i < layout->count; i++) {
        const struct bcp_field *from = &layout->fields[i];
        struct bcp_frame_field *to = &frame->fields[i];
        to->prefix = (uint32_t)from->prefix;
        to->text = bcp_host_is_text(from->host) || from->host == HOST_BINARY;
        to->end = from->end;
        to->end_length = from->end_length;
        to->wide = from->host == HOST_NCHAR;
        if (!from->prefix)
            to->fixed = bcp_hosts[from->host].bytes ? bcp_hosts[from->host].bytes
                        : from->end_length          ? 0
                                                    : from->length;
    }
    const struct bcp_frame_field *last = &frame->fields[frame->count - 1];
    frame->ends_open = !last->prefix && !last->fixed && last->end_length;
    return HAUL_OK;
}

/* ---- terminators ---- */

/* Where the terminator begins in [at, end); NULL: nowhere. */
static const uint8_t *find_end(const struct bcp_frame_field *field, const uint8_t *at, const uint8_t *end)
{
    const uint8_t *from = at;
    while ((size_t)(end - at) >= field->end_length) {
        const uint8_t *found = field->end_length == 1
                                   ? memchr(at, field->end[0], (size_t)(end - at))
                                   : memmem(at, (size_t)(end - at), field->end, field->end_length);
        if (!found || !field->wide || (found - from) % 2 == 0)
            return found;
        at = found + 1; /* between two halves of characters */
    }
    return NULL;
}

/* ---- fields ---- */

struct place {
    const uint8_t *data, *at, *end;
    struct bcp_run *run;
};

static enum bcp_framed bad(struct place *place, const char *why)
{
    place->run->why = why;
    return FRAMED_BAD;
}

static enum bcp_framed take_data(struct place *place, const struct bcp_frame_field *field, uint64_t length,
                                 struct bcp_span *span)
{
    if ((uint64_t)(place->end - place->at) < length)
        return FRAMED_MORE;
    *span = (struct bcp_span){(uint32_t)(place->at - place->data), (uint32_t)length};
    if (field->end_length && field->text) { /* the fewer bytes win */
        const uint8_t *limit = place->at + length;
        const uint8_t *found = find_end(field, place->at, limit);
        span->length = found ? (uint32_t)(found - place->at) : span->length;
    }
    place->at += span->length;
    return FRAMED_ALL;
}

static enum bcp_framed take_chunks(struct place *place, struct bcp_span *span)
{
    uint32_t size = 1;
    *span = (struct bcp_span){(uint32_t)(place->at - place->data), SPAN_CHUNKED};
    while (size) {
        if (place->end - place->at < 4)
            return FRAMED_MORE;
        memcpy(&size, place->at, sizeof size);
        if (size > (uint32_t)INT32_MAX)
            return bad(place, "a chunk of more than 2 GiB: this is no native file of that layout");
        if ((size_t)(place->end - place->at) < (size_t)size + 4)
            return FRAMED_MORE;
        place->at += (size_t)size + 4;
    }
    return FRAMED_ALL;
}

static enum bcp_framed take_prefixed(struct place *place, const struct bcp_frame_field *field,
                                     struct bcp_span *span)
{
    uint64_t length = 0;
    const unsigned bits = field->prefix * 8;
    if ((size_t)(place->end - place->at) < field->prefix)
        return FRAMED_MORE;
    memcpy(&length, place->at, field->prefix);
    place->at += field->prefix;
    if (length == (bits == 64 ? UINT64_MAX : ((uint64_t)1 << bits) - 1)) {
        *span = (struct bcp_span){(uint32_t)(place->at - place->data), SPAN_NULL};
        return FRAMED_ALL;
    }
    if (field->prefix == 8 && length == UINT64_MAX - 1)
        return take_chunks(place, span);
    if (length > (uint64_t)INT32_MAX)
        return bad(place, "a length of more than 2 GiB stands before it: this is no file of that layout");
    return take_data(place, field, length, span);
}

static enum bcp_framed take_ended(struct place *place, const struct bcp_frame_field *field, bool open,
                                  struct bcp_span *span)
{
    const uint8_t *found = find_end(field, place->at, place->end);
    if (!found && !open)
        return FRAMED_MORE;
    const uint8_t *stop = found ? found : place->end;
    if ((size_t)(stop - place->at) > VALUE_MAX)
        return bad(place, "more than 4 GiB");
    *span = (struct bcp_span){(uint32_t)(place->at - place->data), (uint32_t)(stop - place->at)};
    place->at = found ? found + field->end_length : stop;
    return FRAMED_ALL;
}

static enum bcp_framed take_field(struct place *place, const struct bcp_frame_field *field, bool open,
                                  struct bcp_span *span)
{
    enum bcp_framed state;
    if (!field->prefix && !field->fixed)
        return take_ended(place, field, open, span);
    state = field->prefix ? take_prefixed(place, field, span) : take_data(place, field, field->fixed, span);
    if (state || !field->end_length)
        return state;
    if ((size_t)(place->end - place->at) < field->end_length)
        return FRAMED_MORE;
    if (memcmp(place->at, field->end, field->end_length) != 0)
        return bad(place, "its terminator does not follow");
    place->at += field->end_length;
    return FRAMED_ALL;
}

/* ---- rows ---- */

/* The last row may lack its terminator; one whose only or last field is empty then
 * is none, as in bcp. */
static bool may_end_open(const struct bcp_frame *frame, const struct place *place, int field)
{
    return place->run->final && frame->ends_open && field + 1 == frame->count && place->at < place->end;
}

void bcp_frame_run(const struct bcp_frame *frame, struct bcp_run *run)
{
    struct place place = {run->data, run->data, run->data + run->length, run};
    struct bcp_span *span = run->spans;
    run->rows = run->bytes = 0;
    run->state = FRAMED_ALL;
    run->field = 0;
    run->why = NULL;
    while (run->rows < run->rows_max && place.at < place.end) {
        for (int i = 0; i < frame->count; i++) {
            run->state = take_field(&place, &frame->fields[i], may_end_open(frame, &place, i), &span[i]);
            if (run->state) {
                run->field = i;
                return;
            }
        }
        span += frame->count;
        run->rows++;
        run->bytes = (size_t)(place.at - run->data);
    }
}
