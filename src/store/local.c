/*
 * local.c: files of this machine.
 *
 * Reading: a descriptor and pread, so that any number of threads may read; what
 * is no regular file (a pipe given by name, a device) becomes a stream. A file
 * is the same as long as size, mtime, inode and device are.
 *
 * Writing: the file has a temporary name in the final name's folder, made with
 * O_EXCL, and takes the final name by a rename once it is synced: whoever opens
 * the final name sees a whole file or none. A symbolic link that stands there is
 * replaced itself; what it points to is never touched. Writes go to the known
 * offset, so that bytes of an append that failed half-way are overwritten or
 * cut, never kept.
 *
 * Folders and patterns are in list.c.
 */
#include "store/copy.h"
#include "store/list.h"
#include "store/stream.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define IDENTITY_BYTES 128

/* ---- reading ---- */

struct local_input {
    struct input_file input;
    struct file file;
    struct file_identity identity;
    char identity_text[IDENTITY_BYTES];
    char name[];
};

static enum haul_code local_read_at(struct input_file *file, int64_t offset, void *data, size_t length,
                                    size_t *got, struct haul_error *err)
{
    return file_read_at(&((struct local_input *)file)->file, offset, data, length, got, err);
}

static enum haul_code local_check(struct input_file *file, struct haul_error *err)
{
    struct local_input *local = (struct local_input *)file;
    struct file_identity now;
    enum haul_code code = file_identify(&local->file, &now, err);
    if (code)
        return code;
    if (now.size != local->identity.size)
        return error_set(err, HAUL_CHANGED,
                         "%s was changed while it was read: it had %lld bytes and has %lld now", file->name,
                         (long long)local->identity.size, (long long)now.size);
    if (now.mtime_ns != local->identity.mtime_ns)
        return error_set(err, HAUL_CHANGED, "%s was changed while it was read: somebody wrote to it",
                         file->name);
    return HAUL_OK;
}

static void local_close_input(struct input_file *file)
{
    struct local_input *local = (struct local_input *)file;
    file_close(&local->file);
    free(local);
}

static const struct input_file_ops local_input_ops = {
    .read_at = local_read_at, .check = local_check, .close = local_close_input};

struct file *local_input_handle(struct input_file *from)
{
    return from->ops == &local_input_ops ? &((struct local_input *)from)->file : NULL;
}

/* Takes `file` on success. */
static enum haul_code local_input_new(struct file *file, const char *name, struct input_file **input,
                                      struct haul_error *err)
{
    size_t name_bytes = strlen(name) + 1;
    struct local_input *local = calloc(1, sizeof *local + name_bytes);
    if (!local)
        return error_nomem(err, "an open file");
    enum haul_code code = file_identify(file, &local->identity, err);
    if (code) {
        free(local);
        return code;
    }
    memcpy(local->name, name, name_bytes);
    snprintf(local->identity_text, sizeof local->identity_text, "size %lld mtime %lld inode %llu device %llu",
             (long long)local->identity.size, (long long)local->identity.mtime_ns,
             (unsigned long long)local->identity.inode, (unsigned long long)local->identity.device);
    local->file = *file;
    local->input = (struct input_file){.ops = &local_input_ops,
                                       .name = local->name,
                                       .identity = local->identity_text,
                                       .size = local->identity.size};
    *input = &local->input;
    return HAUL_OK;
}

static enum haul_code local_open(const char *name, const struct context *context, struct input_file **input,
                                 struct haul_error *err)
{
    struct file file = {.fd = -1};
    enum haul_code code = file_open(&file, name, FILE_READ, err);
    if (code == HAUL_NOT_FOUND)
        return list_missing(name, err);
    if (code)
        return code;
    struct stat stat;
    if (fstat(file.fd, &stat) != 0)
        code = error_set_errno(err, errno, "%s", name);
    else if (S_ISREG(stat.st_mode))
        code = local_input_new(&file, name, input, err);
    else
        code = stream_input_open(&file, name, context, input, err);
    if (code)
        file_close(&file);
    return code;
}

/* ---- writing ---- */

struct local_output {
    struct output_file output;
    struct file file;
    char *name, *temp;
};

static void local_output_free(struct local_output *local)
{
    file_close(&local->file);
    free(local->name);
    free(local->temp);
    free(local);
}

static enum haul_code local_append(struct output_file *file, const void *data, size_t length,
                                   struct haul_error *err)
{
    struct local_output *local = (struct local_output *)file;
    enum haul_code code = file_write_at(&local->file, file->offset, data, length, err);
    if (!code)
        file->offset += (int64_t)length;
    return code;
}

