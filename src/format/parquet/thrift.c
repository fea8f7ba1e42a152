/*
 * thrift.c: a table-driven parser and printer of Thrift's compact protocol.
 *
 * Parquet has some twenty metadata structs. Instead of a parser and a printer
 * for each, there is one of both, and a table per struct (footer.c,
 * page_header.c). A parse keeps a cursor that remembers the first thing that
 * went wrong; every step after it does nothing, so that the code reads straight.
 *
 * A field whose type on the wire is not the table's is skipped, as if absent, as
 * other readers do; when it is required, that is an error.
 *
 * Limits: bytes and lists never exceed what is left of the input (an element
 * takes at least one byte); lists of structs grow as elements come, so that a
 * lying count costs nothing; unknown fields nest at most 64 deep; known ones as
 * deep as the tables do. Specification: section 2.
 */
#include "format/parquet/thrift.h"
#include <assert.h>
#include <limits.h>

enum { SKIP_DEPTH_MAX = 64, FIRST_ITEMS = 16 };

enum wire {
    WIRE_STOP,
    WIRE_TRUE,
    WIRE_FALSE,
    WIRE_I8,
    WIRE_I16,
    WIRE_I32,
    WIRE_I64,
    WIRE_DOUBLE,
    WIRE_BYTES,
    WIRE_LIST,
    WIRE_SET,
    WIRE_MAP,
    WIRE_STRUCT
};

struct cursor {
    const uint8_t *data;
    size_t length, position;
    struct arena *arena;
    const char *problem; /* NULL: fine so far */
    const char *where;   /* the field it is about */
    bool cut, nomem;
};

/* ---- parsing: the small things ---- */

static void cursor_fail(struct cursor *c, const char *problem)
{
    if (!c->problem)
        c->problem = problem;
}

static void cursor_fail_cut(struct cursor *c)
{
    if (!c->problem)
        c->cut = true;
    cursor_fail(c, "cut short");
}

static uint8_t read_byte(struct cursor *c)
{
    if (c->problem || c->position >= c->length) {
        cursor_fail_cut(c);
        return 0;
    }
    return c->data[c->position++];
}

static uint64_t read_varint(struct cursor *c)
{
    uint64_t value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
        uint8_t byte = read_byte(c);
        value |= (uint64_t)(byte & 0x7f) << shift;
        if (!(byte & 0x80))
            return value;
    }
    cursor_fail(c, "a number of more than ten bytes");
    return 0;
}

static int64_t read_zigzag(struct cursor *c)
{
    uint64_t n = read_varint(c);
    return (int64_t)(n >> 1) ^ -(int64_t)(n & 1);
}

static int64_t read_ranged(struct cursor *c, int64_t low, int64_t high)
{
    int64_t value = read_zigzag(c);
    if (value < low || value > high) {
        cursor_fail(c, "a number out of its range");
        return 0;
    }
    return value;
}

/* A length or count, never more than the bytes that are left. */
static size_t read_count(struct cursor *c)
{
    uint64_t count = read_varint(c);
    if (c->problem)
        return 0;
    if (count > INT32_MAX) {
        cursor_fail(c, "a length beyond 2^31");
        return 0;
    }
    if (count > c->length - c->position) {
        cursor_fail_cut(c);
        return 0;
    }
    return (size_t)count;
}

static struct slice read_bytes(struct cursor *c)
{
    size_t length = read_count(c);
    struct slice bytes = {c->data + c->position, length};
    if (c->problem)
        return (struct slice){0};
    c->position += length;
    return bytes;
}

static void read_list_header(struct cursor *c, int *element, size_t *count)
{
    uint8_t head = read_byte(c);
    *element = head & 15;
    *count = head >> 4;
    if (*count == 15)
        *count = read_count(c);
    else if (*count > c->length - c->position)
        cursor_fail_cut(c);
    if (c->problem)
        *count = 0;
}

