#include "support/changesets.h"
#include "support/scratch.h"

#include "base/utf8.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Every kind of conflict with every action, next to what SQLite does. */

#define SCHEMA                                                                 \
    "CREATE TABLE t(id INTEGER PRIMARY KEY, a, b UNIQUE);"                     \
    "INSERT INTO t VALUES(1, 'one', 1), (2, 'two', 2), (3, 'three', 3);"
#define ROWS "SELECT * FROM t ORDER BY 1"

typedef struct seen {
    int action; /* to answer with */
    int count;
    rowtide_conflict_kind kind;
    char message[300];
    int64_t conflicting; /* integer in the last column of the row, or -1 */
    int64_t foreign_keys;
} seen;

static int answer(const rowtide_conflict *conflict, void *user)
{
    seen *s = user;
    s->count++;
    s->kind = conflict->kind;
    snprintf(s->message, sizeof s->message, "%s", conflict->message);
    s->foreign_keys = conflict->foreign_key_count;
    s->conflicting =
        conflict->conflicting
            ? conflict->conflicting[conflict->change->column_count - 1].integer
            : -1;
    return s->action;
}

static int apply(rowtide_db *db, rowtide_changeset *changeset, int action,
                 seen *s, rowtide_report **report)
{
    rowtide_apply_options options = ROWTIDE_APPLY_OPTIONS_INIT;
    memset(s, 0, sizeof *s);
    s->action = action;
    options.on_conflict = answer;
    options.on_conflict_user = s;
    return rowtide_changeset_apply(db, changeset, &options, report);
}

static const struct {
    const char *name, *remote, *local, *message;
    rowtide_conflict_kind kind;
    int64_t conflicting;
    const char *replaced; /* rows after REPLACE; NULL where it is refused */
} CASES[] = {
    {"update, other value", "UPDATE t SET a = 'new' WHERE id = 1",
     "UPDATE t SET a = 'mine', b = 9 WHERE id = 1",
     "data conflict: table \"t\", key 1: update: the row has other values",
     ROWTIDE_CONFLICT_DATA, 9, "1|'new'|9;2|'two'|2;3|'three'|3;"},
    {"delete, other value", "DELETE FROM t WHERE id = 1",
     "UPDATE t SET b = 9 WHERE id = 1",
     "data conflict: table \"t\", key 1: delete: the row has other values",
     ROWTIDE_CONFLICT_DATA, 9, "2|'two'|2;3|'three'|3;"},
    {"update, no row", "UPDATE t SET a = 'new' WHERE id = 1",
     "DELETE FROM t WHERE id = 1",
     "not_found conflict: table \"t\", key 1: update: there is no such row",
     ROWTIDE_CONFLICT_NOT_FOUND, -1, NULL},
    {"delete, no row", "DELETE FROM t WHERE id = 1",
     "DELETE FROM t WHERE id = 1",
     "not_found conflict: table \"t\", key 1: delete: there is no such row",
     ROWTIDE_CONFLICT_NOT_FOUND, -1, NULL},
    {"insert, same key", "INSERT INTO t VALUES(4, 'four', 4)",
     "INSERT INTO t VALUES(4, 'mine', 44)",
     "conflict conflict: table \"t\", key 4: insert: there is a row with this "
     "key already",
     ROWTIDE_CONFLICT_CONFLICT, 44,
     "1|'one'|1;2|'two'|2;3|'three'|3;4|'four'|4;"},
    {"insert, not unique", "INSERT INTO t VALUES(4, 'four', 4)",
     "INSERT INTO t VALUES(5, 'mine', 4)",
     "constraint conflict: table \"t\", key 4: insert: UNIQUE constraint "
     "failed: t.b",
     ROWTIDE_CONFLICT_CONSTRAINT, -1, NULL},
    {"update, not unique", "UPDATE t SET b = 4 WHERE id = 1",
     "INSERT INTO t VALUES(5, 'mine', 4)",
     "constraint conflict: table \"t\", key 1: update: UNIQUE constraint "
     "failed: t.b",
     ROWTIDE_CONFLICT_CONSTRAINT, -1, NULL},
    {"delete, trigger", "DELETE FROM t WHERE id = 1",
     "CREATE TRIGGER tr BEFORE DELETE ON t BEGIN SELECT RAISE(ABORT, 'keep "
     "it'); END",
     "constraint conflict: table \"t\", key 1: delete: keep it",
     ROWTIDE_CONFLICT_CONSTRAINT, -1, NULL},
};

