/*
 * table_sink.c: a run's table is made or found again, and its units are claimed.
 *
 * A claim that stays busy because the session of a dead client still holds it is
 * freed by ending that session: who holds the run's lock may.
 */
#include "database/table_sink.h"

#include "base/settings.h"
#include "database/definition.h"
#include <stdio.h>
#include <string.h>

/* ---- life ---- */

void table_sink_close(struct sink *base)
{
    struct table_sink *sink = (struct table_sink *)base;
    for (int i = 0; i < sink->session_count; i++)
        sink->ops->disconnect(sink->sessions[i]);
    ledger_release(&sink->ledger);
    schema_release(&sink->schema);
    pthread_mutex_destroy(&sink->mutex);
    arena_release(&sink->arena);
    sink->ops->close(sink);
}

/* ---- small things ---- */

const char *table_sink_text(struct table_sink *sink, const char *text, struct haul_error *err)
{
    const char *kept = arena_text(&sink->arena, text);
    if (!kept)
        error_nomem(err, "a table's name");
    return kept;
}

enum haul_code table_sink_run_on(struct table_sink *sink, const char *before, const char *name,
                                 const char *after, struct haul_error *err)
{
    struct sql sql = {.dialect = sink->engine->dialect};
    sql_add(&sql, "%s ", before);
    sql_table(&sql, sink->schema_name, name);
    sql_add(&sql, " %s", after);
    return engine_run(sink->engine, sink->connection, &sql, NULL, err);
}

void table_sink_mark(const struct table_sink *sink, char mark[RUN_MARK_BYTES])
{
    snprintf(mark, RUN_MARK_BYTES, "haul run %s", sink->run);
}

static enum haul_code name_work(struct table_sink *sink, struct haul_error *err)
{
    sink->work = sink->staged ? staging_name(sink->engine->dialect, sink->target, sink->run, &sink->arena)
                              : sink->target;
    return sink->work ? HAUL_OK : error_nomem(err, "a table's name");
}

/* ---- recall ---- */

static enum haul_code sink_recall(struct sink *base, const char *name, struct run_record *record, bool *found,
                                  struct haul_error *err)
{
    struct table_sink *sink = (struct table_sink *)base;
    *found = false;
    snprintf(sink->run, sizeof sink->run, "%s", name);
    if (sink->ops->control(sink, false, err) || (!sink->locked && sink->ops->lock(sink, name, err)))
        return err->code;
    if (!sink->connection)
        return HAUL_OK;
    if (ledger_recall(&sink->ledger, sink->connection, name, record, found, err))
        return err->code;
    sink->unsettled = record->unsettled;
    sink->unsettled_unit = record->unsettled_unit;
    if (!*found || !record->finished || !sink->ops->tidy)
        return HAUL_OK;
    return name_work(sink, err) ? err->code : sink->ops->tidy(sink, err);
}

/* ---- prepare ---- */

static enum haul_code fail_changed(struct table_sink *sink, const char *id, struct haul_error *err)
{
    return error_set(err, HAUL_CHANGED,
                     "%s: table \"%s\" of the unfinished run %s was dropped%s; --restart begins anew",
                     sink->place, sink->work, sink->run, *id ? " and made again" : "");
}

static enum haul_code make_work(struct table_sink *sink, struct haul_error *err)
{
    if (!sink->made)
        return HAUL_OK;
    if (sink->ops->make(sink, err))
        return error_prefix(err, "making table \"%s\"", sink->work);
    return HAUL_OK;
}

/* The run's table is not the one the ledger knows. Where DDL commits it may be
 * that the run died before its table was made and marked (then nothing is in it),
 * or in its finish behind the swap. */
static enum haul_code continue_without(struct table_sink *sink, const struct ledger_run *known,
                                       const struct run_record *run, const char *id, struct haul_error *err)
{
    const char *target = "";
    if (!sink->engine->ddl_commits || !sink->made || (*id && !sink->staged))
        return fail_changed(sink, id, err);
    if (sink->staged && sink->ops->work_id(sink, sink->target, &target, err))
        return err->code;
    if (!*id && sink->staged && strcmp(target, known->work_id) == 0)
        return table_sink_check_rows(sink, sink->target, err);
    if (run->receipt_count)
        return fail_changed(sink, id, err);
    if (*id && table_sink_run_on(sink, "DROP TABLE", sink->work, "", err))
        return err->code;
    return make_work(sink, err);
}

