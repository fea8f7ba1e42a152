/*
 * stream.h: reading what has no size: standard input, a pipe, a device.
 * Inner to store/. The first STREAM_WINDOW_BYTES are kept, so that a format can
 * look at the start and begin again; once a read goes past them they are gone.
 */
#ifndef HAUL_STORE_STREAM_H
#define HAUL_STORE_STREAM_H

#include "base/buffer.h"
#include "base/file.h"
#include "store/store.h"

#define STREAM_WINDOW_BYTES ((size_t)4 << 20)

/* Takes `file` on success. Waits poll the context's cancel. */
enum haul_code stream_input_open(struct file *file, const char *name, const struct context *context,
                                 struct input_file **input, struct haul_error *err);

#endif