static rowtide_db *local_db(size_t i)
{
    rowtide_db *db = scratch_db(SCHEMA);
    scratch_exec(db, CASES[i].local);
    return db;
}

static void try_omit(size_t i, rowtide_changeset *changeset)
{
    seen s;
    rowtide_db *db = local_db(i);
    rowtide_report *report;
    char *before = scratch_rows(db, ROWS);
    assert_ok(apply(db, changeset, ROWTIDE_ACTION_OMIT, &s, &report));
    assert_int_equal(s.count, 1);
    assert_int_equal(s.kind, CASES[i].kind);
    assert_string_equal(s.message, CASES[i].message);
    assert_int_equal(s.conflicting, CASES[i].conflicting);
    assert_int_equal(rowtide_report_total(report).omitted, 1);
    assert_int_equal(rowtide_report_total(report).applied, 0);
    assert_rows(db, ROWS, before);
    free(before);
    rowtide_report_free(report);
    rowtide_db_free(db);
}

static void try_replace(size_t i, rowtide_changeset *changeset)
{
    seen s;
    rowtide_db *db = local_db(i);
    rowtide_report *report;
    char *before = scratch_rows(db, ROWS);
    int rc = apply(db, changeset, ROWTIDE_ACTION_REPLACE, &s, &report);
    if (CASES[i].replaced) {
        assert_ok(rc);
        assert_rows(db, ROWS, CASES[i].replaced);
        assert_int_equal(rowtide_report_total(report).replaced, 1);
        assert_int_equal(rowtide_report_total(report).applied, 1);
    } else {
        assert_status(rc, ROWTIDE_EINVAL);
        assert_message("replace is not allowed for");
        assert_message(rowtide_conflict_kind_name((int)CASES[i].kind));
        assert_null(report);
        assert_rows(db, ROWS, before);
    }
    free(before);
    rowtide_report_free(report);
    rowtide_db_free(db);
}

static void try_abort(size_t i, rowtide_changeset *changeset)
{
    seen s;
    rowtide_db *db = local_db(i);
    char *before = scratch_rows(db, ROWS);
    assert_status(apply(db, changeset, ROWTIDE_ACTION_ABORT, &s, NULL),
                  ROWTIDE_ECONFLICT);
    assert_message(CASES[i].message);
    if (CASES[i].kind == ROWTIDE_CONFLICT_CONSTRAINT)
        assert_int_equal(rowtide_error_sqlite_code() & 0xff, SQLITE_CONSTRAINT);
    assert_status(rowtide_changeset_apply(db, changeset, NULL, NULL),
                  ROWTIDE_ECONFLICT);
    assert_status(apply(db, changeset, 7, &s, NULL), ROWTIDE_EINVAL);
    assert_message("7");
    assert_status(apply(db, changeset, ROWTIDE_EUSER, &s, NULL), ROWTIDE_EUSER);
    assert_message("conflict callback returned");
    assert_rows(db, ROWS, before);
    assert_int_equal(rowtide_db_in_transaction(db), 0);
    free(before);
    rowtide_db_free(db);
}

static void answers_each_kind_with_each_action(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        rowtide_changeset *changeset = changesets_of(SCHEMA, CASES[i].remote);
        try_omit(i, changeset);
        try_replace(i, changeset);
        try_abort(i, changeset);
        rowtide_changeset_free(changeset);
    }
}

static void follows_the_policy_without_a_callback(void **state)
{
    (void)state;
    rowtide_policy takes = ROWTIDE_POLICY_REPLACE, leaves = ROWTIDE_POLICY_OMIT;
    rowtide_apply_options options = ROWTIDE_APPLY_OPTIONS_INIT;
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        rowtide_changeset *changeset = changesets_of(SCHEMA, CASES[i].remote);
        for (int replace = 0; replace < 2; replace++) {
            rowtide_db *db = local_db(i);
            char *before = scratch_rows(db, ROWS);
            options.policy = replace ? takes : leaves;
            assert_ok(rowtide_changeset_apply(db, changeset, &options, NULL));
            assert_rows(db, ROWS,
                        replace && CASES[i].replaced ? CASES[i].replaced
                                                     : before);
            free(before);
            rowtide_db_free(db);
        }
        rowtide_changeset_free(changeset);
    }
}

