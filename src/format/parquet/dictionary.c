/*
 * dictionary.c: distinct values by open addressing.
 *
 * Every value becomes a 64-bit key: an integer or float is its own key, a string
 * of up to 7 bytes is its bytes and its length, a longer value is the hash of
 * its bytes with the top bit set. So for most columns of most tables a key
 * decides alone and the values themselves are never looked at again; only long
 * strings are compared. The slot is the top bits of key x odd constant; the
 * table is at most half full and probed one by one.
 *
 * Nothing is random: the same values give the same dictionary. Values made to
 * collide only cost `steps`, which the column writer watches.
 */
#include "format/parquet/dictionary.h"

#define SLOTS_MIN  (2u * DICTIONARY_BLOCK)
#define SHORT_MAX  7u /* bytes of a string that is its own key */
#define LONG_KEY   (UINT64_C(1) << 63)
#define MULTIPLIER UINT64_C(0x9E3779B97F4A7C15)
#define MIX_A      UINT64_C(0xA0761D6478BD642F)
#define MIX_B      UINT64_C(0xE7037ED1A0B428DB)

struct slot {
    uint64_t key;
    uint32_t next; /* index + 1; 0: free */
    uint32_t unused;
};

void dictionary_init(struct dictionary *dictionary, size_t width, size_t bytes_max, struct memory *memory)
{
    memset(dictionary, 0, sizeof *dictionary);
    dictionary->width = width;
    dictionary->bytes_max = bytes_max;
    dictionary->count_max =
        (uint32_t)(bytes_max / sizeof(struct slot) > SLOTS_MIN ? bytes_max / sizeof(struct slot) : SLOTS_MIN);
    dictionary->count_max -= DICTIONARY_BLOCK;
    buffer_init(&dictionary->values, memory);
    buffer_init(&dictionary->places, memory);
    buffer_init(&dictionary->slots, memory);
}

void dictionary_release(struct dictionary *dictionary)
{
    buffer_release(&dictionary->values);
    buffer_release(&dictionary->places);
    buffer_release(&dictionary->slots);
    dictionary->count = 0;
}

void dictionary_clear(struct dictionary *dictionary)
{
    dictionary->count = 0;
    dictionary->steps = 0;
    buffer_clear(&dictionary->values);
    buffer_clear(&dictionary->places);
    if (dictionary->slots.length > 0)
        memset(dictionary->slots.data, 0, dictionary->slots.length);
}

static inline struct slot *slots_of(const struct dictionary *dictionary)
{
    return (struct slot *)(void *)dictionary->slots.data;
}

static inline size_t slot_of(uint64_t key, int shift)
{
    return (size_t)(((key ^ key >> 32) * MULTIPLIER) >> shift);
}

static enum haul_code slots_grow(struct dictionary *dictionary, size_t count, struct haul_error *err)
{
    struct buffer old = dictionary->slots, fresh;
    buffer_init(&fresh, old.memory);
    enum haul_code code = buffer_resize(&fresh, count * sizeof(struct slot), err);
    if (code)
        return code;
    struct slot *to = (struct slot *)(void *)fresh.data;
    const struct slot *from = (const struct slot *)(const void *)old.data;
    int shift = 64 - __builtin_ctzll(count);
    for (size_t i = 0; i < old.length / sizeof(struct slot); i++) {
        if (from[i].next == 0)
            continue;
        size_t at = slot_of(from[i].key, shift);
        while (to[at].next != 0)
            at = (at + 1) & (count - 1);
        to[at] = from[i];
    }
    buffer_release(&old);
    dictionary->slots = fresh;
    dictionary->shift = shift;
    return HAUL_OK;
}

/* Room for a block of new values: the table stays at most half full. */
static enum haul_code slots_reserve(struct dictionary *dictionary, struct haul_error *err)
{
    size_t have = dictionary->slots.length / sizeof(struct slot);
    size_t need = 2 * ((size_t)dictionary->count + DICTIONARY_BLOCK);
    if (have >= need)
        return HAUL_OK;
    size_t count = have > 0 ? have : SLOTS_MIN;
    while (count < need)
        count *= 2;
    return slots_grow(dictionary, count, err);
}

static inline bool is_full(const struct dictionary *dictionary, size_t more)
{
    return dictionary->count >= dictionary->count_max ||
           more > dictionary->bytes_max - dictionary->values.length;
}

/* ---- values of 4 and 8 bytes: the value is the key ---- */

