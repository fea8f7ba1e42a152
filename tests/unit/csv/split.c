/*
 * Parts: read one after another they give what one reader gives, whatever the
 * text, the size of parts, the size of the window and the rows asked for at a
 * time. The texts are generated: quotes, blanks, line ends and broken rows at
 * every place.
 */
#include "support.h"

#include "format/csv/input.h"

#define PARTS_MAX 4096

struct shape {
    struct split_request request;
    size_t window_bytes;
    int64_t rows_max;
    int64_t resume; /* readers are opened again after so many rows; 0: never */
};

/* Reads a part in one go, or in two readers. */
static int64_t read_part(struct test_run *run, const struct part *part, const struct shape *shape,
                         struct buffer *out)
{
    int64_t first = shape->resume && part->rows > shape->resume ? shape->resume : 0;
    if (first) { /* the rows before, then a second reader for the rest */
        struct reader *reader = NULL;
        struct batch batch = {0};
        bool end;
        if (run->input->ops->open(run->input, &run->context, part, 0, &reader, &run->err))
            fail_msg("%s", run->err.message);
        enum haul_code code = reader->ops->next(reader, first, &batch, &end, &run->err);
        if (!code) {
            first = batch.rows_offered;
            test_print_batch(&batch, out);
        }
        batch_release(&batch);
        reader->ops->close(reader);
        if (code)
            return -1;
    }
    int64_t rest = test_read_part(run, part, first, shape->rows_max, out);
    return rest < 0 ? rest : rest + first;
}

static void read_whole(const char *text, size_t length, const char *options, struct buffer *out)
{
    test_read(options, "memory:whole.csv", text, length, out);
}

static void read_parts(const char *text, size_t length, const char *options, const struct shape *shape,
                       struct buffer *out)
{
    struct test_run run;
    struct arena arena = {0};
    static struct part parts[PARTS_MAX];
    int count = 0;
    bool more = true;
    test_begin(&run, options);
    buffer_init(out, NULL);
    if (!test_open(&run, "memory:parts.csv", text, length)) {
        struct csv_input *input = (struct csv_input *)(void *)run.input;
        input->window_bytes = shape->window_bytes;
        test_print_schema(&input->schema, out);
        enum haul_code code = HAUL_OK;
        while (more && !code && count < PARTS_MAX) {
            parts[count] = (struct part){.index = (uint64_t)count};
            code = run.input->ops->split(run.input, &shape->request, &arena, &parts[count], &more, &run.err);
            count += more && !code;
        }
        for (int i = 0; i < count && !run.err.code; i++) {
            struct haul_error before = run.err;
            int64_t rows = read_part(&run, &parts[i], shape, out);
            if (!run.err.code)
                assert_int_equal(rows, parts[i].rows);
            (void)before;
        }
        if (!code && !run.err.code)
            assert_true(count >= 1);
    }
    test_print_rejects(&run.collector, out);
    if (run.err.code)
        buffer_printf(out, &run.err, "# %s\n", run.err.message);
    struct haul_error err = {0};
    assert_int_equal(buffer_append(out, "", 1, &err), HAUL_OK);
    arena_release(&arena);
    test_end(&run);
}

static void compare(const char *text, size_t length, const char *options, const struct shape *shape)
{
    struct buffer whole, parts;
    read_whole(text, length, options, &whole);
    read_parts(text, length, options, shape, &parts);
    bool failed = strstr((char *)whole.data, "# line") != NULL;
    if (!failed && strcmp((char *)whole.data, (char *)parts.data) != 0)
        print_error("text: %.*s\nwhole: %s\nparts (%lld bytes, %lld rows, window %zu): %s\n", (int)length,
                    text, (char *)whole.data, (long long)shape->request.part_bytes,
                    (long long)shape->request.part_rows, shape->window_bytes, (char *)parts.data);
    if (failed) /* a quote not closed: both say so, the split before anything is read */
        assert_non_null(strstr((char *)parts.data, "# line"));
    else
        assert_string_equal((char *)whole.data, (char *)parts.data);
    buffer_release(&whole);
    buffer_release(&parts);
}

