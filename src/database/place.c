/*
 * place.c: bad rows are found by loading less.
 *
 * A window of rows is loaded behind a savepoint. When the server refuses it, the
 * savepoint takes the window back. If the message says which row it was, that one is
 * set aside and the window loaded again without it. If not, the row is found by
 * halving: a half that goes in stays in while the other is tried, because what is
 * refused may be the second of two rows with one key, and neither half is bad alone.
 * Then all of it is taken back and the window loaded without the row.
 *
 * The first window is the whole batch. After a refusal windows are small, so that
 * a bad row costs few good ones a second journey, and double while they go in.
 * They are not smaller than WINDOW_ROWS because each that goes in holds an entry
 * of a server's lock table until the unit commits.
 */
#include "database/place.h"

#include <string.h>

#define WINDOW_ROWS 512
#define WINDOW      "haul"
#define HALF        "haul_half"

struct window {
    int64_t start, end;
};

/* ---- savepoints ---- */

static enum haul_code run_on(struct place *place, const char *before, const char *savepoint,
                             struct haul_error *err)
{
    const struct engine *engine = place->sink->engine;
    struct sql sql = {.dialect = engine->dialect};
    sql_add(&sql, "%s%s", before, savepoint);
    return engine_run(engine, place->session, &sql, NULL, err);
}

static enum haul_code release(struct place *place, const char *savepoint, struct haul_error *err)
{
    const char *word = place->sink->engine->release;
    return word ? run_on(place, word, savepoint, err) : HAUL_OK;
}

/* `why` is what the server refused; NULL: nothing. */
static enum haul_code take_back(struct place *place, const char *savepoint, const struct haul_error *why,
                                struct haul_error *err)
{
    if (place->ops->forget)
        place->ops->forget(place);
    if (why && place->ops->lost && place->ops->lost(place)) {
        *err = *why;
        return error_prefix(err, "the refusal of a row took the unit with it");
    }
    if (run_on(place, place->sink->engine->rollback_to, savepoint, err))
        return err->code;
    return release(place, savepoint, err);
}

/* ---- a load ---- */

enum haul_code place_check_rows(const struct place *place, int64_t taken, int64_t sent,
                                struct haul_error *err)
{
    if (taken == sent)
        return HAUL_OK;
    return error_set(err, HAUL_INTEGRITY, "%s: table \"%s\" took %lld of %lld rows; a trigger left some out",
                     place->sink->place, place->sink->work, (long long)taken, (long long)sent);
}

/* The window's rows that were not refused, behind the savepoint. */
static enum haul_code load(struct place *place, const struct batch *batch, const struct window *window,
                           const char *savepoint, int64_t *rows, struct haul_error *err)
{
    int64_t taken = 0;
    *rows = 0;
    if (run_on(place, place->sink->engine->savepoint, savepoint, err) || place->ops->begin(place, batch, err))
        return err->code;
    for (int64_t i = window->start; i < window->end; i++) {
        bool refused = bit_get(place->refused.data, i);
        if (!refused && place->ops->row(place, batch, i, &refused, err))
            return err->code;
        if (refused)
            bit_set(place->refused.data, i);
        *rows += !refused;
    }
    return place->ops->end(place, &taken, err) ? err->code : place_check_rows(place, taken, *rows, err);
}

/* ---- a bad row ---- */

/* The row of the batch that the server's message names; -1 when it names none of them. */
static int64_t row_named(struct place *place, const struct window *window, const struct haul_error *why)
{
    int64_t line = place->ops->line ? place->ops->line(place, why) : 0;
    for (int64_t i = window->start; i < window->end && line > 0; i++) {
        line -= !bit_get(place->refused.data, i);
        if (line == 0)
            return i;
    }
    return -1;
}

