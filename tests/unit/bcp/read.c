/*
 * read.c: rows of text and native files: terminators, NULL and empty, what is
 * refused, files that lie, windows of any size.
 */
#include "support.h"

#define TEXT(format, data, options, rows) expect_rows(format, data, sizeof(data) - 1, options, rows)
#define TWO                               "14.0\n2\n1 SQLCHAR 0 0 \"\\t\" 1 a \"\"\n2 SQLCHAR 0 0 \"\\n\" 2 b \"\"\n"

static void test_null_and_empty(void **state)
{
    (void)state;
    TEXT(TWO, "x\ty\n\t\n\0\t\0\n", "", "a:utf8|b:utf8\nx|y\n~|~\n|\n");
    TEXT("14.0\n2\n1 SQLNCHAR 0 0 \"\\t\\0\" 1 a \"\"\n2 SQLNCHAR 0 0 \"\\r\\0\\n\\0\" 2 b \"\"\n",
         "\xff\xfex\0\t\0y\0\r\0\n\0\t\0\r\0\n\0\0\0\t\0\0\x09\r\0\n\0", "",
         "a:utf8|b:utf8\nx|y\n~|~\n|\xe0\xa4\x80\n");
    TEXT("14.0\n2\n1 SQLCHAR 0 3 \"\" 1 a \"\"\n2 SQLCHAR 1 3 \"\" 2 b \"\"\n", "abc\0   \x01x   \xff", "",
         "a:utf8|b:utf8\nabc|\n   |x\n   |~\n");
    TEXT("14.0\n2\n1 SQLCHAR 0 3 \"\" 1 a \"\"\n2 SQLCHAR 0 2 \"\" 2 b \"\"\n", " 12 7   -1",
         "schema=a:int32,b:int8", "a:int32|b:int8\n12|7\n~|-1\n");
}

static void test_last_row(void **state)
{
    (void)state;
    TEXT(TWO, "x\ty\nz\tw", "", "a:utf8|b:utf8\nx|y\nz|w\n");
    TEXT(TWO, "x\ty\nz\t", "",
         "a:utf8|b:utf8\nx|y\n# row 2, field 2 (b): Unexpected EOF encountered in BCP data-file: the file "
         "ends "
         "inside this row\n");
    TEXT(TWO, "x\ty\nz", "",
         "a:utf8|b:utf8\nx|y\n# row 2, field 1 (a): Unexpected EOF encountered in BCP data-file: the file "
         "ends "
         "inside this row\n");
    TEXT(TWO, "", "", "a:utf8|b:utf8\n");
    TEXT(TWO, "\xef\xbb\xbfx\ty\t\n", "", "a:utf8|b:utf8\nx|y\t\n");
}

static void test_columns(void **state)
{
    (void)state;
    TEXT("14.0\n3\n1 SQLCHAR 0 0 \"||\" 2 a \"\"\n2 SQLCHAR 0 0 \"0x0001\" 0 skip me \"\"\n3 SQLCHAR 0 0 "
         "\"\\n\" 1 b \"\"\n",
         "1|||2\0\0\1x\n", "schema=a:utf8", "b:utf8|a:utf8\nx|1\n");
    TEXT("14.0\n2\n1 SQLCHAR 0 0 \"\\t\" 1 a \"\"\n2 SQLCHAR 0 0 \"\\n\" 2 a \"\"\n", "x\ty\n", "",
         "a:utf8|a_2:utf8\nx|y\n");
    TEXT("14.0\n2\n1 SQLINT 2 4 \"X\" 1 a \"\"\n2 SQLCHAR 2 4 \"--\" 2 b \"\"\n",
         "\x04\0\x07\0\0\0X\x06\0ab--zz--", "",
         "a:int32|b:utf8\n7|ab\n# row 2, field 1 (a): Unexpected EOF encountered in BCP data-file: the file "
         "ends "
         "inside this row\n");
    TEXT("14.0\n2\n1 SQLINT 2 4 \"X\" 1 a \"\"\n2 SQLCHAR 2 4 \"--\" 2 b \"\"\n",
         "\x04\0\x07\0\0\0X\x04\0ab-z--\xff\xffX\x09\0q--", "",
         "a:int32|b:utf8\n7|ab-z\n# row 2, field 2 (b): Unexpected EOF encountered in BCP data-file: the "
         "file ends inside this row\n");
    TEXT("14.0\n1\n1 SQLINT 0 4 \"X\" 1 a \"\"\n", "\1\0\0\0X\2\0\0\0Y", "",
         "a:int32\n1\n# row 2, field 1 (a): its terminator does not follow\n");
}

