/*
 * file.c: the file door: open files.
 *
 * Every call retries EINTR and finishes short transfers; a write that moves
 * nothing is an error, not a loop. fsync is never retried after EIO: the kernel
 * has dropped the dirty pages by then and a second call would succeed over lost
 * data. Locks are flock: they belong to the open file, die with the process and
 * do not vanish when another descriptor of the same file is closed.
 * Paths (rename, remove, list): path.c.
 */
#include "base/file.h"
#include "base/clock.h"
#include "base/memory.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define TRANSFER_BYTES_MAX ((size_t)1 << 30) /* of one system call */
#define COPY_BYTES         ((size_t)1 << 20)
#define UNLINKED_TRIES     100

static enum haul_code file_error(const struct file *file, const char *what, struct haul_error *err)
{
    return error_set_errno(err, errno, "%s: cannot %s", file->path ? file->path : "(closed)", what);
}

static int open_retried(const char *path, int flags, mode_t mode)
{
    int fd;
    do
        fd = open(path, flags | O_CLOEXEC, mode);
    while (fd < 0 && errno == EINTR);
    return fd;
}

/* Where O_TMPFILE is not known: a name nobody else has, gone at once. */
static int open_unlinked(const char *folder)
{
    int fd = open_retried(folder, O_TMPFILE | O_RDWR, 0600);
    if (fd >= 0 || (errno != EOPNOTSUPP && errno != EISDIR && errno != EINVAL && errno != ENOENT))
        return fd;
    for (int i = 0; i < UNLINKED_TRIES; i++) {
        char path[4096];
        int length = snprintf(path, sizeof path, "%s/.haul-%ld-%llx", folder, (long)getpid(),
                              (unsigned long long)clock_now_ns());
        if (length < 0 || (size_t)length >= sizeof path) {
            errno = ENAMETOOLONG;
            return -1;
        }
        fd = open_retried(path, O_CREAT | O_EXCL | O_NOFOLLOW | O_RDWR, 0600);
        if (fd >= 0)
            (void)unlink(path);
        if (fd >= 0 || errno != EEXIST)
            return fd;
    }
    return fd;
}

static int open_mode(const char *path, enum file_mode mode)
{
    switch (mode) {
    case FILE_READ:
        return open_retried(path, O_RDONLY, 0);
    case FILE_CREATE:
        return open_retried(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW, 0666);
    case FILE_CREATE_PRIVATE:
        return open_retried(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW, 0600);
    case FILE_UPDATE:
        return open_retried(path, O_RDWR, 0);
    case FILE_APPEND:
        return open_retried(path, O_RDWR | O_CREAT | O_APPEND, 0600);
    case FILE_UNLINKED:
        return open_unlinked(path);
    }
    errno = EINVAL;
    return -1;
}

enum haul_code file_open(struct file *file, const char *path, enum file_mode mode, struct haul_error *err)
{
    static const char *const verbs[] = {
        "open", "create", "create", "open for writing", "open for writing", "create a temporary file in"};
    char *name = strdup(path);
    if (!name)
        return error_nomem(err, "a file name");
    int fd = open_mode(path, mode);
    if (fd < 0) {
        int errnum = errno;
        free(name);
        return error_set_errno(err, errnum, "cannot %s %s", verbs[mode], path);
    }
    struct stat facts;
    if (mode == FILE_READ && fstat(fd, &facts) == 0 && S_ISDIR(facts.st_mode)) {
        (void)close(fd);
        free(name);
        return error_set(err, HAUL_USAGE, "%s is a folder, not a file", path);
    }
    *file = (struct file){fd, name};
    return HAUL_OK;
}

enum haul_code file_adopt(struct file *file, int fd, const char *name, struct haul_error *err)
{
    char *copy = strdup(name);
    if (!copy)
        return error_nomem(err, "a file name");
    int own = fcntl(fd, F_DUPFD_CLOEXEC, 3);
    if (own < 0) {
        int errnum = errno;
        free(copy);
        return error_set_errno(err, errnum, "cannot use %s", name);
    }
    *file = (struct file){own, copy};
    return HAUL_OK;
}

void file_close(struct file *file)
{
    if (file->path && file->fd >= 0)
        (void)close(file->fd);
    free(file->path);
    *file = (struct file){.fd = -1};
}

enum haul_code file_close_checked(struct file *file, struct haul_error *err)
{
    enum haul_code code = HAUL_OK;
    if (file->path && file->fd >= 0) {
        int failed = close(file->fd); /* the descriptor is gone even when this fails */
        if (failed && errno != EINTR)
            code = file_error(file, "close", err);
        file->fd = -1;
    }
    file_close(file);
    return code;
}

/* A descriptor that somebody made non-blocking (an adopted pipe): waits until it is ready. */
static bool wait_again(const struct file *file, short events)
{
    if (errno == EINTR)
        return true;
    if (errno != EAGAIN)
        return false;
    struct pollfd ready = {file->fd, events, 0};
    return poll(&ready, 1, -1) >= 0 || errno == EINTR;
}

static size_t transfer_bytes(size_t length)
{
    return length < TRANSFER_BYTES_MAX ? length : TRANSFER_BYTES_MAX;
}

enum haul_code file_wait(struct file *file, int wait_ms, bool *ready, struct haul_error *err)
{
    struct pollfd wait = {file->fd, POLLIN, 0};
    int count = poll(&wait, 1, wait_ms);
    if (count < 0 && errno != EINTR)
        return file_error(file, "wait", err);
    *ready = count > 0;
    return HAUL_OK;
}

