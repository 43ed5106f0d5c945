#include "support/oom.h"
#include "support/scratch.h"

#include "crdt/automigrate.h"

#include <stdlib.h>
#include <string.h>

static const char SCHEMA[] =
    "SELECT name, sql FROM sqlite_schema ORDER BY name";
static const char NOTES[] =
    "SELECT crsql_automigrate('CREATE TABLE IF NOT EXISTS notes(id INTEGER "
    "PRIMARY KEY NOT NULL, title, done); SELECT crsql_as_crr(''notes'');"
    "CREATE INDEX IF NOT EXISTS by_title ON notes(title)')";

static rowtide_db *open_db(void)
{
    rowtide_db *db = scratch_db(NULL);
    assert_ok(rowtide_crdt_open(db));
    return db;
}

static void splits_sql_into_tokens(void **state)
{
    (void)state;
    const char *sql = " CREATE/* x ' */TABLE \"a \"\" b\"(x'00',-- end\n"
                      "[c ]d] `e` 'it''s;' 1.5;) /* open";
    static const char *const expected[] = {
        "CREATE", "TABLE", "\"a \"\" b\"", "(", "x", "'00'", ",", "[c ]", "d",
        "]",      "`e`",   "'it''s;'",     "1", ".", "5",    ";", ")",
    };
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++) {
        rowtide__sql_slice token = rowtide__sql_token(&sql);
        assert_int_equal(token.size, strlen(expected[i]));
        assert_memory_equal(token.data, expected[i], token.size);
    }
    assert_int_equal(rowtide__sql_token(&sql).size, 0);
    assert_int_equal(rowtide__sql_token(&sql).size, 0);
}

