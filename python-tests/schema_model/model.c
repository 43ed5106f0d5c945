/* The model of model.sql, as JSON. */
#include <rowtide.h>

#include <stdio.h>

typedef rowtide_schema_builder builder;

#define COLUMN(builder, name, type, ...)                                       \
    rowtide_schema_builder_column(                                             \
        builder, name, type,                                                   \
        &(rowtide_schema_column_options){                                      \
            .size = sizeof(rowtide_schema_column_options), __VA_ARGS__})

static void declare_users(builder *b)
{
    static const char *const columns[] = {"name", "id DESC", NULL};
    rowtide_schema_table_options table = ROWTIDE_SCHEMA_TABLE_OPTIONS_INIT;
    rowtide_schema_index_options index = ROWTIDE_SCHEMA_INDEX_OPTIONS_INIT;
    table.soft_delete = "deleted_at";
    index.name = "by_name";
    index.where = "name <> ''";
    rowtide_schema_builder_table(b, "users", &table);
    COLUMN(b, "id", "INTEGER", .primary_key = 1);
    COLUMN(b, "email", "TEXT", .not_null = 1, .unique = 1,
           .collation = "NOCASE");
    COLUMN(b, "name", "TEXT", .not_null = 1, .default_sql = "'nobody'");
    COLUMN(b, "deleted_at", "TEXT", .not_null = 0);
    rowtide_schema_builder_index(b, columns, &index);
    rowtide_schema_builder_check(b, "named", "length(name) > 0");
}

static void declare_posts(builder *b)
{
    rowtide_schema_relation_options owner =
        ROWTIDE_SCHEMA_RELATION_OPTIONS_INIT;
    owner.on_delete = "CASCADE";
    owner.foreign_key = 1;
    rowtide_schema_builder_table(b, "posts", NULL);
    COLUMN(b, "id", "INTEGER", .primary_key = 1);
    COLUMN(b, "user_id", "INTEGER", .not_null = 1);
    COLUMN(b, "title", "TEXT", .not_null = 1, .check = "title <> ''",
           .indexed = 1);
    COLUMN(b, "loud", "TEXT", .generated_as = "upper(title)");
    rowtide_schema_builder_belongs_to(b, "users", &owner);
}

static void declare_tags(builder *b)
{
    static const char *const key[] = {"scope", "word", NULL};
    rowtide_schema_table_options table = ROWTIDE_SCHEMA_TABLE_OPTIONS_INIT;
    table.primary_key = key;
    table.strict = 1;
    table.without_rowid = 1;
    rowtide_schema_builder_table(b, "tags", &table);
    COLUMN(b, "scope", "TEXT", .not_null = 1);
    COLUMN(b, "word", "TEXT", .not_null = 1);
    COLUMN(b, "weight", "REAL", .not_null = 1, .default_sql = "1.5");
}

int main(void)
{
    rowtide_buffer json = ROWTIDE_BUFFER_INIT;
    rowtide_schema *schema = NULL;
    builder *b = NULL;
    int rc = rowtide_schema_builder_new(&b);
    declare_users(b);
    declare_posts(b);
    declare_tags(b);
    rowtide_schema_builder_sql(b,
                               "CREATE VIEW names AS SELECT name FROM users;");
    if (rc == ROWTIDE_OK)
        rc = rowtide_schema_builder_finish(b, &schema);
    if (rc == ROWTIDE_OK)
        rc = rowtide_schema_json(schema, &json);
    if (rc == ROWTIDE_OK)
        fputs(json.data, stdout);
    else
        fprintf(stderr, "%s\n", rowtide_error_message());
    rowtide_buffer_dispose(&json);
    rowtide_schema_free(schema);
    rowtide_schema_builder_free(b);
    return rc != ROWTIDE_OK;
}
