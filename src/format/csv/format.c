/*
 * format.c: CSV as a row of the registry: its name, suffixes and the functions
 * that open a file for reading (input.c) and writing (output.c).
 */
#include "format/csv/csv.h"
#include "format/csv/input.h"
#include "format/csv/output.h"

#include <string.h>

static const char *const suffixes[] = {".csv",     ".tsv",     ".tab",     ".psv",    ".csv.gz",
                                       ".csv.zst", ".tsv.gz",  ".tsv.zst", ".tab.gz", ".tab.zst",
                                       ".psv.gz",  ".psv.zst", NULL};

/* CSV has no magic: any text may be one, and so may what is compressed, or begins
 * with the mark of UTF-16. Other text with NULs is not likely to. */
static int sniff(const uint8_t *head, size_t length)
{
    struct file_head start = {.length = length < FILE_HEAD_BYTES ? length : FILE_HEAD_BYTES};
    memcpy(start.bytes, head, start.length);
    if (packing_by_magic(head, length) != PACKING_NONE || csv_charset_by_mark(&start)[0])
        return 10;
    return memchr(head, 0, length) ? 0 : 10;
}

const struct format format_csv = {
    .name = "csv",
    .suffixes = suffixes,
    .help = "text: fields by a delimiter, records by line",
    .sniff = sniff,
    .open_input = csv_input_open,
    .open_output = csv_output_open,
    .piece_size = row_piece_size,
    .dictionaries = DICTIONARIES_ALL,
};
