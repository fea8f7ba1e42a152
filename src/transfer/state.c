/*
 * state.c: where a run is remembered.
 *
 * A sink with a ledger does it itself (recall, prepare, commit). For the others
 * there is a folder of mode 0700 beside the target:
 *
 *     .haul-RUN/lock           held while a process works on the run
 *     .haul-RUN/plan.json      written by temporary name, sync, rename: there or not
 *     .haul-RUN/journal.jsonl  the receipts (journal.h)
 *     .haul-RUN/finished       a finished run with a NAME: its sums; then nothing else
 *
 * The plan is there before anything else of the run is made; a folder without
 * it (or `finished`) remembers nothing, so it goes first. A folder may vanish between our
 * opening its lock and our locking it, because the run of another process ended
 * just then: so after locking we look whether the name still means our file.
 */
#include "transfer/state.h"
#include <stdio.h>
#include <stdlib.h>

#define PATH_BYTES     4096
#define LOCK_TRIES     20
#define PLAN_BYTES_MAX ((int64_t)256 << 20)

void state_init(struct state *state, struct sink *sink)
{
    *state = (struct state){.sink = sink, .lock = {.fd = -1}, .journal = {.file = {.fd = -1}}};
    pthread_mutex_init(&state->mutex, NULL);
}

/* Names were checked for their length when the folder was made. */
static const char *path_of(const struct state *state, const char *name, char *out)
{
    (void)snprintf(out, PATH_BYTES, "%s/%s", state->folder, name);
    return out;
}

static void folder_remove(struct state *state)
{
    static const char *const names[] = {"plan.json.new", "journal.jsonl.new", "finished.new", "journal.jsonl",
                                        "lock"};
    char path[PATH_BYTES];
    struct haul_error ignored = {0};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        (void)path_remove(path_of(state, names[i], path), &ignored);
    (void)path_remove_folder(state->folder, &ignored);
    if (state->made_home)
        (void)path_remove_folder(state->home, &ignored);
}

void state_close(struct state *state)
{
    journal_close(&state->journal);
    if (state->folder && state->new_folder)
        folder_remove(state);
    if (state->lock.fd >= 0)
        file_close(&state->lock);
    free(state->folder);
    free(state->home);
    state->folder = state->home = NULL;
    pthread_mutex_destroy(&state->mutex);
}

/* ---- recalling ---- */

/* *held: the lock is ours and the folder is still the one with this name. */
static enum haul_code lock_try(struct state *state, bool *held, struct haul_error *err)
{
    char path[PATH_BYTES];
    struct file_identity named, ours;
    struct haul_error gone = {0};
    if (path_make_folder_private(state->folder, err))
        return err->code;
    *held = false;
    if (file_open(&state->lock, path_of(state, "lock", path), FILE_APPEND, &gone)) {
        state->lock = (struct file){.fd = -1};
        if (!path_is_folder(state->folder))
            return HAUL_OK;
        *err = gone;
        return err->code;
    }
    enum haul_code code = file_lock(&state->lock, err);
    if (!code)
        code = file_identify(&state->lock, &ours, err);
    *held = !code && path_identify(path, &named, &gone) == HAUL_OK && named.inode == ours.inode &&
            named.device == ours.device;
    if (!*held) {
        file_close(&state->lock);
        state->lock = (struct file){.fd = -1};
    }
    return code;
}

static enum haul_code lock_take(struct state *state, const char *name, struct haul_error *err)
{
    bool held = false;
    for (int i = 0; i < LOCK_TRIES && !held; i++) {
        if (lock_try(state, &held, err)) {
            if (err->code == HAUL_BUSY)
                return error_set(err, HAUL_BUSY, "run %s is being worked on by another process (%s/lock)",
                                 name, state->folder);
            return err->code;
        }
    }
    if (held)
        return HAUL_OK;
    return error_set(err, HAUL_BUSY, "run %s is being worked on by another process", name);
}

static enum haul_code text_load(const char *path, int64_t bytes_max, char **text, struct arena *arena,
                                struct haul_error *err)
{
    struct file file = {.fd = -1};
    struct file_identity identity;
    size_t got = 0;
    if (file_open(&file, path, FILE_READ, err))
        return err->code;
    enum haul_code code = file_identify(&file, &identity, err);
    if (!code && identity.size > bytes_max)
        code = error_set(err, HAUL_LIMIT, "%s is larger than anything of ours; --restart discards it", path);
    if (!code) {
        *text = arena_alloc(arena, (size_t)identity.size + 1);
        code =
            *text ? file_read_at(&file, 0, *text, (size_t)identity.size, &got, err) : error_nomem(err, path);
    }
    file_close(&file);
    return code;
}

static enum haul_code finished_load(const char *path, struct run_record *record, struct haul_error *err)
{
    char *text;
    struct receipt *receipt = arena_alloc(&record->arena, sizeof *receipt);
    if (!receipt)
        return error_nomem(err, path);
    if (text_load(path, PLAN_BYTES_MAX, &text, &record->arena, err) ||
        journal_parse(text, strcspn(text, "\n"), "finished", receipt, &record->arena, err))
        return error_prefix(err, "%s", path);
    record->finished = true;
    record->fingerprint = receipt->text;
    record->receipts = receipt;
    record->receipt_count = 1;
    return HAUL_OK;
}

