#include "native.h"

#include <string.h>

/* Structs as Python objects, by their shapes. Everything is copied. */

PyObject *rowtide_py_shape_setup(PyObject *self, PyObject *args)
{
    PyObject *classes, *make_list;
    (void)self;
    if (!PyArg_ParseTuple(args, "O!O", &PyDict_Type, &classes, &make_list))
        return NULL;
    rowtide_py.shape_classes = Py_NewRef(
        classes); /* never let go, as setup() */
    rowtide_py.make_list = Py_NewRef(make_list);
    Py_RETURN_NONE;
}

static PyObject *read_texts(const char *const *texts)
{
    Py_ssize_t count = 0;
    PyObject *tuple;
    while (texts && texts[count])
        count++;
    tuple = PyTuple_New(count);
    for (Py_ssize_t i = 0; tuple && i < count; i++) {
        PyObject *text = rowtide_py_text(texts[i]);
        if (!text)
            Py_CLEAR(tuple);
        else
            PyTuple_SetItem(tuple, i, text);
    }
    return tuple;
}

/* Things whose first field is a name are found by it. */
static int have_names(const rowtide_shape *shape)
{
    return rowtide_py.make_list && strcmp(shape->fields[0].name, "name") == 0;
}

static PyObject *read_items(const rowtide_shape *shape,
                            const void *const *items)
{
    Py_ssize_t count = 0;
    PyObject *tuple, *list;
    while (items && items[count])
        count++;
    tuple = PyTuple_New(count);
    for (Py_ssize_t i = 0; tuple && i < count; i++) {
        PyObject *item = rowtide_py_item(shape, items[i]);
        if (!item)
            Py_CLEAR(tuple);
        else
            PyTuple_SetItem(tuple, i, item);
    }
    if (!tuple || !have_names(shape))
        return tuple;
    list = PyObject_CallFunctionObjArgs(rowtide_py.make_list, tuple, NULL);
    Py_DECREF(tuple);
    return list;
}

static PyObject *read_field(const rowtide_field *field, const void *item)
{
    const void *at = (const char *)item + field->offset;
    switch (field->kind) {
    case ROWTIDE_FIELD_TEXT:
        return rowtide_py_text(*(const char *const *)at);
    case ROWTIDE_FIELD_BOOLEAN:
        return PyBool_FromLong(*(const int *)at);
    case ROWTIDE_FIELD_INTEGER:
        return PyLong_FromLongLong((long long)*(const int64_t *)at);
    case ROWTIDE_FIELD_ENUM:
        return rowtide_py_text(field->names[*(const int *)at]);
    case ROWTIDE_FIELD_TEXTS:
        return read_texts(*(const char *const *const *)at);
    case ROWTIDE_FIELD_ITEM:
        return rowtide_py_item(field->shape, *(const void *const *)at);
    case ROWTIDE_FIELD_ITEMS:
        return read_items(field->shape, *(const void *const *const *)at);
    default:
        PyErr_Format(PyExc_SystemError, "field %s is of no kind", field->name);
        return NULL;
    }
}

static PyObject *make_item(const rowtide_shape *shape, PyObject *fields)
{
    PyObject *cls = NULL;
    PyObject *none, *item;
    if (rowtide_py.shape_classes)
        cls = PyDict_GetItemString(rowtide_py.shape_classes, shape->name);
    if (!cls)
        return Py_NewRef(fields);
    none = PyTuple_New(0);
    item = none ? PyObject_Call(cls, none, fields) : NULL;
    Py_XDECREF(none);
    return item;
}

PyObject *rowtide_py_item(const rowtide_shape *shape, const void *item)
{
    PyObject *fields, *made;
    if (!item)
        Py_RETURN_NONE;
    fields = PyDict_New();
    for (const rowtide_field *field = shape->fields; fields && field->name;
         field++) {
        PyObject *value = read_field(field, item);
        if (!value || PyDict_SetItemString(fields, field->name, value) < 0)
            Py_CLEAR(fields);
        Py_XDECREF(value);
    }
    if (!fields)
        return NULL;
    made = make_item(shape, fields);
    Py_DECREF(fields);
    return made;
}
