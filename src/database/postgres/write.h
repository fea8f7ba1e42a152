/* write.h: a unit's writer, for write.c and place.c. */
#ifndef HAUL_DATABASE_POSTGRES_WRITE_H
#define HAUL_DATABASE_POSTGRES_WRITE_H

#include "database/postgres/encode.h"

/* COPY's line of a batch's first row, and that row's place in its part. */
struct mark {
    int64_t line, row;
};

struct postgres_writer {
    struct writer base;
    struct postgres_sink *sink;
    struct context context;
    struct connection *session;
    struct encoder *encoders;
    int *sized; /* the encoders whose values have no fixed width */
    int sized_count;
    size_t row_bytes; /* of the others, at most */
    struct buffer out;
    int64_t rows;  /* in, or on their way */
    int64_t bytes; /* sent */
    bool copying;
    bool careful;          /* rows may be refused one by one */
    struct buffer refused; /* careful: a bit per row of the batch */
    struct mark *marks;
    size_t mark_count, mark_room;
    uint64_t part;
};

enum haul_code pg_writer_copy_begin(struct postgres_writer *writer, struct haul_error *err);
enum haul_code pg_writer_copy_end(struct postgres_writer *writer, int64_t *rows, struct haul_error *err);

/* Encodes row `i` and sends what has piled up. *refused: it was set aside. */
enum haul_code pg_writer_row(struct postgres_writer *writer, const struct batch *batch, int64_t i,
                             bool *refused, struct haul_error *err);

/* The rows of a batch that the server takes; the others go to the collector. */
enum haul_code pg_writer_place(struct postgres_writer *writer, const struct batch *batch,
                               struct haul_error *err);

#endif
