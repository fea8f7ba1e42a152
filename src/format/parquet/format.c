/*
 * format.c: Parquet for the registry: reading is input.c and read.c, writing is
 * write.c.
 */
#include "format/parquet/input.h"
#include "format/parquet/parquet.h"
#include "format/parquet/write.h"

static const char *const suffixes[] = {".parquet", ".parq", ".pq", NULL};

static int parquet_sniff(const uint8_t *head, size_t length)
{
    bool plain = length >= PARQUET_MAGIC_BYTES && !memcmp(head, PARQUET_MAGIC, PARQUET_MAGIC_BYTES);
    bool encrypted = length >= PARQUET_MAGIC_BYTES && !memcmp(head, "PARE", PARQUET_MAGIC_BYTES);
    return plain || encrypted ? 100 : 0;
}

const struct format format_parquet = {
    .name = "parquet",
    .suffixes = suffixes,
    .help = "Apache Parquet, columns in row groups",
    .sniff = parquet_sniff,
    .open_input = parquet_open_input,
    .negotiate = parquet_negotiate,
    .open_output = parquet_open_output,
    .piece_size = parquet_piece_size,
    .adopts = true,
    .dictionaries = DICTIONARIES_TEXT,
};
