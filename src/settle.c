/*
 * settle.c: the words of export, import and combine become those of a copy. There
 * is no second engine behind these commands: what they mean is decided here, and
 * haul_copy does it.
 */
#include "base/file.h"
#include "bulk_copy.h"
#include "command.h"
#include "manifest.h"
#include "registry.h"
#include "server.h"

#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <unistd.h>

static bool given(const struct haul_job *job, const char *name)
{
    return settings_given(&job->settings, name);
}

static enum haul_code preset(struct haul_job *job, const char *name, const char *value,
                             struct haul_error *err)
{
    return given(job, name) ? HAUL_OK : settings_set(&job->settings, name, value, err);
}

/* ---- words that are accepted ---- */

static enum haul_code engine_check(struct haul_job *job, struct haul_error *err)
{
    const char *engine = settings_text(&job->settings, "engine");
    if (strcmp(engine, "odbc") == 0 || strcmp(engine, "adbc") == 0)
        return error_set(err, HAUL_UNSUPPORTED,
                         "--engine %s is not there yet; leave it out, haul speaks TDS itself", engine);
    if (strcmp(engine, "tds") != 0)
        context_note(&job->context, "--engine %s: haul speaks TDS itself, without %s", engine, engine);
    return HAUL_OK;
}

/* --mem-threshold PERCENT of the machine becomes --memory. */
static enum haul_code threshold_apply(struct haul_job *job, struct haul_error *err)
{
    char text[32];
    char *end;
    const char *value = settings_text(&job->settings, "mem-threshold");
    double percent = value ? strtod(value, &end) : 0;
    if (!value)
        return HAUL_OK;
    if (end == value || *end || !(percent >= 0 && percent <= 100))
        return error_set(err, HAUL_USAGE, "--mem-threshold is a percentage from 0 to 100");
    if (percent == 0 || given(job, "memory"))
        return HAUL_OK;
    double bytes = (double)sysconf(_SC_PHYS_PAGES) * (double)sysconf(_SC_PAGE_SIZE) * percent / 100;
    snprintf(text, sizeof text, "%.0f", bytes);
    context_note(&job->context, "--mem-threshold %s: --memory is %.0f MiB", value, bytes / (1 << 20));
    return settings_set(&job->settings, "memory", text, err);
}

/* They are numbers of seconds, whatever they mean here. */
static enum haul_code mem_check(const struct haul_job *job, struct haul_error *err)
{
    static const char *const words[] = {"mem-heartbeat", "mem-sleep", "mem-max-wait", "mem-cooldown"};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        char *end;
        const char *value = settings_text(&job->settings, words[i]);
        if (value && (strtod(value, &end) < 0 || end == value || *end))
            return error_set(err, HAUL_USAGE, "--%s is a number of seconds", words[i]);
    }
    return HAUL_OK;
}

static enum haul_code accept_words(struct haul_job *job, struct haul_error *err)
{
    static const char *const waiting[] = {"mem-sleep", "mem-max-wait", "mem-cooldown"};
    if (mem_check(job, err))
        return err->code;
    for (size_t i = 0; i < sizeof waiting / sizeof waiting[0]; i++)
        if (given(job, waiting[i]))
            context_note(&job->context, "--%s is not needed: nothing waits for memory, --memory holds anyway",
                         waiting[i]);
    if (given(job, "driver"))
        context_note(&job->context, "--driver is not needed: haul speaks TDS itself");
    if (given(job, "fetch-size"))
        context_note(&job->context, "--fetch-size is not needed: rows come as the server sends them");
    return engine_check(job, err) ? err->code : threshold_apply(job, err);
}

/* ---- a function's parameters ---- */

/* The end of one literal: a number, a text in quotes, NULL; NULL: it is none. */
static const char *literal_end(const char *at)
{
    if (strncasecmp(at, "NULL", 4) == 0)
        return at + 4;
    at += (*at == 'N' || *at == 'n') && at[1] == '\'';
    if (*at == '\'') {
        for (at++; *at; at++) {
            if (*at == '\'' && at[1] != '\'')
                return at + 1;
            at += *at == '\'';
        }
        return NULL;
    }
    at += *at == '+' || *at == '-';
    size_t whole = strspn(at, "0123456789");
    at += whole;
    size_t part = *at == '.' ? strspn(at + 1, "0123456789") : 0;
    at += part ? part + 1 : 0;
    return whole || part ? at : NULL;
}

