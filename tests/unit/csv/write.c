/*
 * Writing: what is quoted and how values look; and that what was written reads
 * back the same, whatever the values and the dialect.
 */
#include "support.h"

#include "batch/builder.h"
#include "format/csv/scan.h"

struct table {
    struct schema schema;
    struct batch_builder builder;
};

static void table_init(struct table *table, const char *const *types, int count)
{
    struct haul_error err = {0};
    assert_int_equal(schema_init(&table->schema, count, &err), HAUL_OK);
    for (int i = 0; i < count; i++) {
        struct field *field = &table->schema.fields[i];
        field->nullable = true;
        assert_int_equal(field_parse_type(types[i], &table->schema.arena, field, &err), HAUL_OK);
        field->name = arena_printf(&table->schema.arena, "c%d", i);
    }
    assert_int_equal(batch_builder_init(&table->builder, &table->schema, NULL, &err), HAUL_OK);
}

static void table_add(struct table *table, int column, const char *text)
{
    struct haul_error err = {0};
    struct builder *builder = &table->builder.columns[column];
    enum haul_code code =
        text ? builder_append_text(builder, text, strlen(text), &err) : builder_append_null(builder, &err);
    assert_int_equal(code, HAUL_OK);
}

static void table_finish(struct table *table, struct batch *batch)
{
    struct haul_error err = {0};
    assert_int_equal(batch_builder_finish(&table->builder, batch, &err), HAUL_OK);
    batch->rows_offered = batch->array.length;
}

static void table_release(struct table *table)
{
    batch_builder_release(&table->builder);
    schema_release(&table->schema);
}

/* Writes the batch as `pieces` equal pieces and gives the file's bytes. */
static enum haul_code write_named(struct test_run *run, const char *name, const struct batch *batch,
                                  int pieces, bool spill, struct buffer *out)
{
    const struct format_request request = {.context = &run->context, .name = name};
    const struct store_ops *store = store_for("memory:out");
    struct format_output *output = NULL;
    struct output_file *file = NULL;
    struct arena arena = {0};
    enum haul_code code = format_csv.open_output(&request, batch->schema, &output, &run->err);
    assert_int_equal(code, HAUL_OK);
    assert_int_equal(store->create("memory:out", "memory:temp", &run->context, &file, &run->err), HAUL_OK);
    for (int i = 0; !code && i < pieces; i++) {
        struct piece *piece = NULL;
        const char *note = "";
        assert_int_equal(output->ops->piece(output, &run->context, "/tmp", &piece, &run->err), HAUL_OK);
        code = piece->ops->write(piece, batch, &run->err);
        if (!code && spill)
            code = piece->ops->spill(piece, &run->err);
        if (!code)
            code = piece->ops->seal(piece, &run->err);
        if (!code)
            code = output->ops->append(output, piece, file, &arena, &note, &run->err);
        assert_true(code || note == NULL);
        piece->ops->close(piece);
    }
    if (!code)
        code = output->ops->finish(output, file, &run->err);
    if (!code)
        code = file->ops->publish(file, true, &run->err);
    else
        file->ops->close(file);
    buffer_init(out, NULL);
    const uint8_t *data;
    size_t length;
    if (!code) {
        assert_int_equal(store_memory_get("memory:out", &data, &length, &run->err), HAUL_OK);
        assert_int_equal(buffer_append(out, data, length, &run->err), HAUL_OK);
        assert_int_equal(buffer_append(out, "", 1, &run->err), HAUL_OK);
    }
    output->ops->close(output);
    arena_release(&arena);
    return code;
}

static enum haul_code write_all(struct test_run *run, const struct batch *batch, int pieces, bool spill,
                                struct buffer *out)
{
    return write_named(run, "out.csv", batch, pieces, spill, out);
}

static void check_text(const char *options, const char *type, const char *const *values, const char *want)
{
    struct table table = {0};
    struct batch batch = {0};
    struct test_run run;
    struct buffer out;
    test_begin(&run, options);
    table_init(&table, &type, 1);
    for (; *values; values++)
        table_add(&table, 0, strcmp(*values, "NULL") ? *values : NULL);
    table_finish(&table, &batch);
    assert_int_equal(write_all(&run, &batch, 1, false, &out), HAUL_OK);
    assert_string_equal((char *)out.data, want);
    buffer_release(&out);
    batch_release(&batch);
    table_release(&table);
    test_end(&run);
}

