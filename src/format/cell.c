/*
 * cell.c: integers, decimals, dates, times and booleans as text, in the
 * forms of docs/canonical.md (those of base/number.h and base/calendar.h, which
 * also print what is rare here: wide decimals, years beyond 9999).
 *
 * Digits are made from the end of a slot, two at a time. A day becomes year,
 * month and day by three multiplications (Neri and Schneider 2022: Euclidean
 * affine functions).
 */
#include "format/cell.h"

#include "base/digits.h"
#include "base/number.h"
#include <string.h>

/* The end of the digits in a slot; behind it room for padding. */
#define SLOT_END 44u

static inline uint8_t *put_pair(uint8_t *end, uint64_t value)
{
    memcpy(end - 2, number_pairs + 2 * value, 2);
    return end - 2;
}

/* The digits of `value` before `end`; returns where they begin. */
static inline uint8_t *put_digits(uint8_t *end, uint64_t value)
{
    while (value >= 100) {
        uint64_t rest = value / 100;
        end = put_pair(end, value - rest * 100);
        value = rest;
    }
    if (value >= 10)
        return put_pair(end, value);
    *--end = (uint8_t)('0' + value);
    return end;
}

static inline uint8_t *slot_of(uint8_t *slots, size_t row)
{
    return slots + row * CELL_SLOT_BYTES;
}

/* ---- integers ---- */

static inline uint8_t *print_signed(uint8_t *slot, int64_t value)
{
    uint64_t size = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
    uint8_t *start = put_digits(slot + SLOT_END, size);
    if (value < 0)
        *--start = '-';
    return start;
}

#define INTEGER_COLUMN(name, type)                                                                           \
    static void name(uint8_t *slots, const struct view *view, struct cells *cells)                           \
    {                                                                                                        \
        const type *values = (const type *)(const void *)view->values + cells->from;                         \
        for (size_t r = 0; r < cells->rows; r++) {                                                           \
            uint8_t *slot = slot_of(slots, r);                                                               \
            uint8_t *start = print_signed(slot, (int64_t)values[r]);                                         \
            cell_set(cells, r, start, (size_t)(slot + SLOT_END - start));                                    \
        }                                                                                                    \
    }

INTEGER_COLUMN(print_i8, int8_t)
INTEGER_COLUMN(print_i16, int16_t)
INTEGER_COLUMN(print_i32, int32_t)
INTEGER_COLUMN(print_i64, int64_t)
INTEGER_COLUMN(print_u8, uint8_t)
INTEGER_COLUMN(print_u16, uint16_t)
INTEGER_COLUMN(print_u32, uint32_t)

static void print_u64(uint8_t *slots, const struct view *view, struct cells *cells)
{
    const uint64_t *values = (const uint64_t *)(const void *)view->values + cells->from;
    for (size_t r = 0; r < cells->rows; r++) {
        uint8_t *slot = slot_of(slots, r);
        uint8_t *start = put_digits(slot + SLOT_END, values[r]);
        cell_set(cells, r, start, (size_t)(slot + SLOT_END - start));
    }
}

/* ---- decimals ---- */

/* The last `scale` digits, a point, the rest. */
static inline uint8_t *print_scaled(uint8_t *slot, uint64_t size, int scale)
{
    uint8_t *end = slot + SLOT_END;
    for (; scale >= 2; scale -= 2) {
        uint64_t rest = size / 100;
        end = put_pair(end, size - rest * 100);
        size = rest;
    }
    if (scale) {
        uint64_t rest = size / 10;
        *--end = (uint8_t)('0' + (size - rest * 10));
        size = rest;
    }
    *--end = '.';
    return put_digits(end, size);
}

static void print_decimal(uint8_t *slots, const struct view *view, struct cells *cells)
{
    const uint8_t *values = view->values + (size_t)cells->from * sizeof(int128_t);
    const int scale = view->field->scale;
    for (size_t r = 0; r < cells->rows; r++) {
        uint8_t *slot = slot_of(slots, r), *start = slot, *end = slot + SLOT_END;
        int64_t words[2];
        memcpy(words, values + r * sizeof words, sizeof words);
        if (scale && words[1] == words[0] >> 63) {
            start = print_scaled(slot, words[0] < 0 ? 0 - (uint64_t)words[0] : (uint64_t)words[0], scale);
            if (words[0] < 0)
                *--start = '-';
        } else {
            int128_t value;
            memcpy(&value, words, sizeof value);
            end = slot + number_print_decimal(value, scale, (char *)slot);
        }
        cell_set(cells, r, start, (size_t)(end - start));
    }
}

/* ---- dates and times ---- */

