/*
 * type_text.c: types as text, both ways: what --schema, messages and manifests
 * say.
 *
 *     type   = name | name '(' number {',' number} ')'
 *            | name '[' unit [', ' zone] ']'
 *            | 'list<' [name ':'] type '>' | 'struct<' name ':' type {', ' ...} '>'
 *            | 'map<' type ',' type '>'
 *     name   = a letter or '_', then letters, digits, '_' | '"' any, '"' doubled '"'
 *
 * The names are those of type_table; `aliases` adds what people are used to
 * write. Printing uses the table's names and, for the two extensions that are
 * types of their own to everybody ("uuid", "json"), their words. Nullability
 * and where a column came from are not part of the text.
 */
#include "base/settings.h"
#include "batch/type.h"
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define FIXED_BINARY_WIDTH_MAX 1048576
#define WORD_BYTES             32
#define ZONE_BYTES             64

static const char *const unit_names[] = {"s", "ms", "us", "ns"};

/* Other words, and the table's for them. */
static const struct {
    const char *word, *means;
} aliases[] = {
    {"boolean", "bool"},
    {"smallint", "int16"},
    {"int", "int32"},
    {"integer", "int32"},
    {"bigint", "int64"},
    {"half", "float16"},
    {"real", "float32"},
    {"float", "float64"},
    {"double", "float64"},
    {"numeric", "decimal"},
    {"decimal128", "decimal"},
    {"date32", "date"},
    {"datetime", "timestamp"},
    {"text", "utf8"},
    {"string", "utf8"},
    {"varchar", "utf8"},
    {"bytes", "binary"},
    {"blob", "binary"},
    {"fixed_size_binary", "fixed_binary"},
};

/* Types that are a table type with an extension name. */
static const struct {
    const char *word;
    enum type_id type;
    int width;
    const char *extension;
} extensions[] = {
    {"uuid", TYPE_FIXED_BINARY, 16, "arrow.uuid"},
    {"json", TYPE_UTF8, 0, "arrow.json"},
};

/* ---- printing ---- */

struct printer {
    char *out;
    size_t bytes, length;
};

static void put_n(struct printer *printer, const char *text, size_t length)
{
    for (size_t i = 0; i < length && printer->length + 1 < printer->bytes; i++)
        printer->out[printer->length++] = text[i];
}

static void put(struct printer *printer, const char *text)
{
    put_n(printer, text, strlen(text));
}

