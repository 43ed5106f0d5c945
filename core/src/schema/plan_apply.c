#include "schema/plan.h"
#include "base/error.h"
#include "db/sql.h"

#include <string.h>

static const char SQL_HIDDEN[] =
    "SELECT 1 FROM sqlite_temp_schema WHERE type IN ('table', 'view')"
    " AND name = %Q COLLATE NOCASE";

/* One call of apply. */
typedef struct applying {
    rowtide__run run;
    rowtide__settings settings;
    rowtide__transaction transaction;
    rowtide__violations violations;
    rowtide__working working;
    rowtide_schema_report *report; /* NULL: nobody asked for it */
    size_t renamed;                /* steps up to the last RENAME */
} applying;

/* ## May it be run at all? */

static int deletes_rows(const rowtide__step *step)
{
    return !step->view.refused
           && (step->view.method == ROWTIDE_METHOD_REBUILD
               || (step->view.method == ROWTIDE_METHOD_DROP
                   && step->view.object == ROWTIDE_OBJECT_TABLE));
}

/* PRAGMA foreign_keys is not to be switched in somebody's transaction, and with
 * it on DROP TABLE is a DELETE, which cascades. */
static int check_caller(const applying *it)
{
    const rowtide__step *const *steps = it->run.plan->steps.items;
    if (sqlite3_get_autocommit(it->run.sqlite) || !it->settings.foreign_keys)
        return ROWTIDE_OK;
    for (size_t i = 0; steps[i]; i++)
        if (deletes_rows(steps[i]))
            return rowtide__fail(
                ROWTIDE_EMISUSE,
                "apply: table \"%s\" would be %s inside a transaction while "
                "PRAGMA foreign_keys is on: rows that refer to it would be "
                "deleted; commit first, or switch foreign keys off before "
                "BEGIN",
                steps[i]->view.table,
                steps[i]->view.method == ROWTIDE_METHOD_DROP ? "dropped"
                                                             : "rebuilt");
    return ROWTIDE_OK;
}

/* Else it would be found out at the DROP TABLE, and the ROLLBACK then would end
 * the statement. */
static int check_statements(const applying *it)
{
    const rowtide__step *const *steps = it->run.plan->steps.items;
    sqlite3_stmt *stmt = sqlite3_next_stmt(it->run.sqlite, NULL);
    while (stmt && !sqlite3_stmt_busy(stmt))
        stmt = sqlite3_next_stmt(it->run.sqlite, stmt);
    for (size_t i = 0; stmt && steps[i]; i++)
        if (deletes_rows(steps[i]))
            return rowtide__fail(ROWTIDE_EBUSY,
                                 "apply: table \"%s\" cannot be %s while a "
                                 "statement of this connection is not "
                                 "finished: %s",
                                 steps[i]->view.table,
                                 steps[i]->view.method == ROWTIDE_METHOD_DROP
                                     ? "dropped"
                                     : "rebuilt",
                                 sqlite3_sql(stmt));
    return ROWTIDE_OK;
}

static int check_schema(const applying *it)
{
    uint64_t now;
    int rc = rowtide__fingerprint(it->run.db, &now);
    if (rc == ROWTIDE_OK && now != it->run.plan->fingerprint)
        rc = rowtide__fail(ROWTIDE_ESCHEMA,
                           "apply: the schema has changed since the plan was "
                           "made");
    return rc;
}

/* SQL without the name of a schema would find the temporary one. */
static int check_hidden(const applying *it)
{
    const rowtide__step *const *steps = it->run.plan->steps.items;
    int rc = ROWTIDE_OK;
    for (size_t i = 0; steps[i] && rc == ROWTIDE_OK; i++) {
        int64_t hidden;
        if (!steps[i]->view.table)
            continue;
        rc = rowtide__sql_integer(it->run.db, &hidden, 0, SQL_HIDDEN,
                                  steps[i]->view.table);
        if (rc == ROWTIDE_OK && hidden)
            rc = rowtide__fail(ROWTIDE_EMISUSE,
                               "apply: a temporary table or view \"%s\" hides "
                               "the one of the database",
                               steps[i]->view.table);
    }
    return rc;
}

/* ## Steps */

static int report_statement(const applying *it, const rowtide_plan_step *step,
                            const char *sql, int64_t rows)
{
    rowtide_schema_action action = {
        !step->refused, step->object, step->table, step->name, sql,
        step->refused,  rows};
    return it->report ? rowtide__schema_report_add(it->report, &action)
                      : ROWTIDE_OK;
}

static int run_statements(applying *it, const rowtide__step *step)
{
    int rc = ROWTIDE_OK;
    for (size_t i = 0; step->view.statements[i] && rc == ROWTIDE_OK; i++) {
        rc = rowtide__run_progress(&it->run, "apply", 0, -1, step->view.table);
        if (rc == ROWTIDE_OK)
            rc = rowtide__sql_script(it->run.db, step->view.statements[i]);
        if (rc == ROWTIDE_OK)
            rc = rowtide__transaction_check(&it->transaction);
        if (rc == ROWTIDE_OK)
            rc = report_statement(it, &step->view, step->view.statements[i], 0);
    }
    return rc;
}

/* The report has what was run, without what is around it for other tools. */
static int report_rebuild(const applying *it, const rowtide__step *step,
                          int64_t rows)
{
    int rc = ROWTIDE_OK;
    for (size_t i = 0; step->body[i] && rc == ROWTIDE_OK; i++)
        rc = report_statement(it, &step->view, step->body[i],
                              i == step->copy_at ? rows : 0);
    return rc;
}

