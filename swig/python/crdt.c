#include "native.h"

#include <string.h>

/* Changes name the same few tables and columns over and over. */
#define KEPT_NAMES 16

typedef struct {
    PyObject *name;
    const char *text; /* inside of `name` */
} kept_name;

typedef struct {
    PyObject_HEAD PyObject *pull; /* a handle, or NULL when closed */
    PyObject *owner;              /* what keeps the connection */
    rowtide_crdt_pull *pointer;
    int running;
    kept_name names[KEPT_NAMES];
    PyObject *pk, *site_id; /* of the change before: mostly the same again */
} changes_object;

static PyTypeObject *changes_type;

/* ## A change as a Python object */

static void replace_object(PyObject **place, PyObject *object)
{
    PyObject *before = *place;
    *place = object;
    Py_XDECREF(before);
}

static PyObject *name_of(changes_object *self, const char *text)
{
    unsigned hash = 0;
    kept_name *kept;
    PyObject *name;
    const char *inside;
    for (const char *c = text; *c; c++)
        hash = hash * 31 + (unsigned char)*c;
    kept = &self->names[hash % KEPT_NAMES];
    if (kept->name && strcmp(kept->text, text) == 0)
        return Py_NewRef(kept->name);
    name = rowtide_py_text(text);
    inside = name ? PyUnicode_AsUTF8AndSize(name, NULL) : NULL;
    if (name && !inside)
        PyErr_Clear(); /* it is not UTF-8: then it is not kept */
    if (inside) {
        replace_object(&kept->name, Py_NewRef(name));
        kept->text = inside;
    }
    return name;
}

static PyObject *bytes_of(PyObject **kept, const void *data, size_t size)
{
    PyObject *bytes;
    if (!data)
        Py_RETURN_NONE;
    if (*kept && (size_t)PyBytes_Size(*kept) == size
        && memcmp(PyBytes_AsString(*kept), data, size) == 0)
        return Py_NewRef(*kept);
    bytes = PyBytes_FromStringAndSize(data, (Py_ssize_t)size);
    if (bytes)
        replace_object(kept, Py_NewRef(bytes));
    return bytes;
}

/* As tuple.__new__(CrdtChange, items) does: a plain tuple made into one of a
 * class, with whatever else a tuple keeps in this version of Python. */
static PyObject *make_change(PyObject *const *v)
{
    PyObject *plain = PyTuple_Pack(9, v[0], v[1], v[2], v[3], v[4], v[5], v[6],
                                   v[7], v[8]);
    PyObject *args = plain ? PyTuple_Pack(1, plain) : NULL;
    PyObject *change = NULL;
    newfunc make = (newfunc)PyType_GetSlot(&PyTuple_Type, Py_tp_new);
    if (args)
        change = make((PyTypeObject *)rowtide_py.crdt_change, args, NULL);
    Py_XDECREF(args);
    Py_XDECREF(plain);
    return change;
}

static PyObject *read_change(changes_object *self,
                             const rowtide_crdt_change *change)
{
    PyObject *v[9] = {
        name_of(self, change->table),
        bytes_of(&self->pk, change->pk, change->pk_size),
        name_of(self, change->column),
        rowtide_py_from_value(&change->value),
        PyLong_FromLongLong(change->column_version),
        PyLong_FromLongLong(change->db_version),
        bytes_of(&self->site_id, change->site_id, change->site_id_size),
        PyLong_FromLongLong(change->causal_length),
        PyLong_FromLongLong(change->sequence),
    };
    PyObject *object = NULL;
    int made = 0;
    while (made < 9 && v[made])
        made++;
    if (made == 9)
        object = make_change(v);
    for (int i = 0; i < 9; i++)
        Py_XDECREF(v[i]);
    return object;
}

