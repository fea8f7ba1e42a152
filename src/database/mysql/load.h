/*
 * load.h: LOAD DATA LOCAL INFILE from memory.
 *
 * The server asks for a "file"; it gets the bytes of the load at hand, whatever
 * name it says, and nothing when there is none.
 */
#ifndef HAUL_DATABASE_MYSQL_LOAD_H
#define HAUL_DATABASE_MYSQL_LOAD_H

#include "database/mysql/connect.h"

/* From now on nothing is given to a server that asks. */
void my_load_forbid(MYSQL *my);

struct load {
    const char *sql;
    const uint8_t *data;
    size_t length;
};

/* What the server said of it. */
struct load_result {
    int64_t records, skipped, warnings;
};
enum haul_code my_load(struct connection *connection, const struct load *load, struct load_result *result,
                       struct haul_error *err);

#endif
