/*
 * page_cut.c: measuring rows for pages.
 *
 * Flat columns are measured by arithmetic where values have one size, by a walk
 * over lengths where they are strings. Nested columns go row by row. A level of
 * a nested column counts as a byte itself, so that millions of NULLs in lists
 * fill a page, too.
 */
#include "format/parquet/page_cut.h"

static size_t present(const struct feed *feed, size_t first, size_t count)
{
    if (!feed->def)
        return count;
    size_t found = 0;
    for (size_t i = first; i < first + count; i++)
        found += feed->def[i] == feed->def_max;
    return found;
}

/* Levels up to and including the one of value number `value` (from 0). */
static size_t levels_through(const struct feed *feed, size_t first, size_t count, size_t value)
{
    if (!feed->def)
        return value + 1;
    size_t found = 0;
    for (size_t i = 0; i < count; i++) {
        found += feed->def[first + i] == feed->def_max;
        if (found > value)
            return i + 1;
    }
    return count;
}

static size_t string_bytes(const struct dense *values, size_t i)
{
    return (size_t)(values->strings.ends[i] - values->strings.starts[i]) + sizeof(uint32_t);
}

/* How many of `count` values until their bytes reach room->bytes; *bytes gets theirs. */
static size_t values_until(const struct dense *values, size_t first, size_t count,
                           const struct page_room *room, size_t *bytes)
{
    if (room->value_bytes) {
        size_t fit = (room->bytes + room->value_bytes - 1) / room->value_bytes;
        fit = fit > 0 ? fit : 1;
        count = count < fit ? count : fit;
        *bytes = count * room->value_bytes;
        return count;
    }
    size_t taken = 0, sum = 0;
    while (taken < count && (sum < room->bytes || taken == 0))
        sum += string_bytes(values, first + taken++);
    *bytes = sum;
    return taken;
}

static struct page_cut take_flat(const struct feed *feed, struct feed_place place,
                                 const struct page_room *room)
{
    size_t left = feed->levels - place.level;
    size_t levels = (uint64_t)room->rows < left ? (size_t)room->rows : left;
    struct page_cut cut = {.values = present(feed, place.level, levels)};
    size_t fit = values_until(feed->values, place.value, cut.values, room, &cut.bytes);
    if (fit < cut.values || (cut.bytes >= room->bytes && fit > 0))
        levels = levels_through(feed, place.level, levels, fit - 1);
    cut.values = fit;
    cut.levels = levels;
    cut.rows = (int64_t)levels;
    return cut;
}

static size_t row_levels(const struct feed *feed, size_t first)
{
    size_t end = first + 1;
    while (end < feed->levels && feed->rep[end] != 0)
        end++;
    return end - first;
}

static struct page_cut take_nested(const struct feed *feed, struct feed_place place,
                                   const struct page_room *room)
{
    struct page_cut cut = {0};
    while (cut.rows < room->rows && place.level + cut.levels < feed->levels) {
        size_t levels = row_levels(feed, place.level + cut.levels);
        size_t values = present(feed, place.level + cut.levels, levels);
        size_t bytes = levels + values * room->value_bytes;
        for (size_t i = 0; room->value_bytes == 0 && i < values; i++)
            bytes += string_bytes(feed->values, place.value + cut.values + i);
        cut.rows++;
        cut.levels += levels;
        cut.values += values;
        cut.bytes += bytes;
        if (cut.bytes >= room->bytes)
            break;
    }
    return cut;
}

struct page_cut page_cut_take(const struct feed *feed, struct feed_place place, const struct page_room *room)
{
    return feed->rep ? take_nested(feed, place, room) : take_flat(feed, place, room);
}

struct page_cut page_cut_before(const struct feed *feed, struct feed_place place, const struct page_cut *cut,
                                size_t value)
{
    struct page_cut before = {0};
    size_t levels = levels_through(feed, place.level, cut->levels, value) - 1;
    if (!feed->rep) {
        before.levels = levels;
        before.rows = (int64_t)levels;
        before.values = value;
        return before;
    }
    while (levels > 0 && feed->rep[place.level + levels] != 0)
        levels--;
    before.levels = levels;
    before.values = present(feed, place.level, levels);
    for (size_t i = 0; i < levels; i++)
        before.rows += feed->rep[place.level + i] == 0;
    return before;
}
