#include "support/oom.h"
#include "support/schema.h"

#include "schema/model.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void assert_printed(const char *sql, const char *expected)
{
    rowtide_schema *schema = schema_of(sql);
    char *printed = schema_sql(schema);
    assert_string_equal(printed, expected);
    free(printed);
    schema_assert_round_trip(schema);
    rowtide_schema_free(schema);
}

static void text_is_kept(void **state)
{
    (void)state;
    assert_printed("CREATE TABLE t (\n  a  text, -- first\n  \"b c\" [my type]"
                   " /* second */\n) ;",
                   "CREATE TABLE t (\n  a  text, -- first\n  \"b c\" [my type]"
                   " /* second */\n);\n");
}

static void comments_at_the_end(void **state)
{
    (void)state;
    assert_printed("CREATE VIEW v AS SELECT 1 -- one\n;",
                   "CREATE VIEW v AS SELECT 1 -- one\n;\n");
    assert_printed("CREATE VIEW v AS SELECT 1 /* -- */;",
                   "CREATE VIEW v AS SELECT 1 /* -- */;\n");
    assert_printed("CREATE TABLE t(a ANY) STRICT -- x\n;",
                   "CREATE TABLE t(a ANY) STRICT -- x\n;\n");
}

static void order_of_kinds(void **state)
{
    (void)state;
    assert_printed(
        "CREATE TABLE a(x); CREATE VIEW v AS SELECT * FROM b;"
        "CREATE TRIGGER r INSTEAD OF DELETE ON v BEGIN SELECT 1; END;"
        "CREATE TRIGGER q AFTER DELETE ON a BEGIN SELECT 1; END;"
        "CREATE TABLE b(y); CREATE INDEX i ON a(x)",
        "CREATE TABLE a(x);\nCREATE INDEX i ON a(x);\n"
        "CREATE TABLE b(y);\nCREATE VIEW v AS SELECT * FROM b;\n"
        "CREATE TRIGGER q AFTER DELETE ON a BEGIN SELECT 1; END;\n"
        "CREATE TRIGGER r INSTEAD OF DELETE ON v BEGIN SELECT 1; "
        "END;\n");
}

/* As it is when the table was rebuilt. */
static void virtual_tables_come_after_what_they_use(void **state)
{
    (void)state;
    rowtide_db *db = scratch_db(
        "CREATE TABLE t(body); CREATE VIRTUAL TABLE f USING "
        "fts4(content=\"t\", body); CREATE VIRTUAL TABLE g USING fts5(body);"
        "CREATE TABLE new(body); DROP TABLE t; ALTER TABLE new RENAME TO t");
    rowtide_schema *schema = schema_of_db(db);
    char *sql = schema_sql(schema);
    assert_string_equal(sql, "CREATE VIRTUAL TABLE g USING fts5(body);\n"
                             "CREATE TABLE \"t\"(body);\n"
                             "CREATE VIRTUAL TABLE f USING fts4(content=\"t\", "
                             "body);\n");
    rowtide_schema_free(schema_of(sql));
    free(sql);
    rowtide_schema_free(schema);
    rowtide_db_free(db);
}

static void printing_appends(void **state)
{
    (void)state;
    rowtide_schema *schema = schema_of("CREATE TABLE t(a)");
    rowtide_buffer out = ROWTIDE_BUFFER_INIT;
    assert_ok(rowtide_schema_print(schema, &out));
    assert_ok(rowtide_schema_print(schema, &out));
    assert_string_equal(out.data, "CREATE TABLE t(a);\nCREATE TABLE t(a);\n");
    rowtide_buffer_dispose(&out);
    assert_status(rowtide_schema_print(NULL, &out), ROWTIDE_EINVAL);
    assert_status(rowtide_schema_print(schema, NULL), ROWTIDE_EINVAL);
    assert_status(rowtide_schema_json(NULL, &out), ROWTIDE_EINVAL);
    assert_status(rowtide_schema_json(schema, NULL), ROWTIDE_EINVAL);
    rowtide_schema_free(schema);
}

