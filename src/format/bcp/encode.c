/*
 * encode.c: strings and bytes, code pages and UTF-16, NULLs, dictionaries.
 *
 * A text that holds its own terminator is written all the same, as bcp does, and
 * counted as a loss: nothing in the file tells its end then. So is the text of one
 * NUL, which is how bcp writes the empty one.
 */
#include "format/bcp/encode.h"

#include "base/utf16.h"
#include "batch/text.h"
#include <string.h>

static const uint8_t zeros[CELL_PADDING];

#define VARIANT_VALUE 1 /* the member of a sql_variant's struct; the other one is its type */
#define NO_NULL       "NULL has no form in a fixed field without a prefix; give the field a prefix length of 1"

/* ---- opening ---- */

static bool prints_into(uint8_t byte)
{
    return byte && strchr("0123456789+-.:eE ABCDEFabcdef", byte) != NULL;
}

static void moments_init(struct bcp_encoder *encoder)
{
    const struct field *field = encoder->field;
    if (field->type == TYPE_STRUCT && field->child_count)
        field = &field->children[0];
    if (field->type == TYPE_TIME || field->type == TYPE_TIMESTAMP) {
        encoder->moments.per_second = calendar_units_per_second(field->unit);
        encoder->moments.width = (size_t)field_width(field);
    }
}

enum haul_code bcp_encoder_init(struct bcp_encoder *encoder, const struct bcp_field *stored,
                                const struct field *field, const struct bcp_options *options,
                                struct memory *memory, struct haul_error *err)
{
    memset(encoder, 0, sizeof *encoder);
    encoder->stored = stored;
    encoder->field = field;
    encoder->type = bcp_type_of(field);
    buffer_init(&encoder->slots, memory);
    buffer_init(&encoder->scratch, memory);
    buffer_init(&encoder->wide, memory);
    buffer_init(&encoder->entries, memory);
    moments_init(encoder);
    if (stored->host == HOST_CHAR) {
        int page = bcp_field_page(options, stored);
        encoder->narrow = page != CODEPAGE_UTF8;
        if (encoder->narrow &&
            (codepage_open(&encoder->page, page, err) || codepage_add_reverse(&encoder->page, err)))
            return error_prefix(err, "column \"%s\"", field->name);
    }
    for (size_t i = 0; i < stored->end_length; i += stored->host == HOST_NCHAR ? 2 : 1)
        encoder->odd_end |= i == 0 && prints_into(stored->end[i]);
    encoder->encode = bcp_host_is_text(stored->host) ? bcp_text_choose(encoder) : bcp_native_choose(encoder);
    if (!encoder->encode && bcp_host_is_text(stored->host))
        encoder->print = cell_print_choose(field);
    if (stored->host == HOST_VARIANT)
        return error_set(err, HAUL_UNSUPPORTED,
                         "column \"%s\": sql_variant is not written in native form; use text (-c)",
                         field->name);
    return HAUL_OK;
}

void bcp_encoder_release(struct bcp_encoder *encoder)
{
    codepage_release(&encoder->page);
    buffer_release(&encoder->slots);
    buffer_release(&encoder->scratch);
    buffer_release(&encoder->wide);
    buffer_release(&encoder->entries);
}

/* ---- strings and bytes ---- */

static void check_ends(struct bcp_encoder *encoder, const uint8_t *text, size_t length)
{
    const struct bcp_field *stored = encoder->stored;
    if (stored->prefix || !stored->end_length)
        return;
    const uint8_t *found = memchr(text, stored->end[0], length);
    if (found && (stored->end_length == 1 ||
                  memmem(found, (size_t)(text + length - found), stored->end, stored->end_length)))
        encoder->lost_ends++;
    encoder->lost_nuls +=
        length == (stored->host == HOST_NCHAR ? 2 : 1) && text[0] == 0 && text[length - 1] == 0;
}

/* Strings where they stand, or copied when too little follows them. */
static enum haul_code string_cells(struct bcp_encoder *encoder, const struct view *view, struct cells *cells,
                                   struct haul_error *err)
{
    const int32_t *offsets = view->offsets + cells->from;
    const size_t base = (size_t)offsets[0], total = (size_t)offsets[cells->rows] - base;
    const uint8_t *data = total ? view->data + base : zeros;
    if (buffer_reserve(&encoder->scratch, (size_t)2 * CELL_PADDING, err)) /* the last ones, in all */
        return err->code;
    for (size_t r = 0; r < cells->rows; r++) {
        size_t start = (size_t)offsets[r] - base, length = (size_t)offsets[r + 1] - (size_t)offsets[r];
        const uint8_t *text = data + start;
        if (length == 0) {
            text = zeros;
        } else if (start + CELL_PADDING > total) {
            uint8_t *copy = encoder->scratch.data + encoder->scratch.length;
            memcpy(copy, text, length);
            encoder->scratch.length += length;
            text = copy;
        }
        cell_set(cells, r, text, length);
    }
    return HAUL_OK;
}

