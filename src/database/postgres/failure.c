/*
 * failure.c: what the server or libpq said, as an error of ours.
 *
 * One table, SQLSTATE (or its class) to kind, advice, and whether the same may
 * succeed later. PostgreSQL's message names the object ("permission denied for
 * table orders"); the advice says which privilege. Text of the server goes
 * through error_set, which shows control characters, and is cut.
 *
 * Before a session exists libpq gives text only; asked to be verbose it puts the
 * SQLSTATE in front ("FATAL:  28P01: ..."). What has none is told apart by a few
 * words of libpq's own, which are not translated when our locale is C.
 *
 * The COPY line a message speaks of ("CONTEXT: COPY orders, line 7, ...") is
 * kept in vendor_code: PostgreSQL has no error numbers of its own.
 */
#include "database/postgres/connect.h"

#include "base/unicode.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TEXT_MAX 500

struct meaning {
    const char *state; /* a SQLSTATE, or how it begins; longer ones stand first */
    enum haul_code code;
    bool retryable;
    const char *advice;
};

static const struct meaning meanings[] = {
    {"28P01", HAUL_LOGIN, false, "check user and password (--password-file, PGPASSWORD or .pgpass)"},
    {"28000", HAUL_LOGIN, false, "check the user name and the server's pg_hba.conf"},
    {"28", HAUL_LOGIN, false, "check user and password"},
    {"3D000", HAUL_NOT_FOUND, false, "check the database name at the end of the URI"},
    {"3F000", HAUL_NOT_FOUND, false, "check the schema's name"},
    {"42501", HAUL_PERMISSION, false,
     "grant SELECT for reading; INSERT, and CREATE on the schema for new tables, for writing"},
    {"42P01", HAUL_NOT_FOUND, false, "\"haul list\" shows the tables that are there"},
    {"42703", HAUL_NOT_FOUND, false, "check the column's name"},
    {"42P07", HAUL_EXISTS, false, "choose --mode append, truncate or replace"},
    {"42", HAUL_USAGE, false, NULL},
    {"40002", HAUL_CONSTRAINT, false, NULL},
    {"40", HAUL_BUSY, true, "another transaction was in the way"},
    {"55P03", HAUL_BUSY, true, "another session holds a lock"},
    {"55006", HAUL_BUSY, true, "another session uses it"},
    {"57014", HAUL_BUSY, true, "the statement was cancelled or timed out on the server"},
    {"57P04", HAUL_NOT_FOUND, false, "the database was dropped"},
    {"57", HAUL_NETWORK, true, "the server ended the session or is starting up"},
    {"53100", HAUL_SPACE, false, "make room on the server's disk, then run again"},
    {"53300", HAUL_BUSY, true, "too many connections; --workers uses fewer"},
    {"53", HAUL_LIMIT, true, "the server is out of a resource"},
    {"08P01", HAUL_DATA, false, "the server and haul do not understand each other"},
    {"08", HAUL_NETWORK, true, NULL},
    {"25006", HAUL_BUSY, true, "the server is read-only: a standby, or failing over"},
    {"25P03", HAUL_NETWORK, true, "the session was idle too long"},
    {"72000", HAUL_CHANGED, true, "the snapshot is too old; start again"},
    {"22", HAUL_VALUE, false, NULL},
    {"23", HAUL_CONSTRAINT, false, NULL},
    {"44", HAUL_CONSTRAINT, false, NULL},
    {"P0", HAUL_CONSTRAINT, false, "a function or trigger of the database refuses"},
    {"0A", HAUL_UNSUPPORTED, false, NULL},
    {"54", HAUL_LIMIT, false, NULL},
    {"58", HAUL_IO, false, "look at the server's log"},
    {"XX", HAUL_IO, false, "an internal error of the server; look at its log"},
    {"", HAUL_IO, false, NULL},
};

static const struct meaning *meaning_of(const char *state)
{
    const struct meaning *meaning = meanings;
    while (strncmp(meaning->state, state, strlen(meaning->state)) != 0)
        meaning++;
    return meaning;
}

bool pg_is_row_error(const struct haul_error *err)
{
    static const char *const classes[] = {"22", "23", "44", "P0"};
    for (size_t i = 0; i < sizeof classes / sizeof *classes; i++)
        if (strncmp(err->sqlstate, classes[i], 2) == 0)
            return true;
    return false;
}

/* The number after ", line " in "COPY orders, line 7, column a: ...". The table's
 * name stands before it and may hold the same words: the last ones count that
 * stand before the value, so the number must be followed by ',' , ':' or the end. */
static int32_t copy_line(const char *context)
{
    int32_t line = 0;
    if (!context || strncmp(context, "COPY ", 5) != 0)
        return 0;
    for (const char *at = context; (at = strstr(at, ", line ")) && !line; at += 7) {
        char *end;
        long number = strtol(at + 7, &end, 10);
        if (number > 0 && number <= INT32_MAX && (*end == ',' || *end == ':' || *end == '\n' || !*end))
            line = (int32_t)number;
    }
    return line;
}

