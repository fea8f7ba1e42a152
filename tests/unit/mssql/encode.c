/* encode.c: values of every type as bulk-loaded bytes, whole in a packet and cut at every byte. */
#include "loads.h"

#include "../base/trials.h"

static size_t put_code(uint32_t code, char *out)
{
    size_t bytes = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    for (size_t i = bytes - 1; i > 0; i--, code >>= 6)
        out[i] = (char)(0x80 | (code & 0x3f));
    out[0] = (char)(bytes == 1 ? code : (0xf00 >> bytes & 0xff) | code);
    return bytes;
}

#define CI "09 04 d0 00 34"

struct value_row {
    const char *type, *text, *wire, *back; /* back NULL: reads back as it was */
};

/* Vectors of the specification, sections 12 and 14.3; fixed types go in their nullable form. */
static const struct value_row values[] = {
    {"32", "true", "01 01", NULL},
    {"68 01", "false", "01 00", NULL},
    {"30", "255", "01 ff", NULL},
    {"26 01", "0", "01 00", NULL},
    {"34", "-5", "02 fb ff", NULL},
    {"26 02", "-32768", "02 00 80", NULL},
    {"38", "1", "04 01 00 00 00", NULL},
    {"7f", "-9223372036854775808", "08 00 00 00 00 00 00 00 80", NULL},
    {"6d 04", "1.5", "04 00 00 c0 3f", NULL},
    {"3e", "2.25", "08 00 00 00 00 00 00 02 40", NULL},
    {"6a 05 09 02", "123.45", "05 01 39 30 00 00", NULL},
    {"6a 05 05 02", "-1.50", "05 00 96 00 00 00", NULL},
    {"6c 09 13 00", "9223372036854775808", "09 01 00 00 00 00 00 00 00 80", NULL},
    {"6a 0d 1c 00", "9999999999999999999999999999", "0d 01 ff ff ff 0f 61 02 25 3e 5e ce 4f 20", NULL},
    {"6a 11 26 00", "99999999999999999999999999999999999999",
     "11 01 ff ff ff ff 3f 22 8a 09 7a c4 86 5a a8 4c 3b 4b", NULL},
    {"6a 11 26 26", "-0.00000000000000000000000000000000000001",
     "11 00 01 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00", NULL},
    {"6a 04 05 02", "1.50", "05 01 96 00 00 00", NULL}, /* declared short: sent by the table */
    {"6a 11 05 02", "1.50", "11 01 96 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00",
     NULL}, /* long: as declared */
    {"6e 08", "1.2345", "08 00 00 00 00 39 30 00 00", NULL},
    {"3c", "-1.0000", "08 ff ff ff ff f0 d8 ff ff", NULL},
    {"3c", "922337203685477.5807", "08 ff ff ff 7f ff ff ff ff", NULL},
    {"3c", "-922337203685477.5808", "08 00 00 00 80 00 00 00 00", NULL},
    {"7a", "-0.0001", "04 ff ff ff ff", NULL},
    {"6f 08", "1998-08-12 12:34:56.997000", "08 b1 8c 00 00 6b 5a cf 00", NULL},
    {"6f 08", "1998-08-12 12:34:56.998", "08 b1 8c 00 00 6b 5a cf 00", "1998-08-12 12:34:56.997000"},
    {"6f 08", "1998-08-12 23:59:59.999", "08 b2 8c 00 00 00 00 00 00", "1998-08-13 00:00:00"},
    {"3d", "1753-01-01 00:00:00", "08 46 2e ff ff 00 00 00 00", NULL},
    {"3d", "9999-12-31 23:59:59.997000", "08 7f 24 2d 00 ff 81 8b 01", NULL},
    {"6f 04", "2079-06-06 23:59:00", "04 ff ff 9f 05", NULL},
    {"3a", "1899-12-31 23:59:30", "04 00 00 00 00", "1900-01-01 00:00:00"},
    {"3a", "1900-01-01 23:59:29", "04 00 00 9f 05", "1900-01-01 23:59:00"},
    {"28", "2000-02-29", "03 42 24 0b", NULL},
    {"28", "0001-01-01", "03 00 00 00", NULL},
    {"28", "9999-12-31", "03 da b9 37", NULL},
    {"29 00", "12:34:56.9", "03 f0 b0 00", "12:34:56"},
    {"29 01", "12:34:56.1", "03 61 e9 06", "12:34:56.100000"},
    {"29 02", "12:34:56.12", "03 cc 1d 45", "12:34:56.120000"},
    {"29 03", "12:34:56.123", "04 fb 29 b3 02", "12:34:56.123000"},
    {"29 04", "12:34:56.1234", "04 d2 a3 ff 1a", "12:34:56.123400"},
    {"29 05", "12:34:56.12345", "05 39 66 fc 0d 01", "12:34:56.123450"},
    {"29 06", "12:34:56.123456", "05 40 fe db 8b 0a", NULL},
    {"29 07", "12:34:56.123456700", "05 87 ee 97 76 69", NULL},
    {"2a 06", "2000-02-29 12:34:56.123456", "08 40 fe db 8b 0a 42 24 0b", NULL},
    {"2a 07", "2000-02-29 12:34:56.123456", "08 80 ee 97 76 69 42 24 0b", NULL},
    {"2a 00", "0001-01-01 00:00:00", "06 00 00 00 00 00 00", NULL},
    {"2a 03", "1969-12-31 23:59:59.9999", "07 ff 5b 26 05 39 f9 0a", "1969-12-31 23:59:59.999000"},
    {"2b 07", "2025-12-31 18:00:00Z", "0a 00 50 cf df 96 1f 49 0b 00 00", NULL},
    {"24 10", "6f9619ff-8b86-d011-b42d-00c04fc964ff", "10 ff 19 96 6f 86 8b 11 d0 b4 2d 00 c0 4f c9 64 ff",
     NULL},
    {"a7 0a 00 " CI, "abc", "03 00 61 62 63", NULL},
    {"a7 0a 00 " CI, "", "00 00", NULL},
    {"a7 0a 00 " CI, "\xe2\x82\xac", "01 00 80", NULL},
    {"a7 14 00 " CI, "sixteen bytes and\xc3\xa9",
     "12 00 73 69 78 74 65 65 6e 20 62 79 74 65 73 20 61 6e 64 e9", NULL},
    {"af 05 00 11 04 00 00 00", "\xe3\x81\x82", "05 00 82 a0 20 20 20", "\xe3\x81\x82   "}, /* 932 */
    {"a7 0a 00 09 04 d0 24 00", "\xc3\xa9", "02 00 c3 a9", NULL},                           /* UTF-8 */
    {"e7 14 00 " CI, "a\xf0\x9f\x98\x80", "06 00 61 00 3d d8 00 de", NULL},
    {"e7 28 00 " CI, "sixteen bytes and\xe2\x82\xac",
     "24 00 73 00 69 00 78 00 74 00 65 00 65 00 6e 00 20 00 62 00 79 00 74 00 65 00 73 00 20 00 61 00 6e 00 "
     "64 00"
     " ac 20",
     NULL},
    {"ef 06 00 " CI, "\xc3\xa9\xe2\x82\xac", "06 00 e9 00 ac 20 20 00", "\xc3\xa9\xe2\x82\xac "},
    {"ad 04 00", "01020304", "04 00 01 02 03 04", NULL},
    {"a5 0a 00", "cafe", "02 00 ca fe", NULL},
    {"a5 ff ff", "010203", "fe ff ff ff ff ff ff ff 03 00 00 00 01 02 03 00 00 00 00", NULL},
    {"a5 ff ff", "", "fe ff ff ff ff ff ff ff 00 00 00 00", NULL},
    {"a7 ff ff " CI, "a\xc3\xa9", "fe ff ff ff ff ff ff ff 02 00 00 00 61 e9 00 00 00 00", NULL},
    {"e7 ff ff " CI, "hi", "fe ff ff ff ff ff ff ff 04 00 00 00 68 00 69 00 00 00 00 00", NULL},
    {"f1 00", "<>", "fe ff ff ff ff ff ff ff 04 00 00 00 3c 00 3e 00 00 00 00 00", NULL},
    {"22 ff ff ff 7f 00", "beef", "fe ff ff ff ff ff ff ff 02 00 00 00 be ef 00 00 00 00", NULL},
    {"63 ff ff ff 7f " CI " 01 01 00 74 00", "\xc3\xa9",
     "fe ff ff ff ff ff ff ff 02 00 00 00 e9 00 00 00 00 00", NULL},
    {"23 ff ff ff 7f " CI " 00", "x", "fe ff ff ff ff ff ff ff 01 00 00 00 78 00 00 00 00", NULL},
};
#define VALUE_COUNT (sizeof values / sizeof *values)

