/*
 * levels.c: where levels stand in a page, and how they are read.
 *
 * Version 1 pages have them in front of the values, with a length (RLE) or of a
 * size that follows from the count (BIT_PACKED, long deprecated). Version 2
 * pages tell both lengths in the header. Levels fit a byte: a path has at most
 * SCHEMA_PATH_MAX elements.
 */
#include "format/parquet/levels.h"
#include "batch/batch.h"

static unsigned width_of(unsigned max)
{
    return max ? 32u - (unsigned)__builtin_clz(max) : 0;
}

static struct slice slice_take(struct slice *from, size_t length)
{
    struct slice head = {from->data, length};
    from->data += length;
    from->length -= length;
    return head;
}

static enum haul_code hybrid_open(struct levels *levels, struct slice bytes)
{
    (void)hybrid_init(&levels->hybrid, bytes, width_of(levels->max));
    return HAUL_OK;
}

static enum haul_code v1_open(struct levels *levels, struct page *page, int32_t encoding,
                              struct haul_error *err)
{
    if (levels->max == 0)
        return HAUL_OK;
    if (encoding == ENCODING_BIT_PACKED) {
        size_t bytes = ((size_t)page->value_count * width_of(levels->max) + 7) / 8;
        if (bytes > page->body.length)
            return error_set(err, HAUL_DATA, "its levels are cut short");
        levels->legacy = true;
        levels->packed = slice_take(&page->body, bytes);
        return HAUL_OK;
    }
    if (encoding != ENCODING_RLE)
        return error_set(err, HAUL_UNSUPPORTED, "levels cannot be encoded as %s",
                         parquet_encoding_name(encoding));
    uint32_t length = 0;
    if (page->body.length < sizeof length)
        return error_set(err, HAUL_DATA, "its levels are cut short");
    memcpy(&length, slice_take(&page->body, sizeof length).data, sizeof length);
    if (length > page->body.length)
        return error_set(err, HAUL_DATA, "its levels say %u bytes where %zu are left", length,
                         page->body.length);
    return hybrid_open(levels, slice_take(&page->body, length));
}

enum haul_code levels_open(struct page *page, unsigned max_repetition, unsigned max_definition,
                           struct levels *repetition, struct levels *definition, struct haul_error *err)
{
    *repetition = (struct levels){.max = max_repetition};
    *definition = (struct levels){.max = max_definition};
    if (page->type == PAGE_DATA_V2) {
        (void)hybrid_open(repetition, page->repetition);
        return hybrid_open(definition, page->definition);
    }
    enum haul_code code = v1_open(repetition, page, page->repetition_encoding, err);
    return code ? code : v1_open(definition, page, page->definition_encoding, err);
}

static bool legacy_read(struct levels *levels, uint8_t *out, size_t count)
{
    unsigned width = width_of(levels->max);
    if ((levels->place + count) * width > levels->packed.length * 8)
        return false;
    for (size_t i = 0; i < count; i++) {
        unsigned value = 0;
        for (size_t bit = (levels->place + i) * width, end = bit + width; bit < end; bit++)
            value = value << 1 | (levels->packed.data[bit >> 3] >> (7 - (bit & 7)) & 1u);
        out[i] = (uint8_t)value;
    }
    levels->place += count;
    return true;
}

static uint8_t highest(const uint8_t *levels, size_t count)
{
    uint8_t max = 0;
    for (size_t i = 0; i < count; i++)
        max = levels[i] > max ? levels[i] : max;
    return max;
}

enum haul_code levels_read(struct levels *levels, uint8_t *out, size_t count, struct haul_error *err)
{
    if (levels->max == 0) {
        memset(out, 0, count);
        return HAUL_OK;
    }
    bool whole = levels->legacy ? legacy_read(levels, out, count) : hybrid_u8(&levels->hybrid, out, count);
    if (!whole)
        return error_set(err, HAUL_DATA, "its levels are cut short");
    if (highest(out, count) > levels->max)
        return error_set(err, HAUL_DATA, "a level of %u where %u is the highest", highest(out, count),
                         levels->max);
    return HAUL_OK;
}

static enum haul_code legacy_bits(struct levels *levels, uint8_t *bits, int64_t first, size_t count,
                                  int64_t *ones)
{
    for (size_t i = 0; i < count; i++) {
        uint8_t level = 0;
        if (!legacy_read(levels, &level, 1))
            return HAUL_DATA;
        if (level)
            bit_set(bits, first + (int64_t)i);
        else
            bit_clear(bits, first + (int64_t)i);
        *ones += level;
    }
    return HAUL_OK;
}

enum haul_code levels_read_bits(struct levels *levels, uint8_t *bits, int64_t first, size_t count,
                                int64_t *ones, struct haul_error *err)
{
    *ones = 0;
    bool whole = levels->legacy ? legacy_bits(levels, bits, first, count, ones) == HAUL_OK
                                : hybrid_bits(&levels->hybrid, bits, first, count, ones);
    return whole ? HAUL_OK : error_set(err, HAUL_DATA, "its levels are cut short");
}
