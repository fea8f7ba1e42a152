/*
 * xml_read.c: XML format files, read by expat.
 *
 * RECORD's FIELDs say how the data file is stored, ROW's COLUMNs which of them are
 * columns, in which order and of which type; a FIELD without a COLUMN is skipped.
 * Nothing of XML that a format file does not need is taken: no document type, so no
 * entities, and no deeper nesting than the format has. Every error has its line.
 */
#include "format/bcp/layout.h"

#include "base/utf16.h"
#include <expat.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SEPARATOR '|'
#define XSI       "http://www.w3.org/2001/XMLSchema-instance|"
#define BULKLOAD  "schemas.microsoft.com/sqlserver/2004/bulkload/format"
#define DEPTH_MAX 3

/* The types of a FIELD. */
enum form { FORM_FIXED, FORM_PREFIX, FORM_TERM };
static const struct {
    const char *name;
    enum bcp_host host; /* HOST_BINARY: native, the column's type says which */
    enum form form;
} field_types[] = {
    {"NativeFixed", HOST_BINARY, FORM_FIXED}, {"NativePrefix", HOST_BINARY, FORM_PREFIX},
    {"CharFixed", HOST_CHAR, FORM_FIXED},     {"NCharFixed", HOST_NCHAR, FORM_FIXED},
    {"CharPrefix", HOST_CHAR, FORM_PREFIX},   {"NCharPrefix", HOST_NCHAR, FORM_PREFIX},
    {"CharTerm", HOST_CHAR, FORM_TERM},       {"NCharTerm", HOST_NCHAR, FORM_TERM},
};

struct xml_column {
    const char *source, *name;
    struct bcp_type type;
    bool not_null;
};

struct reading {
    XML_Parser parser;
    struct bcp_layout *layout;
    struct haul_error *err;
    int depth;
    bool in_record, in_row, seen_record, seen_row;
    struct bcp_field fields[BCP_FIELDS_MAX];
    struct xml_column columns[BCP_FIELDS_MAX];
    int field_count, column_count;
};

static void fail(struct reading *reading, const char *what, const char *which)
{
    if (reading->err->code)
        return;
    error_set(reading->err, HAUL_DATA, "line %lu: %s%s%.100s%s",
              (unsigned long)XML_GetCurrentLineNumber(reading->parser), what, which ? " \"" : "",
              which ? which : "", which ? "\"" : "");
    XML_StopParser(reading->parser, XML_FALSE);
}

/* An attribute's value; NULL when it is not there. */
static const char *attribute(const char **attributes, const char *name)
{
    for (; *attributes; attributes += 2)
        if (strcmp(attributes[0], name) == 0)
            return attributes[1];
    return NULL;
}

static bool known_attributes(struct reading *reading, const char **attributes, const char *const *known)
{
    for (; *attributes; attributes += 2) {
        const char *const *name = known;
        while (*name && strcmp(*name, attributes[0]) != 0)
            name++;
        if (!*name) {
            fail(reading, "an attribute that format files do not have:", attributes[0]);
            return false;
        }
    }
    return true;
}

static bool number(struct reading *reading, const char **attributes, const char *name, long max, long *value)
{
    const char *text = attribute(attributes, name);
    char *end;
    *value = 0;
    if (!text)
        return false;
    *value = strtol(text, &end, 10);
    if (*end || end == text || *value < 0 || *value > max)
        fail(reading, "no number it can be:", text);
    return true;
}

static const char *keep(struct reading *reading, const char *text)
{
    const char *copy = arena_text(&reading->layout->arena, text ? text : "");
    if (!copy)
        fail(reading, "no memory for a format file", NULL);
    return copy ? copy : "";
}

/* ---- FIELD ---- */

static void set_end(struct reading *reading, struct bcp_field *field, const char *text)
{
    uint8_t bytes[BCP_END_BYTES_MAX], wide[2 * BCP_END_BYTES_MAX];
    size_t length;
    if (!text || !bcp_end_parse(text, strlen(text), bytes, &length) || length == 0) {
        fail(reading, "a field that ends with a terminator needs TERMINATOR, of at most 64 bytes:", text);
        return;
    }
    const uint8_t *end = bytes;
    if (field->host == HOST_NCHAR) {
        length = utf16_from_utf8(bytes, length, wide);
        end = wide;
    }
    char *copy = arena_text_n(&reading->layout->arena, (const char *)end, length);
    if (!copy)
        fail(reading, "no memory for a format file", NULL);
    field->end = (const uint8_t *)copy;
    field->end_length = copy ? length : 0;
}

