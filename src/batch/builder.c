/*
 * builder.c: columns grow row by row, then move into Arrow arrays.
 *
 * Every append starts with one comparison (length == room); all buffers of a
 * column have room for the same number of rows, so that what follows stores
 * without looking. Growth is the buffer's own (base/buffer.h); `room` is then
 * read back from the capacities. Positions follow from `length` and
 * offsets[length] alone, because bulk writers set only those.
 *
 * Limits: offsets are int32, so a column of strings holds at most 2 GiB and a
 * list column 2^31 - 1 items in one batch; a reader cuts its batches long before.
 */
#include "batch/builder.h"

#include "batch/array.h"
#include "batch/float16.h"
#include <assert.h>
#include <string.h>

#define GROW_ROWS 64

static enum type_layout layout_of(const struct builder *builder)
{
    return builder->indexed ? LAYOUT_FIXED : type_table[builder->field->type].layout;
}

static int32_t *offsets_of(const struct builder *builder)
{
    return (int32_t *)(void *)builder->offsets.data;
}

static enum haul_code init_children(struct builder *builder, struct haul_error *err)
{
    const struct field *field = builder->field;
    if (!field->child_count)
        return HAUL_OK;
    size_t size = (size_t)field->child_count * sizeof *builder->children;
    builder->children = memory_alloc(NULL, size);
    if (!builder->children)
        return error_nomem(err, "a builder");
    memset(builder->children, 0, size);
    for (int i = 0; i < field->child_count; i++)
        if (builder_init(&builder->children[i], &field->children[i], builder->memory, err))
            return err->code;
    return HAUL_OK;
}

/* The first offset is there from the start. */
static enum haul_code start(struct builder *builder, struct haul_error *err)
{
    enum type_layout layout = layout_of(builder);
    builder->length = builder->null_count = builder->room = 0;
    if (layout == LAYOUT_BYTES || layout == LAYOUT_LIST)
        return buffer_resize(&builder->offsets, sizeof(int32_t), err);
    return HAUL_OK;
}

enum haul_code builder_init(struct builder *builder, const struct field *field, struct memory *memory,
                            struct haul_error *err)
{
    *builder = (struct builder){.field = field, .memory = memory};
    if (type_table[field->type].layout == LAYOUT_FIXED)
        builder->width = (size_t)field_width(field);
    buffer_init(&builder->validity, memory);
    buffer_init(&builder->values, memory);
    buffer_init(&builder->offsets, memory);
    buffer_init(&builder->data, memory);
    if (start(builder, err) || init_children(builder, err)) {
        builder_release(builder);
        return err->code;
    }
    return HAUL_OK;
}

void builder_release(struct builder *builder)
{
    buffer_release(&builder->validity);
    buffer_release(&builder->values);
    buffer_release(&builder->offsets);
    buffer_release(&builder->data);
    for (int i = 0; builder->children && i < builder->field->child_count; i++)
        builder_release(&builder->children[i]);
    if (builder->children)
        memory_free(NULL, builder->children, (size_t)builder->field->child_count * sizeof *builder->children);
    memset(builder, 0, sizeof *builder);
}

static void set_indexed(struct builder *builder, bool indexed)
{
    builder->indexed = indexed;
    if (indexed)
        builder->width = sizeof(int32_t);
    else
        builder->width = layout_of(builder) == LAYOUT_FIXED ? (size_t)field_width(builder->field) : 0;
}

void builder_begin_indices(struct builder *builder)
{
    assert(builder->length == 0 && builder->field->child_count == 0);
    set_indexed(builder, true);
    builder->room = 0;
}

/* ---- room ---- */

static size_t bit_bytes(int64_t rows)
{
    return ((size_t)rows + 7) / 8;
}

/* The buffers' lengths as they follow from length and offsets. */
static void sync_lengths(struct builder *builder)
{
    size_t rows = (size_t)builder->length;
    switch (layout_of(builder)) {
    case LAYOUT_BITS:
        builder->values.length = bit_bytes(builder->length);
        break;
    case LAYOUT_FIXED:
        builder->values.length = rows * builder->width;
        break;
    case LAYOUT_BYTES:
        builder->data.length = (size_t)offsets_of(builder)[rows];
        builder->offsets.length = (rows + 1) * sizeof(int32_t);
        break;
    case LAYOUT_LIST:
        builder->offsets.length = (rows + 1) * sizeof(int32_t);
        break;
    default:
        break;
    }
    if (builder->validity.length)
        builder->validity.length = rows ? bit_bytes(builder->length) : 1;
}

