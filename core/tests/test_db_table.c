#include "support/oom.h"
#include "support/scratch.h"

#include "db/sql.h"
#include "db/table.h"

#include <stdlib.h>
#include <string.h>

static const char SQL_SCHEMA[] =
    "CREATE TABLE \"Odd \"\"Name\"(\"a b\" TEXT COLLATE NOCASE, c, "
    "  v AS (c + 1), s AS (c + 2) STORED, d REAL, PRIMARY KEY(d, \"a b\"));"
    "CREATE TABLE plain(a, b);"
    "CREATE TABLE slim(k INTEGER PRIMARY KEY, w TEXT) STRICT, WITHOUT ROWID;"
    "CREATE TABLE counted(id INTEGER PRIMARY KEY AUTOINCREMENT);"
    "CREATE VIEW seen AS SELECT a FROM plain;"
    "CREATE VIRTUAL TABLE words USING fts5(body);"
    "CREATE TEMP TABLE passing(x PRIMARY KEY);"
    "CREATE TEMP TABLE plain(z);"
    "ATTACH ':memory:' AS \"side\"; CREATE TABLE side.other(y)";

static rowtide__table_info read_info(rowtide_db *db, const char *schema,
                                     const char *table)
{
    rowtide__table_info info;
    assert_ok(rowtide__table_info_read(db, schema, table, &info));
    return info;
}

static void columns(void **state)
{
    (void)state;
    rowtide_db *db = scratch_db(SQL_SCHEMA);
    rowtide__table_info info = read_info(db, "main", "odd \"name");
    assert_int_equal(info.kind, ROWTIDE__TABLE_ORDINARY);
    assert_string_equal(info.name, "Odd \"Name");
    assert_int_equal(info.column_count, 5);
    assert_int_equal(info.ordinary_count, 3);
    assert_int_equal(info.key_count, 2);
    assert_string_equal(info.columns[0].name, "a b");
    assert_string_equal(info.columns[0].declared_type, "TEXT");
    assert_string_equal(info.columns[0].collation, "NOCASE");
    assert_int_equal(info.columns[0].primary_key, 2);
    assert_string_equal(info.columns[1].declared_type, "");
    assert_string_equal(info.columns[1].collation, "BINARY");
    assert_int_equal(info.columns[1].primary_key, 0);
    assert_int_equal(info.columns[2].generated, 2);
    assert_int_equal(info.columns[3].generated, 3);
    assert_int_equal(info.columns[4].generated, 0);
    assert_int_equal(info.columns[4].primary_key, 1);
    assert_false(info.strict);
    assert_false(info.without_rowid);
    rowtide__table_info_dispose(&info);
    rowtide__table_info_dispose(&info);
    info = read_info(db, "main", "SLIM");
    assert_true(info.strict);
    assert_true(info.without_rowid);
    rowtide__table_info_dispose(&info);
    rowtide_db_free(db);
}

static void kinds(void **state)
{
    (void)state;
    const struct {
        const char *schema, *table;
        rowtide__table_kind kind;
        int columns;
    } cases[] = {
        {"main", "nosuch", ROWTIDE__TABLE_MISSING, 0},
        {"main", "plain", ROWTIDE__TABLE_ORDINARY, 2},
        {NULL, "plain", ROWTIDE__TABLE_ORDINARY, 2},
        {"temp", "plain", ROWTIDE__TABLE_ORDINARY, 1},
        {"temp", "passing", ROWTIDE__TABLE_ORDINARY, 1},
        {"main", "passing", ROWTIDE__TABLE_MISSING, 0},
        {"Side", "OTHER", ROWTIDE__TABLE_ORDINARY, 1},
        {"main", "seen", ROWTIDE__TABLE_VIEW, 1},
        {"main", "words", ROWTIDE__TABLE_VIRTUAL, 1},
        {"main", "words_content", ROWTIDE__TABLE_SHADOW, 2},
    };
    rowtide_db *db = scratch_db(SQL_SCHEMA);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        rowtide__table_info info = read_info(db, cases[i].schema,
                                             cases[i].table);
        assert_int_equal(info.kind, cases[i].kind);
        assert_int_equal(info.column_count, cases[i].columns);
        rowtide__table_info_dispose(&info);
    }
    rowtide_db_free(db);
}