static const char *null_of(const struct load *load)
{
    enum ms_frame frame = load->column.column.type.frame;
    return frame == FRAME_PLP ? "ff ff ff ff ff ff ff ff" : frame == FRAME_U16 ? "ff ff" : "00";
}

/* The rows of the payload, without the description and the DONE. */
static void assert_rows(const struct bytes *payload, const struct bytes *wanted)
{
    assert_true(payload->length >= wanted->length + 13);
    const uint8_t *rows = payload->data + payload->length - 13 - wanted->length;
    assert_memory_equal(rows, wanted->data, wanted->length);
    assert_int_equal(payload->data[0], 0x81);
}

static void every_type_at_every_border(void **state)
{
    (void)state;
    static const size_t packets[] = {512, 521, 4096};
    static struct bytes payload, wanted;
    for (size_t i = 0; i < VALUE_COUNT; i++) {
        for (size_t k = 0; k < sizeof packets / sizeof *packets; k++) {
            const struct value_row *row = &values[i];
            const char *misfit, *back = row->back ? row->back : row->text;
            const char *texts[60];
            struct load load;
            struct batch batch;
            struct talk talk;
            struct haul_error err = {0};
            char seen[16384], all[16384] = "";
            load_begin(&load, row->type, 9, packets[k]);
            wanted.length = 0;
            for (int r = 0; r < 60; r++) {
                texts[r] = r % 3 == 1 ? NULL : row->text;
                add_hex(&wanted, "d1");
                add_hex(&wanted, texts[r] ? row->wire : null_of(&load));
                strcat(strcat(all, texts[r] ? back : "NULL"), ";");
            }
            load_batch(&load, texts, 60, &batch);
            load_rows(&load, &batch, &misfit);
            assert_null(misfit);
            load_take(&load, &payload);
            assert_rows(&payload, &wanted);
            talk_begin(&talk, &payload, 333);
            assert_int_equal(talk_print(&talk, seen, sizeof seen, &err), HAUL_OK);
            assert_string_equal(seen, all);
            talk_end(&talk);
            batch_release(&batch);
            load_end(&load);
        }
    }
}

