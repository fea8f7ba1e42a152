/*
 * head.h: what a combined file's footer takes from the files that were combined:
 * schema, version, key-value metadata.
 *
 * It goes with the records of row groups (group_note.h) into receipts, so that
 * another process can write the end: a record that begins with HEAD_MARK holds
 * the head as it is from there on.
 */
#ifndef HAUL_FORMAT_PARQUET_HEAD_H
#define HAUL_FORMAT_PARQUET_HEAD_H

#include "format/parquet/footer.h"

#define HEAD_MARK UINT32_MAX

struct head {
    bool any;
    struct file_metadata meta; /* without row groups; in what follows */
    struct buffer bytes;
    struct arena arena;
};
void head_release(struct head *head);

/* The first file's is taken over; of a later one's keys those stay that both have
 * with the same value. *changed: it is another one now; `dropped` gets a key that
 * went, "" when none did. */
#define HEAD_KEY_BYTES 64
enum haul_code head_merge(struct head *head, const struct file_metadata *meta, bool *changed,
                          char dropped[HEAD_KEY_BYTES], struct haul_error *err);

/* Appends its record. */
enum haul_code head_write(const struct head *head, struct buffer *out, struct haul_error *err);

/* Does `data` begin with a head's record? */
bool head_is_next(struct slice data);
size_t head_skip(struct slice data); /* the length of one that was read before */
enum haul_code head_read(struct head *head, struct slice data, size_t *used, struct haul_error *err);

#endif
