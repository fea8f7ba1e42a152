/* Levels: the table of the specification, and what nests. */
#include "format/parquet/shred.h"
#include "batch/builder.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define LEAVES_MAX 4

/* What the leaves were given, as text: "rep:def" per level, values after it. */
struct given {
    struct buffer text[LEAVES_MAX];
    int count;
};

static enum haul_code give(void *user, const struct node *leaf, const struct feed *feed,
                           struct haul_error *err)
{
    struct given *given = user;
    struct buffer *text = &given->text[leaf->first_leaf];
    given->count++;
    for (size_t i = 0; i < feed->levels; i++)
        if (buffer_printf(text, err, "%d:%d ", feed->rep ? feed->rep[i] : 0,
                          feed->def ? feed->def[i] : leaf->def))
            return err->code;
    for (size_t i = 0; i < feed->values->count; i++) {
        const struct strings *strings = &feed->values->strings;
        int64_t number = 0;
        if (feed->values->width)
            memcpy(&number, feed->values->fixed + i * feed->values->width, feed->values->width);
        enum haul_code code =
            feed->values->width
                ? buffer_printf(text, err, "%lld,", (long long)number)
                : buffer_printf(text, err, "%.*s,", (int)(strings->ends[i] - strings->starts[i]),
                                (const char *)strings->data + strings->starts[i]);
        if (code)
            return code;
    }
    return HAUL_OK;
}

struct rows { /* one column and what is made of it */
    struct schema schema;
    struct tree tree;
    struct arena arena;
    struct builder builder;
    struct given given;
    struct haul_error err;
};

static void rows_open(struct rows *rows, const char *type, bool nullable)
{
    memset(rows, 0, sizeof *rows);
    assert_int_equal(schema_init(&rows->schema, 1, &rows->err), 0);
    rows->schema.fields[0].name = "c";
    assert_int_equal(field_parse_type(type, &rows->schema.arena, &rows->schema.fields[0], &rows->err), 0);
    rows->schema.fields[0].nullable = nullable;
    assert_int_equal(schema_to_parquet(&rows->schema, &rows->tree, &rows->arena, &rows->err), 0);
    assert_int_equal(builder_init(&rows->builder, &rows->schema.fields[0], NULL, &rows->err), 0);
}

static enum haul_code rows_shred(struct rows *rows, int64_t first, int64_t count)
{
    struct ArrowArray array = {0};
    struct view view;
    struct shredder shredder;
    struct run run = {first, count};
    assert_int_equal(builder_finish(&rows->builder, &array, &rows->err), 0);
    if (count < 0)
        run.count = array.length - first;
    assert_int_equal(view_init(&view, &rows->schema.fields[0], &array, &rows->err), 0);
    shredder_init(&shredder, NULL, give, &rows->given);
    enum haul_code code = shred(&shredder, &rows->tree.columns[0], &view, &run, &rows->err);
    shredder_release(&shredder);
    array.release(&array);
    return code;
}

static void rows_close(struct rows *rows)
{
    for (int i = 0; i < LEAVES_MAX; i++)
        buffer_release(&rows->given.text[i]);
    builder_release(&rows->builder);
    schema_release(&rows->schema);
    arena_release(&rows->arena);
}

static void assert_leaf(struct rows *rows, int leaf, const char *expected)
{
    const struct buffer *text = &rows->given.text[leaf];
    char got[512] = "";
    assert_true(text->length < sizeof got);
    memcpy(got, text->data ? text->data : (const uint8_t *)"", text->length);
    assert_string_equal(got, expected);
}

static void put_i64(struct builder *builder, int64_t value)
{
    struct haul_error err = {0};
    assert_int_equal(builder_append_i64(builder, value, &err), 0);
}

static void put_null(struct builder *builder)
{
    struct haul_error err = {0};
    assert_int_equal(builder_append_null(builder, &err), 0);
}

static void put_list(struct builder *builder)
{
    struct haul_error err = {0};
    assert_int_equal(builder_append_list(builder, &err), 0);
}

static void put_struct(struct builder *builder)
{
    struct haul_error err = {0};
    assert_int_equal(builder_append_struct(builder, &err), 0);
}

static void flat_columns_follow_their_validity(void **state)
{
    (void)state;
    struct rows rows;
    rows_open(&rows, "int32", true);
    for (int i = 0; i < 20; i++)
        i % 3 ? put_i64(&rows.builder, i) : put_null(&rows.builder);
    assert_int_equal(rows_shred(&rows, 2, 9), 0);
    assert_leaf(&rows, 0, "0:1 0:0 0:1 0:1 0:0 0:1 0:1 0:0 0:1 2,4,5,7,8,10,");
    rows_close(&rows);
    rows_open(&rows, "int16", false);
    for (int i = 0; i < 4; i++)
        put_i64(&rows.builder, i);
    assert_int_equal(rows_shred(&rows, 1, 2), 0);
    assert_leaf(&rows, 0, "0:0 0:0 1,2,");
    rows_close(&rows);
}

