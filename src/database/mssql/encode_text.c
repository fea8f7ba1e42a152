/*
 * encode_text.c: text and binaries.
 *
 * Text is turned into the column's code page, or into UTF-16; a character that
 * the page does not have is a misfit, never a question mark, and so is what is
 * longer than the column. char(n), nchar(n) and binary(n) are filled up: some
 * servers want them whole.
 *
 * Values of (max) columns go in chunks of unknown total: bulk loads take no
 * other. Small ones are one chunk in the row; a large one is a piece (encode.h):
 * looked through here, sent later straight from where it lies, or turned
 * STEP_BYTES at a time.
 */
#include "database/mssql/encode.h"

#include "base/unicode.h"
#include "base/utf16.h"
#include "database/mssql/types.h"

#define STEP_BYTES      ((size_t)16 << 10)
#define VALUE_BYTES_MAX 2147483646u /* of a (max) column */

static const char no_utf8[] = "text that is not UTF-8";
static const char unmappable[] = "a character that the column's code page does not have";
static const char too_long[] = "longer than the column";

/* ---- where a value lies ---- */

static inline const uint8_t *find(const struct encoder *e, int64_t at, size_t *size)
{
    if (!e->offsets) {
        *size = (size_t)e->width;
        return e->values + (size_t)at * *size;
    }
    *size = (size_t)(e->offsets[at + 1] - e->offsets[at]);
    return e->data + e->offsets[at];
}

/* ---- turning: what is written may be longer than the column ---- */

typedef size_t (*turn_fn)(struct encoder *e, const uint8_t *in, size_t size, uint8_t *out, size_t *written);

static inline size_t turn_wide(struct encoder *e, const uint8_t *in, size_t size, uint8_t *out,
                               size_t *written)
{
    (void)e;
    return utf16_take_utf8(in, size, out, written);
}

static inline size_t turn_narrow(struct encoder *e, const uint8_t *in, size_t size, uint8_t *out,
                                 size_t *written)
{
    return codepage_from_utf8(e->page, in, size, out, written);
}

static inline size_t turn_bytes(struct encoder *e, const uint8_t *in, size_t size, uint8_t *out,
                                size_t *written)
{
    (void)e;
    memcpy(out, in, size);
    *written = size;
    return size;
}

/* ---- lengths of two bytes ---- */

static inline uint8_t *put_length(uint8_t *out, size_t size)
{
    uint16_t length = (uint16_t)size;
    memcpy(out, &length, sizeof length);
    return out + 2;
}

static inline uint8_t *put_sized(struct encoder *e, int64_t at, uint8_t *out, turn_fn turn, const char *why)
{
    size_t size, written = 0;
    const uint8_t *in = find(e, at, &size);
    if (__builtin_expect(size > (size_t)e->bytes * 4, 0))
        return ms_encode_misfit(e, too_long, out);
    if (__builtin_expect(turn(e, in, size, out + 2, &written) != size, 0))
        return ms_encode_misfit(e, why, out);
    if (__builtin_expect(written > e->bytes, 0))
        return ms_encode_misfit(e, too_long, out);
    return put_length(out, written) + written;
}

static uint8_t *put_nvarchar(struct encoder *e, int64_t at, uint8_t *out)
{
    return put_sized(e, at, out, turn_wide, no_utf8);
}

static uint8_t *put_varchar(struct encoder *e, int64_t at, uint8_t *out)
{
    return put_sized(e, at, out, turn_narrow, unmappable);
}

static uint8_t *put_varbinary(struct encoder *e, int64_t at, uint8_t *out)
{
    return put_sized(e, at, out, turn_bytes, too_long);
}

/* ---- filled up ---- */

static uint8_t *put_char(struct encoder *e, int64_t at, uint8_t *out)
{
    uint8_t *end = put_varchar(e, at, out), *full = out + 2 + e->bytes;
    if (e->state->misfit)
        return out;
    memset(end, ' ', (size_t)(full - end));
    put_length(out, e->bytes);
    return full;
}

static uint8_t *put_nchar(struct encoder *e, int64_t at, uint8_t *out)
{
    uint8_t *end = put_nvarchar(e, at, out), *full = out + 2 + e->bytes;
    if (e->state->misfit)
        return out;
    for (; end < full; end += 2)
        memcpy(end, " ", 2);
    put_length(out, e->bytes);
    return full;
}

static uint8_t *put_binary(struct encoder *e, int64_t at, uint8_t *out)
{
    uint8_t *end = put_varbinary(e, at, out), *full = out + 2 + e->bytes;
    if (e->state->misfit)
        return out;
    memset(end, 0, (size_t)(full - end));
    put_length(out, e->bytes);
    return full;
}

/* ---- (max) ---- */

static const uint64_t unknown_total = 0xfffffffffffffffeu;

static inline uint8_t *put_u32(uint8_t *out, uint32_t value)
{
    memcpy(out, &value, sizeof value);
    return out + 4;
}

