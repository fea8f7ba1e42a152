/*
 * support.h: a CSV text read as a user would read it, printed as text again, so
 * that a test is a line of input and a line of output.
 *
 *     a:int64|b:utf8
 *     1|x
 *     ~|            (~ is NULL)
 *     ! line 4, column "a": ...   (a refused row)
 *     # line 9: ...               (an error: reading stopped)
 */
#ifndef TEST_CSV_SUPPORT_H
#define TEST_CSV_SUPPORT_H

#include "base/settings.h"
#include "batch/view.h"
#include "format/csv/csv.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct haul_option test_options[] = {
    {"delimiter", 0, HAUL_OPTION_TEXT, 1, "", "", NULL, ""},
    {"quote", 0, HAUL_OPTION_TEXT, 1, "", "", NULL, ""},
    {"escape", 0, HAUL_OPTION_TEXT, 1, "", "", NULL, ""},
    {"header", 0, HAUL_OPTION_CHOICE, 1, "", "yes|no|auto|match|skip", "auto", ""},
    {"null", 0, HAUL_OPTION_TEXT, 1, "", "", NULL, ""},
    {"charset", 0, HAUL_OPTION_TEXT, 1, "", "", NULL, ""},
    {"memory", 0, HAUL_OPTION_SIZE, 1, "", "", NULL, ""},
    {"comment", 0, HAUL_OPTION_TEXT, 1, "", "", NULL, ""},
    {"date-format", 0, HAUL_OPTION_TEXT, 1, "", "", NULL, ""},
    {"timestamp-format", 0, HAUL_OPTION_TEXT, 1, "", "", NULL, ""},
    {"decimal-point", 0, HAUL_OPTION_TEXT, 1, "", "", NULL, ""},
    {"thousands", 0, HAUL_OPTION_TEXT, 1, "", "", NULL, ""},
    {"skip-lines", 0, HAUL_OPTION_NUMBER, 1, "", "", NULL, ""},
    {"trim", 0, HAUL_OPTION_FLAG, 1, "", "", "false", ""},
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
};

/* "delimiter=; null=NA": options by name; "schema=..." and "columns=a,b" too; separated by two blanks. */
static inline void test_set(struct test_run *run, const char *options)
{
    static char text[4][512];
    static const char *columns[16];
    int used = 0;
    char copy[1024];
    (void)snprintf(copy, sizeof copy, "%s", options);
    for (char *at = copy; at && *at;) {
        char *end = strstr(at, "  ");
        if (end)
            *end = 0;
        char *value = strchr(at, '=');
        assert_non_null(value);
        *value++ = 0;
        char *kept = strcpy(text[used++], value);
        if (!strcmp(at, "schema"))
            run->source.schema = kept;
        else if (!strcmp(at, "columns")) {
            for (char *name = strtok(kept, ","); name; name = strtok(NULL, ","))
                columns[run->source.column_count++] = name;
            run->source.columns = columns;
        } else
            assert_int_equal(settings_set(&run->settings, at, value, &run->err), HAUL_OK);
        at = end ? end + 2 : NULL;
    }
}

static inline void test_begin(struct test_run *run, const char *options)
{
    memset(run, 0, sizeof *run);
    context_init(&run->context);
    run->limit.max = -1;
    run->collector.limit = &run->limit;
    run->context.collector = &run->collector;
    run->context.settings = &run->settings;
    assert_int_equal(
        settings_init(&run->settings, test_options, sizeof test_options / sizeof *test_options, &run->err),
        HAUL_OK);
    test_set(run, options);
}

static inline void test_end(struct test_run *run)
{
    if (run->input)
        run->input->ops->close(run->input);
    if (run->file)
        run->file->ops->close(run->file);
    collector_release(&run->collector);
    settings_release(&run->settings);
    store_memory_clear();
}

