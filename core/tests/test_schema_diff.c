#include "support/difference.h"
#include "support/oom.h"

#include <rowtide/schema_build.h>

#include <stdlib.h>
#include <string.h>

static rowtide_schema_diff_options hints(const char *const *renames)
{
    rowtide_schema_diff_options options = ROWTIDE_SCHEMA_DIFF_OPTIONS_INIT;
    options.renames = renames;
    return options;
}

static const char EVERYTHING[] =
    "CREATE TABLE users(id INTEGER PRIMARY KEY AUTOINCREMENT,"
    " name TEXT NOT NULL DEFAULT 'x' COLLATE NOCASE, age INT CHECK (age > 0),"
    " up AS (upper(name)) STORED, CONSTRAINT u UNIQUE (name, age DESC)"
    " ON CONFLICT REPLACE);"
    "CREATE INDEX by_age ON users(age, lower(name)) WHERE age > 1;"
    "CREATE TABLE posts(id TEXT PRIMARY KEY, user INT REFERENCES users(id)"
    " ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED, body ANY)"
    " STRICT, WITHOUT ROWID;"
    "CREATE VIRTUAL TABLE found USING fts5(body);"
    "CREATE VIEW busy AS SELECT name FROM users JOIN posts ON user = users.id;"
    "CREATE TRIGGER t AFTER INSERT ON posts BEGIN"
    " UPDATE users SET age = age + 1 WHERE id = new.user; END;";

/* ## Nothing differs */

static void a_schema_is_like_itself(void **state)
{
    (void)state;
    rowtide_schema *schema = schema_of(EVERYTHING);
    rowtide_schema_difference *difference;
    assert_ok(rowtide_schema_diff(schema, schema, NULL, &difference));
    assert_null(rowtide_schema_difference_changes(difference)->changes[0]);
    rowtide_schema_free(schema);
    rowtide_schema_difference_free(difference);
    assert_changes(EVERYTHING, EVERYTHING, "");
}

static void how_it_is_written_does_not_matter(void **state)
{
    (void)state;
    assert_changes(
        "CREATE TABLE t(a INT NOT NULL DEFAULT 'x', b varchar(3) UNIQUE,"
        " PRIMARY KEY (a), CHECK (a > 1));"
        "CREATE INDEX i ON t(b, lower(b)) WHERE (b IS NULL);"
        "CREATE VIEW v AS SELECT a, b FROM t;"
        "CREATE TRIGGER r AFTER INSERT ON t BEGIN SELECT 1; END;",
        "CREATE TABLE \"T\" ( -- the table\n  [A] int CHECK((( `a`>1)))\n"
        "  NOT NULL DEFAULT \"x\" primary key, B VARCHAR (3), UNIQUE(\"b\") );"
        "CREATE INDEX I ON t(\"b\", LOWER(\"b\")) WHERE b is null;"
        "CREATE VIEW \"v\" as select \"a\",  b from \"t\";"
        "CREATE TRIGGER \"r\" after insert on \"t\" begin select 1 ; end",
        "");
}

static void what_is_the_default_may_be_said(void **state)
{
    (void)state;
    assert_changes(
        "CREATE TABLE p(id INTEGER PRIMARY KEY);"
        "CREATE TABLE t(a REFERENCES p, b COLLATE NOCASE, c DEFAULT NULL,"
        " UNIQUE (b));"
        "CREATE INDEX i ON t(b);",
        "CREATE TABLE p(id INTEGER PRIMARY KEY NOT NULL);"
        "CREATE TABLE t(a REFERENCES p(id) ON DELETE NO ACTION MATCH simple"
        " NOT DEFERRABLE INITIALLY DEFERRED, b COLLATE nocase, c,"
        " UNIQUE (b COLLATE NOCASE));"
        "CREATE INDEX i ON t(b COLLATE nocase ASC);",
        "");
}

/* ## Columns */