static void test_types(void **state)
{
    (void)state;
    TEXT(TWO, " 12 \t-7\n+3\t300\nxyz\t1\n1.5\t1\n99999999999\t1\n\t0\n", "schema=a:int32,b:uint8",
         "a:int32|b:uint8\n~|0\n"
         "! row 1 b: Numeric value out of range '-7'\n! row 2 b: Numeric value out of range '300'\n"
         "! row 3 a: Invalid character value for cast specifi 'xyz'\n! row 4 a: Invalid character value for "
         "cast specifi '1.5'\n"
         "! row 5 a: Numeric value out of range '99999999999'\n");
}

static void test_decimals(void **state)
{
    (void)state;
    TEXT(TWO, ".50\t1\n-.5\t0\n12.\t1\n1e2\t1\n1.005\t1\n12345.67\t1\n1\t2\n", "schema=a:decimal(5,2),b:bool",
         "a:decimal(5,2)|b:bool\n0.50|true\n-0.50|false\n12.00|true\n"
         "! row 4 a: Invalid character value for cast specifi '1e2'\n! row 5 a: Numeric value out of range "
         "'1.005'\n"
         "! row 6 a: Numeric value out of range '12345.67'\n! row 7 b: Numeric value out of range '2'\n");
    TEXT(TWO, "1.5E+10\t-1e-3\nnan\t1\n1\tinf\n1e400\t1\n", "schema=a:float64,b:float32",
         "a:float64|b:float32\n15000000000.0|-0.001\n! row 2 a: Invalid character value for cast specifi "
         "'nan'\n"
         "! row 3 b: Invalid character value for cast specifi 'inf'\n! row 4 a: Numeric value out of range "
         "'1e400'\n");
}

static void test_moments(void **state)
{
    (void)state;
    TEXT(TWO,
         "2018-12-03 00:00:00.000\t2018-12-03\n2018-12-03T01:02\t2018-12-03 00:00:00\n12:30:00\t2000-02-29\n"
         "2018-13-01\t2018-12-03\n2018-02-30\t2018-12-03\nnow\t2018-12-03\n2018-12-03\t2018-12-03 01:00:00\n"
         "2018-12-03\t01:00:00\n2018-12-03 25:00:00\t2000-01-01\n2018-12-03 10:00:00.1234567\t2000-01-01\n"
         "2018-12-03 10:00:00.12345678\t2000-01-01\n2018-12-03 23:30:00 -05:30\t2000-01-01\n",
         "schema=a:timestamp[us],b:date",
         "a:timestamp[us]|b:date\n2018-12-03 00:00:00|2018-12-03\n2018-12-03 01:02:00|2018-12-03\n"
         "1900-01-01 12:30:00|2000-02-29\n2018-12-03 "
         "23:30:00|2000-01-01\n"
         "! row 4 a: Invalid date format '2018-13-01'\n! row 5 a: Invalid date format '2018-02-30'\n"
         "! row 6 a: Invalid character value for cast specifi 'now'\n! row 7 b: Datetime field overflow "
         "'2018-12-03 01:00:00'\n"
         "! row 8 b: Invalid character value for cast specifi '01:00:00'\n! row 9 a: Invalid date format "
         "'2018-12-03 25:00:00'\n"
         "! row 10 a: Datetime field overflow '2018-12-03 10:00:00.1234567'\n"
         "! row 11 a: Datetime field overflow '2018-12-03 10:00:00.12345678'\n- a 1 offset\n");
    TEXT(TWO,
         "2018-12-03 23:30:00 -05:30\t10:00:00.5\n2018-12-03 00:30:00+01:00\t1:2\n2018-12-03\t2018-12-03\n",
         "schema=a:timestamp[us, UTC],b:time[ms]",
         "a:timestamp[us, UTC]|b:time[ms]\n2018-12-04 05:00:00Z|10:00:00.500\n2018-12-02 "
         "23:30:00Z|01:02:00\n"
         "! row 3 b: Invalid character value for cast specifi '2018-12-03'\n- a 2 offset\n");
}

