/*
 * types.h: PostgreSQL's types and the types of ours they mean: the one table,
 * read both ways, and what one column of a table or query is.
 */
#ifndef HAUL_DATABASE_POSTGRES_TYPES_H
#define HAUL_DATABASE_POSTGRES_TYPES_H

#include "batch/type.h"
#include <libpq-fe.h>

/* How a value looks in a binary COPY. */
enum wire {
    WIRE_TEXT, /* its text, also in binary: text, json, xml, enums */
    WIRE_BOOL,
    WIRE_INT2,
    WIRE_INT4,
    WIRE_INT8,
    WIRE_OID, /* unsigned, 4 bytes */
    WIRE_FLOAT4,
    WIRE_FLOAT8,
    WIRE_NUMERIC,
    WIRE_BYTES,
    WIRE_UUID,
    WIRE_JSONB, /* a version byte, then text */
    WIRE_DATE,
    WIRE_TIME,
    WIRE_TIMESTAMP,
    WIRE_TIMESTAMPTZ,
    WIRE_INTERVAL, /* only written, from durations */
    WIRE_ARRAY,    /* of one of the above */
    WIRE_CAST      /* read as column::text, written by COPY in text format */
};

struct pg_type {
    Oid oid;      /* of the base type when a domain */
    int modifier; /* typmod, -1 none */
    bool is_enum;
    int dimensions;   /* declared, of an array */
    const char *text; /* format_type: "numeric(12,2)" */
};

/* Sets type, precision, scale, unit, timezone, width, extension and children of
 * `field` (in `arena`), and says how the column is read. */
enum haul_code pg_type_read(const struct pg_type *type, struct arena *arena, struct field *field,
                            enum wire *wire, struct haul_error *err);

/* The wire form of an array's elements. */
enum wire pg_element_wire(Oid array);
Oid pg_element_oid(Oid array);

/* The type of a new column that holds `field` exactly: that of its origin when
 * it came from PostgreSQL, parsed and printed from the table, never pasted; else
 * ours. NULL: no memory. */
const char *pg_type_write(const struct field *field, struct arena *arena);

/* The type of that name (as pg_type_write gives them) for encoding. */
struct pg_type pg_type_of_name(const char *name);

/* The field that PostgreSQL can store for one of the source's, in `arena`. */
enum haul_code pg_stored_field(const struct field *from, struct arena *arena, struct field *to,
                               struct haul_error *err);

#endif
