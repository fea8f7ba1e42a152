/*
 * schema_read.c: a file's elements as our schema and a tree of nodes.
 *
 * First the flat list of elements is checked to be one tree (children counts
 * add up, not too deep). Then each column is built from the top down; what
 * shape a LIST or MAP group has is decided by the rules of section 6.1, in
 * their order. Groups that claim to be a list or map and are not become
 * structs: nothing is lost by that.
 *
 * Recursion is bounded by SCHEMA_PATH_MAX elements and SCHEMA_DEPTH_MAX fields.
 */
#include "base/unicode.h"
#include "format/parquet/leaf_type.h"
#include <stdio.h>

struct build {
    struct tree *tree;
    struct schema *schema;
    const int32_t *ends; /* for each element: the one after its last descendant */
    struct haul_error *err;
    int depth;
};

struct spot { /* the levels a node stands at, and what encloses it */
    struct node *parent;
    int def, rep;
};

static bool element_is_leaf(const struct schema_element *e)
{
    return e->num_children == 0 && thrift_has(e, ELEMENT_TYPE);
}

/* ---- is it a tree? ---- */

static enum haul_code elements_check(const struct schema_element *e, size_t place, struct haul_error *err)
{
    if (e->num_children < 0)
        return error_set(err, HAUL_DATA, "schema element %zu has %d children", place, e->num_children);
    if (!unicode_is_valid(e->name.data, e->name.length) || memchr(e->name.data, 0, e->name.length))
        return error_set(err, HAUL_DATA, "the name of schema element %zu is not UTF-8 text", place);
    if (place == 0)
        return HAUL_OK;
    if (e->num_children == 0 && !thrift_has(e, ELEMENT_TYPE))
        return error_set(err, HAUL_UNSUPPORTED, "column \"%.*s\" is a group without fields",
                         (int)e->name.length, (const char *)e->name.data);
    if (e->repetition < PARQUET_REQUIRED || e->repetition > PARQUET_REPEATED)
        return error_set(err, HAUL_DATA, "schema element %zu has repetition %d", place, e->repetition);
    return HAUL_OK;
}

/* Fills parents and ends in one walk with a stack of open groups. */
static enum haul_code elements_link(const struct tree *tree, int32_t *ends, struct haul_error *err)
{
    int32_t open[SCHEMA_PATH_MAX], left[SCHEMA_PATH_MAX];
    size_t depth = 0;
    for (size_t i = 0; i < tree->element_count; i++) {
        const struct schema_element *e = &tree->elements[i];
        enum haul_code code = elements_check(e, i, err);
        if (code)
            return code;
        if (i > 0 && depth == 0)
            return error_set(err, HAUL_DATA, "the schema has elements outside its root");
        tree->parents[i] = depth ? open[depth - 1] : -1;
        if (depth)
            left[depth - 1]--;
        ends[i] = (int32_t)i + 1;
        if (e->num_children > 0) {
            if (depth == SCHEMA_PATH_MAX)
                return error_set(err, HAUL_UNSUPPORTED, "the schema is nested deeper than %d",
                                 SCHEMA_PATH_MAX);
            open[depth] = (int32_t)i;
            left[depth++] = e->num_children;
        }
        while (depth && left[depth - 1] == 0)
            ends[open[--depth]] = (int32_t)i + 1;
    }
    return depth ? error_set(err, HAUL_DATA, "the schema has fewer elements than its groups announce")
                 : HAUL_OK;
}

/* ---- what shape is a group? ---- */

static bool annotated(const struct schema_element *e, enum parquet_logical logical, int32_t converted)
{
    if (thrift_has(e, ELEMENT_LOGICAL) && e->logical->has)
        return thrift_has(e->logical, logical);
    return thrift_has(e, ELEMENT_CONVERTED) && e->converted == converted;
}

static bool has_repeated_child(const struct build *b, int32_t place)
{
    const struct schema_element *e = &b->tree->elements[place];
    return e->num_children == 1 && e[1].repetition == PARQUET_REPEATED;
}

static bool is_list(const struct build *b, int32_t place)
{
    return annotated(&b->tree->elements[place], LOGICAL_LIST, CONVERTED_LIST) && has_repeated_child(b, place);
}

static bool is_map(const struct build *b, int32_t place)
{
    const struct schema_element *e = &b->tree->elements[place];
    bool said = annotated(e, LOGICAL_MAP, CONVERTED_MAP) ||
                (thrift_has(e, ELEMENT_CONVERTED) && e->converted == CONVERTED_MAP_KEY_VALUE);
    return said && has_repeated_child(b, place) && e[1].num_children >= 1 && e[1].num_children <= 2;
}

