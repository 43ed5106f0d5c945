/* Which way a change takes. */
#include "support/plans.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROWS "INSERT INTO t (id) VALUES (1);"

static void assert_steps(unsigned allow, const char *from, const char *to,
                         const char *expected)
{
    rowtide_db *db = scratch_db(from);
    rowtide_plan *plan = plans_make(db, to, allow);
    char *text = plans_text(plan);
    assert_string_equal(text, expected);
    free(text);
    rowtide_plan_free(plan);
    rowtide_db_free(db);
}

/* Everything allowed; then it is done, and nothing is left to do. */
static void assert_way(const char *from, const char *to, const char *expected)
{
    rowtide_db *db = scratch_db(from);
    rowtide_plan *plan = plans_make(db, to, PLANS_ALL);
    char *text = plans_text(plan);
    /* Without a line feed at its end it is only the beginning. */
    if (expected[0] && expected[strlen(expected) - 1] != '\n')
        text[strlen(expected)] = '\0';
    assert_string_equal(text, expected);
    assert_ok(rowtide_plan_apply(db, plan, NULL, NULL));
    free(text);
    rowtide_plan_free(plan);
    plan = plans_make(db, to, PLANS_ALL);
    text = plans_text(plan);
    assert_string_equal(text, "");
    assert_rows(db, "PRAGMA integrity_check", "'ok';");
    free(text);
    rowtide_plan_free(plan);
    rowtide_db_free(db);
}

static void test_nothing_to_do(void **state)
{
    (void)state;
    assert_way("CREATE TABLE t (id INTEGER PRIMARY KEY);"
               "CREATE INDEX i ON t (id);",
               "create table T(\"id\" integer primary key);"
               "CREATE INDEX i ON t (id);",
               "");
}

static void test_whole_objects(void **state)
{
    (void)state;
    assert_way("CREATE TABLE old (a); CREATE INDEX oi ON old (a);"
               "CREATE VIEW v AS SELECT 1; CREATE TABLE t (id);"
               "CREATE INDEX i ON t (id); CREATE TRIGGER g AFTER INSERT ON t "
               "BEGIN SELECT 1; END;",
               "CREATE TABLE new (a); CREATE INDEX ni ON new (a);"
               "CREATE VIEW v AS SELECT 2; CREATE TABLE t (id);"
               "CREATE UNIQUE INDEX i ON t (id); CREATE TRIGGER g AFTER INSERT "
               "ON t BEGIN SELECT 2; END;",
               "drop index i checked\n"
               "drop trigger g safe\n"
               "drop view v safe\n"
               "create table new additive\n"
               "drop table old destructive\n"
               "create index ni additive\n"
               "create index i checked\n"
               "create view v safe\n"
               "create trigger g safe\n");
}

static void test_children_go_before_their_parents(void **state)
{
    (void)state;
    assert_way("CREATE TABLE a (id INTEGER PRIMARY KEY);"
               "CREATE TABLE b (id INTEGER PRIMARY KEY, a REFERENCES a);"
               "CREATE TABLE c (b REFERENCES b);",
               "",
               "drop table c destructive\ndrop table b destructive\n"
               "drop table a destructive\n");
}

static void test_columns_that_can_be_added(void **state)
{
    (void)state;
    static const char *const fits[] = {"a",
                                       "a TEXT NOT NULL DEFAULT ''",
                                       "a INTEGER DEFAULT (-1) CHECK (a < 5)",
                                       "a TEXT DEFAULT word",
                                       "a TEXT COLLATE NOCASE",
                                       "a REFERENCES t",
                                       "a INT NOT NULL DEFAULT TRUE",
                                       "a AS (id + 1)",
                                       "a TEXT -- comment\n"};
    static const char *const fails[] = {"a UNIQUE", "a DEFAULT CURRENT_TIME",
                                        "a DEFAULT (1 + 1)", "a AS (id) STORED",
                                        "a DEFAULT 1 REFERENCES t"};
    char to[200];
    for (size_t i = 0; i < sizeof fits / sizeof fits[0]; i++) {
        snprintf(to, sizeof to, "CREATE TABLE t (id INTEGER PRIMARY KEY, %s);",
                 fits[i]);
        assert_way("CREATE TABLE t (id INTEGER PRIMARY KEY);" ROWS, to,
                   "add_column column a ");
    }
    for (size_t i = 0; i < sizeof fails / sizeof fails[0]; i++) {
        snprintf(to, sizeof to, "CREATE TABLE t (id INTEGER PRIMARY KEY, %s);",
                 fails[i]);
        assert_way("CREATE TABLE t (id INTEGER PRIMARY KEY);" ROWS, to,
                   "rebuild table t ");
    }
    /* Without rows SQLite takes what it refuses otherwise. */
    assert_way("CREATE TABLE t (id INTEGER PRIMARY KEY);",
               "CREATE TABLE t (id INTEGER PRIMARY KEY, a DEFAULT (1 + 1), "
               "b NOT NULL);",
               "add_column column a additive\n"
               "add_column column b checked\n");
}

