#ifndef ROWTIDE_DB_CONNECTION_H
#define ROWTIDE_DB_CONNECTION_H

#include <rowtide/db.h>

#include <sqlite3.h>

/* Something that must end before the connection does: an open capture, a
 * statement. `closed` runs while the connection is still usable, but for one
 * case: when the owner of an adopted one closes it, rowtide_db_sqlite() is
 * NULL already and no SQL may run; sqlite3session_delete() may. The child is
 * detached by then. */
typedef struct rowtide__db_child {
    void (*closed)(struct rowtide__db_child *child);
    void (*dispose)(struct rowtide__db_child *child); /* set by discard */
    struct rowtide__db_child *next, *previous;
} rowtide__db_child;

void rowtide__db_attach_child(rowtide_db *db, rowtide__db_child *child);
void rowtide__db_detach_child(rowtide_db *db, rowtide__db_child *child);

/* For the `_free` of a child, which any thread may call at any moment: run
 * `dispose`, which ends and frees the child and releases `db`, at once if no
 * other thread is inside, else when that thread leaves. In a forked child
 * rowtide__db_is_forked() is 1, and `dispose` must leave SQLite's things
 * alone. */
void rowtide__db_discard(rowtide_db *db, rowtide__db_child *child,
                         void (*dispose)(rowtide__db_child *child));
int rowtide__db_is_forked(const rowtide_db *db);

rowtide_db *rowtide__db_retain(rowtide_db *db);
void rowtide__db_release(rowtide_db *db);

/* Every public function that touches the connection runs between enter and
 * leave. Enter refuses NULL, a closed handle, a forked child, a second
 * thread; the same thread may nest. `function` names the caller in messages.
 * While any thread is inside, closing is refused. */
int rowtide__db_enter(rowtide_db *db, const char *function);
void rowtide__db_leave(rowtide_db *db);

/* For calls that run callbacks: until the pin is finalized, the owner of an
 * adopted connection can close it, but it does not end. The pin of a
 * connection of our own is NULL: closing it is refused anyway. */
int rowtide__db_pin(rowtide_db *db, sqlite3_stmt **pin);
/* Did a callback close it? ROWTIDE_OK or ROWTIDE_ECLOSED. */
int rowtide__db_check_open(rowtide_db *db, const char *function);

/* Set the last error from a result code of this connection: "context:
 * SQLite's message", with the matching code of ours and the extended one.
 * Returns it. Without context if that is "". */
int rowtide__db_fail(rowtide_db *db, int sqlite_rc, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Our code for one of SQLite's (primary or extended). 0 for SQLITE_OK. */
int rowtide__code_from_sqlite(int sqlite_rc);

/* A number that this connection has not given before: for names. */
unsigned long rowtide__db_next_number(rowtide_db *db);

/* 1 once rowtide_db_interrupt() was called during the running call. */
int rowtide__db_interrupted(rowtide_db *db);

#endif
