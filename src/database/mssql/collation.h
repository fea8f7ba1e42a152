/* collation.h: which code page the five bytes of a collation mean. */
#ifndef HAUL_DATABASE_MSSQL_COLLATION_H
#define HAUL_DATABASE_MSSQL_COLLATION_H

#include <stdint.h>

/* 65001 for UTF-8; 1252 when the locale is none that is known. */
int ms_collation_page(const uint8_t collation[5]);

#endif
