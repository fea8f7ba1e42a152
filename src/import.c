/*
 * import.c: a manifest's files into a table by way of staging tables, one for each
 * worker, as PyButt does it: no two workers touch one table, and the target is not
 * touched before all is there.
 *
 * Each worker is a copy of its own with a run of its own (import-ID-NN), so that it
 * is resumed like any other. What ties them together is the state: the manifest of
 * tables, under a hidden name beside the input until all are done. A later process
 * finds it, takes the same tables, and goes on.
 *
 * A manifest that is published says the same: run again before its tables were
 * combined, an import is found complete, so that no table is left behind unlisted.
 *
 *     state written -> tables made -> copies -> manifest published -> state removed
 *     with --combine:                         -> combined (a run of its own) -> state says so
 *                                             -> tables dropped -> state removed
 */
#include "command.h"

#include "base/file.h"
#include "crew.h"
#include "manifest.h"
#include "registry.h"
#include "report.h"
#include "server.h"
#include "transfer/fingerprint.h"
#include "transfer/memory_plan.h"
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <unistd.h>

#define ID_DIGITS  8
#define STEM_BYTES 110 /* of a table's name in its staging tables' names */

struct import {
    struct haul_job *job;
    const char *files; /* one a line */
    size_t file_count, workers;
    const char *schema, *table; /* as the target's catalog has them */
    const char *path, *state;   /* of the manifest of tables, and of the state */
    char fingerprint[HASH_TEXT_BYTES];
    char id[ID_DIGITS + 1];
    const char *names[CREW_MAX]; /* schema.table_01_a1b2c3d4 */
    const char *list;            /* these, one a line */
    bool combined;               /* the state says so */
    int64_t rows;                /* in the staging tables; -1: some were there already, uncounted */
};

/* ---- the plan ---- */

static size_t lines_count(const char *text)
{
    size_t count = *text != 0;
    for (; *text; text++)
        count += *text == '\n';
    return count;
}

static enum haul_code find_target(struct import *import, struct haul_error *err)
{
    struct haul_job *job = import->job;
    struct source *source = NULL;
    struct source_info info = {0};
    enum haul_code code = job_open(job, true, &source, err);
    if (code == HAUL_OK)
        code = source->ops->describe(source, &info, err);
    if (code == HAUL_OK) {
        import->schema = arena_text(&job->arena, info.table_schema ? info.table_schema : "");
        import->table = arena_text(&job->arena, info.table ? info.table : "");
        code = import->schema && import->table ? HAUL_OK : error_nomem(err, "a table's name");
    }
    source_info_release(&info);
    if (source)
        source->ops->close(source);
    return code;
}

static enum haul_code make_paths(struct import *import, const char *manifest, struct haul_error *err)
{
    struct haul_job *job = import->job;
    struct side *side;
    const char *given = settings_text(&job->settings, "imported-manifest-filename");
    const char *slash = strrchr(manifest, '/');
    int folder = slash ? (int)(slash - manifest + 1) : 0;
    if (given && (strchr(given, '/') || !*given))
        return error_set(err, HAUL_USAGE,
                         "--imported-manifest-filename is a name beside the manifest, without a folder");
    char *name = given
                     ? arena_text(&job->arena, given)
                     : arena_printf(&job->arena, "%s_%s_import_manifest.json", import->schema, import->table);
    import->path = name ? arena_printf(&job->arena, "%.*s%s", folder, manifest, name) : NULL;
    import->state = name ? arena_printf(&job->arena, "%.*s.%s.haul", folder, manifest, name) : NULL;
    if (side_resolve(job, true, &side, err))
        return err->code;
    char *all = arena_printf(&job->arena, "%s\n%s\n%s\n%zu\n%s", side->shown, import->schema, import->table,
                             import->workers, import->files);
    if (!import->path || !import->state || !all)
        return error_nomem(err, "names");
    hash_print(fingerprint_text(all, strlen(all)), import->fingerprint);
    return HAUL_OK;
}