enum haul_code file_read(struct file *file, void *data, size_t length, size_t *got, struct haul_error *err)
{
    for (;;) {
        ssize_t count = read(file->fd, data, transfer_bytes(length));
        if (count >= 0) {
            *got = (size_t)count;
            return HAUL_OK;
        }
        if (!wait_again(file, POLLIN))
            return file_error(file, "read", err);
    }
}

enum haul_code file_read_at(struct file *file, int64_t offset, void *data, size_t length, size_t *got,
                            struct haul_error *err)
{
    *got = 0;
    while (*got < length) {
        ssize_t count =
            pread(file->fd, (char *)data + *got, transfer_bytes(length - *got), offset + (int64_t)*got);
        if (count == 0)
            return HAUL_OK;
        if (count > 0)
            *got += (size_t)count;
        else if (errno != EINTR)
            return file_error(file, "read", err);
    }
    return HAUL_OK;
}

enum haul_code file_write(struct file *file, const void *data, size_t length, struct haul_error *err)
{
    size_t done = 0;
    while (done < length) {
        ssize_t count = write(file->fd, (const char *)data + done, transfer_bytes(length - done));
        if (count == 0)
            errno = EIO;
        if (count > 0)
            done += (size_t)count;
        else if (count == 0 || !wait_again(file, POLLOUT))
            return file_error(file, "write", err);
    }
    return HAUL_OK;
}

enum haul_code file_write_at(struct file *file, int64_t offset, const void *data, size_t length,
                             struct haul_error *err)
{
    size_t done = 0;
    while (done < length) {
        ssize_t count = pwrite(file->fd, (const char *)data + done, transfer_bytes(length - done),
                               offset + (int64_t)done);
        if (count == 0)
            errno = EIO;
        if (count > 0)
            done += (size_t)count;
        else if (count == 0 || errno != EINTR)
            return file_error(file, "write", err);
    }
    return HAUL_OK;
}

/* In the kernel as far as it goes; *offset and *length say what is left. */
static enum haul_code copy_in_kernel(struct file *from, int64_t *offset, int64_t *length, struct file *to,
                                     struct haul_error *err)
{
    while (*length > 0) {
        off_t position = *offset;
        ssize_t count =
            copy_file_range(from->fd, &position, to->fd, NULL, transfer_bytes((size_t)*length), 0);
        if (count > 0) {
            *offset += count;
            *length -= count;
            continue;
        }
        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0 && (errno == ENOSPC || errno == EDQUOT || errno == EFBIG || errno == EIO))
            return file_error(to, "write", err);
        return HAUL_OK; /* not for these two files, or at the end: reading tells */
    }
    return HAUL_OK;
}

static enum haul_code copy_by_hand(struct file *from, int64_t offset, int64_t length, struct file *to,
                                   struct haul_error *err)
{
    void *block = memory_alloc(NULL, COPY_BYTES);
    if (!block)
        return error_nomem(err, "a copy buffer");
    enum haul_code code = HAUL_OK;
    while (!code && length > 0) {
        size_t wanted = length < (int64_t)COPY_BYTES ? (size_t)length : COPY_BYTES, got = 0;
        code = file_read_at(from, offset, block, wanted, &got, err);
        if (!code && got < wanted)
            code = error_set(err, HAUL_CHANGED, "%s: ended %lld bytes early", from->path,
                             (long long)(length - (int64_t)got));
        if (!code)
            code = file_write(to, block, got, err);
        offset += (int64_t)got;
        length -= (int64_t)got;
    }
    memory_free(NULL, block, COPY_BYTES);
    return code;
}

enum haul_code file_copy_range(struct file *from, int64_t offset, int64_t length, struct file *to,
                               struct haul_error *err)
{
    if (lseek(to->fd, 0, SEEK_END) < 0 && errno != ESPIPE)
        return file_error(to, "seek", err);
    enum haul_code code = copy_in_kernel(from, &offset, &length, to, err);
    if (!code && length > 0)
        code = copy_by_hand(from, offset, length, to, err);
    return code;
}

enum haul_code file_truncate(struct file *file, int64_t size, struct haul_error *err)
{
    int failed;
    do
        failed = ftruncate(file->fd, size);
    while (failed && errno == EINTR);
    return failed ? file_error(file, "truncate", err) : HAUL_OK;
}

enum haul_code file_sync(struct file *file, struct haul_error *err)
{
    int failed;
    do
        failed = fsync(file->fd);
    while (failed && errno == EINTR);
    if (!failed || errno == EINVAL || errno == ENOTSUP) /* a pipe or a terminal has nothing to sync */
        return HAUL_OK;
    return file_error(file, "sync", err);
}

enum haul_code file_identify(struct file *file, struct file_identity *identity, struct haul_error *err)
{
    struct stat facts;
    if (fstat(file->fd, &facts))
        return file_error(file, "look at", err);
    *identity = (struct file_identity){facts.st_size,
                                       (int64_t)facts.st_mtim.tv_sec * 1000000000 + facts.st_mtim.tv_nsec,
                                       (uint64_t)facts.st_ino, (uint64_t)facts.st_dev};
    return HAUL_OK;
}

enum haul_code file_lock(struct file *file, struct haul_error *err)
{
    int failed;
    do
        failed = flock(file->fd, LOCK_EX | LOCK_NB);
    while (failed && errno == EINTR);
    if (!failed)
        return HAUL_OK;
    if (errno == EWOULDBLOCK)
        return error_set(err, HAUL_BUSY, "%s is in use by another process", file->path);
    return file_error(file, "lock", err);
}