static enum haul_code local_truncate(struct output_file *file, int64_t offset, struct haul_error *err)
{
    enum haul_code code = file_truncate(&((struct local_output *)file)->file, offset, err);
    if (!code)
        file->offset = offset;
    return code;
}

/* The kernel copies to the end of the file, so there must be nothing behind our
 * offset: an append that failed may have left some. */
static enum haul_code local_copy_from(struct output_file *file, struct input_file *from, int64_t offset,
                                      int64_t length, struct haul_error *err)
{
    struct local_output *local = (struct local_output *)file;
    bool done = false;
    enum haul_code code = local_truncate(file, file->offset, err);
    if (!code)
        code = copy_to_file(&local->file, from, offset, length, &done, err);
    if (code)
        return code;
    if (!done)
        return copy_through(file, from, offset, length, err);
    file->offset += length;
    return HAUL_OK;
}

static enum haul_code local_sync(struct output_file *file, struct haul_error *err)
{
    return file_sync(&((struct local_output *)file)->file, err);
}

static enum haul_code local_publish(struct output_file *file, bool replace, struct haul_error *err)
{
    struct local_output *local = (struct local_output *)file;
    enum haul_code code = file_sync(&local->file, err);
    if (!code)
        code = path_rename(local->temp, local->name, replace, err);
    if (!code)
        local_output_free(local);
    return code;
}

static void local_close_output(struct output_file *file)
{
    local_output_free((struct local_output *)file);
}

static const struct output_file_ops local_output_ops = {.append = local_append,
                                                        .copy_from = local_copy_from,
                                                        .truncate = local_truncate,
                                                        .sync = local_sync,
                                                        .publish = local_publish,
                                                        .close = local_close_output};

static enum haul_code local_output_new(const char *name, const char *temp, enum file_mode mode,
                                       struct local_output **out, struct haul_error *err)
{
    struct local_output *local = calloc(1, sizeof *local);
    if (!local)
        return error_nomem(err, "an output file");
    local->file.fd = -1;
    local->name = strdup(name);
    local->temp = strdup(temp);
    enum haul_code code = local->name && local->temp ? HAUL_OK : error_nomem(err, "an output file");
    if (!code)
        code = file_open(&local->file, temp, mode, err);
    if (code) {
        local_output_free(local);
        return code;
    }
    local->output = (struct output_file){.ops = &local_output_ops, .name = local->name, .temp = local->temp};
    *out = local;
    return HAUL_OK;
}

/* Bytes that survive a power cut are lost if the name does not. */
static enum haul_code local_sync_name(const char *path, struct haul_error *err)
{
    const char *slash = strrchr(path, '/');
    char *folder = slash ? strndup(path, (size_t)(slash - path) + 1) : strdup(".");
    if (!folder)
        return error_nomem(err, "a folder's name");
    enum haul_code code = path_sync_folder(folder, err);
    free(folder);
    return code;
}

/* "no such folder" is what the user must hear when it is the folder that is missing. */
static enum haul_code local_create(const char *name, const char *temp, const struct context *context,
                                   struct output_file **file, struct haul_error *err)
{
    (void)context;
    struct local_output *local = NULL;
    enum haul_code code = local_output_new(name, temp, FILE_CREATE, &local, err);
    if (code == HAUL_NOT_FOUND)
        return error_set(err, HAUL_NOT_FOUND, "%s: its folder does not exist; make it first", name);
    if (code)
        return code;
    code = local_sync_name(temp, err);
    if (code) {
        struct haul_error ignored = {0};
        (void)path_remove(temp, &ignored);
        local_output_free(local);
        return code;
    }
    *file = &local->output;
    return HAUL_OK;
}

static enum haul_code local_reopen(const char *name, const char *temp, int64_t offset,
                                   const struct context *context, struct output_file **file,
                                   struct haul_error *err)
{
    (void)context;
    struct local_output *local = NULL;
    struct file_identity identity;
    enum haul_code code = local_output_new(name, temp, FILE_UPDATE, &local, err);
    if (code)
        return code;
    code = file_identify(&local->file, &identity, err);
    if (!code && identity.size < offset)
        code = error_set(err, HAUL_CHANGED, "%s has %lld bytes, fewer than the %lld that were written to it",
                         temp, (long long)identity.size, (long long)offset);
    if (!code)
        code = local_truncate(&local->output, offset, err);
    if (code) {
        local_output_free(local);
        return code;
    }
    *file = &local->output;
    return HAUL_OK;
}

const struct store_ops store_local = {.name = "local",
                                      .list = list_files,
                                      .open = local_open,
                                      .create = local_create,
                                      .reopen = local_reopen,
                                      .remove = path_remove};
