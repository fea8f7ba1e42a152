/*
 * assemble.c: how levels become lists, maps and structs.
 *
 * In two passes. First each leaf goes through its pages until it has the levels
 * of all the rows asked for, and its values are appended to the leaf's builder:
 * a slot for each entry of the innermost list (or row), null where the
 * definition level stays below the leaf's. Then every node above the leaves
 * reads the levels of its first leaf once: an entry is a new slot of the node
 * when its repetition level is not deeper than the node's and all lists around
 * the node have an item there; structs take their validity from that, lists
 * their offsets too.
 *
 * Levels come from a file and may contradict each other: every node compares
 * what its children made with what it counted. A row ends where the next one
 * begins, so the page after a row may have to be opened to know.
 */
#include "format/parquet/assemble.h"

void leaf_levels_init(struct leaf_levels *levels, struct memory *memory)
{
    memset(levels, 0, sizeof *levels);
    levels->page_repetition.memory = levels->page_definition.memory = memory;
    levels->repetition.memory = levels->definition.memory = memory;
}

void leaf_levels_release(struct leaf_levels *levels)
{
    buffer_release(&levels->page_repetition);
    buffer_release(&levels->page_definition);
    buffer_release(&levels->repetition);
    buffer_release(&levels->definition);
}

void nested_init(struct nested *nested, const struct node *node, struct column_reader *leaves,
                 struct leaf_levels *levels)
{
    *nested = (struct nested){.node = node, .leaves = leaves, .levels = levels};
}

void nested_start(struct nested *nested)
{
    for (int i = 0; i < nested->node->leaf_count; i++)
        nested->levels[i].inside = false;
}

/* ---- the leaves ---- */

/* The definition level from which on a slot of `node` exists. */
static int slot_level(const struct node *node)
{
    for (const struct node *above = node->parent; above; above = above->parent)
        if (above->kind == NODE_LIST || above->kind == NODE_MAP)
            return above->def + 1;
    return 0;
}

static enum haul_code page_levels(struct column_reader *leaf, struct leaf_levels *levels,
                                  struct haul_error *err)
{
    enum haul_code code = column_reader_page(leaf, err);
    if (code)
        return code;
    size_t count = leaf->page_left;
    levels->place = 0;
    code = buffer_resize(&levels->page_repetition, count, err);
    if (!code)
        code = buffer_resize(&levels->page_definition, count, err);
    if (!code)
        code = levels_read(&leaf->repetition, levels->page_repetition.data, count, err);
    if (!code)
        code = levels_read(&leaf->definition, levels->page_definition.data, count, err);
    if (!code && !levels->inside && levels->page_repetition.data[0] != 0)
        code = error_set(err, HAUL_DATA, "its first repetition level is %d, not 0",
                         levels->page_repetition.data[0]);
    levels->inside = true;
    return code ? column_reader_place(leaf, err) : HAUL_OK;
}

/* How many of `count` entries belong to the next *rows rows, the row already
 * begun included; *rows counts down by those that begin here. */
static size_t entries_of(const uint8_t *repetition, size_t count, int64_t *rows)
{
    size_t i = 0;
    for (; i < count; i++) {
        if (repetition[i] == 0) {
            if (*rows == 0)
                break;
            --*rows;
        }
    }
    return i;
}

struct span { /* definition levels of a leaf */
    const uint8_t *definition;
    size_t count;
    int slot, there; /* from these on: a slot exists, a value is there */
};

/* Bits of the leaf's slots, from bit `first` on; one more may be written. */
static void slots_mark(const struct span *span, uint8_t *bits, int64_t first)
{
    for (size_t i = 0; i < span->count; i++) {
        unsigned bit = span->definition[i] >= span->there, shift = (unsigned)(first & 7);
        uint8_t *byte = bits + (first >> 3);
        *byte = (uint8_t)((*byte & ~(1u << shift)) | bit << shift);
        first += span->definition[i] >= span->slot;
    }
}

