#include "support/difference.h"
#include "support/oom.h"

#include <stdlib.h>
#include <string.h>

static char *generate(const rowtide_schema_difference *difference,
                      rowtide_schema_direction direction)
{
    rowtide_buffer out = ROWTIDE_BUFFER_INIT;
    assert_ok(rowtide_schema_generate(difference, direction, &out));
    char *text = strdup(out.data ? out.data : "");
    rowtide_buffer_dispose(&out);
    return text;
}

static void assert_generated(const char *from, const char *to,
                             const rowtide_schema_diff_options *options,
                             const char *up, const char *down)
{
    rowtide_schema_difference *difference = difference_of(from, to, options);
    char *text = generate(difference, ROWTIDE_SCHEMA_UP);
    assert_string_equal(text, up);
    free(text);
    text = generate(difference, ROWTIDE_SCHEMA_DOWN);
    assert_string_equal(text, down);
    free(text);
    rowtide_schema_difference_free(difference);
}

/* Without "-- " in front of lines. */
static char *uncomment(const char *text)
{
    char *result = strdup(text), *to = result;
    for (int start = 1; *text; start = text[-1] == '\n') {
        if (start && strncmp(text, "-- ", 3) == 0)
            text += 3;
        if (*text)
            *to++ = *text++;
    }
    *to = '\0';
    return result;
}

static void assert_like(rowtide_db *db, const char *sql)
{
    rowtide_schema *is = schema_of_db(db), *shall = schema_of(sql);
    rowtide_schema_difference *difference;
    assert_ok(rowtide_schema_diff(is, shall, NULL, &difference));
    char *text = difference_text(difference);
    assert_string_equal(text, "");
    free(text);
    rowtide_schema_difference_free(difference);
    rowtide_schema_free(is);
    rowtide_schema_free(shall);
}

/* ## The text */

static void no_difference_is_no_text(void **state)
{
    (void)state;
    assert_generated("CREATE TABLE t(a)", "CREATE TABLE t ( a )", NULL, "", "");
}

static void what_adds_is_active(void **state)
{
    (void)state;
    assert_generated(
        "CREATE TABLE t(a)",
        "CREATE TABLE t(a, b INT NOT NULL DEFAULT 1);"
        "CREATE INDEX i ON t(b); CREATE TABLE s(a);",
        NULL,
        "CREATE TABLE s(a);\n"
        "ALTER TABLE \"t\" ADD COLUMN b INT NOT NULL DEFAULT 1;\n"
        "CREATE INDEX i ON t(b);\n",
        "---- destructive: remove index \"i\": the index goes; the "
        "rows stay\n"
        "DROP INDEX \"i\";\n"
        "---- destructive: remove column \"t\".\"b\": the column "
        "goes, with its values\n"
        "ALTER TABLE \"t\" DROP COLUMN \"b\";\n"
        "---- destructive: remove table \"s\": the table goes, "
        "with its rows, indexes and triggers\n"
        "DROP TABLE \"s\";\n");
}

static void what_removes_is_commented_out(void **state)
{
    (void)state;
    assert_generated(
        "CREATE TABLE t(a, b); CREATE TABLE s(a)", "CREATE TABLE t(a)", NULL,
        "---- destructive: remove column \"t\".\"b\": the column "
        "goes, with its values\n"
        "-- ALTER TABLE \"t\" DROP COLUMN \"b\";\n"
        "\n"
        "---- destructive: remove table \"s\": the table goes, "
        "with its rows, indexes and triggers\n"
        "-- PRAGMA foreign_keys=OFF;\n"
        "-- DROP TABLE \"s\";\n"
        "-- PRAGMA foreign_keys=ON;\n",
        "---- additive: add table \"s\": a new table; what was in "
        "it does not come back\n"
        "-- CREATE TABLE s(a);\n"
        "\n"
        "---- additive: add column \"t\".\"b\": a new column, NULL "
        "in the rows that are there; what was in it does not come "
        "back\n"
        "-- ALTER TABLE \"t\" ADD COLUMN b;\n");
}

static void a_rebuild_is_written_out(void **state)
{
    (void)state;
    rowtide_schema_difference *difference = difference_of(
        "CREATE TABLE t(a TEXT, -- kept\n b); CREATE INDEX i ON t(a)",
        "CREATE TABLE t(a INT, b); CREATE INDEX i ON t(a)", NULL);
    char *text = generate(difference, ROWTIDE_SCHEMA_UP);
    assert_non_null(strstr(text, "---- lossy: change column \"t\".\"a\", type: "
                                 "TEXT -> INT: "));
    assert_non_null(strstr(text, "\n-- PRAGMA foreign_keys=OFF;\n"));
    assert_non_null(strstr(text, "(a INT, -- kept\n--  b);\n"));
    assert_non_null(strstr(text, "\n-- CREATE INDEX i ON t(a);\n"));
    assert_non_null(strstr(text, "\n-- COMMIT;\n"));
    free(text);
    rowtide_schema_difference_free(difference);
}

