/*
 * file_source.c: files of any format as one source.
 *
 * The format reads one file; here files become one table: which files, in which
 * order, whether their columns agree, and what their rows, bytes and identity
 * add up to. A part of the source is a part of one file; its spec is "file
 * I|SPEC", I the file's place in name order, SPEC the format's own. A reader
 * passes batches on as the format made them, with the part's number in the
 * source, and asks before each one whether the file is still the same, so that
 * no row of a file that changed meanwhile is given away.
 *
 * file_set.c keeps at most some of the files open.
 */
#include "format/file_source.h"

#include "base/number.h"
#include "format/file_choice.h"
#include "format/file_names.h"
#include "format/file_set.h"

#include <stdlib.h>
#include <string.h>

struct file_source {
    struct source source;
    struct context context;
    struct source_request wanted;
    struct format_request request;
    struct file_set set;
    const char *name;
    struct arena arena;
    size_t split_file; /* the file being split */
    bool split_open;   /* it is taken, and its format is in the middle of it */
    uint64_t parts;    /* numbered so far */
};

/* ---- describing ---- */

static enum haul_code schema_differs(const struct file_set *set, size_t index, const struct field *field,
                                     const struct field *first, struct haul_error *err)
{
    char its_type[96], first_type[96];
    const char *name = set->files[index].name, *first_name = set->files[0].name;
    field_print_type(field, its_type, sizeof its_type);
    field_print_type(first, first_type, sizeof first_type);
    if (strcmp(field->name, first->name) != 0)
        return error_set(err, HAUL_DATA,
                         "%s has column \"%s\" (%s) where %s has \"%s\" (%s); files read together need the "
                         "same columns in the same order",
                         name, field->name, its_type, first_name, first->name, first_type);
    return error_set(err, HAUL_DATA,
                     "%s: column \"%s\" is %s, in %s it is %s; files read together need the same types "
                     "(--schema may say them)",
                     name, field->name, its_type, first_name, first_type);
}

static void nullable_join(struct field *to, const struct field *from)
{
    to->nullable |= from->nullable;
    for (int i = 0; i < to->child_count && i < from->child_count; i++)
        nullable_join(&to->children[i], &from->children[i]);
}

static enum haul_code schema_join(struct schema *first, const struct schema *schema,
                                  const struct file_set *set, size_t index, struct haul_error *err)
{
    int count = first->count < schema->count ? first->count : schema->count;
    for (int i = 0; i < count; i++) {
        if (!field_equal(&first->fields[i], &schema->fields[i], true))
            return schema_differs(set, index, &schema->fields[i], &first->fields[i], err);
        nullable_join(&first->fields[i], &schema->fields[i]);
    }
    if (first->count == schema->count)
        return HAUL_OK;
    const struct schema *longer = first->count > schema->count ? first : schema;
    return error_set(err, HAUL_DATA, "%s has %d columns, %s has %d: \"%s\" is in one of them only",
                     set->files[index].name, schema->count, set->files[0].name, first->count,
                     longer->fields[count].name);
}

static int64_t sum_known(int64_t a, int64_t b)
{
    int64_t sum;
    return a < 0 || b < 0 || __builtin_add_overflow(a, b, &sum) ? -1 : sum;
}

static int splits_join(int a, int b)
{
    int sum;
    return a == 0 || b == 0 || __builtin_add_overflow(a, b, &sum) ? 0 : sum;
}

static void info_join(struct source_info *info, const struct source_info *more)
{
    info->rows = sum_known(info->rows, more->rows);
    info->rows_exact &= more->rows_exact;
    info->order_fixed &= more->order_fixed;
    info->replayable &= more->replayable;
    info->splits_max = splits_join(info->splits_max, more->splits_max);
}

static enum haul_code describe_file(struct file_source *files, size_t index, struct source_info *info,
                                    struct haul_error *err)
{
    struct format_input *input = NULL;
    enum haul_code code = file_set_take(&files->set, index, &input, err);
    if (code)
        return code;
    code = input->ops->describe(input, info, err);
    if (code)
        file_set_error(&files->set, index, err);
    info->bytes = files->set.files[index].bytes;
    if (info->bytes < 0) { /* a stream comes once */
        info->replayable = false;
        info->splits_max = 1;
    }
    file_set_let_go(&files->set, index);
    return code;
}

/* Only what is asked of files whose parts are to be kept as they are. */
static enum haul_code match_first(struct file_source *files, size_t index, struct haul_error *err)
{
    struct format_input *first = NULL, *input = NULL;
    enum haul_code code = file_set_take(&files->set, 0, &first, err);
    if (code)
        return code;
    code = file_set_take(&files->set, index, &input, err);
    if (!code && input->ops->match && input->ops->match(input, first, err))
        code = file_set_error(&files->set, index, err);
    if (input)
        file_set_let_go(&files->set, index);
    file_set_let_go(&files->set, 0);
    return code;
}

