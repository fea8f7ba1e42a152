/*
 * statistics.c: bounds by each type's own order.
 *
 * A leaf per order works on plain values and registers and stores its result at
 * the end. Floats follow the format's rules: NaN never becomes a bound, a least
 * zero is written as -0.0 and a greatest as +0.0, so that a reader that compares
 * bytes or values finds both. Strings are compared by their first 8 bytes as a
 * big-endian number before anything is called.
 */
#include "format/parquet/statistics.h"
#include "base/unicode.h"
#include <assert.h>

enum order statistics_order(const struct node *leaf)
{
    switch (leaf->field->type) {
    case TYPE_BOOL:
        return ORDER_BOOL;
    case TYPE_UINT8:
    case TYPE_UINT16:
    case TYPE_UINT32:
        return ORDER_U32;
    case TYPE_UINT64:
        return ORDER_U64;
    case TYPE_FLOAT16:
        return ORDER_F16;
    case TYPE_FLOAT32:
        return ORDER_F32;
    case TYPE_FLOAT64:
        return ORDER_F64;
    case TYPE_UTF8:
        return ORDER_TEXT;
    case TYPE_BINARY:
    case TYPE_FIXED_BINARY:
        return ORDER_BYTES;
    case TYPE_NULL:
        return ORDER_NONE;
    default:
        break;
    }
    if (leaf->physical == PARQUET_INT32)
        return ORDER_I32;
    if (leaf->physical == PARQUET_INT64)
        return ORDER_I64;
    return leaf->physical == PARQUET_FIXED && leaf->field->type == TYPE_DECIMAL ? ORDER_DECIMAL : ORDER_NONE;
}

bool order_is_float(enum order order)
{
    return order == ORDER_F16 || order == ORDER_F32 || order == ORDER_F64;
}

static void bound_set(struct bound *bound, const void *data, size_t length)
{
    bound->length = (uint8_t)(length < BOUND_BYTES ? length : BOUND_BYTES);
    if (length > 0)
        memcpy(bound->bytes, data, bound->length);
}

/* ---- comparing ---- */

static int compare_bytes(const struct bound *a, const struct bound *b)
{
    size_t common = a->length < b->length ? a->length : b->length;
    int order = memcmp(a->bytes, b->bytes, common);
    return order ? order : (int)a->length - (int)b->length;
}

static int compare_decimals(const struct bound *a, const struct bound *b)
{
    uint8_t sign_a = a->bytes[0] & 0x80, sign_b = b->bytes[0] & 0x80;
    return sign_a != sign_b ? (int)sign_b - (int)sign_a : compare_bytes(a, b);
}

/* The bits of a half as an integer that sorts as its value; both zeros are 0. */
static int32_t half_rank(const uint8_t *bytes)
{
    uint16_t bits;
    memcpy(&bits, bytes, sizeof bits);
    int32_t magnitude = bits & 0x7FFF;
    return bits & 0x8000 ? -magnitude : magnitude;
}

#define DEFINE_COMPARE(name, type)                                                                           \
    static int compare_##name(const struct bound *a, const struct bound *b)                                  \
    {                                                                                                        \
        type x, y;                                                                                           \
        memcpy(&x, a->bytes, sizeof x);                                                                      \
        memcpy(&y, b->bytes, sizeof y);                                                                      \
        return (x > y) - (x < y);                                                                            \
    }
DEFINE_COMPARE(i32, int32_t)
DEFINE_COMPARE(u32, uint32_t)
DEFINE_COMPARE(i64, int64_t)
DEFINE_COMPARE(u64, uint64_t)
DEFINE_COMPARE(f32, float)
DEFINE_COMPARE(f64, double)

int bound_compare(enum order order, const struct bound *a, const struct bound *b)
{
    switch (order) {
    case ORDER_I32:
        return compare_i32(a, b);
    case ORDER_U32:
        return compare_u32(a, b);
    case ORDER_I64:
        return compare_i64(a, b);
    case ORDER_U64:
        return compare_u64(a, b);
    case ORDER_F16:
        return half_rank(a->bytes) - half_rank(b->bytes);
    case ORDER_F32:
        return compare_f32(a, b);
    case ORDER_F64:
        return compare_f64(a, b);
    case ORDER_DECIMAL:
        return compare_decimals(a, b);
    default:
        return compare_bytes(a, b);
    }
}

void bounds_merge(struct bounds *bounds, const struct bounds *more, enum order order)
{
    bounds->nan_count += more->nan_count;
    if (!more->any)
        return;
    if (!bounds->any || bound_compare(order, &more->min, &bounds->min) < 0)
        bounds->min = more->min;
    if (!bounds->any || bound_compare(order, &more->max, &bounds->max) > 0)
        bounds->max = more->max;
    bounds->any = true;
}

/* ---- leaves ---- */

