/*
 * Databases that exchange changes.
 */
#ifndef ROWTIDE_TESTS_PEERS_H
#define ROWTIDE_TESTS_PEERS_H

#include <rowtide/crdt.h>

/* A database in memory with the table `notes(id, title, done)`, which takes
 * part, after running `sql`, which may be NULL. */
rowtide_db *peers_db(const char *sql);

/* What is new since `since`, without what `exclude` made, if that is not
 * NULL. rowtide_buffer_dispose() it. */
void peers_pull(rowtide_db *db, int64_t since, rowtide_db *exclude,
                rowtide_buffer *out);
/* The same in chunks of this many bytes. */
void peers_pull_chunks(rowtide_db *db, size_t chunk_size, rowtide_buffer *out);

int peers_merge(rowtide_db *db, const void *data, size_t size,
                rowtide_crdt_report **out);

/* Change by change instead. */
int peers_merge_rows(rowtide_db *to, rowtide_db *from,
                     rowtide_crdt_report **out);

/* Of `from` in `db`. */
int64_t peers_cursor(rowtide_db *db, rowtide_db *from);
int64_t peers_version(rowtide_db *db);
/* Table, key, column, value, versions, site of every change, in a fixed
 * order. That a row is alive is told with its cells, or once more. */
extern const char PEERS_CHANGES[];
/* The same tables and the same winning changes. */
void peers_same(rowtide_db *a, rowtide_db *b);

#endif