/* The same as hex digits. */
static enum haul_code hex_cells(struct bcp_encoder *encoder, const struct view *view, struct cells *cells,
                                struct haul_error *err)
{
    static const char digits[] = "0123456789ABCDEF";
    const bool fixed = view->field->type == TYPE_FIXED_BINARY;
    const size_t width = fixed ? (size_t)view->field->width : 0;
    const int32_t *offsets = fixed ? NULL : view->offsets + cells->from;
    const size_t total = fixed ? cells->rows * width : (size_t)(offsets[cells->rows] - offsets[0]);
    if (buffer_reserve(&encoder->scratch, total * 2 + CELL_PADDING, err))
        return err->code;
    const uint8_t *from = fixed ? view->values + (size_t)cells->from * width : view->data + offsets[0];
    uint8_t *to = encoder->scratch.data;
    for (size_t r = 0; r < cells->rows; r++) {
        size_t length = fixed ? width : (size_t)(offsets[r + 1] - offsets[r]);
        cell_set(cells, r, to, length * 2);
        for (size_t i = 0; i < length; i++) {
            *to++ = (uint8_t)digits[from[i] >> 4];
            *to++ = (uint8_t)digits[from[i] & 15];
        }
        from += length;
    }
    return HAUL_OK;
}

static void fixed_cells(const struct view *view, struct cells *cells, uint8_t *slots)
{
    const size_t width = (size_t)view->field->width;
    const uint8_t *from = view->values + (size_t)cells->from * width;
    for (size_t r = 0; r < cells->rows; r++, from += width, slots += width) {
        memcpy(slots, from, width);
        cell_set(cells, r, slots, width);
    }
}

/* ---- code pages ---- */

static bool is_value(const struct cell *cell)
{
    return cell->length < CELL_NULL;
}

static size_t longest(const struct cells *cells)
{
    size_t sum = 0;
    for (size_t r = 0; r < cells->rows; r++)
        if (is_value(&cells->cell[r * cells->stride]))
            sum += cells->cell[r * cells->stride].length;
    return sum;
}

/* Cells of UTF-8 into those of UTF-16, or of a code page. */
static enum haul_code convert_cells(struct bcp_encoder *encoder, struct cells *cells, struct haul_error *err)
{
    const bool wide = encoder->stored->host == HOST_NCHAR;
    const size_t bytes = longest(cells);
    buffer_clear(&encoder->wide);
    if (buffer_reserve(&encoder->wide, bytes * (wide ? 2 : 1) + 64, err))
        return err->code;
    uint8_t *to = encoder->wide.data;
    cells->bytes = 0;
    for (size_t r = 0; r < cells->rows; r++) {
        struct cell *cell = &cells->cell[r * cells->stride];
        size_t written = 0;
        if (!is_value(cell))
            continue;
        if (wide)
            written = utf16_from_utf8(cell->text, cell->length, to);
        else if (codepage_from_utf8(&encoder->page, cell->text, cell->length, to, &written) != cell->length) {
            cell_refuse(cells, r, "a character that the field's code page does not have: see --code-page");
            continue;
        }
        cell_set(cells, r, to, written);
        to += written;
    }
    return HAUL_OK;
}

/* ---- NULLs and the last look ---- */

static void null_cell(const struct bcp_encoder *encoder, struct cells *cells, size_t row)
{
    const struct bcp_field *stored = encoder->stored;
    struct cell *cell = &cells->cell[row * cells->stride];
    if (is_value(cell))
        cells->bytes -= cell->length;
    if (stored->prefix)
        *cell = (struct cell){zeros, CELL_NULL};
    else if (bcp_hosts[stored->host].bytes)
        cell_refuse(cells, row, NO_NULL);
    else
        *cell = (struct cell){zeros, 0};
}

static void put_nulls(const struct bcp_encoder *encoder, const struct view *view, struct cells *cells)
{
    for (size_t r = 0; r < cells->rows; r++)
        if (view_is_null(view, cells->from + (int64_t)r))
            null_cell(encoder, cells, r);
}

