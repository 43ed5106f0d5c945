/*
 * What local writes do to the clocks: versions, sequences, sentinels.
 */
#include "support/crdt.h"
#include "support/oom.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void insert_has_no_sentinel(void **state)
{
    (void)state;
    rowtide_db *db = crdt_db();
    scratch_exec(db, "INSERT INTO t VALUES(1, 2, 'x'), (2, NULL, 3)");
    assert_rows(db, CHANGES,
                "'010901'|'b'|2|1|1|1|0;'010901'|'c'|'x'|1|1|1|1;"
                "'010902'|'b'|NULL|1|1|1|2;'010902'|'c'|3|1|1|1|3;");
    rowtide_db_free(db);
}

static void update_bumps_what_differs(void **state)
{
    (void)state;
    rowtide_db *db = crdt_db();
    scratch_exec(db, "INSERT INTO t VALUES(1, 1, 'x')");
    scratch_exec(db, "UPDATE t SET b = 1.0, c = 'x'");
    scratch_exec(db, "UPDATE t SET b = 1.0, c = 'x'");
    assert_rows(db, CHANGES,
                "'010901'|'c'|'x'|1|1|1|1;'010901'|'b'|1.0|2|2|1|0;");
    assert_int_equal(scratch_integer(db, "SELECT crsql_db_version()"), 2);
    rowtide_db_free(db);
}

static void text_differs_behind_a_nul(void **state)
{
    (void)state;
    rowtide_db *db = crdt_db();
    scratch_exec(db, "INSERT INTO t VALUES(1, CAST(x'6100' AS TEXT), 0);"
                     "UPDATE t SET b = CAST(x'610062' AS TEXT)");
    assert_int_equal(scratch_integer(db, "SELECT max(col_version) FROM "
                                         "crsql_changes"),
                     2);
    rowtide_db_free(db);
}

static void delete_leaves_the_sentinel(void **state)
{
    (void)state;
    rowtide_db *db = crdt_db();
    scratch_exec(db, "INSERT INTO t VALUES(1, 1, 1), (2, 2, 2)");
    scratch_exec(db, "DELETE FROM t WHERE a = 1");
    assert_rows(db, CHANGES,
                "'010902'|'b'|2|1|1|1|2;'010902'|'c'|2|1|1|1|3;"
                "'010901'|'-1'|NULL|2|2|2|0;");
    rowtide_db_free(db);
}

static void insert_again_goes_on(void **state)
{
    (void)state;
    rowtide_db *db = crdt_db();
    scratch_exec(db, "INSERT INTO t VALUES(1, 1, 1)");
    scratch_exec(db, "DELETE FROM t");
    scratch_exec(db, "INSERT INTO t VALUES(1, 5, 6)");
    assert_rows(db, CHANGES,
                "'010901'|'-1'|NULL|3|3|3|0;'010901'|'b'|5|1|3|3|1;"
                "'010901'|'c'|6|1|3|3|2;");
    scratch_exec(db, "INSERT OR REPLACE INTO t VALUES(1, 7, 8)");
    assert_rows(db, CHANGES,
                "'010901'|'-1'|NULL|5|4|5|0;'010901'|'b'|7|2|4|5|1;"
                "'010901'|'c'|8|2|4|5|2;");
    rowtide_db_free(db);
}

static void replace_without_sentinel_burns_a_sequence(void **state)
{
    (void)state;
    rowtide_db *db = crdt_db();
    scratch_exec(db, "INSERT INTO t VALUES(1, 1, 1)");
    scratch_exec(db, "INSERT OR REPLACE INTO t VALUES(1, 1, 1)");
    assert_rows(db, CHANGES, "'010901'|'b'|1|2|2|1|1;'010901'|'c'|1|2|2|1|2;");
    rowtide_db_free(db);
}

static void upsert_is_what_it_does(void **state)
{
    (void)state;
    rowtide_db *db = crdt_db();
    scratch_exec(db, "INSERT INTO t VALUES(1, 1, 1)");
    scratch_exec(db, "INSERT INTO t VALUES(1, 2, 2) ON CONFLICT DO UPDATE SET "
                     "b = excluded.b");
    assert_rows(db, CHANGES, "'010901'|'c'|1|1|1|1|1;'010901'|'b'|2|2|2|1|0;");
    rowtide_db_free(db);
}

