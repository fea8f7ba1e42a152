/*
 * report.c: the choice between text and JSON, the summary file, and the JSON of
 * plan and verification turned into text. The text of an inspection is drawn in
 * report_inspect.c.
 */
#include "report.h"
#include "base/file.h"
#include "base/settings.h"
#include <jansson.h>
#include <stdlib.h>

#define EXIT_AGAIN 75

/* malloc'ed copy of a buffer's text. */
enum haul_code report_take(struct buffer *text, char **report, struct haul_error *err)
{
    char *copy = malloc(text->length + 1);
    if (!copy)
        return error_nomem(err, "a report");
    memcpy(copy, text->data, text->length);
    copy[text->length] = 0;
    *report = copy;
    return HAUL_OK;
}

bool report_as_json(const struct haul_job *job)
{
    return settings_flag(&job->settings, "json");
}

static const char *text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text ? text : "";
}

static enum haul_code copy_text(const char *text, char **report, struct haul_error *err)
{
    *report = strdup(text);
    return *report ? HAUL_OK : error_nomem(err, "a report");
}

/* Parses what a room made, draws it with `draw`. */
typedef enum haul_code (*draw_fn)(const json_t *root, struct buffer *out, struct haul_error *err);

static enum haul_code draw_json(const char *json, draw_fn draw, char **report, struct haul_error *err)
{
    struct buffer out = {0};
    json_t *root = json_loads(json, 0, NULL);
    if (!root)
        return error_nomem(err, "a report");
    enum haul_code code = draw(root, &out, err);
    if (code == HAUL_OK)
        code = report_take(&out, report, err);
    json_decref(root);
    buffer_release(&out);
    return code;
}

int report_width(const char *text)
{
    int width = 0;
    for (; *text; text++)
        width += ((unsigned char)*text & 0xC0) != 0x80;
    return width;
}

enum haul_code report_name(const char *name, int width, struct buffer *out, struct haul_error *err)
{
    int pad = width - report_width(name);
    return buffer_printf(out, err, "  %s%*s  ", name, pad > 0 ? pad : 0, "");
}

static enum haul_code draw_columns(const json_t *columns, struct buffer *out, struct haul_error *err)
{
    size_t i;
    const json_t *column;
    json_array_foreach(columns, i, column)
    {
        const char *loss = text_of(column, "may_lose"), *source = text_of(column, "source");
        const char *target = text_of(column, "target");
        bool same = strcmp(source, target) == 0;
        if (report_name(text_of(column, "name"), 27, out, err) ||
            buffer_printf(out, err, "%s%s%s%s%s\n", source, same ? "" : " -> ", same ? "" : target,
                          *loss ? "; may lose: " : "", loss))
            return err->code;
    }
    return HAUL_OK;
}

static enum haul_code draw_plan(const json_t *root, struct buffer *out, struct haul_error *err)
{
    const char *sql = text_of(root, "sql"), *note = text_of(root, "consistency_note");
    const char *resume = text_of(root, "resume_note");
    const json_t *parts = json_object_get(root, "parts"), *rows = json_object_get(root, "rows");
    if (buffer_printf(out, err, "%s -> %s, mode %s, run %s\n", text_of(root, "source"),
                      text_of(root, "target"), text_of(root, "mode"), text_of(root, "run")))
        return err->code;
    if (json_integer_value(rows) >= 0 &&
        buffer_printf(out, err, "rows      %lld\n", (long long)json_integer_value(rows)))
        return err->code;
    if (buffer_printf(out, err, "parts     %zu, workers %lld, memory %lld MiB\n", json_array_size(parts),
                      (long long)json_integer_value(json_object_get(root, "workers")),
                      (long long)json_integer_value(json_object_get(root, "memory")) >> 20) ||
        buffer_printf(out, err, "resume    %s%s%s\n", text_of(root, "resumable"), *resume ? ": " : "",
                      resume) ||
        buffer_printf(out, err, "reads     %s%s%s\n", text_of(root, "consistency"), *note ? ": " : "",
                      note) ||
        (*sql && buffer_printf(out, err, "sql       %s\n", sql)) || buffer_printf(out, err, "columns\n"))
        return err->code;
    return draw_columns(json_object_get(root, "columns"), out, err);
}

