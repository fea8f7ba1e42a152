/*
 * schema_write.c: our schema as Parquet's elements, with the names the
 * specification asks for (list/element, key_value/key/value).
 *
 * Two passes over the fields: one counts elements and leaves, so that the
 * arrays are made once and pointers into them stay; one fills them, depth
 * first. Specification: section 6.1.
 */
#include "format/parquet/leaf_type.h"

struct plan {
    struct tree *tree;
    struct arena *arena;
    struct haul_error *err;
    size_t elements; /* filled so far */
    int leaves;
};

static struct slice text_slice(const char *text)
{
    return (struct slice){(const uint8_t *)text, strlen(text)};
}

/* ---- counting ---- */

static enum haul_code count_field(const struct field *field, int depth, size_t *elements, int *leaves,
                                  struct haul_error *err)
{
    if (depth >= SCHEMA_DEPTH_MAX)
        return error_set(err, HAUL_UNSUPPORTED, "it is nested deeper than %d", SCHEMA_DEPTH_MAX);
    enum type_layout layout = type_table[field->type].layout;
    bool nested = layout == LAYOUT_LIST || layout == LAYOUT_STRUCT;
    *elements += layout == LAYOUT_LIST ? 2 : 1;
    *leaves += !nested;
    if (nested && field->child_count == 0)
        return error_set(err, HAUL_UNSUPPORTED, "Parquet cannot hold a struct without fields");
    if (field->type == TYPE_MAP) {
        if (field->children[0].child_count != 2)
            return error_set(err, HAUL_UNSUPPORTED, "a map needs a key and a value");
        field = &field->children[0]; /* its struct is the repeated group */
    }
    for (int i = 0; nested && i < field->child_count; i++) {
        enum haul_code code = count_field(&field->children[i], depth + 1, elements, leaves, err);
        if (code)
            return code;
    }
    return HAUL_OK;
}

/* ---- filling ---- */

static struct schema_element *plan_element(struct plan *p, struct slice name,
                                           enum parquet_repetition repetition, int32_t parent)
{
    struct schema_element *e = &p->tree->elements[p->elements];
    p->tree->parents[p->elements++] = parent;
    e->name = name;
    e->repetition = (int32_t)repetition;
    thrift_set(e, ELEMENT_REPETITION);
    return e;
}

static void element_group(struct schema_element *e, int children)
{
    e->num_children = children;
    thrift_set(e, ELEMENT_NUM_CHILDREN);
}

static enum haul_code element_annotate(struct plan *p, struct schema_element *e,
                                       enum parquet_converted converted, enum parquet_logical logical)
{
    e->converted = (int32_t)converted;
    thrift_set(e, ELEMENT_CONVERTED);
    e->logical = arena_alloc(p->arena, sizeof *e->logical);
    if (!e->logical)
        return error_nomem(p->err, "the Parquet schema");
    e->logical->has = 1u << logical;
    thrift_set(e, ELEMENT_LOGICAL);
    return HAUL_OK;
}

struct place { /* where a node goes */
    struct node *parent;
    int32_t element; /* its group */
    int def, rep;    /* of that group */
};

static enum haul_code plan_field(struct plan *p, struct node *node, const struct field *field,
                                 const char *name, struct place at);

static enum haul_code plan_children(struct plan *p, struct node *node, struct place at)
{
    const struct field *field = node->field;
    node->child_count = field->child_count;
    node->children = arena_alloc_array(p->arena, (size_t)field->child_count, sizeof *node->children);
    if (!node->children)
        return error_nomem(p->err, "the Parquet schema");
    for (int i = 0; i < field->child_count; i++) {
        const char *name = field->children[i].name;
        if (node->parent && node->parent->kind == NODE_MAP)
            name = i ? "value" : "key";
        enum haul_code code = plan_field(p, &node->children[i], &field->children[i], name, at);
        if (code)
            return code;
    }
    return HAUL_OK;
}

static enum haul_code plan_list(struct plan *p, struct node *node, struct schema_element *e)
{
    node->kind = NODE_LIST;
    element_group(e, 1);
    enum haul_code code = element_annotate(p, e, CONVERTED_LIST, LOGICAL_LIST);
    if (code)
        return code;
    int32_t repeated = (int32_t)p->elements;
    element_group(plan_element(p, text_slice("list"), PARQUET_REPEATED, (int32_t)(e - p->tree->elements)), 1);
    node->child_count = 1;
    node->children = arena_alloc(p->arena, sizeof *node->children);
    if (!node->children)
        return error_nomem(p->err, "the Parquet schema");
    struct place at = {node, repeated, node->def + 1, node->rep + 1};
    return plan_field(p, node->children, &node->field->children[0], "element", at);
}

