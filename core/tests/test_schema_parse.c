#include "support/oom.h"
#include "support/schema.h"

#include "schema/model.h"

#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

static void assert_sql(const char *sql, const char *expected)
{
    rowtide_schema *schema = schema_of(sql);
    char *printed = schema_sql(schema);
    assert_string_equal(printed, expected);
    free(printed);
    rowtide_schema_free(schema);
}

static void statements_are_run(void **state)
{
    (void)state;
    assert_sql("CREATE TABLE t(a, b); ALTER TABLE t ADD COLUMN c DEFAULT 1;"
               "ALTER TABLE t RENAME b TO bb; CREATE TABLE u(x);"
               "CREATE INDEX i ON t(bb); DROP TABLE u;",
               "CREATE TABLE t(a, bb, c DEFAULT 1);\n"
               "CREATE INDEX i ON t(bb);\n");
    assert_sql("CREATE TABLE IF NOT EXISTS t(a);"
               "CREATE TABLE IF NOT EXISTS t(b)",
               "CREATE TABLE t(a);\n");
    assert_sql("create table main.t(a); CREATE TEMP TABLE gone(b);"
               "CREATE TRIGGER main.r AFTER INSERT ON t BEGIN SELECT ';'; END",
               "CREATE TABLE t(a);\nCREATE TRIGGER r AFTER INSERT ON t BEGIN "
               "SELECT ';'; END;\n");
    assert_sql("", "");
    assert_sql(" -- nothing\n;;/* at all */ ; ", "");
    assert_sql("\xEF\xBB\xBF"
               "CREATE TABLE t(a)",
               "CREATE TABLE t(a);\n");
}

static void statements_without_a_schema_are_passed_over(void **state)
{
    (void)state;
    assert_sql("PRAGMA foreign_keys=OFF; BEGIN TRANSACTION;"
               "CREATE TABLE t(a);"
               "INSERT INTO t VALUES('; CREATE TABLE x(y);', missing(1));"
               "INSERT INTO nowhere SELECT 1; UPDATE t SET a = 2;"
               "DELETE FROM nowhere; REPLACE INTO t VALUES(1);"
               "WITH q AS (SELECT 1) INSERT INTO t SELECT * FROM q;"
               "SELECT load_extension('x'); VALUES(1); ANALYZE; REINDEX;"
               "SAVEPOINT s; RELEASE s; VACUUM; EXPLAIN SELECT 1; COMMIT; END;"
               "ROLLBACK",
               "CREATE TABLE t(a);\n");
}

static void dumps_of_virtual_tables(void **state)
{
    (void)state;
    rowtide_schema *schema = schema_of(
        "PRAGMA writable_schema=ON;\n"
        "INSERT INTO sqlite_schema(type,name,tbl_name,rootpage,sql)"
        "VALUES('table','ft','ft',0,'CREATE VIRTUAL TABLE ft USING fts5(a, "
        "prefix=''2'')');\n"
        "CREATE TABLE IF NOT EXISTS 'ft_data'(id INTEGER PRIMARY KEY, block "
        "BLOB);\n"
        "CREATE TABLE 'ft_idx'(segid, term, pgno, PRIMARY KEY(segid, term)) "
        "WITHOUT ROWID;\n"
        "INSERT INTO sqlite_master VALUES('trigger', 'x', 'y', 0, 'z');"
        "PRAGMA writable_schema=OFF;\n");
    assert_string_equal(schema_table(schema, "ft")->module, "fts5");
    assert_int_equal(schema_table(schema, "ft_data")->kind,
                     ROWTIDE_TABLE_SHADOW);
    char *sql = schema_sql(schema);
    assert_string_equal(sql,
                        "CREATE VIRTUAL TABLE ft USING fts5(a, prefix='2');\n");
    free(sql);
    rowtide_schema_free(schema);
}