static int64_t room_in(const struct buffer *buffer)
{
    return buffer->capacity < BUFFER_PADDING ? 0 : (int64_t)(buffer->capacity - BUFFER_PADDING);
}

/* Rows all buffers have room for. */
static int64_t measure_room(const struct builder *builder)
{
    int64_t room = INT32_MAX;
    enum type_layout layout = layout_of(builder);
    if (layout == LAYOUT_BITS)
        room = room_in(&builder->values) * 8;
    else if (layout == LAYOUT_FIXED)
        room = room_in(&builder->values) / (int64_t)builder->width;
    else if (layout == LAYOUT_BYTES || layout == LAYOUT_LIST)
        room = room_in(&builder->offsets) / (int64_t)sizeof(int32_t) - 1;
    if (builder->validity.length && room > room_in(&builder->validity) * 8)
        room = room_in(&builder->validity) * 8;
    return room < INT32_MAX ? room : INT32_MAX;
}

/* Bits from row `length` to `room` become 0. */
static void clear_ahead(struct builder *builder, struct buffer *bits, int64_t rows)
{
    int64_t byte = builder->length / 8;
    if (builder->length % 8)
        bits->data[byte++] &= (uint8_t)((1u << (builder->length % 8)) - 1);
    int64_t end = (int64_t)bit_bytes(builder->length + rows);
    if (end > byte)
        memset(bits->data + byte, 0, (size_t)(end - byte));
}

static enum haul_code reserve_rows(struct builder *builder, int64_t rows, struct haul_error *err)
{
    if (rows > INT32_MAX - 1 - builder->length)
        return error_set(err, HAUL_LIMIT, "column \"%s\": more than 2147483646 rows in one batch",
                         builder->field->name ? builder->field->name : "");
    size_t more = (size_t)rows;
    switch (layout_of(builder)) {
    case LAYOUT_BITS:
        return buffer_reserve(&builder->values, more / 8 + 1, err);
    case LAYOUT_FIXED:
        return buffer_reserve(&builder->values, more * builder->width, err);
    case LAYOUT_BYTES:
    case LAYOUT_LIST:
        return buffer_reserve(&builder->offsets, more * sizeof(int32_t), err);
    default:
        return HAUL_OK;
    }
}

enum haul_code builder_reserve(struct builder *builder, int64_t rows, size_t bytes, struct haul_error *err)
{
    sync_lengths(builder);
    if (reserve_rows(builder, rows, err))
        return err->code;
    if (builder->validity.length && buffer_reserve(&builder->validity, (size_t)rows / 8 + 1, err))
        return err->code;
    if (bytes && buffer_reserve(&builder->data, bytes, err))
        return err->code;
    builder->room = measure_room(builder);
    if (builder->validity.length)
        clear_ahead(builder, &builder->validity, rows);
    if (layout_of(builder) == LAYOUT_BITS)
        clear_ahead(builder, &builder->values, rows);
    return HAUL_OK;
}

enum haul_code builder_add_validity(struct builder *builder, struct haul_error *err)
{
    if (builder->validity.length)
        return HAUL_OK;
    enum type_layout layout = layout_of(builder);
    if (layout == LAYOUT_NONE)
        return HAUL_OK;
    int64_t ahead = layout == LAYOUT_STRUCT ? GROW_ROWS : builder->room - builder->length;
    if (ahead < 0)
        ahead = 0;
    if (buffer_reserve(&builder->validity, bit_bytes(builder->length + ahead) + 1, err))
        return err->code;
    memset(builder->validity.data, 0xff, bit_bytes(builder->length));
    clear_ahead(builder, &builder->validity, ahead + 1);
    builder->validity.length = builder->length ? bit_bytes(builder->length) : 1;
    builder->room = measure_room(builder);
    return HAUL_OK;
}