#define VALUES(...)                                                                                          \
    (const char *const[])                                                                                    \
    {                                                                                                        \
        __VA_ARGS__, NULL                                                                                    \
    }

static void test_values(void **state)
{
    (void)state;
    check_text("", "int64", VALUES("0", "-9223372036854775808", "9223372036854775807", "NULL", "100"),
               "c0\n0\n-9223372036854775808\n9223372036854775807\n\n100\n");
    check_text("", "uint64", VALUES("18446744073709551615", "7"), "c0\n18446744073709551615\n7\n");
    check_text("", "int8", VALUES("-128", "127"), "c0\n-128\n127\n");
    check_text("", "decimal(5,2)", VALUES("0", "-0.05", "999.99", "1.5"), "c0\n0.00\n-0.05\n999.99\n1.50\n");
    check_text("", "decimal(38,10)", VALUES("-1234567890123456789012345678.0123456789", "3"),
               "c0\n-1234567890123456789012345678.0123456789\n3.0000000000\n");
    check_text("", "decimal(38,37)", VALUES("-1.5", "0.0000000000000000000000000000000000001"),
               "c0\n-1.5000000000000000000000000000000000000\n0.0000000000000000000000000000000000001\n");
    check_text("", "decimal(20,0)", VALUES("-5", "12345678901234567890"), "c0\n-5\n12345678901234567890\n");
    check_text("", "date", VALUES("0001-01-01", "9999-12-31", "2024-02-29", "1969-12-31", "+010000-01-01"),
               "c0\n0001-01-01\n9999-12-31\n2024-02-29\n1969-12-31\n+010000-01-01\n");
    check_text("", "timestamp[us]", VALUES("1969-12-31 23:59:59.999999", "2024-02-29 00:00:00"),
               "c0\n1969-12-31 23:59:59.999999\n2024-02-29 00:00:00\n");
    check_text("", "timestamp[ns, UTC]", VALUES("2024-02-29 12:34:56Z"), "c0\n2024-02-29 12:34:56Z\n");
    check_text("", "time[ms]", VALUES("23:59:59.001"), "c0\n23:59:59.001\n");
    check_text("", "bool", VALUES("true", "false", "NULL"), "c0\ntrue\nfalse\n\n");
    check_text("", "float64", VALUES("1.5", "nan", "1e300"), "c0\n1.5\nnan\n1e300\n");
    check_text("", "float32", VALUES("0.1"), "c0\n0.1\n");
    check_text("", "binary", VALUES("00ff", "NULL"), "c0\n00ff\n\n");
}

static void test_quotes(void **state)
{
    (void)state;
    check_text(
        "", "utf8",
        VALUES("x", "", "NULL", "a,b", "say \"hi\"", "two\nlines", "cr\r", " x", "x ", "tab\t", "it's"),
        "c0\nx\n\"\"\n\n\"a,b\"\n\"say \"\"hi\"\"\"\n\"two\nlines\"\n\"cr\r\"\n\" x\"\n\"x "
        "\"\ntab\t\nit's\n");
    check_text("null=NA", "utf8", VALUES("NA", "NULL", "", "NAN"), "c0\n\"NA\"\nNA\n\nNAN\n");
    check_text("null=0", "int64", VALUES("0", "NULL", "10"), "c0\n\"0\"\n0\n10\n");
    check_text("delimiter=-", "date", VALUES("2024-02-29"), "c0\n\"2024-02-29\"\n");
    check_text("delimiter=||", "utf8", VALUES("a|b", "c"), "c0\n\"a|b\"\nc\n");
    check_text("quote='", "utf8", VALUES("it's", "\"x\""), "c0\n'it''s'\n\"x\"\n");
    check_text("escape=\\", "utf8", VALUES("a\"b", "c\\d"), "c0\n\"a\\\"b\"\n\"c\\\\d\"\n");
    check_text("quote=none  escape=\\  null=\\N", "utf8", VALUES("a,b", "NULL", "\\N", "x\ny", ""),
               "c0\na\\,b\n\\N\n\\\\N\nx\\\ny\n\n");
    check_text("header=no", "int64", VALUES("1"), "1\n");
    check_text("", "utf8", VALUES("\xef\xbb\xbfx"), "c0\n\"\xef\xbb\xbfx\"\n");
}

