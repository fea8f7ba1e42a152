/*
 * Schemas: every list and map shape of the specification, every leaf type both
 * ways, element lists that make no tree, and sql types in the metadata.
 */
#include "format/parquet/schema.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#define ELEMENTS_MAX 300

/* A file's elements, written one line each. */
struct elements {
    struct schema_element items[ELEMENTS_MAX];
    struct file_metadata meta;
};

static struct schema_element *add(struct elements *e, const char *name, int repetition, int children)
{
    struct schema_element *item = &e->items[e->meta.schema.count++];
    memset(item, 0, sizeof *item);
    item->name = (struct slice){(const uint8_t *)name, strlen(name)};
    item->repetition = repetition;
    item->num_children = children;
    item->has = 1u << ELEMENT_NAME | 1u << ELEMENT_REPETITION;
    if (children)
        thrift_set(item, ELEMENT_NUM_CHILDREN);
    e->meta.schema.items = e->items;
    return item;
}

static struct schema_element *leaf(struct elements *e, const char *name, int repetition,
                                   enum parquet_type type)
{
    struct schema_element *item = add(e, name, repetition, 0);
    item->type = (int32_t)type;
    thrift_set(item, ELEMENT_TYPE);
    return item;
}

static struct schema_element *converted(struct schema_element *item, enum parquet_converted type)
{
    item->converted = (int32_t)type;
    thrift_set(item, ELEMENT_CONVERTED);
    return item;
}

static void begin(struct elements *e, int columns)
{
    memset(e, 0, sizeof *e);
    add(e, "schema", PARQUET_REQUIRED, columns);
}

/* The one column's type as text, and its leaves' levels. */
static void expect(struct elements *e, const char *type, int def, int rep)
{
    struct schema schema = {0};
    struct tree tree;
    struct haul_error err = {0};
    char text[256];
    enum haul_code code = schema_from_parquet(&e->meta, &schema, &tree, &err);
    if (code)
        fail_msg("%s", err.message);
    field_print_type(&schema.fields[0], text, sizeof text);
    assert_string_equal(text, type);
    assert_int_equal(tree.leaves[0]->def, def);
    assert_int_equal(tree.leaves[0]->rep, rep);
    schema_release(&schema);
}

static void refuse(struct elements *e, enum haul_code expected)
{
    struct schema schema = {0};
    struct tree tree;
    struct haul_error err = {0};
    assert_int_equal(schema_from_parquet(&e->meta, &schema, &tree, &err), expected);
    schema_release(&schema);
}

enum { REQ = PARQUET_REQUIRED, OPT = PARQUET_OPTIONAL, REP = PARQUET_REPEATED };

static void list_group(struct elements *e, const char *name)
{
    begin(e, 1);
    converted(add(e, name, OPT, 1), CONVERTED_LIST);
}

static void test_list_shapes(void **state)
{
    struct elements e;
    (void)state;
    list_group(&e, "l"); /* the standard one */
    add(&e, "list", REP, 1);
    leaf(&e, "element", OPT, PARQUET_INT32);
    expect(&e, "list<element: int32>", 3, 1);

    list_group(&e, "l"); /* (1) a repeated leaf */
    leaf(&e, "element", REP, PARQUET_INT32);
    expect(&e, "list<element: int32>", 2, 1);

    list_group(&e, "l"); /* (2) a repeated group of several fields */
    add(&e, "element", REP, 2);
    leaf(&e, "a", REQ, PARQUET_INT32);
    leaf(&e, "b", OPT, PARQUET_INT64);
    expect(&e, "list<element: struct<a: int32, b: int64>>", 2, 1);

    list_group(&e, "l"); /* (3) a repeated group of one repeated field */
    add(&e, "element", REP, 1);
    leaf(&e, "items", REP, PARQUET_INT32);
    expect(&e, "list<element: struct<items: list<items: int32>>>", 3, 2);

    list_group(&e, "l"); /* (4) called array */
    add(&e, "array", REP, 1);
    leaf(&e, "x", OPT, PARQUET_INT32);
    expect(&e, "list<array: struct<x: int32>>", 3, 1);

    list_group(&e, "l"); /* (4) called l_tuple */
    add(&e, "l_tuple", REP, 1);
    leaf(&e, "x", REQ, PARQUET_INT32);
    expect(&e, "list<l_tuple: struct<x: int32>>", 2, 1);

    begin(&e, 1); /* repeated without any list around it */
    leaf(&e, "r", REP, PARQUET_INT32);
    expect(&e, "list<r: int32>", 1, 1);

    list_group(&e, "l"); /* says LIST and is none: its child is not repeated */
    leaf(&e, "x", REQ, PARQUET_INT32);
    expect(&e, "struct<x: int32>", 1, 0);
}

