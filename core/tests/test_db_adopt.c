#include "support/oom.h"
#include "support/scratch.h"

#include "db/connection.h"
#include "db/sql.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static sqlite3 *open_raw(void)
{
    sqlite3 *sqlite;
    assert_int_equal(sqlite3_open(":memory:", &sqlite), SQLITE_OK);
    assert_int_equal(sqlite3_exec(sqlite, "CREATE TABLE t(a)", 0, 0, 0),
                     SQLITE_OK);
    return sqlite;
}

static void handle_goes_first(void **state)
{
    (void)state;
    sqlite3 *sqlite = open_raw();
    rowtide_db *db;
    assert_ok(rowtide_db_adopt(sqlite, &db));
    assert_ptr_equal(rowtide_db_sqlite(db), sqlite);
    assert_ok(rowtide_db_exec(db, "INSERT INTO t VALUES(1)"));
    rowtide_db_free(db);
    assert_int_equal(sqlite3_exec(sqlite, "SELECT * FROM t", 0, 0, 0),
                     SQLITE_OK);
    assert_int_equal(sqlite3_close(sqlite), SQLITE_OK);
}

static void owner_goes_first(void **state)
{
    (void)state;
    sqlite3 *sqlite = open_raw();
    rowtide_db *db;
    assert_ok(rowtide_db_adopt(sqlite, &db));
    assert_int_equal(sqlite3_close(sqlite), SQLITE_OK);
    assert_false(rowtide_db_is_open(db));
    assert_null(rowtide_db_sqlite(db));
    assert_status(rowtide_db_exec(db, "SELECT 1"), ROWTIDE_ECLOSED);
    assert_ok(rowtide_db_close(db));
    rowtide_db_free(db);
}

static void same_connection_same_handle(void **state)
{
    (void)state;
    sqlite3 *sqlite = open_raw();
    rowtide_db *first, *second;
    assert_ok(rowtide_db_adopt(sqlite, &first));
    assert_ok(rowtide_db_adopt(sqlite, &second));
    assert_ptr_equal(first, second);
    rowtide_db_free(first);
    assert_ok(rowtide_db_exec(second, "SELECT 1"));
    rowtide_db_free(second);
    assert_ok(rowtide_db_adopt(sqlite, &first));
    assert_ok(rowtide_db_exec(first, "SELECT 1"));
    assert_int_equal(sqlite3_close(sqlite), SQLITE_OK);
    rowtide_db_free(first);
}

static void closing_lets_go(void **state)
{
    (void)state;
    sqlite3 *sqlite = open_raw();
    rowtide_db *first, *second;
    rowtide_stmt *stmt;
    assert_ok(rowtide_db_adopt(sqlite, &first));
    assert_ok(rowtide_stmt_prepare(first, "SELECT 1", &stmt));
    assert_ok(rowtide_db_close(first));
    assert_status(rowtide_stmt_step(stmt), ROWTIDE_ECLOSED);
    rowtide_stmt_free(stmt);
    assert_ok(rowtide_db_adopt(sqlite, &second));
    assert_ptr_not_equal(first, second);
    assert_ok(rowtide_db_exec(second, "SELECT 1"));
    assert_status(rowtide_db_exec(first, "SELECT 1"), ROWTIDE_ECLOSED);
    assert_int_equal(sqlite3_close(sqlite), SQLITE_OK);
    assert_status(rowtide_db_exec(second, "SELECT 1"), ROWTIDE_ECLOSED);
    rowtide_db_free(first);
    rowtide_db_free(second);
}

static void opened_connection_adopted(void **state)
{
    (void)state;
    rowtide_db *db = scratch_db(NULL), *adopted;
    assert_ok(rowtide_db_adopt(rowtide_db_sqlite(db), &adopted));
    assert_ok(rowtide_db_exec(adopted, "CREATE TABLE t(a)"));
    assert_ok(rowtide_db_exec(db, "SELECT * FROM t"));
    rowtide_db_free(db);
    assert_status(rowtide_db_exec(adopted, "SELECT 1"), ROWTIDE_ECLOSED);
    rowtide_db_free(adopted);
}

