#include "support/oom.h"
#include "support/schema.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const char SQL_RICH[] =
    "CREATE TABLE parents(id INTEGER PRIMARY KEY AUTOINCREMENT, "
    "  name TEXT COLLATE NOCASE NOT NULL DEFAULT 'x', "
    "  code VARCHAR(10) CONSTRAINT code_once UNIQUE ON CONFLICT REPLACE, "
    "  level INT CHECK (level > 0), "
    "  made DEFAULT (datetime('now') || 'Z'), "
    "  twice GENERATED ALWAYS AS (level * 2), "
    "  kept REAL AS (level / 2.0) STORED, "
    "  CONSTRAINT sane CHECK (length(name) < 50));"
    "CREATE TABLE children(a, b, parent REFERENCES parents(id) "
    "  ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED, "
    "  PRIMARY KEY(b, a), "
    "  CONSTRAINT both FOREIGN KEY(a, b) REFERENCES other(x, y) "
    "  ON UPDATE SET NULL MATCH FULL) WITHOUT ROWID;"
    "CREATE UNIQUE INDEX by_name ON parents(lower(name), level DESC, "
    "  code COLLATE RTRIM) WHERE level > 3;"
    "CREATE VIEW names(n, m) AS SELECT name, level FROM parents;"
    "CREATE TRIGGER noted AFTER UPDATE OF name ON parents BEGIN "
    "  SELECT 1; END;"
    "CREATE TRIGGER written INSTEAD OF INSERT ON names BEGIN SELECT 2; END;";

static rowtide_schema *read_with(const char *sql, rowtide_db **db)
{
    *db = scratch_db(sql);
    return schema_of_db(*db);
}

static void columns(void **state)
{
    (void)state;
    rowtide_db *db;
    rowtide_schema *schema = read_with(SQL_RICH, &db);
    const rowtide_schema_column *c = schema_column(schema, "PARENTS", "id");
    assert_int_equal(c->primary_key, 1);
    assert_string_equal(c->type, "INTEGER");
    assert_int_equal(c->affinity, ROWTIDE_AFFINITY_INTEGER);
    assert_false(c->not_null);
    c = schema_column(schema, "parents", "name");
    assert_true(c->not_null);
    assert_string_equal(c->default_sql, "'x'");
    assert_string_equal(c->collation, "NOCASE");
    assert_string_equal(c->sql,
                        "name TEXT COLLATE NOCASE NOT NULL DEFAULT 'x'");
    c = schema_column(schema, "parents", "code");
    assert_string_equal(c->type, "VARCHAR(10)");
    assert_int_equal(c->affinity, ROWTIDE_AFFINITY_TEXT);
    assert_null(c->collation);
    c = schema_column(schema, "parents", "made");
    assert_string_equal(c->type, "");
    assert_string_equal(c->default_sql, "(datetime('now') || 'Z')");
    c = schema_column(schema, "parents", "twice");
    assert_string_equal(c->generated_as, "level * 2");
    assert_string_equal(c->type, "");
    assert_false(c->stored);
    assert_true(schema_column(schema, "parents", "kept")->stored);
    assert_int_equal(schema_column(schema, "children", "b")->primary_key, 1);
    c = schema_column(schema, "children", "a");
    assert_int_equal(c->primary_key, 2);
    assert_true(c->not_null);
    assert_false(schema_column(schema, "children", "parent")->not_null);
    rowtide_schema_free(schema);
    rowtide_db_free(db);
}