PyObject *rowtide_py_crdt_key(PyObject *self, PyObject *args)
{
    const char *pk;
    Py_ssize_t size;
    int64_t count;
    PyObject *key;
    (void)self;
    if (!PyArg_ParseTuple(args, "y#", &pk, &size)
        || rowtide_py_failed(rowtide_crdt_key_count(pk, (size_t)size, &count)))
        return NULL;
    key = PyTuple_New((Py_ssize_t)count);
    for (int i = 0; key && i < count; i++) {
        rowtide_value value;
        PyObject *item = NULL;
        if (!rowtide_py_failed(
                rowtide_crdt_key_value(pk, (size_t)size, i, &value)))
            item = rowtide_py_from_value(&value);
        if (!item) {
            Py_CLEAR(key);
            break;
        }
        PyTuple_SetItem(key, i, item);
    }
    return key;
}

/* ## CrdtChanges */

static PyObject *new_changes(PyTypeObject *type, PyObject *args, PyObject *kw)
{
    changes_object *self;
    PyObject *handle, *owner;
    void *pointer;
    (void)kw;
    if (!PyArg_ParseTuple(args, "OO", &handle, &owner)
        || rowtide_py_pointer(handle, &rowtide_py_crdt_pull_class, &pointer)
               < 0)
        return NULL;
    self = (changes_object *)((allocfunc)PyType_GetSlot(type, Py_tp_alloc))(
        type, 0);
    if (!self)
        return NULL;
    self->pull = Py_NewRef(handle);
    self->owner = Py_NewRef(owner);
    self->pointer = pointer;
    return (PyObject *)self;
}

static int traverse_changes(PyObject *object, visitproc visit, void *arg)
{
    changes_object *self = (changes_object *)object;
    Py_VISIT(Py_TYPE(object));
    Py_VISIT(self->pull);
    Py_VISIT(self->owner);
    return 0;
}

static int clear_changes(PyObject *object)
{
    changes_object *self = (changes_object *)object;
    self->pointer = NULL;
    Py_CLEAR(self->pull);
    Py_CLEAR(self->owner);
    Py_CLEAR(self->pk);
    Py_CLEAR(self->site_id);
    for (int i = 0; i < KEPT_NAMES; i++)
        Py_CLEAR(self->names[i].name);
    return 0;
}

static void dealloc_changes(PyObject *object)
{
    PyTypeObject *type = Py_TYPE(object);
    PyObject_GC_UnTrack(object);
    clear_changes(object);
    ((freefunc)PyType_GetSlot(type, Py_tp_free))(object);
    Py_DECREF(type);
}

static int start_changes(changes_object *self)
{
    if (!self->running)
        return self->running = 1;
    PyErr_SetString(PyExc_ValueError, "the iterator is running already");
    return 0;
}

static PyObject *next_change(PyObject *object)
{
    changes_object *self = (changes_object *)object;
    rowtide_crdt_change change;
    PyObject *read = NULL;
    int rc;
    if (!self->pointer || !start_changes(self))
        return NULL;
    Py_BEGIN_ALLOW_THREADS rc = rowtide_crdt_pull_next(self->pointer, &change);
    Py_END_ALLOW_THREADS if (rc == ROWTIDE_OK)
        read = read_change(self, &change);
    self->running = 0;
    if (rc == ROWTIDE_OK)
        return read;
    (void)rowtide_py_failed(rc);
    clear_changes(object);
    return NULL;
}

static PyObject *close_changes(PyObject *object, PyObject *args)
{
    (void)args;
    if (((changes_object *)object)->running) {
        PyErr_SetString(PyExc_ValueError, "the iterator is running");
        return NULL;
    }
    clear_changes(object);
    Py_RETURN_NONE;
}

static PyObject *enter_changes(PyObject *object, PyObject *args)
{
    (void)args;
    return Py_NewRef(object);
}

static PyMethodDef changes_methods[] = {
    {"close", close_changes, METH_NOARGS,
     "Stop reading; the iterator is at its end then."},
    {"__enter__", enter_changes, METH_NOARGS, NULL},
    {"__exit__", close_changes, METH_VARARGS, NULL},
    {NULL, NULL, 0, NULL},
};