static void json(void **state)
{
    (void)state;
    rowtide_schema *schema = schema_of("CREATE TABLE t(a INT)");
    char *text = schema_json(schema);
    assert_string_equal(
        text,
        "{\"tables\": [{\"name\": \"t\", \"kind\": \"ordinary\", "
        "\"module\": null, \"without_rowid\": false, \"strict\": false, "
        "\"columns\": [{\"name\": \"a\", \"type\": \"INT\", "
        "\"affinity\": \"integer\", \"not_null\": false, \"primary_key\": 0, "
        "\"default_sql\": null, \"collation\": null, \"generated_as\": null, "
        "\"stored\": false, \"hidden\": false, \"sql\": \"a INT\"}], "
        "\"keys\": [], \"checks\": [], \"foreign_keys\": [], \"indexes\": [], "
        "\"triggers\": [], \"sql\": \"CREATE TABLE t(a INT)\"}], "
        "\"views\": []}");
    free(text);
    rowtide_schema_free(schema);
}

/* ## The order of references */

static void assert_order(const char *sql, const char *expected)
{
    rowtide_schema *schema = schema_of(sql);
    rowtide__arena arena = {0};
    const rowtide_schema_table *const *tables;
    char names[200] = "";
    assert_ok(rowtide__schema_order(rowtide_schema_contents_of(schema)->tables,
                                    &arena, &tables));
    for (size_t i = 0; tables[i]; i++) {
        strcat(names, tables[i]->name);
        strcat(names, " ");
    }
    assert_string_equal(names, expected);
    rowtide__arena_dispose(&arena);
    rowtide_schema_free(schema);
}

static void order_of_references(void **state)
{
    (void)state;
    assert_order("", "");
    assert_order("CREATE TABLE a(x); CREATE TABLE b(x)", "a b ");
    assert_order("CREATE TABLE a(x REFERENCES C); CREATE TABLE b(x);"
                 "CREATE TABLE c(x REFERENCES b, y REFERENCES nowhere)",
                 "b c a ");
    assert_order("CREATE TABLE a(x REFERENCES a, y REFERENCES d);"
                 "CREATE TABLE b(x REFERENCES c); CREATE TABLE c(x REFERENCES "
                 "b, y REFERENCES d); CREATE TABLE d(x)",
                 "d a b c ");
    assert_order("CREATE TABLE a(x REFERENCES b); CREATE TABLE b(x REFERENCES "
                 "a, y REFERENCES c); CREATE TABLE c(x REFERENCES d);"
                 "CREATE TABLE d(x REFERENCES c)",
                 "c d a b ");
}

static void long_chains(void **state)
{
    (void)state;
    char *sql = malloc(100 * 3000);
    size_t at = 0;
    for (int i = 0; i < 3000; i++)
        at += (size_t)sprintf(sql + at, "CREATE TABLE t%d(a REFERENCES t%d);",
                              i, i + 1);
    rowtide_schema *schema = schema_of(sql);
    rowtide__arena arena = {0};
    const rowtide_schema_table *const *tables;
    assert_ok(rowtide__schema_order(rowtide_schema_contents_of(schema)->tables,
                                    &arena, &tables));
    assert_string_equal(tables[0]->name, "t2999");
    assert_string_equal(tables[2999]->name, "t0");
    rowtide__arena_dispose(&arena);
    rowtide_schema_free(schema);
    free(sql);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_is_kept),
        cmocka_unit_test(comments_at_the_end),
        cmocka_unit_test(order_of_kinds),
        cmocka_unit_test(virtual_tables_come_after_what_they_use),
        cmocka_unit_test(printing_appends),
        cmocka_unit_test(json),
        cmocka_unit_test(order_of_references),
        cmocka_unit_test(long_chains)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
