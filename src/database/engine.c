/* engine.c: statements and small answers, the same for every database. */
#include "database/engine.h"

#include <stdlib.h>
#include <string.h>

void answer_release(struct answer *answer)
{
    buffer_release(&answer->cells);
    arena_release(&answer->arena);
    *answer = (struct answer){0};
}

enum haul_code answer_add(struct answer *answer, const char *text, struct haul_error *err)
{
    const char *kept = arena_text(&answer->arena, text);
    if (text && !kept)
        return error_nomem(err, "an answer");
    return buffer_append(&answer->cells, &kept, sizeof kept, err);
}

size_t answer_rows(const struct answer *answer)
{
    size_t cells = answer->cells.length / sizeof(const char *);
    return answer->columns > 0 ? cells / (size_t)answer->columns : 0;
}

const char *answer_cell(const struct answer *answer, size_t row, int column)
{
    const char *text;
    size_t place = row * (size_t)answer->columns + (size_t)column;
    memcpy(&text, answer->cells.data + place * sizeof text, sizeof text);
    return text;
}

const char *answer_text(const struct answer *answer, size_t row, int column)
{
    const char *text = answer_cell(answer, row, column);
    return text ? text : "";
}

int64_t answer_number(const struct answer *answer, size_t row, int column)
{
    return strtoll(answer_text(answer, row, column), NULL, 10);
}

bool answer_yes(const struct answer *answer, size_t row, int column)
{
    char first = answer_text(answer, row, column)[0];
    return first == '1' || first == 't';
}

/* ---- statements ---- */

enum haul_code engine_run(const struct engine *engine, void *connection, struct sql *sql, int64_t *changed,
                          struct haul_error *err)
{
    const char *text = sql_text(sql, err);
    enum haul_code code = text ? engine->run(connection, text, changed, err) : err->code;
    sql_release(sql);
    return code;
}

enum haul_code engine_ask(const struct engine *engine, void *connection, struct sql *sql,
                          struct answer *answer, struct haul_error *err)
{
    const char *text = sql_text(sql, err);
    *answer = (struct answer){0};
    enum haul_code code = text ? engine->ask(connection, text, answer, err) : err->code;
    sql_release(sql);
    return code;
}

enum haul_code engine_ask_number(const struct engine *engine, void *connection, struct sql *sql,
                                 int64_t *value, struct haul_error *err)
{
    struct answer answer;
    enum haul_code code = engine_ask(engine, connection, sql, &answer, err);
    *value = !code && answer_rows(&answer) ? answer_number(&answer, 0, 0) : 0;
    answer_release(&answer);
    return code;
}
