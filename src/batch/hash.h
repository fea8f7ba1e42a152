/*
 * hash.h: the proof that rows arrived: a 128-bit hash for each row over its
 * values in canonical form (docs/canonical.md), summed modulo 2^128, so that
 * the order of rows does not matter while a doubled, missing or shifted value
 * is seen. Sums of equal tables are equal whatever engine or layout they pass.
 */
#ifndef HAUL_BATCH_HASH_H
#define HAUL_BATCH_HASH_H

#include "batch/view.h"

struct hash128 {
    uint64_t low, high;
};

#define HASH_TEXT_BYTES 33 /* 32 hex digits and NUL */

struct hash128 hash_add(struct hash128 a, struct hash128 b);
struct hash128 hash_subtract(struct hash128 a, struct hash128 b);
bool hash_equal(struct hash128 a, struct hash128 b);
void hash_print(struct hash128 hash, char out[HASH_TEXT_BYTES]);
bool hash_parse(const char *text, struct hash128 *hash);

/* XXH64 with seed 0: what Parquet's Bloom filters are made of. */
uint64_t hash_xxh64(const void *data, size_t length);

/* Scratch space kept between batches. All-zero to begin; released at the end. */
struct hasher {
    struct buffer scratch;
    struct hash128 *rows; /* after hash_batch: one per row of the batch */
    struct buffer rows_buffer;
    struct hash128 *columns; /* sums per column, all batches so far; NULL when not asked for */
    int column_count;
};

/* `columns` true keeps column sums as well, to name a culprit. */
enum haul_code hasher_init(struct hasher *hasher, const struct schema *schema, bool columns,
                           struct memory *memory, struct haul_error *err);
void hasher_release(struct hasher *hasher);

/* Fills hasher->rows; *sum gets their sum. */
enum haul_code hash_batch(struct hasher *hasher, const struct batch *batch, struct hash128 *sum,
                          struct haul_error *err);

#endif
