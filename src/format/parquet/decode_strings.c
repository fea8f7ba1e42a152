/*
 * decode_strings.c: byte arrays whose lengths are delta encoded, and those that
 * share their beginning with the value before.
 *
 * All lengths of a page are decoded when it is opened and checked against the
 * bytes there, so that reading only copies. A shared beginning makes values
 * longer than what is stored: the caller asks delta_strings_within first and so
 * bounds what one read makes. The chain of previous values begins anew in each
 * page.
 */
#include "format/parquet/decode_strings.h"
#include "format/parquet/decode_delta.h"

void delta_strings_init(struct delta_strings *strings, struct memory *memory)
{
    memset(strings, 0, sizeof *strings);
    buffer_init(&strings->prefixes, memory);
    buffer_init(&strings->lengths, memory);
    buffer_init(&strings->previous, memory);
}

void delta_strings_release(struct delta_strings *strings)
{
    buffer_release(&strings->prefixes);
    buffer_release(&strings->lengths);
    buffer_release(&strings->previous);
}

static const int32_t *ints(const struct buffer *buffer)
{
    return (const int32_t *)(const void *)buffer->data;
}

/* One delta encoded list of lengths; *bytes moves behind it. */
static enum haul_code lengths_read(struct slice *bytes, size_t count_max, struct buffer *out, size_t *count,
                                   struct haul_error *err)
{
    struct delta delta;
    const char *problem = delta_open(&delta, *bytes, true);
    if (!problem && delta_left(&delta) > count_max)
        problem = "it holds more values than it should";
    if (problem)
        return error_set(err, HAUL_DATA, "%s", problem);
    *count = (size_t)delta_left(&delta);
    buffer_clear(out);
    enum haul_code code = buffer_reserve(out, *count * sizeof(int32_t), err);
    if (code)
        return code;
    problem = delta_read(&delta, out->data, *count);
    if (problem)
        return error_set(err, HAUL_DATA, "%s", problem);
    out->length = *count * sizeof(int32_t);
    *bytes = delta_rest(&delta);
    return HAUL_OK;
}

/* All lengths not negative and their sum within the bytes. */
static bool suffixes_fit(const int32_t *lengths, size_t count, size_t bytes)
{
    uint64_t total = 0;
    int32_t all = 0;
    for (size_t i = 0; i < count; i++) {
        all |= lengths[i];
        total += (uint32_t)lengths[i];
    }
    return all >= 0 && total <= bytes;
}

/* No prefix longer than the value before it. */
static bool prefixes_fit(const int32_t *prefixes, const int32_t *lengths, size_t count)
{
    int64_t before = 0;
    for (size_t i = 0; i < count; i++) {
        if (prefixes[i] < 0 || prefixes[i] > before)
            return false;
        before = (int64_t)prefixes[i] + lengths[i];
        if (before > INT32_MAX)
            return false;
    }
    return true;
}

enum haul_code delta_strings_open(struct delta_strings *strings, struct slice bytes, size_t count, bool front_coded,
                            struct haul_error *err)
{
    size_t prefix_count = 0;
    enum haul_code code = HAUL_OK;
    strings->front_coded = front_coded;
    strings->place = strings->count = 0;
    buffer_clear(&strings->previous);
    if (front_coded)
        code = lengths_read(&bytes, count, &strings->prefixes, &prefix_count, err);
    if (!code)
        code = lengths_read(&bytes, count, &strings->lengths, &strings->count, err);
    if (code)
        return code;
    if (!suffixes_fit(ints(&strings->lengths), strings->count, bytes.length))
        return error_set(err, HAUL_DATA, "its string lengths reach beyond the page");
    if (front_coded && (prefix_count != strings->count ||
                        !prefixes_fit(ints(&strings->prefixes), ints(&strings->lengths), strings->count)))
        return error_set(err, HAUL_DATA, "its string prefixes are longer than the values before them");
    strings->bytes = bytes;
    return HAUL_OK;
}

static void take_bytes(struct delta_strings *strings, size_t length, uint8_t *out)
{
    if (length)
        memcpy(out, strings->bytes.data, length);
    strings->bytes.data += length;
    strings->bytes.length -= length;
}

static void plain_run(struct delta_strings *strings, int32_t *lengths, size_t count, uint8_t *out)
{
    const int32_t *from = ints(&strings->lengths) + strings->place;
    size_t total = 0;
    memcpy(lengths, from, count * sizeof *lengths);
    for (size_t i = 0; i < count; i++)
        total += (size_t)lengths[i];
    take_bytes(strings, total, out);
}

static void front_run(struct delta_strings *strings, int32_t *lengths, size_t count, uint8_t *out)
{
    const int32_t *prefixes = ints(&strings->prefixes) + strings->place;
    const int32_t *suffixes = ints(&strings->lengths) + strings->place;
    const uint8_t *previous = strings->previous.data;
    for (size_t i = 0; i < count; i++) {
        size_t prefix = (size_t)prefixes[i], suffix = (size_t)suffixes[i];
        if (prefix)
            memcpy(out, previous, prefix);
        take_bytes(strings, suffix, out + prefix);
        lengths[i] = (int32_t)(prefix + suffix);
        previous = out;
        out += prefix + suffix;
    }
}

static size_t bytes_of(const struct delta_strings *strings, size_t count)
{
    size_t total = 0;
    for (size_t i = strings->place; i < strings->place + count; i++) {
        total += (size_t)ints(&strings->lengths)[i];
        total += strings->front_coded ? (size_t)ints(&strings->prefixes)[i] : 0;
    }
    return total;
}

static enum haul_code keep_previous(struct delta_strings *strings, const int32_t *lengths, size_t count,
                                    const struct buffer *data, struct haul_error *err)
{
    size_t last = (size_t)lengths[count - 1];
    buffer_clear(&strings->previous);
    return buffer_append(&strings->previous, data->data + data->length - last, last, err);
}

enum haul_code delta_strings_read(struct delta_strings *strings, int32_t *lengths, size_t count, struct buffer *data,
                            struct haul_error *err)
{
    if (count > strings->count - strings->place)
        return error_set(err, HAUL_DATA, "it holds fewer values than it should");
    if (count == 0)
        return HAUL_OK;
    size_t total = bytes_of(strings, count);
    enum haul_code code = buffer_reserve(data, total, err);
    if (code)
        return code;
    if (strings->front_coded)
        front_run(strings, lengths, count, data->data + data->length);
    else
        plain_run(strings, lengths, count, data->data + data->length);
    data->length += total;
    strings->place += count;
    return strings->front_coded ? keep_previous(strings, lengths, count, data, err) : HAUL_OK;
}

size_t delta_strings_within(const struct delta_strings *strings, size_t count, size_t bytes_max)
{
    size_t left = strings->count - strings->place, total = 0, i = 0;
    count = count < left ? count : left;
    for (; i < count; i++) {
        total += (size_t)ints(&strings->lengths)[strings->place + i];
        total += strings->front_coded ? (size_t)ints(&strings->prefixes)[strings->place + i] : 0;
        if (total > bytes_max)
            break;
    }
    return i;
}
