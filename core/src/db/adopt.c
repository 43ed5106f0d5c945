#include "db/handle.h"
#include "base/alloc.h"
#include "base/error.h"

#include <string.h>

#define FUNCTION_NAME "rowtide_adopted"
static const char SQL_FIND[] = "SELECT " FUNCTION_NAME "()";
static const char SQL_IS_KNOWN[] =
    "SELECT 1 FROM pragma_function_list WHERE name = '" FUNCTION_NAME "'";

/* The hidden function leaves its anchor here for the adopt() that called it,
 * so that no pointer ever passes through SQL, where it could be forged. */
static _Thread_local rowtide__anchor *found;

static void show_anchor(sqlite3_context *context, int count,
                        sqlite3_value **values)
{
    (void)count;
    (void)values;
    found = sqlite3_user_data(context);
}

/* Runs while SQLite closes the connection. */
static void close_with_owner(void *user)
{
    rowtide__anchor *anchor = user;
    rowtide_db *db = anchor->db;
    anchor->db = NULL;
    if (db && rowtide__db_is_forked(db)) {
        atomic_store(&db->sqlite, NULL);
    } else if (db) {
        int owned = rowtide__handle_acquire(db);
        /* First, so that no child tries to use it any more. */
        rowtide__handle_take(db);
        rowtide__handle_end_children(db);
        if (owned)
            rowtide__handle_surrender(db);
    }
    rowtide__db_release(db);
    rowtide__free(anchor);
}

static int fail_adopt(sqlite3 *sqlite, int rc)
{
    int code = rowtide__code_from_sqlite(rc);
    if ((rc & 0xff) == SQLITE_MISUSE)
        return rowtide__fail(ROWTIDE_ECLOSED,
                             "adopt: the connection is closed");
    rowtide__fail(code, "adopt: %s", sqlite3_errmsg(sqlite));
    rowtide__error_sqlite_code(rc);
    return code;
}

static int run_find(sqlite3 *sqlite, sqlite3_stmt *stmt, rowtide__anchor **out)
{
    found = NULL;
    sqlite3_step(stmt);
    int rc = sqlite3_finalize(stmt);
    *out = found;
    found = NULL;
    if (rc != SQLITE_OK)
        return fail_adopt(sqlite, rc);
    if (!*out)
        return rowtide__fail(ROWTIDE_ESQL,
                             "adopt: the authorizer of the connection does "
                             "not let " FUNCTION_NAME "() run");
    return ROWTIDE_OK;
}

/* An authorizer that denies the function gives the same code, but the message
 * "not authorized to use function". */
static int is_new_here(sqlite3 *sqlite, int rc)
{
    static const char missing[] = "no such function";
    return (rc & 0xff) == SQLITE_ERROR
           && strncmp(sqlite3_errmsg(sqlite), missing, sizeof missing - 1) == 0;
}

/* A connection that has had an error makes every pre-update call slower from
 * then on, so it is worth asking in a way that gives none. Whoever cannot be
 * asked may know it. */
static int may_be_known(sqlite3 *sqlite)
{
    sqlite3_stmt *stmt = NULL;
    if (sqlite3_prepare_v2(sqlite, SQL_IS_KNOWN, -1, &stmt, NULL) != SQLITE_OK)
        return 1;
    int known = sqlite3_step(stmt) == SQLITE_ROW;
    return sqlite3_finalize(stmt) != SQLITE_OK || known;
}

/* `*out` is NULL if the connection was never adopted. */
static int find_anchor(sqlite3 *sqlite, rowtide__anchor **out)
{
    sqlite3_stmt *stmt = NULL;
    *out = NULL;
    if (!may_be_known(sqlite))
        return ROWTIDE_OK;
    int rc = sqlite3_prepare_v2(sqlite, SQL_FIND, -1, &stmt, NULL);
    if (rc == SQLITE_OK)
        return run_find(sqlite, stmt, out);
    return is_new_here(sqlite, rc) ? ROWTIDE_OK : fail_adopt(sqlite, rc);
}

static int make_anchor(sqlite3 *sqlite, rowtide__anchor **out)
{
    rowtide__anchor *anchor = rowtide__alloc_zero(sizeof *anchor);
    if (!anchor)
        return ROWTIDE_ENOMEM;
    /* If this fails, SQLite has run the destructor. */
    int rc = sqlite3_create_function_v2(
        sqlite, FUNCTION_NAME, 0, SQLITE_UTF8 | SQLITE_DIRECTONLY, anchor,
        show_anchor, NULL, NULL, close_with_owner);
    if (rc != SQLITE_OK)
        return fail_adopt(sqlite, rc);
    *out = anchor;
    return ROWTIDE_OK;
}

static int adopt_anew(sqlite3 *sqlite, rowtide__anchor *anchor,
                      rowtide_db **out)
{
    rowtide_db *db = rowtide__handle_new();
    if (!db)
        return ROWTIDE_ENOMEM;
    int rc = anchor ? ROWTIDE_OK : make_anchor(sqlite, &anchor);
    if (rc == ROWTIDE_OK)
        rc = rowtide__handle_fill(db, sqlite);
    if (rc != ROWTIDE_OK) {
        rowtide__db_release(db);
        return rc;
    }
    db->anchor = anchor;
    anchor->db = rowtide__db_retain(db);
    *out = db;
    return ROWTIDE_OK;
}

static int adopt_locked(sqlite3 *sqlite, rowtide_db **out)
{
    rowtide__anchor *anchor;
    int rc = find_anchor(sqlite, &anchor);
    if (rc != ROWTIDE_OK)
        return rc;
    if (!anchor || !anchor->db)
        return adopt_anew(sqlite, anchor, out);
    if (rowtide__db_is_forked(anchor->db))
        return rowtide__fail(ROWTIDE_EFORK,
                             "adopt: the connection was opened in another "
                             "process, before a fork");
    *out = rowtide__db_retain(anchor->db);
    return ROWTIDE_OK;
}

int rowtide_db_adopt(sqlite3 *sqlite, rowtide_db **out)
{
    ROWTIDE__CHECK_ARG(out, "adopt");
    *out = NULL;
    ROWTIDE__CHECK_ARG(sqlite, "adopt");
    int rc = rowtide_check_runtime();
    if (rc != ROWTIDE_OK)
        return rc;
    sqlite3_mutex *mutex = sqlite3_db_mutex(sqlite);
    sqlite3_mutex_enter(mutex);
    rc = adopt_locked(sqlite, out);
    sqlite3_mutex_leave(mutex);
    return rc;
}

void rowtide__anchor_forget(rowtide_db *db, sqlite3 *sqlite)
{
    sqlite3_mutex *mutex = sqlite3_db_mutex(sqlite);
    sqlite3_mutex_enter(mutex);
    int held = db->anchor->db == db;
    if (held)
        db->anchor->db = NULL;
    sqlite3_mutex_leave(mutex);
    if (held)
        rowtide__db_release(db);
}
