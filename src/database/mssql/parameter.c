/*
 * parameter.c: values from the command line, and sp_executesql (MS-TDS, "RPC
 * Request"). The statement and the declarations go as nvarchar, each value in
 * the nullable form of its type.
 */
#include "database/mssql/parameter.h"

#include "base/buffer.h"
#include "base/number.h"
#include "base/unicode.h"
#include "base/utf16.h"
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#define TEXT_UNITS_MAX 4000 /* of an nvarchar(n) */
#define BYTES_MAX      8000
#define SP_EXECUTESQL  10
#define PLP_UNKNOWN    UINT64_MAX - 1
#define NVARCHAR_NULL  0xffffu

/* ---- from text ---- */

static enum haul_code fail_value(int number, struct haul_error *err)
{
    return error_set(
        err, HAUL_USAGE,
        "--parameters: number %d is no number, no 'text', no 0xBYTES and not NULL; write them as "
        "12,'fred','1989'",
        number);
}

/* 'text' with quotes doubled; *at goes behind it. */
static bool take_text(const char **at, struct arena *arena, struct ms_parameter *value)
{
    const char *from = *at + 1;
    char *text = arena_alloc(arena, strlen(from) + 1), *out = text;
    if (!text)
        return false;
    for (;; from++) {
        if (!*from)
            return false;
        if (*from == '\'' && from[1] != '\'')
            break;
        from += *from == '\'';
        *out++ = *from;
    }
    *at = from + 1;
    value->kind = PARAMETER_TEXT;
    value->text = text;
    return unicode_is_valid((const uint8_t *)text, strlen(text));
}

static bool take_bytes(const char *word, struct arena *arena, struct ms_parameter *value)
{
    size_t digits = strlen(word + 2);
    uint8_t *bytes = arena_alloc(arena, digits / 2 + 1);
    if (!bytes || digits % 2 || digits / 2 > BYTES_MAX)
        return false;
    for (size_t i = 0; i < digits; i += 2) {
        char pair[3] = {word[2 + i], word[3 + i], 0};
        if (!isxdigit((unsigned char)pair[0]) || !isxdigit((unsigned char)pair[1]))
            return false;
        bytes[i / 2] = (uint8_t)strtoul(pair, NULL, 16);
    }
    value->kind = PARAMETER_BYTES;
    value->bytes = bytes;
    value->length = digits / 2;
    return true;
}

static bool take_decimal(const char *word, struct ms_parameter *value)
{
    const char *digits = word + (*word == '-' || *word == '+'), *point = strchr(digits, '.');
    size_t length = strlen(digits) - (point != NULL);
    int128_t parsed;
    value->kind = PARAMETER_DECIMAL;
    value->text = word;
    value->scale = point ? (int)strlen(point + 1) : 0;
    value->precision = (int)length;
    return length >= 1 && length <= 38 &&
           number_parse_decimal(word, strlen(word), value->precision, value->scale, &parsed);
}

static bool take_word(const char *word, struct arena *arena, struct ms_parameter *value)
{
    char *end;
    if (!strcasecmp(word, "NULL"))
        return true;
    if (!strncasecmp(word, "0x", 2))
        return take_bytes(word, arena, value);
    if (!*word || strspn(word, "+-0123456789.eE") != strlen(word))
        return false;
    if (number_parse_i64(word, strlen(word), &value->integer)) {
        value->kind = PARAMETER_INTEGER;
        return true;
    }
    if (!strpbrk(word, "eE"))
        return take_decimal(word, value);
    value->kind = PARAMETER_FLOAT;
    value->real = strtod(word, &end);
    return !*end;
}

static bool take_value(const char **at, struct arena *arena, struct ms_parameter *value)
{
    const char *start = *at + strspn(*at, " ");
    bool wide = (*start == 'N' || *start == 'n') && start[1] == '\'', good;
    *at = start + wide;
    if (**at == '\'') {
        good = take_text(at, arena, value);
    } else {
        size_t length = strcspn(start, ","), used = length;
        while (used && start[used - 1] == ' ')
            used--;
        const char *word = arena_text_n(arena, start, used);
        good = word && take_word(word, arena, value);
        *at = start + length;
    }
    *at += good ? strspn(*at, " ") : 0;
    return good && (!**at || **at == ',');
}

