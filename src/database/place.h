/*
 * place.h: the rows of a batch that the server takes; the others are set aside.
 *
 * For databases that load many rows at once and refuse all of them for one. A writer
 * begins its struct with a struct place, and says how a load begins, gets rows, ends.
 */
#ifndef HAUL_DATABASE_PLACE_H
#define HAUL_DATABASE_PLACE_H

#include "database/table_sink.h"

struct place_ops;
struct place {
    const struct place_ops *ops;
    const struct table_sink *sink;
    void *session;
    struct collector *collector;
    struct buffer refused; /* a bit per row of the batch */
    int64_t rows;          /* in, or on their way */
};

struct place_ops {
    /* One load, inside the unit's transaction. */
    enum haul_code (*begin)(struct place *place, const struct batch *batch, struct haul_error *err);
    /* *refused: the writer found it unfit itself and told the collector. */
    enum haul_code (*row)(struct place *place, const struct batch *batch, int64_t i, bool *refused,
                          struct haul_error *err);
    /* *taken: rows the server says are in. */
    enum haul_code (*end)(struct place *place, int64_t *taken, struct haul_error *err);

    /* A load is in to stay; one is taken back, and nothing of it has happened. NULL: no matter. */
    enum haul_code (*keep)(struct place *place, struct haul_error *err);
    void (*forget)(struct place *place);

    /* Did the server refuse a row, and not the session or the statement? */
    bool (*is_row_error)(const struct haul_error *err);
    /* The row of the load that the server's message names, from 1; 0 none. NULL: it never does. */
    int64_t (*line)(struct place *place, const struct haul_error *why);
    /* Did a refusal take the transaction with it? NULL: it never does. */
    bool (*lost)(const struct place *place);
    /* The message without the server's name. */
    const char *(*said)(const struct place *place, const struct haul_error *why);
};

enum haul_code place_batch(struct place *place, const struct batch *batch, struct haul_error *err);

/* HAUL_INTEGRITY: the server says that fewer (or more) rows are in than were sent. */
enum haul_code place_check_rows(const struct place *place, int64_t taken, int64_t sent,
                                struct haul_error *err);

#endif
