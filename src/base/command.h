/*
 * command.h: one command of the user's, by the shell, for the line it prints
 * (--password-command). It has no standard input, our standard error, and a
 * process group of its own, which is ended as a whole when time is up.
 */
#ifndef HAUL_BASE_COMMAND_H
#define HAUL_BASE_COMMAND_H

#include "base/context.h"

struct command_limits {
    int64_t wait_ms;
    const struct cancel *cancel; /* may be NULL */
};

/* What it printed, at most `size` - 1 bytes, ends with a NUL. An exit code other
 * than 0, more output than that, or no end in time is an error, which never
 * repeats the output. */
enum haul_code command_read(const char *line, const struct command_limits *limits, char *out, size_t size,
                            struct haul_error *err);

#endif
