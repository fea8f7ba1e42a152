/*
 * sql_type.h: SQL Server's types as bcp stores them: one table, with the host type
 * of native files, the prefix and the lengths of generated format files, and what
 * the column is in Arrow.
 */
#ifndef HAUL_FORMAT_BCP_SQL_TYPE_H
#define HAUL_FORMAT_BCP_SQL_TYPE_H

#include "batch/type.h"

/* How a field is stored: the host data type of a format file. */
enum bcp_host {
    HOST_CHAR,
    HOST_NCHAR,
    HOST_BINARY,
    HOST_TINYINT,
    HOST_SMALLINT,
    HOST_INT,
    HOST_BIGINT,
    HOST_BIT,
    HOST_FLT4,
    HOST_FLT8,
    HOST_MONEY4,
    HOST_MONEY,
    HOST_DECIMAL,
    HOST_NUMERIC,
    HOST_DATETIM4,
    HOST_DATETIME,
    HOST_DATE,
    HOST_TIME,
    HOST_DATETIME2,
    HOST_DATETIMEOFFSET,
    HOST_UNIQUEID,
    HOST_VARIANT,
    HOST_UDT,
    HOST_COUNT
};

struct bcp_host_info {
    const char *name;
    uint32_t bytes; /* of every value; 0: any */
};
extern const struct bcp_host_info bcp_hosts[HOST_COUNT];

/* By its name or one of its older names, in any case of letters; HOST_COUNT: none. */
enum bcp_host bcp_host_find(const char *name, size_t length);

static inline bool bcp_host_is_text(enum bcp_host host)
{
    return host == HOST_CHAR || host == HOST_NCHAR;
}

/* A column's type in the table. */
enum bcp_sql {
    SQL_NONE, /* not known */
    SQL_BIT,
    SQL_TINYINT,
    SQL_SMALLINT,
    SQL_INT,
    SQL_BIGINT,
    SQL_REAL,
    SQL_FLOAT,
    SQL_DECIMAL,
    SQL_NUMERIC,
    SQL_SMALLMONEY,
    SQL_MONEY,
    SQL_SMALLDATETIME,
    SQL_DATETIME,
    SQL_DATE,
    SQL_TIME,
    SQL_DATETIME2,
    SQL_DATETIMEOFFSET,
    SQL_UNIQUEIDENTIFIER,
    SQL_CHAR,
    SQL_VARCHAR,
    SQL_TEXT,
    SQL_NCHAR,
    SQL_NVARCHAR,
    SQL_NTEXT,
    SQL_BINARY,
    SQL_VARBINARY,
    SQL_IMAGE,
    SQL_ROWVERSION,
    SQL_XML,
    SQL_VARIANT,
    SQL_UDT,
    SQL_JSON,
    SQL_COUNT
};

enum bcp_args { ARGS_NONE, ARGS_LENGTH, ARGS_DECIMAL, ARGS_SCALE };

struct bcp_sql_info {
    const char *name; /* "nvarchar" */
    const char *xml;  /* xsi:type of a COLUMN */
    enum bcp_host host;
    enum bcp_args args;
    uint8_t prefix, prefix_null; /* of native files, for NOT NULL and NULL columns */
    uint8_t chars;               /* bytes of its text in generated format files; 0 by its length, or none */
    enum type_id type;
};
extern const struct bcp_sql_info bcp_sqls[SQL_COUNT];

struct bcp_type {
    enum bcp_sql sql;
    uint32_t length; /* of ARGS_LENGTH: bytes or characters; 0: (max) */
    int precision, scale;
};

static inline bool bcp_sql_is_text(enum bcp_sql sql)
{
    return sql >= SQL_CHAR && sql <= SQL_NTEXT;
}

/* "nvarchar(60)", "[decimal](10, 2)", "varchar(max)"; SQL_NONE when it is no type of
 * SQL Server's. What is not said gets the server's presets. */
struct bcp_type bcp_type_parse(const char *text);
enum bcp_sql bcp_sql_by_xml(const char *name); /* SQL_NONE */

/* The type of a field: from its sql_type when SQL Server gave it, else the one that
 * holds all values of its Arrow type. */
struct bcp_type bcp_type_of(const struct field *field);

/* Sets type, unit, precision, width ... of `field` to what the column is in Arrow;
 * sql_type too, in `arena`. */
enum bcp_moments_as { MOMENTS_MICRO, MOMENTS_NANO, MOMENTS_EXACT };
enum haul_code bcp_type_field(const struct bcp_type *type, enum bcp_moments_as moments, struct arena *arena,
                              struct field *field, struct haul_error *err);

/* Bytes of the column's text at most, as generated format files say it; 0 no limit. */
uint32_t bcp_type_chars(const struct bcp_type *type);
uint32_t bcp_type_bytes(const struct bcp_type *type); /* of its native value; 0 no limit */
int bcp_type_prefix(const struct bcp_type *type, bool not_null);

#endif
