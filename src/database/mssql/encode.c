/*
 * encode.c: numbers, dates and identifiers, and how an encoder is chosen.
 *
 * Each type has a leaf that writes one value with its length; ENCODER makes of
 * it the function that looks at the validity first. All types are sent in their
 * nullable form, also where the column is NOT NULL: that is what every client
 * does. Leaves write whole words and return what counts.
 *
 * A dictionary's values are encoded once for a batch and copied from there, if it
 * is no longer than the batch. Times are not: what a value loses is counted
 * each time.
 *
 * Rounding: datetime and smalldatetime have a grid of their own (1/300 s, one
 * minute) and take the nearest point, as the server would; all else is cut, as
 * casts do.
 */
#include "database/mssql/encode.h"

#include "base/number.h"
#include "database/mssql/collation.h"
#include "database/mssql/moment.h"
#include "database/mssql/types.h"
#include <math.h>
#include <stdlib.h>

static const char outside_dates[] = "a date outside of the years 1 to 9999";
static const char outside_smalldatetime[] =
    "a time outside of what smalldatetime reaches (1900 to 2079-06-06)";

uint8_t *ms_encode_misfit(struct encoder *encoder, const char *why, uint8_t *out)
{
    if (!encoder->state->misfit) {
        encoder->state->misfit = why;
        encoder->state->misfit_column = encoder->column;
    }
    return out;
}

uint8_t *ms_encode_null(struct encoder *encoder, uint8_t *out)
{
    size_t size = encoder->frame == FRAME_PLP ? 8 : encoder->frame == FRAME_U16 ? 2 : 1;
    if (!encoder->nullable)
        return ms_encode_misfit(encoder, "NULL in a column that is NOT NULL", out);
    memset(out, encoder->frame == FRAME_U8 ? 0 : 0xff, size);
    return out + size;
}

/* ---- leaves ---- */

static uint8_t *put_bit(struct encoder *e, int64_t at, uint8_t *out)
{
    out[0] = 1;
    out[1] = bit_get(e->values, at);
    return out + 2;
}

static uint8_t *put_1(struct encoder *e, int64_t at, uint8_t *out)
{
    out[0] = 1;
    out[1] = e->values[at];
    return out + 2;
}

static uint8_t *put_2(struct encoder *e, int64_t at, uint8_t *out)
{
    *out = 2;
    memcpy(out + 1, e->values + at * 2, 2);
    return out + 3;
}

static uint8_t *put_4(struct encoder *e, int64_t at, uint8_t *out)
{
    *out = 4;
    memcpy(out + 1, e->values + at * 4, 4);
    return out + 5;
}

static uint8_t *put_8(struct encoder *e, int64_t at, uint8_t *out)
{
    *out = 8;
    memcpy(out + 1, e->values + at * 8, 8);
    return out + 9;
}

static uint8_t *put_real(struct encoder *e, int64_t at, uint8_t *out)
{
    float value;
    memcpy(&value, e->values + at * 4, 4);
    if (__builtin_expect(!isfinite(value), 0))
        return ms_encode_misfit(e, "SQL Server has no NaN and no infinity", out);
    return put_4(e, at, out);
}

static uint8_t *put_float(struct encoder *e, int64_t at, uint8_t *out)
{
    double value;
    memcpy(&value, e->values + at * 8, 8);
    if (__builtin_expect(!isfinite(value), 0))
        return ms_encode_misfit(e, "SQL Server has no NaN and no infinity", out);
    return put_8(e, at, out);
}

static inline int128_t load_decimal(const struct encoder *e, int64_t at)
{
    int128_t value;
    memcpy(&value, e->values + at * 16, sizeof value);
    return value;
}

