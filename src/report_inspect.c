/*
 * report_inspect.c: `haul inspect`: what the files hold, drawn for people or as
 * JSON, and the first rows. Column widths follow the content, names are cut at
 * NAME_WIDTH_MAX.
 */
#include "base/file.h"
#include "batch/view.h"
#include "batch/walk.h"
#include "manifest.h"
#include "registry.h"
#include "report.h"
#include <jansson.h>

#define NAME_WIDTH_MAX 40
#define CELL_WIDTH_MAX 48
#define BAR_WIDTH      12
#define HEAD_ROWS_MAX  10000

static void print_size(int64_t bytes, char out[32])
{
    static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB"};
    double value = (double)bytes;
    int unit = 0;
    while (value >= 1024 && unit < 5) {
        value /= 1024;
        unit++;
    }
    if (bytes < 0)
        snprintf(out, 32, "?");
    else
        snprintf(out, 32, unit ? "%.1f %s" : "%.0f %s", value, units[unit]);
}

/* 1234567 as 1,234,567. */
static void print_count(int64_t count, char out[32])
{
    char digits[32];
    int length = snprintf(digits, sizeof digits, "%lld", (long long)(count < 0 ? -count : count)), n = 0;
    if (count < 0) {
        snprintf(out, 32, "?");
        return;
    }
    for (int i = 0; i < length; i++) {
        if (i > 0 && (length - i) % 3 == 0)
            out[n++] = ',';
        out[n++] = digits[i];
    }
    out[n] = 0;
}

static int wider(int width, const char *name)
{
    int needed = report_width(name);
    needed = needed > NAME_WIDTH_MAX ? NAME_WIDTH_MAX : needed;
    return needed > width ? needed : width;
}

static int name_width(const struct schema *schema)
{
    int width = 6;
    for (int i = 0; i < schema->count; i++)
        width = wider(width, schema->fields[i].name);
    return width;
}

/* Text of a file on one line: control characters as the escapes of C. */
static enum haul_code draw_text(const char *text, struct buffer *out, struct haul_error *err)
{
    for (; *text; text++) {
        enum haul_code code = HAUL_OK;
        if (*text == '\n')
            code = buffer_append(out, "\\n", 2, err);
        else if (*text == '\t')
            code = buffer_append(out, "\\t", 2, err);
        else if ((unsigned char)*text < 32 || *text == 127)
            code = buffer_printf(out, err, "\\x%02x", (unsigned char)*text);
        else
            code = buffer_append(out, text, 1, err);
        if (code)
            return code;
    }
    return HAUL_OK;
}

static enum haul_code draw_schema(const struct schema *schema, struct buffer *out, struct haul_error *err)
{
    int width = name_width(schema);
    for (int i = 0; i < schema->count; i++) {
        char type[128];
        field_print_type(&schema->fields[i], type, sizeof type);
        if (report_name(schema->fields[i].name, width, out, err) ||
            buffer_printf(out, err, "%s%s%s%s\n", type, schema->fields[i].nullable ? "" : " not null",
                          schema->fields[i].sql_type ? "  from " : "",
                          schema->fields[i].sql_type ? schema->fields[i].sql_type : ""))
            return err->code;
    }
    return HAUL_OK;
}

/* How much of the file a column takes, as a bar. */
static void print_bar(int64_t part, int64_t whole, char out[BAR_WIDTH * 3 + 1])
{
    int64_t filled = whole > 0 ? (part * BAR_WIDTH + whole / 2) / whole : 0;
    out[0] = 0;
    for (int64_t i = 0; i < BAR_WIDTH; i++)
        strcat(out, i < filled ? "█" : "·");
}

