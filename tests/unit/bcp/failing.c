/*
 * Every allocation of reading a small file and writing it again fails once, alone and
 * with all that follow: an error that says so, nothing leaked (the address sanitizer
 * sees that), and the same call succeeds afterwards.
 */
#include "../support/failing.h"
#include "support.h"

static const char classic[] = "14.0\n3\n1 SQLINT 1 4 \"\" 1 a \"\"\n2 SQLCHAR 8 0 \"\" 2 b Greek_CI_AS\n"
                              "3 SQLNCHAR 0 0 \"\\n\\0\" 3 c \"\"\n";
static const char xml[] =
    "<BCPFORMAT xmlns='http://schemas.microsoft.com/sqlserver/2004/bulkload/format' "
    "xmlns:xsi='http://www.w3.org/2001/XMLSchema-instance'><RECORD><FIELD ID='1' xsi:type='NativePrefix' "
    "PREFIX_LENGTH='1'/><FIELD ID='2' xsi:type='CharPrefix' PREFIX_LENGTH='8' "
    "COLLATION='Greek_CI_AS'/><FIELD "
    "ID='3' xsi:type='NCharTerm' TERMINATOR='\\n'/></RECORD><ROW><COLUMN SOURCE='1' NAME='a' "
    "xsi:type='SQLINT'/>"
    "<COLUMN SOURCE='2' NAME='b' xsi:type='SQLVARYCHAR'/><COLUMN SOURCE='3' NAME='c' "
    "xsi:type='SQLNVARCHAR'/></ROW>"
    "</BCPFORMAT>";
static const char data[] = "\x04\1\0\0\0\x02\0\0\0\0\0\0\0\xe1\xe2x\0\n\0"
                           "\x02\1\0\xfe\xff\xff\xff\xff\xff\xff\xff\x01\0\0\0z\0\0\0\0\n\0"
                           "\xff\xff\xff\xff\xff\xff\xff\xff\xffy\0\n\0";

static enum haul_code copy_rows(struct test_run *run)
{
    const struct part all = {.spec = (char *)(uintptr_t) "all", .rows = -1};
    const struct format_request request = {
        .context = &run->context, .source = &run->source, .name = COPY_NAME};
    struct source_info info = {0};
    struct reader *reader = NULL;
    struct format_output *output = NULL;
    struct piece *piece = NULL;
    struct schema to = {0};
    bool end = false;
    enum haul_code code = run->input->ops->describe(run->input, &info, &run->err);
    if (!code)
        code = schema_copy(&info.schema, &to, &run->err);
    if (!code)
        code = format_bcp.negotiate(&request, &to, &run->err);
    if (!code)
        code = format_bcp.open_output(&request, &to, &output, &run->err);
    if (!code)
        code = output->ops->piece(output, &run->context, NULL, &piece, &run->err);
    if (!code)
        code = run->input->ops->open(run->input, &run->context, &all, 0, &reader, &run->err);
    while (!code && !end) {
        struct batch batch = {0};
        code = reader->ops->next(reader, 1000, &batch, &end, &run->err);
        if (!code && !end)
            code = piece->ops->write(piece, &batch, &run->err);
        batch_release(&batch);
    }
    if (!code)
        code = piece->ops->seal(piece, &run->err);
    if (reader)
        reader->ops->close(reader);
    if (piece)
        piece->ops->close(piece);
    if (output)
        output->ops->close(output);
    schema_release(&to);
    schema_release(&info.schema);
    arena_release(&info.arena);
    return code;
}

/* Fails the allocation behind `after` others; false: there were not so many. */
static bool fails_at(long after, bool on)
{
    struct test_run run;
    test_begin(&run, "format-file=" FORMAT_NAME);
    failing_begin(after, on);
    enum haul_code code = test_open(&run);
    if (!code)
        code = copy_rows(&run);
    bool failed = failing_end();
    if (failed) {
        assert_true(code == HAUL_NOMEM || code == HAUL_LIMIT || code == HAUL_OK || code == HAUL_DATA);
        assert_true(code == HAUL_OK || run.err.message[0]);
    } else {
        assert_int_equal(code, HAUL_OK);
        assert_int_equal(run.collector.reject_count, 1);
    }
    test_end(&run);
    return failed;
}

static void every(const char *format, size_t length)
{
    for (int on = 0; on < 2; on++) {
        long count = 0;
        test_put(FORMAT_NAME, format, length);
        test_put(FILE_NAME, data, sizeof data - 1);
        while (fails_at(count, on))
            count++;
        assert_true(count > 30);
    }
    store_memory_clear();
}

static void test_classic(void **state)
{
    (void)state;
    every(classic, sizeof classic - 1);
}

static void test_xml(void **state)
{
    (void)state;
    every(xml, sizeof xml - 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_classic), cmocka_unit_test(test_xml)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
