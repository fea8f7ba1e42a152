/*
 * Streams and limits: input without a size, read once from head to tail; records
 * longer than the window, longer than memory, and quotes that are never closed;
 * allocations that fail.
 */
#include "support.h"

/* ---- a stream over bytes, which insists on rising offsets ---- */

struct stream {
    struct input_file base;
    const uint8_t *data;
    size_t length;
    int64_t at;
};

static enum haul_code stream_read(struct input_file *file, int64_t offset, void *data, size_t length,
                                  size_t *got, struct haul_error *err)
{
    struct stream *stream = (struct stream *)(void *)file;
    (void)err;
    assert_int_equal(offset, stream->at);
    size_t left = stream->length - (size_t)offset;
    *got = length < left ? length : left;
    memcpy(data, stream->data + offset, *got);
    stream->at += (int64_t)*got;
    return HAUL_OK;
}

static enum haul_code stream_check(struct input_file *file, struct haul_error *err)
{
    (void)file;
    (void)err;
    return HAUL_OK;
}

static void stream_close(struct input_file *file)
{
    (void)file;
}

static const struct input_file_ops stream_ops = {stream_read, stream_check, stream_close};

static void check_stream(const char *options, const uint8_t *data, size_t length)
{
    struct stream stream = {{&stream_ops, "-", "", -1}, data, length, 0};
    struct test_run run;
    struct buffer want, got;
    struct arena arena = {0};
    struct part part = {0};
    bool more = false;
    const struct split_request request = {100, 100};
    test_read(options, "memory:stream.csv", data, length, &want);
    test_begin(&run, options);
    buffer_init(&got, NULL);
    const struct format_request wish = {.context = &run.context, .source = &run.source};
    if (!format_csv.open_input(&wish, &stream.base, &run.input, &run.err)) {
        struct source_info info = {0};
        assert_int_equal(run.input->ops->describe(run.input, &info, &run.err), HAUL_OK);
        assert_false(info.replayable);
        assert_int_equal(info.splits_max, 1);
        test_print_schema(&info.schema, &got);
        schema_release(&info.schema);
        arena_release(&info.arena);
        assert_int_equal(run.input->ops->split(run.input, &request, &arena, &part, &more, &run.err), HAUL_OK);
        assert_true(more);
        assert_string_equal(part.spec, "all");
        assert_int_equal(part.rows, -1);
        (void)test_read_part(&run, &part, 0, 1000, &got);
        assert_int_equal(run.input->ops->split(run.input, &request, &arena, &part, &more, &run.err), HAUL_OK);
        assert_false(more);
    }
    test_print_rejects(&run.collector, &got);
    if (run.err.code)
        buffer_printf(&got, &run.err, "# %s\n", run.err.message);
    struct haul_error err = {0};
    assert_int_equal(buffer_append(&got, "", 1, &err), HAUL_OK);
    assert_string_equal((char *)got.data, (char *)want.data);
    arena_release(&arena);
    buffer_release(&got);
    buffer_release(&want);
    test_end(&run);
}

static void test_streams(void **state)
{
    (void)state;
    static const char small[] = "a,b\n1,\"x\ny\"\n\n2,z";
    check_stream("", (const uint8_t *)small, sizeof small - 1);
    check_stream("", (const uint8_t *)small, 0);
    check_stream("schema=a:int64", (const uint8_t *)"", 0);
    struct buffer text; /* longer than the sample */
    struct haul_error err = {0};
    buffer_init(&text, NULL);
    assert_int_equal(buffer_append(&text, "id,t\n", 5, &err), HAUL_OK);
    for (int i = 0; text.length < (size_t)9 << 19; i++)
        assert_int_equal(buffer_printf(&text, &err, "%d,\"text %d\n\"\n", i, i * 7), HAUL_OK);
    check_stream("", text.data, text.length);
    buffer_release(&text);
}

/* ---- limits ---- */

