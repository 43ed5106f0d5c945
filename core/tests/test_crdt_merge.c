/*
 * Which change wins, and what a failing one leaves: nothing.
 */
#include "support/crdt.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>

#define SITE_A "x'0101010101010101'"
#define SITE_B "x'0202020202020202'"
/* Merge into row 1 and return crsql_rows_impacted(). */
static int merge(rowtide_db *db, const char *cid, const char *value,
                 int version, int db_version, int length)
{
    char sql[500];
    scratch_exec(db, "BEGIN");
    snprintf(sql, sizeof sql,
             "INSERT INTO crsql_changes VALUES('t', crsql_pack_columns(1), "
             "'%s', %s, %d, %d, " SITE_A ", %d, 0)",
             cid, value, version, db_version, length);
    scratch_exec(db, sql);
    int64_t won = scratch_integer(db, "SELECT crsql_rows_impacted()");
    scratch_exec(db, "COMMIT");
    assert_int_equal(scratch_integer(db, "SELECT crsql_rows_impacted()"), 0);
    return (int)won;
}

static void a_new_row(void **state)
{
    (void)state;
    rowtide_db *db = crdt_db();
    assert_int_equal(merge(db, "b", "5", 3, 7, 1), 1);
    assert_rows(db, "SELECT * FROM t", "1|5|NULL;");
    assert_rows(db, CHANGES, "'010901'|'b'|5|3|7|1|0;");
    assert_rows(db, "SELECT hex(site_id) FROM crsql_changes",
                "'0101010101010101';");
    assert_int_equal(scratch_integer(db, "SELECT crsql_db_version()"), 7);
    rowtide_db_free(db);
}

static void greater_version_wins(void **state)
{
    (void)state;
    rowtide_db *db = crdt_db();
    scratch_exec(db, "INSERT INTO t VALUES(1, 10, 10)");
    scratch_exec(db, "UPDATE t SET b = 20");
    assert_int_equal(merge(db, "b", "99", 1, 1, 1), 0);
    assert_int_equal(merge(db, "b", "1", 3, 1, 1), 1);
    assert_rows(db, "SELECT b, c FROM t", "1|10;");
    rowtide_db_free(db);
}

/* INTEGER > REAL > TEXT > BLOB > NULL, then by value. */
static void greater_value_wins_a_tie(void **state)
{
    static const char *const RISING[] = {"NULL", "x''",  "x'00'", "''",
                                         "'a'",  "'a0'", "'b'",   "-1.5",
                                         "2.0",  "-7",   "1",     "2"};
    (void)state;
    rowtide_db *db = crdt_db();
    scratch_exec(db, "INSERT INTO t VALUES(1, NULL, NULL)");
    for (size_t i = 0; i < sizeof RISING / sizeof *RISING; i++) {
        assert_int_equal(merge(db, "b", RISING[i], 1, 1, 1), i > 0);
        assert_int_equal(merge(db, "b", RISING[i], 1, 1, 1), 0);
        if (i > 0)
            assert_int_equal(merge(db, "b", RISING[i - 1], 1, 1, 1), 0);
    }
    rowtide_db_free(db);
}

static void equal_values_by_site_if_asked(void **state)
{
    (void)state;
    rowtide_db *db = crdt_db();
    assert_int_equal(merge(db, "b", "5", 1, 1, 1), 1);
    scratch_exec(db, "SELECT crsql_config_set('merge-equal-values', 1)");
    assert_int_equal(merge(db, "b", "5", 1, 1, 1), 0);
    scratch_exec(db, "INSERT INTO crsql_changes VALUES('t', "
                     "crsql_pack_columns(1), 'b', 5, 1, 1, " SITE_B ", 1, 0)");
    assert_rows(db, "SELECT hex(site_id) FROM crsql_changes",
                "'0202020202020202';");
    rowtide_db_free(db);
}

static void what_a_column_makes_of_a_value(void **state)
{
    (void)state;
    rowtide_db *db = crdt_db_with(
        "CREATE TABLE t(a INTEGER PRIMARY KEY NOT NULL, "
        "b TEXT, c REAL)");
    assert_int_equal(merge(db, "b", "77", 1, 1, 1), 1);
    assert_int_equal(merge(db, "b", "77", 1, 1, 1), 0);
    assert_int_equal(merge(db, "c", "1", 1, 1, 1), 1);
    assert_int_equal(merge(db, "c", "1", 1, 1, 1), 0);
    rowtide_db_free(db);
}