static enum haul_code folder_recall(struct state *state, struct run_record *record, bool *found,
                                    struct haul_error *err)
{
    char path[PATH_BYTES];
    if (path_exists(path_of(state, "finished", path))) {
        *found = true;
        return finished_load(path, record, err);
    }
    *found = path_exists(path_of(state, "plan.json", path));
    state->new_folder = !*found;
    if (!*found)
        return HAUL_OK;
    char *plan;
    if (text_load(path, PLAN_BYTES_MAX, &plan, &record->arena, err))
        return err->code;
    record->plan = plan;
    return journal_read(path_of(state, "journal.jsonl", path), plan, record, err);
}

enum haul_code state_recall(struct state *state, const char *home, const char *name,
                            struct run_record *record, bool *found, struct haul_error *err)
{
    struct sink *sink = state->sink;
    *found = false;
    if (sink->ops->recall) {
        state->ledger = true;
        return sink->ops->recall(sink, name, record, found, err);
    }
    if (!home)
        return HAUL_OK;
    size_t bytes = strlen(home) + strlen(name) + 16;
    if (bytes + 32 > PATH_BYTES)
        return error_set(err, HAUL_USAGE, "%s: the name is too long", home);
    state->folder = malloc(bytes);
    state->home = strdup(home);
    if (!state->folder || !state->home)
        return error_nomem(err, "the state folder's name");
    (void)snprintf(state->folder, bytes, "%s/.haul-%s", home, name);
    record->name = arena_text(&record->arena, name);
    if (!record->name)
        return error_nomem(err, "the run's name");
    /* A folder target is its own home and may not be there yet. */
    state->made_home = !path_exists(home);
    if (path_make_folder(home, err) || lock_take(state, name, err))
        return err->code;
    return folder_recall(state, record, found, err);
}

/* ---- writing ---- */

static enum haul_code file_put(const struct state *state, const char *name, const char *text,
                               struct haul_error *err)
{
    char path[PATH_BYTES], temp[PATH_BYTES], temp_name[64];
    struct file file = {.fd = -1};
    (void)snprintf(temp_name, sizeof temp_name, "%s.new", name);
    path_of(state, name, path);
    path_of(state, temp_name, temp);
    if (path_remove(temp, err) || file_open(&file, temp, FILE_CREATE_PRIVATE, err))
        return err->code;
    enum haul_code code = file_write(&file, text, strlen(text), err);
    if (!code)
        code = file_sync(&file, err);
    file_close(&file);
    return code ? code : path_rename(temp, path, true, err);
}

enum haul_code state_begin(struct state *state, const char *plan, struct haul_error *err)
{
    char path[PATH_BYTES];
    if (!state->folder)
        return HAUL_OK;
    if (path_remove(path_of(state, "finished", path), err) ||
        path_remove(path_of(state, "journal.jsonl", path), err) || file_put(state, "plan.json", plan, err))
        return err->code;
    state->new_folder = false;
    return journal_create(&state->journal, path_of(state, "journal.jsonl", path), plan, NULL, 0, err);
}

enum haul_code state_continue(struct state *state, const char *plan, const struct receipt *receipts,
                              size_t count, struct haul_error *err)
{
    char path[PATH_BYTES];
    if (!state->folder)
        return HAUL_OK;
    return journal_create(&state->journal, path_of(state, "journal.jsonl", path), plan, receipts, count, err);
}

enum haul_code state_record(struct state *state, const struct receipt *receipt, struct haul_error *err)
{
    if (!state->folder)
        return HAUL_OK;
    pthread_mutex_lock(&state->mutex);
    enum haul_code code = journal_append(&state->journal, receipt, err);
    pthread_mutex_unlock(&state->mutex);
    return code;
}

enum haul_code state_forget(struct state *state, struct haul_error *err)
{
    static const char *const names[] = {"plan.json", "journal.jsonl", "finished"};
    char path[PATH_BYTES];
    if (!state->folder)
        return HAUL_OK;
    journal_close(&state->journal);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (path_remove(path_of(state, names[i], path), err))
            return err->code;
    state->new_folder = true;
    return path_sync_folder(state->folder, err);
}

enum haul_code state_finish(struct state *state, const struct receipt *keep, struct haul_error *err)
{
    char path[PATH_BYTES];
    if (!state->folder)
        return HAUL_OK;
    if (!keep) {
        if (state_forget(state, err))
            return err->code;
        folder_remove(state);
        state->new_folder = false;
        return HAUL_OK;
    }
    struct buffer text = {0};
    enum haul_code code = journal_print("finished", keep, &text, err);
    if (!code)
        code = buffer_append(&text, "", 1, err);
    if (!code)
        code = file_put(state, "finished", (const char *)text.data, err);
    buffer_release(&text);
    journal_close(&state->journal);
    if (!code)
        code = path_remove(path_of(state, "journal.jsonl", path), err);
    return code ? code : path_remove(path_of(state, "plan.json", path), err);
}