static void key_only_tables_have_sentinels(void **state)
{
    (void)state;
    rowtide_db *db = crdt_db_with(
        "CREATE TABLE t(a INTEGER PRIMARY KEY NOT NULL)");
    scratch_exec(db, "INSERT INTO t VALUES(1)");
    assert_rows(db, CHANGES, "'010901'|'-1'|NULL|1|1|1|0;");
    scratch_exec(db, "DELETE FROM t");
    assert_rows(db, CHANGES, "'010901'|'-1'|NULL|2|2|2|0;");
    scratch_exec(db, "INSERT INTO t VALUES(1)");
    assert_rows(db, CHANGES, "'010901'|'-1'|NULL|3|3|3|0;");
    rowtide_db_free(db);
}

/* The cells of a row that has a new key are told anew, so that a peer which
 * pulls from where it stopped gets them. */
static void key_update_tells_the_whole_row(void **state)
{
    (void)state;
    rowtide_db *db = crdt_db();
    scratch_exec(db, "INSERT INTO t VALUES(1, 2, 3)");
    scratch_exec(db, "UPDATE t SET a = 9, b = 4");
    assert_rows(db, CHANGES " WHERE db_version > 1",
                "'010909'|'c'|3|1|2|1|1;'010901'|'-1'|NULL|2|2|2|2;"
                "'010909'|'-1'|NULL|1|2|1|3;'010909'|'b'|4|2|2|1|4;");
    rowtide_db_free(db);
}

static void key_case_is_a_change(void **state)
{
    (void)state;
    rowtide_db *db = crdt_db_with(
        "CREATE TABLE t(a TEXT PRIMARY KEY NOT NULL COLLATE NOCASE, b)");
    scratch_exec(db, "INSERT INTO t VALUES('A', 1)");
    scratch_exec(db, "UPDATE t SET a = 'a'");
    assert_rows(db, CHANGES,
                "'010B0161'|'b'|1|1|2|1|0;'010B0141'|'-1'|NULL|2|2|2|1;"
                "'010B0161'|'-1'|NULL|1|2|1|2;");
    rowtide_db_free(db);
}

static void one_version_for_one_transaction(void **state)
{
    (void)state;
    rowtide_db *db = crdt_db();
    scratch_exec(db, "BEGIN; INSERT INTO t VALUES(1, 1, 1);"
                     "UPDATE t SET b = 2");
    assert_int_equal(scratch_integer(db, "SELECT crsql_db_version()"), 0);
    assert_int_equal(scratch_integer(db, "SELECT crsql_next_db_version()"), 1);
    /* What is not committed can be seen. */
    assert_rows(db, CHANGES, "'010901'|'c'|1|1|1|1|1;'010901'|'b'|2|2|1|1|2;");
    scratch_exec(db, "COMMIT");
    assert_int_equal(scratch_integer(db, "SELECT crsql_db_version()"), 1);
    rowtide_db_free(db);
}

static void next_version_stays_for_the_transaction(void **state)
{
    (void)state;
    rowtide_db *db = crdt_db();
    scratch_exec(db, "BEGIN; SELECT crsql_next_db_version(100);"
                     "INSERT INTO t VALUES(1, 1, 1); COMMIT");
    assert_int_equal(scratch_integer(db, "SELECT crsql_db_version()"), 100);
    rowtide_db_free(db);
}

static void rolling_back_leaves_gaps_only(void **state)
{
    (void)state;
    rowtide_db *db = crdt_db();
    scratch_exec(db, "BEGIN; INSERT INTO t VALUES(1, 1, 1); SAVEPOINT s;"
                     "INSERT INTO t VALUES(2, 2, 2); ROLLBACK TO s;"
                     "INSERT INTO t VALUES(3, 3, 3); COMMIT");
    assert_rows(db, CHANGES,
                "'010901'|'b'|1|1|1|1|0;'010901'|'c'|1|1|1|1|1;"
                "'010903'|'b'|3|1|1|1|4;'010903'|'c'|3|1|1|1|5;");
    scratch_exec(db, "BEGIN; DELETE FROM t; ROLLBACK");
    assert_int_equal(scratch_integer(db, "SELECT count(*) FROM crsql_changes"),
                     4);
    rowtide_db_free(db);
}

