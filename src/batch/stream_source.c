/*
 * stream_source.c: the push and pull ends meet here: the transfer pulls, the
 * stream's owner answers. A foreign batch may be larger than asked for; it is
 * imported whole when it fits rows_max and cut by moving its offset otherwise
 * (import makes offsets 0 by copying).
 */
#include "batch/stream_source.h"
#include "batch/stream.h"
#include <stdlib.h>

struct stream_source {
    struct source source;
    struct ArrowArrayStream stream;
    struct import *import;
    bool opened;
};

struct stream_reader {
    struct reader reader;
    struct stream_source *owner;
    const struct context *context;
    struct ArrowArray pending; /* what is left of a foreign batch that was too large */
    int64_t row;
    bool ended;
};

static enum haul_code stream_failed(struct stream_source *self, const char *what, int errnum, struct haul_error *err)
{
    const char *text = self->stream.get_last_error ? self->stream.get_last_error(&self->stream) : NULL;
    return error_set(err, HAUL_DATA, "the Arrow stream failed at its %s (%d)%s%s", what, errnum, text ? ": " : "",
                     text ? text : "");
}

static enum haul_code describe(struct source *source, struct source_info *info, struct haul_error *err)
{
    struct stream_source *self = (struct stream_source *)source;
    info->rows = info->bytes = -1;
    info->order_fixed = true;
    info->splits_max = 1;
    info->table = "stream";
    info->identity = "";
    info->consistency = "none";
    return schema_copy(import_schema(self->import), &info->schema, err);
}

/* Owners of a borrowed slice: the slice points into `pending`, copied by import. */
static void release_slice(struct ArrowArray *array)
{
    array->release = NULL;
}

/* The first rows_max rows of `pending` as a batch of ours. */
static enum haul_code take_slice(struct stream_reader *self, int64_t rows_max, struct batch *batch,
                                 struct haul_error *err)
{
    struct ArrowArray slice = self->pending;
    slice.length = rows_max;
    slice.null_count = -1;
    slice.release = release_slice;
    slice.private_data = NULL;
    if (import_copy(self->owner->import, self->context, &slice, batch, err))
        return err->code;
    self->pending.offset += rows_max;
    self->pending.length -= rows_max;
    return HAUL_OK;
}

static enum haul_code fetch(struct stream_reader *self, struct haul_error *err)
{
    struct stream_source *owner = self->owner;
    int errnum = owner->stream.get_next(&owner->stream, &self->pending);
    if (errnum)
        return stream_failed(owner, "next batch", errnum, err);
    self->ended = self->pending.release == NULL;
    return HAUL_OK;
}

static enum haul_code stream_next(struct reader *reader, int64_t rows_max, struct batch *batch, bool *end,
                                  struct haul_error *err)
{
    struct stream_reader *self = (struct stream_reader *)reader;
    enum haul_code code = HAUL_OK;
    if (rows_max > BATCH_ROWS_MAX)
        rows_max = BATCH_ROWS_MAX;
    if (context_check(self->context, err))
        return err->code;
    if (!self->pending.release && !self->ended && fetch(self, err))
        return err->code;
    *end = self->ended;
    if (self->ended)
        return HAUL_OK;
    if (self->pending.length > rows_max)
        code = take_slice(self, rows_max, batch, err);
    else
        code = import_array(self->owner->import, self->context, &self->pending, batch, err);
    if (code)
        return code;
    batch->first_row = self->row;
    batch->rows_offered = batch->array.length;
    self->row += batch->array.length;
    return HAUL_OK;
}

static void stream_reader_close(struct reader *reader)
{
    struct stream_reader *self = (struct stream_reader *)reader;
    if (self->pending.release)
        self->pending.release(&self->pending);
    free(self);
}

static const struct reader_ops reader_ops = {.next = stream_next, .close = stream_reader_close};

static enum haul_code stream_open(struct source *source, const struct context *context, const struct part *part,
                                  int64_t first_row, struct reader **reader, struct haul_error *err)
{
    struct stream_source *self = (struct stream_source *)source;
    (void)part;
    if (self->opened || first_row != 0)
        return error_set(err, HAUL_UNSUPPORTED, "an Arrow stream can be read once only");
    struct stream_reader *made = calloc(1, sizeof *made);
    if (!made)
        return error_nomem(err, "a stream reader");
    made->reader.ops = &reader_ops;
    made->owner = self;
    made->context = context;
    self->opened = true;
    *reader = &made->reader;
    return HAUL_OK;
}

static void stream_close(struct source *source)
{
    struct stream_source *self = (struct stream_source *)source;
    import_close(self->import);
    if (self->stream.release)
        self->stream.release(&self->stream);
    free(self);
}

static const struct source_ops source_ops = {
    .name = "stream", .describe = describe, .open = stream_open, .close = stream_close};

enum haul_code stream_source_open(struct ArrowArrayStream *stream, const struct context *context,
                                  struct source **source, struct haul_error *err)
{
    struct ArrowSchema schema = {0};
    struct stream_source *self = calloc(1, sizeof *self);
    (void)context;
    if (!self) {
        stream->release(stream);
        stream->release = NULL;
        return error_nomem(err, "a stream");
    }
    self->source.ops = &source_ops;
    self->stream = *stream;
    stream->release = NULL;
    int errnum = self->stream.get_schema(&self->stream, &schema);
    enum haul_code code = errnum ? stream_failed(self, "schema", errnum, err) : import_open(&schema, &self->import, err);
    if (schema.release)
        schema.release(&schema);
    if (code) {
        stream_close(&self->source);
        return code;
    }
    *source = &self->source;
    return HAUL_OK;
}
