#include "crdt/vtab.h"
#include "base/error.h"

#include <string.h>

typedef struct engine_table {
    sqlite3_vtab base;
    rowtide__crdt *engine;
} engine_table;

int rowtide__vtab_connect(sqlite3 *sqlite, void *engine,
                          const char *declaration, sqlite3_vtab **out)
{
    int rc = sqlite3_declare_vtab(sqlite, declaration);
    engine_table *made = rc == SQLITE_OK ? sqlite3_malloc(sizeof *made) : NULL;
    if (!made)
        return rc == SQLITE_OK ? SQLITE_NOMEM : rc;
    memset(made, 0, sizeof *made);
    made->engine = engine;
    sqlite3_vtab_config(sqlite, SQLITE_VTAB_INNOCUOUS);
    *out = &made->base;
    return SQLITE_OK;
}

/* SQLite takes no message of what failed in a savepoint. */
int rowtide__vtab_disconnect(sqlite3_vtab *vtab)
{
    sqlite3_free(vtab->zErrMsg);
    sqlite3_free(vtab);
    return SQLITE_OK;
}

rowtide__crdt *rowtide__vtab_engine(sqlite3_vtab *vtab)
{
    return ((engine_table *)vtab)->engine;
}

int rowtide__vtab_open(size_t size, sqlite3_vtab_cursor **out)
{
    sqlite3_vtab_cursor *cursor = sqlite3_malloc64(size);
    if (!cursor)
        return SQLITE_NOMEM;
    memset(cursor, 0, size);
    *out = cursor;
    return SQLITE_OK;
}

int rowtide__vtab_end_call(sqlite3_vtab *vtab, int status)
{
    if (status >= 0)
        return SQLITE_OK;
    sqlite3_free(vtab->zErrMsg);
    vtab->zErrMsg = sqlite3_mprintf("%s", rowtide_error_message());
    return rowtide__crdt_code(status);
}
