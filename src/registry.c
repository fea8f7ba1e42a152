/*
 * registry.c: every room by name. A new engine or format is one row here.
 */
#include "registry.h"
#include "base/file.h"
#include "base/settings.h"
#include "database/mssql/mssql.h"
#include "database/mysql/mysql_wing.h"
#include "database/postgres/postgres.h"
#include "database/sqlite/sqlite.h"
#include "format/bcp/bcp.h"
#include "format/csv/csv.h"
#include "format/file_choice.h"
#include "format/file_sink.h"
#include "format/file_source.h"
#include "format/parquet/parquet.h"
#include <ctype.h>
#include <stdio.h>

static const struct format *const formats[] = {&format_parquet, &format_csv, &format_bcp, NULL};

/* A local engine's name is "scheme:///path"; it gets the path. Others get the whole URI. */
struct engine {
    const char *scheme; /* before "://" */
    bool local;
    const char *magic; /* how its local files begin; NULL: it has none */
    size_t magic_length;
    enum haul_code (*open_source)(const char *name, const struct context *context,
                                  const struct source_request *request, struct source **source,
                                  struct haul_error *err);
    enum haul_code (*open_sink)(const char *name, const struct context *context, struct sink **sink,
                                struct haul_error *err);
};

static const struct engine engines[] = {
    {"mssql", false, NULL, 0, mssql_source_open, mssql_sink_open},
    {"sqlserver", false, NULL, 0, mssql_source_open, mssql_sink_open},
    {"azuresql", false, NULL, 0, mssql_source_open, mssql_sink_open},
    {"azure-sql", false, NULL, 0, mssql_source_open, mssql_sink_open},
    {"mssql+pyodbc", false, NULL, 0, mssql_source_open, mssql_sink_open},
    {"mysql", false, NULL, 0, mysql_source_open, mysql_sink_open},
    {"mariadb", false, NULL, 0, mysql_source_open, mysql_sink_open},
    {"postgresql", false, NULL, 0, postgres_source_open, postgres_sink_open},
    {"postgres", false, NULL, 0, postgres_source_open, postgres_sink_open},
    {"sqlite", true, "SQLite format 3", 16, sqlite_source_open, sqlite_sink_open},
};
#define ENGINE_COUNT (sizeof engines / sizeof engines[0])

size_t registry_word(const char *name)
{
    size_t n = 0;
    while (isalnum((unsigned char)name[n]) || name[n] == '_' || name[n] == '+' || (n > 0 && name[n] == '-'))
        n++;
    return n > 1 && name[n] == ':' && isalpha((unsigned char)name[0]) ? n : 0;
}

static const struct engine *engine_by_scheme(const char *name, size_t length)
{
    for (size_t i = 0; i < ENGINE_COUNT; i++)
        if (strlen(engines[i].scheme) == length && strncasecmp(name, engines[i].scheme, length) == 0)
            return &engines[i];
    return NULL;
}

bool registry_is_scheme(const char *name, size_t length)
{
    bool memory = length == 6 && strncmp(name, "memory", 6) == 0;
    return memory || (engine_by_scheme(name, length) && strncmp(name + length, "://", 3) == 0);
}

size_t registry_words(const char **words, size_t max)
{
    size_t count = 0;
    for (; count < ENGINE_COUNT && count < max; count++)
        words[count] = engines[count].scheme;
    return count;
}

bool registry_has_server(const char *name)
{
    size_t length = registry_word(name);
    const struct engine *engine = engine_by_scheme(name, length);
    return length && !(length == 6 && strncmp(name, "memory", 6) == 0) && !(engine && engine->local);
}

static const struct engine *engine_by_magic(const char *name)
{
    char head[16] = {0};
    size_t got = 0;
    struct file file = {.fd = -1};
    struct haul_error ignored;
    if (path_is_folder(name) || file_open(&file, name, FILE_READ, &ignored))
        return NULL;
    enum haul_code code = file_read_at(&file, 0, head, sizeof head, &got, &ignored);
    file_close(&file);
    for (size_t i = 0; code == HAUL_OK && i < ENGINE_COUNT; i++)
        if (engines[i].magic && got >= engines[i].magic_length &&
            memcmp(head, engines[i].magic, engines[i].magic_length) == 0)
            return &engines[i];
    return NULL;
}

