/*
 * column.c: what the wire says of a column, believed only within its limits.
 *
 * COLMETADATA has no length of its own: a type that is not known, or a length
 * that its type cannot have, ends the connection, because nobody could say where
 * the next token begins.
 */
#include "database/mssql/column.h"

#include "database/mssql/session.h"

#define NAME_BYTES 520 /* 128 characters of up to four bytes, and more for aliases */
#define NO_COLUMNS 0xffffu

enum shape {
    SHAPE_FIXED,     /* nothing follows */
    SHAPE_LENGTH,    /* u8 length, one of the allowed */
    SHAPE_DECIMAL,   /* u8 length, precision, scale */
    SHAPE_NONE_U8,   /* date */
    SHAPE_SCALE,     /* time and its like */
    SHAPE_BYTES,     /* u16 length */
    SHAPE_TEXT,      /* u16 length, collation */
    SHAPE_LONG,      /* u32 length, table name */
    SHAPE_LONG_TEXT, /* u32 length, collation, table name */
    SHAPE_VARIANT,   /* u32 length */
    SHAPE_XML,
    SHAPE_UDT,
    SHAPE_JSON
};

struct shape_row {
    uint8_t code;
    enum shape shape;
    uint8_t bytes;    /* FIXED: of a value */
    uint32_t allowed; /* LENGTH: bit n for n bytes */
};

static const struct shape_row shapes[] = {
    {MS_NULL, SHAPE_FIXED, 0, 0},
    {MS_INT1, SHAPE_FIXED, 1, 0},
    {MS_BIT, SHAPE_FIXED, 1, 0},
    {MS_INT2, SHAPE_FIXED, 2, 0},
    {MS_INT4, SHAPE_FIXED, 4, 0},
    {MS_INT8, SHAPE_FIXED, 8, 0},
    {MS_FLT4, SHAPE_FIXED, 4, 0},
    {MS_FLT8, SHAPE_FIXED, 8, 0},
    {MS_MONEY, SHAPE_FIXED, 8, 0},
    {MS_MONEY4, SHAPE_FIXED, 4, 0},
    {MS_DATETIME, SHAPE_FIXED, 8, 0},
    {MS_DATETIM4, SHAPE_FIXED, 4, 0},
    {MS_GUID, SHAPE_LENGTH, 0, 1u << 16},
    {MS_INTN, SHAPE_LENGTH, 0, 1u << 1 | 1u << 2 | 1u << 4 | 1u << 8},
    {MS_BITN, SHAPE_LENGTH, 0, 1u << 1},
    {MS_FLTN, SHAPE_LENGTH, 0, 1u << 4 | 1u << 8},
    {MS_MONEYN, SHAPE_LENGTH, 0, 1u << 4 | 1u << 8},
    {MS_DATETIMN, SHAPE_LENGTH, 0, 1u << 4 | 1u << 8},
    {MS_DECIMALN, SHAPE_DECIMAL, 0, 0},
    {MS_NUMERICN, SHAPE_DECIMAL, 0, 0},
    {MS_DATE, SHAPE_NONE_U8, 0, 0},
    {MS_TIME, SHAPE_SCALE, 0, 0},
    {MS_DATETIME2, SHAPE_SCALE, 0, 0},
    {MS_DATETIMEOFFSET, SHAPE_SCALE, 0, 0},
    {MS_BIGVARBINARY, SHAPE_BYTES, 0, 0},
    {MS_BIGBINARY, SHAPE_BYTES, 0, 0},
    {MS_BIGVARCHAR, SHAPE_TEXT, 0, 0},
    {MS_BIGCHAR, SHAPE_TEXT, 0, 0},
    {MS_NVARCHAR, SHAPE_TEXT, 0, 0},
    {MS_NCHAR, SHAPE_TEXT, 0, 0},
    {MS_IMAGE, SHAPE_LONG, 0, 0},
    {MS_TEXT, SHAPE_LONG_TEXT, 0, 0},
    {MS_NTEXT, SHAPE_LONG_TEXT, 0, 0},
    {MS_VARIANT, SHAPE_VARIANT, 0, 0},
    {MS_XML, SHAPE_XML, 0, 0},
    {MS_UDT, SHAPE_UDT, 0, 0},
    {MS_JSON, SHAPE_JSON, 0, 0},
};

void ms_columns_release(struct ms_columns *columns)
{
    arena_release(&columns->arena);
    *columns = (struct ms_columns){0};
}

static enum haul_code fail_type(const struct wire *wire, const char *what, const struct ms_type *type,
                                struct haul_error *err)
{
    return error_set(err, HAUL_DATA, "%s: the server describes a column of type 0x%02X with %s %u",
                     wire->sock.peer, type->code, what, type->length);
}

/* ---- the pieces of TYPE_INFO ---- */

static enum haul_code read_length(struct wire *wire, const struct shape_row *row, struct ms_type *type,
                                  struct haul_error *err)
{
    uint8_t length;
    if (ms_wire_u8(wire, &length, err))
        return err->code;
    type->length = length;
    type->frame = FRAME_U8;
    return length < 32 && (row->allowed >> length & 1) ? HAUL_OK : fail_type(wire, "length", type, err);
}