static bool name_is(const struct schema_element *e, const char *name, size_t length)
{
    return e->name.length == length && !memcmp(e->name.data, name, length);
}

/* Rules (1) to (4): the repeated child itself is the element. */
static bool repeated_is_item(const struct schema_element *list)
{
    static const char suffix[] = "_tuple";
    const struct schema_element *r = list + 1;
    if (element_is_leaf(r) || r->num_children != 1 || r[1].repetition == PARQUET_REPEATED ||
        name_is(r, "array", 5))
        return true;
    size_t stem = list->name.length;
    return r->name.length == stem + sizeof suffix - 1 && !memcmp(r->name.data, list->name.data, stem) &&
           !memcmp(r->name.data + stem, suffix, sizeof suffix - 1);
}

/* ---- building ---- */

static enum haul_code build_value(struct build *b, int32_t place, struct node *node, struct field *field);

static enum haul_code build_nomem(struct build *b)
{
    return error_nomem(b->err, "the schema");
}

/* Children of `node` and of its field: `count` of both. */
static enum haul_code node_children(struct build *b, struct node *node, struct field *field, int count)
{
    node->children = arena_alloc_array(&b->schema->arena, (size_t)count, sizeof *node->children);
    field->children = arena_alloc_array(&b->schema->arena, (size_t)count, sizeof *field->children);
    if (!node->children || !field->children)
        return build_nomem(b);
    node->child_count = field->child_count = count;
    return HAUL_OK;
}

static enum haul_code node_begin(struct build *b, int32_t place, struct node *node, struct field *field,
                                 struct spot at)
{
    const struct schema_element *e = &b->tree->elements[place];
    field->name = arena_text_n(&b->schema->arena, (const char *)e->name.data, e->name.length);
    if (!field->name)
        return build_nomem(b);
    node->field = field;
    node->parent = at.parent;
    node->def = at.def;
    node->rep = at.rep;
    return HAUL_OK;
}

/* The item of a list whose element is `place` itself, always there. */
static enum haul_code build_item(struct build *b, int32_t place, struct node *list, struct field *field)
{
    struct node *item = list->children;
    enum haul_code code =
        node_begin(b, place, item, field->children, (struct spot){list, list->def + 1, list->rep + 1});
    return code ? code : build_value(b, place, item, field->children);
}

/* A field as its repetition says: null, there, or a list of its own. */
static enum haul_code build_field(struct build *b, int32_t place, struct node *node, struct field *field,
                                  struct spot at)
{
    const struct schema_element *e = &b->tree->elements[place];
    enum haul_code code = node_begin(b, place, node, field, at);
    if (code)
        return code;
    if (e->repetition == PARQUET_REPEATED) {
        node->kind = NODE_LIST;
        field->type = TYPE_LIST;
        node->first_leaf = b->tree->leaf_count;
        code = node_children(b, node, field, 1);
        if (!code)
            code = build_item(b, place, node, field);
        node->leaf_count = b->tree->leaf_count - node->first_leaf;
        return code;
    }
    node->nullable = field->nullable = e->repetition == PARQUET_OPTIONAL;
    node->def += node->nullable;
    return build_value(b, place, node, field);
}

static enum haul_code build_members(struct build *b, int32_t place, struct node *node, struct field *field)
{
    int count = b->tree->elements[place].num_children;
    enum haul_code code = node_children(b, node, field, count);
    int32_t child = place + 1;
    for (int i = 0; i < count && !code; i++, child = b->ends[child])
        code = build_field(b, child, &node->children[i], &field->children[i],
                           (struct spot){node, node->def, node->rep});
    return code;
}

static enum haul_code build_struct(struct build *b, int32_t place, struct node *node, struct field *field)
{
    node->kind = NODE_STRUCT;
    field->type = TYPE_STRUCT;
    return build_members(b, place, node, field);
}

static enum haul_code build_list(struct build *b, int32_t place, struct node *node, struct field *field)
{
    node->kind = NODE_LIST;
    field->type = TYPE_LIST;
    enum haul_code code = node_children(b, node, field, 1);
    if (code)
        return code;
    if (repeated_is_item(&b->tree->elements[place]))
        return build_item(b, place + 1, node, field);
    return build_field(b, place + 2, node->children, field->children,
                       (struct spot){node, node->def + 1, node->rep + 1});
}

