/*
 * path.c: the file door: names and folders.
 *
 * A rename is durable only when its folder was synced, so path_rename does
 * that, for both folders when they differ. Not replacing is the kernel's own
 * check (renameat2); where a filesystem does not know it, link does the same
 * and the old name is removed after: between the two both names exist, never
 * none. A listing is sorted, so that what we do never depends on the order in
 * which a filesystem keeps names.
 */
#include "base/arena.h"
#include "base/file.h"
#include "base/memory.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define NAMES_MAX ((size_t)4 << 20) /* in one folder */

enum haul_code path_identify(const char *path, struct file_identity *identity, struct haul_error *err)
{
    struct stat facts;
    if (stat(path, &facts))
        return error_set_errno(err, errno, "%s", path);
    *identity = (struct file_identity){facts.st_size,
                                       (int64_t)facts.st_mtim.tv_sec * 1000000000 + facts.st_mtim.tv_nsec,
                                       (uint64_t)facts.st_ino, (uint64_t)facts.st_dev};
    return HAUL_OK;
}

bool path_exists(const char *path)
{
    struct stat facts;
    return lstat(path, &facts) == 0;
}

bool path_is_folder(const char *path)
{
    struct stat facts;
    return stat(path, &facts) == 0 && S_ISDIR(facts.st_mode);
}

bool path_is_private(const char *path, unsigned others)
{
    struct stat facts;
    return stat(path, &facts) || !S_ISREG(facts.st_mode) || !(facts.st_mode & others);
}

enum haul_code path_sync_folder(const char *path, struct haul_error *err)
{
    int fd;
    do
        fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    while (fd < 0 && errno == EINTR);
    if (fd < 0)
        return error_set_errno(err, errno, "cannot open the folder %s", path);
    int failed = fsync(fd), errnum = errno;
    (void)close(fd);
    if (failed && errnum != EINVAL && errnum != ENOTSUP) /* a filesystem that has no such thing */
        return error_set_errno(err, errnum, "cannot sync the folder %s", path);
    return HAUL_OK;
}

/* The bytes of `path` that name its folder; 0: the current one. */
static size_t parent_bytes(const char *path)
{
    const char *slash = strrchr(path, '/');
    if (!slash)
        return 0;
    return slash == path ? 1 : (size_t)(slash - path);
}

static enum haul_code parent_sync(const char *path, struct haul_error *err)
{
    size_t length = parent_bytes(path);
    char *folder = length ? strndup(path, length) : strdup(".");
    if (!folder)
        return error_nomem(err, "a folder's name");
    enum haul_code code = path_sync_folder(folder, err);
    free(folder);
    return code;
}

static int rename_keeping(const char *from, const char *to)
{
    int failed = renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE);
    if (!failed || (errno != EINVAL && errno != ENOSYS && errno != ENOTSUP))
        return failed;
    failed = link(from, to);
    return failed ? failed : unlink(from);
}

enum haul_code path_rename(const char *from, const char *to, bool replace, struct haul_error *err)
{
    int failed = replace ? rename(from, to) : rename_keeping(from, to);
    if (failed && errno == EEXIST && !replace)
        return error_set_errno(err, EEXIST, "%s", to);
    if (failed)
        return error_set_errno(err, errno, "cannot rename %s to %s", from, to);
    size_t length = parent_bytes(from);
    bool same_folder = length == parent_bytes(to) && memcmp(from, to, length) == 0;
    enum haul_code code = parent_sync(to, err);
    if (!code && !same_folder)
        code = parent_sync(from, err);
    return code;
}

enum haul_code path_remove(const char *path, struct haul_error *err)
{
    if (unlink(path) && errno != ENOENT)
        return error_set_errno(err, errno, "cannot remove %s", path);
    return HAUL_OK;
}

static enum haul_code make_folder(const char *path, mode_t mode, struct haul_error *err)
{
    if (mkdir(path, mode) == 0 || (errno == EEXIST && path_is_folder(path)))
        return HAUL_OK;
    return error_set_errno(err, errno, "cannot make the folder %s", path);
}

