/*
 * file_sink.h: a sink that writes files of one format: one file, a folder of N
 * files with a manifest, or standard output.
 */
#ifndef HAUL_FORMAT_FILE_SINK_H
#define HAUL_FORMAT_FILE_SINK_H

#include "batch/sink.h"
#include "format/format.h"

enum haul_code file_sink_open(const char *name, const struct format *const *formats, const char *forced,
                              const struct context *context, struct sink **sink, struct haul_error *err);

#endif
