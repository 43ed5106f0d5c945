/*
 * Small transactions leave what they set in the tail of the log. Whatever they
 * are, and whoever writes or reads, it must look as if they had not.
 */
#include "support/crdt.h"
#include "support/oom.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define ALL                                                                    \
    "SELECT [table], hex(pk), cid, val, col_version, db_version, cl, seq "     \
    "FROM "

static rowtide_db *open_file(const char *path, const char *sql)
{
    return crdt_open_file(path, 512, sql);
}

static rowtide_db *new_file(const char *path)
{
    return open_file(path, "PRAGMA journal_mode = WAL;" TABLES);
}

/* The same statements, but each is read back before it is committed: then it
 * goes to clocks and log at once. */
static void run_plainly(rowtide_db *db, const char *sql)
{
    scratch_exec(db, "BEGIN");
    scratch_exec(db, sql);
    scratch_integer(db, "SELECT count(*) FROM crsql_changes");
    scratch_exec(db, "COMMIT");
}

static const char *statement(char *out, size_t size, int i)
{
    static const char *const FORMS[] = {
        "INSERT INTO t VALUES(%d, 'b', %d)",
        "INSERT INTO u VALUES('key ' || %d, 'v', %d)",
        "UPDATE t SET b = %d WHERE a %% 7 = %d %% 7 AND a < 20",
        "UPDATE u SET w = %2$d WHERE k = 'key ' || (%1$d - 3)",
        "UPDATE t SET c = %2$d WHERE a = %1$d - 4",
        "DELETE FROM t WHERE a = %d - 5 AND %d %% 3 = 0",
        "UPDATE u SET k = 'moved ' || %2$d WHERE k = 'key ' || (%1$d - 10)",
        "DELETE FROM u WHERE k = 'key ' || (%d - 7) AND %d %% 2",
    };
    snprintf(out, size, FORMS[i % 8], i, i);
    return out;
}

static void assert_same(rowtide_db *a, rowtide_db *b)
{
    scratch_same(a, b, ALL "crsql_changes");
    scratch_same(a, b, ALL "crsql_changes ORDER BY db_version DESC, seq DESC");
    scratch_same(a, b, "SELECT * FROM t__crsql_clock");
    scratch_same(a, b, "SELECT * FROM u__crsql_clock");
    scratch_same(a, b, "SELECT * FROM u__crsql_pks");
    scratch_same(a, b, "SELECT * FROM t");
    scratch_same(a, b, "SELECT * FROM u");
    scratch_same(a, b, "SELECT crsql_db_version()");
}

static void compare_ranges(rowtide_db *a, rowtide_db *b, int last)
{
    char sql[200];
    for (int since = 0; since < last; since += 37) {
        snprintf(sql, sizeof sql,
                 ALL "crsql_changes WHERE db_version > %d AND "
                     "db_version <= %d",
                 since, since + 50);
        scratch_same(a, b, sql);
        snprintf(sql, sizeof sql,
                 ALL "crsql_changes WHERE db_version < %d ORDER BY db_version "
                     "DESC, seq DESC LIMIT 5",
                 since);
        scratch_same(a, b, sql);
        snprintf(sql, sizeof sql, ALL "crsql_changes WHERE db_version = %d",
                 since);
        scratch_same(a, b, sql);
        snprintf(sql, sizeof sql,
                 ALL "crsql_changes WHERE [table] = 't' AND "
                     "pk = crsql_pack_columns(%d)",
                 since);
        scratch_same(a, b, sql);
    }
}

static void as_without_it(void **state)
{
    (void)state;
    enum { COUNT = 2500 };
    char sql[200];
    rowtide_db *a = new_file(scratch_new_path());
    rowtide_db *b = new_file(":memory:");
    for (int i = 0; i < COUNT; i++) {
        scratch_exec(a, statement(sql, sizeof sql, i));
        run_plainly(b, sql);
        if (i % 500 == 250)
            assert_same(a, b);
    }
    assert_same(a, b);
    compare_ranges(a, b, COUNT);
    rowtide_db_free(a);
    rowtide_db_free(b);
}

