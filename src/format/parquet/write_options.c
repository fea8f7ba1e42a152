/*
 * write_options.c: --compression, --rowgroup-size, --page-version, --encoding;
 * and negotiate, which knows what types Parquet has.
 *
 * "zstd" alone means level 1: pages are small and already encoded, so higher
 * levels cost several times the CPU for a few percent. A row group given in rows
 * still has a limit in bytes, far away, against rows of megabytes.
 */
#include "format/parquet/write_options.h"
#include "base/settings.h"
#include "format/parquet/write.h"

#define GROUP_ROWS       1048576
#define GROUP_ROWS_MAX   ((int64_t)1 << 30)
#define GROUP_BYTES_MAX  ((int64_t)512 << 20)
#define GROUP_BYTES_MOST ((int64_t)1 << 40)
#define ZSTD_LEVEL       1

static const char *text_of(const struct context *context, const char *name, const char *preset)
{
    const char *text = context && context->settings ? settings_text(context->settings, name) : NULL;
    return text ? text : preset;
}

/* Digits alone are rows, a size with a unit is bytes. */
static enum haul_code read_group_size(const struct context *context, int64_t *rows, int64_t *bytes,
                                      struct haul_error *err)
{
    const char *text = text_of(context, "rowgroup-size", "1048576");
    int64_t number = 0;
    *rows = GROUP_ROWS;
    *bytes = GROUP_BYTES_MAX;
    enum haul_code code = settings_parse_size(text, &number, err);
    bool in_rows = strspn(text, "0123456789") == strlen(text);
    int64_t most = in_rows ? GROUP_ROWS_MAX : GROUP_BYTES_MOST;
    if (code || number < 1 || number > most)
        return error_set(err, HAUL_USAGE,
                         "--rowgroup-size \"%s\": give a number of rows (1048576) or a size (128MiB)", text);
    *rows = in_rows ? number : GROUP_ROWS_MAX;
    *bytes = in_rows ? GROUP_BYTES_MAX : number;
    return HAUL_OK;
}

static enum encoding_wish read_wish(const char *text)
{
    static const char *const names[] = {"auto", "plain", "dictionary", "delta", "split"};
    for (int i = WISH_AUTO; i <= WISH_SPLIT; i++)
        if (!strcmp(text, names[i]))
            return (enum encoding_wish)i;
    return WISH_AUTO;
}

enum haul_code write_options_read(const struct context *context, struct write_plan *plan,
                                  struct haul_error *err)
{
    enum haul_code code =
        codec_parse(text_of(context, "compression", "zstd"), &plan->codec, &plan->codec_level, err);
    if (code)
        return error_prefix(err, "--compression");
    if (plan->codec == CODEC_LZ4_HADOOP)
        plan->codec = CODEC_LZ4_RAW;
    if (plan->codec == CODEC_ZSTD && plan->codec_level == -1)
        plan->codec_level = ZSTD_LEVEL;
    plan->page_version = !strcmp(text_of(context, "page-version", "1"), "2") ? 2 : 1;
    plan->bloom = context && context->settings && settings_flag(context->settings, "bloom-filters");
    plan->wish = read_wish(text_of(context, "encoding", "auto"));
    return read_group_size(context, &plan->group_rows, &plan->group_bytes, err);
}

void parquet_piece_size(const struct format_request *request, int64_t *rows, int64_t *bytes)
{
    struct haul_error ignored = {0}; /* open_output tells it */
    if (read_group_size(request->context, rows, bytes, &ignored)) {
        *rows = GROUP_ROWS;
        *bytes = GROUP_BYTES_MAX;
    }
}

/* ---- types ---- */

/* Parquet has no seconds. The recursion is as deep as the schema, whose depth is checked after. */
static void field_adapt(struct field *field)
{
    bool timed = field->type == TYPE_TIME || field->type == TYPE_TIMESTAMP;
    if (timed && field->unit == TIME_SECOND)
        field->unit = TIME_MILLI;
    if (field->type == TYPE_FIXED_BINARY && field->width == 0)
        field->type = TYPE_BINARY;
    for (int i = 0; i < field->child_count; i++)
        field_adapt(&field->children[i]);
}

enum haul_code parquet_negotiate(const struct format_request *request, struct schema *to,
                                 struct haul_error *err)
{
    struct arena arena = {0};
    struct tree tree;
    struct write_plan plan;
    for (int i = 0; i < to->count; i++)
        field_adapt(&to->fields[i]);
    enum haul_code code = write_options_read(request->context, &plan, err);
    if (!code)
        code = schema_to_parquet(to, &tree, &arena, err);
    arena_release(&arena);
    return code;
}
