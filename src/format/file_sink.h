/*
 * file_sink.h: a sink that writes files of one format: one file, a folder of N
 * files with a manifest, or standard output.
 *
 * What the transfer has to know beyond batch/sink.h:
 * - open() is asked for every part, those with a receipt too: it answers DONE
 *   only for receipts that count (docs/unit.md, "One file, in order").
 * - Receipts handed to prepare carry unit.parts, the number of parts of the plan.
 * - negotiate fills the terms also when it answers HAUL_EXISTS: what is there may
 *   be what a stopped run has published itself, which its receipts show in prepare.
 *   prepare answers HAUL_EXISTS when there are none.
 * - The manifest handed to finish is a JSON object; an empty array "entries" at
 *   its top level is filled with the files: {"name":...,"rows":...,"bytes":...}.
 */
#ifndef HAUL_FORMAT_FILE_SINK_H
#define HAUL_FORMAT_FILE_SINK_H

#include "batch/sink.h"
#include "format/format.h"

/* `formats` is the registry's NULL-terminated list, `forced` is --to or NULL. A
 * folder without either a suffix or --to gets the list's first format. `context`
 * is copied. */
enum haul_code file_sink_open(const char *name, const struct format *const *formats, const char *forced,
                              const struct context *context, struct sink **sink, struct haul_error *err);

#endif
