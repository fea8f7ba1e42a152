/*
 * column_values.c: the values of a page, plain or through the chunk's
 * dictionary, into the rows of a builder.
 *
 * One function per layout of the Arrow field (fixed width, bytes, bits, none);
 * each decodes the values that are there to the end of the rows' slots and, when
 * some are null, spreads them. Text is checked to be UTF-8: once per dictionary
 * entry, else over the bytes just appended.
 */
#include "base/unicode.h"
#include "batch/array.h"
#include "batch/batch.h"
#include "format/parquet/column_reader.h"
#include "format/parquet/spread.h"

static const char not_text[] = "a value is not valid UTF-8; read it as binary or repair the file";

static int32_t *ints(struct buffer *buffer)
{
    return (int32_t *)(void *)buffer->data;
}

static enum haul_code convert_failed(const char *problem, size_t at, struct haul_error *err)
{
    return error_set(err, HAUL_VALUE, "%s (value %zu of those read)", problem, at + 1);
}

static enum haul_code int96_failed(const uint8_t *value, struct haul_error *err)
{
    enum { EPOCH_JULIAN_DAY = 2440588 };
    char text[CALENDAR_TEXT_BYTES];
    uint32_t julian = 0;
    memcpy(&julian, value + sizeof(int64_t), sizeof julian);
    size_t length = calendar_print_date((int64_t)julian - EPOCH_JULIAN_DAY, text);
    return error_set(err, HAUL_VALUE,
                     "the INT96 timestamp of %.*s is outside 1677-09-21 to 2262-04-11, the range of "
                     "timestamp[ns]; --int96 us reads it as timestamp[us]",
                     (int)length, text);
}

/* Valid as a whole and cut between characters. */
static enum haul_code text_check(const uint8_t *data, const int32_t *offsets, size_t count,
                                 struct haul_error *err)
{
    size_t length = (size_t)(offsets[count] - offsets[0]);
    bool inside = false;
    if (length == 0)
        return HAUL_OK;
    if (!unicode_is_valid(data + offsets[0], length))
        return error_set(err, HAUL_DATA, "%s", not_text);
    for (size_t i = 1; i < count; i++)
        inside |= offsets[i] < offsets[count] && (data[offsets[i]] & 0xc0) == 0x80;
    return inside ? error_set(err, HAUL_DATA, "%s", not_text) : HAUL_OK;
}

/* ---- dictionaries ---- */

void word_list_init(struct word_list *words, struct memory *memory)
{
    buffer_init(&words->values, memory);
    buffer_init(&words->offsets, memory);
    buffer_init(&words->data, memory);
}

void word_list_release(struct word_list *words)
{
    buffer_release(&words->values);
    buffer_release(&words->offsets);
    buffer_release(&words->data);
}

static size_t longest_of(const int32_t *lengths, size_t count)
{
    int32_t longest = 0;
    for (size_t i = 0; i < count; i++)
        longest = lengths[i] > longest ? lengths[i] : longest;
    return (size_t)longest;
}

/* Dense values in the field's own form to `out`; PLAIN or any encoding but a dictionary. */
static enum haul_code dense_fixed(struct column_reader *column, uint8_t *out, size_t count,
                                  struct haul_error *err)
{
    struct buffer *scratch = &column->pages.supply->scratch;
    size_t at = 0, width = column->values.width;
    if (!column->convert.run)
        return values_fixed(&column->values, out, count, err);
    buffer_clear(scratch);
    enum haul_code code = buffer_reserve(scratch, count * width, err);
    if (!code)
        code = values_fixed(&column->values, scratch->data, count, err);
    if (code)
        return code;
    const char *problem = column->convert.run(&column->convert, scratch->data, count, out, &at);
    if (problem && column->leaf->physical == PARQUET_INT96 && !column->convert.micros)
        return int96_failed(scratch->data + at * width, err);
    return problem ? convert_failed(problem, at, err) : HAUL_OK;
}

