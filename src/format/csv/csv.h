/* csv.h: the door of this wing: the CSV format for the registry. */
#ifndef HAUL_FORMAT_CSV_H
#define HAUL_FORMAT_CSV_H

#include "format/format.h"

extern const struct format format_csv;

#endif
