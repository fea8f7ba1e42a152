/*
 * leaf_type.c: the type map between Parquet's leaves and ours.
 *
 * A leaf says its meaning twice: logicalType (new) and converted_type (old).
 * Reading turns both into one `struct meaning` and then asks whether it fits
 * the physical type; what does not fit, or is not known, is ignored, and the
 * column is what its bytes are. Writing sets both where both exist, because
 * older readers know only the converted one. Specification: section 7.
 */
#include "format/parquet/leaf_type.h"
#include <stdlib.h>

struct meaning {
    enum parquet_logical logical; /* 0: none */
    bool interval;                /* converted only */
    bool utc, is_signed;
    int bits;
    enum time_unit unit;
    int64_t precision, scale;
};

/* ---- reading: what the element says ---- */

static bool unit_of(const struct logical_time *time, enum time_unit *unit)
{
    uint32_t has = time->unit->has;
    if (has >> TIME_UNIT_MILLIS & 1)
        *unit = TIME_MILLI;
    else if (has >> TIME_UNIT_MICROS & 1)
        *unit = TIME_MICRO;
    else if (has >> TIME_UNIT_NANOS & 1)
        *unit = TIME_NANO;
    else
        return false;
    return true;
}

static struct meaning meaning_of_logical(const struct logical_type *logical)
{
    struct meaning m = {0};
    for (int id = 1; id < 32 && !m.logical; id++)
        if (thrift_has(logical, id))
            m.logical = (enum parquet_logical)id;
    const struct logical_time *time = m.logical == LOGICAL_TIME ? logical->time : NULL;
    if (m.logical == LOGICAL_TIMESTAMP)
        time = logical->timestamp;
    if (time) {
        m.utc = time->utc;
        if (!unit_of(time, &m.unit))
            m.logical = 0;
    }
    if (m.logical == LOGICAL_DECIMAL) {
        m.precision = logical->decimal->precision;
        m.scale = logical->decimal->scale;
    }
    if (m.logical == LOGICAL_INTEGER) {
        m.bits = logical->integer->bits;
        m.is_signed = logical->integer->is_signed;
    }
    return m;
}

static struct meaning meaning_of_converted(const struct schema_element *element)
{
    static const struct {
        enum parquet_logical logical;
        enum time_unit unit;
        int bits;
        bool is_signed;
    } table[] = {
        [CONVERTED_UTF8] = {.logical = LOGICAL_STRING},
        [CONVERTED_ENUM] = {.logical = LOGICAL_ENUM},
        [CONVERTED_DECIMAL] = {.logical = LOGICAL_DECIMAL},
        [CONVERTED_DATE] = {.logical = LOGICAL_DATE},
        [CONVERTED_TIME_MILLIS] = {.logical = LOGICAL_TIME, .unit = TIME_MILLI},
        [CONVERTED_TIME_MICROS] = {.logical = LOGICAL_TIME, .unit = TIME_MICRO},
        [CONVERTED_TIMESTAMP_MILLIS] = {.logical = LOGICAL_TIMESTAMP, .unit = TIME_MILLI},
        [CONVERTED_TIMESTAMP_MICROS] = {.logical = LOGICAL_TIMESTAMP, .unit = TIME_MICRO},
        [CONVERTED_UINT_8] = {.logical = LOGICAL_INTEGER, .bits = 8},
        [CONVERTED_UINT_16] = {.logical = LOGICAL_INTEGER, .bits = 16},
        [CONVERTED_UINT_32] = {.logical = LOGICAL_INTEGER, .bits = 32},
        [CONVERTED_UINT_64] = {.logical = LOGICAL_INTEGER, .bits = 64},
        [CONVERTED_INT_8] = {.logical = LOGICAL_INTEGER, .bits = 8, .is_signed = true},
        [CONVERTED_INT_16] = {.logical = LOGICAL_INTEGER, .bits = 16, .is_signed = true},
        [CONVERTED_INT_32] = {.logical = LOGICAL_INTEGER, .bits = 32, .is_signed = true},
        [CONVERTED_INT_64] = {.logical = LOGICAL_INTEGER, .bits = 64, .is_signed = true},
        [CONVERTED_JSON] = {.logical = LOGICAL_JSON},
        [CONVERTED_BSON] = {.logical = LOGICAL_BSON},
        [CONVERTED_INTERVAL] = {0},
    };
    struct meaning m = {0};
    int32_t converted = element->converted;
    if (converted < 0 || converted > CONVERTED_INTERVAL)
        return m;
    m.logical = table[converted].logical;
    m.unit = table[converted].unit;
    m.bits = table[converted].bits;
    m.is_signed = table[converted].is_signed;
    m.utc = true;
    m.interval = converted == CONVERTED_INTERVAL;
    m.precision = thrift_has(element, ELEMENT_PRECISION) ? element->precision : 0;
    m.scale = thrift_has(element, ELEMENT_SCALE) ? element->scale : 0;
    return m;
}

