#include "schema/scratch.h"
#include "schema/read.h"
#include "base/error.h"

#include <string.h>

/* ## Functions */

static void call_nothing(sqlite3_context *context, int count,
                         sqlite3_value **values)
{
    (void)count, (void)values;
    sqlite3_result_null(context);
}

static void finish_nothing(sqlite3_context *context)
{
    sqlite3_result_null(context);
}

static int stub_function(sqlite3 *sqlite, const char *name)
{
    int flags = SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_INNOCUOUS;
    return sqlite3_create_function_v2(sqlite, name, -1, flags, NULL,
                                      call_nothing, NULL, NULL, NULL);
}

static int stub_window_function(sqlite3 *sqlite, const char *name)
{
    return sqlite3_create_window_function(
        sqlite, name, -1, SQLITE_UTF8 | SQLITE_INNOCUOUS, NULL, call_nothing,
        finish_nothing, finish_nothing, call_nothing, NULL);
}

/* ## Collations */

static int compare_bytes(void *user, int a_size, const void *a, int b_size,
                         const void *b)
{
    (void)user;
    int order = memcmp(a, b, (size_t)(a_size < b_size ? a_size : b_size));
    return order ? order : a_size - b_size;
}

static void stub_collation(void *user, sqlite3 *sqlite, int encoding,
                           const char *name)
{
    rowtide__scratch *scratch = user;
    (void)encoding;
    if (sqlite3_create_collation_v2(sqlite, name, SQLITE_UTF8, NULL,
                                    compare_bytes, NULL)
        != SQLITE_OK)
        scratch->no_memory = 1;
}

int rowtide__scratch_stub_collations(rowtide__scratch *scratch)
{
    return sqlite3_collation_needed(scratch->sqlite, scratch, stub_collation);
}

/* ## Modules */

static int stub_connect(sqlite3 *sqlite, void *user, int count,
                        const char *const *arguments, sqlite3_vtab **out,
                        char **message)
{
    (void)user, (void)count, (void)arguments, (void)message;
    int rc = sqlite3_declare_vtab(
        sqlite, "CREATE TABLE x(\"" ROWTIDE__UNKNOWN_COLUMN "\" HIDDEN)");
    if (rc != SQLITE_OK)
        return rc;
    *out = sqlite3_malloc64(sizeof **out);
    if (!*out)
        return SQLITE_NOMEM;
    memset(*out, 0, sizeof **out);
    return SQLITE_OK;
}

static int stub_disconnect(sqlite3_vtab *table)
{
    sqlite3_free(table);
    return SQLITE_OK;
}

/* Nothing can be read from it. */
static int stub_best_index(sqlite3_vtab *table, sqlite3_index_info *info)
{
    (void)table, (void)info;
    return SQLITE_CONSTRAINT;
}

static int stub_rename(sqlite3_vtab *table, const char *name)
{
    (void)table, (void)name;
    return SQLITE_OK;
}

int rowtide__scratch_stub_module(sqlite3 *sqlite, const char *module)
{
    static const sqlite3_module STUB = {.iVersion = 1,
                                        .xCreate = stub_connect,
                                        .xConnect = stub_connect,
                                        .xBestIndex = stub_best_index,
                                        .xDisconnect = stub_disconnect,
                                        .xDestroy = stub_disconnect,
                                        .xRename = stub_rename};
    return sqlite3_create_module_v2(sqlite, module, &STUB, NULL, NULL);
}

/* These come with SQLite and touch nothing but the database. */
int rowtide__scratch_trusts(const char *module)
{
    static const char *const TRUSTED[] = {"fts3",      "fts4",   "fts4aux",
                                          "fts5",      "rtree",  "fts5vocab",
                                          "rtree_i32", "geopoly"};
    for (size_t i = 0; i < sizeof TRUSTED / sizeof *TRUSTED; i++)
        if (sqlite3_stricmp(TRUSTED[i], module) == 0)
            return 1;
    return 0;
}

/* ## What an error asks for */

typedef int (*supplier)(sqlite3 *sqlite, const char *name);

static int result_of(sqlite3 *sqlite, int sqlite_rc)
{
    return sqlite_rc == SQLITE_OK ? 1
                                  : rowtide__sqlite_fail(sqlite, sqlite_rc, "");
}

/* What stands behind the words is the name. */
static int supply_named(sqlite3 *sqlite, const char *message, const char *words,
                        supplier supply)
{
    const char *at = strstr(message, words);
    char *name = at ? sqlite3_mprintf("%s", at + strlen(words)) : NULL;
    if (!name)
        return at ? rowtide__nomem() : 0;
    int rc = supply(sqlite, name);
    sqlite3_free(name);
    return result_of(sqlite, rc);
}

static int supply_window(sqlite3 *sqlite, const char *message)
{
    const char *end = strstr(message,
                             "() may not be used as a window function");
    if (!end)
        return 0;
    const char *colon = strstr(message, ": ");
    const char *start = colon && colon < end ? colon + 2 : message;
    char *name = sqlite3_mprintf("%.*s", (int)(end - start), start);
    if (!name)
        return rowtide__nomem();
    int rc = stub_window_function(sqlite, name);
    sqlite3_free(name);
    return result_of(sqlite, rc);
}

int rowtide__scratch_supply(sqlite3 *sqlite)
{
    const char *message = sqlite3_errmsg(sqlite);
    int rc = supply_named(sqlite, message, "no such function: ", stub_function);
    if (rc == 0)
        rc = supply_named(sqlite, message,
                          "no such module: ", rowtide__scratch_stub_module);
    return rc == 0 ? supply_window(sqlite, message) : rc;
}
