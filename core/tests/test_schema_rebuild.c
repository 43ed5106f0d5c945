/* A table with everything that a rebuild can lose, changed in every way. */
#include "support/traps.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void assert_reached(rowtide_db *db, const char *to, const char *name)
{
    rowtide_plan *plan = plans_make(db, to, PLANS_ALL);
    char *left = plans_text(plan);
    if (left[0])
        fail_msg("%s: still to do: %s", name, left);
    free(left);
    rowtide_plan_free(plan);
}

static void all_survive(const trap_change *which, int foreign_keys)
{
    rowtide_db *was = plans_traps();
    rowtide_db *db = plans_copy(was);
    scratch_exec(db, foreign_keys ? "PRAGMA foreign_keys=ON"
                                  : "PRAGMA foreign_keys=OFF");
    char *to = plans_replaced(db, which->old, which->replacement);
    rowtide_plan *plan = plans_make(db, to, PLANS_ALL);
    char *steps = plans_text(plan);
    /* Newer versions can do more with ALTER TABLE. */
    if (which->steps && sqlite3_libversion_number() < 3053000
        && strcmp(steps, which->steps) != 0)
        fail_msg("%s: %s", which->name, steps);
    assert_ok(rowtide_plan_apply(db, plan, NULL, NULL));
    assert_int_equal(scratch_integer(db, "PRAGMA foreign_keys"), foreign_keys);
    assert_int_equal(scratch_integer(db, "PRAGMA legacy_alter_table"), 0);
    traps_assert(was, db, which->name);
    assert_reached(db, to, which->name);
    free(steps);
    free(to);
    rowtide_plan_free(plan);
    rowtide_db_free(db);
    rowtide_db_free(was);
}

static void test_every_change_keeps_everything(void **state)
{
    (void)state;
    for (int i = 0; i < TRAP_CHANGE_COUNT; i++)
        for (int foreign_keys = 0; foreign_keys < 2; foreign_keys++)
            all_survive(&TRAP_CHANGES[i], foreign_keys);
}

/* ## Progress */

typedef struct listener {
    int calls, cancel_at;
    int64_t last;
} listener;

static int listen(const rowtide_progress *progress, void *user)
{
    listener *it = user;
    it->calls++;
    it->last = progress->done;
    return it->calls == it->cancel_at ? ROWTIDE_STOP : 0;
}

static void test_progress_and_cancel(void **state)
{
    (void)state;
    rowtide_db *was = plans_traps();
    rowtide_db *db = plans_copy(was);
    rowtide_plan *plan = traps_plan(db, &TRAP_CHANGES[0]);
    rowtide_plan_run_options options = ROWTIDE_PLAN_RUN_OPTIONS_INIT;
    listener it = {0, 1, 0};
    options.progress = listen;
    options.progress_user = &it;
    char *before = plans_dump(db);
    assert_status(rowtide_plan_apply(db, plan, &options, NULL),
                  ROWTIDE_ECANCELLED);
    char *after = plans_dump(db);
    assert_string_equal(before, after);
    it = (listener){0, 0, 0};
    assert_ok(rowtide_plan_apply(db, plan, &options, NULL));
    assert_true(it.calls > 0);
    traps_assert(was, db, "with progress");
    free(before);
    free(after);
    rowtide_plan_free(plan);
    rowtide_db_free(db);
    rowtide_db_free(was);
}

static int end_transaction(const rowtide_progress *progress, void *user)
{
    (void)progress;
    sqlite3_exec(user, "COMMIT", NULL, NULL, NULL);
    return 0;
}

static void test_a_callback_that_commits(void **state)
{
    (void)state;
    rowtide_db *was = plans_traps();
    rowtide_db *db = plans_copy(was);
    rowtide_plan *plan = traps_plan(db, &TRAP_CHANGES[0]);
    rowtide_plan_run_options options = ROWTIDE_PLAN_RUN_OPTIONS_INIT;
    options.progress = end_transaction;
    options.progress_user = rowtide_db_sqlite(db);
    assert_status(rowtide_plan_apply(db, plan, &options, NULL),
                  ROWTIDE_EMISUSE);
    traps_assert(was, db, "ended");
    rowtide_plan_free(plan);
    rowtide_db_free(db);
    rowtide_db_free(was);
}

static int apply_again(const rowtide_progress *progress, void *user)
{
    const rowtide_plan *plan = ((void **)user)[1];
    (void)progress;
    assert_ok(rowtide_plan_apply(((void **)user)[0], plan, NULL, NULL));
    return 0;
}

static void test_a_callback_that_applies_the_plan(void **state)
{
    (void)state;
    rowtide_db *was = plans_traps();
    rowtide_db *db = plans_copy(was);
    rowtide_plan *plan = traps_plan(db, &TRAP_CHANGES[0]);
    rowtide_plan_run_options options = ROWTIDE_PLAN_RUN_OPTIONS_INIT;
    void *user[] = {db, plan};
    options.progress = apply_again;
    options.progress_user = user;
    char *before = plans_dump(db);
    assert_status(rowtide_plan_apply(db, plan, &options, NULL),
                  ROWTIDE_EMISUSE);
    char *after = plans_dump(db);
    assert_string_equal(before, after);
    free(before);
    free(after);
    rowtide_plan_free(plan);
    rowtide_db_free(db);
    rowtide_db_free(was);
}

