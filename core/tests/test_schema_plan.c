/* Plans: what they say, when they are refused, what stays as it was. */
#include "support/plans.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PARENT                                                                 \
    "CREATE TABLE parent (id INTEGER PRIMARY KEY, a TEXT);"                    \
    "CREATE TABLE child (id INTEGER PRIMARY KEY, parent_id INTEGER "           \
    "REFERENCES parent ON DELETE CASCADE);"
#define PARENT_BLOB                                                            \
    "CREATE TABLE parent (id INTEGER PRIMARY KEY, a BLOB);"                    \
    "CREATE TABLE child (id INTEGER PRIMARY KEY, parent_id INTEGER "           \
    "REFERENCES parent ON DELETE CASCADE);"
#define PARENT_ROWS                                                            \
    "INSERT INTO parent VALUES (1, 'x'); INSERT INTO child VALUES (10, 1);"

static void test_bad_arguments(void **state)
{
    (void)state;
    rowtide_plan *plan;
    rowtide_preflight *preflight;
    rowtide_schema_report *report;
    rowtide_plan_options options = ROWTIDE_PLAN_OPTIONS_INIT;
    rowtide_db *db = scratch_db(NULL);
    rowtide_schema *schema = schema_of("");
    assert_status(rowtide_schema_plan(db, NULL, NULL, &plan), ROWTIDE_EINVAL);
    assert_null(plan);
    assert_status(rowtide_schema_plan(NULL, schema, NULL, &plan),
                  ROWTIDE_EINVAL);
    assert_status(rowtide_schema_plan(db, schema, NULL, NULL), ROWTIDE_EINVAL);
    options.allow = 4;
    assert_status(rowtide_schema_plan(db, schema, &options, &plan),
                  ROWTIDE_EINVAL);
    options.size = 3;
    assert_status(rowtide_schema_plan(db, schema, &options, &plan),
                  ROWTIDE_EINVAL);
    assert_status(rowtide_plan_preflight(db, NULL, NULL, &preflight),
                  ROWTIDE_EINVAL);
    assert_status(rowtide_plan_apply(db, NULL, NULL, &report), ROWTIDE_EINVAL);
    assert_status(rowtide_schema_rebuild(db, NULL, NULL, NULL, NULL),
                  ROWTIDE_EINVAL);
    rowtide_plan_free(NULL);
    rowtide_preflight_free(NULL);
    rowtide_schema_report_free(NULL);
    assert_null(rowtide_plan_steps_of(NULL));
    assert_null(rowtide_preflight_findings(NULL));
    assert_null(rowtide_schema_report_actions(NULL));
    rowtide_schema_free(schema);
    rowtide_db_free(db);
}

static void test_a_plan_writes_nothing(void **state)
{
    (void)state;
    rowtide_db *db = scratch_db(PARENT PARENT_ROWS);
    char *before = plans_dump(db);
    int64_t changes = sqlite3_total_changes64(rowtide_db_sqlite(db));
    rowtide_plan *plan = plans_make(db, "CREATE TABLE parent (id TEXT);", 3);
    free(plans_findings(db, plan));
    char *after = plans_dump(db);
    assert_string_equal(before, after);
    assert_int_equal(sqlite3_total_changes64(rowtide_db_sqlite(db)), changes);
    free(before);
    free(after);
    rowtide_plan_free(plan);
    rowtide_db_free(db);
}

static void test_what_a_step_says(void **state)
{
    (void)state;
    rowtide_buffer json = ROWTIDE_BUFFER_INIT;
    rowtide_db *db = scratch_db(PARENT PARENT_ROWS);
    rowtide_plan *plan = plans_make(db, PARENT_BLOB, PLANS_ALL);
    const rowtide_plan_step *step = rowtide_plan_steps_of(plan)->steps[0];
    assert_int_equal(step->method, ROWTIDE_METHOD_REBUILD);
    assert_string_equal(step->table, "parent");
    assert_int_equal(step->rows, 1);
    assert_true(step->bytes > 0);
    assert_non_null(step->reason);
    assert_null(step->refused);
    assert_int_equal(step->changes[0]->aspect, ROWTIDE_ASPECT_TYPE);
    assert_string_equal(step->statements[0], "PRAGMA foreign_keys=OFF");
    assert_string_equal(step->statements[1], "BEGIN IMMEDIATE");
    assert_ok(rowtide_shape_json(rowtide_plan_shape(),
                                 rowtide_plan_steps_of(plan), &json));
    assert_non_null(strstr(json.data, "\"rebuild\""));
    assert_non_null(strstr(json.data, "\"type\""));
    rowtide_buffer_dispose(&json);
    rowtide_plan_free(plan);
    rowtide_db_free(db);
}

