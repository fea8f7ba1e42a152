/*
 * context.h: what everything that opens something is handed.
 *
 * One run has one context; each worker has a copy with its own share of the
 * memory and its own collector. A context owns nothing it points to.
 */
#ifndef HAUL_BASE_CONTEXT_H
#define HAUL_BASE_CONTEXT_H

#include "base/collector.h"
#include "base/memory.h"
#include <stdatomic.h>

/* The signal that every wait polls, at least every 50 ms. */
struct cancel {
    atomic_int asked; /* 0 no, 1 by the user, 2 because another worker failed */
};

typedef void (*note_fn)(void *user, bool warning, const char *message);

struct cpu_features {
    bool avx2;
    bool pclmul;
    bool bmi2;
};

struct settings;
struct login;

struct context {
    struct memory *memory;
    struct cancel *cancel;
    struct collector *collector; /* rejects and losses of the unit at hand */
    const struct settings *settings;
    struct login *login;     /* databases: of the side that is opened, the lobby's; NULL: nothing was said */
    struct cpu_features cpu; /* found once at start */
    note_fn note;            /* may be NULL; any thread may call */
    void *note_user;
    char run[64]; /* the run's name, "" before it is known */
};

/* Fills cpu; all else zero. */
void context_init(struct context *context);

/* HAUL_CANCELLED with a message when cancelled, HAUL_OK otherwise. Cheap: once
 * per batch, page or wait, never per value. */
enum haul_code context_check(const struct context *context, struct haul_error *err);

/* Tells the user something, one line. */
void context_note(const struct context *context, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void context_warn(const struct context *context, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
