/*
 * stream.c: haul_read: any source as an Arrow stream. The stream outlives the
 * job, so it works on a job of its own with the same options.
 */
#include "batch/stream.h"
#include "batch/walk.h"
#include "job.h"
#include <stdlib.h>

struct reading {
    struct haul_job *job;
    struct source *source;
    struct source_info info;
    struct collector collector;
    struct walk walk;
};

static void reading_close(void *user)
{
    struct reading *reading = user;
    walk_release(&reading->walk);
    if (reading->source)
        reading->source->ops->close(reading->source);
    source_info_release(&reading->info);
    collector_release(&reading->collector);
    haul_job_free(reading->job);
    free(reading);
}

static enum haul_code reading_next(void *user, struct batch *batch, bool *end, struct haul_error *err)
{
    struct reading *reading = user;
    return walk_next(&reading->walk, BATCH_ROWS_MAX, batch, end, err);
}

static enum haul_code reading_open(struct reading *reading, const struct haul_job *job,
                                   struct haul_error *err)
{
    if (job_clone(job, &reading->job, err) || job_open(reading->job, false, &reading->source, err))
        return err->code;
    reading->job->context.collector = &reading->collector;
    if (reading->source->ops->describe(reading->source, &reading->info, err))
        return err->code;
    return walk_init(&reading->walk, reading->source, &reading->job->context, err);
}

enum haul_code haul_read(struct haul_job *job, struct ArrowArrayStream *out, struct haul_error *err)
{
    struct reading *reading = calloc(1, sizeof *reading);
    if (!reading)
        return error_nomem(err, "a stream");
    enum haul_code code = reading_open(reading, job, err);
    if (code == HAUL_OK)
        code = stream_export(&reading->info.schema, reading_next, reading_close, reading, out, err);
    if (code)
        reading_close(reading);
    return code;
}
