/*
 * encode_native.c: values as SQL Server's programs keep them in memory.
 *
 * datetime counts 1/300 s, smalldatetime minutes: a moment between two of them is
 * refused, not rounded.
 */
#include "format/bcp/encode.h"
#include "format/bcp/native.h"

#include <math.h>
#include <string.h>

#define OUT_OF_RANGE "Datetime field overflow: outside of what the field's type reaches"
#define TOO_FINE     "Datetime field overflow: finer than the field's type counts"

/* ---- moments ---- */

static int64_t load(const struct bcp_moments *moments, int64_t row)
{
    int32_t narrow;
    int64_t value;
    if (moments->width == 4) {
        memcpy(&narrow, moments->values + row * 4, sizeof narrow);
        return narrow;
    }
    memcpy(&value, moments->values + row * 8, sizeof value);
    return value;
}

struct bcp_moment bcp_moment_at(const struct bcp_encoder *encoder, int64_t row)
{
    const struct bcp_moments *from = &encoder->moments;
    const int64_t per_day = from->per_second * 86400, value = load(from, row);
    struct bcp_moment moment = {.days = value / per_day, .exact = true};
    int64_t rest = value % per_day;
    if (rest < 0) {
        rest += per_day;
        moment.days--;
    }
    if (from->per_second <= 10000000) {
        moment.units = rest * (10000000 / from->per_second);
    } else {
        moment.units = rest / (from->per_second / 10000000);
        moment.exact = rest % (from->per_second / 10000000) == 0;
    }
    if (from->nanos) {
        moment.units += from->nanos[row] / 100;
        moment.exact = from->nanos[row] % 100 == 0;
    }
    moment.offset = from->offsets ? from->offsets[row] : 0;
    return moment;
}

static void put_day(uint8_t *out, int64_t days)
{
    uint32_t day = (uint32_t)(days + DAYS_TO_1970);
    memcpy(out, &day, 3);
}

static void put_units(uint8_t *out, int64_t units)
{
    memcpy(out, &units, 5);
}

/* NULL: it fits a type of the year 1 to 9999. */
static const char *check_moment(const struct bcp_moment *moment)
{
    if (moment->days < -DAYS_TO_1970 || moment->days > DAY_MAX - DAYS_TO_1970)
        return OUT_OF_RANGE;
    return moment->exact ? NULL : TOO_FINE;
}

static const char *put_datetime(uint8_t *slot, const struct bcp_moment *moment)
{
    int64_t millis = moment->units / 10000, days = moment->days + DAYS_1900_1970;
    uint32_t ticks = (uint32_t)((millis * 3 + 5) / 10);
    int32_t day = (int32_t)days;
    if (days < DATETIME_MIN || days > DATETIME_MAX)
        return OUT_OF_RANGE;
    if (!moment->exact || moment->units % 10000 || ((int64_t)ticks * 10 + 1) / 3 != millis)
        return TOO_FINE;
    memcpy(slot, &day, 4);
    memcpy(slot + 4, &ticks, 4);
    return NULL;
}

static const char *put_datetim4(uint8_t *slot, const struct bcp_moment *moment)
{
    int64_t days = moment->days + DAYS_1900_1970, minutes = moment->units / 600000000;
    uint16_t day = (uint16_t)days, minute = (uint16_t)minutes;
    if (days < 0 || days > UINT16_MAX)
        return OUT_OF_RANGE;
    if (!moment->exact || moment->units % 600000000)
        return TOO_FINE;
    memcpy(slot, &day, 2);
    memcpy(slot + 2, &minute, 2);
    return NULL;
}

static const char *put_time(uint8_t *slot, const struct bcp_moment *moment)
{
    put_units(slot, moment->units);
    return moment->days ? OUT_OF_RANGE : moment->exact ? NULL : TOO_FINE;
}

static const char *put_datetime2(uint8_t *slot, const struct bcp_moment *moment)
{
    put_units(slot, moment->units);
    put_day(slot + 5, moment->days);
    return check_moment(moment);
}

static const char *put_datetimeoffset(uint8_t *slot, const struct bcp_moment *moment)
{
    int16_t offset = (int16_t)moment->offset;
    put_units(slot, moment->units);
    put_day(slot + 5, moment->days);
    memcpy(slot + 8, &offset, sizeof offset);
    return check_moment(moment);
}

void bcp_moments_find(struct bcp_moments *moments, const struct view *view)
{
    const struct field *field = view->field;
    moments->values = view->values;
    moments->offsets = moments->nanos = NULL;
    if (field->type != TYPE_STRUCT)
        return;
    for (int i = 0; i < field->child_count; i++) {
        struct view child;
        struct haul_error ignored = {0};
        if (view_child(view, i, &child, &ignored))
            return;
        if (i == 0)
            moments->values = child.values;
        else if (strcmp(field->children[i].name, "offset_minutes") == 0)
            moments->offsets = (const int16_t *)(const void *)child.values;
        else
            moments->nanos = (const int16_t *)(const void *)child.values;
    }
}

#define MOMENTS(name, size)                                                                                  \
    static void name(struct bcp_encoder *encoder, const struct view *view, struct cells *cells)              \
    {                                                                                                        \
        bcp_moments_find(&encoder->moments, view);                                                           \
        for (size_t r = 0; r < cells->rows; r++) {                                                           \
            uint8_t *slot = bcp_slot(encoder, r);                                                            \
            struct bcp_moment moment = bcp_moment_at(encoder, cells->from + (int64_t)r);                     \
            const char *why = put_##name(slot, &moment);                                                     \
            if (why)                                                                                         \
                cell_refuse(cells, r, why);                                                                  \
            else                                                                                             \
                cell_set(cells, r, slot, size);                                                              \
        }                                                                                                    \
    }