/* A claim is committed with its unit or not at all; one without a receipt was
 * committed by other means, and rows of its unit may have been as well. Where all
 * rows of the table are the run's, counting them shows that none were. */
static enum haul_code drop_claims(struct table_sink *sink, struct haul_error *err)
{
    const struct unit *unit = &sink->unsettled_unit;
    bool all_ours = sink->made || sink->mode == SINK_CREATE;
    int64_t dropped = 0;
    if (all_ours && (table_sink_check_rows(sink, sink->work, err) ||
                     ledger_drop_claims(&sink->ledger, sink->connection, sink->run, &dropped, err)))
        return err->code;
    if ((size_t)dropped == sink->unsettled) {
        context_warn(&sink->context,
                     "%s: %zu units were claimed and not done (part %llu, row %lld); no row of them is in: "
                     "they are done now",
                     sink->place, sink->unsettled, (unsigned long long)unit->part,
                     (long long)unit->first_row);
        return HAUL_OK;
    }
    sink->in_doubt = true;
    return error_set(err, HAUL_INTEGRITY,
                     "%s: the ledger's row of part %llu, row %lld holds no receipt, so whether rows of that "
                     "unit are in %s is not known; make sure that none are, delete the row from %s, and run "
                     "the same command again",
                     sink->place, (unsigned long long)unit->part, (long long)unit->first_row, sink->title,
                     sink->ledger.units);
}

/* Goes on with what the run left. */
static enum haul_code continue_run(struct table_sink *sink, const struct ledger_run *known,
                                   const struct run_record *run, struct haul_error *err)
{
    const char *id;
    if (strcmp(known->fingerprint, run->fingerprint ? run->fingerprint : "") != 0 ||
        strcmp(known->work, sink->work) != 0 || strcmp(known->target, sink->ledger_name) != 0)
        return error_set(err, HAUL_CHANGED,
                         "%s: an unfinished run %s is about something else; --restart discards it",
                         sink->place, sink->run);
    sink->made = known->made;
    if (sink->ops->work_id(sink, sink->work, &id, err))
        return err->code;
    if (strcmp(id, known->work_id) != 0)
        return continue_without(sink, known, run, id, err);
    if (sink->unsettled)
        return drop_claims(sink, err);
    return sink->made ? table_sink_check_rows(sink, sink->work, err) : HAUL_OK;
}

/* Nobody else may be at work on a table that is to be ours alone. */
static enum haul_code check_owner(struct table_sink *sink, struct haul_error *err)
{
    struct ledger_run owner = {0};
    const struct ledger_search search = {.target = sink->ledger_name, .arena = &sink->arena};
    bool owned;
    if (ledger_find(&sink->ledger, sink->connection, &search, &owner, &owned, err))
        return err->code;
    bool alone = sink->mode == SINK_CREATE || (owned && owner.made && !sink->staged);
    if (!owned || strcmp(owner.name, sink->run) == 0 || !alone)
        return HAUL_OK;
    return error_set(err, HAUL_EXISTS,
                     "%s: table %s belongs to the unfinished run %s; run that again to the end, or discard "
                     "it with --restart --run %s",
                     sink->place, sink->title, owner.name, owner.name);
}

/* The table, then the run's row, in the transaction that is open. */
static enum haul_code begin_together(struct table_sink *sink, struct ledger_run *entry, const char *plan,
                                     struct haul_error *err)
{
    if (make_work(sink, err) || sink->ops->work_id(sink, sink->work, &entry->work_id, err))
        return err->code;
    return ledger_begin(&sink->ledger, sink->connection, entry, plan, err);
}

/* The run's row first, then the table, which commits on its own. */
static enum haul_code begin_apart(struct table_sink *sink, struct ledger_run *entry, const char *plan,
                                  struct haul_error *err)
{
    const struct engine *engine = sink->engine;
    char mark[RUN_MARK_BYTES];
    table_sink_mark(sink, mark);
    entry->work_id = mark;
    if ((!sink->made && sink->ops->work_id(sink, sink->work, &entry->work_id, err)) ||
        engine->run(sink->connection, engine->begin, NULL, err) ||
        ledger_begin(&sink->ledger, sink->connection, entry, plan, err) ||
        engine->run(sink->connection, "COMMIT", NULL, err))
        return err->code;
    if (!make_work(sink, err))
        return HAUL_OK;
    struct haul_error unused = {0};
    ledger_forget(&sink->ledger, sink->connection, sink->run, &unused);
    return err->code;
}

