#include "support.h"

#include <sqlite3.h>

/* sqlite3.Connection does not show its sqlite3 pointer. An SQL function that
 * every new connection gets does: it runs on the connection that asks. */

static const char ADOPT_FUNCTION[] = "__rowtide_adopt";
static const char ADOPT_QUERY[] = "SELECT __rowtide_adopt()";

/* Where the function leaves the connection; NULL when nobody is waiting, so
 * that the function does nothing in anybody else's SQL. */
static _Thread_local sqlite3 **waiting;

static void adopt_function(sqlite3_context *context, int count,
                           sqlite3_value **values)
{
    (void)count;
    (void)values;
    if (waiting)
        *waiting = sqlite3_context_db_handle(context);
    sqlite3_result_null(context);
}

static int offer_connection(sqlite3 *sqlite, char **message, const void *api)
{
    (void)message;
    (void)api;
    /* A connection that cannot take the function is no reason to keep it
     * from opening. */
    (void)sqlite3_create_function_v2(sqlite, ADOPT_FUNCTION, 0,
                                     SQLITE_UTF8 | SQLITE_DIRECTONLY, NULL,
                                     adopt_function, NULL, NULL, NULL);
    return SQLITE_OK;
}

int rowtide_py_offer_connections(void)
{
    int rc = sqlite3_auto_extension((void (*)(void))offer_connection);
    if (rc == SQLITE_OK)
        return 0;
    PyErr_Format(PyExc_ImportError, "SQLite cannot be set up: %s",
                 sqlite3_errstr(rc));
    return -1;
}

PyObject *rowtide_py_adopt(PyObject *execute)
{
    sqlite3 *sqlite = NULL;
    sqlite3 **outer = waiting;
    rowtide_db *db;
    PyObject *cursor;
    waiting = &sqlite;
    cursor = PyObject_CallFunction(execute, "s", ADOPT_QUERY);
    waiting = outer;
    if (!cursor)
        return NULL;
    Py_DECREF(cursor);
    if (!sqlite)
        Py_RETURN_NONE;
    if (rowtide_py_failed(rowtide_db_adopt(sqlite, &db)))
        return NULL;
    return rowtide_py_handle(&rowtide_py_db_class, db);
}
