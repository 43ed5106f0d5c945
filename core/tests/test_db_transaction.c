#include "support/oom.h"
#include "support/scratch.h"

#include "db/sql.h"
#include "db/transaction.h"

#include <stdlib.h>

static rowtide__transaction begin(rowtide_db *db)
{
    rowtide__transaction transaction;
    assert_ok(rowtide__transaction_begin(db, &transaction));
    return transaction;
}

static rowtide_db *scratch(void)
{
    return scratch_db("CREATE TABLE t(a)");
}

static void commits(void **state)
{
    (void)state;
    rowtide_db *db = scratch();
    rowtide__transaction outer = begin(db);
    assert_true(rowtide_db_in_transaction(db));
    scratch_exec(db, "INSERT INTO t VALUES(1)");
    rowtide__transaction inner = begin(db);
    scratch_exec(db, "INSERT INTO t VALUES(2)");
    assert_ok(rowtide__transaction_check(&inner));
    assert_ok(rowtide__transaction_commit(&inner));
    assert_true(rowtide_db_in_transaction(db));
    assert_ok(rowtide__transaction_commit(&outer));
    assert_false(rowtide_db_in_transaction(db));
    assert_rows(db, "SELECT a FROM t", "1;2;");
    assert_status(rowtide__transaction_commit(&outer), ROWTIDE_EMISUSE);
    rowtide__transaction_rollback(&outer);
    rowtide_db_free(db);
}

static void rolls_back_what_is_its_own(void **state)
{
    (void)state;
    rowtide_db *db = scratch();
    scratch_exec(db, "BEGIN; INSERT INTO t VALUES(1)");
    rowtide__transaction transaction = begin(db);
    scratch_exec(db, "INSERT INTO t VALUES(2)");
    rowtide_error_set(ROWTIDE_EUSER, "why it is rolled back");
    rowtide__transaction_rollback(&transaction);
    assert_int_equal(rowtide_error_code(), ROWTIDE_EUSER);
    assert_message("why it is rolled back");
    assert_true(rowtide_db_in_transaction(db));
    scratch_exec(db, "COMMIT");
    assert_rows(db, "SELECT a FROM t", "1;");
    transaction = begin(db);
    scratch_exec(db, "INSERT INTO t VALUES(2)");
    rowtide__transaction_rollback(&transaction);
    assert_false(rowtide_db_in_transaction(db));
    assert_rows(db, "SELECT a FROM t", "1;");
    rowtide_db_free(db);
}

static void commit_refused_by_foreign_key(void **state)
{
    (void)state;
    rowtide_db *db = scratch_db(
        "PRAGMA foreign_keys = 1; CREATE TABLE p(a PRIMARY KEY);"
        "CREATE TABLE c(a REFERENCES p DEFERRABLE INITIALLY DEFERRED)");
    rowtide__transaction transaction = begin(db);
    scratch_exec(db, "INSERT INTO c VALUES(1)");
    assert_status(rowtide__transaction_commit(&transaction),
                  ROWTIDE_ECONSTRAINT);
    assert_message("FOREIGN KEY constraint failed");
    assert_false(rowtide_db_in_transaction(db));
    assert_rows(db, "SELECT count(*) FROM c", "0;");
    rowtide_db_free(db);
}

static void commit_refused_by_reader(void **state)
{
    (void)state;
    const char *path = scratch_new_path();
    rowtide_db *reader = scratch_db_file(path, "CREATE TABLE t(a);"
                                               "BEGIN; SELECT * FROM t");
    rowtide_open_options options = ROWTIDE_OPEN_OPTIONS_INIT;
    rowtide_db *db;
    options.busy_timeout_ms = 0;
    assert_ok(rowtide_db_open(path, &options, &db));
    rowtide__transaction transaction = begin(db);
    scratch_exec(db, "INSERT INTO t VALUES(1)");
    assert_status(rowtide__transaction_commit(&transaction), ROWTIDE_EBUSY);
    assert_false(rowtide_db_in_transaction(db));
    scratch_exec(reader, "COMMIT");
    assert_rows(db, "SELECT count(*) FROM t", "0;");
    rowtide_db_free(db);
    rowtide_db_free(reader);
}

static void begin_refused(void **state)
{
    (void)state;
    const char *path = scratch_new_path();
    rowtide_db *holder = scratch_db_file(path, "BEGIN IMMEDIATE");
    rowtide_open_options options = ROWTIDE_OPEN_OPTIONS_INIT;
    rowtide_db *db;
    rowtide__transaction transaction;
    options.busy_timeout_ms = 0;
    assert_ok(rowtide_db_open(path, &options, &db));
    assert_status(rowtide__transaction_begin(db, &transaction), ROWTIDE_EBUSY);
    rowtide__transaction_rollback(&transaction);
    assert_false(rowtide_db_in_transaction(db));
    rowtide_db_free(db);
    rowtide_db_free(holder);
}

/* What a callback might do, and whether that ends the transaction. */
typedef struct meddling {
    const char *sql;
    int nested, ends;
    const char *rows_after; /* when it is rolled back afterwards */
} meddling;

static void meddle(const meddling *what)
{
    rowtide_db *db = scratch();
    if (what->nested)
        scratch_exec(db, "BEGIN; SAVEPOINT theirs; INSERT INTO t VALUES(1)");
    rowtide__transaction transaction = begin(db);
    scratch_exec(db, "INSERT INTO t VALUES(2)");
    assert_ok(rowtide__transaction_guard(&transaction));
    scratch_exec(db, what->sql);
    int rc = rowtide__transaction_check(&transaction);
    if (what->ends) {
        assert_status(rc, ROWTIDE_EMISUSE);
        assert_message("the transaction was ended");
    } else {
        assert_ok(rc);
    }
    rowtide__transaction_rollback(&transaction);
    assert_rows(db, "SELECT a FROM t", what->rows_after);
    rowtide_db_free(db);
}

