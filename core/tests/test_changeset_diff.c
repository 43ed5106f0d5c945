#include "support/changesets.h"
#include "support/oom.h"
#include "support/scratch.h"

#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

#define TWO(columns)                                                           \
    "ATTACH ':memory:' AS aux; CREATE TABLE main.t(" columns ");"              \
    "CREATE TABLE aux.t(" columns ");"

static void assert_diff(rowtide_db *db, const char *expected)
{
    rowtide_changeset *changeset;
    assert_ok(rowtide_changeset_diff(db, "main", "aux", NULL, &changeset));
    char *text = changesets_text(changeset);
    assert_string_equal(text, expected);
    free(text);
    rowtide_changeset_free(changeset);
}

static void finds_deletes_updates_and_inserts_in_this_order(void **state)
{
    (void)state;
    rowtide_db *db = scratch_db(
        TWO("id INTEGER PRIMARY KEY, a, b") "INSERT INTO main.t VALUES(1, 1, "
                                            "1), (2, 2, 2), (4, 4, 4);"
                                            "INSERT INTO aux.t VALUES(3, 3, "
                                            "3), (2, 2, 'two'), (4, 4, 4);");
    assert_diff(db, "delete t 1|1|1;update t 2|-|2 -> -|-|'two';"
                    "insert t 3|3|3;");
    assert_int_equal(rowtide_db_in_transaction(db), 0);
    rowtide_db_free(db);
}

static void compares_exactly(void **state)
{
    (void)state;
    rowtide_db *db = scratch_db(
        TWO("k TEXT COLLATE NOCASE PRIMARY KEY, a COLLATE "
            "NOCASE, b") "INSERT INTO main.t VALUES('x', 'A', "
                         "1), ('y', 0, 0);"
                         "INSERT INTO aux.t VALUES('x', 'a', "
                         "1.0), ('Y', 0, 0);");
    assert_diff(db, "delete t 'y'|0|0;update t 'x'|'A'|1 -> -|'a'|1;"
                    "insert t 'Y'|0|0;");
    rowtide_db_free(db);
}

static void handles_keys_of_every_shape(void **state)
{
    (void)state;
    rowtide_db *db = scratch_db(TWO(
        "a, b, c, PRIMARY KEY(c, a)") "INSERT INTO main.t VALUES(1, 1, 1), "
                                      "(NULL, 1, 1), (1, 1, 2.0);"
                                      "INSERT INTO aux.t VALUES(1, 2, 1), "
                                      "(NULL, 2, 1), (1, 1, 2);"
                                      "CREATE TABLE main.w(a PRIMARY KEY) "
                                      "WITHOUT ROWID;"
                                      "CREATE TABLE aux.w(a PRIMARY KEY);"
                                      "INSERT INTO main.w VALUES(x'00'), "
                                      "('z'); INSERT INTO aux.w VALUES(5);");
    assert_diff(db, "delete t 1|1|2;update t 1|1|1 -> -|2|-;insert t 1|1|2;"
                    "delete w 'z';delete w blob(1);insert w 5;");
    rowtide_db_free(db);
}

static int count_work(void *user)
{
    ++*(int *)user;
    return 0;
}

/* SQLite takes such an index for useless, and compared all with all. */
static void passes_over_keys_that_are_null(void **state)
{
    (void)state;
    int thousands = 0;
    rowtide_db *db = scratch_db(
        TWO("k TEXT, n INT, a, PRIMARY KEY(k, n)") //
        "WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c "
        "LIMIT 2000) INSERT INTO main.t SELECT NULL, NULL, i FROM c;"
        "INSERT INTO aux.t SELECT k, n, -a FROM main.t; ANALYZE;"
        "INSERT INTO main.t VALUES('x', 1, 1);"
        "INSERT INTO aux.t VALUES('x', 1, 2)");
    sqlite3 *sqlite = rowtide_db_sqlite(db);
    sqlite3_progress_handler(sqlite, 1000, count_work, &thousands);
    assert_diff(db, "update t 'x'|1|1 -> -|-|2;");
    sqlite3_progress_handler(sqlite, 0, NULL, NULL);
    assert_true(thousands < 500);
    rowtide_db_free(db);
}

