#ifndef ROWTIDE_CHANGESET_RECORDER_H
#define ROWTIDE_CHANGESET_RECORDER_H

#include "db/connection.h"
#include "db/transaction.h"

#include <rowtide/capture.h>

/* What the audit log, the undo log and the primary have in common: beginning
 * is a transaction and a capture in it; committing takes the changeset, stores
 * it in that transaction, and commits. */
typedef struct rowtide__recorder {
    rowtide__db_child child; /* first: closed with the connection */
    rowtide_db *db;
    const char *name; /* in messages: "audit log" */
    rowtide_capture *capture;
    rowtide__transaction transaction;
    int open;
} rowtide__recorder;

/* Store a changeset that is not empty, inside the transaction. */
typedef int (*rowtide__recorder_store)(rowtide_changeset *changeset,
                                       void *user);

void rowtide__recorder_init(rowtide__recorder *recorder, rowtide_db *db,
                            const char *name);
int rowtide__recorder_begin(rowtide__recorder *recorder,
                            const rowtide_capture_options *options);
/* The recording is over whatever is returned; on failure it is undone. */
int rowtide__recorder_commit(rowtide__recorder *recorder,
                             rowtide__recorder_store store, void *user);
int rowtide__recorder_rollback(rowtide__recorder *recorder);
/* For _free: roll back what is open, if the connection can still be used. */
void rowtide__recorder_dispose(rowtide__recorder *recorder);

/* Store a changeset in a transaction of its own. */
int rowtide__recorder_append(rowtide_db *db, rowtide_changeset *changeset,
                             rowtide__recorder_store store, void *user);

#endif