/* Empty texts get their NUL; what is too long is refused; losses are counted. */
static void settle_cells(struct bcp_encoder *encoder, struct cells *cells, bool strings)
{
    const struct bcp_field *stored = encoder->stored;
    const bool text = bcp_host_is_text(stored->host);
    const bool bare = !stored->prefix && !bcp_hosts[stored->host].bytes;
    const size_t max = stored->prefix == 1   ? UINT8_MAX - 1
                       : stored->prefix == 2 ? UINT16_MAX - 1
                       : stored->prefix      ? INT32_MAX
                       : stored->end_length  ? SIZE_MAX - 2
                       : stored->length      ? stored->length
                                             : SIZE_MAX - 2;
    const bool printed = encoder->print || encoder->encode;
    const bool look = bare && stored->end_length && (strings || encoder->odd_end);
    if (printed && !look && max >= (size_t)2 * CELL_SLOT_BYTES) /* never empty, never too long */
        return;
    for (size_t r = 0; r < cells->rows; r++) {
        struct cell *cell = &cells->cell[r * cells->stride];
        if (!is_value(cell))
            continue;
        if (cell->length > max)
            cell_refuse(cells, r,
                        "String data, right truncation: longer than the field's prefix or length can say");
        else if (look && cell->length)
            check_ends(encoder, cell->text, cell->length);
        else if (cell->length == 0 && text && bare && stored->end_length)
            cell_set(cells, r, zeros, stored->host == HOST_NCHAR ? 2 : 1);
        else if (cell->length == 0 && bare && stored->end_length)
            cell_refuse(cells, r, "an empty value is not told from NULL in bytes without a prefix");
    }
}

/* ---- columns ---- */

static enum haul_code value_cells(struct bcp_encoder *encoder, const struct view *view, struct cells *cells,
                                  struct haul_error *err)
{
    const enum type_id type = view->field->type;
    const bool text = bcp_host_is_text(encoder->stored->host);
    buffer_clear(&encoder->scratch);
    if (!encoder->encode && !encoder->print) {
        bool bytes = type == TYPE_BINARY || type == TYPE_FIXED_BINARY;
        if (bytes && text)
            return hex_cells(encoder, view, cells, err);
        if (type == TYPE_FIXED_BINARY) {
            size_t size = cells->rows * (size_t)view->field->width + CELL_PADDING;
            if (buffer_reserve(&encoder->scratch, size, err))
                return err->code;
            fixed_cells(view, cells, encoder->scratch.data);
            return HAUL_OK;
        }
        return string_cells(encoder, view, cells, err);
    }
    buffer_clear(&encoder->slots);
    if (buffer_reserve(&encoder->slots, (cells->rows + 1) * CELL_SLOT_BYTES, err))
        return err->code;
    if (encoder->encode)
        encoder->encode(encoder, view, cells);
    else
        encoder->print(encoder->slots.data, view, cells);
    return HAUL_OK;
}

static enum haul_code make_cells(struct bcp_encoder *encoder, const struct view *view, struct cells *cells,
                                 struct haul_error *err)
{
    const bool variant = view->field->type == TYPE_STRUCT && encoder->type.sql == SQL_VARIANT;
    const bool strings = view->field->type == TYPE_UTF8 || variant;
    struct view value;
    if (variant && view_child(view, VARIANT_VALUE, &value, err))
        return err->code;
    if (value_cells(encoder, variant ? &value : view, cells, err))
        return err->code;
    bool convert = encoder->stored->host == HOST_NCHAR || (encoder->narrow && strings);
    if (convert && convert_cells(encoder, cells, err))
        return err->code;
    settle_cells(encoder, cells, strings);
    if (view->validity || view->field->type == TYPE_NULL)
        put_nulls(encoder, view, cells);
    return HAUL_OK;
}

enum haul_code bcp_encode_begin(struct bcp_encoder *encoder, const struct view *view, struct haul_error *err)
{
    struct view values;
    if (!view->indices)
        return HAUL_OK;
    if (view_dictionary(view, &values, err))
        return err->code;
    if (values.length >= INT32_MAX / (int64_t)CELL_SLOT_BYTES)
        return error_set(err, HAUL_LIMIT, "a dictionary of %lld values", (long long)values.length);
    struct cells cells = {.stride = 1, .rows = (size_t)values.length};
    buffer_clear(&encoder->entries);
    if (buffer_reserve(&encoder->entries, (cells.rows + 1) * sizeof(struct cell), err))
        return err->code;
    cells.cell = (struct cell *)(void *)encoder->entries.data;
    cells.cell[0] = (struct cell){zeros, 0};
    return make_cells(encoder, &values, &cells, err);
}

static void copy_entries(const struct bcp_encoder *encoder, const struct view *view, struct cells *cells)
{
    const struct cell *entries = (const struct cell *)(const void *)encoder->entries.data;
    for (size_t r = 0; r < cells->rows; r++) {
        int64_t row = cells->from + (int64_t)r;
        const struct cell *entry = &entries[view_is_null(view, row) ? 0 : view->indices[row]];
        cells->cell[r * cells->stride] = *entry;
        cells->bytes += is_value(entry) ? entry->length : 0;
        cells->refused |= entry->length == CELL_REFUSED;
        if (view_is_null(view, row))
            null_cell(encoder, cells, r);
    }
}

enum haul_code bcp_encode_column(struct bcp_encoder *encoder, const struct view *view, struct cells *cells,
                                 struct haul_error *err)
{
    if (!view->indices)
        return make_cells(encoder, view, cells, err);
    copy_entries(encoder, view, cells);
    return HAUL_OK;
}
