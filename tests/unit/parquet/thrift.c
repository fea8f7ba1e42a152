/*
 * Thrift's compact protocol: the worked example of the specification, fields
 * nobody knows, what is cut or lies about its size, and both ways at once.
 */
#include "format/parquet/footer.h"
#include "format/parquet/page_header.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

/* The footer of specification section 3.1, without length and magic. */
static const uint8_t footer[] = {
    0x15, 0x04, 0x19, 0x2c, 0x35, 0x00, 0x18, 0x06, 's',  'c',  'h',  'e',  'm',  'a',  0x15, 0x02,
    0x00, 0x15, 0x02, 0x25, 0x02, 0x18, 0x01, 'c',  0x00, 0x16, 0x06, 0x19, 0x1c, 0x19, 0x1c, 0x26,
    0x00, 0x1c, 0x15, 0x02, 0x19, 0x25, 0x06, 0x00, 0x19, 0x18, 0x01, 'c',  0x15, 0x00, 0x16, 0x06,
    0x16, 0x42, 0x16, 0x42, 0x26, 0x08, 0x49, 0x1c, 0x15, 0x00, 0x15, 0x00, 0x15, 0x02, 0x00, 0x3c,
    0x29, 0x06, 0x19, 0x26, 0x02, 0x04, 0x00, 0x00, 0x00, 0x16, 0x42, 0x16, 0x06, 0x26, 0x08, 0x16,
    0x42, 0x00, 0x28, 0x20, 'p',  'a',  'r',  'q',  'u',  'e',  't',  '-',  'c',  'p',  'p',  '-',
    'a',  'r',  'r',  'o',  'w',  ' ',  'v',  'e',  'r',  's',  'i',  'o',  'n',  ' ',  '2',  '6',
    '.',  '0',  '.',  '1',  0x19, 0x1c, 0x1c, 0x00, 0x00, 0x00};

static enum haul_code parse(const void *data, size_t length, struct file_metadata *meta, struct arena *arena,
                            bool *cut)
{
    struct haul_error err = {0};
    size_t used = 0;
    enum haul_code code =
        thrift_parse(&thrift_file_metadata, (struct slice){data, length}, meta, arena, &used, &err);
    assert_int_equal(code, err.code);
    if (!code)
        assert_int_equal(used, length);
    if (cut)
        *cut = used == THRIFT_CUT;
    return code;
}

static void check_example(const struct file_metadata *meta)
{
    assert_int_equal(meta->version, 2);
    assert_int_equal(meta->num_rows, 3);
    assert_int_equal(meta->schema.count, 2);
    assert_int_equal(meta->schema.items[0].num_children, 1);
    assert_int_equal(meta->schema.items[1].type, PARQUET_INT32);
    assert_int_equal(meta->schema.items[1].repetition, PARQUET_OPTIONAL);
    assert_int_equal(meta->row_groups.count, 1);
    const struct row_group *group = &meta->row_groups.items[0];
    assert_int_equal(group->file_offset, 4);
    assert_int_equal(group->columns.count, 1);
    const struct column_metadata *column = group->columns.items[0].meta;
    assert_int_equal(column->encodings.count, 2);
    assert_int_equal(column->encodings.items[0], ENCODING_RLE);
    assert_int_equal(column->data_page_offset, 4);
    assert_int_equal(column->encoding_stats.items[0].count, 1);
    assert_int_equal(column->size_statistics->definition_level_histogram.items[1], 2);
    assert_int_equal(meta->created_by.length, 32);
    assert_true(thrift_has(&meta->column_orders.items[0], COLUMN_ORDER_TYPE));
}

static void test_example(void **state)
{
    struct file_metadata meta;
    struct arena arena = {0};
    (void)state;
    assert_int_equal(parse(footer, sizeof footer, &meta, &arena, NULL), HAUL_OK);
    check_example(&meta);
    arena_release(&arena);
}

static void test_both_ways(void **state)
{
    struct file_metadata meta, again;
    struct arena arena = {0};
    struct buffer out = {0};
    struct haul_error err = {0};
    (void)state;
    assert_int_equal(parse(footer, sizeof footer, &meta, &arena, NULL), HAUL_OK);
    assert_int_equal(thrift_write(&thrift_file_metadata, &meta, &out, &err), HAUL_OK);
    assert_int_equal(parse(out.data, out.length, &again, &arena, NULL), HAUL_OK);
    check_example(&again);
    buffer_release(&out);
    arena_release(&arena);
}

/* Every beginning of a footer is cut, none of them anything else. */
static void test_cut_everywhere(void **state)
{
    (void)state;
    for (size_t length = 0; length < sizeof footer; length++) {
        struct file_metadata meta;
        struct arena arena = {0};
        bool cut = false;
        assert_int_equal(parse(footer, length, &meta, &arena, &cut), HAUL_DATA);
        assert_true(cut);
        arena_release(&arena);
    }
}

