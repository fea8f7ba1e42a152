/*
 * memory.h: the memory door. Everything the library allocates for data passes
 * here, so that --memory is a promise.
 *
 * A `struct memory` is a budget. A run has one; each worker has a child with a
 * share of it. A quarter of the run's budget is the *reserve* for large values:
 * when a worker's share is spent, an allocation borrows the reserve, which is
 * lent to one worker at a time. A worker that finds it lent waits for it. Who
 * holds it must not wait for anybody else (a writer that waits for its turn
 * spills first: memory_borrowed tells), so there is no deadlock. The reserve
 * goes back as soon as the worker's use is at or under its share.
 *
 * Small bookkeeping (schemas, plans, names) uses an arena and is not charged.
 * Sizes are given back by the caller; there is no header before a block.
 * Blocks of 64 KiB and more are kept for reuse by the same budget (size classes,
 * never more kept than the budget allows). The root serves what runs outside of
 * workers: what no open share has taken, at least a sixteenth of the budget; it
 * borrows the reserve only while no share is open. Every block is aligned to 64
 * bytes. Any thread may free a block. A budget that is closed while blocks of it
 * live (an Arrow array a caller still holds) goes with the last of them.
 */
#ifndef HAUL_BASE_MEMORY_H
#define HAUL_BASE_MEMORY_H

#include "base/error.h"

struct memory;

/* A root budget of `bytes_max` bytes (0: no limit), for `workers` shares. */
enum haul_code memory_open(struct memory **memory, size_t bytes_max, int workers, struct haul_error *err);
void memory_close(struct memory *memory);

/* A worker's share of `root`. Somewhat less when the root is much in use itself;
 * HAUL_LIMIT when less than half would be left, or all shares are given out. */
enum haul_code memory_share(struct memory *root, struct memory **share, struct haul_error *err);

/* As malloc, realloc, free, with the sizes said. NULL when the budget (share
 * and reserve) or the system has no more. `memory` may be NULL: not charged. */
void *memory_alloc(struct memory *memory, size_t size);
void *memory_realloc(struct memory *memory, void *block, size_t old_size, size_t new_size);
void memory_free(struct memory *memory, void *block, size_t size);

/* The bytes an allocation of `size` occupies and is charged: asking for them
 * costs nothing more. */
size_t memory_usable(size_t size);

/* Sets the error for an allocation of `size` bytes that failed: HAUL_LIMIT with
 * the --memory that would do, or HAUL_NOMEM. Returns the code. */
enum haul_code memory_error(const struct memory *memory, size_t size, const char *what, struct haul_error *err);

size_t memory_used(const struct memory *memory);      /* bytes charged to this budget now */
size_t memory_limit(const struct memory *memory);     /* this share's bytes, without the reserve; 0 = no limit */
size_t memory_value_max(const struct memory *memory); /* the largest single value that can pass; SIZE_MAX = no limit */
bool memory_borrowed(const struct memory *memory);    /* holds the reserve now */

#endif
