/*
 * Reading files made by hand: rows, parts, columns, nesting, and every way a
 * small file can be cut or contradict itself.
 */
#include "batch/view.h"
#include "format/parquet/page_header.h"
#include "format/parquet/parquet.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#define NAME "memory:made.parquet"

/* ---- making files ---- */

struct made {
    struct buffer bytes;
    struct schema_element elements[16];
    struct column_chunk chunks[8][4]; /* [row group][column] */
    struct column_metadata metas[8][4];
    int32_t encodings[1];
    struct row_group groups[8];
    struct file_metadata meta;
    struct haul_error err;
};

static void put(struct made *made, const void *data, size_t length)
{
    assert_int_equal(buffer_append(&made->bytes, data, length, &made->err), HAUL_OK);
}

static void made_begin(struct made *made, int columns)
{
    memset(made, 0, sizeof *made);
    put(made, "PAR1", 4);
    made->meta.schema.items = made->elements;
    made->meta.schema.count = 1;
    made->meta.row_groups.items = made->groups;
    made->elements[0].name = (struct slice){(const uint8_t *)"schema", 6};
    made->elements[0].num_children = columns;
    thrift_set(&made->elements[0], ELEMENT_NUM_CHILDREN);
}

static struct schema_element *made_element(struct made *made, const char *name, int repetition)
{
    struct schema_element *e = &made->elements[made->meta.schema.count++];
    e->name = (struct slice){(const uint8_t *)name, strlen(name)};
    e->repetition = repetition;
    thrift_set(e, ELEMENT_REPETITION);
    return e;
}

static void made_leaf(struct made *made, const char *name, int repetition, enum parquet_type type)
{
    struct schema_element *e = made_element(made, name, repetition);
    e->type = (int32_t)type;
    thrift_set(e, ELEMENT_TYPE);
}

static void made_group(struct made *made, int64_t rows)
{
    struct row_group *group = &made->groups[made->meta.row_groups.count];
    group->columns.items = made->chunks[made->meta.row_groups.count++];
    group->num_rows = rows;
    made->meta.num_rows += rows;
}

/* One page of a column: levels and values as they stand in it. */
static void made_chunk(struct made *made, enum parquet_type type, int32_t values, const void *body,
                       size_t length)
{
    size_t at = made->meta.row_groups.count - 1;
    struct row_group *group = &made->groups[at];
    struct column_metadata *meta = &made->metas[at][group->columns.count];
    struct data_page_header data = {.num_values = values,
                                    .definition_level_encoding = ENCODING_RLE,
                                    .repetition_level_encoding = ENCODING_RLE};
    struct page_header header = {.uncompressed_size = (int32_t)length, .compressed_size = (int32_t)length};
    header.data = &data;
    thrift_set(&header, PAGE_HEADER_DATA);
    int64_t start = (int64_t)made->bytes.length;
    assert_int_equal(page_header_write(&header, &made->bytes, &made->err), HAUL_OK);
    put(made, body, length);
    meta->type = (int32_t)type;
    meta->num_values = values;
    meta->data_page_offset = start;
    meta->total_compressed_size = meta->total_uncompressed_size = (int64_t)made->bytes.length - start;
    group->total_byte_size += meta->total_compressed_size;
    struct column_chunk *chunk = &group->columns.items[group->columns.count++];
    chunk->meta = meta;
    thrift_set(chunk, CHUNK_META_DATA);
}

static void made_end(struct made *made)
{
    size_t before = made->bytes.length;
    assert_int_equal(thrift_write(&thrift_file_metadata, &made->meta, &made->bytes, &made->err), HAUL_OK);
    uint32_t length = (uint32_t)(made->bytes.length - before);
    put(made, &length, sizeof length);
    put(made, "PAR1", 4);
}

