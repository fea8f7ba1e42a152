/* uri_mssql.c: one engine's URI parser for the target `uri` (each has a struct server of its own). */
#include "database/mssql/server.h"

enum haul_code uri_mssql(const char *uri, struct haul_error *err);

enum haul_code uri_mssql(const char *uri, struct haul_error *err)
{
    struct server server;
    enum haul_code code = ms_server_parse(&server, uri, err);
    if (!code)
        ms_server_release(&server);
    return code;
}
