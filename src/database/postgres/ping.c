/*
 * ping.c: what a PostgreSQL server says of itself, of our login and of one table.
 *
 * Protocol and cipher are those of the session at hand; the certificate is seen
 * by a connection of our own (certificate.c), because libpq does not show it.
 */
#include "database/postgres/engine.h"
#include "database/postgres/source.h"

#include "base/settings.h"
#include <stdio.h>
#include <string.h>

static const char server_sql[] =
    "SELECT pg_catalog.current_setting('server_version'), current_user, pg_catalog.current_database(),"
    " pg_catalog.current_schema(), CASE WHEN pg_catalog.pg_is_in_recovery() THEN 'standby, read-only'"
    " WHEN pg_catalog.current_setting('default_transaction_read_only') = 'on' THEN 'read-only by default'"
    " ELSE 'read-write' END";

static const char rights_sql[] = "SELECT pg_catalog.has_table_privilege($1::pg_catalog.oid, 'SELECT')"
                                 " OR pg_catalog.has_any_column_privilege($1::pg_catalog.oid, 'SELECT'),"
                                 " pg_catalog.has_table_privilege($1::pg_catalog.oid, 'INSERT')";

static enum haul_code keep(struct ping *ping, const char **place, const char *text, struct haul_error *err)
{
    *place = arena_text(&ping->arena, text);
    return *place || !text ? HAUL_OK : error_nomem(err, "a text");
}

static enum ping_right right(bool given)
{
    return given ? RIGHT_YES : RIGHT_NO;
}

static enum haul_code ask_server(struct connection *connection, struct ping *ping, struct haul_error *err)
{
    PGresult *result = NULL;
    if (pg_ask(connection, server_sql, NULL, &result, err))
        return err->code;
    const char *schema = PQgetisnull(result, 0, 3) ? NULL : pg_text(result, 0, 3);
    ping->product = "PostgreSQL";
    if (!keep(ping, &ping->version, pg_text(result, 0, 0), err) &&
        !keep(ping, &ping->user, pg_text(result, 0, 1), err) &&
        !keep(ping, &ping->database, pg_text(result, 0, 2), err) && !keep(ping, &ping->schema, schema, err))
        keep(ping, &ping->state, pg_text(result, 0, 4), err);
    PQclear(result);
    return err->code ? err->code : keep(ping, &ping->server, connection->server->name, err);
}

static enum haul_code ask_tls(struct connection *connection, struct ping *ping, struct haul_error *err)
{
    struct tls_certificate seen;
    struct haul_error ignored = {0};
    PQconninfoOption *options = PQconninfo(connection->pg);
    for (const PQconninfoOption *at = options; at && at->keyword; at++)
        if (strcmp(at->keyword, "sslmode") == 0)
            ping->verified = at->val && strcmp(at->val, "verify-full") == 0;
    PQconninfoFree(options);
    if (!PQsslInUse(connection->pg))
        return HAUL_OK;
    if (keep(ping, &ping->tls, PQsslAttribute(connection->pg, "protocol"), err) ||
        keep(ping, &ping->cipher, PQsslAttribute(connection->pg, "cipher"), err))
        return err->code;
    if (pg_certificate(connection, false, &seen, &ignored))
        return HAUL_OK;
    if (keep(ping, &ping->certificate, seen.names, err) || keep(ping, &ping->issuer, seen.issuer, err))
        return err->code;
    return keep(ping, &ping->until, seen.until, err);
}

static enum haul_code ask_ledger(struct connection *connection, const char *option, const char *schema,
                                 struct ping *ping, struct haul_error *err)
{
    struct ledger ledger = {0};
    if (!schema)
        return HAUL_OK;
    enum haul_code code = ledger_init(&ledger, &pg_engine, option, schema, err);
    if (!code && ledger.runs)
        code = pg_ledger_allow(&ledger, connection, err);
    ping->ledger = right(!code && ledger.runs);
    ledger_release(&ledger);
    return code;
}

static enum haul_code ask_schema(struct connection *connection, const char *schema, struct ping *ping,
                                 struct haul_error *err)
{
    const char *const texts[] = {schema};
    PGresult *result = NULL;
    if (!schema)
        return HAUL_OK;
    if (pg_ask(connection, "SELECT pg_catalog.has_schema_privilege($1, 'CREATE')",
               &(struct pg_values){1, texts}, &result, err))
        return err->code;
    ping->create = right(pg_true(result, 0, 0));
    PQclear(result);
    return HAUL_OK;
}

static enum haul_code ask_table(struct connection *connection, struct ping *ping, const char **schema,
                                struct haul_error *err)
{
    struct table table;
    bool found = false;
    PGresult *result = NULL;
    if (!ping->table)
        return HAUL_OK;
    if (pg_table_read(connection, ping->table, &table, &found, err) || !found)
        return err->code;
    ping->found = arena_printf(&ping->arena, "%s.%s", table.schema, table.name);
    *schema = arena_text(&ping->arena, table.schema);
    if (!pg_ask(connection, rights_sql, &(struct pg_values){1, &table.oid}, &result, err)) {
        ping->read = right(pg_true(result, 0, 0));
        ping->insert = right(pg_true(result, 0, 1));
    }
    PQclear(result);
    pg_table_release(&table);
    return err->code || (ping->found && *schema) ? err->code : error_nomem(err, "a table's name");
}

static enum haul_code round_trip(void *user, struct haul_error *err)
{
    return pg_run(user, "SELECT 1", err);
}

enum haul_code pg_source_ping(struct source *base, struct ping *ping, struct haul_error *err)
{
    struct postgres_source *source = (struct postgres_source *)base;
    struct connection *connection = &source->connection;
    ping->table = source->request.table;
    if (ask_server(connection, ping, err) || ask_tls(connection, ping, err) ||
        ping_measure(round_trip, connection, &ping->latency_ms, err))
        return err->code;
    const char *schema = ping->schema;
    if (ask_table(connection, ping, &schema, err) || ask_schema(connection, schema, ping, err))
        return err->code;
    return ask_ledger(connection, NULL, schema, ping, err);
}
