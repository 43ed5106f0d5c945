#include "support/oom.h"
#include "support/scratch.h"

#include <sqlite3.h>

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static void open_and_close(void **state)
{
    (void)state;
    const char *path = scratch_path("plain.db");
    rowtide_db *db = scratch_db_file(path, "CREATE TABLE t(a)");
    assert_true(rowtide_db_is_open(db));
    assert_non_null(rowtide_db_sqlite(db));
    assert_non_null(strstr(rowtide_db_path(db), "plain.db"));
    assert_ok(rowtide_db_close(db));
    assert_ok(rowtide_db_close(db));
    assert_false(rowtide_db_is_open(db));
    assert_null(rowtide_db_sqlite(db));
    assert_non_null(strstr(rowtide_db_path(db), "plain.db"));
    assert_status(rowtide_db_exec(db, "SELECT 1"), ROWTIDE_ECLOSED);
    assert_message("exec: the connection is closed");
    assert_status(rowtide_db_interrupt(db), ROWTIDE_ECLOSED);
    assert_int_equal(rowtide_db_changes(db), ROWTIDE_ECLOSED);
    assert_int_equal(rowtide_db_last_insert_rowid(db), 0);
    assert_int_equal(rowtide_db_in_transaction(db), 0);
    rowtide_db_free(db);
}

static void memory_has_no_path(void **state)
{
    (void)state;
    rowtide_db *db = scratch_db(NULL);
    assert_string_equal(rowtide_db_path(db), "");
    rowtide_db_free(db);
}

static void missing_arguments(void **state)
{
    (void)state;
    rowtide_db *db;
    assert_status(rowtide_db_open(NULL, NULL, &db), ROWTIDE_EINVAL);
    assert_null(db);
    assert_status(rowtide_db_open(":memory:", NULL, NULL), ROWTIDE_EINVAL);
    rowtide_open_options unset = {0};
    assert_status(rowtide_db_open(":memory:", &unset, &db), ROWTIDE_EINVAL);
    assert_status(rowtide_db_adopt(NULL, &db), ROWTIDE_EINVAL);
    assert_status(rowtide_db_exec(NULL, "SELECT 1"), ROWTIDE_EINVAL);
    assert_status(rowtide_db_close(NULL), ROWTIDE_EINVAL);
    assert_status(rowtide_db_interrupt(NULL), ROWTIDE_EINVAL);
    assert_null(rowtide_db_sqlite(NULL));
    assert_false(rowtide_db_is_open(NULL));
    assert_string_equal(rowtide_db_path(NULL), "");
    assert_int_equal(rowtide_db_changes(NULL), ROWTIDE_EINVAL);
    assert_int_equal(rowtide_db_last_insert_rowid(NULL), 0);
    assert_int_equal(rowtide_db_in_transaction(NULL), 0);
    rowtide_db_free(NULL);
    db = scratch_db(NULL);
    assert_status(rowtide_db_exec(db, NULL), ROWTIDE_EINVAL);
    rowtide_db_free(db);
}

static void cannot_open(void **state)
{
    (void)state;
    rowtide_db *db;
    rowtide_open_options options = ROWTIDE_OPEN_OPTIONS_INIT;
    assert_status(rowtide_db_open("/no/such/dir/y.db", NULL, &db), ROWTIDE_EIO);
    assert_null(db);
    assert_string_equal(
        rowtide_error_message(),
        "cannot open /no/such/dir/y.db: unable to open database file");
    assert_int_equal(rowtide_error_sqlite_code() & 0xff, SQLITE_CANTOPEN);
    options.must_exist = 1;
    const char *path = scratch_path("absent.db");
    assert_status(rowtide_db_open(path, &options, &db), ROWTIDE_EIO);
    assert_false(scratch_exists(path));
}

static void not_a_database(void **state)
{
    (void)state;
    const char *path = scratch_path("text.db");
    char text[2000];
    memset(text, 'x', sizeof text);
    scratch_write(path, text, sizeof text);
    rowtide_db *db = scratch_db_file(path, NULL);
    assert_status(rowtide_db_exec(db, "SELECT * FROM sqlite_schema"),
                  ROWTIDE_ECORRUPT);
    assert_message("file is not a database");
    rowtide_db_free(db);
}

static void read_only(void **state)
{
    (void)state;
    const char *path = scratch_path("readonly.db");
    rowtide_db_free(scratch_db_file(path, "CREATE TABLE t(a)"));
    rowtide_open_options options = ROWTIDE_OPEN_OPTIONS_INIT;
    rowtide_db *db;
    options.read_only = 1;
    assert_ok(rowtide_db_open(path, &options, &db));
    assert_ok(rowtide_db_exec(db, "SELECT * FROM t"));
    assert_status(rowtide_db_exec(db, "INSERT INTO t VALUES(1)"),
                  ROWTIDE_EREADONLY);
    rowtide_db_free(db);
}

