/*
 * bcp_prompt.c: bcp's questions, when neither a format file nor -n, -c, -w or -N was
 * given: for each column how it is stored; the presets are those of a native file.
 *
 * What the questions need is read from format files that the library makes (native,
 * and text for the lengths), so nothing here knows of types but their names.
 */
#include "bcp.h"
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#define LINE_BYTES    1024
#define COLUMNS_MAX   1024
#define ANSWERS_WRONG 10 /* of one question, from a file or a person */

struct column {
    char host[32], end[160], name[300], collation[160];
    int prefix;
    unsigned length;
};

/* Answers, their host types, and how a column of the type is called. */
static const struct {
    const char *answer, *word, *host, *shown;
} types[] = {
    {"c", "char", "SQLCHAR", "char"},
    {"w", "nchar", "SQLNCHAR", "nchar"},
    {"T", "text", "SQLCHAR", "text"},
    {"W", "ntext", "SQLNCHAR", "ntext"},
    {"x", "binary", "SQLBINARY", "binary"},
    {"I", "image", "SQLBINARY", "image"},
    {"d", "datetime", "SQLDATETIME", "datetime"},
    {"D", "smalldatetime", "SQLDATETIM4", "smalldatetime"},
    {"de", "date", "SQLDATE", "date"},
    {"te", "time", "SQLTIME", "time"},
    {"d2", "datetime2", "SQLDATETIME2", "datetime2"},
    {"do", "datetimeoffset", "SQLDATETIMEOFFSET", "datetimeoffset"},
    {"U", "udt", "SQLUDT", "udt"},
    {"i", "int", "SQLINT", "int"},
    {"s", "smallint", "SQLSMALLINT", "smallint"},
    {"t", "tinyint", "SQLTINYINT", "tinyint"},
    {"B", "bigint", "SQLBIGINT", "bigint"},
    {"b", "bit", "SQLBIT", "bit"},
    {"m", "money", "SQLMONEY", "money"},
    {"M", "smallmoney", "SQLMONEY4", "smallmoney"},
    {"n", "numeric", "SQLNUMERIC", "numeric"},
    {"n", "decimal", "SQLDECIMAL", "decimal"},
    {"f", "float", "SQLFLT8", "float"},
    {"r", "real", "SQLFLT4", "real"},
    {"u", "uniqueidentifier", "SQLUNIQUEID", "uniqueidentifier"},
    {"V", "sql_variant", "SQLVARIANT", "sql_variant"},
    {"X", "xml", "SQLNCHAR", "xml"},
};
#define TYPES (sizeof types / sizeof *types)

static const char *shown(const char *host)
{
    for (size_t i = 0; i < TYPES; i++)
        if (strcmp(types[i].host, host) == 0)
            return types[i].shown;
    return host;
}

static bool is_text(const char *host)
{
    return strcmp(host, "SQLCHAR") == 0 || strcmp(host, "SQLNCHAR") == 0;
}

/* A line of a classic format file; false: it is none. */
static bool parse_column(const char *line, struct column *column)
{
    const char *quote = strchr(line, '"'), *end = quote ? strchr(quote + 1, '"') : NULL;
    int number, used = 0;
    memset(column, 0, sizeof *column);
    if (!end || sscanf(line, "%*d %31s %d %u", column->host, &column->prefix, &column->length) != 3)
        return false;
    snprintf(column->end, sizeof column->end, "%.*s", (int)(end - quote - 1), quote + 1);
    if (sscanf(end + 1, " %d %n", &number, &used) < 1)
        return false;
    const char *name = end + 1 + used, *stop = name + strlen(name);
    const char *last = stop;
    while (last > name && last[-1] != ' ')
        last--;
    snprintf(column->collation, sizeof column->collation, "%.*s", (int)(stop - last), last);
    while (last > name && last[-1] == ' ')
        last--;
    snprintf(column->name, sizeof column->name, "%.*s", (int)(last - name), name);
    return true;
}

/* The columns of the format file that the library makes for this storage; -1: told. */
static int read_columns(struct bcp *bcp, const char *storage, struct column *columns)
{
    struct haul_error err = {0};
    char *text = NULL, *rest = NULL;
    int count = 0, line = 0;
    if (haul_job_set(bcp->job, "storage", storage, &err) ||
        haul_job_set(bcp->job, "format-xml", "false", &err) || haul_format(bcp->job, &text, &err)) {
        bcp_print_error(bcp, NULL, &err);
        return -1;
    }
    for (char *at = strtok_r(text, "\n", &rest); at && count < COLUMNS_MAX;
         at = strtok_r(NULL, "\n", &rest), line++)
        if (line >= 2 && parse_column(at, &columns[count]))
            count++;
    haul_free(text);
    return count;
}

/* ---- questions ---- */

/* One line of an answer, "" for the preset; false: there are no more. */
static bool ask(struct bcp *bcp, char answer[LINE_BYTES])
{
    fflush(bcp->out);
    if (!fgets(answer, LINE_BYTES, bcp->answers))
        return false;
    answer[strcspn(answer, "\r\n")] = 0;
    if (bcp->answers != stdin)
        fprintf(bcp->out, "%s\n", answer);
    return true;
}

static bool ask_type(struct bcp *bcp, struct column *column, bool *changed)
{
    char answer[LINE_BYTES];
    for (int tries = 0; tries < ANSWERS_WRONG; tries++) {
        fprintf(bcp->out, "Enter the file storage type of field %s [%s]: ", column->name,
                shown(column->host));
        if (!ask(bcp, answer))
            return false;
        if (!answer[0])
            return true;
        for (size_t i = 0; i < TYPES; i++)
            if (strcmp(answer, types[i].answer) == 0 || strcasecmp(answer, types[i].word) == 0) {
                *changed = strcmp(column->host, types[i].host) != 0;
                snprintf(column->host, sizeof column->host, "%s", types[i].host);
                return true;
            }
        fprintf(bcp->out, "\"%s\" is no file storage type.\n", answer);
    }
    return false;
}

