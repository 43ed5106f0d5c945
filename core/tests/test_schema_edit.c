#include "support/oom.h"
#include "support/scratch.h"

#include "base/arena.h"
#include "base/buffer.h"
#include "schema/ddl.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static rowtide__arena arena;
static rowtide_buffer out;

static int dispose(void **state)
{
    (void)state;
    rowtide__arena_dispose(&arena);
    rowtide_buffer_dispose(&out);
    return 0;
}

static const rowtide__ddl *parse(const char *sql)
{
    rowtide__ddl *ddl;
    assert_ok(rowtide__ddl_parse(sql, strlen(sql), &arena, &ddl));
    return ddl;
}

/* SQLite accepts it too. */
static void assert_out(const char *expected)
{
    assert_string_equal(out.data, expected);
    rowtide_db_free(scratch_db(out.data));
}

static void add(const char *sql, const char *definition, const char *expected)
{
    assert_ok(rowtide__edit_add_column(parse(sql), definition, &out));
    assert_out(expected);
}

static void adds_columns(void **state)
{
    (void)state;
    add("CREATE TABLE t(a)", "b", "CREATE TABLE t(a, b)");
    add("CREATE TABLE t(a, CHECK (a))", " b INT -- x",
        "CREATE TABLE t(a, b INT, CHECK (a))");
    add("CREATE TABLE t(a, constraint x)", "b",
        "CREATE TABLE t(a, b, constraint x)");
    add("CREATE TABLE t(a -- why\n)", "b", "CREATE TABLE t(a, b -- why\n)");
    add("CREATE TABLE t(a /* , */ , -- )\n PRIMARY KEY (a))", "b",
        "CREATE TABLE t(a /* , */ , b, -- )\n PRIMARY KEY (a))");
    add("CREATE TABLE t (\n  a INT, -- first\n  b TEXT -- last\n) STRICT;",
        "c ANY",
        "CREATE TABLE t (\n  a INT, -- first\n  b TEXT, -- last\n  c ANY\n) "
        "STRICT;");
    add("CREATE TABLE t (\n\ta INT, /* one */ /* two */ -- three\n\n\tUNIQUE "
        "(a)\n)",
        "b",
        "CREATE TABLE t (\n\ta INT, /* one */ /* two */ -- three\n\tb,\n\n\t"
        "UNIQUE (a)\n)");
    add("CREATE TABLE t (\r\n  a INT -- x\r\n)", "b",
        "CREATE TABLE t (\r\n  a INT, -- x\r\n  b\r\n)");
    add("CREATE TABLE t (\n  a INT /* two\n lines */)", "b",
        "CREATE TABLE t (\n  a INT,\n  b /* two\n lines */)");
}

static void drop(const char *sql, const char *column, const char *expected)
{
    const rowtide__ddl *ddl = parse(sql);
    assert_ok(rowtide__edit_drop_column(
        ddl, rowtide__ddl_find_column(ddl, column), &out));
    assert_out(expected);
}

static void drops_columns(void **state)
{
    (void)state;
    drop("CREATE TABLE t(a, b, c)", "A", "CREATE TABLE t(b, c)");
    drop("CREATE TABLE t(a, b, c)", "b", "CREATE TABLE t(a, c)");
    drop("CREATE TABLE t(a, b, c)", "c", "CREATE TABLE t(a, b)");
    drop("CREATE TABLE t(a,b,CHECK(a))", "b", "CREATE TABLE t(a,CHECK(a))");
    drop("CREATE TABLE t(a, b, constraint x)", "b",
         "CREATE TABLE t(a, constraint x)");
    drop("CREATE TABLE t(\n  a, -- the a\n  b, -- the b\n  c -- the c\n)", "b",
         "CREATE TABLE t(\n  a, -- the a\n  c -- the c\n)");
    drop("CREATE TABLE t(\n  a, -- the a\n  b, -- the b\n  c -- the c\n)", "c",
         "CREATE TABLE t(\n  a, -- the a\n  b -- the b\n)");
    drop("CREATE TABLE t(\n  a, -- the a\n  b DEFAULT ')')", "b",
         "CREATE TABLE t(\n  a -- the a\n)");
    drop("CREATE TABLE t(a -- the a\n , b -- the b\n)", "b",
         "CREATE TABLE t(a -- the a\n \n)");
    drop("CREATE TABLE t(a -- the a\n , b -- the b\n)", "a",
         "CREATE TABLE t(b -- the b\n)");
    drop("CREATE TABLE t(a, /* of b */ b, c)", "a",
         "CREATE TABLE t(/* of b */ b, c)");
    const rowtide__ddl *ddl = parse("CREATE TABLE t(a)");
    assert_status(rowtide__edit_drop_column(ddl, ddl->columns, &out),
                  ROWTIDE_EINVAL);
    assert_message("\"a\" is its only column");
    assert_int_equal(out.size, 0);
}

