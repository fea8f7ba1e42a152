/* reject.h: refused rows as lines of JSON, and the file they end in. */
#ifndef HAUL_TRANSFER_REJECT_H
#define HAUL_TRANSFER_REJECT_H

#include "batch/sink.h"

/* The lines of what was collected, ordered by row, as the reject file has them.
 * *lines is allocated in `arena`; NULL when there were none. */
enum haul_code reject_lines(const struct collector *collector, struct arena *arena, const char **lines,
                            struct haul_error *err);

/* Can the file be made? Asked before the work, not after it. Leaves nothing. */
enum haul_code reject_file_check(const char *path, struct haul_error *err);

/* Writes the lines of all receipts, in their order: temporary name, sync, rename. */
enum haul_code reject_file_write(const char *path, const struct receipt *receipts, size_t count,
                                 struct haul_error *err);

#endif
