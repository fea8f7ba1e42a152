/*
 * decode_stream.c: values of any length: (max) types, xml, UDTs in chunks (PLP),
 * and text, ntext, image behind a text pointer.
 *
 * A chunk may be cut anywhere, also in the middle of a character, and a chunk
 * is not whole in the window. UTF-16 goes straight into the column, with up to
 * four bytes carried from window to window; binaries and single-byte pages too;
 * text of pages with longer characters is gathered first.
 *
 * A value is refused before it is buffered when it cannot fit: by its total when
 * the server says one, else as soon as its chunks are too many.
 */
#include "database/mssql/decode.h"

#include "base/utf16.h"
#include "database/mssql/types.h"

#define PLP_NULL    UINT64_MAX
#define PLP_UNKNOWN (UINT64_MAX - 1)

struct value {
    struct decoder *decoder;
    struct wire *wire;
    const char *misfit;
    uint64_t seen; /* bytes */
    uint8_t carry[4];
    unsigned carried;
};

typedef bool (*append_fn)(struct value *value, const uint8_t *in, size_t size);

/* ---- what is done with bytes as they come; false: value->misfit, or an error ---- */

static bool append_binary(struct value *value, const uint8_t *in, size_t size)
{
    struct decoder *decoder = value->decoder;
    if (!ms_decode_room(decoder, size))
        return false;
    memcpy(decoder->data + decoder->data_used, in, size);
    decoder->data_used += size;
    return true;
}

/* One byte more into the carry; a whole character goes to the column. */
static bool carry(struct value *value, uint8_t byte)
{
    value->carry[value->carried++] = byte;
    bool half = value->carried % 2;
    bool high = !half && utf16_is_high((uint16_t)(value->carry[0] | value->carry[1] << 8));
    if (half || (high && value->carried == 2))
        return true;
    size_t size = value->carried;
    value->carried = 0;
    return ms_append_wide(value->decoder, value->carry, size, &value->misfit);
}

static bool append_wide(struct value *value, const uint8_t *in, size_t size)
{
    while (size && value->carried) {
        if (!carry(value, *in))
            return false;
        in++;
        size--;
    }
    size_t whole = size & ~(size_t)1;
    if (whole && utf16_is_high((uint16_t)(in[whole - 2] | in[whole - 1] << 8)))
        whole -= 2;
    if (whole && !ms_append_wide(value->decoder, in, whole, &value->misfit))
        return false;
    for (; whole < size; whole++)
        if (!carry(value, in[whole]))
            return false;
    return true;
}

static bool append_single(struct value *value, const uint8_t *in, size_t size)
{
    return ms_append_narrow(value->decoder, in, size, &value->misfit);
}

static bool append_gather(struct value *value, const uint8_t *in, size_t size)
{
    return !buffer_append(value->decoder->scratch, in, size, value->decoder->state->err);
}

/* ---- chunks ---- */

static enum haul_code refuse_size(const struct value *value, uint64_t size, int64_t row,
                                  struct haul_error *err)
{
    const struct decoder *decoder = value->decoder;
    return error_set(err, HAUL_LIMIT,
                     "row %lld, column \"%s\": a value of %llu bytes does not fit into the memory budget, "
                     "which has room for one of %zu; give more with --memory",
                     (long long)(decoder->state->first_row + row), decoder->name, (unsigned long long)size,
                     decoder->value_max);
}

/* `left` bytes of the wire into the value. A misfit reads on and keeps nothing. */
static enum haul_code take_bytes(struct value *value, uint64_t left, append_fn append, struct haul_error *err)
{
    struct wire *wire = value->wire;
    while (left) {
        if (wire->at == wire->end && ms_wire_more(wire, err))
            return err->code;
        if (wire->ended)
            return error_set(err, HAUL_DATA, "%s: the server's answer ends in the middle of a value",
                             wire->sock.peer);
        uint64_t here = (uint64_t)(wire->end - wire->at), step = left < here ? left : here;
        if (!value->misfit && !append(value, wire->at, (size_t)step) && !value->misfit)
            return err->code;
        wire->at += step;
        left -= step;
    }
    return HAUL_OK;
}