static enum haul_code describe_more(struct file_source *files, size_t index, struct source_info *info,
                                    struct haul_error *err)
{
    struct source_info more = {0};
    enum haul_code code = describe_file(files, index, &more, err);
    if (!code)
        code = schema_join(&info->schema, &more.schema, &files->set, index, err);
    if (!code && files->wanted.alike)
        code = match_first(files, index, err);
    if (!code) {
        info_join(info, &more);
        info->bytes = sum_known(info->bytes, more.bytes);
    }
    source_info_release(&more);
    return code;
}

/* FNV-1a over the names and identities of all files: too long to be kept as they are. */
static uint128_t identity_sum(const struct file_set *set)
{
    const uint128_t prime = ((uint128_t)1 << 88) | 0x13b;
    uint128_t sum = ((uint128_t)0x6c62272e07bb0142u << 64) | 0x62b821756295c58du;
    for (size_t i = 0; i < set->count; i++) {
        const char *texts[] = {set->files[i].name, set->files[i].identity};
        for (int t = 0; t < 2; t++)
            for (const char *c = texts[t];; c++) {
                sum = (sum ^ (uint8_t)*c) * prime;
                if (!*c)
                    break;
            }
    }
    return sum;
}

static const char *identity_text(const struct file_set *set, struct arena *arena)
{
    if (set->count == 1)
        return arena_text(arena, set->files[0].identity);
    uint128_t sum = identity_sum(set);
    return arena_printf(arena, "files %zu sum %016llx%016llx", set->count, (unsigned long long)(sum >> 64),
                        (unsigned long long)sum);
}

static enum haul_code files_describe(struct source *source, struct source_info *info, struct haul_error *err)
{
    struct file_source *files = (struct file_source *)source;
    enum haul_code code = describe_file(files, 0, info, err);
    for (size_t i = 1; i < files->set.count && !code; i++) {
        code = context_check(&files->context, err);
        if (!code)
            code = describe_more(files, i, info, err);
    }
    if (code)
        return code;
    bool stream = files->set.files[0].bytes < 0;
    info->table_schema = NULL;
    info->table = files->wanted.table             ? arena_text(&info->arena, files->wanted.table)
                  : strcmp(files->name, "-") == 0 ? "stdin"
                                                  : name_table(files->name, files->set.format, &info->arena);
    info->identity = identity_text(&files->set, &info->arena);
    info->consistency = stream ? "none" : "file";
    info->key = NULL;
    info->key_count = 0;
    return info->table && info->identity ? HAUL_OK : error_nomem(err, "the description of a file");
}

static enum haul_code files_list(struct source *source, haul_table_fn each, void *user,
                                 struct haul_error *err)
{
    struct file_source *files = (struct file_source *)source;
    enum haul_code code = HAUL_OK;
    for (size_t i = 0; i < files->set.count && !code; i++) {
        struct source_info info = {0};
        code = context_check(&files->context, err);
        if (!code)
            code = describe_file(files, i, &info, err);
        if (!code)
            each(user, &(struct haul_table){.name = files->set.files[i].name,
                                            .kind = "file",
                                            .rows = info.rows,
                                            .rows_exact = info.rows_exact,
                                            .bytes = info.bytes});
        source_info_release(&info);
    }
    return code;
}

/* ---- splitting ---- */

static enum haul_code split_input(struct format_input *input, const struct split_request *request,
                                  struct arena *arena, struct part *part, bool *more, struct haul_error *err)
{
    if (input->ops->split)
        return input->ops->split(input, request, arena, part, more, err);
    part->spec = arena_text(arena, "all");
    part->rows = -1;
    part->bytes = -1;
    *more = true;
    return part->spec ? HAUL_OK : error_nomem(err, "a part");
}

static void split_next_file(struct file_source *files)
{
    if (files->split_open)
        file_set_let_go(&files->set, files->split_file);
    files->split_open = false;
    files->split_file++;
}

static enum haul_code split_file(struct file_source *files, const struct split_request *request,
                                 struct arena *arena, struct part *part, bool *more, struct haul_error *err)
{
    struct set_file *file = &files->set.files[files->split_file];
    enum haul_code code = HAUL_OK;
    if (!files->split_open)
        code = file_set_take(&files->set, files->split_file, &file->input, err);
    if (code)
        return code;
    files->split_open = true;
    code = split_input(file->input, request, arena, part, more, err);
    if (code)
        return file_set_error(&files->set, files->split_file, err);
    if (*more && !file->input->ops->split)
        split_next_file(files);
    return HAUL_OK;
}