static void changes_columns(void **state)
{
    (void)state;
    const rowtide__ddl *ddl = parse(
        "CREATE TABLE t(a /* x */ INT(3)/* y */NOT NULL, b, c TEXT)");
    rowtide__ddl_column *a = ddl->columns, *b = a->next, *c = b->next;
    assert_ok(rowtide__edit_set_type(ddl, a, "REAL", &out));
    assert_out("CREATE TABLE t(a /* x */ REAL/* y */NOT NULL, b, c TEXT)");
    assert_ok(rowtide__edit_set_type(ddl, a, "", &out));
    assert_out("CREATE TABLE t(a /* x */ /* y */NOT NULL, b, c TEXT)");
    assert_ok(rowtide__edit_set_type(ddl, b, "INT", &out));
    assert_out(
        "CREATE TABLE t(a /* x */ INT(3)/* y */NOT NULL, b INT, c TEXT)");
    assert_ok(rowtide__edit_set_type(ddl, b, "", &out));
    assert_string_equal(out.data, ddl->text);
    assert_ok(rowtide__edit_set_type(ddl, c, "", &out));
    assert_out("CREATE TABLE t(a /* x */ INT(3)/* y */NOT NULL, b, c)");
    assert_ok(rowtide__edit_set_column(ddl, b, "b INT UNIQUE -- x", &out));
    assert_out("CREATE TABLE t(a /* x */ INT(3)/* y */NOT NULL, b INT UNIQUE, "
               "c TEXT)");
    assert_ok(rowtide__edit_rename_table(ddl, "a \"b\"", &out));
    assert_out("CREATE TABLE \"a \"\"b\"\"\"(a /* x */ INT(3)/* y */NOT NULL, "
               "b, c TEXT)");
}

static void changes_constraints_of_a_column(void **state)
{
    (void)state;
    const rowtide__ddl *ddl = parse("CREATE TABLE t(a DEFAULT'x'NOT NULL CHECK "
                                    "(a)UNIQUE, b)");
    rowtide__ddl_column *a = ddl->columns;
    const rowtide__ddl_constraint *c = a->constraints;
    assert_ok(rowtide__edit_set_column_constraint(ddl, a, c, NULL, &out));
    assert_out("CREATE TABLE t(a NOT NULL CHECK (a)UNIQUE, b)");
    assert_ok(
        rowtide__edit_set_column_constraint(ddl, a, c, "DEFAULT x", &out));
    assert_out("CREATE TABLE t(a DEFAULT x NOT NULL CHECK (a)UNIQUE, b)");
    c = c->next;
    assert_ok(rowtide__edit_set_column_constraint(ddl, a, c, NULL, &out));
    assert_out("CREATE TABLE t(a DEFAULT'x' CHECK (a)UNIQUE, b)");
    c = c->next->next;
    assert_ok(rowtide__edit_set_column_constraint(ddl, a, c, NULL, &out));
    assert_out("CREATE TABLE t(a DEFAULT'x'NOT NULL CHECK (a), b)");
    assert_ok(rowtide__edit_set_column_constraint(
        ddl, a->next, NULL, "COLLATE NOCASE /* x */", &out));
    assert_out("CREATE TABLE t(a DEFAULT'x'NOT NULL CHECK (a)UNIQUE, b COLLATE "
               "NOCASE)");
}

