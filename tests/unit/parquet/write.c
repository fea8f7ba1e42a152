/*
 * Whole files: the same rows make the same bytes however they come, spilled or
 * restored; what is written is read back; failures leave nothing behind.
 */
#include "base/settings.h"
#include "batch/builder.h"
#include "batch/hash.h"
#include "format/parquet/footer.h"
#include "format/parquet/page_header.h"
#include "format/parquet/parquet.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define ROWS      45000
#define FILE_NAME "memory:written"

static const struct haul_option options[] = {
    {.name = "compression", .kind = HAUL_OPTION_TEXT, .preset = "zstd"},
    {.name = "rowgroup-size", .kind = HAUL_OPTION_TEXT, .preset = "1048576"},
    {.name = "int96", .kind = HAUL_OPTION_TEXT, .preset = "ns"},
    {.name = "bloom-filters", .kind = HAUL_OPTION_FLAG, .preset = "false"},
    {.name = "page-version", .kind = HAUL_OPTION_TEXT, .preset = "1"},
    {.name = "encoding", .kind = HAUL_OPTION_TEXT, .preset = "auto"},
};

static const char *const column_types[] = {"int64",   "utf8", "decimal(25,3)", "list<item: int32>",
                                           "float64", "bool"};
#define COLUMNS 6

struct bench { /* a job: settings, memory, schema, and the file made */
    struct settings settings;
    struct context context;
    struct memory *root, *memory;
    struct cancel cancel;
    struct schema schema;
    struct hash128 hash; /* of all rows written */
    struct buffer bytes;
    struct haul_error err;
};

static void bench_open(struct bench *bench, size_t memory_max)
{
    struct haul_error *err = &bench->err;
    memset(bench, 0, sizeof *bench);
    assert_int_equal(settings_init(&bench->settings, options, sizeof options / sizeof options[0], err), 0);
    assert_int_equal(memory_open(&bench->root, memory_max, 1, err), 0);
    assert_int_equal(memory_share(bench->root, &bench->memory, err), 0);
    context_init(&bench->context);
    bench->context.settings = &bench->settings;
    bench->context.memory = bench->memory;
    bench->context.cancel = &bench->cancel;
    assert_int_equal(schema_init(&bench->schema, COLUMNS, err), 0);
    for (int i = 0; i < COLUMNS; i++) {
        struct field *field = &bench->schema.fields[i];
        field->name = arena_printf(&bench->schema.arena, "c%d", i);
        assert_int_equal(field_parse_type(column_types[i], &bench->schema.arena, field, err), 0);
        field->nullable = i > 0;
    }
    bench->schema.fields[2].sql_type = "mssql:decimal(25,3)";
}

static void bench_close(struct bench *bench)
{
    assert_int_equal(memory_used(bench->memory), 0);
    buffer_release(&bench->bytes);
    schema_release(&bench->schema);
    settings_release(&bench->settings);
    memory_close(bench->memory);
    memory_close(bench->root);
    store_memory_clear();
}

/* ---- rows ---- */

static void append_text(struct builder *column, int64_t row)
{
    struct haul_error err = {0};
    char text[64];
    int length = row < 20000
                     ? snprintf(text, sizeof text, "kind %lld", (long long)row % 9)
                     : snprintf(text, sizeof text, "text number %lld of many", (long long)row * 31 % 99991);
    assert_int_equal(row % 13 ? builder_append_bytes(column, text, (size_t)length, &err)
                              : builder_append_null(column, &err),
                     0);
}

static void append_row(struct builder *columns, int64_t row)
{
    struct haul_error err = {0};
    assert_int_equal(builder_append_i64(&columns[0], row * 3, &err), 0);
    append_text(&columns[1], row);
    int128_t decimal = (int128_t)(row * 7919 - 1000000) * 1000000007;
    assert_int_equal(builder_append_decimal(&columns[2], decimal, &err), 0);
    for (int64_t i = 0; row % 11 && i < row % 4; i++)
        assert_int_equal(builder_append_i64(columns[3].children, i ? row + i : -row, &err), 0);
    assert_int_equal(
        row % 11 ? builder_append_list(&columns[3], &err) : builder_append_null(&columns[3], &err), 0);
    assert_int_equal(builder_append_f64(&columns[4], (double)(row % 100) / 4, &err), 0);
    assert_int_equal(row % 5 ? builder_append_bool(&columns[5], row % 2, &err)
                             : builder_append_null(&columns[5], &err),
                     0);
}