/* Reading writes what is pending; going back behind that must undo it. */
static void rolling_back_behind_a_read(void **state)
{
    (void)state;
    rowtide_db *db = crdt_db();
    scratch_exec(db, "BEGIN; INSERT INTO t VALUES(1, 1, 1); SAVEPOINT s;"
                     "UPDATE t SET b = 2; INSERT INTO t VALUES(2, 2, 2)");
    assert_int_equal(scratch_integer(db, "SELECT count(*) FROM crsql_changes"),
                     4);
    scratch_exec(db, "ROLLBACK TO s");
    assert_rows(db, CHANGES, "'010901'|'b'|1|1|1|1|0;'010901'|'c'|1|1|1|1|1;");
    scratch_exec(db, "RELEASE s; COMMIT");
    assert_rows(db, CHANGES, "'010901'|'b'|1|1|1|1|0;'010901'|'c'|1|1|1|1|1;");
    rowtide_db_free(db);
}

/* The row that is replaced may have been changed more often. */
static void update_or_replace_wins(void **state)
{
    (void)state;
    rowtide_db *a = crdt_db(), *b = crdt_db();
    scratch_exec(a, "INSERT INTO t VALUES(1, 'one', 1), (2, 'two', 2);"
                    "UPDATE t SET b = b || '!' WHERE a = 2;"
                    "UPDATE t SET b = b || '!', c = 9 WHERE a = 2");
    assert_ok(rowtide_crdt_sync(a, b));
    scratch_exec(a, "UPDATE OR REPLACE t SET a = 2 WHERE a = 1");
    assert_ok(rowtide_crdt_sync(a, b));
    assert_ok(rowtide_crdt_sync(b, a));
    assert_rows(a, "SELECT * FROM t", "2|'one'|1;");
    assert_rows(b, "SELECT * FROM t", "2|'one'|1;");
    scratch_same(a, b,
                 "SELECT hex(pk), cid, val, col_version, cl FROM "
                 "crsql_changes ORDER BY 1, 2");
    rowtide_db_free(a);
    rowtide_db_free(b);
}

/* A peer that sent the greatest version there is does not make what is
 * written here unacceptable to others. */
static void greatest_version_of_a_cell_stays(void **state)
{
    (void)state;
    rowtide_db *a = crdt_db(), *b = crdt_db();
    scratch_exec(a, "INSERT INTO crsql_changes VALUES('t', x'010901', 'b', 1, "
                    "9007199254740992, 5, x'07', 1, 0)");
    scratch_exec(a, "UPDATE t SET b = 2");
    assert_ok(rowtide_crdt_sync(a, b));
    assert_rows(b, "SELECT * FROM t", "1|2|NULL;");
    rowtide_db_free(a);
    rowtide_db_free(b);
}

/* Where the next integer is none. */
static void sweep_passes_the_greatest_key(void **state)
{
    (void)state;
    rowtide_db *db = crdt_db();
    scratch_exec(db, "INSERT INTO t VALUES(9223372036854775807, 0, 0)");
    for (int i = 0; i < 600; i++)
        scratch_exec(db, "UPDATE t SET b = b + 1");
    assert_int_equal(scratch_integer(db, "SELECT count(*) FROM crsql_changes"),
                     2);
    rowtide_db_free(db);
}

/* What is left of a run may begin behind what another site numbered. */
static void sweep_keeps_the_order(void **state)
{
    (void)state;
    rowtide_db *db = crdt_db();
    scratch_exec(
        db, "BEGIN; WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 "
            "FROM n WHERE i < 20) INSERT INTO t SELECT i, i, i FROM n;"
            "INSERT INTO crsql_changes VALUES('t', x'01097F', 'b', 1, 1, 1, "
            "x'07', 1, 5), ('t', x'01097F', 'c', 1, 1, 1, x'07', 1, 30);"
            "COMMIT");
    for (int i = 0; i < 900; i++)
        scratch_exec(db, "UPDATE t SET b = b + 1 WHERE a IN (2, 9)");
    assert_int_equal(
        scratch_integer(db,
                        "SELECT count(*) FROM (SELECT db_version, seq, "
                        "lag(db_version) OVER () AS v, lag(seq) OVER () AS s "
                        "FROM crsql_changes) WHERE db_version = v AND "
                        "seq < s"),
        0);
    rowtide_db_free(db);
}

