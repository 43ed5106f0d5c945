/*
 * Tables that take part: which may, and what may be done to them.
 */
#include "support/scratch.h"

#include <rowtide/crdt.h>

#include <stdlib.h>

#define CHANGES                                                                \
    "SELECT [table], hex(pk), cid, val, col_version, db_version, cl "          \
    "FROM crsql_changes"

static void refuse(const char *schema, const char *message)
{
    rowtide_db *db = scratch_db(schema);
    scratch_exec(db,
                 "CREATE TABLE other(x); BEGIN; INSERT INTO other VALUES(1)");
    assert_status(rowtide_crdt_enable(db, "t"), ROWTIDE_ESCHEMA);
    assert_string_equal(rowtide_error_message(), message);
    /* The transaction of the caller goes on. */
    scratch_exec(db, "COMMIT");
    assert_int_equal(scratch_integer(db, "SELECT x FROM other"), 1);
    assert_int_equal(rowtide_crdt_is_enabled(db, "t"), 0);
    rowtide_db_free(db);
}

static void tables_that_may_not(void **state)
{
    (void)state;
    refuse("CREATE TABLE t(a INTEGER PRIMARY KEY NOT NULL, b UNIQUE)",
           "Table t has unique indices besidesthe primary key. This is not "
           "allowed for CRRs");
    refuse("CREATE TABLE t(a INTEGER PRIMARY KEY, b)",
           "Table t has no primary key or primary key is nullable. CRRs must "
           "have a non nullable primary key");
    refuse("CREATE VIEW t AS SELECT 1",
           "Table t has no primary key or primary key is nullable. CRRs must "
           "have a non nullable primary key");
    refuse("CREATE TABLE t(a NOT NULL, b, PRIMARY KEY(a, b))",
           "Table t has composite primary key part of which is nullable. CRRs "
           "must have a non nullable primary key");
    refuse("CREATE TABLE t(a INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL)",
           "t has auto-increment primary keys. This is likely a mistake as two "
           "concurrent nodes will assign unrelated rows the same primary key. "
           "Either use a primary key that represents the identity of your row "
           "or use a database friendly UUID such as UUIDv7");
    refuse("CREATE TABLE t(a INTEGER PRIMARY KEY NOT NULL, b REFERENCES o)",
           "Table t has checked foreign key constraints. CRRs may have foreign "
           "keys but must not have checked foreign key constraints as they can "
           "be violated by row level security or replication.");
    refuse("CREATE TABLE t(a INTEGER PRIMARY KEY NOT NULL, b NOT NULL)",
           "Table t has a NOT NULL column without a DEFAULT VALUE. This is not "
           "allowed as it prevents forwards and backwards compatibility "
           "between schema versions. Make the column nullable or assign a "
           "default value to it.");
    refuse("CREATE TABLE t(a INTEGER PRIMARY KEY NOT NULL, \"-1\")",
           "Table t has a column named -1, which stands for the row itself in "
           "crsql_changes");
}

static rowtide_db *open_t(void)
{
    rowtide_db *db = scratch_db(
        "CREATE TABLE t(a INTEGER PRIMARY KEY NOT NULL, b, c);"
        "INSERT INTO t VALUES(2, 'x', 'y'), (1, NULL, 3)");
    assert_ok(rowtide_crdt_enable(db, "t"));
    return db;
}

static void rows_that_are_there_are_told(void **state)
{
    (void)state;
    rowtide_db *db = open_t();
    assert_rows(db, CHANGES,
                "'t'|'010901'|'b'|NULL|1|1|1;'t'|'010901'|'c'|3|1|1|1;"
                "'t'|'010902'|'b'|'x'|1|1|1;'t'|'010902'|'c'|'y'|1|1|1;");
    assert_ok(rowtide_crdt_enable(db, "T"));
    assert_int_equal(scratch_integer(db, "SELECT count(*) FROM crsql_changes"),
                     4);
    rowtide_db_free(db);
}

static void disabling_keeps_rows_and_version(void **state)
{
    (void)state;
    rowtide_db *db = open_t();
    assert_ok(rowtide_crdt_disable(db, "t"));
    assert_ok(rowtide_crdt_disable(db, "t"));
    assert_ok(rowtide_crdt_disable(db, "nix"));
    scratch_exec(db, "INSERT INTO t VALUES(3, 3, 3)");
    assert_int_equal(scratch_integer(db, "SELECT count(*) FROM crsql_changes"),
                     0);
    assert_int_equal(scratch_integer(db, "SELECT crsql_db_version()"), 1);
    assert_int_equal(scratch_integer(db, "SELECT count(*) FROM sqlite_schema "
                                         "WHERE name LIKE 't\\_\\_%' ESCAPE "
                                         "'\\'"),
                     0);
    rowtide_db_free(db);
}