static void merges_changes_of_different_columns(void **state)
{
    (void)state;
    rowtide_db *db = scratch_db(SCHEMA "UPDATE t SET a = 'mine'");
    rowtide_changeset *changeset = changesets_of(
        SCHEMA, "UPDATE t SET b = 7 WHERE id = 1");
    assert_ok(rowtide_changeset_apply(db, changeset, NULL, NULL));
    assert_rows(db, "SELECT * FROM t WHERE id = 1", "1|'mine'|7;");
    rowtide_changeset_free(changeset);
    rowtide_db_free(db);
}

static void keeps_the_row_that_cannot_be_replaced(void **state)
{
    (void)state;
    seen s;
    rowtide_apply_options options = ROWTIDE_APPLY_OPTIONS_INIT;
    rowtide_policy policy = ROWTIDE_POLICY_REPLACE;
    rowtide_db *db = scratch_db(SCHEMA "INSERT INTO t VALUES(4, 'mine', 44),"
                                       " (5, 'other', 4)");
    rowtide_changeset *changeset = changesets_of(
        SCHEMA, "INSERT INTO t VALUES(4, 'four', 4)");
    assert_status(apply(db, changeset, ROWTIDE_ACTION_REPLACE, &s, NULL),
                  ROWTIDE_EINVAL);
    assert_int_equal(s.count, 2);
    assert_int_equal(s.kind, ROWTIDE_CONFLICT_CONSTRAINT);
    options.policy = policy;
    assert_ok(rowtide_changeset_apply(db, changeset, &options, NULL));
    assert_rows(db, "SELECT * FROM t WHERE id > 3", "4|'mine'|44;5|'other'|4;");
    rowtide_changeset_free(changeset);
    rowtide_db_free(db);
}

static void assert_converges(const char *schema, const char *sql)
{
    rowtide_db *source = scratch_db(schema), *target = scratch_db(schema);
    rowtide_changeset *changeset = changesets_record(source, sql), *inverse;
    rowtide_report *report;
    char *before = scratch_rows(target, "SELECT rowid, * FROM t ORDER BY 1");
    assert_ok(rowtide_changeset_apply(target, changeset, NULL, &report));
    scratch_same(source, target, "SELECT rowid, * FROM t ORDER BY 1");
    assert_int_equal(rowtide_report_total(report).applied,
                     rowtide_changeset_change_count(changeset));
    assert_ok(rowtide_changeset_invert(changeset, &inverse));
    assert_ok(rowtide_changeset_apply(target, inverse, NULL, NULL));
    assert_rows(target, "SELECT rowid, * FROM t ORDER BY 1", before);
    free(before);
    rowtide_report_free(report);
    rowtide_changeset_free(changeset);
    rowtide_changeset_free(inverse);
    rowtide_db_free(source);
    rowtide_db_free(target);
}

static void shifts_and_swaps_unique_values(void **state)
{
    (void)state;
    static const char swap[] = "UPDATE t SET b = -1 WHERE id = 1;"
                               "UPDATE t SET b = 1 WHERE id = 2;"
                               "UPDATE t SET b = 2 WHERE id = 1;";
    assert_converges(SCHEMA, "UPDATE t SET b = -b; UPDATE t SET b = 1 - b");
    assert_converges(SCHEMA, swap);
    assert_converges(SCHEMA, "UPDATE t SET b = -b;"
                             "UPDATE t SET b = 1 + (-b) % 3");
    assert_converges("CREATE TABLE t(k TEXT PRIMARY KEY, a, b UNIQUE NOT NULL);"
                     "INSERT INTO t(rowid, k, a, b) VALUES(70, 'x', 1, 1),"
                     " (50, 'y', 'text', 2);",
                     "UPDATE t SET b = -1 WHERE k = 'x'; UPDATE t SET b = 1"
                     " WHERE k = 'y'; UPDATE t SET b = 2 WHERE k = 'x'");
}