static void inside_a_transaction(void **state)
{
    (void)state;
    sqlite3 *sqlite = open_raw();
    sqlite3_stmt *running;
    rowtide_db *db, *again;
    sqlite3_exec(sqlite, "BEGIN; INSERT INTO t VALUES(1)", 0, 0, 0);
    sqlite3_prepare_v2(sqlite, "SELECT a FROM t", -1, &running, NULL);
    assert_int_equal(sqlite3_step(running), SQLITE_ROW);
    assert_ok(rowtide_db_adopt(sqlite, &db));
    assert_true(rowtide_db_in_transaction(db));
    assert_ok(rowtide_db_adopt(sqlite, &again));
    rowtide_db_free(again);
    assert_int_equal(sqlite3_step(running), SQLITE_DONE);
    sqlite3_finalize(running);
    assert_int_equal(sqlite3_exec(sqlite, "ROLLBACK", 0, 0, 0), SQLITE_OK);
    rowtide_db_free(db);
    sqlite3_close(sqlite);
}

static void settings_stay(void **state)
{
    (void)state;
    sqlite3 *sqlite = open_raw();
    rowtide_db *db;
    sqlite3_exec(sqlite, "INSERT INTO t VALUES(1)", 0, 0, 0);
    sqlite3_busy_timeout(sqlite, 77);
    assert_ok(rowtide_db_adopt(sqlite, &db));
    assert_int_equal(sqlite3_changes(sqlite), 1);
    assert_int_equal(sqlite3_total_changes(sqlite), 1);
    assert_rows(db, "PRAGMA busy_timeout", "77;");
    sqlite3_exec(sqlite, "CREATE UNIQUE INDEX i ON t(a)", 0, 0, 0);
    assert_int_equal(sqlite3_exec(sqlite, "INSERT INTO t VALUES(1)", 0, 0, 0),
                     SQLITE_CONSTRAINT);
    /* Ours knows the extended code all the same. */
    assert_status(rowtide_db_exec(db, "INSERT INTO t VALUES(1)"),
                  ROWTIDE_ECONSTRAINT);
    assert_int_equal(rowtide_error_sqlite_code(), SQLITE_CONSTRAINT_UNIQUE);
    rowtide_db_free(db);
    sqlite3_close(sqlite);
}

static void zombie(void **state)
{
    (void)state;
    sqlite3 *sqlite = open_raw();
    sqlite3_stmt *running;
    rowtide_db *db, *again;
    assert_ok(rowtide_db_adopt(sqlite, &db));
    sqlite3_prepare_v2(sqlite, "SELECT 1", -1, &running, NULL);
    assert_int_equal(sqlite3_close_v2(sqlite), SQLITE_OK);
    assert_status(rowtide_db_exec(db, "SELECT 1"), ROWTIDE_ECLOSED);
    assert_message("the connection is closed");
    assert_status(rowtide_db_adopt(sqlite, &again), ROWTIDE_ECLOSED);
    sqlite3_finalize(running);
    assert_false(rowtide_db_is_open(db));
    assert_status(rowtide_db_exec(db, "SELECT 1"), ROWTIDE_ECLOSED);
    rowtide_db_free(db);
}

static void zombie_of_our_statement(void **state)
{
    (void)state;
    sqlite3 *sqlite = open_raw();
    rowtide_db *db;
    rowtide_stmt *stmt;
    assert_ok(rowtide_db_adopt(sqlite, &db));
    assert_ok(rowtide_stmt_prepare(db, "SELECT 1", &stmt));
    assert_int_equal(sqlite3_close(sqlite), SQLITE_BUSY);
    assert_int_equal(sqlite3_close_v2(sqlite), SQLITE_OK);
    rowtide_db_free(db);
    rowtide_stmt_free(stmt);
}

static void zombie_that_is_let_go(void **state)
{
    (void)state;
    sqlite3 *sqlite = open_raw();
    rowtide_db *db;
    rowtide_stmt *stmt;
    assert_ok(rowtide_db_adopt(sqlite, &db));
    assert_ok(rowtide_stmt_prepare(db, "SELECT 1", &stmt));
    assert_int_equal(sqlite3_close_v2(sqlite), SQLITE_OK);
    assert_ok(rowtide_db_close(db));
    assert_status(rowtide_stmt_step(stmt), ROWTIDE_ECLOSED);
    rowtide_stmt_free(stmt);
    rowtide_db_free(db);
}

static int deny_functions(void *user, int action, const char *a, const char *b,
                          const char *c, const char *d)
{
    (void)a;
    (void)b;
    (void)c;
    (void)d;
    return action == SQLITE_FUNCTION ? *(int *)user : SQLITE_OK;
}

static void authorizer(void **state)
{
    (void)state;
    sqlite3 *sqlite = open_raw();
    rowtide_db *db, *again;
    int verdict = SQLITE_DENY;
    assert_ok(rowtide_db_adopt(sqlite, &db));
    sqlite3_set_authorizer(sqlite, deny_functions, &verdict);
    assert_status(rowtide_db_adopt(sqlite, &again), ROWTIDE_ESQL);
    assert_message("adopt: not authorized to use function: rowtide_adopted");
    verdict = SQLITE_IGNORE;
    assert_status(rowtide_db_adopt(sqlite, &again), ROWTIDE_ESQL);
    assert_message("authorizer");
    assert_ok(rowtide_db_exec(db, "SELECT 1"));
    sqlite3_close(sqlite);
    rowtide_db_free(db);
}

