/*
 * decode.c: numbers, dates and identifiers, and how a decoder is chosen.
 *
 * Each type has a leaf that stores one value from plain bytes; FIXED and COUNTED
 * wrap it in the two frames of the wire: no length, or a length byte that is 0
 * for NULL and else the one size of the type. A column's validity is preset to
 * all ones, so that a value that is there costs no bit.
 *
 * Foreign numbers are checked where ours have limits: decimals against their
 * precision, days against the year 9999, times against a day.
 */
#include "database/mssql/decode.h"

#include "database/mssql/collation.h"
#include "database/mssql/moment.h"
#include "database/mssql/types.h"
#include <stdlib.h>

#define INT64_DIGITS 18 /* of which any number fits */

/* ---- what all share ---- */

const uint8_t *ms_decode_malformed(struct decoder *decoder, const char *what)
{
    error_set(decoder->state->err, HAUL_DATA,
              "column \"%s\": the server sent what is no value of its type: %s", decoder->name, what);
    return NULL;
}

void ms_decode_misfit(struct decoder *decoder, int64_t row, const char *why)
{
    if (decoder->state->misfit_column < 0) {
        decoder->state->misfit_column = decoder->column;
        decoder->state->misfit = why;
    }
    if (decoder->offsets)
        decoder->data_used = (size_t)decoder->offsets[row];
    ms_decode_null(decoder, row);
}

void ms_decode_null(struct decoder *decoder, int64_t row)
{
    if (decoder->validity) {
        bit_clear(decoder->validity, row);
        decoder->nulls++;
    }
    if (decoder->offsets)
        ms_decode_close(decoder, row);
    else if (decoder->builder->width)
        memset(decoder->values + (size_t)row * decoder->builder->width, 0, decoder->builder->width);
    if (decoder->exact)
        ms_exact_null(decoder, row);
}

/* NULL where the server said NOT NULL is a lie that would go into the file. */
const uint8_t *ms_decode_null_value(struct decoder *decoder, const uint8_t *next, int64_t row)
{
    if (!decoder->nullable)
        return ms_decode_malformed(decoder, "NULL in a column that is NOT NULL");
    ms_decode_null(decoder, row);
    return next;
}

/* ---- leaves: bytes at `p` into row `row`; false is a misfit or an error ---- */

static inline bool store_1(struct decoder *d, const uint8_t *p, int64_t row)
{
    d->values[row] = *p;
    return true;
}

static inline bool store_2(struct decoder *d, const uint8_t *p, int64_t row)
{
    memcpy(d->values + row * 2, p, 2);
    return true;
}

static inline bool store_4(struct decoder *d, const uint8_t *p, int64_t row)
{
    memcpy(d->values + row * 4, p, 4);
    return true;
}

static inline bool store_8(struct decoder *d, const uint8_t *p, int64_t row)
{
    memcpy(d->values + row * 8, p, 8);
    return true;
}

static inline bool store_bit(struct decoder *d, const uint8_t *p, int64_t row)
{
    if (*p)
        bit_set(d->values, row);
    return true;
}

static inline bool store_money(struct decoder *d, const uint8_t *p, int64_t row)
{
    uint32_t half[2];
    memcpy(half, p, sizeof half);
    int128_t value = (int64_t)((uint64_t)half[0] << 32 | half[1]);
    memcpy(d->values + row * 16, &value, sizeof value);
    return true;
}

static inline bool store_money4(struct decoder *d, const uint8_t *p, int64_t row)
{
    int32_t small;
    memcpy(&small, p, sizeof small);
    int128_t value = small;
    memcpy(d->values + row * 16, &value, sizeof value);
    return true;
}

/* The first three groups are little-endian on the wire. */
static inline bool store_guid(struct decoder *d, const uint8_t *p, int64_t row)
{
    uint32_t a;
    uint16_t b, c;
    uint8_t *out = d->values + row * 16;
    memcpy(&a, p, 4);
    memcpy(&b, p + 4, 2);
    memcpy(&c, p + 6, 2);
    a = __builtin_bswap32(a);
    b = __builtin_bswap16(b);
    c = __builtin_bswap16(c);
    memcpy(out, &a, 4);
    memcpy(out + 4, &b, 2);
    memcpy(out + 6, &c, 2);
    memcpy(out + 8, p + 8, 8);
    return true;
}