/* As the shell's .schema and rebuilds by hand have it. */
static void what_shells_and_rebuilds_write(void **state)
{
    (void)state;
    assert_sql("CREATE TABLE t(a INTEGER PRIMARY KEY AUTOINCREMENT);"
               "CREATE TABLE sqlite_sequence(name,seq);"
               "CREATE TABLE sqlite_stat1(tbl,idx,stat);"
               "CREATE VIEW v AS SELECT a FROM t\n/* v(a) */;",
               "CREATE TABLE t(a INTEGER PRIMARY KEY AUTOINCREMENT);\n"
               "CREATE VIEW v AS SELECT a FROM t\n/* v(a) */;\n");
    assert_sql("CREATE TABLE t(a); CREATE VIEW v AS SELECT a FROM t;"
               "PRAGMA legacy_alter_table=ON; CREATE TABLE new(a, b);"
               "INSERT INTO new SELECT a, 1 FROM t; DROP TABLE t;"
               "ALTER TABLE new RENAME TO t; PRAGMA legacy_alter_table=OFF;",
               "CREATE TABLE \"t\"(a, b);\nCREATE VIEW v AS SELECT a FROM "
               "t;\n");
    rowtide_schema *schema;
    assert_status(rowtide_schema_parse("CREATE TABLE t(a); CREATE VIEW v AS "
                                       "SELECT a FROM t; CREATE TABLE new(a);"
                                       "DROP TABLE t; ALTER TABLE new RENAME "
                                       "TO t",
                                       &schema),
                  ROWTIDE_ESQL);
}

static void what_does_not_exist_is_made_up(void **state)
{
    (void)state;
    const char *sql =
        "CREATE TABLE t(a CHECK(is_json(a)), b COLLATE german AS (up(a)));"
        "CREATE INDEX i ON t(soundex2(a) COLLATE swedish);"
        "CREATE VIRTUAL TABLE v USING elsewhere(a, b);"
        "CREATE VIRTUAL TABLE csv USING csv(filename='/etc/passwd');"
        "CREATE VIRTUAL TABLE f USING fts5(a, tokenize='polish');"
        "CREATE TABLE after(a);"
        "ALTER TABLE after RENAME TO later;";
    rowtide_schema *schema = schema_of(sql);
    assert_string_equal(schema_column(schema, "t", "b")->collation, "german");
    assert_int_equal(schema_table(schema, "v")->kind, ROWTIDE_TABLE_VIRTUAL);
    assert_null(schema_table(schema, "v")->columns[0]);
    assert_null(schema_table(schema, "csv")->columns[0]);
    assert_string_equal(schema_table(schema, "f")->module, "fts5");
    assert_non_null(rowtide_schema_find_table(schema, "later"));
    schema_assert_round_trip(schema);
    rowtide_schema_free(schema);
}

static void assert_error(const char *sql, int code, const char *message,
                         int64_t offset)
{
    rowtide_schema *schema = (rowtide_schema *)1;
    assert_status(rowtide_schema_parse(sql, &schema), code);
    assert_null(schema);
    assert_message(message);
    assert_int_equal(rowtide_error_offset(), offset);
}

static void errors_say_where(void **state)
{
    (void)state;
    assert_error("CREATE TABLE t(a);\n\nCREATE TABLE u(\n  b,,c);",
                 ROWTIDE_ESQL, "line 4: near \",\": syntax error", 40);
    assert_error("CREATE TABLE t(a); CREATE TABLE t(a)", ROWTIDE_ESQL,
                 "line 1: table t already exists", 32);
    assert_error("\nFROBNICATE", ROWTIDE_ESQL, "line 2: near \"FROBNICATE\"",
                 1);
    assert_error("CREATE INDEX i ON nowhere(a)", ROWTIDE_ESQL,
                 "line 1: no such table: main.nowhere", 0);
    assert_error("CREATE TABLE t(a);\n.tables", ROWTIDE_EINVAL,
                 "line 2: commands of the sqlite3 shell", 19);
    assert_error("ATTACH 'x.db' AS x", ROWTIDE_EINVAL, "line 1: ATTACH", 0);
    assert_error("INSERT INTO t VALUES('open; CREATE TABLE t(a);", ROWTIDE_ESQL,
                 "a quote is not closed", 21);
    assert_error("CREATE TABLE t(a", ROWTIDE_ESQL, "incomplete input", 0);
}

static void nothing_outside_is_touched(void **state)
{
    (void)state;
    rowtide_schema *schema;
    assert_status(rowtide_schema_parse("CREATE TABLE t(a); CREATE INDEX i ON "
                                       "t(load_extension('x'))",
                                       &schema),
                  ROWTIDE_ESQL);
    /* No function runs, whatever it would do. */
    rowtide_schema_free(
        schema_of("CREATE TABLE t AS SELECT load_extension('/x') AS a, "
                  "randomblob(1000000000) AS b"));
}

