/*
 * output.c: a CSV file in the making: the header, then pieces one after another.
 *
 * A file that is continued has its header already (restore says so). Pieces need
 * nothing from each other and nothing at the end, so they leave no note.
 */
#include "format/csv/output.h"

#include "format/csv/cell.h"
#include "format/pack.h"
#include <string.h>

#define PIECE_ROWS  262144
#define PIECE_BYTES ((int64_t)32 << 20)

static struct csv_output *self(struct format_output *output)
{
    return (struct csv_output *)(void *)output;
}

static enum haul_code write_header(struct csv_output *output, struct output_file *file,
                                   struct haul_error *err)
{
    struct buffer text;
    if (output->dialect.header == CSV_HEADER_NO || file->offset > 0)
        return HAUL_OK;
    buffer_init(&text, output->context.memory);
    enum haul_code code = HAUL_OK;
    for (int i = 0; !code && i < output->schema.count; i++) {
        const char *name = output->schema.fields[i].name;
        if (i)
            code = buffer_append(&text, output->dialect.delimiter, output->dialect.delimiter_length, err);
        if (!code)
            code = csv_print_text(&output->dialect, name, strlen(name), &text, err);
    }
    if (!code)
        code = buffer_append(&text, "\n", 1, err);
    if (!code)
        code = pack_append(output->packing, &text, file, err);
    buffer_release(&text);
    return code;
}

static enum haul_code drain(struct format_output *base, struct piece *piece, struct output_file *file,
                            struct haul_error *err)
{
    if (write_header(self(base), file, err))
        return err->code;
    return csv_piece_drain(piece, file, err);
}

static enum haul_code append(struct format_output *base, struct piece *piece, struct output_file *file,
                             struct arena *arena, const char **note, struct haul_error *err)
{
    (void)arena;
    *note = NULL;
    return drain(base, piece, file, err);
}

static enum haul_code restore(struct format_output *base, const char *note, int64_t offset,
                              struct haul_error *err)
{
    (void)note;
    (void)offset;
    (void)err;
    (void)base;
    return HAUL_OK;
}

static enum haul_code finish(struct format_output *base, struct output_file *file, struct haul_error *err)
{
    return write_header(self(base), file, err);
}

static void output_close(struct format_output *base)
{
    struct csv_output *output = self(base);
    if (!output)
        return;
    schema_release(&output->schema);
    memory_free(NULL, output, sizeof *output);
}

static const struct format_output_ops ops = {
    .piece = csv_piece_open,
    .append = append,
    .drain = drain,
    .restore = restore,
    .finish = finish,
    .close = output_close,
};

enum haul_code csv_output_open(const struct format_request *request, const struct schema *schema,
                               struct format_output **out, struct haul_error *err)
{
    struct csv_output *output = memory_alloc(NULL, sizeof *output);
    if (!output)
        return error_nomem(err, "a CSV file");
    memset(output, 0, sizeof *output);
    output->base.ops = &ops;
    output->context = *request->context;
    output->packing = request->name ? packing_by_suffix(request->name) : PACKING_NONE;
    if (csv_dialect_init(&output->dialect, request->context->settings, err) ||
        schema_copy(schema, &output->schema, err)) {
        output_close(&output->base);
        return err->code;
    }
    if (!output->dialect.delimiter_length)
        csv_dialect_set_delimiter(&output->dialect, csv_name_wants_tabs(request->name) ? "\t" : ",", 1);
    *out = &output->base;
    return HAUL_OK;
}

void csv_piece_size(const struct format_request *request, int64_t *rows, int64_t *bytes)
{
    (void)request;
    *rows = PIECE_ROWS;
    *bytes = PIECE_BYTES;
}
