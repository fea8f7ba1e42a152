/*
 * import_value.c: stretches of valid values of foreign layouts, into builders.
 *
 * What can be checked is: text is UTF-8, offsets do not run backwards, views
 * point into the buffers whose sizes they come with, decimals and times are in
 * their range. The sizes of plain buffers are not part of the Arrow C interface;
 * their owner's word has to do.
 */
#include "batch/import.h"

#include "base/unicode.h"
#include <string.h>

#define VIEW_INLINE 12

/* Room for `count` rows, and their bits set when there are any. */
static enum haul_code open_rows(struct builder *builder, int64_t count, struct haul_error *err)
{
    return builder->room - builder->length < count ? builder_reserve(builder, count, 0, err) : HAUL_OK;
}

static void close_rows(struct builder *builder, int64_t count)
{
    int64_t end = builder->length + count;
    for (int64_t i = builder->length; builder->validity.length && i < end; i++) {
        if (i % 8 == 0)
            builder->validity.data[i / 8] = 0;
        bit_set(builder->validity.data, i);
    }
    builder->length = end;
}

enum haul_code import_null(const struct import_node *node, const struct ArrowArray *array, int64_t start,
                           int64_t count, struct builder *builder, struct haul_error *err)
{
    (void)node;
    (void)array;
    (void)start;
    enum haul_code code = HAUL_OK;
    for (int64_t i = 0; !code && i < count; i++)
        code = builder_append_null(builder, err);
    return code;
}

enum haul_code import_bits(const struct import_node *node, const struct ArrowArray *array, int64_t start,
                           int64_t count, struct builder *builder, struct haul_error *err)
{
    (void)node;
    enum haul_code code = HAUL_OK;
    for (int64_t i = start; !code && i < start + count; i++)
        code = builder_append_bool(builder, bit_get(array->buffers[1], i), err);
    return code;
}

enum haul_code import_check_values(const struct import_node *node, const uint8_t *values, int64_t count,
                                   const uint8_t *validity, struct haul_error *err)
{
    const struct field *field = node->field;
    if (field->type == TYPE_DECIMAL) {
        for (int64_t i = 0; i < count; i++) {
            int128_t value;
            memcpy(&value, values + (size_t)i * sizeof value, sizeof value);
            if (!number_decimal_fits(value, field->precision) && (!validity || bit_get(validity, i)))
                return import_malformed(node, "a decimal has more digits than its type", err);
        }
    } else if (field->type == TYPE_TIME) {
        int64_t day = 86400 * calendar_units_per_second(field->unit);
        size_t width = (size_t)field_width(field);
        for (int64_t i = 0; i < count; i++) {
            int64_t value = 0; /* a negative int32 becomes a large one: refused as well */
            memcpy(&value, values + (size_t)i * width, width);
            if ((value < 0 || value >= day) && (!validity || bit_get(validity, i)))
                return import_malformed(node, "a time is not within a day", err);
        }
    }
    return HAUL_OK;
}

enum haul_code import_fixed(const struct import_node *node, const struct ArrowArray *array, int64_t start,
                            int64_t count, struct builder *builder, struct haul_error *err)
{
    size_t width = (size_t)node->width;
    const uint8_t *from = (const uint8_t *)array->buffers[1] + (size_t)start * width;
    if (import_check_values(node, from, count, NULL, err) || open_rows(builder, count, err))
        return err->code;
    memcpy(builder->values.data + (size_t)builder->length * width, from, (size_t)count * width);
    close_rows(builder, count);
    return HAUL_OK;
}

static enum haul_code append_bytes(const struct import_node *node, const uint8_t *data, size_t length,
                                   struct builder *builder, struct haul_error *err)
{
    if (length && !data)
        return import_malformed(node, "text without data", err);
    if (node->field->type == TYPE_UTF8 && !unicode_is_valid(data, length))
        return import_malformed(node, "a text is not valid UTF-8", err);
    return builder_append_bytes(builder, data, length, err);
}

static int64_t offset_at(const void *offsets, int width, int64_t i)
{
    if (width == 4)
        return ((const int32_t *)offsets)[i];
    return ((const int64_t *)offsets)[i];
}