static enum haul_code begin_run(struct table_sink *sink, const struct run_record *run, struct haul_error *err)
{
    struct ledger_run entry = {.name = sink->run,
                               .target = sink->ledger_name,
                               .work = sink->work,
                               .mode = sink_mode_name(sink->mode),
                               .fingerprint = run->fingerprint ? run->fingerprint : ""};
    entry.made = sink->made = sink->definition || sink->staged;
    if (check_owner(sink, err) ||
        (sink->staged && table_sink_run_on(sink, "DROP TABLE IF EXISTS", sink->work, "", err)))
        return err->code;
    return sink->engine->ddl_commits ? begin_apart(sink, &entry, run->plan, err)
                                     : begin_together(sink, &entry, run->plan, err);
}

static enum haul_code prepare_run(struct table_sink *sink, const struct run_record *run,
                                  struct haul_error *err)
{
    struct ledger_run known = {0};
    const struct ledger_search search = {.name = sink->run, .arena = &sink->arena};
    bool found = false;
    if (ledger_create(&sink->ledger, sink->connection, err) ||
        ledger_find(&sink->ledger, sink->connection, &search, &known, &found, err))
        return err->code;
    return found && !known.finished ? continue_run(sink, &known, run, err) : begin_run(sink, run, err);
}

static enum haul_code prepare(struct table_sink *sink, const struct run_record *run, struct haul_error *err)
{
    const struct engine *engine = sink->engine;
    if (sink->ops->control(sink, true, err))
        return err->code;
    engine->watch(sink->connection, sink->context.cancel);
    if ((sink->ops->ready && sink->ops->ready(sink, err)) ||
        (!engine->ddl_commits && engine->run(sink->connection, engine->begin_prepare, NULL, err)))
        return err->code;
    enum haul_code code = prepare_run(sink, run, err);
    if (!code && !engine->ddl_commits)
        code = engine->run(sink->connection, "COMMIT", NULL, err);
    if (code)
        engine->rollback(sink->connection);
    return code;
}

static enum haul_code sink_prepare(struct sink *base, const struct context *context,
                                   const struct run_record *run, struct haul_error *err)
{
    struct table_sink *sink = (struct table_sink *)base;
    sink->context = *context;
    snprintf(sink->run, sizeof sink->run, "%s", run->name);
    return name_work(sink, err) ? err->code : prepare(sink, run, err);
}

/* ---- sessions ---- */

/* An idle one; NULL: none. */
static void *take_idle(struct table_sink *sink)
{
    void *session = NULL;
    pthread_mutex_lock(&sink->mutex);
    for (int i = 0; i < sink->session_count && !session; i++)
        if (!sink->taken[i]) {
            sink->taken[i] = true;
            session = sink->sessions[i];
        }
    pthread_mutex_unlock(&sink->mutex);
    return session;
}

/* Keeps a session in mind (`taken`), or forgets one that is closed. False: there is no room. */
static bool keep(struct table_sink *sink, void *session)
{
    pthread_mutex_lock(&sink->mutex);
    bool room = sink->session_count < SESSIONS_MAX;
    if (room) {
        sink->taken[sink->session_count] = true;
        sink->sessions[sink->session_count++] = session;
    }
    pthread_mutex_unlock(&sink->mutex);
    return room;
}

static void give_back(struct table_sink *sink, void *session, bool stays)
{
    pthread_mutex_lock(&sink->mutex);
    int place = 0;
    while (place < sink->session_count && sink->sessions[place] != session)
        place++;
    if (place < sink->session_count && stays) {
        sink->taken[place] = false;
    } else if (place < sink->session_count) {
        sink->sessions[place] = sink->sessions[--sink->session_count];
        sink->taken[place] = sink->taken[sink->session_count];
    }
    pthread_mutex_unlock(&sink->mutex);
    if (!stays)
        sink->ops->disconnect(session);
}

static enum haul_code take_session(struct table_sink *sink, const struct context *context, void **session,
                                   struct haul_error *err)
{
    *session = sink->connection;
    if (!sink->ops->connect)
        return HAUL_OK;
    while ((*session = take_idle(sink))) {
        sink->engine->watch(*session, context->cancel);
        if (sink->engine->is_alive(*session))
            return HAUL_OK;
        give_back(sink, *session, false);
    }
    if (sink->ops->connect(sink, context, session, err))
        return err->code;
    if (keep(sink, *session))
        return HAUL_OK;
    sink->ops->disconnect(*session);
    return error_set(err, HAUL_LIMIT, "%s: more than %d sessions; use fewer --workers", sink->place,
                     SESSIONS_MAX);
}