static enum haul_code read_decimal(struct wire *wire, struct ms_type *type, struct haul_error *err)
{
    uint8_t bytes[3];
    if (ms_wire_read(wire, bytes, sizeof bytes, err))
        return err->code;
    type->length = bytes[0];
    type->precision = bytes[1];
    type->scale = bytes[2];
    type->frame = FRAME_U8;
    bool good = bytes[0] >= 2 && bytes[0] <= 17 && bytes[1] >= 1 && bytes[1] <= 38 && bytes[2] <= bytes[1];
    return good ? HAUL_OK : fail_type(wire, "a precision or scale it cannot have, length", type, err);
}

static enum haul_code read_scale(struct wire *wire, struct ms_type *type, struct haul_error *err)
{
    unsigned extra = type->code == MS_TIME ? 0 : type->code == MS_DATETIME2 ? 3 : 5;
    if (ms_wire_u8(wire, &type->scale, err))
        return err->code;
    type->frame = FRAME_U8;
    type->length = type->scale;
    if (type->scale > 7)
        return fail_type(wire, "scale", type, err);
    type->length = (type->scale <= 2 ? 3 : type->scale <= 4 ? 4 : 5) + extra;
    return HAUL_OK;
}

static enum haul_code read_bytes(struct wire *wire, struct ms_type *type, bool text, struct haul_error *err)
{
    uint16_t length;
    if (ms_wire_u16(wire, &length, err) ||
        (text && ms_wire_read(wire, type->collation, sizeof type->collation, err)))
        return err->code;
    type->length = length;
    type->frame = length == MS_MAX ? FRAME_PLP : FRAME_U16;
    bool fixed = type->code == MS_BIGBINARY || type->code == MS_BIGCHAR || type->code == MS_NCHAR;
    bool wide = type->code == MS_NCHAR || type->code == MS_NVARCHAR;
    if ((length == MS_MAX && fixed) || (length != MS_MAX && wide && length % 2))
        return fail_type(wire, "length", type, err);
    return HAUL_OK;
}

static enum haul_code skip_text_u8(struct wire *wire, struct haul_error *err)
{
    uint8_t units;
    return ms_wire_u8(wire, &units, err) ? err->code : ms_wire_skip(wire, (uint64_t)units * 2, err);
}

static enum haul_code skip_text_u16(struct wire *wire, struct haul_error *err)
{
    uint16_t units;
    return ms_wire_u16(wire, &units, err) ? err->code : ms_wire_skip(wire, (uint64_t)units * 2, err);
}

/* The table's name is in COLMETADATA alone, where these types may stand. */
static enum haul_code read_long(struct wire *wire, struct ms_type *type, bool text, struct haul_error *err)
{
    uint8_t parts;
    if (ms_wire_u32(wire, &type->length, err) ||
        (text && ms_wire_read(wire, type->collation, sizeof type->collation, err)) ||
        ms_wire_u8(wire, &parts, err))
        return err->code;
    type->frame = FRAME_TEXTPTR;
    for (unsigned i = 0; i < parts; i++)
        if (skip_text_u16(wire, err))
            return err->code;
    return HAUL_OK;
}

static enum haul_code read_xml(struct wire *wire, struct ms_type *type, struct haul_error *err)
{
    uint8_t schema;
    type->frame = FRAME_PLP;
    type->length = MS_MAX;
    if (ms_wire_u8(wire, &schema, err))
        return err->code;
    if (!schema)
        return HAUL_OK;
    return skip_text_u8(wire, err) || skip_text_u8(wire, err) || skip_text_u16(wire, err) ? err->code
                                                                                          : HAUL_OK;
}

static enum haul_code read_udt(struct wire *wire, struct ms_column *column, struct arena *arena,
                               struct haul_error *err)
{
    char name[NAME_BYTES];
    uint16_t length;
    column->type.frame = FRAME_PLP;
    column->type.length = MS_MAX;
    if (ms_wire_u16(wire, &length, err) || skip_text_u8(wire, err) || skip_text_u8(wire, err) ||
        ms_read_text_u8(wire, name, sizeof name, err) || skip_text_u16(wire, err))
        return err->code;
    column->udt = arena_text(arena, name);
    return column->udt ? HAUL_OK : error_nomem(err, "columns");
}

