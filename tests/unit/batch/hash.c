/* hash.c: the vectors of tests/cases/hash.tsv, and what the hash must see or not. */
#include "table.h"

#include "batch/array.h"
#include "batch/hash.h"
#include <stdio.h>

#define COLUMNS_MAX 8
#define ROWS_MAX    64

static struct hash128 sum_of(const struct schema *schema, const struct batch *batch, struct hash128 *columns,
                             struct hash128 *rows)
{
    struct haul_error err = {0};
    struct hasher hasher = {0};
    struct hash128 sum;
    (void)schema;
    assert_ok(hasher_init(&hasher, batch->schema, columns != NULL, NULL, &err));
    assert_ok(hash_batch(&hasher, batch, &sum, &err));
    if (columns)
        memcpy(columns, hasher.columns, (size_t)hasher.column_count * sizeof *columns);
    if (rows)
        memcpy(rows, hasher.rows, (size_t)batch->array.length * sizeof *rows);
    hasher_release(&hasher);
    hasher_release(&hasher);
    return sum;
}

/* ---- vectors ---- */

struct vectors {
    char *types[COLUMNS_MAX], *texts[ROWS_MAX * COLUMNS_MAX], *hashes[ROWS_MAX];
    int type_count, row_count, tables;
};

static int split(char *line, char **fields)
{
    int count = 0;
    for (char *at = line; at; count++) {
        assert_true(count < COLUMNS_MAX + 2);
        fields[count] = at;
        at = strchr(at, '\t');
        if (at)
            *at++ = 0;
    }
    return count;
}

static char *unescape(char *text, bool nested)
{
    if (!strcmp(text, "\\N"))
        return NULL;
    char *to = text;
    for (char *from = text; !nested && *from; from++) {
        if (*from == '\\')
            from++;
        else {
            *to++ = *from;
            continue;
        }
        *to++ = *from == 't' ? '\t' : *from == 'n' ? '\n' : *from;
    }
    if (!nested)
        *to = 0;
    return text;
}

static void expect_hash(const char *expected, struct hash128 hash, const char *what)
{
    char text[HASH_TEXT_BYTES];
    hash_print(hash, text);
    if (strcmp(text, expected))
        fail_msg("%s: %s, expected %s", what, text, expected);
}

static void check_table(const struct vectors *vectors, char **columns, const char *sum)
{
    struct schema schema = {0};
    struct batch batch = {0};
    struct hash128 column_sums[COLUMNS_MAX], rows[ROWS_MAX];
    table_schema(&schema, (const char *const *)vectors->types, vectors->type_count);
    table_batch(&schema, (const char *const *)vectors->texts, vectors->row_count, NULL, &batch);
    expect_hash(sum, sum_of(&schema, &batch, column_sums, rows), vectors->types[0]);
    for (int i = 0; i < vectors->row_count; i++)
        expect_hash(vectors->hashes[i], rows[i], vectors->types[0]);
    for (int i = 0; i < vectors->type_count; i++)
        expect_hash(columns[i], column_sums[i], vectors->types[i]);
    batch_release(&batch);
    schema_release(&schema);
}

static void take_row(struct vectors *vectors, char **fields, int count)
{
    assert_int_equal(count, vectors->type_count + 2);
    assert_true(vectors->row_count < ROWS_MAX);
    for (int i = 0; i < vectors->type_count; i++) {
        bool nested = strchr(vectors->types[i], '<') != NULL;
        vectors->texts[vectors->row_count * vectors->type_count + i] = unescape(fields[i + 1], nested);
    }
    vectors->hashes[vectors->row_count++] = fields[count - 1];
}

