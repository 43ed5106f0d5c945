#include "support/oom.h"
#include "support/scratch.h"

#include "base/arena.h"
#include "schema/ddl.h"

#include <rowtide/schema.h>

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void assert_normal(const char *sql, const char *expected)
{
    rowtide_buffer out = ROWTIDE_BUFFER_INIT;
    assert_ok(rowtide__sql_normal(sql, strlen(sql), &out));
    assert_string_equal(out.data, expected);
    rowtide_buffer_dispose(&out);
}

static int same(const char *a, const char *b)
{
    return rowtide__sql_same(a, a ? strlen(a) : 0, b, b ? strlen(b) : 0);
}

static void takes_away_what_means_nothing(void **state)
{
    (void)state;
    assert_normal("", "");
    assert_normal(" -- nothing\n", "");
    assert_normal("( ( A  >-1 ) ) ;; -- x", "a > - 1");
    assert_normal("(a) + (B)", "( a ) + ( b )");
    assert_normal("(a, b)", "( a , b )");
    assert_normal("()", "( )");
    assert_normal("[Price]==`Total` AND\n[my Name] != 'It''s'",
                  "price = total and `my name` <> 'It''s'");
    assert_normal("X'0aFF' || 1E3", "x'0aff' || 1e3");
    assert_normal("SELECT 1 FROM \"A\" JOIN \"b c\" ON \"A\".\"Id\" = \"x\"",
                  "select 1 from a join `b c` on a . id = \"x\"");
    assert_normal("CREATE VIRTUAL TABLE \"F\" USING fts5(Body, tokenize = "
                  "\"Porter ascii\" , [C])",
                  "create virtual table f using fts5 ( Body , tokenize = "
                  "\"Porter ascii\" , [C] )");
    assert_normal("'unfinished", "'unfinished");
}

static void tells_apart_what_may_differ(void **state)
{
    (void)state;
    static const char *const pairs[][2] = {
        {"\"a\" > 0", "a > 0"},   /* a string if there is no column a */
        {"\"a\" > 0", "[a] > 0"}, /* likewise */
        {"\"a b\" > 0", "[a b] > 0"},
        {"'a' > 0", "a > 0"},
        {"'A' > 0", "'a' > 0"},
        {"\"A\" > 0", "\"a\" > 0"},
        {"[true] > 0", "true > 0"},
        {"[current_date] > 0", "current_date > 0"},
        {"a IS DISTINCT FROM \"b\"", "a IS DISTINCT FROM b"},
        {"a JOIN b ON \"c\" = 1", "a JOIN b ON c = 1"},
        {":A > 0", ":a > 0"},
        {"1", "1.0"},
        {"a + 1", "1 + a"},
        {"Foo", "foo"}, /* as a default each is a string */
        {"[Foo]", "foo"},
        {"DEFAULT Foo", "default foo"},
        {"DEFAULT Replace", "default replace"},
        {"x '00'", "x'00'"},
        {"- -1", "-1"},
        {"a", ""},
    };
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++)
        if (same(pairs[i][0], pairs[i][1]) != 0)
            fail_msg("%s and %s", pairs[i][0], pairs[i][1]);
}

static void sees_what_is_the_same(void **state)
{
    (void)state;
    static const char *const pairs[][2] = {
        {"a>0/**/", "( A > 0)"},
        {"[a]>0", "`A` > 0"},
        {"DEFAULT current_date", "default CURRENT_DATE"},
        {"TRUE", "true"},
        {"[a]]", "[a]]"},
        {"CREATE TRIGGER \"r\" AFTER INSERT ON \"t\" FOR EACH ROW BEGIN SELECT "
         "1; END",
         "create trigger r after insert on [t] for each row begin select 1 ; "
         "end;"},
        {"INSERT INTO \"t\" (\"a\") VALUES (NEW.\"b\");",
         "insert into t ( \"a\" ) values ( new . b )"},
    };
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++)
        if (same(pairs[i][0], pairs[i][1]) != 1)
            fail_msg("%s and %s", pairs[i][0], pairs[i][1]);
    assert_int_equal(same(NULL, NULL), 1);
    assert_int_equal(same(NULL, "a"), 0);
    assert_int_equal(same("a", NULL), 0);
}

