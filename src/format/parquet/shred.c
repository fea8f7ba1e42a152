/*
 * shred.c: levels.
 *
 * A flat column needs no more than its validity bits. For the others each node
 * turns its parent's *slots* into its own, level by level and never value by
 * value through the tree. A slot is one entry of the level streams: its
 * repetition and definition level so far, and the place in the node's array, or
 * -1 where something above is NULL or empty and nothing can be below. A struct
 * keeps the slots and marks its NULLs; a list makes a slot per item, one for
 * each empty list; a leaf raises the levels of its values and gathers them.
 * Recursion is as deep as the schema, which has a limit.
 */
#include "format/parquet/shred.h"

struct slots {
    const uint8_t *rep, *def;
    const int32_t *places;
    size_t count;
};

struct slot_buffers { /* what a node had to make anew */
    struct buffer rep, def, places;
};

void shredder_init(struct shredder *shredder, struct memory *memory, shred_fn give, void *user)
{
    memset(shredder, 0, sizeof *shredder);
    shredder->memory = memory;
    shredder->give = give;
    shredder->user = user;
    dense_init(&shredder->dense, memory);
    buffer_init(&shredder->def, memory);
}

void shredder_release(struct shredder *shredder)
{
    dense_release(&shredder->dense);
    buffer_release(&shredder->def);
}

static enum haul_code unexpected_null(const struct node *node, struct haul_error *err)
{
    return error_set(err, HAUL_DATA, "column \"%s\" holds a NULL, but its schema says that it has none",
                     node->field->name ? node->field->name : "");
}

/* ---- flat columns ---- */

/* Bits of rows [first, first + count) as levels 0 and 1; returns how many are 1. */
static int64_t expand_bits(const uint8_t *bits, int64_t first, int64_t count, uint8_t *out)
{
    int64_t set = 0, i = 0;
    for (; i < count && ((first + i) & 7) != 0; i++)
        set += out[i] = bit_get(bits, first + i);
    for (; i + 8 <= count; i += 8) {
        uint64_t byte = bits[(first + i) >> 3];
        uint64_t spread = byte * UINT64_C(0x0101010101010101) & UINT64_C(0x8040201008040201);
        spread = (spread + UINT64_C(0x00406070787C7E7F)) >> 7 & UINT64_C(0x0101010101010101);
        memcpy(out + i, &spread, sizeof spread);
        set += __builtin_popcountll(byte);
    }
    for (; i < count; i++)
        set += out[i] = bit_get(bits, first + i);
    return set;
}

/* A dictionary may hold a NULL itself: then it is asked row by row. */
static void clear_dictionary_nulls(const struct view *view, const struct view *values, const struct run *rows,
                                   uint8_t *def)
{
    for (int64_t i = 0; i < rows->count; i++)
        if (def[i])
            def[i] = !view_is_null(values, view->indices[rows->start + i]);
}

static enum haul_code shred_null_column(struct shredder *shredder, const struct node *column,
                                        const struct run *rows, struct haul_error *err)
{
    enum haul_code code = buffer_resize(&shredder->def, 0, err);
    if (!code)
        code = buffer_resize(&shredder->def, (size_t)rows->count, err);
    if (code)
        return code;
    shredder->dense.count = 0;
    struct feed feed = {(size_t)rows->count, column->def, shredder->def.data, NULL, &shredder->dense};
    return shredder->give(shredder->user, column, &feed, err);
}

static enum haul_code give_all(struct shredder *shredder, const struct node *column, const struct view *view,
                               const struct run *rows, struct haul_error *err)
{
    struct selection all = {.first = rows->start, .count = rows->count};
    enum haul_code code = dense_make(&shredder->dense, column, view, &all, err);
    struct feed feed = {(size_t)rows->count, column->def, NULL, NULL, &shredder->dense};
    return code ? code : shredder->give(shredder->user, column, &feed, err);
}

/* With levels made from validity: its places are those of level 1. */
static enum haul_code give_some(struct shredder *shredder, const struct node *column, const struct view *view,
                                const struct run *rows, struct haul_error *err)
{
    struct buffer places;
    buffer_init(&places, shredder->memory);
    enum haul_code code = buffer_reserve(&places, ((size_t)rows->count + 1) * sizeof(int32_t), err);
    if (code)
        return code;
    int32_t *out = (int32_t *)(void *)places.data;
    size_t count = 0;
    for (int64_t i = 0; i < rows->count; i++) {
        out[count] = (int32_t)(rows->start + i);
        count += shredder->def.data[i];
    }
    struct selection some = {.count = (int64_t)count, .places = out};
    code = dense_make(&shredder->dense, column, view, &some, err);
    buffer_release(&places);
    struct feed feed = {(size_t)rows->count, column->def, shredder->def.data, NULL, &shredder->dense};
    return code ? code : shredder->give(shredder->user, column, &feed, err);
}

