/*
 * cell.c: strings, quotes and NULLs.
 *
 * A string is written as it stands unless it holds the delimiter, a quote, an
 * escape, CR or LF, begins or ends with a blank, or is the NULL text itself (so
 * an empty string is "" where NULL is nothing). To ask that of a whole column
 * its bytes are looked at once, 8 at a time, into a bitmap; a value then is a few
 * bits of it.
 *
 * Of a dictionary the values are printed once for a batch; a row then is a copy
 * of its entry's cell.
 *
 * Printed values clash only in odd dialects (a '-' as delimiter, 0 as NULL):
 * then every one is asked (`guard`).
 */
#include "format/csv/cell.h"

#include <string.h>

static const uint8_t nothing[CELL_PADDING];

static bool prints_into(int byte)
{
    return byte > 0 && strchr("0123456789+-.: eEnaifulstrPTZ", byte) != NULL;
}

/* Could the text of a number or date hold something special? */
static bool dialect_clashes(const struct csv_dialect *dialect)
{
    return dialect->null_length > 0 || prints_into(dialect->delimiter[0]) || prints_into(dialect->quote) ||
           prints_into(dialect->escape) || prints_into(dialect->comment);
}

void csv_printer_init(struct csv_printer *printer, const struct field *field,
                      const struct csv_dialect *dialect, struct memory *memory)
{
    memset(printer, 0, sizeof *printer);
    printer->field = field;
    printer->dialect = dialect;
    printer->print = cell_print_choose(field);
    printer->guard = dialect_clashes(dialect);
    memcpy(printer->null_text, dialect->null_text, dialect->null_length);
    buffer_init(&printer->slots, memory);
    buffer_init(&printer->scratch, memory);
    buffer_init(&printer->specials, memory);
    buffer_init(&printer->entries, memory);
}

void csv_printer_release(struct csv_printer *printer)
{
    buffer_release(&printer->slots);
    buffer_release(&printer->scratch);
    buffer_release(&printer->specials);
    buffer_release(&printer->entries);
    memset(printer, 0, sizeof *printer);
}

/* ---- quotes ---- */

static bool is_special(const struct csv_dialect *dialect, uint8_t byte)
{
    return byte == dialect->delimiter[0] || byte == dialect->quote || byte == dialect->escape ||
           byte == '\n' || byte == '\r';
}

/* What needs quotes for other reasons than a byte inside: blanks around it, the
 * NULL text, a byte order mark (a reader would drop it at the file's start). */
static inline bool edges_clash(const struct csv_dialect *dialect, const uint8_t *text, size_t length)
{
    if (length == 0)
        return dialect->null_length == 0;
    if (length == dialect->null_length && memcmp(text, dialect->null_text, length) == 0)
        return true;
    return text[0] == ' ' || text[0] == dialect->comment || text[length - 1] == ' ' ||
           (text[0] == 0xef && length >= 3 && text[1] == 0xbb);
}

bool csv_text_clashes(const struct csv_dialect *dialect, const uint8_t *text, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if (is_special(dialect, text[i]))
            return true;
    return edges_clash(dialect, text, length);
}

/* Without a quote: an escape before each special byte, if there is one. */
static size_t escape_text(const struct csv_dialect *dialect, const uint8_t *text, size_t length, uint8_t *out)
{
    size_t at = 0;
    bool is_null =
        length == dialect->null_length && (!length || memcmp(text, dialect->null_text, length) == 0);
    for (size_t i = 0; i < length; i++) {
        bool special = is_special(dialect, text[i]) || ((is_null || text[0] == dialect->comment) && i == 0);
        if (special && dialect->escape == CSV_NONE)
            return CELL_REFUSED;
        if (special)
            out[at++] = (uint8_t)dialect->escape;
        out[at++] = text[i];
    }
    return is_null && length == 0 ? CELL_REFUSED : at;
}

size_t csv_quote_text(const struct csv_dialect *dialect, const uint8_t *text, size_t length, uint8_t *out)
{
    if (dialect->quote == CSV_NONE)
        return escape_text(dialect, text, length, out);
    const uint8_t quote = (uint8_t)dialect->quote;
    size_t at = 0;
    out[at++] = quote;
    for (size_t i = 0; i < length; i++) {
        if (text[i] == quote || text[i] == dialect->escape)
            out[at++] = dialect->escape == CSV_NONE ? quote : (uint8_t)dialect->escape;
        out[at++] = text[i];
    }
    out[at++] = quote;
    return at;
}

enum haul_code csv_print_text(const struct csv_dialect *dialect, const char *text, size_t length,
                              struct buffer *out, struct haul_error *err)
{
    if (!csv_text_clashes(dialect, (const uint8_t *)text, length))
        return buffer_append(out, text, length, err);
    if (buffer_reserve(out, 2 * length + 2, err))
        return err->code;
    size_t written = csv_quote_text(dialect, (const uint8_t *)text, length, out->data + out->length);
    if (written == CELL_REFUSED)
        return error_set(err, HAUL_VALUE,
                         "\"%.100s\" can't be written without a quote; leave --quote at its preset", text);
    out->length += written;
    return HAUL_OK;
}

