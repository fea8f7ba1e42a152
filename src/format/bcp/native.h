/*
 * native.h: the host types whose values are stored as SQL Server's programs keep them
 * in memory: which function reads and writes each (native.c and encode_native.c both
 * have one of that name), and the limits of days and ticks.
 */
#ifndef HAUL_FORMAT_BCP_NATIVE_H
#define HAUL_FORMAT_BCP_NATIVE_H

#define BCP_NATIVES(ROW)                                                                                     \
    ROW(TINYINT, plain_1)                                                                                    \
    ROW(SMALLINT, plain_2)                                                                                   \
    ROW(INT, plain_4)                                                                                        \
    ROW(BIGINT, plain_8)                                                                                     \
    ROW(BIT, bit)                                                                                            \
    ROW(FLT4, flt4)                                                                                          \
    ROW(FLT8, flt8)                                                                                          \
    ROW(MONEY, money)                                                                                        \
    ROW(MONEY4, money4)                                                                                      \
    ROW(DECIMAL, decimal)                                                                                    \
    ROW(NUMERIC, decimal)                                                                                    \
    ROW(DATETIME, datetime)                                                                                  \
    ROW(DATETIM4, datetim4)                                                                                  \
    ROW(DATE, date)                                                                                          \
    ROW(TIME, time)                                                                                          \
    ROW(DATETIME2, datetime2)                                                                                \
    ROW(DATETIMEOFFSET, datetimeoffset)                                                                      \
    ROW(UNIQUEID, uniqueid)

/* Of a table by host type. */
#define BCP_NATIVE_ROW(host, name) [HOST_##host] = name,

#define DAYS_TO_1970   719162 /* from 0001-01-01 */
#define DAYS_1900_1970 25567
#define DAY_MAX        3652058  /* 9999-12-31, from 0001-01-01 */
#define DATETIME_MIN   (-53690) /* 1753-01-01, from 1900-01-01 */
#define DATETIME_MAX   2958463  /* 9999-12-31 */

/* The first three groups of a uniqueidentifier are little-endian in the file. */
#define BCP_UNIQUEID_ORDER                                                                                   \
    {                                                                                                        \
        3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15                                                 \
    }

#endif