static void alter_columns(void **state)
{
    (void)state;
    rowtide_db *db = open_t();
    assert_ok(rowtide_crdt_begin_alter(db, "t"));
    scratch_exec(db, "ALTER TABLE t ADD COLUMN d DEFAULT 7;"
                     "ALTER TABLE t DROP COLUMN b");
    assert_ok(rowtide_crdt_commit_alter(db, "t"));
    assert_rows(db, CHANGES,
                "'t'|'010901'|'c'|3|1|1|1;'t'|'010902'|'c'|'y'|1|1|1;");
    scratch_exec(db, "UPDATE t SET d = 8 WHERE a = 1");
    assert_rows(db, CHANGES " WHERE db_version > 1",
                "'t'|'010901'|'d'|8|1|2|1;");
    /* A new column of an old name does not take over old cells. */
    assert_ok(rowtide_crdt_begin_alter(db, "t"));
    scratch_exec(db, "ALTER TABLE t DROP COLUMN d; ALTER TABLE t ADD COLUMN e");
    assert_ok(rowtide_crdt_commit_alter(db, "t"));
    assert_int_equal(scratch_integer(db, "SELECT count(*) FROM crsql_changes"),
                     2);
    rowtide_db_free(db);
}

/* cr-sqlite never sends what is written meanwhile. */
static void what_is_written_meanwhile_is_told(void **state)
{
    (void)state;
    rowtide_db *db = open_t();
    assert_ok(rowtide_crdt_begin_alter(db, "t"));
    scratch_exec(db, "ALTER TABLE t ADD COLUMN d;"
                     "INSERT INTO t VALUES(5, 5, 5, 5); DELETE FROM t WHERE a "
                     "= 1; UPDATE t SET d = 9, b = 8 WHERE a = 2");
    assert_ok(rowtide_crdt_commit_alter(db, "t"));
    assert_rows(db, CHANGES " WHERE db_version > 1",
                "'t'|'010905'|'b'|5|1|2|1;'t'|'010905'|'c'|5|1|2|1;"
                "'t'|'010901'|'-1'|NULL|2|2|2;'t'|'010902'|'b'|8|2|2|1;"
                "'t'|'010902'|'d'|9|1|2|1;'t'|'010905'|'d'|5|1|2|1;");
    rowtide_db_free(db);
}

static void rolling_back_undoes_all(void **state)
{
    (void)state;
    rowtide_db *db = open_t();
    assert_status(rowtide_crdt_rollback_alter(db, "t"), ROWTIDE_ESQL);
    assert_status(rowtide_crdt_rollback_alter(NULL, "t"), ROWTIDE_EINVAL);
    scratch_exec(db, "BEGIN; UPDATE t SET b = 5 WHERE a = 1");
    assert_ok(rowtide_crdt_begin_alter(db, "t"));
    scratch_exec(db, "ALTER TABLE t ADD COLUMN d; UPDATE t SET b = 6, d = 7");
    assert_ok(rowtide_crdt_rollback_alter(db, "t"));
    assert_int_equal(rowtide_db_in_transaction(db), 1);
    scratch_exec(db, "COMMIT; UPDATE t SET c = 9 WHERE a = 1");
    assert_rows(db, CHANGES " WHERE db_version > 1",
                "'t'|'010901'|'b'|5|2|2|1;'t'|'010901'|'c'|9|2|3|1;");
    rowtide_db_free(db);
}

static void alter_keys(void **state)
{
    (void)state;
    rowtide_db *db = open_t();
    assert_ok(rowtide_crdt_begin_alter(db, "t"));
    scratch_exec(db, "CREATE TABLE n(a TEXT PRIMARY KEY NOT NULL, b, c);"
                     "INSERT INTO n SELECT 'k' || a, b, c FROM t;"
                     "DROP TABLE t; ALTER TABLE n RENAME TO t");
    assert_ok(rowtide_crdt_commit_alter(db, "t"));
    scratch_exec(db, "DELETE FROM t WHERE a = 'k2'");
    assert_rows(db, "SELECT hex(pk), cid, val, cl FROM crsql_changes",
                "'010B026B31'|'b'|NULL|1;'010B026B31'|'c'|3|1;"
                "'010B026B32'|'-1'|NULL|2;");
    rowtide_db_free(db);
}

static void failing_to_commit_undoes_the_alteration(void **state)
{
    (void)state;
    rowtide_db *db = open_t();
    scratch_exec(db, "CREATE TABLE x(a); BEGIN; INSERT INTO x VALUES(1)");
    assert_ok(rowtide_crdt_begin_alter(db, "x"));
    scratch_exec(db, "ALTER TABLE x ADD COLUMN b");
    assert_status(rowtide_crdt_commit_alter(db, "x"), ROWTIDE_ESCHEMA);
    scratch_exec(db, "COMMIT");
    assert_rows(db, "SELECT * FROM x", "1;");
    rowtide_db_free(db);
}