enum haul_code path_make_folder(const char *path, struct haul_error *err)
{
    return make_folder(path, 0777, err);
}

enum haul_code path_make_folder_private(const char *path, struct haul_error *err)
{
    return make_folder(path, 0700, err);
}

enum haul_code path_remove_folder(const char *path, struct haul_error *err)
{
    if (rmdir(path) && errno != ENOENT)
        return error_set_errno(err, errno, "cannot remove the folder %s", path);
    return HAUL_OK;
}

/* One step down; the folder is closed. */
static int step_beneath(int folder, const char *part, size_t length, struct stat *facts)
{
    char name[NAME_MAX + 1];
    int fd = -1;
    errno = ENAMETOOLONG;
    if (length <= NAME_MAX) {
        memcpy(name, part, length);
        name[length] = 0;
        fd = openat(folder, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    }
    int errnum = errno;
    (void)close(folder);
    errno = errnum;
    if (fd < 0 || fstat(fd, facts) == 0)
        return fd;
    errnum = errno;
    (void)close(fd);
    errno = errnum;
    return -1;
}

enum haul_code path_beneath(const char *folder, const char *name, int64_t *size, struct haul_error *err)
{
    struct stat facts = {0};
    int fd = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
    for (const char *part = name; fd >= 0; part++) {
        size_t length = strcspn(part, "/");
        fd = step_beneath(fd, part, length, &facts);
        part += length;
        if (fd < 0 || S_ISLNK(facts.st_mode) || !*part)
            break;
    }
    if (fd < 0)
        return error_set_errno(err, errno, "%s", name);
    (void)close(fd);
    *size = facts.st_size;
    if (S_ISLNK(facts.st_mode))
        return error_set(err, HAUL_DATA, "%s is a link or behind one; it may lead out of the folder", name);
    return S_ISREG(facts.st_mode) ? HAUL_OK : error_set(err, HAUL_DATA, "%s is not a regular file", name);
}

struct name_list {
    struct arena arena;
    char **names;
    size_t count, room;
};

static enum haul_code names_add(struct name_list *list, const char *name, struct haul_error *err)
{
    if (list->count == list->room) {
        size_t room = list->room ? list->room * 2 : 64;
        char **names = room > NAMES_MAX ? NULL
                                        : memory_realloc(NULL, list->names, list->room * sizeof *names,
                                                         room * sizeof *names);
        if (!names)
            return error_nomem(err, "the names in a folder");
        list->names = names;
        list->room = room;
    }
    char *copy = arena_text(&list->arena, name);
    if (!copy)
        return error_nomem(err, "the names in a folder");
    list->names[list->count++] = copy;
    return HAUL_OK;
}

static int names_compare(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static enum haul_code names_read(const char *path, struct name_list *list, struct haul_error *err)
{
    DIR *folder = opendir(path);
    if (!folder)
        return error_set_errno(err, errno, "cannot list the folder %s", path);
    enum haul_code code = HAUL_OK;
    while (!code) {
        errno = 0;
        struct dirent *entry = readdir(folder);
        if (!entry && errno)
            code = error_set_errno(err, errno, "cannot list the folder %s", path);
        if (!entry)
            break;
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            code = names_add(list, entry->d_name, err);
    }
    (void)closedir(folder);
    return code;
}

enum haul_code path_list(const char *path, path_each_fn each, void *user, struct haul_error *err)
{
    struct name_list list = {0};
    enum haul_code code = names_read(path, &list, err);
    if (!code && list.count > 1)
        qsort(list.names, list.count, sizeof *list.names, names_compare);
    for (size_t i = 0; !code && i < list.count; i++)
        code = each(user, list.names[i], err);
    memory_free(NULL, list.names, list.room * sizeof *list.names);
    arena_release(&list.arena);
    return code;
}
