/* import.c: other people's arrays: layouts, hostile shapes, and who releases what. */
#include "table.h"

#include "batch/array.h"
#include "batch/stream.h"

/* A foreign array on the stack; its release counts. */
struct foreign {
    struct ArrowSchema schema, column, child, *columns[1], *children[1];
    struct ArrowArray array, values, items, *arrays[1], *nested[1];
    const void *root_buffers[1], *buffers[4], *item_buffers[3];
    int released, column_released;
};

static void release_schema(struct ArrowSchema *schema)
{
    schema->release = NULL;
}

static void release_array(struct ArrowArray *array)
{
    struct foreign *self = array->private_data;
    self->released++;
    if (self->values.release)
        self->values.release(&self->values);
    array->release = NULL;
}

static void release_column(struct ArrowArray *array)
{
    struct foreign *self = array->private_data;
    self->column_released++;
    array->release = NULL;
}

static void foreign_init(struct foreign *self, const char *format, int64_t length, int64_t buffer_count)
{
    *self = (struct foreign){0};
    self->column = (struct ArrowSchema){
        .format = format, .name = "x", .flags = ARROW_FLAG_NULLABLE, .release = release_schema};
    self->columns[0] = &self->column;
    self->schema = (struct ArrowSchema){
        .format = "+s", .n_children = 1, .children = self->columns, .release = release_schema};
    self->values = (struct ArrowArray){.length = length,
                                       .n_buffers = buffer_count,
                                       .buffers = self->buffers,
                                       .release = release_column,
                                       .private_data = self};
    self->arrays[0] = &self->values;
    self->array = (struct ArrowArray){.length = length,
                                      .n_buffers = 1,
                                      .buffers = self->root_buffers,
                                      .n_children = 1,
                                      .children = self->arrays,
                                      .release = release_array,
                                      .private_data = self};
}

static void foreign_add_items(struct foreign *self, const char *format, int64_t length, const void *data)
{
    self->child = (struct ArrowSchema){.format = format, .name = "item", .release = release_schema};
    self->children[0] = &self->child;
    self->column.n_children = 1;
    self->column.children = self->children;
    self->item_buffers[1] = data;
    self->items = (struct ArrowArray){.length = length,
                                      .n_buffers = 2,
                                      .buffers = self->item_buffers,
                                      .release = release_column,
                                      .private_data = self};
    self->nested[0] = &self->items;
    self->values.n_children = 1;
    self->values.children = self->nested;
}

static enum haul_code take(struct foreign *self, struct memory *memory, struct import **import,
                           struct batch *batch, struct haul_error *err)
{
    struct context context;
    context_init(&context);
    context.memory = memory;
    if (import_open(&self->schema, import, err))
        return err->code;
    return import_array(*import, &context, &self->array, batch, err);
}

/* ---- what works ---- */

static void test_moved_column(void **state)
{
    (void)state;
    struct haul_error err = {0};
    struct foreign foreign;
    struct import *import = NULL;
    struct batch batch = {0};
    static const int64_t values[] = {1, 2, 3};
    static const uint8_t validity[] = {0x05};
    foreign_init(&foreign, "l", 3, 2);
    foreign.buffers[0] = validity;
    foreign.buffers[1] = values;
    foreign.values.null_count = -1;
    assert_ok(take(&foreign, NULL, &import, &batch, &err));
    assert_int_equal(foreign.released, 1);
    assert_int_equal(foreign.column_released, 0);
    assert_null(foreign.array.release);
    assert_ptr_equal(batch.array.children[0]->buffers[1], values);
    assert_int_equal(batch.array.children[0]->null_count, 1);
    table_expect(&import_schema(import)->fields[0], batch.array.children[0], 1, NULL);
    table_expect(&import_schema(import)->fields[0], batch.array.children[0], 2, "3");
    batch_release(&batch);
    assert_int_equal(foreign.column_released, 1);
    import_close(import);
}

static void test_offset_is_copied(void **state)
{
    (void)state;
    struct haul_error err = {0};
    struct foreign foreign;
    struct import *import = NULL;
    struct batch batch = {0};
    static const int64_t values[] = {9, 9, 9, 1, 2, 3};
    static const uint8_t validity[] = {0x28};
    foreign_init(&foreign, "l", 3, 2);
    foreign.buffers[0] = validity;
    foreign.buffers[1] = values;
    foreign.values.null_count = -1;
    foreign.values.offset = 1;
    foreign.values.length = 5;
    foreign.array.offset = 2; /* both count */
    assert_ok(take(&foreign, NULL, &import, &batch, &err));
    assert_int_equal(foreign.released, 1);
    assert_int_equal(foreign.column_released, 1);
    assert_int_equal(batch.array.offset, 0);
    static const char *const expected[] = {"1", NULL, "3"};
    for (int i = 0; i < 3; i++)
        table_expect(&import_schema(import)->fields[0], batch.array.children[0], i, expected[i]);
    batch_release(&batch);
    import_close(import);
}