/* Three row groups of 3, 3 and 2 rows: id int64 counting, c int32 with a null in the middle. */
static void made_flat(struct made *made)
{
    int64_t id = 0;
    made_begin(made, 2);
    made_leaf(made, "id", PARQUET_REQUIRED, PARQUET_INT64);
    made_leaf(made, "c", PARQUET_OPTIONAL, PARQUET_INT32);
    for (int group = 0; group < 3; group++) {
        int32_t rows = group < 2 ? 3 : 2;
        uint8_t body[64];
        made_group(made, rows);
        for (int i = 0; i < rows; i++, id++)
            memcpy(body + i * 8, &id, 8);
        made_chunk(made, PARQUET_INT64, rows, body, (size_t)rows * 8);
        static const uint8_t three[] = {2, 0, 0, 0, 3, 5, 1, 0, 0, 0, 3, 0, 0, 0};
        static const uint8_t two[] = {2, 0, 0, 0, 3, 1, 1, 0, 0, 0};
        if (rows == 3)
            made_chunk(made, PARQUET_INT32, rows, three, sizeof three);
        else
            made_chunk(made, PARQUET_INT32, rows, two, sizeof two);
    }
    made_end(made);
}

/* ---- reading them ---- */

struct opened {
    struct context context;
    struct cancel cancel;
    struct input_file *file;
    struct format_input *input;
    struct haul_error err;
};

static enum haul_code open_bytes(struct opened *opened, const uint8_t *data, size_t length,
                                 const struct source_request *source)
{
    static const struct source_request all = {0};
    struct format_request request = {.context = &opened->context, .source = source ? source : &all};
    memset(opened, 0, sizeof *opened);
    context_init(&opened->context);
    opened->context.cancel = &opened->cancel;
    assert_int_equal(store_memory_put(NAME, data, length, &opened->err), HAUL_OK);
    assert_int_equal(store_memory.open(NAME, &opened->context, &opened->file, &opened->err), HAUL_OK);
    return format_parquet.open_input(&request, opened->file, &opened->input, &opened->err);
}

static void opened_close(struct opened *opened)
{
    if (opened->input)
        opened->input->ops->close(opened->input);
    opened->file->ops->close(opened->file);
    store_memory_clear();
}

static void print_batch(const struct batch *batch, struct buffer *out, struct haul_error *err)
{
    for (int64_t row = 0; row < batch->array.length; row++) {
        for (int i = 0; i < batch->schema->count; i++) {
            struct view view;
            assert_int_equal(view_init(&view, &batch->schema->fields[i], batch->array.children[i], err),
                             HAUL_OK);
            assert_int_equal(buffer_append(out, i ? "|" : "", i ? 1 : 0, err), HAUL_OK);
            if (view_is_null(&view, row))
                assert_int_equal(buffer_append(out, "NULL", 4, err), HAUL_OK);
            else
                assert_int_equal(view_print(&view, row, out, err), HAUL_OK);
        }
        assert_int_equal(buffer_append(out, "\n", 1, err), HAUL_OK);
    }
}

/* Rows of one part as text from `first_row` on, read `rows_max` at a time. */
static enum haul_code read_part(struct opened *opened, const char *spec, int64_t first_row, int64_t rows_max,
                                struct buffer *out)
{
    struct part part = {.spec = (char *)(uintptr_t)spec};
    struct reader *reader = NULL;
    bool end = false;
    int64_t place = first_row;
    enum haul_code code =
        opened->input->ops->open(opened->input, &opened->context, &part, first_row, &reader, &opened->err);
    while (!code && !end) {
        struct batch batch = {0};
        code = reader->ops->next(reader, rows_max, &batch, &end, &opened->err);
        if (!code && !end) {
            assert_true(batch.array.length <= rows_max);
            assert_int_equal(batch.first_row, place);
            place += batch.array.length;
            print_batch(&batch, out, &opened->err);
        }
        batch_release(&batch);
    }
    if (reader)
        reader->ops->close(reader);
    return code;
}

static void expect_part(struct opened *opened, const char *spec, int64_t first_row, int64_t rows_max,
                        const char *text)
{
    struct buffer out = {0};
    if (read_part(opened, spec, first_row, rows_max, &out))
        fail_msg("%s", opened->err.message);
    assert_int_equal(buffer_append(&out, "", 1, &opened->err), HAUL_OK);
    assert_string_equal((const char *)out.data, text);
    buffer_release(&out);
}