/* ## What it does when it is run */

typedef struct change {
    const char *from, *to;
    const char *const *renames;
    rowtide_schema_undeclared undeclared;
} change;

/* The names of the schema in front of each line stand for the state that the
 * migration leads through: from, (in between,) to and back. */
static void run_there_and_back(const change *change, int all)
{
    rowtide_schema_diff_options options = ROWTIDE_SCHEMA_DIFF_OPTIONS_INIT;
    options.renames = change->renames;
    options.undeclared = change->undeclared;
    rowtide_schema_difference *difference = difference_of(change->from,
                                                          change->to, &options);
    char *up = generate(difference, ROWTIDE_SCHEMA_UP);
    char *down = generate(difference, ROWTIDE_SCHEMA_DOWN);
    char *all_up = uncomment(up), *all_down = uncomment(down);
    rowtide_db *db = scratch_db(change->from);
    for (int round = 0; round < 2; round++) {
        scratch_exec(db, all ? all_up : up);
        if (all && change->undeclared == ROWTIDE_UNDECLARED_REMOVE)
            assert_like(db, change->to);
        scratch_exec(db, all ? all_down : down);
        assert_like(db, change->from);
    }
    rowtide_db_free(db);
    free(up);
    free(down);
    free(all_up);
    free(all_down);
    rowtide_schema_difference_free(difference);
}

static void up_and_down_lead_there_and_back(void **state)
{
    (void)state;
    static const char *const renames[] = {"a=b", "b.x=y", NULL};
    static const char *const again[] = {"t=s", "s.x=y", NULL};
    static const change changes[] = {
        {.from = "",
         .to = "CREATE TABLE p(id INTEGER PRIMARY KEY);"
               "CREATE TABLE c(p REFERENCES p, q UNIQUE);"
               "CREATE INDEX i ON c(p);"
               "CREATE VIEW v AS SELECT * FROM c;"
               "CREATE TRIGGER r AFTER INSERT ON c BEGIN"
               " SELECT 1; END;"
               "CREATE VIRTUAL TABLE f USING fts5(a);"},
        {.from = "CREATE TABLE t(a, b)",
         .to = "CREATE TABLE t(a, g AS (d), d CHECK (d > 0),"
               " n NOT NULL UNIQUE, b);"
               "CREATE INDEX i ON t(n); CREATE INDEX j ON t(d);"
               "CREATE VIEW v AS SELECT n FROM t;"
               "CREATE VIEW w AS SELECT v.n FROM v;"
               "CREATE VIEW x AS SELECT a FROM t;"
               "CREATE TRIGGER r AFTER INSERT ON t BEGIN"
               " UPDATE t SET n = 1; END;"},
        {.from = "CREATE TABLE t(a, b); CREATE VIEW v AS SELECT a FROM t;"
                 "CREATE TRIGGER r AFTER INSERT ON t BEGIN SELECT 1; END",
         .to = "CREATE TABLE t(a, b); CREATE TABLE v(a);"
               "CREATE INDEX i ON v(a);"
               "CREATE TRIGGER r AFTER INSERT ON v BEGIN SELECT 1; END"},
        {.from = "CREATE TABLE a(id INTEGER PRIMARY KEY, x);"
                 "CREATE TABLE c(p REFERENCES a);"
                 "CREATE INDEX i ON a(x); CREATE VIEW v AS SELECT x FROM a;",
         .to = "CREATE TABLE b(id INTEGER PRIMARY KEY, y, z);"
               "CREATE TABLE c(p REFERENCES b ON DELETE CASCADE);"
               "CREATE INDEX i2 ON b(y); CREATE VIEW v AS SELECT y FROM b;",
         .renames = renames},
        {.from = "CREATE TABLE t(a TEXT); CREATE TABLE other(a);"
                 "CREATE INDEX oi ON other(a); CREATE VIEW ov AS SELECT 1;",
         .to = "CREATE TABLE t(a INT, b)",
         .undeclared = ROWTIDE_UNDECLARED_IGNORE},
        {.from = "CREATE TABLE t(x TEXT); CREATE INDEX i ON t(x)",
         .to = "CREATE TABLE s(y TEXT, x INT); CREATE INDEX i ON s(y);"
               "CREATE TABLE t(z); CREATE INDEX j ON s(x, y)",
         .renames = again},
        {.from = "CREATE TABLE p(a)",
         .to = "CREATE TABLE p(a PRIMARY KEY);"
               "CREATE TABLE c(x REFERENCES p);"},
        {.from = "CREATE TABLE t(a INT) STRICT",
         .to = "CREATE TABLE t(a INT, b VARCHAR(3))"},
    };
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++)
        for (int all = 0; all < 2; all++)
            run_there_and_back(&changes[i], all);
}

