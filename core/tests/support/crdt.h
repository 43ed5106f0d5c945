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

/* Two tables that take part, one with integer keys and one with others. */
#define TABLES                                                                 \
    "CREATE TABLE t(a INTEGER PRIMARY KEY NOT NULL, b, c);"                    \
    "CREATE TABLE u(k TEXT PRIMARY KEY NOT NULL, v, w);"                       \
    "SELECT crsql_as_crr('t'), crsql_as_crr('u');"

/* A file to which this SQL is done; it waits for nobody. A new one has this
 * page size: the smaller the pages, the sooner the tail is full. */
rowtide_db *crdt_open_file(const char *path, int page_size, const char *sql);

/* A commit hook that refuses if *wanted is not 0. */
int crdt_refuse(void *wanted);

#endif