static void test_map_shapes(void **state)
{
    struct elements e;
    (void)state;
    begin(&e, 1);
    converted(add(&e, "m", OPT, 1), CONVERTED_MAP);
    add(&e, "key_value", REP, 2);
    converted(leaf(&e, "key", REQ, PARQUET_BYTE_ARRAY), CONVERTED_UTF8);
    leaf(&e, "value", OPT, PARQUET_INT32);
    expect(&e, "map<utf8, int32>", 2, 1);

    begin(&e, 1); /* other names, an old annotation, an optional key */
    converted(add(&e, "m", REQ, 1), CONVERTED_MAP_KEY_VALUE);
    add(&e, "map", REP, 2);
    leaf(&e, "k", OPT, PARQUET_INT64);
    leaf(&e, "v", REQ, PARQUET_DOUBLE);
    expect(&e, "map<int64, float64>", 2, 1);

    begin(&e, 1); /* keys only: a set */
    converted(add(&e, "m", OPT, 1), CONVERTED_MAP);
    add(&e, "key_value", REP, 1);
    leaf(&e, "key", REQ, PARQUET_INT32);
    expect(&e, "list<key: int32>", 2, 1);
}

static void test_no_tree(void **state)
{
    struct elements e = {0};
    (void)state;
    refuse(&e, HAUL_DATA); /* nothing at all */
    begin(&e, 2);
    leaf(&e, "a", REQ, PARQUET_INT32);
    refuse(&e, HAUL_DATA); /* one too few */
    begin(&e, 1);
    leaf(&e, "a", REQ, PARQUET_INT32);
    leaf(&e, "b", REQ, PARQUET_INT32);
    refuse(&e, HAUL_DATA); /* one too many */
    begin(&e, 1);
    add(&e, "g", REQ, -1);
    refuse(&e, HAUL_DATA);
    begin(&e, INT32_MAX);
    leaf(&e, "a", REQ, PARQUET_INT32);
    refuse(&e, HAUL_DATA);
    begin(&e, 1);
    add(&e, "g", REQ, 0);
    refuse(&e, HAUL_UNSUPPORTED); /* a group without fields */
    begin(&e, 1);
    leaf(&e, "a", 3, PARQUET_INT32);
    refuse(&e, HAUL_DATA);
    begin(&e, 1);
    leaf(&e, "a", REQ, 99);
    refuse(&e, HAUL_DATA);
    begin(&e, 1);
    leaf(&e, "a\xff", REQ, PARQUET_INT32);
    refuse(&e, HAUL_DATA);
    begin(&e, 1);
    leaf(&e, "a", REQ, PARQUET_FIXED); /* without a length */
    refuse(&e, HAUL_DATA);
    begin(&e, 1); /* deeper than anything we take */
    for (int i = 0; i < 250; i++)
        add(&e, "g", REQ, 1);
    leaf(&e, "a", REQ, PARQUET_INT32);
    refuse(&e, HAUL_UNSUPPORTED);
}

