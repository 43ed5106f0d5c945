#ifndef ROWTIDE_PY_NATIVE_H
#define ROWTIDE_PY_NATIVE_H

#include "support.h"

/* Functions of the module that no header has. */

/* setup(make_error, make_conflict, make_progress, undefined, insert, update,
 * delete, conflict_kinds): what the Python layer brings along. */
PyObject *rowtide_py_setup(PyObject *self, PyObject *args);
/* adopt(execute) -> a db handle, or None if nobody offered the connection. */
PyObject *rowtide_py_adopt_call(PyObject *self, PyObject *args);
/* error_table() -> [(symbol, code, name, class, base, meaning), ...] */
PyObject *rowtide_py_errors(PyObject *self, PyObject *args);
/* stmt_row(stmt) -> the next row as a tuple, or None. */
PyObject *rowtide_py_row(PyObject *self, PyObject *args);

/* crdt_setup(change): the class that changes are made of. */
PyObject *rowtide_py_crdt_setup(PyObject *self, PyObject *args);
/* crdt_merge_rows(merge, rows): a CrdtChanges, or an iterable of rows. */
PyObject *rowtide_py_merge_rows(PyObject *self, PyObject *args);
/* crdt_key(pk) -> the values of a packed primary key, as a tuple. */
PyObject *rowtide_py_crdt_key(PyObject *self, PyObject *args);

/* shape_setup(classes, make_list): what rowtide_py_item() makes. */
PyObject *rowtide_py_shape_setup(PyObject *self, PyObject *args);

#endif