static void swaps_keep_what_the_changeset_does_not_know(void **state)
{
    (void)state;
    rowtide_changeset *changeset = changesets_of(
        SCHEMA, "UPDATE t SET b = -1 WHERE id = 1;"
                "UPDATE t SET b = 1 WHERE id = 2;"
                "UPDATE t SET b = 2 WHERE id = 1");
    rowtide_db *db = scratch_db(
        SCHEMA "PRAGMA foreign_keys = ON; ALTER TABLE t ADD COLUMN extra;"
               "ALTER TABLE t ADD COLUMN g AS (b + 1);"
               "UPDATE t SET extra = 'x' || id, a = a || '!';"
               "CREATE TABLE child(t REFERENCES t ON DELETE CASCADE);"
               "INSERT INTO child VALUES(1), (2)");
    assert_ok(rowtide_changeset_apply(db, changeset, NULL, NULL));
    assert_rows(db, ROWS,
                "1|'one!'|2|'x1'|3;2|'two!'|1|'x2'|2;3|'three!'|3|'x3'|4;");
    assert_rows(db, "SELECT count(*) FROM child", "2;");
    assert_int_equal(scratch_integer(db, "PRAGMA foreign_keys"), 1);
    rowtide_changeset_free(changeset);
    rowtide_db_free(db);
}

static void does_not_swap_behind_a_triggers_back(void **state)
{
    (void)state;
    rowtide_changeset *changeset = changesets_of(
        SCHEMA, "UPDATE t SET b = -1 WHERE id = 1;"
                "UPDATE t SET b = 1 WHERE id = 2;"
                "UPDATE t SET b = 2 WHERE id = 1");
    rowtide_db *db = scratch_db(SCHEMA "CREATE TRIGGER tr AFTER UPDATE ON t"
                                       " BEGIN SELECT 1; END");
    rowtide_apply_options options = ROWTIDE_APPLY_OPTIONS_INIT;
    assert_status(rowtide_changeset_apply(db, changeset, NULL, NULL),
                  ROWTIDE_ECONFLICT);
    assert_message("UNIQUE constraint failed: t.b");
    options.flags = ROWTIDE_APPLY_NO_TRIGGERS;
    assert_ok(rowtide_changeset_apply(db, changeset, &options, NULL));
    assert_rows(db, "SELECT b FROM t ORDER BY id", "2;1;3;");
    rowtide_changeset_free(changeset);
    rowtide_db_free(db);
}

#define FAMILY                                                                 \
    "PRAGMA foreign_keys = ON; CREATE TABLE p(id INTEGER PRIMARY KEY);"        \
    "CREATE TABLE c(id INTEGER PRIMARY KEY, p REFERENCES p);"                  \
    "INSERT INTO p VALUES(1), (2), (3);"

static void counts_foreign_key_violations(void **state)
{
    (void)state;
    seen s;
    rowtide_db *db = scratch_db(FAMILY "INSERT INTO c VALUES(1, 1), (2, 1),"
                                       " (3, 2), (4, 3)");
    rowtide_changeset *changeset = changesets_of(FAMILY,
                                                 "DELETE FROM p WHERE id < 3");
    assert_status(apply(db, changeset, ROWTIDE_ACTION_ABORT, &s, NULL),
                  ROWTIDE_ECONFLICT);
    assert_int_equal(s.kind, ROWTIDE_CONFLICT_FOREIGN_KEY);
    assert_int_equal(s.foreign_keys, 3);
    assert_message("foreign_key conflict: 3 violations: table \"c\"");
    assert_status(apply(db, changeset, ROWTIDE_ACTION_REPLACE, &s, NULL),
                  ROWTIDE_EINVAL);
    assert_rows(db, "SELECT count(*) FROM p", "3;");
    assert_ok(apply(db, changeset, ROWTIDE_ACTION_OMIT, &s, NULL));
    assert_rows(db, "SELECT count(*) FROM p", "1;");
    assert_int_equal(rowtide_db_in_transaction(db), 0);
    assert_int_equal(scratch_integer(db, "PRAGMA foreign_keys"), 1);
    assert_int_equal(scratch_integer(db, "PRAGMA defer_foreign_keys"), 0);
    rowtide_changeset_free(changeset);
    rowtide_db_free(db);
}

static void needs_no_order_of_parents_and_children(void **state)
{
    (void)state;
    rowtide_db *source = scratch_db(FAMILY), *db = scratch_db(FAMILY);
    rowtide_changeset *changeset = changesets_record(
        source, "BEGIN; PRAGMA defer_foreign_keys = 1;"
                "INSERT INTO c VALUES(1, 77); INSERT INTO p VALUES(77);"
                "COMMIT");
    assert_ok(rowtide_changeset_apply(db, changeset, NULL, NULL));
    assert_rows(db, "SELECT * FROM c", "1|77;");
    rowtide_changeset_free(changeset);
    rowtide_db_free(source);
    rowtide_db_free(db);
}

