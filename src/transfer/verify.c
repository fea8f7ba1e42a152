/*
 * verify.c: do two sources hold the same rows?
 *
 * Both are read whole, by as many threads as there are workers, and hashed: a
 * sum over rows, which says whether they are equal whatever their order, and a
 * sum for each column, which names the ones that differ. Nothing is cast: the
 * canonical form (docs/canonical.md) makes int32 and int64 of one value equal,
 * and texts of any layout. What it keeps apart is what is another value: a
 * decimal with another scale, a timestamp as text.
 *
 * Columns are matched by name; when both sides have the same names in another
 * order, the second side's are put in the first's order before a row is hashed.
 * A column that only one side has is a difference.
 *
 * Sums that were kept when the rows were written (a manifest's, a summary's) can
 * stand for the first side: then there is no sum per column, and the report cannot
 * name them. A summary does not know the columns' names either: the second side's
 * are hashed in their own order.
 */
#include "transfer/verify.h"
#include "batch/hash.h"
#include "transfer/transfer.h"
#include <jansson.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#define DIFFERENCES_MAX 4096

void verified_release(struct verified *verified)
{
    source_info_release(&verified->info);
    free(verified->columns);
    *verified = (struct verified){0};
}

/* ---- one side ---- */

struct reading {
    struct source *source;
    const struct context *context;
    struct verified *into;
    const struct schema *schema; /* in the order rows are hashed */
    const int *places;           /* of its columns in the source; NULL: as they are */
    const struct plan *parts;
    pthread_mutex_t mutex;
    uint64_t next_part;
    struct haul_error failure;
};

struct verifier {
    struct reading *reading;
    struct context context;
    struct collector collector;
    struct memory *share;
    struct hasher hasher;
    struct hash128 sum;
    int64_t rows;
    void **children; /* room to reorder a batch's columns */
    pthread_t thread;
    bool started;
};

/* The children change places and change back: whoever releases them sees no difference. */
static enum haul_code batch_hash(struct verifier *verifier, struct batch *batch, struct haul_error *err)
{
    const struct reading *reading = verifier->reading;
    struct hash128 sum;
    struct ArrowArray **own = batch->array.children;
    const struct schema *schema = batch->schema;
    if (reading->places) {
        for (int i = 0; i < reading->schema->count; i++)
            verifier->children[i] = own[reading->places[i]];
        batch->array.children = (struct ArrowArray **)verifier->children;
        batch->schema = reading->schema;
    }
    enum haul_code code = hash_batch(&verifier->hasher, batch, &sum, err);
    batch->array.children = own;
    batch->schema = schema;
    if (code)
        return code;
    verifier->sum = hash_add(verifier->sum, sum);
    verifier->rows += batch->array.length;
    return HAUL_OK;
}

static enum haul_code part_hash(struct verifier *verifier, const struct part *part, struct haul_error *err)
{
    struct source *source = verifier->reading->source;
    struct reader *reader = NULL;
    if (source->ops->open(source, &verifier->context, part, 0, &reader, err))
        return err->code;
    enum haul_code code = HAUL_OK;
    for (bool end = false; !code && !end;) {
        struct batch batch = {0};
        code = context_check(&verifier->context, err);
        if (!code)
            code = reader->ops->next(reader, BATCH_ROWS, &batch, &end, err);
        if (!code && !end)
            code = batch_hash(verifier, &batch, err);
        batch_release(&batch);
    }
    reader->ops->close(reader);
    return code;
}

static bool part_take(struct reading *reading, uint64_t *index)
{
    pthread_mutex_lock(&reading->mutex);
    bool taken = !reading->failure.code && reading->next_part < reading->parts->part_count;
    if (taken)
        *index = reading->next_part++;
    pthread_mutex_unlock(&reading->mutex);
    return taken;
}

static void *verifier_main(void *user)
{
    struct verifier *verifier = user;
    struct reading *reading = verifier->reading;
    struct haul_error err = {0};
    uint64_t index;
    enum haul_code code = HAUL_OK;
    while (!code && part_take(reading, &index))
        code = part_hash(verifier, &reading->parts->parts[index], &err);
    pthread_mutex_lock(&reading->mutex);
    if (code && !reading->failure.code)
        reading->failure = err;
    pthread_mutex_unlock(&reading->mutex);
    return NULL;
}

static enum haul_code verifier_open(struct verifier *verifier, struct reading *reading,
                                    struct haul_error *err)
{
    verifier->reading = reading;
    verifier->context = *reading->context;
    verifier->context.collector = &verifier->collector;
    if (memory_share(reading->context->memory, &verifier->share, err))
        return err->code;
    verifier->context.memory = verifier->share;
    verifier->children = calloc((size_t)reading->schema->count + 1, sizeof *verifier->children);
    if (!verifier->children)
        return error_nomem(err, "the verification");
    return hasher_init(&verifier->hasher, reading->schema, true, verifier->share, err);
}