static enum haul_code engine_name(const struct engine *engine, const char *name, size_t length,
                                  const char **rest, struct haul_error *err)
{
    bool local = strncmp(name + length, ":///", 4) == 0, remote = strncmp(name + length, "://", 3) == 0;
    if (engine->local && !local)
        return error_set(err, HAUL_USAGE,
                         "%s: write %s:///file.db for a file here, %s:////folder/file.db for a full path",
                         name, engine->scheme, engine->scheme);
    if (!remote)
        return error_set(err, HAUL_USAGE, "%.*s: write %s://user@host/database", (int)length, name,
                         engine->scheme);
    *rest = engine->local ? name + length + 4 : name;
    return HAUL_OK;
}

/* *engine NULL: a file. *rest: what the engine or the files' opener gets. */
static enum haul_code engine_find(const char *name, const struct engine **engine, const char **rest,
                                  struct haul_error *err)
{
    size_t length = registry_word(name);
    *engine = NULL;
    *rest = name;
    if (length == 0) {
        *engine = strcmp(name, "-") == 0 ? NULL : engine_by_magic(name);
        return HAUL_OK;
    }
    if (strncmp(name, "memory:", 7) == 0)
        return HAUL_OK;
    *engine = engine_by_scheme(name, length);
    if (*engine)
        return engine_name(*engine, name, length, rest, err);
    return error_set(err, HAUL_USAGE, "\"%.*s:\" is no database haul knows; a file of that name is ./%s",
                     (int)(length < 63 ? length : 63), name, name);
}

enum haul_code registry_is_database(const char *name, bool *database, struct haul_error *err)
{
    const struct engine *engine;
    const char *rest;
    if (engine_find(name, &engine, &rest, err))
        return err->code;
    *database = engine != NULL;
    return HAUL_OK;
}

enum haul_code registry_open_source(const char *name, const struct context *context,
                                    const struct source_request *request, struct source **source,
                                    struct haul_error *err)
{
    const struct engine *engine;
    const char *rest;
    if (engine_find(name, &engine, &rest, err))
        return err->code;
    if (engine)
        return engine->open_source(rest, context, request, source, err);
    if (request->query || request->where)
        return error_set(err, HAUL_USAGE, "%s: --query and --where are for databases, this is a file", name);
    return file_source_open(name, formats, settings_text(context->settings, "from"), context, request, source,
                            err);
}

enum haul_code registry_open_sink(const char *name, const struct context *context, struct sink **sink,
                                  struct haul_error *err)
{
    const struct engine *engine;
    const char *rest;
    if (engine_find(name, &engine, &rest, err))
        return err->code;
    if (engine && !engine->open_sink)
        return error_set(err, HAUL_UNSUPPORTED, "%s:// is read only; it cannot be a target yet",
                         engine->scheme);
    if (engine)
        return engine->open_sink(rest, context, sink, err);
    return file_sink_open(name, formats, settings_text(context->settings, "to"), context, sink, err);
}

enum dictionaries registry_dictionaries(const char *target, const struct context *context)
{
    const struct engine *engine;
    const struct format *format;
    const char *rest, *to = settings_text(context->settings, "to");
    struct haul_error ignored = {0}; /* whoever opens the target says it */
    if (!target || engine_find(target, &engine, &rest, &ignored) || engine)
        return DICTIONARIES_NONE;
    if (to)
        return format_named(formats, to, "--to", &format, &ignored) ? DICTIONARIES_NONE
                                                                    : format->dictionaries;
    format = format_by_suffix(formats, target);
    return (format ? format : formats[0])->dictionaries; /* the first is a folder's */
}

enum haul_code registry_check_apart(struct source *source, const char *target, struct haul_error *err)
{
    struct file_identity to, from;
    struct haul_error ignored = {0};
    if (strcmp(source->ops->name, "file") != 0 || path_identify(target, &to, &ignored))
        return HAUL_OK;
    for (size_t i = 0; i < file_source_count(source); i++)
        if (path_identify(file_source_name(source, i), &from, &ignored) == HAUL_OK &&
            from.inode == to.inode && from.device == to.device)
            return error_set(
                err, HAUL_USAGE,
                "%s is the output and one of the files to combine: its rows would be there twice "
                "the next time; write to another folder",
                target);
    return HAUL_OK;
}

enum haul_code registry_inspect(struct source *source, size_t index, struct inspection *inspection,
                                bool *more, struct haul_error *err)
{
    if (strcmp(source->ops->name, "file") != 0)
        return error_set(err, HAUL_UNSUPPORTED, "inspect is for files; for a database use haul list");
    *more = index < file_source_count(source);
    if (!*more)
        return HAUL_OK;
    enum haul_code code = file_source_inspect(source, index, inspection, err);
    inspection->name = file_source_name(source, index);
    return code;
}