static void test_annotations_that_do_not_fit(void **state)
{
    struct elements e;
    (void)state;
    begin(&e, 1);
    converted(leaf(&e, "a", REQ, PARQUET_INT32), CONVERTED_UTF8);
    expect(&e, "int32", 0, 0);
    begin(&e, 1);
    converted(leaf(&e, "a", REQ, PARQUET_DOUBLE), CONVERTED_DATE);
    expect(&e, "float64", 0, 0);
    begin(&e, 1);
    converted(leaf(&e, "a", REQ, PARQUET_INT64), CONVERTED_TIMESTAMP_MICROS);
    expect(&e, "timestamp[us, UTC]", 0, 0);
    begin(&e, 1); /* a decimal without precision: refused when it is read */
    converted(leaf(&e, "a", REQ, PARQUET_INT64), CONVERTED_DECIMAL);
    expect(&e, "int64", 0, 0);
}

/* ---- our schema, there and back ---- */

static const char *const types[] = {
    "null",
    "bool",
    "int8",
    "int16",
    "int32",
    "int64",
    "uint8",
    "uint16",
    "uint32",
    "uint64",
    "float16",
    "float32",
    "float64",
    "decimal(1,0)",
    "decimal(9,9)",
    "decimal(10,2)",
    "decimal(18,0)",
    "decimal(19,4)",
    "decimal(38,38)",
    "date",
    "time[ms]",
    "time[us]",
    "time[ns]",
    "timestamp[ms]",
    "timestamp[us]",
    "timestamp[ns]",
    "timestamp[us, UTC]",
    "timestamp[ns, UTC]",
    "utf8",
    "binary",
    "fixed_binary(7)",
    "list<element: int32>",
    "struct<a: int32, b: list<element: utf8>>",
    "map<utf8, int64>",
    "list<element: list<element: struct<x: map<int32, list<element: binary>>>>>",
};
#define TYPE_TEXTS ((int)(sizeof types / sizeof types[0]))

static void make_schema(struct schema *schema)
{
    struct haul_error err = {0};
    assert_int_equal(schema_init(schema, TYPE_TEXTS, &err), HAUL_OK);
    for (int i = 0; i < TYPE_TEXTS; i++) {
        struct field *field = &schema->fields[i];
        field->name = arena_printf(&schema->arena, "c%d", i);
        if (field_parse_type(types[i], &schema->arena, field, &err))
            fail_msg("%s: %s", types[i], err.message);
        field->nullable = field->type == TYPE_NULL || i % 2;
    }
}

static void test_both_ways(void **state)
{
    struct schema schema = {0}, back = {0};
    struct tree out, in;
    struct arena arena = {0};
    struct haul_error err = {0};
    struct file_metadata meta = {0};
    (void)state;
    make_schema(&schema);
    schema.fields[TYPE_TEXTS - 5].extension = NULL;
    assert_int_equal(schema_to_parquet(&schema, &out, &arena, &err), HAUL_OK);
    meta.schema.items = out.elements;
    meta.schema.count = out.element_count;
    if (schema_from_parquet(&meta, &back, &in, &err))
        fail_msg("%s", err.message);
    assert_int_equal(back.count, schema.count);
    assert_int_equal(in.leaf_count, out.leaf_count);
    for (int i = 0; i < schema.count; i++) {
        char text[256];
        field_print_type(&back.fields[i], text, sizeof text);
        assert_string_equal(text, types[i]);
        assert_string_equal(back.fields[i].name, schema.fields[i].name);
        assert_int_equal(back.fields[i].nullable, schema.fields[i].nullable);
    }
    for (int i = 0; i < in.leaf_count; i++) {
        char a[256], b[256];
        schema_path_print(&in, i, a, sizeof a);
        schema_path_print(&out, i, b, sizeof b);
        assert_string_equal(a, b);
        assert_int_equal(in.leaves[i]->def, out.leaves[i]->def);
        assert_int_equal(in.leaves[i]->rep, out.leaves[i]->rep);
        assert_int_equal(in.leaves[i]->physical, out.leaves[i]->physical);
    }
    schema_release(&schema);
    schema_release(&back);
    arena_release(&arena);
}

