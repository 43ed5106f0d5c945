#include "crdt/alter_track.h"
#include "crdt/twin.h"
#include "base/error.h"

#include <string.h>

/* Tells this copy of the code from another one on the same connection. */
static const char POINTER_TYPE[] = "rowtide-crdt " ROWTIDE_VERSION;

static void tell_engine(sqlite3_context *context, int argc,
                        sqlite3_value **argv)
{
    (void)argc;
    struct {
        const char *type;
        rowtide__crdt *engine;
    } *slot = sqlite3_value_pointer(argv[0], POINTER_TYPE);
    if (slot && slot->type == POINTER_TYPE)
        slot->engine = sqlite3_user_data(context);
}

int rowtide__crdt_function(rowtide__crdt *engine, const char *name, int count,
                           int flags,
                           void (*call)(sqlite3_context *, int,
                                        sqlite3_value **))
{
    engine->references++;
    int rc = sqlite3_create_function_v2(engine->sqlite, name, count, flags,
                                        engine, call, NULL, NULL,
                                        rowtide__crdt_release);
    return rc == SQLITE_OK ? ROWTIDE_OK
                           : rowtide__crdt_fail_sql(engine, rc, "%s", name);
}

int rowtide__crdt_module(rowtide__crdt *engine, const char *name,
                         const sqlite3_module *module)
{
    engine->references++;
    int rc = sqlite3_create_module_v2(engine->sqlite, name, module, engine,
                                      rowtide__crdt_release);
    return rc == SQLITE_OK ? ROWTIDE_OK
                           : rowtide__crdt_fail_sql(engine, rc, "%s", name);
}

/* ## The keeper
 *
 * A connection with statements cannot be closed. But SQLite disconnects
 * virtual tables first, and one that no statement of ours uses is told. */

static int connect_keeper(sqlite3 *sqlite, void *argument, int argc,
                          const char *const *argv, sqlite3_vtab **out,
                          char **message)
{
    typedef struct keeper {
        sqlite3_vtab base;
        rowtide__crdt *engine;
    } keeper;
    (void)argc;
    (void)argv;
    (void)message;
    int rc = sqlite3_declare_vtab(sqlite, "CREATE TABLE x(a)");
    keeper *made = rc == SQLITE_OK ? sqlite3_malloc(sizeof *made) : NULL;
    if (!made)
        return rc == SQLITE_OK ? SQLITE_NOMEM : rc;
    memset(made, 0, sizeof *made);
    made->engine = argument;
    made->engine->kept = 1;
    *out = &made->base;
    return SQLITE_OK;
}

static int disconnect_keeper(sqlite3_vtab *vtab)
{
    struct {
        sqlite3_vtab base;
        rowtide__crdt *engine;
    } *keeper = (void *)vtab;
    keeper->engine->kept = 0;
    rowtide__crdt_finalize(keeper->engine);
    sqlite3_free(vtab);
    return SQLITE_OK;
}

static int plan_nothing(sqlite3_vtab *vtab, sqlite3_index_info *info)
{
    (void)vtab;
    (void)info;
    return SQLITE_OK;
}

static int open_nothing(sqlite3_vtab *vtab, sqlite3_vtab_cursor **out)
{
    (void)vtab;
    *out = sqlite3_malloc(sizeof **out);
    if (!*out)
        return SQLITE_NOMEM;
    memset(*out, 0, sizeof **out);
    return SQLITE_OK;
}

static int close_nothing(sqlite3_vtab_cursor *cursor)
{
    sqlite3_free(cursor);
    return SQLITE_OK;
}

static int filter_nothing(sqlite3_vtab_cursor *cursor, int plan,
                          const char *text, int argc, sqlite3_value **argv)
{
    (void)cursor;
    (void)plan;
    (void)text;
    (void)argc;
    (void)argv;
    return SQLITE_OK;
}

static int next_nothing(sqlite3_vtab_cursor *cursor)
{
    (void)cursor;
    return SQLITE_OK;
}

static int end_nothing(sqlite3_vtab_cursor *cursor)
{
    (void)cursor;
    return 1;
}

static int column_nothing(sqlite3_vtab_cursor *cursor, sqlite3_context *context,
                          int column)
{
    (void)cursor;
    (void)context;
    (void)column;
    return SQLITE_OK;
}

static int rowid_nothing(sqlite3_vtab_cursor *cursor, sqlite3_int64 *out)
{
    (void)cursor;
    *out = 0;
    return SQLITE_OK;
}