static void changes_constraints_of_the_table(void **state)
{
    (void)state;
    const rowtide__ddl *ddl = parse(
        "CREATE TABLE t(a, b, CHECK (a), UNIQUE (a) UNIQUE (b))");
    const rowtide__ddl_constraint *c = ddl->constraints;
    assert_ok(rowtide__edit_set_table_constraint(ddl, c, NULL, &out));
    assert_out("CREATE TABLE t(a, b, UNIQUE (a) UNIQUE (b))");
    assert_ok(rowtide__edit_set_table_constraint(ddl, c, "CHECK (b)", &out));
    assert_out("CREATE TABLE t(a, b, CHECK (b), UNIQUE (a) UNIQUE (b))");
    assert_ok(rowtide__edit_set_table_constraint(ddl, c->next, NULL, &out));
    assert_out("CREATE TABLE t(a, b, CHECK (a),UNIQUE (b))");
    assert_ok(
        rowtide__edit_set_table_constraint(ddl, c->next->next, NULL, &out));
    assert_out("CREATE TABLE t(a, b, CHECK (a), UNIQUE (a))");
    assert_ok(rowtide__edit_set_table_constraint(ddl, NULL, "CHECK (b)", &out));
    assert_out("CREATE TABLE t(a, b, CHECK (a), UNIQUE (a) UNIQUE (b), CHECK "
               "(b))");
    ddl = parse("CREATE TABLE t(\n  a, -- x\n  CHECK (a) -- y\n)");
    assert_ok(
        rowtide__edit_set_table_constraint(ddl, ddl->constraints, NULL, &out));
    assert_out("CREATE TABLE t(\n  a -- x\n)");
    assert_ok(
        rowtide__edit_set_table_constraint(ddl, NULL, "UNIQUE (a)", &out));
    assert_out(
        "CREATE TABLE t(\n  a, -- x\n  CHECK (a), -- y\n  UNIQUE (a)\n)");
    ddl = parse("CREATE TABLE t(a, constraint x)");
    assert_ok(rowtide__edit_set_table_constraint(ddl, NULL, "CHECK (a)", &out));
    assert_out("CREATE TABLE t(a, constraint x, CHECK (a))");
}

static void set_options(const char *sql, int strict, int without_rowid,
                        const char *expected)
{
    assert_ok(
        rowtide__edit_set_options(parse(sql), strict, without_rowid, &out));
    assert_out(expected);
}

static void changes_options(void **state)
{
    (void)state;
    set_options(
        "CREATE TABLE t(a INT PRIMARY KEY)-- x\n", 1, 1,
        "CREATE TABLE t(a INT PRIMARY KEY) STRICT, WITHOUT ROWID-- x\n");
    set_options("CREATE TABLE t(a INT) strict;", 0, 0,
                "CREATE TABLE t(a INT);");
    set_options("CREATE TABLE t(a INT PRIMARY KEY/* ) */)/*x*/strict", 0, 1,
                "CREATE TABLE t(a INT PRIMARY KEY/* ) */)/*x*/WITHOUT ROWID");
}

static void refuses_what_is_not_one_definition(void **state)
{
    (void)state;
    const rowtide__ddl *ddl = parse("CREATE TABLE t(a INT, b)");
    assert_status(rowtide__edit_add_column(ddl, "c, d", &out), ROWTIDE_EINVAL);
    assert_message("table \"t\"");
    assert_message("c, d");
    assert_status(rowtide__edit_add_column(ddl, "", &out), ROWTIDE_EINVAL);
    assert_status(rowtide__edit_add_column(ddl, "c) STRICT --", &out),
                  ROWTIDE_EINVAL);
    assert_status(rowtide__edit_set_type(ddl, ddl->columns, "TEXT, x", &out),
                  ROWTIDE_EINVAL);
    assert_status(
        rowtide__edit_set_column(ddl, ddl->columns, "CHECK (1)", &out),
        ROWTIDE_EINVAL);
    assert_int_equal(out.size, 0);
    ddl = parse("CREATE TABLE t AS SELECT 1");
    assert_status(rowtide__edit_add_column(ddl, "c", &out), ROWTIDE_EINVAL);
    ddl = parse("CREATE VIEW v AS SELECT 1");
    assert_status(rowtide__edit_rename_table(ddl, "c", &out), ROWTIDE_EINVAL);
    assert_message("\"v\"");
}

