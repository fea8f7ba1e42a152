/* moment.h: how SQL Server counts days and times, and how far they reach. */
#ifndef HAUL_DATABASE_MSSQL_MOMENT_H
#define HAUL_DATABASE_MSSQL_MOMENT_H

#include <stdint.h>

#define DAYS_TO_1970   719162 /* from 0001-01-01 */
#define DAYS_1900_1970 25567
#define DAY_MAX        3652058
#define DAY_US         ((int64_t)86400 * 1000000)
#define DAY_NS         (DAY_US * 1000)
#define DAY_TICKS      25920000u /* of 1/300 s */
#define OFFSET_MAX     840       /* minutes */
#define DATETIME_MIN   (-53690)  /* 1753-01-01, from 1900-01-01 */
#define DATETIME_MAX   2958463   /* 9999-12-31 */

#endif
