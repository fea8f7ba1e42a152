/*
 * snapshot.c: several sessions that see one state of the table.
 *
 * MySQL has no snapshot to hand from one session to another. So the table is
 * locked for reading (LOCK TABLES t READ on the looking session), every reader's
 * session does START TRANSACTION WITH CONSISTENT SNAPSHOT, and the lock goes:
 * writers wait for that moment only. Without the privilege the snapshots may
 * differ, which is said, and noted as the run's consistency. One reader needs no
 * lock. Only InnoDB gives snapshots: of another engine rows are as they come.
 *
 * A session that is lost takes its snapshot with it, and another would see other
 * rows: the run ends, and the same command begins anew.
 */
#include "database/mysql/source.h"

#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#define BEGIN_SQL "START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY"

static enum haul_code lock(struct mysql_source *source, struct haul_error *err)
{
    struct sql sql = {.dialect = &my_dialect};
    sql_add(&sql, "LOCK TABLES ");
    sql_table(&sql, source->table.schema, source->table.name);
    sql_add(&sql, " READ");
    const char *text = sql_text(&sql, err);
    enum haul_code code = text ? my_run(&source->connection, text, err) : err->code;
    sql_release(&sql);
    return code;
}

enum haul_code my_snapshot_probe(struct mysql_source *source, struct haul_error *err)
{
    struct haul_error refused = {0};
    source->lockable = false;
    if (source->query || source->table.is_view)
        return HAUL_OK;
    if (lock(source, &refused)) {
        if (my_is_alive(&source->connection) && refused.code != HAUL_CANCELLED)
            return HAUL_OK;
        *err = refused;
        return err->code;
    }
    source->lockable = true;
    return my_run(&source->connection, "UNLOCK TABLES", err);
}

static enum haul_code fail_lost(struct mysql_source *source, struct haul_error *err)
{
    error_set(err, HAUL_CHANGED, "%s: the source's snapshot was lost with its session", source->server.name);
    err->retryable = true; /* not for this snapshot's readers: for another begin */
    return err->code;
}

enum haul_code my_slot_take(struct mysql_source *source, struct slot **out, struct haul_error *err)
{
    struct slot *slot = NULL;
    enum haul_code code = HAUL_OK;
    pthread_mutex_lock(&source->mutex);
    for (int i = 0; i < source->slot_count && !slot; i++)
        if (!source->slots[i].taken)
            slot = &source->slots[i];
    if (!slot)
        code = error_set(err, HAUL_INTERNAL, "%s: more readers than workers", source->server.name);
    else if (!my_is_alive(&slot->connection))
        code = fail_lost(source, err);
    if (!code) {
        slot->taken = true;
        *out = slot;
    }
    pthread_mutex_unlock(&source->mutex);
    return code;
}

/* Ends a result early: told to stop, what is on its way is short. */
static void stop(struct mysql_source *source, struct slot *slot)
{
    char text[64];
    struct haul_error unused = {0};
    struct connection quiet = source->connection;
    quiet.cancel = NULL;
    snprintf(text, sizeof text, "KILL QUERY %lu", mysql_thread_id(slot->connection.my));
    my_run(&quiet, text, &unused);
}

void my_slot_return(struct mysql_source *source, struct slot *slot, MYSQL_RES *running)
{
    pthread_mutex_lock(&source->mutex);
    if (running && my_is_alive(&slot->connection))
        stop(source, slot);
    mysql_free_result(running);
    slot->connection.cancel = source->context.cancel;
    slot->taken = false;
    pthread_mutex_unlock(&source->mutex);
}

void my_source_end(struct source *base)
{
    struct mysql_source *source = (struct mysql_source *)base;
    for (int i = 0; i < source->slot_count; i++)
        my_disconnect(&source->slots[i].connection);
    free(source->slots);
    source->slots = NULL;
    source->slot_count = 0;
}

static enum haul_code begin_all(struct mysql_source *source, struct haul_error *err)
{
    for (int i = 0; i < source->slot_count; i++)
        if (my_run(&source->slots[i].connection, BEGIN_SQL, err))
            return err->code;
    return HAUL_OK;
}

static enum haul_code begin_together(struct mysql_source *source, struct haul_error *err)
{
    struct haul_error refused = {0};
    bool locked = source->slot_count > 1 && source->lockable && !lock(source, &refused);
    if (source->slot_count > 1 && !locked)
        context_warn(&source->context,
                     "%s: no right to lock the table for a moment (grant LOCK TABLES), so the %d readers' "
                     "snapshots may differ; --workers 1 has one snapshot",
                     source->server.name, source->slot_count);
    enum haul_code code = begin_all(source, err);
    if (locked && my_run(&source->connection, "UNLOCK TABLES", code ? &refused : err))
        code = code ? code : err->code;
    return code;
}

enum haul_code my_source_begin(struct source *base, int workers, struct haul_error *err)
{
    struct mysql_source *source = (struct mysql_source *)base;
    my_source_end(base);
    source->slots = calloc((size_t)workers, sizeof *source->slots);
    if (!source->slots)
        return error_nomem(err, "connections");
    enum haul_code code = HAUL_OK;
    for (int i = 0; i < workers && !code; i++, source->slot_count++)
        code =
            my_connect(&source->slots[i].connection, &source->server, SESSION_SOURCE, &source->context, err);
    if (!code)
        code = begin_together(source, err);
    if (code)
        my_source_end(base);
    return code;
}
