#include "support/oom.h"
#include "support/scratch.h"

#include <rowtide.h>

#include <stdlib.h>
#include <string.h>

static const char schema[] =
    "CREATE TABLE users(id INTEGER PRIMARY KEY, name TEXT);"
    "INSERT INTO users VALUES(1, 'Ada');";

static const char rows[] = "SELECT * FROM users ORDER BY id";

static rowtide_undo *open_undo(rowtide_db *db, int64_t steps, int64_t bytes)
{
    rowtide_undo *undo = NULL;
    rowtide_undo_options options = ROWTIDE_UNDO_OPTIONS_INIT;
    options.step_limit = steps;
    options.byte_limit = bytes;
    assert_ok(rowtide_undo_open(db, &options, &undo));
    return undo;
}

static int64_t step(rowtide_undo *undo, rowtide_db *db, const char *label,
                    const char *sql)
{
    int64_t id = -1;
    assert_ok(rowtide_undo_begin(undo, NULL));
    scratch_exec(db, sql);
    assert_ok(rowtide_undo_commit(undo, label, &id));
    return id;
}

static void expect_counts(rowtide_undo *undo, int64_t undoable,
                          int64_t redoable)
{
    int64_t counts[2];
    assert_ok(rowtide_undo_counts(undo, &counts[0], &counts[1]));
    assert_int_equal(counts[0], undoable);
    assert_int_equal(counts[1], redoable);
}

static void undo_and_redo_step_by_step(void **state)
{
    (void)state;
    rowtide_db *db = scratch_db(schema);
    rowtide_undo *undo = open_undo(db, 100, 0);
    const char *label = NULL;
    step(undo, db, "add", "INSERT INTO users VALUES(2, 'Bob')");
    step(undo, db, "rename", "UPDATE users SET name = 'Eve' WHERE id = 1");
    expect_counts(undo, 2, 0);
    assert_ok(rowtide_undo_undo(undo, NULL, &label));
    assert_string_equal(label, "rename");
    assert_rows(db, rows, "1|'Ada';2|'Bob';");
    assert_ok(rowtide_undo_undo(undo, NULL, &label));
    assert_string_equal(label, "add");
    assert_rows(db, rows, "1|'Ada';");
    assert_int_equal(rowtide_undo_undo(undo, NULL, &label), ROWTIDE_DONE);
    assert_null(label);
    expect_counts(undo, 0, 2);
    assert_ok(rowtide_undo_redo(undo, NULL, &label));
    assert_string_equal(label, "add");
    assert_ok(rowtide_undo_redo(undo, NULL, NULL));
    assert_int_equal(rowtide_undo_redo(undo, NULL, NULL), ROWTIDE_DONE);
    assert_rows(db, rows, "1|'Eve';2|'Bob';");
    assert_int_equal(rowtide_db_in_transaction(db), 0);
    rowtide_undo_free(undo);
    rowtide_db_free(db);
}

static void a_new_step_forgets_what_was_undone(void **state)
{
    (void)state;
    rowtide_db *db = scratch_db(schema);
    rowtide_undo *undo = open_undo(db, 100, 0);
    step(undo, db, "a", "INSERT INTO users VALUES(2, 'Bob')");
    step(undo, db, "b", "INSERT INTO users VALUES(3, 'Cy')");
    assert_ok(rowtide_undo_undo(undo, NULL, NULL));
    assert_int_equal(step(undo, db, "nothing", "SELECT 1"), 0);
    expect_counts(undo, 1, 1);
    step(undo, db, NULL, "INSERT INTO users VALUES(4, 'Di')");
    expect_counts(undo, 2, 0);
    rowtide_undo_step found;
    assert_ok(rowtide_undo_step_at(undo, 1, &found));
    assert_string_equal(found.label, "");
    assert_int_equal(found.undone, 0);
    assert_true(found.bytes > 0);
    assert_int_equal(strlen(found.time), 24);
    assert_int_equal(rowtide_undo_step_at(undo, 2, &found), ROWTIDE_DONE);
    assert_ok(rowtide_undo_clear(undo));
    expect_counts(undo, 0, 0);
    rowtide_undo_free(undo);
    rowtide_db_free(db);
}

static void still_there_after_reopening(void **state)
{
    (void)state;
    const char *path = scratch_new_path();
    rowtide_db *db = scratch_db_file(path, schema);
    rowtide_undo *undo = open_undo(db, 100, 0);
    step(undo, db, "a", "INSERT INTO users VALUES(2, 'Bob')");
    step(undo, db, "b", "INSERT INTO users VALUES(3, 'Cy')");
    assert_ok(rowtide_undo_undo(undo, NULL, NULL));
    rowtide_undo_free(undo);
    rowtide_db_free(db);
    db = scratch_db_file(path, NULL);
    assert_ok(rowtide_undo_open(db, NULL, &undo));
    assert_ok(rowtide_undo_redo(undo, NULL, NULL));
    assert_ok(rowtide_undo_undo(undo, NULL, NULL));
    assert_ok(rowtide_undo_undo(undo, NULL, NULL));
    assert_rows(db, rows, "1|'Ada';");
    expect_counts(undo, 0, 2);
    rowtide_undo_free(undo);
    rowtide_db_free(db);
}

