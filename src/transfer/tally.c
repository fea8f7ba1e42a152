/*
 * tally.c: the receipts of a run and their sums.
 *
 * The sums are kept up as receipts come, since progress and --limit ask for
 * them; the list is what finish, manifest and reject file are made from.
 * Receipts of units still to come are few bytes each (a unit is 100,000 rows),
 * but their reject lines may be large: the arena's limit bounds them.
 */
#include "transfer/tally.h"
#include <stdlib.h>

void tally_init(struct tally *tally)
{
    *tally = (struct tally){0};
    pthread_mutex_init(&tally->mutex, NULL);
}

void tally_release(struct tally *tally)
{
    free(tally->receipts);
    arena_release(&tally->arena);
    pthread_mutex_destroy(&tally->mutex);
    *tally = (struct tally){0};
}

static void sums_add(struct tally *tally, const struct receipt *receipt)
{
    tally->rows += receipt->rows;
    tally->rows_offered += receipt->rows_offered;
    tally->rejects += receipt->reject_count;
    tally->losses += receipt->loss_count;
    tally->bytes_written += receipt->bytes_written;
    tally->hash = hash_add(tally->hash, receipt->hash);
    tally->unhashed |= receipt->unhashed;
}

static void sums_subtract(struct tally *tally, const struct receipt *receipt)
{
    tally->rows -= receipt->rows;
    tally->rows_offered -= receipt->rows_offered;
    tally->rejects -= receipt->reject_count;
    tally->losses -= receipt->loss_count;
    tally->bytes_written -= receipt->bytes_written;
    tally->hash = hash_subtract(tally->hash, receipt->hash);
}

static bool room_make(struct tally *tally)
{
    if (tally->count < tally->room)
        return true;
    size_t room = tally->room ? tally->room * 2 : 64;
    struct receipt *receipts = realloc(tally->receipts, room * sizeof *receipts);
    if (!receipts)
        return false;
    tally->receipts = receipts;
    tally->room = room;
    return true;
}

static bool append(struct tally *tally, const struct receipt *receipt)
{
    if (!room_make(tally))
        return false;
    struct receipt *kept = &tally->receipts[tally->count];
    *kept = *receipt;
    kept->text = arena_text(&tally->arena, receipt->text);
    kept->rejects = arena_text(&tally->arena, receipt->rejects);
    if ((receipt->text && !kept->text) || (receipt->rejects && !kept->rejects))
        return false;
    tally->count++;
    return true;
}

enum haul_code tally_add(struct tally *tally, const struct receipt *receipt, bool resumed,
                         struct haul_error *err)
{
    pthread_mutex_lock(&tally->mutex);
    bool added = append(tally, receipt);
    if (added)
        sums_add(tally, receipt);
    if (added && resumed) {
        tally->resumed++;
        tally->rows_resumed += receipt->rows;
    }
    pthread_mutex_unlock(&tally->mutex);
    return added ? HAUL_OK : error_nomem(err, "the receipts");
}

static struct loss *loss_find(struct tally *tally, const struct loss *wanted)
{
    for (struct loss *loss = tally->loss_list; loss; loss = loss->next)
        if (strcmp(loss->what, wanted->what) == 0 && strcmp(loss->column, wanted->column) == 0)
            return loss;
    struct loss *made = arena_alloc(&tally->arena, sizeof *made);
    if (!made)
        return NULL;
    *made = (struct loss){
        .column = arena_text(&tally->arena, wanted->column), .what = wanted->what, .next = tally->loss_list};
    if (!made->column)
        return NULL;
    tally->loss_list = made;
    return made;
}

void tally_losses(struct tally *tally, const struct loss *losses)
{
    pthread_mutex_lock(&tally->mutex);
    for (const struct loss *loss = losses; loss; loss = loss->next) {
        struct loss *sum = loss_find(tally, loss);
        if (sum)
            sum->count += loss->count;
    }
    pthread_mutex_unlock(&tally->mutex);
}

static int receipt_compare(const void *left, const void *right)
{
    const struct unit *a = &((const struct receipt *)left)->unit, *b = &((const struct receipt *)right)->unit;
    if (a->part != b->part)
        return a->part < b->part ? -1 : 1;
    return (a->first_row > b->first_row) - (a->first_row < b->first_row);
}

void tally_sort(struct tally *tally)
{
    if (tally->count > 1)
        qsort(tally->receipts, tally->count, sizeof *tally->receipts, receipt_compare);
    size_t kept = 0;
    for (size_t i = 0; i < tally->count; i++) {
        if (kept > 0 && receipt_compare(&tally->receipts[kept - 1], &tally->receipts[i]) == 0) {
            sums_subtract(tally, &tally->receipts[kept - 1]);
            kept--;
        }
        tally->receipts[kept++] = tally->receipts[i];
    }
    tally->count = kept;
}

/* The first receipt of `part`, or count. */
static size_t part_find(const struct tally *tally, uint64_t part)
{
    size_t low = 0, high = tally->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (tally->receipts[middle].unit.part < part)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

struct start tally_start(const struct tally *tally, uint64_t part)
{
    struct start start = {0};
    for (size_t i = part_find(tally, part); i < tally->count; i++) {
        const struct receipt *receipt = &tally->receipts[i];
        if (receipt->unit.part != part || receipt->unit.first_row != start.row || start.done)
            break;
        start.row += receipt->rows_offered;
        start.done = receipt->last;
    }
    return start;
}

void tally_drop(struct tally *tally, size_t index)
{
    sums_subtract(tally, &tally->receipts[index]);
    tally->rows_resumed -= tally->receipts[index].rows;
    tally->resumed--;
    tally->count--;
    memmove(&tally->receipts[index], &tally->receipts[index + 1],
            (tally->count - index) * sizeof *tally->receipts);
}

void tally_keep_prefix(struct tally *tally)
{
    size_t kept = 0;
    while (kept < tally->count && tally->receipts[kept].unit.part == kept &&
           tally->receipts[kept].unit.first_row == 0)
        kept++;
    while (tally->count > kept)
        tally_drop(tally, tally->count - 1);
}
