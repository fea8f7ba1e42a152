/*
 * session.h: a connection that is logged in, questions, and what a server says
 * beside rows.
 *
 *     ms_connect -> { ms_send_batch -> ms_next ... MS_END } -> ms_disconnect
 *
 * ms_next reads one token after the other. What belongs to the connection
 * (ENVCHANGE, INFO) it does itself; an ERROR is kept, and returned once the
 * answer is read to its end, so that the connection can be used again. Rows are
 * left to the caller: after MS_COLUMNS it reads MS_ROW after MS_ROW.
 */
#ifndef HAUL_DATABASE_MSSQL_SESSION_H
#define HAUL_DATABASE_MSSQL_SESSION_H

#include "base/buffer.h"
#include "base/kerberos.h"
#include "database/mssql/column.h"
#include "database/mssql/packet.h"
#include "database/mssql/server.h"

#define MS_VERSION_74 0x74000004u
#define MS_VERSION_80 0x08000000u
#define MS_HOPS_MAX   3

/* Tokens of an answer. */
enum ms_token {
    TOKEN_RETURN_STATUS = 0x79,
    TOKEN_COLUMNS = 0x81,
    TOKEN_TABLE_NAME = 0xa4,
    TOKEN_COLUMN_INFO = 0xa5,
    TOKEN_ORDER = 0xa9,
    TOKEN_ERROR = 0xaa,
    TOKEN_INFO = 0xab,
    TOKEN_RETURN_VALUE = 0xac,
    TOKEN_LOGIN_ACK = 0xad,
    TOKEN_FEATURES = 0xae,
    TOKEN_ROW = 0xd1,
    TOKEN_ROW_NULLS = 0xd2,
    TOKEN_ENVIRONMENT = 0xe3,
    TOKEN_SESSION_STATE = 0xe4,
    TOKEN_SSPI = 0xed,
    TOKEN_DONE = 0xfd,
    TOKEN_DONE_PROC = 0xfe,
    TOKEN_DONE_IN_PROC = 0xff
};

enum {
    DONE_MORE = 0x0001,
    DONE_ERROR = 0x0002,
    DONE_COUNT = 0x0010,
    DONE_ATTENTION = 0x0020,
    DONE_SERVER_ERROR = 0x0100
};

enum ms_event {
    MS_COLUMNS,   /* session->columns are those of the rows that follow */
    MS_ROW,       /* the window stands at its first value */
    MS_ROW_NULLS, /* the window stands at its bitmap */
    MS_DONE,      /* one statement is done: done_status, done_rows */
    MS_END        /* the answer was read to its end */
};

struct ms_route {
    char host[256];
    int port; /* 0: no route */
};

struct session {
    struct wire wire;
    const struct server *server;
    struct context context;
    uint64_t transaction;
    bool transaction_lost; /* the server rolled it back */
    uint32_t tds_version;
    uint8_t collation[5];
    bool utf8;
    bool logged_in;
    char program[64], version[32]; /* "Microsoft SQL Server", "16.0.4135" */
    char database[130];
    int spid;
    struct ms_route route;
    struct kerberos *kerberos; /* while logging in with it */
    struct buffer proof;       /* the server's, not looked at yet */

    /* the answer at hand */
    bool answering;
    struct ms_columns columns;
    uint16_t done_status;
    uint64_t done_rows;
    int32_t return_status;
    struct haul_error said; /* the first ERROR */
    int notes;              /* INFO messages in this answer */
};

/* What does not leave this machine is encrypted and verified only when that is asked for. */
bool ms_is_easy(const struct session *session);

enum haul_code ms_connect(struct session *session, const struct server *server, const struct context *context,
                          struct haul_error *err);
void ms_disconnect(struct session *session); /* all-zero is fine, twice too */
bool ms_is_alive(const struct session *session);

/* The signal its waits look for from now on; NULL: none. */
void ms_watch(struct session *session, const struct cancel *cancel);

/* Sends SQL; the answer is read by ms_next. */
enum haul_code ms_send_batch(struct session *session, const char *sql, struct haul_error *err);

/* What ms_send_batch is made of: a request's head; then its payload by the wire; then its
 * end. `code` says how the payload went: a request cut short costs the connection. */
enum haul_code ms_request_begin(struct session *session, enum packet_type type, struct haul_error *err);
enum haul_code ms_request_end(struct session *session, enum haul_code code, struct haul_error *err);

/* The next event. An error of the server's comes instead of MS_END. */
enum haul_code ms_next(struct session *session, enum ms_event *event, struct haul_error *err);

/* Sends SQL and reads its answer to the end; rows are thrown away. */
enum haul_code ms_run(struct session *session, const char *sql, struct haul_error *err);

/* The same for a message that was sent by other means: a bulk load. */
void ms_begin_answer(struct session *session);
enum haul_code ms_read_answer(struct session *session, struct haul_error *err);

/* Ends the answer at hand early: attention, then reading on until the server
 * has noticed. The connection is closed when it does not in time. */
void ms_cancel(struct session *session);

/* The same for a session that nobody needs any more: attention, and goodbye. */
void ms_abandon(struct session *session);

/* Applies the session's settings: what a server does not know is passed over. */
enum haul_code ms_session_pin(struct session *session, struct haul_error *err);

/* ---- login.c, prelogin.c ---- */

enum ms_encryption { ENCRYPTION_OFF = 0, ENCRYPTION_ON = 1, ENCRYPTION_NONE = 2, ENCRYPTION_REQUIRED = 3 };

/* Asks and answers what is encrypted; *encryption is the server's word. */
enum haul_code ms_prelogin(struct session *session, enum ms_encryption wanted, enum ms_encryption *encryption,
                           struct haul_error *err);

/* `proof`: of who we are, for Kerberos; else empty. */
enum haul_code ms_send_login(struct session *session, const char *host, const struct buffer *proof,
                             struct haul_error *err);

/* ---- environment.c ---- */

enum haul_code ms_read_environment(struct session *session, struct haul_error *err);
enum haul_code ms_read_login_ack(struct session *session, struct haul_error *err);
enum haul_code ms_read_features(struct session *session, struct haul_error *err);

/* ---- failure.c ---- */

struct ms_message {
    int32_t number;
    uint8_t state, class;
    int32_t line;
    char text[HAUL_ERROR_MESSAGE_BYTES];
    char procedure[260];
};

/* ERROR or INFO, behind its token byte. */
enum haul_code ms_read_message(struct session *session, struct ms_message *message, struct haul_error *err);

/* The error of ours that the server's message is. */
void ms_fail(const struct session *session, const struct ms_message *message, struct haul_error *err);

/* ---- text.c ---- */

/* Reads `units` UTF-16 units and gives as much as fits as UTF-8. */
enum haul_code ms_read_text(struct wire *wire, size_t units, char *out, size_t size, struct haul_error *err);
enum haul_code ms_read_text_u8(struct wire *wire, char *out, size_t size, struct haul_error *err);
enum haul_code ms_read_text_u16(struct wire *wire, char *out, size_t size, struct haul_error *err);

/* Writes UTF-8 as UTF-16; HAUL_DATA when it is not UTF-8. */
enum haul_code ms_put_text(struct wire *wire, const char *text, struct haul_error *err);

#endif
