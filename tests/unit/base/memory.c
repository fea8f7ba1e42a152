/* Memory: arenas, budgets with a reserve that is lent, buffers. */
#include "base/arena.h"
#include "base/buffer.h"
#include "base/clock.h"
#include "trials.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#define MIB ((size_t)1 << 20)

static void arena_hands_out_zeroed_places(void **state)
{
    (void)state;
    struct arena arena = {0};
    arena_release(&arena);
    char *last = NULL;
    for (size_t size = 0; size < 200000; size = size * 2 + 7) {
        char *place = arena_alloc(&arena, size);
        assert_non_null(place);
        assert_ptr_not_equal(place, last);
        assert_int_equal((uintptr_t)place % 16, 0);
        for (size_t i = 0; i < size; i++)
            assert_int_equal(place[i], 0);
        memset(place, 0xff, size);
        last = place;
    }
    assert_string_equal(arena_printf(&arena, "%s-%d", "part", 7), "part-7");
    assert_string_equal(arena_text_n(&arena, "abcdef", 3), "abc");
    assert_null(arena_text(&arena, NULL));
    assert_string_equal(arena_text(&arena, ""), "");
    assert_null(arena_alloc_array(&arena, SIZE_MAX / 2, 3));
    assert_null(arena_alloc(&arena, SIZE_MAX));
    assert_null(arena_alloc(&arena, ARENA_BYTES_MAX));
    arena_release(&arena);
    arena_release(&arena);
}

static void arena_has_a_limit(void **state)
{
    (void)state;
    struct arena arena = {0};
    size_t count = 0;
    while (arena_alloc(&arena, 16 * MIB))
        count++;
    assert_int_equal(count, ARENA_BYTES_MAX / (16 * MIB));
    assert_non_null(arena.last);
    arena_release(&arena);
}

static void usable_sizes(void **state)
{
    (void)state;
    assert_int_equal(memory_usable(0), 64);
    assert_int_equal(memory_usable(64), 64);
    assert_int_equal(memory_usable(65), 128);
    assert_int_equal(memory_usable(SIZE_MAX), 0);
    int trials = trials_begin("usable sizes", 20000);
    for (int i = 0; i < trials; i++) {
        size_t size = (size_t)(trials_random() >> (24 + trials_random() % 40));
        size_t usable = memory_usable(size);
        assert_true(usable >= size && usable <= size + size / 8 + 64);
        assert_int_equal(memory_usable(usable), usable);
    }
}

static void uncharged_blocks(void **state)
{
    (void)state;
    char *block = memory_alloc(NULL, 100);
    assert_non_null(block);
    assert_int_equal((uintptr_t)block % 64, 0);
    memcpy(block, "hello", 6);
    block = memory_realloc(NULL, block, 100, 3 * MIB);
    assert_string_equal(block, "hello");
    block = memory_realloc(NULL, block, 3 * MIB, 9 * MIB);
    assert_string_equal(block, "hello");
    block = memory_realloc(NULL, block, 9 * MIB, 10);
    assert_string_equal(block, "hello");
    memory_free(NULL, block, 10);
    memory_free(NULL, NULL, 0);
    assert_null(memory_alloc(NULL, SIZE_MAX));
    assert_int_equal(memory_value_max(NULL), SIZE_MAX);
    assert_int_equal(memory_used(NULL), 0);
}

static void budget_holds(void **state)
{
    (void)state;
    struct haul_error err = {0};
    struct memory *root, *share;
    assert_int_equal(memory_open(&root, 64 * MIB, 2, &err), HAUL_OK);
    assert_int_equal(memory_share(root, &share, &err), HAUL_OK);
    assert_int_equal(memory_limit(share), 22 * MIB);
    assert_true(memory_value_max(share) <= 16 * MIB && memory_value_max(share) >= 8 * MIB);

    void *first = memory_alloc(share, 20 * MIB);
    assert_non_null(first);
    assert_false(memory_borrowed(share));
    void *second = memory_alloc(share, 16 * MIB); /* 36 of 22 + 16 */
    assert_non_null(second);
    assert_true(memory_borrowed(share));
    assert_int_equal(memory_used(share), 36 * MIB);
    assert_null(memory_alloc(share, 4 * MIB));
    assert_int_equal(memory_error(share, 4 * MIB, "a page", &err), HAUL_LIMIT);
    assert_non_null(strstr(err.message, "--memory"));
    memory_free(share, second, 16 * MIB);
    assert_false(memory_borrowed(share));
    memory_free(share, first, 20 * MIB);
    assert_int_equal(memory_used(share), 0);
    memory_close(share);

    void *whole = memory_alloc(root, 64 * MIB); /* without shares the root has everything */
    assert_non_null(whole);
    assert_null(memory_alloc(root, 1));
    memory_free(root, whole, 64 * MIB);
    memory_close(root);
}