static void make_batch(struct bench *bench, int64_t first, int64_t count, struct batch *batch)
{
    struct batch_builder builder;
    struct haul_error err = {0};
    assert_int_equal(batch_builder_init(&builder, &bench->schema, NULL, &err), 0);
    for (int64_t row = first; row < first + count; row++)
        append_row(builder.columns, row);
    memset(batch, 0, sizeof *batch);
    assert_int_equal(batch_builder_finish(&builder, batch, &err), 0);
    batch_builder_release(&builder);
}

/* ---- writing ---- */

struct way { /* how the rows come */
    int64_t rows, batch_rows, piece_rows;
    bool spill, restore;
};

static enum haul_code fill_piece(struct bench *bench, struct piece *piece, int64_t first, int64_t count,
                                 const struct way *way)
{
    enum haul_code code = HAUL_OK;
    struct hasher hasher = {0};
    if (hasher_init(&hasher, &bench->schema, false, NULL, &bench->err))
        return bench->err.code;
    for (int64_t at = 0; !code && at < count; at += way->batch_rows) {
        struct batch batch;
        struct hash128 sum = {0};
        int64_t part = count - at < way->batch_rows ? count - at : way->batch_rows;
        make_batch(bench, first + at, part, &batch);
        code = piece->ops->write(piece, &batch, &bench->err);
        if (!code)
            code = hash_batch(&hasher, &batch, &sum, &bench->err);
        bench->hash = hash_add(bench->hash, sum);
        batch_release(&batch);
        if (!code && way->spill)
            code = piece->ops->spill(piece, &bench->err);
    }
    hasher_release(&hasher);
    return code ? code : piece->ops->seal(piece, &bench->err);
}

/* One piece after another; with `restore` each is followed by a fresh output. */
static enum haul_code write_pieces(struct bench *bench, const struct format_request *request,
                                   const struct way *way, struct format_output **output,
                                   struct output_file *file)
{
    struct arena arena = {0};
    const char *notes[64];
    int64_t ends[64];
    size_t count = 0;
    enum haul_code code = HAUL_OK;
    for (int64_t at = 0; !code && (at < way->rows || at == 0); at += way->piece_rows) {
        struct piece *piece = NULL;
        int64_t part = way->rows - at < way->piece_rows ? way->rows - at : way->piece_rows;
        code = (*output)->ops->piece(*output, &bench->context, "/tmp", &piece, &bench->err);
        if (code)
            break;
        code = fill_piece(bench, piece, at, part, way);
        if (!code)
            code = (*output)->ops->append(*output, piece, file, &arena, &notes[count], &bench->err);
        piece->ops->close(piece);
        ends[count++] = file->offset;
        if (code || !way->restore)
            continue;
        (*output)->ops->close(*output);
        *output = NULL;
        code = format_parquet.open_output(request, &bench->schema, output, &bench->err);
        for (size_t i = 0; !code && i < count; i++)
            code = (*output)->ops->restore(*output, notes[i], ends[i], &bench->err);
    }
    arena_release(&arena);
    return code;
}

static enum haul_code write_file(struct bench *bench, const struct way *way)
{
    struct format_request request = {.context = &bench->context};
    struct format_output *output = NULL;
    struct output_file *file = NULL;
    struct haul_error *err = &bench->err;
    bench->hash = (struct hash128){0};
    if (format_parquet.open_output(&request, &bench->schema, &output, err))
        return err->code;
    const struct store_ops *store = store_for(FILE_NAME);
    assert_int_equal(store->create(FILE_NAME, FILE_NAME ".tmp", &bench->context, &file, err), 0);
    enum haul_code code = write_pieces(bench, &request, way, &output, file);
    if (!code)
        code = output->ops->finish(output, file, err);
    if (output)
        output->ops->close(output);
    if (code) {
        file->ops->close(file);
        (void)store->remove(FILE_NAME ".tmp", &(struct haul_error){0});
        return code;
    }
    const uint8_t *data;
    size_t length;
    assert_int_equal(file->ops->publish(file, true, err), 0);
    assert_int_equal(store_memory_get(FILE_NAME, &data, &length, err), 0);
    buffer_clear(&bench->bytes);
    return buffer_append(&bench->bytes, data, length, err);
}

static void must_write(struct bench *bench, const struct way *way)
{
    if (write_file(bench, way))
        fail_msg("%s", bench->err.message);
}

static void must_set(struct bench *bench, const char *name, const char *value)
{
    assert_int_equal(settings_set(&bench->settings, name, value, &bench->err), 0);
}

