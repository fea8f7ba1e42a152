/*
 * named.h: named connections: "prod:public.orders" on a command line.
 *
 * A name stands for a URI by the environment (HAUL_CONN_PROD=postgresql://...;
 * '-' in a name is '_' there), or by a section of connections.ini in
 * $XDG_CONFIG_HOME/haul or $HOME/.config/haul. Without HOME there is no file.
 */
#ifndef HAUL_NAMED_H
#define HAUL_NAMED_H

#include "base/arena.h"

#define NAMED_WORD_BYTES 64

struct named {
    const char *uri; /* NULL: there is no such connection */
    const char *password, *password_file, *password_command, *ca_file;
    bool trust;
    const char *readable; /* the file, when others may read it and it holds a password */
};

/* Looks `word` up; texts are in `arena`. */
enum haul_code named_find(const char *word, struct named *named, struct arena *arena, struct haul_error *err);

/* All names there are, for an error that tells the near ones: at most `max`. */
size_t named_words(const char **words, size_t max, struct arena *arena);

#endif
