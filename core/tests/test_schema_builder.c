#include "support/oom.h"
#include "support/scratch.h"

#include <rowtide/schema_build.h>

#include <stdlib.h>
#include <string.h>

typedef rowtide_schema_column_options column_options;
typedef rowtide_schema_relation_options relation_options;

static rowtide_schema_builder *builder;
static rowtide_schema *schema;

static int make_builder(void **state)
{
    (void)state;
    return rowtide_schema_builder_new(&builder);
}

static int free_all(void **state)
{
    (void)state;
    rowtide_schema_builder_free(builder);
    rowtide_schema_free(schema);
    schema = NULL;
    return 0;
}

static int table(const char *name)
{
    return rowtide_schema_builder_table(builder, name, NULL);
}

static int column(const char *name, const char *type)
{
    return rowtide_schema_builder_column(builder, name, type, NULL);
}

static int column_with(const char *name, const char *type,
                       column_options options)
{
    options.size = sizeof options;
    return rowtide_schema_builder_column(builder, name, type, &options);
}

static int key(const char *name)
{
    return column_with(name, "INTEGER", (column_options){.primary_key = 1});
}

static int belongs_to(const char *other, relation_options options)
{
    options.size = sizeof options;
    return rowtide_schema_builder_belongs_to(builder, other, &options);
}

static int many_to_many(const char *other, relation_options options)
{
    options.size = sizeof options;
    return rowtide_schema_builder_many_to_many(builder, other, &options);
}

static void assert_printed(const char *expected)
{
    rowtide_buffer out = ROWTIDE_BUFFER_INIT;
    assert_ok(rowtide_schema_builder_finish(builder, &schema));
    assert_ok(rowtide_schema_print(schema, &out));
    assert_string_equal(out.data, expected);
    rowtide_buffer_dispose(&out);
}

static void makes_what_was_declared(void **state)
{
    (void)state;
    rowtide_schema_table_options options = ROWTIDE_SCHEMA_TABLE_OPTIONS_INIT;
    options.strict = 1;
    assert_ok(rowtide_schema_builder_table(builder, "posts", &options));
    assert_ok(
        column_with("id", "INTEGER",
                    (column_options){.primary_key = 1, .autoincrement = 1}));
    assert_ok(column_with("title", "TEXT",
                          (column_options){.not_null = 1,
                                           .default_sql = "''",
                                           .check = "length(title) < 9",
                                           .collation = "NOCASE"}));
    assert_ok(column_with("made", "TEXT",
                          (column_options){.default_sql = "datetime('now')"}));
    assert_ok(column_with(
        "words", "INT",
        (column_options){.generated_as = "length(title)", .stored = 1}));
    assert_ok(rowtide_schema_builder_check(builder, "c", "words > -- x\n 0"));
    const char *const columns[] = {"title", "lower(made) DESC", NULL};
    assert_ok(rowtide_schema_builder_index(builder, columns, NULL));
    options = (rowtide_schema_table_options)ROWTIDE_SCHEMA_TABLE_OPTIONS_INIT;
    const char *const both[] = {"b", "a \"x\"", NULL};
    options.primary_key = both;
    options.without_rowid = 1;
    assert_ok(rowtide_schema_builder_table(builder, "pairs", &options));
    assert_ok(column("a \"x\"", NULL));
    assert_ok(column("b", ""));
    assert_ok(rowtide_schema_builder_sql(builder,
                                         "CREATE VIEW v AS SELECT 1 -- one"));
    assert_printed(
        "CREATE TABLE \"posts\" (\n"
        "  \"id\" INTEGER PRIMARY KEY AUTOINCREMENT,\n"
        "  \"title\" TEXT NOT NULL DEFAULT '' CHECK (length(title) < 9) "
        "COLLATE \"NOCASE\",\n"
        "  \"made\" TEXT DEFAULT (datetime('now')),\n"
        "  \"words\" INT GENERATED ALWAYS AS (length(title)) STORED,\n"
        "  CONSTRAINT \"c\" CHECK (words > -- x\n 0)\n"
        ") STRICT;\n"
        "CREATE INDEX \"ix_posts_title_lower_made_DESC\" ON \"posts\" "
        "(\"title\", lower(made) DESC);\n"
        "CREATE TABLE \"pairs\" (\n"
        "  \"a \"\"x\"\"\",\n"
        "  \"b\",\n"
        "  PRIMARY KEY (\"b\", \"a \"\"x\"\"\")\n"
        ") WITHOUT ROWID;\n"
        "CREATE VIEW v AS SELECT 1 -- one\n;\n");
}