static void test_refused(void **state)
{
    (void)state;
    struct table table = {0};
    struct batch batch = {0};
    struct test_run run;
    struct buffer out;
    const char *types[] = {"int64", "utf8"};
    test_begin(&run, "quote=none");
    table_init(&table, types, 2);
    const char *texts[] = {"x", "a,b", "", "y"};
    for (int i = 0; i < 4; i++) {
        table_add(&table, 0, "1");
        table_add(&table, 1, texts[i]);
    }
    table_finish(&table, &batch);
    assert_int_equal(write_all(&run, &batch, 1, false, &out), HAUL_OK);
    assert_string_equal((char *)out.data, "c0,c1\n1,x\n1,y\n");
    assert_int_equal(run.collector.reject_count, 2);
    buffer_release(&out);
    run.collector.limit = NULL;
    assert_int_equal(write_all(&run, &batch, 1, false, &out), HAUL_VALUE);
    buffer_release(&out);
    batch_release(&batch);
    table_release(&table);
    test_end(&run);
}

/* An empty table is its header; several pieces have it once, spilled or not. */
static void test_pieces(void **state)
{
    (void)state;
    struct table table = {0};
    struct batch batch = {0};
    struct test_run run;
    struct buffer out;
    const char *types[] = {"int64", "utf8"};
    test_begin(&run, "");
    table_init(&table, types, 2);
    table_finish(&table, &batch);
    assert_int_equal(write_all(&run, &batch, 1, false, &out), HAUL_OK);
    assert_string_equal((char *)out.data, "c0,c1\n");
    buffer_release(&out);
    batch_release(&batch);
    table_add(&table, 0, "1");
    table_add(&table, 1, "x");
    table_finish(&table, &batch);
    for (int spill = 0; spill < 2; spill++) {
        assert_int_equal(write_all(&run, &batch, 3, spill, &out), HAUL_OK);
        assert_string_equal((char *)out.data, "c0,c1\n1,x\n1,x\n1,x\n");
        buffer_release(&out);
    }
    batch_release(&batch);
    table_release(&table);
    test_end(&run);
}

/* Members of pieces behind one another, spilled or not, are one text. */
static void test_packed(void **state)
{
    (void)state;
    static const char *const names[] = {"out.csv.gz", "out.CSV.ZST"};
    struct table table = {0};
    struct batch batch = {0};
    struct buffer out, got;
    const char *types[] = {"int64", "utf8"};
    table_init(&table, types, 2);
    for (int i = 0; i < 3000; i++) {
        table_add(&table, 0, "7");
        table_add(&table, 1,
                  "some text that makes more than a megabyte of three thousand rows: "
                  "0123456789 0123456789 0123456789 0123456789 0123456789 0123456789 "
                  "0123456789 0123456789 0123456789 0123456789 0123456789 0123456789 "
                  "0123456789 0123456789 0123456789 0123456789 0123456789 0123456789 "
                  "0123456789 0123456789 0123456789 0123456789 0123456789 0123456789 "
                  "0123456789 0123456789 0123456789 0123456789 0123456789 0123456789");
    }
    table_finish(&table, &batch);
    for (int i = 0; i < 4; i++) {
        struct test_run run;
        test_begin(&run, "");
        assert_int_equal(write_named(&run, names[i % 2], &batch, 3, i / 2, &out), HAUL_OK);
        assert_true(out.length < 100000);
        test_end(&run);
        test_read("", "memory:packed", out.data, out.length - 1, &got);
        assert_int_equal(csv_scan_count_lines(got.data, got.length), 1 + 3 * 3000);
        assert_null(strstr((char *)got.data, "# "));
        buffer_release(&got);
        buffer_release(&out);
    }
    batch_release(&batch);
    table_release(&table);
}

/* ---- round trips ---- */

static const char *const trip_types[] = {"int64",   "decimal(18,3)", "date",   "timestamp[ms]", "utf8",
                                         "float64", "bool",          "binary", "utf8"};
