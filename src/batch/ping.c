/* ping.c: how long the smallest statement takes: the fastest of a few, because a slow one only says that the
 * machine was busy. */
#include "batch/ping.h"
#include "base/clock.h"

enum haul_code ping_measure(ping_round_fn round, void *user, double *latency_ms, struct haul_error *err)
{
    int64_t best_ns = INT64_MAX;
    for (int i = 0; i < PING_ROUNDS; i++) {
        int64_t begun_ns = clock_now_ns();
        if (round(user, err))
            return err->code;
        int64_t took_ns = clock_now_ns() - begun_ns;
        best_ns = took_ns < best_ns ? took_ns : best_ns;
    }
    *latency_ms = (double)best_ns / 1e6;
    return HAUL_OK;
}
