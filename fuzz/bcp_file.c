/*
 * bcp_file: any bytes as a data file, by one of many layouts. Read at once and through
 * small windows in small batches the rows and refusals must be the same; what was read
 * is written again by the same layout, and must read back as the same rows where the
 * layout can say them (nothing refused, nothing lost).
 *
 * Front of the input: number of fields, then for each host type, prefix, length and
 * terminator; code page; window; batch rows. The rest is the file.
 */
#include "csv_rows.h"

#include "format/bcp/bcp.h"
#include "format/bcp/input.h"

#define BUDGET ((size_t)64 << 20)
#define FORMAT "memory:x.fmt"
#define COPY   "memory:copy.bcp"

static struct buffer make_format(struct food *food)
{
    static const char *const ends[] = {"", "\\t", "\\n", "\\r\\n", "||", "0x00", "a", "\\t\\0", "\\n\\0"};
    static const int prefixes[] = {0, 1, 2, 4, 8};
    struct buffer text = {0};
    struct haul_error err = {0};
    int count = 1 + food_byte(food) % 5;
    must(!buffer_printf(&text, &err, "14.0\n%d\n", count));
    for (int i = 1; i <= count; i++) {
        const struct bcp_host_info *host = &bcp_hosts[food_byte(food) % HOST_COUNT];
        int prefix = prefixes[food_byte(food) % 5];
        unsigned length = food_byte(food) % 20, end = food_byte(food) % 9;
        must(!buffer_printf(&text, &err, "%d %s %d %u \"%s\" %d c%d \"\"\n", i, host->name, prefix,
                            host->bytes ? host->bytes : length, ends[end], i, i));
    }
    return text;
}

struct wish {
    size_t window;
    int64_t batch_rows;
    struct buffer *copy; /* NULL: not written again */
    int64_t part_bytes;  /* 0: in one part */
};

struct writing {
    struct buffer *out;
    struct piece *piece;
    struct haul_error *err;
};

static void each(void *user, const struct batch *batch)
{
    struct writing *writing = user;
    csv_print(writing->out, batch);
    if (writing->piece && !writing->err->code)
        (void)writing->piece->ops->write(writing->piece, batch, writing->err);
}

static void finish_copy(struct rows *rows, struct format_output *output, struct piece *piece,
                        struct buffer *copy)
{
    struct output_file *file = NULL;
    struct arena arena = {0};
    struct haul_error err = {0};
    const char *note;
    const uint8_t *data;
    size_t length;
    must(!piece->ops->seal(piece, &err));
    must(!store_for(COPY)->create(COPY, "memory:temp", &rows->context, &file, &err));
    must(!output->ops->append(output, piece, file, &arena, &note, &err));
    must(!file->ops->publish(file, true, &err));
    must(!store_memory_get(COPY, &data, &length, &err));
    must(!buffer_append(copy, data, length, &err));
    arena_release(&arena);
}

static bool read_parts(struct rows *rows, const struct wish *wish, struct writing *writing)
{
    struct bcp_input *input = (struct bcp_input *)(void *)rows->input;
    const struct split_request request = {0};
    struct arena arena = {0};
    int64_t offered = 0;
    bool fine = true, more = true;
    input->part_bytes = wish->part_bytes ? wish->part_bytes : input->part_bytes;
    input->options.parallel = wish->part_bytes ? 3 : 1;
    while (fine && more) {
        struct part part = {0};
        fine = !rows->input->ops->split(rows->input, &request, &arena, &part, &more, &rows->err);
        fine = fine && (!more || rows_read(rows, &part, wish->batch_rows, &offered, each, writing));
    }
    arena_release(&arena);
    return fine;
}

/* True: read to the end; *clean: with nothing refused or lost. */
static bool read_file(const struct buffer *format, const struct buffer *bytes, struct settings *settings,
                      const struct wish *wish, struct buffer *out, bool *clean)
{
    struct rows rows = {.context.settings = settings};
    struct haul_error err = {0};
    struct format_output *output = NULL;
    struct writing writing = {.out = out, .err = &err};
    must(!store_memory_put(FORMAT, format->data, format->length, &err));
    bool whole = rows_open(&rows, &format_bcp, bytes, BUDGET);
    if (whole) {
        ((struct bcp_input *)(void *)rows.input)->window_bytes = wish->window;
        struct schema to = {0};
        const struct format_request request = {.context = &rows.context, .name = COPY};
        if (wish->copy) {
            must(!schema_copy(&rows.info.schema, &to, &err));
            must(!format_bcp.negotiate(&request, &to, &err));
            if (!format_bcp.open_output(&request, &to, &output, &err))
                (void)output->ops->piece(output, &rows.context, NULL, &writing.piece, &err);
            schema_release(&to);
        }
        whole = read_parts(&rows, wish, &writing);
    }
    csv_print_rejects(&rows, out);
    *clean = whole && !rows.collector.rejects && !rows.collector.losses && !err.code;
    must_be_told(rows.err.code, &rows.err);
    must(rows.err.code != HAUL_INTERNAL);
    if (writing.piece && *clean)
        finish_copy(&rows, output, writing.piece, wish->copy);
    if (writing.piece)
        writing.piece->ops->close(writing.piece);
    if (output)
        output->ops->close(output);
    rows_close(&rows);
    return whole;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length)
{
    static const char *const pages[] = {"65001", "ACP", "OEM", "932"};
    struct food food = {data, length};
    struct settings settings = {0};
    struct buffer once = {0}, twice = {0}, copy = {0}, third = {0};
    struct haul_error err = {0};
    size_t count;
    bool clean, ignored;
    const struct haul_option *table = haul_options(&count);
    must(!settings_init(&settings, table, count, &err));
    struct buffer format = make_format(&food);
    csv_option(&settings, "format-file", FORMAT);
    csv_option(&settings, "code-page", pages[food_byte(&food) % 4]);
    struct wish wish = {.window = 1 + food_byte(&food), .batch_rows = 1 + food_byte(&food)};
    wish.part_bytes = food_byte(&food) % 32;
    struct wish plain = {.window = WINDOW_BYTES, .batch_rows = BATCH_ROWS, .copy = &copy};
    struct buffer bytes = food_rest(&food);
    bool whole = read_file(&format, &bytes, &settings, &plain, &once, &clean);
    must(read_file(&format, &bytes, &settings, &wish, &twice, &ignored) == whole);
    if (whole)
        must_be_same(&once, &twice);
    plain.copy = NULL;
    if (clean) {
        must(read_file(&format, &copy, &settings, &plain, &third, &ignored));
        must_be_same(&once, &third);
    }
    buffer_release(&once);
    buffer_release(&twice);
    buffer_release(&third);
    buffer_release(&copy);
    buffer_release(&format);
    buffer_release(&bytes);
    settings_release(&settings);
    return 0;
}