static struct meaning meaning_of(const struct schema_element *element)
{
    struct meaning m = {0};
    if (thrift_has(element, ELEMENT_LOGICAL))
        m = meaning_of_logical(element->logical);
    if (!m.logical && thrift_has(element, ELEMENT_CONVERTED))
        m = meaning_of_converted(element);
    return m;
}

/* ---- reading: does it fit the bytes ---- */

static void set_decimal(const struct meaning *m, struct field *field, struct node *node)
{
    if (m->precision < 1 || m->scale < 0 || m->scale > m->precision) {
        node->refusal = "its decimal precision and scale make no sense";
        return;
    }
    if (m->precision > 38) {
        node->refusal = "a decimal of more than 38 digits is not supported";
        return;
    }
    field->type = TYPE_DECIMAL;
    field->precision = (int)m->precision;
    field->scale = (int)m->scale;
}

static void set_integer(const struct meaning *m, struct field *field)
{
    enum type_id type = field->type;
    if (m->bits == 8)
        type = m->is_signed ? TYPE_INT8 : TYPE_UINT8;
    else if (m->bits == 16)
        type = m->is_signed ? TYPE_INT16 : TYPE_UINT16;
    else if (m->bits == 32)
        type = m->is_signed ? TYPE_INT32 : TYPE_UINT32;
    field->type = type;
}

static void from_int32(const struct meaning *m, struct field *field, struct node *node)
{
    field->type = TYPE_INT32;
    if (m->logical == LOGICAL_INTEGER)
        set_integer(m, field);
    else if (m->logical == LOGICAL_DATE)
        field->type = TYPE_DATE;
    else if (m->logical == LOGICAL_DECIMAL)
        set_decimal(m, field, node);
    else if (m->logical == LOGICAL_TIME && m->unit == TIME_MILLI)
        field->type = TYPE_TIME;
    field->unit = field->type == TYPE_TIME ? m->unit : TIME_SECOND;
}

static void from_int64(const struct meaning *m, struct field *field, struct node *node)
{
    field->type = TYPE_INT64;
    if (m->logical == LOGICAL_INTEGER && m->bits == 64 && !m->is_signed)
        field->type = TYPE_UINT64;
    else if (m->logical == LOGICAL_DECIMAL)
        set_decimal(m, field, node);
    else if (m->logical == LOGICAL_TIME && m->unit != TIME_MILLI)
        field->type = TYPE_TIME;
    else if (m->logical == LOGICAL_TIMESTAMP)
        field->type = TYPE_TIMESTAMP;
    if (field->type == TYPE_TIME || field->type == TYPE_TIMESTAMP)
        field->unit = m->unit;
    if (field->type == TYPE_TIMESTAMP && m->utc)
        field->timezone = "UTC";
}

static void from_bytes(const struct meaning *m, struct field *field, struct node *node)
{
    field->type = TYPE_BINARY;
    if (m->logical == LOGICAL_STRING || m->logical == LOGICAL_ENUM || m->logical == LOGICAL_JSON)
        field->type = TYPE_UTF8;
    else if (m->logical == LOGICAL_DECIMAL)
        set_decimal(m, field, node);
    if (m->logical == LOGICAL_JSON)
        field->extension = "arrow.json";
}

static void from_fixed(const struct meaning *m, struct field *field, struct node *node)
{
    int width = node->type_length;
    field->type = TYPE_FIXED_BINARY;
    field->width = width;
    if (m->logical == LOGICAL_DECIMAL)
        set_decimal(m, field, node);
    else if (m->logical == LOGICAL_FLOAT16 && width == 2)
        field->type = TYPE_FLOAT16;
    else if (m->logical == LOGICAL_UUID && width == 16)
        field->extension = "arrow.uuid";
    if (field->type != TYPE_FIXED_BINARY)
        field->width = 0;
}

