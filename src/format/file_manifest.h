/*
 * file_manifest.h: the list of a folder's files, written last.
 */
#ifndef HAUL_FORMAT_FILE_MANIFEST_H
#define HAUL_FORMAT_FILE_MANIFEST_H

#include "store/store.h"

struct manifest_entry {
    const char *name; /* in the manifest's folder */
    int64_t rows, bytes;
};

struct manifest {
    const char *path, *temp;
    const char *text; /* a JSON object; its empty members "entries":[] and "files":[] are filled here */
    const struct manifest_entry *entries;
    size_t count;
    bool keep; /* append: entries of the manifest that is there come first */
};

/* Writes it under its temporary name, then in one step under its own. May be
 * repeated. */
enum haul_code file_manifest_write(const struct manifest *manifest, const struct context *context,
                                   struct haul_error *err);

#endif