static size_t generate(unsigned *seed, char *text, size_t room)
{
    static const char *const pieces[] = {"a",       ",",        "1",        "\n",           "\r\n",
                                         "\r",      "\"x\"",    "\"a,\n\"", "\"\"",         "\"",
                                         "b",       "22",       ",\"\",",   "\n\n",         "\xc3\xa4",
                                         "x\"y",    "1,a\n",    "2,b\n",    "3,\"c\nd\"\n", "4,\"\"\"\"\r\n",
                                         "5,\n",    "6\n",      "\"q\"r",   "#c,\"d\n",     "#",
                                         "\n#\r\n", " 7 , x \n"};
    size_t at = 0;
    int spread = 2 + rand_r(seed) % 30;
    memcpy(text, "n,t\n", 4);
    at = rand_r(seed) % 4 ? 4 : 0;
    for (int count = rand_r(seed) % 60; count > 0; count--) {
        size_t pick = (size_t)rand_r(seed) % (sizeof pieces / sizeof *pieces);
        const char *piece = rand_r(seed) % spread ? pieces[16 + pick % 5] : pieces[pick];
        if (at + strlen(piece) >= room)
            break;
        memcpy(text + at, piece, strlen(piece));
        at += strlen(piece);
    }
    return at;
}

static void test_generated(void **state)
{
    (void)state;
    static const char *const options[] = {"schema=n:int64",
                                          "header=no",
                                          "escape=\\",
                                          "null=a",
                                          "",
                                          "header=yes",
                                          "comment=#",
                                          "comment=#  header=no",
                                          "comment=#  trim=true  escape=\\"};
    unsigned seed = 4711;
    char text[1000];
    for (int round = 0; round < 4000; round++) {
        size_t length = generate(&seed, text, sizeof text);
        struct shape shape = {.request = {.part_rows = -1, .part_bytes = 1 + round % 64},
                              .window_bytes = (size_t)(1 + rand_r(&seed) % 120),
                              .rows_max = 1 + rand_r(&seed) % 5,
                              .resume = rand_r(&seed) % 3};
        if (round % 7 == 0)
            shape.request = (struct split_request){1 + rand_r(&seed) % 4, -1, 0};
        shape.request.threads = 1 + round / 9 % 2;
        compare(text, length, options[round % 9], &shape);
    }
}

/* The parts of a text, or what is wrong with it. */
static void print_parts(const char *text, size_t length, const char *options, const struct shape *shape,
                        struct buffer *out)
{
    struct test_run run;
    struct arena arena = {0};
    bool more = true;
    test_begin(&run, options);
    buffer_init(out, NULL);
    if (!test_open(&run, "memory:long.csv", text, length))
        ((struct csv_input *)(void *)run.input)->window_bytes = shape->window_bytes;
    while (more && !run.err.code) {
        struct part part = {0};
        if (!run.input->ops->split(run.input, &shape->request, &arena, &part, &more, &run.err) && more)
            buffer_printf(out, &run.err, "%s: %lld\n", part.spec, (long long)part.rows);
    }
    struct haul_error err = {0};
    assert_int_equal(buffer_printf(out, &err, "%s%s", run.err.code ? "#" : "", run.err.message), HAUL_OK);
    assert_int_equal(buffer_append(out, "", 1, &err), HAUL_OK);
    arena_release(&arena);
    test_end(&run);
}

/* What is wrong may be seen some parts earlier or later: the same as far as both go. */
static void same_parts(const char *a, const char *b)
{
    const char *a_error = strchr(a, '#'), *b_error = strchr(b, '#');
    if (!a_error || !b_error || !strstr(a_error, "a quoted field")) {
        assert_string_equal(a, b);
        return;
    }
    size_t both = a_error - a < b_error - b ? (size_t)(a_error - a) : (size_t)(b_error - b);
    assert_memory_equal(a, b, both);
    assert_non_null(strstr(b_error, "a quoted field"));
}

