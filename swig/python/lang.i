/* Python's half of the interface: handles, setup and the fast paths. */

%{
#include "support.h"
%}

/* ChangeIterator does this without a wrapper in between. */
%ignore rowtide_changeset_iter_next;
/* CrdtChanges and crdt_merge_rows() do these. */
%ignore rowtide_crdt_pull_next;
%ignore rowtide_crdt_merge_add;
%ignore rowtide_crdt_key_count;
%ignore rowtide_crdt_key_value;

%define ROWTIDE_HANDLE(noun)
%typemap(in) rowtide_##noun *, const rowtide_##noun * {
    void *pointer;
    if (rowtide_py_pointer($input, &rowtide_py_##noun##_class, &pointer) < 0)
        SWIG_fail;
    $1 = pointer;
}
%typemap(in, numinputs=0) rowtide_##noun **out (rowtide_##noun *made = NULL)
    "$1 = &made;"
%typemap(argout) rowtide_##noun **out {
    $result = rowtide_py_append(
        $result, rowtide_py_handle(&rowtide_py_##noun##_class, *$1));
    if (!$result)
        SWIG_fail;
}
%typemap(in) (rowtide_##noun *const *noun##s, size_t count)
        (void **list = NULL, size_t length = 0) {
    if (rowtide_py_pointers($input, &rowtide_py_##noun##_class, &list, &length)
        < 0)
        SWIG_fail;
    $1 = ($1_ltype)list;
    $2 = length;
}
%typemap(freearg) (rowtide_##noun *const *noun##s, size_t count)
    "PyMem_Free(list$argnum);"
%enddef

%init %{
    if (rowtide_py_init(m) < 0)
        return -1;
%}

%native(setup) PyObject *rowtide_py_setup(PyObject *self, PyObject *args);
%native(adopt) PyObject *rowtide_py_adopt_call(PyObject *self, PyObject *args);
%native(error_table) PyObject *rowtide_py_errors(PyObject *self, PyObject *args);
%native(stmt_row) PyObject *rowtide_py_row(PyObject *self, PyObject *args);
%native(crdt_setup) PyObject *rowtide_py_crdt_setup(PyObject *self,
                                                    PyObject *args);
%native(crdt_merge_rows) PyObject *rowtide_py_merge_rows(PyObject *self,
                                                         PyObject *args);
%native(crdt_key) PyObject *rowtide_py_crdt_key(PyObject *self, PyObject *args);
%native(shape_setup) PyObject *rowtide_py_shape_setup(PyObject *self,
                                                      PyObject *args);

%{
#include "native.h"
%}