static void verifier_close(struct verifier *verifier)
{
    struct verified *into = verifier->reading ? verifier->reading->into : NULL;
    if (into) {
        into->rows += verifier->rows;
        into->hash = hash_add(into->hash, verifier->sum);
        for (int i = 0; verifier->hasher.columns && i < verifier->reading->schema->count; i++)
            into->columns[i] = hash_add(into->columns[i], verifier->hasher.columns[i]);
    }
    hasher_release(&verifier->hasher);
    collector_release(&verifier->collector);
    free(verifier->children);
    memory_close(verifier->share);
}

static enum haul_code verifiers_run(struct reading *reading, int workers, struct haul_error *err)
{
    struct verifier *verifiers = calloc((size_t)workers, sizeof *verifiers);
    if (!verifiers)
        return error_nomem(err, "the verification");
    enum haul_code code = HAUL_OK;
    for (int i = 0; !code && i < workers; i++)
        code = verifier_open(&verifiers[i], reading, err);
    for (int i = 1; !code && i < workers; i++)
        verifiers[i].started = pthread_create(&verifiers[i].thread, NULL, verifier_main, &verifiers[i]) == 0;
    if (!code)
        (void)verifier_main(&verifiers[0]); /* the calling thread is one of them */
    for (int i = 1; i < workers; i++)
        if (verifiers[i].started)
            pthread_join(verifiers[i].thread, NULL);
    for (int i = 0; i < workers; i++)
        verifier_close(&verifiers[i]);
    free(verifiers);
    if (!code && reading->failure.code) {
        *err = reading->failure;
        code = err->code;
    }
    return code;
}

static enum haul_code parts_split(struct source *source, int threads, struct plan *parts,
                                  struct haul_error *err)
{
    const struct split_request request = {
        .part_rows = 1048576, .part_bytes = (int64_t)64 << 20, .threads = threads};
    bool more = true;
    if (!source->ops->split) {
        struct part all = {.spec = arena_text(&parts->arena, "all"), .rows = -1, .bytes = -1};
        return all.spec ? plan_add(parts, &all, err) : error_nomem(err, "the parts");
    }
    for (;;) {
        struct part part = {.rows = -1, .bytes = -1};
        if (source->ops->split(source, &request, &parts->arena, &part, &more, err))
            return err->code;
        if (!more)
            return HAUL_OK;
        if (plan_add(parts, &part, err))
            return err->code;
    }
}

enum haul_code verify_read(const struct context *context, struct source *source, int workers,
                           const struct verify_order *order, struct verified *into, struct haul_error *err)
{
    struct plan parts = {0};
    const struct schema *schema = order ? order->schema : &into->info.schema;
    into->columns = calloc((size_t)schema->count + 1, sizeof *into->columns);
    if (!into->columns)
        return error_nomem(err, "the verification");
    struct reading reading = {.source = source,
                              .context = context,
                              .into = into,
                              .schema = schema,
                              .places = order ? order->places : NULL,
                              .parts = &parts};
    pthread_mutex_init(&reading.mutex, NULL);
    enum haul_code code = parts_split(source, workers, &parts, err);
    int most = into->info.splits_max;
    workers = most > 0 && most < workers ? most : workers;
    workers = parts.part_count < (uint64_t)workers ? (int)parts.part_count : workers;
    bool begun = !code && source->ops->begin;
    if (begun)
        code = source->ops->begin(source, workers, err);
    if (!code)
        code = verifiers_run(&reading, workers, err);
    if (begun && source->ops->end)
        source->ops->end(source);
    pthread_mutex_destroy(&reading.mutex);
    plan_release(&parts);
    return code;
}

/* ---- both sides ---- */

static bool append_text(json_t *array, const char *text)
{
    json_t *value = json_string(text);
    return value && json_array_append_new(array, value) == 0;
}

/* Names one column and how its types read. */
static bool append_difference(json_t *differs, const struct field *a, const struct field *b, const char *what)
{
    char a_type[96] = "", b_type[96] = "", text[512];
    if (json_array_size(differs) >= DIFFERENCES_MAX)
        return true;
    if (a)
        field_print_type(a, a_type, sizeof a_type);
    if (b)
        field_print_type(b, b_type, sizeof b_type);
    if (a && b && strcmp(a_type, b_type) != 0)
        (void)snprintf(text, sizeof text, "%.200s%s (%s and %s)", a->name, what, a_type, b_type);
    else
        (void)snprintf(text, sizeof text, "%.200s%s", a ? a->name : b->name, what);
    return append_text(differs, text);
}

static bool compare_columns(const struct verified *a, const struct verified *b,
                            const struct verify_order *order, json_t *differs)
{
    const struct schema *x = &a->info.schema, *y = &b->info.schema;
    bool done = true;
    if (!a->columns && x->count == 0)
        return true;
    for (int i = 0; done && i < x->count; i++) {
        int place = schema_find(y, x->fields[i].name);
        if (place < 0)
            done = append_difference(differs, &x->fields[i], NULL, " (only in the source)");
        else if (a->columns && !hash_equal(a->columns[i], b->columns[order ? i : place]))
            done = append_difference(differs, &x->fields[i], &y->fields[place], "");
    }
    for (int i = 0; done && i < y->count; i++)
        if (schema_find(x, y->fields[i].name) < 0)
            done = append_difference(differs, NULL, &y->fields[i], " (only in the target)");
    return done;
}