static void shorter_options_of_an_older_program(void **state)
{
    (void)state;
    const char *path = scratch_path("older.db");
    rowtide_open_options options = {offsetof(rowtide_open_options, must_exist),
                                    0, 1, 0};
    rowtide_db *db;
    assert_ok(rowtide_db_open(path, &options, &db));
    assert_ok(rowtide_db_exec(db, "CREATE TABLE t(a)"));
    rowtide_db_free(db);
}

static void exec_runs_every_statement(void **state)
{
    (void)state;
    rowtide_db *db = scratch_db(NULL);
    assert_ok(rowtide_db_exec(db, "CREATE TABLE t(a); -- comment\n"
                                  "INSERT INTO t VALUES(1),(2);;\n"
                                  "SELECT * FROM t; UPDATE t SET a = a + 1;"));
    assert_int_equal(rowtide_db_changes(db), 2);
    assert_int_equal(rowtide_db_last_insert_rowid(db), 2);
    assert_rows(db, "SELECT a FROM t", "2;3;");
    assert_ok(rowtide_db_exec(db, ""));
    assert_ok(rowtide_db_exec(db, " ; -- nothing"));
    rowtide_db_free(db);
}

static void exec_says_where(void **state)
{
    (void)state;
    rowtide_db *db = scratch_db(NULL);
    assert_status(rowtide_db_exec(db, "SELECT * FORM t"), ROWTIDE_ESQL);
    assert_string_equal(rowtide_error_message(), "near \"FORM\": syntax error");
    assert_int_equal(rowtide_error_offset(), 9);
    assert_int_equal(rowtide_error_sqlite_code(), SQLITE_ERROR);
    assert_status(rowtide_db_exec(db, "SELECT 1;\n\n  SELECT nosuch"),
                  ROWTIDE_ESQL);
    assert_string_equal(rowtide_error_message(),
                        "line 3: no such column: nosuch");
    assert_int_equal(rowtide_error_offset(), 20);
    rowtide_db_free(db);
}

static void codes_of_sqlite(void **state)
{
    (void)state;
    rowtide_db *db = scratch_db("CREATE TABLE t(a PRIMARY KEY NOT NULL);"
                                "INSERT INTO t VALUES(1);"
                                "CREATE TABLE u(id INTEGER PRIMARY KEY)");
    assert_status(rowtide_db_exec(db, "INSERT INTO t VALUES(1)"),
                  ROWTIDE_ECONSTRAINT);
    assert_int_equal(rowtide_error_sqlite_code(), SQLITE_CONSTRAINT_PRIMARYKEY);
    assert_message("UNIQUE constraint failed: t.a");
    assert_status(rowtide_db_exec(db, "SELECT zeroblob(2000000000)"),
                  ROWTIDE_ETOOBIG);
    assert_status(rowtide_db_exec(db, "INSERT INTO u VALUES('x')"),
                  ROWTIDE_EINVAL);
    assert_message("datatype mismatch");
    rowtide_db_free(db);
}

static void busy(void **state)
{
    (void)state;
    const char *path = scratch_path("busy.db");
    rowtide_db *holder = scratch_db_file(path, "CREATE TABLE t(a);"
                                               "BEGIN EXCLUSIVE");
    rowtide_open_options options = ROWTIDE_OPEN_OPTIONS_INIT;
    rowtide_db *db;
    options.busy_timeout_ms = 1;
    assert_ok(rowtide_db_open(path, &options, &db));
    assert_status(rowtide_db_exec(db, "INSERT INTO t VALUES(1)"),
                  ROWTIDE_EBUSY);
    assert_message("database is locked");
    assert_true(rowtide_db_in_transaction(holder));
    assert_false(rowtide_db_in_transaction(db));
    rowtide_db_free(holder);
    assert_ok(rowtide_db_exec(db, "INSERT INTO t VALUES(1)"));
    rowtide_db_free(db);
}

static void full_disk(void **state)
{
    (void)state;
    rowtide_db *db = scratch_db_file(scratch_path("full.db"),
                                     "CREATE TABLE t(a); PRAGMA max_page_count"
                                     " = 4");
    assert_status(rowtide_db_exec(db, "INSERT INTO t VALUES(zeroblob(100000))"),
                  ROWTIDE_EFULL);
    assert_message("disk is full");
    assert_rows(db, "SELECT count(*) FROM t", "0;");
    rowtide_db_free(db);
}

/* ## Threads: a function in SQL that waits until it is let go. */

static atomic_int is_inside, may_leave;