#define TRIP_COLUMNS 9

static void random_text(unsigned *seed, int column, char *text, size_t room)
{
    static const char letters[] = "ab ,;\"'\\\n\r|\t-0.N\xc3\xa4";
    int64_t value = (int64_t)rand_r(seed) * (rand_r(seed) % 3 ? 1 : 1000003) - 1000000000;
    size_t length = (size_t)rand_r(seed) % (rand_r(seed) % 50 ? 12 : room - 2), at = 0;
    switch (column) {
    case 0:
        (void)snprintf(text, room, "%lld", (long long)value);
        break;
    case 1:
        (void)snprintf(text, room, "%lld.%03d", (long long)(value % 100000000), rand_r(seed) % 1000);
        break;
    case 2:
        (void)snprintf(text, room, "%04d-%02d-%02d", 1 + rand_r(seed) % 9999, 1 + rand_r(seed) % 12,
                       1 + rand_r(seed) % 28);
        break;
    case 3:
        (void)snprintf(text, room, "%04d-11-30 %02d:59:01.%03d", 1 + rand_r(seed) % 9999, rand_r(seed) % 24,
                       rand_r(seed) % 1000);
        break;
    case 5:
        (void)snprintf(text, room, "%d.%d", rand_r(seed) % 1000, rand_r(seed) % 1000);
        break;
    case 6:
        (void)snprintf(text, room, "%s", rand_r(seed) % 2 ? "true" : "false");
        break;
    case 7:
        (void)snprintf(text, room, "%02x%02x", rand_r(seed) % 256, rand_r(seed) % 256);
        break;
    default:
        while (at < length) {
            char c = letters[(size_t)rand_r(seed) % (sizeof letters - 1)];
            if ((unsigned char)c >= 0x80) {
                text[at++] = '\xc3';
                c = '\xa4';
            }
            text[at++] = c;
        }
        text[at] = 0;
    }
}

static void check_trip(const char *options, unsigned seed)
{
    struct table table = {0};
    struct batch batch = {0};
    struct test_run run;
    struct buffer written, want, got;
    char text[200], read_options[600];
    test_begin(&run, options);
    table_init(&table, trip_types, TRIP_COLUMNS);
    int rows = 1 + (int)(rand_r(&seed) % 700);
    for (int r = 0; r < rows; r++)
        for (int c = 0; c < TRIP_COLUMNS; c++) {
            random_text(&seed, c, text, sizeof text);
            table_add(&table, c, rand_r(&seed) % 10 ? text : NULL);
        }
    table_finish(&table, &batch);
    assert_int_equal(write_all(&run, &batch, 1, false, &written), HAUL_OK);
    buffer_init(&want, NULL);
    test_print_schema(&table.schema, &want);
    test_print_batch(&batch, &want);
    assert_int_equal(buffer_append(&want, "", 1, &run.err), HAUL_OK);
    test_end(&run);
    (void)snprintf(read_options, sizeof read_options,
                   "%s%sschema=c0:int64,c1:decimal(18,3),c2:date,c3:timestamp[ms],c4:utf8,c5:float64,c6:bool,"
                   "c7:binary,c8:utf8",
                   options, options[0] ? "  " : "");
    test_read(read_options, "memory:trip.csv", written.data, written.length - 1, &got);
    assert_string_equal((char *)got.data, (char *)want.data);
    buffer_release(&written);
    buffer_release(&want);
    buffer_release(&got);
    batch_release(&batch);
    table_release(&table);
}

static void test_trips(void **state)
{
    (void)state;
    static const char *const dialects[] = {"",
                                           "delimiter=\\t  null=N",
                                           "delimiter=||",
                                           "delimiter=;  quote='",
                                           "escape=\\",
                                           "delimiter=-  null=0",
                                           "delimiter=a",
                                           "quote=none  escape=\\  null=\\N",
                                           "delimiter=.  header=no"};
    for (unsigned seed = 0; seed < 90; seed++)
        check_trip(dialects[seed % (sizeof dialects / sizeof *dialects)], seed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values), cmocka_unit_test(test_quotes), cmocka_unit_test(test_refused),
        cmocka_unit_test(test_pieces), cmocka_unit_test(test_packed), cmocka_unit_test(test_trips),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
