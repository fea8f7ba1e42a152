/* text.c: durations and UUIDs as text. docs/canonical.md has the forms. */
#include "batch/text.h"

#include "base/number.h"
#include <string.h>

static const char hex_digits[] = "0123456789abcdef";
static const int unit_scales[] = {0, 3, 6, 9};

bool field_is_uuid(const struct field *field)
{
    return field->type == TYPE_FIXED_BINARY && field->width == 16 && field->extension &&
           !strcmp(field->extension, "arrow.uuid");
}

size_t duration_print(int64_t value, enum time_unit unit, char *out)
{
    char digits[NUMBER_TEXT_BYTES];
    int scale = unit_scales[unit];
    size_t length = number_print_decimal(value, scale, digits), at = 0;
    if (value % calendar_units_per_second(unit) == 0 && scale)
        length -= (size_t)scale + 1;
    const char *from = digits;
    if (*from == '-') {
        out[at++] = '-';
        from++;
        length--;
    }
    memcpy(out + at, "PT", 2);
    memcpy(out + at + 2, from, length);
    at += length + 2;
    out[at++] = 'S';
    return at;
}

bool duration_parse(const char *text, size_t length, enum time_unit unit, int64_t *value)
{
    char digits[NUMBER_TEXT_BYTES];
    size_t at = 0;
    if (length && *text == '-') {
        digits[at++] = '-';
        text++;
        length--;
    }
    if (length < 4 || length - 3 > sizeof digits - 1 || text[0] != 'P' || text[1] != 'T' ||
        text[length - 1] != 'S')
        return false;
    for (size_t i = 2; i + 1 < length; i++) {
        if ((text[i] < '0' || text[i] > '9') && text[i] != '.')
            return false;
        digits[at++] = text[i];
    }
    int128_t units;
    if (!number_parse_decimal(digits, at, DECIMAL_PRECISION_MAX, unit_scales[unit], &units) ||
        units < INT64_MIN || units > INT64_MAX)
        return false;
    *value = (int64_t)units;
    return true;
}

void uuid_print(const uint8_t bytes[16], char out[UUID_TEXT_BYTES])
{
    for (int i = 0; i < 16; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10)
            *out++ = '-';
        *out++ = hex_digits[bytes[i] >> 4];
        *out++ = hex_digits[bytes[i] & 15];
    }
}

int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

bool uuid_parse(const char *text, size_t length, uint8_t bytes[16])
{
    if (length == UUID_TEXT_BYTES + 2 && text[0] == '{' && text[length - 1] == '}') {
        text++;
        length -= 2;
    }
    bool hyphens = length == UUID_TEXT_BYTES;
    if (!hyphens && length != 32)
        return false;
    for (int i = 0; i < 16; i++) {
        if (hyphens && (i == 4 || i == 6 || i == 8 || i == 10) && *text++ != '-')
            return false;
        int high = hex_value(text[0]), low = hex_value(text[1]);
        if (high < 0 || low < 0)
            return false;
        bytes[i] = (uint8_t)(high << 4 | low);
        text += 2;
    }
    return true;
}