static void kept_blocks_count_and_give_way(void **state)
{
    (void)state;
    struct haul_error err = {0};
    struct memory *root;
    assert_int_equal(memory_open(&root, 16 * MIB, 1, &err), HAUL_OK);
    void *blocks[8];
    for (int i = 0; i < 8; i++)
        assert_non_null(blocks[i] = memory_alloc(root, MIB + (size_t)i * MIB / 8));
    for (int i = 0; i < 8; i++)
        memory_free(root, blocks[i], MIB + (size_t)i * MIB / 8);
    assert_int_equal(memory_used(root), 0);
    void *large = memory_alloc(root, 16 * MIB); /* only when all kept blocks went */
    assert_non_null(large);
    memory_free(root, large, 16 * MIB);
    memory_close(root);
}

static void large_blocks_grow_charged_once(void **state)
{
    (void)state;
    struct haul_error err = {0};
    struct memory *root;
    assert_int_equal(memory_open(&root, 16 * MIB, 1, &err), HAUL_OK);
    char *block = memory_alloc(root, 9 * MIB);
    assert_non_null(block);
    block[9 * MIB - 1] = 'z';
#if !defined(__SANITIZE_ADDRESS__)
    block = memory_realloc(root, block, 9 * MIB, 14 * MIB); /* 23 MiB if it were copied */
    assert_non_null(block);
    assert_int_equal(block[9 * MIB - 1], 'z');
    assert_int_equal(memory_used(root), 14 * MIB);
    assert_null(memory_realloc(root, block, 14 * MIB, 18 * MIB));
    block = memory_realloc(root, block, 14 * MIB, 9 * MIB);
    assert_int_equal(memory_used(root), 9 * MIB);
#endif
    memory_free(root, block, 9 * MIB);
    memory_close(root);
}

static void too_many_shares_are_refused(void **state)
{
    (void)state;
    struct haul_error err = {0};
    struct memory *root, *shares[3];
    assert_int_equal(memory_open(&root, 16 * MIB, 2, &err), HAUL_OK);
    assert_int_equal(memory_share(root, &shares[0], &err), HAUL_OK);
    assert_int_equal(memory_share(root, &shares[1], &err), HAUL_OK);
    assert_int_equal(memory_share(root, &shares[2], &err), HAUL_LIMIT);
    void *own = memory_alloc(root, 512 << 10); /* a sixteenth stays the root's */
    assert_non_null(own);
    assert_null(memory_alloc(root, 2 * MIB)); /* and it does not borrow while workers may wait */
    memory_free(root, own, 512 << 10);
    memory_close(shares[0]);
    assert_int_equal(memory_share(root, &shares[2], &err), HAUL_OK);
    memory_close(shares[1]);
    memory_close(shares[2]);
    memory_close(root);
}

static void a_root_in_use_lends_less(void **state)
{
    (void)state;
    struct haul_error err = {0};
    struct memory *root, *shares[2], *third;
    assert_int_equal(memory_open(&root, 16 * MIB, 2, &err), HAUL_OK); /* shares of 5.5, 1 stays */
    void *own = memory_alloc(root, 2 * MIB);
    assert_int_equal(memory_share(root, &shares[0], &err), HAUL_OK);
    assert_int_equal(memory_limit(shares[0]), 5 * MIB + MIB / 2);
    assert_int_equal(memory_share(shares[0], &shares[1], &err), HAUL_OK); /* of the root, not of the share */
    assert_int_equal(memory_limit(shares[1]), 4 * MIB);
    assert_int_equal(memory_limit(root), 2 * MIB + MIB / 2);
    assert_int_equal(memory_share(root, &third, &err), HAUL_LIMIT);
    assert_int_equal(memory_value_max(root), memory_value_max(shares[1]));
    memory_close(shares[0]);
    memory_close(shares[1]);
    assert_int_equal(memory_limit(root), 12 * MIB);
    memory_free(root, own, 2 * MIB);
    memory_close(root);
}