static enum haul_code shred_flat(struct shredder *shredder, const struct node *column,
                                 const struct view *view, const struct run *rows, struct haul_error *err)
{
    struct view values = {0};
    enum haul_code code = HAUL_OK;
    if (column->field->type == TYPE_NULL)
        return shred_null_column(shredder, column, rows, err);
    if (view->indices)
        code = view_dictionary(view, &values, err);
    if (code || (!view->validity && !values.validity))
        return code ? code : give_all(shredder, column, view, rows, err);
    buffer_clear(&shredder->def);
    code = buffer_reserve(&shredder->def, (size_t)rows->count, err);
    if (code)
        return code;
    uint8_t *def = shredder->def.data;
    if (view->validity)
        (void)expand_bits(view->validity, rows->start, rows->count, def);
    else
        memset(def, 1, (size_t)rows->count);
    if (values.validity)
        clear_dictionary_nulls(view, &values, rows, def);
    if (!memchr(def, 0, (size_t)rows->count))
        return give_all(shredder, column, view, rows, err);
    return column->nullable ? give_some(shredder, column, view, rows, err) : unexpected_null(column, err);
}

/* ---- nested columns ---- */

static void slot_buffers_init(struct slot_buffers *buffers, struct memory *memory)
{
    buffer_init(&buffers->rep, memory);
    buffer_init(&buffers->def, memory);
    buffer_init(&buffers->places, memory);
}

static void slot_buffers_release(struct slot_buffers *buffers)
{
    buffer_release(&buffers->rep);
    buffer_release(&buffers->def);
    buffer_release(&buffers->places);
}

static enum haul_code slot_buffers_reserve(struct slot_buffers *buffers, size_t count, struct haul_error *err)
{
    enum haul_code code = buffer_reserve(&buffers->rep, count, err);
    if (!code)
        code = buffer_reserve(&buffers->def, count, err);
    if (!code)
        code = buffer_reserve(&buffers->places, count * sizeof(int32_t), err);
    return code;
}

static struct slots slots_of(const struct slot_buffers *buffers, size_t count)
{
    return (struct slots){buffers->rep.data, buffers->def.data,
                          (const int32_t *)(const void *)buffers->places.data, count};
}

/* Raises the level of slots that hold a value here, and ends those that are
 * NULL here (place -1). False: a NULL where there must be none. */
static bool mark_nulls(const struct node *node, const struct view *view, const struct slots *in,
                       const struct slot_buffers *out)
{
    uint8_t *def = out->def.data;
    int32_t *places = (int32_t *)(void *)out->places.data;
    bool allowed = true;
    for (size_t i = 0; i < in->count; i++) {
        bool there = in->places[i] >= 0;
        bool null = there && view_is_null(view, in->places[i]);
        allowed &= !null || node->nullable;
        def[i] = (uint8_t)(in->def[i] + (there && !null && node->nullable));
        places[i] = null ? -1 : in->places[i];
    }
    return allowed;
}

static enum haul_code walk(struct shredder *shredder, const struct node *node, const struct view *view,
                           const struct slots *in, struct haul_error *err);

static enum haul_code walk_child(struct shredder *shredder, const struct node *node, const struct view *view,
                                 int i, const struct slots *slots, struct haul_error *err)
{
    struct view child;
    enum haul_code code = view_child(view, i, &child, err);
    return code ? code : walk(shredder, &node->children[i], &child, slots, err);
}

static enum haul_code walk_struct(struct shredder *shredder, const struct node *node, const struct view *view,
                                  const struct slots *in, struct haul_error *err)
{
    enum haul_code code = HAUL_OK;
    for (int i = 0; !code && i < node->child_count; i++)
        code = walk_child(shredder, node, view, i, in, err);
    return code;
}

static size_t count_items(const struct view *view, const struct slots *in)
{
    size_t count = 0;
    for (size_t i = 0; i < in->count; i++) {
        int32_t place = in->places[i];
        int32_t items = place < 0 ? 0 : view->offsets[place + 1] - view->offsets[place];
        count += items > 0 ? (size_t)items : 1;
    }
    return count;
}

/* A slot per item; a NULL or empty list keeps its one slot. */
static void spread_items(const struct node *node, const struct view *view, const struct slots *in,
                         const struct slot_buffers *out)
{
    uint8_t *rep = out->rep.data, *def = out->def.data;
    int32_t *places = (int32_t *)(void *)out->places.data;
    size_t to = 0;
    for (size_t i = 0; i < in->count; i++) {
        int32_t place = in->places[i];
        int32_t start = place < 0 ? 0 : view->offsets[place];
        int32_t end = place < 0 ? 0 : view->offsets[place + 1];
        rep[to] = in->rep[i];
        def[to] = in->def[i];
        places[to] = -1;
        for (int32_t item = start; item < end; item++) {
            rep[to] = item == start ? in->rep[i] : (uint8_t)(node->rep + 1);
            def[to] = (uint8_t)(in->def[i] + 1);
            places[to++] = item;
        }
        to += start == end;
    }
}

