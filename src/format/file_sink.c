/*
 * file_sink.c: files of any format as one sink.
 *
 * A unit is a whole part, encoded as a piece of its own and appended to its file
 * in part order (file_output.c, file_writer.c). A file has a temporary name until
 * finish; its receipts let another process go on behind what is in (file_plan.c).
 * One file is made in prepare, so that a full or forbidden disk is known at once;
 * the files of a folder are made when their first part comes, because how many
 * there are follows from the number of parts, which the first unit brings.
 *
 * A folder's files are published one after another, the manifest last. When a
 * folder is replaced, its old manifest goes first: whoever reads manifests sees
 * the old table, none, or the new one.
 */
#include "format/file_sink.h"

#include "base/file.h"
#include "base/settings.h"
#include "format/file_choice.h"
#include "format/file_folder.h"
#include "format/file_manifest.h"
#include "format/file_names.h"
#include "format/file_plan.h"
#include "format/file_target.h"
#include "format/file_writer.h"

#include <stdlib.h>
#include <string.h>

#define ADOPT_BYTES ((int64_t)1 << 30) /* of rows, taken as one unit */

struct file_sink {
    struct sink sink;
    struct context context;
    struct format_request request;
    struct file_target target;
    struct output_setup setup;
    enum sink_mode mode;
    struct schema schema;
    const char *stem; /* of names in a folder; NULL before negotiate */
    struct arena arena;

    /* of one run; empty before prepare */
    const char *run;
    struct receipts receipts; /* those that count */
    struct file_output *outputs;
    uint64_t output_count; /* 0: not planned yet */
    uint64_t parts;
    uint64_t first_number; /* of the first file in a folder */
    struct arena run_arena;
    pthread_mutex_t lock; /* of planning and of making files */
};

static bool sink_replaces(const struct file_sink *files)
{
    return files->mode == SINK_REPLACE || files->mode == SINK_TRUNCATE;
}

static struct folder_naming sink_naming(const struct file_sink *files, const char *run)
{
    return (struct folder_naming){
        .folder = files->target.folder, .stem = files->stem, .suffix = files->target.suffix, .run = run};
}

static void sink_forget_run(struct file_sink *files)
{
    for (uint64_t i = 0; i < files->output_count; i++)
        file_output_release(&files->outputs[i]);
    free(files->outputs);
    files->outputs = NULL;
    files->output_count = 0;
    files->parts = 0;
    files->first_number = 0;
    files->receipts = (struct receipts){0};
    files->run = NULL;
    arena_release(&files->run_arena);
}

/* ---- negotiate ---- */

/* --timestamps and --uuid, where they were given: the casts then convert, count and refuse. */
static void apply_wishes(struct schema *schema, const struct settings *settings)
{
    const char *timestamps =
        settings_given(settings, "timestamps") ? settings_text(settings, "timestamps") : "";
    bool uuid_text = strcmp(settings_text(settings, "uuid"), "text") == 0;
    for (int i = 0; i < schema->count; i++) {
        struct field *field = &schema->fields[i];
        if (field->type == TYPE_TIMESTAMP && strcmp(timestamps, "us") == 0)
            field->unit = TIME_MICRO;
        if (field->type == TYPE_TIMESTAMP && strcmp(timestamps, "ns") == 0)
            field->unit = TIME_NANO;
        if (uuid_text && field->extension && strcmp(field->extension, "arrow.uuid") == 0) {
            field->type = TYPE_UTF8;
            field->extension = NULL;
        }
    }
}

static enum haul_code negotiate_schema(struct file_sink *files, const struct source_info *source,
                                       struct haul_error *err)
{
    schema_release(&files->schema);
    enum haul_code code = schema_copy(&source->schema, &files->schema, err);
    if (!code && files->context.settings)
        apply_wishes(&files->schema, files->context.settings);
    if (!code && files->target.format->negotiate)
        code = files->target.format->negotiate(&files->request, &files->schema, err);
    return code;
}

/* The folder without the slash at its end. */
static const char *state_home(const char *folder, struct arena *arena)
{
    size_t length = folder ? strlen(folder) : 0;
    return length > 1 ? arena_text_n(arena, folder, length - 1) : arena_text(arena, folder);
}

static void negotiate_resume(const struct file_sink *files, struct sink_terms *terms)
{
    terms->resumable = files->target.local ? RESUME_REPLAY : RESUME_NONE;
    terms->state_home = state_home(files->target.folder, &terms->arena);
    if (files->target.local)
        return;
    terms->resume_note = files->target.kind == TARGET_STREAM
                             ? "what went to standard output cannot be taken back"
                             : "memory is gone with the process";
}