#define DEFINE_INTEGERS(name, type)                                                                          \
    static void range_##name(struct bounds *found, const uint8_t *values, size_t count)                      \
    {                                                                                                        \
        type min, max;                                                                                       \
        memcpy(&min, values, sizeof min);                                                                    \
        max = min;                                                                                           \
        for (size_t i = 1; i < count; i++) {                                                                 \
            type value;                                                                                      \
            memcpy(&value, values + i * sizeof value, sizeof value);                                         \
            min = value < min ? value : min;                                                                 \
            max = value > max ? value : max;                                                                 \
        }                                                                                                    \
        bound_set(&found->min, &min, sizeof min);                                                            \
        bound_set(&found->max, &max, sizeof max);                                                            \
        found->any = true;                                                                                   \
    }
DEFINE_INTEGERS(u8, uint8_t)
DEFINE_INTEGERS(i32, int32_t)
DEFINE_INTEGERS(u32, uint32_t)
DEFINE_INTEGERS(i64, int64_t)
DEFINE_INTEGERS(u64, uint64_t)

/* Comparisons with NaN are false, so NaN never replaces a bound. */
#define DEFINE_FLOATS(name, type)                                                                            \
    static void range_##name(struct bounds *found, const uint8_t *values, size_t count)                      \
    {                                                                                                        \
        type min = (type)__builtin_inf(), max = -min;                                                        \
        size_t numbers = 0;                                                                                  \
        for (size_t i = 0; i < count; i++) {                                                                 \
            type value;                                                                                      \
            memcpy(&value, values + i * sizeof value, sizeof value);                                         \
            min = value < min ? value : min;                                                                 \
            max = value > max ? value : max;                                                                 \
            numbers += value == value;                                                                       \
        }                                                                                                    \
        found->nan_count = (int64_t)(count - numbers);                                                       \
        found->any = numbers > 0;                                                                            \
        type zero = 0;                                                                                       \
        if (min == zero)                                                                                     \
            min = -zero;                                                                                     \
        if (max == zero)                                                                                     \
            max = zero;                                                                                      \
        bound_set(&found->min, &min, sizeof min);                                                            \
        bound_set(&found->max, &max, sizeof max);                                                            \
    }
DEFINE_FLOATS(f32, float)
DEFINE_FLOATS(f64, double)

#define HALF_INFINITY 0x7C00

static void half_set(struct bound *bound, int32_t rank, bool least)
{
    uint16_t bits = (uint16_t)(rank < 0 || (rank == 0 && least) ? -rank | 0x8000 : rank);
    bound_set(bound, &bits, sizeof bits);
}

static void range_f16(struct bounds *found, const uint8_t *values, size_t count)
{
    int32_t min = HALF_INFINITY, max = -HALF_INFINITY;
    for (size_t i = 0; i < count; i++) {
        int32_t rank = half_rank(values + 2 * i);
        if (rank > HALF_INFINITY || rank < -HALF_INFINITY) {
            found->nan_count++;
            continue;
        }
        found->any = true;
        min = rank < min ? rank : min;
        max = rank > max ? rank : max;
    }
    half_set(&found->min, min, true);
    half_set(&found->max, max, false);
}

/* The first 8 bytes as a number that sorts as they do; of a decimal the sign bit is turned. */
static inline uint64_t wide_prefix(const uint8_t *value, size_t width, uint64_t turn)
{
    uint64_t word = 0;
    if (width >= 8)
        memcpy(&word, value, sizeof word);
    else
        memcpy(&word, value, width);
    return __builtin_bswap64(word) ^ turn;
}

static void range_wide(struct bounds *found, enum order order, const uint8_t *values, size_t count,
                       size_t width)
{
    const uint64_t turn = order == ORDER_DECIMAL ? UINT64_C(1) << 63 : 0;
    const uint8_t *min = values, *max = values;
    uint64_t least = wide_prefix(values, width, turn), greatest = least;
    for (size_t i = 1; i < count; i++) {
        const uint8_t *value = values + i * width;
        uint64_t prefix = wide_prefix(value, width, turn);
        if (prefix < least || (prefix == least && memcmp(value, min, width) < 0)) {
            least = prefix;
            min = value;
        }
        if (prefix > greatest || (prefix == greatest && memcmp(value, max, width) > 0)) {
            greatest = prefix;
            max = value;
        }
    }
    bound_set(&found->min, min, width);
    bound_set(&found->max, max, width);
    found->any = true;
}

void bounds_add_fixed(struct bounds *bounds, enum order order, const uint8_t *values, size_t count,
                      size_t width)
{
    struct bounds found = {0};
    if (count == 0 || order == ORDER_NONE)
        return;
    switch (order) {
    case ORDER_BOOL:
        range_u8(&found, values, count);
        break;
    case ORDER_I32:
        range_i32(&found, values, count);
        break;
    case ORDER_U32:
        range_u32(&found, values, count);
        break;
    case ORDER_I64:
        range_i64(&found, values, count);
        break;
    case ORDER_U64:
        range_u64(&found, values, count);
        break;
    case ORDER_F16:
        range_f16(&found, values, count);
        break;
    case ORDER_F32:
        range_f32(&found, values, count);
        break;
    case ORDER_F64:
        range_f64(&found, values, count);
        break;
    default:
        range_wide(&found, order, values, count, width);
    }
    bounds_merge(bounds, &found, order);
}