static void test_string_view(void **state)
{
    (void)state;
    struct haul_error err = {0};
    struct foreign foreign;
    struct import *import = NULL;
    struct batch batch = {0};
    static const char data[] = "..a text of some length";
    static const int64_t sizes[] = {sizeof data - 1};
    int32_t views[8] = {3, 0, 0, 0, 21, 0, 0, 2};
    memcpy(&views[1], "abc", 3);
    foreign_init(&foreign, "vu", 2, 4);
    foreign.buffers[1] = views;
    foreign.buffers[2] = data;
    foreign.buffers[3] = sizes;
    assert_ok(take(&foreign, NULL, &import, &batch, &err));
    table_expect(&import_schema(import)->fields[0], batch.array.children[0], 0, "abc");
    table_expect(&import_schema(import)->fields[0], batch.array.children[0], 1, "a text of some length");
    batch_release(&batch);
    import_close(import);
    views[4] = 22; /* one byte too far */
    foreign_init(&foreign, "vu", 2, 4);
    foreign.buffers[1] = views;
    foreign.buffers[2] = data;
    foreign.buffers[3] = sizes;
    assert_int_equal(take(&foreign, NULL, &import, &batch, &err), HAUL_DATA);
    import_close(import);
    release_array(&foreign.array);
}

/* Arrow allows a NULL list to have items; ours have none. */
static void test_null_list_with_items(void **state)
{
    (void)state;
    struct haul_error err = {0};
    struct foreign foreign;
    struct import *import = NULL;
    struct batch batch = {0};
    static const int32_t offsets[] = {1, 2, 4, 5}, items[] = {9, 1, 8, 8, 2, 9};
    static const uint8_t validity[] = {0x05};
    foreign_init(&foreign, "+l", 3, 2);
    foreign_add_items(&foreign, "i", 6, items);
    foreign.buffers[0] = validity;
    foreign.buffers[1] = offsets;
    foreign.values.null_count = 1;
    assert_ok(take(&foreign, NULL, &import, &batch, &err));
    const struct ArrowArray *list = batch.array.children[0];
    static const int32_t plain[] = {0, 1, 1, 2};
    assert_memory_equal(list->buffers[1], plain, sizeof plain);
    assert_int_equal(list->children[0]->length, 2);
    table_expect(&import_schema(import)->fields[0], list, 0, "[1]");
    table_expect(&import_schema(import)->fields[0], list, 1, NULL);
    table_expect(&import_schema(import)->fields[0], list, 2, "[2]");
    batch_release(&batch);
    import_close(import);
}

/* ---- what is refused; the array stays its owner's ---- */

static void expect_refused(struct foreign *foreign, const char *what)
{
    struct haul_error err = {0};
    struct import *import = NULL;
    struct batch batch = {0};
    if (take(foreign, NULL, &import, &batch, &err) != HAUL_DATA)
        fail_msg("%s was taken", what);
    assert_non_null(foreign->array.release);
    assert_int_equal(foreign->released, 0);
    assert_null(batch.array.release);
    import_close(import);
}

static void test_hostile_text(void **state)
{
    (void)state;
    struct foreign foreign;
    static const int32_t good[] = {0, 1, 3}, backwards[] = {0, 3, 1}, negative[] = {-1, 1, 3};
    static const char split[] = "a\xc3\xbc", broken[] = "a\xc3z";
    static const int32_t cut[] = {0, 2, 3};
    const struct {
        const int32_t *offsets;
        const char *data, *what;
        int64_t buffers;
    } cases[] = {{backwards, "abc", "offsets backwards", 3},
                 {negative, "abc", "negative offset", 3},
                 {good, NULL, "no data", 3},
                 {NULL, "abc", "no offsets", 3},
                 {good, broken, "broken UTF-8", 3},
                 {cut, split, "a character cut in two", 3},
                 {good, "abc", "two buffers", 2}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        foreign_init(&foreign, "u", 2, cases[i].buffers);
        foreign.buffers[1] = cases[i].offsets;
        foreign.buffers[2] = cases[i].data;
        expect_refused(&foreign, cases[i].what);
    }
}

