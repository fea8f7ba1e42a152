/*
 * schema.c: what schema_read.c and schema_write.c share: the path of a leaf, and
 * the lines under "haul.sql_types".
 */
#include "format/parquet/schema.h"
#include "base/unicode.h"
#include <stdio.h>

size_t schema_path(const struct tree *tree, int leaf, struct slice path[SCHEMA_PATH_MAX])
{
    int32_t places[SCHEMA_PATH_MAX];
    size_t count = 0;
    int32_t place = (int32_t)(tree->leaves[leaf]->element - tree->elements);
    for (; place > 0 && count < SCHEMA_PATH_MAX; place = tree->parents[place])
        places[count++] = place;
    for (size_t i = 0; i < count; i++)
        path[i] = tree->elements[places[count - 1 - i]].name;
    return count;
}

void schema_path_print(const struct tree *tree, int leaf, char *out, size_t out_bytes)
{
    struct slice path[SCHEMA_PATH_MAX];
    size_t count = schema_path(tree, leaf, path), used = 0;
    out[0] = 0;
    for (size_t i = 0; i < count && used + 1 < out_bytes; i++) {
        int printed = snprintf(out + used, out_bytes - used, "%s%.*s", i ? "." : "", (int)path[i].length,
                               (const char *)path[i].data);
        used += printed < 0 ? 0 : (size_t)printed;
    }
}

static enum haul_code name_escape(const char *name, struct buffer *out, struct haul_error *err)
{
    for (const char *c = name; *c; c++) {
        const char *escape = *c == '\t' ? "\\t" : *c == '\n' ? "\\n" : *c == '\\' ? "\\\\" : NULL;
        enum haul_code code = escape ? buffer_append(out, escape, 2, err) : buffer_append(out, c, 1, err);
        if (code)
            return code;
    }
    return HAUL_OK;
}

enum haul_code schema_sql_types_print(const struct schema *schema, struct buffer *out, struct haul_error *err)
{
    for (int i = 0; i < schema->count; i++) {
        const struct field *field = &schema->fields[i];
        if (!field->sql_type)
            continue;
        enum haul_code code = name_escape(field->name, out, err);
        if (!code)
            code = buffer_printf(out, err, "\t%s\n", field->sql_type);
        if (code)
            return code;
    }
    return HAUL_OK;
}

/* One line: "name\ttype". The name is unescaped into `name`. */
static enum haul_code line_apply(struct schema *schema, struct slice line, char *name, struct haul_error *err)
{
    const char *at = (const char *)line.data, *tab = memchr(at, '\t', line.length);
    size_t used = 0;
    if (!tab)
        return HAUL_OK;
    for (const char *c = at; c < tab; c++) {
        char next = *c == '\\' && c + 1 < tab ? *++c : 0;
        name[used++] = next == 't' ? '\t' : next == 'n' ? '\n' : *c;
    }
    name[used] = 0;
    int place = schema_find(schema, name);
    size_t rest = line.length - (size_t)(tab + 1 - at);
    if (place < 0 || rest == 0)
        return HAUL_OK;
    schema->fields[place].sql_type = arena_text_n(&schema->arena, tab + 1, rest);
    return schema->fields[place].sql_type ? HAUL_OK : error_nomem(err, "the schema");
}

static const struct key_value *sql_types_find(const struct file_metadata *file)
{
    static const char key[] = SCHEMA_SQL_TYPES_KEY;
    for (size_t i = 0; i < file->key_values.count; i++) {
        const struct key_value *kv = &file->key_values.items[i];
        if (kv->key.length == sizeof key - 1 && !memcmp(kv->key.data, key, sizeof key - 1) &&
            unicode_is_valid(kv->value.data, kv->value.length))
            return kv;
    }
    return NULL;
}

enum haul_code schema_sql_types_apply(const struct file_metadata *file, struct schema *schema,
                                      struct haul_error *err)
{
    const struct key_value *found = sql_types_find(file);
    if (!found || found->value.length == 0)
        return HAUL_OK;
    const uint8_t *at = found->value.data, *end = at + found->value.length;
    char *name = arena_alloc(&schema->arena, found->value.length + 1);
    enum haul_code code = name ? HAUL_OK : error_nomem(err, "the schema");
    while (!code && at < end) {
        const uint8_t *newline = memchr(at, '\n', (size_t)(end - at));
        const uint8_t *stop = newline ? newline : end;
        code = line_apply(schema, (struct slice){at, (size_t)(stop - at)}, name, err);
        at = newline ? newline + 1 : end;
    }
    return code;
}