static void *cursor_alloc(struct cursor *c, size_t count, size_t size)
{
    void *block = c->problem ? NULL : arena_alloc_array(c->arena, count, size);
    if (!block && !c->problem) {
        c->nomem = true;
        cursor_fail(c, "no memory");
    }
    return block;
}

/* The next field header; false at the end of the struct. */
static bool read_field(struct cursor *c, int *id, int *wire)
{
    uint8_t head = read_byte(c);
    *wire = head & 15;
    if (c->problem || *wire == WIRE_STOP)
        return false;
    if (head >> 4)
        *id += head >> 4;
    else
        *id = (int)read_ranged(c, INT16_MIN, INT16_MAX);
    return !c->problem;
}

/* ---- parsing: what nobody asked for ---- */

static void skip_value(struct cursor *c, int wire, int depth);

static void skip_items(struct cursor *c, int depth)
{
    int element = 0;
    size_t count = 0;
    read_list_header(c, &element, &count);
    for (size_t i = 0; i < count && !c->problem; i++) {
        if (element == WIRE_TRUE || element == WIRE_FALSE)
            read_byte(c);
        else
            skip_value(c, element, depth);
    }
}

static void skip_map_half(struct cursor *c, int wire, int depth)
{
    if (wire == WIRE_TRUE || wire == WIRE_FALSE)
        read_byte(c);
    else
        skip_value(c, wire, depth);
}

static void skip_map(struct cursor *c, int depth)
{
    size_t count = read_count(c);
    if (count == 0)
        return;
    uint8_t types = read_byte(c);
    for (size_t i = 0; i < count && !c->problem; i++) {
        skip_map_half(c, types >> 4, depth);
        skip_map_half(c, types & 15, depth);
    }
}

static void skip_struct(struct cursor *c, int depth)
{
    int id = 0, wire = 0;
    while (read_field(c, &id, &wire))
        skip_value(c, wire, depth);
}

static void skip_fixed(struct cursor *c, size_t bytes)
{
    if (c->length - c->position < bytes)
        cursor_fail_cut(c);
    else
        c->position += bytes;
}

/* Each kind takes at least one byte, but for booleans of a struct, whose field
 * header was that byte. */
static void skip_value(struct cursor *c, int wire, int depth)
{
    if (c->problem)
        return;
    if (depth >= SKIP_DEPTH_MAX) {
        cursor_fail(c, "nested deeper than 64");
        return;
    }
    switch (wire) {
    case WIRE_TRUE:
    case WIRE_FALSE:
        return;
    case WIRE_I8:
        skip_fixed(c, 1);
        return;
    case WIRE_I16:
    case WIRE_I32:
    case WIRE_I64:
        read_varint(c);
        return;
    case WIRE_DOUBLE:
        skip_fixed(c, 8);
        return;
    case WIRE_BYTES:
        read_bytes(c);
        return;
    case WIRE_LIST:
    case WIRE_SET:
        skip_items(c, depth + 1);
        return;
    case WIRE_MAP:
        skip_map(c, depth + 1);
        return;
    case WIRE_STRUCT:
        skip_struct(c, depth + 1);
        return;
    default:
        cursor_fail(c, "a type that does not exist");
    }
}

/* ---- parsing: what the tables know ---- */

static void parse_struct(struct cursor *c, const struct thrift_table *table, void *out);

typedef THRIFT_LIST(void) any_list;

static bool element_matches(enum thrift_kind kind, int element)
{
    switch (kind) {
    case THRIFT_LIST_BOOL:
        return element == WIRE_TRUE || element == WIRE_FALSE;
    case THRIFT_LIST_I32:
    case THRIFT_LIST_I64:
        return element >= WIRE_I16 && element <= WIRE_I64;
    case THRIFT_LIST_BYTES:
        return element == WIRE_BYTES;
    default:
        return element == WIRE_STRUCT;
    }
}