struct misfit_row {
    const char *type, *text, *why;
};

static const struct misfit_row misfits[] = {
    {"6d 04", "nan", "NaN"},
    {"6d 08", "inf", "infinity"},
    {"6e 08", "922337203685477.5808", "money"},
    {"6e 04", "214748.3648", "smallmoney"},
    {"6f 08", "1752-12-31 23:59:59", "1753"},
    {"6f 08", "9999-12-31 23:59:59.999", "9999"},
    {"6f 04", "1899-12-31 23:59:29", "smalldatetime"},
    {"6f 04", "2079-06-06 23:59:30", "smalldatetime"},
    {"28", "0000-12-31", "years"},
    {"28", "+010000-01-01", "years"},
    {"2a 07", "0000-12-31 23:59:59", "years"},
    {"2b 00", "+010000-01-01 00:00:00Z", "years"},
    {"a7 02 00 " CI, "abc", "longer"},
    {"a7 02 00 " CI, "0123456789", "longer"},
    {"af 02 00 " CI, "abc", "longer"},
    {"a7 0a 00 " CI, "\xe6\xbc\xa2", "code page"},
    {"af 0a 00 " CI, "a\xc2\x81", "code page"},
    {"a7 0a 00 11 04 00 00 00", "\xc2\xa5", "code page"}, /* iconv's yen would read back as a backslash */
    {"a7 02 00 09 04 d0 24 00", "\xe2\x82\xac", "longer"},
    {"e7 04 00 " CI, "abc", "longer"},
    {"e7 02 00 " CI, "\xf0\x9f\x98\x80", "longer"},
    {"ef 04 00 " CI, "abc", "longer"},
    {"a5 02 00", "010203", "longer"},
    {"a7 ff ff " CI, "\xe6\xbc\xa2", "code page"},
};

