/*
 * manifest.c: reading what src/transfer/manifest.c writes, and what others made
 * in its image.
 *
 * Version 2 is an object, of files or of tables; version 1 an array of files. A
 * manifest may come from elsewhere and is believed in nothing: it names files
 * of its own folder and below, no others. A name that is absolute, has "..", or
 * passes a link is refused, so is one that stands there twice (its rows would be
 * there twice) and a file whose size is another. JSON is jansson's; the text has
 * at most MANIFEST_BYTES_MAX, a member stands in an object once.
 */
#include "manifest.h"
#include "base/file.h"
#include "batch/hash.h"
#include <jansson.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define MANIFEST_BYTES_MAX ((int64_t)64 << 20)
#define MANIFEST_SUFFIX    ".json"
#define MANIFEST_END       "_manifest.json"
#define COLUMNS_MAX        100000

void manifest_listing_release(struct manifest_listing *listing)
{
    schema_release(&listing->sums.schema);
    *listing = (struct manifest_listing){0};
}

bool manifest_is_named(const char *word)
{
    size_t length = strlen(word), suffix = sizeof MANIFEST_SUFFIX - 1;
    return length > suffix && strcasecmp(word + length - suffix, MANIFEST_SUFFIX) == 0;
}

/* ---- names ---- */

/* Why a name is none of a file below the folder; NULL: it is. */
static const char *file_wrong(const char *name)
{
    if (!*name)
        return "is empty";
    if (strpbrk(name, "\n\r"))
        return "has a control character in it";
    if (name[0] == '/')
        return "is absolute; a manifest lists files of its own folder";
    for (const char *part = name;;) {
        size_t bytes = strcspn(part, "/");
        if (bytes == 2 && strncmp(part, "..", 2) == 0)
            return "leaves the manifest's folder (..)";
        if (bytes > NAME_MAX)
            return "has a part that is too long for the name of a file";
        if (bytes == 0 || (bytes == 1 && part[0] == '.'))
            return "is not written plainly (an empty or . part)";
        if (!part[bytes])
            return NULL;
        part += bytes + 1;
    }
}

