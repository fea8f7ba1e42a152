/*
 * thrift.h: Thrift's compact protocol, both ways, driven by tables.
 *
 * Each metadata struct of Parquet is a plain C struct whose first member is
 * `uint32_t has`, a bit per field id (1..31) that is present, and one table of
 * rows that says where each field lives. The same table parses, checks what is
 * required, and writes. Fields the table does not know are skipped.
 *
 * Members by kind: BOOL bool, I8 int8_t, I16 int16_t, I32 int32_t, I64 int64_t,
 * DOUBLE double, BYTES struct slice (borrowed from the input when parsed),
 * STRUCT a pointer (NULL when absent), EMPTY no member at all (presence is all),
 * LIST_* a THRIFT_LIST of the element type.
 */
#ifndef HAUL_FORMAT_PARQUET_THRIFT_H
#define HAUL_FORMAT_PARQUET_THRIFT_H

#include "base/arena.h"
#include "base/buffer.h"

struct slice {
    const uint8_t *data;
    size_t length;
};

#define THRIFT_LIST(type)                                                                                    \
    struct {                                                                                                 \
        type *items;                                                                                         \
        size_t count;                                                                                        \
    }

enum thrift_kind {
    THRIFT_BOOL,
    THRIFT_I8,
    THRIFT_I16,
    THRIFT_I32,
    THRIFT_I64,
    THRIFT_DOUBLE,
    THRIFT_BYTES,
    THRIFT_STRUCT,
    THRIFT_EMPTY, /* a struct without fields; or one whose fields nobody needs */
    THRIFT_LIST_BOOL,
    THRIFT_LIST_I32,
    THRIFT_LIST_I64,
    THRIFT_LIST_BYTES,
    THRIFT_LIST_STRUCT
};

struct thrift_table;

struct thrift_row {
    int id;
    const char *name;
    enum thrift_kind kind;
    bool required;
    size_t offset;
    const struct thrift_table *table; /* of STRUCT and LIST_STRUCT */
};

struct thrift_table {
    const char *name;
    size_t size;                   /* of the C struct */
    const struct thrift_row *rows; /* ids rising */
    int count;
};

/* Is the field there, as a condition; and saying that it is. `s` is a pointer
 * to a struct with `has`. Required fields are written whatever `has` says. */
#define thrift_has(s, id) (((s)->has >> (id)) & 1u)
#define thrift_set(s, id) ((s)->has |= 1u << (id))

/* Parses one struct at the start of `data`. Lists and structs are allocated in
 * `arena`, bytes stay in `data`. *used gets its length. HAUL_DATA when it is
 * malformed; *used is THRIFT_CUT then when it only needs more bytes than there are. */
#define THRIFT_CUT SIZE_MAX
enum haul_code thrift_parse(const struct thrift_table *table, struct slice data, void *out,
                            struct arena *arena, size_t *used, struct haul_error *err);

/* Appends the struct to `out`. */
enum haul_code thrift_write(const struct thrift_table *table, const void *in, struct buffer *out,
                            struct haul_error *err);

#endif