/* "YYYY-MM-DD" for CELL_DAY_MIN..CELL_DAY_MAX. */
static inline void put_date(uint8_t *out, int32_t days)
{
    uint32_t n = (uint32_t)(days + 719468);
    uint32_t quarters = 4 * n + 3, century = quarters / 146097;
    uint64_t product = (uint64_t)2939745 * (quarters % 146097 | 3);
    uint32_t day_of_year = (uint32_t)product / 2939745 / 4;
    uint32_t year = 100 * century + (uint32_t)(product >> 32);
    uint32_t third = 2141 * day_of_year + 197913;
    uint32_t month = third >> 16, day = (third & 0xffff) / 2141 + 1;
    if (day_of_year >= 306) {
        year++;
        month -= 12;
    }
    memcpy(out, number_pairs + 2 * (year / 100), 2);
    memcpy(out + 2, number_pairs + 2 * (year % 100), 2);
    out[4] = '-';
    memcpy(out + 5, number_pairs + 2 * month, 2);
    out[7] = '-';
    memcpy(out + 8, number_pairs + 2 * day, 2);
}

static void print_date(uint8_t *slots, const struct view *view, struct cells *cells)
{
    const int32_t *values = (const int32_t *)(const void *)view->values + cells->from;
    for (size_t r = 0; r < cells->rows; r++) {
        uint8_t *slot = slot_of(slots, r);
        size_t length = 10;
        if (values[r] >= CELL_DAY_MIN && values[r] <= CELL_DAY_MAX)
            put_date(slot, values[r]);
        else
            length = calendar_print_date(values[r], (char *)slot);
        cell_set(cells, r, slot, length);
    }
}

/* "HH:MM:SS" of a second of the day. */
static inline void put_clock(uint8_t *out, uint32_t second)
{
    memcpy(out, number_pairs + 2 * (second / 3600), 2);
    out[2] = ':';
    memcpy(out + 3, number_pairs + 2 * (second / 60 % 60), 2);
    out[5] = ':';
    memcpy(out + 6, number_pairs + 2 * (second % 60), 2);
}

static void print_timestamp(uint8_t *slots, const struct view *view, struct cells *cells)
{
    const int64_t *values = (const int64_t *)(const void *)view->values + cells->from;
    const int64_t per_second = calendar_units_per_second(view->field->unit), per_day = per_second * 86400;
    const bool utc = view->field->timezone != NULL;
    for (size_t r = 0; r < cells->rows; r++) {
        uint8_t *slot = slot_of(slots, r);
        size_t length = 19;
        int64_t days = values[r] / per_day, rest = values[r] % per_day;
        if (rest < 0) {
            rest += per_day;
            days--;
        }
        if (days < CELL_DAY_MIN || days > CELL_DAY_MAX || rest % per_second) {
            length = calendar_print_timestamp(values[r], view->field->unit, utc, true, (char *)slot);
        } else {
            put_date(slot, (int32_t)days);
            slot[10] = ' ';
            put_clock(slot + 11, (uint32_t)(rest / per_second));
            slot[19] = 'Z';
            length += utc;
        }
        cell_set(cells, r, slot, length);
    }
}

/* ---- floats and booleans ---- */

static void print_f64(uint8_t *slots, const struct view *view, struct cells *cells)
{
    const double *values = (const double *)(const void *)view->values + cells->from;
    for (size_t r = 0; r < cells->rows; r++) {
        uint8_t *slot = slot_of(slots, r);
        size_t length = number_print_f64(values[r], (char *)slot);
        cell_set(cells, r, slot, length);
    }
}

static void print_f32(uint8_t *slots, const struct view *view, struct cells *cells)
{
    const float *values = (const float *)(const void *)view->values + cells->from;
    for (size_t r = 0; r < cells->rows; r++) {
        uint8_t *slot = slot_of(slots, r);
        cell_set(cells, r, slot, number_print_f32(values[r], (char *)slot));
    }
}

static void print_bool(uint8_t *slots, const struct view *view, struct cells *cells)
{
    static const uint8_t words[2][CELL_PADDING] = {"false", "true"};
    (void)slots;
    for (size_t r = 0; r < cells->rows; r++) {
        bool value = bit_get(view->values, cells->from + (int64_t)r);
        cell_set(cells, r, words[value], value ? 4 : 5);
    }
}

void cell_put_date(uint8_t *out, int32_t days)
{
    put_date(out, days);
}

void cell_put_clock(uint8_t *out, uint32_t second)
{
    put_clock(out, second);
}

cell_print_fn cell_print_choose(const struct field *field)
{
    static const cell_print_fn functions[TYPE_COUNT] = {
        [TYPE_BOOL] = print_bool,   [TYPE_INT8] = print_i8,
        [TYPE_INT16] = print_i16,   [TYPE_INT32] = print_i32,
        [TYPE_INT64] = print_i64,   [TYPE_UINT8] = print_u8,
        [TYPE_UINT16] = print_u16,  [TYPE_UINT32] = print_u32,
        [TYPE_UINT64] = print_u64,  [TYPE_FLOAT32] = print_f32,
        [TYPE_FLOAT64] = print_f64, [TYPE_DECIMAL] = print_decimal,
        [TYPE_DATE] = print_date,   [TYPE_TIMESTAMP] = print_timestamp,
    };
    return functions[field->type];
}
