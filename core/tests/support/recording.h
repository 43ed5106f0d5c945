/*
 * Changesets made by SQLite's own session extension, and what its own algebra
 * makes of them: the measure for ours.
 */
#ifndef ROWTIDE_TESTS_RECORDING_H
#define ROWTIDE_TESTS_RECORDING_H

#include <rowtide/changeset.h>
#include <sqlite3.h>

/* A database in memory after running `sql`. sqlite3_close() it. */
sqlite3 *recording_db(const char *sql);
void recording_exec(sqlite3 *db, const char *sql);
/* Make all tables of `to`, which has the same ones, equal to `from`. */
int recording_same(sqlite3 *a, sqlite3 *b);

/* What running `sql` does to all tables. */
rowtide_changeset *record_changeset(sqlite3 *db, const char *sql);
rowtide_changeset *record_patchset(sqlite3 *db, const char *sql);
/* The same as bytes, to be freed with sqlite3_free(). */
void *record_bytes(sqlite3 *db, const char *sql, int patchset, int *size);

/* Bytes of SQLite's, which it allocated: parse and free them. */
rowtide_changeset *changeset_from_sqlite(void *data, int size);
/* Bytes that the test wrote down. */
rowtide_changeset *changeset_from(const void *data, size_t size);

/* Apply with SQLite's function. `decision` answers every conflict; rebase data
 * comes out if `rebase` is not NULL. Returns SQLite's code. */
typedef int (*recording_decision)(void *user, int kind,
                                  sqlite3_changeset_iter *iter);
int recording_apply(sqlite3 *db, const rowtide_changeset *changeset,
                    recording_decision decision, void *user);
int recording_apply_rebase(sqlite3 *db, const rowtide_changeset *changeset,
                           recording_decision decision, void *user,
                           void **rebase, int *rebase_size);

/* One line per change, sorted, without what an UPDATE does not change and
 * without UPDATEs that change nothing: two changesets that do the same have
 * the same listing. free() it. */
char *changeset_listing(rowtide_changeset *changeset);
void assert_same_changes(rowtide_changeset *a, rowtide_changeset *b);
void assert_same_bytes(rowtide_changeset *changeset, const void *data,
                       size_t size);

/* ## Random histories over the tables of RANDOM_SCHEMA */

extern const char RANDOM_SCHEMA[];

typedef struct random_state {
    uint64_t state;
} random_state;

unsigned random_below(random_state *random, unsigned limit);
/* Statements that insert, update and delete rows with few different keys, so
 * that changes of the same row meet. free() it. */
char *random_sql(random_state *random, int statements);

/* ## Streams that come in pieces */

/* A source that gives `step` bytes at a time. Free it and then `*state`. */
rowtide_source *dripping_source(const void *data, size_t size, size_t step,
                                void **state);

#endif
