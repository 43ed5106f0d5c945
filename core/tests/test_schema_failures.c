/* Whatever fails while a plan is applied, everything is as before. */
#include "support/oom.h"
#include "support/traps.h"

#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

typedef struct fault {
    sqlite3 *sqlite;
    int left; /* until it happens */
} fault;

static int interrupt_statement(unsigned kind, void *user, void *stmt, void *sql)
{
    fault *it = user;
    (void)kind, (void)stmt, (void)sql;
    if (it->left-- == 0)
        sqlite3_interrupt(it->sqlite);
    return 0;
}

static int deny_action(void *user, int action, const char *a, const char *b,
                       const char *c, const char *d)
{
    fault *it = user;
    (void)action, (void)a, (void)b, (void)c, (void)d;
    return it->left-- == 0 ? SQLITE_DENY : SQLITE_OK;
}

static void set_fault(fault *it, int deny, int left)
{
    it->left = left;
    if (deny)
        sqlite3_set_authorizer(it->sqlite, deny_action, it);
    else
        sqlite3_trace_v2(it->sqlite, SQLITE_TRACE_STMT, interrupt_statement,
                         it);
}

static void lift_fault(const fault *it)
{
    sqlite3_set_authorizer(it->sqlite, NULL, NULL);
    sqlite3_trace_v2(it->sqlite, 0, NULL, NULL);
}

/* Returns 1 if the fault came to pass. */
static int fail_at(const trap_change *which, rowtide_db *was, int foreign_keys,
                   int deny, int statement)
{
    rowtide_db *db = plans_copy(was);
    fault it = {rowtide_db_sqlite(db), 0};
    scratch_exec(db, foreign_keys ? "PRAGMA foreign_keys=ON"
                                  : "PRAGMA foreign_keys=OFF");
    rowtide_plan *plan = traps_plan(db, which);
    char *before = plans_dump(db);
    set_fault(&it, deny, statement);
    int rc = rowtide_plan_apply(db, plan, NULL, NULL);
    lift_fault(&it);
    int happened = it.left < 0;
    if (rc == ROWTIDE_OK) {
        traps_assert(was, db, which->name);
    } else {
        char *after = plans_dump(db);
        if (strcmp(before, after) != 0)
            fail_msg("%s, statement %d: %s\nbefore: %s\nafter: %s", which->name,
                     statement, rowtide_error_message(), before, after);
        free(after);
        assert_int_equal(scratch_integer(db, "PRAGMA foreign_keys"),
                         foreign_keys);
        /* And it can be done after all. */
        assert_ok(rowtide_plan_apply(db, plan, NULL, NULL));
    }
    free(before);
    rowtide_plan_free(plan);
    rowtide_db_free(db);
    return happened;
}

static void fail_everywhere(int deny, int foreign_keys, int step)
{
    rowtide_db *was = plans_traps();
    for (int i = 0; i < TRAP_CHANGE_COUNT; i++)
        for (int at = 0; fail_at(&TRAP_CHANGES[i], was, foreign_keys, deny, at);
             at += step)
            ;
    rowtide_db_free(was);
}

static void test_an_interrupt_at_any_statement(void **state)
{
    (void)state;
    fail_everywhere(0, 1, 1);
}

static void test_a_refusal_at_any_statement(void **state)
{
    (void)state;
    fail_everywhere(1, 0, 7);
}

/* A statement that cannot be prepared leaves the caller's transaction open. */
static int fail_inside_at(const trap_change *which, rowtide_db *was,
                          int statement)
{
    rowtide_db *db = plans_copy(was);
    fault it = {rowtide_db_sqlite(db), 0};
    scratch_exec(db, "BEGIN; INSERT INTO log VALUES ('mine')");
    rowtide_plan *plan = traps_plan(db, which);
    char *before = plans_dump(db);
    set_fault(&it, 1, statement);
    int rc = rowtide_plan_apply(db, plan, NULL, NULL);
    lift_fault(&it);
    int happened = it.left < 0;
    char *after = plans_dump(db);
    if (rc != ROWTIDE_OK)
        assert_string_equal(before, after);
    assert_int_equal(rowtide_db_in_transaction(db), 1);
    scratch_exec(db, "ROLLBACK");
    traps_assert(was, db, which->name);
    free(before);
    free(after);
    rowtide_plan_free(plan);
    rowtide_db_free(db);
    return happened;
}