/* --manifest-filename is a name in the folder. */
static enum haul_code manifest_name_check(const struct file_sink *files, struct haul_error *err)
{
    const struct settings *settings = files->context.settings;
    const char *name = settings ? settings_text(settings, "manifest-filename") : NULL;
    if (!name || (*name && *name != '.' && !strpbrk(name, "/\\\"\n")))
        return HAUL_OK;
    return error_set(err, HAUL_USAGE, "--manifest-filename is a name in %s, without a folder",
                     files->target.name);
}

static enum haul_code files_negotiate(struct sink *sink, const struct sink_request *request,
                                      struct sink_terms *terms, struct haul_error *err)
{
    struct file_sink *files = (struct file_sink *)sink;
    const struct source_info *source = request->source;
    const char *table = request->table ? request->table : source->table;
    enum haul_code code = file_target_check(&files->target, request->mode, err);
    if (!code)
        code = manifest_name_check(files, err);
    if (!code)
        code = name_stem(request->table ? NULL : source->table_schema, table ? table : "data", &files->arena,
                         &files->stem, err);
    if (!code)
        code = negotiate_schema(files, source, err);
    if (!code)
        code = schema_copy(&files->schema, &terms->schema, err);
    if (code)
        return code;
    files->mode = request->mode;
    files->setup.adopts = terms->adopts = request->adopt && files->target.format->adopts;
    terms->target = arena_text(&terms->arena, files->target.name);
    terms->identity = ""; /* an inode would be another one after each publishing */
    terms->absent = files->target.local && !path_exists(files->target.path);
    terms->part_is_unit = true;
    terms->ordered = true;
    terms->part_rows = -1;
    terms->part_bytes = -1;
    if (files->target.format->piece_size)
        files->target.format->piece_size(&files->request, &terms->part_rows, &terms->part_bytes);
    if (terms->adopts) {
        terms->part_rows = INT64_MAX;
        terms->part_bytes = ADOPT_BYTES;
    }
    negotiate_resume(files, terms);
    bool fine = terms->target && (terms->state_home || !files->target.folder);
    if (!fine)
        return error_nomem(err, "the target's terms");
    return file_target_free(&files->target, request->mode, err);
}

/* ---- planning files ---- */

static const char *output_path(struct file_sink *files, uint64_t index)
{
    if (files->target.kind != TARGET_FOLDER)
        return files->target.path;
    const char *name =
        name_part(files->stem, files->first_number + index, files->target.suffix, &files->run_arena);
    return name ? arena_printf(&files->run_arena, "%s%s", files->target.folder, name) : NULL;
}

static enum haul_code sink_plan(struct file_sink *files, uint64_t parts, struct haul_error *err)
{
    uint64_t count = files->target.files_wanted;
    if (parts < count)
        count = parts ? parts : 1;
    if (count < files->target.files_wanted && parts)
        context_note(&files->context, "%s gets %llu file%s, not %llu: the source has no more parts",
                     files->target.name, (unsigned long long)count, count == 1 ? "" : "s",
                     (unsigned long long)files->target.files_wanted);
    struct file_output *outputs = calloc(count, sizeof *outputs);
    if (!outputs)
        return error_nomem(err, "output files");
    bool stream = files->target.kind == TARGET_STREAM;
    for (uint64_t i = 0; i < count; i++) {
        const char *path = output_path(files, i);
        const char *temp = stream ? "" : path ? name_temp(path, files->run, &files->run_arena) : NULL;
        if (!path || !temp) {
            free(outputs);
            return error_nomem(err, "file names");
        }
        outputs[i] = (struct file_output){.path = path, .temp = temp};
    }
    for (uint64_t i = 0; i < count; i++)
        file_output_init(&outputs[i], &files->setup, outputs[i].path, outputs[i].temp,
                         plan_first_part(i, parts, count));
    files->outputs = outputs;
    files->output_count = count;
    files->parts = parts;
    return HAUL_OK;
}

/* ---- prepare ---- */

/* An appending run that goes on finds its numbers again by the inode of one of its
 * files. Not every receipt's is there: one that no longer counts may be of a
 * temporary file that was made anew. */
