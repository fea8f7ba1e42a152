/*
 * failure.c: what the server or libmariadb said, as an error of ours.
 *
 * One table, error number to kind, advice, and whether the same may succeed
 * later. The server's message names the object ("SELECT command denied to user
 * ... for table `orders`"); the advice says what to grant. Text of the server
 * goes through error_set, which shows control characters, and is cut. Numbers
 * from 2000 to 2999 are the client library's own, the rest the server's; what
 * has no row is told apart by the class of its SQLSTATE.
 */
#include "database/mysql/connect.h"

#include <stdio.h>

#define TEXT_MAX 500

struct meaning {
    unsigned number;
    enum haul_code code;
    bool retryable;
    const char *advice;
};

#define GRANT                                                                                                \
    "grant SELECT for reading; SELECT, INSERT, UPDATE, DELETE, CREATE, DROP and ALTER on the database for "  \
    "writing"

static const struct meaning meanings[] = {
    {1040, HAUL_BUSY, true, "too many connections; --workers uses fewer"},
    {1203, HAUL_BUSY, true, "too many connections of this user; --workers uses fewer"},
    {1226, HAUL_BUSY, true, "the user's limit is reached; --workers uses fewer"},
    {1045, HAUL_LOGIN, false,
     "check user and password (--password-file, --password-command, MYSQL_PWD, ~/.my.cnf)"},
    {1698, HAUL_LOGIN, false, "this user may log in by a socket only"},
    {1251, HAUL_LOGIN, false, NULL},
    {1524, HAUL_LOGIN, false, NULL},
    {1130, HAUL_LOGIN, false, "the server does not let this host in"},
    {1129, HAUL_LOGIN, false, "the server blocks this host: FLUSH HOSTS"},
    {1862, HAUL_LOGIN, false, "set a new password first"},
    {3118, HAUL_LOGIN, false, "the account is locked"},
    {4151, HAUL_LOGIN, false, "the account is locked"},
    {2059, HAUL_LOGIN, false, "the login plugin is not installed here"},
    {2061, HAUL_LOGIN, false, NULL},
    {1044, HAUL_PERMISSION, false, GRANT},
    {1142, HAUL_PERMISSION, false, GRANT},
    {1143, HAUL_PERMISSION, false, GRANT},
    {1227, HAUL_PERMISSION, false, NULL},
    {1370, HAUL_PERMISSION, false, NULL},
    {1148, HAUL_PERMISSION, false, "set local_infile=ON at the server: haul loads by LOAD DATA LOCAL"},
    {3948, HAUL_PERMISSION, false, "set local_infile=ON at the server: haul loads by LOAD DATA LOCAL"},
    {4166, HAUL_PERMISSION, false, "set local_infile=ON at the server: haul loads by LOAD DATA LOCAL"},
    {1049, HAUL_NOT_FOUND, false, "check the database name at the end of the URI"},
    {1046, HAUL_USAGE, false, "name a database: mysql://user@host/database"},
    {1146, HAUL_NOT_FOUND, false, "\"haul list\" shows the tables that are there"},
    {1051, HAUL_NOT_FOUND, false, NULL},
    {1054, HAUL_NOT_FOUND, false, "check the column's name"},
    {1050, HAUL_EXISTS, false, "choose --mode append, truncate or replace"},
    {1062, HAUL_CONSTRAINT, false, NULL},
    {1586, HAUL_CONSTRAINT, false, NULL},
    {1048, HAUL_CONSTRAINT, false, NULL},
    {1364, HAUL_CONSTRAINT, false, NULL},
    {1216, HAUL_CONSTRAINT, false, NULL},
    {1217, HAUL_CONSTRAINT, false, NULL},
    {1451, HAUL_CONSTRAINT, false, NULL},
    {1452, HAUL_CONSTRAINT, false, NULL},
    {1526, HAUL_CONSTRAINT, false, "no partition takes the row"},
    {1644, HAUL_CONSTRAINT, false, "a trigger of the database refuses"},
    {3819, HAUL_CONSTRAINT, false, NULL},
    {4025, HAUL_CONSTRAINT, false, NULL},
    {1264, HAUL_VALUE, false, NULL},
    {1265, HAUL_VALUE, false, NULL},
    {1263, HAUL_CONSTRAINT, false, NULL},
    {1261, HAUL_VALUE, false, NULL},
    {1262, HAUL_VALUE, false, NULL},
    {1292, HAUL_VALUE, false, NULL},
    {1300, HAUL_VALUE, false, NULL},
    {1366, HAUL_VALUE, false, NULL},
    {1367, HAUL_VALUE, false, NULL},
    {1406, HAUL_VALUE, false, NULL},
    {1411, HAUL_VALUE, false, NULL},
    {1416, HAUL_VALUE, false, "no geometry"},
    {1690, HAUL_VALUE, false, NULL},
    {3140, HAUL_VALUE, false, NULL},
    {4037, HAUL_VALUE, false, NULL},
    {1205, HAUL_BUSY, true, "another session holds a lock"},
    {1213, HAUL_BUSY, true, "a deadlock with another session"},
    {3572, HAUL_BUSY, true, NULL},
    {3058, HAUL_BUSY, true, NULL},
    {1317, HAUL_BUSY, true, "the statement was ended on the server"},
    {1969, HAUL_BUSY, true, "the statement timed out on the server"},
    {3024, HAUL_BUSY, true, "the statement timed out on the server"},
    {1135, HAUL_BUSY, true, "the server has no thread for us now"},
    {1047, HAUL_BUSY, true, "the node is not ready"},
    {1290, HAUL_BUSY, true, "the server is read-only: a replica, or failing over"},
    {1836, HAUL_BUSY, true, "the server is read-only: a replica, or failing over"},
    {1792, HAUL_BUSY, true, NULL},
    {1053, HAUL_NETWORK, true, "the server is shutting down"},
    {1077, HAUL_NETWORK, true, NULL},
    {1079, HAUL_NETWORK, true, NULL},
    {1927, HAUL_NETWORK, true, "the session was ended on the server"},
    {3169, HAUL_NETWORK, true, "the session was ended on the server"},
    {4031, HAUL_NETWORK, true, "the session was idle too long"},
    {1158, HAUL_NETWORK, true, NULL},
    {1159, HAUL_NETWORK, true, NULL},
    {1160, HAUL_NETWORK, true, NULL},
    {1161, HAUL_NETWORK, true, NULL},
    {1153, HAUL_LIMIT, false, "raise max_allowed_packet at the server"},
    {1301, HAUL_LIMIT, false, "raise max_allowed_packet at the server"},
    {2020, HAUL_LIMIT, false, "raise max_allowed_packet"},
    {1118, HAUL_LIMIT, false, NULL},
    {1117, HAUL_LIMIT, false, NULL},
    {1071, HAUL_LIMIT, false, NULL},
    {1021, HAUL_SPACE, false, "make room on the server's disk, then run again"},
    {1114, HAUL_SPACE, false, "make room on the server's disk, then run again"},
    {1180, HAUL_IO, true, NULL},
    {1412, HAUL_CHANGED, true, "the table's definition changed under the snapshot; start again"},
    {2002, HAUL_NETWORK, true, "is the server up, and the socket's path right"},
    {2003, HAUL_NETWORK, true, "is the server up, and host and port right"},
    {2005, HAUL_NETWORK, false, "check the host in the URI"},
    {2006, HAUL_NETWORK, true, NULL},
    {2012, HAUL_NETWORK, true, NULL},
    {2013, HAUL_NETWORK, true, NULL},
    {2055, HAUL_NETWORK, true, NULL},
    {2026, HAUL_TLS, false,
     "name the authority's file with --tls-ca FILE, connect by the name in the certificate, or accept any "
     "certificate with --trust-cert"},
    {2027, HAUL_DATA, false, "the server and haul do not understand each other"},
    {2008, HAUL_NOMEM, false, NULL},
};