static void test_hostile_shapes(void **state)
{
    (void)state;
    struct foreign foreign;
    static const int32_t values[] = {1, 2}, offsets[] = {0, 1, 5}, late[] = {0, 90000};
    foreign_init(&foreign, "i", 2, 2);
    foreign.buffers[1] = values;
    foreign.values.length = 1;
    expect_refused(&foreign, "a column shorter than the table");
    foreign_init(&foreign, "i", 2, 2);
    expect_refused(&foreign, "no values");
    foreign_init(&foreign, "i", 2, 2);
    foreign.buffers[1] = values;
    foreign.values.null_count = 1;
    expect_refused(&foreign, "nulls without validity");
    foreign_init(&foreign, "i", 2, 2);
    foreign.buffers[1] = values;
    foreign.values.offset = -1;
    expect_refused(&foreign, "a negative offset");
    foreign_init(&foreign, "i", 2, 2);
    foreign.buffers[1] = values;
    foreign.array.n_children = 0;
    expect_refused(&foreign, "no columns");
    foreign_init(&foreign, "tts", 2, 2);
    foreign.buffers[1] = late;
    expect_refused(&foreign, "a time behind midnight");
    foreign_init(&foreign, "+l", 2, 2);
    foreign_add_items(&foreign, "i", 2, values);
    foreign.buffers[1] = offsets;
    expect_refused(&foreign, "a list that reaches too far");
    static const uint8_t none[] = {0};
    foreign_init(&foreign, "i", 2, 2);
    foreign.buffers[1] = values;
    foreign.root_buffers[0] = none;
    foreign.array.null_count = 2;
    expect_refused(&foreign, "rows that are NULL");
}

static void test_dictionary_bounds(void **state)
{
    (void)state;
    struct haul_error err = {0};
    struct foreign foreign;
    struct import *import = NULL;
    struct batch batch = {0};
    static const int64_t words[] = {70, 80};
    uint8_t indices[] = {1, 0, 1};
    for (int bad = 0; bad < 2; bad++) {
        indices[2] = bad ? 2 : 1;
        foreign_init(&foreign, "C", 3, 2);
        foreign_add_items(&foreign, "l", 2, words);
        foreign.column.dictionary = &foreign.child;
        foreign.values.dictionary = &foreign.items;
        foreign.column.n_children = foreign.values.n_children = 0;
        foreign.buffers[1] = indices;
        if (bad) {
            expect_refused(&foreign, "an index out of bounds");
            break;
        }
        assert_ok(take(&foreign, NULL, &import, &batch, &err));
        table_expect(&import_schema(import)->fields[0], batch.array.children[0], 2, "80");
        assert_int_equal(import_schema(import)->fields[0].type, TYPE_INT64);
        batch_release(&batch);
        import_close(import);
    }
}

static void test_bad_schemas(void **state)
{
    (void)state;
    static const char *const formats[] = {
        "",     "?",   "+us:0",         "d:0,0",      "d:77,0",  "d:5", "d:5,2,99", "w:0",
        "w:-1", "w:x", "tsx:",          "ts",         "tsu:a b", "+w:", "+w:-1",    "+r",
        "+l",   "+m",  "w:99999999999", "d:5,2,128x", "i "};
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++) {
        struct haul_error err = {0};
        struct foreign foreign;
        struct import *import = NULL;
        foreign_init(&foreign, formats[i], 0, 2);
        enum haul_code code = import_open(&foreign.schema, &import, &err);
        if (code != HAUL_UNSUPPORTED && code != HAUL_DATA)
            fail_msg("format \"%s\" was taken", formats[i]);
    }
    struct haul_error err = {0};
    struct foreign foreign;
    struct import *import = NULL;
    foreign_init(&foreign, "+l", 0, 2);
    foreign_add_items(&foreign, "+l", 0, NULL);
    foreign.child.n_children = 1;
    foreign.child.children = foreign.children; /* its own child: endless */
    assert_int_equal(import_open(&foreign.schema, &import, &err), HAUL_DATA);
    foreign_init(&foreign, "l", 0, 2);
    foreign.column.name = "\xff";
    assert_int_equal(import_open(&foreign.schema, &import, &err), HAUL_DATA);
    foreign_init(&foreign, "l", 0, 2);
    assert_int_equal(import_open(&foreign.column, &import, &err), HAUL_DATA);
}