static void constraints(void **state)
{
    (void)state;
    rowtide_db *db;
    rowtide_schema *schema = read_with(SQL_RICH, &db);
    const rowtide_schema_table *t = schema_table(schema, "parents");
    assert_int_equal(schema_count(t->keys), 2);
    assert_true(t->keys[0]->primary);
    assert_true(t->keys[0]->autoincrement);
    assert_string_equal(t->keys[0]->columns[0]->name, "id");
    assert_string_equal(t->keys[1]->name, "code_once");
    assert_string_equal(t->keys[1]->on_conflict, "REPLACE");
    assert_int_equal(schema_count(t->checks), 2);
    assert_string_equal(t->checks[0]->column, "level");
    assert_string_equal(t->checks[0]->expression, "level > 0");
    assert_string_equal(t->checks[1]->name, "sane");
    assert_null(t->checks[1]->column);
    t = schema_table(schema, "children");
    assert_true(t->without_rowid);
    assert_string_equal(t->keys[0]->columns[0]->name, "b");
    assert_int_equal(schema_count(t->foreign_keys), 2);
    const rowtide_schema_foreign_key *key = t->foreign_keys[0];
    assert_string_equal(key->columns[0], "parent");
    assert_string_equal(key->table, "parents");
    assert_string_equal(key->table_columns[0], "id");
    assert_string_equal(key->on_delete, "CASCADE");
    assert_null(key->on_update);
    assert_string_equal(key->deferral, "DEFERRABLE INITIALLY DEFERRED");
    key = t->foreign_keys[1];
    assert_string_equal(key->name, "both");
    assert_int_equal(schema_count(key->columns), 2);
    assert_string_equal(key->table_columns[1], "y");
    assert_string_equal(key->match, "FULL");
    assert_false(key->relation);
    rowtide_schema_free(schema);
    rowtide_db_free(db);
}

static void indexes_views_and_triggers(void **state)
{
    (void)state;
    rowtide_db *db;
    rowtide_schema *schema = read_with(SQL_RICH, &db);
    const rowtide_schema_table *t = schema_table(schema, "parents");
    assert_int_equal(schema_count(t->indexes), 1);
    const rowtide_schema_index *index = t->indexes[0];
    assert_true(index->unique);
    assert_string_equal(index->where, "level > 3");
    assert_null(index->columns[0]->name);
    assert_string_equal(index->columns[0]->expression, "lower(name)");
    assert_true(index->columns[1]->descending);
    assert_string_equal(index->columns[2]->collation, "RTRIM");
    assert_null(index->columns[3]);
    assert_int_equal(schema_count(t->triggers), 1);
    assert_string_equal(t->triggers[0]->timing, "AFTER");
    assert_string_equal(t->triggers[0]->event, "UPDATE");
    const rowtide_schema_contents *contents = rowtide_schema_contents_of(
        schema);
    assert_int_equal(schema_count(contents->tables), 2);
    assert_int_equal(schema_count(contents->views), 1);
    const rowtide_schema_view *view = contents->views[0];
    assert_string_equal(view->columns[0]->name, "n");
    assert_string_equal(view->columns[1]->type, "INT");
    assert_null(view->columns[1]->sql);
    assert_string_equal(view->triggers[0]->timing, "INSTEAD OF");
    assert_null(rowtide_schema_find_table(schema, "names"));
    assert_null(rowtide_schema_find_table(schema, "nothing"));
    rowtide_schema_free(schema);
    rowtide_db_free(db);
}

static void some_tables(void **state)
{
    (void)state;
    rowtide_db *db = scratch_db(SQL_RICH);
    rowtide_schema_read_options options = ROWTIDE_SCHEMA_READ_OPTIONS_INIT;
    const char *const tables[] = {"Parents", "names", "missing", NULL};
    rowtide_schema *schema;
    options.tables = tables;
    assert_ok(rowtide_schema_read(db, &options, &schema));
    const rowtide_schema_contents *contents = rowtide_schema_contents_of(
        schema);
    assert_int_equal(schema_count(contents->tables), 1);
    assert_int_equal(schema_count(contents->views), 0);
    assert_int_equal(schema_count(contents->tables[0]->indexes), 1);
    assert_int_equal(schema_count(contents->tables[0]->triggers), 1);
    rowtide_schema_free(schema);
    rowtide_db_free(db);
}