static void leaves_foreign_keys_alone_that_are_off(void **state)
{
    (void)state;
    rowtide_db *db = scratch_db(FAMILY "PRAGMA foreign_keys = OFF;"
                                       "INSERT INTO c VALUES(1, 1)");
    rowtide_changeset *changeset = changesets_of(FAMILY, "DELETE FROM p");
    assert_ok(rowtide_changeset_apply(db, changeset, NULL, NULL));
    rowtide_changeset_free(changeset);
    rowtide_db_free(db);
}

static void runs_no_foreign_key_actions_if_told(void **state)
{
    (void)state;
    static const char schema[] =
        "PRAGMA foreign_keys = ON; CREATE TABLE p(id INTEGER PRIMARY KEY);"
        "CREATE TABLE c(id INTEGER PRIMARY KEY, p REFERENCES p ON DELETE"
        " CASCADE); INSERT INTO p VALUES(1); INSERT INTO c VALUES(1, 1);";
    seen s;
    rowtide_db *db = scratch_db(schema);
    rowtide_changeset *changeset = changesets_of(schema, "DELETE FROM p");
    rowtide_apply_options options = ROWTIDE_APPLY_OPTIONS_INIT;
    /* The parent, and the child that the cascade took with it. */
    assert_int_equal(rowtide_changeset_change_count(changeset), 2);
    assert_status(rowtide_changeset_apply(db, changeset, NULL, NULL),
                  ROWTIDE_ECONFLICT);
    assert_message("not_found");
    options.flags = ROWTIDE_APPLY_FK_NO_ACTION;
    assert_ok(rowtide_changeset_apply(db, changeset, &options, NULL));
    assert_rows(db, "SELECT count(*) FROM c", "0;");
    rowtide_db_free(db);

    db = scratch_db(schema);
    scratch_exec(db, "INSERT INTO c VALUES(2, 1);"
                     "PRAGMA foreign_keys = OFF; INSERT INTO c VALUES(3, 8);"
                     "PRAGMA foreign_keys = ON");
    memset(&s, 0, sizeof s);
    s.action = ROWTIDE_ACTION_ABORT;
    options.on_conflict = answer;
    options.on_conflict_user = &s;
    assert_status(rowtide_changeset_apply(db, changeset, &options, NULL),
                  ROWTIDE_ECONFLICT);
    assert_int_equal(s.foreign_keys, 1);
    assert_int_equal(scratch_integer(db, "PRAGMA foreign_keys"), 1);
    rowtide_changeset_free(changeset);
    rowtide_db_free(db);
}

static void keeps_violations_of_the_callers_transaction(void **state)
{
    (void)state;
    rowtide_db *db = scratch_db(FAMILY);
    rowtide_changeset *changeset = changesets_of(FAMILY,
                                                 "INSERT INTO p VALUES(9)");
    scratch_exec(db, "BEGIN; PRAGMA defer_foreign_keys = 1;"
                     "INSERT INTO c VALUES(1, 44)");
    assert_ok(rowtide_changeset_apply(db, changeset, NULL, NULL));
    assert_int_equal(rowtide_db_in_transaction(db), 1);
    assert_int_equal(scratch_integer(db, "PRAGMA defer_foreign_keys"), 1);
    assert_status(rowtide_db_exec(db, "COMMIT"), ROWTIDE_ECONSTRAINT);
    scratch_exec(db, "INSERT INTO p VALUES(44); COMMIT");
    assert_rows(db, "SELECT id FROM p WHERE id > 3", "9;44;");
    rowtide_changeset_free(changeset);
    rowtide_db_free(db);
}

static void passes_over_what_is_so_already(void **state)
{
    (void)state;
    rowtide_changeset *changeset = changesets_of(
        SCHEMA, "INSERT INTO t VALUES(4, 4, 4); UPDATE t SET a = 'x' WHERE id"
                " = 1; DELETE FROM t WHERE id = 2");
    rowtide_apply_options options = ROWTIDE_APPLY_OPTIONS_INIT;
    rowtide_report *report;
    rowtide_db *db = scratch_db(SCHEMA);
    options.flags = ROWTIDE_APPLY_IGNORE_NOOP;
    assert_ok(rowtide_changeset_apply(db, changeset, &options, &report));
    assert_int_equal(rowtide_report_total(report).applied, 3);
    rowtide_report_free(report);
    assert_ok(rowtide_changeset_apply(db, changeset, &options, &report));
    assert_int_equal(rowtide_report_total(report).applied, 0);
    assert_int_equal(rowtide_report_total(report).skipped, 3);
    rowtide_report_free(report);
    scratch_exec(db, "UPDATE t SET a = 'y' WHERE id = 1");
    assert_status(rowtide_changeset_apply(db, changeset, &options, NULL),
                  ROWTIDE_ECONFLICT);
    rowtide_changeset_free(changeset);
    rowtide_db_free(db);
}

