/*
 * dependents.c: what hangs on a table, looked at before the table is touched.
 *
 * Replacing a table drops the old one: its triggers and its own foreign keys
 * would be gone, views and other tables' foreign keys would point at something
 * else. So that is refused, with a list. Emptying a table (truncate) loses
 * nothing, but its DELETE would run other tables' ON DELETE actions: refused too.
 *
 * Whether a view or trigger speaks of the table is found in its text, as a whole
 * word in any case. A comment that does counts as well: better refused once too
 * often.
 */
#include "database/sqlite/sink.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

static const char dependents_sql[] =
    "SELECT type, name, sql FROM sqlite_schema WHERE type IN ('view', 'trigger')"
    " UNION ALL SELECT DISTINCT 'foreign key of', m.name, NULL FROM sqlite_schema AS m,"
    " pragma_foreign_key_list(m.name) AS f WHERE m.type = 'table'"
    " AND (f.\"table\" = ?1 COLLATE NOCASE OR m.name = ?1 COLLATE NOCASE)";

static const char actions_sql[] =
    "SELECT DISTINCT 'ON DELETE ' || f.on_delete || ' of', m.name, NULL FROM sqlite_schema AS m,"
    " pragma_foreign_key_list(m.name) AS f WHERE m.type = 'table'"
    " AND f.\"table\" = ?1 COLLATE NOCASE AND f.on_delete <> 'NO ACTION'";

static bool is_word(char c)
{
    return isalnum((unsigned char)c) || c == '_';
}

static bool mentions(const char *sql, const char *name)
{
    size_t length = strlen(name);
    for (const char *at = sql; *at; at++)
        if ((at == sql || !is_word(at[-1])) && !strncasecmp(at, name, length) && !is_word(at[length]))
            return true;
    return false;
}

/* Rows of `query` (what, name, statement or NULL) as a list. */
static enum haul_code list(struct sqlite_sink *sink, const char *query, struct buffer *text,
                           struct haul_error *err)
{
    sqlite3_stmt *statement = NULL;
    bool row = true;
    if (sqlite_prepare(&sink->control, query, &statement, err))
        return err->code;
    sqlite3_bind_text(statement, 1, sink->table.name, -1, SQLITE_STATIC);
    enum haul_code code = HAUL_OK;
    while (!code && !(code = sqlite_step(&sink->control, statement, &row, err)) && row) {
        const char *sql = (const char *)sqlite3_column_text(statement, 2);
        if (!sql || mentions(sql, sink->table.name))
            code = buffer_printf(text, err, "%s%s \"%s\"", text->length ? ", " : "",
                                 sqlite3_column_text(statement, 0), sqlite3_column_text(statement, 1));
    }
    sqlite3_finalize(statement);
    return code;
}

enum haul_code sqlite_check_dependents(struct sqlite_sink *sink, struct haul_error *err)
{
    struct buffer text = {0};
    bool replace = sink->base.mode == SINK_REPLACE;
    enum haul_code code = list(sink, replace ? dependents_sql : actions_sql, &text, err);
    if (!code && text.length)
        code = error_set(err, HAUL_UNSUPPORTED, "%s: %s table \"%s\" would %s: %.*s; use --mode %s",
                         sink->base.place, replace ? "replacing" : "emptying", sink->table.name,
                         replace ? "lose or break" : "set off", (int)text.length, (const char *)text.data,
                         replace ? "truncate, which keeps the table"
                                 : "append, after deleting the rows yourself");
    buffer_release(&text);
    return code;
}