/* Sign (1: not negative), then the magnitude in as many bytes as the precision asks for. */
static uint8_t *put_decimal(struct encoder *e, int64_t at, uint8_t *out)
{
    int128_t value = load_decimal(e, at);
    uint128_t size = value < 0 ? -(uint128_t)value : (uint128_t)value;
    if (__builtin_expect(size >= e->decimal_limit, 0))
        return ms_encode_misfit(e, "more digits than the column has", out);
    out[0] = (uint8_t)e->bytes;
    out[1] = value >= 0;
    memcpy(out + 2, &size, sizeof size);
    return out + 1 + e->bytes;
}

/* The upper half comes first, each in the usual order. */
static uint8_t *put_money(struct encoder *e, int64_t at, uint8_t *out)
{
    int128_t value = load_decimal(e, at);
    if (value != (int64_t)value)
        return ms_encode_misfit(e, "more than money can hold (922337203685477.5807)", out);
    uint64_t bits = (uint64_t)value, turned = bits >> 32 | bits << 32;
    out[0] = 8;
    memcpy(out + 1, &turned, sizeof turned);
    return out + 9;
}

static uint8_t *put_money4(struct encoder *e, int64_t at, uint8_t *out)
{
    int128_t value = load_decimal(e, at);
    int32_t small = (int32_t)value;
    if (value != small)
        return ms_encode_misfit(e, "more than smallmoney can hold (214748.3647)", out);
    out[0] = 4;
    memcpy(out + 1, &small, sizeof small);
    return out + 5;
}

/* The first three groups are little-endian on the wire. */
static uint8_t *put_guid(struct encoder *e, int64_t at, uint8_t *out)
{
    uint32_t a;
    uint16_t b, c;
    const uint8_t *in = e->values + at * 16;
    memcpy(&a, in, 4);
    memcpy(&b, in + 4, 2);
    memcpy(&c, in + 6, 2);
    a = __builtin_bswap32(a);
    b = __builtin_bswap16(b);
    c = __builtin_bswap16(c);
    out[0] = 16;
    memcpy(out + 1, &a, 4);
    memcpy(out + 5, &b, 2);
    memcpy(out + 7, &c, 2);
    memcpy(out + 9, in + 8, 8);
    return out + 17;
}

/* ---- dates and times ---- */

static inline int64_t load_i64(const struct encoder *e, int64_t at)
{
    int64_t value;
    memcpy(&value, e->values + at * 8, sizeof value);
    return value;
}

static uint8_t *put_date(struct encoder *e, int64_t at, uint8_t *out)
{
    int32_t days;
    memcpy(&days, e->values + at * 4, sizeof days);
    int64_t day = (int64_t)days + DAYS_TO_1970;
    if (__builtin_expect(day < 0 || day > DAY_MAX, 0))
        return ms_encode_misfit(e, outside_dates, out);
    uint32_t word = 3 | (uint32_t)day << 8;
    memcpy(out, &word, sizeof word);
    return out + 4;
}

/* A time of day in the wire's unit. */
static inline uint64_t scale_time(struct encoder *e, int64_t time)
{
    if (e->divide == 1)
        return (uint64_t)(time * e->multiply);
    int64_t scaled = time / e->divide;
    e->lost += scaled * e->divide != time;
    return (uint64_t)scaled;
}

static uint8_t *put_time(struct encoder *e, int64_t at, uint8_t *out)
{
    int64_t time = load_i64(e, at);
    if (__builtin_expect(time < 0 || time >= e->day, 0))
        return ms_encode_misfit(e, "no time of day: it is before 00:00 or behind 23:59", out);
    uint64_t units = scale_time(e, time);
    out[0] = (uint8_t)e->time_bytes;
    memcpy(out + 1, &units, sizeof units);
    return out + 1 + e->time_bytes;
}