/* ## Random tables */

static unsigned seed = 1;

static unsigned below(unsigned limit)
{
    seed = seed * 1103515245u + 12345u;
    return (seed >> 16) % limit;
}

static const char *one_of(const char *const *list, unsigned count)
{
    return list[below(count)];
}

static void put(const char *text)
{
    assert_ok(rowtide__buffer_append_text(&out, text));
}

static void put_space(void)
{
    static const char *const spaces[] = {
        " ", " ", " -- a, (\n ", "\n  ", "\t", " /* ) */ ", "\r\n", "/**/"};
    put(one_of(spaces, 8));
}

static void put_column(unsigned i)
{
    static const char *const names[] = {"a%u", "\"a %u\"", "[key %u]",
                                        "`d,%u`"};
    static const char *const types[] = {"", "INT", "varchar (10)",
                                        "\"my type\""};
    static const char *const clauses[] = {
        "NOT NULL",        "DEFAULT ','",
        "CHECK (1 > ')')", "UNIQUE",
        "COLLATE RTRIM",   "REFERENCES t ON DELETE CASCADE",
        "DEFAULT (-(1))",  "CONSTRAINT \"c)\" NOT NULL ON CONFLICT IGNORE"};
    char name[40];
    snprintf(name, sizeof name, one_of(names, 4), i);
    put(name);
    put_space();
    put(one_of(types, 4));
    for (unsigned left = below(4); left > 0; left--) {
        put_space();
        put(one_of(clauses, 8));
    }
}

static void make_table(void)
{
    static const char *const constraints[] = {"CHECK (1)", "CONSTRAINT x",
                                              "CONSTRAINT y CHECK ((2))"};
    rowtide__buffer_clear(&out);
    put("CREATE TABLE t(");
    unsigned columns = 1 + below(4), more = below(3);
    for (unsigned i = 0; i < columns; i++) {
        put(i ? "," : "");
        put_space();
        put_column(i);
        put_space();
    }
    for (unsigned i = 0; i < more; i++) {
        put(i == 0 || below(2) ? "," : "");
        put_space();
        put(one_of(constraints, 3));
        put_space();
    }
    put(below(2) ? ")" : ") WITHOUT ROWID");
}

static void list_span(rowtide_buffer *list, const rowtide__ddl *ddl,
                      rowtide__span span)
{
    assert_ok(rowtide__buffer_append(list, ddl->text + span.at, span.size));
    assert_ok(rowtide__buffer_append_byte(list, '|'));
}

/* All that the tree says, one after the other. */
static char *listing(const char *sql)
{
    const rowtide__ddl *ddl = parse(sql);
    rowtide_buffer list = ROWTIDE_BUFFER_INIT;
    for (const rowtide__ddl_column *c = ddl->columns; c; c = c->next) {
        assert_ok(
            rowtide__buffer_append_format(&list, "%s/%s:", c->name, c->type));
        for (const rowtide__ddl_constraint *k = c->constraints; k; k = k->next)
            list_span(&list, ddl, k->span);
    }
    for (const rowtide__ddl_constraint *k = ddl->constraints; k; k = k->next)
        list_span(&list, ddl, k->span);
    list_span(&list, ddl, ddl->options);
    char *text = strdup(list.data);
    rowtide_buffer_dispose(&list);
    return text;
}

static char *copy_out(void)
{
    return strdup(out.data);
}

static void assert_listing(const char *sql, const char *expected)
{
    char *now = listing(sql);
    assert_string_equal(now, expected);
    free(now);
}

