/* output.c: a CSV file in the making: its dialect and its header. */
#include "format/csv/output.h"

#include "format/csv/cell.h"
#include <string.h>

enum haul_code csv_output_head(const struct row_output *base, struct buffer *text, struct haul_error *err)
{
    const struct csv_output *output = (const struct csv_output *)(const void *)base;
    const struct csv_dialect *dialect = &output->dialect;
    if (dialect->header == CSV_HEADER_NO)
        return HAUL_OK;
    for (int i = 0; i < base->schema.count; i++) {
        const char *name = base->schema.fields[i].name;
        if ((i && buffer_append(text, dialect->delimiter, dialect->delimiter_length, err)) ||
            csv_print_text(dialect, name, strlen(name), text, err))
            return err->code;
    }
    return buffer_append(text, "\n", 1, err);
}

enum haul_code csv_output_open(const struct format_request *request, const struct schema *schema,
                               struct format_output **out, struct haul_error *err)
{
    struct row_output *base;
    if (row_output_open(&csv_rows, request, schema, &base, err))
        return err->code;
    struct csv_output *output = (struct csv_output *)(void *)base;
    if (csv_dialect_init(&output->dialect, request->context->settings, err)) {
        row_output_close(&base->base);
        return err->code;
    }
    if (!output->dialect.delimiter_length)
        csv_dialect_set_delimiter(&output->dialect, csv_name_wants_tabs(request->name) ? "\t" : ",", 1);
    *out = &base->base;
    return HAUL_OK;
}
