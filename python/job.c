/*
 * job.c: haul._haul.Job: a haul_job with a method for each call of haul.h. The
 * package beside it (haul/) gives these their Python shape.
 */
#include "job.h"
#include "call.h"
#include <stdlib.h>
#include <string.h>

struct job_object {
    PyObject_HEAD struct haul_job *job;
    PyObject *callback;
    bool busy; /* a job is used by one thread at a time */
};

static PyObject *job_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    struct haul_error err = {0};
    allocfunc alloc = (allocfunc)PyType_GetSlot(type, Py_tp_alloc);
    if (!PyArg_ParseTuple(args, ":Job") || (kwargs && PyDict_Size(kwargs) > 0))
        return NULL;
    struct job_object *self = (struct job_object *)alloc(type, 0);
    if (self && haul_job_new(&self->job, &err)) {
        Py_DECREF(self);
        return call_raise(&err, NULL);
    }
    return (PyObject *)self;
}

static void job_dealloc(PyObject *object)
{
    struct job_object *self = (struct job_object *)object;
    PyTypeObject *type = Py_TYPE(object);
    freefunc release = (freefunc)PyType_GetSlot(type, Py_tp_free);
    haul_job_free(self->job);
    Py_XDECREF(self->callback);
    release(object);
    Py_DECREF(type);
}

/* NULL stands for "raised": code, report and any exception are seen to here. */
static bool run(struct job_object *self, call_fn fn, void *arg, struct haul_error *err)
{
    struct call_request request = {.job = self->job, .run = fn, .arg = arg, .callback = self->callback};
    memset(err, 0, sizeof *err);
    if (self->busy) {
        PyErr_SetString(PyExc_RuntimeError, "this job is running in another thread");
        return false;
    }
    self->busy = true;
    enum haul_code code = call_run(&request, err);
    self->busy = false;
    return code == HAUL_OK && !PyErr_Occurred();
}

static PyObject *failed(const struct haul_error *err, const char *report)
{
    return PyErr_Occurred() ? NULL : call_raise(err, report);
}

/* ---- options ---- */

static PyObject *job_set(PyObject *object, PyObject *args)
{
    struct job_object *self = (struct job_object *)object;
    struct haul_error err = {0};
    const char *name, *value;
    if (!PyArg_ParseTuple(args, "ss:set", &name, &value))
        return NULL;
    if (haul_job_set(self->job, name, value, &err))
        return call_raise(&err, NULL);
    Py_RETURN_NONE;
}

static PyObject *job_on_event(PyObject *object, PyObject *callback)
{
    struct job_object *self = (struct job_object *)object;
    PyObject *before = self->callback;
    Py_INCREF(callback);
    self->callback = callback;
    Py_XDECREF(before);
    Py_RETURN_NONE;
}

static PyObject *job_cancel(PyObject *object, PyObject *ignored)
{
    (void)ignored;
    haul_job_cancel(((struct job_object *)object)->job);
    Py_RETURN_NONE;
}

/* ---- copying ---- */

static PyObject *result_dict(const struct haul_result *result)
{
    return Py_BuildValue("{sLsLsLsLsLsLsdsOsNsN}", "rows", (long long)result->rows, "rows_resumed",
                         (long long)result->rows_resumed, "rejects", (long long)result->rejects, "losses",
                         (long long)result->losses, "bytes_read", (long long)result->bytes_read,
                         "bytes_written", (long long)result->bytes_written, "seconds", result->seconds,
                         "already_complete", result->already_complete ? Py_True : Py_False, "hash",
                         call_text(result->hash), "run", call_text(result->run));
}

static enum haul_code do_copy(struct haul_job *job, void *arg, struct haul_error *err)
{
    return haul_copy(job, arg, err);
}

static PyObject *job_copy(PyObject *object, PyObject *ignored)
{
    (void)ignored;
    struct haul_error err;
    struct haul_result result = {0};
    if (!run((struct job_object *)object, do_copy, &result, &err))
        return failed(&err, NULL);
    return result_dict(&result);
}

struct commanding {
    unsigned command;
    struct haul_result result;
};