static void misfits_are_not_sent(void **state)
{
    (void)state;
    static struct bytes payload;
    for (size_t i = 0; i < sizeof misfits / sizeof *misfits; i++) {
        const char *misfit, *texts[2] = {NULL, misfits[i].text};
        struct load load;
        struct batch batch;
        load_begin(&load, misfits[i].type, 9, 4096);
        load_batch(&load, texts, 2, &batch);
        load_rows(&load, &batch, &misfit);
        if (!misfit || !strstr(misfit, misfits[i].why))
            fail_msg("%s: %s", misfits[i].text, misfit ? misfit : "was sent");
        assert_int_equal(load.bulk.rows, 1);
        load_take(&load, &payload);
        batch_release(&batch);
        load_end(&load);
    }
}

static void null_where_there_may_be_none(void **state)
{
    (void)state;
    static const char *const types[] = {"38", "a7 0a 00 " CI, "e7 ff ff " CI, "28"};
    for (size_t i = 0; i < 4; i++) {
        const char *misfit, *texts[1] = {NULL};
        struct load load;
        struct batch batch;
        load_begin(&load, types[i], 8, 4096);
        load.schema.fields[0].nullable = true;
        load_batch(&load, texts, 1, &batch);
        load_rows(&load, &batch, &misfit);
        assert_non_null(misfit);
        assert_non_null(strstr(misfit, "NOT NULL"));
        batch_release(&batch);
        load_end(&load);
    }
}

/* A decimal whose batch says one precision and whose bytes another, as a foreign file may. */
static void more_digits_than_declared(void **state)
{
    (void)state;
    const char *misfit, *texts[1] = {"1000.00"};
    struct load load;
    struct batch batch;
    load_begin(&load, "6a 05 05 02", 9, 4096);
    load.schema.fields[0].precision = 9;
    load_batch(&load, texts, 1, &batch);
    load_rows(&load, &batch, &misfit);
    assert_non_null(misfit);
    assert_non_null(strstr(misfit, "digits"));
    batch_release(&batch);
    load_end(&load);
}

