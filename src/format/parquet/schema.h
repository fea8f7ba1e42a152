/*
 * schema.h: Parquet's schema and ours, both ways.
 *
 * Both directions end in the same thing: a tree of nodes, one per Arrow field,
 * each with the levels at which its value is there, and its leaves numbered as
 * the column chunks of a row group are. Specification: sections 6 and 7.
 *
 * Levels of a node: a value of it is not null when def >= node->def; it is
 * repeated within node->rep lists. For a LIST or MAP: def == node->def is an
 * empty list, an entry is there when def >= node->def + 1, and entries after
 * the first of a row have rep == node->rep + 1 (or more, deeper in).
 *
 * What Parquet's types cannot say of a column's origin stands in the file's
 * key-value metadata under SCHEMA_SQL_TYPES_KEY: lines "column\tengine:type",
 * with \t, \n and \\ in names escaped; top-level columns only.
 */
#ifndef HAUL_FORMAT_PARQUET_SCHEMA_H
#define HAUL_FORMAT_PARQUET_SCHEMA_H

#include "batch/type.h"
#include "format/parquet/footer.h"

#define SCHEMA_DEPTH_MAX     64
#define SCHEMA_SQL_TYPES_KEY "haul.sql_types"

enum node_kind { NODE_LEAF, NODE_STRUCT, NODE_LIST, NODE_MAP };

struct node {
    enum node_kind kind;
    const struct field *field; /* of the schema's arena */
    bool nullable;
    int def, rep;
    struct node *parent;   /* NULL: a column */
    struct node *children; /* LIST 1: the item; MAP 1: a STRUCT of key and value; STRUCT n */
    int child_count;
    int first_leaf, leaf_count; /* the column chunks under it */
    const char *refusal;        /* why it cannot be read; NULL: it can */
    /* a leaf alone: */
    enum parquet_type physical;
    int type_length; /* PARQUET_FIXED: bytes */
    const struct schema_element *element;
};

/* The columns of a file. */
struct tree {
    struct node *columns; /* one per top-level field */
    int column_count;
    struct node **leaves; /* in the order of the column chunks */
    int leaf_count;
    struct schema_element *elements; /* depth first, the root at 0 */
    size_t element_count;
    int32_t *parents; /* the place of each element's group; the root's is -1 */
};

/* Reads a file's elements: fills `schema` (zero before) and `tree`, which lives
 * in schema->arena. The elements stay borrowed. HAUL_DATA when they make no tree. */
enum haul_code schema_from_parquet(const struct file_metadata *file, struct schema *schema, struct tree *tree,
                                   struct haul_error *err);

/* The elements that hold `schema`: fills `tree`; everything is allocated in
 * `arena`, except the fields, which stay borrowed. HAUL_UNSUPPORTED names a
 * column that Parquet has no type for. */
enum haul_code schema_to_parquet(const struct schema *schema, struct tree *tree, struct arena *arena,
                                 struct haul_error *err);

/* The dotted path of a leaf, for messages and path_in_schema. */
#define SCHEMA_PATH_MAX (3 * SCHEMA_DEPTH_MAX)
size_t schema_path(const struct tree *tree, int leaf, struct slice path[SCHEMA_PATH_MAX]);
void schema_path_print(const struct tree *tree, int leaf, char *out, size_t out_bytes);

/* The text under SCHEMA_SQL_TYPES_KEY; nothing is appended when no column has one. */
enum haul_code schema_sql_types_print(const struct schema *schema, struct buffer *out,
                                      struct haul_error *err);

/* Puts what stands there into the fields' sql_type; lines that fit no column are
 * passed over. */
enum haul_code schema_sql_types_apply(const struct file_metadata *file, struct schema *schema,
                                      struct haul_error *err);

#endif
