#include "native.h"

PyObject *rowtide_py_setup(PyObject *self, PyObject *args)
{
    rowtide_py_state state = rowtide_py;
    PyObject *kinds;
    (void)self;
    if (!PyArg_ParseTuple(
            args, "OOOOOOOO!", &state.make_error, &state.make_conflict,
            &state.make_progress, &state.undefined, &state.kind_insert,
            &state.kind_update, &state.kind_delete, &PyTuple_Type, &kinds))
        return NULL;
    if (PyTuple_Size(kinds) != 5) {
        PyErr_SetString(PyExc_ValueError, "five kinds of conflict are needed");
        return NULL;
    }
    for (int i = 0; i < 5; i++)
        state.conflict_kinds[i + 1] = PyTuple_GetItem(kinds, i);
    /* Kept for as long as the process runs, as the module itself is. */
    Py_INCREF(args);
    rowtide_py = state;
    Py_RETURN_NONE;
}

PyObject *rowtide_py_adopt_call(PyObject *self, PyObject *args)
{
    PyObject *execute;
    (void)self;
    if (!PyArg_ParseTuple(args, "O", &execute))
        return NULL;
    return rowtide_py_adopt(execute);
}

PyObject *rowtide_py_errors(PyObject *self, PyObject *args)
{
#define ERROR_ROW(symbol, code, name, cls, base, text)                         \
    {#symbol, code, name, #cls, #base, text},
    static const struct {
        const char *symbol;
        int code;
        const char *name, *cls, *base, *text;
    } rows[] = {ROWTIDE_ERROR_MAP(ERROR_ROW)};
#undef ERROR_ROW
    PyObject *list = PyList_New(0);
    (void)self;
    (void)args;
    for (size_t i = 0; list && i < sizeof rows / sizeof rows[0]; i++) {
        PyObject *row = Py_BuildValue("(sissss)", rows[i].symbol, rows[i].code,
                                      rows[i].name, rows[i].cls, rows[i].base,
                                      rows[i].text);
        if (!row || PyList_Append(list, row) < 0)
            Py_CLEAR(list);
        Py_XDECREF(row);
    }
    return list;
}

static PyObject *read_row(rowtide_stmt *stmt)
{
    int count = rowtide_stmt_column_count(stmt);
    PyObject *row = PyTuple_New(count);
    for (int i = 0; row && i < count; i++) {
        rowtide_value value;
        PyObject *item = NULL;
        if (!rowtide_py_failed(rowtide_stmt_column(stmt, i, &value)))
            item = rowtide_py_from_value(&value);
        if (!item) {
            Py_CLEAR(row);
            break;
        }
        PyTuple_SetItem(row, i, item);
    }
    return row;
}

PyObject *rowtide_py_row(PyObject *self, PyObject *args)
{
    PyObject *handle;
    void *stmt;
    int rc;
    (void)self;
    if (!PyArg_ParseTuple(args, "O", &handle)
        || rowtide_py_pointer(handle, &rowtide_py_stmt_class, &stmt) < 0)
        return NULL;
    Py_BEGIN_ALLOW_THREADS rc = rowtide_stmt_step(stmt);
    Py_END_ALLOW_THREADS if (rowtide_py_failed(rc)) return NULL;
    if (rc == ROWTIDE_DONE)
        Py_RETURN_NONE;
    return read_row(stmt);
}