static void rows_survive(void **state)
{
    (void)state;
    static const char from[] =
        "CREATE TABLE p(id INTEGER PRIMARY KEY, a TEXT);"
        "CREATE TABLE c(p REFERENCES p ON DELETE CASCADE);"
        "CREATE VIEW v AS SELECT a FROM p;";
    rowtide_schema_difference *difference = difference_of(
        from,
        "CREATE TABLE p(id INTEGER PRIMARY KEY, a TEXT NOT NULL, b DEFAULT 2);"
        "CREATE TABLE c(p REFERENCES p ON DELETE CASCADE);"
        "CREATE VIEW v AS SELECT a FROM p;",
        NULL);
    char *up = generate(difference, ROWTIDE_SCHEMA_UP), *all = uncomment(up);
    rowtide_db *db = scratch_db(from);
    scratch_exec(db, "PRAGMA foreign_keys=ON; INSERT INTO p VALUES(7, 'x');"
                     "INSERT INTO c VALUES(7);");
    scratch_exec(db, all);
    assert_rows(db,
                "SELECT *, (SELECT count(*) FROM c), (SELECT a FROM v) "
                "FROM p",
                "7|'x'|2|1|'x';");
    rowtide_db_free(db);
    free(all);
    free(up);
    rowtide_schema_difference_free(difference);
}

static void names_cannot_break_out_of_a_comment(void **state)
{
    (void)state;
    rowtide_schema_difference *difference = difference_of(
        "CREATE TABLE \"a\nDROP TABLE b;\"(x); CREATE TABLE b(x)",
        "CREATE TABLE b(x)", NULL);
    char *up = generate(difference, ROWTIDE_SCHEMA_UP);
    for (const char *line = up; *line; line = strchr(line, '\n') + 1)
        assert_memory_equal(line, "--", 2);
    free(up);
    rowtide_schema_difference_free(difference);
}

/* ## The call itself */

static void it_is_appended(void **state)
{
    (void)state;
    rowtide_schema_difference *difference = difference_of(
        "", "CREATE TABLE t(a)", NULL);
    rowtide_buffer out = ROWTIDE_BUFFER_INIT;
    assert_ok(rowtide_schema_generate(difference, ROWTIDE_SCHEMA_UP, &out));
    assert_ok(rowtide_schema_generate(difference, ROWTIDE_SCHEMA_UP, &out));
    assert_string_equal(out.data, "CREATE TABLE t(a);\nCREATE TABLE t(a);\n");
    assert_status(rowtide_schema_generate(NULL, ROWTIDE_SCHEMA_UP, &out),
                  ROWTIDE_EINVAL);
    assert_status(
        rowtide_schema_generate(difference, (rowtide_schema_direction)3, &out),
        ROWTIDE_EINVAL);
    assert_status(rowtide_schema_generate(difference, ROWTIDE_SCHEMA_UP, NULL),
                  ROWTIDE_EINVAL);
    rowtide_buffer_dispose(&out);
    rowtide_schema_difference_free(difference);
}

static int generate_both(void *ctx)
{
    rowtide_buffer out = ROWTIDE_BUFFER_INIT;
    int rc = rowtide_schema_generate(ctx, ROWTIDE_SCHEMA_UP, &out);
    if (rc == ROWTIDE_OK)
        rc = rowtide_schema_generate(ctx, ROWTIDE_SCHEMA_DOWN, &out);
    rowtide_buffer_dispose(&out);
    return rc;
}

static void memory_may_run_out(void **state)
{
    (void)state;
    rowtide_schema_difference *difference = difference_of(
        "CREATE TABLE t(a TEXT, b)",
        "CREATE TABLE t(a INT, b, c); CREATE INDEX i ON t(c)", NULL);
    oom_loop(generate_both, difference);
    rowtide_schema_difference_free(difference);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_difference_is_no_text),
        cmocka_unit_test(what_adds_is_active),
        cmocka_unit_test(what_removes_is_commented_out),
        cmocka_unit_test(a_rebuild_is_written_out),
        cmocka_unit_test(up_and_down_lead_there_and_back),
        cmocka_unit_test(rows_survive),
        cmocka_unit_test(names_cannot_break_out_of_a_comment),
        cmocka_unit_test(it_is_appended),
        cmocka_unit_test(memory_may_run_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