/* Loads `part` after all that is in; *why is zero when it goes in. */
static enum haul_code try_part(struct place *place, const struct batch *batch, const struct window *part,
                               struct haul_error *why, struct haul_error *err)
{
    int64_t rows;
    *why = (struct haul_error){0};
    if (!load(place, batch, part, HALF, &rows, why))
        return HAUL_OK;
    if (place->ops->is_row_error(why))
        return take_back(place, HALF, why, err);
    *err = *why;
    return err->code;
}

/* Leaves in what went in on the way. */
static enum haul_code halve(struct place *place, const struct batch *batch, struct window window,
                            struct haul_error *why, int64_t *row, struct haul_error *err)
{
    struct haul_error said;
    while (*row < 0 && window.end - window.start > 1) {
        struct window first = {window.start, window.start + (window.end - window.start) / 2};
        if (try_part(place, batch, &first, &said, err))
            return err->code;
        if (said.code) {
            *why = said;
            *row = row_named(place, &first, why);
            window = first;
        } else {
            window.start = first.end;
        }
    }
    if (*row >= 0)
        return HAUL_OK;
    if (try_part(place, batch, &window, &said, err))
        return err->code;
    if (!said.code)
        return error_set(err, why->code, "no row alone is to blame: %s", why->message);
    *why = said;
    *row = window.start;
    return HAUL_OK;
}

/* The row that made the window fail with *why, which becomes that row's own. */
static enum haul_code find_row(struct place *place, const struct batch *batch, const struct window *window,
                               struct haul_error *why, int64_t *row, struct haul_error *err)
{
    *row = row_named(place, window, why);
    if (*row >= 0)
        return HAUL_OK;
    if (run_on(place, place->sink->engine->savepoint, WINDOW, err) ||
        halve(place, batch, *window, why, row, err))
        return err->code;
    return take_back(place, WINDOW, NULL, err);
}

static enum haul_code set_aside(struct place *place, const struct batch *batch, int64_t row,
                                const struct haul_error *why, struct haul_error *err)
{
    char name[BATCH_ROW_NAME_BYTES];
    batch_row_name(batch, row, name);
    const struct reject reject = {.part = batch->part,
                                  .row = batch_place(batch, row),
                                  .place = name[0] ? name : NULL,
                                  .reason = place->ops->said(place, why)};
    bit_set(place->refused.data, row);
    if (collector_reject(place->collector, why->code, &reject, err)) {
        memcpy(err->sqlstate, why->sqlstate, sizeof err->sqlstate);
        err->vendor_code = why->vendor_code;
    }
    return err->code;
}

/* ---- windows ---- */

/* Puts the window in, or sets its bad row aside: then *in is false. */
static enum haul_code place_window(struct place *place, const struct batch *batch,
                                   const struct window *window, bool *in, struct haul_error *err)
{
    struct haul_error why = {0};
    int64_t rows = 0, row = -1;
    *in = !load(place, batch, window, WINDOW, &rows, &why);
    if (*in) {
        place->rows += rows;
        if (place->ops->keep && place->ops->keep(place, err))
            return err->code;
        return release(place, WINDOW, err);
    }
    if (!place->ops->is_row_error(&why)) {
        *err = why;
        return err->code;
    }
    if (take_back(place, WINDOW, &why, err) || find_row(place, batch, window, &why, &row, err))
        return err->code;
    return set_aside(place, batch, row, &why, err);
}

enum haul_code place_batch(struct place *place, const struct batch *batch, struct haul_error *err)
{
    int64_t length = batch->array.length, step = length;
    struct window window = {0, length};
    buffer_clear(&place->refused);
    if (buffer_resize(&place->refused, (size_t)length / 8 + 1, err))
        return err->code;
    while (window.start < length) {
        bool in;
        if (place_window(place, batch, &window, &in, err))
            return err->code;
        if (in) {
            window.start = window.end;
            step *= 2;
        } else {
            step = WINDOW_ROWS;
        }
        step = step < length ? step : length;
        window.end = window.start + step < length ? window.start + step : length;
    }
    return HAUL_OK;
}
