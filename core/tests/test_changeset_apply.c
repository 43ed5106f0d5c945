#include "support/changesets.h"
#include "support/scratch.h"

#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

#define SCHEMA                                                                 \
    "CREATE TABLE t(id INTEGER PRIMARY KEY, a, b);"                            \
    "INSERT INTO t VALUES(1, 'one', 1), (2, 'two', 2), (3, 3, 3);"
#define WORK                                                                   \
    "INSERT INTO t VALUES(4, x'00ff', 1.5); DELETE FROM t WHERE id = 3;"       \
    "UPDATE t SET a = NULL WHERE id = 2;"
#define ROWS "SELECT * FROM t ORDER BY 1"
#define ROWS_BEFORE "1|'one'|1;2|'two'|2;3|3|3;"
#define ROWS_AFTER "1|'one'|1;2|NULL|2;4|x'00ff'|1.5;"

static void applies_each_kind_and_its_inverse(void **state)
{
    (void)state;
    rowtide_db *db = scratch_db(SCHEMA);
    rowtide_changeset *changeset = changesets_of(SCHEMA, WORK);
    rowtide_apply_options options = ROWTIDE_APPLY_OPTIONS_INIT;
    rowtide_report *report;
    size_t size = 1;
    assert_ok(rowtide_changeset_apply(db, changeset, NULL, &report));
    assert_rows(db, ROWS, ROWS_AFTER);
    assert_int_equal(rowtide_report_table_count(report), 1);
    assert_int_equal(rowtide_report_total(report).applied, 3);
    assert_int_equal(rowtide_report_total(report).omitted, 0);
    assert_null(rowtide_report_rebase(report, &size));
    assert_int_equal(size, 0);
    rowtide_report_free(report);
    options.flags = ROWTIDE_APPLY_INVERT;
    assert_ok(rowtide_changeset_apply(db, changeset, &options, NULL));
    assert_rows(db, ROWS, ROWS_BEFORE);
    rowtide_changeset_free(changeset);
    rowtide_db_free(db);
}

static void applies_patchsets_but_not_their_inverse(void **state)
{
    (void)state;
    rowtide_db *source = scratch_db(SCHEMA), *db = scratch_db(SCHEMA);
    rowtide_changeset *patchset = changesets_record_patchset(source, WORK);
    rowtide_apply_options options = ROWTIDE_APPLY_OPTIONS_INIT;
    options.flags = ROWTIDE_APPLY_INVERT;
    assert_true(rowtide_changeset_apply(db, patchset, &options, NULL) < 0);
    assert_ok(rowtide_changeset_apply(db, patchset, NULL, NULL));
    scratch_same(source, db, ROWS);
    rowtide_changeset_free(patchset);
    rowtide_db_free(source);
    rowtide_db_free(db);
}

static void applies_a_stream(void **state)
{
    (void)state;
    rowtide_db *db = scratch_db(SCHEMA);
    rowtide_changeset *changeset = changesets_of(SCHEMA, WORK);
    rowtide_source *source;
    rowtide_report *report;
    assert_ok(rowtide_source_memory(rowtide_changeset_data(changeset),
                                    rowtide_changeset_size(changeset),
                                    &source));
    assert_ok(rowtide_changeset_apply_stream(db, source, NULL, &report));
    assert_int_equal(rowtide_report_total(report).applied, 3);
    assert_rows(db, ROWS, ROWS_AFTER);
    rowtide_report_free(report);
    rowtide_source_free(source);
    rowtide_changeset_free(changeset);
    rowtide_db_free(db);
}

static void changes_nothing_if_a_stream_is_cut(void **state)
{
    (void)state;
    rowtide_db *db = scratch_db(SCHEMA);
    rowtide_changeset *changeset = changesets_of(SCHEMA, WORK);
    size_t size = rowtide_changeset_size(changeset);
    for (size_t cut = 1; cut < size; cut++) {
        rowtide_source *source;
        assert_ok(rowtide_source_memory(rowtide_changeset_data(changeset), cut,
                                        &source));
        scratch_exec(db, "BEGIN");
        int rc = rowtide_changeset_apply_stream(db, source, NULL, NULL);
        if (rc != ROWTIDE_OK) { /* a cut between changes cannot be seen */
            assert_int_equal(rc, ROWTIDE_ECORRUPT);
            assert_true(rowtide_error_offset() >= 0);
            assert_rows(db, ROWS, ROWS_BEFORE);
        }
        assert_int_equal(rowtide_db_in_transaction(db), 1);
        scratch_exec(db, "ROLLBACK");
        rowtide_source_free(source);
    }
    rowtide_changeset_free(changeset);
    rowtide_db_free(db);
}

