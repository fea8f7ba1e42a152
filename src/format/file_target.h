/*
 * file_target.h: what the name of a file target means, and whether a mode allows
 * what is there.
 */
#ifndef HAUL_FORMAT_FILE_TARGET_H
#define HAUL_FORMAT_FILE_TARGET_H

#include "batch/sink.h"
#include "format/format.h"

#include <pthread.h>

enum target_kind { TARGET_FILE, TARGET_FOLDER, TARGET_STREAM };

struct file_target {
    enum target_kind kind;
    const char *name;   /* as given; "standard output" for messages about "-" */
    const char *path;   /* without trailing slashes */
    const char *folder; /* with a slash: where temporary files and state are; NULL: stream, memory */
    const char *spill_folder;
    const struct store_ops *store;
    const struct format *const *formats;
    const struct format *format;
    const char *suffix;    /* of files in a folder: ".parquet" */
    uint64_t files_wanted; /* --files, or 1 */
    bool local;            /* a file of this machine: can be looked at, continued */
};

struct target_request {
    const char *name;
    const struct format *const *formats;
    const char *forced; /* --to, or NULL */
    const struct context *context;
};

/* Texts live in `arena`. Looks whether the name is a folder; changes nothing. */
enum haul_code file_target_init(struct file_target *target, const struct target_request *request,
                                struct arena *arena, struct haul_error *err);

/* Is there a place to write to, and can the mode be? Changes nothing. */
enum haul_code file_target_check(const struct file_target *target, enum sink_mode mode,
                                 struct haul_error *err);

/* HAUL_EXISTS when the mode is create and something stands there. */
enum haul_code file_target_free(const struct file_target *target, enum sink_mode mode,
                                struct haul_error *err);

#endif
