/*
 * memory.c: budgets.
 *
 * `charged` is what a budget has taken from the system for its blocks, those in
 * use and those kept for reuse; it never exceeds the limit without the reserve
 * being held. Below the limit one compare-and-swap decides. Above it the root's
 * mutex does: kept blocks go back to the system first, then the reserve is
 * borrowed, or waited for. The invariant that makes this exact: `charged` goes
 * above the limit, and the reserve is given back, only under the root's mutex.
 *
 * The wait is not a poll and asks no cancel: who holds the reserve waits for
 * nobody, and a cancelled holder frees what it has. A worker whose own blocks
 * are freed by another thread meanwhile goes on without the reserve.
 *
 * A budget lives as long as its owner or any block needs it (`references`); a
 * share holds one reference to its root.
 *
 * Blocks themselves (size classes, mapping, the kept ones): memory_block.c.
 */
#include "base/memory.h"
#include "base/memory_block.h"
#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#define KEPT_BYTES_UNLIMITED ((size_t)256 << 20) /* kept by a budget without a limit */
#define COPY_BYTES_MAX       ((size_t)1 << 20)   /* moved by copying, if a kept block is there */
#define MIB                  ((size_t)1 << 20)

struct memory {
    struct memory *root;   /* itself for the root */
    atomic_size_t limit;   /* without the reserve; SIZE_MAX none */
    atomic_size_t charged; /* in use and kept */
    atomic_size_t kept_bytes;
    atomic_size_t references; /* the owner, each block, each share of a root */
    pthread_mutex_t kept_mutex;
    struct block_store kept;

    /* the root's alone; all under its mutex, save `waiting` and `holder` for a first look */
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    size_t bytes_max; /* 0 no limit */
    size_t reserve, share_bytes;
    int workers, shares;
    atomic_int waiting;
    _Atomic(struct memory *) holder;
};

static struct memory *memory_new(void)
{
    struct memory *memory = calloc(1, sizeof *memory);
    if (!memory)
        return NULL;
    atomic_store(&memory->references, 1);
    pthread_mutex_init(&memory->kept_mutex, NULL);
    pthread_mutex_init(&memory->mutex, NULL);
    pthread_cond_init(&memory->changed, NULL);
    return memory;
}

enum haul_code memory_open(struct memory **memory, size_t bytes_max, int workers, struct haul_error *err)
{
    struct memory *root = memory_new();
    if (!root)
        return error_nomem(err, "the memory budget");
    root->root = root;
    root->workers = workers > 0 ? workers : 1;
    root->bytes_max = bytes_max;
    if (bytes_max == 0) {
        atomic_store(&root->limit, SIZE_MAX);
        root->share_bytes = SIZE_MAX;
    } else {
        root->reserve = bytes_max / 4;
        root->share_bytes = (bytes_max - root->reserve - bytes_max / 16) / (size_t)root->workers;
        atomic_store(&root->limit, bytes_max - root->reserve);
    }
    *memory = root;
    return HAUL_OK;
}

/* Gives kept blocks of at least `bytes` bytes together back to the system, if there are. */
static void kept_drop(struct memory *memory, size_t bytes)
{
    if (atomic_load(&memory->kept_bytes) == 0)
        return;
    pthread_mutex_lock(&memory->kept_mutex);
    size_t dropped = block_store_drop(&memory->kept, bytes);
    atomic_fetch_sub(&memory->kept_bytes, dropped);
    pthread_mutex_unlock(&memory->kept_mutex);
    atomic_fetch_sub(&memory->charged, dropped);
}

static void memory_unref(struct memory *memory);

static void share_end(struct memory *share)
{
    struct memory *root = share->root;
    pthread_mutex_lock(&root->mutex);
    assert(atomic_load(&root->holder) != share);
    root->shares--;
    if (root->bytes_max > 0)
        atomic_fetch_add(&root->limit, atomic_load(&share->limit));
    pthread_mutex_unlock(&root->mutex);
    memory_unref(root);
}

static void memory_unref(struct memory *memory)
{
    if (atomic_fetch_sub(&memory->references, 1) != 1)
        return;
    kept_drop(memory, SIZE_MAX);
    if (memory->root != memory)
        share_end(memory);
    pthread_cond_destroy(&memory->changed);
    pthread_mutex_destroy(&memory->mutex);
    pthread_mutex_destroy(&memory->kept_mutex);
    free(memory);
}

void memory_close(struct memory *memory)
{
    if (!memory)
        return;
    kept_drop(memory, SIZE_MAX);
    memory_unref(memory);
}

/* What a new share may have: the planned bytes or, when the root itself uses more
 * than what would be left to it, as much as keeps the promise; 0 when that is
 * too little to work with. Under the root's mutex. */
static size_t share_limit(const struct memory *root)
{
    size_t limit = atomic_load(&root->limit), charged = atomic_load(&root->charged);
    if (root->bytes_max == 0 || (charged <= limit && limit - charged >= root->share_bytes))
        return root->share_bytes;
    size_t taken = charged + root->bytes_max / 32;
    size_t left = taken < limit ? limit - taken : 0;
    return left >= root->share_bytes / 2 ? left : 0;
}