/* The statements of a plan do what the plan does, with any tool. */
static void test_statements_can_be_run_by_hand(void **state)
{
    (void)state;
    rowtide_db *db = plans_traps();
    scratch_exec(db, "PRAGMA foreign_keys=ON");
    char *to = plans_replaced(db, "amount TEXT", "amount INTEGER");
    rowtide_plan *plan = plans_make(db, to, PLANS_ALL);
    const rowtide_plan_step *step = rowtide_plan_steps_of(plan)->steps[0];
    for (size_t i = 0; step->statements[i]; i++)
        scratch_exec(db, step->statements[i]);
    assert_rows(db,
                "SELECT count(*), sum(typeof(amount) = 'integer') FROM "
                "parent",
                "4|3;");
    assert_rows(db, "SELECT count(*) FROM child", "4;");
    assert_rows(db, "SELECT seq FROM sqlite_sequence", "90;");
    rowtide_plan_free(plan);
    plan = plans_make(db, to, PLANS_ALL);
    assert_null(rowtide_plan_steps_of(plan)->steps[0]);
    free(to);
    rowtide_plan_free(plan);
    rowtide_db_free(db);
}

static void test_the_report(void **state)
{
    (void)state;
    rowtide_schema_report *report;
    rowtide_buffer json = ROWTIDE_BUFFER_INIT;
    rowtide_db *db = scratch_db(PARENT PARENT_ROWS);
    rowtide_plan *plan = plans_make(
        db, PARENT_BLOB "CREATE INDEX i ON child (parent_id);", 0);
    assert_ok(rowtide_plan_apply(db, plan, NULL, &report));
    const rowtide_schema_action *const *actions =
        rowtide_schema_report_actions(report)->actions;
    int64_t copied = 0, done = 0;
    for (size_t i = 0; actions[i]; i++) {
        copied += actions[i]->rows;
        done += actions[i]->done;
        assert_true(actions[i]->done ? actions[i]->sql != NULL
                                     : actions[i]->reason != NULL);
    }
    assert_true(done > 0);
    assert_true(copied <= 1);
    assert_ok(rowtide_shape_json(rowtide_schema_report_shape(),
                                 rowtide_schema_report_actions(report), &json));
    assert_non_null(strstr(json.data, "CREATE INDEX i ON child (parent_id)"));
    rowtide_buffer_dispose(&json);
    rowtide_schema_report_free(report);
    rowtide_plan_free(plan);
    rowtide_db_free(db);
}

static void test_another_schema_by_now(void **state)
{
    (void)state;
    rowtide_db *db = scratch_db(PARENT);
    rowtide_plan *plan = plans_make(db, PARENT "CREATE TABLE t (a);", 0);
    scratch_exec(db, "CREATE TABLE u (a)");
    assert_status(rowtide_plan_apply(db, plan, NULL, NULL), ROWTIDE_ESCHEMA);
    assert_int_equal(rowtide_db_in_transaction(db), 0);
    scratch_exec(db, "DROP TABLE u; INSERT INTO parent VALUES (1, 2); VACUUM");
    assert_ok(rowtide_plan_apply(db, plan, NULL, NULL));
    assert_status(rowtide_plan_apply(db, plan, NULL, NULL), ROWTIDE_ESCHEMA);
    rowtide_plan_free(plan);
    rowtide_db_free(db);
}

/* ## In a transaction of the caller's */

