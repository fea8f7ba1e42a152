/*
 * schema.c: what schema_read.c and schema_write.c share: the path of a leaf, and
 * the lines under "haul.sql_types".
 */
#include "format/parquet/schema.h"
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