static void leaves_out_generated_columns(void **state)
{
    (void)state;
    rowtide_db *db = scratch_db(
        TWO("id INTEGER PRIMARY KEY, g AS (a + 1), a, s AS (a) "
            "STORED, b") "INSERT INTO main.t VALUES(1, 1, 'x'); "
                         "INSERT INTO aux.t"
                         " VALUES(1, 2, 'x');");
    assert_diff(db, "update t 1|1|- -> -|2|-;");
    rowtide_db_free(db);
}

static void refuses_tables_that_differ(void **state)
{
    (void)state;
    static const struct {
        const char *schema, *message;
    } cases[] = {
        {"CREATE TABLE main.u(a PRIMARY KEY)", "\"u\" does not exist in aux"},
        {"CREATE TABLE aux.u(a PRIMARY KEY)", "\"u\" does not exist in main"},
        {"CREATE TABLE main.u(a PRIMARY KEY, b); CREATE TABLE aux.u(a PRIMARY"
         " KEY)",
         "has 2 columns in main, 1 in aux"},
        {"CREATE TABLE main.u(a PRIMARY KEY, b);"
         "CREATE TABLE aux.u(a PRIMARY KEY, c)",
         "column 2 is \"b\" in main, \"c\" in aux"},
        {"CREATE TABLE main.u(a, b, PRIMARY KEY(a, b));"
         "CREATE TABLE aux.u(a, b, PRIMARY KEY(b, a))",
         "another primary key"},
        {"CREATE TABLE main.u(a PRIMARY KEY); CREATE VIEW aux.u AS SELECT 1 a",
         "is a view in aux"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        rowtide_db *db = scratch_db(TWO("id INTEGER PRIMARY KEY"));
        rowtide_changeset *changeset;
        scratch_exec(db, cases[i].schema);
        assert_status(
            rowtide_changeset_diff(db, "main", "aux", NULL, &changeset),
            ROWTIDE_ESCHEMA);
        assert_null(changeset);
        assert_message(cases[i].message);
        assert_int_equal(rowtide_db_in_transaction(db), 0);
        rowtide_db_free(db);
    }
}

static int only_t(const char *table, void *user)
{
    (void)user;
    return strcmp(table, "t") == 0;
}

static void takes_named_and_filtered_tables(void **state)
{
    (void)state;
    rowtide_db *db = scratch_db(
        TWO("id INTEGER PRIMARY KEY") "INSERT INTO aux.t VALUES(1);"
                                      "CREATE TABLE aux.u(a PRIMARY KEY);"
                                      "CREATE TABLE main.nokey(a);"
                                      "CREATE TABLE aux.rowtide_audit(a"
                                      " PRIMARY KEY);");
    rowtide_diff_options options = ROWTIDE_DIFF_OPTIONS_INIT;
    rowtide_changeset *changeset;
    const char *tables[] = {"T", "u"};
    options.filter = only_t;
    assert_ok(rowtide_changeset_diff(db, "main", "aux", &options, &changeset));
    assert_int_equal(rowtide_changeset_change_count(changeset), 1);
    rowtide_changeset_free(changeset);
    options.filter = NULL;
    options.tables = tables;
    options.table_count = 1;
    options.flags = ROWTIDE_CAPTURE_PATCHSET;
    assert_ok(rowtide_changeset_diff(db, "main", "aux", &options, &changeset));
    assert_int_equal(rowtide_changeset_is_patchset(changeset), 1);
    rowtide_changeset_free(changeset);
    options.table_count = 2;
    assert_status(
        rowtide_changeset_diff(db, "main", "aux", &options, &changeset),
        ROWTIDE_ESCHEMA);
    assert_status(rowtide_changeset_diff(db, "main", "no", NULL, &changeset),
                  ROWTIDE_ESCHEMA);
    assert_status(rowtide_changeset_diff(db, NULL, "aux", NULL, &changeset),
                  ROWTIDE_EINVAL);
    assert_status(rowtide_changeset_diff(NULL, "main", "aux", NULL, &changeset),
                  ROWTIDE_EINVAL);
    rowtide_db_free(db);
}

static int stop(const rowtide_progress *progress, void *user)
{
    (void)user;
    assert_string_equal(progress->phase, "diff");
    return ROWTIDE_STOP;
}

static char *wide_table(const char *schema, int columns)
{
    sqlite3_str *sql = sqlite3_str_new(NULL);
    sqlite3_str_appendf(sql, "CREATE TABLE %s.t(a PRIMARY KEY", schema);
    for (int i = 1; i < columns; i++)
        sqlite3_str_appendf(sql, ", c%d", i);
    sqlite3_str_appendf(sql, ");INSERT INTO %s.t(a) VALUES(1)", schema);
    return sqlite3_str_finish(sql);
}

static void compares_wide_tables(void **state)
{
    (void)state;
    static const int widths[] = {999, 1000, 1001};
    for (int i = 0; i < 3; i++) {
        rowtide_db *db = scratch_db("ATTACH ':memory:' AS other");
        char *here = wide_table("main", widths[i]);
        char *there = wide_table("other", widths[i]);
        rowtide_changeset *changeset;
        scratch_exec(db, here);
        scratch_exec(db, there);
        scratch_exec(db, "UPDATE other.t SET c1 = 1, c998 = 2");
        int rc = rowtide_changeset_diff(db, "main", "other", NULL, &changeset);
        if (widths[i] <= 1000) {
            assert_ok(rc);
            assert_int_equal(rowtide_changeset_change_count(changeset), 1);
            assert_ok(rowtide_changeset_apply(db, changeset, NULL, NULL));
            scratch_exec(db, "CREATE TEMP TABLE same AS SELECT * FROM main.t"
                             " INTERSECT SELECT * FROM other.t");
            assert_int_equal(scratch_integer(db, "SELECT count(*) FROM same"),
                             1);
        } else {
            assert_status(rc, ROWTIDE_ETOOBIG);
            assert_message("table \"t\" has 1001 columns");
        }
        rowtide_changeset_free(changeset);
        sqlite3_free(here);
        sqlite3_free(there);
        rowtide_db_free(db);
    }
}

static void can_be_cancelled(void **state)
{
    (void)state;
    rowtide_db *db = scratch_db(TWO("id INTEGER PRIMARY KEY"));
    rowtide_diff_options options = ROWTIDE_DIFF_OPTIONS_INIT;
    rowtide_changeset *changeset;
    options.progress = stop;
    assert_status(
        rowtide_changeset_diff(db, "main", "aux", &options, &changeset),
        ROWTIDE_ECANCELLED);
    assert_int_equal(rowtide_db_in_transaction(db), 0);
    rowtide_db_free(db);
}

/* What is found, applied, makes the one the other; whatever the values. */
static void makes_one_the_other(void **state)
{
    (void)state;
    for (int seed = 1; seed <= 20; seed++) {
        rowtide_db *db = scratch_db(TWO("id INTEGER PRIMARY KEY, a UNIQUE, b"));
        char sql[600];
        for (int side = 0; side < 2; side++) {
            sqlite3_snprintf(
                sizeof sql, sql,
                "WITH RECURSIVE n(i) AS (VALUES(1) UNION ALL SELECT i + 1 FROM"
                " n WHERE i < 60) INSERT OR IGNORE INTO %s.t SELECT"
                " (i * %d) %% 101, (i * %d + 7) %% 97, CASE (i + %d) %% 5"
                " WHEN 0 THEN NULL WHEN 1 THEN i WHEN 2 THEN i / 2.0"
                " WHEN 3 THEN 'v' || i ELSE zeroblob(i %% 4) END FROM n",
                side ? "aux" : "main", seed * 2 + 1 + side, seed + 3 * side + 1,
                seed * side);
            scratch_exec(db, sql);
        }
        rowtide_changeset *changeset;
        assert_ok(rowtide_changeset_diff(db, "main", "aux", NULL, &changeset));
        assert_true(rowtide_changeset_change_count(changeset) > 0);
        assert_ok(rowtide_changeset_apply(db, changeset, NULL, NULL));
        assert_rows(db,
                    "SELECT * FROM (SELECT *, typeof(b) FROM main.t EXCEPT"
                    " SELECT *, typeof(b) FROM aux.t) UNION ALL SELECT * FROM"
                    " (SELECT *, typeof(b) FROM aux.t EXCEPT"
                    " SELECT *, typeof(b) FROM main.t)",
                    "");
        rowtide_changeset_free(changeset);
        assert_diff(db, "");
        rowtide_db_free(db);
    }
}

static void streams_the_same(void **state)
{
    (void)state;
    rowtide_db *db = scratch_db(
        TWO("id INTEGER PRIMARY KEY, a") "WITH RECURSIVE n(i) AS (VALUES(1) "
                                         "UNION ALL SELECT i + 1 FROM n WHERE"
                                         " i < 3000) INSERT INTO aux.t SELECT "
                                         "i, hex(zeroblob(20)) FROM n;");
    rowtide_changeset *changeset;
    rowtide_buffer buffer = ROWTIDE_BUFFER_INIT;
    rowtide_sink *sink;
    assert_ok(rowtide_changeset_diff(db, "main", "aux", NULL, &changeset));
    assert_ok(rowtide_sink_buffer(&buffer, &sink));
    assert_ok(rowtide_changeset_diff_stream(db, "main", "aux", NULL, sink));
    assert_int_equal(buffer.size, rowtide_changeset_size(changeset));
    assert_memory_equal(buffer.data, rowtide_changeset_data(changeset),
                        buffer.size);
    rowtide_sink_free(sink);
    rowtide_buffer_dispose(&buffer);
    rowtide_changeset_free(changeset);
    rowtide_db_free(db);
}

static void compares_files_of_any_name(void **state)
{
    (void)state;
    char from[300], to[300];
    rowtide_changeset *changeset;
    strcpy(from, scratch_path("from it's?a#b%20.db"));
    strcpy(to, scratch_path("to \"it\"?mode=rw#x%41'.db"));
    rowtide_db_free(scratch_db_file(from, "CREATE TABLE t(id INTEGER PRIMARY"
                                          " KEY)"));
    rowtide_db_free(scratch_db_file(to, "CREATE TABLE t(id INTEGER PRIMARY"
                                        " KEY); INSERT INTO t VALUES(9)"));
    assert_ok(rowtide_changeset_diff_files(from, to, NULL, &changeset));
    char *text = changesets_text(changeset);
    assert_string_equal(text, "insert t 9;");
    free(text);
    rowtide_changeset_free(changeset);
    int missing = rowtide_changeset_diff_files(from, scratch_path("missing.db"),
                                               NULL, &changeset);
    assert_true(missing < 0);
    assert_message("missing.db");
    assert_int_equal(scratch_exists(scratch_path("missing.db")), 0);
    assert_status(rowtide_changeset_diff_files(NULL, to, NULL, &changeset),
                  ROWTIDE_EINVAL);
}

static int diff_scenario(void *ctx)
{
    (void)ctx;
    rowtide_db *db = NULL;
    rowtide_changeset *changeset = NULL;
    int rc = rowtide_db_open(":memory:", NULL, &db);
    if (rc == ROWTIDE_OK)
        rc = rowtide_db_exec(
            db, TWO("id INTEGER PRIMARY KEY, a") "INSERT INTO aux.t VALUES(1, "
                                                 "'x'), (2, 2);"
                                                 "INSERT INTO main.t VALUES(1, "
                                                 "'y'), (3, 3)");
    if (rc == ROWTIDE_OK)
        rc = rowtide_changeset_diff(db, "main", "aux", NULL, &changeset);
    rowtide_changeset_free(changeset);
    rowtide_db_free(db);
    return rc;
}

static void survives_out_of_memory(void **state)
{
    (void)state;
    oom_loop(diff_scenario, NULL);
    oom_loop_sqlite(diff_scenario, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_deletes_updates_and_inserts_in_this_order),
        cmocka_unit_test(compares_exactly),
        cmocka_unit_test(handles_keys_of_every_shape),
        cmocka_unit_test(passes_over_keys_that_are_null),
        cmocka_unit_test(leaves_out_generated_columns),
        cmocka_unit_test(refuses_tables_that_differ),
        cmocka_unit_test(takes_named_and_filtered_tables),
        cmocka_unit_test(compares_wide_tables),
        cmocka_unit_test(can_be_cancelled),
        cmocka_unit_test(makes_one_the_other),
        cmocka_unit_test(streams_the_same),
        cmocka_unit_test(compares_files_of_any_name),
        cmocka_unit_test(survives_out_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