static void test_columns_that_can_be_dropped(void **state)
{
    (void)state;
    assert_way("CREATE TABLE t (id INTEGER PRIMARY KEY, a CHECK (a > 0), b);"
               "INSERT INTO t VALUES (1, 2, 3); CREATE VIEW v AS SELECT b FROM "
               "t;",
               "CREATE TABLE t (id INTEGER PRIMARY KEY, b); CREATE VIEW v AS "
               "SELECT b FROM t;",
               "alter column a destructive\n");
    /* It is in a key, so SQLite does not do it. */
    assert_way("CREATE TABLE t (id INTEGER PRIMARY KEY, a UNIQUE, b);"
               "INSERT INTO t VALUES (1, 2, 3);",
               "CREATE TABLE t (id INTEGER PRIMARY KEY, b);",
               "rebuild table t destructive\n");
    /* A view that has nothing to do with it is broken. */
    assert_way("CREATE TABLE t (id INTEGER PRIMARY KEY, a, b);"
               "INSERT INTO t VALUES (1, 2, 3); CREATE VIEW v AS SELECT b FROM "
               "nowhere;",
               "CREATE TABLE t (id INTEGER PRIMARY KEY, b); CREATE VIEW v AS "
               "SELECT b FROM nowhere;",
               "rebuild table t destructive\n");
    /* The index goes first. */
    assert_way("CREATE TABLE t (id INTEGER PRIMARY KEY, a, b);"
               "CREATE INDEX i ON t (a);",
               "CREATE TABLE t (id INTEGER PRIMARY KEY, b);",
               "drop index i destructive\nalter column a destructive\n");
}

static void test_texts_that_may_be_edited(void **state)
{
    (void)state;
    assert_way("CREATE TABLE t (id INTEGER PRIMARY KEY, a VARCHAR(9) "
               "/* x */, b CHECK (b > 0) REFERENCES t);",
               "CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT, b);",
               "alter table t safe\n");
    assert_way("CREATE TABLE t (a CHECK (a > 0), CHECK (a > 1));",
               "CREATE TABLE t (a CHECK (a > 0) CHECK (a > 0), CHECK (a > 1), "
               "CHECK (a > 1));",
               "alter ");
    assert_way("CREATE TABLE t (a CHECK (a > 0) CHECK (a > 0));",
               "CREATE TABLE t (a CHECK (a > 0));", "alter ");
    assert_way("CREATE TABLE t (a NOT NULL, b CONSTRAINT c CHECK (b > 0));",
               "CREATE TABLE t (a, b NOT NULL, CHECK (a > 0));",
               sqlite3_libversion_number() < 3053000
                   ? "alter table t checked\n"
                   : "alter column a safe\nalter column b checked\nalter ");
    /* A default is also the value of rows older than their column. */
    assert_way("CREATE TABLE t (id INTEGER PRIMARY KEY);" ROWS
               "ALTER TABLE t ADD COLUMN a DEFAULT 1;",
               "CREATE TABLE t (id INTEGER PRIMARY KEY, a DEFAULT 2);",
               "rebuild table t safe\n");
    assert_way("CREATE TABLE t (id INT PRIMARY KEY);" ROWS,
               "CREATE TABLE t (id INTEGER PRIMARY KEY);",
               "rebuild table t checked\n");
    assert_way("CREATE TABLE t (id INTEGER, a INT) STRICT;",
               "CREATE TABLE t (id INTEGER, a INTEGER) STRICT;",
               "rebuild table t safe\n");
}

static void test_old_rows_keep_an_old_default(void **state)
{
    (void)state;
    rowtide_db *db = scratch_db("CREATE TABLE t (id INTEGER PRIMARY KEY);" ROWS
                                "ALTER TABLE t ADD COLUMN a DEFAULT 1;");
    assert_ok(plans_apply(
        db, "CREATE TABLE t (id INTEGER PRIMARY KEY, a DEFAULT 2);", 0));
    scratch_exec(db, "INSERT INTO t (id) VALUES (2)");
    assert_rows(db, "SELECT * FROM t", "1|1;2|2;");
    rowtide_db_free(db);
}

static void test_a_defensive_connection(void **state)
{
    (void)state;
    rowtide_db *db = scratch_db("CREATE TABLE t (a VARCHAR(9));");
    sqlite3_db_config(rowtide_db_sqlite(db), SQLITE_DBCONFIG_DEFENSIVE, 1,
                      NULL);
    rowtide_plan *plan = plans_make(db, "CREATE TABLE t (a TEXT);", 0);
    char *text = plans_text(plan);
    assert_string_equal(text, "rebuild table t safe\n");
    assert_ok(rowtide_plan_apply(db, plan, NULL, NULL));
    free(text);
    rowtide_plan_free(plan);
    rowtide_db_free(db);
}