static void blocks_outlive_their_budget(void **state)
{
    (void)state;
    struct haul_error err = {0};
    struct memory *root, *share;
    assert_int_equal(memory_open(&root, 0, 1, &err), HAUL_OK);
    assert_int_equal(memory_share(root, &share, &err), HAUL_OK);
    assert_int_equal(memory_limit(share), 0);
    char *block = memory_alloc(share, MIB);
    memory_close(share);
    memory_close(root);
    block[MIB - 1] = 1;
    memory_free(share, block, MIB); /* the last reference: both are gone now */
}

struct worker {
    struct memory *share;
    atomic_int *holders;
    uint64_t seed;
    int rounds;
    int failures, doubled, waited;
};

/* Takes more than its share in steps, so that the reserve is wanted by both all the time. */
static void *work(void *user)
{
    struct worker *worker = user;
    uint64_t x = worker->seed;
    for (int round = 0; round < worker->rounds; round++) {
        size_t sizes[12] = {0};
        void *blocks[12] = {0};
        bool counted = false;
        for (int i = 0; i < 12; i++) {
            x = x * 6364136223846793005u + 1442695040888963407u;
            sizes[i] = (size_t)(x >> 33) % (MIB / 2) + 1;
            blocks[i] = memory_alloc(worker->share, sizes[i]);
            worker->failures += blocks[i] == NULL;
            if (!counted && memory_borrowed(worker->share)) {
                counted = true;
                worker->waited++;
                worker->doubled += atomic_fetch_add(worker->holders, 1) != 0;
            }
        }
        if (counted)
            atomic_fetch_sub(worker->holders, 1);
        for (int i = 0; i < 12; i++)
            memory_free(worker->share, blocks[i], sizes[i]);
    }
    return NULL;
}

static void two_workers_share_one_reserve(void **state)
{
    (void)state;
    struct haul_error err = {0};
    struct memory *root;
    atomic_int holders = 0;
    /* shares of 2.75 MiB, a reserve of 4: one worker needs up to 6 MiB and an eighth */
    assert_int_equal(memory_open(&root, 16 * MIB, 4, &err), HAUL_OK);
    struct worker workers[2] = {0};
    pthread_t threads[2];
    int rounds = trials_begin("two workers", 2000);
    for (int i = 0; i < 2; i++) {
        workers[i] = (struct worker){.holders = &holders, .seed = trials_random(), .rounds = rounds};
        assert_int_equal(memory_share(root, &workers[i].share, &err), HAUL_OK);
    }
    for (int i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, work, &workers[i]), 0);
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(workers[i].failures, 0);
        assert_int_equal(workers[i].doubled, 0);
        assert_true(workers[i].waited > 0 || rounds < 100);
        assert_int_equal(memory_used(workers[i].share), 0);
        memory_close(workers[i].share);
    }
    memory_close(root);
}

static void *take_and_free(void *user)
{
    struct memory *share = user;
    void *block = memory_alloc(share, 6 * MIB);
    memory_free(share, block, 6 * MIB);
    return block;
}

static void *take_five(void *user)
{
    struct memory *share = user;
    void *block = memory_alloc(share, 5 * MIB);
    memory_free(share, block, 5 * MIB);
    return block;
}

static void waiting_ends_when_the_reserve_returns(void **state)
{
    (void)state;
    struct haul_error err = {0};
    struct memory *root, *a, *b;
    pthread_t thread;
    assert_int_equal(memory_open(&root, 32 * MIB, 4, &err), HAUL_OK); /* 5.5 and 8 */
    assert_int_equal(memory_share(root, &a, &err), HAUL_OK);
    assert_int_equal(memory_share(root, &b, &err), HAUL_OK);
    void *held = memory_alloc(a, 6 * MIB);
    assert_true(memory_borrowed(a));
    assert_int_equal(pthread_create(&thread, NULL, take_and_free, b), 0);
    clock_sleep_ms(30, NULL);
    assert_true(memory_borrowed(a));
    assert_int_equal(memory_used(b), 0);
    memory_free(a, held, 6 * MIB);
    void *result = NULL;
    pthread_join(thread, &result);
    assert_non_null(result);
    memory_close(a);
    memory_close(b);
    memory_close(root);
}

