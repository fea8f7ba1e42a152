/* drop.c: rows leave a batch, in every layout, and their places are kept. */
#include "table.h"

#include "batch/array.h"

static const char *const types[] = {"null",
                                    "bool",
                                    "int8",
                                    "decimal(5,2)",
                                    "utf8",
                                    "fixed_binary(2)",
                                    "list<item: utf8>",
                                    "struct<a: int32, b: list<item: int8>>",
                                    "map<utf8, int32>",
                                    "list<item: list<item: struct<x: utf8>>>"};
#define COLUMNS 10
#define ROWS    40

static void make_texts(char store[ROWS][COLUMNS][64], const char *texts[ROWS * COLUMNS])
{
    for (int r = 0; r < ROWS; r++) {
        char(*row)[64] = store[r];
        snprintf(row[1], 64, "%s", r % 3 ? "true" : "false");
        snprintf(row[2], 64, "%d", r - 20);
        snprintf(row[3], 64, "%d.%02d", r, r);
        snprintf(row[4], 64, "text %d", r * r);
        snprintf(row[5], 64, "00%02x", r);
        snprintf(row[6], 64, r % 4 ? "[\"i%d\", null, \"j\"]" : "[]", r);
        snprintf(row[7], 64, "[\"%d\", [\"1\", \"%d\"]]", r, r);
        snprintf(row[8], 64, "[[\"k%d\", \"%d\"]]", r, r);
        snprintf(row[9], 64, "[[[\"s%d\"], null], [], [[\"t\"]]]", r);
        for (int c = 0; c < COLUMNS; c++)
            texts[r * COLUMNS + c] = c == 0 || (r + c) % 7 == 0 ? NULL : row[c];
    }
}

static void print_value(const struct field *field, const struct ArrowArray *array, int64_t row,
                        struct buffer *out)
{
    struct haul_error err = {0};
    struct view view;
    buffer_clear(out);
    assert_ok(view_init(&view, field, array, &err));
    assert_ok(buffer_append(out, view_is_null(&view, row) ? "-" : "+", 1, &err));
    assert_ok(view_print(&view, row, out, &err));
    assert_ok(buffer_append(out, "", 1, &err));
}

static void expect_rows(const struct schema *schema, const struct batch *full, const struct batch *cut,
                        const int *kept, int count)
{
    struct buffer a = {0}, b = {0};
    assert_int_equal(cut->array.length, count);
    for (int c = 0; c < COLUMNS; c++) {
        const struct ArrowArray *array = cut->array.children[c];
        int64_t nulls = 0;
        for (int i = 0; i < count; i++) {
            print_value(&schema->fields[c], full->array.children[c], kept[i], &a);
            print_value(&schema->fields[c], array, i, &b);
            assert_string_equal((char *)a.data, (char *)b.data);
            nulls += a.data[0] == '-';
        }
        assert_int_equal(array->null_count, nulls);
    }
    buffer_release(&a);
    buffer_release(&b);
}

static void test_every_layout(void **state)
{
    (void)state;
    static char store[ROWS][COLUMNS][64];
    const char *texts[ROWS * COLUMNS];
    struct schema schema = {0};
    make_texts(store, texts);
    table_schema(&schema, types, COLUMNS);
    for (int variant = 0; variant < 5; variant++) {
        struct haul_error err = {0};
        struct batch full = {0}, cut = {0};
        uint8_t drop[(ROWS + 7) / 8] = {0};
        int kept[ROWS], count = 0;
        for (int r = 0; r < ROWS; r++) {
            bool gone = variant == 0   ? false
                        : variant == 1 ? true
                        : variant == 2 ? r % 2
                        : variant == 3 ? r < 9
                                       : r == 39;
            if (gone)
                bit_set(drop, r);
            else
                kept[count++] = r;
        }
        table_batch(&schema, texts, ROWS, NULL, &full);
        table_batch(&schema, texts, ROWS, NULL, &cut);
        assert_ok(batch_drop_rows(&cut, drop, NULL, &err));
        assert_int_equal(cut.dropped_count, ROWS - count);
        assert_int_equal(cut.rows_offered, ROWS);
        expect_rows(&schema, &full, &cut, kept, count);
        batch_release(&full);
        batch_release(&cut);
    }
    schema_release(&schema);
}

