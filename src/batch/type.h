/*
 * type.h: the types a column may have: one table, and fields and schemas made
 * of them.
 *
 * These are Arrow's types, fewer by those that only say the same in another
 * layout: large and view strings, large and view lists, run-end encoding,
 * decimal32/64, date64 and intervals are turned at the door (stream.h).
 * A dictionary is not a type here but a layout of one array: see view.h.
 */
#ifndef HAUL_BATCH_TYPE_H
#define HAUL_BATCH_TYPE_H

#include "base/arena.h"
#include "base/buffer.h"
#include "base/calendar.h"

enum type_id {
    TYPE_NULL,
    TYPE_BOOL, /* one bit, least significant first */
    TYPE_INT8,
    TYPE_INT16,
    TYPE_INT32,
    TYPE_INT64,
    TYPE_UINT8,
    TYPE_UINT16,
    TYPE_UINT32,
    TYPE_UINT64,
    TYPE_FLOAT16,
    TYPE_FLOAT32,
    TYPE_FLOAT64,
    TYPE_DECIMAL,      /* 128 bits; precision 1..38, scale 0..precision */
    TYPE_DATE,         /* int32 days */
    TYPE_TIME,         /* since midnight: int32 for seconds and millis, int64 for micros and nanos */
    TYPE_TIMESTAMP,    /* int64 units; timezone NULL: local wall clock, else an instant in UTC */
    TYPE_DURATION,     /* int64 units */
    TYPE_UTF8,         /* int32 offsets */
    TYPE_BINARY,       /* int32 offsets */
    TYPE_FIXED_BINARY, /* width bytes */
    TYPE_LIST,         /* int32 offsets, one child */
    TYPE_STRUCT,
    TYPE_MAP, /* as a list of struct<key, value> */
    TYPE_COUNT
};

/* Levels of nesting at most; a map counts two. */
#define TYPE_DEPTH_MAX 32

enum type_layout { LAYOUT_NONE, LAYOUT_BITS, LAYOUT_FIXED, LAYOUT_BYTES, LAYOUT_LIST, LAYOUT_STRUCT };

struct type_info {
    const char *name; /* "int64", "decimal", "timestamp": as --schema and messages spell it */
    enum type_layout layout;
    int width; /* bytes per value; 0: by field (TIME, FIXED_BINARY) or not fixed */
};

extern const struct type_info type_table[TYPE_COUNT];

struct field {
    const char *name;
    enum type_id type;
    bool nullable;
    int precision, scale;   /* DECIMAL */
    int width;              /* FIXED_BINARY: bytes */
    enum time_unit unit;    /* TIME, TIMESTAMP, DURATION */
    const char *timezone;   /* TIMESTAMP */
    const char *sql_type;   /* "engine:type", where the column came from; NULL unknown */
    const char *collation;  /* of SQL Server's text, where somebody asked; NULL unknown */
    const char *extension;  /* Arrow extension name: "arrow.uuid", "arrow.json"; NULL none */
    struct field *children; /* LIST 1, MAP 1 (a struct of two), STRUCT n (may be none) */
    int child_count;
};

/* The columns of a table. Fields and names live in the arena. All-zero can be
 * released. */
struct schema {
    struct field *fields;
    int count;
    struct arena arena;
};

void schema_release(struct schema *schema);
enum haul_code schema_copy(const struct schema *from, struct schema *to, struct haul_error *err);

/* Room for `count` zeroed fields in an empty schema. */
enum haul_code schema_init(struct schema *schema, int count, struct haul_error *err);

/* The schema of the named columns in the given order; an unknown name is an
 * error that says which are near. `places` gets the source index of each. */
enum haul_code schema_select(const struct schema *from, const char *const *names, int count,
                             struct schema *to, int *places, struct haul_error *err);

int schema_find(const struct schema *schema, const char *name); /* -1 */

/* The same; where there is none, the only one that differs in the case of ASCII letters alone. */
int schema_find_alike(const struct schema *schema, const char *name);

/* Types, units and children equal; names too when `names`. Nullability and
 * metadata are not compared; of a timestamp's zone only whether there is one. */
bool field_equal(const struct field *a, const struct field *b, bool names);

/* Bytes of one value of a LAYOUT_FIXED field. */
int field_width(const struct field *field);

/* "decimal(12,2)", "timestamp[us, UTC]", "list<item: int32>"; cut to fit. */
void field_print_type(const struct field *field, char *out, size_t out_bytes);

/* The reverse, as --schema and manifests spell it. Allocates in `arena`. */
enum haul_code field_parse_type(const char *text, struct arena *arena, struct field *field,
                                struct haul_error *err);

/* An independent copy in `arena`. */
enum haul_code field_copy(const struct field *from, struct arena *arena, struct field *to,
                          struct haul_error *err);

#endif