static inline enum haul_code make_room(struct builder *builder, struct haul_error *err)
{
    if (__builtin_expect(builder->length < builder->room, 1))
        return HAUL_OK;
    return builder_reserve(builder, GROW_ROWS, 0, err);
}

/* The row's bit may be stale from bulk writers or a doubled reserve: it is set or cleared. */
static inline void close_row(struct builder *builder)
{
    if (builder->validity.length) {
        if (builder->length % 8 == 0)
            builder->validity.data[builder->length / 8] = 0;
        bit_set(builder->validity.data, builder->length);
    }
    builder->length++;
}

/* ---- appending ---- */

enum haul_code builder_append_null(struct builder *builder, struct haul_error *err)
{
    if (!builder->validity.length && builder_add_validity(builder, err))
        return err->code;
    if (make_room(builder, err))
        return err->code;
    int64_t row = builder->length;
    switch (layout_of(builder)) {
    case LAYOUT_BITS:
        if (row % 8 == 0)
            builder->values.data[row / 8] = 0;
        break;
    case LAYOUT_FIXED:
        memset(builder->values.data + (size_t)row * builder->width, 0, builder->width);
        break;
    case LAYOUT_BYTES:
    case LAYOUT_LIST:
        offsets_of(builder)[row + 1] = offsets_of(builder)[row];
        break;
    case LAYOUT_STRUCT:
        for (int i = 0; i < builder->field->child_count; i++)
            if (builder_append_null(&builder->children[i], err))
                return err->code;
        break;
    default:
        break;
    }
    if (builder->validity.length) {
        if (row % 8 == 0)
            builder->validity.data[row / 8] = 0;
        bit_clear(builder->validity.data, row);
    }
    builder->length++;
    builder->null_count++;
    return HAUL_OK;
}

enum haul_code builder_append_bool(struct builder *builder, bool value, struct haul_error *err)
{
    assert(builder->field->type == TYPE_BOOL);
    if (make_room(builder, err))
        return err->code;
    int64_t row = builder->length;
    if (row % 8 == 0)
        builder->values.data[row / 8] = 0;
    if (value)
        bit_set(builder->values.data, row);
    close_row(builder);
    return HAUL_OK;
}

enum haul_code builder_append_i64(struct builder *builder, int64_t value, struct haul_error *err)
{
    if (make_room(builder, err))
        return err->code;
    size_t row = (size_t)builder->length;
    switch (builder->width) { /* little-endian: the low bytes come first */
    case 1:
        memcpy(builder->values.data + row, &value, 1);
        break;
    case 2:
        memcpy(builder->values.data + row * 2, &value, 2);
        break;
    case 4:
        memcpy(builder->values.data + row * 4, &value, 4);
        break;
    default:
        assert(builder->width == 8);
        memcpy(builder->values.data + row * 8, &value, 8);
    }
    close_row(builder);
    return HAUL_OK;
}

enum haul_code builder_append_f64(struct builder *builder, double value, struct haul_error *err)
{
    if (make_room(builder, err))
        return err->code;
    uint8_t *at = builder->values.data + (size_t)builder->length * builder->width;
    if (builder->field->type == TYPE_FLOAT64) {
        memcpy(at, &value, sizeof value);
    } else if (builder->field->type == TYPE_FLOAT32) {
        float narrow = (float)value;
        memcpy(at, &narrow, sizeof narrow);
    } else {
        assert(builder->field->type == TYPE_FLOAT16);
        uint16_t half = float16_from(value);
        memcpy(at, &half, sizeof half);
    }
    close_row(builder);
    return HAUL_OK;
}

enum haul_code builder_append_decimal(struct builder *builder, int128_t value, struct haul_error *err)
{
    assert(builder->field->type == TYPE_DECIMAL);
    if (make_room(builder, err))
        return err->code;
    memcpy(builder->values.data + (size_t)builder->length * sizeof value, &value, sizeof value);
    close_row(builder);
    return HAUL_OK;
}

static enum haul_code append_fixed(struct builder *builder, const void *data, size_t length,
                                   struct haul_error *err)
{
    size_t width = (size_t)builder->field->width;
    if (length != width)
        return error_set(err, HAUL_VALUE, "%zu bytes, but the column holds values of %zu bytes", length,
                         width);
    memcpy(builder->values.data + (size_t)builder->length * width, data, width);
    close_row(builder);
    return HAUL_OK;
}

