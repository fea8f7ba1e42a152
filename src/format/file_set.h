/*
 * file_set.h: the files of a source, in name order, of which only some are open.
 * Inner to file_source.
 */
#ifndef HAUL_FORMAT_FILE_SET_H
#define HAUL_FORMAT_FILE_SET_H

#include "format/format.h"

#include <pthread.h>

#define FILE_SET_OPEN_MAX 64

struct set_file {
    const char *name;
    const struct store_ops *store;
    const char *identity;    /* at its first opening; NULL before */
    int64_t bytes;           /* -1: a stream */
    struct input_file *file; /* NULL: closed */
    struct format_input *input;
    int users;
    uint64_t used_at;
    struct set_file *next_open;
};

struct file_set {
    const struct format *const *formats;
    const struct format *format; /* NULL until the first file was seen */
    bool said;                   /* by --from: no file is asked */
    const struct format_request *request;
    struct set_file *files;
    size_t count;
    struct set_file *open_first;
    size_t open_count;
    uint64_t tick;
    pthread_mutex_t lock;
    struct arena arena;
};

/* The files `name` stands for: a name, pattern or folder, or several of these, one
 * a line, in this order. `forced` may be NULL. `request` outlives the set. */
enum haul_code file_set_init(struct file_set *set, const char *name, const struct format *const *formats,
                             const struct format *forced, const struct format_request *request,
                             struct haul_error *err);
void file_set_release(struct file_set *set);

/* The file's format input, opened if it was not. It stays open until let go.
 * HAUL_CHANGED when it is not the file that was opened the first time. From any thread. */
enum haul_code file_set_take(struct file_set *set, size_t index, struct format_input **input,
                             struct haul_error *err);
void file_set_let_go(struct file_set *set, size_t index);

/* Puts the file's name before the message, unless it stands there. Returns the code. */
enum haul_code file_set_error(const struct file_set *set, size_t index, struct haul_error *err);

#endif
