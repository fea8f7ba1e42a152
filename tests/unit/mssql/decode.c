/* decode.c: values of every type, whole in a packet and cut at every byte. */
#include "answers.h"

struct value_row {
    const char *type, *value, *text;
};

/* Vectors of the specification, sections 12.4 to 12.9. */
static const struct value_row values[] = {
    {"32", "01", "true"},
    {"30", "ff", "255"},
    {"34", "fb ff", "-5"},
    {"38", "01 00 00 00", "1"},
    {"7f", "ff ff ff ff ff ff ff 7f", "9223372036854775807"},
    {"68 01", "01 00", "false"},
    {"68 01", "00", "NULL"},
    {"26 01", "01 80", "128"},
    {"26 02", "02 00 80", "-32768"},
    {"26 04", "00", "NULL"},
    {"26 08", "08 00 00 00 00 00 00 00 80", "-9223372036854775808"},
    {"6d 04", "04 00 00 c0 3f", "1.5"},
    {"6d 08", "08 00 00 00 00 00 00 02 40", "2.25"},
    {"6a 05 09 02", "05 01 39 30 00 00", "123.45"},
    {"6a 05 05 02", "05 00 96 00 00 00", "-1.50"},
    {"6c 09 13 00", "09 01 00 00 00 00 00 00 00 80", "9223372036854775808"},
    {"6a 11 26 00", "11 01 ff ff ff ff 3f 22 8a 09 7a c4 86 5a a8 4c 3b 4b",
     "99999999999999999999999999999999999999"},
    {"6a 04 05 02", "04 01 96 00 00", "1.50"},
    {"6e 08", "08 00 00 00 00 39 30 00 00", "1.2345"},
    {"6e 08", "08 ff ff ff ff f0 d8 ff ff", "-1.0000"},
    {"3c", "ff ff ff 7f ff ff ff ff", "922337203685477.5807"},
    {"7a", "ff ff ff ff", "-0.0001"},
    {"6f 08", "08 b1 8c 00 00 6b 5a cf 00", "1998-08-12 12:34:56.997000"},
    {"6f 08", "08 46 2e ff ff 00 00 00 00", "1753-01-01 00:00:00"},
    {"3d", "7f 24 2d 00 ff 81 8b 01", "9999-12-31 23:59:59.997000"},
    {"6f 04", "04 ff ff 9f 05", "2079-06-06 23:59:00"},
    {"28", "03 42 24 0b", "2000-02-29"},
    {"28", "03 da b9 37", "9999-12-31"},
    {"29 00", "03 f0 b0 00", "12:34:56"},
    {"29 03", "04 fb 29 b3 02", "12:34:56.123000"},
    {"29 07", "05 87 ee 97 76 69", "12:34:56.123456700"},
    {"2a 06", "08 40 fe db 8b 0a 42 24 0b", "2000-02-29 12:34:56.123456"},
    {"2b 07", "0a 00 50 cf df 96 1f 49 0b 4a 01", "2025-12-31 18:00:00Z"},
    {"24 10", "10 ff 19 96 6f 86 8b 11 d0 b4 2d 00 c0 4f c9 64 ff", "6f9619ff-8b86-d011-b42d-00c04fc964ff"},
    {"a7 0a 00 09 04 d0 00 34", "03 00 61 62 63", "abc"},
    {"a7 0a 00 09 04 d0 00 34", "00 00", ""},
    {"a7 0a 00 09 04 d0 00 34", "ff ff", "NULL"},
    {"a7 0a 00 09 04 d0 00 34", "01 00 80", "\xe2\x82\xac"},    /* 1252 */
    {"af 03 00 11 04 00 00 00", "02 00 82 a0", "\xe3\x81\x82"}, /* 932 */
    {"a7 0a 00 09 04 d0 24 00", "02 00 c3 a9", "\xc3\xa9"},     /* UTF-8 */
    {"e7 14 00 09 04 d0 00 34", "06 00 61 00 3d d8 00 de", "a\xf0\x9f\x98\x80"},
    {"ef 04 00 09 04 d0 00 34", "04 00 e9 00 ac 20", "\xc3\xa9\xe2\x82\xac"},
    {"ad 04 00", "04 00 01 02 03 04", "01020304"},
    {"a5 0a 00", "02 00 ca fe", "cafe"},
    {"a5 ff ff", "03 00 00 00 00 00 00 00 03 00 00 00 01 02 03 00 00 00 00", "010203"},
    {"a5 ff ff", "fe ff ff ff ff ff ff ff 01 00 00 00 01 02 00 00 00 02 03 00 00 00 00", "010203"},
    {"a5 ff ff", "ff ff ff ff ff ff ff ff", "NULL"},
    {"a7 ff ff 09 04 d0 00 34", "fe ff ff ff ff ff ff ff 00 00 00 00", ""},
    /* a surrogate pair cut by a chunk, in the middle of a unit */
    {"e7 ff ff 09 04 d0 00 34",
     "fe ff ff ff ff ff ff ff 03 00 00 00 61 00 3d 03 00 00 00 d8 00 de 00 00 00 00", "a\xf0\x9f\x98\x80"},
    {"f1 00", "fe ff ff ff ff ff ff ff 06 00 00 00 ff fe 3c 00 3e 00 00 00 00 00", "<>"},
    {"22 ff ff ff 7f 00",
     "10 01 02 03 04 05 06 07 08 09 0a 0b 0c 0d 0e 0f 10 01 02 03 04 05 06 07 08 02 00 00 00 be ef", "beef"},
    {"63 ff ff ff 7f 09 04 d0 00 34 01 01 00 74 00",
     "10 01 02 03 04 05 06 07 08 09 0a 0b 0c 0d 0e 0f 10 01 02 03 04 05 06 07 08 02 00 00 00 e9 00",
     "\xc3\xa9"},
    {"23 ff ff ff 7f 09 04 d0 00 34 00", "00", "NULL"},
    {"62 49 1f 00 00", "00 00 00 00", "NULL"},
    {"62 49 1f 00 00", "06 00 00 00 38 00 fe ff ff ff", "-2"},
    {"62 49 1f 00 00", "09 00 00 00 6a 02 05 02 00 96 00 00 00", "-1.50"},
    {"62 49 1f 00 00", "0b 00 00 00 e7 07 09 04 d0 00 34 14 00 e9 00", "\xc3\xa9"},
    {"62 49 1f 00 00", "0d 00 00 00 2b 01 07 00 50 cf df 96 1f 49 0b 4a 01",
     "2025-12-31 23:30:00.0000000 +05:30"},
    {"62 49 1f 00 00", "05 00 00 00 28 00 42 24 0b", "2000-02-29"},
};
#define VALUE_COUNT (sizeof values / sizeof *values)

