#include "support/changesets.h"
#include "support/oom.h"
#include "support/scratch.h"

#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

#define SCHEMA                                                                 \
    "CREATE TABLE t(id INTEGER PRIMARY KEY, a, b);"                            \
    "INSERT INTO t VALUES(1, 'one', 1), (2, 'two', 2);"

static void assert_records(const char *schema, const char *sql,
                           const char *expected)
{
    rowtide_changeset *changeset = changesets_of(schema, sql);
    char *text = changesets_text(changeset);
    assert_string_equal(text, expected);
    free(text);
    rowtide_changeset_free(changeset);
}

static void begin(rowtide_db *db, const char *table, rowtide_capture **out)
{
    rowtide_capture_options options = ROWTIDE_CAPTURE_OPTIONS_INIT;
    const char *tables[] = {table};
    options.tables = tables;
    options.table_count = 1;
    assert_ok(rowtide_capture_begin(db, &options, out));
}

static void refuse(const char *schema, const char *table, const char *message)
{
    rowtide_db *db = scratch_db(schema);
    rowtide_capture_options options = ROWTIDE_CAPTURE_OPTIONS_INIT;
    const char *tables[] = {table};
    rowtide_capture *capture = NULL;
    options.tables = tables;
    options.table_count = 1;
    assert_status(rowtide_capture_begin(db, &options, &capture),
                  ROWTIDE_ESCHEMA);
    assert_null(capture);
    assert_message(message);
    assert_message(table);
    rowtide_db_free(db);
}

static void records_each_kind(void **state)
{
    (void)state;
    assert_records(SCHEMA, "INSERT INTO t VALUES(3, 'x', NULL)",
                   "insert t 3|'x'|NULL;");
    assert_records(SCHEMA, "UPDATE t SET a = 'x' WHERE id = 1",
                   "update t 1|'one'|- -> -|'x'|-;");
    assert_records(SCHEMA, "DELETE FROM t WHERE id = 2", "delete t 2|'two'|2;");
}

static void is_empty_after_rollback(void **state)
{
    (void)state;
    assert_records(SCHEMA, "BEGIN; DELETE FROM t; ROLLBACK", "");
    assert_records(SCHEMA, "SELECT 1", "");
}

static void records_named_tables_only(void **state)
{
    (void)state;
    rowtide_db *db = scratch_db(SCHEMA "CREATE TABLE u(id PRIMARY KEY)");
    rowtide_capture *capture;
    rowtide_changeset *changeset;
    begin(db, "T", &capture);
    scratch_exec(db, "INSERT INTO u VALUES(1); DELETE FROM t WHERE id = 1");
    assert_int_equal(rowtide_capture_is_empty(capture), 0);
    assert_true(rowtide_capture_memory_used(capture) > 0);
    assert_int_equal(rowtide_capture_size(capture), -1);
    assert_ok(rowtide_capture_end(capture, &changeset));
    assert_int_equal(rowtide_changeset_change_count(changeset), 1);
    assert_int_equal(rowtide_capture_is_open(capture), 0);
    rowtide_changeset_free(changeset);
    assert_status(rowtide_capture_end(capture, &changeset), ROWTIDE_EMISUSE);
    assert_ok(rowtide_capture_cancel(capture));
    rowtide_capture_free(capture);
    rowtide_db_free(db);
}

static void refuses_what_it_cannot_record(void **state)
{
    (void)state;
    refuse(SCHEMA, "nosuch", "does not exist");
    refuse("CREATE TABLE u(a, b)", "u", "has no primary key");
    refuse("CREATE VIEW v AS SELECT 1", "v", "is a view");
    refuse("CREATE VIRTUAL TABLE f USING fts5(a)", "f", "is virtual");
    refuse("CREATE VIRTUAL TABLE f USING fts5(a)", "f_data",
           "belongs to a virtual table");
}

static int runtime_is_3_40(void)
{
    return sqlite3_libversion_number() < 3041000;
}

static void refuses_what_this_sqlite_records_wrongly(void **state)
{
    (void)state;
    if (!runtime_is_3_40())
        skip();
    refuse("CREATE TABLE g(a INTEGER PRIMARY KEY, b AS (a))", "g",
           "generated column");
    refuse("CREATE TABLE r(a DOUBLE PRIMARY KEY)", "r", "type REAL");
    refuse("CREATE TABLE n(a TEXT COLLATE NOCASE PRIMARY KEY)", "n",
           "collation");
}