static void set_form(struct reading *reading, struct bcp_field *field, enum form form,
                     const char **attributes)
{
    long length, max, prefix;
    bool sized = number(reading, attributes, "LENGTH", BCP_LENGTH_MAX, &length);
    bool limited = number(reading, attributes, "MAX_LENGTH", BCP_LENGTH_MAX, &max);
    bool prefixed = number(reading, attributes, "PREFIX_LENGTH", 8, &prefix);
    const char *end = attribute(attributes, "TERMINATOR");
    if (form == FORM_FIXED && (!sized || length == 0))
        fail(reading, "a fixed field needs LENGTH", NULL);
    if (form == FORM_PREFIX && (!prefixed || prefix == 0))
        fail(reading, "a field with a prefix needs PREFIX_LENGTH 1, 2, 4 or 8", NULL);
    if (form != FORM_TERM && end)
        fail(reading, "TERMINATOR is for fields of CharTerm and NCharTerm", NULL);
    if (form != FORM_PREFIX && prefixed)
        fail(reading, "PREFIX_LENGTH is for fields with a prefix", NULL);
    field->prefix = form == FORM_PREFIX ? (int)prefix : 0;
    field->length = (uint32_t)(form == FORM_FIXED ? length : limited ? max : 0);
    if (form == FORM_TERM)
        set_end(reading, field, end);
}

static void start_field(struct reading *reading, const char **attributes)
{
    static const char *const known[] = {"ID",         XSI "type",      "LENGTH",    "MAX_LENGTH",
                                        "TERMINATOR", "PREFIX_LENGTH", "COLLATION", NULL};
    const char *id = attribute(attributes, "ID"), *type = attribute(attributes, XSI "type");
    const size_t types = sizeof field_types / sizeof *field_types;
    size_t t = 0;
    if (reading->field_count == BCP_FIELDS_MAX)
        fail(reading, "more than 1024 fields", NULL);
    if (!id || !type)
        fail(reading, "a FIELD needs ID and xsi:type", NULL);
    if (reading->err->code || !known_attributes(reading, attributes, known))
        return;
    while (t < types && strcmp(field_types[t].name, type) != 0)
        t++;
    if (t == types) {
        fail(reading, "no type of a FIELD:", type);
        return;
    }
    for (int i = 0; i < reading->field_count; i++)
        if (strcmp(reading->fields[i].id, id) == 0)
            fail(reading, "a FIELD ID that stands there twice:", id);
    struct bcp_field *field = &reading->fields[reading->field_count++];
    *field = (struct bcp_field){.id = keep(reading, id), .host = field_types[t].host, .name = ""};
    field->collation = keep(reading, attribute(attributes, "COLLATION"));
    field->end = (const uint8_t *)"";
    set_form(reading, field, field_types[t].form, attributes);
}

/* ---- COLUMN ---- */

static void start_column(struct reading *reading, const char **attributes)
{
    static const char *const known[] = {"SOURCE",    "NAME",  XSI "type", "LENGTH",
                                        "PRECISION", "SCALE", "NULLABLE", NULL};
    const char *source = attribute(attributes, "SOURCE"), *name = attribute(attributes, "NAME");
    const char *type = attribute(attributes, XSI "type"), *nullable = attribute(attributes, "NULLABLE");
    long length, precision, scale;
    if (reading->column_count == BCP_FIELDS_MAX)
        fail(reading, "more than 1024 columns", NULL);
    if (!source || !name || !type)
        fail(reading, "a COLUMN needs SOURCE, NAME and xsi:type", NULL);
    if (reading->err->code || !known_attributes(reading, attributes, known))
        return;
    struct xml_column *column = &reading->columns[reading->column_count++];
    column->source = keep(reading, source);
    column->name = keep(reading, name);
    column->type = (struct bcp_type){.sql = bcp_sql_by_xml(type), .scale = 7};
    if (!column->type.sql)
        fail(reading, "no type of a COLUMN:", type);
    column->not_null = nullable && strcmp(nullable, "NO") == 0;
    if (number(reading, attributes, "LENGTH", BCP_LENGTH_MAX, &length))
        column->type.length = (uint32_t)length;
    bool precise = number(reading, attributes, "PRECISION", 38, &precision);
    bool scaled = number(reading, attributes, "SCALE", 38, &scale);
    if (bcp_sqls[column->type.sql].args == ARGS_DECIMAL) {
        column->type.precision = precise ? (int)precision : 18;
        column->type.scale = scaled ? (int)scale : 0;
        if (precision == 0 && precise)
            fail(reading, "a decimal with no digits", NULL);
        if (column->type.scale > column->type.precision)
            fail(reading, "SCALE is greater than PRECISION", NULL);
    } else if (scaled && scale <= 7) {
        column->type.scale = (int)scale;
    }
}

/* ---- the tree ---- */

/* The name behind the format's namespace; NULL: of another one. Blanks are what an
 * editor that wrapped the long name left in it. */
static const char *local_name(const char *name)
{
    const char *end = strrchr(name, SEPARATOR), *want = BULKLOAD;
    if (!end)
        return NULL;
    const char *at = strncmp(name, "https://", 8) == 0  ? name + 8
                     : strncmp(name, "http://", 7) == 0 ? name + 7
                                                        : NULL;
    for (; at && at < end; at++) {
        if (*at == ' ')
            continue;
        if (*at != *want)
            return NULL;
        want++;
    }
    return at && *want == 0 ? end + 1 : NULL;
}

