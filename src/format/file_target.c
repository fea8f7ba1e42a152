/*
 * file_target.c: one file, a folder, or standard output.
 *
 * A folder is meant by a slash at the end, by --files, or because one of that
 * name is there. What can be known before the first row is said before the first
 * row: a folder that is missing or not ours to write in, a file that is there
 * although the mode is create, a device that a rename would replace by a file.
 */
#include "format/file_target.h"

#include "base/file.h"
#include "base/settings.h"
#include "format/file_choice.h"
#include "format/file_folder.h"
#include "format/file_names.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILES_MAX 10000

/* ---- what is meant ---- */

static enum haul_code target_format(struct file_target *target, const char *forced, struct haul_error *err)
{
    char names[FORMAT_NAMES_BYTES];
    if (forced)
        return format_named(target->formats, forced, "--to", &target->format, err);
    if (target->kind != TARGET_STREAM)
        target->format = format_by_suffix(target->formats, target->path);
    if (!target->format && target->kind == TARGET_FOLDER)
        target->format = target->formats[0]; /* the registry's first is the default */
    if (target->format)
        return HAUL_OK;
    return error_set(err, HAUL_USAGE, "%s: cannot tell the format to write; say --to %s", target->name,
                     format_names(target->formats, names));
}

static const char *without_slashes(const char *name, struct arena *arena)
{
    size_t length = strlen(name);
    while (length > 1 && name[length - 1] == '/')
        length--;
    return arena_text_n(arena, name, length);
}

static enum haul_code target_files(struct file_target *target, const struct context *context, bool *given,
                                   struct haul_error *err)
{
    target->files_wanted = 1;
    *given = context->settings && settings_given(context->settings, "files");
    if (!*given)
        return HAUL_OK;
    int64_t files = settings_number(context->settings, "files");
    if (files < 1 || files > FILES_MAX)
        return error_set(err, HAUL_USAGE, "--files %lld: a number from 1 to %d is wanted", (long long)files,
                         FILES_MAX);
    target->files_wanted = (uint64_t)files;
    return HAUL_OK;
}

static void target_kind(struct file_target *target, const char *name, bool files_given)
{
    size_t length = strlen(name);
    target->store = store_for(name);
    target->local = target->store == &store_local;
    target->kind = TARGET_FILE;
    if (target->store == &store_stdio)
        target->kind = TARGET_STREAM;
    else if (target->local && (files_given || (length && name[length - 1] == '/') || path_is_folder(name)))
        target->kind = TARGET_FOLDER;
}

static const char *spill_folder(const struct file_target *target)
{
    if (target->kind == TARGET_FILE && target->folder)
        return target->folder;
    if (target->kind == TARGET_FOLDER)
        return target->folder;
    const char *folder = getenv("TMPDIR");
    return folder && folder[0] ? folder : "/var/tmp";
}

static enum haul_code target_names(struct file_target *target, const char *name, struct arena *arena,
                                   struct haul_error *err)
{
    target->name = target->kind == TARGET_STREAM ? "standard output" : arena_text(arena, name);
    target->path = without_slashes(name, arena);
    if (target->kind == TARGET_FOLDER && target->path)
        target->folder = strcmp(target->path, "/") == 0 ? "/" : arena_printf(arena, "%s/", target->path);
    else if (target->local)
        target->folder = name_folder(name, arena);
    bool fine = target->name && target->path && (target->folder || !target->local);
    return fine ? HAUL_OK : error_nomem(err, "the target's name");
}

enum haul_code file_target_init(struct file_target *target, const struct target_request *request,
                                struct arena *arena, struct haul_error *err)
{
    const char *name = request->name;
    bool files_given = false;
    *target = (struct file_target){.formats = request->formats};
    if (name[0] == '\0')
        return error_set(err, HAUL_USAGE, "the name of the target is empty");
    enum haul_code code = target_files(target, request->context, &files_given, err);
    if (code)
        return code;
    target_kind(target, name, files_given);
    if (files_given && target->kind != TARGET_FOLDER)
        return error_set(err, HAUL_USAGE, "--files needs a folder as target, not %s", name);
    code = target_names(target, name, arena, err);
    if (!code)
        code = target_format(target, request->forced, err);
    if (code)
        return code;
    target->spill_folder = spill_folder(target);
    target->suffix = target->format->suffixes[0];
    return HAUL_OK;
}

/* ---- is it allowed ---- */

static enum haul_code check_writable(const char *folder, const char *name, struct haul_error *err)
{
    if (!path_is_folder(folder))
        return error_set(err, HAUL_NOT_FOUND, "%s: the folder %s does not exist; make it first", name,
                         folder);
    if (access(folder, W_OK | X_OK) != 0)
        return error_set_errno(err, errno, "%s: cannot write in the folder %s", name, folder);
    return HAUL_OK;
}

static enum haul_code check_file(const struct file_target *target, enum sink_mode mode,
                                 struct haul_error *err)
{
    struct stat stat;
    enum haul_code code = check_writable(target->folder, target->name, err);
    if (code)
        return code;
    if (mode == SINK_APPEND)
        return error_set(err, HAUL_USAGE, "%s: append to a file target means a folder; give %s/ or --files N",
                         target->name, target->name);
    if (lstat(target->path, &stat) == 0 && !S_ISREG(stat.st_mode) && !S_ISLNK(stat.st_mode))
        return error_set(err, HAUL_UNSUPPORTED,
                         "%s is not a regular file; write to - (standard output) instead", target->name);
    return HAUL_OK;
}

static enum haul_code check_folder(const struct file_target *target, struct haul_error *err)
{
    if (path_is_folder(target->path))
        return check_writable(target->folder, target->name, err);
    if (path_exists(target->path))
        return error_set(err, HAUL_USAGE, "%s is a file; a folder is wanted", target->path);
    struct arena arena = {0};
    const char *parent = name_folder(target->path, &arena);
    enum haul_code code =
        parent ? check_writable(parent, target->name, err) : error_nomem(err, "a folder's name");
    arena_release(&arena);
    return code;
}

enum haul_code file_target_check(const struct file_target *target, enum sink_mode mode,
                                 struct haul_error *err)
{
    if (mode == SINK_MERGE)
        return error_set(err, HAUL_UNSUPPORTED, "%s: files cannot be merged into", target->name);
    if (!target->local)
        return HAUL_OK;
    return target->kind == TARGET_FOLDER ? check_folder(target, err) : check_file(target, mode, err);
}

enum haul_code file_target_free(const struct file_target *target, enum sink_mode mode, struct haul_error *err)
{
    if (mode != SINK_CREATE || !target->local)
        return HAUL_OK;
    if (target->kind == TARGET_FILE)
        return path_exists(target->path)
                   ? error_set(err, HAUL_EXISTS, "%s exists; --mode replace replaces it", target->name)
                   : HAUL_OK;
    struct arena arena = {0};
    const char *found = "";
    enum haul_code code = folder_data_file(target->folder, target->formats, &arena, &found, err);
    if (!code && found[0])
        code = error_set(err, HAUL_EXISTS, "%s holds data already (%s); --mode replace or --mode append",
                         target->name, found);
    arena_release(&arena);
    return code;
}
