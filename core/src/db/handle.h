#ifndef ROWTIDE_DB_HANDLE_H
#define ROWTIDE_DB_HANDLE_H

#include "db/connection.h"

#include <pthread.h>
#include <stdatomic.h>
#include <sys/types.h>

/* What the hidden function of an adopted connection knows. */
typedef struct rowtide__anchor {
    rowtide_db *db; /* counted, or NULL; guarded by the connection's mutex */
} rowtide__anchor;

struct rowtide_db {
    atomic_int references;
    _Atomic(sqlite3 *) sqlite;   /* NULL once closed */
    _Atomic(const void *) owner; /* the thread that is inside, or NULL */
    int depth;                   /* how often; of the owner only */
    atomic_int interrupted;
    pthread_mutex_t lock; /* `children`, and `sqlite` against interrupts */
    rowtide__db_child *children;
    _Atomic(rowtide__db_child *) condemned; /* to be disposed of on leaving */
    unsigned long next_number;
    pid_t pid;
    rowtide__anchor *anchor; /* if adopted */
    char *path;
};

/* With one reference. */
rowtide_db *rowtide__handle_new(void);

/* Take the connection in, noting its path. */
int rowtide__handle_fill(rowtide_db *db, sqlite3 *sqlite);

void rowtide__handle_end_children(rowtide_db *db);

/* Let go of the connection; the caller owns it then. NULL if that has happened
 * already. */
sqlite3 *rowtide__handle_take(rowtide_db *db);

/* Be the thread that is inside, also if the connection is closed. 0 if
 * another one is. */
int rowtide__handle_acquire(rowtide_db *db);
void rowtide__handle_surrender(rowtide_db *db);

/* Let go of an adopted connection that stays open. */
void rowtide__anchor_forget(rowtide_db *db, sqlite3 *sqlite);

#endif