static void columns_come_and_go(void **state)
{
    (void)state;
    assert_changes("CREATE TABLE t(a, b, c)",
                   "CREATE TABLE t(a, g AS (n), n INT NOT NULL DEFAULT 3,"
                   " m NOT NULL, u UNIQUE, k CHECK (k > 0), r REFERENCES t)",
                   "add column t.n additive\n"
                   "add column t.m checked\n"
                   "add column t.u checked\n"
                   "add column t.k checked\n"
                   "add column t.r additive\n"
                   "add column t.g additive\n"
                   "remove column t.c destructive\n"
                   "remove column t.b destructive\n");
}

static void types_go_by_affinity(void **state)
{
    (void)state;
    assert_changes(
        "CREATE TABLE t(a TEXT, b TEXT, c INT, d REAL, e, f NUMERIC)",
        "CREATE TABLE t(a VARCHAR(9), b INT, c, d TEXT, e TEXT,"
        " f BIGINT)",
        "change column t.a type safe\n"
        "change column t.b type lossy\n"
        "change column t.c type safe\n"
        "change column t.d type lossy\n"
        "change column t.e type lossy\n"
        "change column t.f type safe\n");
    assert_changes("CREATE TABLE t(a INT PRIMARY KEY)",
                   "CREATE TABLE t(a INTEGER PRIMARY KEY)",
                   "change column t.a type checked\n");
    assert_changes("CREATE TABLE t(a ANY) STRICT", "CREATE TABLE t(a ANY)",
                   "change column t.a type lossy\n"
                   "change table t.t strict safe\n");
}

static void every_clause_of_a_column(void **state)
{
    (void)state;
    assert_changes(
        "CREATE TABLE t(a NOT NULL, b, c DEFAULT 1, d DEFAULT (1 + 1), e, "
        "f UNIQUE, g AS (a), h AS (a), i AS (a), j, k NOT NULL)",
        "CREATE TABLE t(a, b NOT NULL, c DEFAULT 2, d DEFAULT 2, e COLLATE "
        "NOCASE, f COLLATE NOCASE UNIQUE, g AS (b), h AS (a) STORED, i, "
        "j AS (a), k NOT NULL ON CONFLICT REPLACE)",
        "change column t.a not_null safe\n"
        "change column t.b not_null checked\n"
        "change column t.c default safe\n"
        "change column t.d default safe\n"
        "change column t.e collation safe\n"
        "change column t.f collation checked\n"
        "change column t.g generated checked?\n"
        "change column t.h generated safe\n"
        "change column t.i generated safe\n"
        "change column t.j generated destructive\n"
        "change column t.k on_conflict safe\n");
    assert_changes("CREATE TABLE t(a INTEGER PRIMARY KEY)",
                   "CREATE TABLE t(a INTEGER NOT NULL)",
                   "change column t.a not_null safe\n"
                   "remove key t.PRIMARY KEY (\"a\") safe\n");
    assert_changes("CREATE TABLE t(a DEFAULT (1 + 1))",
                   "CREATE TABLE t(a DEFAULT (2 * 1))",
                   "change column t.a default safe?\n");
}

static void order_of_columns_on_request(void **state)
{
    (void)state;
    rowtide_schema_diff_options options = hints(NULL);
    options.column_order = 1;
    assert_changes("CREATE TABLE t(a, b, c)", "CREATE TABLE t(c, a, b)", "");
    assert_changes_with(&options, "CREATE TABLE t(a, b, c)",
                        "CREATE TABLE t(c, a, b)",
                        "change table t.t order safe\n");
    assert_changes_with(&options, "CREATE TABLE t(a, b)",
                        "CREATE TABLE t(a, b, c)", "add column t.c additive\n");
    assert_changes_with(&options, "CREATE TABLE t(a, b)",
                        "CREATE TABLE t(a, c, b)",
                        "add column t.c additive\n"
                        "change table t.t order safe\n");
}

