#ifndef ROWTIDE_PY_SUPPORT_H
#define ROWTIDE_PY_SUPPORT_H

/* What the typemaps and the Python layer need, in plain C. Everything here
 * runs with the GIL held, unless it says otherwise. */

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <rowtide.h>

/* X(noun, touches): `touches` is 1 where releasing may talk to a database or
 * a file and so lets other threads run. */
#define ROWTIDE_PY_HANDLES(X)                                                  \
    X(source, 1)                                                               \
    X(sink, 1)                                                                 \
    X(db, 1)                                                                   \
    X(stmt, 1)                                                                 \
    X(changeset, 0)                                                            \
    X(changeset_iter, 0)                                                       \
    X(changeset_builder, 0)                                                    \
    X(capture, 1)                                                              \
    X(report, 0)                                                               \
    X(audit, 1)                                                                \
    X(undo, 1)                                                                 \
    X(primary, 1)                                                              \
    X(replica, 1)                                                              \
    X(crdt_pull, 1)                                                            \
    X(crdt_merge, 1)                                                           \
    X(crdt_report, 0)                                                          \
    X(schema, 0)                                                               \
    X(schema_builder, 0)                                                       \
    X(schema_difference, 0)                                                    \
    X(plan, 0)                                                                 \
    X(preflight, 0)                                                            \
    X(schema_report, 0)

typedef struct rowtide_py_class {
    const char *name;
    void (*release)(void *pointer);
    int touches;
} rowtide_py_class;

#define ROWTIDE_PY_DECLARE(noun, touches)                                      \
    extern const rowtide_py_class rowtide_py_##noun##_class;
ROWTIDE_PY_HANDLES(ROWTIDE_PY_DECLARE)
#undef ROWTIDE_PY_DECLARE

/* ## support.c: handles, errors, text */

/* What the Python layer brings along. */
typedef struct rowtide_py_state {
    PyObject
        *make_error; /* (code, message, sqlite_code, offset) -> exception */
    PyObject *make_conflict; /* the class Conflict */
    PyObject *make_progress; /* the class Progress */
    PyObject *undefined;
    PyObject *kind_insert;
    PyObject *kind_update;
    PyObject *kind_delete;
    PyObject *conflict_kinds[6]; /* by rowtide_conflict_kind */
    PyObject *crdt_change;       /* the class CrdtChange; NULL at first */
    PyObject *shape_classes;     /* by the names of shapes; NULL at first */
    PyObject *make_list;         /* (tuple of things with names) -> a list */
} rowtide_py_state;

extern rowtide_py_state rowtide_py;

/* Make the types and put them into the module. */
int rowtide_py_init(PyObject *module);
/* Make a type, if it is not made yet, and put it into the module. */
int rowtide_py_type(PyObject *module, const char *name, PyType_Spec *spec,
                    PyTypeObject **type);

/* A Python object that owns `pointer`, which is released if this fails. */
PyObject *rowtide_py_handle(const rowtide_py_class *cls, void *pointer);
/* None is NULL. Returns -1 with an exception for anything of another class. */
int rowtide_py_pointer(PyObject *object, const rowtide_py_class *cls,
                       void **out);
/* An array of such pointers of a list or tuple; free with PyMem_Free(). */
int rowtide_py_pointers(PyObject *list, const rowtide_py_class *cls,
                        void ***out, size_t *count);

/* 1 and an exception set if `status` is an error, or if a callback raised. */
int rowtide_py_failed(int64_t status);

/* None is NULL; text without NUL, or bytes. Borrowed from the object. */
int rowtide_py_string(PyObject *object, const char **out);
/* None is NULL; a list of such strings. */
int rowtide_py_strings(PyObject *list, const char ***out, size_t *count);
/* NULL is None. */
PyObject *rowtide_py_text(const char *text);
/* Join what a wrapper gives: nothing yet, one thing, or a pair. Steals both. */
PyObject *rowtide_py_append(PyObject *result, PyObject *item);

/* ## value.c */

