/* job.h: the type haul._haul.Job. */
#ifndef HAUL_PYTHON_JOB_H
#define HAUL_PYTHON_JOB_H

#include "call.h"

PyObject *job_type_new(void);

#endif