static enum haul_code read_shape(struct wire *wire, const struct shape_row *row, struct ms_column *column,
                                 struct arena *arena, struct haul_error *err)
{
    struct ms_type *type = &column->type;
    switch (row->shape) {
    case SHAPE_FIXED:
        type->length = row->bytes;
        return HAUL_OK;
    case SHAPE_LENGTH:
        return read_length(wire, row, type, err);
    case SHAPE_DECIMAL:
        return read_decimal(wire, type, err);
    case SHAPE_NONE_U8:
        type->length = 3;
        type->frame = FRAME_U8;
        return HAUL_OK;
    case SHAPE_SCALE:
        return read_scale(wire, type, err);
    case SHAPE_BYTES:
    case SHAPE_TEXT:
        return read_bytes(wire, type, row->shape == SHAPE_TEXT, err);
    case SHAPE_LONG:
    case SHAPE_LONG_TEXT:
        return read_long(wire, type, row->shape == SHAPE_LONG_TEXT, err);
    case SHAPE_VARIANT:
        type->frame = FRAME_VARIANT;
        return ms_wire_u32(wire, &type->length, err);
    case SHAPE_XML:
        return read_xml(wire, type, err);
    case SHAPE_UDT:
        return read_udt(wire, column, arena, err);
    default: /* JSON */
        type->frame = FRAME_PLP;
        type->length = MS_MAX;
        return HAUL_OK;
    }
}

enum haul_code ms_type_read(struct wire *wire, struct ms_column *column, struct arena *arena,
                            struct haul_error *err)
{
    column->type = (struct ms_type){0};
    if (ms_wire_u8(wire, &column->type.code, err))
        return err->code;
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++)
        if (shapes[i].code == column->type.code)
            return read_shape(wire, &shapes[i], column, arena, err);
    return error_set(
        err, HAUL_UNSUPPORTED,
        "%s: a column has the type 0x%02X, which haul does not know; leave it out or cast it in a --query",
        wire->sock.peer, column->type.code);
}

/* ---- COLMETADATA ---- */

static enum haul_code read_column(struct wire *wire, struct ms_column *column, struct arena *arena,
                                  struct haul_error *err)
{
    char name[NAME_BYTES * 2];
    if (ms_wire_u32(wire, &column->user_type, err) || ms_wire_u16(wire, &column->flags, err) ||
        ms_type_read(wire, column, arena, err) || ms_read_text_u8(wire, name, sizeof name, err))
        return err->code;
    column->name = arena_text(arena, name);
    return column->name ? HAUL_OK : error_nomem(err, "columns");
}

enum haul_code ms_columns_read(struct wire *wire, struct ms_columns *columns, struct haul_error *err)
{
    uint16_t count;
    ms_columns_release(columns);
    if (ms_wire_u16(wire, &count, err))
        return err->code;
    if (count == NO_COLUMNS)
        return HAUL_OK;
    if (count > MS_COLUMNS_MAX)
        return error_set(err, HAUL_DATA, "%s: the server describes %u columns; at most %d are possible",
                         wire->sock.peer, count, MS_COLUMNS_MAX);
    columns->columns = arena_alloc_array(&columns->arena, (size_t)count + 1, sizeof *columns->columns);
    if (!columns->columns)
        return error_nomem(err, "columns");
    for (int i = 0; i < count; i++)
        if (read_column(wire, &columns->columns[i], &columns->arena, err))
            return err->code;
    columns->count = count;
    return HAUL_OK;
}

/* ---- values ---- */

unsigned ms_fixed_bytes(const struct ms_type *type)
{
    bool decimal = type->code == MS_DECIMALN || type->code == MS_NUMERICN;
    return type->frame == FRAME_FIXED || (type->frame == FRAME_U8 && !decimal) ? type->length : 0;
}

static enum haul_code skip_plp(struct wire *wire, struct haul_error *err)
{
    uint64_t total;
    uint32_t chunk;
    if (ms_wire_u64(wire, &total, err))
        return err->code;
    if (total == UINT64_MAX)
        return HAUL_OK;
    for (;;) {
        if (ms_wire_u32(wire, &chunk, err))
            return err->code;
        if (chunk == 0)
            return HAUL_OK;
        if (ms_wire_skip(wire, chunk, err))
            return err->code;
    }
}

static enum haul_code skip_textptr(struct wire *wire, struct haul_error *err)
{
    uint8_t pointer;
    uint32_t length;
    if (ms_wire_u8(wire, &pointer, err))
        return err->code;
    if (pointer == 0)
        return HAUL_OK;
    if (ms_wire_skip(wire, (uint64_t)pointer + 8, err) || ms_wire_u32(wire, &length, err))
        return err->code;
    return ms_wire_skip(wire, length, err);
}

enum haul_code ms_value_skip(struct wire *wire, const struct ms_type *type, struct haul_error *err)
{
    uint8_t u8 = 0;
    uint16_t u16 = 0;
    uint32_t u32 = 0;
    switch (type->frame) {
    case FRAME_FIXED:
        return ms_wire_skip(wire, type->length, err);
    case FRAME_U8:
        return ms_wire_u8(wire, &u8, err) ? err->code : ms_wire_skip(wire, u8, err);
    case FRAME_U16:
        return ms_wire_u16(wire, &u16, err) ? err->code : ms_wire_skip(wire, u16 == 0xffff ? 0 : u16, err);
    case FRAME_VARIANT:
        return ms_wire_u32(wire, &u32, err) ? err->code : ms_wire_skip(wire, u32, err);
    case FRAME_TEXTPTR:
        return skip_textptr(wire, err);
    default:
        return skip_plp(wire, err);
    }
}