/* ## Constraints */

static void keys_match_by_name_and_by_meaning(void **state)
{
    (void)state;
    assert_changes("CREATE TABLE t(a, b, UNIQUE (a), CONSTRAINT n UNIQUE (b))",
                   "CREATE TABLE t(a UNIQUE, b, CONSTRAINT n UNIQUE (b, a))",
                   "change key t.n sql checked\n");
    assert_changes("CREATE TABLE t(a, b, UNIQUE (a))",
                   "CREATE TABLE t(a, b, CONSTRAINT n UNIQUE (a),"
                   " UNIQUE (b DESC))",
                   "rename key t.n safe\n"
                   "add key t.UNIQUE (b DESC) checked\n");
    assert_changes("CREATE TABLE t(a, b, UNIQUE (a, b))",
                   "CREATE TABLE t(a, b, UNIQUE (a, b) ON CONFLICT IGNORE)",
                   "change key t.UNIQUE (a, b) ON CONFLICT IGNORE on_conflict "
                   "safe\n");
    assert_changes("CREATE TABLE t(a, b, UNIQUE (a))", "CREATE TABLE t(a, b)",
                   "remove key t.UNIQUE (a) safe\n");
}

static void the_primary_key_changes(void **state)
{
    (void)state;
    assert_changes("CREATE TABLE t(a INTEGER PRIMARY KEY, b)",
                   "CREATE TABLE t(a INTEGER, b, PRIMARY KEY (a, b))",
                   "change key t.PRIMARY KEY (a, b) sql checked\n");
    assert_changes("CREATE TABLE t(a INTEGER PRIMARY KEY, b)",
                   "CREATE TABLE t(a INTEGER PRIMARY KEY AUTOINCREMENT, b)",
                   "change key t.PRIMARY KEY (\"a\" AUTOINCREMENT) "
                   "autoincrement safe\n");
    assert_changes("CREATE TABLE t(a, b)", "CREATE TABLE t(a PRIMARY KEY, b)",
                   "add key t.PRIMARY KEY (\"a\") checked\n");
}

static void checks_that_may_mean_the_same_are_unknown(void **state)
{
    (void)state;
    assert_changes("CREATE TABLE t(a CHECK (a > 0), b, CHECK (b > 1),"
                   " CONSTRAINT n CHECK (a < b))",
                   "CREATE TABLE t(a CHECK (0 < a), b, CHECK (b > 1),"
                   " CONSTRAINT n CHECK (b > a), CHECK (b))",
                   "change check t.n sql checked?\n"
                   "change check t.CHECK (0 < a) sql checked?\n"
                   "add check t.CHECK (b) checked\n");
    assert_changes("CREATE TABLE t(a, CHECK (a > 0), CHECK (a))",
                   "CREATE TABLE t(a CHECK (a > 0))",
                   "remove check t.CHECK (a) safe\n");
}

static void foreign_keys_with_all_they_say(void **state)
{
    (void)state;
    static const char from[] =
        "CREATE TABLE p(id INTEGER PRIMARY KEY, x UNIQUE);"
        "CREATE TABLE t(a REFERENCES p, b REFERENCES p, c REFERENCES p, d, "
        "CONSTRAINT n FOREIGN KEY (d) REFERENCES p)";
    static const char to[] =
        "CREATE TABLE p(id INTEGER PRIMARY KEY, x UNIQUE);"
        "CREATE TABLE t(a REFERENCES p ON DELETE CASCADE,"
        " b REFERENCES p DEFERRABLE INITIALLY DEFERRED, c REFERENCES p(x), d,"
        " CONSTRAINT n FOREIGN KEY (d) REFERENCES q)";
    assert_changes(
        from, to,
        "change foreign_key t.n sql checked\n"
        "change foreign_key t.FOREIGN KEY (\"a\") REFERENCES p ON DELETE "
        "CASCADE sql safe\n"
        "change foreign_key t.FOREIGN KEY (\"b\") REFERENCES p DEFERRABLE "
        "INITIALLY DEFERRED sql safe\n"
        "remove foreign_key t.FOREIGN KEY (\"c\") REFERENCES p safe\n"
        "add foreign_key t.FOREIGN KEY (\"c\") REFERENCES p(x) checked\n");
}