static inline enum haul_code test_open(struct test_run *run, const char *name, const void *text,
                                       size_t length)
{
    const struct format_request request = {.context = &run->context, .source = &run->source};
    assert_int_equal(store_memory_put(name, text, length, &run->err), HAUL_OK);
    const struct store_ops *store = store_for(name);
    assert_int_equal(store->open(name, &run->context, &run->file, &run->err), HAUL_OK);
    return format_csv.open_input(&request, run->file, &run->input, &run->err);
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

static inline void test_print_batch(const struct batch *batch, struct buffer *out)
{
    struct haul_error err = {0};
    for (int64_t r = 0; r < batch->array.length; r++) {
        for (int i = 0; i < batch->schema->count; i++) {
            struct view view;
            assert_int_equal(view_init(&view, &batch->schema->fields[i], batch->array.children[i], &err),
                             HAUL_OK);
            if (i)
                assert_int_equal(buffer_append(out, "|", 1, &err), HAUL_OK);
            if (view_is_null(&view, r))
                assert_int_equal(buffer_append(out, "~", 1, &err), HAUL_OK);
            else
                assert_int_equal(view_print(&view, r, out, &err), HAUL_OK);
        }
        assert_int_equal(buffer_append(out, "\n", 1, &err), HAUL_OK);
    }
    assert_int_equal(batch->array.length + batch->dropped_count, batch->rows_offered);
    for (int64_t i = 0; i < batch->dropped_count; i++) {
        assert_true(batch->dropped[i] >= batch->first_row);
        assert_true(batch->dropped[i] < batch->first_row + batch->rows_offered);
        assert_true(i == 0 || batch->dropped[i] > batch->dropped[i - 1]);
    }
}

static inline void test_print_rejects(const struct collector *collector, struct buffer *out)
{
    struct haul_error err = {0};
    for (const struct reject_node *node = collector->rejects; node; node = node->next) {
        const struct reject *r = &node->reject;
        buffer_printf(out, &err, "! %s%s%s: %s", r->place, r->column ? " " : "", r->column ? r->column : "",
                      r->reason);
        if (r->value)
            buffer_printf(out, &err, " '%.*s'", (int)r->value_length, r->value);
        assert_int_equal(buffer_append(out, "\n", 1, &err), HAUL_OK);
    }
}

/* Reads one part from `first_row` on; returns the rows offered. */
static inline int64_t test_read_part(struct test_run *run, const struct part *part, int64_t first_row,
                                     int64_t rows_max, struct buffer *out)
{
    struct reader *reader = NULL;
    int64_t offered = 0;
    bool end = false;
    enum haul_code code =
        run->input->ops->open(run->input, &run->context, part, first_row, &reader, &run->err);
    while (!code && !end) {
        struct batch batch = {0};
        code = reader->ops->next(reader, rows_max, &batch, &end, &run->err);
        if (!code && !end) {
            assert_int_equal(batch.first_row, first_row + offered);
            assert_true(batch.rows_offered <= rows_max);
            offered += batch.rows_offered;
            test_print_batch(&batch, out);
        }
        batch_release(&batch);
    }
    if (reader)
        reader->ops->close(reader);
    return code ? -1 : offered;
}

/* The whole text as one part. The result's data is NUL-terminated. */
static inline void test_read(const char *options, const char *name, const void *text, size_t length,
                             struct buffer *out)
{
    struct test_run run;
    test_begin(&run, options);
    buffer_init(out, NULL);
    if (!test_open(&run, name, text, length)) {
        struct source_info info = {0};
        const struct part all = {.spec = (char *)(uintptr_t) "all"};
        assert_int_equal(run.input->ops->describe(run.input, &info, &run.err), HAUL_OK);
        test_print_schema(&info.schema, out);
        (void)test_read_part(&run, &all, 0, 1000, out);
        schema_release(&info.schema);
        arena_release(&info.arena);
    }
    test_print_rejects(&run.collector, out);
    if (run.err.code)
        buffer_printf(out, &run.err, "# %s\n", run.err.message);
    struct haul_error err = {0};
    assert_int_equal(buffer_append(out, "", 1, &err), HAUL_OK);
    test_end(&run);
}

#endif
