/*
 * memory.c: files that live in this process, for tests and fuzzing: "memory:NAME".
 *
 * The one list of names is the only mutable state the library shares between
 * calls, and exists for tests only; a mutex guards it. The bytes of a name are a
 * blob with a count of users: a reader keeps its blob when the name gets another.
 * A file being written gathers its bytes apart; close leaves them under the
 * temporary name, publish gives them the final one.
 */
#include "base/buffer.h"
#include "store/copy.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct blob {
    atomic_int users;
    size_t length;
    uint8_t data[];
};

struct entry {
    struct entry *next;
    struct blob *blob;
    char name[];
};

static struct {
    pthread_mutex_t lock;
    struct entry *first;
} registry = {.lock = PTHREAD_MUTEX_INITIALIZER};

/* ---- blobs and names ---- */

static struct blob *blob_new(const void *data, size_t length)
{
    struct blob *blob = malloc(sizeof *blob + length);
    if (!blob)
        return NULL;
    atomic_init(&blob->users, 1);
    blob->length = length;
    if (length)
        memcpy(blob->data, data, length);
    return blob;
}

static void blob_let_go(struct blob *blob)
{
    if (blob && atomic_fetch_sub(&blob->users, 1) == 1)
        free(blob);
}

/* The link that points to the entry, or to the NULL at the end. Under the lock. */
static struct entry **entry_find(const char *name)
{
    struct entry **link = &registry.first;
    while (*link && strcmp((*link)->name, name) != 0)
        link = &(*link)->next;
    return link;
}

static struct entry *entry_new(const char *name)
{
    size_t bytes = strlen(name) + 1;
    struct entry *entry = calloc(1, sizeof *entry + bytes);
    if (entry)
        memcpy(entry->name, name, bytes);
    return entry;
}

/* Gives `name` the blob, taken on success. `replace` false: HAUL_EXISTS when there. */
static enum haul_code name_set(const char *name, struct blob *blob, bool replace, struct haul_error *err)
{
    struct entry *fresh = entry_new(name);
    if (!fresh)
        return error_nomem(err, "a name in memory");
    pthread_mutex_lock(&registry.lock);
    struct entry **link = entry_find(name);
    bool there = *link != NULL;
    if (there && replace) {
        blob_let_go((*link)->blob);
        (*link)->blob = blob;
    } else if (!there) {
        fresh->blob = blob;
        *link = fresh;
    }
    pthread_mutex_unlock(&registry.lock);
    if (there)
        free(fresh);
    return there && !replace ? error_set(err, HAUL_EXISTS, "%s exists", name) : HAUL_OK;
}

/* With one more user; NULL when there is no such name. */
static struct blob *name_get(const char *name)
{
    pthread_mutex_lock(&registry.lock);
    struct entry *entry = *entry_find(name);
    struct blob *blob = entry ? entry->blob : NULL;
    if (blob)
        atomic_fetch_add(&blob->users, 1);
    pthread_mutex_unlock(&registry.lock);
    return blob;
}

static void name_remove(const char *name)
{
    pthread_mutex_lock(&registry.lock);
    struct entry **link = entry_find(name);
    struct entry *entry = *link;
    if (entry)
        *link = entry->next;
    pthread_mutex_unlock(&registry.lock);
    if (entry)
        blob_let_go(entry->blob);
    free(entry);
}

static enum haul_code name_missing(const char *name, struct haul_error *err)
{
    return error_set(err, HAUL_NOT_FOUND, "%s: no such name in memory", name);
}

enum haul_code store_memory_put(const char *name, const void *data, size_t length, struct haul_error *err)
{
    struct blob *blob = blob_new(data, length);
    if (!blob)
        return error_nomem(err, "bytes in memory");
    enum haul_code code = name_set(name, blob, true, err);
    if (code)
        blob_let_go(blob);
    return code;
}

