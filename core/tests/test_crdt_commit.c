/*
 * Rows and their clocks are committed together or not at all.
 */
#include "support/scratch.h"

#include <rowtide/crdt.h>

#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#define COUNT                                                                  \
    "SELECT (SELECT count(*) FROM crsql_changes) * 1000 + count(*) FROM t"

static rowtide_db *open_file(const char *path, const char *mode)
{
    rowtide_open_options options = ROWTIDE_OPEN_OPTIONS_INIT;
    rowtide_db *db;
    options.busy_timeout_ms = 0;
    assert_ok(rowtide_db_open(path, &options, &db));
    scratch_exec(db, mode);
    scratch_exec(db, "CREATE TABLE IF NOT EXISTS t(a INTEGER PRIMARY KEY NOT "
                     "NULL, b)");
    assert_ok(rowtide_crdt_enable(db, "t"));
    return db;
}

/* A reader keeps the first COMMIT from happening: the second one does it. */
static void commit_that_is_busy(void **state)
{
    (void)state;
    const char *path = scratch_new_path();
    rowtide_db *a = open_file(path, "PRAGMA journal_mode = DELETE");
    rowtide_db *b = open_file(path, "");
    scratch_exec(b, "BEGIN");
    assert_int_equal(scratch_integer(b, COUNT), 0);
    scratch_exec(a, "BEGIN; INSERT INTO t VALUES(1, 1)");
    assert_status(rowtide_db_exec(a, "COMMIT"), ROWTIDE_EBUSY);
    assert_int_equal(rowtide_db_in_transaction(a), 1);
    scratch_exec(a, "INSERT INTO t VALUES(2, 2)");
    scratch_exec(b, "COMMIT");
    scratch_exec(a, "COMMIT");
    assert_int_equal(scratch_integer(b, COUNT), 2002);
    assert_int_equal(scratch_integer(b, "SELECT crsql_db_version()"), 1);
    rowtide_db_free(a);
    rowtide_db_free(b);
}

static void commit_that_is_given_up(void **state)
{
    (void)state;
    const char *path = scratch_new_path();
    rowtide_db *a = open_file(path, "PRAGMA journal_mode = DELETE");
    rowtide_db *b = open_file(path, "");
    scratch_exec(b, "BEGIN");
    assert_int_equal(scratch_integer(b, COUNT), 0);
    scratch_exec(a, "BEGIN; INSERT INTO t VALUES(1, 1)");
    assert_status(rowtide_db_exec(a, "COMMIT"), ROWTIDE_EBUSY);
    scratch_exec(a, "ROLLBACK");
    scratch_exec(b, "COMMIT");
    scratch_exec(a, "INSERT INTO t VALUES(3, 3)");
    assert_int_equal(scratch_integer(b, COUNT), 1001);
    rowtide_db_free(a);
    rowtide_db_free(b);
}

/* The process dies with one transaction committed and one not. */
static void process_that_dies(void **state)
{
    (void)state;
    const char *path = scratch_new_path();
    rowtide_db_free(open_file(path, "PRAGMA journal_mode = WAL"));
    pid_t child = fork();
    if (child == 0) {
        rowtide_db *db = open_file(path, "");
        rowtide_db_exec(db, "BEGIN; INSERT INTO t VALUES(1, 1), (2, 2);"
                            "COMMIT; BEGIN; INSERT INTO t VALUES(3, 3);"
                            "SELECT count(*) FROM crsql_changes");
        _exit(0);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    rowtide_db *db = open_file(path, "");
    assert_int_equal(scratch_integer(db, COUNT), 2002);
    scratch_exec(db, "INSERT INTO t VALUES(3, 3)");
    assert_int_equal(scratch_integer(db, COUNT), 3003);
    rowtide_db_free(db);
}

static void many_savepoints(void **state)
{
    (void)state;
    rowtide_db *db = open_file(":memory:", "");
    scratch_exec(db, "BEGIN; INSERT INTO t VALUES(1, 1);"
                     "SAVEPOINT a; INSERT INTO t VALUES(2, 1);"
                     "SAVEPOINT b; UPDATE t SET b = 2;"
                     "SAVEPOINT c; DELETE FROM t");
    assert_int_equal(scratch_integer(db, COUNT), 2000);
    scratch_exec(db, "ROLLBACK TO c");
    assert_int_equal(scratch_integer(db, COUNT), 2002);
    scratch_exec(db, "RELEASE c; ROLLBACK TO b");
    assert_int_equal(
        scratch_integer(db, "SELECT max(col_version) FROM crsql_changes"), 1);
    scratch_exec(db, "ROLLBACK TO a; INSERT INTO t VALUES(3, 3); COMMIT");
    assert_int_equal(scratch_integer(db, COUNT), 2002);
    assert_int_equal(scratch_integer(db, "SELECT count(*) FROM t__crsql_clock"),
                     2);
    rowtide_db_free(db);
}

/* More than is kept in memory, in one statement and with savepoints around. */
static void much_at_once(void **state)
{
    (void)state;
    rowtide_db *db = open_file(":memory:", "");
    scratch_exec(db, "CREATE TABLE u(k TEXT PRIMARY KEY NOT NULL, v)");
    assert_ok(rowtide_crdt_enable(db, "u"));
    scratch_exec(db, "BEGIN; INSERT INTO u VALUES('first', 1); SAVEPOINT s;"
                     "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 "
                     "FROM n WHERE i < 700000) INSERT INTO u SELECT "
                     "printf('%08x', i * 2654435761 % 4294967296), i FROM n");
    assert_int_equal(scratch_integer(db, "SELECT count(*) FROM u__crsql_clock"),
                     700001);
    scratch_exec(db, "ROLLBACK TO s; COMMIT");
    assert_rows(db, "SELECT hex(pk), seq FROM crsql_changes",
                "'010B056669727374'|0;");
    rowtide_db_free(db);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(commit_that_is_busy),
        cmocka_unit_test(commit_that_is_given_up),
        cmocka_unit_test(process_that_dies),
        cmocka_unit_test(many_savepoints),
        cmocka_unit_test(much_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
