/*
 * What lies between a file and its text: gzip and zstd, whole, in several members
 * and damaged at every place; UTF-16 and code pages, cut at every place.
 */
#include "support.h"

#include "format/codec.h"

static const char plain[] = "id,name\n1,alpha\n2,\"beta\nbeta\"\n3,gamma\n4,delta\n";
static const char rows[] = "id:int64|name:utf8\n1|alpha\n2|beta\nbeta\n3|gamma\n4|delta\n";

static void pack(enum codec_id id, const void *data, size_t length, struct buffer *out)
{
    struct codec *codec = NULL;
    struct haul_error err = {0};
    assert_int_equal(codec_open(&codec, id, -1, &err), HAUL_OK);
    assert_int_equal(codec_compress(codec, data, length, out, &err), HAUL_OK);
    codec_close(codec);
}

static void add(struct buffer *out, const void *data, size_t length)
{
    struct haul_error err = {0};
    assert_int_equal(buffer_append(out, data, length, &err), HAUL_OK);
}

static void expect(const char *options, const char *name, const struct buffer *data, const char *want)
{
    struct buffer got;
    test_read(options, name, data->data, data->length, &got);
    if (!strstr((char *)got.data, want))
        print_error("%s %s\n got: %s\nwant: %s\n", options, name, (char *)got.data, want);
    assert_non_null(strstr((char *)got.data, want));
    assert_true(want != rows || strcmp((char *)got.data, rows) == 0);
    buffer_release(&got);
}

static void test_members(void **state)
{
    (void)state;
    static const enum codec_id ids[] = {CODEC_GZIP, CODEC_ZSTD};
    static const char *const names[] = {"memory:a.csv.gz", "memory:a.CSV.ZST", "memory:a.csv", "memory:a"};
    for (size_t i = 0; i < 2; i++) {
        for (size_t cut = 0; cut < sizeof plain; cut++) {
            struct buffer data = {0};
            pack(ids[i], plain, cut, &data);
            pack(ids[i], plain + cut, sizeof plain - 1 - cut, &data);
            expect("", names[i], &data, rows);
            expect("", names[2], &data, rows);
            expect("", names[3], &data, rows);
            buffer_release(&data);
        }
        struct buffer data = {0};
        pack(ids[i], plain, sizeof plain - 1, &data);
        add(&data, "junk", 4);
        expect("", names[2], &data,
               ids[i] == CODEC_GZIP ? "what follows its end is not gzip" : "is damaged near byte");
        buffer_release(&data);
    }
    struct buffer data = {0};
    pack(CODEC_GZIP, plain, sizeof plain - 1, &data);
    size_t length = data.length;
    add(&data, "\0\0\0\0", 4);
    expect("", names[0], &data, rows);
    add(&data, "\0x", 2);
    expect("", names[0], &data, "something follows the padding");
    data.length = length;
    expect("", "memory:a.csv.zst", &data, rows);
    buffer_release(&data);
    add(&data, plain, sizeof plain - 1);
    expect("", names[0], &data, "# memory:a.csv.gz holds no gzip data, whatever its name says; rename it");
    expect("", names[1], &data, "holds no zstd data");
    buffer_release(&data);
}

/* Cut anywhere, it must not look like a shorter table. */
static void test_cut(void **state)
{
    (void)state;
    static const enum codec_id ids[] = {CODEC_GZIP, CODEC_ZSTD};
    for (size_t i = 0; i < 2; i++) {
        struct buffer data = {0};
        pack(ids[i], plain, sizeof plain - 1, &data);
        for (size_t length = data.length - 1; length > 4; length--) {
            data.length = length;
            expect("", "memory:a.csv", &data, " data is cut short: it ends at byte ");
        }
        buffer_release(&data);
    }
}

/* gzip has a checksum: a changed bit is found, or changed nothing. */
static void test_flipped(void **state)
{
    (void)state;
    struct buffer data = {0}, got;
    pack(CODEC_GZIP, plain, sizeof plain - 1, &data);
    for (size_t bit = 24; bit < data.length * 8; bit++) {
        data.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
        test_read("", "memory:a.csv", data.data, data.length, &got);
        assert_true(strstr((char *)got.data, "# ") || strcmp((char *)got.data, rows) == 0);
        data.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
        buffer_release(&got);
    }
    buffer_release(&data);
}

