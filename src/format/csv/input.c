/*
 * input.c: opening and describing a CSV file, and what `haul inspect` shows.
 */
#include "format/csv/input.h"

#include <stdio.h>
#include <string.h>

#define FACTS_MAX 10

static struct csv_input *self(struct format_input *input)
{
    return (struct csv_input *)(void *)input;
}

static enum haul_code describe(struct format_input *base, struct source_info *info, struct haul_error *err)
{
    const struct csv_input *input = self(base);
    int64_t size = input->bytes.file->size;
    if (schema_copy(&input->schema, &info->schema, err))
        return err->code;
    info->rows = -1;
    info->rows_exact = false;
    info->order_fixed = true;
    info->replayable = input->file->size >= 0;
    info->splits_max = size >= 0 ? 0 : 1;
    return HAUL_OK;
}

/* ---- inspect ---- */

static void add_fact(struct inspection *out, const char *name, const char *value)
{
    out->facts[out->fact_count++] = (struct inspected_fact){name, value};
}

static const char *byte_text(struct arena *arena, int byte, const char *none)
{
    if (byte == CSV_NONE)
        return none;
    return byte < 0x20 ? arena_printf(arena, "\\x%02x", byte) : arena_printf(arena, "%c", byte);
}

static const char *charset_name(const struct csv_input *input)
{
    if (input->layers.charset[0])
        return input->layers.charset;
    return input->shape.other_charset ? "not UTF-8: say it, as with --charset windows-1252" : "UTF-8";
}

static enum haul_code inspect_facts(const struct csv_input *input, struct inspection *out,
                                    struct haul_error *err)
{
    const struct csv_shape *shape = &input->shape;
    char delimiter[CSV_DELIMITER_TEXT_BYTES];
    csv_dialect_print_delimiter(&shape->dialect, delimiter);
    out->facts = arena_alloc_array(&out->arena, FACTS_MAX, sizeof *out->facts);
    char *text = arena_printf(&out->arena, "%s%s", delimiter, shape->delimiter_sniffed ? " (sniffed)" : "");
    char *sampled = arena_printf(&out->arena, "%lld", (long long)shape->sample_records);
    if (!out->facts || !text || !sampled)
        return error_nomem(err, "facts about a file");
    add_fact(out, "delimiter", text);
    add_fact(out, "quote", byte_text(&out->arena, shape->dialect.quote, "none"));
    add_fact(out, "escape", byte_text(&out->arena, shape->dialect.escape, "doubled quote"));
    add_fact(out, "header", shape->header ? "yes" : "no");
    add_fact(out, "encoding", charset_name(input));
    add_fact(out, "compression", packing_name(input->layers.packing));
    add_fact(out, "records_sampled", sampled);
    return HAUL_OK;
}

static enum haul_code inspect(struct format_input *base, struct inspection *out, struct haul_error *err)
{
    const struct csv_input *input = self(base);
    const struct schema *schema = &input->schema;
    out->format = "csv";
    out->rows = -1;
    out->bytes = input->file->size;
    out->columns = arena_alloc_array(&out->arena, (size_t)schema->count, sizeof *out->columns);
    if (!out->columns)
        return error_nomem(err, "columns");
    out->column_count = schema->count;
    for (int i = 0; i < schema->count; i++) {
        struct inspected_column *column = &out->columns[i];
        column->name = arena_text(&out->arena, schema->fields[i].name);
        if (!column->name)
            return error_nomem(err, "columns");
        field_print_type(&schema->fields[i], column->type, sizeof column->type);
        column->bytes_stored = column->bytes_plain = column->values = column->nulls = -1;
        column->pages = column->dictionary_pages = -1;
    }
    return inspect_facts(input, out, err);
}

static void input_close(struct format_input *base)
{
    struct csv_input *input = self(base);
    if (!input)
        return;
    csv_split_free(input->split);
    csv_shape_release(&input->shape);
    schema_release(&input->schema);
    buffer_release(&input->bytes.head);
    csv_layers_close(&input->layers);
    memory_free(NULL, input, sizeof *input);
}

static const struct format_input_ops ops = {
    .describe = describe,
    .split = csv_input_split,
    .open = csv_reader_open,
    .inspect = inspect,
    .close = input_close,
};

static enum haul_code order_columns(struct csv_input *input, struct haul_error *err)
{
    const struct schema *file = &input->shape.schema;
    const char **names = arena_alloc_array(&input->shape.schema.arena, (size_t)file->count, sizeof *names);
    if (!names)
        return error_nomem(err, "columns");
    for (int i = 0; i < file->count; i++)
        names[i] = file->fields[input->shape.order[i]].name;
    return schema_select(file, names, file->count, &input->schema, input->places, err);
}

/* The columns asked for; all of them when none were named. */
static enum haul_code choose_columns(struct csv_input *input, const struct source_request *request,
                                     struct haul_error *err)
{
    const struct schema *file = &input->shape.schema;
    int count = request && request->columns ? request->column_count : file->count;
    int *places = arena_alloc_array(&input->shape.schema.arena, (size_t)count + 1, sizeof *places);
    if (!places)
        return error_nomem(err, "columns");
    input->places = places;
    for (int i = 0; i < count; i++)
        places[i] = input->shape.order && !(request && request->columns) ? input->shape.order[i] : i;
    if (!request || !request->columns)
        return input->shape.order ? order_columns(input, err) : schema_copy(file, &input->schema, err);
    return schema_select(file, request->columns, count, &input->schema, places, err);
}

/* The text, and what looking for it took from a stream. */
static enum haul_code open_text(struct csv_input *input, struct haul_error *err)
{
    struct file_head head;
    if (csv_layers_find(&input->layers, input->file, &input->context, &head, err))
        return err->code;
    input->bytes.file = csv_layers_top(&input->layers, input->file);
    if (input->bytes.file->size >= 0)
        return HAUL_OK;
    return buffer_append(&input->bytes.head, head.bytes, head.length, err);
}

/* Readers begin anew: what the sample took is let go. */
static void close_text(struct csv_input *input)
{
    if (!csv_input_reopens(input))
        return;
    csv_layers_close(&input->layers);
    buffer_release(&input->bytes.head);
    input->again = (struct input_file){NULL, input->file->name, "", -1};
    input->bytes.file = &input->again;
}

enum haul_code csv_input_open(const struct format_request *request, struct input_file *file,
                              struct format_input **out, struct haul_error *err)
{
    struct csv_input *input = memory_alloc(NULL, sizeof *input);
    if (!input)
        return error_nomem(err, "a CSV file");
    memset(input, 0, sizeof *input);
    input->base.ops = &ops;
    input->context = *request->context;
    input->file = file;
    buffer_init(&input->bytes.head, input->context.memory);
    input->window_bytes = WINDOW_BYTES;
    if (open_text(input, err) ||
        csv_shape_find(&input->shape, &input->bytes, request->source, &input->context, err) ||
        choose_columns(input, request->source, err)) {
        input_close(&input->base);
        return err->code;
    }
    close_text(input);
    csv_scan_init(&input->scan, &input->shape.dialect, &input->context.cpu);
    *out = &input->base;
    return HAUL_OK;
}
