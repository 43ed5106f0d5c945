#include "support/oom.h"
#include "support/scratch.h"

#include <rowtide/crdt.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What cr-sqlite 0.16 makes of a table and its rows. */
#define OLD_SITES                                                              \
    "CREATE TABLE crsql_tracked_peers(site_id BLOB NOT NULL, version INTEGER " \
    "NOT NULL, seq INTEGER DEFAULT 0, tag INTEGER, event INTEGER, "            \
    "PRIMARY KEY(site_id, tag, event)) STRICT;"                                \
    "CREATE TABLE crsql_master(key TEXT PRIMARY KEY, value ANY);"              \
    "INSERT INTO crsql_master VALUES('crsqlite_version', 160300), "            \
    "('pre_compact_dbversion', 3);"                                            \
    "CREATE TABLE crsql_site_id(site_id BLOB NOT NULL, ordinal INTEGER "       \
    "PRIMARY KEY);"                                                            \
    "CREATE UNIQUE INDEX crsql_site_id_site_id ON crsql_site_id(site_id);"     \
    "INSERT INTO crsql_site_id VALUES(x'00112233445566778899aabbccddeeff', "   \
    "0), (x'aabb', 1);"
#define OLD_CLOCK(table)                                                       \
    "CREATE TABLE " table "__crsql_clock(key INTEGER NOT NULL, col_name TEXT " \
    "NOT NULL, col_version INTEGER NOT NULL, db_version INTEGER NOT NULL, "    \
    "site_id INTEGER NOT NULL DEFAULT 0, seq INTEGER NOT NULL, "               \
    "PRIMARY KEY(key, col_name)) WITHOUT ROWID, STRICT;"                       \
    "CREATE INDEX " table "__crsql_clock_dbv_idx ON " table                    \
    "__crsql_clock(db_version);"                                               \
    "CREATE TRIGGER " table "__crsql_itrig AFTER INSERT ON " table             \
    " WHEN crsql_internal_sync_bit() = 0 BEGIN VALUES("                        \
    "crsql_after_insert('" table "', NEW.id)); END;"
#define OLD_NOTES                                                              \
    "CREATE TABLE notes(id INTEGER PRIMARY KEY NOT NULL, title, done);"        \
    "INSERT INTO notes VALUES(1, 'milk', 0), (4, 'rye', 1);"                   \
    "CREATE TABLE notes__crsql_pks(__crsql_key INTEGER PRIMARY KEY, id);"      \
    "CREATE UNIQUE INDEX notes__crsql_pks_pks ON notes__crsql_pks(id);"        \
    "INSERT INTO notes__crsql_pks VALUES(1, 4), (2, 1), (3, 9), (4, "          \
    "77);" OLD_CLOCK(                                                          \
        "notes") "INSERT INTO notes__crsql_clock VALUES(1, 'title', 1, 1, 0, " \
                 "0), "                                                        \
                 "(1, 'done', 3, 4, 1, 8), (1, '-1', 3, 2, 0, 5), "            \
                 "(2, 'title', 1, 1, 0, 1), (2, 'done', 2, 5, 0, 0), "         \
                 "(2, 'gone', 1, 1, 0, 9), (3, '-1', 2, 6, 1, 2);"

static const char CHANGES[] =
    "SELECT hex(pk), cid, val, col_version, db_version, hex(site_id), cl, seq "
    "FROM crsql_changes";
static const char SCHEMA[] =
    "SELECT name, sql FROM sqlite_schema ORDER BY name";

static void keeps_every_clock(void **state)
{
    (void)state;
    int64_t count;
    unsigned char site[ROWTIDE_SITE_ID_SIZE];
    rowtide_db *db = scratch_db(OLD_SITES OLD_NOTES);
    assert_ok(rowtide_crdt_convert(db, &count));
    assert_int_equal(count, 1);
    assert_rows(
        db, CHANGES,
        "'010904'|'title'|'rye'|1|1|'00112233445566778899AABBCCDDEEFF'|3|0;"
        "'010901'|'title'|'milk'|1|1|'00112233445566778899AABBCCDDEEFF'|1|1;"
        "'010904'|'-1'|NULL|3|2|'00112233445566778899AABBCCDDEEFF'|3|5;"
        "'010904'|'done'|1|3|4|'AABB'|3|8;"
        "'010901'|'done'|0|2|5|'00112233445566778899AABBCCDDEEFF'|1|0;"
        "'010909'|'-1'|NULL|2|6|'AABB'|2|2;");
    assert_ok(rowtide_crdt_site_id(db, site));
    assert_int_equal(site[15], 0xff);
    assert_ok(rowtide_crdt_version(db, &count));
    assert_int_equal(count, 6);
    assert_int_equal(scratch_integer(db, "SELECT count(*) FROM sqlite_schema "
                                         "WHERE name LIKE '%convert%'"),
                     0);
    rowtide_db_free(db);
}

