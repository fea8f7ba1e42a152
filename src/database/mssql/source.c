/*
 * source.c: SQL Server as a source of batches.
 *
 * Order of calls: open, then either list, or describe and readers; close. One
 * session looks things up; each reader has its own. Nothing is ever written.
 */
#include "database/mssql/source.h"

#include "base/settings.h"
#include "database/mssql/mssql.h"
#include "database/request.h"
#include <stdlib.h>

bool mssql_accepts(const char *uri)
{
    return ms_server_accepts(uri);
}

static enum haul_code source_list(struct source *base, haul_table_fn each, void *user, struct haul_error *err)
{
    struct mssql_source *source = (struct mssql_source *)base;
    return ms_catalog_list(&source->session, each, user, err);
}

static void source_close(struct source *base)
{
    struct mssql_source *source = (struct mssql_source *)base;
    ms_source_end(base);
    ms_abandon(&source->session);
    ms_split_release(source);
    ms_server_release(&source->server);
    ms_table_release(&source->table);
    schema_release(&source->schema);
    arena_release(&source->arena);
    pthread_mutex_destroy(&source->mutex);
    free(source);
}

static const struct source_ops source_ops = {
    .name = "mssql",
    .list = source_list,
    .ping = ms_source_ping,
    .describe = ms_source_describe,
    .split = ms_source_split,
    .begin = ms_source_begin,
    .end = ms_source_end,
    .open = ms_source_read,
    .close = source_close,
};

static enum ms_moments wanted_moments(const struct context *context)
{
    const char *text = context->settings ? settings_text(context->settings, "timestamps") : NULL;
    return text && !strcmp(text, "ns")      ? MOMENTS_NANO
           : text && !strcmp(text, "exact") ? MOMENTS_EXACT
                                            : MOMENTS_MICRO;
}

static enum ms_split wanted_split(const char *word)
{
    static const char *const words[] = {"auto", "key", "partition", "checksum", "none"};
    for (size_t i = 0; word && i < sizeof words / sizeof *words; i++)
        if (strcmp(words[i], word) == 0)
            return (enum ms_split)i;
    return SPLIT_AUTO;
}

/* --key A,B: columns of the table, also as "such, names". */
static enum haul_code take_key(struct mssql_source *source, const char *text, struct haul_error *err)
{
    const char **names = arena_alloc_array(&source->arena, MS_KEY_COLUMNS_MAX, sizeof *names);
    bool good = names;
    for (const char *at = text; good; at++) {
        size_t skip = strspn(at, " "), quoted = at[skip] == '"', length;
        at += skip + quoted;
        length = strcspn(at, quoted ? "\"" : ",");
        good = length > 0 && source->key_wish_count < MS_KEY_COLUMNS_MAX &&
               (names[source->key_wish_count++] = arena_text_n(&source->arena, at, length));
        at += good ? length + (quoted && at[length]) : 0;
        if (!good || !*at)
            break;
        good = *at == ',';
    }
    source->key_wish = names;
    return good ? HAUL_OK
                : error_set(err, HAUL_USAGE, "--key: write up to %d names with commas between",
                            MS_KEY_COLUMNS_MAX);
}

static enum haul_code take_wishes(struct mssql_source *source, const struct settings *settings,
                                  struct haul_error *err)
{
    if (!settings)
        return HAUL_OK;
    const char *key = settings_text(settings, "key"), *parameters = settings_text(settings, "parameters");
    source->split_wish = wanted_split(settings_text(settings, "split"));
    source->consistent_wish = settings_flag(settings, "consistent");
    source->dry = settings_flag(settings, "dry-run");
    source->workers_wish =
        settings_given(settings, "workers") ? (int)settings_number(settings, "workers") : 0;
    if (key && take_key(source, key, err))
        return err->code;
    if (key && source->split_wish == SPLIT_AUTO)
        source->split_wish = SPLIT_KEY;
    return parameters ? ms_parameters_parse(parameters, &source->arena, &source->parameters, err) : HAUL_OK;
}

enum haul_code mssql_source_open(const char *uri, const struct context *context,
                                 const struct source_request *request, struct source **out,
                                 struct haul_error *err)
{
    struct mssql_source *source = calloc(1, sizeof *source);
    if (!source)
        return error_nomem(err, "a source");
    source->base.ops = &source_ops;
    source->context = *context;
    source->moments = wanted_moments(context);
    pthread_mutex_init(&source->mutex, NULL);
    if (request->schema)
        error_set(err, HAUL_UNSUPPORTED,
                  "--schema: SQL Server says its types itself; cast columns in a --query");
    if (request->schema || request_copy(request, &source->arena, &source->request, &source->query, err) ||
        take_wishes(source, context->settings, err) || ms_server_open(&source->server, uri, context, err) ||
        ms_connect(&source->session, &source->server, context, err)) {
        source_close(&source->base);
        return err->code;
    }
    *out = &source->base;
    return HAUL_OK;
}