typedef struct rowtide_py_values {
    rowtide_value *values;
    size_t count;
    PyObject *keep; /* a list of what the values point into */
} rowtide_py_values;

PyObject *rowtide_py_from_value(const rowtide_value *value);
PyObject *rowtide_py_from_values(const rowtide_value *values, int count);
/* One value; what it points into is borrowed from `object` or put to `keep`. */
int rowtide_py_to_value(PyObject *object, rowtide_value *out, PyObject **keep);
/* A tuple or list of values; None is no values. */
int rowtide_py_to_values(PyObject *row, rowtide_py_values *out);
void rowtide_py_values_free(rowtide_py_values *values);

/* ## change.c */

int rowtide_py_change_init(PyObject *module);
/* An object that owns everything it shows. */
PyObject *rowtide_py_change(const rowtide_change *change);
PyObject *rowtide_py_counts(const rowtide_change_counts *counts);

/* ## crdt.c */

int rowtide_py_crdt_init(PyObject *module);

/* ## callback.c: all of these may be called without the GIL. A Python error
 * stays set in the thread while the call that ran the callback unwinds with
 * ROWTIDE_EUSER, and is what comes out of that call. */

int rowtide_py_on_conflict(const rowtide_conflict *conflict, void *callable);
int rowtide_py_on_change(const rowtide_change *change, void *callable);
int rowtide_py_on_table(const char *table, void *callable);
/* For filters that are asked while other code runs SQL: no error stays set.
 * The callable returns None to fail. */
int rowtide_py_on_table_later(const char *table, void *callable);
int rowtide_py_on_progress(const rowtide_progress *progress, void *callable);
/* Where nobody asked for progress: so that Ctrl-C ends a long call. */
int rowtide_py_on_quiet(const rowtide_progress *progress, void *user);
int rowtide_py_on_read(void *data, size_t *size, void *callable);
int rowtide_py_on_write(const void *data, size_t size, void *callable);
/* 1 if it can be called; else a TypeError. */
int rowtide_py_callable(PyObject *object);

/* ## options.c: from the tuples that the Python layer makes. None is NULL. */

int rowtide_py_apply_options(PyObject *tuple, rowtide_apply_options *out);
int rowtide_py_capture_options(PyObject *tuple, rowtide_capture_options *out);
void rowtide_py_capture_options_free(rowtide_capture_options *options);
int rowtide_py_diff_options(PyObject *tuple, rowtide_diff_options *out);
void rowtide_py_diff_options_free(rowtide_diff_options *options);
int rowtide_py_render_options(PyObject *tuple, rowtide_render_options *out);
int rowtide_py_open_options(PyObject *tuple, rowtide_open_options *out);
int rowtide_py_pull_options(PyObject *tuple, rowtide_crdt_pull_options *out);
void rowtide_py_pull_options_free(rowtide_crdt_pull_options *options);
int rowtide_py_undo_options(PyObject *tuple, rowtide_undo_options *out);
int rowtide_py_audit_entry(PyObject *tuple, rowtide_audit_entry *out);
PyObject *rowtide_py_report_table(const rowtide_report_table *line);
PyObject *rowtide_py_undo_step(const rowtide_undo_step *step);

int rowtide_py_run_options(PyObject *progress, rowtide_plan_run_options *out);
/* A dict into the struct that the options of this name are; see
 * schema_options.h. What was allocated is released by the other one. */
int rowtide_py_shaped_options(PyObject *dict, const char *name, void *out);
void rowtide_py_shaped_options_free(const char *name, void *options);

/* ## shape.c */

/* What a shape describes, as an object of the class that is kept for it, or a
 * dict if there is none. NULL is None. */
PyObject *rowtide_py_item(const rowtide_shape *shape, const void *item);

/* ## adopt.c */

/* Offer every connection that is opened from now on. */
int rowtide_py_offer_connections(void);
/* The connection on which `execute(sql)` runs; execute is a Python callable. */
PyObject *rowtide_py_adopt(PyObject *execute);

#endif
