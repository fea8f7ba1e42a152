/*
 * decide.c: what to do about what is remembered of a run. The rows of the table
 * "Deciding" in docs/unit.md, in its order; the first that fits decides.
 */
#include "transfer/decide.h"

static enum haul_code start_over(const struct found *found, const char *reason, enum decision *decision,
                                 const char **why, struct haul_error *err)
{
    if (found->append)
        return error_set(
            err, HAUL_CHANGED,
            "run %s is unfinished and cannot go on: %s; what it appended is still in the target. "
            "--static-source promises that the rows are the same; --restart forgets the run and appends "
            "from the first row",
            found->run, reason);
    *decision = DECIDE_START_OVER;
    *why = reason;
    return HAUL_OK;
}

enum haul_code decide(const struct found *found, enum decision *decision, const char **why,
                      struct haul_error *err)
{
    *why = NULL;
    *decision = DECIDE_NEW;
    if (!found->any)
        return HAUL_OK;
    if (found->finished && !found->named)
        return HAUL_OK;
    if (found->restart) {
        *decision = found->finished ? DECIDE_NEW : DECIDE_START_OVER;
        *why = "--restart was given";
        return HAUL_OK;
    }
    if (!found->same_job)
        return error_set(
            err, HAUL_CHANGED,
            "run %s is another job (other source, target or options); use another --run name, or "
            "--restart to discard it",
            found->run);
    if (found->finished && found->absent)
        return error_set(
            err, HAUL_CHANGED,
            "run %s was finished, but its target is no longer there; use another --run name, or --restart "
            "to do it again",
            found->run);
    if (found->finished && found->other_target)
        return error_set(
            err, HAUL_CHANGED,
            "run %s was finished, but its target was dropped and made again, or altered, since; use another "
            "--run name, or --restart to do it again",
            found->run);
    if (found->finished) {
        *decision = DECIDE_COMPLETE;
        return HAUL_OK;
    }
    if (!found->can_continue)
        return start_over(found, "its source cannot be read a second time", decision, why, err);
    if (!found->same_columns)
        return start_over(found, "the source has other columns now", decision, why, err);
    if (!found->same_source && !found->static_source)
        return start_over(found, "the source has changed since", decision, why, err);
    *decision = DECIDE_CONTINUE;
    return HAUL_OK;
}
