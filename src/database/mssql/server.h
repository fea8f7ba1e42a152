/*
 * server.h: a server as the user named it: the URI taken apart, and what is
 * meant where nothing was said.
 *
 *     mssql://user:password@host:port/database?parameter=value
 *
 * also sqlserver, azuresql, azure-sql and mssql+pyodbc. Names of parameters have
 * no case. Userinfo ends at the last '@'. With database=, the path is the
 * instance. SQLCMDSERVER, SQLCMDUSER, SQLCMDPASSWORD and SQLCMDDBNAME fill what is
 * left out. A struct server is only read after it was parsed.
 */
#ifndef HAUL_DATABASE_MSSQL_SERVER_H
#define HAUL_DATABASE_MSSQL_SERVER_H

#include "base/context.h"
#include "base/login.h"

#define MS_PORT 1433

enum ms_encrypt {
    ENCRYPT_DEFAULT,  /* mandatory; on this machine: as the server likes */
    ENCRYPT_DISABLE,  /* never */
    ENCRYPT_OPTIONAL, /* the login at least */
    ENCRYPT_MANDATORY,
    ENCRYPT_STRICT /* TDS 8.0: TLS before anything else */
};

enum ms_authentication { AUTH_SQL, AUTH_TOKEN, AUTH_KERBEROS };

struct server {
    const char *host, *instance, *database, *user, *app; /* instance, database, app may be NULL */
    char *password;                                      /* or the access token; wiped at release */
    int port;                                            /* 0: the browser or the default */
    enum ms_encrypt encrypt;
    enum ms_authentication authentication;
    bool trust;     /* TrustServerCertificate */
    bool loopback;  /* it is this machine */
    bool read_only; /* ApplicationIntent */
    bool at_once;   /* MultiSubnetFailover */
    const char *certificate_host, *certificate_file, *ca_file;
    const char *spn; /* Kerberos: the service's name; NULL: MSSQLSvc/host:port */
    int packet_bytes;
    int login_s;
    const char *ignored; /* a parameter that means nothing here, for a note; NULL */
    const char *name;    /* "host/database", for messages: never a secret */
    struct arena arena;
};

enum haul_code ms_server_parse(struct server *server, const char *uri, struct haul_error *err);

/* The same, then what --trusted-connection, --password-file, --tls-ca, --trust-cert and their like say, which
 * wins; a password that is still missing is asked of a person, if there is one. */
enum haul_code ms_server_open(struct server *server, const char *uri, const struct context *context,
                              struct haul_error *err);
void ms_server_release(struct server *server);

/* Is `uri` ours? */
bool ms_server_accepts(const char *uri);

#endif