static void limits_forget_the_oldest(void **state)
{
    (void)state;
    rowtide_db *db = scratch_db(schema);
    rowtide_undo *undo = open_undo(db, 2, 0);
    rowtide_undo_step found;
    step(undo, db, "1", "INSERT INTO users VALUES(2, 'Bob')");
    step(undo, db, "2", "INSERT INTO users VALUES(3, 'Bob')");
    step(undo, db, "3", "INSERT INTO users VALUES(4, 'Bob')");
    expect_counts(undo, 2, 0);
    assert_ok(rowtide_undo_step_at(undo, 0, &found));
    assert_string_equal(found.label, "2");
    int64_t bytes = found.bytes;
    rowtide_undo_free(undo);
    undo = open_undo(db, 0, 2 * bytes + 1);
    step(undo, db, "4", "INSERT INTO users VALUES(5, 'Bob')");
    expect_counts(undo, 2, 0);
    step(undo, db, "big", "INSERT INTO users VALUES(6, hex(zeroblob(1000)))");
    expect_counts(undo, 1, 0);
    assert_ok(rowtide_undo_undo(undo, NULL, NULL));
    assert_rows(db, "SELECT max(id) FROM users", "5;");
    rowtide_undo_free(undo);
    rowtide_undo_options bad = ROWTIDE_UNDO_OPTIONS_INIT;
    bad.step_limit = -1;
    assert_status(rowtide_undo_open(db, &bad, &undo), ROWTIDE_EINVAL);
    rowtide_db_free(db);
}

static void conflict_leaves_everything_as_it_was(void **state)
{
    (void)state;
    rowtide_db *db = scratch_db(schema);
    rowtide_undo *undo = open_undo(db, 100, 0);
    rowtide_apply_options options = ROWTIDE_APPLY_OPTIONS_INIT;
    rowtide_policy replace = ROWTIDE_POLICY_REPLACE;
    const char *label = "x";
    step(undo, db, "rename", "UPDATE users SET name = 'Bob'");
    scratch_exec(db, "UPDATE users SET name = 'Eve'");
    assert_status(rowtide_undo_undo(undo, NULL, &label), ROWTIDE_ECONFLICT);
    assert_message("undo step 1");
    assert_null(label);
    expect_counts(undo, 1, 0);
    assert_rows(db, rows, "1|'Eve';");
    options.policy = replace;
    assert_ok(rowtide_undo_undo(undo, &options, NULL));
    assert_rows(db, rows, "1|'Ada';");
    options.flags = ROWTIDE_APPLY_INVERT;
    assert_status(rowtide_undo_redo(undo, &options, NULL), ROWTIDE_EINVAL);
    rowtide_undo_free(undo);
    rowtide_db_free(db);
}

static int call_again(const rowtide_conflict *conflict, void *user)
{
    (void)conflict;
    return rowtide_undo_undo(user, NULL, NULL);
}

static void not_from_its_own_conflict_handler(void **state)
{
    (void)state;
    rowtide_db *db = scratch_db(schema);
    rowtide_undo *undo = open_undo(db, 100, 0);
    rowtide_apply_options options = ROWTIDE_APPLY_OPTIONS_INIT;
    options.on_conflict = call_again;
    options.on_conflict_user = undo;
    step(undo, db, "rename", "UPDATE users SET name = 'Bob'");
    scratch_exec(db, "UPDATE users SET name = 'Eve'");
    assert_status(rowtide_undo_undo(undo, &options, NULL), ROWTIDE_EMISUSE);
    assert_rows(db, rows, "1|'Eve';");
    expect_counts(undo, 1, 0);
    rowtide_undo_free(undo);
    rowtide_db_free(db);
}

