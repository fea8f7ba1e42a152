/*
 * arrow_schema.c: an Arrow IPC schema message.
 *
 * The message is a FlatBuffer of five kinds of tables. FlatBuffers ask that
 * references point forward and that scalars are aligned; so a table is written
 * first, with its references empty, and what it refers to behind it. Each table
 * has its own vtable just before it: a few bytes more than need be, in a footer.
 */
#include "format/parquet/arrow_schema.h"
#include "format/parquet/base64.h"

#define MESSAGE_START   8 /* FF FF FF FF and the length stand before */
#define VERSION_5       4
#define HEADER_SCHEMA   1
#define VTABLE_ROWS_MAX 7

/* Numbers of the union Type. */
enum arrow_type {
    ARROW_NULL = 1,
    ARROW_INT = 2,
    ARROW_FLOAT = 3,
    ARROW_BINARY = 4,
    ARROW_UTF8 = 5,
    ARROW_BOOL = 6,
    ARROW_DECIMAL = 7,
    ARROW_DATE = 8,
    ARROW_TIME = 9,
    ARROW_TIMESTAMP = 10,
    ARROW_LIST = 12,
    ARROW_STRUCT = 13,
    ARROW_FIXED_BINARY = 15,
    ARROW_MAP = 17,
    ARROW_DURATION = 18
};

/* One message being written. Errors are kept: after the first nothing more is written. */
struct message {
    struct buffer *out;
    size_t start; /* of the FlatBuffer in `out` */
    enum haul_code code;
    struct haul_error *err;
};

static size_t here(const struct message *m)
{
    return m->out->length - m->start;
}

static void put(struct message *m, const void *data, size_t length)
{
    if (!m->code)
        m->code = buffer_append(m->out, data, length, m->err);
}

/* Zeros until the place `ahead` bytes on is a multiple of 8. */
static void align(struct message *m, size_t ahead)
{
    static const uint8_t zeros[8] = {0};
    put(m, zeros, (8 - (here(m) + ahead) % 8) % 8);
}

/* What was written at `place`, for values known later. */
static void set(struct message *m, size_t place, const void *data, size_t length)
{
    if (!m->code)
        memcpy(m->out->data + m->start + place, data, length);
}

/* Makes the reference at `place` point to what is written next. */
static void refer(struct message *m, size_t place)
{
    uint32_t distance = (uint32_t)(here(m) - place);
    set(m, place, &distance, sizeof distance);
}

/* A table of `size` bytes, zeros, whose fields stand at `offsets` (0: absent).
 * `place`: of the reference to it. Returns where it begins. */
static size_t put_table(struct message *m, size_t place, const uint16_t *offsets, size_t count, uint16_t size)
{
    static const uint8_t zeros[32] = {0};
    uint16_t head[2] = {(uint16_t)(sizeof head + count * sizeof *offsets), size};
    align(m, head[0]);
    int32_t distance = head[0];
    put(m, head, sizeof head);
    put(m, offsets, count * sizeof *offsets);
    refer(m, place);
    size_t table = here(m);
    put(m, &distance, sizeof distance);
    put(m, zeros, size - sizeof distance);
    return table;
}

static void put_text(struct message *m, size_t place, const char *text)
{
    uint32_t length = (uint32_t)strlen(text);
    align(m, 0);
    refer(m, place);
    put(m, &length, sizeof length);
    put(m, text, (size_t)length + 1);
}

/* A vector of `count` references; returns the place of the first. */
static size_t put_vector(struct message *m, size_t place, uint32_t count)
{
    const uint32_t none = 0;
    align(m, 4);
    refer(m, place);
    put(m, &count, sizeof count);
    size_t first = here(m);
    for (uint32_t i = 0; i < count; i++)
        put(m, &none, sizeof none);
    return first;
}

/* ---- types ---- */