static void deletes(void **state)
{
    (void)state;
    rowtide_db *db = crdt_db();
    scratch_exec(db, "INSERT INTO t VALUES(1, 1, 1)");
    assert_int_equal(merge(db, "-1", "NULL", 2, 9, 2), 1);
    assert_rows(db, CHANGES, "'010901'|'-1'|NULL|2|9|2|0;");
    assert_int_equal(scratch_integer(db, "SELECT count(*) FROM t"), 0);
    assert_int_equal(merge(db, "-1", "NULL", 2, 9, 2), 0);
    assert_int_equal(merge(db, "b", "5", 9, 9, 1), 0);
    rowtide_db_free(db);
}

static void resurrection(void **state)
{
    (void)state;
    rowtide_db *db = crdt_db();
    scratch_exec(db, "INSERT INTO t VALUES(1, 1, 1)");
    scratch_exec(db, "DELETE FROM t");
    assert_int_equal(merge(db, "b", "5", 1, 9, 3), 2);
    assert_rows(db, "SELECT * FROM t", "1|5|NULL;");
    assert_rows(db, CHANGES " ORDER BY cid",
                "'010901'|'-1'|NULL|3|9|3|0;'010901'|'b'|5|1|9|3|0;");
    assert_int_equal(merge(db, "-1", "NULL", 3, 10, 3), 0);
    rowtide_db_free(db);
}

/* The other side deleted and made the row while it was alive here. */
static void cells_start_again(void **state)
{
    (void)state;
    rowtide_db *db = crdt_db();
    scratch_exec(db, "INSERT INTO t VALUES(1, 1, 1)");
    scratch_exec(db, "UPDATE t SET b = 2");
    assert_int_equal(merge(db, "-1", "NULL", 3, 9, 3), 1);
    assert_rows(db, CHANGES " ORDER BY cid",
                "'010901'|'-1'|NULL|3|9|3|0;'010901'|'b'|2|0|9|3|0;"
                "'010901'|'c'|1|0|9|3|1;");
    assert_int_equal(merge(db, "b", "7", 1, 10, 3), 1);
    rowtide_db_free(db);
}

static void without_a_site_it_is_local(void **state)
{
    (void)state;
    rowtide_db *db = crdt_db();
    scratch_exec(db, "INSERT INTO crsql_changes VALUES('t', "
                     "crsql_pack_columns(1), 'b', 5, 1, 1, NULL, 1, 0)");
    assert_int_equal(scratch_integer(db, "SELECT count(*) FROM crsql_changes "
                                         "WHERE site_id IS NULL"),
                     1);
    assert_int_equal(
        scratch_integer(db, "SELECT count(*) FROM crsql_changes WHERE site_id "
                            "= crsql_site_id()"),
        1);
    assert_int_equal(merge(db, "c", "5", 1, 1, 1), 1);
    assert_int_equal(scratch_integer(db, "SELECT count(*) FROM crsql_changes "
                                         "WHERE site_id IS NULL"),
                     1);
    rowtide_db_free(db);
}

/* ## What is refused */

static void refuse(rowtide_db *db, const char *values, const char *message)
{
    char *before = scratch_rows(db, CHANGES);
    char *sql = sqlite3_mprintf("INSERT INTO crsql_changes VALUES(%s)", values);
    assert_true(rowtide_db_exec(db, sql) < 0);
    assert_message(message);
    sqlite3_free(sql);
    assert_rows(db, CHANGES, before);
    free(before);
    assert_int_equal(scratch_integer(db, "SELECT crsql_internal_sync_bit()"),
                     0);
}

