#include "support/oom.h"
#include "support/schema.h"
#include "support/scratch.h"

#include "base/buffer.h"

#include <rowtide/schema_build.h>
#include <rowtide/schema_plan.h>

#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

static const char SCHEMA[] =
    "SELECT type, name, sql FROM sqlite_schema ORDER BY rowid";

/* "+ column t.a" for what was done, "- index t.i: reason" for what was not */
static char *listing(const rowtide_schema_report *report)
{
    static const char *const words[] = {
        "table", "column",  "key",  "check",        "foreign key",
        "index", "trigger", "view", "virtual table"};
    rowtide_buffer out = ROWTIDE_BUFFER_INIT;
    const rowtide_schema_actions *all = rowtide_schema_report_actions(report);
    for (size_t i = 0; all->actions[i]; i++) {
        const rowtide_schema_action *a = all->actions[i];
        assert_int_equal(a->done, a->sql != NULL);
        assert_int_equal(a->done, a->reason == NULL);
        assert_ok(rowtide__buffer_append_format(
            &out, "%c %s %s.%s%s%s\n", a->done ? '+' : '-', words[a->object],
            a->table, a->name, a->done ? "" : ": ", a->done ? "" : a->reason));
    }
    char *text = strdup(out.data ? out.data : "");
    rowtide_buffer_dispose(&out);
    return text;
}

static void migrate_with(rowtide_db *db, rowtide_schema *model,
                         const rowtide_auto_migrate_options *options,
                         const char *expected)
{
    rowtide_schema_report *report;
    assert_ok(rowtide_schema_auto_migrate(db, model, options, &report));
    char *text = listing(report);
    assert_string_equal(text, expected);
    free(text);
    rowtide_schema_report_free(report);
}

static void migrate(rowtide_db *db, const char *model, const char *expected)
{
    rowtide_schema *schema = schema_of(model);
    migrate_with(db, schema, NULL, expected);
    rowtide_schema_free(schema);
}

/* Twice does no more than once. */
static void migrate_twice(rowtide_db *db, const char *model,
                          const char *expected)
{
    migrate(db, model, expected);
    char *before = scratch_rows(db, SCHEMA);
    migrate(db, model, "");
    assert_rows(db, SCHEMA, before);
    free(before);
}

static void makes_everything_that_is_missing(void **state)
{
    (void)state;
    static const char MODEL[] =
        "CREATE TABLE b(a REFERENCES a, -- why\n x AS (a + 1));"
        "CREATE TABLE a(id INTEGER PRIMARY KEY, n TEXT) STRICT;"
        "CREATE INDEX i ON b(a DESC) WHERE a > 1;"
        "CREATE VIEW v AS SELECT * FROM a;"
        "CREATE TRIGGER r INSTEAD OF INSERT ON v BEGIN SELECT 1; END;"
        "CREATE TRIGGER s AFTER INSERT ON a BEGIN SELECT 1; END;"
        "CREATE VIRTUAL TABLE f USING fts5(n);";
    rowtide_db *db = scratch_db(NULL);
    migrate_twice(db, MODEL,
                  "+ table a.a\n+ table b.b\n+ index b.i\n"
                  "+ virtual table f.f\n+ view v.v\n+ trigger a.s\n"
                  "+ trigger v.r\n");
    rowtide_schema *want = schema_of(MODEL), *have = schema_of_db(db);
    rowtide_schema_difference *difference;
    assert_ok(rowtide_schema_diff(have, want, NULL, &difference));
    assert_null(rowtide_schema_difference_changes(difference)->changes[0]);
    rowtide_schema_difference_free(difference);
    rowtide_schema_free(want);
    rowtide_schema_free(have);
    rowtide_db_free(db);
}

static void adds_columns_with_all_their_clauses(void **state)
{
    (void)state;
    rowtide_db *db = scratch_db("CREATE TABLE t(A); INSERT INTO t VALUES(7)");
    migrate_twice(db,
                  "CREATE TABLE T(a, g AS (b || a), b TEXT NOT NULL DEFAULT "
                  "'x' COLLATE NOCASE CHECK (b <> ''), c REFERENCES t(a) ON "
                  "DELETE CASCADE, d /* why */ DEFAULT -1, g2 AS (g))",
                  "+ column t.b\n+ column t.c\n+ column t.d\n+ column t.g\n"
                  "+ column t.g2\n");
    assert_rows(db, "SELECT * FROM t", "7|'x'|NULL|-1|'x7'|'x7';");
    assert_rows(db, "SELECT count(*) FROM t WHERE b = 'X'", "1;");
    assert_rows(db, "SELECT sql LIKE '%CHECK (b <> '''')%' FROM sqlite_schema",
                "1;");
    rowtide_db_free(db);
}

