#include "support/crdt.h"
#include "support/merging.h"
#include "support/oom.h"
#include "support/peers.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Rows that are merged are held, and written many at once. */

/* Rows of all three in turn, none in the order of its key. */
static const char FILL[] =
    "BEGIN;"
    "CREATE TEMP TABLE n AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT "
    "i + 1 FROM n WHERE i < 500) SELECT i, i * 7919 % 9973 AS key FROM n;"
    "CREATE TEMP TABLE now(i);"
    "CREATE TEMP TRIGGER turn AFTER INSERT ON now BEGIN "
    "INSERT INTO t SELECT key, 'b' || i, x'00ff' FROM n WHERE i = new.i;"
    "INSERT INTO u SELECT 'k' || key, i + 0.5, NULL FROM n WHERE i = new.i;"
    "INSERT INTO r SELECT 'k' || key, i FROM n WHERE i = new.i; END;"
    "INSERT INTO now SELECT i FROM n;"
    "COMMIT;";

static void same_tables(rowtide_db *a, rowtide_db *b)
{
    scratch_same(a, b, "SELECT * FROM t ORDER BY a");
    scratch_same(a, b, "SELECT * FROM u ORDER BY k");
    scratch_same(a, b, "SELECT rowid, * FROM r ORDER BY rowid");
    scratch_same(a, b, PEERS_CHANGES);
}

static void tables_in_turn(void **state)
{
    (void)state;
    rowtide_db *from = merging_db(), *to = merging_db();
    scratch_exec(from, FILL);
    assert_ok(peers_merge_rows(to, from, NULL));
    same_tables(from, to);
    /* What is the same does not win again. */
    assert_ok(peers_merge_rows(to, from, NULL));
    same_tables(from, to);
    rowtide_db_free(from);
    rowtide_db_free(to);
}

static void more_than_a_batch(void **state)
{
    (void)state;
    rowtide_db *from = merging_db(), *to = merging_db();
    scratch_exec(from, "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + "
                       "1 FROM n WHERE i < 40000) INSERT INTO u SELECT i * "
                       "7919 % 99991, i, 'value' FROM n");
    scratch_exec(from, "INSERT INTO t VALUES(1, zeroblob(70000), 1), "
                       "(2, zeroblob(2000000), 2), (3, 3, 3)");
    assert_ok(peers_merge_rows(to, from, NULL));
    same_tables(from, to);
    rowtide_db_free(from);
    rowtide_db_free(to);
}

/* The columns of a key count too. */
static void many_columns(void **state)
{
    (void)state;
    static const char *const table =
        "CREATE TABLE t(a, z TEXT, %s, PRIMARY KEY(z, a)) WITHOUT ROWID";
    char columns[2000] = "", sql[2400];
    rowtide_db *from = NULL, *to = NULL;
    for (int count = 1; count < 140; count++) {
        sprintf(columns + strlen(columns), count > 1 ? ", c%d" : "c%d", count);
        if (count > 2 && (count < 123 || count > 128))
            continue;
        snprintf(sql, sizeof sql, table, columns);
        from = scratch_db(sql);
        to = scratch_db(sql);
        assert_ok(rowtide_crdt_enable(from, "t"));
        assert_ok(rowtide_crdt_enable(to, "t"));
        scratch_exec(from, "INSERT INTO t(a, z) VALUES(1, 'x'), (2, 'x'), "
                           "(1, 'a'); UPDATE t SET c1 = a || z");
        assert_ok(peers_merge_rows(to, from, NULL));
        scratch_same(from, to, "SELECT * FROM t");
        rowtide_db_free(from);
        rowtide_db_free(to);
    }
}

/* ## Change by change */

static void a_row_comes_again(void **state)
{
    (void)state;
    rowtide_db *db = crdt_db();
    rowtide_crdt_merge *merge = merging_begin(db);
    for (int row = 1; row <= 3; row++)
        assert_ok(merging_add(merge, merging_cell_of_t(row, "b", row, 1)));
    /* The same cells, then others, then both, then the first again. */
    assert_ok(merging_add(merge, merging_cell_of_t(2, "b", 20, 2)));
    assert_ok(merging_add(merge, merging_cell_of_t(3, "b", 30, 2)));
    assert_ok(merging_add(merge, merging_cell_of_t(2, "c", 21, 1)));
    assert_ok(merging_add(merge, merging_cell_of_t(3, "b", 300, 3)));
    assert_ok(merging_add(merge, merging_cell_of_t(3, "c", 301, 1)));
    assert_ok(merging_add(merge, merging_cell_of_t(2, "b", 200, 3)));
    merging_end(merge);
    assert_rows(db, "SELECT * FROM t", "1|1|NULL;2|200|21;3|300|301;");
    rowtide_db_free(db);
}