static void parse_numbers(struct cursor *c, enum thrift_kind kind, size_t count, any_list *list)
{
    static const uint8_t sizes[] = {[THRIFT_LIST_BOOL] = sizeof(bool),
                                    [THRIFT_LIST_I32] = sizeof(int32_t),
                                    [THRIFT_LIST_I64] = sizeof(int64_t),
                                    [THRIFT_LIST_BYTES] = sizeof(struct slice)};
    list->items = cursor_alloc(c, count, sizes[kind]);
    for (size_t i = 0; i < count && !c->problem; i++) {
        if (kind == THRIFT_LIST_BOOL)
            ((bool *)list->items)[i] = read_byte(c) == 1;
        else if (kind == THRIFT_LIST_I32)
            ((int32_t *)list->items)[i] = (int32_t)read_ranged(c, INT32_MIN, INT32_MAX);
        else if (kind == THRIFT_LIST_I64)
            ((int64_t *)list->items)[i] = read_zigzag(c);
        else
            ((struct slice *)list->items)[i] = read_bytes(c);
    }
    list->count = c->problem ? 0 : count;
}

static void parse_structs(struct cursor *c, const struct thrift_table *table, size_t count, any_list *list)
{
    size_t room = 0;
    char *items = NULL;
    list->count = 0;
    for (size_t i = 0; i < count && !c->problem; i++) {
        if (i == room) {
            size_t wider = room ? room * 2 : FIRST_ITEMS;
            wider = wider < count ? wider : count;
            char *moved = cursor_alloc(c, wider, table->size);
            if (!moved)
                return;
            if (i)
                memcpy(moved, items, i * table->size);
            items = moved;
            room = wider;
        }
        parse_struct(c, table, items + i * table->size);
        list->count = i + 1;
    }
    list->items = items;
    if (c->problem)
        list->count = 0;
}

static void parse_list(struct cursor *c, const struct thrift_row *row, void *out)
{
    int element = 0;
    size_t count = 0;
    any_list list = {0};
    read_list_header(c, &element, &count);
    if (count && !element_matches(row->kind, element)) {
        cursor_fail(c, "a list of another type");
        return;
    }
    if (count && row->kind == THRIFT_LIST_STRUCT)
        parse_structs(c, row->table, count, &list);
    else if (count)
        parse_numbers(c, row->kind, count, &list);
    memcpy(out, &list, sizeof list);
}

static bool wire_matches(enum thrift_kind kind, int wire)
{
    switch (kind) {
    case THRIFT_BOOL:
        return wire == WIRE_TRUE || wire == WIRE_FALSE;
    case THRIFT_I8:
        return wire == WIRE_I8;
    case THRIFT_I16:
    case THRIFT_I32:
    case THRIFT_I64:
        return wire >= WIRE_I16 && wire <= WIRE_I64;
    case THRIFT_DOUBLE:
        return wire == WIRE_DOUBLE;
    case THRIFT_BYTES:
        return wire == WIRE_BYTES;
    case THRIFT_STRUCT:
    case THRIFT_EMPTY:
        return wire == WIRE_STRUCT;
    default:
        return wire == WIRE_LIST || wire == WIRE_SET;
    }
}

static void parse_child(struct cursor *c, const struct thrift_table *table, void *out)
{
    void *child = cursor_alloc(c, 1, table->size);
    if (!child)
        return;
    parse_struct(c, table, child);
    memcpy(out, &child, sizeof child);
}

static void parse_value(struct cursor *c, const struct thrift_row *row, int wire, void *out)
{
    switch (row->kind) {
    case THRIFT_BOOL:
        *(bool *)out = wire == WIRE_TRUE;
        return;
    case THRIFT_I8:
        *(int8_t *)out = (int8_t)read_byte(c);
        return;
    case THRIFT_I16:
        *(int16_t *)out = (int16_t)read_ranged(c, INT16_MIN, INT16_MAX);
        return;
    case THRIFT_I32:
        *(int32_t *)out = (int32_t)read_ranged(c, INT32_MIN, INT32_MAX);
        return;
    case THRIFT_I64:
        *(int64_t *)out = read_zigzag(c);
        return;
    case THRIFT_DOUBLE:
        if (c->length - c->position < 8)
            cursor_fail_cut(c);
        else
            memcpy(out, c->data + c->position, 8);
        skip_fixed(c, 8);
        return;
    case THRIFT_BYTES:
        *(struct slice *)out = read_bytes(c);
        return;
    case THRIFT_STRUCT:
        parse_child(c, row->table, out);
        return;
    case THRIFT_EMPTY:
        skip_struct(c, 0);
        return;
    default:
        parse_list(c, row, out);
    }
}