static void does_nothing_for_an_empty_changeset(void **state)
{
    (void)state;
    rowtide_db *db = scratch_db(SCHEMA);
    rowtide_changeset *changeset;
    rowtide_report *report;
    assert_ok(rowtide_changeset_parse(NULL, 0, &changeset));
    assert_ok(rowtide_changeset_apply(db, changeset, NULL, &report));
    assert_int_equal(rowtide_report_table_count(report), 0);
    rowtide_report_free(report);
    rowtide_changeset_free(changeset);
    rowtide_db_free(db);
}

static const struct {
    const char *schema, *message;
} MISFITS[] = {
    {"CREATE TABLE x(a)", "table \"t\" does not exist"},
    {"CREATE VIEW t AS SELECT 1 AS id, 2 AS a, 3 AS b",
     "table \"t\" is a view"},
    {"CREATE VIRTUAL TABLE t USING fts5(id, a, b)", "table \"t\" is virtual"},
    {"CREATE TABLE t(id INTEGER PRIMARY KEY, a)",
     "table \"t\" has 2 columns, the changeset 3"},
    {"CREATE TABLE t(id INTEGER PRIMARY KEY, a, b AS (a))",
     "table \"t\" has 2 columns, the changeset 3"},
    {"CREATE TABLE t(id, a, b)", "table \"t\" has no primary key"},
    {"CREATE TABLE t(id, a PRIMARY KEY, b)",
     "table \"t\" has another primary key than the changeset"},
    {"CREATE TABLE t(id, a, b, PRIMARY KEY(id, b))",
     "table \"t\" has another primary key than the changeset"},
    {"CREATE TABLE t(id, a, b, c, PRIMARY KEY(id, c))",
     "table \"t\" has another primary key than the changeset"},
    {"CREATE TEMP TABLE t(id INTEGER PRIMARY KEY, a, b)",
     "table \"t\" does not exist"},
};

#define TWO_TABLES SCHEMA "CREATE TABLE u(k TEXT PRIMARY KEY);"

static void refuses_a_changeset_that_does_not_fit(void **state)
{
    (void)state;
    rowtide_changeset *changeset = changesets_of(
        TWO_TABLES, "INSERT INTO u VALUES('x');" WORK);
    for (size_t i = 0; i < sizeof MISFITS / sizeof *MISFITS; i++) {
        rowtide_db *db = scratch_db("CREATE TABLE u(k TEXT PRIMARY KEY)");
        scratch_exec(db, MISFITS[i].schema);
        int64_t changes = scratch_integer(db, "SELECT total_changes()");
        assert_status(rowtide_changeset_apply(db, changeset, NULL, NULL),
                      ROWTIDE_ESCHEMA);
        assert_message(MISFITS[i].message);
        assert_int_equal(scratch_integer(db, "SELECT count(*) FROM u"), 0);
        assert_int_equal(scratch_integer(db, "SELECT total_changes()"),
                         changes);
        assert_int_equal(rowtide_db_in_transaction(db), 0);
        rowtide_db_free(db);
    }
    rowtide_db *db = scratch_db("CREATE TABLE u(k)");
    assert_status(rowtide_changeset_apply(db, changeset, NULL, NULL),
                  ROWTIDE_ESCHEMA);
    assert_message("table \"t\" does not exist");
    assert_message("table \"u\" has no primary key");
    rowtide_db_free(db);
    rowtide_changeset_free(changeset);
}

static void leaves_misfits_out_if_told(void **state)
{
    (void)state;
    rowtide_changeset *changeset = changesets_of(
        TWO_TABLES, "INSERT INTO u VALUES('x');" WORK);
    rowtide_apply_options options = ROWTIDE_APPLY_OPTIONS_INIT;
    rowtide_report *report;
    rowtide_report_table line;
    rowtide_db *db = scratch_db("CREATE TABLE u(k TEXT PRIMARY KEY)");
    options.flags = ROWTIDE_APPLY_SKIP_MISFITS;
    assert_ok(rowtide_changeset_apply(db, changeset, &options, &report));
    assert_int_equal(rowtide_report_total(report).applied, 1);
    assert_int_equal(rowtide_report_total(report).skipped, 3);
    for (int i = 0; i < 2; i++) {
        assert_ok(rowtide_report_table_at(report, i, &line));
        if (strcmp(line.table, "t") == 0)
            assert_string_equal(line.skip_reason, "does not exist");
        else
            assert_null(line.skip_reason);
    }
    assert_status(rowtide_report_table_at(report, 2, &line), ROWTIDE_EINVAL);
    rowtide_report_free(report);
    rowtide_changeset_free(changeset);
    rowtide_db_free(db);
}