static inline bool put_i64(struct decoder *d, int64_t row, int64_t value)
{
    memcpy(d->values + row * 8, &value, sizeof value);
    return true;
}

/* Microseconds since 1970 in the column's unit. */
static inline bool put_micros(struct decoder *d, int64_t row, int64_t micros)
{
    int64_t value;
    if (!__builtin_mul_overflow(micros, d->multiply, &value))
        return put_i64(d, row, value);
    ms_decode_misfit(d, row, "a time outside of what nanoseconds reach (1677 to 2262)");
    return true;
}

static inline bool store_datetime(struct decoder *d, const uint8_t *p, int64_t row)
{
    int32_t days;
    uint32_t ticks;
    memcpy(&days, p, 4);
    memcpy(&ticks, p + 4, 4);
    if (days < DATETIME_MIN || days > DATETIME_MAX || ticks >= DAY_TICKS)
        return ms_decode_malformed(d, "a datetime outside of its range");
    int64_t millis = ((int64_t)ticks * 10 + 1) / 3;
    return put_micros(d, row, ((int64_t)days - DAYS_1900_1970) * DAY_US + millis * 1000);
}

static inline bool store_smalldatetime(struct decoder *d, const uint8_t *p, int64_t row)
{
    uint16_t days, minutes;
    memcpy(&days, p, 2);
    memcpy(&minutes, p + 2, 2);
    if (minutes >= 1440)
        return ms_decode_malformed(d, "a smalldatetime outside of its range");
    return put_micros(d, row, ((int64_t)days - DAYS_1900_1970) * DAY_US + (int64_t)minutes * 60000000);
}

static inline uint32_t load_day(const uint8_t *p)
{
    return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16;
}

static inline bool store_date(struct decoder *d, const uint8_t *p, int64_t row)
{
    uint32_t day = load_day(p);
    int32_t value = (int32_t)day - DAYS_TO_1970;
    if (day > DAY_MAX)
        return ms_decode_malformed(d, "a date behind the year 9999");
    memcpy(d->values + row * 4, &value, sizeof value);
    return true;
}

static inline bool load_time(struct decoder *d, const uint8_t *p, uint64_t *units)
{
    memcpy(units, p, sizeof *units); /* the window is padded */
    *units &= d->mask;
    return *units < d->limit || ms_decode_malformed(d, "a time behind midnight");
}

static inline bool store_time(struct decoder *d, const uint8_t *p, int64_t row)
{
    uint64_t units;
    return load_time(d, p, &units) && put_i64(d, row, (int64_t)units * d->multiply);
}

/* datetime2, and datetimeoffset, whose time is UTC already. */
static inline bool store_datetime2(struct decoder *d, const uint8_t *p, int64_t row)
{
    uint64_t units;
    uint32_t day = load_day(p + d->time_bytes);
    if (!load_time(d, p, &units))
        return false;
    if (day > DAY_MAX)
        return ms_decode_malformed(d, "a date behind the year 9999");
    int64_t days = (int64_t)day - DAYS_TO_1970, value, time;
    if (d->divide > 1) { /* 100 ns into microseconds */
        d->lost += units % 10 != 0;
        return put_i64(d, row, days * DAY_US + (int64_t)(units / 10));
    }
    time = (int64_t)units * d->multiply;
    if (__builtin_mul_overflow(days, (int64_t)d->limit * d->multiply, &value) ||
        __builtin_add_overflow(value, time, &value)) {
        ms_decode_misfit(d, row, "a time outside of what nanoseconds reach (1677 to 2262)");
        return true;
    }
    return put_i64(d, row, value);
}

static inline bool store_datetimeoffset(struct decoder *d, const uint8_t *p, int64_t row)
{
    int16_t offset;
    memcpy(&offset, p + d->time_bytes + 3, sizeof offset);
    if (offset < -840 || offset > 840)
        return ms_decode_malformed(d, "an offset of more than 14 hours");
    d->lost_offsets += offset != 0;
    return store_datetime2(d, p, row);
}

/* ---- frames ---- */

#define FIXED(name, size, store)                                                                             \
    static const uint8_t *name(struct decoder *d, const uint8_t *at, const uint8_t *end, int64_t row)        \
    {                                                                                                        \
        if ((size_t)(end - at) < (size))                                                                     \
            return ms_decode_wants(d, size);                                                                 \
        return store(d, at, row) ? at + (size) : NULL;                                                       \
    }

