/*
 * dialect.c: the options --delimiter, --quote, --escape, --header and --null.
 *
 * Texts are taken as typed, with the few spellings that a shell makes hard:
 * \t, \\ and \xHH. A delimiter may not hold a quote, an escape, a line end or
 * NUL: then every byte of a delimiter is outside of every other rule, and the
 * scanner needs to know its first byte's place only.
 */
#include "format/csv/dialect.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

void csv_dialect_preset(struct csv_dialect *dialect)
{
    memset(dialect, 0, sizeof *dialect);
    dialect->quote = '"';
    dialect->escape = CSV_NONE;
    dialect->comment = CSV_NONE;
    csv_dialect_set_delimiter(dialect, ",", 1);
}

void csv_dialect_set_delimiter(struct csv_dialect *dialect, const char *bytes, size_t length)
{
    memset(dialect->delimiter, 0, sizeof dialect->delimiter);
    memcpy(dialect->delimiter, bytes, length);
    dialect->delimiter_length = length;
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* One character of an option's text, spelled out or plain; *text moves on. */
static uint8_t spelled_byte(const char **text)
{
    const char *at = *text;
    if (at[0] == '\\' && (at[1] == 't' || at[1] == '\\')) {
        *text += 2;
        return at[1] == 't' ? '\t' : '\\';
    }
    if (at[0] == '\\' && at[1] == 'x' && hex_digit(at[2]) >= 0 && hex_digit(at[3]) >= 0) {
        *text += 4;
        return (uint8_t)(hex_digit(at[2]) * 16 + hex_digit(at[3]));
    }
    *text += 1;
    return (uint8_t)at[0];
}

static enum haul_code set_delimiter(struct csv_dialect *dialect, const char *text, struct haul_error *err)
{
    char bytes[CSV_DELIMITER_BYTES_MAX];
    size_t length = 0;
    for (const char *at = text; *at; length++) {
        if (length == sizeof bytes)
            return error_set(err, HAUL_USAGE, "--delimiter takes at most %d bytes, not '%s'",
                             CSV_DELIMITER_BYTES_MAX, text);
        bytes[length] = (char)spelled_byte(&at);
    }
    if (length == 0)
        return error_set(err, HAUL_USAGE,
                         "--delimiter is empty; give the text between fields, such as ';' or '\\t'");
    csv_dialect_set_delimiter(dialect, bytes, length);
    return HAUL_OK;
}

/* A single byte, or CSV_NONE for "none". */
static enum haul_code parse_byte(const char *option, const char *text, int *out, struct haul_error *err)
{
    if (strcmp(text, "none") == 0) {
        *out = CSV_NONE;
        return HAUL_OK;
    }
    const char *at = text;
    uint8_t byte = *at ? spelled_byte(&at) : 0;
    if (*at || byte == 0 || byte == '\n' || byte == '\r' || byte >= 0x80)
        return error_set(err, HAUL_USAGE, "--%s takes one ASCII character or none, not '%s'", option, text);
    *out = byte;
    return HAUL_OK;
}

static enum haul_code check(const struct csv_dialect *dialect, struct haul_error *err)
{
    for (size_t i = 0; i < dialect->delimiter_length; i++) {
        int byte = dialect->delimiter[i];
        if (byte == dialect->quote || byte == dialect->escape || byte == dialect->comment || byte == '\n' ||
            byte == '\r' || byte == 0)
            return error_set(
                err, HAUL_USAGE,
                "--delimiter can't hold a quote, an escape, a comment's character, a line end or NUL; "
                "choose another --quote (or none) for such a file");
    }
    if (dialect->comment != CSV_NONE &&
        (dialect->comment == dialect->quote || dialect->comment == dialect->escape))
        return error_set(err, HAUL_USAGE, "--comment can't be the quote or the escape");
    if (dialect->skip_lines < 0)
        return error_set(err, HAUL_USAGE, "--skip-lines takes a number of lines, 0 or more");
    if (strpbrk(dialect->null_text, "\r\n"))
        return error_set(err, HAUL_USAGE, "--null can't hold a line end");
    return HAUL_OK;
}

static enum csv_header parse_header(const char *text)
{
    static const char *const names[] = {"auto", "yes", "no", "match", "skip"};
    for (int i = CSV_HEADER_YES; text && i <= CSV_HEADER_SKIP; i++)
        if (strcmp(text, names[i]) == 0)
            return (enum csv_header)i;
    return CSV_HEADER_AUTO;
}

static enum haul_code set_null(struct csv_dialect *dialect, const char *text, struct haul_error *err)
{
    size_t length = strlen(text);
    if (length > CSV_NULL_BYTES_MAX)
        return error_set(err, HAUL_USAGE, "--null takes at most %d bytes", CSV_NULL_BYTES_MAX);
    memcpy(dialect->null_text, text, length + 1);
    dialect->null_length = length;
    return HAUL_OK;
}

enum haul_code csv_dialect_init(struct csv_dialect *dialect, const struct settings *settings,
                                struct haul_error *err)
{
    csv_dialect_preset(dialect);
    dialect->delimiter_length = 0;
    if (!settings)
        return HAUL_OK;
    const char *delimiter = settings_text(settings, "delimiter");
    const char *quote = settings_text(settings, "quote");
    const char *escape = settings_text(settings, "escape");
    const char *null_text = settings_text(settings, "null");
    const char *comment = settings_text(settings, "comment");
    enum haul_code code = HAUL_OK;
    if (delimiter)
        code = set_delimiter(dialect, delimiter, err);
    if (!code && quote)
        code = parse_byte("quote", quote, &dialect->quote, err);
    if (!code && escape)
        code = parse_byte("escape", escape, &dialect->escape, err);
    if (!code && comment)
        code = parse_byte("comment", comment, &dialect->comment, err);
    if (!code && null_text)
        code = set_null(dialect, null_text, err);
    if (code)
        return code;
    if (dialect->escape == dialect->quote)
        dialect->escape = CSV_NONE;
    if (csv_forms_init(&dialect->forms, settings, err))
        return err->code;
    dialect->trim = settings_flag(settings, "trim");
    dialect->skip_lines =
        settings_given(settings, "skip-lines") ? settings_number(settings, "skip-lines") : 0;
    dialect->header = parse_header(settings_text(settings, "header"));
    return check(dialect, err);
}

void csv_dialect_print_delimiter(const struct csv_dialect *dialect, char out[CSV_DELIMITER_TEXT_BYTES])
{
    char *at = out;
    for (size_t i = 0; i < dialect->delimiter_length; i++) {
        uint8_t byte = dialect->delimiter[i];
        if (byte == '\t')
            at += sprintf(at, "\\t");
        else if (byte < 0x20 || byte == 0x7f)
            at += sprintf(at, "\\x%02x", byte);
        else
            *at++ = (char)byte;
    }
    *at = 0;
}

bool csv_name_wants_tabs(const char *name)
{
    static const char *const ends[] = {".tsv", ".tab", ".tsv.gz", ".tsv.zst", ".tab.gz", ".tab.zst"};
    const size_t length = name ? strlen(name) : 0;
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        size_t bytes = strlen(ends[i]);
        if (length > bytes && strcasecmp(name + length - bytes, ends[i]) == 0)
            return true;
    }
    return false;
}