static void skips_them_when_it_records_all(void **state)
{
    (void)state;
    rowtide_db *db = scratch_db(
        SCHEMA "CREATE TABLE nokey(a); CREATE VIRTUAL TABLE f USING fts5(a);"
               "CREATE TABLE g(a INTEGER PRIMARY KEY, b AS (a));");
    rowtide_capture *capture;
    rowtide_changeset *changeset;
    const char *table, *reason;
    assert_ok(rowtide_capture_begin(db, NULL, &capture));
    scratch_exec(db, "INSERT INTO nokey VALUES(1); INSERT INTO f VALUES('x');"
                     "DELETE FROM t WHERE id = 1;"
                     "CREATE TABLE later(id INTEGER PRIMARY KEY);"
                     "INSERT INTO later VALUES(7)");
    if (runtime_is_3_40())
        scratch_exec(db, "INSERT INTO g VALUES(1)");
    int count = rowtide_capture_skipped_count(capture), seen = 0;
    assert_true(count >= 3);
    for (int i = 0; i < count; i++) {
        assert_ok(rowtide_capture_skipped(capture, i, &table, &reason));
        seen += strcmp(table, "nokey") == 0
                && strcmp(reason, "has no primary key") == 0;
    }
    assert_int_equal(seen, 1);
    assert_status(rowtide_capture_skipped(capture, count, &table, &reason),
                  ROWTIDE_EINVAL);
    assert_ok(rowtide_capture_end(capture, &changeset));
    char *text = changesets_text(changeset);
    assert_string_equal(text, "delete t 1|'one'|1;insert later 7;");
    free(text);
    rowtide_changeset_free(changeset);
    rowtide_capture_free(capture);
    rowtide_db_free(db);
}

static int not_u(const char *table, void *user)
{
    ++*(int *)user;
    return strcmp(table, "u") != 0;
}

static int fail_filter(const char *table, void *user)
{
    (void)user;
    return strcmp(table, "u") ? 1 : rowtide_error_set(ROWTIDE_EUSER, "no u");
}

static void asks_the_filter_once_per_table(void **state)
{
    (void)state;
    rowtide_db *db = scratch_db(SCHEMA "CREATE TABLE u(id PRIMARY KEY)");
    rowtide_capture_options options = ROWTIDE_CAPTURE_OPTIONS_INIT;
    rowtide_changeset *changeset;
    rowtide_capture *capture;
    int asked = 0;
    options.filter = not_u;
    options.filter_user = &asked;
    assert_ok(rowtide_capture_begin(db, &options, &capture));
    scratch_exec(db, "INSERT INTO u VALUES(1), (2); DELETE FROM t");
    assert_ok(rowtide_capture_end(capture, &changeset));
    assert_int_equal(asked, 2);
    assert_int_equal(rowtide_changeset_change_count(changeset), 2);
    rowtide_changeset_free(changeset);
    rowtide_capture_free(capture);
    options.filter = fail_filter;
    assert_status(rowtide_capture_begin(db, &options, &capture), ROWTIDE_EUSER);
    assert_message("no u");
    rowtide_db_free(db);
}

static int refuse_silently(const char *table, void *user)
{
    (void)table;
    (void)user;
    return ROWTIDE_EUSER;
}

static void takes_no_old_message_for_the_filters(void **state)
{
    (void)state;
    rowtide_db *db = scratch_db(SCHEMA);
    rowtide_capture_options options = ROWTIDE_CAPTURE_OPTIONS_INIT;
    rowtide_capture *capture;
    options.filter = refuse_silently;
    rowtide_error_set(ROWTIDE_EUSER, "of long ago");
    assert_status(rowtide_capture_begin(db, &options, &capture), ROWTIDE_EUSER);
    assert_message("table filter callback returned -22");
    rowtide_db_free(db);
}

