/*
 * types.h: MySQL's types and the types of ours they mean, read both ways.
 */
#ifndef HAUL_DATABASE_MYSQL_TYPES_H
#define HAUL_DATABASE_MYSQL_TYPES_H

#include "batch/type.h"

/* How a value is read from the text protocol and written into LOAD DATA's text. */
enum form {
    FORM_INT,
    FORM_UINT,
    FORM_FLOAT, /* selected as a double: the server's text of a FLOAT has six digits */
    FORM_DOUBLE,
    FORM_DECIMAL,
    FORM_BOOL, /* bit(1) */
    FORM_BITS, /* bit(n) */
    FORM_DATE,
    FORM_TIME,
    FORM_MOMENT, /* datetime, timestamp */
    FORM_TEXT,
    FORM_BYTES,
    FORM_GEOMETRY, /* WKB behind four bytes of SRID */
    FORM_UUID      /* MariaDB's: text */
};

/* Sets type, precision, scale, unit, width, extension and sql_type of `field`
 * (in `arena`) from a COLUMN_TYPE ("int(10) unsigned", "enum('a','b')"). */
enum haul_code my_type_read(const char *declared, struct arena *arena, struct field *field, enum form *form,
                            struct haul_error *err);

/* The type of a new column that holds `field` exactly; `key` when it is in an
 * index. Of its origin when it came from MySQL and is safe to repeat. NULL: no memory. */
const char *my_type_write(const struct field *field, bool key, struct arena *arena);

/* The field that MySQL can store for one of the source's, in `arena`. */
enum haul_code my_stored_field(const struct field *from, struct arena *arena, struct field *to,
                               struct haul_error *err);

#endif
