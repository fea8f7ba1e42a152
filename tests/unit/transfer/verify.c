/* verify.c: two sources compared; what is refused as lines; hashes that do not care for order. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
// clang-format off
#include <cmocka.h>
// clang-format on
#include "base/file.h"
#include "batch/builder.h"
#include "fake.h"
#include "transfer/reject.h"
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

/* A table in memory: columns of int64, one part a row group. */
struct table {
    struct source source;
    const char *const *names;
    enum type_id type;
    int columns;
    const int64_t *values; /* row by row */
    int64_t rows, split_at;
    bool fails;
};

struct table_reader {
    struct reader reader;
    const struct table *table;
    struct memory *memory;
    struct schema schema;
    int64_t from, to;
};

static enum haul_code table_schema(const struct table *table, struct schema *schema, struct haul_error *err)
{
    if (schema_init(schema, table->columns, err))
        return err->code;
    for (int i = 0; i < table->columns; i++)
        schema->fields[i] = (struct field){.name = table->names[i], .type = table->type};
    return HAUL_OK;
}

static enum haul_code table_describe(struct source *source, struct source_info *info, struct haul_error *err)
{
    info->identity = "";
    info->rows = -1;
    return table_schema((struct table *)source, &info->schema, err);
}

static enum haul_code table_split(struct source *source, const struct split_request *request,
                                  struct arena *arena, struct part *part, bool *more, struct haul_error *err)
{
    struct table *table = (struct table *)source;
    (void)request;
    *more = table->split_at == 0 || table->split_at < table->rows;
    int64_t to = table->split_at + 2 < table->rows ? table->split_at + 2 : table->rows;
    part->spec = arena_printf(arena, "%lld %lld", (long long)table->split_at, (long long)to);
    table->split_at = to ? to : 1;
    return part->spec ? HAUL_OK : error_nomem(err, "a part");
}

static enum haul_code table_next(struct reader *reader, int64_t rows_max, struct batch *batch, bool *end,
                                 struct haul_error *err)
{
    struct table_reader *self = (struct table_reader *)reader;
    const struct table *table = self->table;
    struct batch_builder builder = {0};
    (void)rows_max;
    if (table->fails)
        return error_set(err, HAUL_DATA, "damaged");
    *end = self->from >= self->to;
    if (*end)
        return HAUL_OK;
    enum haul_code code = batch_builder_init(&builder, &self->schema, self->memory, err);
    for (int i = 0; !code && i < table->columns; i++)
        code = builder_append_i64(&builder.columns[i], table->values[self->from * table->columns + i], err);
    if (!code)
        code = batch_builder_finish(&builder, batch, err);
    batch_builder_release(&builder);
    batch->first_row = self->from++;
    batch->rows_offered = 1;
    return code;
}

static void table_reader_close(struct reader *reader)
{
    schema_release(&((struct table_reader *)reader)->schema);
    free(reader);
}

static const struct reader_ops table_reader_ops = {.next = table_next, .close = table_reader_close};

static enum haul_code table_open(struct source *source, const struct context *context,
                                 const struct part *part, int64_t first_row, struct reader **reader,
                                 struct haul_error *err)
{
    struct table_reader *made = calloc(1, sizeof *made);
    long long from, to;
    (void)first_row;
    assert_non_null(made);
    assert_int_equal(sscanf(part->spec, "%lld %lld", &from, &to), 2);
    *made = (struct table_reader){.reader = {&table_reader_ops},
                                  .table = (struct table *)source,
                                  .memory = context->memory,
                                  .from = from,
                                  .to = to};
    *reader = &made->reader;
    return table_schema(made->table, &made->schema, err);
}

static const struct source_ops table_ops = {
    .name = "table", .describe = table_describe, .split = table_split, .open = table_open};

static const char *const names[] = {"a", "b"};
static const int64_t rows[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10};

static struct table table_of(const int64_t *values, int64_t count)
{
    return (struct table){.source = {&table_ops},
                          .names = names,
                          .type = TYPE_INT64,
                          .columns = 2,
                          .values = values,
                          .rows = count};
}

/* Returns the names that differ, joined by ", "; "" when equal. */
static const char *compare(struct table a, struct table b, enum haul_code wanted)
{
    static char joined[512];
    struct settings settings;
    struct context context;
    struct haul_error err = {0};
    char *json = NULL;
    size_t count, i;
    const json_t *one;
    const struct haul_option *table = haul_options(&count);
    context_init(&context);
    assert_int_equal(settings_init(&settings, table, count, &err), HAUL_OK);
    assert_int_equal(settings_set(&settings, "workers", "3", &err), HAUL_OK);
    context.settings = &settings;
    assert_int_equal(
        transfer_verify(&context, &(struct verify_request){.a = &a.source, .b = &b.source}, &json, &err),
        wanted);
    settings_release(&settings);
    joined[0] = 0;
    if (!json)
        return NULL;
    json_t *root = json_loads(json, 0, NULL);
    assert_non_null(root);
    assert_int_equal(json_is_true(json_object_get(root, "equal")), wanted == HAUL_OK);
    json_array_foreach(json_object_get(root, "differs"), i, one)
    {
        if (i > 0)
            strcat(joined, ", ");
        strcat(joined, json_string_value(one));
    }
    json_decref(root);
    free(json);
    return joined;
}

static void test_equal(void **state)
{
    const int64_t shuffled[] = {9, 10, 3, 4, 1, 2, 7, 8, 5, 6};
    (void)state;
    assert_string_equal(compare(table_of(rows, 5), table_of(rows, 5), HAUL_OK), "");
    assert_string_equal(compare(table_of(rows, 5), table_of(shuffled, 5), HAUL_OK), "");
    assert_string_equal(compare(table_of(rows, 0), table_of(rows, 0), HAUL_OK), "");
}

