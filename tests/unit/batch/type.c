/* type.c: types and their text, schemas and their copies. */
#include "table.h"

static void parse(const char *text, char out[256])
{
    struct haul_error err = {0};
    struct arena arena = {0};
    struct field field = {.name = "x"};
    assert_ok(field_parse_type(text, &arena, &field, &err));
    field_print_type(&field, out, 256);
    assert_string_equal(field.name, "x");
    arena_release(&arena);
}

static void test_text_both_ways(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "null",
        "bool",
        "int8",
        "uint64",
        "float16",
        "float64",
        "decimal(38,38)",
        "decimal(1,0)",
        "date",
        "time[s]",
        "time[ns]",
        "timestamp[ms]",
        "timestamp[us, UTC]",
        "timestamp[ns, Europe/Berlin]",
        "duration[us]",
        "utf8",
        "binary",
        "fixed_binary(7)",
        "uuid",
        "json",
        "list<item: int32>",
        "struct<>",
        "struct<a: int32, b: utf8>",
        "struct<\"a b\": int8, \"q\"\"q\": int8, \"\": int8, \"1\": list<item: date>>",
        "map<utf8, list<x: bool>>"};
    char out[256];
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        parse(texts[i], out);
        assert_string_equal(out, texts[i]);
    }
}

static void test_friendly_words(void **state)
{
    (void)state;
    static const char *const pairs[][2] = {{"INT", "int32"},
                                           {"bigint", "int64"},
                                           {"double", "float64"},
                                           {"real", "float32"},
                                           {"text", "utf8"},
                                           {"numeric( 12 , 2 )", "decimal(12,2)"},
                                           {"decimal(5)", "decimal(5,0)"},
                                           {"timestamp", "timestamp[us]"},
                                           {"timestamptz", "timestamp[us, UTC]"},
                                           {"timestamp[ms]", "timestamp[ms]"},
                                           {"time", "time[us]"},
                                           {"list<int32>", "list<item: int32>"},
                                           {" struct < a : boolean > ", "struct<a: bool>"}};
    char out[256];
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        parse(pairs[i][0], out);
        assert_string_equal(out, pairs[i][1]);
    }
}

static void test_bad_types(void **state)
{
    (void)state;
    static const char *const texts[] = {"",
                                        "int33",
                                        "decimal",
                                        "decimal(39,0)",
                                        "decimal(3,4)",
                                        "decimal(0,0)",
                                        "fixed_binary",
                                        "fixed_binary(0)",
                                        "fixed_binary(99999999)",
                                        "timestamp[xs]",
                                        "timestamp[us",
                                        "timestamp[us, ]",
                                        "list",
                                        "list<>",
                                        "list<int32",
                                        "struct<a int32>",
                                        "struct<a: int32,>",
                                        "map<utf8>",
                                        "int32 x",
                                        "struct<\"a: int32>",
                                        "utf8[us]"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct haul_error err = {0};
        struct arena arena = {0};
        struct field field = {.name = "x"};
        if (field_parse_type(texts[i], &arena, &field, &err) != HAUL_USAGE)
            fail_msg("%s was taken", texts[i]);
        assert_true(strlen(err.message) > 10);
        arena_release(&arena);
    }
}

static void nest(char *out, int levels)
{
    out[0] = 0;
    for (int i = 0; i < levels; i++)
        strcat(out, "list<");
    strcat(out, "int8");
    for (int i = 0; i < levels; i++)
        strcat(out, ">");
}

static void test_depth(void **state)
{
    (void)state;
    char text[1024];
    struct haul_error err = {0};
    struct arena arena = {0};
    struct field field = {0};
    nest(text, TYPE_DEPTH_MAX);
    assert_ok(field_parse_type(text, &arena, &field, &err));
    nest(text, TYPE_DEPTH_MAX + 1);
    assert_int_equal(field_parse_type(text, &arena, &field, &err), HAUL_USAGE);
    arena_release(&arena);
}

static void test_print_is_cut(void **state)
{
    (void)state;
    struct field field = {.type = TYPE_DECIMAL, .precision = 12, .scale = 2};
    char out[8];
    field_print_type(&field, out, sizeof out);
    assert_string_equal(out, "decimal");
}

static void test_schema(void **state)
{
    (void)state;
    struct haul_error err = {0};
    struct schema schema = {0}, copy = {0}, chosen = {0};
    static const char *const types[] = {"int32", "struct<a: int8, b: list<item: utf8>>",
                                        "timestamp[us, UTC]"};
    table_schema(&schema, types, 3);
    assert_ok(schema_copy(&schema, &copy, &err));
    schema_release(&schema);
    schema_release(&schema);
    assert_int_equal(schema_find(&copy, "c2"), 2);
    assert_int_equal(schema_find(&copy, "C2"), -1);
    assert_string_equal(copy.fields[1].children[1].name, "b");
    int places[2];
    static const char *const names[] = {"c2", "c0"}, *const wrong[] = {"c2", "c9"},
                             *const twice[] = {"c1", "c1"};
    assert_ok(schema_select(&copy, names, 2, &chosen, places, &err));
    assert_int_equal(places[0], 2);
    assert_true(field_equal(&chosen.fields[0], &copy.fields[2], true));
    assert_false(field_equal(&chosen.fields[0], &copy.fields[0], false));
    schema_release(&chosen);
    assert_int_equal(schema_select(&copy, wrong, 2, &chosen, places, &err), HAUL_NOT_FOUND);
    assert_non_null(strstr(err.message, "c9"));
    assert_int_equal(schema_select(&copy, twice, 2, &chosen, places, &err), HAUL_USAGE);
    schema_release(&copy);
}

static void test_equal(void **state)
{
    (void)state;
    struct schema schema = {0};
    static const char *const types[] = {
        "timestamp[us, UTC]", "timestamp[us, Asia/Tokyo]", "timestamp[us]", "list<a: int8>", "list<b: int8>",
        "struct<a: int8>",    "struct<b: int8>",           "decimal(5,2)",  "decimal(5,3)"};
    table_schema(&schema, types, 9);
    const struct field *f = schema.fields;
    assert_true(field_equal(&f[0], &f[1], false));
    assert_false(field_equal(&f[1], &f[2], false));
    assert_true(field_equal(&f[3], &f[4], false));
    assert_true(field_equal(&f[5], &f[6], false));
    assert_false(field_equal(&f[5], &f[6], true));
    assert_false(field_equal(&f[7], &f[8], false));
    schema_release(&schema);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_text_both_ways), cmocka_unit_test(test_friendly_words),
        cmocka_unit_test(test_bad_types),      cmocka_unit_test(test_depth),
        cmocka_unit_test(test_print_is_cut),   cmocka_unit_test(test_schema),
        cmocka_unit_test(test_equal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