static bool enter(struct reading *reading, const char *name)
{
    bool record = strcmp(name, "RECORD") == 0, row = strcmp(name, "ROW") == 0;
    if ((record && reading->seen_record) || (row && reading->seen_row) || (!record && !row))
        return false;
    reading->in_record = record;
    reading->in_row = row;
    reading->seen_record |= record;
    reading->seen_row |= row;
    return true;
}

static void XMLCALL on_start(void *user, const char *full, const char **attributes)
{
    struct reading *reading = user;
    const char *name = local_name(full);
    if (!name) {
        fail(reading, "an element that is not in the namespace of format files (http://" BULKLOAD "):", full);
        return;
    }
    bool fine = false;
    if (++reading->depth > DEPTH_MAX)
        fine = false;
    else if (reading->depth == 1)
        fine = strcmp(name, "BCPFORMAT") == 0;
    else if (reading->depth == 2)
        fine = enter(reading, name);
    else if (reading->in_record && strcmp(name, "FIELD") == 0) {
        start_field(reading, attributes);
        fine = true;
    } else if (reading->in_row && strcmp(name, "COLUMN") == 0) {
        start_column(reading, attributes);
        fine = true;
    }
    if (!fine)
        fail(reading, "an element that format files do not have here:", name);
}

static void XMLCALL on_end(void *user, const char *name)
{
    struct reading *reading = user;
    (void)name;
    if (--reading->depth == 1)
        reading->in_record = reading->in_row = false;
}

static void XMLCALL on_doctype(void *user, const char *name, const char *system, const char *public_id,
                               int internal)
{
    (void)name;
    (void)system;
    (void)public_id;
    (void)internal;
    fail(user, "a document type: format files have none, and its entities are not read", NULL);
}

/* ---- fields and columns together ---- */

static struct bcp_field *field_by_id(struct reading *reading, const char *id)
{
    for (int i = 0; i < reading->field_count; i++)
        if (strcmp(reading->fields[i].id, id) == 0)
            return &reading->fields[i];
    return NULL;
}

static enum haul_code join_column(struct reading *reading, int index, struct haul_error *err)
{
    const struct xml_column *column = &reading->columns[index];
    struct bcp_field *field = field_by_id(reading, column->source);
    if (!field)
        return error_set(err, HAUL_DATA, "column \"%s\" has the source \"%s\", and no FIELD has that ID",
                         column->name, column->source);
    if (field->column)
        return error_set(err, HAUL_DATA, "the columns \"%s\" and \"%s\" have the same source \"%s\"",
                         field->name, column->name, column->source);
    field->column = index + 1;
    field->name = column->name;
    field->type = column->type;
    field->not_null = column->not_null;
    if (field->host == HOST_BINARY)
        field->host = bcp_sqls[column->type.sql].host;
    return HAUL_OK;
}

static enum haul_code join(struct reading *reading, struct haul_error *err)
{
    struct bcp_layout *layout = reading->layout;
    if (!reading->field_count)
        return error_set(err, HAUL_DATA, "has no RECORD with fields");
    for (int i = 0; i < reading->column_count; i++)
        if (join_column(reading, i, err))
            return err->code;
    for (int i = 0; i < reading->field_count && !reading->seen_row; i++) {
        struct bcp_field *field = &reading->fields[i];
        if (field->host == HOST_BINARY)
            return error_set(err, HAUL_DATA, "has no ROW, which says what the native field \"%s\" is",
                             field->id);
        field->column = i + 1;
        field->name = field->id;
    }
    if (bcp_layout_init(layout, reading->field_count, err))
        return err->code;
    memcpy(layout->fields, reading->fields, (size_t)layout->count * sizeof *layout->fields);
    layout->version = "XML";
    return HAUL_OK;
}

enum haul_code bcp_xml_parse(const char *text, size_t length, struct bcp_layout *layout,
                             struct haul_error *err)
{
    struct haul_error told = {0};
    struct reading *reading = memory_alloc(NULL, sizeof *reading);
    XML_Parser parser = reading ? XML_ParserCreateNS(NULL, SEPARATOR) : NULL;
    if (!parser) {
        memory_free(NULL, reading, sizeof *reading);
        return error_nomem(err, "an XML format file");
    }
    memset(reading, 0, sizeof *reading);
    reading->parser = parser;
    reading->layout = layout;
    reading->err = &told;
    XML_SetUserData(parser, reading);
    XML_SetElementHandler(parser, on_start, on_end);
    XML_SetStartDoctypeDeclHandler(parser, on_doctype);
    bool well = XML_Parse(parser, text, (int)length, 1) == XML_STATUS_OK;
    if (told.code)
        *err = told;
    else if (!well)
        error_set(err, HAUL_DATA, "line %lu: %s", (unsigned long)XML_GetCurrentLineNumber(parser),
                  XML_ErrorString(XML_GetErrorCode(parser)));
    enum haul_code code = told.code || !well ? err->code : join(reading, err);
    XML_ParserFree(parser);
    memory_free(NULL, reading, sizeof *reading);
    return code;
}
