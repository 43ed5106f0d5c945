#include "support.h"

#include <string.h>

/* Enter Python. 0 if an earlier callback of the same call raised: then
 * nothing more is asked, so that the first error is the one that comes out.
 * What is called may be C that never looks whether Ctrl-C was pressed. */
static int enter(PyGILState_STATE *gil)
{
    *gil = PyGILState_Ensure();
    if (!PyErr_Occurred() && PyErr_CheckSignals() == 0)
        return 1;
    PyGILState_Release(*gil);
    return 0;
}

static int truth_of(PyObject *answer)
{
    int yes = answer ? PyObject_IsTrue(answer) : -1;
    Py_XDECREF(answer);
    return yes < 0 ? ROWTIDE_EUSER : yes;
}

static PyObject *make_conflict(const rowtide_conflict *conflict)
{
    const rowtide_change *change = conflict->change;
    const rowtide_value *row = change ? conflict->conflicting : NULL;
    PyObject *kind = Py_None;
    if (conflict->kind >= 1 && conflict->kind <= 5)
        kind = rowtide_py.conflict_kinds[conflict->kind];
    return PyObject_CallFunction(
        rowtide_py.make_conflict, "ONNLN", kind,
        change ? rowtide_py_change(change) : Py_NewRef(Py_None),
        rowtide_py_from_values(row, change ? change->column_count : 0),
        (long long)conflict->foreign_key_count,
        rowtide_py_text(conflict->message));
}

/* Steals `answer`. */
static int action_of(PyObject *answer)
{
    static const char *const names[] = {"omit", "replace", "abort"};
    int action = ROWTIDE_EUSER;
    if (!answer)
        return ROWTIDE_EUSER;
    if (PyUnicode_Check(answer)) {
        for (int i = 0; i < 3; i++) {
            if (PyUnicode_CompareWithASCIIString(answer, names[i]) == 0)
                action = i;
        }
    }
    if (action < 0)
        PyErr_Format(
            PyUnicode_Check(answer) ? PyExc_ValueError : PyExc_TypeError,
            "on_conflict must return 'omit', 'replace' or 'abort', not %R",
            answer);
    Py_DECREF(answer);
    return action;
}

int rowtide_py_on_conflict(const rowtide_conflict *conflict, void *callable)
{
    PyGILState_STATE gil;
    PyObject *object;
    PyObject *answer = NULL;
    int action;
    if (!enter(&gil))
        return ROWTIDE_EUSER;
    object = make_conflict(conflict);
    if (object) {
        answer = PyObject_CallFunctionObjArgs(callable, object, NULL);
        Py_DECREF(object);
    }
    action = action_of(answer);
    PyGILState_Release(gil);
    return action;
}

int rowtide_py_on_change(const rowtide_change *change, void *callable)
{
    PyGILState_STATE gil;
    PyObject *object;
    PyObject *answer = NULL;
    int yes;
    if (!enter(&gil))
        return ROWTIDE_EUSER;
    object = rowtide_py_change(change);
    if (object) {
        answer = PyObject_CallFunctionObjArgs(callable, object, NULL);
        Py_DECREF(object);
    }
    yes = truth_of(answer);
    PyGILState_Release(gil);
    return yes;
}

int rowtide_py_on_table(const char *table, void *callable)
{
    PyGILState_STATE gil;
    PyObject *name;
    PyObject *answer = NULL;
    int yes;
    if (!enter(&gil))
        return ROWTIDE_EUSER;
    name = rowtide_py_text(table);
    if (name) {
        answer = PyObject_CallFunctionObjArgs(callable, name, NULL);
        Py_DECREF(name);
    }
    yes = truth_of(answer);
    PyGILState_Release(gil);
    return yes;
}

int rowtide_py_on_table_later(const char *table, void *callable)
{
    PyGILState_STATE gil = PyGILState_Ensure();
    PyObject *type, *value, *trace;
    PyObject *name, *answer;
    int yes = ROWTIDE_EUSER;
    PyErr_Fetch(&type, &value, &trace);
    name = rowtide_py_text(table);
    answer = name ? PyObject_CallFunctionObjArgs(callable, name, NULL) : NULL;
    if (answer && answer != Py_None)
        yes = PyObject_IsTrue(answer) == 1;
    if (PyErr_Occurred())
        PyErr_WriteUnraisable(callable);
    Py_XDECREF(name);
    Py_XDECREF(answer);
    PyErr_Restore(type, value, trace);
    PyGILState_Release(gil);
    return yes;
}

