/* ARROW:schema: written when needed, read back, and harmless when malformed. */
#include "format/parquet/arrow_schema.h"
#include "format/parquet/base64.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#define COLUMNS 5

static const char *const types[COLUMNS] = {"int64", "duration[us]", "timestamp[us, Europe/Paris]",
                                           "list<item: duration[ns]>",
                                           "struct<a: utf8, b: map<int32, duration[s]>>"};
static const char *const parquet_types[COLUMNS] = {
    "int64", "int64", "timestamp[us, UTC]", "list<item: int64>", "struct<a: utf8, b: map<int32, int64>>"};

static void open_schema(struct schema *schema, const char *const *of)
{
    struct haul_error err = {0};
    memset(schema, 0, sizeof *schema);
    assert_int_equal(schema_init(schema, COLUMNS, &err), 0);
    for (int i = 0; i < COLUMNS; i++) {
        schema->fields[i].name = "c";
        if (field_parse_type(of[i], &schema->arena, &schema->fields[i], &err))
            fail_msg("%s", err.message);
    }
}

static void apply(const uint8_t *text, size_t length, struct schema *schema)
{
    struct key_value item = {.key = {(const uint8_t *)ARROW_SCHEMA_KEY, strlen(ARROW_SCHEMA_KEY)},
                             .value = {text, length}};
    struct file_metadata file = {.key_values = {&item, 1}};
    arrow_schema_apply(&file, schema);
}

static void it_is_written_only_when_needed(void **state)
{
    (void)state;
    struct schema plain, schema;
    open_schema(&plain, parquet_types);
    open_schema(&schema, types);
    assert_false(arrow_schema_is_needed(&plain));
    assert_true(arrow_schema_is_needed(&schema));
    schema.count = 1;
    assert_false(arrow_schema_is_needed(&schema));
    schema_release(&plain);
    schema_release(&schema);
}

static void types_come_back(void **state)
{
    (void)state;
    struct haul_error err = {0};
    struct schema from, to;
    struct buffer text = {0};
    open_schema(&from, types);
    open_schema(&to, parquet_types);
    assert_int_equal(arrow_schema_print(&from, &text, &err), 0);
    apply(text.data, text.length, &to);
    for (int i = 0; i < COLUMNS; i++)
        assert_true(field_equal(&from.fields[i], &to.fields[i], true));
    assert_string_equal(to.fields[2].timezone, "Europe/Paris");
    to.count = 2; /* another count of columns: ignored */
    to.fields[1].type = TYPE_INT64;
    apply(text.data, text.length, &to);
    assert_int_equal(to.fields[1].type, TYPE_INT64);
    buffer_release(&text);
    schema_release(&from);
    schema_release(&to);
}

/* Every byte changed, every length: nothing is read outside (the block is exact). */
static void damage_is_ignored(void **state)
{
    (void)state;
    struct haul_error err = {0};
    struct schema from;
    struct buffer text = {0}, bytes = {0};
    open_schema(&from, types);
    assert_int_equal(arrow_schema_print(&from, &text, &err), 0);
    assert_int_equal(base64_parse((const char *)text.data, text.length, &bytes, &err), 0);
    char *damaged = malloc(base64_length(bytes.length) + 1);
    for (size_t i = 0; i < 2 * bytes.length; i++) {
        struct schema to;
        uint8_t kept = bytes.data[i / 2];
        size_t length = i % 2 ? bytes.length : i / 2;
        bytes.data[i / 2] = (uint8_t)(i % 2 ? kept ^ 0x81 : kept);
        base64_print(bytes.data, length, damaged);
        open_schema(&to, parquet_types);
        apply((const uint8_t *)damaged, base64_length(length), &to);
        assert_int_equal(to.fields[4].children[0].type, TYPE_UTF8); /* never another kind of value */
        schema_release(&to);
        bytes.data[i / 2] = kept;
    }
    free(damaged);
    buffer_release(&text);
    buffer_release(&bytes);
    schema_release(&from);
}

static void base64_is_strict(void **state)
{
    (void)state;
    struct haul_error err = {0};
    struct buffer out = {0};
    static const struct {
        const char *bytes, *text;
    } rows[] = {{"", ""}, {"f", "Zg=="}, {"fo", "Zm8="}, {"foo", "Zm9v"}, {"foobar", "Zm9vYmFy"}};
    static const char *const bad[] = {"Z", "Zg=", "Zg===", "Z===", "Zm8=Zm8=", "Zm 8", "Zm8\xC3", "===="};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char text[16];
        base64_print((const uint8_t *)rows[i].bytes, strlen(rows[i].bytes), text);
        assert_string_equal(text, rows[i].text);
        buffer_clear(&out);
        assert_int_equal(base64_parse(text, strlen(text), &out, &err), 0);
        assert_int_equal(out.length, strlen(rows[i].bytes));
        assert_memory_equal(out.data, rows[i].bytes, out.length);
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_equal(base64_parse(bad[i], strlen(bad[i]), &out, &err), HAUL_DATA);
    buffer_release(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_is_written_only_when_needed),
        cmocka_unit_test(types_come_back),
        cmocka_unit_test(damage_is_ignored),
        cmocka_unit_test(base64_is_strict),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