/* To decide about equal versions the value that is stored has to be seen. */
static void a_tie_with_what_is_held(void **state)
{
    (void)state;
    rowtide_db *db = crdt_db();
    rowtide_crdt_merge *merge = merging_begin(db);
    for (int row = 1; row <= 3; row++)
        assert_ok(merging_add(merge, merging_cell_of_t(row, "b", 5, 1)));
    assert_ok(merging_add(merge, merging_cell_of_t(1, "b", 4, 1)));
    assert_ok(merging_add(merge, merging_cell_of_t(2, "b", 6, 1)));
    merging_end(merge);
    assert_rows(db, "SELECT a, b FROM t", "1|5;2|6;3|5;");
    rowtide_db_free(db);
}

static void deletes_between(void **state)
{
    (void)state;
    rowtide_db *db = crdt_db();
    rowtide_crdt_merge *merge = merging_begin(db);
    for (int row = 1; row <= 4; row++)
        assert_ok(merging_add(merge, merging_cell_of_t(row, "b", row, 1)));
    for (int row = 2; row <= 3; row++) {
        rowtide_crdt_change gone = merging_cell_of_t(row, "-1", 0, 2);
        gone.causal_length = 2;
        assert_ok(merging_add(merge, gone));
    }
    rowtide_crdt_change back = merging_cell_of_t(3, "c", 33, 1);
    back.causal_length = 3;
    assert_ok(merging_add(merge, back));
    merging_end(merge);
    assert_rows(db, "SELECT * FROM t", "1|1|NULL;3|NULL|33;4|4|NULL;");
    rowtide_db_free(db);
}

static void the_refused_row_is_named(void **state)
{
    (void)state;
    rowtide_db *db = crdt_db_with("CREATE TABLE t(a INTEGER PRIMARY KEY NOT "
                                  "NULL, b NOT NULL DEFAULT 0, c)");
    scratch_exec(db, "BEGIN; INSERT INTO t VALUES(1, 1, 1)");
    rowtide_crdt_merge *merge = merging_begin(db);
    for (int row = 1; row <= 9; row++) {
        rowtide_crdt_change change = merging_cell_of_t(row, "b", row, 7);
        if (row == 6)
            change.value = rowtide_value_null();
        assert_ok(merging_add(merge, change));
        assert_ok(merging_add(merge, merging_cell_of_t(row, "c", row, 7)));
    }
    assert_status(rowtide_crdt_merge_end(merge, NULL), ROWTIDE_ECONSTRAINT);
    assert_message("table \"t\", key 6, column \"b\": NOT NULL constraint "
                   "failed: t.b");
    rowtide_crdt_merge_free(merge);
    assert_rows(db, "SELECT * FROM t", "1|1|1;");
    scratch_exec(db, "INSERT INTO t VALUES(6, 6, 6); COMMIT");
    assert_rows(db, CHANGES,
                "'010901'|'b'|1|1|1|1|0;'010901'|'c'|1|1|1|1|1;"
                "'010906'|'b'|6|1|1|1|2;'010906'|'c'|6|1|1|1|3;");
    rowtide_db_free(db);
}

/* What comes next is not to blame. */
static void it_is_not_the_next_one(void **state)
{
    (void)state;
    rowtide_db *db = crdt_db_with("CREATE TABLE t(a INTEGER PRIMARY KEY NOT "
                                  "NULL, b NOT NULL DEFAULT 0, c)");
    for (int deletes = 0; deletes < 2; deletes++) {
        rowtide_crdt_merge *merge = merging_begin(db);
        rowtide_crdt_change bad = merging_cell_of_t(1, "b", 0, 1), next;
        bad.value = rowtide_value_null();
        assert_ok(merging_add(merge, bad));
        assert_ok(merging_add(merge, merging_cell_of_t(2, "b", 1, 1)));
        next = deletes ? merging_cell_of_t(3, "-1", 0, 2)
                       : merging_cell_of_t(2, "b", 2, 1);
        next.causal_length = deletes ? 2 : 1;
        assert_status(merging_add(merge, next), ROWTIDE_ECONSTRAINT);
        assert_message("table \"t\", key 1, column \"b\": NOT NULL");
        assert_null(strstr(rowtide_error_message(), "key 2"));
        assert_null(strstr(rowtide_error_message(), "key 3"));
        rowtide_crdt_merge_free(merge);
    }
    rowtide_db_free(db);
}

