/*
 * support.h: a BCP file and its format file read as a user would read them, printed
 * as text, so that a test is bytes in and lines out; and written again.
 *
 *     a:int32|b:utf8
 *     1|x
 *     ~|            (~ is NULL)
 *     ! row 4 a: ... '...'   (a refused row)
 *     # row 9, ...           (an error: reading stopped)
 */
#ifndef TEST_BCP_SUPPORT_H
#define TEST_BCP_SUPPORT_H

#include "base/settings.h"
#include "batch/view.h"
#include "format/bcp/bcp.h"
#include "format/bcp/input.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define FILE_NAME   "memory:x.bcp"
#define FORMAT_NAME "memory:x.fmt"
#define COPY_NAME   "memory:copy.bcp"

static const struct haul_option test_options[] = {
    {"format-file", 0, HAUL_OPTION_PATH, 1, "", "", NULL, ""},
    {"storage", 0, HAUL_OPTION_CHOICE, 1, "", "native|char|unicode|unicode-native", "native", ""},
    {"field-end", 0, HAUL_OPTION_TEXT, 1, "", "", "\\t", ""},
    {"row-end", 0, HAUL_OPTION_TEXT, 1, "", "", "\\n", ""},
    {"code-page", 0, HAUL_OPTION_TEXT, 1, "", "", NULL, ""},
    {"format-xml", 0, HAUL_OPTION_FLAG, 1, "", "", "false", ""},
    {"format-version", 0, HAUL_OPTION_TEXT, 1, "", "", "14.0", ""},
    {"first-row", 0, HAUL_OPTION_NUMBER, 1, "", "", "1", ""},
    {"last-row", 0, HAUL_OPTION_NUMBER, 1, "", "", "0", ""},
    {"parallel", 0, HAUL_OPTION_NUMBER, 1, "", "", NULL, ""},
    {"timestamps", 0, HAUL_OPTION_CHOICE, 1, "", "us|ns|exact", "us", ""},
    {"memory", 0, HAUL_OPTION_SIZE, 1, "", "", NULL, ""},
};

struct test_run {
    struct context context;
    struct collector collector;
    struct reject_limit limit;
    struct settings settings;
    struct source_request source;
    struct input_file *file;
    struct format_input *input;
    struct haul_error err;
    size_t window;       /* 0: as it is */
    int64_t part;        /* 0: as it is */
    int *parts;          /* how many there were; NULL nobody asks */
    int64_t rows_max;    /* of a batch */
    struct buffer *copy; /* not NULL: what is read is written again, with the same format file */
};

/* `options`: "name=value" with two blanks between; "schema=..." too. */
static inline void test_begin(struct test_run *run, const char *options)
{
    static char copy[1024];
    memset(run, 0, sizeof *run);
    context_init(&run->context);
    run->limit.max = -1;
    run->rows_max = 1000;
    run->collector.limit = &run->limit;
    run->context.collector = &run->collector;
    run->context.settings = &run->settings;
    assert_int_equal(
        settings_init(&run->settings, test_options, sizeof test_options / sizeof *test_options, &run->err),
        HAUL_OK);
    (void)snprintf(copy, sizeof copy, "%s", options);
    for (char *at = copy; at && *at;) {
        char *end = strstr(at, "  "), *value = strchr(at, '=');
        if (end)
            *end = 0;
        assert_non_null(value);
        *value++ = 0;
        if (!strcmp(at, "schema"))
            run->source.schema = value;
        else
            assert_int_equal(settings_set(&run->settings, at, value, &run->err), HAUL_OK);
        at = end ? end + 2 : NULL;
    }
}

static inline void test_end(struct test_run *run)
{
    if (run->input)
        run->input->ops->close(run->input);
    if (run->file)
        run->file->ops->close(run->file);
    collector_release(&run->collector);
    settings_release(&run->settings);
}

static inline void test_put(const char *name, const void *data, size_t length)
{
    struct haul_error err = {0};
    assert_int_equal(store_memory_put(name, data, length, &err), HAUL_OK);
}

static inline enum haul_code test_open(struct test_run *run)
{
    const struct format_request request = {.context = &run->context, .source = &run->source};
    if (store_for(FILE_NAME)->open(FILE_NAME, &run->context, &run->file, &run->err) ||
        format_bcp.open_input(&request, run->file, &run->input, &run->err))
        return run->err.code;
    if (run->window)
        ((struct bcp_input *)(void *)run->input)->window_bytes = run->window;
    if (run->part)
        ((struct bcp_input *)(void *)run->input)->part_bytes = run->part;
    return HAUL_OK;
}

static inline void test_print_batch(const struct batch *batch, struct buffer *out)
{
    struct haul_error err = {0};
    for (int64_t r = 0; r < batch->array.length; r++)
        for (int i = 0; i < batch->schema->count; i++) {
            struct view view;
            assert_int_equal(view_init(&view, &batch->schema->fields[i], batch->array.children[i], &err),
                             HAUL_OK);
            assert_int_equal(view_is_null(&view, r) ? buffer_append(out, "~", 1, &err)
                                                    : view_print(&view, r, out, &err),
                             HAUL_OK);
            assert_int_equal(buffer_append(out, i + 1 < batch->schema->count ? "|" : "\n", 1, &err), HAUL_OK);
        }
    assert_int_equal(batch->array.length + batch->dropped_count, batch->rows_offered);
}

