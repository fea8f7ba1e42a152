/* secret.h: where the passwords of a connection's URI stand, for the lobby. */
#ifndef HAUL_SECRET_H
#define HAUL_SECRET_H

#include "base/arena.h"

/* The next one at or after `from`; *length of it. NULL: no more. `text` is the whole name. */
char *secret_next(char *text, const char *from, size_t *length);

/* The name without them: "scheme://user:secret@host/db?password=x" becomes
 * "scheme://user@host/db?password=***". NULL without memory. */
const char *secret_remove(const char *name, struct arena *arena);

#endif
