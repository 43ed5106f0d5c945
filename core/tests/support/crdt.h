/*
 * A small table that takes part in merging, and its changes as rows.
 */
#ifndef ROWTIDE_TESTS_CRDT_H
#define ROWTIDE_TESTS_CRDT_H

#include "support/scratch.h"

#include <rowtide/crdt.h>

#define CHANGES                                                                \
    "SELECT hex(pk), cid, val, col_version, db_version, cl, seq "              \
    "FROM crsql_changes"

/* Make the table t in a new database and let it take part. */
rowtide_db *crdt_db_with(const char *table);
/* With t(a INTEGER PRIMARY KEY NOT NULL, b, c). */
rowtide_db *crdt_db(void);

#endif