static void writes_defaults_as_sqlite_wants_them(void **state)
{
    (void)state;
    static const char *const defaults[][2] = {
        {"1", "1"},
        {"- 1.5", "- 1.5"},
        {"'it''s'", "'it''s'"},
        {"NULL", "NULL"},
        {"x'00'", "x'00'"},
        {" true ", "true"},
        {"1 + 1", "(1 + 1)"},
        {"(1)", "(1)"},
        {"(1) + (2)", "((1) + (2))"},
        {"-(1)", "(-(1))"},
        {"current_date", "current_date"},
    };
    size_t count = sizeof defaults / sizeof *defaults;
    assert_ok(table("t"));
    for (size_t i = 0; i < count; i++) {
        char name[] = {(char)('a' + i), 0};
        assert_ok(column_with(name, "",
                              (column_options){.default_sql = defaults[i][0]}));
    }
    assert_ok(rowtide_schema_builder_finish(builder, &schema));
    const rowtide_schema_table *t = rowtide_schema_find_table(schema, "t");
    for (size_t i = 0; i < count; i++)
        assert_string_equal(t->columns[i]->default_sql, defaults[i][1]);
}

static const rowtide_schema_index *find_index(const char *table_name, size_t i)
{
    const rowtide_schema_table *t = rowtide_schema_find_table(schema,
                                                              table_name);
    assert_non_null(t);
    for (size_t j = 0; j <= i; j++)
        assert_non_null(t->indexes[j]);
    return t->indexes[i];
}

static void makes_indexes_of_rows_that_live(void **state)
{
    (void)state;
    rowtide_schema_table_options options = ROWTIDE_SCHEMA_TABLE_OPTIONS_INIT;
    rowtide_schema_index_options index = ROWTIDE_SCHEMA_INDEX_OPTIONS_INIT;
    options.soft_delete = "deleted_at";
    assert_ok(rowtide_schema_builder_table(builder, "t", &options));
    assert_ok(column_with("a", "TEXT", (column_options){.unique = 1}));
    assert_ok(column_with("b", "TEXT", (column_options){.indexed = 1}));
    assert_ok(column("deleted_at", "TEXT"));
    const char *const columns[] = {"b COLLATE NOCASE", "a", NULL};
    index.unique = 1;
    index.where = "a > 1 OR b > 1 -- x";
    index.name = "mine";
    assert_ok(rowtide_schema_builder_index(builder, columns, &index));
    assert_ok(rowtide_schema_builder_finish(builder, &schema));
    const rowtide_schema_table *t = rowtide_schema_find_table(schema, "t");
    size_t found = 0;
    for (; t->indexes[found]; found++) {
        const rowtide_schema_index *i = t->indexes[found];
        if (strcmp(i->name, "ux_t_a") == 0)
            assert_string_equal(i->where, "\"deleted_at\" IS NULL");
        else if (strcmp(i->name, "ix_t_b") == 0)
            assert_null(i->where);
        else
            assert_string_equal(i->where, "(a > 1 OR b > 1) AND "
                                          "\"deleted_at\" IS NULL");
    }
    assert_int_equal(found, 3);
}

static void declare_colliding(int first)
{
    for (int i = 0; i < 2; i++) {
        int other = i == first;
        assert_ok(table(other ? "a" : "a_b"));
        assert_ok(column_with(other ? "b_c" : "c", "",
                              (column_options){.unique = 1, .indexed = 1}));
    }
}

static void gives_indexes_names_that_stay(void **state)
{
    (void)state;
    char names[2][64];
    declare_colliding(0);
    assert_ok(rowtide_schema_builder_finish(builder, &schema));
    strcpy(names[0], find_index("a", 0)->name);
    strcpy(names[1], find_index("a_b", 0)->name);
    assert_string_not_equal(names[0], names[1]);
    assert_memory_equal(names[0], "ux_a_b_c_", 9);
    rowtide_schema_free(schema);
    declare_colliding(1);
    assert_ok(rowtide_schema_builder_finish(builder, &schema));
    assert_string_equal(find_index("a", 0)->name, names[0]);
    assert_string_equal(find_index("a_b", 0)->name, names[1]);
}

