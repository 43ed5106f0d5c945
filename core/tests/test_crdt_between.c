#include "support/crdt.h"
#include "support/merging.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What the application does between the changes of a merge. */

static void writes_to_another_row(void **state)
{
    (void)state;
    rowtide_db *db = crdt_db();
    rowtide_crdt_merge *merge = merging_begin(db);
    assert_ok(merging_add(merge, merging_cell_of_t(1, "b", 1, 1)));
    assert_ok(merging_add(merge, merging_cell_of_t(2, "b", 2, 1)));
    assert_ok(merging_add(merge, merging_cell_of_t(3, "b", 3, 1)));
    scratch_exec(db, "INSERT INTO t VALUES(9, 9, 9)");
    assert_rows(db, "SELECT a FROM t", "1;2;3;9;");
    assert_ok(merging_add(merge, merging_cell_of_t(4, "b", 4, 1)));
    merging_end(merge);
    assert_rows(db, "SELECT a, b FROM t", "1|1;2|2;3|3;4|4;9|9;");
    assert_int_equal(
        scratch_integer(db, "SELECT count(*) FROM crsql_changes WHERE site_id "
                            "IS NULL"),
        2);
    rowtide_db_free(db);
}

/* It is there then. */
static void writes_to_a_row_that_is_held(void **state)
{
    (void)state;
    rowtide_db *db = merging_db();
    rowtide_crdt_merge *merge = merging_begin(db);
    assert_ok(merging_add(merge, merging_cell_of_t(1, "b", 1, 1)));
    assert_ok(merging_add(merge, merging_cell_of_t(2, "b", 2, 1)));
    assert_ok(merging_add(merge, merging_cell("u", "\x01\x0b\x01x", 4, "v",
                                              rowtide_value_integer(1), 1)));
    assert_ok(merging_add(merge, merging_cell("u", "\x01\x0b\x01y", 4, "v",
                                              rowtide_value_integer(1), 1)));
    scratch_exec(db, "UPDATE t SET c = 3 WHERE a = 1;"
                     "UPDATE u SET v = 4 WHERE k = 'x'");
    assert_ok(merging_add(merge, merging_cell_of_t(2, "c", 5, 1)));
    merging_end(merge);
    assert_rows(db, "SELECT * FROM t", "1|1|3;2|2|5;");
    assert_rows(db, "SELECT k, v FROM u", "'x'|4;'y'|1;");
    assert_rows(db,
                "SELECT cid, col_version FROM crsql_changes WHERE site_id IS "
                "NULL ORDER BY cid",
                "'c'|1;'v'|2;");
    rowtide_db_free(db);
}

/* SQLite undoes with it what was held before. */
static void a_statement_in_between_fails(void **state)
{
    (void)state;
    rowtide_db *db = crdt_db();
    scratch_exec(db, "CREATE TABLE other(x UNIQUE)");
    for (int held = 1; held <= 3; held++) {
        rowtide_crdt_merge *merge = merging_begin(db);
        for (int row = 1; row <= held; row++)
            assert_ok(merging_add(merge, merging_cell_of_t(row, "b", row, 1)));
        assert_true(rowtide_db_exec(db, "INSERT INTO other VALUES(1), (1)")
                    < 0);
        rowtide_crdt_change next = merging_cell_of_t(9, "b", 9, 1);
        int rc = held == 2 ? rowtide_crdt_merge_end(merge, NULL)
                           : rowtide_crdt_merge_add(merge, &next);
        assert_status(rc, ROWTIDE_EMISUSE);
        assert_message("nothing may be written until a merge has ended");
        rowtide_crdt_merge_free(merge);
        assert_int_equal(
            scratch_integer(db, "SELECT (SELECT count(*) FROM t) + (SELECT "
                                "count(*) FROM crsql_changes)"),
            0);
    }
    /* One that succeeds does no harm, nor does a savepoint. */
    rowtide_crdt_merge *merge = merging_begin(db);
    assert_ok(merging_add(merge, merging_cell_of_t(1, "b", 1, 1)));
    assert_ok(merging_add(merge, merging_cell_of_t(2, "b", 2, 1)));
    scratch_exec(db, "INSERT INTO other VALUES(1), (2); SAVEPOINT s;"
                     "INSERT INTO other VALUES(3), (4); ROLLBACK TO s;"
                     "RELEASE s");
    assert_ok(merging_add(merge, merging_cell_of_t(3, "b", 3, 1)));
    merging_end(merge);
    assert_rows(db, "SELECT a FROM t", "1;2;3;");
    rowtide_db_free(db);
}

