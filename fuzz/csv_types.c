/*
 * csv_types: a sniffed type must print every field back unchanged.
 *
 * A text smaller than the sample is read twice: as sniffed, and with every column
 * told to be text. The rows of both, printed, must be the same: "007" stays "007",
 * "1e3" stays "1e3". One thing may differ: a quoted empty field ("") is NULL in a
 * column whose other fields are numbers or dates, and an empty text in a text.
 *
 * Front of the input: dialect flags.
 */
#include "csv_rows.h"

#define BUDGET      ((size_t)64 << 20)
#define COLUMNS_MAX 1024

struct reading {
    const struct buffer *bytes;
    const struct settings *settings;
    struct buffer names;             /* "a:utf8,b:utf8", for --schema */
    bool empty_is_null[COLUMNS_MAX]; /* the column was sniffed to be no text */
};

struct printed {
    struct buffer text;
    const bool *empty_is_null;
};

static void print_rows(void *user, const struct batch *batch)
{
    struct printed *printed = user;
    struct haul_error err = {0};
    for (int64_t r = 0; r < batch->array.length; r++)
        for (int i = 0; i < batch->schema->count; i++) {
            struct view view;
            struct buffer *out = &printed->text;
            must(!view_init(&view, &batch->schema->fields[i], batch->array.children[i], &err));
            must(!buffer_append(out, "'", 1, &err));
            size_t before = out->length;
            if (!view_is_null(&view, r))
                must(!view_print(&view, r, out, &err));
            if (view_is_null(&view, r) || (out->length == before && printed->empty_is_null[i]))
                out->data[before - 1] = '~';
            must(!buffer_append(out, i + 1 < batch->schema->count ? "|" : "\n", 1, &err));
        }
}

static void remember(struct reading *reading, const struct schema *schema)
{
    struct haul_error err = {0};
    for (int i = 0; i < schema->count; i++) {
        char name[1 << 14];
        csv_schema_print_name(schema->fields[i].name, name, sizeof name);
        must(!buffer_printf(&reading->names, &err, "%s%s:utf8", i ? "," : "", name));
        reading->empty_is_null[i] = schema->fields[i].type != TYPE_UTF8;
    }
    must(!buffer_append(&reading->names, "", 1, &err));
}

/* As sniffed, or with `schema`. False: it ended in an error, or has too many columns. */
static bool read_rows(struct reading *reading, const char *schema, struct buffer *out)
{
    struct rows rows = {.context.settings = reading->settings, .source.schema = schema};
    struct printed printed = {.empty_is_null = reading->empty_is_null};
    const struct part all = {.spec = (char *)(uintptr_t) "all", .rows = -1};
    int64_t offered = 0;
    bool whole =
        rows_open(&rows, &format_csv, reading->bytes, BUDGET) && rows.info.schema.count <= COLUMNS_MAX;
    if (whole && !schema)
        remember(reading, &rows.info.schema);
    if (whole)
        whole = rows_read(&rows, &all, BATCH_ROWS, &offered, print_rows, &printed);
    csv_print_rejects(&rows, &printed.text);
    must_be_told(rows.err.code, &rows.err);
    must(rows.err.code != HAUL_INTERNAL);
    if (schema && rows.err.code)
        fprintf(stderr, "--schema %s\n%s\n", schema, rows.err.message);
    rows_close(&rows);
    *out = printed.text;
    return whole;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length)
{
    struct food food = {data, length};
    struct settings settings = {0};
    struct buffer typed = {0}, text_only = {0};
    /* A header is always said: the guess whether there is one looks at types. */
    csv_options(&settings, food_byte(&food) | 8);
    struct buffer text = food_rest(&food);
    struct reading reading = {.bytes = &text, .settings = &settings};
    if (read_rows(&reading, NULL, &typed)) {
        must(read_rows(&reading, (const char *)reading.names.data, &text_only));
        must_be_same(&typed, &text_only);
    }
    buffer_release(&typed);
    buffer_release(&text_only);
    buffer_release(&reading.names);
    buffer_release(&text);
    settings_release(&settings);
    return 0;
}
