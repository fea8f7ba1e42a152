/*
 * clock.c: the clock door. Durations come from the monotonic clock, which no
 * administrator moves; the wall clock only names moments in logs and manifests.
 * A sleep wakes every 50 ms to look whether it was cancelled.
 */
#include "base/clock.h"
#include "base/context.h"
#include <time.h>

#define POLL_MS 50

int64_t clock_now_ns(void)
{
    struct timespec now = {0};
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

int64_t clock_wall_us(void)
{
    struct timespec now = {0};
    (void)clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

void clock_sleep_ms(int64_t wait_ms, const struct cancel *cancel)
{
    int64_t start_ns = clock_now_ns();
    for (;;) {
        if (cancel && atomic_load_explicit(&cancel->asked, memory_order_relaxed))
            return;
        int64_t left_ns = wait_ms * 1000000 - (clock_now_ns() - start_ns);
        if (left_ns <= 0)
            return;
        if (left_ns > POLL_MS * 1000000)
            left_ns = POLL_MS * 1000000;
        struct timespec pause = {0, (long)left_ns};
        (void)nanosleep(&pause, NULL);
    }
}