static void test_rows_and_parts(void **state)
{
    struct made made;
    struct opened opened;
    (void)state;
    made_flat(&made);
    assert_int_equal(open_bytes(&opened, made.bytes.data, made.bytes.length, NULL), HAUL_OK);
    for (int64_t rows_max = 1; rows_max < 9; rows_max++) {
        expect_part(&opened, "rg 0-2", 0, rows_max, "0|1\n1|NULL\n2|3\n3|1\n4|NULL\n5|3\n6|1\n7|NULL\n");
        expect_part(&opened, "rg 1", 0, rows_max, "3|1\n4|NULL\n5|3\n");
        expect_part(&opened, "rg 0-2", 4, rows_max, "4|NULL\n5|3\n6|1\n7|NULL\n");
        expect_part(&opened, "rg 0-2", 8, rows_max, "");
    }
    struct buffer out = {0};
    assert_int_equal(read_part(&opened, "rg 3", 0, 10, &out), HAUL_CHANGED);
    assert_int_equal(read_part(&opened, "rg 1-0", 0, 10, &out), HAUL_DATA);
    assert_int_equal(read_part(&opened, "bytes 0-1", 0, 10, &out), HAUL_DATA);
    buffer_release(&out);
    opened_close(&opened);
    buffer_release(&made.bytes);
}

static void split_all(struct opened *opened, int64_t rows, int64_t bytes, const char *expected)
{
    struct split_request request = {rows, bytes};
    struct arena arena = {0};
    char text[256] = "";
    for (bool more = true; more;) {
        struct part part = {0};
        assert_int_equal(
            opened->input->ops->split(opened->input, &request, &arena, &part, &more, &opened->err), HAUL_OK);
        if (more)
            snprintf(text + strlen(text), sizeof text - strlen(text), "%s=%d ", part.spec, (int)part.rows);
    }
    assert_string_equal(text, expected);
    arena_release(&arena);
}

static void test_split(void **state)
{
    static const struct {
        int64_t rows, bytes;
        const char *expected;
    } cases[] = {{-1, -1, "rg 0=3 rg 1=3 rg 2=2 "},
                 {1, -1, "rg 0=3 rg 1=3 rg 2=2 "},
                 {6, -1, "rg 0-1=6 rg 2=2 "},
                 {5, -1, "rg 0=3 rg 1-2=5 "},
                 {100, -1, "rg 0-2=8 "},
                 {100, 1, "rg 0=3 rg 1=3 rg 2=2 "}};
    struct made made;
    (void)state;
    made_flat(&made);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct opened opened;
        assert_int_equal(open_bytes(&opened, made.bytes.data, made.bytes.length, NULL), HAUL_OK);
        split_all(&opened, cases[i].rows, cases[i].bytes, cases[i].expected);
        opened_close(&opened);
    }
    buffer_release(&made.bytes);
}

static void test_columns(void **state)
{
    static const char *const names[] = {"c", "id"};
    static const char *const typo[] = {"idd"};
    struct source_request request = {.columns = names, .column_count = 2};
    struct made made;
    struct opened opened;
    (void)state;
    made_flat(&made);
    assert_int_equal(open_bytes(&opened, made.bytes.data, made.bytes.length, &request), HAUL_OK);
    expect_part(&opened, "rg 0", 0, 10, "1|0\nNULL|1\n3|2\n");
    opened_close(&opened);
    request.columns = typo;
    request.column_count = 1;
    assert_int_not_equal(open_bytes(&opened, made.bytes.data, made.bytes.length, &request), HAUL_OK);
    opened_close(&opened);
    request = (struct source_request){.schema = "id:int64"};
    assert_int_equal(open_bytes(&opened, made.bytes.data, made.bytes.length, &request), HAUL_USAGE);
    opened_close(&opened);
    buffer_release(&made.bytes);
}

