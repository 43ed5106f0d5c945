#include "db/handle.h"
#include "base/alloc.h"
#include "base/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

static const void *this_thread(void)
{
    static _Thread_local char mark;
    return &mark;
}

rowtide_db *rowtide__handle_new(void)
{
    rowtide_db *db = rowtide__alloc_zero(sizeof *db);
    if (!db)
        return NULL;
    if (pthread_mutex_init(&db->lock, NULL) != 0) {
        rowtide__free(db);
        rowtide__nomem();
        return NULL;
    }
    atomic_init(&db->references, 1);
    atomic_init(&db->sqlite, NULL);
    atomic_init(&db->owner, NULL);
    atomic_init(&db->interrupted, 0);
    atomic_init(&db->condemned, NULL);
    db->pid = getpid();
    return db;
}

int rowtide__handle_fill(rowtide_db *db, sqlite3 *sqlite)
{
    const char *path = sqlite3_db_filename(sqlite, "main");
    db->path = rowtide__strdup(path ? path : "");
    if (!db->path)
        return ROWTIDE_ENOMEM;
    atomic_store(&db->sqlite, sqlite);
    return ROWTIDE_OK;
}

static void destroy(rowtide_db *db)
{
    /* In a forked child the connection is left alone on purpose: closing it
     * would drop the locks of the parent. */
    if (!rowtide__db_is_forked(db)) {
        rowtide__handle_end_children(db);
        sqlite3_close_v2(rowtide__handle_take(db));
        pthread_mutex_destroy(&db->lock);
    }
    rowtide__free(db->path);
    rowtide__free(db);
}

rowtide_db *rowtide__db_retain(rowtide_db *db)
{
    atomic_fetch_add_explicit(&db->references, 1, memory_order_relaxed);
    return db;
}

void rowtide__db_release(rowtide_db *db)
{
    if (db && atomic_fetch_sub(&db->references, 1) == 1)
        destroy(db);
}

int rowtide__db_is_forked(const rowtide_db *db)
{
    return db->pid != getpid();
}

static void unlink_child(rowtide_db *db, rowtide__db_child *child)
{
    if (!child->previous && db->children != child)
        return;
    if (child->previous)
        child->previous->next = child->next;
    else
        db->children = child->next;
    if (child->next)
        child->next->previous = child->previous;
    child->next = child->previous = NULL;
}

void rowtide__db_attach_child(rowtide_db *db, rowtide__db_child *child)
{
    pthread_mutex_lock(&db->lock);
    child->previous = NULL;
    child->next = db->children;
    if (db->children)
        db->children->previous = child;
    db->children = child;
    pthread_mutex_unlock(&db->lock);
}

void rowtide__db_detach_child(rowtide_db *db, rowtide__db_child *child)
{
    if (rowtide__db_is_forked(db))
        return;
    pthread_mutex_lock(&db->lock);
    unlink_child(db, child);
    pthread_mutex_unlock(&db->lock);
}

static rowtide__db_child *take_child(rowtide_db *db)
{
    pthread_mutex_lock(&db->lock);
    rowtide__db_child *child = db->children;
    if (child)
        unlink_child(db, child);
    pthread_mutex_unlock(&db->lock);
    return child;
}

void rowtide__handle_end_children(rowtide_db *db)
{
    for (rowtide__db_child *child = take_child(db); child;
         child = take_child(db))
        child->closed(child);
}

sqlite3 *rowtide__handle_take(rowtide_db *db)
{
    pthread_mutex_lock(&db->lock);
    sqlite3 *sqlite = atomic_exchange(&db->sqlite, NULL);
    pthread_mutex_unlock(&db->lock);
    return sqlite;
}

int rowtide__handle_acquire(rowtide_db *db)
{
    const void *expected = NULL;
    if (!atomic_compare_exchange_strong(&db->owner, &expected, this_thread())
        && expected != this_thread())
        return 0;
    db->depth++;
    return 1;
}

void rowtide__handle_surrender(rowtide_db *db)
{
    if (--db->depth == 0)
        atomic_store(&db->owner, NULL);
}

/* Whoever pushes onto `condemned` tries this afterwards, and so does whoever
 * leaves: one of the two finds the other's work done. */
static void dispose_condemned(rowtide_db *db)
{
    while (atomic_load(&db->condemned) && rowtide__handle_acquire(db)) {
        rowtide__db_child *child = atomic_exchange(&db->condemned, NULL);
        while (child) {
            rowtide__db_child *next = child->next;
            child->next = NULL;
            child->dispose(child);
            child = next;
        }
        rowtide__handle_surrender(db);
    }
}