/* To SQLite it is one key, in the log there are two. */
static void key_changes_its_case(void **state)
{
    (void)state;
    static const char TABLE[] = "CREATE TABLE t(a TEXT NOT NULL COLLATE NOCASE "
                                "PRIMARY KEY, b, c)";
    rowtide_db *a = crdt_db_with(TABLE), *b = crdt_db_with(TABLE);
    scratch_exec(a, "INSERT INTO t VALUES('x', 1, 2)");
    assert_ok(rowtide_crdt_sync(a, b));
    scratch_exec(a, "UPDATE t SET a = 'X'");
    assert_ok(rowtide_crdt_sync(a, b));
    assert_ok(rowtide_crdt_sync(a, b));
    assert_rows(b, "SELECT * FROM t", "'X'|1|2;");
    scratch_exec(b, "UPDATE t SET b = 3");
    scratch_exec(a, "INSERT OR REPLACE INTO t VALUES('x', 5, 6)");
    assert_ok(rowtide_crdt_sync(a, b));
    assert_ok(rowtide_crdt_sync(a, b));
    assert_int_equal(scratch_integer(b, "SELECT count(*) FROM t"), 1);
    rowtide_db_free(a);
    rowtide_db_free(b);
}

static void sentinel_that_contradicts_itself(void **state)
{
    (void)state;
    rowtide_db *a = crdt_db(), *b = crdt_db();
    scratch_exec(a, "INSERT INTO t VALUES(1, 1, 1)");
    assert_ok(rowtide_crdt_sync(a, b));
    scratch_exec(a, "INSERT INTO crsql_changes VALUES('t', x'010901', '-1', "
                    "NULL, 0, 5, x'07', 2, 0);"
                    "INSERT INTO t VALUES(1, 2, 2); UPDATE t SET b = 3");
    assert_ok(rowtide_crdt_sync(a, b));
    assert_rows(b, "SELECT * FROM t", "1|3|2;");
    rowtide_db_free(a);
    rowtide_db_free(b);
}

/* Its triggers would find the table of the same number here. */
static void attached_database_is_not_written(void **state)
{
    (void)state;
    const char *path = scratch_new_path();
    rowtide_db *other = scratch_db_file(
        path, "CREATE TABLE t(a INTEGER PRIMARY KEY NOT NULL, b, c)");
    assert_ok(rowtide_crdt_enable(other, "t"));
    rowtide_db_free(other);
    rowtide_db *db = crdt_db();
    char sql[600];
    snprintf(sql, sizeof sql, "ATTACH '%s' AS o", path);
    scratch_exec(db, sql);
    assert_true(rowtide_db_exec(db, "INSERT INTO o.t VALUES(1, 1, 1)") < 0);
    assert_rows(db, "SELECT * FROM o.t", "");
    assert_rows(db, CHANGES, "");
    scratch_exec(db, "BEGIN; INSERT INTO t VALUES(5, 5, 5)");
    assert_true(rowtide_db_exec(db, "INSERT INTO o.t VALUES(1, 1, 1)") < 0);
    assert_non_null(strstr(rowtide_error_message(), "attached database \"o\""));
    assert_rows(db, "SELECT * FROM o.t", "");
    scratch_exec(db, "COMMIT; UPDATE t SET b = 6");
    assert_rows(db, "SELECT hex(pk), val FROM crsql_changes",
                "'010905'|5;'010905'|6;");
    rowtide_db_free(db);
}

