/*
 * session.c: the one table of settings of our sessions.
 *
 * They make text forms exact and independent of how the server is set up, and
 * they decide who dies first. A *target* session dies soon after we do: an
 * orphan would hold its unit's claim. While a COPY waits for data the session
 * counts as active, there only TCP can tell that nobody is left. A *source*
 * session outlasts whatever the target does: losing it loses the snapshot.
 *
 * A setting the server does not know (an older version) is passed over.
 */
#include "database/postgres/connect.h"

#include "database/postgres/dialect.h"
#include <stdio.h>

#define FOR_SOURCE 1
#define FOR_TARGET 2
#define FOR_BOTH   3

struct setting {
    const char *name, *value;
    int sessions;
};

static const struct setting settings[] = {
    {"TimeZone", "UTC", FOR_BOTH},
    {"DateStyle", "ISO, YMD", FOR_BOTH},
    {"IntervalStyle", "iso_8601", FOR_BOTH},
    {"extra_float_digits", "3", FOR_BOTH},
    {"bytea_output", "hex", FOR_BOTH},
    {"xmloption", "content", FOR_BOTH},
    {"standard_conforming_strings", "on", FOR_BOTH},
    {"statement_timeout", "0", FOR_BOTH},
    {"idle_session_timeout", "0", FOR_BOTH},
    {"tcp_keepalives_idle", "15", FOR_BOTH},
    {"tcp_keepalives_interval", "15", FOR_BOTH},
    {"tcp_keepalives_count", "4", FOR_BOTH},
    {"synchronize_seqscans", "off", FOR_SOURCE}, /* a scan begins at its begin */
    {"idle_in_transaction_session_timeout", "0", FOR_SOURCE},
    {"lock_timeout", "60s", FOR_SOURCE},
    {"idle_in_transaction_session_timeout", "60s", FOR_TARGET},
    {"lock_timeout", "5s", FOR_TARGET},
    {"tcp_user_timeout", "60s", FOR_TARGET},
};

enum haul_code pg_session_pin(struct connection *connection, enum session_kind kind, struct haul_error *err)
{
    int wanted = kind == SESSION_SOURCE ? FOR_SOURCE : FOR_TARGET;
    struct sql sql = {.dialect = &pg_dialect};
    bool first = true;
    sql_add(&sql, "SELECT pg_catalog.set_config(s.name, v.setting, false) FROM (VALUES ");
    for (size_t i = 0; i < sizeof settings / sizeof *settings; i++) {
        if (!(settings[i].sessions & wanted))
            continue;
        sql_add(&sql, "%s('%s', '%s')", first ? "" : ", ", settings[i].name, settings[i].value);
        first = false;
    }
    sql_add(&sql, ") AS v(name, setting) JOIN pg_catalog.pg_settings AS s ON s.name = v.name");
    const char *text = sql_text(&sql, err);
    enum haul_code code = text ? pg_run(connection, text, err) : err->code;
    sql_release(&sql);
    return code;
}

enum haul_code pg_session_name(struct connection *connection, const char *run, struct haul_error *err)
{
    char name[96];
    PGresult *result = NULL;
    snprintf(name, sizeof name, "haul %s", run);
    const char *const texts[] = {name};
    enum haul_code code = pg_ask(connection, "SELECT pg_catalog.set_config('application_name', $1, false)",
                                 &(struct pg_values){1, texts}, &result, err);
    PQclear(result);
    return code;
}
