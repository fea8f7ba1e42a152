/*
 * session.c: the one table of settings of our sessions.
 *
 * They make values exact whatever the server's own settings are, and they decide
 * who dies first. A *target* session dies soon after we do: an orphan would hold
 * its unit's claim. A *source* session outlasts whatever the target does: losing
 * it loses the snapshot. While rows wait for their taker the server is in a write:
 * net_write_timeout ends that, so it is long for a source.
 *
 * A setting the server does not know (an older version, the other engine) is
 * passed over.
 */
#include "database/mysql/connect.h"

#include "database/mysql/dialect.h"
#include <stdio.h>
#include <strings.h>

#define FOR_SOURCE 1
#define FOR_TARGET 2
#define FOR_BOTH   3

struct setting {
    const char *name, *value;
    int sessions;
};

static const struct setting settings[] = {
    {"sql_mode",
     "'STRICT_ALL_TABLES,NO_AUTO_VALUE_ON_ZERO,NO_ZERO_DATE,NO_ZERO_IN_DATE,ERROR_FOR_DIVISION_BY_ZERO,"
     "NO_ENGINE_SUBSTITUTION'",
     FOR_BOTH},
    {"time_zone", "'+00:00'", FOR_BOTH},
    {"autocommit", "1", FOR_BOTH},
    {"sql_select_limit", "18446744073709551615", FOR_BOTH},
    {"sql_safe_updates", "0", FOR_BOTH},
    {"sql_big_selects", "1", FOR_BOTH},
    {"group_concat_max_len", "1048576", FOR_BOTH},
    {"max_statement_time", "0", FOR_BOTH},
    {"max_execution_time", "0", FOR_BOTH},
    {"completion_type", "0", FOR_BOTH},
    {"explicit_defaults_for_timestamp", "1", FOR_TARGET},
    {"idle_transaction_timeout", "0", FOR_SOURCE},
    {"idle_readonly_transaction_timeout", "0", FOR_SOURCE},
    {"wait_timeout", "86400", FOR_SOURCE},
    {"net_read_timeout", "600", FOR_SOURCE},
    {"net_write_timeout", "7200", FOR_SOURCE},
    {"lock_wait_timeout", "60", FOR_SOURCE},
    {"wait_timeout", "120", FOR_TARGET},
    {"net_read_timeout", "60", FOR_TARGET},
    {"net_write_timeout", "60", FOR_TARGET},
    {"lock_wait_timeout", "60", FOR_TARGET},
    {"innodb_lock_wait_timeout", "5", FOR_TARGET},
};
#define SETTING_COUNT (sizeof settings / sizeof *settings)

static enum haul_code ask_known(struct connection *connection, MYSQL_RES **result, struct haul_error *err)
{
    struct sql sql = {.dialect = &my_dialect};
    sql_add(&sql, "SHOW SESSION VARIABLES WHERE Variable_name IN (''");
    for (size_t i = 0; i < SETTING_COUNT; i++)
        sql_add(&sql, ", '%s'", settings[i].name);
    sql_add(&sql, ")");
    const char *text = sql_text(&sql, err);
    enum haul_code code = text ? my_ask(connection, text, result, err) : err->code;
    sql_release(&sql);
    return code;
}

static bool is_known(MYSQL_RES *known, const char *name)
{
    MYSQL_ROW row;
    mysql_data_seek(known, 0);
    while ((row = mysql_fetch_row(known)))
        if (strcasecmp(my_text(row, 0), name) == 0)
            return true;
    return false;
}

/* Some may not be set by everybody, or not in a session: each alone then, as far as it goes. */
static enum haul_code set_one(struct connection *connection, const struct setting *setting,
                              struct haul_error *err)
{
    char text[512];
    struct haul_error refused = {0};
    snprintf(text, sizeof text, "SET SESSION %s = %s", setting->name, setting->value);
    if (!my_run(connection, text, &refused) || my_is_alive(connection))
        return HAUL_OK;
    *err = refused;
    return err->code;
}

static enum haul_code check_mode(struct connection *connection, struct haul_error *err)
{
    int64_t good = 0;
    if (my_ask_number(connection,
                      "SELECT FIND_IN_SET('STRICT_ALL_TABLES', @@SESSION.sql_mode) > 0"
                      " AND @@SESSION.time_zone = '+00:00' AND @@SESSION.autocommit = 1",
                      &good, err))
        return err->code;
    return good ? HAUL_OK
                : error_set(err, HAUL_PERMISSION,
                            "%s: the server does not let haul set sql_mode and time_zone",
                            connection->server->name);
}

enum haul_code my_session_pin(struct connection *connection, enum session_kind kind, struct haul_error *err)
{
    int wanted = kind == SESSION_SOURCE ? FOR_SOURCE : FOR_TARGET;
    MYSQL_RES *known = NULL;
    struct sql sql = {.dialect = &my_dialect};
    if (ask_known(connection, &known, err))
        return err->code;
    sql_add(&sql, "SET NAMES utf8mb4");
    for (size_t i = 0; i < SETTING_COUNT; i++)
        if ((settings[i].sessions & wanted) && is_known(known, settings[i].name))
            sql_add(&sql, ", SESSION %s = %s", settings[i].name, settings[i].value);
    struct haul_error refused = {0};
    const char *text = sql_text(&sql, err);
    enum haul_code code = text ? HAUL_OK : err->code;
    if (!code && my_run(connection, text, &refused)) {
        code = my_run(connection, "SET NAMES utf8mb4", err);
        for (size_t i = 0; i < SETTING_COUNT && !code; i++)
            if ((settings[i].sessions & wanted) && is_known(known, settings[i].name))
                code = set_one(connection, &settings[i], err);
    }
    mysql_free_result(known);
    sql_release(&sql);
    if (!code)
        code = my_run(connection, "SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ", err);
    return code ? code : check_mode(connection, err);
}