static void wait_inside(sqlite3_context *context, int count,
                        sqlite3_value **values)
{
    (void)count;
    (void)values;
    atomic_store(&is_inside, 1);
    while (!atomic_load(&may_leave))
        sched_yield();
    sqlite3_result_int(context, 1);
}

static void *run_waiting(void *user)
{
    return rowtide_db_exec(user, "SELECT wait_inside()") == ROWTIDE_OK ? NULL
                                                                       : user;
}

static pthread_t start_waiting(rowtide_db *db)
{
    pthread_t thread;
    atomic_store(&is_inside, 0);
    atomic_store(&may_leave, 0);
    assert_int_equal(sqlite3_create_function(rowtide_db_sqlite(db),
                                             "wait_inside", 0, SQLITE_UTF8,
                                             NULL, wait_inside, NULL, NULL),
                     SQLITE_OK);
    assert_int_equal(pthread_create(&thread, NULL, run_waiting, db), 0);
    while (!atomic_load(&is_inside))
        sched_yield();
    return thread;
}

static void *finish_waiting(pthread_t thread)
{
    void *result;
    atomic_store(&may_leave, 1);
    assert_int_equal(pthread_join(thread, &result), 0);
    return result;
}

static void second_thread(void **state)
{
    (void)state;
    rowtide_db *db = scratch_db(NULL);
    pthread_t thread = start_waiting(db);
    assert_status(rowtide_db_exec(db, "SELECT 1"), ROWTIDE_ETHREAD);
    assert_message("exec: the connection is in use on another thread");
    assert_status(rowtide_db_close(db), ROWTIDE_ETHREAD);
    assert_true(rowtide_db_is_open(db));
    assert_null(finish_waiting(thread));
    assert_ok(rowtide_db_exec(db, "SELECT 1"));
    rowtide_db_free(db);
}

static void statement_freed_on_second_thread(void **state)
{
    (void)state;
    rowtide_db *db = scratch_db("CREATE TABLE t(a); INSERT INTO t VALUES(1)");
    rowtide_stmt *stmt;
    assert_ok(rowtide_stmt_prepare(db, "SELECT a FROM t", &stmt));
    assert_ok(rowtide_stmt_step(stmt));
    pthread_t thread = start_waiting(db);
    rowtide_stmt_free(stmt);
    assert_null(finish_waiting(thread));
    /* An open SELECT would hold a lock on the table. */
    assert_ok(rowtide_db_exec(db, "DROP TABLE t"));
    rowtide_db_free(db);
}

static void freed_while_a_call_runs(void **state)
{
    (void)state;
    rowtide_db *db = scratch_db(NULL);
    pthread_t thread = start_waiting(db);
    rowtide_db_free(db);
    assert_null(finish_waiting(thread));
}

static void *make_statements(void *user)
{
    for (int i = 0; i < 300; i++) {
        rowtide_stmt *stmt;
        int rc = rowtide_stmt_prepare(user, "SELECT 1 UNION SELECT 2", &stmt);
        if (rc != ROWTIDE_OK && rc != ROWTIDE_ETHREAD
            && rc != ROWTIDE_ECANCELLED)
            return user;
        if (rc == ROWTIDE_OK)
            rowtide_stmt_step(stmt);
        rowtide_stmt_free(stmt);
        rowtide_db_interrupt(user);
        if (!rowtide_db_is_open(user) || !rowtide_db_sqlite(user))
            return user;
    }
    return NULL;
}

static void threads_take_turns(void **state)
{
    (void)state;
    rowtide_db *db = scratch_db(NULL);
    pthread_t threads[3];
    void *result;
    for (int i = 0; i < 3; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, make_statements, db),
                         0);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(pthread_join(threads[i], &result), 0);
        assert_null(result);
    }
    assert_null(sqlite3_next_stmt(rowtide_db_sqlite(db), NULL));
    rowtide_db_free(db);
}

static void *interrupt_until_closed(void *user)
{
    while (rowtide_db_interrupt(user) == ROWTIDE_OK)
        sched_yield();
    return rowtide_error_code() == ROWTIDE_ECLOSED ? NULL : user;
}

static void interrupted_while_closing(void **state)
{
    (void)state;
    rowtide_db *db = scratch_db(NULL);
    pthread_t thread;
    void *result;
    assert_int_equal(pthread_create(&thread, NULL, interrupt_until_closed, db),
                     0);
    for (int i = 0; i < 100; i++)
        sched_yield();
    assert_ok(rowtide_db_close(db));
    assert_int_equal(pthread_join(thread, &result), 0);
    assert_null(result);
    rowtide_db_free(db);
}

