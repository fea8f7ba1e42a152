/*
 * Every allocation of reading and writing a small file fails once, alone and
 * with all that follow: an error that says so, nothing leaked (the address
 * sanitizer sees that), and the same call succeeds afterwards.
 */
#include "../support/failing.h"
#include "support.h"

#include "format/codec.h"

static const char text[] =
    "id,name,price,day\n1,\"a\nb\",1.50,2024-02-29\n2\n\n3,\"x\"\"y\",2.25,2024-03-01\n4,,,\n"
    "5,z,x,2024-01-01\n6,\"q\"q,1.00,2024-01-01\n";

/* The text as UTF-16 in gzip, and the target compressed: every layer allocates. */
static struct buffer packed_text;

static void pack_text(void)
{
    struct haul_error err = {0};
    struct codec *codec = NULL;
    char wide[2 * sizeof text] = "\xff\xfe";
    for (size_t i = 0; i + 1 < sizeof text; i++) {
        wide[2 * i + 2] = text[i];
        wide[2 * i + 3] = 0;
    }
    assert_int_equal(codec_open(&codec, CODEC_GZIP, -1, &err), HAUL_OK);
    assert_int_equal(codec_compress(codec, wide, sizeof wide, &packed_text, &err), HAUL_OK);
    codec_close(codec);
}

static enum haul_code copy_part(struct test_run *run, struct format_output *output, const struct part *part,
                                struct output_file *file)
{
    struct reader *reader = NULL;
    struct piece *piece = NULL;
    struct arena arena = {0};
    const char *note;
    bool end = false;
    enum haul_code code = run->input->ops->open(run->input, &run->context, part, 0, &reader, &run->err);
    if (!code)
        code = output->ops->piece(output, &run->context, "/tmp", &piece, &run->err);
    while (!code && !end) {
        struct batch batch = {0};
        code = reader->ops->next(reader, 3, &batch, &end, &run->err);
        if (!code && !end)
            code = piece->ops->write(piece, &batch, &run->err);
        batch_release(&batch);
    }
    if (!code)
        code = piece->ops->seal(piece, &run->err);
    if (!code)
        code = output->ops->append(output, piece, file, &arena, &note, &run->err);
    if (reader)
        reader->ops->close(reader);
    if (piece)
        piece->ops->close(piece);
    arena_release(&arena);
    return code;
}

/* Everything in between opening the input and the last byte written. */
static enum haul_code copy_all(struct test_run *run, struct output_file *file)
{
    const struct format_request request = {.context = &run->context,
                                           .source = &run->source,
                                           .name = packed_text.length ? "out.csv.gz" : "out.csv"};
    const struct split_request wish = {2, -1};
    struct source_info info = {0};
    struct inspection facts = {0};
    struct format_output *output = NULL;
    struct arena arena = {0};
    bool more = true;
    enum haul_code code = format_csv.open_input(&request, run->file, &run->input, &run->err);
    if (!code)
        code = run->input->ops->describe(run->input, &info, &run->err);
    if (!code)
        code = run->input->ops->inspect(run->input, &facts, &run->err);
    if (!code)
        code = format_csv.open_output(&request, &info.schema, &output, &run->err);
    while (!code && more) {
        struct part part = {0};
        code = run->input->ops->split(run->input, &wish, &arena, &part, &more, &run->err);
        if (!code && more)
            code = copy_part(run, output, &part, file);
    }
    if (!code)
        code = output->ops->finish(output, file, &run->err);
    if (output)
        output->ops->close(output);
    schema_release(&info.schema);
    arena_release(&info.arena);
    arena_release(&facts.arena);
    arena_release(&arena);
    return code;
}

/* Returns false when no allocation was left to fail. */
static bool trial(long at, bool on, const char *options)
{
    struct test_run run;
    struct output_file *file = NULL;
    struct haul_error err = {0};
    const struct store_ops *store = store_for("memory:in");
    test_begin(&run, options);
    if (packed_text.length)
        assert_int_equal(store_memory_put("memory:in", packed_text.data, packed_text.length, &err), HAUL_OK);
    else
        assert_int_equal(store_memory_put("memory:in", text, sizeof text - 1, &err), HAUL_OK);
    assert_int_equal(store->open("memory:in", &run.context, &run.file, &err), HAUL_OK);
    assert_int_equal(store->create("memory:out", "memory:temp", &run.context, &file, &err), HAUL_OK);
    failing_begin(at, on);
    enum haul_code code = copy_all(&run, file);
    bool was = failing_end();
    if (code)
        assert_true(was && run.err.code == code && run.err.message[0]);
    if (!was)
        assert_true(run.collector.reject_count >= 3);
    file->ops->close(file);
    test_end(&run);
    return was;
}

static void test_failing(void **state)
{
    (void)state;
    static const char *const options[] = {"", "schema=id:int32,day:utf8,price:float64", "columns=name,id"};
    for (size_t i = 0; i < sizeof options / sizeof *options; i++)
        for (int on = 0; on < 2; on++) {
            long at = 0;
            while (trial(at, on, options[i]))
                at++;
            assert_true(at > 50);
        }
}

static void test_failing_packed(void **state)
{
    (void)state;
    pack_text();
    for (int on = 0; on < 2; on++) {
        long at = 0;
        while (trial(at, on, "trim=true"))
            at++;
        assert_true(at > 50);
    }
    buffer_release(&packed_text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_failing),
        cmocka_unit_test(test_failing_packed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
