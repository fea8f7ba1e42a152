/* encode_array.c: a list to a one-dimensional array with lower bound 1; the
 * wire form is described in decode_array.c. An empty array has no dimension. */
#include "database/postgres/encode.h"

#include "database/postgres/wire.h"

uint8_t *pg_encode_array(struct encoder *encoder, int64_t at, uint8_t *out)
{
    struct encoder *item = encoder->item;
    int64_t first = encoder->values.offsets[at], end = encoder->values.offsets[at + 1];
    uint8_t *length = out, *start = out + 4;
    bool nulls = false;
    for (int64_t i = first; i < end; i++)
        nulls = nulls || view_is_null(&item->view, i);
    out = wire_put_u32(start, first < end);
    out = wire_put_u32(out, nulls);
    out = wire_put_u32(out, encoder->column->item_oid);
    if (first < end) {
        out = wire_put_u32(out, (uint32_t)(end - first));
        out = wire_put_u32(out, 1);
    }
    for (int64_t i = first; i < end && !encoder->misfit; i++) {
        if (view_is_null(&item->view, i))
            out = wire_put_u32(out, UINT32_MAX);
        else
            out = item->encode(item, pg_encoder_at(item, i), out);
        encoder->misfit = item->misfit;
    }
    item->misfit = NULL;
    wire_put_u32(length, (uint32_t)(out - start));
    return out;
}
