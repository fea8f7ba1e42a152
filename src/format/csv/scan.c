/*
 * scan.c: the scan's definition (the state machine), its portable loop, and what
 * is the same for every loop: cuts, the last record, places.
 *
 * The portable loop compares eight bytes at a time within one 64-bit word and
 * spreads parity by shifts; about 1.5 GB/s. The AVX2 loop does the same with
 * vectors and one carry-less multiplication.
 */
#include "format/csv/scan.h"

#include "format/csv/scan_loop.h"

#include <assert.h>
#include <string.h>

static bool delimiter_here(const struct csv_scan *scan, const struct csv_span *span, size_t at)
{
    return span->length - at >= scan->delimiter_length &&
           memcmp(span->data + at, scan->delimiter, scan->delimiter_length) == 0;
}

/* One byte outside of quotes. Returns true when a field ends with it. */
static bool plain_byte(const struct csv_scan *scan, const struct csv_span *span, struct csv_scan_state *state,
                       size_t at)
{
    int byte = span->data[at];
    if (byte == scan->escape) {
        state->escaped = true;
        state->place = CSV_IN_PLAIN;
        return false;
    }
    if (byte == '\n' || byte == '\r') {
        state->after_cr = byte == '\r';
        state->place = CSV_AT_START;
        state->within = false;
        return true;
    }
    if (delimiter_here(scan, span, at)) {
        state->skip = (unsigned)scan->delimiter_length - 1;
        state->place = CSV_AT_START;
        return true;
    }
    state->place = CSV_IN_PLAIN;
    return false;
}

/* One byte of the machine. Returns true when a field ends with it. */
static bool scan_byte(const struct csv_scan *scan, const struct csv_span *span, struct csv_scan_state *state,
                      size_t at)
{
    int byte = span->data[at];
    bool after_cr = state->after_cr;
    state->after_cr = false;
    if (state->skip) {
        state->skip--;
        return false;
    }
    if (state->escaped) {
        state->escaped = false;
        return false;
    }
    if (after_cr && byte == '\n')
        return false;
    bool begins = !state->within;
    state->within = true;
    if (state->place == CSV_IN_COMMENT)
        return (byte == '\n' || byte == '\r') && plain_byte(scan, span, state, at);
    if (begins && byte == scan->comment) {
        state->place = CSV_IN_COMMENT;
        return false;
    }
    if (state->place == CSV_IN_QUOTES) {
        if (byte == scan->escape)
            state->escaped = true;
        else if (byte == scan->quote)
            state->place = CSV_AFTER_QUOTES;
        return false;
    }
    bool opens =
        state->place == CSV_AT_START || (state->place == CSV_AFTER_QUOTES && scan->escape == CSV_NONE);
    if (byte == scan->quote && opens) {
        state->place = CSV_IN_QUOTES;
        return false;
    }
    return plain_byte(scan, span, state, at);
}

void csv_scan_bytes(const struct csv_scan *scan, const struct csv_span *span, struct csv_scan_state *state,
                    size_t from, struct csv_found *found)
{
    size_t to = span->limit - from < 64 ? span->limit : from + 64;
    found->ends = found->records = 0;
    for (size_t at = from; at < to; at++) {
        if (!scan_byte(scan, span, state, at))
            continue;
        uint64_t bit = (uint64_t)1 << (at - from);
        found->ends |= bit;
        if (span->data[at] == '\n' || span->data[at] == '\r')
            found->records |= bit;
    }
}

/* ---- the portable loop ---- */

/* A bit for each byte of `word` that equals the byte repeated in `pattern`. */
CSV_INLINE uint64_t equal_bits(uint64_t word, uint64_t pattern)
{
    const uint64_t low7 = 0x7f7f7f7f7f7f7f7fu;
    uint64_t difference = word ^ pattern;
    uint64_t zero = ~(((difference & low7) + low7) | difference | low7);
    return ((zero >> 7) * 0x0102040810204080u) >> 56;
}

CSV_INLINE uint64_t equal_mask(const uint8_t *block, int byte)
{
    uint64_t mask = 0, pattern = 0x0101010101010101u * (uint64_t)(uint8_t)byte;
    for (size_t i = 0; i < 8; i++) {
        uint64_t word;
        memcpy(&word, block + i * 8, 8);
        mask |= equal_bits(word, pattern) << (i * 8);
    }
    return mask;
}

CSV_INLINE uint64_t high_bytes(const uint8_t *block)
{
    uint64_t all = 0;
    for (size_t i = 0; i < 8; i++) {
        uint64_t word;
        memcpy(&word, block + i * 8, 8);
        all |= word;
    }
    return all & 0x8080808080808080u;
}

CSV_INLINE void compare_plain(const struct csv_scan *scan, const uint8_t *block, struct csv_masks *masks)
{
    masks->quote = scan->quote >= 0 ? equal_mask(block, scan->quote) : 0;
    masks->escape = scan->escape >= 0 ? equal_mask(block, scan->escape) : 0;
    masks->lf = equal_mask(block, '\n');
    masks->cr = equal_mask(block, '\r');
    masks->delimiter = equal_mask(block, scan->delimiter[0]);
    for (size_t i = 1; i < scan->delimiter_length; i++)
        masks->delimiter &= equal_mask(block + i, scan->delimiter[i]);
    if (scan->comment >= 0)
        masks->escape |= equal_mask(block, scan->comment);
    masks->high = high_bytes(block) ? ~(uint64_t)0 : 0;
}

