/*
 * report.h: what haul tells at the end of a call, as text for people or as JSON
 * ("json" set). docs/json.md has the shapes. Texts are malloc'ed.
 */
#ifndef HAUL_REPORT_H
#define HAUL_REPORT_H

#include "base/buffer.h"
#include "job.h"

enum haul_code report_plan(struct haul_job *job, const char *json, char **report, struct haul_error *err);
enum haul_code report_verify(struct haul_job *job, const char *json, char **report, struct haul_error *err);
/* What a manifest of tables says; *tables false: the source is something else. */
enum haul_code report_tables(struct haul_job *job, bool *tables, char **report, struct haul_error *err);
enum haul_code report_inspect(struct haul_job *job, struct source *source, const struct source_info *info,
                              char **report, struct haul_error *err);

struct ping;
enum haul_code report_ping(const struct haul_job *job, const struct ping *ping, char **report,
                           struct haul_error *err);

/* For the report_*.c files: a malloc'ed copy of the text, and which form is wanted. */
enum haul_code report_take(struct buffer *text, char **report, struct haul_error *err);
bool report_as_json(const struct haul_job *job);

/* Columns a text takes on a terminal, if each character takes one; and a name
 * padded to `width` of them, because printf would count bytes. */
int report_width(const char *text);
enum haul_code report_name(const char *name, int width, struct buffer *out, struct haul_error *err);

/* A file of the lobby's own: written beside its name, then renamed. */
enum haul_code report_write_file(const char *path, const char *text, struct haul_error *err);

/* Writes --summary FILE when asked for; `failure` NULL when the run went well. */
enum haul_code report_summary(struct haul_job *job, const struct haul_result *result,
                              const struct haul_error *failure, struct haul_error *err);

#endif