/* Between two numbers, so that one byte more or less would be seen. */
static void make(const struct value_row *row, struct bytes *bytes)
{
    bytes->length = 0;
    add_hex(bytes, "81 03 00");
    add_column(bytes, "38", 'a');
    add_column(bytes, row->type, 'b');
    add_column(bytes, "26 04", 'c');
    for (int i = 0; i < 2; i++) {
        add_hex(bytes, "d1 07 00 00 00");
        add_hex(bytes, row->value);
        add_hex(bytes, "04 08 00 00 00");
    }
    add_hex(bytes, "d2 06 07 00 00 00"); /* b and c are NULL */
    add_done(bytes, 0x10);
}

/* --timestamps exact */
static const struct value_row exact_values[] = {
    {"2a 07", "00", "NULL"},
    {"2a 07", "08 87 ee 97 76 69 42 24 0b",
     "{\"timestamp\":\"2000-02-29 12:34:56.123456\",\"nanoseconds\":700}"},
    {"2a 06", "08 40 fe db 8b 0a 42 24 0b", "2000-02-29 12:34:56.123456"},
    {"2b 07", "0a 00 50 cf df 96 1f 49 0b 4a 01",
     "{\"timestamp\":\"2025-12-31 18:00:00Z\",\"offset_minutes\":330,\"nanoseconds\":0}"},
    {"2b 03", "09 fb 29 b3 02 1f 49 0b b8 fc",
     "{\"timestamp\":\"2025-12-31 12:34:56.123000Z\",\"offset_minutes\":-840}"},
    {"62 49 1f 00 00", "00 00 00 00", "NULL"},
    {"62 49 1f 00 00", "09 00 00 00 6a 02 05 02 00 96 00 00 00",
     "{\"type\":\"decimal(5,2)\",\"value\":\"-1.50\"}"},
    {"62 49 1f 00 00", "0b 00 00 00 e7 07 09 04 d0 00 34 14 00 e9 00",
     "{\"type\":\"nvarchar(10)\",\"value\":\"\xc3\xa9\"}"},
};
#define EXACT_COUNT (sizeof exact_values / sizeof *exact_values)