/* Both leaves stop at the first new value that has no room. `values` has room for a block. */
static inline __attribute__((always_inline)) size_t
add_keys(struct dictionary *dictionary, const uint8_t *values, size_t count, size_t width, uint32_t *indices)
{
    struct slot *slots = slots_of(dictionary);
    size_t mask = dictionary->slots.length / sizeof(struct slot) - 1;
    int shift = dictionary->shift;
    uint64_t steps = 0;
    size_t i = 0;
    for (; i < count; i++) {
        uint64_t key = 0;
        memcpy(&key, values + i * width, width);
        size_t at = slot_of(key, shift);
        while (slots[at].key != key && slots[at].next != 0) {
            at = (at + 1) & mask;
            steps++;
        }
        if (slots[at].next == 0) {
            if (is_full(dictionary, width))
                break;
            buffer_put(&dictionary->values, &key, width);
            slots[at].key = key;
            slots[at].next = ++dictionary->count;
        }
        indices[i] = slots[at].next - 1;
    }
    dictionary->steps += steps;
    return i;
}

/* ---- everything else: bytes ---- */

static inline uint64_t load64(const uint8_t *data)
{
    uint64_t word;
    memcpy(&word, data, sizeof word);
    return word;
}

static inline uint64_t mix(uint64_t a, uint64_t b)
{
    __extension__ unsigned __int128 product = (unsigned __int128)a * b;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

/* `length` > SHORT_MAX. */
static inline uint64_t hash_bytes(const uint8_t *data, size_t length)
{
    const uint8_t *end = data + length;
    uint64_t seed = length * MIX_B;
    while (end - data > 16) {
        seed = mix(load64(data) ^ MIX_A, load64(data + 8) ^ seed);
        data += 16;
    }
    const uint8_t *tail = length > 16 ? end - 16 : data;
    return mix(load64(tail) ^ MIX_A, load64(end - 8) ^ seed);
}

static inline uint64_t short_key(const uint8_t *data, size_t length, bool may_read_8)
{
    uint64_t word = 0;
    if (may_read_8)
        word = length > 0 ? load64(data) << (64 - 8 * length) >> (64 - 8 * length) : 0;
    else if (length > 0)
        memcpy(&word, data, length);
    return word | (uint64_t)length << 56;
}

/* `length` > SHORT_MAX: words of 8, the last one from the end. */
static inline bool bytes_equal(const uint8_t *a, const uint8_t *b, size_t length)
{
    uint64_t differ = load64(a + length - 8) ^ load64(b + length - 8);
    for (size_t i = 0; i + 8 < length && differ == 0; i += 8)
        differ = load64(a + i) ^ load64(b + i);
    return differ == 0;
}

static inline bool entry_equals(const struct dictionary *dictionary, uint32_t index, const uint8_t *data,
                                size_t length)
{
    size_t width = dictionary->width;
    if (width)
        return bytes_equal(dictionary->values.data + index * width, data, length);
    const uint32_t *places = (const uint32_t *)(const void *)dictionary->places.data;
    size_t place = places[index] + sizeof(uint32_t);
    return places[index + 1] - place == length && bytes_equal(dictionary->values.data + place, data, length);
}

static enum haul_code entry_put(struct dictionary *dictionary, const uint8_t *data, size_t length,
                                struct haul_error *err)
{
    bool strings = dictionary->width == 0;
    enum haul_code code = buffer_reserve(&dictionary->values, sizeof(uint32_t) + length, err);
    if (!code && strings)
        code = buffer_reserve(&dictionary->places, 2 * sizeof(uint32_t), err);
    if (code)
        return code;
    if (strings) {
        uint32_t first = 0, prefix = (uint32_t)length;
        if (dictionary->places.length == 0)
            buffer_put(&dictionary->places, &first, sizeof first);
        buffer_put(&dictionary->values, &prefix, sizeof prefix);
    }
    if (length > 0)
        buffer_put(&dictionary->values, data, length);
    if (strings) {
        uint32_t end = (uint32_t)dictionary->values.length;
        buffer_put(&dictionary->places, &end, sizeof end);
    }
    return HAUL_OK;
}

struct value {
    const uint8_t *data;
    size_t length;
    uint64_t key;
};

/* The slot where the value is or belongs. */
static inline struct slot *value_find(struct dictionary *dictionary, const struct value *value)
{
    struct slot *slots = slots_of(dictionary);
    size_t mask = dictionary->slots.length / sizeof(struct slot) - 1;
    size_t at = slot_of(value->key, dictionary->shift);
    while (slots[at].next != 0) {
        bool same = slots[at].key == value->key;
        if (same && (value->length <= SHORT_MAX ||
                     entry_equals(dictionary, slots[at].next - 1, value->data, value->length)))
            break;
        at = (at + 1) & mask;
        dictionary->steps++;
    }
    return &slots[at];
}

static inline enum haul_code value_add(struct dictionary *dictionary, const struct value *value,
                                       uint32_t *index, bool *full, struct haul_error *err)
{
    struct slot *slot = value_find(dictionary, value);
    if (slot->next == 0) {
        size_t prefix = dictionary->width ? 0 : sizeof(uint32_t);
        *full = is_full(dictionary, prefix + value->length);
        if (*full)
            return HAUL_OK;
        enum haul_code code = entry_put(dictionary, value->data, value->length, err);
        if (code)
            return code;
        slot->key = value->key;
        slot->next = ++dictionary->count;
    }
    *index = slot->next - 1;
    return HAUL_OK;
}

static enum haul_code add_wide(struct dictionary *dictionary, const uint8_t *values, size_t count,
                               uint32_t *indices, size_t *done, struct haul_error *err)
{
    size_t width = dictionary->width;
    enum haul_code code = HAUL_OK;
    bool full = false;
    for (*done = 0; *done < count; ++*done) {
        struct value value = {values + *done * width, width, 0};
        value.key = width <= SHORT_MAX ? short_key(value.data, width, false)
                                       : hash_bytes(value.data, width) | LONG_KEY;
        code = value_add(dictionary, &value, indices + *done, &full, err);
        if (code || full)
            break;
    }
    return code;
}

static enum haul_code add_fixed_block(struct dictionary *dictionary, const uint8_t *values, size_t count,
                                      uint32_t *indices, size_t *done, struct haul_error *err)
{
    size_t width = dictionary->width;
    enum haul_code code = slots_reserve(dictionary, err);
    if (!code)
        code = buffer_reserve(&dictionary->values, count * width, err);
    if (code)
        return code;
    if (width == 4)
        *done = add_keys(dictionary, values, count, 4, indices);
    else if (width == 8)
        *done = add_keys(dictionary, values, count, 8, indices);
    else
        code = add_wide(dictionary, values, count, indices, done, err);
    return code;
}

enum haul_code dictionary_add_fixed(struct dictionary *dictionary, const uint8_t *values, size_t count,
                                    uint32_t *indices, size_t *done, struct haul_error *err)
{
    *done = 0;
    while (*done < count) {
        size_t part = count - *done < DICTIONARY_BLOCK ? count - *done : DICTIONARY_BLOCK;
        size_t added = 0;
        enum haul_code code = add_fixed_block(dictionary, values + *done * dictionary->width, part,
                                              indices + *done, &added, err);
        *done += added;
        if (code || added < part)
            return code;
    }
    return HAUL_OK;
}

static enum haul_code add_strings_block(struct dictionary *dictionary, const struct strings *strings,
                                        size_t count, uint32_t *indices, size_t *done, struct haul_error *err)
{
    enum haul_code code = slots_reserve(dictionary, err);
    bool full = false;
    for (*done = 0; !code && *done < count; ++*done) {
        size_t start = (size_t)strings->starts[*done], length = (size_t)strings->ends[*done] - start;
        struct value value = {strings->data + start, length, 0};
        value.key = length <= SHORT_MAX ? short_key(value.data, length, start + 8 <= strings->data_length)
                                        : hash_bytes(value.data, length) | LONG_KEY;
        code = value_add(dictionary, &value, indices + *done, &full, err);
        if (code || full)
            break;
    }
    return code;
}

enum haul_code dictionary_add_strings(struct dictionary *dictionary, const struct strings *strings,
                                      size_t count, uint32_t *indices, size_t *done, struct haul_error *err)
{
    *done = 0;
    while (*done < count) {
        struct strings left = strings_from(strings, *done);
        size_t part = count - *done < DICTIONARY_BLOCK ? count - *done : DICTIONARY_BLOCK;
        size_t added = 0;
        enum haul_code code = add_strings_block(dictionary, &left, part, indices + *done, &added, err);
        *done += added;
        if (code || added < part)
            return code;
    }
    return HAUL_OK;
}

/* ---- back to values ---- */

size_t dictionary_expanded_bytes(const struct dictionary *dictionary, const uint32_t *indices, size_t count)
{
    if (dictionary->width)
        return count * dictionary->width;
    const uint32_t *places = (const uint32_t *)(const void *)dictionary->places.data;
    size_t bytes = 0;
    for (size_t i = 0; i < count; i++)
        bytes += places[indices[i] + 1] - places[indices[i]];
    return bytes;
}

enum haul_code dictionary_expand(const struct dictionary *dictionary, const uint32_t *indices, size_t count,
                                 struct buffer *out, struct haul_error *err)
{
    enum haul_code code = buffer_reserve(out, dictionary_expanded_bytes(dictionary, indices, count), err);
    if (code)
        return code;
    const uint32_t *places = (const uint32_t *)(const void *)dictionary->places.data;
    size_t width = dictionary->width;
    for (size_t i = 0; i < count; i++) {
        if (width)
            buffer_put(out, dictionary->values.data + indices[i] * width, width);
        else
            buffer_put(out, dictionary->values.data + places[indices[i]],
                       places[indices[i] + 1] - places[indices[i]]);
    }
    return HAUL_OK;
}
