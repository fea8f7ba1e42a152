/* clock.h: the clock door. Durations by the monotonic clock, names of moments
 * by the wall clock; nothing is decided by the wall clock. */
#ifndef HAUL_BASE_CLOCK_H
#define HAUL_BASE_CLOCK_H

#include <stdint.h>

struct cancel;

int64_t clock_now_ns(void);  /* monotonic */
int64_t clock_wall_us(void); /* microseconds since 1970-01-01 UTC */

/* Sleeps; returns early when cancelled. */
void clock_sleep_ms(int64_t wait_ms, const struct cancel *cancel);

#endif