static void test_no_rows(void **state)
{
    struct made made;
    struct opened opened;
    (void)state;
    made_begin(&made, 1);
    made_leaf(&made, "id", PARQUET_REQUIRED, PARQUET_INT64);
    made_end(&made);
    assert_int_equal(open_bytes(&opened, made.bytes.data, made.bytes.length, NULL), HAUL_OK);
    split_all(&opened, 10, 10, "rg none=0 ");
    expect_part(&opened, "rg none", 0, 10, "");
    opened_close(&opened);
    buffer_release(&made.bytes);
}

/* ---- nesting: the example of specification section 6 ---- */

static void made_list(struct made *made, const uint8_t *body, size_t length, int64_t rows, int32_t values)
{
    made_begin(made, 1);
    struct schema_element *list = made_element(made, "l", PARQUET_OPTIONAL);
    list->num_children = 1;
    list->converted = CONVERTED_LIST;
    list->has |= 1u << ELEMENT_NUM_CHILDREN | 1u << ELEMENT_CONVERTED;
    struct schema_element *repeated = made_element(made, "list", PARQUET_REPEATED);
    repeated->num_children = 1;
    thrift_set(repeated, ELEMENT_NUM_CHILDREN);
    made_leaf(made, "element", PARQUET_OPTIONAL, PARQUET_INT32);
    made_group(made, rows);
    made_chunk(made, PARQUET_INT32, values, body, length);
    made_end(made);
}

/* NULL, [], [NULL], [5, NULL, 7]: repetition 0 0 0 0 1 1, definition 0 1 2 3 2 3 */
static const uint8_t list_body[] = {2, 0, 0, 0, 3, 0x30, 3, 0, 0, 0, 3, 0xe4, 0x0e, 5, 0, 0, 0, 7, 0, 0, 0};

static void test_list(void **state)
{
    struct made made;
    struct opened opened;
    (void)state;
    made_list(&made, list_body, sizeof list_body, 4, 6);
    assert_int_equal(open_bytes(&opened, made.bytes.data, made.bytes.length, NULL), HAUL_OK);
    for (int64_t rows_max = 1; rows_max < 6; rows_max++) {
        expect_part(&opened, "rg 0", 0, rows_max, "NULL\n[]\n[null]\n[5,null,7]\n");
        expect_part(&opened, "rg 0", 2, rows_max, "[null]\n[5,null,7]\n");
    }
    opened_close(&opened);
    buffer_release(&made.bytes);
}

static void refuse_read(struct made *made, enum haul_code expected, const char *word)
{
    struct opened opened;
    struct buffer out = {0};
    enum haul_code code = open_bytes(&opened, made->bytes.data, made->bytes.length, NULL);
    if (!code)
        code = read_part(&opened, "rg 0", 0, 100, &out);
    assert_int_equal(code, expected);
    if (!strstr(opened.err.message, word))
        fail_msg("\"%s\" does not say \"%s\"", opened.err.message, word);
    buffer_release(&out);
    opened_close(&opened);
    buffer_release(&made->bytes);
}

static void test_list_lies(void **state)
{
    static const uint8_t late[] = {2, 0, 0, 0, 3, 1, 2, 0, 0, 0, 4, 3, 5, 0, 0, 0, 7, 0, 0, 0};
    struct made made;
    (void)state;
    made_list(&made, late, sizeof late, 1, 2);
    refuse_read(&made, HAUL_DATA, "repetition level");
    made_list(&made, list_body, sizeof list_body, 5, 6);
    refuse_read(&made, HAUL_DATA, "fewer values");
    made_list(&made, list_body, sizeof list_body, 3, 6);
    refuse_read(&made, HAUL_DATA, "more values");
    made_list(&made, list_body, sizeof list_body - 1, 4, 6);
    refuse_read(&made, HAUL_DATA, "fewer values");
}

/* ---- damage ---- */

/* Reads everything there is; the code is of no interest, that it comes back is. */
static enum haul_code read_any(const uint8_t *data, size_t length)
{
    struct opened opened;
    struct buffer out = {0};
    enum haul_code code = open_bytes(&opened, data, length, NULL);
    if (!code)
        code = read_part(&opened, "rg 0-2", 0, 100, &out);
    buffer_release(&out);
    opened_close(&opened);
    return code;
}