#define COUNTED(name, size, store)                                                                           \
    static const uint8_t *name(struct decoder *d, const uint8_t *at, const uint8_t *end, int64_t row)        \
    {                                                                                                        \
        size_t here = (size_t)(end - at), wanted = (size);                                                   \
        if (here == 0)                                                                                       \
            return ms_decode_wants(d, 1);                                                                    \
        if (__builtin_expect(*at != wanted, 0))                                                              \
            return *at == 0 ? ms_decode_null_value(d, at + 1, row)                                           \
                            : ms_decode_malformed(d, "another length");                                      \
        if (here <= wanted)                                                                                  \
            return ms_decode_wants(d, wanted + 1);                                                           \
        return store(d, at + 1, row) ? at + 1 + wanted : NULL;                                               \
    }

FIXED(fixed_1, 1, store_1)
FIXED(fixed_2, 2, store_2)
FIXED(fixed_4, 4, store_4)
FIXED(fixed_8, 8, store_8)
FIXED(fixed_bit, 1, store_bit)
FIXED(fixed_money, 8, store_money)
FIXED(fixed_money4, 4, store_money4)
FIXED(fixed_datetime, 8, store_datetime)
FIXED(fixed_smalldatetime, 4, store_smalldatetime)
COUNTED(counted_1, 1, store_1)
COUNTED(counted_2, 2, store_2)
COUNTED(counted_4, 4, store_4)
COUNTED(counted_8, 8, store_8)
COUNTED(counted_bit, 1, store_bit)
COUNTED(counted_money, 8, store_money)
COUNTED(counted_money4, 4, store_money4)
COUNTED(counted_datetime, 8, store_datetime)
COUNTED(counted_smalldatetime, 4, store_smalldatetime)
COUNTED(counted_guid, 16, store_guid)
COUNTED(counted_date, 3, store_date)
COUNTED(counted_time, d->bytes, store_time)
COUNTED(counted_datetime2, d->bytes, store_datetime2)
COUNTED(counted_datetimeoffset, d->bytes, store_datetimeoffset)

static const uint8_t *always_null(struct decoder *d, const uint8_t *at, const uint8_t *end, int64_t row)
{
    (void)end;
    return ms_decode_null_value(d, at, row);
}

/* Eight bytes of magnitude, which is what precisions 10 to 19 have; d->limit is 0 where they are not enough.
 */
#define MIDDLE_LENGTH 9u

/* Sign, then a magnitude of as many bytes as the length says. */
static const uint8_t *counted_decimal(struct decoder *d, const uint8_t *at, const uint8_t *end, int64_t row)
{
    size_t here = (size_t)(end - at);
    if (__builtin_expect(here > MIDDLE_LENGTH && *at == MIDDLE_LENGTH, 1)) {
        uint64_t middle;
        memcpy(&middle, at + 2, sizeof middle);
        if (__builtin_expect(middle < d->limit, 1)) {
            int64_t value = at[1] ? (int64_t)middle : -(int64_t)middle;
            const int64_t halves[] = {value, value >> 63};
            memcpy(d->values + row * 16, halves, sizeof halves);
            return at + 1 + MIDDLE_LENGTH;
        }
    }
    if (here == 0)
        return ms_decode_wants(d, 1);
    size_t length = *at;
    if (length == 0)
        return ms_decode_null_value(d, at + 1, row);
    if (length < 2 || length > 17)
        return ms_decode_malformed(d, "another length");
    if (here <= length)
        return ms_decode_wants(d, length + 1);
    uint128_t magnitude = 0;
    if (__builtin_expect(length == 5, 1)) {
        uint32_t small;
        memcpy(&small, at + 2, sizeof small);
        magnitude = small;
    } else if (length == 9) {
        uint64_t middle;
        memcpy(&middle, at + 2, sizeof middle);
        magnitude = middle;
    } else {
        memcpy(&magnitude, at + 2, length - 1);
    }
    if (magnitude >= d->decimal_limit)
        return ms_decode_malformed(d, "a decimal with more digits than its type");
    int128_t value = at[1] ? (int128_t)magnitude : -(int128_t)magnitude;
    memcpy(d->values + row * 16, &value, sizeof value);
    return at + 1 + length;
}

/* ---- choosing ---- */

struct choice {
    uint8_t code, length; /* length 0: any */
    decode_fn decode;
};

