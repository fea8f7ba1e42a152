/*
 * decompress.h: a file that is compressed as a whole, as a stream of what it
 * holds: gzip (any number of members) and zstd (any number of frames).
 *
 * The result is an input_file without a size: offsets rise without gaps. To read
 * a compressed file again, open it again.
 */
#ifndef HAUL_FORMAT_DECOMPRESS_H
#define HAUL_FORMAT_DECOMPRESS_H

#include "store/store.h"

enum packing { PACKING_NONE, PACKING_GZIP, PACKING_ZSTD };

const char *packing_name(enum packing packing); /* "none", "gzip", "zstd" */

/* By the first bytes, and by the end of a name (".gz", ".zst", in any case). */
enum packing packing_by_magic(const uint8_t *head, size_t length);
enum packing packing_by_suffix(const char *name);

/* First bytes of a file that were read already; a stream does not give them twice. */
#define FILE_HEAD_BYTES 16
struct file_head {
    uint8_t bytes[FILE_HEAD_BYTES];
    size_t length;
};

/* Reads up to FILE_HEAD_BYTES from the file's start. */
enum haul_code file_head_read(struct input_file *file, struct file_head *head, struct haul_error *err);

/* `packed` is borrowed and outlives the result; `head` are its first bytes when
 * they were read before, else NULL. Nothing is read or allocated for data before
 * the first read_at. Errors name the byte of the compressed file. */
enum haul_code decompress_open(struct input_file *packed, enum packing packing, const struct file_head *head,
                               const struct context *context, struct input_file **file,
                               struct haul_error *err);

#endif
