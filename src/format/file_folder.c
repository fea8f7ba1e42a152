/*
 * file_folder.c: what lies in a folder target.
 *
 * Only names of the pattern STEM_part_NNNNN.SUFFIX are ever replaced or removed,
 * and temporary names only when they are of this very run; whatever else somebody
 * keeps in the folder stays. Another run that appends to the same folder holds
 * its numbers by its temporary files, so that two runs do not choose the same.
 */
#include "format/file_folder.h"

#include "base/file.h"
#include "format/file_choice.h"
#include "format/file_names.h"

#include <string.h>

struct folder_entry {
    const char *path;
    bool temp, own;  /* a temporary name; of this run */
    bool part;       /* of the pattern, under its temporary or final name */
    uint64_t number; /* when part */
};

typedef enum haul_code (*entry_fn)(void *user, const struct folder_entry *entry, struct haul_error *err);

struct folder_walk {
    const struct folder_naming *naming;
    entry_fn each;
    void *user;
};

static enum haul_code walk_name(void *user, const char *name, struct haul_error *err)
{
    struct folder_walk *walk = user;
    const struct folder_naming *naming = walk->naming;
    struct arena arena = {0};
    struct folder_entry entry = {.path = arena_printf(&arena, "%s%s", naming->folder, name)};
    enum haul_code code = entry.path ? HAUL_OK : error_nomem(err, "a file name");
    if (!code) {
        size_t base = name_temp_base(name, naming->run, &entry.own);
        const char *final = base ? name + 1 : name;
        size_t length = base ? base : strlen(name);
        entry.temp = base > 0;
        entry.part =
            naming->stem && name_part_number(final, length, naming->stem, naming->suffix, &entry.number);
        code = walk->each(walk->user, &entry, err);
    }
    arena_release(&arena);
    return code;
}

static enum haul_code folder_walk(const struct folder_naming *naming, entry_fn each, void *user,
                                  struct haul_error *err)
{
    if (!path_is_folder(naming->folder))
        return HAUL_OK;
    struct folder_walk walk = {.naming = naming, .each = each, .user = user};
    return path_list(naming->folder, walk_name, &walk, err);
}

/* ---- looking ---- */

struct data_search {
    const struct format *const *formats;
    struct arena *arena;
    const char **found;
};

static bool is_manifest(const char *name)
{
    const char *end = "_manifest.json";
    size_t length = strlen(name);
    return length >= strlen(end) && strcmp(name + length - strlen(end), end) == 0;
}

static enum haul_code data_each(void *user, const char *name, struct haul_error *err)
{
    struct data_search *search = user;
    bool data = name[0] != '.' && (is_manifest(name) || format_by_suffix(search->formats, name));
    if (!data || (*search->found)[0])
        return HAUL_OK;
    *search->found = arena_text(search->arena, name);
    return *search->found ? HAUL_OK : error_nomem(err, "a file name");
}

enum haul_code folder_data_file(const char *folder, const struct format *const *formats, struct arena *arena,
                                const char **found, struct haul_error *err)
{
    *found = "";
    if (!path_is_folder(folder))
        return HAUL_OK;
    struct data_search search = {.formats = formats, .arena = arena, .found = found};
    return path_list(folder, data_each, &search, err);
}

struct foreign_search {
    struct data_search data;
    const char *stem;
};

static enum haul_code foreign_each(void *user, const char *name, struct haul_error *err)
{
    struct foreign_search *search = user;
    size_t stem = strlen(search->stem);
    bool ours = strncmp(name, search->stem, stem) == 0 && strncmp(name + stem, "_part_", 6) == 0;
    return ours || is_manifest(name) ? HAUL_OK : data_each(&search->data, name, err);
}

enum haul_code folder_foreign_file(const struct folder_naming *naming, const struct format *const *formats,
                                   struct arena *arena, const char **found, struct haul_error *err)
{
    *found = "";
    struct foreign_search search = {.data = {.formats = formats, .arena = arena, .found = found},
                                    .stem = naming->stem};
    return path_list(naming->folder, foreign_each, &search, err);
}

static enum haul_code number_each(void *user, const struct folder_entry *entry, struct haul_error *err)
{
    (void)err;
    uint64_t *next = user;
    if (entry->part && !(entry->temp && entry->own) && entry->number >= *next)
        *next = entry->number + 1;
    return HAUL_OK;
}

enum haul_code folder_next_number(const struct folder_naming *naming, uint64_t *number,
                                  struct haul_error *err)
{
    *number = 0;
    return folder_walk(naming, number_each, number, err);
}

struct inode_search {
    uint64_t inode, number;
    bool found;
};

static enum haul_code inode_each(void *user, const struct folder_entry *entry, struct haul_error *err)
{
    struct inode_search *search = user;
    struct file_identity identity;
    if (search->found || !entry->part || (entry->temp && !entry->own))
        return HAUL_OK;
    enum haul_code code = path_identify(entry->path, &identity, err);
    if (code)
        return code == HAUL_NOT_FOUND ? HAUL_OK : code; /* gone meanwhile */
    search->found = identity.inode == search->inode;
    search->number = entry->number;
    return HAUL_OK;
}

enum haul_code folder_find_inode(const struct folder_naming *naming, uint64_t inode, bool *found,
                                 uint64_t *number, struct haul_error *err)
{
    struct inode_search search = {.inode = inode};
    enum haul_code code = folder_walk(naming, inode_each, &search, err);
    *found = search.found;
    *number = search.number;
    return code;
}

/* ---- removing ---- */

static enum haul_code temp_each(void *user, const struct folder_entry *entry, struct haul_error *err)
{
    (void)user;
    return entry->temp && entry->own ? path_remove(entry->path, err) : HAUL_OK;
}

enum haul_code folder_remove_temps(const struct folder_naming *naming, struct haul_error *err)
{
    return folder_walk(naming, temp_each, NULL, err);
}

static enum haul_code part_each(void *user, const struct folder_entry *entry, struct haul_error *err)
{
    const uint64_t *from = user;
    bool remove = entry->part && !entry->temp && entry->number >= *from;
    return remove ? path_remove(entry->path, err) : HAUL_OK;
}

enum haul_code folder_remove_parts(const struct folder_naming *naming, uint64_t from, struct haul_error *err)
{
    return folder_walk(naming, part_each, &from, err);
}

bool folder_is_ours(const struct folder_ours *ours, const struct file_identity *identity)
{
    size_t low = 0, high = ours->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (ours->marks[middle].inode < identity->inode)
            low = middle + 1;
        else
            high = middle;
    }
    return low < ours->count && ours->marks[low].inode == identity->inode &&
           identity->size >= ours->marks[low].bytes_min;
}

static enum haul_code ours_each(void *user, const struct folder_entry *entry, struct haul_error *err)
{
    struct file_identity identity;
    struct haul_error gone = {0};
    if (!entry->part || entry->temp || path_identify(entry->path, &identity, &gone))
        return HAUL_OK;
    const struct folder_ours *ours = *(const struct folder_ours *const *)user;
    return folder_is_ours(ours, &identity) ? path_remove(entry->path, err) : HAUL_OK;
}

enum haul_code folder_remove_ours(const struct folder_naming *naming, const struct folder_ours *ours,
                                  struct haul_error *err)
{
    return ours->count ? folder_walk(naming, ours_each, &ours, err) : HAUL_OK;
}
