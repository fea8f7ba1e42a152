/*
 * condition.c: --where is the user's own SQL, put between parentheses beside the
 * condition that cuts out a part. "1) OR (1" would end them and make every part
 * the whole table, so that rows came many times over. So parentheses must be
 * balanced, outside of strings, quoted names and comments; what else is wrong
 * SQLite tells.
 */
#include "database/sqlite/condition.h"

#include <string.h>

/* The end of the string, name or comment that begins at `at`; `at` itself when
 * none does. One without an end reaches to the end of the text. */
static const char *skip_quoted(const char *at)
{
    const char *end = NULL;
    if (*at == '\'' || *at == '"' || *at == '`')
        end = strchr(at + 1, *at); /* a doubled quote is two strings in a row */
    else if (*at == '[')
        end = strchr(at, ']');
    else if (at[0] == '-' && at[1] == '-')
        end = strchr(at, '\n');
    else if (at[0] == '/' && at[1] == '*') {
        end = strstr(at + 2, "*/");
        end = end ? end + 1 : NULL;
    } else
        return at;
    return end ? end + 1 : at + strlen(at);
}

enum haul_code sqlite_condition_check(const char *where, struct haul_error *err)
{
    int depth = 0;
    const char *at = where;
    while (*at && depth >= 0) {
        const char *next = skip_quoted(at);
        if (next == at) {
            depth += (*at == '(') - (*at == ')');
            if (*at == ';')
                depth = -1;
            next++;
        }
        at = next;
    }
    if (depth)
        return error_set(err, HAUL_USAGE, "--where \"%s\" is not one condition: its parentheses do not match",
                         where);
    return HAUL_OK;
}