static int run_how(applying *it, const rowtide__step *step)
{
    int64_t rows = 0;
    int rc = ROWTIDE_OK;
    switch (step->how) {
    case ROWTIDE__HOW_REBUILD:
        rc = rowtide__run_rebuild(&it->run, step, &rows);
        return rc == ROWTIDE_OK ? report_rebuild(it, step, rows) : rc;
    case ROWTIDE__HOW_EDIT:
        rc = rowtide__run_edit(&it->run, step);
        return rc == ROWTIDE_OK ? report_statement(it, &step->view,
                                                   step->view.statements[1], 0)
                                : rc;
    default:
        return run_statements(it, step);
    }
}

static int run_step(applying *it, const rowtide__step *step)
{
    if (step->view.refused)
        return report_statement(it, &step->view, NULL, 0);
    int rc = run_how(it, step);
    if (rc == ROWTIDE_OK)
        rc = rowtide__transaction_check(&it->transaction);
    return rc == ROWTIDE_OK
               ? rc
               : rowtide__fail_context("apply: table \"%s\"", step->view.table);
}

static int run_steps(applying *it, size_t from, size_t to)
{
    const rowtide__step *const *steps = it->run.plan->steps.items;
    int rc = ROWTIDE_OK;
    for (size_t i = from; i < to && steps[i] && rc == ROWTIDE_OK; i++)
        rc = run_step(it, steps[i]);
    return rc;
}

static size_t count_renames(const rowtide_plan *plan)
{
    size_t count = 0;
    for (size_t i = 0; plan->steps.items[i]; i++)
        if (plan->steps.items[i]->view.method == ROWTIDE_METHOD_RENAME)
            count = i + 1;
    return count;
}

/* The planner of this connection would have no statistics until it opens the
 * database anew. */
static int load_statistics(const applying *it)
{
    int64_t found;
    int rc = rowtide__sql_integer(it->run.db, &found, 0,
                                  "SELECT 1 FROM main.sqlite_schema WHERE "
                                  "name = 'sqlite_stat1'");
    return rc == ROWTIDE_OK && found
               ? rowtide__sql_exec(it->run.db, "ANALYZE main.sqlite_schema")
               : rc;
}

/* ## All of it */

static int run_inside(applying *it)
{
    int rc = check_schema(it);
    if (rc == ROWTIDE_OK)
        rc = check_hidden(it);
    if (rc == ROWTIDE_OK)
        rc = rowtide__run_preflight(&it->run);
    if (rc == ROWTIDE_OK)
        rc = rowtide__working_collect(&it->run, &it->working);
    if (rc == ROWTIDE_OK)
        rc = run_steps(it, 0, it->renamed);
    if (rc == ROWTIDE_OK)
        rc = rowtide__violations_collect(&it->run, &it->violations);
    if (rc == ROWTIDE_OK)
        rc = run_steps(it, it->renamed, SIZE_MAX);
    if (rc == ROWTIDE_OK)
        rc = rowtide__violations_compare(&it->run, &it->violations);
    if (rc == ROWTIDE_OK)
        rc = rowtide__working_compare(&it->run, &it->working);
    return rc == ROWTIDE_OK ? load_statistics(it) : rc;
}

static int run_plan(applying *it)
{
    sqlite3 *sqlite = it->run.sqlite;
    int rc = check_caller(it);
    if (rc == ROWTIDE_OK)
        rc = check_statements(it);
    if (rc != ROWTIDE_OK)
        return rc;
    if (sqlite3_get_autocommit(sqlite))
        rowtide__setting(sqlite, SQLITE_DBCONFIG_ENABLE_FKEY, 0);
    /* Texts that were accepted once are accepted again. */
    rowtide__setting(sqlite, SQLITE_DBCONFIG_DQS_DDL, 1);
    rowtide__setting(sqlite, SQLITE_DBCONFIG_LEGACY_ALTER_TABLE, 0);
    rc = rowtide__transaction_begin(it->run.db, &it->transaction);
    it->run.transaction = &it->transaction;
    if (rc == ROWTIDE_OK)
        rc = run_inside(it);
    if (rc == ROWTIDE_OK)
        rc = rowtide__transaction_commit(&it->transaction);
    else
        rowtide__transaction_rollback(&it->transaction);
    return rc;
}

static int apply(rowtide_db *db, const rowtide_plan *plan,
                 const rowtide_plan_run_options *options,
                 rowtide_schema_report *report)
{
    applying it = {.report = report, .renamed = count_renames(plan)};
    sqlite3_stmt *pin;
    int rc = rowtide__run_open(db, plan, options, &it.run);
    if (rc == ROWTIDE_OK)
        rc = rowtide__db_pin(db, &pin);
    if (rc != ROWTIDE_OK)
        return rc;
    rowtide__settings_save(it.run.sqlite, &it.settings);
    rc = run_plan(&it);
    rowtide__settings_restore(&it.settings);
    rowtide__violations_dispose(&it.violations);
    rowtide__arena_dispose(&it.working.arena);
    sqlite3_finalize(pin);
    return rc;
}

int rowtide_plan_apply(rowtide_db *db, const rowtide_plan *plan,
                       const rowtide_plan_run_options *options,
                       rowtide_schema_report **out)
{
    if (out)
        *out = NULL;
    ROWTIDE__CHECK_ARG(plan, "plan_apply");
    int rc = rowtide__db_enter(db, "plan_apply");
    if (rc != ROWTIDE_OK)
        return rc;
    rowtide_schema_report *report = out ? rowtide__schema_report_new() : NULL;
    rc = out && !report ? ROWTIDE_ENOMEM : apply(db, plan, options, report);
    if (rc == ROWTIDE_OK && out)
        *out = report;
    else
        rowtide_schema_report_free(report);
    rowtide__db_leave(db);
    return rc;
}
