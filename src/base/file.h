/*
 * file.h: the file door: the only place that opens, reads, writes, syncs,
 * renames or removes a file of the local machine. Each call retries EINTR and
 * finishes short transfers; each error names the path.
 */
#ifndef HAUL_BASE_FILE_H
#define HAUL_BASE_FILE_H

#include "base/error.h"
#include <sys/types.h>

struct file {
    int fd;     /* -1 when closed */
    char *path; /* for messages; owned */
};

/* What makes a file the same file. */
struct file_identity {
    int64_t size, mtime_ns;
    uint64_t inode, device;
};

enum file_mode {
    FILE_READ,
    FILE_CREATE,         /* O_CREAT|O_EXCL|O_NOFOLLOW, 0666 & ~umask: data that is published */
    FILE_CREATE_PRIVATE, /* the same, 0600 */
    FILE_UPDATE,         /* an existing file, read and write */
    FILE_APPEND,         /* create when absent; every write goes to the end */
    FILE_UNLINKED        /* `path` is a folder: a file without a name in it (spill) */
};

enum haul_code file_open(struct file *file, const char *path, enum file_mode mode, struct haul_error *err);
enum haul_code file_adopt(struct file *file, int fd, const char *name,
                          struct haul_error *err); /* stdin, stdout: not closed */
void file_close(struct file *file);                /* errors ignored: for reading and aborting */
enum haul_code file_close_checked(struct file *file, struct haul_error *err);

enum haul_code file_read_at(struct file *file, int64_t offset, void *data, size_t length, size_t *got,
                            struct haul_error *err); /* got < length only at the end */
enum haul_code file_read(struct file *file, void *data, size_t length, size_t *got,
                         struct haul_error *err); /* one read(2): pipes; got 0 at the end */

/* Waits at most `wait_ms` until file_read would not block, so that a reader of a
 * pipe can look for a cancel between. Signals end the wait early. */
enum haul_code file_wait(struct file *file, int wait_ms, bool *ready, struct haul_error *err);

enum haul_code file_write(struct file *file, const void *data, size_t length, struct haul_error *err);
enum haul_code file_write_at(struct file *file, int64_t offset, const void *data, size_t length,
                             struct haul_error *err);
enum haul_code file_copy_range(struct file *from, int64_t offset, int64_t length, struct file *to,
                               struct haul_error *err); /* to its end */
enum haul_code file_truncate(struct file *file, int64_t size, struct haul_error *err);
enum haul_code file_sync(struct file *file, struct haul_error *err);
enum haul_code file_identify(struct file *file, struct file_identity *identity, struct haul_error *err);

/* An exclusive lock that dies with the process. HAUL_BUSY when held. */
enum haul_code file_lock(struct file *file, struct haul_error *err);

/* By path. Renaming syncs the folder afterwards. `replace` false: an existing
 * target is HAUL_EXISTS, by renameat2(NOREPLACE) or link+unlink. */
enum haul_code path_identify(const char *path, struct file_identity *identity,
                             struct haul_error *err); /* HAUL_NOT_FOUND */
enum haul_code path_rename(const char *from, const char *to, bool replace, struct haul_error *err);
enum haul_code path_remove(const char *path, struct haul_error *err); /* absent is fine */
enum haul_code path_make_folder(const char *path,
                                struct haul_error *err); /* 0777 & ~umask; existing is fine */
enum haul_code path_make_folder_private(const char *path,
                                        struct haul_error *err); /* 0700 & ~umask; existing is fine */
enum haul_code path_remove_folder(const char *path,
                                  struct haul_error *err); /* an empty one; absent is fine */
enum haul_code path_sync_folder(const char *path, struct haul_error *err);
bool path_exists(const char *path);
bool path_is_folder(const char *path);
bool path_is_private(const char *path, unsigned others); /* has none of the permission bits `others` */

/* Is `name` (relative, without ..) a regular file below `folder`, with no link on
 * the way? Gives its size. */
enum haul_code path_beneath(const char *folder, const char *name, int64_t *size, struct haul_error *err);

/* Calls `each` for the names in a folder, sorted bytewise, without . and .. */
typedef enum haul_code (*path_each_fn)(void *user, const char *name, struct haul_error *err);
enum haul_code path_list(const char *path, path_each_fn each, void *user, struct haul_error *err);

#endif