static void constraints_go_with_their_column(void **state)
{
    (void)state;
    assert_changes("CREATE TABLE t(a, b UNIQUE CHECK (b) REFERENCES t)",
                   "CREATE TABLE t(a, c UNIQUE CHECK (c) REFERENCES t)",
                   "add column t.c checked\n"
                   "remove column t.b destructive\n");
}

/* ## Tables and the rest */

static void tables_come_and_go(void **state)
{
    (void)state;
    assert_changes("CREATE TABLE a(x); CREATE INDEX i ON a(x);"
                   "CREATE TABLE b(x REFERENCES a)",
                   "CREATE TABLE c(x); CREATE UNIQUE INDEX j ON c(x);"
                   "CREATE TRIGGER r AFTER INSERT ON c BEGIN SELECT 1; END",
                   "add table c.c additive\n"
                   "add index c.j additive\n"
                   "add trigger c.r additive\n"
                   "remove table b.b destructive\n"
                   "remove table a.a destructive\n");
}

static void options_of_a_table(void **state)
{
    (void)state;
    assert_changes("CREATE TABLE t(a TEXT PRIMARY KEY)",
                   "CREATE TABLE t(a TEXT PRIMARY KEY) STRICT, WITHOUT ROWID",
                   "change table t.t strict checked\n"
                   "change table t.t without_rowid checked\n");
    assert_changes("CREATE TABLE t(a TEXT PRIMARY KEY) WITHOUT ROWID",
                   "CREATE TABLE t(a TEXT PRIMARY KEY)",
                   "change table t.t without_rowid safe\n");
}

static void indexes_by_name_and_by_meaning(void **state)
{
    (void)state;
    assert_changes(
        "CREATE TABLE t(a, b); CREATE INDEX i ON t(a); CREATE INDEX j ON t(b);"
        "CREATE INDEX k ON t(a) WHERE b > 1; CREATE INDEX l ON t(a, b);"
        "CREATE INDEX m ON t(a COLLATE NOCASE)",
        "CREATE TABLE t(a, b); CREATE UNIQUE INDEX i ON t(a);"
        "CREATE INDEX j ON t(b DESC); CREATE INDEX k ON t(a) WHERE 1 < b;"
        "CREATE INDEX l2 ON t(a, b); CREATE UNIQUE INDEX n ON t(b)",
        "change index t.i sql checked\n"
        "change index t.j sql safe\n"
        "change index t.k sql safe?\n"
        "rename index t.l2 safe\n"
        "add index t.n checked\n"
        "remove index t.m destructive\n");
}

static void triggers_and_views(void **state)
{
    (void)state;
    assert_changes(
        "CREATE TABLE t(a); CREATE TABLE s(a);"
        "CREATE VIEW v AS SELECT 1; CREATE VIEW w AS SELECT a FROM t;"
        "CREATE TRIGGER r AFTER INSERT ON t BEGIN SELECT 1; END;"
        "CREATE TRIGGER moved AFTER INSERT ON t BEGIN SELECT 1; END;"
        "CREATE TRIGGER wr INSTEAD OF INSERT ON w BEGIN SELECT 1; END;",
        "CREATE TABLE t(a); CREATE TABLE s(a);"
        "CREATE VIEW w AS SELECT a + 0 FROM t; CREATE VIEW x AS SELECT 1;"
        "CREATE TRIGGER r AFTER INSERT ON t BEGIN SELECT 2; END;"
        "CREATE TRIGGER moved BEFORE INSERT ON s BEGIN SELECT 1; END;"
        "CREATE TRIGGER wr INSTEAD OF DELETE ON w BEGIN SELECT 1; END;",
        "change trigger t.r sql safe?\n"
        "remove trigger t.moved destructive\n"
        "add trigger s.moved additive\n"
        "change view w.w sql safe?\n"
        "change trigger w.wr sql safe\n"
        "add view x.x additive\n"
        "remove view v.v destructive\n");
}

