/*
 * csv_types: a sniffed type must print every field back unchanged.
 *
 * A text smaller than the sample is read twice: as sniffed, and with every column
 * told to be text. The rows of both, printed, must be the same: "007" stays "007",
 * "1e3" stays "1e3", a quoted empty field stays an empty text.
 *
 * Front of the input: dialect flags.
 */
#include "csv_rows.h"

#define BUDGET ((size_t)64 << 20)

static bool read_rows(const struct buffer *bytes, const struct settings *settings, const char *schema,
                      struct buffer *out, struct buffer *names)
{
    struct rows rows = {.context.settings = settings, .source.schema = schema};
    struct haul_error err = {0};
    const struct part all = {.spec = (char *)(uintptr_t) "all", .rows = -1};
    int64_t offered = 0;
    bool whole = rows_open(&rows, &format_csv, bytes, BUDGET);
    for (int i = 0; whole && names && i < rows.info.schema.count; i++) {
        char name[8192];
        csv_schema_print_name(rows.info.schema.fields[i].name, name, sizeof name);
        must(!buffer_printf(names, &err, "%s%s:utf8", i ? "," : "", name));
    }
    if (whole)
        whole = rows_read(&rows, &all, BATCH_ROWS, &offered, csv_print, out);
    csv_print_rejects(&rows, out);
    must_be_told(rows.err.code, &rows.err);
    must(rows.err.code != HAUL_INTERNAL);
    if (schema && rows.err.code)
        fprintf(stderr, "%s\n", rows.err.message);
    rows_close(&rows);
    return whole;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length)
{
    struct food food = {data, length};
    struct settings settings = {0};
    struct buffer typed = {0}, text_only = {0}, names = {0};
    struct haul_error err = {0};
    /* A header is always said: the guess whether there is one looks at types. */
    csv_options(&settings, food_byte(&food) | 8);
    struct buffer text = food_rest(&food);
    if (read_rows(&text, &settings, NULL, &typed, &names)) {
        must(!buffer_append(&names, "", 1, &err));
        bool again = read_rows(&text, &settings, (const char *)names.data, &text_only, NULL);
        if (!again)
            fprintf(stderr, "--schema %s\n", (const char *)names.data);
        must(again);
        must_be_same(&typed, &text_only);
    }
    buffer_release(&typed);
    buffer_release(&text_only);
    buffer_release(&names);
    buffer_release(&text);
    settings_release(&settings);
    return 0;
}