static void records_temporary_tables_made_later(void **state)
{
    (void)state;
    rowtide_db *db = scratch_db(SCHEMA);
    rowtide_capture_options options = ROWTIDE_CAPTURE_OPTIONS_INIT;
    const char *const tables[] = {"t"};
    rowtide_changeset *changeset;
    rowtide_capture *capture;
    int asked = 0;
    options.schema = "temp";
    options.filter = not_u;
    options.filter_user = &asked;
    assert_ok(rowtide_capture_begin(db, &options, &capture));
    scratch_exec(db, "CREATE TEMP TABLE u(id PRIMARY KEY);"
                     "CREATE TEMP TABLE v(id PRIMARY KEY);"
                     "INSERT INTO u VALUES(1); INSERT INTO v VALUES(1);"
                     "INSERT INTO main.t VALUES(77, 1, 1);");
    assert_ok(rowtide_capture_end(capture, &changeset));
    assert_int_equal(asked, 2);
    char *text = changesets_text(changeset);
    assert_string_equal(text, "insert v 1;");
    free(text);
    rowtide_changeset_free(changeset);
    rowtide_capture_free(capture);
    options.tables = tables;
    options.table_count = 1;
    assert_status(rowtide_capture_begin(db, &options, &capture),
                  ROWTIDE_ESCHEMA);
    assert_message("table \"t\" does not exist");
    rowtide_db_free(db);
}

static void reports_a_filter_that_fails_later_at_the_end(void **state)
{
    (void)state;
    rowtide_db *db = scratch_db(SCHEMA);
    rowtide_capture_options options = ROWTIDE_CAPTURE_OPTIONS_INIT;
    rowtide_changeset *changeset;
    rowtide_capture *capture;
    options.filter = fail_filter;
    assert_ok(rowtide_capture_begin(db, &options, &capture));
    scratch_exec(db, "CREATE TABLE u(id PRIMARY KEY); INSERT INTO u VALUES(1)");
    assert_status(rowtide_capture_end(capture, &changeset), ROWTIDE_EUSER);
    assert_message("no u");
    assert_int_equal(rowtide_capture_is_open(capture), 0);
    rowtide_capture_free(capture);
    rowtide_db_free(db);
}

static void marks_indirect_changes(void **state)
{
    (void)state;
    rowtide_db *db = scratch_db(
        SCHEMA "CREATE TABLE log(id INTEGER PRIMARY KEY, what);"
               "CREATE TRIGGER tr AFTER DELETE ON t BEGIN"
               " INSERT INTO log(what) VALUES(old.a); END");
    rowtide_changeset *changeset = changesets_record(
        db, "DELETE FROM t WHERE id = 1");
    char *text = changesets_text(changeset);
    assert_non_null(strstr(text, "insert log indirect 1|'one';"));
    assert_non_null(strstr(text, "delete t 1|'one'|1;"));
    free(text);
    rowtide_changeset_free(changeset);
    rowtide_capture *capture;
    assert_ok(rowtide_capture_begin(db, NULL, &capture));
    assert_ok(rowtide_capture_set_indirect(capture, 1));
    scratch_exec(db, "INSERT INTO t VALUES(8, 8, 8)");
    assert_ok(rowtide_capture_set_indirect(capture, 0));
    assert_ok(rowtide_capture_set_enabled(capture, 0));
    scratch_exec(db, "INSERT INTO t VALUES(9, 9, 9)");
    assert_ok(rowtide_capture_set_enabled(capture, 1));
    assert_ok(rowtide_capture_end(capture, &changeset));
    text = changesets_text(changeset);
    assert_string_equal(text, "insert t indirect 8|8|8;");
    free(text);
    rowtide_changeset_free(changeset);
    rowtide_capture_free(capture);
    rowtide_db_free(db);
}

static void makes_patchsets(void **state)
{
    (void)state;
    rowtide_db *db = scratch_db(SCHEMA);
    rowtide_changeset *patchset = changesets_record_patchset(
        db, "UPDATE t SET b = 9 WHERE id = 1; DELETE FROM t WHERE id = 2");
    assert_int_equal(rowtide_changeset_is_patchset(patchset), 1);
    assert_int_equal(rowtide_changeset_change_count(patchset), 2);
    rowtide_changeset_free(patchset);
    rowtide_db_free(db);
}

static void nests_and_peeks(void **state)
{
    (void)state;
    rowtide_db *db = scratch_db(SCHEMA);
    rowtide_capture *outer, *inner;
    rowtide_changeset *first, *both, *one;
    assert_ok(rowtide_capture_begin(db, NULL, &outer));
    scratch_exec(db, "DELETE FROM t WHERE id = 1");
    assert_ok(rowtide_capture_begin(db, NULL, &inner));
    assert_ok(rowtide_capture_peek(outer, &first));
    scratch_exec(db, "DELETE FROM t WHERE id = 2");
    assert_ok(rowtide_capture_end(inner, &one));
    assert_ok(rowtide_capture_end(outer, &both));
    assert_int_equal(rowtide_changeset_change_count(first), 1);
    assert_int_equal(rowtide_changeset_change_count(one), 1);
    assert_int_equal(rowtide_changeset_change_count(both), 2);
    rowtide_changeset_free(first);
    rowtide_changeset_free(one);
    rowtide_changeset_free(both);
    rowtide_capture_free(outer);
    rowtide_capture_free(inner);
    rowtide_db_free(db);
}