static void gives_back_what_was_there(void **state)
{
    (void)state;
    for (int round = 0; round < 3000; round++) {
        make_table();
        char *sql = copy_out(), *before = listing(sql);
        assert_ok(rowtide__edit_add_column(
            parse(sql), "\"new\" TEXT NOT NULL DEFAULT (')')", &out));
        char *added = copy_out();
        const rowtide__ddl *ddl = parse(added);
        rowtide__ddl_column *column = rowtide__ddl_find_column(ddl, "new");
        assert_non_null(column);
        assert_null(column->next);
        assert_ok(rowtide__edit_drop_column(ddl, column, &out));
        assert_listing(out.data, before);
        assert_ok(rowtide__edit_set_table_constraint(parse(added), NULL,
                                                     "CHECK (9)", &out));
        free(added);
        added = copy_out();
        ddl = parse(added);
        const rowtide__ddl_constraint *last = ddl->constraints;
        while (last->next)
            last = last->next;
        assert_ok(rowtide__edit_set_table_constraint(ddl, last, NULL, &out));
        free(added);
        added = copy_out();
        ddl = parse(added);
        assert_ok(rowtide__edit_drop_column(
            ddl, rowtide__ddl_find_column(ddl, "new"), &out));
        assert_listing(out.data, before);
        free(added);
        free(before);
        free(sql);
        rowtide__arena_dispose(&arena);
    }
}

/* Dropping any column and any constraint leaves the others as they are, and
 * SQLite can run what is left. */
static void drops_only_what_it_should(void **state)
{
    (void)state;
    rowtide_db *db = scratch_db(NULL);
    for (int round = 0; round < 1500; round++) {
        make_table();
        char *sql = copy_out(), *before = listing(sql);
        const rowtide__ddl *ddl = parse(sql);
        rowtide__ddl_column *column = ddl->columns;
        unsigned which = below(4);
        for (; column->next && which > 0; which--)
            column = column->next;
        if (ddl->columns->next) {
            assert_ok(rowtide__edit_drop_column(ddl, column, &out));
            char *gone = listing(out.data);
            const char *at = strstr(before, column->name);
            assert_non_null(at);
            assert_true(strlen(gone) < strlen(before));
            assert_memory_equal(gone, before, (size_t)(at - before));
            size_t tail = strlen(gone) - (size_t)(at - before);
            assert_string_equal(gone + (at - before),
                                before + strlen(before) - tail);
            free(gone);
            if (!ddl->without_rowid) {
                scratch_exec(db, out.data);
                scratch_exec(db, "DROP TABLE t");
            }
        }
        free(before);
        free(sql);
        rowtide__arena_dispose(&arena);
    }
    rowtide_db_free(db);
}

static int edit(void *ctx)
{
    static const char sql[] = "CREATE TABLE t(\n  a, -- x\n  b)";
    (void)ctx;
    rowtide__arena memory = {0};
    rowtide_buffer text = ROWTIDE_BUFFER_INIT;
    rowtide__ddl *ddl;
    int rc = rowtide__ddl_parse(sql, sizeof sql - 1, &memory, &ddl);
    if (rc == ROWTIDE_OK)
        rc = rowtide__edit_add_column(ddl, "c NOT NULL", &text);
    if (rc == ROWTIDE_OK)
        rc = rowtide__edit_rename_table(ddl, "u", &text);
    rowtide_buffer_dispose(&text);
    rowtide__arena_dispose(&memory);
    return rc;
}

static void fails_cleanly_without_memory(void **state)
{
    (void)state;
    oom_loop(edit, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(adds_columns, dispose),
        cmocka_unit_test_teardown(drops_columns, dispose),
        cmocka_unit_test_teardown(changes_columns, dispose),
        cmocka_unit_test_teardown(changes_constraints_of_a_column, dispose),
        cmocka_unit_test_teardown(changes_constraints_of_the_table, dispose),
        cmocka_unit_test_teardown(changes_options, dispose),
        cmocka_unit_test_teardown(refuses_what_is_not_one_definition, dispose),
        cmocka_unit_test_teardown(gives_back_what_was_there, dispose),
        cmocka_unit_test_teardown(drops_only_what_it_should, dispose),
        cmocka_unit_test_teardown(fails_cleanly_without_memory, dispose),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
