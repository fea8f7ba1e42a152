/*
 * made.c: a computed or rowversion column of the target, which the source has,
 * too, because it is the same table somewhere else. Nobody can write it, and the
 * target makes its values from the others; so it is left out, and that is said.
 *
 * The source is asked for its columns by a second one, so that the run's own is
 * described once. Standard input cannot be opened twice: there the columns are
 * named by hand.
 */
#include "made.h"

#include <strings.h>

static bool is_among(const char *const *names, int count, const char *name)
{
    for (int i = 0; i < count; i++)
        if (strcasecmp(names[i], name) == 0)
            return true;
    return false;
}

/* "name" as --columns takes it. */
static enum haul_code add_name(struct buffer *list, const char *name, struct haul_error *err)
{
    enum haul_code code = buffer_printf(list, err, "%s\"", list->length ? "," : "");
    for (; !code && *name; name++)
        code = buffer_printf(list, err, *name == '"' ? "\"%c" : "%c", *name);
    return code ? code : buffer_printf(list, err, "\"");
}

/* The source's columns that are not made, and the names of those that are. */
static enum haul_code sort_columns(const struct schema *schema, const char *const *made, int made_count,
                                   struct buffer *kept, struct buffer *left, struct haul_error *err)
{
    enum haul_code code = HAUL_OK;
    for (int i = 0; !code && i < schema->count; i++) {
        const char *name = schema->fields[i].name;
        code = is_among(made, made_count, name)
                   ? buffer_printf(left, err, "%s%s", left->length ? ", " : "", name)
                   : add_name(kept, name, err);
    }
    return code;
}

static enum haul_code describe(struct haul_job *job, struct source_info *info, struct haul_error *err)
{
    struct source *other = NULL;
    enum haul_code code = job_open(job, false, &other, err);
    if (!code)
        code = other->ops->describe(other, info, err);
    if (other)
        other->ops->close(other);
    return code;
}

static enum haul_code reopen(struct haul_job *job, const struct buffer *kept, const struct buffer *left,
                             struct source **source, struct haul_error *err)
{
    const char *columns = arena_text_n(&job->arena, (const char *)kept->data, kept->length);
    if (!columns)
        return error_nomem(err, "columns");
    context_note(&job->context, "the target makes these columns itself, so the source's are left out: %.*s",
                 (int)left->length, (const char *)left->data);
    (*source)->ops->close(*source);
    *source = NULL;
    return settings_set(&job->settings, "columns", columns, err) ? err->code
                                                                 : job_open(job, false, source, err);
}

enum haul_code made_leave_out(struct haul_job *job, struct sink *sink, const struct sink_request *request,
                              struct source **source, struct haul_error *err)
{
    const char *const *made = NULL;
    const char *name = settings_text(&job->settings, "source");
    struct source_info info = {0};
    struct buffer kept = {0}, left = {0};
    int count = 0;
    bool streamed = !name || strcmp(name, "-") == 0, named = settings_text(&job->settings, "columns") != NULL;
    if (!sink->ops->makes || !request->table || streamed || named || job->like.count)
        return HAUL_OK;
    if (sink->ops->makes(sink, request, &job->arena, &made, &count, err))
        return job_side(err, HAUL_SIDE_TARGET);
    if (count == 0)
        return HAUL_OK;
    enum haul_code code = describe(job, &info, err);
    if (!code)
        code = sort_columns(&info.schema, made, count, &kept, &left, err);
    if (!code && left.length && kept.length)
        code = reopen(job, &kept, &left, source, err);
    buffer_release(&kept);
    buffer_release(&left);
    source_info_release(&info);
    return code;
}