static enum haul_code number_again(struct file_sink *files, const struct folder_naming *naming,
                                   struct haul_error *err)
{
    struct output_receipt text = {0};
    const struct receipts *receipts = &files->receipts;
    uint64_t number = 0, inode = 0, count = files->target.files_wanted;
    if (receipts->parts && receipts->parts < count)
        count = receipts->parts;
    for (size_t i = 0; i < receipts->count; i++) {
        const struct receipt *receipt = &receipts->items[i];
        bool found = false;
        if (!output_receipt_parse(receipt->text, &text) || text.inode == inode)
            continue;
        inode = text.inode;
        enum haul_code code = folder_find_inode(naming, inode, &found, &number, err);
        if (code)
            return code;
        uint64_t index = plan_file_of(receipt->unit.part, receipts->parts, count);
        if (found && number >= index) {
            files->first_number = number - index;
            return HAUL_OK;
        }
    }
    return error_set(err, HAUL_CHANGED, "%s: the files this run was writing are gone; --restart begins anew",
                     files->target.name);
}

/* Who reads the folder as a whole reads these too. */
static enum haul_code replace_warn(struct file_sink *files, const struct folder_naming *naming,
                                   struct haul_error *err)
{
    const char *other = "";
    enum haul_code code = folder_foreign_file(naming, files->target.formats, &files->run_arena, &other, err);
    if (!code && other[0])
        context_warn(&files->context, "%s also holds other data (%s), which is not replaced",
                     files->target.name, other);
    return code;
}

static enum haul_code prepare_folder(struct file_sink *files, struct haul_error *err)
{
    struct folder_naming naming = sink_naming(files, files->run);
    enum haul_code code = path_make_folder(files->target.path, err);
    if (!code && files->receipts.count == 0)
        code = folder_remove_temps(&naming, err);
    if (!code && sink_replaces(files))
        code = replace_warn(files, &naming, err);
    if (code || files->mode != SINK_APPEND)
        return code;
    return files->receipts.count ? number_again(files, &naming, err)
                                 : folder_next_number(&naming, &files->first_number, err);
}

/* Takes up every file; keeps the receipts that count. */
static enum haul_code prepare_recover(struct file_sink *files, struct haul_error *err)
{
    struct receipts *receipts = &files->receipts;
    size_t at = 0, kept = 0;
    for (uint64_t i = 0; i < files->output_count; i++) {
        size_t from = at, counted = 0;
        while (at < receipts->count &&
               plan_file_of(receipts->items[at].unit.part, files->parts, files->output_count) == i)
            at++;
        enum haul_code code =
            plan_recover(&files->outputs[i], receipts->items + from, at - from, &counted, err);
        if (code)
            return code;
        memmove(receipts->items + kept, receipts->items + from, counted * sizeof *receipts->items);
        kept += counted;
    }
    receipts->count = kept;
    return HAUL_OK;
}

static enum haul_code prepare_run(struct file_sink *files, const struct run_record *run,
                                  struct haul_error *err)
{
    files->run = arena_text(&files->run_arena, run->name);
    if (!files->run)
        return error_nomem(err, "the run's name");
    enum haul_code code = HAUL_OK;
    if (files->target.local)
        code = receipts_copy(run, &files->run_arena, &files->receipts, err);
    if (!code)
        code = file_target_check(&files->target, files->mode, err);
    if (!code && files->receipts.count == 0) /* else what is there may be our own */
        code = file_target_free(&files->target, files->mode, err);
    bool folder = files->target.kind == TARGET_FOLDER;
    if (!code && folder)
        code = prepare_folder(files, err);
    if (!code && (!folder || files->receipts.count > 0))
        code = sink_plan(files, files->receipts.parts, err);
    if (!code && files->receipts.count > 0)
        code = prepare_recover(files, err);
    if (!code && !folder && files->outputs[0].state == OUTPUT_ABSENT)
        code = file_output_create(&files->outputs[0], err);
    return code;
}

static enum haul_code files_prepare(struct sink *sink, const struct context *context,
                                    const struct run_record *run, struct haul_error *err)
{
    struct file_sink *files = (struct file_sink *)sink;
    if (!files->stem)
        return error_set(err, HAUL_INTERNAL, "%s: prepare before negotiate", files->target.name);
    sink_forget_run(files);
    files->context = *context;
    enum haul_code code = prepare_run(files, run, err);
    if (code)
        sink_forget_run(files);
    return code;
}

/* ---- units ---- */