static const struct thrift_row *row_find(const struct thrift_table *table, int id)
{
    for (int i = 0; i < table->count; i++)
        if (table->rows[i].id == id)
            return &table->rows[i];
    return NULL;
}

static void check_required(struct cursor *c, const struct thrift_table *table, uint32_t has)
{
    for (int i = 0; i < table->count && !c->problem; i++) {
        const struct thrift_row *row = &table->rows[i];
        if (row->required && !(has >> row->id & 1)) {
            c->where = row->name;
            cursor_fail(c, "missing");
        }
    }
}

static void parse_struct(struct cursor *c, const struct thrift_table *table, void *out)
{
    uint32_t has = 0;
    int id = 0, wire = 0;
    while (read_field(c, &id, &wire)) {
        const struct thrift_row *row = row_find(table, id);
        if (!row || !wire_matches(row->kind, wire)) {
            skip_value(c, wire, 0);
            continue;
        }
        bool failed_before = c->problem != NULL;
        parse_value(c, row, wire, (char *)out + row->offset);
        if (c->problem && !failed_before && !c->where)
            c->where = row->name;
        has |= 1u << id;
    }
    check_required(c, table, has);
    *(uint32_t *)out = has;
}

enum haul_code thrift_parse(const struct thrift_table *table, struct slice data, void *out,
                            struct arena *arena, size_t *used, struct haul_error *err)
{
    struct cursor c = {.data = data.data, .length = data.length, .arena = arena};
    memset(out, 0, table->size);
    parse_struct(&c, table, out);
    *used = c.cut ? THRIFT_CUT : c.position;
    if (c.nomem)
        return error_set(err, HAUL_LIMIT, "the %s needs more memory than metadata may take", table->name);
    if (c.problem)
        return error_set(err, HAUL_DATA, "the %s is malformed: %s%s%s at its byte %zu", table->name,
                         c.where ? c.where : "", c.where ? " is " : "", c.problem, c.position);
    return HAUL_OK;
}

/* ---- writing ---- */

struct printer {
    struct buffer *out;
    struct haul_error *err;
    enum haul_code code; /* the first failure; nothing is written after it */
};

static void print_raw(struct printer *p, const void *data, size_t length)
{
    if (!p->code)
        p->code = buffer_append(p->out, data, length, p->err);
}

static void print_byte(struct printer *p, int byte)
{
    uint8_t b = (uint8_t)byte;
    print_raw(p, &b, 1);
}

static void print_varint(struct printer *p, uint64_t n)
{
    uint8_t bytes[10];
    size_t length = 0;
    while (n >= 0x80) {
        bytes[length++] = (uint8_t)(n | 0x80);
        n >>= 7;
    }
    bytes[length++] = (uint8_t)n;
    print_raw(p, bytes, length);
}

static void print_zigzag(struct printer *p, int64_t n)
{
    print_varint(p, ((uint64_t)n << 1) ^ (uint64_t)(n >> 63));
}

static void print_bytes(struct printer *p, const struct slice *bytes)
{
    print_varint(p, bytes->length);
    if (bytes->length)
        print_raw(p, bytes->data, bytes->length);
}

static void print_field(struct printer *p, int id, int *last, int wire)
{
    int delta = id - *last;
    assert(delta > 0 && delta <= 31);
    if (delta <= 15) {
        print_byte(p, delta << 4 | wire);
    } else {
        print_byte(p, wire);
        print_zigzag(p, id);
    }
    *last = id;
}