enum haul_code report_plan(struct haul_job *job, const char *json, char **report, struct haul_error *err)
{
    return report_as_json(job) ? copy_text(json, report, err) : draw_json(json, draw_plan, report, err);
}

static enum haul_code draw_side(const char *name, const json_t *side, struct buffer *out,
                                struct haul_error *err)
{
    return buffer_printf(out, err, "%-8s %12lld rows  hash %s\n", name,
                         (long long)json_integer_value(json_object_get(side, "rows")), text_of(side, "hash"));
}

static enum haul_code draw_verify(const json_t *root, struct buffer *out, struct haul_error *err)
{
    size_t i;
    const json_t *column;
    bool equal = json_is_true(json_object_get(root, "equal"));
    if (draw_side("source", json_object_get(root, "source"), out, err) ||
        draw_side("target", json_object_get(root, "target"), out, err))
        return err->code;
    json_array_foreach(json_object_get(root, "differs"), i, column)
    {
        if (buffer_printf(out, err, "differs  %s\n", json_string_value(column)))
            return err->code;
    }
    return buffer_printf(out, err, "%s\n", equal ? "equal" : "NOT equal");
}

enum haul_code report_verify(struct haul_job *job, const char *json, char **report, struct haul_error *err)
{
    return report_as_json(job) ? copy_text(json, report, err) : draw_json(json, draw_verify, report, err);
}

/* Written beside its name, then renamed: a reader never sees half of it. */
enum haul_code report_write_file(const char *path, const char *text, struct haul_error *err)
{
    char temp[4096];
    struct file file = {.fd = -1};
    if (snprintf(temp, sizeof temp, "%s.part", path) >= (int)sizeof temp)
        return error_set(err, HAUL_USAGE, "%s: the name is too long", path);
    if (path_remove(temp, err) || file_open(&file, temp, FILE_CREATE, err))
        return err->code;
    enum haul_code code = file_write(&file, text, strlen(text), err);
    if (code == HAUL_OK)
        code = file_sync(&file, err);
    file_close(&file);
    return code ? code : path_rename(temp, path, true, err);
}

static json_t *summary_json(const struct haul_result *result, const struct haul_error *failure)
{
    json_t *root =
        json_pack("{s:i, s:s, s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:f, s:b, s:s, s:s, s:i, s:b}", "version", 1,
                  "type", "summary", "run", result->run, "rows", (json_int_t)result->rows, "rows_resumed",
                  (json_int_t)result->rows_resumed, "rejects", (json_int_t)result->rejects, "losses",
                  (json_int_t)result->losses, "bytes_read", (json_int_t)result->bytes_read, "bytes_written",
                  (json_int_t)result->bytes_written, "seconds", result->seconds, "already_complete",
                  result->already_complete, "hash", result->hash, "consistency", result->consistency, "exit",
                  failure ? haul_exit_code(failure) : (result->rejects ? 3 : 0), "retryable",
                  failure && haul_exit_code(failure) == EXIT_AGAIN);
    if (root && failure)
        json_object_set_new(
            root, "error",
            json_pack("{s:s, s:s}", "class", haul_code_name(failure->code), "message", failure->message));
    return root;
}

enum haul_code report_summary(struct haul_job *job, const struct haul_result *result,
                              const struct haul_error *failure, struct haul_error *err)
{
    const char *path = settings_text(&job->settings, "summary");
    if (!path)
        return HAUL_OK;
    json_t *root = summary_json(result, failure);
    char *text = root ? json_dumps(root, JSON_INDENT(2)) : NULL;
    json_decref(root);
    if (!text)
        return error_nomem(err, "the summary");
    enum haul_code code = report_write_file(path, text, err);
    free(text);
    return code ? error_prefix(err, "--summary") : HAUL_OK;
}
