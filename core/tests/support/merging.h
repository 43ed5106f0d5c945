/*
 * Merging change by change.
 */
#ifndef ROWTIDE_TESTS_MERGING_H
#define ROWTIDE_TESTS_MERGING_H

#include "support/scratch.h"

#include <rowtide/crdt.h>

/* Three tables that take part: t(a INTEGER PRIMARY KEY, b, c), u(k TEXT PRIMARY
 * KEY, v, w) without rowids, r(k TEXT PRIMARY KEY, v) with them. `before` is
 * done to the database first. */
int merging_open(const char *path, const char *before, rowtide_db **out);
/* In memory. */
rowtide_db *merging_db(void);

/* Of a row that is alive, from a peer. */
rowtide_crdt_change merging_cell(const char *table, const void *pk, size_t size,
                                 const char *column, rowtide_value value,
                                 int version);
/* A cell of table t, whose keys are below 128. */
rowtide_crdt_change merging_cell_of_t(int row, const char *column, int value,
                                      int version);

rowtide_crdt_merge *merging_begin(rowtide_db *db);
int merging_add(rowtide_crdt_merge *merge, rowtide_crdt_change change);
void merging_end(rowtide_crdt_merge *merge);

#endif