/* BYTE_ARRAY decimals. */
static enum haul_code dense_decimal_bytes(struct column_reader *column, uint8_t *out, size_t count,
                                          struct haul_error *err)
{
    struct buffer *scratch = &column->pages.supply->scratch, *lengths = &column->pages.supply->indices;
    size_t at = 0;
    buffer_clear(scratch);
    buffer_clear(lengths);
    enum haul_code code = buffer_reserve(lengths, count * sizeof(int32_t), err);
    if (!code)
        code = values_bytes(&column->values, ints(lengths), count, scratch, err);
    if (code)
        return code;
    struct byte_values values = {scratch->data, ints(lengths), count};
    const char *problem = convert_decimal_bytes(&values, column->convert.precision, out, &at);
    return problem ? convert_failed(problem, at, err) : HAUL_OK;
}

static enum haul_code dense_any(struct column_reader *column, uint8_t *out, size_t count,
                                struct haul_error *err)
{
    if (column->leaf->physical == PARQUET_BYTE_ARRAY)
        return dense_decimal_bytes(column, out, count, err);
    return dense_fixed(column, out, count, err);
}

static enum haul_code words_load_bytes(struct column_reader *column, size_t count, struct haul_error *err)
{
    struct word_list *words = &column->words;
    buffer_clear(&words->data);
    buffer_clear(&words->offsets);
    enum haul_code code = buffer_reserve(&words->offsets, (count + 1) * sizeof(int32_t), err);
    if (!code)
        code = values_bytes(&column->values, ints(&words->offsets) + 1, count, &words->data, err);
    if (!code && words->data.length > INT32_MAX)
        code = error_set(err, HAUL_LIMIT, "the dictionary has more than 2 GiB");
    if (code)
        return code;
    ints(&words->offsets)[0] = 0;
    words->longest = longest_of(ints(&words->offsets) + 1, count);
    offsets_from_lengths(ints(&words->offsets), count);
    /* gathering may load 16 bytes at once behind the last word */
    code = buffer_reserve(&words->data, BUFFER_PADDING, err);
    if (!code && count && column->leaf->field->type == TYPE_UTF8)
        code = text_check(words->data.data, ints(&words->offsets), count, err);
    return code;
}

enum haul_code word_list_load(struct column_reader *column, const struct page *page, struct haul_error *err)
{
    struct word_list *words = &column->words;
    const struct field *field = column->leaf->field;
    size_t count = (size_t)page->value_count;
    if (words->loaded)
        return error_set(err, HAUL_DATA, "the column has a second dictionary");
    if (page->encoding != ENCODING_PLAIN && page->encoding != ENCODING_PLAIN_DICTIONARY)
        return error_set(err, HAUL_UNSUPPORTED, "a dictionary encoded as %s cannot be read",
                         parquet_encoding_name(page->encoding));
    size_t least = column->values.width ? column->values.width : sizeof(uint32_t);
    if (column->leaf->physical == PARQUET_BOOLEAN || count > page->body.length / least)
        return error_set(err, HAUL_DATA, "its %zu bytes cannot hold a dictionary of %zu values",
                         page->body.length, count);
    enum haul_code code = values_open(&column->values, ENCODING_PLAIN, page->body, count, err);
    if (code)
        return code;
    words->count = count;
    words->loaded = true;
    if (type_table[field->type].layout == LAYOUT_BYTES)
        return words_load_bytes(column, count, err);
    if (type_table[field->type].layout != LAYOUT_FIXED)
        return HAUL_OK;
    buffer_clear(&words->values);
    code = buffer_reserve(&words->values, count * (size_t)field_width(field), err);
    return code ? code : dense_any(column, words->values.data, count, err);
}

/* Reads `count` indices and checks them against the dictionary. */
static enum haul_code indices_read(struct column_reader *column, size_t count, const uint32_t **indices,
                                   struct haul_error *err)
{
    struct buffer *buffer = &column->pages.supply->indices;
    buffer_clear(buffer);
    enum haul_code code = buffer_reserve(buffer, count * sizeof(uint32_t), err);
    uint32_t *all = (uint32_t *)(void *)buffer->data;
    if (!code)
        code = values_indices(&column->values, all, count, err);
    if (code)
        return code;
    *indices = all;
    if (count && indices_highest(all, count) >= column->words.count)
        return error_set(err, HAUL_DATA, "a dictionary index of %u where the dictionary has %zu values",
                         indices_highest(all, count), column->words.count);
    return HAUL_OK;
}