static void test_refused_with_foreign_keys_on(void **state)
{
    (void)state;
    rowtide_db *db = scratch_db(PARENT PARENT_ROWS "PRAGMA foreign_keys=ON;"
                                                   "BEGIN");
    char *before = plans_dump(db);
    assert_status(plans_apply(db, PARENT_BLOB, PLANS_ALL), ROWTIDE_EMISUSE);
    assert_message("\"parent\"");
    assert_message("foreign_keys");
    assert_status(plans_apply(db, "", PLANS_ALL), ROWTIDE_EMISUSE);
    char *after = plans_dump(db);
    assert_string_equal(before, after);
    /* What deletes nothing may be done. */
    assert_ok(plans_apply(db, PARENT "CREATE INDEX i ON child (parent_id);",
                          PLANS_ALL));
    scratch_exec(db, "COMMIT");
    assert_rows(db, "SELECT count(*) FROM child", "1;");
    free(before);
    free(after);
    rowtide_db_free(db);
}

static void test_with_foreign_keys_off(void **state)
{
    (void)state;
    rowtide_db *db = scratch_db(PARENT PARENT_ROWS
                                "BEGIN;"
                                "INSERT INTO parent VALUES (2, 'y')");
    assert_ok(plans_apply(db, PARENT_BLOB, PLANS_ALL));
    assert_int_equal(rowtide_db_in_transaction(db), 1);
    assert_rows(db, "SELECT * FROM parent", "1|'x';2|'y';");
    scratch_exec(db, "ROLLBACK");
    assert_rows(db, "SELECT * FROM parent", "1|'x';");
    assert_rows(db, "SELECT type FROM pragma_table_info('parent')",
                "'INTEGER';'TEXT';");
    rowtide_db_free(db);
}

/* ## Violations of foreign keys */

static void test_violations_that_were_there(void **state)
{
    (void)state;
    rowtide_db *db = scratch_db(PARENT PARENT_ROWS
                                "INSERT INTO child VALUES (11, 99);");
    assert_ok(plans_apply(db, PARENT_BLOB, PLANS_ALL));
    assert_rows(db, "SELECT * FROM child", "10|1;11|99;");
    rowtide_db_free(db);
}

static void test_new_violations(void **state)
{
    (void)state;
    rowtide_db *db = scratch_db(PARENT PARENT_ROWS
                                "INSERT INTO child VALUES (11, NULL);");
    char *before = plans_dump(db);
    assert_status(plans_apply(db,
                              "CREATE TABLE child (id INTEGER PRIMARY KEY, "
                              "parent_id INTEGER REFERENCES parent ON DELETE "
                              "CASCADE);",
                              PLANS_ALL),
                  ROWTIDE_ECONSTRAINT);
    assert_message("\"child\", rowid 10");
    char *after = plans_dump(db);
    assert_string_equal(before, after);
    free(before);
    free(after);
    rowtide_db_free(db);
}

/* ## What else may be there */

static void test_a_temporary_table_in_front(void **state)
{
    (void)state;
    rowtide_db *db = scratch_db(PARENT PARENT_ROWS
                                "CREATE TEMP TABLE parent (a);");
    assert_status(plans_apply(db, PARENT_BLOB, PLANS_ALL), ROWTIDE_EMISUSE);
    assert_message("temporary");
    rowtide_db_free(db);
}

static void test_a_table_that_takes_part_in_merging(void **state)
{
    (void)state;
    rowtide_db *db = scratch_db(
        PARENT PARENT_ROWS
        "CREATE TRIGGER parent__crsql_itrig AFTER INSERT ON parent BEGIN "
        "SELECT 1; END;");
    char *before = plans_dump(db);
    rowtide_plan *plan = plans_make(db, PARENT_BLOB, PLANS_ALL);
    const rowtide_plan_step *step = rowtide_plan_steps_of(plan)->steps[0];
    assert_non_null(strstr(step->refused, "crsql_begin_alter"));
    assert_ok(rowtide_plan_apply(db, plan, NULL, NULL));
    char *after = plans_dump(db);
    assert_string_equal(before, after);
    free(before);
    free(after);
    rowtide_plan_free(plan);
    rowtide_db_free(db);
}

/* The model leaves them out, the rebuild must not. */
static void test_triggers_that_tools_keep_for_themselves(void **state)
{
    (void)state;
    rowtide_db *db = scratch_db(
        PARENT PARENT_ROWS
        "CREATE TRIGGER rowtide_log AFTER INSERT ON parent BEGIN "
        "SELECT 1; END;");
    assert_ok(plans_apply(db, PARENT_BLOB, PLANS_ALL));
    assert_rows(db, "SELECT name FROM sqlite_schema WHERE type = 'trigger'",
                "'rowtide_log';");
    rowtide_db_free(db);
}

