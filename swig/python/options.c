#include "schema_options.h"
#include "support.h"

#include <string.h>

/* None: leave the callback out. */
#define SET_CALLBACK(object, field, user, trampoline)                          \
    do {                                                                       \
        if ((object) != Py_None) {                                             \
            if (!rowtide_py_callable(object))                                  \
                return -1;                                                     \
            (field) = (trampoline);                                            \
            (user) = (object);                                                 \
        }                                                                      \
    } while (0)

int rowtide_py_apply_options(PyObject *tuple, rowtide_apply_options *out)
{
    rowtide_apply_options options = ROWTIDE_APPLY_OPTIONS_INIT;
    PyObject *on_conflict, *filter, *change_filter, *progress;
    int policy[5];
    if (!PyArg_ParseTuple(tuple, "(iiiii)OOOIO", policy, policy + 1, policy + 2,
                          policy + 3, policy + 4, &on_conflict, &filter,
                          &change_filter, &options.flags, &progress))
        return -1;
    options.policy.data = (rowtide_conflict_action)policy[0];
    options.policy.not_found = (rowtide_conflict_action)policy[1];
    options.policy.conflict = (rowtide_conflict_action)policy[2];
    options.policy.constraint = (rowtide_conflict_action)policy[3];
    options.policy.foreign_key = (rowtide_conflict_action)policy[4];
    SET_CALLBACK(on_conflict, options.on_conflict, options.on_conflict_user,
                 rowtide_py_on_conflict);
    SET_CALLBACK(filter, options.filter, options.filter_user,
                 rowtide_py_on_table);
    SET_CALLBACK(change_filter, options.change_filter,
                 options.change_filter_user, rowtide_py_on_change);
    options.progress = rowtide_py_on_quiet;
    SET_CALLBACK(progress, options.progress, options.progress_user,
                 rowtide_py_on_progress);
    *out = options;
    return 0;
}

int rowtide_py_capture_options(PyObject *tuple, rowtide_capture_options *out)
{
    rowtide_capture_options options = ROWTIDE_CAPTURE_OPTIONS_INIT;
    PyObject *schema, *tables, *filter;
    const char **names;
    long long limit;
    *out = options;
    if (!PyArg_ParseTuple(tuple, "OOOIL", &schema, &tables, &filter,
                          &options.flags, &limit))
        return -1;
    options.memory_limit = limit;
    if (rowtide_py_string(schema, &options.schema) < 0)
        return -1;
    SET_CALLBACK(filter, options.filter, options.filter_user,
                 rowtide_py_on_table_later);
    if (rowtide_py_strings(tables, &names, &options.table_count) < 0) {
        PyMem_Free((void *)names);
        return -1;
    }
    options.tables = names;
    *out = options;
    return 0;
}

void rowtide_py_capture_options_free(rowtide_capture_options *options)
{
    PyMem_Free((void *)options->tables);
    options->tables = NULL;
}

int rowtide_py_diff_options(PyObject *tuple, rowtide_diff_options *out)
{
    rowtide_diff_options options = ROWTIDE_DIFF_OPTIONS_INIT;
    PyObject *tables, *filter, *progress;
    const char **names;
    *out = options;
    if (!PyArg_ParseTuple(tuple, "OOIO", &tables, &filter, &options.flags,
                          &progress))
        return -1;
    SET_CALLBACK(filter, options.filter, options.filter_user,
                 rowtide_py_on_table);
    options.progress = rowtide_py_on_quiet;
    SET_CALLBACK(progress, options.progress, options.progress_user,
                 rowtide_py_on_progress);
    if (rowtide_py_strings(tables, &names, &options.table_count) < 0) {
        PyMem_Free((void *)names);
        return -1;
    }
    options.tables = names;
    *out = options;
    return 0;
}

void rowtide_py_diff_options_free(rowtide_diff_options *options)
{
    PyMem_Free((void *)options->tables);
    options->tables = NULL;
}

int rowtide_py_render_options(PyObject *tuple, rowtide_render_options *out)
{
    rowtide_render_options options = ROWTIDE_RENDER_OPTIONS_INIT;
    PyObject *names, *title;
    void *db;
    long long limit;
    if (!PyArg_ParseTuple(tuple, "OILO", &names, &options.flags, &limit,
                          &title))
        return -1;
    options.limit = limit;
    if (rowtide_py_pointer(names, &rowtide_py_db_class, &db) < 0)
        return -1;
    if (rowtide_py_string(title, &options.title) < 0)
        return -1;
    options.names = db;
    *out = options;
    return 0;
}

int rowtide_py_open_options(PyObject *tuple, rowtide_open_options *out)
{
    rowtide_open_options options = ROWTIDE_OPEN_OPTIONS_INIT;
    if (!PyArg_ParseTuple(tuple, "iii", &options.read_only, &options.must_exist,
                          &options.busy_timeout_ms))
        return -1;
    *out = options;
    return 0;
}

int rowtide_py_undo_options(PyObject *tuple, rowtide_undo_options *out)
{
    rowtide_undo_options options = ROWTIDE_UNDO_OPTIONS_INIT;
    long long steps, bytes;
    if (!PyArg_ParseTuple(tuple, "LL", &steps, &bytes))
        return -1;
    options.step_limit = steps;
    options.byte_limit = bytes;
    *out = options;
    return 0;
}