static char changes_doc[] = "Gives one CrdtChange after the other; "
                            "Recorder.merge() takes it as it is.\n"
                            "Use it in the thread that uses the connection.";

static PyType_Slot changes_slots[] = {
    {Py_tp_new, new_changes},
    {Py_tp_dealloc, dealloc_changes},
    {Py_tp_traverse, traverse_changes},
    {Py_tp_clear, clear_changes},
    {Py_tp_iter, PyObject_SelfIter},
    {Py_tp_iternext, next_change},
    {Py_tp_methods, changes_methods},
    {Py_tp_doc, changes_doc},
    {0, NULL},
};

static PyType_Spec changes_spec = {
    "rowtide.CrdtChanges", sizeof(changes_object), 0,
    Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC, changes_slots};

int rowtide_py_crdt_init(PyObject *module)
{
    return rowtide_py_type(module, "CrdtChanges", &changes_spec, &changes_type);
}

PyObject *rowtide_py_crdt_setup(PyObject *self, PyObject *args)
{
    PyObject *change;
    (void)self;
    if (!PyArg_ParseTuple(args, "O!", &PyType_Type, &change))
        return NULL;
    if (!PyType_IsSubtype((PyTypeObject *)change, &PyTuple_Type)) {
        PyErr_SetString(PyExc_TypeError, "changes must be tuples");
        return NULL;
    }
    rowtide_py.crdt_change = Py_NewRef(change); /* never let go, as setup() */
    Py_RETURN_NONE;
}

/* ## Merging */

/* So many changes are merged between two looks at Python's lock and signals. */
#define BATCH 256

typedef struct {
    rowtide_crdt_merge *merge;
    rowtide_crdt_change changes[BATCH];
    int count;
    PyObject *kept; /* a list of what they point into */
} batch;

static int keep_object(batch *self, PyObject *object)
{
    int rc = object ? PyList_Append(self->kept, object) : -1;
    Py_XDECREF(object);
    return rc;
}

static int read_bytes(batch *self, PyObject *object, const void **data,
                      size_t *size)
{
    rowtide_value value;
    PyObject *keep;
    if (rowtide_py_to_value(object, &value, &keep) < 0)
        return -1;
    if (keep && keep_object(self, keep) < 0)
        return -1;
    if (value.type != ROWTIDE_BLOB && value.type != ROWTIDE_NULL) {
        PyErr_Format(PyExc_TypeError, "pk and site_id must be bytes, not %R",
                     (PyObject *)Py_TYPE(object));
        return -1;
    }
    *data = value.type == ROWTIDE_BLOB ? value.data : NULL;
    *size = value.size;
    return 0;
}

static int read_value(batch *self, PyObject *object, rowtide_value *out)
{
    PyObject *keep;
    if (rowtide_py_to_value(object, out, &keep) < 0)
        return -1;
    if (keep && keep_object(self, keep) < 0)
        return -1;
    if (out->type != ROWTIDE_UNDEFINED)
        return 0;
    PyErr_SetString(PyExc_TypeError, "the value of a change is UNDEFINED");
    return -1;
}

static int read_integer(PyObject *object, int64_t *out)
{
    *out = PyLong_AsLongLong(object);
    return *out == -1 && PyErr_Occurred() ? -1 : 0;
}

static int read_fields(batch *self, PyObject *row, rowtide_crdt_change *out)
{
#define FIELD(i) PyTuple_GetItem(row, i)
    if (rowtide_py_string(FIELD(0), &out->table) < 0
        || read_bytes(self, FIELD(1), &out->pk, &out->pk_size) < 0
        || rowtide_py_string(FIELD(2), &out->column) < 0
        || read_value(self, FIELD(3), &out->value) < 0
        || read_integer(FIELD(4), &out->column_version) < 0
        || read_integer(FIELD(5), &out->db_version) < 0
        || read_bytes(self, FIELD(6), &out->site_id, &out->site_id_size) < 0
        || read_integer(FIELD(7), &out->causal_length) < 0)
        return -1;
    return read_integer(FIELD(8), &out->sequence);
#undef FIELD
}

