/*
 * Tables of every shape and name, through all that can be done with them.
 */
#include "support/changesets.h"
#include "support/scratch.h"

#include <rowtide/render.h>

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What turns one into the other, and back. */
static void assert_carries(rowtide_db *source, rowtide_db *replica,
                           rowtide_changeset *changeset, const char *rows)
{
    rowtide_changeset *inverse, *both;
    rowtide_changeset *pair[2];
    assert_ok(rowtide_changeset_invert(changeset, &inverse));
    assert_ok(rowtide_changeset_apply(replica, changeset, NULL, NULL));
    scratch_same(source, replica, rows);
    assert_ok(rowtide_changeset_apply(replica, inverse, NULL, NULL));
    pair[0] = changeset;
    pair[1] = inverse;
    assert_ok(rowtide_changeset_concat(pair, 2, &both));
    assert_int_equal(rowtide_changeset_change_count(both), 0);
    rowtide_changeset_free(both);
    rowtide_changeset_free(inverse);
}

static void assert_json_carries(rowtide_db *db, rowtide_changeset *changeset)
{
    rowtide_render_options options = ROWTIDE_RENDER_OPTIONS_INIT;
    rowtide_buffer json = ROWTIDE_BUFFER_INIT;
    rowtide_changeset *again;
    rowtide_source *source;
    rowtide_sink *sink;
    size_t size = rowtide_changeset_size(changeset);
    options.names = db;
    assert_ok(rowtide_source_memory(rowtide_changeset_data(changeset), size,
                                    &source));
    assert_ok(rowtide_sink_buffer(&json, &sink));
    assert_ok(rowtide_changeset_to_json(source, &options, sink));
    assert_ok(rowtide_changeset_from_json(json.data, json.size, &again));
    assert_int_equal(rowtide_changeset_size(again), size);
    assert_memory_equal(rowtide_changeset_data(again),
                        rowtide_changeset_data(changeset), size);
    rowtide_changeset_free(again);
    rowtide_sink_free(sink);
    rowtide_source_free(source);
    rowtide_buffer_dispose(&json);
}

/* The SQL text does the same. */
static void assert_sql_carries(rowtide_db *source, rowtide_db *replica,
                               rowtide_changeset *changeset, const char *rows)
{
    rowtide_render_options options = ROWTIDE_RENDER_OPTIONS_INIT;
    rowtide_buffer sql = ROWTIDE_BUFFER_INIT;
    rowtide_source *from;
    rowtide_sink *sink;
    options.names = source;
    assert_ok(rowtide_source_memory(rowtide_changeset_data(changeset),
                                    rowtide_changeset_size(changeset), &from));
    assert_ok(rowtide_sink_buffer(&sql, &sink));
    assert_ok(rowtide_changeset_to_sql(from, &options, sink));
    scratch_exec(replica, sql.data);
    scratch_same(source, replica, rows);
    rowtide_sink_free(sink);
    rowtide_source_free(from);
    rowtide_buffer_dispose(&sql);
}

static void assert_whole_way(const char *schema, const char *sql,
                             const char *rows)
{
    rowtide_db *source = scratch_db(schema), *replica = scratch_db(schema);
    rowtide_changeset *changeset = changesets_record(source, sql);
    assert_true(rowtide_changeset_change_count(changeset) > 0);
    assert_json_carries(source, changeset);
    assert_carries(source, replica, changeset, rows);
    assert_sql_carries(source, replica, changeset, rows);
    rowtide_changeset_free(changeset);
    rowtide_db_free(source);
    rowtide_db_free(replica);
}