static void refused_while_a_statement_writes(void **state)
{
    (void)state;
    rowtide_db *db = scratch();
    rowtide__transaction transaction;
    rowtide_stmt *stmt;
    assert_ok(rowtide_stmt_prepare(
        db, "INSERT INTO t VALUES(1), (2) RETURNING a", &stmt));
    assert_ok(rowtide_stmt_step(stmt));
    assert_status(rowtide__transaction_begin(db, &transaction),
                  ROWTIDE_EMISUSE);
    assert_message("a statement that writes is not finished yet");
    assert_ok(rowtide_stmt_step(stmt));
    assert_status(rowtide_stmt_step(stmt), ROWTIDE_DONE);
    rowtide_stmt_free(stmt);
    transaction = begin(db);
    assert_ok(rowtide__transaction_commit(&transaction));
    assert_rows(db, "SELECT a FROM t", "1;2;");
    rowtide_db_free(db);
}

static void ended_by_others(void **state)
{
    (void)state;
    const meddling cases[] = {
        {"INSERT INTO t VALUES(3)", 0, 0, ""},
        {"COMMIT", 0, 1, "2;"},
        {"ROLLBACK", 0, 1, ""},
        {"COMMIT; BEGIN; INSERT INTO t VALUES(3)", 0, 1, "2;3;"},
        {"SAVEPOINT own; INSERT INTO t VALUES(3); ROLLBACK TO own; RELEASE own",
         0, 0, ""},
        {"INSERT INTO t VALUES(3)", 1, 0, "1;"},
        {"COMMIT", 1, 1, "1;2;"},
        {"ROLLBACK", 1, 1, ""},
        {"COMMIT; BEGIN; INSERT INTO t VALUES(3)", 1, 1, "1;2;3;"},
        {"RELEASE theirs", 1, 1, "1;2;"},
        {"ROLLBACK TO theirs", 1, 1, ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        meddle(&cases[i]);
}

static void guard_again_and_commit(void **state)
{
    (void)state;
    rowtide_db *db = scratch();
    rowtide__transaction transaction = begin(db);
    for (int i = 0; i < 3; i++) {
        assert_ok(rowtide__transaction_guard(&transaction));
        assert_ok(rowtide__transaction_guard(&transaction));
        scratch_exec(db, "INSERT INTO t VALUES(1)");
        assert_ok(rowtide__transaction_check(&transaction));
        assert_ok(rowtide__transaction_check(&transaction));
    }
    assert_ok(rowtide__transaction_guard(&transaction));
    assert_ok(rowtide__transaction_commit(&transaction));
    assert_rows(db, "SELECT count(*) FROM t", "3;");
    rowtide_db_free(db);
}

static void rolled_back_by_sqlite(void **state)
{
    (void)state;
    rowtide_db *db = scratch_db("CREATE TABLE t(a UNIQUE ON CONFLICT ROLLBACK);"
                                "INSERT INTO t VALUES(1); BEGIN");
    rowtide__transaction transaction = begin(db);
    assert_status(rowtide_db_exec(db, "INSERT INTO t VALUES(1)"),
                  ROWTIDE_ECONSTRAINT);
    assert_status(rowtide__transaction_commit(&transaction), ROWTIDE_EMISUSE);
    assert_false(rowtide_db_in_transaction(db));
    rowtide_db_free(db);
}

static int scenario(void *ctx)
{
    rowtide_db *db = NULL;
    rowtide__transaction transaction = {0};
    int rc = rowtide_db_open(":memory:", NULL, &db);
    if (rc == ROWTIDE_OK && ctx)
        rc = rowtide_db_exec(db, "BEGIN");
    if (rc == ROWTIDE_OK)
        rc = rowtide__transaction_begin(db, &transaction);
    if (rc == ROWTIDE_OK)
        rc = rowtide_db_exec(db, "CREATE TABLE t(a)");
    if (rc == ROWTIDE_OK)
        rc = rowtide__transaction_guard(&transaction);
    if (rc == ROWTIDE_OK)
        rc = rowtide_db_exec(db, "INSERT INTO t VALUES(1)");
    if (rc == ROWTIDE_OK)
        rc = rowtide__transaction_check(&transaction);
    if (rc == ROWTIDE_OK)
        rc = rowtide__transaction_commit(&transaction);
    else
        rowtide__transaction_rollback(&transaction);
    if (db)
        assert_false(transaction.open);
    if (db && !ctx)
        assert_int_equal(rowtide_db_in_transaction(db), 0);
    rowtide_db_free(db);
    return rc;
}

static void out_of_memory(void **state)
{
    (void)state;
    char nested[] = "yes";
    oom_loop(scenario, NULL);
    oom_loop_sqlite(scenario, NULL);
    oom_loop_sqlite(scenario, nested);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(commits),
        cmocka_unit_test(rolls_back_what_is_its_own),
        cmocka_unit_test(commit_refused_by_foreign_key),
        cmocka_unit_test(commit_refused_by_reader),
        cmocka_unit_test(begin_refused),
        cmocka_unit_test(refused_while_a_statement_writes),
        cmocka_unit_test(ended_by_others),
        cmocka_unit_test(guard_again_and_commit),
        cmocka_unit_test(rolled_back_by_sqlite),
        cmocka_unit_test(out_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