static void *run_forever(void *user)
{
    int rc = rowtide_db_exec(user, "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL "
                                   "SELECT i + 1 FROM n WHERE wait_inside()) "
                                   "SELECT count(*) FROM n");
    return rc == ROWTIDE_ECANCELLED ? user : NULL;
}

static void interrupt(void **state)
{
    (void)state;
    rowtide_db *db = scratch_db(NULL);
    pthread_t thread = start_waiting(db);
    assert_null(finish_waiting(thread));
    void *result;
    assert_int_equal(pthread_create(&thread, NULL, run_forever, db), 0);
    atomic_store(&is_inside, 0);
    while (!atomic_load(&is_inside))
        sched_yield();
    assert_ok(rowtide_db_interrupt(db));
    assert_int_equal(pthread_join(thread, &result), 0);
    assert_ptr_equal(result, db);
    assert_ok(rowtide_db_interrupt(db));
    assert_ok(rowtide_db_exec(db, "SELECT 1; SELECT 2"));
    rowtide_db_free(db);
}

static int closing_rc, nested_rc;

static void close_from_inside(sqlite3_context *context, int count,
                              sqlite3_value **values)
{
    (void)count;
    (void)values;
    rowtide_db *db = sqlite3_user_data(context);
    nested_rc = rowtide_db_exec(db, "INSERT INTO t VALUES(7)");
    closing_rc = rowtide_db_close(db);
}

static void close_inside_a_call(void **state)
{
    (void)state;
    rowtide_db *db = scratch_db("CREATE TABLE t(a)");
    sqlite3_create_function(rowtide_db_sqlite(db), "close_me", 0, SQLITE_UTF8,
                            db, close_from_inside, NULL, NULL);
    assert_ok(rowtide_db_exec(db, "SELECT close_me()"));
    assert_int_equal(closing_rc, ROWTIDE_EMISUSE);
    assert_int_equal(nested_rc, ROWTIDE_OK);
    assert_rows(db, "SELECT a FROM t", "7;");
    rowtide_db_free(db);
}

/* ## Processes */

static int in_child(rowtide_db *db, rowtide_stmt *stmt)
{
    rowtide_db *again = NULL;
    int wrong = rowtide_db_exec(db, "INSERT INTO t VALUES(2)") != ROWTIDE_EFORK;
    wrong |= !strstr(rowtide_error_message(), "before a fork");
    wrong |= rowtide_stmt_step(stmt) != ROWTIDE_EFORK;
    wrong |= rowtide_db_close(db) != ROWTIDE_EFORK;
    wrong |= rowtide_db_interrupt(db) != ROWTIDE_EFORK;
    wrong |= rowtide_db_is_open(db) || rowtide_db_sqlite(db);
    wrong |= rowtide_db_open(rowtide_db_path(db), NULL, &again) != ROWTIDE_OK;
    wrong |= rowtide_db_exec(again, "SELECT * FROM t") != ROWTIDE_OK;
    rowtide_db_free(again);
    rowtide_stmt_free(stmt);
    rowtide_db_free(db);
    return wrong;
}

static void forked_child(void **state)
{
    (void)state;
    rowtide_db *db = scratch_db_file(scratch_path("fork.db"),
                                     "CREATE TABLE t(a)");
    rowtide_stmt *stmt;
    int status;
    assert_ok(rowtide_stmt_prepare(db, "SELECT * FROM t", &stmt));
    fflush(NULL);
    pid_t child = fork();
    if (child == 0)
        _exit(in_child(db, stmt));
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    assert_int_equal(rowtide_stmt_step(stmt), ROWTIDE_DONE);
    assert_ok(rowtide_db_exec(db, "INSERT INTO t VALUES(1)"));
    rowtide_stmt_free(stmt);
    rowtide_db_free(db);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(open_and_close),
        cmocka_unit_test(memory_has_no_path),
        cmocka_unit_test(missing_arguments),
        cmocka_unit_test(cannot_open),
        cmocka_unit_test(not_a_database),
        cmocka_unit_test(read_only),
        cmocka_unit_test(shorter_options_of_an_older_program),
        cmocka_unit_test(exec_runs_every_statement),
        cmocka_unit_test(exec_says_where),
        cmocka_unit_test(codes_of_sqlite),
        cmocka_unit_test(busy),
        cmocka_unit_test(full_disk),
        cmocka_unit_test(second_thread),
        cmocka_unit_test(statement_freed_on_second_thread),
        cmocka_unit_test(freed_while_a_call_runs),
        cmocka_unit_test(threads_take_turns),
        cmocka_unit_test(interrupted_while_closing),
        cmocka_unit_test(interrupt),
        cmocka_unit_test(close_inside_a_call),
        cmocka_unit_test(forked_child),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
