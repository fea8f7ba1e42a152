/*
 * type.c: the type table, and fields and schemas made of its types.
 *
 * The table is the only place that knows which layout and width a type has;
 * everything else asks it. A schema owns its fields and all their texts in one
 * arena, so that it is copied, moved and released as one. How types are
 * written as text is type_text.c.
 *
 * Nesting is limited to TYPE_DEPTH_MAX by those who make fields out of foreign
 * text or foreign schemas (type_text.c, import.c); the recursions here rely on it.
 */
#include "batch/type.h"

#include "base/settings.h"
#include <string.h>
#include <strings.h>

const struct type_info type_table[TYPE_COUNT] = {
    [TYPE_NULL] = {"null", LAYOUT_NONE, 0},
    [TYPE_BOOL] = {"bool", LAYOUT_BITS, 0},
    [TYPE_INT8] = {"int8", LAYOUT_FIXED, 1},
    [TYPE_INT16] = {"int16", LAYOUT_FIXED, 2},
    [TYPE_INT32] = {"int32", LAYOUT_FIXED, 4},
    [TYPE_INT64] = {"int64", LAYOUT_FIXED, 8},
    [TYPE_UINT8] = {"uint8", LAYOUT_FIXED, 1},
    [TYPE_UINT16] = {"uint16", LAYOUT_FIXED, 2},
    [TYPE_UINT32] = {"uint32", LAYOUT_FIXED, 4},
    [TYPE_UINT64] = {"uint64", LAYOUT_FIXED, 8},
    [TYPE_FLOAT16] = {"float16", LAYOUT_FIXED, 2},
    [TYPE_FLOAT32] = {"float32", LAYOUT_FIXED, 4},
    [TYPE_FLOAT64] = {"float64", LAYOUT_FIXED, 8},
    [TYPE_DECIMAL] = {"decimal", LAYOUT_FIXED, 16},
    [TYPE_DATE] = {"date", LAYOUT_FIXED, 4},
    [TYPE_TIME] = {"time", LAYOUT_FIXED, 0},
    [TYPE_TIMESTAMP] = {"timestamp", LAYOUT_FIXED, 8},
    [TYPE_DURATION] = {"duration", LAYOUT_FIXED, 8},
    [TYPE_UTF8] = {"utf8", LAYOUT_BYTES, 0},
    [TYPE_BINARY] = {"binary", LAYOUT_BYTES, 0},
    [TYPE_FIXED_BINARY] = {"fixed_binary", LAYOUT_FIXED, 0},
    [TYPE_LIST] = {"list", LAYOUT_LIST, 0},
    [TYPE_STRUCT] = {"struct", LAYOUT_STRUCT, 0},
    [TYPE_MAP] = {"map", LAYOUT_LIST, 0},
};

int field_width(const struct field *field)
{
    if (field->type == TYPE_TIME)
        return field->unit <= TIME_MILLI ? 4 : 8;
    if (field->type == TYPE_FIXED_BINARY)
        return field->width;
    return type_table[field->type].width;
}

static bool field_equal_parameters(const struct field *a, const struct field *b)
{
    switch (a->type) {
    case TYPE_DECIMAL:
        return a->precision == b->precision && a->scale == b->scale;
    case TYPE_TIMESTAMP:
        return a->unit == b->unit && !a->timezone == !b->timezone;
    case TYPE_TIME:
    case TYPE_DURATION:
        return a->unit == b->unit;
    case TYPE_FIXED_BINARY:
        return a->width == b->width;
    default:
        return true;
    }
}

bool field_equal(const struct field *a, const struct field *b, bool names)
{
    if (a->type != b->type || a->child_count != b->child_count || !field_equal_parameters(a, b))
        return false;
    if (names && strcmp(a->name ? a->name : "", b->name ? b->name : ""))
        return false;
    /* What the item of a list or the parts of a map are called says nothing. */
    bool child_names = names && a->type == TYPE_STRUCT;
    for (int i = 0; i < a->child_count; i++) {
        const struct field *x = &a->children[i], *y = &b->children[i];
        if (a->type == TYPE_MAP && x->child_count == 2 && y->child_count == 2) {
            if (!field_equal(&x->children[0], &y->children[0], false) ||
                !field_equal(&x->children[1], &y->children[1], false))
                return false;
        } else if (!field_equal(x, y, child_names)) {
            return false;
        }
    }
    return true;
}