/* Letters, digits and _ only: what a manifest of tables can say. */
static enum haul_code make_names(struct import *import, struct haul_error *err)
{
    struct haul_job *job = import->job;
    struct buffer list = {0};
    char *stem = arena_printf(&job->arena, "%.*s", STEM_BYTES, import->table);
    enum haul_code code = stem ? HAUL_OK : error_nomem(err, "a table's name");
    for (char *c = stem; c && *c; c++)
        if (!((*c | 32) >= 'a' && (*c | 32) <= 'z') && !(*c >= '0' && *c <= '9'))
            *c = '_';
    for (size_t i = 0; code == HAUL_OK && i < import->workers; i++) {
        char *name = arena_printf(&job->arena, "%s.%s%s_%02zu_%s", import->schema,
                                  *stem >= '0' && *stem <= '9' ? "_" : "", stem, i + 1, import->id);
        import->names[i] = name;
        code = name ? buffer_printf(&list, err, "%s%s", i ? "\n" : "", name)
                    : error_nomem(err, "a table's name");
    }
    if (code == HAUL_OK && !(import->list = arena_text_n(&job->arena, (const char *)list.data, list.length)))
        code = error_nomem(err, "a table's name");
    buffer_release(&list);
    return code;
}

/* ---- the state ---- */

static enum haul_code state_write(const struct import *import, const char *path, int64_t rows,
                                  struct haul_error *err)
{
    json_t *entries = json_array();
    bool done = entries != NULL;
    for (size_t i = 0; done && i < import->workers; i++)
        done = json_array_append_new(entries, json_string(import->names[i])) == 0;
    json_t *root = done ? json_pack("{s:i,s:s,s:O,s:{s:s,s:s,s:b}}", "version", 2, "type", "tables",
                                    "entries", entries, "import", "id", import->id, "fingerprint",
                                    import->fingerprint, "combined", import->combined ? 1 : 0)
                        : NULL;
    done = root && (rows < 0 || json_object_set_new(root, "rows", json_integer(rows)) == 0);
    char *text = done ? json_dumps(root, JSON_INDENT(1)) : NULL;
    json_decref(root);
    json_decref(entries);
    enum haul_code code = text ? report_write_file(path, text, err) : error_nomem(err, "the import's state");
    free(text);
    return code;
}

static enum haul_code state_new(struct import *import, struct haul_error *err)
{
    uint32_t number;
    if (getrandom(&number, sizeof number, 0) != (ssize_t)sizeof number)
        return error_set(err, HAUL_IO, "no random number is to be had");
    (void)snprintf(import->id, sizeof import->id, "%08x", number);
    return make_names(import, err) ? err->code : state_write(import, import->state, -1, err);
}

/* *facts: none in a manifest of PyButt's. */
static enum haul_code state_read(struct import *import, const char *path, bool *facts, bool *same,
                                 struct haul_error *err)
{
    json_error_t where;
    json_t *root = json_load_file(path, 0, &where);
    const json_t *ours = json_object_get(root, "import");
    const char *id = json_string_value(json_object_get(ours, "id"));
    const char *known = json_string_value(json_object_get(ours, "fingerprint"));
    *facts = id && strlen(id) == ID_DIGITS && strspn(id, "0123456789abcdef") == ID_DIGITS && known;
    *same = *facts && strcmp(known, import->fingerprint) == 0;
    if (*facts)
        memcpy(import->id, id, ID_DIGITS + 1);
    import->combined = json_is_true(json_object_get(ours, "combined"));
    json_decref(root);
    return *facts ? make_names(import, err) : HAUL_OK;
}

static enum haul_code table_exists(struct import *import, const char *name, bool *exists,
                                   struct haul_error *err)
{
    struct haul_job *job = import->job;
    struct side *side;
    struct source *source = NULL;
    struct source_info info = {0};
    struct context context = job->context;
    const struct source_request request = {.table = name};
    if (side_resolve(job, true, &side, err))
        return err->code;
    context.login = &side->login;
    enum haul_code code = registry_open_source(side->name, &context, &request, &source, err);
    if (code == HAUL_OK)
        code = source->ops->describe(source, &info, err);
    source_info_release(&info);
    if (source)
        source->ops->close(source);
    *exists = code == HAUL_OK;
    if (code == HAUL_NOT_FOUND)
        *err = (struct haul_error){0};
    return code == HAUL_NOT_FOUND ? HAUL_OK : code;
}

