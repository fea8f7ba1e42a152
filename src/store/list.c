/*
 * list.c: which files are meant.
 *
 * A name that exists is meant literally, even if it has a star in it. A folder
 * stands for its data files: no hidden files, no manifests, no sub-folders. A
 * pattern (* ? [...]) is taken apart at the slashes and each component is
 * matched within the folders found so far; a star does not match a leading dot.
 * Results are sorted by bytes, so that parts have the same numbers on every
 * machine and in every locale. At most LIST_NAMES_MAX names.
 */
#include "store/list.h"

#include "base/file.h"
#include "base/settings.h"

#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#define MANIFEST_END   "_manifest.json"
#define NEAR_NAMES_MAX 20000

struct names {
    struct arena *arena;
    const char **items;
    size_t count, capacity;
};

static enum haul_code names_add(struct names *names, const char *name, struct haul_error *err)
{
    if (names->count == LIST_NAMES_MAX)
        return error_set(err, HAUL_LIMIT, "more than %zu files; use a narrower pattern", LIST_NAMES_MAX);
    if (names->count == names->capacity) {
        size_t capacity = names->capacity ? names->capacity * 2 : 16;
        const char **items = arena_alloc_array(names->arena, capacity, sizeof *items);
        if (!items)
            return error_nomem(err, "a list of files");
        if (names->count)
            memcpy(items, names->items, names->count * sizeof *items);
        names->items = items;
        names->capacity = capacity;
    }
    names->items[names->count++] = name;
    return HAUL_OK;
}

static bool ends_with(const char *text, const char *end)
{
    size_t length = strlen(text), end_length = strlen(end);
    return length >= end_length && strcmp(text + length - end_length, end) == 0;
}

static const char *name_join(struct arena *arena, const char *folder, const char *name)
{
    bool bare = folder[0] == '\0' || ends_with(folder, "/");
    return arena_printf(arena, "%s%s%s", folder, bare ? "" : "/", name);
}

