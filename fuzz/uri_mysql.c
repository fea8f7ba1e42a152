/* uri_mysql.c: one engine's URI parser for the target `uri` (each has a struct server of its own). */
#include "database/mysql/connect.h"

enum haul_code uri_mysql(const char *uri, struct haul_error *err);

enum haul_code uri_mysql(const char *uri, struct haul_error *err)
{
    struct server server;
    enum haul_code code = my_server_parse(&server, uri, NULL, err);
    if (!code)
        my_server_release(&server);
    return code;
}