static void triggers_and_foreign_keys_are_not_done_twice(void **state)
{
    (void)state;
    rowtide_db *db = scratch_db(
        "PRAGMA foreign_keys = ON;"
        "CREATE TABLE parent(id INTEGER PRIMARY KEY, n INTEGER DEFAULT 0);"
        "CREATE TABLE child(id INTEGER PRIMARY KEY, parent REFERENCES parent "
        "ON DELETE CASCADE);"
        "CREATE TABLE trail(id INTEGER PRIMARY KEY, what TEXT);"
        "CREATE TRIGGER t1 AFTER DELETE ON child BEGIN "
        "INSERT INTO trail(what) VALUES('deleted ' || old.id); END;"
        "CREATE TRIGGER t2 AFTER INSERT ON child BEGIN "
        "INSERT INTO trail(what) VALUES('inserted ' || new.id); END;"
        "INSERT INTO parent(id) VALUES(1);"
        "INSERT INTO child VALUES(10, 1), (11, 1); DELETE FROM trail;");
    rowtide_undo *undo = open_undo(db, 100, 0);
    step(undo, db, "delete", "DELETE FROM parent");
    assert_rows(db, "SELECT count(*) FROM trail", "2;");
    for (int i = 0; i < 2; i++) {
        assert_ok(rowtide_undo_undo(undo, NULL, NULL));
        assert_rows(db, "SELECT id FROM child ORDER BY id", "10;11;");
        assert_rows(db, "SELECT count(*) FROM trail", "0;");
        assert_ok(rowtide_undo_redo(undo, NULL, NULL));
        assert_rows(db, "SELECT count(*) FROM child", "0;");
        assert_rows(db, "SELECT what FROM trail ORDER BY what",
                    "'deleted 10';'deleted 11';");
    }
    scratch_exec(db, "INSERT INTO parent(id) VALUES(2);"
                     "INSERT INTO child VALUES(12, 2)");
    assert_rows(db, "SELECT max(what) FROM trail", "'inserted 12';");
    rowtide_undo_free(undo);
    rowtide_db_free(db);
}

static void inside_the_callers_transaction(void **state)
{
    (void)state;
    rowtide_db *db = scratch_db(schema);
    rowtide_undo *undo = open_undo(db, 100, 0);
    step(undo, db, "add", "INSERT INTO users VALUES(2, 'Bob')");
    scratch_exec(db, "BEGIN; INSERT INTO users VALUES(3, 'Cy')");
    assert_ok(rowtide_undo_undo(undo, NULL, NULL));
    assert_int_equal(rowtide_db_in_transaction(db), 1);
    assert_rows(db, rows, "1|'Ada';3|'Cy';");
    scratch_exec(db, "ROLLBACK");
    assert_rows(db, rows, "1|'Ada';2|'Bob';");
    expect_counts(undo, 1, 0);
    rowtide_undo_free(undo);
    rowtide_db_free(db);
}

static void two_handles_on_one_file(void **state)
{
    (void)state;
    const char *path = scratch_new_path();
    rowtide_db *one = scratch_db_file(path, schema);
    rowtide_db *two = scratch_db_file(path, NULL);
    rowtide_undo *first = open_undo(one, 100, 0);
    rowtide_undo *second = open_undo(two, 100, 0);
    step(first, one, "a", "INSERT INTO users VALUES(2, 'Bob')");
    step(second, two, "b", "INSERT INTO users VALUES(3, 'Cy')");
    assert_ok(rowtide_undo_undo(first, NULL, NULL));
    assert_ok(rowtide_undo_undo(second, NULL, NULL));
    assert_rows(one, rows, "1|'Ada';");
    rowtide_undo_free(first);
    rowtide_undo_free(second);
    rowtide_db_free(one);
    rowtide_db_free(two);
}

static void misuse(void **state)
{
    (void)state;
    rowtide_db *db = scratch_db(schema);
    rowtide_undo *undo = open_undo(db, 100, 0);
    rowtide_capture_options options = ROWTIDE_CAPTURE_OPTIONS_INIT;
    options.flags = ROWTIDE_CAPTURE_PATCHSET;
    assert_status(rowtide_undo_begin(undo, &options), ROWTIDE_EINVAL);
    assert_status(rowtide_undo_commit(undo, NULL, NULL), ROWTIDE_EMISUSE);
    assert_ok(rowtide_undo_begin(undo, NULL));
    assert_status(rowtide_undo_undo(undo, NULL, NULL), ROWTIDE_EMISUSE);
    assert_status(rowtide_undo_redo(undo, NULL, NULL), ROWTIDE_EMISUSE);
    assert_status(rowtide_undo_begin(undo, NULL), ROWTIDE_EMISUSE);
    scratch_exec(db, "DELETE FROM users");
    assert_ok(rowtide_undo_rollback(undo));
    assert_rows(db, rows, "1|'Ada';");
    assert_status(rowtide_undo_undo(NULL, NULL, NULL), ROWTIDE_EINVAL);
    assert_status(rowtide_undo_step_at(undo, -1, NULL), ROWTIDE_EINVAL);
    assert_ok(rowtide_db_close(db));
    assert_status(rowtide_undo_undo(undo, NULL, NULL), ROWTIDE_ECLOSED);
    rowtide_undo_free(undo);
    rowtide_db_free(db);
}

