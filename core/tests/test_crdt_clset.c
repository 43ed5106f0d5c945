#include "support/oom.h"
#include "support/scratch.h"

#include <rowtide/crdt.h>

#include <stdlib.h>
#include <string.h>

static const char CREATE[] =
    "CREATE VIRTUAL TABLE notes_schema USING clset("
    "id INTEGER PRIMARY KEY NOT NULL, title TEXT DEFAULT 'a, b', "
    "CHECK (title <> ''))";

static rowtide_db *open_db(void)
{
    rowtide_db *db = scratch_db(NULL);
    assert_ok(rowtide_crdt_open(db));
    return db;
}

static void makes_a_table_that_takes_part(void **state)
{
    (void)state;
    rowtide_db *db = open_db();
    scratch_exec(db, CREATE);
    assert_int_equal(rowtide_crdt_is_enabled(db, "notes"), 1);
    scratch_exec(db, "INSERT INTO notes(id) VALUES(1)");
    assert_rows(db, "SELECT cid, val FROM crsql_changes", "'title'|'a, b';");
    assert_rows(db, "SELECT 1 FROM notes_schema", "");
    assert_status(rowtide_db_exec(db, "INSERT INTO notes(id, title) "
                                      "VALUES(2, '')"),
                  ROWTIDE_ECONSTRAINT);
    rowtide_db_free(db);
}

static void drops_it_with_all_that_belongs_to_it(void **state)
{
    (void)state;
    rowtide_db *db = open_db();
    char *before = scratch_rows(db, "SELECT name FROM sqlite_schema");
    scratch_exec(db, CREATE);
    scratch_exec(db, "INSERT INTO notes(id) VALUES(1)");
    scratch_exec(db, "DROP TABLE notes_schema");
    assert_rows(db, "SELECT name FROM sqlite_schema", before);
    assert_rows(db, "SELECT * FROM crsql_changes", "");
    scratch_exec(db, CREATE);
    scratch_exec(db, "INSERT INTO notes(id) VALUES(1)");
    assert_int_equal(scratch_integer(db, "SELECT count(*) FROM crsql_changes"),
                     1);
    free(before);
    rowtide_db_free(db);
}

static void is_there_after_opening_again(void **state)
{
    (void)state;
    const char *path = scratch_new_path();
    rowtide_db *db = scratch_db_file(path, NULL);
    assert_ok(rowtide_crdt_open(db));
    scratch_exec(db, CREATE);
    rowtide_db_free(db);
    db = scratch_db_file(path, NULL);
    assert_ok(rowtide_crdt_open(db));
    scratch_exec(db, "INSERT INTO notes(id) VALUES(1)");
    scratch_exec(db, "DROP TABLE notes_schema");
    assert_int_equal(scratch_integer(db, "SELECT count(*) FROM sqlite_schema "
                                         "WHERE name LIKE 'notes%'"),
                     0);
    rowtide_db_free(db);
}

static void failing_leaves_nothing(void **state)
{
    (void)state;
    static const char *const cases[] = {
        "CREATE VIRTUAL TABLE notes USING clset(id PRIMARY KEY NOT NULL)",
        "CREATE VIRTUAL TABLE notes_schema USING clset(id PRIMARY KEY, a)",
        "CREATE VIRTUAL TABLE notes_schema USING clset(garbage garbage (",
        "CREATE VIRTUAL TABLE notes_schema USING clset",
        "CREATE VIRTUAL TABLE temp.notes_schema USING clset(id PRIMARY KEY "
        "NOT NULL)",
        "CREATE VIRTUAL TABLE notes_schema USING clset(id PRIMARY KEY NOT "
        "NULL, a UNIQUE)",
    };
    rowtide_db *db = open_db();
    char *before = scratch_rows(db, "SELECT name FROM sqlite_schema");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        scratch_exec(db, "BEGIN; CREATE TABLE mine(a)");
        assert_int_not_equal(rowtide_db_exec(db, cases[i]), ROWTIDE_OK);
        assert_int_equal(scratch_integer(db, "SELECT count(*) FROM mine"), 0);
        scratch_exec(db, "DROP TABLE mine; COMMIT");
        assert_rows(db, "SELECT name FROM sqlite_schema", before);
    }
    scratch_exec(db, CREATE);
    scratch_exec(db, "INSERT INTO notes(id) VALUES(1)");
    free(before);
    rowtide_db_free(db);
}

static int create_and_drop(void *ctx)
{
    (void)ctx;
    rowtide_db *db = NULL;
    int rc = rowtide_db_open(":memory:", NULL, &db);
    if (rc == ROWTIDE_OK)
        rc = rowtide_crdt_open(db);
    if (rc == ROWTIDE_OK)
        rc = rowtide_db_exec(db, CREATE);
    if (rc == ROWTIDE_OK)
        rc = rowtide_db_exec(db, "INSERT INTO notes(id) VALUES(1);"
                                 "DROP TABLE notes_schema");
    rowtide_db_free(db);
    return rc;
}

static void runs_out_of_memory(void **state)
{
    (void)state;
    oom_loop(create_and_drop, NULL);
}

static void sqlite_runs_out_of_memory(void **state)
{
    (void)state;
    oom_loop_sqlite(create_and_drop, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sqlite_runs_out_of_memory),
        cmocka_unit_test(makes_a_table_that_takes_part),
        cmocka_unit_test(drops_it_with_all_that_belongs_to_it),
        cmocka_unit_test(is_there_after_opening_again),
        cmocka_unit_test(failing_leaves_nothing),
        cmocka_unit_test(runs_out_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