enum haul_code store_memory_get(const char *name, const uint8_t **data, size_t *length,
                                struct haul_error *err)
{
    struct blob *blob = name_get(name);
    if (!blob)
        return name_missing(name, err);
    *data = blob->data;
    *length = blob->length;
    blob_let_go(blob); /* the name still holds it */
    return HAUL_OK;
}

void store_memory_clear(void)
{
    while (registry.first)
        name_remove(registry.first->name);
}

/* ---- reading ---- */

struct memory_input {
    struct input_file input;
    struct blob *blob;
    char identity[64];
    char name[];
};

static enum haul_code memory_read_at(struct input_file *file, int64_t offset, void *data, size_t length,
                                     size_t *got, struct haul_error *err)
{
    (void)err;
    const struct blob *blob = ((struct memory_input *)file)->blob;
    *got = 0;
    if (offset < 0 || (uint64_t)offset >= blob->length)
        return HAUL_OK;
    size_t there = blob->length - (size_t)offset;
    *got = there < length ? there : length;
    if (*got) /* no room may be no place */
        memcpy(data, blob->data + offset, *got);
    return HAUL_OK;
}

static enum haul_code memory_check(struct input_file *file, struct haul_error *err)
{
    struct memory_input *memory = (struct memory_input *)file;
    struct blob *now = name_get(file->name);
    bool same = now == memory->blob;
    blob_let_go(now);
    return same ? HAUL_OK : error_set(err, HAUL_CHANGED, "%s was changed while it was read", file->name);
}

static void memory_close_input(struct input_file *file)
{
    struct memory_input *memory = (struct memory_input *)file;
    blob_let_go(memory->blob);
    free(memory);
}

static const struct input_file_ops memory_input_ops = {
    .read_at = memory_read_at, .check = memory_check, .close = memory_close_input};

static enum haul_code memory_open_input(const char *name, const struct context *context,
                                        struct input_file **file, struct haul_error *err)
{
    (void)context;
    size_t bytes = strlen(name) + 1;
    struct blob *blob = name_get(name);
    if (!blob)
        return name_missing(name, err);
    struct memory_input *memory = calloc(1, sizeof *memory + bytes);
    if (!memory) {
        blob_let_go(blob);
        return error_nomem(err, "a file in memory");
    }
    memcpy(memory->name, name, bytes);
    memory->blob = blob;
    snprintf(memory->identity, sizeof memory->identity, "size %zu at %p", blob->length, (void *)blob);
    memory->input = (struct input_file){.ops = &memory_input_ops,
                                        .name = memory->name,
                                        .identity = memory->identity,
                                        .size = (int64_t)blob->length};
    *file = &memory->input;
    return HAUL_OK;
}

/* ---- writing ---- */

struct memory_output {
    struct output_file output;
    struct buffer bytes;
    char *name, *temp;
};

static void memory_output_free(struct memory_output *memory)
{
    buffer_release(&memory->bytes);
    free(memory->name);
    free(memory->temp);
    free(memory);
}

static enum haul_code memory_append(struct output_file *file, const void *data, size_t length,
                                    struct haul_error *err)
{
    enum haul_code code = buffer_append(&((struct memory_output *)file)->bytes, data, length, err);
    if (!code)
        file->offset += (int64_t)length;
    return code;
}

static enum haul_code memory_truncate(struct output_file *file, int64_t offset, struct haul_error *err)
{
    struct buffer *bytes = &((struct memory_output *)file)->bytes;
    if (offset < 0 || (uint64_t)offset > bytes->length)
        return error_set(err, HAUL_INTERNAL, "%s: cut back beyond its end", file->name);
    bytes->length = (size_t)offset;
    file->offset = offset;
    return HAUL_OK;
}

static enum haul_code memory_sync(struct output_file *file, struct haul_error *err)
{
    struct memory_output *memory = (struct memory_output *)file;
    return store_memory_put(memory->temp, memory->bytes.data, memory->bytes.length, err);
}

