/*
 * input.c: opening and describing a data file.
 *
 * Its layout comes from --format-file; without one, from the columns of the table
 * it goes to and --storage, as bcp does it.
 *
 * The scale of a native decimal stands in each value, not in a classic format file;
 * when nothing else says it, the first rows are looked at.
 */
#include "format/bcp/input.h"

#include <stdio.h>
#include <string.h>

#define LOOK_BYTES ((size_t)1 << 20)
#define LOOK_ROWS  256
#define PART_BYTES ((int64_t)1 << 20)

static struct bcp_input *self(struct format_input *input)
{
    return (struct bcp_input *)(void *)input;
}

size_t bcp_mark_bytes(const struct bcp_input *input, const uint8_t *data, size_t length)
{
    const struct bcp_field *first = &input->layout.fields[0];
    if (first->prefix)
        return 0;
    if (first->host == HOST_NCHAR && length >= 2 && data[0] == 0xff && data[1] == 0xfe)
        return 2;
    if (first->host == HOST_CHAR && length >= 3 && memcmp(data, "\xef\xbb\xbf", 3) == 0)
        return 3;
    return 0;
}

/* ---- describing ---- */

static enum haul_code describe(struct format_input *base, struct source_info *info, struct haul_error *err)
{
    const struct bcp_input *input = self(base);
    if (schema_copy(&input->schema, &info->schema, err))
        return err->code;
    info->rows = -1;
    info->rows_exact = false;
    info->order_fixed = true;
    info->replayable = input->file->size >= 0;
    info->splits_max = bcp_can_split(input) ? 0 : 1;
    return HAUL_OK;
}

static enum haul_code inspect_facts(const struct bcp_input *input, struct inspection *out,
                                    struct haul_error *err)
{
    const char *kind = !input->options.format_file ? "none"
                       : input->layout.xml         ? "XML"
                                                   : input->layout.version;
    out->facts = arena_alloc_array(&out->arena, 3, sizeof *out->facts);
    char *fields = arena_printf(&out->arena, "%d", input->layout.count);
    if (!out->facts || !fields)
        return error_nomem(err, "facts about a file");
    out->facts[0] = (struct inspected_fact){"format_file", arena_text(&out->arena, kind)};
    out->facts[1] = (struct inspected_fact){"fields", fields};
    out->facts[2] = (struct inspected_fact){"compression", packing_name(input->packing)};
    out->fact_count = 3;
    return out->facts[0].value ? HAUL_OK : error_nomem(err, "facts about a file");
}

static enum haul_code inspect(struct format_input *base, struct inspection *out, struct haul_error *err)
{
    const struct bcp_input *input = self(base);
    out->format = "bcp";
    out->rows = -1;
    out->bytes = input->file->size;
    out->columns = arena_alloc_array(&out->arena, (size_t)input->schema.count, sizeof *out->columns);
    if (!out->columns)
        return error_nomem(err, "columns");
    out->column_count = input->schema.count;
    for (int i = 0; i < input->schema.count; i++) {
        struct inspected_column *column = &out->columns[i];
        column->name = arena_text(&out->arena, input->schema.fields[i].name);
        if (!column->name)
            return error_nomem(err, "columns");
        field_print_type(&input->schema.fields[i], column->type, sizeof column->type);
        column->bytes_stored = column->bytes_plain = column->values = column->nulls = -1;
        column->pages = column->dictionary_pages = -1;
    }
    return inspect_facts(input, out, err);
}

static void input_close(struct format_input *base)
{
    struct bcp_input *input = self(base);
    if (!input)
        return;
    bcp_layout_release(&input->layout);
    schema_release(&input->schema);
    arena_release(&input->arena);
    buffer_release(&input->head);
    memory_free(NULL, input, sizeof *input);
}

static const struct format_input_ops ops = {
    .describe = describe,
    .split = bcp_input_split,
    .open = bcp_reader_open,
    .inspect = inspect,
    .close = input_close,
};

/* ---- scales of decimals ---- */

/* The first rows' bytes; of a stream they are kept. */
static enum haul_code read_head(struct bcp_input *input, struct buffer *bytes, struct haul_error *err)
{
    struct input_file *unpacked = NULL, *file = input->file;
    size_t got = 0;
    if (input->packing != PACKING_NONE) {
        if (input->file->size < 0)
            return HAUL_OK; /* it comes once */
        if (decompress_open(input->file, input->packing, NULL, &input->context, &unpacked, err))
            return err->code;
        file = unpacked;
    }
    enum haul_code code = buffer_reserve(bytes, LOOK_BYTES, err);
    if (!code)
        code = file->ops->read_at(file, 0, bytes->data, LOOK_BYTES, &got, err);
    bytes->length = got;
    if (!code && file == input->file && file->size < 0)
        code = buffer_append(&input->head, bytes->data, bytes->length, err);
    if (unpacked)
        unpacked->ops->close(unpacked);
    return code;
}

static bool wants_scale(const struct bcp_input *input, int column)
{
    const struct bcp_field *stored = &input->layout.fields[input->fields[column]];
    return input->schema.fields[column].type == TYPE_DECIMAL && !stored->type.sql &&
           (stored->host == HOST_DECIMAL || stored->host == HOST_NUMERIC);
}

