/*
 * layout.c: format files of both kinds: what is read, what is written, what is refused.
 */
#include "support.h"

static void print_layout(const struct bcp_layout *layout, struct buffer *out)
{
    struct haul_error err = {0};
    for (int i = 0; i < layout->count; i++) {
        const struct bcp_field *f = &layout->fields[i];
        buffer_printf(out, &err, "%s %s %d %u \"", f->id, bcp_hosts[f->host].name, f->prefix, f->length);
        bcp_end_print(f->end, f->end_length, out, &err);
        buffer_printf(out, &err, "\" %d %s %s\n", f->column, f->name, f->collation);
    }
    assert_int_equal(buffer_append(out, "", 1, &err), HAUL_OK);
}

static void expect_layout(const char *text, const char *fields)
{
    struct bcp_layout layout = {0};
    struct buffer out = {0};
    struct haul_error err = {0};
    if (bcp_layout_parse((const uint8_t *)text, strlen(text), &layout, &err))
        fail_msg("%s", err.message);
    print_layout(&layout, &out);
    assert_string_equal((const char *)out.data, fields);
    buffer_release(&out);
    bcp_layout_release(&layout);
}

static void expect_refused(const char *text, size_t length, const char *why)
{
    struct bcp_layout layout = {0};
    struct haul_error err = {0};
    assert_int_equal(bcp_layout_parse((const uint8_t *)text, length, &layout, &err), HAUL_DATA);
    if (!strstr(err.message, why))
        fail_msg("\"%s\" does not say \"%s\"", err.message, why);
    bcp_layout_release(&layout);
}

#define REFUSED(text, why) expect_refused(text, strlen(text), why)

/* Read, printed, read again: the same. */
static void expect_again(const char *text, bool xml)
{
    struct bcp_layout layout = {0}, again = {0};
    struct buffer printed = {0}, first = {0}, second = {0};
    struct haul_error err = {0};
    assert_int_equal(bcp_layout_parse((const uint8_t *)text, strlen(text), &layout, &err), HAUL_OK);
    if (layout.xml)
        layout.version = "14.0";
    assert_int_equal(
        xml ? bcp_xml_print(&layout, &printed, &err) : bcp_classic_print(&layout, &printed, &err), HAUL_OK);
    if (bcp_layout_parse(printed.data, printed.length, &again, &err))
        fail_msg("%s", err.message);
    print_layout(&layout, &first);
    print_layout(&again, &second);
    assert_string_equal((const char *)first.data, (const char *)second.data);
    buffer_release(&printed);
    buffer_release(&first);
    buffer_release(&second);
    bcp_layout_release(&layout);
    bcp_layout_release(&again);
}

/* The chapter's file, its collations wrapped onto the next line by the typesetter. */
static const char chapter[] = "9.0\n4\n"
                              "1      SQLCHAR        0       10     \"\\t\"     1     EmpID\n"
                              "SQL_Latin1_General_CP1_CI_AS\n"
                              "2      SQLCHAR        0       12     \"\\t\"     2     EmpAge\n\"\"\n"
                              "3      SQLCHAR        0       100    \"\\t\"     0     EmpDept\n"
                              "SQL_Latin1_General_CP1_CI_AS\n"
                              "4      SQLCHAR        0       41     \"\\r\\n\"   3     EmpSalary\n\"\"\n";

static const char chapter_fields[] = "1 SQLCHAR 0 10 \"\\t\" 1 EmpID SQL_Latin1_General_CP1_CI_AS\n"
                                     "2 SQLCHAR 0 12 \"\\t\" 2 EmpAge \n"
                                     "3 SQLCHAR 0 100 \"\\t\" 0 EmpDept SQL_Latin1_General_CP1_CI_AS\n"
                                     "4 SQLCHAR 0 41 \"\\r\\n\" 3 EmpSalary \n";

