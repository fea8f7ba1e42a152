/*
 * file_set.c: ten thousand small files, sixty-four descriptors.
 *
 * A source may be any number of files. They are opened when somebody needs them
 * and closed again, the least recently used first, when more than
 * FILE_SET_OPEN_MAX are open and nobody uses them. A file in use stays open, a
 * stream too, as it cannot be opened twice. The identity of the first opening is
 * kept: a file that is another one when it is opened again has changed under us.
 *
 * The format is settled by the first file; every other file is asked whether it
 * agrees. Opening happens under the lock: it reads a footer or a sample, once
 * for a file.
 */
#include "format/file_set.h"

#include "base/file.h"
#include "format/file_choice.h"

#include <stdlib.h>
#include <string.h>

#define HEAD_BYTES ((size_t)64 << 10)

/* ---- which files ---- */

static const struct format *folder_format(const struct format *const *formats, const char *const *names,
                                          size_t count, const struct format **other)
{
    const struct format *found = NULL;
    *other = NULL;
    for (size_t i = 0; i < count; i++) {
        const struct format *its = format_by_suffix(formats, names[i]);
        if (!its || its == found)
            continue;
        if (found)
            *other = its;
        else
            found = its;
    }
    return found;
}

/* A folder's data files are those with a suffix of the format; others (README,
 * _SUCCESS) are not meant. */
static enum haul_code folder_filter(struct file_set *set, const char *folder, const char **names,
                                    size_t *count, struct haul_error *err)
{
    char text[FORMAT_NAMES_BYTES], one[FORMAT_LABEL_BYTES], two[FORMAT_LABEL_BYTES];
    const struct format *other = NULL;
    const struct format *format = set->format;
    if (!format)
        format = folder_format(set->formats, names, *count, &other);
    if (!format)
        return error_set(err, HAUL_NOT_FOUND, "%s: no file in this folder has a known suffix; say --from %s",
                         folder, format_names(set->formats, text));
    if (other)
        return error_set(err, HAUL_USAGE, "%s holds %s and %s files; say --from %s or --from %s", folder,
                         format_label(format, one), format_label(other, two), format->name, other->name);
    size_t kept = 0;
    for (size_t i = 0; i < *count; i++)
        if (format_suffix(format, names[i]))
            names[kept++] = names[i];
    if (kept > 0)
        *count = kept; /* else: --from was given for files with other names */
    return HAUL_OK;
}

/* The files that one word stands for, added to the set's. */
static enum haul_code set_add(struct file_set *set, const char *word, struct haul_error *err)
{
    const char **names = NULL;
    size_t count = 0;
    const struct store_ops *store = store_for(word);
    enum haul_code code = store->list(word, &set->arena, &names, &count, err);
    if (!code && store == &store_local && path_is_folder(word))
        code = folder_filter(set, word, names, &count, err);
    if (code)
        return code;
    struct set_file *files = realloc(set->files, (set->count + count) * sizeof *files);
    if (!files)
        return error_nomem(err, "a list of files");
    set->files = files;
    for (size_t i = 0; i < count; i++)
        set->files[set->count++] = (struct set_file){.name = names[i], .store = store};
    return HAUL_OK;
}

static enum haul_code set_add_all(struct file_set *set, const char *name, struct haul_error *err)
{
    enum haul_code code = HAUL_OK;
    if (!strchr(name, '\n') || path_exists(name))
        return set_add(set, name, err);
    for (const char *at = name; !code && *at;) {
        size_t length = strcspn(at, "\n");
        const char *word = arena_text_n(&set->arena, at, length);
        if (!word)
            return error_nomem(err, "a list of files");
        if (strcmp(word, "-") == 0)
            return error_set(err, HAUL_USAGE, "standard input (-) cannot stand among other files");
        if (length > 0)
            code = set_add(set, word, err);
        at += length + (at[length] == '\n');
    }
    if (!code && set->count == 0)
        return error_set(err, HAUL_USAGE, "the list of files is empty");
    return code;
}

static int set_file_compare(const void *a, const void *b)
{
    const struct set_file *const *left = a, *const *right = b;
    return strcmp((*left)->name, (*right)->name);
}

/* A file that two words stand for would give its rows twice. */
static enum haul_code set_check_twice(const struct file_set *set, struct haul_error *err)
{
    enum haul_code code = HAUL_OK;
    const struct set_file **sorted = malloc((set->count + 1) * sizeof *sorted);
    if (!sorted)
        return error_nomem(err, "a list of files");
    for (size_t i = 0; i < set->count; i++)
        sorted[i] = &set->files[i];
    qsort(sorted, set->count, sizeof *sorted, set_file_compare);
    for (size_t i = 1; !code && i < set->count; i++)
        if (strcmp(sorted[i - 1]->name, sorted[i]->name) == 0)
            code = error_set(err, HAUL_USAGE, "%s is named twice; its rows would be there twice",
                             sorted[i]->name);
    free(sorted);
    return code;
}

