/*
 * answer.c: small questions go the same way as large tables: rows to a batch,
 * then to text. One decoder for everything is one to be tested.
 */
#include "database/mssql/answer.h"

#include "base/number.h"
#include "batch/view.h"
#include "database/mssql/rows.h"

void ms_answer_release(struct ms_answer *answer)
{
    arena_release(&answer->arena);
    *answer = (struct ms_answer){0};
}

/* To the columns of the first result; *found false when there is none. */
static enum haul_code find_columns(struct session *session, bool *found, struct haul_error *err)
{
    enum ms_event event = MS_DONE;
    while (event == MS_DONE)
        if (ms_next(session, &event, err))
            return err->code;
    *found = event == MS_COLUMNS;
    return HAUL_OK;
}

static enum haul_code keep_column(struct ms_answer *answer, const struct field *field,
                                  const struct ArrowArray *array, int column, struct haul_error *err)
{
    struct view view;
    struct buffer text = {0};
    enum haul_code code = view_init(&view, field, array, err);
    for (int64_t i = 0; !code && i < view.length; i++) {
        if (view_is_null(&view, i))
            continue;
        buffer_clear(&text);
        code = view_print(&view, i, &text, err);
        const char *kept = code ? NULL : arena_text_n(&answer->arena, (const char *)text.data, text.length);
        answer->cells[i * answer->columns + column] = kept;
        if (!code && !kept)
            code = error_nomem(err, "an answer");
    }
    buffer_release(&text);
    return code;
}

static enum haul_code keep(struct ms_answer *answer, const struct schema *schema, const struct batch *batch,
                           struct haul_error *err)
{
    answer->rows = batch->array.length;
    answer->cells = arena_alloc_array(&answer->arena, (size_t)answer->rows * (size_t)schema->count + 1,
                                      sizeof *answer->cells);
    if (!answer->cells)
        return error_nomem(err, "an answer");
    for (int i = 0; i < schema->count; i++)
        if (keep_column(answer, &schema->fields[i], batch->array.children[i], i, err))
            return err->code;
    return HAUL_OK;
}

static enum haul_code keep_types(struct ms_answer *answer, const struct schema *schema,
                                 struct haul_error *err)
{
    answer->columns = schema->count;
    answer->types = arena_alloc_array(&answer->arena, (size_t)schema->count + 1, sizeof *answer->types);
    bool complete = answer->types;
    for (int i = 0; complete && i < schema->count; i++) {
        const char *type = strchr(schema->fields[i].sql_type, ':');
        complete = (answer->types[i] = arena_text(&answer->arena, type ? type + 1 : ""));
    }
    return complete ? HAUL_OK : error_nomem(err, "an answer");
}

static enum haul_code read_rows(struct session *session, struct ms_rows *rows, struct schema *schema,
                                struct ms_answer *answer, struct haul_error *err)
{
    struct context context = session->context;
    struct batch batch = {0};
    context.memory = NULL; /* what the catalog says is no data */
    context.collector = NULL;
    if (ms_columns_schema(&session->columns, MOMENTS_MICRO, schema, err) || keep_types(answer, schema, err) ||
        ms_rows_open(rows, session, schema, &context, err) ||
        ms_rows_fill(rows, MS_ANSWER_ROWS_MAX, &batch, err))
        return err->code;
    enum haul_code code = batch.array.release ? keep(answer, schema, &batch, err) : HAUL_OK;
    batch_release(&batch);
    return code;
}

enum haul_code ms_ask(struct session *session, const char *sql, struct ms_answer *answer,
                      struct haul_error *err)
{
    struct ms_rows rows = {0};
    struct schema schema = {0};
    bool found = false;
    *answer = (struct ms_answer){0};
    if (ms_send_batch(session, sql, err) || find_columns(session, &found, err))
        return err->code;
    if (!found)
        return HAUL_OK;
    enum haul_code code = read_rows(session, &rows, &schema, answer, err);
    ms_rows_release(&rows);
    schema_release(&schema);
    if (session->answering)
        ms_cancel(session);
    if (code)
        ms_answer_release(answer);
    return code;
}

const char *ms_answer_text(const struct ms_answer *answer, int64_t row, int column)
{
    const char *cell =
        row < answer->rows && column < answer->columns ? answer->cells[row * answer->columns + column] : NULL;
    return cell ? cell : "";
}

int64_t ms_answer_number(const struct ms_answer *answer, int64_t row, int column)
{
    const char *text = ms_answer_text(answer, row, column);
    int64_t value;
    return number_parse_i64(text, strlen(text), &value) ? value : -1;
}