/* ---- reading back ---- */

static void read_back(struct bench *bench, int64_t rows)
{
    struct haul_error *err = &bench->err;
    struct source_request everything = {0};
    struct format_request request = {.context = &bench->context, .source = &everything};
    struct input_file *file = NULL;
    struct format_input *input = NULL;
    struct arena arena = {0};
    struct hash128 sum = {0};
    struct split_request whole = {.part_rows = -1, .part_bytes = -1};
    int64_t got = 0;
    assert_int_equal(store_for(FILE_NAME)->open(FILE_NAME, &bench->context, &file, err), 0);
    if (format_parquet.open_input(&request, file, &input, err))
        fail_msg("%s", err->message);
    struct source_info info = {0};
    assert_int_equal(input->ops->describe(input, &info, err), 0);
    assert_int_equal(info.rows, rows);
    assert_string_equal(info.schema.fields[2].sql_type, "mssql:decimal(25,3)");
    struct hasher hasher = {0};
    assert_int_equal(hasher_init(&hasher, &info.schema, false, NULL, err), 0);
    for (bool more = true; more;) {
        struct part part = {0};
        struct reader *reader = NULL;
        assert_int_equal(input->ops->split(input, &whole, &arena, &part, &more, err), 0);
        if (!more)
            break;
        assert_int_equal(input->ops->open(input, &bench->context, &part, 0, &reader, err), 0);
        for (bool end = false; !end;) {
            struct batch batch = {0};
            struct hash128 one = {0};
            if (reader->ops->next(reader, BATCH_ROWS, &batch, &end, err))
                fail_msg("%s", err->message);
            if (end)
                break;
            assert_int_equal(hash_batch(&hasher, &batch, &one, err), 0);
            sum = hash_add(sum, one);
            got += batch.array.length;
            batch_release(&batch);
        }
        reader->ops->close(reader);
    }
    assert_int_equal(got, rows);
    assert_true(hash_equal(sum, bench->hash));
    hasher_release(&hasher);
    source_info_release(&info);
    input->ops->close(input);
    file->ops->close(file);
    arena_release(&arena);
}

/* ---- tests ---- */

static void rows_come_back_in_every_form(void **state)
{
    (void)state;
    static const char *const codecs[] = {"none", "zstd:3", "snappy", "gzip", "lz4", "brotli"};
    static const char *const versions[] = {"1", "2"};
    static const char *const encodings[] = {"auto", "plain", "dictionary", "delta", "split"};
    struct bench bench;
    bench_open(&bench, 0);
    for (size_t i = 0; i < 6 * 2 * 5; i++) {
        struct way way = {.rows = i % 7 ? 700 : 25000, .batch_rows = 10000, .piece_rows = ROWS};
        must_set(&bench, "compression", codecs[i % 6]);
        must_set(&bench, "page-version", versions[i / 6 % 2]);
        must_set(&bench, "encoding", encodings[i / 12]);
        must_set(&bench, "rowgroup-size", i % 2 ? "20100" : "1MiB");
        must_write(&bench, &way);
        read_back(&bench, way.rows);
    }
    bench_close(&bench);
}

static void the_way_rows_come_does_not_matter(void **state)
{
    (void)state;
    static const struct way ways[] = {
        {.rows = ROWS, .batch_rows = 16384, .piece_rows = ROWS},
        {.rows = ROWS, .batch_rows = 777, .piece_rows = ROWS},
        {.rows = ROWS, .batch_rows = 5000, .piece_rows = ROWS, .spill = true},
        {.rows = ROWS, .batch_rows = 30000, .piece_rows = 15000},
        {.rows = ROWS, .batch_rows = 4096, .piece_rows = 15000, .restore = true},
        {.rows = ROWS, .batch_rows = 4096, .piece_rows = 15000, .restore = true, .spill = true},
    };
    struct bench bench;
    struct buffer first = {0};
    bench_open(&bench, 0);
    must_set(&bench, "rowgroup-size", "15000");
    for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++) {
        must_write(&bench, &ways[i]);
        if (i == 0)
            assert_int_equal(buffer_append(&first, bench.bytes.data, bench.bytes.length, &bench.err), 0);
        assert_int_equal(bench.bytes.length, first.length);
        assert_memory_equal(bench.bytes.data, first.data, first.length);
    }
    buffer_release(&first);
    bench_close(&bench);
}