static enum haul_code memory_publish(struct output_file *file, bool replace, struct haul_error *err)
{
    struct memory_output *memory = (struct memory_output *)file;
    struct blob *blob = blob_new(memory->bytes.data, memory->bytes.length);
    if (!blob)
        return error_nomem(err, "bytes in memory");
    enum haul_code code = name_set(memory->name, blob, replace, err);
    if (code) {
        blob_let_go(blob);
        return code;
    }
    name_remove(memory->temp);
    memory_output_free(memory);
    return HAUL_OK;
}

static void memory_close_output(struct output_file *file)
{
    struct haul_error ignored = {0};
    (void)memory_sync(file, &ignored);
    memory_output_free((struct memory_output *)file);
}

static const struct output_file_ops memory_output_ops = {.append = memory_append,
                                                         .copy_from = copy_through,
                                                         .truncate = memory_truncate,
                                                         .sync = memory_sync,
                                                         .publish = memory_publish,
                                                         .close = memory_close_output};

static enum haul_code memory_output_new(const char *name, const char *temp, struct memory_output **out,
                                        struct haul_error *err)
{
    struct memory_output *memory = calloc(1, sizeof *memory);
    if (!memory)
        return error_nomem(err, "a file in memory");
    memory->name = strdup(name);
    memory->temp = strdup(temp);
    if (!memory->name || !memory->temp) {
        memory_output_free(memory);
        return error_nomem(err, "a file in memory");
    }
    memory->output =
        (struct output_file){.ops = &memory_output_ops, .name = memory->name, .temp = memory->temp};
    *out = memory;
    return HAUL_OK;
}

static enum haul_code memory_create(const char *name, const char *temp, const struct context *context,
                                    struct output_file **file, struct haul_error *err)
{
    (void)context;
    struct memory_output *memory = NULL;
    enum haul_code code = memory_output_new(name, temp, &memory, err);
    if (code)
        return code;
    struct blob *empty = blob_new(NULL, 0);
    code = empty ? name_set(temp, empty, false, err) : error_nomem(err, "a file in memory");
    if (code) {
        blob_let_go(empty);
        memory_output_free(memory);
        return code;
    }
    *file = &memory->output;
    return HAUL_OK;
}

static enum haul_code memory_reopen(const char *name, const char *temp, int64_t offset,
                                    const struct context *context, struct output_file **file,
                                    struct haul_error *err)
{
    (void)context;
    struct memory_output *memory = NULL;
    enum haul_code code = memory_output_new(name, temp, &memory, err);
    if (code)
        return code;
    struct blob *blob = name_get(temp);
    if (!blob)
        code = name_missing(temp, err);
    else if (offset < 0 || (uint64_t)offset > blob->length)
        code = error_set(err, HAUL_CHANGED, "%s is shorter than what was written to it", temp);
    else
        code = buffer_append(&memory->bytes, blob->data, (size_t)offset, err);
    blob_let_go(blob);
    if (code) {
        memory_output_free(memory);
        return code;
    }
    memory->output.offset = offset;
    *file = &memory->output;
    return HAUL_OK;
}

/* ---- the store ---- */

static enum haul_code memory_list(const char *pattern, struct arena *arena, const char ***names,
                                  size_t *count, struct haul_error *err)
{
    struct blob *blob = name_get(pattern);
    if (!blob)
        return name_missing(pattern, err);
    blob_let_go(blob);
    return store_stdio.list(pattern, arena, names, count, err);
}

static enum haul_code memory_remove(const char *name, struct haul_error *err)
{
    (void)err;
    name_remove(name);
    return HAUL_OK;
}

const struct store_ops store_memory = {.name = "memory",
                                       .list = memory_list,
                                       .open = memory_open_input,
                                       .create = memory_create,
                                       .reopen = memory_reopen,
                                       .remove = memory_remove};