static void test_narrower_type(void **state)
{
    struct table narrow = table_of(rows, 5);
    (void)state;
    narrow.type = TYPE_INT16;
    assert_string_equal(compare(table_of(rows, 5), narrow, HAUL_OK), "");
}

static void test_columns_in_other_order(void **state)
{
    static const char *const turned_names[] = {"b", "a"};
    const int64_t turned_rows[] = {2, 1, 4, 3, 6, 5, 8, 7, 10, 9};
    struct table turned = table_of(turned_rows, 5);
    (void)state;
    turned.names = turned_names;
    assert_string_equal(compare(table_of(rows, 5), turned, HAUL_OK), "");
    assert_string_equal(compare(turned, table_of(rows, 5), HAUL_OK), "");
}

static void test_differences(void **state)
{
    const int64_t other[] = {1, 2, 3, 4, 5, 66, 7, 8, 9, 10};
    const int64_t doubled[] = {1, 2, 3, 4, 5, 6, 7, 8, 7, 8};
    const int64_t exchanged[] = {1, 4, 3, 2, 5, 6, 7, 8, 9, 10};
    (void)state;
    assert_string_equal(compare(table_of(rows, 5), table_of(other, 5), HAUL_INTEGRITY), "b");
    assert_string_equal(compare(table_of(rows, 5), table_of(rows, 4), HAUL_INTEGRITY), "a, b");
    assert_string_equal(compare(table_of(rows, 5), table_of(doubled, 5), HAUL_INTEGRITY), "a, b");
    assert_string_equal(compare(table_of(rows, 5), table_of(exchanged, 5), HAUL_INTEGRITY),
                        "rows: the values of different rows are exchanged");
}

static void test_other_columns(void **state)
{
    static const char *const other_names[] = {"a", "c"};
    struct table other = table_of(rows, 5);
    (void)state;
    other.names = other_names;
    assert_string_equal(compare(table_of(rows, 5), other, HAUL_INTEGRITY),
                        "b (only in the source), c (only in the target)");
}

static void test_failing_side(void **state)
{
    struct table bad = table_of(rows, 5);
    (void)state;
    bad.fails = true;
    assert_null(compare(table_of(rows, 5), bad, HAUL_DATA));
    assert_null(compare(bad, table_of(rows, 5), HAUL_DATA));
}

/* ---- refused rows ---- */

static void test_reject_lines(void **state)
{
    struct reject_limit limit = {.max = -1};
    struct collector collector = {.limit = &limit};
    struct arena arena = {0};
    struct haul_error err = {0};
    const char *lines;
    const struct reject late = {.row = 9,
                                .place = "line 10",
                                .column = "x",
                                .reason = "is \"late\"",
                                .value = "\xff\x01",
                                .value_length = 2};
    const struct reject early = {.row = 3, .reason = "no", .value = "a\nb\"\xe2\x82\xac", .value_length = 7};
    (void)state;
    assert_int_equal(reject_lines(&collector, &arena, &lines, &err), HAUL_OK);
    assert_null(lines);
    assert_int_equal(collector_reject(&collector, HAUL_VALUE, &late, &err), HAUL_OK);
    assert_int_equal(collector_reject(&collector, HAUL_VALUE, &early, &err), HAUL_OK);
    assert_int_equal(reject_lines(&collector, &arena, &lines, &err), HAUL_OK);
    assert_string_equal(lines, "{\"part\":0,\"row\":3,\"place\":\"row 4\",\"reason\":\"no\",\"value\":"
                               "\"a\\nb\\\"\xe2\x82\xac\"}\n"
                               "{\"part\":0,\"row\":9,\"place\":\"line 10\",\"column\":\"x\",\"reason\":"
                               "\"is \\\"late\\\"\",\"value_hex\":\"ff01\"}\n");
    arena_release(&arena);
    collector_release(&collector);
}

static void test_reject_file(void **state)
{
    const struct receipt receipts[] = {{.rejects = "a\n"}, {.rejects = NULL}, {.rejects = "b\n"}};
    char home[128], path[256], text[16] = "";
    struct haul_error err = {0};
    (void)state;
    home_make(home);
    (void)snprintf(path, sizeof path, "%s/rejects", home);
    for (int i = 0; i < 2; i++) { /* the second takes the place of the first */
        assert_int_equal(reject_file_write(path, receipts, 3, &err), HAUL_OK);
        FILE *file = fopen(path, "r");
        assert_non_null(file);
        assert_int_equal(fread(text, 1, sizeof text - 1, file), 4);
        (void)fclose(file);
        assert_string_equal(text, "a\nb\n");
        assert_int_equal(home_count(home), 1);
    }
    (void)snprintf(path, sizeof path, "%s/none/rejects", home);
    assert_int_not_equal(reject_file_write(path, receipts, 3, &err), HAUL_OK);
    assert_int_not_equal(reject_file_check(path, &err), HAUL_OK);
    assert_int_equal(reject_file_check(home, &err), HAUL_USAGE);
    (void)snprintf(path, sizeof path, "%s/other", home);
    assert_int_equal(reject_file_check(path, &err), HAUL_OK);
    assert_int_equal(home_count(home), 1);
    home_remove(home);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_equal),
        cmocka_unit_test(test_narrower_type),
        cmocka_unit_test(test_columns_in_other_order),
        cmocka_unit_test(test_differences),
        cmocka_unit_test(test_other_columns),
        cmocka_unit_test(test_failing_side),
        cmocka_unit_test(test_reject_lines),
        cmocka_unit_test(test_reject_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