/* One table of this name, a column of that name. */
static void try_name(const char *table, const char *column)
{
    char *schema = sqlite3_mprintf(
        "CREATE TABLE \"%w\"(\"%w\" PRIMARY KEY, \"b\"\"c\", \"order\");"
        "INSERT INTO \"%w\" VALUES(1, 'a', 'b'), (2, 'c', 'd'), (3, 4, 5);",
        table, column, table);
    char *sql = sqlite3_mprintf(
        "INSERT INTO \"%w\" VALUES('x', 1, 2);"
        "UPDATE \"%w\" SET \"b\"\"c\" = 'it''s' WHERE \"%w\" = 1;"
        "DELETE FROM \"%w\" WHERE \"%w\" = 2;",
        table, table, column, table, column);
    char *rows = sqlite3_mprintf("SELECT * FROM main.\"%w\" ORDER BY 1", table);
    assert_whole_way(schema, sql, rows);
    sqlite3_free(schema);
    sqlite3_free(sql);
    sqlite3_free(rows);
}

static void carries_names_of_every_kind(void **state)
{
    static const char *const names[] = {"it's",
                                        "a \"b\" c",
                                        "[a]",
                                        "`a`",
                                        "a.b",
                                        "select",
                                        "table",
                                        "main",
                                        "temp",
                                        "rowid",
                                        "with nl\nx",
                                        "%s %d %w",
                                        "; --",
                                        "\xc3\xa9t\xc3\xa9",
                                        "\xe8\xa1\xa8",
                                        "null",
                                        "oid",
                                        "_rowid_",
                                        " ",
                                        "1",
                                        "sqlit",
                                        "\\",
                                        "a/*b*/"};
    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        try_name(names[i], names[i]);
}

static void carries_tables_of_every_kind(void **state)
{
    (void)state;
    assert_whole_way(
        "CREATE TABLE t(b, a, c, PRIMARY KEY(a, b)) WITHOUT ROWID;"
        "INSERT INTO t VALUES(1, 2, 3), (4, 5, 6), (7, 8, 9);",
        "INSERT INTO t VALUES(x'00', '', NULL); DELETE FROM t WHERE b = 1;"
        "UPDATE t SET c = 1e300 WHERE b = 4; UPDATE t SET a = 9 WHERE b = 7;",
        "SELECT * FROM t ORDER BY 1, 2");
    assert_whole_way(
        "CREATE TABLE t(a INTEGER PRIMARY KEY, b TEXT, c REAL, d BLOB, e ANY)"
        " STRICT; INSERT INTO t VALUES(1, 'x', 1, x'01', 1.0);",
        "INSERT INTO t VALUES(-9223372036854775808, '', -1, NULL, '1');"
        "UPDATE t SET c = 2, e = '1.0' WHERE a = 1;",
        "SELECT * FROM t ORDER BY 1");
    assert_whole_way("CREATE TABLE t(a INTEGER PRIMARY KEY);"
                     "INSERT INTO t VALUES(1), (2);",
                     "INSERT INTO t VALUES(3); DELETE FROM t WHERE a = 1;",
                     "SELECT * FROM t ORDER BY 1");
    assert_whole_way(
        "PRAGMA encoding = 'UTF-16be';"
        "CREATE TABLE t(a TEXT PRIMARY KEY, b);"
        "INSERT INTO t VALUES('\xc3\xa9', '\xf0\x9f\x98\x80'), ('b', 'c');",
        "INSERT INTO t VALUES('', '\xe2\x82\xac'); DELETE FROM t WHERE a='b';"
        "UPDATE t SET b = '\xf0\x9f\x98\x81' WHERE a = '\xc3\xa9';",
        "SELECT * FROM t ORDER BY 1");
}

/* A temporary table of the same name is in the way of every plain name. */
static void means_main_where_a_temporary_table_shadows_it(void **state)
{
    static const char schema[] =
        "CREATE TABLE t(a INTEGER PRIMARY KEY, b UNIQUE);"
        "INSERT INTO main.t VALUES(1, 'x'), (2, 'y');"
        "CREATE TEMP TABLE t(z);";
    (void)state;
    rowtide_db *source = scratch_db(schema), *replica = scratch_db(schema);
    rowtide_changeset *changeset = changesets_record(
        source, "INSERT INTO t VALUES(1);"
                "UPDATE main.t SET b = 'q' WHERE a = 1;"
                "UPDATE main.t SET b = 'x' WHERE a = 2;"
                "UPDATE main.t SET b = 'y' WHERE a = 1;");
    assert_int_equal(rowtide_changeset_change_count(changeset), 2);
    assert_json_carries(source, changeset);
    assert_carries(source, replica, changeset,
                   "SELECT * FROM main.t ORDER BY 1");
    assert_rows(replica, "SELECT * FROM t", "");
    rowtide_changeset_free(changeset);
    rowtide_db_free(source);
    rowtide_db_free(replica);
}

