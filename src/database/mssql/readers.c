/*
 * readers.c: the sessions readers read in, and what makes them see one state.
 *
 * A reader's session goes back to the idle ones and serves the next part: a
 * login costs more than a small part. Without --consistent each part is a
 * statement of its own, and sees what is committed while it runs.
 *
 * With --consistent one reader reads in one transaction with SNAPSHOT isolation,
 * in the session that looks things up; it is lost with that session. When
 * several workers are wanted, and the login may, a database snapshot is made,
 * and dropped at the end; its name says whose it is, because a process that is
 * killed leaves it behind.
 */
#include "database/mssql/source.h"

#include "base/clock.h"
#include <stdio.h>
#include <stdlib.h>

#define SNAPSHOT_MARK "_haul_"

/* ---- sessions ---- */

static enum haul_code open_session(struct mssql_source *source, const struct context *context,
                                   struct session **out, struct haul_error *err)
{
    struct sql sql = {.dialect = &ms_dialect};
    struct session *session = calloc(1, sizeof *session);
    if (!session)
        return error_nomem(err, "a session");
    enum haul_code code = ms_connect(session, &source->server, context, err);
    if (!code && source->snapshot_made) {
        sql_add(&sql, "USE ");
        sql_name(&sql, source->snapshot);
        const char *text = sql_text(&sql, err);
        code = text ? ms_run(session, text, err) : err->code;
        sql_release(&sql);
    }
    if (code) {
        ms_disconnect(session);
        free(session);
        return code;
    }
    *out = session;
    return HAUL_OK;
}

static enum haul_code take_own(struct mssql_source *source, struct session **session, struct haul_error *err)
{
    if (source->session_taken)
        return error_set(err, HAUL_INTERNAL, "%s: more readers than workers", source->server.name);
    if (source->consistent == CONSISTENT_SESSION &&
        !(ms_is_alive(&source->session) && source->transaction_begun && !source->session.transaction_lost))
        return error_set(err, HAUL_CHANGED,
                         "%s: the source's snapshot was lost with its session; run the same command again",
                         source->server.name);
    source->session_taken = true;
    *session = &source->session;
    return HAUL_OK;
}

enum haul_code ms_session_take(struct mssql_source *source, const struct context *context,
                               struct session **session, struct haul_error *err)
{
    enum haul_code code = HAUL_OK;
    *session = NULL;
    pthread_mutex_lock(&source->mutex);
    if (source->running || source->consistent == CONSISTENT_SESSION)
        code = take_own(source, session, err);
    else if (source->idle_count)
        *session = source->idle[--source->idle_count];
    pthread_mutex_unlock(&source->mutex);
    if (code)
        return code;
    if (!*session)
        return open_session(source, context, session, err);
    (*session)->context = *context;
    (*session)->wire.sock.cancel = context->cancel;
    return HAUL_OK;
}

void ms_session_return(struct mssql_source *source, struct session *session)
{
    if (session->answering) /* stopped early: the next part is another session's */
        ms_abandon(session);
    pthread_mutex_lock(&source->mutex);
    bool keep = session == &source->session;
    if (keep) {
        source->session_taken = source->running = false;
        session->context = source->context;
    } else if (ms_is_alive(session) && source->idle_count < MS_IDLE_MAX) {
        source->idle[source->idle_count++] = session;
        keep = true;
    }
    pthread_mutex_unlock(&source->mutex);
    if (keep)
        return;
    ms_disconnect(session);
    free(session);
}

void ms_sessions_release(struct mssql_source *source)
{
    for (int i = 0; i < source->idle_count; i++) {
        ms_disconnect(source->idle[i]);
        free(source->idle[i]);
    }
    source->idle_count = 0;
}

/* ---- consistency ---- */

/* The one cell of an answer; "" when the server does not say. */
static enum haul_code ask_word(struct mssql_source *source, const char *words, char *out, size_t size,
                               struct haul_error *err)
{
    struct sql sql = {.dialect = &ms_dialect};
    struct ms_answer answer;
    sql_add(&sql, "%s", words);
    if (ms_ask_softly(&source->session, &sql, &answer, err))
        return err->code;
    snprintf(out, size, "%s", ms_answer_text(&answer, 0, 0));
    ms_answer_release(&answer);
    return HAUL_OK;
}

/* May the login make a database snapshot? Azure SQL Database has none, and a server that tells no files
 * could not be told where they go. */
static enum haul_code may_make(struct mssql_source *source, bool *may, struct haul_error *err)
{
    char right[16], edition[16], files[16];
    if (ask_word(source, "SELECT HAS_PERMS_BY_NAME(NULL, NULL, 'CREATE ANY DATABASE') AS a", right,
                 sizeof right, err) ||
        ask_word(source, "SELECT CAST(SERVERPROPERTY('EngineEdition') AS int) AS a", edition, sizeof edition,
                 err) ||
        ask_word(source, "SELECT COUNT(*) AS a FROM sys.database_files WHERE type = 0", files, sizeof files,
                 err))
        return err->code;
    *may = strcmp(right, "1") == 0 && (!*edition || atoi(edition) <= 4) && atoi(files) > 0;
    return HAUL_OK;
}