/* A map, or, when there is no value, the list of its keys. */
static enum haul_code build_map(struct build *b, int32_t place, struct node *node, struct field *field)
{
    bool keys_only = b->tree->elements[place + 1].num_children == 1;
    node->kind = keys_only ? NODE_LIST : NODE_MAP;
    field->type = keys_only ? TYPE_LIST : TYPE_MAP;
    enum haul_code code = node_children(b, node, field, 1);
    if (code)
        return code;
    struct spot at = {node, node->def + 1, node->rep + 1};
    if (keys_only)
        return build_field(b, place + 2, node->children, field->children, at);
    struct node *entries = node->children;
    code = node_begin(b, place + 1, entries, field->children, at);
    if (code)
        return code;
    entries->first_leaf = b->tree->leaf_count;
    code = build_struct(b, place + 1, entries, field->children);
    entries->leaf_count = b->tree->leaf_count - entries->first_leaf;
    if (!code)
        field->children->children[0].nullable = false; /* checked when it is read */
    return code;
}

static enum haul_code build_leaf(struct build *b, int32_t place, struct node *node, struct field *field)
{
    const struct schema_element *e = &b->tree->elements[place];
    node->kind = NODE_LEAF;
    node->element = e;
    enum haul_code code = leaf_from_element(e, field, node, b->err);
    b->tree->leaves[b->tree->leaf_count++] = node;
    return code;
}

/* What the element is, once its repetition has been dealt with. */
static enum haul_code build_value(struct build *b, int32_t place, struct node *node, struct field *field)
{
    if (b->depth == SCHEMA_DEPTH_MAX)
        return error_set(b->err, HAUL_UNSUPPORTED, "it is nested deeper than %d", SCHEMA_DEPTH_MAX);
    enum haul_code code = HAUL_OK;
    b->depth++;
    node->first_leaf = b->tree->leaf_count;
    if (element_is_leaf(&b->tree->elements[place]))
        code = build_leaf(b, place, node, field);
    else if (is_list(b, place))
        code = build_list(b, place, node, field);
    else if (is_map(b, place))
        code = build_map(b, place, node, field);
    else
        code = build_struct(b, place, node, field);
    node->leaf_count = b->tree->leaf_count - node->first_leaf;
    b->depth--;
    return code;
}

/* ---- the whole ---- */

static enum haul_code tree_begin(const struct file_metadata *file, struct schema *schema, struct tree *tree,
                                 struct haul_error *err)
{
    memset(tree, 0, sizeof *tree);
    if (file->schema.count == 0)
        return error_set(err, HAUL_DATA, "the schema has no root");
    enum haul_code code = elements_check(&file->schema.items[0], 0, err);
    if (code)
        return code;
    tree->elements = file->schema.items;
    tree->element_count = file->schema.count;
    tree->column_count = tree->elements[0].num_children;
    if ((size_t)tree->column_count >= tree->element_count)
        return error_set(err, HAUL_DATA, "the schema has fewer elements than its groups announce");
    code = schema_init(schema, tree->column_count, err);
    if (code)
        return code;
    struct arena *arena = &schema->arena;
    tree->columns = arena_alloc_array(arena, (size_t)tree->column_count + 1, sizeof *tree->columns);
    tree->leaves = arena_alloc_array(arena, tree->element_count, sizeof *tree->leaves);
    tree->parents = arena_alloc_array(arena, tree->element_count, sizeof *tree->parents);
    return tree->columns && tree->leaves && tree->parents ? HAUL_OK : error_nomem(err, "the schema");
}

enum haul_code schema_from_parquet(const struct file_metadata *file, struct schema *schema, struct tree *tree,
                                   struct haul_error *err)
{
    enum haul_code code = tree_begin(file, schema, tree, err);
    if (code)
        return code;
    int32_t *ends = arena_alloc_array(&schema->arena, tree->element_count, sizeof *ends);
    if (!ends)
        return error_nomem(err, "the schema");
    code = elements_link(tree, ends, err);
    struct build build = {.tree = tree, .schema = schema, .ends = ends, .err = err};
    int32_t place = 1;
    for (int i = 0; i < tree->column_count && !code; i++, place = ends[place]) {
        code = build_field(&build, place, &tree->columns[i], &schema->fields[i], (struct spot){NULL, 0, 0});
        if (code)
            return error_prefix(err, "column \"%.*s\"", (int)tree->elements[place].name.length,
                                (const char *)tree->elements[place].name.data);
    }
    return code;
}
