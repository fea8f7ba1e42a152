/*
 * guess.h: which type do these texts have? A type stays possible as long as
 * every text seen would print back unchanged from it: "007", "+1" and "1e5" are
 * no integers, "1.50" beside "1.5" is no decimal.
 */
#ifndef HAUL_FORMAT_CSV_GUESS_H
#define HAUL_FORMAT_CSV_GUESS_H

#include "format/csv/forms.h"

struct csv_guess {
    unsigned possible; /* bits of enum csv_kind */
    bool seen;         /* some value that was not NULL */
    int scale;         /* digits behind every point, -1 none seen yet */
    int whole;         /* most digits before the point */
    int fraction;      /* digits of seconds' fractions, -1 none seen */
    int zone;          /* 0 not seen, 1 none, 2 Z */
    bool beyond_nanos; /* a moment that nanoseconds cannot hold */
    bool finite;       /* a float that is a number */
};

enum csv_kind {
    CSV_KIND_BOOL,
    CSV_KIND_INTEGER,
    CSV_KIND_DATE,
    CSV_KIND_TIMESTAMP,
    CSV_KIND_TIME,
    CSV_KIND_DECIMAL, /* a constant number of fraction digits, none included */
    CSV_KIND_FLOAT,
    CSV_KIND_COUNT
};

void csv_guess_init(struct csv_guess *guess);

/* One value's text, quotes removed; not NULL. Of what is spelled in a form of its
 * own the canonical text is looked at. */
void csv_guess_add(struct csv_guess *guess, const struct csv_forms *forms, const char *text, size_t length);

/* Is float still to be asked? It is costly, so it is left out by csv_guess_add
 * and asked for in a second look at the sample, when nothing else fits. */
bool csv_guess_wants_float(const struct csv_guess *guess);
void csv_guess_add_float(struct csv_guess *guess, const struct csv_forms *forms, const char *text,
                         size_t length);

/* The first type that is possible; utf8 when none is, or nothing was seen. Sets
 * type, precision, scale, unit and timezone. */
void csv_guess_field(const struct csv_guess *guess, struct field *field);

/* Would this text fit the type that `guess` has come to? */
bool csv_guess_fits(const struct csv_guess *guess, const struct csv_forms *forms, const char *text,
                    size_t length);

#endif
