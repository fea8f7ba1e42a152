/* names.h: the names of columns, from a header or made up, each one once. */
#ifndef HAUL_FORMAT_CSV_NAMES_H
#define HAUL_FORMAT_CSV_NAMES_H

#include "batch/type.h"

/* Gives columns without a name "column1", ... (by place, from 1), and adds _2, _3
 * to names that stand there twice. *changed gets how many were doubled. */
enum haul_code csv_names_settle(struct schema *schema, int *changed, struct haul_error *err);

#endif
