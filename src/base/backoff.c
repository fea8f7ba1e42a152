/* backoff.c: a wait of random length below a limit that doubles. */
#include "base/backoff.h"

/* Marsaglia's xorshift64: only the length of a wait hangs on it. */
static uint64_t random_next(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

int64_t backoff_ms(uint64_t *random, int tries)
{
    int64_t most_ms = BACKOFF_FIRST_MS;
    for (int i = 1; i < tries && most_ms < BACKOFF_MOST_MS; i++)
        most_ms *= 2;
    most_ms = most_ms < BACKOFF_MOST_MS ? most_ms : BACKOFF_MOST_MS;
    return (int64_t)(random_next(random) % (uint64_t)most_ms) + 1;
}
