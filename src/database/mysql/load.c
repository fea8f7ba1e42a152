/*
 * load.c: the handler libmariadb calls when the server asks for the file of a
 * LOAD DATA LOCAL.
 *
 * LOCAL means IGNORE: rows that do not fit are skipped or altered, and the
 * statement succeeds. What it says of itself ("Records: 5  Deleted: 0  Skipped: 1
 * Warnings: 2") is therefore handed to the caller, who takes nothing but a clean
 * one.
 */
#include "database/mysql/load.h"

#include <stdio.h>
#include <stdlib.h>

struct cursor {
    const uint8_t *at;
    size_t left;
};

static int give_init(void **place, const char *name, void *user)
{
    (void)name;
    *place = user;
    return user == NULL;
}

static int give_read(void *place, char *out, unsigned room)
{
    struct cursor *cursor = place;
    size_t count = cursor->left < room ? cursor->left : room;
    memcpy(out, cursor->at, count);
    cursor->at += count;
    cursor->left -= count;
    return (int)count;
}

static void give_end(void *place)
{
    (void)place;
}

static int give_error(void *place, char *text, unsigned room)
{
    (void)place;
    snprintf(text, room, "the server asked for a file of this machine; haul gives none");
    return 2068;
}

void my_load_forbid(MYSQL *my)
{
    mysql_set_local_infile_handler(my, give_init, give_read, give_end, give_error, NULL);
}

/* "Records: 5  Deleted: 0  Skipped: 1  Warnings: 2", in any language: the numbers count. */
static bool read_info(const char *info, struct load_result *result)
{
    int64_t numbers[4] = {0};
    int found = 0;
    for (const char *at = info; at && *at && found < 4; at++) {
        if (*at < '0' || *at > '9')
            continue;
        char *end;
        numbers[found++] = strtoll(at, &end, 10);
        at = end - 1;
    }
    *result = (struct load_result){numbers[0], numbers[2], numbers[3]};
    return found == 4;
}

enum haul_code my_load(struct connection *connection, const struct load *load, struct load_result *result,
                       struct haul_error *err)
{
    MYSQL *my = connection->my;
    struct cursor cursor = {load->data, load->length};
    *result = (struct load_result){0};
    if (!my)
        return my_fail(connection, err);
    mysql_set_local_infile_handler(my, give_init, give_read, give_end, give_error, &cursor);
    int failed = mysql_real_query(my, load->sql, strlen(load->sql));
    my_load_forbid(my);
    if (failed)
        return my_fail(connection, err);
    if (cursor.left || !read_info(mysql_info(my), result))
        return error_set(err, HAUL_INTEGRITY, "%s: the server did not read all of a load",
                         connection->server->name);
    return HAUL_OK;
}
