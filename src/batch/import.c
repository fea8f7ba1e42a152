/*
 * import.c: a foreign schema becomes a schema of ours and a plan of how its
 * arrays are turned.
 *
 * Format strings are those of the Arrow C data interface; those without
 * parameters stand in one table. A schema is trusted as far as C lets us no
 * choice (its pointers, the length of its metadata); everything that can be
 * checked is: nesting, counts of children, widths, names that are not UTF-8.
 * Unions have no place here and are refused.
 */
#include "batch/import.h"

#include "base/unicode.h"
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIXED_WIDTH_MAX    1048576
#define FIELDS_MAX         1048576
#define ZONE_LENGTH_MAX    63
#define METADATA_PAIRS_MAX 10000
#define METADATA_TEXT_MAX  (1 << 20)

/* Formats without parameters; the unit stands for those that have one. */
static const struct {
    const char *format;
    enum import_layout layout;
    int width;
    enum type_id type;
    enum time_unit unit;
} formats[] = {
    {"n", IMPORT_NULL, 0, TYPE_NULL, TIME_SECOND},
    {"b", IMPORT_BITS, 0, TYPE_BOOL, TIME_SECOND},
    {"c", IMPORT_FIXED, 1, TYPE_INT8, TIME_SECOND},
    {"C", IMPORT_FIXED, 1, TYPE_UINT8, TIME_SECOND},
    {"s", IMPORT_FIXED, 2, TYPE_INT16, TIME_SECOND},
    {"S", IMPORT_FIXED, 2, TYPE_UINT16, TIME_SECOND},
    {"i", IMPORT_FIXED, 4, TYPE_INT32, TIME_SECOND},
    {"I", IMPORT_FIXED, 4, TYPE_UINT32, TIME_SECOND},
    {"l", IMPORT_FIXED, 8, TYPE_INT64, TIME_SECOND},
    {"L", IMPORT_FIXED, 8, TYPE_UINT64, TIME_SECOND},
    {"e", IMPORT_FIXED, 2, TYPE_FLOAT16, TIME_SECOND},
    {"f", IMPORT_FIXED, 4, TYPE_FLOAT32, TIME_SECOND},
    {"g", IMPORT_FIXED, 8, TYPE_FLOAT64, TIME_SECOND},
    {"z", IMPORT_BYTES, 4, TYPE_BINARY, TIME_SECOND},
    {"Z", IMPORT_BYTES, 8, TYPE_BINARY, TIME_SECOND},
    {"vz", IMPORT_BYTES_VIEW, 16, TYPE_BINARY, TIME_SECOND},
    {"u", IMPORT_BYTES, 4, TYPE_UTF8, TIME_SECOND},
    {"U", IMPORT_BYTES, 8, TYPE_UTF8, TIME_SECOND},
    {"vu", IMPORT_BYTES_VIEW, 16, TYPE_UTF8, TIME_SECOND},
    {"tdD", IMPORT_FIXED, 4, TYPE_DATE, TIME_SECOND},
    {"tdm", IMPORT_DATE64, 8, TYPE_DATE, TIME_SECOND},
    {"tts", IMPORT_FIXED, 4, TYPE_TIME, TIME_SECOND},
    {"ttm", IMPORT_FIXED, 4, TYPE_TIME, TIME_MILLI},
    {"ttu", IMPORT_FIXED, 8, TYPE_TIME, TIME_MICRO},
    {"ttn", IMPORT_FIXED, 8, TYPE_TIME, TIME_NANO},
    {"tDs", IMPORT_FIXED, 8, TYPE_DURATION, TIME_SECOND},
    {"tDm", IMPORT_FIXED, 8, TYPE_DURATION, TIME_MILLI},
    {"tDu", IMPORT_FIXED, 8, TYPE_DURATION, TIME_MICRO},
    {"tDn", IMPORT_FIXED, 8, TYPE_DURATION, TIME_NANO},
    {"tiM", IMPORT_INTERVAL_MONTHS, 4, TYPE_UTF8, TIME_SECOND},
    {"tiD", IMPORT_INTERVAL_DAYS, 8, TYPE_UTF8, TIME_SECOND},
    {"tin", IMPORT_INTERVAL_NANOS, 16, TYPE_UTF8, TIME_SECOND},
    {"+l", IMPORT_LIST, 4, TYPE_LIST, TIME_SECOND},
    {"+L", IMPORT_LIST, 8, TYPE_LIST, TIME_SECOND},
    {"+vl", IMPORT_LIST_VIEW, 4, TYPE_LIST, TIME_SECOND},
    {"+vL", IMPORT_LIST_VIEW, 8, TYPE_LIST, TIME_SECOND},
    {"+s", IMPORT_STRUCT, 0, TYPE_STRUCT, TIME_SECOND},
    {"+m", IMPORT_LIST, 4, TYPE_MAP, TIME_SECOND},
    {"+r", IMPORT_RUN_END, 0, TYPE_NULL, TIME_SECOND},
};

