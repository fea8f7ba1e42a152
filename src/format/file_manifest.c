/*
 * file_manifest.c: which files make the table.
 *
 * The transfer knows what the run was (source, columns, rows, hash) and gives it
 * as a JSON object; this side knows the files. Where the object has an empty
 * array "entries" at its top level, the names are put there, one a line, and what is
 * known of each file in an empty array "files"; an object without one is written as
 * it is. When a run appends, what the old manifest lists is kept in front, taken
 * over as text: it may hold more about a file than is known here.
 *
 * JSON is not parsed here, only walked: strings and brackets, which is enough to
 * find the array and its end in any correct text. An old manifest that is not
 * understood is an error, not a loss. At most MANIFEST_BYTES_MAX are read.
 */
#include "format/file_manifest.h"

#include "base/buffer.h"

#include <string.h>

#define MANIFEST_BYTES_MAX ((int64_t)64 << 20)

/* ---- walking JSON ---- */

struct slice {
    const char *text;
    size_t length;
};

static const char *skip_space(const char *at, const char *end)
{
    while (at < end && (*at == ' ' || *at == '\n' || *at == '\r' || *at == '\t'))
        at++;
    return at;
}

/* From the opening quote to behind the closing one. */
static const char *skip_string(const char *at, const char *end)
{
    for (at++; at < end && *at != '"'; at++)
        if (*at == '\\')
            at++;
    return at < end ? at + 1 : end;
}

/* From an opening bracket to its closing one; NULL when there is none. */
static const char *find_close(const char *at, const char *end)
{
    int64_t depth = 0;
    while (at < end) {
        if (*at == '"') {
            at = skip_string(at, end);
            continue;
        }
        if (*at == '[' || *at == '{')
            depth++;
        if (*at == ']' || *at == '}')
            depth--;
        if (depth == 0)
            return at;
        at++;
    }
    return NULL;
}

/* If the member `key` (in its quotes) begins with this string and is an array: its opening bracket. */
static const char *array_here(const char *key, const char *string, const char *end)
{
    const char *after = skip_string(string, end);
    if ((size_t)(after - string) != strlen(key) || memcmp(string, key, strlen(key)) != 0)
        return NULL;
    after = skip_space(after, end);
    if (after == end || *after != ':')
        return NULL;
    after = skip_space(after + 1, end);
    return after < end && *after == '[' ? after : NULL;
}

/* What stands between the brackets of the top level's array `key`, without space
 * around it. */
static bool array_find(const char *key, struct slice json, struct slice *inside)
{
    const char *end = json.text + json.length;
    int64_t depth = 0;
    for (const char *at = json.text; at < end;) {
        const char *open = *at == '"' && depth == 1 ? array_here(key, at, end) : NULL;
        const char *close = open ? find_close(open, end) : NULL;
        if (close) {
            const char *first = skip_space(open + 1, close);
            while (close > first && strchr(" \n\r\t", close[-1]))
                close--;
            *inside = (struct slice){first, (size_t)(close - first)};
            return true;
        }
        if (*at == '"') {
            at = skip_string(at, end);
            continue;
        }
        depth += (*at == '{' || *at == '[') - (*at == '}' || *at == ']');
        at++;
    }
    return false;
}

/* ---- the old one ---- */

static enum haul_code old_read(const char *path, const struct context *context, struct buffer *bytes,
                               struct haul_error *err)
{
    struct input_file *file = NULL;
    enum haul_code code = store_for(path)->open(path, context, &file, err);
    if (code == HAUL_NOT_FOUND)
        return HAUL_OK;
    if (code)
        return code;
    if (file->size < 0 || file->size > MANIFEST_BYTES_MAX)
        code = error_set(err, HAUL_LIMIT, "%s is too large for a manifest", path);
    if (!code)
        code = buffer_resize(bytes, (size_t)file->size, err);
    if (!code)
        code = input_read_all(file, 0, bytes->data, bytes->length, err);
    file->ops->close(file);
    return code;
}

/* The two lists of a manifest; what a foreign one does not have is empty. */
#define ENTRIES "\"entries\""
#define FILES   "\"files\""

struct lists {
    struct slice entries, files;
};