enum haul_code builder_append_bytes(struct builder *builder, const void *data, size_t length,
                                    struct haul_error *err)
{
    if (make_room(builder, err))
        return err->code;
    if (builder->field->type == TYPE_FIXED_BINARY)
        return append_fixed(builder, data, length, err);
    assert(layout_of(builder) == LAYOUT_BYTES);
    int32_t *offsets = offsets_of(builder);
    size_t end = (size_t)offsets[builder->length];
    if (length > (size_t)INT32_MAX - end)
        return error_set(err, HAUL_LIMIT, "column \"%s\": more than 2 GiB of text in one batch",
                         builder->field->name ? builder->field->name : "");
    builder->data.length = end;
    if (builder->data.capacity < end + length + BUFFER_PADDING && buffer_reserve(&builder->data, length, err))
        return err->code;
    if (length)
        memcpy(builder->data.data + end, data, length);
    builder->data.length = end + length;
    offsets[builder->length + 1] = (int32_t)(end + length);
    close_row(builder);
    return HAUL_OK;
}

enum haul_code builder_append_list(struct builder *builder, struct haul_error *err)
{
    assert(layout_of(builder) == LAYOUT_LIST);
    if (make_room(builder, err))
        return err->code;
    offsets_of(builder)[builder->length + 1] = (int32_t)builder->children[0].length;
    close_row(builder);
    return HAUL_OK;
}

enum haul_code builder_append_struct(struct builder *builder, struct haul_error *err)
{
    assert(layout_of(builder) == LAYOUT_STRUCT);
    if (make_room(builder, err))
        return err->code;
    for (int i = 0; i < builder->field->child_count; i++)
        assert(builder->children[i].length == builder->length + 1);
    close_row(builder);
    return HAUL_OK;
}

/* ---- finishing ---- */

/* A list's items may reach no further than its child, a struct's members are as
 * long as itself; a bulk writer that errs is told so here. */
static enum haul_code check_children(const struct builder *builder, struct haul_error *err)
{
    enum type_layout layout = layout_of(builder);
    for (int i = 0; i < builder->field->child_count; i++) {
        int64_t want = layout == LAYOUT_LIST ? offsets_of(builder)[builder->length] : builder->length;
        if (builder->children[i].length != want)
            return error_set(err, HAUL_INTERNAL, "column \"%s\": child %d has %lld rows instead of %lld",
                             builder->field->name ? builder->field->name : "", i,
                             (long long)builder->children[i].length, (long long)want);
    }
    return HAUL_OK;
}

/* Makes the tree of empty arrays first, so that nothing is lost when that fails. */
static enum haul_code make_arrays(const struct builder *builder, struct ArrowArray *array,
                                  struct haul_error *err)
{
    struct ArrowArray made = {0};
    int buffers = builder->indexed ? 2 : array_buffer_count(builder->field);
    if (check_children(builder, err) ||
        array_init(&made, builder->length, buffers, builder->field->child_count, err))
        return err->code;
    for (int i = 0; i < builder->field->child_count; i++)
        if (make_arrays(&builder->children[i], made.children[i], err)) {
            array_release(&made);
            return err->code;
        }
    *array = made;
    return HAUL_OK;
}

/* The next round's first offset, allocated before anything moves. */
static enum haul_code make_starts(struct builder *builder, struct buffer *starts, size_t *at,
                                  struct haul_error *err)
{
    enum type_layout layout = layout_of(builder);
    if (layout == LAYOUT_BYTES || layout == LAYOUT_LIST) {
        struct buffer first;
        buffer_init(&first, builder->memory);
        if (buffer_resize(&first, sizeof(int32_t), err))
            return err->code;
        struct buffer *kept = (struct buffer *)(void *)starts->data + *at;
        *kept = first;
        ++*at;
    }
    for (int i = 0; i < builder->field->child_count; i++)
        if (make_starts(&builder->children[i], starts, at, err))
            return err->code;
    return HAUL_OK;
}

