/*
 * ping.c: what a SQL Server says of itself, of our login and of one table.
 *
 * Each question may be refused: what is not known stays unknown. Rights are
 * those HAS_PERMS_BY_NAME tells.
 */
#include "database/mssql/source.h"

#include <stdio.h>

static enum haul_code keep(struct ping *ping, const char **place, const char *text, struct haul_error *err)
{
    *place = arena_text(&ping->arena, text);
    return *place ? HAUL_OK : error_nomem(err, "a text");
}

static enum haul_code ask_state(struct mssql_source *source, struct ping *ping, struct haul_error *err)
{
    struct ms_answer answer;
    struct sql sql = {.dialect = &ms_dialect};
    sql_add(&sql, "SELECT CAST(DATABASEPROPERTYEX(DB_NAME(), 'Updateability') AS varchar(30)) AS a");
    if (ms_ask_softly(&source->session, &sql, &answer, err))
        return err->code;
    const char *state = ms_answer_text(&answer, 0, 0);
    keep(ping, &ping->state, strcmp(state, "READ_ONLY") ? "read-write" : "read-only", err);
    ms_answer_release(&answer);
    return err->code;
}

/* Two questions: a server that lacks the property still tells who is who. */
static enum haul_code ask_server(struct mssql_source *source, struct ping *ping, struct haul_error *err)
{
    struct session *session = &source->session;
    struct ms_answer answer;
    struct sql sql = {.dialect = &ms_dialect};
    if (ask_state(source, ping, err))
        return err->code;
    sql_add(&sql, "SELECT SUSER_SNAME() AS a, DB_NAME() AS b, SCHEMA_NAME() AS c");
    if (ms_ask_softly(session, &sql, &answer, err))
        return err->code;
    bool told = answer.rows == 1;
    const char *database = told ? ms_answer_text(&answer, 0, 1) : session->database;
    if (!keep(ping, &ping->product, session->program, err) &&
        !keep(ping, &ping->version, session->version, err) &&
        !keep(ping, &ping->server, source->server.name, err) && !keep(ping, &ping->database, database, err) &&
        told && !keep(ping, &ping->user, ms_answer_text(&answer, 0, 0), err))
        keep(ping, &ping->schema, ms_answer_text(&answer, 0, 2), err);
    ms_answer_release(&answer);
    return err->code;
}

static enum haul_code ask_tls(const struct mssql_source *source, struct ping *ping, struct haul_error *err)
{
    const struct wire *wire = &source->session.wire;
    const struct server *server = &source->server;
    struct tls_certificate seen;
    if (!wire->encrypted)
        return HAUL_OK;
    tls_certificate(&wire->tls, &seen);
    ping->verified = server->encrypt == ENCRYPT_STRICT || (!server->trust && !ms_is_easy(&source->session));
    if (keep(ping, &ping->tls, tls_version(&wire->tls), err) ||
        keep(ping, &ping->cipher, tls_cipher(&wire->tls), err) ||
        keep(ping, &ping->certificate, seen.names, err) || keep(ping, &ping->issuer, seen.issuer, err))
        return err->code;
    return keep(ping, &ping->until, seen.until, err);
}

/* HAS_PERMS_BY_NAME(name, class, permission); name NULL: the database itself. */
static enum haul_code ask_right(struct mssql_source *source, const char *name, const char *words,
                                enum ping_right *right, struct haul_error *err)
{
    struct ms_answer answer;
    struct sql sql = {.dialect = &ms_dialect};
    sql_add(&sql, "SELECT HAS_PERMS_BY_NAME(");
    if (name)
        sql_literal(&sql, name);
    else
        sql_add(&sql, "QUOTENAME(DB_NAME())");
    sql_add(&sql, ", %s) AS a", words);
    if (ms_ask_softly(&source->session, &sql, &answer, err))
        return err->code;
    const char *said = ms_answer_text(&answer, 0, 0);
    *right = !*said ? RIGHT_UNKNOWN : strcmp(said, "1") == 0 || said[0] == 't' ? RIGHT_YES : RIGHT_NO;
    ms_answer_release(&answer);
    return HAUL_OK;
}

static enum haul_code ask_table(struct mssql_source *source, struct ping *ping, struct haul_error *err)
{
    struct haul_error missing = {0};
    struct sql sql = {.dialect = &ms_dialect};
    if (!ping->table)
        return HAUL_OK;
    if (ms_table_read(&source->session, ping->table, &source->table, &missing)) {
        if (missing.code == HAUL_NOT_FOUND)
            return HAUL_OK;
        *err = missing;
        return err->code;
    }
    ms_sql_table(&sql, &source->table.name);
    const char *name = sql_keep(&sql, &ping->arena, err);
    if (!name || ask_right(source, name, "'OBJECT', 'SELECT'", &ping->read, err) ||
        ask_right(source, name, "'OBJECT', 'INSERT'", &ping->insert, err))
        return err->code;
    ping->found =
        arena_printf(&ping->arena, "%s%s%s", source->table.name.schema ? source->table.name.schema : "",
                     source->table.name.schema ? "." : "", source->table.name.name);
    return ping->found ? HAUL_OK : error_nomem(err, "a table's name");
}

static enum haul_code round_trip(void *user, struct haul_error *err)
{
    return ms_run(user, "SELECT 1", err);
}

enum haul_code ms_source_ping(struct source *base, struct ping *ping, struct haul_error *err)
{
    struct mssql_source *source = (struct mssql_source *)base;
    ping->table = source->request.table;
    if (ask_server(source, ping, err) || ask_tls(source, ping, err) ||
        ping_measure(round_trip, &source->session, &ping->latency_ms, err) || ask_table(source, ping, err))
        return err->code;
    if (ask_right(source, NULL, "'DATABASE', 'CREATE TABLE'", &ping->create, err))
        return err->code;
    ping->ledger = ping->create; /* the ledger's tables are made when they are not there */
    return HAUL_OK;
}
