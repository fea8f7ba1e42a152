/*
 * encode_split.c: BYTE_STREAM_SPLIT.
 *
 * One pass per stream would read the values `width` times; 4 and 8 bytes, the
 * floats this is for, are read once and written to all streams. Other widths
 * (fixed binaries) take a pass per byte.
 */
#include "format/parquet/encode_split.h"

static void split_4(const uint8_t *values, size_t count, uint8_t *out)
{
    for (size_t i = 0; i < count; i++) {
        uint32_t value;
        memcpy(&value, values + i * sizeof value, sizeof value);
        out[i] = (uint8_t)value;
        out[count + i] = (uint8_t)(value >> 8);
        out[2 * count + i] = (uint8_t)(value >> 16);
        out[3 * count + i] = (uint8_t)(value >> 24);
    }
}

static void split_8(const uint8_t *values, size_t count, uint8_t *out)
{
    for (size_t i = 0; i < count; i++) {
        uint64_t value;
        memcpy(&value, values + i * sizeof value, sizeof value);
        for (size_t k = 0; k < sizeof value; k++)
            out[k * count + i] = (uint8_t)(value >> (8 * k));
    }
}

static void split_any(const uint8_t *values, size_t count, size_t width, uint8_t *out)
{
    for (size_t k = 0; k < width; k++)
        for (size_t i = 0; i < count; i++)
            out[k * count + i] = values[i * width + k];
}

enum haul_code encode_split(const uint8_t *values, size_t count, size_t width, struct buffer *out,
                            struct haul_error *err)
{
    enum haul_code code = buffer_reserve(out, count * width, err);
    if (code)
        return code;
    if (width == 4)
        split_4(values, count, out->data + out->length);
    else if (width == 8)
        split_8(values, count, out->data + out->length);
    else
        split_any(values, count, width, out->data + out->length);
    out->length += count * width;
    return HAUL_OK;
}