static void a_small_budget_spills_and_makes_the_same_bytes(void **state)
{
    (void)state;
    struct bench large, small;
    struct way way = {.rows = ROWS, .batch_rows = 2048, .piece_rows = ROWS};
    bench_open(&large, 0);
    bench_open(&small, (size_t)12 << 20);
    must_set(&large, "compression", "none");
    must_set(&small, "compression", "none");
    must_write(&large, &way);
    must_write(&small, &way);
    assert_int_equal(small.bytes.length, large.bytes.length);
    assert_memory_equal(small.bytes.data, large.bytes.data, large.bytes.length);
    bench_close(&small);
    bench_close(&large);
}

static void parse_footer(const struct buffer *bytes, struct file_metadata *file, struct arena *arena)
{
    struct haul_error err = {0};
    uint32_t length;
    size_t used;
    const uint8_t *end = bytes->data + bytes->length;
    assert_memory_equal(bytes->data, PARQUET_MAGIC, 4);
    assert_memory_equal(end - 4, PARQUET_MAGIC, 4);
    memcpy(&length, end - 8, sizeof length);
    struct slice footer = {end - 8 - length, length};
    memset(file, 0, sizeof *file);
    assert_int_equal(thrift_parse(&thrift_file_metadata, footer, file, arena, &used, &err), 0);
    assert_int_equal(used, length);
}

static void no_rows_make_a_file_without_row_groups(void **state)
{
    (void)state;
    struct bench bench;
    struct file_metadata file;
    struct arena arena = {0};
    struct way way = {.rows = 0, .batch_rows = 10, .piece_rows = 10, .restore = true};
    bench_open(&bench, 0);
    must_write(&bench, &way);
    parse_footer(&bench.bytes, &file, &arena);
    assert_int_equal(file.row_groups.count, 0);
    assert_int_equal(file.num_rows, 0);
    assert_int_equal(file.schema.count, 1 + COLUMNS + 2);
    read_back(&bench, 0);
    arena_release(&arena);
    bench_close(&bench);
}

/* Each page the index names is there, follows the one before, and begins at its row. */
static int64_t check_pages(const struct buffer *bytes, const struct column_chunk *chunk, struct arena *arena)
{
    struct haul_error err = {0};
    struct offset_index index = {0};
    size_t used;
    struct slice data = {bytes->data + chunk->offset_index_offset, (size_t)chunk->offset_index_length};
    assert_int_equal(thrift_parse(&thrift_offset_index, data, &index, arena, &used, &err), 0);
    int64_t at = chunk->meta->data_page_offset, levels = 0;
    for (size_t i = 0; i < index.page_locations.count; i++) {
        const struct page_location *page = &index.page_locations.items[i];
        struct page_header header = {0};
        struct slice place = {bytes->data + page->offset, (size_t)page->compressed_page_size};
        assert_int_equal(page->offset, at);
        assert_int_equal(page_header_parse(place, &header, arena, &used, &err), 0);
        assert_int_equal((int64_t)used + header.compressed_size, page->compressed_page_size);
        assert_true(thrift_has(&header, PAGE_HEADER_CRC));
        at += page->compressed_page_size;
        levels += header.data->num_values;
    }
    assert_int_equal(levels, chunk->meta->num_values);
    return at;
}

static void the_page_index_finds_every_page(void **state)
{
    (void)state;
    struct bench bench;
    struct file_metadata file;
    struct arena arena = {0};
    struct way way = {.rows = ROWS, .batch_rows = 16384, .piece_rows = ROWS};
    bench_open(&bench, 0);
    must_write(&bench, &way);
    parse_footer(&bench.bytes, &file, &arena);
    assert_int_equal(file.num_rows, ROWS);
    int64_t at = PARQUET_MAGIC_BYTES;
    for (size_t g = 0; g < file.row_groups.count; g++)
        for (size_t i = 0; i < COLUMNS; i++) {
            const struct column_chunk *chunk = &file.row_groups.items[g].columns.items[i];
            bool dictionary = thrift_has(chunk->meta, COLUMN_META_DICTIONARY_PAGE_OFFSET);
            assert_int_equal(dictionary ? chunk->meta->dictionary_page_offset : chunk->meta->data_page_offset,
                             at);
            int64_t end = check_pages(&bench.bytes, chunk, &arena);
            assert_int_equal(end - at, chunk->meta->total_compressed_size);
            at = end;
        }
    const struct column_metadata *ids = file.row_groups.items[0].columns.items[0].meta;
    int64_t greatest = 3 * (ROWS - 1);
    assert_memory_equal(ids->statistics->max.data, &greatest, 8);
    assert_int_equal(ids->statistics->null_count, 0);
    arena_release(&arena);
    bench_close(&bench);
}

