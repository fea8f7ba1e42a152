/*
 * encode_text.c: values whose text in a BCP file is not that of CSV: bits, moments
 * with the digits of their SQL type, identifiers in capitals, variants. All others
 * are printed by format/cell.c.
 */
#include "format/bcp/encode.h"
#include "format/bcp/native.h"

#include "batch/text.h"
#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#define OUT_OF_RANGE "Datetime field overflow: outside of the years 1 to 9999"
#define TOO_FINE     "Datetime field overflow: finer than the column's type says"

static void bit(struct bcp_encoder *encoder, const struct view *view, struct cells *cells)
{
    for (size_t r = 0; r < cells->rows; r++) {
        uint8_t *slot = bcp_slot(encoder, r);
        *slot = (uint8_t)('0' + bit_get(view->values, cells->from + (int64_t)r));
        cell_set(cells, r, slot, 1);
    }
}

static void uuid(struct bcp_encoder *encoder, const struct view *view, struct cells *cells)
{
    for (size_t r = 0; r < cells->rows; r++) {
        uint8_t *slot = bcp_slot(encoder, r);
        uuid_print(view->values + ((size_t)cells->from + r) * 16, (char *)slot);
        for (int i = 0; i < UUID_TEXT_BYTES; i++)
            slot[i] = (uint8_t)toupper(slot[i]);
        cell_set(cells, r, slot, UUID_TEXT_BYTES);
    }
}

/* ---- floats ---- */

#define FINITE(name, type, print_one)                                                                        \
    static void name(struct bcp_encoder *encoder, const struct view *view, struct cells *cells)              \
    {                                                                                                        \
        const type *values = (const type *)(const void *)view->values + cells->from;                         \
        for (size_t r = 0; r < cells->rows; r++) {                                                           \
            uint8_t *slot = bcp_slot(encoder, r);                                                            \
            if (isfinite(values[r]))                                                                         \
                cell_set(cells, r, slot, print_one(values[r], (char *)slot));                                \
            else                                                                                             \
                cell_refuse(cells, r, "SQL Server has no infinity and no NaN");                              \
        }                                                                                                    \
    }

FINITE(print_f32, float, number_print_f32)
FINITE(print_f64, double, number_print_f64)

/* ---- moments ---- */

/* Digits of a second that the column's text has. */
static int digits_of(const struct bcp_encoder *encoder)
{
    switch (encoder->type.sql) {
    case SQL_SMALLDATETIME:
        return 0;
    case SQL_DATETIME:
        return 3;
    default:
        return encoder->type.scale;
    }
}

/* "HH:MM:SS.fff"; NULL or what is wrong. */
static const char *put_clock(uint8_t **out, int64_t units, int digits)
{
    static const int64_t steps[] = {10000000, 1000000, 100000, 10000, 1000, 100, 10, 1};
    int64_t fraction = units % 10000000;
    cell_put_clock(*out, (uint32_t)(units / 10000000));
    *out += 8;
    if (fraction % steps[digits])
        return TOO_FINE;
    if (!digits)
        return NULL;
    fraction /= steps[digits];
    (*out)[0] = '.';
    for (int i = digits; i > 0; i--, fraction /= 10)
        (*out)[i] = (uint8_t)('0' + fraction % 10);
    *out += digits + 1;
    return NULL;
}

static const char *put_moment(const struct bcp_encoder *encoder, struct bcp_moment moment, int digits,
                              uint8_t **out)
{
    if (moment.offset) {
        moment.units += (int64_t)moment.offset * 600000000;
        int64_t step = moment.units < 0 ? -1 : moment.units >= BCP_DAY_UNITS ? 1 : 0;
        moment.days += step;
        moment.units -= step * BCP_DAY_UNITS;
    }
    if (moment.days < -DAYS_TO_1970 || moment.days > DAY_MAX - DAYS_TO_1970)
        return OUT_OF_RANGE;
    if (!moment.exact)
        return TOO_FINE;
    cell_put_date(*out, (int32_t)moment.days);
    (*out)[10] = ' ';
    *out += 11;
    const char *why = put_clock(out, moment.units, digits);
    if (why || encoder->type.sql != SQL_DATETIMEOFFSET)
        return why;
    int size = moment.offset < 0 ? -moment.offset : moment.offset;
    *out +=
        snprintf((char *)*out, 8, " %c%02d:%02d", moment.offset < 0 ? '-' : '+', size / 60 % 24, size % 60);
    return NULL;
}

static void moments(struct bcp_encoder *encoder, const struct view *view, struct cells *cells)
{
    const int digits = digits_of(encoder);
    bcp_moments_find(&encoder->moments, view);
    for (size_t r = 0; r < cells->rows; r++) {
        uint8_t *slot = bcp_slot(encoder, r), *end = slot;
        const char *why = put_moment(encoder, bcp_moment_at(encoder, cells->from + (int64_t)r), digits, &end);
        if (why)
            cell_refuse(cells, r, why);
        else
            cell_set(cells, r, slot, (size_t)(end - slot));
    }
}

static void times(struct bcp_encoder *encoder, const struct view *view, struct cells *cells)
{
    const int digits = digits_of(encoder);
    bcp_moments_find(&encoder->moments, view);
    for (size_t r = 0; r < cells->rows; r++) {
        uint8_t *slot = bcp_slot(encoder, r), *end = slot;
        struct bcp_moment moment = bcp_moment_at(encoder, cells->from + (int64_t)r);
        const char *why = moment.days     ? OUT_OF_RANGE
                          : !moment.exact ? TOO_FINE
                                          : put_clock(&end, moment.units, digits);
        if (why)
            cell_refuse(cells, r, why);
        else
            cell_set(cells, r, slot, (size_t)(end - slot));
    }
}

bcp_encode_fn bcp_text_choose(const struct bcp_encoder *encoder)
{
    switch (encoder->field->type) {
    case TYPE_BOOL:
        return bit;
    case TYPE_FLOAT32:
        return print_f32;
    case TYPE_FLOAT64:
        return print_f64;
    case TYPE_TIME:
        return times;
    case TYPE_TIMESTAMP:
        return moments;
    case TYPE_STRUCT:
        return encoder->type.sql == SQL_VARIANT ? NULL : moments;
    case TYPE_FIXED_BINARY:
        return field_is_uuid(encoder->field) ? uuid : NULL;
    default:
        return NULL;
    }
}