static void other_databases(void **state)
{
    (void)state;
    rowtide_db *db = scratch_db(
        "CREATE TABLE m(a); CREATE TEMP TABLE t(b); "
        "CREATE TEMP TRIGGER far AFTER INSERT ON m BEGIN SELECT 1; END; "
        "ATTACH ':memory:' AS \"o\"\"dd\"; CREATE TABLE \"o\"\"dd\".x(c);"
        "CREATE VIEW \"o\"\"dd\".v AS SELECT c FROM x");
    rowtide_schema_read_options options = ROWTIDE_SCHEMA_READ_OPTIONS_INIT;
    rowtide_schema *schema;
    options.schema = "temp";
    assert_ok(rowtide_schema_read(db, &options, &schema));
    assert_non_null(rowtide_schema_find_table(schema, "t"));
    assert_null(rowtide_schema_find_table(schema, "m"));
    rowtide_schema_free(schema);
    options.schema = "o\"dd";
    assert_ok(rowtide_schema_read(db, &options, &schema));
    assert_non_null(rowtide_schema_find_table(schema, "x"));
    assert_string_equal(
        rowtide_schema_contents_of(schema)->views[0]->columns[0]->name, "c");
    rowtide_schema_free(schema);
    options.schema = "none";
    assert_status(rowtide_schema_read(db, &options, &schema),
                  ROWTIDE_ENOTFOUND);
    assert_message("\"none\"");
    assert_null(schema);
    rowtide_db_free(db);
}

static void virtual_and_shadow_tables(void **state)
{
    (void)state;
    rowtide_db *db = scratch_db(
        "CREATE TABLE docs(body); CREATE TABLE docs_data(a);"
        "CREATE VIRTUAL TABLE words USING fts5(title, body, content='docs')");
    rowtide_schema *schema = schema_of_db(db);
    const rowtide_schema_table *t = schema_table(schema, "words");
    assert_int_equal(t->kind, ROWTIDE_TABLE_VIRTUAL);
    assert_string_equal(t->module, "fts5");
    assert_string_equal(t->columns[0]->name, "title");
    assert_false(t->columns[1]->hidden);
    assert_true(t->columns[2]->hidden);
    assert_int_equal(schema_table(schema, "words_data")->kind,
                     ROWTIDE_TABLE_SHADOW);
    assert_int_equal(schema_table(schema, "docs_data")->kind,
                     ROWTIDE_TABLE_ORDINARY);
    schema_assert_round_trip(schema);
    rowtide_schema_free(schema);
    rowtide_db_free(db);
}

/* A file may have been written by a program that has more than this one. */
static void what_is_broken_is_read(void **state)
{
    (void)state;
    rowtide_db *db = scratch_db(
        "CREATE TABLE t(a); CREATE VIEW lost AS SELECT * FROM nowhere; "
        "CREATE VIEW strange AS SELECT unheard_of(a) FROM t;"
        "PRAGMA writable_schema=ON;"
        "INSERT INTO sqlite_schema VALUES('table', 'maps', 'maps', 0, "
        "  'CREATE VIRTUAL TABLE maps USING nomodule(a, b)');"
        "INSERT INTO sqlite_schema VALUES('table', 'area', 'area', 0, "
        "  'CREATE VIRTUAL TABLE area USING rtree_i32(a, b, c)');"
        "CREATE TABLE area_node(nodeno INTEGER PRIMARY KEY, data);"
        "PRAGMA writable_schema=RESET;");
    rowtide_error_clear();
    rowtide_schema *schema = schema_of_db(db);
    assert_string_equal(rowtide_error_message(), "");
    const rowtide_schema_contents *contents = rowtide_schema_contents_of(
        schema);
    assert_int_equal(schema_count(contents->views), 2);
    assert_null(contents->views[0]->columns[0]);
    assert_null(contents->views[1]->columns[0]);
    const rowtide_schema_table *t = schema_table(schema, "maps");
    assert_int_equal(t->kind, ROWTIDE_TABLE_VIRTUAL);
    assert_string_equal(t->module, "nomodule");
    assert_null(t->columns[0]);
    assert_int_equal(schema_table(schema, "area_node")->kind,
                     ROWTIDE_TABLE_SHADOW);
    rowtide_schema_free(schema);
    rowtide_db_free(db);
}

