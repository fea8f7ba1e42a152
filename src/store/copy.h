/*
 * copy.h: bytes from one file of a store to another, by the kernel when both
 * are files of this machine. Inner to store/.
 */
#ifndef HAUL_STORE_COPY_H
#define HAUL_STORE_COPY_H

#include "base/file.h"
#include "store/store.h"

/* The local file behind an input, or NULL: a stream, memory. */
struct file *local_input_handle(struct input_file *from);
struct file *spill_input_handle(struct input_file *from);

/* `copy_from` for any pair: read_at and append through a buffer. */
enum haul_code copy_through(struct output_file *to, struct input_file *from, int64_t offset, int64_t length,
                            struct haul_error *err);

/* `copy_from` of an output that is a local file: appends to the end of `to`;
 * does not move the output's offset. */
enum haul_code copy_to_file(struct file *to, struct input_file *from, int64_t offset, int64_t length,
                            bool *done, struct haul_error *err);

#endif
