/*
 * bulk_copy.c: the words of bcp become those of a copy. A data file says nothing of
 * its columns, so they are asked of the server first: their types, which of them the
 * table makes itself (identity, computed, rowversion), and, for a format file, their
 * collations.
 *
 * What bcp leaves off unless it is asked for is off here too: TABLOCK, constraints,
 * triggers, NULLs kept, identity values kept. There is no ledger unless --resume. -m
 * counts rows of the file that cannot be sent; what a constraint refuses ends its batch.
 */
#include "bulk_copy.h"
#include "format/bcp/bcp.h"
#include "registry.h"
#include "server.h"

#include "batch/view.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const char *text_of(const struct haul_job *job, const char *name)
{
    return settings_text(&job->settings, name);
}

static bool given(const struct haul_job *job, const char *name)
{
    return settings_given(&job->settings, name);
}

static bool is(const struct haul_job *job, const char *direction)
{
    const char *word = text_of(job, "direction");
    return word && strcmp(word, direction) == 0;
}

static enum haul_code set(struct haul_job *job, const char *name, const char *value, struct haul_error *err)
{
    return settings_set(&job->settings, name, value, err);
}

static enum haul_code preset(struct haul_job *job, const char *name, const char *value,
                             struct haul_error *err)
{
    return given(job, name) ? HAUL_OK : set(job, name, value, err);
}

/* ---- the file ---- */

static bool ends_with(const char *text, const char *end)
{
    size_t length = strlen(text), most = strlen(end);
    return length > most && strcasecmp(text + length - most, end) == 0;
}

static const char *format_of(const struct haul_job *job, const char *file)
{
    if (settings_flag(&job->settings, "csv"))
        return "csv";
    return ends_with(file, ".parquet") || ends_with(file, ".parq") ? "parquet" : "bcp";
}

/* ---- what the server says of the columns ---- */

enum { FACT_NAME, FACT_COLLATION, FACT_PASSED, FACT_IDENTITY, FACT_COUNT };

#define CATALOG                                                                                              \
    "SELECT c.name AS name, c.collation_name AS collation, CASE WHEN c.is_computed = 1 OR "                  \
    "c.system_type_id = 189 THEN 1 ELSE 0 END AS made, CASE WHEN c.is_identity = 1 THEN 1 ELSE 0 END AS "    \
    "numbered FROM %s.columns c WHERE c.object_id = OBJECT_ID(N'%s') ORDER BY c.column_id"

/* The text in '' with its quotes doubled. */
static char *literal(struct haul_job *job, const char *text)
{
    char *made = arena_alloc(&job->arena, 2 * strlen(text) + 1), *out = made;
    for (; made && *text; text++) {
        *out++ = *text;
        if (*text == '\'')
            *out++ = '\'';
    }
    if (made)
        *out = 0;
    return made;
}

/* "db." of a name of three parts, with "sys" behind it. */
static char *catalog_schema(struct haul_job *job, const char *table)
{
    const char *first = NULL, *second = NULL;
    bool inside = false;
    for (const char *c = table; *c; c++) {
        inside = *c == '[' || (*c == '"' && !inside) ? true : *c == ']' || *c == '"' ? false : inside;
        if (*c == '.' && !inside) {
            second = first ? c : NULL;
            first = first ? first : c;
        }
    }
    return second ? arena_printf(&job->arena, "%.*s.sys", (int)(first - table), table)
                  : arena_text(&job->arena, "sys");
}

static enum haul_code take_fact(struct haul_job *job, const struct batch *batch, int64_t row,
                                struct haul_error *err)
{
    const bool keep_identity = settings_flag(&job->settings, "keep-identity");
    char *facts[FACT_COUNT];
    for (int i = 0; i < FACT_COUNT; i++) {
        struct buffer text = {0};
        struct view view;
        enum haul_code code = view_init(&view, &batch->schema->fields[i], batch->array.children[i], err);
        if (!code && !view_is_null(&view, row))
            code = view_print(&view, row, &text, err);
        facts[i] =
            code ? NULL : arena_text_n(&job->arena, text.data ? (const char *)text.data : "", text.length);
        buffer_release(&text);
        if (code || !facts[i])
            return code ? code : error_nomem(err, "columns");
    }
    int at = schema_find_alike(&job->like, facts[FACT_NAME]);
    if (at < 0)
        return HAUL_OK;
    job->like.fields[at].collation = arena_text(&job->like.arena, facts[FACT_COLLATION]);
    job->passed[at] = facts[FACT_PASSED][0] == '1' || (facts[FACT_IDENTITY][0] == '1' && !keep_identity);
    return HAUL_OK;
}

