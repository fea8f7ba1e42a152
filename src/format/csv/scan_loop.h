/*
 * scan_loop.h: the body of the scan, included by scan.c and scan_avx2.c, which
 * bring their own way to compare 64 bytes and to spread quote parity.
 *
 * A block of 64 bytes becomes bit masks (bit i = byte i): quotes, delimiters,
 * LF, CR, escapes (and what begins comments). The parity of quotes up to each byte says what is inside.
 * Parity alone believes every quote; so each quote that seems to open must stand
 * at the start of a field (or right behind a closing one: a doubled quote). If
 * one does not, or if the block holds an escape or overlapping delimiters, the
 * block goes byte by byte through the state machine, which is the definition.
 * Both ways leave the same state, so they can alternate at any block.
 */
#ifndef HAUL_FORMAT_CSV_SCAN_LOOP_H
#define HAUL_FORMAT_CSV_SCAN_LOOP_H

#include "format/csv/scan.h"

#include <string.h>

struct csv_masks {
    uint64_t quote, delimiter, lf, cr, escape, high;
};

/* What a block's separators are, outside of quotes. */
struct csv_found {
    uint64_t ends;    /* delimiters and record ends */
    uint64_t records; /* record ends */
};

/* The state machine, for data[from, to). In scan.c. */
void csv_scan_bytes(const struct csv_scan *scan, const struct csv_span *span, struct csv_scan_state *state,
                    size_t from, struct csv_found *found);

#define CSV_INLINE static inline __attribute__((always_inline))

typedef void (*csv_masks_fn)(const struct csv_scan *scan, const uint8_t *block, struct csv_masks *masks);
typedef uint64_t (*csv_parity_fn)(uint64_t quotes);
typedef size_t (*csv_put_fn)(uint32_t *out, uint64_t bits, size_t base);

/* True when delimiters of several bytes need the state machine: they overlap. */
CSV_INLINE bool delimiters_overlap(uint64_t delimiters, size_t length)
{
    uint64_t covered = 0;
    for (size_t i = 1; i < length; i++)
        covered |= delimiters << i;
    return (delimiters & covered) != 0;
}

/* The block as masks alone. False: it needs the state machine (state untouched). */
CSV_INLINE bool scan_masks(const struct csv_scan *scan, const struct csv_masks *masks, csv_parity_fn parity,
                           struct csv_scan_state *state, struct csv_found *found)
{
    const size_t width = scan->delimiter_length;
    uint64_t inside = masks->quote ? parity(masks->quote) : 0;
    if (state->place == CSV_IN_QUOTES)
        inside = ~inside;
    uint64_t delimiters = masks->delimiter & ~inside;
    uint64_t cr = masks->cr & ~inside;
    uint64_t swallowed = masks->lf & ((cr << 1) | (uint64_t)state->after_cr);
    uint64_t records = cr | (masks->lf & ~inside & ~swallowed);
    uint64_t starts = (delimiters << width) | ((records | swallowed) << 1);
    uint64_t open = masks->quote & inside, close = masks->quote & ~inside;
    uint64_t allowed = starts | (uint64_t)(state->place == CSV_AT_START);
    if (scan->escape == CSV_NONE)
        allowed |= (close << 1) | (uint64_t)(state->place == CSV_AFTER_QUOTES);
    const uint64_t comment = state->place == CSV_IN_COMMENT;
    if ((open & ~allowed) | masks->escape | (uint64_t)state->escaped | state->skip | comment)
        return false;
    if (width > 1 && delimiters_overlap(delimiters, width))
        return false;

    uint64_t tail = width > 1 ? delimiters >> (64 - width) : delimiters >> 63;
    bool at_start = (((records | swallowed) >> 63) | tail) != 0;
    state->skip = tail ? (unsigned)__builtin_ctzll(tail) : 0;
    state->after_cr = cr >> 63;
    state->within = !((records | swallowed) >> 63);
    state->place = inside >> 63  ? CSV_IN_QUOTES
                   : at_start    ? CSV_AT_START
                   : close >> 63 ? CSV_AFTER_QUOTES
                                 : CSV_IN_PLAIN;
    found->ends = delimiters | records;
    found->records = records;
    return true;
}

CSV_INLINE void keep_fields(struct csv_marks *marks, const struct csv_found *found, size_t base,
                            csv_put_fn put)
{
    uint64_t records = found->records;
    size_t first = marks->end_count;
    if (records) {
        marks->records[marks->record_count++] =
            (uint32_t)(first + (size_t)__builtin_popcountll(found->ends & (records ^ (records - 1))));
        while ((records &= records - 1) != 0)
            marks->records[marks->record_count++] =
                (uint32_t)(first + (size_t)__builtin_popcountll(found->ends & (records ^ (records - 1))));
    }
    marks->end_count = first + put(marks->ends + first, found->ends, base);
}

CSV_INLINE void cut_masks(struct csv_masks *masks, size_t judged)
{
    const uint64_t valid = ((uint64_t)1 << judged) - 1;
    masks->quote &= valid;
    masks->delimiter &= valid;
    masks->lf &= valid;
    masks->cr &= valid;
    masks->escape &= valid;
    masks->high &= valid;
}

/* A way to run, known when compiling: everything in it is inlined. */
struct csv_loop {
    csv_masks_fn compare;
    csv_parity_fn parity;
    csv_put_fn put;
    bool fields; /* or only records */
};

CSV_INLINE void scan_blocks(const struct csv_scan *scan, const struct csv_span *span, struct csv_marks *marks,
                            const struct csv_loop loop)
{
    struct csv_scan_state state = {.place = CSV_AT_START};
    if (marks->state)
        state = *marks->state;
    uint8_t tail[64 + CSV_DELIMITER_BYTES_MAX];
    uint64_t high = 0, lines = 0;
    size_t at = 0;
    for (; at < span->limit; at += 64) {
        if (marks->capacity - (loop.fields ? marks->end_count : marks->record_count) < CSV_SCAN_SLACK)
            break;
        const uint8_t *block = span->data + at;
        size_t left = span->length - at;
        if (left < sizeof tail) {
            memset(tail, 0, sizeof tail);
            memcpy(tail, block, left);
            block = tail;
        }
        struct csv_masks masks;
        struct csv_found found = {0, 0};
        loop.compare(scan, block, &masks);
        size_t judged = span->limit - at < 64 ? span->limit - at : 64;
        if (judged < 64)
            cut_masks(&masks, judged);
        high |= masks.high;
        lines += (uint64_t)__builtin_popcountll(masks.lf & ~((masks.cr << 1) | (uint64_t)state.line_cr));
        if (masks.cr)
            lines += (uint64_t)__builtin_popcountll(masks.cr);
        state.line_cr = masks.cr >> (judged - 1) & 1;
        /* the state behind half a block is what the machine says */
        if ((judged < 64 && marks->state) || !scan_masks(scan, &masks, loop.parity, &state, &found))
            csv_scan_bytes(scan, span, &state, at, &found);
        if (loop.fields)
            keep_fields(marks, &found, at, loop.put);
        else
            marks->record_count += loop.put(marks->records + marks->record_count, found.records, at);
    }
    marks->reached = at < span->limit ? at : span->limit;
    marks->lines = lines;
    marks->ascii = high == 0;
    marks->quoted = state.place == CSV_IN_QUOTES;
    if (marks->state)
        *marks->state = state;
}

#endif