static const char chapter_xml[] =
    "<?xml version=\"1.0\"?>\n<BCPFORMAT\n"
    "xmlns=\"http://schemas.microsoft.com/sqlserver/2004/\n                  bulkload/format\"\n"
    "xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\">\n <RECORD>\n"
    "<FIELD ID=\"1\" xsi:type=\"CharTerm\" TERMINATOR=\"\\t\" MAX_LENGTH=\"10\"\n"
    " COLLATION=\"SQL_Latin1_General_CP1_CI_AS\"/>\n"
    "<FIELD ID=\"2\" xsi:type=\"CharTerm\" TERMINATOR=\"\\t\" MAX_LENGTH=\"12\"/>\n"
    "<FIELD ID=\"3\" xsi:type=\"CharTerm\" TERMINATOR=\"\\t\" MAX_LENGTH=\"100\"\n"
    " COLLATION=\"SQL_Latin1_General_CP1_CI_AS\"/>\n"
    "<FIELD ID=\"4\" xsi:type=\"CharTerm\" TERMINATOR=\"\\r\\n\" MAX_LENGTH=\"41\"/>\n </RECORD>\n <ROW>\n"
    "<COLUMN SOURCE=\"1\" NAME=\"EmpID\" xsi:type=\"SQLVARYCHAR\"/>\n"
    "<COLUMN SOURCE=\"2\" NAME=\"EmpAge\" xsi:type=\"SQLINT\"/>\n"
    "<COLUMN SOURCE=\"4\" NAME=\"EmpSalary\" xsi:type=\"SQLDECIMAL\" PRECISION=\"18\" SCALE=\"0\"/>\n"
    "</ROW>\n</BCPFORMAT>\n";

static void test_classic(void **state)
{
    (void)state;
    expect_layout(chapter, chapter_fields);
    expect_again(chapter, false);
    expect_layout("4.2\n2\n1 SYBCHAR 0 12 \"\\t\" 1 Emp ID\n2 SYBINT4 1 4 \"\" 2 \"a name\"",
                  "1 SQLCHAR 0 12 \"\\t\" 1 Emp ID \n2 SQLINT 1 4 \"\" 2 a name \n");
    expect_layout(
        "\xef\xbb\xbf"
        "13.0\r\n2\r\n\r\n1 sqlnchar 2 10 \"\" 1 First Name Chinese_Taiwan_Stroke_CI_AS\r\n"
        "2 SQLCHAR 0 0 \"\\\"0x\" 2 x \"\"\r\n",
        "1 SQLNCHAR 2 10 \"\" 1 First Name Chinese_Taiwan_Stroke_CI_AS\n2 SQLCHAR 0 0 \"\\\"0x\" 2 x \n");
    expect_again("14.0\n1\n1 SQLCHAR 0 0 \"0x00ff\" 1 a b c Thai_CI_AS\n", false);
    expect_again("14.0\n1\n1 SQLCHAR 0 0 \"\\0\\\"\\\\,\" 1 a \"\"\n", true);
    expect_again("7.0\n1\n1 SQLNCHAR 0 0 \"\\r\\0\\n\\0\" 1 a\n", true);
}

static void test_classic_form(void **state)
{
    struct bcp_layout layout = {0};
    struct buffer out = {0};
    struct haul_error err = {0};
    (void)state;
    assert_int_equal(bcp_layout_parse((const uint8_t *)chapter, sizeof chapter - 1, &layout, &err), HAUL_OK);
    assert_int_equal(bcp_classic_print(&layout, &out, &err), HAUL_OK);
    assert_int_equal(buffer_append(&out, "", 1, &err), HAUL_OK);
    assert_string_equal(
        (const char *)out.data,
        "9.0\n4\n"
        "1       SQLCHAR             0       10      \"\\t\"     1     EmpID                 "
        "SQL_Latin1_General_CP1_CI_AS\n"
        "2       SQLCHAR             0       12      \"\\t\"     2     EmpAge                \"\"\n"
        "3       SQLCHAR             0       100     \"\\t\"     0     EmpDept               "
        "SQL_Latin1_General_CP1_CI_AS\n"
        "4       SQLCHAR             0       41      \"\\r\\n\"   3     EmpSalary             \"\"\n");
    buffer_release(&out);
    bcp_layout_release(&layout);
}