static void the_schema_changes_in_between(void **state)
{
    (void)state;
    static const char *const COLUMNS[] = {"b", "-1", "-1"};
    static const int LENGTHS[] = {1, 2, 3};
    for (int kind = 0; kind < 3; kind++) {
        rowtide_db *db = crdt_db();
        scratch_exec(db, "INSERT INTO t VALUES(1, 1, 1), (2, 2, 2), (3, 3, 3);"
                         "BEGIN");
        for (int row = 1; row <= 3; row++) {
            char sql[200];
            snprintf(sql, sizeof sql,
                     "INSERT INTO crsql_changes VALUES('t', "
                     "crsql_pack_columns(%d), '%s', iif('%s' = 'b', 7, NULL), "
                     "%d, 1, " /* a site */
                     "zeroblob(16), %d, 0); CREATE TABLE x%d(y)",
                     row, COLUMNS[kind], COLUMNS[kind],
                     kind == 0 ? 5 : LENGTHS[kind], LENGTHS[kind], row);
            scratch_exec(db, sql);
        }
        scratch_exec(db, "COMMIT");
        assert_rows(db, "SELECT b FROM t",
                    kind == 0   ? "7;7;7;"
                    : kind == 1 ? ""
                                : "1;2;3;");
        assert_int_equal(
            scratch_integer(db, "SELECT count(*) FROM crsql_changes WHERE "
                                "site_id = zeroblob(16)"),
            3);
        rowtide_db_free(db);
    }
}

static void changes_are_read(void **state)
{
    (void)state;
    rowtide_db *db = crdt_db();
    rowtide_crdt_merge *merge = merging_begin(db);
    for (int row = 1; row <= 3; row++)
        assert_ok(merging_add(merge, merging_cell_of_t(row, "b", row, 1)));
    assert_rows(db, "SELECT hex(pk), val FROM crsql_changes ORDER BY pk",
                "'010901'|1;'010902'|2;'010903'|3;");
    assert_rows(db, "SELECT a FROM t", "1;2;3;");
    merging_end(merge);
    rowtide_db_free(db);
}

/* In one transaction, read in between, with the sequences of different peers. */
static void a_change_is_read_once(void **state)
{
    (void)state;
    static const int SEQUENCES[] = {3, 1, 3, 0, 4};
    rowtide_db *db = crdt_db();
    rowtide_crdt_merge *merge = merging_begin(db);
    for (int i = 0; i < 5; i++) {
        for (int row = 1; row <= 3; row++) {
            rowtide_crdt_change change = merging_cell_of_t(row, "b", i, i + 1);
            change.sequence = SEQUENCES[i];
            assert_ok(merging_add(merge, change));
        }
        assert_int_equal(
            scratch_integer(db, "SELECT count(*) FROM crsql_changes"), 3);
    }
    merging_end(merge);
    assert_int_equal(scratch_integer(db, "SELECT count(*) FROM crsql_changes"),
                     3);
    rowtide_db_free(db);
}

static void a_trigger_comes_into_being(void **state)
{
    (void)state;
    static const char *const CHANGES_OF_SCHEMA[] = {
        "CREATE TEMP TRIGGER x AFTER INSERT ON main.t BEGIN SELECT 1; END",
        "CREATE TRIGGER x AFTER INSERT ON t BEGIN SELECT 1; END"};
    rowtide_db *db = crdt_db();
    for (int i = 0; i < 2; i++) {
        rowtide_crdt_merge *merge = merging_begin(db);
        assert_ok(merging_add(merge, merging_cell_of_t(1, "b", 1, 1)));
        assert_ok(merging_add(merge, merging_cell_of_t(2, "b", 2, 1)));
        scratch_exec(db, CHANGES_OF_SCHEMA[i]);
        assert_status(rowtide_crdt_merge_end(merge, NULL), ROWTIDE_ESCHEMA);
        assert_message("in the middle of a merge");
        rowtide_crdt_merge_free(merge);
        scratch_exec(db, "DROP TRIGGER IF EXISTS x");
        assert_int_equal(scratch_integer(db, "SELECT count(*) FROM t"), 0);
    }
    rowtide_db_free(db);
}

/* What each hook is told of. */
static void count_rows(void *user, int op, const char *database,
                       const char *table, sqlite3_int64 rowid)
{
    (void)database;
    (void)rowid;
    if (op == SQLITE_INSERT && strcmp(table, "t") == 0)
        ++*(int *)user;
}

static void the_application_is_told(void **state)
{
    (void)state;
    int rows = 0;
    rowtide_db *db = crdt_db();
    sqlite3 *sqlite = rowtide_db_sqlite(db);
    scratch_exec(db, "CREATE TABLE plain(x); INSERT INTO plain VALUES(1), (2)");
    sqlite3_update_hook(sqlite, count_rows, &rows);
    rowtide_crdt_merge *merge = merging_begin(db);
    for (int row = 1; row <= 50; row++)
        assert_ok(merging_add(merge, merging_cell_of_t(row, "b", row, 1)));
    merging_end(merge);
    assert_int_equal(rows, 50);
    assert_int_equal(sqlite3_last_insert_rowid(sqlite), 2);
    rowtide_db_free(db);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_to_another_row),
        cmocka_unit_test(writes_to_a_row_that_is_held),
        cmocka_unit_test(a_statement_in_between_fails),
        cmocka_unit_test(the_schema_changes_in_between),
        cmocka_unit_test(changes_are_read),
        cmocka_unit_test(a_change_is_read_once),
        cmocka_unit_test(a_trigger_comes_into_being),
        cmocka_unit_test(the_application_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
