/*
 * login.c: the password of one side: kept in one place, wiped when it goes.
 *
 * It has an arena of its own, so that nobody else's text lies beside it.
 */
#include "base/login.h"

#include <string.h>

static void wipe(struct login *login)
{
    if (login->password)
        explicit_bzero((char *)(uintptr_t)login->password, strlen(login->password));
    login->password = NULL;
    arena_release(&login->arena);
}

enum haul_code login_keep(struct login *login, const char *password, struct haul_error *err)
{
    struct arena arena = {0};
    const char *copy = arena_text(&arena, password);
    if (!copy)
        return error_nomem(err, "a password");
    wipe(login);
    login->arena = arena;
    login->password = copy;
    return HAUL_OK;
}

enum haul_code login_ask(struct login *login, const char *server, bool *given, struct haul_error *err)
{
    char typed[LOGIN_PASSWORD_BYTES] = "";
    enum haul_code code = HAUL_OK;
    *given = false;
    if (!login || !login->ask || login->password)
        return HAUL_OK;
    if (login->ask(login->ask_user, server, typed, sizeof typed) && typed[0]) {
        typed[sizeof typed - 1] = '\0';
        code = login_keep(login, typed, err);
        *given = code == HAUL_OK;
    }
    explicit_bzero(typed, sizeof typed);
    return code;
}

void login_release(struct login *login)
{
    wipe(login);
    *login = (struct login){0};
}