static enum haul_code unit_check(const struct file_sink *files, const struct unit *unit,
                                 struct haul_error *err)
{
    if (!files->run)
        return error_set(err, HAUL_INTERNAL, "%s: open before prepare", files->target.name);
    if (unit->first_row != 0 || (unit->parts && unit->part >= unit->parts))
        return error_set(err, HAUL_INTERNAL, "%s: unit %llu from row %lld is not a whole part",
                         files->target.name, (unsigned long long)unit->part, (long long)unit->first_row);
    return HAUL_OK;
}

/* The file of a unit that is not in, made if need be. Under the lock. */
static enum haul_code unit_output(struct file_sink *files, const struct unit *unit,
                                  struct file_output **output, struct haul_error *err)
{
    enum haul_code code = files->output_count ? HAUL_OK : sink_plan(files, unit->parts, err);
    if (code)
        return code;
    if (files->target.files_wanted > 1 && unit->parts != files->parts)
        return error_set(err, HAUL_INTERNAL, "%s: %llu parts, then %llu", files->target.name,
                         (unsigned long long)files->parts, (unsigned long long)unit->parts);
    *output = &files->outputs[plan_file_of(unit->part, files->parts, files->output_count)];
    if ((*output)->state == OUTPUT_ABSENT)
        code = file_output_create(*output, err);
    else if ((*output)->state == OUTPUT_PUBLISHED)
        code =
            error_set(err, HAUL_CHANGED, "%s is published, but part %llu is not in it; --restart begins anew",
                      (*output)->path, (unsigned long long)unit->part);
    return code;
}

static enum haul_code files_open(struct sink *sink, const struct context *context, const struct unit *unit,
                                 struct claim *claim, struct haul_error *err)
{
    struct file_sink *files = (struct file_sink *)sink;
    struct file_output *output = NULL;
    enum haul_code code = unit_check(files, unit, err);
    if (code)
        return code;
    const struct receipt *done = receipts_find(&files->receipts, unit->part);
    if (done) {
        claim->receipt = *done;
        claim->state = UNIT_DONE;
        return HAUL_OK;
    }
    pthread_mutex_lock(&files->lock);
    code = unit_output(files, unit, &output, err);
    pthread_mutex_unlock(&files->lock);
    if (!code)
        code = file_writer_open(output, context, unit, &claim->writer, err);
    claim->state = UNIT_MINE;
    return code;
}

/* ---- finish ---- */

static const char *manifest_path(const struct file_sink *files, struct arena *arena)
{
    const char *name = settings_text(files->context.settings, "manifest-filename");
    return name ? arena_printf(arena, "%s%s", files->target.folder, name)
                : arena_printf(arena, "%s%s_manifest.json", files->target.folder, files->stem);
}

static enum haul_code finish_manifest(struct file_sink *files, const char *text, struct haul_error *err)
{
    struct arena *arena = &files->run_arena;
    struct manifest_entry *entries = arena_alloc_array(arena, files->output_count, sizeof *entries);
    const char *path = manifest_path(files, arena);
    const char *temp = path ? name_temp(path, files->run, arena) : NULL;
    if (!entries || !temp)
        return error_nomem(err, "the manifest");
    for (uint64_t i = 0; i < files->output_count; i++) {
        const struct file_output *output = &files->outputs[i];
        entries[i] = (struct manifest_entry){
            .name = strrchr(output->path, '/') + 1, .rows = output->rows, .bytes = output->bytes};
    }
    struct manifest manifest = {.path = path,
                                .temp = temp,
                                .text = text,
                                .entries = entries,
                                .count = (size_t)files->output_count,
                                .keep = files->mode == SINK_APPEND};
    return file_manifest_write(&manifest, &files->context, err);
}

static enum haul_code replace_begin(struct file_sink *files, struct haul_error *err)
{
    const char *path = manifest_path(files, &files->run_arena);
    return path ? path_remove(path, err) : error_nomem(err, "the manifest's name");
}

/* What is left of the table that was replaced: more files than now, or of another format. */
static enum haul_code replace_rest(struct file_sink *files, struct haul_error *err)
{
    struct folder_naming naming = sink_naming(files, files->run);
    enum haul_code code = HAUL_OK;
    for (const struct format *const *format = files->target.formats; *format; format++)
        for (const char *const *suffix = (*format)->suffixes; *suffix && !code; suffix++) {
            naming.suffix = *suffix;
            code = folder_remove_parts(&naming,
                                       strcmp(*suffix, files->target.suffix) ? 0 : files->output_count, err);
        }
    return code;
}

