/*
 * hash.c: row hashes and their sums (docs/canonical.md).
 *
 * Column by column each value's 64 bits (hash_value.c) are multiplied to 128
 * bits with two keys made from the column's place and kind, and added to the
 * row's sum; a NULL adds a number of its own. When all columns are in, the row
 * is mixed once more by an invertible function, so that the sum over rows sees
 * which values stood together in a row. One multiplication a value, three a row.
 *
 * Not a defence against somebody who makes collisions on purpose.
 */
#include "batch/hash.h"

#include "batch/hash_value.h"
#include <string.h>

static inline uint128_t to_wide(struct hash128 hash)
{
    return (uint128_t)hash.high << 64 | hash.low;
}

static inline struct hash128 from_wide(uint128_t value)
{
    return (struct hash128){(uint64_t)value, (uint64_t)(value >> 64)};
}

struct hash128 hash_add(struct hash128 a, struct hash128 b)
{
    return from_wide(to_wide(a) + to_wide(b));
}

struct hash128 hash_subtract(struct hash128 a, struct hash128 b)
{
    return from_wide(to_wide(a) - to_wide(b));
}

bool hash_equal(struct hash128 a, struct hash128 b)
{
    return a.low == b.low && a.high == b.high;
}

void hash_print(struct hash128 hash, char out[HASH_TEXT_BYTES])
{
    static const char digits[] = "0123456789abcdef";
    for (int i = 0; i < 16; i++) {
        out[i] = digits[hash.high >> (60 - 4 * i) & 15];
        out[16 + i] = digits[hash.low >> (60 - 4 * i) & 15];
    }
    out[32] = 0;
}

bool hash_parse(const char *text, struct hash128 *hash)
{
    uint64_t words[2] = {0, 0};
    if (strlen(text) != HASH_TEXT_BYTES - 1)
        return false;
    for (int i = 0; i < 32; i++) {
        char c = text[i];
        int digit = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
        if (digit < 0)
            return false;
        words[i / 16] = words[i / 16] << 4 | (uint64_t)digit;
    }
    *hash = (struct hash128){words[1], words[0]};
    return true;
}

/* ---- keys ---- */

/* splitmix64's output function. */
static uint64_t mix(uint64_t x)
{
    x += UINT64_C(0x9e3779b97f4a7c15);
    x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
    return x ^ x >> 31;
}

struct column_key {
    uint64_t flip, factor;
    struct hash128 null;
};

static struct column_key column_key(int column, const struct field *field)
{
    uint64_t place = ((uint64_t)column + 1) << 16, key = place | hash_tag(field);
    return (struct column_key){mix(2 * key), mix(2 * key + 1) | 1, {mix(2 * place), mix(2 * place + 1)}};
}

static inline struct hash128 finish(struct hash128 hash)
{
    hash.low += hash_fold(hash.high ^ HASH_P0, HASH_P3);
    hash.high += hash_fold(hash.low ^ HASH_P1, HASH_P4);
    hash.low += hash_fold(hash.high ^ HASH_P2, HASH_P6);
    return hash;
}

/* ---- the hasher ---- */

enum haul_code hasher_init(struct hasher *hasher, const struct schema *schema, bool columns,
                           struct memory *memory, struct haul_error *err)
{
    memset(hasher, 0, sizeof *hasher);
    buffer_init(&hasher->scratch, memory);
    buffer_init(&hasher->rows_buffer, memory);
    hasher->column_count = schema->count;
    if (!columns || !schema->count)
        return HAUL_OK;
    hasher->columns = memory_alloc(NULL, (size_t)schema->count * sizeof *hasher->columns);
    if (!hasher->columns)
        return error_nomem(err, "column hashes");
    memset(hasher->columns, 0, (size_t)schema->count * sizeof *hasher->columns);
    return HAUL_OK;
}

void hasher_release(struct hasher *hasher)
{
    buffer_release(&hasher->scratch);
    buffer_release(&hasher->rows_buffer);
    if (hasher->columns)
        memory_free(NULL, hasher->columns, (size_t)hasher->column_count * sizeof *hasher->columns);
    memset(hasher, 0, sizeof *hasher);
}

static inline struct hash128 cell_of(uint64_t value, const struct column_key *key)
{
    return from_wide((uint128_t)(value ^ key->flip) * key->factor);
}

static void add_cells(struct hash128 *rows, const uint64_t *values, int64_t count,
                      const struct column_key *key)
{
    const struct column_key own = *key;
    for (int64_t i = 0; i < count; i++)
        rows[i] = hash_add(rows[i], cell_of(values[i], &own));
}

static void add_cells_nulls(struct hash128 *rows, const uint64_t *values, const struct view *view,
                            const struct column_key *key)
{
    const struct column_key own = *key;
    for (int64_t i = 0; i < view->length; i++)
        rows[i] = hash_add(rows[i], view_is_null(view, i) ? own.null : cell_of(values[i], &own));
}

static struct hash128 column_sum(const uint64_t *values, const struct view *view,
                                 const struct column_key *key)
{
    struct hash128 sum = {0, 0};
    for (int64_t i = 0; i < view->length; i++)
        sum = hash_add(sum, finish(view_is_null(view, i) ? key->null : cell_of(values[i], key)));
    return sum;
}

static enum haul_code add_column(struct hasher *hasher, const struct batch *batch, int column,
                                 struct haul_error *err)
{
    const struct field *field = &batch->schema->fields[column];
    struct view view;
    uint64_t *values = (uint64_t *)(void *)hasher->scratch.data;
    if (view_init(&view, field, batch->array.children[column], err))
        return err->code;
    if (view.length != batch->array.length)
        return error_set(err, HAUL_DATA, "column \"%s\" has %lld rows in a batch of %lld", field->name,
                         (long long)view.length, (long long)batch->array.length);
    if (hash_values(&view, view.length, hasher->scratch.memory, values, err))
        return err->code;
    struct column_key key = column_key(column, field);
    if (view.null_count)
        add_cells_nulls(hasher->rows, values, &view, &key);
    else
        add_cells(hasher->rows, values, view.length, &key);
    if (hasher->columns)
        hasher->columns[column] = hash_add(hasher->columns[column], column_sum(values, &view, &key));
    return HAUL_OK;
}

enum haul_code hash_batch(struct hasher *hasher, const struct batch *batch, struct hash128 *sum,
                          struct haul_error *err)
{
    size_t rows = (size_t)batch->array.length;
    if (batch->schema->count != hasher->column_count || batch->array.n_children != hasher->column_count)
        return error_set(err, HAUL_INTERNAL, "a batch of %d columns for a hash of %d", batch->schema->count,
                         hasher->column_count);
    buffer_clear(&hasher->scratch);
    buffer_clear(&hasher->rows_buffer);
    if (buffer_reserve(&hasher->scratch, rows * sizeof(uint64_t), err) ||
        buffer_resize(&hasher->rows_buffer, rows * sizeof(struct hash128), err))
        return err->code;
    hasher->rows = (struct hash128 *)(void *)hasher->rows_buffer.data;
    for (int i = 0; i < hasher->column_count; i++)
        if (add_column(hasher, batch, i, err))
            return err->code;
    struct hash128 total = {0, 0};
    for (size_t i = 0; i < rows; i++) {
        hasher->rows[i] = finish(hasher->rows[i]);
        total = hash_add(total, hasher->rows[i]);
    }
    *sum = total;
    return HAUL_OK;
}