/* Inside transactions, of which each has a few statements. */
static void as_without_it_in_transactions(void **state)
{
    (void)state;
    char sql[3][200];
    rowtide_db *a = new_file(scratch_new_path());
    rowtide_db *b = new_file(":memory:");
    for (int i = 0; i < 900; i += 3) {
        scratch_exec(a, "BEGIN");
        scratch_exec(b, "BEGIN");
        for (int j = 0; j < 3; j++) {
            scratch_exec(a, statement(sql[j], sizeof sql[j], i + j));
            scratch_exec(b, sql[j]);
        }
        scratch_integer(b, "SELECT count(*) FROM crsql_changes");
        scratch_exec(a, i % 5 ? "COMMIT" : "ROLLBACK");
        scratch_exec(b, i % 5 ? "COMMIT" : "ROLLBACK");
    }
    assert_same(a, b);
    rowtide_db_free(a);
    rowtide_db_free(b);
}

static void connections_in_turn(void **state)
{
    (void)state;
    char sql[200];
    const char *path = scratch_new_path();
    rowtide_db *both[] = {new_file(path), open_file(path, "")};
    rowtide_db *third = open_file(path, "PRAGMA query_only = 1");
    rowtide_db *b = new_file(":memory:");
    for (int i = 0; i < 1500; i++) {
        rowtide_db *db = both[i % 3 == 0 || i % 7 == 0];
        statement(sql, sizeof sql, i);
        if (i % 10 == 9)
            run_plainly(db, sql);
        else
            scratch_exec(db, sql);
        run_plainly(b, sql);
        if (i % 5 == 0)
            scratch_same(i % 2 ? third : both[i % 4 == 0], b,
                         ALL "crsql_changes WHERE db_version > "
                             "crsql_db_version() - 3");
    }
    for (int i = 0; i < 2; i++)
        assert_same(both[i], b);
    assert_same(third, b);
    rowtide_db_free(both[0]);
    rowtide_db_free(both[1]);
    rowtide_db_free(third);
    rowtide_db_free(b);
}

/* A part of the tail that was full becomes a segment. */
static int64_t count_segments(rowtide_db *db)
{
    return scratch_integer(db, "SELECT count(*) - 1 FROM rowtide_crdt_tail");
}

static void write_until_segments(rowtide_db *db, rowtide_db *plain, int *next,
                                 int64_t wanted)
{
    char sql[200];
    while (count_segments(db) != wanted) {
        statement(sql, sizeof sql, (*next)++);
        scratch_exec(db, sql);
        run_plainly(plain, sql);
    }
}

/* What one connection wrote and its commit hook then refused, a segment now and
 * then, the other one writes otherwise. */
static void segments_that_are_rolled_back(void **state)
{
    (void)state;
    char sql[200];
    const char *path = scratch_new_path();
    rowtide_db *a = new_file(path), *b = open_file(path, "");
    rowtide_db *plain = new_file(":memory:");
    int refused = 0;
    sqlite3_commit_hook(rowtide_db_sqlite(a), crdt_refuse, &refused);
    for (int i = 0; i < 1200; i++) {
        snprintf(sql, sizeof sql, "INSERT INTO u VALUES('gone %d', 1, %d)", i,
                 i);
        refused = 1;
        assert_status(rowtide_db_exec(a, sql), ROWTIDE_ECONSTRAINT);
        refused = 0;
        statement(sql, sizeof sql, i);
        scratch_exec(i % 3 ? b : a, sql);
        run_plainly(plain, sql);
        if (i % 60 == 0)
            assert_same(i % 40 ? a : b, plain);
    }
    assert_same(a, plain);
    assert_same(b, plain);
    rowtide_db_free(a);
    rowtide_db_free(b);
    rowtide_db_free(plain);
}

/* A connection that slept reads what it missed: nothing, something, several
 * segments, or all of it anew. */
static void segments_that_others_wrote(void **state)
{
    (void)state;
    const char *path = scratch_new_path();
    rowtide_db *a = new_file(path), *b = open_file(path, "");
    rowtide_db *plain = new_file(":memory:");
    int next = 0;
    for (int64_t wanted = 1; wanted <= 24; wanted += 1 + wanted / 3) {
        write_until_segments(a, plain, &next, wanted);
        assert_same(b, plain);
    }
    write_until_segments(a, plain, &next, 0);
    write_until_segments(a, plain, &next, 3);
    assert_same(b, plain);
    rowtide_db *fresh = open_file(path, "");
    assert_same(fresh, plain);
    rowtide_db_free(fresh);
    rowtide_db_free(a);
    rowtide_db_free(b);
    rowtide_db_free(plain);
}