static void internal_tables(void **state)
{
    (void)state;
    rowtide_db *db = scratch_db(
        "CREATE TABLE t(a UNIQUE); CREATE TABLE rowtide_undo(a);"
        "CREATE TABLE crsql_master(a); CREATE INDEX i ON crsql_master(a);"
        "CREATE VIEW t__crsql_clock AS SELECT 1;"
        "CREATE TRIGGER t__crsql_itrig AFTER INSERT ON t BEGIN SELECT 1; END;"
        "ANALYZE");
    rowtide_schema_read_options options = ROWTIDE_SCHEMA_READ_OPTIONS_INIT;
    rowtide_schema *schema = schema_of_db(db);
    const rowtide_schema_contents *contents = rowtide_schema_contents_of(
        schema);
    assert_int_equal(schema_count(contents->tables), 1);
    assert_int_equal(schema_count(contents->tables[0]->triggers), 0);
    assert_int_equal(schema_count(contents->tables[0]->indexes), 0);
    assert_int_equal(schema_count(contents->views), 0);
    rowtide_schema_free(schema);
    options.internal = 1;
    assert_ok(rowtide_schema_read(db, &options, &schema));
    contents = rowtide_schema_contents_of(schema);
    assert_int_equal(schema_count(contents->tables), 3);
    assert_int_equal(schema_count(contents->views), 1);
    assert_int_equal(schema_count(contents->tables[0]->triggers), 1);
    rowtide_schema_free(schema);
    rowtide_db_free(db);
}

/* Another connection writes between two rows of ours. */
static void leaves_nothing_behind(void **state)
{
    (void)state;
    const char *path = scratch_new_path();
    rowtide_db *db = scratch_db_file(path, "CREATE TABLE t(a)");
    rowtide_schema_free(schema_of_db(db));
    assert_false(rowtide_db_in_transaction(db));
    assert_null(sqlite3_next_stmt(rowtide_db_sqlite(db), NULL));
    scratch_exec(db, "BEGIN; INSERT INTO t VALUES(1); CREATE TABLE u(b)");
    rowtide_schema *schema = schema_of_db(db);
    assert_non_null(rowtide_schema_find_table(schema, "u"));
    assert_true(rowtide_db_in_transaction(db));
    scratch_exec(db, "ROLLBACK");
    rowtide_db *other = scratch_db_file(path, "CREATE TABLE v(c)");
    rowtide_db_free(other);
    rowtide_db_free(db);
    /* The model lives longer than the connection. */
    assert_string_equal(schema_table(schema, "u")->sql, "CREATE TABLE u(b)");
    rowtide_schema_free(schema);
}

static void many_objects_at_once(void **state)
{
    (void)state;
    char sql[400];
    struct timespec from, to;
    rowtide_db *db = scratch_db("BEGIN");
    for (int i = 0; i < 1000; i++) {
        snprintf(sql, sizeof sql,
                 "CREATE TABLE table_%d(id INTEGER PRIMARY KEY, name TEXT NOT "
                 "NULL, parent INTEGER REFERENCES table_%d(id)); "
                 "CREATE INDEX index_%d ON table_%d(name, parent)",
                 i, i / 2, i, i);
        scratch_exec(db, sql);
    }
    clock_gettime(CLOCK_MONOTONIC, &from);
    rowtide_schema *schema = schema_of_db(db);
    clock_gettime(CLOCK_MONOTONIC, &to);
    assert_int_equal(schema_count(rowtide_schema_contents_of(schema)->tables),
                     1000);
    /* It takes a few milliseconds; a PRAGMA for each table takes seconds. */
    assert_true((double)(to.tv_sec - from.tv_sec)
                    + (double)(to.tv_nsec - from.tv_nsec) / 1e9
                < 1);
    rowtide_schema_free(schema);
    rowtide_db_free(db);
}

