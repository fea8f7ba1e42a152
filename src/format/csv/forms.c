/*
 * forms.c: patterns like strptime's, and numbers with another point.
 *
 * Letters: %Y %y (69..99 are 1969..1999, 00..68 2000..2068), %m %d, %b or %B (the
 * month's English name, three letters or all), %H %I %M %S, %p (AM, PM), %f (1 to
 * 9 digits behind a second), %z (Z, +hh:mm, +hhmm, +hh), %%. Numbers may lack
 * their leading zero; everything else stands as in the pattern. A pattern must say
 * all of a date, and of a moment the hour, so that no value is a guess. What a
 * day or a clock cannot be (31.02., 13 PM) is refused by who reads the canonical
 * text, or here where that would not show it.
 */
#include "format/csv/forms.h"

#include "base/calendar.h"
#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define GROUP_DIGITS 3

/* ---- options ---- */

struct letters {
    bool year, month, day, hour24, hour12, minute, half, clock; /* clock: any of a time of day */
};

static bool letter_note(struct letters *found, char letter)
{
    switch (letter) {
    case 'Y':
    case 'y':
        return found->year = true;
    case 'm':
    case 'b':
    case 'B':
        return found->month = true;
    case 'd':
        return found->day = true;
    case 'H':
        return found->clock = found->hour24 = true;
    case 'I':
        return found->clock = found->hour12 = true;
    case 'p':
        return found->clock = found->half = true;
    case 'M':
        return found->clock = found->minute = true;
    case 'S':
    case 'f':
    case 'z':
        return found->clock = true;
    default:
        return letter == '%';
    }
}

static enum haul_code set_pattern(const char *option, const char *text, bool moment, char *out,
                                  struct haul_error *err)
{
    struct letters found = {0};
    if (strlen(text) >= CSV_PATTERN_BYTES)
        return error_set(err, HAUL_USAGE, "--%s takes at most %d bytes", option, CSV_PATTERN_BYTES - 1);
    for (const char *at = text; *at; at++)
        if (*at == '%' && (!at[1] || !letter_note(&found, *++at)))
            return error_set(
                err, HAUL_USAGE,
                "--%s '%s': %%%c is not known; there are %%Y %%y %%m %%b %%d %%H %%I %%M %%S %%p %%f "
                "%%z %%%%",
                option, text, *at);
    bool hour = found.hour24 || (found.hour12 && found.half);
    if (!found.year || !found.month || !found.day || (moment && !hour) || (!moment && found.clock))
        return error_set(err, HAUL_USAGE, "--%s '%s': it needs %s", option, text,
                         moment
                             ? "year, month, day and hour, such as '%d.%m.%Y %H:%M:%S' or '%m/%d/%Y %I:%M %p'"
                             : "year, month and day and no more, such as %d.%m.%Y or %m/%d/%y");
    memcpy(out, text, strlen(text) + 1);
    return HAUL_OK;
}

static enum haul_code set_char(const char *option, const char *text, const char *allowed, char *out,
                               struct haul_error *err)
{
    if (strlen(text) != 1 || !strchr(allowed, text[0]))
        return error_set(err, HAUL_USAGE, "--%s takes one character of [%s], not '%s'", option, allowed,
                         text);
    *out = text[0];
    return HAUL_OK;
}

enum haul_code csv_forms_init(struct csv_forms *forms, const struct settings *settings,
                              struct haul_error *err)
{
    *forms = (struct csv_forms){0};
    if (!settings)
        return HAUL_OK;
    const char *date = settings_text(settings, "date-format");
    const char *timestamp = settings_text(settings, "timestamp-format");
    const char *point = settings_text(settings, "decimal-point");
    const char *thousands = settings_text(settings, "thousands");
    if ((date && set_pattern("date-format", date, false, forms->date, err)) ||
        (timestamp && set_pattern("timestamp-format", timestamp, true, forms->timestamp, err)) ||
        (point && set_char("decimal-point", point, ".,", &forms->point, err)) ||
        (thousands && set_char("thousands", thousands, ".,' _", &forms->thousands, err)))
        return err->code;
    if (forms->thousands && forms->thousands == (forms->point ? forms->point : '.'))
        return error_set(err, HAUL_USAGE, "--thousands %c is the decimal point, too; give --decimal-point",
                         forms->thousands);
    return HAUL_OK;
}

