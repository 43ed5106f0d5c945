/* Declare tables, make them, and see what it takes to change them. */
#include "example.h"

static rowtide_schema *declare(void)
{
    rowtide_schema_column_options key = ROWTIDE_SCHEMA_COLUMN_OPTIONS_INIT;
    rowtide_schema_column_options needed = ROWTIDE_SCHEMA_COLUMN_OPTIONS_INIT;
    rowtide_schema_column_options email = ROWTIDE_SCHEMA_COLUMN_OPTIONS_INIT;
    rowtide_schema_relation_options owner =
        ROWTIDE_SCHEMA_RELATION_OPTIONS_INIT;
    rowtide_schema_builder *builder;
    rowtide_schema *schema;

    key.primary_key = 1;
    needed.not_null = 1;
    email.not_null = 1;
    email.unique = 1;
    email.collation = "NOCASE";
    owner.on_delete = "CASCADE";
    owner.not_null = 1;

    /* After an error all of these refuse, and so does the last one. */
    must(rowtide_schema_builder_new(&builder));
    rowtide_schema_builder_table(builder, "users", NULL);
    rowtide_schema_builder_column(builder, "id", "INTEGER", &key);
    rowtide_schema_builder_column(builder, "email", "TEXT", &email);
    rowtide_schema_builder_table(builder, "posts", NULL);
    rowtide_schema_builder_column(builder, "id", "INTEGER", &key);
    rowtide_schema_builder_column(builder, "title", "TEXT", &needed);
    rowtide_schema_builder_belongs_to(builder, "users", &owner);
    must(rowtide_schema_builder_finish(builder, &schema));
    rowtide_schema_builder_free(builder);
    return schema;
}

static void print_report(const rowtide_schema_report *report)
{
    const rowtide_schema_action *const *action =
        rowtide_schema_report_actions(report)->actions;
    for (; *action; action++)
        printf("%s %s\n", (*action)->name,
               (*action)->done ? "is made" : (*action)->reason);
}

static void print_plan(const rowtide_plan *plan)
{
    const rowtide_plan_step *const *step = rowtide_plan_steps_of(plan)->steps;
    for (; *step; step++)
        printf("%s: %s\n", (*step)->table, (*step)->reason);
}

int main(void)
{
    rowtide_auto_migrate_options options = ROWTIDE_AUTO_MIGRATE_OPTIONS_INIT;
    rowtide_schema *model = declare();
    rowtide_schema_report *report;
    rowtide_plan *plan;
    rowtide_db *db;

    must(rowtide_db_open(":memory:", NULL, &db));
    options.foreign_keys = 1;
    must(rowtide_schema_auto_migrate(db, model, &options, &report));
    print_report(report);
    rowtide_schema_report_free(report);

    /* Somebody alters the table by hand: this is the way back. */
    must(rowtide_db_exec(db, "ALTER TABLE users ADD COLUMN nick TEXT"));
    must(rowtide_schema_plan(db, model, NULL, &plan));
    print_plan(plan);
    rowtide_plan_free(plan);

    rowtide_schema_free(model);
    rowtide_db_free(db);
    return 0;
}