static void streams_the_same_bytes(void **state)
{
    (void)state;
    rowtide_db *db = scratch_db(SCHEMA);
    rowtide_capture *capture;
    rowtide_changeset *changeset;
    rowtide_buffer buffer = ROWTIDE_BUFFER_INIT;
    rowtide_sink *sink;
    assert_ok(rowtide_capture_begin(db, NULL, &capture));
    scratch_exec(db, "WITH RECURSIVE n(i) AS (VALUES(10) UNION ALL"
                     " SELECT i + 1 FROM n WHERE i < 5000)"
                     " INSERT INTO t SELECT i, hex(randomblob(20)), i FROM n");
    assert_ok(rowtide_capture_peek(capture, &changeset));
    assert_ok(rowtide_sink_buffer(&buffer, &sink));
    assert_ok(rowtide_capture_end_stream(capture, sink));
    assert_int_equal(buffer.size, rowtide_changeset_size(changeset));
    assert_memory_equal(buffer.data, rowtide_changeset_data(changeset),
                        buffer.size);
    rowtide_sink_free(sink);
    rowtide_buffer_dispose(&buffer);
    rowtide_changeset_free(changeset);
    rowtide_capture_free(capture);
    rowtide_db_free(db);
}

static void keeps_to_its_memory_limit(void **state)
{
    (void)state;
    rowtide_db *db = scratch_db(SCHEMA);
    rowtide_capture_options options = ROWTIDE_CAPTURE_OPTIONS_INIT;
    rowtide_capture *capture;
    rowtide_changeset *changeset;
    options.memory_limit = 100;
    options.flags = ROWTIDE_CAPTURE_SIZE;
    assert_ok(rowtide_capture_begin(db, &options, &capture));
    scratch_exec(db, "INSERT INTO t VALUES(5, zeroblob(10000), 1)");
    assert_true(rowtide_capture_size(capture) > 0);
    assert_status(rowtide_capture_end(capture, &changeset), ROWTIDE_ETOOBIG);
    assert_null(changeset);
    rowtide_capture_free(capture);
    rowtide_db_free(db);
}

static void names_a_table_that_was_altered_meanwhile(void **state)
{
    (void)state;
    rowtide_db *db = scratch_db(SCHEMA);
    rowtide_capture *capture;
    rowtide_changeset *changeset;
    begin(db, "t", &capture);
    scratch_exec(db, "DELETE FROM t WHERE id = 1; ALTER TABLE t DROP COLUMN b");
    assert_status(rowtide_capture_end(capture, &changeset), ROWTIDE_ESCHEMA);
    assert_message("\"t\"");
    assert_message("lost a column");
    rowtide_capture_free(capture);
    rowtide_db_free(db);
}

static void records_an_attached_schema(void **state)
{
    (void)state;
    rowtide_db *db = scratch_db(SCHEMA "ATTACH ':memory:' AS aux;"
                                       "CREATE TABLE aux.t(x PRIMARY KEY)");
    rowtide_capture_options options = ROWTIDE_CAPTURE_OPTIONS_INIT;
    rowtide_capture *capture;
    rowtide_changeset *changeset;
    options.schema = "aux";
    assert_ok(rowtide_capture_begin(db, &options, &capture));
    scratch_exec(db, "DELETE FROM main.t; INSERT INTO aux.t VALUES(1)");
    assert_ok(rowtide_capture_end(capture, &changeset));
    char *text = changesets_text(changeset);
    assert_string_equal(text, "insert t 1;");
    free(text);
    rowtide_changeset_free(changeset);
    rowtide_capture_free(capture);
    options.schema = "nosuch";
    assert_status(rowtide_capture_begin(db, &options, &capture),
                  ROWTIDE_ESCHEMA);
    rowtide_db_free(db);
}