static int check_message(const rowtide_conflict *conflict, void *user)
{
    (void)user;
    assert_non_null(strstr(conflict->message, "\xe2\x82\xac"));
    assert_null(strchr(conflict->message, '\n'));
    assert_true(
        rowtide__utf8_valid(conflict->message, strlen(conflict->message)));
    return ROWTIDE_ACTION_OMIT;
}

/* Long keys are cut, and not every key is UTF-8. */
static void describes_conflicts_in_one_line_of_utf8(void **state)
{
    (void)state;
    rowtide_apply_options options = ROWTIDE_APPLY_OPTIONS_INIT;
    rowtide_changeset *changeset = changesets_of(
        "CREATE TABLE t(a TEXT PRIMARY KEY, b);",
        "INSERT INTO t VALUES(replace(hex(zeroblob(20)), '0', '\xe2\x82\xac'),"
        " 1), ('\xe2\x82\xac' || CAST(x'fffe0a' AS TEXT), 2)");
    rowtide_db *db = scratch_db("CREATE TABLE t(a TEXT PRIMARY KEY, b);");
    options.on_conflict = check_message;
    assert_ok(rowtide_changeset_apply(db, changeset, NULL, NULL));
    assert_ok(rowtide_changeset_apply(db, changeset, &options, NULL));
    rowtide_changeset_free(changeset);
    rowtide_db_free(db);
}

static void compares_text_exactly(void **state)
{
    (void)state;
    static const char schema[] =
        "CREATE TABLE t(id INTEGER PRIMARY KEY, a COLLATE NOCASE);"
        "INSERT INTO t VALUES(1, 'abc')";
    rowtide_db *db = scratch_db(schema);
    rowtide_changeset *changeset = changesets_of(schema, "DELETE FROM t");
    scratch_exec(db, "UPDATE t SET a = 'ABC'");
    assert_status(rowtide_changeset_apply(db, changeset, NULL, NULL),
                  ROWTIDE_ECONFLICT);
    assert_message("data conflict");
    rowtide_changeset_free(changeset);
    rowtide_db_free(db);
}

static void calls_a_wrong_type_a_constraint(void **state)
{
    (void)state;
    rowtide_changeset *changeset = changesets_of(
        "CREATE TABLE t(id TEXT PRIMARY KEY, a, b)",
        "INSERT INTO t VALUES('no number', 1, 1)");
    rowtide_db *db = scratch_db(SCHEMA);
    assert_status(rowtide_changeset_apply(db, changeset, NULL, NULL),
                  ROWTIDE_ECONFLICT);
    assert_message("datatype mismatch");
    assert_message("key 'no number'");
    rowtide_changeset_free(changeset);
    rowtide_db_free(db);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_each_kind_with_each_action),
        cmocka_unit_test(follows_the_policy_without_a_callback),
        cmocka_unit_test(merges_changes_of_different_columns),
        cmocka_unit_test(keeps_the_row_that_cannot_be_replaced),
        cmocka_unit_test(shifts_and_swaps_unique_values),
        cmocka_unit_test(swaps_keep_what_the_changeset_does_not_know),
        cmocka_unit_test(does_not_swap_behind_a_triggers_back),
        cmocka_unit_test(counts_foreign_key_violations),
        cmocka_unit_test(needs_no_order_of_parents_and_children),
        cmocka_unit_test(leaves_foreign_keys_alone_that_are_off),
        cmocka_unit_test(runs_no_foreign_key_actions_if_told),
        cmocka_unit_test(keeps_violations_of_the_callers_transaction),
        cmocka_unit_test(passes_over_what_is_so_already),
        cmocka_unit_test(describes_conflicts_in_one_line_of_utf8),
        cmocka_unit_test(compares_text_exactly),
        cmocka_unit_test(calls_a_wrong_type_a_constraint),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