static enum haul_code files_split(struct source *source, const struct split_request *request,
                                  struct arena *arena, struct part *part, bool *more, struct haul_error *err)
{
    struct file_source *files = (struct file_source *)source;
    *more = false;
    while (files->split_file < files->set.count) {
        size_t index = files->split_file;
        enum haul_code code = split_file(files, request, arena, part, more, err);
        if (code)
            return code;
        if (!*more) {
            split_next_file(files);
            continue;
        }
        part->index = files->parts++;
        part->spec = arena_printf(arena, "file %zu|%s", index, part->spec);
        return part->spec ? HAUL_OK : error_nomem(err, "a part");
    }
    return HAUL_OK;
}

/* ---- reading ---- */

struct file_reader {
    struct reader reader;
    struct file_source *files;
    size_t index;
    struct reader *inner;
    uint64_t part;
};

static enum haul_code reader_next(struct reader *reader, int64_t rows_max, struct batch *batch, bool *end,
                                  struct haul_error *err)
{
    struct file_reader *file = (struct file_reader *)reader;
    struct file_set *set = &file->files->set;
    struct input_file *input = set->files[file->index].file;
    enum haul_code code = file->inner->ops->next(file->inner, rows_max, batch, end, err);
    struct haul_error changed = {0};
    if (input->ops->check(input, &changed)) { /* explains whatever was found in it */
        if (!code)
            batch_release(batch);
        *err = changed;
        return err->code;
    }
    if (code)
        return file_set_error(set, file->index, err);
    batch->part = file->part;
    return HAUL_OK;
}

static void reader_close(struct reader *reader)
{
    struct file_reader *file = (struct file_reader *)reader;
    if (file->inner)
        file->inner->ops->close(file->inner);
    file_set_let_go(&file->files->set, file->index);
    free(file);
}

static const struct reader_ops file_reader_ops = {.next = reader_next, .close = reader_close};

/* "file 3|rg 7" */
static enum haul_code spec_parse(const struct file_source *files, const char *spec, size_t *index,
                                 const char **inner, struct haul_error *err)
{
    uint64_t number = 0;
    const char *bar = spec ? strchr(spec, '|') : NULL;
    bool fine = bar && strncmp(spec, "file ", 5) == 0 &&
                number_parse_u64(spec + 5, (size_t)(bar - spec) - 5, &number);
    if (!fine)
        return error_set(err, HAUL_INTEGRITY, "a plan's part \"%.60s\" is not one of files",
                         spec ? spec : "");
    if (number >= files->set.count)
        return error_set(err, HAUL_CHANGED, "%s: the plan knows file %llu, there are %zu files now",
                         files->name, (unsigned long long)number, files->set.count);
    *index = (size_t)number;
    *inner = bar + 1;
    return HAUL_OK;
}

static enum haul_code files_open(struct source *source, const struct context *context,
                                 const struct part *part, int64_t first_row, struct reader **reader,
                                 struct haul_error *err)
{
    struct file_source *files = (struct file_source *)source;
    struct format_input *input = NULL;
    const char *inner_spec = NULL;
    size_t index = 0;
    enum haul_code code = spec_parse(files, part->spec, &index, &inner_spec, err);
    if (code)
        return code;
    struct file_reader *file = calloc(1, sizeof *file);
    if (!file)
        return error_nomem(err, "a reader");
    code = file_set_take(&files->set, index, &input, err);
    if (code) {
        free(file);
        return code;
    }
    *file = (struct file_reader){
        .reader.ops = &file_reader_ops, .files = files, .index = index, .part = part->index};
    struct part inner = *part;
    inner.spec = (char *)(uintptr_t)inner_spec;
    code = input->ops->open(input, context, &inner, first_row, &file->inner, err);
    if (code) {
        file_set_error(&files->set, index, err);
        file->inner = NULL;
        reader_close(&file->reader);
        return code;
    }
    *reader = &file->reader;
    return HAUL_OK;
}

static enum haul_code files_begin(struct source *source, int workers, struct haul_error *err)
{
    (void)source;
    (void)workers;
    (void)err;
    return HAUL_OK;
}

static void files_end(struct source *source)
{
    (void)source;
}

/* ---- opening and closing ---- */

static void files_close(struct source *source)
{
    struct file_source *files = (struct file_source *)source;
    file_set_release(&files->set);
    arena_release(&files->arena);
    free(files);
}

