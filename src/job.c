/*
 * job.c: from a job's options to what the rooms ask for: which table, which
 * columns, of which side.
 */
#include "job.h"
#include "base/file.h"
#include "manifest.h"
#include "registry.h"
#include "secret.h"
#include "tables.h"

#define COLUMNS_MAX 65536

enum haul_code job_clone(const struct haul_job *job, struct haul_job **clone, struct haul_error *err)
{
    const struct settings *settings = &job->settings;
    enum haul_code code = haul_job_new(clone, err);
    if (code == HAUL_OK)
        haul_job_on_password(*clone, job->password, job->password_user);
    for (size_t i = 0; code == HAUL_OK && i < settings->count; i++)
        if (settings->values[i])
            code = haul_job_set(*clone, settings->table[i].name, settings->values[i], err);
    if (code) {
        haul_job_free(*clone);
        *clone = NULL;
    }
    return code;
}

enum haul_code job_name(const struct haul_job *job, const char *side, const char **name,
                        struct haul_error *err)
{
    *name = settings_text(&job->settings, side);
    if (!*name && strcmp(side, "target") == 0)
        *name = settings_text(&job->settings, "output-file");
    if ((!*name || !**name) && settings_flag(&job->settings, "combine") &&
        settings_text(&job->settings, "table"))
        return error_set(
            err, HAUL_USAGE,
            "this is no manifest of staging tables (haul import writes one), so its rows go to a file: "
            "--output-file FILE, without --table");
    if ((!*name || !**name) && settings_flag(&job->settings, "combine"))
        return error_set(err, HAUL_USAGE, "no --output-file was given: where do the rows go?");
    if (!*name || !**name)
        return error_set(err, HAUL_USAGE, "no %s was given", side);
    return HAUL_OK;
}

enum haul_code job_side(struct haul_error *err, enum haul_side side)
{
    if (err->code != HAUL_USAGE && err->side == HAUL_SIDE_NONE)
        err->side = side;
    return err->code;
}

const char *job_hidden(struct haul_job *job, const char *name)
{
    char *line = arena_text(&job->arena, name);
    for (char *at = line ? strchr(line, '\n') : NULL; at; at = strchr(at, '\n'))
        *at = ','; /* a list of files */
    return line ? secret_remove(line, &job->arena) : NULL;
}

const char *job_target_table(const struct haul_job *job)
{
    const char *table = settings_text(&job->settings, "target-table");
    return table ? table : settings_text(&job->settings, "table");
}

/* One name of a comma list, "quoted, with ""doubled"" quotes" or plain, trimmed. */
static char *next_name(const char **at, struct arena *arena)
{
    const char *p = *at;
    while (*p == ' ')
        p++;
    bool quoted = *p == '"';
    char *name = arena_alloc(arena, strlen(p) + 1);
    size_t n = 0;
    if (!name)
        return NULL;
    for (p += quoted; *p && (quoted || *p != ','); p++) {
        if (quoted && *p == '"' && p[1] != '"')
            break;
        p += quoted && *p == '"';
        name[n++] = *p;
    }
    while (!quoted && n > 0 && name[n - 1] == ' ')
        n--;
    name[n] = 0;
    p += quoted && *p == '"';
    *at = p;
    return name;
}

static enum haul_code split_names(struct haul_job *job, const char *option, const char *const **list,
                                  int *list_count, struct haul_error *err)
{
    const char *text = settings_text(&job->settings, option);
    int count = 1;
    for (const char *p = text; *p; p++)
        count += *p == ',';
    if (count > COLUMNS_MAX)
        return error_set(err, HAUL_USAGE, "--%s names more than %d columns", option, COLUMNS_MAX);
    const char **names = arena_alloc_array(&job->arena, (size_t)count, sizeof *names);
    if (!names)
        return error_nomem(err, "names of columns");
    for (count = 0;; text++) {
        char *name = next_name(&text, &job->arena);
        if (!name)
            return error_nomem(err, "names of columns");
        if (!*name || (*text && *text != ','))
            return error_set(err, HAUL_USAGE,
                             "--%s: write names with commas between, \"such, names\" in quotes", option);
        names[count++] = name;
        if (!*text)
            break;
    }
    *list = names;
    *list_count = count;
    return HAUL_OK;
}

enum haul_code job_key(struct haul_job *job, const char *const **names, int *count, struct haul_error *err)
{
    bool merge = strcmp(settings_text(&job->settings, "mode"), "merge") == 0;
    if (!merge || !settings_text(&job->settings, "key"))
        return HAUL_OK;
    return split_names(job, "key", names, count, err);
}

