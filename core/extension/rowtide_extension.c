#include <sqlite3ext.h>

#include <rowtide/common.h>

SQLITE_EXTENSION_INIT1

int sqlite3_rowtide_init(sqlite3 *db, char **message_out,
                         const sqlite3_api_routines *routines);

static void report_version(sqlite3_context *context, int argc,
                           sqlite3_value **argv)
{
    (void)argc;
    (void)argv;
    sqlite3_result_text(context, ROWTIDE_VERSION, -1, SQLITE_STATIC);
}

/* SQLite looks this name up: the file is rowtide.so. */
ROWTIDE_API int sqlite3_rowtide_init(sqlite3 *db, char **message_out,
                                     const sqlite3_api_routines *routines)
{
    (void)message_out;
    SQLITE_EXTENSION_INIT2(routines);
    return sqlite3_create_function_v2(db, "rowtide_version", 0,
                                      SQLITE_UTF8 | SQLITE_DETERMINISTIC
                                          | SQLITE_INNOCUOUS,
                                      NULL, report_version, NULL, NULL, NULL);
}