static enum haul_code take_chunks(struct value *value, uint64_t total, append_fn append, int64_t row,
                                  struct haul_error *err)
{
    for (;;) {
        uint32_t chunk;
        if (ms_wire_u32(value->wire, &chunk, err))
            return err->code;
        if (chunk == 0)
            break;
        value->seen += chunk;
        if (value->seen > value->decoder->value_max)
            return refuse_size(value, value->seen, row, err);
        if (total != PLP_UNKNOWN && value->seen > total)
            break;
        if (take_bytes(value, chunk, append, err))
            return err->code;
    }
    if (total == PLP_UNKNOWN || value->seen == total)
        return HAUL_OK;
    ms_decode_malformed(value->decoder, "its chunks are not as long together as the server said");
    return err->code;
}

/* *null, or the value's bytes were given to `append`. */
static enum haul_code take_value(struct value *value, append_fn append, int64_t row, bool *null,
                                 struct haul_error *err)
{
    struct wire *wire = value->wire;
    uint64_t total;
    uint8_t pointer;
    uint32_t length;
    if (value->decoder->bytes == MS_MAX) {
        if (ms_wire_u64(wire, &total, err))
            return err->code;
        *null = total == PLP_NULL;
        if (*null)
            return HAUL_OK;
        if (total != PLP_UNKNOWN && total > value->decoder->value_max)
            return refuse_size(value, total, row, err);
        return take_chunks(value, total, append, row, err);
    }
    if (ms_wire_u8(wire, &pointer, err))
        return err->code;
    *null = pointer == 0;
    if (*null)
        return HAUL_OK;
    if (ms_wire_skip(wire, (uint64_t)pointer + 8, err) || ms_wire_u32(wire, &length, err))
        return err->code;
    if (length > value->decoder->value_max)
        return refuse_size(value, length, row, err);
    return take_bytes(value, length, append, err);
}

/* ---- the three kinds ---- */

static enum haul_code finish(struct value *value, bool null, int64_t row, struct haul_error *err)
{
    struct decoder *decoder = value->decoder;
    if (null && !decoder->nullable) {
        ms_decode_malformed(decoder, "NULL in a column that is NOT NULL");
        return err->code;
    }
    if (null)
        ms_decode_null(decoder, row);
    else if (value->misfit)
        ms_decode_misfit(decoder, row, value->misfit);
    else
        ms_decode_close(decoder, row);
    return HAUL_OK;
}

static enum haul_code stream_binary(struct decoder *decoder, struct wire *wire, int64_t row,
                                    struct haul_error *err)
{
    struct value value = {.decoder = decoder, .wire = wire};
    bool null;
    decoder->state->err = err;
    if (take_value(&value, append_binary, row, &null, err))
        return err->code;
    return finish(&value, null, row, err);
}

/* xml begins with a byte order mark, which is none of its text. */
static void drop_mark(struct decoder *decoder, int64_t row)
{
    size_t start = (size_t)decoder->offsets[row], size = decoder->data_used - start;
    if (!decoder->json_or_xml || size < 3 || memcmp(decoder->data + start, "\xef\xbb\xbf", 3) != 0)
        return;
    memmove(decoder->data + start, decoder->data + start + 3, size - 3);
    decoder->data_used -= 3;
}

static enum haul_code stream_wide(struct decoder *decoder, struct wire *wire, int64_t row,
                                  struct haul_error *err)
{
    struct value value = {.decoder = decoder, .wire = wire};
    bool null;
    decoder->state->err = err;
    if (take_value(&value, append_wide, row, &null, err))
        return err->code;
    if (value.carried && !value.misfit)
        value.misfit = "text that ends in the middle of a character";
    if (!null && !value.misfit)
        drop_mark(decoder, row);
    return finish(&value, null, row, err);
}

static enum haul_code stream_narrow(struct decoder *decoder, struct wire *wire, int64_t row,
                                    struct haul_error *err)
{
    struct value value = {.decoder = decoder, .wire = wire};
    bool null = false, single = decoder->page->single;
    decoder->state->err = err;
    buffer_clear(decoder->scratch);
    if (take_value(&value, single ? append_single : append_gather, row, &null, err))
        return err->code;
    if (!null && !single &&
        !ms_append_narrow(decoder, decoder->scratch->data, decoder->scratch->length, &value.misfit) &&
        !value.misfit)
        return err->code;
    return finish(&value, null, row, err);
}

stream_fn ms_stream_choose(const struct ms_type *type)
{
    if (ms_type_is_wide(type))
        return stream_wide;
    return ms_type_is_narrow(type) || type->code == MS_JSON ? stream_narrow : stream_binary;
}
