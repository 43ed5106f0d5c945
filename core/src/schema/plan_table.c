#include "schema/plan.h"
#include "base/buffer.h"
#include "base/error.h"

#include <string.h>

/* The schema of the database, with another definition of one table. */

static int append_statement(rowtide_buffer *text, const char *sql)
{
    return rowtide__buffer_append_format(text, "%s\n;\n", sql);
}

static int append_indexes(rowtide_buffer *text,
                          const rowtide_schema_table *table)
{
    int rc = ROWTIDE_OK;
    for (size_t i = 0; table->indexes[i] && rc == ROWTIDE_OK; i++)
        rc = append_statement(text, table->indexes[i]->sql);
    return rc;
}

static int append_triggers(rowtide_buffer *text,
                           const rowtide_schema_trigger *const *triggers)
{
    int rc = ROWTIDE_OK;
    for (size_t i = 0; triggers[i] && rc == ROWTIDE_OK; i++)
        rc = append_statement(text, triggers[i]->sql);
    return rc;
}

static int write_schema(const rowtide_schema *from,
                        const rowtide_schema_table *changed,
                        rowtide_buffer *text)
{
    const rowtide_schema_contents *all = &from->contents;
    int rc = ROWTIDE_OK;
    for (size_t i = 0; all->tables[i] && rc == ROWTIDE_OK; i++) {
        const rowtide_schema_table *table = all->tables[i];
        int same = !rowtide__name_equal(table->name, changed->name);
        if (table->kind == ROWTIDE_TABLE_SHADOW)
            continue;
        rc = append_statement(text, same ? table->sql : changed->sql);
        if (rc == ROWTIDE_OK)
            rc = append_indexes(text, table);
    }
    for (size_t i = 0; all->views[i] && rc == ROWTIDE_OK; i++)
        rc = append_statement(text, all->views[i]->sql);
    for (size_t i = 0; all->tables[i] && rc == ROWTIDE_OK; i++)
        rc = append_triggers(text, all->tables[i]->triggers);
    for (size_t i = 0; all->views[i] && rc == ROWTIDE_OK; i++)
        rc = append_triggers(text, all->views[i]->triggers);
    return rc;
}

static int check_definition(const rowtide_schema *from,
                            const rowtide_schema *given)
{
    const rowtide_schema_table *const *tables = given->contents.tables;
    if (!tables[0] || tables[1] || tables[0]->kind != ROWTIDE_TABLE_ORDINARY
        || tables[0]->indexes[0] || tables[0]->triggers[0]
        || given->contents.views[0])
        return rowtide__fail(ROWTIDE_EINVAL,
                             "rebuild: one CREATE TABLE statement expected");
    const rowtide__table *table = rowtide__schema_table(from, tables[0]->name);
    if (!table || table->view.kind != ROWTIDE_TABLE_ORDINARY)
        return rowtide__fail(ROWTIDE_ENOTFOUND,
                             "rebuild: there is no table \"%s\"",
                             tables[0]->name);
    return ROWTIDE_OK;
}

static int make_target(const rowtide_schema *from, const char *sql,
                       rowtide_schema **out)
{
    rowtide_buffer text = ROWTIDE_BUFFER_INIT;
    rowtide_schema *given = NULL;
    int rc = rowtide_schema_parse(sql, &given);
    if (rc == ROWTIDE_OK)
        rc = check_definition(from, given);
    if (rc == ROWTIDE_OK)
        rc = write_schema(from, given->contents.tables[0], &text);
    if (rc == ROWTIDE_OK && rowtide_schema_parse(text.data, out) != ROWTIDE_OK)
        rc = rowtide__fail_context(
            "rebuild: what belongs to table \"%s\" does not fit it",
            given->contents.tables[0]->name);
    rowtide_schema_free(given);
    rowtide_buffer_dispose(&text);
    return rc;
}

static int rebuild(rowtide_db *db, const char *sql,
                   const rowtide_plan_options *options,
                   const rowtide_plan_run_options *run,
                   rowtide_schema_report **out)
{
    rowtide_schema *from = NULL, *to = NULL;
    rowtide_plan *plan = NULL;
    int rc = rowtide_schema_read(db, NULL, &from);
    if (rc == ROWTIDE_OK)
        rc = make_target(from, sql, &to);
    if (rc == ROWTIDE_OK)
        rc = rowtide__plan_make(db, to, options, 1, &plan);
    if (rc == ROWTIDE_OK)
        rc = rowtide_plan_apply(db, plan, run, out);
    rowtide_plan_free(plan);
    rowtide_schema_free(to);
    rowtide_schema_free(from);
    return rc;
}

int rowtide_schema_rebuild(rowtide_db *db, const char *sql,
                           const rowtide_plan_options *options,
                           const rowtide_plan_run_options *run,
                           rowtide_schema_report **out)
{
    if (out)
        *out = NULL;
    ROWTIDE__CHECK_ARG(sql, "schema_rebuild");
    int rc = rowtide__db_enter(db, "schema_rebuild");
    if (rc != ROWTIDE_OK)
        return rc;
    rc = rebuild(db, sql, options, run, out);
    rowtide__db_leave(db);
    return rc;
}