static void test_cut_anywhere(void **state)
{
    struct made made;
    (void)state;
    made_flat(&made);
    for (size_t length = 0; length < made.bytes.length; length++)
        assert_int_not_equal(read_any(made.bytes.data, length), HAUL_OK);
    assert_int_equal(read_any(made.bytes.data, made.bytes.length), HAUL_OK);
    buffer_release(&made.bytes);
}

static void test_any_byte_changed(void **state)
{
    static const uint8_t flips[] = {0x01, 0x80, 0xff, 0x10};
    struct made made;
    int refused = 0;
    (void)state;
    made_flat(&made);
    for (size_t i = 0; i < made.bytes.length; i++) {
        for (size_t j = 0; j < sizeof flips; j++) {
            made.bytes.data[i] ^= flips[j];
            refused += read_any(made.bytes.data, made.bytes.length) != HAUL_OK;
            made.bytes.data[i] ^= flips[j];
        }
    }
    assert_true(refused > 500);
    buffer_release(&made.bytes);
}

static void test_refusals(void **state)
{
    struct made made;
    static const uint8_t index_page[] = {1, 3, 0};
    (void)state;
    made_flat(&made);
    memcpy(made.bytes.data + made.bytes.length - 4, "PARE", 4);
    refuse_read(&made, HAUL_UNSUPPORTED, "encrypted");
    made_flat(&made);
    memcpy(made.bytes.data, "CSV!", 4);
    refuse_read(&made, HAUL_DATA, "PAR1");
    made_flat(&made);
    made.bytes.data[made.bytes.length - 5] = 0x7f;
    refuse_read(&made, HAUL_DATA, "footer");
    made_begin(&made, 1); /* index values without a dictionary */
    made_leaf(&made, "c", PARQUET_REQUIRED, PARQUET_INT32);
    made_group(&made, 8);
    made_chunk(&made, PARQUET_INT32, 8, index_page, sizeof index_page);
    made_end(&made);
    refuse_read(&made, HAUL_DATA, "column \"c\"");
    made_begin(&made, 1); /* a type that the schema denies */
    made_leaf(&made, "c", PARQUET_REQUIRED, PARQUET_INT32);
    made_group(&made, 1);
    made_chunk(&made, PARQUET_INT64, 1, "12345678", 8);
    made_end(&made);
    refuse_read(&made, HAUL_DATA, "INT64");
}

static void test_text_must_be_utf8(void **state)
{
    /* each value is checked on its own: the two halves of a character are not text */
    static const uint8_t halves[] = {1, 0, 0, 0, 0xc3, 1, 0, 0, 0, 0xa9};
    static const uint8_t whole[] = {2, 0, 0, 0, 0xc3, 0xa9, 0, 0, 0, 0};
    struct made made;
    struct opened opened;
    (void)state;
    for (int good = 0; good < 2; good++) {
        made_begin(&made, 1);
        made_leaf(&made, "t", PARQUET_REQUIRED, PARQUET_BYTE_ARRAY);
        made.elements[1].converted = CONVERTED_UTF8;
        thrift_set(&made.elements[1], ELEMENT_CONVERTED);
        made_group(&made, 2);
        made_chunk(&made, PARQUET_BYTE_ARRAY, 2, good ? whole : halves, sizeof whole);
        made_end(&made);
        if (!good) {
            refuse_read(&made, HAUL_DATA, "UTF-8");
            continue;
        }
        assert_int_equal(open_bytes(&opened, made.bytes.data, made.bytes.length, NULL), HAUL_OK);
        expect_part(&opened, "rg 0", 0, 10, "\xc3\xa9\n\n");
        opened_close(&opened);
        buffer_release(&made.bytes);
    }
}

