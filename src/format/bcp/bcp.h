/* bcp.h: the door of this wing: the data files of SQL Server's bcp for the registry. */
#ifndef HAUL_FORMAT_BCP_H
#define HAUL_FORMAT_BCP_H

#include "format/format.h"

extern const struct format format_bcp;

/* The format file that describes `schema` as the settings of `context` wish it
 * (--storage, --field-end, --row-end, --format-xml), appended to `out`. */
enum haul_code bcp_format_text(const struct context *context, const struct schema *schema, struct buffer *out,
                               struct haul_error *err);

#endif