static void virtual_tables_without_their_shadows(void **state)
{
    (void)state;
    assert_changes("CREATE VIRTUAL TABLE f USING fts5(a, b)",
                   "CREATE VIRTUAL TABLE \"f\" USING FTS5 (a,b);"
                   "CREATE VIRTUAL TABLE g USING fts5(a)",
                   "add virtual_table g.g additive\n");
    assert_changes("CREATE VIRTUAL TABLE f USING fts5(a); CREATE TABLE g(a)",
                   "CREATE VIRTUAL TABLE f USING fts5(a, b);"
                   "CREATE VIRTUAL TABLE g USING fts5(a)",
                   "change virtual_table f.f sql destructive?\n"
                   "remove table g.g destructive\n"
                   "add virtual_table g.g additive\n");
}

static void a_table_becomes_a_view(void **state)
{
    (void)state;
    assert_changes("CREATE TABLE t(a); CREATE VIEW v AS SELECT 1 AS a",
                   "CREATE TABLE v(a); CREATE VIEW t AS SELECT 1 AS a",
                   "add table v.v additive\n"
                   "remove table t.t destructive\n"
                   "add view t.t additive\n"
                   "remove view v.v destructive\n");
}

static void undeclared_objects_are_left_out(void **state)
{
    (void)state;
    rowtide_schema_diff_options options = hints(NULL);
    options.undeclared = ROWTIDE_UNDECLARED_IGNORE;
    assert_changes_with(
        &options,
        "CREATE TABLE t(a, b); CREATE TABLE other(a);"
        "CREATE VIEW v AS SELECT 1; CREATE INDEX i ON t(a);"
        "CREATE TRIGGER r AFTER INSERT ON t BEGIN SELECT 1; END;",
        "CREATE TABLE t(a)",
        "remove column t.b destructive\n"
        "remove index t.i destructive\n");
}

/* ## Renames */

static void names_change_by_hint_only(void **state)
{
    (void)state;
    static const char from[] = "CREATE TABLE a(x); CREATE INDEX i ON a(x)";
    static const char to[] = "CREATE TABLE b(y); CREATE INDEX i ON b(y)";
    static const char *const renames[] = {"a=b", "b.x=y", NULL};
    rowtide_schema_diff_options options = hints(renames);
    assert_changes(from, to,
                   "add table b.b additive\n"
                   "add index b.i additive\n"
                   "remove table a.a destructive\n");
    assert_changes_with(&options, from, to,
                        "rename table b.b safe\n"
                        "rename column b.y safe\n");
}