/* Successive rows share records, however many transactions wrote them. */
static void stays_small(void **state)
{
    (void)state;
    char sql[200];
    rowtide_db *db = new_file(scratch_new_path());
    for (int i = 1; i <= 3000; i++) {
        snprintf(sql, sizeof sql, "INSERT INTO t VALUES(%d, 1, 2)", i);
        scratch_exec(db, sql);
    }
    assert_in_range(
        scratch_integer(db, "SELECT count(*) FROM rowtide_crdt_rows_1"), 1, 20);
    assert_in_range(
        scratch_integer(db, "SELECT sum(length(body)) FROM rowtide_crdt_log"),
        1, 1000);
    assert_int_equal(scratch_integer(db, "SELECT count(*) FROM crsql_changes"),
                     6000);
    assert_rows(db,
                "SELECT db_version, seq, val FROM crsql_changes WHERE "
                "db_version = 2000",
                "2000|0|1;2000|1|2;");
    for (int i = 1; i <= 3000; i++) {
        snprintf(sql, sizeof sql, "UPDATE t SET b = 0 WHERE a = %d", i);
        scratch_exec(db, sql);
    }
    for (int i = 1; i <= 2000; i++) {
        snprintf(sql, sizeof sql, "DELETE FROM t WHERE a = %d", i);
        scratch_exec(db, sql);
    }
    assert_in_range(
        scratch_integer(db, "SELECT sum(length(body)) FROM rowtide_crdt_log"),
        1, 4000);
    assert_int_equal(scratch_integer(db, "SELECT count(*) FROM crsql_changes"),
                     4000);
    rowtide_db_free(db);
}

/* ## What is undone */

#define PICKY                                                                  \
    "CREATE TRIGGER picky AFTER INSERT ON t WHEN new.c = 'no' BEGIN "          \
    "SELECT RAISE(ABORT, 'no'); END"

static void statements_that_fail(void **state)
{
    (void)state;
    const char *path = scratch_new_path();
    rowtide_db *a = new_file(path), *b = open_file(path, "");
    rowtide_db *plain = new_file(":memory:");
    scratch_exec(a, PICKY);
    for (int i = 0; i < 40; i++) {
        char sql[200], bad[200];
        snprintf(bad, sizeof bad, "INSERT INTO t VALUES(%d, %d, 'no')", 100 + i,
                 i);
        if (i % 4 == 3)
            snprintf(bad, sizeof bad,
                     "INSERT INTO t VALUES(%d, 1, 1), (%d, 1, 'no')", 100 + i,
                     200 + i);
        snprintf(sql, sizeof sql, "INSERT INTO t VALUES(%d, 1, %d)", i, i);
        /* The version that was rolled back is given to another one. */
        assert_int_not_equal(rowtide_db_exec(a, bad), ROWTIDE_OK);
        scratch_exec(i % 2 ? a : b, sql);
        run_plainly(plain, sql);
        snprintf(sql, sizeof sql, "UPDATE t SET b = %d WHERE a = %d", i, i / 2);
        if (i % 3 == 0)
            scratch_exec(a, "BEGIN");
        scratch_exec(a, sql);
        if (i % 3 == 0)
            scratch_exec(a, "COMMIT");
        run_plainly(plain, sql);
    }
    scratch_same(a, plain, ALL "crsql_changes");
    scratch_same(b, plain, ALL "crsql_changes");
    scratch_same(a, plain, "SELECT * FROM t");
    rowtide_db_free(a);
    rowtide_db_free(b);
    rowtide_db_free(plain);
}

static void savepoints(void **state)
{
    (void)state;
    rowtide_db *a = new_file(scratch_new_path());
    rowtide_db *b = new_file(":memory:");
    rowtide_db *both[] = {a, b};
    for (int i = 0; i < 2; i++) {
        rowtide_db *db = both[i];
        scratch_exec(db, "INSERT INTO t VALUES(1, 1, 1);"
                         "INSERT INTO u VALUES('x', 1, 1)");
        scratch_exec(db, "BEGIN; UPDATE t SET b = 2; SAVEPOINT s;"
                         "INSERT INTO u VALUES('y', 1, 1)");
        if (i == 1)
            scratch_integer(db, "SELECT count(*) FROM crsql_changes");
        scratch_exec(db, "ROLLBACK TO s; INSERT INTO u VALUES('z', 1, 1);"
                         "RELEASE s; COMMIT");
        scratch_exec(db, "UPDATE u SET v = 5; DELETE FROM t");
    }
    assert_same(a, b);
    rowtide_db_free(a);
    rowtide_db_free(b);
}

