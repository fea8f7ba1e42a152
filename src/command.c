/*
 * command.c: a command as a whole: its words settled, its copy made, and what is
 * left to do afterwards: the manifest of a combine, the end of staging tables.
 */
#include "command.h"

#include "base/file.h"
#include "manifest.h"
#include "registry.h"
#include "report.h"
#include "server.h"
#include "transfer/fingerprint.h"
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#define RUN_HASH_DIGITS 15

/* ---- staging tables ---- */

bool staging_names(const char *tables)
{
    for (const char *at = tables; *at;) {
        size_t length = strcspn(at, "\n"), hex = 0, digits = 0;
        while (hex < length && strchr("0123456789abcdef", at[length - 1 - hex]))
            hex++;
        const char *mark = hex == 8 && length > 9 ? at + length - 9 : NULL; /* the '_' before the digits */
        while (mark && mark - 1 - digits > at && mark[-1 - (int)digits] >= '0' &&
               mark[-1 - (int)digits] <= '9')
            digits++;
        if (!mark || *mark != '_' || digits < 2 || mark[-1 - (int)digits] != '_')
            return false;
        at += length + (at[length] == '\n');
    }
    return *tables != 0;
}

enum haul_code combine_run_name(struct haul_job *job, const char *tables, struct haul_error *err)
{
    char hash[HASH_TEXT_BYTES];
    struct side *side;
    if (side_resolve(job, true, &side, err))
        return err->code;
    const char *table = job_target_table(job);
    char *all = arena_printf(&job->arena, "%s\n%s\n%s", side->shown, table ? table : "", tables);
    if (!all)
        return error_nomem(err, "a run's name");
    hash_print(fingerprint_text(all, strlen(all)), hash);
    char *name = arena_printf(&job->arena, "combine-%.*s", RUN_HASH_DIGITS, hash);
    if (!name)
        return error_nomem(err, "a run's name");
    /* Nobody writes into an import's staging tables: a run that died goes on with the same rows. */
    if (staging_names(tables) && settings_set(&job->settings, "static-source", "true", err))
        return err->code;
    return settings_set(&job->settings, "run", name, err);
}

enum haul_code staging_drop(struct haul_job *job, const char *tables, struct haul_error *err)
{
    struct sink *sink = NULL;
    enum haul_code code = job_open_sink(job, &sink, err);
    if (code == HAUL_OK && !sink->ops->drop)
        code = error_set(err, HAUL_UNSUPPORTED, "tables of this database are not dropped by haul");
    for (const char *at = tables; code == HAUL_OK && *at;) {
        size_t length = strcspn(at, "\n");
        const char *name = arena_text_n(&job->arena, at, length);
        code = name ? sink->ops->drop(sink, name, err) : error_nomem(err, "a table's name");
        at += length + (at[length] == '\n');
    }
    if (sink)
        sink->ops->close(sink);
    return code ? job_side(err, HAUL_SIDE_TARGET) : HAUL_OK;
}

/* ---- after a combine ---- */

enum haul_code manifest_write_one(const char *path, const char *type, const char *name, int64_t rows,
                                  struct haul_error *err)
{
    json_t *root = json_pack("{s:i,s:s,s:[s]}", "version", 2, "type", type, "entries", name);
    bool done = root && (rows < 0 || json_object_set_new(root, "rows", json_integer(rows)) == 0);
    char *text = done ? json_dumps(root, JSON_INDENT(1)) : NULL;
    enum haul_code code = text ? report_write_file(path, text, err) : error_nomem(err, "a manifest");
    json_decref(root);
    free(text);
    return code;
}

/* "in/x_manifest.json" -> "x_manifest_combined.json", or --combined-manifest-filename; in `folder_of`'s
 * folder. */
static char *combined_path(struct haul_job *job, const char *manifest, const char *folder_of)
{
    const char *name = settings_text(&job->settings, "combined-manifest-filename");
    const char *slash = strrchr(folder_of, '/'), *base = strrchr(manifest, '/');
    int folder = slash ? (int)(slash - folder_of + 1) : 0;
    base = base ? base + 1 : manifest;
    return name ? arena_printf(&job->arena, "%.*s%s", folder, folder_of, name)
                : arena_printf(&job->arena, "%.*s%.*s_combined.json", folder, folder_of,
                               (int)(strlen(base) - strlen(".json")), base);
}

/* Staging tables of an import go, others stay. */
static enum haul_code tables_finish(struct haul_job *job, struct haul_error *err)
{
    const char *tables = settings_text(&job->settings, "tables");
    if (!staging_names(tables)) {
        context_note(&job->context,
                     "the tables that were combined are left as they are; haul purge drops them");
        return HAUL_OK;
    }
    return staging_drop(job, tables, err)
               ? error_prefix(err, "all rows are in the table; dropping the staging tables")
               : HAUL_OK;
}

static enum haul_code combine_finish(struct haul_job *job, const char *manifest,
                                     const struct haul_result *result, struct haul_error *err)
{
    const char *tables = settings_text(&job->settings, "tables");
    const char *target = settings_text(&job->settings, "output-file");
    const char *name = target ? strrchr(target, '/') : NULL;
    char *path = combined_path(job, manifest, tables || !target ? manifest : target);
    const int64_t rows = result->already_complete ? -1 : result->rows; /* nobody counted them again */
    if (!path)
        return error_nomem(err, "a manifest's name");
    if (!tables)
        return manifest_write_one(path, "files", name ? name + 1 : target, rows, err);
    if (tables_finish(job, err))
        return err->code;
    const char *schema = server_schema(job), *table = settings_text(&job->settings, "table");
    char *full = arena_printf(&job->arena, "%s%s%s", schema ? schema : "", schema ? "." : "", table);
    return full ? manifest_write_one(path, "tables", full, rows, err)
                : error_nomem(err, "a table's name");
}

enum haul_code haul_command(struct haul_job *job, unsigned command, struct haul_result *result,
                            struct haul_error *err)
{
    struct haul_result ignored;
    struct haul_result *into = result ? result : &ignored;
    const char *given = settings_text(&job->settings, "source");
    bool combine = command == HAUL_FOR_COMBINE && given && manifest_is_named(given) && !strchr(given, '\n');
    bool listed = command == HAUL_FOR_COMBINE && settings_given(&job->settings, "tables");
    memset(into, 0, sizeof *into);
    if (haul_settle(job, command, err))
        return err->code;
    if (command == HAUL_FOR_IMPORT)
        return import_run(job, into, err);
    if (haul_copy(job, into, err))
        return err->code;
    if (listed)
        return tables_finish(job, err);
    return combine ? combine_finish(job, given, into, err) : HAUL_OK;
}