static void says_what_sqlite_cannot_add(void **state)
{
    (void)state;
    static const char MODEL[] =
        "CREATE TABLE t(a, b NOT NULL, c DEFAULT CURRENT_TIMESTAMP, d DEFAULT "
        "1 "
        "CHECK (d > 1), e AS (a) STORED, f UNIQUE DEFAULT 0, g UNIQUE ON "
        "CONFLICT IGNORE, h INT);"
        "CREATE INDEX i ON t(\"b\"); CREATE INDEX j ON t(h) WHERE \"c\" > 0;"
        "CREATE TRIGGER r AFTER INSERT ON t BEGIN SELECT new.[D]; END;"
        "CREATE VIEW v AS SELECT f FROM t; CREATE VIEW w AS SELECT h FROM t;"
        "CREATE TRIGGER x INSTEAD OF INSERT ON v BEGIN SELECT 1; END";
    rowtide_db *db = scratch_db(
        "CREATE TABLE t(a); INSERT INTO t VALUES(1), (1)");
    migrate(
        db, MODEL,
        "- column t.b: the table has rows, which would have no value in it: "
        "NOT NULL without a default\n"
        "- column t.c: the table has rows, and the default is no constant\n"
        "- column t.d: the table has rows, for which its CHECK does not "
        "hold\n"
        "- column t.f: it is UNIQUE, and rows that are there would all have "
        "the same default\n"
        "- column t.g: UNIQUE with an ON CONFLICT clause cannot be added "
        "without rebuilding the table\n"
        "+ column t.h\n"
        "- column t.e: a generated column that is STORED cannot be added "
        "without rebuilding the table; one that is VIRTUAL can\n"
        "- index t.i: column \"b\" of \"t\", which it needs, was refused\n"
        "- index t.j: column \"c\" of \"t\", which it needs, was refused\n"
        "- view v.v: column \"f\" of \"t\", which it needs, was refused\n"
        "+ view w.w\n"
        "- trigger t.r: column \"d\" of \"t\", which it needs, was "
        "refused\n");
    assert_rows(db, "SELECT * FROM t", "1|NULL;1|NULL;");
    scratch_exec(db, "DELETE FROM t");
    migrate(db, MODEL,
            "+ column t.b\n+ column t.c\n+ column t.d\n+ column t.f\n"
            "+ index t.ux_t_f\n"
            "- column t.g: UNIQUE with an ON CONFLICT clause cannot be added "
            "without rebuilding the table\n"
            "- column t.e: a generated column that is STORED cannot be added "
            "without rebuilding the table; one that is VIRTUAL can\n"
            "+ index t.i\n+ index t.j\n+ view v.v\n+ trigger t.r\n"
            "+ trigger v.x\n");
    rowtide_db_free(db);
}

static void adds_unique_columns_with_an_index(void **state)
{
    (void)state;
    rowtide_db *db = scratch_db("CREATE TABLE t(a); CREATE TABLE ux_t_c(a);"
                                "INSERT INTO t VALUES(1), (2)");
    migrate(
        db,
        "CREATE TABLE t(a, b CONSTRAINT u UNIQUE NOT NULL DEFAULT NULL "
        "UNIQUE, c INT UNIQUE CHECK (c > 0), d UNIQUE DEFAULT 'x')",
        "- column t.b: the table has rows, which would have no value in it: "
        "NOT NULL without a default\n"
        "+ column t.c\n+ index t.ux_t_c_2\n"
        "- column t.d: it is UNIQUE, and rows that are there would all have "
        "the same default\n");
    assert_rows(db, "SELECT sql FROM sqlite_schema WHERE name LIKE 'ux_t_c_2'",
                "'CREATE UNIQUE INDEX \"ux_t_c_2\" ON \"t\" (\"c\")';");
    scratch_exec(db, "DELETE FROM t");
    migrate_twice(db, "CREATE TABLE t(a, b UNIQUE UNIQUE, c INT UNIQUE)",
                  "+ column t.b\n+ index t.ux_t_b\n");
    rowtide_db_free(db);
}

