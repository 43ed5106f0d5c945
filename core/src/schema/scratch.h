#ifndef ROWTIDE_SCHEMA_SCRATCH_H
#define ROWTIDE_SCHEMA_SCRATCH_H

#include "db/connection.h"

/* An empty database in memory, for SQL that nobody vouches for: it reaches no
 * file, and ends when it takes too long. What the SQL needs and is not there,
 * functions, collations, modules, is made up. */
typedef struct rowtide__scratch {
    sqlite3 *sqlite;
    int64_t steps_left;
    int64_t memory_at_start;
    int preparing, selecting; /* in the SELECT of CREATE TABLE ... AS */
    char *wanted, *stubbed;   /* modules */
    int no_memory;            /* in a callback, which cannot say so itself */
} rowtide__scratch;

/* `text_size` is how much SQL will be run, about. */
int rowtide__scratch_open(rowtide__scratch *scratch, size_t text_size);
void rowtide__scratch_close(rowtide__scratch *scratch);
/* A virtual table as a mere row of sqlite_schema. */
int rowtide__scratch_insert(rowtide__scratch *scratch, const char *name,
                            const char *sql);
/* Run one statement. The offset of an error counts from `sql`. */
int rowtide__scratch_run(rowtide__scratch *scratch, const char *sql,
                         size_t size);

/* ## scratch_stub.c */

/* Called with SQLite's last error: 1 if the thing that it says is missing has
 * been made up, so that trying again helps; 0 if not; or a negative code. */
int rowtide__scratch_supply(sqlite3 *sqlite);
int rowtide__scratch_stub_collations(rowtide__scratch *scratch);
/* Whether a virtual table of this module may be made for real. */
int rowtide__scratch_trusts(const char *module);
int rowtide__scratch_stub_module(sqlite3 *sqlite, const char *module);

#endif