int rowtide_py_on_progress(const rowtide_progress *progress, void *callable)
{
    PyGILState_STATE gil;
    PyObject *object;
    PyObject *answer = NULL;
    int rc = ROWTIDE_EUSER;
    if (!enter(&gil))
        return ROWTIDE_EUSER;
    object = PyObject_CallFunction(
        rowtide_py.make_progress, "NLLN", rowtide_py_text(progress->phase),
        (long long)progress->done, (long long)progress->total,
        rowtide_py_text(progress->label));
    if (object) {
        answer = PyObject_CallFunctionObjArgs(callable, object, NULL);
        Py_DECREF(object);
    }
    if (answer) {
        rc = answer == Py_False;
        Py_DECREF(answer);
    }
    PyGILState_Release(gil);
    return rc;
}

int rowtide_py_on_quiet(const rowtide_progress *progress, void *user)
{
    PyGILState_STATE gil;
    (void)progress;
    (void)user;
    if (!enter(&gil))
        return ROWTIDE_EUSER;
    PyGILState_Release(gil);
    return 0;
}

/* Copy what read() gave, at most `*size` bytes. */
static int take_bytes(PyObject *answer, void *data, size_t *size)
{
    Py_buffer view;
    int rc = 0;
    if (!PyObject_CheckBuffer(answer)) {
        PyErr_Format(PyExc_TypeError, "read() must return bytes, not %R",
                     (PyObject *)Py_TYPE(answer));
        return ROWTIDE_EUSER;
    }
    if (PyObject_GetBuffer(answer, &view, PyBUF_SIMPLE) < 0)
        return ROWTIDE_EUSER;
    if ((size_t)view.len > *size) {
        PyErr_Format(PyExc_ValueError,
                     "read(%zu) returned %zd bytes, more than were asked for",
                     *size, view.len);
        rc = ROWTIDE_EUSER;
    } else {
        if (view.len)
            memcpy(data, view.buf, (size_t)view.len);
        *size = (size_t)view.len;
    }
    PyBuffer_Release(&view);
    return rc;
}

int rowtide_py_on_read(void *data, size_t *size, void *callable)
{
    PyGILState_STATE gil;
    PyObject *answer;
    int rc = ROWTIDE_EUSER;
    if (!enter(&gil))
        return ROWTIDE_EUSER;
    answer = PyObject_CallFunction(callable, "n", (Py_ssize_t)*size);
    if (answer) {
        rc = take_bytes(answer, data, size);
        Py_DECREF(answer);
    }
    PyGILState_Release(gil);
    return rc;
}

/* How many bytes write() says it took: raw files may take a part. Steals
 * `answer`; negative with an exception. */
static Py_ssize_t taken_of(PyObject *answer, size_t size)
{
    Py_ssize_t taken = (Py_ssize_t)size;
    if (!answer)
        return -1;
    if (PyLong_Check(answer)) {
        taken = PyLong_AsSsize_t(answer);
        if (!PyErr_Occurred() && (taken <= 0 || (size_t)taken > size)) {
            PyErr_Format(PyExc_OSError, "write() took %zd of %zu bytes", taken,
                         size);
            taken = -1;
        }
    }
    Py_DECREF(answer);
    return taken;
}

int rowtide_py_on_write(const void *data, size_t size, void *callable)
{
    PyGILState_STATE gil;
    const char *next = data;
    int rc = 0;
    if (!enter(&gil))
        return ROWTIDE_EUSER;
    while (size > 0 && rc == 0) {
        PyObject *answer = PyObject_CallFunction(callable, "y#", next,
                                                 (Py_ssize_t)size);
        Py_ssize_t taken = taken_of(answer, size);
        if (taken < 0) {
            rc = ROWTIDE_EUSER;
        } else {
            next += taken;
            size -= (size_t)taken;
        }
    }
    PyGILState_Release(gil);
    return rc;
}

int rowtide_py_callable(PyObject *object)
{
    if (PyCallable_Check(object))
        return 1;
    PyErr_Format(PyExc_TypeError, "a callable is needed, not %R",
                 (PyObject *)Py_TYPE(object));
    return 0;
}
