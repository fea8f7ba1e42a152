/*
 * bloom.c: eight words of 32 bits are a block; a value sets one bit in each word
 * of one block, chosen by its hash. Specification: section 10 (Bloom filters).
 *
 * The dictionary has each value once, so the size is right: 10.5 bits a value
 * give one false positive in a hundred, rounded up to a power of two, as older
 * readers want it.
 */
#include "format/parquet/bloom.h"

#include "batch/hash.h"
#include <string.h>

#define BLOCK_BYTES 32u
#define BLOCK_WORDS 8
#define BITS_TENTHS 105u /* per value */

static const uint32_t salts[BLOCK_WORDS] = {0x47b6137bu, 0x44974d91u, 0x8824ad5bu, 0xa2b7289du,
                                            0x705495c7u, 0x2df1424bu, 0x9efc4947u, 0x5c6bfb31u};

static size_t bits_bytes(uint32_t count)
{
    size_t wanted = (size_t)((uint64_t)count * BITS_TENTHS / 80), bytes = BLOCK_BYTES;
    while (bytes < wanted)
        bytes *= 2;
    return bytes;
}

static void insert(uint8_t *bits, size_t blocks, const uint8_t *value, size_t length)
{
    uint64_t hash = hash_xxh64(value, length);
    uint8_t *block = bits + ((hash >> 32) * blocks >> 32) * BLOCK_BYTES;
    for (size_t i = 0; i < BLOCK_WORDS; i++) {
        uint32_t word, bit = (uint32_t)hash * salts[i] >> 27;
        memcpy(&word, block + 4 * i, sizeof word);
        word |= 1u << bit;
        memcpy(block + 4 * i, &word, sizeof word);
    }
}

/* BloomFilterHeader: the size; then the only algorithm, hash and compression there are. */
static enum haul_code header_write(size_t bytes, struct buffer *out, struct haul_error *err)
{
    static const uint8_t rest[] = {0x1c, 0x1c, 0, 0, 0x1c, 0x1c, 0, 0, 0x1c, 0x1c, 0, 0, 0};
    uint8_t head[12] = {0x15};
    size_t length = 1;
    for (uint64_t left = (uint64_t)bytes << 1; left || length == 1; left >>= 7)
        head[length++] = (uint8_t)((left & 0x7f) | (left > 0x7f ? 0x80 : 0));
    enum haul_code code = buffer_append(out, head, length, err);
    return code ? code : buffer_append(out, rest, sizeof rest, err);
}

enum haul_code bloom_write(const struct dictionary *dictionary, struct buffer *out, struct haul_error *err)
{
    const uint32_t *places = (const uint32_t *)(const void *)dictionary->places.data;
    const uint8_t *values = dictionary->values.data;
    const size_t bytes = bits_bytes(dictionary->count), width = dictionary->width;
    enum haul_code code = header_write(bytes, out, err);
    if (!code)
        code = buffer_reserve(out, bytes, err);
    if (code)
        return code;
    uint8_t *bits = out->data + out->length;
    memset(bits, 0, bytes);
    for (uint32_t i = 0; i < dictionary->count; i++) {
        const uint8_t *value = width ? values + i * width : values + places[i] + sizeof(uint32_t);
        insert(bits, bytes / BLOCK_BYTES, value,
               width ? width : places[i + 1] - places[i] - sizeof(uint32_t));
    }
    out->length += bytes;
    return HAUL_OK;
}
