/* write.h: a unit's writer, for write.c and place.c. */
#ifndef HAUL_DATABASE_MSSQL_WRITE_H
#define HAUL_DATABASE_MSSQL_WRITE_H

#include "database/mssql/sink.h"

struct mssql_writer {
    struct writer base;
    struct mssql_sink *sink;
    struct context context;
    struct session *session;
    struct bulk bulk;
    int64_t rows;          /* in, or on their way */
    uint64_t bytes;        /* sent */
    bool careful;          /* rows may be refused one by one */
    struct buffer refused; /* careful: a bit per row of the batch */
    struct buffer text;
};

/* Encodes and sends row `i`. *refused: it was set aside. */
enum haul_code ms_writer_row(struct mssql_writer *writer, const struct batch *batch, int64_t i, bool *refused,
                             struct haul_error *err);

/* The rows of a batch that the server takes; the others go to the collector. */
enum haul_code ms_writer_place(struct mssql_writer *writer, const struct batch *batch,
                               struct haul_error *err);

/* Is it a row that was refused, and not the session or the statement? */
bool ms_is_row_error(const struct haul_error *err);

#endif
