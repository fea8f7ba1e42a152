/*
 * failing.h: the n-th call of the machine fails, alone or with all that follow.
 *
 * A test that links failing.c by failing_dep (meson.build) has its allocations
 * counted. It may wrap more calls of its own and ask failing_now() in them.
 */
#ifndef TESTS_UNIT_SUPPORT_FAILING_H
#define TESTS_UNIT_SUPPORT_FAILING_H

#include <stdbool.h>

/* From here on the call behind `after` others fails; `on`: all behind it as well. */
void failing_begin(long after, bool on);

/* Calls no longer fail. Did one? */
bool failing_end(void);
bool failing_failed(void); /* the same, later */

/* Is it this call that fails? Then errno is `errnum`. */
bool failing_now(int errnum);

#endif