static bool ask_number(struct bcp *bcp, const char *question, const char *name, unsigned *value)
{
    char answer[LINE_BYTES];
    char *end;
    for (int tries = 0; tries < ANSWERS_WRONG; tries++) {
        fprintf(bcp->out, "Enter %s of field %s [%u]: ", question, name, *value);
        if (!ask(bcp, answer))
            return false;
        if (!answer[0])
            return true;
        unsigned long number = strtoul(answer, &end, 10);
        if (!*end && number <= 1u << 30) {
            *value = (unsigned)number;
            return true;
        }
        fprintf(bcp->out, "\"%s\" is no number.\n", answer);
    }
    return false;
}

static bool ask_end(struct bcp *bcp, struct column *column)
{
    char answer[LINE_BYTES];
    fprintf(bcp->out, "Enter field terminator [%s]: ", column->end[0] ? column->end : "none");
    if (!ask(bcp, answer))
        return false;
    if (strcmp(answer, "none") == 0)
        column->end[0] = 0;
    else if (answer[0])
        snprintf(column->end, sizeof column->end, "%.150s", answer);
    return true;
}

static bool ask_column(struct bcp *bcp, struct column *column, const struct column *text)
{
    bool changed = false;
    if (!ask_type(bcp, column, &changed))
        return false;
    if (changed && is_text(column->host))
        column->length = text->length;
    unsigned prefix = (unsigned)column->prefix;
    if (!ask_number(bcp, "prefix-length", column->name, &prefix))
        return false;
    column->prefix = (int)prefix;
    bool sized = is_text(column->host) || strcmp(column->host, "SQLBINARY") == 0;
    if (sized && !ask_number(bcp, "length", column->name, &column->length))
        return false;
    bool fine = ask_end(bcp, column);
    fprintf(bcp->out, "\n");
    return fine;
}

/* ---- the format file ---- */

static bool write_format(struct bcp *bcp, const char *name, const struct column *columns, int count)
{
    const char *version = haul_job_get(bcp->job, "format-version");
    FILE *file = fopen(name, "w");
    if (!file)
        return bcp_close_written(bcp, NULL, "format-file", name);
    fprintf(file, "%s\n%d\n", version ? version : "14.0", count);
    for (int i = 0; i < count; i++) {
        const struct column *c = &columns[i];
        bool text = is_text(c->host);
        /* A terminator of UTF-16 is said in pairs; lengths of fixed types are their own. */
        char end[400] = "";
        for (const char *at = c->end; *at && strlen(end) < sizeof end - 8; at++) {
            size_t step = *at == '\\' && at[1] ? 2 : 1;
            snprintf(end + strlen(end), sizeof end - strlen(end), "%.*s%s", (int)step, at,
                     strcmp(c->host, "SQLNCHAR") == 0 ? "\\0" : "");
            at += step - 1;
        }
        fprintf(file, "%-8d%-20s%-8d%-8u\"%s\"   %-6d%s %s\n", i + 1, c->host, c->prefix, c->length, end,
                i + 1, c->name, text && c->collation[0] ? c->collation : "\"\"");
    }
    return bcp_close_written(bcp, file, "format-file", name);
}

/* The name for the format file: what the person says, or a temporary one. */
static bool ask_name(struct bcp *bcp, char name[LINE_BYTES], bool *keep)
{
    char answer[LINE_BYTES];
    *keep = true;
    if (bcp_is(bcp, "format")) {
        snprintf(name, LINE_BYTES, "%s", bcp_value(bcp, 'f'));
        return true;
    }
    fprintf(bcp->out, "Do you want to save this format information in a file? [Y/n] ");
    if (!ask(bcp, answer))
        return false;
    *keep = answer[0] != 'n' && answer[0] != 'N';
    if (!*keep) {
        const char *folder = getenv("TMPDIR");
        snprintf(name, LINE_BYTES, "%s/haul-bcp-%ld.fmt", folder && *folder ? folder : "/tmp",
                 (long)getpid());
        return true;
    }
    fprintf(bcp->out, "Host filename [bcp.fmt]: ");
    if (!ask(bcp, answer))
        return false;
    snprintf(name, LINE_BYTES, "%s", answer[0] ? answer : "bcp.fmt");
    return true;
}

static bool ask_all(struct bcp *bcp, struct column *columns, const struct column *text, int count)
{
    char name[LINE_BYTES];
    bool keep;
    for (int i = 0; i < count; i++)
        if (!ask_column(bcp, &columns[i], &text[i]))
            return bcp_usage_error("the answers end before the questions do");
    if (!ask_name(bcp, name, &keep))
        return bcp_usage_error("the answers end before the questions do");
    if (!write_format(bcp, name, columns, count))
        return false;
    if (!keep)
        bcp->made_format = strdup(name);
    struct haul_error err = {0};
    if (haul_job_set(bcp->job, "format-file", name, &err) == HAUL_OK)
        return true;
    bcp_print_error(bcp, NULL, &err);
    return false;
}

bool bcp_prompt(struct bcp *bcp)
{
    struct column *columns = calloc(COLUMNS_MAX, sizeof *columns), *text = calloc(COLUMNS_MAX, sizeof *text);
    int count = columns && text ? read_columns(bcp, "char", text) : -1;
    bool fine =
        count > 0 && read_columns(bcp, "native", columns) == count && ask_all(bcp, columns, text, count);
    free(columns);
    free(text);
    return fine;
}