static int names_compare(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* ---- one folder, filtered ---- */

struct folder_walk {
    struct names *names;
    const char *folder;
    const char *pattern; /* NULL: every name that is not hidden */
    enum haul_code (*add)(struct names *names, const char *path, struct haul_error *err);
};

static enum haul_code folder_each(void *user, const char *name, struct haul_error *err)
{
    const struct folder_walk *walk = user;
    bool meant = walk->pattern ? fnmatch(walk->pattern, name, FNM_PERIOD) == 0 : name[0] != '.';
    if (!meant)
        return HAUL_OK;
    const char *path = name_join(walk->names->arena, walk->folder, name);
    return path ? walk->add(walk->names, path, err) : error_nomem(err, "a list of files");
}

static enum haul_code folder_walk(const struct folder_walk *walk, struct haul_error *err)
{
    struct folder_walk copy = *walk;
    return path_list(walk->folder[0] ? walk->folder : ".", folder_each, &copy, err);
}

static enum haul_code names_add_data_file(struct names *names, const char *path, struct haul_error *err)
{
    return ends_with(path, MANIFEST_END) || path_is_folder(path) ? HAUL_OK : names_add(names, path, err);
}

static enum haul_code list_folder(const char *folder, struct names *names, struct haul_error *err)
{
    enum haul_code code =
        folder_walk(&(struct folder_walk){.names = names, .folder = folder, .add = names_add_data_file}, err);
    if (!code && names->count == 0)
        code = error_set(err, HAUL_NOT_FOUND, "%s: no data files in this folder", folder);
    return code;
}

/* ---- patterns ---- */

static bool has_pattern(const char *text)
{
    return strpbrk(text, "*?[") != NULL;
}

static enum haul_code expand_component(const struct names *folders, const char *component,
                                       struct names *found, struct haul_error *err)
{
    enum haul_code code = HAUL_OK;
    for (size_t i = 0; i < folders->count && !code; i++) {
        const char *folder = folders->items[i];
        if (!has_pattern(component)) {
            const char *path = name_join(found->arena, folder, component);
            if (!path)
                return error_nomem(err, "a list of files");
            code = path_exists(path) ? names_add(found, path, err) : HAUL_OK;
        } else if (path_is_folder(folder[0] ? folder : ".")) {
            code = folder_walk(
                &(struct folder_walk){
                    .names = found, .folder = folder, .pattern = component, .add = names_add},
                err);
        }
    }
    return code;
}

static enum haul_code expand_pattern(const char *pattern, struct names *names, struct haul_error *err)
{
    char *rest = arena_text(names->arena, pattern);
    struct names found = {.arena = names->arena};
    enum haul_code code =
        rest ? names_add(&found, pattern[0] == '/' ? "/" : "", err) : error_nomem(err, "a pattern");
    char *save = NULL;
    const char *component = code ? NULL : strtok_r(rest, "/", &save);
    while (component && !code) {
        struct names next = {.arena = names->arena};
        code = expand_component(&found, component, &next, err);
        found = next;
        component = strtok_r(NULL, "/", &save);
    }
    bool manifests = ends_with(pattern, ".json");
    for (size_t i = 0; i < found.count && !code; i++)
        if (!path_is_folder(found.items[i]) && (manifests || !ends_with(found.items[i], MANIFEST_END)))
            code = names_add(names, found.items[i], err);
    return code;
}

static enum haul_code list_pattern(const char *pattern, struct names *names, struct haul_error *err)
{
    enum haul_code code = expand_pattern(pattern, names, err);
    if (code)
        return code;
    if (names->count == 0)
        return error_set(err, HAUL_NOT_FOUND, "%s: no file matches this pattern", pattern);
    qsort(names->items, names->count, sizeof *names->items, names_compare);
    return HAUL_OK;
}

/* ---- what is not there ---- */

static enum haul_code near_each(void *user, const char *name, struct haul_error *err)
{
    struct names *names = user;
    if (name[0] == '.' || names->count >= NEAR_NAMES_MAX)
        return HAUL_OK;
    const char *copy = arena_text(names->arena, name);
    return copy ? names_add(names, copy, err) : error_nomem(err, "names");
}

/* Near names are a courtesy: whatever fails here only makes the sentence shorter. */
static void near_names(const char *name, char *out, size_t out_bytes)
{
    struct arena arena = {0};
    struct names names = {.arena = &arena};
    struct haul_error ignored = {0};
    const char *slash = strrchr(name, '/');
    const char *folder = slash ? arena_text_n(&arena, name, (size_t)(slash - name) + 1) : ".";
    out[0] = '\0';
    if (folder && !path_list(folder, near_each, &names, &ignored) && names.count)
        settings_near(slash ? slash + 1 : name, names.items, names.count, out, out_bytes);
    arena_release(&arena);
}

enum haul_code list_missing(const char *name, struct haul_error *err)
{
    char near[256];
    if (name[0] == '\0')
        return error_set(err, HAUL_USAGE, "the name of a file is empty");
    if (ends_with(name, "/"))
        return error_set(err, HAUL_NOT_FOUND, "%s: no such folder", name);
    near_names(name, near, sizeof near);
    return error_set(err, HAUL_NOT_FOUND, "%s: no such file; is the folder right?%s%s", name,
                     near[0] ? " near: " : "", near);
}

enum haul_code list_files(const char *pattern, struct arena *arena, const char ***names, size_t *count,
                          struct haul_error *err)
{
    struct names found = {.arena = arena};
    enum haul_code code;
    if (path_is_folder(pattern)) {
        code = list_folder(pattern, &found, err);
    } else if (path_exists(pattern)) {
        const char *name = arena_text(arena, pattern);
        code = name ? names_add(&found, name, err) : error_nomem(err, "a name");
    } else if (has_pattern(pattern)) {
        code = list_pattern(pattern, &found, err);
    } else {
        code = list_missing(pattern, err);
    }
    if (code)
        return code;
    *names = found.items;
    *count = found.count;
    return HAUL_OK;
}
