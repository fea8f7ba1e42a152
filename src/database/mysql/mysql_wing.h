/*
 * mysql_wing.h: the MySQL and MariaDB wing's two doors. `uri` is what the user
 * wrote, whole: mysql://user@host:port/database?parameter=value, or mariadb://.
 * User and password it leaves out come from MYSQL_PWD and ~/.my.cnf. (The
 * library's own header is called mysql.h, hence this name.)
 */
#ifndef HAUL_DATABASE_MYSQL_MYSQL_WING_H
#define HAUL_DATABASE_MYSQL_MYSQL_WING_H

#include "batch/sink.h"
#include "batch/source.h"

enum haul_code mysql_source_open(const char *uri, const struct context *context,
                                 const struct source_request *request, struct source **source,
                                 struct haul_error *err);
enum haul_code mysql_sink_open(const char *uri, const struct context *context, struct sink **sink,
                               struct haul_error *err);

#endif