static enum arrow_type arrow_type_of(const struct field *field)
{
    static const enum arrow_type table[TYPE_COUNT] = {
        [TYPE_NULL] = ARROW_NULL,
        [TYPE_BOOL] = ARROW_BOOL,
        [TYPE_INT8] = ARROW_INT,
        [TYPE_INT16] = ARROW_INT,
        [TYPE_INT32] = ARROW_INT,
        [TYPE_INT64] = ARROW_INT,
        [TYPE_UINT8] = ARROW_INT,
        [TYPE_UINT16] = ARROW_INT,
        [TYPE_UINT32] = ARROW_INT,
        [TYPE_UINT64] = ARROW_INT,
        [TYPE_FLOAT16] = ARROW_FLOAT,
        [TYPE_FLOAT32] = ARROW_FLOAT,
        [TYPE_FLOAT64] = ARROW_FLOAT,
        [TYPE_DECIMAL] = ARROW_DECIMAL,
        [TYPE_DATE] = ARROW_DATE,
        [TYPE_TIME] = ARROW_TIME,
        [TYPE_TIMESTAMP] = ARROW_TIMESTAMP,
        [TYPE_DURATION] = ARROW_DURATION,
        [TYPE_UTF8] = ARROW_UTF8,
        [TYPE_BINARY] = ARROW_BINARY,
        [TYPE_FIXED_BINARY] = ARROW_FIXED_BINARY,
        [TYPE_LIST] = ARROW_LIST,
        [TYPE_STRUCT] = ARROW_STRUCT,
        [TYPE_MAP] = ARROW_MAP,
    };
    return table[field->type];
}

static void put_int_type(struct message *m, size_t place, const struct field *field)
{
    static const uint16_t offsets[] = {4, 8};
    bool is_signed = field->type < TYPE_UINT8;
    int32_t bits = 8 << (field->type - (is_signed ? TYPE_INT8 : TYPE_UINT8));
    size_t table = put_table(m, place, offsets, 2, 12);
    set(m, table + 4, &bits, sizeof bits);
    set(m, table + 8, &is_signed, sizeof is_signed);
}

static void put_decimal_type(struct message *m, size_t place, const struct field *field)
{
    static const uint16_t offsets[] = {4, 8};
    int32_t digits[2] = {field->precision, field->scale};
    size_t table = put_table(m, place, offsets, 2, 12);
    set(m, table + 4, digits, sizeof digits);
}

/* Types whose first field is a short: a unit, a float's precision. */
static void put_short_type(struct message *m, size_t place, int value)
{
    static const uint16_t offsets[] = {4};
    int16_t number = (int16_t)value;
    size_t table = put_table(m, place, offsets, 1, 8);
    set(m, table + 4, &number, sizeof number);
}

static void put_time_type(struct message *m, size_t place, const struct field *field)
{
    static const uint16_t offsets[] = {4, 8};
    int16_t unit = (int16_t)field->unit;
    int32_t bits = field->unit <= TIME_MILLI ? 32 : 64;
    size_t table = put_table(m, place, offsets, 2, 12);
    set(m, table + 4, &unit, sizeof unit);
    set(m, table + 8, &bits, sizeof bits);
}

static void put_timestamp_type(struct message *m, size_t place, const struct field *field)
{
    const uint16_t offsets[] = {8, field->timezone ? 4 : 0};
    int16_t unit = (int16_t)field->unit;
    size_t table = put_table(m, place, offsets, 2, 12);
    set(m, table + 8, &unit, sizeof unit);
    if (field->timezone)
        put_text(m, table + 4, field->timezone);
}

static void put_width_type(struct message *m, size_t place, int32_t width)
{
    static const uint16_t offsets[] = {4};
    size_t table = put_table(m, place, offsets, 1, 8);
    set(m, table + 4, &width, sizeof width);
}

static void put_type(struct message *m, size_t place, const struct field *field)
{
    switch (arrow_type_of(field)) {
    case ARROW_INT:
        put_int_type(m, place, field);
        break;
    case ARROW_FLOAT:
        put_short_type(m, place, (int)field->type - TYPE_FLOAT16);
        break;
    case ARROW_DECIMAL:
        put_decimal_type(m, place, field);
        break;
    case ARROW_DATE:
        put_short_type(m, place, 0); /* days */
        break;
    case ARROW_TIME:
        put_time_type(m, place, field);
        break;
    case ARROW_TIMESTAMP:
        put_timestamp_type(m, place, field);
        break;
    case ARROW_DURATION:
        put_short_type(m, place, (int)field->unit);
        break;
    case ARROW_FIXED_BINARY:
        put_width_type(m, place, field->width);
        break;
    default:
        (void)put_table(m, place, NULL, 0, 4);
    }
}

/* ---- fields ---- */

