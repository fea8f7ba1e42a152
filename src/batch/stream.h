/*
 * stream.h: the door to other people's Arrow: schemas and arrays in and out.
 *
 * Coming in: offsets become 0; large, view, run-end, dictionary and interval
 * layouts become the types of type.h. The shape is checked (buffer counts,
 * null pointers, offsets that run backwards or out of bounds, invalid UTF-8).
 * Going out: standard schemas with metadata haul.sql_type and extension names.
 */
#ifndef HAUL_BATCH_STREAM_H
#define HAUL_BATCH_STREAM_H

#include "base/context.h"
#include "batch/batch.h"

enum haul_code schema_export(const struct schema *schema, struct ArrowSchema *out, struct haul_error *err);

/* An import plan: what the foreign schema says, and the schema of ours it becomes. */
struct import;
enum haul_code import_open(const struct ArrowSchema *foreign, struct import **import, struct haul_error *err);
void import_close(struct import *import);
const struct schema *import_schema(const struct import *import);

/* Takes `array` (its release becomes NULL on success). The batch copies what it
 * must and otherwise keeps the foreign array alive. */
enum haul_code import_array(struct import *import, const struct context *context, struct ArrowArray *array,
                            struct batch *batch, struct haul_error *err);

/* The same for an array that stays its owner's: everything is copied. */
enum haul_code import_copy(struct import *import, const struct context *context, const struct ArrowArray *array,
                           struct batch *batch, struct haul_error *err);

/* A stream over a pull function, for haul_read. `next` gives batches until *end. */
typedef enum haul_code (*stream_next_fn)(void *user, struct batch *batch, bool *end, struct haul_error *err);
typedef void (*stream_close_fn)(void *user);
enum haul_code stream_export(const struct schema *schema, stream_next_fn next, stream_close_fn close, void *user,
                             struct ArrowArrayStream *out, struct haul_error *err);

#endif