/* Time of day and day; a datetimeoffset's are UTC, its offset is 0. */
static inline uint8_t *put_moment(struct encoder *e, int64_t value, int64_t unit, uint8_t *out, bool offset)
{
    int64_t days = value / unit, time = value % unit, day;
    days -= time < 0;
    time += time < 0 ? unit : 0;
    day = days + DAYS_TO_1970;
    if (__builtin_expect(day < 0 || day > DAY_MAX, 0))
        return ms_encode_misfit(e, outside_dates, out);
    uint64_t units = scale_time(e, time), date = (uint64_t)day;
    out[0] = (uint8_t)(e->time_bytes + (offset ? 5 : 3));
    memcpy(out + 1, &units, sizeof units);
    memcpy(out + 1 + e->time_bytes, &date, sizeof date); /* and zeros: the offset */
    return out + 1 + out[0];
}

/* With a constant the compiler multiplies where it would divide. */
static uint8_t *put_datetime2(struct encoder *e, int64_t at, uint8_t *out)
{
    return e->day == DAY_US ? put_moment(e, load_i64(e, at), DAY_US, out, false)
                            : put_moment(e, load_i64(e, at), DAY_NS, out, false);
}

static uint8_t *put_datetimeoffset(struct encoder *e, int64_t at, uint8_t *out)
{
    return e->day == DAY_US ? put_moment(e, load_i64(e, at), DAY_US, out, true)
                            : put_moment(e, load_i64(e, at), DAY_NS, out, true);
}

/* --timestamps exact: microseconds with the rest in nanoseconds, and an offset. */
static inline uint8_t *put_exact(struct encoder *e, int64_t at, uint8_t *out, bool offset)
{
    int64_t nanos = e->rest ? e->rest[at] : 0, minutes = e->minutes ? e->minutes[at] : 0;
    uint8_t *end = put_moment(e, load_i64(e, at), DAY_US, out, offset);
    if (end == out)
        return out;
    if (__builtin_expect(nanos < 0 || nanos > 999 || minutes < -OFFSET_MAX || minutes > OFFSET_MAX, 0))
        return ms_encode_misfit(e, "an offset beyond 14 hours, or nanoseconds beyond 999", out);
    if (e->multiply == 10) { /* 100 ns: the last digit comes from the rest */
        uint64_t units;
        memcpy(&units, out + 1, sizeof units);
        units += (uint64_t)nanos / 100; /* the time's own bytes have room: it ends in a zero */
        memcpy(out + 1, &units, sizeof units);
        e->lost += nanos % 100 != 0;
    } else {
        e->lost += nanos != 0;
    }
    if (offset)
        memcpy(end - 2, &e->minutes[at], sizeof *e->minutes);
    return end;
}

static uint8_t *put_exact_datetime2(struct encoder *e, int64_t at, uint8_t *out)
{
    return put_exact(e, at, out, false);
}

static uint8_t *put_exact_datetimeoffset(struct encoder *e, int64_t at, uint8_t *out)
{
    return put_exact(e, at, out, true);
}

/* The nearest 1/300 s; lost when it does not read back as the same microsecond. */
static uint8_t *put_datetime(struct encoder *e, int64_t at, uint8_t *out)
{
    int64_t value = load_i64(e, at), days = value / DAY_US, time = value % DAY_US;
    days -= time < 0;
    time += time < 0 ? DAY_US : 0;
    int64_t ticks = (time * 3 + 5000) / 10000;
    e->lost += (ticks * 10 + 1) / 3 * 1000 != time;
    if (ticks == DAY_TICKS) {
        ticks = 0;
        days++;
    }
    days += DAYS_1900_1970;
    if (__builtin_expect(days < DATETIME_MIN || days > DATETIME_MAX, 0))
        return ms_encode_misfit(e, "a time outside of what datetime reaches (1753 to 9999)", out);
    uint64_t word = (uint64_t)(uint32_t)days | (uint64_t)ticks << 32;
    out[0] = 8;
    memcpy(out + 1, &word, sizeof word);
    return out + 9;
}

#define MINUTE_US ((int64_t)60000000)

