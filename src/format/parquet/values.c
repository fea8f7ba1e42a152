/*
 * values.c: which encoding stands in a page, and whether it may for the type.
 * The branch on the encoding is taken once per call; the loops are in the
 * decode_*.c files.
 */
#include "format/parquet/values.h"

void values_init(struct values *values, enum parquet_type physical, int type_length, struct memory *memory)
{
    static const uint8_t widths[] = {[PARQUET_INT32] = 4, [PARQUET_INT64] = 8,  [PARQUET_INT96] = 12,
                                     [PARQUET_FLOAT] = 4, [PARQUET_DOUBLE] = 8, [PARQUET_BYTE_ARRAY] = 0};
    memset(values, 0, sizeof *values);
    values->physical = physical;
    values->width = physical == PARQUET_FIXED ? (size_t)type_length : widths[physical];
    delta_strings_init(&values->strings, memory);
}

void values_release(struct values *values)
{
    delta_strings_release(&values->strings);
}

static enum haul_code told(const char *problem, struct haul_error *err)
{
    return problem ? error_set(err, HAUL_DATA, "%s", problem) : HAUL_OK;
}

static const char too_few[] = "it holds fewer values than it should";

/* ---- opening ---- */

#define BIT(type) (1u << (type))

/* The physical types an encoding may hold. */
static bool encoding_fits(int32_t encoding, enum parquet_type physical)
{
    static const unsigned fits[ENCODING_COUNT] = {
        [ENCODING_PLAIN] = 0xff,
        [ENCODING_PLAIN_DICTIONARY] = 0xff & ~BIT(PARQUET_BOOLEAN),
        [ENCODING_RLE] = BIT(PARQUET_BOOLEAN),
        [ENCODING_DELTA_BINARY_PACKED] = BIT(PARQUET_INT32) | BIT(PARQUET_INT64),
        [ENCODING_DELTA_LENGTH_BYTE_ARRAY] = BIT(PARQUET_BYTE_ARRAY),
        [ENCODING_DELTA_BYTE_ARRAY] = BIT(PARQUET_BYTE_ARRAY) | BIT(PARQUET_FIXED),
        [ENCODING_RLE_DICTIONARY] = 0xff & ~BIT(PARQUET_BOOLEAN),
        [ENCODING_BYTE_STREAM_SPLIT] = BIT(PARQUET_INT32) | BIT(PARQUET_INT64) | BIT(PARQUET_FLOAT) |
                                       BIT(PARQUET_DOUBLE) | BIT(PARQUET_FIXED),
    };
    return encoding >= 0 && encoding < ENCODING_COUNT && (fits[encoding] & BIT(physical));
}

static enum haul_code open_indices(struct values *values, struct slice body, struct haul_error *err)
{
    unsigned width = 0;
    if (body.length) { /* a page without values may be empty */
        width = body.data[0];
        body.data++;
        body.length--;
    }
    if (!hybrid_init(&values->hybrid, body, width))
        return error_set(err, HAUL_DATA, "its dictionary indices have %u bits", width);
    return HAUL_OK;
}

static enum haul_code open_booleans(struct values *values, struct slice body, struct haul_error *err)
{
    uint32_t length = 0;
    if (body.length >= sizeof length) {
        memcpy(&length, body.data, sizeof length);
        body.data += sizeof length;
        body.length -= sizeof length;
    } else if (body.length) {
        return error_set(err, HAUL_DATA, "%s", too_few);
    }
    if (length > body.length)
        return error_set(err, HAUL_DATA, "its booleans say %u bytes where %zu are left", length, body.length);
    body.length = length;
    (void)hybrid_init(&values->hybrid, body, 1);
    return HAUL_OK;
}