static enum haul_code finish_files(struct file_sink *files, struct haul_error *err)
{
    enum haul_code code = files->output_count ? HAUL_OK : sink_plan(files, 0, err);
    for (uint64_t i = 0; i < files->output_count && !code; i++)
        if (files->outputs[i].state == OUTPUT_ABSENT)
            code = file_output_create(&files->outputs[i], err);
    bool replace_folder = files->target.kind == TARGET_FOLDER && sink_replaces(files);
    if (!code && replace_folder)
        code = replace_begin(files, err);
    for (uint64_t i = 0; i < files->output_count && !code; i++)
        code = file_output_publish(&files->outputs[i], sink_replaces(files), &files->context, err);
    if (!code && replace_folder)
        code = replace_rest(files, err);
    return code;
}

static enum haul_code files_finish(struct sink *sink, const struct run_record *run, const char *manifest,
                                   struct haul_error *err)
{
    struct file_sink *files = (struct file_sink *)sink;
    (void)run;
    if (!files->run)
        return error_set(err, HAUL_INTERNAL, "%s: finish before prepare", files->target.name);
    enum haul_code code = finish_files(files, err);
    if (!code && manifest && files->target.kind == TARGET_FOLDER)
        code = finish_manifest(files, manifest, err);
    return code;
}

/* ---- remove ---- */

static enum haul_code remove_single(struct file_sink *files, const struct folder_ours *ours, const char *temp,
                                    struct haul_error *err)
{
    struct file_identity identity;
    struct haul_error absent = {0};
    enum haul_code code = files->target.store->remove(temp, err);
    if (code || !files->target.local || path_identify(files->target.path, &identity, &absent))
        return code;
    return folder_is_ours(ours, &identity) ? path_remove(files->target.path, err) : HAUL_OK;
}

static enum haul_code files_remove(struct sink *sink, const struct run_record *run, struct haul_error *err)
{
    struct file_sink *files = (struct file_sink *)sink;
    sink_forget_run(files);
    if (files->target.kind == TARGET_STREAM)
        return HAUL_OK;
    struct arena arena = {0};
    struct folder_ours ours = {0};
    const char *temp = name_temp(files->target.path, run->name, &arena);
    enum haul_code code = temp ? plan_ours(run, &arena, &ours, err) : error_nomem(err, "a file name");
    if (!code && files->target.kind == TARGET_FILE)
        code = remove_single(files, &ours, temp, err);
    if (!code && files->target.kind == TARGET_FOLDER) {
        struct folder_naming naming = sink_naming(files, run->name);
        code = folder_remove_temps(&naming, err);
        if (!code)
            code = folder_remove_ours(&naming, &ours, err);
    }
    arena_release(&arena);
    return code;
}

/* ---- opening and closing ---- */

static void files_close(struct sink *sink)
{
    struct file_sink *files = (struct file_sink *)sink;
    sink_forget_run(files);
    schema_release(&files->schema);
    arena_release(&files->arena);
    pthread_mutex_destroy(&files->lock);
    free(files);
}

static const struct sink_ops file_sink_ops = {.name = "file",
                                              .negotiate = files_negotiate,
                                              .prepare = files_prepare,
                                              .open = files_open,
                                              .finish = files_finish,
                                              .remove = files_remove,
                                              .close = files_close};

enum haul_code file_sink_open(const char *name, const struct format *const *formats, const char *forced,
                              const struct context *context, struct sink **sink, struct haul_error *err)
{
    struct file_sink *files = calloc(1, sizeof *files);
    if (!files)
        return error_nomem(err, "a sink of files");
    files->sink.ops = &file_sink_ops;
    files->context = *context;
    files->request = (struct format_request){.context = &files->context};
    pthread_mutex_init(&files->lock, NULL);
    struct target_request request = {.name = name, .formats = formats, .forced = forced, .context = context};
    enum haul_code code = file_target_init(&files->target, &request, &files->arena, err);
    if (code) {
        files_close(&files->sink);
        return code;
    }
    files->request.name = files->target.kind == TARGET_FILE ? files->target.path : NULL;
    files->setup = (struct output_setup){.store = files->target.store,
                                         .format = files->target.format,
                                         .request = &files->request,
                                         .schema = &files->schema,
                                         .spill_folder = files->target.spill_folder,
                                         .local = files->target.local};
    *sink = &files->sink;
    return HAUL_OK;
}