static void many_columns(void **state)
{
    (void)state;
    const int counts[] = {7, 8, 9, 16, 17, 100};
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        rowtide_db *db = scratch_db(NULL);
        sqlite3_str *sql = sqlite3_str_new(NULL);
        sqlite3_str_appendall(sql, "CREATE TABLE t(c0");
        for (int c = 1; c < counts[i]; c++)
            sqlite3_str_appendf(sql, ", c%d", c);
        sqlite3_str_appendall(sql, ")");
        char *text = sqlite3_str_finish(sql);
        scratch_exec(db, text);
        sqlite3_free(text);
        rowtide__table_info info = read_info(db, "main", "t");
        assert_int_equal(info.column_count, counts[i]);
        rowtide__table_info_dispose(&info);
        rowtide_db_free(db);
    }
}

static void no_such_schema(void **state)
{
    (void)state;
    rowtide_db *db = scratch_db(NULL);
    rowtide__table_info info;
    char **names;
    int count;
    assert_status(rowtide__table_info_read(db, "nosuch", "t", &info),
                  ROWTIDE_ESCHEMA);
    assert_message("table \"t\": there is no schema \"nosuch\"");
    assert_status(rowtide__table_names(db, "nosuch", &names, &count),
                  ROWTIDE_ESCHEMA);
    assert_null(names);
    rowtide_db_free(db);
}

static void check_names(rowtide_db *db, const char *schema,
                        const char *expected)
{
    char **names, joined[256] = "";
    int count;
    assert_ok(rowtide__table_names(db, schema, &names, &count));
    for (int i = 0; i < count; i++) {
        strcat(joined, names[i]);
        strcat(joined, ";");
    }
    assert_null(names[count]);
    assert_string_equal(joined, expected);
    rowtide__table_names_free(names);
}

static void table_names(void **state)
{
    (void)state;
    rowtide_db *db = scratch_db(SQL_SCHEMA);
    check_names(db, "main", "Odd \"Name;counted;plain;slim;");
    check_names(db, NULL, "Odd \"Name;counted;plain;slim;");
    check_names(db, "temp", "passing;plain;");
    check_names(db, "SIDE", "other;");
    rowtide_db_free(db);
    db = scratch_db(NULL);
    check_names(db, "main", "");
    check_names(db, "temp", "");
    rowtide_db_free(db);
}

static void one_integer(void **state)
{
    (void)state;
    rowtide_db *db = scratch_db("CREATE TABLE \"a\"\"b\"(x)");
    int64_t value;
    assert_ok(rowtide__sql_exec(db, "INSERT INTO \"%w\" VALUES(%Q), (%d)",
                                "a\"b", "it's", 7));
    assert_ok(rowtide__sql_integer(db, &value, -1, "SELECT max(rowid) FROM %Q",
                                   "a\"b"));
    assert_int_equal(value, 2);
    assert_ok(rowtide__sql_integer(db, &value, -1,
                                   "SELECT x FROM \"%w\" WHERE 0", "a\"b"));
    assert_int_equal(value, -1);
    assert_status(rowtide__sql_integer(db, &value, -1, "SELECT nosuch"),
                  ROWTIDE_ESQL);
    rowtide_db_free(db);
}

static int scenario(void *ctx)
{
    rowtide_db *db = NULL;
    rowtide__table_info info = {0};
    char **names = NULL;
    int count;
    (void)ctx;
    int rc = rowtide_db_open(":memory:", NULL, &db);
    if (rc == ROWTIDE_OK)
        rc = rowtide_db_exec(db, "CREATE TABLE one(a PRIMARY KEY, b TEXT);"
                                 "CREATE TABLE two(c)");
    if (rc == ROWTIDE_OK)
        rc = rowtide__table_info_read(db, "main", "one", &info);
    if (rc == ROWTIDE_OK)
        rc = rowtide__table_names(db, "main", &names, &count);
    if (rc == ROWTIDE_OK) {
        assert_int_equal(info.column_count, 2);
        assert_int_equal(count, 2);
    }
    rowtide__table_info_dispose(&info);
    rowtide__table_names_free(names);
    rowtide_db_free(db);
    return rc;
}

static void out_of_memory(void **state)
{
    (void)state;
    oom_loop(scenario, NULL);
    oom_loop_sqlite(scenario, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(columns),       cmocka_unit_test(kinds),
        cmocka_unit_test(many_columns),  cmocka_unit_test(no_such_schema),
        cmocka_unit_test(table_names),   cmocka_unit_test(one_integer),
        cmocka_unit_test(out_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