static void test_a_refusal_inside_a_transaction(void **state)
{
    (void)state;
    rowtide_db *was = plans_traps();
    for (int i = 0; i < TRAP_CHANGE_COUNT; i += 4)
        for (int at = 0; fail_inside_at(&TRAP_CHANGES[i], was, at); at += 11)
            ;
    rowtide_db_free(was);
}

static void test_a_full_disk(void **state)
{
    (void)state;
    const char *path = scratch_new_path();
    rowtide_db *db = scratch_db_file(
        path, "CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT, b TEXT);"
              "CREATE INDEX t_a ON t (a);"
              "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n "
              "WHERE i < 5000) INSERT INTO t SELECT i, i, printf('%0100d', i) "
              "FROM n");
    rowtide_plan *plan = plans_make(
        db,
        "CREATE TABLE t (id INTEGER PRIMARY KEY, a INTEGER, b TEXT);"
        "CREATE INDEX t_a ON t (a);",
        PLANS_ALL);
    char *before = plans_dump(db);
    scratch_begin_full_disk(900000);
    int rc = rowtide_plan_apply(db, plan, NULL, NULL);
    scratch_end_full_disk();
    assert_true(rc == ROWTIDE_EFULL || rc == ROWTIDE_EIO);
    char *after = plans_dump(db);
    assert_string_equal(before, after);
    assert_ok(rowtide_plan_apply(db, plan, NULL, NULL));
    assert_rows(db, "SELECT typeof(a), count(*) FROM t", "'integer'|5000;");
    free(before);
    free(after);
    rowtide_plan_free(plan);
    rowtide_db_free(db);
}

/* ## Memory */

static int plan_and_apply(void *ctx)
{
    rowtide_db *db = NULL;
    rowtide_schema *to = NULL;
    rowtide_plan *plan = NULL;
    rowtide_schema_report *report = NULL;
    rowtide_plan_options options = ROWTIDE_PLAN_OPTIONS_INIT;
    (void)ctx;
    options.allow = PLANS_ALL;
    int rc = rowtide_db_open(":memory:", NULL, &db);
    if (rc == ROWTIDE_OK)
        rc = rowtide_db_exec(db, "CREATE TABLE t (a TEXT, b TEXT);"
                                 "CREATE INDEX i ON t (a);"
                                 "CREATE TRIGGER g AFTER INSERT ON t BEGIN "
                                 "SELECT 1; END; INSERT INTO t VALUES (1, 2)");
    if (rc == ROWTIDE_OK)
        rc = rowtide_schema_parse("CREATE TABLE t (a INT CHECK (a > 0) UNIQUE, "
                                  "b TEXT NOT NULL);",
                                  &to);
    if (rc == ROWTIDE_OK)
        rc = rowtide_schema_plan(db, to, &options, &plan);
    if (rc == ROWTIDE_OK)
        rc = rowtide_plan_apply(db, plan, NULL, &report);
    rowtide_schema_report_free(report);
    rowtide_plan_free(plan);
    rowtide_schema_free(to);
    rowtide_db_free(db);
    return rc;
}

static void test_running_out_of_memory(void **state)
{
    (void)state;
    oom_loop(plan_and_apply, NULL);
    oom_loop_sqlite(plan_and_apply, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_an_interrupt_at_any_statement),
        cmocka_unit_test(test_a_refusal_at_any_statement),
        cmocka_unit_test(test_a_refusal_inside_a_transaction),
        cmocka_unit_test(test_a_full_disk),
        cmocka_unit_test(test_running_out_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