static size_t count_starts(const struct builder *builder)
{
    enum type_layout layout = layout_of(builder);
    size_t count = layout == LAYOUT_BYTES || layout == LAYOUT_LIST;
    for (int i = 0; i < builder->field->child_count; i++)
        count += count_starts(&builder->children[i]);
    return count;
}

static void move_buffers(struct builder *builder, struct ArrowArray *array, struct buffer **starts)
{
    enum type_layout layout = layout_of(builder);
    sync_lengths(builder);
    array->null_count = builder->null_count;
    if (layout != LAYOUT_NONE && builder->null_count)
        array_set_buffer(array, 0, &builder->validity);
    buffer_clear(&builder->validity);
    if (layout == LAYOUT_BITS || layout == LAYOUT_FIXED)
        array_set_buffer(array, 1, &builder->values);
    if (layout == LAYOUT_BYTES || layout == LAYOUT_LIST) {
        array_set_buffer(array, 1, &builder->offsets);
        builder->offsets = *(*starts)++;
    }
    if (layout == LAYOUT_BYTES)
        array_set_buffer(array, 2, &builder->data);
    builder->length = builder->null_count = builder->room = 0;
    if (builder->indexed)
        set_indexed(builder, false);
    for (int i = 0; i < builder->field->child_count; i++)
        move_buffers(&builder->children[i], array->children[i], starts);
}

enum haul_code builder_finish(struct builder *builder, struct ArrowArray *array, struct haul_error *err)
{
    struct ArrowArray made = {0};
    struct buffer starts = {0};
    size_t made_starts = 0;
    enum haul_code code = make_arrays(builder, &made, err);
    if (!code)
        code = buffer_resize(&starts, count_starts(builder) * sizeof(struct buffer), err);
    if (!code)
        code = make_starts(builder, &starts, &made_starts, err);
    struct buffer *next = (struct buffer *)(void *)starts.data;
    if (!code) {
        move_buffers(builder, &made, &next);
        *array = made;
    } else {
        for (size_t i = 0; i < made_starts; i++)
            buffer_release(&next[i]);
        array_release(&made);
    }
    buffer_release(&starts);
    return code;
}

/* ---- whole batches ---- */

enum haul_code batch_builder_init(struct batch_builder *builder, const struct schema *schema,
                                  struct memory *memory, struct haul_error *err)
{
    size_t size = (size_t)(schema->count ? schema->count : 1) * sizeof *builder->columns;
    *builder = (struct batch_builder){schema, memory_alloc(NULL, size)};
    if (!builder->columns)
        return error_nomem(err, "a batch");
    memset(builder->columns, 0, size);
    for (int i = 0; i < schema->count; i++)
        if (builder_init(&builder->columns[i], &schema->fields[i], memory, err)) {
            batch_builder_release(builder);
            return err->code;
        }
    return HAUL_OK;
}

void batch_builder_release(struct batch_builder *builder)
{
    if (builder->columns) {
        for (int i = 0; i < builder->schema->count; i++)
            builder_release(&builder->columns[i]);
        size_t size =
            (size_t)(builder->schema->count ? builder->schema->count : 1) * sizeof *builder->columns;
        memory_free(NULL, builder->columns, size);
    }
    memset(builder, 0, sizeof *builder);
}

enum haul_code batch_builder_finish(struct batch_builder *builder, struct batch *batch,
                                    struct haul_error *err)
{
    int count = builder->schema->count;
    int64_t rows = count ? builder->columns[0].length : 0;
    for (int i = 1; i < count; i++)
        if (builder->columns[i].length != rows)
            return error_set(err, HAUL_INTERNAL, "column \"%s\" has %lld rows, the first column %lld",
                             builder->schema->fields[i].name, (long long)builder->columns[i].length,
                             (long long)rows);
    struct ArrowArray made = {0};
    if (array_init(&made, rows, 1, count, err))
        return err->code;
    for (int i = 0; i < count; i++)
        if (builder_finish(&builder->columns[i], made.children[i], err)) {
            array_release(&made);
            return err->code;
        }
    *batch = (struct batch){.array = made, .schema = builder->schema, .rows_offered = rows};
    return HAUL_OK;
}
