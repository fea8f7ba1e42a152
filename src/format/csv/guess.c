/*
 * guess.c: one test per kind, each for the canonical text only.
 *
 * Later fields are longer than sampled ones now and then, so decimals get the
 * 18 digits that cost nothing more in Parquet (or 38 when 18 are not enough).
 * Timestamps without fractions are taken in microseconds: their text is the
 * same in every unit, and seconds do not exist in Parquet.
 */
#include "format/csv/guess.h"

#include "base/number.h"
#include <math.h>
#include <string.h>

#define ALL_KINDS ((1u << CSV_KIND_COUNT) - 1)

void csv_guess_init(struct csv_guess *guess)
{
    *guess = (struct csv_guess){.possible = ALL_KINDS, .scale = -1, .fraction = -1};
}

static size_t count_digits(const char *text, size_t length)
{
    size_t count = 0;
    while (count < length && text[count] >= '0' && text[count] <= '9')
        count++;
    return count;
}

static bool is_zero(const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if (text[i] != '0' && text[i] != '.')
            return false;
    return true;
}

/* "-12.50" is 2 digits, a point and 2 digits. False: not canonical. */
static bool number_shape(const char *text, size_t length, int *whole, int *scale)
{
    bool negative = length && *text == '-';
    text += negative;
    length -= negative;
    size_t before = count_digits(text, length);
    if (before == 0 || before > DECIMAL_PRECISION_MAX || (*text == '0' && before > 1))
        return false;
    size_t behind = 0;
    if (before < length) {
        behind = count_digits(text + before + 1, length - before - 1);
        if (text[before] != '.' || behind == 0 || before + 1 + behind != length)
            return false;
    }
    if (negative && is_zero(text, length))
        return false;
    *whole = *text == '0' ? 0 : (int)before;
    *scale = (int)behind;
    return behind <= DECIMAL_PRECISION_MAX;
}

static bool try_decimal(struct csv_guess *guess, const char *text, size_t length)
{
    int whole, scale;
    if (!number_shape(text, length, &whole, &scale) || (guess->scale >= 0 && guess->scale != scale))
        return false;
    guess->scale = scale;
    if (whole > guess->whole)
        guess->whole = whole;
    return guess->whole + scale <= DECIMAL_PRECISION_MAX;
}

static bool try_integer(const char *text, size_t length)
{
    int whole, scale;
    int64_t value;
    return number_shape(text, length, &whole, &scale) && scale == 0 && number_parse_i64(text, length, &value);
}

static bool try_bool(const char *text, size_t length)
{
    return (length == 4 && !memcmp(text, "true", 4)) || (length == 5 && !memcmp(text, "false", 5));
}

static bool try_date(const char *text, size_t length)
{
    int64_t days;
    return length == 10 && memcmp(text, "0000", 4) && calendar_parse_date(text, length, &days);
}

/* The fraction behind "HH:MM:SS": none, or 3, 6 or 9 digits that are not all 0. */
static bool try_fraction(struct csv_guess *guess, const char *text, size_t length)
{
    if (length == 0)
        return true;
    int digits = (int)length - 1;
    if ((digits != 3 && digits != 6 && digits != 9) || is_zero(text, length))
        return false;
    if (guess->fraction >= 0 && guess->fraction != digits)
        return false;
    guess->fraction = digits;
    return true;
}

static bool try_time(struct csv_guess *guess, const char *text, size_t length)
{
    int64_t value;
    return length >= 8 && calendar_parse_time(text, length, TIME_NANO, &value) &&
           try_fraction(guess, text + 8, length - 8);
}

static bool try_timestamp(struct csv_guess *guess, const char *text, size_t length)
{
    int64_t value;
    bool zoned = length && text[length - 1] == 'Z';
    length -= zoned;
    if (length < 19 || text[10] != ' ' || !memcmp(text, "0000", 4) ||
        !calendar_parse_moment(text, length, length > 26 ? TIME_NANO : TIME_MICRO, &value, NULL))
        return false;
    int zone = zoned ? 2 : 1;
    if ((guess->zone && guess->zone != zone) || !try_fraction(guess, text + 19, length - 19))
        return false;
    guess->zone = zone;
    if (!guess->beyond_nanos)
        guess->beyond_nanos = !calendar_parse_moment(text, length, TIME_NANO, &value, NULL);
    return !(guess->beyond_nanos && guess->fraction == 9);
}