static void gives_way_to_names_that_were_chosen(void **state)
{
    (void)state;
    rowtide_schema_index_options options = ROWTIDE_SCHEMA_INDEX_OPTIONS_INIT;
    const char *const columns[] = {"b", NULL}, *const again[] = {"a", NULL};
    assert_ok(table("t"));
    assert_ok(column_with("a", "", (column_options){.indexed = 1}));
    assert_ok(column("b", ""));
    assert_ok(rowtide_schema_builder_index(builder, again, NULL));
    options.name = "IX_t_a";
    assert_ok(rowtide_schema_builder_index(builder, columns, &options));
    assert_ok(table("ux_u_a"));
    assert_ok(column("a", ""));
    assert_ok(table("u"));
    assert_ok(column_with("a", "", (column_options){.unique = 1}));
    assert_ok(rowtide_schema_builder_finish(builder, &schema));
    const rowtide_schema_table *t = rowtide_schema_find_table(schema, "t");
    assert_non_null(t->indexes[0]);
    assert_non_null(t->indexes[1]);
    assert_null(t->indexes[2]);
    assert_memory_equal(find_index("u", 0)->name, "ux_u_a_", 7);
}

static void makes_columns_for_relations(void **state)
{
    (void)state;
    assert_ok(table("posts"));
    assert_ok(key("id"));
    assert_ok(belongs_to("users", (relation_options){.not_null = 1}));
    assert_ok(
        belongs_to("categories", (relation_options){.foreign_key = 1,
                                                    .on_delete = "set null"}));
    assert_ok(belongs_to("elsewhere", (relation_options){.column = "author"}));
    assert_ok(belongs_to("profiles", (relation_options){.column = NULL}));
    assert_ok(column("author", "TEXT"));
    assert_ok(table("users"));
    assert_ok(key("id"));
    assert_ok(table("categories"));
    assert_ok(column_with("name", "TEXT", (column_options){.primary_key = 1}));
    rowtide_schema_table_options options = ROWTIDE_SCHEMA_TABLE_OPTIONS_INIT;
    const char *const own[] = {"category_id", NULL};
    options.primary_key = own;
    assert_ok(rowtide_schema_builder_table(builder, "profiles", &options));
    assert_ok(belongs_to("categories", (relation_options){.column = NULL}));
    assert_printed(
        "CREATE TABLE \"posts\" (\n"
        "  \"id\" INTEGER PRIMARY KEY,\n"
        "  \"user_id\" INTEGER NOT NULL,\n"
        "  \"category_id\" TEXT,\n"
        "  \"profile_id\" TEXT,\n"
        "  \"author\" TEXT,\n"
        "  FOREIGN KEY (\"category_id\") REFERENCES \"categories\" (\"name\") "
        "ON DELETE SET NULL\n);\n"
        "CREATE TABLE \"users\" (\n  \"id\" INTEGER PRIMARY KEY\n);\n"
        "CREATE TABLE \"categories\" (\n  \"name\" TEXT PRIMARY KEY\n);\n"
        "CREATE TABLE \"profiles\" (\n  \"category_id\" TEXT,\n"
        "  PRIMARY KEY (\"category_id\")\n);\n");
    const rowtide_schema_table *t = rowtide_schema_find_table(schema, "posts");
    size_t relations = 0;
    for (size_t i = 0; t->foreign_keys[i]; i++) {
        const rowtide_schema_foreign_key *fk = t->foreign_keys[i];
        relations += (size_t)fk->relation;
        if (strcmp(fk->table, "users") == 0)
            assert_string_equal(fk->table_columns[0], "id");
        if (strcmp(fk->table, "elsewhere") == 0)
            assert_null(fk->table_columns[0]);
    }
    assert_int_equal(relations, 3);
}