int rowtide_py_audit_entry(PyObject *tuple, rowtide_audit_entry *out)
{
    PyObject *author, *label, *time;
    if (!PyArg_ParseTuple(tuple, "OOO", &author, &label, &time))
        return -1;
    if (rowtide_py_string(author, &out->author) < 0
        || rowtide_py_string(label, &out->label) < 0
        || rowtide_py_string(time, &out->time) < 0)
        return -1;
    return 0;
}

int rowtide_py_pull_options(PyObject *tuple, rowtide_crdt_pull_options *out)
{
    rowtide_crdt_pull_options options = ROWTIDE_CRDT_PULL_OPTIONS_INIT;
    PyObject *exclude, *tables;
    long long since, until;
    Py_ssize_t chunk_size;
    const char **names;
    size_t count;
    *out = options;
    if (!PyArg_ParseTuple(tuple, "LLOpOn", &since, &until, &exclude,
                          &options.only_local, &tables, &chunk_size))
        return -1;
    options.since = since;
    options.until = until;
    options.chunk_size = (size_t)chunk_size;
    if (exclude != Py_None) {
        options.exclude = PyBytes_AsString(exclude);
        if (!options.exclude)
            return -1;
        options.exclude_size = (size_t)PyBytes_Size(exclude);
    }
    if (rowtide_py_strings(tables, &names, &count) < 0) {
        PyMem_Free((void *)names);
        return -1;
    }
    options.tables = names;
    *out = options;
    return 0;
}

void rowtide_py_pull_options_free(rowtide_crdt_pull_options *options)
{
    PyMem_Free((void *)options->tables);
    options->tables = NULL;
}

int rowtide_py_run_options(PyObject *progress, rowtide_plan_run_options *out)
{
    rowtide_plan_run_options options = ROWTIDE_PLAN_RUN_OPTIONS_INIT;
    options.progress = rowtide_py_on_quiet;
    SET_CALLBACK(progress, options.progress, options.progress_user,
                 rowtide_py_on_progress);
    *out = options;
    return 0;
}

static const rowtide_field *fields_of(const char *name)
{
    const rowtide_shape *shape = option_shapes;
    while (strcmp(shape->name, name) != 0)
        shape++;
    return shape->fields;
}

/* The place of a word among those of the field; -1 with an exception. */
static int find_word(const rowtide_field *field, PyObject *word)
{
    int count = 0;
    for (; field->names[count]; count++) {
        if (PyUnicode_Check(word)
            && PyUnicode_CompareWithASCIIString(word, field->names[count]) == 0)
            return count;
    }
    PyErr_Format(PyUnicode_Check(word) ? PyExc_ValueError : PyExc_TypeError,
                 "%s is '%s' or '%s', not %R", field->name, field->names[0],
                 field->names[count - 1], word);
    return -1;
}

static int read_words(const rowtide_field *field, PyObject *words,
                      unsigned *out)
{
    PyObject *iterator = PyObject_GetIter(words);
    PyObject *word;
    int found = 0;
    while (iterator && found >= 0 && (word = PyIter_Next(iterator))) {
        found = find_word(field, word);
        if (found >= 0)
            *out |= 1u << found;
        Py_DECREF(word);
    }
    Py_XDECREF(iterator);
    return PyErr_Occurred() ? -1 : 0;
}

static int read_option(const rowtide_field *field, PyObject *value, void *at)
{
    const char **names;
    size_t count;
    int rc;
    switch ((int)field->kind) {
    case ROWTIDE_FIELD_TEXT:
        return rowtide_py_string(value, at);
    case ROWTIDE_FIELD_TEXTS:
        rc = rowtide_py_strings(value, &names, &count);
        *(const char ***)at = names;
        return rc;
    case ROWTIDE_FIELD_ENUM:
        rc = find_word(field, value);
        *(int *)at = rc;
        return rc < 0 ? -1 : 0;
    case ROWTIDE_OPTION_FLAGS:
        return read_words(field, value, at);
    default:
        rc = PyObject_IsTrue(value);
        *(int *)at = rc;
        return rc < 0 ? -1 : 0;
    }
}

int rowtide_py_shaped_options(PyObject *dict, const char *name, void *out)
{
    if (!PyDict_Check(dict)) {
        PyErr_SetString(PyExc_TypeError, "a dict of options is needed");
        return -1;
    }
    for (const rowtide_field *field = fields_of(name); field->name; field++) {
        PyObject *value = PyDict_GetItemString(dict, field->name);
        if (value && value != Py_None
            && read_option(field, value, (char *)out + field->offset) < 0)
            return -1;
    }
    return 0;
}

void rowtide_py_shaped_options_free(const char *name, void *options)
{
    for (const rowtide_field *field = fields_of(name); field->name; field++) {
        if (field->kind == ROWTIDE_FIELD_TEXTS)
            PyMem_Free(*(void **)((char *)options + field->offset));
    }
}

PyObject *rowtide_py_report_table(const rowtide_report_table *line)
{
    return Py_BuildValue("(NLLLLN)", rowtide_py_text(line->table),
                         (long long)line->applied, (long long)line->omitted,
                         (long long)line->replaced, (long long)line->skipped,
                         rowtide_py_text(line->skip_reason));
}

PyObject *rowtide_py_undo_step(const rowtide_undo_step *step)
{
    return Py_BuildValue("(LNNLN)", (long long)step->id,
                         rowtide_py_text(step->label),
                         rowtide_py_text(step->time), (long long)step->bytes,
                         PyBool_FromLong(step->undone));
}