/* ---- strings ---- */

static inline uint64_t equal_bytes(uint64_t word, uint64_t pattern)
{
    const uint64_t low7 = 0x7f7f7f7f7f7f7f7fu;
    uint64_t difference = word ^ pattern;
    return ~(((difference & low7) + low7) | difference | low7);
}

static inline uint64_t repeat(int byte)
{
    return 0x0101010101010101u * (uint64_t)(uint8_t)byte;
}

/* A bit per byte of the text: special or not; *count gets how many are. */
static enum haul_code mark_specials(struct csv_printer *printer, const uint8_t *text, size_t length,
                                    size_t *count, struct haul_error *err)
{
    const struct csv_dialect *dialect = printer->dialect;
    const uint64_t delimiter = repeat(dialect->delimiter[0]), lf = repeat('\n'), cr = repeat('\r');
    const uint64_t quote = dialect->quote >= 0 ? repeat(dialect->quote) : lf;
    const uint64_t escape = dialect->escape >= 0 ? repeat(dialect->escape) : lf;
    buffer_clear(&printer->specials);
    if (buffer_reserve(&printer->specials, length / 8 + 16, err))
        return err->code;
    uint8_t *bits = printer->specials.data;
    *count = 0;
    for (size_t at = 0; at < length; at += 8) {
        uint64_t word = 0;
        memcpy(&word, text + at, length - at < 8 ? length - at : 8);
        uint64_t found = equal_bytes(word, delimiter) | equal_bytes(word, quote) | equal_bytes(word, lf) |
                         equal_bytes(word, cr) | equal_bytes(word, escape);
        if (found) /* rarely */
            *count += (size_t)__builtin_popcountll(found);
        bits[at / 8] = (uint8_t)(((found >> 7) * 0x0102040810204080u) >> 56);
    }
    memset(bits + (length + 7) / 8, 0, 9);
    return HAUL_OK;
}

/* Any bit in [from, from + length)? */
static inline bool any_bit(const uint8_t *bits, size_t from, size_t length)
{
    while (length > 56) {
        if (any_bit(bits, from, 56))
            return true;
        from += 56;
        length -= 56;
    }
    uint64_t word;
    memcpy(&word, bits + from / 8, sizeof word);
    return length && (word >> (from % 8)) << (64 - length) != 0;
}

/* A text that may stand anywhere: copied, so that padding follows it; quoted
 * when it clashes. The scratch has room. */
static void put_scratch(struct csv_printer *printer, const uint8_t *text, size_t length, bool clashes,
                        struct cell *cell)
{
    uint8_t *to = printer->scratch.data + printer->scratch.length;
    if (clashes)
        length = csv_quote_text(printer->dialect, text, length, to);
    else
        memcpy(to, text, length);
    *cell = (struct cell){to, length};
    if (length != CELL_REFUSED)
        printer->scratch.length += length;
}

static enum haul_code print_strings(struct csv_printer *printer, const struct view *view, struct cells *cells,
                                    struct haul_error *err)
{
    const int32_t *offsets = view->offsets + cells->from;
    const size_t base = (size_t)offsets[0], total = (size_t)offsets[cells->rows] - base;
    const uint8_t *data = total ? view->data + base : nothing;
    size_t specials;
    if (mark_specials(printer, data, total, &specials, err) ||
        buffer_reserve(&printer->scratch, total + specials + 2 * cells->rows + CELL_PADDING, err))
        return err->code;
    for (size_t r = 0; r < cells->rows; r++) {
        size_t start = (size_t)offsets[r] - base, length = (size_t)offsets[r + 1] - (size_t)offsets[r];
        bool clashes = any_bit(printer->specials.data, start, length) ||
                       edges_clash(printer->dialect, data + start, length);
        if (!clashes && start + CELL_PADDING <= total) {
            cell_set(cells, r, data + start, length);
            continue;
        }
        struct cell cell;
        put_scratch(printer, data + start, length, clashes, &cell);
        cell_set(cells, r, cell.text, cell.length);
    }
    return HAUL_OK;
}

/* ---- any type ---- */

/* Appends the value's text to the scratch, quoted when it must be. */
static enum haul_code append_value(struct csv_printer *printer, const struct view *view, int64_t row,
                                   size_t *length, struct haul_error *err)
{
    struct buffer *out = &printer->scratch;
    size_t start = out->length;
    if (view_print(view, row, out, err))
        return err->code;
    *length = out->length - start;
    if (!csv_text_clashes(printer->dialect, out->data + start, *length))
        return HAUL_OK;
    if (buffer_reserve(out, 2 * *length + 2, err))
        return err->code;
    uint8_t *quoted = out->data + out->length;
    *length = csv_quote_text(printer->dialect, out->data + start, *length, quoted);
    out->length = start;
    if (*length == CELL_REFUSED)
        return HAUL_OK;
    memmove(out->data + start, quoted, *length);
    out->length += *length;
    return HAUL_OK;
}