static enum haul_code read_facts(struct haul_job *job, struct source *source, struct haul_error *err)
{
    struct source_info info = {0};
    struct reader *reader = NULL;
    const struct part all = {.spec = (char *)(uintptr_t) "all", .rows = -1, .bytes = -1};
    bool end = false;
    enum haul_code code = source->ops->describe(source, &info, err);
    if (!code && source->ops->begin)
        code = source->ops->begin(source, 1, err);
    if (!code)
        code = source->ops->open(source, &job->context, &all, 0, &reader, err);
    while (!code && !end) {
        struct batch batch = {0};
        code = reader->ops->next(reader, BATCH_ROWS, &batch, &end, err);
        for (int64_t row = 0; !code && !end && row < batch.array.length; row++)
            code = take_fact(job, &batch, row, err);
        batch_release(&batch);
    }
    if (reader)
        reader->ops->close(reader);
    if (source->ops->end)
        source->ops->end(source);
    source_info_release(&info);
    return code;
}

/* A job of its own: the same server, another query. */
static enum haul_code ask_facts(struct haul_job *job, const char *uri, const char *table,
                                struct haul_error *err)
{
    struct haul_job *other = NULL;
    struct source *source = NULL;
    struct haul_error refused = {0};
    const char *name = literal(job, table), *schema = catalog_schema(job, table);
    char *query = name && schema ? arena_printf(&job->arena, CATALOG, schema, name) : NULL;
    enum haul_code code = query ? job_clone(job, &other, err) : error_nomem(err, "a query");
    if (!code) {
        haul_job_on_password(other, job->password, job->password_user);
        code =
            haul_job_set(other, "source", uri, err) || set(other, "query", query, err) ? err->code : HAUL_OK;
    }
    if (!code)
        code = job_open(other, false, &source, err);
    if (!code)
        code = read_facts(job, source, &refused);
    if (refused.code == HAUL_CANCELLED || refused.code == HAUL_NETWORK)
        *err = refused;
    else if (refused.code) /* a server without this part of the catalog: its columns are taken as they are */
        code = HAUL_OK;
    if (source)
        source->ops->close(source);
    haul_job_free(other);
    return code;
}

/* The columns of the table or query that "source" or "target" is. */
static enum haul_code describe(struct haul_job *job, bool target, struct haul_error *err)
{
    struct source *source = NULL;
    struct source_info info = {0};
    enum haul_code code = job_open(job, target, &source, err);
    if (!code)
        code = source->ops->describe(source, &info, err);
    schema_release(&job->like);
    if (!code)
        code = schema_copy(&info.schema, &job->like, err);
    if (!code) {
        job->passed = arena_alloc_array(&job->arena, (size_t)job->like.count, sizeof *job->passed);
        code = job->passed ? HAUL_OK : error_nomem(err, "columns");
    }
    source_info_release(&info);
    if (source)
        source->ops->close(source);
    return code;
}

static enum haul_code learn(struct haul_job *job, bool target, struct haul_error *err)
{
    const char *uri = text_of(job, target ? "target" : "source"), *table = text_of(job, "table");
    if (describe(job, target, err))
        return err->code;
    return table && strncasecmp(uri, "mssql", 5) == 0 ? ask_facts(job, uri, table, err) : HAUL_OK;
}

/* ---- the ways ---- */

/* -F and -L of rows that come from the server. */
static enum haul_code settle_rows(struct haul_job *job, struct haul_error *err)
{
    int64_t first = settings_number(&job->settings, "first-row"),
            last = settings_number(&job->settings, "last-row");
    char *limit = arena_printf(&job->arena, "%lld", (long long)(last - first + 1));
    if (last && (!limit || set(job, "limit", limit, err)))
        return limit ? err->code : error_nomem(err, "-L");
    if (first <= 1)
        return is(job, "queryout") ? HAUL_OK : set(job, "source-table", text_of(job, "table"), err);
    if (is(job, "queryout"))
        return error_set(err, HAUL_USAGE,
                         "-F with queryout: leave rows out in the query itself (OFFSET %lld ROWS)",
                         (long long)(first - 1));
    char *query = arena_printf(&job->arena, "SELECT * FROM %s ORDER BY (SELECT NULL) OFFSET %lld ROWS",
                               text_of(job, "table"), (long long)(first - 1));
    return query ? set(job, "query", query, err) : error_nomem(err, "a query");
}

static enum haul_code settle_workers(struct haul_job *job, struct haul_error *err)
{
    return preset(job, "workers", given(job, "parallel") ? text_of(job, "parallel") : "1", err);
}

static enum haul_code settle_out(struct haul_job *job, const char *uri, const char *file,
                                 struct haul_error *err)
{
    if (haul_job_set(job, "source", uri, err) || haul_job_set(job, "target", file, err) ||
        set(job, "to", format_of(job, file), err) || set(job, "mode", "replace", err) ||
        set(job, "timestamps", "exact", err) || settle_workers(job, err) || settle_rows(job, err))
        return err->code;
    return settings_flag(&job->settings, "resume") ? HAUL_OK : set(job, "restart", "true", err);
}