static uint8_t *put_smalldatetime(struct encoder *e, int64_t at, uint8_t *out)
{
    int64_t value = load_i64(e, at);
    if (value < 0 - (DAYS_1900_1970 + 1) * DAY_US || value > INT64_MAX / 2)
        return ms_encode_misfit(e, outside_smalldatetime, out);
    value += DAYS_1900_1970 * DAY_US;
    int64_t minutes = (value + MINUTE_US / 2) / MINUTE_US, days = minutes / 1440;
    e->lost += minutes * MINUTE_US != value;
    if (value < 0 - MINUTE_US / 2 || days > UINT16_MAX)
        return ms_encode_misfit(e, outside_smalldatetime, out);
    uint32_t word = (uint32_t)days | (uint32_t)(minutes % 1440) << 16;
    out[0] = 4;
    memcpy(out + 1, &word, sizeof word);
    return out + 5;
}

/* ---- choosing ---- */

ENCODER(put_bit)
ENCODER(put_1)
ENCODER(put_2)
ENCODER(put_4)
ENCODER(put_8)
ENCODER(put_real)
ENCODER(put_float)
ENCODER(put_decimal)
ENCODER(put_money)
ENCODER(put_money4)
ENCODER(put_guid)
ENCODER(put_date)
ENCODER(put_time)
ENCODER(put_datetime2)
ENCODER(put_datetimeoffset)
ENCODER(put_exact_datetime2)
ENCODER(put_exact_datetimeoffset)
ENCODER(put_datetime)
ENCODER(put_smalldatetime)

struct form {
    uint8_t code, length; /* length 0: any */
    enum type_id type;
    encode_fn value, row;
};

#define FORM(code, length, type, name)                                                                       \
    {                                                                                                        \
        code, length, type, name, name##_row                                                                 \
    }

/* By the nullable form of each type; ms_bulk_type makes it. */
static const struct form forms[] = {
    FORM(MS_BITN, 1, TYPE_BOOL, put_bit),
    FORM(MS_INTN, 1, TYPE_UINT8, put_1),
    FORM(MS_INTN, 2, TYPE_INT16, put_2),
    FORM(MS_INTN, 4, TYPE_INT32, put_4),
    FORM(MS_INTN, 8, TYPE_INT64, put_8),
    FORM(MS_FLTN, 4, TYPE_FLOAT32, put_real),
    FORM(MS_FLTN, 8, TYPE_FLOAT64, put_float),
    FORM(MS_DECIMALN, 0, TYPE_DECIMAL, put_decimal),
    FORM(MS_NUMERICN, 0, TYPE_DECIMAL, put_decimal),
    FORM(MS_MONEYN, 8, TYPE_DECIMAL, put_money),
    FORM(MS_MONEYN, 4, TYPE_DECIMAL, put_money4),
    FORM(MS_DATETIMN, 8, TYPE_TIMESTAMP, put_datetime),
    FORM(MS_DATETIMN, 4, TYPE_TIMESTAMP, put_smalldatetime),
    FORM(MS_DATE, 0, TYPE_DATE, put_date),
    FORM(MS_TIME, 0, TYPE_TIME, put_time),
    FORM(MS_DATETIME2, 0, TYPE_TIMESTAMP, put_datetime2),
    FORM(MS_DATETIMEOFFSET, 0, TYPE_TIMESTAMP, put_datetimeoffset),
    FORM(MS_DATETIME2, 0, TYPE_STRUCT, put_exact_datetime2),
    FORM(MS_DATETIMEOFFSET, 0, TYPE_STRUCT, put_exact_datetimeoffset),
    FORM(MS_GUID, 0, TYPE_FIXED_BINARY, put_guid),
};

static const struct form *find_form(const struct ms_type *type, const struct field *field)
{
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++)
        if (forms[i].code == type->code && forms[i].type == field->type &&
            (!forms[i].length || forms[i].length == type->length))
            return &forms[i];
    return NULL;
}

