/*
 * Reading: small texts and what becomes of them. Each case is options, input,
 * output (see support.h).
 */
#include "support.h"

struct read_case {
    const char *options, *input, *output;
};

static const struct read_case cases[] = {
    /* records and fields */
    {"", "a,b\n1,x\n2,y\n", "a:int64|b:utf8\n1|x\n2|y\n"},
    {"", "a,b\r\n1,x\r\n2,y", "a:int64|b:utf8\n1|x\n2|y\n"},
    {"", "a,b\r1,x\n2,y\r\n3,z\r", "a:int64|b:utf8\n1|x\n2|y\n3|z\n"},
    {"",
     "\xef\xbb\xbf"
     "a,b\n1,x\n",
     "a:int64|b:utf8\n1|x\n"},
    {"", "a,b\n1,\"x,\"\"y\"\"\nz\"\n", "a:int64|b:utf8\n1|x,\"y\"\nz\n"},
    {"", "a,b\n1,5\" pipe\n", "a:int64|b:utf8\n1|5\" pipe\n"},
    {"", "a,b\n1,\n2,\"\"\n", "a:int64|b:utf8\n1|~\n2|\n"},
    {"", "a,b\n,x\n\"\",y\n3,z\n", "a:int64|b:utf8\n~|x\n~|y\n3|z\n"},
    {"", "a,b\n1,x\n\n\n\r\n", "a:int64|b:utf8\n1|x\n"},
    {"", "\n\na,b\n1,x\n", "a:int64|b:utf8\n1|x\n"},
    {"", "name\nx\n\n\"\"\n", "name:utf8\nx\n~\n\n"},
    {"header=no", "\nx\n\n", "column1:utf8\n~\nx\n~\n"},
    /* rows of the wrong length */
    {"", "a,b\n1,x\n2\n3,z,z\n4,w\n",
     "a:int64|b:utf8\n1|x\n4|w\n! line 3: 1 field instead of 2 '2'\n! line 4: 3 fields instead of 2 "
     "'3,z,z'\n"},
    {"", "a,b\n1,\"x\ny\"\n\n\n2,z\n",
     "a:int64|b:utf8\n1|x\ny\n2|z\n! line 4: a blank line among rows of 2 fields\n! line 5: a blank line "
     "among "
     "rows of 2 fields\n"},
    {"", "a,b\n1,\"x\"y\n2,z\n", "a:int64|b:utf8\n2|z\n! line 2 b: text after the closing quote '\"x\"y'\n"},
    {"", "a,b\n1,x\n2,\"y\nz\n",
     "a:int64|b:utf8\n# line 3: a quoted field that begins here is not closed before the end "
     "of the file; --quote none reads quotes as text\n"},
    /* NULL */
    {"null=NA", "a,b\nNA,NA\n1,\"NA\"\n2,\n", "a:int64|b:utf8\n~|~\n1|NA\n2|\n"},
    {"null=0  schema=a:int64,b:int64", "a,b\n0,1\n\"0\",2\n", "a:int64|b:int64\n~|1\n0|2\n"},
    {"null=\\N  escape=\\", "a,b\n\\N,\\\\N\n1,x\\,y\n", "a:int64|b:utf8\n~|\\N\n1|x,y\n"},
    /* dialects */
    {"", "a;b\n1;x,y\n2;z\n", "a:int64|b:utf8\n1|x,y\n2|z\n"},
    {"", "a\tb\n1\tx\n", "a:int64|b:utf8\n1|x\n"},
    {"delimiter=\\t", "a\tb\n1\tx,y\n", "a:int64|b:utf8\n1|x,y\n"},
    {"delimiter=||", "a||b||c\n1||x|y||\"z||\"\n", "a:int64|b:utf8|c:utf8\n1|x|y|z||\n"},
    {"delimiter=||", "a||b\n|||x\n", "a:utf8|b:utf8\n~||x\n"},
    {"quote='", "a,b\n1,'x,''y'\n", "a:int64|b:utf8\n1|x,'y\n"},
    {"quote=none", "a,b\n1,\"x\n", "a:int64|b:utf8\n1|\"x\n"},
    {"escape=\\", "a,b\n1,\"x\\\"y\\\\\"\n", "a:int64|b:utf8\n1|x\"y\\\n"},
    /* header */
    {"header=no", "1,x\n2,y\n", "column1:int64|column2:utf8\n1|x\n2|y\n"},
    {"", "1,x\n2,y\n", "column1:int64|column2:utf8\n1|x\n2|y\n"},
    {"", "id,2020,2021\nx,1,2\n", "column1:utf8|column2:int64|column3:int64\nid|2020|2021\nx|1|2\n"},
    {"header=yes", "id,2020,2021\nx,1,2\n", "id:utf8|2020:int64|2021:int64\nx|1|2\n"},
    {"", "name,city\nAnn,Bonn\n", "name:utf8|city:utf8\nAnn|Bonn\n"},
    {"", ",a,a\n0,1,2\n", "column1:int64|a:int64|a_2:int64\n0|1|2\n"},
    {"", "a,a,a_2\n0,1,2\n", "a:int64|a_3:int64|a_2:int64\n0|1|2\n"},
    {"", "a,b\n", "a:utf8|b:utf8\n"},
    {"", "", "# the file is empty: there is no header line and no --schema to take its place\n"},
    {"schema=a:int64,b:date", "", "a:int64|b:date\n"},
    /* types by looking */
    {"", "a,b,c,d\n007,1.50,1.5,1e5\n1,2.25,2.25,2\n",
     "a:utf8|b:decimal(18,2)|c:float64|d:utf8\n007|1.50|1.5|1e5\n"
     "1|2.25|2.25|2\n"},
    {"", "a,b,c\n+1,true,2024-02-29\n2,false,0001-01-01\n",
     "a:utf8|b:bool|c:date\n+1|true|2024-02-29\n"
     "2|false|0001-01-01\n"},
    {"", "a,b\n2024-02-29 23:59:59,10:00:00\n2024-02-29 23:59:59.500,10:00:00.123456\n",
     "a:timestamp[ms]|b:time[us]\n2024-02-29 23:59:59|10:00:00\n2024-02-29 23:59:59.500|10:00:00.123456\n"},
    {"", "a,b\n2024-02-29 23:59:59Z,2024-02-30\n2024-03-01 00:00:00Z,x\n",
     "a:timestamp[us, UTC]|b:utf8\n2024-02-29 23:59:59Z|2024-02-30\n2024-03-01 00:00:00Z|x\n"},
    {"", "a,b\n99999999999999999999,-0\n1,2\n", "a:decimal(38,0)|b:utf8\n99999999999999999999|-0\n1|2\n"},
    {"", "a,b\n9223372036854775807,0.001\n-9223372036854775808,-12345678901234.500\n",
     "a:int64|b:decimal(18,3)\n9223372036854775807|0.001\n-9223372036854775808|-12345678901234.500\n"},
    {"", "a,b\nnan,1.0\ninf,2.5\n", "a:utf8|b:decimal(18,1)\nnan|1.0\ninf|2.5\n"},
    /* types by --schema */
    {"schema=a:int32", "a,b\n1,x\n+2,y\n3000000000,z\n",
     "a:int32|b:utf8\n1|x\n2|y\n! line 4 a: not a value of type int32 '3000000000'\n"},
    {"schema=a:decimal(5,2),b:float64", "a,b\n1,1\n-1.5,1e3\n1.234,2\n1000,3\n",
     "a:decimal(5,2)|b:float64\n1.00|1.0\n-1.50|1000.0\n! line 4 a: not a value of type decimal(5,2) "
     "'1.234'\n"
     "! line 5 a: not a value of type decimal(5,2) '1000'\n"},
    {"schema=\"x,y\":uint8,b:binary", "\"x,y\",b\n255,00ff\n256,0\n",
     "x,y:uint8|b:binary\n255|00ff\n! line 3 x,y: not a value of type uint8 '256'\n"},
    {"header=no  schema=id:int64,name:utf8", "1,2\n3,4\n", "id:int64|name:utf8\n1|2\n3|4\n"},
    {"schema=2:utf8", "1,2\n3,4\n", "1:int64|2:utf8\n3|4\n"},
    {"schema=nmae:int64", "id,name\n1,2\n", "# --schema: there is no column \"nmae\"; near: name\n"},
    {"schema=a", "a\n1\n", "# --schema: \"a\" has no type; write NAME:TYPE,... such as id:int64,name:utf8\n"},
    {"columns=c,a", "a,b,c\n1,x,2\n3,\"y\"z,4\n", "c:int64|a:int64\n2|1\n4|3\n"},
    /* comments, titles, blanks */
    {"comment=#", "# \"one\n#\na,b\n1,x\n#2,\"y\n\n3,#z\n#", "a:int64|b:utf8\n1|x\n3|#z\n"},
    {"comment=#", "a,b\n#c\n1\n2,\"#\n#\"\n\"#3\",x\n",
     "a:utf8|b:utf8\n2|#\n#\n#3|x\n! line 3: 1 field instead of 2 '1'\n"},
    {"comment=#", "name\n#x\n\ny\n", "name:utf8\n~\ny\n"},
    {"comment=#", "#a,b\n#c\n",
     "# the file is empty: there is no header line and no --schema to take its place\n"},
    {"comment=,", "a,b\n1,2\n", "a,b:utf8\n1,2\n"},
    {"comment=;  delimiter=;", "a;b\n",
     "# --delimiter can't hold a quote, an escape, a comment's character, a line end or NUL; choose another "
     "--quote (or none) for such a file\n"},
    {"skip-lines=2", "Report, \"2024\n\r\na,b\n1,x\n2\n",
     "a:int64|b:utf8\n1|x\n! line 5: 1 field instead of 2 '2'\n"},
    {"skip-lines=1", "\xef\xbb\xbftitle\ra,b\r1,x\r", "a:int64|b:utf8\n1|x\n"},
    {"skip-lines=9", "a,b\n1,x\n",
     "# the file is empty: there is no header line and no --schema to take its place\n"},
    {"skip-lines=-1", "a,b\n1,x\n", "# --skip-lines takes a number of lines, 0 or more\n"},
    {"skip-lines=1", "t\na,\"b\n",
     "# line 2: a quoted field that begins here is not closed before the end of the file; --quote none reads "
     "quotes as text\n"},
    {"trim=true", " a ,\tb\n 1, x y \t\n2,  \n 3 ,\" z \" \n", "a:int64|b:utf8\n1|x y\n2|~\n3| z \n"},
    {"trim=true  null=NA", "a,b\n NA , 1.50 \n2,3.25\n", "a:int64|b:decimal(18,2)\n~|1.50\n2|3.25\n"},
    {"", "a,b\n 1, x \n", "a:utf8|b:utf8\n 1| x \n"},
    {"header=skip", "a,b\n1,x\n", "column1:int64|column2:utf8\n1|x\n"},
    {"header=skip  schema=n:int32,t:utf8", "a,b\n1,x\n", "n:int32|t:utf8\n1|x\n"},
    {"header=match  schema=b:utf8,a:int32", "a,b\n1,x\n", "b:utf8|a:int32\nx|1\n"},
    {"header=match  schema=b:utf8,a:int32  columns=a", "a,b\n1,x\n", "a:int32\n1\n"},
    {"header=match  schema=b:utf8", "a,b\n1,x\n",
     "# the header has column \"a\", which --schema does not; --header match takes exactly those, --header "
     "yes any\n"},
    {"header=match  schema=b:utf8,a:utf8,c:utf8", "a,b\n1,x\n", "# --schema: there is no column \"c\"\n"},
    {"header=match  schema=b:utf8,b:utf8", "a,b\n1,x\n", "# --schema names column \"b\" twice\n"},
    {"header=match", "a,b\n1,x\n", "# --header match needs --schema NAME:TYPE,... to match the names with\n"},
    {"", "a,b\n2018-12-03 00:00:00.000,x\n2018-12-03 01:00:00.500,y\n",
     "a:utf8|b:utf8\n2018-12-03 00:00:00.000|x\n2018-12-03 01:00:00.500|y\n"},
    {"schema=a:timestamp[ms]", "a\n2018-12-03 00:00:00.000\n2018-12-03T01:00:00.500000\n",
     "a:timestamp[ms]\n2018-12-03 00:00:00\n2018-12-03 01:00:00.500\n"},
    /* text */
    {"", "a,b\n1,\xc3\xa4\n2,\xff\n3,x\n",
     "a:int64|b:utf8\n1|\xc3\xa4\n3|x\n! line 3 b: not valid UTF-8; say its encoding, as with --charset "
     "windows-1252 '\xff'\n"},
};

static void test_cases(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct buffer out;
        test_read(cases[i].options, "memory:case.csv", cases[i].input, strlen(cases[i].input), &out);
        if (strcmp((char *)out.data, cases[i].output) != 0)
            print_error("case %zu: %s | %s\n got: %s\nwant: %s\n", i, cases[i].options, cases[i].input,
                        (char *)out.data, cases[i].output);
        assert_string_equal((char *)out.data, cases[i].output);
        buffer_release(&out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cases),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