static void test_settings_come_back(void **state)
{
    (void)state;
    rowtide_db *db = scratch_db(
        PARENT PARENT_ROWS
        "PRAGMA foreign_keys=ON; PRAGMA legacy_alter_table=ON;"
        "PRAGMA recursive_triggers=ON; PRAGMA ignore_check_constraints=ON;");
    sqlite3 *sqlite = rowtide_db_sqlite(db);
    sqlite3_db_config(sqlite, SQLITE_DBCONFIG_DQS_DDL, 0, NULL);
    assert_ok(plans_apply(db, PARENT_BLOB, PLANS_ALL));
    assert_rows(db, "PRAGMA foreign_keys", "1;");
    assert_rows(db, "PRAGMA legacy_alter_table", "1;");
    assert_rows(db, "PRAGMA recursive_triggers", "1;");
    assert_rows(db, "PRAGMA ignore_check_constraints", "1;");
    int dqs = 1;
    sqlite3_db_config(sqlite, SQLITE_DBCONFIG_DQS_DDL, -1, &dqs);
    assert_int_equal(dqs, 0);
    rowtide_db_free(db);
}

static void test_another_connection_sees_an_edit(void **state)
{
    (void)state;
    const char *path = scratch_new_path();
    rowtide_db *db = scratch_db_file(path, "CREATE TABLE t (a CHECK (a > 0));");
    rowtide_db *other = scratch_db_file(path, "INSERT INTO t VALUES (1)");
    assert_status(rowtide_db_exec(other, "INSERT INTO t VALUES (-1)"),
                  ROWTIDE_ECONSTRAINT);
    assert_ok(plans_apply(db, "CREATE TABLE t (a CHECK (a > -5));", 0));
    scratch_exec(db, "INSERT INTO t VALUES (-2)");
    scratch_exec(other, "INSERT INTO t VALUES (-1)");
    rowtide_db_free(other);
    rowtide_db_free(db);
}

/* The schema of the other one has the number by then that ours had before it
 * was rolled back. */
static void test_an_edit_that_is_rolled_back(void **state)
{
    (void)state;
    const char *path = scratch_new_path();
    rowtide_db *db = scratch_db_file(path, "CREATE TABLE t (a CHECK (a > 0));");
    rowtide_db *other = scratch_db_file(path, NULL);
    scratch_exec(db, "BEGIN");
    assert_ok(plans_apply(db, "CREATE TABLE t (a CHECK (a > -5));", 0));
    int64_t version = scratch_integer(db, "PRAGMA schema_version");
    scratch_exec(db, "ROLLBACK");
    while (scratch_integer(other, "PRAGMA schema_version") < version)
        scratch_exec(other, "CREATE TABLE u (a); DROP TABLE u;");
    assert_status(rowtide_db_exec(db, "INSERT INTO t VALUES (-1)"),
                  ROWTIDE_ECONSTRAINT);
    rowtide_db_free(other);
    rowtide_db_free(db);
}

/* ## Views and triggers about what goes */

static void assert_broken(const char *object, const char *rest,
                          const char *message)
{
    char from[400], to[400];
    rowtide_plan_options options = ROWTIDE_PLAN_OPTIONS_INIT;
    rowtide_plan *plan;
    snprintf(from, sizeof from,
             "CREATE TABLE t (a, b UNIQUE, c); CREATE TABLE u (x); %s", object);
    snprintf(to, sizeof to, "CREATE TABLE t (a, c); CREATE TABLE u (x); %s",
             rest);
    rowtide_db *db = scratch_db(from);
    char *before = plans_dump(db);
    rowtide_schema *schema = schema_of(to);
    options.allow = PLANS_ALL;
    options.undeclared = ROWTIDE_UNDECLARED_IGNORE;
    assert_ok(rowtide_schema_plan(db, schema, &options, &plan));
    if (message) {
        assert_status(rowtide_plan_apply(db, plan, NULL, NULL),
                      ROWTIDE_ESCHEMA);
        assert_message(message);
        char *after = plans_dump(db);
        assert_string_equal(before, after);
        free(after);
    } else {
        assert_ok(rowtide_plan_apply(db, plan, NULL, NULL));
    }
    free(before);
    rowtide_plan_free(plan);
    rowtide_schema_free(schema);
    rowtide_db_free(db);
}

