/*
 * purge.c: `haul purge`: exactly what a manifest lists is removed, then the manifest.
 *
 * All is looked at before anything is removed: a file that is a link, of another
 * size than the manifest says, or a table of another schema stops it. What is gone
 * already is passed over, so that a purge that died is run again.
 */
#include "command.h"

#include "base/file.h"
#include "manifest.h"
#include "report.h"
#include "server.h"
#include <jansson.h>
#include <stdlib.h>

struct purge {
    struct haul_job *job;
    const char *manifest;
    const char *folder; /* of the manifest, with its slash; "" here */
    struct manifest_listing listing;
    bool *missing; /* per entry: it is gone already */
    bool dry;
};

/* ---- files ---- */

static enum haul_code file_look(struct purge *purge, size_t index, struct haul_error *err)
{
    const struct manifest_entry *entry = &purge->listing.entries[index];
    int64_t size = 0;
    enum haul_code code = path_beneath(*purge->folder ? purge->folder : ".", entry->name, &size, err);
    purge->missing[index] = code == HAUL_NOT_FOUND;
    if (code == HAUL_NOT_FOUND) {
        *err = (struct haul_error){0};
        return HAUL_OK;
    }
    if (code == HAUL_OK && entry->bytes >= 0 && entry->bytes != size)
        return error_set(
            err, HAUL_INTEGRITY,
            "%s has %lld bytes, by the manifest %lld: it is another file, and nothing was removed",
            entry->name, (long long)size, (long long)entry->bytes);
    return code;
}

static enum haul_code files_remove(struct purge *purge, struct haul_error *err)
{
    for (size_t i = 0; i < purge->listing.count; i++) {
        if (purge->missing[i])
            continue;
        const char *path =
            arena_printf(&purge->job->arena, "%s%s", purge->folder, purge->listing.entries[i].name);
        if (!path)
            return error_nomem(err, "a file's name");
        if (path_remove(path, err))
            return err->code;
    }
    return HAUL_OK;
}

/* ---- tables ---- */

/* All of one schema: that of --schema, or of the first. */
static enum haul_code tables_look(struct purge *purge, struct haul_error *err)
{
    const char *schema = settings_text(&purge->job->settings, "table-schema");
    const struct manifest_entry *entries = purge->listing.entries;
    size_t length = schema ? strlen(schema) : purge->listing.count ? strcspn(entries[0].name, ".") : 0;
    schema = schema ? schema : purge->listing.count ? entries[0].name : "";
    for (size_t i = 0; i < purge->listing.count; i++)
        if (strncmp(entries[i].name, schema, length) != 0 || entries[i].name[length] != '.')
            return error_set(err, HAUL_USAGE, "%s is not of schema %.*s; nothing was removed",
                             entries[i].name, (int)length, schema);
    return HAUL_OK;
}

static enum haul_code tables_remove(struct purge *purge, struct haul_error *err)
{
    struct buffer list = {0};
    enum haul_code code = HAUL_OK;
    for (size_t i = 0; code == HAUL_OK && i < purge->listing.count; i++)
        code = buffer_printf(&list, err, "%s%s", i ? "\n" : "", purge->listing.entries[i].name);
    const char *tables =
        code ? NULL
             : arena_text_n(&purge->job->arena, list.length ? (const char *)list.data : "", list.length);
    buffer_release(&list);
    if (code || !tables)
        return code ? code : error_nomem(err, "the names of tables");
    return *tables ? staging_drop(purge->job, tables, err) : HAUL_OK;
}

/* ---- the whole ---- */

static enum haul_code purge_look(struct purge *purge, struct haul_error *err)
{
    struct haul_job *job = purge->job;
    const char *uri, *slash = strrchr(purge->manifest, '/');
    purge->folder =
        arena_text_n(&job->arena, purge->manifest, slash ? (size_t)(slash - purge->manifest + 1) : 0);
    purge->missing = arena_alloc_array(&job->arena, purge->listing.count + 1, sizeof *purge->missing);
    if (!purge->folder || !purge->missing)
        return error_nomem(err, "a manifest");
    memset(purge->missing, 0, (purge->listing.count + 1) * sizeof *purge->missing);
    for (size_t i = 0; !purge->listing.tables && i < purge->listing.count; i++)
        if (file_look(purge, i, err))
            return err->code;
    if (!purge->listing.tables)
        return HAUL_OK;
    if (tables_look(purge, err) || server_uri(job, &uri, err))
        return err->code;
    return haul_job_set(job, "target", uri, err);
}

static enum haul_code report_text(const struct purge *purge, char **report, struct haul_error *err)
{
    struct buffer text = {0};
    const char *word = purge->dry ? "would remove" : "removed";
    enum haul_code code = HAUL_OK;
    for (size_t i = 0; code == HAUL_OK && i < purge->listing.count; i++)
        code =
            buffer_printf(&text, err, "%s %s%s\n", purge->missing[i] ? "is gone already:" : word,
                          purge->listing.tables ? "table " : purge->folder, purge->listing.entries[i].name);
    if (code == HAUL_OK)
        code = buffer_printf(&text, err, "%s %s\n", word, purge->manifest);
    if (code == HAUL_OK)
        code = report_take(&text, report, err);
    buffer_release(&text);
    return code;
}

static enum haul_code report_json(const struct purge *purge, char **report, struct haul_error *err)
{
    json_t *gone = json_array(), *absent = json_array();
    bool done = gone && absent;
    for (size_t i = 0; done && i < purge->listing.count; i++)
        done = json_array_append_new(purge->missing[i] ? absent : gone,
                                     json_string(purge->listing.entries[i].name)) == 0;
    json_t *root = done ? json_pack("{s:i,s:s,s:s,s:b,s:O,s:O}", "version", 1, "manifest", purge->manifest,
                                    "type", purge->listing.tables ? "tables" : "files", "dry_run",
                                    (int)purge->dry, "removed", gone, "missing", absent)
                        : NULL;
    *report = root ? json_dumps(root, JSON_INDENT(1)) : NULL;
    json_decref(root);
    json_decref(gone);
    json_decref(absent);
    return *report ? HAUL_OK : error_nomem(err, "a report");
}

static enum haul_code purge_run(struct purge *purge, char **report, struct haul_error *err)
{
    if (purge_look(purge, err))
        return err->code;
    if (!purge->dry && (purge->listing.tables ? tables_remove(purge, err) : files_remove(purge, err)))
        return err->code;
    if (!purge->dry && path_remove(purge->manifest, err))
        return err->code;
    if (!report)
        return HAUL_OK;
    return report_as_json(purge->job) ? report_json(purge, report, err) : report_text(purge, report, err);
}

enum haul_code haul_purge(struct haul_job *job, char **report, struct haul_error *err)
{
    struct purge purge = {.job = job, .dry = settings_flag(&job->settings, "dry-run")};
    if (job_name(job, "source", &purge.manifest, err) ||
        manifest_read(purge.manifest, &job->arena, &purge.listing, err))
        return err->code;
    enum haul_code code = purge_run(&purge, report, err);
    manifest_listing_release(&purge.listing);
    return code;
}
