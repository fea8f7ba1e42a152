/*
 * parameter.h: --parameters "12, 'fred', NULL": values for a function or for
 * @p1, @p2, ... in a query, bound and never pasted.
 *
 *     value = NULL | number | 0xHEX | 'text', quotes doubled | N'text'
 *
 * A whole number is an int or a bigint, one with a point a decimal, one with an
 * exponent a float.
 */
#ifndef HAUL_DATABASE_MSSQL_PARAMETER_H
#define HAUL_DATABASE_MSSQL_PARAMETER_H

#include "database/mssql/session.h"

#define MS_PARAMETERS_MAX 2000 /* a server takes 2,100, ours and its own */

enum ms_parameter_kind {
    PARAMETER_NULL,
    PARAMETER_INTEGER,
    PARAMETER_DECIMAL,
    PARAMETER_FLOAT,
    PARAMETER_TEXT,
    PARAMETER_BYTES
};

struct ms_parameter {
    enum ms_parameter_kind kind;
    const char *text; /* TEXT: UTF-8; DECIMAL: its digits */
    int64_t integer;
    double real;
    const uint8_t *bytes;
    size_t length; /* of bytes */
    int precision, scale;
};

struct ms_parameters {
    struct ms_parameter *list;
    int count;
};

enum haul_code ms_parameters_parse(const char *text, struct arena *arena, struct ms_parameters *parameters,
                                   struct haul_error *err);

/* Sends `sql`, by sp_executesql with the parameters @p1, @p2, ... when there are any. */
enum haul_code ms_send_call(struct session *session, const char *sql, const struct ms_parameters *parameters,
                            struct haul_error *err);

#endif