static void a_new_name_goes_through_all_that_mentions_it(void **state)
{
    (void)state;
    static const char from[] =
        "CREATE TABLE a(id INTEGER PRIMARY KEY, x TEXT CHECK (x > '' AND"
        " length(a.x) < 9), g AS (x || 'y'), UNIQUE (x));"
        "CREATE INDEX i ON a(lower(x)) WHERE x <> 'x';"
        "CREATE TABLE c(p REFERENCES a(x), x);"
        "CREATE VIEW v AS SELECT a.x AS x, c.x FROM a, c;"
        "CREATE TRIGGER r AFTER UPDATE OF x ON a WHEN new.x <> 'x' BEGIN"
        " INSERT INTO c(p, x) SELECT new.x, 'x'; END;";
    static const char to[] =
        "CREATE TABLE \"b b\"(id INTEGER PRIMARY KEY, y TEXT CHECK (y > '' AND"
        " length(\"b b\".y) < 9), g AS (y || 'y'), UNIQUE (y));"
        "CREATE INDEX i ON \"b b\"(lower(y)) WHERE \"y\" <> 'x';"
        "CREATE TABLE c(p REFERENCES \"b b\"(y), x);"
        "CREATE VIEW v AS SELECT [b b].y AS x, c.x FROM \"b b\", c;"
        "CREATE TRIGGER r AFTER UPDATE OF y ON \"b b\" WHEN new.y <> 'x' BEGIN"
        " INSERT INTO c(p, x) SELECT new.y, 'x'; END;";
    static const char *const renames[] = {"a=\"b b\"", "\"b b\".x=\"y\"", NULL};
    rowtide_schema_diff_options options = hints(renames);
    /* Which x the UPDATE OF and the INSERT mean is not looked into. */
    assert_changes_with(&options, from, to,
                        "rename table b b.b b safe\n"
                        "rename column b b.y safe\n"
                        "change trigger b b.r sql safe?\n");
}

static void what_cannot_be_told_is_unknown(void **state)
{
    (void)state;
    static const char *const renames[] = {"a.x=y", NULL};
    rowtide_schema_diff_options options = hints(renames);
    assert_changes_with(&options,
                        "CREATE TABLE a(x); CREATE TABLE c(x, y);"
                        "CREATE VIEW v AS SELECT p.x, q.x FROM a p, c q",
                        "CREATE TABLE a(y); CREATE TABLE c(x, y);"
                        "CREATE VIEW v AS SELECT p.y, q.y FROM a p, c q",
                        "rename column a.y safe\n"
                        "change view v.v sql safe?\n");
}

static void names_can_be_exchanged(void **state)
{
    (void)state;
    static const char *const swap[] = {"a=b", "b=a", "a.p=q", "a.q=p", NULL};
    rowtide_schema_diff_options options = hints(swap);
    assert_changes_with(&options,
                        "CREATE TABLE a(x INT); CREATE TABLE b(p INT, q TEXT)",
                        "CREATE TABLE a(q INT, p TEXT); CREATE TABLE b(x INT)",
                        "rename table a.a safe\n"
                        "rename column a.q safe\n"
                        "rename column a.p safe\n"
                        "rename table b.b safe\n");
    static const char *const leave[] = {"a=b", NULL};
    options = hints(leave);
    assert_changes_with(&options, "CREATE TABLE a(x)",
                        "CREATE TABLE b(x); CREATE TABLE a(x)",
                        "rename table b.b safe\n"
                        "add table a.a additive\n");
}

static void refuse(const char *hint, int code, const char *message)
{
    rowtide_schema *from = schema_of("CREATE TABLE a(x, z); CREATE TABLE o(x);"
                                     "CREATE VIRTUAL TABLE f USING fts5(x);");
    rowtide_schema *to = schema_of(
        "CREATE TABLE b(y); CREATE TABLE o(x); CREATE TABLE g(x);"
        "CREATE VIRTUAL TABLE f USING fts5(y);");
    rowtide_schema_difference *difference = (void *)1;
    const char *renames[] = {hint, "a=b", NULL};
    rowtide_schema_diff_options options = hints(renames);
    assert_status(rowtide_schema_diff(from, to, &options, &difference), code);
    assert_message(message);
    assert_null(difference);
    rowtide_schema_free(from);
    rowtide_schema_free(to);
}

