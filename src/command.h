/*
 * command.h: the commands that are more than one copy: import by way of staging
 * tables, and what follows a combine.
 */
#ifndef HAUL_COMMAND_H
#define HAUL_COMMAND_H

#include "job.h"

/* After haul_settle: by staging tables where that pays, else straight into the table. */
enum haul_code import_run(struct haul_job *job, struct haul_result *result, struct haul_error *err);

/* "combine-" and a hash of what is combined: done once, whoever begins it again. In the job's arena. */
enum haul_code combine_run_name(struct haul_job *job, const char *tables, struct haul_error *err);

/* Are these the names of an import's staging tables (T_01_a1b2c3d4), one a line? */
bool staging_names(const char *tables);

/* Drops the staging tables, one a line, at the job's target. */
enum haul_code staging_drop(struct haul_job *job, const char *tables, struct haul_error *err);

/* {"version":2,"type":TYPE,"entries":[NAME]}, and "rows" unless -1. */
enum haul_code manifest_write_one(const char *path, const char *type, const char *name, int64_t rows,
                                  struct haul_error *err);

#endif
