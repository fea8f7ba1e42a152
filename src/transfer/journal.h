/*
 * journal.h: what a run without a ledger has committed: one JSON object a line,
 * each with the CRC-32 of itself, each durable before the next unit counts.
 */
#ifndef HAUL_TRANSFER_JOURNAL_H
#define HAUL_TRANSFER_JOURNAL_H

#include "base/file.h"
#include "batch/sink.h"

#define JOURNAL_BYTES_MAX ((int64_t)1 << 30)

struct journal {
    struct file file; /* fd 0 in an all-zero journal is not ours: `open` says */
    bool open;
};

uint32_t journal_crc(const void *data, size_t length); /* CRC-32 (IEEE 802.3) */

/* Writes a journal of these receipts, in one step: temporary name, sync, rename;
 * then opens it for more. `plan` is the text it is bound to. */
enum haul_code journal_create(struct journal *journal, const char *path, const char *plan,
                              const struct receipt *receipts, size_t count, struct haul_error *err);

/* Appends a unit and syncs. */
enum haul_code journal_append(struct journal *journal, const struct receipt *receipt, struct haul_error *err);
void journal_close(struct journal *journal);

/* Reads the receipts into record->receipts (in record->arena). A torn last line
 * is left out; a damaged one elsewhere, or another plan, is HAUL_INTEGRITY. An
 * absent journal has no receipts. */
enum haul_code journal_read(const char *path, const char *plan, struct run_record *record,
                            struct haul_error *err);

/* One receipt as a line with its CRC, and back; also what `finished` holds. */
enum haul_code journal_print(const char *type, const struct receipt *receipt, struct buffer *out,
                             struct haul_error *err);
enum haul_code journal_parse(const char *line, size_t length, const char *type, struct receipt *receipt,
                             struct arena *arena, struct haul_error *err);

#endif