static enum haul_code parameters_check(const char *text, struct haul_error *err)
{
    int number = 1;
    for (const char *at = text;; at++, number++) {
        at += strspn(at, " \t");
        at = literal_end(at);
        at = at ? at + strspn(at, " \t") : NULL;
        if (at && !*at)
            return HAUL_OK;
        if (!at || *at != ',')
            return error_set(err, HAUL_USAGE,
                             "--parameters: number %d is no number, no 'text' and not NULL; write them as "
                             "12,'fred','1989'",
                             number);
    }
}

static enum haul_code function_query(struct haul_job *job, const char *table, struct haul_error *err)
{
    const char *parameters = settings_text(&job->settings, "parameters");
    if (*parameters && parameters_check(parameters, err))
        return err->code;
    char *query = arena_printf(&job->arena, "SELECT * FROM %s(%s)", table, parameters);
    return query ? settings_set(&job->settings, "query", query, err) : error_nomem(err, "a query");
}

/* ---- the key ---- */

/* The value is not shown: with other tools -P is the password. */
static enum haul_code key_check(struct haul_job *job, struct haul_error *err)
{
    const char *key = settings_text(&job->settings, "key");
    struct source *source = NULL;
    struct source_info info = {0};
    enum haul_code code = job_open(job, false, &source, err);
    if (code == HAUL_OK)
        code = source->ops->describe(source, &info, err);
    bool found = false;
    for (int i = 0; code == HAUL_OK && i < info.schema.count; i++)
        found |= strcasecmp(info.schema.fields[i].name, key) == 0;
    source_info_release(&info);
    if (source)
        source->ops->close(source);
    if (code || found)
        return code;
    return error_set(
        err, HAUL_USAGE,
        "--pk-column (-P): the table has no column of that name (it is not shown, it might be a password: "
        "user is -u, password is -p)");
}

/* ---- the folder ---- */

/* As PyButt does: the folders above it are made, too. */
static enum haul_code make_parents(struct haul_job *job, const char *folder, struct haul_error *err)
{
    char *path = arena_text(&job->arena, folder);
    if (!path)
        return error_nomem(err, "a folder's name");
    if (settings_flag(&job->settings, "dry-run"))
        return HAUL_OK;
    for (char *slash = strchr(path + 1, '/'); *path && slash; slash = strchr(slash + 1, '/')) {
        *slash = 0;
        if (!path_is_folder(path) && path_make_folder(path, err))
            return error_prefix(err, "--output-path");
        *slash = '/';
    }
    return HAUL_OK;
}

/* ---- the commands ---- */

static enum haul_code settle_export(struct haul_job *job, struct haul_error *err)
{
    const char *uri, *table, *folder = settings_text(&job->settings, "output-path");
    if (accept_words(job, err) || server_uri(job, &uri, err) || server_table(job, &table, err))
        return err->code;
    if (!folder || !*folder)
        return error_set(err, HAUL_USAGE, "no --output-path was given: the folder of the Parquet files");
    char *target = arena_printf(&job->arena, "%s/", folder);
    const char *stem = server_stem(job);
    if (!target || (server_schema(job) && !stem))
        return error_nomem(err, "names");
    bool function = given(job, "parameters") && !server_is_mssql(job); /* else they are bound */
    if (haul_job_set(job, "source", uri, err) || haul_job_set(job, "target", target, err) ||
        settings_set(&job->settings, "to", "parquet", err) ||
        settings_set(&job->settings, "mode", "replace", err) ||
        (stem && settings_set(&job->settings, "target-table", stem, err)) ||
        preset(job, "workers", "1", err) || preset(job, "files", "1", err))
        return err->code;
    if (make_parents(job, folder, err))
        return err->code;
    if (function && strncmp(uri, "mssql", 5) == 0)
        function = false; /* it binds them itself */
    if (function ? function_query(job, table, err) : settings_set(&job->settings, "source-table", table, err))
        return err->code;
    return given(job, "key") ? key_check(job, err) : HAUL_OK;
}

