/*
 * snapshot.c: several sessions that see one state of the database.
 *
 * The holder begins a REPEATABLE READ transaction and exports its snapshot;
 * every reader's session imports it (SET TRANSACTION SNAPSHOT) as the first
 * thing in its own. A session that is lost imports it again, as long as the
 * holder lives. When the holder is gone the snapshot is, and the run with it:
 * other sessions would see other rows.
 */
#include "database/postgres/source.h"

#include <stdio.h>
#include <stdlib.h>

#define BEGIN_SQL "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"

enum haul_code pg_snapshot_take(struct postgres_source *source, struct haul_error *err)
{
    PGresult *result = NULL;
    if (source->snapshot[0])
        return HAUL_OK;
    if (pg_run(&source->connection, BEGIN_SQL, err) ||
        pg_ask(&source->connection, "SELECT pg_catalog.pg_export_snapshot()", NULL, &result, err))
        return err->code;
    snprintf(source->snapshot, sizeof source->snapshot, "%s", pg_text(result, 0, 0));
    PQclear(result);
    return HAUL_OK;
}

/* Trying again is of no use to this snapshot's readers, but to another begin. */
static enum haul_code fail_lost(struct haul_error *err)
{
    char said[256];
    snprintf(said, sizeof said, "%.255s", err->message);
    error_set(err, HAUL_CHANGED, "the source's snapshot was lost with its session (%s)", said);
    err->retryable = true;
    return err->code;
}

static enum haul_code import(struct postgres_source *source, struct connection *connection,
                             struct haul_error *err)
{
    struct sql sql = {.dialect = &pg_dialect};
    sql_add(&sql, BEGIN_SQL "; SET TRANSACTION SNAPSHOT");
    sql_literal(&sql, source->snapshot);
    const char *text = sql_text(&sql, err);
    enum haul_code code = text ? pg_run(connection, text, err) : err->code;
    sql_release(&sql);
    return code;
}

/* A scan of the whole table goes from its begin to its end, so that a reader who was lost finds the
 * rows in the same order again. */
static enum haul_code order_scan(const struct postgres_source *source, struct connection *connection,
                                 struct haul_error *err)
{
    return source->sliced ? pg_run(connection, "SET LOCAL max_parallel_workers_per_gather = 0", err)
                          : HAUL_OK;
}

/* Opens the slot's session. The mutex is held: the holder is asked whether it lives. */
static enum haul_code open_slot(struct postgres_source *source, struct slot *slot, struct haul_error *err)
{
    slot->named = false;
    if (pg_connect(&slot->connection, &source->server, SESSION_SOURCE, &source->context, err))
        return err->code;
    if (!import(source, &slot->connection, err) && !order_scan(source, &slot->connection, err))
        return HAUL_OK;
    pg_disconnect(&slot->connection);
    struct haul_error lost = {0};
    if (err->code != HAUL_CANCELLED && pg_run(&source->connection, "SELECT 1", &lost)) {
        *err = lost;
        return fail_lost(err);
    }
    return err->code;
}

/* The run's name was not known yet when the session was opened. */
static enum haul_code name_slot(struct slot *slot, const struct context *context, struct haul_error *err)
{
    char name[96];
    slot->connection.cancel = context->cancel;
    if (slot->named)
        return HAUL_OK;
    snprintf(name, sizeof name, "source %s", context->run);
    slot->named = true;
    return pg_session_name(&slot->connection, name, err);
}

enum haul_code pg_slot_take(struct postgres_source *source, const struct context *context, struct slot **out,
                            struct haul_error *err)
{
    struct slot *slot = NULL;
    enum haul_code code = HAUL_OK;
    pthread_mutex_lock(&source->mutex);
    for (int i = 0; i < source->slot_count && !slot; i++)
        if (!source->slots[i].taken)
            slot = &source->slots[i];
    if (!slot)
        code = error_set(err, HAUL_INTERNAL, "%s: more readers than workers", source->server.name);
    else if (!pg_is_alive(&slot->connection))
        code = open_slot(source, slot, err);
    if (!code) {
        slot->taken = true;
        *out = slot;
    }
    pthread_mutex_unlock(&source->mutex);
    return code ? code : name_slot(slot, context, err);
}

/* A session in the middle of a COPY, or whose transaction failed, is of no more use. */
void pg_slot_return(struct postgres_source *source, struct slot *slot)
{
    pthread_mutex_lock(&source->mutex);
    if (slot->connection.pg && PQtransactionStatus(slot->connection.pg) != PQTRANS_INTRANS)
        pg_disconnect(&slot->connection);
    slot->named = slot->named && slot->connection.pg;
    slot->taken = false;
    pthread_mutex_unlock(&source->mutex);
}

void pg_source_end(struct source *base)
{
    struct postgres_source *source = (struct postgres_source *)base;
    for (int i = 0; i < source->slot_count; i++)
        pg_disconnect(&source->slots[i].connection);
    free(source->slots);
    source->slots = NULL;
    source->slot_count = 0;
}

enum haul_code pg_source_begin(struct source *base, int workers, struct haul_error *err)
{
    struct postgres_source *source = (struct postgres_source *)base;
    pg_source_end(base);
    source->slots = calloc((size_t)workers, sizeof *source->slots);
    if (!source->slots)
        return error_nomem(err, "connections");
    source->slot_count = workers;
    for (int i = 0; i < workers; i++)
        if (open_slot(source, &source->slots[i], err)) {
            pg_source_end(base);
            return err->code;
        }
    return HAUL_OK;
}