/* A statement that is not at its end holds the transaction open. */
static void rows_that_are_returned(void **state)
{
    (void)state;
    rowtide_db *db = new_file(scratch_new_path());
    sqlite3 *sqlite = rowtide_db_sqlite(db);
    sqlite3_stmt *stmt;
    scratch_exec(db, "INSERT INTO t VALUES(1, 1, 1)");
    assert_int_equal(
        sqlite3_prepare_v2(sqlite, "INSERT INTO t VALUES(2, 2, 2) RETURNING a",
                           -1, &stmt, NULL),
        SQLITE_OK);
    assert_int_equal(sqlite3_step(stmt), SQLITE_ROW);
    assert_int_equal(scratch_integer(db, "SELECT crsql_db_version()"), 1);
    scratch_exec(db, "INSERT INTO u VALUES('x', 1, 1)");
    scratch_exec(db, "UPDATE t SET b = 9 WHERE a = 2");
    assert_int_equal(scratch_integer(db, "SELECT crsql_next_db_version()"), 2);
    assert_int_equal(sqlite3_step(stmt), SQLITE_DONE);
    sqlite3_finalize(stmt);
    assert_rows(db,
                "SELECT [table], cid, val, col_version, db_version, seq FROM "
                "crsql_changes WHERE db_version > 1",
                "'t'|'c'|2|1|2|1;'u'|'v'|1|1|2|2;'u'|'w'|1|1|2|3;"
                "'t'|'b'|9|2|2|4;");
    assert_int_equal(scratch_integer(db, "SELECT crsql_db_version()"), 2);
    rowtide_db_free(db);
}

static void triggers_that_write(void **state)
{
    (void)state;
    rowtide_db *db = new_file(scratch_new_path());
    scratch_exec(db, "CREATE TRIGGER more AFTER INSERT ON t BEGIN "
                     "INSERT INTO u VALUES(new.a, crsql_db_version(), 0); "
                     "UPDATE t SET c = 7 WHERE a = new.a; END");
    for (int i = 0; i < 3; i++)
        scratch_exec(db, "INSERT INTO t SELECT count(*), 1, 1 FROM t");
    assert_rows(db,
                "SELECT [table], cid, val, col_version, db_version FROM "
                "crsql_changes WHERE db_version = 3 ORDER BY [table], cid",
                "'t'|'b'|1|1|3;'t'|'c'|7|2|3;'u'|'v'|2|1|3;'u'|'w'|0|1|3;");
    rowtide_db_free(db);
}