static void added_column_is_refused_with_the_remedy(void **state)
{
    (void)state;
    rowtide_db *db = open_t();
    scratch_exec(db, "ALTER TABLE t ADD COLUMN d");
    assert_int_equal(scratch_integer(db, "SELECT count(*) FROM crsql_changes"),
                     4);
    assert_true(rowtide_db_exec(db, "UPDATE t SET d = 1") < 0);
    assert_message("crsql_commit_alter('t')");
    assert_rows(db, "SELECT count(*) FROM t WHERE d = 1", "0;");
    scratch_exec(db, "SELECT crsql_commit_alter('t'); UPDATE t SET d = 1");
    assert_int_equal(scratch_integer(db, "SELECT count(*) FROM crsql_changes"),
                     6);
    rowtide_db_free(db);
}

static void renamed_table_goes_on(void **state)
{
    (void)state;
    rowtide_db *db = open_t();
    scratch_exec(db, "ALTER TABLE t RENAME TO u;"
                     "INSERT INTO u VALUES(3, 3, 3);"
                     "CREATE TABLE t(a INTEGER PRIMARY KEY NOT NULL, b)");
    assert_int_equal(rowtide_crdt_is_enabled(db, "t"), 0);
    assert_ok(rowtide_crdt_enable(db, "t"));
    scratch_exec(db, "INSERT INTO t VALUES(1, 1)");
    assert_rows(db, "SELECT [table], count(*) FROM crsql_changes GROUP BY 1",
                "'t'|1;'u'|6;");
    rowtide_db_free(db);
}

static void dropped_table_is_gone(void **state)
{
    (void)state;
    rowtide_db *db = open_t();
    scratch_exec(db, "DROP TABLE t");
    assert_int_equal(scratch_integer(db, "SELECT count(*) FROM crsql_changes"),
                     0);
    scratch_exec(db, "CREATE TABLE log__crsql_clock(x);"
                     "CREATE TABLE t(a INTEGER PRIMARY KEY NOT NULL, z)");
    scratch_exec(db, "INSERT INTO t VALUES(1, 1)");
    assert_int_equal(scratch_integer(db, "SELECT count(*) FROM crsql_changes"),
                     0);
    assert_ok(rowtide_crdt_enable(db, "t"));
    assert_rows(db, CHANGES, "'t'|'010901'|'z'|1|1|2|1;");
    rowtide_db_free(db);
}

static void tools_look_inside(void **state)
{
    (void)state;
    rowtide_db *db = open_t();
    scratch_exec(db, "DELETE FROM t WHERE a = 2");
    assert_rows(db, "SELECT * FROM t__crsql_clock",
                "1|'b'|1|1|0|0;1|'c'|1|1|0|1;2|'-1'|2|2|0|0;");
    assert_rows(db, "SELECT * FROM t__crsql_pks", "1|1;2|2;");
    assert_rows(db,
                "SELECT ordinal FROM crsql_site_id WHERE site_id = "
                "crsql_site_id()",
                "0;");
    assert_rows(db,
                "SELECT value FROM crsql_master WHERE key = "
                "'crsqlite_version'",
                "160300;");
    rowtide_db_free(db);
}

static void vacuum_changes_nothing(void **state)
{
    (void)state;
    rowtide_db *db = scratch_db(
        "CREATE TABLE t(a TEXT PRIMARY KEY NOT NULL, b);"
        "INSERT INTO t VALUES('a', 1), ('b', 2), ('c', 3)");
    assert_ok(rowtide_crdt_enable(db, "t"));
    scratch_exec(db, "DELETE FROM t WHERE a = 'a'");
    char *before = scratch_rows(db, CHANGES);
    scratch_exec(db, "VACUUM");
    assert_rows(db, CHANGES, before);
    free(before);
    rowtide_db_free(db);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tables_that_may_not),
        cmocka_unit_test(rows_that_are_there_are_told),
        cmocka_unit_test(disabling_keeps_rows_and_version),
        cmocka_unit_test(alter_columns),
        cmocka_unit_test(what_is_written_meanwhile_is_told),
        cmocka_unit_test(rolling_back_undoes_all),
        cmocka_unit_test(alter_keys),
        cmocka_unit_test(failing_to_commit_undoes_the_alteration),
        cmocka_unit_test(added_column_is_refused_with_the_remedy),
        cmocka_unit_test(renamed_table_goes_on),
        cmocka_unit_test(dropped_table_is_gone),
        cmocka_unit_test(tools_look_inside),
        cmocka_unit_test(vacuum_changes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
