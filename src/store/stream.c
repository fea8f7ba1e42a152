/*
 * stream.c: an input that comes only once, byte after byte.
 *
 * Choosing a format and sampling types read the start of a file before the rows
 * are read from the start again. A pipe gives its start once, so what was read
 * within the first 4 MiB is kept in `window` (charged to the run's budget) and
 * served from there. The first read beyond the window frees it: from then on
 * bytes go straight to the reader, in rising order without gaps.
 *
 * A pipe may be silent for hours. Each wait is cut into WAIT_MS, after which
 * the cancel signal is looked at.
 */
#include "store/stream.h"

#include <stdlib.h>
#include <string.h>

#define WAIT_MS    50
#define FILL_BYTES ((size_t)64 << 10)

struct stream_input {
    struct input_file input;
    struct file file;
    const struct context *context;
    struct buffer window; /* the first bytes; empty once dropped */
    int64_t position;     /* bytes taken from the file so far */
    bool ended, dropped;
    char name[];
};

static enum haul_code stream_wait(struct stream_input *stream, struct haul_error *err)
{
    for (;;) {
        enum haul_code code = context_check(stream->context, err);
        if (code)
            return code;
        bool ready = false;
        code = file_wait(&stream->file, WAIT_MS, &ready, err);
        if (code || ready)
            return code;
    }
}

/* One read, of at least one byte unless the stream ends. */
static enum haul_code stream_read(struct stream_input *stream, void *data, size_t length, size_t *got,
                                  struct haul_error *err)
{
    *got = 0;
    enum haul_code code = stream_wait(stream, err);
    if (!code)
        code = file_read(&stream->file, data, length, got, err);
    if (code)
        return code;
    stream->position += (int64_t)*got;
    stream->ended = *got == 0;
    return HAUL_OK;
}

static enum haul_code window_fill(struct stream_input *stream, size_t wanted, struct haul_error *err)
{
    size_t step = wanted > FILL_BYTES ? wanted : FILL_BYTES;
    if (step > STREAM_WINDOW_BYTES - stream->window.length)
        step = STREAM_WINDOW_BYTES - stream->window.length;
    enum haul_code code = buffer_reserve(&stream->window, step, err);
    size_t got = 0;
    if (!code)
        code = stream_read(stream, stream->window.data + stream->window.length, step, &got, err);
    if (!code)
        stream->window.length += got;
    return code;
}

static size_t window_serve(const struct stream_input *stream, int64_t offset, void *data, size_t length)
{
    if (offset >= (int64_t)stream->window.length)
        return 0;
    size_t there = stream->window.length - (size_t)offset;
    size_t step = there < length ? there : length;
    memcpy(data, stream->window.data + offset, step);
    return step;
}

/* Bytes at the place where the stream stands: through the window, or past it. */
static enum haul_code stream_advance(struct stream_input *stream, void *data, size_t length, size_t *got,
                                     struct haul_error *err)
{
    *got = 0;
    if (!stream->dropped && stream->window.length < STREAM_WINDOW_BYTES)
        return window_fill(stream, length, err);
    buffer_release(&stream->window);
    stream->dropped = true;
    return stream_read(stream, data, length, got, err);
}

static enum haul_code stream_read_at(struct input_file *file, int64_t offset, void *data, size_t length,
                                     size_t *got, struct haul_error *err)
{
    struct stream_input *stream = (struct stream_input *)file;
    size_t done = 0;
    enum haul_code code = HAUL_OK;
    *got = 0;
    while (done < length) {
        int64_t at = offset + (int64_t)done;
        size_t step = window_serve(stream, at, (uint8_t *)data + done, length - done);
        if (step == 0) {
            if (stream->ended && at >= stream->position)
                break;
            if (at != stream->position)
                return error_set(err, HAUL_UNSUPPORTED,
                                 "%s can be read once only, from start to end; this needs a file",
                                 stream->name);
            code = stream_advance(stream, (uint8_t *)data + done, length - done, &step, err);
        }
        if (code)
            return code;
        done += step;
    }
    *got = done;
    return HAUL_OK;
}

/* Nobody can change what has passed. */
static enum haul_code stream_check(struct input_file *file, struct haul_error *err)
{
    (void)file;
    (void)err;
    return HAUL_OK;
}

static void stream_close(struct input_file *file)
{
    struct stream_input *stream = (struct stream_input *)file;
    buffer_release(&stream->window);
    file_close(&stream->file);
    free(stream);
}

static const struct input_file_ops stream_ops = {
    .read_at = stream_read_at, .check = stream_check, .close = stream_close};

enum haul_code stream_input_open(struct file *file, const char *name, const struct context *context,
                                 struct input_file **input, struct haul_error *err)
{
    size_t name_bytes = strlen(name) + 1;
    struct stream_input *stream = calloc(1, sizeof *stream + name_bytes);
    if (!stream)
        return error_nomem(err, "a stream");
    memcpy(stream->name, name, name_bytes);
    stream->file = *file;
    stream->context = context;
    buffer_init(&stream->window, context->memory);
    stream->input = (struct input_file){.ops = &stream_ops, .name = stream->name, .identity = "", .size = -1};
    *input = &stream->input;
    return HAUL_OK;
}