enum haul_code values_open(struct values *values, int32_t encoding, struct slice body, size_t count,
                           struct haul_error *err)
{
    if (!encoding_fits(encoding, values->physical))
        return error_set(err, HAUL_UNSUPPORTED, "%s values encoded as %s (%d) cannot be read",
                         parquet_type_name((int32_t)values->physical), parquet_encoding_name(encoding),
                         encoding);
    values->encoding = (enum parquet_encoding)encoding;
    switch (values->encoding) {
    case ENCODING_RLE:
        return open_booleans(values, body, err);
    case ENCODING_PLAIN_DICTIONARY:
    case ENCODING_RLE_DICTIONARY:
        values->encoding = ENCODING_RLE_DICTIONARY;
        return open_indices(values, body, err);
    case ENCODING_DELTA_BINARY_PACKED:
        if (body.length == 0) {
            memset(&values->delta, 0, sizeof values->delta);
            return HAUL_OK;
        }
        return told(delta_open(&values->delta, body, values->physical == PARQUET_INT32), err);
    case ENCODING_DELTA_LENGTH_BYTE_ARRAY:
    case ENCODING_DELTA_BYTE_ARRAY:
        values->strings.count = values->strings.place = 0;
        if (body.length == 0)
            return HAUL_OK;
        return delta_strings_open(&values->strings, body, count, encoding == ENCODING_DELTA_BYTE_ARRAY, err);
    case ENCODING_BYTE_STREAM_SPLIT:
        return told(
            split_open(&values->split, body, values->width) ? NULL : "its streams have uneven lengths", err);
    default:
        values->plain = (struct plain){.bytes = body};
        return HAUL_OK;
    }
}

/* ---- reading ---- */

/* DELTA_BYTE_ARRAY of FIXED: strings that all have the one length. */
static enum haul_code fixed_strings(struct values *values, uint8_t *out, size_t count, struct haul_error *err)
{
    if (delta_strings_within(&values->strings, count, count * values->width) < count)
        return error_set(err, HAUL_DATA, "it holds fewer values than it should, or longer ones");
    struct buffer data, lengths;
    buffer_init(&data, values->strings.lengths.memory);
    buffer_init(&lengths, values->strings.lengths.memory);
    enum haul_code code = buffer_resize(&lengths, count * sizeof(int32_t), err);
    int32_t *each = (int32_t *)(void *)lengths.data;
    if (!code)
        code = delta_strings_read(&values->strings, each, count, &data, err);
    for (size_t i = 0; i < count && !code; i++)
        if ((size_t)each[i] != values->width)
            code =
                error_set(err, HAUL_DATA, "a value has %d bytes where %zu are fixed", each[i], values->width);
    if (!code && count)
        memcpy(out, data.data, count * values->width);
    buffer_release(&data);
    buffer_release(&lengths);
    return code;
}

enum haul_code values_fixed(struct values *values, uint8_t *out, size_t count, struct haul_error *err)
{
    switch (values->encoding) {
    case ENCODING_PLAIN:
        return told(plain_fixed(&values->plain, values->width, out, count) ? NULL : too_few, err);
    case ENCODING_DELTA_BINARY_PACKED:
        return told(delta_read(&values->delta, out, count), err);
    case ENCODING_BYTE_STREAM_SPLIT:
        return told(split_read(&values->split, out, count) ? NULL : too_few, err);
    default:
        return fixed_strings(values, out, count, err);
    }
}

enum haul_code values_bools(struct values *values, uint8_t *out, size_t count, struct haul_error *err)
{
    bool whole = values->encoding == ENCODING_RLE ? hybrid_u8(&values->hybrid, out, count)
                                                  : plain_bools(&values->plain, out, count);
    return told(whole ? NULL : too_few, err);
}

enum haul_code values_indices(struct values *values, uint32_t *out, size_t count, struct haul_error *err)
{
    return told(hybrid_u32(&values->hybrid, out, count) ? NULL : too_few, err);
}

enum haul_code values_bytes(struct values *values, int32_t *lengths, size_t count, struct buffer *data,
                            struct haul_error *err)
{
    if (values->encoding != ENCODING_PLAIN)
        return delta_strings_read(&values->strings, lengths, count, data, err);
    size_t total = 0;
    if (!plain_lengths(&values->plain, lengths, count, &total))
        return told(too_few, err);
    enum haul_code code = buffer_reserve(data, total + BUFFER_PADDING, err);
    if (code)
        return code;
    plain_copy(&values->plain, lengths, count, data->data + data->length);
    data->length += total;
    return HAUL_OK;
}

size_t values_within(const struct values *values, size_t count, size_t bytes_max)
{
    size_t within = values->encoding == ENCODING_PLAIN ? plain_within(&values->plain, count, bytes_max)
                                                       : delta_strings_within(&values->strings, count, bytes_max);
    return within ? within : 1;
}
