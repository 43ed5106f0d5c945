/* A table with everything that a rebuild can lose, changed in every way. */
#include "support/oom.h"
#include "support/plans.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What one edit of the schema's text makes of it. */
typedef struct change {
    const char *name, *old, *replacement;
    const char *steps;
} change;

static const change CHANGES[] = {
    {"type", "amount TEXT", "amount INTEGER", "rebuild table parent lossy\n"},
    {"type of the same affinity", "spare VARCHAR(20)", "spare TEXT",
     "alter table parent safe\n"},
    {"not null", "born TEXT DEFAULT", "born TEXT NOT NULL DEFAULT",
     "alter table parent checked\n"},
    {"null", "size INTEGER NOT NULL", "size INTEGER",
     "alter table parent safe\n"},
    {"default", "NOT NULL DEFAULT 1", "NOT NULL DEFAULT 2",
     "rebuild table parent safe\n"},
    {"check", "spare VARCHAR(20)", "spare VARCHAR(20) CHECK (spare <> 'x')",
     "alter table parent checked\n"},
    {"collation", "spare VARCHAR(20)", "spare VARCHAR(20) COLLATE NOCASE",
     "rebuild table parent safe\n"},
    {"another column", "spare VARCHAR(20)", "spare VARCHAR(20), more",
     "add_column column more additive\n"},
    {"another column with an expression", "spare VARCHAR(20)",
     "spare VARCHAR(20), more DEFAULT (1 + 1)",
     "rebuild table parent additive\n"},
    {"a column less", "spare VARCHAR(20), -- nothing depends on this one\n", "",
     "alter column spare destructive\n"},
    {"reference", "ON DELETE SET NULL DEFERRABLE",
     "ON DELETE SET NULL ON UPDATE CASCADE DEFERRABLE",
     "alter table parent safe\n"},
    {"unique", "spare VARCHAR(20)", "spare VARCHAR(20) UNIQUE",
     "rebuild table parent checked\n"},
    {"key", "b INTEGER, c TEXT, PRIMARY KEY (a, b)",
     "b INTEGER, c TEXT, PRIMARY KEY (b, a)", "rebuild table pairs checked\n"},
    {"without rowid", "PRIMARY KEY (a, b)) WITHOUT ROWID",
     "PRIMARY KEY (a, b))", NULL},
    {"strict", "name TEXT, note TEXT)", "name TEXT, note TEXT) STRICT",
     "rebuild table plain checked\n"},
    {"type without a key", "note TEXT)", "note INTEGER)",
     "rebuild table plain lossy\n"},
    {"type in a STRICT table", "r REAL", "r ANY", "rebuild table firm safe\n"},
};

enum { CHANGE_COUNT = sizeof CHANGES / sizeof CHANGES[0] };

/* These have to be the same whatever changed. */
static const char *const FACTS[] = {
    "SELECT id, code, \"the name\", born, word, up, owner_id, size, twice, "
    "thrice FROM parent ORDER BY id",
    "SELECT seq FROM sqlite_sequence",
    "SELECT * FROM child",
    "SELECT * FROM guest",
    "SELECT rowid, name FROM plain",
    "SELECT k, v FROM firm",
    "SELECT a, b, c FROM pairs ORDER BY a, b",
    "SELECT * FROM large ORDER BY id",
    "SELECT * FROM largest",
    "SELECT rowid FROM words WHERE words MATCH 'fox'",
    "SELECT rowid FROM codes WHERE codes MATCH 'gamma'",
    "SELECT * FROM sqlite_stat1 WHERE idx NOT LIKE 'sqlite%' AND "
    "tbl <> 'pairs' ORDER BY tbl, idx",
    "SELECT type, name, tbl_name FROM sqlite_schema WHERE name NOT LIKE "
    "'sqlite%' ORDER BY name",
    "SELECT sql FROM sqlite_schema WHERE type <> 'table' AND sql IS NOT NULL "
    "ORDER BY name",
    "SELECT instr(sql, '-- numbers are never given twice') > 0 FROM "
    "sqlite_schema WHERE name = 'parent'",
    "PRAGMA foreign_key_check",
    "PRAGMA integrity_check",
    "PRAGMA foreign_key_list(child)"};

enum { FACT_COUNT = sizeof FACTS / sizeof FACTS[0] };