/* The canonical text of a kind that is spelled in a form of its own. */
static bool turn(const struct csv_forms *forms, enum csv_kind kind, const char **text, size_t *length,
                 char room[CSV_FORM_BYTES])
{
    static const enum type_id types[CSV_KIND_COUNT] = {TYPE_BOOL, TYPE_INT64,   TYPE_DATE,   TYPE_TIMESTAMP,
                                                       TYPE_TIME, TYPE_DECIMAL, TYPE_FLOAT64};
    enum csv_form form = csv_form_of(forms, &(struct field){.type = types[kind]});
    if (form == CSV_FORM_NONE)
        return true;
    *length = csv_form_read(forms, form, *text, *length, room);
    *text = room;
    return *length > 0;
}

static bool try_kind(struct csv_guess *guess, const struct csv_forms *forms, enum csv_kind kind,
                     const char *text, size_t length)
{
    char room[CSV_FORM_BYTES];
    if (!turn(forms, kind, &text, &length, room))
        return false;
    switch (kind) {
    case CSV_KIND_BOOL:
        return try_bool(text, length);
    case CSV_KIND_INTEGER:
        return try_integer(text, length);
    case CSV_KIND_DATE:
        return try_date(text, length);
    case CSV_KIND_TIMESTAMP:
        return try_timestamp(guess, text, length);
    case CSV_KIND_TIME:
        return try_time(guess, text, length);
    case CSV_KIND_DECIMAL:
        return try_decimal(guess, text, length);
    default:
        return true;
    }
}

void csv_guess_add(struct csv_guess *guess, const struct csv_forms *forms, const char *text, size_t length)
{
    const unsigned others = guess->possible & ~(1u << CSV_KIND_FLOAT);
    guess->seen = true;
    for (unsigned kind = 0; kind < CSV_KIND_FLOAT && others >> kind; kind++)
        if ((others >> kind & 1) && !try_kind(guess, forms, (enum csv_kind)kind, text, length))
            guess->possible &= ~(1u << kind);
}

bool csv_guess_wants_float(const struct csv_guess *guess)
{
    return guess->seen && guess->possible == 1u << CSV_KIND_FLOAT;
}

void csv_guess_add_float(struct csv_guess *guess, const struct csv_forms *forms, const char *text,
                         size_t length)
{
    char printed[NUMBER_TEXT_BYTES], room[CSV_FORM_BYTES];
    double value = 0;
    if (!csv_guess_wants_float(guess))
        return;
    if (!turn(forms, CSV_KIND_FLOAT, &text, &length, room) || !number_parse_f64(text, length, &value) ||
        length >= sizeof printed || number_print_f64(value, printed) != length ||
        memcmp(printed, text, length) != 0)
        guess->possible = 0;
    guess->finite = guess->finite || isfinite(value);
}

static enum csv_kind first_kind(const struct csv_guess *guess)
{
    unsigned possible = guess->seen ? guess->possible : 0;
    if (!guess->finite) /* "nan" alone is a word */
        possible &= ~(1u << CSV_KIND_FLOAT);
    return possible ? (enum csv_kind)__builtin_ctz(possible) : CSV_KIND_COUNT;
}

static enum time_unit unit_of(const struct csv_guess *guess)
{
    return guess->fraction == 3 ? TIME_MILLI : guess->fraction == 9 ? TIME_NANO : TIME_MICRO;
}

void csv_guess_field(const struct csv_guess *guess, struct field *field)
{
    static const enum type_id types[CSV_KIND_COUNT + 1] = {
        TYPE_BOOL, TYPE_INT64, TYPE_DATE, TYPE_TIMESTAMP, TYPE_TIME, TYPE_DECIMAL, TYPE_FLOAT64, TYPE_UTF8};
    enum csv_kind kind = first_kind(guess);
    field->type = types[kind];
    if (kind == CSV_KIND_DECIMAL) {
        field->scale = guess->scale;
        field->precision = guess->whole + guess->scale <= 18 ? 18 : DECIMAL_PRECISION_MAX;
    }
    if (kind == CSV_KIND_TIME || kind == CSV_KIND_TIMESTAMP)
        field->unit = unit_of(guess);
    if (kind == CSV_KIND_TIMESTAMP && guess->zone == 2)
        field->timezone = "UTC";
}

bool csv_guess_fits(const struct csv_guess *guess, const struct csv_forms *forms, const char *text,
                    size_t length)
{
    enum csv_kind kind = first_kind(guess);
    double value;
    struct csv_guess copy = *guess;
    char room[CSV_FORM_BYTES];
    if (kind == CSV_KIND_FLOAT)
        return turn(forms, kind, &text, &length, room) && number_parse_f64(text, length, &value);
    return kind == CSV_KIND_COUNT || try_kind(&copy, forms, kind, text, length);
}