static size_t count_from(const uint8_t *levels, size_t count, int least)
{
    size_t total = 0;
    for (size_t i = 0; i < count; i++)
        total += levels[i] >= least;
    return total;
}

/* Takes `count` entries of the page: their values into the builder, their levels
 * to the rows being assembled. */
static enum haul_code entries_take(struct column_reader *leaf, struct leaf_levels *levels,
                                   struct builder *builder, size_t count, struct haul_error *err)
{
    struct span span = {levels->page_definition.data + levels->place, count, slot_level(leaf->leaf),
                        leaf->leaf->def};
    size_t slots = count_from(span.definition, count, span.slot);
    size_t present = count_from(span.definition, count, span.there);
    enum haul_code code = buffer_append(&levels->definition, span.definition, count, err);
    if (!code)
        code = buffer_append(&levels->repetition, levels->page_repetition.data + levels->place, count, err);
    if (!code && type_table[builder->field->type].layout != LAYOUT_NONE && !builder->validity.length)
        code = builder_add_validity(builder, err);
    if (!code) /* one more: slots_mark writes a bit behind the last slot */
        code = builder_reserve(builder, (int64_t)slots + 1, 0, err);
    if (code)
        return code;
    if (builder->validity.length)
        slots_mark(&span, builder->validity.data, builder->length);
    code = column_reader_slots(leaf, builder, slots, present, err);
    if (!leaf->leaf->nullable && builder->field->type != TYPE_NULL)
        builder->null_count = 0; /* only missing because something above it is */
    levels->place += count;
    leaf->page_left -= count;
    return code ? column_reader_place(leaf, err) : HAUL_OK;
}

static enum haul_code leaf_rows(struct column_reader *leaf, struct leaf_levels *levels,
                                struct builder *builder, int64_t rows, struct haul_error *err)
{
    buffer_clear(&levels->repetition);
    buffer_clear(&levels->definition);
    for (;;) {
        if (leaf->page_left == 0) {
            if (leaf->chunk_left == 0 && rows == 0)
                return HAUL_OK;
            enum haul_code code = page_levels(leaf, levels, err);
            if (code)
                return code;
        }
        size_t count = entries_of(levels->page_repetition.data + levels->place, leaf->page_left, &rows);
        bool ended = count < leaf->page_left;
        enum haul_code code = count ? entries_take(leaf, levels, builder, count, err) : HAUL_OK;
        if (code || ended)
            return code;
    }
}

/* ---- the nodes above ---- */

struct entries {
    const uint8_t *repetition, *definition;
    size_t count;
};

static enum haul_code contradiction(const struct node *node, struct haul_error *err)
{
    return error_set(err, HAUL_DATA, "the levels of \"%s\" contradict each other", node->field->name);
}

static size_t slots_count(const struct entries *e, int repetition, int slot)
{
    size_t slots = 0;
    for (size_t i = 0; i < e->count; i++)
        slots += (e->repetition[i] <= repetition) & (e->definition[i] >= slot);
    return slots;
}

/* Validity of the node's slots; returns how many are null. */
static int64_t validity_mark(const struct entries *e, const struct node *node, int slot, uint8_t *bits,
                             int64_t first)
{
    int64_t nulls = 0;
    for (size_t i = 0; i < e->count; i++) {
        if (e->repetition[i] > node->rep || e->definition[i] < slot)
            continue;
        if (e->definition[i] >= node->def)
            bit_set(bits, first);
        else
            bit_clear(bits, first);
        nulls += e->definition[i] < node->def;
        first++;
    }
    return nulls;
}

/* Room for the slots, their validity, the new length and null count. */
static enum haul_code slots_append(const struct entries *e, const struct node *node, struct builder *builder,
                                   size_t slots, struct haul_error *err)
{
    enum haul_code code = HAUL_OK;
    if (node->nullable && !builder->validity.length)
        code = builder_add_validity(builder, err);
    if (!code)
        code = builder_reserve(builder, (int64_t)slots, 0, err);
    if (!code && node->nullable)
        builder->null_count +=
            validity_mark(e, node, slot_level(node), builder->validity.data, builder->length);
    return code;
}