static void knows_indexes_by_what_they_mean(void **state)
{
    (void)state;
    rowtide_db *db = scratch_db(
        "CREATE TABLE t(a COLLATE NOCASE, b, c, d UNIQUE, gone);"
        "CREATE INDEX x ON t(A, b DESC);"
        "CREATE INDEX y ON t(lower(\"a\")) WHERE \"gone\" is NULL;"
        "CREATE INDEX z ON t(c); CREATE TABLE u(a); CREATE INDEX w ON u(a);"
        "CREATE UNIQUE INDEX ux_t_b ON t(b)");
    static const char MODEL[] =
        "CREATE TABLE t(a COLLATE NOCASE, b, c, d UNIQUE, gone);"
        "CREATE INDEX ix_t_a_b ON t(\"a\" COLLATE nocase, \"B\" desc);"
        "CREATE INDEX ix_t_low ON t( LOWER(a) ) WHERE (GONE IS NULL);"
        "CREATE UNIQUE INDEX ux_t_d ON t(d);"
        "CREATE INDEX W ON t(b);"
        "CREATE INDEX u ON t(a);"
        "CREATE INDEX z ON t(c DESC);"
        "CREATE UNIQUE INDEX ux_t_b ON t(b) WHERE gone IS NULL";
    rowtide_schema *model = NULL;
    /* A name of a table cannot be one of an index in one database. */
    assert_ok(rowtide_schema_parse(MODEL, &model));
    migrate_with(db, model, NULL,
                 "- index t.W: an index of table \"u\" has that name\n"
                 "- index t.u: a table has that name\n"
                 "- index t.z: an index of that name is there, and it differs: "
                 "CREATE INDEX z ON t(c)\n"
                 "- index t.ux_t_b: an index of that name is there, and it is "
                 "for all rows, not only WHERE gone IS NULL\n");
    rowtide_schema_free(model);
    rowtide_db_free(db);
}

static void refuses_an_index_that_rows_are_in_the_way_of(void **state)
{
    (void)state;
    rowtide_db *db = scratch_db(
        "CREATE TABLE t(a); INSERT INTO t VALUES(1), (1)");
    migrate(db, "CREATE TABLE t(a, b); CREATE UNIQUE INDEX i ON t(a)",
            "+ column t.b\n- index t.i: UNIQUE constraint failed: t.a\n");
    rowtide_db_free(db);
}

static void reports_what_differs(void **state)
{
    (void)state;
    rowtide_db *db = scratch_db(
        "CREATE TABLE t(a INTEGER, b, c, extra); CREATE VIEW v AS SELECT 1;"
        "CREATE TABLE w(a); CREATE TABLE other(a); CREATE VIEW x AS SELECT 1;"
        "CREATE INDEX y ON other(a);"
        "CREATE TRIGGER r AFTER INSERT ON other BEGIN SELECT 1; END");
    char *before = scratch_rows(db, SCHEMA);
    migrate(
        db,
        "CREATE TABLE t(a TEXT NOT NULL, b CHECK (b > 0), c, UNIQUE (c));"
        "CREATE VIEW v AS SELECT 2; CREATE VIEW w AS SELECT 1;"
        "CREATE TABLE x(a); CREATE TABLE y(b);"
        "CREATE TRIGGER r AFTER INSERT ON t BEGIN SELECT 1; END",
        "- table x.x: a view has that name\n"
        "- table y.y: an index has that name\n"
        "- view w.w: a table has that name\n"
        "- trigger t.r: a trigger of \"other\" has that name\n"
        "- column t.a: its type differs: INTEGER in the database, TEXT in "
        "the model\n"
        "- column t.a: its NOT NULL differs: none in the database, NOT NULL "
        "in the model\n"
        "- check t.CHECK (b > 0): the table is there without it, and would "
        "have to be rebuilt: CHECK (b > 0)\n"
        "- key t.UNIQUE (c): the table is there without it, and would have "
        "to be rebuilt: UNIQUE (c)\n"
        "- view v.v: its definition differs: CREATE VIEW v AS SELECT 1 in "
        "the database, CREATE VIEW v AS SELECT 2 in the model; they "
        "may mean the same\n");
    assert_rows(db, SCHEMA, before);
    free(before);
    rowtide_db_free(db);
}

static rowtide_schema *related(void)
{
    rowtide_schema_builder *builder;
    rowtide_schema *model;
    rowtide_schema_column_options key = ROWTIDE_SCHEMA_COLUMN_OPTIONS_INIT;
    key.primary_key = 1;
    assert_ok(rowtide_schema_builder_new(&builder));
    assert_ok(rowtide_schema_builder_table(builder, "posts", NULL));
    assert_ok(rowtide_schema_builder_column(builder, "id", "INTEGER", &key));
    assert_ok(rowtide_schema_builder_belongs_to(builder, "users", NULL));
    assert_ok(rowtide_schema_builder_table(builder, "users", NULL));
    assert_ok(rowtide_schema_builder_column(builder, "id", "INTEGER", &key));
    assert_ok(rowtide_schema_builder_finish(builder, &model));
    rowtide_schema_builder_free(builder);
    return model;
}