static void sql_cannot_forge(void **state)
{
    (void)state;
    sqlite3 *sqlite = open_raw();
    rowtide_db *db, *again;
    assert_ok(rowtide_db_adopt(sqlite, &db));
    assert_rows(db, "SELECT rowtide_adopted()", "NULL;");
    assert_ok(rowtide_db_exec(db, "CREATE VIEW v AS SELECT rowtide_adopted()"));
    assert_status(rowtide_db_exec(db, "SELECT * FROM v"), ROWTIDE_ESQL);
    assert_ok(rowtide_db_adopt(sqlite, &again));
    assert_ptr_equal(db, again);
    rowtide_db_free(again);
    rowtide_db_free(db);
    sqlite3_close(sqlite);
}

typedef struct witness {
    rowtide__db_child child;
    int closed;
} witness;

static void note_closed(rowtide__db_child *child)
{
    ((witness *)child)->closed++;
}

static void children_are_told(void **state)
{
    (void)state;
    sqlite3 *sqlite = open_raw();
    rowtide_db *db;
    witness one = {.child = {.closed = note_closed}}, two = one, three = one;
    assert_ok(rowtide_db_adopt(sqlite, &db));
    rowtide__db_attach_child(db, &one.child);
    rowtide__db_attach_child(db, &two.child);
    rowtide__db_attach_child(db, &three.child);
    rowtide__db_detach_child(db, &two.child);
    rowtide__db_detach_child(db, &two.child);
    assert_int_equal(sqlite3_close(sqlite), SQLITE_OK);
    assert_int_equal(one.closed, 1);
    assert_int_equal(two.closed, 0);
    assert_int_equal(three.closed, 1);
    rowtide__db_detach_child(db, &one.child);
    rowtide_db_free(db);
}

static void forked_child(void **state)
{
    (void)state;
    sqlite3 *sqlite = open_raw();
    rowtide_db *db, *again = NULL;
    int status;
    assert_ok(rowtide_db_adopt(sqlite, &db));
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        int rc = rowtide_db_adopt(sqlite, &again);
        int exec_rc = rowtide_db_exec(db, "SELECT 1");
        rowtide_db_free(db);
        sqlite3_close(sqlite);
        _exit(rc != ROWTIDE_EFORK || exec_rc != ROWTIDE_EFORK || again);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    assert_ok(rowtide_db_exec(db, "SELECT 1"));
    sqlite3_close(sqlite);
    rowtide_db_free(db);
}

static int adopt_scenario(void *ctx)
{
    sqlite3 *sqlite;
    rowtide_db *db = NULL, *again = NULL;
    rowtide_stmt *stmt = NULL;
    (void)ctx;
    if (sqlite3_open(":memory:", &sqlite) != SQLITE_OK) {
        sqlite3_close(sqlite);
        return rowtide_error_set(ROWTIDE_ENOMEM, "open");
    }
    int rc = rowtide_db_adopt(sqlite, &db);
    if (rc == ROWTIDE_OK)
        rc = rowtide_db_adopt(sqlite, &again);
    if (rc == ROWTIDE_OK)
        rc = rowtide_stmt_prepare(db, "SELECT 1", &stmt);
    sqlite3_close_v2(sqlite);
    rowtide_stmt_free(stmt);
    rowtide_db_free(db);
    rowtide_db_free(again);
    return rc;
}

static void out_of_memory(void **state)
{
    (void)state;
    oom_loop(adopt_scenario, NULL);
    oom_loop_sqlite(adopt_scenario, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(handle_goes_first),
        cmocka_unit_test(owner_goes_first),
        cmocka_unit_test(same_connection_same_handle),
        cmocka_unit_test(closing_lets_go),
        cmocka_unit_test(opened_connection_adopted),
        cmocka_unit_test(inside_a_transaction),
        cmocka_unit_test(settings_stay),
        cmocka_unit_test(zombie),
        cmocka_unit_test(zombie_of_our_statement),
        cmocka_unit_test(zombie_that_is_let_go),
        cmocka_unit_test(authorizer),
        cmocka_unit_test(sql_cannot_forge),
        cmocka_unit_test(children_are_told),
        cmocka_unit_test(forked_child),
        cmocka_unit_test(out_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
