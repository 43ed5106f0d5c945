#include "support.h"

#include <stddef.h>
#include <structmember.h>

/* What all changes of one table share. An iterator shows the same name, at
 * the same address, for all of them. */
typedef struct {
    const char *table;
    PyObject *name;        /* interned */
    PyObject *key_columns; /* a tuple of indexes, in the order of the key */
} table_cache;

typedef struct {
    PyObject_HEAD PyObject *table;
    PyObject *kind;
    char indirect;
    PyObject *old_row;
    PyObject *new_row;
    PyObject *key_columns;
} change_object;

typedef struct {
    PyObject_HEAD PyObject *iter; /* a handle, or NULL when closed */
    PyObject *owner;              /* what the iterator reads from */
    rowtide_changeset_iter *pointer;
    int running;
    table_cache cache;
} iterator_object;

static PyTypeObject *change_type;
static PyTypeObject *iterator_type;

/* A loop over changes lets go of one right after it got the next: memory that
 * is kept for that saves a tenth of the time. */
#define KEPT_CHANGES 8
static void *kept_changes[KEPT_CHANGES];
static int kept_count;

static change_object *allocate_change(void)
{
    if (kept_count == 0)
        return PyObject_New(change_object, change_type);
    return (change_object *)PyObject_Init(kept_changes[--kept_count],
                                          change_type);
}

static void free_change(void *memory)
{
    if (kept_count < KEPT_CHANGES)
        kept_changes[kept_count++] = memory;
    else
        PyObject_Free(memory);
}

static void clear_cache(table_cache *cache)
{
    cache->table = NULL;
    Py_CLEAR(cache->name);
    Py_CLEAR(cache->key_columns);
}

/* Places in the key go from 1 on without gaps in what the decoder lets by. */
static PyObject *find_key_columns(const rowtide_change *change)
{
    PyObject *columns = PyList_New(0);
    PyObject *tuple;
    for (int place = 1; columns && place <= change->column_count; place++) {
        for (int i = 0; columns && i < change->column_count; i++) {
            PyObject *index;
            if (change->primary_key[i] != place)
                continue;
            index = PyLong_FromLong(i);
            if (!index || PyList_Append(columns, index) < 0)
                Py_CLEAR(columns);
            Py_XDECREF(index);
        }
        if (place == 255)
            break;
    }
    if (!columns)
        return NULL;
    tuple = PyList_AsTuple(columns);
    Py_DECREF(columns);
    return tuple;
}

static int fill_cache(table_cache *cache, const rowtide_change *change)
{
    clear_cache(cache);
    cache->key_columns = find_key_columns(change);
    cache->name = rowtide_py_text(change->table);
    if (!cache->key_columns || !cache->name) {
        clear_cache(cache);
        return -1;
    }
    PyUnicode_InternInPlace(&cache->name);
    cache->table = change->table;
    return 0;
}

/* ## Change */

static PyObject *kind_of(const rowtide_change *change)
{
    switch (change->kind) {
    case ROWTIDE_CHANGE_INSERT:
        return rowtide_py.kind_insert;
    case ROWTIDE_CHANGE_DELETE:
        return rowtide_py.kind_delete;
    default:
        return rowtide_py.kind_update;
    }
}

static PyObject *new_change(table_cache *cache, const rowtide_change *change)
{
    change_object *self;
    if (cache->table != change->table && fill_cache(cache, change) < 0)
        return NULL;
    self = allocate_change();
    if (!self)
        return NULL;
    self->table = Py_NewRef(cache->name);
    self->kind = Py_NewRef(kind_of(change));
    self->indirect = change->indirect != 0;
    self->key_columns = Py_NewRef(cache->key_columns);
    self->old_row = rowtide_py_from_values(change->old_values,
                                           change->column_count);
    self->new_row = self->old_row ? rowtide_py_from_values(change->new_values,
                                                           change->column_count)
                                  : NULL;
    if (self->new_row)
        return (PyObject *)self;
    Py_DECREF(self);
    return NULL;
}

PyObject *rowtide_py_change(const rowtide_change *change)
{
    table_cache cache = {0};
    PyObject *self = new_change(&cache, change);
    clear_cache(&cache);
    return self;
}

