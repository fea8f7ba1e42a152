/*
 * vectors.c: bytes of files that bcp itself has written (docs/bcp.md says from where),
 * read, and written again byte for byte.
 */
#include "support.h"

struct vector {
    const char *host;
    int prefix, length;
    const char *bytes;
    size_t size;
    const char *value;
};

#define BYTES(text) text, sizeof(text) - 1
#define NINES       "\xff\xff\xff\xff\xff\xff\xff\xff"
#define ZEROS       "\0\0\0\0\0\0\0\0"

static const struct vector vectors[] = {
    {"SQLINT", 1, 4, BYTES("\x04\x0a\0\0\0"), "10"},
    {"SQLINT", 1, 4, BYTES("\xff"), "~"},
    {"SQLINT", 0, 4, BYTES("\x0a\0\0\0"), "10"},
    {"SQLBIGINT", 1, 8, BYTES("\x08\0\0\0\0\0\0\0\x80"), "-9223372036854775808"},
    {"SQLTINYINT", 1, 1, BYTES("\x01\xff"), "255"},
    {"SQLSMALLINT", 0, 2, BYTES("\xfe\xff"), "-2"},
    {"SQLBIT", 1, 1, BYTES("\x01\x01"), "true"},
    {"SQLFLT4", 1, 4, BYTES("\x04\x2b\x52\x9a\x44"), "1234.5677"},
    {"SQLFLT4", 1, 4, BYTES("\xff"), "~"},
    {"SQLFLT8", 1, 8, BYTES("\x08\xad\xfa\x5c\x6d\x45\x4a\x93\x40"), "1234.5678"},
    {"SQLDATE", 1, 3, BYTES("\x03\xa1\xc3\x09"), "1753-01-01"},
    {"SQLDATE", 1, 3, BYTES("\xff"), "~"},
    {"SQLTIME", 1, 5, BYTES("\x05\x07\x55\x43\x8a\x69"), "12:35:29.123456700"},
    {"SQLDATETIME2", 1, 8, BYTES("\x08" ZEROS), "0001-01-01 00:00:00"},
    {"SQLDATETIME2", 1, 8, BYTES("\x08\0\x67\xc5\xdc\x78\x4b\x2a\x0b"), "2004-05-23 14:25:10"},
    {"SQLDATETIME", 1, 8, BYTES("\x08\x46\x2e\xff\xff\0\0\0\0"), "1753-01-01 00:00:00"},
    {"SQLDATETIME", 1, 8, BYTES("\x08\xf0\x94\0\0\x08\xa0\xed\0"), "2004-05-23 14:25:10"},
    {"SQLDATETIME", 1, 8, BYTES("\x08\x7f\x24\x2d\0\xff\x81\x8b\x01"), "9999-12-31 23:59:59.997000"},
    {"SQLDATETIM4", 1, 4, BYTES("\x04\xff\xff\x9f\x05"), "2079-06-06 23:59:00"},
    {"SQLDATETIMEOFFSET", 1, 10, BYTES("\x0a\0\x67\xc5\xdc\x78\x4b\x2a\x0b\0\0"), "2004-05-23 14:25:10Z"},
    {"SQLUNIQUEID", 1, 16, BYTES("\x10\xff\x19\x96\x6f\x86\x8b\x11\xd0\xb4\x2d\0\xc0\x4f\xc9\x64\xff"),
     "6f9619ff-8b86-d011-b42d-00c04fc964ff"},
    {"SQLUNIQUEID", 1, 16, BYTES("\xff"), "~"},
    {"SQLDECIMAL", 1, 19, BYTES("\x13\x05\x02\x01\x96\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"), "1.50"},
    {"SQLNUMERIC", 1, 19, BYTES("\x13\x05\x02\0\x96\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"), "-1.50"},
    {"SQLMONEY", 1, 8, BYTES("\x08\0\0\0\0\x39\x30\0\0"), "1.2345"},
    {"SQLMONEY", 0, 8, BYTES("\xff\xff\xff\x7f\xff\xff\xff\xff"), "922337203685477.5807"},
    {"SQLMONEY4", 1, 4, BYTES("\x04\xff\xff\xff\xff"), "-0.0001"},
    {"SQLCHAR", 2, 2, BYTES("\x02\0\x4b\x49"), "KI"},
    {"SQLCHAR", 2, 10, BYTES("\x0a\0KIKOO     "), "KIKOO     "},
    {"SQLCHAR", 2, 50, BYTES("\xff\xff"), "~"},
    {"SQLCHAR", 4, 0, BYTES("\0\0\0\0"), ""},
    {"SQLCHAR", 8, 0, BYTES("\x05\0\0\0\0\0\0\0KIKOO"), "KIKOO"},
    {"SQLCHAR", 8, 0, BYTES(NINES), "~"},
    {"SQLCHAR", 8, 0, BYTES(ZEROS), ""},
    {"SQLNCHAR", 2, 100, BYTES("\x0a\0K\0I\0K\0O\0O\0"), "KIKOO"},
    {"SQLNCHAR", 8, 0, BYTES("\x06\0\0\0\0\0\0\0\x3d\xd8\0\xde\xe9\0"), "\xf0\x9f\x98\x80\xc3\xa9"},
    {"SQLBINARY", 2, 50, BYTES("\x03\0\x01\0\xff"), "0100ff"},
    {"SQLBINARY", 4, 0, BYTES("\xff\xff\xff\xff"), "~"},
    {"SQLUDT", 8, 0, BYTES("\x01\0\0\0\0\0\0\0\x58"), "58"},
};

