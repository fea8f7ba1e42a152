/*
 * trim.c: fields without the blanks around them (--trim). A slice gets ends of
 * its own, made for it; the functions that read fields know nothing of it.
 *
 * A quoted field ends with its quote, so blanks at the ends are outside of quotes
 * always.
 */
#include "format/csv/parse.h"

static bool is_blank(uint8_t byte)
{
    return byte == ' ' || byte == '\t';
}

enum haul_code csv_slice_trim(struct csv_slice *slice, struct buffer *room, struct haul_error *err)
{
    buffer_clear(room);
    if (buffer_reserve(room, slice->rows * 2 * sizeof(uint32_t), err))
        return err->code;
    uint32_t *starts = (uint32_t *)(void *)room->data, *ends = starts + slice->rows;
    for (size_t r = 0; r < slice->rows; r++) {
        size_t length;
        const uint8_t *field = csv_slice_field(slice, r, &length);
        while (length && is_blank(*field)) {
            field++;
            length--;
        }
        while (length && is_blank(field[length - 1]))
            length--;
        starts[r] = (uint32_t)(field - slice->data);
        ends[r] = starts[r] + (uint32_t)length;
    }
    slice->starts = starts;
    slice->ends = ends;
    slice->start_stride = slice->stride = 1;
    slice->start_add = 0;
    return HAUL_OK;
}
