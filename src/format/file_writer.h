/* file_writer.h: a writer of one part into one output file. Inner to file_sink. */
#ifndef HAUL_FORMAT_FILE_WRITER_H
#define HAUL_FORMAT_FILE_WRITER_H

#include "format/file_output.h"

enum haul_code file_writer_open(struct file_output *output, const struct context *context,
                                const struct unit *unit, struct writer **writer, struct haul_error *err);

#endif