static void test_bytes(void **state)
{
    (void)state;
    TEXT(TWO,
         "0x00FF\t6F9619FF-8B86-D011-B42D-00C04FC964FF\nab\t{6f9619ff-8b86-d011-b42d-00c04fc964ff}"
         "\nabc\t\n\0\tx\n",
         "schema=a:binary,b:uuid",
         "a:binary|b:uuid\n00ff|6f9619ff-8b86-d011-b42d-00c04fc964ff\nab|6f9619ff-8b86-d011-b42d-"
         "00c04fc964ff\n"
         "! row 3 a: Invalid character value for cast specifi 'abc'\n! row 4 b: Invalid character value for "
         "cast specifi 'x'\n");
    TEXT(TWO, "01\t\n0x0102\t\n010203\t\n", "schema=a:fixed_binary(2)",
         "a:fixed_binary(2)|b:utf8\n0100|~\n0102|~\n! row 3 a: String data, right truncation: longer th "
         "'010203'\n");
}

static void test_pages(void **state)
{
    static const char greek[] = "14.0\n1\n1 SQLCHAR 0 0 \"\\n\" 1 a Greek_CI_AS\n";
    (void)state;
    TEXT(TWO, "\x82\t1\n", "code-page=OEM", "a:utf8|b:utf8\n\xc3\xa9|1\n");
    TEXT(TWO, "\xe9\t1\n", "code-page=ACP", "a:utf8|b:utf8\n\xc3\xa9|1\n");
    TEXT(TWO, "\xe9\t1\n", "", "a:utf8|b:utf8\n! row 1 a: Invalid character value: bytes that the  '\xe9'\n");
    TEXT(greek, "\xe1\n", "code-page=850", "a:utf8\n\xce\xb1\n");
    TEXT(greek, "\xce\xb1\n", "code-page=65001", "a:utf8\n\xce\xb1\n");
    TEXT("14.0\n1\n1 SQLNCHAR 2 0 \"\" 1 a \"\"\n", "\x01\0x\x02\0\0\xd8\x02\0x\0", "",
         "a:utf8\nx\n! row 1 a: Invalid character value: UTF-16 text of  'x'\n"
         "! row 2 a: Invalid character value: UTF-16 text of  ''\n");
}

static void test_lengths(void **state)
{
    (void)state;
    TEXT("14.0\n1\n1 SQLCHAR 0 3 \"\\n\" 1 a \"\"\n", "abc\nabcd\n", "code-page=1252",
         "a:utf8\nabc\n! row 2 a: String data, right truncation: longer th 'abcd'\n");
    TEXT("14.0\n1\n1 SQLINT 1 4 \"\" 1 a \"\"\n", "\x04\1\0\0\0\x02\1\0\x00\x04\2\0\0\0", "",
         "a:int32\n1\n2\n! row 2 a: Invalid length: its type has another one '0x0100'\n! row 3 a: Invalid "
         "length: its type has another one ''\n");
    TEXT("14.0\n1\n1 SQLFLT8 0 8 \"\" 1 a \"\"\n", "\0\0\0\0\0\0\xf8\x7f\0\0\0\0\0\0\xf8\x3f", "",
         "a:float64\n1.5\n! row 1 a: Invalid value: outside of what its type  '0x000000000000f87f'\n");
    TEXT("14.0\n1\n1 SQLDECIMAL 1 19 \"\" 1 a \"\"\n",
         "\x13\x05\x02\x02\x96\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x13\x05\x02\x01\x96\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
         "\0",
         "",
         "a:decimal(5,2)\n1.50\n! row 1 a: Invalid value: outside of what its type  "
         "'0x05020296000000000000000000000000000000'\n");
}

