/*
 * Run out of memory on purpose.
 *
 *     static int scenario(void *ctx)
 *     {
 *         rowtide_db *db = NULL;
 *         int rc = rowtide_db_open(":memory:", NULL, &db);
 *         rowtide_db_free(db);
 *         return rc;
 *     }
 *     oom_loop(scenario, NULL);
 *
 * A scenario uses the library, frees all that it made whatever happens, and
 * returns the status of the first call that failed. oom_loop() repeats it with
 * the 1st, 2nd, 3rd, ... allocation failing until none fails any more. It
 * asserts that each run returns ROWTIDE_OK or ROWTIDE_ENOMEM, that the last
 * error agrees, and that as many allocations are alive afterwards as before.
 */
#ifndef ROWTIDE_TESTS_OOM_H
#define ROWTIDE_TESTS_OOM_H

typedef int (*oom_scenario)(void *ctx);

/* Fail the allocations of the library itself. */
void oom_loop(oom_scenario scenario, void *ctx);

/* Fail the allocations of SQLite instead. SQLite gets over some of them, and
 * so does the loop. No connection may be open when it is first called. */
void oom_loop_sqlite(oom_scenario scenario, void *ctx);

#endif