static enum haul_code fail_state(const struct connection *connection, const char *state, const char *said,
                                 const char *detail, struct haul_error *err)
{
    const struct meaning *meaning = meaning_of(state);
    error_set(err, meaning->code, "%s: %.*s%s%.*s%s%s", connection->server->name, TEXT_MAX, said,
              detail ? " (" : "", TEXT_MAX / 2, detail ? detail : "", detail ? ")" : "", "");
    if (meaning->advice && strlen(err->message) + strlen(meaning->advice) + 3 < sizeof err->message) {
        strcat(err->message, "; ");
        strcat(err->message, meaning->advice);
    }
    err->retryable = meaning->retryable;
    snprintf(err->sqlstate, sizeof err->sqlstate, "%.5s", state);
    return err->code;
}

/* The connection's own text, its first line. */
static void first_line(const char *text, char *out, size_t out_bytes)
{
    size_t length = strcspn(text, "\n");
    snprintf(out, out_bytes, "%.*s", (int)(length < out_bytes ? length : out_bytes - 1), text);
}

enum haul_code pg_fail(const struct connection *connection, const PGresult *result, struct haul_error *err)
{
    const char *state = result ? PQresultErrorField(result, PG_DIAG_SQLSTATE) : NULL;
    const char *said = result ? PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY) : NULL;
    if (state && said) {
        fail_state(connection, state, said, PQresultErrorField(result, PG_DIAG_MESSAGE_DETAIL), err);
        err->vendor_code = copy_line(PQresultErrorField(result, PG_DIAG_CONTEXT));
        return err->code;
    }
    char text[TEXT_MAX];
    first_line(connection->pg ? PQerrorMessage(connection->pg) : "", text, sizeof text);
    error_set(err, HAUL_NETWORK, "%s: %s", connection->server->name,
              text[0] ? text : "the connection was lost");
    err->retryable = true;
    return err->code;
}

const char *pg_said(const struct connection *connection, const struct haul_error *err)
{
    const char *name = connection->server ? connection->server->name : "";
    size_t length = strlen(name);
    bool named =
        length && strncmp(err->message, name, length) == 0 && strncmp(err->message + length, ": ", 2) == 0;
    return named ? err->message + length + 2 : err->message;
}

/* ---- before there is a session ---- */

/* "...FATAL:  28P01: password ..." : the SQLSTATE, and where the message begins. */
static const char *find_state(const char *text, char state[6])
{
    for (const char *at = text; (at = strstr(at, ":  ")); at += 3) {
        size_t length = strspn(at + 3, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789");
        if (length != 5 || at[8] != ':')
            continue;
        memcpy(state, at + 3, 5);
        state[5] = 0;
        return at + 9 + strspn(at + 9, " ");
    }
    return NULL;
}

struct hint {
    const char *words;
    enum haul_code code;
    bool retryable;
    const char *advice;
};

static const struct hint hints[] = {
    {"no password supplied", HAUL_LOGIN, false,
     "give one by --password-file, --password-command, PGPASSWORD or .pgpass; there is no terminal to ask "
     "at"},
    {"does not match host name", HAUL_TLS, false,
     "connect by the name in the certificate, or say ?sslmode=verify-ca for this connection"},
    {"certificate", HAUL_TLS, false,
     "name the authority's file with --tls-ca FILE, or accept any certificate with --trust-cert"},
    {"does not support SSL", HAUL_TLS, false,
     "turn TLS on at the server, or say ?sslmode=disable when the network is your own"},
    {"sslmode", HAUL_TLS, false, NULL},
    {"SSL error", HAUL_TLS, false, NULL},
    {"authentication method", HAUL_LOGIN, false, NULL},
    {"channel binding", HAUL_LOGIN, false, NULL},
    {"Temporary failure in name resolution", HAUL_NETWORK, true, NULL},
    {"could not translate host name", HAUL_NETWORK, false, "check the host in the URI"},
    {"definition of service", HAUL_USAGE, false, "check PGSERVICEFILE and the service's name"},
    {"invalid", HAUL_USAGE, false, NULL},
    {"", HAUL_NETWORK, true, "is the server up, and host and port right"},
};

enum haul_code pg_fail_connect(const struct connection *connection, struct haul_error *err)
{
    char state[6], text[TEXT_MAX];
    const char *said = connection->pg ? PQerrorMessage(connection->pg) : "no memory";
    const char *message = find_state(said, state);
    if (message) {
        first_line(message, text, sizeof text);
        return fail_state(connection, state, text, NULL, err);
    }
    const struct hint *hint = hints;
    while (!strstr(said, hint->words))
        hint++;
    size_t cut = unicode_cut((const uint8_t *)said, strlen(said), sizeof text - 1);
    snprintf(text, sizeof text, "%.*s", (int)cut, said);
    for (char *at = text; *at; at++)
        if (*at == '\n' || *at == '\t')
            *at = at[1] ? ' ' : 0;
    error_set(err, hint->code, "%s: %s%s%s", connection->server->name, text, hint->advice ? "; " : "",
              hint->advice ? hint->advice : "");
    err->retryable = hint->retryable;
    return err->code;
}
