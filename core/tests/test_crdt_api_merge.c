#include "support/oom.h"
#include "support/peers.h"
#include "support/scratch.h"

#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

static const char rows[] = "SELECT * FROM notes ORDER BY id";

static rowtide_crdt_pull *open_pull(rowtide_db *db,
                                    const rowtide_crdt_pull_options *options)
{
    rowtide_crdt_pull *pull = NULL;
    assert_ok(rowtide_crdt_pull_open(db, options, &pull));
    return pull;
}

static int64_t count_changes(rowtide_db *db,
                             const rowtide_crdt_pull_options *options)
{
    rowtide_crdt_change change;
    rowtide_crdt_pull *pull = open_pull(db, options);
    int64_t count = 0;
    int rc;
    while ((rc = rowtide_crdt_pull_next(pull, &change)) == ROWTIDE_OK)
        count++;
    assert_int_equal(rc, ROWTIDE_DONE);
    assert_int_equal(rowtide_crdt_pull_next(pull, &change), ROWTIDE_DONE);
    rowtide_crdt_pull_free(pull);
    return count;
}

/* ## Pull */

static void pull_gives_changes_in_order(void **state)
{
    (void)state;
    rowtide_crdt_change change;
    unsigned char site[ROWTIDE_SITE_ID_SIZE];
    rowtide_db *db = peers_db("INSERT INTO notes VALUES(1, 'milk', 0);"
                              "UPDATE notes SET done = 1");
    assert_ok(rowtide_crdt_site_id(db, site));
    rowtide_crdt_pull *pull = open_pull(db, NULL);
    assert_ok(rowtide_crdt_pull_next(pull, &change));
    assert_string_equal(change.table, "notes");
    assert_string_equal(change.column, "title");
    assert_int_equal(change.pk_size, 3);
    assert_memory_equal(change.pk, "\x01\x09\x01", 3);
    assert_int_equal(change.value.type, ROWTIDE_TEXT);
    assert_memory_equal(change.value.data, "milk", 4);
    assert_int_equal(change.db_version, 1);
    assert_int_equal(change.column_version, 1);
    assert_int_equal(change.causal_length, 1);
    assert_int_equal(change.site_id_size, sizeof site);
    assert_memory_equal(change.site_id, site, sizeof site);
    assert_ok(rowtide_crdt_pull_next(pull, &change));
    assert_string_equal(change.column, "done");
    assert_int_equal(change.db_version, 2);
    assert_int_equal(change.column_version, 2);
    assert_int_equal(change.value.integer, 1);
    assert_int_equal(rowtide_crdt_pull_next(pull, &change), ROWTIDE_DONE);
    rowtide_crdt_pull_free(pull);
    rowtide_db_free(db);
}

static void pull_chooses(void **state)
{
    (void)state;
    static const char *const both[] = {"other", "NOTES", NULL};
    static const char *const one[] = {"Other", NULL};
    static const char *const none[] = {NULL};
    unsigned char site[ROWTIDE_SITE_ID_SIZE], own[ROWTIDE_SITE_ID_SIZE];
    rowtide_db *a = peers_db("INSERT INTO notes VALUES(1, 'milk', 0);"
                             "CREATE TABLE other(id TEXT PRIMARY KEY NOT NULL, "
                             "x)");
    rowtide_db *b = peers_db("INSERT INTO notes VALUES(2, 'bread', 0)");
    assert_ok(rowtide_crdt_enable(a, "other"));
    scratch_exec(a, "INSERT INTO other VALUES('k', 1)");
    assert_ok(peers_merge_rows(a, b, NULL));
    assert_ok(rowtide_crdt_site_id(b, site));
    assert_ok(rowtide_crdt_site_id(a, own));
    rowtide_crdt_pull_options options = ROWTIDE_CRDT_PULL_OPTIONS_INIT;
    assert_int_equal(count_changes(a, &options), 5);
    options.tables = both;
    assert_int_equal(count_changes(a, &options), 5);
    options.tables = one;
    assert_int_equal(count_changes(a, &options), 1);
    options.tables = none;
    assert_int_equal(count_changes(a, &options), 0);
    options.tables = NULL;
    options.exclude = site;
    options.exclude_size = sizeof site;
    assert_int_equal(count_changes(a, &options), 3);
    options.only_local = 1;
    assert_int_equal(count_changes(a, &options), 3);
    options.exclude = own;
    assert_int_equal(count_changes(a, &options), 0);
    options.exclude = NULL;
    options.exclude_size = 0;
    assert_int_equal(count_changes(a, &options), 3);
    options.only_local = 0;
    options.since = 1;
    assert_int_equal(count_changes(a, &options), 3);
    options.until = 2;
    assert_int_equal(count_changes(a, &options), 1);
    rowtide_db_free(a);
    rowtide_db_free(b);
}