/* Steals `item`. A tuple holds what the change points into. */
static int add_row(batch *self, PyObject *item)
{
    PyObject *row = item;
    if (!PyTuple_Check(item)) {
        row = PySequence_Tuple(item);
        Py_DECREF(item);
    }
    if (keep_object(self, row) < 0)
        return -1;
    if (PyTuple_Size(row) != 9) {
        PyErr_Format(PyExc_ValueError, "a change has 9 fields, not %zd",
                     PyTuple_Size(row));
        return -1;
    }
    if (read_fields(self, row, &self->changes[self->count]) < 0)
        return -1;
    self->count++;
    return 0;
}

static int merge_batch(batch *self)
{
    int rc = ROWTIDE_OK;
    Py_BEGIN_ALLOW_THREADS for (int i = 0; rc >= 0 && i < self->count; i++)
        rc = rowtide_crdt_merge_add(self->merge, &self->changes[i]);
    Py_END_ALLOW_THREADS self->count = 0;
    if (rowtide_py_failed(rc)
        || PyList_SetSlice(self->kept, 0, PyList_Size(self->kept), NULL) < 0)
        return -1;
    return PyErr_CheckSignals();
}

static int merge_rows(batch *self, PyObject *rows)
{
    PyObject *iterator = PyObject_GetIter(rows);
    PyObject *item;
    int rc = 0;
    if (!iterator)
        return -1;
    while (rc == 0 && (item = PyIter_Next(iterator))) {
        rc = add_row(self, item);
        if (rc == 0 && self->count == BATCH)
            rc = merge_batch(self);
    }
    Py_DECREF(iterator);
    if (rc == 0 && !PyErr_Occurred())
        return merge_batch(self);
    return -1;
}

static int merge_some(rowtide_crdt_merge *merge, rowtide_crdt_pull *pull)
{
    rowtide_crdt_change change;
    int rc = ROWTIDE_OK;
    for (int i = 0; rc >= 0 && i < BATCH; i++) {
        rc = rowtide_crdt_pull_next(pull, &change);
        if (rc != ROWTIDE_OK)
            return rc;
        rc = rowtide_crdt_merge_add(merge, &change);
    }
    return rc < 0 ? rc : ROWTIDE_OK;
}

/* What another database gives goes in without becoming Python objects. */
static int merge_changes(rowtide_crdt_merge *merge, changes_object *changes)
{
    int rc = ROWTIDE_OK;
    int failed = 0;
    if (!changes->pointer)
        return 0;
    if (!start_changes(changes))
        return -1;
    while (rc == ROWTIDE_OK && !failed) {
        Py_BEGIN_ALLOW_THREADS rc = merge_some(merge, changes->pointer);
        Py_END_ALLOW_THREADS failed = rowtide_py_failed(rc)
                                      || PyErr_CheckSignals() < 0;
    }
    changes->running = 0;
    clear_changes((PyObject *)changes);
    return failed ? -1 : 0;
}

PyObject *rowtide_py_merge_rows(PyObject *self, PyObject *args)
{
    PyObject *handle, *rows;
    void *merge;
    batch *work;
    int rc = -1;
    (void)self;
    if (!PyArg_ParseTuple(args, "OO", &handle, &rows)
        || rowtide_py_pointer(handle, &rowtide_py_crdt_merge_class, &merge) < 0)
        return NULL;
    if (Py_IS_TYPE(rows, changes_type)) {
        rc = merge_changes(merge, (changes_object *)rows);
    } else {
        work = PyMem_Calloc(1, sizeof *work);
        if (!work)
            return PyErr_NoMemory();
        work->merge = merge;
        work->kept = PyList_New(0);
        if (work->kept)
            rc = merge_rows(work, rows);
        Py_XDECREF(work->kept);
        PyMem_Free(work);
    }
    if (rc < 0)
        return NULL;
    Py_RETURN_NONE;
}