static void utf16(void **state)
{
    (void)state;
    rowtide_db *db = scratch_db(
        "PRAGMA encoding='UTF-16'; "
        "CREATE TABLE \"gr\xc3\xbc\xc3\x9f\"(\xc3\xa4)");
    rowtide_schema *schema = schema_of_db(db);
    assert_non_null(schema_column(schema, "gr\xc3\xbc\xc3\x9f", "\xc3\xa4"));
    rowtide_schema_free(schema);
    rowtide_db_free(db);
}

static void arguments(void **state)
{
    (void)state;
    rowtide_schema *schema;
    rowtide_db *db = scratch_db(NULL);
    assert_status(rowtide_schema_read(NULL, NULL, &schema), ROWTIDE_EINVAL);
    assert_status(rowtide_schema_read(db, NULL, NULL), ROWTIDE_EINVAL);
    rowtide_schema_read_options options = {0};
    assert_status(rowtide_schema_read(db, &options, &schema), ROWTIDE_EINVAL);
    assert_ok(rowtide_schema_read(db, NULL, &schema));
    assert_null(rowtide_schema_contents_of(schema)->tables[0]);
    assert_null(rowtide_schema_find_table(schema, NULL));
    assert_null(rowtide_schema_find_table(NULL, "t"));
    assert_null(rowtide_schema_contents_of(NULL));
    rowtide_schema_free(schema);
    rowtide_schema_free(NULL);
    assert_ok(rowtide_db_close(db));
    assert_status(rowtide_schema_read(db, NULL, &schema), ROWTIDE_ECLOSED);
    rowtide_db_free(db);
}

static int read_once(void *ctx)
{
    rowtide_schema *schema = NULL;
    int rc = rowtide_schema_read(ctx, NULL, &schema);
    rowtide_schema_free(schema);
    return rc;
}

static void memory_runs_out(void **state)
{
    (void)state;
    rowtide_db *db = scratch_db(SQL_RICH);
    oom_loop(read_once, db);
    rowtide_db_free(db);
}

static int open_and_read(void *ctx)
{
    rowtide_db *db = NULL;
    rowtide_schema *schema = NULL;
    int rc = rowtide_db_open(ctx, NULL, &db);
    if (rc == ROWTIDE_OK)
        rc = rowtide_schema_read(db, NULL, &schema);
    /* What SQLite could not tell for want of memory is an error, not empty. */
    if (rc == ROWTIDE_OK) {
        assert_non_null(schema_table(schema, "words")->columns[0]);
        assert_non_null(
            rowtide_schema_contents_of(schema)->views[0]->columns[0]);
        assert_int_equal(schema_table(schema, "words_data")->kind,
                         ROWTIDE_TABLE_SHADOW);
    }
    rowtide_schema_free(schema);
    rowtide_db_free(db);
    return rc;
}

static void sqlites_memory_runs_out(void **state)
{
    (void)state;
    const char *path = scratch_new_path();
    rowtide_db_free(
        scratch_db_file(path, "CREATE TABLE t(a, b); CREATE INDEX i ON t(b);"
                              "CREATE VIEW v AS SELECT a FROM t;"
                              "CREATE VIRTUAL TABLE words USING fts5(body)"));
    oom_loop_sqlite(open_and_read, (void *)path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(columns),
        cmocka_unit_test(constraints),
        cmocka_unit_test(indexes_views_and_triggers),
        cmocka_unit_test(some_tables),
        cmocka_unit_test(other_databases),
        cmocka_unit_test(virtual_and_shadow_tables),
        cmocka_unit_test(what_is_broken_is_read),
        cmocka_unit_test(internal_tables),
        cmocka_unit_test(leaves_nothing_behind),
        cmocka_unit_test(many_objects_at_once),
        cmocka_unit_test(utf16),
        cmocka_unit_test(arguments),
        cmocka_unit_test(memory_runs_out),
        cmocka_unit_test(sqlites_memory_runs_out)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