/* bcp's hints, and those haul would choose by itself taken back. */
static enum haul_code settle_hints(struct haul_job *job, struct haul_error *err)
{
    static const char *const off[] = {"TABLOCK", "CHECK_CONSTRAINTS", "FIRE_TRIGGERS"};
    const char *hints = text_of(job, "load-hints");
    char *all = arena_text(&job->arena, hints ? hints : "");
    for (size_t i = 0; all && i < sizeof off / sizeof off[0]; i++)
        if (!strcasestr(all, off[i]))
            all = arena_printf(&job->arena, "%s%sNO_%s", all, *all ? "," : "", off[i]);
    const char *nulls = settings_flag(&job->settings, "keep-nulls") ? "KEEP_NULLS" : "NO_KEEP_NULLS";
    all = all ? arena_printf(&job->arena, "%s,%s", all, nulls) : NULL;
    return all ? set(job, "hint", all, err) : error_nomem(err, "hints");
}

/* -F and -L of files that bcp does not know. */
static enum haul_code settle_other_file(struct haul_job *job, const char *format, struct haul_error *err)
{
    if (settings_number(&job->settings, "first-row") > 1)
        return error_set(err, HAUL_USAGE, "-F counts rows of bcp's own files, not of %s",
                         strcmp(format, "csv") == 0 ? "CSV" : "Parquet");
    return settings_number(&job->settings, "last-row") ? set(job, "limit", text_of(job, "last-row"), err)
                                                       : HAUL_OK;
}

static enum haul_code settle_in(struct haul_job *job, const char *uri, const char *file,
                                struct haul_error *err)
{
    const char *format = format_of(job, file);
    const bool create = settings_flag(&job->settings, "create"), bcp = strcmp(format, "bcp") == 0;
    const char *rows = given(job, "batch-rows") ? text_of(job, "batch-rows") : "9223372036854775807";
    if (haul_job_set(job, "target", uri, err) || haul_job_set(job, "source", file, err) ||
        set(job, "from", format, err) || set(job, "mode", create ? "create" : "append", err) ||
        set(job, "target-table", text_of(job, "table"), err) || set(job, "timestamps", "exact", err) ||
        set(job, "unit-rows", rows, err) || set(job, "retries", "0", err) ||
        set(job, "constraints-fatal", "true", err) || settle_hints(job, err) || settle_workers(job, err))
        return err->code;
    if (!settings_flag(&job->settings, "resume") && set(job, "ledger", "none", err))
        return err->code;
    if (!bcp)
        return settle_other_file(job, format, err);
    return create ? HAUL_OK : learn(job, true, err);
}

static enum haul_code settle_format(struct haul_job *job, const char *uri, struct haul_error *err)
{
    if (haul_job_set(job, "source", uri, err) || set(job, "source-table", text_of(job, "table"), err))
        return err->code;
    return learn(job, false, err);
}

enum haul_code settle_bcp(struct haul_job *job, struct haul_error *err)
{
    const char *uri, *file = text_of(job, "data-file");
    if (!text_of(job, "direction"))
        return error_set(err, HAUL_USAGE, "no direction was given: in, out, queryout or format");
    if (is(job, "queryout") ? !text_of(job, "query") : !text_of(job, "table"))
        return error_set(err, HAUL_USAGE, "no table or query was given");
    if (!is(job, "format") && (!file || !*file))
        return error_set(err, HAUL_USAGE, "no data file was given");
    int64_t first = settings_number(&job->settings, "first-row"),
            last = settings_number(&job->settings, "last-row");
    if (last && last < first)
        return error_set(err, HAUL_USAGE, "the last row (-L %lld) is before the first (-F %lld)",
                         (long long)last, (long long)first);
    const char *server = text_of(job, "server");
    bool named = server && (strstr(server, "://") || ends_with(server, ":"));
    if ((!named && preset(job, "database", "", err)) || server_uri(job, &uri, err))
        return err->code;
    return is(job, "in")       ? settle_in(job, uri, file, err)
           : is(job, "format") ? settle_format(job, uri, err)
                               : settle_out(job, uri, file, err);
}

/* ---- format files ---- */

enum haul_code haul_format(struct haul_job *job, char **text, struct haul_error *err)
{
    struct buffer out;
    *text = NULL;
    if (!job->like.count && learn(job, false, err))
        return err->code;
    buffer_init(&out, NULL);
    enum haul_code code = bcp_format_text(&job->context, &job->like, &out, err);
    if (!code && !(*text = strndup((const char *)out.data, out.length)))
        code = error_nomem(err, "a format file");
    buffer_release(&out);
    return code;
}