static void ends_with_its_connection(void **state)
{
    (void)state;
    sqlite3 *sqlite;
    rowtide_db *db;
    rowtide_capture *capture;
    rowtide_changeset *changeset;
    assert_int_equal(sqlite3_open(":memory:", &sqlite), SQLITE_OK);
    assert_ok(rowtide_db_adopt(sqlite, &db));
    scratch_exec(db, SCHEMA);
    assert_ok(rowtide_capture_begin(db, NULL, &capture));
    scratch_exec(db, "DELETE FROM t");
    assert_int_equal(sqlite3_close(sqlite), SQLITE_OK);
    assert_status(rowtide_capture_end(capture, &changeset), ROWTIDE_ECLOSED);
    assert_int_equal(rowtide_capture_is_open(capture), 0);
    rowtide_db_free(db);
    rowtide_capture_free(capture);
}

static void checks_its_arguments(void **state)
{
    (void)state;
    rowtide_db *db = scratch_db(SCHEMA);
    rowtide_capture_options options = ROWTIDE_CAPTURE_OPTIONS_INIT;
    rowtide_capture *capture;
    const char *tables[] = {NULL};
    assert_status(rowtide_capture_begin(NULL, NULL, &capture), ROWTIDE_EINVAL);
    assert_status(rowtide_capture_begin(db, NULL, NULL), ROWTIDE_EINVAL);
    options.tables = tables;
    options.table_count = 1;
    assert_status(rowtide_capture_begin(db, &options, &capture),
                  ROWTIDE_EINVAL);
    options.tables = NULL;
    options.flags = 64;
    assert_status(rowtide_capture_begin(db, &options, &capture),
                  ROWTIDE_EINVAL);
    assert_status(rowtide_capture_end(NULL, NULL), ROWTIDE_EINVAL);
    assert_int_equal(rowtide_capture_is_open(NULL), 0);
    rowtide_capture_free(NULL);
    rowtide_db_free(db);
}

static int capture_scenario(void *all)
{
    rowtide_db *db = NULL;
    rowtide_capture *capture = NULL;
    rowtide_changeset *changeset = NULL;
    const char *tables[] = {"t"};
    rowtide_capture_options options = ROWTIDE_CAPTURE_OPTIONS_INIT;
    int rc = rowtide_db_open(":memory:", NULL, &db);
    if (!*(int *)all) {
        options.tables = tables;
        options.table_count = 1;
    }
    if (rc == ROWTIDE_OK)
        rc = rowtide_db_exec(db, SCHEMA "CREATE TABLE nokey(a)");
    if (rc == ROWTIDE_OK)
        rc = rowtide_capture_begin(db, &options, &capture);
    if (rc == ROWTIDE_OK)
        rc = rowtide_db_exec(db, "UPDATE t SET a = id; INSERT INTO nokey"
                                 " VALUES(1)");
    if (rc == ROWTIDE_OK) {
        int count = rowtide_capture_skipped_count(capture);
        rc = count < 0 ? count : ROWTIDE_OK;
    }
    if (rc == ROWTIDE_OK)
        rc = rowtide_capture_end(capture, &changeset);
    rowtide_changeset_free(changeset);
    rowtide_capture_free(capture);
    rowtide_db_free(db);
    return rc;
}

static void survives_out_of_memory(void **state)
{
    int named = 0, all = 1;
    (void)state;
    oom_loop(capture_scenario, &named);
    oom_loop(capture_scenario, &all);
    oom_loop_sqlite(capture_scenario, &named);
    oom_loop_sqlite(capture_scenario, &all);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(records_each_kind),
        cmocka_unit_test(is_empty_after_rollback),
        cmocka_unit_test(records_named_tables_only),
        cmocka_unit_test(refuses_what_it_cannot_record),
        cmocka_unit_test(refuses_what_this_sqlite_records_wrongly),
        cmocka_unit_test(skips_them_when_it_records_all),
        cmocka_unit_test(asks_the_filter_once_per_table),
        cmocka_unit_test(takes_no_old_message_for_the_filters),
        cmocka_unit_test(records_temporary_tables_made_later),
        cmocka_unit_test(reports_a_filter_that_fails_later_at_the_end),
        cmocka_unit_test(marks_indirect_changes),
        cmocka_unit_test(makes_patchsets),
        cmocka_unit_test(nests_and_peeks),
        cmocka_unit_test(streams_the_same_bytes),
        cmocka_unit_test(keeps_to_its_memory_limit),
        cmocka_unit_test(names_a_table_that_was_altered_meanwhile),
        cmocka_unit_test(records_an_attached_schema),
        cmocka_unit_test(ends_with_its_connection),
        cmocka_unit_test(checks_its_arguments),
        cmocka_unit_test(survives_out_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
