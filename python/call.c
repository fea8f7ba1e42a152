/*
 * call.c: see call.h. The two threads meet at one mutex: `event` is set by the
 * thread that works, which then waits until the other has taken it.
 */
#include "call.h"
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <time.h>

#define CALL_WAIT_MS 50

struct call {
    const struct call_request *request;
    struct haul_error *err;
    enum haul_code code;
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    const struct haul_event *event; /* on the working thread's stack; NULL: none waits */
    bool done;
};

PyObject *call_text(const char *text)
{
    if (!text)
        Py_RETURN_NONE;
    return PyUnicode_DecodeUTF8(text, (Py_ssize_t)strlen(text), "replace");
}

PyObject *call_raise(const struct haul_error *err, const char *report)
{
    PyObject *module = PyImport_ImportModule("haul._errors");
    PyObject *type = module ? PyObject_GetAttrString(module, "Error") : NULL;
    static const char *const sides[] = {"", "source", "target"};
    PyObject *made = type ? PyObject_CallFunction(type, "NsssiOiN", call_text(err->message),
                                                  haul_code_name(err->code), sides[err->side], err->sqlstate,
                                                  (int)err->vendor_code, err->retryable ? Py_True : Py_False,
                                                  haul_exit_code(err), call_text(report))
                          : NULL;
    if (made)
        PyErr_SetObject(type, made);
    Py_XDECREF(made);
    Py_XDECREF(type);
    Py_XDECREF(module);
    return NULL;
}

/* ---- the thread that works ---- */

static void on_event(void *user, const struct haul_event *event)
{
    struct call *call = user;
    pthread_mutex_lock(&call->mutex);
    call->event = event;
    pthread_cond_broadcast(&call->changed);
    while (call->event)
        pthread_cond_wait(&call->changed, &call->mutex);
    pthread_mutex_unlock(&call->mutex);
}

static void *work(void *user)
{
    struct call *call = user;
    enum haul_code code = call->request->run(call->request->job, call->request->arg, call->err);
    pthread_mutex_lock(&call->mutex);
    call->code = code;
    call->done = true;
    pthread_cond_broadcast(&call->changed);
    pthread_mutex_unlock(&call->mutex);
    return NULL;
}

/* Python's signals are for its own threads. */
static int start(struct call *call, pthread_t *thread)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int errnum = pthread_create(thread, NULL, work, call);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return errnum;
}

/* ---- the caller's thread ---- */

static PyObject *event_give(PyObject *callback, const struct haul_event *event)
{
    static const char *const kinds[] = {"start", "note", "warning", "progress", "finish"};
    return PyObject_CallFunction(callback, "sNNNNLLLLd", kinds[event->kind], call_text(event->run),
                                 call_text(event->table), call_text(event->message),
                                 call_text(event->waiting), (long long)event->rows,
                                 (long long)event->rows_expected, (long long)event->bytes_read,
                                 (long long)event->bytes_written, event->seconds);
}

/* Waits, at most CALL_WAIT_MS, for an event or the end; without the GIL. */
static const struct haul_event *wait_for(struct call *call, bool *done)
{
    struct timespec until;
    const struct haul_event *event;
    Py_BEGIN_ALLOW_THREADS clock_gettime(CLOCK_REALTIME, &until);
    until.tv_nsec += CALL_WAIT_MS * 1000000L;
    until.tv_sec += until.tv_nsec / 1000000000L;
    until.tv_nsec %= 1000000000L;
    pthread_mutex_lock(&call->mutex);
    int errnum = 0;
    while (!call->event && !call->done && errnum != ETIMEDOUT)
        errnum = pthread_cond_timedwait(&call->changed, &call->mutex, &until);
    event = call->event;
    *done = call->done;
    pthread_mutex_unlock(&call->mutex);
    Py_END_ALLOW_THREADS return event;
}

static void event_taken(struct call *call)
{
    pthread_mutex_lock(&call->mutex);
    call->event = NULL;
    pthread_cond_broadcast(&call->changed);
    pthread_mutex_unlock(&call->mutex);
}

/* An exception that is pending while we wait on is kept aside: the first one counts. */
struct kept {
    PyObject *type, *value, *traceback;
};

static void keep(struct kept *kept, struct haul_job *job)
{
    haul_job_cancel(job);
    if (kept->type)
        PyErr_Clear();
    else
        PyErr_Fetch(&kept->type, &kept->value, &kept->traceback);
}

static void attend(struct call *call, struct kept *kept)
{
    const struct call_request *request = call->request;
    bool done = false;
    while (!done) {
        const struct haul_event *event = wait_for(call, &done);
        if (event) {
            PyObject *answer = request->callback && !kept->type ? event_give(request->callback, event) : NULL;
            Py_XDECREF(answer);
            if (PyErr_Occurred())
                keep(kept, request->job);
            event_taken(call);
            done = false;
        }
        if (PyErr_CheckSignals())
            keep(kept, request->job);
    }
}

enum haul_code call_run(const struct call_request *request, struct haul_error *err)
{
    pthread_t thread;
    struct kept kept = {0};
    struct call call = {.request = request, .err = err};
    pthread_mutex_init(&call.mutex, NULL);
    pthread_cond_init(&call.changed, NULL);
    haul_job_on_event(request->job, on_event, &call);
    int errnum = start(&call, &thread);
    if (errnum) {
        errno = errnum;
        PyErr_SetFromErrno(PyExc_OSError);
        call.code = HAUL_NOMEM;
    } else {
        attend(&call, &kept);
        pthread_join(thread, NULL);
    }
    haul_job_on_event(request->job, NULL, NULL);
    pthread_cond_destroy(&call.changed);
    pthread_mutex_destroy(&call.mutex);
    if (kept.type)
        PyErr_Restore(kept.type, kept.value, kept.traceback);
    return call.code;
}