static void finds_misfits_of_a_stream_when_it_gets_there(void **state)
{
    (void)state;
    rowtide_changeset *changeset = changesets_of(TWO_TABLES, WORK
                                                 "INSERT INTO u VALUES('x');");
    rowtide_db *db = scratch_db(SCHEMA);
    rowtide_source *source;
    assert_ok(rowtide_source_memory(rowtide_changeset_data(changeset),
                                    rowtide_changeset_size(changeset),
                                    &source));
    assert_status(rowtide_changeset_apply_stream(db, source, NULL, NULL),
                  ROWTIDE_ESCHEMA);
    assert_rows(db, ROWS, ROWS_BEFORE);
    rowtide_source_free(source);
    rowtide_changeset_free(changeset);
    rowtide_db_free(db);
}

static void fits_other_tables_of_the_same_shape(void **state)
{
    (void)state;
    static const char *const schemas[] = {
        "CREATE TABLE T(id INT PRIMARY KEY, a, b) WITHOUT ROWID",
        "CREATE TABLE t(id INTEGER PRIMARY KEY, a, b, more DEFAULT 5)",
        "CREATE TABLE t(g AS (a), id INTEGER PRIMARY KEY, a, s AS (b) STORED,"
        " b)",
        "CREATE TABLE t(\"i\"\"d\" INTEGER PRIMARY KEY, \"select\", [b c])",
        "CREATE TABLE t(id INTEGER PRIMARY KEY, a, b);"
        "CREATE TEMP TABLE t(other)",
    };
    rowtide_changeset *changeset = changesets_of(SCHEMA, WORK);
    for (size_t i = 0; i < sizeof schemas / sizeof *schemas; i++) {
        rowtide_db *db = scratch_db(schemas[i]);
        scratch_exec(db, i == 2   ? "INSERT INTO main.t(id, a, b) VALUES(2,"
                                    " 'two', 2), (3, 3, 3)"
                         : i == 1 ? "INSERT INTO main.t VALUES(2, 'two', 2, 5),"
                                    " (3, 3, 3, 5)"
                                  : "INSERT INTO main.t VALUES(2, 'two', 2),"
                                    " (3, 3, 3)");
        assert_ok(rowtide_changeset_apply(db, changeset, NULL, NULL));
        assert_int_equal(scratch_integer(db, "SELECT count(*) FROM main.t"), 2);
        rowtide_db_free(db);
    }
    rowtide_changeset_free(changeset);
}

static int not_t(const char *table, void *user)
{
    ++*(int *)user;
    return strcmp(table, "t") != 0;
}

static int no_deletes(const rowtide_change *change, void *user)
{
    (void)user;
    return change->kind != ROWTIDE_CHANGE_DELETE;
}

static int fail_change(const rowtide_change *change, void *user)
{
    (void)user;
    return change->kind == ROWTIDE_CHANGE_UPDATE
               ? rowtide_error_set(ROWTIDE_EUSER, "not this one")
               : 1;
}

static void filters_tables_and_changes(void **state)
{
    (void)state;
    rowtide_changeset *changeset = changesets_of(TWO_TABLES, WORK
                                                 "INSERT INTO u VALUES('x');");
    rowtide_apply_options options = ROWTIDE_APPLY_OPTIONS_INIT;
    rowtide_report *report;
    int asked = 0;
    rowtide_db *db = scratch_db("CREATE TABLE u(k TEXT PRIMARY KEY)");
    options.filter = not_t; /* then it need not fit either */
    options.filter_user = &asked;
    assert_ok(rowtide_changeset_apply(db, changeset, &options, &report));
    assert_int_equal(asked, 2);
    assert_int_equal(rowtide_report_total(report).applied, 1);
    assert_int_equal(rowtide_report_total(report).skipped, 3);
    rowtide_report_free(report);
    rowtide_db_free(db);

    db = scratch_db(TWO_TABLES);
    options.filter = NULL;
    options.change_filter = fail_change;
    assert_status(rowtide_changeset_apply(db, changeset, &options, NULL),
                  ROWTIDE_EUSER);
    assert_message("not this one");
    assert_rows(db, ROWS, ROWS_BEFORE);
    options.change_filter = no_deletes;
    assert_ok(rowtide_changeset_apply(db, changeset, &options, &report));
    assert_int_equal(rowtide_report_total(report).applied, 3);
    assert_int_equal(rowtide_report_total(report).skipped, 1);
    rowtide_report_free(report);
    rowtide_changeset_free(changeset);
    rowtide_db_free(db);
}