/* What stands before the value when it is printed: the text of bytes is CSV's. */
static void one_field(const struct vector *vector, char *format, size_t size)
{
    (void)snprintf(format, size, "14.0\n1\n1 %s %d %d \"\" 1 v \"\"\n", vector->host, vector->prefix,
                   vector->length);
}

static void test_vectors(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof vectors / sizeof *vectors; i++) {
        const struct vector *vector = &vectors[i];
        struct test_run run;
        struct buffer out, copy;
        char format[200];
        one_field(vector, format, sizeof format);
        test_put(FORMAT_NAME, format, strlen(format));
        test_put(FILE_NAME, vector->bytes, vector->size);
        test_begin(&run, "format-file=" FORMAT_NAME);
        buffer_init(&copy, NULL);
        run.copy = &copy;
        test_read(&run, &out);
        const char *line = strchr((const char *)out.data, '\n');
        assert_non_null(line);
        char want[200];
        (void)snprintf(want, sizeof want, "\n%s\n", vector->value);
        if (strcmp(line, want) != 0)
            fail_msg("%s: %s is not %s", vector->host, line, want);
        if (copy.length != vector->size || memcmp(copy.data, vector->bytes, copy.length) != 0)
            fail_msg("%s %s is not written as it was read", vector->host, vector->value);

        buffer_release(&out);
        buffer_release(&copy);
        store_memory_clear();
    }
}

/* A value with an 8-byte prefix may come in chunks. */
static void test_chunks(void **state)
{
    static const char xml[] = "\xfe\xff\xff\xff\xff\xff\xff\xff"
                              "\x04\0\0\0<\0a\0"
                              "\x06\0\0\0/\0>\0!\0"
                              "\0\0\0\0"
                              "\x02\0\0\0\0\0\0\0x\0";
    (void)state;
    expect_rows("14.0\n1\n1 SQLNCHAR 8 0 \"\" 1 v \"\"\n", xml, sizeof xml - 1, "", "v:utf8\n<a/>!\nx\n");
    expect_rows("14.0\n1\n1 SQLBINARY 8 0 \"\" 1 v \"\"\n", xml, 16, "",
                "v:binary\n# row 1, field 1 (v): Unexpected EOF encountered in BCP data-file: the file ends "
                "inside this row\n");
}

/* Digits of 100 ns, and offsets, have no room in microseconds: counted. */
static void test_losses(void **state)
{
    static const char bytes[] =
        "\x08\x07\x55\x43\x8a\x69\xa1\xc3\x09\x0a\0\x67\xc5\xdc\x78\x4b\x2a\x0b\x3c\0";
    (void)state;
    expect_rows("14.0\n2\n1 SQLDATETIME2 1 8 \"\" 1 v \"\"\n2 SQLDATETIMEOFFSET 1 10 \"\" 2 w \"\"\n", bytes,
                sizeof bytes - 1, "",
                "v:timestamp[us]|w:timestamp[us, UTC]\n1753-01-01 12:35:29.123456|2004-05-23 14:25:10Z\n"
                "- w 1 offset\n- v 1 100 ns digit\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_vectors), cmocka_unit_test(test_chunks),
                                       cmocka_unit_test(test_losses)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