static enum haul_code old_lists(const char *path, const struct buffer *bytes, struct lists *lists,
                                struct haul_error *err)
{
    struct slice json = {(const char *)bytes->data, bytes->length};
    *lists = (struct lists){{"", 0}, {"", 0}};
    if (bytes->length == 0)
        return HAUL_OK;
    if (!array_find(FILES, json, &lists->files))
        lists->files = (struct slice){"", 0};
    if (array_find(ENTRIES, json, &lists->entries))
        return HAUL_OK;
    return error_set(err, HAUL_DATA,
                     "%s lists no entries: it is not a manifest that can be continued; move it away", path);
}

/* A finish that was stopped and is done again finds its own entries there. */
static bool old_has(struct slice old, const char *name)
{
    size_t length = strlen(name);
    for (const char *at = old.text; (at = memmem(at, (size_t)(old.text + old.length - at), name, length));
         at++)
        if (at > old.text && at[-1] == '"' && at + length < old.text + old.length && at[length] == '"')
            return true;
    return false;
}

/* ---- the new one ---- */

static enum haul_code entry_print(const struct manifest_entry *entry, bool facts, struct buffer *out,
                                  struct haul_error *err)
{
    if (!facts)
        return buffer_printf(out, err, "\"%s\"", entry->name);
    return buffer_printf(out, err, "{\"name\":\"%s\",\"rows\":%lld,\"bytes\":%lld}", entry->name,
                         (long long)entry->rows, (long long)entry->bytes);
}

static enum haul_code list_print(const struct manifest *manifest, bool facts, struct slice old,
                                 struct buffer *out, struct haul_error *err)
{
    bool first = old.length == 0;
    enum haul_code code = buffer_append(out, "\n", 1, err);
    if (!code && !first)
        code = buffer_append(out, old.text, old.length, err);
    for (size_t i = 0; i < manifest->count && !code; i++) {
        if (old_has(old, manifest->entries[i].name))
            continue;
        code = buffer_append(out, ",\n", first ? 0 : 2, err);
        if (!code)
            code = entry_print(&manifest->entries[i], facts, out, err);
        first = false;
    }
    return code ? code : buffer_append(out, "\n", 1, err);
}

/* `text` with its empty array `key` filled, or as it is. */
static enum haul_code list_fill(const struct manifest *manifest, const char *key, struct slice text,
                                struct slice old, struct buffer *out, struct haul_error *err)
{
    struct slice place;
    if (!array_find(key, text, &place) || place.length > 0)
        return buffer_append(out, text.text, text.length, err);
    size_t before = (size_t)(place.text - text.text);
    enum haul_code code = buffer_append(out, text.text, before, err);
    if (!code)
        code = list_print(manifest, strcmp(key, FILES) == 0, old, out, err);
    if (!code)
        code = buffer_append(out, place.text, text.length - before, err);
    return code;
}

static enum haul_code manifest_print(const struct manifest *manifest, const struct lists *old,
                                     struct buffer *out, struct haul_error *err)
{
    struct buffer half = {0};
    struct slice text = {manifest->text, strlen(manifest->text)};
    enum haul_code code = list_fill(manifest, ENTRIES, text, old->entries, &half, err);
    text = (struct slice){(const char *)half.data, half.length};
    if (!code)
        code = list_fill(manifest, FILES, text, old->files, out, err);
    buffer_release(&half);
    return code;
}

static enum haul_code manifest_put(const struct manifest *manifest, const struct buffer *bytes,
                                   const struct context *context, struct haul_error *err)
{
    const struct store_ops *store = store_for(manifest->path);
    struct output_file *file = NULL;
    enum haul_code code = store->remove(manifest->temp, err);
    if (!code)
        code = store->create(manifest->path, manifest->temp, context, &file, err);
    if (code)
        return code;
    code = file->ops->append(file, bytes->data, bytes->length, err);
    if (!code)
        code = file->ops->publish(file, true, err);
    if (code)
        file->ops->close(file);
    return code;
}

enum haul_code file_manifest_write(const struct manifest *manifest, const struct context *context,
                                   struct haul_error *err)
{
    struct buffer old_bytes = {0}, bytes = {0};
    struct lists old = {{"", 0}, {"", 0}};
    enum haul_code code = manifest->keep ? old_read(manifest->path, context, &old_bytes, err) : HAUL_OK;
    if (!code)
        code = old_lists(manifest->path, &old_bytes, &old, err);
    if (!code)
        code = manifest_print(manifest, &old, &bytes, err);
    if (!code)
        code = manifest_put(manifest, &bytes, context, err);
    buffer_release(&old_bytes);
    buffer_release(&bytes);
    return code;
}