/* One that has no such tables may be written to at the same time. */
static void attached_database_without_tables_of_ours(void **state)
{
    (void)state;
    rowtide_db *db = crdt_db();
    scratch_exec(db, "ATTACH ':memory:' AS o; CREATE TABLE o.x(a); BEGIN;"
                     "INSERT INTO o.x VALUES(1); INSERT INTO t VALUES(1, 1, 1);"
                     "INSERT INTO o.x VALUES(2); UPDATE t SET b = 2; COMMIT");
    assert_int_equal(scratch_integer(db, "SELECT count(*) FROM crsql_changes"),
                     2);
    scratch_exec(db, "BEGIN; INSERT INTO t VALUES(2, 1, 1); COMMIT; DETACH o");
    rowtide_db_free(db);
}

static void failing_statement_tracks_nothing(void **state)
{
    (void)state;
    rowtide_db *db = crdt_db_with(
        "CREATE TABLE t(a INTEGER PRIMARY KEY NOT NULL, "
        "b CHECK(b < 10), c)");
    scratch_exec(db, "BEGIN; INSERT INTO t VALUES(1, 1, 1)");
    assert_status(rowtide_db_exec(db, "INSERT INTO t VALUES(2, 2, 2), "
                                      "(3, 99, 3)"),
                  ROWTIDE_ECONSTRAINT);
    scratch_exec(db, "COMMIT");
    assert_int_equal(scratch_integer(db, "SELECT count(*) FROM crsql_changes"),
                     2);
    rowtide_db_free(db);
}

static void bulk_is_one_run(void **state)
{
    (void)state;
    rowtide_db *db = crdt_db();
    scratch_exec(db,
                 "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM "
                 "n WHERE i < 5000) INSERT INTO t SELECT i, i, -i FROM n");
    assert_int_equal(
        scratch_integer(db, "SELECT count(*) FROM rowtide_crdt_rows_1"), 1);
    scratch_exec(db, "UPDATE t SET b = 0 WHERE a = 2500");
    assert_int_equal(scratch_integer(db, "SELECT count(*) FROM crsql_changes"),
                     10000);
    assert_rows(db,
                CHANGES " WHERE [table] = 't' AND pk = "
                        "crsql_pack_columns(2501)",
                "'0111"
                "09C5'|'b'|2501|1|1|1|5000;"
                "'011109C5'|'c'|-2501|1|1|1|5001;");
    assert_rows(db, CHANGES " ORDER BY db_version DESC, seq DESC LIMIT 2",
                "'011109C4'|'b'|0|2|2|1|0;'01111388'|'c'|-5000|1|1|1|9999;");
    rowtide_db_free(db);
}

static void hundreds_of_columns(void **state)
{
    (void)state;
    rowtide_db *db = scratch_db(NULL);
    char *sql = malloc(20000), *at = sql;
    at += sprintf(at, "CREATE TABLE t(a INTEGER PRIMARY KEY NOT NULL");
    for (int i = 0; i < 300; i++)
        at += sprintf(at, ", c%d", i);
    sprintf(at, ")");
    scratch_exec(db, sql);
    free(sql);
    assert_ok(rowtide_crdt_enable(db, "t"));
    scratch_exec(db, "INSERT INTO t(a) VALUES(1);"
                     "UPDATE t SET c0 = 1, c150 = 2, c299 = 3");
    assert_rows(db, CHANGES " WHERE db_version = 2",
                "'010901'|'c0'|1|2|2|1|0;'010901'|'c150'|2|2|2|1|1;"
                "'010901'|'c299'|3|2|2|1|2;");
    rowtide_db_free(db);
}

static void any_name(void **state)
{
    (void)state;
    rowtide_db *db = scratch_db(
        "CREATE TABLE \"o'r\"\"der x\"(\"k y\" TEXT, \"va\"\"l\", \"select\", "
        "PRIMARY KEY(\"k y\")) WITHOUT ROWID");
    assert_ok(rowtide_crdt_enable(db, "o'r\"der x"));
    scratch_exec(db, "INSERT INTO \"o'r\"\"der x\" VALUES('p', 1, 2)");
    assert_rows(db, "SELECT [table], cid, val FROM crsql_changes",
                "'o''r\"der x'|'va\"l'|1;'o''r\"der x'|'select'|2;");
    rowtide_db_free(db);
}