/* Prefixes that say more than the file has cost nothing. */
static void test_lies(void **state)
{
    (void)state;
    TEXT("14.0\n1\n1 SQLBINARY 4 0 \"\" 1 a \"\"\n", "\xfe\xff\xff\xffzz", "",
         "a:binary\n# row 1, field 1 (a): a length of more than 2 GiB stands before it: this is no file of "
         "that layout\n");
    TEXT("14.0\n1\n1 SQLBINARY 4 0 \"\" 1 a \"\"\n", "\0\0\0\x7fzz", "",
         "a:binary\n# row 1, field 1 (a): Unexpected EOF encountered in BCP data-file: the file ends inside "
         "this row\n");
    TEXT("14.0\n1\n1 SQLBINARY 8 0 \"\" 1 a \"\"\n", "\xfe\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", "",
         "a:binary\n# row 1, field 1 (a): a chunk of more than 2 GiB: this is no native file of that "
         "layout\n");
}

static void test_first_and_last(void **state)
{
    (void)state;
    TEXT(TWO, "1\ta\n2\tb\n3\tc\n4\td\n", "first-row=2  last-row=3", "a:utf8|b:utf8\n2|b\n3|c\n");
    TEXT(TWO, "1\ta\n2\tb\n", "first-row=5", "a:utf8|b:utf8\n");
    TEXT(TWO, "1\ta\nx\tb\n3\tc\n", "schema=a:int32  first-row=2",
         "a:int32|b:utf8\n3|c\n! row 2 a: Invalid character value for cast specifi 'x'\n");
}

/* Whatever the window and the batch, the rows are the same. */
static void test_windows(void **state)
{
    static const char format[] = "14.0\n3\n1 SQLCHAR 0 0 \"+|\" 1 a \"\"\n2 SQLNCHAR 2 0 \"\" 2 b \"\"\n3 "
                                 "SQLCHAR 0 0 \"&|\\n\" 3 c \"\"\n";
    static const char data[] =
        "first+|\x04\0x\0y\0one&|\n+|\xff\xff&|\n+ | +|\x02\0z\0&&|\nlast+|\x00\x00no end";
    static const char rows[] = "a:utf8|b:utf8|c:utf8\nfirst|xy|one\n~|~|~\n+ | |z|&\nlast||no end\n";
    (void)state;
    test_put(FORMAT_NAME, format, sizeof format - 1);
    test_put(FILE_NAME, data, sizeof data - 1);
    for (size_t window = 1; window < sizeof data + 2; window++)
        for (int64_t rows_max = 1; rows_max < 6; rows_max += 2) {
            struct test_run run;
            struct buffer out;
            test_begin(&run, "format-file=" FORMAT_NAME);
            run.window = window;
            run.rows_max = rows_max;
            test_read(&run, &out);
            if (strcmp((const char *)out.data, rows) != 0)
                fail_msg("window %zu: %s", window, (const char *)out.data);
            buffer_release(&out);
        }
    store_memory_clear();
}

/* In parts, whatever the window: the same rows, the same numbers of refused ones, -F and -L over all. */
static void test_parts(void **state)
{
    (void)state;
    static const char rows[] =
        "a:int32|b:utf8\n1|a\n2|c\n4|~\n5|e\n6|last without an end\n! row 3 a: Invalid "
        "character value for cast specifi 'x'\n";
    static const char text[] = "1\ta\n2\tc\nx\td\n4\t\n5\te\n6\tlast without an end";
    int most = 0;
    test_put(FORMAT_NAME, TWO, strlen(TWO));
    test_put(FILE_NAME, text, sizeof text - 1);
    for (size_t window = 1; window < sizeof text + 2; window++)
        for (int64_t part = 1; part < (int64_t)sizeof text; part += 3) {
            struct test_run run;
            struct buffer out;
            int parts = 0;
            test_begin(&run, "format-file=" FORMAT_NAME "  schema=a:int32  parallel=9");
            run.window = window;
            run.part = part;
            run.parts = &parts;
            test_read(&run, &out);
            if (strcmp((const char *)out.data, rows) != 0)
                fail_msg("window %zu, part %lld: %s", window, (long long)part, (const char *)out.data);
            most = parts > most ? parts : most;
            buffer_release(&out);
        }
    assert_in_range(most, 3, 6);
    store_memory_clear();
}