static struct meaning meaning_of(unsigned number, const char *state)
{
    for (size_t i = 0; i < sizeof meanings / sizeof *meanings; i++)
        if (meanings[i].number == number)
            return meanings[i];
    struct meaning meaning = {.number = number, .code = HAUL_IO};
    if (strncmp(state, "08", 2) == 0 || strncmp(state, "40", 2) == 0)
        meaning = (struct meaning){.code = HAUL_NETWORK, .retryable = true};
    else if (strncmp(state, "22", 2) == 0)
        meaning.code = HAUL_VALUE;
    else if (strncmp(state, "23", 2) == 0 || strncmp(state, "45", 2) == 0)
        meaning.code = HAUL_CONSTRAINT;
    else if (strncmp(state, "42", 2) == 0)
        meaning.code = HAUL_USAGE;
    else if (strncmp(state, "28", 2) == 0)
        meaning.code = HAUL_LOGIN;
    return meaning;
}

static enum haul_code fail(const struct connection *connection, unsigned number, const char *state,
                           const char *said, struct haul_error *err)
{
    struct meaning meaning = meaning_of(number, state);
    error_set(err, meaning.code, "%s: %.*s%s%s", connection->server ? connection->server->name : "MySQL",
              TEXT_MAX, said, meaning.advice ? "; " : "", meaning.advice ? meaning.advice : "");
    err->retryable = meaning.retryable;
    err->vendor_code = (int32_t)number;
    snprintf(err->sqlstate, sizeof err->sqlstate, "%.5s", state);
    return err->code;
}

enum haul_code my_fail_number(const struct connection *connection, unsigned number, const char *said,
                              struct haul_error *err)
{
    return fail(connection, number, "", said, err);
}

enum haul_code my_fail(const struct connection *connection, struct haul_error *err)
{
    MYSQL *my = connection->my;
    unsigned number = my ? mysql_errno(my) : 2013;
    const char *said = my ? mysql_error(my) : "the connection was lost";
    return fail(connection, number, my ? mysql_sqlstate(my) : "", *said ? said : "the connection was lost",
                err);
}

bool my_is_row_error(const struct haul_error *err)
{
    return err->code == HAUL_VALUE || err->code == HAUL_CONSTRAINT;
}

const char *my_said(const struct connection *connection, const struct haul_error *err)
{
    const char *name = connection->server ? connection->server->name : "";
    size_t length = strlen(name);
    bool named =
        length && strncmp(err->message, name, length) == 0 && strncmp(err->message + length, ": ", 2) == 0;
    return named ? err->message + length + 2 : err->message;
}