static void makes_junction_tables(void **state)
{
    (void)state;
    assert_ok(table("posts"));
    assert_ok(key("id"));
    assert_ok(many_to_many("tags", (relation_options){.column = NULL}));
    assert_ok(table("tags"));
    assert_ok(column_with("name", "TEXT", (column_options){.primary_key = 1}));
    assert_ok(
        many_to_many("posts", (relation_options){.column = "posts_tags"}));
    assert_ok(many_to_many(
        "tags", (relation_options){.column = "like", .foreign_key = 1}));
    assert_printed(
        "CREATE TABLE \"posts\" (\n  \"id\" INTEGER PRIMARY KEY\n);\n"
        "CREATE TABLE \"tags\" (\n  \"name\" TEXT PRIMARY KEY\n);\n"
        "CREATE TABLE \"posts_tags\" (\n"
        "  \"post_id\" INTEGER NOT NULL,\n"
        "  \"tag_id\" TEXT NOT NULL,\n"
        "  PRIMARY KEY (\"post_id\", \"tag_id\")\n);\n"
        "CREATE TABLE \"like\" (\n"
        "  \"tag_id\" TEXT NOT NULL,\n"
        "  \"other_tag_id\" TEXT NOT NULL,\n"
        "  PRIMARY KEY (\"tag_id\", \"other_tag_id\"),\n"
        "  FOREIGN KEY (\"tag_id\") REFERENCES \"tags\" (\"name\"),\n"
        "  FOREIGN KEY (\"other_tag_id\") REFERENCES \"tags\" "
        "(\"name\")\n);\n");
    const rowtide_schema_table *t = rowtide_schema_find_table(schema,
                                                              "posts_tags");
    assert_non_null(t->foreign_keys[0]);
    assert_non_null(t->foreign_keys[1]);
    assert_int_equal(t->foreign_keys[1]->relation, 1);
}