static void dealloc_change(PyObject *object)
{
    change_object *self = (change_object *)object;
    PyTypeObject *type = Py_TYPE(object);
    Py_XDECREF(self->table);
    Py_XDECREF(self->kind);
    Py_XDECREF(self->old_row);
    Py_XDECREF(self->new_row);
    Py_XDECREF(self->key_columns);
    free_change(object);
    Py_DECREF(type);
}

static PyObject *repr_change(PyObject *object)
{
    change_object *self = (change_object *)object;
    return PyUnicode_FromFormat("<rowtide.Change %S %U old=%R new=%R>",
                                self->kind, self->table, self->old_row,
                                self->new_row);
}

/* The same facts as a tuple, for comparing and hashing. */
static PyObject *pack_change(PyObject *object)
{
    change_object *self = (change_object *)object;
    return PyTuple_Pack(6, self->table, self->kind,
                        self->indirect ? Py_True : Py_False, self->old_row,
                        self->new_row, self->key_columns);
}

static PyObject *compare_changes(PyObject *a, PyObject *b, int op)
{
    PyObject *left, *right;
    PyObject *result = NULL;
    if (!Py_IS_TYPE(b, change_type) || (op != Py_EQ && op != Py_NE))
        Py_RETURN_NOTIMPLEMENTED;
    left = pack_change(a);
    right = pack_change(b);
    if (left && right)
        result = PyObject_RichCompare(left, right, op);
    Py_XDECREF(left);
    Py_XDECREF(right);
    return result;
}

static Py_hash_t hash_change(PyObject *object)
{
    PyObject *facts = pack_change(object);
    Py_hash_t hash = facts ? PyObject_Hash(facts) : -1;
    Py_XDECREF(facts);
    return hash;
}

static PyObject *get_primary_key(PyObject *object, void *closure)
{
    change_object *self = (change_object *)object;
    PyObject *row = self->old_row != Py_None ? self->old_row : self->new_row;
    Py_ssize_t size = PyTuple_Size(self->key_columns);
    PyObject *key = PyTuple_New(size);
    (void)closure;
    for (Py_ssize_t i = 0; key && i < size; i++) {
        long column = PyLong_AsLong(PyTuple_GetItem(self->key_columns, i));
        PyTuple_SetItem(key, i, Py_NewRef(PyTuple_GetItem(row, column)));
    }
    return key;
}

static PyMemberDef change_members[] = {
    {"table", T_OBJECT_EX, offsetof(change_object, table), READONLY,
     "The name of the table."},
    {"kind", T_OBJECT_EX, offsetof(change_object, kind), READONLY,
     "A ChangeKind: insert, update or delete."},
    {"indirect", T_BOOL, offsetof(change_object, indirect), READONLY,
     "True if a trigger or a foreign key action made the change."},
    {"old", T_OBJECT_EX, offsetof(change_object, old_row), READONLY,
     "The row before, as a tuple; None for an insert. Columns that an update\n"
     "left alone are UNDEFINED, but for those of the primary key."},
    {"new", T_OBJECT_EX, offsetof(change_object, new_row), READONLY,
     "The row after, as a tuple; None for a delete. Columns that an update\n"
     "left alone are UNDEFINED."},
    {"key_columns", T_OBJECT_EX, offsetof(change_object, key_columns), READONLY,
     "Which columns are the primary key: their indexes, in key order."},
    {NULL, 0, 0, 0, NULL},
};