static enum haul_code plan_map(struct plan *p, struct node *node, struct schema_element *e)
{
    node->kind = NODE_MAP;
    element_group(e, 1);
    enum haul_code code = element_annotate(p, e, CONVERTED_MAP, LOGICAL_MAP);
    if (code)
        return code;
    int32_t repeated = (int32_t)p->elements;
    element_group(
        plan_element(p, text_slice("key_value"), PARQUET_REPEATED, (int32_t)(e - p->tree->elements)), 2);
    struct node *entries = arena_alloc(p->arena, sizeof *entries);
    if (!entries)
        return error_nomem(p->err, "the Parquet schema");
    *entries = (struct node){.kind = NODE_STRUCT,
                             .field = &node->field->children[0],
                             .parent = node,
                             .def = node->def + 1,
                             .rep = node->rep + 1,
                             .first_leaf = p->leaves};
    node->children = entries;
    node->child_count = 1;
    code = plan_children(p, entries, (struct place){entries, repeated, entries->def, entries->rep});
    entries->leaf_count = p->leaves - entries->first_leaf;
    return code;
}

static enum haul_code plan_leaf(struct plan *p, struct node *node, struct schema_element *e)
{
    enum haul_code code = leaf_to_element(node->field, p->arena, e, p->err);
    if (code)
        return code;
    node->kind = NODE_LEAF;
    node->physical = (enum parquet_type)e->type;
    node->type_length = e->type_length;
    node->element = e;
    p->tree->leaves[p->leaves++] = node;
    return HAUL_OK;
}

static enum haul_code plan_field(struct plan *p, struct node *node, const struct field *field,
                                 const char *name, struct place at)
{
    bool key = at.parent && at.parent->parent && at.parent->parent->kind == NODE_MAP &&
               at.parent->kind == NODE_STRUCT && node == at.parent->children;
    bool nullable = (field->nullable || field->type == TYPE_NULL) && !key;
    int32_t place = (int32_t)p->elements;
    struct schema_element *e =
        plan_element(p, text_slice(name), nullable ? PARQUET_OPTIONAL : PARQUET_REQUIRED, at.element);
    *node = (struct node){.field = field,
                          .nullable = nullable,
                          .parent = at.parent,
                          .def = at.def + nullable,
                          .rep = at.rep,
                          .first_leaf = p->leaves};
    enum haul_code code = HAUL_OK;
    if (field->type == TYPE_LIST) {
        code = plan_list(p, node, e);
    } else if (field->type == TYPE_MAP) {
        code = plan_map(p, node, e);
    } else if (field->type == TYPE_STRUCT) {
        node->kind = NODE_STRUCT;
        element_group(e, field->child_count);
        code = plan_children(p, node, (struct place){node, place, node->def, node->rep});
    } else {
        code = plan_leaf(p, node, e);
    }
    node->leaf_count = p->leaves - node->first_leaf;
    return code;
}

static enum haul_code tree_alloc(struct tree *tree, const struct schema *schema, int leaves,
                                 struct arena *arena, struct haul_error *err)
{
    tree->column_count = schema->count;
    tree->leaf_count = leaves;
    tree->columns = arena_alloc_array(arena, (size_t)schema->count + 1, sizeof *tree->columns);
    tree->leaves = arena_alloc_array(arena, (size_t)leaves + 1, sizeof *tree->leaves);
    tree->elements = arena_alloc_array(arena, tree->element_count, sizeof *tree->elements);
    tree->parents = arena_alloc_array(arena, tree->element_count, sizeof *tree->parents);
    if (!tree->columns || !tree->leaves || !tree->elements || !tree->parents)
        return error_nomem(err, "the Parquet schema");
    return HAUL_OK;
}

enum haul_code schema_to_parquet(const struct schema *schema, struct tree *tree, struct arena *arena,
                                 struct haul_error *err)
{
    int leaves = 0;
    memset(tree, 0, sizeof *tree);
    tree->element_count = 1;
    enum haul_code code = HAUL_OK;
    for (int i = 0; i < schema->count; i++) {
        code = count_field(&schema->fields[i], 0, &tree->element_count, &leaves, err);
        if (code)
            return error_prefix(err, "column \"%s\"", schema->fields[i].name);
    }
    code = tree_alloc(tree, schema, leaves, arena, err);
    if (code)
        return code;
    struct plan plan = {.tree = tree, .arena = arena, .err = err, .elements = 1};
    tree->parents[0] = -1;
    tree->elements[0].name = text_slice("schema");
    element_group(&tree->elements[0], schema->count);
    for (int i = 0; i < schema->count; i++) {
        const struct field *field = &schema->fields[i];
        code = plan_field(&plan, &tree->columns[i], field, field->name, (struct place){NULL, 0, 0, 0});
        if (code)
            return error_prefix(err, "column \"%s\"", field->name);
    }
    return HAUL_OK;
}