#define AUDITED                                                                \
    SCHEMA "CREATE TABLE log(id INTEGER PRIMARY KEY, what);"                   \
           "CREATE TRIGGER tr AFTER INSERT ON t BEGIN"                         \
           " INSERT INTO log(what) VALUES(new.id); END;"

static void does_not_do_twice_what_triggers_did(void **state)
{
    (void)state;
    rowtide_changeset *changeset = changesets_of(
        AUDITED, "INSERT INTO t VALUES(9, 9, 9)");
    unsigned ways[] = {ROWTIDE_APPLY_NO_TRIGGERS, ROWTIDE_APPLY_SKIP_INDIRECT};
    for (int i = 0; i < 2; i++) {
        rowtide_apply_options options = ROWTIDE_APPLY_OPTIONS_INIT;
        rowtide_db *db = scratch_db(AUDITED);
        options.flags = ways[i];
        assert_ok(rowtide_changeset_apply(db, changeset, &options, NULL));
        assert_rows(db, "SELECT what FROM log", "9;");
        scratch_exec(db, "INSERT INTO t VALUES(10, 1, 1)");
        assert_rows(db, "SELECT what FROM log", "9;10;");
        rowtide_db_free(db);
    }
    rowtide_db *db = scratch_db(AUDITED);
    int rc = rowtide_changeset_apply(db, changeset, NULL, NULL);
    assert_int_equal(rc, ROWTIDE_ECONFLICT);
    rowtide_changeset_free(changeset);
    rowtide_db_free(db);
}

static void leaves_the_connection_as_it_was(void **state)
{
    (void)state;
    rowtide_changeset *changeset = changesets_of(SCHEMA, WORK);
    rowtide_apply_options options = ROWTIDE_APPLY_OPTIONS_INIT;
    options.flags = ROWTIDE_APPLY_NO_TRIGGERS | ROWTIDE_APPLY_FK_NO_ACTION;
    for (int way = 0; way < 8; way++) {
        int nested = way & 1, defer = way >> 1 & 1, fails = way >> 2 & 1;
        rowtide_db *db = scratch_db(SCHEMA "CREATE TABLE r(x)");
        sqlite3 *sqlite = rowtide_db_sqlite(db);
        scratch_exec(db, "PRAGMA foreign_keys = 1; INSERT INTO r VALUES(77)");
        sqlite3_set_last_insert_rowid(sqlite, 4711);
        if (fails)
            scratch_exec(db, "DELETE FROM t WHERE id = 2");
        if (nested)
            scratch_exec(db, "BEGIN; UPDATE r SET x = 78");
        if (defer)
            scratch_exec(db, "PRAGMA defer_foreign_keys = 1");
        assert_int_equal(rowtide_changeset_apply(db, changeset, &options, NULL),
                         fails ? ROWTIDE_ECONFLICT : ROWTIDE_OK);
        assert_int_equal(rowtide_db_in_transaction(db), nested);
        assert_int_equal(scratch_integer(db, "PRAGMA foreign_keys"), 1);
        assert_int_equal(scratch_integer(db, "PRAGMA defer_foreign_keys"),
                         defer);
        assert_int_equal(sqlite3_last_insert_rowid(sqlite), 4711);
        int triggers = 0;
        sqlite3_db_config(sqlite, SQLITE_DBCONFIG_ENABLE_TRIGGER, -1,
                          &triggers);
        assert_int_equal(triggers, 1);
        if (nested)
            scratch_exec(db, "COMMIT");
        assert_int_equal(scratch_integer(db, "SELECT x FROM r"), 77 + nested);
        rowtide_db_free(db);
    }
    rowtide_changeset_free(changeset);
}

static void names_its_rows_of_several_tables(void **state)
{
    (void)state;
    rowtide_changeset *changeset = changesets_of(TWO_TABLES, WORK
                                                 "INSERT INTO u VALUES('x');");
    rowtide_db *db = scratch_db(TWO_TABLES);
    rowtide_report *report;
    rowtide_report_table line;
    assert_ok(rowtide_changeset_apply(db, changeset, NULL, &report));
    assert_int_equal(rowtide_report_table_count(report), 2);
    assert_ok(rowtide_report_table_at(report, 0, &line));
    assert_string_equal(line.table, "t");
    assert_int_equal(line.applied, 3);
    assert_ok(rowtide_report_table_at(report, 1, &line));
    assert_string_equal(line.table, "u");
    assert_int_equal(line.applied, 1);
    rowtide_report_free(report);
    rowtide_report_free(NULL);
    assert_int_equal(rowtide_report_table_count(NULL), 0);
    rowtide_changeset_free(changeset);
    rowtide_db_free(db);
}