static enum haul_code do_command(struct haul_job *job, void *arg, struct haul_error *err)
{
    struct commanding *commanding = arg;
    return haul_command(job, commanding->command, &commanding->result, err);
}

static PyObject *job_command(PyObject *object, unsigned command)
{
    struct haul_error err;
    struct commanding commanding = {.command = command};
    if (!run((struct job_object *)object, do_command, &commanding, &err))
        return failed(&err, NULL);
    return result_dict(&commanding.result);
}

static PyObject *job_export(PyObject *object, PyObject *ignored)
{
    (void)ignored;
    return job_command(object, HAUL_FOR_EXPORT);
}

static PyObject *job_import(PyObject *object, PyObject *ignored)
{
    (void)ignored;
    return job_command(object, HAUL_FOR_IMPORT);
}

static PyObject *job_combine(PyObject *object, PyObject *ignored)
{
    (void)ignored;
    return job_command(object, HAUL_FOR_COMBINE);
}

struct writing {
    struct ArrowArrayStream *in;
    struct haul_result result;
};

static enum haul_code do_write(struct haul_job *job, void *arg, struct haul_error *err)
{
    struct writing *writing = arg;
    return haul_write(job, writing->in, &writing->result, err);
}

static PyObject *job_write(PyObject *object, PyObject *capsule)
{
    struct haul_error err;
    struct writing writing = {.in = PyCapsule_GetPointer(capsule, "arrow_array_stream")};
    if (!writing.in)
        return NULL;
    if (!writing.in->release) {
        PyErr_SetString(PyExc_ValueError, "the Arrow stream was read before");
        return NULL;
    }
    if (!run((struct job_object *)object, do_write, &writing, &err))
        return failed(&err, NULL);
    return result_dict(&writing.result);
}

/* ---- reports ---- */

typedef enum haul_code (*report_fn)(struct haul_job *job, char **report, struct haul_error *err);

struct reporting {
    report_fn fn;
    char *report;
};

static enum haul_code do_report(struct haul_job *job, void *arg, struct haul_error *err)
{
    struct reporting *reporting = arg;
    return reporting->fn(job, &reporting->report, err);
}

static PyObject *job_report(PyObject *object, report_fn fn)
{
    struct haul_error err;
    struct reporting reporting = {.fn = fn};
    bool done = run((struct job_object *)object, do_report, &reporting, &err);
    PyObject *answer =
        done ? call_text(reporting.report ? reporting.report : "") : failed(&err, reporting.report);
    haul_free(reporting.report);
    return answer;
}

static PyObject *job_plan(PyObject *object, PyObject *ignored)
{
    (void)ignored;
    return job_report(object, haul_plan);
}

static PyObject *job_verify(PyObject *object, PyObject *ignored)
{
    (void)ignored;
    return job_report(object, haul_verify);
}

static PyObject *job_inspect(PyObject *object, PyObject *ignored)
{
    (void)ignored;
    return job_report(object, haul_inspect);
}

static PyObject *job_purge(PyObject *object, PyObject *ignored)
{
    (void)ignored;
    return job_report(object, haul_purge);
}

/* ---- the list of tables: gathered without the GIL, made Python's afterwards ---- */

struct listing {
    struct haul_table *tables; /* their texts are ours */
    size_t count, room;
    bool full; /* no memory */
};

static void list_each(void *user, const struct haul_table *table)
{
    struct listing *listing = user;
    if (listing->count == listing->room) {
        size_t room = listing->room ? listing->room * 2 : 32;
        struct haul_table *tables = realloc(listing->tables, room * sizeof *tables);
        listing->full |= !tables;
        if (!tables)
            return;
        listing->tables = tables;
        listing->room = room;
    }
    struct haul_table *to = &listing->tables[listing->count++];
    *to = *table;
    to->schema = table->schema ? strdup(table->schema) : NULL;
    to->name = strdup(table->name);
    to->kind = strdup(table->kind);
    listing->full |= !to->name || !to->kind || (table->schema && !to->schema);
}

static enum haul_code do_list(struct haul_job *job, void *arg, struct haul_error *err)
{
    return haul_list(job, list_each, arg, err);
}

