/*
 * write.c: what a file and its format file look like, and what they cannot hold.
 * Rows come from a text file whose columns have types.
 */
#include "support.h"

/* Reads `data` as columns a, b of `schema`, writes them by `options`; *format gets the
 * format file that was made. */
static void write_again(const char *schema, const char *data, const char *options, struct buffer *out,
                        struct buffer *format, struct buffer *copy)
{
    static const char text[] = "14.0\n2\n1 SQLCHAR 0 0 \",\" 1 a \"\"\n2 SQLCHAR 0 0 \";\" 2 b \"\"\n";
    struct test_run run, to;
    struct haul_error err = {0};
    char all[256];
    test_put(FORMAT_NAME, text, sizeof text - 1);
    test_put(FILE_NAME, data, strlen(data));
    (void)snprintf(all, sizeof all, "format-file=" FORMAT_NAME "  schema=%s", schema);
    test_begin(&run, all);
    assert_int_equal(test_open(&run), HAUL_OK);
    test_begin(&to, options);
    struct settings from = run.settings;
    const struct part all_rows = {.spec = (char *)(uintptr_t) "all", .rows = -1};
    struct source_info info = {0};
    struct reader *reader = NULL;
    struct piece *piece = NULL;
    struct output_file *file = NULL;
    struct arena arena = {0};
    const char *note;
    struct batch batch = {0};
    bool end;
    const uint8_t *bytes;
    size_t length;
    buffer_init(out, NULL);
    buffer_init(format, NULL);
    buffer_init(copy, NULL);
    assert_int_equal(run.input->ops->describe(run.input, &info, &err), HAUL_OK);
    assert_int_equal(bcp_format_text(&to.context, &info.schema, format, &err), HAUL_OK);
    assert_int_equal(run.input->ops->open(run.input, &run.context, &all_rows, 0, &reader, &err), HAUL_OK);
    assert_int_equal(reader->ops->next(reader, 1000, &batch, &end, &err), HAUL_OK);
    struct format_output *output = test_output(&to, &info.schema);
    assert_non_null(output);
    assert_int_equal(output->ops->piece(output, &to.context, NULL, &piece, &err), HAUL_OK);
    if (!piece->ops->write(piece, &batch, &err)) {
        assert_int_equal(piece->ops->seal(piece, &err), HAUL_OK);
        assert_int_equal(store_for(COPY_NAME)->create(COPY_NAME, "memory:temp", &to.context, &file, &err),
                         HAUL_OK);
        assert_int_equal(output->ops->append(output, piece, file, &arena, &note, &err), HAUL_OK);
        assert_int_equal(file->ops->publish(file, true, &err), HAUL_OK);
        assert_int_equal(store_memory_get(COPY_NAME, &bytes, &length, &err), HAUL_OK);
        assert_int_equal(buffer_append(copy, bytes, length, &err), HAUL_OK);
    }
    test_print_rejects(&to, out);
    assert_int_equal(buffer_append(out, "", 1, &err), HAUL_OK);
    assert_int_equal(buffer_append(format, "", 1, &err), HAUL_OK);
    batch_release(&batch);
    reader->ops->close(reader);
    piece->ops->close(piece);
    output->ops->close(output);
    schema_release(&info.schema);
    arena_release(&info.arena);
    arena_release(&arena);
    run.settings = from;
    test_end(&run);
    test_end(&to);
    store_memory_clear();
}

static void expect(const char *schema, const char *data, const char *options, const char *bytes,
                   size_t length, const char *said)
{
    struct buffer out, format, copy;
    write_again(schema, data, options, &out, &format, &copy);
    if (copy.length != length || memcmp(copy.data, bytes, length) != 0)
        fail_msg("%s %s: %zu bytes: %.*s", schema, options, copy.length, (int)copy.length,
                 (const char *)copy.data);
    assert_string_equal((const char *)out.data, said);
    buffer_release(&out);
    buffer_release(&format);
    buffer_release(&copy);
}