enum haul_code memory_share(struct memory *root, struct memory **share, struct haul_error *err)
{
    root = root->root;
    struct memory *made = memory_new();
    if (!made)
        return error_nomem(err, "a worker's memory budget");
    kept_drop(root, SIZE_MAX);
    pthread_mutex_lock(&root->mutex);
    size_t limit = share_limit(root);
    if (limit > 0) {
        root->shares++;
        atomic_fetch_add(&root->references, 1);
        if (root->bytes_max > 0)
            atomic_fetch_sub(&root->limit, limit);
    }
    pthread_mutex_unlock(&root->mutex);
    made->root = limit > 0 ? root : made;
    atomic_store(&made->limit, limit);
    if (limit > 0) {
        *share = made;
        return HAUL_OK;
    }
    memory_unref(made);
    return memory_error(root, root->share_bytes, "a worker's share", err);
}

/* `bytes` more within `limit`, or nothing. */
static bool charge_within(struct memory *memory, size_t bytes, size_t limit)
{
    size_t now = atomic_load_explicit(&memory->charged, memory_order_relaxed);
    do {
        if (now > limit || bytes > limit - now)
            return false;
    } while (!atomic_compare_exchange_weak(&memory->charged, &now, now + bytes));
    return true;
}

/* Under the root's mutex, which the wait gives up. */
static bool charge_borrowing(struct memory *memory, size_t bytes)
{
    struct memory *root = memory->root;
    size_t limit = atomic_load(&memory->limit);
    for (;;) {
        kept_drop(memory, SIZE_MAX);
        if (charge_within(memory, bytes, limit))
            return true;
        if (memory == root && root->shares > 0)
            return false; /* nobody may hold the reserve while waiting for workers */
        struct memory *holder = atomic_load(&root->holder);
        if (!holder || holder == memory) {
            bool charged = charge_within(memory, bytes, limit + root->reserve);
            if (charged)
                atomic_store(&root->holder, memory);
            return charged;
        }
        if (bytes > limit + root->reserve)
            return false; /* would not fit with it either: no reason to wait */
        pthread_cond_wait(&root->changed, &root->mutex);
    }
}

static bool memory_charge(struct memory *memory, size_t bytes)
{
    if (charge_within(memory, bytes, atomic_load_explicit(&memory->limit, memory_order_relaxed)))
        return true;
    struct memory *root = memory->root;
    if (root->bytes_max == 0)
        return false;
    kept_drop(memory, bytes);
    if (charge_within(memory, bytes, atomic_load(&memory->limit)))
        return true;
    pthread_mutex_lock(&root->mutex);
    atomic_fetch_add(&root->waiting, 1);
    bool charged = charge_borrowing(memory, bytes);
    atomic_fetch_sub(&root->waiting, 1);
    pthread_mutex_unlock(&root->mutex);
    return charged;
}

static void memory_discharge(struct memory *memory, size_t bytes)
{
    struct memory *root = memory->root;
    size_t now = atomic_fetch_sub(&memory->charged, bytes) - bytes;
    bool holds = atomic_load(&root->holder) == memory;
    if (!(holds && now <= atomic_load(&memory->limit)) && atomic_load(&root->waiting) == 0)
        return;
    pthread_mutex_lock(&root->mutex);
    if (atomic_load(&root->holder) == memory && atomic_load(&memory->charged) <= atomic_load(&memory->limit))
        atomic_store(&root->holder, NULL);
    pthread_cond_broadcast(&root->changed);
    pthread_mutex_unlock(&root->mutex);
}

/* A kept block of exactly this class: it is charged already. */
static void *kept_take(struct memory *memory, size_t usable)
{
    if (atomic_load_explicit(&memory->kept_bytes, memory_order_relaxed) < usable)
        return NULL;
    pthread_mutex_lock(&memory->kept_mutex);
    void *block = block_store_take(&memory->kept, usable);
    if (block)
        atomic_fetch_sub(&memory->kept_bytes, usable);
    pthread_mutex_unlock(&memory->kept_mutex);
    return block;
}

/* Keeps the block for reuse, unless its bytes are wanted now. */
static bool kept_put(struct memory *memory, void *block, size_t usable)
{
    struct memory *root = memory->root;
    if (!block_can_be_kept(usable) || atomic_load(&root->waiting) > 0 || atomic_load(&root->holder) == memory)
        return false;
    size_t most = root->bytes_max ? atomic_load(&memory->limit) : KEPT_BYTES_UNLIMITED;
    pthread_mutex_lock(&memory->kept_mutex);
    bool keep = atomic_load(&memory->charged) <= atomic_load(&memory->limit) &&
                atomic_load(&memory->kept_bytes) + usable <= most;
    if (keep) {
        block_store_put(&memory->kept, block, usable);
        atomic_fetch_add(&memory->kept_bytes, usable);
    }
    pthread_mutex_unlock(&memory->kept_mutex);
    return keep;
}

