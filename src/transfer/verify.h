/* verify.h: a source's rows as sums of hashes. */
#ifndef HAUL_TRANSFER_VERIFY_H
#define HAUL_TRANSFER_VERIFY_H

#include "transfer/memory_plan.h"
#include "transfer/plan.h"

struct verified {
    struct source_info info;
    int64_t rows;
    struct hash128 hash;
    struct hash128 *columns; /* malloc'ed, one for each column in the order they were hashed */
};
void verified_release(struct verified *verified);

/* Columns in another order than the source's: schema column i is the source's places[i]. */
struct verify_order {
    const struct schema *schema;
    int *places;
};

/* Reads all of a described source (into->info is filled) with `workers` threads.
 * `order` may be NULL. */
enum haul_code verify_read(const struct context *context, struct source *source, int workers,
                           const struct verify_order *order, struct verified *into, struct haul_error *err);

#endif