static void take_scale(struct field *field, const struct bcp_run *run, const struct bcp_frame *frame,
                       int index)
{
    for (size_t r = 0; r < run->rows; r++) {
        struct bcp_span span = run->spans[r * (size_t)frame->count + (size_t)index];
        if (span.length != 19 || run->data[span.at] > 38 || run->data[span.at + 1] > run->data[span.at])
            continue;
        field->precision = run->data[span.at];
        field->scale = run->data[span.at + 1];
        return;
    }
}

static enum haul_code look_for_scales(struct bcp_input *input, struct haul_error *err)
{
    struct buffer bytes, spans;
    bool wanted = false;
    for (int i = 0; i < input->schema.count; i++)
        wanted = wanted || wants_scale(input, i);
    if (!wanted)
        return HAUL_OK;
    buffer_init(&bytes, input->context.memory);
    buffer_init(&spans, input->context.memory);
    enum haul_code code = read_head(input, &bytes, err);
    if (!code)
        code = buffer_reserve(&spans, LOOK_ROWS * (size_t)input->frame.count * sizeof(struct bcp_span), err);
    if (!code && bytes.length) {
        size_t mark = bcp_mark_bytes(input, bytes.data, bytes.length);
        struct bcp_run run = {.data = bytes.data + mark,
                              .length = bytes.length - mark,
                              .spans = (struct bcp_span *)(void *)spans.data,
                              .rows_max = LOOK_ROWS};
        bcp_frame_run(&input->frame, &run);
        for (int i = 0; i < input->schema.count; i++)
            if (wants_scale(input, i))
                take_scale(&input->schema.fields[i], &run, &input->frame, input->fields[i]);
    }
    buffer_release(&bytes);
    buffer_release(&spans);
    return code;
}

/* ---- opening ---- */

static enum haul_code find_layout(struct bcp_input *input, const struct schema *like, struct haul_error *err)
{
    if (input->options.format_file)
        return bcp_layout_open(input->options.format_file, &input->context, &input->layout, err);
    if (!like)
        return error_set(
            err, HAUL_USAGE,
            "nothing says what the fields of a BCP file are; give its format file with --format-file");
    return bcp_layout_derive(&input->layout, like, &input->options, err);
}

/* Values of columns that the table makes itself are read and not used. */
static void pass_columns(struct bcp_layout *layout, const struct schema *like, const bool *passed)
{
    for (int i = 0; like && passed && i < layout->count; i++) {
        struct bcp_field *field = &layout->fields[i];
        if (field->column && field->column <= like->count && passed[field->column - 1]) {
            field->column = 0;
            layout->columns--;
        }
    }
}

static enum haul_code choose_columns(struct bcp_input *input, const struct source_request *request,
                                     struct haul_error *err)
{
    struct schema all = {0};
    int *places, *fields = NULL, *file_fields = NULL;
    const struct schema *like = request ? request->like : NULL;
    if (bcp_layout_schema(&input->layout, &input->options, like, &all, &file_fields, err)) {
        schema_release(&all);
        return err->code;
    }
    int count = request && request->columns ? request->column_count : all.count;
    places = arena_alloc_array(&input->arena, (size_t)count + 1, sizeof *places);
    fields = arena_alloc_array(&input->arena, (size_t)count + 1, sizeof *fields);
    enum haul_code code = places && fields ? HAUL_OK : error_nomem(err, "columns");
    for (int i = 0; !code && i < count; i++)
        places[i] = i;
    if (!code)
        code = request && request->columns
                   ? schema_select(&all, request->columns, count, &input->schema, places, err)
                   : schema_copy(&all, &input->schema, err);
    for (int i = 0; !code && i < count; i++)
        fields[i] = file_fields[places[i]];
    input->fields = fields;
    schema_release(&all);
    return code;
}

static enum haul_code pass_layout(struct bcp_input *input, const struct source_request *source,
                                  struct haul_error *err)
{
    if (source)
        pass_columns(&input->layout, source->like, source->passed);
    return input->layout.columns
               ? HAUL_OK
               : error_set(err, HAUL_DATA, "no field of the file is a column that can be loaded");
}

enum haul_code bcp_input_open(const struct format_request *request, struct input_file *file,
                              struct format_input **out, struct haul_error *err)
{
    const struct source_request *source = request->source;
    struct bcp_input *input = memory_alloc(NULL, sizeof *input);
    if (!input)
        return error_nomem(err, "a BCP file");
    memset(input, 0, sizeof *input);
    input->base.ops = &ops;
    input->context = *request->context;
    input->file = file;
    input->packing = packing_by_suffix(file->name);
    input->window_bytes = WINDOW_BYTES;
    input->part_bytes = PART_BYTES;
    buffer_init(&input->head, NULL);
    if (bcp_options_read(&input->options, request->context, err) ||
        find_layout(input, source ? source->like : NULL, err) || pass_layout(input, source, err) ||
        bcp_frame_init(&input->frame, &input->layout, &input->arena, err) ||
        choose_columns(input, source, err) || look_for_scales(input, err) ||
        (source && source->schema &&
         bcp_schema_override(&input->layout, input->fields, source->schema, &input->schema, err))) {
        input_close(&input->base);
        return err->code;
    }
    *out = &input->base;
    return HAUL_OK;
}