/* A manifest under our name: *open when tables it lists are still there. */
static enum haul_code published_look(struct import *import, bool *open, struct haul_error *err)
{
    struct manifest_listing listing = {0};
    struct haul_error unreadable = {0};
    *open = false;
    if (!path_exists(import->path))
        return HAUL_OK;
    enum haul_code code =
        manifest_read(import->path, &import->job->arena, &listing, &unreadable) ? HAUL_DATA : HAUL_OK;
    if (code == HAUL_OK && listing.tables && listing.count > 0)
        code = table_exists(import, listing.entries[0].name, open, err);
    else
        code = HAUL_OK; /* nothing that could be left behind */
    manifest_listing_release(&listing);
    return code;
}

static enum haul_code state_discard(struct import *import, const char *path, struct haul_error *err)
{
    if (staging_drop(import->job, import->list, err) || path_remove(path, err))
        return err->code;
    import->combined = false;
    return state_new(import, err);
}

/* Goes on with an import that is unfinished, or not combined yet, or begins one. */
static enum haul_code state_take(struct import *import, struct haul_error *err)
{
    struct haul_job *job = import->job;
    bool unfinished = path_exists(import->state), open = false, facts, same;
    if (!unfinished && published_look(import, &open, err))
        return err->code;
    if (!unfinished && !open)
        return state_new(import, err);
    const char *path = unfinished ? import->state : import->path;
    if (state_read(import, path, &facts, &same, err))
        return err->code;
    if (facts && settings_flag(&job->settings, "restart"))
        return state_discard(import, path, err);
    if (same) {
        context_note(&job->context, "%s import %s",
                     unfinished ? "continuing" : "not combined yet:", import->id);
        return HAUL_OK;
    }
    if (unfinished && !facts)
        return error_set(err, HAUL_INTEGRITY,
                         "%s is damaged; remove it, and the staging tables of that import", path);
    return error_set(
        err, HAUL_CHANGED,
        "%s is of an import of other files, or into another table, or with other --workers, that is not "
        "%s; finish that one, or discard it with %s",
        path, unfinished ? "finished" : "combined", facts ? "--restart" : "haul purge");
}

/* ---- the work ---- */

static enum haul_code tables_make(struct import *import, struct haul_error *err)
{
    struct haul_job *job = import->job;
    struct sink *sink = NULL;
    bool columnstore = settings_flag(&job->settings, "cci");
    enum haul_code code = job_open_sink(job, &sink, err);
    for (size_t i = 0; code == HAUL_OK && i < import->workers; i++)
        code = sink->ops->make_like(sink, import->names[i], job_target_table(job), columnstore, err);
    if (sink)
        sink->ops->close(sink);
    return code ? job_side(err, HAUL_SIDE_TARGET) : HAUL_OK;
}

/* Every workers-th file, beginning with the index-th. */
static enum haul_code files_of(const struct import *import, size_t index, struct buffer *list,
                               struct haul_error *err)
{
    size_t number = 0;
    for (const char *at = import->files; *at; number++) {
        size_t length = strcspn(at, "\n");
        if (number % import->workers == index &&
            buffer_printf(list, err, "%s%.*s", list->length ? "\n" : "", (int)length, at))
            return err->code;
        at += length + (at[length] == '\n');
    }
    return HAUL_OK;
}

/* An independent job with the same options and the same password. */
static enum haul_code job_like(struct haul_job *job, struct haul_job **made, struct haul_error *err)
{
    struct side *from, *to;
    if (side_resolve(job, true, &from, err) || job_clone(job, made, err))
        return err->code;
    settings_clear(&(*made)->settings, "summary");
    settings_clear(&(*made)->settings, "restart");
    if (side_resolve(*made, true, &to, err))
        return err->code;
    return from->login.password ? login_keep(&to->login, from->login.password, err) : HAUL_OK;
}