static void hints_that_are_wrong_are_refused(void **state)
{
    (void)state;
    refuse("", ROWTIDE_EINVAL, "old=new");
    refuse("a", ROWTIDE_EINVAL, "old=new");
    refuse("a=", ROWTIDE_EINVAL, "old=new");
    refuse("\"a", ROWTIDE_EINVAL, "old=new");
    refuse("\"a\"x=b", ROWTIDE_EINVAL, "old=new");
    refuse("c=b", ROWTIDE_ENOTFOUND, "no table \"c\"");
    refuse("o=c", ROWTIDE_ENOTFOUND, "no table \"c\"");
    refuse("b.c=y", ROWTIDE_ENOTFOUND, "no column \"c\"");
    refuse("b.x=c", ROWTIDE_ENOTFOUND, "no column \"c\"");
    refuse("a.x=y", ROWTIDE_ENOTFOUND, "no table \"a\"");
    refuse("a=b", ROWTIDE_EINVAL, "another hint");
    refuse("o=b", ROWTIDE_EINVAL, "another hint");
    refuse("a=o", ROWTIDE_EINVAL, "another hint");
    refuse("f=g", ROWTIDE_EINVAL, "\"f\" is virtual");
    refuse("f.x=y", ROWTIDE_EINVAL, "\"f\" is virtual");
}

/* ## Relations */

static void declare(rowtide_schema_builder *builder, int foreign_key)
{
    rowtide_schema_column_options key = ROWTIDE_SCHEMA_COLUMN_OPTIONS_INIT;
    rowtide_schema_relation_options relation =
        ROWTIDE_SCHEMA_RELATION_OPTIONS_INIT;
    key.primary_key = 1;
    relation.foreign_key = foreign_key;
    assert_ok(rowtide_schema_builder_table(builder, "users", NULL));
    assert_ok(rowtide_schema_builder_column(builder, "id", "INTEGER", &key));
    assert_ok(rowtide_schema_builder_table(builder, "posts", NULL));
    assert_ok(rowtide_schema_builder_column(builder, "id", "INTEGER", &key));
    assert_ok(rowtide_schema_builder_belongs_to(builder, "users", &relation));
}

static rowtide_schema *declared(int foreign_key)
{
    rowtide_schema_builder *builder;
    rowtide_schema *schema;
    assert_ok(rowtide_schema_builder_new(&builder));
    declare(builder, foreign_key);
    assert_ok(rowtide_schema_builder_finish(builder, &schema));
    rowtide_schema_builder_free(builder);
    return schema;
}

static void assert_none(const rowtide_schema *a, const rowtide_schema *b)
{
    rowtide_schema_difference *difference;
    assert_ok(rowtide_schema_diff(a, b, NULL, &difference));
    char *text = difference_text(difference);
    assert_string_equal(text, "");
    free(text);
    rowtide_schema_difference_free(difference);
}

static void relations_are_as_one_likes(void **state)
{
    (void)state;
    rowtide_schema *relation = declared(0), *key = declared(1);
    char *plain_sql = schema_sql(relation), *key_sql = schema_sql(key);
    rowtide_schema *plain = schema_of(plain_sql), *keyed = schema_of(key_sql);
    assert_non_null(strstr(key_sql, "REFERENCES"));
    assert_none(relation, plain);
    assert_none(plain, relation);
    assert_none(relation, keyed);
    assert_none(keyed, relation);
    assert_none(relation, key);
    assert_none(key, keyed);
    free(plain_sql);
    free(key_sql);
    rowtide_schema_free(plain);
    rowtide_schema_free(keyed);
    rowtide_schema_free(relation);
    rowtide_schema_free(key);
}

/* ## The call itself */

static void all_fields_are_in_the_json(void **state)
{
    (void)state;
    rowtide_schema_difference *difference = difference_of(
        "CREATE TABLE t(a)", "CREATE TABLE t(a, b INT)", NULL);
    rowtide_buffer json = ROWTIDE_BUFFER_INIT;
    assert_ok(rowtide_shape_json(rowtide_schema_difference_shape(),
                                 rowtide_schema_difference_changes(difference),
                                 &json));
    assert_string_equal(
        json.data,
        "{\"changes\": [{\"operation\": \"add\", \"object\": \"column\", "
        "\"table\": \"t\", \"name\": \"b\", \"aspect\": \"whole\", "
        "\"from\": null, \"to\": \"b INT\", \"effect\": \"additive\", "
        "\"unknown\": false, "
        "\"note\": \"a new column, NULL in the rows that are there\"}]}");
    rowtide_buffer_dispose(&json);
    rowtide_schema_difference_free(difference);
}