/* One part, which can be read again, also from a row on. */
static void test_again(void **state)
{
    (void)state;
    struct test_run run;
    struct buffer data = {0}, out;
    struct source_info info = {0};
    struct arena arena = {0};
    const struct split_request wish = {1, 1};
    struct part part = {0}, none = {0};
    bool more;
    test_begin(&run, "");
    pack(CODEC_GZIP, plain, sizeof plain - 1, &data);
    assert_int_equal(test_open(&run, "memory:a.csv.gz", data.data, data.length), HAUL_OK);
    assert_int_equal(run.input->ops->describe(run.input, &info, &run.err), HAUL_OK);
    assert_true(info.replayable);
    assert_int_equal(info.splits_max, 1);
    assert_int_equal(run.input->ops->split(run.input, &wish, &arena, &part, &more, &run.err), HAUL_OK);
    assert_true(more);
    for (int64_t first = 0; first <= 4; first++) {
        buffer_init(&out, NULL);
        assert_int_equal(test_read_part(&run, &part, first, 1000, &out), 4 - first);
        if (first == 2)
            assert_memory_equal(out.data, "3|gamma\n4|delta\n", out.length);
        buffer_release(&out);
    }
    assert_int_equal(run.input->ops->split(run.input, &wish, &arena, &none, &more, &run.err), HAUL_OK);
    assert_false(more);
    schema_release(&info.schema);
    arena_release(&info.arena);
    arena_release(&arena);
    buffer_release(&data);
    test_end(&run);
}

static void wide(struct buffer *out, const char *ascii, bool big)
{
    for (; *ascii; ascii++) {
        char unit[2] = {big ? 0 : *ascii, big ? *ascii : 0};
        add(out, unit, 2);
    }
}

static void test_utf16(void **state)
{
    (void)state;
    static const char *const marks[] = {"\xff\xfe", "\xfe\xff"}, *const options[] = {"charset=utf-16le",
                                                                                     "charset=utf-16be"};
    for (int big = 0; big < 2; big++) {
        struct buffer data = {0};
        wide(&data, plain, big);
        expect(options[big], "memory:a.csv", &data, rows);
        expect("", "memory:a.csv", &data,
               "looks like UTF-16 without a byte order mark; say --charset utf-16");
        buffer_clear(&data);
        add(&data, marks[big], 2);
        wide(&data, plain, big);
        expect("", "memory:a.csv", &data, rows);
        expect("charset=utf16", "memory:a.csv", &data, rows);
        for (size_t length = data.length - 1; length > 20; length -= 2) {
            data.length = length;
            expect("", "memory:a.csv", &data, "the text ends in the middle of a character");
        }
        buffer_release(&data);
    }
    struct buffer data = {0};
    add(&data, "\xff\xfe", 2);
    wide(&data, "a,b\n1,", false);
    add(&data, "\xe4\0\x1d\x20\x3d\xd8\0\xde\n\0", 10); /* a umlaut, a quotation mark, a face in two halves */
    expect("", "memory:a.csv", &data, "1|\xc3\xa4\xe2\x80\x9d\xf0\x9f\x98\x80\n");
    add(&data, "2\0,\0\0\xde\n\0", 8);
    expect("", "memory:a.csv", &data, "# line 3, byte 28: these bytes are no character");
    buffer_release(&data);
}

static void test_code_pages(void **state)
{
    (void)state;
    struct buffer data = {0};
    add(&data, "a,b\r\n1,M\xfcller\r\n2,\x80\r\n", 20);
    expect("charset=windows-1252", "memory:a.csv", &data, "1|M\xc3\xbcller\n2|\xe2\x82\xac\n");
    expect("charset=Latin1", "memory:a.csv", &data, "1|M\xc3\xbcller\n2|\xc2\x80\n");
    expect("charset=cp437", "memory:a.csv", &data, "2|\xc3\x87\n");
    expect("charset=utf-8", "memory:a.csv", &data, "! line 2 b: not valid UTF-8");
    expect("charset=klingon", "memory:a.csv", &data,
           "# --charset klingon: this system knows no such encoding");
    expect("charset=utf-8//IGNORE", "memory:a.csv", &data, "knows no such encoding");
    expect("charset=xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", "memory:a.csv", &data,
           "knows no such");
    add(&data, "3,\x81\r\n", 5);
    expect("charset=windows-1252", "memory:a.csv", &data, "# line 4, byte 22: these bytes are no character");
    buffer_release(&data);
}

/* Longer than every buffer on the way, in several layers. */
static void test_long(void **state)
{
    (void)state;
    struct buffer text = {0}, data = {0}, packed = {0}, want, got;
    struct haul_error err = {0};
    add(&text, "id,t\n", 5);
    for (int i = 0; text.length < (size_t)5 << 20; i++)
        assert_int_equal(buffer_printf(&text, &err, "%d,\"text %d\n\"\n", i, i * 7), HAUL_OK);
    add(&text, "", 1);
    test_read("", "memory:want.csv", text.data, text.length - 1, &want);
    add(&data, "\xff\xfe", 2);
    wide(&data, (char *)text.data, false);
    pack(CODEC_ZSTD, data.data, data.length, &packed);
    test_read("", "memory:got.csv.zst", packed.data, packed.length, &got);
    assert_string_equal((char *)got.data, (char *)want.data);
    buffer_release(&got);
    buffer_release(&want);
    buffer_release(&packed);
    buffer_release(&data);
    buffer_release(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_members), cmocka_unit_test(test_cut),   cmocka_unit_test(test_flipped),
        cmocka_unit_test(test_again),   cmocka_unit_test(test_utf16), cmocka_unit_test(test_code_pages),
        cmocka_unit_test(test_long),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
