/*
 * output.c: a data file in the making, and its format file.
 *
 * The layout is that of --format-file; when there is no such file yet, the layout
 * comes from the columns and --storage, and the format file is written beside the
 * data.
 */
#include "format/bcp/output.h"

#include "format/bcp/bcp.h"
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const struct bcp_output *of(const struct row_output *output)
{
    return (const struct bcp_output *)(const void *)output;
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
        code = store->create(name, temp, &output->base.context, &file, err);
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

/* ---- opening ---- */

enum haul_code bcp_output_head(const struct row_output *output, struct buffer *text, struct haul_error *err)
{
    static const uint8_t mark[] = {0xff, 0xfe};
    return of(output)->marked ? buffer_append(text, mark, sizeof mark, err) : HAUL_OK;
}

void bcp_output_close(struct row_output *output)
{
    bcp_layout_release(&((struct bcp_output *)(void *)output)->layout);
}

enum haul_code bcp_output_open(const struct format_request *request, const struct schema *schema,
                               struct format_output **out, struct haul_error *err)
{
    bool made = false;
    struct row_output *base;
    if (row_output_open(&bcp_rows, request, schema, &base, err))
        return err->code;
    struct bcp_output *output = (struct bcp_output *)(void *)base;
    if (bcp_options_read(&output->options, request->context, err) ||
        find_layout(&output->options, request->context, schema, &output->layout, &made, err) ||
        (made && output->options.format_file && write_layout(output, err))) {
        row_output_close(&base->base);
        return err->code;
    }
    output->marked = made && output->options.storage == STORAGE_UNICODE;
    *out = &base->base;
    return HAUL_OK;
}
