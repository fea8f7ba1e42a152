/*
 * arrow_schema_read.c: what "ARROW:schema" says beyond Parquet's types.
 *
 * Only two things are taken from it, durations and the names of time zones, and
 * only where the Parquet type agrees that there can be such a thing. It is a
 * hint: a message that is malformed, or describes other columns, is ignored.
 * Every place is checked against the length; the walk follows our own schema,
 * so it is as deep and as long as that.
 */
#include "base/unicode.h"
#include "format/parquet/arrow_schema.h"
#include "format/parquet/base64.h"

#define TEXT_BYTES_MAX     ((size_t)64 << 20)
#define ZONE_BYTES_MAX     255
#define TYPE_TIMESTAMP_ROW 10 /* numbers of the union Type */
#define TYPE_DURATION_ROW  18

/* A FlatBuffer. Place 0 stands for "there is none". */
struct flat {
    const uint8_t *data;
    size_t length;
};

static bool flat_get(const struct flat *flat, size_t place, void *out, size_t size)
{
    if (place == 0 || place > flat->length || size > flat->length - place)
        return false;
    memcpy(out, flat->data + place, size);
    return true;
}

/* Where the reference at `place` points to. */
static size_t flat_follow(const struct flat *flat, size_t place)
{
    uint32_t distance;
    return flat_get(flat, place, &distance, sizeof distance) && distance < flat->length ? place + distance
                                                                                        : 0;
}

/* The place of field `row` of the table. */
static size_t flat_field(const struct flat *flat, size_t table, size_t row)
{
    int32_t back;
    uint16_t size, offset;
    if (!flat_get(flat, table, &back, sizeof back))
        return 0;
    int64_t vtable = (int64_t)table - back;
    if (vtable <= 0 || !flat_get(flat, (size_t)vtable, &size, sizeof size) || size < 6 + 2 * row)
        return 0;
    return flat_get(flat, (size_t)vtable + 4 + 2 * row, &offset, sizeof offset) && offset ? table + offset
                                                                                          : 0;
}

/* A vector of references with exactly `count` of them: the place of the first. */
static size_t flat_vector(const struct flat *flat, size_t table, size_t row, int count)
{
    uint32_t length;
    size_t vector = flat_follow(flat, flat_field(flat, table, row));
    bool fits = flat_get(flat, vector, &length, sizeof length) && length == (uint32_t)count;
    return fits ? vector + sizeof length : 0;
}

static void apply_duration(const struct flat *flat, size_t type, struct field *field)
{
    int16_t unit = TIME_MILLI; /* the default of the format */
    size_t place = flat_field(flat, type, 0);
    if (place && !flat_get(flat, place, &unit, sizeof unit))
        return;
    if (unit < TIME_SECOND || unit > TIME_NANO)
        return;
    field->type = TYPE_DURATION;
    field->unit = (enum time_unit)unit;
}

static void apply_zone(const struct flat *flat, size_t type, struct arena *arena, struct field *field)
{
    uint32_t length;
    size_t text = flat_follow(flat, flat_field(flat, type, 1));
    if (!flat_get(flat, text, &length, sizeof length) || length == 0 || length > ZONE_BYTES_MAX)
        return;
    if (length > flat->length - text - sizeof length)
        return;
    const uint8_t *zone = flat->data + text + sizeof length;
    if (!unicode_is_valid(zone, length) || memchr(zone, 0, length))
        return;
    char *copy = arena_text_n(arena, (const char *)zone, length);
    if (copy)
        field->timezone = copy;
}

static void apply_fields(const struct flat *flat, size_t vector, struct arena *arena, struct field *fields,
                         int count)
{
    for (int i = 0; vector && i < count; i++) {
        struct field *field = &fields[i];
        uint8_t number = 0;
        size_t table = flat_follow(flat, vector + 4 * (size_t)i);
        size_t type = flat_follow(flat, flat_field(flat, table, 3));
        (void)flat_get(flat, flat_field(flat, table, 2), &number, sizeof number);
        if (number == TYPE_DURATION_ROW && field->type == TYPE_INT64)
            apply_duration(flat, type, field);
        else if (number == TYPE_TIMESTAMP_ROW && field->type == TYPE_TIMESTAMP && field->timezone)
            apply_zone(flat, type, arena, field);
        if (field->child_count > 0)
            apply_fields(flat, flat_vector(flat, table, 5, field->child_count), arena, field->children,
                         field->child_count);
    }
}

static void apply_message(const struct buffer *bytes, struct schema *schema)
{
    uint32_t start[2];
    if (bytes->length < sizeof start)
        return;
    memcpy(start, bytes->data, sizeof start);
    size_t skip = start[0] == UINT32_MAX ? 8 : 4; /* before Arrow 0.15 only the length stood there */
    struct flat flat = {bytes->data + skip, bytes->length - skip};
    uint32_t root;
    if (flat.length < sizeof root)
        return;
    memcpy(&root, flat.data, sizeof root);
    size_t table = flat_follow(&flat, flat_field(&flat, root, 2));
    apply_fields(&flat, flat_vector(&flat, table, 1, schema->count), &schema->arena, schema->fields,
                 schema->count);
}

void arrow_schema_apply(const struct file_metadata *file, struct schema *schema)
{
    for (size_t i = 0; i < file->key_values.count; i++) {
        const struct key_value *item = &file->key_values.items[i];
        size_t key = strlen(ARROW_SCHEMA_KEY);
        if (item->key.length != key || memcmp(item->key.data, ARROW_SCHEMA_KEY, key) != 0)
            continue;
        struct buffer bytes = {0};
        struct haul_error ignored = {0};
        if (item->value.length <= TEXT_BYTES_MAX &&
            !base64_parse((const char *)item->value.data, item->value.length, &bytes, &ignored))
            apply_message(&bytes, schema);
        buffer_release(&bytes);
        return;
    }
}
