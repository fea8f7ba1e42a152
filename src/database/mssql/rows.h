/*
 * rows.h: the rows of an answer as batches, whoever asked: the reader of a table
 * or the catalog.
 *
 *     ms_rows_open (session->columns are known) -> ms_rows_fill ... -> ms_rows_release
 */
#ifndef HAUL_DATABASE_MSSQL_ROWS_H
#define HAUL_DATABASE_MSSQL_ROWS_H

#include "base/context.h"
#include "batch/batch.h"
#include "database/mssql/decode.h"
#include "database/mssql/session.h"
#include "database/mssql/types.h"

struct ms_rows {
    struct session *session;
    const struct context *context;
    const struct schema *schema;
    struct batch_builder builder;
    struct decoder *decoders;
    struct decode_pages pages;
    struct decode_state state;
    struct buffer scratch, drops;
    uint8_t *straddle;
    int64_t dropped;
    uint64_t part;
    int64_t row; /* place in the part of the next batch's first row */
    bool ended;
};

/* All three outlive the rows. The schema is that of session->columns. */
enum haul_code ms_rows_open(struct ms_rows *rows, struct session *session, const struct schema *schema,
                            const struct context *context, struct haul_error *err);
void ms_rows_release(struct ms_rows *rows);

/* At most rows_max rows; rows->ended when the answer is over, *batch is empty
 * (release NULL) when there were none. */
enum haul_code ms_rows_fill(struct ms_rows *rows, int64_t rows_max, struct batch *batch,
                            struct haul_error *err);

/* The schema of columns; a column may have no name (""). */
enum haul_code ms_columns_schema(const struct ms_columns *columns, enum ms_moments moments,
                                 struct schema *schema, struct haul_error *err);

#endif