static PyGetSetDef change_getters[] = {
    {"primary_key", get_primary_key, NULL,
     "The values of the primary key, as a tuple in key order.", NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static char change_doc[] =
    "One change of one row. Immutable, and independent of the changeset it\n"
    "came from; any thread may use it.";

static PyType_Slot change_slots[] = {
    {Py_tp_dealloc, dealloc_change},
    {Py_tp_repr, repr_change},
    {Py_tp_richcompare, compare_changes},
    {Py_tp_hash, hash_change},
    {Py_tp_members, change_members},
    {Py_tp_getset, change_getters},
    {Py_tp_doc, change_doc},
    {0, NULL},
};

static PyType_Spec change_spec = {
    "rowtide.Change", sizeof(change_object), 0,
    Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION, change_slots};

PyObject *rowtide_py_counts(const rowtide_change_counts *counts)
{
    return Py_BuildValue("(LLLL)", (long long)counts->inserts,
                         (long long)counts->updates, (long long)counts->deletes,
                         (long long)counts->indirect);
}

/* ## ChangeIterator */

static PyObject *new_iterator(PyTypeObject *type, PyObject *args, PyObject *kw)
{
    iterator_object *self;
    PyObject *handle, *owner;
    void *pointer;
    (void)kw;
    if (!PyArg_ParseTuple(args, "OO", &handle, &owner))
        return NULL;
    if (rowtide_py_pointer(handle, &rowtide_py_changeset_iter_class, &pointer)
        < 0)
        return NULL;
    self = (iterator_object *)((allocfunc)PyType_GetSlot(type, Py_tp_alloc))(
        type, 0);
    if (!self)
        return NULL;
    self->iter = Py_NewRef(handle);
    self->owner = Py_NewRef(owner);
    self->pointer = pointer;
    return (PyObject *)self;
}

static int traverse_iterator(PyObject *object, visitproc visit, void *arg)
{
    iterator_object *self = (iterator_object *)object;
    Py_VISIT(Py_TYPE(object));
    Py_VISIT(self->iter);
    Py_VISIT(self->owner);
    return 0;
}

static int clear_iterator(PyObject *object)
{
    iterator_object *self = (iterator_object *)object;
    self->pointer = NULL;
    Py_CLEAR(self->iter);
    Py_CLEAR(self->owner);
    clear_cache(&self->cache);
    return 0;
}

static void dealloc_iterator(PyObject *object)
{
    PyTypeObject *type = Py_TYPE(object);
    PyObject_GC_UnTrack(object);
    clear_iterator(object);
    ((freefunc)PyType_GetSlot(type, Py_tp_free))(object);
    Py_DECREF(type);
}

static PyObject *next_change(PyObject *object)
{
    iterator_object *self = (iterator_object *)object;
    const rowtide_change *change;
    int rc;
    if (!self->pointer)
        return NULL;
    if (self->running) {
        PyErr_SetString(PyExc_ValueError, "the iterator is running already");
        return NULL;
    }
    self->running = 1;
    rc = rowtide_changeset_iter_next(self->pointer, &change);
    self->running = 0;
    if (rc == ROWTIDE_OK)
        return new_change(&self->cache, change);
    if (rc != ROWTIDE_DONE)
        (void)rowtide_py_failed(rc);
    clear_iterator(object);
    return NULL;
}

static PyObject *close_iterator(PyObject *object, PyObject *args)
{
    (void)args;
    if (((iterator_object *)object)->running) {
        PyErr_SetString(PyExc_ValueError, "the iterator is running");
        return NULL;
    }
    clear_iterator(object);
    Py_RETURN_NONE;
}

static PyObject *enter_iterator(PyObject *object, PyObject *args)
{
    (void)args;
    return Py_NewRef(object);
}

static PyMethodDef iterator_methods[] = {
    {"close", close_iterator, METH_NOARGS,
     "Let go of what is read; the iterator is at its end then."},
    {"__enter__", enter_iterator, METH_NOARGS, NULL},
    {"__exit__", close_iterator, METH_VARARGS, NULL},
    {NULL, NULL, 0, NULL},
};

static char iterator_doc[] =
    "Gives one Change after the other. Use it in one thread at a time.";

static PyType_Slot iterator_slots[] = {
    {Py_tp_new, new_iterator},
    {Py_tp_dealloc, dealloc_iterator},
    {Py_tp_traverse, traverse_iterator},
    {Py_tp_clear, clear_iterator},
    {Py_tp_iter, PyObject_SelfIter},
    {Py_tp_iternext, next_change},
    {Py_tp_methods, iterator_methods},
    {Py_tp_doc, iterator_doc},
    {0, NULL},
};

static PyType_Spec iterator_spec = {
    "rowtide.ChangeIterator", sizeof(iterator_object), 0,
    Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC, iterator_slots};

int rowtide_py_change_init(PyObject *module)
{
    if (rowtide_py_type(module, "Change", &change_spec, &change_type) < 0)
        return -1;
    return rowtide_py_type(module, "ChangeIterator", &iterator_spec,
                           &iterator_type);
}