static void test_classic_refused(void **state)
{
    (void)state;
    REFUSED("", "is empty");
    REFUSED("hello\n1\n", "begins with its version");
    REFUSED("14.0\n0\n", "number of fields (1 to 1024)");
    REFUSED("14.0\n1025\n", "number of fields (1 to 1024)");
    REFUSED("14.0\n2\n1 SQLINT 0 4 \"\" 1 a \"\"\n", "says 2 fields, 1 are there");
    REFUSED("14.0\n1\n1 SQLINT 0 4 \"\" 1 a \"\"\n2 SQLINT 0 4 \"\" 2 b \"\"\n", "line 4: more than");
    REFUSED("14.0\n1\n2 SQLINT 0 4 \"\" 1 a \"\"\n", "line 3, field 1: the host field order");
    REFUSED("14.0\n1\n1 SQLWORD 0 4 \"\" 1 a \"\"\n", "line 3, field 1: no host data type: \"SQLWORD\"");
    REFUSED("14.0\n1\n1 SQLINT 3 4 \"\" 1 a \"\"\n", "a prefix has 0, 1, 2, 4 or 8 bytes, not 3");
    REFUSED("14.0\n1\n1 SQLINT 0 5 \"\" 1 a \"\"\n", "SQLINT has 4 bytes, the format file says 5");
    REFUSED("14.0\n1\n1 SQLCHAR 0 99999999999 \"\" 1 a \"\"\n", "no host data length");
    REFUSED("14.0\n1\n1 SQLCHAR 0 0 \"\" 1 a \"\"\n", "nothing says where it ends");
    REFUSED("14.0\n1\n1 SQLCHAR 0 4 \"\\t 1 a \"\n", "no server column");
    REFUSED("14.0\n1\n1 SQLCHAR 0 4 \\t 1 a \"\"\n", "no terminator in quotes");
    REFUSED("14.0\n1\n1 SQLNCHAR 0 4 \"\\t\" 1 a \"\"\n", "UTF-16 too");
    REFUSED("14.0\n2\n1 SQLINT 0 4 \"\" 1 a \"\"\n2 SQLINT 0 4 \"\" 1 b \"\"\n", "stands there twice");
    REFUSED("14.0\n1\n1 SQLINT 0 4 \"\" 0 a \"\"\n", "every field is skipped");
    expect_refused("14.0\n1\0\n", 8, "NUL bytes");
}

static void test_xml(void **state)
{
    (void)state;
    expect_layout(chapter_xml, "1 SQLCHAR 0 10 \"\\t\" 1 EmpID SQL_Latin1_General_CP1_CI_AS\n"
                               "2 SQLCHAR 0 12 \"\\t\" 2 EmpAge \n"
                               "3 SQLCHAR 0 100 \"\\t\" 0  SQL_Latin1_General_CP1_CI_AS\n"
                               "4 SQLCHAR 0 41 \"\\r\\n\" 3 EmpSalary \n");
    expect_again(chapter_xml, true);
}

#define XML(inside)                                                                                          \
    "<BCPFORMAT xmlns='http://schemas.microsoft.com/sqlserver/2004/bulkload/format' "                        \
    "xmlns:xsi='http://www.w3.org/2001/XMLSchema-instance'>" inside "</BCPFORMAT>"
#define FIELDS(inside)                                                                                       \
    XML("<RECORD>" inside "</RECORD><ROW><COLUMN SOURCE='1' NAME='a' xsi:type='SQLINT'/></ROW>")

static void test_xml_native(void **state)
{
    (void)state;
    expect_layout(
        FIELDS("<FIELD ID='1' xsi:type='NativeFixed' LENGTH='4'/>"
               "<FIELD ID='x' xsi:type='NativePrefix' PREFIX_LENGTH='2'/>"
               "<FIELD ID='y' xsi:type='NCharTerm' TERMINATOR='&quot;&#x9;\\n'/>"),
        "1 SQLINT 0 4 \"\" 1 a \nx SQLBINARY 2 0 \"\" 0  \ny SQLNCHAR 0 0 \"\\\"\\0\\t\\0\\n\\0\" 0  \n");
}