/* Is all of a large value fit to be sent? */
static const char *check(struct encoder *e, const uint8_t *in, size_t size, turn_fn turn, const char *why)
{
    uint8_t out[STEP_BYTES * 2];
    size_t total = 0;
    if (turn == turn_bytes || (turn == turn_narrow && e->page->number == CODEPAGE_UTF8))
        return turn == turn_bytes || unicode_is_valid(in, size) ? NULL : no_utf8;
    while (size) {
        size_t step = unicode_cut(in, size, STEP_BYTES), written;
        if (turn(e, in, step, out, &written) != step)
            return why;
        total += written;
        in += step;
        size -= step;
    }
    return total > VALUE_BYTES_MAX ? "longer than 2 GB" : NULL;
}

static inline uint8_t *put_max(struct encoder *e, int64_t at, uint8_t *out, turn_fn turn, const char *why)
{
    size_t size, written = 0;
    const uint8_t *in = find(e, at, &size);
    memcpy(out, &unknown_total, sizeof unknown_total);
    if (__builtin_expect(size > ENCODE_INLINE_MAX, 0)) {
        const char *wrong = check(e, in, size, turn, why);
        if (wrong)
            return ms_encode_misfit(e, wrong, out);
        out += 8;
        e->state->pieces[e->state->piece_count++] = (struct piece){out, e, at};
        return out;
    }
    if (turn(e, in, size, out + 12, &written) != size)
        return ms_encode_misfit(e, why, out);
    out += 8;
    if (written)
        out = put_u32(out, (uint32_t)written) + written;
    return put_u32(out, 0);
}

static uint8_t *put_nvarchar_max(struct encoder *e, int64_t at, uint8_t *out)
{
    return put_max(e, at, out, turn_wide, no_utf8);
}

static uint8_t *put_varchar_max(struct encoder *e, int64_t at, uint8_t *out)
{
    return put_max(e, at, out, turn_narrow, unmappable);
}

static uint8_t *put_varbinary_max(struct encoder *e, int64_t at, uint8_t *out)
{
    return put_max(e, at, out, turn_bytes, too_long);
}

static enum haul_code send_chunk(struct wire *wire, const uint8_t *data, size_t size, struct haul_error *err)
{
    if (size == 0)
        return HAUL_OK;
    return ms_wire_put_u32(wire, (uint32_t)size, err) || ms_wire_put(wire, data, size, err) ? err->code
                                                                                            : HAUL_OK;
}

enum haul_code ms_piece_send(const struct piece *piece, struct wire *wire, struct haul_error *err)
{
    struct encoder *e = piece->encoder;
    struct buffer *scratch = &e->state->scratch;
    size_t size, written = 0;
    const uint8_t *in = find(e, piece->at, &size);
    bool wide = e->value == put_nvarchar_max;
    if (!wide && (!e->page || e->page->number == CODEPAGE_UTF8))
        return send_chunk(wire, in, size, err) || ms_wire_put_u32(wire, 0, err) ? err->code : HAUL_OK;
    buffer_clear(scratch);
    if (buffer_reserve(scratch, STEP_BYTES * 2, err))
        return err->code;
    while (size) {
        size_t step = unicode_cut(in, size, STEP_BYTES);
        if (wide)
            turn_wide(e, in, step, scratch->data, &written);
        else
            turn_narrow(e, in, step, scratch->data, &written);
        if (send_chunk(wire, scratch->data, written, err))
            return err->code;
        in += step;
        size -= step;
    }
    return ms_wire_put_u32(wire, 0, err);
}

/* ---- choosing ---- */

ENCODER(put_char)
ENCODER(put_nchar)
ENCODER(put_binary)
ENCODER(put_varchar)
ENCODER(put_nvarchar)
ENCODER(put_varbinary)
ENCODER(put_varchar_max)
ENCODER(put_nvarchar_max)
ENCODER(put_varbinary_max)

struct text_form {
    uint8_t code;
    bool max, text;
    uint32_t growth;
    encode_fn value, row;
};

#define TEXT_FORM(code, max, text, growth, name)                                                             \
    {                                                                                                        \
        code, max, text, growth, name, name##_row                                                            \
    }

static const struct text_form forms[] = {
    TEXT_FORM(MS_BIGCHAR, false, true, 1, put_char),
    TEXT_FORM(MS_NCHAR, false, true, 2, put_nchar),
    TEXT_FORM(MS_BIGBINARY, false, false, 1, put_binary),
    TEXT_FORM(MS_BIGVARCHAR, false, true, 1, put_varchar),
    TEXT_FORM(MS_NVARCHAR, false, true, 2, put_nvarchar),
    TEXT_FORM(MS_BIGVARBINARY, false, false, 1, put_varbinary),
    TEXT_FORM(MS_BIGVARCHAR, true, true, 1, put_varchar_max),
    TEXT_FORM(MS_NVARCHAR, true, true, 2, put_nvarchar_max),
    TEXT_FORM(MS_BIGVARBINARY, true, false, 1, put_varbinary_max),
};

void ms_encoder_text(struct encoder *encoder, const struct ms_type *type, const struct field *field)
{
    bool max = type->frame == FRAME_PLP, text = field->type == TYPE_UTF8;
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        if (forms[i].code != type->code || forms[i].max != max || forms[i].text != text)
            continue;
        encoder->value = forms[i].value;
        encoder->direct = forms[i].row;
        encoder->growth = forms[i].growth;
        encoder->width = field->type == TYPE_FIXED_BINARY ? field->width : 0;
        return;
    }
}