static int same_of(const rowtide__ddl *table, const char *a, const char *b)
{
    return rowtide__sql_same_of(table, a, strlen(a), b, strlen(b));
}

static void knows_the_columns_of_a_table(void **state)
{
    (void)state;
    static const char sql[] = "CREATE TABLE t(deleted_at, \"a \"\"b\")";
    rowtide__arena arena = {0};
    rowtide__ddl *ddl;
    assert_ok(rowtide__ddl_parse(sql, strlen(sql), &arena, &ddl));
    assert_int_equal(
        same_of(ddl, "\"Deleted_at\" IS NULL", "deleted_AT is null"), 1);
    assert_int_equal(same_of(ddl, "\"a \"\"b\" > 0", "[A \"b]>0"), 1);
    assert_int_equal(same_of(ddl, "\"deleted_at\"", "Deleted_at"), 1);
    assert_int_equal(same_of(ddl, "\"other\" > 0", "other > 0"), 0);
    assert_int_equal(same_of(NULL, "\"deleted_at\" > 0", "deleted_at > 0"), 0);
    rowtide__arena_dispose(&arena);
}

/* What typeof() says of '1.0' and of a blob tells the affinities apart. */
static int stored_affinity(const char *type)
{
    char sql[400];
    snprintf(sql, sizeof sql,
             "DROP TABLE IF EXISTS t; CREATE TABLE t(a %s);"
             "INSERT INTO t VALUES('1.5'), ('1'), (2), (1e300)",
             type);
    rowtide_db *db = scratch_db(sql);
    char *types = scratch_rows(db, "SELECT typeof(a) FROM t");
    int affinity = -1;
    static const char *const expected[] = {"'text';'text';'integer';'real';",
                                           "'text';'text';'text';'text';",
                                           "'real';'integer';'integer';'real';",
                                           "", "'real';'real';'real';'real';"};
    for (int i = 0; i < 5; i++)
        if (strcmp(types, expected[i]) == 0)
            affinity = i;
    free(types);
    rowtide_db_free(db);
    return affinity;
}

static void determines_affinity_as_sqlite_does(void **state)
{
    (void)state;
    static const char *const types[] = {
        "",       "int",      "FLOATING POINT", "charint",   "varchar(10)",
        "clob",   "blobtext", "blob",           "BLOB real", "realblob",
        "double", "reaL",     "numeric",        "string",    "date",
        "bool",   "any",      "decimal(10,5)",  "xfloax",    "native character",
    };
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        int affinity = rowtide__type_affinity(types[i]);
        /* Only a CAST would tell these two apart. */
        if (affinity == ROWTIDE_AFFINITY_INTEGER)
            affinity = ROWTIDE_AFFINITY_NUMERIC;
        if (stored_affinity(types[i]) != affinity)
            fail_msg("%s: %d", types[i], affinity);
    }
    assert_int_equal(rowtide__type_affinity("point"), ROWTIDE_AFFINITY_INTEGER);
}

static int compare(void *ctx)
{
    (void)ctx;
    int rc = rowtide__sql_same("(a + [b])", 9, "a+B", 3);
    return rc == 1 ? ROWTIDE_OK : rc;
}

static void fails_cleanly_without_memory(void **state)
{
    (void)state;
    oom_loop(compare, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_away_what_means_nothing),
        cmocka_unit_test(tells_apart_what_may_differ),
        cmocka_unit_test(sees_what_is_the_same),
        cmocka_unit_test(knows_the_columns_of_a_table),
        cmocka_unit_test(determines_affinity_as_sqlite_does),
        cmocka_unit_test(fails_cleanly_without_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