/* Before there is a budget, --memory says how much of a first record is looked at. */
static void test_first_record(void **state)
{
    (void)state;
    struct buffer text = {0}, out;
    struct haul_error err = {0};
    assert_int_equal(buffer_resize(&text, (size_t)40 << 20, &err), HAUL_OK);
    memset(text.data, 'x', text.length);
    memcpy(text.data, "\na,\"", 4);
    test_read("memory=64MiB", "memory:first.csv", text.data, text.length, &out);
    assert_string_equal((char *)out.data,
                        "# line 2: a quote that begins here is not closed so far, after 16 MiB; use "
                        "more --memory, or --quote none reads quotes as text\n");
    buffer_release(&out);
    text.data[3] = ',';
    test_read("memory=64MiB", "memory:first.csv", text.data, text.length, &out);
    assert_string_equal((char *)out.data,
                        "# line 1: the first record does not end so far, after 16 MiB; use more --memory\n");
    buffer_release(&out);
    buffer_release(&text);
}

static enum haul_code read_within(size_t memory_bytes, const void *data, size_t length, int64_t *rows,
                                  struct haul_error *err)
{
    struct test_run run;
    struct buffer out;
    struct memory *root = NULL;
    const struct part all = {.spec = (char *)(uintptr_t) "all"};
    buffer_init(&out, NULL);
    test_begin(&run, "");
    assert_int_equal(memory_open(&root, memory_bytes, 1, err), HAUL_OK);
    run.context.memory = root;
    *rows = -1;
    if (!test_open(&run, "memory:limit.csv", data, length))
        *rows = test_read_part(&run, &all, 0, 1000, &out);
    *err = run.err;
    buffer_release(&out);
    test_end(&run);
    memory_close(root);
    return err->code;
}

static uint8_t *long_text(const char *head, char fill, size_t fill_bytes, const char *tail, size_t *length)
{
    *length = strlen(head) + fill_bytes + strlen(tail);
    uint8_t *text = malloc(*length + 1);
    assert_non_null(text);
    memcpy(text, head, strlen(head));
    memset(text + strlen(head), fill, fill_bytes);
    memcpy(text + strlen(head) + fill_bytes, tail, strlen(tail));
    return text;
}

static void test_long_records(void **state)
{
    (void)state;
    struct haul_error err = {0};
    int64_t rows;
    size_t length;
    uint8_t *text = long_text("a,b\n1,\"", 'x', 3 << 20, "\"\n2,y\n", &length);
    assert_int_equal(read_within((size_t)64 << 20, text, length, &rows, &err), HAUL_OK);
    assert_int_equal(rows, 2);
    err = (struct haul_error){0};
    assert_int_equal(read_within((size_t)8 << 20, text, length, &rows, &err), HAUL_LIMIT);
    free(text);

    text = long_text("a,b\n1,z\n2,\"", '\n', 30 << 20, "", &length);
    err = (struct haul_error){0};
    assert_int_equal(read_within((size_t)64 << 20, text, length, &rows, &err), HAUL_LIMIT);
    assert_non_null(strstr(err.message, "line 3: a record with a quote that is not closed"));
    err = (struct haul_error){0};
    assert_int_equal(read_within((size_t)512 << 20, text, length, &rows, &err), HAUL_DATA);
    assert_non_null(strstr(err.message, "line 3: a quoted field that begins here is not closed"));
    free(text);

    text = long_text("", ',', 200000, "\n", &length);
    err = (struct haul_error){0};
    assert_int_equal(read_within((size_t)64 << 20, text, length, &rows, &err), HAUL_UNSUPPORTED);
    assert_non_null(strstr(err.message, "200001 columns"));
    free(text);
}

/* Time that grows with the square of these would not end. */
static void test_no_squares(void **state)
{
    (void)state;
    struct haul_error err = {0};
    int64_t rows;
    size_t length;
    uint8_t *text = long_text("a,b\n1,x\n", '\n', 8 << 20, "", &length);
    assert_int_equal(read_within((size_t)64 << 20, text, length, &rows, &err), HAUL_OK);
    assert_int_equal(rows, 1);
    free(text);
    text = long_text("a,b\n1,\"", '"', 4 << 20, "\"\n", &length);
    assert_int_equal(read_within((size_t)64 << 20, text, length, &rows, &err), HAUL_OK);
    assert_int_equal(rows, 1);
    free(text);
    text = long_text("a,b\n1,2", ',', 4 << 20, "\n", &length); /* one misfit of 4 million fields */
    assert_int_equal(read_within((size_t)256 << 20, text, length, &rows, &err), HAUL_OK);
    assert_int_equal(rows, 1);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_streams),
        cmocka_unit_test(test_first_record),
        cmocka_unit_test(test_long_records),
        cmocka_unit_test(test_no_squares),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