#define EXPECT(schema, data, options, bytes, said)                                                           \
    expect(schema, data, options, bytes, sizeof(bytes) - 1, said)

static void test_text(void **state)
{
    (void)state;
    EXPECT("a:int32,b:utf8", "1,x;,;2,\xc3\xa9;", "storage=char", "1\tx\n\t\n2\t\xc3\xa9\n", "");
    EXPECT("a:int32,b:utf8", "1,x;,;", "storage=unicode",
           "\xff\xfe"
           "1\0\t\0x\0\n\0\t\0\n\0",
           "");
    EXPECT("a:bool,b:decimal(9,2)", "1,-.5;0,1;", "storage=char  field-end=||  row-end=0x0d0a",
           "1||-0.50\r\n0||1.00\r\n", "");
    EXPECT("a:float64,b:float32", "1e300,0.1;", "storage=char", "1e300\t0.1\n", "");
    EXPECT("a:time[ms],b:timestamp[us]", "01:02:03.5,2018-12-03;", "storage=char",
           "01:02:03.500\t2018-12-03 00:00:00.000000\n", "");
    EXPECT("a:timestamp[s, UTC],b:timestamp[ns]", "2018-12-03,2018-12-03 01:02:03.1234567;", "storage=char",
           "2018-12-03 00:00:00 +00:00\t2018-12-03 01:02:03.1234567\n", "");
    EXPECT("a:uuid,b:binary", "6f9619ff-8b86-d011-b42d-00c04fc964ff,0aff;", "storage=char",
           "6F9619FF-8B86-D011-B42D-00C04FC964FF\t0AFF\n", "");
    EXPECT("a:utf8,b:utf8", "\xc3\xa9,\xce\xb1;\xc3\xa9,x;", "storage=char  code-page=850", "\x82\tx\n",
           "! row 1 b: a character that the field's code page d '\xce\xb1'\n");
}

/* A text that holds its terminator is written, and said to be lost. */
static void test_own_end(void **state)
{
    (void)state;
    EXPECT("a:utf8,b:utf8", "x\ty,z;", "storage=char", "x\ty\tz\n",
           "- a 1 where the text ends: it holds its own terminator\n");
    EXPECT("a:int32,b:utf8", "-12,z;", "storage=char  field-end=-", "-12-z\n",
           "- a 1 where the text ends: it holds its own terminator\n");
    EXPECT("a:utf8,b:utf8", "x\ty,z;", "storage=unicode-native",
           "\x06\0\0\0\0\0\0\0x\0\t\0y\0\x02\0\0\0\0\0\0\0z\0", "");
}

static void test_formats(void **state)
{
    struct buffer out, format, copy;
    (void)state;
    write_again("a:int32,b:utf8", "1,x;", "storage=native  format-version=9.0", &out, &format, &copy);
    assert_string_equal((const char *)format.data,
                        "9.0\n2\n"
                        "1       SQLINT              1       4       \"\"   1     a             \"\"\n"
                        "2       SQLNCHAR            8       0       \"\"   2     b             \"\"\n");
    buffer_release(&out);
    buffer_release(&format);
    buffer_release(&copy);
    write_again("a:int32,b:utf8", "1,x;", "storage=unicode  format-xml=true", &out, &format, &copy);
    assert_non_null(strstr((const char *)format.data,
                           "  <FIELD ID=\"1\" xsi:type=\"NCharTerm\" TERMINATOR=\"\\t\" MAX_LENGTH=\"24\"/>\n"
                           "  <FIELD ID=\"2\" xsi:type=\"NCharTerm\" TERMINATOR=\"\\n\"/>\n"));
    buffer_release(&out);
    buffer_release(&format);
    buffer_release(&copy);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_text), cmocka_unit_test(test_own_end),
                                       cmocka_unit_test(test_formats)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