/* b waits for the reserve that a holds; a third hand frees a block of b's: enough. */
static void waiting_ends_when_own_blocks_return(void **state)
{
    (void)state;
    struct haul_error err = {0};
    struct memory *root, *a, *b;
    pthread_t thread;
    assert_int_equal(memory_open(&root, 32 * MIB, 4, &err), HAUL_OK); /* 5.5 and 8 */
    assert_int_equal(memory_share(root, &a, &err), HAUL_OK);
    assert_int_equal(memory_share(root, &b, &err), HAUL_OK);
    void *held = memory_alloc(a, 6 * MIB), *own = memory_alloc(b, 4 * MIB);
    void *kept = memory_alloc(b, MIB);
    memory_free(b, kept, MIB); /* gives way as well */
    assert_int_equal(pthread_create(&thread, NULL, take_five, b), 0);
    clock_sleep_ms(30, NULL);
    assert_int_equal(memory_used(b), 4 * MIB);
    memory_free(b, own, 4 * MIB);
    void *result = NULL;
    pthread_join(thread, &result);
    assert_non_null(result);
    assert_true(memory_borrowed(a));
    memory_free(a, held, 6 * MIB);
    memory_close(a);
    memory_close(b);
    memory_close(root);
}

static void buffers_grow(void **state)
{
    (void)state;
    struct haul_error err = {0};
    struct buffer buffer;
    struct memory *root;
    assert_int_equal(memory_open(&root, 8 * MIB, 1, &err), HAUL_OK);
    buffer_init(&buffer, root);
    buffer_release(&buffer);
    for (uint32_t i = 0; i < 100000; i++) {
        assert_int_equal(buffer_append(&buffer, &i, sizeof i, &err), HAUL_OK);
        assert_true(buffer.capacity - buffer.length >= BUFFER_PADDING);
        assert_int_equal((uintptr_t)buffer.data % 64, 0);
    }
    for (uint32_t i = 0; i < 100000; i++)
        assert_memory_equal(buffer.data + 4 * i, &i, sizeof i);
    assert_int_equal(memory_used(root), memory_usable(buffer.capacity));
    buffer_clear(&buffer);
    assert_int_equal(buffer_printf(&buffer, &err, "%s %d", "n", 7), HAUL_OK);
    assert_memory_equal(buffer.data, "n 7", 3);
    assert_int_equal(buffer.length, 3);
    assert_int_equal(buffer_resize(&buffer, 10, &err), HAUL_OK);
    assert_memory_equal(buffer.data, "n 7\0\0\0\0\0\0", 10);
    assert_int_equal(buffer_resize(&buffer, 1, &err), HAUL_OK);
    assert_int_equal(buffer.length, 1);
    assert_int_equal(buffer_append(&buffer, NULL, 0, &err), HAUL_OK);
    size_t before = buffer.length;
    assert_int_equal(buffer_reserve(&buffer, 9 * MIB, &err), HAUL_LIMIT);
    assert_int_equal(buffer.length, before);
    assert_int_equal(buffer.data[0], 'n');
    assert_int_not_equal(buffer_reserve(&buffer, SIZE_MAX, &err), HAUL_OK);
    buffer_release(&buffer);
    buffer_release(&buffer);
    assert_int_equal(memory_used(root), 0);
    memory_close(root);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(arena_hands_out_zeroed_places),
        cmocka_unit_test(arena_has_a_limit),
        cmocka_unit_test(usable_sizes),
        cmocka_unit_test(uncharged_blocks),
        cmocka_unit_test(budget_holds),
        cmocka_unit_test(kept_blocks_count_and_give_way),
        cmocka_unit_test(large_blocks_grow_charged_once),
        cmocka_unit_test(too_many_shares_are_refused),
        cmocka_unit_test(a_root_in_use_lends_less),
        cmocka_unit_test(blocks_outlive_their_budget),
        cmocka_unit_test(two_workers_share_one_reserve),
        cmocka_unit_test(waiting_ends_when_the_reserve_returns),
        cmocka_unit_test(waiting_ends_when_own_blocks_return),
        cmocka_unit_test(buffers_grow),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