static void test_extensions(void **state)
{
    struct schema schema = {0}, back = {0};
    struct tree out, in;
    struct arena arena = {0};
    struct haul_error err = {0};
    struct file_metadata meta = {0};
    (void)state;
    assert_int_equal(schema_init(&schema, 2, &err), HAUL_OK);
    schema.fields[0] =
        (struct field){.name = "u", .type = TYPE_FIXED_BINARY, .width = 16, .extension = "arrow.uuid"};
    schema.fields[1] = (struct field){.name = "j", .type = TYPE_UTF8, .extension = "arrow.json"};
    assert_int_equal(schema_to_parquet(&schema, &out, &arena, &err), HAUL_OK);
    meta.schema.items = out.elements;
    meta.schema.count = out.element_count;
    assert_int_equal(schema_from_parquet(&meta, &back, &in, &err), HAUL_OK);
    assert_string_equal(back.fields[0].extension, "arrow.uuid");
    assert_string_equal(back.fields[1].extension, "arrow.json");
    schema_release(&schema);
    schema_release(&back);
    arena_release(&arena);
}

static void test_what_parquet_cannot_hold(void **state)
{
    static const char *const refused[] = {"time[s]", "timestamp[s]", "struct<>"};
    (void)state;
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        struct schema schema = {0};
        struct tree tree;
        struct arena arena = {0};
        struct haul_error err = {0};
        assert_int_equal(schema_init(&schema, 1, &err), HAUL_OK);
        schema.fields[0].name = "c";
        if (field_parse_type(refused[i], &schema.arena, &schema.fields[0], &err))
            schema.fields[0].type = TYPE_STRUCT; /* the text form may not know an empty one */
        err = (struct haul_error){0};
        assert_int_equal(schema_to_parquet(&schema, &tree, &arena, &err), HAUL_UNSUPPORTED);
        assert_non_null(strstr(err.message, "\"c\""));
        schema_release(&schema);
        arena_release(&arena);
    }
}

static void test_sql_types(void **state)
{
    static const char *const names[] = {"plain", "tab\tand\nnewline", "back\\slash"};
    struct schema schema = {0};
    struct buffer out = {0};
    struct haul_error err = {0};
    struct key_value kv = {.key = {(const uint8_t *)SCHEMA_SQL_TYPES_KEY, strlen(SCHEMA_SQL_TYPES_KEY)}};
    struct file_metadata meta = {0};
    (void)state;
    assert_int_equal(schema_init(&schema, 3, &err), HAUL_OK);
    assert_int_equal(schema_sql_types_print(&schema, &out, &err), HAUL_OK);
    assert_int_equal(out.length, 0);
    for (int i = 0; i < 3; i++) {
        schema.fields[i].name = names[i];
        schema.fields[i].sql_type = i ? "mssql:money" : NULL;
    }
    assert_int_equal(schema_sql_types_print(&schema, &out, &err), HAUL_OK);
    assert_int_equal(buffer_append(&out, "nobody\tx:y\nno tab\n\\", 19, &err), HAUL_OK);
    for (int i = 0; i < 3; i++)
        schema.fields[i].sql_type = NULL;
    kv.value = (struct slice){out.data, out.length};
    meta.key_values.items = &kv;
    meta.key_values.count = 1;
    assert_int_equal(schema_sql_types_apply(&meta, &schema, &err), HAUL_OK);
    assert_null(schema.fields[0].sql_type);
    assert_string_equal(schema.fields[1].sql_type, "mssql:money");
    assert_string_equal(schema.fields[2].sql_type, "mssql:money");
    buffer_release(&out);
    schema_release(&schema);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_list_shapes),
        cmocka_unit_test(test_map_shapes),
        cmocka_unit_test(test_no_tree),
        cmocka_unit_test(test_annotations_that_do_not_fit),
        cmocka_unit_test(test_both_ways),
        cmocka_unit_test(test_extensions),
        cmocka_unit_test(test_what_parquet_cannot_hold),
        cmocka_unit_test(test_sql_types),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
