/*
 * options.c: --storage, --field-end, --row-end, --code-page and what else the
 * settings say of BCP files, and which code page a field's text has.
 */
#include "format/bcp/shape.h"

#include "base/codepage.h"
#include "base/settings.h"
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const char *const storages[] = {"native", "char", "unicode", "unicode-native"};

static enum haul_code read_end(const struct context *context, const char *name, uint8_t *end, size_t *length,
                               struct haul_error *err)
{
    const char *text = settings_text(context->settings, name);
    if (!text[0])
        return error_set(err, HAUL_USAGE, "--%s is empty", name);
    if (!bcp_end_parse(text, strlen(text), end, length))
        return error_set(err, HAUL_USAGE,
                         "--%s %s: a terminator has at most %d bytes; in hex it is 0x and pairs of digits",
                         name, text, BCP_END_BYTES_MAX);
    return HAUL_OK;
}

static enum haul_code read_page(struct bcp_options *options, const char *text, struct haul_error *err)
{
    char *end;
    options->page_given = text != NULL;
    options->page = CODEPAGE_UTF8;
    if (!text)
        return HAUL_OK;
    if (strcasecmp(text, "ACP") == 0)
        options->page = 1252;
    else if (strcasecmp(text, "OEM") == 0)
        options->page = 437;
    else if (strcasecmp(text, "RAW") == 0)
        options->page = PAGE_RAW;
    else {
        long number = strtol(text, &end, 10);
        if (*end || number < 1 || number > 65535)
            return error_set(err, HAUL_USAGE,
                             "--code-page %s: ACP, OEM, RAW or a number such as 65001 is wanted", text);
        options->page = (int)number;
    }
    return HAUL_OK;
}

enum haul_code bcp_options_read(struct bcp_options *options, const struct context *context,
                                struct haul_error *err)
{
    const struct settings *settings = context->settings;
    memset(options, 0, sizeof *options);
    options->format_file = settings_text(settings, "format-file");
    options->version = settings_text(settings, "format-version");
    size_t name = options->format_file ? strlen(options->format_file) : 0;
    options->xml = settings_flag(settings, "format-xml") ||
                   (name > 4 && strcasecmp(options->format_file + name - 4, ".xml") == 0);
    const char *storage = settings_text(settings, "storage");
    for (int i = 0; i < 4; i++)
        if (strcmp(storage, storages[i]) == 0)
            options->storage = (enum bcp_storage)i;
    const char *moments = settings_text(settings, "timestamps");
    options->moments = strcmp(moments, "exact") == 0 ? MOMENTS_EXACT
                       : strcmp(moments, "ns") == 0  ? MOMENTS_NANO
                                                     : MOMENTS_MICRO;
    options->first_row = settings_number(settings, "first-row");
    options->last_row = settings_number(settings, "last-row");
    options->parallel = settings_given(settings, "parallel") ? settings_number(settings, "parallel") : 1;
    if (options->first_row < 1)
        return error_set(err, HAUL_USAGE, "--first-row counts from 1");
    if (options->last_row && options->last_row < options->first_row)
        return error_set(err, HAUL_USAGE, "--last-row %lld is before --first-row %lld",
                         (long long)options->last_row, (long long)options->first_row);
    if (read_page(options, settings_text(settings, "code-page"), err) ||
        read_end(context, "field-end", options->field_end, &options->field_end_length, err))
        return err->code;
    return read_end(context, "row-end", options->row_end, &options->row_end_length, err);
}

/* ---- code pages ---- */

/* Windows collations by how their names begin; those not here have 1252. */
static const struct {
    const char *start;
    int page;
} collations[] = {
    {"Albanian", 1250},
    {"Arabic", 1256},
    {"Azeri_Cyrillic", 1251},
    {"Azeri_Latin", 1254},
    {"Belarusian", 1251},
    {"Bosnian_Cyrillic", 1251},
    {"Bulgarian", 1251},
    {"Chinese_Hong_Kong", 950},
    {"Chinese_PRC", 936},
    {"Chinese_Simplified", 936},
    {"Chinese_Taiwan", 950},
    {"Chinese_Traditional", 950},
    {"Croatian", 1250},
    {"Cyrillic", 1251},
    {"Czech", 1250},
    {"Estonian", 1257},
    {"Greek", 1253},
    {"Hebrew", 1255},
    {"Hungarian", 1250},
    {"Japanese", 932},
    {"Kazakh", 1251},
    {"Korean", 949},
    {"Latvian", 1257},
    {"Lithuanian", 1257},
    {"Macedonian", 1251},
    {"Persian", 1256},
    {"Polish", 1250},
    {"Romanian", 1250},
    {"Serbian_Cyrillic", 1251},
    {"Serbian_Latin", 1250},
    {"Slovak", 1250},
    {"Slovenian", 1250},
    {"Tatar", 1251},
    {"Thai", 874},
    {"Turkish", 1254},
    {"Turkmen", 1250},
    {"Uighur", 1256},
    {"Ukrainian", 1251},
    {"Urdu", 1256},
    {"Uzbek_Latin", 1254},
    {"Vietnamese", 1258},
};

int bcp_collation_page(const char *collation)
{
    size_t length = strlen(collation);
    if (length > 5 && strcasecmp(collation + length - 5, "_UTF8") == 0)
        return CODEPAGE_UTF8;
    const char *page = strncasecmp(collation, "SQL_", 4) == 0 ? strstr(collation, "_CP") : NULL;
    if (page && isdigit((unsigned char)page[3])) {
        int number = atoi(page + 3);
        return number == 1 ? 1252 : number;
    }
    for (size_t i = 0; i < sizeof collations / sizeof *collations; i++)
        if (strncasecmp(collation, collations[i].start, strlen(collations[i].start)) == 0)
            return collations[i].page;
    return 1252;
}

int bcp_field_page(const struct bcp_options *options, const struct bcp_field *field)
{
    const bool asked = !field->alone || options->page == PAGE_RAW;
    const bool collated =
        asked && field->collation && field->collation[0] && strcasecmp(field->collation, "RAW") != 0;
    if (options->page_given && options->page == CODEPAGE_UTF8)
        return CODEPAGE_UTF8;
    if (collated)
        return bcp_collation_page(field->collation);
    return options->page == PAGE_RAW ? 1252 : options->page;
}