enum csv_form csv_form_of(const struct csv_forms *forms, const struct field *field)
{
    bool numbers = (forms->point && forms->point != '.') || forms->thousands;
    if (field->type == TYPE_DATE)
        return forms->date[0] ? CSV_FORM_DATE : CSV_FORM_NONE;
    if (field->type == TYPE_TIMESTAMP)
        return forms->timestamp[0] ? CSV_FORM_TIMESTAMP : CSV_FORM_NONE;
    return numbers && field->type >= TYPE_INT8 && field->type <= TYPE_DECIMAL ? CSV_FORM_NUMBER
                                                                              : CSV_FORM_NONE;
}

/* ---- dates and moments ---- */

struct moment {
    int year, month, day, hour, minute, second, nanos, zone_minutes;
    bool fraction, zone, half, pm;
};

/* The text as far as it is read. */
struct place {
    const char *at, *end;
};

static bool take_number(struct place *place, int digits_max, int *out)
{
    int count = 0;
    *out = 0;
    for (; count < digits_max && place->at < place->end && isdigit((unsigned char)*place->at); count++)
        *out = *out * 10 + (*place->at++ - '0');
    return count > 0;
}

static bool take_year(struct place *place, int digits, int *out)
{
    const char *start = place->at;
    if (!take_number(place, digits, out) || place->at - start != digits)
        return false;
    if (digits == 2)
        *out += *out >= 69 ? 1900 : 2000;
    return true;
}

static bool take_month_name(struct place *place, int *out)
{
    static const char *const names[] = {"January",   "February", "March",    "April",
                                        "May",       "June",     "July",     "August",
                                        "September", "October",  "November", "December"};
    for (int i = 0; i < 12; i++) {
        size_t left = (size_t)(place->end - place->at), whole = strlen(names[i]);
        size_t length = left >= whole && !strncasecmp(place->at, names[i], whole) ? whole : 3;
        if (left < length || strncasecmp(place->at, names[i], length) != 0)
            continue;
        place->at += length;
        *out = i + 1;
        return true;
    }
    return false;
}

static bool take_half(struct place *place, struct moment *moment)
{
    if (place->end - place->at < 2 || tolower((unsigned char)place->at[1]) != 'm')
        return false;
    int letter = tolower((unsigned char)place->at[0]);
    moment->half = true;
    moment->pm = letter == 'p';
    place->at += 2;
    return letter == 'a' || letter == 'p';
}

static bool take_fraction(struct place *place, struct moment *moment)
{
    const char *start = place->at;
    if (!take_number(place, 9, &moment->nanos))
        return false;
    for (long digits = place->at - start; digits < 9; digits++)
        moment->nanos *= 10;
    return moment->fraction = true;
}

static bool take_zone(struct place *place, struct moment *moment)
{
    int hours = 0, minutes = 0;
    moment->zone = true;
    if (place->at == place->end)
        return false;
    char sign = *place->at++;
    if (sign == 'Z' || sign == 'z')
        return true;
    const char *start = place->at;
    if ((sign != '+' && sign != '-') || !take_number(place, 2, &hours) || place->at - start != 2)
        return false;
    place->at += place->at < place->end && *place->at == ':';
    start = place->at;
    if (take_number(place, 2, &minutes) && place->at - start != 2)
        return false;
    moment->zone_minutes = (hours * 60 + minutes) * (sign == '-' ? -1 : 1);
    return hours < 24 && minutes < 60;
}