static void makes_foreign_keys_when_asked_to(void **state)
{
    (void)state;
    static const char KEYS[] =
        "SELECT \"table\", \"from\", \"to\" FROM pragma_foreign_key_list("
        "'posts')";
    rowtide_auto_migrate_options options = ROWTIDE_AUTO_MIGRATE_OPTIONS_INIT;
    rowtide_schema *model = related();
    rowtide_db *db = scratch_db(NULL);
    migrate_with(db, model, NULL, "+ table users.users\n+ table posts.posts\n");
    assert_rows(db, KEYS, "");
    options.foreign_keys = 1;
    migrate_with(db, model, &options, "");
    assert_rows(db, KEYS, "");
    scratch_exec(db, "DROP TABLE posts");
    migrate_with(db, model, &options, "+ table posts.posts\n");
    assert_rows(db, KEYS, "'users'|'user_id'|'id';");
    migrate_with(db, model, NULL, "");
    rowtide_schema_free(model);
    rowtide_db_free(db);
}

static void leaves_no_trace_of_a_dry_run(void **state)
{
    (void)state;
    rowtide_auto_migrate_options options = ROWTIDE_AUTO_MIGRATE_OPTIONS_INIT;
    options.dry_run = 1;
    rowtide_db *db = scratch_db(
        "CREATE TABLE t(a); INSERT INTO t VALUES(1), (1)");
    rowtide_schema *model = schema_of(
        "CREATE TABLE t(a, b); CREATE UNIQUE INDEX i ON t(a);"
        "CREATE TABLE u(a)");
    char *before = scratch_rows(db, SCHEMA);
    migrate_with(db, model, &options,
                 "+ column t.b\n- index t.i: UNIQUE constraint failed: t.a\n"
                 "+ table u.u\n");
    assert_rows(db, SCHEMA, before);
    assert_false(rowtide_db_in_transaction(db));
    free(before);
    rowtide_schema_free(model);
    rowtide_db_free(db);
}

static void writes_nothing_where_nothing_is_missing(void **state)
{
    (void)state;
    static const char MODEL[] =
        "CREATE TABLE t(a TEXT, b); CREATE INDEX i ON t(b)";
    const char *path = scratch_new_path();
    rowtide_open_options options = ROWTIDE_OPEN_OPTIONS_INIT;
    rowtide_db *writer = scratch_db_file(path, "CREATE TABLE t(a INT, b, c);"
                                               "CREATE INDEX x ON t(b)");
    rowtide_db *reader;
    options.read_only = 1;
    assert_ok(rowtide_db_open(path, &options, &reader));
    scratch_exec(writer, "BEGIN IMMEDIATE");
    migrate(reader, MODEL,
            "- column t.a: its type differs: INT in the database, TEXT in the "
            "model\n");
    scratch_exec(writer, "DROP INDEX x; COMMIT");
    rowtide_schema *model = schema_of(MODEL);
    assert_status(rowtide_schema_auto_migrate(reader, model, NULL, NULL),
                  ROWTIDE_EREADONLY);
    rowtide_schema_free(model);
    rowtide_db_free(reader);
    rowtide_db_free(writer);
}

static void is_all_or_nothing(void **state)
{
    (void)state;
    rowtide_db *db = scratch_db("CREATE TABLE t(a);");
    rowtide_schema *model = schema_of(
        "CREATE TABLE t(a, b); CREATE TABLE u(a);"
        "CREATE TABLE v(a COLLATE nosuch PRIMARY KEY)");
    char *before = scratch_rows(db, SCHEMA);
    rowtide_schema_report *report = NULL;
    assert_status(rowtide_schema_auto_migrate(db, model, NULL, &report),
                  ROWTIDE_ESQL);
    assert_message("table \"v\": no such collation sequence");
    assert_null(report);
    assert_rows(db, SCHEMA, before);
    assert_false(rowtide_db_in_transaction(db));
    scratch_exec(db, "BEGIN; CREATE TABLE mine(a)");
    assert_status(rowtide_schema_auto_migrate(db, model, NULL, NULL),
                  ROWTIDE_ESQL);
    assert_true(rowtide_db_in_transaction(db));
    assert_rows(db, "SELECT name FROM sqlite_schema", "'t';'mine';");
    rowtide_schema_free(model);
    model = schema_of("CREATE TABLE t(a, b)");
    assert_ok(rowtide_schema_auto_migrate(db, model, NULL, NULL));
    scratch_exec(db, "ROLLBACK");
    assert_rows(db, SCHEMA, before);
    free(before);
    rowtide_schema_free(model);
    rowtide_db_free(db);
}

