/*
 * export.c: our schema as an ArrowSchema.
 *
 * Everything one ArrowSchema owns (its name, format, metadata, child table) is
 * in one arena behind its private_data; children have their own, so that a
 * consumer may move them out. Metadata carries what Arrow's own format cannot
 * say: haul.sql_type, and the names of extension types.
 */
#include "batch/stream.h"

#include <stdio.h>
#include <string.h>

#define FORMAT_BYTES 128

static const char *const plain_formats[TYPE_COUNT] = {
    [TYPE_NULL] = "n",    [TYPE_BOOL] = "b",    [TYPE_INT8] = "c",    [TYPE_INT16] = "s",
    [TYPE_INT32] = "i",   [TYPE_INT64] = "l",   [TYPE_UINT8] = "C",   [TYPE_UINT16] = "S",
    [TYPE_UINT32] = "I",  [TYPE_UINT64] = "L",  [TYPE_FLOAT16] = "e", [TYPE_FLOAT32] = "f",
    [TYPE_FLOAT64] = "g", [TYPE_DATE] = "tdD",  [TYPE_UTF8] = "u",    [TYPE_BINARY] = "z",
    [TYPE_LIST] = "+l",   [TYPE_STRUCT] = "+s", [TYPE_MAP] = "+m",
};

static void print_format(const struct field *field, char out[FORMAT_BYTES])
{
    char unit = "smun"[field->unit];
    switch (field->type) {
    case TYPE_DECIMAL:
        snprintf(out, FORMAT_BYTES, "d:%d,%d", field->precision, field->scale);
        break;
    case TYPE_TIME:
        snprintf(out, FORMAT_BYTES, "tt%c", unit);
        break;
    case TYPE_TIMESTAMP:
        snprintf(out, FORMAT_BYTES, "ts%c:%s", unit, field->timezone ? field->timezone : "");
        break;
    case TYPE_DURATION:
        snprintf(out, FORMAT_BYTES, "tD%c", unit);
        break;
    case TYPE_FIXED_BINARY:
        snprintf(out, FORMAT_BYTES, "w:%d", field->width);
        break;
    default:
        snprintf(out, FORMAT_BYTES, "%s", plain_formats[field->type]);
    }
}

/* int32 count, then key and value, each an int32 length and its bytes. */
static size_t put_pair(char *out, const char *key, const char *value)
{
    const char *texts[] = {key, value};
    size_t at = 0;
    for (int i = 0; i < 2; i++) {
        int32_t length = (int32_t)strlen(texts[i]);
        memcpy(out + at, &length, sizeof length);
        memcpy(out + at + sizeof length, texts[i], (size_t)length);
        at += sizeof length + (size_t)length;
    }
    return at;
}

static enum haul_code make_metadata(const struct field *field, struct arena *arena, const char **out,
                                    struct haul_error *err)
{
    static const char *const keys[] = {"ARROW:extension:name", "ARROW:extension:metadata", "haul.sql_type"};
    const char *values[] = {field->extension, field->extension ? "" : NULL, field->sql_type};
    int32_t count = 0;
    size_t size = sizeof count;
    for (int i = 0; i < 3; i++) {
        count += values[i] != NULL;
        size += values[i] ? 2 * sizeof(int32_t) + strlen(keys[i]) + strlen(values[i]) : 0;
    }
    *out = NULL;
    if (!count)
        return HAUL_OK;
    char *metadata = arena_alloc(arena, size);
    if (!metadata)
        return error_nomem(err, "a schema");
    memcpy(metadata, &count, sizeof count);
    size_t at = sizeof count;
    for (int i = 0; i < 3; i++)
        if (values[i])
            at += put_pair(metadata + at, keys[i], values[i]);
    *out = metadata;
    return HAUL_OK;
}

static void release_schema(struct ArrowSchema *schema)
{
    struct arena *arena = schema->private_data;
    for (int64_t i = 0; i < schema->n_children; i++)
        if (schema->children[i] && schema->children[i]->release)
            schema->children[i]->release(schema->children[i]);
    arena_release(arena);
    memory_free(NULL, arena, sizeof *arena);
    memset(schema, 0, sizeof *schema);
}

static enum haul_code fill(const struct field *field, struct arena *arena, struct ArrowSchema *made,
                           struct haul_error *err)
{
    char format[FORMAT_BYTES];
    print_format(field, format);
    made->format = arena_text(arena, format);
    made->name = arena_text(arena, field->name ? field->name : "");
    made->flags = field->nullable ? ARROW_FLAG_NULLABLE : 0;
    if (!made->format || !made->name)
        return error_nomem(err, "a schema");
    return make_metadata(field, arena, &made->metadata, err);
}

static enum haul_code export_field(const struct field *field, struct ArrowSchema *out,
                                   struct haul_error *err);

/* n_children counts those that are there, so that a release in between is right. */
static enum haul_code export_children(const struct field *field, struct arena *arena,
                                      struct ArrowSchema *made, struct haul_error *err)
{
    size_t count = (size_t)field->child_count;
    if (!count)
        return HAUL_OK;
    made->children = arena_alloc_array(arena, count, sizeof *made->children);
    struct ArrowSchema *children = arena_alloc_array(arena, count, sizeof *children);
    if (!made->children || !children)
        return error_nomem(err, "a schema");
    for (size_t i = 0; i < count; i++) {
        made->children[i] = &children[i];
        if (export_field(&field->children[i], &children[i], err))
            return err->code;
        made->n_children++;
    }
    return HAUL_OK;
}

static enum haul_code export_field(const struct field *field, struct ArrowSchema *out, struct haul_error *err)
{
    struct arena *arena = memory_alloc(NULL, sizeof *arena);
    if (!arena)
        return error_nomem(err, "a schema");
    *arena = (struct arena){0};
    struct ArrowSchema made = {.release = release_schema, .private_data = arena};
    if (fill(field, arena, &made, err) || export_children(field, arena, &made, err)) {
        release_schema(&made);
        return err->code;
    }
    *out = made;
    return HAUL_OK;
}

enum haul_code schema_export(const struct schema *schema, struct ArrowSchema *out, struct haul_error *err)
{
    struct field root = {
        .name = "", .type = TYPE_STRUCT, .children = schema->fields, .child_count = schema->count};
    return export_field(&root, out, err);
}