static void others_cannot_write(void **state)
{
    (void)state;
    const char *path = scratch_new_path();
    rowtide_db *db = scratch_db_file(
        path, "CREATE TABLE t(a INTEGER PRIMARY KEY NOT NULL, b)");
    assert_ok(rowtide_crdt_enable(db, "t"));
    rowtide_db_free(db);
    sqlite3 *plain;
    assert_int_equal(sqlite3_open(path, &plain), SQLITE_OK);
    assert_int_equal(
        sqlite3_exec(plain, "INSERT INTO t VALUES(1, 1)", NULL, NULL, NULL),
        SQLITE_ERROR);
    assert_string_equal(sqlite3_errmsg(plain),
                        "no such function: crsql_after_insert");
    assert_int_equal(sqlite3_close(plain), SQLITE_OK);
}

static void two_connections(void **state)
{
    (void)state;
    const char *path = scratch_new_path();
    rowtide_db *a = scratch_db_file(
        path, "PRAGMA journal_mode = WAL;"
              "CREATE TABLE t(a INTEGER PRIMARY KEY NOT NULL, b)");
    assert_ok(rowtide_crdt_enable(a, "t"));
    rowtide_db *b = scratch_db_file(path, NULL);
    assert_ok(rowtide_crdt_open(b));
    for (int i = 0; i < 3; i++) {
        scratch_exec(a,
                     "INSERT INTO t SELECT coalesce(max(a), 0) + 1, 1 FROM t");
        scratch_exec(b, "UPDATE t SET b = b + 1");
    }
    assert_int_equal(scratch_integer(a, "SELECT crsql_db_version()"), 6);
    assert_rows(a, CHANGES,
                "'010901'|'b'|4|4|6|1|0;'010902'|'b'|3|3|6|1|1;"
                "'010903'|'b'|2|2|6|1|2;");
    scratch_same(a, b, CHANGES);
    /* A table that the other one enables and alters. */
    scratch_exec(b, "CREATE TABLE u(a INTEGER PRIMARY KEY NOT NULL, b)");
    assert_ok(rowtide_crdt_enable(b, "u"));
    scratch_exec(a, "INSERT INTO u VALUES(1, 1)");
    assert_int_equal(scratch_integer(b, "SELECT count(*) FROM crsql_changes "
                                        "WHERE [table] = 'u'"),
                     1);
    rowtide_db_free(a);
    rowtide_db_free(b);
}

static void statements_do_not_hinder_closing(void **state)
{
    (void)state;
    sqlite3 *sqlite;
    rowtide_db *db;
    assert_int_equal(sqlite3_open(":memory:", &sqlite), SQLITE_OK);
    assert_ok(rowtide_db_adopt(sqlite, &db));
    scratch_exec(db, "CREATE TABLE t(a INTEGER PRIMARY KEY NOT NULL, b)");
    assert_ok(rowtide_crdt_enable(db, "t"));
    scratch_exec(db, "INSERT INTO t VALUES(1, 1)");
    assert_int_equal(scratch_integer(db, "SELECT count(*) FROM crsql_changes"),
                     1);
    assert_int_equal(sqlite3_close(sqlite), SQLITE_OK);
    rowtide_db_free(db);
}

static void the_log_does_not_grow_forever(void **state)
{
    (void)state;
    rowtide_db *db = crdt_db();
    scratch_exec(db, "INSERT INTO t VALUES(1, 0, 0), (2, 0, 0)");
    for (int i = 0; i < 30000; i++)
        scratch_exec(db, "UPDATE t SET b = b + 1 WHERE a = 1");
    assert_in_range(
        scratch_integer(db, "SELECT count(*) FROM rowtide_crdt_log"), 2, 1500);
    assert_rows(db, CHANGES,
                "'010901'|'c'|0|1|1|1|1;'010902'|'b'|0|1|1|1|2;"
                "'010902'|'c'|0|1|1|1|3;'010901'|'b'|30000|30001|30001|1|0;");
    rowtide_db_free(db);
}