/* Offsets of a list's slots; returns where its items end. */
static int32_t offsets_mark(const struct entries *e, const struct node *node, int32_t *offsets)
{
    int32_t items = offsets[0];
    int slot = slot_level(node), item = node->def + 1;
    size_t row = 0;
    for (size_t i = 0; i < e->count; i++) {
        offsets[row] = items;
        row += (e->repetition[i] <= node->rep) & (e->definition[i] >= slot);
        items += (e->repetition[i] <= node->rep + 1) & (e->definition[i] >= item);
    }
    offsets[row] = items;
    return items;
}

static struct builder *child_of(struct builder *builder, int i)
{
    return &builder->children[i];
}

static enum haul_code build_above(const struct nested *nested, const struct node *node,
                                  struct builder *builder, struct haul_error *err);

static enum haul_code build_list(const struct nested *nested, const struct node *node,
                                 struct builder *builder, const struct entries *e, struct haul_error *err)
{
    size_t slots = slots_count(e, node->rep, slot_level(node));
    enum haul_code code = slots_append(e, node, builder, slots, err);
    if (code)
        return code;
    int32_t *offsets = (int32_t *)(void *)builder->offsets.data + builder->length;
    if (e->count > (size_t)(INT32_MAX - offsets[0]))
        return error_set(err, HAUL_LIMIT, "\"%s\" has more than 2147483647 items in one batch",
                         node->field->name);
    int32_t items = offsets_mark(e, node, offsets);
    builder->length += (int64_t)slots;
    code = build_above(nested, node->children, child_of(builder, 0), err);
    if (!code && child_of(builder, 0)->length != items)
        return contradiction(node, err);
    if (!code && node->kind == NODE_MAP && builder->children[0].children[0].null_count)
        return error_set(err, HAUL_DATA, "a map in \"%s\" has a null key", node->field->name);
    return code;
}

static enum haul_code build_struct(const struct nested *nested, const struct node *node,
                                   struct builder *builder, const struct entries *e, struct haul_error *err)
{
    size_t slots = slots_count(e, node->rep, slot_level(node));
    enum haul_code code = slots_append(e, node, builder, slots, err);
    builder->length += (int64_t)slots;
    for (int i = 0; i < node->child_count && !code; i++) {
        code = build_above(nested, &node->children[i], child_of(builder, i), err);
        if (!code && child_of(builder, i)->length != builder->length)
            return contradiction(node, err);
    }
    return code;
}

static enum haul_code build_above(const struct nested *nested, const struct node *node,
                                  struct builder *builder, struct haul_error *err)
{
    const struct leaf_levels *levels = &nested->levels[node->first_leaf - nested->node->first_leaf];
    struct entries entries = {levels->repetition.data, levels->definition.data, levels->repetition.length};
    if (node->kind == NODE_LEAF)
        return HAUL_OK;
    return node->kind == NODE_STRUCT ? build_struct(nested, node, builder, &entries, err)
                                     : build_list(nested, node, builder, &entries, err);
}

/* ---- both ---- */

static enum haul_code read_leaves(struct nested *nested, const struct node *node, struct builder *builder,
                                  int64_t rows, struct haul_error *err)
{
    if (node->kind == NODE_LEAF) {
        int place = node->first_leaf - nested->node->first_leaf;
        return leaf_rows(&nested->leaves[place], &nested->levels[place], builder, rows, err);
    }
    enum haul_code code = HAUL_OK;
    for (int i = 0; i < node->child_count && !code; i++)
        code = read_leaves(nested, &node->children[i], child_of(builder, i), rows, err);
    return code;
}

enum haul_code nested_rows(struct nested *nested, struct builder *builder, int64_t rows,
                           struct haul_error *err)
{
    enum haul_code code = read_leaves(nested, nested->node, builder, rows, err);
    return code ? code : build_above(nested, nested->node, builder, err);
}
