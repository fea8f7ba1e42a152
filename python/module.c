/* module.c: haul._haul: the type Job, and what the library says of itself. */
#include "job.h"

static PyObject *features(PyObject *module, PyObject *ignored)
{
    (void)module;
    (void)ignored;
    char line[256];
    PyObject *list = PyList_New(0);
    for (size_t i = 0; list && haul_feature(i, line, sizeof line); i++) {
        PyObject *text = call_text(line);
        if (!text || PyList_Append(list, text)) {
            Py_DECREF(list);
            list = NULL;
        }
        Py_XDECREF(text);
    }
    return list;
}

/* What a keyword argument may be called: {name: kind}. */
static PyObject *options(PyObject *module, PyObject *ignored)
{
    (void)module;
    (void)ignored;
    static const char *const kinds[] = {"flag", "number", "size", "text", "choice", "path"};
    size_t count;
    const struct haul_option *table = haul_options(&count);
    PyObject *dict = PyDict_New();
    for (size_t i = 0; dict && i < count; i++) {
        PyObject *kind = call_text(kinds[table[i].kind]);
        if (!kind || PyDict_SetItemString(dict, table[i].name, kind)) {
            Py_DECREF(dict);
            dict = NULL;
        }
        Py_XDECREF(kind);
    }
    return dict;
}

static PyMethodDef functions[] = {
    {"features", features, METH_NOARGS, "features() -> list of lines about libraries and features"},
    {"options", options, METH_NOARGS, "options() -> {name: kind}"},
    {NULL, NULL, 0, NULL},
};

static int module_exec(PyObject *module)
{
    PyObject *type = job_type_new();
    if (!type || PyModule_AddObject(module, "Job", type)) {
        Py_XDECREF(type);
        return -1;
    }
    return PyModule_AddStringConstant(module, "version", haul_version());
}

static PyModuleDef_Slot slots[] = {{Py_mod_exec, (void *)module_exec}, {0, NULL}};

static struct PyModuleDef definition = {.m_base = PyModuleDef_HEAD_INIT,
                                        .m_name = "haul._haul",
                                        .m_doc = "libhaul for Python; use the package haul",
                                        .m_methods = functions,
                                        .m_slots = slots};

PyMODINIT_FUNC PyInit__haul(void);
PyMODINIT_FUNC PyInit__haul(void)
{
    return PyModuleDef_Init(&definition);
}
