#include "support.h"

#include <stddef.h>
#include <string.h>
#include <structmember.h>

rowtide_py_state rowtide_py;

typedef struct {
    PyObject_HEAD const rowtide_py_class *cls;
    void *pointer;
    PyObject *keep; /* what the pointer borrows, set by the Python layer */
} handle_object;

static PyTypeObject *handle_type;

#define DEFINE_CLASS(noun, slow)                                               \
    static void release_##noun(void *pointer)                                  \
    {                                                                          \
        rowtide_##noun##_free(pointer);                                        \
    }                                                                          \
    const rowtide_py_class rowtide_py_##noun##_class = {#noun, release_##noun, \
                                                        slow};
ROWTIDE_PY_HANDLES(DEFINE_CLASS)

/* Releasing may run Python (an open sink calls nobody, but closing a
 * connection can): keep the exception that is on its way. */
static void release_pointer(const rowtide_py_class *cls, void *pointer)
{
    PyObject *type, *value, *trace;
    PyErr_Fetch(&type, &value, &trace);
    if (cls->touches) {
        Py_BEGIN_ALLOW_THREADS cls->release(pointer);
        Py_END_ALLOW_THREADS
    } else {
        cls->release(pointer);
    }
    PyErr_Restore(type, value, trace);
}

static int traverse_handle(PyObject *self, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(((handle_object *)self)->keep);
    return 0;
}

static int clear_handle(PyObject *self)
{
    Py_CLEAR(((handle_object *)self)->keep);
    return 0;
}

static void dealloc_handle(PyObject *self)
{
    handle_object *handle = (handle_object *)self;
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    if (handle->pointer)
        release_pointer(handle->cls, handle->pointer);
    Py_CLEAR(handle->keep);
    PyObject_GC_Del(self);
    Py_DECREF(type);
}

static PyObject *repr_handle(PyObject *self)
{
    return PyUnicode_FromFormat("<rowtide %s handle>",
                                ((handle_object *)self)->cls->name);
}

static PyMemberDef handle_members[] = {
    {"keep", T_OBJECT, offsetof(handle_object, keep), 0, NULL},
    {NULL, 0, 0, 0, NULL},
};

static PyType_Slot handle_slots[] = {
    {Py_tp_dealloc, dealloc_handle}, {Py_tp_traverse, traverse_handle},
    {Py_tp_clear, clear_handle},     {Py_tp_repr, repr_handle},
    {Py_tp_members, handle_members}, {0, NULL},
};

static PyType_Spec handle_spec = {
    "rowtide._native.Handle", sizeof(handle_object), 0,
    Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    handle_slots};

PyObject *rowtide_py_handle(const rowtide_py_class *cls, void *pointer)
{
    handle_object *handle;
    if (!pointer)
        Py_RETURN_NONE;
    handle = PyObject_GC_New(handle_object, handle_type);
    if (!handle) {
        cls->release(pointer);
        return NULL;
    }
    handle->cls = cls;
    handle->pointer = pointer;
    handle->keep = NULL;
    PyObject_GC_Track((PyObject *)handle);
    return (PyObject *)handle;
}

int rowtide_py_pointer(PyObject *object, const rowtide_py_class *cls,
                       void **out)
{
    handle_object *handle = (handle_object *)object;
    *out = NULL;
    if (object == Py_None)
        return 0;
    if (!Py_IS_TYPE(object, handle_type) || handle->cls != cls) {
        PyErr_Format(PyExc_TypeError, "a %s is needed, not %R", cls->name,
                     (PyObject *)Py_TYPE(object));
        return -1;
    }
    *out = handle->pointer;
    return 0;
}

int rowtide_py_pointers(PyObject *list, const rowtide_py_class *cls,
                        void ***out, size_t *count)
{
    Py_ssize_t size = PySequence_Size(list);
    *out = NULL;
    *count = 0;
    if (size < 0)
        return -1;
    *out = PyMem_Calloc((size_t)size + 1, sizeof(void *));
    if (!*out) {
        PyErr_NoMemory();
        return -1;
    }
    for (Py_ssize_t i = 0; i < size; i++) {
        PyObject *item = PySequence_GetItem(list, i);
        int rc = item ? rowtide_py_pointer(item, cls, *out + i) : -1;
        Py_XDECREF(item);
        if (rc < 0)
            return -1;
    }
    *count = (size_t)size;
    return 0;
}

