/*
 * stream_source.h: somebody's Arrow stream as a source: one part, read once,
 * not replayable. The stream is taken, on failure too.
 */
#ifndef HAUL_BATCH_STREAM_SOURCE_H
#define HAUL_BATCH_STREAM_SOURCE_H

#include "batch/source.h"

enum haul_code stream_source_open(struct ArrowArrayStream *stream, const struct context *context,
                                  struct source **source, struct haul_error *err);

#endif