static void test_xml_refused(void **state)
{
    (void)state;
    REFUSED("<a/>", "not in the namespace");
    REFUSED("<BCPFORMAT xmlns='http://example.org/x'/>", "not in the namespace");
    REFUSED("<!DOCTYPE BCPFORMAT [<!ENTITY a 'b'>]><BCPFORMAT/>", "line 1: a document type");
    REFUSED("<!DOCTYPE a [<!ENTITY b '&b;&b;'>]><a>&b;</a>", "a document type");
    REFUSED(XML("<RECORD><RECORD/></RECORD>"), "do not have here: \"RECORD\"");
    REFUSED(XML("<RECORD/><RECORD/>"), "do not have here: \"RECORD\"");
    REFUSED(XML("<ROW/>"), "no RECORD with fields");
    REFUSED(XML("<RECORD>"), "mismatched tag");
    REFUSED(FIELDS("<FIELD ID='1' xsi:type='Native'/>"), "no type of a FIELD: \"Native\"");
    REFUSED(FIELDS("<FIELD ID='1' xsi:type='NativeFixed'/>"), "needs LENGTH");
    REFUSED(FIELDS("<FIELD ID='1' xsi:type='NativeFixed' LENGTH='-4'/>"), "no number it can be: \"-4\"");
    REFUSED(FIELDS("<FIELD ID='1' xsi:type='NativePrefix' PREFIX_LENGTH='3'/>"), "1, 2, 4 or 8 bytes, not 3");
    REFUSED(FIELDS("<FIELD ID='1' xsi:type='CharTerm'/>"), "needs TERMINATOR");
    REFUSED(FIELDS("<FIELD ID='1' xsi:type='CharPrefix' PREFIX_LENGTH='2' TERMINATOR=','/>"),
            "TERMINATOR is for");
    REFUSED(FIELDS("<FIELD ID='1' xsi:type='CharTerm' TERMINATOR=',' COLOUR='red'/>"),
            "do not have: \"COLOUR\"");
    REFUSED(FIELDS("<FIELD ID='1' xsi:type='NativeFixed' LENGTH='4'/><FIELD ID='1' xsi:type='NativeFixed' "
                   "LENGTH='4'/>"),
            "stands there twice: \"1\"");
    REFUSED(FIELDS("<FIELD ID='2' xsi:type='NativeFixed' LENGTH='4'/>"), "no FIELD has that ID");
    REFUSED(XML("<RECORD><FIELD ID='1' xsi:type='NativeFixed' LENGTH='4'/></RECORD>"), "has no ROW");
}

static void test_terminators(void **state)
{
    static const struct {
        const char *text;
        const char *bytes;
        size_t length;
    } cases[] = {{"\\t", "\t", 1},       {"\\r\\n", "\r\n", 2}, {"0x7c0A", "|\n", 2}, {"0x00", "\0", 1},
                 {"\\0\\\\", "\0\\", 2}, {"||", "||", 2},       {"\\q", "\\q", 2},    {"+|\\n", "+|\n", 3},
                 {"0x", "0x", 2},        {"\\", "\\", 1}};
    uint8_t out[BCP_END_BYTES_MAX];
    char longer[BCP_END_BYTES_MAX + 2];
    size_t length;
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_true(bcp_end_parse(cases[i].text, strlen(cases[i].text), out, &length));
        assert_int_equal(length, cases[i].length);
        assert_memory_equal(out, cases[i].bytes, length);
    }
    memset(longer, 'x', sizeof longer);
    assert_false(bcp_end_parse("0x7", 3, out, &length));
    assert_false(bcp_end_parse("0xzz", 4, out, &length));
    assert_true(bcp_end_parse(longer, BCP_END_BYTES_MAX, out, &length));
    assert_false(bcp_end_parse(longer, BCP_END_BYTES_MAX + 1, out, &length));
}

static void test_pages(void **state)
{
    (void)state;
    assert_int_equal(bcp_collation_page("SQL_Latin1_General_CP1_CI_AS"), 1252);
    assert_int_equal(bcp_collation_page("SQL_Latin1_General_CP850_BIN"), 850);
    assert_int_equal(bcp_collation_page("Chinese_Taiwan_Stroke_CI_AS"), 950);
    assert_int_equal(bcp_collation_page("Latin1_General_100_CI_AS_SC_UTF8"), 65001);
    assert_int_equal(bcp_collation_page("Cyrillic_General_CI_AS"), 1251);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_classic),         cmocka_unit_test(test_classic_form),
        cmocka_unit_test(test_classic_refused), cmocka_unit_test(test_xml),
        cmocka_unit_test(test_xml_native),      cmocka_unit_test(test_xml_refused),
        cmocka_unit_test(test_terminators),     cmocka_unit_test(test_pages),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