static bool take_letter(struct place *place, char letter, struct moment *moment)
{
    switch (letter) {
    case 'Y':
        return take_year(place, 4, &moment->year);
    case 'y':
        return take_year(place, 2, &moment->year);
    case 'm':
        return take_number(place, 2, &moment->month);
    case 'b':
    case 'B':
        return take_month_name(place, &moment->month);
    case 'd':
        return take_number(place, 2, &moment->day);
    case 'H':
        return take_number(place, 2, &moment->hour);
    case 'I':
        return take_number(place, 2, &moment->hour) && moment->hour >= 1 && moment->hour <= 12;
    case 'M':
        return take_number(place, 2, &moment->minute);
    case 'S':
        return take_number(place, 2, &moment->second);
    case 'p':
        return take_half(place, moment);
    case 'f':
        return take_fraction(place, moment);
    case 'z':
        return take_zone(place, moment);
    default:
        return place->at < place->end && *place->at++ == letter;
    }
}

static bool take_pattern(const char *pattern, struct place *place, struct moment *moment)
{
    for (; *pattern; pattern++) {
        bool letter = *pattern == '%';
        pattern += letter;
        bool fits = letter ? take_letter(place, *pattern, moment)
                           : place->at < place->end && *place->at++ == *pattern;
        if (!fits)
            return false;
    }
    if (moment->half)
        moment->hour = moment->hour % 12 + (moment->pm ? 12 : 0);
    return place->at == place->end && calendar_valid(moment->year, moment->month, moment->day) &&
           moment->hour < 24 && moment->minute < 60 && moment->second < 60;
}

static size_t print_moment(const struct moment *moment, char out[CSV_FORM_BYTES])
{
    int64_t days = calendar_days(moment->year, moment->month, moment->day);
    int64_t seconds =
        ((days * 24 + moment->hour) * 60 + moment->minute - moment->zone_minutes) * 60 + moment->second;
    size_t length = calendar_print_timestamp(seconds, TIME_SECOND, false, true, out);
    if (moment->fraction && moment->nanos % 1000)
        length += (size_t)snprintf(out + length, 16, ".%09d", moment->nanos);
    else if (moment->fraction && moment->nanos)
        length += (size_t)snprintf(out + length, 16, ".%06d", moment->nanos / 1000);
    if (moment->zone)
        out[length++] = 'Z';
    return length;
}

/* ---- numbers ---- */

/* The digits before the point, groups of three joined; false: grouped otherwise. */
static bool join_groups(char thousands, struct place *place, char *out, size_t *made)
{
    int run = 0, groups = 0;
    for (; place->at < place->end; place->at++) {
        if (isdigit((unsigned char)*place->at)) {
            out[(*made)++] = *place->at;
            run++;
        } else if (thousands && *place->at == thousands) {
            if (run == 0 || run > GROUP_DIGITS || (groups && run != GROUP_DIGITS))
                return false;
            groups++;
            run = 0;
        } else {
            break;
        }
    }
    return !groups || run == GROUP_DIGITS;
}

static size_t read_number(const struct csv_forms *forms, struct place place, char out[CSV_FORM_BYTES])
{
    const char point = forms->point ? forms->point : '.';
    size_t made = 0;
    if (place.end - place.at >= CSV_FORM_BYTES - 1)
        return 0;
    if (place.at < place.end && (*place.at == '-' || *place.at == '+'))
        out[made++] = *place.at++;
    if (!join_groups(forms->thousands, &place, out, &made))
        return 0;
    for (bool seen = false; place.at < place.end; place.at++) { /* what is no number shows when it is read */
        bool is_point = *place.at == point && !seen;
        if (*place.at == '.' && !is_point)
            return 0;
        seen |= is_point;
        out[made++] = is_point ? '.' : *place.at;
    }
    return made;
}

size_t csv_form_read(const struct csv_forms *forms, enum csv_form form, const char *text, size_t length,
                     char out[CSV_FORM_BYTES])
{
    struct place place = {text, text + length};
    struct moment moment = {0};
    if (form == CSV_FORM_NUMBER)
        return read_number(forms, place, out);
    if (!take_pattern(form == CSV_FORM_DATE ? forms->date : forms->timestamp, &place, &moment))
        return 0;
    if (form == CSV_FORM_TIMESTAMP)
        return print_moment(&moment, out);
    return calendar_print_date(calendar_days(moment.year, moment.month, moment.day), out);
}