void *memory_alloc(struct memory *memory, size_t size)
{
    size_t usable = memory_usable(size);
    if (usable == 0)
        return NULL;
    if (!memory)
        return block_new(usable);
    void *block = kept_take(memory, usable);
    if (!block && memory_charge(memory, usable)) {
        block = block_new(usable);
        if (!block) {
            kept_drop(memory, SIZE_MAX);
            block = block_new(usable);
        }
        if (!block)
            memory_discharge(memory, usable);
    }
    if (block)
        atomic_fetch_add_explicit(&memory->references, 1, memory_order_relaxed);
    return block;
}

void memory_free(struct memory *memory, void *block, size_t size)
{
    if (!block)
        return;
    size_t usable = memory_usable(size);
    if (!memory) {
        block_free(block, usable);
        return;
    }
    if (kept_put(memory, block, usable)) {
        memory_discharge(memory, 0); /* somebody may have begun to wait meanwhile */
    } else {
        block_free(block, usable);
        memory_discharge(memory, usable);
    }
    memory_unref(memory);
}

/* In place or by moving pages, charged only for what it grows. */
static void *block_regrow(struct memory *memory, void *block, size_t old_usable, size_t new_usable)
{
    bool grows = new_usable > old_usable;
    if (memory && grows && !memory_charge(memory, new_usable - old_usable))
        return NULL;
    void *moved = block_resize(block, old_usable, new_usable);
    if (memory && grows && !moved)
        memory_discharge(memory, new_usable - old_usable);
    if (memory && !grows && moved)
        memory_discharge(memory, old_usable - new_usable);
    return moved;
}

void *memory_realloc(struct memory *memory, void *block, size_t old_size, size_t new_size)
{
    if (!block)
        return memory_alloc(memory, new_size);
    size_t old_usable = memory_usable(old_size), new_usable = memory_usable(new_size);
    if (new_usable == 0)
        return NULL;
    if (new_usable == old_usable)
        return block;
    /* A kept block is warm: copying into it costs less than fresh pages. */
    void *kept = memory && old_usable <= COPY_BYTES_MAX ? kept_take(memory, new_usable) : NULL;
    if (kept) {
        memcpy(kept, block, old_size < new_size ? old_size : new_size);
        atomic_fetch_add_explicit(&memory->references, 1, memory_order_relaxed);
        memory_free(memory, block, old_size);
        return kept;
    }
    if (block_can_be_resized(old_usable) && block_can_be_resized(new_usable))
        return block_regrow(memory, block, old_usable, new_usable);
    void *moved = memory_alloc(memory, new_size);
    if (!moved)
        return NULL;
    memcpy(moved, block, old_size < new_size ? old_size : new_size);
    memory_free(memory, block, old_size);
    return moved;
}

size_t memory_used(const struct memory *memory)
{
    if (!memory)
        return 0;
    size_t charged = atomic_load(&memory->charged), kept = atomic_load(&memory->kept_bytes);
    return charged > kept ? charged - kept : 0;
}

size_t memory_limit(const struct memory *memory)
{
    if (!memory || memory->root->bytes_max == 0)
        return 0;
    return atomic_load(&memory->limit);
}

/* A value passes through a reader's column, a writer's page and a compressed
 * page, and the columns grow by half: four times its size must fit. */
size_t memory_value_max(const struct memory *memory)
{
    if (!memory || memory->root->bytes_max == 0)
        return SIZE_MAX;
    size_t reserve = memory->root->reserve;
    size_t passing = (memory->root->share_bytes + reserve) / 4;
    return passing < reserve ? passing : reserve;
}

bool memory_borrowed(const struct memory *memory)
{
    return memory && atomic_load(&memory->root->holder) == memory;
}

enum haul_code memory_error(const struct memory *memory, size_t size, const char *what,
                            struct haul_error *err)
{
    const struct memory *root = memory ? memory->root : NULL;
    size_t limit = memory_limit(memory);
    size_t used = memory_used(memory);
    bool ours = limit > 0 && (size > memory_value_max(memory) || used + size > limit);
    if (!ours)
        return error_set(err, HAUL_NOMEM, "no memory for %s: %zu bytes", what, size);
    /* This budget is `part` of the whole; four times a value must fit into it, and
     * a block may be an eighth larger than asked for. */
    double part = memory == root && root->shares > 0 ? 0.0625 : 0.25 + 0.6875 / root->workers;
    double need = ((double)used + (double)size) * 1.125;
    if (size > memory_value_max(memory))
        need = 4.0 * (double)size;
    double mib = (double)root->bytes_max / (double)MIB;
    double wanted = need / part / (double)MIB;
    return error_set(err, HAUL_LIMIT,
                     "%s needs %zu more bytes, more than is left of --memory %.0fMiB (%d workers); use "
                     "--memory %.0fMiB, or "
                     "fewer workers",
                     what, size, mib, root->workers, (wanted > mib ? wanted : mib * 1.125) + 1.0);
}