static void at_every_border(const struct value_row *values_, size_t count, enum ms_moments moments)
{
    static const size_t steps[] = {1, 2, 3, 5, 7, 11, 64, 4096};
    static struct bytes bytes;
    for (size_t i = 0; i < count; i++) {
        char wanted[256], seen[1024];
        snprintf(wanted, sizeof wanted, "7|%s|8;7|%s|8;7|NULL|NULL;", values_[i].text, values_[i].text);
        make(&values_[i], &bytes);
        for (size_t k = 0; k < sizeof steps / sizeof *steps; k++) {
            struct talk talk;
            struct haul_error err = {0};
            talk_begin(&talk, &bytes, steps[k]);
            talk.moments = moments;
            assert_int_equal(talk_print(&talk, seen, sizeof seen, &err), HAUL_OK);
            assert_string_equal(seen, wanted);
            talk_end(&talk);
        }
    }
}

static void every_type_at_every_border(void **state)
{
    (void)state;
    at_every_border(values, VALUE_COUNT, MOMENTS_MICRO);
    at_every_border(exact_values, EXACT_COUNT, MOMENTS_EXACT);
}

/* What no column of ours can hold: the row is set aside, those around it stay. */
static const struct value_row misfits[] = {
    {"e7 14 00 09 04 d0 00 34", "02 00 3d d8", "surrogate"},
    {"e7 14 00 09 04 d0 00 34", "04 00 00 de 41 00", "surrogate"},
    {"e7 14 00 09 04 d0 00 34", "03 00 41 00 41", "odd"},
    {"a7 0a 00 09 04 d0 00 34", "01 00 81", "code page"},
    {"a7 0a 00 09 04 d0 24 00", "01 00 c3", "code page"},
    {"e7 ff ff 09 04 d0 00 34", "fe ff ff ff ff ff ff ff 02 00 00 00 3d d8 00 00 00 00",
     "middle of a character"},
    {"e7 ff ff 09 04 d0 00 34", "fe ff ff ff ff ff ff ff 01 00 00 00 41 00 00 00 00",
     "middle of a character"},
};

static void misfits_are_set_aside(void **state)
{
    (void)state;
    static struct bytes bytes;
    for (size_t i = 0; i < sizeof misfits / sizeof *misfits; i++) {
        struct talk talk;
        struct haul_error err = {0};
        char seen[256];
        make(&misfits[i], &bytes);
        talk_begin(&talk, &bytes, 4096);
        assert_int_equal(talk_print(&talk, seen, sizeof seen, &err), HAUL_OK);
        assert_string_equal(seen, "7|NULL|NULL;");
        assert_int_equal(talk.collector.reject_count, 2);
        assert_string_equal(talk.collector.rejects->reject.column, "b");
        assert_non_null(strstr(talk.collector.rejects->reject.reason, misfits[i].text));
        talk_end(&talk);
    }
}

static const struct value_row lies[] = {
    {"26 04", "02 00 00", "length"},
    {"26 03", "03 00 00 00", "length"},
    {"6a 05 05 02", "05 01 ff ff ff ff", "digits"},
    {"6a 05 27 02", "05 01 00 00 00 00", "precision"},
    {"6a 05 05 06", "05 01 00 00 00 00", "scale"},
    {"6a 05 05 02", "13 01 00 00 00 00", "length"},
    {"28", "03 db b9 37", "9999"},
    {"29 00", "03 80 51 01", "midnight"},
    {"29 08", "05 00 00 00 00 00", "scale"},
    {"6f 08", "08 00 00 00 00 00 82 8b 01", "range"},
    {"a7 02 00 09 04 d0 00 34", "03 00 61 62 63", "longer"},
    {"a5 ff ff", "02 00 00 00 00 00 00 00 03 00 00 00 01 02 03 00 00 00 00", "chunks"},
    {"a5 ff ff", "04 00 00 00 00 00 00 00 03 00 00 00 01 02 03 00 00 00 00", "chunks"},
    {"ff", "00", "type"},
    {"62 49 1f 00 00", "ff ff ff 7f 38 00", "sql_variant"},
    {"62 49 1f 00 00", "06 00 00 00 38 09 00 00 00 00", "contradicts"},
    {"62 49 1f 00 00", "04 00 00 00 62 00 00 00", "contradicts"},
};

static void lies_are_refused(void **state)
{
    (void)state;
    static struct bytes bytes;
    for (size_t i = 0; i < sizeof lies / sizeof *lies; i++) {
        struct talk talk;
        struct haul_error err = {0};
        char seen[256];
        make(&lies[i], &bytes);
        talk_begin(&talk, &bytes, 4096);
        enum haul_code code = talk_print(&talk, seen, sizeof seen, &err);
        assert_true(code == HAUL_DATA || code == HAUL_UNSUPPORTED);
        assert_non_null(strstr(err.message, lies[i].text));
        assert_false(ms_is_alive(&talk.session));
        talk_end(&talk);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_type_at_every_border),
        cmocka_unit_test(misfits_are_set_aside),
        cmocka_unit_test(lies_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