static void test_vectors(void **state)
{
    (void)state;
    FILE *file = fopen(TEST_CASES "/hash.tsv", "r");
    assert_non_null(file);
    struct vectors vectors = {0};
    char *columns[COLUMNS_MAX] = {0};
    static char store[1000][1024];
    int line = 0;
    for (; line < 1000 && fgets(store[line], sizeof store[line], file); line++) {
        char *fields[COLUMNS_MAX + 2];
        store[line][strcspn(store[line], "\n")] = 0;
        int count = split(store[line], fields);
        if (!strcmp(fields[0], "types")) {
            vectors.type_count = count - 1;
            vectors.row_count = 0;
            memcpy(vectors.types, fields + 1, (size_t)(count - 1) * sizeof *fields);
        } else if (!strcmp(fields[0], "row")) {
            take_row(&vectors, fields, count);
        } else if (!strcmp(fields[0], "columns")) {
            memcpy(columns, fields + 1, (size_t)(count - 1) * sizeof *fields);
        } else if (!strcmp(fields[0], "sum")) {
            check_table(&vectors, columns, fields[1]);
            vectors.tables++;
        }
    }
    assert_true(line < 1000);
    assert_true(vectors.tables > 40);
    fclose(file);
}

/* ---- properties ---- */

static struct hash128 hash_column(const char *type, const char *text)
{
    struct schema schema = {0};
    struct batch batch = {0};
    table_schema(&schema, &type, 1);
    table_batch(&schema, &text, 1, NULL, &batch);
    struct hash128 sum = sum_of(&schema, &batch, NULL, NULL);
    batch_release(&batch);
    schema_release(&schema);
    return sum;
}

static void test_equal_values(void **state)
{
    (void)state;
    static const char *const same[][4] = {
        {"int8", "-5", "int64", "-5"},
        {"uint64", "5", "int16", "5"},
        {"float32", "0.5", "float64", "0.5"},
        {"float16", "-1.5", "float64", "-1.5"},
        {"timestamp[s]", "2024-01-01 00:00:01", "timestamp[ns]", "2024-01-01 00:00:01"},
        {"timestamp[ms, UTC]", "1960-01-01 00:00:01.500Z", "timestamp[us, Asia/Tokyo]",
         "1960-01-01 00:00:01.5Z"},
        {"time[s]", "01:02:03", "time[ns]", "01:02:03"},
        {"duration[s]", "-PT5S", "duration[ns]", "-PT5S"},
        {"utf8", "ab", "binary", "6162"},
        {"fixed_binary(2)", "6162", "binary", "6162"},
        {"list<item: int8>", "[\"1\"]", "list<x: int64>", "[\"1\"]"},
        {"int32", NULL, "utf8", NULL},
        {"null", NULL, "utf8", NULL},
    };
    static const char *const different[][4] = {
        {"uint64", "18446744073709551615", "int64", "-1"},
        {"float64", "0.0", "float64", "-0.0"},
        {"int32", "0", "bool", "false"},
        {"int32", "0", "int32", NULL},
        {"utf8", "", "utf8", NULL},
        {"timestamp[us]", "2024-01-01 00:00:00", "timestamp[us, UTC]", "2024-01-01 00:00:00Z"},
        {"decimal(5,2)", "1.50", "decimal(5,1)", "1.5"},
        {"list<item: int8>", "[]", "list<item: int8>", "[null]"},
        {"list<item: list<item: int8>>", "[[\"1\"], []]", "list<item: list<item: int8>>", "[[], [\"1\"]]"},
        {"struct<a: int8, b: int8>", "[\"1\", \"2\"]", "struct<a: int8, b: int8>", "[\"2\", \"1\"]"},
    };
    for (size_t i = 0; i < sizeof same / sizeof *same; i++)
        if (!hash_equal(hash_column(same[i][0], same[i][1]), hash_column(same[i][2], same[i][3])))
            fail_msg("%s and %s differ", same[i][0], same[i][2]);
    for (size_t i = 0; i < sizeof different / sizeof *different; i++)
        if (hash_equal(hash_column(different[i][0], different[i][1]),
                       hash_column(different[i][2], different[i][3])))
            fail_msg("%s and %s agree", different[i][0], different[i][2]);
}

static void test_every_nan(void **state)
{
    (void)state;
    static const char *const type = "float64", *const text = "nan";
    struct schema schema = {0};
    struct batch batch = {0};
    table_schema(&schema, &type, 1);
    table_batch(&schema, &text, 1, NULL, &batch);
    struct hash128 plain = sum_of(&schema, &batch, NULL, NULL);
    uint64_t bits = UINT64_C(0xfff0000000000001);
    memcpy((void *)(uintptr_t)batch.array.children[0]->buffers[1], &bits, sizeof bits);
    assert_true(hash_equal(plain, sum_of(&schema, &batch, NULL, NULL)));
    batch_release(&batch);
    schema_release(&schema);
}

