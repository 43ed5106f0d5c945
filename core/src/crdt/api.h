#ifndef ROWTIDE_CRDT_API_H
#define ROWTIDE_CRDT_API_H

#include "crdt/engine.h"
#include "db/connection.h"
#include "db/transaction.h"

/* ## api_open.c */

/* The engine of the connection, registered if it is not yet. Call it between
 * rowtide__db_enter() and rowtide__db_leave(). */
int rowtide__crdt_of(rowtide_db *db, rowtide__crdt **out);

/* ## api_pull.c: what the options choose, out of what a reader gives */

typedef struct rowtide__puller {
    rowtide__crdt *engine;
    rowtide__reader *reader;
    char **tables; /* NULL-terminated; NULL: those that the reader gives */
    void *exclude; /* NULL: left to the reader */
    size_t exclude_size;
} rowtide__puller;

/* Defaults for NULL and for what an older caller does not know. */
int rowtide__pull_options_read(const rowtide_crdt_pull_options *options,
                               rowtide_crdt_pull_options *out);
int rowtide__puller_open(rowtide__crdt *engine,
                         const rowtide_crdt_pull_options *options,
                         rowtide__puller *out);
/* With its value and with the name of its site. */
int rowtide__puller_next(rowtide__puller *puller, rowtide_crdt_change *change);
void rowtide__puller_close(rowtide__puller *puller);

/* ## api_report.c */

int rowtide__crdt_report_new(rowtide_crdt_report **out);
/* A change for `table` was read; it won or not. */
int rowtide__crdt_report_add(rowtide_crdt_report *report, const char *table,
                             int64_t db_version, int won);
void rowtide__crdt_report_reach(rowtide_crdt_report *report, int64_t version);

/* ## api_merge.c: a transaction that merges */

typedef struct rowtide__merging {
    rowtide_db *db;
    rowtide__crdt *engine;
    rowtide__transaction transaction;
    rowtide_crdt_report *report;
} rowtide__merging;

int rowtide__merging_begin(rowtide_db *db, rowtide__merging *out);
int rowtide__merging_add(rowtide__merging *merging,
                         const rowtide_crdt_change *change);
/* Write what was added: else a later call may fail instead of this one. */
int rowtide__merging_flush(rowtide__merging *merging);
/* Commits; `out` may be NULL. */
int rowtide__merging_end(rowtide__merging *merging, rowtide_crdt_report **out);
/* Rolls back what was not committed and keeps the last error. */
void rowtide__merging_dispose(rowtide__merging *merging);

/* ## api_peers.c: the rows of crsql_tracked_peers */

enum {
    ROWTIDE__PEER_RECEIVED = 0,    /* its changes, that are here */
    ROWTIDE__PEER_ACKNOWLEDGED = 2 /* changes of here, that it has */
};

int rowtide__peer_version(rowtide_db *db, const void *site, size_t size,
                          int event, int64_t *out);
/* Never goes back. */
int rowtide__peer_advance(rowtide_db *db, const void *site, size_t size,
                          int event, int64_t version);

#endif