static void pull_refuses(void **state)
{
    (void)state;
    static const char *const missing[] = {"missing", NULL};
    rowtide_db *db = peers_db(NULL);
    rowtide_crdt_pull *pull = NULL;
    rowtide_crdt_change change;
    rowtide_crdt_pull_options options = ROWTIDE_CRDT_PULL_OPTIONS_INIT;
    options.tables = missing;
    assert_status(rowtide_crdt_pull_open(db, &options, &pull), ROWTIDE_ESCHEMA);
    assert_message("missing");
    assert_null(pull);
    options.tables = NULL;
    options.since = -1;
    assert_status(rowtide_crdt_pull_open(db, &options, &pull), ROWTIDE_EINVAL);
    options.since = 0;
    options.size = 0;
    assert_status(rowtide_crdt_pull_open(db, &options, &pull), ROWTIDE_EINVAL);
    assert_status(rowtide_crdt_pull_open(NULL, NULL, &pull), ROWTIDE_EINVAL);
    assert_status(rowtide_crdt_pull_open(db, NULL, NULL), ROWTIDE_EINVAL);
    assert_status(rowtide_crdt_pull_next(NULL, &change), ROWTIDE_EINVAL);
    pull = open_pull(db, NULL);
    assert_status(rowtide_crdt_pull_next(pull, NULL), ROWTIDE_EINVAL);
    assert_ok(rowtide_db_close(db));
    assert_status(rowtide_crdt_pull_next(pull, &change), ROWTIDE_ECLOSED);
    rowtide_crdt_pull_free(pull);
    rowtide_crdt_pull_free(NULL);
    rowtide_db_free(db);
}

/* The owner of an adopted connection closes it. */
static void pull_from_a_connection_that_closes(void **state)
{
    (void)state;
    sqlite3 *sqlite = NULL;
    rowtide_db *db = NULL;
    rowtide_crdt_change change;
    assert_int_equal(sqlite3_open(":memory:", &sqlite), SQLITE_OK);
    assert_ok(rowtide_db_adopt(sqlite, &db));
    scratch_exec(db, "CREATE TABLE notes(id INTEGER PRIMARY KEY NOT NULL, x);"
                     "INSERT INTO notes VALUES(1, 1), (2, 2)");
    assert_ok(rowtide_crdt_enable(db, "notes"));
    rowtide_crdt_pull *pull = open_pull(db, NULL);
    assert_ok(rowtide_crdt_pull_next(pull, &change));
    assert_int_equal(sqlite3_close_v2(sqlite), SQLITE_OK);
    assert_status(rowtide_crdt_pull_next(pull, &change), ROWTIDE_ECLOSED);
    rowtide_crdt_pull_free(pull);
    rowtide_db_free(db);
}

/* What changes meanwhile may be seen or not; nothing breaks. */
static void pull_while_the_database_changes(void **state)
{
    (void)state;
    rowtide_crdt_change change;
    rowtide_db *db = peers_db("INSERT INTO notes VALUES(1, 'a', 0), (2, 'b', "
                              "0), (3, 'c', 0)");
    rowtide_crdt_pull *pull = open_pull(db, NULL);
    rowtide_crdt_pull *second = open_pull(db, NULL);
    assert_ok(rowtide_crdt_pull_next(pull, &change));
    assert_ok(rowtide_crdt_pull_next(second, &change));
    scratch_exec(db, "DELETE FROM notes WHERE id = 2; UPDATE notes SET done = "
                     "done + 1; INSERT INTO notes VALUES(4, 'd', 1)");
    while (rowtide_crdt_pull_next(pull, &change) == ROWTIDE_OK)
        rowtide_crdt_pull_next(second, &change);
    scratch_exec(db, "ALTER TABLE notes RENAME TO things");
    assert_int_equal(rowtide_crdt_pull_next(pull, &change), ROWTIDE_DONE);
    rowtide_crdt_pull_free(second);
    rowtide_crdt_pull_free(pull);
    rowtide_db_free(db);
}

/* ## Merge */