static enum haul_code walk_list(struct shredder *shredder, const struct node *node, const struct view *view,
                                const struct slots *in, struct haul_error *err)
{
    struct slot_buffers items;
    slot_buffers_init(&items, shredder->memory);
    size_t count = count_items(view, in);
    enum haul_code code = slot_buffers_reserve(&items, count, err);
    if (!code) {
        spread_items(node, view, in, &items);
        struct slots slots = slots_of(&items, count);
        code = walk_child(shredder, node, view, 0, &slots, err);
    }
    slot_buffers_release(&items);
    return code;
}

/* Keeps the slots with a value; returns how many. */
static size_t compact_places(const struct slots *in, int32_t *out)
{
    size_t count = 0;
    for (size_t i = 0; i < in->count; i++) {
        out[count] = in->places[i];
        count += in->places[i] >= 0;
    }
    return count;
}

static void end_dictionary_nulls(const struct view *view, const struct view *values, const struct node *leaf,
                                 const struct slot_buffers *slots, size_t count)
{
    int32_t *places = (int32_t *)(void *)slots->places.data;
    for (size_t i = 0; i < count; i++) {
        if (places[i] < 0 || !view_is_null(values, view->indices[places[i]]))
            continue;
        places[i] = -1;
        slots->def.data[i] = (uint8_t)(leaf->def - 1);
    }
}

static enum haul_code walk_leaf(struct shredder *shredder, const struct node *leaf, const struct view *view,
                                const struct slot_buffers *marked, const struct slots *in,
                                struct haul_error *err)
{
    struct view values = {0};
    enum haul_code code = view->indices ? view_dictionary(view, &values, err) : HAUL_OK;
    if (code)
        return code;
    if (values.validity && !leaf->nullable)
        return unexpected_null(leaf, err);
    if (values.validity)
        end_dictionary_nulls(view, &values, leaf, marked, in->count);
    int32_t *places = (int32_t *)(void *)marked->places.data;
    struct slots all = slots_of(marked, in->count);
    struct selection some = {.places = places};
    some.count = (int64_t)compact_places(&all, places);
    code = dense_make(&shredder->dense, leaf, view, &some, err);
    struct feed feed = {in->count, leaf->def, marked->def.data, leaf->rep > 0 ? in->rep : NULL,
                        &shredder->dense};
    return code ? code : shredder->give(shredder->user, leaf, &feed, err);
}

/* A leaf without values: each slot ends one level below. */
static void end_all(const struct slots *in, const struct slot_buffers *out)
{
    memcpy(out->def.data, in->def, in->count);
    memset(out->places.data, 0xFF, in->count * sizeof(int32_t));
}

static enum haul_code walk_marked(struct shredder *shredder, const struct node *node, const struct view *view,
                                  const struct slots *in, const struct slot_buffers *marked,
                                  struct haul_error *err)
{
    if (node->kind == NODE_LEAF)
        return walk_leaf(shredder, node, view, marked, in, err);
    struct slots slots = slots_of(marked, in->count);
    slots.rep = in->rep;
    return node->kind == NODE_STRUCT ? walk_struct(shredder, node, view, &slots, err)
                                     : walk_list(shredder, node, view, &slots, err);
}

static enum haul_code walk(struct shredder *shredder, const struct node *node, const struct view *view,
                           const struct slots *in, struct haul_error *err)
{
    struct slot_buffers marked;
    slot_buffers_init(&marked, shredder->memory);
    enum haul_code code = buffer_reserve(&marked.def, in->count, err);
    if (!code)
        code = buffer_reserve(&marked.places, (in->count + 1) * sizeof(int32_t), err);
    if (!code && node->field->type == TYPE_NULL)
        end_all(in, &marked);
    else if (!code && !mark_nulls(node, view, in, &marked))
        code = unexpected_null(node, err);
    if (!code)
        code = walk_marked(shredder, node, view, in, &marked, err);
    slot_buffers_release(&marked);
    return code;
}

static enum haul_code shred_nested(struct shredder *shredder, const struct node *column,
                                   const struct view *view, const struct run *rows, struct haul_error *err)
{
    struct slot_buffers first;
    slot_buffers_init(&first, shredder->memory);
    size_t count = (size_t)rows->count;
    enum haul_code code = slot_buffers_reserve(&first, count, err);
    if (!code) {
        memset(first.rep.data, 0, count);
        memset(first.def.data, 0, count);
        int32_t *places = (int32_t *)(void *)first.places.data;
        for (size_t i = 0; i < count; i++)
            places[i] = (int32_t)(rows->start + (int64_t)i);
        struct slots slots = slots_of(&first, count);
        code = walk(shredder, column, view, &slots, err);
    }
    slot_buffers_release(&first);
    return code;
}

enum haul_code shred(struct shredder *shredder, const struct node *column, const struct view *view,
                     const struct run *rows, struct haul_error *err)
{
    if (rows->count == 0)
        return HAUL_OK;
    return column->kind == NODE_LEAF ? shred_flat(shredder, column, view, rows, err)
                                     : shred_nested(shredder, column, view, rows, err);
}
