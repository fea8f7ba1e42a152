/*
 * login.h: who we are for the server at one side of a run, and how its
 * certificate is judged, as far as the user said so beside the connection's URI.
 * What is NULL here the engine finds in the URI or in its own places.
 *
 * It is kept by the lobby for as long as the job lives; a database's opener gets
 * it in its context. A password that a person typed is asked for once and then
 * stands in `password`. Nothing of it is ever part of a message.
 */
#ifndef HAUL_BASE_LOGIN_H
#define HAUL_BASE_LOGIN_H

#include "base/arena.h"

#define LOGIN_PASSWORD_BYTES 4096

struct login {
    const char *password; /* wins over the URI's and the environment's */
    const char *ca_file;  /* PEM: authorities that may vouch for the server, and then somebody must */
    bool trust;           /* encrypted, with whatever certificate */
    haul_password_fn ask; /* NULL: there is nobody to ask */
    void *ask_user;
    struct arena arena; /* owns `password` */
};

/* Asks the person once. *given false: nobody is there, or nothing was typed. */
enum haul_code login_ask(struct login *login, const char *server, bool *given, struct haul_error *err);

/* Keeps a copy of `password`. */
enum haul_code login_keep(struct login *login, const char *password, struct haul_error *err);

/* Wipes the password. */
void login_release(struct login *login);

#endif