static void merge_reports(void **state)
{
    (void)state;
    rowtide_crdt_report *report = NULL;
    const char *table;
    int64_t applied, ignored;
    rowtide_db *a = peers_db("INSERT INTO notes VALUES(1, 'milk', 0);"
                             "INSERT INTO notes VALUES(2, 'bread', 1);"
                             "UPDATE notes SET done = 1 WHERE id = 1");
    rowtide_db *b = peers_db(NULL);
    assert_ok(peers_merge_rows(b, a, &report));
    assert_int_equal(rowtide_crdt_report_count(report), 4);
    assert_int_equal(rowtide_crdt_report_applied(report), 4);
    assert_int_equal(rowtide_crdt_report_version(report), 3);
    rowtide_crdt_report_free(report);
    assert_ok(peers_merge_rows(b, a, &report));
    assert_int_equal(rowtide_crdt_report_applied(report), 0);
    assert_int_equal(rowtide_crdt_report_ignored(report), 4);
    assert_int_equal(rowtide_crdt_report_table_count(report), 1);
    assert_ok(rowtide_crdt_report_table(report, 0, &table, &applied, &ignored));
    assert_string_equal(table, "notes");
    assert_int_equal(applied, 0);
    assert_int_equal(ignored, 4);
    assert_status(
        rowtide_crdt_report_table(report, 1, &table, &applied, &ignored),
        ROWTIDE_EINVAL);
    assert_null(table);
    rowtide_crdt_report_free(report);
    rowtide_crdt_report_free(NULL);
    peers_same(a, b);
    rowtide_db_free(a);
    rowtide_db_free(b);
}

static rowtide_crdt_change bad_change(void)
{
    rowtide_crdt_change change = {.table = "notes",
                                  .pk = "\x01\x09\x05",
                                  .pk_size = 3,
                                  .column = "no such column",
                                  .value = rowtide_value_null(),
                                  .column_version = 1,
                                  .db_version = 1,
                                  .site_id = "x",
                                  .site_id_size = 1,
                                  .causal_length = 1};
    return change;
}

/* After an error nothing of the merge remains, and the caller's transaction
 * is as it was. */
static void a_failure_undoes_the_merge_only(void **state)
{
    (void)state;
    rowtide_db *db = peers_db("BEGIN; INSERT INTO notes VALUES(1, 'mine', 0)");
    rowtide_crdt_merge *merge = NULL;
    rowtide_crdt_report *report = NULL;
    rowtide_crdt_change change = bad_change();
    assert_ok(rowtide_crdt_merge_begin(db, &merge));
    change.column = "title";
    assert_ok(rowtide_crdt_merge_add(merge, &change));
    change = bad_change();
    assert_true(rowtide_crdt_merge_add(merge, &change) < 0);
    assert_message("no such column");
    assert_status(rowtide_crdt_merge_add(merge, &change), ROWTIDE_EMISUSE);
    assert_status(rowtide_crdt_merge_end(merge, &report), ROWTIDE_EMISUSE);
    assert_null(report);
    rowtide_crdt_merge_free(merge);
    assert_int_equal(rowtide_db_in_transaction(db), 1);
    assert_rows(db, rows, "1|'mine'|0;");
    scratch_exec(db, "COMMIT; INSERT INTO notes VALUES(2, 'still', 1)");
    assert_rows(db, rows, "1|'mine'|0;2|'still'|1;");
    assert_rows(db,
                "SELECT count(*), sum(site_id = crsql_site_id()) FROM "
                "crsql_changes",
                "4|4;");
    rowtide_db_free(db);
}

static void a_merge_that_is_not_ended_is_undone(void **state)
{
    (void)state;
    rowtide_db *db = peers_db(NULL);
    rowtide_crdt_merge *merge = NULL;
    rowtide_crdt_change change = bad_change();
    change.column = "title";
    assert_ok(rowtide_crdt_merge_begin(db, &merge));
    assert_int_equal(rowtide_db_in_transaction(db), 1);
    assert_ok(rowtide_crdt_merge_add(merge, &change));
    rowtide_crdt_merge_free(merge);
    assert_int_equal(rowtide_db_in_transaction(db), 0);
    assert_rows(db, rows, "");
    assert_ok(rowtide_crdt_merge_begin(db, &merge));
    assert_ok(rowtide_crdt_merge_add(merge, &change));
    assert_ok(rowtide_db_close(db));
    assert_status(rowtide_crdt_merge_add(merge, &change), ROWTIDE_ECLOSED);
    rowtide_crdt_merge_free(merge);
    rowtide_db_free(db);
}