enum haul_code import_malformed(const struct import_node *node, const char *what, struct haul_error *err)
{
    const char *name = node->field && node->field->name ? node->field->name : "";
    return error_set(err, HAUL_DATA, "Arrow column \"%s\": %s", name, what);
}

/* ---- formats ---- */

/* A decimal becomes ours when 38 digits before and behind the point hold it, else text. */
static bool parse_decimal(const char *text, struct import_node *node)
{
    int precision, scale, bits = 128, used = 0;
    if (sscanf(text, "%3d,%4d%n", &precision, &scale, &used) != 2)
        return false;
    if (text[used] == ',') {
        int more = 0;
        if (sscanf(text + used, ",%3d%n", &bits, &more) != 1)
            return false;
        used += more;
    }
    if (text[used] || precision < 1 || precision > 76 || scale < -76 || scale > 76 ||
        (bits != 32 && bits != 64 && bits != 128 && bits != 256))
        return false;
    int digits = scale < 0 ? precision - scale : precision > scale ? precision : scale;
    node->width = bits / 8;
    node->scale = scale;
    node->field->type = digits <= 38 ? TYPE_DECIMAL : TYPE_UTF8;
    if (node->field->type == TYPE_DECIMAL) {
        node->field->precision = digits;
        node->field->scale = scale < 0 ? 0 : scale;
    }
    node->layout =
        bits == 128 && scale >= 0 && digits == precision && digits <= 38 ? IMPORT_FIXED : IMPORT_DECIMAL;
    return true;
}

static bool parse_count(const char *text, int min, int *count)
{
    char *end;
    long value = strtol(text, &end, 10);
    *count = (int)value;
    return end != text && !*end && value >= min && value <= FIXED_WIDTH_MAX;
}

static bool parse_timestamp(const char *format, struct import_node *node, struct arena *arena)
{
    static const char units[] = "smun";
    const char *unit = format[2] ? strchr(units, format[2]) : NULL;
    if (!unit || format[3] != ':')
        return false;
    node->field->type = TYPE_TIMESTAMP;
    node->field->unit = (enum time_unit)(unit - units);
    node->layout = IMPORT_FIXED;
    node->width = 8;
    const char *zone = format + 4;
    size_t length = strlen(zone);
    if (!length)
        return true;
    for (size_t i = 0; i < length; i++)
        if (zone[i] <= ' ' || zone[i] > '~' || zone[i] == ']' || zone[i] == '"')
            return false;
    node->field->timezone = length <= ZONE_LENGTH_MAX ? arena_text(arena, zone) : NULL;
    return node->field->timezone != NULL;
}

bool import_parse_format(const char *format, struct import_node *node, struct arena *arena)
{
    struct field *field = node->field;
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++)
        if (!strcmp(format, formats[i].format)) {
            field->type = formats[i].type;
            field->unit = formats[i].unit;
            node->layout = formats[i].layout;
            node->width = formats[i].width;
            return true;
        }
    if (!strncmp(format, "d:", 2))
        return parse_decimal(format + 2, node);
    if (!strncmp(format, "ts", 2))
        return parse_timestamp(format, node, arena);
    if (!strncmp(format, "w:", 2)) {
        field->type = TYPE_FIXED_BINARY;
        node->layout = IMPORT_FIXED;
        bool good = parse_count(format + 2, 1, &field->width);
        node->width = field->width;
        return good;
    }
    if (!strncmp(format, "+w:", 3)) {
        field->type = TYPE_LIST;
        node->layout = IMPORT_LIST_FIXED;
        return parse_count(format + 3, 0, &node->width);
    }
    return false;
}

/* ---- metadata ---- */

static bool take_text(const char **at, const char **text, size_t *length)
{
    int32_t bytes;
    memcpy(&bytes, *at, sizeof bytes);
    if (bytes < 0 || bytes > METADATA_TEXT_MAX)
        return false;
    *text = *at + sizeof bytes;
    *length = (size_t)bytes;
    *at = *text + bytes;
    return true;
}