static enum haul_code draw_column(const struct inspected_column *column, int width, int64_t largest,
                                  struct buffer *out, struct haul_error *err)
{
    char stored[32], nulls[32], pages[32], bar[BAR_WIDTH * 3 + 1];
    double ratio = column->bytes_stored > 0 ? (double)column->bytes_plain / (double)column->bytes_stored : 0;
    print_size(column->bytes_stored, stored);
    print_count(column->nulls, nulls);
    print_count(column->pages, pages);
    print_bar(column->bytes_stored, largest, bar);
    if (report_name(column->name, width, out, err) ||
        buffer_printf(out, err, "%-20s %s %10s %5.1fx  %-7s nulls %s, pages %s", column->type, bar, stored,
                      ratio, column->codec ? column->codec : "", nulls, pages) ||
        (column->encodings && buffer_printf(out, err, ", %s", column->encodings)))
        return err->code;
    if (column->min && column->max &&
        (buffer_printf(out, err, ", ") || draw_text(column->min, out, err) ||
         buffer_printf(out, err, " .. ") || draw_text(column->max, out, err)))
        return err->code;
    return buffer_printf(out, err, "\n");
}

static enum haul_code draw_details(const struct inspection *facts, struct buffer *out, struct haul_error *err)
{
    int width = 6;
    int64_t largest = 0;
    for (int i = 0; i < facts->column_count; i++) {
        width = wider(width, facts->columns[i].name);
        largest = facts->columns[i].bytes_stored > largest ? facts->columns[i].bytes_stored : largest;
    }
    for (int i = 0; i < facts->column_count; i++)
        if (draw_column(&facts->columns[i], width, largest, out, err))
            return err->code;
    for (int64_t i = 0; i < facts->group_count; i++) {
        char stored[32], rows[32];
        print_size(facts->groups[i].bytes_stored, stored);
        print_count(facts->groups[i].rows, rows);
        if (buffer_printf(out, err, "  row group %lld: %s rows, %s at byte %lld\n", (long long)i, rows,
                          stored, (long long)facts->groups[i].offset))
            return err->code;
    }
    return HAUL_OK;
}

static enum haul_code draw_file(const struct inspection *facts, const char *name, bool verbose,
                                struct buffer *out, struct haul_error *err)
{
    char rows[32], size[32], groups[48] = "";
    print_count(facts->rows, rows);
    print_size(facts->bytes, size);
    if (facts->group_count > 0)
        snprintf(groups, sizeof groups, ", %lld row group%s", (long long)facts->group_count,
                 facts->group_count == 1 ? "" : "s");
    if (buffer_printf(out, err, "%s: %s, %s rows%s, %d columns, %s\n", name, facts->format, rows, groups,
                      facts->column_count, size))
        return err->code;
    for (int i = 0; i < facts->fact_count; i++)
        if (buffer_printf(out, err, "  %s: %s\n", facts->facts[i].name, facts->facts[i].value))
            return err->code;
    return verbose ? draw_details(facts, out, err) : HAUL_OK;
}

static json_t *column_json(const struct inspected_column *column)
{
    return json_pack("{s:s, s:s, s:s?, s:s?, s:s?, s:I, s:I, s:I, s:I, s:I, s:s?, s:s?}", "name",
                     column->name, "type", column->type, "physical", column->physical, "codec", column->codec,
                     "encodings", column->encodings, "bytes_stored", (json_int_t)column->bytes_stored,
                     "bytes_plain", (json_int_t)column->bytes_plain, "values", (json_int_t)column->values,
                     "nulls", (json_int_t)column->nulls, "pages", (json_int_t)column->pages, "min",
                     column->min, "max", column->max);
}

static json_t *file_json(const struct inspection *facts, const char *name)
{
    json_t *columns = json_array(), *groups = json_array(), *known = json_object();
    for (int i = 0; i < facts->column_count; i++)
        json_array_append_new(columns, column_json(&facts->columns[i]));
    for (int64_t i = 0; i < facts->group_count; i++)
        json_array_append_new(groups, json_pack("{s:I, s:I, s:I}", "rows", (json_int_t)facts->groups[i].rows,
                                                "bytes_stored", (json_int_t)facts->groups[i].bytes_stored,
                                                "offset", (json_int_t)facts->groups[i].offset));
    for (int i = 0; i < facts->fact_count; i++)
        json_object_set_new(known, facts->facts[i].name, json_string(facts->facts[i].value));
    return json_pack("{s:s, s:s, s:I, s:I, s:o, s:o, s:o}", "file", name, "format", facts->format, "rows",
                     (json_int_t)facts->rows, "bytes", (json_int_t)facts->bytes, "facts", known, "columns",
                     columns, "row_groups", groups);
}