/* "a digit beyond time(3)": one constant each, since a loss is counted under a constant. */
static const char *scale_loss(int scale)
{
    static const char *const names[] = {"digits beyond seconds",      "digits beyond 100 ms",
                                        "digits beyond 10 ms",        "digits beyond milliseconds",
                                        "digits beyond 100 us",       "digits beyond 10 us",
                                        "digits beyond microseconds", "digits beyond 100 ns"};
    return names[scale];
}

static void set_times(struct encoder *encoder, const struct ms_type *type, const struct field *field)
{
    int64_t per_second = (int64_t)number_power10(type->scale);
    const struct field *moment = field->type == TYPE_STRUCT ? &field->children[0] : field;
    int64_t given = calendar_units_per_second(moment->unit);
    encoder->day = given * 86400;
    encoder->multiply = per_second > given ? per_second / given : 1;
    encoder->divide = given > per_second ? given / per_second : 1;
    encoder->time_bytes = type->scale <= 2 ? 3 : type->scale <= 4 ? 4 : 5;
    if (type->code == MS_DATETIMN)
        encoder->loss = type->length == 8 ? "time between two 1/300 s" : "time between two minutes";
    else if (encoder->divide > 1 || field->type == TYPE_STRUCT)
        encoder->loss = scale_loss(type->scale);
}

enum haul_code ms_encoder_init(struct encoder *encoder, const struct ms_column *column,
                               const struct field *field, struct decode_pages *pages, struct haul_error *err)
{
    const struct ms_type *type = &column->type;
    const struct form *form = find_form(type, field);
    encoder->frame = type->frame;
    encoder->nullable = column->flags & MS_FLAG_NULLABLE;
    encoder->bytes = type->length;
    if (form) {
        encoder->value = form->value;
        encoder->direct = form->row;
    }
    if (field->type == TYPE_TIME || field->type == TYPE_TIMESTAMP || field->type == TYPE_STRUCT)
        set_times(encoder, type, field);
    if (field->type == TYPE_DECIMAL)
        encoder->decimal_limit = (uint128_t)number_power10(field->precision);
    if (ms_type_is_narrow(type) && (ms_page(pages, ms_collation_page(type->collation), &encoder->page, err) ||
                                    codepage_add_reverse(encoder->page, err)))
        return error_prefix(err, "column \"%s\"", column->name);
    if (!form && (field->type == TYPE_UTF8 || field->type == TYPE_BINARY || field->type == TYPE_FIXED_BINARY))
        ms_encoder_text(encoder, type, field);
    if (encoder->value)
        return HAUL_OK;
    return error_set(err, HAUL_UNSUPPORTED, "column \"%s\": haul cannot load the type 0x%02X", column->name,
                     type->code);
}

void ms_encoder_release(struct encoder *encoder)
{
    buffer_release(&encoder->cache);
    free(encoder->cached);
    *encoder = (struct encoder){0};
}

/* ---- dictionaries ---- */

static uint8_t *indexed(struct encoder *e, int64_t row, uint8_t *out)
{
    return ms_encode_is_null(e, row) ? ms_encode_null(e, out) : e->value(e, e->indices[row], out);
}

static uint8_t *cached(struct encoder *e, int64_t row, uint8_t *out)
{
    if (ms_encode_is_null(e, row))
        return ms_encode_null(e, out);
    int32_t at = e->indices[row];
    uint32_t start = e->cached[at], size = e->cached[at + 1] - start;
    if (__builtin_expect(size == 0, 0)) /* a misfit: it says so again */
        return e->value(e, at, out);
    const uint8_t *from = e->cache.data + start;
    if (__builtin_expect(size > ENCODE_SLACK, 0))
        memcpy(out, from, size);
    else
        memcpy(out, from, ENCODE_SLACK);
    return out + size;
}