/* Order of rows: not seen. Values swapped between rows, a doubled pair: seen. */
static void test_what_a_sum_sees(void **state)
{
    (void)state;
    static const char *const types[] = {"int32", "int32"};
    static const char *const a[] = {"1", "10", "2", "20", "3", "30"}, *const b[] = {"3",  "30", "1",
                                                                                    "10", "2",  "20"},
                             *const c[] = {"1", "20", "2", "10", "3", "30"}, *const d[] = {"1",  "10", "1",
                                                                                           "10", "3",  "30"};
    const char *const *tables[] = {a, b, c, d};
    struct schema schema = {0};
    struct hash128 sums[4], columns[4][2];
    table_schema(&schema, types, 2);
    for (int i = 0; i < 4; i++) {
        struct batch batch = {0};
        table_batch(&schema, tables[i], 3, NULL, &batch);
        sums[i] = sum_of(&schema, &batch, columns[i], NULL);
        batch_release(&batch);
    }
    assert_true(hash_equal(sums[0], sums[1]));
    assert_false(hash_equal(sums[0], sums[2]));
    assert_false(hash_equal(sums[0], sums[3]));
    assert_true(hash_equal(columns[0][1], columns[2][1]));
    assert_false(hash_equal(columns[0][1], columns[3][1]));
    schema_release(&schema);
}

static void test_dictionary_is_seen_through(void **state)
{
    (void)state;
    static const char *const type = "utf8", *const words[] = {"red", "green"},
                             *const rows[] = {"green", "red", NULL, "green"};
    struct haul_error err = {0};
    struct schema schema = {0};
    struct batch plain = {0}, entries = {0}, coded = {0};
    struct field index = {.name = "i", .type = TYPE_INT32};
    struct builder builder;
    struct ArrowArray indices = {0};
    table_schema(&schema, &type, 1);
    table_batch(&schema, rows, 4, NULL, &plain);
    table_batch(&schema, rows, 4, NULL, &coded);
    table_batch(&schema, words, 2, NULL, &entries);
    assert_ok(builder_init(&builder, &index, NULL, &err));
    for (int i = 0; i < 4; i++)
        assert_ok(i == 2 ? builder_append_null(&builder, &err) : builder_append_i64(&builder, i != 1, &err));
    assert_ok(builder_finish(&builder, &indices, &err));
    builder_release(&builder);
    assert_ok(array_add_dictionary(&indices, entries.array.children[0], &err));
    array_release(coded.array.children[0]);
    array_move(&indices, coded.array.children[0]);
    assert_true(hash_equal(sum_of(&schema, &plain, NULL, NULL), sum_of(&schema, &coded, NULL, NULL)));
    batch_release(&plain);
    batch_release(&entries);
    batch_release(&coded);
    schema_release(&schema);
}

static void test_text(void **state)
{
    (void)state;
    struct hash128 hash = {0x0123456789abcdef, 0xfedcba9876543210}, back;
    char text[HASH_TEXT_BYTES];
    hash_print(hash, text);
    assert_string_equal(text, "fedcba98765432100123456789abcdef");
    assert_true(hash_parse(text, &back) && hash_equal(hash, back));
    assert_false(hash_parse("fedcba9876543210", &back));
    assert_false(hash_parse("fedcba98765432100123456789abcdeg", &back));
    struct hash128 one = {1, 0}, max = {UINT64_MAX, 0};
    assert_true(hash_equal(hash_add(max, one), (struct hash128){0, 1}));
    assert_true(hash_equal(hash_subtract(hash_add(hash, max), max), hash));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_vectors),
        cmocka_unit_test(test_equal_values),
        cmocka_unit_test(test_every_nan),
        cmocka_unit_test(test_what_a_sum_sees),
        cmocka_unit_test(test_dictionary_is_seen_through),
        cmocka_unit_test(test_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
