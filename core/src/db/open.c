#include "db/handle.h"
#include "db/sql.h"
#include "base/error.h"

#include <string.h>

static int read_options(const rowtide_open_options *given,
                        rowtide_open_options *out)
{
    *out = (rowtide_open_options)ROWTIDE_OPEN_OPTIONS_INIT;
    if (!given)
        return ROWTIDE_OK;
    if (given->size < sizeof given->size)
        return rowtide__fail(ROWTIDE_EINVAL,
                             "open: size of the options is not set");
    memcpy(out, given, given->size < sizeof *out ? given->size : sizeof *out);
    return ROWTIDE_OK;
}

static int flags_of(const rowtide_open_options *options)
{
    int flags = SQLITE_OPEN_URI | SQLITE_OPEN_FULLMUTEX | SQLITE_OPEN_EXRESCODE;
    if (options->read_only)
        return flags | SQLITE_OPEN_READONLY;
    flags |= SQLITE_OPEN_READWRITE;
    return options->must_exist ? flags : flags | SQLITE_OPEN_CREATE;
}

static int fail_open(sqlite3 *sqlite, int rc, const char *path)
{
    int code = rowtide__code_from_sqlite(rc);
    rowtide__fail(code, "cannot open %s: %s", path,
                  sqlite ? sqlite3_errmsg(sqlite) : sqlite3_errstr(rc));
    rowtide__error_sqlite_code(rc);
    sqlite3_close(sqlite);
    return code;
}

static int open_connection(rowtide_db *db, const char *path,
                           const rowtide_open_options *options)
{
    sqlite3 *sqlite = NULL;
    int rc = sqlite3_open_v2(path, &sqlite, flags_of(options), NULL);
    if (rc != SQLITE_OK)
        return fail_open(sqlite, rc, path);
    sqlite3_busy_timeout(sqlite, options->busy_timeout_ms);
    rc = rowtide__handle_fill(db, sqlite);
    if (rc != ROWTIDE_OK)
        sqlite3_close(sqlite);
    return rc;
}

int rowtide_db_open(const char *path, const rowtide_open_options *options,
                    rowtide_db **out)
{
    rowtide_open_options chosen;
    ROWTIDE__CHECK_ARG(out, "open");
    *out = NULL;
    ROWTIDE__CHECK_ARG(path, "open");
    int rc = read_options(options, &chosen);
    if (rc == ROWTIDE_OK)
        rc = rowtide_check_runtime();
    if (rc != ROWTIDE_OK)
        return rc;
    rowtide_db *db = rowtide__handle_new();
    if (!db)
        return ROWTIDE_ENOMEM;
    rc = open_connection(db, path, &chosen);
    if (rc == ROWTIDE_OK)
        *out = db;
    else
        rowtide__db_release(db);
    return rc;
}

sqlite3 *rowtide_db_sqlite(rowtide_db *db)
{
    return rowtide_db_is_open(db) ? atomic_load(&db->sqlite) : NULL;
}

int rowtide_db_is_open(const rowtide_db *db)
{
    return db && !rowtide__db_is_forked(db) && atomic_load(&db->sqlite);
}

const char *rowtide_db_path(rowtide_db *db)
{
    return db ? db->path : "";
}

static int refuse_close(rowtide_db *db)
{
    if (rowtide__db_is_forked(db))
        return rowtide__fail(ROWTIDE_EFORK,
                             "close: the connection was opened in another "
                             "process, before a fork");
    if (!rowtide__handle_acquire(db))
        return rowtide__fail(ROWTIDE_ETHREAD,
                             "close: the connection is in use on another "
                             "thread");
    if (db->depth == 1)
        return ROWTIDE_OK;
    rowtide__handle_surrender(db);
    return rowtide__fail(ROWTIDE_EMISUSE,
                         "close: the connection is in use by a call that is "
                         "still running");
}

int rowtide_db_close(rowtide_db *db)
{
    ROWTIDE__CHECK_ARG(db, "close");
    int rc = refuse_close(db);
    if (rc != ROWTIDE_OK)
        return rc;
    rowtide__db_retain(db);
    rowtide__handle_end_children(db);
    sqlite3 *sqlite = rowtide__handle_take(db);
    if (sqlite && db->anchor)
        rowtide__anchor_forget(db, sqlite);
    else
        sqlite3_close_v2(sqlite);
    rowtide__db_leave(db);
    return ROWTIDE_OK;
}

void rowtide_db_free(rowtide_db *db)
{
    rowtide__db_release(db);
}

int rowtide_db_interrupt(rowtide_db *db)
{
    ROWTIDE__CHECK_ARG(db, "interrupt");
    if (rowtide__db_is_forked(db))
        return rowtide__fail(ROWTIDE_EFORK,
                             "interrupt: the connection was opened in another "
                             "process, before a fork");
    pthread_mutex_lock(&db->lock);
    sqlite3 *sqlite = atomic_load(&db->sqlite);
    if (sqlite) {
        atomic_store(&db->interrupted, 1);
        sqlite3_interrupt(sqlite);
    }
    pthread_mutex_unlock(&db->lock);
    return sqlite ? ROWTIDE_OK
                  : rowtide__fail(ROWTIDE_ECLOSED,
                                  "interrupt: the connection is closed");
}

int rowtide_db_exec(rowtide_db *db, const char *sql)
{
    int rc = rowtide__db_enter(db, "exec");
    if (rc != ROWTIDE_OK)
        return rc;
    rc = sql ? rowtide__sql_script(db, sql)
             : rowtide__fail(ROWTIDE_EINVAL, "exec: there is no SQL");
    rowtide__db_leave(db);
    return rc;
}

int64_t rowtide_db_changes(rowtide_db *db)
{
    int rc = rowtide__db_enter(db, "changes");
    if (rc != ROWTIDE_OK)
        return rc;
    int64_t changes = sqlite3_changes64(atomic_load(&db->sqlite));
    rowtide__db_leave(db);
    return changes;
}

int64_t rowtide_db_last_insert_rowid(rowtide_db *db)
{
    if (rowtide__db_enter(db, "last_insert_rowid") != ROWTIDE_OK)
        return 0;
    int64_t rowid = sqlite3_last_insert_rowid(atomic_load(&db->sqlite));
    rowtide__db_leave(db);
    return rowid;
}

int rowtide_db_in_transaction(rowtide_db *db)
{
    if (rowtide__db_enter(db, "in_transaction") != ROWTIDE_OK)
        return 0;
    int inside = !sqlite3_get_autocommit(atomic_load(&db->sqlite));
    rowtide__db_leave(db);
    return inside;
}