static void raise_error(int code)
{
    const char *message = rowtide_error_message();
    PyObject *text = PyUnicode_DecodeUTF8(message, (Py_ssize_t)strlen(message),
                                          "replace");
    PyObject *error;
    if (!text)
        return;
    if (!rowtide_py.make_error) {
        PyErr_SetObject(PyExc_RuntimeError, text);
        Py_DECREF(text);
        return;
    }
    error = PyObject_CallFunction(rowtide_py.make_error, "iNiL", code, text,
                                  rowtide_error_sqlite_code(),
                                  (long long)rowtide_error_offset());
    if (!error)
        return;
    PyErr_SetObject((PyObject *)Py_TYPE(error), error);
    Py_DECREF(error);
}

int rowtide_py_failed(int64_t status)
{
    if (PyErr_Occurred())
        return 1;
    if (status >= 0)
        return 0;
    raise_error((int)status);
    return 1;
}

int rowtide_py_string(PyObject *object, const char **out)
{
    Py_ssize_t size;
    *out = NULL;
    if (object == Py_None)
        return 0;
    if (PyUnicode_Check(object)) {
        *out = PyUnicode_AsUTF8AndSize(object, &size);
        if (!*out)
            return -1;
    } else if (PyBytes_Check(object)) {
        *out = PyBytes_AsString(object);
        size = PyBytes_Size(object);
    } else {
        PyErr_Format(PyExc_TypeError, "text is needed, not %R",
                     (PyObject *)Py_TYPE(object));
        return -1;
    }
    if (strlen(*out) != (size_t)size) {
        PyErr_SetString(PyExc_ValueError, "text with a NUL character in it");
        return -1;
    }
    return 0;
}

int rowtide_py_strings(PyObject *list, const char ***out, size_t *count)
{
    Py_ssize_t size;
    *out = NULL;
    *count = 0;
    if (list == Py_None)
        return 0;
    if (!PyTuple_Check(list)) {
        PyErr_SetString(PyExc_TypeError, "a tuple of names is needed");
        return -1;
    }
    size = PyTuple_Size(list);
    *out = PyMem_Calloc((size_t)size + 1, sizeof(char *));
    if (!*out) {
        PyErr_NoMemory();
        return -1;
    }
    for (Py_ssize_t i = 0; i < size; i++) {
        if (rowtide_py_string(PyTuple_GetItem(list, i), *out + i) < 0)
            return -1;
    }
    *count = (size_t)size;
    return 0;
}

PyObject *rowtide_py_text(const char *text)
{
    if (!text)
        Py_RETURN_NONE;
    return PyUnicode_DecodeUTF8(text, (Py_ssize_t)strlen(text),
                                "surrogateescape");
}

PyObject *rowtide_py_append(PyObject *result, PyObject *item)
{
    PyObject *pair;
    if (!item) {
        Py_XDECREF(result);
        return NULL;
    }
    if (!result || result == Py_None) {
        Py_XDECREF(result);
        return item;
    }
    pair = PyTuple_Pack(2, result, item);
    Py_DECREF(result);
    Py_DECREF(item);
    return pair;
}

/* Types and state are kept for the whole process, so one interpreter can have
 * them; importing again there finds them made. */
static int claim_process(void)
{
    static int64_t owner = -1;
    int64_t self = PyInterpreterState_GetID(PyInterpreterState_Get());
    if (owner >= 0 && owner != self) {
        PyErr_SetString(PyExc_ImportError,
                        "rowtide works in one interpreter of a process only");
        return -1;
    }
    owner = self;
    return 0;
}

int rowtide_py_type(PyObject *module, const char *name, PyType_Spec *spec,
                    PyTypeObject **type)
{
    if (!*type)
        *type = (PyTypeObject *)PyType_FromModuleAndSpec(module, spec, NULL);
    if (!*type)
        return -1;
    return PyModule_AddObjectRef(module, name, (PyObject *)*type);
}

int rowtide_py_init(PyObject *module)
{
    if (claim_process() < 0
        || rowtide_py_type(module, "Handle", &handle_spec, &handle_type) < 0
        || rowtide_py_change_init(module) < 0
        || rowtide_py_crdt_init(module) < 0)
        return -1;
    return rowtide_py_offer_connections();
}
