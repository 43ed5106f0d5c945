#include "support.h"

static inline PyObject *from_value(const rowtide_value *value)
{
    const char *data = value->data ? value->data : "";
    switch (value->type) {
    case ROWTIDE_INTEGER:
        return PyLong_FromLongLong(value->integer);
    case ROWTIDE_REAL:
        return PyFloat_FromDouble(value->real);
    case ROWTIDE_TEXT:
        return PyUnicode_DecodeUTF8(data, (Py_ssize_t)value->size,
                                    "surrogateescape");
    case ROWTIDE_BLOB:
        return PyBytes_FromStringAndSize(data, (Py_ssize_t)value->size);
    case ROWTIDE_NULL:
        return Py_NewRef(Py_None);
    default:
        return Py_NewRef(rowtide_py.undefined);
    }
}

PyObject *rowtide_py_from_value(const rowtide_value *value)
{
    return from_value(value);
}

/* Rows up to this width take one call: setting items one by one is what
 * costs most in reading a changeset. */
#define PACKED_COLUMNS 16

/* PyTuple_Pack() takes the first `count` of its arguments. */
static PyObject *pack_items(PyObject *const *v, int count)
{
    if (count <= 4)
        return PyTuple_Pack(count, v[0], v[1], v[2], v[3]);
    if (count <= 8)
        return PyTuple_Pack(count, v[0], v[1], v[2], v[3], v[4], v[5], v[6],
                            v[7]);
    return PyTuple_Pack(count, v[0], v[1], v[2], v[3], v[4], v[5], v[6], v[7],
                        v[8], v[9], v[10], v[11], v[12], v[13], v[14], v[15]);
}

static PyObject *pack_values(const rowtide_value *values, int count)
{
    PyObject *v[PACKED_COLUMNS];
    PyObject *row = NULL;
    int width = count <= 4 ? 4 : count <= 8 ? 8 : PACKED_COLUMNS;
    int made = 0;
    while (made < count && (v[made] = from_value(values + made)))
        made++;
    /* Not NULL: memset() with wide stores makes the reads that follow wait,
     * which alone took a quarter of the time. */
    for (int i = made; i < width; i++)
        v[i] = Py_None;
    if (made == count)
        row = pack_items(v, count);
    for (int i = 0; i < made; i++)
        Py_DECREF(v[i]);
    return row;
}

PyObject *rowtide_py_from_values(const rowtide_value *values, int count)
{
    PyObject *row;
    if (!values)
        Py_RETURN_NONE;
    if (count <= PACKED_COLUMNS)
        return pack_values(values, count);
    row = PyTuple_New(count);
    if (!row)
        return NULL;
    for (int i = 0; i < count; i++) {
        PyObject *item = rowtide_py_from_value(values + i);
        if (!item) {
            Py_DECREF(row);
            return NULL;
        }
        PyTuple_SetItem(row, i, item);
    }
    return row;
}

static int text_value(PyObject *text, rowtide_value *out, PyObject **keep)
{
    Py_ssize_t size;
    PyObject *bytes;
    out->type = ROWTIDE_TEXT;
    out->data = PyUnicode_AsUTF8AndSize(text, &size);
    out->size = (size_t)size;
    if (out->data)
        return 0;
    if (!PyErr_ExceptionMatches(PyExc_UnicodeEncodeError))
        return -1;
    /* Text that was not UTF-8 in the database came in this way too. */
    PyErr_Clear();
    bytes = PyUnicode_AsEncodedString(text, "utf-8", "surrogateescape");
    if (!bytes)
        return -1;
    out->data = PyBytes_AsString(bytes);
    out->size = (size_t)PyBytes_Size(bytes);
    *keep = bytes;
    return 0;
}

static int blob_value(PyObject *object, rowtide_value *out, PyObject **keep)
{
    PyObject *bytes;
    if (!PyObject_CheckBuffer(object)) {
        PyErr_Format(PyExc_TypeError,
                     "a value must be None, int, float, str or bytes, not %R",
                     (PyObject *)Py_TYPE(object));
        return -1;
    }
    bytes = PyBytes_FromObject(object);
    if (!bytes)
        return -1;
    out->type = ROWTIDE_BLOB;
    out->data = PyBytes_AsString(bytes);
    out->size = (size_t)PyBytes_Size(bytes);
    *keep = bytes;
    return 0;
}

static int integer_value(PyObject *object, rowtide_value *out)
{
    out->type = ROWTIDE_INTEGER;
    out->integer = PyLong_AsLongLong(object);
    return out->integer == -1 && PyErr_Occurred() ? -1 : 0;
}

int rowtide_py_to_value(PyObject *object, rowtide_value *out, PyObject **keep)
{
    rowtide_value empty = {ROWTIDE_NULL, 0, 0.0, NULL, 0};
    *out = empty;
    *keep = NULL;
    if (object == Py_None)
        return 0;
    if (object == rowtide_py.undefined) {
        out->type = ROWTIDE_UNDEFINED;
        return 0;
    }
    if (PyLong_Check(object))
        return integer_value(object, out);
    if (PyFloat_Check(object)) {
        out->type = ROWTIDE_REAL;
        out->real = PyFloat_AsDouble(object);
        return 0;
    }
    if (PyUnicode_Check(object))
        return text_value(object, out, keep);
    if (PyBytes_Check(object)) {
        out->type = ROWTIDE_BLOB;
        out->data = PyBytes_AsString(object);
        out->size = (size_t)PyBytes_Size(object);
        return 0;
    }
    return blob_value(object, out, keep);
}

static int add_value(PyObject *object, rowtide_py_values *out, size_t index)
{
    PyObject *keep;
    int rc;
    if (rowtide_py_to_value(object, out->values + index, &keep) < 0)
        return -1;
    if (!keep)
        return 0;
    rc = PyList_Append(out->keep, keep);
    Py_DECREF(keep);
    return rc;
}

int rowtide_py_to_values(PyObject *row, rowtide_py_values *out)
{
    Py_ssize_t size;
    out->values = NULL;
    out->count = 0;
    out->keep = NULL;
    if (row == Py_None)
        return 0;
    /* A tuple holds its items for as long as the caller holds the tuple. */
    if (!PyTuple_Check(row)) {
        PyErr_SetString(PyExc_TypeError, "a row must be a tuple");
        return -1;
    }
    size = PyTuple_Size(row);
    out->values = PyMem_Calloc((size_t)size + 1, sizeof(rowtide_value));
    out->keep = PyList_New(0);
    if (!out->values || !out->keep) {
        PyErr_NoMemory();
        return -1;
    }
    for (Py_ssize_t i = 0; i < size; i++) {
        if (add_value(PyTuple_GetItem(row, i), out, (size_t)i) < 0)
            return -1;
    }
    out->count = (size_t)size;
    return 0;
}

void rowtide_py_values_free(rowtide_py_values *values)
{
    PyMem_Free(values->values);
    Py_CLEAR(values->keep);
    values->values = NULL;
}