/* Encodes the dictionary's values; false: it is better not done. */
static enum haul_code fill_cache(struct encoder *e, int64_t count, bool *filled, struct haul_error *err)
{
    size_t room = e->room + ENCODE_SLACK;
    struct encode_state *state = e->state;
    *filled = false;
    if (e->loss || e->frame == FRAME_PLP || (uint64_t)count * e->room > ENCODE_CACHE_MAX)
        return HAUL_OK;
    buffer_clear(&e->cache);
    if (e->cached_room < (size_t)count + 1) {
        free(e->cached);
        e->cached_room = (size_t)count + 1;
        e->cached = calloc(e->cached_room, sizeof *e->cached);
        if (!e->cached) {
            e->cached_room = 0;
            return error_nomem(err, "a dictionary");
        }
    }
    if (buffer_reserve(&e->cache, (size_t)count * e->room + room, err))
        return err->code;
    uint8_t *out = e->cache.data;
    for (int64_t i = 0; i < count; i++) {
        e->cached[i] = (uint32_t)(out - e->cache.data);
        out = e->value(e, i, out);
    }
    e->cached[count] = (uint32_t)(out - e->cache.data);
    state->misfit = NULL;
    *filled = true;
    return HAUL_OK;
}

/* ---- a batch ---- */

static size_t longest(const int32_t *offsets, int64_t count)
{
    int32_t most = 0;
    for (int64_t i = 0; i < count; i++) {
        int32_t size = offsets[i + 1] - offsets[i];
        most = size > most ? size : most;
    }
    return (size_t)most;
}

static size_t room_of(struct encoder *e, int64_t count)
{
    if (!e->growth)
        return ENCODE_FIXED_BYTES;
    size_t most = e->offsets ? longest(e->offsets, count) : (size_t)e->width;
    e->pieces = e->frame == FRAME_PLP && most > ENCODE_INLINE_MAX;
    if (e->frame == FRAME_PLP)
        return 16 + (e->pieces ? ENCODE_INLINE_MAX : most) * e->growth;
    if (most > (size_t)e->bytes * 4) /* surely too long: it will not be turned */
        most = (size_t)e->bytes * 4;
    most *= e->growth;
    return 2 + (most > e->bytes ? most : e->bytes);
}

/* The children of a struct of --timestamps exact; its own validity stays. */
static enum haul_code view_exact(struct encoder *encoder, const struct view *view, struct haul_error *err)
{
    encoder->minutes = encoder->rest = NULL;
    for (int i = 0; i < view->field->child_count; i++) {
        struct view child;
        if (view_child(view, i, &child, err))
            return err->code;
        if (child.indices || (child.null_count && i == 0 && !view->validity))
            return error_set(err, HAUL_UNSUPPORTED, "column \"%s\": NULL inside of a moment",
                             view->field->name);
        if (i == 0)
            encoder->values = child.values;
        else if (strcmp(child.field->name, "offset_minutes") == 0)
            encoder->minutes = (const int16_t *)(const void *)child.values;
        else
            encoder->rest = (const int16_t *)(const void *)child.values;
    }
    encoder->encode = encoder->direct;
    encoder->validity = view->validity;
    encoder->room = ENCODE_FIXED_BYTES;
    return HAUL_OK;
}

enum haul_code ms_encoder_view(struct encoder *encoder, const struct field *field,
                               const struct ArrowArray *array, struct haul_error *err)
{
    struct view view, values;
    bool filled = false;
    if (view_init(&view, field, array, err))
        return err->code;
    if (field->type == TYPE_STRUCT)
        return view_exact(encoder, &view, err);
    values = view;
    if (view.indices && view_dictionary(&view, &values, err))
        return err->code;
    encoder->validity = view.validity;
    encoder->indices = view.indices;
    encoder->values = values.values;
    encoder->offsets = values.offsets;
    encoder->data = values.data;
    encoder->room = room_of(encoder, values.length);
    encoder->encode = view.indices ? indexed : encoder->direct;
    if (view.indices && values.length <= view.length && fill_cache(encoder, values.length, &filled, err))
        return err->code;
    if (filled)
        encoder->encode = cached;
    return HAUL_OK;
}