static void bad_keys(void **state)
{
    static const char *const KEYS[] = {
        "x''",         "NULL",           "x'00'",
        "x'01'",       "x'0109'",        "x'01FF'",
        "x'0106'",     "x'0105'",        "x'014901020304050607080900'",
        "x'02'",       "x'02090109'",    "x'0B'",
        "x'010BFF61'", "x'0123FFFFFFFF'"};
    (void)state;
    rowtide_db *db = crdt_db();
    for (size_t i = 0; i < sizeof KEYS / sizeof *KEYS; i++) {
        char values[200];
        snprintf(values, sizeof values,
                 "'t', %s, 'b', 1, 1, 1, " SITE_A ", 1, 0", KEYS[i]);
        refuse(db, values, "table \"t\"");
    }
    rowtide_db_free(db);
}

static void poison(void **state)
{
    (void)state;
    rowtide_db *db = crdt_db();
    refuse(db,
           "'t', x'010901', 'b', 1, 1, 9223372036854775807, " SITE_A ", 1, 0",
           "db_version");
    refuse(db,
           "'t', x'010901', 'b', 1, 9223372036854775807, 1, " SITE_A ", 1, 0",
           "col_version");
    refuse(db,
           "'t', x'010901', 'b', 1, 1, 1, " SITE_A ", 9223372036854775807, 0",
           "cl");
    scratch_exec(db, "INSERT INTO t VALUES(1, 1, 1)");
    assert_int_equal(scratch_integer(db, "SELECT crsql_db_version()"), 1);
    rowtide_db_free(db);
}

static void names_that_are_not_there(void **state)
{
    (void)state;
    rowtide_db *db = crdt_db();
    refuse(db, "'nix', x'010901', 'b', 1, 1, 1, " SITE_A ", 1, 0",
           "crsql - could not find the schema information for table nix");
    refuse(db, "'t', x'010901', 'nix', 1, 1, 1, " SITE_A ", 1, 0",
           "column \"nix\"");
    refuse(db, "'t', x'010901', 'b', 1, 1, 1, zeroblob(17), 1, 0",
           "crsql - site id exceeded max length");
    refuse(db,
           "printf('%.*c', 2049, 'x'), x'010901', 'b', 1, 1, 1, " SITE_A
           ", 1, 0",
           "crsql - table name exceeded max length");
    refuse(db,
           "'t', x'010901', printf('%.*c', 2049, 'x'), 1, 1, 1, " SITE_A
           ", 1, 0",
           "crsql - column name exceeded max length");
    assert_status(rowtide_db_exec(db, "DELETE FROM crsql_changes"), ROWTIDE_OK);
    scratch_exec(db, "INSERT INTO t VALUES(1, 1, 1)");
    assert_true(rowtide_db_exec(db, "DELETE FROM crsql_changes") < 0);
    assert_message("Only INSERT and SELECT statements are allowed against the "
                   "crsql changes table");
    rowtide_db_free(db);
}

static void constraints(void **state)
{
    (void)state;
    rowtide_db *db = crdt_db_with(
        "CREATE TABLE t(a INTEGER PRIMARY KEY NOT NULL, "
        "b CHECK(b < 10), c NOT NULL DEFAULT 0)");
    scratch_exec(db, "INSERT INTO t VALUES(1, 1, 1)");
    refuse(db, "'t', x'010901', 'b', 99, 5, 1, " SITE_A ", 1, 0",
           "table \"t\", key 1, column \"b\": CHECK constraint failed");
    refuse(db, "'t', x'010902', 'b', 99, 5, 1, " SITE_A ", 1, 0",
           "table \"t\", key 2, column \"b\": CHECK constraint failed");
    refuse(db, "'t', x'010901', 'c', NULL, 5, 1, " SITE_A ", 1, 0",
           "NOT NULL constraint failed");
    /* Resurrecting and then failing leaves no row either. */
    scratch_exec(db, "DELETE FROM t");
    refuse(db, "'t', x'010901', 'b', 99, 5, 9, " SITE_A ", 3, 0",
           "CHECK constraint failed");
    assert_int_equal(scratch_integer(db, "SELECT count(*) FROM t"), 0);
    /* What is written afterwards is tracked. */
    scratch_exec(db, "INSERT INTO t VALUES(5, 5, 5)");
    assert_int_equal(scratch_integer(db, "SELECT count(*) FROM crsql_changes "
                                         "WHERE pk = crsql_pack_columns(5)"),
                     2);
    rowtide_db_free(db);
}

