/*
 * file_plan.c: going on behind a process that died (docs/unit.md, "One file, in
 * order" and "Killed at ...").
 *
 * A file is in as far as its receipts form an unbroken run from its first part:
 * units are journaled by several workers, so that a later one may have been
 * noted and an earlier one not. A receipt that points behind the end of the file
 * does not count either: it is of an attempt that was cut back since. What does
 * not count is done again.
 *
 * The inode in a receipt ties it to the file: the temporary file must have it,
 * or, when that is gone, the file under the final name, which then is published.
 */
#include "format/file_plan.h"

#include "base/file.h"
#include "base/number.h"

#include <stdlib.h>
#include <string.h>

uint64_t plan_file_of(uint64_t part, uint64_t parts, uint64_t files)
{
    return parts == 0 || part >= parts ? 0 : (uint64_t)((uint128_t)part * files / parts);
}

uint64_t plan_first_part(uint64_t file, uint64_t parts, uint64_t files)
{
    return (uint64_t)(((uint128_t)file * parts + files - 1) / files);
}

/* ---- receipts ---- */

static enum haul_code receipt_copy(const struct receipt *from, struct arena *arena, struct receipt *to,
                                   struct haul_error *err)
{
    *to = *from;
    to->text = arena_text(arena, from->text);
    to->rejects = arena_text(arena, from->rejects);
    bool fine = (to->text || !from->text) && (to->rejects || !from->rejects);
    return fine ? HAUL_OK : error_nomem(err, "receipts");
}

/* By part, then as they came: the later one is the truer one. */
static int receipt_compare(const void *a, const void *b)
{
    const struct receipt *left = *(const struct receipt *const *)a,
                         *right = *(const struct receipt *const *)b;
    if (left->unit.part != right->unit.part)
        return left->unit.part < right->unit.part ? -1 : 1;
    return left < right ? -1 : left > right;
}

enum haul_code receipts_copy(const struct run_record *run, struct arena *arena, struct receipts *receipts,
                             struct haul_error *err)
{
    *receipts = (struct receipts){0};
    size_t count = run->receipt_count;
    if (count == 0)
        return HAUL_OK;
    const struct receipt **order = arena_alloc_array(arena, count, sizeof(const struct receipt *));
    receipts->items = arena_alloc_array(arena, count, sizeof *receipts->items);
    if (!order || !receipts->items)
        return error_nomem(err, "receipts");
    for (size_t i = 0; i < count; i++)
        order[i] = &run->receipts[i];
    qsort(order, count, sizeof(const struct receipt *), receipt_compare);
    enum haul_code code = HAUL_OK;
    for (size_t i = 0; i < count && !code; i++) {
        if (i + 1 < count && order[i + 1]->unit.part == order[i]->unit.part)
            continue;
        code = receipt_copy(order[i], arena, &receipts->items[receipts->count++], err);
        if (order[i]->unit.parts > receipts->parts)
            receipts->parts = order[i]->unit.parts;
    }
    return code;
}

static int part_compare(const void *key, const void *item)
{
    uint64_t part = *(const uint64_t *)key, its = ((const struct receipt *)item)->unit.part;
    return part < its ? -1 : part > its;
}

const struct receipt *receipts_find(const struct receipts *receipts, uint64_t part)
{
    if (receipts->count == 0)
        return NULL;
    return bsearch(&part, receipts->items, receipts->count, sizeof *receipts->items, part_compare);
}

size_t receipts_unbroken(const struct receipt *items, size_t count, uint64_t first_part, int64_t size_max)
{
    size_t good = 0;
    int64_t offset = 0;
    uint64_t inode = 0;
    struct output_receipt text;
    while (good < count && items[good].unit.part == first_part + good &&
           output_receipt_parse(items[good].text, &text)) {
        bool follows = text.offset >= offset && text.offset <= size_max && (good == 0 || text.inode == inode);
        if (!follows)
            break;
        offset = text.offset;
        inode = text.inode;
        good++;
    }
    return good;
}

/* By inode, the furthest first. */
static int mark_compare(const void *a, const void *b)
{
    const struct folder_mark *left = a, *right = b;
    if (left->inode != right->inode)
        return left->inode < right->inode ? -1 : 1;
    return left->bytes_min > right->bytes_min ? -1 : left->bytes_min < right->bytes_min;
}

enum haul_code plan_ours(const struct run_record *run, struct arena *arena, struct folder_ours *ours,
                         struct haul_error *err)
{
    struct output_receipt text;
    struct folder_mark *marks = arena_alloc_array(arena, run->receipt_count + 1, sizeof *marks);
    if (!marks)
        return error_nomem(err, "receipts");
    size_t count = 0, kept = 0;
    for (size_t i = 0; i < run->receipt_count; i++)
        if (output_receipt_parse(run->receipts[i].text, &text))
            marks[count++] = (struct folder_mark){.inode = text.inode, .bytes_min = text.offset};
    qsort(marks, count, sizeof *marks, mark_compare);
    for (size_t i = 0; i < count; i++)
        if (kept == 0 || marks[kept - 1].inode != marks[i].inode)
            marks[kept++] = marks[i];
    *ours = (struct folder_ours){.marks = marks, .count = kept};
    return HAUL_OK;
}

/* ---- taking up a file ---- */

static enum haul_code recover_published(struct file_output *output, const struct receipt *items, size_t count,
                                        struct haul_error *err)
{
    struct file_identity identity = {0};
    struct output_receipt last = {0};
    struct haul_error absent = {0};
    enum haul_code code = path_identify(output->path, &identity, &absent);
    bool ours = !code && output_receipt_parse(items[count - 1].text, &last) && identity.inode == last.inode &&
                identity.size >= last.offset;
    if (!ours)
        return error_set(err, HAUL_CHANGED,
                         "%s and %s: neither is the file this run was writing; --restart begins anew",
                         output->temp, output->path);
    for (size_t i = 0; i < count; i++)
        output->rows += items[i].rows;
    output->bytes = identity.size;
    output->next_part = output->first_part + count;
    output->state = OUTPUT_PUBLISHED;
    return HAUL_OK;
}

enum haul_code plan_recover(struct file_output *output, const struct receipt *items, size_t count,
                            size_t *counted, struct haul_error *err)
{
    struct file_identity identity;
    struct haul_error absent = {0};
    *counted = receipts_unbroken(items, count, output->first_part, INT64_MAX);
    if (*counted == 0)
        return HAUL_OK;
    enum haul_code code = path_identify(output->temp, &identity, &absent);
    if (code == HAUL_NOT_FOUND)
        return recover_published(output, items, *counted, err);
    if (code) {
        *err = absent;
        return code;
    }
    *counted = receipts_unbroken(items, *counted, output->first_part, identity.size);
    return *counted ? file_output_resume(output, items, *counted, err) : HAUL_OK;
}