/* Cut anywhere, a native file ends with the rows before the cut and an error that says where. */
static void test_cut(void **state)
{
    static const char format[] = "14.0\n2\n1 SQLINT 1 4 \"\" 1 a \"\"\n2 SQLCHAR 2 0 \"\" 2 b \"\"\n";
    static const char data[] = "\x04\1\0\0\0\x02\0xy\xff\xff\xff\x04\2\0\0\0\x01\0z";
    static const size_t ends[] = {0, 9, 12, sizeof data - 1};
    (void)state;
    test_put(FORMAT_NAME, format, sizeof format - 1);
    for (size_t cut = 0; cut < sizeof data; cut++) {
        struct test_run run;
        struct buffer out;
        bool whole = false;
        for (size_t i = 0; i < 4; i++)
            whole = whole || ends[i] == cut;
        test_put(FILE_NAME, data, cut);
        test_begin(&run, "format-file=" FORMAT_NAME);
        test_read(&run, &out);
        assert_int_equal(strstr((const char *)out.data, "# row") != NULL, !whole);
        buffer_release(&out);
    }
    store_memory_clear();
}

static void test_many_columns(void **state)
{
    struct buffer format = {0}, data = {0};
    struct haul_error err = {0};
    struct test_run run;
    struct buffer out;
    (void)state;
    buffer_printf(&format, &err, "14.0\n1024\n");
    for (int i = 1; i <= 1024; i++)
        buffer_printf(&format, &err, "%d SQLCHAR 0 0 \"%s\" %d c%d \"\"\n", i, i < 1024 ? "," : "\\n", i, i);
    for (int row = 0; row < 300; row++)
        for (int i = 1; i <= 1024; i++)
            buffer_printf(&data, &err, "%d%s", row * i, i < 1024 ? "," : "\n");
    test_put(FORMAT_NAME, format.data, format.length);
    test_put(FILE_NAME, data.data, data.length);
    test_begin(&run, "format-file=" FORMAT_NAME);
    test_read(&run, &out);
    int lines = 0;
    for (const char *c = (const char *)out.data; *c; c++)
        lines += *c == '\n';
    assert_int_equal(lines, 301);
    assert_non_null(strstr((const char *)out.data, "|305877|306176\n")); /* 299 * 1023, 299 * 1024 */
    buffer_release(&out);
    buffer_release(&format);
    buffer_release(&data);
    store_memory_clear();
}

/* A terminator that never comes costs no more memory than is allowed. */
static void test_never_ends(void **state)
{
    struct buffer data = {0};
    struct haul_error err = {0};
    struct test_run run;
    struct buffer out;
    (void)state;
    assert_int_equal(buffer_resize(&data, (size_t)8 << 20, &err), HAUL_OK);
    memset(data.data, 'x', data.length);
    test_put(FORMAT_NAME, TWO, strlen(TWO));
    test_put(FILE_NAME, data.data, data.length);
    buffer_release(&data);
    test_begin(&run, "format-file=" FORMAT_NAME);
    struct memory *memory = NULL;
    assert_int_equal(memory_open(&memory, (size_t)4 << 20, 1, &err), HAUL_OK);
    run.context.memory = memory;
    test_read(&run, &out);
    assert_non_null(strstr((const char *)out.data, "# row 1, field 1 (a): "));
    assert_non_null(strstr((const char *)out.data, "terminator does not come"));
    buffer_release(&out);
    assert_int_equal(memory_used(memory), 0);
    memory_close(memory);
    store_memory_clear();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_null_and_empty), cmocka_unit_test(test_last_row),
        cmocka_unit_test(test_columns),        cmocka_unit_test(test_types),
        cmocka_unit_test(test_decimals),       cmocka_unit_test(test_moments),
        cmocka_unit_test(test_bytes),          cmocka_unit_test(test_pages),
        cmocka_unit_test(test_lengths),        cmocka_unit_test(test_lies),
        cmocka_unit_test(test_first_and_last), cmocka_unit_test(test_windows),
        cmocka_unit_test(test_parts),          cmocka_unit_test(test_cut),
        cmocka_unit_test(test_many_columns),   cmocka_unit_test(test_never_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