enum haul_code ms_parameters_parse(const char *text, struct arena *arena, struct ms_parameters *parameters,
                                   struct haul_error *err)
{
    size_t most = 1;
    for (const char *at = text; *at; at++)
        most += *at == ',';
    *parameters = (struct ms_parameters){.list = arena_alloc_array(arena, most, sizeof *parameters->list)};
    if (!parameters->list)
        return error_nomem(err, "--parameters");
    if (!text[strspn(text, " ")])
        return HAUL_OK;
    for (const char *at = text;; at++) {
        if (parameters->count == MS_PARAMETERS_MAX)
            return error_set(err, HAUL_USAGE, "--parameters: more than %d values", MS_PARAMETERS_MAX);
        struct ms_parameter *value = &parameters->list[parameters->count++];
        *value = (struct ms_parameter){0};
        if (!take_value(&at, arena, value))
            return fail_value(parameters->count, err);
        if (!*at)
            return HAUL_OK;
    }
}

/* ---- to the wire ---- */

static size_t count_units(const char *text)
{
    const uint8_t *at = (const uint8_t *)text;
    uint16_t units[2];
    size_t count = 0;
    while (*at)
        count += (size_t)utf16_of_utf8(&at, units);
    return count;
}

static void declare(const struct ms_parameter *value, char *out, size_t size)
{
    bool small = value->integer >= INT32_MIN && value->integer <= INT32_MAX;
    switch (value->kind) {
    case PARAMETER_INTEGER:
        snprintf(out, size, "%s", small ? "int" : "bigint");
        return;
    case PARAMETER_DECIMAL:
        snprintf(out, size, "decimal(%d,%d)", value->precision, value->scale);
        return;
    case PARAMETER_FLOAT:
        snprintf(out, size, "float");
        return;
    case PARAMETER_BYTES:
        snprintf(out, size, "varbinary(%d)", BYTES_MAX);
        return;
    default:
        snprintf(out, size, "nvarchar(%s)",
                 value->text && count_units(value->text) > TEXT_UNITS_MAX ? "max" : "4000");
    }
}

/* TYPE_INFO and value of an nvarchar; NULL: NULL. */
static enum haul_code put_nvarchar(struct session *session, const char *text, struct haul_error *err)
{
    struct wire *wire = &session->wire;
    size_t units = text ? count_units(text) : 0;
    bool max = units > TEXT_UNITS_MAX;
    if (ms_wire_put_u8(wire, MS_NVARCHAR, err) ||
        ms_wire_put_u16(wire, max ? 0xffff : TEXT_UNITS_MAX * 2, err) ||
        ms_wire_put(wire, session->collation, sizeof session->collation, err))
        return err->code;
    if (!max)
        return ms_wire_put_u16(wire, text ? (uint16_t)(units * 2) : NVARCHAR_NULL, err) ||
                       (text && ms_put_text(wire, text, err))
                   ? err->code
                   : HAUL_OK;
    return ms_wire_put_u64(wire, PLP_UNKNOWN, err) || ms_wire_put_u32(wire, (uint32_t)units * 2, err) ||
                   ms_put_text(wire, text, err) || ms_wire_put_u32(wire, 0, err)
               ? err->code
               : HAUL_OK;
}

static enum haul_code put_decimal(struct wire *wire, const struct ms_parameter *value, struct haul_error *err)
{
    int128_t number = 0;
    (void)number_parse_decimal(value->text, strlen(value->text), value->precision, value->scale, &number);
    uint128_t magnitude = number < 0 ? (uint128_t)-number : (uint128_t)number;
    uint8_t bytes[] = {MS_DECIMALN, 17, (uint8_t)value->precision, (uint8_t)value->scale, 17, number >= 0};
    return ms_wire_put(wire, bytes, sizeof bytes, err) || ms_wire_put(wire, &magnitude, 16, err) ? err->code
                                                                                                 : HAUL_OK;
}