static enum haul_code member_make(struct import *import, size_t index, int64_t memory, struct haul_job **made,
                                  struct haul_error *err)
{
    struct buffer list = {0};
    char run[64], bytes[32];
    (void)snprintf(run, sizeof run, "import-%s-%02zu", import->id, index + 1);
    (void)snprintf(bytes, sizeof bytes, "%lld", (long long)memory);
    enum haul_code code = job_like(import->job, made, err);
    if (code == HAUL_OK)
        code = files_of(import, index, &list, err);
    if (code == HAUL_OK)
        code = buffer_append(&list, "", 1, err);
    if (code == HAUL_OK)
        code = haul_job_set(*made, "source", (const char *)list.data, err);
    buffer_release(&list);
    const char *const words[][2] = {
        {"target-table", import->names[index]}, {"run", run}, {"workers", "1"}, {"memory", bytes}};
    for (size_t i = 0; code == HAUL_OK && i < sizeof words / sizeof words[0]; i++)
        code = haul_job_set(*made, words[i][0], words[i][1], err);
    return code;
}

static void results_join(struct haul_result *into, bool *counted, const struct crew_member *members,
                         size_t count)
{
    struct hash128 sum = {0}, one;
    into->already_complete = *counted = true;
    for (size_t i = 0; i < count; i++) {
        const struct haul_result *result = &members[i].result;
        into->rows += result->rows;
        into->rows_resumed += result->rows_resumed;
        into->losses += result->losses;
        into->bytes_read += result->bytes_read;
        into->bytes_written += result->bytes_written;
        into->already_complete &= result->already_complete;
        *counted &= !result->already_complete;
        into->seconds = result->seconds > into->seconds ? result->seconds : into->seconds;
        if (hash_parse(result->hash, &one))
            sum = hash_add(sum, one);
    }
    hash_print(sum, into->hash);
}

static enum haul_code load(struct import *import, struct haul_result *result, struct haul_error *err)
{
    struct crew_member *members = calloc(import->workers, sizeof *members);
    struct memory_plan plan;
    if (!members)
        return error_nomem(err, "the workers");
    enum haul_code code = memory_plan_make(&import->job->settings, &plan, err);
    int64_t share = code ? 0 : plan.bytes_max / (int64_t)import->workers;
    share = share < MEMORY_BYTES_MIN ? MEMORY_BYTES_MIN : share;
    for (size_t i = 0; code == HAUL_OK && i < import->workers; i++)
        code = member_make(import, i, share, &members[i].job, err);
    if (code == HAUL_OK)
        code = crew_run(import->job, members, import->workers, err);
    bool counted = false;
    if (code == HAUL_OK)
        results_join(result, &counted, members, import->workers);
    import->rows = counted ? result->rows : -1;
    for (size_t i = 0; i < import->workers; i++)
        haul_job_free(members[i].job);
    free(members);
    (void)snprintf(result->run, sizeof result->run, "import-%s", import->id);
    return code;
}

/* What the staging tables got must come out of them before they are dropped. */
static enum haul_code combine_after(struct import *import, struct haul_error *err)
{
    struct crew_member member = {0};
    char count[32];
    const char *uri = settings_text(&import->job->settings, "target");
    enum haul_code code = job_like(import->job, &member.job, err);
    (void)snprintf(count, sizeof count, "%lld", (long long)import->rows);
    const char *const words[][2] = {{"source", uri}, {"tables", import->list}, {"transaction-mode", "batch"}};
    for (size_t i = 0; code == HAUL_OK && i < sizeof words / sizeof words[0]; i++)
        code = haul_job_set(member.job, words[i][0], words[i][1], err);
    if (code == HAUL_OK && import->rows >= 0)
        code = haul_job_set(member.job, "tables-rows", count, err);
    if (code == HAUL_OK)
        code = combine_run_name(member.job, import->list, err);
    if (code == HAUL_OK)
        code = crew_run(import->job, &member, 1, err);
    haul_job_free(member.job);
    import->combined = code == HAUL_OK;
    return code ? code : state_write(import, import->state, -1, err);
}

