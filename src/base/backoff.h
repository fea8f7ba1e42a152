/*
 * backoff.h: how long to wait before something is tried again: full jitter (AWS
 * Architecture Blog, "Exponential Backoff And Jitter"), from BACKOFF_FIRST_MS,
 * doubled each time, BACKOFF_MOST_MS at most.
 */
#ifndef HAUL_BASE_BACKOFF_H
#define HAUL_BASE_BACKOFF_H

#include <stdint.h>

#define BACKOFF_FIRST_MS 200
#define BACKOFF_MOST_MS  10000

/* The wait before try `tries` + 1, from 1 ms on. `random` is the caller's state, not 0. */
int64_t backoff_ms(uint64_t *random, int tries);

#endif