static void a_damaged_step_is_refused(void **state)
{
    (void)state;
    rowtide_db *db = scratch_db(schema);
    rowtide_undo *undo = open_undo(db, 100, 0);
    step(undo, db, "a", "DELETE FROM users");
    scratch_exec(db, "UPDATE rowtide_undo SET changeset = x'540401'");
    assert_status(rowtide_undo_undo(undo, NULL, NULL), ROWTIDE_ECORRUPT);
    assert_message("undo step 1");
    expect_counts(undo, 1, 0);
    scratch_exec(db, "DROP TABLE rowtide_undo");
    step(undo, db, "b", "INSERT INTO users VALUES(2, 'Bob')");
    expect_counts(undo, 1, 0);
    scratch_exec(db, "DROP TABLE rowtide_undo; CREATE VIEW rowtide_undo(id, "
                     "time, label, undone, changeset) AS SELECT 1,2,3,4,5");
    assert_ok(rowtide_undo_begin(undo, NULL));
    scratch_exec(db, "DELETE FROM users");
    assert_status(rowtide_undo_commit(undo, NULL, NULL), ROWTIDE_ESCHEMA);
    assert_rows(db, rows, "2|'Bob';");
    rowtide_undo_free(undo);
    rowtide_db_free(db);
}

static int try_undo(rowtide_db *db, rowtide_undo **undo)
{
    rowtide_undo_step found;
    int rc = rowtide_undo_open(db, NULL, undo);
    if (rc == ROWTIDE_OK)
        rc = rowtide_undo_begin(*undo, NULL);
    if (rc == ROWTIDE_OK)
        rc = rowtide_db_exec(db, "UPDATE users SET name = 'x'");
    if (rc == ROWTIDE_OK)
        rc = rowtide_undo_commit(*undo, "label", NULL);
    if (rc == ROWTIDE_OK)
        rc = rowtide_undo_undo(*undo, NULL, NULL);
    if (rc == ROWTIDE_OK)
        rc = rowtide_undo_redo(*undo, NULL, NULL);
    if (rc == ROWTIDE_OK)
        rc = rowtide_undo_step_at(*undo, 0, &found);
    return rc;
}

/* What is left must be one of the states between two calls. */
static int check_rest(rowtide_db *db)
{
    int64_t good = 0;
    rowtide_stmt *stmt = NULL;
    rowtide_value value = rowtide_value_null();
    if (rowtide_stmt_prepare(db,
                             "SELECT (SELECT name FROM users) = CASE (SELECT "
                             "count(*) FROM rowtide_undo WHERE undone = 0) "
                             "WHEN 1 THEN 'x' ELSE 'Ada' END",
                             &stmt)
            == ROWTIDE_OK
        && rowtide_stmt_step(stmt) == ROWTIDE_OK
        && rowtide_stmt_column(stmt, 0, &value) == ROWTIDE_OK)
        good = value.integer;
    else
        good = 1; /* no table yet, or no memory to look */
    rowtide_stmt_free(stmt);
    return good ? ROWTIDE_OK : ROWTIDE_EINTERNAL;
}

static int undo_scenario(void *ctx)
{
    rowtide_error_clear();
    (void)ctx;
    rowtide_db *db = NULL;
    rowtide_undo *undo = NULL;
    int rc = rowtide_db_open(":memory:", NULL, &db);
    if (rc == ROWTIDE_OK)
        rc = rowtide_db_exec(db, schema);
    int opened = rc == ROWTIDE_OK;
    if (rc == ROWTIDE_OK)
        rc = try_undo(db, &undo);
    rowtide_undo_free(undo);
    if (opened && rowtide_db_in_transaction(db))
        rc = ROWTIDE_EINTERNAL;
    if (opened && check_rest(db) != ROWTIDE_OK)
        rc = ROWTIDE_EINTERNAL;
    if (rc < 0)
        rowtide_error_set(rc, "scenario");
    rowtide_db_free(db);
    return rc;
}

static void survives_out_of_memory(void **state)
{
    (void)state;
    oom_loop(undo_scenario, NULL);
}

static void survives_sqlite_out_of_memory(void **state)
{
    (void)state;
    oom_loop_sqlite(undo_scenario, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(survives_sqlite_out_of_memory),
        cmocka_unit_test(undo_and_redo_step_by_step),
        cmocka_unit_test(a_new_step_forgets_what_was_undone),
        cmocka_unit_test(still_there_after_reopening),
        cmocka_unit_test(limits_forget_the_oldest),
        cmocka_unit_test(conflict_leaves_everything_as_it_was),
        cmocka_unit_test(not_from_its_own_conflict_handler),
        cmocka_unit_test(triggers_and_foreign_keys_are_not_done_twice),
        cmocka_unit_test(inside_the_callers_transaction),
        cmocka_unit_test(two_handles_on_one_file),
        cmocka_unit_test(misuse),
        cmocka_unit_test(a_damaged_step_is_refused),
        cmocka_unit_test(survives_out_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