/* ---- out and in again ---- */

struct feed {
    const struct schema *schema;
    int left, closed;
    enum haul_code fail;
};

static enum haul_code feed_next(void *user, struct batch *batch, bool *end, struct haul_error *err)
{
    struct feed *feed = user;
    static const char *const texts[] = {"7", "[[\"k\", \"1.50\"]]", NULL, NULL};
    if (feed->left == 0 && feed->fail)
        return error_set(err, feed->fail, "the feed broke");
    *end = feed->left == 0;
    if (!*end)
        table_batch(feed->schema, texts, feed->left-- == 2 ? 0 : 2, NULL, batch);
    return HAUL_OK;
}

static void feed_close(void *user)
{
    ((struct feed *)user)->closed++;
}

static void read_stream(struct ArrowArrayStream *stream, const struct schema *schema)
{
    struct haul_error err = {0};
    struct ArrowSchema foreign = {0};
    struct ArrowArray array = {0};
    struct import *import = NULL;
    struct batch batch = {0};
    struct context context;
    context_init(&context);
    assert_int_equal(stream->get_schema(stream, &foreign), 0);
    assert_ok(import_open(&foreign, &import, &err));
    foreign.release(&foreign);
    assert_null(foreign.release);
    for (int i = 0; i < schema->count; i++)
        assert_true(field_equal(&schema->fields[i], &import_schema(import)->fields[i], true));
    assert_string_equal(import_schema(import)->fields[0].sql_type, "mssql:int");
    assert_int_equal(stream->get_next(stream, &array), 0); /* the empty batch was passed over */
    assert_int_equal(array.length, 2);
    assert_ok(import_array(import, &context, &array, &batch, &err));
    assert_null(array.release);
    table_expect(&schema->fields[1], batch.array.children[1], 0, "{\"k\":1.50}");
    table_expect(&schema->fields[1], batch.array.children[1], 1, NULL);
    batch_release(&batch);
    import_close(import);
}

static void test_stream(void **state)
{
    (void)state;
    static const char *const types[] = {"int32", "map<utf8, decimal(5,2)>"};
    struct haul_error err = {0};
    struct schema schema = {0};
    table_schema(&schema, types, 2);
    schema.fields[0].sql_type = "mssql:int";
    for (int fails = 0; fails < 2; fails++) {
        struct feed feed = {&schema, 2, 0, fails ? HAUL_IO : HAUL_OK};
        struct ArrowArrayStream stream = {0};
        struct ArrowArray array = {0};
        assert_ok(stream_export(&schema, feed_next, feed_close, &feed, &stream, &err));
        assert_null(stream.get_last_error(&stream));
        read_stream(&stream, &schema);
        for (int again = 0; again < 2; again++) {
            assert_int_equal(stream.get_next(&stream, &array) != 0, fails);
            assert_null(array.release);
        }
        assert_true(!fails || strstr(stream.get_last_error(&stream), "the feed broke"));
        stream.release(&stream);
        assert_null(stream.release);
        assert_int_equal(feed.closed, 1);
    }
    schema_release(&schema);
}

static void test_small_budgets(void **state)
{
    (void)state;
    static const int64_t offsets[] = {0, 1, 3};
    int failures = 0;
    for (size_t bytes = 16; bytes < 2048; bytes += 16) {
        struct haul_error err = {0};
        struct memory *memory = NULL;
        struct foreign foreign;
        struct import *import = NULL;
        struct batch batch = {0};
        assert_ok(memory_open(&memory, bytes, 1, &err));
        foreign_init(&foreign, "U", 2, 3);
        foreign.buffers[1] = offsets;
        foreign.buffers[2] = "abc";
        bool failed = take(&foreign, memory, &import, &batch, &err) != HAUL_OK;
        failures += failed;
        assert_int_equal(foreign.released, !failed);
        batch_release(&batch);
        import_close(import);
        assert_int_equal(memory_used(memory), 0);
        memory_close(memory);
    }
    assert_true(failures > 3 && failures < 120);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_moved_column),
        cmocka_unit_test(test_offset_is_copied),
        cmocka_unit_test(test_string_view),
        cmocka_unit_test(test_null_list_with_items),
        cmocka_unit_test(test_hostile_text),
        cmocka_unit_test(test_hostile_shapes),
        cmocka_unit_test(test_dictionary_bounds),
        cmocka_unit_test(test_bad_schemas),
        cmocka_unit_test(test_stream),
        cmocka_unit_test(test_small_budgets),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