void table_sink_return(struct table_sink *sink, void *session)
{
    sink->engine->rollback(session);
    if (!sink->ops->connect)
        return;
    sink->engine->watch(session, NULL);
    give_back(sink, session, sink->engine->is_alive(session));
}

/* ---- units ---- */

static enum haul_code claim_unit(struct table_sink *sink, void *session, const struct unit *unit,
                                 enum unit_state *state, struct haul_error *err)
{
    if (!sink->engine->run(session, sink->engine->begin, NULL, err))
        return ledger_claim(&sink->ledger, session, sink->run, unit, state, err);
    *state = sink->engine->claim_failed(err);
    if (*state != UNIT_BUSY)
        return err->code;
    *err = (struct haul_error){0};
    return HAUL_OK;
}

static enum haul_code read_receipt(struct table_sink *sink, void *session, const struct unit *unit,
                                   struct receipt *receipt, struct haul_error *err)
{
    sink->engine->rollback(session);
    receipt->unit = *unit;
    pthread_mutex_lock(&sink->mutex); /* the arena */
    enum haul_code code = ledger_receipt(&sink->ledger, session, sink->run, &sink->arena, receipt, err);
    sink->in_doubt |= code == HAUL_INTEGRITY;
    pthread_mutex_unlock(&sink->mutex);
    return code;
}

static enum haul_code sink_open(struct sink *base, const struct context *context, const struct unit *unit,
                                struct claim *claim, struct haul_error *err)
{
    struct table_sink *sink = (struct table_sink *)base;
    void *session;
    if (take_session(sink, context, &session, err))
        return err->code;
    enum haul_code code = claim_unit(sink, session, unit, &claim->state, err);
    if (!code && claim->state == UNIT_MINE) {
        code = sink->ops->open(sink, context, session, &claim->writer, err);
        if (!code)
            return HAUL_OK;
    } else if (!code && claim->state == UNIT_DONE) {
        code = read_receipt(sink, session, unit, &claim->receipt, err);
    } else if (!code && sink->ops->evict) {
        sink->engine->rollback(session);
        sink->ops->evict(sink, session, unit);
    }
    table_sink_return(sink, session);
    return code;
}

enum haul_code table_sink_settle(struct table_sink *sink, void *session, int64_t rows,
                                 const struct receipt *receipt, struct haul_error *err)
{
    if (receipt->rows != rows)
        return error_set(err, HAUL_INTEGRITY,
                         "%s: table \"%s\" took %lld rows of the unit, but %lld were sent", sink->place,
                         sink->work, (long long)rows, (long long)receipt->rows);
    return ledger_settle(&sink->ledger, session, sink->run, receipt, err);
}

void table_sink_commit_lost(const struct table_sink *sink, int64_t rows, struct haul_error *err)
{
    if (sink->ledger.units)
        return; /* the next claim settles it */
    error_prefix(
        err, "the answer to a COMMIT was lost and there is no ledger: whether %lld rows are in is not known",
        (long long)rows);
    err->retryable = false;
}

/* ---- the interface ---- */

#define SHARED_OPS                                                                                           \
    .name = "table", .negotiate = table_sink_negotiate, .makes = table_sink_makes, .recall = sink_recall,    \
    .prepare = sink_prepare, .open = sink_open, .finish = table_sink_finish, .remove = table_sink_remove,    \
    .drop = table_sink_drop, .close = table_sink_close

static const struct sink_ops plain_ops = {SHARED_OPS};
static const struct sink_ops staging_ops = {SHARED_OPS, .make_like = table_sink_make_like};

void table_sink_init(struct table_sink *sink, const struct table_sink_ops *own, const struct engine *engine,
                     const struct context *context)
{
    const char *uuid = context->settings ? settings_text(context->settings, "uuid") : NULL;
    sink->base.ops = own->like ? &staging_ops : &plain_ops;
    sink->ops = own;
    sink->engine = engine;
    sink->context = *context;
    sink->uuid_text = uuid && strcmp(uuid, "text") == 0;
    pthread_mutex_init(&sink->mutex, NULL);
}