/* PyButt's rule: schema.table, of letters, digits and _. */
static const char *table_wrong(const char *name)
{
    int parts = 0;
    for (const char *part = name;; parts++) {
        size_t length = strspn(part, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_0123456789");
        bool digit = *part >= '0' && *part <= '9';
        if (length == 0 || length > NAME_MAX || digit || parts > 1 || (part[length] && part[length] != '.'))
            return "is no table as a manifest names it: schema.table, of letters, digits and _";
        if (!part[length])
            return parts == 1 ? NULL : "names no schema: schema.table";
        part += length + 1;
    }
}

static int entry_compare(const void *a, const void *b)
{
    const struct manifest_entry *left = a, *right = b;
    return strcmp(left->name, right->name);
}

static enum haul_code check_twice(const struct manifest_listing *listing, struct haul_error *err)
{
    size_t size = listing->count * sizeof *listing->entries;
    struct manifest_entry *sorted = malloc(size ? size : 1);
    enum haul_code code = HAUL_OK;
    if (!sorted)
        return error_nomem(err, "a manifest");
    if (size)
        memcpy(sorted, listing->entries, size);
    qsort(sorted, listing->count, sizeof *sorted, entry_compare);
    for (size_t i = 1; !code && i < listing->count; i++)
        if (strcmp(sorted[i - 1].name, sorted[i].name) == 0)
            code = error_set(err, HAUL_DATA, "\"%.200s\" is listed twice; its rows would be there twice",
                             sorted[i].name);
    free(sorted);
    return code;
}

/* ---- JSON ---- */

/* A count that is not said is -1. */
static enum haul_code number_get(const json_t *object, const char *key, int64_t *number,
                                 struct haul_error *err)
{
    const json_t *value = json_object_get(object, key);
    *number = value ? (int64_t)json_integer_value(value) : -1;
    if (value && (!json_is_integer(value) || *number < 0))
        return error_set(err, HAUL_DATA, "\"%s\" is no count", key);
    return HAUL_OK;
}

/* "a.parquet", or {"name":"a.parquet","rows":1,"bytes":9}. */
static enum haul_code entry_get(const json_t *value, size_t place, struct arena *arena,
                                struct manifest_entry *entry, struct haul_error *err)
{
    const json_t *name = json_is_string(value) ? value : json_object_get(value, "name");
    if (!json_is_string(name))
        return error_set(err, HAUL_DATA, "entry %zu is no name and has no \"name\"", place);
    if (json_string_length(name) != strlen(json_string_value(name)))
        return error_set(err, HAUL_DATA, "entry %zu has a control character in it", place);
    if (number_get(value, "rows", &entry->rows, err) || number_get(value, "bytes", &entry->bytes, err))
        return error_prefix(err, "entry %zu", place);
    entry->name = arena_text(arena, json_string_value(name));
    return entry->name ? HAUL_OK : error_nomem(err, "a manifest");
}

static enum haul_code name_check(const struct manifest_listing *listing, size_t place, struct haul_error *err)
{
    const char *name = listing->entries[place].name;
    const char *wrong = listing->tables ? table_wrong(name) : file_wrong(name);
    return wrong ? error_set(err, HAUL_DATA, "entry %zu: \"%.200s\" %s", place, name, wrong) : HAUL_OK;
}

/* Entries that are names alone have their facts in a list beside, "files". */
static enum haul_code facts_get(const json_t *root, struct manifest_listing *listing, struct haul_error *err)
{
    size_t i;
    const json_t *one;
    json_t *by_name = json_object();
    enum haul_code code = by_name ? HAUL_OK : error_nomem(err, "a manifest");
    json_array_foreach(json_object_get(root, "files"), i, one)
    {
        const char *name = json_string_value(json_object_get(one, "name"));
        if (code == HAUL_OK && name && json_object_set(by_name, name, (json_t *)(uintptr_t)one))
            code = error_nomem(err, "a manifest");
    }
    for (i = 0; code == HAUL_OK && i < listing->count; i++) {
        struct manifest_entry *entry = &listing->entries[i];
        one = json_object_get(by_name, entry->name);
        if (one &&
            (number_get(one, "rows", &entry->rows, err) || number_get(one, "bytes", &entry->bytes, err)))
            code = error_prefix(err, "file \"%.200s\"", entry->name);
    }
    json_decref(by_name);
    return code;
}

/* Version 1 is the array alone, or an object that says so. */
static enum haul_code kind_get(const json_t *root, const json_t **entries, struct manifest_listing *listing,
                               struct haul_error *err)
{
    const json_t *version = json_object_get(root, "version"), *kind = json_object_get(root, "type");
    int64_t number = json_is_array(root) ? 1 : json_integer_value(version);
    *entries = json_is_array(root) ? root : json_object_get(root, "entries");
    const char *type = kind ? json_string_value(kind) : number == 1 ? "files" : NULL;
    if (json_is_integer(version) && number != 1 && number != 2)
        return error_set(err, HAUL_UNSUPPORTED, "a manifest of version %lld; haul reads versions 1 and 2",
                         (long long)number);
    listing->tables = type && strcmp(type, "tables") == 0 && number == 2;
    if (json_is_array(*entries) && number && type && (listing->tables || strcmp(type, "files") == 0))
        return HAUL_OK;
    return error_set(
        err, HAUL_DATA,
        "it is not a manifest ({\"version\":2,\"type\":\"files\" or \"tables\",\"entries\":[...]})");
}

static enum haul_code entries_get(const json_t *root, struct arena *arena, struct manifest_listing *listing,
                                  struct haul_error *err)
{
    const json_t *entries;
    if (kind_get(root, &entries, listing, err))
        return err->code;
    listing->count = json_array_size(entries);
    listing->entries = arena_alloc_array(arena, listing->count + 1, sizeof *listing->entries);
    if (!listing->entries)
        return error_nomem(err, "a manifest");
    for (size_t i = 0; i < listing->count; i++)
        if (entry_get(json_array_get(entries, i), i, arena, &listing->entries[i], err) ||
            name_check(listing, i, err))
            return err->code;
    return facts_get(root, listing, err) ? err->code : check_twice(listing, err);
}

static enum haul_code column_get(const json_t *value, struct arena *arena, struct field *field,
                                 struct haul_error *err)
{
    const char *name = json_string_value(json_object_get(value, "name"));
    const char *type = json_string_value(json_object_get(value, "type"));
    if (!name || !type)
        return error_set(err, HAUL_DATA, "a column has no \"name\" or no \"type\"");
    if (field_parse_type(type, arena, field, err))
        return error_prefix(err, "column \"%.100s\"", name);
    field->name = arena_text(arena, name);
    field->nullable = true;
    return field->name ? HAUL_OK : error_nomem(err, "a manifest");
}

static enum haul_code columns_get(const json_t *root, struct schema *schema, struct haul_error *err)
{
    const json_t *columns = json_object_get(root, "columns");
    size_t count = json_array_size(columns);
    if (count > COLUMNS_MAX)
        return error_set(err, HAUL_LIMIT, "more than %d columns", COLUMNS_MAX);
    if (schema_init(schema, (int)count, err))
        return err->code;
    for (size_t i = 0; i < count; i++)
        if (column_get(json_array_get(columns, i), &schema->arena, &schema->fields[i], err))
            return err->code;
    return HAUL_OK;
}

/* The run's sums are those of the listed files only if it wrote all of them: an
 * append lists older ones, too. */
static enum haul_code sums_get(const json_t *root, struct manifest_listing *listing, struct haul_error *err)
{
    const char *hash = json_string_value(json_object_get(root, "hash"));
    int64_t rows = 0;
    if (number_get(root, "rows", &listing->sums.rows, err))
        return err->code;
    for (size_t i = 0; i < listing->count; i++)
        if (listing->entries[i].rows < 0 || __builtin_add_overflow(rows, listing->entries[i].rows, &rows))
            return HAUL_OK;
    if (!hash || rows != listing->sums.rows)
        return HAUL_OK;
    if (!hash_parse(hash, &listing->sums.hash))
        return error_set(err, HAUL_DATA, "\"hash\" is no hash");
    listing->hashed = true;
    return columns_get(root, &listing->sums.schema, err);
}

static bool is_summary(const json_t *root)
{
    const char *type = json_string_value(json_object_get(root, "type"));
    return type && strcmp(type, "summary") == 0;
}

/* What docs/json.md says of --summary. */
static enum haul_code summary_get(const json_t *root, struct manifest_listing *listing,
                                  struct haul_error *err)
{
    const char *hash = json_string_value(json_object_get(root, "hash"));
    listing->summary = listing->hashed = true;
    if (!hash || !json_object_get(root, "rows"))
        return error_set(err, HAUL_DATA, "a summary has \"rows\" and \"hash\"");
    if (json_object_get(root, "error"))
        return error_set(err, HAUL_USAGE, "it is the summary of a run that did not get done");
    if (!*hash)
        return error_set(err, HAUL_USAGE,
                         "it is the summary of a run that looked at no values (combine): there is no hash");
    if (!hash_parse(hash, &listing->sums.hash))
        return error_set(err, HAUL_DATA, "\"hash\" is no hash");
    return number_get(root, "rows", &listing->sums.rows, err);
}

/* Both kinds, or manifests alone. */
static enum haul_code text_parse(const char *text, size_t length, struct arena *arena, bool summaries,
                                 struct manifest_listing *listing, struct haul_error *err)
{
    json_error_t wrong;
    *listing = (struct manifest_listing){0};
    json_t *root = json_loadb(text, length, JSON_REJECT_DUPLICATES, &wrong);
    if (!root)
        return error_set(err, HAUL_DATA, "line %d: it is not JSON: %s", wrong.line, wrong.text);
    enum haul_code code = HAUL_OK;
    if (is_summary(root) && summaries)
        code = summary_get(root, listing, err);
    else if (is_summary(root))
        code =
            error_set(err, HAUL_USAGE,
                      "it is the summary of a run, which lists no files; haul verify takes it as a source");
    else
        code = entries_get(root, arena, listing, err) ? err->code : sums_get(root, listing, err);
    json_decref(root);
    return code;
}

enum haul_code manifest_parse(const char *text, size_t length, struct arena *arena,
                              struct manifest_listing *listing, struct haul_error *err)
{
    return text_parse(text, length, arena, false, listing, err);
}

enum haul_code manifest_sums_parse(const char *text, size_t length, struct arena *arena,
                                   struct manifest_listing *listing, struct haul_error *err)
{
    return text_parse(text, length, arena, true, listing, err);
}

/* ---- files ---- */

static enum haul_code text_read(struct file *file, char **text, size_t *length, struct haul_error *err)
{
    struct file_identity identity;
    if (file_identify(file, &identity, err))
        return err->code;
    if (identity.size > MANIFEST_BYTES_MAX)
        return error_set(err, HAUL_LIMIT, "%s has more than %lld MiB: it is no manifest", file->path,
                         (long long)(MANIFEST_BYTES_MAX >> 20));
    *text = malloc((size_t)identity.size + 1);
    if (!*text)
        return error_nomem(err, "a manifest");
    return file_read_at(file, 0, *text, (size_t)identity.size, length, err);
}

static enum haul_code path_parse(const char *path, struct arena *arena, bool summaries,
                                 struct manifest_listing *listing, struct haul_error *err)
{
    struct file file = {.fd = -1};
    char *text = NULL;
    size_t length = 0;
    if (file_open(&file, path, FILE_READ, err))
        return err->code;
    enum haul_code code = text_read(&file, &text, &length, err);
    if (!code && text_parse(text, length, arena, summaries, listing, err))
        code = error_prefix(err, "%s", path);
    free(text);
    file_close(&file);
    return code;
}

enum haul_code manifest_read(const char *path, struct arena *arena, struct manifest_listing *listing,
                             struct haul_error *err)
{
    return path_parse(path, arena, false, listing, err);
}

enum haul_code manifest_sums_read(const char *path, struct arena *arena, struct manifest_listing *listing,
                                  struct haul_error *err)
{
    return path_parse(path, arena, true, listing, err);
}

static enum haul_code entry_append(const char *folder, const struct manifest_entry *entry,
                                   struct buffer *list, struct haul_error *err)
{
    int64_t size = 0;
    if (path_beneath(folder, entry->name, &size, err))
        return err->code;
    if (entry->bytes >= 0 && entry->bytes != size)
        return error_set(err, HAUL_INTEGRITY, "%s has %lld bytes, by the manifest %lld: it is another file",
                         entry->name, (long long)size, (long long)entry->bytes);
    bool here = strcmp(folder, ".") == 0;
    return buffer_printf(list, err, "%s%s%s%s", list->length ? "\n" : "", here ? "" : folder,
                         here || folder[strlen(folder) - 1] == '/' ? "" : "/", entry->name);
}

static const char *table_of(const char *path, struct arena *arena)
{
    const char *slash = strrchr(path, '/'), *base = slash ? slash + 1 : path;
    size_t length = strlen(base), end = sizeof MANIFEST_END - 1, suffix = sizeof MANIFEST_SUFFIX - 1;
    bool long_end = length > end && strcasecmp(base + length - end, MANIFEST_END) == 0;
    return arena_text_n(arena, base, length - (long_end ? end : suffix));
}

enum haul_code manifest_files(const char *path, struct arena *arena, const char **files, const char **table,
                              struct haul_error *err)
{
    struct manifest_listing listing = {0};
    struct buffer list = {0};
    const char *slash = strrchr(path, '/');
    const char *folder = slash ? arena_text_n(arena, path, slash == path ? 1 : (size_t)(slash - path)) : ".";
    *table = table_of(path, arena);
    if (!folder || !*table)
        return error_nomem(err, "a manifest");
    bool read = !manifest_read(path, arena, &listing, err);
    enum haul_code code = read ? HAUL_OK : err->code;
    if (read && listing.tables)
        code = error_set(
            err, HAUL_USAGE,
            "it lists tables of a server, not files; haul combine takes it, with --server and --table");
    else if (read && listing.count == 0)
        code = error_set(err, HAUL_DATA, "the manifest lists no files");
    for (size_t i = 0; !code && i < listing.count; i++)
        code = entry_append(folder, &listing.entries[i], &list, err);
    if (!code && !(*files = arena_text_n(arena, (const char *)list.data, list.length)))
        code = error_nomem(err, "a manifest");
    buffer_release(&list);
    manifest_listing_release(&listing);
    return code && read ? error_prefix(err, "%s", path) : code;
}