enum haul_code import_bytes(const struct import_node *node, const struct ArrowArray *array, int64_t start,
                            int64_t count, struct builder *builder, struct haul_error *err)
{
    const uint8_t *data = array->buffers[2];
    enum haul_code code = HAUL_OK;
    for (int64_t i = start; !code && i < start + count; i++) {
        int64_t from = offset_at(array->buffers[1], node->width, i);
        int64_t to = offset_at(array->buffers[1], node->width, i + 1);
        if (from < 0 || to < from)
            return import_malformed(node, "its offsets run backwards", err);
        code = append_bytes(node, data ? data + from : NULL, (size_t)(to - from), builder, err);
    }
    return code;
}

enum haul_code import_bytes_view(const struct import_node *node, const struct ArrowArray *array,
                                 int64_t start, int64_t count, struct builder *builder,
                                 struct haul_error *err)
{
    const uint8_t *views = array->buffers[1];
    int64_t data_count = array->n_buffers - 3; /* validity, views, data..., sizes */
    const int64_t *sizes = array->buffers[array->n_buffers - 1];
    enum haul_code code = HAUL_OK;
    for (int64_t i = start; !code && i < start + count; i++) {
        const uint8_t *view = views + 16 * i;
        int32_t parts[4]; /* length, prefix, buffer, offset */
        memcpy(parts, view, sizeof parts);
        if (parts[0] < 0)
            return import_malformed(node, "a view of negative length", err);
        if (parts[0] <= VIEW_INLINE) {
            code = append_bytes(node, view + 4, (size_t)parts[0], builder, err);
            continue;
        }
        if (parts[2] < 0 || parts[2] >= data_count || parts[3] < 0 || !sizes ||
            (int64_t)parts[3] + parts[0] > sizes[parts[2]] || !array->buffers[2 + parts[2]])
            return import_malformed(node, "a view points outside of its buffers", err);
        code = append_bytes(node, (const uint8_t *)array->buffers[2 + parts[2]] + parts[3], (size_t)parts[0],
                            builder, err);
    }
    return code;
}

/* ---- decimals of other widths ---- */

/* 256 bits, least significant word first. */
struct wide {
    uint64_t words[4];
};

static struct wide wide_at(const struct import_node *node, const struct ArrowArray *array, int64_t i)
{
    struct wide wide;
    const uint8_t *at = (const uint8_t *)array->buffers[1] + (size_t)i * (size_t)node->width;
    uint8_t sign = at[node->width - 1] & 0x80 ? 0xff : 0;
    memset(&wide, sign, sizeof wide);
    memcpy(&wide, at, (size_t)node->width);
    return wide;
}

/* |wide| as decimal digits, at most 78; *negative says its sign. */
static size_t wide_digits(struct wide wide, char out[80], bool *negative)
{
    *negative = wide.words[3] >> 63;
    for (int i = 0, carry = 1; *negative && i < 4; i++) {
        wide.words[i] = ~wide.words[i] + (uint64_t)carry;
        carry = carry && !wide.words[i];
    }
    size_t length = 0;
    do {
        uint64_t rest = 0;
        for (int i = 3; i >= 0; i--) {
            uint128_t part = (uint128_t)rest << 64 | wide.words[i];
            wide.words[i] = (uint64_t)(part / 10);
            rest = (uint64_t)(part % 10);
        }
        out[length++] = (char)('0' + rest);
    } while ((wide.words[0] | wide.words[1] | wide.words[2] | wide.words[3]) && length < 79);
    for (size_t i = 0; i < length / 2; i++) {
        char swap = out[i];
        out[i] = out[length - 1 - i];
        out[length - 1 - i] = swap;
    }
    return length;
}

/* "-12.34" from digits "1234" and scale 2; a negative scale appends zeros. */
static enum haul_code append_digits(const char *digits, size_t length, bool negative, int scale,
                                    struct builder *builder, struct haul_error *err)
{
    char text[240];
    size_t at = 0, whole = scale > 0 ? (length > (size_t)scale ? length - (size_t)scale : 0) : length;
    if (negative)
        text[at++] = '-';
    if (!whole)
        text[at++] = '0';
    memcpy(text + at, digits, whole);
    at += whole;
    for (int i = scale; i < 0 && !(length == 1 && digits[0] == '0'); i++)
        text[at++] = '0';
    if (scale > 0) {
        text[at++] = '.';
        for (size_t i = length; i < (size_t)scale; i++)
            text[at++] = '0';
        memcpy(text + at, digits + whole, length - whole);
        at += length - whole;
    }
    return builder_append_bytes(builder, text, at, err);
}

