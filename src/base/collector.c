/*
 * collector.c: rejects and losses of one unit.
 *
 * Rejects are kept as copies in an arena, in the order they came; losses are
 * counted per (column, what) in a short list, because a unit has few different
 * ones. When no reject is allowed, the first one is the error itself, told with
 * all we know about the row; when some are, the limit counts what committed
 * units had plus what this unit has so far, so that a retried unit does not
 * count twice. The text of one unit's rejects is bounded by COLLECTOR_BYTES_MAX.
 */
#include "base/collector.h"
#include "base/unicode.h"
#include <stdio.h>
#include <string.h>

#define PLACE_BYTES       64
#define SHOWN_VALUE_BYTES 160 /* of a value in a message */
#define DESCRIPTION_BYTES 940 /* leaves room for the advice around it */

void collector_release(struct collector *collector)
{
    arena_release(&collector->arena);
    *collector = (struct collector){0};
}

void collector_reset(struct collector *collector)
{
    struct reject_limit *limit = collector->limit;
    collector_release(collector);
    collector->limit = limit;
}

bool collector_allows(const struct collector *collector, enum haul_code code)
{
    const struct reject_limit *limit = collector ? collector->limit : NULL;
    return limit && limit->max != 0 && !(code == HAUL_CONSTRAINT && limit->constraints_fatal);
}

static void place_print(const struct reject *reject, char *out)
{
    if (reject->part > 0)
        (void)snprintf(out, PLACE_BYTES, "row %lld of part %llu", (long long)reject->row + 1,
                       (unsigned long long)reject->part + 1);
    else
        (void)snprintf(out, PLACE_BYTES, "row %lld", (long long)reject->row + 1);
}

/* "line 17, column "c": not a number: 'abc'" */
static void reject_describe(const struct reject *reject, char *out)
{
    char place[PLACE_BYTES], value[SHOWN_VALUE_BYTES + 16] = "";
    place_print(reject, place);
    if (reject->value) {
        size_t shown = unicode_cut((const uint8_t *)reject->value, reject->value_length, SHOWN_VALUE_BYTES);
        (void)snprintf(value, sizeof value, ": '%.*s'%s", (int)shown, reject->value,
                       shown < reject->value_length ? "..." : "");
    }
    const char *name = reject->column;
    (void)snprintf(out, DESCRIPTION_BYTES, "%.200s%s%.200s%s: %.300s%s",
                   reject->place && *reject->place ? reject->place : place, name ? ", column \"" : "",
                   name ? name : "", name ? "\"" : "", reject->reason, value);
}

static enum haul_code text_keep(struct arena *arena, const char **text, size_t length, struct haul_error *err)
{
    if (!*text)
        return HAUL_OK;
    if (arena->bytes + length > COLLECTOR_BYTES_MAX)
        return error_set(
            err, HAUL_REJECTS,
            "the refused rows of one unit need more than %zu MiB; set --max-errors to a number, or mend "
            "the source",
            COLLECTOR_BYTES_MAX >> 20);
    *text = arena_text_n(arena, *text, length);
    return *text ? HAUL_OK : error_nomem(err, "a refused row");
}

static enum haul_code reject_keep(struct collector *collector, const struct reject *reject,
                                  struct haul_error *err)
{
    struct arena *arena = &collector->arena;
    struct reject_node *node = arena_alloc(arena, sizeof *node);
    if (!node)
        return error_nomem(err, "a refused row");
    node->reject = *reject;
    struct reject *kept = &node->reject;
    kept->line = NULL;
    kept->line_length = 0;
    kept->told = true;
    char place[PLACE_BYTES];
    place_print(reject, place);
    if (!kept->place || !*kept->place)
        kept->place = place;
    if (!kept->value)
        kept->value_length = 0;
    kept->value_length = unicode_cut((const uint8_t *)kept->value, kept->value_length, COLLECTOR_VALUE_BYTES);
    enum haul_code code = text_keep(arena, &kept->place, strlen(kept->place), err);
    if (!code && kept->column)
        code = text_keep(arena, &kept->column, strlen(kept->column), err);
    if (!code)
        code = text_keep(arena, &kept->reason, strlen(kept->reason), err);
    if (!code)
        code = text_keep(arena, &kept->value, kept->value_length, err);
    if (code)
        return code;
    if (collector->rejects_last)
        collector->rejects_last->next = node;
    else
        collector->rejects = node;
    collector->rejects_last = node;
    collector->reject_count++;
    return HAUL_OK;
}

