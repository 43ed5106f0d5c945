/* One typemap for each name of the contract in rowtide.i. The work is done by
 * the C functions of support.h. */

/* ## What functions return */

%typemap(out) int {
    if (rowtide_py_failed($1))
        SWIG_fail;
    $result = Py_NewRef(Py_None);
}
%typemap(out) int VALUE "$result = PyLong_FromLong($1);"
%typemap(out) int TRUTH {
    if (rowtide_py_failed($1))
        SWIG_fail;
    $result = PyBool_FromLong($1);
}
%typemap(out) int64_t "$result = PyLong_FromLongLong((long long)$1);"
%typemap(out) int64_t POSITION {
    if (rowtide_py_failed($1))
        SWIG_fail;
    $result = PyLong_FromLongLong((long long)$1);
}
%typemap(out) size_t "$result = PyLong_FromSize_t($1);"
%typemap(out) const char * "$result = rowtide_py_text($1);"
%typemap(out) rowtide_report_table "$result = rowtide_py_report_table(&$1);"

/* ## What they hand back through pointers */

%typemap(in, numinputs=0) int64_t *COUNT (int64_t number = 0) "$1 = &number;"
%typemap(argout) int64_t *COUNT {
    $result = rowtide_py_append($result, PyLong_FromLongLong((long long)*$1));
    if (!$result)
        SWIG_fail;
}
%typemap(in, numinputs=0) const char **LABEL (const char *text = NULL)
    "$1 = ($1_ltype)&text;"
%typemap(argout) const char **LABEL {
    $result = rowtide_py_append($result, rowtide_py_text(*$1));
    if (!$result)
        SWIG_fail;
}
%typemap(in, numinputs=0) (const void **bytes, size_t *size)
        (const void *data = NULL, size_t length = 0) {
    $1 = ($1_ltype)&data;
    $2 = &length;
}
%typemap(argout) (const void **bytes, size_t *size) {
    Py_XDECREF($result);
    $result = PyBytes_FromStringAndSize(*$1 ? *$1 : "", (Py_ssize_t)*$2);
}

%typemap(in, numinputs=0) unsigned char *site_id
        (unsigned char name[ROWTIDE_SITE_ID_SIZE]) "$1 = name;"
%typemap(argout) unsigned char *site_id {
    $result = rowtide_py_append(
        $result,
        PyBytes_FromStringAndSize((const char *)$1, ROWTIDE_SITE_ID_SIZE));
    if (!$result)
        SWIG_fail;
}

%define ROWTIDE_STRUCT_OUT(TYPE, NAME, CONVERT)
%typemap(in, numinputs=0) TYPE *NAME (TYPE made) {
    memset(&made, 0, sizeof made);
    $1 = &made;
}
%typemap(argout) TYPE *NAME {
    if (result == ROWTIDE_OK)
        $result = rowtide_py_append($result, CONVERT($1));
    if (!$result)
        SWIG_fail;
}
%enddef
ROWTIDE_STRUCT_OUT(rowtide_report_table, out, rowtide_py_report_table)
ROWTIDE_STRUCT_OUT(rowtide_undo_step, out, rowtide_py_undo_step)
ROWTIDE_STRUCT_OUT(rowtide_change_counts, counts, rowtide_py_counts)

%typemap(in, numinputs=0) rowtide_value *value (rowtide_value made) {
    memset(&made, 0, sizeof made);
    $1 = &made;
}
%typemap(argout) rowtide_value *value {
    $result = rowtide_py_append($result, rowtide_py_from_value($1));
    if (!$result)
        SWIG_fail;
}

/* ## What they are given */

%typemap(in) const char * {
    if (rowtide_py_string($input, (const char **)&$1) < 0)
        SWIG_fail;
}
%typemap(freearg) const char * ""
%typemap(in) int {
    long number = PyLong_AsLong($input);
    if (number == -1 && PyErr_Occurred())
        SWIG_fail;
    if (number < INT_MIN || number > INT_MAX) {
        PyErr_SetString(PyExc_OverflowError, "the number is out of range");
        SWIG_fail;
    }
    $1 = (int)number;
}
%typemap(in) unsigned {
    unsigned long number = PyLong_AsUnsignedLong($input);
    if (PyErr_Occurred())
        SWIG_fail;
    $1 = (unsigned)number;
}
%typemap(in) int64_t {
    $1 = PyLong_AsLongLong($input);
    if ($1 == -1 && PyErr_Occurred())
        SWIG_fail;
}

%typemap(in) (const void *data, size_t size) (Py_buffer view, int held = 0) {
    if (PyObject_GetBuffer($input, &view, PyBUF_SIMPLE) < 0)
        SWIG_fail;
    held = 1;
    $1 = view.buf;
    $2 = (size_t)view.len;
}
%typemap(freearg) (const void *data, size_t size)
    "if (held$argnum) PyBuffer_Release(&view$argnum);"
%apply (const void *data, size_t size) { (const char *json, size_t size) };

