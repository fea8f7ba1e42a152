/* text.h: durations and UUIDs as text, both ways, for print.c and parse.c. */
#ifndef HAUL_BATCH_TEXT_H
#define HAUL_BATCH_TEXT_H

#include "batch/type.h"

#define UUID_TEXT_BYTES 36

bool field_is_uuid(const struct field *field);

/* "PT1.5S", "-PT0.000001S": seconds only, so that nothing depends on how long a
 * day is. No fraction when it is zero. Returns the length (<= CALENDAR_TEXT_BYTES). */
size_t duration_print(int64_t value, enum time_unit unit, char *out);
bool duration_parse(const char *text, size_t length, enum time_unit unit, int64_t *value);

void uuid_print(const uint8_t bytes[16], char out[UUID_TEXT_BYTES]); /* 8-4-4-4-12, lower case */
bool uuid_parse(const char *text, size_t length, uint8_t bytes[16]); /* also without hyphens or in braces */

int hex_value(char c); /* -1 */

#endif
