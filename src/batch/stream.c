/*
 * stream.c: a pull function of ours as an ArrowArrayStream.
 *
 * The stream keeps its own copy of the schema and its last error. After an
 * error, and after the end, it stays there: get_next gives the same answer
 * again. Batches without rows (all rejected) are passed over, since consumers
 * need not expect them. errno values follow from the kind of error.
 */
#include "batch/stream.h"

#include "batch/array.h"
#include <errno.h>
#include <string.h>

struct exporter {
    struct schema schema;
    stream_next_fn next;
    stream_close_fn close;
    void *user;
    bool ended;
    struct haul_error error;
};

static int to_errno(enum haul_code code)
{
    switch (code) {
    case HAUL_OK:
        return 0;
    case HAUL_NOMEM:
    case HAUL_LIMIT:
        return ENOMEM;
    case HAUL_CANCELLED:
        return ECANCELED;
    case HAUL_DATA:
    case HAUL_VALUE:
    case HAUL_USAGE:
        return EINVAL;
    case HAUL_UNSUPPORTED:
        return ENOSYS;
    default:
        return EIO;
    }
}

static int get_schema(struct ArrowArrayStream *stream, struct ArrowSchema *out)
{
    struct exporter *self = stream->private_data;
    struct haul_error err = {0};
    enum haul_code code = schema_export(&self->schema, out, &err);
    if (code)
        self->error = err;
    return to_errno(code);
}

static int get_next(struct ArrowArrayStream *stream, struct ArrowArray *out)
{
    struct exporter *self = stream->private_data;
    memset(out, 0, sizeof *out);
    if (self->error.code)
        return to_errno(self->error.code);
    while (!self->ended) {
        struct batch batch = {0};
        if (self->next(self->user, &batch, &self->ended, &self->error)) {
            batch_release(&batch);
            return to_errno(self->error.code);
        }
        if (!self->ended && batch.array.length > 0) {
            array_move(&batch.array, out);
            batch_release(&batch);
            return 0;
        }
        batch_release(&batch);
    }
    return 0;
}

static const char *get_last_error(struct ArrowArrayStream *stream)
{
    struct exporter *self = stream->private_data;
    return self->error.code ? self->error.message : NULL;
}

static void release_stream(struct ArrowArrayStream *stream)
{
    struct exporter *self = stream->private_data;
    if (self->close)
        self->close(self->user);
    schema_release(&self->schema);
    memory_free(NULL, self, sizeof *self);
    memset(stream, 0, sizeof *stream);
}

enum haul_code stream_export(const struct schema *schema, stream_next_fn next, stream_close_fn close,
                             void *user, struct ArrowArrayStream *out, struct haul_error *err)
{
    struct exporter *self = memory_alloc(NULL, sizeof *self);
    if (!self)
        return error_nomem(err, "an Arrow stream");
    memset(self, 0, sizeof *self);
    if (schema_copy(schema, &self->schema, err)) {
        memory_free(NULL, self, sizeof *self);
        return err->code;
    }
    self->next = next;
    self->close = close;
    self->user = user;
    *out = (struct ArrowArrayStream){.get_schema = get_schema,
                                     .get_next = get_next,
                                     .get_last_error = get_last_error,
                                     .release = release_stream,
                                     .private_data = self};
    return HAUL_OK;
}