MOMENTS(datetime, 8)
MOMENTS(datetim4, 4)
MOMENTS(time, 5)
MOMENTS(datetime2, 8)
MOMENTS(datetimeoffset, 10)

static void date(struct bcp_encoder *encoder, const struct view *view, struct cells *cells)
{
    const int32_t *values = (const int32_t *)(const void *)view->values + cells->from;
    for (size_t r = 0; r < cells->rows; r++) {
        uint8_t *slot = bcp_slot(encoder, r);
        put_day(slot, values[r]);
        if (values[r] < -DAYS_TO_1970 || values[r] > DAY_MAX - DAYS_TO_1970)
            cell_refuse(cells, r, OUT_OF_RANGE);
        else
            cell_set(cells, r, slot, 3);
    }
}

/* ---- numbers ---- */

#define PLAIN(name, size)                                                                                    \
    static void name(struct bcp_encoder *encoder, const struct view *view, struct cells *cells)              \
    {                                                                                                        \
        const uint8_t *values = view->values + (size_t)cells->from * (size);                                 \
        for (size_t r = 0; r < cells->rows; r++) {                                                           \
            uint8_t *slot = bcp_slot(encoder, r);                                                            \
            memcpy(slot, values + r * (size), size);                                                         \
            cell_set(cells, r, slot, size);                                                                  \
        }                                                                                                    \
    }

PLAIN(plain_1, 1)
PLAIN(plain_2, 2)
PLAIN(plain_4, 4)
PLAIN(plain_8, 8)

static void bit(struct bcp_encoder *encoder, const struct view *view, struct cells *cells)
{
    for (size_t r = 0; r < cells->rows; r++) {
        uint8_t *slot = bcp_slot(encoder, r);
        *slot = bit_get(view->values, cells->from + (int64_t)r);
        cell_set(cells, r, slot, 1);
    }
}

#define FINITE(name, type, plain)                                                                            \
    static void name(struct bcp_encoder *encoder, const struct view *view, struct cells *cells)              \
    {                                                                                                        \
        const type *values = (const type *)(const void *)view->values + cells->from;                         \
        plain(encoder, view, cells);                                                                         \
        for (size_t r = 0; r < cells->rows; r++)                                                             \
            if (!isfinite(values[r]))                                                                        \
                cell_refuse(cells, r, "SQL Server has no infinity and no NaN");                              \
    }

FINITE(flt4, float, plain_4)
FINITE(flt8, double, plain_8)

static inline int128_t load_decimal(const struct view *view, int64_t row)
{
    int128_t value;
    memcpy(&value, view->values + (size_t)row * sizeof value, sizeof value);
    return value;
}

static void money(struct bcp_encoder *encoder, const struct view *view, struct cells *cells)
{
    for (size_t r = 0; r < cells->rows; r++) {
        uint8_t *slot = bcp_slot(encoder, r);
        int128_t value = load_decimal(view, cells->from + (int64_t)r);
        uint32_t half[2] = {(uint32_t)((uint64_t)value >> 32), (uint32_t)(uint64_t)value};
        memcpy(slot, half, sizeof half);
        if (value < INT64_MIN || value > INT64_MAX)
            cell_refuse(cells, r, "Numeric value out of range: too large for money");
        else
            cell_set(cells, r, slot, 8);
    }
}

static void money4(struct bcp_encoder *encoder, const struct view *view, struct cells *cells)
{
    for (size_t r = 0; r < cells->rows; r++) {
        uint8_t *slot = bcp_slot(encoder, r);
        int128_t value = load_decimal(view, cells->from + (int64_t)r);
        int32_t small = (int32_t)value;
        memcpy(slot, &small, sizeof small);
        if (value < INT32_MIN || value > INT32_MAX)
            cell_refuse(cells, r, "Numeric value out of range: too large for smallmoney");
        else
            cell_set(cells, r, slot, 4);
    }
}

static void decimal(struct bcp_encoder *encoder, const struct view *view, struct cells *cells)
{
    const uint8_t head[2] = {(uint8_t)view->field->precision, (uint8_t)view->field->scale};
    for (size_t r = 0; r < cells->rows; r++) {
        uint8_t *slot = bcp_slot(encoder, r);
        int128_t value = load_decimal(view, cells->from + (int64_t)r);
        uint128_t size = value < 0 ? 0 - (uint128_t)value : (uint128_t)value;
        memcpy(slot, head, sizeof head);
        slot[2] = value >= 0;
        memcpy(slot + 3, &size, sizeof size);
        cell_set(cells, r, slot, 19);
    }
}

static void uniqueid(struct bcp_encoder *encoder, const struct view *view, struct cells *cells)
{
    static const uint8_t order[16] = BCP_UNIQUEID_ORDER;
    for (size_t r = 0; r < cells->rows; r++) {
        uint8_t *slot = bcp_slot(encoder, r);
        const uint8_t *from = view->values + ((size_t)cells->from + r) * 16;
        for (int i = 0; i < 16; i++)
            slot[i] = from[order[i]];
        cell_set(cells, r, slot, 16);
    }
}

bcp_encode_fn bcp_native_choose(const struct bcp_encoder *encoder)
{
    static const bcp_encode_fn functions[HOST_COUNT] = {BCP_NATIVES(BCP_NATIVE_ROW)};
    return functions[encoder->stored->host];
}
