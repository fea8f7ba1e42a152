/*
 * format.c: BCP as a row of the registry. Its files have no magic and are not
 * guessed: they are told by their name or by --from.
 */
#include "format/bcp/bcp.h"
#include "format/bcp/input.h"
#include "format/bcp/output.h"

static const char *const suffixes[] = {".bcp", ".bcp.gz", ".bcp.zst", NULL};

const struct format format_bcp = {
    .name = "bcp",
    .suffixes = suffixes,
    .help = "SQL Server's bcp: native or text, described by a format file",
    .open_input = bcp_input_open,
    .negotiate = bcp_negotiate,
    .open_output = bcp_output_open,
    .piece_size = row_piece_size,
    .dictionaries = DICTIONARIES_TEXT,
    .empty_fine = true,
};