static void a_value_is_too_big(void **state)
{
    (void)state;
    char big[5000];
    memset(big, 'x', sizeof big);
    rowtide_db *db = crdt_db();
    sqlite3_limit(rowtide_db_sqlite(db), SQLITE_LIMIT_LENGTH, 4500);
    for (size_t size = 2500; size <= sizeof big; size += 2500) {
        rowtide_crdt_merge *merge = merging_begin(db);
        for (int row = 1; row <= 3; row++) {
            rowtide_crdt_change change = merging_cell_of_t(row, "b", row, 1);
            if (row == 2)
                change.value = rowtide_value_blob(big, size);
            assert_ok(merging_add(merge, change));
            change.column = "c";
            assert_ok(merging_add(merge, change));
        }
        assert_status(rowtide_crdt_merge_end(merge, NULL), ROWTIDE_ETOOBIG);
        assert_message("table \"t\", key 2, column");
        assert_message("string or blob too big");
        rowtide_crdt_merge_free(merge);
    }
    rowtide_db_free(db);
}

static int stop(void *user)
{
    int *left = user;
    return *left > 0 && --*left == 0;
}

/* Wherever it is stopped, nothing of it remains. */
static void it_is_interrupted(void **state)
{
    (void)state;
    rowtide_db *from = merging_db(), *to = merging_db();
    scratch_exec(from, FILL);
    sqlite3 *sqlite = rowtide_db_sqlite(to);
    int rc = ROWTIDE_ECANCELLED, failures = 0;
    for (int after = 1; rc != ROWTIDE_OK; after += after / 2 + 1) {
        int left = after;
        sqlite3_progress_handler(sqlite, 100, stop, &left);
        rc = peers_merge_rows(to, from, NULL);
        sqlite3_progress_handler(sqlite, 0, NULL, NULL);
        if (rc == ROWTIDE_OK)
            break;
        failures++;
        assert_int_equal(rc, ROWTIDE_ECANCELLED);
        assert_int_equal(scratch_integer(to, "SELECT count(*) FROM t, u, r"),
                         0);
        assert_int_equal(
            scratch_integer(to, "SELECT count(*) FROM crsql_changes"), 0);
    }
    assert_true(failures > 5);
    same_tables(from, to);
    rowtide_db_free(from);
    rowtide_db_free(to);
}

/* ## In SQL */

static void savepoints(void **state)
{
    (void)state;
    rowtide_db *from = merging_db(), *to = merging_db();
    scratch_exec(from, FILL);
    const char *path = scratch_new_path();
    char *sql = sqlite3_mprintf("ATTACH %Q AS passed", path);
    scratch_exec(from, sql);
    scratch_exec(to, sql);
    scratch_exec(from, "CREATE TABLE passed.c AS SELECT * FROM crsql_changes");
    scratch_exec(to, "BEGIN; SAVEPOINT a;"
                     "INSERT INTO crsql_changes SELECT * FROM passed.c;"
                     "ROLLBACK TO a");
    assert_int_equal(scratch_integer(to, "SELECT count(*) FROM t, u, r"), 0);
    scratch_exec(to, "INSERT INTO crsql_changes SELECT * FROM passed.c WHERE "
                     "[table] = 'u'; SAVEPOINT b;"
                     "INSERT INTO crsql_changes SELECT * FROM passed.c WHERE "
                     "[table] = 't'; ROLLBACK TO b");
    assert_int_equal(scratch_integer(to, "SELECT count(*) FROM u"), 500);
    assert_int_equal(scratch_integer(to, "SELECT count(*) FROM t"), 0);
    scratch_exec(to, "INSERT INTO crsql_changes SELECT * FROM passed.c;"
                     "COMMIT");
    same_tables(from, to);
    sqlite3_free(sql);
    rowtide_db_free(from);
    rowtide_db_free(to);
}

/* They are not in the way. */
static void tables_of_that_name(void **state)
{
    (void)state;
    rowtide_db *db = crdt_db();
    scratch_exec(db, "ATTACH ':memory:' AS x;"
                     "CREATE TABLE x.rowtide_crdt_batch(c0, c1);"
                     "CREATE TEMP TABLE rowtide_crdt_batch(c0, c1);"
                     "CREATE TABLE main.rowtide_crdt_batch(c0, c1);"
                     "INSERT INTO main.rowtide_crdt_batch VALUES(7, 7)");
    rowtide_crdt_merge *merge = merging_begin(db);
    for (int row = 1; row <= 3; row++)
        assert_ok(merging_add(merge, merging_cell_of_t(row, "b", row, 1)));
    merging_end(merge);
    assert_rows(db, "SELECT a, b FROM t", "1|1;2|2;3|3;");
    rowtide_db_free(db);
}

static int hide(void *user, int action, const char *table, const char *column,
                const char *database, const char *trigger)
{
    (void)column;
    (void)database;
    (void)trigger;
    return action == SQLITE_READ && strcmp(table, "rowtide_crdt_batch") == 0
               ? *(int *)user
               : SQLITE_OK;
}