static void process_that_is_killed(void **state)
{
    (void)state;
    const char *path = scratch_new_path();
    rowtide_db_free(new_file(path));
    pid_t child = fork();
    if (child == 0) {
        rowtide_db *db = open_file(path, "");
        char sql[100];
        for (int i = 0; i < 400; i++) {
            snprintf(sql, sizeof sql, "INSERT INTO u VALUES(%d, 1, 1)", i);
            rowtide_db_exec(db, sql);
        }
        rowtide_db_exec(db, "BEGIN; INSERT INTO u VALUES('not', 1, 1)");
        _exit(0);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    rowtide_db *db = open_file(path, "");
    assert_int_equal(scratch_integer(db, "SELECT count(*) FROM u"), 400);
    assert_int_equal(scratch_integer(db, "SELECT count(*) FROM crsql_changes"),
                     800);
    assert_int_equal(scratch_integer(db, "SELECT crsql_db_version()"), 400);
    rowtide_db_free(db);
}

/* ## Tables that change under it */

static void tables_that_go(void **state)
{
    (void)state;
    const char *path = scratch_new_path();
    rowtide_db *a = new_file(path), *b = open_file(path, "");
    scratch_exec(a, "INSERT INTO t VALUES(1, 1, 1); INSERT INTO t VALUES(2, 2, "
                    "2); INSERT INTO u VALUES('x', 1, 1)");
    scratch_exec(b, "BEGIN; SELECT crsql_as_table('u'); ROLLBACK");
    assert_int_equal(scratch_integer(b, "SELECT count(*) FROM crsql_changes"),
                     6);
    scratch_exec(b, "SELECT crsql_as_table('u')");
    assert_int_equal(scratch_integer(a, "SELECT count(*) FROM crsql_changes"),
                     4);
    scratch_exec(b,
                 "SELECT crsql_as_crr('u'); INSERT INTO u VALUES('y', 1, 1)");
    assert_int_equal(
        scratch_integer(a, "SELECT count(*) FROM crsql_changes WHERE [table] = "
                           "'u'"),
        4);
    scratch_exec(a, "DROP TABLE t; UPDATE u SET v = 3 WHERE k = 'y'");
    assert_int_equal(scratch_integer(b, "SELECT count(*) FROM crsql_changes"),
                     4);
    scratch_exec(a, "CREATE TABLE t(a INTEGER PRIMARY KEY NOT NULL, b, c);"
                    "SELECT crsql_as_crr('t'); INSERT INTO t VALUES(1, 5, 5)");
    assert_int_equal(scratch_integer(b, "SELECT count(*) FROM crsql_changes"),
                     6);
    rowtide_db_free(a);
    rowtide_db_free(b);
}

static void tables_that_are_altered(void **state)
{
    (void)state;
    rowtide_db *a = new_file(scratch_new_path());
    rowtide_db *b = new_file(":memory:");
    rowtide_db *both[] = {a, b};
    for (int i = 0; i < 2; i++) {
        rowtide_db *db = both[i];
        scratch_exec(db, "INSERT INTO u VALUES('x', 1, 1)");
        scratch_exec(db, "INSERT INTO t VALUES(1, 1, 1)");
        if (i == 1)
            run_plainly(db, "UPDATE t SET b = 2");
        else
            scratch_exec(db, "UPDATE t SET b = 2");
        scratch_exec(db, "SELECT crsql_begin_alter('t');"
                         "ALTER TABLE t ADD COLUMN d DEFAULT 4;"
                         "SELECT crsql_commit_alter('t');"
                         "UPDATE t SET d = 5, c = 6; DELETE FROM u;"
                         "INSERT INTO u VALUES('x', 3, 3)");
    }
    assert_same(a, b);
    rowtide_db_free(a);
    rowtide_db_free(b);
}

static void deletions_are_collected(void **state)
{
    (void)state;
    char sql[100];
    int64_t count;
    rowtide_db *db = new_file(scratch_new_path());
    for (int i = 1; i <= 500; i++) {
        snprintf(sql, sizeof sql, "INSERT INTO t VALUES(%d, 1, 1)", i);
        scratch_exec(db, sql);
    }
    for (int i = 1; i <= 500; i++) {
        snprintf(sql, sizeof sql, "DELETE FROM t WHERE a = %d", i);
        scratch_exec(db, sql);
    }
    assert_ok(rowtide_crdt_collect(db, 700, &count));
    assert_int_equal(count, 200);
    assert_rows(db,
                "SELECT count(*), min(db_version), max(db_version) FROM "
                "crsql_changes",
                "300|701|1000;");
    rowtide_db_free(db);
}

/* ## Damage */

static void damage_is_noticed(void **state)
{
    (void)state;
    char sql[200];
    const char *path = scratch_new_path();
    rowtide_db *db = new_file(path);
    for (int i = 0; i < 12; i++)
        scratch_exec(db, statement(sql, sizeof sql, i));
    rowtide_db_free(db);
    for (int at = 0; at < 120; at++) {
        for (int value = 0; value < 256; value += 51) {
            db = open_file(path, "");
            snprintf(sql, sizeof sql,
                     "BEGIN; UPDATE rowtide_crdt_tail SET stamp = stamp + 1, "
                     "body = CAST(substr(body, 1, %d) || x'%02x' || "
                     "substr(body, %d) AS BLOB)",
                     at, value, at + 2);
            scratch_exec(db, sql);
            int rc = rowtide_db_exec(db, "SELECT count(*) FROM crsql_changes");
            if (rc == ROWTIDE_OK)
                rc = rowtide_db_exec(db, "INSERT INTO t VALUES(1000, 1, 1);"
                                         "SELECT count(*) FROM t__crsql_clock;"
                                         "SELECT crsql_begin_alter('t')");
            if (rc != ROWTIDE_OK)
                assert_int_equal(rc, ROWTIDE_ECORRUPT);
            rowtide_db_free(db);
        }
    }
}

static void segments_that_are_damaged(void **state)
{
    (void)state;
    static const char *const DAMAGES[] = {
        "DELETE FROM rowtide_crdt_tail WHERE id = 2",
        "DELETE FROM rowtide_crdt_tail WHERE id = 3",
        "UPDATE rowtide_crdt_tail SET stamp = 1 WHERE id = 3",
        "UPDATE rowtide_crdt_tail SET body = x'00' WHERE id = 2",
        "UPDATE rowtide_crdt_tail SET body = x'ffffffffff' WHERE id = 2",
        "UPDATE rowtide_crdt_tail SET body = CAST(substr(body, 1, 3) || x'09' "
        "|| substr(body, 5) AS BLOB) WHERE id = 1",
        "UPDATE rowtide_crdt_tail SET body = CAST(substr(body, 1, 3) || x'01' "
        "|| substr(body, 5) AS BLOB) WHERE id = 1",
    };
    char sql[200];
    for (size_t i = 0; i < sizeof DAMAGES / sizeof *DAMAGES; i++) {
        const char *path = scratch_new_path();
        rowtide_db *db = new_file(path);
        for (int j = 0; count_segments(db) < 2; j++)
            scratch_exec(db, statement(sql, sizeof sql, j));
        scratch_exec(db, DAMAGES[i]);
        rowtide_db_free(db);
        assert_ok(rowtide_db_open(path, NULL, &db));
        assert_status(rowtide_crdt_site_id(db, (unsigned char[16]){0}),
                      ROWTIDE_ECORRUPT);
        rowtide_db_free(db);
    }
}

static void a_tail_that_is_missing(void **state)
{
    (void)state;
    rowtide_db *db = new_file(scratch_new_path());
    scratch_exec(db, "INSERT INTO t VALUES(1, 1, 1)");
    scratch_exec(db, "BEGIN; UPDATE rowtide_crdt_tail SET body = x'01'");
    assert_status(rowtide_db_exec(db, "SELECT * FROM crsql_changes"),
                  ROWTIDE_ECORRUPT);
    scratch_exec(db, "ROLLBACK; BEGIN; DELETE FROM rowtide_crdt_tail");
    assert_status(rowtide_db_exec(db, "SELECT * FROM crsql_changes"),
                  ROWTIDE_ECORRUPT);
    scratch_exec(db, "ROLLBACK");
    assert_int_equal(scratch_integer(db, "SELECT count(*) FROM crsql_changes"),
                     2);
    rowtide_db_free(db);
}

/* ## Memory */

static int write_some(void *context)
{
    rowtide_db *db = NULL;
    char sql[200];
    int rc = rowtide_db_open(":memory:", NULL, &db);
    (void)context;
    if (rc == ROWTIDE_OK)
        rc = rowtide_db_exec(db, "PRAGMA page_size = 512");
    if (rc == ROWTIDE_OK)
        rc = rowtide_crdt_site_id(db, (unsigned char[16]){0});
    if (rc == ROWTIDE_OK)
        rc = rowtide_db_exec(db, TABLES);
    for (int i = 0; i < 60 && rc == ROWTIDE_OK; i++)
        rc = rowtide_db_exec(db, statement(sql, sizeof sql, i));
    if (rc == ROWTIDE_OK)
        rc = rowtide_db_exec(db, "SELECT count(*) FROM crsql_changes;"
                                 "SELECT count(*) FROM u__crsql_clock");
    rowtide_db_free(db);
    return rc;
}

static void survives_out_of_memory(void **state)
{
    (void)state;
    oom_loop(write_some, NULL);
}

static void large_pages(void **state)
{
    (void)state;
    char sql[200];
    rowtide_db *a = crdt_open_file(":memory:", 8192, TABLES);
    rowtide_db *b = new_file(":memory:");
    for (int i = 0; i < 400; i++) {
        scratch_exec(a, statement(sql, sizeof sql, i));
        run_plainly(b, sql);
    }
    assert_same(a, b);
    rowtide_db_free(a);
    rowtide_db_free(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(as_without_it),
        cmocka_unit_test(as_without_it_in_transactions),
        cmocka_unit_test(connections_in_turn),
        cmocka_unit_test(segments_that_are_rolled_back),
        cmocka_unit_test(segments_that_others_wrote),
        cmocka_unit_test(stays_small),
        cmocka_unit_test(statements_that_fail),
        cmocka_unit_test(savepoints),
        cmocka_unit_test(rows_that_are_returned),
        cmocka_unit_test(triggers_that_write),
        cmocka_unit_test(process_that_is_killed),
        cmocka_unit_test(tables_that_go),
        cmocka_unit_test(tables_that_are_altered),
        cmocka_unit_test(deletions_are_collected),
        cmocka_unit_test(damage_is_noticed),
        cmocka_unit_test(segments_that_are_damaged),
        cmocka_unit_test(a_tail_that_is_missing),
        cmocka_unit_test(survives_out_of_memory),
        cmocka_unit_test(large_pages),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
