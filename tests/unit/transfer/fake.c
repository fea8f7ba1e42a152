/* fake.c: see fake.h. Rows are (id int64, name utf8 "row ID"). */
#include "fake.h"
#include "base/clock.h"
#include "base/file.h"
#include "batch/builder.h"
#include <ftw.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

struct world *world_new(void)
{
    struct world *world =
        mmap(NULL, sizeof *world, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (world == MAP_FAILED)
        abort();
    world->rows = 1000;
    world->part_rows = 300;
    world->replayable = true;
    world->source_fail_at = -1;
    world->part_rows_wish = world->part_bytes_wish = -1;
    (void)snprintf(world->identity, sizeof world->identity, "v1");
    return world;
}

void world_free(struct world *world)
{
    munmap(world, sizeof *world);
}

/* Held while a commit is applied: nobody dies in the middle of one. */
static pthread_mutex_t commit_mutex = PTHREAD_MUTEX_INITIALIZER;

/* Each call outside counts as a step; a world may end the process at one. */
static int step(struct world *world)
{
    int at = atomic_fetch_add(&world->steps, 1) + 1;
    if (at == world->die_at) {
        pthread_mutex_lock(&commit_mutex);
        (void)kill(getpid(), SIGKILL);
    }
    if (at == world->cancel_at && world->cancel)
        atomic_store(world->cancel, 1);
    return at;
}

/* ---- source ---- */

struct fake_source {
    struct source source;
    struct world *world;
    int64_t split_at;
};

struct fake_reader {
    struct reader reader;
    struct world *world;
    struct context context;
    struct schema schema;
    uint64_t part;
    int64_t row, from, to; /* row of the part; source rows of the part */
    bool broken;           /* has failed: a new one is needed */
};

static enum haul_code schema_make(struct schema *schema, struct haul_error *err)
{
    if (schema_init(schema, 2, err))
        return err->code;
    schema->fields[0] = (struct field){.name = arena_text(&schema->arena, "id"), .type = TYPE_INT64};
    schema->fields[1] =
        (struct field){.name = arena_text(&schema->arena, "name"), .type = TYPE_UTF8, .nullable = true};
    return schema->fields[0].name && schema->fields[1].name ? HAUL_OK : error_nomem(err, "a schema");
}

static enum haul_code source_describe(struct source *source, struct source_info *info, struct haul_error *err)
{
    struct world *world = ((struct fake_source *)source)->world;
    info->table = "fake";
    info->rows = world->rows_unknown ? -1 : world->rows;
    info->rows_exact = !world->rows_unknown;
    info->bytes = world->rows * 20;
    info->order_fixed = !world->unordered;
    info->replayable = world->replayable;
    info->splits_max = world->one_part ? 1 : 0;
    info->identity = world->identity;
    info->consistency = "file";
    return schema_make(&info->schema, err);
}

static enum haul_code source_split(struct source *source, const struct split_request *request,
                                   struct arena *arena, struct part *part, bool *more, struct haul_error *err)
{
    struct fake_source *self = (struct fake_source *)source;
    struct world *world = self->world;
    (void)request;
    int64_t at = self->split_at, size = world->one_part ? world->rows : world->part_rows;
    *more = at == 0 || at < world->rows;
    if (!*more)
        return HAUL_OK;
    int64_t count = world->rows - at < size ? world->rows - at : size;
    part->spec = arena_printf(arena, "%lld %lld", (long long)at, (long long)(at + count));
    part->rows = world->rows_unknown ? -1 : count;
    part->bytes = world->rows_unknown ? -1 : count * 20;
    self->split_at = at + count > 0 ? at + count : 1;
    return part->spec ? HAUL_OK : error_nomem(err, "a part");
}

static enum haul_code row_append(struct fake_reader *self, struct batch_builder *builder, int64_t id,
                                 struct haul_error *err)
{
    char name[32];
    int length = snprintf(name, sizeof name, "row %lld", (long long)id);
    (void)self;
    if (builder_append_i64(&builder->columns[0], id, err))
        return err->code;
    if (id % 7 == 3)
        return builder_append_null(&builder->columns[1], err);
    return builder_append_bytes(&builder->columns[1], name, (size_t)length, err);
}

static enum haul_code source_fail(struct fake_reader *self, int64_t id, struct haul_error *err)
{
    struct world *world = self->world;
    if (self->broken)
        return error_set(err, HAUL_INTERNAL, "a reader that failed was asked again");
    if (id != world->source_fail_at || atomic_fetch_sub(&world->source_fails, 1) <= 0)
        return HAUL_OK;
    self->broken = true;
    (void)error_set(err, HAUL_NETWORK, "the source was cut at row %lld", (long long)id);
    err->retryable = world->source_fail_passes;
    return err->code;
}

/* Fills `builder` with up to `count` rows, noting those that are rejected. */
static enum haul_code rows_fill(struct fake_reader *self, struct batch_builder *builder, struct batch *batch,
                                int64_t count, struct haul_error *err)
{
    struct world *world = self->world;
    for (int64_t i = 0; i < count; i++) {
        int64_t row = self->row + i, id = self->from + row;
        if (source_fail(self, id, err))
            return err->code;
        if (world->bad_every && id % world->bad_every == 0) {
            struct reject reject = {
                .part = self->part, .row = row, .column = "id", .reason = "bad at the source"};
            if (collector_reject(self->context.collector, HAUL_DATA, &reject, err))
                return err->code;
            batch->dropped[batch->dropped_count++] = row;
        } else if (row_append(self, builder, id, err)) {
            return err->code;
        }
    }
    return HAUL_OK;
}

static enum haul_code dropped_fit(struct batch *batch, int64_t room, struct haul_error *err)
{
    if (batch->dropped_count == 0) {
        memory_free(NULL, batch->dropped, (size_t)room * sizeof *batch->dropped);
        batch->dropped = NULL;
        return HAUL_OK;
    }
    int64_t *fit = memory_alloc(NULL, (size_t)batch->dropped_count * sizeof *fit);
    if (!fit)
        return error_nomem(err, "places");
    memcpy(fit, batch->dropped, (size_t)batch->dropped_count * sizeof *fit);
    memory_free(NULL, batch->dropped, (size_t)room * sizeof *batch->dropped);
    batch->dropped = fit;
    return HAUL_OK;
}

static enum haul_code reader_next(struct reader *reader, int64_t rows_max, struct batch *batch, bool *end,
                                  struct haul_error *err)
{
    struct fake_reader *self = (struct fake_reader *)reader;
    struct batch_builder builder = {0};
    struct batch made = {0};
    int64_t left = self->to - self->from - self->row, count = left < rows_max ? left : rows_max;
    (void)step(self->world);
    count = count < 64 ? count : 64;
    *end = count <= 0;
    if (*end)
        return HAUL_OK;
    int64_t *places = memory_alloc(NULL, (size_t)count * sizeof *places);
    if (!places)
        return error_nomem(err, "places");
    made.dropped = places;
    enum haul_code code = batch_builder_init(&builder, &self->schema, self->context.memory, err);
    if (!code)
        code = rows_fill(self, &builder, &made, count, err);
    int64_t dropped_count = made.dropped_count;
    if (!code)
        code = batch_builder_finish(&builder, batch, err);
    batch_builder_release(&builder);
    if (code) {
        memory_free(NULL, places, (size_t)count * sizeof *places);
        return code;
    }
    batch->dropped = places;
    batch->dropped_count = dropped_count;
    batch->part = self->part;
    batch->first_row = self->row;
    batch->rows_offered = count;
    self->row += count;
    return dropped_fit(batch, count, err);
}

static void reader_close(struct reader *reader)
{
    struct fake_reader *self = (struct fake_reader *)reader;
    schema_release(&self->schema);
    free(self);
}

static const struct reader_ops reader_ops = {.next = reader_next, .close = reader_close};

static enum haul_code source_open(struct source *source, const struct context *context,
                                  const struct part *part, int64_t first_row, struct reader **reader,
                                  struct haul_error *err)
{
    struct world *world = ((struct fake_source *)source)->world;
    long long from, to;
    (void)step(world);
    if (atomic_fetch_add(&world->reader_opens, 1) > 0 && !world->replayable)
        return error_set(err, HAUL_UNSUPPORTED, "a stream can be read once only");
    if (sscanf(part->spec, "%lld %lld", &from, &to) != 2)
        return error_set(err, HAUL_DATA, "part %s", part->spec);
    struct fake_reader *made = calloc(1, sizeof *made);
    if (!made)
        return error_nomem(err, "a reader");
    *made = (struct fake_reader){.reader = {&reader_ops},
                                 .world = world,
                                 .context = *context,
                                 .part = part->index,
                                 .row = first_row,
                                 .from = from,
                                 .to = to};
    if (schema_make(&made->schema, err)) {
        reader_close(&made->reader);
        return err->code;
    }
    *reader = &made->reader;
    return HAUL_OK;
}

static void source_close(struct source *source)
{
    free(source);
}

static const struct source_ops source_ops = {.name = "fake",
                                             .describe = source_describe,
                                             .split = source_split,
                                             .open = source_open,
                                             .close = source_close};

struct source *fake_source(struct world *world)
{
    struct fake_source *made = calloc(1, sizeof *made);
    if (!made)
        abort();
    *made = (struct fake_source){.source = {&source_ops}, .world = world};
    return &made->source;
}

/* ---- sink ---- */

struct fake_sink {
    struct sink sink;
    struct world *world;
    const char *home;
    pthread_mutex_t mutex;
};

struct fake_writer {
    struct writer writer;
    struct fake_sink *sink;
    struct context context;
    struct unit unit;
    int64_t *ids;
    size_t count, room;
};

static enum haul_code sink_fail(struct world *world, int at, const char *what, struct haul_error *err)
{
    if (world->fail_at == 0 || at < world->fail_at || atomic_fetch_sub(&world->fail_count, 1) <= 0)
        return HAUL_OK;
    (void)error_set(err, HAUL_IO, "the target failed at its %s", what);
    err->retryable = world->fail_passes;
    return err->code;
}

static enum haul_code sink_negotiate(struct sink *sink, const struct sink_request *request,
                                     struct sink_terms *terms, struct haul_error *err)
{
    struct fake_sink *self = (struct fake_sink *)sink;
    struct world *world = self->world;
    if (schema_copy(&request->source->schema, &terms->schema, err))
        return err->code;
    terms->target = "fake";
    terms->identity = "";
    terms->state_home = world->ledger ? NULL : self->home;
    terms->resumable = world->none ? RESUME_NONE : RESUME_REPLAY;
    terms->writers_max = world->writers_max;
    terms->part_is_unit = world->part_is_unit;
    terms->ordered = world->ordered;
    terms->part_rows = world->part_rows_wish;
    terms->part_bytes = world->part_bytes_wish;
    bool there = world->exists || world->published || (world->ledger && world->made);
    if (there && request->mode == SINK_CREATE)
        return error_set(err, HAUL_EXISTS, "the target exists");
    return HAUL_OK;
}

static void receipt_of(const struct world_unit *unit, struct receipt *receipt, struct arena *arena)
{
    *receipt = (struct receipt){.unit = {unit->part, unit->first_row, 0},
                                .rows = unit->rows,
                                .rows_offered = unit->offered,
                                .last = unit->last,
                                .hash = unit->hash,
                                .reject_count = unit->reject_count,
                                .loss_count = unit->losses,
                                .text = "t"};
    if (unit->rejects[0])
        receipt->rejects = arena ? arena_text(arena, unit->rejects) : unit->rejects;
}

static enum haul_code sink_recall(struct sink *sink, const char *name, struct run_record *record, bool *found,
                                  struct haul_error *err)
{
    struct world *world = ((struct fake_sink *)sink)->world;
    (void)step(world);
    *found = world->plan[0] && strcmp(world->run, name) == 0;
    if (!*found)
        return HAUL_OK;
    struct receipt *receipts = arena_alloc_array(&record->arena, WORLD_UNITS_MAX, sizeof *receipts);
    record->name = arena_text(&record->arena, name);
    record->plan = arena_text(&record->arena, world->plan);
    record->fingerprint = arena_text(&record->arena, world->fingerprint);
    if (!receipts || !record->plan)
        return error_nomem(err, "a record");
    record->finished = world->finished;
    for (int i = 0; i < WORLD_UNITS_MAX; i++)
        if (world->units[i].in)
            receipt_of(&world->units[i], &receipts[record->receipt_count++], &record->arena);
    record->receipts = receipts;
    return HAUL_OK;
}

static struct world_unit *unit_find(struct world *world, uint64_t part, int64_t first_row)
{
    for (int i = 0; i < WORLD_UNITS_MAX; i++)
        if (world->units[i].in && world->units[i].part == part && world->units[i].first_row == first_row)
            return &world->units[i];
    return NULL;
}

/* Fakes remember which rows a unit brought by its place; enough since rows are in order. */
static int64_t unit_row_base(const struct world *world, const struct world_unit *unit)
{
    if (world->one_part && world->part_is_unit) {
        int64_t base = 0;
        for (uint64_t part = 0; part < unit->part; part++) {
            const struct world_unit *before = unit_find((struct world *)world, part, 0);
            base += before ? before->offered : 0;
        }
        return base;
    }
    return (int64_t)unit->part * world->part_rows + unit->first_row;
}

static void unit_take_back(struct world *world, struct world_unit *unit)
{
    int64_t base = unit_row_base(world, unit);
    for (int64_t i = 0; i < unit->offered; i++)
        if (world->seen[base + i] > 0)
            world->seen[base + i]--;
    unit->in = false;
}

static bool record_has(const struct run_record *run, const struct world_unit *unit)
{
    for (size_t i = 0; i < run->receipt_count; i++)
        if (run->receipts[i].unit.part == unit->part && run->receipts[i].unit.first_row == unit->first_row)
            return true;
    return false;
}

static enum haul_code sink_prepare(struct sink *sink, const struct context *context,
                                   const struct run_record *run, struct haul_error *err)
{
    struct world *world = ((struct fake_sink *)sink)->world;
    (void)context;
    if (sink_fail(world, step(world), "prepare", err))
        return err->code;
    for (size_t i = 0; i < run->receipt_count; i++)
        if (!unit_find(world, run->receipts[i].unit.part, run->receipts[i].unit.first_row))
            return error_set(err, HAUL_CHANGED, "a committed unit is not in the target");
    for (int i = WORLD_UNITS_MAX - 1; i >= 0; i--) /* what was not noted is cut back */
        if (!world->ledger && world->units[i].in && !record_has(run, &world->units[i]))
            unit_take_back(world, &world->units[i]);
    world->made = true;
    world->finished = false;
    world->prepared++;
    if (world->ledger) {
        (void)snprintf(world->run, sizeof world->run, "%s", run->name);
        (void)snprintf(world->fingerprint, sizeof world->fingerprint, "%s", run->fingerprint);
        (void)snprintf(world->plan, sizeof world->plan, "%s", run->plan);
    }
    (void)step(world);
    return HAUL_OK;
}

static bool row_seen_by_reader(const struct world *world, int64_t id)
{
    return !(world->bad_every && id % world->bad_every == 0);
}

static enum haul_code writer_write(struct writer *writer, const struct batch *batch, struct haul_error *err)
{
    struct fake_writer *self = (struct fake_writer *)writer;
    struct world *world = self->sink->world;
    struct view ids;
    atomic_fetch_add(&world->writes, 1);
    if (sink_fail(world, step(world), "write", err))
        return err->code;
    if (world->delay_us)
        usleep((useconds_t)world->delay_us);
    if (view_init(&ids, &batch->schema->fields[0], batch->array.children[0], err))
        return err->code;
    if (world->lossy && collector_loss(self->context.collector, "name", "colour", 1, err))
        return err->code;
    for (int64_t i = 0; i < batch->array.length; i++) {
        int64_t id = ((const int64_t *)(const void *)ids.values)[i];
        if (!row_seen_by_reader(world, id))
            return error_set(err, HAUL_INTERNAL, "row %lld should have been dropped", (long long)id);
        if (world->refuse_every && id % world->refuse_every == 0) {
            struct reject reject = {.part = batch->part, .row = batch_place(batch, i), .reason = "refused"};
            if (collector_reject(self->context.collector, HAUL_CONSTRAINT, &reject, err))
                return err->code;
            continue;
        }
        if (self->count == self->room) {
            self->room = self->room ? self->room * 2 : 256;
            self->ids = realloc(self->ids, self->room * sizeof *self->ids);
            if (!self->ids)
                abort();
        }
        self->ids[self->count++] = id;
    }
    return HAUL_OK;
}

static void writer_free(struct fake_writer *self)
{
    free(self->ids);
    free(self);
}

static enum haul_code unit_apply(struct fake_writer *self, const struct receipt *receipt,
                                 struct haul_error *err)
{
    struct world *world = self->sink->world;
    int slot = 0;
    if (unit_find(world, self->unit.part, self->unit.first_row))
        return error_set(err, HAUL_INTEGRITY, "unit %llu/%lld is there already",
                         (unsigned long long)self->unit.part, (long long)self->unit.first_row);
    while (slot < WORLD_UNITS_MAX && world->units[slot].in)
        slot++;
    if (slot == WORLD_UNITS_MAX || (int64_t)self->count != receipt->rows)
        return error_set(err, HAUL_INTEGRITY, "%zu rows, the receipt says %lld", self->count,
                         (long long)receipt->rows);
    struct world_unit *unit = &world->units[slot];
    *unit = (struct world_unit){.part = self->unit.part,
                                .first_row = self->unit.first_row,
                                .rows = receipt->rows,
                                .offered = receipt->rows_offered,
                                .last = receipt->last,
                                .hash = receipt->hash,
                                .reject_count = receipt->reject_count,
                                .losses = receipt->loss_count};
    if (receipt->rejects)
        (void)snprintf(unit->rejects, sizeof unit->rejects, "%s", receipt->rejects);
    for (size_t i = 0; i < self->count; i++)
        world->seen[self->ids[i]]++;
    unit->in = true;
    return HAUL_OK;
}

static bool turn_is(struct fake_sink *sink, uint64_t part)
{
    pthread_mutex_lock(&sink->mutex);
    uint64_t next = 0;
    while (unit_find(sink->world, next, 0))
        next++;
    pthread_mutex_unlock(&sink->mutex);
    return next == part;
}

static enum haul_code writer_commit(struct writer *writer, struct receipt *receipt, struct arena *arena,
                                    struct haul_error *err)
{
    struct fake_writer *self = (struct fake_writer *)writer;
    struct world *world = self->sink->world;
    while (world->ordered && !turn_is(self->sink, self->unit.part)) {
        if (context_check(&self->context, err))
            return err->code;
        clock_sleep_ms(1, NULL);
    }
    bool failing = sink_fail(world, step(world), "commit", err);
    if (failing && !world->lose_answer)
        return err->code;
    struct haul_error apply_err = {0};
    pthread_mutex_lock(&commit_mutex);
    pthread_mutex_lock(&self->sink->mutex);
    enum haul_code code = unit_apply(self, receipt, &apply_err);
    pthread_mutex_unlock(&self->sink->mutex);
    pthread_mutex_unlock(&commit_mutex);
    if (code) {
        *err = apply_err;
        return code;
    }
    if (failing)
        return err->code;
    receipt->text = arena_printf(arena, "%llu", (unsigned long long)self->unit.part);
    receipt->bytes_written = receipt->rows * 10;
    atomic_fetch_add(&world->commits, 1);
    (void)step(world);
    writer_free(self);
    return receipt->text ? HAUL_OK : error_nomem(err, "a receipt");
}

static void writer_abort(struct writer *writer)
{
    struct fake_writer *self = (struct fake_writer *)writer;
    atomic_fetch_add(&self->sink->world->aborts, 1);
    writer_free(self);
}

static const struct writer_ops writer_ops = {
    .write = writer_write, .commit = writer_commit, .abort = writer_abort};

static enum haul_code sink_open(struct sink *sink, const struct context *context, const struct unit *unit,
                                struct claim *claim, struct haul_error *err)
{
    struct fake_sink *self = (struct fake_sink *)sink;
    struct world *world = self->world;
    atomic_fetch_add(&world->opens, 1);
    if (sink_fail(world, step(world), "open", err))
        return err->code;
    pthread_mutex_lock(&self->mutex);
    struct world_unit *done = unit_find(world, unit->part, unit->first_row);
    bool busy = world->busy > 0 && world->busy-- > 0;
    if (done)
        receipt_of(done, &claim->receipt, NULL);
    pthread_mutex_unlock(&self->mutex);
    claim->state = busy ? UNIT_BUSY : done ? UNIT_DONE : UNIT_MINE;
    if (claim->state != UNIT_MINE)
        return HAUL_OK;
    struct fake_writer *made = calloc(1, sizeof *made);
    if (!made)
        return error_nomem(err, "a writer");
    *made = (struct fake_writer){.writer = {&writer_ops}, .sink = self, .context = *context, .unit = *unit};
    claim->writer = &made->writer;
    return HAUL_OK;
}

static enum haul_code sink_finish(struct sink *sink, const struct run_record *run, const char *manifest,
                                  struct haul_error *err)
{
    struct world *world = ((struct fake_sink *)sink)->world;
    if (sink_fail(world, step(world), "finish", err))
        return err->code;
    if (!world->ledger && !manifest)
        return error_set(err, HAUL_INTERNAL, "no manifest");
    int64_t rows = 0, there = 0;
    for (size_t i = 0; i < run->receipt_count; i++)
        rows += run->receipts[i].rows;
    for (int i = 0; i < WORLD_UNITS_MAX; i++)
        there += world->units[i].in ? world->units[i].rows : 0;
    if (rows != there)
        return error_set(err, HAUL_INTEGRITY, "%lld rows are said to be in, %lld are", (long long)rows,
                         (long long)there);
    world->published = world->finished = true;
    world->published_count++;
    (void)step(world);
    return HAUL_OK;
}

static enum haul_code sink_remove(struct sink *sink, const struct run_record *run, struct haul_error *err)
{
    struct world *world = ((struct fake_sink *)sink)->world;
    (void)run;
    if (sink_fail(world, step(world), "remove", err))
        return err->code;
    memset(world->seen, 0, sizeof world->seen);
    memset(world->units, 0, sizeof world->units);
    world->plan[0] = 0;
    world->made = false;
    world->removed++;
    (void)step(world);
    return HAUL_OK;
}

static void sink_close(struct sink *sink)
{
    struct fake_sink *self = (struct fake_sink *)sink;
    pthread_mutex_destroy(&self->mutex);
    free(self);
}

static const struct sink_ops ledger_ops = {.name = "ledger",
                                           .negotiate = sink_negotiate,
                                           .recall = sink_recall,
                                           .prepare = sink_prepare,
                                           .open = sink_open,
                                           .finish = sink_finish,
                                           .remove = sink_remove,
                                           .close = sink_close};
static const struct sink_ops file_ops = {.name = "file",
                                         .negotiate = sink_negotiate,
                                         .prepare = sink_prepare,
                                         .open = sink_open,
                                         .finish = sink_finish,
                                         .remove = sink_remove,
                                         .close = sink_close};

struct sink *fake_sink(struct world *world, const char *state_home)
{
    struct fake_sink *made = calloc(1, sizeof *made);
    if (!made)
        abort();
    *made = (struct fake_sink){
        .sink = {world->ledger ? &ledger_ops : &file_ops}, .world = world, .home = state_home};
    pthread_mutex_init(&made->mutex, NULL);
    return &made->sink;
}

/* ---- jobs ---- */

static void event_take(void *user, const struct haul_event *event)
{
    struct job *job = user;
    job->events[event->kind]++;
    if (event->message)
        (void)snprintf(job->last_message, sizeof job->last_message, "%s", event->message);
}

void job_init(struct job *job, struct world *world, const char *home, const char *const *options)
{
    size_t count;
    const struct haul_option *table = haul_options(&count);
    *job = (struct job){.world = world};
    if (settings_init(&job->settings, table, count, &job->err))
        abort();
    for (; options && *options; options += 2)
        if (settings_set(&job->settings, options[0], options[1], &job->err))
            abort();
    (void)snprintf(job->home, sizeof job->home, "%s", home);
    context_init(&job->context);
    job->context.settings = &job->settings;
    job->context.cancel = &job->cancel;
    world->cancel = &job->cancel.asked;
    atomic_store(&world->reader_opens, 0);
    const char *mode = settings_text(&job->settings, "mode");
    job->transfer = (struct transfer){.context = &job->context,
                                      .source = fake_source(world),
                                      .sink = fake_sink(world, job->home),
                                      .source_name = "fake-source",
                                      .target_name = "fake-target",
                                      .request = {.mode = strcmp(mode, "append") == 0    ? SINK_APPEND
                                                          : strcmp(mode, "replace") == 0 ? SINK_REPLACE
                                                                                         : SINK_CREATE},
                                      .event = event_take,
                                      .event_user = job};
}

enum haul_code job_run(struct job *job)
{
    return transfer_run(&job->transfer, &job->result, &job->err);
}

void job_release(struct job *job)
{
    job->transfer.sink->ops->close(job->transfer.sink);
    job->transfer.source->ops->close(job->transfer.source);
    settings_release(&job->settings);
    job->world->cancel = NULL;
}

enum haul_code job_once(struct job *job, struct world *world, const char *home, const char *const *options)
{
    job_init(job, world, home, options);
    enum haul_code code = job_run(job);
    job_release(job);
    return code;
}

int job_in_child(struct world *world, const char *home, const char *const *options)
{
    struct job job;
    int status = 0;
    pid_t child = fork();
    if (child == 0) {
        enum haul_code code = job_once(&job, world, home, options);
        _exit((int)code);
    }
    if (child < 0 || waitpid(child, &status, 0) != child)
        return -1;
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL)
        return WORLD_DIED;
    if (!WIFEXITED(status))
        return -1;
    return WEXITSTATUS(status);
}

/* ---- folders ---- */

void home_make(char home[128])
{
    const char *temp = getenv("TMPDIR");
    (void)snprintf(home, 128, "%s/haul-transfer-XXXXXX", temp ? temp : "/tmp");
    if (!mkdtemp(home))
        abort();
}

static int remove_one(const char *path, const struct stat *facts, int flag, struct FTW *where)
{
    (void)facts;
    (void)flag;
    (void)where;
    return remove(path);
}

void home_remove(const char *home)
{
    (void)nftw(home, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static enum haul_code name_count(void *user, const char *name, struct haul_error *err)
{
    (void)name;
    (void)err;
    ++*(int *)user;
    return HAUL_OK;
}

int home_count(const char *home)
{
    int count = 0;
    struct haul_error err = {0};
    return path_list(home, name_count, &count, &err) ? -1 : count;
}
