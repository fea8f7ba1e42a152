/*
 * encode: any values through each encoder and its decoder: they must come back.
 *
 * Front of the input: the encoding, a width or a bit width; the rest are values.
 */
#include "fuzz.h"

#include "format/parquet/dictionary.h"
#include "format/parquet/encode_delta.h"
#include "format/parquet/encode_hybrid.h"
#include "format/parquet/encode_plain.h"
#include "format/parquet/encode_split.h"
#include "format/parquet/values.h"

#define COUNT_MAX 4096

static struct buffer out, scratch;
static uint8_t back[COUNT_MAX * 8];

static struct slice encoded(void)
{
    struct haul_error err = {0};
    must(!buffer_reserve(&out, 0, &err));
    return (struct slice){out.data, out.length};
}

/* All values of a page in pieces of `step`. */
static void read_back(enum parquet_type physical, int32_t encoding, int type_length, size_t count,
                      size_t step)
{
    struct values values = {0};
    struct haul_error err = {0};
    values_init(&values, physical, type_length, NULL);
    must(!values_open(&values, encoding, encoded(), count, &err));
    for (size_t at = 0; at < count; at += step) {
        size_t n = count - at < step ? count - at : step;
        if (physical == PARQUET_BOOLEAN)
            must(!values_bools(&values, back + at, n, &err));
        else
            must(!values_fixed(&values, back + at * values.width, n, &err));
    }
    values_release(&values);
}

static void try_hybrid(const uint8_t *data, size_t length, int width)
{
    static uint32_t values[COUNT_MAX];
    struct haul_error err = {0};
    struct hybrid hybrid;
    size_t count = length / 4 < COUNT_MAX ? length / 4 : COUNT_MAX;
    memcpy(values, data, count * 4);
    for (size_t i = 0; i < count; i++)
        values[i] = width == 0 ? 0 : values[i] >> (32 - width);
    must(!encode_hybrid(values, count, width, &out, &err));
    must(hybrid_init(&hybrid, encoded(), (unsigned)width));
    must(hybrid_u32(&hybrid, (uint32_t *)(void *)back, count));
    must(memcmp(back, values, count * 4) == 0);
}

static void try_delta(const uint8_t *data, size_t length, bool wide, size_t step)
{
    static uint64_t values[COUNT_MAX];
    struct haul_error err = {0};
    size_t width = wide ? 8 : 4, count = length / width < COUNT_MAX ? length / width : COUNT_MAX, told;
    memcpy(values, data, count * width);
    if (wide) {
        must(!encode_delta_i64(values, count, &out, &err));
        told = encode_delta_measure_i64(values, count);
    } else {
        must(!encode_delta_i32((const uint32_t *)(const void *)values, count, &out, &err));
        told = encode_delta_measure_i32((const uint32_t *)(const void *)values, count);
    }
    must(told == out.length);
    read_back(wide ? PARQUET_INT64 : PARQUET_INT32, ENCODING_DELTA_BINARY_PACKED, 0, count, step);
    must(memcmp(back, values, count * width) == 0);
}

static void try_split(const uint8_t *data, size_t length, size_t width, size_t step)
{
    struct haul_error err = {0};
    size_t count = length / width;
    if (count * width > sizeof back)
        count = sizeof back / width;
    must(!encode_split(data, count, width, &out, &err));
    must(out.length == count * width);
    read_back(PARQUET_FIXED, ENCODING_BYTE_STREAM_SPLIT, (int)width, count, step);
    must(memcmp(back, data, count * width) == 0);
}

static void try_bools(const uint8_t *data, size_t length, size_t step)
{
    static uint8_t bools[COUNT_MAX];
    struct haul_error err = {0};
    size_t count = length < COUNT_MAX ? length : COUNT_MAX;
    for (size_t i = 0; i < count; i++)
        bools[i] = data[i] & 1;
    must(!encode_plain_bools(bools, count, &out, &err));
    read_back(PARQUET_BOOLEAN, ENCODING_PLAIN, 0, count, step);
    must(memcmp(back, bools, count) == 0);
}

