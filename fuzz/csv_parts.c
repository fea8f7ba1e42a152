/*
 * csv_parts: a CSV text read serially and in parts must give the same rows.
 *
 * The whole text in one part and one window is the reference; the other way cuts
 * it into parts of any wished size (odd numbers of bytes by two threads), and
 * reads each through small windows, in batches of any size. Rows, refused rows
 * and their line numbers must be equal; when one way ends in an error, so must
 * the other.
 *
 * Front of the input: dialect flags, rows and bytes wished for a part, window,
 * batch rows.
 */
#include "csv_rows.h"

#define BUDGET ((size_t)64 << 20)

struct wish {
    int64_t part_rows, part_bytes;
    size_t window;
    int64_t batch_rows;
};

static bool read_serial(const struct buffer *bytes, const struct settings *settings, struct buffer *out)
{
    struct rows rows = {.context.settings = settings};
    const struct part all = {.spec = (char *)(uintptr_t) "all", .rows = -1};
    int64_t offered = 0;
    bool whole = rows_open(&rows, &format_csv, bytes, BUDGET);
    if (whole)
        whole = rows_read(&rows, &all, BATCH_ROWS, &offered, csv_print, out);
    csv_print_rejects(&rows, out);
    must_be_told(rows.err.code, &rows.err);
    must(rows.err.code != HAUL_INTERNAL);
    rows_close(&rows);
    return whole;
}

static bool read_parts(const struct buffer *bytes, const struct settings *settings, const struct wish *wish,
                       struct buffer *out)
{
    struct rows rows = {.context.settings = settings};
    struct arena arena = {0};
    const struct split_request request = {wish->part_rows, wish->part_bytes, 1 + (int)(wish->part_bytes % 2)};
    bool whole = rows_open(&rows, &format_csv, bytes, BUDGET), more = whole;
    int64_t offered = 0;
    if (whole)
        ((struct csv_input *)(void *)rows.input)->window_bytes = wish->window;
    while (whole && more) {
        struct part part = {.rows = -1, .bytes = -1};
        whole = rows.input->ops->split(rows.input, &request, &arena, &part, &more, &rows.err) == HAUL_OK;
        if (whole && more)
            whole = rows_read(&rows, &part, wish->batch_rows, &offered, csv_print, out);
    }
    csv_print_rejects(&rows, out);
    must_be_told(rows.err.code, &rows.err);
    arena_release(&arena);
    rows_close(&rows);
    return whole;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length)
{
    struct food food = {data, length};
    struct settings settings = {0};
    struct buffer serial = {0}, parts = {0};
    csv_options(&settings, food_byte(&food));
    struct wish wish = {.part_rows = food_byte(&food), .part_bytes = food_byte(&food)};
    wish.window = 1 + food_byte(&food);
    wish.batch_rows = 1 + food_byte(&food);
    struct buffer text = food_rest(&food);
    bool whole = read_serial(&text, &settings, &serial);
    must(read_parts(&text, &settings, &wish, &parts) == whole);
    if (whole)
        must_be_same(&serial, &parts);
    buffer_release(&serial);
    buffer_release(&parts);
    buffer_release(&text);
    settings_release(&settings);
    return 0;
}