/* Long texts of many windows: a second thread that looks ahead, rightly or not, changes nothing. */
static void test_two_threads(void **state)
{
    (void)state;
    static const char *const options[] = {"",           "header=no", "escape=\\",
                                          "quote=none", "comment=#", "delimiter=,1"};
    static char text[40000];
    unsigned seed = 4712;
    for (int round = 0; round < 1500; round++) {
        size_t length = 0, wish = (size_t)(rand_r(&seed) % 30000);
        while (length < wish)
            length += generate(&seed, text + length, sizeof text - length);
        if (round % 5 == 0 && length) /* the rest inside quotes, or not closed */
            text[(size_t)rand_r(&seed) % length] = '"';
        struct shape shape = {.request = {.part_rows = -1, .part_bytes = 1 + rand_r(&seed) % 3000},
                              .window_bytes = (size_t)(1 + rand_r(&seed) % 200)};
        if (round % 3 == 0)
            shape.request = (struct split_request){1 + rand_r(&seed) % 100, -1, 0};
        struct buffer alone, helped;
        print_parts(text, length, options[round % 6], &shape, &alone);
        shape.request.threads = 2;
        print_parts(text, length, options[round % 6], &shape, &helped);
        same_parts((char *)alone.data, (char *)helped.data);
        buffer_release(&alone);
        buffer_release(&helped);
    }
}

/* One text that has everything, with every part and window size. */
static void test_every_size(void **state)
{
    (void)state;
    static const char text[] =
        "n,t\r\n1,\"a\nb\"\n\n2,\"x\"\"y\"\r3,\"q\"q\n4\n5,,\n\n\n6,\"\r\n\"\r\n7,\xc3\xa4\n\n";
    for (int size = 1; size <= 64; size++)
        for (size_t window = 1; window <= 80; window += 1) {
            struct shape shape = {
                {-1, size, 1 + (int)(window % 2)}, window, 1 + (int64_t)(window % 3), size % 4};
            compare(text, sizeof text - 1, "", &shape);
        }
}

static void test_specs(void **state)
{
    (void)state;
    struct test_run run;
    struct arena arena = {0};
    struct part part = {0};
    bool more;
    static const char text[] = "n,t\n1,\"a\nb\"\n2,x\n3,y\n";
    const struct split_request request = {2, -1, 2};
    test_begin(&run, "");
    assert_int_equal(test_open(&run, "memory:specs.csv", text, sizeof text - 1), HAUL_OK);
    assert_int_equal(run.input->ops->split(run.input, &request, &arena, &part, &more, &run.err), HAUL_OK);
    assert_string_equal(part.spec, "bytes 4-16 line 2 row 0");
    assert_int_equal(part.rows, 2);
    assert_int_equal(part.bytes, 12);
    assert_int_equal(run.input->ops->split(run.input, &request, &arena, &part, &more, &run.err), HAUL_OK);
    assert_string_equal(part.spec, "bytes 16-20 line 5 row 2");
    assert_int_equal(run.input->ops->split(run.input, &request, &arena, &part, &more, &run.err), HAUL_OK);
    assert_false(more);
    static const char *const wrong[] = {
        "bytes 4-99 line 2 row 0", "bytes 0-4 line 1 row 0", "bytes 9-4 line 1 row 0", "bytes 4-16", "rows 1",
        "bytes 4-16 line 2 row 0x"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct reader *reader = NULL;
        struct part bad = {.spec = (char *)(uintptr_t)wrong[i]};
        assert_int_not_equal(run.input->ops->open(run.input, &run.context, &bad, 0, &reader, &run.err),
                             HAUL_OK);
        assert_null(reader);
    }
    arena_release(&arena);
    test_end(&run);
}

/* No rows: still one part. */
static void test_empty(void **state)
{
    (void)state;
    struct test_run run;
    struct arena arena = {0};
    struct part part = {0};
    bool more = false;
    const struct split_request request = {100, -1, 2};
    test_begin(&run, "");
    assert_int_equal(test_open(&run, "memory:empty.csv", "a,b\n\n\n", 6), HAUL_OK);
    assert_int_equal(run.input->ops->split(run.input, &request, &arena, &part, &more, &run.err), HAUL_OK);
    assert_true(more);
    assert_int_equal(part.rows, 0);
    assert_int_equal(run.input->ops->split(run.input, &request, &arena, &part, &more, &run.err), HAUL_OK);
    assert_false(more);
    arena_release(&arena);
    test_end(&run);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_specs),       cmocka_unit_test(test_empty),
        cmocka_unit_test(test_every_size),  cmocka_unit_test(test_generated),
        cmocka_unit_test(test_two_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
