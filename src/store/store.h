/*
 * store.h: where a file's bytes live: the local disk, standard input and
 * output, memory (tests and fuzzing); later S3.
 *
 * A file for reading has a size, or -1 when it is a stream; then read_at must
 * be called with rising offsets without gaps. A file being written is not
 * visible under its final name until publish. No mmap: a file cut meanwhile
 * would be a SIGBUS.
 */
#ifndef HAUL_STORE_STORE_H
#define HAUL_STORE_STORE_H

#include "base/arena.h"
#include "base/context.h"

/* ---- reading ---- */
struct input_file;
struct input_file_ops {
    /* Any number of threads at once, unless the file is a stream. *got < length only at the end. */
    enum haul_code (*read_at)(struct input_file *file, int64_t offset, void *data, size_t length, size_t *got,
                              struct haul_error *err);
    /* Is it still the file that was opened? HAUL_CHANGED when it was changed meanwhile. */
    enum haul_code (*check)(struct input_file *file, struct haul_error *err);
    void (*close)(struct input_file *file);
};
struct input_file {
    const struct input_file_ops *ops;
    const char *name;     /* as the user knows it; "-" is standard input */
    const char *identity; /* size, mtime, inode (or etag) as one line; "" for a stream */
    int64_t size;         /* -1: a stream */
};

/* read_at that must get it all: HAUL_DATA "cut short at byte N" otherwise. */
enum haul_code input_read_all(struct input_file *file, int64_t offset, void *data, size_t length,
                              struct haul_error *err);

/* ---- writing ---- */
struct output_file;
struct output_file_ops {
    enum haul_code (*append)(struct output_file *file, const void *data, size_t length, struct haul_error *err);
    /* Appends `length` bytes of a spilled or other local file, without passing through us where the kernel can. */
    enum haul_code (*copy_from)(struct output_file *file, struct input_file *from, int64_t offset, int64_t length,
                                struct haul_error *err);
    /* Cuts back to `offset`, a durable one or a later one. */
    enum haul_code (*truncate)(struct output_file *file, int64_t offset, struct haul_error *err);
    /* What was appended survives a power cut when this returns. */
    enum haul_code (*sync)(struct output_file *file, struct haul_error *err);
    /* Syncs, then takes the final name, in one step. replace false: HAUL_EXISTS
     * when the name is taken. After success the file is closed and freed: no
     * close. After an error it is as before. */
    enum haul_code (*publish)(struct output_file *file, bool replace, struct haul_error *err);
    /* Closes and frees; keeps what is there for a later reopen. */
    void (*close)(struct output_file *file);
};
struct output_file {
    const struct output_file_ops *ops;
    const char *name;   /* final name */
    const char *temp;   /* name while it is written; "" for a stream */
    int64_t offset;     /* bytes appended so far */
    bool stream;        /* no truncate, no reopen: standard output */
};

/* ---- the stores ---- */
struct store_ops {
    const char *name;
    /* The files a name or pattern stands for, sorted; HAUL_NOT_FOUND says what was looked for.
     * A folder stands for its data files (no hidden ones, no manifests). */
    enum haul_code (*list)(const char *pattern, struct arena *arena, const char ***names, size_t *count,
                           struct haul_error *err);
    enum haul_code (*open)(const char *name, const struct context *context, struct input_file **file,
                           struct haul_error *err);
    /* A new file that will be called `name`; `temp` is its name until then
     * (same folder). HAUL_EXISTS when temp is there. */
    enum haul_code (*create)(const char *name, const char *temp, const struct context *context,
                             struct output_file **file, struct haul_error *err);
    /* An unpublished file again, cut back to `offset`. HAUL_CHANGED when it is shorter. */
    enum haul_code (*reopen)(const char *name, const char *temp, int64_t offset, const struct context *context,
                             struct output_file **file, struct haul_error *err);
    enum haul_code (*remove)(const char *name, struct haul_error *err); /* absent is fine */
};

extern const struct store_ops store_local;
extern const struct store_ops store_stdio; /* the name "-" */
extern const struct store_ops store_memory;

/* The store for a name: "-" stdio, "memory:NAME" memory, everything else local. */
const struct store_ops *store_for(const char *name);

/* Memory store, for tests and fuzzing: sets (copies) and gets the bytes of "memory:NAME". */
enum haul_code store_memory_put(const char *name, const void *data, size_t length, struct haul_error *err);
enum haul_code store_memory_get(const char *name, const uint8_t **data, size_t *length, struct haul_error *err);
void store_memory_clear(void);

/* A private file without a name in `folder`: what a worker spills to. Read back
 * with `read_at`; copy_from of another file takes it as `from`. */
enum haul_code store_spill_open(const char *folder, struct output_file **write, struct input_file **read,
                                struct haul_error *err);

#endif