enum haul_code leaf_from_element(const struct schema_element *element, struct field *field, struct node *node,
                                 struct haul_error *err)
{
    if (element->type < 0 || element->type >= PARQUET_TYPE_COUNT)
        return error_set(err, HAUL_DATA, "its physical type %d does not exist", element->type);
    struct meaning m = meaning_of(element);
    node->physical = (enum parquet_type)element->type;
    if (node->physical == PARQUET_FIXED) {
        if (!thrift_has(element, ELEMENT_TYPE_LENGTH) || element->type_length <= 0)
            return error_set(err, HAUL_DATA, "its type length is %d",
                             thrift_has(element, ELEMENT_TYPE_LENGTH) ? element->type_length : 0);
        node->type_length = element->type_length;
    }
    switch (node->physical) {
    case PARQUET_BOOLEAN:
        field->type = TYPE_BOOL;
        break;
    case PARQUET_INT32:
        from_int32(&m, field, node);
        break;
    case PARQUET_INT64:
        from_int64(&m, field, node);
        break;
    case PARQUET_INT96:
        field->type = TYPE_TIMESTAMP;
        field->unit = TIME_NANO;
        break;
    case PARQUET_FLOAT:
        field->type = TYPE_FLOAT32;
        break;
    case PARQUET_DOUBLE:
        field->type = TYPE_FLOAT64;
        break;
    case PARQUET_BYTE_ARRAY:
        from_bytes(&m, field, node);
        break;
    default:
        from_fixed(&m, field, node);
    }
    if (m.logical == LOGICAL_UNKNOWN)
        *field = (struct field){.name = field->name, .type = TYPE_NULL, .nullable = true};
    return HAUL_OK;
}

/* ---- writing ---- */

int leaf_decimal_bytes(int precision)
{
    static const uint8_t bytes[39] = {0,  1,  1,  2,  2,  3,  3,  4,  4,  4,  5,  5,  6,
                                      6,  6,  7,  7,  8,  8,  9,  9,  9,  10, 10, 11, 11,
                                      11, 12, 12, 13, 13, 13, 14, 14, 15, 15, 16, 16, 16};
    return bytes[precision];
}

static void element_convert(struct schema_element *e, enum parquet_converted converted)
{
    e->converted = (int32_t)converted;
    thrift_set(e, ELEMENT_CONVERTED);
}

static struct logical_type *element_logical(struct schema_element *e, enum parquet_logical id,
                                            struct arena *arena)
{
    e->logical = arena_alloc(arena, sizeof *e->logical);
    if (!e->logical)
        return NULL;
    thrift_set(e, ELEMENT_LOGICAL);
    e->logical->has = 1u << id;
    return e->logical;
}

static bool write_integer(struct schema_element *e, int bits, bool is_signed, struct arena *arena)
{
    static const enum parquet_converted converted[2][4] = {
        {CONVERTED_UINT_8, CONVERTED_UINT_16, CONVERTED_UINT_32, CONVERTED_UINT_64},
        {CONVERTED_INT_8, CONVERTED_INT_16, CONVERTED_INT_32, CONVERTED_INT_64}};
    int step = bits == 8 ? 0 : bits == 16 ? 1 : bits == 32 ? 2 : 3;
    e->type = bits == 64 ? PARQUET_INT64 : PARQUET_INT32;
    if (is_signed && bits >= 32)
        return true; /* the physical type says it all */
    struct logical_type *logical = element_logical(e, LOGICAL_INTEGER, arena);
    if (!logical || !(logical->integer = arena_alloc(arena, sizeof *logical->integer)))
        return false;
    logical->integer->bits = (int8_t)bits;
    logical->integer->is_signed = is_signed;
    element_convert(e, converted[is_signed][step]);
    return true;
}

static bool write_decimal(struct schema_element *e, const struct field *field, struct arena *arena)
{
    e->type = field->precision <= 9 ? PARQUET_INT32 : field->precision <= 18 ? PARQUET_INT64 : PARQUET_FIXED;
    if (e->type == PARQUET_FIXED) {
        e->type_length = leaf_decimal_bytes(field->precision);
        thrift_set(e, ELEMENT_TYPE_LENGTH);
    }
    element_convert(e, CONVERTED_DECIMAL);
    e->precision = field->precision;
    e->scale = field->scale;
    thrift_set(e, ELEMENT_PRECISION);
    thrift_set(e, ELEMENT_SCALE);
    struct logical_type *logical = element_logical(e, LOGICAL_DECIMAL, arena);
    if (!logical || !(logical->decimal = arena_alloc(arena, sizeof *logical->decimal)))
        return false;
    logical->decimal->precision = field->precision;
    logical->decimal->scale = field->scale;
    return true;
}

static struct logical_time *logical_time_new(enum time_unit unit, bool utc, struct arena *arena)
{
    struct logical_time *time = arena_alloc(arena, sizeof *time);
    if (!time || !(time->unit = arena_alloc(arena, sizeof *time->unit)))
        return NULL;
    time->utc = utc;
    time->unit->has = 1u << (unit == TIME_MILLI   ? TIME_UNIT_MILLIS
                             : unit == TIME_MICRO ? TIME_UNIT_MICROS
                                                  : TIME_UNIT_NANOS);
    return time;
}