static void a_damaged_receipt_is_refused(void **state)
{
    (void)state;
    struct bench bench;
    struct format_output *output = NULL;
    bench_open(&bench, 0);
    struct format_request request = {.context = &bench.context};
    assert_int_equal(format_parquet.open_output(&request, &bench.schema, &output, &bench.err), 0);
    assert_int_equal(output->ops->restore(output, "not base64", 100, &bench.err), HAUL_DATA);
    assert_int_equal(output->ops->restore(output, "AAAAAA==", 100, &bench.err), HAUL_DATA);
    assert_int_equal(output->ops->restore(output, "/////w==", 100, &bench.err), HAUL_DATA);
    assert_int_equal(output->ops->restore(output, "", 4, &bench.err), 0);
    output->ops->close(output);
    bench_close(&bench);
}

static void options_that_make_no_sense_are_named(void **state)
{
    (void)state;
    static const char *const sizes[] = {"0", "-5", "many", "12 parsecs", "99999999999"};
    struct bench bench;
    struct format_output *output = NULL;
    int64_t rows, bytes;
    bench_open(&bench, 0);
    struct format_request request = {.context = &bench.context};
    for (size_t i = 0; i < 5; i++) {
        must_set(&bench, "rowgroup-size", sizes[i]);
        assert_int_equal(format_parquet.open_output(&request, &bench.schema, &output, &bench.err),
                         HAUL_USAGE);
        assert_non_null(strstr(bench.err.message, "--rowgroup-size"));
        format_parquet.piece_size(&request, &rows, &bytes);
        assert_int_equal(rows, 1048576);
    }
    must_set(&bench, "rowgroup-size", "128MiB");
    format_parquet.piece_size(&request, &rows, &bytes);
    assert_int_equal(bytes, 128 << 20);
    must_set(&bench, "rowgroup-size", "5000");
    format_parquet.piece_size(&request, &rows, &bytes);
    assert_int_equal(rows, 5000);
    must_set(&bench, "compression", "zap");
    assert_int_equal(format_parquet.open_output(&request, &bench.schema, &output, &bench.err), HAUL_USAGE);
    bench_close(&bench);
}

static void seconds_become_milliseconds(void **state)
{
    (void)state;
    struct bench bench;
    bench_open(&bench, 0);
    struct format_request request = {.context = &bench.context};
    bench.schema.fields[0].type = TYPE_TIMESTAMP;
    bench.schema.fields[0].unit = TIME_SECOND;
    assert_int_equal(format_parquet.negotiate(&request, &bench.schema, &bench.err), 0);
    assert_int_equal(bench.schema.fields[0].unit, TIME_MILLI);
    bench.schema.fields[0].type = TYPE_STRUCT;
    assert_int_equal(format_parquet.negotiate(&request, &bench.schema, &bench.err), HAUL_UNSUPPORTED);
    bench_close(&bench);
}

/* Budgets from too small for anything up to enough: a clean refusal, then success. */
static void memory_that_runs_out_leaves_nothing_behind(void **state)
{
    (void)state;
    struct way way = {.rows = 5000, .batch_rows = 1000, .piece_rows = 5000};
    bool done = false;
    int refused = 0;
    for (size_t budget = 4096; !done && budget < ((size_t)64 << 20); budget += budget / 4) {
        struct bench bench;
        bench_open(&bench, budget);
        enum haul_code code = write_file(&bench, &way);
        if (code && code != HAUL_LIMIT && code != HAUL_NOMEM)
            fail_msg("%s", bench.err.message);
        done = !code;
        refused += code != 0;
        bench_close(&bench);
    }
    assert_true(done && refused > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_come_back_in_every_form),
        cmocka_unit_test(the_way_rows_come_does_not_matter),
        cmocka_unit_test(a_small_budget_spills_and_makes_the_same_bytes),
        cmocka_unit_test(no_rows_make_a_file_without_row_groups),
        cmocka_unit_test(the_page_index_finds_every_page),
        cmocka_unit_test(a_damaged_receipt_is_refused),
        cmocka_unit_test(options_that_make_no_sense_are_named),
        cmocka_unit_test(seconds_become_milliseconds),
        cmocka_unit_test(memory_that_runs_out_leaves_nothing_behind),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