static void missing_arguments_are_refused(void **state)
{
    (void)state;
    rowtide_schema *schema = schema_of("");
    rowtide_schema_difference *difference = (void *)1;
    assert_status(rowtide_schema_diff(NULL, schema, NULL, &difference),
                  ROWTIDE_EINVAL);
    assert_null(difference);
    assert_status(rowtide_schema_diff(schema, NULL, NULL, &difference),
                  ROWTIDE_EINVAL);
    assert_status(rowtide_schema_diff(schema, schema, NULL, NULL),
                  ROWTIDE_EINVAL);
    rowtide_schema_diff_options options = {.size = 1};
    assert_status(rowtide_schema_diff(schema, schema, &options, &difference),
                  ROWTIDE_EINVAL);
    assert_null(rowtide_schema_difference_changes(NULL));
    rowtide_schema_difference_free(NULL);
    rowtide_schema_free(schema);
}

typedef struct two {
    rowtide_schema *from, *to;
} two;

static int compare_two(void *ctx)
{
    static const char *const renames[] = {"users=people", "people.name=n",
                                          NULL};
    two *it = ctx;
    rowtide_schema_diff_options options = hints(renames);
    rowtide_schema_difference *difference;
    options.column_order = 1;
    int rc = rowtide_schema_diff(it->from, it->to, &options, &difference);
    rowtide_schema_difference_free(difference);
    return rc;
}

static void memory_may_run_out(void **state)
{
    (void)state;
    two it = {schema_of(EVERYTHING),
              schema_of("CREATE TABLE people(id INT PRIMARY KEY, n TEXT,"
                        " z DEFAULT \"y\", CHECK (n > z),"
                        " CONSTRAINT u UNIQUE (n, id)); CREATE INDEX by_age ON"
                        " people(n); CREATE VIEW busy AS SELECT 1")};
    oom_loop(compare_two, &it);
    rowtide_schema_free(it.from);
    rowtide_schema_free(it.to);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_schema_is_like_itself),
        cmocka_unit_test(how_it_is_written_does_not_matter),
        cmocka_unit_test(what_is_the_default_may_be_said),
        cmocka_unit_test(columns_come_and_go),
        cmocka_unit_test(types_go_by_affinity),
        cmocka_unit_test(every_clause_of_a_column),
        cmocka_unit_test(order_of_columns_on_request),
        cmocka_unit_test(keys_match_by_name_and_by_meaning),
        cmocka_unit_test(the_primary_key_changes),
        cmocka_unit_test(checks_that_may_mean_the_same_are_unknown),
        cmocka_unit_test(foreign_keys_with_all_they_say),
        cmocka_unit_test(constraints_go_with_their_column),
        cmocka_unit_test(tables_come_and_go),
        cmocka_unit_test(options_of_a_table),
        cmocka_unit_test(indexes_by_name_and_by_meaning),
        cmocka_unit_test(triggers_and_views),
        cmocka_unit_test(virtual_tables_without_their_shadows),
        cmocka_unit_test(a_table_becomes_a_view),
        cmocka_unit_test(undeclared_objects_are_left_out),
        cmocka_unit_test(names_change_by_hint_only),
        cmocka_unit_test(a_new_name_goes_through_all_that_mentions_it),
        cmocka_unit_test(what_cannot_be_told_is_unknown),
        cmocka_unit_test(names_can_be_exchanged),
        cmocka_unit_test(hints_that_are_wrong_are_refused),
        cmocka_unit_test(relations_are_as_one_likes),
        cmocka_unit_test(all_fields_are_in_the_json),
        cmocka_unit_test(missing_arguments_are_refused),
        cmocka_unit_test(memory_may_run_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