/* Lengths first: the texts move as long as the scratch grows. */
static enum haul_code print_each(struct csv_printer *printer, const struct view *view, struct cells *cells,
                                 struct haul_error *err)
{
    for (size_t r = 0; r < cells->rows; r++)
        if (append_value(printer, view, cells->from + (int64_t)r, &cells->cell[r * cells->stride].length,
                         err))
            return err->code;
    if (buffer_reserve(&printer->scratch, CELL_PADDING, err))
        return err->code;
    const uint8_t *at = printer->scratch.data;
    for (size_t r = 0; r < cells->rows; r++) {
        size_t length = cells->cell[r * cells->stride].length;
        cell_set(cells, r, at, length);
        at += length == CELL_REFUSED ? 0 : length;
    }
    return HAUL_OK;
}

/* Printed values of an odd dialect: those that clash are quoted. */
static enum haul_code guard_cells(struct csv_printer *printer, struct cells *cells, struct haul_error *err)
{
    if (buffer_reserve(&printer->scratch, cells->rows * (2 * CELL_SLOT_BYTES + 2) + CELL_PADDING, err))
        return err->code;
    for (size_t r = 0; r < cells->rows; r++) {
        struct cell *cell = &cells->cell[r * cells->stride];
        if (!csv_text_clashes(printer->dialect, cell->text, cell->length))
            continue;
        cells->bytes -= cell->length;
        put_scratch(printer, cell->text, cell->length, true, cell);
        cells->bytes += cell->length;
    }
    return HAUL_OK;
}

static void put_nulls(struct csv_printer *printer, const struct view *view, struct cells *cells)
{
    for (size_t r = 0; r < cells->rows; r++) {
        if (view->validity && bit_get(view->validity, cells->from + (int64_t)r))
            continue;
        cells->bytes -= cells->cell[r * cells->stride].length;
        cell_set(cells, r, printer->null_text, printer->dialect->null_length);
    }
}

static enum haul_code print_values(struct csv_printer *printer, const struct view *view, struct cells *cells,
                                   struct haul_error *err)
{
    if (!printer->print && printer->field->type != TYPE_UTF8)
        return print_each(printer, view, cells, err);
    if (printer->field->type == TYPE_UTF8)
        return print_strings(printer, view, cells, err);
    buffer_clear(&printer->slots);
    if (buffer_reserve(&printer->slots, cells->rows * CELL_SLOT_BYTES + CELL_PADDING, err))
        return err->code;
    printer->print(printer->slots.data, view, cells);
    return printer->guard ? guard_cells(printer, cells, err) : HAUL_OK;
}

/* ---- dictionaries ---- */

enum haul_code csv_print_begin(struct csv_printer *printer, const struct view *view, struct haul_error *err)
{
    struct view values;
    if (!view->indices)
        return HAUL_OK;
    if (view_dictionary(view, &values, err))
        return err->code;
    if (values.length >= INT32_MAX / (int64_t)CELL_SLOT_BYTES)
        return error_set(err, HAUL_LIMIT, "a dictionary of %lld values", (long long)values.length);
    struct cells cells = {.stride = 1, .rows = (size_t)values.length};
    buffer_clear(&printer->scratch);
    buffer_clear(&printer->entries);
    if (buffer_reserve(&printer->entries, (cells.rows + 1) * sizeof(struct cell), err))
        return err->code;
    cells.cell = (struct cell *)(void *)printer->entries.data;
    cells.cell[0] = (struct cell){nothing, 0};
    if (print_values(printer, &values, &cells, err))
        return err->code;
    if (values.validity)
        put_nulls(printer, &values, &cells);
    return HAUL_OK;
}

static void copy_entries(const struct csv_printer *printer, const struct view *view, struct cells *cells)
{
    const struct cell *entries = (const struct cell *)(const void *)printer->entries.data;
    for (size_t r = 0; r < cells->rows; r++) {
        int64_t row = cells->from + (int64_t)r;
        const struct cell *entry = &entries[view_is_null(view, row) ? 0 : view->indices[row]];
        cell_set(cells, r, entry->text, entry->length);
    }
}

enum haul_code csv_print_column(struct csv_printer *printer, const struct view *view, struct cells *cells,
                                struct haul_error *err)
{
    if (view->indices) {
        copy_entries(printer, view, cells);
    } else {
        buffer_clear(&printer->scratch);
        if (print_values(printer, view, cells, err))
            return err->code;
    }
    if (view->validity || printer->field->type == TYPE_NULL)
        put_nulls(printer, view, cells);
    return HAUL_OK;
}