static void a_transaction_that_was_ended_meanwhile(void **state)
{
    (void)state;
    rowtide_db *db = peers_db(NULL);
    rowtide_crdt_merge *merge = NULL;
    rowtide_crdt_change change = bad_change();
    change.column = "title";
    assert_ok(rowtide_crdt_merge_begin(db, &merge));
    assert_ok(rowtide_crdt_merge_add(merge, &change));
    scratch_exec(db, "ROLLBACK");
    assert_status(rowtide_crdt_merge_add(merge, &change), ROWTIDE_EMISUSE);
    rowtide_crdt_merge_free(merge);
    assert_rows(db, rows, "");
    rowtide_db_free(db);
}

static void changes_that_are_none(void **state)
{
    (void)state;
    rowtide_db *db = peers_db(NULL);
    rowtide_crdt_change wrong[6];
    for (int i = 0; i < 6; i++)
        wrong[i] = bad_change();
    wrong[0].table = NULL;
    wrong[1].column = NULL;
    wrong[2].pk = NULL;
    wrong[3].value = rowtide_value_undefined();
    wrong[4].value.type = (rowtide_type)9;
    wrong[5].value = (rowtide_value){.type = ROWTIDE_TEXT, .size = 3};
    for (int i = 0; i < 6; i++) {
        rowtide_crdt_merge *merge = NULL;
        assert_ok(rowtide_crdt_merge_begin(db, &merge));
        assert_status(rowtide_crdt_merge_add(merge, &wrong[i]), ROWTIDE_EINVAL);
        rowtide_crdt_merge_free(merge);
    }
    assert_status(rowtide_crdt_merge_begin(db, NULL), ROWTIDE_EINVAL);
    assert_status(rowtide_crdt_merge_add(NULL, &wrong[0]), ROWTIDE_EINVAL);
    assert_status(rowtide_crdt_merge_end(NULL, NULL), ROWTIDE_EINVAL);
    rowtide_crdt_merge_free(NULL);
    rowtide_db_free(db);
}

/* ## Tables */

static void enable_and_disable(void **state)
{
    (void)state;
    rowtide_db *db = scratch_db("CREATE TABLE t(a INTEGER PRIMARY KEY NOT "
                                "NULL, b); CREATE TABLE u(a, b)");
    assert_int_equal(rowtide_crdt_is_enabled(db, "t"), 0);
    assert_ok(rowtide_crdt_enable(db, "t"));
    assert_ok(rowtide_crdt_enable(db, "t"));
    assert_int_equal(rowtide_crdt_is_enabled(db, "T"), 1);
    assert_int_equal(rowtide_crdt_is_enabled(db, "missing"), 0);
    assert_status(rowtide_crdt_enable(db, "u"), ROWTIDE_ESCHEMA);
    assert_message("primary key");
    scratch_exec(db, "INSERT INTO t VALUES(1, 2)");
    assert_int_equal(peers_version(db), 1);
    assert_ok(rowtide_crdt_begin_alter(db, "t"));
    scratch_exec(db, "ALTER TABLE t ADD COLUMN c");
    assert_ok(rowtide_crdt_commit_alter(db, "t"));
    scratch_exec(db, "UPDATE t SET c = 3");
    assert_rows(db,
                "SELECT cid, val FROM crsql_changes WHERE db_version = "
                "crsql_db_version()",
                "'c'|3;");
    assert_ok(rowtide_crdt_disable(db, "t"));
    assert_ok(rowtide_crdt_disable(db, "t"));
    assert_int_equal(rowtide_crdt_is_enabled(db, "t"), 0);
    assert_rows(db, "SELECT * FROM t", "1|2|3;");
    assert_status(rowtide_crdt_enable(db, NULL), ROWTIDE_EINVAL);
    assert_status(rowtide_crdt_version(db, NULL), ROWTIDE_EINVAL);
    assert_status(rowtide_crdt_site_id(db, NULL), ROWTIDE_EINVAL);
    assert_status(rowtide_crdt_open(NULL), ROWTIDE_EINVAL);
    rowtide_db_free(db);
}

/* ## Memory */

static int scenario(void *ctx)
{
    rowtide_db *a = NULL, *b = ctx;
    rowtide_crdt_report *report = NULL;
    int rc = rowtide_db_open(":memory:", NULL, &a);
    if (rc == ROWTIDE_OK)
        rc = rowtide_db_exec(a, "CREATE TABLE notes(id INTEGER PRIMARY KEY NOT "
                                "NULL, title TEXT, done INTEGER)");
    if (rc == ROWTIDE_OK)
        rc = rowtide_crdt_enable(a, "notes");
    if (rc == ROWTIDE_OK)
        rc = peers_merge_rows(a, b, &report);
    rowtide_crdt_report_free(report);
    rowtide_db_free(a);
    return rc;
}