enum haul_code ms_consistent_choose(struct mssql_source *source, struct haul_error *err)
{
    char state[16];
    bool may = false, several = source->workers_wish != 1 && source->split != SPLIT_NONE;
    source->consistent = CONSISTENT_NO;
    if (!source->consistent_wish)
        return HAUL_OK;
    if (several && may_make(source, &may, err))
        return err->code;
    if (may && !source->table.name.database) {
        source->consistent = CONSISTENT_DATABASE;
        return HAUL_OK;
    }
    if (ask_word(source,
                 "SELECT snapshot_isolation_state AS a FROM sys.databases WHERE database_id = DB_ID()", state,
                 sizeof state, err))
        return err->code;
    if (*state == '0')
        return error_set(
            err, HAUL_UNSUPPORTED,
            "%s: --consistent needs ALTER DATABASE [%s] SET ALLOW_SNAPSHOT_ISOLATION ON, or, with "
            "several workers, the right CREATE ANY DATABASE (for a database snapshot)",
            source->server.name, source->session.database);
    source->consistent = CONSISTENT_SESSION;
    source->split = SPLIT_NONE;
    return HAUL_OK;
}

/* CREATE DATABASE name ON (NAME = logical, FILENAME = 'physical.name.ss'), ... AS SNAPSHOT OF database */
static enum haul_code sql_snapshot(struct mssql_source *source, struct sql *sql, struct haul_error *err)
{
    struct sql files = {.dialect = &ms_dialect};
    struct ms_answer answer;
    sql_add(&files, "SELECT name, physical_name FROM sys.database_files WHERE type = 0 ORDER BY file_id");
    if (ms_ask_softly(&source->session, &files, &answer, err))
        return err->code;
    sql_add(sql, "CREATE DATABASE ");
    sql_name(sql, source->snapshot);
    for (int64_t i = 0; i < answer.rows; i++) {
        char path[600];
        sql_add(sql, i ? ", (NAME = " : " ON (NAME = ");
        sql_name(sql, ms_answer_text(&answer, i, 0));
        snprintf(path, sizeof path, "%.400s.%.160s.ss", ms_answer_text(&answer, i, 1), source->snapshot);
        sql_add(sql, ", FILENAME = ");
        sql_literal(sql, path);
        sql_add(sql, ")");
    }
    sql_add(sql, " AS SNAPSHOT OF ");
    sql_name(sql, source->session.database);
    ms_answer_release(&answer);
    return HAUL_OK;
}

static enum haul_code make_snapshot(struct mssql_source *source, struct haul_error *err)
{
    struct sql sql = {.dialect = &ms_dialect};
    snprintf(source->snapshot, sizeof source->snapshot, "%.90s" SNAPSHOT_MARK "%llx",
             source->session.database, (unsigned long long)clock_wall_us());
    enum haul_code code = sql_snapshot(source, &sql, err);
    const char *text = code ? NULL : sql_text(&sql, err);
    code = text ? ms_run(&source->session, text, err) : err->code;
    sql_release(&sql);
    if (code)
        return error_prefix(err, "--consistent: no database snapshot could be made (--workers 1 reads in one "
                                 "transaction instead)");
    source->snapshot_made = true;
    context_note(&source->context, "%s: reading from the database snapshot %s, which is dropped at the end",
                 source->server.name, source->snapshot);
    return HAUL_OK;
}

/* What others that were killed have left; dropping it is a person's decision. */
static enum haul_code tell_leftovers(struct mssql_source *source, struct haul_error *err)
{
    struct sql sql = {.dialect = &ms_dialect};
    struct ms_answer answer;
    sql_add(
        &sql,
        "SELECT name FROM sys.databases WHERE source_database_id = DB_ID() AND name LIKE '%%[_]haul[_]%%'");
    if (ms_ask_softly(&source->session, &sql, &answer, err))
        return err->code;
    for (int64_t i = 0; i < answer.rows; i++)
        context_warn(
            &source->context,
            "%s: the database snapshot %s was left by a run that was killed, unless that run is still "
            "under way: DROP DATABASE [%s]",
            source->server.name, ms_answer_text(&answer, i, 0), ms_answer_text(&answer, i, 0));
    ms_answer_release(&answer);
    return HAUL_OK;
}

enum haul_code ms_source_begin(struct source *base, int workers, struct haul_error *err)
{
    struct mssql_source *source = (struct mssql_source *)base;
    (void)workers;
    if (source->consistent == CONSISTENT_DATABASE)
        return tell_leftovers(source, err) || make_snapshot(source, err) ? err->code : HAUL_OK;
    if (source->consistent != CONSISTENT_SESSION)
        return HAUL_OK;
    if (!ms_is_alive(&source->session) &&
        ms_connect(&source->session, &source->server, &source->context, err))
        return err->code;
    if (ms_run(&source->session, "SET TRANSACTION ISOLATION LEVEL SNAPSHOT; BEGIN TRANSACTION", err))
        return error_prefix(err, "--consistent");
    source->transaction_begun = true; /* servers need not send its descriptor */
    return HAUL_OK;
}

void ms_source_end(struct source *base)
{
    struct mssql_source *source = (struct mssql_source *)base;
    struct haul_error ignored = {0};
    struct sql sql = {.dialect = &ms_dialect};
    ms_sessions_release(source); /* a snapshot in use cannot be dropped */
    if (source->transaction_begun)
        ms_disconnect(&source->session); /* which ends it */
    source->transaction_begun = false;
    if (!source->snapshot_made)
        return;
    source->session.context.cancel = NULL;
    source->session.wire.sock.cancel = NULL; /* also when the run was interrupted */
    sql_add(&sql, "DROP DATABASE ");
    sql_name(&sql, source->snapshot);
    const char *text = sql_text(&sql, &ignored);
    bool alive = ms_is_alive(&source->session) ||
                 !ms_connect(&source->session, &source->server, &source->session.context, &ignored);
    if (!text || !alive || ms_run(&source->session, text, &ignored))
        context_warn(&source->context, "%s: the database snapshot could not be dropped: DROP DATABASE [%s]",
                     source->server.name, source->snapshot);
    source->snapshot_made = false;
    sql_release(&sql);
}