static void works_on_main_whatever_is_in_temp(void **state)
{
    (void)state;
    rowtide_db *db = scratch_db("CREATE TABLE t(a); CREATE TEMP TABLE t(x);"
                                "CREATE TEMP TABLE u(x)");
    migrate_twice(db,
                  "CREATE TABLE t(a, b UNIQUE); CREATE INDEX i ON t(a);"
                  "CREATE TABLE u(a); CREATE TRIGGER r AFTER INSERT ON u BEGIN "
                  "SELECT 1; END; CREATE VIEW v AS SELECT a FROM t",
                  "+ column t.b\n+ index t.ux_t_b\n+ index t.i\n+ table u.u\n"
                  "+ view v.v\n+ trigger u.r\n");
    assert_rows(db, "SELECT type, name, sql FROM temp.sqlite_schema",
                "'table'|'t'|'CREATE TABLE t(x)';"
                "'table'|'u'|'CREATE TABLE u(x)';");
    assert_rows(
        db, "SELECT name FROM main.sqlite_schema WHERE sql LIKE '%main%'", "");
    rowtide_db_free(db);
}

static void checks_its_arguments(void **state)
{
    (void)state;
    rowtide_db *db = scratch_db(NULL);
    rowtide_schema *model = schema_of("CREATE TABLE t(a)");
    rowtide_auto_migrate_options options = ROWTIDE_AUTO_MIGRATE_OPTIONS_INIT;
    rowtide_schema_report *report;
    assert_status(rowtide_schema_auto_migrate(NULL, model, NULL, &report),
                  ROWTIDE_EINVAL);
    assert_status(rowtide_schema_auto_migrate(db, NULL, NULL, &report),
                  ROWTIDE_EINVAL);
    assert_null(report);
    options.size = 1;
    assert_status(rowtide_schema_auto_migrate(db, model, &options, &report),
                  ROWTIDE_EINVAL);
    assert_rows(db, SCHEMA, "");
    rowtide_schema_free(model);
    rowtide_db_free(db);
}

static rowtide_schema *scarce_model;

static int migrate_scarce(void *ctx)
{
    (void)ctx;
    rowtide_db *db = NULL;
    rowtide_schema_report *report = NULL;
    rowtide_auto_migrate_options options = ROWTIDE_AUTO_MIGRATE_OPTIONS_INIT;
    options.foreign_keys = 1;
    int rc = rowtide_db_open(":memory:", NULL, &db);
    if (rc == ROWTIDE_OK)
        rc = rowtide_db_exec(db, "CREATE TABLE t(a); INSERT INTO t VALUES(1)");
    if (rc == ROWTIDE_OK)
        rc = rowtide_schema_auto_migrate(db, scarce_model, &options, &report);
    rowtide_schema_report_free(report);
    rowtide_db_free(db);
    return rc;
}

static void fails_cleanly_without_memory(void **state)
{
    (void)state;
    scarce_model = schema_of("CREATE TABLE t(a TEXT, b UNIQUE, c NOT NULL);"
                             "CREATE INDEX i ON t(b); CREATE INDEX j ON t(c);"
                             "CREATE TABLE u(a REFERENCES t)");
    oom_loop(migrate_scarce, NULL);
    oom_loop_sqlite(migrate_scarce, NULL);
    rowtide_schema_free(scarce_model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(makes_everything_that_is_missing),
        cmocka_unit_test(adds_columns_with_all_their_clauses),
        cmocka_unit_test(says_what_sqlite_cannot_add),
        cmocka_unit_test(adds_unique_columns_with_an_index),
        cmocka_unit_test(knows_indexes_by_what_they_mean),
        cmocka_unit_test(refuses_an_index_that_rows_are_in_the_way_of),
        cmocka_unit_test(reports_what_differs),
        cmocka_unit_test(makes_foreign_keys_when_asked_to),
        cmocka_unit_test(leaves_no_trace_of_a_dry_run),
        cmocka_unit_test(writes_nothing_where_nothing_is_missing),
        cmocka_unit_test(is_all_or_nothing),
        cmocka_unit_test(works_on_main_whatever_is_in_temp),
        cmocka_unit_test(checks_its_arguments),
        cmocka_unit_test(fails_cleanly_without_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
