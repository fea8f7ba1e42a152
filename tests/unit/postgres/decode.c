/* decode.c: each type's bytes become its value; bytes of any other length, arrays
 * that lie and values nobody else has are told, never read past. */
#include "support.h"

static void fixed_types(void **unused)
{
    (void)unused;
    static const struct {
        enum wire wire;
        struct field field;
        size_t length;
        const char *bytes, *text;
    } cases[] = {
        {WIRE_BOOL, {.type = TYPE_BOOL}, 1, "\1", "true\n"},
        {WIRE_INT2, {.type = TYPE_INT16}, 2, "\x80\0", "-32768\n"},
        {WIRE_INT4, {.type = TYPE_INT32}, 4, "\x7f\xff\xff\xff", "2147483647\n"},
        {WIRE_INT8, {.type = TYPE_INT64}, 8, "\x80\0\0\0\0\0\0\0", "-9223372036854775808\n"},
        {WIRE_OID, {.type = TYPE_UINT32}, 4, "\xff\xff\xff\xff", "4294967295\n"},
        {WIRE_FLOAT4, {.type = TYPE_FLOAT32}, 4, "\xbf\xc0\0\0", "-1.5\n"},
        {WIRE_FLOAT8, {.type = TYPE_FLOAT64}, 8, "\x7f\xf0\0\0\0\0\0\0", "inf\n"},
        {WIRE_DATE, {.type = TYPE_DATE}, 4, "\0\0\0\0", "2000-01-01\n"},
        {WIRE_TIME, {.type = TYPE_TIME, .unit = TIME_MICRO}, 8, "\0\0\0\0\0\0\0\1", "00:00:00.000001\n"},
        {WIRE_TIMESTAMP,
         {.type = TYPE_TIMESTAMP, .unit = TIME_MICRO},
         8,
         "\xff\xff\xff\xff\xff\xff\xff\xff",
         "1999-12-31 23:59:59.999999\n"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct column_in in = {.field = cases[i].field};
        in.field.name = "c";
        column_open(&in, &(struct source_column){.wire = cases[i].wire}, 4);
        assert_int_equal(column_put(&in, cases[i].bytes, cases[i].length), HAUL_OK);
        for (size_t wrong = 0; wrong < 20; wrong++) {
            uint8_t zeros[20] = {0};
            if (wrong != cases[i].length)
                assert_int_equal(column_put(&in, zeros, wrong), HAUL_DATA);
        }
        assert_column(&in, cases[i].text);
        column_close(&in);
    }
}

static void what_only_postgres_has(void **unused)
{
    (void)unused;
    static const struct {
        enum wire wire;
        struct field field;
        size_t length;
        const char *bytes;
    } cases[] = {
        {WIRE_DATE, {.type = TYPE_DATE}, 4, "\x7f\xff\xff\xff"},
        {WIRE_DATE, {.type = TYPE_DATE}, 4, "\x80\0\0\0"},
        {WIRE_TIMESTAMP, {.type = TYPE_TIMESTAMP, .unit = TIME_MICRO}, 8, "\x7f\xff\xff\xff\xff\xff\xff\xff"},
        {WIRE_TIMESTAMPTZ, {.type = TYPE_TIMESTAMP, .unit = TIME_MICRO}, 8, "\x80\0\0\0\0\0\0\0"},
        {WIRE_TIMESTAMP, {.type = TYPE_TIMESTAMP, .unit = TIME_MICRO}, 8, "\x7f\xff\xff\xff\xff\xff\xff\xfe"},
        {WIRE_TIME, {.type = TYPE_TIME, .unit = TIME_MICRO}, 8, "\0\0\0\x14\x1d\xd7\x60\0"}, /* 24:00 */
        {WIRE_TIME, {.type = TYPE_TIME, .unit = TIME_MICRO}, 8, "\xff\xff\xff\xff\xff\xff\xff\xff"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct column_in in = {.field = cases[i].field};
        column_open(&in, &(struct source_column){.wire = cases[i].wire}, 4);
        assert_int_equal(column_put(&in, cases[i].bytes, cases[i].length), HAUL_OK);
        assert_non_null(in.decoder.misfit);
        assert_int_equal(in.builder.length, 0);
        column_close(&in);
    }
}

static void bytes_grow(void **unused)
{
    (void)unused;
    struct column_in in = {.field = {.name = "t", .type = TYPE_UTF8}};
    char text[5000];
    memset(text, 'x', sizeof text);
    column_open(&in, &(struct source_column){.wire = WIRE_TEXT}, 200);
    for (size_t i = 0; i < 200; i++)
        assert_int_equal(column_put(&in, text, i * 25), HAUL_OK);
    const int32_t *offsets = (const int32_t *)(const void *)in.builder.offsets.data;
    assert_int_equal(offsets[200], 25 * 199 * 200 / 2);
    column_close(&in);
    struct column_in json = {.field = {.name = "j", .type = TYPE_UTF8}};
    column_open(&json, &(struct source_column){.wire = WIRE_JSONB}, 4);
    assert_int_equal(column_put(&json, "\1{}", 3), HAUL_OK);
    assert_int_equal(column_put(&json, "\2{}", 3), HAUL_DATA);
    assert_int_equal(column_put(&json, "", 0), HAUL_DATA);
    assert_column(&json, "{}\n");
    column_close(&json);
}

/* ---- arrays ---- */

static struct field int_item = {.name = "item", .type = TYPE_INT32, .nullable = true};

static void open_array(struct column_in *in)
{
    *in = (struct column_in){
        .field = {.name = "a", .type = TYPE_LIST, .nullable = true, .children = &int_item, .child_count = 1}};
    column_open(in, &(struct source_column){.wire = WIRE_ARRAY, .array = 1007}, 64);
}

static size_t make(uint8_t *out, const uint32_t *words, size_t count)
{
    for (size_t i = 0; i < count; i++)
        wire_put_u32(out + i * 4, words[i]);
    return count * 4;
}

#define PUT(in, ...)                                                                                         \
    column_put(in, bytes, make(bytes, (const uint32_t[]){__VA_ARGS__}, sizeof((uint32_t[]){__VA_ARGS__}) / 4))
#define NONE UINT32_MAX

static void arrays_are_lists(void **unused)
{
    (void)unused;
    struct column_in in;
    uint8_t bytes[256];
    open_array(&in);
    assert_int_equal(PUT(&in, 0, 0, 23), HAUL_OK);
    assert_int_equal(PUT(&in, 1, 1, 23, 3, 1, 4, 7, NONE, 4, 9), HAUL_OK);
    assert_int_equal(PUT(&in, 2, 0, 23, 1, 1, 1, 1, 4, 7), HAUL_OK); /* {{7}} */
    assert_non_null(in.decoder.misfit);
    assert_int_equal(PUT(&in, 1, 0, 23, 1, 0, 4, 7), HAUL_OK); /* [0:0]={7} */
    assert_non_null(in.decoder.misfit);
    assert_int_equal(PUT(&in, 1, 0, 23, 1, 1, 4, 8), HAUL_OK);
    assert_column(&in, "[]\n[7,null,9]\n[8]\n");
    column_close(&in);
}

static void arrays_that_lie(void **unused)
{
    (void)unused;
    struct column_in in;
    uint8_t bytes[256];
    open_array(&in);
    assert_int_equal(PUT(&in, 1, 0, 25, 1, 1, 4, 7), HAUL_DATA);          /* another element type */
    assert_int_equal(PUT(&in, 1, 0, 23, 0x7fffffff, 1, 4, 7), HAUL_DATA); /* a count beyond the bytes */
    assert_int_equal(PUT(&in, 1, 0, 23, 2, 1, 4, 7), HAUL_DATA);          /* one item too few */
    assert_int_equal(PUT(&in, 1, 0, 23, 1, 1, 0x7fffffff, 7), HAUL_DATA); /* an item beyond the end */
    assert_int_equal(PUT(&in, 1, 0, 23, 1, 1, 0xfffffffe, 7), HAUL_DATA); /* length -2 */
    assert_int_equal(PUT(&in, 1, 0, 23, 1, 1, 4, 7, 0), HAUL_DATA);       /* bytes behind */
    assert_int_equal(PUT(&in, 0, 0, 23, 1), HAUL_DATA);
    assert_int_equal(PUT(&in, 1, 0, 23), HAUL_DATA);
    for (size_t cut = 0; cut < 28; cut++) {
        make(bytes, (const uint32_t[]){1, 0, 23, 1, 1, 4, 7}, 7);
        assert_int_equal(column_put(&in, bytes, cut), HAUL_DATA);
    }
    column_close(&in);
}

/* A misfit in the middle of an array takes its first items back. */
static void items_go_again(void **unused)
{
    (void)unused;
    static struct field item = {.name = "item", .type = TYPE_DATE, .nullable = true};
    struct column_in in = {
        .field = {.name = "a", .type = TYPE_LIST, .nullable = true, .children = &item, .child_count = 1}};
    uint8_t bytes[256];
    column_open(&in, &(struct source_column){.wire = WIRE_ARRAY, .array = 1182}, 8);
    assert_int_equal(PUT(&in, 1, 0, 1082, 2, 1, 4, 1, NONE), HAUL_OK);
    assert_int_equal(PUT(&in, 1, 0, 1082, 3, 1, NONE, 4, 2, 4, 0x7fffffff), HAUL_OK);
    assert_non_null(in.decoder.misfit);
    assert_int_equal(PUT(&in, 1, 0, 1082, 1, 1, 4, 3), HAUL_OK);
    assert_column(&in, "[\"2000-01-02\",null]\n[\"2000-01-04\"]\n");
    column_close(&in);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fixed_types),     cmocka_unit_test(what_only_postgres_has),
        cmocka_unit_test(bytes_grow),      cmocka_unit_test(arrays_are_lists),
        cmocka_unit_test(arrays_that_lie), cmocka_unit_test(items_go_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