/* The name of the source's table, for a target table that was not named. */
static enum haul_code source_table(struct haul_job *job, const char **table, struct haul_error *err)
{
    struct source *source = NULL;
    struct source_info info = {0};
    enum haul_code code = job_open(job, false, &source, err);
    if (code == HAUL_OK)
        code = source->ops->describe(source, &info, err);
    if (code == HAUL_OK && !(*table = arena_text(&job->arena, info.table ? info.table : "")))
        code = error_nomem(err, "a table's name");
    source_info_release(&info);
    if (source)
        source->ops->close(source);
    return code;
}

static enum haul_code source_side(struct haul_job *job, bool database, struct source_request *request)
{
    const char *table = settings_text(&job->settings, "source-table");
    request->query = settings_text(&job->settings, "query");
    request->where = settings_text(&job->settings, "where");
    request->schema = settings_text(&job->settings, "schema");
    /* --table names the table of whichever side is a database. */
    request->table = table ? table : database ? settings_text(&job->settings, "table") : NULL;
    return HAUL_OK;
}

static enum haul_code target_side(struct haul_job *job, bool database, struct source_request *request,
                                  struct haul_error *err)
{
    request->schema = job->target_schema;
    if (!database)
        return HAUL_OK;
    request->table = job_target_table(job);
    return request->table ? HAUL_OK : source_table(job, &request->table, err);
}

/* Words of a list of files that are manifests become what they list; *table gets
 * the name of a manifest that stands alone. */
static enum haul_code manifests_expand(struct haul_job *job, const char **name, const char **table,
                                       struct haul_error *err)
{
    struct buffer list = {0};
    enum haul_code code = HAUL_OK;
    bool alone = !strchr(*name, '\n'), any = false;
    for (const char *at = *name; !code && *at;) {
        size_t length = strcspn(at, "\n");
        const char *word = arena_text_n(&job->arena, at, length), *files = word, *its_table = NULL;
        if (!word)
            code = error_nomem(err, "a list of files");
        bool manifest = !code && manifest_is_named(word) && path_exists(word);
        if (manifest)
            code = manifest_files(word, &job->arena, &files, &its_table, err);
        if (!code)
            code = buffer_printf(&list, err, "%s%s", list.length ? "\n" : "", files);
        any |= manifest;
        if (manifest && alone && !*table)
            *table = its_table;
        at += length + (at[length] == '\n');
    }
    if (!code && any && !(*name = arena_text_n(&job->arena, (const char *)list.data, list.length)))
        code = error_nomem(err, "a list of files");
    buffer_release(&list);
    return code;
}

enum haul_code job_open(struct haul_job *job, bool target, struct source **source, struct haul_error *err)
{
    struct source_request request = {0};
    struct context context = job->context;
    struct side *side;
    const char *columns = settings_text(&job->settings, "columns"), *name = NULL;
    bool database = false;
    enum haul_code code = side_resolve(job, target, &side, err);
    if (code == HAUL_OK)
        code = registry_is_database(side->name, &database, err);
    if (code == HAUL_OK)
        code = target ? target_side(job, database, &request, err) : source_side(job, database, &request);
    request.like = !target && job->like.count ? &job->like : NULL;
    request.passed = job->passed;
    request.alike = !target && settings_flag(&job->settings, "combine");
    const char *output = settings_text(&job->settings, "target");
    output = output ? output : settings_text(&job->settings, "output-file");
    request.dictionaries = registry_dictionaries(output, &job->context);
    if (code == HAUL_OK)
        context.login = &side->login;
    if (code == HAUL_OK && columns)
        code = split_names(job, "columns", &request.columns, &request.column_count, err);
    name = code ? NULL : side->name;
    if (code == HAUL_OK && !database)
        code = manifests_expand(job, &name, &request.table, err);
    const char *tables = code || target ? NULL : settings_text(&job->settings, "tables");
    if (code == HAUL_OK && tables)
        code =
            tables_source_open(&(struct tables_request){name, tables, job_target_table(job),
                                                        settings_given(&job->settings, "tables-rows")
                                                            ? settings_number(&job->settings, "tables-rows")
                                                            : -1},
                               &context, source, err);
    else if (code == HAUL_OK)
        code = registry_open_source(name, &context, &request, source, err);
    return code ? job_side(err, target ? HAUL_SIDE_TARGET : HAUL_SIDE_SOURCE) : HAUL_OK;
}

enum haul_code job_open_sink(struct haul_job *job, struct sink **sink, struct haul_error *err)
{
    struct side *side;
    struct context context = job->context;
    if (side_resolve(job, true, &side, err))
        return err->code;
    context.login = &side->login;
    return registry_open_sink(side->name, &context, sink, err) ? job_side(err, HAUL_SIDE_TARGET) : HAUL_OK;
}