CSV_INLINE uint64_t parity_plain(uint64_t bits)
{
    bits ^= bits << 1;
    bits ^= bits << 2;
    bits ^= bits << 4;
    bits ^= bits << 8;
    bits ^= bits << 16;
    return bits ^ (bits << 32);
}

CSV_INLINE size_t put_plain(uint32_t *out, uint64_t bits, size_t base)
{
    size_t count = 0;
    for (; bits; bits &= bits - 1)
        out[count++] = (uint32_t)(base + (size_t)__builtin_ctzll(bits));
    return count;
}

void csv_scan_fields_plain(const struct csv_scan *scan, const struct csv_span *span, struct csv_marks *marks)
{
    scan_blocks(scan, span, marks, (struct csv_loop){compare_plain, parity_plain, put_plain, true});
}

void csv_scan_records_plain(const struct csv_scan *scan, const struct csv_span *span, struct csv_marks *marks)
{
    scan_blocks(scan, span, marks, (struct csv_loop){compare_plain, parity_plain, put_plain, false});
}

/* ---- the same for every loop ---- */

void csv_scan_init(struct csv_scan *scan, const struct csv_dialect *dialect, const struct cpu_features *cpu)
{
    memset(scan, 0, sizeof *scan);
    memcpy(scan->delimiter, dialect->delimiter, sizeof scan->delimiter);
    scan->delimiter_length = dialect->delimiter_length;
    scan->quote = dialect->quote;
    scan->escape = dialect->escape;
    scan->comment = dialect->comment;
    scan->fields = csv_scan_fields_plain;
    scan->records = csv_scan_records_plain;
    csv_scan_choose(scan, cpu);
}

/* At most 255 bytes, so that a byte can count them. */
static uint64_t count_some_lines(const uint8_t *data, size_t length)
{
    uint8_t lines = 0, pairs = 0;
    for (size_t i = 0; i < length; i++) {
        lines = (uint8_t)(lines + (data[i] == '\n') + (data[i] == '\r'));
        pairs = (uint8_t)(pairs + ((data[i] == '\n') & (data[(ptrdiff_t)i - 1] == '\r')));
    }
    return (uint64_t)(lines - pairs);
}

uint64_t csv_scan_count_lines(const uint8_t *data, size_t length)
{
    if (length == 0)
        return 0;
    uint64_t lines = data[0] == '\n' || data[0] == '\r';
    for (size_t i = 1; i < length; i += 255)
        lines += count_some_lines(data + i, length - i < 255 ? length - i : 255);
    return lines;
}

/* Where the record after the line end at `end` begins. */
static size_t after_line_end(const uint8_t *data, size_t length, size_t end)
{
    bool two = data[end] == '\r' && end + 1 < length && data[end + 1] == '\n';
    return end + (two ? 2 : 1);
}

/* Where the last record that is not complete has its open quote: its last field. */
static size_t open_field(const struct csv_scan *scan, const struct csv_marks *marks)
{
    if (!marks->ends || marks->end_count == marks->fields_complete)
        return marks->complete;
    return marks->ends[marks->end_count - 1] + scan->delimiter_length;
}

/* A record that ends with the data, not with a line end. */
static void close_last(struct csv_marks *marks, size_t length)
{
    if (marks->ends) {
        marks->ends[marks->end_count++] = (uint32_t)length;
        marks->records[marks->record_count++] = (uint32_t)marks->end_count;
        marks->fields_complete = marks->end_count;
    } else {
        marks->records[marks->record_count++] = (uint32_t)length;
    }
    marks->complete = length;
}

size_t csv_scan_ahead(const struct csv_scan *scan)
{
    return scan->delimiter_length > 2 ? scan->delimiter_length - 1 : 1;
}

void csv_scan_run(const struct csv_scan *scan, const uint8_t *data, size_t length, bool final,
                  struct csv_marks *marks)
{
    size_t ahead = csv_scan_ahead(scan);
    struct csv_span span = {data, length, final ? length : length > ahead ? length - ahead : 0};
    assert(length <= CSV_SCAN_LENGTH_MAX);
    marks->end_count = marks->record_count = 0;
    (marks->ends ? scan->fields : scan->records)(scan, &span, marks);

    marks->full = marks->reached < span.limit;
    marks->complete = marks->fields_complete = 0;
    if (marks->state)
        return;
    if (marks->record_count) {
        size_t last = marks->records[marks->record_count - 1];
        marks->fields_complete = marks->ends ? last : 0;
        marks->complete = after_line_end(data, length, marks->ends ? marks->ends[last - 1] : last);
    }
    marks->quote_at = marks->quoted ? open_field(scan, marks) : 0;
    if (final && !marks->full && marks->complete < length && !marks->quoted)
        close_last(marks, length);
    if (marks->reached > marks->complete)
        marks->lines -= csv_scan_count_lines(data + marks->complete, marks->reached - marks->complete);
}
