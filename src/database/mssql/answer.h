/* answer.h: the whole answer to a small question, as text. */
#ifndef HAUL_DATABASE_MSSQL_ANSWER_H
#define HAUL_DATABASE_MSSQL_ANSWER_H

#include "database/mssql/session.h"

#define MS_ANSWER_ROWS_MAX 200000

struct ms_answer {
    const char **cells; /* row by row; NULL for NULL */
    const char **types; /* of each column, as SQL Server writes it */
    int columns;        /* 0: there was no result */
    int64_t rows;
    struct arena arena;
};
void ms_answer_release(struct ms_answer *answer);

/* The first result of `sql`. */
enum haul_code ms_ask(struct session *session, const char *sql, struct ms_answer *answer,
                      struct haul_error *err);

const char *ms_answer_text(const struct ms_answer *answer, int64_t row, int column); /* "" for NULL */
int64_t ms_answer_number(const struct ms_answer *answer, int64_t row, int column);   /* -1 for NULL */

#endif