static void a_statement_is_whole_or_not(void **state)
{
    (void)state;
    rowtide_db *db = crdt_db_with(
        "CREATE TABLE t(a INTEGER PRIMARY KEY NOT NULL, "
        "b CHECK(b < 10))");
    scratch_exec(db, "BEGIN; INSERT INTO t VALUES(1, 1)");
    assert_status(rowtide_db_exec(
                      db, "INSERT INTO crsql_changes SELECT 't', "
                          "crsql_pack_columns(value), 'b', value, 1, 1, " SITE_A
                          ", 1, 0 FROM json_each('[7, 8, 9, 10]')"),
                  ROWTIDE_ECONSTRAINT);
    assert_rows(db, "SELECT a FROM t", "1;");
    assert_int_equal(scratch_integer(db, "SELECT count(*) FROM crsql_changes"),
                     1);
    scratch_exec(db, "COMMIT");
    assert_int_equal(scratch_integer(db, "SELECT count(*) FROM crsql_changes"),
                     1);
    rowtide_db_free(db);
}

static void triggers_see_the_sync_bit(void **state)
{
    (void)state;
    rowtide_db *db = crdt_db();
    scratch_exec(db, "CREATE TABLE log(bit);"
                     "CREATE TRIGGER r AFTER INSERT ON t BEGIN INSERT INTO log "
                     "VALUES(crsql_internal_sync_bit()); END");
    assert_int_equal(merge(db, "b", "5", 1, 1, 1), 1);
    scratch_exec(db, "INSERT INTO t VALUES(2, 2, 2)");
    assert_rows(db, "SELECT * FROM log", "1;0;");
    rowtide_db_free(db);
}

static void merging_is_not_told_apart_by_order(void **state)
{
    (void)state;
    rowtide_db *a = crdt_db(), *b = crdt_db();
    scratch_exec(a, "INSERT INTO t VALUES(1, 1, 1), (2, 2, 2), (3, 3, 3);"
                    "UPDATE t SET b = 9; DELETE FROM t WHERE a = 2;"
                    "UPDATE t SET a = 7 WHERE a = 3");
    sqlite3_stmt *from, *to;
    assert_int_equal(sqlite3_prepare_v2(rowtide_db_sqlite(a),
                                        "SELECT * FROM crsql_changes ORDER BY "
                                        "db_version DESC, seq DESC",
                                        -1, &from, NULL),
                     SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(rowtide_db_sqlite(b),
                                        "INSERT INTO crsql_changes VALUES"
                                        "(?,?,?,?,?,?,?,?,?)",
                                        -1, &to, NULL),
                     SQLITE_OK);
    while (sqlite3_step(from) == SQLITE_ROW) {
        for (int i = 0; i < 9; i++)
            sqlite3_bind_value(to, i + 1, sqlite3_column_value(from, i));
        assert_int_equal(sqlite3_step(to), SQLITE_DONE);
        sqlite3_reset(to);
    }
    sqlite3_finalize(from);
    sqlite3_finalize(to);
    scratch_same(a, b, "SELECT * FROM t");
    scratch_same(a, b,
                 "SELECT [table], pk, cid, val, col_version, site_id, cl "
                 "FROM crsql_changes ORDER BY 1, 2, 3");
    rowtide_db_free(a);
    rowtide_db_free(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_new_row),
        cmocka_unit_test(greater_version_wins),
        cmocka_unit_test(greater_value_wins_a_tie),
        cmocka_unit_test(equal_values_by_site_if_asked),
        cmocka_unit_test(what_a_column_makes_of_a_value),
        cmocka_unit_test(deletes),
        cmocka_unit_test(resurrection),
        cmocka_unit_test(cells_start_again),
        cmocka_unit_test(without_a_site_it_is_local),
        cmocka_unit_test(bad_keys),
        cmocka_unit_test(poison),
        cmocka_unit_test(names_that_are_not_there),
        cmocka_unit_test(constraints),
        cmocka_unit_test(a_statement_is_whole_or_not),
        cmocka_unit_test(triggers_see_the_sync_bit),
        cmocka_unit_test(merging_is_not_told_apart_by_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