static void test_what_would_not_work_any_more(void **state)
{
    (void)state;
    assert_broken("CREATE VIEW v AS SELECT b FROM t;", "", "view \"v\"");
    assert_broken("CREATE VIEW v AS SELECT b FROM t;",
                  "CREATE VIEW v AS SELECT b FROM t;", "no such column: b");
    assert_broken("CREATE TRIGGER g AFTER INSERT ON u BEGIN UPDATE t SET b = "
                  "new.x; END;",
                  "", "INSERT INTO \"u\"");
    assert_broken("CREATE TRIGGER g AFTER UPDATE ON t BEGIN SELECT old.b; END;",
                  "", "UPDATE \"t\"");
    assert_broken("CREATE VIEW v AS SELECT * FROM t; CREATE VIEW w AS SELECT d "
                  "FROM t; CREATE TRIGGER g AFTER DELETE ON u BEGIN SELECT "
                  "neither; END;",
                  "", NULL);
    assert_broken("CREATE VIEW v AS SELECT b FROM t;",
                  "CREATE VIEW v AS SELECT c FROM t;", NULL);
}

/* ## One table */

static void test_rebuild_by_definition(void **state)
{
    (void)state;
    rowtide_plan_options options = ROWTIDE_PLAN_OPTIONS_INIT;
    rowtide_db *db = scratch_db(PARENT PARENT_ROWS
                                "CREATE INDEX i ON parent (a);");
    options.allow = PLANS_ALL;
    const char *sql = "CREATE TABLE parent (\n"
                      "    id INTEGER PRIMARY KEY, -- as ever\n"
                      "    a BLOB,\n"
                      "    b DEFAULT (1 + 1)\n"
                      ")";
    assert_ok(rowtide_schema_rebuild(db, sql, &options, NULL, NULL));
    assert_rows(db, "SELECT * FROM parent", "1|'x'|2;");
    assert_rows(db,
                "SELECT instr(sql, '-- as ever') > 0 FROM sqlite_schema "
                "WHERE name = 'parent'",
                "1;");
    assert_rows(db, "SELECT name FROM sqlite_schema WHERE type = 'index'",
                "'i';");
    assert_rows(db, "SELECT count(*) FROM child", "1;");
    assert_status(rowtide_schema_rebuild(db, "CREATE TABLE nobody (a)",
                                         &options, NULL, NULL),
                  ROWTIDE_ENOTFOUND);
    assert_status(rowtide_schema_rebuild(db, "CREATE VIEW parent AS SELECT 1",
                                         &options, NULL, NULL),
                  ROWTIDE_EINVAL);
    assert_true(rowtide_schema_rebuild(db, "CREATE TABLE parent (id INT)",
                                       &options, NULL, NULL)
                < 0);
    assert_message("what belongs to table \"parent\" does not fit it");
    rowtide_db_free(db);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bad_arguments),
        cmocka_unit_test(test_a_plan_writes_nothing),
        cmocka_unit_test(test_what_a_step_says),
        cmocka_unit_test(test_statements_can_be_run_by_hand),
        cmocka_unit_test(test_the_report),
        cmocka_unit_test(test_another_schema_by_now),
        cmocka_unit_test(test_refused_with_foreign_keys_on),
        cmocka_unit_test(test_with_foreign_keys_off),
        cmocka_unit_test(test_violations_that_were_there),
        cmocka_unit_test(test_new_violations),
        cmocka_unit_test(test_a_temporary_table_in_front),
        cmocka_unit_test(test_a_table_that_takes_part_in_merging),
        cmocka_unit_test(test_triggers_that_tools_keep_for_themselves),
        cmocka_unit_test(test_settings_come_back),
        cmocka_unit_test(test_another_connection_sees_an_edit),
        cmocka_unit_test(test_an_edit_that_is_rolled_back),
        cmocka_unit_test(test_what_would_not_work_any_more),
        cmocka_unit_test(test_rebuild_by_definition),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