static void put_pair(struct message *m, size_t place, const char *key, const char *value)
{
    static const uint16_t offsets[] = {4, 8};
    size_t table = put_table(m, place, offsets, 2, 12);
    put_text(m, table + 4, key);
    put_text(m, table + 8, value);
}

static void put_extension(struct message *m, size_t place, const char *extension)
{
    size_t pairs = put_vector(m, place, 2);
    put_pair(m, pairs, "ARROW:extension:name", extension);
    put_pair(m, pairs + 4, "ARROW:extension:metadata", "");
}

/* Names as the elements have them: list, key and value. */
static const char *child_name(const struct field *parent, int i)
{
    if (parent->type == TYPE_LIST)
        return "element";
    return parent->type == TYPE_MAP ? "key_value" : parent->children[i].name;
}

/* The recursion is as deep as the schema, which has a limit (schema.h). */
static void put_field(struct message *m, size_t place, const struct field *field, const char *name)
{
    /* name, nullable, type's number, type, dictionary, children, metadata */
    uint16_t offsets[VTABLE_ROWS_MAX] = {4, 20, 21, 8, 0, 12, 16};
    uint8_t flags[2] = {field->nullable || field->type == TYPE_NULL, (uint8_t)arrow_type_of(field)};
    offsets[6] = field->extension ? 16 : 0;
    size_t table = put_table(m, place, offsets, VTABLE_ROWS_MAX, 24);
    set(m, table + 20, flags, sizeof flags);
    put_text(m, table + 4, name);
    put_type(m, table + 8, field);
    if (field->extension)
        put_extension(m, table + 16, field->extension);
    size_t children = put_vector(m, table + 12, (uint32_t)field->child_count);
    for (int i = 0; i < field->child_count; i++)
        put_field(m, children + 4 * (size_t)i, &field->children[i], child_name(field, i));
}

static void put_message(struct message *m, const struct schema *schema)
{
    /* version, header's number, header, body length */
    static const uint16_t message_offsets[] = {16, 18, 4, 8};
    static const uint16_t schema_offsets[] = {0, 4}; /* endianness (little by default), fields */
    const uint32_t none = 0;
    const int16_t version = VERSION_5;
    const uint8_t header = HEADER_SCHEMA;
    put(m, &none, sizeof none);
    size_t message = put_table(m, 0, message_offsets, 4, 20);
    set(m, message + 16, &version, sizeof version);
    set(m, message + 18, &header, sizeof header);
    size_t table = put_table(m, message + 4, schema_offsets, 2, 8);
    size_t fields = put_vector(m, table + 4, (uint32_t)schema->count);
    for (int i = 0; i < schema->count; i++)
        put_field(m, fields + 4 * (size_t)i, &schema->fields[i], schema->fields[i].name);
    align(m, 0);
}

static bool field_needs_it(const struct field *field)
{
    bool zone = field->type == TYPE_TIMESTAMP && field->timezone && strcmp(field->timezone, "UTC") != 0;
    bool needed = zone || field->type == TYPE_DURATION || (field->type == TYPE_STRUCT && field->extension);
    for (int i = 0; !needed && i < field->child_count; i++)
        needed = field_needs_it(&field->children[i]);
    return needed;
}

bool arrow_schema_is_needed(const struct schema *schema)
{
    bool needed = false;
    for (int i = 0; !needed && i < schema->count; i++)
        needed = field_needs_it(&schema->fields[i]);
    return needed;
}

enum haul_code arrow_schema_print(const struct schema *schema, struct buffer *out, struct haul_error *err)
{
    struct buffer bytes = {0};
    struct message message = {.out = &bytes, .start = MESSAGE_START, .err = err};
    uint32_t start[2] = {UINT32_MAX, 0};
    message.code = buffer_append(&bytes, start, sizeof start, err);
    put_message(&message, schema);
    enum haul_code code = message.code;
    if (!code)
        code = buffer_reserve(out, base64_length(bytes.length) + 1, err);
    if (!code) {
        start[1] = (uint32_t)(bytes.length - MESSAGE_START);
        memcpy(bytes.data, start, sizeof start);
        base64_print(bytes.data, bytes.length, (char *)out->data + out->length);
        out->length += base64_length(bytes.length);
    }
    buffer_release(&bytes);
    return code;
}