/* The first 8 bytes as a number that sorts as they do, zeros behind the end. */
static inline uint64_t string_prefix(const uint8_t *data, size_t length, bool may_read_8)
{
    uint64_t word = 0;
    if (length >= 8 || may_read_8)
        memcpy(&word, data, sizeof word);
    else if (length > 0)
        memcpy(&word, data, length);
    word = __builtin_bswap64(word);
    if (length < 8)
        word = length > 0 ? word >> (64 - 8 * length) << (64 - 8 * length) : 0;
    return word;
}

/* For a string whose prefix is the bound's: does it stand before (-1) or behind (1)? */
static bool string_replaces(const struct bound *bound, const uint8_t *data, size_t length, int direction)
{
    if (length <= 8 || bound->length <= 8)
        return ((int)(length > bound->length) - (int)(length < bound->length)) * direction > 0;
    struct bound one;
    bound_set(&one, data, length);
    return compare_bytes(&one, bound) * direction > 0;
}

void bounds_add_strings(struct bounds *bounds, const struct strings *strings, size_t first, size_t count)
{
    if (count == 0)
        return;
    if (!bounds->any) {
        const uint8_t *data = strings->data + strings->starts[first];
        size_t length = (size_t)(strings->ends[first] - strings->starts[first]);
        bound_set(&bounds->min, data, length);
        bound_set(&bounds->max, data, length);
        bounds->any = true;
    }
    uint64_t least = string_prefix(bounds->min.bytes, bounds->min.length, false);
    uint64_t greatest = string_prefix(bounds->max.bytes, bounds->max.length, false);
    for (size_t i = first; i < first + count; i++) {
        size_t start = (size_t)strings->starts[i], length = (size_t)strings->ends[i] - start;
        const uint8_t *data = strings->data + start;
        uint64_t prefix = string_prefix(data, length, start + 8 <= strings->data_length);
        if (prefix < least || (prefix == least && string_replaces(&bounds->min, data, length, -1))) {
            bound_set(&bounds->min, data, length);
            least = prefix;
        }
        if (prefix > greatest || (prefix == greatest && string_replaces(&bounds->max, data, length, 1))) {
            bound_set(&bounds->max, data, length);
            greatest = prefix;
        }
    }
}

/* ---- cutting ---- */

void bound_cut_min(struct bound *bound, enum order order, bool *exact)
{
    *exact = bound->length <= STATISTICS_BYTES_MAX;
    if (*exact)
        return;
    size_t keep = STATISTICS_BYTES_MAX;
    if (order == ORDER_TEXT)
        keep = unicode_cut(bound->bytes, bound->length, STATISTICS_BYTES_MAX);
    bound->length = (uint8_t)keep;
}

static bool increment_bytes(struct bound *bound)
{
    while (bound->length > 0 && bound->bytes[bound->length - 1] == 0xFF)
        bound->length--;
    if (bound->length == 0)
        return false;
    bound->bytes[bound->length - 1]++;
    return true;
}

static size_t character_start(const struct bound *bound)
{
    size_t at = bound->length;
    while (at > 0 && (bound->bytes[at - 1] & 0xC0) == 0x80)
        at--;
    return at > 0 ? at - 1 : 0;
}

/* Adds one to the character of `length` bytes without making it longer; false
 * when the next one would be, or there is none. Surrogates are stepped over. */
static bool increment_character(uint8_t *text, size_t length)
{
    static const uint32_t last[] = {0, 0x7F, 0x7FF, 0xFFFF, 0x10FFFF};
    static const uint8_t lead[] = {0, 0, 0xC0, 0xE0, 0xF0};
    if (length == 0 || length > 4)
        return false;
    uint32_t character = length == 1 ? text[0] : text[0] & (0xFFu >> (length + 1));
    for (size_t i = 1; i < length; i++)
        character = character << 6 | (text[i] & 0x3F);
    if (++character == 0xD800)
        character = 0xE000;
    if (character > last[length])
        return false;
    for (size_t i = length; i-- > 1; character >>= 6)
        text[i] = (uint8_t)(0x80 | (character & 0x3F));
    text[0] = (uint8_t)(lead[length] | character);
    return true;
}

static bool increment_text(struct bound *bound)
{
    while (bound->length > 0) {
        size_t start = character_start(bound);
        if (increment_character(bound->bytes + start, bound->length - start))
            return true;
        bound->length = (uint8_t)start;
    }
    return false;
}

bool bound_cut_max(struct bound *bound, enum order order, bool *exact)
{
    bound_cut_min(bound, order, exact);
    if (*exact)
        return true;
    return order == ORDER_TEXT ? increment_text(bound) : increment_bytes(bound);
}