static bool write_time(struct schema_element *e, const struct field *field, struct arena *arena)
{
    e->type = field->unit == TIME_MILLI ? PARQUET_INT32 : PARQUET_INT64;
    if (field->unit != TIME_NANO)
        element_convert(e, field->unit == TIME_MILLI ? CONVERTED_TIME_MILLIS : CONVERTED_TIME_MICROS);
    struct logical_type *logical = element_logical(e, LOGICAL_TIME, arena);
    return logical && (logical->time = logical_time_new(field->unit, false, arena));
}

static bool write_timestamp(struct schema_element *e, const struct field *field, struct arena *arena)
{
    e->type = PARQUET_INT64;
    if (field->unit != TIME_NANO)
        element_convert(e,
                        field->unit == TIME_MILLI ? CONVERTED_TIMESTAMP_MILLIS : CONVERTED_TIMESTAMP_MICROS);
    struct logical_type *logical = element_logical(e, LOGICAL_TIMESTAMP, arena);
    return logical && (logical->timestamp = logical_time_new(field->unit, field->timezone != NULL, arena));
}

static bool write_text(struct schema_element *e, const struct field *field, struct arena *arena)
{
    bool json = field->extension && !strcmp(field->extension, "arrow.json");
    e->type = PARQUET_BYTE_ARRAY;
    element_convert(e, json ? CONVERTED_JSON : CONVERTED_UTF8);
    return element_logical(e, json ? LOGICAL_JSON : LOGICAL_STRING, arena) != NULL;
}

static bool write_fixed(struct schema_element *e, int width, enum parquet_logical logical,
                        struct arena *arena)
{
    e->type = PARQUET_FIXED;
    e->type_length = width;
    thrift_set(e, ELEMENT_TYPE_LENGTH);
    return !logical || element_logical(e, logical, arena);
}

static bool write_plain(struct schema_element *e, enum parquet_type type)
{
    e->type = (int32_t)type;
    return true;
}

static bool write_date(struct schema_element *e, struct arena *arena)
{
    e->type = PARQUET_INT32;
    element_convert(e, CONVERTED_DATE);
    return element_logical(e, LOGICAL_DATE, arena) != NULL;
}

static bool is_uuid(const struct field *field)
{
    return field->width == 16 && field->extension && !strcmp(field->extension, "arrow.uuid");
}

static bool write_leaf(const struct field *field, struct arena *arena, struct schema_element *e)
{
    switch (field->type) {
    case TYPE_NULL:
        e->type = PARQUET_INT32;
        return element_logical(e, LOGICAL_UNKNOWN, arena) != NULL;
    case TYPE_BOOL:
        return write_plain(e, PARQUET_BOOLEAN);
    case TYPE_INT8:
    case TYPE_INT16:
    case TYPE_INT32:
    case TYPE_INT64:
        return write_integer(e, 8 << (field->type - TYPE_INT8), true, arena);
    case TYPE_UINT8:
    case TYPE_UINT16:
    case TYPE_UINT32:
    case TYPE_UINT64:
        return write_integer(e, 8 << (field->type - TYPE_UINT8), false, arena);
    case TYPE_FLOAT16:
        return write_fixed(e, 2, LOGICAL_FLOAT16, arena);
    case TYPE_FLOAT32:
        return write_plain(e, PARQUET_FLOAT);
    case TYPE_FLOAT64:
        return write_plain(e, PARQUET_DOUBLE);
    case TYPE_DECIMAL:
        return write_decimal(e, field, arena);
    case TYPE_DATE:
        return write_date(e, arena);
    case TYPE_TIME:
        return write_time(e, field, arena);
    case TYPE_TIMESTAMP:
        return write_timestamp(e, field, arena);
    case TYPE_DURATION:
        return write_plain(e, PARQUET_INT64);
    case TYPE_UTF8:
        return write_text(e, field, arena);
    case TYPE_BINARY:
        return write_plain(e, PARQUET_BYTE_ARRAY);
    default:
        return write_fixed(e, field->width, is_uuid(field) ? LOGICAL_UUID : 0, arena);
    }
}

enum haul_code leaf_to_element(const struct field *field, struct arena *arena, struct schema_element *element,
                               struct haul_error *err)
{
    bool timed = field->type == TYPE_TIME || field->type == TYPE_TIMESTAMP;
    if (timed && field->unit == TIME_SECOND)
        return error_set(err, HAUL_UNSUPPORTED, "Parquet has no times in seconds; use milliseconds");
    if (field->type == TYPE_FIXED_BINARY && field->width <= 0)
        return error_set(err, HAUL_UNSUPPORTED, "Parquet has no binary of %d bytes", field->width);
    thrift_set(element, ELEMENT_TYPE);
    return write_leaf(field, arena, element) ? HAUL_OK : error_nomem(err, "the Parquet schema");
}