static void test_one_rebuild_for_all(void **state)
{
    (void)state;
    assert_way("CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT, b, c);" ROWS,
               "CREATE TABLE t (id INTEGER PRIMARY KEY, a INTEGER DEFAULT 0, "
               "b CHECK (b <> 1), d DEFAULT 4, e DEFAULT (1 + 1), UNIQUE (b));"
               "CREATE INDEX i ON t (d);",
               "add_column column d additive\n"
               "rebuild table t destructive\n"
               "create index i additive\n");
}

static void test_what_is_not_allowed_is_left_out(void **state)
{
    (void)state;
    const char *from = "CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT, b);"
                       "CREATE INDEX i ON t (b);"
                       "INSERT INTO t VALUES (1, '007', 3);";
    const char *to = "CREATE TABLE t (id INTEGER PRIMARY KEY, a INTEGER, "
                     "c DEFAULT (1 + 1), UNIQUE (c, id));";
    assert_steps(0, from, to,
                 "drop index i destructive refused\n"
                 "rebuild column a lossy refused\n"
                 "alter column b destructive refused\n"
                 "rebuild table t checked\n");
    rowtide_db *db = scratch_db(from);
    assert_ok(plans_apply(db, to, 0));
    assert_rows(db, "SELECT * FROM t", "1|'007'|3|2;");
    assert_rows(db, "SELECT name FROM sqlite_schema WHERE sql LIKE '%INDEX%'",
                "'i';");
    assert_ok(plans_apply(db, to, PLANS_ALL));
    assert_rows(db, "SELECT * FROM t", "1|7|2;");
    rowtide_db_free(db);
}

static void test_renames(void **state)
{
    (void)state;
    static const char *const renames[] = {"a=b",   "b=a", "b.x=y",
                                          "b.y=x", "c=C", NULL};
    rowtide_db *db = scratch_db(
        "CREATE TABLE a (id INTEGER PRIMARY KEY, x, y, CHECK (x < 5));"
        "CREATE TABLE b (id INTEGER PRIMARY KEY, r REFERENCES a);"
        "CREATE TABLE c (z); CREATE VIEW v AS SELECT x FROM a;"
        "INSERT INTO a VALUES (1, 2, 10); INSERT INTO b VALUES (7, 1);");
    const char *to =
        "CREATE TABLE b (id INTEGER PRIMARY KEY, y, x, CHECK (y < 5));"
        "CREATE TABLE a (id INTEGER PRIMARY KEY, r TEXT NOT NULL REFERENCES "
        "b);"
        "CREATE TABLE C (z); CREATE VIEW v AS SELECT y FROM b;";
    rowtide_plan *plan = plans_make_renaming(db, to, renames);
    assert_ok(rowtide_plan_apply(db, plan, NULL, NULL));
    assert_rows(db, "SELECT id, y, x FROM b", "1|2|10;");
    assert_rows(db, "SELECT id, r FROM a", "7|'1';");
    assert_rows(db, "PRAGMA foreign_key_check", "");
    rowtide_plan_free(plan);
    plan = plans_make(db, to, PLANS_ALL);
    char *left = plans_text(plan);
    assert_string_equal(left, "");
    free(left);
    rowtide_plan_free(plan);
    rowtide_db_free(db);
}

static void test_a_view_takes_its_triggers_along(void **state)
{
    (void)state;
    assert_way("CREATE TABLE t (id); CREATE VIEW v AS SELECT id FROM t;"
               "CREATE TRIGGER g INSTEAD OF INSERT ON v BEGIN SELECT 1; END;",
               "CREATE TABLE t (id); CREATE VIEW v AS SELECT id + 1 AS id FROM "
               "t;"
               "CREATE TRIGGER g INSTEAD OF INSERT ON v BEGIN SELECT 1; END;",
               "drop view v safe\ncreate view v safe\ncreate view v safe\n");
}

static void test_a_table_becomes_a_view(void **state)
{
    (void)state;
    assert_way("CREATE TABLE x (a);", "CREATE VIEW x AS SELECT 1 AS a;",
               "drop table x destructive\ncreate view x additive\n");
    assert_way("CREATE VIEW x AS SELECT 1 AS a;", "CREATE TABLE x (a);",
               "drop view x destructive\ncreate table x additive\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nothing_to_do),
        cmocka_unit_test(test_whole_objects),
        cmocka_unit_test(test_children_go_before_their_parents),
        cmocka_unit_test(test_columns_that_can_be_added),
        cmocka_unit_test(test_columns_that_can_be_dropped),
        cmocka_unit_test(test_texts_that_may_be_edited),
        cmocka_unit_test(test_old_rows_keep_an_old_default),
        cmocka_unit_test(test_a_defensive_connection),
        cmocka_unit_test(test_one_rebuild_for_all),
        cmocka_unit_test(test_what_is_not_allowed_is_left_out),
        cmocka_unit_test(test_renames),
        cmocka_unit_test(test_a_view_takes_its_triggers_along),
        cmocka_unit_test(test_a_table_becomes_a_view),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
