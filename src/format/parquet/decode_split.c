/*
 * decode_split.c: the bytes of each value gathered from `width` streams. The
 * widths of numbers have loops of their own, so that the inner one unrolls.
 */
#include "format/parquet/decode_split.h"

bool split_open(struct split *split, struct slice bytes, size_t width)
{
    *split = (struct split){.streams = bytes.data, .width = width, .count = bytes.length / width};
    return bytes.length % width == 0;
}

static inline void gather(const struct split *split, size_t width, uint8_t *out, size_t count)
{
    const uint8_t *from = split->streams + split->place;
    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j < width; j++)
            out[i * width + j] = from[j * split->count + i];
}

bool split_read(struct split *split, uint8_t *out, size_t count)
{
    if (count > split->count - split->place)
        return false;
    if (split->width == 4)
        gather(split, 4, out, count);
    else if (split->width == 8)
        gather(split, 8, out, count);
    else
        gather(split, split->width, out, count);
    split->place += count;
    return true;
}