/* The input cut into strings before each byte below 8. */
static size_t make_strings(const uint8_t *data, size_t length, int32_t *starts, int32_t *ends)
{
    size_t count = 0, begin = 0;
    for (size_t i = 0; i < length && count < COUNT_MAX; i++)
        if (data[i] < 8) {
            starts[count] = (int32_t)begin;
            ends[count++] = (int32_t)i;
            begin = i;
        }
    return count;
}

static void read_strings(const struct strings *strings, int32_t encoding, size_t count, size_t step)
{
    struct values values = {0};
    struct buffer bytes = {0};
    struct haul_error err = {0};
    int32_t *lengths = (int32_t *)(void *)back;
    values_init(&values, PARQUET_BYTE_ARRAY, 0, NULL);
    must(!values_open(&values, encoding, encoded(), count, &err));
    for (size_t at = 0; at < count; at += step)
        must(!values_bytes(&values, lengths + at, count - at < step ? count - at : step, &bytes, &err));
    for (size_t i = 0, place = 0; i < count; place += (size_t)lengths[i++]) {
        must(lengths[i] == strings->ends[i] - strings->starts[i]);
        must(!lengths[i] ||
             memcmp(bytes.data + place, strings->data + strings->starts[i], (size_t)lengths[i]) == 0);
    }
    values_release(&values);
    buffer_release(&bytes);
}

static void try_strings(const uint8_t *data, size_t length, size_t step)
{
    static int32_t starts[COUNT_MAX], ends[COUNT_MAX];
    struct haul_error err = {0};
    size_t count = make_strings(data, length, starts, ends);
    const struct strings strings = {data, length, starts, ends};
    must(!encode_plain_strings(&strings, 0, count, &out, &err));
    must(out.length == encode_plain_strings_bytes(&strings, 0, count));
    read_strings(&strings, ENCODING_PLAIN, count, step);
    struct buffer plain = out;
    out = (struct buffer){0};
    must(!encode_delta_length(plain.data, count, &scratch, &out, &err));
    read_strings(&strings, ENCODING_DELTA_LENGTH_BYTE_ARRAY, count, step);
    buffer_release(&plain);
}

static void try_dictionary(const uint8_t *data, size_t length, size_t width, size_t bytes_max)
{
    static int32_t starts[COUNT_MAX], ends[COUNT_MAX];
    static uint32_t indices[COUNT_MAX];
    struct dictionary dictionary = {0};
    struct haul_error err = {0};
    struct strings strings = {data, length, starts, ends};
    size_t done = 0;
    size_t count = width ? length / width : make_strings(data, length, starts, ends);
    count = count < COUNT_MAX ? count : COUNT_MAX;
    dictionary_init(&dictionary, width, bytes_max, NULL);
    if (width)
        must(!dictionary_add_fixed(&dictionary, data, count, indices, &done, &err));
    else
        must(!dictionary_add_strings(&dictionary, &strings, count, indices, &done, &err));
    must(done <= count && dictionary.values.length <= bytes_max);
    must(!dictionary_expand(&dictionary, indices, done, &out, &err));
    must(out.length == dictionary_expanded_bytes(&dictionary, indices, done));
    if (width)
        must(out.length == done * width && (!done || memcmp(out.data, data, out.length) == 0));
    else
        read_strings(&strings, ENCODING_PLAIN, done, COUNT_MAX);
    dictionary_release(&dictionary);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length)
{
    struct food food = {data, length};
    unsigned kind = food_byte(&food) % 7, width = food_byte(&food);
    size_t step = 1 + food_byte(&food);
    struct buffer text = food_rest(&food);
    buffer_clear(&out);
    if (kind == 0)
        try_hybrid(text.data, text.length, (int)(width % 33));
    else if (kind == 1 || kind == 2)
        try_delta(text.data, text.length, kind == 2, step);
    else if (kind == 3)
        try_split(text.data, text.length, 1 + width % 20, step);
    else if (kind == 4)
        try_bools(text.data, text.length, step);
    else if (kind == 5)
        try_strings(text.data, text.length, step);
    else
        try_dictionary(text.data, text.length, (size_t[]){0, 1, 2, 4, 8, 12, 16}[width % 7], step * 64);
    buffer_release(&text);
    return 0;
}
