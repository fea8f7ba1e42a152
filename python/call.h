/*
 * call.h: one call of libhaul on behalf of Python.
 *
 * libhaul works in a thread of its own while the caller's waits without the GIL;
 * every CALL_WAIT_MS the caller looks for signals, so that Ctrl-C stops a run at
 * once whatever it waits for. Events are handed to the caller's thread: a
 * callback runs where the call was made, never in a thread Python does not know.
 */
#ifndef HAUL_PYTHON_CALL_H
#define HAUL_PYTHON_CALL_H

#define Py_LIMITED_API 0x03090000
#include "haul.h"
#include <Python.h>

typedef enum haul_code (*call_fn)(struct haul_job *job, void *arg, struct haul_error *err);

struct call_request {
    struct haul_job *job;
    call_fn run;
    void *arg;
    PyObject *callback; /* gets each event's fields; may be NULL */
};

/* Runs it and waits. Returns the code; *err is filled when it is not HAUL_OK. A
 * Python exception meanwhile (a signal's or the callback's) cancels the job and
 * is set on return: it goes before *err. */
enum haul_code call_run(const struct call_request *request, struct haul_error *err);

/* Text of a file or a server may not be UTF-8: what is not becomes U+FFFD. NULL gives None. */
PyObject *call_text(const char *text);

/* Raises haul.Error; `report` may be NULL. Returns NULL. */
PyObject *call_raise(const struct haul_error *err, const char *report);

#endif
