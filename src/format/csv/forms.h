/*
 * forms.h: dates, moments and numbers as a file spells them, when the user said
 * how: 31.12.2024, 12/31/2024 11:59 PM, 1.234,56.
 *
 * A spelled text becomes the canonical one (docs/canonical.md), and everything
 * else stays as it is: types are found and values are read from that text.
 */
#ifndef HAUL_FORMAT_CSV_FORMS_H
#define HAUL_FORMAT_CSV_FORMS_H

#include "base/settings.h"
#include "batch/type.h"

#define CSV_PATTERN_BYTES 64
#define CSV_FORM_BYTES    128 /* of a canonical text at most */

struct csv_forms {
    char date[CSV_PATTERN_BYTES];      /* a pattern of strptime's letters; "": canonical */
    char timestamp[CSV_PATTERN_BYTES]; /* the same */
    char point;                        /* of decimals; 0: '.' */
    char thousands;                    /* between groups of three digits; 0: none */
};

/* --date-format, --timestamp-format, --decimal-point, --thousands. `settings` may be NULL. */
enum haul_code csv_forms_init(struct csv_forms *forms, const struct settings *settings,
                              struct haul_error *err);

/* What is spelled in a form of its own. */
enum csv_form { CSV_FORM_NONE, CSV_FORM_DATE, CSV_FORM_TIMESTAMP, CSV_FORM_NUMBER };

/* The form of a column's values; NONE: they are canonical. */
enum csv_form csv_form_of(const struct csv_forms *forms, const struct field *field);

/* Writes the canonical text; returns its length, 0 when this is not spelled so. */
size_t csv_form_read(const struct csv_forms *forms, enum csv_form form, const char *text, size_t length,
                     char out[CSV_FORM_BYTES]);

#endif