static bool key_is(const char *key, size_t length, const char *word)
{
    return strlen(word) == length && !memcmp(key, word, length);
}

static enum haul_code read_metadata(const char *metadata, struct field *field, struct arena *arena,
                                    struct haul_error *err)
{
    int32_t count = 0;
    if (metadata)
        memcpy(&count, metadata, sizeof count);
    if (count < 0 || count > METADATA_PAIRS_MAX)
        return error_set(err, HAUL_DATA, "Arrow column \"%s\": its metadata is malformed", field->name);
    const char *at = metadata + (metadata ? sizeof count : 0);
    for (int32_t i = 0; i < count; i++) {
        const char *key, *value;
        size_t key_length, value_length;
        if (!take_text(&at, &key, &key_length) || !take_text(&at, &value, &value_length))
            return error_set(err, HAUL_DATA, "Arrow column \"%s\": its metadata is malformed", field->name);
        const char **to = key_is(key, key_length, "ARROW:extension:name") ? &field->extension
                          : key_is(key, key_length, "haul.sql_type")      ? &field->sql_type
                                                                          : NULL;
        bool sound = to && !memchr(value, 0, value_length) &&
                     unicode_is_valid((const uint8_t *)value, value_length) && value_length;
        if (sound && !(*to = arena_text_n(arena, value, value_length)))
            return error_nomem(err, "a schema");
    }
    return HAUL_OK;
}

/* ---- the tree ---- */

struct planner {
    struct arena *fields, *nodes; /* ours to give away; the plan's own */
    int64_t count;
    struct haul_error *err;
};

static enum haul_code plan_field(struct planner *planner, const struct ArrowSchema *foreign, int depth,
                                 struct import_node *node);

static enum haul_code plan_children(struct planner *planner, const struct ArrowSchema *foreign, int depth,
                                    struct import_node *node)
{
    int count = (int)foreign->n_children;
    struct field *fields = arena_alloc_array(planner->fields, (size_t)count + 1, sizeof *fields);
    node->children = arena_alloc_array(planner->nodes, (size_t)count + 1, sizeof *node->children);
    if (!fields || !node->children)
        return error_nomem(planner->err, "a schema");
    node->child_count = count;
    for (int i = 0; i < count; i++) {
        node->children[i].field = &fields[i];
        if (plan_field(planner, foreign->children[i], depth + 1, &node->children[i]))
            return planner->err->code;
    }
    node->field->children = fields;
    node->field->child_count = count;
    return HAUL_OK;
}

/* The field becomes that of the values; its own name and nullability stay. */
static enum haul_code plan_values(struct planner *planner, const struct ArrowSchema *values, int depth,
                                  struct import_node *node)
{
    struct field own = *node->field;
    node->children = arena_alloc_array(planner->nodes, 1, sizeof *node->children);
    if (!node->children)
        return error_nomem(planner->err, "a schema");
    node->child_count = 1;
    node->children[0].field = node->field;
    *node->field = (struct field){0};
    if (plan_field(planner, values, depth + 1, &node->children[0]))
        return planner->err->code;
    node->field->name = own.name;
    node->field->nullable = own.nullable || node->field->nullable;
    if (own.extension)
        node->field->extension = own.extension;
    if (own.sql_type)
        node->field->sql_type = own.sql_type;
    return HAUL_OK;
}

static enum haul_code plan_dictionary(struct planner *planner, const struct ArrowSchema *foreign, int depth,
                                      struct import_node *node)
{
    enum type_id type = node->field->type;
    if (type < TYPE_INT8 || type > TYPE_UINT64)
        return import_malformed(node, "a dictionary's indices are not integers", planner->err);
    node->layout = IMPORT_DICTIONARY;
    node->is_unsigned = type >= TYPE_UINT8;
    return plan_values(planner, foreign->dictionary, depth, node);
}

static enum haul_code plan_run_ends(struct planner *planner, const struct ArrowSchema *foreign, int depth,
                                    struct import_node *node)
{
    struct field *ends = arena_alloc(planner->nodes, sizeof *ends);
    node->index = arena_alloc(planner->nodes, sizeof *node->index);
    if (!ends || !node->index)
        return error_nomem(planner->err, "a schema");
    node->index->field = ends;
    if (plan_field(planner, foreign->children[0], depth + 1, node->index) ||
        plan_values(planner, foreign->children[1], depth, node))
        return planner->err->code;
    if (ends->type < TYPE_INT16 || ends->type > TYPE_INT64)
        return import_malformed(node, "run ends are not integers", planner->err);
    return HAUL_OK;
}