static void reject_tell(const struct reject_limit *limit, const struct reject *reject)
{
    char place[PLACE_BYTES];
    struct reject named = *reject;
    place_print(reject, place);
    if (!named.place || !*named.place)
        named.place = place;
    limit->tell(limit->tell_user, &named);
}

enum haul_code collector_reject(struct collector *collector, enum haul_code code, const struct reject *reject,
                                struct haul_error *err)
{
    struct reject_limit *limit = collector ? collector->limit : NULL;
    char text[DESCRIPTION_BYTES];
    if (limit && limit->tell && !reject->told)
        reject_tell(limit, reject);
    if (!collector_allows(collector, code)) {
        const bool possible = !(limit && limit->constraints_fatal && code == HAUL_CONSTRAINT);
        reject_describe(reject, text);
        return error_set(err, code, "%s%s", text,
                         possible ? " (use --max-errors N --reject-file FILE to set such rows aside)" : "");
    }
    long long so_far = atomic_load(&limit->finished) + collector->reject_count;
    if (limit->max < 0 || so_far < limit->max)
        return reject_keep(collector, reject, err);
    reject_describe(reject, text);
    return error_set(err, HAUL_REJECTS, "more than --max-errors %lld rows were refused; the last: %s",
                     (long long)limit->max, text);
}

/* What stands in `what` is a thing of the value's ("offset"), one with its own article, or a sentence. */
void loss_print(const char *what, int64_t count, bool would, char out[LOSS_TEXT_BYTES])
{
    static const char *const articles[] = {"the ", "a ", "where "}, *const sentences[] = {"NaN", "taken "};
    const char *owner = count == 1 ? "its " : "their ", *verb = would ? " would lose " : " lost ";
    for (size_t i = 0; i < sizeof articles / sizeof *articles; i++)
        if (strncmp(what, articles[i], strlen(articles[i])) == 0)
            owner = "";
    for (size_t i = 0; i < sizeof sentences / sizeof *sentences; i++)
        if (strncmp(what, sentences[i], strlen(sentences[i])) == 0)
            owner = "", verb = ": ";
    (void)snprintf(out, LOSS_TEXT_BYTES, "%lld value%s%s%s%.80s", (long long)count, count == 1 ? "" : "s",
                   verb, owner, what);
}

static enum haul_code fail_strict(const char *column, const char *what, int64_t count, struct haul_error *err)
{
    char text[LOSS_TEXT_BYTES];
    loss_print(what, count, true, text);
    return error_set(err, HAUL_VALUE, "column \"%s\": %s (--strict)", column, text);
}

enum haul_code collector_loss(struct collector *collector, const char *column, const char *what,
                              int64_t count, struct haul_error *err)
{
    if (count <= 0)
        return HAUL_OK;
    if (collector->limit && collector->limit->strict)
        return fail_strict(column, what, count, err);
    collector->loss_count += count;
    for (struct loss *loss = collector->losses; loss; loss = loss->next) {
        if (strcmp(loss->what, what) == 0 && strcmp(loss->column, column) == 0) {
            loss->count += count;
            return HAUL_OK;
        }
    }
    struct loss *loss = arena_alloc(&collector->arena, sizeof *loss);
    if (!loss)
        return error_nomem(err, "the count of losses");
    *loss = (struct loss){arena_text(&collector->arena, column), what, count, collector->losses};
    if (!loss->column)
        return error_nomem(err, "the count of losses");
    collector->losses = loss;
    return HAUL_OK;
}