static void inspect_made(struct made *made, struct opened *opened, struct inspection *out)
{
    memset(out, 0, sizeof *out);
    assert_int_equal(open_bytes(opened, made->bytes.data, made->bytes.length, NULL), HAUL_OK);
    assert_int_equal(opened->input->ops->inspect(opened->input, out, &opened->err), HAUL_OK);
}

static void inspect_done(struct made *made, struct opened *opened, struct inspection *out)
{
    arena_release(&out->arena);
    opened_close(opened);
    buffer_release(&made->bytes);
}

static void test_inspect(void **state)
{
    struct made made;
    struct opened opened;
    struct inspection out;
    (void)state;
    made_flat(&made);
    inspect_made(&made, &opened, &out);
    assert_int_equal(out.rows, 8);
    assert_int_equal(out.column_count, 2);
    assert_string_equal(out.columns[1].name, "c");
    assert_string_equal(out.columns[1].type, "int32");
    assert_string_equal(out.columns[1].codec, "none");
    assert_int_equal(out.columns[1].values, 8);
    assert_int_equal(out.columns[1].nulls, -1); /* no statistics */
    assert_int_equal(out.columns[1].pages, -1);
    assert_null(out.columns[1].min);
    assert_int_equal(out.group_count, 3);
    assert_int_equal(out.groups[0].offset, 4);
    inspect_done(&made, &opened, &out);
}

/* Two row groups of one INT32 column with the deprecated bounds, which count
 * for signed numbers only. */
static void made_bounds(struct made *made, bool is_unsigned, size_t bound_bytes)
{
    static const int32_t bounds[2][2] = {{-5, 3}, {-7, 1}};
    static struct statistics statistics[2];
    made_begin(made, 1);
    made_leaf(made, "n", PARQUET_REQUIRED, PARQUET_INT32);
    if (is_unsigned) {
        made->elements[1].converted = CONVERTED_UINT_32;
        thrift_set(&made->elements[1], ELEMENT_CONVERTED);
    }
    for (int i = 0; i < 2; i++) {
        made_group(made, 2);
        made_chunk(made, PARQUET_INT32, 2, bounds[i], 8);
        statistics[i] = (struct statistics){.min_old = {(const uint8_t *)&bounds[i][0], bound_bytes},
                                            .max_old = {(const uint8_t *)&bounds[i][1], bound_bytes}};
        thrift_set(&statistics[i], STATISTICS_MIN_OLD);
        thrift_set(&statistics[i], STATISTICS_MAX_OLD);
        thrift_set(&statistics[i], STATISTICS_NULL_COUNT);
        made->metas[i][0].statistics = &statistics[i];
        thrift_set(&made->metas[i][0], COLUMN_META_STATISTICS);
    }
    made_end(made);
}

static void test_bounds(void **state)
{
    struct made made;
    struct opened opened;
    struct inspection out;
    (void)state;
    made_bounds(&made, false, 4);
    inspect_made(&made, &opened, &out);
    assert_int_equal(out.columns[0].nulls, 0);
    assert_string_equal(out.columns[0].min, "-7");
    assert_string_equal(out.columns[0].max, "3");
    inspect_done(&made, &opened, &out);
    made_bounds(&made, true, 4); /* the old order of unsigned numbers is in doubt */
    inspect_made(&made, &opened, &out);
    assert_null(out.columns[0].min);
    inspect_done(&made, &opened, &out);
    made_bounds(&made, false, 3); /* no INT32 */
    inspect_made(&made, &opened, &out);
    assert_null(out.columns[0].min);
    assert_null(out.columns[0].max);
    inspect_done(&made, &opened, &out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows_and_parts), cmocka_unit_test(test_split),
        cmocka_unit_test(test_columns),        cmocka_unit_test(test_no_rows),
        cmocka_unit_test(test_list),           cmocka_unit_test(test_list_lies),
        cmocka_unit_test(test_cut_anywhere),   cmocka_unit_test(test_any_byte_changed),
        cmocka_unit_test(test_refusals),       cmocka_unit_test(test_text_must_be_utf8),
        cmocka_unit_test(test_inspect),        cmocka_unit_test(test_bounds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