static json_t *side_json(const struct verified *side)
{
    char hash[HASH_TEXT_BYTES];
    hash_print(side->hash, hash);
    return json_pack("{s:I, s:s}", "rows", (json_int_t)side->rows, "hash", hash);
}

static enum haul_code report_print(const struct verified *a, const struct verified *b,
                                   const struct verify_order *order, bool *equal, char **json,
                                   struct haul_error *err)
{
    json_t *root = json_object(), *differs = json_array();
    bool done = root && differs && compare_columns(a, b, order, differs);
    *equal = done && json_array_size(differs) == 0 && a->rows == b->rows && hash_equal(a->hash, b->hash);
    if (done && !*equal && json_array_size(differs) == 0)
        done = append_text(differs, a->rows != b->rows ? "rows: their number"
                                    : a->columns
                                        ? "rows: the values of different rows are exchanged"
                                        : "values: compare with the source itself to see of which columns");
    done = done && json_object_set_new(root, "source", side_json(a)) == 0 &&
           json_object_set_new(root, "target", side_json(b)) == 0 &&
           json_object_set_new(root, "equal", json_boolean(*equal)) == 0 &&
           json_object_set(root, "differs", differs) == 0;
    *json = done ? json_dumps(root, JSON_INDENT(1)) : NULL;
    json_decref(differs);
    json_decref(root);
    return *json ? HAUL_OK : error_nomem(err, "the report");
}

/* When b has a's names in another order: b's columns in a's order. */
static enum haul_code order_make(const struct schema *a, const struct schema *b, struct schema *ordered,
                                 int *places, bool *needed, struct haul_error *err)
{
    const char **names = calloc((size_t)a->count + 1, sizeof *names);
    if (!names)
        return error_nomem(err, "the verification");
    *needed = false;
    bool same = a->count == b->count;
    for (int i = 0; same && i < a->count; i++) {
        names[i] = a->fields[i].name;
        int place = schema_find(b, names[i]);
        same = place >= 0 && schema_find(a, names[i]) == i;
        *needed = *needed || place != i;
    }
    *needed = *needed && same;
    enum haul_code code = *needed ? schema_select(b, names, a->count, ordered, places, err) : HAUL_OK;
    free(names);
    return code;
}

static enum haul_code describe_both(const struct verify_request *request, struct verified sides[2],
                                    struct haul_error *err)
{
    struct source *const sources[2] = {request->a, request->b};
    for (int i = 0; i < 2; i++) {
        if (sources[i] && sources[i]->ops->describe(sources[i], &sides[i].info, err)) {
            err->side = i == 0 ? HAUL_SIDE_SOURCE : HAUL_SIDE_TARGET;
            return err->code;
        }
    }
    if (sources[0])
        return HAUL_OK;
    sides[0].rows = request->stored->rows;
    sides[0].hash = request->stored->hash;
    return schema_copy(&request->stored->schema, &sides[0].info.schema, err);
}

static enum haul_code verify_both(const struct context *context, const struct verify_request *request,
                                  struct verified sides[2], int workers, char **json, struct haul_error *err)
{
    struct source *const sources[2] = {request->a, request->b};
    struct verify_order order = {0};
    struct schema ordered = {0};
    bool needed = false, equal = false;
    if (describe_both(request, sides, err))
        return err->code;
    order.schema = &ordered;
    order.places = calloc((size_t)sides[0].info.schema.count + 1, sizeof *order.places);
    enum haul_code code = order.places ? HAUL_OK : error_nomem(err, "the verification");
    if (!code)
        code = order_make(&sides[0].info.schema, &sides[1].info.schema, &ordered, order.places, &needed, err);
    for (int i = 0; !code && i < 2; i++) {
        if (!sources[i])
            continue;
        code = verify_read(context, sources[i], workers, i == 1 && needed ? &order : NULL, &sides[i], err);
        if (code && err->side == HAUL_SIDE_NONE)
            err->side = i == 0 ? HAUL_SIDE_SOURCE : HAUL_SIDE_TARGET;
    }
    if (!code)
        code = report_print(&sides[0], &sides[1], needed ? &order : NULL, &equal, json, err);
    if (!code && !equal)
        code = error_set(err, HAUL_INTEGRITY, "source and target differ: %lld and %lld rows",
                         (long long)sides[0].rows, (long long)sides[1].rows);
    free(order.places);
    schema_release(&ordered);
    return code;
}

enum haul_code transfer_verify(struct context *context, const struct verify_request *request, char **json,
                               struct haul_error *err)
{
    struct memory_plan plan;
    struct memory *memory = NULL;
    struct verified sides[2] = {0};
    struct context own = *context;
    *json = NULL;
    if (memory_plan_make(context->settings, &plan, err))
        return err->code;
    if (!own.memory && memory_open(&memory, (size_t)plan.bytes_max, plan.workers, err))
        return err->code;
    if (!own.memory)
        own.memory = memory;
    enum haul_code code = verify_both(&own, request, sides, plan.workers, json, err);
    verified_release(&sides[0]);
    verified_release(&sides[1]);
    memory_close(memory);
    return code;
}