static inline void test_print_schema(const struct schema *schema, struct buffer *out)
{
    struct haul_error err = {0};
    for (int i = 0; i < schema->count; i++) {
        char type[96];
        field_print_type(&schema->fields[i], type, sizeof type);
        assert_int_equal(buffer_printf(out, &err, "%s%s:%s", i ? "|" : "", schema->fields[i].name, type),
                         HAUL_OK);
    }
    assert_int_equal(buffer_append(out, "\n", 1, &err), HAUL_OK);
}

/* Opens the output for batches of this schema; NULL: err says why. */
static inline struct format_output *test_output(struct test_run *run, const struct schema *schema)
{
    const struct format_request request = {
        .context = &run->context, .source = &run->source, .name = COPY_NAME};
    struct format_output *output = NULL;
    struct schema to = {0};
    assert_int_equal(schema_copy(schema, &to, &run->err), HAUL_OK);
    if (!format_bcp.negotiate(&request, &to, &run->err))
        (void)format_bcp.open_output(&request, &to, &output, &run->err);
    schema_release(&to);
    return output;
}

/* Reads a part; what came is printed, and written to `piece` (NULL: not). */
static inline enum haul_code test_part(struct test_run *run, const struct part *part, struct piece *piece,
                                       struct buffer *out)
{
    struct reader *reader = NULL;
    bool end = false;
    enum haul_code code = run->input->ops->open(run->input, &run->context, part, 0, &reader, &run->err);
    while (!code && !end) {
        struct batch batch = {0};
        code = reader->ops->next(reader, run->rows_max, &batch, &end, &run->err);
        if (!code && !end) {
            test_print_batch(&batch, out);
            if (piece)
                code = piece->ops->write(piece, &batch, &run->err);
        }
        batch_release(&batch);
    }
    if (reader)
        reader->ops->close(reader);
    return code;
}

/* Reads all, part by part; what was read is written to run->copy. */
static inline void test_rows(struct test_run *run, struct buffer *out)
{
    struct source_info info = {0};
    struct format_output *output = NULL;
    struct piece *piece = NULL;
    struct output_file *file = NULL;
    struct arena arena = {0};
    const char *note;
    const struct split_request wish = {0};
    bool more = true;
    assert_int_equal(run->input->ops->describe(run->input, &info, &run->err), HAUL_OK);
    test_print_schema(&info.schema, out);
    if (run->copy) {
        output = test_output(run, &info.schema);
        assert_non_null(output);
        assert_int_equal(output->ops->piece(output, &run->context, NULL, &piece, &run->err), HAUL_OK);
    }
    enum haul_code code = HAUL_OK;
    while (!code && more) {
        struct part part = {0};
        code = run->input->ops->split(run->input, &wish, &arena, &part, &more, &run->err);
        if (!code && more)
            code = test_part(run, &part, piece, out);
        if (more && run->parts)
            ++*run->parts;
    }
    if (piece && !code) {
        const uint8_t *data;
        size_t length;
        const struct store_ops *store = store_for(COPY_NAME);
        assert_int_equal(piece->ops->seal(piece, &run->err), HAUL_OK);
        assert_int_equal(store->create(COPY_NAME, "memory:temp", &run->context, &file, &run->err), HAUL_OK);
        assert_int_equal(output->ops->append(output, piece, file, &arena, &note, &run->err), HAUL_OK);
        assert_int_equal(output->ops->finish(output, file, &run->err), HAUL_OK);
        assert_int_equal(file->ops->publish(file, true, &run->err), HAUL_OK);
        assert_int_equal(store_memory_get(COPY_NAME, &data, &length, &run->err), HAUL_OK);
        assert_int_equal(buffer_append(run->copy, data, length, &run->err), HAUL_OK);
    }
    if (piece)
        piece->ops->close(piece);
    if (output)
        output->ops->close(output);
    arena_release(&arena);
    schema_release(&info.schema);
    arena_release(&info.arena);
}

static inline void test_print_rejects(const struct test_run *run, struct buffer *out)
{
    struct haul_error err = {0};
    for (const struct reject_node *node = run->collector.rejects; node; node = node->next) {
        const struct reject *r = &node->reject;
        buffer_printf(out, &err, "! %s %s: %.40s '%.*s'\n", r->place ? r->place : "?", r->column, r->reason,
                      (int)r->value_length, r->value ? r->value : "");
    }
    for (const struct loss *loss = run->collector.losses; loss; loss = loss->next)
        buffer_printf(out, &err, "- %s %lld %s\n", loss->column, (long long)loss->count, loss->what);
}

/* The rows of FILE_NAME as text, NUL-terminated. */
static inline void test_read(struct test_run *run, struct buffer *out)
{
    buffer_init(out, NULL);
    if (!test_open(run))
        test_rows(run, out);
    test_print_rejects(run, out);
    if (run->err.code)
        buffer_printf(out, &run->err, "# %s\n", run->err.message);
    struct haul_error err = {0};
    assert_int_equal(buffer_append(out, "", 1, &err), HAUL_OK);
    test_end(run);
}

/* A format file's text and a data file: the rows. */
static inline void expect_rows(const char *format, const void *data, size_t length, const char *options,
                               const char *rows)
{
    struct test_run run;
    struct buffer out;
    char all[1000];
    test_put(FORMAT_NAME, format, strlen(format));
    test_put(FILE_NAME, data, length);
    (void)snprintf(all, sizeof all, "format-file=" FORMAT_NAME "%s%s", options[0] ? "  " : "", options);
    test_begin(&run, all);
    test_read(&run, &out);
    assert_string_equal((const char *)out.data, rows);
    buffer_release(&out);
    store_memory_clear();
}

#endif