static void test_unknown_fields_are_skipped(void **state)
{
    /* a key-value-like struct: fields 20 (map), 21 (list of lists), 22 (struct), 23 (double), 24 (set of
     * bool) */
    static const uint8_t bytes[] = {0x0b, 40,   1,    0x85, 1,   'k', 2,       /* map<binary, i32> of one */
                                    0x19, 0x19, 0x25, 2,    4,                 /* list<list<i32>> */
                                    0x1c, 0x11, 0x00,                          /* struct { bool } */
                                    0x17, 0,    0,    0,    0,   0,   0, 0, 0, /* double */
                                    0x1a, 0x21, 1,    2,                       /* set<bool> */
                                    0x05, 2,    8, /* id 1 by its long form: an i32 of 4 */
                                    0x15, 0,    0x15, 0,    0x00};
    struct page_encoding_stats stats;
    struct arena arena = {0};
    struct haul_error err = {0};
    size_t used = 0;
    static const struct thrift_row rows[] = {
        {1, "type", THRIFT_I32, true, offsetof(struct page_encoding_stats, page_type), NULL},
        {2, "encoding", THRIFT_I32, true, offsetof(struct page_encoding_stats, encoding), NULL},
        {3, "count", THRIFT_I32, true, offsetof(struct page_encoding_stats, count), NULL},
    };
    static const struct thrift_table table = {"test", sizeof stats, rows, 3};
    (void)state;
    assert_int_equal(thrift_parse(&table, (struct slice){bytes, sizeof bytes}, &stats, &arena, &used, &err),
                     HAUL_OK);
    assert_int_equal(used, sizeof bytes);
    assert_int_equal(stats.page_type, 4);
    arena_release(&arena);
}

static void refuse(const uint8_t *bytes, size_t length)
{
    struct file_metadata meta;
    struct arena arena = {0};
    assert_int_equal(parse(bytes, length, &meta, &arena, NULL), HAUL_DATA);
    assert_true(arena.bytes < 65536); /* nothing was believed */
    arena_release(&arena);
}

static void test_lies(void **state)
{
    static const uint8_t huge_list[] = {0x15, 2, 0x19, 0xfc, 0xff, 0xff, 0xff, 0x7f, 0};
    static const uint8_t huge_text[] = {0x15, 2, 0x68, 0xff, 0xff, 0xff, 0xff, 0x07, 'x'};
    static const uint8_t endless_number[] = {0x15, 0x80, 0x80, 0x80, 0x80, 0x80,
                                             0x80, 0x80, 0x80, 0x80, 0x80, 1};
    static const uint8_t wide_number[] = {0x15, 0xff, 0xff, 0xff, 0xff, 0xff, 0x1f, 0};
    static const uint8_t nothing[] = {0};
    static const uint8_t no_such_type[] = {0x1e, 0};
    uint8_t deep[4096];
    (void)state;
    refuse(huge_list, sizeof huge_list);
    refuse(huge_text, sizeof huge_text);
    refuse(endless_number, sizeof endless_number);
    refuse(wide_number, sizeof wide_number);
    refuse(nothing, sizeof nothing);
    refuse(no_such_type, sizeof no_such_type);
    memset(deep, 0xfc, sizeof deep); /* unknown structs in each other */
    refuse(deep, sizeof deep);
}

static enum haul_code parse_page(const uint8_t *bytes, size_t length)
{
    struct page_header header;
    struct arena arena = {0};
    struct haul_error err = {0};
    size_t used = 0;
    enum haul_code code = page_header_parse((struct slice){bytes, length}, &header, &arena, &used, &err);
    arena_release(&arena);
    return code;
}

static void test_page_header(void **state)
{
    static const uint8_t good[] = {0x15, 0,    0x15, 0x1c, 0x15, 0x1c, 0x2c, 0x15, 6, 0x15,
                                   0,    0x15, 6,    0x15, 6,    0x1c, 0,    0,    0};
    static const uint8_t negative[] = {0x15, 0,    0x15, 0x1b, 0x15, 0x1c, 0x2c, 0x15, 6, 0x15,
                                       0,    0x15, 6,    0x15, 6,    0x1c, 0,    0,    0};
    static const uint8_t bare[] = {0x15, 0, 0x15, 0x1c, 0x15, 0x1c, 0};
    /* version 2 with 8 bytes of levels in a page of 4 */
    static const uint8_t levels[] = {0x15, 6, 0x15, 8, 0x15, 8, 0x5c, 0x15, 2, 0x15, 0,
                                     0x15, 2, 0x15, 0, 0x15, 8, 0x15, 8,    0, 0};
    (void)state;
    assert_int_equal(parse_page(good, sizeof good), HAUL_OK);
    assert_int_equal(parse_page(negative, sizeof negative), HAUL_DATA);
    assert_int_equal(parse_page(bare, sizeof bare), HAUL_DATA);
    assert_int_equal(parse_page(levels, sizeof levels), HAUL_DATA);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_example),        cmocka_unit_test(test_both_ways),
        cmocka_unit_test(test_cut_everywhere), cmocka_unit_test(test_unknown_fields_are_skipped),
        cmocka_unit_test(test_lies),           cmocka_unit_test(test_page_header),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