static int out_of_memory(void *path)
{
    (void)path;
    rowtide_db *db = NULL;
    int rc = rowtide_db_open(":memory:", NULL, &db);
    if (rc == ROWTIDE_OK)
        rc = rowtide_db_exec(db, "CREATE TABLE t(a TEXT PRIMARY KEY NOT NULL, "
                                 "b, c)");
    if (rc == ROWTIDE_OK)
        rc = rowtide_crdt_enable(db, "t");
    if (rc == ROWTIDE_OK)
        rc = rowtide_db_exec(db,
                             "BEGIN; INSERT INTO t VALUES('a', 1, 1), ('b', "
                             "2, 2); UPDATE t SET a = 'c' WHERE a = 'b';"
                             "UPDATE t SET b = 3; COMMIT;"
                             "INSERT INTO crsql_changes VALUES('t', "
                             "x'010b0161', 'c', 9, 9, 9, x'01', 1, 0);"
                             "SELECT * FROM crsql_changes;"
                             "SELECT * FROM t__crsql_clock");
    rowtide_db_free(db);
    return rc;
}

static void memory_runs_out(void **state)
{
    (void)state;
    oom_loop(out_of_memory, NULL);
}

static void hook_calls(void *count, int operation, const char *schema,
                       const char *table, sqlite3_int64 rowid)
{
    (void)operation, (void)schema, (void)rowid;
    *(int *)count += table[0] == 't';
}

static int commit_calls(void *count)
{
    ++*(int *)count;
    return 0;
}

static void hooks_are_left_alone(void **state)
{
    (void)state;
    int updates = 0, commits = 0;
    rowtide_db *db = crdt_db();
    sqlite3_update_hook(rowtide_db_sqlite(db), hook_calls, &updates);
    sqlite3_commit_hook(rowtide_db_sqlite(db), commit_calls, &commits);
    scratch_exec(db, "INSERT INTO t VALUES(7, 1, 1)");
    assert_int_equal(updates, 1);
    assert_int_equal(commits, 1);
    assert_int_equal(rowtide_db_last_insert_rowid(db), 7);
    assert_ok(rowtide_crdt_open(db));
    scratch_exec(db, "INSERT INTO t VALUES(8, 1, 1)");
    assert_int_equal(commits, 2);
    rowtide_db_free(db);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(insert_has_no_sentinel),
        cmocka_unit_test(update_bumps_what_differs),
        cmocka_unit_test(text_differs_behind_a_nul),
        cmocka_unit_test(delete_leaves_the_sentinel),
        cmocka_unit_test(insert_again_goes_on),
        cmocka_unit_test(replace_without_sentinel_burns_a_sequence),
        cmocka_unit_test(upsert_is_what_it_does),
        cmocka_unit_test(key_only_tables_have_sentinels),
        cmocka_unit_test(key_update_tells_the_whole_row),
        cmocka_unit_test(key_case_is_a_change),
        cmocka_unit_test(one_version_for_one_transaction),
        cmocka_unit_test(next_version_stays_for_the_transaction),
        cmocka_unit_test(rolling_back_leaves_gaps_only),
        cmocka_unit_test(rolling_back_behind_a_read),
        cmocka_unit_test(update_or_replace_wins),
        cmocka_unit_test(greatest_version_of_a_cell_stays),
        cmocka_unit_test(sweep_passes_the_greatest_key),
        cmocka_unit_test(sweep_keeps_the_order),
        cmocka_unit_test(key_changes_its_case),
        cmocka_unit_test(sentinel_that_contradicts_itself),
        cmocka_unit_test(attached_database_is_not_written),
        cmocka_unit_test(attached_database_without_tables_of_ours),
        cmocka_unit_test(failing_statement_tracks_nothing),
        cmocka_unit_test(bulk_is_one_run),
        cmocka_unit_test(hundreds_of_columns),
        cmocka_unit_test(any_name),
        cmocka_unit_test(others_cannot_write),
        cmocka_unit_test(two_connections),
        cmocka_unit_test(statements_do_not_hinder_closing),
        cmocka_unit_test(hooks_are_left_alone),
        cmocka_unit_test(the_log_does_not_grow_forever),
        cmocka_unit_test(memory_runs_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