/* In batches, the rows come in order and none is left out. */
static void test_many_rows_in_batches(void **state)
{
    (void)state;
    rowtide_db *db = scratch_db(
        "CREATE TABLE t (a TEXT);"
        "INSERT INTO t (rowid, a) VALUES (-9223372036854775807, 'least'),"
        " (9223372036854775807, 'most');"
        "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE "
        "i < 12000) INSERT INTO t (rowid, a) SELECT i * 3 - 9000, i FROM n");
    char *before = scratch_rows(db, "SELECT rowid, +a FROM t");
    rowtide_plan_run_options options = ROWTIDE_PLAN_RUN_OPTIONS_INIT;
    listener it = {0, 0, 0};
    options.progress = listen;
    options.progress_user = &it;
    assert_ok(rowtide_schema_rebuild(
        db, "CREATE TABLE t (a)",
        &(rowtide_plan_options){sizeof(rowtide_plan_options), PLANS_ALL, NULL,
                                ROWTIDE_UNDECLARED_REMOVE},
        &options, NULL));
    char *after = scratch_rows(db, "SELECT rowid, a FROM t");
    assert_string_equal(before, after);
    assert_rows(db, "SELECT sql FROM sqlite_schema",
                "'CREATE TABLE \"t\" (a)';");
    free(before);
    free(after);
    rowtide_db_free(db);
}

/* ## What else belongs to a table */

static void test_temporary_triggers_stay(void **state)
{
    (void)state;
    rowtide_db *db = scratch_db(
        "CREATE TABLE t (a TEXT); CREATE TABLE log (x);"
        "CREATE TEMP TRIGGER mine AFTER INSERT ON t BEGIN INSERT INTO log "
        "VALUES ('temp ' || new.a); END");
    assert_ok(plans_apply(db, "CREATE TABLE t (a BLOB); CREATE TABLE log (x);",
                          PLANS_ALL));
    scratch_exec(db, "INSERT INTO t VALUES ('x')");
    assert_rows(db, "SELECT * FROM log", "'temp x';");
    rowtide_db_free(db);
}

static void test_rows_that_no_on_conflict_drops(void **state)
{
    (void)state;
    rowtide_db *db = scratch_db("CREATE TABLE t (a TEXT, b);"
                                "INSERT INTO t VALUES ('x', 1), ('X', 2);");
    assert_status(
        plans_apply(db,
                    "CREATE TABLE t (a TEXT COLLATE NOCASE UNIQUE ON CONFLICT "
                    "REPLACE, b);",
                    PLANS_ALL),
        ROWTIDE_ECONSTRAINT);
    assert_message("\"a\": 2 rows: it becomes unique");
    assert_message("rowid = ");
    assert_rows(db, "SELECT * FROM t", "'x'|1;'X'|2;");
    rowtide_db_free(db);
}

static void test_names_of_rowids_that_are_taken(void **state)
{
    (void)state;
    rowtide_db *db = scratch_db(
        "CREATE TABLE t (rowid TEXT, _rowid_ TEXT, a TEXT);"
        "INSERT INTO t (oid, a) VALUES (7, 'x'), (70, 'y');"
        "CREATE TABLE u (rowid TEXT, _rowid_ TEXT, oid TEXT, a TEXT);"
        "INSERT INTO u VALUES (1, 2, 3, 4)");
    assert_ok(plans_apply(
        db,
        "CREATE TABLE t (rowid TEXT, _rowid_ TEXT, a BLOB);"
        "CREATE TABLE u (rowid TEXT, _rowid_ TEXT, oid TEXT, a BLOB);",
        PLANS_ALL));
    assert_rows(db, "SELECT oid, a FROM t", "7|'x';70|'y';");
    assert_rows(db, "SELECT * FROM u", "'1'|'2'|'3'|'4';");
    rowtide_db_free(db);
}

static void test_a_new_key_takes_the_rowids(void **state)
{
    (void)state;
    rowtide_db *db = scratch_db("CREATE TABLE t (a TEXT);"
                                "INSERT INTO t (rowid, a) VALUES (7, 'x');");
    assert_ok(plans_apply(
        db, "CREATE TABLE t (a TEXT, id INTEGER PRIMARY KEY);", PLANS_ALL));
    assert_rows(db, "SELECT rowid, id, a FROM t", "7|7|'x';");
    rowtide_db_free(db);
}

static void test_rows_of_which_no_column_stays(void **state)
{
    (void)state;
    rowtide_db *db = scratch_db(
        "CREATE TABLE t (a PRIMARY KEY) WITHOUT ROWID; INSERT INTO t VALUES "
        "(1), (2); CREATE TABLE u (a PRIMARY KEY) WITHOUT ROWID; INSERT INTO u "
        "VALUES (1);");
    assert_ok(plans_apply(db,
                          "CREATE TABLE t (b DEFAULT (1 + 1));"
                          "CREATE TABLE u (a PRIMARY KEY) WITHOUT ROWID;",
                          PLANS_ALL));
    assert_rows(db, "SELECT rowid, b FROM t", "1|2;2|2;");
    assert_status(plans_apply(db,
                              "CREATE TABLE t (b DEFAULT (1 + 1));"
                              "CREATE TABLE u (b PRIMARY KEY) WITHOUT ROWID;",
                              PLANS_ALL),
                  ROWTIDE_ECONSTRAINT);
    rowtide_db_free(db);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_change_keeps_everything),
        cmocka_unit_test(test_progress_and_cancel),
        cmocka_unit_test(test_a_callback_that_commits),
        cmocka_unit_test(test_a_callback_that_applies_the_plan),
        cmocka_unit_test(test_many_rows_in_batches),
        cmocka_unit_test(test_temporary_triggers_stay),
        cmocka_unit_test(test_rows_that_no_on_conflict_drops),
        cmocka_unit_test(test_names_of_rowids_that_are_taken),
        cmocka_unit_test(test_a_new_key_takes_the_rowids),
        cmocka_unit_test(test_rows_of_which_no_column_stays),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