static rowtide_plan *plan_of(rowtide_db *db, const change *which)
{
    char *to = plans_replaced(db, which->old, which->replacement);
    rowtide_plan *plan = plans_make(db, to, PLANS_ALL);
    free(to);
    return plan;
}

static void assert_facts(rowtide_db *was, rowtide_db *is, const char *name)
{
    for (int i = 0; i < FACT_COUNT; i++) {
        char *before = scratch_rows(was, FACTS[i]);
        char *now = scratch_rows(is, FACTS[i]);
        if (strcmp(before, now) != 0)
            fail_msg("%s: %s\nbefore: %s\nnow: %s", name, FACTS[i], before,
                     now);
        free(before);
        free(now);
    }
}

static void assert_reached(rowtide_db *db, const char *to, const char *name)
{
    rowtide_plan *plan = plans_make(db, to, PLANS_ALL);
    char *left = plans_text(plan);
    if (left[0])
        fail_msg("%s: still to do: %s", name, left);
    free(left);
    rowtide_plan_free(plan);
}

static void all_survive(const change *which, int foreign_keys)
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
    assert_facts(was, db, which->name);
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
    for (int i = 0; i < CHANGE_COUNT; i++)
        for (int foreign_keys = 0; foreign_keys < 2; foreign_keys++)
            all_survive(&CHANGES[i], foreign_keys);
}

/* ## Failures */

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
static int fail_at(const change *which, rowtide_db *was, int foreign_keys,
                   int deny, int statement)
{
    rowtide_db *db = plans_copy(was);
    fault it = {rowtide_db_sqlite(db), 0};
    scratch_exec(db, foreign_keys ? "PRAGMA foreign_keys=ON"
                                  : "PRAGMA foreign_keys=OFF");
    rowtide_plan *plan = plan_of(db, which);
    char *before = plans_dump(db);
    set_fault(&it, deny, statement);
    int rc = rowtide_plan_apply(db, plan, NULL, NULL);
    lift_fault(&it);
    int happened = it.left < 0;
    if (rc == ROWTIDE_OK) {
        assert_facts(was, db, which->name);
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
    for (int i = 0; i < CHANGE_COUNT; i++)
        for (int at = 0; fail_at(&CHANGES[i], was, foreign_keys, deny, at);
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
static int fail_inside_at(const change *which, rowtide_db *was, int statement)
{
    rowtide_db *db = plans_copy(was);
    fault it = {rowtide_db_sqlite(db), 0};
    scratch_exec(db, "BEGIN; INSERT INTO log VALUES ('mine')");
    rowtide_plan *plan = plan_of(db, which);
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
    assert_facts(was, db, which->name);
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
    for (int i = 0; i < CHANGE_COUNT; i += 4)
        for (int at = 0; fail_inside_at(&CHANGES[i], was, at); at += 11)
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
    rowtide_plan *plan = plan_of(db, &CHANGES[0]);
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
    assert_facts(was, db, "with progress");
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
    rowtide_plan *plan = plan_of(db, &CHANGES[0]);
    rowtide_plan_run_options options = ROWTIDE_PLAN_RUN_OPTIONS_INIT;
    options.progress = end_transaction;
    options.progress_user = rowtide_db_sqlite(db);
    assert_status(rowtide_plan_apply(db, plan, &options, NULL),
                  ROWTIDE_EMISUSE);
    assert_facts(was, db, "ended");
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
    rowtide_plan *plan = plan_of(db, &CHANGES[0]);
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
        cmocka_unit_test(test_every_change_keeps_everything),
        cmocka_unit_test(test_an_interrupt_at_any_statement),
        cmocka_unit_test(test_a_refusal_at_any_statement),
        cmocka_unit_test(test_a_refusal_inside_a_transaction),
        cmocka_unit_test(test_a_full_disk),
        cmocka_unit_test(test_progress_and_cancel),
        cmocka_unit_test(test_a_callback_that_commits),
        cmocka_unit_test(test_a_callback_that_applies_the_plan),
        cmocka_unit_test(test_many_rows_in_batches),
        cmocka_unit_test(test_temporary_triggers_stay),
        cmocka_unit_test(test_rows_that_no_on_conflict_drops),
        cmocka_unit_test(test_names_of_rowids_that_are_taken),
        cmocka_unit_test(test_a_new_key_takes_the_rowids),
        cmocka_unit_test(test_rows_of_which_no_column_stays),
        cmocka_unit_test(test_running_out_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
