/* base64.c: three bytes are four characters. */
#include "format/parquet/base64.h"

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void base64_print(const uint8_t *data, size_t length, char *out)
{
    for (size_t i = 0; i < length; i += 3, out += 4) {
        size_t left = length - i;
        uint32_t bits = (uint32_t)data[i] << 16;
        bits |= left > 1 ? (uint32_t)data[i + 1] << 8 : 0;
        bits |= left > 2 ? data[i + 2] : 0;
        out[0] = alphabet[bits >> 18];
        out[1] = alphabet[bits >> 12 & 63];
        out[2] = left > 1 ? alphabet[bits >> 6 & 63] : '=';
        out[3] = left > 2 ? alphabet[bits & 63] : '=';
    }
    *out = 0;
}

static int character_value(char c)
{
    const char *at = c ? strchr(alphabet, c) : NULL;
    return at ? (int)(at - alphabet) : -1;
}

/* Four characters; `padding` of them at the end are '='. */
static bool parse_quad(const char *text, int padding, uint8_t out[3])
{
    uint32_t bits = 0;
    for (int i = 0; i < 4; i++) {
        int value = i >= 4 - padding ? 0 : character_value(text[i]);
        if (value < 0)
            return false;
        bits = bits << 6 | (uint32_t)value;
    }
    out[0] = (uint8_t)(bits >> 16);
    out[1] = (uint8_t)(bits >> 8);
    out[2] = (uint8_t)bits;
    return true;
}

enum haul_code base64_parse(const char *text, size_t length, struct buffer *out, struct haul_error *err)
{
    enum haul_code code = buffer_reserve(out, length / 4 * 3, err);
    if (code)
        return code;
    bool good = length % 4 == 0;
    for (size_t i = 0; good && i < length; i += 4) {
        bool last = i + 4 == length;
        int padding = !last || text[i + 3] != '=' ? 0 : text[i + 2] == '=' ? 2 : 1;
        uint8_t bytes[3];
        good = parse_quad(text + i, padding, bytes);
        if (good)
            buffer_put(out, bytes, (size_t)(3 - padding));
    }
    return good ? HAUL_OK : error_set(err, HAUL_DATA, "the text is not base64");
}