/* ---- the first rows ---- */

static enum haul_code cell_text(const struct view *view, int64_t row, struct buffer *cell,
                                struct haul_error *err)
{
    buffer_clear(cell);
    if (view_is_null(view, row))
        return HAUL_OK;
    return view_print(view, row, cell, err);
}

struct head { /* cells of the first rows, as JSON; null is NULL */
    json_t *rows;
    struct buffer cell;
};

static enum haul_code head_row(struct head *head, const struct batch *batch, int64_t row,
                               struct haul_error *err)
{
    json_t *cells = json_array();
    for (int i = 0; i < batch->schema->count; i++) {
        struct view view;
        if (view_init(&view, &batch->schema->fields[i], batch->array.children[i], err) ||
            cell_text(&view, row, &head->cell, err)) {
            json_decref(cells);
            return err->code;
        }
        json_array_append_new(cells, view_is_null(&view, row)
                                         ? json_null()
                                         : json_stringn((const char *)head->cell.data, head->cell.length));
    }
    json_array_append_new(head->rows, cells);
    return HAUL_OK;
}

static enum haul_code head_read(struct head *head, struct walk *walk, int64_t wanted, struct haul_error *err)
{
    while (wanted > 0) {
        struct batch batch = {0};
        bool end;
        if (walk_next(walk, wanted, &batch, &end, err))
            return err->code;
        if (end)
            return HAUL_OK;
        enum haul_code code = HAUL_OK;
        for (int64_t row = 0; code == HAUL_OK && row < batch.array.length; row++)
            code = head_row(head, &batch, row, err);
        wanted -= batch.array.length;
        batch_release(&batch);
        if (code)
            return code;
    }
    return HAUL_OK;
}

static enum haul_code head_collect(struct haul_job *job, struct source *source, struct head *head,
                                   struct haul_error *err)
{
    int64_t wanted = settings_number(&job->settings, "head");
    struct walk walk = {0};
    struct collector collector = {0};
    struct context context = job->context;
    if (wanted <= 0)
        return HAUL_OK;
    context.collector = &collector;
    wanted = wanted > HEAD_ROWS_MAX ? HEAD_ROWS_MAX : wanted;
    enum haul_code code = walk_init(&walk, source, &context, err);
    if (code == HAUL_OK)
        code = head_read(head, &walk, wanted, err);
    walk_release(&walk);
    collector_release(&collector);
    buffer_release(&head->cell);
    return code;
}

/* One cell a line: wide tables stay readable. NULL is shown as such. */
static enum haul_code draw_head(const struct schema *schema, const json_t *rows, struct buffer *out,
                                struct haul_error *err)
{
    size_t i, j;
    const json_t *row, *cell;
    int width = name_width(schema);
    json_array_foreach(rows, i, row)
    {
        if (buffer_printf(out, err, "row %zu\n", i))
            return err->code;
        json_array_foreach(row, j, cell)
        {
            const char *text = json_is_null(cell) ? "NULL" : json_string_value(cell);
            if (report_name(schema->fields[j].name, width, out, err) || draw_text(text, out, err) ||
                buffer_append(out, "\n", 1, err))
                return err->code;
        }
    }
    return HAUL_OK;
}

/* ---- together ---- */

static enum haul_code each_file(struct haul_job *job, struct source *source, json_t *files,
                                struct buffer *out, struct haul_error *err)
{
    bool more = true, verbose = settings_flag(&job->settings, "verbose");
    for (size_t i = 0; more; i++) {
        struct inspection facts = {0};
        enum haul_code code = registry_inspect(source, i, &facts, &more, err);
        if (code == HAUL_OK && more) {
            json_array_append_new(files, file_json(&facts, facts.name));
            code = draw_file(&facts, facts.name, verbose, out, err);
        }
        arena_release(&facts.arena);
        if (code)
            return code;
    }
    return HAUL_OK;
}