static enum haul_code copy_text(const char *from, struct arena *arena, const char **to,
                                struct haul_error *err)
{
    *to = arena_text(arena, from);
    return from && !*to ? error_nomem(err, "a schema") : HAUL_OK;
}

enum haul_code field_copy(const struct field *from, struct arena *arena, struct field *to,
                          struct haul_error *err)
{
    struct field copy = *from;
    copy.children = NULL;
    if (copy_text(from->name, arena, &copy.name, err) ||
        copy_text(from->timezone, arena, &copy.timezone, err) ||
        copy_text(from->sql_type, arena, &copy.sql_type, err) ||
        copy_text(from->extension, arena, &copy.extension, err) ||
        copy_text(from->collation, arena, &copy.collation, err))
        return err->code;
    if (from->child_count > 0) {
        copy.children = arena_alloc_array(arena, (size_t)from->child_count, sizeof *copy.children);
        if (!copy.children)
            return error_nomem(err, "a schema");
    }
    for (int i = 0; i < from->child_count; i++)
        if (field_copy(&from->children[i], arena, &copy.children[i], err))
            return err->code;
    *to = copy;
    return HAUL_OK;
}

void schema_release(struct schema *schema)
{
    arena_release(&schema->arena);
    schema->fields = NULL;
    schema->count = 0;
}

enum haul_code schema_init(struct schema *schema, int count, struct haul_error *err)
{
    memset(schema, 0, sizeof *schema);
    if (count < 0)
        return error_set(err, HAUL_INTERNAL, "a schema of %d columns was asked for", count);
    schema->fields = arena_alloc_array(&schema->arena, count ? (size_t)count : 1, sizeof *schema->fields);
    if (!schema->fields)
        return error_nomem(err, "a schema");
    schema->count = count;
    return HAUL_OK;
}

/* Fields places[0..count) of `from`, or the first `count` when NULL. */
static enum haul_code schema_pick(const struct schema *from, const int *places, int count, struct schema *to,
                                  struct haul_error *err)
{
    struct schema copy = {0};
    enum haul_code code = schema_init(&copy, count, err);
    for (int i = 0; !code && i < count; i++)
        code = field_copy(&from->fields[places ? places[i] : i], &copy.arena, &copy.fields[i], err);
    if (code) {
        schema_release(&copy);
        return code;
    }
    *to = copy;
    return HAUL_OK;
}

enum haul_code schema_copy(const struct schema *from, struct schema *to, struct haul_error *err)
{
    return schema_pick(from, NULL, from->count, to, err);
}

int schema_find(const struct schema *schema, const char *name)
{
    for (int i = 0; i < schema->count; i++)
        if (!strcmp(schema->fields[i].name, name))
            return i;
    return -1;
}

int schema_find_alike(const struct schema *schema, const char *name)
{
    int found = schema_find(schema, name), alike = 0;
    for (int i = 0, exact = found; exact < 0 && i < schema->count; i++)
        if (!strcasecmp(schema->fields[i].name, name)) {
            found = i;
            alike++;
        }
    return alike > 1 ? -1 : found;
}

static enum haul_code unknown_column(const struct schema *schema, const char *name, struct haul_error *err)
{
    char near[256] = "";
    struct arena arena = {0};
    const char **names = arena_alloc_array(&arena, (size_t)schema->count + 1, sizeof *names);
    if (names) {
        for (int i = 0; i < schema->count; i++)
            names[i] = schema->fields[i].name;
        settings_near(name, names, (size_t)schema->count, near, sizeof near);
    }
    arena_release(&arena);
    if (near[0])
        return error_set(err, HAUL_NOT_FOUND, "there is no column \"%s\"; near to it: %s", name, near);
    return error_set(err, HAUL_NOT_FOUND, "there is no column \"%s\" among the %d columns", name,
                     schema->count);
}

enum haul_code schema_select(const struct schema *from, const char *const *names, int count,
                             struct schema *to, int *places, struct haul_error *err)
{
    for (int i = 0; i < count; i++) {
        places[i] = schema_find(from, names[i]);
        if (places[i] < 0)
            return unknown_column(from, names[i], err);
        for (int j = 0; j < i; j++)
            if (places[j] == places[i])
                return error_set(err, HAUL_USAGE, "column \"%s\" is named twice", names[i]);
    }
    return schema_pick(from, places, count, to, err);
}