%typemap(in) (const char *const *tables, size_t table_count)
        (const char **names = NULL, size_t length = 0) {
    if (rowtide_py_strings($input, &names, &length) < 0)
        SWIG_fail;
    $1 = names;
    $2 = length;
}
%typemap(freearg) (const char *const *tables, size_t table_count)
    "PyMem_Free((void *)names$argnum);"

%typemap(in) const rowtide_value *value
        (rowtide_value given, PyObject *keep = NULL) {
    if (rowtide_py_to_value($input, &given, &keep) < 0)
        SWIG_fail;
    $1 = &given;
}
%typemap(freearg) const rowtide_value *value "Py_XDECREF(keep$argnum);"

%typemap(in) (const rowtide_value *old_values, size_t old_count)
        (rowtide_py_values row = {NULL, 0, NULL}) {
    if (rowtide_py_to_values($input, &row) < 0)
        SWIG_fail;
    $1 = row.values;
    $2 = row.count;
}
%typemap(freearg) (const rowtide_value *old_values, size_t old_count)
    "rowtide_py_values_free(&row$argnum);"
%apply (const rowtide_value *old_values, size_t old_count) {
    (const rowtide_value *new_values, size_t new_count)
};

%define ROWTIDE_CALLBACK(TYPE, NAME, TRAMPOLINE)
%typemap(in) (TYPE NAME, void *user) {
    if (!rowtide_py_callable($input))
        SWIG_fail;
    $1 = TRAMPOLINE;
    $2 = $input;
}
%enddef
ROWTIDE_CALLBACK(rowtide_table_filter_cb, filter, rowtide_py_on_table)
ROWTIDE_CALLBACK(rowtide_read_cb, read, rowtide_py_on_read)
ROWTIDE_CALLBACK(rowtide_write_cb, write, rowtide_py_on_write)

%define ROWTIDE_OPTIONS(TYPE, NAME, READ)
%typemap(in) const TYPE *NAME (TYPE given = {0}) {
    if ($input == Py_None)
        $1 = NULL;
    else if (READ($input, &given) < 0)
        SWIG_fail;
    else
        $1 = &given;
}
%enddef
ROWTIDE_OPTIONS(rowtide_apply_options, options, rowtide_py_apply_options)
ROWTIDE_OPTIONS(rowtide_render_options, options, rowtide_py_render_options)
ROWTIDE_OPTIONS(rowtide_open_options, options, rowtide_py_open_options)
ROWTIDE_OPTIONS(rowtide_undo_options, options, rowtide_py_undo_options)
ROWTIDE_OPTIONS(rowtide_audit_entry, entry, rowtide_py_audit_entry)
ROWTIDE_OPTIONS(rowtide_capture_options, options, rowtide_py_capture_options)
ROWTIDE_OPTIONS(rowtide_diff_options, options, rowtide_py_diff_options)
ROWTIDE_OPTIONS(rowtide_crdt_pull_options, options, rowtide_py_pull_options)
%typemap(freearg) const rowtide_capture_options *options
    "rowtide_py_capture_options_free(&given$argnum);"
%typemap(freearg) const rowtide_diff_options *options
    "rowtide_py_diff_options_free(&given$argnum);"
%typemap(freearg) const rowtide_crdt_pull_options *options
    "rowtide_py_pull_options_free(&given$argnum);"

/* ## Shapes */

%define ROWTIDE_SHAPED(TYPE, SHAPE)
%typemap(out) const TYPE * {
    $result = rowtide_py_item(SHAPE(), $1);
    if (!$result)
        SWIG_fail;
}
%enddef

%define ROWTIDE_SHAPED_OPTIONS(TYPE, NAME)
%typemap(in) const TYPE *options (TYPE given = {0}) {
    given.size = sizeof given;
    if (rowtide_py_shaped_options($input, #NAME, &given) < 0)
        SWIG_fail;
    $1 = &given;
}
%typemap(freearg) const TYPE *options
    "rowtide_py_shaped_options_free(\"" #NAME "\", &given$argnum);"
%enddef

%typemap(in) const rowtide_plan_run_options *options
        (rowtide_plan_run_options running = ROWTIDE_PLAN_RUN_OPTIONS_INIT) {
    if (rowtide_py_run_options($input, &running) < 0)
        SWIG_fail;
    $1 = &running;
}
%apply const rowtide_plan_run_options *options {
    const rowtide_plan_run_options *run
};

%typemap(in) const char *const *columns
        (const char **names = NULL, size_t length = 0) {
    if (rowtide_py_strings($input, &names, &length) < 0)
        SWIG_fail;
    $1 = ($1_ltype)names;
}
%typemap(freearg) const char *const *columns
    "PyMem_Free((void *)names$argnum);"

%typemap(in, numinputs=0) rowtide_buffer *buf_out
        (rowtide_buffer buffer = ROWTIDE_BUFFER_INIT) "$1 = &buffer;"
%typemap(argout) rowtide_buffer *buf_out {
    $result = rowtide_py_append($result,
                                rowtide_py_text($1->data ? $1->data : ""));
    if (!$result)
        SWIG_fail;
}
%typemap(freearg) rowtide_buffer *buf_out
    "rowtide_buffer_dispose(&buffer$argnum);"