/* What a time loses is counted, each value once. */
static void losses_are_counted(void **state)
{
    (void)state;
    static const struct {
        const char *type, *kept, *lost;
    } rows[] = {
        {"6f 08", "2024-01-01 00:00:00.003", "2024-01-01 00:00:00.004"},
        {"6f 04", "2024-01-01 00:01:00", "2024-01-01 00:00:31"},
        {"2a 03", "2024-01-01 00:00:00.123", "2024-01-01 00:00:00.1234"},
        {"29 00", "00:00:01", "00:00:01.5"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const char *misfit, *texts[4] = {rows[i].kept, rows[i].lost, NULL, rows[i].lost};
        struct load load;
        struct batch batch;
        load_begin(&load, rows[i].type, 9, 4096);
        load_batch(&load, texts, 4, &batch);
        load_rows(&load, &batch, &misfit);
        assert_null(misfit);
        assert_int_equal(load.bulk.encoders[0].lost, 2);
        assert_non_null(load.bulk.encoders[0].loss);
        batch_release(&batch);
        load_end(&load);
    }
}

/* Values beyond a packet and beyond ENCODE_INLINE_MAX: cut into chunks, whole characters in each. */
static void large_values(void **state)
{
    (void)state;
    static const char *const types[] = {"a7 ff ff " CI, "a7 ff ff 09 04 d0 24 00", "e7 ff ff " CI};
    static struct bytes payload;
    static char text[20016], seen[65536], wanted[65536];
    for (size_t i = 0; i < 3; i++) {
        for (size_t length = 7990; length <= 20000; length += 1201) {
            const char *misfit, *texts[3] = {"small", text, NULL};
            struct load load;
            struct batch batch;
            struct talk talk;
            struct haul_error err = {0};
            for (size_t k = 0; k < length; k += 2)
                memcpy(text + k, "\xc3\xa9", 2);
            text[0] = text[length - length % 2 + 1] = 'x';
            text[1] = 'y';
            text[length - length % 2 + 2] = 0;
            text[length - length % 2] = 'z';
            load_begin(&load, types[i], 9, 4096);
            load_batch(&load, texts, 3, &batch);
            load_rows(&load, &batch, &misfit);
            assert_null(misfit);
            load_take(&load, &payload);
            talk_begin(&talk, &payload, 4096);
            assert_int_equal(talk_print(&talk, seen, sizeof seen, &err), HAUL_OK);
            snprintf(wanted, sizeof wanted, "small;%s;NULL;", text);
            assert_string_equal(seen, wanted);
            talk_end(&talk);
            batch_release(&batch);
            load_end(&load);
        }
    }
}

/* A dictionary gives the same bytes as its values written out. */
static void dictionaries(void **state)
{
    (void)state;
    static struct bytes plain, turned;
    static const char *const words[] = {"one", "\xe2\x82\xac", "",
                                        "a word of more than thirty-two bytes, surely"};
    static const char *const types[] = {"a7 40 00 " CI, "e7 80 00 " CI, "a7 ff ff " CI};
    for (size_t i = 0; i < 3; i++) {
        const char *misfit, *texts[40];
        struct load load;
        struct batch batch, words_batch;
        struct haul_error err = {0};
        struct ArrowArray indices = {0};
        struct buffer places = {0};
        for (int r = 0; r < 40; r++)
            texts[r] = words[r * 7 % 4];
        load_begin(&load, types[i], 9, 512);
        load_batch(&load, texts, 40, &batch);
        load_rows(&load, &batch, &misfit);
        load_take(&load, &plain);
        batch_release(&batch);
        load_end(&load);

        load_begin(&load, types[i], 9, 512);
        load_batch(&load, words, 4, &words_batch);
        assert_int_equal(buffer_resize(&places, 40 * sizeof(int32_t), &err), HAUL_OK);
        for (int32_t r = 0; r < 40; r++)
            ((int32_t *)(void *)places.data)[r] = r * 7 % 4;
        assert_int_equal(array_init(&indices, 40, 2, 0, &err), HAUL_OK);
        array_set_buffer(&indices, 1, &places);
        assert_int_equal(array_add_dictionary(&indices, words_batch.array.children[0], &err), HAUL_OK);
        array_move(&indices, words_batch.array.children[0]);
        words_batch.array.length = 40;
        load_rows(&load, &words_batch, &misfit);
        load_take(&load, &turned);
        assert_int_equal(plain.length, turned.length);
        assert_memory_equal(plain.data, turned.data, plain.length);
        batch_release(&words_batch);
        load_end(&load);
    }
}

/* Random text of every page: what is sent reads back the same, all else is a misfit. */
static void random_texts(void **state)
{
    (void)state;
    static const char *const types[] = {
        "a7 40 1f 09 04 d0 00 34", "a7 40 1f 11 04 00 00 00", "a7 40 1f 19 04 00 00 00",
        "a7 40 1f 09 04 d0 24 00", "e7 40 1f 09 04 d0 00 34", "a7 ff ff 09 04 d0 00 34",
        "e7 ff ff 09 04 d0 00 34", "a7 40 1f 2a 04 00 00 00", "a7 40 1f 04 08 00 00 00"};
    static const uint32_t ranges[][2] = {{0x20, 0x7f},     {0xa0, 0x180},    {0x400, 0x460},
                                         {0x3040, 0x3100}, {0x4e00, 0x5000}, {0x10000, 0x10400},
                                         {0x1e00, 0x2200}};
    static struct bytes payload;
    static char text[2048], seen[8192], wanted[4096];
    int trials = trials_begin("mssql/encode", 300);
    for (int t = 0; t < trials; t++) {
        const char *misfit, *texts[1] = {text};
        struct load load;
        struct batch batch;
        struct haul_error err = {0};
        size_t length = 0, characters = (size_t)(trials_random() % 200);
        bool plain = trials_random() % 3 == 0;
        for (size_t i = 0; i < characters; i++) {
            const uint32_t *range = ranges[plain || trials_random() % 4 ? 0 : trials_random() % 7];
            length += put_code(range[0] + (uint32_t)(trials_random() % (range[1] - range[0])), text + length);
        }
        text[length] = '\0';
        load_begin(&load, types[trials_random() % 9], 9, 512 + (size_t)(trials_random() % 3000));
        load_batch(&load, texts, 1, &batch);
        load_rows(&load, &batch, &misfit);
        assert_true(!misfit || !plain);
        load_take(&load, &payload);
        if (!misfit) {
            struct talk talk;
            talk_begin(&talk, &payload, 500);
            assert_int_equal(talk_print(&talk, seen, sizeof seen, &err), HAUL_OK);
            snprintf(wanted, sizeof wanted, "%s;", text);
            assert_string_equal(seen, wanted);
            talk_end(&talk);
        }
        batch_release(&batch);
        load_end(&load);
    }
}

static void statements(void **state)
{
    (void)state;
    static const struct {
        const char *type, *declared;
    } rows[] = {
        {"38", "[b] int"},
        {"6a 05 09 02", "[b] decimal(9,2)"},
        {"e7 14 00 " CI, "[b] nvarchar(10)"},
        {"a7 ff ff " CI, "[b] varchar(max)"},
        {"23 ff ff ff 7f " CI " 00", "[b] varchar(max)"},
        {"f1 00", "[b] xml"},
        {"2b 03", "[b] datetimeoffset(3)"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct load load;
        struct sql sql = {.dialect = &ms_dialect};
        struct haul_error err = {0};
        struct table_name name = {.database = "d]b", .schema = "dbo", .name = "t"};
        char wanted[256];
        load_begin(&load, rows[i].type, 9, 4096);
        ms_bulk_statement(&name, &load.column, 1, &sql);
        snprintf(wanted, sizeof wanted, "INSERT BULK [d]]b].[dbo].[t] (%s)", rows[i].declared);
        assert_string_equal(sql_text(&sql, &err), wanted);
        sql_release(&sql);
        load_end(&load);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_type_at_every_border),
        cmocka_unit_test(misfits_are_not_sent),
        cmocka_unit_test(null_where_there_may_be_none),
        cmocka_unit_test(more_digits_than_declared),
        cmocka_unit_test(losses_are_counted),
        cmocka_unit_test(large_values),
        cmocka_unit_test(dictionaries),
        cmocka_unit_test(random_texts),
        cmocka_unit_test(statements),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