static bool is_indexed(const struct column_reader *column)
{
    return column->values.encoding == ENCODING_RLE_DICTIONARY;
}

/* ---- dictionaries given as such ---- */

/* Words that a batch of rows repeats: a copy of them goes with each batch. */
#define INDEXED_WORDS_MAX 4096
#define INDEXED_BYTES_MAX ((size_t)64 << 10)
#define INDEXED_LONGEST_MAX                                                                                  \
    (BATCH_BYTES / BATCH_ROWS) /* even written out, rows make no more than a batch                           \
                                */

bool column_reader_indexes(const struct column_reader *column)
{
    const struct word_list *words = &column->words;
    const struct field *field = column->leaf->field;
    if (!column->may_index || !is_indexed(column) || !words->count || words->count > INDEXED_WORDS_MAX)
        return false;
    if (type_table[field->type].layout == LAYOUT_FIXED)
        return column->may_index == DICTIONARIES_ALL &&
               words->count * (size_t)field_width(field) <= INDEXED_BYTES_MAX;
    return words->longest <= INDEXED_LONGEST_MAX && words->data.length <= INDEXED_BYTES_MAX;
}

static enum haul_code words_fixed(const struct column_reader *column, struct memory *memory,
                                  struct ArrowArray *values, struct haul_error *err)
{
    const struct word_list *words = &column->words;
    struct buffer data;
    buffer_init(&data, memory);
    size_t bytes = words->count * (size_t)field_width(column->leaf->field);
    enum haul_code code = buffer_append(&data, words->values.data, bytes, err);
    if (!code)
        code = array_init(values, (int64_t)words->count, 2, 0, err);
    if (!code)
        array_set_buffer(values, 1, &data);
    buffer_release(&data);
    return code;
}

enum haul_code column_reader_words(const struct column_reader *column, struct memory *memory,
                                   struct ArrowArray *values, struct haul_error *err)
{
    const struct word_list *words = &column->words;
    struct buffer offsets, data;
    if (type_table[column->leaf->field->type].layout == LAYOUT_FIXED)
        return words_fixed(column, memory, values, err);
    buffer_init(&offsets, memory);
    buffer_init(&data, memory);
    enum haul_code code =
        buffer_append(&offsets, words->offsets.data, (words->count + 1) * sizeof(int32_t), err);
    if (!code)
        code = buffer_append(&data, words->data.data, words->data.length, err);
    if (!code)
        code = array_init(values, (int64_t)words->count, 3, 0, err);
    if (!code) {
        array_set_buffer(values, 1, &offsets);
        array_set_buffer(values, 2, &data);
    }
    buffer_release(&offsets);
    buffer_release(&data);
    return code;
}

/* NULL rows get index 0 or whatever valid one spreading leaves there. */
static enum haul_code slots_indices(struct column_reader *column, struct builder *builder, size_t slots,
                                    size_t present, struct haul_error *err)
{
    int32_t *places = ints(&builder->values) + builder->length;
    const uint32_t *indices = NULL;
    enum haul_code code = indices_read(column, present, &indices, err);
    if (code)
        return code;
    memset(places, 0, (slots - present) * sizeof *places);
    if (present)
        memcpy(places + (slots - present), indices, present * sizeof *places);
    if (present < slots)
        spread_fixed((uint8_t *)places, sizeof *places,
                     &(struct slots){builder->validity.data, builder->length, slots, present});
    return HAUL_OK;
}

/* ---- one layout each ---- */

