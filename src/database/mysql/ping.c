/*
 * ping.c: what a MySQL or MariaDB server says of itself, of our login and of one table.
 *
 * Nobody tells whether a statement would be allowed, roles and wildcards counted,
 * but the server when it plans one: EXPLAIN of a SELECT and of an INSERT. What
 * cannot be explained (CREATE TABLE) is looked up in the lists of grants; when a
 * role is active, which those lists leave out, "no" becomes "not known".
 */
#include "database/mysql/source.h"

#include <stdio.h>
#include <string.h>

static const char server_sql[] =
    "SELECT VERSION(), CURRENT_USER(), DATABASE(), @@GLOBAL.read_only,"
    " COALESCE((SELECT COUNT(*) FROM information_schema.SCHEMA_PRIVILEGES WHERE PRIVILEGE_TYPE = 'CREATE'"
    " AND GRANTEE = CONCAT('''', REPLACE(CURRENT_USER(), '@', '''@'''), '''')"
    " AND DATABASE() LIKE TABLE_SCHEMA), 0)"
    " + (SELECT COUNT(*) FROM information_schema.USER_PRIVILEGES WHERE PRIVILEGE_TYPE = 'CREATE'"
    " AND GRANTEE = CONCAT('''', REPLACE(CURRENT_USER(), '@', '''@'''), ''''))";

static enum haul_code keep(struct ping *ping, const char **place, const char *text, struct haul_error *err)
{
    *place = arena_text(&ping->arena, text);
    return *place || !text ? HAUL_OK : error_nomem(err, "a text");
}

static bool has_role(struct connection *connection)
{
    MYSQL_RES *result = NULL;
    struct haul_error ignored = {0};
    bool active = false;
    if (!my_ask(connection, "SELECT CURRENT_ROLE()", &result, &ignored)) {
        MYSQL_ROW row = mysql_fetch_row(result);
        active = row && row[0] && strcmp(row[0], "NONE") != 0;
    }
    mysql_free_result(result);
    return active;
}

static enum haul_code ask_server(struct connection *connection, struct ping *ping, struct haul_error *err)
{
    MYSQL_RES *result = NULL;
    if (my_ask(connection, server_sql, &result, err))
        return err->code;
    MYSQL_ROW row = mysql_fetch_row(result);
    ping->product = my_is_mariadb(connection) ? "MariaDB" : "MySQL";
    ping->state = my_number(row, 3) ? "read-only" : "read-write";
    if (!keep(ping, &ping->version, my_text(row, 0), err) && !keep(ping, &ping->user, my_text(row, 1), err))
        keep(ping, &ping->database, row[2], err);
    ping->create = !row[2] ? RIGHT_UNKNOWN : my_number(row, 4) ? RIGHT_YES : RIGHT_NO;
    mysql_free_result(result);
    if (ping->create == RIGHT_NO && has_role(connection))
        ping->create = RIGHT_UNKNOWN;
    return err->code ? err->code : keep(ping, &ping->server, connection->server->name, err);
}

static enum haul_code ask_tls(struct connection *connection, struct ping *ping, struct haul_error *err)
{
    struct tls_certificate seen;
    struct haul_error ignored = {0};
    MYSQL_RES *result = NULL;
    ping->verified = connection->server->tls == TLS_VERIFIED;
    if (connection->server->tls == TLS_OFF)
        return HAUL_OK;
    if (my_ask(connection, "SHOW SESSION STATUS WHERE Variable_name IN ('Ssl_version', 'Ssl_cipher')",
               &result, err))
        return err->code;
    for (MYSQL_ROW row; (row = mysql_fetch_row(result)) && !err->code;)
        keep(ping, strcasecmp(my_text(row, 0), "Ssl_version") == 0 ? &ping->tls : &ping->cipher,
             my_text(row, 1), err);
    mysql_free_result(result);
    if (err->code || my_certificate(connection, false, &seen, &ignored))
        return err->code;
    if (keep(ping, &ping->certificate, seen.names, err) || keep(ping, &ping->issuer, seen.issuer, err))
        return err->code;
    return keep(ping, &ping->until, seen.until, err);
}

/* Would the server do it? It plans, and does not. */
static enum haul_code explain(struct connection *connection, const char *before, const struct table *table,
                              const char *after, enum ping_right *given, struct haul_error *err)
{
    struct sql sql = {.dialect = &my_dialect};
    struct haul_error refused = {0};
    sql_add(&sql, "EXPLAIN %s ", before);
    sql_table(&sql, table->schema, table->name);
    sql_add(&sql, "%s", after);
    const char *text = sql_text(&sql, err);
    if (text && my_run(connection, text, &refused) && !my_is_alive(connection))
        *err = refused;
    *given = refused.code == HAUL_PERMISSION ? RIGHT_NO : RIGHT_YES;
    sql_release(&sql);
    return err->code;
}

static enum haul_code ask_table(struct connection *connection, struct ping *ping, const char *name,
                                struct haul_error *err)
{
    struct table table;
    bool found = false;
    if (my_table_read(connection, name, &table, &found, err) || !found)
        return err->code;
    ping->found = arena_printf(&ping->arena, "%s.%s", table.schema, table.name);
    if (!ping->found)
        error_nomem(err, "a table's name");
    else if (!explain(connection, "SELECT * FROM", &table, "", &ping->read, err) &&
             !explain(connection, "INSERT INTO", &table, " VALUES ()", &ping->insert, err))
        err->code = HAUL_OK;
    my_table_release(&table);
    return err->code;
}

/* The ledger's tables are there for us, or there is the right to make them. */
static enum haul_code ask_ledger(struct connection *connection, struct ping *ping, struct haul_error *err)
{
    struct table table;
    struct haul_error refused = {0};
    bool found = false;
    ping->ledger = ping->create;
    if (!ping->database)
        return HAUL_OK;
    if (my_table_read(connection, "haul_units", &table, &found, &refused) || !found)
        return HAUL_OK;
    enum haul_code code = explain(connection, "DELETE FROM", &table, "", &ping->ledger, err);
    my_table_release(&table);
    return code;
}

static enum haul_code round_trip(void *user, struct haul_error *err)
{
    return my_run(user, "SELECT 1", err);
}

enum haul_code my_source_ping(struct source *base, struct ping *ping, struct haul_error *err)
{
    struct mysql_source *source = (struct mysql_source *)base;
    struct connection *connection = &source->connection;
    ping->table = source->request.table;
    if (ask_server(connection, ping, err) || ask_tls(connection, ping, err) ||
        ping_measure(round_trip, connection, &ping->latency_ms, err))
        return err->code;
    if (ping->table && ask_table(connection, ping, ping->table, err))
        return err->code;
    return ask_ledger(connection, ping, err);
}