static const sqlite3_module KEEPER = {
    .xConnect = connect_keeper,
    .xBestIndex = plan_nothing,
    .xDisconnect = disconnect_keeper,
    .xOpen = open_nothing,
    .xClose = close_nothing,
    .xFilter = filter_nothing,
    .xNext = next_nothing,
    .xEof = end_nothing,
    .xColumn = column_nothing,
    .xRowid = rowid_nothing,
};

int rowtide__crdt_keep(rowtide__crdt *engine)
{
    sqlite3_stmt *stmt = NULL;
    if (engine->kept)
        return ROWTIDE_OK;
    int rc = sqlite3_prepare_v2(
        engine->sqlite, "SELECT 1 FROM rowtide_crdt_keeper", -1, &stmt, NULL);
    sqlite3_finalize(stmt);
    return rc == SQLITE_OK ? ROWTIDE_OK
                           : rowtide__crdt_fail_sql(engine, rc, "%s", "");
}

/* ## All of it */

typedef int (*adder)(rowtide__crdt *engine);

static int add_engine_function(rowtide__crdt *engine)
{
    int rc = rowtide__crdt_function(engine, "rowtide_crdt_engine", 1,
                                    SQLITE_UTF8 | SQLITE_DIRECTONLY,
                                    tell_engine);
    return rc == ROWTIDE_OK
               ? rowtide__crdt_module(engine, "rowtide_crdt_keeper", &KEEPER)
               : rc;
}

static int add_all(rowtide__crdt *engine)
{
    static const adder ADDERS[] = {
        add_engine_function,       rowtide__crdt_keep,
        rowtide__crdt_add_changes, rowtide__crdt_add_local,
        rowtide__crdt_add_twin,    rowtide__crdt_add_alter,
        rowtide__crdt_add_views,   rowtide__crdt_add_keys,
        rowtide__crdt_add_batch,   rowtide__crdt_add_functions,
        rowtide__crdt_add_unpack,  rowtide__crdt_add_fract,
        rowtide__crdt_add_clset,   rowtide__crdt_add_automigrate,
        rowtide__crdt_add_convert};
    int rc = rowtide__crdt_setup(engine);
    for (size_t i = 0; i < sizeof ADDERS / sizeof *ADDERS && rc == ROWTIDE_OK;
         i++)
        rc = ADDERS[i](engine);
    return rc;
}

/* NULL if the connection has none. */
static int find_engine(sqlite3 *sqlite, rowtide__crdt **out)
{
    struct {
        const char *type;
        rowtide__crdt *engine;
    } slot = {POINTER_TYPE, NULL};
    sqlite3_stmt *stmt = NULL;
    int rc = sqlite3_prepare_v2(sqlite, "SELECT rowtide_crdt_engine(?)", -1,
                                &stmt, NULL);
    if (rc == SQLITE_OK)
        rc = sqlite3_bind_pointer(stmt, 1, &slot, POINTER_TYPE, NULL);
    if (rc == SQLITE_OK)
        sqlite3_step(stmt);
    int last = sqlite3_finalize(stmt);
    *out = slot.engine;
    return rc == SQLITE_NOMEM || last == SQLITE_NOMEM ? rowtide__nomem()
                                                      : ROWTIDE_OK;
}

static int has_changes(sqlite3 *sqlite)
{
    sqlite3_stmt *stmt = NULL;
    int rc = sqlite3_prepare_v2(sqlite, "SELECT crsql_site_id()", -1, &stmt,
                                NULL);
    sqlite3_finalize(stmt);
    return rc == SQLITE_OK;
}

int rowtide__crdt_register(sqlite3 *sqlite, rowtide__crdt **out)
{
    int rc = find_engine(sqlite, out);
    if (rc != ROWTIDE_OK || *out)
        return rc;
    if (has_changes(sqlite))
        return rowtide__fail(ROWTIDE_EEXISTS,
                             "the connection has crsql_changes already, from "
                             "an extension that was loaded");
    rc = rowtide__crdt_new(sqlite, out);
    if (rc != ROWTIDE_OK)
        return rc;
    rowtide__crdt *engine = *out;
    rc = add_all(engine);
    engine->registered = rc == ROWTIDE_OK;
    if (rc != ROWTIDE_OK) {
        rowtide__crdt_finalize(engine);
        *out = NULL;
    }
    rowtide__crdt_release(engine);
    return rc;
}
