/*
 * spread.c: see spread.h. Values are decoded to the end of their slots and moved
 * forward: a slot never lies behind its value, so that one pass in place does,
 * and it takes no branch: the bit is added to the place that is read from.
 */
#include "format/parquet/spread.h"
#include "batch/batch.h"
#include <string.h>

struct wide { /* 16 bytes */
    uint64_t low, high;
};

static inline bool slot_bit(const struct slots *slots, size_t i)
{
    return bit_get(slots->bits, slots->first + (int64_t)i);
}

static void spread_2(uint16_t *values, const struct slots *slots)
{
    size_t from = slots->count - slots->present;
    for (size_t i = 0; i < slots->count; i++) {
        unsigned bit = slot_bit(slots, i);
        values[i] = (uint16_t)(values[from] & (0 - bit));
        from += bit;
    }
}

static void spread_4(uint32_t *values, const struct slots *slots)
{
    size_t from = slots->count - slots->present;
    for (size_t i = 0; i < slots->count; i++) {
        uint32_t bit = slot_bit(slots, i);
        values[i] = values[from] & (0 - bit);
        from += bit;
    }
}

static void spread_8(uint64_t *values, const struct slots *slots)
{
    size_t from = slots->count - slots->present;
    for (size_t i = 0; i < slots->count; i++) {
        uint64_t bit = slot_bit(slots, i);
        values[i] = values[from] & (0 - bit);
        from += bit;
    }
}

static void spread_16(struct wide *values, const struct slots *slots)
{
    size_t from = slots->count - slots->present;
    for (size_t i = 0; i < slots->count; i++) {
        uint64_t bit = slot_bit(slots, i);
        struct wide value = values[from];
        values[i] = (struct wide){value.low & (0 - bit), value.high & (0 - bit)};
        from += bit;
    }
}

static void spread_any(uint8_t *values, size_t width, const struct slots *slots)
{
    size_t from = slots->count - slots->present;
    for (size_t i = 0; i < slots->count; i++) {
        if (slot_bit(slots, i))
            memmove(values + i * width, values + from++ * width, width);
        else
            memset(values + i * width, 0, width);
    }
}

void spread_fixed(uint8_t *values, size_t width, const struct slots *slots)
{
    switch (width) {
    case 2:
        spread_2((uint16_t *)(void *)values, slots);
        return;
    case 4:
        spread_4((uint32_t *)(void *)values, slots);
        return;
    case 8:
        spread_8((uint64_t *)(void *)values, slots);
        return;
    case 16:
        spread_16((struct wide *)(void *)values, slots);
        return;
    default:
        spread_any(values, width, slots);
    }
}

void spread_offsets(int32_t *offsets, const struct slots *slots)
{
    const int32_t *lengths = offsets + 1 + (slots->count - slots->present);
    int32_t end = offsets[0];
    size_t from = 0;
    for (size_t i = 0; i < slots->count; i++) {
        int32_t bit = slot_bit(slots, i);
        end += lengths[from] & -bit;
        offsets[i + 1] = end;
        from += (size_t)bit;
    }
}

void offsets_from_lengths(int32_t *offsets, size_t count)
{
    int32_t end = offsets[0];
    for (size_t i = 1; i <= count; i++) {
        end += offsets[i];
        offsets[i] = end;
    }
}

void spread_bools(const uint8_t *bools, size_t count, const uint8_t *bits, int64_t first, uint8_t *out)
{
    size_t from = 0;
    for (size_t i = 0; i < count; i++) {
        int64_t place = first + (int64_t)i;
        unsigned bit = bits ? bit_get(bits, place) : 1;
        unsigned value = bools[from] & bit, shift = (unsigned)(place & 7);
        out[place >> 3] = (uint8_t)((out[place >> 3] & ~(1u << shift)) | value << shift);
        from += bit;
    }
}

/* ---- dictionaries ---- */

static void gather_4(const uint8_t *dictionary, const uint32_t *indices, size_t count, uint8_t *out)
{
    for (size_t i = 0; i < count; i++)
        memcpy(out + i * 4, dictionary + (size_t)indices[i] * 4, 4);
}

static void gather_8(const uint8_t *dictionary, const uint32_t *indices, size_t count, uint8_t *out)
{
    for (size_t i = 0; i < count; i++)
        memcpy(out + i * 8, dictionary + (size_t)indices[i] * 8, 8);
}

static void gather_16(const uint8_t *dictionary, const uint32_t *indices, size_t count, uint8_t *out)
{
    for (size_t i = 0; i < count; i++)
        memcpy(out + i * 16, dictionary + (size_t)indices[i] * 16, 16);
}

void gather_fixed(const uint8_t *dictionary, size_t width, const uint32_t *indices, size_t count,
                  uint8_t *out)
{
    if (width == 4)
        gather_4(dictionary, indices, count, out);
    else if (width == 8)
        gather_8(dictionary, indices, count, out);
    else if (width == 16)
        gather_16(dictionary, indices, count, out);
    else
        for (size_t i = 0; i < count; i++)
            memcpy(out + i * width, dictionary + indices[i] * width, width);
}

uint64_t gather_lengths(const int32_t *offsets, const uint32_t *indices, size_t count, int32_t *lengths)
{
    uint64_t total = 0;
    for (size_t i = 0; i < count; i++) {
        int32_t length = offsets[indices[i] + 1] - offsets[indices[i]];
        lengths[i] = length;
        total += (uint32_t)length;
    }
    return total;
}

void gather_bytes(const uint8_t *data, const int32_t *offsets, const uint32_t *indices, size_t count,
                  uint8_t *out)
{
    for (size_t i = 0; i < count; i++) {
        const uint8_t *from = data + offsets[indices[i]];
        size_t length = (size_t)(offsets[indices[i] + 1] - offsets[indices[i]]);
        if (length <= 16)
            memcpy(out, from, 16);
        else
            memcpy(out, from, length);
        out += length;
    }
}

uint32_t indices_highest(const uint32_t *indices, size_t count)
{
    uint32_t highest = 0;
    for (size_t i = 0; i < count; i++)
        highest = indices[i] > highest ? indices[i] : highest;
    return highest;
}
