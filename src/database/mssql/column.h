/*
 * column.h: a column of a result as the wire describes it: COLMETADATA and
 * TYPE_INFO (MS-TDS).
 */
#ifndef HAUL_DATABASE_MSSQL_COLUMN_H
#define HAUL_DATABASE_MSSQL_COLUMN_H

#include "base/arena.h"
#include "database/mssql/packet.h"

#define MS_COLUMNS_MAX 4096

/* Type bytes of the wire. */
enum ms_code {
    MS_NULL = 0x1f,
    MS_IMAGE = 0x22,
    MS_TEXT = 0x23,
    MS_GUID = 0x24,
    MS_INTN = 0x26,
    MS_DATE = 0x28,
    MS_TIME = 0x29,
    MS_DATETIME2 = 0x2a,
    MS_DATETIMEOFFSET = 0x2b,
    MS_INT1 = 0x30,
    MS_BIT = 0x32,
    MS_INT2 = 0x34,
    MS_INT4 = 0x38,
    MS_DATETIM4 = 0x3a,
    MS_FLT4 = 0x3b,
    MS_MONEY = 0x3c,
    MS_DATETIME = 0x3d,
    MS_FLT8 = 0x3e,
    MS_VARIANT = 0x62,
    MS_NTEXT = 0x63,
    MS_BITN = 0x68,
    MS_DECIMALN = 0x6a,
    MS_NUMERICN = 0x6c,
    MS_FLTN = 0x6d,
    MS_MONEYN = 0x6e,
    MS_DATETIMN = 0x6f,
    MS_MONEY4 = 0x7a,
    MS_INT8 = 0x7f,
    MS_BIGVARBINARY = 0xa5,
    MS_BIGVARCHAR = 0xa7,
    MS_BIGBINARY = 0xad,
    MS_BIGCHAR = 0xaf,
    MS_NVARCHAR = 0xe7,
    MS_NCHAR = 0xef,
    MS_UDT = 0xf0,
    MS_XML = 0xf1,
    MS_JSON = 0xf4,
    MS_VECTOR = 0xf5
};

/* How a value's length is told. */
enum ms_frame {
    FRAME_FIXED,   /* not at all; never NULL */
    FRAME_U8,      /* 0 is NULL */
    FRAME_U16,     /* 0xffff is NULL */
    FRAME_PLP,     /* chunks */
    FRAME_TEXTPTR, /* text, ntext, image */
    FRAME_VARIANT  /* u32, 0 is NULL */
};

#define MS_MAX 0xffffu /* length of varchar(max) and its like */

enum { MS_FLAG_NULLABLE = 0x0001, MS_FLAG_IDENTITY = 0x0010, MS_FLAG_COMPUTED = 0x0020 };
#define MS_USER_ROWVERSION 0x50u

struct ms_type {
    uint8_t code;
    enum ms_frame frame;
    uint32_t length; /* bytes at most, as declared; MS_MAX for (max) */
    uint8_t precision, scale;
    uint8_t collation[5];
};

struct ms_column {
    struct ms_type type;
    uint32_t user_type;
    uint16_t flags;
    const char *name;
    const char *udt; /* "geography"; NULL when it is none */
};

struct ms_columns {
    struct ms_column *columns;
    int count;
    struct arena arena;
};
void ms_columns_release(struct ms_columns *columns);

/* COLMETADATA behind its token byte; replaces what was there. */
enum haul_code ms_columns_read(struct wire *wire, struct ms_columns *columns, struct haul_error *err);

/* TYPE_INFO. */
enum haul_code ms_type_read(struct wire *wire, struct ms_column *column, struct arena *arena,
                            struct haul_error *err);

/* Bytes of a value of a FRAME_FIXED type, or of a FRAME_U8 type that has one length; 0 else. */
unsigned ms_fixed_bytes(const struct ms_type *type);

/* Passes over one value. */
enum haul_code ms_value_skip(struct wire *wire, const struct ms_type *type, struct haul_error *err);

#endif