static void goes_on_where_it_was(void **state)
{
    (void)state;
    rowtide_db *db = scratch_db(OLD_SITES OLD_NOTES);
    assert_ok(rowtide_crdt_convert(db, NULL));
    scratch_exec(db, "UPDATE notes SET title = 'oats' WHERE id = 1;"
                     "INSERT INTO notes VALUES(9, 'again', 2)");
    assert_rows(db,
                "SELECT hex(pk), cid, col_version, db_version, cl, seq FROM "
                "crsql_changes WHERE db_version > 6",
                "'010901'|'title'|2|7|1|0;'010909'|'-1'|3|8|3|0;"
                "'010909'|'title'|1|8|3|1;'010909'|'done'|1|8|3|2;");
    rowtide_db_free(db);
}

static void in_a_transaction_versions_go_on(void **state)
{
    (void)state;
    rowtide_db *db = scratch_db(OLD_SITES OLD_NOTES);
    scratch_exec(db, "BEGIN");
    assert_ok(rowtide_crdt_convert(db, NULL));
    scratch_exec(db, "DELETE FROM notes WHERE id = 1; COMMIT");
    assert_int_equal(
        scratch_integer(db, "SELECT max(db_version) FROM crsql_changes"), 7);
    rowtide_db_free(db);
}

static void twice_is_once(void **state)
{
    (void)state;
    int64_t count = -1;
    rowtide_db *db = scratch_db(OLD_SITES OLD_NOTES);
    assert_ok(rowtide_crdt_convert(db, NULL));
    char *schema = scratch_rows(db, SCHEMA), *log = scratch_rows(db, CHANGES);
    assert_ok(rowtide_crdt_convert(db, &count));
    assert_int_equal(count, 0);
    assert_rows(db, SCHEMA, schema);
    assert_rows(db, CHANGES, log);
    free(schema);
    free(log);
    rowtide_db_free(db);
}

static void refused(const char *sql, const char *message)
{
    int64_t count = -1;
    rowtide_db *db = scratch_db(sql);
    assert_ok(rowtide_crdt_open(db));
    char *before = scratch_rows(db, SCHEMA);
    scratch_exec(db, "BEGIN; CREATE TABLE mine(a)");
    assert_int_not_equal(rowtide_crdt_convert(db, &count), ROWTIDE_OK);
    assert_message(message);
    assert_int_equal(count, 0);
    scratch_exec(db, "DROP TABLE mine; COMMIT");
    assert_rows(db, SCHEMA, before);
    free(before);
    rowtide_db_free(db);
}

static void failing_leaves_everything(void **state)
{
    (void)state;
    refused(OLD_SITES OLD_NOTES "CREATE UNIQUE INDEX no ON notes(title);",
            "unique indices");
    refused(OLD_SITES OLD_NOTES
            "CREATE TABLE z(id PRIMARY KEY NOT NULL);"
            "CREATE TABLE z__crsql_pks(__crsql_key INTEGER PRIMARY KEY, id);"
            "CREATE TABLE z__crsql_clock(rowid_, __crsql_col_name);",
            "\"z\"");
    refused(OLD_SITES OLD_NOTES
            "UPDATE notes__crsql_pks SET id = 'text' WHERE id = 1;",
            "notes");
    refused(OLD_SITES OLD_NOTES "UPDATE notes__crsql_clock SET db_version = "
                                "9223372036854775807 WHERE seq = 5;",
            "table \"notes\": a clock has the version 9223372036854775807");
    refused(OLD_SITES OLD_NOTES "UPDATE notes__crsql_clock SET col_version = "
                                "9007199254740993 WHERE seq = 5;",
            "9007199254740993");
}

static void removes_what_a_dropped_table_left(void **state)
{
    (void)state;
    int64_t count;
    rowtide_db *db = scratch_db(OLD_SITES OLD_NOTES "DROP TABLE notes;");
    assert_ok(rowtide_crdt_convert(db, &count));
    assert_int_equal(count, 0);
    assert_int_equal(scratch_integer(db, "SELECT count(*) FROM sqlite_schema "
                                         "WHERE name LIKE 'notes%'"),
                     0);
    assert_rows(db, CHANGES, "");
    rowtide_db_free(db);
}

static int convert(void *ctx)
{
    (void)ctx;
    rowtide_db *db = NULL;
    int rc = rowtide_db_open(":memory:", NULL, &db);
    if (rc == ROWTIDE_OK)
        rc = rowtide_db_exec(db, OLD_SITES OLD_NOTES);
    if (rc == ROWTIDE_OK)
        rc = rowtide_crdt_convert(db, NULL);
    rowtide_db_free(db);
    return rc;
}

static void runs_out_of_memory(void **state)
{
    (void)state;
    oom_loop(convert, NULL);
}

static void checks_its_arguments(void **state)
{
    (void)state;
    assert_status(rowtide_crdt_convert(NULL, NULL), ROWTIDE_EINVAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keeps_every_clock),
        cmocka_unit_test(goes_on_where_it_was),
        cmocka_unit_test(in_a_transaction_versions_go_on),
        cmocka_unit_test(twice_is_once),
        cmocka_unit_test(failing_leaves_everything),
        cmocka_unit_test(removes_what_a_dropped_table_left),
        cmocka_unit_test(runs_out_of_memory),
        cmocka_unit_test(checks_its_arguments),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