static enum haul_code put_value(struct session *session, const struct ms_parameter *value,
                                struct haul_error *err)
{
    struct wire *wire = &session->wire;
    uint8_t size = value->integer >= INT32_MIN && value->integer <= INT32_MAX ? 4 : 8;
    const uint8_t integer[] = {MS_INTN, size, size}, real[] = {MS_FLTN, 8, 8};
    enum haul_code code = HAUL_OK;
    switch (value->kind) {
    case PARAMETER_INTEGER:
        code = ms_wire_put(wire, integer, sizeof integer, err);
        return code ? code : ms_wire_put(wire, &value->integer, size, err);
    case PARAMETER_DECIMAL:
        return put_decimal(wire, value, err);
    case PARAMETER_FLOAT:
        code = ms_wire_put(wire, real, sizeof real, err);
        return code ? code : ms_wire_put(wire, &value->real, 8, err);
    case PARAMETER_BYTES:
        code = ms_wire_put_u8(wire, MS_BIGVARBINARY, err) || ms_wire_put_u16(wire, BYTES_MAX, err) ||
                       ms_wire_put_u16(wire, (uint16_t)value->length, err)
                   ? err->code
                   : HAUL_OK;
        return code ? code : ms_wire_put(wire, value->bytes, value->length, err);
    default:
        return put_nvarchar(session, value->text, err);
    }
}

static enum haul_code put_name(struct wire *wire, const char *name, struct haul_error *err)
{
    const uint8_t status = 0;
    return ms_wire_put_u8(wire, (uint8_t)strlen(name), err) || ms_put_text(wire, name, err) ||
                   ms_wire_put_u8(wire, status, err)
               ? err->code
               : HAUL_OK;
}

/* "@p1 int, @p2 nvarchar(4000)" */
static const char *declare_all(const struct ms_parameters *parameters, struct buffer *out,
                               struct haul_error *err)
{
    char one[64], type[32];
    for (int i = 0; i < parameters->count; i++) {
        declare(&parameters->list[i], type, sizeof type);
        int length = snprintf(one, sizeof one, "%s@p%d %s", i ? ", " : "", i + 1, type);
        if (buffer_append(out, one, (size_t)length, err))
            return NULL;
    }
    return buffer_append(out, "", 1, err) ? NULL : (const char *)out->data;
}

static enum haul_code put_call(struct session *session, const char *sql, const char *declared,
                               const struct ms_parameters *parameters, struct haul_error *err)
{
    struct wire *wire = &session->wire;
    char name[16];
    if (ms_wire_put_u16(wire, 0xffff, err) || ms_wire_put_u16(wire, SP_EXECUTESQL, err) ||
        ms_wire_put_u16(wire, 0, err) || put_name(wire, "", err) || put_nvarchar(session, sql, err) ||
        put_name(wire, "", err) || put_nvarchar(session, declared, err))
        return err->code;
    for (int i = 0; i < parameters->count; i++) {
        snprintf(name, sizeof name, "@p%d", i + 1);
        if (put_name(wire, name, err) || put_value(session, &parameters->list[i], err))
            return err->code;
    }
    return HAUL_OK;
}

enum haul_code ms_send_call(struct session *session, const char *sql, const struct ms_parameters *parameters,
                            struct haul_error *err)
{
    struct buffer declared = {0};
    if (!parameters->count)
        return ms_send_batch(session, sql, err);
    if (!unicode_is_valid((const uint8_t *)sql, strlen(sql)))
        return error_set(err, HAUL_USAGE, "the statement is not UTF-8");
    const char *text = declare_all(parameters, &declared, err);
    enum haul_code code = text ? ms_request_begin(session, PACKET_RPC, err) : err->code;
    if (!code)
        code = put_call(session, sql, text, parameters, err);
    if (text)
        code = ms_request_end(session, code, err);
    buffer_release(&declared);
    return code;
}
