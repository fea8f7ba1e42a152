/*
 * trials.h: random trials. Their count comes from HAUL_TRIALS, the seed from
 * HAUL_SEED or the clock; it is printed, so that a failure can be had again.
 */
#ifndef HAUL_TESTS_TRIALS_H
#define HAUL_TESTS_TRIALS_H

#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static uint64_t trials_state;

static inline int trials_begin(const char *name, int preset)
{
    const char *count = getenv("HAUL_TRIALS"), *seed = getenv("HAUL_SEED");
    trials_state = seed ? strtoull(seed, NULL, 0) : (uint64_t)time(NULL);
    printf("# %s: HAUL_SEED=%" PRIu64 "\n", name, trials_state);
    return count ? atoi(count) : preset;
}

static inline uint64_t trials_random(void) /* splitmix64 */
{
    uint64_t z = trials_state += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

#endif
