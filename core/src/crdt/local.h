#ifndef ROWTIDE_CRDT_LOCAL_H
#define ROWTIDE_CRDT_LOCAL_H

#include "crdt/engine.h"

/* What a local write does to the clock of its row. */

/* `clock` of a row that was inserted. */
int rowtide__local_insert(rowtide__crdt *engine, rowtide__crdt_table *table,
                          rowtide__clock *clock);
int rowtide__local_delete(rowtide__crdt *engine, rowtide__clock *clock);
/* One more version of a column. */
int rowtide__local_set(rowtide__crdt *engine, rowtide__clock *clock, int id,
                       int64_t db_version);
/* The same of successive columns. */
int rowtide__local_set_cells(rowtide__crdt *engine, rowtide__clock *clock,
                             int id, int count, int64_t db_version);
/* The row comes to life (again). */
int rowtide__local_create(const rowtide__crdt_table *table,
                          rowtide__clock *clock, int64_t db_version,
                          int64_t sequence);

/* ## local_triggers.c */
/* The key that begins at the first argument. */
int rowtide__local_key(rowtide__crdt *engine, rowtide__crdt_table *table,
                       sqlite3_value **argv, rowtide__key *key);
/* A row with another spelling of the key was in its place. */
int rowtide__local_bury_twin(rowtide__crdt *engine, rowtide__crdt_table *table,
                             const rowtide__key *key);

/* ## local_update.c */
int rowtide__local_track_update(rowtide__crdt *engine, int argc,
                                sqlite3_value **argv);

/* attached.c: is it the main database that is being written to? */
int rowtide__local_check_main(rowtide__crdt *engine);
/* May a trigger's call have something to track? */
int rowtide__local_applies(const rowtide__crdt *engine);
/* The table that a trigger names by its number. */
int rowtide__local_open(rowtide__crdt *engine, sqlite3_value *id,
                        rowtide__crdt_table **out);

/* By type and bytes, numbers by value: 1 and 1.0 differ. Which of two is the
 * greater one: INTEGER > REAL > TEXT > BLOB > NULL. */
int rowtide__value_compare(const rowtide_value *a, const rowtide_value *b);

#endif