static void a_null_where_none_may_be_is_an_error(void **state)
{
    (void)state;
    struct rows rows;
    rows_open(&rows, "int32", false);
    put_i64(&rows.builder, 1);
    put_null(&rows.builder);
    assert_int_equal(rows_shred(&rows, 0, -1), HAUL_DATA);
    assert_non_null(strstr(rows.err.message, "\"c\""));
    rows_close(&rows);
}

/* NULL, [], [NULL], [5, NULL, 7]: the table of section 6. */
static void lists_have_the_levels_of_the_specification(void **state)
{
    (void)state;
    struct rows rows;
    rows_open(&rows, "list<item: int32>", true);
    assert_int_equal(rows.tree.leaves[0]->def, 3);
    struct builder *items = rows.builder.children;
    put_null(&rows.builder);
    put_list(&rows.builder);
    put_null(items);
    put_list(&rows.builder);
    put_i64(items, 5);
    put_null(items);
    put_i64(items, 7);
    put_list(&rows.builder);
    assert_int_equal(rows_shred(&rows, 0, -1), 0);
    assert_leaf(&rows, 0, "0:0 0:1 0:2 0:3 1:2 1:3 5,7,");
    rows_close(&rows);
}

/* [[1], []], [], [NULL, [2, 3]] */
static void lists_of_lists_repeat_at_their_depth(void **state)
{
    (void)state;
    struct rows rows;
    rows_open(&rows, "list<item: list<item: int32>>", false);
    struct builder *inner = rows.builder.children, *items = inner->children;
    put_i64(items, 1);
    put_list(inner);
    put_list(inner);
    put_list(&rows.builder);
    put_list(&rows.builder);
    put_null(inner);
    put_i64(items, 2);
    put_i64(items, 3);
    put_list(inner);
    put_list(&rows.builder);
    assert_int_equal(rows_shred(&rows, 0, -1), 0);
    assert_leaf(&rows, 0, "0:4 1:2 0:0 0:1 1:4 2:4 1,2,3,");
    rows_close(&rows);
}

/* struct<a, b: list>: {1, [2]}, NULL, {NULL, []} */
static void structs_share_their_slots(void **state)
{
    (void)state;
    struct rows rows;
    rows_open(&rows, "struct<a: int32, b: list<item: int32>>", true);
    struct builder *a = &rows.builder.children[0], *b = &rows.builder.children[1];
    put_i64(a, 1);
    put_i64(b->children, 2);
    put_list(b);
    put_struct(&rows.builder);
    put_null(&rows.builder);
    put_null(a);
    put_list(b);
    put_struct(&rows.builder);
    assert_int_equal(rows_shred(&rows, 0, -1), 0);
    assert_leaf(&rows, 0, "0:2 0:0 0:1 1,");
    assert_leaf(&rows, 1, "0:4 0:0 0:2 2,");
    assert_int_equal(rows.given.count, 2);
    rows_close(&rows);
}

/* {"k": 1, "l": NULL}, {}, NULL; the second row on its own, too */
static void maps_are_lists_of_entries(void **state)
{
    (void)state;
    struct rows rows;
    for (int alone = 0; alone < 2; alone++) {
        rows_open(&rows, "map<utf8, int32>", true);
        struct haul_error err = {0};
        struct builder *entries = rows.builder.children, *key = &entries->children[0], *value = key + 1;
        assert_int_equal(builder_append_bytes(key, "k", 1, &err), 0);
        put_i64(value, 1);
        put_struct(entries);
        assert_int_equal(builder_append_bytes(key, "l", 1, &err), 0);
        put_null(value);
        put_struct(entries);
        put_list(&rows.builder);
        put_list(&rows.builder);
        put_null(&rows.builder);
        assert_int_equal(rows_shred(&rows, alone, alone ? 1 : 3), 0);
        assert_leaf(&rows, 0, alone ? "0:1 " : "0:2 1:2 0:1 0:0 k,l,");
        assert_leaf(&rows, 1, alone ? "0:1 " : "0:3 1:2 0:1 0:0 1,");
        rows_close(&rows);
    }
}

static void null_columns_have_levels_only(void **state)
{
    (void)state;
    struct rows rows;
    rows_open(&rows, "null", true);
    put_null(&rows.builder);
    put_null(&rows.builder);
    assert_int_equal(rows_shred(&rows, 0, -1), 0);
    assert_leaf(&rows, 0, "0:0 0:0 ");
    rows_close(&rows);
    rows_open(&rows, "list<item: null>", false);
    put_null(rows.builder.children);
    put_list(&rows.builder);
    put_list(&rows.builder);
    assert_int_equal(rows_shred(&rows, 0, -1), 0);
    assert_leaf(&rows, 0, "0:1 0:0 ");
    rows_close(&rows);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(flat_columns_follow_their_validity),
        cmocka_unit_test(a_null_where_none_may_be_is_an_error),
        cmocka_unit_test(lists_have_the_levels_of_the_specification),
        cmocka_unit_test(lists_of_lists_repeat_at_their_depth),
        cmocka_unit_test(structs_share_their_slots),
        cmocka_unit_test(maps_are_lists_of_entries),
        cmocka_unit_test(null_columns_have_levels_only),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
