/*
 * decode_plain.c: values as they are. Byte arrays take two passes, lengths and
 * then bytes, so that the caller can make room exactly once. Short values are
 * copied as one word of 16 bytes, which is why both sides need padding.
 */
#include "format/parquet/decode_plain.h"
#include "batch/batch.h"

bool plain_fixed(struct plain *plain, size_t width, uint8_t *out, size_t count)
{
    if (count > plain->bytes.length / width)
        return false;
    if (count)
        memcpy(out, plain->bytes.data, count * width);
    plain->bytes.data += count * width;
    plain->bytes.length -= count * width;
    return true;
}

bool plain_bools(struct plain *plain, uint8_t *out, size_t count)
{
    if (count > plain->bytes.length * 8 - plain->bit)
        return false;
    for (size_t i = 0; i < count; i++)
        out[i] = bit_get(plain->bytes.data, (int64_t)(plain->bit + i));
    plain->bit += count;
    return true;
}

static uint32_t length_load(const uint8_t *at)
{
    uint32_t length;
    memcpy(&length, at, sizeof length);
    return length;
}

bool plain_lengths(const struct plain *plain, int32_t *lengths, size_t count, size_t *total)
{
    const uint8_t *at = plain->bytes.data;
    size_t left = plain->bytes.length;
    for (size_t i = 0; i < count; i++) {
        if (left < sizeof(uint32_t))
            return false;
        uint32_t length = length_load(at);
        left -= sizeof length;
        if (length > left || length > INT32_MAX)
            return false;
        lengths[i] = (int32_t)length;
        at += sizeof length + length;
        left -= length;
    }
    *total = (size_t)(at - plain->bytes.data) - count * sizeof(uint32_t);
    return true;
}

void plain_copy(struct plain *plain, const int32_t *lengths, size_t count, uint8_t *out)
{
    const uint8_t *at = plain->bytes.data;
    for (size_t i = 0; i < count; i++) {
        size_t length = (size_t)lengths[i];
        at += sizeof(uint32_t);
        if (length <= 16)
            memcpy(out, at, 16);
        else
            memcpy(out, at, length);
        out += length;
        at += length;
    }
    plain->bytes.length -= (size_t)(at - plain->bytes.data);
    plain->bytes.data = at;
}

size_t plain_within(const struct plain *plain, size_t count, size_t bytes_max)
{
    const uint8_t *at = plain->bytes.data;
    size_t left = plain->bytes.length, total = 0, i = 0;
    if (left <= bytes_max)
        return count;
    for (; i < count && left >= sizeof(uint32_t); i++) {
        size_t length = length_load(at);
        left -= sizeof(uint32_t);
        total += length;
        if (length > left || total > bytes_max)
            break;
        at += sizeof(uint32_t) + length;
        left -= length;
    }
    return i;
}