enum haul_code file_set_init(struct file_set *set, const char *name, const struct format *const *formats,
                             const struct format *forced, const struct format_request *request,
                             struct haul_error *err)
{
    *set =
        (struct file_set){.formats = formats, .format = forced, .said = forced != NULL, .request = request};
    pthread_mutex_init(&set->lock, NULL);
    enum haul_code code = set_add_all(set, name, err);
    if (!code)
        code = set_check_twice(set, err);
    if (code)
        file_set_release(set);
    return code;
}

/* ---- opening and closing ---- */

static void set_close(struct file_set *set, struct set_file *file)
{
    struct set_file **link = &set->open_first;
    while (*link && *link != file)
        link = &(*link)->next_open;
    if (*link) {
        *link = file->next_open;
        set->open_count--;
    }
    if (file->input)
        file->input->ops->close(file->input);
    if (file->file)
        file->file->ops->close(file->file);
    file->input = NULL;
    file->file = NULL;
}

static void set_make_room(struct file_set *set)
{
    struct set_file *oldest = NULL;
    for (struct set_file *file = set->open_first; file; file = file->next_open)
        if (file->users == 0 && file->bytes >= 0 && (!oldest || file->used_at < oldest->used_at))
            oldest = file;
    if (oldest)
        set_close(set, oldest);
}

static enum haul_code set_agree(struct file_set *set, const struct set_file *file, const uint8_t *head,
                                size_t length, struct haul_error *err)
{
    char one[FORMAT_LABEL_BYTES], two[FORMAT_LABEL_BYTES];
    const struct format *format = NULL;
    enum haul_code code = format_by_content(set->formats, file->file->name, head, length, &format, err);
    if (code)
        return code;
    if (!set->format)
        set->format = format;
    if (format != set->format)
        return error_set(err, HAUL_DATA, "%s holds %s, %s holds %s; read them one after the other",
                         set->files[0].name, format_label(set->format, one), file->name,
                         format_label(format, two));
    return HAUL_OK;
}

/* At the first opening of a file: is there anything, and is it of our format? */
static enum haul_code set_look(struct file_set *set, struct set_file *file, struct haul_error *err)
{
    uint8_t *head = malloc(HEAD_BYTES);
    if (!head)
        return error_nomem(err, "the first bytes of a file");
    size_t got = 0;
    enum haul_code code = file->file->ops->read_at(file->file, 0, head, HEAD_BYTES, &got, err);
    if (!code && got == 0 && set->format && set->format->empty_fine)
        code = HAUL_OK;
    else if (!code && got == 0)
        code = error_set(err, HAUL_DATA, "%s is empty: no header", file->file->name);
    else if (!code && !set->said)
        code = set_agree(set, file, head, got, err);
    free(head);
    return code;
}

static enum haul_code set_identify(struct file_set *set, struct set_file *file, struct haul_error *err)
{
    if (file->identity) {
        if (strcmp(file->identity, file->file->identity) == 0)
            return HAUL_OK;
        return error_set(err, HAUL_CHANGED, "%s was changed while it was read", file->name);
    }
    enum haul_code code = set_look(set, file, err);
    if (code)
        return code;
    file->identity = arena_text(&set->arena, file->file->identity);
    file->bytes = file->file->size;
    return file->identity ? HAUL_OK : error_nomem(err, "a file's identity");
}

static enum haul_code set_open(struct file_set *set, struct set_file *file, struct haul_error *err)
{
    if (set->open_count >= FILE_SET_OPEN_MAX)
        set_make_room(set);
    enum haul_code code = file->store->open(file->name, set->request->context, &file->file, err);
    if (code)
        return code;
    file->next_open = set->open_first;
    set->open_first = file;
    set->open_count++;
    code = set_identify(set, file, err);
    if (!code)
        code = set->format->open_input(set->request, file->file, &file->input, err);
    if (code)
        set_close(set, file);
    return code;
}

enum haul_code file_set_take(struct file_set *set, size_t index, struct format_input **input,
                             struct haul_error *err)
{
    struct set_file *file = &set->files[index];
    enum haul_code code = HAUL_OK;
    pthread_mutex_lock(&set->lock);
    if (!file->input)
        code = set_open(set, file, err);
    if (!code) {
        file->users++;
        file->used_at = ++set->tick;
        *input = file->input;
    }
    pthread_mutex_unlock(&set->lock);
    return code ? file_set_error(set, index, err) : HAUL_OK;
}

void file_set_let_go(struct file_set *set, size_t index)
{
    pthread_mutex_lock(&set->lock);
    set->files[index].users--;
    pthread_mutex_unlock(&set->lock);
}

void file_set_release(struct file_set *set)
{
    while (set->open_first)
        set_close(set, set->open_first);
    free(set->files);
    arena_release(&set->arena);
    pthread_mutex_destroy(&set->lock);
    *set = (struct file_set){0};
}

enum haul_code file_set_error(const struct file_set *set, size_t index, struct haul_error *err)
{
    const char *name = strcmp(set->files[index].name, "-") == 0 ? "standard input" : set->files[index].name;
    if (strncmp(err->message, name, strlen(name)) == 0)
        return err->code;
    return error_prefix(err, "%s", name);
}