static void names_table_and_column_of_what_is_wrong(void **state)
{
    (void)state;
    static const struct {
        column_options options;
        const char *type, *message;
    } cases[] = {
        {{.check = "1) OR (1"}, "", "table \"t\", column \"a\": expected"},
        {{.check = ""}, "", "table \"t\", column \"a\": expected"},
        {{.default_sql = "1, b"}, "", "table \"t\", column \"a\": expected"},
        {{.default_sql = "b + 1"},
         "",
         "table \"t\": default value of column [a]"},
        {{.autoincrement = 1}, "", "column \"a\": AUTOINCREMENT"},
        {{.autoincrement = 1, .primary_key = 1},
         "INT",
         "table \"t\": AUTOINCREMENT is only"},
        {{.check = "a >> > 1"}, "", "table \"t\", column \"a\": near"},
        {{.not_null = 1}, "INT, b", "column \"a\": this is no type: INT, b"},
        {{.not_null = 1}, "INT(", "table \"t\", column \"a\": expected"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        rowtide_schema_builder *b;
        rowtide_schema *out;
        column_options options = cases[i].options;
        options.size = sizeof options;
        assert_ok(rowtide_schema_builder_new(&b));
        assert_ok(rowtide_schema_builder_table(b, "t", NULL));
        int rc = rowtide_schema_builder_column(b, "a", cases[i].type, &options);
        if (rc == ROWTIDE_OK)
            rc = rowtide_schema_builder_finish(b, &out);
        assert_true(rc < 0);
        assert_message(cases[i].message);
        rowtide_schema_builder_free(b);
    }
}

/* One declaration after an ordinary table, and what is said about it. */
static void refuses(int rc, int code, const char *message)
{
    rowtide_schema *out = NULL;
    if (rc == ROWTIDE_OK)
        rc = rowtide_schema_builder_finish(builder, &out);
    assert_null(out);
    assert_int_equal(rc, code);
    assert_message(message);
    /* It stays that way. */
    assert_status(rowtide_schema_builder_finish(builder, &out), code);
    assert_message(message);
    assert_status(table("another"), code);
    rowtide_schema_builder_free(builder);
    assert_ok(rowtide_schema_builder_new(&builder));
    assert_ok(table("posts"));
    assert_ok(key("id"));
}

static void refuses_what_makes_no_sense(void **state)
{
    (void)state;
    rowtide_schema_table_options options = ROWTIDE_SCHEMA_TABLE_OPTIONS_INIT;
    const char *const none[] = {NULL}, *const wrong[] = {"titel DESC", NULL},
                      *const broken[] = {"lower(", NULL};
    refuses(column("a", ""), ROWTIDE_EMISUSE, "there is no table yet");
    refuses(table("POSTS"), ROWTIDE_EEXISTS, "table \"POSTS\": declared twice");
    refuses(table(""), ROWTIDE_EINVAL, "a table has no name");
    refuses(table("empty"), ROWTIDE_EINVAL,
            "table \"empty\": it has no columns");
    refuses(column(NULL, ""), ROWTIDE_EINVAL,
            "table \"posts\": a column has no name");
    refuses(column("ID", ""), ROWTIDE_EEXISTS,
            "table \"posts\": column \"ID\" is declared twice");
    refuses(rowtide_schema_builder_index(builder, none, NULL), ROWTIDE_EINVAL,
            "it has no columns");
    refuses(rowtide_schema_builder_index(builder, wrong, NULL), ROWTIDE_ESCHEMA,
            "table \"posts\", index on \"titel DESC\": there is no column "
            "\"titel\"");
    refuses(rowtide_schema_builder_index(builder, broken, NULL), ROWTIDE_EINVAL,
            "table \"posts\", index on \"lower(\": expected");
    refuses(rowtide_schema_builder_check(builder, "c", "nosuch > 1"),
            ROWTIDE_ESQL, "table \"posts\"");
    refuses(belongs_to("posts", (relation_options){.on_delete = "explode"}),
            ROWTIDE_EINVAL,
            "table \"posts\", relation to \"posts\": \"explode\" is none of");
    refuses(belongs_to("posts", (relation_options){.table_column = "uuid"}),
            ROWTIDE_ESCHEMA, "\"posts\" has no column \"uuid\"");
    refuses(rowtide_schema_builder_sql(builder, NULL), ROWTIDE_EINVAL,
            "schema_builder_sql");
    refuses(rowtide_schema_builder_sql(builder, "CREATE VIEW v AS SELECT 'x"),
            ROWTIDE_EINVAL, "a quote is not closed");
    refuses(rowtide_schema_builder_sql(builder, "CREATE VEIW v AS SELECT 1"),
            ROWTIDE_ESQL, "SQL that was added: near \"VEIW\"");
    options.soft_delete = "gone";
    assert_ok(rowtide_schema_builder_table(builder, "soft", &options));
    refuses(column("a", ""), ROWTIDE_ESCHEMA,
            "table \"soft\": soft delete column \"gone\" is not one of");
    options = (rowtide_schema_table_options)ROWTIDE_SCHEMA_TABLE_OPTIONS_INIT;
    options.primary_key = wrong;
    assert_ok(rowtide_schema_builder_table(builder, "keys", &options));
    refuses(column("a", ""), ROWTIDE_ESCHEMA,
            "table \"keys\": primary key \"titel DESC\" is not one of");
    assert_ok(table("bare"));
    assert_ok(column("a", ""));
    refuses(many_to_many("posts", (relation_options){.column = NULL}),
            ROWTIDE_ESCHEMA, "\"bare\" has no primary key");
    assert_status(rowtide_schema_builder_table(NULL, "a", NULL),
                  ROWTIDE_EINVAL);
    assert_status(rowtide_schema_builder_finish(builder, NULL), ROWTIDE_EINVAL);
}

static int build(rowtide_schema_builder *b, rowtide_schema **out)
{
    column_options unique = ROWTIDE_SCHEMA_COLUMN_OPTIONS_INIT;
    unique.unique = unique.primary_key = 1;
    unique.default_sql = "1 + 1";
    int rc = rowtide_schema_builder_table(b, "a", NULL);
    if (rc == ROWTIDE_OK)
        rc = rowtide_schema_builder_column(b, "id", "INT", &unique);
    if (rc == ROWTIDE_OK)
        rc = rowtide_schema_builder_belongs_to(b, "a", NULL);
    if (rc == ROWTIDE_OK)
        rc = rowtide_schema_builder_many_to_many(b, "a", NULL);
    if (rc == ROWTIDE_OK)
        rc = rowtide_schema_builder_check(b, "c", "id > 0");
    if (rc == ROWTIDE_OK)
        rc = rowtide_schema_builder_sql(b, "CREATE VIEW v AS SELECT 1");
    return rc == ROWTIDE_OK ? rowtide_schema_builder_finish(b, out) : rc;
}

static int build_all(void *ctx)
{
    (void)ctx;
    rowtide_schema_builder *b = NULL;
    rowtide_schema *out = NULL;
    int rc = rowtide_schema_builder_new(&b);
    if (rc == ROWTIDE_OK)
        rc = build(b, &out);
    rowtide_schema_free(out);
    rowtide_schema_builder_free(b);
    return rc;
}

static void fails_cleanly_without_memory(void **state)
{
    (void)state;
    oom_loop(build_all, NULL);
    oom_loop_sqlite(build_all, NULL);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_builder, free_all)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(makes_what_was_declared),
        TEST(writes_defaults_as_sqlite_wants_them),
        TEST(makes_indexes_of_rows_that_live),
        TEST(gives_indexes_names_that_stay),
        TEST(gives_way_to_names_that_were_chosen),
        TEST(makes_columns_for_relations),
        TEST(makes_junction_tables),
        TEST(names_table_and_column_of_what_is_wrong),
        TEST(refuses_what_makes_no_sense),
        TEST(fails_cleanly_without_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