void rowtide__db_discard(rowtide_db *db, rowtide__db_child *child,
                         void (*dispose)(rowtide__db_child *child))
{
    rowtide__error_state error;
    if (rowtide__db_is_forked(db)) {
        dispose(child);
        return;
    }
    rowtide__error_save(&error);
    rowtide__db_retain(db);
    rowtide__db_detach_child(db, child);
    child->dispose = dispose;
    child->next = atomic_load(&db->condemned);
    while (!atomic_compare_exchange_weak(&db->condemned, &child->next, child))
        ;
    dispose_condemned(db);
    rowtide__db_release(db);
    rowtide__error_restore(&error);
}

int rowtide__db_enter(rowtide_db *db, const char *function)
{
    if (!db)
        return rowtide__fail(ROWTIDE_EINVAL, "%s: there is no connection",
                             function);
    if (rowtide__db_is_forked(db))
        return rowtide__fail(ROWTIDE_EFORK,
                             "%s: the connection was opened in another "
                             "process, before a fork",
                             function);
    if (!rowtide__handle_acquire(db))
        return rowtide__fail(ROWTIDE_ETHREAD,
                             "%s: the connection is in use on another thread",
                             function);
    rowtide__db_retain(db);
    if (!atomic_load(&db->sqlite)) {
        rowtide__db_leave(db);
        return rowtide__fail(ROWTIDE_ECLOSED, "%s: the connection is closed",
                             function);
    }
    if (db->depth == 1)
        atomic_store(&db->interrupted, 0);
    return ROWTIDE_OK;
}

void rowtide__db_leave(rowtide_db *db)
{
    int outermost = db->depth == 1;
    rowtide__handle_surrender(db);
    if (outermost)
        dispose_condemned(db);
    rowtide__db_release(db);
}

int rowtide__db_interrupted(rowtide_db *db)
{
    return atomic_load_explicit(&db->interrupted, memory_order_relaxed);
}

unsigned long rowtide__db_next_number(rowtide_db *db)
{
    return db->next_number++;
}

/* Python and others close with sqlite3_close_v2(): while a statement is still
 * open the connection lives on, but refuses everything. */
static int was_closed_by_owner(rowtide_db *db, sqlite3 *sqlite, int rc)
{
    return (rc & 0xff) == SQLITE_MISUSE && db->anchor
           && (!sqlite || sqlite3_errcode(sqlite) == SQLITE_MISUSE);
}

static int fail_closed(const char *context)
{
    return rowtide__fail(ROWTIDE_ECLOSED, "%s%sthe connection is closed",
                         context, context[0] ? ": " : "");
}

int rowtide__db_pin(rowtide_db *db, sqlite3_stmt **pin)
{
    *pin = NULL;
    if (!db->anchor)
        return ROWTIDE_OK;
    int rc = sqlite3_prepare_v2(atomic_load(&db->sqlite), "SELECT 1", -1, pin,
                                NULL);
    return rc == SQLITE_OK ? ROWTIDE_OK : rowtide__db_fail(db, rc, "%s", "");
}

int rowtide__db_check_open(rowtide_db *db, const char *function)
{
    sqlite3 *sqlite = atomic_load(&db->sqlite);
    /* A connection that waits for its last statement refuses even this. */
    if (sqlite && sqlite3_exec(sqlite, "", NULL, NULL, NULL) != SQLITE_MISUSE)
        return ROWTIDE_OK;
    return rowtide__fail(ROWTIDE_ECLOSED,
                         "%s: a callback closed the connection", function);
}

int rowtide__db_fail(rowtide_db *db, int sqlite_rc, const char *format, ...)
{
    char context[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(context, sizeof context, format, arguments);
    va_end(arguments);
    sqlite3 *sqlite = atomic_load(&db->sqlite);
    if (was_closed_by_owner(db, sqlite, sqlite_rc))
        return fail_closed(context);
    const char *message = sqlite3_errstr(sqlite_rc);
    int extended = sqlite_rc, offset = -1;
    if (sqlite && ((sqlite3_errcode(sqlite) ^ sqlite_rc) & 0xff) == 0) {
        message = sqlite3_errmsg(sqlite);
        extended = sqlite3_extended_errcode(sqlite);
        offset = sqlite3_error_offset(sqlite);
    }
    int code = rowtide__code_from_sqlite(extended);
    if (code == ROWTIDE_OK)
        code = ROWTIDE_EINTERNAL;
    rowtide__fail_at(code, offset, "%s%s%s", context, context[0] ? ": " : "",
                     message);
    rowtide__error_sqlite_code(extended);
    return code;
}