static void names(void **state)
{
    (void)state;
    const char *kinds[] = {"unknown",  "data",       "not_found",
                           "conflict", "constraint", "foreign_key"};
    const char *actions[] = {"omit", "replace", "abort"};
    for (int i = 0; i < 6; i++)
        assert_string_equal(rowtide_conflict_kind_name(i), kinds[i]);
    for (int i = 0; i < 3; i++)
        assert_string_equal(rowtide_conflict_action_name(i), actions[i]);
    assert_string_equal(rowtide_change_kind_name(ROWTIDE_CHANGE_INSERT),
                        "insert");
    assert_string_equal(rowtide_change_kind_name(ROWTIDE_CHANGE_UPDATE),
                        "update");
    assert_string_equal(rowtide_change_kind_name(ROWTIDE_CHANGE_DELETE),
                        "delete");
    assert_string_equal(rowtide_conflict_kind_name(9), "unknown");
    assert_string_equal(rowtide_conflict_action_name(9), "unknown");
    assert_string_equal(rowtide_change_kind_name(0), "unknown");
}

static int count_progress(const rowtide_progress *progress, void *user)
{
    int64_t *calls = user;
    assert_string_equal(progress->phase, "apply");
    assert_true(progress->done <= progress->total);
    return ++*calls < 0;
}

static int cancel(const rowtide_progress *progress, void *user)
{
    (void)progress;
    (void)user;
    return 1;
}

static void reports_progress_and_can_be_cancelled(void **state)
{
    (void)state;
    rowtide_changeset *changeset = changesets_of(SCHEMA, WORK);
    rowtide_apply_options options = ROWTIDE_APPLY_OPTIONS_INIT;
    rowtide_db *db = scratch_db(SCHEMA);
    int64_t calls = 0;
    options.progress = cancel;
    assert_status(rowtide_changeset_apply(db, changeset, &options, NULL),
                  ROWTIDE_ECANCELLED);
    assert_rows(db, ROWS, ROWS_BEFORE);
    options.progress = count_progress;
    options.progress_user = &calls;
    assert_ok(rowtide_changeset_apply(db, changeset, &options, NULL));
    assert_true(calls >= 1);
    rowtide_changeset_free(changeset);
    rowtide_db_free(db);
}

static void checks_its_arguments(void **state)
{
    (void)state;
    rowtide_changeset *changeset = changesets_of(SCHEMA, WORK);
    rowtide_apply_options options = ROWTIDE_APPLY_OPTIONS_INIT;
    rowtide_db *db = scratch_db(SCHEMA);
    assert_status(rowtide_changeset_apply(NULL, changeset, NULL, NULL),
                  ROWTIDE_EINVAL);
    assert_status(rowtide_changeset_apply(db, NULL, NULL, NULL),
                  ROWTIDE_EINVAL);
    assert_status(rowtide_changeset_apply_stream(db, NULL, NULL, NULL),
                  ROWTIDE_EINVAL);
    options.flags = 1u << 20;
    assert_status(rowtide_changeset_apply(db, changeset, &options, NULL),
                  ROWTIDE_EINVAL);
    options.flags = 0;
    options.policy.data = (rowtide_conflict_action)9;
    assert_status(rowtide_changeset_apply(db, changeset, &options, NULL),
                  ROWTIDE_EINVAL);
    options.size = 0;
    assert_status(rowtide_changeset_apply(db, changeset, &options, NULL),
                  ROWTIDE_EINVAL);
    rowtide_changeset_free(changeset);
    rowtide_db_free(db);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(applies_each_kind_and_its_inverse),
        cmocka_unit_test(applies_patchsets_but_not_their_inverse),
        cmocka_unit_test(applies_a_stream),
        cmocka_unit_test(changes_nothing_if_a_stream_is_cut),
        cmocka_unit_test(does_nothing_for_an_empty_changeset),
        cmocka_unit_test(refuses_a_changeset_that_does_not_fit),
        cmocka_unit_test(leaves_misfits_out_if_told),
        cmocka_unit_test(finds_misfits_of_a_stream_when_it_gets_there),
        cmocka_unit_test(fits_other_tables_of_the_same_shape),
        cmocka_unit_test(filters_tables_and_changes),
        cmocka_unit_test(does_not_do_twice_what_triggers_did),
        cmocka_unit_test(leaves_the_connection_as_it_was),
        cmocka_unit_test(names_its_rows_of_several_tables),
        cmocka_unit_test(names),
        cmocka_unit_test(reports_progress_and_can_be_cancelled),
        cmocka_unit_test(checks_its_arguments),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
