/*
 * error.h: how a failure is told.
 *
 * An error is set once, by the lowest function that understands it, with a
 * sentence a user can act on. Each level on the way up may put its place in
 * front ("orders.csv: line 7: ..."). Nothing is printed here. struct haul_error
 * itself is public and lives in haul.h, the one public header base includes.
 */
#ifndef HAUL_BASE_ERROR_H
#define HAUL_BASE_ERROR_H

#include "haul.h"

/* Sets code and message; clears side, sqlstate, vendor code and retryable.
 * Control characters in the text are shown as \xNN. Returns `code`. */
enum haul_code error_set(struct haul_error *err, enum haul_code code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Sets an error from an errno value: the code follows from it (ENOSPC is
 * HAUL_SPACE, EACCES is HAUL_PERMISSION, ...), the message is "WHAT: strerror",
 * vendor_code is the errno. Returns the code. */
enum haul_code error_set_errno(struct haul_error *err, int errnum, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Puts "PREFIX: " before the message; cuts the tail when it gets too long.
 * Returns err->code, so that `return error_prefix(err, ...)` reads well. */
enum haul_code error_prefix(struct haul_error *err, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* HAUL_NOMEM, "no memory for NAME". */
enum haul_code error_nomem(struct haul_error *err, const char *what);

#endif