static const struct source_ops file_source_ops = {.name = "file",
                                                  .list = files_list,
                                                  .describe = files_describe,
                                                  .split = files_split,
                                                  .begin = files_begin,
                                                  .end = files_end,
                                                  .open = files_open,
                                                  .close = files_close};

static enum haul_code request_copy(const struct source_request *from, struct arena *arena,
                                   struct source_request *to, struct haul_error *err)
{
    *to = (struct source_request){
        .column_count = from->column_count, .like = from->like, .passed = from->passed, .alike = from->alike,
        .dictionaries = from->dictionaries}; /* `like` is the caller's, and outlives the source */
    const char **columns = NULL;
    bool fine = true;
    if (from->columns) {
        columns = arena_alloc_array(arena, (size_t)from->column_count + 1, sizeof *columns);
        fine = columns != NULL;
    }
    for (int i = 0; fine && from->columns && i < from->column_count; i++)
        fine = (columns[i] = arena_text(arena, from->columns[i])) != NULL;
    to->columns = columns;
    to->schema = arena_text(arena, from->schema);
    to->table = arena_text(arena, from->table);
    fine = fine && (to->schema || !from->schema) && (to->table || !from->table);
    return fine ? HAUL_OK : error_nomem(err, "a request");
}

static enum haul_code request_check(const char *name, const struct source_request *request,
                                    struct haul_error *err)
{
    if (request->query)
        return error_set(err, HAUL_USAGE, "%s is a file: --query needs a database", name);
    if (request->where)
        return error_set(err, HAUL_USAGE, "%s is a file: --where needs a database", name);
    return HAUL_OK;
}

enum haul_code file_source_open(const char *name, const struct format *const *formats, const char *forced,
                                const struct context *context, const struct source_request *request,
                                struct source **source, struct haul_error *err)
{
    const struct format *format = NULL;
    enum haul_code code = request_check(name, request, err);
    if (!code && forced)
        code = format_named(formats, forced, "--from", &format, err);
    if (code)
        return code;
    struct file_source *files = calloc(1, sizeof *files);
    if (!files)
        return error_nomem(err, "a source of files");
    files->source.ops = &file_source_ops;
    files->context = *context;
    files->request = (struct format_request){.context = &files->context, .source = &files->wanted};
    files->name = arena_text(&files->arena, name);
    code =
        files->name ? request_copy(request, &files->arena, &files->wanted, err) : error_nomem(err, "a name");
    if (!code)
        code = file_set_init(&files->set, files->name, formats, format, &files->request, err);
    if (code) {
        arena_release(&files->arena);
        free(files);
        return code;
    }
    *source = &files->source;
    return HAUL_OK;
}

/* ---- parts for a sink that adopts them ---- */

enum haul_code file_source_take(struct source *source, const struct part *part, struct file_part *taken,
                                struct haul_error *err)
{
    struct file_source *files = (struct file_source *)source;
    struct file_part found = {.source = source};
    enum haul_code code = spec_parse(files, part->spec, &found.index, &found.spec, err);
    if (!code)
        code = file_set_take(&files->set, found.index, &found.input, err);
    if (!code)
        *taken = found;
    return code;
}

void file_source_let_go(struct file_part *taken)
{
    if (taken->source)
        file_set_let_go(&((struct file_source *)taken->source)->set, taken->index);
    *taken = (struct file_part){0};
}

enum haul_code file_source_failed(const struct file_part *taken, struct haul_error *err)
{
    return file_set_error(&((struct file_source *)taken->source)->set, taken->index, err);
}

/* ---- looking ---- */

size_t file_source_count(const struct source *source)
{
    return ((const struct file_source *)source)->set.count;
}

const char *file_source_name(const struct source *source, size_t index)
{
    return ((const struct file_source *)source)->set.files[index].name;
}

const struct format *file_source_format(const struct source *source)
{
    return ((const struct file_source *)source)->set.format;
}

enum haul_code file_source_inspect(struct source *source, size_t index, struct inspection *out,
                                   struct haul_error *err)
{
    struct file_source *files = (struct file_source *)source;
    struct source_info info = {0};
    struct format_input *input = NULL;
    enum haul_code code = describe_file(files, index, &info, err);
    if (!code)
        code = file_set_take(&files->set, index, &input, err);
    if (!code) {
        *out = (struct inspection){.format = files->set.format->name, .rows = info.rows, .bytes = info.bytes};
        if (input->ops->inspect)
            code = input->ops->inspect(input, out, err);
        if (code)
            file_set_error(&files->set, index, err);
        file_set_let_go(&files->set, index);
    }
    source_info_release(&info);
    return code;
}