static bool is_name_start(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static bool is_name_part(char c)
{
    return is_name_start(c) || (c >= '0' && c <= '9');
}

static void put_name(struct printer *printer, const char *name)
{
    bool plain = is_name_start(name[0]);
    for (const char *c = name; *c; c++)
        plain = plain && is_name_part(*c);
    if (plain) {
        put(printer, name);
        return;
    }
    put(printer, "\"");
    for (const char *c = name; *c; c++)
        put_n(printer, *c == '"' ? "\"\"" : c, *c == '"' ? 2 : 1);
    put(printer, "\"");
}

static void print_type(struct printer *printer, const struct field *field);

static void print_children(struct printer *printer, const struct field *field, bool names)
{
    put(printer, "<");
    for (int i = 0; i < field->child_count; i++) {
        if (i)
            put(printer, ", ");
        if (names) {
            put_name(printer, field->children[i].name ? field->children[i].name : "");
            put(printer, ": ");
        }
        print_type(printer, &field->children[i]);
    }
    put(printer, ">");
}

static void print_type(struct printer *printer, const struct field *field)
{
    for (size_t i = 0; field->extension && i < sizeof extensions / sizeof *extensions; i++)
        if (field->type == extensions[i].type && field->width == extensions[i].width &&
            !strcmp(field->extension, extensions[i].extension)) {
            put(printer, extensions[i].word);
            return;
        }
    put(printer, type_table[field->type].name);
    char text[ZONE_BYTES + 16];
    text[0] = 0;
    if (field->type == TYPE_DECIMAL)
        snprintf(text, sizeof text, "(%d,%d)", field->precision, field->scale);
    else if (field->type == TYPE_FIXED_BINARY)
        snprintf(text, sizeof text, "(%d)", field->width);
    else if (field->type == TYPE_TIMESTAMP && field->timezone)
        snprintf(text, sizeof text, "[%s, %s]", unit_names[field->unit], field->timezone);
    else if (field->type == TYPE_TIME || field->type == TYPE_TIMESTAMP || field->type == TYPE_DURATION)
        snprintf(text, sizeof text, "[%s]", unit_names[field->unit]);
    put(printer, text);
    if (field->type == TYPE_LIST || field->type == TYPE_STRUCT)
        print_children(printer, field, true);
    else if (field->type == TYPE_MAP && field->child_count == 1)
        print_children(printer, &field->children[0], false);
}

void field_print_type(const struct field *field, char *out, size_t out_bytes)
{
    struct printer printer = {out, out_bytes, 0};
    print_type(&printer, field);
    if (out_bytes)
        out[printer.length] = 0;
}

/* ---- parsing ---- */

struct parser {
    const char *whole, *at;
    struct arena *arena;
    struct haul_error *err;
};

static enum haul_code fail(struct parser *parser, const char *what)
{
    return error_set(parser->err, HAUL_USAGE, "type \"%s\": %s at character %d", parser->whole, what,
                     (int)(parser->at - parser->whole) + 1);
}

static void skip_blanks(struct parser *parser)
{
    while (*parser->at == ' ' || *parser->at == '\t')
        parser->at++;
}

static bool take(struct parser *parser, char c)
{
    skip_blanks(parser);
    if (*parser->at != c)
        return false;
    parser->at++;
    return true;
}

/* A number of at most seven digits; -1 when there is none. */
static int take_number(struct parser *parser)
{
    skip_blanks(parser);
    int value = 0, digits = 0;
    for (; *parser->at >= '0' && *parser->at <= '9' && digits < 7; digits++)
        value = value * 10 + (*parser->at++ - '0');
    return digits ? value : -1;
}

static size_t word_length(const struct parser *parser)
{
    size_t length = 0;
    while (is_name_part(parser->at[length]))
        length++;
    return length;
}

static enum haul_code take_name(struct parser *parser, const char **name)
{
    skip_blanks(parser);
    char *text;
    if (*parser->at != '"') {
        size_t length = word_length(parser);
        if (!length)
            return fail(parser, "a name is expected (quote odd ones with \"\")");
        text = arena_text_n(parser->arena, parser->at, length);
        parser->at += length;
    } else {
        const char *from = parser->at + 1, *end = from;
        while (*end && (*end != '"' || end[1] == '"'))
            end += *end == '"' ? 2 : 1;
        if (!*end)
            return fail(parser, "a quoted name has no end");
        text = arena_text_n(parser->arena, from, (size_t)(end - from));
        size_t length = 0;
        for (; text && from < end; from += *from == '"' ? 2 : 1)
            text[length++] = *from;
        if (text)
            text[length] = 0;
        parser->at = end + 1;
    }
    *name = text;
    return text ? HAUL_OK : error_nomem(parser->err, "a type");
}

static enum haul_code parse_type(struct parser *parser, int depth, struct field *field);

static enum haul_code new_children(struct parser *parser, struct field *field, int count)
{
    struct field *children = arena_alloc_array(parser->arena, (size_t)count, sizeof *children);
    if (!children)
        return error_nomem(parser->err, "a type");
    if (field->child_count)
        memcpy(children, field->children, (size_t)field->child_count * sizeof *children);
    field->children = children;
    return HAUL_OK;
}

static enum haul_code parse_list(struct parser *parser, int depth, struct field *field)
{
    if (new_children(parser, field, 1))
        return parser->err->code;
    field->child_count = 1;
    struct field *item = &field->children[0];
    item->name = "item";
    item->nullable = true;
    skip_blanks(parser);
    const char *start = parser->at;
    const char *name = NULL;
    /* "list<x: int32>" or "list<int32>" */
    if (*start == '"' || is_name_part(*start)) {
        if (take_name(parser, &name))
            return parser->err->code;
        if (take(parser, ':'))
            item->name = name;
        else
            parser->at = start;
    }
    return parse_type(parser, depth + 1, item);
}

static enum haul_code parse_struct(struct parser *parser, int depth, struct field *field)
{
    int room = 0;
    skip_blanks(parser);
    if (*parser->at == '>')
        return HAUL_OK;
    do {
        if (field->child_count == room) {
            room = room ? room * 2 : 4;
            if (new_children(parser, field, room))
                return parser->err->code;
        }
        struct field *child = &field->children[field->child_count++];
        child->nullable = true;
        if (take_name(parser, &child->name))
            return parser->err->code;
        if (!take(parser, ':'))
            return fail(parser, "':' is expected after a member's name");
        if (parse_type(parser, depth + 1, child))
            return parser->err->code;
    } while (take(parser, ','));
    return HAUL_OK;
}

static enum haul_code parse_map(struct parser *parser, int depth, struct field *field)
{
    if (new_children(parser, field, 1))
        return parser->err->code;
    field->child_count = 1;
    struct field *entries = &field->children[0];
    entries->name = "entries";
    entries->type = TYPE_STRUCT;
    if (new_children(parser, entries, 2))
        return parser->err->code;
    entries->child_count = 2;
    entries->children[0].name = "key";
    entries->children[1].name = "value";
    entries->children[1].nullable = true;
    if (parse_type(parser, depth + 2, &entries->children[0]))
        return parser->err->code;
    if (!take(parser, ','))
        return fail(parser, "a map needs a key and a value type: map<utf8, int64>");
    return parse_type(parser, depth + 2, &entries->children[1]);
}

static enum haul_code parse_nested(struct parser *parser, int depth, struct field *field)
{
    if (!take(parser, '<'))
        return fail(parser, "'<' is expected");
    enum haul_code code = field->type == TYPE_LIST     ? parse_list(parser, depth, field)
                          : field->type == TYPE_STRUCT ? parse_struct(parser, depth, field)
                                                       : parse_map(parser, depth, field);
    if (code)
        return code;
    return take(parser, '>') ? HAUL_OK : fail(parser, "'>' is expected");
}

static enum haul_code parse_decimal(struct parser *parser, struct field *field)
{
    if (!take(parser, '('))
        return fail(parser, "a decimal needs its digits: decimal(12,2)");
    field->precision = take_number(parser);
    field->scale = take(parser, ',') ? take_number(parser) : 0;
    if (!take(parser, ')'))
        return fail(parser, "')' is expected");
    if (field->precision < 1 || field->precision > 38 || field->scale < 0 || field->scale > field->precision)
        return fail(parser, "a decimal has 1 to 38 digits, of them 0 to all after the point");
    return HAUL_OK;
}

static enum haul_code parse_width(struct parser *parser, struct field *field)
{
    if (!take(parser, '('))
        return fail(parser, "a fixed_binary needs its length: fixed_binary(16)");
    field->width = take_number(parser);
    if (!take(parser, ')'))
        return fail(parser, "')' is expected");
    if (field->width < 1 || field->width > FIXED_BINARY_WIDTH_MAX)
        return fail(parser, "a fixed_binary has 1 to 1048576 bytes");
    return HAUL_OK;
}

static enum haul_code parse_unit(struct parser *parser, struct field *field)
{
    field->unit = TIME_MICRO;
    if (!take(parser, '['))
        return HAUL_OK;
    skip_blanks(parser);
    size_t length = word_length(parser);
    int unit = 0;
    while (unit < 4 && (strlen(unit_names[unit]) != length || memcmp(unit_names[unit], parser->at, length)))
        unit++;
    if (unit == 4)
        return fail(parser, "the unit is one of s, ms, us, ns");
    field->unit = (enum time_unit)unit;
    parser->at += length;
    if (field->type == TYPE_TIMESTAMP && take(parser, ',')) {
        skip_blanks(parser);
        length = strcspn(parser->at, "]");
        if (!length || length >= ZONE_BYTES)
            return fail(parser, "the name of a time zone is expected");
        field->timezone = arena_text_n(parser->arena, parser->at, length);
        if (!field->timezone)
            return error_nomem(parser->err, "a type");
        parser->at += length;
    }
    return take(parser, ']') ? HAUL_OK : fail(parser, "']' is expected");
}

static enum haul_code unknown_type(struct parser *parser, const char *word)
{
    const char *names[TYPE_COUNT + 2];
    size_t count = 0;
    for (int i = 0; i < TYPE_COUNT; i++)
        names[count++] = type_table[i].name;
    for (size_t i = 0; i < sizeof extensions / sizeof *extensions; i++)
        names[count++] = extensions[i].word;
    char near[128] = "";
    settings_near(word, names, count, near, sizeof near);
    return error_set(parser->err, HAUL_USAGE, "type \"%s\": \"%s\" is no type; %s%s", parser->whole, word,
                     near[0] ? "near to it: "
                             : "known are bool, int8 to uint64, float64, decimal(p,s), date, ",
                     near[0] ? near : "time, timestamp, utf8, binary, uuid, json, list, struct, map");
}

/* Finds type and what the word alone says. */
static enum haul_code parse_word(struct parser *parser, struct field *field)
{
    skip_blanks(parser);
    char word[WORD_BYTES];
    size_t length = word_length(parser);
    if (!length || length >= sizeof word)
        return fail(parser, "a type is expected");
    memcpy(word, parser->at, length);
    word[length] = 0;
    parser->at += length;
    const char *means = word;
    for (size_t i = 0; i < sizeof aliases / sizeof *aliases; i++)
        if (!strcasecmp(word, aliases[i].word))
            means = aliases[i].means;
    for (size_t i = 0; i < sizeof extensions / sizeof *extensions; i++)
        if (!strcasecmp(word, extensions[i].word)) {
            field->type = extensions[i].type;
            field->width = extensions[i].width;
            field->extension = extensions[i].extension;
            return HAUL_OK;
        }
    if (!strcasecmp(word, "timestamptz")) {
        means = "timestamp";
        field->timezone = "UTC";
    }
    for (int i = 0; i < TYPE_COUNT; i++)
        if (!strcasecmp(means, type_table[i].name)) {
            field->type = (enum type_id)i;
            return HAUL_OK;
        }
    return unknown_type(parser, word);
}

static enum haul_code parse_type(struct parser *parser, int depth, struct field *field)
{
    if (depth > TYPE_DEPTH_MAX)
        return fail(parser, "more than 32 levels of nesting");
    if (parse_word(parser, field))
        return parser->err->code;
    switch (field->type) {
    case TYPE_DECIMAL:
        return parse_decimal(parser, field);
    case TYPE_FIXED_BINARY:
        return field->extension ? HAUL_OK : parse_width(parser, field);
    case TYPE_TIME:
    case TYPE_TIMESTAMP:
    case TYPE_DURATION:
        return parse_unit(parser, field);
    case TYPE_LIST:
    case TYPE_STRUCT:
    case TYPE_MAP:
        return parse_nested(parser, depth, field);
    default:
        return HAUL_OK;
    }
}

enum haul_code field_parse_type(const char *text, struct arena *arena, struct field *field,
                                struct haul_error *err)
{
    struct parser parser = {text, text, arena, err};
    struct field parsed = {.name = field->name, .nullable = true};
    if (parse_type(&parser, 0, &parsed))
        return err->code;
    skip_blanks(&parser);
    if (*parser.at)
        return fail(&parser, "there is more than a type");
    *field = parsed;
    return HAUL_OK;
}