/* ## A row is written at once */

static void cells_that_only_fit_together(void **state)
{
    (void)state;
    static const char table[] =
        "CREATE TABLE p(id INTEGER PRIMARY KEY NOT NULL, low DEFAULT 0, "
        "high DEFAULT 0, CHECK (low <= high), CHECK (high < 100))";
    rowtide_db *a = scratch_db(table), *b = scratch_db(table);
    assert_ok(rowtide_crdt_enable(a, "p"));
    assert_ok(rowtide_crdt_enable(b, "p"));
    scratch_exec(a, "INSERT INTO p VALUES(1, 5, 9)");
    assert_ok(peers_merge_rows(b, a, NULL));
    assert_rows(b, "SELECT * FROM p", "1|5|9;");
    scratch_exec(a, "PRAGMA ignore_check_constraints=ON;"
                    "INSERT INTO p VALUES(2, 5, 900)");
    assert_status(peers_merge_rows(b, a, NULL), ROWTIDE_ECONSTRAINT);
    assert_message("table \"p\", key 2, column ");
    assert_rows(b, "SELECT * FROM p", "1|5|9;");
    assert_rows(b, "SELECT count(*) FROM crsql_changes", "2;");
    rowtide_db_free(a);
    rowtide_db_free(b);
}

static void writes_and_reads_in_the_middle(void **state)
{
    (void)state;
    rowtide_crdt_change change;
    rowtide_crdt_merge *merge = NULL;
    rowtide_db *a = peers_db("INSERT INTO notes VALUES(1, 'milk', 3);"
                             "INSERT INTO notes VALUES(2, 'bread', 4)");
    rowtide_db *b = peers_db(NULL);
    rowtide_crdt_pull *pull = open_pull(a, NULL);
    assert_ok(rowtide_crdt_merge_begin(b, &merge));
    assert_ok(rowtide_crdt_pull_next(pull, &change));
    assert_ok(rowtide_crdt_merge_add(merge, &change));
    assert_rows(b, "SELECT pk, cid, val FROM crsql_changes",
                "x'010901'|'title'|'milk';");
    assert_ok(rowtide_crdt_pull_next(pull, &change));
    assert_ok(rowtide_crdt_merge_add(merge, &change));
    scratch_exec(b, "INSERT INTO notes VALUES(7, 'own', 0);"
                    "UPDATE notes SET title = 'cream' WHERE id = 1");
    while (rowtide_crdt_pull_next(pull, &change) == ROWTIDE_OK)
        assert_ok(rowtide_crdt_merge_add(merge, &change));
    assert_ok(rowtide_crdt_merge_end(merge, NULL));
    rowtide_crdt_merge_free(merge);
    rowtide_crdt_pull_free(pull);
    assert_rows(b, rows, "1|'cream'|3;2|'bread'|4;7|'own'|0;");
    assert_ok(peers_merge_rows(a, b, NULL));
    assert_rows(a, rows, "1|'cream'|3;2|'bread'|4;7|'own'|0;");
    rowtide_db_free(a);
    rowtide_db_free(b);
}

static void survives_out_of_memory(void **state)
{
    (void)state;
    rowtide_db *b = peers_db("INSERT INTO notes VALUES(1, 'milk', 0);"
                             "INSERT INTO notes VALUES(2, 'bread', 0);"
                             "DELETE FROM notes WHERE id = 1");
    oom_loop(scenario, b);
    rowtide_db_free(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pull_gives_changes_in_order),
        cmocka_unit_test(pull_chooses),
        cmocka_unit_test(pull_refuses),
        cmocka_unit_test(pull_from_a_connection_that_closes),
        cmocka_unit_test(pull_while_the_database_changes),
        cmocka_unit_test(merge_reports),
        cmocka_unit_test(a_failure_undoes_the_merge_only),
        cmocka_unit_test(a_merge_that_is_not_ended_is_undone),
        cmocka_unit_test(a_transaction_that_was_ended_meanwhile),
        cmocka_unit_test(changes_that_are_none),
        cmocka_unit_test(enable_and_disable),
        cmocka_unit_test(cells_that_only_fit_together),
        cmocka_unit_test(writes_and_reads_in_the_middle),
        cmocka_unit_test(survives_out_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