static PyObject *listing_list(const struct listing *listing)
{
    PyObject *list = PyList_New(0);
    for (size_t i = 0; list && i < listing->count; i++) {
        const struct haul_table *table = &listing->tables[i];
        PyObject *one = Py_BuildValue("(NNNLOL)", call_text(table->schema), call_text(table->name),
                                      call_text(table->kind), (long long)table->rows,
                                      table->rows_exact ? Py_True : Py_False, (long long)table->bytes);
        if (!one || PyList_Append(list, one)) {
            Py_DECREF(list);
            list = NULL;
        }
        Py_XDECREF(one);
    }
    return list;
}

static PyObject *job_list(PyObject *object, PyObject *ignored)
{
    (void)ignored;
    struct haul_error err;
    struct listing listing = {0};
    bool done = run((struct job_object *)object, do_list, &listing, &err);
    PyObject *answer = !done ? failed(&err, NULL) : listing.full ? PyErr_NoMemory() : listing_list(&listing);
    for (size_t i = 0; i < listing.count; i++) {
        free((void *)(uintptr_t)listing.tables[i].schema);
        free((void *)(uintptr_t)listing.tables[i].name);
        free((void *)(uintptr_t)listing.tables[i].kind);
    }
    free(listing.tables);
    return answer;
}

/* ---- streams ---- */

static enum haul_code do_read(struct haul_job *job, void *arg, struct haul_error *err)
{
    return haul_read(job, arg, err);
}

/* Who takes the stream out of the capsule leaves release NULL. */
static void stream_destroy(PyObject *capsule)
{
    struct ArrowArrayStream *stream = PyCapsule_GetPointer(capsule, "arrow_array_stream");
    if (stream && stream->release)
        stream->release(stream);
    free(stream);
}

static PyObject *job_read(PyObject *object, PyObject *ignored)
{
    (void)ignored;
    struct haul_error err;
    struct ArrowArrayStream *stream = calloc(1, sizeof *stream);
    if (!stream)
        return PyErr_NoMemory();
    PyObject *capsule = NULL;
    bool done = run((struct job_object *)object, do_read, stream, &err);
    if (done)
        capsule = PyCapsule_New(stream, "arrow_array_stream", stream_destroy);
    else
        failed(&err, NULL);
    if (capsule)
        return capsule;
    if (stream->release)
        stream->release(stream);
    free(stream);
    return NULL;
}

static PyMethodDef methods[] = {
    {"set", job_set, METH_VARARGS, "set(name, value): one option, as on the command line"},
    {"on_event", job_on_event, METH_O, "on_event(callback): called with each event's fields"},
    {"cancel", job_cancel, METH_NOARGS, "cancel(): asks the running call to stop; from any thread"},
    {"copy", job_copy, METH_NOARGS, "copy() -> dict"},
    {"write", job_write, METH_O, "write(capsule) -> dict; takes the stream"},
    {"export_", job_export, METH_NOARGS, "export_() -> dict; the whole command, as import_ and combine"},
    {"import_", job_import, METH_NOARGS, "import_() -> dict"},
    {"combine", job_combine, METH_NOARGS, "combine() -> dict"},
    {"purge", job_purge, METH_NOARGS, "purge() -> str"},
    {"plan", job_plan, METH_NOARGS, "plan() -> str"},
    {"verify", job_verify, METH_NOARGS, "verify() -> str"},
    {"inspect", job_inspect, METH_NOARGS, "inspect() -> str"},
    {"list", job_list, METH_NOARGS, "list() -> [(schema, name, kind, rows, rows_exact, bytes)]"},
    {"read", job_read, METH_NOARGS, "read() -> capsule arrow_array_stream"},
    {NULL, NULL, 0, NULL},
};

PyObject *job_type_new(void)
{
    PyType_Slot slots[] = {{Py_tp_new, (void *)job_new},
                           {Py_tp_dealloc, (void *)job_dealloc},
                           {Py_tp_methods, methods},
                           {Py_tp_doc, "A piece of work: options, then one call."},
                           {0, NULL}};
    PyType_Spec spec = {.name = "haul._haul.Job",
                        .basicsize = sizeof(struct job_object),
                        .flags = Py_TPFLAGS_DEFAULT,
                        .slots = slots};
    return PyType_FromSpec(&spec);
}