static const struct choice choices[] = {
    {MS_NULL, 0, always_null},
    {MS_BIT, 0, fixed_bit},
    {MS_INT1, 0, fixed_1},
    {MS_INT2, 0, fixed_2},
    {MS_INT4, 0, fixed_4},
    {MS_INT8, 0, fixed_8},
    {MS_FLT4, 0, fixed_4},
    {MS_FLT8, 0, fixed_8},
    {MS_MONEY, 0, fixed_money},
    {MS_MONEY4, 0, fixed_money4},
    {MS_DATETIME, 0, fixed_datetime},
    {MS_DATETIM4, 0, fixed_smalldatetime},
    {MS_BITN, 0, counted_bit},
    {MS_INTN, 1, counted_1},
    {MS_INTN, 2, counted_2},
    {MS_INTN, 4, counted_4},
    {MS_INTN, 8, counted_8},
    {MS_FLTN, 4, counted_4},
    {MS_FLTN, 8, counted_8},
    {MS_MONEYN, 8, counted_money},
    {MS_MONEYN, 4, counted_money4},
    {MS_DATETIMN, 8, counted_datetime},
    {MS_DATETIMN, 4, counted_smalldatetime},
    {MS_DECIMALN, 0, counted_decimal},
    {MS_NUMERICN, 0, counted_decimal},
    {MS_GUID, 0, counted_guid},
    {MS_DATE, 0, counted_date},
    {MS_TIME, 0, counted_time},
    {MS_DATETIME2, 0, counted_datetime2},
    {MS_DATETIMEOFFSET, 0, counted_datetimeoffset},
    {MS_VARIANT, 0, ms_decode_variant},
    {MS_BIGCHAR, 0, ms_decode_narrow},
    {MS_BIGVARCHAR, 0, ms_decode_narrow},
    {MS_NCHAR, 0, ms_decode_wide},
    {MS_NVARCHAR, 0, ms_decode_wide},
    {MS_BIGBINARY, 0, ms_decode_binary},
    {MS_BIGVARBINARY, 0, ms_decode_bytes},
};

static decode_fn choose(const struct ms_type *type, const struct field *field)
{
    if (field->type == TYPE_STRUCT && type->code != MS_VARIANT)
        return ms_decode_exact_moment;
    if (field->type == TYPE_FIXED_BINARY && type->code == MS_BIGVARBINARY)
        return ms_decode_binary; /* a nullable rowversion */
    if (field->type == TYPE_BINARY && type->code == MS_BIGBINARY)
        return ms_decode_bytes;
    for (size_t i = 0; i < sizeof choices / sizeof *choices; i++)
        if (choices[i].code == type->code && (!choices[i].length || choices[i].length == type->length))
            return choices[i].decode;
    return NULL;
}

static void set_times(struct decoder *decoder, const struct ms_type *type, const struct field *field)
{
    int64_t per_second = (int64_t)number_power10(type->scale);
    int64_t wanted = calendar_units_per_second(decoder->exact ? TIME_MICRO : field->unit);
    bool dated = type->code == MS_DATETIME2 || type->code == MS_DATETIMEOFFSET;
    decoder->time_bytes = type->scale <= 2 ? 3 : type->scale <= 4 ? 4 : 5;
    decoder->mask = ((uint64_t)1 << decoder->time_bytes * 8) - 1;
    decoder->limit = (uint64_t)86400 * (uint64_t)per_second;
    if (dated || type->code == MS_TIME) {
        decoder->multiply = wanted > per_second ? wanted / per_second : 1;
        decoder->divide = per_second > wanted ? per_second / wanted : 1;
    } else { /* datetime, smalldatetime: from microseconds */
        decoder->multiply = wanted / 1000000;
    }
}