static enum haul_code settle_import(struct haul_job *job, struct haul_error *err)
{
    const char *uri, *table;
    if (accept_words(job, err) || server_uri(job, &uri, err) || server_table(job, &table, err))
        return err->code;
    if (haul_job_set(job, "target", uri, err) || settings_set(&job->settings, "target-table", table, err) ||
        settings_set(&job->settings, "mode", "append", err) || preset(job, "workers", "1", err))
        return err->code;
    return preset(job, "transaction-mode", "rowgroup", err);
}

/* The tables of a manifest into one. Staging tables of an import are combined once: their run has a name. */
static enum haul_code settle_tables(struct haul_job *job, const char *tables, struct haul_error *err)
{
    const char *uri, *table;
    if (accept_words(job, err) || server_uri(job, &uri, err) || server_table(job, &table, err))
        return err->code;
    if (haul_job_set(job, "source", uri, err) || haul_job_set(job, "target", uri, err) ||
        settings_set(&job->settings, "target-table", table, err) ||
        settings_set(&job->settings, "tables", tables, err) ||
        settings_set(&job->settings, "mode", "append", err))
        return err->code;
    bool named = given(job, "run") || !staging_names(tables);
    return named ? HAUL_OK : combine_run_name(job, tables, err);
}

static enum haul_code settle_listed(struct haul_job *job, const struct manifest_listing *listing,
                                    struct haul_error *err)
{
    struct buffer list = {0};
    enum haul_code code = HAUL_OK;
    for (size_t i = 0; code == HAUL_OK && i < listing->count; i++)
        code = buffer_printf(&list, err, "%s%s", i ? "\n" : "", listing->entries[i].name);
    const char *tables = code ? NULL : arena_text_n(&job->arena, (const char *)list.data, list.length);
    buffer_release(&list);
    if (!tables)
        return code ? code : error_nomem(err, "the names of tables");
    char rows[32];
    (void)snprintf(rows, sizeof rows, "%lld", (long long)listing->sums.rows);
    if (listing->sums.rows >= 0 && settings_set(&job->settings, "tables-rows", rows, err))
        return err->code;
    return settle_tables(job, tables, err);
}

static enum haul_code settle_manifest(struct haul_job *job, const char *path, bool *tables,
                                      struct haul_error *err)
{
    struct manifest_listing listing = {0};
    enum haul_code code = manifest_read(path, &job->arena, &listing, err);
    *tables = code == HAUL_OK && listing.tables;
    if (*tables && listing.count == 0)
        code = error_set(err, HAUL_DATA, "%s lists no tables", path);
    else if (*tables)
        code = settle_listed(job, &listing, err);
    else if (code == HAUL_OK)
        code = preset(job, "mode", "replace", err); /* as PyButt does: the file is made of the manifest's */
    manifest_listing_release(&listing);
    return code;
}

/* combine keeps row groups as they are, unless their size is asked for. */
static enum haul_code settle_combine(struct haul_job *job, struct haul_error *err)
{
    static const char *const encoding[] = {"compression", "page-version", "encoding"};
    const char *source = settings_text(&job->settings, "source");
    bool tables = false,
         manifest = source && !strchr(source, '\n') && manifest_is_named(source) && path_exists(source);
    if (given(job, "tables"))
        return settle_tables(job, settings_text(&job->settings, "tables"), err);
    if (manifest && settle_manifest(job, source, &tables, err))
        return job_side(err, HAUL_SIDE_SOURCE);
    if (tables)
        return HAUL_OK;
    if (given(job, "rowgroup-size"))
        return HAUL_OK;
    for (size_t i = 0; i < sizeof encoding / sizeof encoding[0]; i++)
        if (given(job, encoding[i]))
            return error_set(err, HAUL_USAGE,
                             "--%s needs --rowgroup-size: combine keeps row groups as they are", encoding[i]);
    return settings_set(&job->settings, "combine", "true", err);
}

enum haul_code haul_settle(struct haul_job *job, unsigned command, struct haul_error *err)
{
    return command == HAUL_FOR_EXPORT    ? settle_export(job, err)
           : command == HAUL_FOR_IMPORT  ? settle_import(job, err)
           : command == HAUL_FOR_COMBINE ? settle_combine(job, err)
           : command == HAUL_FOR_BCP     ? settle_bcp(job, err)
                                         : HAUL_OK;
}