static enum haul_code append_wide(const struct import_node *node, struct wide wide, struct builder *builder,
                                  struct haul_error *err)
{
    if (node->field->type == TYPE_UTF8) {
        char digits[80];
        bool negative;
        size_t length = wide_digits(wide, digits, &negative);
        return append_digits(digits, length, negative, node->scale, builder, err);
    }
    int128_t value = (int128_t)((uint128_t)wide.words[1] << 64 | wide.words[0]);
    uint64_t sign = value < 0 ? UINT64_MAX : 0;
    if (wide.words[2] != sign || wide.words[3] != sign ||
        !number_decimal_rescale(value, node->scale < 0 ? 0 : node->scale,
                                node->scale < 0 ? -node->scale : node->scale, &value) ||
        !number_decimal_fits(value, node->field->precision))
        return import_malformed(node, "a decimal has more digits than its type", err);
    return builder_append_decimal(builder, value, err);
}

enum haul_code import_decimal(const struct import_node *node, const struct ArrowArray *array, int64_t start,
                              int64_t count, struct builder *builder, struct haul_error *err)
{
    enum haul_code code = HAUL_OK;
    for (int64_t i = start; !code && i < start + count; i++)
        code = append_wide(node, wide_at(node, array, i), builder, err);
    return code;
}

/* ---- dates and intervals ---- */

enum haul_code import_date64(const struct import_node *node, const struct ArrowArray *array, int64_t start,
                             int64_t count, struct builder *builder, struct haul_error *err)
{
    const int64_t *values = array->buffers[1];
    enum haul_code code = HAUL_OK;
    for (int64_t i = start; !code && i < start + count; i++) {
        int64_t days = values[i] / 86400000;
        if (values[i] % 86400000)
            return import_malformed(node, "a date64 is not a whole day", err);
        if (days < INT32_MIN || days > INT32_MAX)
            return import_malformed(node, "a date64 is out of range", err);
        code = builder_append_i64(builder, days, err);
    }
    return code;
}

struct interval {
    int64_t months, days, nanos;
};

static struct interval interval_at(const struct import_node *node, const struct ArrowArray *array, int64_t i)
{
    const uint8_t *at = (const uint8_t *)array->buffers[1] + (size_t)i * (size_t)node->width;
    int32_t parts[2] = {0, 0};
    int64_t nanos = 0;
    memcpy(parts, at, node->layout == IMPORT_INTERVAL_MONTHS ? 4 : 8);
    if (node->layout == IMPORT_INTERVAL_MONTHS)
        return (struct interval){parts[0], 0, 0};
    if (node->layout == IMPORT_INTERVAL_DAYS)
        return (struct interval){0, parts[0], (int64_t)parts[1] * 1000000};
    memcpy(&nanos, at + 8, sizeof nanos);
    return (struct interval){parts[0], parts[1], nanos};
}

/* ISO 8601 with a sign on each part: "P14M", "P-3DT0.5S", "PT0S". */
static size_t interval_print(struct interval interval, char *out)
{
    size_t at = 0;
    out[at++] = 'P';
    if (interval.months) {
        at += number_print_i64(interval.months, out + at);
        out[at++] = 'M';
    }
    if (interval.days) {
        at += number_print_i64(interval.days, out + at);
        out[at++] = 'D';
    }
    if (!interval.nanos && at > 1)
        return at;
    out[at++] = 'T';
    at += number_print_decimal(interval.nanos, 9, out + at);
    while (out[at - 1] == '0')
        at--;
    if (out[at - 1] == '.')
        at--;
    out[at++] = 'S';
    return at;
}

enum haul_code import_interval(const struct import_node *node, const struct ArrowArray *array, int64_t start,
                               int64_t count, struct builder *builder, struct haul_error *err)
{
    enum haul_code code = HAUL_OK;
    for (int64_t i = start; !code && i < start + count; i++) {
        char text[3 * NUMBER_TEXT_BYTES];
        size_t length = interval_print(interval_at(node, array, i), text);
        code = builder_append_bytes(builder, text, length, err);
    }
    return code;
}