enum haul_code ms_decoder_init(struct decoder *decoder, const struct ms_column *column,
                               const struct field *field, struct decode_pages *pages, struct haul_error *err)
{
    const struct ms_type *type = &column->type;
    decoder->bytes = type->frame == FRAME_TEXTPTR ? 0 : type->length;
    decoder->name = field->name;
    decoder->nullable = field->nullable;
    decoder->exact = field->type == TYPE_STRUCT;
    decoder->zoned = type->code == MS_DATETIMEOFFSET;
    decoder->json_or_xml = type->code == MS_XML || type->code == MS_JSON;
    if (type->frame == FRAME_PLP || type->frame == FRAME_TEXTPTR)
        decoder->stream = ms_stream_choose(type);
    else
        decoder->decode = choose(type, field);
    if (!decoder->stream && !decoder->decode)
        return error_set(err, HAUL_UNSUPPORTED, "column \"%s\": haul cannot read the type 0x%02X",
                         field->name, type->code);
    if (field->type == TYPE_TIMESTAMP || field->type == TYPE_TIME ||
        decoder->decode == ms_decode_exact_moment)
        set_times(decoder, type, field);
    if (field->type == TYPE_DECIMAL)
        decoder->decimal_limit = (uint128_t)number_power10(field->precision);
    if (field->type == TYPE_DECIMAL && field->precision <= INT64_DIGITS)
        decoder->limit = (uint64_t)number_power10(field->precision);
    if (type->code == MS_JSON)
        return ms_page(pages, CODEPAGE_UTF8, &decoder->page, err);
    if (ms_type_is_narrow(type))
        return ms_page(pages, ms_collation_page(type->collation), &decoder->page, err);
    return HAUL_OK;
}

/* ---- a batch ---- */

enum haul_code ms_decoder_begin(struct decoder *decoder, struct builder *builder, int64_t rows,
                                struct haul_error *err)
{
    struct builder *outer = builder;
    decoder->builder = builder;
    if (decoder->exact && ms_exact_begin(decoder, builder, rows, err))
        return err->code;
    if (!decoder->exact &&
        (builder_reserve(builder, rows, 0, err) || (decoder->nullable && builder_add_validity(builder, err))))
        return err->code;
    builder = decoder->builder;
    bool text = type_table[builder->field->type].layout == LAYOUT_BYTES;
    decoder->values = builder->values.data;
    decoder->offsets = text ? (int32_t *)(void *)builder->offsets.data : NULL;
    decoder->validity = decoder->nullable ? outer->validity.data : NULL;
    decoder->data = builder->data.data;
    decoder->data_used = 0;
    decoder->data_room =
        builder->data.capacity > BUFFER_PADDING ? builder->data.capacity - BUFFER_PADDING : 0;
    decoder->nulls = decoder->lost = decoder->lost_offsets = 0;
    if (decoder->validity)
        memset(decoder->validity, 0xff, ((size_t)rows + 7) / 8);
    return HAUL_OK;
}

void ms_decoder_end(struct decoder *decoder, int64_t rows)
{
    struct builder *builder = decoder->exact ? decoder->outer : decoder->builder;
    if (decoder->exact)
        ms_exact_end(decoder, rows);
    builder->length = rows;
    builder->null_count = decoder->nulls;
    if (decoder->nulls == 0)
        builder->validity.length = 0;
    else if (rows % 8)
        decoder->validity[rows / 8] &= (uint8_t)((1u << (rows % 8)) - 1);
}

bool ms_decode_grow(struct decoder *decoder, size_t more)
{
    struct buffer *data = &decoder->builder->data;
    if (more > (size_t)INT32_MAX - decoder->data_used) {
        error_set(decoder->state->err, HAUL_LIMIT, "column \"%s\": more than 2 GiB of text in one batch",
                  decoder->name);
        return false;
    }
    data->length = decoder->data_used;
    if (buffer_reserve(data, more, decoder->state->err))
        return false;
    decoder->data = data->data;
    decoder->data_room = data->capacity - BUFFER_PADDING;
    return true;
}

/* ---- code pages ---- */

enum haul_code ms_page(struct decode_pages *pages, int number, struct codepage **page, struct haul_error *err)
{
    for (int i = 0; i < pages->count; i++) {
        *page = pages->pages[i];
        if ((*page)->number == number)
            return HAUL_OK;
    }
    if (pages->count == PAGES_MAX)
        return error_set(err, HAUL_LIMIT, "more than %d code pages in one table", PAGES_MAX);
    struct codepage *made = calloc(1, sizeof *made);
    if (!made)
        return error_nomem(err, "a code page");
    if (codepage_open(made, number, err)) {
        free(made);
        return err->code;
    }
    pages->pages[pages->count++] = *page = made;
    return HAUL_OK;
}

void ms_pages_release(struct decode_pages *pages)
{
    for (int i = 0; i < pages->count; i++) {
        codepage_release(pages->pages[i]);
        free(pages->pages[i]);
    }
    *pages = (struct decode_pages){0};
}