/* The format has no place for such a table. */
static void leaves_out_a_table_without_a_name(void **state)
{
    (void)state;
    rowtide_capture_options options = ROWTIDE_CAPTURE_OPTIONS_INIT;
    const char *const tables[] = {""}, *table, *reason;
    rowtide_db *db = scratch_db(
        "CREATE TABLE \"\"(a PRIMARY KEY); CREATE TABLE t(a PRIMARY KEY)");
    rowtide_changeset *changeset;
    rowtide_capture *capture;
    assert_ok(rowtide_capture_begin(db, NULL, &capture));
    scratch_exec(db, "INSERT INTO \"\" VALUES(1); INSERT INTO t VALUES(1);");
    assert_ok(rowtide_capture_skipped(capture, 0, &table, &reason));
    assert_string_equal(table, "");
    assert_string_equal(reason, "has no name");
    assert_ok(rowtide_capture_end(capture, &changeset));
    assert_int_equal(rowtide_changeset_change_count(changeset), 1);
    rowtide_capture_free(capture);
    rowtide_changeset_free(changeset);
    options.tables = tables;
    options.table_count = 1;
    assert_status(rowtide_capture_begin(db, &options, &capture),
                  ROWTIDE_ESCHEMA);
    scratch_exec(db, "ATTACH ':memory:' AS other;"
                     "CREATE TABLE other.\"\"(a PRIMARY KEY);"
                     "CREATE TABLE other.t(a PRIMARY KEY)");
    assert_status(rowtide_changeset_diff(db, "main", "other", NULL, &changeset),
                  ROWTIDE_ESCHEMA);
    rowtide_db_free(db);
}

enum { WIDE = 1500 };

/* "first" and then "c1 middle, c2 middle, ... last". */
static char *wide_sql(const char *first, const char *item, const char *last)
{
    char *sql = sqlite3_mprintf("%s", first);
    for (int i = 1; i < WIDE; i++) {
        char *piece = sqlite3_mprintf(item, i);
        char *longer = sqlite3_mprintf("%s%s%s", sql, i > 1 ? ", " : "", piece);
        sqlite3_free(piece);
        sqlite3_free(sql);
        sql = longer;
    }
    char *whole = sqlite3_mprintf("%s%s", sql, last);
    sqlite3_free(sql);
    return whole;
}

static void carries_very_wide_rows(void **state)
{
    (void)state;
    char *create = wide_sql("CREATE TABLE t(a PRIMARY KEY, ", "c%d", ");");
    char *insert = wide_sql("INSERT INTO t VALUES('k', ", "%d", ");");
    char *update = wide_sql("UPDATE t SET ", "c%d = 'x'", " WHERE a = 'k';");
    char *schema = sqlite3_mprintf("%s%s", create, insert);
    assert_whole_way(create, insert, "SELECT * FROM t");
    assert_whole_way(schema, update, "SELECT * FROM t");
    assert_whole_way(schema, "DELETE FROM t", "SELECT * FROM t");
    assert_whole_way(schema, "UPDATE t SET c1499 = NULL", "SELECT * FROM t");
    sqlite3_free(create);
    sqlite3_free(insert);
    sqlite3_free(update);
    sqlite3_free(schema);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(carries_names_of_every_kind),
        cmocka_unit_test(carries_tables_of_every_kind),
        cmocka_unit_test(means_main_where_a_temporary_table_shadows_it),
        cmocka_unit_test(leaves_out_a_table_without_a_name),
        cmocka_unit_test(carries_very_wide_rows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
