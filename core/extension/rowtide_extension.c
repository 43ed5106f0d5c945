#include <sqlite3ext.h>

#include <rowtide/common.h>
#include <rowtide/error.h>

SQLITE_EXTENSION_INIT1

#include "crdt/engine.h"

#define ENTRY __attribute__((visibility("default")))

int sqlite3_rowtide_init(sqlite3 *db, char **message_out,
                         const sqlite3_api_routines *routines);
int sqlite3_crsqlite_init(sqlite3 *db, char **message_out,
                          const sqlite3_api_routines *routines);

static void report_version(sqlite3_context *context, int argc,
                           sqlite3_value **argv)
{
    (void)argc;
    (void)argv;
    sqlite3_result_text(context, ROWTIDE_VERSION, -1, SQLITE_STATIC);
}

/* A function cannot be replaced while a statement runs, such as the one that
 * loads us a second time. */
static int add_version(sqlite3 *db)
{
    sqlite3_stmt *stmt = NULL;
    int rc = sqlite3_prepare_v2(db, "SELECT rowtide_version()", -1, &stmt,
                                NULL);
    sqlite3_finalize(stmt);
    if (rc == SQLITE_OK)
        return rc;
    return sqlite3_create_function_v2(db, "rowtide_version", 0,
                                      SQLITE_UTF8 | SQLITE_DETERMINISTIC
                                          | SQLITE_INNOCUOUS,
                                      NULL, report_version, NULL, NULL, NULL);
}

/* SQLite looks this name up: the file is rowtide.so. */
ENTRY int sqlite3_rowtide_init(sqlite3 *db, char **message_out,
                               const sqlite3_api_routines *routines)
{
    rowtide__crdt *engine;
    SQLITE_EXTENSION_INIT2(routines);
    int rc = add_version(db);
    if (rc != SQLITE_OK)
        return rc;
    int status = rowtide__crdt_register(db, &engine);
    if (status < 0)
        *message_out = sqlite3_mprintf("%s", rowtide_error_message());
    return rowtide__crdt_code(status);
}

/* The name that programs written for cr-sqlite ask for. */
ENTRY int sqlite3_crsqlite_init(sqlite3 *db, char **message_out,
                                const sqlite3_api_routines *routines)
{
    return sqlite3_rowtide_init(db, message_out, routines);
}