static void hostile_text_ends(void **state)
{
    (void)state;
    rowtide_schema *schema;
    assert_status(
        rowtide_schema_parse("CREATE TABLE t AS WITH RECURSIVE c(x) AS (SELECT "
                             "1 UNION ALL SELECT x + 1 FROM c) "
                             "SELECT max(x) FROM c",
                             &schema),
        ROWTIDE_ETOOBIG);
    assert_message("line 1: ");
    int rc = rowtide_schema_parse(
        "CREATE TABLE t AS WITH RECURSIVE c(x) AS (SELECT 'abcdefgh' UNION ALL "
        "SELECT x || x FROM c LIMIT 40) SELECT a.x || b.x FROM c a, c b, c d "
        "ORDER BY 1",
        &schema);
    assert_true(rc < 0);
}

static void relations(void **state)
{
    (void)state;
    const char *const columns[] = {"author_id", NULL};
    const char *const keys[] = {"id", NULL};
    rowtide__relation relation = {"books", {0}};
    relation.key.columns = columns;
    relation.key.table = "authors";
    relation.key.table_columns = keys;
    relation.key.on_delete = "CASCADE";
    rowtide_schema *schema, *strict;
    assert_ok(rowtide__schema_parse_with(
        "CREATE TABLE books(author_id /* who */); CREATE INDEX i ON "
        "books(author_id)",
        &relation, 1, &schema));
    const rowtide_schema_table *books = schema_table(schema, "books");
    assert_true(books->foreign_keys[0]->relation);
    assert_string_equal(books->foreign_keys[0]->table, "authors");
    assert_null(strstr(books->sql, "REFERENCES"));
    assert_ok(rowtide__schema_with_foreign_keys(schema, &strict));
    rowtide_schema_free(schema);
    books = schema_table(strict, "books");
    assert_false(books->foreign_keys[0]->relation);
    assert_string_equal(books->foreign_keys[0]->on_delete, "CASCADE");
    assert_non_null(strstr(books->sql, "/* who */"));
    assert_int_equal(schema_count(books->indexes), 1);
    rowtide_schema_free(strict);
}

static void arguments(void **state)
{
    (void)state;
    rowtide_schema *schema;
    assert_status(rowtide_schema_parse(NULL, &schema), ROWTIDE_EINVAL);
    assert_status(rowtide_schema_parse("", NULL), ROWTIDE_EINVAL);
}

static int parse_once(void *ctx)
{
    (void)ctx;
    rowtide_schema *schema = NULL;
    rowtide_buffer out = ROWTIDE_BUFFER_INIT;
    int rc = rowtide_schema_parse(
        "CREATE TABLE t(a CHECK(f(a)), b COLLATE c REFERENCES t(a)); CREATE "
        "INDEX j ON t(b); CREATE VIRTUAL "
        "TABLE v USING m(x); CREATE INDEX i ON t(a) WHERE b > 1; INSERT INTO t "
        "VALUES(1); CREATE VIEW w AS SELECT a FROM t",
        &schema);
    if (rc == ROWTIDE_OK)
        rc = rowtide_schema_print(schema, &out);
    rowtide_buffer_dispose(&out);
    rowtide_schema_free(schema);
    return rc;
}

static void memory_runs_out(void **state)
{
    (void)state;
    oom_loop(parse_once, NULL);
}

static void sqlites_memory_runs_out(void **state)
{
    (void)state;
    oom_loop_sqlite(parse_once, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(statements_are_run),
        cmocka_unit_test(statements_without_a_schema_are_passed_over),
        cmocka_unit_test(dumps_of_virtual_tables),
        cmocka_unit_test(what_shells_and_rebuilds_write),
        cmocka_unit_test(what_does_not_exist_is_made_up),
        cmocka_unit_test(errors_say_where),
        cmocka_unit_test(nothing_outside_is_touched),
        cmocka_unit_test(hostile_text_ends),
        cmocka_unit_test(relations),
        cmocka_unit_test(arguments),
        cmocka_unit_test(memory_runs_out),
        cmocka_unit_test(sqlites_memory_runs_out)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
