/*
 * bulk.h: a bulk load: the statement, and the rows that follow it (MS-TDS, "Bulk
 * Load BCP").
 *
 *     ms_bulk_open
 *       -> { ms_bulk_begin -> { ms_bulk_batch -> ms_bulk_row... }... -> ms_bulk_end }...
 *     ms_bulk_close
 *
 * Rows are encoded into the outgoing packet. A row with a value that its column
 * cannot take is not sent: bulk->state.misfit says why, and the caller clears it.
 */
#ifndef HAUL_DATABASE_MSSQL_BULK_H
#define HAUL_DATABASE_MSSQL_BULK_H

#include "database/mssql/dialect.h"
#include "database/mssql/encode.h"
#include "database/mssql/session.h"

/* A column that is loaded, as it is sent. */
struct bulk_column {
    struct ms_column column;
    const char *declared; /* its type in the statement: "varchar(10)" */
};

/* `served` as the server describes it. HAUL_UNSUPPORTED for what is not loaded,
 * by name. The texts live in `arena`, the name where it was. */
enum haul_code ms_bulk_column(const struct ms_column *served, struct arena *arena, struct bulk_column *out,
                              struct haul_error *err);

/* "INSERT BULK table (columns)"; hints are added by the caller. */
void ms_bulk_statement(const struct table_name *table, const struct bulk_column *columns, int count,
                       struct sql *sql);

struct bulk {
    struct session *session;
    const struct schema *schema;
    const struct bulk_column *columns;
    struct encoder *encoders;
    int count;
    struct decode_pages pages;
    struct encode_state state;
    struct buffer spill; /* rows that do not fit into the packet at hand */
    size_t room;         /* bytes a row of the batch may need */
    bool direct;         /* rows of the batch may be written into the packet */
    bool loading;        /* between begin and end */
    int64_t rows;        /* sent since begin */
};

/* The batches follow `schema`; it and `columns` outlive the bulk. */
enum haul_code ms_bulk_open(struct bulk *bulk, const struct schema *schema, const struct bulk_column *columns,
                            struct memory *memory, struct haul_error *err);
void ms_bulk_close(struct bulk *bulk); /* all-zero is fine, twice too */

enum haul_code ms_bulk_begin(struct bulk *bulk, struct session *session, const char *statement,
                             struct haul_error *err);
/* The second half: the statement was run already. */
enum haul_code ms_bulk_stream(struct bulk *bulk, struct session *session, struct haul_error *err);

enum haul_code ms_bulk_batch(struct bulk *bulk, const struct batch *batch, struct haul_error *err);
enum haul_code ms_bulk_row(struct bulk *bulk, int64_t i, struct haul_error *err);

/* Has the server found fault already? Then the load is ended, with its error. */
enum haul_code ms_bulk_listen(struct bulk *bulk, struct haul_error *err);

/* Tells the collector what the rows so far have lost, or forgets it. */
enum haul_code ms_bulk_losses(struct bulk *bulk, struct collector *collector, struct haul_error *err);
void ms_bulk_forget_losses(struct bulk *bulk);

/* *rows: what the server confirmed. */
enum haul_code ms_bulk_end(struct bulk *bulk, int64_t *rows, struct haul_error *err);

/* Ends a load so that the server forgets it; the connection is closed when it does not. */
void ms_bulk_abandon(struct bulk *bulk);

#endif
