/*
 * manifest.h: a manifest (`*_manifest.json`, docs/json.md) as the name of a
 * source: the files it lists, and the hash it keeps of their rows. The summary of
 * a run keeps that hash, too, and lists nothing.
 */
#ifndef HAUL_MANIFEST_H
#define HAUL_MANIFEST_H

#include "base/arena.h"
#include "transfer/transfer.h"

struct manifest_entry {
    const char *name; /* below the manifest's folder; or schema.table */
    int64_t rows;     /* -1: not said */
    int64_t bytes;    /* -1: not said */
};

struct manifest_listing {
    struct manifest_entry *entries;
    size_t count;
    bool tables;  /* of a server: staging tables of an import */
    bool summary; /* of a run */
    bool hashed;  /* one run wrote all of the rows, and these are their sums: */
    struct stored_sums sums;
};
void manifest_listing_release(struct manifest_listing *listing);

/* Does a word of a source mean a manifest? */
bool manifest_is_named(const char *word);

/* The text of a manifest; names in the arena. `listing` is released by the caller,
 * on failure too. Names are checked as far as text
 * tells: none leaves the folder, none stands there twice. */
enum haul_code manifest_parse(const char *text, size_t length, struct arena *arena,
                              struct manifest_listing *listing, struct haul_error *err);

/* The same from a file. */
enum haul_code manifest_read(const char *path, struct arena *arena, struct manifest_listing *listing,
                             struct haul_error *err);

/* The same of a manifest, or of the summary of a run that is done: for who wants its
 * sums. A summary has no entries and no columns. */
enum haul_code manifest_sums_parse(const char *text, size_t length, struct arena *arena,
                                   struct manifest_listing *listing, struct haul_error *err);
enum haul_code manifest_sums_read(const char *path, struct arena *arena, struct manifest_listing *listing,
                                  struct haul_error *err);

/* Its files as paths, one a line, each a regular file without a link on the way
 * and of the size that is said; *table gets what the manifest is called. */
enum haul_code manifest_files(const char *path, struct arena *arena, const char **files, const char **table,
                              struct haul_error *err);

#endif