static void an_authorizer_says_no(void **state)
{
    (void)state;
    static const int ANSWERS[] = {SQLITE_DENY, SQLITE_IGNORE};
    for (int i = 0; i < 2; i++) {
        int answer = ANSWERS[i];
        rowtide_db *db = crdt_db();
        sqlite3_set_authorizer(rowtide_db_sqlite(db), hide, &answer);
        rowtide_crdt_merge *merge = merging_begin(db);
        for (int row = 11; row <= 13; row++)
            assert_ok(merging_add(merge, merging_cell_of_t(row, "b", row, 1)));
        merging_end(merge);
        assert_rows(db, "SELECT a, b FROM t", "11|11;12|12;13|13;");
        rowtide_db_free(db);
    }
}

static void nobody_else_sees_it(void **state)
{
    (void)state;
    rowtide_db *db = crdt_db();
    scratch_exec(db, "INSERT INTO t VALUES(1, 1, 1)");
    assert_int_equal(scratch_integer(db, "SELECT count(*) FROM "
                                         "rowtide_crdt_batch(1)"),
                     0);
    rowtide_db_free(db);
}

/* Text in UTF-16 is no other text. */
static void encodings(void **state)
{
    (void)state;
    rowtide_db *from = merging_db(), *to = NULL;
    assert_ok(merging_open(":memory:", "PRAGMA encoding = 'UTF-16'", &to));
    scratch_exec(from, "INSERT INTO u VALUES('\xc3\xa4', '\xe2\x82\xac', 1), "
                       "('b' || char(0) || 'c', x'00', '\xf0\x9f\x8c\x8a'), "
                       "('', '', x'')");
    assert_ok(peers_merge_rows(to, from, NULL));
    same_tables(from, to);
    rowtide_db_free(from);
    rowtide_db_free(to);
}

/* ## Memory */

typedef struct pair {
    rowtide_db *from;
    const char *path; /* of the other */
} pair;

static void make_pair(pair *out)
{
    rowtide_db *to = NULL;
    out->path = scratch_new_path();
    assert_ok(merging_open(out->path, "", &to));
    rowtide_db_free(to);
    out->from = merging_db();
    scratch_exec(out->from,
                 "INSERT INTO t VALUES(2, 2, 'two'), (1, 1, 'one');"
                 "INSERT INTO u VALUES('b', 2, 'two'), ('a', 1, 'one');"
                 "UPDATE t SET b = 3; UPDATE u SET v = 3");
}

/* Fails if not. */
static const char ALL_THERE[] =
    "SELECT iif((SELECT count(*) FROM t, u) = 4, 0, abs(-1 << 63))";

/* Nothing is committed. */
static int merge_pair(void *ctx)
{
    const pair *both = ctx;
    rowtide_db *to = NULL;
    int rc = rowtide_db_open(both->path, NULL, &to);
    if (rc == ROWTIDE_OK)
        rc = rowtide_db_exec(to, "BEGIN");
    if (rc == ROWTIDE_OK)
        rc = peers_merge_rows(to, both->from, NULL);
    if (rc == ROWTIDE_OK)
        rc = rowtide_db_exec(to, ALL_THERE);
    rowtide_db_free(to);
    return rc;
}

static void memory_fails(void **state)
{
    (void)state;
    pair both;
    make_pair(&both);
    oom_loop(merge_pair, &both);
    rowtide_db_free(both.from);
}

static int do_nothing(void *ctx)
{
    (void)ctx;
    return ROWTIDE_OK;
}

static void memory_of_sqlite_fails(void **state)
{
    (void)state;
    pair both;
    oom_loop_sqlite(do_nothing, NULL);
    make_pair(&both);
    oom_loop_sqlite(merge_pair, &both);
    rowtide_db_free(both.from);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tables_in_turn),
        cmocka_unit_test(more_than_a_batch),
        cmocka_unit_test(many_columns),
        cmocka_unit_test(a_row_comes_again),
        cmocka_unit_test(a_tie_with_what_is_held),
        cmocka_unit_test(deletes_between),
        cmocka_unit_test(the_refused_row_is_named),
        cmocka_unit_test(it_is_not_the_next_one),
        cmocka_unit_test(a_value_is_too_big),
        cmocka_unit_test(it_is_interrupted),
        cmocka_unit_test(savepoints),
        cmocka_unit_test(tables_of_that_name),
        cmocka_unit_test(an_authorizer_says_no),
        cmocka_unit_test(nobody_else_sees_it),
        cmocka_unit_test(encodings),
        cmocka_unit_test(memory_fails),
        cmocka_unit_test(memory_of_sqlite_fails),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