static void test_places(void **state)
{
    (void)state;
    static const char *const type = "int32", *const texts[] = {"0", "1", "2", "3", "4",
                                                               "5", "6", "7", "8", "9"};
    struct haul_error err = {0};
    struct schema schema = {0};
    struct batch batch = {0};
    table_schema(&schema, &type, 1);
    table_batch(&schema, texts, 10, NULL, &batch);
    batch.first_row = 100;
    uint8_t first[2] = {0x81, 0x02}; /* rows 0, 7, 9 */
    uint8_t second[1] = {0x11};      /* of what stayed (1 2 3 4 5 6 8): 1 and 5 */
    assert_ok(batch_drop_rows(&batch, first, NULL, &err));
    assert_ok(batch_drop_rows(&batch, second, NULL, &err));
    static const int64_t dropped[] = {100, 101, 105, 107, 109}, stayed[] = {102, 103, 104, 106, 108};
    assert_int_equal(batch.dropped_count, 5);
    assert_memory_equal(batch.dropped, dropped, sizeof dropped);
    for (int i = 0; i < 5; i++) {
        char text[2] = {(char)('0' + stayed[i] - 100), 0};
        assert_int_equal(batch_place(&batch, i), stayed[i]);
        table_expect(&schema.fields[0], batch.array.children[0], i, text);
    }
    batch_release(&batch);
    batch_release(&batch);
    schema_release(&schema);
}

static void test_dictionary(void **state)
{
    (void)state;
    static const char *const type = "utf8", *const words[] = {"red", "green"};
    struct haul_error err = {0};
    struct schema schema = {0};
    struct batch batch = {0}, entries = {0};
    struct field index = {.name = "i", .type = TYPE_INT32};
    struct builder builder;
    struct ArrowArray indices = {0};
    table_schema(&schema, &type, 1);
    table_batch(&schema, words, 2, NULL, &batch);
    table_batch(&schema, words, 2, NULL, &entries);
    assert_ok(builder_init(&builder, &index, NULL, &err));
    for (int i = 0; i < 5; i++)
        assert_ok(i == 3 ? builder_append_null(&builder, &err) : builder_append_i64(&builder, i % 2, &err));
    assert_ok(builder_finish(&builder, &indices, &err));
    builder_release(&builder);
    assert_ok(array_add_dictionary(&indices, entries.array.children[0], &err));
    array_release(batch.array.children[0]);
    array_move(&indices, batch.array.children[0]);
    batch.array.length = 5;
    batch_release(&entries);
    uint8_t drop[1] = {0x05};
    assert_ok(batch_drop_rows(&batch, drop, NULL, &err));
    static const char *const left[] = {"green", NULL, "red"};
    for (int i = 0; i < 3; i++)
        table_expect(&schema.fields[0], batch.array.children[0], i, left[i]);
    batch_release(&batch);
    schema_release(&schema);
}

/* A failure leaves the batch as it was. */
static void test_small_budgets(void **state)
{
    (void)state;
    static char store[ROWS][COLUMNS][64];
    const char *texts[ROWS * COLUMNS];
    struct schema schema = {0};
    int failures = 0;
    make_texts(store, texts);
    table_schema(&schema, types, COLUMNS);
    for (size_t bytes = 32; bytes < 16384; bytes += 64) {
        struct haul_error err = {0};
        struct memory *memory = NULL;
        struct batch batch = {0};
        uint8_t drop[(ROWS + 7) / 8] = {0x10};
        table_batch(&schema, texts, ROWS, NULL, &batch);
        assert_ok(memory_open(&memory, bytes, 1, &err));
        bool failed = batch_drop_rows(&batch, drop, memory, &err) != HAUL_OK;
        failures += failed;
        assert_int_equal(batch.array.length, ROWS - !failed);
        assert_int_equal(batch.dropped_count, !failed);
        table_expect(&schema.fields[4], batch.array.children[4], 0, "text 0");
        batch_release(&batch);
        assert_int_equal(memory_used(memory), 0);
        memory_close(memory);
    }
    assert_true(failures > 3 && failures < 256);
    schema_release(&schema);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_layout),
        cmocka_unit_test(test_places),
        cmocka_unit_test(test_dictionary),
        cmocka_unit_test(test_small_budgets),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