static enum haul_code slots_fixed(struct column_reader *column, struct builder *builder, size_t slots,
                                  size_t present, struct haul_error *err)
{
    size_t width = (size_t)field_width(builder->field);
    uint8_t *values = builder->values.data + (size_t)builder->length * width;
    uint8_t *dense = values + (slots - present) * width;
    enum haul_code code = HAUL_OK;
    if (is_indexed(column)) {
        const uint32_t *indices = NULL;
        code = indices_read(column, present, &indices, err);
        if (!code)
            gather_fixed(column->words.values.data, width, indices, present, dense);
    } else {
        code = dense_any(column, dense, present, err);
    }
    if (!code && present < slots)
        spread_fixed(values, width, &(struct slots){builder->validity.data, builder->length, slots, present});
    return code;
}

static enum haul_code words_append(struct column_reader *column, struct builder *builder, int32_t *lengths,
                                   size_t count, struct haul_error *err)
{
    struct word_list *words = &column->words;
    const uint32_t *indices = NULL;
    enum haul_code code = indices_read(column, count, &indices, err);
    if (code || count == 0)
        return code;
    uint64_t total = gather_lengths(ints(&words->offsets), indices, count, lengths);
    if (total > INT32_MAX)
        return error_set(err, HAUL_LIMIT, "more than 2 GiB of text in one batch");
    code = buffer_reserve(&builder->data, (size_t)total + BUFFER_PADDING, err);
    if (code)
        return code;
    gather_bytes(words->data.data, ints(&words->offsets), indices, count,
                 builder->data.data + builder->data.length);
    builder->data.length += (size_t)total;
    return HAUL_OK;
}

static enum haul_code slots_bytes(struct column_reader *column, struct builder *builder, size_t slots,
                                  size_t present, struct haul_error *err)
{
    int32_t *offsets = ints(&builder->offsets) + builder->length;
    int32_t *lengths = offsets + 1 + (slots - present);
    enum haul_code code = is_indexed(column)
                              ? words_append(column, builder, lengths, present, err)
                              : values_bytes(&column->values, lengths, present, &builder->data, err);
    if (code)
        return code;
    if (builder->data.length > INT32_MAX)
        return error_set(err, HAUL_LIMIT, "more than 2 GiB of text in one batch");
    if (present < slots)
        spread_offsets(offsets, &(struct slots){builder->validity.data, builder->length, slots, present});
    else
        offsets_from_lengths(offsets, slots);
    if (builder->field->type == TYPE_UTF8 && !is_indexed(column))
        return text_check(builder->data.data, offsets, slots, err);
    return HAUL_OK;
}

static enum haul_code slots_bits(struct column_reader *column, struct builder *builder, size_t slots,
                                 size_t present, struct haul_error *err)
{
    const uint8_t *bits = present < slots ? builder->validity.data : NULL;
    struct buffer *scratch = &column->pages.supply->scratch;
    buffer_clear(scratch);
    enum haul_code code = buffer_reserve(scratch, present + 1, err);
    if (!code)
        code = values_bools(&column->values, scratch->data, present, err);
    if (code)
        return code;
    scratch->data[present] = 0;
    spread_bools(scratch->data, slots, bits, builder->length, builder->values.data);
    return HAUL_OK;
}

enum haul_code column_reader_slots(struct column_reader *column, struct builder *builder, size_t slots,
                                   size_t present, struct haul_error *err)
{
    enum haul_code code = HAUL_OK;
    switch (type_table[builder->field->type].layout) {
    case LAYOUT_FIXED:
        code = builder->indexed ? slots_indices(column, builder, slots, present, err)
                                : slots_fixed(column, builder, slots, present, err);
        break;
    case LAYOUT_BYTES:
        code = builder->indexed ? slots_indices(column, builder, slots, present, err)
                                : slots_bytes(column, builder, slots, present, err);
        break;
    case LAYOUT_BITS:
        code = slots_bits(column, builder, slots, present, err);
        break;
    default:
        if (present)
            code = error_set(err, HAUL_DATA, "a column said to be always null holds values");
    }
    if (code)
        return code;
    builder->length += (int64_t)slots;
    builder->null_count += (int64_t)(slots - present);
    return HAUL_OK;
}
