/*
 * output.c: a data file in the making, and its format file.
 *
 * The layout is that of --format-file; when there is no such file yet, the layout
 * comes from the columns and --storage, and the format file is written beside the
 * data. Pieces need nothing from each other and nothing at the end.
 */
#include "format/bcp/output.h"

#include "format/bcp/bcp.h"
#include "format/pack.h"
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define PIECE_ROWS  262144
#define PIECE_BYTES ((int64_t)32 << 20)

static struct bcp_output *self(struct format_output *output)
{
    return (struct bcp_output *)(void *)output;
}

/* ---- layouts ---- */

static enum haul_code same_count(const struct bcp_layout *layout, const char *name,
                                 const struct schema *schema, struct haul_error *err)
{
    for (int i = 0; i < layout->count; i++)
        if (layout->fields[i].column > schema->count)
            return error_set(err, HAUL_DATA,
                             "format file %s: field %d is server column %d, and the source has %d columns",
                             name, i + 1, layout->fields[i].column, schema->count);
    return HAUL_OK;
}

/* *made: there was no format file. */
static enum haul_code find_layout(const struct bcp_options *options, const struct context *context,
                                  const struct schema *schema, struct bcp_layout *layout, bool *made,
                                  struct haul_error *err)
{
    struct haul_error missing = {0};
    *made = true;
    if (options->format_file) {
        enum haul_code code = bcp_layout_open(options->format_file, context, layout, &missing);
        *made = code == HAUL_NOT_FOUND;
        if (!code)
            return same_count(layout, options->format_file, schema, err);
        if (!*made) {
            *err = missing;
            return code;
        }
    }
    return bcp_layout_derive(layout, schema, options, err);
}

enum haul_code bcp_format_text(const struct context *context, const struct schema *schema, struct buffer *out,
                               struct haul_error *err)
{
    struct bcp_options options;
    struct bcp_layout layout = {0};
    if (bcp_options_read(&options, context, err))
        return err->code;
    enum haul_code code = bcp_layout_derive(&layout, schema, &options, err);
    if (!code)
        code = options.xml ? bcp_xml_print(&layout, out, err) : bcp_classic_print(&layout, out, err);
    bcp_layout_release(&layout);
    return code;
}

static enum haul_code write_layout(const struct bcp_output *output, struct haul_error *err)
{
    const char *name = output->options.format_file;
    const struct store_ops *store = store_for(name);
    struct output_file *file = NULL;
    struct buffer text;
    char temp[4096];
    if (snprintf(temp, sizeof temp, "%s.haul-%ld", name, (long)getpid()) >= (int)sizeof temp)
        return error_set(err, HAUL_USAGE, "the name of the format file is too long");
    buffer_init(&text, NULL);
    enum haul_code code = output->layout.xml ? bcp_xml_print(&output->layout, &text, err)
                                             : bcp_classic_print(&output->layout, &text, err);
    if (!code)
        code = store->create(name, temp, &output->context, &file, err);
    if (!code)
        code = file->ops->append(file, text.data, text.length, err);
    if (!code)
        code = file->ops->publish(file, false, err);
    if (code && file) {
        struct haul_error ignored;
        file->ops->close(file);
        (void)store->remove(temp, &ignored);
    }
    buffer_release(&text);
    return code ? error_prefix(err, "format file %s", name) : HAUL_OK;
}

/* ---- negotiating ---- */

enum haul_code bcp_negotiate(const struct format_request *request, struct schema *to, struct haul_error *err)
{
    struct bcp_options options;
    struct bcp_layout layout = {0};
    bool made;
    if (bcp_options_read(&options, request->context, err) ||
        find_layout(&options, request->context, to, &layout, &made, err)) {
        bcp_layout_release(&layout);
        return err->code;
    }
    enum haul_code code = HAUL_OK;
    for (int i = 0; !code && i < layout.count; i++) {
        const struct bcp_field *stored = &layout.fields[i];
        if (stored->column)
            code = bcp_field_negotiate(stored, &to->arena, &to->fields[stored->column - 1], err);
    }
    bcp_layout_release(&layout);
    return code;
}

/* ---- appending ---- */

static enum haul_code write_mark(struct bcp_output *output, struct output_file *file, struct haul_error *err)
{
    static const uint8_t mark[] = {0xff, 0xfe};
    struct buffer text;
    if (!output->marked || file->offset > 0)
        return HAUL_OK;
    buffer_init(&text, output->context.memory);
    enum haul_code code = buffer_append(&text, mark, sizeof mark, err);
    if (!code)
        code = pack_append(output->packing, &text, file, err);
    buffer_release(&text);
    return code;
}

static enum haul_code drain(struct format_output *base, struct piece *piece, struct output_file *file,
                            struct haul_error *err)
{
    return write_mark(self(base), file, err) ? err->code : bcp_piece_drain(piece, file, err);
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
    return write_mark(self(base), file, err);
}

static void output_close(struct format_output *base)
{
    struct bcp_output *output = self(base);
    if (!output)
        return;
    bcp_layout_release(&output->layout);
    schema_release(&output->schema);
    memory_free(NULL, output, sizeof *output);
}

static const struct format_output_ops ops = {
    .piece = bcp_piece_open,
    .append = append,
    .drain = drain,
    .restore = restore,
    .finish = finish,
    .close = output_close,
};

enum haul_code bcp_output_open(const struct format_request *request, const struct schema *schema,
                               struct format_output **out, struct haul_error *err)
{
    bool made = false;
    struct bcp_output *output = memory_alloc(NULL, sizeof *output);
    if (!output)
        return error_nomem(err, "a BCP file");
    memset(output, 0, sizeof *output);
    output->base.ops = &ops;
    output->context = *request->context;
    output->packing = request->name ? packing_by_suffix(request->name) : PACKING_NONE;
    if (bcp_options_read(&output->options, request->context, err) ||
        schema_copy(schema, &output->schema, err) ||
        find_layout(&output->options, request->context, schema, &output->layout, &made, err) ||
        (made && output->options.format_file && write_layout(output, err))) {
        output_close(&output->base);
        return err->code;
    }
    output->marked = made && output->options.storage == STORAGE_UNICODE;
    *out = &output->base;
    return HAUL_OK;
}

void bcp_piece_size(const struct format_request *request, int64_t *rows, int64_t *bytes)
{
    (void)request;
    *rows = PIECE_ROWS;
    *bytes = PIECE_BYTES;
}