static enum haul_code publish(struct import *import, struct haul_error *err)
{
    struct haul_job *job = import->job;
    if (settings_flag(&job->settings, "combine-after"))
        return staging_drop(job, import->list, err) ? err->code : path_remove(import->state, err);
    if (state_write(import, import->path, import->rows, err) || path_remove(import->state, err))
        return err->code;
    context_note(&job->context,
                 "the rows are in %zu staging tables, listed in %s; haul combine %s brings them into %s.%s "
                 "(import --combine does both)",
                 import->workers, import->path, import->path, import->schema, import->table);
    return HAUL_OK;
}

static enum haul_code import_staged(struct import *import, const char *manifest, struct haul_result *result,
                                    struct haul_error *err)
{
    char *plan = NULL;
    enum haul_code code =
        haul_plan(import->job, &plan, err); /* what does not fit is told before anything is made */
    haul_free(plan);
    if (code || find_target(import, err) || make_paths(import, manifest, err) || state_take(import, err))
        return err->code;
    bool combine = settings_flag(&import->job->settings, "combine-after");
    if (!import->combined && (tables_make(import, err) || load(import, result, err)))
        return err->code;
    if (!import->combined && combine && combine_after(import, err))
        return err->code;
    return publish(import, err);
}

/* ---- which way ---- */

static enum haul_code sink_stages(struct haul_job *job, bool *stages, struct haul_error *err)
{
    struct sink *sink = NULL;
    enum haul_code code = job_open_sink(job, &sink, err);
    *stages = code == HAUL_OK && sink->ops->make_like;
    if (sink)
        sink->ops->close(sink);
    return code ? job_side(err, HAUL_SIDE_TARGET) : HAUL_OK;
}

/* Staging is for several workers and several files. */
static enum haul_code choose(struct import *import, const char *manifest, bool *staged,
                             struct haul_error *err)
{
    struct haul_job *job = import->job;
    const char *table;
    int64_t workers = settings_number(&job->settings, "workers");
    *staged = false;
    if (workers < 2 || !manifest_is_named(manifest) || strchr(manifest, '\n'))
        return HAUL_OK;
    if (manifest_files(manifest, &job->arena, &import->files, &table, err))
        return job_side(err, HAUL_SIDE_SOURCE);
    import->file_count = lines_count(import->files);
    import->workers = (size_t)workers < import->file_count ? (size_t)workers : import->file_count;
    import->workers = import->workers > CREW_MAX ? CREW_MAX : import->workers;
    bool rejects =
        settings_given(&job->settings, "max-errors") || settings_given(&job->settings, "reject-file");
    if (import->workers < 2)
        return HAUL_OK;
    if (sink_stages(job, staged, err))
        return err->code;
    if (*staged && !rejects)
        return HAUL_OK;
    context_note(&job->context, "%s: the rows go straight into the table, without staging tables",
                 rejects ? "rows may be set aside" : "this database needs none");
    *staged = false;
    return HAUL_OK;
}

enum haul_code import_run(struct haul_job *job, struct haul_result *result, struct haul_error *err)
{
    struct import import = {.job = job};
    const char *manifest = settings_text(&job->settings, "source");
    bool staged;
    if (!manifest)
        return haul_copy(job, result, err); /* says what is missing */
    if (choose(&import, manifest, &staged, err))
        return err->code;
    if (!staged)
        return haul_copy(job, result, err);
    enum haul_code code = import_staged(&import, manifest, result, err);
    struct haul_error summary_err = {0};
    if (report_summary(job, result, code ? err : NULL, &summary_err) && code == HAUL_OK) {
        *err = summary_err;
        return err->code;
    }
    return code;
}