static int wire_of(const struct thrift_row *row, const void *value)
{
    switch (row->kind) {
    case THRIFT_BOOL:
        return *(const bool *)value ? WIRE_TRUE : WIRE_FALSE;
    case THRIFT_I8:
        return WIRE_I8;
    case THRIFT_I16:
        return WIRE_I16;
    case THRIFT_I32:
        return WIRE_I32;
    case THRIFT_I64:
        return WIRE_I64;
    case THRIFT_DOUBLE:
        return WIRE_DOUBLE;
    case THRIFT_BYTES:
        return WIRE_BYTES;
    case THRIFT_STRUCT:
    case THRIFT_EMPTY:
        return WIRE_STRUCT;
    default:
        return WIRE_LIST;
    }
}

static int element_wire(enum thrift_kind kind)
{
    switch (kind) {
    case THRIFT_LIST_BOOL:
        return WIRE_TRUE;
    case THRIFT_LIST_I32:
        return WIRE_I32;
    case THRIFT_LIST_I64:
        return WIRE_I64;
    case THRIFT_LIST_BYTES:
        return WIRE_BYTES;
    default:
        return WIRE_STRUCT;
    }
}

static void print_struct(struct printer *p, const struct thrift_table *table, const void *in);

static void print_list(struct printer *p, const struct thrift_row *row, const any_list *list)
{
    int wire = element_wire(row->kind);
    if (list->count < 15) {
        print_byte(p, (int)list->count << 4 | wire);
    } else {
        print_byte(p, 0xf0 | wire);
        print_varint(p, list->count);
    }
    for (size_t i = 0; i < list->count && !p->code; i++) {
        if (row->kind == THRIFT_LIST_BOOL)
            print_byte(p, ((const bool *)list->items)[i] ? 1 : 2);
        else if (row->kind == THRIFT_LIST_I32)
            print_zigzag(p, ((const int32_t *)list->items)[i]);
        else if (row->kind == THRIFT_LIST_I64)
            print_zigzag(p, ((const int64_t *)list->items)[i]);
        else if (row->kind == THRIFT_LIST_BYTES)
            print_bytes(p, (const struct slice *)list->items + i);
        else
            print_struct(p, row->table, (const char *)list->items + i * row->table->size);
    }
}

static void print_value(struct printer *p, const struct thrift_row *row, const void *value)
{
    switch (row->kind) {
    case THRIFT_BOOL:
        return;
    case THRIFT_I8:
        print_byte(p, *(const int8_t *)value);
        return;
    case THRIFT_I16:
        print_zigzag(p, *(const int16_t *)value);
        return;
    case THRIFT_I32:
        print_zigzag(p, *(const int32_t *)value);
        return;
    case THRIFT_I64:
        print_zigzag(p, *(const int64_t *)value);
        return;
    case THRIFT_DOUBLE:
        print_raw(p, value, 8);
        return;
    case THRIFT_BYTES:
        print_bytes(p, value);
        return;
    case THRIFT_STRUCT:
        print_struct(p, row->table, *(const void *const *)value);
        return;
    case THRIFT_EMPTY:
        print_byte(p, WIRE_STOP);
        return;
    default:
        print_list(p, row, value);
    }
}

static void print_struct(struct printer *p, const struct thrift_table *table, const void *in)
{
    assert(in);
    uint32_t has = *(const uint32_t *)in;
    int last = 0;
    for (int i = 0; i < table->count && !p->code; i++) {
        const struct thrift_row *row = &table->rows[i];
        const void *value = (const char *)in + row->offset;
        if (!row->required && !(has >> row->id & 1))
            continue;
        print_field(p, row->id, &last, wire_of(row, value));
        print_value(p, row, value);
    }
    print_byte(p, WIRE_STOP);
}

enum haul_code thrift_write(const struct thrift_table *table, const void *in, struct buffer *out,
                            struct haul_error *err)
{
    struct printer p = {.out = out, .err = err};
    print_struct(&p, table, in);
    return p.code;
}