static void finds_how_a_column_is_defined(void **state)
{
    (void)state;
    static const char sql[] =
        "CREATE TABLE \"t(\" (id INTEGER, -- , x TEXT\n"
        "  \"a \"\"b\" TEXT CHECK (\"a \"\"b\" IN ('x,', ')')) /* last */,\n"
        "  Name DEFAULT (1 + (2)) -- last\n, [g h] AS (id + 1))";
    static const struct {
        const char *name, *definition;
    } cases[] = {
        {"id", "id INTEGER"},
        {"a \"b", "\"a \"\"b\" TEXT CHECK (\"a \"\"b\" IN ('x,', ')'))"},
        {"name", "Name DEFAULT (1 + (2))"},
        {"g h", "[g h] AS (id + 1)"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        rowtide__sql_slice found = rowtide__sql_find_column(sql, cases[i].name);
        assert_int_equal(found.size, strlen(cases[i].definition));
        assert_memory_equal(found.data, cases[i].definition, found.size);
    }
    assert_int_equal(rowtide__sql_find_column(sql, "x").size, 0);
    assert_int_equal(rowtide__sql_find_column("CREATE TABLE", "x").size, 0);
    assert_int_equal(rowtide__sql_find_column("CREATE TABLE t(a, ('", "x").size,
                     0);
}

static void makes_what_the_schema_says(void **state)
{
    (void)state;
    rowtide_db *db = open_db();
    scratch_exec(db, NOTES);
    scratch_exec(db, "INSERT INTO notes VALUES(1, 'milk', 0)");
    char *before = scratch_rows(db, SCHEMA);
    scratch_exec(db, NOTES);
    assert_rows(db, SCHEMA, before);
    assert_rows(db, "SELECT cid, val, db_version FROM crsql_changes",
                "'title'|'milk'|1;'done'|0|1;");
    free(before);
    rowtide_db_free(db);
}

static void alters_what_differs(void **state)
{
    (void)state;
    rowtide_db *db = open_db();
    scratch_exec(db, NOTES);
    scratch_exec(db, "INSERT INTO notes VALUES(1, 'milk', 0)");
    scratch_exec(db, "SELECT crsql_automigrate('CREATE TABLE IF NOT EXISTS "
                     "notes(id INTEGER PRIMARY KEY NOT NULL, title, colour "
                     "TEXT DEFAULT ''grey'' COLLATE NOCASE); SELECT "
                     "crsql_as_crr(''notes'')')");
    scratch_exec(db, "UPDATE notes SET colour = 'RED'");
    assert_rows(db, "SELECT id, title, colour FROM notes WHERE colour = 'red'",
                "1|'milk'|'RED';");
    assert_rows(db, "SELECT cid, val, db_version FROM crsql_changes",
                "'title'|'milk'|1;'colour'|'RED'|2;");
    assert_int_equal(scratch_integer(db, "SELECT count(*) FROM sqlite_schema "
                                         "WHERE name = 'by_title'"),
                     0);
    rowtide_db_free(db);
}

static void leaves_nothing_of_what_it_drops(void **state)
{
    (void)state;
    rowtide_db *db = open_db();
    char *before = scratch_rows(db, SCHEMA);
    scratch_exec(db, NOTES);
    scratch_exec(db, "SELECT crsql_fract_as_ordered('notes', 'done');"
                     "INSERT INTO notes VALUES(1, 'milk', 1)");
    scratch_exec(db, "SELECT crsql_automigrate('')");
    assert_rows(db, SCHEMA, before);
    assert_rows(db, "SELECT * FROM crsql_changes", "");
    free(before);
    rowtide_db_free(db);
}

static void leaves_the_tables_of_other_facets(void **state)
{
    (void)state;
    rowtide_db *db = open_db();
    scratch_exec(db, "CREATE TABLE rowtide_undo(id); CREATE TABLE gone(id)");
    scratch_exec(db, NOTES);
    assert_rows(db,
                "SELECT name FROM sqlite_schema WHERE name IN ('gone', "
                "'rowtide_undo')",
                "'rowtide_undo';");
    rowtide_db_free(db);
}

static void knows_collations_of_the_application(void **state)
{
    (void)state;
    rowtide_db *db = open_db();
    assert_status(
        rowtide_db_exec(db, "SELECT crsql_automigrate('CREATE TABLE t(a); "
                            "CREATE INDEX i ON t(a COLLATE swedish)')"),
        ROWTIDE_ESQL);
    assert_message("ERROR: "); /* in the second run, where it is needed */
    rowtide_db_free(db);
}

static void all_or_nothing(void **state)
{
    (void)state;
    static const char *const cases[] = {
        "SELECT crsql_automigrate('garbage')",
        "SELECT crsql_automigrate(NULL)",
        "SELECT crsql_automigrate('CREATE TABLE other(id); SELECT "
        "crsql_as_crr(''other'')')",
        "SELECT crsql_automigrate('CREATE TABLE notes(id INTEGER PRIMARY KEY "
        "NOT NULL, title, done)')",
        "SELECT crsql_automigrate('CREATE TABLE IF NOT EXISTS notes(id NOT "
        "NULL, more NOT NULL, PRIMARY KEY(id, more))')",
    };
    rowtide_db *db = open_db();
    scratch_exec(db, NOTES);
    scratch_exec(db, "INSERT INTO notes VALUES(1, 'milk', 0)");
    char *before = scratch_rows(db, SCHEMA);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        scratch_exec(db, "BEGIN; UPDATE notes SET done = done + 1");
        assert_status(rowtide_db_exec(db, cases[i]), ROWTIDE_ESQL);
        scratch_exec(db, "COMMIT");
        assert_rows(db, SCHEMA, before);
    }
    assert_rows(db, "SELECT cid, val, db_version FROM crsql_changes",
                "'title'|'milk'|1;'done'|5|6;");
    free(before);
    rowtide_db_free(db);
}

static int migrate_twice(void *ctx)
{
    (void)ctx;
    rowtide_db *db = NULL;
    int rc = rowtide_db_open(":memory:", NULL, &db);
    if (rc == ROWTIDE_OK)
        rc = rowtide_crdt_open(db);
    if (rc == ROWTIDE_OK)
        rc = rowtide_db_exec(db, NOTES);
    if (rc == ROWTIDE_OK)
        rc = rowtide_db_exec(
            db, "SELECT crsql_automigrate('CREATE TABLE IF NOT EXISTS "
                "notes(id INTEGER PRIMARY KEY NOT NULL, more)')");
    rowtide_db_free(db);
    return rc;
}

static void runs_out_of_memory(void **state)
{
    (void)state;
    oom_loop(migrate_twice, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(splits_sql_into_tokens),
        cmocka_unit_test(finds_how_a_column_is_defined),
        cmocka_unit_test(makes_what_the_schema_says),
        cmocka_unit_test(alters_what_differs),
        cmocka_unit_test(leaves_nothing_of_what_it_drops),
        cmocka_unit_test(leaves_the_tables_of_other_facets),
        cmocka_unit_test(knows_collations_of_the_application),
        cmocka_unit_test(all_or_nothing),
        cmocka_unit_test(runs_out_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