static enum haul_code check_map(const struct import_node *node, struct haul_error *err)
{
    const struct field *entries = &node->field->children[0];
    if (entries->type != TYPE_STRUCT || entries->child_count != 2)
        return import_malformed(node, "a map's entries are not pairs", err);
    return HAUL_OK;
}

static enum haul_code plan_nested(struct planner *planner, const struct ArrowSchema *foreign, int depth,
                                  struct import_node *node)
{
    static const int child_counts[IMPORT_LAYOUT_COUNT] = {[IMPORT_LIST] = 1,
                                                          [IMPORT_LIST_VIEW] = 1,
                                                          [IMPORT_LIST_FIXED] = 1,
                                                          [IMPORT_STRUCT] = -1,
                                                          [IMPORT_RUN_END] = 2};
    int expected = child_counts[node->layout];
    if (expected >= 0 && foreign->n_children != expected)
        return import_malformed(node, "wrong number of children", planner->err);
    for (int64_t i = 0; i < foreign->n_children; i++)
        if (!foreign->children || !foreign->children[i] || !foreign->children[i]->release)
            return import_malformed(node, "a child is missing", planner->err);
    if (node->layout == IMPORT_RUN_END)
        return plan_run_ends(planner, foreign, depth, node);
    if (!expected)
        return HAUL_OK;
    if (plan_children(planner, foreign, depth, node))
        return planner->err->code;
    return node->field->type == TYPE_MAP ? check_map(node, planner->err) : HAUL_OK;
}

static enum haul_code plan_field(struct planner *planner, const struct ArrowSchema *foreign, int depth,
                                 struct import_node *node)
{
    struct haul_error *err = planner->err;
    const char *name = foreign->name ? foreign->name : "";
    if (!unicode_is_valid((const uint8_t *)name, strlen(name)))
        return error_set(err, HAUL_DATA, "the name of an Arrow column is not valid UTF-8");
    node->field->name = arena_text(planner->fields, name);
    if (!node->field->name)
        return error_nomem(err, "a schema");
    node->field->nullable = (foreign->flags & ARROW_FLAG_NULLABLE) != 0;
    if (depth > TYPE_DEPTH_MAX)
        return import_malformed(node, "more than 32 levels of nesting", err);
    if (++planner->count > FIELDS_MAX || foreign->n_children < 0 || foreign->n_children > FIELDS_MAX)
        return import_malformed(node, "more than 1048576 fields", err);
    if (!foreign->format || !import_parse_format(foreign->format, node, planner->fields))
        return error_set(err, HAUL_UNSUPPORTED, "Arrow column \"%s\": haul has no type for format \"%.40s\"",
                         name, foreign->format ? foreign->format : "");
    if (read_metadata(foreign->metadata, node->field, planner->fields, err))
        return err->code;
    if (foreign->dictionary)
        return plan_dictionary(planner, foreign, depth, node);
    return plan_nested(planner, foreign, depth, node);
}

enum haul_code import_open(const struct ArrowSchema *foreign, struct import **import, struct haul_error *err)
{
    if (!foreign->release || !foreign->format || strcmp(foreign->format, "+s") || foreign->dictionary)
        return error_set(err, HAUL_DATA, "the Arrow schema is not one of a table (a struct)");
    struct import *made = memory_alloc(NULL, sizeof *made);
    if (!made)
        return error_nomem(err, "an import");
    memset(made, 0, sizeof *made);
    struct planner planner = {&made->schema.arena, &made->arena, 0, err};
    struct field root_field = {0};
    struct import_node root = {.field = &root_field};
    if (plan_field(&planner, foreign, -1, &root)) {
        import_close(made);
        return err->code;
    }
    made->schema.fields = root_field.children;
    made->schema.count = root_field.child_count;
    made->columns = root.children;
    *import = made;
    return HAUL_OK;
}

void import_close(struct import *import)
{
    if (!import)
        return;
    schema_release(&import->schema);
    arena_release(&import->arena);
    memory_free(NULL, import, sizeof *import);
}

const struct schema *import_schema(const struct import *import)
{
    return &import->schema;
}