static json_t *tables_json(const struct manifest_listing *listing, int64_t rows)
{
    json_t *names = json_array();
    for (size_t i = 0; i < listing->count; i++)
        json_array_append_new(names, json_string(listing->entries[i].name));
    json_t *root = json_pack("{s:i, s:[], s:o}", "version", 1, "files", "tables", names);
    if (root && rows >= 0)
        json_object_set_new(root, "rows", json_integer(rows));
    return root;
}

static enum haul_code draw_tables(const char *path, const struct manifest_listing *listing, int64_t rows,
                                  struct buffer *out, struct haul_error *err)
{
    char count[32];
    print_count(rows, count);
    enum haul_code code =
        buffer_printf(out, err, "%s: %zu tables of a server%s%s%s\n", path, listing->count,
                      rows >= 0 ? ", " : "", rows >= 0 ? count : "", rows >= 0 ? " rows" : "");
    for (size_t i = 0; code == HAUL_OK && i < listing->count; i++)
        code = buffer_printf(out, err, "  %s\n", listing->entries[i].name);
    return code;
}

enum haul_code report_tables(struct haul_job *job, bool *tables, char **report, struct haul_error *err)
{
    const char *path = settings_text(&job->settings, "source");
    struct manifest_listing listing = {0};
    struct buffer out = {0};
    json_error_t where;
    *tables = false;
    if (!path || strchr(path, '\n') || !manifest_is_named(path) || !path_exists(path))
        return HAUL_OK;
    enum haul_code code = manifest_read(path, &job->arena, &listing, err);
    *tables = code == HAUL_OK && listing.tables;
    if (*tables) {
        json_t *whole = json_load_file(path, 0, &where), *known = json_object_get(whole, "rows");
        int64_t rows = json_is_integer(known) ? (int64_t)json_integer_value(known) : -1;
        json_t *root = report_as_json(job) ? tables_json(&listing, rows) : NULL;
        if (report_as_json(job))
            code = (*report = root ? json_dumps(root, JSON_INDENT(2)) : NULL) ? HAUL_OK
                                                                              : error_nomem(err, "a report");
        else
            code = draw_tables(path, &listing, rows, &out, err);
        if (code == HAUL_OK && !report_as_json(job))
            code = report_take(&out, report, err);
        json_decref(root);
        json_decref(whole);
    }
    buffer_release(&out);
    manifest_listing_release(&listing);
    return code;
}

static json_t *schema_json(const struct schema *schema)
{
    json_t *columns = json_array();
    for (int i = 0; i < schema->count; i++) {
        char type[128];
        field_print_type(&schema->fields[i], type, sizeof type);
        json_array_append_new(columns, json_pack("{s:s, s:s, s:b, s:s?}", "name", schema->fields[i].name,
                                                 "type", type, "nullable", schema->fields[i].nullable,
                                                 "sql_type", schema->fields[i].sql_type));
    }
    return columns;
}

enum haul_code report_inspect(struct haul_job *job, struct source *source, const struct source_info *info,
                              char **report, struct haul_error *err)
{
    struct buffer out = {0};
    json_t *files = json_array();
    struct head head = {.rows = json_array()};
    enum haul_code code = each_file(job, source, files, &out, err);
    if (code == HAUL_OK)
        code = head_collect(job, source, &head, err);
    if (code == HAUL_OK && report_as_json(job)) {
        json_t *root = json_pack("{s:i, s:O, s:o, s:O}", "version", 1, "files", files, "schema",
                                 schema_json(&info->schema), "head", head.rows);
        *report = root ? json_dumps(root, JSON_INDENT(2)) : NULL;
        json_decref(root);
        code = *report ? HAUL_OK : error_nomem(err, "a report");
    } else if (code == HAUL_OK) {
        code = draw_schema(&info->schema, &out, err);
        if (code == HAUL_OK)
            code = draw_head(&info->schema, head.rows, &out, err);
        if (code == HAUL_OK)
            code = report_take(&out, report, err);
    }
    json_decref(files);
    json_decref(head.rows);
    buffer_release(&out);
    return code;
}
