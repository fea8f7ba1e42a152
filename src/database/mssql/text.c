/*
 * text.c: short texts in messages: names, sentences, statements.
 *
 * A lone surrogate in such a text becomes U+FFFD: it is shown, never stored.
 * What does not fit is cut at a character.
 */
#include "database/mssql/session.h"

#include "base/unicode.h"
#include "base/utf16.h"

#define STEP_UNITS 128

/* Text that is cut when it is full. */
struct cut {
    char *out;
    size_t used, size;
    bool full;
};

static void cut_add(struct cut *cut, const uint8_t *text, size_t length)
{
    size_t keep = cut->full ? 0 : unicode_cut(text, length, cut->size - 1 - cut->used);
    cut->full |= keep < length;
    memcpy(cut->out + cut->used, text, keep);
    cut->used += keep;
}

static void cut_add_units(struct cut *cut, const uint8_t *in, size_t units)
{
    uint8_t text[UTF16_GROWTH(STEP_UNITS + 1)];
    for (size_t at = 0, written; at < units;) {
        at += utf16_to_utf8(in + at * 2, units - at, text, &written);
        cut_add(cut, text, written);
        if (at < units) {
            cut_add(cut, (const uint8_t *)"\xef\xbf\xbd", 3);
            at++;
        }
    }
}

enum haul_code ms_read_text(struct wire *wire, size_t units, char *out, size_t size, struct haul_error *err)
{
    uint8_t in[(STEP_UNITS + 1) * 2];
    struct cut cut = {.out = out, .size = size};
    while (units) {
        size_t step = units < STEP_UNITS ? units : STEP_UNITS;
        if (ms_wire_read(wire, in, step * 2, err))
            return err->code;
        units -= step;
        if (units && utf16_is_high((uint16_t)(in[step * 2 - 2] | in[step * 2 - 1] << 8))) {
            if (ms_wire_read(wire, in + step * 2, 2, err))
                return err->code;
            units--;
            step++;
        }
        cut_add_units(&cut, in, step);
    }
    out[cut.used] = '\0';
    return HAUL_OK;
}

enum haul_code ms_read_text_u8(struct wire *wire, char *out, size_t size, struct haul_error *err)
{
    uint8_t units;
    return ms_wire_u8(wire, &units, err) ? err->code : ms_read_text(wire, units, out, size, err);
}

enum haul_code ms_read_text_u16(struct wire *wire, char *out, size_t size, struct haul_error *err)
{
    uint16_t units;
    return ms_wire_u16(wire, &units, err) ? err->code : ms_read_text(wire, units, out, size, err);
}

enum haul_code ms_put_text(struct wire *wire, const char *text, struct haul_error *err)
{
    const uint8_t *at = (const uint8_t *)text;
    uint16_t units[2];
    if (!unicode_is_valid(at, strlen(text)))
        return error_set(err, HAUL_USAGE, "the text \"%s\" is not UTF-8", text);
    while (*at) {
        int count = utf16_of_utf8(&at, units);
        if (ms_wire_put(wire, units, (size_t)count * 2, err))
            return err->code;
    }
    return HAUL_OK;
}
